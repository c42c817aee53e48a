/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/cbor_reader.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/live.h"
#include "base/json.h"
#include "trace/cbor_parts.h"

/* A template's number has 16 bits. */
enum { TEMPLATES_MAX = 1 << 16 };

/* --- Items ----------------------------------------------------------------------------------- */

bool cbor_refuse(struct cbor_reader *reader, size_t at, const char *format, ...)
{
    va_list arguments;
    if (reader->error[0])
        return false;
    va_start(arguments, format);
    vsnprintf(reader->error, sizeof reader->error, format, arguments);
    va_end(arguments);
    reader->offset = bytes_offset(reader->bytes) + at;
    return false;
}

/*
 * The file ends inside an item, or the item says that it is longer than any file. Of input that was
 * ended while it was being written the item is left out.
 */
static bool refuse_cut(struct cbor_reader *reader)
{
    const char *error = bytes_error(reader->bytes);
    if (!error && live_is_over())
        return false;
    return cbor_refuse(reader, reader->have, "%s",
                       error ? error : "the file ends in the middle of a record");
}

static bool has_more(struct cbor_reader *reader, size_t want)
{
    reader->window = (const unsigned char *)bytes_window(reader->bytes, want, &reader->have);
    return reader->have >= want;
}

bool cbor_take(struct cbor_reader *reader, size_t *at, struct cbor_item *item)
{
    for (;;) {
        size_t size;
        const size_t have = reader->have - *at;
        if (have == 0 && !has_more(reader, *at + 1))
            return refuse_cut(reader);
        switch (cbor_item_read(reader->window + *at, reader->have - *at, item, &size)) {
        case CBOR_ITEM_WHOLE: *at += size; return true;
        case CBOR_ITEM_BAD: return cbor_refuse(reader, *at, "not an item of CBOR");
        case CBOR_ITEM_WANTS_MORE: break;
        }
        if (size <= have || size > SIZE_MAX - *at || !has_more(reader, *at + size))
            return refuse_cut(reader);
    }
}

static bool take_type(struct cbor_reader *reader, size_t *at, enum cbor_item_type type,
                      const char *name, struct cbor_item *item)
{
    const size_t start = *at;
    return cbor_take(reader, at, item) &&
           (item->type == type || cbor_refuse(reader, start, "expected %s", name));
}

static bool is_text(const struct cbor_item *item, const char *text)
{
    return item->type == CBOR_ITEM_TEXT && item->number == strlen(text) &&
           memcmp(item->data, text, item->number) == 0;
}

/* Go behind an item and all in it. */
static bool skip_item(struct cbor_reader *reader, size_t *at)
{
    struct cbor_item item;
    for (uint64_t left = 1; left > 0; left--) {
        const size_t start = *at;
        if (!cbor_take(reader, at, &item))
            return false;
        uint64_t inside = item.type == CBOR_ITEM_LIST || item.type == CBOR_ITEM_MAP ? item.number
                          : item.type == CBOR_ITEM_TAG                              ? 1
                                                                                    : 0;
        if (inside > UINT32_MAX || left > UINT32_MAX)
            return cbor_refuse(reader, start, "a list or map of %" PRIu64 " items", inside);
        left += item.type == CBOR_ITEM_MAP ? 2 * inside : inside;
    }
    return true;
}

/* --- Trees of items -------------------------------------------------------------------------- */

static bool set_text(struct cbor_reader *reader, size_t at, const struct cbor_item *item,
                     struct arena *arena, struct node *node)
{
    const char *text = (const char *)item->data;
    if (!json_is_utf8(text, item->number))
        return cbor_refuse(reader, at, "a text that is not UTF-8");
    node->kind = NODE_STRING;
    node->quoted = true;
    node->length = item->number;
    node->text = arena_strdup(arena, text, item->number);
    return true;
}

static bool set_number(struct cbor_reader *reader, size_t at, const struct cbor_item *item,
                       struct arena *arena, struct node *node)
{
    char digits[32];
    node->kind = NODE_NUMBER;
    node->negative = item->type == CBOR_ITEM_NEGATIVE;
    node->number = node->negative ? ~item->number : item->number;
    if (node->negative && item->number > INT64_MAX)
        return cbor_refuse(reader, at, "a number below -2^63 that is no JSON text");
    const int length = node->negative
                           ? snprintf(digits, sizeof digits, "%" PRId64, (int64_t)node->number)
                           : snprintf(digits, sizeof digits, "%" PRIu64, node->number);
    node->length = (size_t)length;
    node->text = arena_strdup(arena, digits, node->length);
    return true;
}

