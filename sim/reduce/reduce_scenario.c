/* SPDX-License-Identifier: GPL-2.0-only */
#include "reduce/reduce_scenario.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"

/*
 * The last trap of a reduced trace as a scenario. It is written three times: the machine alone, to
 * learn what the state before the trap is beside it; with that state and the trap, to learn what
 * the model does; and with that as what is expected. The last one is played before it is given out.
 */

enum { EFFECTS_SHOWN = 40 };

static void print_text(const char *text, FILE *out)
{
    json_write_text(out, text, strlen(text));
}

/* --- The trap -------------------------------------------------------------------------------- */

/* The registers that a trap may have: R(register of a trace, key of a scenario). */
#define TRAP_REGISTER_MAP(R)                                                                       \
    R(esr, esr)                                                                                    \
    R(far, far)                                                                                    \
    R(hpfar, hpfar)                                                                                \
    R(elr, elr)                                                                                    \
    R(spsr, spsr_el2)                                                                              \
    R(hcr, hcr_el2)                                                                                \
    R(vttbr, vttbr_el2)                                                                            \
    R(vmpidr, vmpidr_el2)                                                                          \
    R(tpidr_el2, tpidr_el2)                                                                        \
    R(par_el1, par_el1)                                                                            \
    R(actlr_el1, actlr_el1)                                                                        \
    R(sp_el1, sp_el1)                                                                              \
    R(elr_el1, elr_el1)                                                                            \
    R(spsr_el1, spsr_el1)                                                                          \
    R(sp_el0, sp_el0)                                                                              \
    R(vbar_el1, vbar_el1)

static void write_registers(struct writer *writer, unsigned first_x)
{
    static const struct {
        enum trace_register reg;
        const char *key;
    } registers[] = {
#define TRAP_REGISTER(reg, key) {TRACE_REG_##reg, #key},
        TRAP_REGISTER_MAP(TRAP_REGISTER)
#undef TRAP_REGISTER
    };
    for (size_t i = 0; i < sizeof registers / sizeof *registers; i++) {
        const uint64_t value = writer->line->in.values[registers[i].reg];
        const bool is_needed =
            registers[i].reg == TRACE_REG_esr || registers[i].reg == TRACE_REG_hpfar;
        if (value != 0 || is_needed)
            fprintf(writer->out, "    %s: 0x%" PRIx64 "\n", registers[i].key, value);
    }
    unsigned count = 0;
    for (unsigned i = first_x; i < TRACE_GPRS; i++) {
        if (writer->line->in.x[i] == 0)
            continue;
        fputs(count == 0 ? "    x: {" : count % 4 == 0 ? ",\n        " : ", ", writer->out);
        fprintf(writer->out, "%u: 0x%" PRIx64, i, writer->line->in.x[i]);
        count++;
    }
    if (count > 0)
        fputs("}\n", writer->out);
}

static void write_hypercall(struct writer *writer)
{
    const uint64_t *x = writer->line->in.x;
    fprintf(writer->out, "  - trap: host-hvc\n    hvc: %" PRIu64 " # %s\n    args: [", x[0],
            writer->line->hvc ? writer->line->hvc : "?");
    for (unsigned i = 1; i <= 5; i++) {
        writer_word(x[i], writer->out);
        fputs(i < 5 ? ", " : "]\n", writer->out);
    }
    write_registers(writer, 6);
}

static void write_run(struct writer *writer)
{
    fprintf(writer->out, "  - trap: vcpu-run\n    vmid: %" PRIu64 "\n    vcpuid: %" PRIu64 "\n",
            writer->line->in.x[1], writer->line->in.x[2]);
    write_registers(writer, 1);
}

