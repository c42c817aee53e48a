/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_STATE_VALUE_TEXT_H
#define FH_STATE_VALUE_TEXT_H

#include "base/text.h"

struct fh_profile;

/* A piece of source text, from `text` to `end`: "vmid", "k->NPT_ID + vmid". */
struct source_text {
    const char *text;
    const char *end;
};

/*
 * The value of that name: a number, and behind it the name that it has in the profile, if it is an
 * owner, a state, a lock or an exception class: "2 (READY)". k is NULL: the number alone.
 */
void text_put_known(struct text *text, const struct fh_profile *k, struct source_text source,
                    uint64_t value);

#endif
