/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/scenario.h"

#include <stddef.h>
#include <string.h>

/*
 * `parameters`: what the development leaves open and no data oracle answers, such as which boot
 * image has its signature.
 */

static bool out_of_memory(struct reader *reader, const struct node *node)
{
    return reader_error(reader, node, "out of memory");
}

/* A table of one argument, or of two: a map in a map. */
struct table {
    const char *name;
    enum script_parameter parameter;
    bool is_nested;
    uint64_t most; /* value */
};

static const struct table tables[] = {
    {"verify_img", PARAMETER_VERIFY_IMG, true, 1},
    {"reg_desc", PARAMETER_REG_DESC, false, UINT64_MAX},
    {"exception_vector", PARAMETER_EXCEPTION_VECTOR, false, UINT64_MAX},
    {"shared_kvm", PARAMETER_SHARED_KVM, false, UINT64_MAX},
    {"shared_vcpu", PARAMETER_SHARED_VCPU, true, UINT64_MAX},
};

/* The rows of a table; with `outer`, those for this first argument. */
static bool load_rows(struct reader *reader, struct scenario *scenario, const struct table *table,
                      const struct node *map, const uint64_t *outer)
{
    if (!reader_map(reader, map, table->name))
        return false;
    for (size_t i = 0; i < map->count; i++) {
        uint64_t key, value;
        if (!reader_number(reader, &map->keys[i], table->name, 0, UINT64_MAX, &key))
            return false;
        if (table->is_nested && !outer) {
            if (!load_rows(reader, scenario, table, &map->items[i], &key))
                return false;
            continue;
        }
        if (!reader_number(reader, &map->items[i], table->name, 0, table->most, &value))
            return false;
        if (!script_set_parameter(scenario->script, table->parameter, outer ? *outer : key,
                                  outer ? key : 0, value))
            return out_of_memory(reader, map);
    }
    return true;
}

/* Where a register stands in struct fh_ctxt: one of ctxt_regs or of ctxt_states. */
static bool find_register(const char *name, size_t *offset)
{
    static const enum fh_ctxt_field groups[] = {FH_FIELD_ctxt_ctxt_regs, FH_FIELD_ctxt_ctxt_states};
    const struct fh_type *ctxt = FH_FIELD_TYPE(fh_rdata_type(), rdata, regs);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        const struct fh_field *group = &ctxt->fields[groups[i]];
        const struct fh_field *field = fh_type_field(group->type, name, strlen(name));
        if (field) {
            *offset = group->offset + field->offset;
            return true;
        }
    }
    return false;
}

static bool load_decryption(struct reader *reader, struct scenario *scenario,
                            const struct node *list, bool is_system)
{
    if (!list)
        return true;
    if (!reader_list(reader, list, "the registers that are decrypted"))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        const char *name;
        size_t offset;
        if (!reader_text(reader, &list->items[i], "a register", &name))
            return false;
        if (!find_register(name, &offset))
            return reader_error(reader, &list->items[i],
                                "'%s' is no register of CtxtRegs or CtxtStates", name);
        if (!script_add_decrypted(scenario->script, is_system, offset))
            return out_of_memory(reader, list);
    }
    return true;
}

bool scenario_load_parameters(struct reader *reader, struct scenario *scenario,
                              const struct node *root)
{
    static const char *const keys[] = {"verify_img",       "reg_desc",    "exception_vector",
                                       "shared_kvm",       "shared_vcpu", "decrypt_gp_regs",
                                       "decrypt_sys_regs", NULL};
    const struct node *node = node_get(root, "parameters");
    if (!node)
        return true;
    if (!reader_keys(reader, node, "the parameters", keys))
        return false;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        const struct node *map = node_get(node, tables[i].name);
        if (map && !load_rows(reader, scenario, &tables[i], map, NULL))
            return false;
    }
    return load_decryption(reader, scenario, node_get(node, "decrypt_gp_regs"), false) &&
           load_decryption(reader, scenario, node_get(node, "decrypt_sys_regs"), true);
}
