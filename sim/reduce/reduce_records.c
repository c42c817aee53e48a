/* SPDX-License-Identifier: GPL-2.0-only */
#include "reduce/reduce.h"

#include <stdlib.h>
#include <string.h>

/*
 * Lines that outlive the reading of the next one: effects of their own, and texts that are shared,
 * since a trace has few different ones.
 */

/* Behind x0 to x30: R(constant, register of a trace) of each vCPU that is left at an exit. */
#define LEFT_MAP(R)                                                                                \
    R(PC, elr)                                                                                     \
    R(PSTATE, spsr)                                                                                \
    R(X30 + 1, sp_el0)                                                                             \
    R(SP_EL1, sp_el1)                                                                              \
    R(ELR_EL1, elr_el1)                                                                            \
    R(SPSR_EL1, spsr_el1)                                                                          \
    R(VBAR_EL1, vbar_el1)
#define ONE_MORE(constant, reg) +1
enum { REGISTERS = TRACE_GPRS LEFT_MAP(ONE_MORE) };

struct reduce_records *reduce_records_new(const struct machine_description *folds)
{
    struct reduce_records *records = calloc(1, sizeof *records);
    if (!records)
        no_memory();
    records->arena = arena_new();
    records->folds = folds;
    if (folds)
        records->registers = calloc(
            folds->profile->COREVISOR * folds->profile->VCPU_PER_VM * REGISTERS, sizeof(uint64_t));
    if (folds && !records->registers)
        no_memory();
    return records;
}

void reduce_records_free(struct reduce_records *records)
{
    if (!records)
        return;
    for (size_t i = 0; i < records->count; i++) {
        free(records->list[i]->text);
        free(records->list[i]->unexplained);
    }
    free(records->list);
    free(records->words);
    free(records->registers);
    arena_free(records->arena);
    free(records);
}

/* The one copy of a text. */
static const char *keep_word(struct reduce_records *records, const char *word)
{
    if (!word)
        return NULL;
    for (size_t i = 0; i < records->nwords; i++) {
        if (strcmp(records->words[i], word) == 0)
            return records->words[i];
    }
    const char **words = realloc(records->words, (records->nwords + 1) * sizeof *words);
    if (!words)
        no_memory();
    records->words = words;
    return words[records->nwords++] = arena_strdup(records->arena, word, strlen(word));
}

static void keep_words(struct reduce_records *records, struct trace_effect *effect)
{
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    for (unsigned i = 0; i < count; i++) {
        if (fields[i].format != TRACE_text || !(effect->present >> i & 1))
            continue;
        const char **place = (void *)((char *)effect + fields[i].offset);
        *place = keep_word(records, *place);
    }
}

static const struct trace_effect *keep_effects(struct reduce_records *records,
                                               const struct trace_line *line)
{
    struct trace_effect *fx = arena_alloc(records->arena, line->nfx * sizeof *fx);
    for (size_t i = 0; i < line->nfx; i++) {
        fx[i] = line->fx[i];
        keep_words(records, &fx[i]);
    }
    return fx;
}

/* --- Effects on the state -------------------------------------------------------------------- */

/* What a replay takes over from a record that it does not replay. */
static bool changes_state(const struct trace_effect *effect)
{
    switch (effect->kind) {
    case TRACE_s2_set:
    case TRACE_pt_store:
    case TRACE_vm_set:
    case TRACE_smmu_cfg_set:
    case TRACE_global_set:
    case TRACE_shadow_set:
    case TRACE_dirty_set:
    case TRACE_smmu_pt_store:
    case TRACE_smmu_pt_clear: return true;
    default: return false;
    }
}

/* A vCPU that exits to the host leaves its registers in its context. */
static bool leaves_registers(const struct reduce_records *records, const struct trace_line *line)
{
    return line->kind == TRACE_KIND_guest_exit && !line->unfinished && line->to == TRACE_TO_host &&
           line->in.values[TRACE_REG_vmid] < records->folds->profile->COREVISOR &&
           line->in.values[TRACE_REG_vcpuid] < records->folds->profile->VCPU_PER_VM;
}

