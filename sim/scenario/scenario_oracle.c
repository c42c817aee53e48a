/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/scenario.h"

#include <string.h>

#include "patch/number.h"

/*
 * What comes from outside: `oracle`, `data` and `core_data` of a scenario, made into what the
 * vectors call `oracle`, `doracle` and `core_doracle`, which scripts read; and `events`, `data` and
 * `core_data` of a step.
 */

/* A tree whose numbers and numeric keys are written out in decimal, as scripts want them. */
static struct node resolve(struct reader *reader, const struct node *node)
{
    struct number_error error;
    uint64_t value;
    if (node->kind == NODE_STRING && !node->quoted &&
        number_parse(reader->profile, node->text, node->length, &value, &error))
        return reader_number_node(reader, node, value);
    struct node copy = *node;
    if (node->kind != NODE_LIST && node->kind != NODE_MAP)
        return copy;
    copy.items = arena_alloc(reader->arena, (node->count + 1) * sizeof *copy.items);
    for (size_t i = 0; i < node->count; i++)
        copy.items[i] = resolve(reader, &node->items[i]);
    if (node->kind == NODE_LIST)
        return copy;
    copy.keys = arena_alloc(reader->arena, (node->count + 1) * sizeof *copy.keys);
    for (size_t i = 0; i < node->count; i++) {
        copy.keys[i] = resolve(reader, &node->keys[i]);
        copy.keys[i].kind = NODE_STRING;
    }
    return copy;
}

static struct node make_map(struct reader *reader, const struct node *at, size_t room)
{
    return (struct node){.kind = NODE_MAP,
                         .line = at->line,
                         .column = at->column,
                         .items = arena_alloc(reader->arena, room * sizeof(struct node)),
                         .keys = arena_alloc(reader->arena, room * sizeof(struct node))};
}

static void add(struct node *map, const char *key, struct node value)
{
    map->keys[map->count] = (struct node){.kind = NODE_STRING,
                                          .line = value.line,
                                          .column = value.column,
                                          .text = key,
                                          .length = strlen(key)};
    map->items[map->count++] = value;
}

/* --- What other CPUs do ---------------------------------------------------------------------- */

/* The event that carries the object which a lock protects; NULL for a lock that protects none. */
static const char *object_event(const struct fh_profile *k, uint64_t lock)
{
    if (lock >= k->NPT_ID && lock <= k->NPT_ID + k->COREVISOR)
        return "ONPT";
    if (lock >= k->INFO_ID && lock <= k->INFO_ID + k->COREVISOR)
        return "OVMINFO";
    return lock == k->CORE_ID     ? "OCORE_DATA"
           : lock == k->S2PAGE_ID ? "OS2_PAGE"
           : lock == k->SPT_ID    ? "OSPT"
           : lock == k->SMMU_ID   ? "OSMMU"
                                  : NULL;
}

/* [cpu, NAME, argument], or without an argument. */
static struct node make_event(struct reader *reader, const struct node *at, uint64_t cpu,
                              const char *name, const struct node *argument)
{
    struct node event = {.kind = NODE_LIST,
                         .line = at->line,
                         .column = at->column,
                         .items = arena_alloc(reader->arena, 3 * sizeof *event.items)};
    event.items[event.count++] = reader_number_node(reader, at, cpu);
    event.items[event.count++] = (struct node){.kind = NODE_STRING,
                                               .line = at->line,
                                               .column = at->column,
                                               .text = name,
                                               .length = strlen(name)};
    if (argument)
        event.items[event.count++] = *argument;
    return event;
}

enum { SECTION_EVENTS = 4 };

/* {cpu: 1, changes: PATCH}: a whole critical section, as the four events that it leaves. */
static bool expand_section(struct reader *reader, const struct node *section, uint64_t lock,
                           struct node *events)
{
    static const char *const keys[] = {"cpu", "changes", NULL};
    const struct fh_profile *k = reader->profile;
    const char *object = object_event(k, lock);
    const struct node *changes = node_get(section, "changes");
    uint64_t cpu;
    if (!reader_keys(reader, section, "a critical section of another CPU", keys))
        return false;
    if (!changes || !node_get(section, "cpu"))
        return reader_error(reader, section,
                            "a critical section of another CPU has 'cpu' and 'changes'");
    if (!object)
        return reader_error(reader, section, "the lock protects nothing that could change");
    if (!reader_constant(reader, node_get(section, "cpu"), "cpu", 0, READER_UP_TO(TOTAL_CPU), 1,
                         &cpu))
        return false;
    const struct node bound = reader_number_node(reader, section, k->lock_bound);
    const struct node id = reader_number_node(reader, section, lock);
    events[0] = make_event(reader, section, cpu, "WAIT_LOCK", &bound);
    events[1] = make_event(reader, section, cpu, "OPULL", &id);
    events[2] = make_event(reader, section, cpu, object, changes);
    events[3] = make_event(reader, section, cpu, "REL_LOCK", NULL);
    return true;
}

