/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TrapHandler, KCore's entry points as the security proof has them, against TrapHandlerRaw, which
 * is composed of the layers below: the same trap from the same state has to leave the same data
 * behind, but for the differences that the spec's texts have (docs/trap-handlers.md).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "trap_cases.h"
#include "trap_differences.h"

enum { MACHINES = 200, TRAPS = 500, TEXT = 1000, REPORT = 4000, CALLS = 32, RULES = 100 };

/* --- One trap on two forks -------------------------------------------------------------------- */

static const char *const raw_entries[] = {"host_hvc_handler_raw", "host_npt_handler_raw",
                                          "host_vcpu_run_handler_raw", "vm_exit_handler_raw"};
static const char *const atomic_entries[] = {"host_hvc_handler", "host_npt_handler",
                                             "host_vcpu_run_handler", "vm_exit_handler"};

static enum trap_outcome outcome_of(const struct fh_state *state, enum fh_status status)
{
    switch (status) {
    case FH_OK: return fh_state_rdata(state)->halt ? HALTS : DONE;
    case FH_STUCK: return STUCK;
    case FH_UNREPRESENTABLE: return UNREPRESENTABLE;
    case FH_LIMIT: return GIVES_UP;
    default: ck_abort_msg("%s", fh_status_name(status));
    }
}

static struct trap_answer ask(struct fh_state *state, const char *entry)
{
    const enum fh_status status = fh_call(state, entry, NULL, 0, NULL);
    return (struct trap_answer){
        .outcome = outcome_of(state, status),
        .after = fh_state_rdata(state),
        .error = *fh_state_error(state),
    };
}

/* --- What differs ----------------------------------------------------------------------------- */

struct counts {
    unsigned long traps;
    unsigned long done[TRAP_ENTRIES], halted[TRAP_ENTRIES]; /* by both */
    unsigned long alike[TRAP_ENTRIES];                      /* done, and nothing differs */
    unsigned long calls[CALLS];                             /* done by both */
    unsigned long of_rule[RULES];
    unsigned long unexplained;
    char report[REPORT]; /* of the first of these */
};

struct comparison {
    const struct trial *trial;
    struct counts *counts;
    uint64_t machine; /* where it is to be found again */
    unsigned number;
    unsigned long differences;
};

static void report(const struct comparison *comparison, const struct difference *difference)
{
    const struct trial *trial = comparison->trial;
    struct counts *counts = comparison->counts;
    const size_t length = strlen(counts->report);
    char text[TEXT], raw[TEXT], atomic[TEXT];
    counts->unexplained++;
    fh_error_format(&trial->raw.error, raw, sizeof raw);
    fh_error_format(&trial->atomic.error, atomic, sizeof atomic);
    snprintf(counts->report + length, REPORT - length,
             "machine %" PRIu64 ", trap %u, %s:\n  %s: raw %s (%#" PRIx64 ", %s)\n"
             "  atomic %s (%#" PRIx64 ", %s)\n",
             comparison->machine, comparison->number, trap_text(trial->trap, text, sizeof text),
             difference ? difference->path : "outcome", outcome_name(trial->raw.outcome),
             difference ? difference->raw : 0, raw, outcome_name(trial->atomic.outcome),
             difference ? difference->atomic : 0, atomic);
}

static void explain(struct comparison *comparison, const struct difference *difference)
{
    const struct trap_rule *rule = find_trap_rule(comparison->trial, difference);
    comparison->differences++;
    if (rule)
        comparison->counts->of_rule[rule - trap_rules]++;
    else
        report(comparison, difference);
}

/* What the two keep for themselves: locks and logs, and who is said to run. */
static bool is_own_affair(const char *path)
{
    static const char *const fields[] = {"icore", "ihost", "tstate",      "lock",
                                         "log",   "slog",  "shared.hlock"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const size_t length = strlen(fields[i]);
        if (strncmp(path, fields[i], length) == 0 && (path[length] == '.' || path[length] == '\0'))
            return true;
    }
    return false;
}

/* The value of a scalar; of an entry of a table its descriptor, which is the last component. */
static uint64_t value_of(const struct fh_type *type, const void *place)
{
    if (type->kind == FH_KIND_TUPLE)
        return fh_tuple_get(type, place, type->nfields - 1);
    return type->kind == FH_KIND_LOG ? 0 : fh_scalar_get(type, place);
}

static void find_key_and_field(const struct fh_path *path, struct difference *difference)
{
    bool has_key = false;
    for (unsigned i = path->length; i-- > 0;) {
        const struct fh_step *step = &path->steps[i];
        if (step->field && !difference->field)
            difference->field = step->field;
        if (!step->field && !has_key)
            difference->key = step->keys[0];
        has_key |= !step->field;
    }
}

static bool compare_place(void *context, const struct fh_change *change)
{
    char path[TEXT];
    fh_path_format(change->path, path, sizeof path);
    if (is_own_affair(path))
        return true;
    struct difference difference = {
        .path = path,
        .raw = value_of(change->type, change->before),
        .atomic = value_of(change->type, change->after),
    };
    find_key_and_field(change->path, &difference);
    explain(context, &difference);
    return true;
}

static void compare(struct comparison *comparison)
{
    const struct trial *trial = comparison->trial;
    const enum trap_outcome raw = trial->raw.outcome, atomic = trial->atomic.outcome;
    const enum trap_entry entry = trial->trap->entry;
    struct counts *counts = comparison->counts;
    if (raw != atomic)
        explain(comparison, NULL);
    else
        fh_delta(trial->raw.after, trial->atomic.after, compare_place, comparison);
    counts->traps++;
    if (raw == HALTS && atomic == HALTS)
        counts->halted[entry]++;
    if (raw != DONE || atomic != DONE)
        return;
    counts->done[entry]++;
    counts->alike[entry] += comparison->differences == 0;
    if (entry == TRAP_HOST_HVC && trial->trap->x[0] < CALLS)
        counts->calls[trial->trap->x[0]]++;
}

