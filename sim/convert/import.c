/* SPDX-License-Identifier: GPL-2.0-only */
#include "convert/import.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lines.h"

/* A recording says what it is in its first lines, behind comments. */
enum { LOOKED_AT = 4096 };

/* --- trace.dat ------------------------------------------------------------------------------- */

static bool is_trace_dat(const char *text, size_t length)
{
    static const char magic[] = "\x17\x08"
                                "Dtracing";
    return length >= sizeof magic - 1 && memcmp(text, magic, sizeof magic - 1) == 0;
}

static bool run_trace_dat(struct import *import)
{
    struct scan scan;
    return import_next(import, &scan) && false;
}

static const struct importer import_trace_dat = {"trace.dat", "nothing: it is binary", is_trace_dat,
                                                 run_trace_dat};

/* --- The importers --------------------------------------------------------------------------- */

static const struct importer importers[] = {
#define IMPORTER(id, name, reads) {name, reads, id##_recognises, id##_run},
    IMPORTER_MAP(IMPORTER)
#undef IMPORTER
};

enum { IMPORTERS = sizeof importers / sizeof *importers };

const struct importer *importer_find(const char *name)
{
    for (unsigned i = 0; i < IMPORTERS; i++) {
        if (strcmp(importers[i].name, name) == 0)
            return &importers[i];
    }
    return NULL;
}

static const struct importer *recognise_line(const char *text, size_t length)
{
    for (unsigned i = 0; i < IMPORTERS; i++) {
        if (importers[i].recognises(text, length))
            return &importers[i];
    }
    return NULL;
}

/* The next line of a text; false at its end. */
static bool next_line(struct scan *text, struct scan *line)
{
    if (text->at == text->end)
        return false;
    const char *newline = memchr(text->at, '\n', (size_t)(text->end - text->at));
    *line = (struct scan){text->at, newline ? newline : text->end};
    text->at = newline ? newline + 1 : text->end;
    return true;
}

const struct importer *importer_recognise(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode) || access(path, R_OK) != 0)
        return NULL;
    struct bytes *bytes = bytes_open(path, true);
    if (!bytes)
        return NULL;
    struct scan text, line;
    size_t have;
    text.at = bytes_window(bytes, LOOKED_AT, &have);
    text.end = text.at + (have < LOOKED_AT ? have : LOOKED_AT);
    const struct importer *found = NULL;
    if (is_trace_dat(text.at, have))
        found = &import_trace_dat;
    bool is_told = found;
    while (!is_told && next_line(&text, &line)) {
        found = recognise_line(line.at, (size_t)(line.end - line.at));
        is_told = found || !(line.at == line.end || *line.at == '#');
    }
    bytes_close(bytes);
    return found;
}

bool import_file(struct import *import, const struct importer *importer)
{
    import->lines = lines_open(import->path);
    if (!import->lines)
        return false;
    import->next_seq = 1;
    const bool good = importer->run(import);
    const bool is_read = !lines_failed(import->lines);
    lines_close(import->lines);
    import->lines = NULL;
    return good && is_read && !import->failed;
}

/* --- For importers --------------------------------------------------------------------------- */

bool import_refuse(struct import *import, const char *at, const char *format, ...)
{
    char message[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    const bool is_standard_input = strcmp(import->path, "-") == 0;
    const struct place place = {is_standard_input ? "<stdin>" : import->path,
                                lines_number(import->lines),
                                at ? (unsigned)(at - import->text) + 1 : 1};
    char shown[512];
    snprintf(shown, sizeof shown, "%.*s", (int)import->length, import->text);
    const bool is_shown = at && (size_t)(at - import->text) < sizeof shown;
    diag(&place, is_shown ? shown : NULL, "%s", message);
    import->failed = true;
    return false;
}

/* A character that no text has, or NULL. */
static const char *find_binary(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c < ' ' && c != '\t' && c != '\r')
            return text + i;
    }
    return NULL;
}

