/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_PATHS_H
#define SIM_PATHS_H

#include "patch/reader.h"

/*
 * A patch in which keys are single names: "shared.npts.0.pt: X" stands for maps one inside the
 * other, and keys that begin alike share them. NULL, with a message at its place, if one part of
 * the state is said twice.
 */
const struct node *paths_expand(struct reader *reader, const struct node *patch);

#endif
