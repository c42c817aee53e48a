/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "base/diag.h"
#include "base/json_out.h"
#include "base/options.h"
#include "show/history.h"
#include "show/question.h"
#include "show/subject.h"

static const char help[] =
    "usage: fhsim query TRACE[#SEQ] WHAT... [--index FILE] [--json] [--machine NAME|DIR]\n\n"
    "Tells what became of parts of the machine in the course of a trace, up to its end or to a\n"
    "record: from which trap to which it was how. Each WHAT is a question of its own.\n\n"
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
    "  --index FILE     answers by an index of the trace in this file, which is made if there is\n"
    "                   none or the trace is another one\n"
    "  --json           JSON\n\n"
    "Exit status: 0, 2 bad input.\n";

struct query {
    const char *when, *machine, *index;
    bool json;
    struct subject at;
    struct asked {
        enum question_kind kind;
        const char *text;
    } * asked;
    struct question *questions;
    size_t count;
};

/* --- What is asked for ------------------------------------------------------------------------ */

static const char *const names[QUESTION_WHEN] = {"--page", "--ipa",  "--vm",
                                                 "--path", "--lock", "--register"};

static void given(void *context, const struct option_spec *spec, const char *value)
{
    struct query *query = context;
    for (enum question_kind kind = 0; kind < QUESTION_WHEN; kind++) {
        if (strcmp(spec->name, names[kind]) == 0)
            query->asked[query->count++] = (struct asked){kind, value};
    }
}

static enum options_outcome read_options(struct query *query, int argc, char **argv, int *count)
{
    const char *last;
    struct option_spec options[QUESTION_WHEN + 4] = {{"--when", NULL, &query->when},
                                                     {"--index", NULL, &query->index},
                                                     {"--json", &query->json, NULL},
                                                     {"--machine", NULL, &query->machine}};
    for (enum question_kind kind = 0; kind < QUESTION_WHEN; kind++)
        options[4 + kind] = (struct option_spec){names[kind], NULL, &last};
    query->asked = calloc((size_t)argc, sizeof *query->asked);
    if (!query->asked)
        no_memory();
    const enum options_outcome outcome = options_read_each(
        argc, argv, options, sizeof options / sizeof *options, count, given, query);
    if (query->count == 0 && query->when)
        query->asked[query->count++] = (struct asked){QUESTION_WHEN, query->when};
    return outcome;
}

static bool read_questions(struct query *query)
{
    if (query->count == 0) {
        diag_plain("query: one of --page, --ipa, --vm, --path, --lock and --register is needed, or "
                   "--when");
        return false;
    }
    query->questions = calloc(query->count, sizeof *query->questions);
    if (!query->questions)
        no_memory();
    for (size_t i = 0; i < query->count; i++) {
        if (!question_read(&query->questions[i], query->asked[i].kind, query->asked[i].text,
                           query->when))
            return false;
    }
    return true;
}

/* --- The answers ------------------------------------------------------------------------------ */

static void told(void *context, const struct trace_line *line, struct trap_verdict *verdict)
{
    struct query *query = context;
    for (size_t i = 0; i < query->count; i++)
        question_take(&query->questions[i], query->at.state, line, !verdict);
}

static bool is_bad(const struct query *query)
{
    for (size_t i = 0; i < query->count; i++) {
        if (query->questions[i].is_bad)
            return true;
    }
    return false;
}

static bool answer_by_trace(struct query *query, const char *argument)
{
    return subject_point(&query->at, argument) &&
           subject_follow(&query->at, query->machine, false, told, query) && !is_bad(query);
}

/* The record at which the questions end. */
static bool find_last(const struct query *query, const struct history *history, uint64_t *last)
{
    *last = history->nrecords - 1;
    for (uint64_t i = 0; query->at.has_point && i < history->nrecords; i++) {
        *last = i;
        if (history->seqs[i] == query->at.point)
            return true;
    }
    if (query->at.has_point)
        diag_plain("%s: there is no record #%" PRIu64, query->at.path, query->at.point);
    return !query->at.has_point;
}

