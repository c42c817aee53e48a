/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/scenario.h"

#include <string.h>

#include "patch/number.h"
#include "patch/paths.h"

/* --- Values by path -------------------------------------------------------------------------- */

static bool read_word(struct reader *reader, const struct fh_type *type, const struct node *node,
                      uint64_t *value)
{
    for (unsigned i = 0; i < type->nfields; i++) {
        if (node_is(node, type->names[i])) {
            *value = i;
            return true;
        }
    }
    if (node->kind == NODE_STRING)
        return reader_unknown(reader, node, type->name, type->names, type->nfields);
    return reader_error(reader, node, "a word is needed, such as '%s'", type->names[0]);
}

static bool read_flag(struct reader *reader, const struct node *node, uint64_t *value)
{
    bool flag;
    if (!reader_flag(reader, node, "the value", &flag))
        return false;
    *value = flag;
    return true;
}

static bool read_signed(struct reader *reader, const struct node *node, uint64_t *value)
{
    if (node->kind == NODE_NUMBER && node->negative && !node->wide) {
        *value = node->number;
        return true;
    }
    return reader_number(reader, node, "the value", 0, INT64_MAX, value);
}

static bool read_tuple(struct reader *reader, const struct fh_type *type, const struct node *node,
                       struct state_value *value)
{
    if (node->kind != NODE_LIST || node->count != type->nfields)
        return reader_error(reader, node, "a list of %u numbers is needed: %s, %s%s%s",
                            type->nfields, type->names[0], type->names[1],
                            type->nfields > 2 ? ", " : "", type->nfields > 2 ? type->names[2] : "");
    value->count = type->nfields;
    for (unsigned i = 0; i < type->nfields; i++) {
        if (!reader_number(reader, &node->items[i], type->names[i], 0, UINT64_MAX,
                           &value->numbers[i]))
            return false;
    }
    return true;
}

static bool read_value(struct reader *reader, const struct patch_place *place,
                       const struct node *node, struct state_value *value)
{
    value->count = 1;
    if (place->component >= 0)
        return reader_number(reader, node, "the value", 0, UINT64_MAX, &value->numbers[0]);
    switch (place->type->kind) {
    case FH_KIND_BOOL: return read_flag(reader, node, &value->numbers[0]);
    case FH_KIND_U32:
        return reader_number(reader, node, "the value", 0, UINT32_MAX, &value->numbers[0]);
    case FH_KIND_U64:
        return reader_number(reader, node, "the value", 0, UINT64_MAX, &value->numbers[0]);
    case FH_KIND_I64: return read_signed(reader, node, &value->numbers[0]);
    case FH_KIND_ENUM: return read_word(reader, place->type, node, &value->numbers[0]);
    case FH_KIND_TUPLE: return read_tuple(reader, place->type, node, value);
    default:
        return reader_error(reader, node, "'%s' is no single value: name what is in it",
                            value->path);
    }
}

/* Values at the leaves of a map; a key may be a whole path or one step of it. */
static size_t count_leaves(const struct node *map)
{
    size_t leaves = 0;
    for (size_t i = 0; i < map->count; i++) {
        const struct node *item = &map->items[i];
        leaves += item->kind == NODE_MAP ? count_leaves(item) : 1;
    }
    return leaves;
}

static const char *join(struct arena *arena, const char *prefix, const char *key)
{
    size_t length = strlen(prefix) + strlen(key) + 1;
    char *path = arena_alloc(arena, length + 1);
    snprintf(path, length + 1, "%s%s%s", prefix, *prefix ? "." : "", key);
    return path;
}

static bool load_leaves(struct reader *reader, struct scenario *scenario, struct expect *expect,
                        const char *prefix, const struct node *map)
{
    struct patch_numbers numbers = number_patches(scenario->profile);
    for (size_t i = 0; i < map->count; i++) {
        const struct node *item = &map->items[i];
        const char *path = join(reader->arena, prefix, map->keys[i].text);
        struct patch_place place;
        struct patch_error error;
        if (!patch_find(fh_state_rdata(scenario->state), path, &numbers, &place, &error))
            return reader_patch_error(reader, &map->keys[i], &error);
        if (item->kind == NODE_MAP) {
            if (!load_leaves(reader, scenario, expect, path, item))
                return false;
            continue;
        }
        struct state_value *value = &expect->values[expect->nvalues++];
        *value = (struct state_value){.node = item, .path = path};
        if (!read_value(reader, &place, item, value))
            return false;
    }
    return true;
}

