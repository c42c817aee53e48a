/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/scenario.h"

#include <stdio.h>
#include <string.h>

#include "machine/machine.h"
#include "machine/model.h"

/*
 * Which machine a scenario is for: `machine: NAME`, or `name` below `machine`, with `without` and
 * `only`, lists of its departures. A name with a slash is a folder, seen from the scenario's. What
 * a command was told stands before what the file says.
 */

enum { MAX_PATH = 4096 };

/* The folder of a path, with the slash; how long it is. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* A machine of a folder, which must not have code: a scenario never makes code run. */
static bool load_folder(struct reader *reader, const struct node *node, const char *name,
                        const struct fh_machine **machine)
{
    char path[MAX_PATH];
    const char *file = reader->source->name;
    const size_t length = *name == '/' ? 0 : folder_length(file);
    const int written = snprintf(path, sizeof path, "%.*s%s", (int)length, file, name);
    if (written < 0 || (size_t)written >= sizeof path)
        return reader_error(reader, node, "the path of the machine is too long");
    const struct machine_description *description = machine_find(path);
    if (!description)
        return reader_error(reader, node, "there is no machine to be read in the folder '%s'",
                            path);
    *machine = machine_model(description, false);
    return *machine || reader_error(reader, node,
                                    "a scenario never makes code run: of a machine that has an "
                                    "overlay the command line says --machine");
}

static bool load_name(struct reader *reader, const struct node *node,
                      const struct fh_machine **machine)
{
    const char *name, *names[MACHINE_NAMES];
    if (!reader_text(reader, node, "a machine", &name))
        return false;
    if (strchr(name, '/'))
        return load_folder(reader, node, name, machine);
    *machine = fh_machine_find(name);
    return *machine || reader_unknown(reader, node, "machine", names, machine_names(names));
}

static bool load_departure(struct reader *reader, const struct node *node,
                           const struct fh_machine *machine, unsigned *departure)
{
    const char *name, *names[FH_DEPARTURES_MAX];
    if (!reader_text(reader, node, "a departure", &name))
        return false;
    return fh_machine_find_departure(machine, name, departure) ||
           reader_unknown(reader, node, "departure", names,
                          machine_departure_names(machine, names));
}

/* Each departure of a list goes in or out of the set. */
static bool load_each(struct reader *reader, const struct node *list, const char *what,
                      struct machine_choice *choice, bool goes_in)
{
    if (!list)
        return true;
    if (!reader_list(reader, list, what))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        unsigned departure;
        if (!load_departure(reader, &list->items[i], choice->machine, &departure))
            return false;
        if (goes_in)
            fh_departures_add(&choice->departures, departure);
        else
            fh_departures_remove(&choice->departures, departure);
    }
    return true;
}

const struct fh_abi_call *scenario_run_call(const struct scenario *scenario)
{
    const struct fh_machine *machine = scenario->choice.machine;
    while (machine && (!machine->hypercalls || machine == &fh_machine_spec))
        machine = machine->extends;
    if (!machine || fh_departures_are_none(&scenario->choice.departures))
        return NULL;
    for (unsigned i = 0; i < machine->hypercalls->ncalls; i++) {
        if (machine->hypercalls->calls[i].kind == FH_ABI_run)
            return &machine->hypercalls->calls[i];
    }
    return NULL;
}

/* --- What it is about ------------------------------------------------------------------------ */

static bool take_away(const struct machine_choice *choice, const char *id, size_t length,
                      struct fh_departures *set)
{
    char name[64];
    unsigned departure;
    snprintf(name, sizeof name, "%.*s", (int)length, id);
    if (!fh_machine_find_departure(choice->machine, name, &departure))
        return false;
    fh_departures_remove(set, departure);
    return true;
}

/* A departure, or what follows from some: the machine without those. */
static bool take_away_shown(const struct machine_choice *choice, const char *id,
                            struct fh_departures *set)
{
    const struct machine_description *machine = machine_of_tree(choice->machine->name);
    const struct machine_entry *entry = machine ? machine_entry_find(machine, id) : NULL;
    if (take_away(choice, id, strlen(id), set))
        return true;
    bool any = false;
    for (const char *at = entry ? entry->follows : NULL; at && *at; at += strspn(at, ", ")) {
        const size_t length = strcspn(at, ", ");
        any = take_away(choice, at, length, set) || any;
        at += length;
    }
    return any;
}

static bool load_shown(struct reader *reader, struct scenario *scenario, const struct node *node)
{
    const char *names[FH_DEPARTURES_MAX];
    if (!node)
        return true;
    if (!reader_text(reader, node, "shows", &scenario->shows))
        return false;
    scenario->beside = scenario->choice;
    return take_away_shown(&scenario->choice, scenario->shows, &scenario->beside.departures) ||
           reader_unknown(reader, node, "departure", names,
                          machine_departure_names(scenario->choice.machine, names));
}

static bool is_folder(const struct node *name)
{
    return name->kind == NODE_STRING && strchr(name->text, '/');
}

bool scenario_load_departures(struct reader *reader, struct scenario *scenario,
                              const struct node *root)
{
    const struct node *machine = node_get(root, "machine");
    struct machine_choice said = {.machine = &fh_machine_spec};
    const bool is_map = machine && machine->kind == NODE_MAP;
    const struct node *name = is_map ? node_get(machine, "name") : machine;
    const struct node *only = is_map ? node_get(machine, "only") : NULL;
    const struct node *without = is_map ? node_get(machine, "without") : NULL;
    const struct node *shown = node_get(root, "shows");
    if (machine && !is_map && machine->kind != NODE_STRING)
        return reader_error(reader, machine, "the machine must be a map, or its name");
    if (name && is_folder(name) && scenario->choice.machine)
        return !shown || reader_text(reader, shown, "shows", &scenario->shows);
    if (name && !load_name(reader, name, &said.machine))
        return false;
    if (!only)
        said.departures = fh_machine_departures(said.machine);
    if (!load_each(reader, only, "'only'", &said, true) ||
        !load_each(reader, without, "'without'", &said, false))
        return false;
    if (!scenario->choice.machine) {
        scenario->choice = said;
        return load_shown(reader, scenario, shown);
    }
    return !shown || reader_text(reader, shown, "shows", &scenario->shows);
}
