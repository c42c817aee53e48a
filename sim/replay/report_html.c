/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/reports.h"

#include <stdlib.h>
#include <string.h>

#include "base/text_stream.h"
#include "replay/report_record.h"
#include "replay/report_words.h"

/*
 * The page of report.html with the replay's data in it, as JSON. What there is much of,
 * traps and changes of ownership, is a sequence of variable-length numbers (LEB128, signed ones in
 * zigzag), in base64. Readers: `decode` in the page.
 *
 * A trap: seq and g0 as signed differences to those of the trap before, length in events, CPU,
 * row + ROWS * outcome, its place in `titles`, principal + DENIED if an access was denied + BROKEN
 * if invariants were broken + FAULT if it is a stage-2 fault. If it was explained or has diverged
 * then the number of different deviations in it and their places in the catalogue. If an access was
 * denied then how + DENIED_HOWS if it is a retry, whose page it was, and the page as a signed
 * difference to that of the last denied access. If invariants were broken their number and their
 * places in the table. Of a fault the page of the IPA, as a signed difference to the last one's.
 * A change: the number of traps since the last change, the page as a signed difference, the owner,
 * the number of its event as a signed difference to that of the last change.
 */

/* Records are shown in full for so many traps of a trace, and are names alone in the others. */
enum {
    RECORDS_PER_DEVIATION = 40,
    RECORDS_UNEXPLAINED = 2000,
    RECORDS_BROKEN = 500,
    RECORDS_DENIED = 500
};

/* Of an unexplained trap so many effects are shown. */
enum { EFFECTS_MAX = 200 };

enum { DENIED = 128, BROKEN = 256, FAULT = 512 };

/* Traps have few titles; those beyond have that of their kind. */
enum { TITLES_MAX = 256, PAGE_SHIFT = 12 };

extern const char report_page[]; /* made from report.html */

static const char data_mark[] = "@DATA@";

struct titles {
    char *list[TITLES_MAX];
    unsigned count;
};

struct html {
    const struct replay_report *report;
    struct titles *titles;
    struct json_out json; /* the data */
    const char *rest;     /* of the page, behind the data */
    bool in_trace;
    struct text_stream traps, changes, records;
    struct json_out record; /* in `records` */
    size_t recorded[CATALOGUE_MAX + 1];
    size_t nbroken, ndenied;
    uint64_t ntraps, seq, g0, changed_at, change_g, page, denied_page, fault_page;
};

/* --- Encoding -------------------------------------------------------------------------------- */

static void put_number(struct text_stream *text, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        fputc((int)(number & 0x7f) | 0x80, text->out);
    fputc((int)number, text->out);
}

static void put_difference(struct text_stream *text, uint64_t now, uint64_t before)
{
    if (now >= before)
        put_number(text, (now - before) << 1);
    else
        put_number(text, ((before - now) << 1) - 1);
}

/* --- A trace --------------------------------------------------------------------------------- */

static void put_runs(struct json_out *json, const struct trap_visit *visit)
{
    struct text_stream text;
    const struct owners *owners = visit->owners;
    text_stream_begin(&text);
    for (size_t page = 0; page < owners->npages;) {
        size_t end = page;
        while (end < owners->npages && owners->pages[end] == owners->pages[page])
            end++;
        put_number(&text, end - page);
        put_number(&text, owners->pages[page]);
        page = end;
    }
    text_stream_end(&text);
    json_base64(json, "runs", text.text, text.length);
    json_number(json, "pages", owners->npages);
    text_stream_free(&text);
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
    json_close_array(&html->record);
    text_stream_end(&html->traps);
    text_stream_end(&html->changes);
    text_stream_end(&html->records);
    json_number(&html->json, "count", html->ntraps);
    json_base64(&html->json, "traps", html->traps.text, html->traps.length);
    json_base64(&html->json, "changes", html->changes.text, html->changes.length);
    json_insert(&html->json, "records", html->records.text, html->records.length);
    json_close_object(&html->json);
    text_stream_free(&html->traps);
    text_stream_free(&html->changes);
    text_stream_free(&html->records);
}

static void begin_trace(struct html *html, const struct trap_visit *visit)
{
    end_trace(html);
    *html = (struct html){.report = html->report,
                          .titles = html->titles,
                          .json = html->json,
                          .rest = html->rest,
                          .in_trace = true};
    text_stream_begin(&html->traps);
    text_stream_begin(&html->changes);
    text_stream_begin(&html->records);
    json_out_begin_rows(&html->record, html->records.out, 1);
    html->record.is_in_page = true;
    json_open_array(&html->record, NULL);
    json_open_object(&html->json, NULL);
    json_text(&html->json, "name", visit->trap->file);
    json_hex(&html->json, "start", memory_start(visit->trap->line));
    put_runs(&html->json, visit);
}

