/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/effects.h>
#include <faulthandler/state.h>

static const struct {
    const char *name;
    const char *value_names;
    unsigned nvalues;
} effects[] = {
#define EFFECT(name, nvalues, names) {#name, names, nvalues},
    FH_EFFECT_MAP(EFFECT)
#undef EFFECT
};

const char *fh_effect_name(enum fh_effect_kind kind)
{
    return effects[kind].name;
}

unsigned fh_effect_nvalues(enum fh_effect_kind kind)
{
    return effects[kind].nvalues;
}

const char *fh_effect_value_names(enum fh_effect_kind kind)
{
    return effects[kind].value_names;
}

const char *fh_called_name(uint64_t function)
{
    static const char *const names[] = {
#define CALLED(name, recorded, nargs) recorded,
        FH_FUNCTION_NAME_MAP(CALLED)
#undef CALLED
    };
    return function < FH_CALLED_FUNCTIONS ? names[function] : "";
}

const char *fh_question_name(uint64_t what)
{
    static const char *const names[] = {
#define QUESTION(name, text) text,
        FH_QUESTION_MAP(QUESTION)
#undef QUESTION
    };
    return what < FH_QUESTIONS ? names[what] : "";
}

const char *fh_vm_field_name(uint64_t field)
{
    static const char *const names[] = {
#define FIELD(name, text) text,
        FH_VM_FIELD_MAP(FIELD)
#undef FIELD
    };
    return field < FH_VM_FIELDS ? names[field] : "";
}
