/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/machine.h>

#include "base/text.h"

extern const struct fh_machine fh_machine_toy;

static const struct fh_machine *const machines[] = {&fh_machine_spec, &fh_machine_bodies,
                                                    &fh_machine_sekvm_4_18, &fh_machine_toy};

const struct fh_machine *fh_machine_at(unsigned index)
{
    return index < sizeof machines / sizeof *machines ? machines[index] : NULL;
}

const struct fh_machine *fh_machine_find(const char *name)
{
    for (unsigned i = 0; fh_machine_at(i); i++) {
        if (text_is_same(machines[i]->name, name))
            return machines[i];
    }
    return NULL;
}

static const struct fh_abi_call *row_of(const struct fh_abi *abi, uint64_t number)
{
    for (unsigned i = 0; abi && i < abi->ncalls; i++) {
        if (abi->calls[i].number == number)
            return &abi->calls[i];
    }
    return NULL;
}

const struct fh_abi_call *fh_machine_hypercall(const struct fh_machine *machine, uint64_t number)
{
    while (machine && !machine->hypercalls)
        machine = machine->extends;
    return machine ? row_of(machine->hypercalls, number) : NULL;
}

const struct fh_abi_call *fh_machine_guest_call(const struct fh_machine *machine, uint64_t number)
{
    while (machine && !machine->guest_calls)
        machine = machine->extends;
    return machine ? row_of(machine->guest_calls, number) : NULL;
}
