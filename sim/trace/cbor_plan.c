/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/cbor_plan.h"

#include "trace/trace_fields.h"

static void add_step(struct cbor_plan *plan, struct cbor_step step)
{
    struct cbor_step *last = plan->nsteps > 0 ? &plan->steps[plan->nsteps - 1] : NULL;
    const bool continues =
        last && last->kind == step.kind &&
        (step.kind == STEP_PASS ||
         (step.kind == STEP_COPY && step.offset == last->offset + last->count * sizeof(uint64_t)));
    if (continues)
        last->count += step.count;
    else
        plan->steps[plan->nsteps++] = step;
}

static void add_copy(struct cbor_plan *plan, size_t offset)
{
    add_step(plan, (struct cbor_step){.kind = STEP_COPY, .offset = offset, .count = 1});
}

/* A value that the role has no use for. */
static void add_pass(struct cbor_plan *plan, enum cbor_kind kind)
{
    struct cbor_step step = {.kind = STEP_PASS, .role = ROLE_PASS, .count = 1};
    switch (kind) {
    case CBOR_constant:
    case CBOR_value: return;
    case CBOR_word:
    case CBOR_int:
    case CBOR_uint: break;
    case CBOR_words: step.kind = STEP_PASS_WORDS; break;
    case CBOR_shape: step.kind = STEP_SHAPE; break;
    case CBOR_shapes: step.kind = STEP_PASS_SHAPES; break;
    case CBOR_numbered_words:
    case CBOR_addressed_words: step.kind = STEP_PASS_KEYED; break;
    case CBOR_numbered_shapes:
    case CBOR_addressed_shapes: step.kind = STEP_PASS_KEYED_SHAPES; break;
    }
    add_step(plan, step);
}

static bool is_number(enum cbor_kind kind)
{
    return kind == CBOR_int || kind == CBOR_uint;
}

static const char *constant_text(const struct cbor_field *field)
{
    const struct node *node = &field->constant;
    return field->kind == CBOR_constant && node->kind == NODE_STRING ? node->text : NULL;
}

/* A value of a table's field, to `offset` in what the role makes, `made`. False: odd. */
static bool add_field(struct cbor_plan *plan, const struct trace_field *field,
                      const struct cbor_field *value, void *made)
{
    switch (field->format) {
    case TRACE_hex:
        if (value->kind != CBOR_word)
            return false;
        break;
    case TRACE_number:
        if (!is_number(value->kind))
            return false;
        break;
    case TRACE_either:
        if (value->kind != CBOR_word && !is_number(value->kind))
            return false;
        break;
    case TRACE_list:
        add_step(plan, (struct cbor_step){.kind = STEP_LIST, .offset = field->offset});
        return value->kind == CBOR_words;
    case TRACE_text:
        *(const char **)(void *)((char *)made + field->offset) = constant_text(value);
        return constant_text(value);
    }
    add_copy(plan, field->offset);
    return true;
}

/* The index of the field of that key, or -1. Fields mostly stand in the order of the table. */
static int find_field(const struct trace_field *fields, unsigned count, const struct node *key)
{
    for (unsigned i = 0; i < count; i++) {
        if (fields[i].length == key->length && memcmp(fields[i].key, key->text, key->length) == 0)
            return (int)i;
    }
    return -1;
}

static bool plan_effect_field(struct cbor_plan *plan, const struct trace_effect_type *type,
                              const struct node *key, const struct cbor_field *value, bool *has_g)
{
    struct trace_effect *effect = &plan->made.effect;
    if (node_is(key, "t"))
        return true;
    if (node_is(key, "g")) {
        if (*has_g || !is_number(value->kind))
            return false;
        add_copy(plan, offsetof(struct trace_effect, g));
        *has_g = true;
        return true;
    }
    const int i = find_field(type->fields, type->nfields, key);
    if (i < 0) {
        add_pass(plan, value->kind);
        return true;
    }
    const bool is_twice = effect->present >> i & 1;
    effect->present |= 1u << i;
    return !is_twice && add_field(plan, &type->fields[i], value, effect);
}

static bool plan_effect(struct cbor_plan *plan, const struct cbor_template *template)
{
    struct trace_effect *effect = &plan->made.effect;
    const struct node map = {.kind = NODE_MAP, .count = template->count, .keys = template->keys};
    const long t = node_index(&map, "t");
    const char *name = t < 0 ? NULL : constant_text(&template->fields[t]);
    bool has_g = false;
    if (!name || !trace_find_effect(name, strlen(name), &effect->kind))
        return false;
    const struct trace_effect_type *type = &trace_effect_types[effect->kind];
    for (size_t i = 0; i < template->count; i++) {
        if (!plan_effect_field(plan, type, &template->keys[i], &template->fields[i], &has_g))
            return false;
    }
    for (unsigned i = 0; i < type->nfields; i++) {
        if (type->fields[i].required && !(effect->present >> i & 1))
            return false;
    }
    return has_g;
}

static bool plan_x(struct cbor_plan *plan, enum cbor_kind kind)
{
    if (kind != CBOR_words && kind != CBOR_numbered_words)
        return false;
    add_step(plan, (struct cbor_step){.kind = kind == CBOR_words ? STEP_GPRS : STEP_NUMBERED_GPRS});
    return true;
}

