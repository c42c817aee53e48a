/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_NODE_H
#define SIM_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What a JSON or YAML document says, as a tree that remembers where each part stood. All readers
 * make such trees, everything else works on them.
 *
 * Numbers are exact: a non-negative integer up to 2^64-1 or a negative one down to -2^63 in
 * `number`; anything wider has `wide` set and only its text. JSON strings and YAML scalars that are
 * not plain numbers are NODE_STRING; whether a string like "0x1000" or "4K" is a number is for
 * whoever wants one to say.
 */
enum node_kind { NODE_NULL, NODE_BOOL, NODE_NUMBER, NODE_STRING, NODE_LIST, NODE_MAP };

struct node_turn;

struct node {
    enum node_kind kind;
    bool boolean;
    bool negative; /* NUMBER: -number, two's complement in `number` */
    bool wide;     /* NUMBER: does not fit; see text */
    bool quoted;   /* STRING: was written in quotes (YAML) */
    unsigned line; /* from 1 */
    unsigned column;
    uint64_t number;
    const char *text;       /* STRING, NUMBER: terminated */
    size_t length;          /* of text */
    size_t count;           /* LIST, MAP: members */
    struct node *items;     /* LIST: members; MAP: values */
    struct node *keys;      /* MAP: keys, NODE_STRING */
    struct node_turn *turn; /* LIST: makes the members, which are not in `items`; see node_member */
};

/* Makes the members of a long list one after the other: each from 0 on, until the next is asked
 * for. */
struct node_turn {
    const struct node *(*next)(struct node_turn *turn, size_t i);
};

/*
 * The i-th member of a LIST, or value of a MAP. A list with a `turn`, which has lists and maps
 * alone, is for who asked its reader for one, and gives its members in order.
 */
static inline const struct node *node_member(const struct node *node, size_t i)
{
    return node->turn ? node->turn->next(node->turn, i) : &node->items[i];
}

/* Memory for the nodes of one document, freed or reused as a whole. */
struct arena;
struct arena *arena_new(void);
void arena_reset(struct arena *arena);
void arena_free(struct arena *arena);
/* Zeroed memory for anything; ends the program with status 2 when there is none. */
void *arena_alloc(struct arena *arena, size_t size);
char *arena_strdup(struct arena *arena, const char *text, size_t length);

/* The value of a MAP at `key`; NULL if there is none, or if this is no map. */
const struct node *node_get(const struct node *map, const char *key);

/* The index of `key` in a MAP, or -1. */
long node_index(const struct node *map, const char *key);

/* A key of a MAP that an earlier one is, too: readers differ in which of the two they believe. */
const struct node *node_repeated_key(const struct node *map);

bool node_is(const struct node *node, const char *text);

/* "a list", "the number 17", "the text \"abc\"": for messages. Written into buffer. */
const char *node_describe(const struct node *node, char *buffer, size_t size);

#ifdef __cplusplus
}
#endif

#endif
