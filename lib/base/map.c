/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/map.h>

#include <string.h>

#include "base/map_node.h"

/*
 * Why 6 bits a level.
 *
 * A map has to be four things at once: as small as the array that it stands for, since a machine
 * has millions of pages; quick to look up, since every call does it many times; cheap to share and
 * then to write, since a snapshot is taken before every step of a search; and sparse, since the
 * same kind of map holds three VMs and the words of a pool at addresses beyond 2^29. A tree whose
 * nodes are packed behind a mask of what is present gives all four, and the number of bits a level
 * weighs them:
 *
 *   bits  bytes a page   levels       what the first write behind a       mask
 *         (dense, of 16  for 2^21     snapshot copies, at most
 *         bytes each)    pages
 *    4       17.6           6         6 nodes,   992 bytes                a quarter of a word
 *    6       16.4           4         4 nodes, 2,624 bytes                one word
 *    8       16.1           3         3 nodes, 8,240 bytes                four words, to be summed
 *
 * (A leaf has a header of 16 bytes and 2^bits values, a node above as many pointers; the overhead
 * of a page is its part of these.) With 6 bits presence is one word, so that one shift tests it and
 * one population count finds the place in the packed part; a dense node needs no count (rank). A
 * leaf of pages is 16 lines of cache, and neighbouring pages, which a guest touches one after the
 * other, share it. 4 bits would copy less and walk half as far again at every look-up; 8 bits would
 * copy three times as much for every write behind a snapshot, to save one level and 2 % of the
 * memory.
 *
 * The root grows upwards with the largest key, so that a map of small keys is one leaf, whatever
 * keys could be. Keys have 64 bits: ten levels of 6 below a root of level 10 with 16 slots.
 *
 * Invariants: those of map_node.h, which map_unsound (map_sound.c) checks. A node that has several
 * owners is never written, and all below it is shared too, whatever counts say there.
 */

struct fh_map_default {
    uint32_t references;
    uint64_t value[FH_MAP_VALUE_MAX / 8];
};

static unsigned slot_of(uint64_t key, unsigned level)
{
    return (unsigned)(key >> (BITS * level)) & (FANOUT - 1);
}

/* Does the key lie in the range that a root of this level covers? */
static bool covers(unsigned level, uint64_t key)
{
    return level >= MAX_LEVEL || key >> (BITS * (level + 1)) == 0;
}

static uint32_t stride(const struct fh_map_node *node, const struct fh_map_type *type)
{
    return node->level == 0 ? type->value_size : (uint32_t)sizeof(struct fh_map_node *);
}

static const char *const_payload(const struct fh_map_node *node)
{
    return (const char *)(node + 1);
}

static struct fh_map_node **children(struct fh_map_node *node)
{
    return (struct fh_map_node **)(void *)(node + 1);
}

static struct fh_map_node *child(const struct fh_map_node *node, unsigned index)
{
    return ((struct fh_map_node *const *)(const void *)(node + 1))[index];
}

static size_t node_size(const struct fh_map_node *node, const struct fh_map_type *type)
{
    return sizeof *node + (size_t)node->capacity * stride(node, type);
}

/* The smallest step of a growing series that holds n slots. */
static uint8_t capacity_for(unsigned n)
{
    static const uint8_t steps[] = {1, 2, 4, 6, 8, 12, 16, 24, 32, 40, 48, 56, 64};
    unsigned i = 0;
    while (steps[i] < n)
        i++;
    return steps[i];
}

static void release_node(struct fh_map_node *node, const struct fh_map_type *type,
                         const struct fh_allocator *allocator)
{
    if (!refs_release(&node->references))
        return;
    unsigned count = popcount(node->mask);
    if (node->level > 0) {
        for (unsigned i = 0; i < count; i++)
            release_node(child(node, i), type, allocator);
    } else if (type->release) {
        for (unsigned i = 0; i < count; i++)
            type->release(type, allocator, payload(node) + (size_t)i * type->value_size);
    }
    allocator->free(allocator->context, node, node_size(node, type));
}

static struct fh_map_node *new_node(unsigned level, uint8_t capacity,
                                    const struct fh_map_type *type,
                                    const struct fh_allocator *allocator)
{
    struct fh_map_node head = {.level = (uint8_t)level, .capacity = capacity};
    struct fh_map_node *node = allocator->alloc(allocator->context, node_size(&head, type));
    if (!node)
        return NULL;
    refs_init(&node->references);
    node->level = (uint8_t)level;
    node->capacity = capacity;
    node->classes = 0;
    node->mask = 0;
    return node;
}

