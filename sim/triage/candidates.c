/* SPDX-License-Identifier: GPL-2.0-only */
#include "triage/candidates.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"

/* --- Effects in YAML ------------------------------------------------------------------------- */

static bool is_plain(const char *text)
{
    if (!isalpha((unsigned char)*text) && *text != '_')
        return false;
    for (; *text; text++) {
        if (!isalnum((unsigned char)*text) && !strchr("_.", *text))
            return false;
    }
    return true;
}

static void print_text(const char *text, FILE *out)
{
    if (is_plain(text))
        fputs(text, out);
    else
        fprintf(out, "\"%s\"", text);
}

static bool is_name(const struct trace_field *field)
{
    return field->format == TRACE_text && strcmp(field->key, "reg") != 0 &&
           strcmp(field->key, "caller") != 0;
}

/* "effect: lock, when: {lock: pt}" */
static void print_pattern(const struct trace_effect *effect, FILE *out)
{
    unsigned count;
    const char *separator = ", when: {";
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    fprintf(out, "effect: %s", trace_effect_name(effect->kind));
    for (unsigned i = 0; i < count; i++) {
        if (!is_name(&fields[i]) || !(effect->present >> i & 1))
            continue;
        fprintf(out, "%s%s: ", separator, fields[i].key);
        print_text(trace_field_text(effect, &fields[i]), out);
        separator = ", ";
    }
    if (separator[1] == ' ' && separator[2] == '\0')
        fputc('}', out);
}

/* "{effect: lock, when: {lock: pt}", to be gone on with. */
static char *pattern_of(const struct trace_effect *effect)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        no_memory();
    print_pattern(effect, out);
    fclose(out);
    return text;
}

/* --- What the recorder says otherwise -------------------------------------------------------- */

static void add_saying(struct candidates *candidates, const struct difference *difference,
                       const char *what, uint64_t number)
{
    char text[32];
    char *pattern = pattern_of(difference->model);
    const char *key = difference->field->key;
    snprintf(text, sizeof text, number < 256 ? "%" PRIu64 : "%#" PRIx64, number);
    candidate_add(candidates, CANDIDATE_dialect, NULL, "{%s, says: {%s: %s%s}}", pattern, key, what,
                  text);
    if (strstr(pattern, "when") && *what)
        candidate_add(candidates, CANDIDATE_dialect, NULL, "{effect: %s, says: {%s: %s%s}}",
                      trace_effect_name(difference->model->kind), key, what, text);
    free(pattern);
}

static void add_shifts(struct candidates *candidates, const struct difference *difference,
                       uint64_t model, uint64_t machine)
{
    char operation[64];
    for (unsigned bits = 2; bits <= 48; bits++) {
        const bool right = model >> bits == machine, left = model << bits == machine;
        if (machine == 0 || (!right && !left))
            continue;
        snprintf(operation, sizeof operation, "%s %s ", difference->field->key,
                 right ? ">>" : "<<");
        add_saying(candidates, difference, operation, bits);
    }
}

/* Another number of the same effect that the field has in the record. */
static void add_fields(struct candidates *candidates, const struct difference *difference,
                       uint64_t machine)
{
    unsigned count;
    const struct trace_effect *effect = difference->model;
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    for (unsigned i = 0; i < count; i++) {
        if (&fields[i] == difference->field || fields[i].format == TRACE_text ||
            fields[i].format == TRACE_list || trace_field_word(effect, &fields[i]) != machine)
            continue;
        char *pattern = pattern_of(effect);
        candidate_add(candidates, CANDIDATE_dialect, NULL, "{%s, says: {%s: %s}}", pattern,
                      difference->field->key, fields[i].key);
        free(pattern);
    }
}

static void of_words(struct candidates *candidates, const struct difference *difference)
{
    char operation[64];
    uint64_t model, machine;
    const char *key = difference->field->key;
    if (difference->field->format == TRACE_list || !triage_values(difference, &model, &machine))
        return;
    add_shifts(candidates, difference, model, machine);
    snprintf(operation, sizeof operation, "%s %c ", key, machine > model ? '+' : '-');
    add_saying(candidates, difference, operation,
               machine > model ? machine - model : model - machine);
    if ((model & machine) == machine) {
        snprintf(operation, sizeof operation, "%s & ", key);
        add_saying(candidates, difference, operation,
                   machine == (model & UINT32_MAX) ? UINT32_MAX : ~(model ^ machine));
    }
    if ((model & machine) == model) {
        snprintf(operation, sizeof operation, "%s | ", key);
        add_saying(candidates, difference, operation, model ^ machine);
    }
    add_fields(candidates, difference, machine);
    add_saying(candidates, difference, "", machine);
}

/* --- Effects that only one has --------------------------------------------------------------- */

