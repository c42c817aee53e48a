/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/scenario.h"

#include <inttypes.h>
#include <string.h>

#include "patch/paths.h"

/* --- call ------------------------------------------------------------------------------------ */

static bool unknown_function(struct reader *reader, const struct node *node)
{
    const struct fh_function *function;
    unsigned count = 0;
    while (fh_function_at(count))
        count++;
    const char **names = arena_alloc(reader->arena, count * sizeof *names);
    for (unsigned i = 0; (function = fh_function_at(i)); i++)
        names[i] = function->name;
    return reader_unknown(reader, node, "function", names, count);
}

static bool load_arg(struct reader *reader, struct step *step, unsigned i, const struct node *node)
{
    uint64_t most = step->function->arg_bits[i] == 32 ? UINT32_MAX : UINT64_MAX;
    return reader_number(reader, node, step->function->arg_names[i], 0, most, &step->args[i]);
}

static bool wrong_count(struct reader *reader, const struct step *step, const struct node *node)
{
    char names[120] = "";
    for (unsigned i = 0; i < step->function->nargs; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "",
                 step->function->arg_names[i]);
    }
    return reader_error(reader, node, "%s takes %u argument%s (%s), not %zu", step->function->name,
                        step->function->nargs, step->function->nargs == 1 ? "" : "s", names,
                        node->count);
}

static bool load_named_args(struct reader *reader, struct step *step, const struct node *map)
{
    const struct fh_function *function = step->function;
    for (size_t i = 0; i < map->count; i++) {
        unsigned arg = 0;
        while (arg < function->nargs && strcmp(function->arg_names[arg], map->keys[i].text) != 0)
            arg++;
        if (arg == function->nargs)
            return reader_unknown(reader, &map->keys[i], "argument", function->arg_names,
                                  function->nargs);
        if (!load_arg(reader, step, arg, &map->items[i]))
            return false;
    }
    return map->count == function->nargs || wrong_count(reader, step, map);
}

static bool load_args(struct reader *reader, struct step *step, const struct node *args)
{
    static const struct node none = {.kind = NODE_LIST};
    if (!args && step->function->nargs > 0) {
        struct node absent = none;
        absent.line = step->node->line;
        absent.column = step->node->column;
        return wrong_count(reader, step, &absent);
    }
    if (!args)
        return true;
    if (args->kind == NODE_MAP)
        return load_named_args(reader, step, args);
    if (args->kind != NODE_LIST)
        return reader_error(reader, args, "'args' must be a list, or a map by name");
    if (args->count != step->function->nargs)
        return wrong_count(reader, step, args);
    for (unsigned i = 0; i < step->function->nargs; i++) {
        if (!load_arg(reader, step, i, &args->items[i]))
            return false;
    }
    return true;
}

/* `as`: the vCPU on whose behalf KCore runs, with its registers. */
static bool load_actor(struct reader *reader, struct actor *actor, const struct node *node)
{
    static const char *const keys[] = {"vmid", "vcpuid", NULL};
    if (!node)
        return true;
    actor->given = true;
    return reader_map(reader, node, "'as'") &&
           scenario_load_registers(reader, node, keys, &actor->registers) &&
           (node_get(node, "vmid") || reader_error(reader, node, "'as' needs the key 'vmid'")) &&
           reader_constant_at(reader, node, "vmid", 0, READER_UP_TO(COREVISOR), 0, &actor->vmid) &&
           reader_constant_at(reader, node, "vcpuid", 0, READER_UP_TO(VCPU_PER_VM), 1,
                              &actor->vcpuid);
}

static bool load_call(struct reader *reader, struct scenario *scenario, struct step *step,
                      const struct node *node)
{
    static const char *const keys[] = {"call",   "args", "as",        "name",   "cpu",  "repeat",
                                       "events", "data", "core_data", "expect", "spec", NULL};
    const struct node *name = node_get(node, "call");
    const char *text;
    if (!reader_keys(reader, node, "a call", keys) || !reader_text(reader, name, "call", &text))
        return false;
    step->function = fh_function_find(text);
    if (!step->function)
        return unknown_function(reader, name);
    step->title = scenario_title(reader, "call", step->function->name);
    return load_args(reader, step, node_get(node, "args")) &&
           load_actor(reader, &step->actor, node_get(node, "as")) &&
           scenario_load_step_script(reader, scenario, step, node);
}

/* --- set, check ------------------------------------------------------------------------------ */

