/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_MAP_H
#define FAULTHANDLER_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include <faulthandler/allocator.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A total map from 64-bit keys to values of one fixed size, with a default and finitely many
 * entries (Coq's ZMap). Persistent: a copy of the struct after fh_map_retain is a snapshot, and the
 * two share all nodes until one is written. A map that nobody shares is written in place.
 *
 * Inside: a radix tree of 6 bits a level. A node stores only the children or values that are
 * there, packed in key order behind a 64-bit occupancy mask, so memory follows the entries and
 * iteration follows the keys. The root grows upwards with the largest key.
 */
struct fh_map {
    struct fh_map_node *root;        /* NULL: no entries */
    struct fh_map_default *fallback; /* NULL: the default of the type */
};

/*
 * What the values of a map are. retain/release are called for each stored value when a node that
 * holds it is copied or freed, and are NULL for plain data.
 */
struct fh_map_type {
    uint32_t value_size;  /* bytes, at most FH_MAP_VALUE_MAX */
    const void *fallback; /* the default value, value_size bytes */
    void (*retain)(const struct fh_map_type *type, void *value);
    void (*release)(const struct fh_map_type *type, const struct fh_allocator *allocator,
                    void *value);
};

#define FH_MAP_VALUE_MAX 64

/* The value at `key`: the entry, or the default. Never NULL; valid until the map is written. */
FH_API const void *fh_map_get(const struct fh_map *map, const struct fh_map_type *type,
                              uint64_t key);

/* The entry at `key`, or NULL where the default holds. */
FH_API const void *fh_map_find(const struct fh_map *map, const struct fh_map_type *type,
                               uint64_t key);

/*
 * The first entry with a key >= *key, which is set to its key; NULL if there is none. To visit all
 * entries in key order start at 0 and go on at the last key + 1, unless that is 2^64: FH_MAP_EACH.
 */
FH_API const void *fh_map_next(const struct fh_map *map, const struct fh_map_type *type,
                               uint64_t *key);

/* All entries of a map in key order: `key` is the loop's variable, `entry` the caller's. */
#define FH_MAP_EACH(entry, map, type, key)                                                         \
    for (uint64_t key = 0, fh_more_ = 1; fh_more_ && ((entry) = fh_map_next(map, type, &(key)));   \
         fh_more_ = key++ != UINT64_MAX)

/* Their keys. */
#define FH_MAP_KEYS(map, type, key)                                                                \
    for (uint64_t key = 0, fh_more_ = 1; fh_more_ && fh_map_next(map, type, &(key));               \
         fh_more_ = key++ != UINT64_MAX)

/* The default value of this map. */
FH_API const void *fh_map_fallback(const struct fh_map *map, const struct fh_map_type *type);

/* Number of entries (some may equal the default). Walks the nodes. */
FH_API uint64_t fh_map_count(const struct fh_map *map);

/* Bytes that the nodes of this map occupy, shared ones included. Walks the nodes. */
FH_API uint64_t fh_map_bytes(const struct fh_map *map, const struct fh_map_type *type);

/*
 * Writing. fh_map_edit returns the place of the entry at `key`, in a tree that nobody else shares,
 * creating it with the default value if there was none (*existed tells); NULL when memory ran out,
 * the contents then are unchanged. fh_map_remove lets the default hold again at `key`; it needs no
 * memory if the last change of the map was an fh_map_edit of the same key.
 * fh_map_reset drops all entries and makes `fallback` the default (NULL: the type's own).
 */
FH_API void *fh_map_edit(struct fh_map *map, const struct fh_map_type *type,
                         const struct fh_allocator *allocator, uint64_t key, bool *existed);
FH_API bool fh_map_remove(struct fh_map *map, const struct fh_map_type *type,
                          const struct fh_allocator *allocator, uint64_t key);
FH_API bool fh_map_reset(struct fh_map *map, const struct fh_map_type *type,
                         const struct fh_allocator *allocator, const void *fallback);

/*
 * Make the value at all keys from `first` to `last` the same. Whole subtrees are shared, so that
 * the cost in time and memory follows the depth of the tree, not the number of keys. When memory
 * ran out some of the keys have the new value.
 */
FH_API bool fh_map_fill(struct fh_map *map, const struct fh_map_type *type,
                        const struct fh_allocator *allocator, uint64_t first, uint64_t last,
                        const void *value);

/* Sharing: retain before a struct copy that will live on its own, release when it ends. */
FH_API void fh_map_retain(const struct fh_map *map);
FH_API void fh_map_release(struct fh_map *map, const struct fh_map_type *type,
                           const struct fh_allocator *allocator);

/*
 * Visit the keys at which `a` and `b` have different entries, in key order, at a cost that follows
 * the differences: shared nodes are skipped. NULL stands for "no entry here". Values are not
 * compared, the visitor does that. A visitor that returns false ends the walk.
 */
typedef bool fh_map_visit(void *context, uint64_t key, const void *a, const void *b);
FH_API bool fh_map_diff(const struct fh_map *a, const struct fh_map *b,
                        const struct fh_map_type *type, fh_map_visit *visit, void *context);

#ifdef __cplusplus
}
#endif

#endif
