/* SPDX-License-Identifier: GPL-2.0-only */
#include "convert/import.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"

/* --- All of a recording ---------------------------------------------------------------------- */

static const char *shown_path(const struct import *import)
{
    return strcmp(import->path, "-") == 0 ? "<stdin>" : import->path;
}

/* What there is most of. */
static const struct passed_over *most_passed_over(const struct import_rest *rest)
{
    const struct passed_over *most = &rest->passed_over[0];
    for (size_t i = 1; i < PASSED_OVER_MAX; i++)
        most = rest->passed_over[i].count > most->count ? &rest->passed_over[i] : most;
    return most;
}

/* Not one record: the first line that is none, or what was passed over, says best why. */
static bool refuse_empty(struct import *import)
{
    const struct strange_line *first = &import->rest.shown[0];
    const struct passed_over *most = most_passed_over(&import->rest);
    const struct place file = {shown_path(import), 0, 0};
    if (import->rest.strange == 0 && most->count == 0)
        diag(&file, NULL, "no record of %s in it: %s", import->importer->name,
             import->importer->reads);
    else if (import->rest.strange == 0)
        diag(&file, NULL, "no record of %s in it, of %" PRIu64 " %s: %s", import->importer->name,
             most->count, most->what, import->importer->reads);
    else
        diag(&(struct place){shown_path(import), first->line, first->column}, first->text,
             "%s (no line of this file makes a record of %s)", first->why, import->importer->name);
    return false;
}

bool import_file(struct import *import, const struct importer *importer)
{
    import->importer = importer;
    import->next_seq = 1;
    const bool good = importer->run(import) && !import->failed;
    return good && (import->records > 0 || refuse_empty(import));
}

/* --- For importers --------------------------------------------------------------------------- */

bool import_refuse(struct import *import, const char *at, const char *format, ...)
{
    char message[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    const struct place place = {shown_path(import), (unsigned)import->line,
                                at ? (unsigned)(at - import->text) + 1 : 1};
    char shown[512];
    snprintf(shown, sizeof shown, "%.*s", (int)import->length, import->text ? import->text : "");
    const bool is_shown = at && (size_t)(at - import->text) < sizeof shown;
    diag(&place, is_shown ? shown : NULL, "%s", message);
    import->failed = true;
    return false;
}

uint64_t import_line_number(const struct import *import)
{
    return import->line;
}

void import_pass_over(struct import *import, const char *what)
{
    for (unsigned i = 0; i < PASSED_OVER_MAX; i++) {
        struct passed_over *entry = &import->rest.passed_over[i];
        if (entry->what[0] && strncmp(entry->what, what, PASSED_OVER_NAME - 1) != 0)
            continue;
        snprintf(entry->what, sizeof entry->what, "%s", what);
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
    line->g0 = line->g1 = import->line;
    line->number = (unsigned)import->line;
}

void import_emit(struct import *import, const struct trace_line *line)
{
    import->records++;
    import->is_after_gap = false;
    import->sink(import->context, line);
}

void import_gap(struct import *import, const char *why, const uint64_t *cpu, uint64_t count)
{
    struct trace_line line;
    struct effect_list *effects = effect_list_new();
    import_begin(import, &line);
    if (cpu) {
        line.cpu = *cpu;
        line.has |= TRACE_HAS_CPU;
    }
    struct trace_effect *effect = effect_event(effects, "gap", why, line.g0);
    if (count > 0)
        effect->event.args = (struct trace_list){1, {count}};
    line_set_effects(&line, effects);
    import->sink(import->context, &line);
    import->is_after_gap = true;
    effect_list_free(effects);
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
