/* SPDX-License-Identifier: GPL-2.0-only */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "base/options.h"
#include "base/output.h"
#include "scenario/verdicts.h"

static const char help[] =
    "usage: fhsim run [OPTION...] SCENARIO...\n\n"
    "Plays scenarios: a machine, steps on it, and what each must do. A SCENARIO is a YAML\n"
    "file, '-' for standard input, or a folder, whose *.yaml files are played in the order\n"
    "of their names, folders inside it included. docs/scenario-format.md describes the\n"
    "format.\n\n"
    "  --format FORMAT  text (the default), tap, junit or json\n"
    "  --machine NAME   play on this machine, whatever the scenario says; or the FOLDER of one\n"
    "  --only ID,...    with these of its departures only\n"
    "  --trace          show what each step did: locks, effects, changes of the state\n"
    "  --without ID,... without these; all: without any\n\n"
    "Exit status: 0 all as expected, 1 an expectation failed, 2 bad input or usage.\n";

/* --- Files -------------------------------------------------------------------------------------
 */

struct paths {
    char **list;
    size_t count, size;
};

static void *check_memory(void *memory)
{
    if (memory)
        return memory;
    no_memory();
}

static void add_path(struct paths *paths, char *path)
{
    if (paths->count == paths->size) {
        paths->size = paths->size ? 2 * paths->size : 32;
        paths->list = check_memory(realloc(paths->list, paths->size * sizeof *paths->list));
    }
    paths->list[paths->count++] = path;
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* A link is not followed: it may lead back up. */
static bool is_inner_folder(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_yaml(const char *name)
{
    size_t length = strlen(name);
    return length > 5 && strcmp(name + length - 5, ".yaml") == 0;
}

static bool add_folder(struct paths *paths, const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0) {
        diag_plain("%s: cannot read the folder", folder);
        return false;
    }
    bool fine = true;
    size_t before = paths->count;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        size_t slash = folder[strlen(folder) - 1] == '/';
        size_t size = strlen(folder) + strlen(name) + 2;
        char *path = check_memory(malloc(size));
        snprintf(path, size, slash ? "%s%s" : "%s/%s", folder, name);
        bool inner = *name != '.' && is_inner_folder(path);
        if (inner)
            fine = add_folder(paths, path) && fine;
        if (!inner && is_yaml(name))
            add_path(paths, path);
        else
            free(path);
        free(entries[i]);
    }
    free(entries);
    if (fine && paths->count == before) {
        diag_plain("%s: no scenarios (*.yaml) in the folder", folder);
        return false;
    }
    return fine;
}

static bool find_scenarios(struct paths *paths, char **arguments, int count)
{
    bool fine = true;
    for (int i = 0; i < count; i++) {
        if (is_folder(arguments[i]))
            fine = add_folder(paths, arguments[i]) && fine;
        else
            add_path(paths, check_memory(strdup(arguments[i])));
    }
    return fine;
}

static void free_paths(struct paths *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        free(paths->list[i]);
    free(paths->list);
}

/* --- The command -------------------------------------------------------------------------------
 */

static void play_one(struct scenario *scenario, bool is_fine, bool trace, struct outcome *outcome)
{
    *outcome = (struct outcome){.scenario = scenario, .verdict = VERDICT_INVALID};
    if (is_fine)
        play(scenario, trace, outcome);
}

/* One that shows a departure is played without it, too, unless the command says on which machine.
 */
static void run_one(struct verdicts *verdicts, const char *path,
                    const struct machine_choice *choice)
{
    struct scenario scenario, beside;
    struct outcome outcome, other;
    bool is_fine = scenario_load(&scenario, path, choice);
    const bool has_two = is_fine && scenario.beside.machine;
    const bool is_other_fine = has_two && scenario_load_beside(&beside, &scenario);
    play_one(&scenario, is_fine && (is_other_fine || !has_two), verdicts->trace, &outcome);
    if (has_two)
        play_one(&beside, is_other_fine, verdicts->trace, &other);
    const bool is_other =
        has_two &&
        (!is_other_fine || (outcome.verdict == VERDICT_PASSED && other.verdict != VERDICT_PASSED));
    verdicts_add(verdicts, is_other ? &other : &outcome);
    if (has_two)
        scenario_free(&beside);
    scenario_free(&scenario);
}

static int run_all(struct verdicts *verdicts, char **arguments, int count,
                   const struct machine_choice *choice)
{
    struct paths paths = {0};
    int status = EXIT_BAD_INPUT;
    if (find_scenarios(&paths, arguments, count) && verdicts_begin(verdicts, paths.count)) {
        for (size_t i = 0; i < paths.count; i++)
            run_one(verdicts, paths.list[i], choice);
        verdicts_end(verdicts);
        status = verdicts->invalid > 0  ? EXIT_BAD_INPUT
                 : verdicts->failed > 0 ? EXIT_DIFFERENT
                                        : EXIT_EXPECTED;
    }
    free_paths(&paths);
    return output_arrived(stdout, "the report") ? status : EXIT_BAD_INPUT;
}

static bool choose_format(struct verdicts *verdicts, const char *name)
{
    static const char *const names[] = {"text", "tap", "junit", "json"};
    if (verdicts_format_named(name, &verdicts->format))
        return true;
    const char *near = nearest(name, names, sizeof names / sizeof *names);
    diag_plain("run: unknown format '%s'%s%s%s", name, near ? "; did you mean '" : "",
               near ? near : "; there are text, tap, junit and json", near ? "'?" : "");
    return false;
}

int command_run(int argc, char **argv)
{
    struct verdicts verdicts = {.out = stdout};
    const char *format = "text";
    struct machine_wish wish = {0};
    struct machine_choice choice;
    const struct option_spec options[] = {{"--format", NULL, &format},
                                          {"--machine", NULL, &wish.name},
                                          {"--only", NULL, &wish.only},
                                          {"--trace", &verdicts.trace, NULL},
                                          {"--without", NULL, &wish.without}};
    int count;
    switch (options_read(argc, argv, options, sizeof options / sizeof *options, &count)) {
    case OPTIONS_HELP: fputs(help, stdout); return EXIT_EXPECTED;
    case OPTIONS_BAD: return EXIT_BAD_INPUT;
    default: break;
    }
    if (!choose_format(&verdicts, format) || !machine_choose("run", &wish, &choice))
        return EXIT_BAD_INPUT;
    if (count == 0) {
        diag_plain("run: no scenario given; `fhsim run --help` explains");
        return EXIT_BAD_INPUT;
    }
    verdicts.colour = verdicts.format == VERDICTS_TEXT && may_colour(stdout);
    return run_all(&verdicts, argv, count, &choice);
}
