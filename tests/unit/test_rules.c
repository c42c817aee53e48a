/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules beside the spec, by effects alone: what is written, invalidated, and given back. */
#include "support.h"

#include <faulthandler/rules.h>

enum { VMID = 3, IPA = 0x50000000 };
static const uint64_t page = 0x400003ff, other_page = 0x400013ff, read_only = 0x4000037f;

static struct fh_rules rules;

static void set_up(void)
{
    fh_rules_begin(&rules, &fh_profile_spec);
}

static void see(struct fh_effect effect)
{
    fh_rules_see(&rules, &effect);
}

static void store(uint64_t ipa, uint64_t old_word, uint64_t new_word)
{
    see((struct fh_effect){.kind = FH_EFFECT_NPT_SET,
                           .values = {VMID, ipa, 3, new_word, 3, old_word}});
}

static void invalidate(uint64_t vmid, uint64_t ipa)
{
    see((struct fh_effect){.kind = FH_EFFECT_TLBI, .values = {vmid, ipa}});
}

static void unlock(uint64_t vmid)
{
    see((struct fh_effect){.kind = FH_EFFECT_UNLOCK, .values = {fh_profile_spec.NPT_ID + vmid}});
}

static const uint32_t late = 1u << FH_RULE_INVALIDATE, replaced = 1u << FH_RULE_BREAK_BEFORE_MAKE;

START_TEST(a_page_that_goes_is_invalidated_before_the_lock)
{
    store(IPA, page, 0);
    unlock(VMID + 1); /* another table's */
    ck_assert_uint_eq(rules.broken, 0);
    unlock(VMID);
    ck_assert_uint_eq(rules.broken, late);
    ck_assert_uint_eq(rules.breaches[FH_RULE_INVALIDATE].address, IPA);
}
END_TEST

START_TEST(only_a_tlbi_of_the_address_and_vm_counts)
{
    store(IPA, page, 0);
    invalidate(VMID, IPA);
    store(IPA + 0x1000, page, 0);
    invalidate(VMID, IPA);
    invalidate(VMID + 1, IPA + 0x1000);
    unlock(VMID);
    ck_assert_uint_eq(rules.broken, late);
    ck_assert_uint_eq(rules.breaches[FH_RULE_INVALIDATE].address, IPA + 0x1000);
}
END_TEST

START_TEST(what_was_not_mapped_needs_no_tlbi)
{
    store(IPA, 0, page);
    store(IPA, page, page);
    unlock(VMID);
    ck_assert_uint_eq(rules.broken, 0);
}
END_TEST

START_TEST(another_address_goes_by_way_of_no_mapping)
{
    store(IPA, page, other_page);
    invalidate(VMID, IPA);
    unlock(VMID);
    ck_assert_uint_eq(rules.broken, replaced);
}
END_TEST

START_TEST(permissions_may_change_in_place)
{
    store(IPA, page, read_only);
    invalidate(VMID, IPA);
    unlock(VMID);
    ck_assert_uint_eq(rules.broken, 0);
}
END_TEST

START_TEST(what_is_pending_at_the_end_is_broken)
{
    store(IPA, page, 0);
    ck_assert_uint_eq(rules.broken, 0);
    fh_rules_end(&rules);
    ck_assert_uint_eq(rules.broken, late);
    ck_assert_uint_eq(rules.npending, 0);
}
END_TEST

/* A block's worth of pages, told to the TLB only when all of them are gone. */
START_TEST(many_pages_may_be_invalidated_together)
{
    enum { PAGES = 512 };
    for (uint64_t i = 0; i < PAGES; i++)
        store(IPA + i * 0x1000, page + i * 0x1000, 0);
    for (uint64_t i = 0; i < PAGES; i++)
        invalidate(VMID, IPA + i * 0x1000);
    unlock(VMID);
    ck_assert_uint_eq(rules.broken, 0);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, a_page_that_goes_is_invalidated_before_the_lock);
    tcase_add_test(tests, only_a_tlbi_of_the_address_and_vm_counts);
    tcase_add_test(tests, what_was_not_mapped_needs_no_tlbi);
    tcase_add_test(tests, another_address_goes_by_way_of_no_mapping);
    tcase_add_test(tests, permissions_may_change_in_place);
    tcase_add_test(tests, what_is_pending_at_the_end_is_broken);
    tcase_add_test(tests, many_pages_may_be_invalidated_together);
}

int main(void)
{
    return run_tests("rules", add);
}
