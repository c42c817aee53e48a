/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_SCRIPT_H
#define SIM_SCRIPT_H

#include "patch.h"

/*
 * An environment that answers from tables and formulas: the one of the vectors, and of scenarios.
 * Built-in answers: none (every oracle silent, data 0) and the formulas of the vectors' README;
 * lists of events for a lock at a log length, and a table of data values, come on top.
 */
struct script;

/* `vectors`: the formulas of the vectors; otherwise the library's defaults. */
struct script *script_new(const struct fh_allocator *allocator, bool vectors);
void script_free(struct script *script);

/* The environment, to put into a state. It refers to the script. */
struct fh_environment script_environment(struct script *script);

/*
 * Take the keys `oracle`, `soracle`, `doracle` and `core_doracle` from `init` (README of the
 * vectors). Event patches are relative to the objects in `rdata`.
 */
bool script_load(struct script *script, const struct node *init, const struct fh_rdata *rdata,
                 const struct fh_profile *profile, struct patch_error *error);

#endif
