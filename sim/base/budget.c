/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/budget.h"

#include <stdlib.h>

static void *take(void *context, size_t size)
{
    struct budget *budget = context;
    void *memory = size <= budget->limit - budget->used ? malloc(size) : NULL;
    if (memory)
        budget->used += size;
    budget->is_exceeded |= !memory;
    return memory;
}

static void give_back(void *context, void *memory, size_t size)
{
    struct budget *budget = context;
    if (memory)
        budget->used -= size;
    free(memory);
}

struct fh_allocator budget_allocator(struct budget *budget)
{
    return (struct fh_allocator){take, give_back, budget};
}
