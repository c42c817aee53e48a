/* SPDX-License-Identifier: GPL-2.0-only */
#include "explain/explain.h"

void say_machine(const struct joined *joined, const struct explained *explained, saying *say,
                 void *context)
{
    (void)joined;
    (void)explained;
    (void)say;
    (void)context;
}
