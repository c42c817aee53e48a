/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/machine.h"

#include <string.h>

/* The machines of the tree, which are compiled in: machines/NAME/description.c. */

extern const struct machine_description machine_spec;
extern const struct machine_description machine_bodies;
extern const struct machine_description machine_sekvm_4_18;
extern const struct machine_description machine_toy;

static const struct machine_description *const machines[] = {
    &machine_spec,
    &machine_bodies,
    &machine_sekvm_4_18,
    &machine_toy,
};

const struct machine_description *machine_at(unsigned index)
{
    return index < sizeof machines / sizeof *machines ? machines[index] : NULL;
}

const struct machine_description *machine_of_tree(const char *name)
{
    for (unsigned i = 0; machine_at(i); i++) {
        if (strcmp(machine_at(i)->name, name) == 0)
            return machine_at(i);
    }
    return NULL;
}
