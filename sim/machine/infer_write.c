/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json_out.h"
#include "base/shown.h"
#include "machine/infer.h"

/* What a trace tells, as a machine.yaml. */

/* --- The boot record ------------------------------------------------------------------------- */

/* The machine most of whose conditions hold. One that lays down nothing fits everything. */
const struct machine_description *machine_infer_base(const struct trace_line *boot)
{
    const struct machine_description *best = machine_at(0);
    size_t most = 0;
    for (unsigned i = 0; machine_at(i); i++) {
        const struct machine_description *machine = machine_at(i);
        const size_t held = machine->nconditions - machine_recognise(machine, boot, NULL, 0);
        if (held > most) {
            best = machine;
            most = held;
        }
    }
    return best;
}

/* A YAML key; one with a bracket in it is fine outside of {}. */
static void print_value(const char *name, uint64_t value)
{
    if (value > 255)
        printf("  %s: %#" PRIx64 "\n", name, value);
    else
        printf("  %s: %" PRIu64 "\n", name, value);
}

static bool is_attribute(const char *name)
{
    return strncmp(name, "PAGE_", 5) == 0 || strncmp(name, "S2_", 3) == 0;
}

/* Values that follow from how the hypervisor is written, not from where it was loaded. */
static void infer_recognised(const struct trace_line *boot)
{
    uint64_t pools = 0;
    puts("\n# Of these, keep what every build of this hypervisor says, and no other does.\n"
         "recognised:");
    for (size_t i = 0; i < boot->nfx; i++)
        pools += boot->fx[i].kind == TRACE_boot_pool;
    print_value("call", boot->hvc_number);
    print_value("pools", pools);
    for (size_t i = 0; i < boot->nfx; i++) {
        const struct trace_effect *effect = &boot->fx[i];
        if (effect->kind == TRACE_boot_val && effect->present >> TRACE_AT_boot_val_val & 1 &&
            is_attribute(effect->boot_val.name))
            print_value(effect->boot_val.name, effect->boot_val.val);
    }
}

static void infer_mismatches(const struct trace_line *boot, const struct machine_description *base)
{
    enum { ROOM = 16 };
    struct machine_mismatch list[ROOM];
    const size_t count = machine_recognise(base, boot, list, ROOM);
    if (base->nconditions == 0)
        return;
    if (count == 0)
        printf("# Its boot record is one of %s: nothing of it needs a machine of its own.\n",
               base->name);
    else
        printf("# Nearest of the machines that are known; it is none of them:\n");
    for (size_t i = 0; i < count && i < ROOM; i++) {
        char text[200];
        machine_mismatch_format(&list[i], text, sizeof text);
        printf("#   %s\n", text);
    }
}

static uint64_t constant_of(const struct fh_profile *profile, const char *name)
{
    uint64_t value = 0;
    fh_profile_constant(profile, name, strlen(name), &value);
    return value;
}

static bool is_adopted(const struct machine_description *base, const char *name)
{
    for (size_t i = 0; i < base->nadoptions; i++) {
        if (strcmp(base->adoptions[i].target, name) == 0)
            return true;
    }
    return false;
}

/* EL2's own number: that of the last pools. */
static uint64_t own_number(const struct trace_line *boot)
{
    uint64_t own = 0;
    for (size_t i = 0; i < boot->nfx; i++) {
        const struct trace_effect *effect = &boot->fx[i];
        if (effect->kind == TRACE_boot_pool && effect->boot_pool.vmid > own)
            own = effect->boot_pool.vmid;
    }
    return own;
}

/* Constants that the record has by name, or that its pools imply, and the base has otherwise. */
static void infer_constants(const struct trace_line *boot, const struct machine_description *base)
{
    const uint64_t own = own_number(boot);
    printf("\n# Beside these, compare the hypervisor's headers with `fhsim machine show %s`.\n"
           "constants:\n",
           base->name);
    for (size_t i = 0; i < boot->nfx; i++) {
        const struct trace_effect *effect = &boot->fx[i];
        uint64_t value;
        if (effect->kind != TRACE_boot_val || !(effect->present >> TRACE_AT_boot_val_val & 1))
            continue;
        const char *name = effect->boot_val.name;
        if (fh_profile_constant(base->profile, name, strlen(name), &value) &&
            value != effect->boot_val.val && !is_adopted(base, name))
            print_value(name, effect->boot_val.val);
    }
    if (own != constant_of(base->profile, "COREVISOR")) {
        print_value("COREVISOR", own);
        puts("  # and the numbers of locks that follow: INFO_ID, ID_END, lock_idx_vm_base");
    }
    puts("  # MAX_VM_NUM, VCPU_PER_VM: no record says how many there may be");
}

