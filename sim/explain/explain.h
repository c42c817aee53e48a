/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLAIN_EXPLAIN_H
#define SIM_EXPLAIN_EXPLAIN_H

#include <stdio.h>

#include <faulthandler/machine.h>
#include <faulthandler/scene.h>

#include "explain/joined.h"

enum { EXPLAIN_REGIONS = 8 };

/* A text that is explained: a file's, or the values of the command line. */
struct explained {
    const char *name;                 /* of the file; NULL: the command line */
    const char *text;                 /* NULL: the command line */
    const struct fh_machine *machine; /* of which KCore's part is told; NULL: of none */
    const struct finds *finds;
    struct fh_scene_region regions[EXPLAIN_REGIONS]; /* memory of that machine, the host's */
    size_t nregions;
};

/* A state of the machine with that memory; NULL where it cannot be. */
struct fh_state *explain_state(const struct explained *explained);

/* What KCore of a machine does with such a trap. */
void say_machine(const struct joined *joined, const struct explained *explained, saying *say,
                 void *context);

/* Where the spec keeps a register, and whether an access of a VM to it is taken. */
void say_spec_place(const struct fh_arm_register *reg, const struct fh_machine *machine,
                    saying *say, void *context);
void say_taken(const struct fh_arm_register *reg, bool is_write, const struct fh_machine *machine,
               saying *say, void *context);

/* What KCore calls the attributes and marks of a descriptor. */
void say_descriptor(const struct found *found, const struct fh_machine *machine, saying *say,
                    void *context);

void print_text(const struct explained *explained, FILE *out);
void print_json(const struct explained *explained, FILE *out);

/* The beginning of the line of the text that has the first item; its length is returned. */
size_t line_of(const struct explained *explained, const struct found *found, const char **line);

#endif
