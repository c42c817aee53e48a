/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <faulthandler/arm.h>

#include "commands.h"
#include "base/diag.h"
#include "base/json_out.h"
#include "base/options.h"
#include "base/output.h"
#include "show/ranges.h"
#include "show/show.h"
#include "show/subject.h"
#include "show/trap.h"

static const char help[] =
    "usage: fhsim show SCENARIO[#STEP] WHAT [--long] [--json] [--machine NAME|DIR]\n"
    "       fhsim show TRACE[#SEQ] WHAT [--long] [--json] [--machine NAME|DIR]\n"
    "       fhsim show TRACE#SEQ [--long] [--json] [--machine NAME|DIR]\n\n"
    "Shows one trap of a trace whole: what went in, what is to be said of it, what it did, step "
    "by\n"
    "step, who wrote these places before and behind, and what changed in the state. Or, with "
    "WHAT,\n"
    "translation tables: of a scenario (*.yaml) behind a step, 0 for none, or of the model\n"
    "beside a recorded trace, behind the record SEQ. Without a point: at the end.\n\n"
    "  --stage2 VMID  what a VM, or the host (0), has mapped, in the layout of the kernel's\n"
    "                 stage2_page_tables (debugfs), which `fhsim convert --from stage2-dump` "
    "reads\n"
    "  --smmu N.BANK  what a context bank of an SMMU maps\n"
    "  --owner        whose the pages of memory are\n"
    "  --walk ADDRESS how this address is translated, by the table of --stage2 (the host's by\n"
    "                 default) or --smmu, descriptor by descriptor\n"
    "  --long         physical addresses, memory types and owners behind the layout; of a trap, "
    "all\n"
    "                 registers that changed\n"
    "  --json         JSON\n\n"
    "Exit status: 0, 2 bad input.\n";

/* What is wanted, as the command line says. */
struct wish {
    const char *stage2, *smmu, *walk, *machine;
    bool owner, is_long, json;
};

/* A table to show. */
struct table {
    char name[64];
    struct fh_arm_stage2_control control;
    struct fh_arm_memory memory;
};

struct show {
    FILE *out;
    const struct fh_state *state;
    const struct wish *wish;
    struct table table;
    struct json_out json;
};

/* --- Words ------------------------------------------------------------------------------------ */

static const char *owner_words(const struct fh_profile *k, uint32_t owner, char buffer[24])
{
    if (owner == k->INVALID)
        return "nobody";
    if (owner == k->HOSTVISOR)
        return "host";
    if (owner == k->COREVISOR)
        return "KCore";
    snprintf(buffer, 24, "VM %" PRIu32, owner);
    return buffer;
}

/* "16M": the largest unit in which the size is a whole number. */
static void print_size(FILE *out, uint64_t bytes)
{
    static const char units[] = "KMGTPE";
    uint64_t size = bytes >> 10;
    size_t unit = 0;
    for (; size % 1024 == 0 && units[unit + 1]; unit++)
        size /= 1024;
    fprintf(out, "%9" PRIu64 "%c", size, units[unit]);
}

/* --- Tables ----------------------------------------------------------------------------------- */

static struct fh_arm_stage2_leaf leaf_of(const struct range *range)
{
    return fh_arm_stage2_leaf_of(range->word);
}

/* A block is one by its level; close ranges go page by page. */
static bool is_block(const struct range *range)
{
    return range->level < 3;
}

static void print_behind(const struct show *show, const struct range *range)
{
    char name[24];
    if (!range->is_mapped) {
        if (range->word)
            fprintf(show->out, " ; mark 0x%" PRIx64, range->word);
        return;
    }
    fprintf(show->out, " ; pa 0x%" PRIx64 " %s", range->output,
            owner_words(fh_state_profile(show->state), range->owner, name));
    if (range->count)
        fprintf(show->out, " shared %" PRIu32, range->count);
    fprintf(show->out, ", %s", fh_arm_memattr_name(leaf_of(range).MemAttr, false));
}

/* A row of the kernel's dump: what is not mapped has no attributes. */
static void print_range(void *context, const struct range *range)
{
    const struct show *show = context;
    const struct fh_arm_stage2_leaf leaf = leaf_of(range);
    fprintf(show->out, "0x%016" PRIx64 "-0x%016" PRIx64 "   ", range->begin, range->end);
    print_size(show->out, range->end - range->begin);
    fprintf(show->out, " %d", range->level);
    if (range->is_mapped)
        fprintf(show->out, "   %s %s %s %s %s", leaf.S2AP & FH_ARM_S2AP_READ ? "R" : " ",
                leaf.S2AP & FH_ARM_S2AP_WRITE ? "W" : " ", leaf.XN & FH_ARM_XN_ALL ? " " : "X",
                leaf.AF ? "AF" : "  ", is_block(range) ? "BLK" : "   ");
    if (show->wish->is_long)
        print_behind(show, range);
    fputc('\n', show->out);
}