/* What the base adopts from values that this record does not have. */
static void infer_adopted(const struct trace_line *boot, const struct machine_description *base)
{
    bool is_first = true;
    struct fh_profile profile = *base->profile;
    profile.COREVISOR = own_number(boot);
    if (base->nadoptions == 0) {
        puts("\n# What is adopted from the boot record has to be said; machines/sekvm-4.18 is an\n"
             "# example. Two values are needed at least:\n"
             "adopted:\n  ram_base: phys_mem_start\n  ram_size: phys_mem_size");
        return;
    }
    for (size_t i = 0; i < base->nadoptions; i++) {
        const struct machine_description one = {
            .profile = &profile, .nadoptions = 1, .adoptions = &base->adoptions[i]};
        struct machine_boot found;
        char error[200];
        const bool fine = machine_adopt(&one, boot, &found, error, sizeof error);
        machine_boot_free(&found);
        if (fine)
            continue;
        if (is_first)
            printf("\n# Adopted as for %s, but for what this boot record has no value of. If it "
                   "has one of\n# another name, say that instead of none.\nadopted:\n",
                   base->name);
        is_first = false;
        printf("  %s: none # %s\n", base->adoptions[i].target, base->adoptions[i].from.text);
    }
    if (is_first)
        printf("\n# Adopted from the boot record: all that is for %s.\n", base->name);
}

/* "traces/17_boot.jsonl.zst": 17_boot */
static void print_stem(const char *path)
{
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    printf("%.*s", (int)strcspn(name, "."), name);
}

void machine_infer_boot(const struct trace_line *boot, const struct machine_description *base,
                        const char *path)
{
    fputs(
        "# SPDX-License-Identifier: GPL-2.0-only\n"
        "# Inferred from a trace by `fhsim machine infer`: a beginning, to be read and completed.\n"
        "machine: new\ntitle: the hypervisor of ",
        stdout);
    print_stem(path);
    putchar('\n');
    infer_mismatches(boot, base);
    printf("extends: %s\n", base->name);
    infer_recognised(boot);
    infer_constants(boot, base);
    infer_adopted(boot, base);
}

/* --- What follows ---------------------------------------------------------------------------- */

static void infer_marks(const struct seen *seen, const struct machine_description *base)
{
    if (!seen->has_marks)
        puts("# PTE_MARK, PMD_MARK: no store of a leaf of the host's RAM was seen");
    else if (seen->marks != base->profile->PTE_MARK)
        printf("# Leaves of the host's RAM carry %#" PRIx64 ": constants has to say PTE_MARK: "
               "%#" PRIx64 "\n",
               seen->marks, seen->marks);
}

/* 4 where a pud was written; 3 where a pgd and a pmd were, and nothing between; else 0. */
static unsigned levels_of(unsigned seen)
{
    const unsigned outer = 1u << SEEN_pgd | 1u << SEEN_pmd;
    if (seen >> SEEN_pud & 1)
        return 4;
    return (seen & outer) == outer ? 3 : 0;
}

static void infer_levels(const char *key, unsigned seen, uint64_t assumed)
{
    if (levels_of(seen) > 0)
        printf("  %s: %u\n", key, levels_of(seen));
    else
        printf("  # %s: the stores that were seen do not tell; %" PRIu64 " is assumed\n", key,
               assumed);
}

/* Where a count is told, and no address, the first table that was entered tells where pools begin.
 */
static void infer_offsets(const struct seen *seen, const struct machine_description *base)
{
    static const char *const names[SEEN_PLACES] = {"HOST_PGD_OFFSET", "HOST_PUD_OFFSET",
                                                   "HOST_PMD_OFFSET", "PGD_OFFSET",
                                                   "PUD_OFFSET",      "PMD_OFFSET"};
    for (size_t i = 0; i < SEEN_PLACES; i++) {
        if (seen->offsets[i] != 0 && seen->offsets[i] != constant_of(base->profile, names[i]))
            printf("  # constants has to say %s: %#" PRIx64 "\n", names[i], seen->offsets[i]);
    }
}

