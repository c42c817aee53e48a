/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "base/files.h"
#include "base/live.h"
#include "base/options.h"
#include "base/progress.h"
#include "base/shown.h"
#include "base/text_stream.h"
#include "machine/model.h"
#include "twin/difference.h"
#include "twin/order.h"
#include "twin/watch.h"
#include "convert/recognise.h"
#include "foreign/foreign.h"
#include "replay/compared.h"
#include "replay/report_verdict.h"
#include "replay/reports.h"

static const char help[] =
    "usage: fhsim replay TRACE... [--machine NAME|DIR] [--show N] [--explained]\n"
    "                    [--without ID[,ID...]] [--credit once|all|none] [--fail-on "
    "WHAT[,WHAT...]]\n"
    "                    [--no-invariants] [--format FORMAT] [--html FILE] [--perfetto FILE]\n"
    "                    [--stop] [--follow]\n\n"
    "Runs a machine beside recorded traces of it (JSON Lines or CBOR; '-' is standard input): "
    "boots\n"
    "from the trace's first line, predicts each host stage-2 fault, hypercall, vCPU run and guest\n"
    "exit from its inputs alone, and compares that with the record, effect by effect and register\n"
    "by register. A trap matches if the spec does the same; it is explained by those departures "
    "of\n"
    "the machine without which it would differ; else it is unexplained.\n"
    "`fhsim machine show NAME` lists a machine's departures.\n\n"
    "  --machine NAME  the machine (default sekvm-4.18), or the folder of one\n"
    "  --show N        print the first N unexplained traps in full (default 5)\n"
    "  --explained     explained ones too, beside what the spec says\n"
    "  --without ID    run the machine without a departure\n"
    "  --credit all    find for every trap which departures it needs (default: once for traps\n"
    "                  that are alike)\n"
    "  --fail-on WHAT  exit with status 1 if there is any of: unexplained (the default), "
    "invariant,\n"
    "                  confidentiality, integrity, explained, denied\n"
    "  --stop          end at the first unexplained trap\n"
    "  --follow        the trace is still being written: a pipe ('-'), a socket's path, or a file\n"
    "                  that grows; unexplained traps and broken invariants are told at once, and\n"
    "                  Ctrl-C gives the report of what was seen\n"
    "  --compared      print what of records is not compared, and why\n"
    "  --no-invariants do not look for security invariants that the machine's state breaks\n"
    "  --format FORMAT text (the default), json or junit\n"
    "  --json          the same as --format json\n"
    "  --html FILE     also write a page: timeline, page ownership, divergences, deviations\n"
    "  --perfetto FILE also write trace-event JSON, for Perfetto\n\n"
    "Foreign recordings (QEMU's -d int, ftrace's kvm events, trace-cmd's file and report, perf\n"
    "script, tools/capture), and traces made from them, are recognised, and what can be checked "
    "of\n"
    "them is; a failed check is a divergence.\n\n"
    "  --from FORMAT   what the files are: a format of `fhsim convert --help`\n"
    "  --strict        end at the first line of a recording that is not of its format; without it\n"
    "                  such lines are counted and passed over\n"
    "  --symbols FILE  the symbols of the kernel (kallsyms), for QEMU's -d int\n\n"
    "Exit status: 0 none of --fail-on, 1 some, 2 bad input, or a trace of another machine, or one "
    "of which nothing was compared.\n";

struct replay {
    const struct machine_description *machine;
    struct replay_report report;
    const struct report_form *form; /* on standard output */
    struct reports *reports;
    struct trap_verdict verdict;
    struct credits left_out;
    enum credit credit;
    unsigned fail_on; /* findings, as bits */
    struct watch watch;
    struct fh_invariant_report violations;
    struct credits blamed[FH_INVARIANTS];
    struct progress progress;
    enum { RUN_UNKNOWN, RUN_TRACES, RUN_FOREIGN } run; /* a run is of one or the other */
    struct foreign foreign;
    bool stops, is_stopped;      /* at an unexplained trap */
    bool follows;                /* the trace is still being written */
    bool refused;                /* a file that is neither a trace nor a recording */
    struct symbols *symbols;     /* for foreign recordings, or NULL */
    const struct importer *from; /* what all files are; NULL: each is recognised */
};

/* --- One trap -------------------------------------------------------------------------------- */

/* Of a trace that is being replayed. */
struct replayed {
    struct replay *replay;
    struct twin *twin;
    const char *file;
    uint64_t count; /* of traps that were compared */
};

static bool is_shown(void *context, enum trap_outcome outcome)
{
    return reports_want(((const struct replayed *)context)->replay->reports, outcome);
}

static void report(struct replay *replay, const struct replay_trap *trap)
{
    struct denied_access denied;
    const bool is_denied = report_count(&replay->report, trap, &denied);
    reports_trap(replay->reports, trap, is_denied ? &denied : NULL);
}

