/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>

#include "base/diag.h"
#include "machine/command.h"

const char machine_help[] =
    "usage: fhsim machine COMMAND ...\n\n"
    "A machine is a hypervisor of KCore's family, described by the machine.yaml of a folder\n"
    "(docs/machines.md). A MACHINE is the name of one of the tree, or the path of a folder.\n\n"
    "  show MACHINE [--by consequence] [--json]\n"
    "                  what is known of it: constants, calls, catalogue, limits\n"
    "  check FOLDER    is its machine.yaml well-formed and complete?\n"
    "  infer TRACE     a machine.yaml from a trace: addresses, pools, calls that were seen\n"
    "  propose TRACE... [--machine MACHINE]\n"
    "                  lines for what a machine does not explain, tried on the traces\n"
    "  catalogue MACHINE\n"
    "                  its catalogue as a page in Markdown (docs/deviations.md)\n"
    "  compile FOLDER [--tables] [--profile]\n"
    "                  its description as C, for machines of the tree; or its calls;\n"
    "                  or its constants\n";

enum options_outcome machine_argument(int argc, char **argv, const struct option_spec *options,
                                      size_t noptions, const char **argument)
{
    const char *command = argv[0];
    int count;
    const enum options_outcome outcome = options_read(argc, argv, options, noptions, &count);
    if (outcome == OPTIONS_HELP)
        fputs(machine_help, stdout);
    if (outcome != OPTIONS_GOOD)
        return outcome;
    *argument = argv[0];
    if (count == 1)
        return OPTIONS_GOOD;
    diag_plain("machine %s: one argument is wanted; `fhsim machine --help` explains it", command);
    return OPTIONS_BAD;
}
