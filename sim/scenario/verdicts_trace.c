/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/verdicts.h"

#include <inttypes.h>
#include <string.h>

#include "base/effect_words.h"
#include "scenario/access.h"

/* --- Effects --------------------------------------------------------------------------------- */

/* "npt 0", "s2page": a lock by its id. */
static void print_lock(FILE *out, const struct fh_profile *k, uint64_t id)
{
    const struct {
        uint64_t id;
        const char *name;
    } locks[] = {{k->FLATMEM_ID, "flatmem"},
                 {k->CORE_ID, "core"},
                 {k->S2PAGE_ID, "s2page"},
                 {k->SPT_ID, "spt"},
                 {k->SMMU_ID, "smmu"}};
    for (size_t i = 0; i < sizeof locks / sizeof *locks; i++) {
        if (locks[i].id == id) {
            fputs(locks[i].name, out);
            return;
        }
    }
    bool is_npt = id < k->INFO_ID;
    fprintf(out, "%s %" PRIu64, is_npt ? "npt" : "vm", id - (is_npt ? k->NPT_ID : k->INFO_ID));
}

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

/* What one of the numbers of an effect stands for; NULL: none of them needs a name. */
static const char *name_in_effect(const struct fh_effect *effect)
{
    if (effect->kind == FH_EFFECT_CALL || effect->kind == FH_EFFECT_RETURN)
        return fh_called_name(effect->values[0]);
    return effect->kind == FH_EFFECT_VM_SET ? fh_vm_field_name(effect->values[1]) : NULL;
}

static void print_effect(FILE *out, const struct fh_profile *k, const struct fh_effect *effect)
{
    const char *names = fh_effect_value_names(effect->kind);
    char words[256];
    fprintf(out, "%-12s", fh_effect_name(effect->kind));
    if (effect->kind == FH_EFFECT_LOCK || effect->kind == FH_EFFECT_UNLOCK) {
        fputc(' ', out);
        print_lock(out, k, effect->values[0]);
        return;
    }
    const char *named = name_in_effect(effect);
    if (named)
        fprintf(out, " %s", named);
    for (unsigned i = 0; i < fh_effect_nvalues(effect->kind); i++) {
        fprintf(out, effect->values[i] < 10 ? " %.*s=%" PRIu64 : " %.*s=0x%" PRIx64,
                (int)name_length(names), names, effect->values[i]);
        names = next_name(names);
    }
    if (effect_words(k, effect, words, sizeof words) > 0)
        fprintf(out, " (%s)", words);
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
        print_effect(out, outcome->scenario->profile, &trace->effects[j]);
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
static void put_effect(struct json_out *json, const struct fh_effect *effect, const char *panic)
{
    const char *names = fh_effect_value_names(effect->kind);
    json_open_object(json, NULL);
    json_text(json, "effect", fh_effect_name(effect->kind));
    if (name_in_effect(effect))
        json_text(json, "name", name_in_effect(effect));
    for (unsigned i = 0; i < fh_effect_nvalues(effect->kind); i++) {
        char key[32];
        snprintf(key, sizeof key, "%.*s", (int)name_length(names), names);
        json_hex(json, key, effect->values[i]);
        names = next_name(names);
    }
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

static void put_step(struct json_out *json, const struct step_trace *trace)
{
    json_open_object(json, NULL);
    json_text(json, "step", trace->step->title);
    json_number(json, "line", trace->step->node->line);
    json_number(json, "effects_seen", trace->effects_seen);
    json_open_array(json, "effects");
    for (size_t i = 0; i < trace->neffects; i++)
        put_effect(json, &trace->effects[i], trace->panics[i]);
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
        put_step(json, &outcome->traces[i]);
    json_close_array(json);
}
