/* SPDX-License-Identifier: GPL-2.0-only */
#include "twin/twin_state.h"

/*
 * STATE invariants speak of the CPU that a state belongs to, and a twin is the state of all. That
 * every page is counted as often as banks map it is true where no bank maps anything.
 */
static bool is_looked_at(const struct fh_invariant_info *invariant)
{
    return invariant->scope == FH_SCOPE_SHARED && invariant->id != FH_INVARIANT_smmu_count;
}

uint32_t twin_boot_violations(const struct twin *twin, struct fh_invariant_report *report)
{
    report->broken = 0;
    for (unsigned i = 0; fh_invariant_at(i); i++) {
        const struct fh_invariant_info *invariant = fh_invariant_at(i);
        if (is_looked_at(invariant) && !invariant->holds(twin->state, &report->witness[i]))
            report->broken |= UINT32_C(1) << i;
    }
    return report->broken;
}
