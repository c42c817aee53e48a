/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/arm_syndrome.h>
#include <faulthandler/constants.h>
#include <faulthandler/profile.h>
#include <faulthandler/status.h>
#include <faulthandler/trap.h>

#include "base/text.h"

static const struct {
    enum fh_status status;
    const char *name;
    const char *message;
} statuses[] = {
#define STATUS(name, value, message) {FH_##name, #name, message},
    FH_STATUS_MAP(STATUS)
#undef STATUS
};

const char *fh_status_name(enum fh_status status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        if (statuses[i].status == status)
            return statuses[i].name;
    }
    return "?";
}

const char *fh_status_message(enum fh_status status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        if (statuses[i].status == status)
            return statuses[i].message;
    }
    return "not a status";
}

/* --- Names of values ------------------------------------------------------------------------- */

/* What stands under a name; numbers of things are decimal. */
enum value_kind { VALUE_ANY, VALUE_NUMBER, VALUE_OWNER, VALUE_STATE, VALUE_LOCK, VALUE_CLASS };

static const struct {
    const char *name;
    enum value_kind kind;
} value_kinds[] = {
    {"vmid", VALUE_OWNER},       {"owner", VALUE_OWNER},     {"inowner", VALUE_OWNER},
    {"outowner", VALUE_OWNER},   {"state", VALUE_STATE},     {"vm_state", VALUE_STATE},
    {"vcpu_state", VALUE_STATE}, {"lk", VALUE_LOCK},         {"id", VALUE_LOCK},
    {"class", VALUE_CLASS},      {"vcpuid", VALUE_NUMBER},   {"cur_vcpuid", VALUE_NUMBER},
    {"cbndx", VALUE_NUMBER},     {"load_idx", VALUE_NUMBER}, {"count", VALUE_NUMBER},
    {"level", VALUE_NUMBER},     {"len", VALUE_NUMBER},      {"num", VALUE_NUMBER},
};

/* A piece of source text, from `text` to `end`. */
struct source {
    const char *text;
    const char *end;
};

static bool source_is(struct source source, const char *name)
{
    while (source.text < source.end && *source.text == *name)
        source.text++, name++;
    return source.text == source.end && *name == '\0';
}

/* "S2PAGE_ID", "k->NPT_ID + vmid": the constants that number locks end so. */
static bool names_lock(struct source source)
{
    static const char mark[] = "_ID";
    for (const char *c = source.text; source.end - c >= (long)sizeof mark - 1; c++) {
        if (c[0] == mark[0] && c[1] == mark[1] && c[2] == mark[2])
            return true;
    }
    return false;
}

static enum value_kind kind_of(struct source source)
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

static void put_value(struct text *text, const struct fh_profile *k, struct source source,
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

/* The next of the comma-separated names, commas inside parentheses being part of a name. */
static struct source next_name(const char **names)
{
    unsigned depth = 0;
    const char *c = *names;
    while (*c == ' ')
        c++;
    struct source source = {c, c};
    for (; *c && (*c != ',' || depth > 0); c++) {
        if (*c == '(')
            depth++;
        else if (*c == ')')
            depth--;
    }
    source.end = c;
    *names = *c ? c + 1 : c;
    return source;
}

/* --- Accounts -------------------------------------------------------------------------------- */

/* "MemManager.map_page_host: what happened; needs condition with name = value, ..." */
static size_t format(const struct fh_error *error, const char *what, char *buffer, size_t size)
{
    struct text text = {buffer, size, 0};
    if (error->layer) {
        text_put(&text, error->layer);
        text_put_char(&text, '.');
    }
    if (error->function) {
        text_put(&text, error->function);
        text_put(&text, ": ");
    }
    text_put(&text, what);
    if (error->condition) {
        text_put(&text, "; needs ");
        text_put(&text, error->condition);
    }
    const char *names = error->names;
    for (unsigned i = 0; i < error->nvalues; i++) {
        text_put(&text, i == 0 ? " with " : ", ");
        const struct source source = next_name(&names);
        for (const char *c = source.text; c < source.end; c++)
            text_put_char(&text, *c);
        text_put(&text, " = ");
        put_value(&text, error->profile, source, error->values[i]);
    }
    return text_end(&text);
}

size_t fh_error_format(const struct fh_error *error, char *buffer, size_t size)
{
    return format(error, fh_status_message(error->status), buffer, size);
}

size_t fh_panic_format(const struct fh_panic *panic, char *buffer, size_t size)
{
    struct fh_error error = {.profile = panic->profile,
                             .layer = panic->layer,
                             .function = panic->function,
                             .condition = panic->condition,
                             .names = panic->names,
                             .nvalues = panic->nvalues};
    for (unsigned i = 0; i < panic->nvalues; i++)
        error.values[i] = panic->values[i];
    return format(&error, "panic", buffer, size);
}