/*
 * Make *place a node that only its parent knows and that has room for `room` slots. A shared node
 * is copied (its contents are then retained once more); one that is only too small is moved.
 */
static bool own_node(struct fh_map_node **place, unsigned room, const struct fh_map_type *type,
                     const struct fh_allocator *allocator)
{
    struct fh_map_node *old = *place;
    bool was_shared = refs_shared(&old->references);
    if (!was_shared && old->capacity >= room)
        return true;
    unsigned count = popcount(old->mask);
    uint8_t capacity = capacity_for(room > count ? room : count);
    struct fh_map_node *node = new_node(old->level, capacity, type, allocator);
    if (!node)
        return false;
    node->mask = old->mask;
    memcpy(payload(node), const_payload(old), (size_t)count * stride(old, type));
    if (!was_shared) {
        allocator->free(allocator->context, old, node_size(old, type));
    } else {
        if (node->level > 0) {
            for (unsigned i = 0; i < count; i++)
                refs_retain(&child(node, i)->references);
        } else if (type->retain) {
            for (unsigned i = 0; i < count; i++)
                type->retain(type, payload(node) + (size_t)i * type->value_size);
        }
        release_node(old, type, allocator);
    }
    *place = node;
    return true;
}

/* Open a gap for `slot` in a node that is owned and has room; returns the gap. */
static char *open_slot(struct fh_map_node *node, unsigned slot, const struct fh_map_type *type)
{
    size_t width = stride(node, type);
    unsigned index = rank(node, slot);
    char *gap = payload(node) + index * width;
    if (node->mask >> slot != 0) /* new keys are often the largest */
        memmove(gap + width, gap, (popcount(node->mask) - index) * width);
    node->mask |= (uint64_t)1 << slot;
    return gap;
}

const void *fh_map_fallback(const struct fh_map *map, const struct fh_map_type *type)
{
    return map->fallback ? map->fallback->value : type->fallback;
}

static const void *value_at(const struct fh_map_node *leaf, unsigned slot,
                            const struct fh_map_type *type)
{
    return const_payload(leaf) + (size_t)rank(leaf, slot) * type->value_size;
}

/* The way down that every call takes many times. */
static inline const void *find(const struct fh_map *map, const struct fh_map_type *type,
                               uint64_t key)
{
    const struct fh_map_node *node = map->root;
    if (__builtin_expect(!node || !covers(node->level, key), 0))
        return NULL;
    for (unsigned shift = BITS * node->level; shift > 0; shift -= BITS) {
        unsigned slot = (unsigned)(key >> shift) & (FANOUT - 1);
        if (!has(node, slot))
            return NULL;
        node = child(node, rank(node, slot));
    }
    unsigned slot = slot_of(key, 0);
    return has(node, slot) ? value_at(node, slot, type) : NULL;
}

const void *cursor_get(struct map_cursor *cursor, uint64_t age, const struct fh_map *map,
                       const struct fh_map_type *type, uint64_t key)
{
    struct fh_map_node *node = map->root;
    if (__builtin_expect(!node || !covers(node->level, key), 0))
        return fh_map_fallback(map, type);
    bool is_shared = refs_shared(&node->references) || known_classes(node);
    for (unsigned shift = BITS * node->level; shift > 0; shift -= BITS) {
        const unsigned slot = (unsigned)(key >> shift) & (FANOUT - 1);
        if (!has(node, slot))
            return fh_map_fallback(map, type);
        node = child(node, rank(node, slot));
        is_shared |= refs_shared(&node->references) || known_classes(node);
    }
    *cursor = (struct map_cursor){node, key >> BITS, age, !is_shared};
    const unsigned slot = slot_of(key, 0);
    return has(node, slot) ? value_at(node, slot, type) : fh_map_fallback(map, type);
}

unsigned count_lower(uint64_t mask, unsigned slot)
{
    const uint64_t lower = mask & (((uint64_t)1 << slot) - 1);
    /* Of a leaf that is only begun one look is enough: a trap that is tried looks four times. */
    return (lower & (lower - 1)) == 0 ? lower != 0 : popcount(lower);
}

const void *fh_map_find(const struct fh_map *map, const struct fh_map_type *type, uint64_t key)
{
    return find(map, type, key);
}

const void *fh_map_get(const struct fh_map *map, const struct fh_map_type *type, uint64_t key)
{
    const void *entry = find(map, type, key);
    return entry ? entry : fh_map_fallback(map, type);
}