static void tell_of_invariants(const struct replay_trap *trap)
{
    const char *before = ": breaks ";
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (trap->broken >> i & 1) {
            printf("%s%s", before, fh_invariant_at(i)->name);
            before = ", ";
        }
    }
}

/* Of a trace that is being written, what somebody waits for. */
static void tell_at_once(const struct replay_trap *trap)
{
    const struct trap_verdict *verdict = trap->verdict;
    char words[400];
    if (verdict->outcome != OUTCOME_DIVERGED && trap->broken == 0)
        return;
    printf("%s#%" PRIu64 ": ", trap->file, trap->line->seq);
    print_shown(stdout, trap_title(trap), strlen(trap_title(trap)));
    printf(" on CPU %" PRIu64 ", %s", trap->line->cpu, outcome_name(verdict->outcome));
    tell_of_invariants(trap);
    if (verdict->found.count > 0) {
        difference_format(&verdict->found.list[0], "model", words, sizeof words);
        printf(": %s", words);
    }
    putchar('\n');
    fflush(stdout);
}

static void told(void *context, const struct trace_line *line, struct trap_verdict *verdict)
{
    struct replayed *replayed = context;
    struct replay *replay = replayed->replay;
    if (replay->is_stopped)
        return; /* it overlapped with the one that stopped */
    struct replay_trap trap = {.machine = replay->machine,
                               .file = replayed->file,
                               .line = line,
                               .verdict = verdict,
                               .twin = replayed->twin,
                               .violations = &replay->violations,
                               .blamed = replay->blamed,
                               .row = ROW_KINDS + line->kind};
    if (!replay->report.no_invariants)
        trap.broken = watch_trap(&replay->watch, replayed->twin, &replay->violations);
    if (trap.broken)
        twin_blame(replayed->twin, &replay->watch, trap.broken, verdict, replay->blamed);
    watch_note(&replay->watch, trap.broken, &replay->violations);
    trap.group = triage_trap(replay->report.triage, line, verdict, trap.broken);
    report(replay, &trap);
    replayed->count += verdict->outcome != OUTCOME_NOT_REPLAYED;
    replay->is_stopped = replay->stops && verdict->outcome == OUTCOME_DIVERGED;
    if (replay->follows && replay->form == &replay_form_text)
        tell_at_once(&trap);
}

/* --- One trace ------------------------------------------------------------------------------- */

/* False, with a message, if the trace does not begin as it must. */
static bool boot(struct replay *replay, struct twin *twin, struct trace *trace,
                 const struct trace_line *line, const char *path, const char *file)
{
    if (!twin_begin(twin, trace, line, path))
        return false;
    replay->verdict = (struct trap_verdict){.outcome = OUTCOME_MATCHED};
    struct replay_trap trap = {.machine = replay->machine,
                               .file = file,
                               .line = line,
                               .verdict = &replay->verdict,
                               .violations = &replay->violations,
                               .row = ROW_BOOT};
    if (!replay->report.no_invariants)
        trap.broken = watch_boot(&replay->watch, twin, &replay->violations);
    report(replay, &trap);
    return true;
}

/* False, with a message, for a CPU that the model has no place for. */
static bool all_cpus_are_known(const struct trace *trace, const struct trace_line *const *lines,
                               size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (lines[i]->cpu < MODEL_CPUS)
            continue;
        trace_diag(trace, "record #%" PRIu64 " is of CPU %" PRIu64 "; replay knows CPUs 0 to %d",
                   lines[i]->seq, lines[i]->cpu, MODEL_CPUS - 1);
        return false;
    }
    return true;
}

/* `file` is what reports call the trace at `path`, `line` its first record or NULL. */
static bool replay_lines(struct replay *replay, struct trace *trace, const struct trace_line *line,
                         const char *path, const char *file)
{
    struct twin *twin = twin_new(replay->machine);
    twin_leave_out(twin, &replay->left_out);
    twin_set_credit(twin, replay->credit);
    bool good = boot(replay, twin, trace, line, path, file);
    struct order *order = order_new(trace, line, false);
    order_speaks(order, replay->machine, twin_profile(twin));
    struct replayed replayed = {replay, twin, file, 0};
    const struct trace_line *const *lines;
    size_t count;
    twin_want_spec(twin, is_shown, &replayed);
    triage_begin(replay->report.triage, twin, file);
    while (good && !replay->is_stopped && (count = order_next(order, &lines)) > 0) {
        good = all_cpus_are_known(trace, lines, count);
        if (good)
            twin_replay(twin, lines, count, told, &replayed);
        progress_trap(&replay->progress, trace_progress(trace));
    }
    order_free(order);
    twin_free(twin);
    good = good && !trace_failed(trace);
    if (good && replayed.count == 0) {
        diag(&(const struct place){path, 0, 0}, NULL,
             "nothing was compared: the trace has no trap but the boot line");
        return false;
    }
    return good;
}

