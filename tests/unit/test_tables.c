/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <string.h>

/* Words of tables by physical address, with the layout of the recorded machine. */

static struct memory memory;

static struct fh_state *concrete_state(const struct fh_profile *profile, bool simple_locks)
{
    const struct fh_config config = {.profile = profile,
                                     .allocator = &memory.allocator,
                                     .log_policy = FH_LOG_SUMMARY,
                                     .realisation = FH_CONCRETE,
                                     .simple_locks = simple_locks};
    memory_init(&memory);
    struct fh_state *state = fh_state_new(&config);
    ck_assert_ptr_nonnull(state);
    return state;
}

static void end(struct fh_state *state)
{
    fh_state_free(state);
    ck_assert_uint_eq(memory.blocks, 0);
}

static void assert_place(enum fh_boundary which, uint64_t pa, uint64_t vmid, const char *level,
                         const char *pool)
{
    struct fh_table_place place;
    ck_assert(fh_table_locate(&fh_profile_sekvm_4_18, which, pa, &place));
    ck_assert_uint_eq(place.vmid, vmid);
    ck_assert_str_eq(place.level, level);
    ck_assert_str_eq(place.pool, pool);
}

/* Addresses that a machine's records name, with the level that they name. */
START_TEST(a_recorded_address_has_the_recorded_level)
{
    assert_place(FH_STAGE2_TABLES, 0x50bc0008, 0, "pgd", "pt_vttbr_pool");
    assert_place(FH_STAGE2_TABLES, 0x50bc2000, 0, "pmd", "pt_pgd_pool");
    assert_place(FH_STAGE2_TABLES, 0x50fc17e8, 0, "pte", "pt_pmd_pool");
    assert_place(FH_STAGE2_TABLES, 0x5d3c0018, 1, "pgd", "pt_vttbr_pool");
    assert_place(FH_STAGE2_TABLES, 0x5d3c4ff8, 1, "pmd", "pt_pgd_pool");
    assert_place(FH_STAGE2_TABLES, 0x5dbbf000, 1, "pte", "pt_pmd_pool");
    assert_place(FH_STAGE2_TABLES, 0x5dbc0000, 2, "pgd", "pt_vttbr_pool");
    assert_place(FH_SMMU_TABLES, 0x40bd2000, 0, "pgd", "spt_vttbr_pool");
    assert_place(FH_SMMU_TABLES, 0x7d3c0000, 0, "pmd", "spt_pgd_pool");
    assert_place(FH_SMMU_TABLES, 0x7d4c0000, 0, "pte", "spt_pmd_pool");
}
END_TEST

/* EL2's own table has four levels where the others have three. */
START_TEST(the_table_of_el2_has_puds)
{
    assert_place(FH_STAGE2_TABLES, 0x4abc0000, 65, "pgd", "pt_vttbr_pool");
    assert_place(FH_STAGE2_TABLES, 0x4abc1080, 65, "pud", "pt_pgd_pool");
    assert_place(FH_STAGE2_TABLES, 0x4abdb000, 65, "pmd", "pt_pud_pool");
    assert_place(FH_STAGE2_TABLES, 0x4b898330, 65, "pte", "pt_pmd_pool");
}
END_TEST

START_TEST(what_lies_outside_the_pools_is_no_table)
{
    const struct fh_profile *k = &fh_profile_sekvm_4_18;
    struct fh_table_place place;
    ck_assert(!fh_table_locate(k, FH_STAGE2_TABLES, 0x4abbfff8, &place));
    ck_assert(!fh_table_locate(k, FH_STAGE2_TABLES, 0x7d3c0000, &place));
    ck_assert(!fh_table_locate(k, FH_SMMU_TABLES, 0x40bbfff8, &place));
    ck_assert(!fh_table_locate(k, FH_SMMU_TABLES, 0x803c0000, &place));
    struct fh_state *state = concrete_state(k, false);
    ck_assert_int_eq(fh_table_set_word(state, FH_STAGE2_TABLES, 0x1000, 1), FH_INVALID_ARGUMENT);
    ck_assert_uint_eq(fh_table_word(state, FH_STAGE2_TABLES, 0x1000), 0);
    end(state);
}
END_TEST

