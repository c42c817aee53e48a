/* SPDX-License-Identifier: GPL-2.0-only */
#include "vectors/conform.h"

#include <stdio.h>
#include <string.h>

#include <faulthandler/invariants.h>

/* The first invariant whose value is not the recorded one. */
static bool same_as_recorded(const struct fh_invariant_report *report, const char *recorded,
                             char *reason, size_t size)
{
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        const struct fh_invariant_info *invariant = fh_invariant_at(i);
        bool holds = !(report->broken >> i & 1);
        if (holds == (recorded[i] == '1'))
            continue;
        if (holds) {
            snprintf(reason, size, "the invariant %s holds, but not in the recording",
                     invariant->name);
            return false;
        }
        const char *start = "an invariant is broken that holds in the recording: ";
        size_t length = strlen(start);
        snprintf(reason, size, "%s", start);
        if (length < size)
            fh_witness_format(invariant, &report->witness[i], reason + length, size - length);
        return false;
    }
    return true;
}

/* Looking at the step alone must say the same, witnesses included. */
static bool same_after_step(const struct fh_state *state, const struct fh_rdata *before,
                            const struct fh_invariant_report *whole, char *reason, size_t size)
{
    struct fh_invariant_report step;
    fh_check_invariants_after(state, before, &step);
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        uint32_t bit = (uint32_t)1 << i;
        if ((step.broken & bit) == (whole->broken & bit) &&
            memcmp(&step.witness[i], &whole->witness[i], sizeof step.witness[i]) == 0)
            continue;
        snprintf(reason, size,
                 "the invariant %s: the check of the step and that of the whole "
                 "state differ",
                 fh_invariant_at(i)->name);
        return false;
    }
    return true;
}

bool invariants_are_text(const struct node *recorded)
{
    return recorded->kind == NODE_STRING && recorded->length == FH_INVARIANTS &&
           strspn(recorded->text, "01") == FH_INVARIANTS;
}

bool invariants_agree(const struct fh_state *state, const struct fh_rdata *before, bool *held,
                      const char *recorded, char *reason, size_t size)
{
    struct fh_invariant_report whole;
    bool held_before = *held;
    *held = fh_check_invariants(state, &whole) == 0;
    return same_as_recorded(&whole, recorded, reason, size) &&
           (!before || !held_before || same_after_step(state, before, &whole, reason, size));
}