/*
 * "dir/01_host_only.jsonl.zst" is called 01_host_only in reports, "qemu.log.zst" qemu.log. A name
 * is printed as it is, so it has nothing that a terminal would obey.
 */
static char *short_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *file = slash ? slash + 1 : path;
    struct text_stream stream;
    print_shown(text_stream_begin(&stream), file, strlen(file));
    text_stream_end(&stream);
    char *name = stream.text;
    char *suffix = strstr(name, ".jsonl");
    if (!suffix)
        suffix = strstr(name, ".cbor");
    if (!suffix)
        suffix = strstr(name, ".zst");
    if (suffix && suffix > name)
        *suffix = '\0';
    return name;
}

/* Does the file go with those before it, and with the reports that are wanted? */
static bool may_follow(struct replay *replay, bool is_foreign, const char *path)
{
    const struct place place = {path, 0, 0};
    const char *wrong = NULL;
    if (replay->run == RUN_UNKNOWN)
        replay->run = is_foreign ? RUN_FOREIGN : RUN_TRACES;
    if ((replay->run == RUN_FOREIGN) != is_foreign)
        wrong = "foreign recordings and traces are not replayed together";
    else if (is_foreign &&
             (replay->form == &replay_form_junit || reports_have_files(replay->reports)))
        wrong = "of a foreign recording there is the text and the JSON report";
    if (!wrong)
        return true;
    diag(&place, NULL, "%s", wrong);
    replay->report.bad_input = replay->foreign.bad_input = true;
    return false;
}

static void replay_trace(struct replay *replay, const char *path, const char *name)
{
    struct trace *trace = trace_open(path);
    const struct trace_line *first = trace ? trace_next(trace) : NULL;
    const bool is_foreign = trace && trace_origin(trace);
    if (!trace && replay->run == RUN_FOREIGN) {
        replay->foreign.bad_input = true;
        return;
    }
    if (trace && !may_follow(replay, is_foreign, path)) {
        trace_close(trace);
        return;
    }
    if (is_foreign) {
        foreign_trace(&replay->foreign, trace, first, name);
    } else {
        report_file(&replay->report, name);
        if (!trace || !replay_lines(replay, trace, first, path, name))
            report_file_is_bad(&replay->report);
    }
    trace_close(trace);
}

static void replay_file(struct replay *replay, const char *path)
{
    /* Of what is being written the beginning may not be there yet. */
    const struct recognised is = replay->follows ? (struct recognised){.importer = NULL}
                                                 : recognise_file(path, replay->from);
    char *name = short_name(path);
    progress_file(&replay->progress, path, name);
    if (is.other || is.is_unreadable) {
        if (is.other)
            recognise_refuse(path, is.other);
        replay->refused = replay->report.bad_input = replay->foreign.bad_input = true;
    } else if (!is.importer)
        replay_trace(replay, path, name);
    else if (may_follow(replay, true, path))
        foreign_import(&replay->foreign, path, name, is.importer, replay->symbols);
    progress_clear(&replay->progress);
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

static bool parse_credit(const char *text, enum credit *credit)
{
    static const char *const words[] = {
        [CREDIT_ONCE] = "once", [CREDIT_ALL] = "all", [CREDIT_NONE] = "none"};
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text, words[i]) == 0) {
            *credit = (enum credit)i;
            return true;
        }
    }
    diag_plain("replay: --credit is once, all or none, not '%s'", text);
    return false;
}

/* The reports of traces were begun, but are of nothing. */
static int end_foreign(struct replay *replay)
{
    reports_discard(replay->reports);
    return foreign_end(&replay->foreign);
}

static bool has_failed(const struct replay *replay)
{
    for (unsigned i = 0; i < FINDINGS; i++) {
        if ((replay->fail_on >> i & 1) && report_found(&replay->report, (enum finding)i) > 0)
            return true;
    }
    return false;
}

static int run(struct replay *replay, char **files, int nfiles)
{
    if (replay->follows)
        live_begin();
    const double begin = progress_clock();
    progress_begin(&replay->progress, files, (size_t)nfiles);
    replay->report.triage = triage_new(replay->machine);
    for (int i = 0; i < nfiles && !replay->is_stopped; i++)
        replay_file(replay, files[i]);
    replay->report.seconds = progress_clock() - begin;
    if (replay->run == RUN_FOREIGN || (replay->run == RUN_UNKNOWN && replay->refused))
        return end_foreign(replay);
    if (!reports_end(replay->reports, &replay->report))
        return EXIT_BAD_INPUT;
    if (replay->report.bad_input)
        return EXIT_BAD_INPUT;
    return has_failed(replay) ? EXIT_DIFFERENT : EXIT_EXPECTED;
}