/*
 * Each question begins with the state of the boot record. *is_told: the index has all the answers;
 * what it does not have, a log or the default of a map, is asked of the trace.
 */
static bool answer_by_index(struct query *query, const char *argument, bool *is_told)
{
    struct history history;
    uint64_t last = 0;
    if (!subject_point(&query->at, argument) ||
        !history_open(&history, query->index, query->at.path, query->machine))
        return false;
    bool good = find_last(query, &history, &last) && subject_begin(&query->at, query->machine);
    struct fh_state *state = good ? twin_state(query->at.twin) : NULL;
    const struct fh_rdata *boot = good ? fh_state_snapshot(state) : NULL;
    *is_told = good;
    for (size_t i = 0; *is_told && i < query->count; i++) {
        if (!boot || fh_state_restore(state, boot) != FH_OK)
            no_memory();
        *is_told = question_look_up(&query->questions[i], &history, state, last);
    }
    if (boot)
        fh_snapshot_release(boot, fh_state_allocator(state));
    history_close(&history);
    return good && !is_bad(query);
}

static void forget_answers(struct query *query)
{
    for (size_t i = 0; i < query->count; i++)
        question_free(&query->questions[i]);
    free(query->questions);
    query->questions = NULL;
}

static bool answer(struct query *query, const char *argument)
{
    bool is_told = false;
    if (!query->index)
        return answer_by_trace(query, argument);
    if (!answer_by_index(query, argument, &is_told) || is_told)
        return is_told;
    subject_close(&query->at);
    forget_answers(query);
    return read_questions(query) && answer_by_trace(query, argument);
}

static void print_text(const struct query *query, const struct question *question)
{
    printf("%s: %s\n", query->at.path, question->subject);
    if (question->count == 0)
        puts("  never");
    for (size_t i = 0; i < question->count; i++) {
        const struct interval *interval = &question->intervals[i];
        char point[64];
        if (interval->first == interval->last)
            snprintf(point, sizeof point, "#%" PRIu64, interval->first);
        else
            snprintf(point, sizeof point, "#%" PRIu64 "..#%" PRIu64, interval->first,
                     interval->last);
        printf("  %-18s  %s\n", point, interval->words);
    }
}

static void json_question(struct json_out *out, const struct query *query,
                          const struct question *question)
{
    json_open_object(out, NULL);
    json_text(out, "trace", query->at.path);
    json_text(out, "subject", question->subject);
    json_open_array(out, "intervals");
    for (size_t i = 0; i < question->count; i++) {
        json_open_object(out, NULL);
        json_number(out, "first", question->intervals[i].first);
        json_number(out, "last", question->intervals[i].last);
        json_text(out, "is", question->intervals[i].words);
        json_close_object(out);
    }
    json_close_array(out);
    json_close_object(out);
}

/* One answer is an object, several are a list of them. */
static void print_json(const struct query *query)
{
    struct json_out out;
    json_out_begin_rows(&out, stdout, query->count > 1 ? 3 : 2);
    if (query->count > 1)
        json_open_array(&out, NULL);
    for (size_t i = 0; i < query->count; i++)
        json_question(&out, query, &query->questions[i]);
    if (query->count > 1)
        json_close_array(&out);
    json_out_end(&out);
}

int command_query(int argc, char **argv)
{
    struct query query = {.count = 0};
    int count;
    bool done = false;
    const enum options_outcome outcome = read_options(&query, argc, argv, &count);
    if (outcome == OPTIONS_HELP)
        fputs(help, stdout);
    else if (outcome == OPTIONS_GOOD && count != 1)
        diag_plain("query: one trace is needed; `fhsim query --help` explains");
    else if (outcome == OPTIONS_GOOD && read_questions(&query))
        done = answer(&query, argv[0]);
    if (done && query.json)
        print_json(&query);
    for (size_t i = 0; done && !query.json && i < query.count; i++)
        print_text(&query, &query.questions[i]);
    if (query.questions)
        forget_answers(&query);
    free(query.asked);
    subject_close(&query.at);
    return done || outcome == OPTIONS_HELP ? EXIT_EXPECTED : EXIT_BAD_INPUT;
}