static void write_trap(struct writer *writer)
{
    fputs("steps:\n", writer->out);
    if (writer_is_run(writer)) {
        write_run(writer);
    } else if (writer->line->kind == TRACE_KIND_host_hvc) {
        write_hypercall(writer);
    } else if (writer->line->kind == TRACE_KIND_host_npt) {
        fputs("  - trap: host-npt-fault\n", writer->out);
        write_registers(writer, 0);
    } else {
        fprintf(writer->out, "  - trap: vm-exit\n    ec: %" PRIu64 "\n", writer->line->exit_code);
        write_registers(writer, 0);
    }
}

/* --- What comes from outside ----------------------------------------------------------------- */

static bool is_core(const struct trace_int_read *read)
{
    return strcmp(read->what, "new_pte") == 0 || strcmp(read->what, "new_level") == 0;
}

/* What the host's accesses to devices read, or what a vCPU's registers are taken from. */
static void write_data(struct writer *writer)
{
    const char *comma = NULL;
    for (size_t i = 0; i < writer->line->nfx; i++) {
        const struct trace_effect *effect = &writer->line->fx[i];
        const bool is_device = effect->kind == TRACE_mmio && effect->mmio.write == 0;
        const bool is_register = effect->kind == TRACE_int_read && !is_core(&effect->int_read);
        if (!is_device && !is_register)
            continue;
        if (!comma)
            fprintf(writer->out, "    data: {%" PRIu64 ": [",
                    is_device ? writer->k->HOSTVISOR : effect->int_read.vmid);
        else
            fputs(comma, writer->out);
        writer_word(is_device ? effect->mmio.val : effect->int_read.val, writer->out);
        comma = ", ";
    }
    if (comma)
        fputs("]}\n", writer->out);
}

/* For a run: the address of the fault that the host resolved, its page, the level of it. */
static void write_core_data(struct writer *writer)
{
    const struct fh_profile *k = writer->k;
    if (!writer_is_run(writer))
        return;
    const struct fh_type *map = FH_FIELD_TYPE(fh_rdata_type(), rdata, shadow_ctxts);
    const uint64_t context = writer->line->in.x[1] * k->VCPU_PER_VM + writer->line->in.x[2];
    const struct fh_ctxt *vcpu = fh_ref_record(
        map->value, fh_map_get(&writer->model.state->shadow_ctxts, &map->value->as_value, context));
    uint64_t addr = 0;
    if (vcpu->ctxt_states.flags & k->PENDING_FSC_FAULT)
        addr = (vcpu->ctxt_regs.hpfar_el2 & k->HPFAR_MASK) << 8;
    fprintf(writer->out, "    core_data: {%" PRIu64 ": [", writer->line->in.x[1]);
    writer_word(addr, writer->out);
    for (size_t i = 0; i < writer->line->nfx; i++) {
        const struct trace_effect *effect = &writer->line->fx[i];
        if (effect->kind != TRACE_int_read || !is_core(&effect->int_read))
            continue;
        fputs(", ", writer->out);
        writer_word(effect->int_read.val, writer->out);
    }
    fputs("]}\n", writer->out);
}

/* --- What the model does --------------------------------------------------------------------- */

/* The logs of locks, which an exact delta leaves out, and others. */
static bool is_lock_log(const char *path)
{
    return strncmp(path, "log.", 4) == 0 || strncmp(path, "slog", 4) == 0;
}

static bool is_log(const char *path)
{
    const char *updates = strstr(path, "_updates");
    return is_lock_log(path) || (updates && updates[strlen("_updates")] == '\0');
}

static void write_changes(struct writer *writer, const struct step_trace *trace)
{
    struct nest nest = {.indent = 8};
    char *text = NULL;
    size_t length = 0;
    nest.out = writer_memory(&text, &length);
    bool is_whole = trace->nchanges == trace->changes_seen;
    for (size_t i = 0; i < trace->nchanges; i++) {
        const char *path = trace->changes[i].path;
        if (!is_log(path))
            nest_put(&nest, path, trace->changes[i].after);
        is_whole = is_whole && (!is_log(path) || is_lock_log(path));
    }
    fclose(nest.out);
    if (nest.count == 0 && is_whole)
        fputs("      changes: none\n", writer->out);
    else if (is_whole)
        fprintf(writer->out, "      delta:\n%s", text);
    else
        fprintf(writer->out, "      state: # and more\n%s", text);
    free(text);
}

