/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/report_words.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <faulthandler/arm.h>

#include "base/effect_words.h"
#include "base/numbers.h"
#include "base/shown.h"
#include "base/text_stream.h"
#include "trace/trace_fields.h"

static const struct fh_profile *profile_of(const struct replay_trap *trap)
{
    return trap->machine->profile;
}

/* A text that was printed, where there is room for it. */
static bool take(struct text_stream *stream, char *buffer, size_t size)
{
    text_stream_end(stream);
    snprintf(buffer, size, "%s", stream->text);
    text_stream_free(stream);
    return *buffer != '\0';
}

/* --- Calls ----------------------------------------------------------------------------------- */

enum { ARGUMENTS_MAX = 8 };

struct argument {
    const char *name; /* of the function's, or of the register */
    uint64_t value;
};

/* The call that the host or a VM makes; NULL: none, or one that the machine does not know. */
static const struct fh_abi_call *call_of(const struct replay_trap *trap)
{
    const uint64_t number = trap->line->in.x[0];
    if (trap->line->kind == TRACE_KIND_host_hvc)
        return machine_call(trap->machine->hypercalls, number);
    const bool is_call = trap->line->ec && strncmp(trap->line->ec, "HVC", 3) == 0;
    return is_call ? machine_call(trap->machine->guest_calls, number) : NULL;
}

static uint64_t argument_value(const struct trace_line *line, const struct fh_abi_argument *from)
{
    switch (from->source) {
    case FH_ABI_FROM_register:
        return from->bits == 32 ? (uint32_t)line->in.x[from->reg] : line->in.x[from->reg];
    case FH_ABI_FROM_vmid: return line->in.values[TRACE_REG_vmid];
    case FH_ABI_FROM_vcpuid: return line->in.values[TRACE_REG_vcpuid];
    default: return from->value;
    }
}

/* The arguments by name; those of a call that the machine does not know as they were recorded. */
static size_t arguments_of(const struct replay_trap *trap, struct argument list[ARGUMENTS_MAX])
{
    const struct trace_line *line = trap->line;
    const struct fh_abi_call *call = call_of(trap);
    const size_t count = call ? call->narguments : line->hvc ? line->hvc_args.count : 0;
    size_t n = 0;
    for (; n < count && n < ARGUMENTS_MAX; n++) {
        const char *name =
            call && call->function ? function_argument(call->function, (unsigned)n) : NULL;
        if (call && call->kind == FH_ABI_run)
            name = n == 0 ? "vmid" : n == 1 ? "vcpuid" : NULL;
        const unsigned reg = call && call->arguments[n].source == FH_ABI_FROM_register
                                 ? call->arguments[n].reg
                                 : (unsigned)n + 1;
        list[n] = (struct argument){name ? name : trace_gpr_name(reg),
                                    call ? argument_value(line, &call->arguments[n])
                                         : line->hvc_args.values[n]};
    }
    return n;
}

static const char *call_name(const struct replay_trap *trap)
{
    const struct fh_abi_call *call = call_of(trap);
    return trap->line->hvc ? trap->line->hvc : call ? call->recorded : NULL;
}

/* --- Inputs ---------------------------------------------------------------------------------- */

static bool is_abort(const struct trace_line *line)
{
    const bool is_guest_abort = line->kind == TRACE_KIND_guest_exit && line->ec &&
                                (strstr(line->ec, "DABT") || strstr(line->ec, "IABT"));
    return line->kind == TRACE_KIND_host_npt || is_guest_abort;
}

/* Where the address is that a stage-2 fault was about. */
static uint64_t fault_ipa(const struct trace_line *line)
{
    enum { FIPA_SHIFT = 8 }; /* HPFAR_EL2 has bits 12 and up of the address in bits 4 and up */
    return (line->in.values[TRACE_REG_hpfar] & UINT64_C(0xfffffffffff0)) << FIPA_SHIFT |
           (line->in.values[TRACE_REG_far] & 0xfff);
}

bool trap_fault(const struct trace_line *line, uint64_t *ipa)
{
    *ipa = fault_ipa(line);
    return is_abort(line) && (line->in.present >> TRACE_REG_hpfar & 1);
}

/* Does the trap come with this register? Others hold what traps before left there. */
static bool is_input(const struct trace_line *line, enum trace_register reg)
{
    if (!(line->in.present >> reg & 1))
        return false;
    switch (reg) {
    case TRACE_REG_esr: return line->kind != TRACE_KIND_guest_exit || line->ec;
    case TRACE_REG_far:
    case TRACE_REG_hpfar: return is_abort(line) || line->kind == TRACE_KIND_el2_exception;
    case TRACE_REG_elr: return true;
    case TRACE_REG_vmid:
    case TRACE_REG_vcpuid: return line->kind == TRACE_KIND_guest_exit;
    default: return false;
    }
}

