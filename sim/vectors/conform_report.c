/* SPDX-License-Identifier: GPL-2.0-only */
#include "vectors/conform.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"

enum { FAILURES_SHOWN = 20 };

struct results *results_new(void)
{
    struct results *results = calloc(1, sizeof *results);
    if (!results)
        return NULL;
    while (fh_function_at((unsigned)results->nfunctions))
        results->nfunctions++;
    results->functions = calloc(results->nfunctions + 1, sizeof *results->functions);
    results->arena = arena_new();
    results->last_failure = &results->failures;
    if (results->functions)
        return results;
    results_free(results);
    return NULL;
}

void results_free(struct results *results)
{
    if (!results)
        return;
    arena_free(results->arena);
    free(results->functions);
    free(results);
}

static void note(struct results *results, struct gap **place, const char *name, size_t length)
{
    for (; *place; place = &(*place)->next) {
        if (strncmp((*place)->name, name, length) == 0 && !(*place)->name[length]) {
            (*place)->cases++;
            return;
        }
    }
    *place = arena_alloc(results->arena, sizeof **place);
    (*place)->name = arena_strdup(results->arena, name, length);
    (*place)->cases = 1;
}

void results_note_gap(struct results *results, const char *name)
{
    static const char suffix[] = "_spec";
    size_t length = strlen(name);
    if (length > sizeof suffix && strcmp(name + length - (sizeof suffix - 1), suffix) == 0)
        length -= sizeof suffix - 1;
    note(results, &results->gaps, name, length);
}

void results_note_formless(struct results *results, const char *why)
{
    note(results, &results->formless, why, strlen(why));
}

/* --- For people ------------------------------------------------------------------------------- */

struct style {
    const char *bad;
    const char *good;
    const char *dim;
    const char *end;
};

static struct style style_of(FILE *out)
{
    if (may_colour(out))
        return (struct style){"\033[31m", "\033[32m", "\033[2m", "\033[0m"};
    return (struct style){"", "", "", ""};
}

static void print_tally(const char *name, int width, const struct tally *tally, bool is_cut,
                        const struct style *style)
{
    unsigned total = tally->passed + tally->failed + tally->skipped + tally->formless;
    printf("  %-*s %s%6u/%u%s", width, name, tally->failed ? style->bad : "", tally->passed, total,
           tally->failed ? style->end : "");
    if (tally->failed)
        printf("  %s%u failed%s", style->bad, tally->failed, style->end);
    if (tally->skipped)
        printf("  %s%u skipped%s", style->dim, tally->skipped, style->end);
    if (tally->formless)
        printf("  %s%u without this form%s", style->dim, tally->formless, style->end);
    if (is_cut)
        printf("  %sbad input%s", style->bad, style->end);
    putchar('\n');
}

static int longest_name(const struct results *results, const struct file_tally *files,
                        size_t nfiles)
{
    size_t longest = 24;
    for (size_t i = 0; i < nfiles; i++) {
        if (strlen(files[i].file) > longest)
            longest = strlen(files[i].file);
    }
    for (unsigned i = 0; i < results->nfunctions; i++) {
        if (strlen(fh_function_at(i)->name) > longest)
            longest = strlen(fh_function_at(i)->name);
    }
    for (const struct gap *gap = results->gaps; gap; gap = gap->next) {
        if (strlen(gap->name) > longest)
            longest = strlen(gap->name);
    }
    return longest < 60 ? (int)longest : 60;
}

static void print_tables(const struct results *results, const struct file_tally *files,
                         size_t nfiles, const struct style *style)
{
    int width = longest_name(results, files, nfiles);
    puts("files (cases passed)");
    for (size_t i = 0; i < nfiles; i++)
        print_tally(files[i].file, width, &files[i].tally, files[i].is_cut, style);
    const char *layer = "";
    for (unsigned i = 0; i < results->nfunctions; i++) {
        const struct tally *tally = &results->functions[i];
        const struct fh_function *function = fh_function_at(i);
        if (tally->passed + tally->failed == 0)
            continue;
        if (strcmp(layer, function->layer) != 0)
            printf("%s (cases that call the function)\n", layer = function->layer);
        print_tally(function->name, width, tally, false, style);
    }
    if (results->gaps)
        puts("not written yet (cases that end there)");
    for (const struct gap *gap = results->gaps; gap; gap = gap->next)
        printf("  %s%-*s %6u%s\n", style->dim, width, gap->name, gap->cases, style->end);
}

/* Also under --quiet: what was not compared is part of the result. */
static void print_formless(const struct results *results)
{
    if (results->formless)
        printf("%u without this form, because of\n", results->total.formless);
    for (const struct gap *gap = results->formless; gap; gap = gap->next)
        printf("  %6u  %s\n", gap->cases, gap->name);
}

