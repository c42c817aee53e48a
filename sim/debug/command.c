/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <editline/readline.h>

#include "commands.h"
#include "base/diag.h"
#include "base/options.h"
#include "base/output.h"
#include "base/shown.h"
#include "base/source.h"
#include "debug/dap.h"
#include "debug/debugger.h"

static const char help[] =
    "usage: fhsim debug TRACE[#SEQ] [--commands FILE] [--machine NAME|DIR]\n"
    "       fhsim debug SCENARIO[#STEP] [--commands FILE] [--machine NAME|DIR]\n"
    "       fhsim debug --dap\n\n"
    "Walks through a recorded trace, or the steps of a scenario (*.yaml), both ways, with the\n"
    "model's state behind each: `next`, `prev`, `goto`, `step` into the effects of a trap,\n"
    "`break`, `watch`, `continue` and `reverse-continue`, `print`, `delta`, and `fork`, to try "
    "what\n"
    "is not there. `help` lists all commands. Where standard input is no terminal, commands are\n"
    "read from there.\n\n"
    "  --commands FILE  take the commands in a file, one in a line; # begins a comment\n"
    "  --dap            be a server of the Debug Adapter Protocol on standard input and output,\n"
    "                   for an editor\n"
    "  --machine NAME   the machine that the trace is of, sekvm-4.18 if it is not said; or that a\n"
    "                   scenario is played on, whatever it says\n\n"
    "Exit status: 0, 2 bad input or a command that is none.\n";

/* --- Commands of a file ----------------------------------------------------------------------- */

static unsigned column_of(const struct debugger *debugger, const char *line)
{
    const char *at = debugger->error.at;
    const size_t length = strlen(line);
    return at >= line && at <= line + length ? (unsigned)(at - line) + 1 : 0;
}

static bool do_lines(struct debugger *debugger, struct source *source)
{
    char *rest = source->text;
    enum debug_outcome outcome = DEBUG_DONE;
    for (unsigned number = 1; rest && outcome == DEBUG_DONE; number++) {
        char *line = strsep(&rest, "\n");
        const size_t length = strlen(line);
        if (length > 0 && line[length - 1] == '\r')
            line[length - 1] = '\0';
        outcome = debugger_do(debugger, line);
        if (outcome == DEBUG_BAD)
            diag(&(struct place){source->name, number, column_of(debugger, line)}, line, "%s",
                 debugger->error.message);
    }
    return outcome != DEBUG_BAD;
}

static bool do_file(struct debugger *debugger, const char *path)
{
    enum { COMMANDS_MAX = 4 << 20 };
    struct source source = {.name = path};
    const bool done = source_read(&source, path, COMMANDS_MAX) && do_lines(debugger, &source);
    source_free(&source);
    return done;
}

/* --- A terminal ------------------------------------------------------------------------------- */

static char *command_beginning(const char *text, int state)
{
    static size_t next;
    if (state == 0)
        next = 0;
    for (const char *name; (name = debugger_command(next));) {
        next++;
        if (strncmp(name, text, strlen(text)) == 0)
            return strdup(name);
    }
    return NULL;
}

/* The first word of a line is a command; nothing is known of the others. */
static char **complete(const char *text, int start, int end)
{
    (void)end;
    rl_attempted_completion_over = 1;
    return start == 0 ? rl_completion_matches(text, command_beginning) : NULL;
}

static enum debug_outcome do_typed(struct debugger *debugger, const char *line)
{
    const enum debug_outcome outcome = debugger_do(debugger, line);
    if (outcome != DEBUG_BAD)
        return outcome;
    if (column_of(debugger, line) > 0)
        printf("  %*s\n", (int)column_of(debugger, line) + 3, "^");
    print_shown(stdout, debugger->error.message, strlen(debugger->error.message));
    putchar('\n');
    return DEBUG_DONE;
}

/* An empty line repeats the last command, as in other debuggers. */
static void do_terminal(struct debugger *debugger)
{
    char *line, *last = NULL;
    enum debug_outcome outcome = DEBUG_DONE;
    rl_readline_name = "fhsim";
    rl_attempted_completion_function = complete;
    using_history();
    debug_say(debugger);
    while (outcome == DEBUG_DONE && (line = readline(debugger->fork ? "fork> " : "(fh) "))) {
        if (*line && (!last || strcmp(line, last) != 0))
            add_history(line);
        outcome = do_typed(debugger, *line || !last ? line : last);
        fflush(stdout);
        if (*line) {
            free(last);
            last = line;
        } else {
            free(line);
        }
    }
    if (outcome == DEBUG_DONE)
        putchar('\n');
    free(last);
    clear_history();
}

/* --- The command ------------------------------------------------------------------------------ */

/* TRACE#SEQ: the whole trace is read, and the debugger begins at the record. */
static struct timeline *open_at(const char *argument, const char *machine, size_t *index)
{
    struct subject point;
    *index = 0;
    bool good = subject_point(&point, argument);
    struct timeline *timeline = good ? timeline_open(point.path, machine) : NULL;
    if (timeline && point.has_point && !timeline_find(timeline, point.point, index)) {
        diag_plain("%s: there is no record #%" PRIu64, point.path, point.point);
        timeline_close(timeline);
        timeline = NULL;
    }
    subject_close(&point);
    return timeline;
}

static bool run(struct debugger *debugger, const char *commands)
{
    if (commands)
        return do_file(debugger, commands);
    if (!isatty(STDIN_FILENO))
        return do_file(debugger, "-");
    do_terminal(debugger);
    return true;
}

int command_debug(int argc, char **argv)
{
    const char *commands = NULL, *machine = NULL;
    bool dap = false;
    const struct option_spec options[] = {
        {"--commands", NULL, &commands}, {"--machine", NULL, &machine}, {"--dap", &dap, NULL}};
    int count;
    switch (options_read(argc, argv, options, sizeof options / sizeof *options, &count)) {
    case OPTIONS_HELP: fputs(help, stdout); return EXIT_EXPECTED;
    case OPTIONS_BAD: return EXIT_BAD_INPUT;
    default: break;
    }
    if (dap && count == 0 && !commands && !machine)
        return dap_serve(stdin, stdout) ? EXIT_EXPECTED : EXIT_BAD_INPUT;
    if (count != 1 || dap) {
        diag_plain(
            "debug: one trace or scenario is needed, or --dap; `fhsim debug --help` explains");
        return EXIT_BAD_INPUT;
    }
    size_t index;
    struct timeline *timeline = open_at(argv[0], machine, &index);
    if (!timeline)
        return EXIT_BAD_INPUT;
    struct debugger *debugger = debugger_new(timeline, machine, stdout);
    debug_go(debugger, index);
    const bool done = run(debugger, commands);
    debugger_free(debugger);
    timeline_close(timeline);
    return done ? EXIT_EXPECTED : EXIT_BAD_INPUT;
}
