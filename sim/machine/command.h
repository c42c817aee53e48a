/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MACHINE_COMMAND_H
#define SIM_MACHINE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/options.h"

/* The commands of `fhsim machine`; argv[0] is the command's name. */
int machine_show(int argc, char **argv);
int machine_check(int argc, char **argv);
int machine_infer(int argc, char **argv);
int machine_propose(int argc, char **argv); /* triage/propose.c */
int machine_catalogue(int argc, char **argv);

/* What `fhsim machine --help` says. argument.c */
extern const char machine_help[];

/* Read the options, and the one argument that is none. OPTIONS_GOOD, or the command ends here. */
enum options_outcome machine_argument(int argc, char **argv, const struct option_spec *options,
                                      size_t noptions, const char **argument);

#endif
