/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_READ_MACHINE_H
#define SIM_READ_MACHINE_H

#include "machine/machine.h"

/*
 * Read the machine.yaml of a folder, after that of the machine it extends: the folder beside it of
 * that name, or the one of the tree. NULL, with messages, if something is wrong. Lives as long as
 * the program.
 */
const struct machine_description *machine_read(const char *folder);

/* The same, with all that is not as it should be reported and counted, such as missing evidence. */
const struct machine_description *machine_read_checked(const char *folder, unsigned *faults);

/*
 * A machine that is as `base` but for the sections in this text, for who tries something; NULL,
 * without a message, if it is not well-formed.
 */
const struct machine_description *machine_read_addition(const struct machine_description *base,
                                                        const char *text);

#endif
