/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "base/diag.h"
#include "debug/debugger.h"

/* Where a command can be given. */
enum where { ANYWHERE, RECORDING, FORK };

struct command {
    const char *name, *short_name, *arguments, *help;
    enum where where;
    bool (*run)(struct debugger *debugger, const char *words);
};

/* --- Going ------------------------------------------------------------------------------------ */

/* How often: 1 if nothing is said. */
static bool read_count(struct debugger *debugger, const char *words, uint64_t *count)
{
    *count = 1;
    if (*words == '\0')
        return true;
    if (!debug_number(debugger, words, count))
        return false;
    return *count > 0 || debug_fail(debugger, words, "how often? 1 at least");
}

/* Inside of a record its end is the next point. */
static bool do_next(struct debugger *debugger, const char *words)
{
    const size_t end = timeline_count(debugger->timeline) - 1;
    const bool is_inside = debugger->effect != DEBUG_BEHIND;
    uint64_t count;
    if (!read_count(debugger, words, &count))
        return false;
    if (debugger->index == end && !is_inside)
        return debug_fail(debugger, NULL, "this is the end");
    const uint64_t left = end - debugger->index + is_inside;
    debug_go(debugger, debugger->index - is_inside + (size_t)(count < left ? count : left));
    debug_say(debugger);
    return true;
}

static bool do_prev(struct debugger *debugger, const char *words)
{
    uint64_t count;
    if (!read_count(debugger, words, &count))
        return false;
    if (debugger->index == 0)
        return debug_fail(debugger, NULL, "this is the beginning");
    debug_go(debugger, debugger->index - (count < debugger->index ? count : debugger->index));
    debug_say(debugger);
    return true;
}

static bool do_goto(struct debugger *debugger, const char *words)
{
    size_t index = 0;
    uint64_t seq;
    if (strcmp(words, "end") == 0)
        index = timeline_count(debugger->timeline) - 1;
    else if (strcmp(words, "start") != 0) {
        if (!debug_number(debugger, words, &seq))
            return false;
        if (!timeline_find(debugger->timeline, seq, &index))
            return debug_fail(debugger, words, "there is no record #%" PRIu64, seq);
    }
    debug_go(debugger, index);
    debug_say(debugger);
    return true;
}

/* An effect further: into the next record, if it stands behind one. */
static bool step(struct debugger *debugger)
{
    if (debugger->effect != DEBUG_BEHIND)
        debug_enter(debugger, debugger->index, (size_t)debugger->effect + 1);
    else if (debugger->index + 1 == timeline_count(debugger->timeline))
        return false;
    else
        debug_enter(debugger, debugger->index + 1, 0);
    return true;
}

static bool step_back(struct debugger *debugger)
{
    const size_t nfx = timeline_effects(debugger->timeline, debugger->index);
    if (debugger->effect == 0 || (debugger->effect == DEBUG_BEHIND && nfx == 0)) {
        if (debugger->index == 0)
            return false;
        debug_go(debugger, debugger->index - 1);
    } else if (debugger->index == 0) {
        return false; /* of the boot record only the end is a state */
    } else {
        debug_enter(debugger, debugger->index,
                    (debugger->effect == DEBUG_BEHIND ? nfx : (size_t)debugger->effect) - 1);
    }
    return true;
}

static bool do_steps(struct debugger *debugger, const char *words,
                     bool (*step_once)(struct debugger *debugger), const char *end)
{
    uint64_t count;
    if (!read_count(debugger, words, &count))
        return false;
    if (!step_once(debugger))
        return debug_fail(debugger, NULL, "this is the %s", end);
    while (--count > 0 && step_once(debugger))
        ;
    debug_say(debugger);
    return true;
}

static bool do_step(struct debugger *debugger, const char *words)
{
    return do_steps(debugger, words, step, "end");
}

static bool do_reverse_step(struct debugger *debugger, const char *words)
{
    return do_steps(debugger, words, step_back, "beginning");
}

static bool do_continue(struct debugger *debugger, const char *words)
{
    (void)words;
    stops_run(debugger, false);
    debug_say(debugger);
    return true;
}

