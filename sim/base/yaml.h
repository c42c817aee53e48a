/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_YAML_H
#define SIM_YAML_H

#include "base/source.h"

/*
 * Parse a YAML text of one document into a tree in `arena`. Anchors, aliases, tags, duplicate keys,
 * keys that are not plain values, a second document and nesting beyond 64 levels are refused.
 * Plain scalars become booleans (true, false), null (~, null, nothing), and numbers (decimal);
 * all others are strings. Returns NULL after reporting what is wrong.
 */
const struct node *yaml_parse(struct source *source, struct arena *arena);

#endif
