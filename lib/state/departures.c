/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/machine.h>

#include "base/text.h"
#include "state/machine.h"

const struct fh_profile *fh_machine_profile(const struct fh_machine *machine)
{
    while (machine && !machine->profile)
        machine = machine->extends;
    return machine ? machine->profile : &fh_profile_spec;
}

/* --- The names of departures ----------------------------------------------------------------- */

unsigned fh_machine_ndepartures(const struct fh_machine *machine)
{
    unsigned n = 0;
    for (; machine; machine = machine->extends)
        n += machine->ndepartures;
    return n;
}

const char *fh_machine_departure(const struct fh_machine *machine, unsigned departure)
{
    for (; machine; machine = machine->extends) {
        const unsigned first = fh_machine_ndepartures(machine->extends);
        if (departure >= first + machine->ndepartures)
            return NULL;
        if (departure >= first)
            return machine->departures[departure - first];
    }
    return NULL;
}

bool fh_machine_find_departure(const struct fh_machine *machine, const char *name,
                               unsigned *departure)
{
    const char *found;
    for (unsigned i = 0; (found = fh_machine_departure(machine, i)) != NULL; i++) {
        if (text_is_same(found, name)) {
            *departure = i;
            return true;
        }
    }
    return false;
}

static void take_away(struct fh_departures *all, const struct fh_machine *machine)
{
    unsigned departure;
    for (const char *const *name = machine->lacks; name && *name; name++) {
        if (fh_machine_find_departure(machine, *name, &departure))
            fh_departures_remove(all, departure);
    }
}

struct fh_departures fh_machine_departures(const struct fh_machine *machine)
{
    struct fh_departures all = {{0, 0}};
    for (unsigned i = 0; i < fh_machine_ndepartures(machine); i++)
        fh_departures_add(&all, i);
    for (; machine; machine = machine->extends)
        take_away(&all, machine);
    return all;
}

/* --- The machine of a state ------------------------------------------------------------------ */

/* A machine without functions of its own, or of what it extends, is the spec. */
static bool has_overlay(const struct fh_machine *machine)
{
    while (machine && !machine->overlay && (!machine->hypercalls || machine == &fh_machine_spec))
        machine = machine->extends;
    return machine != NULL;
}

void use_machine(struct fh_state *s, const struct fh_machine *machine)
{
    s->named = machine;
    s->machine = has_overlay(machine) ? machine : NULL;
    s->departures = fh_machine_departures(machine);
}

const struct fh_machine *fh_state_machine(const struct fh_state *s)
{
    return s->named;
}

struct fh_departures fh_state_departures(const struct fh_state *s)
{
    return s->departures;
}

void fh_state_depart(struct fh_state *s, const struct fh_departures *departures)
{
    s->departures = *departures;
}

struct fh_departures fh_state_asked(struct fh_state *s)
{
    const struct fh_departures asked = s->asked;
    s->asked = (struct fh_departures){{0, 0}};
    return asked;
}
