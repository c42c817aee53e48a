/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/cbor_writer.h"

#include <stdlib.h>
#include <string.h>

#include <cbor.h>

#include "trace/cbor_format.h"

/*
 * Texts are constants of templates until there are CONSTANTS_MAX of them, and shapes get templates
 * until there are TEMPLATES_MAX: both are few in traces, but need not be in every file.
 */
enum {
    CONSTANTS_MAX = 1024,
    TEMPLATES_MAX = 4096,
    SLOTS = 4 * TEMPLATES_MAX,
    CONSTANT_LENGTH = 64,
    LIST_LENGTH = 16,
    MAP_LENGTH = 256,
    HEAD_SIZE = 9, /* of an item */
};

struct buffer {
    unsigned char *data;
    size_t length;
    size_t size;
};

/* A template that was written, as the bytes of its item. */
struct template
{
    unsigned char *data;
    size_t length;
    unsigned number;
};

struct cbor_writer {
    FILE *out;
    struct buffer template; /* being looked up */
    struct buffer shapes;
    struct buffer words;
    struct buffer values;
    size_t nvalues;
    struct template templates[SLOTS]; /* by hash */
    unsigned ntemplates;
};

static void *want_memory(void *memory)
{
    if (memory)
        return memory;
    no_memory();
}

/* --- Items ----------------------------------------------------------------------------------- */

static unsigned char *make_room(struct buffer *buffer, size_t length)
{
    if (buffer->size - buffer->length < length) {
        buffer->size = 2 * (buffer->length + length) + 64;
        buffer->data = want_memory(realloc(buffer->data, buffer->size));
    }
    return buffer->data + buffer->length;
}

static void add_bytes(struct buffer *buffer, const void *data, size_t length)
{
    memcpy(make_room(buffer, length), data, length);
    buffer->length += length;
}

typedef size_t encode_number(uint64_t number, unsigned char *to, size_t size);
typedef size_t encode_length(size_t length, unsigned char *to, size_t size);

static void add_number(struct buffer *buffer, encode_number *encode, uint64_t number)
{
    buffer->length += encode(number, make_room(buffer, HEAD_SIZE), HEAD_SIZE);
}

static void add_head(struct buffer *buffer, encode_length *encode, size_t length)
{
    buffer->length += encode(length, make_room(buffer, HEAD_SIZE), HEAD_SIZE);
}

static void add_text(struct buffer *buffer, const char *text, size_t length)
{
    add_head(buffer, cbor_encode_string_start, length);
    add_bytes(buffer, text, length);
}

static void add_name(struct buffer *buffer, const char *name)
{
    add_text(buffer, name, strlen(name));
}

/* A number that has no word of 64 bits stays what JSON has. */
static void add_json_number(struct buffer *buffer, const struct node *node)
{
    if (node->wide) {
        add_number(buffer, cbor_encode_tag, CBOR_TAG_JSON);
        add_head(buffer, cbor_encode_bytestring_start, node->length);
        add_bytes(buffer, node->text, node->length);
    } else if (node->negative) {
        add_number(buffer, cbor_encode_negint, ~node->number);
    } else {
        add_number(buffer, cbor_encode_uint, node->number);
    }
}

static void add_tree(struct buffer *buffer, const struct node *node)
{
    switch (node->kind) {
    case NODE_NULL: buffer->length += cbor_encode_null(make_room(buffer, 1), 1); return;
    case NODE_BOOL:
        buffer->length += cbor_encode_bool(node->boolean, make_room(buffer, 1), 1);
        return;
    case NODE_NUMBER: add_json_number(buffer, node); return;
    case NODE_STRING: add_text(buffer, node->text, node->length); return;
    case NODE_LIST: add_head(buffer, cbor_encode_array_start, node->count); break;
    case NODE_MAP: add_head(buffer, cbor_encode_map_start, node->count); break;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == NODE_MAP)
            add_text(buffer, node->keys[i].text, node->keys[i].length);
        add_tree(buffer, node_member(node, i));
    }
}