/* A register of a shadow context, as records have it; it becomes `new`. */
static struct trace_effect set_register(const struct trace_line *line, uint64_t number,
                                        uint64_t *last, uint64_t new)
{
    const uint32_t no_name = ~(UINT32_C(1) << TRACE_AT_shadow_set_reg);
    const struct trace_effect effect = {.kind = TRACE_shadow_set,
                                        .present =
                                            no_name & ((1u << (TRACE_AT_shadow_set_new + 1)) - 1),
                                        .g = line->g0,
                                        .shadow_set = {.vmid = line->in.values[TRACE_REG_vmid],
                                                       .vcpu = line->in.values[TRACE_REG_vcpuid],
                                                       .idx = number,
                                                       .old = *last,
                                                       .new = new}};
    *last = new;
    return effect;
}

static size_t add_registers(struct reduce_records *records, const struct trace_line *line,
                            struct trace_effect *fx)
{
    const struct machine_description *machine = records->folds;
    const struct fh_profile *k = machine->profile;
    const uint64_t vmid = line->in.values[TRACE_REG_vmid];
    const uint64_t vcpu = line->in.values[TRACE_REG_vcpuid];
    uint64_t *last = &records->registers[(vmid * k->VCPU_PER_VM + vcpu) * REGISTERS];
    size_t count = 0;
    for (; count < TRACE_GPRS; count++)
        fx[count] = set_register(line, count, &last[count], line->in.x[count]);
#define ADD_REGISTER(constant, reg)                                                                \
    fx[count] = set_register(line, machine_register_recorded(machine, k->constant), &last[count],  \
                             line->in.values[TRACE_REG_##reg]);                                    \
    count++;
    LEFT_MAP(ADD_REGISTER)
#undef ADD_REGISTER
    return count;
}

/* The record if it is left out. */
static const struct trace_line *keep_state(struct reduce_records *records,
                                           const struct trace_line *line)
{
    struct trace_line *effects = arena_alloc(records->arena, sizeof *effects);
    size_t count = 0;
    for (size_t i = 0; i < line->nfx; i++)
        count += changes_state(&line->fx[i]);
    struct trace_effect *fx = arena_alloc(records->arena, (count + REGISTERS) * sizeof *fx);
    count = leaves_registers(records, line) ? add_registers(records, line, fx) : 0;
    for (size_t i = 0; i < line->nfx; i++) {
        if (changes_state(&line->fx[i]))
            fx[count++] = line->fx[i];
    }
    *effects = (struct trace_line){.kind = TRACE_KIND_gap,
                                   .seq = line->seq,
                                   .g0 = line->g0,
                                   .g1 = line->g1,
                                   .nfx = count,
                                   .fx = fx};
    return effects;
}

/* --- Records --------------------------------------------------------------------------------- */

static void append(struct reduce_records *records, struct reduce_record *record)
{
    if (records->count == records->size) {
        const size_t size = records->size ? 2 * records->size : 1024;
        struct reduce_record **list = realloc(records->list, size * sizeof *list);
        if (!list)
            no_memory();
        records->list = list;
        records->size = size;
    }
    records->list[records->count++] = record;
}

struct reduce_record *reduce_records_add(struct reduce_records *records,
                                         const struct trace_line *line, const char *text,
                                         size_t length)
{
    struct reduce_record *record = arena_alloc(records->arena, sizeof *record);
    record->line = *line;
    record->line.fx = keep_effects(records, line);
    record->line.ec = keep_word(records, line->ec);
    record->line.hvc = keep_word(records, line->hvc);
    record->line.vector = keep_word(records, line->vector);
    record->text = malloc(length + 1);
    if (!record->text)
        no_memory();
    memcpy(record->text, text, length);
    record->text[length] = '\0';
    record->length = length;
    if (records->folds)
        record->effects = keep_state(records, &record->line);
    record->head = records->count;
    append(records, record);
    return record;
}

size_t reduce_records_together(const struct reduce_records *records, size_t head)
{
    size_t count = 1;
    while (head + count < records->count && records->list[head + count]->head == head)
        count++;
    return count;
}
