/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <faulthandler/path.h>
#include <faulthandler/words.h>

#include "commands.h"
#include "base/diag.h"
#include "base/expression.h"
#include "base/json_out.h"
#include "base/numbers.h"
#include "base/options.h"
#include "base/output.h"
#include "base/text_stream.h"
#include "show/mappings.h"
#include "show/ranges.h"
#include "show/subject.h"

static const char help[] =
    "usage: fhsim query TRACE[#SEQ] WHAT [--json] [--machine NAME|DIR]\n\n"
    "Tells what became of a part of the machine in the course of a trace, up to its end or to a\n"
    "record: from which trap to which it was how.\n\n"
    "  --page PFN       whose the page is, how often it is shared, who has it mapped\n"
    "  --ipa WHO:ADDR   where this address leads to: of host:0x40000000, vm1:0x7000, or of a\n"
    "                   device behind a bank of an SMMU, smmu0.2:0x1000\n"
    "  --vm VMID        the VM's state, and that of the vCPUs that it has\n"
    "  --path PATH      any part of the state: shared.core_data.next_vmid, lock.S2PAGE_ID\n"
    "  --lock LOCK      a lock of the state, by name or number, S2PAGE_ID: which traps took it\n"
    "  --register REG   a register of a vCPU as KCore keeps it: vm1.vcpu0.x0\n"
    "  --when 'EXPR'    only while this holds, or without WHAT: when it does. Numbers, constants "
    "and\n"
    "                   paths of the state with || && ! == != < <= > >= + - & >> <<; of --page\n"
    "                   also owner, count, gfn, and mapped by host, mapped by vm 1, mapped by\n"
    "                   device, mapped by nobody\n"
    "  --json           JSON\n\n"
    "Exit status: 0, 2 bad input.\n";

enum { WORDS = 512 };

/* From a record to a record it was so. */
struct interval {
    uint64_t first, last;
    char *words;
};

struct query {
    const char *page, *ipa, *vm, *path, *lock, *reg, *when, *machine;
    bool json;

    /* Whose history it is. */
    struct mappings mappings; /* of the page */
    bool is_smmu;
    uint64_t vmid, vcpuid, smmu, bank, address;
    char place[160];  /* of `lock` and `reg`, as a path */
    char subject[96]; /* in words */
    bool is_bad;      /* it was reported */
    bool is_open;     /* the last interval goes on */

    struct subject at;
    struct interval *intervals;
    size_t count, size;
};

/* --- What is asked for ------------------------------------------------------------------------ */

static bool read_page(struct query *query)
{
    const char *behind;
    snprintf(query->subject, sizeof query->subject, "page %s", query->page);
    if (subject_number(query->page, '\0', &query->mappings.pfn, &behind) &&
        query->mappings.pfn < (uint64_t)1 << 52)
        return true;
    diag_plain("query: --page: '%s' is no page frame number", query->page);
    return false;
}

static bool read_ipa(struct query *query)
{
    const char *text = query->ipa, *behind = NULL;
    bool good = false;
    if (strncmp(text, "host:", 5) == 0) {
        behind = text + 5;
        good = true;
    } else if (strncmp(text, "vm", 2) == 0) {
        good = subject_number(text + 2, ':', &query->vmid, &behind);
    } else if (strncmp(text, "smmu", 4) == 0) {
        query->is_smmu = true;
        good = subject_number(text + 4, '.', &query->smmu, &behind) &&
               subject_number(behind, ':', &query->bank, &behind);
    }
    snprintf(query->subject, sizeof query->subject, "%s", text);
    if (good && subject_number(behind, '\0', &query->address, &behind))
        return true;
    diag_plain("query: --ipa: '%s' is none of host:ADDRESS, vmN:ADDRESS and smmuN.BANK:ADDRESS",
               text);
    return false;
}

static bool read_vm(struct query *query)
{
    const char *behind;
    snprintf(query->subject, sizeof query->subject, "VM %s", query->vm);
    if (subject_number(query->vm, '\0', &query->vmid, &behind))
        return true;
    diag_plain("query: --vm: '%s' is no VM's number", query->vm);
    return false;
}

static bool read_lock(struct query *query)
{
    snprintf(query->subject, sizeof query->subject, "lock %s", query->lock);
    const int length = snprintf(query->place, sizeof query->place, "lock.%s", query->lock);
    query->path = query->place;
    if (length < (int)sizeof query->place && !strchr(query->lock, '.'))
        return true;
    diag_plain("query: --lock: '%s' is no lock", query->lock);
    return false;
}

