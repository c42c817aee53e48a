/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CHOOSE_H
#define SIM_CHOOSE_H

#include <faulthandler/machine.h>

/* A machine and the departures of it that are on. */
struct machine_choice {
    const struct fh_machine *machine; /* NULL: no wish */
    struct fh_departures departures;
};

/*
 * What the options of a command say: --machine NAME or FOLDER (whose overlay is loaded then),
 * --without ID,... and --only ID,...
 */
struct machine_wish {
    const char *name, *without, *only; /* NULL: not said */
};

/* The choice that a wish is. False if there is no such machine or departure: it was reported. */
bool machine_choose(const char *command, const struct machine_wish *wish,
                    struct machine_choice *choice);

/* The names of all machines, and of all departures of one, for messages; how many there are. */
enum { MACHINE_NAMES = 64 };
size_t machine_names(const char *names[static MACHINE_NAMES]);
size_t machine_departure_names(const struct fh_machine *machine,
                               const char *names[static FH_DEPARTURES_MAX]);

#endif
