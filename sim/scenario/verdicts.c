/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/verdicts.h"

#include <stdlib.h>
#include <string.h>

#include "base/shown.h"
#include "base/xml.h"

static const char *const format_names[] = {"text", "tap", "junit", "json"};

bool verdicts_format_named(const char *name, enum verdicts_format *format)
{
    for (unsigned i = 0; i < sizeof format_names / sizeof *format_names; i++) {
        if (strcmp(name, format_names[i]) == 0) {
            *format = (enum verdicts_format)i;
            return true;
        }
    }
    return false;
}

/* What happens in a scenario, or what is wrong with its file. */
static const char *sentence(const struct outcome *outcome)
{
    const struct scenario *scenario = outcome->scenario;
    if (outcome->verdict == VERDICT_INVALID)
        return scenario->source.error;
    return scenario->description;
}

/* Text on one line, blanks and line ends becoming one blank; a terminal must not obey it. */
static void print_on_a_line(FILE *out, const char *text, const char *escaped)
{
    char stops[16];
    snprintf(stops, sizeof stops, " \t\r\n%s", escaped);
    while (*text) {
        const size_t blanks = strspn(text, " \t\r\n");
        const size_t length = strcspn(text, stops);
        if (blanks > 0)
            fputc(' ', out);
        else if (length == 0)
            fprintf(out, "\\%c", *text);
        else
            print_shown(out, text, length);
        text += blanks > 0 ? blanks : length > 0 ? length : 1;
    }
}

/* --- Text ------------------------------------------------------------------------------------ */

static void text_scenario(struct verdicts *verdicts, const struct outcome *outcome)
{
    static const struct {
        const char *word, *colour;
    } words[] = {{"ok  ", "\033[32m"}, {"FAIL", "\033[31m"}, {"BAD ", "\033[31m"}};
    const struct scenario *scenario = outcome->scenario;
    const char *colour = verdicts->colour ? words[outcome->verdict].colour : "";
    fprintf(verdicts->out, "%s%s%s  ", colour, words[outcome->verdict].word,
            verdicts->colour ? "\033[0m" : "");
    print_on_a_line(verdicts->out, scenario->name, "");
    fputs(": ", verdicts->out);
    if (outcome->verdict == VERDICT_INVALID)
        fputs("not played, for the reason on standard error", verdicts->out);
    else
        print_on_a_line(verdicts->out, scenario->description, "");
    fputc('\n', verdicts->out);
    if (verdicts->trace)
        verdicts_trace_text(verdicts->out, outcome, "");
    for (size_t i = 0; i < outcome->nfailures; i++) {
        const struct failure *failure = &outcome->failures[i];
        fprintf(verdicts->out, "      %s:%u: step %u (", scenario->source.name, failure->line,
                failure->step);
        print_shown(verdicts->out, failure->title, strlen(failure->title));
        fputs("): ", verdicts->out);
        print_shown(verdicts->out, failure->message, strlen(failure->message));
        fputc('\n', verdicts->out);
    }
}

static void text_end(struct verdicts *verdicts)
{
    const char *colour = verdicts->failed + verdicts->invalid > 0 ? "\033[31m" : "\033[32m";
    fprintf(verdicts->out, "%s%zu scenario%s: %zu passed, %zu failed",
            verdicts->colour ? colour : "", verdicts->scenarios,
            verdicts->scenarios == 1 ? "" : "s", verdicts->passed, verdicts->failed);
    if (verdicts->invalid > 0)
        fprintf(verdicts->out, ", %zu invalid", verdicts->invalid);
    fprintf(verdicts->out, "; %zu steps%s\n", verdicts->steps, verdicts->colour ? "\033[0m" : "");
}

/* --- TAP ------------------------------------------------------------------------------------- */

static void print_quoted(FILE *out, const char *text)
{
    json_write_text(out, text, strlen(text));
}

static void tap_failures(FILE *out, const struct outcome *outcome)
{
    fputs("  ---\n  file: ", out);
    print_quoted(out, outcome->scenario->source.name);
    fputs("\n  failures:\n", out);
    for (size_t i = 0; i < outcome->nfailures; i++) {
        const struct failure *failure = &outcome->failures[i];
        fprintf(out, "    - step: %u\n      line: %u\n      message: ", failure->step,
                failure->line);
        print_quoted(out, failure->message);
        fputc('\n', out);
    }
    fputs("  ...\n", out);
}

static void tap_scenario(struct verdicts *verdicts, const struct outcome *outcome)
{
    fprintf(verdicts->out, "%sok %zu - ", outcome->verdict == VERDICT_PASSED ? "" : "not ",
            verdicts->scenarios);
    print_on_a_line(verdicts->out, outcome->scenario->name, "#\\");
    fputs(": ", verdicts->out);
    print_on_a_line(verdicts->out, sentence(outcome), "#\\");
    fputc('\n', verdicts->out);
    if (outcome->nfailures > 0)
        tap_failures(verdicts->out, outcome);
    if (verdicts->trace)
        verdicts_trace_text(verdicts->out, outcome, "# ");
}

/* --- JUnit ----------------------------------------------------------------------------------- */

static void junit_failure(FILE *out, const struct outcome *outcome)
{
    bool invalid = outcome->verdict == VERDICT_INVALID;
    fprintf(out, "      <%s message=\"", invalid ? "error" : "failure");
    print_xml(out, invalid ? sentence(outcome) : outcome->failures[0].message);
    fputs("\">", out);
    for (size_t i = 0; i < outcome->nfailures; i++) {
        const struct failure *failure = &outcome->failures[i];
        print_xml(out, outcome->scenario->source.name);
        fprintf(out, ":%u: step %u (", failure->line, failure->step);
        print_xml(out, failure->title);
        fputs("): ", out);
        print_xml(out, failure->message);
        fputc('\n', out);
    }
    fprintf(out, "</%s>\n", invalid ? "error" : "failure");
}

