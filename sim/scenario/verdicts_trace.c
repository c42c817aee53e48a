/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/verdicts.h"

#include <inttypes.h>
#include <string.h>

#include "base/effect_words.h"
#include "base/numbers.h"
#include "base/text_stream.h"
#include "scenario/access.h"

/* --- Effects --------------------------------------------------------------------------------- */

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

/* --- Text ------------------------------------------------------------------------------------ */

static void print_more(FILE *out, const char *prefix, size_t seen, size_t kept, const char *what)
{
    if (seen > kept)
        fprintf(out, "%s      ... and %zu more %s\n", prefix, seen - kept, what);
}

static void print_step(FILE *out, const struct outcome *outcome, size_t i, const char *prefix)
{
    const struct step_trace *trace = &outcome->traces[i];
    fprintf(out, "%s  step %zu: %s (line %u)\n", prefix, i + 1, trace->step->title,
            trace->step->node->line);
    for (size_t j = 0; j < trace->neffects; j++) {
        fprintf(out, "%s      ", prefix);
        effect_print(out, outcome->scenario->profile, &trace->effects[j]);
        fprintf(out, "%s%s\n", trace->panics[j] ? " " : "",
                trace->panics[j] ? trace->panics[j] : "");
    }
    print_more(out, prefix, trace->effects_seen, trace->neffects, "effects");
    for (size_t j = 0; j < trace->naccounts; j++)
        access_print(out, &trace->accounts[j], prefix);
    print_more(out, prefix, trace->accounts_seen, trace->naccounts, "accesses");
    if (trace->stuck)
        fprintf(out, "%s      %s\n", prefix, trace->stuck);
    for (size_t j = 0; j < trace->nchanges; j++) {
        const struct change_text *change = &trace->changes[j];
        fprintf(out, "%s      ~ %s: %s -> %s\n", prefix, change->path, change->before,
                change->after);
    }
    print_more(out, prefix, trace->changes_seen, trace->nchanges, "changes");
}

void verdicts_trace_text(FILE *out, const struct outcome *outcome, const char *prefix)
{
    for (size_t i = 0; outcome->traces && i < outcome->played; i++)
        print_step(out, outcome, i, prefix);
}

/* --- JSON ------------------------------------------------------------------------------------ */

/* Numbers as texts: readers of JSON may have no 64-bit integers. */
static void put_effect(struct json_out *json, const struct fh_profile *k,
                       const struct fh_effect *effect, const char *panic)
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
    if (panic)
        json_text(json, "reason", panic);
    json_close_object(json);
}

static void put_change(struct json_out *json, const struct change_text *change)
{
    json_open_object(json, NULL);
    json_text(json, "path", change->path);
    json_text(json, "before", change->before);
    json_text(json, "after", change->after);
    json_close_object(json);
}

static void put_step(struct json_out *json, const struct fh_profile *k,
                     const struct step_trace *trace)
{
    json_open_object(json, NULL);
    json_text(json, "step", trace->step->title);
    json_number(json, "line", trace->step->node->line);
    json_number(json, "effects_seen", trace->effects_seen);
    json_open_array(json, "effects");
    for (size_t i = 0; i < trace->neffects; i++)
        put_effect(json, k, &trace->effects[i], trace->panics[i]);
    json_close_array(json);
    json_open_array(json, "accesses");
    for (size_t i = 0; i < trace->naccounts; i++)
        access_put_json(json, &trace->accounts[i]);
    json_close_array(json);
    json_text(json, "stuck", trace->stuck);
    json_number(json, "changes_seen", trace->changes_seen);
    json_open_array(json, "changes");
    for (size_t i = 0; i < trace->nchanges; i++)
        put_change(json, &trace->changes[i]);
    json_close_array(json);
    json_close_object(json);
}

void verdicts_trace_json(struct json_out *json, const struct outcome *outcome)
{
    json_open_array(json, "trace");
    for (size_t i = 0; outcome->traces && i < outcome->played; i++)
        put_step(json, outcome->scenario->profile, &outcome->traces[i]);
    json_close_array(json);
}