static const enum trace_register input_registers[] = {
    TRACE_REG_vmid, TRACE_REG_vcpuid, TRACE_REG_esr, TRACE_REG_far, TRACE_REG_hpfar, TRACE_REG_elr};

enum { INPUT_REGISTERS = sizeof input_registers / sizeof *input_registers };

static bool is_number(enum trace_register reg)
{
    return reg == TRACE_REG_vmid || reg == TRACE_REG_vcpuid;
}

static void print_call(const struct replay_trap *trap, FILE *out)
{
    struct argument list[ARGUMENTS_MAX];
    const size_t count = arguments_of(trap, list);
    fputs("  in: ", out);
    print_shown(out, call_name(trap), strlen(call_name(trap)));
    fputc('(', out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s%s = ", i > 0 ? ", " : "", list[i].name);
        number_print_as(profile_of(trap), list[i].name, list[i].value, out);
    }
    fputs(")\n", out);
}

void inputs_print(const struct replay_trap *trap, FILE *out)
{
    const struct trace_line *line = trap->line;
    const char *separator = "  in: ";
    char words[256];
    if (call_name(trap))
        print_call(trap, out);
    for (unsigned i = 0; i < INPUT_REGISTERS; i++) {
        const enum trace_register reg = input_registers[i];
        if (!is_input(line, reg))
            continue;
        fprintf(out, is_number(reg) ? "%s%s %" PRIu64 : "%s%s 0x%" PRIx64, separator,
                trace_register_name(reg), line->in.values[reg]);
        separator = ", ";
        if (reg == TRACE_REG_esr && fh_arm_describe_esr(line->in.values[reg], words, sizeof words))
            fprintf(out, " (%s)", words);
        if (reg == TRACE_REG_hpfar)
            fprintf(out, " (IPA 0x%" PRIx64 ")", fault_ipa(line));
    }
    fputs(separator[0] == ',' ? "\n" : "", out);
}

static void put_call(struct json_out *json, const struct replay_trap *trap)
{
    struct argument list[ARGUMENTS_MAX];
    const size_t count = arguments_of(trap, list);
    json_text(json, "call", call_name(trap));
    json_open_object(json, "arguments");
    for (size_t i = 0; i < count; i++)
        json_hex(json, list[i].name, list[i].value);
    json_close_object(json);
}

void inputs_put(struct json_out *json, const struct replay_trap *trap)
{
    const struct trace_line *line = trap->line;
    char words[256];
    json_open_object(json, "inputs");
    if (call_name(trap))
        put_call(json, trap);
    for (unsigned i = 0; i < INPUT_REGISTERS; i++) {
        const enum trace_register reg = input_registers[i];
        if (is_input(line, reg))
            json_hex(json, trace_register_name(reg), line->in.values[reg]);
    }
    if (is_input(line, TRACE_REG_esr) &&
        fh_arm_describe_esr(line->in.values[TRACE_REG_esr], words, sizeof words))
        json_text(json, "syndrome", words);
    if (is_input(line, TRACE_REG_hpfar))
        json_hex(json, "ipa", fault_ipa(line));
    json_close_object(json);
}

/* --- Effects --------------------------------------------------------------------------------- */

static uint64_t level_of(const char *level)
{
    static const char *const names[] = {"pgd", "pud", "pmd", "pte"};
    uint64_t i = 0;
    while (i < 4 && strcmp(names[i], level) != 0)
        i++;
    return i;
}

static bool number_account(const struct replay_trap *trap, enum number_kind kind, uint64_t value,
                           char *buffer, size_t size)
{
    struct text_stream stream;
    number_print(profile_of(trap), kind, value, text_stream_begin(&stream));
    return take(&stream, buffer, size) && !isdigit((unsigned char)*buffer);
}

/* Owners of records have 32 bits, and INVALID is -1. */
static bool owner_account(const struct replay_trap *trap, uint64_t owner, char *buffer, size_t size)
{
    return number_account(trap, NUMBER_owner, (uint32_t)owner, buffer, size);
}

static bool is_state(const char *field)
{
    return strcmp(field, "state") == 0 || strcmp(field, "vcpu_state") == 0;
}