START_TEST(a_word_that_was_set_is_found_by_a_walk_and_by_the_model)
{
    struct fh_state *state = concrete_state(&fh_profile_sekvm_4_18, false);
    const uint64_t root = 0x50bc0000, ipa = 0x13fefd000;
    ck_assert_uint_eq(fh_table_walk(state, FH_STAGE2_TABLES, root, ipa), 0x50bc0020);
    ck_assert_int_eq(fh_table_set_word(state, FH_STAGE2_TABLES, 0x50bc0020, 0x50bc3003), FH_OK);
    ck_assert_uint_eq(fh_table_walk(state, FH_STAGE2_TABLES, root, ipa), 0x50bc3ff8);
    ck_assert_int_eq(fh_table_set_word(state, FH_STAGE2_TABLES, 0x50bc3ff8, 0x50fc1003), FH_OK);
    ck_assert_uint_eq(fh_table_walk(state, FH_STAGE2_TABLES, root, ipa), 0x50fc17e8);
    ck_assert_int_eq(fh_table_set_word(state, FH_STAGE2_TABLES, 0x50fc17e8, 0x10000013fefdfff),
                     FH_OK);
    ck_assert_uint_eq(fh_table_word(state, FH_STAGE2_TABLES, 0x50fc17e8), 0x10000013fefdfff);
    uint64_t pte;
    ck_assert_int_eq(fh_walk_s2pt(state, 0, ipa, &pte), FH_OK);
    ck_assert_uint_eq(pte, 0x10000013fefdfff);
    end(state);
}
END_TEST

START_TEST(a_walk_ends_at_a_block)
{
    struct fh_state *state = concrete_state(&fh_profile_sekvm_4_18, false);
    ck_assert_int_eq(fh_table_set_word(state, FH_STAGE2_TABLES, 0x50bc0020, 0x50bc3003), FH_OK);
    ck_assert_int_eq(fh_table_set_word(state, FH_STAGE2_TABLES, 0x50bc3ff8, 0x13fe00ffd), FH_OK);
    ck_assert_uint_eq(fh_table_walk(state, FH_STAGE2_TABLES, 0x50bc0000, 0x13fefd000), 0x50bc3ff8);
    end(state);
}
END_TEST

START_TEST(a_word_of_an_smmu_is_not_one_of_stage_2)
{
    struct fh_state *state = concrete_state(&fh_profile_sekvm_4_18, false);
    const uint64_t pa = 0x50bc0020; /* in both kinds of pools */
    ck_assert_int_eq(fh_table_set_word(state, FH_SMMU_TABLES, pa, 7), FH_OK);
    ck_assert_uint_eq(fh_table_word(state, FH_SMMU_TABLES, pa), 7);
    ck_assert_uint_eq(fh_table_word(state, FH_STAGE2_TABLES, pa), 0);
    end(state);
}
END_TEST

START_TEST(setting_a_word_leaves_snapshots_alone)
{
    struct fh_state *state = concrete_state(&fh_profile_sekvm_4_18, false);
    const struct fh_rdata *before = fh_state_snapshot(state);
    ck_assert_int_eq(fh_table_set_word(state, FH_STAGE2_TABLES, 0x50bc0020, 3), FH_OK);
    fh_state_restore(state, before);
    fh_snapshot_release(before, &memory.allocator);
    ck_assert_uint_eq(fh_table_word(state, FH_STAGE2_TABLES, 0x50bc0020), 0);
    end(state);
}
END_TEST

START_TEST(a_word_that_finds_no_memory_is_not_set)
{
    for (size_t n = 1; n < 8; n++) {
        struct fh_state *state = concrete_state(&fh_profile_sekvm_4_18, false);
        const struct fh_rdata *before = fh_state_snapshot(state);
        memory_fail_at(&memory, n, false);
        const enum fh_status status = fh_table_set_word(state, FH_STAGE2_TABLES, 0x50bc0020, 3);
        ck_assert(status == FH_OK || status == FH_NOMEM);
        ck_assert_uint_eq(fh_table_word(state, FH_STAGE2_TABLES, 0x50bc0020),
                          status == FH_OK ? 3 : 0);
        memory_fail_at(&memory, 0, false);
        fh_snapshot_release(before, &memory.allocator);
        end(state);
    }
}
END_TEST

/* --- What an observer is told of tables ------------------------------------------------------ */

struct told {
    struct fh_effect effects[16];
    size_t count;
};

static void note(void *context, const struct fh_effect *effect)
{
    struct told *told = context;
    const bool is_of_tables =
        effect->kind == FH_EFFECT_PT_STORE || effect->kind == FH_EFFECT_POOL_SET ||
        effect->kind == FH_EFFECT_SMMU_PT_STORE || effect->kind == FH_EFFECT_SMMU_POOL_SET;
    if (is_of_tables && told->count < 16)
        told->effects[told->count++] = *effect;
}

static void assert_told(const struct told *told, size_t i, enum fh_effect_kind kind, uint64_t a,
                        uint64_t b, uint64_t c, uint64_t d)
{
    ck_assert_uint_lt(i, told->count);
    ck_assert_int_eq(told->effects[i].kind, kind);
    const uint64_t expected[] = {a, b, c, d};
    ck_assert_mem_eq(told->effects[i].values, expected, sizeof expected);
}