/* --- A trap ---------------------------------------------------------------------------------- */

static bool is_marked(const struct replay_trap *trap)
{
    return trap->verdict->outcome == OUTCOME_EXPLAINED ||
           trap->verdict->outcome == OUTCOME_DIVERGED;
}

static void put_denied(struct html *html, const struct denied_access *denied)
{
    put_number(&html->traps, (uint64_t)denied->how + (denied->is_retry ? DENIED_HOWS : 0));
    put_number(&html->traps, denied->owner);
    put_difference(&html->traps, denied->pfn, html->denied_page);
    html->denied_page = denied->pfn;
}

static void put_broken(struct html *html, uint32_t broken)
{
    unsigned list[FH_INVARIANTS];
    unsigned count = 0;
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (broken >> i & 1)
            list[count++] = i;
    }
    put_number(&html->traps, count);
    for (unsigned i = 0; i < count; i++)
        put_number(&html->traps, list[i]);
}

/* The place of a title; that of the kind, of which there are few, if there is no room. */
static unsigned title_place(struct titles *titles, const char *title, const char *kind)
{
    unsigned i = 0;
    while (i < titles->count && strcmp(titles->list[i], title) != 0)
        i++;
    if (i < titles->count)
        return i;
    if (i + TRACE_KINDS >= TITLES_MAX && title != kind)
        return title_place(titles, kind, kind);
    titles->list[titles->count] = strdup(title);
    if (!titles->list[titles->count])
        no_memory();
    return titles->count++;
}

static void put_fault(struct html *html, uint64_t ipa)
{
    put_difference(&html->traps, ipa >> PAGE_SHIFT, html->fault_page);
    html->fault_page = ipa >> PAGE_SHIFT;
}

static void put_trap(struct html *html, const struct trap_visit *visit)
{
    uint64_t ipa;
    const bool is_fault = trap_fault(visit->trap->line, &ipa);
    const struct trace_line *line = visit->trap->line;
    unsigned list[CATALOGUE_MAX];
    put_difference(&html->traps, line->seq, html->seq);
    put_difference(&html->traps, line->g0, html->g0);
    put_number(&html->traps, visit->end - line->g0);
    put_number(&html->traps, line->cpu);
    put_number(&html->traps, visit->trap->row + (unsigned)ROWS * visit->trap->verdict->outcome);
    put_number(&html->traps,
               title_place(html->titles, trap_title(visit->trap), trace_kind_name(line->kind)));
    put_number(&html->traps, visit->principal + (visit->denied ? DENIED : 0u) +
                                 (visit->trap->broken ? BROKEN : 0u) + (is_fault ? FAULT : 0u));
    if (is_marked(visit->trap)) {
        size_t count = deviations_in(visit->trap, list);
        put_number(&html->traps, count);
        for (size_t i = 0; i < count; i++)
            put_number(&html->traps, list[i]);
    }
    if (visit->denied)
        put_denied(html, visit->denied);
    if (visit->trap->broken)
        put_broken(html, visit->trap->broken);
    if (is_fault)
        put_fault(html, ipa);
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
        put_difference(&html->changes, change->g, html->change_g);
        html->change_g = change->g;
        html->changed_at = visit->number;
        html->page = change->page;
    }
}

/* Is the trap among the first of something that it shows? */
static bool is_worth_a_record(struct html *html, const struct trap_visit *visit)
{
    const struct replay_trap *trap = visit->trap;
    unsigned list[CATALOGUE_MAX];
    size_t count = deviations_in(trap, list);
    bool is_worth = trap->verdict->outcome == OUTCOME_DIVERGED &&
                    html->recorded[CATALOGUE_MAX]++ < RECORDS_UNEXPLAINED;
    for (size_t i = 0; i < count; i++)
        is_worth = html->recorded[list[i]]++ < RECORDS_PER_DEVIATION || is_worth;
    if (visit->denied && !visit->denied->is_retry)
        is_worth = html->ndenied++ < RECORDS_DENIED || is_worth;
    if (trap->broken)
        is_worth = html->nbroken++ < RECORDS_BROKEN || is_worth;
    return is_worth;
}

/* What an unexplained trap did, effect by effect, from its beginning. */
static void put_effects(struct json_out *json, const struct replay_trap *trap)
{
    const struct trace_line *line = trap->line;
    json_number(json, "neffects", line->nfx);
    json_open_array(json, "effects");
    for (size_t i = 0; i < line->nfx && i < EFFECTS_MAX; i++) {
        char account[256];
        struct text_stream text;
        FILE *out = text_stream_begin(&text);
        trace_print_effect(&line->fx[i], out);
        if (effect_account(trap, &line->fx[i], account, sizeof account))
            fprintf(out, " = %s", account);
        text_stream_end(&text);
        json_open_object(json, NULL);
        json_text(json, "text", text.text);
        json_bool(json, "differs", trap_differs(trap->verdict, &line->fx[i]));
        json_close_object(json);
        text_stream_free(&text);
    }
    json_close_array(json);
}