/* A number that has no word of 64 bits, as JSON writes it. */
static bool take_json_number(struct cbor_reader *reader, size_t *at, struct arena *arena,
                             struct node *node)
{
    const size_t start = *at;
    struct cbor_item item;
    if (!take_type(reader, at, CBOR_ITEM_BYTES, "a JSON number as bytes", &item))
        return false;
    const char *text = (const char *)item.data;
    if (!json_is_number(text, item.number))
        return cbor_refuse(reader, start, "not a JSON number");
    node->kind = NODE_NUMBER;
    node->wide = true;
    node->negative = text[0] == '-';
    node->length = item.number;
    node->text = arena_strdup(arena, text, item.number);
    return true;
}

/* Does every key of the map `at` bytes into the window come once? */
static bool keys_differ(struct cbor_reader *reader, size_t at, const struct node *map)
{
    const struct node *repeated = node_repeated_key(map);
    return !repeated ||
           cbor_refuse(reader, at, "the key '%.40s' comes twice in its map", repeated->text);
}

static bool take_node(struct cbor_reader *reader, size_t *at, struct arena *arena,
                      struct node *node, unsigned depth);

static bool take_nodes(struct cbor_reader *reader, size_t *at, struct arena *arena,
                       struct node *node, uint64_t count, unsigned depth)
{
    const bool is_map = node->kind == NODE_MAP;
    if (count > reader->have - *at && !has_more(reader, *at + count))
        return refuse_cut(reader);
    node->count = count;
    node->items = arena_alloc(arena, count * sizeof *node->items);
    node->keys = is_map ? arena_alloc(arena, count * sizeof *node->keys) : NULL;
    for (size_t i = 0; i < count; i++) {
        const size_t start = *at;
        if (is_map && !take_node(reader, at, arena, &node->keys[i], depth))
            return false;
        if (is_map && node->keys[i].kind != NODE_STRING)
            return cbor_refuse(reader, start, "a key that is not a text");
        if (!take_node(reader, at, arena, &node->items[i], depth))
            return false;
    }
    return true;
}

static bool take_node(struct cbor_reader *reader, size_t *at, struct arena *arena,
                      struct node *node, unsigned depth)
{
    const size_t start = *at;
    struct cbor_item item;
    if (!cbor_take(reader, at, &item))
        return false;
    if (depth > CBOR_DEPTH_MAX)
        return cbor_refuse(reader, start, "nested too deeply");
    switch (item.type) {
    case CBOR_ITEM_UNSIGNED:
    case CBOR_ITEM_NEGATIVE: return set_number(reader, start, &item, arena, node);
    case CBOR_ITEM_TEXT: return set_text(reader, start, &item, arena, node);
    case CBOR_ITEM_NULL: node->kind = NODE_NULL; return true;
    case CBOR_ITEM_BOOL:
        node->kind = NODE_BOOL;
        node->boolean = item.number;
        return true;
    case CBOR_ITEM_LIST:
    case CBOR_ITEM_MAP:
        node->kind = item.type == CBOR_ITEM_MAP ? NODE_MAP : NODE_LIST;
        return take_nodes(reader, at, arena, node, item.number, depth + 1) &&
               (node->kind == NODE_LIST || keys_differ(reader, start, node));
    case CBOR_ITEM_TAG:
        if (item.number == CBOR_TAG_JSON)
            return take_json_number(reader, at, arena, node);
        break;
    case CBOR_ITEM_BYTES:
    case CBOR_ITEM_OTHER: break;
    }
    return cbor_refuse(reader, start, "an item that no trace has");
}

bool cbor_take_tree(struct cbor_reader *reader, size_t *at, struct arena *arena, struct node *node)
{
    *node = (struct node){0};
    return take_node(reader, at, arena, node, 0);
}

/* --- The header ------------------------------------------------------------------------------ */