/* The text by which alone two effects differ in name; NULL: by none, or by several. */
static const struct trace_field *other_name(const struct trace_effect *a,
                                            const struct trace_effect *b)
{
    unsigned count;
    const struct trace_field *only = NULL;
    const struct trace_field *fields = trace_effect_fields(a->kind, &count);
    for (unsigned i = 0; i < count; i++) {
        if (!is_name(&fields[i]) ||
            strcmp(trace_field_text(a, &fields[i]), trace_field_text(b, &fields[i])) == 0)
            continue;
        if (only)
            return NULL;
        only = &fields[i];
    }
    return only;
}

static bool has_same_name(const struct trace_effect *a, const struct trace_effect *b)
{
    char names[2][64];
    triage_name_effect(a, names[0], sizeof names[0]);
    triage_name_effect(b, names[1], sizeof names[1]);
    return strcmp(names[0], names[1]) == 0;
}

static void add_renaming(struct candidates *candidates, const struct trace_effect *model,
                         const struct trace_effect *machine, const struct trace_field *field)
{
    char *pattern = pattern_of(model);
    const char *before = trace_field_text(model, field), *after = trace_field_text(machine, field);
    const char *quote = is_plain(after) ? "" : "\"";
    if (model->kind == TRACE_lock || model->kind == TRACE_unlock) /* both, or neither */
        candidate_add(candidates, CANDIDATE_dialect, NULL,
                      "{effect: lock, when: {lock: %s}, says: {lock: %s%s%s}}\n"
                      "  - {effect: unlock, when: {lock: %s}, says: {lock: %s%s%s}}",
                      before, quote, after, quote, before, quote, after, quote);
    else
        candidate_add(candidates, CANDIDATE_dialect, NULL, "{%s, says: {%s: %s%s%s}}", pattern,
                      field->key, quote, after, quote);
    free(pattern);
}

/* The record has it beside these two. */
static void add_moves(struct candidates *candidates, const struct trace_line *line,
                      const struct trace_effect *at)
{
    char *pattern = pattern_of(at);
    if (at > line->fx) {
        char *anchor = pattern_of(at - 1);
        candidate_add(candidates, CANDIDATE_dialect, NULL, "{%s, after: {%s}}", pattern, anchor);
        free(anchor);
    }
    if (at + 1 < line->fx + line->nfx) {
        char *anchor = pattern_of(at + 1);
        candidate_add(candidates, CANDIDATE_dialect, NULL, "{%s, before: {%s}}", pattern, anchor);
        free(anchor);
    }
    candidate_add(candidates, CANDIDATE_dialect, NULL, "{%s, after: all}", pattern);
    candidate_add(candidates, CANDIDATE_dialect, NULL, "{%s, before: all}", pattern);
    candidate_add(candidates, CANDIDATE_dialect, NULL, "{effect: %s, after: all}",
                  trace_effect_name(at->kind));
    candidate_add(candidates, CANDIDATE_dialect, NULL, "{effect: %s, before: all}",
                  trace_effect_name(at->kind));
    free(pattern);
}

/* What the record has in place of what only the model has. */
static void add_counterparts(struct candidates *candidates, const struct trace_line *line,
                             const struct differences *found, const struct trace_effect *model)
{
    for (size_t i = 0; i < line->nfx; i++) {
        if (line->fx[i].kind == model->kind && has_same_name(model, &line->fx[i])) {
            add_moves(candidates, line, &line->fx[i]);
            break;
        }
    }
    for (size_t i = 0; i < differences_listed(found); i++) {
        const struct trace_effect *machine = found->list[i].machine;
        if (!machine || found->list[i].model || machine->kind != model->kind)
            continue;
        const struct trace_field *field = other_name(model, machine);
        if (!field)
            continue;
        add_renaming(candidates, model, machine, field);
        return;
    }
}

static void of_effects(struct candidates *candidates, const struct trace_line *line,
                       const struct differences *found, const struct difference *difference)
{
    struct candidate *hiding;
    for (size_t i = 0; i < differences_listed(found) && !difference->model; i++) {
        if (found->list[i].model && !found->list[i].machine)
            add_counterparts(candidates, line, found, found->list[i].model);
    }
    if (difference->model)
        add_counterparts(candidates, line, found, difference->model);
    char *pattern = pattern_of(difference->model ? difference->model : difference->machine);
    if (difference->model) {
        candidate_add(candidates, CANDIDATE_dialect, NULL, "{%s, omits: true}", pattern);
        candidate_add(candidates, CANDIDATE_dialect, NULL, "{effect: %s, omits: true}",
                      trace_effect_name(difference->model->kind));
    } else {
        hiding = candidate_add(candidates, CANDIDATE_not_compared, NULL,
                               "{%s, why: the recorder's own}", pattern);
        if (hiding)
            hiding->hides = true;
    }
    free(pattern);
}

/* --- Constants, registers -------------------------------------------------------------------- */

static bool is_adopted(const struct machine_description *machine, const char *name)
{
    for (size_t i = 0; i < machine->nadoptions; i++) {
        if (strcmp(machine->adoptions[i].target, name) == 0)
            return true;
    }
    return false;
}

