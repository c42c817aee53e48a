/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/play.h"

#include <inttypes.h>
#include <string.h>

#include <faulthandler/invariants.h>

/* `check: invariants`, and `invariants: always`: read here, and judged. */

/* A value that the witness of a broken invariant must have. */
struct witness_value {
    const struct node *node;
    enum fh_invariant id;
    unsigned index;
    const char *name;
    uint64_t value;
};

struct invariant_expect {
    const struct node *node; /* where the file says which; NULL: nowhere */
    bool is_judged;
    uint32_t broken; /* exactly these */
    struct witness_value *values;
    size_t nvalues;
};

/* --- Reading ---------------------------------------------------------------------------------- */

static const struct fh_invariant_info *read_invariant(struct reader *reader,
                                                      const struct node *node)
{
    const char *names[FH_INVARIANTS], *text;
    if (!reader_text(reader, node, "an invariant", &text))
        return NULL;
    const struct fh_invariant_info *invariant = fh_invariant_find(text);
    if (invariant)
        return invariant;
    for (unsigned i = 0; i < FH_INVARIANTS; i++)
        names[i] = fh_invariant_at(i)->name;
    reader_unknown(reader, node, "invariant", names, FH_INVARIANTS);
    return NULL;
}

/* The names of a witness's values, one by one. */
static void split_names(struct arena *arena, const struct fh_invariant_info *invariant,
                        const char *names[FH_WITNESS_VALUES])
{
    const char *name = invariant->values;
    for (unsigned i = 0; i < invariant->nvalues; i++) {
        size_t length = strcspn(name, ",");
        names[i] = arena_strdup(arena, name, length);
        name += length + 1;
    }
}

static bool read_witness_value(struct reader *reader, const struct node *node, uint64_t *value)
{
    if (node->kind == NODE_NUMBER && node->negative && !node->wide) {
        *value = node->number;
        return true;
    }
    return reader_number(reader, node, "a value of a witness", 0, UINT64_MAX, value);
}

static bool read_witness(struct reader *reader, struct invariant_expect *expect,
                         const struct fh_invariant_info *invariant, const struct node *map)
{
    const char *names[FH_WITNESS_VALUES];
    if (!reader_map(reader, map, "a witness"))
        return false;
    split_names(reader->arena, invariant, names);
    for (size_t i = 0; i < map->count; i++) {
        struct witness_value *value = &expect->values[expect->nvalues];
        *value = (struct witness_value){.node = &map->items[i], .id = invariant->id};
        while (value->index < invariant->nvalues && !node_is(&map->keys[i], names[value->index]))
            value->index++;
        if (value->index == invariant->nvalues)
            return reader_unknown(reader, &map->keys[i], "value of its witness", names,
                                  invariant->nvalues);
        value->name = names[value->index];
        if (!read_witness_value(reader, value->node, &value->value))
            return false;
        expect->nvalues++;
    }
    return true;
}

/* `broken`: a list of names, or a map from names to values of their witnesses. */
static bool read_broken(struct reader *reader, struct invariant_expect *expect,
                        const struct node *node)
{
    if (!node)
        return true;
    if (node->kind != NODE_LIST && node->kind != NODE_MAP)
        return reader_error(reader, node,
                            "'broken' must be a list of invariants, or a map from "
                            "them to their witnesses");
    expect->values =
        arena_alloc(reader->arena, FH_INVARIANTS * FH_WITNESS_VALUES * sizeof *expect->values);
    for (size_t i = 0; i < node->count; i++) {
        bool has_witness = node->kind == NODE_MAP;
        const struct node *name = has_witness ? &node->keys[i] : &node->items[i];
        const struct fh_invariant_info *invariant = read_invariant(reader, name);
        if (!invariant)
            return false;
        if (expect->broken >> invariant->id & 1)
            return reader_error(reader, name, "'%s' is there twice", invariant->name);
        expect->broken |= (uint32_t)1 << invariant->id;
        if (has_witness && !read_witness(reader, expect, invariant, &node->items[i]))
            return false;
    }
    return true;
}

bool scenario_load_invariant_check(struct reader *reader, const struct scenario *scenario,
                                   struct step *step, const struct node *node)
{
    static const char *const keys[] = {"check", "broken", "spec", "name", "cpu", NULL};
    const struct node *what = node_get(node, "check");
    struct invariant_expect *expect = arena_alloc(reader->arena, sizeof *expect);
    static const char *const words[] = {"invariants"};
    expect->node = node_get(node, scenario->is_beside ? "spec" : "broken");
    expect->is_judged = expect->node || !scenario->is_beside;
    step->title = "check invariants";
    step->invariants = expect;
    if (!node_is(what, words[0]))
        return reader_unknown(reader, what, "check", words, 1);
    return reader_keys(reader, node, "a check of the invariants", keys) &&
           read_broken(reader, expect, expect->node);
}

bool scenario_load_invariants(struct reader *reader, struct scenario *scenario,
                              const struct node *root)
{
    scenario->invariants = node_get(root, "invariants");
    return !scenario->invariants || node_is(scenario->invariants, "always") ||
           reader_error(reader, scenario->invariants, "'invariants' can only be 'always'");
}

/* --- Judging ---------------------------------------------------------------------------------- */

static void fail_broken(const struct judge *judge, const struct node *node,
                        const struct fh_invariant_report *report, unsigned id)
{
    char line[360];
    fh_witness_format(fh_invariant_at(id), &report->witness[id], line, sizeof line);
    judge_fail(judge, node, "%s", line);
}

static void judge_witness(const struct judge *judge, const struct witness_value *wanted,
                          const struct fh_invariant_report *report)
{
    uint64_t got = report->witness[wanted->id].values[wanted->index];
    if (!(report->broken >> wanted->id & 1) || got == wanted->value)
        return;
    judge_fail(judge, wanted->node, "%s: %s: expected %#" PRIx64 ", got %#" PRIx64,
               fh_invariant_at(wanted->id)->name, wanted->name, wanted->value, got);
}

void judge_invariants(const struct judge *judge)
{
    const struct invariant_expect *expect = judge->step->invariants;
    const struct node *broken = expect->node;
    struct fh_invariant_report report;
    if (!expect->is_judged)
        return;
    fh_check_invariants(judge->scenario->state, &report);
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if ((report.broken & ~expect->broken) >> i & 1)
            fail_broken(judge, NULL, &report, i);
        else if ((expect->broken & ~report.broken) >> i & 1)
            judge_fail(judge, broken, "%s holds, though it is expected to be broken",
                       fh_invariant_at(i)->name);
    }
    for (size_t i = 0; i < expect->nvalues; i++)
        judge_witness(judge, &expect->values[i], &report);
}

static void fail_all_broken(const struct judge *judge, const struct fh_invariant_report *report)
{
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (report->broken >> i & 1)
            fail_broken(judge, NULL, report, i);
    }
}

void judge_invariants_at_start(struct scenario *scenario, struct outcome *outcome)
{
    struct step machine = {.node = scenario->invariants, .title = "the machine at the start"};
    const struct judge judge = {scenario, outcome, &machine, 0};
    struct fh_invariant_report report;
    fh_check_invariants(scenario->state, &report);
    fail_all_broken(&judge, &report);
}

void judge_invariants_after(const struct judge *judge, const struct fh_rdata *before)
{
    struct fh_invariant_report report;
    fh_check_invariants_after(judge->scenario->state, before, &report);
    fail_all_broken(judge, &report);
}
