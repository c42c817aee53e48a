/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/scenario.h"

#include <string.h>

/* Steps that access memory, and what is expected of them. */

static const char *const kinds[] = {"read", "write", "execute"};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* --- Words ------------------------------------------------------------------------------------ */

/* The place of a word among `count` words. */
static bool read_word(struct reader *reader, const struct node *node, const char *what,
                      const char *const *words, size_t count, unsigned *found)
{
    const char *text;
    if (!reader_text(reader, node, what, &text))
        return false;
    for (*found = 0; *found < count; ++*found) {
        if (strcmp(words[*found], text) == 0)
            return true;
    }
    return reader_unknown(reader, node, what, words, count);
}

/* --- Who -------------------------------------------------------------------------------------- */

static bool load_vcpu(struct reader *reader, const struct node *node, struct fh_principal *by)
{
    static const char *const keys[] = {"vmid", "vcpuid", NULL};
    by->kind = FH_BY_VM;
    return reader_keys(reader, node, "'by'", keys) &&
           reader_constant_at(reader, node, "vmid", 1, READER_UP_TO(COREVISOR), 1, &by->vmid) &&
           reader_constant_at(reader, node, "vcpuid", 0, READER_UP_TO(VCPU_PER_VM), 1, &by->vcpuid);
}

static bool load_device(struct reader *reader, const struct node *node, struct fh_principal *by)
{
    static const char *const keys[] = {"smmu", "bank", NULL};
    by->kind = FH_BY_DEVICE;
    return reader_keys(reader, node, "'by'", keys) &&
           (node_get(node, "bank") || reader_error(reader, node, "'by' needs the key 'bank'")) &&
           reader_constant_at(reader, node, "smmu", 0, READER_UP_TO(SMMU_NUM), 1, &by->smmu) &&
           reader_constant_at(reader, node, "bank", 0, READER_UP_TO(SMMU_NUM_CTXT_BANKS), 1,
                              &by->bank);
}

static bool load_by(struct reader *reader, const struct node *node, struct fh_principal *by)
{
    static const char *const words[] = {"host"};
    unsigned word;
    by->kind = FH_BY_HOST;
    if (!node)
        return true;
    if (node->kind != NODE_MAP)
        return read_word(reader, node, "value of 'by'", words, 1, &word);
    if (node_get(node, "vmid"))
        return load_vcpu(reader, node, by);
    if (node_get(node, "bank") || node_get(node, "smmu"))
        return load_device(reader, node, by);
    return reader_error(reader, node,
                        "'by' is 'host', a vCPU {vmid, vcpuid} or a device {smmu, bank}");
}

/* --- The instruction -------------------------------------------------------------------------- */

/* Words of `form`, and what they say of an access. */
static bool load_form(struct reader *reader, const struct node *list,
                      struct fh_access_request *access)
{
    static const char *const words[] = {"signed", "x", "ordered", "pair", "el0", "table"};
    bool *const flags[] = {&access->is_signed,      &access->is_64bit, &access->is_ordered,
                           &access->is_undescribed, &access->is_el0,   &access->is_table};
    if (!list)
        return true;
    if (!reader_list(reader, list, "'form'"))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        unsigned word;
        if (!read_word(reader, &list->items[i], "form", words, sizeof words / sizeof *words, &word))
            return false;
        *flags[word] = true;
    }
    return true;
}

static bool load_size(struct reader *reader, const struct node *node, unsigned *bytes)
{
    uint64_t size = 0;
    if (!node)
        return true;
    if (!reader_number(reader, node, "size", 1, 8, &size))
        return false;
    *bytes = (unsigned)size;
    return (size & (size - 1)) == 0 ||
           reader_error(reader, node, "size: an access has 1, 2, 4 or 8 bytes");
}

/* --- The host's answers ----------------------------------------------------------------------- */

static bool load_answer(struct reader *reader, const struct node *node,
                        struct fh_host_answer *answer)
{
    static const char *const words[] = {"nothing", "stop"};
    static const enum fh_host_answer_kind of_words[] = {FH_HOST_RUNS_ON, FH_HOST_STOPS};
    static const char *const keys[] = {"pfn", "block", "value", NULL};
    const struct fh_profile *k = reader->profile;
    unsigned word;
    if (node->kind != NODE_MAP) {
        if (!read_word(reader, node, "answer", words, 2, &word))
            return false;
        answer->kind = of_words[word];
        return true;
    }
    if (!reader_keys(reader, node, "an answer", keys))
        return false;
    answer->kind = node_get(node, "value") ? FH_HOST_EMULATES : FH_HOST_GIVES;
    if (!node_get(node, "value") == !node_get(node, "pfn"))
        return reader_error(reader, node, "an answer has a 'pfn', or else a 'value'");
    return reader_number_at(reader, node, "value", 0, UINT64_MAX, &answer->value) &&
           reader_number_at(reader, node, "pfn", 0, UINT64_MAX / k->PAGE_SIZE, &answer->pfn) &&
           reader_flag_at(reader, node, "block", &answer->is_block);
}