static bool do_reverse_continue(struct debugger *debugger, const char *words)
{
    (void)words;
    stops_run(debugger, true);
    debug_say(debugger);
    return true;
}

static bool do_where(struct debugger *debugger, const char *words)
{
    (void)words;
    debug_say(debugger);
    if (debugger->fork)
        fprintf(debugger->out, "steps behind it that were not recorded: %zu\n",
                debugger->fork->count);
    return true;
}

static bool do_list(struct debugger *debugger, const char *words)
{
    enum { AROUND = 5 };
    const size_t count = timeline_count(debugger->timeline);
    const size_t first = debugger->index > AROUND ? debugger->index - AROUND : 0;
    (void)words;
    for (size_t i = first; i < count && i <= debugger->index + AROUND; i++) {
        fputs(i == debugger->index ? "> " : "  ", debugger->out);
        debug_say_record(debugger, i);
    }
    return true;
}

/* --- Stops ------------------------------------------------------------------------------------ */

static bool say_new(const struct debugger *debugger, const struct stop *stop)
{
    if (!stop)
        return false;
    fprintf(debugger->out, "stop %u: ", stop->number);
    stops_say(debugger, stop);
    fputc('\n', debugger->out);
    return true;
}

static bool do_break(struct debugger *debugger, const char *words)
{
    return say_new(debugger, stops_break(debugger, words));
}

static bool do_watch(struct debugger *debugger, const char *words)
{
    return say_new(debugger, stops_watch(debugger, words));
}

static bool do_rwatch(struct debugger *debugger, const char *words)
{
    return say_new(debugger, stops_rwatch(debugger, words));
}

static bool do_info(struct debugger *debugger, const char *words)
{
    if (*words && strcmp(words, "breakpoints") != 0 && strcmp(words, "b") != 0)
        return debug_fail(debugger, words, "info of what? `info breakpoints`");
    stops_print(debugger);
    return true;
}

static bool do_delete(struct debugger *debugger, const char *words)
{
    uint64_t number;
    if (*words == '\0') {
        while (debugger->nstops > 0)
            stops_remove(debugger, debugger->stops[0].number);
        return true;
    }
    if (!debug_number(debugger, words, &number))
        return false;
    return (number <= UINT32_MAX && stops_remove(debugger, (unsigned)number)) ||
           debug_fail(debugger, words, "there is no stop %s", words);
}

/* --- To look at ------------------------------------------------------------------------------- */

static bool do_who(struct debugger *debugger, const char *words)
{
    size_t index;
    uint64_t value, before, after;
    if (!debug_value(debugger, words, &value))
        return false;
    if (!stops_last_change(debugger, words, &index, &before, &after)) {
        fprintf(debugger->out, "%s is 0x%" PRIx64 " since the beginning\n", words, value);
        return true;
    }
    fprintf(debugger->out, "0x%" PRIx64 " -> 0x%" PRIx64 " by ", before, after);
    debug_say_record(debugger, index);
    return true;
}

/* As `fhsim why TRACE#SEQ WHAT`, which reads the trace for itself. */
static bool do_why(struct debugger *debugger, const char *words)
{
    enum { ARGUMENTS = 20 };
    static char name[] = "why", option[] = "--machine";
    char point[4200], *own = strdup(words), *rest;
    char *arguments[ARGUMENTS + 5] = {name, point};
    int count = 2;
    if (!own)
        no_memory();
    if (timeline_is_scenario(debugger->timeline)) {
        free(own);
        return debug_fail(debugger, NULL, "why is told of traces");
    }
    snprintf(point, sizeof point, "%s#%" PRIu64, timeline_path(debugger->timeline),
             debug_record(debugger)->line->seq);
    for (char *word = strtok_r(own, " ", &rest); word && count < ARGUMENTS;
         word = strtok_r(NULL, " ", &rest))
        arguments[count++] = word;
    char *machine = debugger->machine ? strdup(debugger->machine) : NULL;
    if (debugger->machine && !machine)
        no_memory();
    if (machine) {
        arguments[count++] = option;
        arguments[count++] = machine;
    }
    const bool done = why_to(count, arguments, debugger->out) != EXIT_BAD_INPUT;
    free(machine);
    free(own);
    return done || debug_fail(debugger, words, "`fhsim why --help` says what it takes");
}

