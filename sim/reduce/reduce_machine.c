/* SPDX-License-Identifier: GPL-2.0-only */
#include "reduce/reduce_scenario.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The first half of a scenario: the situation before the trap. */

FILE *writer_memory(char **text, size_t *length)
{
    FILE *out = open_memstream(text, length);
    if (out)
        return out;
    no_memory();
}

bool writer_is_run(const struct writer *writer)
{
    const struct machine_description *machine = writer->reduction->goal->machine;
    const struct trace_line *line = writer->line;
    const struct fh_abi_call *call = machine_call(machine->hypercalls, line->in.x[0]);
    return line->kind == TRACE_KIND_host_hvc && call && call->kind == FH_ABI_run;
}

void writer_word(uint64_t value, FILE *out)
{
    fprintf(out, value < HEX_FROM ? "%" PRIu64 : "0x%" PRIx64, value);
}

/* --- Nested maps ----------------------------------------------------------------------------- */

/* A field or a key, which is an address if it is large. */
static void write_word(char word[WORD_MAX], const char *text, size_t length)
{
    char *end;
    const uint64_t key = strtoull(text, &end, 10);
    if (end == text + length && key >= HEX_FROM)
        snprintf(word, WORD_MAX, "0x%" PRIx64, key);
    else
        snprintf(word, WORD_MAX, "%.*s", (int)length, text);
}

static unsigned split(const char *path, char words[LEVELS_MAX][WORD_MAX])
{
    unsigned depth = 0;
    while (*path && depth < LEVELS_MAX) {
        const size_t length = strcspn(path, ".");
        write_word(words[depth++], path, length);
        path += length + (path[length] == '.');
    }
    return depth;
}

void nest_put(struct nest *nest, const char *path, const char *value)
{
    char words[LEVELS_MAX][WORD_MAX];
    const unsigned depth = split(path, words);
    unsigned same = 0;
    while (same + 1 < depth && same + 1 < nest->depth &&
           strcmp(words[same], nest->words[same]) == 0)
        same++;
    for (unsigned i = same; i < depth; i++) {
        fprintf(nest->out, "%*s%s:", nest->indent + 2 * (int)i, "", words[i]);
        fputs(i + 1 < depth ? "\n" : " ", nest->out);
    }
    fprintf(nest->out, "%s\n", value);
    memcpy(nest->words, words, sizeof words);
    nest->depth = depth;
    nest->count++;
}

/* --- The machine ----------------------------------------------------------------------------- */

static uint64_t boot_value(const struct writer *writer, const char *name, uint64_t otherwise)
{
    for (size_t i = 0; i < writer->boot->nfx; i++) {
        const struct trace_effect *effect = &writer->boot->fx[i];
        if (effect->kind == TRACE_boot_val && strcmp(effect->boot_val.name, name) == 0)
            return effect->boot_val.val;
    }
    return otherwise;
}

static void write_owned(struct writer *writer, uint64_t begin, uint64_t end,
                        const struct trace_boot_rle *run)
{
    if (begin >= end)
        return;
    fprintf(writer->out, "    - {base: 0x%" PRIx64 ", size: 0x%" PRIx64 ", ", begin, end - begin);
    if (run->owner == writer->k->COREVISOR)
        fputs("owner: COREVISOR, ", writer->out);
    else if (run->owner != writer->k->HOSTVISOR)
        fprintf(writer->out, "owner: %" PRIu64 ", ", run->owner);
    fputs("gfn: ", writer->out);
    writer_word(run->gfn, writer->out);
    fputs("}\n", writer->out);
}

/* A region, in parts with one owner each. */
static void write_region(struct writer *writer, const struct trace_boot_region *region)
{
    const uint64_t start = boot_value(writer, "phys_mem_start", 0);
    const uint64_t page = writer->k->PAGE_SIZE;
    for (size_t i = 0; i < writer->boot->nfx; i++) {
        const struct trace_boot_rle *run = &writer->boot->fx[i].boot_rle;
        if (writer->boot->fx[i].kind != TRACE_boot_rle)
            continue;
        const uint64_t begin = start + run->start_index * page;
        const uint64_t end = begin + run->len * page;
        const uint64_t region_end = region->base + region->size;
        write_owned(writer, begin > region->base ? begin : region->base,
                    end < region_end ? end : region_end, run);
    }
}

