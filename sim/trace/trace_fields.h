/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TRACE_FIELDS_H
#define SIM_TRACE_FIELDS_H

#include "trace/trace.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The tables of traces as data, for their readers and writers. */

struct trace_effect_type {
    const char *name;
    size_t length;
    const struct trace_field *fields;
    unsigned nfields;
};

extern const struct trace_effect_type trace_effect_types[TRACE_EFFECT_KINDS];
extern const char *const trace_effect_names[TRACE_EFFECT_KINDS];
extern const char *const trace_kind_names[TRACE_KINDS + 1];
enum { TRACE_ENDS = TRACE_TO_el2_panic + 1 };
extern const char *const trace_end_names[TRACE_ENDS];

/* The registers beside x; their offsets are in the array `values` of struct trace_registers. */
extern const struct trace_field trace_register_fields[TRACE_REGISTERS];

/* The keys of a line, in the order in which recorders write them. */
/* clang-format off */
#define TRACE_LINE_KEY_MAP(X)                                                                      \
    X(seq) X(cpu) X(kind) X(vector) X(time) X(task) X(hvc) X(exit_code) X(ec) X(g0) X(in) X(fx)     \
    X(g1) X(to) X(out) X(unfinished) X(version)
/* clang-format on */

enum trace_line_key {
#define TRACE_ENUM(key) TRACE_KEY_##key,
    TRACE_LINE_KEY_MAP(TRACE_ENUM)
#undef TRACE_ENUM
        TRACE_LINE_KEYS
};

/* Numbers and texts with their offset in struct trace_line; of the others, only the names. */
extern const struct trace_field trace_line_fields[TRACE_LINE_KEYS];
/* Which part of the line a key is, TRACE_HAS_...; 0: none. */
extern const unsigned trace_line_parts[TRACE_LINE_KEYS];

/*
 * Of an ordinary line that ended and has the keys of these bits: does it have what its kind needs,
 * and nothing that its kind does not have?
 */
bool trace_line_is_complete(const struct trace_line *line, uint32_t keys);

/* Of `hvc`, with their offsets in struct trace_line; all are needed. */
enum { TRACE_HVC_FIELDS = 3 };
extern const struct trace_field trace_hvc_fields[TRACE_HVC_FIELDS];

bool trace_find_effect(const char *name, size_t length, enum trace_effect_kind *kind);

#ifdef __cplusplus
}
#endif

#endif
