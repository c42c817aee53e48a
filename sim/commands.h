/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_COMMANDS_H
#define SIM_COMMANDS_H

#include <stdio.h>

/*
 * The commands of fhsim: X(name, what it does, in a line). Each is a function that gets its own
 * arguments (argv[0] is its name) and returns the program's exit status.
 */
#define COMMAND_MAP(X)                                                                             \
    X(conform, "check the model against recorded vectors of the spec")                             \
    X(convert, "make a trace of another encoding, or of a recording")                              \
    X(debug, "walk through a recorded trace or a scenario, both ways")                             \
    X(explain, "say what values of registers, and messages with such, mean")                       \
    X(functions, "list the spec functions")                                                        \
    X(machine, "show, check or infer what a hypervisor is")                                        \
    X(machines, "list the hypervisors that are known")                                             \
    X(query, "tell the history of a page, an address, a VM or any place of the state")             \
    X(reduce, "make a trace short that still shows a difference")                                  \
    X(replay, "run the model beside a recorded trace and compare")                                 \
    X(run, "play scenarios and check what they expect")                                            \
    X(show, "show translation tables and owners at a point of a scenario or trace")                \
    X(why, "tell which traps made a trap of a trace what it is")

#define COMMAND_PROTOTYPE(name, summary) int command_##name(int argc, char **argv);
COMMAND_MAP(COMMAND_PROTOTYPE)
#undef COMMAND_PROTOTYPE

/* `why`, whose answer goes to a stream. */
int why_to(int argc, char **argv, FILE *out);

#endif
