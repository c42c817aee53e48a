/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(numbers_of_vms_end_at_the_core)
{
    set("shared.core_data.next_vmid", 17);
    assert_stuck("gen_vmid", "is_vmid");
    set("shared.core_data.next_vmid", 16);
    assert_halts("gen_vmid");
    ck_assert_uint_eq(get("shared.core_data.next_vmid"), 16);
    assert_skips("gen_vmid");
}
END_TEST

START_TEST(the_remap_area_ends_before_its_last_byte)
{
    assert_stuck("alloc_remap_addr 0x1000000000", "is_gfn");
    set("shared.core_data.next_remap_ptr", 0x1000000000000);
    assert_stuck("alloc_remap_addr 1", "is_addr");
    set("shared.core_data.next_remap_ptr", 0x3fff000 - 0x1000);
    ck_assert_uint_eq(call("alloc_remap_addr 1"), 0x3ffe000);
    assert_halts("alloc_remap_addr 1"); /* would end at REMAP_END, 0x4000000 */
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, numbers_of_vms_end_at_the_core);
    tcase_add_test(tests, the_remap_area_ends_before_its_last_byte);
}

int main(void)
{
    return run_layer_tests("boot_core", add);
}
