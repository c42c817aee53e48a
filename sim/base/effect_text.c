/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/effect_text.h"

#include <string.h>

#include "base/effect_words.h"
#include "base/numbers.h"
#include "base/text_stream.h"

/* Where the next of comma-separated names ends. */
static size_t name_length(const char *names)
{
    return strcspn(names, ",");
}

static const char *next_name(const char *names)
{
    names += name_length(names);
    return *names ? names + 1 : names;
}

/* The function that is called or returns; NULL: the effect is of another kind. */
static const char *function_in(const struct fh_effect *effect)
{
    const bool is_call = effect->kind == FH_EFFECT_CALL || effect->kind == FH_EFFECT_RETURN;
    return is_call ? fh_called_name(effect->values[0]) : NULL;
}

/* The field that is read or set; NULL: the effect has none. */
static const char *field_in(const struct fh_effect *effect)
{
    static const char *const of_pages[] = {"owner", "count", "gfn"};
    static const char *const of_core[] = {"next_vmid", "next_remap_ptr"};
    const uint64_t *v = effect->values;
    switch (effect->kind) {
    case FH_EFFECT_S2_READ:
    case FH_EFFECT_S2_SET: return v[1] < 3 ? of_pages[v[1]] : NULL;
    case FH_EFFECT_VM_SET: return fh_vm_field_name(v[1]);
    case FH_EFFECT_CORE_SET: return v[0] < 2 ? of_core[v[0]] : NULL;
    default: return NULL;
    }
}

static bool is_name(const char *names, const char *name)
{
    const size_t length = name_length(names);
    return strlen(name) == length && strncmp(names, name, length) == 0;
}

/* Is this what is stored in the field, rather than where? */
static bool is_stored(const char *names)
{
    return is_name(names, "value") || is_name(names, "old") || is_name(names, "new");
}

/* " vmid=1 addr=0x10000 result=0x300fff" */
static void print_call(FILE *out, const struct fh_profile *k, const struct fh_effect *effect)
{
    const char *function = function_of_recorded(function_in(effect));
    const unsigned nvalues = fh_effect_nvalues(effect->kind);
    const char *argument;
    unsigned i = 1;
    fprintf(out, " %s", function_in(effect));
    for (; i < nvalues && (argument = function_argument(function, i - 1)); i++) {
        fprintf(out, " %s=", argument);
        number_print_as(k, argument, effect->values[i], out);
    }
    if (effect->kind == FH_EFFECT_RETURN && i < nvalues) {
        fputs(" result=", out);
        number_print_as(k, "result", effect->values[i], out);
    }
}

/* " vmid=1 field=vcpu_state sub=0 new=ACTIVE" */
static void print_values(FILE *out, const struct fh_profile *k, const struct fh_effect *effect)
{
    const char *names = fh_effect_value_names(effect->kind);
    const char *field = field_in(effect);
    for (unsigned i = 0; i < fh_effect_nvalues(effect->kind); i++, names = next_name(names)) {
        fprintf(out, " %.*s=", (int)name_length(names), names);
        if (field && is_name(names, "field"))
            fputs(field, out);
        else if (field && is_stored(names))
            number_print_as(k, field, effect->values[i], out);
        else
            number_print(k, number_kind_of(names, name_length(names)), effect->values[i], out);
    }
}

static void print_effect(FILE *out, const struct fh_profile *k, const struct fh_effect *effect)
{
    char words[256];
    if (effect->kind == FH_EFFECT_LOCK || effect->kind == FH_EFFECT_UNLOCK) {
        fputc(' ', out);
        lock_print_words(k, effect->values[0], out);
        return;
    }
    if (function_in(effect))
        print_call(out, k, effect);
    else
        print_values(out, k, effect);
    if (effect_words(k, effect, words, sizeof words) > 0)
        fprintf(out, " (%s)", words);
}

void effect_print(FILE *out, const struct fh_profile *k, const struct fh_effect *effect)
{
    fprintf(out, "%-12s", fh_effect_name(effect->kind));
    print_effect(out, k, effect);
}

void effect_put(struct json_out *json, const struct fh_profile *k, const struct fh_effect *effect,
                const char *reason)
{
    const char *names = fh_effect_value_names(effect->kind);
    struct text_stream text;
    json_open_object(json, NULL);
    json_text(json, "effect", fh_effect_name(effect->kind));
    if (function_in(effect) || field_in(effect))
        json_text(json, "name", function_in(effect) ? function_in(effect) : field_in(effect));
    for (unsigned i = 0; i < fh_effect_nvalues(effect->kind); i++) {
        char key[32];
        snprintf(key, sizeof key, "%.*s", (int)name_length(names), names);
        json_hex(json, key, effect->values[i]);
        names = next_name(names);
    }
    print_effect(text_stream_begin(&text), k, effect);
    text_stream_end(&text);
    if (text.length > 0)
        json_text(json, "text", text.text + 1);
    text_stream_free(&text);
    if (reason)
        json_text(json, "reason", reason);
    json_close_object(json);
}
