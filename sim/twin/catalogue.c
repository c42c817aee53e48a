/* SPDX-License-Identifier: GPL-2.0-only */
#include "twin/catalogue.h"

#include <stdio.h>
#include <string.h>

#include "base/diag.h"

bool catalogue_find(const struct machine_description *machine, const char *id, unsigned *index)
{
    const struct machine_entry *entry = machine_entry_find(machine, id);
    if (!entry || entry - machine->entries >= CATALOGUE_MAX)
        return false;
    *index = (unsigned)(entry - machine->entries);
    return true;
}

static bool may_be_left_out(const struct machine_description *machine, const char *command,
                            const struct machine_entry *entry)
{
    if (entry->kind == MACHINE_IS_departure || entry->kind == MACHINE_IS_rule)
        return true;
    if (entry->kind == MACHINE_IS_consequence)
        diag_plain("%s: %s is no departure of its own: it follows from %s", command, entry->id,
                   entry->follows);
    else
        diag_plain("%s: %s is no departure: %s", command, entry->id,
                   machine_entry_kind_name(entry->kind));
    (void)machine;
    return false;
}

static bool choose_one(const struct machine_description *machine, const char *command,
                       const char *id, struct credits *chosen)
{
    unsigned index;
    if (!catalogue_find(machine, id, &index)) {
        diag_plain("%s: no departure '%s' in the catalogue of %s", command, id, machine->name);
        return false;
    }
    if (!may_be_left_out(machine, command, &machine->entries[index]))
        return false;
    credits_add(chosen, index);
    return true;
}

bool catalogue_choose(const struct machine_description *machine, const char *command,
                      const char *ids, struct credits *chosen)
{
    char id[64];
    while (ids && *ids) {
        const size_t length = strcspn(ids, ",");
        snprintf(id, sizeof id, "%.*s", (int)(length < sizeof id ? length : sizeof id), ids);
        if (!choose_one(machine, command, id, chosen))
            return false;
        ids += length + (ids[length] == ',');
    }
    return true;
}
