/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/scenario.h"

#include <string.h>

/* Registers by the fields of CtxtRegs, those that a trap sets by their short names too. */

enum { CANDIDATES = 160, GENERAL_REGISTERS = 31 };

static const struct fh_type *ctxt_regs_type(void)
{
    return FH_FIELD_TYPE(FH_FIELD_TYPE(fh_rdata_type(), rdata, regs), ctxt, ctxt_regs);
}

static const struct fh_field *find_register(const char *name)
{
    static const char *const traps[][2] = {
        {"esr", "esr_el2"}, {"elr", "elr_el2"}, {"far", "far_el2"}, {"hpfar", "hpfar_el2"}};
    for (size_t i = 0; i < sizeof traps / sizeof *traps; i++) {
        if (strcmp(name, traps[i][0]) == 0)
            name = traps[i][1];
    }
    return fh_type_field(ctxt_regs_type(), name, strlen(name));
}

static bool add_register(struct reader *reader, struct registers *registers,
                         const struct fh_field *field, const struct node *node)
{
    struct register_value *value = &registers->values[registers->count++];
    value->field = field;
    return reader_number(reader, node, field->name, 0, UINT64_MAX, &value->value);
}

/* The map under `x`: general registers by number. */
static bool add_general(struct reader *reader, struct registers *registers, const struct node *map)
{
    if (!reader_map(reader, map, "'x'"))
        return false;
    if (map->count > GENERAL_REGISTERS)
        return reader_error(reader, map, "more than 31 general registers");
    for (size_t i = 0; i < map->count; i++) {
        uint64_t number;
        char name[8];
        if (!reader_number(reader, &map->keys[i], "general register", 0, GENERAL_REGISTERS - 1,
                           &number))
            return false;
        snprintf(name, sizeof name, "x%u", (unsigned)number);
        if (!add_register(reader, registers, find_register(name), &map->items[i]))
            return false;
    }
    return true;
}

static bool unknown_register(struct reader *reader, const struct node *key,
                             const char *const *others)
{
    const struct fh_type *type = ctxt_regs_type();
    const char *names[CANDIDATES] = {"x", "esr", "elr", "far", "hpfar"};
    size_t count = 5;
    for (; *others && count < CANDIDATES; others++)
        names[count++] = *others;
    for (unsigned i = 0; i < type->nfields && count < CANDIDATES; i++)
        names[count++] = type->fields[i].name;
    return reader_unknown(reader, key, "key or register", names, count);
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(word, *words) == 0)
            return true;
    }
    return false;
}

bool scenario_load_registers(struct reader *reader, const struct node *map, const char *const *skip,
                             struct registers *registers)
{
    /* A few places are left for those that a trap computes. */
    size_t room = map->count + GENERAL_REGISTERS + 4;
    *registers =
        (struct registers){.values = arena_alloc(reader->arena, room * sizeof *registers->values)};
    for (size_t i = 0; i < map->count; i++) {
        const struct node *key = &map->keys[i];
        if (is_one_of(key->text, skip))
            continue;
        bool is_general = strcmp(key->text, "x") == 0;
        const struct fh_field *field = is_general ? NULL : find_register(key->text);
        if (!is_general && !field)
            return unknown_register(reader, key, skip);
        if (is_general ? !add_general(reader, registers, &map->items[i])
                       : !add_register(reader, registers, field, &map->items[i]))
            return false;
    }
    return true;
}