static void json_range(void *context, const struct range *range)
{
    struct show *show = context;
    struct json_out *out = &show->json;
    const struct fh_arm_stage2_leaf leaf = leaf_of(range);
    char name[24];
    if (!range->is_mapped && !range->word)
        return;
    json_open_object(out, NULL);
    json_hex(out, "begin", range->begin);
    json_hex(out, "end", range->end);
    json_number(out, "level", (uint64_t)range->level);
    if (!range->is_mapped) {
        json_hex(out, "mark", range->word);
        json_close_object(out);
        return;
    }
    json_hex(out, "pa", range->output);
    json_text(out, "owner", owner_words(fh_state_profile(show->state), range->owner, name));
    json_number(out, "shared", range->count);
    json_bool(out, "read", leaf.S2AP & FH_ARM_S2AP_READ);
    json_bool(out, "write", leaf.S2AP & FH_ARM_S2AP_WRITE);
    json_bool(out, "execute", !(leaf.XN & FH_ARM_XN_ALL));
    json_bool(out, "accessed", leaf.AF);
    json_text(out, "type", fh_arm_memattr_name(leaf.MemAttr, false));
    json_close_object(out);
}

static bool show_table(struct show *show)
{
    const struct table *table = &show->table;
    if (!show->wish->json) {
        fprintf(show->out, "---[ %s ]---\n", table->name);
        return ranges_of_table(show->state, &table->control, &table->memory, show->wish->is_long,
                               print_range, show);
    }
    json_text(&show->json, "table", table->name);
    json_open_array(&show->json, "ranges");
    const bool done =
        ranges_of_table(show->state, &table->control, &table->memory, true, json_range, show);
    json_close_array(&show->json);
    return done;
}

/* --- Walks ------------------------------------------------------------------------------------ */

static void json_walk(struct json_out *out, const struct fh_arm_walk *walk)
{
    json_open_array(out, "steps");
    for (unsigned i = 0; i < walk->nsteps; i++) {
        json_open_object(out, NULL);
        json_signed(out, "level", walk->steps[i].level);
        json_hex(out, "at", walk->steps[i].address);
        json_hex(out, "word", walk->steps[i].word);
        json_close_object(out);
    }
    json_close_array(out);
    if (!walk->is_translated) {
        json_text(out, "fault", access_fault_word(walk->status));
        json_signed(out, "level", walk->level);
        return;
    }
    json_hex(out, "pa", walk->output);
}

static bool read_address(const char *text, uint64_t *address)
{
    const char *behind;
    if (subject_number(text, '\0', address, &behind))
        return true;
    diag_plain("show: --walk: '%s' is no address", text);
    return false;
}

static bool show_walk(struct show *show)
{
    const struct table *table = &show->table;
    struct fh_arm_ipa_access access = {.kind = FH_ARM_READ};
    struct fh_arm_walk walk;
    char text[1500], name[24];
    if (!read_address(show->wish->walk, &access.ipa))
        return false;
    fh_arm_translate(&table->control, &table->memory, &access, &walk);
    const struct fh_s2page *page = page_at(show->state, walk.output);
    const char *owner = owner_words(fh_state_profile(show->state), page->s2_owner, name);
    if (show->wish->json) {
        json_text(&show->json, "table", table->name);
        json_hex(&show->json, "address", access.ipa);
        json_walk(&show->json, &walk);
        if (walk.is_translated)
            json_text(&show->json, "owner", owner);
        return true;
    }
    fh_arm_describe_walk(&table->control, &walk, text, sizeof text);
    fprintf(show->out, "%s: 0x%" PRIx64 "\n%s", table->name, access.ipa, text);
    if (walk.is_translated)
        fprintf(show->out, "the page belongs to %s, its share count is %" PRIu32 "\n", owner,
                page->s2_count);
    return true;
}

/* --- Owners ----------------------------------------------------------------------------------- */

static void print_owned(void *context, const struct range *range)
{
    const struct show *show = context;
    char name[24];
    fprintf(show->out, "0x%016" PRIx64 "-0x%016" PRIx64 "   ", range->begin, range->end);
    print_size(show->out, range->end - range->begin);
    fprintf(show->out, " %s", owner_words(fh_state_profile(show->state), range->owner, name));
    if (range->count)
        fprintf(show->out, " shared %" PRIu32, range->count);
    fputc('\n', show->out);
}

static void json_owned(void *context, const struct range *range)
{
    struct show *show = context;
    char name[24];
    json_open_object(&show->json, NULL);
    json_hex(&show->json, "begin", range->begin);
    json_hex(&show->json, "end", range->end);
    json_text(&show->json, "owner", owner_words(fh_state_profile(show->state), range->owner, name));
    json_number(&show->json, "shared", range->count);
    json_close_object(&show->json);
}

static bool show_owners(struct show *show)
{
    if (!show->wish->json) {
        ranges_of_owners(show->state, print_owned, show);
        return true;
    }
    json_open_array(&show->json, "owners");
    ranges_of_owners(show->state, json_owned, show);
    json_close_array(&show->json);
    return true;
}

/* --- The command ------------------------------------------------------------------------------ */

static bool read_number(const char *text, char end, uint64_t below, uint64_t *value)
{
    const char *behind;
    return subject_number(text, end, value, &behind) && *value < below;
}

