/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "machine/read.h"
#include "patch/number.h"
#include "trace/trace_fields.h"

/* Sections about records: the recorder's dialect, what is not compared, limits. */

enum { MAX_FIELDS = 32, ALL_KINDS = (1 << TRACE_KINDS) - 1 };

/* --- Effects and their fields ---------------------------------------------------------------- */

static bool read_effect(struct machine_reader *reader, const struct node *node,
                        enum trace_effect_kind *kind)
{
    const char *name;
    return reader_text(&reader->reader, node, "effect", &name) &&
           (trace_find_effect(name, node->length, kind) ||
            reader_unknown(&reader->reader, node, "effect", trace_effect_names,
                           TRACE_EFFECT_KINDS));
}

static bool find_field(enum trace_effect_kind kind, const char *name, size_t length,
                       unsigned *field)
{
    const struct trace_effect_type *type = &trace_effect_types[kind];
    for (*field = 0; *field < type->nfields; ++*field) {
        const struct trace_field *candidate = &type->fields[*field];
        if (candidate->length == length && memcmp(candidate->key, name, length) == 0)
            return true;
    }
    return false;
}

static bool read_field(struct machine_reader *reader, const struct node *node,
                       enum trace_effect_kind kind, unsigned *field)
{
    const struct trace_effect_type *type = &trace_effect_types[kind];
    const char *name, *names[MAX_FIELDS];
    if (!reader_text(&reader->reader, node, "a field", &name))
        return false;
    if (find_field(kind, name, node->length, field))
        return true;
    for (unsigned i = 0; i < type->nfields; i++)
        names[i] = type->fields[i].key;
    char what[64];
    snprintf(what, sizeof what, "field of %s", type->name);
    return reader_unknown(&reader->reader, node, what, names, type->nfields);
}

/* A list of fields of the effect, as bits. */
static bool read_fields(struct machine_reader *reader, const struct node *node,
                        enum trace_effect_kind kind, uint32_t *fields)
{
    if (!reader_list(&reader->reader, node, "a list of fields"))
        return false;
    bool fine = true;
    for (size_t i = 0; i < node->count; i++) {
        unsigned field = 0;
        fine = read_field(reader, &node->items[i], kind, &field) && fine;
        *fields |= 1u << field;
    }
    return fine;
}

/* "index + 0x40000", "ipa >> 12": '=' where there is no operator. */
static bool read_derived(struct machine_reader *reader, const struct node *node,
                         enum trace_effect_kind kind, struct machine_value *value)
{
    static const char *const words[] = {" + ", " - ", " & ", " | ", " << ", " >> "};
    static const char operators[] = "+-&|<>";
    struct number_error error;
    if (find_field(kind, node->text, node->length, &value->field)) {
        *value = (struct machine_value){MACHINE_field, 0, NULL, value->field, '='};
        return true;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *at = strstr(node->text, words[i]);
        if (!at || !find_field(kind, node->text, (size_t)(at - node->text), &value->field))
            continue;
        at += strlen(words[i]);
        value->kind = MACHINE_field;
        value->operator= operators[i];
        return number_parse(reader->profile, at, strlen(at), &value->number, &error) ||
               reader_error(&reader->reader, node, "%s", error.message);
    }
    return false;
}

static bool read_value(struct machine_reader *reader, const struct node *node,
                       enum trace_effect_kind kind, unsigned field, struct machine_value *value)
{
    const struct trace_field *type = &trace_effect_types[kind].fields[field];
    *value = (struct machine_value){0};
    if (type->format == TRACE_list)
        return reader_error(&reader->reader, node, "%s is a list, which a rule cannot speak of",
                            type->key);
    if (type->format == TRACE_text) {
        value->kind = MACHINE_text;
        return reader_text(&reader->reader, node, type->key, &value->text);
    }
    if (node->kind == NODE_STRING && !node->quoted && read_derived(reader, node, kind, value))
        return true;
    value->kind = MACHINE_number;
    return machine_read_word(reader, node, type->key, &value->number);
}

static bool read_settings(struct machine_reader *reader, const struct node *node, const char *what,
                          enum trace_effect_kind kind, const struct machine_setting **settings,
                          size_t *count)
{
    if (!reader_map(&reader->reader, node, what))
        return false;
    struct machine_setting *list = machine_grow(reader, NULL, 0, node->count, sizeof *list);
    bool fine = true;
    for (size_t i = 0; i < node->count; i++)
        fine = read_field(reader, &node->keys[i], kind, &list[i].field) &&
               read_value(reader, &node->items[i], kind, list[i].field, &list[i].value) && fine;
    *settings = list;
    *count = node->count;
    return fine;
}

