/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(vms_have_numbers_in_range)
{
    static const struct stuck rows[] = {
        {NULL, 0, "get_vm_poweron 17", NULL, "is_vmid"},
        {NULL, 0, "set_vm_poweroff 17", NULL, "is_vmid"},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("halt", true);
    assert_each_stuck(rows, COUNT(rows));
}
END_TEST

START_TEST(a_vm_is_on_until_it_is_switched_off)
{
    set("shared.vminfos.1.VS.vm_state", 5);
    ck_assert_uint_eq(call("get_vm_poweron 1"), 1);
    call("set_vm_poweroff 1");
    ck_assert_uint_eq(get("shared.vminfos.1.VS.vm_state"), 4);
    ck_assert_uint_eq(call("get_vm_poweron 1"), 0);
}
END_TEST

START_TEST(a_state_beyond_32_bits_is_not_read_unless_the_machine_is_halted)
{
    set("shared.vminfos.1.VS.vm_state", 0x100000000);
    assert_stuck("get_vm_poweron 1", "vm_state");
    set("halt", true);
    ck_assert_uint_eq(call("get_vm_poweron 1"), 0);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, vms_have_numbers_in_range);
    tcase_add_test(tests, a_vm_is_on_until_it_is_switched_off);
    tcase_add_test(tests, a_state_beyond_32_bits_is_not_read_unless_the_machine_is_halted);
}

int main(void)
{
    return run_layer_tests("vm_power", add);
}