static bool load_answers(struct reader *reader, const struct node *list,
                         struct fh_access_request *access)
{
    if (!list)
        return true;
    if (access->by.kind != FH_BY_VM)
        return reader_error(reader, list, "the host answers to faults of VMs alone");
    if (!reader_list(reader, list, "'answers'"))
        return false;
    struct fh_host_answer *answers =
        arena_alloc(reader->arena, (list->count + 1) * sizeof *answers);
    for (size_t i = 0; i < list->count; i++) {
        if (!load_answer(reader, &list->items[i], &answers[i]))
            return false;
    }
    access->answers = answers;
    access->nanswers = list->count;
    return true;
}

/* --- The step --------------------------------------------------------------------------------- */

static bool load_address(struct reader *reader, const struct node *node, struct access_step *step)
{
    const struct fh_profile *k = reader->profile;
    const struct node *address = node_get(node, "address");
    const uint64_t last = k->KVM_ADDR_SPACE - 8;
    step->pages = 1;
    if (!address)
        return reader_error(reader, node, "an access needs the key 'address'");
    if (!reader_number(reader, address, "address", 0, last, &step->access.address) ||
        !reader_number_at(reader, node, "pages", 1, SCENARIO_MAX_REPEAT, &step->pages))
        return false;
    return (step->pages - 1) * k->PAGE_SIZE <= last - step->access.address ||
           reader_error(reader, node_get(node, "pages"), "the pages end beyond the address space");
}

static bool load_value(struct reader *reader, const struct node *node,
                       struct fh_access_request *access)
{
    const struct node *value = node_get(node, "value");
    if (!value)
        return true;
    if (access->kind != FH_ARM_WRITE)
        return reader_error(reader, value,
                            "'value' is what is written: what is read stands under "
                            "'expect'");
    return reader_number(reader, value, "value", 0, UINT64_MAX, &access->value);
}

/* An access takes place in the context that the host has on a CPU (trap.h). */
static bool check_host(struct reader *reader, const struct scenario *scenario,
                       const struct node *node)
{
    const uint64_t vcpuid = scenario->cpu % scenario->profile->VCPU_PER_VM;
    return scenario->host_vcpuid == vcpuid ||
           reader_error(reader, node,
                        "an access needs the host's own context: leave 'host.vcpuid' out");
}

bool scenario_load_access(struct reader *reader, struct scenario *scenario, struct step *step,
                          const struct node *node)
{
    static const char *const keys[] = {"access", "by",   "address", "size",   "value",
                                       "rt",     "form", "tries",   "pages",  "answers",
                                       "name",   "cpu",  "repeat",  "expect", NULL};
    struct access_step *of = arena_alloc(reader->arena, sizeof *of);
    struct fh_access_request *access = &of->access;
    unsigned kind = 0;
    uint64_t rt = 0, tries = FH_ACCESS_TRIES;
    step->access = of;
    if (!reader_keys(reader, node, "an access", keys) ||
        !read_word(reader, node_get(node, "access"), "access", kinds, KINDS, &kind) ||
        !check_host(reader, scenario, node))
        return false;
    if (fh_state_realisation(scenario->state) == FH_ABSTRACT)
        return reader_error(reader, node,
                            "an access walks tables as words: 'realisation' must be "
                            "'both' or 'concrete'");
    access->kind = (enum fh_arm_access_kind)kind;
    access->has_tlb = scenario->has_tlb;
    step->title = scenario_title(reader, "access", kinds[kind]);
    if (!load_by(reader, node_get(node, "by"), &access->by) || !load_address(reader, node, of) ||
        !load_size(reader, node_get(node, "size"), &access->bytes) ||
        !load_value(reader, node, access) || !reader_number_at(reader, node, "rt", 0, 31, &rt) ||
        !reader_number_at(reader, node, "tries", 1, SCENARIO_MAX_REPEAT, &tries) ||
        !load_form(reader, node_get(node, "form"), access) ||
        !load_answers(reader, node_get(node, "answers"), access))
        return false;
    access->rt = (unsigned)rt;
    access->tries = (unsigned)tries;
    return true;
}

bool scenario_load_tlb(struct reader *reader, struct scenario *scenario, const struct node *root)
{
    static const char *const words[] = {"none", "stale"};
    const struct node *node = node_get(root, "tlb");
    unsigned word = 0;
    if (node && !read_word(reader, node, "tlb", words, 2, &word))
        return false;
    scenario->has_tlb = word == 1;
    return true;
}

bool scenario_has_accesses(const struct node *root)
{
    const struct node *steps = node_get(root, "steps");
    for (size_t i = 0; steps && steps->kind == NODE_LIST && i < steps->count; i++) {
        const struct node *step = &steps->items[i];
        if (step->kind == NODE_MAP && node_get(step, "access") && !node_get(step, "trap"))
            return true;
    }
    return false;
}

