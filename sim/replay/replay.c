/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "base/options.h"
#include "replay/report_visit.h"

enum { SHOWN_BY_DEFAULT = 5, SHOWN_IN_JUNIT = 1000, PROGRESS_EVERY = 2048, PROGRESS_WIDTH = 40 };

static const char help[] =
    "usage: fhsim replay TRACE... [--show N] [--without ID[,ID...]] [--invariants]\n"
    "                    [--format FORMAT] [--html FILE] [--perfetto FILE]\n\n"
    "Runs the model beside recorded traces (JSON Lines, plain or zstd; '-' is standard input)\n"
    "of a machine of profile sekvm-4.18: boots from the trace's first line, lets the model take\n"
    "each host stage-2 fault, hypercall, vCPU run and guest exit, and compares what the two did,\n"
    "effect by effect. Exceptions inside EL2 are counted as not replayed. After a difference the\n"
    "model takes over what the machine did. `fhsim deviations` lists the known deviations.\n\n"
    "  --show N        print the first N divergences in full (default 5)\n"
    "  --without ID    leave a known deviation of the catalogue out\n"
    "  --invariants    also say which security invariants the machine's state breaks\n"
    "  --format FORMAT text (the default), json or junit\n"
    "  --json          the same as --format json\n"
    "  --html FILE     also write a page: timeline, page ownership, divergences, deviations\n"
    "  --perfetto FILE also write trace-event JSON, for Perfetto\n\n"
    "Exit status: 0 all matched or explained, 1 a divergence, 2 bad input.\n";

struct replay {
    const struct fh_profile *profile;
    struct replay_report report;
    struct differences found;
    bool is_off[DEVIATIONS_MAX];
    bool shows_progress;
    unsigned since_progress;
};

/* --- Progress -------------------------------------------------------------------------------- */

static void show_progress(struct replay *replay, const char *file, double done)
{
    if (!replay->shows_progress || ++replay->since_progress < PROGRESS_EVERY)
        return;
    replay->since_progress = 0;
    int width = (int)(done * PROGRESS_WIDTH);
    fprintf(stderr, "\r\033[K[%.*s%*s] %3d%% %s", width, "########################################",
            PROGRESS_WIDTH - width, "", (int)(done * 100), file);
}

static void hide_progress(const struct replay *replay)
{
    if (replay->shows_progress)
        fputs("\r\033[K", stderr);
}

/* --- One trap -------------------------------------------------------------------------------- */

static enum outcome judge(struct replay *replay, const struct trace_line *line)
{
    if (replay->found.count == 0)
        return OUTCOME_MATCHED;
    return deviations_explain(replay->profile->name, line, &replay->found, replay->is_off)
               ? OUTCOME_EXPLAINED
               : OUTCOME_DIVERGED;
}

/* What the machine's state breaks since the last trap. */
static void count_violations(struct replay_report *report, struct twin *twin,
                             const struct replay_trap *trap)
{
    struct fh_invariant_report found;
    const uint32_t broken = twin_new_violations(twin, &found);
    for (unsigned i = 0; broken && fh_invariant_at(i); i++) {
        struct violation_count *count = &report->violations[i];
        if (!(broken >> i & 1) || count->traps++ > 0)
            continue;
        snprintf(count->first, sizeof count->first, "%s#%" PRIu64, trap->file, trap->line->seq);
        fh_witness_format(fh_invariant_at(i), &found.witness[i], count->witness,
                          sizeof count->witness);
    }
}

static void replay_trap(struct replay *replay, struct twin *twin, const char *file,
                        const struct trace_line *line)
{
    char stuck[512] = "";
    struct replay_trap trap = {.file = file,
                               .line = line,
                               .found = &replay->found,
                               .stuck = stuck,
                               .twin = twin,
                               .row = ROW_KINDS + line->kind};
    replay->found.count = 0;
    if (twin_can_replay(line)) {
        struct ledger ledger = {replay->profile->name, replay->is_off, &replay->found};
        twin_replay(twin, line, &ledger, stuck, sizeof stuck);
        trap.outcome = judge(replay, line);
        if (twin_needs_take_over(twin, &replay->found))
            twin_take_over(twin, line, true);
    } else {
        trap.outcome = OUTCOME_NOT_REPLAYED;
        twin_take_over(twin, line, false);
    }
    report_trap(&replay->report, &trap);
    if (replay->report.invariants)
        count_violations(&replay->report, twin, &trap);
}

/* --- One trace ------------------------------------------------------------------------------- */

/* False, with a message, if the trace does not begin as it must. */
static bool boot(struct replay *replay, struct twin *twin, struct trace *trace, const char *path,
                 const char *file)
{
    const struct trace_line *line = trace_next(trace);
    if (!line) {
        if (!trace_failed(trace))
            diag(&(const struct place){path, 1, 1}, NULL, "the trace is empty");
        return false;
    }
    if (!twin_is_boot(line)) {
        trace_diag(trace, NULL, "a trace begins with the boot line (HVC_ENABLE_S2_TRANS)");
        return false;
    }
    replay->found.count = 0;
    const char *missing = twin_boot(twin, line, &replay->found);
    if (missing) {
        trace_diag(trace, NULL, "%s", missing);
        return false;
    }
    report_trap(&replay->report, &(struct replay_trap){.file = file,
                                                       .line = line,
                                                       .found = &replay->found,
                                                       .stuck = "",
                                                       .row = ROW_BOOT,
                                                       .outcome = judge(replay, line)});
    return true;
}