static bool choose_stage2(struct show *show, const char *text)
{
    const struct fh_profile *k = fh_state_profile(show->state);
    uint64_t vmid;
    if (!read_number(text, '\0', k->COREVISOR, &vmid)) {
        diag_plain("show: --stage2: '%s' is no VM: there are 0 (the host) to %" PRIu64, text,
                   k->COREVISOR - 1);
        return false;
    }
    snprintf(show->table.name, sizeof show->table.name,
             vmid == k->HOSTVISOR ? "Host IPA" : "Guest IPA");
    fh_stage2_control(show->state, vmid, &show->table.control);
    show->table.memory = fh_stage2_memory(show->state);
    return true;
}

static bool choose_smmu(struct show *show, const char *text)
{
    const struct fh_profile *k = fh_state_profile(show->state);
    const char *dot = strchr(text, '.');
    uint64_t smmu, bank;
    if (!dot || !read_number(text, '.', k->SMMU_NUM, &smmu) ||
        !read_number(dot + 1, '\0', k->SMMU_NUM_CTXT_BANKS, &bank)) {
        diag_plain("show: --smmu: '%s' is no bank: N.BANK is needed, below %" PRIu64 ".%" PRIu64,
                   text, k->SMMU_NUM, k->SMMU_NUM_CTXT_BANKS);
        return false;
    }
    snprintf(show->table.name, sizeof show->table.name, "SMMU %" PRIu64 " bank %" PRIu64, smmu,
             bank);
    fh_smmu_control(show->state, smmu, bank, &show->table.control);
    show->table.memory = fh_smmu_memory(show->state);
    return true;
}

static bool show_wanted(struct show *show)
{
    const struct wish *wish = show->wish;
    if (wish->owner)
        return show_owners(show);
    if (!(wish->smmu ? choose_smmu(show, wish->smmu)
                     : choose_stage2(show, wish->stage2 ? wish->stage2 : "0")))
        return false;
    return wish->walk ? show_walk(show) : show_table(show);
}

static bool show_subject(const struct subject *subject, const struct wish *wish, FILE *out)
{
    struct show show = {.out = out, .state = subject->state, .wish = wish};
    if (fh_state_realisation(show.state) == FH_ABSTRACT && !wish->owner) {
        diag_plain("%s: its tables are maps: 'realisation: abstract' has no words to show",
                   subject->path);
        return false;
    }
    if (!wish->json)
        return show_wanted(&show);
    json_out_begin(&show.json, out);
    json_open_object(&show.json, NULL);
    const bool done = show_wanted(&show);
    json_close_object(&show.json);
    json_out_end(&show.json);
    return done;
}

/* Nothing of a state is wanted, but a trap. */
static bool is_of_trap(const struct wish *wish)
{
    return !wish->stage2 && !wish->smmu && !wish->owner && !wish->walk;
}

static bool is_clear(const struct wish *wish)
{
    const int what = (wish->stage2 != NULL) + (wish->smmu != NULL) + wish->owner;
    if (what > 1 || (wish->owner && wish->walk))
        diag_plain("show: one of --stage2, --smmu and --owner, and --walk with the first two");
    else
        return true;
    return false;
}

/* The options, and what they are put into. */
static enum options_outcome read_wish(int argc, char **argv, struct wish *wish, int *count)
{
    const struct option_spec options[] = {
        {"--stage2", NULL, &wish->stage2},  {"--smmu", NULL, &wish->smmu},
        {"--owner", &wish->owner, NULL},    {"--walk", NULL, &wish->walk},
        {"--long", &wish->is_long, NULL},   {"--json", &wish->json, NULL},
        {"--machine", NULL, &wish->machine}};
    return options_read(argc, argv, options, sizeof options / sizeof *options, count);
}

bool show_state(const struct fh_state *state, char *path, int argc, char **argv, FILE *out)
{
    struct wish wish = {0};
    const struct subject subject = {.state = state, .path = path};
    int count;
    return read_wish(argc, argv, &wish, &count) == OPTIONS_GOOD && is_clear(&wish) && count == 0 &&
           !is_of_trap(&wish) && show_subject(&subject, &wish, out);
}

int command_show(int argc, char **argv)
{
    struct wish wish = {0};
    int count;
    switch (read_wish(argc, argv, &wish, &count)) {
    case OPTIONS_HELP: fputs(help, stdout); return EXIT_EXPECTED;
    case OPTIONS_BAD: return EXIT_BAD_INPUT;
    default: break;
    }
    if (count != 1) {
        diag_plain("show: one scenario or trace is needed; `fhsim show --help` explains");
        return EXIT_BAD_INPUT;
    }
    if (!is_clear(&wish))
        return EXIT_BAD_INPUT;
    if (is_of_trap(&wish))
        return show_trap(argv[0], wish.machine, wish.json, wish.is_long) ? EXIT_EXPECTED
                                                                         : EXIT_BAD_INPUT;
    struct subject subject;
    const bool done =
        subject_open(&subject, argv[0], wish.machine) && show_subject(&subject, &wish, stdout);
    subject_close(&subject);
    return done ? EXIT_EXPECTED : EXIT_BAD_INPUT;
}