static bool plan_registers(struct cbor_plan *plan, const struct cbor_template *template)
{
    bool has_x = false;
    for (size_t i = 0; i < template->count; i++) {
        const struct node *key = &template->keys[i];
        const struct cbor_field *value = &template->fields[i];
        const int reg = find_field(trace_register_fields, TRACE_REGISTERS, key);
        if (reg >= 0) {
            struct trace_field field = trace_register_fields[reg];
            field.offset += offsetof(struct trace_registers, values);
            if (plan->present >> reg & 1 || !add_field(plan, &field, value, NULL))
                return false;
            plan->present |= 1u << reg;
        } else if (node_is(key, "x")) {
            if (has_x || !plan_x(plan, value->kind))
                return false;
            has_x = true;
        } else {
            add_pass(plan, value->kind);
        }
    }
    return true;
}

static bool find_word(const char *const *words, unsigned count, const char *text, unsigned *index)
{
    for (*index = 0; text && *index < count; (*index)++) {
        if (strcmp(words[*index], text) == 0)
            return true;
    }
    return false;
}

static bool plan_fx(struct cbor_plan *plan, enum cbor_kind kind)
{
    if (kind != CBOR_words && kind != CBOR_shapes)
        return false;
    add_step(plan, (struct cbor_step){.kind = kind == CBOR_words ? STEP_NO_EFFECTS : STEP_EFFECTS});
    return true;
}

static bool plan_nested(struct cbor_plan *plan, const struct cbor_field *value, enum cbor_role role,
                        size_t offset)
{
    add_step(plan, (struct cbor_step){.kind = STEP_SHAPE, .role = role, .offset = offset});
    return value->kind == CBOR_shape;
}

static bool plan_line_key(struct cbor_plan *plan, enum trace_line_key key,
                          const struct cbor_field *value)
{
    struct trace_line *line = &plan->made.line;
    unsigned index = 0;
    switch (key) {
    case TRACE_KEY_kind:
        if (!find_word(trace_kind_names, TRACE_KINDS, constant_text(value), &index))
            return false;
        line->kind = (enum trace_kind)index;
        return true;
    case TRACE_KEY_to:
        if (!find_word(trace_end_names, TRACE_ENDS, constant_text(value), &index))
            return false;
        line->to = (enum trace_end)index;
        return true;
    case TRACE_KEY_ec: line->ec = constant_text(value); return line->ec;
    case TRACE_KEY_vector: line->vector = constant_text(value); return line->vector;
    case TRACE_KEY_hvc: return plan_nested(plan, value, ROLE_HVC, 0);
    case TRACE_KEY_in:
        return plan_nested(plan, value, ROLE_REGISTERS, offsetof(struct trace_line, in));
    case TRACE_KEY_out:
        return plan_nested(plan, value, ROLE_REGISTERS, offsetof(struct trace_line, out));
    case TRACE_KEY_fx: return plan_fx(plan, value->kind);
    case TRACE_KEY_unfinished:
    case TRACE_KEY_version:
    case TRACE_LINE_KEYS: return false;
    default: add_copy(plan, trace_line_fields[key].offset); return is_number(value->kind);
    }
}

static bool plan_line(struct cbor_plan *plan, const struct cbor_template *template)
{
    for (size_t i = 0; i < template->count; i++) {
        const int key = find_field(trace_line_fields, TRACE_LINE_KEYS, &template->keys[i]);
        if (key < 0) {
            add_pass(plan, template->fields[i].kind);
            continue;
        }
        if (plan->has_keys >> key & 1 ||
            !plan_line_key(plan, (enum trace_line_key)key, &template->fields[i]))
            return false;
        plan->has_keys |= 1u << key;
        plan->made.line.has |= trace_line_parts[key];
    }
    return trace_line_is_complete(&plan->made.line, plan->has_keys);
}

static bool plan_hvc(struct cbor_plan *plan, const struct cbor_template *template)
{
    unsigned found = 0;
    for (size_t i = 0; i < template->count; i++) {
        const struct cbor_field *value = &template->fields[i];
        const int field = find_field(trace_hvc_fields, TRACE_HVC_FIELDS, &template->keys[i]);
        if (field < 0) {
            add_pass(plan, value->kind);
            continue;
        }
        if (found >> field & 1 ||
            !add_field(plan, &trace_hvc_fields[field], value, &plan->made.line))
            return false;
        found |= 1u << field;
    }
    add_step(plan, (struct cbor_step){.kind = STEP_TEXT,
                                      .offset = offsetof(struct trace_line, hvc),
                                      .text = plan->made.line.hvc});
    return found == 7;
}

static bool plan_pass(struct cbor_plan *plan, const struct cbor_template *template)
{
    for (size_t i = 0; i < template->count; i++)
        add_pass(plan, template->fields[i].kind);
    return true;
}

struct cbor_plan *cbor_plan_make(struct cbor_reader *reader, struct cbor_template *template,
                                 enum cbor_role role)
{
    struct cbor_plan *plan = arena_alloc(reader->memory, sizeof *plan);
    bool good = role == ROLE_PASS || template->form == CBOR_FORM_map;
    plan->steps = arena_alloc(reader->memory, (template->count + 1) * sizeof *plan->steps);
    switch (role) {
    case ROLE_LINE: good = good && plan_line(plan, template); break;
    case ROLE_REGISTERS: good = good && plan_registers(plan, template); break;
    case ROLE_EFFECT: good = good && plan_effect(plan, template); break;
    case ROLE_HVC: good = good && plan_hvc(plan, template); break;
    case ROLE_PASS: good = good && plan_pass(plan, template); break;
    case ROLES: break;
    }
    plan->is_odd = !good;
    template->plans[role] = plan;
    return plan;
}
