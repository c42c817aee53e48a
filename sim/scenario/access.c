/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/access.h"

#include <inttypes.h>
#include <string.h>

#include <faulthandler/arm.h>

/* --- What came of it -------------------------------------------------------------------------- */

static const struct node *said_at(const struct judge *judge, const char *key)
{
    const struct node *expect = judge->step->expect.node;
    const struct node *said = expect ? node_get(expect, key) : NULL;
    return said ? said : judge->step->node;
}

static void judge_number(const struct judge *judge, const char *key, bool is_expected,
                         uint64_t wanted, uint64_t got)
{
    if (is_expected && wanted != got)
        judge_fail(judge, said_at(judge, key),
                   wanted < 10 && got < 10 ? "%s: expected %" PRIu64 ", got %" PRIu64
                                           : "%s: expected 0x%" PRIx64 ", got 0x%" PRIx64,
                   key, wanted, got);
}

static void judge_word(const struct judge *judge, const char *key, const char *wanted,
                       const char *got)
{
    if (strcmp(wanted, got) != 0)
        judge_fail(judge, said_at(judge, key), "%s: expected %s, got %s", key, wanted, got);
}

/* The value of a name under `fault`: of a register, the level, or a field of the syndrome. */
static bool fault_number(const struct fh_access_outcome *outcome, const char *name, uint64_t *value)
{
    const struct {
        const char *name;
        uint64_t value;
    } whole[] = {{"level", (uint64_t)outcome->level}, {"esr", outcome->abort.esr},
                 {"far", outcome->abort.far},         {"hpfar", outcome->abort.hpfar},
                 {"fsr", outcome->noted.fsr},         {"fsynr0", outcome->noted.fsynr0},
                 {"address", outcome->noted.far}};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        *value = whole[i].value;
        if (strcmp(whole[i].name, name) == 0)
            return true;
    }
    const struct fh_arm_layout *layout = fh_arm_esr_layout(outcome->abort.esr);
    const struct fh_arm_field *field =
        layout ? fh_arm_layout_field(layout, name, strlen(name)) : NULL;
    if (field)
        *value = fh_arm_field_value(field, outcome->abort.esr);
    return field != NULL;
}

static void judge_fault(const struct judge *judge, const struct fh_access_outcome *outcome)
{
    const struct access_expect *expect = &judge->step->access->expect;
    if (!expect->has_fault)
        return;
    const char *got = outcome->has_fault ? access_fault_word(outcome->fault) : "none";
    if (!expect->is_any_fault || !outcome->has_fault)
        judge_word(judge, "fault", expect->faults ? access_fault_word(expect->fault) : "none", got);
    for (size_t i = 0; outcome->has_fault && i < expect->nvalues; i++) {
        const struct fault_value *value = &expect->values[i];
        uint64_t found;
        if (!fault_number(outcome, value->name, &found))
            judge_fail(judge, value->node, "fault: this syndrome has no field '%s'", value->name);
        else if (found != value->value)
            judge_fail(judge, value->node, "fault: %s: expected 0x%" PRIx64 ", got 0x%" PRIx64,
                       value->name, value->value, found);
    }
}

/* Without an `end` the access must be made, by itself or by who emulates it. */
static void judge_end(const struct judge *judge, const struct fh_access_outcome *outcome)
{
    const struct access_expect *expect = &judge->step->access->expect;
    const bool is_made = outcome->end == FH_ACCESS_DONE || outcome->end == FH_ACCESS_EMULATED;
    if (outcome->end == FH_ACCESS_HALTED && !expect->has_end)
        return; /* judge_halt has a say */
    if (expect->has_end ? expect->end != outcome->end : !is_made)
        judge_fail(judge, said_at(judge, "end"), "end: expected %s, got %s (after %u tr%s)",
                   expect->has_end ? fh_access_end_name(expect->end) : "done",
                   fh_access_end_name(outcome->end), outcome->tries,
                   outcome->tries == 1 ? "y" : "ies");
}

