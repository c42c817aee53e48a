/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_APPLY_H
#define SIM_APPLY_H

#include "patch/patch.h"

/* What patch.c and patch_events.c share: one application of a patch, on its way through a type. */
struct applier {
    const struct fh_allocator *allocator;
    const struct patch_numbers *numbers;
    const struct patch_objects *objects; /* NULL: all-zero ones */
    const struct fh_type *object_type;   /* without objects: the object of one lock */
    const void *object;
    uint64_t key; /* of the map entry that stands around this place */
    struct patch_error *error;
    size_t path_length;
    char path[120];
};

/* Note what is wrong with `node`, behind the path of the place. Returns false. */
__attribute__((format(printf, 3, 4))) bool
patch_fail(struct applier *applier, const struct node *node, const char *format, ...);
bool patch_no_memory(struct applier *applier, const struct node *node);

/* The same for a number that has no place in the state. */
bool patch_unrepresentable(struct applier *applier, const struct node *node, const char *why);

/* One step down the path; returns what patch_leave wants to go back. */
size_t patch_enter(struct applier *applier, const char *name);
void patch_leave(struct applier *applier, size_t path_length);

/* The non-negative 64-bit number that `node` says. */
bool patch_number(struct applier *applier, const struct node *node, uint64_t *value);

/*
 * The number that `node` says where numbers may be negative: *value has 64 bits of its two's
 * complement.
 */
bool patch_any_number(struct applier *applier, const struct node *node, uint64_t *value,
                      bool *negative);

bool patch_value(struct applier *applier, const struct fh_type *type, void *place,
                 const struct node *patch);
bool patch_log(struct applier *applier, struct fh_log *log, const struct node *patch);

#endif