/* A header, behind its tag. Templates are counted from it. */
static bool take_header(struct cbor_reader *reader, size_t *at)
{
    const size_t start = *at;
    struct node header;
    arena_reset(reader->memory);
    reader->ntemplates = 0;
    if (!cbor_take_tree(reader, at, reader->memory, &header))
        return false;
    const struct node *version = node_get(&header, "version");
    if (!node_is(node_get(&header, "format"), CBOR_FORMAT_NAME) || !version)
        return cbor_refuse(reader, start, "not the header of a trace");
    return (version->kind == NODE_NUMBER && version->number == CBOR_FORMAT_VERSION) ||
           cbor_refuse(reader, start, "version %.20s of the format; this program reads version %d",
                       version->kind == NODE_NUMBER ? version->text : "?", CBOR_FORMAT_VERSION);
}

/* --- Templates ------------------------------------------------------------------------------- */

static bool take_kind(struct cbor_reader *reader, size_t *at, struct cbor_field *field)
{
    static const char *const names[] = {
#define NAME(name, text) text,
        CBOR_KIND_MAP(NAME)
#undef NAME
    };
    const size_t start = *at;
    struct cbor_item item;
    if (!cbor_take(reader, at, &item))
        return false;
    if (item.type == CBOR_ITEM_LIST && item.number == 1) {
        field->kind = CBOR_constant;
        return cbor_take_tree(reader, at, reader->memory, &field->constant);
    }
    for (unsigned i = 0; i < CBOR_constant; i++) {
        field->kind = (enum cbor_kind)i;
        if (is_text(&item, names[i]))
            return true;
    }
    return cbor_refuse(reader, start, "a template with an unknown kind of value");
}

static bool take_key(struct cbor_reader *reader, size_t *at, struct node *key)
{
    const size_t start = *at;
    return cbor_take_tree(reader, at, reader->memory, key) &&
           (key->kind == NODE_STRING || cbor_refuse(reader, start, "a key that is not a text"));
}

static bool take_form(struct cbor_reader *reader, size_t *at, struct cbor_template *template,
                      size_t count)
{
    static const char *const names[] = {
#define NAME(name, text) text,
        CBOR_FORM_MAP(NAME)
#undef NAME
    };
    const size_t start = *at;
    struct cbor_item item;
    if (!cbor_take(reader, at, &item))
        return false;
    unsigned form = 0;
    while (form < CBOR_FORMS && !is_text(&item, names[form]))
        form++;
    template->form = (enum cbor_form)form;
    template->count = form == CBOR_FORM_map ? count / 2 : count;
    if (form == CBOR_FORMS || (form == CBOR_FORM_map && count % 2 != 0) ||
        (form == CBOR_FORM_any && count != 0))
        return cbor_refuse(reader, start, "not a template");
    return true;
}

static bool keep_template(struct cbor_reader *reader, size_t at, struct cbor_template *template)
{
    if (reader->ntemplates == TEMPLATES_MAX)
        return cbor_refuse(reader, at, "more than %d templates", TEMPLATES_MAX);
    if (!reader->templates)
        reader->templates = calloc(TEMPLATES_MAX, sizeof(struct cbor_template *));
    if (!reader->templates)
        return cbor_refuse(reader, at, "out of memory");
    reader->templates[reader->ntemplates++] = template;
    return true;
}

/* A template, whose list has `count` items; *at is behind the list's head. */
static bool take_template(struct cbor_reader *reader, size_t *at, uint64_t count)
{
    const size_t start = *at;
    if (count > reader->have - *at && !has_more(reader, *at + count))
        return refuse_cut(reader);
    struct cbor_template *template = arena_alloc(reader->memory, sizeof *template);
    if (!take_form(reader, at, template, count - 1))
        return false;
    const size_t nfields = template->count;
    template->fields = arena_alloc(reader->memory, nfields * sizeof *template->fields);
    template->keys = arena_alloc(reader->memory, nfields * sizeof *template->keys);
    for (size_t i = 0; i < nfields; i++) {
        if (template->form == CBOR_FORM_map && !take_key(reader, at, &template->keys[i]))
            return false;
        if (!take_kind(reader, at, &template->fields[i]))
            return false;
    }
    const struct node keys = {.kind = NODE_MAP, .count = nfields, .keys = template->keys};
    return (template->form != CBOR_FORM_map || keys_differ(reader, start, &keys)) &&
           keep_template(reader, start, template);
}

/* --- Records --------------------------------------------------------------------------------- */

