/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/read_machine.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/yaml.h"
#include "machine/read.h"

enum { MAX_FILE = 1 << 20, MAX_PATH = 4096, MAX_DEPTH = 8, MAX_NAMES = 64 };

/* `faults`: count what a well-formed file lacks too; NULL: do not look. */
static const struct machine_description *read_folder(const char *folder, unsigned depth,
                                                     unsigned *faults);

/* The sections that add to the description, in the order in which they are read. */
static const struct section {
    const char *name;
    bool (*read)(struct machine_reader *reader, const struct node *node);
} sections[] = {
    {"constants", machine_read_constants},       {"tables", machine_read_tables},
    {"hypercalls", machine_read_hypercalls},     {"guest_calls", machine_read_guest_calls},
    {"registers", machine_read_registers},       {"recognised", machine_read_recognised},
    {"adopted", machine_read_adopted},           {"dialect", machine_read_dialect},
    {"not_compared", machine_read_not_compared}, {"limits", machine_read_limits},
    {"without", machine_read_without},           {"catalogue", machine_read_catalogue},
};

enum { SECTIONS = sizeof sections / sizeof *sections };

static bool is_folder_of_machine(const char *folder)
{
    char path[MAX_PATH + sizeof "/machine.yaml"];
    snprintf(path, sizeof path, "%s/machine.yaml", folder);
    return access(path, R_OK) == 0;
}

static size_t names_of_tree(const char **names, size_t room)
{
    size_t count = 0;
    for (; count < room && machine_at((unsigned)count); count++)
        names[count] = machine_at((unsigned)count)->name;
    return count;
}

/* The folder beside `folder`, or what `name` says from there. */
static const struct machine_description *base_of(struct reader *reader, const struct node *node,
                                                 const char *folder, unsigned depth)
{
    char beside[MAX_PATH];
    snprintf(beside, sizeof beside, "%s/%s%s", folder, strchr(node->text, '/') ? "" : "../",
             node->text);
    if (depth == MAX_DEPTH)
        return reader_error(reader, node, "machines extend one another more than %d deep",
                            MAX_DEPTH),
               NULL;
    if (is_folder_of_machine(beside))
        return read_folder(beside, depth + 1, NULL);
    const struct machine_description *machine = machine_of_tree(node->text);
    if (machine)
        return machine;
    const char *names[MAX_NAMES];
    reader_unknown(reader, node, "machine", names, names_of_tree(names, MAX_NAMES));
    return NULL;
}

/* What the extended machine says, to be added to. */
static bool begin(struct machine_reader *reader, const struct node *root, const char *folder,
                  unsigned depth)
{
    struct machine_description *machine = reader->machine;
    const struct node *extends = node_get(root, "extends");
    const char *name;
    *reader->profile = fh_profile_spec;
    if (!extends || node_is(extends, "nothing"))
        return true;
    if (!reader_text(&reader->reader, extends, "extends", &name))
        return false;
    const struct machine_description *base = base_of(&reader->reader, extends, folder, depth);
    if (!base)
        return false;
    *machine = *base;
    machine->extends = base;
    machine->title = NULL;
    *reader->profile = *base->profile;
    return true;
}

static bool read_head(struct machine_reader *reader, const struct node *root)
{
    struct machine_description *machine = reader->machine;
    bool fine = reader_text_at(&reader->reader, root, "machine", &machine->name);
    fine = reader_text_at(&reader->reader, root, "title", &machine->title) && fine;
    if (!node_get(root, "machine"))
        fine = reader_error(&reader->reader, root, "'machine', its name, is missing");
    if (!node_get(root, "title"))
        fine = reader_error(&reader->reader, root, "'title' is missing");
    reader->profile->name = machine->name;
    return fine;
}

static bool read_sections(struct machine_reader *reader, const struct node *root)
{
    bool fine = true;
    for (size_t i = 0; i < SECTIONS; i++) {
        const struct node *section = node_get(root, sections[i].name);
        const bool is_said = section && section->kind != NODE_NULL;
        fine = (!is_said || sections[i].read(reader, section)) && fine;
    }
    return fine;
}