/* A list of events with its critical sections written out. */
static bool expand_events(struct reader *reader, const struct node *list, uint64_t lock,
                          struct node *expanded)
{
    *expanded = *list;
    if (list->kind != NODE_LIST)
        return true;
    expanded->items =
        arena_alloc(reader->arena, (SECTION_EVENTS * list->count + 1) * sizeof *expanded->items);
    expanded->count = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct node *item = &list->items[i];
        struct node *events = &expanded->items[expanded->count];
        if (item->kind != NODE_MAP)
            *events = *item;
        else if (!expand_section(reader, item, lock, events))
            return false;
        expanded->count += item->kind == NODE_MAP ? SECTION_EVENTS : 1;
    }
    return true;
}

/* `oracle`, with all numbers resolved: for each lock a map from lengths of the log to lists. */
static bool expand_oracle(struct reader *reader, struct node *oracle)
{
    for (size_t i = 0; i < oracle->count; i++) {
        struct node *lists = &oracle->items[i];
        struct number_error error;
        uint64_t lock;
        if (lists->kind != NODE_MAP || !number_parse(reader->profile, oracle->keys[i].text,
                                                     oracle->keys[i].length, &lock, &error))
            continue;
        for (size_t j = 0; j < lists->count; j++) {
            struct node expanded;
            if (!expand_events(reader, &lists->items[j], lock, &expanded))
                return false;
            lists->items[j] = expanded;
        }
    }
    return true;
}

/* --- Data ------------------------------------------------------------------------------------ */

/* The values that one principal reads: a list from number 0 on, or a map from number to value. */
static bool load_values(struct reader *reader, const struct node *values, struct node *table)
{
    if (values->kind != NODE_LIST && values->kind != NODE_MAP)
        return reader_list(reader, values, "data");
    *table = make_map(reader, values, values->count + 1);
    for (size_t i = 0; i < values->count; i++) {
        uint64_t number = i, value;
        if (values->kind == NODE_MAP &&
            !reader_number(reader, &values->keys[i], "number of a value", 0, UINT64_MAX, &number))
            return false;
        if (!reader_number(reader, &values->items[i], "data", 0, UINT64_MAX, &value))
            return false;
        add(table, reader_number_node(reader, values, number).text,
            reader_number_node(reader, &values->items[i], value));
    }
    return true;
}

/* `data`, by vmid, becomes the data oracle of the vectors: a table over a formula that is 0. */
static bool load_data(struct reader *reader, const struct node *data, struct node *doracle)
{
    if (!reader_map(reader, data, "'data'"))
        return false;
    struct node tables = make_map(reader, data, data->count + 1);
    struct node formula = {.kind = NODE_LIST,
                           .line = data->line,
                           .column = data->column,
                           .count = 3,
                           .items = arena_alloc(reader->arena, 3 * sizeof *data)};
    for (size_t i = 0; i < formula.count; i++)
        formula.items[i] = reader_number_node(reader, data, 0);
    for (size_t i = 0; i < data->count; i++) {
        uint64_t vmid;
        struct node table = {0};
        if (!reader_constant(reader, &data->keys[i], "VM of 'data'", 0, READER_UP_TO(COREVISOR), 0,
                             &vmid) ||
            !load_values(reader, &data->items[i], &table))
            return false;
        add(&tables, reader_number_node(reader, data, vmid).text, table);
    }
    *doracle = make_map(reader, data, 2);
    add(doracle, "lin", formula);
    add(doracle, "tab", tables);
    return true;
}

bool scenario_load_oracles(struct reader *reader, struct scenario *scenario,
                           const struct node *root)
{
    const struct node *oracle = node_get(root, "oracle"), *data = node_get(root, "data");
    const struct node *core_data = node_get(root, "core_data");
    const struct node no_data = {.kind = NODE_MAP, .line = root->line, .column = root->column};
    struct node script = make_map(reader, root, 3), values = {0}, events;
    if (oracle && !reader_map(reader, oracle, "'oracle'"))
        return false;
    if (oracle) {
        events = resolve(reader, oracle);
        if (!expand_oracle(reader, &events))
            return false;
        add(&script, "oracle", events);
    }
    if (!load_data(reader, data ? data : &no_data, &values))
        return false;
    add(&script, "doracle", values);
    if (!load_data(reader, core_data ? core_data : &no_data, &values))
        return false;
    add(&script, "core_doracle", values);
    struct patch_error error = {0};
    scenario->script = script_new(&scenario->allocator, false);
    if (!scenario->script)
        return reader_error(reader, root, "out of memory");
    if (!script_load(scenario->script, &script, fh_state_rdata(scenario->state), reader->profile,
                     &error))
        return reader_patch_error(reader, oracle ? oracle : root, &error);
    struct fh_environment *environment = fh_state_environment(scenario->state);
    *environment = script_environment(scenario->script);
    if (scenario_run_call(scenario))
        script_ask_by_name(environment);
    return true;
}

