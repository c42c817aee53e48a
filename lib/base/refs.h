/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_BASE_REFS_H
#define FH_BASE_REFS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Reference counts. States that share structure may live in different threads, so the counts are
 * atomic; asking "am I the only owner?" is a plain load on the usual machines.
 */
static inline void refs_init(uint32_t *references)
{
    __atomic_store_n(references, 1, __ATOMIC_RELAXED);
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

static inline bool refs_shared(const uint32_t *references)
{
    return __atomic_load_n(references, __ATOMIC_ACQUIRE) != 1;
}

#endif
