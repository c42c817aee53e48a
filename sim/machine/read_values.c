/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/read.h"
#include "patch/number.h"

/* Sections about numbers: how a trace is recognised, constants, what is adopted, registers. */

enum { MAX_TERMS = 16, MAX_CONSTANTS = 512, MAX_VALUES = 64 };

void *machine_grow(struct machine_reader *reader, const void *list, size_t have, size_t count,
                   size_t size)
{
    void *room = arena_alloc(reader->reader.arena, (have + count + 1) * size);
    if (have > 0)
        memcpy(room, list, have * size);
    return room;
}

bool machine_read_word(struct machine_reader *reader, const struct node *node, const char *what,
                       uint64_t *value)
{
    if (node->kind == NODE_NUMBER && node->negative && !node->wide) {
        *value = node->number;
        return true;
    }
    return reader_number(&reader->reader, node, what, 0, UINT64_MAX, value);
}

/* --- Expressions ----------------------------------------------------------------------------- */

static size_t term_length(const char *at)
{
    size_t length = 0;
    while (at[length] && strncmp(at + length, " + ", 3) != 0 && strncmp(at + length, " - ", 3) != 0)
        length++;
    return length;
}

/*
 * "pool[COREVISOR].vttbr": what stands in brackets is a number, or a constant, which stays by its
 * name: a machine that extends this one may have another.
 */
static bool check_index(struct machine_reader *reader, const struct node *node, const char *text,
                        size_t length)
{
    const char *open = memchr(text, '[', length);
    const char *close = open ? memchr(open, ']', length - (size_t)(open - text)) : NULL;
    uint64_t number;
    struct number_error error;
    return !close || !isalpha((unsigned char)open[1]) ||
           number_parse(reader->profile, open + 1, (size_t)(close - open) - 1, &number, &error) ||
           reader_error(&reader->reader, node, "%s", error.message);
}

static bool read_term(struct machine_reader *reader, const struct node *node, const char *text,
                      size_t length, struct machine_term *term)
{
    static const char prefix[] = "constants.";
    const size_t skip = sizeof prefix - 1;
    struct number_error error;
    uint64_t value;
    if (length == 0)
        return reader_error(&reader->reader, node, "something is missing in '%.60s'", node->text);
    if (isdigit((unsigned char)*text)) {
        term->kind = MACHINE_TERM_number;
        return number_parse(reader->profile, text, length, &term->number, &error) ||
               reader_error(&reader->reader, node, "%s", error.message);
    }
    if (length <= skip || strncmp(text, prefix, skip) != 0) {
        term->kind = MACHINE_TERM_value;
        term->name = arena_strdup(reader->reader.arena, text, length);
        return check_index(reader, node, text, length);
    }
    term->kind = MACHINE_TERM_constant;
    term->name = arena_strdup(reader->reader.arena, text + skip, length - skip);
    return number_parse(reader->profile, term->name, length - skip, &value, &error) ||
           reader_error(&reader->reader, node, "%s", error.message);
}

bool machine_read_expression(struct machine_reader *reader, const struct node *node,
                             struct machine_expression *expression)
{
    char description[64];
    if (node->kind != NODE_STRING && node->kind != NODE_NUMBER)
        return reader_error(&reader->reader, node, "a value of the boot record is wanted, not %s",
                            node_describe(node, description, sizeof description));
    struct machine_term terms[MAX_TERMS];
    size_t count = 0;
    bool minus = false;
    for (const char *at = node->text;;) {
        if (count == MAX_TERMS)
            return reader_error(&reader->reader, node, "more than %d parts", MAX_TERMS);
        const size_t length = term_length(at);
        terms[count] = (struct machine_term){.minus = minus};
        if (!read_term(reader, node, at, length, &terms[count++]))
            return false;
        if (!at[length])
            break;
        minus = at[length + 1] == '-';
        at += length + 3;
    }
    expression->text = node->text;
    expression->count = count;
    expression->terms = machine_grow(reader, terms, count, 0, sizeof *terms);
    return true;
}

/* --- recognised ------------------------------------------------------------------------------ */

