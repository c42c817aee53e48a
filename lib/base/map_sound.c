/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/map_sound.h"

/* Keys have 64 bits, of which 6 are used up at each level: 4 are left for a root of level 10. */
enum { KEY_BITS = 64, TOP_SLOTS = 1 << (KEY_BITS - BITS * MAX_LEVEL) };

static struct fh_map_node *child_at(const struct fh_map_node *node, unsigned index)
{
    return ((struct fh_map_node *const *)(const void *)(node + 1))[index];
}

/* A node by itself. */
static const char *unsound_node(const struct fh_map_node *node, unsigned level)
{
    if (node->level != level)
        return "[M-LEVEL-1] a child is one level below its parent";
    if (level > MAX_LEVEL)
        return "[M-LEVEL-2] the root is of level 10 at most, where keys end";
    if (refs_count(&node->references) == 0)
        return "[M-REF-1] a node in a tree has an owner";
    if (node->capacity == 0 || node->capacity > FANOUT)
        return "[M-CAP-1] a node has room for 1 to 64 slots";
    if (popcount(node->mask) > node->capacity)
        return "[M-CAP-2] a node has room for the slots that its mask says are present";
    if (level == MAX_LEVEL && node->mask >> TOP_SLOTS != 0)
        return "[M-KEY-1] a key has no more than 64 bits";
    return NULL;
}

static const char *unsound_tree(const struct fh_map_node *node, unsigned level)
{
    const char *broken = unsound_node(node, level);
    const unsigned count = popcount(node->mask);
    for (unsigned i = 0; !broken && level > 0 && i < count; i++) {
        const struct fh_map_node *child = child_at(node, i);
        broken = child ? unsound_tree(child, level - 1)
                       : "[M-CHILD-1] a slot that is present has a child";
    }
    return broken;
}

const char *map_unsound(const struct fh_map *map)
{
    return map->root ? unsound_tree(map->root, map->root->level) : NULL;
}

/* The classes below, looked at anew; *rightly becomes false where a node knows less. */
static uint16_t classes_of(const struct fh_map_node *node, const struct map_picker *picker,
                           bool *rightly)
{
    const unsigned count = popcount(node->mask);
    const uint16_t known = known_classes(node);
    uint16_t classes = 0;
    if (node->level == 0)
        classes = picker->classes(node + 1, count);
    for (unsigned i = 0; node->level > 0 && i < count; i++)
        classes |= classes_of(child_at(node, i), picker, rightly);
    *rightly = *rightly && (known == 0 || (classes & ~known) == 0);
    return classes;
}

bool map_knows_classes(const struct fh_map *map, const struct map_picker *picker)
{
    bool rightly = true;
    if (map->root)
        classes_of(map->root, picker, &rightly);
    return rightly;
}

struct fh_map_node *map_leaf(const struct fh_map *map, uint64_t prefix, bool *is_own)
{
    struct fh_map_node *node = map->root;
    *is_own = true;
    if (!node || (node->level < MAX_LEVEL && prefix >> (BITS * node->level) != 0))
        return NULL;
    while (node) {
        *is_own &= !refs_shared(&node->references) && !known_classes(node);
        if (node->level == 0)
            return node;
        const unsigned slot = (unsigned)(prefix >> (BITS * (node->level - 1))) & (FANOUT - 1);
        if (!has(node, slot))
            return NULL;
        node = child_at(node, rank(node, slot));
    }
    return NULL;
}
