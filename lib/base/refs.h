/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_BASE_REFS_H
#define FH_BASE_REFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Reference counts. States that share structure may live in different threads, so the counts are
 * atomic; asking "am I the only owner?" is a plain load on the usual machines.
 *
 * What is shared is read by all its owners and written by none but for the count, which changes
 * under the eyes of the others at any time. Who finds itself the only owner may write: nobody else
 * has a share to make a second one of, and the owner that gave up the last other one has finished
 * reading (release, acquire). Who is not makes a copy, with refs_copy, of all but the count, and
 * then gives its share up; the last one to do so frees the original.
 */
static inline void refs_init(uint32_t *references)
{
    __atomic_store_n(references, 1, __ATOMIC_RELAXED);
}

/* Copy a record of `size` bytes that begins with a count; the copy has one owner. */
static inline void refs_copy(void *to, const void *from, size_t size)
{
    const size_t count = sizeof(uint32_t);
    memcpy((char *)to + count, (const char *)from + count, size - count);
    refs_init(to);
}

static inline void refs_retain(uint32_t *references)
{
    __atomic_fetch_add(references, 1, __ATOMIC_RELAXED);
}

/* True when that was the last owner. */
static inline bool refs_release(uint32_t *references)
{
    return __atomic_fetch_sub(references, 1, __ATOMIC_ACQ_REL) == 1;
}

/* How many owners there are now; for checks. */
static inline uint32_t refs_count(const uint32_t *references)
{
    return __atomic_load_n(references, __ATOMIC_RELAXED);
}

static inline bool refs_shared(const uint32_t *references)
{
    return __atomic_load_n(references, __ATOMIC_ACQUIRE) != 1;
}

#endif