static bool read_alternatives(struct machine_reader *reader, const struct node *node,
                              struct machine_condition *condition)
{
    uint64_t values[MAX_VALUES];
    const struct node *items = node->kind == NODE_LIST ? node->items : node;
    const size_t count = node->kind == NODE_LIST ? node->count : 1;
    bool fine = count > 0 && count <= MAX_VALUES;
    if (!fine)
        return reader_error(&reader->reader, node, "1 to %d values are wanted", MAX_VALUES);
    for (size_t i = 0; i < count; i++)
        fine = machine_read_word(reader, &items[i], "a value", &values[i]) && fine;
    condition->kind = MACHINE_VALUE_is;
    condition->nvalues = count;
    condition->values = machine_grow(reader, values, count, 0, sizeof *values);
    return fine;
}

static bool read_range(struct machine_reader *reader, const struct node *node,
                       struct machine_condition *condition)
{
    static const char *const keys[] = {"from", "to", NULL};
    uint64_t range[2] = {0, UINT64_MAX};
    bool fine = reader_keys(&reader->reader, node, "a range", keys) &&
                reader_number_at(&reader->reader, node, "from", 0, UINT64_MAX, &range[0]) &&
                reader_number_at(&reader->reader, node, "to", range[0], UINT64_MAX, &range[1]);
    condition->kind = MACHINE_VALUE_within;
    condition->nvalues = 2;
    condition->values = machine_grow(reader, range, 2, 0, sizeof *range);
    return fine;
}

static bool read_condition(struct machine_reader *reader, const struct node *key,
                           const struct node *value, struct machine_condition *condition)
{
    *condition = (struct machine_condition){.kind = MACHINE_VALUE_there};
    bool fine = machine_read_expression(reader, key, &condition->what);
    if (node_is(value, "there"))
        return fine;
    if (node_is(value, "absent")) {
        condition->kind = MACHINE_VALUE_absent;
        return fine;
    }
    if (value->kind == NODE_MAP)
        return read_range(reader, value, condition) && fine;
    return read_alternatives(reader, value, condition) && fine;
}

/* How a trace is recognised is said anew, not added to what the extended machine says. */
bool machine_read_recognised(struct machine_reader *reader, const struct node *node)
{
    if (!reader_map(&reader->reader, node, "recognised"))
        return false;
    struct machine_condition *conditions =
        machine_grow(reader, NULL, 0, node->count, sizeof *conditions);
    bool fine = true;
    for (size_t i = 0; i < node->count; i++)
        fine = read_condition(reader, &node->keys[i], &node->items[i], &conditions[i]) && fine;
    reader->machine->conditions = conditions;
    reader->machine->nconditions = node->count;
    return fine;
}

/* --- constants ------------------------------------------------------------------------------- */

static const size_t offsets[] = {
#define OFFSET(constant, ...) offsetof(struct fh_profile, constant),
    FH_CONSTANT_MAP(OFFSET)
#undef OFFSET
};

bool machine_constant_offset(const char *name, size_t *offset)
{
    for (unsigned i = 0; fh_constant_name(i); i++) {
        if (strcmp(fh_constant_name(i), name) == 0) {
            *offset = offsets[i];
            return true;
        }
    }
    return false;
}

static bool unknown_target(struct machine_reader *reader, const struct node *key, bool or_place)
{
    const char *names[MAX_CONSTANTS + MACHINE_PLACES];
    size_t count = 0;
    for (; count < MAX_CONSTANTS && fh_constant_name((unsigned)count); count++)
        names[count] = fh_constant_name((unsigned)count);
#define PLACE_NAME(place) names[count++] = #place;
    if (or_place) {
        MACHINE_PLACE_MAP(PLACE_NAME, PLACE_NAME)
    }
#undef PLACE_NAME
    return reader_unknown(&reader->reader, key, or_place ? "constant or place" : "constant", names,
                          count);
}

static uint64_t info_id(const struct fh_profile *k)
{
    return k->NPT_ID + k->COREVISOR + 1;
}

static uint64_t id_end(const struct fh_profile *k)
{
    return k->NPT_ID + 2 * (k->COREVISOR + 1);
}

static uint64_t vm_base(const struct fh_profile *k)
{
    return k->NPT_ID + k->COREVISOR;
}

