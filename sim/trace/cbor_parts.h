/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CBOR_PARTS_H
#define SIM_CBOR_PARTS_H

#include <string.h>

#include "trace/cbor_format.h"
#include "trace/cbor_item.h"
#include "trace/cbor_reader.h"

/* What the parts of the reader of CBOR traces share. */

struct cbor_field {
    enum cbor_kind kind;
    struct node constant; /* of kind constant */
};

/* What a template's values may become in a line; see cbor_plan.h. */
enum cbor_role { ROLE_LINE, ROLE_REGISTERS, ROLE_EFFECT, ROLE_HVC, ROLE_PASS, ROLES };

struct cbor_plan;

struct cbor_template {
    enum cbor_form form;
    size_t count;
    struct cbor_field *fields;
    struct node *keys; /* MAP */
    struct cbor_plan *plans[ROLES];
};

/* What of a record has not been used yet. */
struct cbor_cursor {
    const unsigned char *shapes; /* 16-bit numbers */
    const unsigned char *shapes_end;
    const unsigned char *words; /* 64-bit numbers */
    const unsigned char *words_end;
    size_t value; /* where the next value is, in the window */
    uint64_t nvalues;
};

struct cbor_reader {
    struct bytes *bytes;
    const unsigned char *window;
    size_t have;
    size_t end;      /* of the record in the window; 0: there is none */
    uint64_t offset; /* of the record, or of what is wrong */
    char error[160];
    struct cbor_template **templates;
    size_t ntemplates;
    struct arena *memory; /* of templates and plans */
    struct cbor_cursor record;
    struct trace_effect *effects; /* of the line, for cbor_line */
    size_t effects_room;
};

/* What is wrong with the item `at` bytes into the window. Always false. */
__attribute__((format(printf, 3, 4))) bool cbor_refuse(struct cbor_reader *reader, size_t at,
                                                       const char *format, ...);

/* The item at *at of the window, which goes behind it. False, with an error, if there is none. */
bool cbor_take(struct cbor_reader *reader, size_t *at, struct cbor_item *item);

/* The same as a tree. */
bool cbor_take_tree(struct cbor_reader *reader, size_t *at, struct arena *arena, struct node *node);

static inline uint64_t cbor_load64(const unsigned char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline unsigned cbor_load16(const unsigned char *at)
{
    return at[0] | (unsigned)at[1] << 8;
}

#endif
