/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(tables_are_those_of_vms_that_exist)
{
    static const struct stuck rows[] = {
        {NULL, 0, "get_npt_level 17 0", NULL, "is_vmid"},
        {NULL, 0, "walk_npt 17 0", NULL, "is_vmid"},
        {NULL, 0, "set_npt 17 0 3 0x1003", NULL, "is_vmid"},
        {NULL, 0, "get_npt_level 1 0x1000000000000", NULL, "is_addr"},
        {NULL, 0, "walk_npt 1 0x1000000000000", NULL, "is_addr"},
        {NULL, 0, "set_npt 1 0x1000000000000 3 0x1003", NULL, "is_addr"},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("halt", true);
    assert_each_stuck(rows, COUNT(rows));
}
END_TEST

START_TEST(tables_are_behind_their_lock_unless_the_machine_is_halted)
{
    static const char *const calls[] = {"get_npt_level 1 0", "walk_npt 1 0",
                                        "set_npt 1 0 3 0x1003"};
    assert_stuck("set_npt 1 0 3 0x1003", "tstate");
    set("tstate", 0);
    for (size_t i = 0; i < COUNT(calls); i++)
        assert_stuck(calls[i], "lock_status");
    set("halt", true);
    for (size_t i = 0; i < COUNT(calls); i++)
        assert_skips(calls[i]);
}
END_TEST

START_TEST(blocks_and_pages_are_mapped_with_a_descriptor)
{
    static const struct stuck rows[] = {
        {NULL, 0, "set_npt 1 0 1 0x1003", NULL, "level"},
        {NULL, 0, "set_npt 1 0 4 0x1003", NULL, "level"},
        {NULL, 0, "set_npt 1 0 3 0", NULL, "pte"},
    };
    set("tstate", 0);
    set("lock.6", FH_LOCK_OWN);
    assert_each_stuck(rows, COUNT(rows));
    call("set_npt 1 0x5000 3 0x7003");
    assert_stuck("set_npt 1 0x6000 3 0x7003", "tstate");
    ck_assert_uint_eq(call("walk_npt 1 0x5fff"), 0x7003);
    ck_assert_uint_eq(call("get_npt_level 1 0x5fff"), 3);
}
END_TEST

START_TEST(a_block_needs_pages_of_the_upper_pools)
{
    static const char *const places[] = {"shared.npts.1.pt_pgd_next", "shared.npts.1.pt_pud_next"};
    static const uint64_t ends[] = {0x2111000, 0x2911000};
    for (size_t i = 0; i < COUNT(places); i++) {
        use_profile(NULL);
        set("tstate", 0);
        set("lock.6", FH_LOCK_OWN);
        set(places[i], ends[i]);
        assert_halts("set_npt 1 0 2 0x200001");
        use_profile(NULL);
        set("tstate", 0);
        set("lock.6", FH_LOCK_OWN);
        set(places[i], ends[i] - 0x1000);
        call("set_npt 1 0 2 0x200001");
        ck_assert_uint_eq(get("halt"), false);
        ck_assert_uint_eq(get(places[i]), ends[i]);
    }
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, tables_are_those_of_vms_that_exist);
    tcase_add_test(tests, tables_are_behind_their_lock_unless_the_machine_is_halted);
    tcase_add_test(tests, blocks_and_pages_are_mapped_with_a_descriptor);
    tcase_add_test(tests, a_block_needs_pages_of_the_upper_pools);
}

int main(void)
{
    return run_layer_tests("npt_walk", add);
}