/* The options that are texts. */
struct replay_options {
    const char *show;
    const char *without;
    const char *format;
    const char *html;
    const char *perfetto;
    const char *symbols;
    const char *from;
    const char *machine;
    const char *credit;
    const char *fail_on;
    bool json;
};

/* Read the options, open the reports. False, with a message, if something is wrong. */
static bool prepare(struct replay *replay, const struct replay_options *options)
{
    struct replay_report *report = &replay->report;
    replay->machine = machine_find(options->machine);
    report->machine = replay->machine;
    if (!replay->machine || !machine_model(replay->machine, true) ||
        !(replay->form = report_form_named(options->json ? "json" : options->format)) ||
        !parse_credit(options->credit, &replay->credit) ||
        !findings_read(options->fail_on, &replay->fail_on))
        return false;
    report->shown_max = replay->form->shown_max;
    if ((options->show && !parse_show(options->show, &report->shown_max)) ||
        !catalogue_choose(replay->machine, "replay", options->without, &replay->left_out))
        return false;
    if (options->from && replay->follows) {
        diag_plain("replay: --follow reads traces, and no other format");
        return false;
    }
    if (options->from && !(replay->from = importer_find("replay", options->from)))
        return false;
    if (options->symbols && !(replay->symbols = symbols_read(options->symbols)))
        return false;
    replay->foreign.progress = &replay->progress;
    replay->foreign.report =
        replay->form == &replay_form_json ? foreign_report_json : foreign_report_text;
    replay->foreign.shown_max = report->shown_max;
    replay->reports = reports_open(report, replay->form, options->perfetto, options->html);
    return replay->reports;
}

/* No page is written over a trace, nor over the other one. */
static bool outputs_are_free(const struct replay_options *options, const char *const *paths,
                             size_t npaths)
{
    const struct output_path outputs[] = {{"--html", options->html},
                                          {"--perfetto", options->perfetto}};
    return outputs_are_apart("replay", outputs, 2, paths, npaths) &&
           outputs_are_apart("replay", outputs, 2, &options->symbols, options->symbols ? 1 : 0);
}

int command_replay(int argc, char **argv)
{
    struct replay_options texts = {.without = "",
                                   .format = "text",
                                   .machine = "sekvm-4.18",
                                   .credit = "once",
                                   .fail_on = "unexplained"};
    bool lists_compared = false;
    struct replay *replay = calloc(1, sizeof *replay);
    if (!replay) {
        diag_plain("out of memory");
        return EXIT_BAD_INPUT;
    }
    replay->report.colour = may_colour(stdout);
    const struct option_spec options[] = {{"--show", NULL, &texts.show},
                                          {"--without", NULL, &texts.without},
                                          {"--format", NULL, &texts.format},
                                          {"--machine", NULL, &texts.machine},
                                          {"--credit", NULL, &texts.credit},
                                          {"--fail-on", NULL, &texts.fail_on},
                                          {"--compared", &lists_compared, NULL},
                                          {"--html", NULL, &texts.html},
                                          {"--perfetto", NULL, &texts.perfetto},
                                          {"--symbols", NULL, &texts.symbols},
                                          {"--from", NULL, &texts.from},
                                          {"--strict", &replay->foreign.strict, NULL},
                                          {"--no-invariants", &replay->report.no_invariants, NULL},
                                          {"--explained", &replay->report.shows_explained, NULL},
                                          {"--stop", &replay->stops, NULL},
                                          {"--follow", &replay->follows, NULL},
                                          {"--json", &texts.json, NULL}};
    int nfiles;
    int status = EXIT_BAD_INPUT;
    switch (options_read(argc, argv, options, sizeof options / sizeof *options, &nfiles)) {
    case OPTIONS_HELP:
        fputs(help, stdout);
        status = EXIT_EXPECTED;
        break;
    case OPTIONS_GOOD:
        if (lists_compared && nfiles == 0)
            status = compared_print(texts.machine) ? EXIT_EXPECTED : EXIT_BAD_INPUT;
        else if (nfiles == 0)
            diag_plain("replay: which traces? (usage: fhsim replay TRACE...)");
        else if (replay->follows && nfiles > 1)
            diag_plain("replay: --follow has one trace");
        else if (outputs_are_free(&texts, (const char *const *)argv, (size_t)nfiles) &&
                 prepare(replay, &texts))
            status = run(replay, argv, nfiles);
        break;
    default: break;
    }
    symbols_free(replay->symbols);
    triage_free(replay->report.triage);
    free(replay->report.files);
    free(replay);
    return status;
}
