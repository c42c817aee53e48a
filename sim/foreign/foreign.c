/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/foreign.h"

#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "foreign/foreign_checks.h"
#include "foreign/foreign_sequence.h"

static void take_failure(void *context, const struct trace_line *line, enum foreign_check check,
                         const char *found)
{
    struct foreign *foreign = context;
    const struct foreign_failure failure = {line, check, found};
    foreign->failed++;
    if (foreign->shown++ < foreign->shown_max)
        foreign->report.failure(&foreign->report, foreign->file, &failure);
}

/* --- What the verified code would do --------------------------------------------------------- */

/* x0 to x3, which decide about a hypercall, if the recording has them. */
static const uint64_t *call_registers(const struct trace_line *line)
{
    return (line->in.x_present & 0xf) == 0xf ? line->in.x : NULL;
}

static struct exit_count *find_exit(struct foreign_file *file, const struct exit_count *wanted)
{
    for (size_t i = 0; i < file->nexits; i++) {
        struct exit_count *exit = &file->exits[i];
        if (exit->is_trap == wanted->is_trap && exit->is_known == wanted->is_known &&
            exit->class == wanted->class && exit->verdict.handler == wanted->verdict.handler &&
            exit->verdict.outcome == wanted->verdict.outcome)
            return exit;
    }
    if (file->nexits == EXIT_COUNTS_MAX)
        return NULL;
    file->exits[file->nexits] = *wanted;
    return &file->exits[file->nexits++];
}

static void count_exit(struct foreign_file *file, const struct trace_line *line)
{
    struct exit_count wanted = {.is_trap = record_type(line) == TYPE_SYNC};
    if (line->kind != TRACE_KIND_guest_exit)
        return;
    if (wanted.is_trap)
        wanted.is_known = record_class(line, &wanted.class);
    else
        wanted.is_known = record_type(line) == TYPE_IRQ;
    if (!wanted.is_known)
        wanted.class = 0;
    else
        wanted.verdict = model_exit(file->checker.model, wanted.is_trap, (uint32_t)wanted.class,
                                    call_registers(line));
    struct exit_count *exit = find_exit(file, &wanted);
    if (exit)
        exit->count++;
}

/* --- Recordings ------------------------------------------------------------------------------ */

static void take_line(void *context, const struct trace_line *line)
{
    struct foreign_file *file = context;
    file->records++;
    file->kinds[line->kind]++;
    check_record(&file->checker, line);
    count_exit(file, line);
    summary_take(file->summary, line);
}

static void show_progress(void *context, double done)
{
    const struct foreign_file *file = context;
    const struct foreign *foreign = file->checker.context;
    progress_trap(foreign->progress, done);
}

static void begin(struct foreign *foreign, struct foreign_file *file, const char *name,
                  const char *format, const char *detail)
{
    *file = (struct foreign_file){.name = name, .format = format, .detail = detail};
    file->checker = (struct checker){.format = format,
                                     .model = foreign_model_new(),
                                     .sink = take_failure,
                                     .context = foreign,
                                     .sequences = sequences_new()};
    file->summary = summary_new();
    foreign->file = file;
    foreign->report.begin_file(&foreign->report);
}

static void end(struct foreign *foreign, struct foreign_file *file, bool good)
{
    file->is_bad = !good;
    file->is_unchecked = !checker_has_checked(&file->checker);
    foreign->bad_input = foreign->bad_input || !good;
    foreign->is_unchecked = foreign->is_unchecked || file->is_unchecked;
    summary_finish(file->summary);
    progress_clear(foreign->progress);
    foreign->report.end_file(&foreign->report, file);
    if (good && file->is_unchecked)
        diag(&(struct place){file->name, 0, 0}, NULL,
             "nothing was checked: it has no record with a field that a check needs");
    summary_free(file->summary);
    foreign_model_free(file->checker.model);
    sequences_free(file->checker.sequences);
    foreign->file = NULL;
}

void foreign_import(struct foreign *foreign, const char *path, const char *name,
                    const struct importer *importer, const struct symbols *symbols)
{
    struct foreign_file *file = malloc(sizeof *file);
    if (!file)
        no_memory();
    begin(foreign, file, name, importer->name, NULL);
    struct import import = {.path = path,
                            .symbols = symbols,
                            .strict = foreign->strict,
                            .sink = take_line,
                            .context = file,
                            .progress = show_progress};
    const bool good = import_file(&import, importer);
    file->rest = import.rest;
    end(foreign, file, good);
    free(file);
}

void foreign_trace(struct foreign *foreign, struct trace *trace, const struct trace_line *first,
                   const char *name)
{
    struct foreign_file *file = malloc(sizeof *file);
    const struct trace_origin *origin = trace_origin(trace);
    if (!file)
        no_memory();
    begin(foreign, file, name, origin->format, origin->detail);
    for (const struct trace_line *line = first; line; line = trace_next(trace)) {
        take_line(file, line);
        show_progress(file, trace_progress(trace));
    }
    end(foreign, file, !trace_failed(trace));
    free(file);
}

int foreign_end(struct foreign *foreign)
{
    foreign->report.end(&foreign->report, foreign->failed, foreign->shown_max);
    if (foreign->bad_input || foreign->is_unchecked)
        return EXIT_BAD_INPUT;
    return foreign->failed > 0 ? EXIT_DIFFERENT : EXIT_EXPECTED;
}
