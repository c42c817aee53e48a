/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/command.h"

#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "base/diag.h"
#include "base/json_out.h"
#include "base/options.h"
#include "machine/emit.h"
#include "machine/read_machine.h"

/* `fhsim machines`, and `fhsim machine` with its own commands. */

static const char help_of_machines[] =
    "usage: fhsim machines [--json]\n\n"
    "Lists the machines of the tree: what each extends, how many departures it has.\n"
    "`fhsim machine show NAME` tells what is known of one.\n";

static unsigned count_of(const struct machine_description *machine, enum machine_entry_kind kind)
{
    unsigned count = 0;
    for (size_t i = 0; i < machine->nentries; i++)
        count += machine->entries[i].kind == kind;
    return count;
}

static void list_machines(void)
{
    for (unsigned i = 0; machine_at(i); i++) {
        const struct machine_description *machine = machine_at(i);
        const char *extends = machine->extends ? machine->extends->name : NULL;
        printf("%-12s %3u departures  %s%s%s%s\n", machine->name,
               count_of(machine, MACHINE_IS_departure), machine->title, extends ? " (extends " : "",
               extends ? extends : "", extends ? ")" : "");
    }
}

static void list_machines_json(void)
{
    struct json_out json;
    json_out_begin_rows(&json, stdout, 1);
    json_open_array(&json, NULL);
    for (unsigned i = 0; machine_at(i); i++) {
        const struct machine_description *machine = machine_at(i);
        json_open_object(&json, NULL);
        json_text(&json, "name", machine->name);
        json_text(&json, "extends", machine->extends ? machine->extends->name : NULL);
        json_number(&json, "departures", count_of(machine, MACHINE_IS_departure));
        json_text(&json, "title", machine->title);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_out_end(&json);
}

int command_machines(int argc, char **argv)
{
    bool json = false;
    const struct option_spec options[] = {{"--json", &json, NULL}};
    int nfiles;
    switch (options_read(argc, argv, options, sizeof options / sizeof *options, &nfiles)) {
    case OPTIONS_HELP: fputs(help_of_machines, stdout); return EXIT_EXPECTED;
    case OPTIONS_GOOD: break;
    default: return EXIT_BAD_INPUT;
    }
    if (nfiles > 0) {
        diag_plain("machines: it reads no files; `fhsim machine show NAME` tells of one");
        return EXIT_BAD_INPUT;
    }
    if (json)
        list_machines_json();
    else
        list_machines();
    return EXIT_EXPECTED;
}

static int compile(int argc, char **argv)
{
    bool tables = false, profile = false;
    const char *folder;
    const struct option_spec options[] = {{"--tables", &tables, NULL},
                                          {"--profile", &profile, NULL}};
    const enum options_outcome outcome = machine_argument(argc, argv, options, 2, &folder);
    if (outcome != OPTIONS_GOOD)
        return outcome == OPTIONS_HELP ? EXIT_EXPECTED : EXIT_BAD_INPUT;
    const struct machine_description *machine = machine_read(folder);
    if (!machine)
        return EXIT_BAD_INPUT;
    const enum machine_emitted library = tables ? MACHINE_TABLES : MACHINE_PROFILE;
    machine_emit(machine, tables || profile ? library : MACHINE_DESCRIPTION, stdout);
    return EXIT_EXPECTED;
}

/* --- The commands of `fhsim machine` --------------------------------------------------------- */

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"show", machine_show},       {"check", machine_check},         {"infer", machine_infer},
    {"propose", machine_propose}, {"catalogue", machine_catalogue}, {"compile", compile},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

int command_machine(int argc, char **argv)
{
    if (argc < 2) {
        fputs(machine_help, stderr);
        return EXIT_BAD_INPUT;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        fputs(machine_help, stdout);
        return EXIT_EXPECTED;
    }
    const char *names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++) {
        names[i] = commands[i].name;
        if (strcmp(names[i], argv[1]) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    const char *near = nearest(argv[1], names, COMMANDS);
    diag_plain("machine: no command '%s'%s%s%s", argv[1], near ? "; did you mean '" : "",
               near ? near : "", near ? "'?" : "");
    return EXIT_BAD_INPUT;
}
