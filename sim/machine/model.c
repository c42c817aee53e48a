/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/model.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <faulthandler/overlay.h>

#include "base/diag.h"

enum { MAX_PATH = 4096 };

/* --- Overlays -------------------------------------------------------------------------------- */

static bool has_overlay(const struct machine_description *machine, char *path, size_t size)
{
    snprintf(path, size, "%s/overlay.so", machine->folder ? machine->folder : "");
    return machine->folder && access(path, F_OK) == 0;
}

static const struct fh_machine_module *refuse(const char *path, const char *why)
{
    diag_plain("%s: %s", path, why);
    return NULL;
}

/* A name without a slash would be looked for elsewhere. */
static void *open_object(const char *path)
{
    char beside[MAX_PATH + 2];
    snprintf(beside, sizeof beside, "%s%s", strchr(path, '/') ? "" : "./", path);
    return dlopen(beside, RTLD_NOW | RTLD_LOCAL);
}

static const struct fh_machine_module *load(const char *path, const struct fh_machine *below)
{
    void *object = open_object(path);
    if (!object)
        return refuse(path, dlerror());
    fh_machine_module_function *entry;
    void *symbol = dlsym(object, "fh_machine_module");
    if (!symbol)
        return refuse(path,
                      "it has no fh_machine_module: does the source end with FH_OVERLAY(...)?");
    memcpy(&entry, &symbol, sizeof entry);
    const struct fh_machine_module *module =
        entry(&fh_overlay_api, below, fh_machine_ndepartures(below));
    if (module->version != FH_MACHINE_ABI || module->size != fh_overlay_api.size ||
        module->overlay_size != sizeof(struct fh_overlay))
        return refuse(path, "it was built against the headers of another version: build it again");
    return module;
}

/* --- Models ---------------------------------------------------------------------------------- */

/* What was made, to be found again and to be in reach as long as the program runs. */
static struct made {
    const struct machine_description *description;
    struct fh_machine machine;
    const char **departures, **lacks;
    unsigned nswitches; /* of the overlay; the other departures are of calls alone */
    struct made *next;
} * all;

static bool is_own_departure(const struct machine_description *machine,
                             const struct machine_entry *entry)
{
    return entry->kind == MACHINE_IS_departure && strcmp(entry->from, machine->name) == 0;
}

