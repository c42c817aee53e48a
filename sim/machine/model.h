/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MACHINE_MODEL_H
#define SIM_MACHINE_MODEL_H

#include <faulthandler/machine.h>

#include "machine/machine.h"

/*
 * The machine that runs, of a description: the library's, or one that is made of the description
 * and the overlay in its folder, overlay.so. That is code: `may_load` is true only where the
 * command line named the folder. NULL, with messages, if it cannot be loaded or does not fit. Lives
 * as long as the program.
 */
const struct fh_machine *machine_model(const struct machine_description *machine, bool may_load);

/*
 * How the switches of the model differ from the catalogue's departures; each difference is
 * reported. Departures of the catalogue that a call has by itself need no switch of an overlay.
 */
unsigned machine_check_switches(const struct machine_description *machine,
                                const struct fh_machine *model);

#endif