/* The place is known when the number of a VM's vCPUs is. */
static bool read_register(struct query *query)
{
    const char *behind = NULL, *name = NULL;
    snprintf(query->subject, sizeof query->subject, "%s", query->reg);
    query->path = query->place;
    if (strncmp(query->reg, "vm", 2) == 0 &&
        subject_number(query->reg + 2, '.', &query->vmid, &behind) &&
        strncmp(behind, "vcpu", 4) == 0 && subject_number(behind + 4, '.', &query->vcpuid, &name) &&
        *name && !strchr(name, '.') && strlen(query->reg) < sizeof query->subject)
        return true;
    diag_plain("query: --register: '%s' is no vmN.vcpuN.REGISTER", query->reg);
    return false;
}

static bool read_wanted(struct query *query)
{
    const int what = (query->page != NULL) + (query->ipa != NULL) + (query->vm != NULL) +
                     (query->path != NULL) + (query->lock != NULL) + (query->reg != NULL);
    if (what > 1 || (what == 0 && !query->when)) {
        diag_plain("query: one of --page, --ipa, --vm, --path, --lock and --register is needed, or "
                   "--when");
        return false;
    }
    if (what == 0) {
        snprintf(query->subject, sizeof query->subject, "%s", query->when);
        return true;
    }
    if (query->lock)
        return read_lock(query);
    if (query->reg)
        return read_register(query);
    snprintf(query->subject, sizeof query->subject, "%s", query->path ? query->path : "");
    return query->page  ? read_page(query)
           : query->ipa ? read_ipa(query)
           : query->vm  ? read_vm(query)
                        : true;
}

/* Is there such a vCPU? Then the path of its register is known. */
static bool is_vcpu_there(struct query *query, const struct fh_profile *k)
{
    if (query->vmid >= k->COREVISOR || query->vcpuid >= k->VCPU_PER_VM) {
        diag_plain("query: '%s': there are VMs up to %" PRIu64 ", and vCPUs below %" PRIu64,
                   query->reg, k->COREVISOR - 1, k->VCPU_PER_VM);
        return false;
    }
    snprintf(query->place, sizeof query->place, "shadow_ctxts.%" PRIu64 ".ctxt_regs.%s",
             query->vmid * k->VCPU_PER_VM + query->vcpuid, strrchr(query->reg, '.') + 1);
    return true;
}

/* Is there such a VM, bank or path? Asked once, with the state that the trace begins with. */
static bool is_there(struct query *query)
{
    const struct fh_state *state = query->at.state;
    const struct fh_profile *k = fh_state_profile(state);
    struct fh_found found;
    struct fh_path_error error;
    char words[WORDS];
    if (query->reg && !is_vcpu_there(query, k))
        return false;
    if (query->path) {
        if (fh_path_find(fh_state_rdata(state), k, query->path, &found, &error))
            return true;
        fh_path_error_format(&error, query->path, words, sizeof words);
        diag_plain("query: %s: %s",
                   query->lock  ? "--lock"
                   : query->reg ? "--register"
                                : "--path",
                   words);
        return false;
    }
    if (query->is_smmu && query->smmu < k->SMMU_NUM && query->bank < k->SMMU_NUM_CTXT_BANKS)
        return true;
    if (!query->is_smmu && query->vmid < k->COREVISOR)
        return true;
    diag_plain("query: '%s': there are VMs up to %" PRIu64 ", and banks below %" PRIu64 ".%" PRIu64,
               query->subject, k->COREVISOR - 1, k->SMMU_NUM, k->SMMU_NUM_CTXT_BANKS);
    return false;
}

/* --- How it is now ---------------------------------------------------------------------------- */

static void print_page(const struct query *query, FILE *out)
{
    const struct fh_state *state = query->at.state;
    const struct fh_s2page *page = page_at(state, query->mappings.pfn << 12);
    fputs("owner ", out);
    number_print_as(fh_state_profile(state), "s2_owner", page->s2_owner, out);
    fprintf(out, ", shared %" PRIu32 ", mapped by ", page->s2_count);
    mappings_print(&query->mappings, out);
}

static void print_ipa(const struct query *query, FILE *out)
{
    const struct fh_state *state = query->at.state;
    const struct fh_arm_ipa_access access = {.ipa = query->address, .kind = FH_ARM_READ};
    const struct fh_arm_memory memory =
        query->is_smmu ? fh_smmu_memory(state) : fh_stage2_memory(state);
    struct fh_arm_stage2_control control;
    struct fh_arm_walk walk;
    if (query->is_smmu)
        fh_smmu_control(state, query->smmu, query->bank, &control);
    else
        fh_stage2_control(state, query->vmid, &control);
    fh_arm_translate(&control, &memory, &access, &walk);
    if (!walk.is_translated) {
        fprintf(out, "not mapped, the walk ends at level %d", walk.level);
        if (walk.nsteps > 0 && walk.steps[walk.nsteps - 1].word != 0)
            fprintf(out, " with 0x%" PRIx64, walk.steps[walk.nsteps - 1].word);
        return;
    }
    fprintf(out, "to 0x%" PRIx64 " (level %d, %s%s%s), owner ", walk.output, walk.level,
            walk.leaf.S2AP & FH_ARM_S2AP_READ ? "R" : "",
            walk.leaf.S2AP & FH_ARM_S2AP_WRITE ? "W" : "", walk.leaf.XN & FH_ARM_XN_ALL ? "" : "X");
    number_print_as(fh_state_profile(state), "s2_owner", page_at(state, walk.output)->s2_owner,
                    out);
}

