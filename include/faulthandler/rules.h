/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_RULES_H
#define FAULTHANDLER_RULES_H

#include <stdbool.h>

#include <faulthandler/effects.h>
#include <faulthandler/profile.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Rules beside the spec: what the architecture asks of who changes translation tables. The spec has
 * no TLB, so that no invariant speaks of one. The rules look at effects, in order.
 *
 * Arm ARM, "Using break-before-make when updating translation table entries", and TLB maintenance
 * requirements; for a table that a lock protects, who takes the lock next may rely on them.
 *
 * X(NAME, name, in words)
 */
/* clang-format off */
#define FH_RULE_MAP(X)                                                                              \
    X(BREAK_BEFORE_MAKE, "break_before_make",                                                       \
      "a page or block is mapped otherwise only by way of no mapping and a TLBI")                    \
    X(INVALIDATE, "invalidate_before_unlock",                                                       \
      "what a stage 2 table no longer maps is invalidated before its lock is given back")           \
    X(INVALIDATE_SMMU, "invalidate_smmu_before_unlock",                                             \
      "what a context bank no longer maps is invalidated before the lock is given back")

/* clang-format on */
enum fh_rule {
#define FH_RULE_ENUM(name, text, words) FH_RULE_##name,
    FH_RULE_MAP(FH_RULE_ENUM)
#undef FH_RULE_ENUM
        FH_RULES
};

FH_API const char *fh_rule_name(enum fh_rule rule);
FH_API const char *fh_rule_words(enum fh_rule rule);

/* How a rule was broken first: in whose table (VM, or bank and SMMU), where, by which words. */
struct fh_rule_breach {
    uint64_t owner; /* vmid; of SMMUs the bank */
    uint64_t smmu;
    uint64_t address;
    uint64_t old_word, new_word;
};

enum { FH_RULES_PENDING = 1024 };

/* What is to be invalidated still; beyond FH_RULES_PENDING the oldest is forgotten as broken. */
struct fh_rules {
    const struct fh_profile *profile;
    uint32_t broken; /* bits by enum fh_rule */
    struct fh_rule_breach breaches[FH_RULES];
    struct fh_rule_breach pending[FH_RULES_PENDING];
    bool is_smmu[FH_RULES_PENDING];
    unsigned npending;
};

FH_API void fh_rules_begin(struct fh_rules *rules, const struct fh_profile *profile);
FH_API void fh_rules_see(struct fh_rules *rules, const struct fh_effect *effect);

/* Nothing more comes, whether locks were seen to be given back or not: what is pending is broken.
 */
FH_API void fh_rules_end(struct fh_rules *rules);

#ifdef __cplusplus
}
#endif

#endif