static void write_smmus(struct writer *writer)
{
    const uint64_t count = boot_value(writer, "el2_smmu_num", 0);
    if (count > 0)
        fputs("  smmus:\n", writer->out);
    for (uint64_t i = 0; i < count && i < writer->k->SMMU_NUM; i++) {
        static const struct {
            const char *name, *key;
        } parts[] = {{"phys_base", "base"},
                     {"size", "size"},
                     {"pgshift", "pgshift"},
                     {"num_context_banks", "banks"}};
        for (size_t j = 0; j < sizeof parts / sizeof *parts; j++) {
            char name[64];
            snprintf(name, sizeof name, "smmu%" PRIu64 ".%s", i, parts[j].name);
            fprintf(writer->out, "%s%s: ", j == 0 ? "    - {" : ", ", parts[j].key);
            writer_word(boot_value(writer, name, 0), writer->out);
        }
        fputs("}\n", writer->out);
    }
}

/* Which machine it is, and which of its departures are on. */
static void write_name(struct writer *writer)
{
    const struct fh_machine *machine = writer->model.machine;
    const char *comma = "  only: [";
    fprintf(writer->out, "  name: %s\n", machine->name);
    for (unsigned i = 0; fh_machine_departure(machine, i); i++) {
        if (!fh_departs(&writer->model.departures, i))
            continue;
        fprintf(writer->out, "%s%s", comma, fh_machine_departure(machine, i));
        comma = ",\n         ";
    }
    fputs(*comma == ' ' ? "  only: []\n" : "]\n", writer->out);
}

void writer_machine(struct writer *writer)
{
    static const char *const realisations[] = {
        [FH_ABSTRACT] = "abstract", [FH_CONCRETE] = "concrete", [FH_BOTH] = "both"};
    fprintf(writer->out, "profile: %s\nmachine:\n", writer->k->name);
    write_name(writer);
    fprintf(writer->out, "  cpu: %" PRIu64 "\n", writer->line->cpu);
    fprintf(writer->out, "  realisation: %s\n", realisations[writer->model.realisation]);
    fputs("  regions:\n", writer->out);
    for (size_t i = 0; i < writer->boot->nfx; i++) {
        if (writer->boot->fx[i].kind == TRACE_boot_region)
            write_region(writer, &writer->boot->fx[i].boot_region);
    }
    write_smmus(writer);
}

/* --- What is not in the state ---------------------------------------------------------------- */

/* One of the keys below `parameters`; true if it has been begun. */
static void begin_key(struct writer *writer, bool *any, bool *is_begun, const char *key)
{
    if (!*any)
        fputs("parameters:\n", writer->out);
    if (!*is_begun)
        fprintf(writer->out, "  %s:\n", key);
    *any = *is_begun = true;
}

static void write_verdicts(struct writer *writer, bool *any)
{
    bool is_begun = false;
    uint64_t vmid = UINT64_MAX;
    for (size_t i = 0; i < writer->line->nfx; i++) {
        const struct trace_verify *verify = &writer->line->fx[i].verify;
        if (writer->line->fx[i].kind != TRACE_verify || (is_begun && verify->vmid != vmid))
            continue;
        begin_key(writer, any, &is_begun, "verify_img");
        if (vmid != verify->vmid)
            fprintf(writer->out, "    %" PRIu64 ":\n", verify->vmid);
        vmid = verify->vmid;
        fprintf(writer->out, "      0x%" PRIx64 ": %" PRIu64 "\n", verify->addr, verify->ed25519);
    }
}

