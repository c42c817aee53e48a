/* SPDX-License-Identifier: GPL-2.0-only */
#include "twin/watch.h"

#include <string.h>

uint32_t watch_boot(struct watch *watch, struct twin *twin, struct fh_invariant_report *report)
{
    watch->nmet = 0;
    twin_new_violations(twin, report);
    watch->broken_at_boot = twin_boot_violations(twin, report);
    return watch->broken_at_boot;
}

static bool was_met(const struct watch *watch, unsigned invariant, const struct fh_witness *witness)
{
    const size_t count = watch->nmet < WATCH_WITNESSES ? watch->nmet : WATCH_WITNESSES;
    const size_t size = fh_invariant_at(invariant)->nvalues * sizeof *witness->values;
    for (size_t i = 0; i < count; i++) {
        if (watch->met[i].invariant == invariant &&
            memcmp(watch->met[i].witness.values, witness->values, size) == 0)
            return true;
    }
    return false;
}

uint32_t watch_trap(const struct watch *watch, struct twin *twin,
                    struct fh_invariant_report *report)
{
    uint32_t broken = twin_new_violations(twin, report) & ~watch->broken_at_boot;
    for (unsigned i = 0; broken && i < FH_INVARIANTS; i++) {
        if ((broken >> i & 1) && was_met(watch, i, &report->witness[i]))
            broken &= ~(UINT32_C(1) << i);
    }
    return broken;
}

void watch_note(struct watch *watch, uint32_t broken, const struct fh_invariant_report *report)
{
    for (unsigned i = 0; broken && i < FH_INVARIANTS; i++) {
        if (!(broken >> i & 1))
            continue;
        watch->met[watch->nmet % WATCH_WITNESSES].invariant = i;
        watch->met[watch->nmet++ % WATCH_WITNESSES].witness = report->witness[i];
    }
}
