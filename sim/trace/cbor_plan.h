/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CBOR_PLAN_H
#define SIM_CBOR_PLAN_H

#include "trace/cbor_parts.h"

/*
 * How records become lines straight. What the values of a template become depends on its role: the
 * line, its registers, an effect. For each role that it plays a template is turned into a plan
 * once: steps that copy words to their places. A plan is odd if a template says something that only
 * the reader of trees can judge; then the record's tree is made instead.
 */

enum cbor_step_kind {
    STEP_COPY,          /* count words to offset */
    STEP_PASS,          /* count words that are not wanted */
    STEP_LIST,          /* a list of words to the struct trace_list at offset */
    STEP_GPRS,          /* a list of 31 words to x */
    STEP_NUMBERED_GPRS, /* numbered words to x */
    STEP_NO_EFFECTS,    /* a list of words, which is empty */
    STEP_EFFECTS,       /* shapes to effects */
    STEP_TEXT,          /* text to offset */
    STEP_SHAPE,         /* a shape in the role `role`, whose base is at offset */
    STEP_PASS_WORDS,    /* a list of words */
    STEP_PASS_KEYED,    /* numbered or addressed words */
    STEP_PASS_SHAPES,   /* a list of shapes */
    STEP_PASS_KEYED_SHAPES,
};

struct cbor_step {
    enum cbor_step_kind kind;
    enum cbor_role role;
    size_t offset;
    size_t count;
    const char *text;
};

struct cbor_plan {
    bool is_odd;
    size_t nsteps;
    struct cbor_step *steps;
    uint32_t present;  /* REGISTERS */
    uint32_t has_keys; /* LINE: bits of its keys, to find those that are missing */
    union {
        struct trace_line line;
        struct trace_effect effect;
    } made; /* LINE, EFFECT: what constants say */
};

/* The template's plan in that role, made now and kept. */
struct cbor_plan *cbor_plan_make(struct cbor_reader *reader, struct cbor_template *template,
                                 enum cbor_role role);

#endif
