/* SPDX-License-Identifier: GPL-2.0-only */
#include "patch/paths.h"

#include <string.h>

static bool has_paths(const struct node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == NODE_MAP &&
            (memchr(node->keys[i].text, '.', node->keys[i].length) || has_paths(&node->items[i])))
            return true;
    }
    return false;
}

static struct node new_map(const struct node *at)
{
    return (struct node){.kind = NODE_MAP, .line = at->line, .column = at->column};
}

/* Looking for a member takes time with their number, and nobody writes that many paths. */
enum { MEMBERS_MAX = 1 << 14 };

/* Room for one more member: maps have room for a power of two. */
static void make_room(struct arena *arena, struct node *map)
{
    const size_t count = map->count;
    if ((count & (count - 1)) != 0)
        return;
    const size_t room = count > 0 ? 2 * count : 1;
    struct node *keys = arena_alloc(arena, room * sizeof *keys);
    struct node *items = arena_alloc(arena, room * sizeof *items);
    if (count > 0) {
        memcpy(keys, map->keys, count * sizeof *keys);
        memcpy(items, map->items, count * sizeof *items);
    }
    map->keys = keys;
    map->items = items;
}

/* The member of this name, which is added if it is not there; NULL: there are too many. */
static struct node *member(struct reader *reader, struct node *map, const struct node *key,
                           const char *name, size_t length)
{
    for (size_t i = map->count; i-- > 0;) {
        if (map->keys[i].length == length && memcmp(map->keys[i].text, name, length) == 0)
            return &map->items[i];
    }
    if (map->count == MEMBERS_MAX)
        return NULL;
    make_room(reader->arena, map);
    struct node copy = *key;
    copy.text = arena_strdup(reader->arena, name, length);
    copy.length = length;
    map->keys[map->count] = copy;
    map->items[map->count] = (struct node){.kind = NODE_NULL};
    return &map->items[map->count++];
}

static bool merge(struct reader *reader, struct node *into, const struct node *from);

/* The value of a key, or of what is left of its path. */
static bool put(struct reader *reader, struct node *map, const struct node *key, const char *path,
                const struct node *value)
{
    const size_t length = strcspn(path, ".");
    const bool is_last = !path[length];
    if (length == 0 || (!is_last && !path[length + 1]))
        return reader_error(reader, key, "a part of the path '%.60s' is empty", key->text);
    struct node *place = member(reader, map, key, path, length);
    if (!place)
        return reader_error(reader, key, "more than %d parts beside one another", (int)MEMBERS_MAX);
    const bool is_new = place->kind == NODE_NULL && place->line == 0;
    const bool becomes_map = !is_last || value->kind == NODE_MAP;
    if (!is_new && (!becomes_map || place->kind != NODE_MAP))
        return reader_error(reader, key, "'%.60s' is said twice", key->text);
    if (!becomes_map) {
        *place = *value;
        return true;
    }
    if (is_new)
        *place = new_map(is_last ? value : key);
    return is_last ? merge(reader, place, value)
                   : put(reader, place, key, path + length + 1, value);
}

static bool merge(struct reader *reader, struct node *into, const struct node *from)
{
    for (size_t i = 0; i < from->count; i++) {
        if (!put(reader, into, &from->keys[i], from->keys[i].text, &from->items[i]))
            return false;
    }
    return true;
}

const struct node *paths_expand(struct reader *reader, const struct node *patch)
{
    if (patch->kind != NODE_MAP || !has_paths(patch))
        return patch;
    struct node *expanded = arena_alloc(reader->arena, sizeof *expanded);
    *expanded = new_map(patch);
    return merge(reader, expanded, patch) ? expanded : NULL;
}