static void put_record(struct html *html, const struct trap_visit *visit)
{
    if ((!is_marked(visit->trap) && !visit->trap->broken) || !is_worth_a_record(html, visit))
        return;
    json_open_object(&html->record, NULL);
    json_number(&html->record, "i", visit->number);
    replay_trap_json(&html->record, "record", visit->trap);
    if (visit->trap->verdict->outcome == OUTCOME_DIVERGED)
        put_effects(&html->record, visit->trap);
    json_close_object(&html->record);
}

static void take(void *form, const struct trap_visit *visit)
{
    struct html *html = form;
    if (visit->number == 0)
        begin_trace(html, visit);
    put_trap(html, visit);
    put_changes(html, visit);
    put_record(html, visit);
    html->ntraps++;
}

/* --- The page -------------------------------------------------------------------------------- */

static void *begin(const struct replay_report *report, FILE *out)
{
    struct html *html = calloc(1, sizeof *html);
    if (!html)
        no_memory();
    const char *data = strstr(report_page, data_mark);
    html->report = report;
    html->titles = calloc(1, sizeof *html->titles);
    if (!html->titles)
        no_memory();
    html->rest = data + strlen(data_mark);
    fwrite(report_page, 1, (size_t)(data - report_page), out);
    json_out_begin_rows(&html->json, out, 2);
    html->json.is_in_page = true;
    json_open_object(&html->json, NULL);
    json_open_array(&html->json, "traces");
    return html;
}

static void put_catalogue(struct json_out *json, const struct replay_report *report)
{
    json_open_array(json, "catalogue");
    for (unsigned i = 0; catalogue_at(report->machine, i); i++) {
        const struct machine_entry *deviation = catalogue_at(report->machine, i);
        json_open_object(json, NULL);
        json_text(json, "id", deviation->id);
        json_text(json, "title", deviation->title);
        json_text(json, "consequence", machine_harm_name(deviation->harm));
        if (deviation->follows)
            json_text(json, "follows", deviation->follows);
        json_text(json, "spec", deviation->spec);
        json_text(json, "machine", deviation->machine);
        json_close_object(json);
    }
    json_close_array(json);
}

static void put_invariants(struct json_out *json)
{
    json_open_array(json, "table");
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        json_open_object(json, NULL);
        json_text(json, "name", fh_invariant_at(i)->name);
        json_text(json, "statement", fh_invariant_at(i)->statement);
        json_close_object(json);
    }
    json_close_array(json);
}

static void put_names(struct json_out *json, const char *key, unsigned count,
                      const char *(*name)(unsigned))
{
    json_open_array(json, key);
    for (unsigned i = 0; i < count; i++)
        json_text(json, NULL, name(i));
    json_close_array(json);
}

static const char *name_of_outcome(unsigned outcome)
{
    return outcome_name((enum trap_outcome)outcome);
}

static const char *name_of_how(unsigned how)
{
    return denied_how_name((enum denied_how)how);
}

static void print_end(struct html *html, const struct replay_report *report)
{
    struct json_out *json = &html->json;
    json_close_array(json);
    put_catalogue(json, report);
    put_invariants(json);
    put_names(json, "rows", ROWS, replay_row_name);
    put_names(json, "outcomes", OUTCOMES, name_of_outcome);
    put_names(json, "hows", DENIED_HOWS, name_of_how);
    json_open_array(json, "titles");
    for (unsigned i = 0; i < html->titles->count; i++)
        json_text(json, NULL, html->titles->list[i]);
    json_close_array(json);
    json_open_object(json, "summary"); /* what --json says, but for the divergences */
    json_summary(json, report, NULL);
    json_close_object(json);
    json_close_object(json);
    json_out_end(json);
    fputs(html->rest, json->file);
}

static void end(void *form, const struct replay_report *report)
{
    struct html *html = form;
    end_trace(html);
    if (report)
        print_end(html, report);
    for (unsigned i = 0; i < html->titles->count; i++)
        free(html->titles->list[i]);
    free(html->titles);
    free(html);
}

static bool wants(const void *form, enum trap_outcome outcome)
{
    enum { RECORDED = 4000 }; /* no trap of a page has more */
    const struct html *html = form;
    return outcome != OUTCOME_MATCHED && report_total(html->report, OUTCOME_EXPLAINED) < RECORDED;
}

const struct report_form replay_form_html = {.name = "html",
                                             .follows_owners = true,
                                             .begin = begin,
                                             .wants = wants,
                                             .trap = take,
                                             .end = end};