/* "map_page_host(addr = 0x80000000)"; what returns has its result behind the arguments. */
static bool call_account(const struct replay_trap *trap, const char *recorded,
                         const struct trace_list *args, bool returns, char *buffer, size_t size)
{
    const char *function = function_of_recorded(recorded), *name;
    const struct fh_profile *k = profile_of(trap);
    struct text_stream stream;
    FILE *out = text_stream_begin(&stream);
    unsigned i = 0;
    print_shown(out, function, strlen(function));
    fputc('(', out);
    for (; i < args->count && (name = function_argument(function, i)); i++) {
        fprintf(out, "%s%s = ", i > 0 ? ", " : "", name);
        number_print_as(k, name, args->values[i], out);
    }
    fputc(')', out);
    if (returns && i < args->count) {
        fputs(" = ", out);
        number_print_as(k, "result", args->values[i], out);
    }
    return take(&stream, buffer, size);
}

static bool register_account(const struct replay_trap *trap, const struct trace_shadow_set *set,
                             char *buffer, size_t size)
{
    const char *name = vcpu_register_name(profile_of(trap), set->idx);
    for (size_t i = 0; i < trap->machine->nregisters; i++) {
        if (trap->machine->registers[i].recorded == set->idx)
            name = trap->machine->registers[i].name;
    }
    snprintf(buffer, size, "%s", name ? name : "");
    return name;
}

/* A word of what an effect stores or stored. */
static bool word_account(const struct replay_trap *trap, const struct trace_effect *effect,
                         uint64_t word, char *buffer, size_t size)
{
    switch (effect->kind) {
    case TRACE_pt_store:
        return descriptor_words(level_of(effect->pt_store.level), word, buffer, size) > 0;
    case TRACE_smmu_pt_store:
        return descriptor_words(level_of(effect->smmu_pt_store.level), word, buffer, size) > 0;
    case TRACE_vm_set:
        return is_state(effect->vm_set.field) &&
               number_account(trap, NUMBER_state, word, buffer, size);
    case TRACE_s2_set:
        return strcmp(effect->s2_set.field, "owner") == 0 &&
               owner_account(trap, word, buffer, size);
    default: return false;
    }
}

bool effect_account(const struct replay_trap *trap, const struct trace_effect *effect, char *buffer,
                    size_t size)
{
    *buffer = '\0';
    switch (effect->kind) {
    case TRACE_fn: return call_account(trap, effect->fn.fn, &effect->fn.args, false, buffer, size);
    case TRACE_fn_ret:
        return call_account(trap, effect->fn_ret.fn, &effect->fn_ret.args, true, buffer, size);
    case TRACE_shadow_set:
        return !(effect->present >> TRACE_AT_shadow_set_reg & 1) &&
               register_account(trap, &effect->shadow_set, buffer, size);
    case TRACE_s2_read: return owner_account(trap, effect->s2_read.owner, buffer, size);
    case TRACE_pt_store: return word_account(trap, effect, effect->pt_store.new, buffer, size);
    case TRACE_smmu_pt_store:
        return word_account(trap, effect, effect->smmu_pt_store.new, buffer, size);
    case TRACE_vm_set: return word_account(trap, effect, effect->vm_set.new, buffer, size);
    case TRACE_s2_set: return word_account(trap, effect, effect->s2_set.new, buffer, size);
    default: return false;
    }
}

/* "out.hcr": a register of the architecture with fields; "to": where the trap ends. */
static bool end_account(const char *path, uint64_t value, char *buffer, size_t size)
{
    char name[32];
    if (strcmp(path, "to") == 0 && value < TRACE_ENDS) {
        snprintf(buffer, size, "%s", trace_end_names[value]);
        return true;
    }
    if (strncmp(path, "out.", 4) != 0)
        return false;
    snprintf(name, sizeof name, strstr(path, "_el") ? "%s" : "%s_EL2", path + 4);
    for (char *at = name; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    const struct fh_arm_register *reg = fh_arm_register_named(name, strlen(name));
    if (!reg || fh_arm_describe_register(reg, value, 0, buffer, size) == 0)
        *buffer = '\0';
    return *buffer && strncmp(buffer, "VALUE=", 6) != 0;
}

bool value_account(const struct replay_trap *trap, const struct difference *difference,
                   bool of_machine, char *buffer, size_t size)
{
    const struct trace_effect *effect = of_machine ? difference->machine : difference->model;
    const struct trace_field *field = difference->field;
    *buffer = '\0';
    if (!effect)
        return difference->path && !difference->machine && !difference->model &&
               end_account(difference->path,
                           of_machine ? difference->machine_value : difference->model_value, buffer,
                           size);
    if (!field)
        return effect_account(trap, effect, buffer, size);
    if (effect->kind == TRACE_s2_read)
        return strcmp(field->key, "owner") == 0 &&
               owner_account(trap, effect->s2_read.owner, buffer, size);
    if (strcmp(field->key, "old") != 0 && strcmp(field->key, "new") != 0)
        return false;
    return word_account(trap, effect, trace_field_word(effect, field), buffer, size);
}
