/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_PATH_H
#define FAULTHANDLER_PATH_H

#include <faulthandler/profile.h>
#include <faulthandler/reflect.h>
#include <faulthandler/state.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Any part of a state by its path: fields of RData and keys of its maps, with dots between, as
 * deltas print them and scenarios have them:
 *
 *   shared.s2page.0x80000.s2_owner     regs.ctxt_regs.x0     log.S2PAGE_ID.length
 *
 * A key is a number, decimal or with 0x, or the name of a constant of the state's profile; `_` is
 * the default of a map. A map of maps takes as many keys as it has levels. A tuple has components:
 * shared.npts.0.pt.0x345.pte. Of a log there is its `length`.
 */

/* What a path names. `component` is that of a tuple, or -1. */
struct fh_found {
    const struct fh_type *type;
    const void *place;
    int component;
};

/* Why a path names nothing. */
enum fh_path_problem {
    FH_PATH_FOUND,
    FH_PATH_NO_NAME,    /* no field, component, or part of a log has this name */
    FH_PATH_NO_KEY,     /* neither a number nor a constant */
    FH_PATH_WIDE_KEY,   /* a key that its level of the map does not have */
    FH_PATH_ENDS_EARLY, /* the map needs more keys */
    FH_PATH_BELOW_VALUE /* what is named before it has no parts */
};

struct fh_path_error {
    enum fh_path_problem problem;
    size_t offset, length;      /* the word at fault, in the path */
    const struct fh_type *type; /* in which it was looked for */
};

/*
 * Find the part of `rdata` that `path` names, to read. False with the reason in *error (NULL: not
 * wanted). The whole state has the path "".
 */
FH_API bool fh_path_find(const struct fh_rdata *rdata, const struct fh_profile *profile,
                         const char *path, struct fh_found *found, struct fh_path_error *error);

/*
 * The number at a path: of a scalar or of a component. FH_UNKNOWN: the path names nothing.
 * FH_INVALID_ARGUMENT: what it names is no number.
 */
FH_API enum fh_status fh_get(const struct fh_state *state, const char *path, uint64_t *value);

/*
 * Set it, between calls: what fh_state_edit says holds here too. Also FH_INVALID_ARGUMENT where the
 * value does not fit, or the path names a default or a log; FH_NOMEM. Nothing has changed then.
 */
FH_API enum fh_status fh_set(struct fh_state *state, const char *path, uint64_t value);

/* The path in words: "no field 'owner' in s2page", for messages. As snprintf. */
FH_API size_t fh_path_error_format(const struct fh_path_error *error, const char *path,
                                   char *buffer, size_t size);

#ifdef __cplusplus
}
#endif

#endif
