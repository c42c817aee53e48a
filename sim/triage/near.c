/* SPDX-License-Identifier: GPL-2.0-only */
#include "triage/near.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- Findings -------------------------------------------------------------------------------- */

static bool is_known(const struct near_findings *findings, const struct triage_signature *signature,
                     unsigned entry)
{
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->list[i].entry == entry &&
            triage_is_same(&findings->list[i].signature, signature))
            return true;
    }
    return false;
}

void near_learn(struct near_findings *findings, const struct twin *twin,
                const struct trace_line *line, const struct trap_verdict *verdict, const char *file)
{
    struct triage_signature signature;
    const struct difference *lead = triage_lead(&verdict->spec);
    if (!verdict->has_spec || !lead || findings->count == FINDINGS_KEPT)
        return;
    triage_sign(twin, line, lead, &signature);
    for (unsigned i = 0; i < CATALOGUE_MAX && findings->count < FINDINGS_KEPT; i++) {
        if (!credits_has(&verdict->credits, i) || is_known(findings, &signature, i))
            continue;
        struct near_finding *finding = &findings->list[findings->count++];
        finding->signature = signature;
        finding->entry = i;
        snprintf(finding->first, sizeof finding->first, "%s#%" PRIu64, file, line->seq);
    }
}

/* How much two differences have in common; 0: not even the effect. */
static unsigned likeness(const struct triage_signature *a, const struct triage_signature *b)
{
    if (strcmp(a->effect, b->effect) != 0 || strcmp(a->field, b->field) != 0 ||
        strcmp(a->function, b->function) != 0 || (!*a->effect && !*a->field))
        return 0;
    return 1 + 4u * (a->kind == b->kind && strcmp(a->call, b->call) == 0) +
           2u * (a->relation == b->relation) + (a->kind == b->kind);
}

static struct triage_near *add(struct triage_group *group, enum triage_near_kind kind,
                               const char *id)
{
    struct triage_near *near = &group->near[group->nnear++];
    *near = (struct triage_near){.kind = kind};
    snprintf(near->id, sizeof near->id, "%s", id ? id : "");
    return near;
}

static void find_finding(const struct near_findings *findings,
                         const struct machine_description *machine, struct triage_group *group)
{
    const struct near_finding *best = NULL;
    const struct triage_signature *here = &group->signature;
    unsigned most = 0;
    for (size_t i = 0; i < findings->count; i++) {
        const unsigned like = likeness(&findings->list[i].signature, here);
        if (like > most) {
            most = like;
            best = &findings->list[i];
        }
    }
    if (!best || group->nnear == TRIAGE_NEAR)
        return;
    const struct machine_entry *entry = catalogue_at(machine, best->entry);
    const struct triage_signature *there = &best->signature;
    struct triage_near *near = add(group, TRIAGE_IS_finding, entry->id);
    if (strcmp(there->call, here->call) != 0 || there->kind != here->kind)
        snprintf(near->misses, sizeof near->misses,
                 "%s: it differs so from the spec in %s, in %s %s", entry->title, best->first,
                 trace_kind_name(there->kind), there->call);
    else if (there->relation != here->relation)
        snprintf(near->misses, sizeof near->misses, "%s: in %s, where %s", entry->title,
                 best->first, triage_relation_words(there->relation));
    else
        snprintf(near->misses, sizeof near->misses,
                 "%s: it differs so from the spec in %s; here the machine's model foresees it "
                 "otherwise",
                 entry->title, best->first);
}

/* --- Rules of the recorder ------------------------------------------------------------------- */

static bool meets(const struct trace_effect *effect, const struct trace_field *fields,
                  const struct machine_setting *when)
{
    const struct trace_field *field = &fields[when->field];
    if (!(effect->present >> when->field & 1))
        return false;
    if (field->format == TRACE_text)
        return strcmp(trace_field_text(effect, field), when->value.text) == 0;
    return when->value.kind == MACHINE_number &&
           trace_field_word(effect, field) == when->value.number;
}