/* A page of somebody else is touched where the scenario says so, and nowhere else. */
static void judge_foreign(const struct judge *judge, const struct fh_access_outcome *outcome)
{
    const bool expected = judge->step->access->expect.foreign;
    if (outcome->is_foreign && !expected)
        judge_fail(judge, NULL,
                   "foreign: the page at 0x%" PRIx64 " belongs to %" PRIu32 ", and is accessed",
                   outcome->pa, outcome->owner);
    else if (!outcome->is_foreign && expected)
        judge_fail(judge, said_at(judge, "foreign"),
                   "foreign: no page of somebody else is accessed");
}

static void judge_access(const struct judge *judge, const struct fh_access_outcome *outcome)
{
    const struct access_expect *expect = &judge->step->access->expect;
    judge_end(judge, outcome);
    judge_number(judge, "value", expect->has_value, expect->value, outcome->value);
    judge_number(judge, "tries", expect->has_tries, expect->tries, outcome->tries);
    judge_number(judge, "pa", expect->has_pa, expect->pa, outcome->pa);
    judge_number(judge, "stale", expect->has_stale, expect->stale, outcome->is_stale);
    judge_foreign(judge, outcome);
    judge_fault(judge, outcome);
    if (expect->has_handler)
        judge_word(judge, "handled", fh_access_handler_name(expect->handler),
                   fh_access_handler_name(outcome->handler));
}

/* --- Playing ---------------------------------------------------------------------------------- */

enum { ACCOUNTS_MAX = 16 };

static void note(const struct judge *judge, struct step_trace *trace,
                 const struct access_account *account)
{
    if (!trace)
        return;
    if (!trace->accounts)
        trace->accounts =
            arena_alloc(judge->scenario->arena, ACCOUNTS_MAX * sizeof *trace->accounts);
    trace->accounts_seen++;
    if (trace->naccounts < ACCOUNTS_MAX)
        trace->accounts[trace->naccounts++] = *account;
}

static void play_one(const struct judge *judge, struct step_trace *trace, bool is_first,
                     uint64_t page)
{
    struct fh_state *state = judge->scenario->state;
    const struct fh_profile *k = judge->scenario->profile;
    const bool was_halted = fh_state_rdata(state)->halt;
    struct access_account account = {.access = judge->step->access->access};
    account.access.address += page * k->PAGE_SIZE;
    const enum fh_status status = fh_access(state, &account.access, &account.outcome);
    note(judge, trace, &account);
    judge_status(judge, status);
    if (status != FH_OK)
        return;
    judge_halt(judge, is_first, was_halted, fh_state_rdata(state)->halt);
    if (was_halted && account.outcome.end == FH_ACCESS_HALTED && !judge->step->expect.has_halted)
        judge_fail(judge, NULL, "the machine had halted before this access");
    judge_access(judge, &account.outcome);
}

void access_play(const struct judge *judge, struct step_trace *trace)
{
    const struct step *step = judge->step;
    for (uint64_t i = 0; i < step->repeat; i++) {
        for (uint64_t page = 0; page < step->access->pages; page++) {
            if (judge->outcome->verdict != VERDICT_PASSED)
                return;
            play_one(judge, trace, i == 0 && page == 0, page);
        }
    }
}

/* --- In words --------------------------------------------------------------------------------- */

static void print_principal(FILE *out, const struct fh_principal *by)
{
    if (by->kind == FH_BY_VM)
        fprintf(out, "VM %" PRIu64 ", vCPU %" PRIu64, by->vmid, by->vcpuid);
    else if (by->kind == FH_BY_DEVICE)
        fprintf(out, "a device behind SMMU %" PRIu64 ", bank %" PRIu64, by->smmu, by->bank);
    else
        fputs("the host", out);
}