static void print_failure(const struct failure *failure, const struct style *style)
{
    printf("\n%sFAILED%s %s (%s:%u)\n", style->bad, style->end, failure->id, failure->file,
           failure->line);
    if (failure->call)
        printf("  step %ld: %s\n", failure->step, failure->call);
    printf("  %s\n", failure->reason);
    for (const struct difference *d = failure->differences; d; d = d->next)
        printf("    %s\n      expected %s%s%s\n      got      %s%s%s\n", d->path, style->good,
               d->expected, style->end, style->bad, d->got, style->end);
    if (failure->omitted)
        printf("    ... and %u more places\n", failure->omitted);
    if (strcmp(failure->file, "<stdin>") != 0)
        printf("  again: fhsim conform %s --only %s\n", failure->file, failure->id);
}

static void print_total(const struct tally *total)
{
    printf("%u passed, %u failed", total->passed, total->failed);
    if (total->skipped)
        printf(", %u skipped", total->skipped);
    if (total->formless)
        printf(", %u without this form", total->formless);
    putchar('\n');
}

void report_text(const struct results *results, const struct file_tally *files, size_t nfiles,
                 bool quiet, bool show_all)
{
    const struct style style = style_of(stdout);
    if (!quiet)
        print_tables(results, files, nfiles, &style);
    unsigned shown = 0;
    for (const struct failure *f = results->failures; f; f = f->next, shown++) {
        if (shown < FAILURES_SHOWN || show_all)
            print_failure(f, &style);
    }
    if (shown > FAILURES_SHOWN && !show_all)
        printf("\n... and %u more failures (--all shows them)\n", shown - FAILURES_SHOWN);
    if (!quiet || shown > 0)
        putchar('\n');
    print_formless(results);
    print_total(&results->total);
}

/* --- For programs ----------------------------------------------------------------------------- */

static void put_tally(struct json_out *json, const struct tally *tally)
{
    json_number(json, "passed", tally->passed);
    json_number(json, "failed", tally->failed);
    json_number(json, "skipped", tally->skipped);
    json_number(json, "without_form", tally->formless);
}

static void put_files(struct json_out *json, const struct file_tally *files, size_t nfiles)
{
    json_open_array(json, "files");
    for (size_t i = 0; i < nfiles; i++) {
        json_open_object(json, NULL);
        json_text(json, "file", files[i].file);
        put_tally(json, &files[i].tally);
        json_bool(json, "bad_input", files[i].is_cut);
        json_close_object(json);
    }
    json_close_array(json);
}

static void put_functions(struct json_out *json, const struct results *results)
{
    json_open_array(json, "functions");
    for (unsigned i = 0; i < results->nfunctions; i++) {
        const struct tally *tally = &results->functions[i];
        if (tally->passed + tally->failed == 0)
            continue;
        json_open_object(json, NULL);
        json_text(json, "layer", fh_function_at(i)->layer);
        json_text(json, "name", fh_function_at(i)->name);
        json_number(json, "passed", tally->passed);
        json_number(json, "failed", tally->failed);
        json_close_object(json);
    }
    json_close_array(json);
}

static void put_gaps(struct json_out *json, const char *key, const struct gap *gap)
{
    json_open_array(json, key);
    for (; gap; gap = gap->next) {
        json_open_object(json, NULL);
        json_text(json, "name", gap->name);
        json_number(json, "cases", gap->cases);
        json_close_object(json);
    }
    json_close_array(json);
}

static void put_failure(struct json_out *json, const struct failure *failure)
{
    json_open_object(json, NULL);
    json_text(json, "id", failure->id);
    json_text(json, "file", failure->file);
    json_number(json, "line", failure->line);
    json_signed(json, "step", failure->step);
    if (failure->call)
        json_text(json, "call", failure->call);
    json_text(json, "reason", failure->reason);
    json_open_array(json, "differences");
    for (const struct difference *d = failure->differences; d; d = d->next) {
        json_open_object(json, NULL);
        json_text(json, "path", d->path);
        json_text(json, "expected", d->expected);
        json_text(json, "got", d->got);
        json_close_object(json);
    }
    json_close_array(json);
    json_number(json, "omitted", failure->omitted);
    json_close_object(json);
}

void report_json(const struct results *results, const struct file_tally *files, size_t nfiles)
{
    struct json_out json;
    json_out_begin_rows(&json, stdout, 2);
    json_open_object(&json, NULL);
    put_tally(&json, &results->total);
    put_files(&json, files, nfiles);
    put_functions(&json, results);
    put_gaps(&json, "not_written", results->gaps);
    put_gaps(&json, "without_form", results->formless);
    json_open_array(&json, "failures");
    for (const struct failure *failure = results->failures; failure; failure = failure->next)
        put_failure(&json, failure);
    json_close_array(&json);
    json_close_object(&json);
    json_out_end(&json);
}
