/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/verdicts.h"

#include <string.h>

#include "base/effect_text.h"
#include "base/shown.h"
#include "scenario/access.h"

/* --- Text ------------------------------------------------------------------------------------ */

static void print_more(FILE *out, const char *prefix, size_t seen, size_t kept, const char *what)
{
    if (seen > kept)
        fprintf(out, "%s      ... and %zu more %s\n", prefix, seen - kept, what);
}

static void print_step(FILE *out, const struct outcome *outcome, size_t i, const char *prefix)
{
    const struct step_trace *trace = &outcome->traces[i];
    fprintf(out, "%s  step %zu: ", prefix, i + 1);
    print_shown(out, trace->step->title, strlen(trace->step->title));
    fprintf(out, " (line %u)\n", trace->step->node->line);
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
        effect_put(json, k, &trace->effects[i], trace->panics[i]);
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
