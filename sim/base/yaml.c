/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/yaml.h"

#include <stdlib.h>
#include <string.h>

#include <yaml.h>

enum { MAX_NESTING = 64 };

/*
 * The members of containers that are not finished yet lie on one stack, those of the innermost on
 * top; a container that ends takes its members off into the arena.
 */
struct loader {
    yaml_parser_t parser;
    struct source *source;
    struct arena *arena;
    struct node *stack;
    size_t used, size;
    unsigned nesting;
};

static bool load_value(struct loader *loader, const yaml_event_t *event);

static unsigned from_one(size_t index)
{
    return (unsigned)index + 1;
}

static bool refuse(struct loader *loader, const yaml_event_t *event, const char *message)
{
    return source_error(loader->source, from_one(event->start_mark.line),
                        from_one(event->start_mark.column), "%s", message);
}

/* A byte that is no UTF-8 has an offset, but no mark. */
static bool report_encoding(struct loader *loader)
{
    const char *text = loader->source->text;
    size_t offset = loader->parser.problem_offset;
    unsigned line = 1, column = 1;
    for (size_t i = 0; i < offset && i < loader->source->length; i++) {
        if (text[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    return source_error(loader->source, line, column, "not UTF-8 text: %s", loader->parser.problem);
}

static bool report_syntax(struct loader *loader)
{
    const yaml_parser_t *parser = &loader->parser;
    if (parser->error == YAML_MEMORY_ERROR)
        return source_error(loader->source, 0, 0, "out of memory");
    if (parser->error == YAML_READER_ERROR)
        return report_encoding(loader);
    return source_error(loader->source, from_one(parser->problem_mark.line),
                        from_one(parser->problem_mark.column), "bad YAML: %s%s%s",
                        parser->context ? parser->context : "", parser->context ? ", " : "",
                        parser->problem ? parser->problem : "unreadable");
}

static bool next(struct loader *loader, yaml_event_t *event)
{
    return yaml_parser_parse(&loader->parser, event) || report_syntax(loader);
}

static struct node *push(struct loader *loader, const yaml_event_t *event)
{
    if (loader->used == loader->size) {
        loader->size = loader->size ? 2 * loader->size : 64;
        loader->stack = realloc(loader->stack, loader->size * sizeof *loader->stack);
        if (!loader->stack)
            no_memory();
    }
    struct node *node = &loader->stack[loader->used++];
    memset(node, 0, sizeof *node);
    node->line = from_one(event->start_mark.line);
    node->column = from_one(event->start_mark.column);
    return node;
}

/* A plain decimal integer: -?(0|[1-9][0-9]*). */
static bool is_decimal(const char *text)
{
    text += *text == '-';
    if (text[0] == '0')
        return text[1] == 0;
    return text[0] != 0 && text[strspn(text, "0123456789")] == 0;
}

static void set_number(struct node *node, const char *text)
{
    node->kind = NODE_NUMBER;
    node->negative = *text == '-';
    uint64_t value = 0;
    for (text += node->negative; *text; text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        node->wide |= value > (UINT64_MAX - digit) / 10;
        value = value * 10 + digit;
    }
    if (node->negative) {
        node->wide |= value > (uint64_t)1 << 63;
        node->negative = value != 0;
        value = 0 - value;
    }
    node->number = value;
}

static void set_plain(struct node *node)
{
    const char *text = node->text;
    if (*text == 0 || strcmp(text, "~") == 0 || strcmp(text, "null") == 0)
        node->kind = NODE_NULL;
    else if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        node->kind = NODE_BOOL;
        node->boolean = *text == 't';
    } else if (is_decimal(text))
        set_number(node, text);
}

static bool load_scalar(struct loader *loader, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    if (memchr(text, 0, length))
        return refuse(loader, event, "a text may not contain a NUL character");
    struct node *node = push(loader, event);
    node->kind = NODE_STRING;
    node->text = arena_strdup(loader->arena, text, length);
    node->length = length;
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (!node->quoted)
        set_plain(node);
    return true;
}

/* Move the members above `base` into the arena: every one for a list, every second for a map. */
static struct node *take(struct loader *loader, size_t base, size_t first, size_t stride)
{
    size_t count = (loader->used - base) / stride;
    struct node *nodes = arena_alloc(loader->arena, (count + 1) * sizeof *nodes);
    for (size_t i = 0; i < count; i++)
        nodes[i] = loader->stack[base + first + i * stride];
    return nodes;
}

static bool load_list(struct loader *loader, size_t base)
{
    for (;;) {
        yaml_event_t event;
        if (!next(loader, &event))
            return false;
        bool ends = event.type == YAML_SEQUENCE_END_EVENT;
        bool fine = ends || load_value(loader, &event);
        yaml_event_delete(&event);
        if (!fine)
            return false;
        if (ends)
            break;
    }
    struct node *list = &loader->stack[base - 1];
    list->kind = NODE_LIST;
    list->count = loader->used - base;
    list->items = take(loader, base, 0, 1);
    loader->used = base;
    return true;
}

static int by_text(const void *a, const void *b)
{
    const struct node *x = *(const struct node *const *)a, *y = *(const struct node *const *)b;
    int order = strcmp(x->text, y->text);
    if (order != 0)
        return order;
    return x->line != y->line ? (x->line > y->line) - (x->line < y->line)
                              : (x->column > y->column) - (x->column < y->column);
}

static bool keys_differ(struct loader *loader, const struct node *map)
{
    if (map->count < 2)
        return true;
    const struct node **keys = malloc(map->count * sizeof *keys);
    if (!keys)
        return source_error(loader->source, 0, 0, "out of memory");
    for (size_t i = 0; i < map->count; i++)
        keys[i] = &map->keys[i];
    qsort(keys, map->count, sizeof *keys, by_text);
    bool differ = true;
    for (size_t i = 1; differ && i < map->count; i++) {
        if (strcmp(keys[i - 1]->text, keys[i]->text) == 0)
            differ = source_error(loader->source, keys[i]->line, keys[i]->column,
                                  "duplicate key '%s', first in line %u", keys[i]->text,
                                  keys[i - 1]->line);
    }
    free(keys);
    return differ;
}

static bool load_key(struct loader *loader, const yaml_event_t *event)
{
    if (event->type != YAML_SCALAR_EVENT)
        return refuse(loader, event, "a key must be a plain word or number");
    if (event->data.scalar.anchor || event->data.scalar.tag)
        return load_value(loader, event);
    if (!load_scalar(loader, event))
        return false;
    loader->stack[loader->used - 1].kind = NODE_STRING;
    return true;
}

static bool load_map(struct loader *loader, size_t base)
{
    for (bool is_key = true;; is_key = !is_key) {
        yaml_event_t event;
        if (!next(loader, &event))
            return false;
        bool ends = event.type == YAML_MAPPING_END_EVENT;
        bool fine = ends || (is_key ? load_key(loader, &event) : load_value(loader, &event));
        yaml_event_delete(&event);
        if (!fine)
            return false;
        if (ends)
            break;
    }
    struct node *map = &loader->stack[base - 1];
    map->kind = NODE_MAP;
    map->count = (loader->used - base) / 2;
    map->keys = take(loader, base, 0, 2);
    map->items = take(loader, base, 1, 2);
    loader->used = base;
    return keys_differ(loader, map);
}

static bool load_container(struct loader *loader, const yaml_event_t *event)
{
    if (loader->nesting == MAX_NESTING)
        return refuse(loader, event, "nested more than 64 levels deep");
    loader->nesting++;
    push(loader, event);
    bool fine = event->type == YAML_SEQUENCE_START_EVENT ? load_list(loader, loader->used)
                                                         : load_map(loader, loader->used);
    loader->nesting--;
    return fine;
}

static bool is_decorated(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT: return event->data.scalar.anchor || event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor || event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor || event->data.mapping_start.tag;
    default: return false;
    }
}

static bool load_value(struct loader *loader, const yaml_event_t *event)
{
    if (event->type == YAML_ALIAS_EVENT)
        return refuse(loader, event, "aliases are not supported: write the value out");
    if (is_decorated(event))
        return refuse(loader, event, "anchors and tags are not supported");
    if (event->type == YAML_SCALAR_EVENT)
        return load_scalar(loader, event);
    return load_container(loader, event);
}

/* The event that must come here, or the end of the stream where there is none. */
static bool skip_to_content(struct loader *loader, yaml_event_t *event)
{
    for (;;) {
        if (!next(loader, event))
            return false;
        if (event->type != YAML_STREAM_START_EVENT && event->type != YAML_DOCUMENT_START_EVENT &&
            event->type != YAML_DOCUMENT_END_EVENT)
            return true;
        yaml_event_delete(event);
    }
}

static bool load_document(struct loader *loader)
{
    yaml_event_t event;
    if (!skip_to_content(loader, &event))
        return false;
    bool fine = event.type == YAML_STREAM_END_EVENT
                    ? source_error(loader->source, 1, 1, "the file is empty")
                    : load_value(loader, &event);
    yaml_event_delete(&event);
    if (!fine || !skip_to_content(loader, &event))
        return false;
    fine = event.type == YAML_STREAM_END_EVENT ||
           refuse(loader, &event, "a second document begins here: one file is one scenario");
    yaml_event_delete(&event);
    return fine;
}

const struct node *yaml_parse(struct source *source, struct arena *arena)
{
    struct loader loader = {.source = source, .arena = arena};
    struct node *root = NULL;
    if (!yaml_parser_initialize(&loader.parser)) {
        source_error(source, 0, 0, "out of memory");
        return NULL;
    }
    yaml_parser_set_encoding(&loader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&loader.parser, (const unsigned char *)source->text,
                                 source->length);
    if (load_document(&loader)) {
        root = arena_alloc(arena, sizeof *root);
        *root = loader.stack[0];
    }
    yaml_parser_delete(&loader.parser);
    free(loader.stack);
    return root;
}
