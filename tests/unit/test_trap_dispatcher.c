/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

static void host_calls(uint64_t number, uint64_t x1, uint64_t x2, uint64_t x3, uint64_t x4)
{
    set("halt", false);
    set("shadow_ctxts.0.ctxt_regs.x0", number);
    set("shadow_ctxts.0.ctxt_regs.x1", x1);
    set("shadow_ctxts.0.ctxt_regs.x2", x2);
    set("shadow_ctxts.0.ctxt_regs.x3", x3);
    set("shadow_ctxts.0.ctxt_regs.x4", x4);
}

START_TEST(the_current_context_has_numbers_in_range)
{
    static const struct stuck rows[] = {
        {"cur_vmid", 17, "host_hvc_dispatcher", NULL, "is_vmid"},
        {"cur_vcpuid", 8, "host_hvc_dispatcher", NULL, "is_vcpu"},
        {"cur_vcpuid", UINT64_MAX, "host_hvc_dispatcher", NULL, "is_vcpu"},
        {NULL, 0, "vm_exit_dispatcher 17 0", "AbstractMachine.get_shadow_ctxt", "is_vmid"},
        {NULL, 0, "vm_exit_dispatcher 1 8", "AbstractMachine.get_shadow_ctxt", "is_vcpu"},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("cur_vmid", 17);
    set("cur_vcpuid", 8);
    set("halt", true);
    assert_skips("host_hvc_dispatcher");
}
END_TEST

START_TEST(the_body_maps_devices_within_48_and_40_bits)
{
    const uint64_t ioremap = fh_state_profile(machine)->HVC_PHYS_ADDR_IOREMAP;
    use_kind(&fh_machine_bodies);
    host_calls(ioremap, 1, 0, 0, 0);
    call("host_hvc_dispatcher");
    ck_assert_uint_eq(get("halt"), false);
    host_calls(ioremap, 17, 0, 0, 0);
    assert_halts("host_hvc_dispatcher");
    host_calls(ioremap, 1, 0xfffffffff000, 0, 0x1000);
    assert_halts("host_hvc_dispatcher");
    host_calls(ioremap, 1, 0, 0xfffffff000, 0x1000);
    assert_halts("host_hvc_dispatcher");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, the_current_context_has_numbers_in_range);
    tcase_add_test(tests, the_body_maps_devices_within_48_and_40_bits);
}

int main(void)
{
    return run_layer_tests("trap_dispatcher", add);
}
