/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/choose.h"

#include <string.h>

#include "base/diag.h"
#include "machine/model.h"

size_t machine_names(const char *names[static MACHINE_NAMES])
{
    size_t count = 0;
    for (const struct fh_machine *m; count < MACHINE_NAMES && (m = fh_machine_at((unsigned)count));)
        names[count++] = m->name;
    return count;
}

size_t machine_departure_names(const struct fh_machine *machine,
                               const char *names[static FH_DEPARTURES_MAX])
{
    size_t count = 0;
    for (const char *name; (name = fh_machine_departure(machine, (unsigned)count));)
        names[count++] = name;
    return count;
}

static bool unknown_departure(const char *command, const struct fh_machine *machine,
                              const char *name)
{
    const char *names[FH_DEPARTURES_MAX];
    const char *near = nearest(name, names, machine_departure_names(machine, names));
    diag_plain("%s: unknown departure '%s'%s%s%s", command, name, near ? "; did you mean '" : "",
               near ? near : "", near ? "'?" : "");
    return false;
}

/* Each name between commas: its departure goes in or out of the set. */
static bool choose_each(const char *command, const struct fh_machine *machine, const char *list,
                        struct fh_departures *set, bool goes_in)
{
    char name[64];
    for (const char *from = list, *to; *from; from = *to ? to + 1 : to) {
        to = from + strcspn(from, ",");
        const size_t length = (size_t)(to - from) < sizeof name ? (size_t)(to - from) : 63;
        memcpy(name, from, length);
        name[length] = '\0';
        unsigned departure;
        if (!fh_machine_find_departure(machine, name, &departure))
            return unknown_departure(command, machine, name);
        if (goes_in)
            fh_departures_add(set, departure);
        else
            fh_departures_remove(set, departure);
    }
    return true;
}

bool machine_choose(const char *command, const struct machine_wish *wish,
                    struct machine_choice *choice)
{
    *choice = (struct machine_choice){0};
    if (!wish->name && !wish->without && !wish->only)
        return true;
    if (!wish->name) {
        diag_plain("%s: '--without' and '--only' choose among the departures of a '--machine'",
                   command);
        return false;
    }
    const struct machine_description *machine = machine_find(wish->name);
    choice->machine = machine ? machine_model(machine, true) : NULL;
    if (!choice->machine)
        return false;
    if (!wish->only && (!wish->without || strcmp(wish->without, "all") != 0))
        choice->departures = fh_machine_departures(choice->machine);
    if (wish->without && strcmp(wish->without, "all") == 0)
        return true;
    return (!wish->only ||
            choose_each(command, choice->machine, wish->only, &choice->departures, true)) &&
           (!wish->without ||
            choose_each(command, choice->machine, wish->without, &choice->departures, false));
}