/* `file` is what reports call the trace at `path`. */
static bool replay_lines(struct replay *replay, struct trace *trace, const char *path,
                         const char *file)
{
    struct twin *twin = twin_new(replay->profile);
    bool good = boot(replay, twin, trace, path, file);
    const struct trace_line *line;
    while (good && (line = trace_next(trace))) {
        replay_trap(replay, twin, file, line);
        show_progress(replay, file, trace_progress(trace));
    }
    twin_free(twin);
    return good && !trace_failed(trace);
}

/* "dir/01_host_only.jsonl.zst" is called 01_host_only in reports. */
static char *short_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = strdup(slash ? slash + 1 : path);
    if (!name) {
        diag_plain("out of memory");
        exit(EXIT_BAD_INPUT);
    }
    char *suffix = strstr(name, ".jsonl");
    if (suffix && suffix > name)
        *suffix = '\0';
    return name;
}

static void replay_file(struct replay *replay, const char *path)
{
    struct trace *trace = trace_open(path);
    char *name = short_name(path);
    if (!trace || !replay_lines(replay, trace, path, name))
        replay->report.bad_input = true;
    hide_progress(replay);
    trace_close(trace);
    free(name);
}

/* --- The command ----------------------------------------------------------------------------- */

static bool parse_show(const char *text, size_t *shown)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*end || end == text || text[0] == '-') {
        diag_plain("replay: --show wants a number, not '%s'", text);
        return false;
    }
    *shown = value;
    return true;
}

/* "A1,A37" */
static bool parse_without(const char *text, bool *is_off)
{
    char id[16];
    while (*text) {
        size_t length = strcspn(text, ",");
        snprintf(id, sizeof id, "%.*s", (int)(length < sizeof id ? length : sizeof id), text);
        const struct deviation *deviation = deviation_find(id);
        if (!deviation) {
            diag_plain("replay: no deviation '%s' in the catalogue", id);
            return false;
        }
        is_off[deviation_index(deviation)] = true;
        text += length + (text[length] == ',');
    }
    return true;
}

static bool parse_format(const char *text, struct replay_report *report)
{
    report->junit = strcmp(text, "junit") == 0;
    report->json = report->json || strcmp(text, "json") == 0;
    if (report->junit || report->json || strcmp(text, "text") == 0)
        return true;
    diag_plain("replay: no format '%s'; there are text, json and junit", text);
    return false;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int run(struct replay *replay, char **files, int nfiles)
{
    const double begin = now();
    report_begin(&replay->report);
    for (int i = 0; i < nfiles; i++)
        replay_file(replay, files[i]);
    replay->report.seconds = now() - begin;
    report_end(&replay->report);
    if (replay->report.files && !report_files_close(replay->report.files, &replay->report))
        return EXIT_BAD_INPUT;
    if (replay->report.bad_input)
        return EXIT_BAD_INPUT;
    return report_total(&replay->report, OUTCOME_DIVERGED) > 0 ? EXIT_DIFFERENT : EXIT_EXPECTED;
}

/* The options that are texts. */
struct replay_options {
    const char *show;
    const char *without;
    const char *format;
    const char *html;
    const char *perfetto;
};

/* Read the options, open the reports. False, with a message, if something is wrong. */
static bool prepare(struct replay *replay, const struct replay_options *options)
{
    struct replay_report *report = &replay->report;
    if (!parse_format(options->format, report))
        return false;
    report->shown_max = report->junit ? SHOWN_IN_JUNIT : SHOWN_BY_DEFAULT;
    if ((options->show && !parse_show(options->show, &report->shown_max)) ||
        !parse_without(options->without, replay->is_off))
        return false;
    if (!options->html && !options->perfetto)
        return true;
    report->files = report_files_open(options->perfetto, options->html);
    return report->files;
}

int command_replay(int argc, char **argv)
{
    struct replay_options texts = {.without = "", .format = "text"};
    struct replay *replay = calloc(1, sizeof *replay);
    if (!replay) {
        diag_plain("out of memory");
        return EXIT_BAD_INPUT;
    }
    replay->profile = &fh_profile_sekvm_4_18;
    replay->shows_progress = isatty(STDERR_FILENO);
    const struct option_spec options[] = {
        {"--show", NULL, &texts.show},         {"--without", NULL, &texts.without},
        {"--format", NULL, &texts.format},     {"--html", NULL, &texts.html},
        {"--perfetto", NULL, &texts.perfetto}, {"--invariants", &replay->report.invariants, NULL},
        {"--json", &replay->report.json, NULL}};
    int nfiles;
    int status = EXIT_BAD_INPUT;
    switch (options_read(argc, argv, options, sizeof options / sizeof *options, &nfiles)) {
    case OPTIONS_HELP:
        fputs(help, stdout);
        status = EXIT_EXPECTED;
        break;
    case OPTIONS_GOOD:
        if (nfiles == 0)
            diag_plain("replay: which traces? (usage: fhsim replay TRACE...)");
        else if (prepare(replay, &texts))
            status = run(replay, argv, nfiles);
        break;
    default: break;
    }
    free(replay);
    return status;
}