/* The first entry of `node` with a key >= *key; `prefix` holds the bits above the node's level. */
static const void *next_in(const struct fh_map_node *node, const struct fh_map_type *type,
                           uint64_t prefix, uint64_t *key)
{
    unsigned level = node->level;
    uint64_t start = *key > prefix ? *key : prefix;
    for (unsigned slot = slot_of(start, level); slot < FANOUT; slot++) {
        if (!(node->mask >> slot))
            return NULL;
        if (!has(node, slot))
            continue;
        uint64_t first = prefix | (uint64_t)slot << (BITS * level);
        if (level == 0) {
            *key = first;
            return value_at(node, slot, type);
        }
        const void *found = next_in(child(node, rank(node, slot)), type, first, key);
        if (found)
            return found;
        *key = first; /* the slots that follow begin above the wanted key */
    }
    return NULL;
}

const void *fh_map_next(const struct fh_map *map, const struct fh_map_type *type, uint64_t *key)
{
    if (!map->root || !covers(map->root->level, *key))
        return NULL;
    return next_in(map->root, type, 0, key);
}

struct search {
    const struct map_picker *picker;
    uint64_t wanted, first, last;
    uint16_t class; /* of what is wanted */
};

/* The slots of a leaf that are picked. */
static uint64_t picked_slots(const struct search *search, const struct fh_map_node *leaf)
{
    const unsigned count = popcount(leaf->mask);
    uint64_t picked = search->picker->pick(const_payload(leaf), count, search->wanted);
    if (count == FANOUT)
        return picked;
    uint64_t slots = 0, mask = leaf->mask;
    for (; picked != 0; mask &= mask - 1, picked >>= 1)
        slots |= picked & 1 ? mask & (~mask + 1) : 0;
    return slots;
}

/* The classes below a node, looked for and known from now on. */
static uint16_t find_classes(const struct map_picker *picker, struct fh_map_node *node)
{
    const unsigned count = popcount(node->mask);
    uint16_t classes = 0;
    if (node->level == 0)
        classes = picker->classes(const_payload(node), count);
    for (unsigned i = 0; node->level > 0 && i < count; i++) {
        const uint16_t known = known_classes(child(node, i));
        classes |= known != 0 ? known : find_classes(picker, child(node, i));
    }
    __atomic_store_n(&node->classes, classes, __ATOMIC_RELAXED);
    return classes;
}

/* Is it known that nothing below has the class that is looked for? Without a call for each node. */
static inline bool is_known_to_lack(const struct search *search, const struct fh_map_node *node)
{
    const uint16_t classes = known_classes(node);
    return classes != 0 && !(classes & search->class);
}

/* In `node`, whose keys have this prefix. */
static bool next_picked_in(const struct search *search, struct fh_map_node *node, uint64_t prefix,
                           uint64_t *key)
{
    const unsigned level = node->level;
    const uint64_t first = search->first > prefix ? search->first : prefix;
    const uint64_t end = prefix + (((uint64_t)1 << (BITS * level) << BITS) - 1);
    const bool is_whole = first == prefix && end <= search->last;
    if (is_whole && known_classes(node) == 0)
        find_classes(search->picker, node);
    if (is_known_to_lack(search, node))
        return false;
    uint64_t slots = level == 0 ? picked_slots(search, node) : node->mask;
    for (slots &= UINT64_MAX << slot_of(first, level); slots != 0; slots &= slots - 1) {
        const unsigned slot = (unsigned)__builtin_ctzll(slots);
        *key = prefix | (uint64_t)slot << (BITS * level);
        if (*key > search->last)
            return false;
        if (level == 0)
            return true;
        struct fh_map_node *below = child(node, rank(node, slot));
        if (!is_known_to_lack(search, below) && next_picked_in(search, below, *key, key))
            return true;
    }
    return false;
}

bool map_next_picked(const struct fh_map *map, const struct map_picker *picker, uint64_t wanted,
                     uint64_t last, uint64_t *key)
{
    const struct search search = {picker, wanted, *key, last, map_class(wanted)};
    return map->root && covers(map->root->level, *key) &&
           next_picked_in(&search, map->root, 0, key);
}

static uint64_t count_in(const struct fh_map_node *node)
{
    unsigned count = popcount(node->mask);
    if (node->level == 0)
        return count;
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += count_in(child(node, i));
    return sum;
}

uint64_t fh_map_count(const struct fh_map *map)
{
    return map->root ? count_in(map->root) : 0;
}

