/* SPDX-License-Identifier: GPL-2.0-only */
#include "twin/compare.h"

#include <string.h>

/* How far ahead a missing effect is looked for before two effects are called unrelated. */
enum { LOOK_AHEAD = 16 };

void differ(struct differences *found, const struct difference *difference)
{
    if (found->count < DIFFERENCES_MAX)
        found->list[found->count] = *difference;
    found->count++;
}

void differ_in(struct differences *found, const char *path, uint64_t model, uint64_t machine)
{
    if (model != machine)
        differ(found,
               &(struct difference){.path = path, .model_value = model, .machine_value = machine});
}

static bool is_present(const struct trace_effect *effect, unsigned field)
{
    return effect->present >> field & 1;
}

static bool same_text(const struct trace_effect *a, const struct trace_effect *b,
                      const struct trace_field *field)
{
    const char *first = trace_field_text(a, field), *second = trace_field_text(b, field);
    return first == second || strcmp(first, second) == 0;
}

/* Do both speak of the same thing: the same kind of effect, on the same lock, level, function? */
static bool same_subject(const struct trace_effect *a, const struct trace_effect *b)
{
    if (a->kind != b->kind)
        return false;
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(a->kind, &count);
    for (unsigned i = 0; i < count; i++) {
        if (fields[i].format == TRACE_text && is_present(a, i) && is_present(b, i) &&
            !same_text(a, b, &fields[i]))
            return false;
    }
    return true;
}

static bool same_list(const struct trace_list *a, const struct trace_list *b)
{
    return a->count == b->count && memcmp(a->values, b->values, a->count * sizeof *a->values) == 0;
}

static bool same_value(const struct trace_effect *a, const struct trace_effect *b,
                       const struct trace_field *field)
{
    if (field->format == TRACE_text)
        return true; /* told apart by same_subject */
    if (field->format == TRACE_list)
        return same_list(trace_field_list(a, field), trace_field_list(b, field));
    return trace_field_word(a, field) == trace_field_word(b, field);
}

static bool is_same_in(const struct trace_effect *model, const struct trace_effect *machine,
                       const struct trace_field *field)
{
    return field->format == TRACE_text ? same_text(model, machine, field)
                                       : same_value(model, machine, field);
}

/* Is there nothing to tell of the two? */
static bool is_same(const struct trace_effect *model, const struct trace_effect *machine)
{
    unsigned count;
    if (model->kind != machine->kind)
        return false;
    const struct trace_field *field = trace_effect_fields(model->kind, &count);
    for (uint32_t both = model->present & machine->present; both; both >>= 1, field++) {
        if ((both & 1) && !is_same_in(model, machine, field))
            return false;
    }
    return true;
}

static void compare_fields(const struct trace_effect *model, const struct trace_effect *machine,
                           struct differences *found)
{
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(model->kind, &count);
    for (unsigned i = 0; i < count; i++) {
        if (is_present(model, i) && is_present(machine, i) &&
            !same_value(model, machine, &fields[i]))
            differ(found, &(struct difference){.model = model,
                                               .machine = machine,
                                               .field = &fields[i],
                                               .path = fields[i].key});
    }
}

/* How many effects of `list` come before one with this subject; `count` or more: none does. */
static size_t distance(const struct trace_effect *subject, const struct trace_effect *list,
                       size_t count)
{
    size_t limit = count < LOOK_AHEAD ? count : LOOK_AHEAD;
    for (size_t i = 0; i < limit; i++) {
        if (same_subject(subject, &list[i]))
            return i;
    }
    return SIZE_MAX;
}

static void only_in_model(const struct trace_effect *model, struct differences *found)
{
    differ(found, &(struct difference){.model = model});
}

static void only_in_machine(const struct trace_effect *machine, struct differences *found)
{
    differ(found, &(struct difference){.machine = machine});
}

bool compare_prefix(const struct trace_effect *model, size_t count,
                    const struct trace_effect *machine, size_t nmachine)
{
    size_t i = 0;
    while (i < count && i < nmachine && is_same(&model[i], &machine[i]))
        i++;
    return i == count;
}

void compare_effects(const struct trace_effect *model, size_t nmodel,
                     const struct trace_effect *machine, size_t nmachine, struct differences *found)
{
    size_t i = 0;
    size_t j = 0;
    while (i < nmodel && j < nmachine) {
        if (is_same(&model[i], &machine[j])) {
            i++, j++;
            continue;
        }
        size_t skip_machine = distance(&model[i], &machine[j], nmachine - j);
        if (skip_machine == 0) {
            compare_fields(&model[i++], &machine[j++], found);
            continue;
        }
        size_t skip_model = distance(&machine[j], &model[i], nmodel - i);
        if (skip_machine >= skip_model)
            only_in_model(&model[i++], found);
        if (skip_model >= skip_machine)
            only_in_machine(&machine[j++], found);
    }
    for (; i < nmodel; i++)
        only_in_model(&model[i], found);
    for (; j < nmachine; j++)
        only_in_machine(&machine[j], found);
}
