/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "base/diag.h"
#include "base/output.h"

struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
#define COMMAND(name, summary) {#name, summary, command_##name},
    COMMAND_MAP(COMMAND)
#undef COMMAND
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_usage(FILE *out)
{
    fputs("usage: fhsim COMMAND [ARGUMENT...]\n\n"
          "An executable model of SeKVM's verified hypervisor core.\n\n"
          "Commands:\n",
          out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fputs("\n`fhsim COMMAND --help` explains a command. Exit status: 0 all as expected, 1 a\n"
          "difference or a failed expectation, 2 bad input or usage.\n",
          out);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    const char *suggestion = nearest(name, names, COMMANDS);
    if (suggestion)
        diag_plain("unknown command '%s'; did you mean '%s'?", name, suggestion);
    else
        diag_plain("unknown command '%s'; `fhsim --help` lists the commands", name);
    return EXIT_BAD_INPUT;
}

static int after_output(int status)
{
    return output_arrived(stdout, "the output") ? status : EXIT_BAD_INPUT;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_BAD_INPUT;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_usage(stdout);
        return after_output(EXIT_EXPECTED);
    }
    if (strcmp(name, "--version") == 0) {
        puts("fhsim " FHSIM_VERSION);
        return after_output(EXIT_EXPECTED);
    }
    const struct command *command = find_command(name);
    return command ? after_output(command->run(argc - 1, argv + 1)) : unknown_command(name);
}