static bool load_set(struct reader *reader, struct scenario *scenario, struct step *step,
                     const struct node *node)
{
    static const char *const keys[] = {"set", "name", "cpu", NULL};
    step->patch = node_get(node, "set");
    step->title = "set";
    if (!reader_keys(reader, node, "a step that sets", keys))
        return false;
    step->patch = paths_expand(reader, step->patch);
    return step->patch && scenario_try_patch(reader, scenario, step->patch);
}

static bool load_check(struct reader *reader, struct scenario *scenario, struct step *step,
                       const struct node *node)
{
    static const char *const keys[] = {"check", "spec", "name", "cpu", NULL};
    if (node_get(node, "check")->kind == NODE_STRING)
        return scenario_load_invariant_check(reader, scenario, step, node);
    step->title = "check";
    const struct node *values = node_get(node, scenario->is_beside ? "spec" : "check");
    return reader_keys(reader, node, "a check", keys) &&
           (!values || scenario_load_values(reader, scenario, &step->expect, values));
}

/* --- All steps ------------------------------------------------------------------------------- */

struct step_form {
    const char *key;
    enum step_kind kind;
    bool (*load)(struct reader *reader, struct scenario *scenario, struct step *step,
                 const struct node *node);
};

static const struct step_form forms[] = {
    {"trap", STEP_TRAP, scenario_load_trap},
    {"call", STEP_CALL, load_call},
    {"set", STEP_SET, load_set},
    {"check", STEP_CHECK, load_check},
    {"access", STEP_ACCESS, scenario_load_access},
};

/* The one of `trap`, `call`, ... that a step has; NULL after a report. */
static const struct step_form *form_of(struct reader *reader, const struct node *node)
{
    static const char *const words[] = {"trap",   "call", "set", "check",
                                        "access", "name", "cpu", NULL};
    const struct step_form *found = NULL;
    if (!reader_map(reader, node, "a step"))
        return NULL;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        /* A trap has an `access`, too. */
        const bool is_of_trap = forms[i].kind == STEP_ACCESS && found && found->kind == STEP_TRAP;
        if (!node_get(node, forms[i].key) || is_of_trap)
            continue;
        if (found) {
            reader_error(reader, node, "a step is a '%s' or a '%s', not both", found->key,
                         forms[i].key);
            return NULL;
        }
        found = &forms[i];
    }
    /* A misspelt kind is more likely than none. */
    if (!found && (node->count == 0 || reader_keys(reader, node, "a step", words)))
        reader_error(reader, node,
                     "a step needs one of 'trap', 'access', 'call', 'set' and 'check'");
    return found;
}

/* `spec` is for the play without the departure that the scenario shows. */
static bool shows_if_spec(struct reader *reader, const struct scenario *scenario,
                          const struct node *node)
{
    return !node || scenario->shows ||
           reader_error(reader, node,
                        "'spec' is what happens without what the scenario 'shows', "
                        "which this one does not say");
}

static bool load_step(struct reader *reader, struct scenario *scenario, struct step *step,
                      const struct node *node)
{
    const struct step_form *form = form_of(reader, node);
    if (!form)
        return false;
    *step = (struct step){
        .kind = form->kind, .node = node, .repeat = 1, .cpu_node = node_get(node, "cpu")};
    return form->load(reader, scenario, step, node) &&
           reader_constant_at(reader, node, "cpu", 0, READER_UP_TO(TOTAL_CPU), 1, &step->cpu) &&
           reader_text_at(reader, node, "name", &step->title) &&
           reader_number_at(reader, node, "repeat", 1, SCENARIO_MAX_REPEAT, &step->repeat) &&
           shows_if_spec(reader, scenario, node_get(node, "spec")) &&
           (form->kind == STEP_CHECK ||
            scenario_load_expect(reader, scenario, step,
                                 node_get(node, scenario->is_beside ? "spec" : "expect")));
}

bool scenario_load_steps(struct reader *reader, struct scenario *scenario, const struct node *list)
{
    if (!reader_list(reader, list, "'steps'"))
        return false;
    if (list->count == 0)
        return reader_error(reader, list, "a scenario needs at least one step");
    scenario->steps = arena_alloc(reader->arena, list->count * sizeof *scenario->steps);
    scenario->nsteps = list->count;
    for (size_t i = 0; i < list->count; i++) {
        if (!load_step(reader, scenario, &scenario->steps[i], &list->items[i]))
            return false;
    }
    return true;
}
