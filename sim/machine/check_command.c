/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>

#include "machine/command.h"
#include "machine/machine.h"
#include "machine/model.h"
#include "machine/read_machine.h"

/* `fhsim machine check`. */

/*
 * The switches of an overlay against the catalogue. A folder of the tree is of the library's
 * machine; of another one the overlay is loaded. False if that cannot be done.
 */
static bool check_switches(const struct machine_description *machine, unsigned *faults)
{
    const bool is_of_tree = machine_of_tree(machine->name) != NULL;
    const struct fh_machine *model = is_of_tree ? fh_machine_find(machine->name) : NULL;
    if (!is_of_tree)
        model = machine_model(machine, true);
    if (model)
        *faults += machine_check_switches(machine, model);
    return model || is_of_tree;
}

int machine_check(int argc, char **argv)
{
    const char *folder;
    unsigned faults = 0;
    const enum options_outcome outcome = machine_argument(argc, argv, NULL, 0, &folder);
    if (outcome != OPTIONS_GOOD)
        return outcome == OPTIONS_HELP ? EXIT_EXPECTED : EXIT_BAD_INPUT;
    const struct machine_description *machine = machine_read_checked(folder, &faults);
    if (!machine)
        return EXIT_BAD_INPUT;
    if (!check_switches(machine, &faults))
        return EXIT_BAD_INPUT;
    if (faults > 0)
        return EXIT_DIFFERENT;
    printf("%s: fine: %u calls of the host, %u of VMs, %zu entries in the catalogue\n",
           machine->name, machine->hypercalls ? machine->hypercalls->ncalls : 0,
           machine->guest_calls ? machine->guest_calls->ncalls : 0, machine->nentries);
    return EXIT_EXPECTED;
}
