/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(pages_are_counted_from_the_first_of_their_region)
{
    set("region_cnt", 1);
    set("regions.0.mb_base", 0x10000);
    set("regions.0.mb_size", 0x4000);
    set("regions.0.mb_index", 100);
    ck_assert_uint_eq(call("get_s2_page_index 0x11fff"), 101);
    ck_assert_uint_eq(call("get_s2_page_index 0x14000"), UINT64_MAX);
}
END_TEST

START_TEST(a_region_has_pages_from_an_index_of_48_bits_or_none)
{
    set("region_cnt", 1);
    set("regions.0.mb_size", 0x4000);
    set("regions.0.mb_index", 0x1000000000000);
    assert_stuck("get_s2_page_index 0", "first");
    set("regions.0.mb_index", UINT64_MAX);
    ck_assert_uint_eq(call("get_s2_page_index 0"), UINT64_MAX);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, pages_are_counted_from_the_first_of_their_region);
    tcase_add_test(tests, a_region_has_pages_from_an_index_of_48_bits_or_none);
}

int main(void)
{
    return run_layer_tests("page_index", add);
}