static void print_vm(const struct query *query, FILE *out)
{
    const struct fh_state *state = query->at.state;
    const struct fh_profile *k = fh_state_profile(state);
    uint64_t value = 0;
    char path[64];
    snprintf(path, sizeof path, "shared.vminfos.%" PRIu64 ".VS.vm_state", query->vmid);
    fh_get(state, path, &value);
    number_print(k, NUMBER_state, value, out);
    for (uint64_t i = 0; i < k->VCPU_PER_VM; i++) {
        snprintf(path, sizeof path, "shared.vminfos.%" PRIu64 ".VS.vm_vcpu_state.%" PRIu64,
                 query->vmid, i);
        if (fh_get(state, path, &value) != FH_OK || value == k->UNUSED)
            continue;
        fprintf(out, ", vCPU %" PRIu64 " ", i);
        number_print(k, NUMBER_state, value, out);
    }
}

static void print_path(const struct query *query, FILE *out)
{
    const struct fh_state *state = query->at.state;
    struct fh_found found;
    char words[WORDS];
    if (!fh_path_find(fh_state_rdata(state), fh_state_profile(state), query->path, &found, NULL))
        return;
    fh_value_format(found.type, found.place, words, sizeof words);
    fputs(words, out);
}

/* Is this the lock that is asked for, by name or number? */
static bool is_wanted_lock(const struct query *query, uint64_t lock)
{
    uint64_t number;
    const char *behind;
    if (subject_number(query->lock, '\0', &number, &behind))
        return number == lock;
    struct text_stream stream;
    number_print(fh_state_profile(query->at.state), NUMBER_lock, lock, text_stream_begin(&stream));
    text_stream_end(&stream);
    const bool is_wanted = strcmp(stream.text, query->lock) == 0;
    text_stream_free(&stream);
    return is_wanted;
}

/* Did the trap take the lock? */
static bool takes_lock(const struct query *query, const struct trace_line *line)
{
    const struct fh_profile *k = fh_state_profile(query->at.state);
    for (size_t i = 0; i < line->nfx; i++) {
        const struct trace_lock *lock = &line->fx[i].lock;
        if (line->fx[i].kind == TRACE_lock &&
            is_wanted_lock(query, lock_of_recorded(k, lock->lock, lock->vmid)))
            return true;
    }
    return false;
}

static void print_lock(const struct query *query, const struct trace_line *line, FILE *out)
{
    if (takes_lock(query, line))
        fprintf(out, "taken by CPU %" PRIu64 ", now ", line->cpu);
    print_path(query, out);
}

static void print_now(const struct query *query, const struct trace_line *line, FILE *out)
{
    if (query->page)
        print_page(query, out);
    else if (query->ipa)
        print_ipa(query, out);
    else if (query->vm)
        print_vm(query, out);
    else if (query->lock)
        print_lock(query, line, out);
    else if (query->path)
        print_path(query, out);
    else
        fputs("it holds", out);
}

/* --- Its history ------------------------------------------------------------------------------ */

static void add_interval(struct query *query, uint64_t seq, const char *words)
{
    if (query->count == query->size) {
        query->size = query->size ? 2 * query->size : 64;
        query->intervals = realloc(query->intervals, query->size * sizeof *query->intervals);
        if (!query->intervals)
            no_memory();
    }
    char *own = strdup(words);
    if (!own)
        no_memory();
    query->intervals[query->count++] = (struct interval){seq, seq, own};
}

/* --- When it is so ---------------------------------------------------------------------------- */

/* "mapped by host", "mapped by vm 1", ...; false: nobody is called so. */
static bool mapped_word(const struct query *query, const char *who, uint64_t *value)
{
    const char *behind;
    uint64_t vmid;
    if (strcmp(who, "nobody") == 0)
        *value = query->mappings.count == 0;
    else if (strcmp(who, "device") == 0)
        *value = mappings_has_device(&query->mappings);
    else if (strcmp(who, "host") == 0)
        *value = mappings_has_vm(&query->mappings, 0);
    else if (strncmp(who, "vm", 2) == 0 &&
             subject_number(who + 2 + (who[2] == ' '), '\0', &vmid, &behind))
        *value = mappings_has_vm(&query->mappings, vmid);
    else
        return false;
    return true;
}

