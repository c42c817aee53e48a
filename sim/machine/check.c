/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/spec.h>
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "machine/read.h"
#include "machine/read_machine.h"

/* What a well-formed description still lacks. */

enum { MAX_IDS = 512 };

static size_t departures_of(const struct machine_description *machine, const char **ids)
{
    size_t count = 0;
    for (size_t i = 0; i < machine->nentries && count < MAX_IDS; i++) {
        if (machine->entries[i].kind == MACHINE_IS_departure)
            ids[count++] = machine->entries[i].id;
    }
    return count;
}

/* A node that names a departure of the catalogue. */
static bool check_name(struct machine_reader *reader, const struct node *node)
{
    const char *ids[MAX_IDS];
    const size_t count = departures_of(reader->machine, ids);
    for (size_t i = 0; node && i < count; i++) {
        if (node_is(node, ids[i]))
            return true;
    }
    return !node || reader_unknown(&reader->reader, node, "departure of the catalogue", ids, count);
}

/* `departures` of a section of calls, and `departs` of its rows. */
static unsigned check_calls(struct machine_reader *reader, const struct node *section)
{
    unsigned faults = 0;
    for (size_t i = 0; section && i < section->count; i++) {
        const struct node *row = &section->items[i];
        if (strcmp(section->keys[i].text, "departures") != 0) {
            faults += !check_name(reader, node_get(row, "departs"));
            continue;
        }
        for (size_t part = 0; part < row->count; part++)
            faults += !check_name(reader, &row->items[part]);
    }
    return faults;
}

/* "A1, A17": each is an entry. */
static bool check_follows(struct machine_reader *reader, const struct node *node)
{
    char id[40];
    const char *ids[MAX_IDS];
    const size_t count = departures_of(reader->machine, ids);
    bool fine = true;
    for (const char *at = node->text; *at;) {
        const size_t length = strcspn(at, ", ");
        snprintf(id, sizeof id, "%.*s", (int)length, at);
        if (length > 0 && !machine_entry_find(reader->machine, id)) {
            const char *near = nearest(id, ids, count);
            fine = reader_error(&reader->reader, node, "no '%s' in the catalogue%s%s%s", id,
                                near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        }
        at += length + strspn(at + length, ", ");
    }
    return fine;
}

/* "alloc_pmd_page: has_page": the first word is a spec function. */
static bool check_halt(struct machine_reader *reader, const struct node *node)
{
    enum { FUNCTIONS_MAX = 512 };
    const char *names[FUNCTIONS_MAX];
    char function[64];
    size_t count = 0;
    snprintf(function, sizeof function, "%.*s", (int)strcspn(node->text, ":"), node->text);
    if (fh_function_find(function))
        return true;
    while (count < FUNCTIONS_MAX && fh_function_at((unsigned)count))
        names[count] = fh_function_at((unsigned)count)->name, count++;
    const char *near = nearest(function, names, count);
    return reader_error(&reader->reader, node, "no spec function '%s'%s%s%s", function,
                        near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static unsigned check_halts(struct machine_reader *reader, const struct node *halts)
{
    unsigned faults = 0;
    for (size_t i = 0; halts && i < halts->count; i++)
        faults += !check_halt(reader, &halts->items[i]);
    return faults;
}

static unsigned check_catalogue(struct machine_reader *reader, const struct node *catalogue)
{
    unsigned faults = 0;
    for (size_t i = 0; catalogue && i < catalogue->count; i++) {
        const struct node *entry = &catalogue->items[i], *key = &catalogue->keys[i];
        const struct node *follows = node_get(entry, "follows");
        if (!node_get(entry, "evidence"))
            faults += !reader_error(&reader->reader, key,
                                    "%s has no evidence: a trap (trace#12), a scenario, or source",
                                    key->text);
        if (follows)
            faults += !check_follows(reader, follows);
        faults += check_halts(reader, node_get(entry, "halts"));
    }
    return faults;
}

static unsigned check_recognised(struct machine_reader *reader, const struct node *root)
{
    const struct machine_description *machine = reader->machine;
    if (machine->extends && machine->conditions == machine->extends->conditions &&
        machine->nconditions > 0)
        return !reader_error(&reader->reader, root,
                             "'recognised' is missing: a trace of this machine would be taken for "
                             "one of %s",
                             machine->extends->name);
    return 0;
}

unsigned machine_check_rest(struct machine_reader *reader, const struct node *root)
{
    return check_calls(reader, node_get(root, "hypercalls")) +
           check_calls(reader, node_get(root, "guest_calls")) +
           check_catalogue(reader, node_get(root, "catalogue")) + check_recognised(reader, root);
}
