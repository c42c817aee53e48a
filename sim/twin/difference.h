/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_DIFFERENCE_H
#define SIM_DIFFERENCE_H

#include "twin/compare.h"

/* A difference in words. */

/* Is it that the model has no answer? */
bool difference_is_undefined(const struct difference *difference);

/* Is it that a rule beside the spec is broken, though the model agrees? */
bool difference_breaks_rule(const struct difference *difference);

/* "s2_set field owner ...: new: model 0x0, machine 0x1", in a line; `who` predicted. */
void difference_print(const struct difference *difference, const char *who, FILE *out);
void difference_format(const struct difference *difference, const char *who, char *text,
                       size_t size);

#endif