/* --- Kinds of values ------------------------------------------------------------------------- */

/* "0x1f", in the one way in which a word is written. */
static bool parse_word(const struct node *node, uint64_t *word)
{
    const char *text = node->text;
    const size_t length = node->length;
    if (node->kind != NODE_STRING || length < 3 || length > 18 || text[0] != '0' ||
        text[1] != 'x' || (text[2] == '0' && length > 3))
        return false;
    *word = 0;
    for (size_t i = 2; i < length; i++) {
        const char c = text[i];
        const bool is_digit = c >= '0' && c <= '9';
        if (!is_digit && !(c >= 'a' && c <= 'f'))
            return false;
        *word = *word << 4 | (uint64_t)(is_digit ? c - '0' : c - 'a' + 10);
    }
    return true;
}

/* "31" */
static bool parse_number(const struct node *node, uint64_t *number)
{
    *number = 0;
    if (node->length == 0 || node->length > 18 || (node->text[0] == '0' && node->length > 1))
        return false;
    for (size_t i = 0; i < node->length; i++) {
        const char c = node->text[i];
        if (c < '0' || c > '9')
            return false;
        *number = *number * 10 + (uint64_t)(c - '0');
    }
    return true;
}

static bool is_word(const struct node *node)
{
    uint64_t word;
    return parse_word(node, &word);
}

static bool is_number(const struct node *node)
{
    uint64_t number;
    return parse_number(node, &number);
}

static bool is_nested(const struct node *node)
{
    return node->kind == NODE_LIST || node->kind == NODE_MAP;
}

static bool are_all(const struct node *nodes, size_t count, bool (*is_one)(const struct node *))
{
    for (size_t i = 0; i < count; i++) {
        if (!is_one(&nodes[i]))
            return false;
    }
    return true;
}

static enum cbor_kind kind_of_list(const struct node *list)
{
    if (list->turn)
        return CBOR_shapes;
    if (are_all(list->items, list->count, is_word))
        return CBOR_words;
    if (are_all(list->items, list->count, is_nested))
        return CBOR_shapes;
    return list->count <= LIST_LENGTH ? CBOR_shape : CBOR_value;
}

static enum cbor_kind kind_of_map(const struct node *map)
{
    const bool by_number = are_all(map->keys, map->count, is_number);
    if (map->count > 0 && (by_number || are_all(map->keys, map->count, is_word))) {
        if (are_all(map->items, map->count, is_word))
            return by_number ? CBOR_numbered_words : CBOR_addressed_words;
        if (are_all(map->items, map->count, is_nested))
            return by_number ? CBOR_numbered_shapes : CBOR_addressed_shapes;
    }
    return map->count <= MAP_LENGTH ? CBOR_shape : CBOR_value;
}

static enum cbor_kind kind_of(const struct node *node, bool may_be_constant)
{
    const enum cbor_kind constant = may_be_constant ? CBOR_constant : CBOR_value;
    switch (node->kind) {
    case NODE_NULL:
    case NODE_BOOL: return constant;
    case NODE_NUMBER:
        if (node->wide)
            return CBOR_value;
        return node->negative || node->number <= INT64_MAX ? CBOR_int : CBOR_uint;
    case NODE_STRING:
        if (is_word(node))
            return CBOR_word;
        return node->length <= CONSTANT_LENGTH ? constant : CBOR_value;
    case NODE_LIST: return kind_of_list(node);
    case NODE_MAP: break;
    }
    return kind_of_map(node);
}

/* --- Templates ------------------------------------------------------------------------------- */

