/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLAIN_ACCOUNT_H
#define SIM_EXPLAIN_ACCOUNT_H

#include "explain/joined.h"

/* What one value says by itself, in a line; "" if nothing but its name. */
void account_of(const struct found *found, const struct joined *joined, char *buffer, size_t size);

/*
 * The layout of a value, and the word to take apart with it; NULL if it has no fields that are
 * worth a list.
 */
const struct fh_arm_layout *layout_of(const struct found *found, const struct joined *joined,
                                      uint64_t *word);

/* Does a field belong into a list for people: is it set, or does its 0 say something? */
bool field_counts(const struct fh_arm_field *field, uint64_t word);

#endif
