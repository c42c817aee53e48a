/* SPDX-License-Identifier: GPL-2.0-only */
#include "vectors/conform.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "base/json.h"
#include "base/lines.h"
#include "base/options.h"

enum { DIFFERENCES_SHOWN = 8, DIFFERENCES_SHOWN_ALONE = 200, PROGRESS_EVERY = 16 };
#define PROGRESS_INTERVAL 0.25 /* seconds */

static const char help[] =
    "usage: fhsim conform FILE... [--only ID] [--function NAME] [--strict] [--quiet] [--all]\n"
    "                             [--json] [--realisation FORM] [--log POLICY]\n"
    "                             [--machine NAME [--without ID,...]]\n\n"
    "Checks the model against recorded vectors of the spec (JSON Lines, plain or zstd; '-' is\n"
    "standard input). Prints how many cases passed, by file and by function, then the first\n"
    "differing step of each failed case.\n\n"
    "  --only ID        run this case alone\n"
    "  --function NAME  run the cases that call this function\n"
    "  --strict         fail, too, when cases use functions that are not written yet\n"
    "  --quiet          only failures and the last line\n"
    "  --all            show every failure, not the first 20\n"
    "  --json           one JSON object instead of text\n"
    "  --machine NAME   run them on this machine, with the spec's constants\n"
    "  --without ID,... without these of its departures; all: then it is the spec\n"
    "  --realisation FORM   tables as `abstract` maps (the default), `concrete` words or `both`; "
    "cases\n"
    "                   whose state the words cannot say are counted, with the reason\n"
    "  --log POLICY     keep logs in `full` (the default), or a `summary` of them: then only "
    "their\n"
    "                   lengths and the states of locks are compared\n\n"
    "Exit status: 0 all passed, 1 a case failed, 2 bad input.\n";

struct conform {
    const char *only;
    const char *function_name;
    const struct fh_function *function;
    const char *realisation_name, *log_name;
    struct machine_wish wish;
    struct machine_choice choice;
    enum fh_realisation realisation;
    enum fh_log_policy log_policy;
    bool strict, quiet, show_all, json;
    bool shows_progress; /* where it takes long */
    bool is_progress_shown;
    double next_progress; /* seconds */
    bool bad_input;
    unsigned selected; /* cases run */
    struct json_reader *reader;
    struct arena *arena;
    struct results *results;
    struct case_runner *runner;
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* On a terminal, when it takes longer, a few times a second. */
static void show_progress(struct conform *conform, const char *file, double done)
{
    if (!conform->shows_progress || now() < conform->next_progress)
        return;
    fprintf(stderr, "\r\033[K%s %d%%", file, (int)(done * 100));
    conform->next_progress = now() + PROGRESS_INTERVAL;
    conform->is_progress_shown = true;
}

static void hide_progress(struct conform *conform)
{
    if (conform->is_progress_shown)
        fputs("\r\033[K", stderr);
    conform->is_progress_shown = false;
}

static bool is_selected(const struct conform *conform, const struct node *vector)
{
    if (conform->only && !node_is(node_get(vector, "id"), conform->only))
        return false;
    return !conform->function || case_calls(vector, conform->function);
}

static void count(struct tally *tally, enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_PASSED: tally->passed++; break;
    case VERDICT_FAILED: tally->failed++; break;
    case VERDICT_SKIPPED: tally->skipped++; break;
    case VERDICT_FORMLESS: tally->formless++; break;
    case VERDICT_BAD_INPUT: break;
    }
}

/* One line of a file; false if the rest of it cannot be trusted. */
static bool run_line(struct conform *conform, struct file_tally *tally, const char *text,
                     size_t length, unsigned line)
{
    const char *error;
    size_t offset;
    arena_reset(conform->arena);
    struct node *vector =
        json_parse(conform->reader, conform->arena, text, length, line, &error, &offset);
    if (!vector) {
        const struct place place = {tally->file, line, (unsigned)offset + 1};
        diag(&place, arena_strdup(conform->arena, text, length), "%s", error);
        return false;
    }
    if (!is_selected(conform, vector))
        return true;
    conform->selected++;
    char *source = arena_strdup(conform->arena, text, length);
    enum verdict verdict = case_run(conform->runner, tally->file, line, source, vector);
    count(&tally->tally, verdict);
    count(&conform->results->total, verdict);
    return verdict != VERDICT_BAD_INPUT;
}

static bool is_blank(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!strchr(" \t\r", text[i]) || !text[i])
            return false;
    }
    return true;
}

static bool run_lines(struct conform *conform, struct file_tally *tally, struct lines *lines)
{
    const char *text;
    size_t length;
    unsigned cases = 0;
    while ((text = lines_next(lines, &length, json_padding()))) {
        if (is_blank(text, length))
            continue;
        if (cases++ % PROGRESS_EVERY == 0)
            show_progress(conform, tally->file, lines_progress(lines));
        if (!run_line(conform, tally, text, length, lines_number(lines)))
            return false;
    }
    if (!lines_failed(lines) && cases == 0) {
        const struct place place = {tally->file, 0, 0};
        diag(&place, NULL, "no vectors in this file");
    }
    return !lines_failed(lines) && cases > 0;
}

static void run_file(struct conform *conform, const char *path, struct file_tally *tally)
{
    struct lines *lines = lines_open(path);
    if (!lines || !run_lines(conform, tally, lines))
        conform->bad_input = tally->is_cut = true;
    hide_progress(conform);
    lines_close(lines);
}

