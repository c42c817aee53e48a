/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TRACE_WORDS_H
#define SIM_TRACE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <faulthandler/trace_tables.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The words in which traces speak: kinds of traps, registers, effects. Who predicts what a machine
 * does says it in these words, and knows nothing of records: those are in trace.h.
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

#ifdef __cplusplus
}
#endif

#endif