static bool has_name(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* Those of the overlay in its order, then those of the catalogue that only calls have. */
static bool set_departures(struct made *made, const struct fh_machine_module *module)
{
    const struct machine_description *machine = made->description;
    size_t count = module ? module->ndepartures : 0;
    made->departures = calloc(count + machine->nentries + 1, sizeof *made->departures);
    if (!made->departures)
        no_memory();
    for (size_t i = 0; i < count; i++)
        made->departures[i] = module->departures[i];
    made->nswitches = (unsigned)count;
    for (size_t i = 0; i < machine->nentries; i++) {
        const struct machine_entry *entry = &machine->entries[i];
        if (is_own_departure(machine, entry) && !has_name(made->departures, count, entry->id))
            made->departures[count++] = entry->id;
    }
    made->machine.departures = made->departures;
    made->machine.ndepartures = (unsigned)count;
    if (fh_machine_ndepartures(&made->machine) <= FH_DEPARTURES_MAX)
        return true;
    diag_plain("%s: more than %d departures", machine->name, FH_DEPARTURES_MAX);
    return false;
}

/* Departures of the extended machine's catalogue that are not in its own. */
static void set_lacks(struct made *made)
{
    const struct machine_description *machine = made->description, *base = machine->extends;
    size_t count = 0;
    made->lacks = calloc((base ? base->nentries : 0) + 1, sizeof *made->lacks);
    if (!made->lacks)
        no_memory();
    for (size_t i = 0; base && i < base->nentries; i++) {
        if (base->entries[i].kind == MACHINE_IS_departure &&
            !machine_entry_find(machine, base->entries[i].id))
            made->lacks[count++] = base->entries[i].id;
    }
    made->machine.lacks = made->lacks;
}

static const struct fh_machine *make(const struct machine_description *machine,
                                     const struct fh_machine *below,
                                     const struct fh_machine_module *module)
{
    struct made *made = calloc(1, sizeof *made);
    if (!made)
        no_memory();
    made->description = machine;
    made->machine = (struct fh_machine){
        .name = machine->name,
        .extends = below,
        .profile = machine->profile,
        .overlay = module ? module->overlay : NULL,
        .hypercalls = machine->hypercalls,
        .guest_calls = machine->guest_calls,
        .own = module ? module->own : NULL,
    };
    made->next = all;
    all = made;
    set_lacks(made);
    return set_departures(made, module) ? &made->machine : NULL;
}

static const struct fh_machine *find_made(const struct machine_description *machine)
{
    for (struct made *made = all; made; made = made->next) {
        if (made->description == machine)
            return &made->machine;
    }
    return machine->folder ? NULL : fh_machine_find(machine->name);
}

const struct fh_machine *machine_model(const struct machine_description *machine, bool may_load)
{
    char path[MAX_PATH];
    const struct fh_machine *model = find_made(machine);
    if (model)
        return model;
    const struct fh_machine *below =
        machine->extends ? machine_model(machine->extends, may_load) : &fh_machine_spec;
    const struct fh_machine_module *module = NULL;
    if (below && has_overlay(machine, path, sizeof path)) {
        if (!may_load) {
            diag_plain("%s: it is code, which is loaded only for a machine that the command line "
                       "names",
                       path);
            return NULL;
        }
        module = load(path, below);
        if (!module)
            return NULL;
    }
    return below ? make(machine, below, module) : NULL;
}

/* --- Switches and the catalogue -------------------------------------------------------------- */

static bool names(const char *by, const char *id)
{
    return by && strcmp(by, id) == 0;
}

/* Does a call, or a part of all calls, have the departure by itself? */
static bool is_of_calls(const struct fh_abi *abi, const char *id)
{
    if (!abi)
        return false;
    if (names(abi->checks_by, id) || names(abi->arguments_by, id) || names(abi->answers_by, id) ||
        names(abi->unknown_by, id))
        return true;
    for (unsigned i = 0; i < abi->ncalls; i++) {
        if (names(abi->calls[i].departs, id))
            return true;
    }
    return false;
}

/* How many of the model's departures have a switch: the library's all have one. */
static unsigned switches_of(const struct fh_machine *model)
{
    for (const struct made *made = all; made; made = made->next) {
        if (&made->machine == model)
            return made->nswitches;
    }
    return model->ndepartures;
}

static unsigned check_catalogue_has(const struct machine_description *machine,
                                    const struct fh_machine *model, unsigned nswitches)
{
    unsigned faults = 0;
    for (unsigned i = 0; i < nswitches; i++) {
        const struct machine_entry *entry = machine_entry_find(machine, model->departures[i]);
        if (entry && is_own_departure(machine, entry))
            continue;
        diag_plain("%s: the overlay has a switch %s, and the catalogue no departure of that name",
                   machine->name, model->departures[i]);
        faults++;
    }
    return faults;
}

unsigned machine_check_switches(const struct machine_description *machine,
                                const struct fh_machine *model)
{
    const unsigned nswitches = switches_of(model);
    unsigned faults = check_catalogue_has(machine, model, nswitches);
    for (size_t i = 0; i < machine->nentries; i++) {
        const char *id = machine->entries[i].id;
        if (!is_own_departure(machine, &machine->entries[i]) ||
            is_of_calls(machine->hypercalls, id) || is_of_calls(machine->guest_calls, id) ||
            has_name(model->departures, nswitches, id))
            continue;
        diag_plain("%s: %s is a departure of the catalogue, and no overlay has a switch for it",
                   machine->name, id);
        faults++;
    }
    return faults;
}
