/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/trace_reader.h"

#include <string.h>

static bool refuse_value(struct trace *trace, const struct node *node, const char *key,
                         const char *wanted)
{
    char found[80];
    return trace_refuse(trace, node, "%s: expected %s, found %s", key, wanted,
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

static bool read_effect_kind(struct trace *trace, const struct node *node,
                             struct trace_effect *effect, size_t *position)
{
    if (node->kind != NODE_MAP)
        return refuse_value(trace, node, "fx", "an effect");
    const struct node *name = find(node, "t", 1, position);
    if (!name)
        return trace_refuse(trace, node, "an effect without `t`");
    if (name->kind != NODE_STRING)
        return refuse_value(trace, name, "t", "a kind of effect");
    if (trace_find_effect(name->text, name->length, &effect->kind))
        return true;
    const char *meant = nearest(name->text, trace_effect_names, TRACE_EFFECT_KINDS);
    return trace_refuse(trace, name, "unknown kind of effect '%.40s'%s%s%s", name->text,
                        meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
}

/* Either all events of a record have numbers or, in a foreign trace, none. */
static bool read_event_number(struct trace *trace, const struct node *node,
                              struct trace_effect *effect, size_t *position)
{
    const struct node *g = find(node, "g", 1, position);
    if (!(trace->line.has & TRACE_HAS_EVENTS))
        return !g || trace_refuse(trace, g, "`g` of an effect, but no `g0` of the record");
    if (!g)
        return trace_refuse(trace, node, "an effect without `g`");
    return parse_number(g, &effect->g) || refuse_value(trace, g, "g", "a number");
}

static bool read_effect(struct trace *trace, const struct node *node, struct trace_effect *effect)
{
    size_t position = 0;
    if (!read_effect_kind(trace, node, effect, &position))
        return false;
    if (!read_event_number(trace, node, effect, &position))
        return false;
    const struct trace_effect_type *type = &trace_effect_types[effect->kind];
    for (unsigned i = 0; i < type->nfields; i++) {
        const struct trace_field *field = &type->fields[i];
        const struct node *value = find(node, field->key, field->length, &position);
        if (!value && field->required && !trace_is_foreign(trace))
            return trace_refuse(trace, node, "%s: `%s` is missing", type->name, field->key);
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
        return trace_refuse(trace, node, "x: expected 31 words, found %zu", node->count);
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
        if (strcmp(trace_gpr_name(i) + 1, key->text) == 0) {
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
        const struct node *value =
            find(node, trace_register_fields[i].key, trace_register_fields[i].length, &position);
        if (!value)
            continue;
        if (!read_value(trace, &trace_register_fields[i], value, regs->values))
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
        trace_refuse(at->trace, at->map, "`%s` is missing", key);
    return value;
}

static bool want_number(struct cursor *at, const char *key, uint64_t *number)
{
    const struct node *value = want(at, key);
    return value &&
           (parse_number(value, number) || refuse_value(at->trace, value, key, "a number"));
}

static const struct node *look(struct cursor *at, const char *key)
{
    return find(at->map, key, strlen(key), &at->position);
}

/* What a record must have, unless it is foreign; `part` is noted if it is there. */
static const struct node *want_part(struct cursor *at, const char *key, enum trace_part part,
                                    bool *good)
{
    const struct node *value = look(at, key);
    if (value)
        at->trace->line.has |= part;
    *good = value || trace_is_foreign(at->trace) ||
            trace_refuse(at->trace, at->map, "`%s` is missing", key);
    return value;
}

static bool read_part(struct cursor *at, const char *key, const struct node *value,
                      uint64_t *number)
{
    return !value || parse_number(value, number) || refuse_value(at->trace, value, key, "a number");
}

static bool want_number_part(struct cursor *at, const char *key, enum trace_part part,
                             uint64_t *number)
{
    bool good;
    const struct node *value = want_part(at, key, part, &good);
    return good && read_part(at, key, value, number);
}

/* A number that may be missing. */
static bool may_have_number(struct cursor *at, const char *key, enum trace_part part,
                            uint64_t *number)
{
    const struct node *value = look(at, key);
    if (value)
        at->trace->line.has |= part;
    return read_part(at, key, value, number);
}

/* A text that may be missing. */
static bool may_have_text(struct cursor *at, const char *key, const char **text)
{
    const struct node *value = look(at, key);
    if (!value)
        return true;
    *text = value->text;
    return value->kind == NODE_STRING || refuse_value(at->trace, value, key, "a text");
}

static bool want_text(struct cursor *at, const char *key, const char **text)
{
    const struct node *value = want(at, key);
    if (!value)
        return false;
    *text = value->text;
    return value->kind == NODE_STRING || refuse_value(at->trace, value, key, "a text");
}

static bool read_word(struct cursor *at, const char *key, const struct node *value,
                      const char *const *words, size_t count, unsigned *index)
{
    if (value->kind != NODE_STRING)
        return refuse_value(at->trace, value, key, "a text");
    for (*index = 0; *index < count; (*index)++) {
        if (strcmp(value->text, words[*index]) == 0)
            return true;
    }
    const char *meant = nearest(value->text, words, count);
    return trace_refuse(at->trace, value, "%s: unknown word '%.40s'%s%s%s", key, value->text,
                        meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
}

static bool read_hvc(struct cursor *at)
{
    bool good;
    const struct node *hvc = want_part(at, "hvc", 0, &good);
    if (!hvc)
        return good;
    if (hvc->kind != NODE_MAP)
        return refuse_value(at->trace, hvc, "hvc", "a map");
    struct trace_line *line = &at->trace->line;
    struct cursor inside = {at->trace, hvc, 0};
    if (!want_text(&inside, "name", &line->hvc) || !want_number(&inside, "num", &line->hvc_number))
        return false;
    const struct node *args = want(&inside, "args");
    return args && read_list(at->trace, args, "args", &line->hvc_args);
}

/* Why EL2 was entered. */
static bool read_cause(struct cursor *at)
{
    struct trace_line *line = &at->trace->line;
    const struct node *kind = want(at, "kind");
    unsigned index = 0;
    if (!kind || !read_word(at, "kind", kind, trace_kind_names,
                            TRACE_KINDS + trace_is_foreign(at->trace), &index))
        return false;
    line->kind = (enum trace_kind)index;
    const bool is_exit = line->kind == TRACE_KIND_guest_exit;
    if (!may_have_text(at, "vector", &line->vector) ||
        !may_have_number(at, "time", TRACE_HAS_TIME, &line->time) ||
        !may_have_number(at, "task", TRACE_HAS_TASK, &line->task))
        return false;
    if (line->kind == TRACE_KIND_host_hvc && !read_hvc(at))
        return false;
    if (is_exit && !want_number_part(at, "exit_code", TRACE_HAS_EXIT_CODE, &line->exit_code))
        return false;
    return (!is_exit && !trace_is_foreign(at->trace)) || may_have_text(at, "ec", &line->ec);
}

/* What says where and how the stay ended. An unfinished line need not have it. */
static bool read_end(struct cursor *at)
{
    bool good;
    struct trace_line *line = &at->trace->line;
    const struct node *unfinished = look(at, "unfinished");
    line->unfinished = unfinished && unfinished->kind == NODE_BOOL && unfinished->boolean;
    if (line->unfinished)
        return true;
    if (line->has & TRACE_HAS_EVENTS) {
        if (!want_number(at, "g1", &line->g1))
            return false;
    }
    const struct node *value = want_part(at, "to", TRACE_HAS_TO, &good);
    unsigned to;
    if (!good || (value && !read_word(at, "to", value, trace_end_names, TRACE_ENDS, &to)))
        return false;
    if (value)
        line->to = (enum trace_end)to;
    value = want_part(at, "out", TRACE_HAS_OUT, &good);
    return good && (!value || read_registers(at->trace, value, "out", &line->out));
}

bool trace_check_version(struct trace *trace, const struct node *record)
{
    uint64_t version;
    const struct node *value = node_get(record, "version");
    return !value || (parse_number(value, &version) && version == TRACE_VERSION) ||
           refuse_value(trace, value, "version", "the number 1, which this program reads");
}

bool trace_read_tree(struct trace *trace, const struct node *node)
{
    bool good;
    if (node->kind != NODE_MAP)
        return refuse_value(trace, node, "line", "a map");
    struct cursor at = {trace, node, 0};
    struct trace_line *line = &trace->line;
    if (!trace_check_version(trace, node) || !want_number(&at, "seq", &line->seq) ||
        !want_number_part(&at, "cpu", TRACE_HAS_CPU, &line->cpu) || !read_cause(&at) ||
        !want_number_part(&at, "g0", TRACE_HAS_EVENTS, &line->g0))
        return false;
    const struct node *value = want_part(&at, "in", TRACE_HAS_IN, &good);
    if (!good || (value && !read_registers(trace, value, "in", &line->in)))
        return false;
    value = want_part(&at, "fx", TRACE_HAS_FX, &good);
    return good && (!value || read_effects(trace, value)) && read_end(&at);
}

/* --- The origin of a foreign trace ----------------------------------------------------------- */

bool trace_is_origin(const struct node *node)
{
    return node->kind == NODE_MAP && node_is(node_get(node, "kind"), "origin");
}

static const char *keep_text(struct trace *trace, const char *text)
{
    return text ? arena_strdup(trace->origin_texts, text, strlen(text)) : NULL;
}

bool trace_read_origin(struct trace *trace, const struct node *node)
{
    struct cursor at = {trace, node, 0};
    const char *format;
    const char *detail = NULL;
    if (trace->records > 1)
        return trace_refuse(trace, node, "the origin of a trace is its first record");
    if (!want_text(&at, "format", &format) || !may_have_text(&at, "detail", &detail))
        return false;
    trace->origin_texts = arena_new();
    trace->origin.format = keep_text(trace, format);
    trace->origin.detail = keep_text(trace, detail);
    return true;
}
