/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_ABSTRACT_MACHINE_H
#define FH_LAYERS_ABSTRACT_MACHINE_H

#include "layers/kcore.h"

/*
 * Register `index` of shadow context `ctxtid`, whether there is such a vCPU or not
 * (get_shadow_ctxt_specx, set_shadow_ctxt_specx). No register has an index beyond the table: 0.
 */
uint64_t shadow_register(const struct fh_state *s, wide ctxtid, uint32_t index);
enum fh_status set_shadow_register(struct fh_state *s, wide ctxtid, uint32_t index, uint64_t value);

/* All registers and states of the context become those of `from`. */
enum fh_status replace_shadow_ctxt(struct fh_state *s, wide ctxtid, const struct fh_ctxt *from);

FH_LAYER_AbstractMachine(KC_PROTOTYPE)

#endif