bool import_next(struct import *import, struct scan *scan)
{
    if (import->failed)
        return false;
    import->text = lines_next(import->lines, &import->length, 0);
    if (!import->text) {
        import->failed = lines_failed(import->lines);
        return false;
    }
    if (lines_number(import->lines) == 1 && is_trace_dat(import->text, import->length))
        return import_refuse(import, NULL,
                             "a binary trace.dat; make text of it with `trace-cmd "
                             "report`, and import that as trace-cmd");
    const char *binary = find_binary(import->text, import->length);
    if (binary)
        return import_refuse(import, binary, "not text: a byte of value %u",
                             (unsigned char)*binary);
    if (!lines_has_newline(import->lines))
        return import_refuse(import, import->text + import->length,
                             "the recording is cut off inside this line");
    if (import->length > 0 && import->text[import->length - 1] == '\r')
        import->length--;
    *scan = (struct scan){import->text, import->text + import->length};
    if (import->progress)
        import->progress(import->context, lines_progress(import->lines));
    return true;
}

unsigned import_line_number(const struct import *import)
{
    return lines_number(import->lines);
}

void import_pass_over(struct import *import, const char *what)
{
    for (unsigned i = 0; i < PASSED_OVER_MAX; i++) {
        struct passed_over *entry = &import->passed_over[i];
        if (entry->what && strcmp(entry->what, what) != 0)
            continue;
        entry->what = what;
        entry->count++;
        return;
    }
}

void import_begin(struct import *import, struct trace_line *line)
{
    memset(line, 0, sizeof *line);
    line->seq = import->next_seq++;
    line->kind = TRACE_KIND_unknown;
    line->has = TRACE_HAS_EVENTS;
    line->g0 = line->g1 = import_line_number(import);
    line->number = import_line_number(import);
}

void import_emit(struct import *import, const struct trace_line *line)
{
    import->sink(import->context, line);
}

void registers_set(struct trace_registers *registers, enum trace_register reg, uint64_t value)
{
    registers->values[reg] = value;
    registers->present |= 1u << reg;
}

struct effect_list *effect_list_new(void)
{
    struct effect_list *list = calloc(1, sizeof *list);
    if (!list)
        no_memory();
    list->texts = arena_new();
    return list;
}

void effect_list_free(struct effect_list *list)
{
    if (!list)
        return;
    arena_free(list->texts);
    free(list->effects);
    free(list);
}

void effect_list_clear(struct effect_list *list)
{
    list->count = 0;
    arena_reset(list->texts);
}

static void make_room(struct effect_list *list)
{
    if (list->count < list->capacity)
        return;
    list->capacity = list->capacity ? 2 * list->capacity : 8;
    list->effects = realloc(list->effects, list->capacity * sizeof *list->effects);
    if (!list->effects)
        no_memory();
}

struct trace_effect *effect_new(struct effect_list *list, enum trace_effect_kind kind,
                                uint32_t present, uint64_t line)
{
    make_room(list);
    struct trace_effect *effect = &list->effects[list->count++];
    memset(effect, 0, sizeof *effect);
    effect->kind = kind;
    effect->present = present;
    effect->g = line;
    return effect;
}

const char *effect_text(struct effect_list *list, struct word word)
{
    return arena_strdup(list->texts, word.text, word.length);
}

struct trace_effect *effect_event(struct effect_list *list, const char *name, const char *text,
                                  uint64_t line)
{
    const uint32_t present =
        EFFECT_HAS(event, event) | EFFECT_HAS(event, args) | (text ? EFFECT_HAS(event, text) : 0);
    struct trace_effect *effect = effect_new(list, TRACE_event, present, line);
    effect->event = (struct trace_event){.event = name, .text = text};
    return effect;
}

void line_set_effects(struct trace_line *line, const struct effect_list *list)
{
    if (list->count == 0)
        return;
    line->has |= TRACE_HAS_FX;
    line->nfx = list->count;
    line->fx = list->effects;
}
