/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/report_visit.h"

#include <stdlib.h>

#include "base/report_file.h"

struct report_files {
    struct report_file *perfetto_file;
    struct report_file *html_file;
    struct perfetto *perfetto;
    struct html *html;
    struct owners owners;
    struct owner_change *changes;
    size_t room; /* of changes */
    unsigned traces;
    uint64_t traps; /* of this trace */
};

static bool open_files(struct report_files *files, const char *perfetto, const char *html)
{
    if (perfetto && !(files->perfetto_file = report_file_open(perfetto)))
        return false;
    return !html || (files->html_file = report_file_open(html));
}

struct report_files *report_files_open(const char *perfetto, const char *html)
{
    struct report_files *files = calloc(1, sizeof *files);
    if (!files)
        no_memory();
    if (!open_files(files, perfetto, html)) {
        report_file_discard(files->perfetto_file);
        free(files);
        return NULL;
    }
    if (files->perfetto_file)
        files->perfetto = perfetto_new(report_file_stream(files->perfetto_file));
    if (files->html_file)
        files->html = html_new(report_file_stream(files->html_file));
    return files;
}

const char *trap_title(const struct replay_trap *trap)
{
    if (trap->line->kind == TRACE_KIND_host_hvc && trap->line->hvc)
        return trap->line->hvc;
    if (trap->line->kind == TRACE_KIND_guest_exit && trap->line->ec)
        return trap->line->ec;
    return trace_kind_name(trap->line->kind);
}

/* An unfinished stay ends with its last effect. */
static uint64_t last_event(const struct trace_line *line)
{
    uint64_t end = line->nfx > 0 ? line->fx[line->nfx - 1].g : line->g0;
    if (!line->unfinished && line->g1 > end)
        end = line->g1;
    return end > line->g0 ? end : line->g0;
}

static size_t follow(struct report_files *files, const struct trace_line *line)
{
    size_t count = 0;
    if (line->nfx > files->room) {
        free(files->changes);
        files->room = line->nfx;
        files->changes = malloc(files->room * sizeof *files->changes);
        if (!files->changes)
            no_memory();
    }
    for (size_t i = 0; i < line->nfx; i++)
        count += owners_follow(&files->owners, &line->fx[i], &files->changes[count]);
    return count;
}

void report_files_trap(struct report_files *files, const struct replay_trap *trap,
                       const struct denied_access *denied)
{
    if (trap->row == ROW_BOOT) {
        owners_free(&files->owners);
        if (!owners_boot(&files->owners, trap->line))
            no_memory();
        files->traces++;
        files->traps = 0;
    }
    const size_t nchanges = follow(files, trap->line);
    const struct trap_visit visit = {.trap = trap,
                                     .file = files->traces - 1,
                                     .number = files->traps++,
                                     .principal = trap_principal(trap->line),
                                     .end = last_event(trap->line),
                                     .denied = denied,
                                     .owners = &files->owners,
                                     .nchanges = nchanges,
                                     .changes = files->changes};
    if (files->perfetto)
        perfetto_trap(files->perfetto, &visit);
    if (files->html)
        html_trap(files->html, &visit);
}

/* What the reports still have to say is written to files that nobody will see. */
void report_files_discard(struct report_files *files, const struct replay_report *report)
{
    if (files->perfetto)
        perfetto_end(files->perfetto);
    if (files->html)
        html_end(files->html, report);
    report_file_discard(files->perfetto_file);
    report_file_discard(files->html_file);
    owners_free(&files->owners);
    free(files->changes);
    free(files);
}

bool report_files_close(struct report_files *files, const struct replay_report *report)
{
    bool good = true;
    if (files->perfetto) {
        perfetto_end(files->perfetto);
        good = report_file_commit(files->perfetto_file);
    }
    if (files->html) {
        html_end(files->html, report);
        good = report_file_commit(files->html_file) && good;
    }
    owners_free(&files->owners);
    free(files->changes);
    free(files);
    return good;
}
