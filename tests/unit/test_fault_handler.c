/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(the_faulting_address_has_48_bits)
{
    /* The profile `spec` cuts HPFAR_EL2 to 16 bits, that of the kernel does not. */
    set("regs.ctxt_regs.hpfar_el2", 0x10000000000);
    call("handle_host_stage2_fault");
    use_profile(&fh_profile_sekvm_4_18);
    set("regs.ctxt_regs.hpfar_el2", 0x10000000000);
    assert_stuck("handle_host_stage2_fault", "is_addr");
    set("halt", true);
    assert_skips("handle_host_stage2_fault");
}
END_TEST

START_TEST(a_syndrome_has_32_bits)
{
    set("regs.ctxt_regs.esr_el2", 0x100000000);
    assert_stuck("handle_host_stage2_fault", "esr");
}
END_TEST

START_TEST(a_hypercall_needs_a_vcpu_in_range)
{
    static const struct stuck rows[] = {
        {"cur_vmid", 17, "core_handle_pvops", NULL, "is_vmid"},
        {"cur_vcpuid", 8, "core_handle_pvops", NULL, "is_vcpu"},
    };
    assert_each_stuck(rows, COUNT(rows));
}
END_TEST

START_TEST(a_hypercall_outside_a_vm_halts)
{
    ck_assert_uint_eq(call("core_handle_pvops"), 0);
    ck_assert(fh_state_rdata(machine)->halt);
    assert_skips("core_handle_pvops");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, the_faulting_address_has_48_bits);
    tcase_add_test(tests, a_syndrome_has_32_bits);
    tcase_add_test(tests, a_hypercall_needs_a_vcpu_in_range);
    tcase_add_test(tests, a_hypercall_outside_a_vm_halts);
}

int main(void)
{
    return run_layer_tests("fault_handler", add);
}
