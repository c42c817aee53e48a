/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_BASE_MAP_NODE_H
#define FH_BASE_MAP_NODE_H

#include <faulthandler/map.h>

#include "base/refs.h"

enum { BITS = 6, FANOUT = 1 << BITS, MAX_LEVEL = 10 };

/*
 * A node of level 0 holds values, one of level n > 0 holds nodes of level n-1. `mask` says which of
 * the 64 slots are present; they are packed in order behind the header. Invariants: capacity >=
 * number of bits in mask; a child is never NULL. Empty nodes may exist.
 */
struct fh_map_node {
    uint32_t references;
    uint8_t level;
    uint8_t capacity;
    uint16_t classes; /* of what is below, as a set (map_next_picked), or 0: not known */
    uint64_t mask;
};

/* Where the target has no instruction for it, the compiler's own falls back to a slow call. */
static inline unsigned popcount(uint64_t x)
{
#if defined(__POPCNT__) || defined(__aarch64__)
    return (unsigned)__builtin_popcountll(x);
#else
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (unsigned)(x * 0x0101010101010101u >> 56);
#endif
}

static inline bool has(const struct fh_map_node *node, unsigned slot)
{
    return (node->mask >> slot) & 1;
}

/* Not inlined: dense nodes need not count, and those who look at them no registers to do so. */
__attribute__((noinline)) unsigned count_lower(uint64_t mask, unsigned slot);

static inline unsigned rank(const struct fh_map_node *node, unsigned slot)
{
    const uint64_t lower = ((uint64_t)1 << slot) - 1;
    if (__builtin_expect((node->mask & lower) == lower, 1))
        return slot;
    return count_lower(node->mask, slot);
}

static inline char *payload(struct fh_map_node *node)
{
    return (char *)(node + 1);
}

/*
 * The leaf that was used last. Neighbouring keys, and the several looks that one call takes at the
 * same key, find their values there without the way down from the root. Whoever keeps a cursor
 * gives it a new `age` when the map may have changed by other means than the cursor.
 */
struct map_cursor {
    struct fh_map_node *leaf;
    uint64_t prefix; /* of its keys: key >> BITS */
    uint64_t age;
    bool is_own; /* the whole path to it is the map's alone, of no known classes */
};

static inline bool cursor_holds(const struct map_cursor *cursor, uint64_t age, uint64_t key)
{
    return __builtin_expect(cursor->age == age && cursor->prefix == key >> BITS, 1);
}

/* The entry at `key`, in whose leaf the cursor is; NULL: there is none. */
static inline const void *cursor_entry(const struct map_cursor *cursor, size_t size, uint64_t key)
{
    const unsigned slot = (unsigned)key & (FANOUT - 1);
    struct fh_map_node *leaf = cursor->leaf;
    return __builtin_expect(has(leaf, slot), 1) ? payload(leaf) + rank(leaf, slot) * size : NULL;
}

/* The entry at `key` if the cursor's leaf has it; `size` is that of values. NULL: look for it. */
static inline const void *cursor_find(const struct map_cursor *cursor, uint64_t age, size_t size,
                                      uint64_t key)
{
    return cursor_holds(cursor, age, key) ? cursor_entry(cursor, size, key) : NULL;
}

/*
 * As fh_map_remove, of plain values, if the cursor's leaf is there and the map's alone. False, and
 * nothing done, if not.
 */
static inline bool cursor_remove(struct map_cursor *cursor, uint64_t age, size_t size, uint64_t key)
{
    char *value = cursor->is_own ? (char *)(uintptr_t)cursor_find(cursor, age, size, key) : NULL;
    if (!value)
        return false;
    struct fh_map_node *leaf = cursor->leaf;
    const unsigned slot = (unsigned)key & (FANOUT - 1);
    const uint64_t behind = leaf->mask >> slot >> 1;
    if (behind != 0)
        memmove(value, value + size, popcount(behind) * size);
    leaf->mask &= ~((uint64_t)1 << slot);
    return true;
}

/*
 * How values are looked for by a number that each has. Both look at the values of a leaf, `count`
 * of them in a row: `pick` says which have the number `wanted`, bit i for the i-th one, `classes`
 * which classes their numbers have.
 */
struct map_picker {
    uint64_t (*pick)(const void *values, unsigned count, uint64_t wanted);
    uint16_t (*classes)(const void *values, unsigned count);
};

/* The class of a number, as a set: 0, which most values have, shares its class with no other. */
static inline uint16_t map_class(uint64_t number)
{
    return (uint16_t)(number == 0 ? 1 : 2u << (number - 1) % 15);
}

/*
 * What is known of the classes below a node. Those that share the node may note it at any time, in
 * other threads: they find the same, for a node that is shared stays as it is. Who edits below
 * forgets it in the copies, or nodes of its own, that lead there.
 */
static inline uint16_t known_classes(const struct fh_map_node *node)
{
    return __atomic_load_n(&node->classes, __ATOMIC_RELAXED);
}

/*
 * The first key >= `key` and <= `last` with an entry that has the number `wanted`; false: there is
 * none. Nodes keep in mind which classes are below, for whoever shares them, until something there
 * is edited: so a search costs what was edited since the last one, not what it passes, whatever
 * that one looked for and whoever took a snapshot in between; a range that fh_map_fill filled is
 * looked at once, in the one node that it consists of. Cursors that were there before are not any
 * more. A map is searched with one picker only.
 */
bool map_next_picked(const struct fh_map *map, const struct map_picker *picker, uint64_t wanted,
                     uint64_t last, uint64_t *key);

/* As fh_map_get, and the cursor is there then. */
const void *cursor_get(struct map_cursor *cursor, uint64_t age, const struct fh_map *map,
                       const struct fh_map_type *type, uint64_t key);

/* As fh_map_edit, and the cursor is there then. */
void *cursor_edit_entry(struct map_cursor *cursor, uint64_t age, struct fh_map *map,
                        const struct fh_map_type *type, const struct fh_allocator *allocator,
                        uint64_t key, bool *existed);

static inline void *cursor_edit(struct map_cursor *cursor, uint64_t age, struct fh_map *map,
                                const struct fh_map_type *type, size_t size,
                                const struct fh_allocator *allocator, uint64_t key, bool *existed)
{
    const void *value = cursor->is_own ? cursor_find(cursor, age, size, key) : NULL;
    *existed = true;
    return __builtin_expect(value != NULL, 1)
               ? (void *)(uintptr_t)value
               : cursor_edit_entry(cursor, age, map, type, allocator, key, existed);
}

#endif
