/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/rules.h>

const char *fh_rule_name(enum fh_rule rule)
{
    static const char *const names[] = {
#define NAME(name, text, words) text,
        FH_RULE_MAP(NAME)
#undef NAME
    };
    return names[rule];
}

const char *fh_rule_words(enum fh_rule rule)
{
    static const char *const all[] = {
#define WORDS(name, text, words) words,
        FH_RULE_MAP(WORDS)
#undef WORDS
    };
    return all[rule];
}

void fh_rules_begin(struct fh_rules *rules, const struct fh_profile *profile)
{
    rules->profile = profile;
    rules->broken = 0;
    rules->npending = 0;
}

static void break_rule(struct fh_rules *rules, enum fh_rule rule,
                       const struct fh_rule_breach *breach)
{
    if (!(rules->broken >> rule & 1))
        rules->breaches[rule] = *breach;
    rules->broken |= UINT32_C(1) << rule;
}

/* --- What is to be invalidated ---------------------------------------------------------------- */

static enum fh_rule rule_of(bool is_smmu)
{
    return is_smmu ? FH_RULE_INVALIDATE_SMMU : FH_RULE_INVALIDATE;
}

static void drop(struct fh_rules *rules, unsigned i)
{
    rules->npending--;
    rules->pending[i] = rules->pending[rules->npending];
    rules->is_smmu[i] = rules->is_smmu[rules->npending];
}

static void expect(struct fh_rules *rules, bool is_smmu, const struct fh_rule_breach *breach)
{
    if (rules->npending == FH_RULES_PENDING) {
        break_rule(rules, rule_of(rules->is_smmu[0]), &rules->pending[0]);
        drop(rules, 0);
    }
    rules->pending[rules->npending] = *breach;
    rules->is_smmu[rules->npending++] = is_smmu;
}

static void invalidated(struct fh_rules *rules, uint64_t vmid, uint64_t address)
{
    for (unsigned i = rules->npending; i-- > 0;) {
        if (!rules->is_smmu[i] && rules->pending[i].owner == vmid &&
            rules->pending[i].address == address)
            drop(rules, i);
    }
}

/* The lock of a table is given back: what is not invalidated by now is late. */
static void unlocked(struct fh_rules *rules, uint64_t lock)
{
    const struct fh_profile *k = rules->profile;
    for (unsigned i = rules->npending; i-- > 0;) {
        const bool is_smmu = rules->is_smmu[i];
        if (lock != (is_smmu ? k->SPT_ID : k->NPT_ID + rules->pending[i].owner))
            continue;
        break_rule(rules, rule_of(is_smmu), &rules->pending[i]);
        drop(rules, i);
    }
}

/* --- Writes ----------------------------------------------------------------------------------- */

enum { VALID = 1, S2AP = 3 << 6, ACCESS_FLAG = 1 << 10 };

/* Software's bits (58..55), permissions and the access flag may change in place. */
static bool is_made_otherwise(uint64_t old, uint64_t new)
{
    const uint64_t software = UINT64_C(0xf) << 55, execute = UINT64_C(3) << 53;
    const uint64_t kept = ~(software | execute | S2AP | ACCESS_FLAG);
    return (old & kept) != (new &kept);
}

static void written(struct fh_rules *rules, bool is_smmu, const struct fh_rule_breach *breach)
{
    const bool was_mapped = breach->old_word & VALID, is_mapped = breach->new_word & VALID;
    if (!was_mapped || breach->old_word == breach->new_word)
        return;
    if (is_mapped && is_made_otherwise(breach->old_word, breach->new_word))
        break_rule(rules, FH_RULE_BREAK_BEFORE_MAKE, breach);
    expect(rules, is_smmu, breach);
}

/* Words of the first levels are leaves where they are no tables. */
static bool is_leaf(const struct fh_rules *rules, uint64_t word, uint64_t level)
{
    const uint64_t table = rules->profile->PMD_TYPE_TABLE;
    return level == 3 || (word & table) != table;
}

void fh_rules_see(struct fh_rules *rules, const struct fh_effect *effect)
{
    const uint64_t *v = effect->values;
    switch (effect->kind) {
    case FH_EFFECT_TLBI: invalidated(rules, v[0], v[1]); break;
    case FH_EFFECT_UNLOCK: unlocked(rules, v[0]); break;
    case FH_EFFECT_NPT_SET:
        written(rules, false,
                &(struct fh_rule_breach){
                    .owner = v[0], .address = v[1], .old_word = v[5], .new_word = v[3]});
        break;
    case FH_EFFECT_PT_STORE:
        if (is_leaf(rules, v[2], v[4]))
            written(rules, false,
                    &(struct fh_rule_breach){
                        .owner = v[0], .address = v[5], .old_word = v[2], .new_word = v[3]});
        break;
    case FH_EFFECT_SPT_SET:
        written(
            rules, true,
            &(struct fh_rule_breach){
                .owner = v[0], .smmu = v[1], .address = v[2], .old_word = v[4], .new_word = v[3]});
        break;
    default: break;
    }
}

void fh_rules_end(struct fh_rules *rules)
{
    while (rules->npending > 0) {
        break_rule(rules, rule_of(rules->is_smmu[0]), &rules->pending[0]);
        drop(rules, 0);
    }
}
