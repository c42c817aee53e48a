/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_PATCH_H
#define SIM_PATCH_H

#include <faulthandler/faulthandler.h>

#include "base/node.h"

/*
 * Patches: partial descriptions of a state, as the vectors and scenarios have them. A record is a
 * map from field names, a map is a map from keys, each applied to what is there; the key "_" resets
 * a map to a default first. See docs/scenario-format.md.
 */

/* How a patch went wrong, and where. */
struct patch_error {
    const struct node *node; /* the part at fault */
    char message[256];
    bool unrepresentable;   /* a number that has no place in the state */
    const char *suggestion; /* the nearest valid name, or NULL */
};

/* Turns a scalar's text into a number for the patch (constants by name, "4K"); NULL: none do. */
struct patch_numbers {
    bool (*parse)(void *context, const char *text, size_t length, uint64_t *value);
    /* What may be meant by a text that is no number; NULL: nothing comes near. */
    const char *(*suggest)(void *context, const char *text, size_t length);
    void *context;
};

/*
 * Apply `patch` to the value at `place`, which belongs to nobody else. Keys that name no field of
 * the type are errors, but for those of `ignored` (NULL-terminated, may be NULL) at the top.
 */
bool patch_apply(const struct fh_type *type, void *place, const struct fh_allocator *allocator,
                 const struct node *patch, const struct patch_numbers *numbers,
                 const char *const *ignored, struct patch_error *error);

/*
 * Where the objects are that locks protect: snapshot events are written relative to them. The lock
 * with the id npt_id + vmid protects npts[vmid], info_id + vmid protects vminfos[vmid]; an event in
 * the log of any other lock is relative to an object that is zero and empty. Without `shared` all
 * are.
 */
struct patch_objects {
    const struct fh_shared *shared;
    uint64_t npt_id;
    uint64_t info_id;
    bool has_negatives;            /* see patch_apply_rdata */
    enum fh_log_policy log_policy; /* how much of the events a log keeps */
};

/*
 * The same for the data of a state, with the objects that the first snapshots in `log` are relative
 * to (patch_apply takes the all-zero ones). They must not be those that the patch writes to.
 *
 * The keys of shadow_ctxts and the vCPU of an event OVM_INACTIVE may be negative. In a recorded
 * delta a negative number is written as a 64-bit word: with `has_negatives`, words from 2^63 on
 * stand for the negative numbers there. (Only a call with a negative cur_vcpuid computes such
 * numbers, and it computes no others from 2^63 on.)
 */
bool patch_apply_rdata(struct fh_rdata *rdata, const struct fh_allocator *allocator,
                       const struct node *patch, const struct patch_objects *objects,
                       const struct patch_numbers *numbers, const char *const *ignored,
                       struct patch_error *error);

/*
 * Find a place by its path, "shared.npts.0.pt.2960" or "shared.npts.0.pt.2960.pte", keys as numbers
 * or as `numbers` reads them. *component is the index of a tuple's component, or -1.
 */
struct patch_place {
    const struct fh_type *type;
    const void *place;
    int component;
};
bool patch_find(const struct fh_rdata *rdata, const char *path, const struct patch_numbers *numbers,
                struct patch_place *found, struct patch_error *error);

/*
 * The value at a place as text: 17, 0x8000, ACTIVE, true, own, [0xb90, 3, 0xb8ffff]. `name` is the
 * field that has it, or NULL; or it is in a path.
 */
void value_print(const struct fh_profile *k, const char *name, const struct fh_type *type,
                 const void *place, FILE *out);
void value_print_at(const struct fh_profile *k, const struct fh_path *path,
                    const struct fh_type *type, const void *place, FILE *out);

/* "shared.npts.1.pt.0x10", "lock.NPT_ID+1": a path that patch_find reads. */
void path_print(const struct fh_profile *k, const struct fh_path *path, FILE *out);
void path_format(const struct fh_profile *k, const struct fh_path *path, char *text, size_t size);

/* An event as the vectors write it: [2,"WAIT_LOCK",10]; a snapshot without its object. */
void event_print(const struct fh_event *event, FILE *out);

/*
 * A list of events of the log with this id, oldest first, as new events that belong to the caller.
 * The array comes from the allocator too, count * sizeof(struct fh_event *).
 */
bool patch_read_events(const struct node *list, uint64_t id, const struct patch_objects *objects,
                       const struct fh_allocator *allocator, struct fh_event ***events,
                       size_t *count, struct patch_error *error);
void patch_free_events(struct fh_event **events, size_t count,
                       const struct fh_allocator *allocator);

/*
 * A list of events as the vectors write them, appended to `log` (WAIT_LOCK with its object patches
 * relative to `object`, or to the last snapshot in the list).
 */
bool patch_append_events(struct fh_log *log, const struct node *events,
                         const struct fh_allocator *allocator, const struct fh_type *object_type,
                         const void *object, struct patch_error *error);

#endif