/* --- Many traps ------------------------------------------------------------------------------- */

/* The machine goes on as `next` is. */
static void go_on(struct fh_state *machine, struct fh_state *next)
{
    const struct fh_rdata *after = fh_state_snapshot(next);
    fh_state_restore(machine, after);
    fh_snapshot_release(after, fh_state_allocator(machine));
}

/* It goes on as one of the two left it; sometimes, and after a halt, it begins anew. */
static void run_machine(uint64_t number, struct counts *counts)
{
    struct memory memory;
    struct trap trap;
    memory_init(&memory);
    struct fh_state *machine = new_trap_machine(&memory, number, &trap);
    const struct fh_rdata *start = fh_state_snapshot(machine);
    uint64_t seed = number;
    for (unsigned i = 0; i < TRAPS; i++) {
        random_trap(machine, &seed, &trap);
        struct fh_state *raw = fh_state_fork(machine), *atomic = fh_state_fork(machine);
        const struct trial trial = {
            .trap = &trap,
            .k = fh_state_profile(machine),
            .before = fh_state_rdata(machine),
            .raw = ask(raw, raw_entries[trap.entry]),
            .atomic = ask(atomic, atomic_entries[trap.entry]),
        };
        compare(&(struct comparison){&trial, counts, number, i, 0});
        go_on(machine, random_u64(&seed) % 2 ? raw : atomic);
        if (trap.is_odd || fh_state_rdata(machine)->halt || random_u64(&seed) % 16 == 0)
            fh_state_restore(machine, start);
        fh_state_free(raw);
        fh_state_free(atomic);
    }
    fh_snapshot_release(start, &memory.allocator);
    fh_state_free(machine);
    ck_assert_uint_eq(memory.blocks, 0);
}

static void assert_every_rule_is_of_use(const struct counts *counts)
{
    for (unsigned i = 0; trap_rules[i].id; i++)
        ck_assert_msg(counts->of_rule[i] > 0, "%s explains nothing", trap_rules[i].id);
}

/* Comparisons say something only where much is done, of every kind. */
static void assert_enough_is_done(const struct counts *counts)
{
    ck_assert_uint_ge(counts->traps, 20000);
    for (unsigned entry = 0; entry < TRAP_ENTRIES; entry++) {
        ck_assert_uint_gt(counts->done[entry], 1000);
        ck_assert_uint_gt(counts->halted[entry], 1000);
    }
    for (uint64_t call = CALL_HVC_TIMER_SET_CNTVOFF; call <= CALL_HVC_LOAD_CRYPT_VCPU; call++)
        ck_assert_msg(counts->calls[call] > 20, "%s is done %lu times", hypercall_name(call),
                      counts->calls[call]);
    ck_assert_uint_gt(counts->alike[TRAP_HOST_HVC], counts->done[TRAP_HOST_HVC] * 3 / 4);
    ck_assert_uint_eq(counts->alike[TRAP_HOST_NPT], counts->done[TRAP_HOST_NPT]);
    ck_assert_uint_gt(counts->alike[TRAP_VM_EXIT], counts->done[TRAP_VM_EXIT] / 4);
}

START_TEST(both_forms_of_a_trap_differ_only_as_the_spec_does)
{
    struct counts counts = {0};
    for (uint64_t number = 0; number < MACHINES; number++)
        run_machine(number, &counts);
    ck_assert_msg(counts.unexplained == 0, "%lu differences without an explanation\n%s",
                  counts.unexplained, counts.report);
    assert_every_rule_is_of_use(&counts);
    assert_enough_is_done(&counts);
}
END_TEST

/* --- The document ----------------------------------------------------------------------------- */

static char *read_document(void)
{
    FILE *file = fopen(FH_TRAP_DOCUMENT, "r");
    ck_assert_msg(file != NULL, "%s", FH_TRAP_DOCUMENT);
    enum { SIZE = 1 << 16 };
    char *text = calloc(1, SIZE);
    ck_assert_ptr_nonnull(text);
    const size_t length = fread(text, 1, SIZE - 1, file);
    ck_assert_uint_lt(length, SIZE - 1);
    fclose(file);
    return text;
}

static unsigned count_rows(const char *document)
{
    unsigned rows = 0;
    for (const char *at = document; (at = strstr(at, "\n| `")) != NULL; at++)
        rows++;
    return rows;
}

START_TEST(document_lists_every_difference_and_no_other)
{
    char *document = read_document();
    unsigned rules = 0;
    for (; trap_rules[rules].id; rules++) {
        char row[TEXT];
        const char *found = strstr(document, rule_text(&trap_rules[rules], row, sizeof row));
        ck_assert_msg(found && found[-1] == '\n', "no row\n%s", row);
        ck_assert_msg(strcspn(found + strlen(row), "\n|") > 10, "no reason in the row\n%s", row);
    }
    ck_assert_uint_eq(count_rows(document), rules);
    ck_assert_uint_lt(rules, RULES);
    free(document);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, both_forms_of_a_trap_differ_only_as_the_spec_does);
    tcase_add_test(tests, document_lists_every_difference_and_no_other);
}

int main(void)
{
    return run_tests("trap_handlers", add_tests);
}