/* --- One step -------------------------------------------------------------------------------- */

/* The events are good, as far as the state at the start can tell. */
static bool try_events(struct reader *reader, const struct scenario *scenario,
                       const struct step_events *events)
{
    const struct fh_profile *k = scenario->profile;
    const struct patch_objects objects = {&fh_state_rdata(scenario->state)->shared, k->NPT_ID,
                                          k->INFO_ID, false, FH_LOG_FULL};
    struct patch_error error = {0};
    struct fh_event **read = NULL;
    size_t count = 0;
    bool is_good = patch_read_events(events->list, events->lock, &objects, &scenario->allocator,
                                     &read, &count, &error);
    patch_free_events(read, count, &scenario->allocator);
    return is_good || reader_patch_error(reader, events->list, &error);
}

static bool add_step_events(struct reader *reader, struct scenario *scenario, struct step *step,
                            struct step_events events, const struct node *list)
{
    struct node *expanded = arena_alloc(reader->arena, sizeof *expanded);
    const struct node resolved = resolve(reader, list);
    if (!reader_list(reader, list, "events") ||
        !expand_events(reader, &resolved, events.lock, expanded))
        return false;
    events.list = expanded;
    step->script.events[step->script.nevents++] = events;
    return try_events(reader, scenario, &events);
}

/* The events on one lock: a list when it is next taken, or by the growth of its log. */
static bool load_events_of_lock(struct reader *reader, struct scenario *scenario, struct step *step,
                                const struct node *key, const struct node *lists)
{
    struct step_events events = {.atomic = node_is(key, "slog")};
    if (!events.atomic &&
        !reader_constant(reader, key, "lock", 0, READER_UP_TO(ID_END), 1, &events.lock))
        return false;
    if (lists->kind != NODE_MAP)
        return add_step_events(reader, scenario, step, events, lists);
    for (size_t i = 0; i < lists->count; i++) {
        if (!reader_number(reader, &lists->keys[i], "growth of a log", 0, UINT32_MAX,
                           &events.after) ||
            !add_step_events(reader, scenario, step, events, &lists->items[i]))
            return false;
    }
    return true;
}

static bool load_step_events(struct reader *reader, struct scenario *scenario, struct step *step,
                             const struct node *map)
{
    size_t room = 1;
    if (!map)
        return true;
    if (!reader_map(reader, map, "'events'"))
        return false;
    for (size_t i = 0; i < map->count; i++)
        room += map->items[i].kind == NODE_MAP ? map->items[i].count : 1;
    step->script.events = arena_alloc(reader->arena, room * sizeof *step->script.events);
    for (size_t i = 0; i < map->count; i++) {
        if (!load_events_of_lock(reader, scenario, step, &map->keys[i], &map->items[i]))
            return false;
    }
    return true;
}

static uint64_t next_datum(const struct step_script *script, bool core, uint64_t vmid)
{
    uint64_t count = 0;
    for (size_t i = 0; i < script->ndata; i++)
        count += script->data[i].core == core && script->data[i].vmid == vmid;
    return count;
}

/* The values for one principal, behind those that the step has for it. */
static bool load_step_values(struct reader *reader, struct step_script *script, bool core,
                             uint64_t vmid, const struct node *values)
{
    uint64_t first = next_datum(script, core, vmid);
    if (!reader_list(reader, values, "the values of a step"))
        return false;
    struct step_datum *data =
        arena_alloc(reader->arena, (script->ndata + values->count + 1) * sizeof *data);
    if (script->ndata > 0)
        memcpy(data, script->data, script->ndata * sizeof *data);
    script->data = data;
    for (size_t i = 0; i < values->count; i++) {
        uint64_t value;
        if (!reader_number(reader, &values->items[i], "data", 0, UINT64_MAX, &value))
            return false;
        data[script->ndata++] = (struct step_datum){core, vmid, first + i, value};
    }
    return true;
}

static bool load_step_data(struct reader *reader, struct step *step, const struct node *map,
                           bool core)
{
    if (!map)
        return true;
    if (!reader_map(reader, map, core ? "'core_data'" : "'data'"))
        return false;
    for (size_t i = 0; i < map->count; i++) {
        uint64_t vmid;
        if (!reader_constant(reader, &map->keys[i], "VM of 'data'", 0, READER_UP_TO(COREVISOR), 0,
                             &vmid) ||
            !load_step_values(reader, &step->script, core, vmid, &map->items[i]))
            return false;
    }
    return true;
}

bool scenario_load_step_script(struct reader *reader, struct scenario *scenario, struct step *step,
                               const struct node *node)
{
    return load_step_events(reader, scenario, step, node_get(node, "events")) &&
           load_step_data(reader, step, node_get(node, "data"), false) &&
           load_step_data(reader, step, node_get(node, "core_data"), true);
}