static int report(const struct conform *conform, const struct file_tally *files, size_t nfiles)
{
    const struct tally *total = &conform->results->total;
    if (conform->json)
        report_json(conform->results, files, nfiles);
    else
        report_text(conform->results, files, nfiles, conform->quiet, conform->show_all);
    if (conform->bad_input)
        return EXIT_BAD_INPUT;
    if (total->failed > 0 || (conform->strict && total->skipped > 0))
        return EXIT_DIFFERENT;
    return EXIT_EXPECTED;
}

static int run_files(struct conform *conform, char **paths, struct file_tally *files, size_t nfiles)
{
    for (size_t i = 0; i < nfiles; i++) {
        files[i].file = strcmp(paths[i], "-") == 0 ? "<stdin>" : paths[i];
        run_file(conform, paths[i], &files[i]);
    }
    if (conform->selected > 0 || conform->bad_input)
        return report(conform, files, nfiles);
    diag_plain("conform: no case %s%s in %s", conform->only ? "with the id " : "that calls ",
               conform->only ? conform->only : conform->function_name,
               nfiles == 1 ? files[0].file : "these files");
    return EXIT_BAD_INPUT;
}

static bool find_function(struct conform *conform)
{
    if (!conform->function_name)
        return true;
    conform->function = fh_function_find(conform->function_name);
    if (conform->function)
        return true;
    size_t count = conform->results->nfunctions;
    const char **names = calloc(count + 1, sizeof *names);
    for (unsigned i = 0; names && i < count; i++)
        names[i] = fh_function_at(i)->name;
    const char *suggestion = names ? nearest(conform->function_name, names, count) : NULL;
    if (suggestion)
        diag_plain("conform: no function '%s'; did you mean '%s'?", conform->function_name,
                   suggestion);
    else
        diag_plain("conform: no function '%s'; `fhsim functions` lists them",
                   conform->function_name);
    free(names);
    return false;
}

static int run(struct conform *conform, char **argv, size_t nfiles)
{
    conform->results = results_new();
    conform->reader = json_reader_new();
    struct file_tally *files = calloc(nfiles, sizeof *files);
    if (conform->results)
        conform->runner = case_runner_new(
            conform->results, conform->only ? DIFFERENCES_SHOWN_ALONE : DIFFERENCES_SHOWN,
            conform->realisation, conform->log_policy, &conform->choice);
    int status = EXIT_BAD_INPUT;
    if (!conform->reader || !files || !conform->runner)
        diag_plain("out of memory");
    else if (find_function(conform))
        status = run_files(conform, argv, files, nfiles);
    case_runner_free(conform->runner);
    results_free(conform->results);
    json_reader_free(conform->reader);
    free(files);
    return status;
}

/* One of the words; the index of NULL is its end. */
static bool read_word(const char *option, const char *word, const char *const *words,
                      unsigned *index)
{
    size_t count = 0;
    for (*index = 0; words[*index]; ++*index, count++) {
        if (strcmp(words[*index], word) == 0)
            return true;
    }
    const char *suggestion = nearest(word, words, count);
    if (suggestion)
        diag_plain("conform: no %s '%s'; did you mean '%s'?", option, word, suggestion);
    else
        diag_plain("conform: no %s '%s'; `fhsim conform --help` lists them", option, word);
    return false;
}

static bool read_form(struct conform *conform)
{
    static const char *const realisations[] = {"abstract", "concrete", "both", NULL};
    static const char *const policies[] = {"summary", "full", NULL};
    unsigned realisation = FH_ABSTRACT, policy = FH_LOG_FULL;
    if (conform->realisation_name &&
        !read_word("realisation", conform->realisation_name, realisations, &realisation))
        return false;
    if (conform->log_name && !read_word("log policy", conform->log_name, policies, &policy))
        return false;
    conform->realisation = (enum fh_realisation)realisation;
    conform->log_policy = (enum fh_log_policy)policy;
    return true;
}

int command_conform(int argc, char **argv)
{
    struct conform conform = {.shows_progress = isatty(STDERR_FILENO)};
    const struct option_spec options[] = {
        {"--only", NULL, &conform.only},
        {"--machine", NULL, &conform.wish.name},
        {"--without", NULL, &conform.wish.without},
        {"--function", NULL, &conform.function_name},
        {"--strict", &conform.strict, NULL},
        {"--quiet", &conform.quiet, NULL},
        {"--all", &conform.show_all, NULL},
        {"--json", &conform.json, NULL},
        {"--realisation", NULL, &conform.realisation_name},
        {"--log", NULL, &conform.log_name},
    };
    int nfiles;
    switch (options_read(argc, argv, options, sizeof options / sizeof *options, &nfiles)) {
    case OPTIONS_HELP: fputs(help, stdout); return EXIT_EXPECTED;
    case OPTIONS_BAD: return EXIT_BAD_INPUT;
    default: break;
    }
    if (nfiles == 0) {
        diag_plain("conform: which files? (usage: fhsim conform FILE...)");
        return EXIT_BAD_INPUT;
    }
    if (!read_form(&conform) || !machine_choose("conform", &conform.wish, &conform.choice))
        return EXIT_BAD_INPUT;
    conform.next_progress = now() + PROGRESS_INTERVAL;
    conform.arena = arena_new();
    int status = run(&conform, argv, (size_t)nfiles);
    arena_free(conform.arena);
    return status;
}
