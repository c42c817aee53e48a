/* SPDX-License-Identifier: GPL-2.0-only */
#include "state/value_text.h"

#include <faulthandler/arm_syndrome.h>
#include <faulthandler/constants.h>
#include <faulthandler/profile.h>

/* What stands under a name; numbers of things are decimal. */
enum value_kind { VALUE_ANY, VALUE_NUMBER, VALUE_OWNER, VALUE_STATE, VALUE_LOCK, VALUE_CLASS };

static const struct {
    const char *name;
    enum value_kind kind;
} value_kinds[] = {
    {"vmid", VALUE_OWNER},       {"s2_owner", VALUE_OWNER},  {"smmu_vmid", VALUE_OWNER},
    {"s2_count", VALUE_NUMBER},  {"owner", VALUE_OWNER},     {"inowner", VALUE_OWNER},
    {"outowner", VALUE_OWNER},   {"state", VALUE_STATE},     {"vm_state", VALUE_STATE},
    {"vcpu_state", VALUE_STATE}, {"lk", VALUE_LOCK},         {"id", VALUE_LOCK},
    {"class", VALUE_CLASS},      {"vcpuid", VALUE_NUMBER},   {"cur_vcpuid", VALUE_NUMBER},
    {"cbndx", VALUE_NUMBER},     {"load_idx", VALUE_NUMBER}, {"count", VALUE_NUMBER},
    {"level", VALUE_NUMBER},     {"len", VALUE_NUMBER},      {"num", VALUE_NUMBER},
};

static bool source_is(struct source_text source, const char *name)
{
    while (source.text < source.end && *source.text == *name)
        source.text++, name++;
    return source.text == source.end && *name == '\0';
}

/* "S2PAGE_ID", "k->NPT_ID + vmid": the constants that number locks end so. */
static bool names_lock(struct source_text source)
{
    static const char mark[] = "_ID";
    for (const char *c = source.text; source.end - c >= (long)sizeof mark - 1; c++) {
        if (c[0] == mark[0] && c[1] == mark[1] && c[2] == mark[2])
            return true;
    }
    return false;
}

static enum value_kind kind_of(struct source_text source)
{
    for (size_t i = 0; i < sizeof value_kinds / sizeof *value_kinds; i++) {
        if (source_is(source, value_kinds[i].name))
            return value_kinds[i].kind;
    }
    return names_lock(source) ? VALUE_LOCK : VALUE_ANY;
}

static void put_constant(struct text *text, const struct fh_profile *k, const char *const *names,
                         uint64_t value)
{
    for (; *names; names++) {
        uint64_t constant;
        size_t length = 0;
        while ((*names)[length])
            length++;
        if (!fh_profile_constant(k, *names, length, &constant) || constant != value)
            continue;
        text_put(text, " (");
        text_put(text, *names);
        text_put_char(text, ')');
        return;
    }
}

/* Locks that there are once; behind them each VM has one of its table and one of its state. */
static void put_lock(struct text *text, const struct fh_profile *k, uint64_t id)
{
    static const char *const once[] = {"FLATMEM_ID", "CORE_ID", "S2PAGE_ID",
                                       "SPT_ID",     "SMMU_ID", NULL};
    if (id < k->NPT_ID) {
        put_constant(text, k, once, id);
        return;
    }
    text_put(text, id < k->INFO_ID ? " (NPT_ID + " : " (INFO_ID + ");
    text_put_digits(text, id - (id < k->INFO_ID ? k->NPT_ID : k->INFO_ID), 10);
    text_put_char(text, ')');
}

void text_put_known(struct text *text, const struct fh_profile *k, struct source_text source,
                    uint64_t value)
{
    enum { LONG = 10000 };
#define CONSTANT(name) #name,
    static const char *const owners[] = {FH_OWNER_MAP(CONSTANT) NULL};
    static const char *const states[] = {FH_VM_STATE_MAP(CONSTANT) NULL};
#undef CONSTANT
    const enum value_kind kind = kind_of(source);
    if (kind == VALUE_ANY || kind == VALUE_CLASS || value >= LONG)
        text_put_value(text, value);
    else
        text_put_digits(text, value, 10);
    if (!k)
        return;
    switch (kind) {
    case VALUE_OWNER: put_constant(text, k, owners, value); break;
    case VALUE_STATE: put_constant(text, k, states, value); break;
    case VALUE_LOCK: put_lock(text, k, value); break;
    case VALUE_CLASS:
        text_put(text, " (");
        text_put(text, fh_arm_class_name(value));
        text_put_char(text, ')');
        break;
    default: break;
    }
}
