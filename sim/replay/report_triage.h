/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_REPORT_TRIAGE_H
#define SIM_REPORT_TRIAGE_H

#include "base/json_out.h"
#include "replay/replay.h"

/* Groups of unexplained traps in reports, each with one of its traps in full. */

/* Unexplained traps in full, as text or as JSON: the first of each group, and others. */
struct kept_traps {
    struct kept_trap {
        const struct triage_group *group; /* NULL: it has none */
        char *text;
        bool is_first; /* of its group */
    } * list;
    size_t count;
};

/* Is this trap, that the triage has had, the first of its group? */
bool is_first_of_group(const struct replay_trap *trap);
/* Keep a trap; its text is the keeper's from then on. */
void keep_trap(struct kept_traps *kept, const struct replay_trap *trap, char *text);
void kept_traps_free(struct kept_traps *kept);

/* What is known of a group, for people. */
void triage_print_group(const struct triage_group *group, FILE *out);

void triage_print_text(const struct replay_report *report, const struct kept_traps *kept);
/* The member "groups". `kept` has JSON, or is NULL. */
void triage_print_json(struct json_out *out, const struct replay_report *report,
                       const struct kept_traps *kept);
/* Test cases, which fail; their number is that of the groups. */
void triage_print_junit(const struct replay_report *report);

#endif
