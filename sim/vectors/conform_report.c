/* SPDX-License-Identifier: GPL-2.0-only */
#include "vectors/conform.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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

static void json_text(const char *text)
{
    const struct node node = {.kind = NODE_STRING, .text = text, .length = strlen(text)};
    node_print_json(&node, stdout);
}

static void json_member(const char *name, const char *text)
{
    printf("\"%s\":", name);
    json_text(text);
}

static void json_tally(const struct tally *tally)
{
    printf("\"passed\":%u,\"failed\":%u,\"skipped\":%u,\"without_form\":%u", tally->passed,
           tally->failed, tally->skipped, tally->formless);
}

static void json_failure(const struct failure *failure)
{
    fputs("{", stdout);
    json_member("id", failure->id);
    fputs(",", stdout);
    json_member("file", failure->file);
    printf(",\"line\":%u,\"step\":%ld,", failure->line, failure->step);
    if (failure->call) {
        json_member("call", failure->call);
        fputs(",", stdout);
    }
    json_member("reason", failure->reason);
    fputs(",\"differences\":[", stdout);
    for (const struct difference *d = failure->differences; d; d = d->next) {
        fputs("{", stdout);
        json_member("path", d->path);
        fputs(",", stdout);
        json_member("expected", d->expected);
        fputs(",", stdout);
        json_member("got", d->got);
        fputs(d->next ? "}," : "}", stdout);
    }
    printf("],\"omitted\":%u}", failure->omitted);
}

static void json_functions(const struct results *results)
{
    const char *comma = "";
    for (unsigned i = 0; i < results->nfunctions; i++) {
        const struct tally *tally = &results->functions[i];
        if (tally->passed + tally->failed == 0)
            continue;
        printf("%s{", comma);
        json_member("layer", fh_function_at(i)->layer);
        fputs(",", stdout);
        json_member("name", fh_function_at(i)->name);
        printf(",\"passed\":%u,\"failed\":%u}", tally->passed, tally->failed);
        comma = ",";
    }
}

static void json_gaps(const struct gap *gap)
{
    for (; gap; gap = gap->next) {
        fputs("{", stdout);
        json_member("name", gap->name);
        printf(",\"cases\":%u}%s", gap->cases, gap->next ? "," : "");
    }
}

void report_json(const struct results *results, const struct file_tally *files, size_t nfiles)
{
    fputs("{", stdout);
    json_tally(&results->total);
    fputs(",\"files\":[", stdout);
    for (size_t i = 0; i < nfiles; i++) {
        fputs(i > 0 ? ",{" : "{", stdout);
        json_member("file", files[i].file);
        fputs(",", stdout);
        json_tally(&files[i].tally);
        printf(",\"bad_input\":%s}", files[i].is_cut ? "true" : "false");
    }
    fputs("],\"functions\":[", stdout);
    json_functions(results);
    fputs("],\"not_written\":[", stdout);
    json_gaps(results->gaps);
    fputs("],\"without_form\":[", stdout);
    json_gaps(results->formless);
    fputs("],\"failures\":[", stdout);
    for (const struct failure *failure = results->failures; failure; failure = failure->next) {
        json_failure(failure);
        fputs(failure->next ? "," : "", stdout);
    }
    puts("]}");
}
