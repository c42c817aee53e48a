/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TRIAGE_NEAR_H
#define SIM_TRIAGE_NEAR_H

#include "triage/triage.h"

/* What is known of a machine and comes near to explaining an unexplained trap. */

enum { FINDINGS_KEPT = 512 };

/* What explained traps of this run differed in from the spec, and by which entry. */
struct near_findings {
    size_t count;
    struct near_finding {
        struct triage_signature signature;
        unsigned entry;
        char first[256];
    } list[FINDINGS_KEPT];
};

/* An explained trap whose difference from the spec is known: keep it in mind. */
void near_learn(struct near_findings *findings, const struct twin *twin,
                const struct trace_line *line, const struct trap_verdict *verdict,
                const char *file);

/* Fill a new group's list. */
void near_find(const struct near_findings *findings, const struct machine_description *machine,
               const struct trap_verdict *verdict, const struct difference *lead,
               struct triage_group *group);

#endif
