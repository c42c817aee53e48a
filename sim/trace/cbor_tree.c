/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>

#include "trace/cbor_parts.h"

/* Makes trees of records: what templates say, filled with the record's words and values. */

struct builder {
    struct cbor_reader *reader;
    struct arena *arena;
    struct arena *member; /* where members of a long list are made in turn, or NULL */
    struct cbor_cursor at;
    unsigned depth;
};

static bool refuse(struct builder *builder, const char *what)
{
    return cbor_refuse(builder->reader, 0, "%s", what);
}

static bool take_word(struct builder *builder, uint64_t *word)
{
    if (builder->at.words == builder->at.words_end)
        return refuse(builder, "the record has too few words");
    *word = cbor_load64(builder->at.words);
    builder->at.words += 8;
    return true;
}

/* A number of members, each of which needs at least `size` bytes of what is left. */
static bool take_count(struct builder *builder, size_t left, size_t size, size_t *count)
{
    uint64_t word = 0;
    if (!take_word(builder, &word))
        return false;
    *count = (size_t)word;
    return word <= left / size || refuse(builder, "the record has too few words");
}

static bool take_word_count(struct builder *builder, size_t *count)
{
    return take_count(builder, (size_t)(builder->at.words_end - builder->at.words), 8, count);
}

static bool take_shape_count(struct builder *builder, size_t *count)
{
    return take_count(builder, (size_t)(builder->at.shapes_end - builder->at.shapes), 2, count);
}

__attribute__((format(printf, 4, 0))) static void print_text(struct builder *builder,
                                                             struct node *node, enum node_kind kind,
                                                             const char *format, uint64_t number)
{
    char text[32];
    node->kind = kind;
    node->quoted = kind == NODE_STRING;
    node->length = (size_t)snprintf(text, sizeof text, format, number);
    node->text = arena_strdup(builder->arena, text, node->length);
}

static void set_word(struct builder *builder, struct node *node, uint64_t word)
{
    print_text(builder, node, NODE_STRING, "0x%" PRIx64, word);
}

static void set_number(struct builder *builder, struct node *node, uint64_t word, bool is_signed)
{
    node->negative = is_signed && word >> 63;
    node->number = word;
    print_text(builder, node, NODE_NUMBER, node->negative ? "%" PRId64 : "%" PRIu64, word);
}

static struct node *new_nodes(struct builder *builder, size_t count)
{
    return arena_alloc(builder->arena, count * sizeof(struct node));
}

static bool take_shape(struct builder *builder, struct node *node);

static bool take_words(struct builder *builder, struct node *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t word = 0;
        if (!take_word(builder, &word))
            return false;
        set_word(builder, &items[i], word);
    }
    return true;
}

static bool take_shapes(struct builder *builder, struct node *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!take_shape(builder, &items[i]))
            return false;
    }
    return true;
}

/* --- Long lists ------------------------------------------------------------------------------ */

enum { LONG = 1 << 14 };

struct members {
    struct node_turn turn;
    struct builder begin, at; /* at the first, and at the next member */
};

static const struct node *next_member(struct node_turn *turn, size_t i)
{
    struct members *members = (struct members *)turn;
    if (i == 0)
        members->at = members->begin;
    arena_reset(members->at.arena);
    struct node *node = new_nodes(&members->at, 1);
    return take_shape(&members->at, node) ? node : NULL;
}

/* Go behind the members, all of which are maps and lists; false if not, or on bad input. */
static bool pass_members(struct builder *builder, struct members *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct node *member = next_member(&members->turn, i);
        if (!member || (member->kind != NODE_LIST && member->kind != NODE_MAP))
            return false;
    }
    builder->at = members->at.at;
    return true;
}

/* Have the list, which is long, made in turn; false if that is not wanted, or cannot be. */
static bool take_in_turn(struct builder *builder, struct node *node)
{
    if (!builder->member || builder->depth != 1 || node->count < LONG)
        return false;
    struct members *members = arena_alloc(builder->arena, sizeof *members);
    members->turn.next = next_member;
    members->begin = *builder;
    members->begin.arena = builder->member;
    members->begin.member = NULL;
    if (!pass_members(builder, members, node->count))
        return false;
    node->turn = &members->turn;
    return true;
}

