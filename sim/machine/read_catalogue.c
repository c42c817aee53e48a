/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "machine/read.h"

/* The catalogue: "A24: {title: ..., harm: integrity, evidence: trace#12}". */

static const char *const kind_words[] = {
#define KIND_WORD(name, text) #name,
    MACHINE_ENTRY_MAP(KIND_WORD)
#undef KIND_WORD
};

static const char *const harm_words[] = {
#define HARM_WORD(name, text) #name,
    MACHINE_HARM_MAP(HARM_WORD)
#undef HARM_WORD
};

static const char *const breaks_words[] = {
#define BREAKS_WORD(name, text) #name,
    MACHINE_BREAKS_MAP(BREAKS_WORD)
#undef BREAKS_WORD
};

const char *machine_breaks_words(enum machine_breaks breaks)
{
    static const char *const words[] = {
#define BREAKS_TEXT(name, text) text,
        MACHINE_BREAKS_MAP(BREAKS_TEXT)
#undef BREAKS_TEXT
    };
    return words[breaks];
}

void machine_print_sides(const struct machine_entry *entry, const char *lead, FILE *out)
{
    if (entry->spec)
        fprintf(out, "%sspec: %s\n", lead, entry->spec);
    if (entry->machine)
        fprintf(out, "%smachine: %s\n", lead, entry->machine);
}

const char *machine_harm_name(enum machine_harm harm)
{
    static const char *const names[] = {
#define HARM_NAME(name, text) text,
        MACHINE_HARM_MAP(HARM_NAME)
#undef HARM_NAME
    };
    return names[harm];
}

const char *machine_entry_kind_name(enum machine_entry_kind kind)
{
    static const char *const names[] = {
#define KIND_NAME(name, text) text,
        MACHINE_ENTRY_MAP(KIND_NAME)
#undef KIND_NAME
    };
    return names[kind];
}

const struct machine_entry *machine_entry_find(const struct machine_description *machine,
                                               const char *id)
{
    for (size_t i = 0; i < machine->nentries; i++) {
        if (strcmp(machine->entries[i].id, id) == 0)
            return &machine->entries[i];
    }
    return NULL;
}

bool machine_entry_follows(const struct machine_entry *entry, const char *id)
{
    const size_t length = strlen(id);
    for (const char *at = entry->follows; at && *at; at += strspn(at, ", ")) {
        const size_t word = strcspn(at, ", ");
        if (word == length && strncmp(at, id, length) == 0)
            return true;
        at += word;
    }
    return false;
}

/* One of some words at a key of a map, which keeps its default where there is none. */
static bool read_word(struct machine_reader *reader, const struct node *map, const char *key,
                      const char *const *words, size_t count, size_t *which)
{
    const struct node *node = node_get(map, key);
    const char *text;
    if (!node)
        return true;
    if (!reader_text(&reader->reader, node, key, &text))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], text) == 0) {
            *which = i;
            return true;
        }
    }
    return reader_unknown(&reader->reader, node, key, words, count);
}

/* "alloc_pmd_page", or "assign_pfn_to_vm: owner == vmid" with a part of what is needed there. */
static bool read_halt(struct machine_reader *reader, const struct node *node,
                      struct machine_halt *halt)
{
    const char *text;
    if (!reader_text(&reader->reader, node, "where it halts", &text))
        return false;
    const size_t length = strcspn(text, ":");
    const char *rest = text + length + strspn(text + length, ": ");
    halt->function = arena_strdup(reader->reader.arena, text, length);
    halt->condition = *rest ? rest : NULL;
    return true;
}

static bool read_halts(struct machine_reader *reader, const struct node *node,
                       struct machine_entry *entry)
{
    if (!node)
        return true;
    if (!reader_list(&reader->reader, node, "halts"))
        return false;
    struct machine_halt *list = machine_grow(reader, NULL, 0, node->count, sizeof *list);
    bool fine = true;
    for (size_t i = 0; i < node->count; i++)
        fine = read_halt(reader, &node->items[i], &list[i]) && fine;
    entry->halts = list;
    entry->nhalts = node->count;
    return fine;
}