static void make_template(struct buffer *to, const struct node *node, bool may_be_constant)
{
    static const char *const names[] = {
#define NAME(name, text) text,
        CBOR_KIND_MAP(NAME)
#undef NAME
    };
    const bool is_map = node->kind == NODE_MAP;
    to->length = 0;
    add_head(to, cbor_encode_array_start, 1 + node->count * (is_map ? 2 : 1));
    add_name(to, is_map ? "map" : "list");
    for (size_t i = 0; i < node->count; i++) {
        const enum cbor_kind kind = kind_of(&node->items[i], may_be_constant);
        if (is_map)
            add_text(to, node->keys[i].text, node->keys[i].length);
        if (kind != CBOR_constant) {
            add_name(to, names[kind]);
            continue;
        }
        add_head(to, cbor_encode_array_start, 1);
        add_tree(to, &node->items[i]);
    }
}

/* FNV-1a */
static uint64_t hash(const struct buffer *buffer)
{
    uint64_t sum = 0xcbf29ce484222325;
    for (size_t i = 0; i < buffer->length; i++)
        sum = (sum ^ buffer->data[i]) * 0x100000001b3;
    return sum;
}

/* The place of the template in writer->template: its own, or an empty one. */
static struct template *find_template(struct cbor_writer *writer)
{
    const struct buffer *wanted = &writer->template;
    for (uint64_t i = hash(wanted);; i++) {
        struct template *found = &writer->templates[i % SLOTS];
        if (!found->data || (found->length == wanted->length &&
                             memcmp(found->data, wanted->data, wanted->length) == 0))
            return found;
    }
}

static void write_template(struct cbor_writer *writer, struct template *place)
{
    const struct buffer *new = &writer->template;
    place->data = want_memory(malloc(new->length));
    place->length = new->length;
    place->number = writer->ntemplates++;
    memcpy(place->data, new->data, new->length);
    fwrite(new->data, 1, new->length, writer->out);
}

/* The template for a value that has none of its own; there is always room for it. */
static const struct template *template_of_any(struct cbor_writer *writer)
{
    writer->template.length = 0;
    add_head(&writer->template, cbor_encode_array_start, 1);
    add_name(&writer->template, "value");
    struct template *place = find_template(writer);
    if (!place->data)
        write_template(writer, place);
    return place;
}

static bool has_template(const struct node *node)
{
    return (node->kind == NODE_MAP && node->count <= MAP_LENGTH) ||
           (node->kind == NODE_LIST && node->count <= LIST_LENGTH);
}

/* The template of a map or list, NULL if it gets none. */
static const struct template *template_of(struct cbor_writer *writer, const struct node *node,
                                          bool *may_be_constant)
{
    if (!has_template(node))
        return NULL;
    *may_be_constant = true;
    make_template(&writer->template, node, true);
    struct template *place = find_template(writer);
    if (!place->data && writer->ntemplates >= CONSTANTS_MAX) {
        *may_be_constant = false;
        make_template(&writer->template, node, false);
        place = find_template(writer);
    }
    if (!place->data && writer->ntemplates >= TEMPLATES_MAX)
        return NULL;
    if (!place->data)
        write_template(writer, place);
    return place;
}

/* --- Records --------------------------------------------------------------------------------- */

static void put_word(struct cbor_writer *writer, uint64_t word)
{
    unsigned char *to = make_room(&writer->words, 8);
    for (unsigned i = 0; i < 8; i++)
        to[i] = (unsigned char)(word >> 8 * i);
    writer->words.length += 8;
}

static void put_shape_number(struct cbor_writer *writer, unsigned number)
{
    unsigned char *to = make_room(&writer->shapes, 2);
    to[0] = (unsigned char)(number & 0xff);
    to[1] = (unsigned char)(number >> 8);
    writer->shapes.length += 2;
}

static void put_value(struct cbor_writer *writer, const struct node *node)
{
    add_tree(&writer->values, node);
    writer->nvalues++;
}

static void put_shape(struct cbor_writer *writer, const struct node *node);

static void put_words(struct cbor_writer *writer, const struct node *nodes, size_t count)
{
    uint64_t word = 0;
    for (size_t i = 0; i < count; i++) {
        parse_word(&nodes[i], &word);
        put_word(writer, word);
    }
}