/* A byte string that holds numbers of `width` bytes, behind its tag; *where is its place. */
static bool take_numbers(struct cbor_reader *reader, size_t *at, unsigned tag, unsigned width,
                         size_t *where, size_t *length)
{
    const size_t start = *at;
    struct cbor_item item;
    if (!cbor_take(reader, at, &item))
        return false;
    if (item.type != CBOR_ITEM_TAG || item.number != tag)
        return cbor_refuse(reader, start, "expected numbers of tag %u", tag);
    if (!take_type(reader, at, CBOR_ITEM_BYTES, "bytes behind their tag", &item))
        return false;
    *length = item.number;
    *where = *at - *length;
    return item.number % width == 0 ||
           cbor_refuse(reader, start, "bytes that are no whole numbers of %u bytes", width);
}

/* A record, behind its list's head: make sure that all of it is in the window. */
static bool take_record(struct cbor_reader *reader, size_t *at)
{
    size_t shapes = 0, nshapes = 0, words = 0, nwords = 0;
    struct cbor_item values;
    if (!take_numbers(reader, at, CBOR_TAG_WORDS16, 2, &shapes, &nshapes) ||
        !take_numbers(reader, at, CBOR_TAG_WORDS64, 8, &words, &nwords) ||
        !take_type(reader, at, CBOR_ITEM_LIST, "a list of values", &values))
        return false;
    const size_t first = *at;
    for (uint64_t i = 0; i < values.number; i++) {
        if (!skip_item(reader, at))
            return false;
    }
    reader->record = (struct cbor_cursor){.shapes = reader->window + shapes,
                                          .shapes_end = reader->window + shapes + nshapes,
                                          .words = reader->window + words,
                                          .words_end = reader->window + words + nwords,
                                          .value = first,
                                          .nvalues = values.number};
    reader->end = *at;
    return true;
}

/* A template or a record, whose list has a head of `count` items. */
static bool take_list(struct cbor_reader *reader, size_t *at, uint64_t count)
{
    struct cbor_item first;
    size_t ahead = *at;
    if (count == 0)
        return cbor_refuse(reader, 0, "neither a template nor a record");
    if (!cbor_take(reader, &ahead, &first))
        return false;
    if (first.type == CBOR_ITEM_TEXT)
        return take_template(reader, at, count);
    return count == 3 ? take_record(reader, at)
                      : cbor_refuse(reader, 0, "neither a template nor a record");
}

static bool take_any(struct cbor_reader *reader, size_t *at)
{
    struct cbor_item item;
    if (reader->window[0] == '{')
        return cbor_refuse(reader, 0, "a line of JSON in a CBOR sequence");
    if (!cbor_take(reader, at, &item))
        return false;
    if (item.type == CBOR_ITEM_TAG && item.number == CBOR_TAG_BEGIN)
        return take_header(reader, at);
    return item.type == CBOR_ITEM_LIST
               ? take_list(reader, at, item.number)
               : cbor_refuse(reader, 0, "neither a header, a template nor a record");
}

bool cbor_next(struct cbor_reader *reader)
{
    bytes_take(reader->bytes, reader->end);
    reader->end = 0;
    while (!reader->error[0]) {
        size_t at = 0;
        if (!has_more(reader, 1)) {
            const char *error = bytes_error(reader->bytes);
            return error && cbor_refuse(reader, 0, "%s", error);
        }
        reader->offset = bytes_offset(reader->bytes);
        if (!take_any(reader, &at))
            return false;
        if (reader->end > 0)
            return true;
        bytes_take(reader->bytes, at);
    }
    return false;
}

/* --- The reader ------------------------------------------------------------------------------ */

bool cbor_begins(struct bytes *bytes)
{
    static const unsigned char begin[] = {0xd9, 0xd9, 0xf7};
    size_t have;
    const char *window = bytes_window(bytes, sizeof begin, &have);
    return have >= sizeof begin && memcmp(window, begin, sizeof begin) == 0;
}

struct cbor_reader *cbor_reader_new(struct bytes *bytes)
{
    struct cbor_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        no_memory();
    reader->bytes = bytes;
    reader->memory = arena_new();
    return reader;
}

void cbor_reader_free(struct cbor_reader *reader)
{
    if (!reader)
        return;
    bytes_close(reader->bytes);
    arena_free(reader->memory);
    free(reader->templates);
    free(reader->effects);
    free(reader);
}

const char *cbor_error(const struct cbor_reader *reader)
{
    return reader->error[0] ? reader->error : NULL;
}

uint64_t cbor_offset(const struct cbor_reader *reader)
{
    return reader->offset;
}

double cbor_progress(const struct cbor_reader *reader)
{
    return bytes_progress(reader->bytes);
}
