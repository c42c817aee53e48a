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

enum { PASSED_OVER_MAX = 24, PASSED_OVER_NAME = 64 };
enum { STRANGE_SHOWN = 3, STRANGE_TEXT = 120, STRANGE_WHY = 160 };

/* A line that is not of the format. */
struct strange_line {
    unsigned line;
    unsigned column;
    bool is_torn; /* it is, but not all of it */
    char why[STRANGE_WHY];
    char text[STRANGE_TEXT]; /* its beginning, fit to be shown */
};

/*
 * What an import did not make records of. Lines that are not of the format (a serial console in a
 * log, a torn line) are counted, and the first ones are kept to be shown.
 */
struct import_rest {
    uint64_t strange;
    struct strange_line shown[STRANGE_SHOWN];
    /* What was understood and is no record, by name: "exceptions to EL1". */
    struct passed_over {
        char what[PASSED_OVER_NAME];
        uint64_t count;
    } passed_over[PASSED_OVER_MAX];
};

/* A recording being imported; for the importers. */
struct import {
    const char *path;
    const struct importer *importer;
    const struct symbols *symbols; /* or NULL */
    bool strict;                   /* a line that is not of the format ends it */
    import_sink *sink;
    void *context;
    void (*progress)(void *context, double done); /* or NULL */
    struct lines *lines;
    struct import_text *input; /* import_lines.c */
    const char *text;          /* the line that is looked at */
    size_t length;
    uint64_t line;    /* its number; of a joined one, of its first part */
    uint64_t records; /* made so far */
    uint64_t next_seq;
    bool failed;
    bool is_after_gap;             /* nothing was made since the last gap */
    struct strange_line complaint; /* why the line is none, as its parser says */
    struct import_rest rest;
};

/* The formats: X(identifier, name of the format, what it is, for people). */
#define IMPORTER_MAP(X)                                                                            \
    X(qemu_int, "qemu-int", "the log of QEMU's -d int, of AArch64")                                \
    X(ftrace, "ftrace", "the kvm:* events of Linux, as tracefs shows them")                        \
    X(trace_cmd, "trace-cmd", "the same, as trace-cmd report prints them")                         \
    X(perf, "perf", "the same, as perf script and perf-prof print them")                           \
    X(trace_dat, "trace.dat", "the same, the file of trace-cmd record")                            \
    X(capture, "capture", "the recording of tools/capture")

struct importer {
    const char *name;
    const char *reads;
    /* How surely is this line of this format? 0: not at all. */
    unsigned (*recognises)(const char *text, size_t length);
    /* Import all of it. False after bad input, which import_refuse has reported. */
    bool (*run)(struct import *import);
};

#define IMPORTER_FUNCTIONS(id, name, reads)                                                        \
    unsigned id##_recognises(const char *text, size_t length);                                     \
    bool id##_run(struct import *import);
IMPORTER_MAP(IMPORTER_FUNCTIONS)
#undef IMPORTER_FUNCTIONS

/* All of them, in the order of the map, and their number. */
const struct importer *importers(unsigned *count);
/* The importer of that name, or NULL. */
const struct importer *importer_named(const char *name);
/* The same; NULL, with a message of `command`, if there is none. */
const struct importer *importer_find(const char *command, const char *name);

/*
 * Import the file at import->path through import->sink; `path`, `symbols`, `sink` and `context` are
 * set, all else is zero. False after bad input: what came before it was imported. A file of which
 * there is no record is bad input, too.
 */
bool import_file(struct import *import, const struct importer *importer);

/* --- For importers --------------------------------------------------------------------------- */

/*
 * How an importer reads text. `parse` says if it knows a line, and keeps in `state` what it says;
 * it does nothing else, for a line that it does not know may be one that a mail program wrapped,
 * and come again with the next one. `act` takes what was parsed. `tear` is told that a line is
 * missing here of which a part was there.
 */
struct line_parser {
    bool (*parse)(void *state, struct scan line);
    bool (*act)(void *state);
    void (*tear)(void *state);
    /* Lacks what was parsed last its beginning? NULL: no line does. */
    bool (*may_be_rest)(void *state);
};

/* Blanks and entities of web pages become the characters, and the text shorter: its new length. */
size_t import_clean(char *text, size_t length);

/* All lines of the recording. False after bad input, which has been reported. */
bool import_lines(struct import *import, const struct line_parser *parser, void *state);

/* For `parse`: why the line is none, at this place of it, or of which kind it is. Returns false. */
__attribute__((format(printf, 3, 4))) bool import_strange(struct import *import, const char *at,
                                                          const char *format, ...);
/* The same of a line that is of the format, as its beginning shows. */
__attribute__((format(printf, 3, 4))) bool import_torn(struct import *import, const char *at,
                                                       const char *format, ...);

uint64_t import_line_number(const struct import *import);
/* Bad input that ends the import, at this place of the line. Returns false. */
__attribute__((format(printf, 3, 4))) bool import_refuse(struct import *import, const char *at,
                                                         const char *format, ...);
void import_pass_over(struct import *import, const char *what);
/* A record that begins in the line last read, with its number. */
void import_begin(struct import *import, struct trace_line *line);
void import_emit(struct import *import, const struct trace_line *line);
/* A record that says that sequences end here; `cpu` may be NULL, `count` of lost events 0. */
void import_gap(struct import *import, const char *why, const uint64_t *cpu, uint64_t count);

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
