/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/model.h"
#include "reduce/reduce.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "base/files.h"
#include "base/options.h"
#include "base/progress.h"
#include "base/report_file.h"
#include "trace/trace_write.h"
#include "twin/order.h"

static const char help[] =
    "usage: fhsim reduce TRACE --keep ID|unexplained [--machine NAME|DIR] [--at SEQ]\n"
    "                    [--difference N]\n"
    "                    [--without ID[,ID...]] [--fold] [--seconds N] [-o FILE] [--scenario "
    "FILE]\n\n"
    "Makes a recorded trace short: finds by delta debugging which of its records are needed for\n"
    "what a trap shows, and writes those, as they were read. Replayed, they say the same. The "
    "boot\n"
    "line stays, and no record is left that the model can explain in the whole trace only.\n\n"
    "  --keep ID          keep a trap that shows this departure (`fhsim machine show NAME`)\n"
    "  --keep unexplained keep the first difference that nothing explains\n"
    "  --difference N     the N-th that nothing explains, not the first of the trap\n"
    "  --at SEQ           in the trap with this number, not in the first that shows it\n"
    "  --machine NAME     the machine (default sekvm-4.18), or the folder of one\n"
    "  --without ID       run the machine without a departure\n"
    "  --fold             of records that are left out keep what they did to the state\n"
    "  --seconds N        after so long take the best that was found so far\n"
    "  -o FILE            write the reduced trace there, not on standard output\n"
    "  --scenario FILE    also write the trap as a scenario for `fhsim run`\n\n"
    "Exit status: 0 reduced, 1 the trace does not show it, 2 bad input.\n";

struct reduce_options {
    const char *keep, *at, *difference, *without, *output, *scenario, *machine, *seconds;
    bool folds;
};

struct reduce {
    struct reduce_goal goal;
    struct reduce_options options;
    struct reduce_records *records;
    struct reduction reduction;
    struct progress progress;
};

static void show_search(void *context, size_t nkept, double done)
{
    struct reduce *reduce = context;
    progress_show(&reduce->progress, done, "reducing, %zu records", nkept);
}

/* --- Reading up to the trap ------------------------------------------------------------------ */

/* Keep the records up to the trap that shows it. */
static bool read_prefix(struct reduce *reduce, struct trace *trace, bool *is_there)
{
    struct order *order = order_new(trace, &reduce->records->list[0]->line, true);
    order_speaks(order, reduce->goal.machine, twin_profile(reduce->reduction.twin));
    const struct trace_line *const *lines;
    size_t count;
    while (!*is_there && (count = order_next(order, &lines)) > 0) {
        const size_t head = reduce_keep(reduce->records, order, lines, count);
        struct reduce_outcome outcome =
            reduce_take(&reduce->goal, reduce->reduction.twin, reduce->records, head);
        reduce->records->list[head]->unexplained = outcome.unexplained;
        *is_there = outcome.shows;
        progress_show(&reduce->progress, trace_progress(trace), "reading, %zu records",
                      reduce->records->count);
    }
    order_free(order);
    return !trace_failed(trace);
}

/* The records from the boot line to the trap. `is_there`: it was found. */
static bool read_trace(struct reduce *reduce, const char *path, bool *is_there)
{
    struct trace *trace = trace_open(path);
    bool good = trace && reduce_boot(&reduce->reduction, reduce->records, trace, path);
    good = good && read_prefix(reduce, trace, is_there);
    progress_clear(&reduce->progress);
    trace_close(trace);
    return good;
}

/* --- Writing --------------------------------------------------------------------------------- */

/* "dir/01_host_only.jsonl.zst" is called 01_host_only in reports. */
static void short_name(const char *path, char *name, size_t size)
{
    const char *slash = strrchr(path, '/');
    snprintf(name, size, "%s", slash ? slash + 1 : path);
    char *suffix = strstr(name, ".jsonl");
    if (!suffix)
        suffix = strstr(name, ".cbor");
    if (suffix && suffix > name)
        *suffix = '\0';
}

