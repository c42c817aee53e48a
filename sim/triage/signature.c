/* SPDX-License-Identifier: GPL-2.0-only */
#include "triage/signature.h"

#include <inttypes.h>
#include <string.h>

#include "base/shown.h"
#include "twin/difference.h"

const char *triage_relation_words(enum triage_relation relation)
{
    static const char *const words[] = {
#define WORDS(name, text) text,
        TRIAGE_RELATION_MAP(WORDS)
#undef WORDS
    };
    return words[relation];
}

static const struct trace_effect *subject_of(const struct difference *difference)
{
    return difference->machine ? difference->machine : difference->model;
}

/* --- Values ---------------------------------------------------------------------------------- */

/* The first words of two lists that differ. */
static bool list_values(const struct difference *difference, uint64_t *model, uint64_t *machine)
{
    const struct trace_list *a = trace_field_list(difference->model, difference->field);
    const struct trace_list *b = trace_field_list(difference->machine, difference->field);
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        *model = a->values[i];
        *machine = b->values[i];
        if (*model != *machine)
            return true;
    }
    return false;
}

bool triage_values(const struct difference *difference, uint64_t *model, uint64_t *machine)
{
    const struct trace_field *field = difference->field;
    if (field && field->format == TRACE_list)
        return list_values(difference, model, machine);
    if (field && field->format != TRACE_text) {
        *model = trace_field_word(difference->model, field);
        *machine = trace_field_word(difference->machine, field);
        return true;
    }
    *model = difference->model_value;
    *machine = difference->machine_value;
    return !field && difference->path && !subject_of(difference) && *model != *machine;
}

static bool is_shifted(uint64_t from, uint64_t to)
{
    enum { LEAST = 2, MOST = 48 };
    for (unsigned bits = LEAST; bits <= MOST; bits++) {
        if (from >> bits == to || from << bits == to)
            return true;
    }
    return false;
}

static enum triage_relation relate(uint64_t model, uint64_t machine)
{
    enum { NEAR = 16 };
    const uint64_t address = UINT64_C(0x0000fffffffff000), differ = model ^ machine;
    if (machine == 0)
        return TRIAGE_becomes_zero;
    if (model == 0)
        return TRIAGE_was_zero;
    if (machine == (model & UINT32_MAX))
        return TRIAGE_low_half;
    if (is_shifted(model, machine))
        return TRIAGE_shifted;
    if ((model & address) != 0 && (differ & address) == 0)
        return TRIAGE_attributes;
    if (machine - model <= NEAR || model - machine <= NEAR)
        return TRIAGE_near;
    return (differ & ~address) == 0 ? TRIAGE_address : TRIAGE_other;
}

static enum triage_relation relation_of(const struct difference *difference)
{
    uint64_t model, machine;
    if (difference_is_undefined(difference))
        return TRIAGE_undefined;
    if (difference_breaks_rule(difference))
        return TRIAGE_rule;
    if (triage_values(difference, &model, &machine))
        return relate(model, machine);
    if (!difference->field && subject_of(difference))
        return difference->machine ? TRIAGE_only_machine : TRIAGE_only_model;
    return subject_of(difference) ? TRIAGE_other : TRIAGE_contradicts;
}

/* --- Signatures ------------------------------------------------------------------------------ */

void triage_name_effect(const struct trace_effect *effect, char *text, size_t size)
{
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    size_t length = (size_t)snprintf(text, size, "%s", trace_effect_name(effect->kind));
    for (unsigned i = 0; i < count && length < size; i++) {
        const bool is_name = fields[i].format == TRACE_text && strcmp(fields[i].key, "reg") != 0 &&
                             strcmp(fields[i].key, "caller") != 0;
        if (is_name && (effect->present >> i & 1))
            length += (size_t)snprintf(text + length, size - length, " %s",
                                       trace_field_text(effect, &fields[i]));
    }
}

void triage_name_call(const struct trace_line *line, char *text, size_t size)
{
    enum { CLASS_SHIFT = 26, CLASS_MASK = 63 };
    const uint64_t class = line->in.values[TRACE_REG_esr] >> CLASS_SHIFT & CLASS_MASK;
    if (line->kind == TRACE_KIND_host_hvc)
        snprintf(text, size, "%s", line->hvc ? line->hvc : "");
    else if (line->kind == TRACE_KIND_guest_exit && line->ec)
        snprintf(text, size, "%s", line->ec);
    else
        snprintf(text, size, "%s", fh_arm_class_name(class) ? fh_arm_class_name(class) : "");
}

void triage_sign(const struct twin *twin, const struct trace_line *line,
                 const struct difference *difference, struct triage_signature *signature)
{
    const struct trace_effect *effect = subject_of(difference);
    *signature = (struct triage_signature){.kind = line->kind};
    triage_name_call(line, signature->call, sizeof signature->call);
    if (!twin_spec_function(twin, difference, signature->function, sizeof signature->function))
        signature->function[0] = '\0';
    if (effect)
        triage_name_effect(effect, signature->effect, sizeof signature->effect);
    snprintf(signature->field, sizeof signature->field, "%s",
             difference->path ? difference->path : "");
    signature->relation = relation_of(difference);
}

