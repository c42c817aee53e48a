/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TRIAGE_SIGNATURE_H
#define SIM_TRIAGE_SIGNATURE_H

#include "twin/twin.h"

/*
 * What is alike in differences: the kind of trap, the call or exception class, the spec function,
 * the effect, its field, and how the two values relate.
 */

/* How the machine's value relates to the model's: X(name, in words). */
#define TRIAGE_RELATION_MAP(X)                                                                     \
    X(only_machine, "only the machine has it")                                                     \
    X(only_model, "only the model has it")                                                         \
    X(undefined, "the model has no answer")                                                        \
    X(rule, "a rule beside the spec is broken")                                                    \
    X(contradicts, "the record does not agree with itself")                                        \
    X(becomes_zero, "the machine has 0")                                                           \
    X(was_zero, "the model has 0")                                                                 \
    X(low_half, "the machine has the low 32 bits")                                                 \
    X(shifted, "the machine has it shifted")                                                       \
    X(attributes, "only bits beside an address differ")                                            \
    X(address, "only an address differs")                                                          \
    X(near, "the two are near to each other")                                                      \
    X(other, "the two have nothing in common")

enum triage_relation {
#define TRIAGE_ENUM(name, words) TRIAGE_##name,
    TRIAGE_RELATION_MAP(TRIAGE_ENUM)
#undef TRIAGE_ENUM
        TRIAGE_RELATIONS
};

const char *triage_relation_words(enum triage_relation relation);

struct triage_signature {
    enum trace_kind kind;
    char call[40];     /* the hypercall, or the class of the exception */
    char function[64]; /* "NPTWalk.set_npt", or "" */
    char effect[64];   /* "s2_set owner"; "" for registers and the end of the trap */
    char field[80];    /* "new", "out.elr", or "": the whole effect */
    enum triage_relation relation;
};

/* Of a difference of the trap that the twin has taken last. */
void triage_sign(const struct twin *twin, const struct trace_line *line,
                 const struct difference *difference, struct triage_signature *signature);
/* "pt_store pte": the kind of an effect, and the names that say what it is on. */
void triage_name_effect(const struct trace_effect *effect, char *text, size_t size);
/* "HVC_VCPU_RUN", "DABT_LOW": the hypercall of a trap, or its class. */
void triage_name_call(const struct trace_line *line, char *text, size_t size);
bool triage_is_same(const struct triage_signature *a, const struct triage_signature *b);

/* "host_hvc HVC_X, NPTWalk.set_npt, pt_store pte new: the machine has 0" */
void triage_print_signature(const struct triage_signature *signature, FILE *out);

/* The values of a difference that is one of numbers; false: of another one. */
bool triage_values(const struct difference *difference, uint64_t *model, uint64_t *machine);

/*
 * Which differences of a trap merely follow from one before, as bits: those with the same two
 * values, effects behind one another that only the machine has, registers at the end behind an
 * effect, and all behind the one where the two part ways: a call, a panic, or no answer.
 */
uint64_t triage_followers(const struct differences *found);

/* The difference that the others are looked at behind: the first. NULL: there is none. */
const struct difference *triage_lead(const struct differences *found);

/* What a difference is about, as a number: a page, a word, a field, a CPU's register. */
uint64_t triage_subject(const struct trace_line *line, const struct difference *difference);

#endif