static uint64_t bytes_in(const struct fh_map_node *node, const struct fh_map_type *type)
{
    uint64_t sum = node_size(node, type);
    if (node->level > 0) {
        unsigned count = popcount(node->mask);
        for (unsigned i = 0; i < count; i++)
            sum += bytes_in(child(node, i), type);
    }
    return sum;
}

uint64_t fh_map_bytes(const struct fh_map *map, const struct fh_map_type *type)
{
    return map->root ? bytes_in(map->root, type) : 0;
}

/* Put roots on top until the tree covers `key`. */
static bool grow(struct fh_map *map, const struct fh_map_type *type,
                 const struct fh_allocator *allocator, uint64_t key)
{
    if (!map->root) {
        unsigned level = 0;
        while (!covers(level, key))
            level++;
        map->root = new_node(level, 1, type, allocator);
        return map->root != NULL;
    }
    while (!covers(map->root->level, key)) {
        struct fh_map_node *top = new_node(map->root->level + 1u, 1, type, allocator);
        if (!top)
            return false;
        top->mask = 1;
        children(top)[0] = map->root;
        map->root = top;
    }
    return true;
}

static void *map_edit_in_leaf(struct fh_map *map, const struct fh_map_type *type,
                              const struct fh_allocator *allocator, uint64_t key, bool *existed,
                              struct fh_map_node **leaf)
{
    if (!grow(map, type, allocator, key))
        return NULL;
    struct fh_map_node **place = &map->root;
    for (;;) {
        struct fh_map_node *node = *place;
        unsigned slot = slot_of(key, node->level);
        bool present = has(node, slot);
        const bool fits = present && !refs_shared(&node->references);
        if (!fits && !own_node(place, popcount(node->mask) + !present, type, allocator))
            return NULL;
        node = *place;
        node->classes = 0;
        if (node->level == 0) {
            *existed = present;
            *leaf = node;
            if (present)
                return payload(node) + (size_t)rank(node, slot) * type->value_size;
            char *value = open_slot(node, slot, type);
            memcpy(value, fh_map_fallback(map, type), type->value_size);
            if (type->retain)
                type->retain(type, value);
            return value;
        }
        if (!present) {
            struct fh_map_node *below = new_node(node->level - 1u, 1, type, allocator);
            if (!below)
                return NULL;
            memcpy(open_slot(node, slot, type), &below, sizeof below);
        }
        place = &children(node)[rank(node, slot)];
    }
}

void *cursor_edit_entry(struct map_cursor *cursor, uint64_t age, struct fh_map *map,
                        const struct fh_map_type *type, const struct fh_allocator *allocator,
                        uint64_t key, bool *existed)
{
    struct fh_map_node *leaf = cursor->leaf;
    void *value;
    const bool has_room = cursor_holds(cursor, age, key) && cursor->is_own &&
                          !has(leaf, slot_of(key, 0)) && popcount(leaf->mask) < leaf->capacity;
    if (has_room && !type->retain) {
        *existed = false;
        value = open_slot(leaf, slot_of(key, 0), type);
        memcpy(value, fh_map_fallback(map, type), type->value_size);
        return value;
    }
    value = map_edit_in_leaf(map, type, allocator, key, existed, &leaf);
    if (value)
        *cursor = (struct map_cursor){leaf, key >> BITS, age, true};
    else
        cursor->age = 0; /* nodes may have moved before memory ran out */
    return value;
}

void *fh_map_edit(struct fh_map *map, const struct fh_map_type *type,
                  const struct fh_allocator *allocator, uint64_t key, bool *existed)
{
    struct fh_map_node *leaf;
    return map_edit_in_leaf(map, type, allocator, key, existed, &leaf);
}

/*
 * What is shared is copied on the way, but only if there is an entry at all: that is looked up when
 * the first shared node is met, and not before.
 */
bool fh_map_remove(struct fh_map *map, const struct fh_map_type *type,
                   const struct fh_allocator *allocator, uint64_t key)
{
    struct fh_map_node **place = &map->root;
    bool is_there = false;
    if (!map->root || !covers(map->root->level, key))
        return true;
    for (;;) {
        if (refs_shared(&(*place)->references)) {
            is_there = is_there || find(map, type, key);
            if (!is_there)
                return true;
            if (!own_node(place, 0, type, allocator))
                return false;
        }
        struct fh_map_node *node = *place;
        unsigned slot = slot_of(key, node->level);
        if (!has(node, slot))
            return true;
        if (node->level > 0) {
            place = &children(node)[rank(node, slot)];
            continue;
        }
        char *value = payload(node) + (size_t)rank(node, slot) * type->value_size;
        if (type->release)
            type->release(type, allocator, value);
        const uint64_t behind = node->mask >> slot >> 1;
        if (behind != 0)
            memmove(value, value + type->value_size, popcount(behind) * type->value_size);
        node->mask &= ~((uint64_t)1 << slot);
        return true;
    }
}