static uint64_t ctxt_pool_size(const struct fh_profile *k)
{
    return (k->COREVISOR + 1) * k->VCPU_PER_VM;
}

static uint64_t remap_end(const struct fh_profile *k)
{
    return k->REMAP_START + k->REMAP_SIZE;
}

static uint64_t pt_pool_size(const struct fh_profile *k)
{
    return k->PT_POOL_END - k->PT_POOL_START;
}

/* Constants that follow from others: they need not be said. */
static const struct derived {
    const char *target, *inputs[3];
    uint64_t (*value)(const struct fh_profile *k);
} derived[] = {
    {"INFO_ID", {"COREVISOR"}, info_id},
    {"ID_END", {"COREVISOR"}, id_end},
    {"lock_idx_vm_base", {"COREVISOR"}, vm_base},
    {"CTXT_POOL_SIZE", {"COREVISOR", "VCPU_PER_VM"}, ctxt_pool_size},
    {"REMAP_END", {"REMAP_START", "REMAP_SIZE"}, remap_end},
    {"PT_POOL_SIZE", {"PT_POOL_START", "PT_POOL_END"}, pt_pool_size},
};

static bool is_said(const struct node *node, const struct derived *row)
{
    for (size_t i = 0; row->inputs[i]; i++) {
        if (node_get(node, row->inputs[i]))
            return true;
    }
    return false;
}

static void derive(struct fh_profile *k, const struct node *node)
{
    for (size_t i = 0; i < sizeof derived / sizeof *derived; i++) {
        size_t offset;
        if (node_get(node, derived[i].target) || !is_said(node, &derived[i]) ||
            !machine_constant_offset(derived[i].target, &offset))
            continue;
        const uint64_t value = derived[i].value(k);
        memcpy((char *)k + offset, &value, sizeof value);
    }
}

bool machine_read_constants(struct machine_reader *reader, const struct node *node)
{
    if (!reader_map(&reader->reader, node, "constants"))
        return false;
    bool fine = true;
    for (size_t i = 0; i < node->count; i++) {
        size_t offset;
        uint64_t value;
        if (!machine_constant_offset(node->keys[i].text, &offset))
            fine = unknown_target(reader, &node->keys[i], false);
        else if (!machine_read_word(reader, &node->items[i], node->keys[i].text, &value))
            fine = false;
        else
            memcpy((char *)reader->profile + offset, &value, sizeof value);
    }
    derive(reader->profile, node);
    return fine;
}

/* --- adopted --------------------------------------------------------------------------------- */

static const char *const place_names[] = {
#define PLACE_NAME(place) #place,
    MACHINE_PLACE_MAP(PLACE_NAME, PLACE_NAME)
#undef PLACE_NAME
};

static bool find_target(struct machine_reader *reader, const struct node *key,
                        struct machine_adoption *adoption)
{
    adoption->target = key->text;
    adoption->place = MACHINE_PLACES;
    if (machine_constant_offset(key->text, &adoption->offset))
        return true;
    for (unsigned i = 0; i < MACHINE_PLACES; i++) {
        if (strcmp(place_names[i], key->text) == 0) {
            adoption->place = (enum machine_place)i;
            return true;
        }
    }
    return unknown_target(reader, key, true);
}

/* The list's row of this target, or one more behind it. */
static size_t row_of(const struct machine_adoption *list, size_t count, const char *target)
{
    size_t i = 0;
    while (i < count && strcmp(list[i].target, target) != 0)
        i++;
    return i;
}

bool machine_read_adopted(struct machine_reader *reader, const struct node *node)
{
    if (!reader_map(&reader->reader, node, "adopted"))
        return false;
    struct machine_description *machine = reader->machine;
    size_t count = machine->nadoptions;
    struct machine_adoption *list =
        machine_grow(reader, machine->adoptions, count, node->count, sizeof *list);
    bool fine = true;
    for (size_t i = 0; i < node->count; i++) {
        struct machine_adoption adoption = {0};
        if (!find_target(reader, &node->keys[i], &adoption)) {
            fine = false;
            continue;
        }
        const size_t at = row_of(list, count, adoption.target);
        if (node_is(&node->items[i], "none")) {
            if (at < count)
                memmove(&list[at], &list[at + 1], (--count - at) * sizeof *list);
            continue;
        }
        fine = machine_read_expression(reader, &node->items[i], &adoption.from) && fine;
        list[at] = adoption;
        count += at == count;
    }
    machine->adoptions = list;
    machine->nadoptions = count;
    return fine;
}

