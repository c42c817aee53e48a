/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(the_number_of_regions_and_the_address_have_bounds)
{
    assert_stuck("mem_region_search 0x1000000000000", "addr");
    set("region_cnt", 32);
    assert_stuck("mem_region_search 0", "is_memblock");
    set("region_cnt", 31);
    ck_assert_uint_eq(call("mem_region_search 0"), 0xffffffff);
}
END_TEST

START_TEST(regions_lie_within_the_address_space)
{
    set("region_cnt", 2);
    set("regions.1.mb_base", 0x1000000000000);
    assert_stuck("mem_region_search 0", "is_addr(k, base)");
    set("regions.1.mb_base", 0xfffffffff000);
    set("regions.1.mb_size", 0x1000);
    assert_stuck("mem_region_search 0", "is_addr_sum(k, base, size)");
    set("regions.1.mb_size", 0xfff);
    ck_assert_uint_eq(call("mem_region_search 0xfffffffffffe"), 1);
}
END_TEST

START_TEST(the_last_region_wins)
{
    set("region_cnt", 2);
    set("regions.0.mb_size", 0x4000);
    set("regions.1.mb_base", 0x1000);
    set("regions.1.mb_size", 0x1000);
    ck_assert_uint_eq(call("mem_region_search 0xfff"), 0);
    ck_assert_uint_eq(call("mem_region_search 0x1000"), 1);
    ck_assert_uint_eq(call("mem_region_search 0x2000"), 0);
    ck_assert_uint_eq(call("mem_region_search 0x4000"), 0xffffffff);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, the_number_of_regions_and_the_address_have_bounds);
    tcase_add_test(tests, regions_lie_within_the_address_space);
    tcase_add_test(tests, the_last_region_wins);
}

int main(void)
{
    return run_layer_tests("mem_region", add);
}
