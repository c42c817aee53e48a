/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_COMPARE_H
#define SIM_COMPARE_H

#include "machine/machine.h"
#include "predict/model.h"
#include "trace/trace.h"

/*
 * One way in which the machine did something else than was predicted. Of the effects at most one is
 * NULL, unless `path` names a register or the end of the trap.
 */
struct difference {
    const struct trace_effect *model;   /* NULL: the prediction has no such effect */
    const struct trace_effect *machine; /* NULL: the record has none */
    const struct trace_field *field;    /* the field that differs, if both have the effect */
    const char *path;                   /* for people: "owner", "out.elr"; NULL: the whole effect */
    uint64_t model_value;               /* where `path` is no field of an effect */
    uint64_t machine_value;
};

enum { DIFFERENCES_MAX = 64 };

/* The differences of one trap. `count` goes on where the list is full. */
struct differences {
    size_t count;
    struct difference list[DIFFERENCES_MAX];
};

void differ(struct differences *found, const struct difference *difference);
/* The same of a number that has no place in an effect, if there is a difference. */
void differ_in(struct differences *found, const char *path, uint64_t model, uint64_t machine);

static inline size_t differences_listed(const struct differences *found)
{
    return found->count < DIFFERENCES_MAX ? found->count : DIFFERENCES_MAX;
}

/*
 * Compare predicted effects with recorded ones, in order. Predicted ones say only what the model
 * knows: fields that they lack are not compared.
 */
void compare_effects(const struct trace_effect *model, size_t nmodel,
                     const struct trace_effect *machine, size_t nmachine,
                     struct differences *found);

/* Are the first `count` predicted effects those with which the record begins? */
bool compare_prefix(const struct trace_effect *model, size_t count,
                    const struct trace_effect *machine, size_t nmachine);

/* A prediction with the record of the trap, whole but for what the machine names as not comparable.
 */
void compare_prediction(const struct machine_description *machine,
                        const struct prediction *prediction, const struct trace_line *line,
                        struct differences *found);

/* What a record says twice must agree, whatever the machine is. */
void compare_with_itself(const struct machine_description *machine, const struct trace_line *line,
                         struct differences *found);

#endif
