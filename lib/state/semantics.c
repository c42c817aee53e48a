/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/semantics.h>

#include "state/machine.h"

static const char *const names[] = {
#define NAME(layer, name) #layer "." #name,
    FH_SEMANTICS_MAP(NAME)
#undef NAME
};

uint32_t fh_state_semantics(const struct fh_state *s)
{
    return s->semantics;
}

void fh_state_set_semantics(struct fh_state *s, uint32_t set)
{
    s->semantics = set & FH_SEMANTICS_CODE;
}

const char *fh_semantics_name(unsigned code)
{
    return code < FH_CODE_COUNT ? names[code] : NULL;
}

static bool same_text(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

/* The function's name behind that of its layer. */
static const char *without_layer(const char *name)
{
    while (*name++ != '.')
        ;
    return name;
}

bool fh_semantics_find(const char *name, uint32_t *set)
{
    if (same_text(name, "spec")) {
        *set = FH_SEMANTICS_SPEC;
        return true;
    }
    if (same_text(name, "code")) {
        *set = FH_SEMANTICS_CODE;
        return true;
    }
    for (unsigned code = 0; code < FH_CODE_COUNT; code++) {
        if (same_text(name, names[code]) || same_text(name, without_layer(names[code]))) {
            *set = (uint32_t)1 << code;
            return true;
        }
    }
    return false;
}
