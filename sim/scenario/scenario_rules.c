/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <string.h>

#include "scenario/play.h"

/* Rules about tables and TLBs: what a file says of them, and whether a step kept them. */

static bool find_rule(struct reader *reader, const struct node *node, uint32_t *rules)
{
    const char *names[FH_RULES], *text;
    if (!reader_text(reader, node, "rule", &text))
        return false;
    for (unsigned i = 0; i < FH_RULES; i++) {
        names[i] = fh_rule_name((enum fh_rule)i);
        if (strcmp(names[i], text) == 0) {
            *rules |= UINT32_C(1) << i;
            return true;
        }
    }
    return reader_unknown(reader, node, "rule", names, FH_RULES);
}

bool scenario_load_expected_rules(struct reader *reader, struct step *step, const struct node *node)
{
    if (!node)
        return true;
    step->expect.has_rules = true;
    if (!reader_list(reader, node, "'rules'"))
        return false;
    for (size_t i = 0; i < node->count; i++) {
        if (!find_rule(reader, &node->items[i], &step->expect.rules))
            return false;
    }
    return true;
}

bool scenario_load_rules(struct reader *reader, struct scenario *scenario, const struct node *root)
{
    static const char *const always[] = {"always"};
    const struct node *node = node_get(root, "rules");
    scenario->has_rules = node != NULL;
    if (!node || node_is(node, always[0]))
        return true;
    return node->kind == NODE_STRING ? reader_unknown(reader, node, "value of 'rules'", always, 1)
                                     : reader_error(reader, node, "'rules' must be 'always'");
}

bool judges_rules(const struct scenario *scenario, const struct step *step)
{
    return scenario->has_rules || step->expect.has_rules;
}

static void judge_rule(const struct judge *judge, const struct fh_rules *rules, enum fh_rule rule)
{
    const struct expect *expect = &judge->step->expect;
    const struct node *node = expect->node ? node_get(expect->node, "rules") : NULL;
    const struct fh_rule_breach *breach = &rules->breaches[rule];
    const bool is_broken = rules->broken >> rule & 1, expected = expect->rules >> rule & 1;
    if (is_broken && !expected)
        judge_fail(judge, node,
                   "%s: %s; but for %s %" PRIu64 ", address 0x%" PRIx64 ", 0x%" PRIx64
                   " became 0x%" PRIx64,
                   fh_rule_name(rule), fh_rule_words(rule),
                   rule == FH_RULE_INVALIDATE_SMMU ? "bank" : "VM", breach->owner, breach->address,
                   breach->old_word, breach->new_word);
    else if (!is_broken && expected)
        judge_fail(judge, node, "%s: the rule is kept, though it is expected to be broken",
                   fh_rule_name(rule));
}

void judge_rules(const struct judge *judge, const struct fh_rules *rules)
{
    for (unsigned rule = 0; rule < FH_RULES; rule++)
        judge_rule(judge, rules, (enum fh_rule)rule);
}
