/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLAIN_SENTENCE_H
#define SIM_EXPLAIN_SENTENCE_H

#include "explain/joined.h"

/* A sentence that is put together; cut off where it is too long. */
struct sentence {
    char text[768];
    size_t length;
};

__attribute__((format(printf, 2, 3))) void sentence_add(struct sentence *sentence,
                                                        const char *format, ...);

/* What is said of stage 2: its form, its root, and the walk as far as descriptors are given. */
void say_stage2(const struct joined *joined, saying *say, void *context);

#endif
