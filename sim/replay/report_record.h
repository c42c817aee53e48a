/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_REPORT_RECORD_H
#define SIM_REPORT_RECORD_H

#include "base/json_out.h"
#include "replay/report_triage.h"

/* What reports have of each other. */

/* The record of a trap with its differences, as text (report_text.c) and as JSON (report_json.c).
 */
void replay_trap_text(const struct replay_trap *trap, FILE *out);
void replay_trap_json(struct json_out *json, const char *key, const struct replay_trap *trap);
/* The same in one line, to be freed; its length, if anybody asks. */
char *replay_trap_json_text(const struct replay_trap *trap, size_t *length);

/* The members of the JSON object, but for the divergences. `kept`: traps of groups, or NULL. */
void json_summary(struct json_out *json, const struct replay_report *report,
                  const struct kept_traps *kept);

#endif
