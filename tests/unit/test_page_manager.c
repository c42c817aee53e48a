/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

static const char *const calls[] = {"get_pfn_owner 0",   "get_pfn_count 0",   "get_pfn_map 0",
                                    "set_pfn_owner 0 1", "set_pfn_count 0 1", "set_pfn_map 0 1"};

START_TEST(page_frames_have_36_bits_even_in_a_halted_machine)
{
    static const struct stuck rows[] = {
        {NULL, 0, "get_pfn_owner 0x1000000000", NULL, "is_gfn"},
        {NULL, 0, "get_pfn_count 0x1000000000", NULL, "is_gfn"},
        {NULL, 0, "get_pfn_map 0x1000000000", NULL, "is_gfn"},
        {NULL, 0, "set_pfn_owner 0x1000000000 1", NULL, "is_gfn"},
        {NULL, 0, "set_pfn_count 0x1000000000 1", NULL, "is_gfn"},
        {NULL, 0, "set_pfn_map 0x1000000000 1", NULL, "is_gfn"},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("halt", true);
    assert_each_stuck(rows, COUNT(rows));
}
END_TEST

START_TEST(records_need_the_lock_unless_the_machine_is_halted)
{
    for (size_t i = 0; i < COUNT(calls); i++)
        assert_stuck(calls[i], "holds_lock");
    set("halt", true);
    for (size_t i = 0; i < COUNT(calls); i++)
        assert_skips(calls[i]);
}
END_TEST

START_TEST(a_page_without_a_record_takes_no_values)
{
    set("lock.2", FH_LOCK_OWN);
    ck_assert_uint_eq(call("get_pfn_owner 7"), 0xffffffff);
    assert_skips("set_pfn_owner 7 17");
    assert_skips("set_pfn_count 7 1");
    assert_skips("set_pfn_map 7 1");
}
END_TEST

START_TEST(a_record_takes_owners_that_exist)
{
    set("lock.2", FH_LOCK_OWN);
    set("shared.s2page.7.s2_owner", 0);
    assert_stuck("set_pfn_owner 7 17", "is_vmid");
    call("set_pfn_owner 7 16");
    ck_assert_uint_eq(call("get_pfn_owner 7"), 16);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, page_frames_have_36_bits_even_in_a_halted_machine);
    tcase_add_test(tests, records_need_the_lock_unless_the_machine_is_halted);
    tcase_add_test(tests, a_page_without_a_record_takes_no_values);
    tcase_add_test(tests, a_record_takes_owners_that_exist);
}

int main(void)
{
    return run_layer_tests("page_manager", add);
}