/* Both files, or none. */
static bool write_files(const struct reduce *reduce, const char *path)
{
    const struct reduce_options *options = &reduce->options;
    char name[256];
    short_name(path, name, sizeof name);
    struct report_file *trace = options->output ? report_file_open(options->output) : NULL;
    struct report_file *scenario = NULL;
    bool good = trace || !options->output;
    if (good && options->scenario) {
        scenario = report_file_open(options->scenario);
        good = scenario && reduce_scenario(&reduce->reduction, name, report_file_stream(scenario));
    }
    if (good)
        reduce_write(&reduce->reduction, trace ? report_file_stream(trace) : stdout);
    if (!good) {
        report_file_discard(trace);
        report_file_discard(scenario);
        return false;
    }
    good = !trace || report_file_commit(trace);
    if (scenario && !good)
        report_file_discard(scenario);
    return good && (!scenario || report_file_commit(scenario));
}

static void print_summary(const struct reduce *reduce)
{
    const struct reduction *reduction = &reduce->reduction;
    const struct reduce_record *last = reduce->records->list[reduce->records->count - 1];
    const size_t before = reduce->records->count > 1 ? reduce->records->count - 2 : 0;
    printf("#%" PRIu64 " shows it with %zu of the %zu records between it and the boot line",
           last->line.seq, reduction->nkept, before);
    if (reduce->options.folds)
        printf(" and %zu effect%s of others", reduction->nfolded,
               reduction->nfolded == 1 ? "" : "s");
    putchar('\n');
}

/* --- The command ----------------------------------------------------------------------------- */

static int not_shown(const struct reduce *reduce, const char *path)
{
    const struct reduce_goal *goal = &reduce->goal;
    char where[64] = "no trap";
    if (goal->has_seq)
        snprintf(where, sizeof where, "no trap with the number %" PRIu64, goal->seq);
    if (goal->entry)
        diag_plain("reduce: %s of %s shows %s", where, path, goal->entry->id);
    else
        diag_plain("reduce: %s of %s has an unexplained difference", where, path);
    return EXIT_DIFFERENT;
}

static int run(struct reduce *reduce, const char *path)
{
    struct reduction *reduction = &reduce->reduction;
    bool is_there = false;
    if (!read_trace(reduce, path, &is_there))
        return EXIT_BAD_INPUT;
    if (!is_there)
        return not_shown(reduce, path);
    reduction->records = reduce->records;
    reduce_search(reduction, reduce->options.folds);
    progress_clear(&reduce->progress);
    if (!write_files(reduce, path))
        return EXIT_BAD_INPUT;
    if (reduce->options.output)
        print_summary(reduce);
    return EXIT_EXPECTED;
}

static bool parse_keep(struct reduce_goal *goal, const char *text)
{
    if (!text) {
        diag_plain("reduce: keep what? (--keep ID or --keep unexplained)");
        return false;
    }
    if (strcmp(text, "unexplained") == 0)
        return true;
    if (!catalogue_find(goal->machine, text, &goal->index)) {
        diag_plain("reduce: no departure '%s' in the catalogue of %s", text, goal->machine->name);
        return false;
    }
    goal->entry = catalogue_at(goal->machine, goal->index);
    if (credits_has(&goal->left_out, goal->index)) {
        diag_plain("reduce: %s cannot be kept and left out", text);
        return false;
    }
    return true;
}

static bool parse_at(struct reduce_goal *goal, const char *text)
{
    if (!text)
        return true;
    char *end;
    goal->has_seq = true;
    goal->seq = strtoull(text, &end, 10);
    if (!*end && end != text && text[0] != '-')
        return true;
    diag_plain("reduce: --at wants the number of a trap, not '%s'", text);
    return false;
}

