/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <faulthandler/trace_tables.h>

#include "base/node.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Traces: what a hypervisor did, one record for each stay at EL2, with its effects in order.
 * docs/trace-format.md has the schema; the tables of <faulthandler/trace_tables.h> are its
 * definition, and the reader, the comparer and the reports are all made from them.
 */

/* The tables, as they are called here. */
#define TRACE_KIND_MAP FH_TRACE_KIND_MAP
#define TRACE_END_MAP FH_TRACE_END_MAP
#define TRACE_REGISTER_MAP FH_TRACE_REGISTER_MAP
#define TRACE_EFFECT_MAP(X) FH_TRACE_EFFECT_MAP(X) FH_TRACE_OBSERVATION_MAP(X)
enum { TRACE_GPRS = FH_TRACE_GPRS, TRACE_LIST_MAX = FH_TRACE_LIST_MAX };

struct trace_list {
    size_t count;
    uint64_t values[TRACE_LIST_MAX];
};

#define TRACE_CTYPE_hex uint64_t
#define TRACE_CTYPE_number uint64_t
#define TRACE_CTYPE_either uint64_t
#define TRACE_CTYPE_text const char *
#define TRACE_CTYPE_list struct trace_list
/* In C++ members end with an underscore, since `new` is one of them. */
#ifdef __cplusplus
#define TRACE_MEMBER(kind, format, key) TRACE_CTYPE_##format key##_;
#else
#define TRACE_MEMBER(kind, format, key) TRACE_CTYPE_##format key;
#endif
#define TRACE_STRUCT(kind)                                                                         \
    struct trace_##kind {                                                                          \
        FH_TRACE_FIELDS_##kind(TRACE_MEMBER, TRACE_MEMBER, kind)                                   \
    };
TRACE_EFFECT_MAP(TRACE_STRUCT)
#undef TRACE_STRUCT
#undef TRACE_MEMBER

/* The numbers of a kind's fields: TRACE_AT_pt_store_ipa. */
#define TRACE_NUMBER(kind, format, key) TRACE_AT_##kind##_##key,
#define TRACE_NUMBERS(kind) enum { FH_TRACE_FIELDS_##kind(TRACE_NUMBER, TRACE_NUMBER, kind) };
TRACE_EFFECT_MAP(TRACE_NUMBERS)
#undef TRACE_NUMBERS
#undef TRACE_NUMBER

enum trace_effect_kind {
#define TRACE_ENUM(kind) TRACE_##kind,
    TRACE_EFFECT_MAP(TRACE_ENUM)
#undef TRACE_ENUM
        TRACE_EFFECT_KINDS
};

/* Which struct of the union is the effect's follows from `kind`. Numbers below 0 wrap. */
struct trace_effect {
    enum trace_effect_kind kind;
    uint32_t present; /* bit i: field i of the kind is there */
    uint64_t g;       /* global event number */
    union {
#define TRACE_UNION(kind) struct trace_##kind kind;
        TRACE_EFFECT_MAP(TRACE_UNION)
#undef TRACE_UNION
    };
};

enum trace_format { TRACE_hex, TRACE_number, TRACE_either, TRACE_text, TRACE_list };

struct trace_field {
    const char *key;
    size_t length;
    size_t offset; /* in struct trace_effect */
    enum trace_format format;
    bool required;
};

const char *trace_effect_name(enum trace_effect_kind kind);
const struct trace_field *trace_effect_fields(enum trace_effect_kind kind, unsigned *count);
/* A field of a scalar format; a field of format text. */
uint64_t trace_field_word(const struct trace_effect *effect, const struct trace_field *field);
const char *trace_field_text(const struct trace_effect *effect, const struct trace_field *field);
const struct trace_list *trace_field_list(const struct trace_effect *effect,
                                          const struct trace_field *field);

/* Write one field's value, or a whole effect ("pt_store vmid 0 level pte ..."), for people. */
void trace_print_field(const struct trace_effect *effect, const struct trace_field *field,
                       FILE *out);
void trace_print_effect(const struct trace_effect *effect, FILE *out);

enum trace_kind {
#define TRACE_ENUM(kind) TRACE_KIND_##kind,
    TRACE_KIND_MAP(TRACE_ENUM)
#undef TRACE_ENUM
        TRACE_KINDS,
    TRACE_KIND_unknown = TRACE_KINDS /* in foreign traces alone */
};

