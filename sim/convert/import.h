/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_IMPORT_H
#define SIM_IMPORT_H

#include "trace/trace.h"
#include "convert/scan.h"
#include "convert/symbols.h"

/*
 * Foreign recordings: what everyday tools write about an unmodified hypervisor, as the records of a
 * trace. What a recording does not say is left out of the records, never guessed. The events of
 * such a trace are lines: g0, g1 and the g of effects are line numbers of the recording.
 * docs/foreign-recordings.md has what becomes of what.
 */

/* Gets each record, valid during the call. */
typedef void import_sink(void *context, const struct trace_line *line);

enum { PASSED_OVER_MAX = 16 };

/* A recording being imported; for the importers. */
struct import {
    const char *path;
    const struct symbols *symbols; /* or NULL */
    import_sink *sink;
    void *context;
    void (*progress)(void *context, double done); /* or NULL */
    struct lines *lines;
    const char *text; /* the line last read */
    size_t length;
    uint64_t next_seq;
    bool failed;
    /* What was understood and is no record, by name: "exceptions to EL1". */
    struct passed_over {
        const char *what;
        uint64_t count;
    } passed_over[PASSED_OVER_MAX];
};

/* The formats: X(identifier, name of the format, what it is, for people). */
#define IMPORTER_MAP(X)                                                                            \
    X(qemu_int, "qemu-int", "the log of QEMU's -d int, of AArch64")                                \
    X(ftrace, "ftrace", "the kvm:* events of Linux, as tracefs shows them")                        \
    X(trace_cmd, "trace-cmd", "the same, as trace-cmd report prints them")                         \
    X(capture, "capture", "the recording of tools/capture")

struct importer {
    const char *name;
    const char *reads;
    /* Could a recording of this format begin with this line? */
    bool (*recognises)(const char *text, size_t length);
    /* Import all lines. False after bad input, which import_refuse has reported. */
    bool (*run)(struct import *import);
};

#define IMPORTER_FUNCTIONS(id, name, reads)                                                        \
    bool id##_recognises(const char *text, size_t length);                                         \
    bool id##_run(struct import *import);
IMPORTER_MAP(IMPORTER_FUNCTIONS)
#undef IMPORTER_FUNCTIONS

/* The importer of that name; NULL if there is none. */
const struct importer *importer_find(const char *name);

/*
 * The importer for what a file holds, by its first lines; NULL if it is no foreign recording (or
 * cannot be read, or is standard input).
 */
const struct importer *importer_recognise(const char *path);

/*
 * Import the file at import->path through import->sink; `path`, `symbols`, `sink` and `context` are
 * set, all else is zero. False after bad input: what came before it was imported.
 */
bool import_file(struct import *import, const struct importer *importer);

/* --- For importers --------------------------------------------------------------------------- */

/* The next line into import->text, to be taken apart with `scan`; false at the end. */
bool import_next(struct import *import, struct scan *scan);
unsigned import_line_number(const struct import *import);
/* Bad input, at this place of the line last read. Returns false. */
__attribute__((format(printf, 3, 4))) bool import_refuse(struct import *import, const char *at,
                                                         const char *format, ...);
void import_pass_over(struct import *import, const char *what);
/* A record that begins in the line last read, with its number. */
void import_begin(struct import *import, struct trace_line *line);
void import_emit(struct import *import, const struct trace_line *line);

void registers_set(struct trace_registers *registers, enum trace_register reg, uint64_t value);

/* The effects of a record, with the texts in them. */
struct effect_list {
    size_t count;
    size_t capacity;
    struct trace_effect *effects;
    struct arena *texts;
};

struct effect_list *effect_list_new(void);
void effect_list_free(struct effect_list *list);
void effect_list_clear(struct effect_list *list);
/* The record's effects are those of the list, which must live as long. */
void line_set_effects(struct trace_line *line, const struct effect_list *list);

/* A new effect, of this line; valid until the next one. */
struct trace_effect *effect_new(struct effect_list *list, enum trace_effect_kind kind,
                                uint32_t present, uint64_t line);
/* A copy of the word, as long as the effects. */
const char *effect_text(struct effect_list *list, struct word word);

/* Every field of a kind of effect, and one of them, as bits of `present`. */
#define EFFECT_ALL(kind) ((uint32_t)((1ull << EFFECT_FIELDS(kind)) - 1))
#define EFFECT_HAS(kind, key) (1u << TRACE_AT_##kind##_##key)
#define EFFECT_ONE(kind, format, key) +1
#define EFFECT_FIELDS(kind) (0 FH_TRACE_FIELDS_##kind(EFFECT_ONE, EFFECT_ONE, kind))

/* What a recording says of a moment, by name, with numbers and perhaps a text: `event`. */
struct trace_effect *effect_event(struct effect_list *list, const char *name, const char *text,
                                  uint64_t line);

#endif