static void write_expect(struct writer *writer)
{
    const struct scenario *scenario = writer->played->scenario;
    const struct fh_error *error = fh_state_error(scenario->state);
    const bool is_halted = fh_state_rdata(scenario->state)->halt;
    const struct fh_panic panic = fh_state_panic(scenario->state);
    fputs("    expect:\n", writer->out);
    static const struct {
        enum fh_status status;
        const char *key;
    } ends[] = {{FH_STUCK, "stuck"}, {FH_DIED, "died"}, {FH_HANGS, "hangs"}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (error->status == ends[i].status)
            fprintf(writer->out, "      %s: %s.%s\n", ends[i].key, error->layer, error->function);
    }
    if (error->status == FH_UNREPRESENTABLE)
        fputs("      unrepresentable: true\n", writer->out);
    if (is_halted)
        fprintf(writer->out, "      halted: %s.%s\n", panic.layer, panic.function);
    if (error->status == FH_OK || error->status == FH_DIED || error->status == FH_HANGS)
        write_changes(writer, &writer->played->traces[0]);
}

/* --- What the machine does ------------------------------------------------------------------- */

static void write_side(struct writer *writer, const char *who, const struct trace_effect *effect)
{
    if (!effect)
        return;
    fprintf(writer->out, "#   %s ", who);
    trace_print_effect(effect, writer->out);
    fputc('\n', writer->out);
}

/* `who` predicted: the model of the machine, or the spec. */
static void write_difference(struct writer *writer, const char *who,
                             const struct difference *difference)
{
    fprintf(writer->out, "# differs from the %s: %s\n", who,
            difference->path ? difference->path : "an effect of one side");
    if (!difference->field && difference->path)
        fprintf(writer->out, "#   %s 0x%" PRIx64 ", machine 0x%" PRIx64 "\n", who,
                difference->model_value, difference->machine_value);
    write_side(writer, who, difference->model);
    write_side(writer, "machine:", difference->machine);
}

static void write_differences(struct writer *writer, const struct trap_verdict *verdict)
{
    const bool is_unexplained = verdict->outcome == OUTCOME_DIVERGED;
    const struct differences *found = is_unexplained ? &verdict->found : &verdict->spec;
    const struct machine_description *machine = writer->reduction->goal->machine;
    for (unsigned i = 0; catalogue_at(machine, i); i++) {
        const struct machine_entry *entry = catalogue_at(machine, i);
        if (!credits_has(&verdict->credits, i))
            continue;
        fprintf(writer->out, "# %s, %s.\n", entry->id, entry->title);
        machine_print_sides(entry, "#   ", writer->out);
    }
    for (size_t i = 0; i < differences_listed(found); i++)
        write_difference(writer, is_unexplained ? "model" : "spec", &found->list[i]);
    fputs("# What the machine did, as recorded:\n", writer->out);
    for (size_t i = 0; i < writer->line->nfx && i < EFFECTS_SHOWN; i++)
        write_side(writer, " ", &writer->line->fx[i]);
    if (writer->line->nfx > EFFECTS_SHOWN)
        fprintf(writer->out, "#   ... and %zu more effects\n", writer->line->nfx - EFFECTS_SHOWN);
}

static bool is_wanted(void *context, enum trap_outcome outcome)
{
    (void)context, (void)outcome;
    return true;
}

static void told(void *context, const struct trace_line *line, struct trap_verdict *verdict)
{
    struct writer *writer = context;
    if (line == writer->line)
        write_differences(writer, verdict);
}