/* --- The fork --------------------------------------------------------------------------------- */

static bool do_fork(struct debugger *debugger, const char *words)
{
    (void)words;
    if (debugger->effect != DEBUG_BEHIND)
        return debug_fail(debugger, NULL, "inside of a trap there is no fork; `next` ends it");
    fork_begin(debugger);
    fputs("what is tried from here on was not recorded; `back` returns\n", debugger->out);
    return true;
}

static bool do_try(struct debugger *debugger, const char *words)
{
    return fork_try(debugger, words);
}

static bool do_undo(struct debugger *debugger, const char *words)
{
    (void)words;
    if (!fork_undo(debugger))
        return debug_fail(debugger, NULL, "nothing was tried that could be taken back");
    fprintf(debugger->out, "taken back; steps that are left: %zu\n", debugger->fork->count);
    return true;
}

static bool do_back(struct debugger *debugger, const char *words)
{
    (void)words;
    fork_end(debugger);
    debug_say(debugger);
    return true;
}

/* --- The table -------------------------------------------------------------------------------- */

static bool do_help(struct debugger *debugger, const char *words);

static bool do_quit(struct debugger *debugger, const char *words)
{
    (void)debugger;
    (void)words;
    return true;
}

static const struct command commands[] = {
    {"next", "n", "[COUNT]", "the next record", RECORDING, do_next},
    {"prev", "p", "[COUNT]", "the record before", RECORDING, do_prev},
    {"goto", "g", "SEQ|start|end", "the record with this number", RECORDING, do_goto},
    {"step", "s", "[COUNT]", "an effect further, into the next record", RECORDING, do_step},
    {"reverse-step", "rs", "[COUNT]", "an effect back", RECORDING, do_reverse_step},
    {"continue", "c", "", "on to the next stop", RECORDING, do_continue},
    {"reverse-continue", "rc", "", "back to the last stop", RECORDING, do_reverse_continue},
    {"where", "w", "", "where it stands", ANYWHERE, do_where},
    {"list", "l", "", "the records around", RECORDING, do_list},
    {"break", "b", "WHAT",
     "stop at: kind KIND, function NAME, page PFN, vm VMID, deviation ID,\n"
     "                                  invariant NAME, if EXPRESSION, explained, unexplained, ...",
     RECORDING, do_break},
    {"watch", NULL, "EXPRESSION", "stop where its value changes", RECORDING, do_watch},
    {"rwatch", NULL, "PFN|s2page.PFN", "stop where the record of a page is read", RECORDING,
     do_rwatch},
    {"info", "i", "breakpoints", "the stops", ANYWHERE, do_info},
    {"delete", "d", "[NUMBER]", "remove a stop, or all", ANYWHERE, do_delete},
    {"print", NULL, "PATH|EXPRESSION", "a part of the state, or a value", ANYWHERE, debug_print},
    {"who", NULL, "EXPRESSION", "the record that changed its value last", RECORDING, do_who},
    {"why", NULL, "[WHAT]", "which traps made this one what it is, as `fhsim why`", RECORDING,
     do_why},
    {"trap", "t", "", "the trap, whole", RECORDING, debug_trap},
    {"effects", "e", "", "its effects, '!' where something else was predicted", RECORDING,
     debug_effects},
    {"delta", NULL, "[SEQ [SEQ]]", "what differs between the states behind two records", RECORDING,
     debug_delta},
    {"tables", NULL, "WHAT", "as `fhsim show`: --stage2 VMID, --smmu N.BANK, --owner, --walk ADDR",
     ANYWHERE, debug_tables},
    {"locks", NULL, "", "which locks are held, by whom", RECORDING, debug_locks},
    {"owner", NULL, "[PFN]", "whose a page is, or the one that the trap is about", ANYWHERE,
     debug_owner},
    {"fork", NULL, "", "leave the recording here", RECORDING, do_fork},
    {"try", NULL, "STEP", "a scenario's step: trap: host-npt-fault, ipa: 0x40000000", FORK, do_try},
    {"undo", "u", "", "take the last one back", FORK, do_undo},
    {"back", NULL, "", "return to the recording", FORK, do_back},
    {"help", "h", "", "this list", ANYWHERE, do_help},
    {"quit", "q", "", "the end", ANYWHERE, do_quit},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static bool do_help(struct debugger *debugger, const char *words)
{
    (void)words;
    for (size_t i = 0; i < COMMANDS; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%s%s %s", commands[i].name,
                 commands[i].short_name ? ", " : "",
                 commands[i].short_name ? commands[i].short_name : "", commands[i].arguments);
        fprintf(debugger->out, "  %-30s  %s\n", name, commands[i].help);
    }
    fputs("\nAn expression has numbers, paths (shared.s2page.0x80000.s2_owner), constants, seq, "
          "cpu,\n"
          "kind, and || && ! == != < <= > >= + - & << >> ( ).\n",
          debugger->out);
    return true;
}