static bool read_root(struct machine_reader *reader, const struct node *root, const char *folder,
                      unsigned depth)
{
    const char *keys[SECTIONS + 4] = {"machine", "title", "extends"};
    for (size_t i = 0; i < SECTIONS; i++)
        keys[3 + i] = sections[i].name;
    bool fine = reader_keys(&reader->reader, root, "a machine", keys);
    if (root->kind != NODE_MAP)
        return false;
    const bool is_begun = begin(reader, root, folder, depth);
    reader->machine->folder = arena_strdup(reader->reader.arena, folder, strlen(folder));
    fine = read_head(reader, root) && fine;
    /* What the sections may name is in the extended machine. */
    return is_begun && read_sections(reader, root) && fine;
}

/* The memory of all that was read, which lives as long as the program. */
static struct memory {
    struct arena *arena;
    struct memory *next;
} * memories;

static struct arena *keep_arena(void)
{
    struct arena *arena = arena_new();
    struct memory *memory = arena_alloc(arena, sizeof *memory);
    *memory = (struct memory){arena, memories};
    memories = memory;
    return arena;
}

static const struct machine_description *read_folder(const char *folder, unsigned depth,
                                                     unsigned *faults)
{
    char path[MAX_PATH + sizeof "/machine.yaml"];
    struct source source;
    struct arena *arena = keep_arena();
    snprintf(path, sizeof path, "%s/machine.yaml", folder);
    struct machine_description *machine = arena_alloc(arena, sizeof *machine);
    struct fh_profile *profile = arena_alloc(arena, sizeof *profile);
    machine->profile = profile;
    const struct node *root = NULL;
    bool fine = source_read(&source, path, MAX_FILE);
    if (fine)
        root = yaml_parse(&source, arena);
    struct machine_reader reader = {{&source, arena, profile}, machine, profile};
    fine = root && read_root(&reader, root, folder, depth);
    machine->profile = profile;
    if (fine && faults)
        *faults = machine_check_rest(&reader, root);
    source_free(&source);
    return fine ? machine : NULL;
}

const struct machine_description *machine_read_addition(const struct machine_description *base,
                                                        const char *text)
{
    struct arena *arena = keep_arena();
    struct source source = {.name = "addition",
                            .text = arena_strdup(arena, text, strlen(text)),
                            .length = strlen(text),
                            .quiet = true};
    struct machine_description *machine = arena_alloc(arena, sizeof *machine);
    struct fh_profile *profile = arena_alloc(arena, sizeof *profile);
    *machine = *base;
    *profile = *base->profile;
    machine->extends = base;
    machine->name = profile->name = "addition";
    machine->folder = NULL;
    machine->profile = profile;
    struct machine_reader reader = {{&source, arena, profile}, machine, profile};
    const struct node *root = yaml_parse(&source, arena);
    return root && root->kind == NODE_MAP && read_sections(&reader, root) ? machine : NULL;
}

const struct machine_description *machine_read(const char *folder)
{
    return read_folder(folder, 0, NULL);
}

const struct machine_description *machine_read_checked(const char *folder, unsigned *faults)
{
    return read_folder(folder, 0, faults);
}

const struct machine_description *machine_find(const char *name_or_folder)
{
    const struct machine_description *machine = machine_of_tree(name_or_folder);
    if (machine)
        return machine;
    if (is_folder_of_machine(name_or_folder))
        return machine_read(name_or_folder);
    const char *names[MAX_NAMES];
    const char *near = nearest(name_or_folder, names, names_of_tree(names, MAX_NAMES));
    if (near)
        diag_plain("no machine '%s': neither one of the tree nor a folder with a machine.yaml; did "
                   "you mean '%s'?",
                   name_or_folder, near);
    else
        diag_plain("no machine '%s': neither one of the tree (`fhsim machines`) nor a folder with "
                   "a machine.yaml",
                   name_or_folder);
    return NULL;
}
