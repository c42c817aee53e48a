/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/allocator.h>

#include <stdlib.h>

static void *from_malloc(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void to_free(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

const struct fh_allocator *fh_malloc_allocator(void)
{
    static const struct fh_allocator allocator = {from_malloc, to_free, NULL};
    return &allocator;
}
