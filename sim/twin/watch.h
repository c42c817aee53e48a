/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_WATCH_H
#define SIM_WATCH_H

#include "twin/twin.h"

enum { WATCH_WITNESSES = 1024 };

/*
 * Which security invariants the machine's state comes to break, trap by trap. One that does not
 * hold in the state that a trace begins with is left out, for no trap can break it. A witness that
 * was met before says nothing of this trap: tables are looked at from their beginning, and it
 * stands there still.
 */
struct watch {
    uint32_t broken_at_boot; /* a bit for each, as in struct fh_invariant_report */
    struct {
        unsigned invariant;
        struct fh_witness witness;
    } met[WATCH_WITNESSES]; /* the latest ones */
    size_t nmet;
};

/* Begin with the state of the boot line. Returns what it breaks, with witnesses in `report`. */
uint32_t watch_boot(struct watch *watch, struct twin *twin, struct fh_invariant_report *report);

/* What is newly broken behind a trap, with witnesses in `report`. */
uint32_t watch_trap(const struct watch *watch, struct twin *twin,
                    struct fh_invariant_report *report);

/* These witnesses were met: the trap is done with. */
void watch_note(struct watch *watch, uint32_t broken, const struct fh_invariant_report *report);

#endif