static bool take_list(struct builder *builder, struct node *node, bool of_shapes)
{
    node->kind = NODE_LIST;
    if (!(of_shapes ? take_shape_count : take_word_count)(builder, &node->count))
        return false;
    if (of_shapes && take_in_turn(builder, node))
        return true;
    node->items = new_nodes(builder, node->count);
    return (of_shapes ? take_shapes : take_words)(builder, node->items, node->count);
}

/* A map whose keys are in the words too, all of them before the values. */
static bool take_keyed(struct builder *builder, struct node *node, bool by_number, bool of_shapes)
{
    node->kind = NODE_MAP;
    if (!take_word_count(builder, &node->count))
        return false;
    node->items = new_nodes(builder, node->count);
    node->keys = new_nodes(builder, node->count);
    for (size_t i = 0; i < node->count; i++) {
        uint64_t word = 0;
        if (!take_word(builder, &word))
            return false;
        print_text(builder, &node->keys[i], NODE_STRING, by_number ? "%" PRIu64 : "0x%" PRIx64,
                   word);
    }
    const struct node *repeated = node_repeated_key(node);
    if (repeated)
        return cbor_refuse(builder->reader, 0, "the key '%s' comes twice in its map",
                           repeated->text);
    return (of_shapes ? take_shapes : take_words)(builder, node->items, node->count);
}

static bool take_value(struct builder *builder, struct node *node)
{
    if (builder->at.nvalues == 0)
        return refuse(builder, "the record has too few values");
    builder->at.nvalues--;
    return cbor_take_tree(builder->reader, &builder->at.value, builder->arena, node);
}

static bool take_field(struct builder *builder, const struct cbor_field *field, struct node *node)
{
    uint64_t word = 0;
    switch (field->kind) {
    case CBOR_constant: *node = field->constant; return true;
    case CBOR_word:
        if (!take_word(builder, &word))
            return false;
        set_word(builder, node, word);
        return true;
    case CBOR_int:
    case CBOR_uint:
        if (!take_word(builder, &word))
            return false;
        set_number(builder, node, word, field->kind == CBOR_int);
        return true;
    case CBOR_words: return take_list(builder, node, false);
    case CBOR_shape: return take_shape(builder, node);
    case CBOR_shapes: return take_list(builder, node, true);
    case CBOR_numbered_words: return take_keyed(builder, node, true, false);
    case CBOR_numbered_shapes: return take_keyed(builder, node, true, true);
    case CBOR_addressed_words: return take_keyed(builder, node, false, false);
    case CBOR_addressed_shapes: return take_keyed(builder, node, false, true);
    case CBOR_value: return take_value(builder, node);
    }
    return false;
}

static bool take_fields(struct builder *builder, const struct cbor_template *template,
                        struct node *node)
{
    const bool is_map = template->form == CBOR_FORM_map;
    node->kind = is_map ? NODE_MAP : NODE_LIST;
    node->count = template->count;
    node->keys = is_map ? template->keys : NULL;
    node->items = new_nodes(builder, node->count);
    for (size_t i = 0; i < node->count; i++) {
        if (!take_field(builder, &template->fields[i], &node->items[i]))
            return false;
    }
    return true;
}

static bool take_shape(struct builder *builder, struct node *node)
{
    if (builder->at.shapes == builder->at.shapes_end)
        return refuse(builder, "the record has too few shapes");
    const unsigned number = cbor_load16(builder->at.shapes);
    builder->at.shapes += 2;
    if (number >= builder->reader->ntemplates)
        return refuse(builder, "the record has a shape for which there is no template");
    if (builder->depth >= CBOR_DEPTH_MAX)
        return refuse(builder, "nested too deeply");
    const struct cbor_template *template = builder->reader->templates[number];
    builder->depth++;
    const bool good = template->form == CBOR_FORM_any ? take_value(builder, node)
                                                      : take_fields(builder, template, node);
    builder->depth--;
    return good;
}

const struct node *cbor_tree(struct cbor_reader *reader, struct arena *arena, struct arena *member)
{
    struct builder builder = {reader, arena, member, reader->record, 0};
    struct node *root = arena_alloc(arena, sizeof *root);
    if (!take_shape(&builder, root))
        return NULL;
    if (builder.at.shapes != builder.at.shapes_end || builder.at.words != builder.at.words_end ||
        builder.at.nvalues > 0) {
        refuse(&builder, "the record has more shapes, words or values than it needs");
        return NULL;
    }
    return root;
}
