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
