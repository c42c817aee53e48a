/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_COMPARED_H
#define SIM_COMPARED_H

#include <stdbool.h>

/*
 * Print what of the records of a machine is compared, and what is not, with the reasons. False,
 * with a message, if there is no such machine.
 */
bool compared_print(const char *machine);

#endif