/* The values to which system registers are reset, when a vCPU runs for the first time. */
static void write_resets(struct writer *writer, bool *any)
{
    enum { RESETS_MAX = 64 };
    bool is_begun = false;
    bool is_said[RESETS_MAX] = {false};
    for (size_t i = 0; i < writer->line->nfx && writer_is_run(writer); i++) {
        const struct trace_shadow_set *set = &writer->line->fx[i].shadow_set;
        const uint64_t number = set->idx - writer->k->SYSREGS_START;
        if (writer->line->fx[i].kind != TRACE_shadow_set || number >= RESETS_MAX ||
            is_said[number] || set->new == 0)
            continue;
        is_said[number] = true;
        begin_key(writer, any, &is_begun, "reg_desc");
        fprintf(writer->out, "    %" PRIu64 ": 0x%" PRIx64 "\n", number, set->new);
    }
}

/* Where the host keeps what it has of a VM. */
static void write_shared(struct writer *writer, bool *any)
{
    bool has_kvm = false, has_vcpu = false;
    for (size_t i = 0; i < writer->line->nfx; i++) {
        const struct trace_vm_set *set = &writer->line->fx[i].vm_set;
        if (writer->line->fx[i].kind != TRACE_vm_set)
            continue;
        if (!has_kvm && strcmp(set->field, "kvm") == 0) {
            begin_key(writer, any, &has_kvm, "shared_kvm");
            fprintf(writer->out, "    %" PRIu64 ": 0x%" PRIx64 "\n", set->vmid, set->new);
        } else if (!has_vcpu && strcmp(set->field, "vcpu") == 0) {
            begin_key(writer, any, &has_vcpu, "shared_vcpu");
            fprintf(writer->out, "    %" PRIu64 ": {%" PRIu64 ": 0x%" PRIx64 "}\n", set->vmid,
                    set->sub, set->new);
        }
    }
}

void writer_parameters(struct writer *writer)
{
    bool any = false;
    write_verdicts(writer, &any);
    write_resets(writer, &any);
    write_shared(writer, &any);
}

/* --- The state before the trap --------------------------------------------------------------- */

/* What belongs to the CPU or the trap, or is laid out in another way. */
static bool is_left_out(const char *field)
{
    static const char *const left_out[] = {"halt",     "icore",         "ihost",      "tstate",
                                           "curid",    "cur_vmid",      "cur_vcpuid", "regs",
                                           "lock",     "bars",          "log",        "slog",
                                           "data_log", "core_data_log", "regions",    "region_cnt"};
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++) {
        if (strcmp(left_out[i], field) == 0)
            return true;
    }
    return false;
}

/* Where changes are put, in the words of a machine. */
struct put {
    struct nest *nest;
    const struct fh_profile *profile;
};

static char *value_as_text(const struct put *put, const struct fh_change *change)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = writer_memory(&text, &length);
    value_print_at(put->profile, change->path, change->type, change->after, out);
    fclose(out);
    return text;
}

static bool put_change(void *context, const struct fh_change *change)
{
    char path[256];
    if (is_left_out(change->path->steps[0].field) || change->type->kind == FH_KIND_LOG)
        return true;
    fh_path_format(change->path, path, sizeof path);
    const struct put *put = context;
    char *value = value_as_text(put, change);
    nest_put(put->nest, path, value);
    free(value);
    return true;
}

static void write_running(struct writer *writer, struct nest *nest)
{
    char number[32];
    if (writer->line->kind != TRACE_KIND_guest_exit)
        return;
    nest_put(nest, "ihost", "false");
    snprintf(number, sizeof number, "%" PRIu64, writer->model.vmid);
    nest_put(nest, "cur_vmid", number);
    snprintf(number, sizeof number, "%" PRIu64, writer->model.vcpuid);
    nest_put(nest, "cur_vcpuid", number);
}

void writer_state(struct writer *writer)
{
    struct nest nest = {.out = writer->out, .indent = 2};
    char *text = NULL;
    size_t length = 0;
    nest.out = writer_memory(&text, &length);
    write_running(writer, &nest);
    struct put put = {&nest, writer->reduction->goal->machine->profile};
    fh_delta(writer->base, writer->model.state, put_change, &put);
    fclose(nest.out);
    if (nest.count > 0)
        fprintf(writer->out, "state:\n%s", text);
    free(text);
}