/* Room for `more` values behind those that are there. */
static void reserve(struct reader *reader, struct expect *expect, size_t more)
{
    struct state_value *values =
        arena_alloc(reader->arena, (expect->nvalues + more + 1) * sizeof *values);
    if (expect->nvalues > 0)
        memcpy(values, expect->values, expect->nvalues * sizeof *values);
    expect->values = values;
}

bool scenario_load_values(struct reader *reader, struct scenario *scenario, struct expect *expect,
                          const struct node *map)
{
    if (!reader_map(reader, map, "the values of the state"))
        return false;
    reserve(reader, expect, count_leaves(map));
    return load_leaves(reader, scenario, expect, "", map);
}

/* `x`: what a trap leaves in the general registers, by number. */
static bool load_returned(struct reader *reader, struct step *step, const struct node *map)
{
    enum { GENERAL_REGISTERS = 31 };
    struct expect *expect = &step->expect;
    if (!map)
        return true;
    if (step->kind != STEP_TRAP)
        return reader_error(reader, map,
                            "'x' is what a trap leaves in the registers: this is none");
    if (!reader_map(reader, map, "'x'"))
        return false;
    reserve(reader, expect, map->count);
    for (size_t i = 0; i < map->count; i++) {
        uint64_t number;
        char path[32];
        struct state_value *value = &expect->values[expect->nvalues++];
        *value = (struct state_value){.node = &map->items[i], .count = 1};
        if (!reader_number(reader, &map->keys[i], "general register", 0, GENERAL_REGISTERS - 1,
                           &number) ||
            !reader_number(reader, &map->items[i], "x", 0, UINT64_MAX, &value->numbers[0]))
            return false;
        int length = snprintf(path, sizeof path, "regs.ctxt_regs.x%u", (unsigned)number);
        value->path = arena_strdup(reader->arena, path, (size_t)length);
    }
    return true;
}

/* --- expect ---------------------------------------------------------------------------------- */

bool scenario_try_patch(struct reader *reader, struct scenario *scenario, const struct node *patch)
{
    struct patch_numbers numbers = number_patches(scenario->profile);
    struct patch_error error = {0};
    if (!reader_map(reader, patch, "a patch"))
        return false;
    struct fh_state *trial = fh_state_fork(scenario->state);
    struct fh_rdata *adt = trial ? fh_state_edit(trial) : NULL;
    bool fits = adt ? patch_apply(fh_rdata_type(), adt, fh_state_allocator(trial), patch, &numbers,
                                  NULL, &error) ||
                          reader_patch_error(reader, patch, &error)
                    : reader_error(reader, patch, "out of memory");
    fh_state_free(trial);
    return fits;
}

static bool load_result(struct reader *reader, struct step *step, const struct node *node)
{
    const struct fh_function *function = step->function;
    bool is_wide = function &&
                   (function->result == FH_RETURNS_u64 || function->result == FH_RETURNS_state_u64);
    if (!node)
        return true;
    if (!function || !fh_function_returns_value(function))
        return reader_error(reader, node, "%s returns no value", step->title);
    step->expect.has_result = true;
    return reader_number(reader, node, "result", 0, is_wide ? UINT64_MAX : UINT32_MAX,
                         &step->expect.result);
}

/* A flag, or where and why: a word that must be in it. */
static bool load_end(struct reader *reader, const struct node *map, const char *key, bool *flag,
                     const char **where)
{
    const struct node *node = node_get(map, key);
    if (!node)
        return true;
    if (node->kind == NODE_BOOL) {
        *flag = node->boolean;
        return true;
    }
    *flag = true;
    return reader_text(reader, node, key, where);
}