/* Subtrees of each level whose values are all the same, made when first needed. */
struct uniform {
    const struct fh_map_type *type;
    const struct fh_allocator *allocator;
    const void *value;
    struct fh_map_node *trees[MAX_LEVEL + 1];
};

static struct fh_map_node *uniform_tree(struct uniform *uniform, unsigned level)
{
    const struct fh_map_type *type = uniform->type;
    if (uniform->trees[level])
        return uniform->trees[level];
    struct fh_map_node *below = level > 0 ? uniform_tree(uniform, level - 1) : NULL;
    if (level > 0 && !below)
        return NULL;
    struct fh_map_node *tree = new_node(level, FANOUT, type, uniform->allocator);
    if (!tree)
        return NULL;
    tree->mask = UINT64_MAX;
    for (unsigned i = 0; i < FANOUT; i++) {
        if (level > 0) {
            children(tree)[i] = below;
            refs_retain(&below->references);
            continue;
        }
        char *value = payload(tree) + (size_t)i * type->value_size;
        memcpy(value, uniform->value, type->value_size);
        if (type->retain)
            type->retain(type, value);
    }
    uniform->trees[level] = tree;
    return tree;
}

/* The child at `slot` of a node that is made the writer's own, put there if there was none. */
static struct fh_map_node **child_place(struct uniform *uniform, struct fh_map_node **place,
                                        unsigned slot)
{
    struct fh_map_node *node = *place;
    bool present = has(node, slot);
    if (!own_node(place, popcount(node->mask) + !present, uniform->type, uniform->allocator))
        return NULL;
    node = *place;
    node->classes = 0;
    if (!present) {
        struct fh_map_node *below =
            new_node(node->level - 1u, 1, uniform->type, uniform->allocator);
        if (!below)
            return NULL;
        memcpy(open_slot(node, slot, uniform->type), &below, sizeof below);
    }
    return &children(node)[rank(node, slot)];
}

static bool fill_leaf(struct uniform *uniform, struct fh_map_node **place, unsigned from,
                      unsigned to)
{
    const struct fh_map_type *type = uniform->type;
    if (!own_node(place, FANOUT, type, uniform->allocator))
        return false;
    (*place)->classes = 0;
    for (unsigned slot = from; slot <= to; slot++) {
        bool present = has(*place, slot);
        char *value = present ? payload(*place) + (size_t)rank(*place, slot) * type->value_size
                              : open_slot(*place, slot, type);
        if (present && type->release)
            type->release(type, uniform->allocator, value);
        memcpy(value, uniform->value, type->value_size);
        if (type->retain)
            type->retain(type, value);
    }
    return true;
}

/* Fill keys first..last, which lie in the range of *place, whose keys have this prefix. */
static bool fill_node(struct uniform *uniform, struct fh_map_node **place, uint64_t prefix,
                      uint64_t first, uint64_t last)
{
    unsigned level = (*place)->level;
    unsigned from = slot_of(first, level), to = slot_of(last, level);
    if (level == 0)
        return fill_leaf(uniform, place, from, to);
    uint64_t span = (uint64_t)1 << (BITS * level);
    for (unsigned slot = from; slot <= to; slot++) {
        uint64_t low = prefix | (uint64_t)slot * span, high = low + (span - 1);
        struct fh_map_node **below = child_place(uniform, place, slot);
        if (!below)
            return false;
        if (first <= low && high <= last) {
            struct fh_map_node *tree = uniform_tree(uniform, level - 1);
            if (!tree)
                return false;
            refs_retain(&tree->references);
            release_node(*below, uniform->type, uniform->allocator);
            *below = tree;
        } else if (!fill_node(uniform, below, low, first > low ? first : low,
                              last < high ? last : high)) {
            return false;
        }
    }
    return true;
}

