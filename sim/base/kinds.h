/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_KINDS_H
#define SIM_KINDS_H

#include <stddef.h>

/*
 * What a text is that belongs to another command than `run`: "a trace; `fhsim replay` reads it".
 * NULL: nothing that is known, or a scenario.
 */
const char *kind_of_another_command(const char *text, size_t length);

#endif
