/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(arguments_have_bounds)
{
    static const struct stuck rows[] = {
        {NULL, 0, "clear_smmu_pt 0 2", NULL, "is_smmu("},
        {NULL, 0, "clear_smmu_pt 8 0", NULL, "is_smmu_cfg"},
        {NULL, 0, "walk_smmu_pt 0 2 0", NULL, "is_smmu("},
        {NULL, 0, "walk_smmu_pt 8 0 0", NULL, "is_smmu_cfg"},
        {NULL, 0, "walk_smmu_pt 0 0 0x10000000000", NULL, "is_smmu_addr"},
        {NULL, 0, "set_smmu_pt 0 2 0 0", NULL, "is_smmu("},
        {NULL, 0, "set_smmu_pt 8 0 0 0", NULL, "is_smmu_cfg"},
        {NULL, 0, "set_smmu_pt 0 0 0x10000000000 0", NULL, "is_smmu_addr"},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("halt", true);
    assert_each_stuck(rows, COUNT(rows));
}
END_TEST

START_TEST(tables_are_behind_their_lock_unless_the_machine_is_halted)
{
    static const char *const calls[] = {"clear_smmu_pt 0 0", "walk_smmu_pt 0 0 0",
                                        "set_smmu_pt 0 0 0 0x1003"};
    assert_stuck("set_smmu_pt 0 0 0 0x1003", "tstate");
    set("tstate", 0);
    for (size_t i = 0; i < COUNT(calls); i++)
        assert_stuck(calls[i], "lock_status");
    set("halt", true);
    for (size_t i = 0; i < COUNT(calls); i++)
        assert_skips(calls[i]);
}
END_TEST

START_TEST(a_page_is_mapped_until_its_bank_is_cleared)
{
    set("tstate", 0);
    set("lock.3", FH_LOCK_OWN);
    call("set_smmu_pt 1 0 0x5000 0x7003");
    assert_stuck("set_smmu_pt 1 0 0x6000 0x7003", "tstate");
    ck_assert_uint_eq(call("walk_smmu_pt 1 0 0x5fff"), 0x7003);
    call("clear_smmu_pt 1 0");
    ck_assert_uint_eq(call("walk_smmu_pt 1 0 0x5fff"), 0);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, arguments_have_bounds);
    tcase_add_test(tests, tables_are_behind_their_lock_unless_the_machine_is_halted);
    tcase_add_test(tests, a_page_is_mapped_until_its_bank_is_cleared);
}

int main(void)
{
    return run_layer_tests("mmio_spt_walk", add);
}