/* --- What is expected ------------------------------------------------------------------------- */

static const struct {
    const char *word;
    enum fh_arm_status status;
} faults[] = {{"translation", FH_ARM_STATUS_TRANSLATION},
              {"permission", FH_ARM_STATUS_PERMISSION},
              {"access-flag", FH_ARM_STATUS_ACCESS_FLAG},
              {"address-size", FH_ARM_STATUS_ADDRESS_SIZE}};
enum { FAULTS = sizeof faults / sizeof *faults };

const char *access_fault_word(enum fh_arm_status status)
{
    for (unsigned i = 0; i < FAULTS; i++) {
        if (faults[i].status == status)
            return faults[i].word;
    }
    return "external";
}

static bool load_fault_word(struct reader *reader, const struct node *node,
                            struct access_expect *expect)
{
    const char *words[FAULTS + 1];
    unsigned word;
    for (unsigned i = 0; i < FAULTS; i++)
        words[i] = faults[i].word;
    words[FAULTS] = "none";
    if (!read_word(reader, node, "fault", words, FAULTS + 1, &word))
        return false;
    expect->has_fault = true;
    expect->faults = word < FAULTS;
    if (expect->faults)
        expect->fault = faults[word].status;
    return true;
}

/* Beside `kind`: registers of the fault, and fields of the syndrome by their names. */
static bool load_fault_values(struct reader *reader, const struct node *map,
                              struct access_expect *expect)
{
    expect->values = arena_alloc(reader->arena, (map->count + 1) * sizeof *expect->values);
    for (size_t i = 0; i < map->count; i++) {
        const char *name = map->keys[i].text;
        struct fault_value *value = &expect->values[expect->nvalues];
        if (strcmp(name, "kind") == 0)
            continue;
        *value = (struct fault_value){.name = name, .node = &map->items[i]};
        if (!reader_number(reader, &map->items[i], name, 0, UINT64_MAX, &value->value))
            return false;
        expect->nvalues++;
    }
    return true;
}

static bool load_fault(struct reader *reader, const struct node *node, struct access_expect *expect)
{
    if (!node)
        return true;
    if (node->kind != NODE_MAP)
        return load_fault_word(reader, node, expect);
    expect->has_fault = expect->faults = true;
    expect->is_any_fault = !node_get(node, "kind");
    return (expect->is_any_fault || load_fault_word(reader, node_get(node, "kind"), expect)) &&
           load_fault_values(reader, node, expect);
}

static bool load_end(struct reader *reader, const struct node *node, struct access_expect *expect)
{
    static const char *const words[] = {
#define WORD(name, word) word,
        FH_ACCESS_END_MAP(WORD)};
    unsigned word;
    if (!node)
        return true;
    expect->has_end = true;
    if (!read_word(reader, node, "end", words, FH_ACCESS_HALTED, &word))
        return false;
    expect->end = (enum fh_access_end)word;
    return true;
}

static bool load_handler(struct reader *reader, const struct node *node,
                         struct access_expect *expect)
{
    static const char *const words[] = {FH_ACCESS_HANDLER_MAP(WORD)
#undef WORD
    };
    unsigned word;
    if (!node)
        return true;
    expect->has_handler = true;
    if (!read_word(reader, node, "handled", words, sizeof words / sizeof *words, &word))
        return false;
    expect->handler = (enum fh_access_handler)word;
    return true;
}

static const char *const expect_keys[] = {"end",     "value", "tries",   "pa", "stale",
                                          "foreign", "fault", "handled", NULL};

static bool load_number(struct reader *reader, const struct node *node, const char *key, bool *has,
                        uint64_t *value)
{
    *has = node_get(node, key) != NULL;
    return reader_number_at(reader, node, key, 0, UINT64_MAX, value);
}

bool scenario_load_access_expect(struct reader *reader, struct step *step, const struct node *node)
{
    struct access_expect *expect = step->access ? &step->access->expect : NULL;
    for (size_t i = 0; expect_keys[i]; i++) {
        const struct node *said = node_get(node, expect_keys[i]);
        if (said && !expect)
            return reader_error(reader, said, "'%s' is of an access: this is none", expect_keys[i]);
    }
    if (!expect)
        return true;
    expect->has_stale = node_get(node, "stale") != NULL;
    return load_end(reader, node_get(node, "end"), expect) &&
           load_number(reader, node, "value", &expect->has_value, &expect->value) &&
           load_number(reader, node, "tries", &expect->has_tries, &expect->tries) &&
           load_number(reader, node, "pa", &expect->has_pa, &expect->pa) &&
           reader_flag_at(reader, node, "stale", &expect->stale) &&
           reader_flag_at(reader, node, "foreign", &expect->foreign) &&
           load_fault(reader, node_get(node, "fault"), expect) &&
           load_handler(reader, node_get(node, "handled"), expect);
}