/* The first image of a recorded machine: a table page, the entry that points to it, the leaf. */
START_TEST(an_image_is_mapped_in_the_table_of_el2_as_it_was_recorded)
{
    struct fh_state *state = concrete_state(&fh_profile_sekvm_4_18, true);
    ck_assert_int_eq(fh_table_set_word(state, FH_STAGE2_TABLES, 0x4abc0000, 0x4abc1003), FH_OK);
    ck_assert_int_eq(fh_table_set_word(state, FH_STAGE2_TABLES, 0x4abc1020, 0x4abd3003), FH_OK);
    struct told told = {.count = 0};
    fh_state_environment(state)->context = &told;
    fh_state_environment(state)->observer = note;
    ck_assert_int_eq(fh_map_s2pt(state, 65, 0x100000000, 3, 0x4000013b400753), FH_OK);
    ck_assert_uint_eq(told.count, 3);
    const uint64_t table = 0x4adc0000; /* the first of the pool */
    assert_told(&told, 0, FH_EFFECT_POOL_SET, 65, 2, table, table + 0x1000);
    assert_told(&told, 1, FH_EFFECT_PT_STORE, 65, 0x4abd3000, 0, table | 3);
    assert_told(&told, 2, FH_EFFECT_PT_STORE, 65, table, 0, 0x14000013b400753);
    for (size_t i = 1; i < told.count; i++)
        ck_assert_uint_eq(told.effects[i].values[5], 0x100000000);
    end(state);
}
END_TEST

START_TEST(an_smmu_mapping_tells_of_its_table_pages)
{
    struct fh_state *state = concrete_state(&fh_profile_sekvm_4_18, true);
    struct told told = {.count = 0};
    fh_state_environment(state)->context = &told;
    fh_state_environment(state)->observer = note;
    ck_assert_int_eq(fh_map_spt(state, 1, 1, 0x40e, 0x9000703), FH_OK);
    ck_assert_uint_eq(told.count, 5);
    assert_told(&told, 0, FH_EFFECT_SMMU_POOL_SET, 0, 0x7d3c0000, 0x7d3c1000, 0);
    assert_told(&told, 1, FH_EFFECT_SMMU_PT_STORE, 0x40bd2000, 0, 0x7d3c0003, 0x40e);
    assert_told(&told, 2, FH_EFFECT_SMMU_POOL_SET, 2, 0x7d4c0000, 0x7d4c1000, 0);
    assert_told(&told, 3, FH_EFFECT_SMMU_PT_STORE, 0x7d3c0000, 0, 0x7d4c0003, 0x40e);
    assert_told(&told, 4, FH_EFFECT_SMMU_PT_STORE, 0x7d4c0000, 0, 0x9000703, 0x40e);
    end(state);
}
END_TEST

/* --- Locks that are not words ---------------------------------------------------------------- */

/* Tickets are what a log of the concrete form has, and one of the abstract form has not. */
START_TEST(with_simple_locks_only_tables_are_concrete)
{
    for (int simple = 0; simple < 2; simple++) {
        struct fh_state *state = concrete_state(&fh_profile_sekvm_4_18, simple);
        ck_assert_int_eq(fh_map_s2pt(state, 0, 0x13fefd000, 3, 0x13fefdfff), FH_OK);
        ck_assert_uint_eq(fh_table_word(state, FH_STAGE2_TABLES, 0x50fc07e8), 0x10000013fefdfff);
        char path[160];
        struct fh_state *other = concrete_state(&fh_profile_sekvm_4_18, !simple);
        ck_assert_int_eq(fh_map_s2pt(other, 0, 0x13fefd000, 3, 0x13fefdfff), FH_OK);
        count_changes(fh_state_rdata(state), fh_state_rdata(other), path, sizeof path);
        ck_assert_msg(strncmp(path, "log.", 4) == 0, "%s", path);
        fh_state_free(other);
        fh_state_free(state);
    }
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_recorded_address_has_the_recorded_level);
    tcase_add_test(tests, the_table_of_el2_has_puds);
    tcase_add_test(tests, what_lies_outside_the_pools_is_no_table);
    tcase_add_test(tests, a_word_that_was_set_is_found_by_a_walk_and_by_the_model);
    tcase_add_test(tests, a_walk_ends_at_a_block);
    tcase_add_test(tests, a_word_of_an_smmu_is_not_one_of_stage_2);
    tcase_add_test(tests, setting_a_word_leaves_snapshots_alone);
    tcase_add_test(tests, a_word_that_finds_no_memory_is_not_set);
    tcase_add_test(tests, an_image_is_mapped_in_the_table_of_el2_as_it_was_recorded);
    tcase_add_test(tests, an_smmu_mapping_tells_of_its_table_pages);
    tcase_add_test(tests, with_simple_locks_only_tables_are_concrete);
}

int main(void)
{
    return run_tests("tables", add);
}
