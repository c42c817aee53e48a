/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EFFECT_TEXT_H
#define SIM_EFFECT_TEXT_H

#include <stdio.h>

#include <faulthandler/effects.h>
#include <faulthandler/profile.h>

#include "base/json_out.h"

/* An effect of the model in a line, with names and words: "CALL         map_page_host addr=...". */
void effect_print(FILE *out, const struct fh_profile *k, const struct fh_effect *effect);

/*
 * The same as an object: its numbers as texts, for readers of JSON may have no 64-bit integers, and
 * what is printed. `reason`: why it panics, or NULL.
 */
void effect_put(struct json_out *json, const struct fh_profile *k, const struct fh_effect *effect,
                const char *reason);

#endif
