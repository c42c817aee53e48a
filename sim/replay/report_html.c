/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/report_visit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * The page of sim/report/replay.html with the replay's data in it, as JSON. What there is much of,
 * traps and changes of ownership, is a sequence of variable-length numbers (LEB128, signed ones in
 * zigzag), in base64. Readers: `decode` in the page.
 *
 * A trap: seq and g0 as signed differences to those of the trap before, length in events, CPU,
 * row + ROWS * outcome, principal; if it was explained or has diverged then the number of
 * different deviations in it and their places in the catalogue.
 * A change: the number of traps since the last change, the page as a signed difference, the owner.
 */

/* Records are shown in full for so many traps of a trace, and are names alone in the others. */
enum { RECORDS_PER_DEVIATION = 40, RECORDS_UNEXPLAINED = 2000 };

extern const char report_page[]; /* made from sim/report/replay.html */

static const char data_mark[] = "@DATA@";

/* Bytes or text being made. */
struct text {
    FILE *out;
    char *start;
    size_t length;
};

struct html {
    FILE *out;
    const char *rest; /* of the page, behind the data */
    bool in_trace;
    struct text traps, changes, records;
    size_t nrecords;
    size_t recorded[DEVIATIONS_MAX + 1];
    uint64_t ntraps, seq, g0, changed_at, page;
};

static void out_of_memory(void)
{
    diag_plain("out of memory");
    exit(EXIT_BAD_INPUT);
}

static void text_begin(struct text *text)
{
    text->out = open_memstream(&text->start, &text->length);
    if (!text->out)
        out_of_memory();
}

static void text_end(struct text *text)
{
    if (fclose(text->out) != 0)
        out_of_memory();
}

/* --- Encoding -------------------------------------------------------------------------------- */

static void put_number(struct text *text, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        fputc((int)(number & 0x7f) | 0x80, text->out);
    fputc((int)number, text->out);
}

static void put_difference(struct text *text, uint64_t now, uint64_t before)
{
    if (now >= before)
        put_number(text, (now - before) << 1);
    else
        put_number(text, ((before - now) << 1) - 1);
}

static void print_base64(FILE *out, const struct text *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = (const unsigned char *)text->start;
    for (size_t i = 0; i < text->length; i += 3) {
        size_t left = text->length - i;
        unsigned word = (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
                        (left > 2 ? bytes[i + 2] : 0u);
        fputc(digits[word >> 18], out);
        fputc(digits[word >> 12 & 63], out);
        fputc(left > 1 ? digits[word >> 6 & 63] : '=', out);
        fputc(left > 2 ? digits[word & 63] : '=', out);
    }
}

/* JSON inside a page: '<' stands only in texts, and there it could end the script. */
static void print_harmless(FILE *out, const char *json, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (json[i] == '<')
            fputs("\\u003c", out);
        else
            fputc(json[i], out);
    }
}

static void print_member(FILE *out, const char *key, const char *value)
{
    struct text text;
    const struct node node = {.kind = NODE_STRING, .text = value, .length = strlen(value)};
    text_begin(&text);
    node_print_json(&node, text.out);
    text_end(&text);
    fprintf(out, "\"%s\":", key);
    print_harmless(out, text.start, text.length);
    free(text.start);
}

/* --- A trace --------------------------------------------------------------------------------- */

static void print_runs(FILE *out, const struct trap_visit *visit)
{
    struct text text;
    const struct owners *owners = visit->owners;
    text_begin(&text);
    for (size_t page = 0; page < owners->npages;) {
        size_t end = page;
        while (end < owners->npages && owners->pages[end] == owners->pages[page])
            end++;
        put_number(&text, end - page);
        put_number(&text, owners->pages[page]);
        page = end;
    }
    text_end(&text);
    fputs(",\"runs\":\"", out);
    print_base64(out, &text);
    fprintf(out, "\",\"pages\":%zu", owners->npages);
    free(text.start);
}

static uint64_t memory_start(const struct trace_line *boot)
{
    for (size_t i = 0; i < boot->nfx; i++) {
        if (boot->fx[i].kind == TRACE_boot_val &&
            strcmp(boot->fx[i].boot_val.name, "phys_mem_start") == 0)
            return boot->fx[i].boot_val.val;
    }
    return 0;
}

static void end_trace(struct html *html)
{
    if (!html->in_trace)
        return;
    html->in_trace = false;
    text_end(&html->traps);
    text_end(&html->changes);
    text_end(&html->records);
    fprintf(html->out, ",\"count\":%" PRIu64 ",\"traps\":\"", html->ntraps);
    print_base64(html->out, &html->traps);
    fputs("\",\"changes\":\"", html->out);
    print_base64(html->out, &html->changes);
    fputs("\",\"records\":[", html->out);
    print_harmless(html->out, html->records.start, html->records.length);
    fputs("]}", html->out);
    free(html->traps.start);
    free(html->changes.start);
    free(html->records.start);
}

static void begin_trace(struct html *html, const struct trap_visit *visit)
{
    end_trace(html);
    FILE *out = html->out;
    *html = (struct html){.out = out, .rest = html->rest, .in_trace = true};
    text_begin(&html->traps);
    text_begin(&html->changes);
    text_begin(&html->records);
    fputs(visit->file > 0 ? ",\n{" : "\n{", out);
    print_member(out, "name", visit->trap->file);
    fprintf(out, ",\"start\":\"0x%" PRIx64 "\"", memory_start(visit->trap->line));
    print_runs(out, visit);
}

/* --- A trap ---------------------------------------------------------------------------------- */

static bool is_marked(const struct replay_trap *trap)
{
    return trap->outcome == OUTCOME_EXPLAINED || trap->outcome == OUTCOME_DIVERGED;
}

