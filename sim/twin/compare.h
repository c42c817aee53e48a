/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_COMPARE_H
#define SIM_COMPARE_H

#include "trace/trace.h"

struct deviation;

/*
 * One way in which the machine did something else than the model. Of the effects at most one is
 * NULL, unless `path` names a register or the status of the call.
 */
struct difference {
    const struct trace_effect *model;   /* NULL: the model has no such effect */
    const struct trace_effect *machine; /* NULL: the machine has none */
    const struct trace_field *field;    /* the field that differs, if both have the effect */
    const char *path;                   /* for people: "owner", "out.elr"; NULL: the whole effect */
    uint64_t model_value;               /* where `path` is no field of an effect */
    uint64_t machine_value;
    const struct deviation *deviation; /* the explanation, or NULL */
};

enum { DIFFERENCES_MAX = 64 };

/* The differences of one trap. `count` goes on where the list is full. */
struct differences {
    size_t count;
    struct difference list[DIFFERENCES_MAX];
};

void differ(struct differences *found, const struct difference *difference);

static inline size_t differences_listed(const struct differences *found)
{
    return found->count < DIFFERENCES_MAX ? found->count : DIFFERENCES_MAX;
}

/*
 * Compare the effects of the model with those of the machine, in order. Effects of the model say
 * only what the model knows: fields that they lack are not compared.
 */
void compare_effects(const struct trace_effect *model, size_t nmodel,
                     const struct trace_effect *machine, size_t nmachine,
                     struct differences *found);

#endif