/* What words mean of the page that is asked for. */
static bool page_word(void *context, const char *word, uint64_t *value)
{
    static const char mapped[] = "mapped by ";
    const struct query *query = context;
    if (!query->page)
        return false;
    const struct fh_s2page *page = page_at(query->at.state, query->mappings.pfn << 12);
    if (strncmp(word, mapped, strlen(mapped)) == 0)
        return mapped_word(query, word + strlen(mapped), value);
    if (strcmp(word, "owner") == 0)
        *value = page->s2_owner;
    else if (strcmp(word, "count") == 0)
        *value = page->s2_count;
    else if (strcmp(word, "gfn") == 0)
        *value = page->s2_gfn;
    else
        return false;
    return true;
}

/* Does it hold now, what --when says? */
static bool holds(struct query *query)
{
    struct expression_error error;
    uint64_t value = 1;
    if (query->when &&
        !expression_evaluate(query->when, query->at.state, page_word, query, &value, &error)) {
        diag(&(const struct place){"--when", 1, (unsigned)error.offset + 1}, query->when, "%s",
             error.message);
        query->is_bad = true;
    }
    return value != 0 && !query->is_bad;
}

static void told(void *context, const struct trace_line *line, struct trap_verdict *verdict)
{
    struct query *query = context;
    struct text_stream stream;
    if (query->is_bad || (!verdict && !is_there(query))) {
        query->is_bad = true;
        return;
    }
    if (query->page)
        mappings_follow(&query->mappings, line);
    if (!holds(query)) {
        query->is_open = false;
        return;
    }
    print_now(query, line, text_stream_begin(&stream));
    text_stream_end(&stream);
    struct interval *last = query->is_open ? &query->intervals[query->count - 1] : NULL;
    query->is_open = true;
    if (last && strcmp(last->words, stream.text) == 0)
        last->last = line->seq;
    else
        add_interval(query, line->seq, stream.text);
    text_stream_free(&stream);
}

static void print_text(const struct query *query)
{
    printf("%s: %s\n", query->at.path, query->subject);
    if (query->count == 0)
        puts("  never");
    for (size_t i = 0; i < query->count; i++) {
        const struct interval *interval = &query->intervals[i];
        char point[64];
        if (interval->first == interval->last)
            snprintf(point, sizeof point, "#%" PRIu64, interval->first);
        else
            snprintf(point, sizeof point, "#%" PRIu64 "..#%" PRIu64, interval->first,
                     interval->last);
        printf("  %-18s  %s\n", point, interval->words);
    }
}

static void print_json(const struct query *query)
{
    struct json_out out;
    json_out_begin_rows(&out, stdout, 2);
    json_open_object(&out, NULL);
    json_text(&out, "trace", query->at.path);
    json_text(&out, "subject", query->subject);
    json_open_array(&out, "intervals");
    for (size_t i = 0; i < query->count; i++) {
        json_open_object(&out, NULL);
        json_number(&out, "first", query->intervals[i].first);
        json_number(&out, "last", query->intervals[i].last);
        json_text(&out, "is", query->intervals[i].words);
        json_close_object(&out);
    }
    json_close_array(&out);
    json_close_object(&out);
    json_out_end(&out);
}

int command_query(int argc, char **argv)
{
    struct query query = {.count = 0};
    const struct option_spec options[] = {
        {"--page", NULL, &query.page},      {"--ipa", NULL, &query.ipa},
        {"--vm", NULL, &query.vm},          {"--path", NULL, &query.path},
        {"--lock", NULL, &query.lock},      {"--register", NULL, &query.reg},
        {"--when", NULL, &query.when},      {"--json", &query.json, NULL},
        {"--machine", NULL, &query.machine}};
    int count;
    switch (options_read(argc, argv, options, sizeof options / sizeof *options, &count)) {
    case OPTIONS_HELP: fputs(help, stdout); return EXIT_EXPECTED;
    case OPTIONS_BAD: return EXIT_BAD_INPUT;
    default: break;
    }
    if (count != 1) {
        diag_plain("query: one trace is needed; `fhsim query --help` explains");
        return EXIT_BAD_INPUT;
    }
    if (!read_wanted(&query))
        return EXIT_BAD_INPUT;
    const bool done = subject_point(&query.at, argv[0]) &&
                      subject_follow(&query.at, query.machine, false, told, &query) &&
                      !query.is_bad;
    if (done && query.json)
        print_json(&query);
    else if (done)
        print_text(&query);
    for (size_t i = 0; i < query.count; i++)
        free(query.intervals[i].words);
    free(query.intervals);
    mappings_free(&query.mappings);
    subject_close(&query.at);
    return done ? EXIT_EXPECTED : EXIT_BAD_INPUT;
}
