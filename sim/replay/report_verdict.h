/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_REPORT_VERDICT_H
#define SIM_REPORT_VERDICT_H

#include "replay/replay.h"

/* What may be found in a replay, the most serious first: F(name, in words). */
#define FINDING_MAP(F)                                                                             \
    F(unexplained, "traps of which the model says otherwise")                                      \
    F(invariant, "security invariants that come to be broken")                                     \
    F(confidentiality, "departures that cost a VM's confidentiality")                              \
    F(integrity, "departures that cost its integrity")                                             \
    F(explained, "departures of any kind")                                                         \
    F(denied, "accesses of the host that were denied")

enum finding {
#define FINDING_ENUM(name, words) FINDING_##name,
    FINDING_MAP(FINDING_ENUM)
#undef FINDING_ENUM
        FINDINGS
};

/* How many traps of the replay are of this kind. */
uint64_t report_found(const struct replay_report *report, enum finding finding);

/* "unexplained,invariant" as a set of bits. False, with a message of `replay`. */
bool findings_read(const char *names, unsigned *set);

/* What was found, in one line without its end. */
void report_verdict(const struct replay_report *report, FILE *out);

/* Is there nothing in it that somebody has to look at: no finding but departures without harm? */
bool report_is_good(const struct replay_report *report);
/* Was any trap but a boot predicted, and held against its record? */
bool report_compared(const struct replay_report *report);

#endif
