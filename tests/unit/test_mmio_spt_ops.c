/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(arguments_have_bounds)
{
    static const struct stuck rows[] = {
        {NULL, 0, "init_spt 0 2", NULL, "is_smmu("},
        {NULL, 0, "init_spt 8 0", NULL, "is_smmu_cfg"},
        {NULL, 0, "walk_spt 0 2 0", NULL, "is_smmu("},
        {NULL, 0, "walk_spt 8 0 0", NULL, "is_smmu_cfg"},
        {NULL, 0, "walk_spt 0 0 0x10000000000", NULL, "is_smmu_addr"},
        {NULL, 0, "map_spt 0 2 0 0", NULL, "is_smmu("},
        {NULL, 0, "map_spt 8 0 0 0", NULL, "is_smmu_cfg"},
        {NULL, 0, "map_spt 0 0 0x10000000000 0", NULL, "is_smmu_addr"},
        {NULL, 0, "unmap_spt 0 2 0", NULL, "is_smmu("},
        {NULL, 0, "unmap_spt 8 0 0", NULL, "is_smmu_cfg"},
        {NULL, 0, "unmap_spt 0 0 0x10000000000", NULL, "is_smmu_addr"},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("halt", true);
    assert_each_stuck(rows, COUNT(rows));
}
END_TEST

START_TEST(tables_are_behind_their_lock_unless_the_machine_is_halted)
{
    static const char *const calls[] = {"init_spt 0 0", "walk_spt 0 0 0", "map_spt 0 0 0 1",
                                        "unmap_spt 0 0 0"};
    set("lock.3", FH_LOCK_OWN);
    for (size_t i = 0; i < COUNT(calls); i++)
        assert_stuck_in(calls[i], "Locks.acquire", "FREE");
    set("halt", true);
    for (size_t i = 0; i < COUNT(calls); i++)
        assert_skips(calls[i]);
}
END_TEST

START_TEST(what_is_mapped_is_found_until_it_is_unmapped)
{
    call("map_spt 1 0 0x5000 0x7003");
    ck_assert_uint_eq(call("walk_spt 1 0 0x5fff"), 0x7003);
    ck_assert_uint_eq(call("walk_spt 0 0 0x5fff"), 0);
    ck_assert_uint_eq(call("unmap_spt 1 0 0x5000"), 0x7003);
    ck_assert_uint_eq(call("walk_spt 1 0 0x5fff"), 0);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, arguments_have_bounds);
    tcase_add_test(tests, tables_are_behind_their_lock_unless_the_machine_is_halted);
    tcase_add_test(tests, what_is_mapped_is_found_until_it_is_unmapped);
}

int main(void)
{
    return run_layer_tests("mmio_spt_ops", add);
}