static bool parse_difference(struct reduce_goal *goal, const char *text)
{
    char *end;
    goal->difference = 1;
    if (!text)
        return true;
    if (goal->entry) {
        diag_plain("reduce: --difference is of what nothing explains (--keep unexplained)");
        return false;
    }
    goal->difference = strtoull(text, &end, 10);
    if (!*end && end != text && text[0] != '-' && goal->difference > 0)
        return true;
    diag_plain("reduce: --difference wants a number from 1 on, not '%s'", text);
    return false;
}

static bool parse_seconds(struct reduction *reduction, const char *text)
{
    if (!text)
        return true;
    char *end;
    const double seconds = strtod(text, &end);
    reduction->deadline = progress_clock() + seconds;
    if (!*end && end != text && seconds > 0)
        return true;
    diag_plain("reduce: --seconds wants a number above 0, not '%s'", text);
    return false;
}

static int prepare_and_run(struct reduce *reduce, const char *path)
{
    const struct reduce_options *options = &reduce->options;
    struct reduce_goal *goal = &reduce->goal;
    goal->machine = machine_find(options->machine);
    if (!goal->machine || !machine_model(goal->machine, true) ||
        !catalogue_choose(goal->machine, "reduce", options->without, &goal->left_out) ||
        !parse_keep(goal, options->keep) || !parse_at(goal, options->at) ||
        !parse_difference(goal, options->difference) ||
        !parse_seconds(&reduce->reduction, options->seconds))
        return EXIT_BAD_INPUT;
    const double deadline = reduce->reduction.deadline;
    progress_begin(&reduce->progress, NULL, 0);
    reduce->records = reduce_records_new(options->folds ? goal->machine : NULL);
    reduce->reduction = (struct reduction){.goal = goal,
                                           .twin = twin_new(goal->machine),
                                           .boot = twin_image_new(),
                                           .deadline = deadline,
                                           .progress = show_search,
                                           .context = reduce};
    twin_leave_out(reduce->reduction.twin, &goal->left_out);
    twin_set_credit(reduce->reduction.twin, goal->entry ? CREDIT_ONCE : CREDIT_NONE);
    const int status = run(reduce, path);
    free(reduce->reduction.kept);
    free(reduce->reduction.folded);
    twin_image_free(reduce->reduction.boot, reduce->reduction.twin);
    twin_free(reduce->reduction.twin);
    reduce_records_free(reduce->records);
    return status;
}

int command_reduce(int argc, char **argv)
{
    struct reduce reduce = {.options = {.machine = "sekvm-4.18"}};
    struct reduce_options *texts = &reduce.options;
    const struct option_spec options[] = {{"--keep", NULL, &texts->keep},
                                          {"--at", NULL, &texts->at},
                                          {"--difference", NULL, &texts->difference},
                                          {"--without", NULL, &texts->without},
                                          {"--machine", NULL, &texts->machine},
                                          {"--seconds", NULL, &texts->seconds},
                                          {"--fold", &texts->folds, NULL},
                                          {"-o", NULL, &texts->output},
                                          {"--scenario", NULL, &texts->scenario}};
    int nfiles;
    switch (options_read(argc, argv, options, sizeof options / sizeof *options, &nfiles)) {
    case OPTIONS_HELP: fputs(help, stdout); return EXIT_EXPECTED;
    case OPTIONS_GOOD: break;
    default: return EXIT_BAD_INPUT;
    }
    if (nfiles != 1) {
        diag_plain("reduce: which trace? (usage: fhsim reduce TRACE --keep ID)");
        return EXIT_BAD_INPUT;
    }
    if (texts->output && strcmp(texts->output, "-") == 0)
        texts->output = NULL; /* standard output */
    const struct output_path outputs[] = {{"-o", texts->output}, {"--scenario", texts->scenario}};
    if (!outputs_are_apart("reduce", outputs, 2, (const char *const *)argv, 1))
        return EXIT_BAD_INPUT;
    return prepare_and_run(&reduce, argv[0]);
}
