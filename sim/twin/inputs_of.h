/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_INPUTS_OF_H
#define SIM_INPUTS_OF_H

#include "machine/machine.h"
#include "predict/trap_inputs.h"
#include "trace/trace.h"

/* The number of a register in the model, from that in records. */
uint64_t twin_register(const struct machine_description *machine, uint64_t recorded);

/* Answers, in memory that is used again. */
struct answers {
    struct answer *list;
    size_t count, size;
};

/*
 * The inputs of a recorded trap: of what the machine did nothing but the answers of declared
 * oracles. They stand in `answers`.
 */
struct trap_inputs inputs_of(const struct machine_description *machine,
                             const struct trace_line *line, struct answers *answers);

#endif