bool triage_is_same(const struct triage_signature *a, const struct triage_signature *b)
{
    return a->kind == b->kind && a->relation == b->relation && strcmp(a->call, b->call) == 0 &&
           strcmp(a->function, b->function) == 0 && strcmp(a->effect, b->effect) == 0 &&
           strcmp(a->field, b->field) == 0;
}

/* A part that is there; calls and effects have texts of the trace. */
static void print_part(const char *before, const char *text, FILE *out)
{
    if (!*text)
        return;
    fputs(before, out);
    print_shown(out, text, strlen(text));
}

void triage_print_signature(const struct triage_signature *signature, FILE *out)
{
    fputs(trace_kind_name(signature->kind), out);
    print_part(" ", signature->call, out);
    print_part(", ", signature->function, out);
    print_part(", ", signature->effect, out);
    print_part(*signature->effect ? " " : ", ", signature->field, out);
    fprintf(out, ": %s", triage_relation_words(signature->relation));
}

/* --- In one trap ----------------------------------------------------------------------------- */

const struct difference *triage_lead(const struct differences *found)
{
    return found->count > 0 ? &found->list[0] : NULL;
}

/* Behind these the two go different ways: what comes then is not the same trap any more. */
static bool parts_ways(const struct difference *difference)
{
    const struct trace_effect *effect = subject_of(difference);
    if (difference_is_undefined(difference))
        return true;
    return effect && !difference->field &&
           (effect->kind == TRACE_panic || effect->kind == TRACE_fn ||
            effect->kind == TRACE_fn_ret);
}

static bool says_the_same(const struct difference *a, const struct difference *b)
{
    uint64_t model[2], machine[2];
    return triage_values(a, &model[0], &machine[0]) && triage_values(b, &model[1], &machine[1]) &&
           model[0] == model[1] && machine[0] == machine[1];
}

static bool is_of_effect(const struct difference *difference)
{
    return subject_of(difference) != NULL;
}

/* Effects one behind the other that only the machine has are one thing. */
static bool goes_on(const struct difference *a, const struct difference *b)
{
    return !a->model && !b->model && a->machine && b->machine == a->machine + 1;
}

static bool follows_one_of(const struct differences *found, size_t at)
{
    const struct difference *difference = &found->list[at];
    const bool is_at_end = !is_of_effect(difference);
    for (size_t i = 0; i < at; i++) {
        const struct difference *before = &found->list[i];
        if (parts_ways(before) || goes_on(before, difference) ||
            says_the_same(before, difference) || (is_at_end && is_of_effect(before)))
            return true;
    }
    return false;
}

uint64_t triage_followers(const struct differences *found)
{
    uint64_t followers = 0;
    for (size_t i = 1; i < differences_listed(found); i++) {
        if (follows_one_of(found, i))
            followers |= UINT64_C(1) << i;
    }
    return followers;
}

/* --- From trap to trap ----------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * UINT64_C(0x100000001b3);
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = mix(hash, (unsigned char)*text);
    return hash;
}

static uint64_t mix_each(uint64_t hash, const uint64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash = mix(hash, values[i]);
    return hash;
}

#define MIX(hash, ...)                                                                             \
    mix_each(hash, (const uint64_t[]){__VA_ARGS__},                                                \
             sizeof(const uint64_t[]){__VA_ARGS__} / sizeof(uint64_t))

/* "in.hcr" is what "out.hcr" was. */
static uint64_t subject_of_register(const struct trace_line *line, const char *path)
{
    const char *dot = strchr(path, '.');
    return mix_text(MIX(UINT64_C(0xcbf29ce484222325), line->cpu), dot ? dot + 1 : path);
}

uint64_t triage_subject(const struct trace_line *line, const struct difference *difference)
{
    const struct trace_effect *effect = subject_of(difference);
    if (!effect)
        return difference->path ? subject_of_register(line, difference->path) : 0;
    const uint64_t hash = mix(UINT64_C(0xcbf29ce484222325), effect->kind);
    switch (effect->kind) {
    case TRACE_s2_read:
        return mix_text(MIX(TRACE_s2_set, effect->s2_read.index),
                        difference->field ? difference->field->key : "");
    case TRACE_s2_set:
        return mix_text(MIX(TRACE_s2_set, effect->s2_set.index), effect->s2_set.field);
    case TRACE_pt_store: return MIX(hash, effect->pt_store.pa);
    case TRACE_smmu_pt_store: return MIX(hash, effect->smmu_pt_store.pa);
    case TRACE_vm_set:
        return mix_text(MIX(hash, effect->vm_set.vmid, effect->vm_set.sub), effect->vm_set.field);
    case TRACE_global_set: return mix_text(hash, effect->global_set.field);
    case TRACE_shadow_set:
        return MIX(hash, effect->shadow_set.vmid, effect->shadow_set.vcpu, effect->shadow_set.idx);
    case TRACE_dirty_set: return MIX(hash, effect->dirty_set.vmid, effect->dirty_set.vcpu);
    case TRACE_smmu_cfg_set: return MIX(hash, effect->smmu_cfg_set.num, effect->smmu_cfg_set.cbndx);
    default: return 0;
    }
}
