/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_ACCESS_H
#define SIM_ACCESS_H

#include "base/json_out.h"
#include "scenario/play.h"

/* Make the accesses of a step, page by page, and hold each against what is expected. */
void access_play(const struct judge *judge, struct step_trace *trace);

/* One access in words, a line, and below it its walk. */
void access_print(FILE *out, const struct access_account *account, const char *prefix);
void access_put_json(struct json_out *json, const struct access_account *account);

#endif
