/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_LARGER_H
#define SIM_LARGER_H

#include <stdlib.h>

#include "base/diag.h"

/* A list of `count` members with room for one more: itself, or a larger one in its place. */
static inline void *larger(void *list, size_t count, size_t *size, size_t member)
{
    if (count < *size)
        return list;
    *size = *size > 0 ? 2 * *size : 64;
    list = realloc(list, *size * member);
    if (!list)
        no_memory();
    return list;
}

#endif