/* A flag; or where and why KCore panics, as a word or as two. */
static bool load_halted(struct reader *reader, struct expect *expect, const struct node *node)
{
    static const char *const keys[] = {"function", "condition", NULL};
    if (!node)
        return true;
    if (node->kind != NODE_BOOL && node->kind != NODE_MAP && node->kind != NODE_STRING)
        return reader_error(reader, node,
                            "halted must be true or false, or where and why KCore panics");
    expect->has_halted = true;
    if (node->kind == NODE_BOOL)
        return reader_flag(reader, node, "halted", &expect->halted);
    expect->halted = true;
    if (node->kind == NODE_MAP)
        return reader_keys(reader, node, "'halted'", keys) &&
               reader_text_at(reader, node, "function", &expect->halted_function) &&
               reader_text_at(reader, node, "condition", &expect->halted_condition);
    return reader_text(reader, node, "halted", &expect->halted_where);
}

static bool load_changes(struct reader *reader, struct expect *expect, const struct node *node)
{
    static const char *const none[] = {"none"};
    if (!node)
        return true;
    expect->unchanged = node_is(node, none[0]);
    if (expect->unchanged)
        return true;
    if (node->kind == NODE_STRING)
        return reader_unknown(reader, node, "value of 'changes'", none, 1);
    return reader_error(reader, node, "'changes' must be 'none'");
}

/* Texts of effects that come directly behind one another. */
static bool load_effects(struct reader *reader, struct scenario *scenario, struct step *step,
                         const struct node *list)
{
    const char *text;
    if (!list)
        return true;
    if (!reader_list(reader, list, "'effects'"))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        if (!reader_text(reader, &list->items[i], "an effect", &text))
            return false;
    }
    step->expect.effects = list;
    scenario->looks_at_effects = true;
    return true;
}

/* What says nothing about a call that the spec does not define. */
static bool is_consistent(struct reader *reader, const struct expect *expect)
{
    if (expect->delta && expect->unchanged)
        return reader_error(reader, expect->node, "'delta' and 'changes' exclude one another");
    const int refusals = expect->stuck + expect->unrepresentable + expect->disagrees;
    if (expect->died + expect->hangs + refusals > 1)
        return reader_error(reader, expect->node,
                            "'stuck', 'died', 'hangs', 'unrepresentable' and 'disagrees' exclude "
                            "one another");
    if (refusals == 0)
        return true;
    if (expect->has_result || expect->has_halted || expect->delta || expect->unchanged)
        return reader_error(reader, expect->node,
                            "a call that is refused returns and changes nothing: "
                            "nothing but 'state' can be expected beside it");
    return true;
}

bool scenario_load_expect(struct reader *reader, struct scenario *scenario, struct step *step,
                          const struct node *node)
{
    static const char *const keys[] = {
        "result", "halted", "stuck", "died", "hangs", "unrepresentable", "disagrees", "changes",
        "delta", "effects", "state", "x", "rules",
        /* of an access */
        "end", "value", "tries", "pa", "stale", "foreign", "fault", "handled", NULL};
    struct expect *expect = &step->expect;
    if (!node)
        return true;
    if (!reader_keys(reader, node, "'expect'", keys))
        return false;
    expect->node = node;
    if (node_get(node, "delta") && !(expect->delta = paths_expand(reader, node_get(node, "delta"))))
        return false;
    const struct node *values = node_get(node, "state");
    return load_result(reader, step, node_get(node, "result")) &&
           load_halted(reader, expect, node_get(node, "halted")) &&
           reader_flag_at(reader, node, "unrepresentable", &expect->unrepresentable) &&
           reader_flag_at(reader, node, "disagrees", &expect->disagrees) &&
           load_end(reader, node, "stuck", &expect->stuck, &expect->stuck_where) &&
           load_end(reader, node, "died", &expect->died, &expect->died_where) &&
           load_end(reader, node, "hangs", &expect->hangs, &expect->hangs_where) &&
           load_changes(reader, expect, node_get(node, "changes")) &&
           (!expect->delta || scenario_try_patch(reader, scenario, expect->delta)) &&
           (!values || scenario_load_values(reader, scenario, expect, values)) &&
           load_returned(reader, step, node_get(node, "x")) &&
           load_effects(reader, scenario, step, node_get(node, "effects")) &&
           scenario_load_expected_rules(reader, step, node_get(node, "rules")) &&
           scenario_load_access_expect(reader, step, node) && is_consistent(reader, expect);
}