enum trace_end {
#define TRACE_ENUM(end) TRACE_TO_##end,
    TRACE_END_MAP(TRACE_ENUM)
#undef TRACE_ENUM
};

const char *trace_kind_name(enum trace_kind kind);

enum trace_register {
#define TRACE_ENUM(key, format) TRACE_REG_##key,
    TRACE_REGISTER_MAP(TRACE_ENUM)
#undef TRACE_ENUM
        TRACE_REGISTERS
};

const char *trace_register_name(enum trace_register reg);
/* "x0" ... "x30" */
const char *trace_gpr_name(unsigned index);

/* Registers; a bit of `present` or `x_present` for each one that the record has. */
struct trace_registers {
    uint32_t present;
    uint32_t x_present;
    uint64_t values[TRACE_REGISTERS];
    uint64_t x[TRACE_GPRS];
};

/*
 * Where a trace was made from, the first record of one that comes from a foreign recording. Of such
 * a trace a record may lack everything but `seq` and `kind`, and what it lacks is unknown; of its
 * effects it has those that the recording shows.
 */
struct trace_origin {
    const char *format; /* "qemu-int", "ftrace", "trace-cmd", "capture" */
    const char *detail; /* for people, or NULL */
};

/* What a record may leave open, as bits of `has`. */
enum trace_part {
    TRACE_HAS_CPU = 1,
    TRACE_HAS_EVENTS = 2, /* g0, g1, and the g of effects */
    TRACE_HAS_EXIT_CODE = 4,
    TRACE_HAS_FX = 8,
    TRACE_HAS_TO = 16,
    TRACE_HAS_OUT = 32,
    TRACE_HAS_TIME = 64,
    TRACE_HAS_TASK = 128,
    TRACE_HAS_IN = 256, /* not needed where it has registers */
};

/* One line: one stay at EL2. */
struct trace_line {
    unsigned number; /* in the file */
    unsigned has;    /* TRACE_HAS_...: what was said */
    enum trace_kind kind;
    enum trace_end to;
    bool unfinished; /* the machine stopped inside; `to` and `g1` say nothing */
    uint64_t seq;
    uint64_t cpu;
    uint64_t g0;
    uint64_t g1;
    uint64_t exit_code; /* guest_exit */
    const char *ec;     /* guest_exit: the name of its exception class, or NULL */
    const char *hvc;    /* host_hvc: its name */
    uint64_t hvc_number;
    struct trace_list hvc_args;
    const char *vector; /* the exception vector that was taken, "guest_sync", or NULL */
    uint64_t time;      /* in nanoseconds, on the recording's clock */
    uint64_t task;      /* the host's thread that ran the vCPU */
    struct trace_registers in;
    struct trace_registers out;
    size_t nfx;
    const struct trace_effect *fx;
};

/* A trace being read: JSON Lines or CBOR, plain or zstd, "-" for standard input. */
struct trace;

/* NULL, with a message on standard error, if it cannot be opened. */
struct trace *trace_open(const char *path);
void trace_close(struct trace *trace);

/*
 * The next line, valid until the next call; NULL at the end, or on bad input, which is reported
 * on standard error as file:line:column, or with its offset in CBOR.
 */
const struct trace_line *trace_next(struct trace *trace);

/*
 * The record last read as JSON, without a newline: as it stands in the file, if that is JSON Lines.
 * Valid as long as the line is.
 */
const char *trace_text(struct trace *trace, size_t *length);

/*
 * The next record as a tree, whatever it says, until the next call; for who passes records on. NULL
 * at the end, or on bad input.
 */
const struct node *trace_next_tree(struct trace *trace);

/* Where the trace comes from; NULL: from a recorder of its own. Known once a record was read. */
#ifndef __cplusplus /* which has no room for two things of one name */
const struct trace_origin *trace_origin(const struct trace *trace);
#endif

/* Did reading end with bad input? */
bool trace_failed(const struct trace *trace);

/* How much has been read, 0 to 1. */
double trace_progress(const struct trace *trace);

/* A message about the record last read, with its place. */
__attribute__((format(printf, 2, 3))) void trace_diag(const struct trace *trace, const char *format,
                                                      ...);

#ifdef __cplusplus
}
#endif

#endif
