/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_ALLOCATOR_H
#define FAULTHANDLER_ALLOCATOR_H

#include <stddef.h>

#include <faulthandler/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The memory of a state, given by its owner and used for everything that the state allocates.
 * `alloc` returns NULL when there is none left: the call then ends with FH_NOMEM. `free` gets back
 * the size that was asked for. States that share structure (snapshots, forks) share the allocator;
 * if they are used from several threads it must be thread safe. It must outlive them.
 */
struct fh_allocator {
    void *(*alloc)(void *context, size_t size);
    void (*free)(void *context, void *memory, size_t size);
    void *context;
};

/* malloc and free. In the hosted part of the library (not in a freestanding build). */
FH_API const struct fh_allocator *fh_malloc_allocator(void);

#ifdef __cplusplus
}
#endif

#endif