static bool read_entry(struct machine_reader *reader, const struct node *key,
                       const struct node *node, struct machine_entry *entry)
{
    static const char *const keys[] = {"title",   "kind",  "harm",   "spec",     "machine",
                                       "follows", "halts", "breaks", "evidence", NULL};
    struct reader *r = &reader->reader;
    *entry = (struct machine_entry){.id = key->text, .from = reader->machine->name};
    bool fine = reader_keys(r, node, "an entry", keys);
    if (node->kind != NODE_MAP)
        return false;
    size_t harm = MACHINE_HARM_none, breaks = MACHINE_BREAKS_nothing;
    fine = reader_text_at(r, node, "title", &entry->title) && fine;
    fine = reader_text_at(r, node, "spec", &entry->spec) && fine;
    fine = reader_text_at(r, node, "machine", &entry->machine) && fine;
    fine = reader_text_at(r, node, "follows", &entry->follows) && fine;
    fine = reader_text_at(r, node, "evidence", &entry->evidence) && fine;
    fine = read_halts(reader, node_get(node, "halts"), entry) && fine;
    size_t kind = entry->follows ? MACHINE_IS_consequence : MACHINE_IS_departure;
    fine = read_word(reader, node, "kind", kind_words, MACHINE_ENTRY_KINDS, &kind) && fine;
    fine = read_word(reader, node, "harm", harm_words, MACHINE_HARMS, &harm) && fine;
    fine = read_word(reader, node, "breaks", breaks_words, MACHINE_BREAKS_COUNT, &breaks) && fine;
    entry->breaks = (enum machine_breaks)breaks;
    entry->kind = (enum machine_entry_kind)kind;
    entry->harm = (enum machine_harm)harm;
    if (fine && !entry->title)
        return reader_error(r, key, "%s has no title", entry->id);
    if (fine && entry->kind == MACHINE_IS_consequence && !entry->follows)
        return reader_error(r, key, "%s is a consequence: 'follows' says of what", entry->id);
    if (fine && entry->nhalts > 0 && !entry->follows)
        return reader_error(r, key, "%s halts without a departure: 'follows' says which",
                            entry->id);
    return fine;
}

static size_t row_of(const struct machine_entry *list, size_t count, const char *id)
{
    size_t i = 0;
    while (i < count && strcmp(list[i].id, id) != 0)
        i++;
    return i;
}

bool machine_read_catalogue(struct machine_reader *reader, const struct node *node)
{
    if (!reader_map(&reader->reader, node, "catalogue"))
        return false;
    struct machine_description *machine = reader->machine;
    size_t count = machine->nentries;
    struct machine_entry *list =
        machine_grow(reader, machine->entries, count, node->count, sizeof *list);
    bool fine = true;
    for (size_t i = 0; i < node->count; i++) {
        const size_t at = row_of(list, count, node->keys[i].text);
        fine = read_entry(reader, &node->keys[i], &node->items[i], &list[at]) && fine;
        count += at == count;
    }
    machine->entries = list;
    machine->nentries = count;
    return fine;
}

static bool take_away(struct machine_reader *reader, const struct node *node,
                      struct machine_entry *list, size_t *count)
{
    const char *id;
    if (!reader_text(&reader->reader, node, "an identifier", &id))
        return false;
    const size_t at = row_of(list, *count, id);
    if (at < *count) {
        memmove(&list[at], &list[at + 1], (--*count - at) * sizeof *list);
        return true;
    }
    return reader_error(&reader->reader, node, "%s has no '%s'",
                        reader->machine->extends ? reader->machine->extends->name : "nothing", id);
}

/* Entries of the extended machine that this one does not have. */
bool machine_read_without(struct machine_reader *reader, const struct node *node)
{
    if (!reader_list(&reader->reader, node, "without"))
        return false;
    struct machine_description *machine = reader->machine;
    size_t count = machine->nentries;
    struct machine_entry *list = machine_grow(reader, machine->entries, count, 0, sizeof *list);
    bool fine = true;
    for (size_t i = 0; i < node->count; i++)
        fine = take_away(reader, &node->items[i], list, &count) && fine;
    machine->entries = list;
    machine->nentries = count;
    return fine;
}