/* The keys effect, inside, when of `node`; or its text alone, the effect. */
static bool read_pattern(struct machine_reader *reader, const struct node *node,
                         struct machine_pattern *pattern)
{
    if (node->kind == NODE_STRING)
        return read_effect(reader, node, &pattern->effect);
    if (!reader_map(&reader->reader, node, "an effect"))
        return false;
    const struct node *effect = node_get(node, "effect"), *when = node_get(node, "when");
    if (!effect)
        return reader_error(&reader->reader, node, "'effect' is missing");
    if (!read_effect(reader, effect, &pattern->effect))
        return false;
    return reader_text_at(&reader->reader, node, "inside", &pattern->inside) &&
           (!when ||
            read_settings(reader, when, "when", pattern->effect, &pattern->when, &pattern->count));
}

/* --- dialect --------------------------------------------------------------------------------- */

static bool read_anchor(struct machine_reader *reader, const struct node *node,
                        struct machine_rule *rule)
{
    static const char *const keys[] = {"effect", "inside", "when", NULL};
    rule->is_all = node_is(node, "all");
    return rule->is_all ||
           ((node->kind != NODE_MAP || reader_keys(&reader->reader, node, "an effect", keys)) &&
            read_pattern(reader, node, &rule->anchor));
}

/* What the recorder does, by the one key that says so. */
static bool read_habit(struct machine_reader *reader, const char *key, const struct node *node,
                       struct machine_rule *rule)
{
    bool omits = false;
    if (strcmp(key, "says") == 0) {
        rule->kind = MACHINE_RULE_says;
        return read_settings(reader, node, key, rule->what.effect, &rule->settings,
                             &rule->nsettings);
    }
    if (strcmp(key, "leaves_out") == 0) {
        rule->kind = MACHINE_RULE_leaves_out;
        return read_fields(reader, node, rule->what.effect, &rule->fields);
    }
    if (strcmp(key, "omits") == 0) {
        rule->kind = MACHINE_RULE_omits;
        return reader_flag(&reader->reader, node, key, &omits) &&
               (omits || reader_error(&reader->reader, node, "omits is true, or not there"));
    }
    rule->kind = strcmp(key, "before") == 0 ? MACHINE_RULE_before : MACHINE_RULE_after;
    return read_anchor(reader, node, rule);
}

static bool read_rule(struct machine_reader *reader, const struct node *node,
                      struct machine_rule *rule)
{
    static const char *const keys[] = {"id",         "why",   "effect", "inside", "when", "says",
                                       "leaves_out", "omits", "before", "after",  NULL};
    enum { FIRST_HABIT = 5 };
    if (!reader_keys(&reader->reader, node, "a rule", keys) ||
        !read_pattern(reader, node, &rule->what))
        return false;
    bool fine = reader_text_at(&reader->reader, node, "id", &rule->id) &&
                reader_text_at(&reader->reader, node, "why", &rule->why);
    unsigned habits = 0;
    for (size_t i = FIRST_HABIT; keys[i]; i++) {
        const struct node *habit = node_get(node, keys[i]);
        habits += habit != NULL;
        fine = (!habit || read_habit(reader, keys[i], habit, rule)) && fine;
    }
    if (habits != 1)
        return reader_error(&reader->reader, node,
                            "a rule has one of: says, leaves_out, omits, before, after");
    return fine;
}

bool machine_read_dialect(struct machine_reader *reader, const struct node *node)
{
    if (!reader_list(&reader->reader, node, "dialect"))
        return false;
    struct machine_description *machine = reader->machine;
    const size_t have = machine->nrules;
    struct machine_rule *rules =
        machine_grow(reader, machine->rules, have, node->count, sizeof *rules);
    bool fine = true;
    for (size_t i = 0; i < node->count; i++)
        fine = read_rule(reader, &node->items[i], &rules[have + i]) && fine;
    machine->rules = rules;
    machine->nrules = have + node->count;
    return fine;
}

/* --- not_compared ---------------------------------------------------------------------------- */

static bool read_register(struct machine_reader *reader, const struct node *node,
                          struct machine_exclusion *exclusion)
{
    const char *names[TRACE_REGISTERS + TRACE_GPRS + 1], *name;
    size_t count = 0;
    if (!reader_text(&reader->reader, node, "a register", &name))
        return false;
    if (strcmp(name, "x") == 0) {
        exclusion->gprs = (1u << TRACE_GPRS) - 1;
        return true;
    }
    for (unsigned i = 0; i < TRACE_REGISTERS; i++)
        names[count++] = trace_register_name((enum trace_register)i);
    for (unsigned i = 0; i < TRACE_GPRS; i++)
        names[count++] = trace_gpr_name(i);
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        if (i < TRACE_REGISTERS)
            exclusion->registers |= 1u << i;
        else
            exclusion->gprs |= 1u << (i - TRACE_REGISTERS);
        return true;
    }
    names[count++] = "x";
    return reader_unknown(&reader->reader, node, "register", names, count);
}

