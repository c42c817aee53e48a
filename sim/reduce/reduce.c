/* SPDX-License-Identifier: GPL-2.0-only */
#include "reduce/reduce.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "base/options.h"
#include "base/progress.h"
#include "base/report_file.h"
#include "trace/trace_write.h"

static const char help[] =
    "usage: fhsim reduce TRACE --keep ID|unexplained [--at SEQ] [--without ID[,ID...]]\n"
    "                    [--fold] [-o FILE] [--scenario FILE]\n\n"
    "Makes a recorded trace short: finds by delta debugging which of its records are needed for\n"
    "what a trap shows, and writes those, as they were read. Replayed, they say the same. The "
    "boot\n"
    "line stays, and no record is left that the model can explain in the whole trace only.\n\n"
    "  --keep ID          keep a trap that shows this deviation (`fhsim deviations`)\n"
    "  --keep unexplained keep the first difference that nothing explains\n"
    "  --at SEQ           in the trap with this number, not in the first that shows it\n"
    "  --without ID       leave a known deviation of the catalogue out\n"
    "  --fold             of records that are left out keep what they did to the state\n"
    "  -o FILE            write the reduced trace there, not on standard output\n"
    "  --scenario FILE    also write the trap as a scenario for `fhsim run`\n\n"
    "Exit status: 0 reduced, 1 the trace does not show it, 2 bad input.\n";

struct reduce_options {
    const char *keep, *at, *without, *output, *scenario;
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

static struct reduce_record *keep(struct reduce *reduce, struct trace *trace,
                                  const struct trace_line *line)
{
    size_t length;
    const char *text = trace_text(trace, &length);
    return reduce_records_add(reduce->records, line, text, length);
}

/* Is this the trap that is wanted? */
static bool is_shown(const struct reduce_goal *goal, const struct trace_line *line,
                     const struct differences *found)
{
    return (!goal->has_seq || goal->seq == line->seq) && reduce_shows(goal, found);
}

/* False, with a message, if the trace does not begin as it must. */
static bool boot(struct reduce *reduce, struct trace *trace, const char *path,
                 struct differences *found)
{
    const struct trace_line *line = trace_next(trace);
    if (!twin_begin(reduce->reduction.twin, trace, line, path, found))
        return false;
    deviations_explain(reduce->goal.profile->name, line, found, reduce->goal.is_off);
    keep(reduce, trace, line)->unexplained = reduce_unexplained(found);
    reduce_image_save(reduce->reduction.boot, reduce->reduction.twin, NULL);
    return true;
}

/* Keep the records up to the trap that shows it. */
static bool read_prefix(struct reduce *reduce, struct trace *trace, struct differences *found,
                        bool *is_there)
{
    const struct trace_line *line;
    while (!*is_there && (line = trace_next(trace))) {
        struct reduce_record *record = keep(reduce, trace, line);
        if (!reduce_take(&reduce->goal, reduce->reduction.twin, &record->line, found))
            record->unexplained = reduce_unexplained(found);
        *is_there = is_shown(&reduce->goal, line, found);
        progress_show(&reduce->progress, trace_progress(trace), "reading, %zu records",
                      reduce->records->count);
    }
    return !trace_failed(trace);
}

/* The records from the boot line to the trap. `is_there`: it was found. */
static bool read_trace(struct reduce *reduce, const char *path, bool *is_there)
{
    struct differences found = {0};
    struct trace *trace = trace_open(path);
    bool good = trace && boot(reduce, trace, path, &found);
    if (good)
        *is_there = is_shown(&reduce->goal, &reduce->records->list[0]->line, &found);
    good = good && read_prefix(reduce, trace, &found, is_there);
    progress_clear(&reduce->progress);
    trace_close(trace);
    return good;
}

/* --- Writing --------------------------------------------------------------------------------- */

static void write_record(const struct reduce_record *record, FILE *out)
{
    fwrite(record->text, 1, record->length, out);
    fputc('\n', out);
}

/* What is folded and comes before record `end`. */
static void write_folded(const struct reduction *reduction, size_t *at, size_t end,
                         struct trace_effect *fx, FILE *out)
{
    struct trace_line line;
    if (reduce_folded(reduction, at, end, fx, &line))
        trace_write(&line, out);
}

static void write_trace(const struct reduce *reduce, FILE *out)
{
    const struct reduction *reduction = &reduce->reduction;
    const size_t last = reduce->records->count - 1;
    size_t at = 0;
    struct trace_effect *fx = malloc((reduction->nfolded + 1) * sizeof *fx);
    if (!fx)
        no_memory();
    write_record(reduce->records->list[0], out);
    for (size_t i = 0; i < reduction->nkept; i++) {
        write_folded(reduction, &at, reduction->kept[i], fx, out);
        write_record(reduce->records->list[reduction->kept[i]], out);
    }
    write_folded(reduction, &at, last, fx, out);
    if (last > 0)
        write_record(reduce->records->list[last], out);
    free(fx);
}

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
        write_trace(reduce, trace ? report_file_stream(trace) : stdout);
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
    if (goal->deviation)
        diag_plain("reduce: %s of %s shows %s", where, path, goal->deviation->id);
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
    goal->deviation = deviation_find(text);
    if (!goal->deviation) {
        diag_plain("reduce: no deviation '%s' in the catalogue", text);
        return false;
    }
    if (goal->is_off[deviation_index(goal->deviation)]) {
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

static int prepare_and_run(struct reduce *reduce, const char *path)
{
    const struct reduce_options *options = &reduce->options;
    struct reduce_goal *goal = &reduce->goal;
    if (!deviations_switch_off("reduce", options->without, goal->is_off) ||
        !parse_keep(goal, options->keep) || !parse_at(goal, options->at))
        return EXIT_BAD_INPUT;
    goal->profile = &fh_profile_sekvm_4_18;
    progress_begin(&reduce->progress, NULL, 0);
    reduce->records = reduce_records_new(options->folds ? goal->profile : NULL);
    reduce->reduction = (struct reduction){.goal = goal,
                                           .twin = twin_new(goal->profile),
                                           .boot = reduce_image_new(),
                                           .progress = show_search,
                                           .context = reduce};
    const int status = run(reduce, path);
    free(reduce->reduction.kept);
    free(reduce->reduction.folded);
    reduce_image_free(reduce->reduction.boot);
    twin_free(reduce->reduction.twin);
    reduce_records_free(reduce->records);
    return status;
}

int command_reduce(int argc, char **argv)
{
    struct reduce reduce = {0};
    struct reduce_options *texts = &reduce.options;
    const struct option_spec options[] = {
        {"--keep", NULL, &texts->keep},       {"--at", NULL, &texts->at},
        {"--without", NULL, &texts->without}, {"--fold", &texts->folds, NULL},
        {"-o", NULL, &texts->output},         {"--scenario", NULL, &texts->scenario}};
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
    return prepare_and_run(&reduce, argv[0]);
}