static void note_differences(struct writer *writer)
{
    size_t length = 0;
    writer->out = writer_memory(&writer->comments, &length);
    reduce_replay(writer->reduction);
    twin_want_spec(writer->reduction->twin, is_wanted, NULL);
    twin_set_credit(writer->reduction->twin, CREDIT_ALL);
    twin_replay(writer->reduction->twin, &writer->line, 1, told, writer);
    twin_set_credit(writer->reduction->twin, CREDIT_NONE);
    twin_want_spec(writer->reduction->twin, NULL, NULL);
    fclose(writer->out);
}

static void write_description(struct writer *writer)
{
    const struct machine_entry *deviation = writer->reduction->goal->entry;
    char text[512];
    if (deviation)
        snprintf(text, sizeof text, "%s#%" PRIu64 ", which shows %s: %s.", writer->trace,
                 writer->line->seq, deviation->id, deviation->title);
    else
        snprintf(text, sizeof text, "%s#%" PRIu64 ", where the machine differs from the model.",
                 writer->trace, writer->line->seq);
    fputs("description: ", writer->out);
    print_text(text, writer->out);
    fputc('\n', writer->out);
}

/* --- The whole ------------------------------------------------------------------------------- */

/* As far as it is known. */
static char *write_scenario(struct writer *writer)
{
    char *text = NULL;
    size_t length = 0;
    writer->out = writer_memory(&text, &length);
    fputs("# SPDX-License-Identifier: GPL-2.0-only\n", writer->out);
    fputs(writer->comments, writer->out);
    write_description(writer);
    writer_machine(writer);
    writer_parameters(writer);
    if (writer->base) {
        writer_state(writer);
        write_trap(writer);
        write_data(writer);
        write_core_data(writer);
    } else {
        fputs("steps:\n  - check: {curid: ", writer->out);
        fprintf(writer->out, "%" PRIu64 "}\n", writer->line->cpu);
    }
    if (writer->played)
        write_expect(writer);
    fclose(writer->out);
    return text;
}

/* Write it, load it, and play it if it has the trap. */
static bool try_scenario(struct writer *writer, struct scenario *scenario, struct outcome *outcome,
                         char **text)
{
    *text = write_scenario(writer);
    if (!scenario_load_text(scenario, "scenario", *text))
        return false;
    if (writer->base)
        play(scenario, true, outcome);
    return true;
}

static bool write_all(struct writer *writer, struct scenario scenarios[3], char *texts[3])
{
    struct outcome learnt, outcome;
    if (!try_scenario(writer, &scenarios[0], NULL, &texts[0]))
        return false;
    writer->base = fh_state_rdata(scenarios[0].state);
    if (!try_scenario(writer, &scenarios[1], &learnt, &texts[1]))
        return false;
    writer->played = &learnt;
    if (!try_scenario(writer, &scenarios[2], &outcome, &texts[2]))
        return false;
    if (outcome.verdict == VERDICT_PASSED)
        return true;
    diag_plain("reduce: #%" PRIu64 " is no scenario: %s", writer->line->seq,
               outcome.nfailures > 0 ? outcome.failures[0].message : "it fails");
    return false;
}

bool reduce_scenario(const struct reduction *reduction, const char *name, FILE *out)
{
    const struct reduce_records *records = reduction->records;
    struct writer writer = {.reduction = reduction,
                            .k = twin_profile(reduction->twin),
                            .trace = name,
                            .line = &records->list[records->count - 1]->line,
                            .boot = &records->list[0]->line};
    if (records->count == 1) {
        diag_plain("reduce: the boot line is no trap, and no scenario");
        return false;
    }
    struct scenario scenarios[3];
    char *texts[3] = {NULL};
    memset(scenarios, 0, sizeof scenarios);
    note_differences(&writer);
    reduce_replay(reduction);
    writer.model = reduce_look(reduction->twin, writer.line->cpu);
    const bool good = write_all(&writer, scenarios, texts);
    if (good)
        fputs(texts[2], out);
    for (size_t i = 0; i < 3; i++) {
        free(texts[i]);
        if (scenarios[i].arena)
            scenario_free(&scenarios[i]);
    }
    free(writer.comments);
    return good;
}