/* Bits of descriptors and registers; how memory and tables are laid out is not to be guessed. */
static bool is_of_bits(const char *name)
{
    static const char *const begin[] = {"HCR_",     "CPTR_",     "HYPSEC_MDCR", "PTE_",
                                        "PMD_MARK", "S2_RDWR",   "PSTATE",      "PAGE_S2",
                                        "PAGE_HYP", "PAGE_GUEST"};
    for (size_t i = 0; i < sizeof begin / sizeof *begin; i++) {
        if (strncmp(name, begin[i], strlen(begin[i])) == 0)
            return true;
    }
    return false;
}

/* A constant that is the model's value, or the bits in it that differ. */
static void of_constants(struct candidates *candidates, const struct machine_description *machine,
                         const struct twin *twin, const struct difference *difference)
{
    uint64_t model, recorded, value;
    if (!triage_values(difference, &model, &recorded))
        return;
    const uint64_t differ = model ^ recorded;
    for (unsigned i = 0; fh_constant_name(i); i++) {
        const char *name = fh_constant_name(i);
        fh_profile_constant(twin_profile(twin), name, strlen(name), &value);
        const bool is_part =
            (model & value) == value && value > 15 && (differ & value) == (differ & model);
        if (!is_of_bits(name) || (value != model && !is_part) || value == 0)
            continue;
        struct candidate *candidate =
            candidate_add(candidates, CANDIDATE_constants, name, "%#" PRIx64, value ^ differ);
        if (candidate)
            candidate->is_adopted = is_adopted(machine, name);
    }
}

/* "SYS_MPIDR_EL1", "MPIDR_EL1": the constant, or NULL. */
static const char *constant_of_register(const struct twin *twin, const char *name)
{
    uint64_t value;
    if (strncmp(name, "SYS_", 4) == 0)
        name += 4;
    return fh_profile_constant(twin_profile(twin), name, strlen(name), &value) ? name : NULL;
}

static void of_registers(struct candidates *candidates, const struct machine_description *machine,
                         const struct twin *twin, const struct difference *difference)
{
    const struct trace_effect *model = difference->model, *recorded = difference->machine;
    if (!model || !recorded || model->kind != TRACE_shadow_set ||
        model->shadow_set.idx == recorded->shadow_set.idx)
        return;
    if (recorded->present >> TRACE_AT_shadow_set_reg & 1 &&
        constant_of_register(twin, recorded->shadow_set.reg))
        candidate_add(candidates, CANDIDATE_registers,
                      constant_of_register(twin, recorded->shadow_set.reg), "%" PRIu64,
                      recorded->shadow_set.idx);
    for (size_t i = 0; i < machine->nregisters; i++) {
        if (machine->registers[i].recorded == model->shadow_set.idx)
            candidate_add(candidates, CANDIDATE_registers, machine->registers[i].name, "%" PRIu64,
                          recorded->shadow_set.idx);
    }
    for (unsigned i = 0; fh_constant_name(i); i++) {
        uint64_t value;
        const char *name = fh_constant_name(i);
        fh_profile_constant(twin_profile(twin), name, strlen(name), &value);
        if (value == model->shadow_set.idx &&
            (strstr(name, "_EL") || strcmp(name, "PC") == 0 || strcmp(name, "PSTATE") == 0 ||
             strcmp(name, "DIRTY") == 0))
            candidate_add(candidates, CANDIDATE_registers, name, "%" PRIu64,
                          recorded->shadow_set.idx);
    }
}

/* "out.hcr": what EL2 leaves in a register. */
static void of_end(struct candidates *candidates, const struct trace_line *line,
                   const struct difference *difference)
{
    const char *path = difference->path;
    const bool is_entry = path && strncmp(path, "in.", 3) == 0;
    if (!path || (!is_entry && strncmp(path, "out.", 4) != 0))
        return;
    struct candidate *hiding = candidate_add(
        candidates, CANDIDATE_not_compared, NULL,
        "{registers: [%s], at: %s, of: [%s], why: it cannot be predicted}", strchr(path, '.') + 1,
        is_entry ? "entry" : "exit", trace_kind_name(line->kind));
    if (hiding)
        hiding->hides = true;
}

/* --- All ------------------------------------------------------------------------------------- */

static void of_departures(struct candidates *candidates, const struct trap_verdict *verdict)
{
    const struct nearest_departure *nearest = &verdict->nearest;
    if (nearest->id && !nearest->is_left_out)
        candidate_add(candidates, CANDIDATE_without, NULL, "%s", nearest->id);
}

void candidates_of(struct candidates *candidates, const struct machine_description *machine,
                   const struct twin *twin, const struct trace_line *line,
                   const struct trap_verdict *verdict)
{
    const struct difference *lead = triage_lead(&verdict->found);
    of_departures(candidates, verdict);
    candidates_of_calls(candidates, machine, line, verdict);
    of_registers(candidates, machine, twin, lead);
    of_constants(candidates, machine, twin, lead);
    if (lead->field && lead->model && lead->machine)
        of_words(candidates, lead);
    else if (lead->model || lead->machine)
        of_effects(candidates, line, &verdict->found, lead);
    of_end(candidates, line, lead);
}