static void put_shapes(struct cbor_writer *writer, const struct node *node)
{
    for (size_t i = 0; i < node->count; i++)
        put_shape(writer, node_member(node, i));
}

static void put_numbers(struct cbor_writer *writer, const struct node *nodes, size_t count)
{
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++) {
        parse_number(&nodes[i], &number);
        put_word(writer, number);
    }
}

static void put_field(struct cbor_writer *writer, const struct node *node, enum cbor_kind kind)
{
    switch (kind) {
    case CBOR_constant: return;
    case CBOR_word: put_words(writer, node, 1); return;
    case CBOR_int:
    case CBOR_uint: put_word(writer, node->number); return;
    case CBOR_shape: put_shape(writer, node); return;
    case CBOR_value: put_value(writer, node); return;
    default: put_word(writer, node->count);
    }
    if (kind == CBOR_numbered_words || kind == CBOR_numbered_shapes)
        put_numbers(writer, node->keys, node->count);
    else if (kind == CBOR_addressed_words || kind == CBOR_addressed_shapes)
        put_words(writer, node->keys, node->count);
    const bool of_words =
        kind == CBOR_words || kind == CBOR_numbered_words || kind == CBOR_addressed_words;
    if (of_words)
        put_words(writer, node->items, node->count);
    else
        put_shapes(writer, node);
}

static void put_shape(struct cbor_writer *writer, const struct node *node)
{
    bool may_be_constant;
    const struct template *template = template_of(writer, node, &may_be_constant);
    if (!template) {
        put_shape_number(writer, template_of_any(writer)->number);
        put_value(writer, node);
        return;
    }
    put_shape_number(writer, template->number);
    for (size_t i = 0; i < node->count; i++)
        put_field(writer, &node->items[i], kind_of(&node->items[i], may_be_constant));
}

static void write_buffer(struct cbor_writer *writer, const struct buffer *buffer)
{
    if (buffer->length > 0)
        fwrite(buffer->data, 1, buffer->length, writer->out);
}

static void write_numbers(struct cbor_writer *writer, unsigned tag, const struct buffer *numbers)
{
    struct buffer *head = &writer->template;
    head->length = 0;
    add_number(head, cbor_encode_tag, tag);
    add_head(head, cbor_encode_bytestring_start, numbers->length);
    write_buffer(writer, head);
    write_buffer(writer, numbers);
}

static void write_list_head(struct cbor_writer *writer, size_t count)
{
    struct buffer *head = &writer->template;
    head->length = 0;
    add_head(head, cbor_encode_array_start, count);
    write_buffer(writer, head);
}

void cbor_write(struct cbor_writer *writer, const struct node *record)
{
    writer->shapes.length = writer->words.length = writer->values.length = 0;
    writer->nvalues = 0;
    put_shape(writer, record);
    write_list_head(writer, 3);
    write_numbers(writer, CBOR_TAG_WORDS16, &writer->shapes);
    write_numbers(writer, CBOR_TAG_WORDS64, &writer->words);
    write_list_head(writer, writer->nvalues);
    write_buffer(writer, &writer->values);
}

struct cbor_writer *cbor_writer_new(FILE *out)
{
    struct cbor_writer *writer = want_memory(calloc(1, sizeof *writer));
    struct buffer *header = &writer->template;
    writer->out = out;
    add_number(header, cbor_encode_tag, CBOR_TAG_BEGIN);
    add_head(header, cbor_encode_map_start, 2);
    add_name(header, "format");
    add_name(header, CBOR_FORMAT_NAME);
    add_name(header, "version");
    add_number(header, cbor_encode_uint, CBOR_FORMAT_VERSION);
    write_buffer(writer, header);
    return writer;
}

void cbor_writer_free(struct cbor_writer *writer)
{
    if (!writer)
        return;
    for (unsigned i = 0; i < SLOTS; i++)
        free(writer->templates[i].data);
    free(writer->template.data);
    free(writer->shapes.data);
    free(writer->words.data);
    free(writer->values.data);
    free(writer);
}
