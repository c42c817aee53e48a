/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/json_long.h"

#include <stdlib.h>
#include <string.h>

/* A list is long from this many bytes on; what is nested deeper is left to who reads it whole. */
enum { LONG = 1 << 20, DEPTH_MAX = 32 };

/* --- Brackets -------------------------------------------------------------------------------- */

/* Behind the string that begins at `at`. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        at += *at == '\\';
    return at < end ? at + 1 : end;
}

/* Behind the list or map that begins at `at`; NULL if it does not end, or is nested too deeply. */
static const char *skip_nested(const char *at, const char *end)
{
    unsigned depth = 0;
    while (at < end) {
        const char c = *at;
        if (c == '"') {
            at = skip_string(at, end);
            continue;
        }
        at++;
        if ((c == '{' || c == '[') && ++depth > DEPTH_MAX)
            return NULL;
        if ((c == '}' || c == ']') && --depth == 0)
            return at;
    }
    return NULL;
}

/* The first long list that is a value of the map. */
static bool find_list(const char *text, const char *end, struct json_long *found)
{
    for (const char *at = text + 1; at < end; at++) {
        if (*at == '"')
            at = skip_string(at, end) - 1;
        if (*at == ':')
            found->colon = at;
        if (*at != '[' && *at != '{')
            continue;
        const char *behind = skip_nested(at, end);
        if (!behind)
            return false;
        found->begin = at + 1;
        found->end = behind - 1;
        if (*at == '[' && behind - at >= LONG)
            return found->colon;
        at = behind - 1;
    }
    return false;
}

bool json_find_long(const char *text, size_t length, struct json_long *found)
{
    *found = (struct json_long){NULL, NULL, NULL, NULL, 0};
    if (length < LONG || text[0] != '{' || !find_list(text, text + length, found))
        return false;
    const size_t head = (size_t)(found->begin - text);
    const size_t tail = length - (size_t)(found->end - text);
    found->rest_length = head + tail;
    found->rest = calloc(head + tail + json_padding(), 1);
    if (!found->rest)
        no_memory();
    memcpy(found->rest, text, head);
    memcpy(found->rest + head, found->end, tail);
    return true;
}

const char *json_long_member(const struct json_long *list, const char **at, size_t *length)
{
    const char *const begin = *at;
    const char *end = begin;
    if (begin >= list->end)
        return NULL;
    while (end < list->end && *end != ',') {
        const char *nested = *end == '{' || *end == '[' ? skip_nested(end, list->end) : NULL;
        end = nested ? nested : *end == '"' ? skip_string(end, list->end) : end + 1;
    }
    *length = (size_t)(end - begin);
    *at = end + 1;
    return begin;
}

/* --- Members as trees ------------------------------------------------------------------------ */

struct members {
    struct node_turn turn;
    struct json_reader *reader;
    struct arena *arena;
    struct json_long list;
    const char *at;
    unsigned line;
};

static const struct node *parse_member(struct members *members)
{
    const char *error;
    size_t offset, length;
    const char *text = json_long_member(&members->list, &members->at, &length);
    arena_reset(members->arena);
    return text ? json_parse(members->reader, members->arena, text, length, members->line, &error,
                             &offset)
                : NULL;
}

static const struct node *next_member(struct node_turn *turn, size_t i)
{
    struct members *members = (struct members *)turn;
    if (i == 0)
        members->at = members->list.begin;
    return parse_member(members);
}

/* Are all members maps or lists? Then they are as many. */
static bool count_members(struct members *members, size_t *count)
{
    members->at = members->list.begin;
    for (*count = 0; members->at < members->list.end; ++*count) {
        const struct node *member = parse_member(members);
        if (!member || (member->kind != NODE_LIST && member->kind != NODE_MAP))
            return false;
    }
    return members->at == members->list.end + 1; /* no comma is last */
}

/* Give the list, which is empty in the tree, its members, and what stands behind it its place. */
static void put_members(struct node *root, struct members *members, size_t count, const char *text)
{
    const struct json_long *list = &members->list;
    const unsigned column = (unsigned)(list->begin - text); /* of the bracket, from 1 on */
    for (size_t i = 0; i < root->count; i++) {
        struct node *item = &root->items[i];
        if (item->column == column) {
            item->count = count;
            item->turn = &members->turn;
        }
        if (item->column > column)
            item->column += (unsigned)(list->end - list->begin);
    }
}

static struct node *parse_long(struct members *members, struct arena *arena, const char *text)
{
    size_t count;
    size_t offset;
    const char *error;
    if (!count_members(members, &count))
        return NULL;
    struct node *root = json_parse(members->reader, arena, members->list.rest,
                                   members->list.rest_length, members->line, &error, &offset);
    if (root)
        put_members(root, members, count, text);
    return root;
}

/* What is wrong with a text is found, with its place, where it is read whole. */
struct node *json_parse_in_turn(struct json_reader *reader, struct arena *arena,
                                struct arena *member, const char *text, size_t length,
                                unsigned line, const char **error, size_t *offset)
{
    struct json_long list;
    if (json_find_long(text, length, &list)) {
        struct members *members = arena_alloc(arena, sizeof *members);
        *members = (struct members){
            .turn = {next_member}, .reader = reader, .arena = member, .list = list, .line = line};
        struct node *root = parse_long(members, arena, text);
        free(list.rest);
        if (root)
            return root;
    }
    return json_parse(reader, arena, text, length, line, error, offset);
}
