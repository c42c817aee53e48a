/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

enum { DABT = 36 }; /* the exception class of a data abort */

START_TEST(the_current_vcpu_has_numbers_in_range_unless_the_machine_is_halted)
{
    static const struct stuck rows[] = {
        {"cur_vmid", 17, "save_shadow_kvm_regs", NULL, "is_vmid"},
        {"cur_vcpuid", 8, "save_shadow_kvm_regs", NULL, "is_vcpu"},
        {"cur_vcpuid", UINT64_MAX, "save_shadow_kvm_regs", NULL, "is_vcpu"},
        {"cur_vmid", 17, "restore_shadow_kvm_regs", NULL, "is_vmid"},
        {"cur_vcpuid", 8, "restore_shadow_kvm_regs", NULL, "is_vcpu"},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("cur_vmid", 17);
    set("cur_vcpuid", UINT64_MAX);
    set("halt", true);
    assert_skips("save_shadow_kvm_regs");
    assert_skips("restore_shadow_kvm_regs");
}
END_TEST

START_TEST(the_body_of_restore_looks_at_the_numbers_too)
{
    use_kind(&fh_machine_bodies);
    set("cur_vcpuid", 8);
    assert_stuck_in("restore_shadow_kvm_regs", "bodies.current_vcpu", "is_vcpu");
    set("cur_vcpuid", 0);
    set("cur_vmid", 17);
    assert_stuck_in("restore_shadow_kvm_regs", "bodies.current_vcpu", "is_vmid");
    set("halt", true);
    assert_skips("restore_shadow_kvm_regs");
}
END_TEST

START_TEST(an_abort_of_the_hosts_own_context_is_noted_like_that_of_a_vm)
{
    set("cur_vmid", 0);
    set("shadow_ctxts.0.ctxt_regs.ec", fh_state_profile(machine)->ARM_EXCEPTION_TRAP);
    set("shadow_ctxts.0.ctxt_regs.esr_el2", (uint64_t)DABT << 26);
    call("save_shadow_kvm_regs");
    /* The syndrome from outside, 0, is that of a load into x0. */
    ck_assert_uint_eq(get("shadow_ctxts.0.ctxt_states.dirty"), 1);
}
END_TEST

START_TEST(other_exceptions_halt)
{
    set("cur_vmid", 1);
    set("shadow_ctxts.8.ctxt_regs.ec", fh_state_profile(machine)->ARM_EXCEPTION_TRAP);
    assert_halts("save_shadow_kvm_regs");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, the_current_vcpu_has_numbers_in_range_unless_the_machine_is_halted);
    tcase_add_test(tests, the_body_of_restore_looks_at_the_numbers_too);
    tcase_add_test(tests, an_abort_of_the_hosts_own_context_is_noted_like_that_of_a_vm);
    tcase_add_test(tests, other_exceptions_halt);
}

int main(void)
{
    return run_layer_tests("vcpu_ops", add);
}
