/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_OUTPUT_H
#define SIM_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Has all that was written to the stream arrived? False, with one message about `what`, if it has
 * not: what could not be written was not said. Asked again, the same loss is not reported again.
 */
bool output_arrived(FILE *stream, const char *what);

#endif
