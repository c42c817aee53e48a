/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_LOCKS_H
#define FH_LAYERS_LOCKS_H

#include "layers/kcore.h"

/* clang-format off */
FH_LAYER_Locks(KC_PROTOTYPE)
    /* clang-format on */

    /*
     * Critical sections in which nothing happens, `times` of them one after the other: the same as
     * taking the lock and giving it back so often, at once. False, and nothing has happened, where
     * that takes more than a count; it takes no more after a critical section, unless KCore is
     * asked otherwise (locks.c).
     */
    bool can_pass_lock(struct fh_state *s, uint64_t id);
bool pass_lock(struct fh_state *s, uint64_t id, uint64_t times);

#endif
