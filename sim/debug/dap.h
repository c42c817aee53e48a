/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_DAP_H
#define SIM_DAP_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Be a server of the Debug Adapter Protocol until the client leaves or its input ends. False, with
 * a message, if what it sends is none of the protocol. docs/debug.md has what is served.
 */
bool dap_serve(FILE *in, FILE *out);

#endif