/* The one condition that an effect does not meet; NULL: it is another effect, or none or several.
 */
static const struct machine_setting *missed(const struct machine_pattern *pattern,
                                            const struct trace_effect *effect)
{
    unsigned count;
    const struct machine_setting *only = NULL;
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    if (pattern->effect != effect->kind || pattern->inside)
        return NULL;
    for (size_t i = 0; i < pattern->count; i++) {
        if (meets(effect, fields, &pattern->when[i]))
            continue;
        if (only)
            return NULL;
        only = &pattern->when[i];
    }
    return only;
}

static void print_value(const struct machine_value *value, FILE *out)
{
    if (value->kind == MACHINE_text)
        fputs(value->text, out);
    else
        fprintf(out, "0x%" PRIx64, value->number);
}

static void tell_missed(const char *why, const struct machine_setting *when,
                        const struct trace_effect *effect, struct triage_near *near)
{
    unsigned count;
    char *text = NULL;
    size_t length = 0;
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    FILE *out = open_memstream(&text, &length);
    if (!out)
        return;
    fprintf(out, "%s: it is for effects whose %s is ", why ? why : "a rule without a reason",
            fields[when->field].key);
    print_value(&when->value, out);
    fputs("; here it is ", out);
    trace_print_field(effect, &fields[when->field], out);
    fclose(out);
    snprintf(near->misses, sizeof near->misses, "%s", text);
    free(text);
}

static bool is_about(const struct machine_rule *rule, const struct difference *difference)
{
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(rule->what.effect, &count);
    if (rule->kind != MACHINE_RULE_says || !difference->field)
        return rule->kind == MACHINE_RULE_says ? false : !difference->field;
    for (size_t i = 0; i < rule->nsettings; i++) {
        if (&fields[rule->settings[i].field] == difference->field)
            return true;
    }
    return false;
}

static void find_rule(const struct machine_description *machine,
                      const struct difference *difference, struct triage_group *group)
{
    const struct trace_effect *effect =
        difference->machine ? difference->machine : difference->model;
    for (size_t i = 0; effect && i < machine->nrules && group->nnear < TRIAGE_NEAR; i++) {
        const struct machine_rule *rule = &machine->rules[i];
        const struct machine_setting *when = missed(&rule->what, effect);
        if (!when || !is_about(rule, difference))
            continue;
        tell_missed(rule->why, when, effect, add(group, TRIAGE_IS_rule, rule->id));
        return;
    }
}

/* --- Departures ------------------------------------------------------------------------------ */

/* The entry of a departure, which the machine's own catalogue may lack. */
static const struct machine_entry *entry_of(const struct machine_description *machine,
                                            const char *id)
{
    for (; machine; machine = machine->extends) {
        const struct machine_entry *entry = machine_entry_find(machine, id);
        if (entry)
            return entry;
    }
    return NULL;
}

static void find_departure(const struct machine_description *machine,
                           const struct trap_verdict *verdict, struct triage_group *group)
{
    const struct nearest_departure *nearest = &verdict->nearest;
    if (!nearest->id)
        return;
    const struct machine_entry *entry = entry_of(machine, nearest->id);
    struct triage_near *near = add(group, TRIAGE_IS_departure, nearest->id);
    const char *title = entry ? entry->title : "a departure";
    const char *how = nearest->is_left_out ? "it is left out; with it" : "without it";
    if (nearest->left == 0)
        snprintf(near->misses, sizeof near->misses, "%s: %s the model agrees", title, how);
    else
        snprintf(near->misses, sizeof near->misses, "%s: %s %zu of %zu differences %s left, %s",
                 title, how, nearest->left, verdict->found.count, nearest->left == 1 ? "is" : "are",
                 nearest->rest);
}

void near_find(const struct near_findings *findings, const struct machine_description *machine,
               const struct trap_verdict *verdict, const struct difference *lead,
               struct triage_group *group)
{
    find_departure(machine, verdict, group);
    find_rule(machine, lead, group);
    find_finding(findings, machine, group);
}
