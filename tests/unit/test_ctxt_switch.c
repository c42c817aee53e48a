/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(the_current_vcpu_has_numbers_in_range_unless_the_machine_is_halted)
{
    static const struct stuck rows[] = {
        {"cur_vmid", 17, "save_vm", NULL, "is_vmid"},
        {"cur_vcpuid", 8, "save_vm", NULL, "is_vcpu"},
        {"cur_vmid", 17, "restore_vm", NULL, "is_vmid"},
        {"cur_vcpuid", UINT64_MAX, "restore_vm", NULL, "is_vcpu"},
    };
    assert_each_stuck(rows, COUNT(rows));
    use_kind(&fh_machine_bodies);
    set("cur_vmid", 17);
    assert_stuck_in("restore_vm", "bodies.current_vcpu", "is_vmid");
    set("cur_vmid", 0);
    set("cur_vcpuid", 8);
    assert_stuck_in("restore_vm", "bodies.current_vcpu", "is_vcpu");
}
END_TEST

START_TEST(saving_does_nothing_in_a_halted_machine)
{
    set("cur_vmid", 17);
    set("cur_vcpuid", 8);
    set("halt", true);
    assert_skips("save_vm");
    assert_skips("save_host");
    assert_skips("restore_host");
}
END_TEST

START_TEST(the_host_names_a_vcpu_in_32_bits)
{
    set("shadow_ctxts.0.ctxt_regs.x0", 0x100000000);
    assert_stuck("restore_vm", "vmid");
    set("shadow_ctxts.0.ctxt_regs.x0", 16);
    assert_halts("restore_vm");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, the_current_vcpu_has_numbers_in_range_unless_the_machine_is_halted);
    tcase_add_test(tests, saving_does_nothing_in_a_halted_machine);
    tcase_add_test(tests, the_host_names_a_vcpu_in_32_bits);
}

int main(void)
{
    return run_layer_tests("ctxt_switch", add);
}
