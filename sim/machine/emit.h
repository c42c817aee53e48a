/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MACHINE_EMIT_H
#define SIM_MACHINE_EMIT_H

#include "machine/machine.h"

/*
 * A description as C, for machines of the tree: the description, for fhsim; its calls, for the
 * library and the description's source, which includes them; its constants, for the library, and
 * nothing if it has none of its own.
 */
enum machine_emitted { MACHINE_DESCRIPTION, MACHINE_TABLES, MACHINE_PROFILE };

void machine_emit(const struct machine_description *machine, enum machine_emitted what, FILE *out);

#endif