/* The deviations in a trap, each once; their number. */
static size_t deviations_in(const struct differences *found, unsigned list[DIFFERENCES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < differences_listed(found); i++) {
        const struct deviation *deviation = found->list[i].deviation;
        unsigned index = deviation ? deviation_index(deviation) : 0;
        size_t j = 0;
        while (deviation && j < count && list[j] != index)
            j++;
        if (deviation && j == count)
            list[count++] = index;
    }
    return count;
}

static void put_trap(struct html *html, const struct trap_visit *visit)
{
    const struct trace_line *line = visit->trap->line;
    unsigned list[DIFFERENCES_MAX];
    put_difference(&html->traps, line->seq, html->seq);
    put_difference(&html->traps, line->g0, html->g0);
    put_number(&html->traps, visit->end - line->g0);
    put_number(&html->traps, line->cpu);
    put_number(&html->traps, visit->trap->row + (unsigned)ROWS * visit->trap->outcome);
    put_number(&html->traps, visit->principal);
    if (is_marked(visit->trap)) {
        size_t count = deviations_in(visit->trap->found, list);
        put_number(&html->traps, count);
        for (size_t i = 0; i < count; i++)
            put_number(&html->traps, list[i]);
    }
    html->seq = line->seq;
    html->g0 = line->g0;
}

static void put_changes(struct html *html, const struct trap_visit *visit)
{
    for (size_t i = 0; i < visit->nchanges; i++) {
        const struct owner_change *change = &visit->changes[i];
        put_number(&html->changes, visit->number - html->changed_at);
        put_difference(&html->changes, change->page, html->page);
        put_number(&html->changes, change->owner);
        html->changed_at = visit->number;
        html->page = change->page;
    }
}

/* Is the trap among the first of something that it shows? */
static bool is_worth_a_record(struct html *html, const struct replay_trap *trap)
{
    unsigned list[DIFFERENCES_MAX];
    size_t count = deviations_in(trap->found, list);
    bool is_worth =
        trap->outcome == OUTCOME_DIVERGED && html->recorded[DEVIATIONS_MAX]++ < RECORDS_UNEXPLAINED;
    for (size_t i = 0; i < count; i++)
        is_worth = html->recorded[list[i]]++ < RECORDS_PER_DEVIATION || is_worth;
    return is_worth;
}

static void put_record(struct html *html, const struct trap_visit *visit)
{
    if (!is_marked(visit->trap) || !is_worth_a_record(html, visit->trap))
        return;
    fprintf(html->records.out, "%s\n{\"i\":%" PRIu64 ",\"title\":", html->nrecords++ > 0 ? "," : "",
            visit->number);
    const char *title = trap_title(visit->trap);
    const struct node node = {.kind = NODE_STRING, .text = title, .length = strlen(title)};
    node_print_json(&node, html->records.out);
    fputs(",\"record\":", html->records.out);
    replay_trap_json(visit->trap, html->records.out);
    fputc('}', html->records.out);
}

void html_trap(struct html *html, const struct trap_visit *visit)
{
    if (visit->number == 0)
        begin_trace(html, visit);
    put_trap(html, visit);
    put_changes(html, visit);
    put_record(html, visit);
    html->ntraps++;
}

/* --- The page -------------------------------------------------------------------------------- */

struct html *html_new(FILE *out)
{
    struct html *html = calloc(1, sizeof *html);
    if (!html)
        out_of_memory();
    const char *data = strstr(report_page, data_mark);
    html->out = out;
    html->rest = data + strlen(data_mark);
    fwrite(report_page, 1, (size_t)(data - report_page), out);
    fputs("{\"traces\":[", out);
    return html;
}

static void print_catalogue(FILE *out, const struct replay_report *report)
{
    for (unsigned i = 0; deviation_at(i); i++) {
        const struct deviation *deviation = deviation_at(i);
        const struct deviation_count *count = &report->deviations[i];
        fputs(i > 0 ? ",\n{" : "\n{", out);
        print_member(out, "id", deviation->id);
        fputc(',', out);
        print_member(out, "title", deviation->title);
        fputc(',', out);
        print_member(out, "consequence", deviation->consequence);
        fputc(',', out);
        print_member(out, "spec", deviation->spec);
        fputc(',', out);
        print_member(out, "machine", deviation->machine);
        fprintf(out, ",\"traps\":%" PRIu64 ",\"differences\":%" PRIu64 ",", count->traps,
                count->differences);
        print_member(out, "first", count->first);
        fputc('}', out);
    }
}

/* A list of counts for each row, in the order of outcomes. */
static void print_counts(FILE *out, const struct replay_report *report)
{
    for (unsigned row = 0; row < ROWS; row++) {
        fprintf(out, "%s{", row > 0 ? "," : "");
        print_member(out, "name", replay_row_name(row));
        fputs(",\"counts\":[", out);
        for (unsigned i = 0; i < OUTCOMES; i++)
            fprintf(out, "%s%" PRIu64, i > 0 ? "," : "", report->counts[row][i]);
        fputs("]}", out);
    }
}

void html_end(struct html *html, const struct replay_report *report)
{
    end_trace(html);
    fputs("],\n\"catalogue\":[", html->out);
    print_catalogue(html->out, report);
    fputs("],\n\"rows\":[", html->out);
    print_counts(html->out, report);
    fputs("],\n\"outcomes\":[", html->out);
    for (unsigned i = 0; i < OUTCOMES; i++)
        fprintf(html->out, "%s\"%s\"", i > 0 ? "," : "", outcome_name((enum outcome)i));
    fprintf(html->out, "],\n\"bad_input\":%s}", report->bad_input ? "true" : "false");
    fputs(html->rest, html->out);
    free(html);
}