static void infer_tables(const struct seen *seen, const struct machine_description *base)
{
    puts("\ntables:");
    infer_levels("levels", seen->levels, base->profile->STAGE2_LEVELS);
    infer_levels("own_levels", seen->own_levels, base->profile->COREVISOR_LEVELS);
    if (seen->levels >> SEEN_OTHER_LEVEL & 1)
        puts("  # levels have other names than pgd, pud, pmd, pte: the dialect has to say which");
    if (seen->nexts == 0)
        puts("  # next: no table page was taken from a pool");
    else if (seen->steps_of_1 > seen->steps_of_page) {
        puts("  next: index");
        infer_offsets(seen, base);
    } else
        printf("  next: %s\n", seen->beyond_pools == seen->nexts ? "address" : "offset");
    infer_marks(seen, base);
}

static const struct fh_abi_call *named(const struct fh_abi *abi, const char *recorded)
{
    for (unsigned i = 0; abi && i < abi->ncalls; i++) {
        if (strcmp(abi->calls[i].recorded, recorded) == 0)
            return &abi->calls[i];
    }
    return NULL;
}

/* "HVC_SET_BOOT_INFO": SET_BOOT_INFO */
static const char *bare(const char *recorded)
{
    return strncmp(recorded, "HVC_", 4) == 0 ? recorded + 4 : recorded;
}

static void infer_call(const struct seen_call *call, const struct machine_description *base)
{
    const struct fh_abi_call *by_name = named(base->hypercalls, call->name);
    if (by_name && by_name->number == call->number)
        return;
    if (by_name) {
        printf("  %s: %" PRIu64 "\n", by_name->name, call->number);
        return;
    }
    if (call->runs) {
        printf("  VCPU_RUN: {number: %" PRIu64 ", recorded_as: ", call->number);
        json_write_text(stdout, call->name, strlen(call->name));
        puts("}");
        return;
    }
    if (call->name[0] == '?' || call->name[0] == '\0')
        return;
    printf("  # %s has no call of this name, seen %" PRIu64 " times. It needs a line:\n  # ",
           base->name, call->count);
    print_shown(stdout, bare(call->name), strlen(bare(call->name)));
    printf(": {number: %" PRIu64 ", call: \"FUNCTION(w1, x2)\"}\n", call->number);
}

/* A list in a comment, in lines that fit. */
struct comment {
    const char *heading;
    int column;
};

/* The words are names of the trace: a comment must not end in one. */
static void add_word(struct comment *comment, const char *word, uint64_t number)
{
    enum { WIDTH = 96, INDENT = 6 };
    char text[80];
    snprintf(text, sizeof text, "%s %" PRIu64, word, number);
    const int length = (int)strlen(text);
    const bool begins = comment->heading || comment->column + length + 2 > WIDTH;
    if (comment->heading)
        printf("  # %s\n", comment->heading);
    else
        fputs(begins ? ",\n" : ", ", stdout);
    fputs(begins ? "  #   " : "", stdout);
    print_shown(stdout, text, strlen(text));
    comment->column = (begins ? INDENT : comment->column + 2) + length;
    comment->heading = NULL;
}

static void end_comment(const struct comment *comment)
{
    if (!comment->heading)
        putchar('\n');
}

static void infer_unseen_calls(const struct seen *seen, const struct machine_description *base)
{
    struct comment comment = {"not seen, and assumed to have these numbers:", 0};
    for (unsigned i = 0; base->hypercalls && i < base->hypercalls->ncalls; i++) {
        const struct fh_abi_call *call = &base->hypercalls->calls[i];
        bool was_seen = false;
        for (size_t n = 0; n < seen->ncalls; n++)
            was_seen = was_seen || strcmp(seen->calls[n].name, call->recorded) == 0;
        if (!was_seen)
            add_word(&comment, call->name, call->number);
    }
    end_comment(&comment);
}

static void infer_calls(const struct seen *seen, const struct machine_description *base)
{
    printf("\n# Calls that were seen under another number than those of %s. A trace does not say "
           "what is\n# checked, nor how wide arguments are.\nhypercalls:\n",
           base->name);
    for (size_t i = 0; i < seen->ncalls; i++)
        infer_call(&seen->calls[i], base);
    infer_unseen_calls(seen, base);
    if (seen->traps[TRACE_KIND_guest_exit] == 0)
        puts("\n# guest_calls: no VM ran.");
}

