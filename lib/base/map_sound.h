/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_BASE_MAP_SOUND_H
#define FH_BASE_MAP_SOUND_H

#include "base/map_node.h"

/*
 * Does the tree of this map keep the invariants of map_node.h? NULL, or the first that is broken,
 * as a sentence behind its label: "[M-LEVEL-1] a child is one level below its parent". Values are
 * not looked at. Walks all nodes.
 */
const char *map_unsound(const struct fh_map *map);

static inline bool map_is_sound(const struct fh_map *map)
{
    return map_unsound(map) == NULL;
}

/* Does each node that knows which classes are below know all that are? */
bool map_knows_classes(const struct fh_map *map, const struct map_picker *picker);

/* The leaf for keys with this prefix (key >> BITS), or NULL; is the way to it the map's alone? */
struct fh_map_node *map_leaf(const struct fh_map *map, uint64_t prefix, bool *is_own);

#endif
