/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_DELTA_H
#define FAULTHANDLER_DELTA_H

#include <faulthandler/reflect.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What differs between two snapshots, at a cost that follows the differences: parts that the two
 * share are skipped. Places come in the order of fields.h, map entries by key.
 */

/* One step of a path: a field, or the key of a map (all its keys, for nested maps). */
struct fh_step {
    const char *field; /* NULL: a key */
    bool is_fallback;  /* the default of a map: the key "_" */
    unsigned nkeys;
    uint64_t keys[FH_MAP_DEPTH_MAX];
};

#define FH_PATH_MAX 10

struct fh_path {
    struct fh_step steps[FH_PATH_MAX];
    unsigned length;
};

/*
 * A place that differs. `type` is that of a scalar, a tuple or a log; `before` and `after` point to
 * its values. Valid during the call of the visitor.
 */
struct fh_change {
    const struct fh_path *path;
    const struct fh_type *type;
    const void *before;
    const void *after;
};

/* A visitor that returns false ends the walk. */
typedef bool fh_change_visit(void *context, const struct fh_change *change);

/* Returns false if the visitor ended the walk. */
FH_API bool fh_delta(const struct fh_rdata *before, const struct fh_rdata *after,
                     fh_change_visit *visit, void *context);

/* The same for two values of one type, such as the objects of two snapshot events. */
FH_API bool fh_delta_values(const struct fh_type *type, const void *before, const void *after,
                            fh_change_visit *visit, void *context);

/* Do two logs say the same? (Length, lock summary, and the events that both list.) */
FH_API bool fh_log_equal(const struct fh_log *a, const struct fh_log *b);
FH_API bool fh_event_equal(const struct fh_event *a, const struct fh_event *b);

/*
 * Write a path as text, "shared.npts.0.pt.2960", terminated when size > 0; returns the length that
 * it needs.
 */
FH_API size_t fh_path_format(const struct fh_path *path, char *buffer, size_t size);

#ifdef __cplusplus
}
#endif

#endif
