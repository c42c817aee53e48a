/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_OVERLAY_H
#define FAULTHANDLER_OVERLAY_H

/*
 * In the place of the installed <faulthandler/overlay.h>, for an overlay that is compiled into the
 * library: the same source becomes a machine without a table of functions. The build defines
 *   FH_MACHINE     the machine, fh_machine_toy, and FH_MACHINE_NAME, "toy"
 *   FH_BELOW       the machine that it extends
 *   FH_FIRST       the number of its first departure: those of what it extends come before
 * and tables.h of the machine's folder has its constants and calls.
 */
#define FH_LAYER "overlay"
#include "machine/overlay.h"

#include "tables.h"

FH_SWITCHES(FH_SWITCH_MAP, FH_FIRST)

__attribute__((unused)) static inline const struct fh_profile *fh_k(const struct fh_state *s)
{
    return s->profile;
}

__attribute__((unused)) static inline const struct fh_rdata *fh_data(const struct fh_state *s)
{
    return s->adt;
}

__attribute__((unused)) static inline void fh_tell(struct fh_state *s, enum fh_effect_kind kind,
                                                   uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    observe(s, kind, a, b, c, d);
}

/* clang-format off */
#define FH_OVERLAY(...) FH_OVERLAY_OWN(NULL, __VA_ARGS__)
#define FH_OVERLAY_OWN(functions, ...)                                                              \
    static const struct fh_overlay overlay = {__VA_ARGS__};                                         \
    static const char *const names[] = {FH_SWITCH_MAP(FH_SWITCH_NAME) NULL};                        \
    extern const struct fh_machine FH_MACHINE;                                                      \
    const struct fh_machine FH_MACHINE = {                                                          \
        .name = FH_MACHINE_NAME,                                                                    \
        .extends = &FH_BELOW,                                                                       \
        .profile = FH_MACHINE_PROFILE,                                                              \
        .overlay = &overlay,                                                                        \
        .departures = names,                                                                        \
        .ndepartures = sizeof names / sizeof *names - 1,                                            \
        .hypercalls = &hypercalls,                                                                  \
        .guest_calls = &guest_calls,                                                                \
        .own = functions,                                                                           \
    }
/* clang-format on */

#endif