static bool read_registers(struct machine_reader *reader, const struct node *node,
                           struct machine_exclusion *exclusion)
{
    exclusion->part = MACHINE_PART_register;
    if (!reader_list(&reader->reader, node, "registers"))
        return false;
    bool fine = true;
    for (size_t i = 0; i < node->count; i++)
        fine = read_register(reader, &node->items[i], exclusion) && fine;
    return fine;
}

static bool read_at(struct machine_reader *reader, const struct node *node,
                    struct machine_exclusion *exclusion)
{
    if (!node_is(node, "entry") && !node_is(node, "exit"))
        return reader_error(&reader->reader, node, "at is entry or exit");
    exclusion->at_entry = node_is(node, "entry");
    exclusion->at_exit = !exclusion->at_entry;
    return true;
}

static bool read_kinds(struct machine_reader *reader, const struct node *node, uint32_t *kinds)
{
    if (!reader_list(&reader->reader, node, "of"))
        return false;
    *kinds = 0;
    bool fine = true;
    for (size_t i = 0; i < node->count; i++) {
        unsigned kind = 0;
        while (kind < TRACE_KINDS && !node_is(&node->items[i], trace_kind_names[kind]))
            kind++;
        if (kind == TRACE_KINDS)
            fine = node->items[i].kind == NODE_STRING
                       ? reader_unknown(&reader->reader, &node->items[i], "kind of trap",
                                        trace_kind_names, TRACE_KINDS)
                       : reader_error(&reader->reader, &node->items[i], "a kind of trap is wanted");
        *kinds |= 1u << kind;
    }
    return fine;
}

static bool read_exclusion(struct machine_reader *reader, const struct node *node,
                           struct machine_exclusion *exclusion)
{
    static const char *const keys[] = {"registers", "at",     "of",  "effect", "inside",
                                       "when",      "fields", "why", NULL};
    if (!reader_keys(&reader->reader, node, "not_compared", keys))
        return false;
    const struct node *registers = node_get(node, "registers"), *at = node_get(node, "at");
    const struct node *of = node_get(node, "of"), *fields = node_get(node, "fields");
    exclusion->kinds = ALL_KINDS;
    exclusion->at_entry = exclusion->at_exit = true;
    bool fine = reader_text_at(&reader->reader, node, "why", &exclusion->why);
    if (fine && !exclusion->why)
        fine = reader_error(&reader->reader, node,
                            "'why' is missing: what is not compared has a "
                            "reason");
    if (!registers == !node_get(node, "effect"))
        return reader_error(&reader->reader, node, "either registers or an effect");
    fine = (!of || read_kinds(reader, of, &exclusion->kinds)) && fine;
    if (registers)
        return read_registers(reader, registers, exclusion) &&
               (!at || read_at(reader, at, exclusion)) && fine;
    exclusion->part = MACHINE_PART_effect;
    return read_pattern(reader, node, &exclusion->what) &&
           (!fields || read_fields(reader, fields, exclusion->what.effect, &exclusion->fields)) &&
           fine;
}

bool machine_read_not_compared(struct machine_reader *reader, const struct node *node)
{
    if (!reader_list(&reader->reader, node, "not_compared"))
        return false;
    struct machine_description *machine = reader->machine;
    const size_t have = machine->nexclusions;
    struct machine_exclusion *list =
        machine_grow(reader, machine->exclusions, have, node->count, sizeof *list);
    bool fine = true;
    for (size_t i = 0; i < node->count; i++)
        fine = read_exclusion(reader, &node->items[i], &list[have + i]) && fine;
    machine->exclusions = list;
    machine->nexclusions = have + node->count;
    return fine;
}

/* --- limits ---------------------------------------------------------------------------------- */

bool machine_read_limits(struct machine_reader *reader, const struct node *node)
{
    if (!reader_list(&reader->reader, node, "limits"))
        return false;
    struct machine_description *machine = reader->machine;
    const size_t have = machine->nlimits;
    const char **list = machine_grow(reader, machine->limits, have, node->count, sizeof *list);
    bool fine = true;
    for (size_t i = 0; i < node->count; i++)
        fine = reader_text(&reader->reader, &node->items[i], "a limit", &list[have + i]) && fine;
    machine->limits = list;
    machine->nlimits = have + node->count;
    return fine;
}
