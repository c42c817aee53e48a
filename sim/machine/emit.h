/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MACHINE_EMIT_H
#define SIM_MACHINE_EMIT_H

#include "machine/machine.h"

/*
 * A description as C, for machines of the tree. `tables`: what the library has of it, its constants
 * and its calls; else the description, whose source includes the tables.
 */
void machine_emit(const struct machine_description *machine, bool tables, FILE *out);

#endif
