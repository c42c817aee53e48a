/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_REDUCE_SCENARIO_H
#define SIM_REDUCE_SCENARIO_H

#include "scenario/play.h"
#include "reduce/reduce.h"

/* What reduce_scenario.c and reduce_machine.c share: one scenario being written. */

enum { HEX_FROM = 4096 };

struct writer {
    const struct reduction *reduction;
    const struct fh_profile *k;
    const char *trace; /* what reports call it */
    const struct trace_line *line;
    const struct trace_line *boot;
    struct reduce_model model;   /* before the trap */
    char *comments;              /* about them */
    const struct fh_rdata *base; /* the state of the machine alone; NULL: not known yet */
    const struct outcome *played;
    FILE *out;
};

/* A text that grows; its end. The program ends when there is no memory. */
FILE *writer_memory(char **text, size_t *length);

void writer_word(uint64_t value, FILE *out);

/* Is the trap one with which the host runs a vCPU? The machine's calls say so. */
bool writer_is_run(const struct writer *writer);

/* The machine of the boot line, what the spec leaves open, and the state before the trap. */
void writer_machine(struct writer *writer);
void writer_parameters(struct writer *writer);
void writer_state(struct writer *writer);

/* Prints values by path, neighbours below one another, as maps in maps. */
enum { LEVELS_MAX = 16, WORD_MAX = 64 };
struct nest {
    FILE *out;
    int indent;
    unsigned depth; /* of the last path, with its words */
    char words[LEVELS_MAX][WORD_MAX];
    size_t count;
};
void nest_put(struct nest *nest, const char *path, const char *value);

#endif