static void junit_trace(FILE *out, const struct outcome *outcome)
{
    char *text = NULL;
    size_t length = 0;
    FILE *trace = open_memstream(&text, &length);
    if (!trace)
        return;
    verdicts_trace_text(trace, outcome, "");
    fclose(trace);
    fputs("      <system-out>", out);
    print_xml(out, text);
    fputs("</system-out>\n", out);
    free(text);
}

static void junit_scenario(struct verdicts *verdicts, const struct outcome *outcome)
{
    FILE *out = verdicts->cases;
    fputs("    <testcase classname=\"scenarios\" name=\"", out);
    print_xml(out, outcome->scenario->name);
    fputs("\" file=\"", out);
    print_xml(out, outcome->scenario->source.name);
    fputs("\">\n", out);
    if (outcome->verdict != VERDICT_PASSED)
        junit_failure(out, outcome);
    if (verdicts->trace && outcome->traces)
        junit_trace(out, outcome);
    fputs("    </testcase>\n", out);
}

static void junit_end(struct verdicts *verdicts)
{
    fclose(verdicts->cases);
    fprintf(verdicts->out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites tests=\"%zu\" failures=\"%zu\" errors=\"%zu\">\n"
            "  <testsuite name=\"scenarios\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\">\n",
            verdicts->scenarios, verdicts->failed, verdicts->invalid, verdicts->scenarios,
            verdicts->failed, verdicts->invalid);
    fputs(verdicts->cases_text ? verdicts->cases_text : "", verdicts->out);
    fputs("  </testsuite>\n</testsuites>\n", verdicts->out);
    free(verdicts->cases_text);
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void put_failures(struct json_out *json, const struct outcome *outcome)
{
    json_open_array(json, "failures");
    for (size_t i = 0; i < outcome->nfailures; i++) {
        const struct failure *failure = &outcome->failures[i];
        json_open_object(json, NULL);
        json_number(json, "step", failure->step);
        json_number(json, "line", failure->line);
        json_text(json, "title", failure->title);
        json_text(json, "message", failure->message);
        json_close_object(json);
    }
    json_close_array(json);
}

static void json_begin(struct verdicts *verdicts)
{
    json_out_begin_rows(&verdicts->json, verdicts->out, 2);
    json_open_object(&verdicts->json, NULL);
    json_open_array(&verdicts->json, "scenarios");
}

static void json_scenario(struct verdicts *verdicts, const struct outcome *outcome)
{
    static const char *const words[] = {"passed", "failed", "invalid"};
    const struct scenario *scenario = outcome->scenario;
    struct json_out *json = &verdicts->json;
    json_open_object(json, NULL);
    json_text(json, "name", scenario->name);
    json_text(json, "file", scenario->source.name);
    json_text(json, "description", scenario->description ? scenario->description : "");
    json_text(json, "verdict", words[outcome->verdict]);
    json_number(json, "steps", outcome->played);
    if (outcome->verdict == VERDICT_INVALID)
        json_text(json, "error", sentence(outcome));
    put_failures(json, outcome);
    if (verdicts->trace)
        verdicts_trace_json(json, outcome);
    json_close_object(json);
}

static void json_end(struct verdicts *verdicts)
{
    struct json_out *json = &verdicts->json;
    json_close_array(json);
    json_number(json, "passed", verdicts->passed);
    json_number(json, "failed", verdicts->failed);
    json_number(json, "invalid", verdicts->invalid);
    json_number(json, "steps", verdicts->steps);
    json_close_object(json);
    json_out_end(json);
}

/* --- All formats ----------------------------------------------------------------------------- */

bool verdicts_begin(struct verdicts *verdicts, size_t count)
{
    if (verdicts->format == VERDICTS_TAP)
        fprintf(verdicts->out, "TAP version 13\n1..%zu\n", count);
    if (verdicts->format == VERDICTS_JSON)
        json_begin(verdicts);
    if (verdicts->format != VERDICTS_JUNIT)
        return true;
    verdicts->cases = open_memstream(&verdicts->cases_text, &verdicts->cases_length);
    return verdicts->cases;
}

void verdicts_add(struct verdicts *verdicts, const struct outcome *outcome)
{
    verdicts->scenarios++;
    verdicts->passed += outcome->verdict == VERDICT_PASSED;
    verdicts->failed += outcome->verdict == VERDICT_FAILED;
    verdicts->invalid += outcome->verdict == VERDICT_INVALID;
    verdicts->steps += outcome->played;
    switch (verdicts->format) {
    case VERDICTS_TEXT: text_scenario(verdicts, outcome); break;
    case VERDICTS_TAP: tap_scenario(verdicts, outcome); break;
    case VERDICTS_JUNIT: junit_scenario(verdicts, outcome); break;
    case VERDICTS_JSON: json_scenario(verdicts, outcome); break;
    }
}

void verdicts_end(struct verdicts *verdicts)
{
    switch (verdicts->format) {
    case VERDICTS_TEXT: text_end(verdicts); break;
    case VERDICTS_TAP: break;
    case VERDICTS_JUNIT: junit_end(verdicts); break;
    case VERDICTS_JSON: json_end(verdicts); break;
    }
}
