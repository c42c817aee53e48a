/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/node.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A list of blocks, used one after the other; a reset begins again with the first. */
struct block {
    struct block *next;
    size_t size;
    _Alignas(16) char memory[];
};

struct arena {
    struct block *first;
    struct block *current;
    size_t used; /* of the current block */
};

enum { BLOCK_SIZE = 1 << 16, ALIGNMENT = 16 };

static void *allocate(size_t size)
{
    void *memory = malloc(size);
    if (!memory)
        no_memory();
    return memory;
}

static struct block *new_block(size_t size)
{
    struct block *block = allocate(sizeof *block + size);
    block->next = NULL;
    block->size = size;
    return block;
}

struct arena *arena_new(void)
{
    struct arena *arena = allocate(sizeof *arena);
    arena->first = arena->current = new_block(BLOCK_SIZE);
    arena->used = 0;
    return arena;
}

void arena_reset(struct arena *arena)
{
    arena->current = arena->first;
    arena->used = 0;
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    for (struct block *block = arena->first, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

static void next_block(struct arena *arena, size_t size)
{
    struct block *block = arena->current;
    while (block->next && block->next->size < size)
        block = block->next;
    if (!block->next)
        block->next = new_block(size > BLOCK_SIZE ? size : BLOCK_SIZE);
    arena->current = block->next;
    arena->used = 0;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (size > arena->current->size - arena->used)
        next_block(arena, size);
    void *memory = arena->current->memory + arena->used;
    arena->used += size;
    return memset(memory, 0, size);
}

char *arena_strdup(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);
    memcpy(copy, text, length);
    return copy;
}

long node_index(const struct node *map, const char *key)
{
    if (!map || map->kind != NODE_MAP)
        return -1;
    size_t length = strlen(key);
    for (size_t i = 0; i < map->count; i++) {
        if (map->keys[i].length == length && memcmp(map->keys[i].text, key, length) == 0)
            return (long)i;
    }
    return -1;
}

const struct node *node_get(const struct node *map, const char *key)
{
    long index = node_index(map, key);
    return index < 0 ? NULL : &map->items[index];
}

static bool same_key(const struct node *a, const struct node *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

/* By text, the same ones in their order in the map. */
static int compare_keys(const void *a, const void *b)
{
    const struct node *x = *(const struct node *const *)a, *y = *(const struct node *const *)b;
    const int order = memcmp(x->text, y->text, x->length < y->length ? x->length : y->length);
    if (order != 0)
        return order;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return x < y ? -1 : x > y;
}

static const struct node *repeated_of_many(const struct node *map)
{
    const struct node *repeated = NULL;
    const struct node **sorted = allocate(map->count * sizeof *sorted);
    for (size_t i = 0; i < map->count; i++)
        sorted[i] = &map->keys[i];
    qsort(sorted, map->count, sizeof *sorted, compare_keys);
    for (size_t i = 1; i < map->count && !repeated; i++)
        repeated = same_key(sorted[i - 1], sorted[i]) ? sorted[i] : NULL;
    free(sorted);
    return repeated;
}

const struct node *node_repeated_key(const struct node *map)
{
    enum { FEW = 16 }; /* most maps: to compare all pairs costs less than to sort */
    if (map->count > FEW)
        return repeated_of_many(map);
    for (size_t i = 1; i < map->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (same_key(&map->keys[i], &map->keys[j]))
                return &map->keys[i];
        }
    }
    return NULL;
}

bool node_is(const struct node *node, const char *text)
{
    return node && node->kind == NODE_STRING && strcmp(node->text, text) == 0;
}

const char *node_describe(const struct node *node, char *buffer, size_t size)
{
    switch (node->kind) {
    case NODE_NULL: snprintf(buffer, size, "null"); break;
    case NODE_BOOL: snprintf(buffer, size, "%s", node->boolean ? "true" : "false"); break;
    case NODE_NUMBER: snprintf(buffer, size, "the number %.40s", node->text); break;
    case NODE_STRING: snprintf(buffer, size, "the text \"%.40s\"", node->text); break;
    case NODE_LIST: snprintf(buffer, size, "a list"); break;
    case NODE_MAP: snprintf(buffer, size, "a map"); break;
    }
    return buffer;
}