/* --- tables, registers ----------------------------------------------------------------------- */

bool machine_read_tables(struct machine_reader *reader, const struct node *node)
{
    static const char *const keys[] = {"levels", "own_levels", "next", NULL};
    static const char *const words[] = {
#define NEXT_WORD(name, text) #name,
        MACHINE_NEXT_MAP(NEXT_WORD)
#undef NEXT_WORD
    };
    struct fh_profile *k = reader->profile;
    bool fine = reader_keys(&reader->reader, node, "tables", keys);
    if (node->kind != NODE_MAP)
        return false;
    fine = reader_number_at(&reader->reader, node, "levels", 3, 4, &k->STAGE2_LEVELS) && fine;
    fine =
        reader_number_at(&reader->reader, node, "own_levels", 3, 4, &k->COREVISOR_LEVELS) && fine;
    const struct node *next = node_get(node, "next");
    if (!next)
        return fine;
    for (unsigned i = 0; i < MACHINE_NEXTS; i++) {
        if (!node_is(next, words[i]))
            continue;
        reader->machine->tables.next = (enum machine_next)i;
        return fine;
    }
    return reader_error(&reader->reader, next, "next is an address, an offset or an index");
}

static size_t register_row(const struct machine_register *list, size_t count, uint64_t number)
{
    size_t i = 0;
    while (i < count && list[i].number != number)
        i++;
    return i;
}

/* The constant whose value is a register's number in the model. */
static const char *register_name(const struct fh_profile *k, uint64_t number)
{
    uint64_t value;
    for (unsigned i = 0; fh_constant_name(i); i++) {
        const char *name = fh_constant_name(i);
        fh_profile_constant(k, name, strlen(name), &value);
        if (value == number && (strstr(name, "_EL") || strcmp(name, "SP") == 0 ||
                                strncmp(name, "SPSR", 4) == 0 || strncmp(name, "PAR", 3) == 0))
            return name;
    }
    return "a register";
}

enum { REGISTERS_AT_ONCE = 64 };

/* "MPIDR_EL1", or "MPIDR_EL1 to MDCCINT_EL1": the first and the last number. */
static bool read_registers_named(struct machine_reader *reader, const struct node *key,
                                 uint64_t range[2])
{
    const char *to = strstr(key->text, " to ");
    const size_t length = to ? (size_t)(to - key->text) : strlen(key->text);
    const char *last = to ? to + strlen(" to ") : key->text;
    if (!fh_profile_constant(reader->profile, key->text, length, &range[0]) ||
        !fh_profile_constant(reader->profile, last, strlen(last), &range[1]))
        return unknown_target(reader, key, false);
    return (range[0] <= range[1] && range[1] - range[0] < REGISTERS_AT_ONCE) ||
           reader_error(&reader->reader, key,
                        "the registers are not in the order of their numbers");
}

bool machine_read_registers(struct machine_reader *reader, const struct node *node)
{
    if (!reader_map(&reader->reader, node, "registers"))
        return false;
    struct machine_description *machine = reader->machine;
    size_t count = machine->nregisters;
    struct machine_register *list = machine_grow(reader, machine->registers, count,
                                                 node->count * REGISTERS_AT_ONCE, sizeof *list);
    bool fine = true;
    for (size_t i = 0; i < node->count; i++) {
        uint64_t range[2], recorded;
        if (!read_registers_named(reader, &node->keys[i], range) ||
            !machine_read_word(reader, &node->items[i], node->keys[i].text, &recorded)) {
            fine = false;
            continue;
        }
        for (uint64_t number = range[0]; number <= range[1]; number++) {
            const size_t at = register_row(list, count, number);
            const bool is_one = range[0] == range[1];
            list[at] = (struct machine_register){is_one ? node->keys[i].text
                                                        : register_name(reader->profile, number),
                                                 number, recorded + number - range[0]};
            count += at == count;
        }
    }
    machine->registers = list;
    machine->nregisters = count;
    return fine;
}