const char *debugger_command(size_t n)
{
    return n < COMMANDS ? commands[n].name : NULL;
}

/* By its name, a short one, or a beginning that no other one has. */
static const struct command *find_command(const char *word, size_t length)
{
    const struct command *found = NULL;
    unsigned count = 0;
    for (size_t i = 0; i < COMMANDS; i++) {
        const struct command *command = &commands[i];
        const bool begins = strncmp(command->name, word, length) == 0;
        if ((begins && command->name[length] == '\0') ||
            (command->short_name && strlen(command->short_name) == length &&
             strncmp(command->short_name, word, length) == 0))
            return command;
        if (begins) {
            found = command;
            count++;
        }
    }
    return count == 1 ? found : NULL;
}

static bool is_allowed(struct debugger *debugger, const struct command *command, const char *line)
{
    if (command->where == RECORDING && debugger->fork)
        return debug_fail(debugger, line, "'%s' is of the recording: `back` returns to it",
                          command->name);
    if (command->where == FORK && !debugger->fork)
        return debug_fail(debugger, line, "'%s' is of a fork: `fork` begins one", command->name);
    return true;
}

static void fail_unknown(struct debugger *debugger, const char *word, size_t length)
{
    const char *names[COMMANDS];
    char own[64];
    snprintf(own, sizeof own, "%.*s", (int)length, word);
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    const char *suggestion = nearest(own, names, COMMANDS);
    debug_fail(debugger, word, "no command '%s'; %s%s%s", own,
               suggestion ? "did you mean '" : "`help` lists them", suggestion ? suggestion : "",
               suggestion ? "'?" : "");
}

enum debug_outcome debugger_do(struct debugger *debugger, const char *line)
{
    const char *word = line + strspn(line, " \t");
    const size_t length = strcspn(word, " \t");
    const char *words = word + length + strspn(word + length, " \t");
    const struct command *command = find_command(word, length);
    if (*word == '\0' || *word == '#')
        return DEBUG_DONE;
    if (!command) {
        fail_unknown(debugger, word, length);
        return DEBUG_BAD;
    }
    if (*command->arguments == '\0' && *words) {
        debug_fail(debugger, words, "'%s' takes no argument", command->name);
        return DEBUG_BAD;
    }
    if (!is_allowed(debugger, command, word) || !command->run(debugger, words))
        return DEBUG_BAD;
    return command->run == do_quit ? DEBUG_QUIT : DEBUG_DONE;
}

/* --- The debugger ----------------------------------------------------------------------------- */

struct debugger *debugger_new(struct timeline *timeline, const char *machine, FILE *out)
{
    struct debugger *debugger = calloc(1, sizeof *debugger);
    if (!debugger)
        no_memory();
    debugger->timeline = timeline;
    debugger->machine = machine;
    debugger->out = out;
    debug_go(debugger, 0);
    return debugger;
}

void debugger_free(struct debugger *debugger)
{
    if (debugger->fork)
        fork_end(debugger);
    while (debugger->nstops > 0)
        stops_remove(debugger, debugger->stops[0].number);
    free(debugger->stops);
    free(debugger);
}
