/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_REPORT_TRIAGE_H
#define SIM_REPORT_TRIAGE_H

#include "replay/replay.h"

/* Groups of unexplained traps in reports, each with one of its traps in full. */

/* Keep a trap to be shown in full beside its group; NULL: it has none. */
void report_keep(struct replay_report *report, const struct replay_trap *trap,
                 const struct triage_group *group);
void report_kept_free(struct replay_report *report);

/* What is known of a group, for people. */
void triage_print_group(const struct triage_group *group, FILE *out);

void triage_print_text(const struct replay_report *report);
/* The member "groups". */
void triage_print_json(struct json_out *out, const struct replay_report *report);
/* Test cases, which fail; their number is that of the groups. */
void triage_print_junit(const struct replay_report *report);

#endif
