/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/scenario.h"

#include <stdlib.h>
#include <string.h>

#include "base/kinds.h"
#include "base/yaml.h"

enum { MAX_FILE = 4 << 20, FORMAT_VERSION = 1 };
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
enum { MAX_MEMORY = 4 << 20 }; /* a long run finds no more than a short one */
#else
enum { MAX_MEMORY = 1 << 30 };
#endif

static bool load_profile(struct reader *reader, struct scenario *scenario, const struct node *root)
{
    const char *name, *names[16];
    const struct node *node = node_get(root, "profile");
    if (node && !reader_text(reader, node, "profile", &name))
        return false;
    scenario->profile = reader->profile =
        node ? fh_profile_find(name) : fh_machine_profile(scenario->choice.machine);
    if (scenario->profile)
        return true;
    size_t count = 0;
    for (const struct fh_profile *k; count < 16 && (k = fh_profile_at((unsigned)count));)
        names[count++] = k->name;
    return reader_unknown(reader, node, "profile", names, count);
}

/* A file's name without its folders and without `.yaml`. */
static const char *base_name(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t length = strlen(name);
    if (length > 5 && strcmp(name + length - 5, ".yaml") == 0)
        length -= 5;
    return arena_strdup(arena, name, length);
}

static bool load_root(struct reader *reader, struct scenario *scenario, const struct node *root)
{
    static const char *const keys[] = {
        "format",     "name",       "description", "profile", "machine", "shows",
        "host",       "vms",        "state",       "oracle",  "data",    "core_data",
        "parameters", "invariants", "tlb",         "rules",   "steps",   NULL};
    uint64_t format = FORMAT_VERSION;
    reader->profile = fh_profile_find("spec");
    if (!reader_keys(reader, root, "a scenario", keys) ||
        !reader_number_at(reader, root, "format", FORMAT_VERSION, FORMAT_VERSION, &format) ||
        !reader_text_at(reader, root, "name", &scenario->name) ||
        !reader_text_at(reader, root, "description", &scenario->description))
        return false;
    if (!scenario->description)
        return reader_error(reader, root,
                            "a scenario needs a 'description': what happens in it, "
                            "in a sentence");
    if (!node_get(root, "steps"))
        return reader_error(reader, root, "a scenario needs 'steps'");
    return scenario_load_departures(reader, scenario, root) &&
           load_profile(reader, scenario, root) && scenario_load_machine(reader, scenario, root) &&
           scenario_load_parameters(reader, scenario, root) &&
           scenario_load_invariants(reader, scenario, root) &&
           scenario_load_tlb(reader, scenario, root) &&
           scenario_load_rules(reader, scenario, root) &&
           scenario_load_steps(reader, scenario, node_get(root, "steps"));
}

/* "log", "slog.3": the events of a log, and not "log.3.length", how many there are. */
static bool is_of_events(const char *key)
{
    static const char *const logs[] = {"log", "slog", "pt_updates"};
    const char *dot = strrchr(key, '.');
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        const size_t length = strlen(logs[i]);
        if (strncmp(key, logs[i], length) == 0 && (key[length] == '\0' || key[length] == '.'))
            return !dot || strcmp(dot, ".length") != 0;
    }
    return false;
}

/* Does the document have a key for the events of a log, as patches and deltas do? */
static bool speaks_of_logs(const struct node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        if ((node->kind == NODE_MAP && is_of_events(node->keys[i].text)) ||
            speaks_of_logs(&node->items[i]))
            return true;
    }
    return false;
}

/* What the file says. */
static bool load_source(struct scenario *scenario)
{
    const struct node *root = yaml_parse(&scenario->source, scenario->arena);
    struct reader reader = {.source = &scenario->source, .arena = scenario->arena};
    scenario->budget = (struct budget){.limit = MAX_MEMORY};
    scenario->allocator = budget_allocator(&scenario->budget);
    scenario->log_policy = root && speaks_of_logs(root) ? FH_LOG_FULL : FH_LOG_SUMMARY;
    return root && load_root(&reader, scenario, root);
}

static bool load_file(struct scenario *scenario, const char *path)
{
    scenario->name = strcmp(path, "-") == 0 ? "stdin" : base_name(scenario->arena, path);
    if (!source_read(&scenario->source, path, MAX_FILE))
        return false;
    const char *other = kind_of_another_command(scenario->source.text, scenario->source.length);
    if (other)
        return source_error(&scenario->source, 0, 0, "no scenario: this is %s", other);
    return load_source(scenario);
}

bool scenario_load(struct scenario *scenario, const char *path, const struct machine_choice *choice)
{
    *scenario = (struct scenario){.arena = arena_new(), .choice = *choice};
    return load_file(scenario, path);
}

bool scenario_load_with_words(struct scenario *scenario, const char *path,
                              const struct machine_choice *choice)
{
    *scenario = (struct scenario){.arena = arena_new(), .choice = *choice, .wants_words = true};
    return load_file(scenario, path);
}

bool scenario_load_beside(struct scenario *scenario, const struct scenario *other)
{
    *scenario = (struct scenario){
        .arena = arena_new(), .choice = other->beside, .is_beside = true, .name = other->name};
    scenario->source = (struct source){.name = other->source.name,
                                       .text = malloc(other->source.length + 1),
                                       .length = other->source.length};
    if (!scenario->source.text)
        no_memory();
    memcpy(scenario->source.text, other->source.text, other->source.length + 1);
    return load_source(scenario);
}

static bool load_text(struct scenario *scenario, const char *name, const char *text)
{
    scenario->name = name;
    scenario->source = (struct source){.name = name, .text = strdup(text), .length = strlen(text)};
    if (scenario->source.length > MAX_FILE)
        return source_error(&scenario->source, 0, 0, "the scenario is larger than 4 MiB");
    return scenario->source.text && load_source(scenario);
}

bool scenario_load_text(struct scenario *scenario, const char *name, const char *text)
{
    *scenario = (struct scenario){.arena = arena_new()};
    return load_text(scenario, name, text);
}

bool scenario_load_text_for(struct scenario *scenario, const char *name, const char *text,
                            const struct machine_choice *choice)
{
    *scenario = (struct scenario){.arena = arena_new(), .choice = *choice, .wants_words = true};
    return load_text(scenario, name, text);
}

void scenario_free(struct scenario *scenario)
{
    fh_state_free(scenario->state);
    script_free(scenario->script);
    source_free(&scenario->source);
    arena_free(scenario->arena);
}