bool fh_map_fill(struct fh_map *map, const struct fh_map_type *type,
                 const struct fh_allocator *allocator, uint64_t first, uint64_t last,
                 const void *value)
{
    struct uniform uniform = {.type = type, .allocator = allocator, .value = value};
    bool filled =
        grow(map, type, allocator, last) && fill_node(&uniform, &map->root, 0, first, last);
    for (unsigned level = 0; level <= MAX_LEVEL; level++) {
        if (uniform.trees[level])
            release_node(uniform.trees[level], type, allocator);
    }
    return filled;
}

static void release_default(struct fh_map_default *fallback, const struct fh_map_type *type,
                            const struct fh_allocator *allocator)
{
    if (!refs_release(&fallback->references))
        return;
    if (type->release)
        type->release(type, allocator, fallback->value);
    allocator->free(allocator->context, fallback, sizeof *fallback);
}

bool fh_map_reset(struct fh_map *map, const struct fh_map_type *type,
                  const struct fh_allocator *allocator, const void *fallback)
{
    struct fh_map_default *own = NULL;
    if (fallback) {
        own = allocator->alloc(allocator->context, sizeof *own);
        if (!own)
            return false;
        refs_init(&own->references);
        memcpy(own->value, fallback, type->value_size);
        if (type->retain)
            type->retain(type, own->value);
    }
    fh_map_release(map, type, allocator);
    map->fallback = own;
    return true;
}

void fh_map_retain(const struct fh_map *map)
{
    if (map->root)
        refs_retain(&map->root->references);
    if (map->fallback)
        refs_retain(&map->fallback->references);
}

void fh_map_release(struct fh_map *map, const struct fh_map_type *type,
                    const struct fh_allocator *allocator)
{
    if (map->root)
        release_node(map->root, type, allocator);
    if (map->fallback)
        release_default(map->fallback, type, allocator);
    map->root = NULL;
    map->fallback = NULL;
}

struct diff {
    const struct fh_map_type *type;
    fh_map_visit *visit;
    void *context;
};

/* Either node may be NULL (no entries in this range); both stand at `level`. */
static bool diff_nodes(const struct diff *diff, const struct fh_map_node *a,
                       const struct fh_map_node *b, unsigned level, uint64_t prefix)
{
    if (a == b)
        return true;
    uint64_t mask = (a ? a->mask : 0) | (b ? b->mask : 0);
    for (; mask; mask &= mask - 1) {
        unsigned slot = (unsigned)__builtin_ctzll(mask);
        uint64_t key = prefix | (uint64_t)slot << (BITS * level);
        bool in_a = a && has(a, slot), in_b = b && has(b, slot);
        bool go_on;
        if (level == 0)
            go_on = diff->visit(diff->context, key, in_a ? value_at(a, slot, diff->type) : NULL,
                                in_b ? value_at(b, slot, diff->type) : NULL);
        else
            go_on = diff_nodes(diff, in_a ? child(a, rank(a, slot)) : NULL,
                               in_b ? child(b, rank(b, slot)) : NULL, level - 1, key);
        if (!go_on)
            return false;
    }
    return true;
}

/* `tall` stands higher than `low`, whose whole range lies below slot 0 of `tall`. */
static bool diff_heights(const struct diff *diff, const struct fh_map_node *tall,
                         const struct fh_map_node *low, bool low_is_b)
{
    if (!low || tall->level == low->level)
        return low_is_b ? diff_nodes(diff, tall, low, tall->level, 0)
                        : diff_nodes(diff, low, tall, tall->level, 0);
    if (has(tall, 0)) {
        if (!diff_heights(diff, child(tall, 0), low, low_is_b))
            return false;
    } else if (!diff_nodes(diff, low_is_b ? NULL : low, low_is_b ? low : NULL, low->level, 0)) {
        return false;
    }
    for (unsigned slot = 1; slot < FANOUT; slot++) {
        if (!has(tall, slot))
            continue;
        const struct fh_map_node *node = child(tall, rank(tall, slot));
        uint64_t prefix = (uint64_t)slot << (BITS * tall->level);
        if (!diff_nodes(diff, low_is_b ? node : NULL, low_is_b ? NULL : node, node->level, prefix))
            return false;
    }
    return true;
}

bool fh_map_diff(const struct fh_map *a, const struct fh_map *b, const struct fh_map_type *type,
                 fh_map_visit *visit, void *context)
{
    const struct diff diff = {type, visit, context};
    const struct fh_map_node *x = a->root, *y = b->root;
    if (x == y)
        return true;
    if (!x || (y && y->level > x->level))
        return diff_heights(&diff, y, x, false);
    return diff_heights(&diff, x, y, true);
}