/* The constant that a register's name in records is, SYS_MPIDR_EL1 and MPIDR_EL1 alike; or NULL. */
static const char *constant_named(const struct machine_description *base, const char *name,
                                  uint64_t *number)
{
    static const char prefix[] = "SYS_";
    if (fh_profile_constant(base->profile, name, strlen(name), number))
        return name;
    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return NULL;
    name += sizeof prefix - 1;
    return fh_profile_constant(base->profile, name, strlen(name), number) ? name : NULL;
}

/* The register's name and number in the model, if the records have another; NULL. */
static const char *moved_register(const struct seen_register *reg,
                                  const struct machine_description *base, uint64_t *number)
{
    const char *name = constant_named(base, reg->name, number);
    return name && machine_register_recorded(base, *number) != reg->number ? name : NULL;
}

/* Registers one behind the other in the model and in records are a line; how many it took. */
static size_t infer_run(const struct seen *seen, size_t from,
                        const struct machine_description *base)
{
    uint64_t first, number;
    size_t count = 1;
    const struct seen_register *list = &seen->registers[from];
    const char *name = moved_register(list, base, &first), *last = name, *next;
    if (!name)
        return 1;
    while (from + count < seen->nregisters && list[count].number == list[0].number + count &&
           (next = moved_register(&list[count], base, &number)) && number == first + count) {
        last = next;
        count++;
    }
    if (count > 1)
        printf("  %s to %s: %" PRIu64 "\n", name, last, list[0].number);
    else
        printf("  %s: %" PRIu64 "\n", name, list[0].number);
    return count;
}

static void infer_registers(const struct seen *seen, const struct machine_description *base)
{
    struct comment others = {"the model has none of these names; their numbers stay:", 0};
    puts("\n# Registers of shadow contexts that have another number in the records.\nregisters:");
    for (size_t i = 0; i < seen->nregisters;)
        i += infer_run(seen, i, base);
    for (size_t i = 0; i < seen->nregisters; i++) {
        const struct seen_register *reg = &seen->registers[i];
        uint64_t number;
        if (reg->name[0] && reg->number >= TRACE_GPRS && !constant_named(base, reg->name, &number))
            add_word(&others, reg->name, reg->number);
    }
    end_comment(&others);
    if (seen->nregisters == 0)
        puts("  # none was set");
}

/* Kinds that a recorder of this format usually writes, and this one did not. */
static void infer_dialect(const struct seen *seen)
{
    static const enum trace_effect_kind usual[] = {
        TRACE_lock,   TRACE_unlock,     TRACE_fn,   TRACE_fn_ret, TRACE_s2_read,
        TRACE_s2_set, TRACE_pt_store,   TRACE_tlbi, TRACE_vm_set, TRACE_scrub,
        TRACE_percpu, TRACE_shadow_set, TRACE_snap, TRACE_panic};
    bool is_first = true;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        if (seen->kinds[usual[i]] > 0)
            continue;
        if (is_first)
            fputs(
                "\n# Effects that were not seen. If the recorder never writes one, say so, as in\n"
                "# dialect: [{effect: snap, omits: true}]\n#  ",
                stdout);
        is_first = false;
        printf(" %s", trace_effect_name(usual[i]));
    }
    if (!is_first)
        putchar('\n');
}

void machine_infer_rest(const struct seen *seen, const struct machine_description *base)
{
    infer_tables(seen, base);
    infer_calls(seen, base);
    infer_registers(seen, base);
    infer_dialect(seen);
    printf("\n# From %" PRIu64 " records on %" PRIu64 " CPU%s: %" PRIu64 " faults of the host, "
           "%" PRIu64 " hypercalls, %" PRIu64 " exits.\n"
           "# What the hypervisor does otherwise is for `catalogue` and an overlay: "
           "docs/machines.md.\n",
           seen->lines, seen->cpus, seen->cpus == 1 ? "" : "s", seen->traps[TRACE_KIND_host_npt],
           seen->traps[TRACE_KIND_host_hvc], seen->traps[TRACE_KIND_guest_exit]);
}
