/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const outcome_names[] = {
#define OUTCOME_NAME(outcome, name) name,
    OUTCOME_MAP(OUTCOME_NAME)
#undef OUTCOME_NAME
};

const char *outcome_name(enum trap_outcome outcome)
{
    return outcome_names[outcome];
}

const char *trap_title(const struct replay_trap *trap)
{
    if (trap->line->kind == TRACE_KIND_host_hvc && trap->line->hvc)
        return trap->line->hvc;
    if (trap->line->kind == TRACE_KIND_guest_exit && trap->line->ec)
        return trap->line->ec;
    return trace_kind_name(trap->line->kind);
}

const char *replay_row_name(unsigned row)
{
    return row == ROW_BOOT ? "boot" : trace_kind_name((enum trace_kind)(row - ROW_KINDS));
}

uint64_t report_total(const struct replay_report *report, enum trap_outcome outcome)
{
    uint64_t sum = 0;
    for (unsigned row = 0; row < ROWS; row++)
        sum += report->counts[row][outcome];
    return sum;
}

uint64_t report_row_total(const struct replay_report *report, unsigned row)
{
    uint64_t sum = 0;
    for (unsigned outcome = 0; outcome < OUTCOMES; outcome++)
        sum += report->counts[row][outcome];
    return sum;
}

uint64_t report_traps(const struct replay_report *report)
{
    uint64_t sum = 0;
    for (unsigned row = 0; row < ROWS; row++)
        sum += report_row_total(report, row);
    return sum;
}

double report_speed(const struct replay_report *report)
{
    return report->seconds > 0 ? (double)report_traps(report) / report->seconds : 0;
}

void report_file(struct replay_report *report, const char *file)
{
    void *more = realloc(report->files, (report->nfiles + 1) * sizeof *report->files);
    if (!more)
        no_memory();
    report->files = more;
    struct file_count *count = &report->files[report->nfiles++];
    *count = (struct file_count){0};
    snprintf(count->name, sizeof count->name, "%s", file);
    denied_tally_next_trace(&report->denied);
}

static struct file_count *this_file(struct replay_report *report)
{
    return &report->files[report->nfiles - 1];
}

void report_file_is_bad(struct replay_report *report)
{
    this_file(report)->bad_input = true;
    report->bad_input = true;
}

/* --- What records say of a difference -------------------------------------------------------- */

const struct trace_effect *difference_subject(const struct difference *difference)
{
    return difference->machine ? difference->machine : difference->model;
}

bool trap_differs(const struct trap_verdict *verdict, const struct trace_effect *effect)
{
    const struct differences *found =
        verdict->outcome == OUTCOME_EXPLAINED ? &verdict->spec : &verdict->found;
    for (size_t i = 0; i < differences_listed(found); i++) {
        if (found->list[i].machine == effect)
            return true;
    }
    return false;
}

size_t difference_last_changes(const struct replay_trap *trap, const struct difference *difference,
                               uint64_t seqs[LAST_CHANGES])
{
    if (!trap->twin)
        return 0;
    return twin_last_changes(trap->twin, trap->line, difference, seqs, LAST_CHANGES);
}

size_t deviations_in(const struct replay_trap *trap, unsigned list[CATALOGUE_MAX])
{
    size_t count = 0;
    for (unsigned i = 0; catalogue_at(trap->machine, i); i++) {
        if (credits_has(&trap->verdict->credits, i))
            list[count++] = i;
    }
    return count;
}

static bool is_consequence(const struct machine_entry *entry)
{
    return entry->kind == MACHINE_IS_consequence;
}

/* Behind a departure: the consequences in the list that follow from it. */
static void print_consequences(const struct replay_trap *trap, const struct machine_entry *of,
                               const unsigned *list, size_t count, FILE *out)
{
    const char *before = " (";
    for (size_t i = 0; i < count; i++) {
        const struct machine_entry *entry = catalogue_at(trap->machine, list[i]);
        if (!is_consequence(entry) || !machine_entry_follows(entry, of->id))
            continue;
        fprintf(out, "%s%s", before, entry->id);
        before = ", ";
    }
    if (before[0] == ',')
        fputc(')', out);
}

void explanation_print(const struct replay_trap *trap, FILE *out)
{
    unsigned list[CATALOGUE_MAX];
    const size_t count = deviations_in(trap, list);
    const char *before = "";
    for (size_t i = 0; i < count; i++) {
        const struct machine_entry *entry = catalogue_at(trap->machine, list[i]);
        if (is_consequence(entry))
            continue;
        fprintf(out, "%s%s", before, entry->id);
        print_consequences(trap, entry, list, count, out);
        before = ", ";
    }
}

/* --- Counting -------------------------------------------------------------------------------- */

static void count_violation(struct violation_count *count, const struct replay_trap *trap,
                            unsigned invariant)
{
    if (count->traps++ > 0)
        return;
    snprintf(count->first, sizeof count->first, "%s#%" PRIu64, trap->file, trap->line->seq);
    fh_witness_format(fh_invariant_at(invariant), &trap->violations->witness[invariant],
                      count->witness, sizeof count->witness);
}

static void count_blamed(struct replay_report *report, const struct replay_trap *trap,
                         unsigned invariant)
{
    const struct credits *blamed = &trap->blamed[invariant];
    for (unsigned i = 0; catalogue_at(trap->machine, i); i++) {
        if (credits_has(blamed, i))
            count_violation(&report->deviations[i].violations[invariant], trap, invariant);
    }
    if (credits_are_none(blamed))
        count_violation(&report->unattributed[invariant], trap, invariant);
}

/* For all traps, and for each deviation that it is broken by in this one. */
static void count_violations(struct replay_report *report, const struct replay_trap *trap)
{
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (!(trap->broken >> i & 1))
            continue;
        if (trap->row == ROW_BOOT) {
            count_violation(&report->boot_violations[i], trap, i);
            continue;
        }
        count_violation(&report->violations[i], trap, i);
        count_blamed(report, trap, i);
        this_file(report)->broken |= UINT32_C(1) << i;
    }
}

static void count_deviations(struct replay_report *report, const struct replay_trap *trap)
{
    unsigned list[CATALOGUE_MAX];
    const size_t ndeviations = deviations_in(trap, list);
    enum machine_harm worst = MACHINE_HARM_none;
    for (size_t i = 0; i < ndeviations; i++) {
        const enum machine_harm harm = catalogue_at(trap->machine, list[i])->harm;
        struct deviation_count *count = &report->deviations[list[i]];
        worst = harm > worst ? harm : worst;
        if (count->traps++ == 0)
            snprintf(count->first, sizeof count->first, "%s#%" PRIu64, trap->file, trap->line->seq);
    }
    report->harmed[worst]++;
}

/* False if the trap is no access that was denied. */
static bool count_denied(struct replay_report *report, const struct replay_trap *trap,
                         struct denied_access *access)
{
    if (!denied_access(trap->line, access))
        return false;
    denied_tally_add(&report->denied, trap->file, trap->line, access);
    this_file(report)->denied++;
    return true;
}

bool report_count(struct replay_report *report, const struct replay_trap *trap,
                  struct denied_access *denied)
{
    const struct trace_line *line = trap->line;
    report->counts[trap->row][trap->verdict->outcome]++;
    this_file(report)->counts[trap->verdict->outcome]++;
    this_file(report)->unfinished |= line->unfinished || line->to == TRACE_TO_el2_panic;
    if (trap->broken)
        count_violations(report, trap);
    if (trap->verdict->outcome == OUTCOME_EXPLAINED)
        count_deviations(report, trap);
    return count_denied(report, trap, denied);
}