static void print_fault(FILE *out, const struct access_account *account, const char *prefix)
{
    const struct fh_access_outcome *outcome = &account->outcome;
    char words[200];
    if (account->access.by.kind == FH_BY_DEVICE) {
        const struct fh_arm_layout *layout =
            fh_arm_smmu_register_named(FH_ARM_SMMU_CB, "FSR", 3)->layout;
        fh_arm_describe_word(layout, outcome->noted.fsr, words, sizeof words);
        fprintf(out, "%s        FSR 0x%" PRIx64 " (%s) FSYNR0 0x%" PRIx64 " FAR 0x%" PRIx64 "\n",
                prefix, outcome->noted.fsr, words, outcome->noted.fsynr0, outcome->noted.far);
        return;
    }
    fh_arm_describe_esr(outcome->abort.esr, words, sizeof words);
    fprintf(out, "%s        ESR 0x%" PRIx64 " (%s) FAR 0x%" PRIx64 " HPFAR 0x%" PRIx64 "\n", prefix,
            outcome->abort.esr, words, outcome->abort.far, outcome->abort.hpfar);
}

static void print_walk(FILE *out, const struct access_account *account, const char *prefix)
{
    const struct fh_arm_walk *walk = &account->outcome.walk;
    static const struct fh_arm_stage2 pages = {.granule_bits = 12};
    for (unsigned i = 0; i < walk->nsteps && !account->outcome.is_cached; i++) {
        const struct fh_arm_walk_step *step = &walk->steps[i];
        char words[200];
        fh_arm_describe_descriptor(&pages, step->level, step->word, words, sizeof words);
        fprintf(out, "%s        level %d: 0x%" PRIx64 ": 0x%" PRIx64 " %s\n", prefix, step->level,
                step->address, step->word, words);
    }
}

static const char *const verbs[] = {"read", "write", "execute"};

void access_print(FILE *out, const struct access_account *account, const char *prefix)
{
    const struct fh_access_request *access = &account->access;
    const struct fh_access_outcome *outcome = &account->outcome;
    fprintf(out, "%s      %s 0x%" PRIx64 " by ", prefix, verbs[access->kind], access->address);
    print_principal(out, &access->by);
    fprintf(out, ": %s, %u tr%s, handled by %s", fh_access_end_name(outcome->end), outcome->tries,
            outcome->tries == 1 ? "y" : "ies", fh_access_handler_name(outcome->handler));
    if (outcome->end == FH_ACCESS_DONE)
        fprintf(out, ", PA 0x%" PRIx64, outcome->pa);
    if (outcome->end == FH_ACCESS_DONE || outcome->end == FH_ACCESS_EMULATED)
        fprintf(out, ", value 0x%" PRIx64, outcome->value);
    if (outcome->is_foreign)
        fprintf(out, ", of a page of %" PRIu32, outcome->owner);
    fputs(outcome->is_stale ? ", by a translation that the tables do not have any more\n" : "\n",
          out);
    if (outcome->has_fault)
        print_fault(out, account, prefix);
    print_walk(out, account, prefix);
}

static void put_fault(struct json_out *json, const struct fh_access_outcome *outcome)
{
    json_open_object(json, "fault");
    json_text(json, "kind", access_fault_word(outcome->fault));
    json_signed(json, "level", outcome->level);
    json_hex(json, "esr", outcome->abort.esr);
    json_hex(json, "far", outcome->abort.far);
    json_hex(json, "hpfar", outcome->abort.hpfar);
    json_close_object(json);
}

void access_put_json(struct json_out *json, const struct access_account *account)
{
    const struct fh_access_request *access = &account->access;
    const struct fh_access_outcome *outcome = &account->outcome;
    json_open_object(json, NULL);
    json_text(json, "access", verbs[access->kind]);
    json_hex(json, "address", access->address);
    json_text(json, "end", fh_access_end_name(outcome->end));
    json_number(json, "tries", outcome->tries);
    json_text(json, "handled", fh_access_handler_name(outcome->handler));
    json_bool(json, "stale", outcome->is_stale);
    json_bool(json, "foreign", outcome->is_foreign);
    if (outcome->end == FH_ACCESS_DONE) {
        json_hex(json, "pa", outcome->pa);
        json_hex(json, "value", outcome->value);
    }
    if (outcome->has_fault)
        put_fault(json, outcome);
    json_close_object(json);
}
