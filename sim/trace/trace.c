/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/lines.h"

struct trace {
    const char *path;
    struct lines *lines;
    const char *text; /* of the line last read */
    struct json_reader *reader;
    struct arena *arena;
    struct trace_line line;
    bool failed;
};

/* --- The tables as data ---------------------------------------------------------------------- */

#define FIELD(kind, format_, key_, required_)                                                      \
    {#key_, sizeof #key_ - 1, offsetof(struct trace_effect, kind.key_), TRACE_##format_, required_},
#define REQUIRED(kind, format, key) FIELD(kind, format, key, true)
#define OPTIONAL(kind, format, key) FIELD(kind, format, key, false)
#define FIELDS(kind)                                                                               \
    static const struct trace_field fields_of_##kind[] = {                                         \
        FH_TRACE_FIELDS_##kind(REQUIRED, OPTIONAL, kind)};
TRACE_EFFECT_MAP(FIELDS)

static const struct effect_type {
    const char *name;
    size_t length;
    const struct trace_field *fields;
    unsigned nfields;
} effect_types[] = {
#define TYPE(kind)                                                                                 \
    {#kind, sizeof #kind - 1, fields_of_##kind, sizeof fields_of_##kind / sizeof *fields_of_##kind},
    TRACE_EFFECT_MAP(TYPE)
#undef TYPE
};

#define NAME(name) #name,
static const char *const kind_names[] = {TRACE_KIND_MAP(NAME)};
static const char *const end_names[] = {TRACE_END_MAP(NAME)};
static const char *const effect_names[] = {TRACE_EFFECT_MAP(NAME)};
#undef NAME

static const struct trace_field registers[] = {
#define REGISTER(key_, format_)                                                                    \
    {#key_, sizeof #key_ - 1, sizeof(uint64_t) * TRACE_REG_##key_, TRACE_##format_, false},
    TRACE_REGISTER_MAP(REGISTER)
#undef REGISTER
};

static const char *const key_names[] = {"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",
                                        "x8",  "x9",  "x10", "x11", "x12", "x13", "x14", "x15",
                                        "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23",
                                        "x24", "x25", "x26", "x27", "x28", "x29", "x30"};

const char *trace_effect_name(enum trace_effect_kind kind)
{
    return effect_names[kind];
}

const struct trace_field *trace_effect_fields(enum trace_effect_kind kind, unsigned *count)
{
    *count = effect_types[kind].nfields;
    return effect_types[kind].fields;
}

const char *trace_kind_name(enum trace_kind kind)
{
    return kind_names[kind];
}

const char *trace_register_name(enum trace_register reg)
{
    return registers[reg].key;
}

const char *trace_gpr_name(unsigned index)
{
    return key_names[index];
}

/* --- Bad input ------------------------------------------------------------------------------- */

static void report(const struct trace *trace, unsigned column, const char *format,
                   va_list arguments)
{
    char message[256];
    vsnprintf(message, sizeof message, format, arguments);
    const struct place place = {trace->path, lines_number(trace->lines), column};
    diag(&place, column > 0 ? trace->text : NULL, "%s", message);
}

void trace_diag(const struct trace *trace, const struct node *node, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(trace, node ? node->column : 1, format, arguments);
    va_end(arguments);
}

/* Reading ends with this message; returns false for its callers to return. */
__attribute__((format(printf, 3, 4))) static bool
refuse(struct trace *trace, const struct node *node, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(trace, node ? node->column : 1, format, arguments);
    va_end(arguments);
    trace->failed = true;
    return false;
}

static bool refuse_value(struct trace *trace, const struct node *node, const char *key,
                         const char *wanted)
{
    char found[80];
    return refuse(trace, node, "%s: expected %s, found %s", key, wanted,
                  node_describe(node, found, sizeof found));
}

/* --- Values ---------------------------------------------------------------------------------- */

/* The value of each hexadecimal digit, plus one; 0 for other characters. */
static const unsigned char hex_digits[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16};

/* "0x" and one to sixteen digits. */
static bool parse_hex(const struct node *node, uint64_t *value)
{
    const char *text = node->text;
    if (node->kind != NODE_STRING || node->length < 3 || node->length > 18 || text[0] != '0' ||
        text[1] != 'x')
        return false;
    uint64_t sum = 0;
    for (size_t i = 2; i < node->length; i++) {
        unsigned digit = hex_digits[(unsigned char)text[i]];
        if (digit == 0)
            return false;
        sum = sum << 4 | (digit - 1);
    }
    *value = sum;
    return true;
}

static bool parse_number(const struct node *node, uint64_t *value)
{
    *value = node->number;
    return node->kind == NODE_NUMBER && !node->wide;
}

static bool read_list(struct trace *trace, const struct node *node, const char *key,
                      struct trace_list *list)
{
    if (node->kind != NODE_LIST || node->count > TRACE_LIST_MAX)
        return refuse_value(trace, node, key, "a list of up to 8 words");
    list->count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        if (!parse_hex(&node->items[i], &list->values[i]))
            return refuse_value(trace, &node->items[i], key, "a word like \"0x1f\"");
    }
    return true;
}

/* The value of `node` as `field` wants it, into the field's place in the struct at `base`. */
static bool read_value(struct trace *trace, const struct trace_field *field,
                       const struct node *node, void *base)
{
    void *place = (char *)base + field->offset;
    switch (field->format) {
    case TRACE_hex:
        return parse_hex(node, place) ||
               refuse_value(trace, node, field->key, "a word like \"0x1f\"");
    case TRACE_number:
        return parse_number(node, place) || refuse_value(trace, node, field->key, "a number");
    case TRACE_either:
        return parse_hex(node, place) || parse_number(node, place) ||
               refuse_value(trace, node, field->key, "a number or a word like \"0x1f\"");
    case TRACE_text:
        if (node->kind != NODE_STRING)
            return refuse_value(trace, node, field->key, "a text");
        *(const char **)place = node->text;
        return true;
    case TRACE_list: return read_list(trace, node, field->key, place);
    }
    return false;
}

/*
 * The value at `key`. Recorders write keys in one order, so *position, where the last one was
 * found, tells where the next one is; any other order works too.
 */
static const struct node *find(const struct node *map, const char *key, size_t length,
                               size_t *position)
{
    for (size_t tried = 0; tried < map->count; tried++) {
        size_t i = *position < map->count ? *position : 0;
        *position = i + 1;
        if (map->keys[i].length == length && memcmp(map->keys[i].text, key, length) == 0)
            return &map->items[i];
    }
    return NULL;
}

/* --- Effects --------------------------------------------------------------------------------- */

static bool find_effect_kind(const struct node *name, enum trace_effect_kind *kind)
{
    for (unsigned i = 0; i < TRACE_EFFECT_KINDS; i++) {
        if (effect_types[i].length == name->length &&
            memcmp(effect_types[i].name, name->text, name->length) == 0) {
            *kind = (enum trace_effect_kind)i;
            return true;
        }
    }
    return false;
}

static bool read_effect_kind(struct trace *trace, const struct node *node,
                             struct trace_effect *effect, size_t *position)
{
    if (node->kind != NODE_MAP)
        return refuse_value(trace, node, "fx", "an effect");
    const struct node *name = find(node, "t", 1, position);
    if (!name)
        return refuse(trace, node, "an effect without `t`");
    if (name->kind != NODE_STRING)
        return refuse_value(trace, name, "t", "a kind of effect");
    if (find_effect_kind(name, &effect->kind))
        return true;
    const char *meant = nearest(name->text, effect_names, TRACE_EFFECT_KINDS);
    return refuse(trace, name, "unknown kind of effect '%.40s'%s%s%s", name->text,
                  meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
}

static bool read_effect(struct trace *trace, const struct node *node, struct trace_effect *effect)
{
    size_t position = 0;
    effect->node = node;
    if (!read_effect_kind(trace, node, effect, &position))
        return false;
    const struct node *g = find(node, "g", 1, &position);
    if (!g || !parse_number(g, &effect->g))
        return g ? refuse_value(trace, g, "g", "a number")
                 : refuse(trace, node, "an effect without `g`");
    const struct effect_type *type = &effect_types[effect->kind];
    for (unsigned i = 0; i < type->nfields; i++) {
        const struct trace_field *field = &type->fields[i];
        const struct node *value = find(node, field->key, field->length, &position);
        if (!value && field->required)
            return refuse(trace, node, "%s: `%s` is missing", type->name, field->key);
        if (!value)
            continue;
        if (!read_value(trace, field, value, effect))
            return false;
        effect->present |= 1u << i;
    }
    return true;
}

static bool read_effects(struct trace *trace, const struct node *node)
{
    struct trace_line *line = &trace->line;
    if (node->kind != NODE_LIST)
        return refuse_value(trace, node, "fx", "a list of effects");
    struct trace_effect *effects = arena_alloc(trace->arena, node->count * sizeof *effects);
    line->nfx = node->count;
    line->fx = effects;
    for (size_t i = 0; i < node->count; i++) {
        if (!read_effect(trace, &node->items[i], &effects[i]))
            return false;
    }
    return true;
}

/* --- Registers ------------------------------------------------------------------------------- */

static bool read_x_list(struct trace *trace, const struct node *node, struct trace_registers *regs)
{
    if (node->count != TRACE_GPRS)
        return refuse(trace, node, "x: expected 31 words, found %zu", node->count);
    for (unsigned i = 0; i < TRACE_GPRS; i++) {
        if (!parse_hex(&node->items[i], &regs->x[i]))
            return refuse_value(trace, &node->items[i], "x", "a word like \"0x1f\"");
    }
    regs->x_present = (1u << TRACE_GPRS) - 1;
    return true;
}

/* "0" to "30" */
static bool parse_x_index(const struct node *key, unsigned *index)
{
    for (unsigned i = 0; i < TRACE_GPRS; i++) {
        if (strcmp(key_names[i] + 1, key->text) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

static bool read_x_map(struct trace *trace, const struct node *node, struct trace_registers *regs)
{
    for (size_t i = 0; i < node->count; i++) {
        unsigned index;
        if (!parse_x_index(&node->keys[i], &index))
            return refuse_value(trace, &node->keys[i], "x", "the number of a register, 0 to 30");
        if (!parse_hex(&node->items[i], &regs->x[index]))
            return refuse_value(trace, &node->items[i], "x", "a word like \"0x1f\"");
        regs->x_present |= 1u << index;
    }
    return true;
}

static bool read_registers(struct trace *trace, const struct node *node, const char *key,
                           struct trace_registers *regs)
{
    if (node->kind != NODE_MAP)
        return refuse_value(trace, node, key, "a map of registers");
    size_t position = 0;
    for (unsigned i = 0; node->count > 0 && i < TRACE_REGISTERS; i++) {
        const struct node *value = find(node, registers[i].key, registers[i].length, &position);
        if (!value)
            continue;
        if (!read_value(trace, &registers[i], value, regs->values))
            return false;
        regs->present |= 1u << i;
    }
    const struct node *x = find(node, "x", 1, &position);
    if (!x)
        return true;
    if (x->kind == NODE_LIST)
        return read_x_list(trace, x, regs);
    return x->kind == NODE_MAP ? read_x_map(trace, x, regs)
                               : refuse_value(trace, x, "x", "31 words, or a map from 0..30");
}

/* --- Lines ----------------------------------------------------------------------------------- */

/* Where the keys of a line are looked up. */
struct cursor {
    struct trace *trace;
    const struct node *map;
    size_t position;
};

static const struct node *want(struct cursor *at, const char *key)
{
    const struct node *value = find(at->map, key, strlen(key), &at->position);
    if (!value)
        refuse(at->trace, at->map, "`%s` is missing", key);
    return value;
}

static bool want_number(struct cursor *at, const char *key, uint64_t *number)
{
    const struct node *value = want(at, key);
    return value &&
           (parse_number(value, number) || refuse_value(at->trace, value, key, "a number"));
}

/* A text that may be missing. */
static bool may_have_text(struct cursor *at, const char *key, const char **text)
{
    const struct node *value = find(at->map, key, strlen(key), &at->position);
    if (!value)
        return true;
    *text = value->text;
    return value->kind == NODE_STRING || refuse_value(at->trace, value, key, "a text");
}

static bool want_word(struct cursor *at, const char *key, const char *const *words, size_t count,
                      unsigned *index)
{
    const struct node *value = want(at, key);
    if (!value)
        return false;
    if (value->kind != NODE_STRING)
        return refuse_value(at->trace, value, key, "a text");
    for (*index = 0; *index < count; (*index)++) {
        if (strcmp(value->text, words[*index]) == 0)
            return true;
    }
    const char *meant = nearest(value->text, words, count);
    return refuse(at->trace, value, "%s: unknown word '%.40s'%s%s%s", key, value->text,
                  meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
}

static bool read_hvc(struct cursor *at)
{
    const struct node *hvc = want(at, "hvc");
    if (!hvc)
        return false;
    if (hvc->kind != NODE_MAP)
        return refuse_value(at->trace, hvc, "hvc", "a map");
    struct trace_line *line = &at->trace->line;
    struct cursor inside = {at->trace, hvc, 0};
    const struct node *name = want(&inside, "name");
    if (!name || (name->kind != NODE_STRING && !refuse_value(at->trace, name, "name", "a text")))
        return false;
    line->hvc = name->text;
    if (!want_number(&inside, "num", &line->hvc_number))
        return false;
    const struct node *args = want(&inside, "args");
    return args && read_list(at->trace, args, "args", &line->hvc_args);
}

/* What says where and how the stay ended. An unfinished line need not have it. */
static bool read_end(struct cursor *at)
{
    struct trace_line *line = &at->trace->line;
    const struct node *unfinished = find(at->map, "unfinished", 10, &at->position);
    line->unfinished = unfinished && unfinished->kind == NODE_BOOL && unfinished->boolean;
    if (line->unfinished)
        return true;
    unsigned to;
    if (!want_number(at, "g1", &line->g1) ||
        !want_word(at, "to", end_names, sizeof end_names / sizeof *end_names, &to))
        return false;
    line->to = (enum trace_end)to;
    const struct node *out = want(at, "out");
    return out && read_registers(at->trace, out, "out", &line->out);
}

static bool read_line(struct trace *trace, const struct node *node)
{
    if (node->kind != NODE_MAP)
        return refuse_value(trace, node, "line", "a map");
    struct cursor at = {trace, node, 0};
    struct trace_line *line = &trace->line;
    unsigned kind;
    if (!want_number(&at, "seq", &line->seq) || !want_number(&at, "cpu", &line->cpu) ||
        !want_word(&at, "kind", kind_names, TRACE_KINDS, &kind))
        return false;
    line->kind = (enum trace_kind)kind;
    if (line->kind == TRACE_KIND_host_hvc && !read_hvc(&at))
        return false;
    if (line->kind == TRACE_KIND_guest_exit &&
        (!want_number(&at, "exit_code", &line->exit_code) || !may_have_text(&at, "ec", &line->ec)))
        return false;
    if (!want_number(&at, "g0", &line->g0))
        return false;
    const struct node *in = want(&at, "in");
    if (!in || !read_registers(trace, in, "in", &line->in))
        return false;
    const struct node *fx = want(&at, "fx");
    return fx && read_effects(trace, fx) && read_end(&at);
}

const struct trace_line *trace_next(struct trace *trace)
{
    size_t length;
    if (trace->failed)
        return NULL;
    arena_reset(trace->arena);
    trace->text = lines_next(trace->lines, &length, json_padding());
    if (!trace->text) {
        trace->failed = lines_failed(trace->lines);
        return NULL;
    }
    const char *error;
    size_t offset;
    const struct node *node = json_parse(trace->reader, trace->arena, trace->text, length,
                                         lines_number(trace->lines), &error, &offset);
    memset(&trace->line, 0, sizeof trace->line);
    trace->line.number = lines_number(trace->lines);
    if (!node) {
        const struct node where = {.column = (unsigned)offset + 1};
        refuse(trace, &where, "%s", error);
        return NULL;
    }
    return read_line(trace, node) ? &trace->line : NULL;
}

struct trace *trace_open(const char *path)
{
    struct lines *lines = lines_open(path);
    if (!lines)
        return NULL;
    struct trace *trace = calloc(1, sizeof *trace);
    if (!trace) {
        diag_plain("out of memory");
        exit(EXIT_BAD_INPUT);
    }
    trace->path = path;
    trace->lines = lines;
    trace->reader = json_reader_new();
    trace->arena = arena_new();
    return trace;
}

void trace_close(struct trace *trace)
{
    if (!trace)
        return;
    lines_close(trace->lines);
    json_reader_free(trace->reader);
    arena_free(trace->arena);
    free(trace);
}

bool trace_failed(const struct trace *trace)
{
    return trace->failed;
}

double trace_progress(const struct trace *trace)
{
    return lines_progress(trace->lines);
}

/* --- For people ------------------------------------------------------------------------------ */

static const void *field_place(const struct trace_effect *effect, const struct trace_field *field)
{
    return (const char *)effect + field->offset;
}

uint64_t trace_field_word(const struct trace_effect *effect, const struct trace_field *field)
{
    return *(const uint64_t *)field_place(effect, field);
}

const char *trace_field_text(const struct trace_effect *effect, const struct trace_field *field)
{
    return *(const char *const *)field_place(effect, field);
}

const struct trace_list *trace_field_list(const struct trace_effect *effect,
                                          const struct trace_field *field)
{
    return field_place(effect, field);
}

static void print_list(const struct trace_list *list, FILE *out)
{
    fputc('[', out);
    for (size_t i = 0; i < list->count; i++)
        fprintf(out, "%s0x%" PRIx64, i > 0 ? " " : "", list->values[i]);
    fputc(']', out);
}

void trace_print_field(const struct trace_effect *effect, const struct trace_field *field,
                       FILE *out)
{
    switch (field->format) {
    case TRACE_hex:
    case TRACE_either: fprintf(out, "0x%" PRIx64, trace_field_word(effect, field)); break;
    case TRACE_number: fprintf(out, "%" PRId64, (int64_t)trace_field_word(effect, field)); break;
    case TRACE_text: fputs(trace_field_text(effect, field), out); break;
    case TRACE_list: print_list(trace_field_list(effect, field), out); break;
    }
}

void trace_print_effect(const struct trace_effect *effect, FILE *out)
{
    const struct effect_type *type = &effect_types[effect->kind];
    fputs(type->name, out);
    for (unsigned i = 0; i < type->nfields; i++) {
        if (!(effect->present >> i & 1))
            continue;
        fprintf(out, " %s ", type->fields[i].key);
        trace_print_field(effect, &type->fields[i], out);
    }
}
