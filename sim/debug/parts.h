/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_PARTS_H
#define SIM_PARTS_H

#include <stdio.h>

#include <faulthandler/path.h>

/* The state as a tree: what stands below a path. */

struct part {
    const char *name; /* below its parent: a field, a component, the keys of a map's entry */
    const char *path; /* the whole, which fh_path_find reads */
    const struct fh_type *type;
    const void *place;
    int component; /* of a tuple; -1: none */
};

typedef void parts_told(void *context, const struct part *part);

/* The parts of `path` from the number `first` on, `count` of them; false: there is no such path. */
bool parts_visit(const struct fh_state *state, const char *path, uint64_t first, uint64_t count,
                 parts_told *told, void *context);
/* How many there are; 0: it has none. */
uint64_t parts_count(const struct fh_found *found);

/* A part in a line: its value, or how much is in it. */
void part_print(const struct fh_state *state, const struct part *part, FILE *out);

#endif
