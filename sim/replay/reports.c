/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/reports.h"

#include <stdlib.h>
#include <string.h>

#include "base/report_file.h"

enum { REPORTS_MAX = 3 };

struct reports {
    struct opened {
        const struct report_form *form;
        struct report_file *file; /* NULL: standard output */
        void *report;
    } list[REPORTS_MAX];
    size_t count;
    struct owners owners;
    struct owner_change *changes;
    size_t room; /* of changes */
    unsigned traces;
    uint64_t traps; /* of this trace */
};

/* --- Beginning ------------------------------------------------------------------------------- */

const struct report_form *report_form_named(const char *name)
{
    static const struct report_form *const forms[] = {&replay_form_text, &replay_form_json,
                                                      &replay_form_junit};
    for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (strcmp(name, forms[i]->name) == 0)
            return forms[i];
    }
    diag_plain("replay: no format '%s'; there are text, json and junit", name);
    return NULL;
}

static void add(struct reports *reports, const struct replay_report *report,
                const struct report_form *form, struct report_file *file)
{
    FILE *out = file ? report_file_stream(file) : stdout;
    reports->list[reports->count++] = (struct opened){form, file, form->begin(report, out)};
}

/* False, with a message, if it cannot be written; a path of NULL is none. */
static bool add_file(struct reports *reports, const struct replay_report *report,
                     const struct report_form *form, const char *path)
{
    struct report_file *file = path ? report_file_open(path) : NULL;
    if (file)
        add(reports, report, form, file);
    return file || !path;
}

struct reports *reports_open(const struct replay_report *report, const struct report_form *form,
                             const char *perfetto, const char *html)
{
    struct reports *reports = calloc(1, sizeof *reports);
    if (!reports)
        no_memory();
    add(reports, report, form, NULL);
    if (add_file(reports, report, &replay_form_perfetto, perfetto) &&
        add_file(reports, report, &replay_form_html, html))
        return reports;
    reports_discard(reports);
    return NULL;
}

bool reports_have_files(const struct reports *reports)
{
    return reports->count > 1;
}

/* --- Traps ----------------------------------------------------------------------------------- */

bool reports_want(const struct reports *reports, enum trap_outcome outcome)
{
    for (size_t i = 0; i < reports->count; i++) {
        if (reports->list[i].form->wants(reports->list[i].report, outcome))
            return true;
    }
    return false;
}

static bool follow_owners(const struct reports *reports)
{
    for (size_t i = 0; i < reports->count; i++) {
        if (reports->list[i].form->follows_owners)
            return true;
    }
    return false;
}

/* An unfinished stay ends with its last effect. */
static uint64_t last_event(const struct trace_line *line)
{
    uint64_t end = line->nfx > 0 ? line->fx[line->nfx - 1].g : line->g0;
    if (!line->unfinished && line->g1 > end)
        end = line->g1;
    return end > line->g0 ? end : line->g0;
}

static size_t follow(struct reports *reports, const struct trace_line *line)
{
    size_t count = 0;
    if (line->nfx > reports->room) {
        free(reports->changes);
        reports->room = line->nfx;
        reports->changes = malloc(reports->room * sizeof *reports->changes);
        if (!reports->changes)
            no_memory();
    }
    for (size_t i = 0; i < line->nfx; i++)
        count += owners_follow(&reports->owners, &line->fx[i], &reports->changes[count]);
    return count;
}

static void begin_trace(struct reports *reports, const struct trace_line *boot)
{
    owners_free(&reports->owners);
    if (follow_owners(reports) && !owners_boot(&reports->owners, boot))
        no_memory();
    reports->traces++;
    reports->traps = 0;
}

void reports_trap(struct reports *reports, const struct replay_trap *trap,
                  const struct denied_access *denied)
{
    if (trap->row == ROW_BOOT)
        begin_trace(reports, trap->line);
    const size_t nchanges = follow_owners(reports) ? follow(reports, trap->line) : 0;
    const struct trap_visit visit = {.trap = trap,
                                     .file = reports->traces - 1,
                                     .number = reports->traps++,
                                     .principal = trap_principal(trap->line),
                                     .end = last_event(trap->line),
                                     .denied = denied,
                                     .owners = &reports->owners,
                                     .nchanges = nchanges,
                                     .changes = reports->changes};
    for (size_t i = 0; i < reports->count; i++)
        reports->list[i].form->trap(reports->list[i].report, &visit);
}

/* --- The end --------------------------------------------------------------------------------- */

static void free_reports(struct reports *reports)
{
    owners_free(&reports->owners);
    free(reports->changes);
    free(reports);
}

bool reports_end(struct reports *reports, const struct replay_report *report)
{
    bool good = true;
    for (size_t i = 0; i < reports->count; i++) {
        struct opened *opened = &reports->list[i];
        opened->form->end(opened->report, report);
        if (opened->file)
            good = report_file_commit(opened->file) && good;
    }
    free_reports(reports);
    return good;
}

void reports_discard(struct reports *reports)
{
    for (size_t i = 0; reports && i < reports->count; i++) {
        reports->list[i].form->end(reports->list[i].report, NULL);
        report_file_discard(reports->list[i].file);
    }
    if (reports)
        free_reports(reports);
}
