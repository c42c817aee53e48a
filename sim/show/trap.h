/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_SHOW_TRAP_H
#define SIM_SHOW_TRAP_H

#include <stdbool.h>

#include "twin/twin.h"

/*
 * Show one trap of a trace, whole: what went in, what came of it, each effect with who wrote its
 * place before and behind, and what changed in the state; `is_long`: all registers too. False, with
 * a message, if it cannot.
 */
bool show_trap(const char *argument, const char *machine, bool json, bool is_long);

#endif
