/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/scenario.h"

#include <string.h>

/*
 * The key `semantics`: which of the functions whose verified body departs from their spec run as
 * their bodies. `spec`: none; `code`: all; or a list of their names.
 */

static bool load_name(struct reader *reader, const struct node *node, uint32_t *set)
{
    const char *name, *names[FH_CODE_COUNT];
    uint32_t found;
    if (!reader_text(reader, node, "a function", &name))
        return false;
    if (strcmp(name, "spec") != 0 && strcmp(name, "code") != 0 && fh_semantics_find(name, &found)) {
        *set |= found;
        return true;
    }
    for (unsigned code = 0; code < FH_CODE_COUNT; code++)
        names[code] = fh_semantics_name(code);
    return reader_unknown(reader, node, "function with a body of its own", names, FH_CODE_COUNT);
}

bool scenario_load_semantics(struct reader *reader, struct scenario *scenario,
                             const struct node *root)
{
    static const char *const words[] = {"spec", "code"};
    const struct node *node = node_get(root, "semantics");
    uint32_t set = FH_SEMANTICS_SPEC;
    if (!node)
        return true;
    if (node->kind == NODE_LIST) {
        for (size_t i = 0; i < node->count; i++) {
            if (!load_name(reader, &node->items[i], &set))
                return false;
        }
    } else if (node_is(node, "code")) {
        set = FH_SEMANTICS_CODE;
    } else if (!node_is(node, "spec")) {
        return reader_unknown(reader, node, "semantics", words, 2);
    }
    fh_state_set_semantics(scenario->state, set);
    return true;
}
