/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_SHOW_H
#define SIM_SHOW_H

#include <stdio.h>

#include <faulthandler/state.h>

/*
 * Show of a state what the options of `fhsim show` ask for, argv[1] and those behind; `path` is
 * what messages call it. False if they ask for something else, with a message about an option.
 */
bool show_state(const struct fh_state *state, char *path, int argc, char **argv, FILE *out);

#endif
