/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

#include <string.h>

START_TEST(arguments_have_bounds)
{
    static const char *const calls[] = {"reset_sys_regs", "sync_dirty_to_shadow",
                                        "prep_wfx",       "prep_hvc",
                                        "prep_abort",     "update_exception_gp_regs"};
    static const struct stuck rows[] = {
        {NULL, 0, "reset_gp_regs 17 0", NULL, "is_vmid"},
        {NULL, 0, "reset_gp_regs 1 8", NULL, "is_vcpu"},
        {NULL, 0, "post_handle_shadow_s2pt_fault 0 0 0", NULL, "is_vm("},
        {NULL, 0, "post_handle_shadow_s2pt_fault 1 8 0", NULL, "is_vcpu"},
    };
    for (int halt = 0; halt <= 1; halt++) {
        set("halt", (uint64_t)halt);
        assert_each_stuck(rows, COUNT(rows));
        for (size_t i = 0; i < COUNT(calls); i++) {
            static const char *const arguments[][2] = {
                {" 0 0", "is_vm("}, {" 16 0", "is_vm("}, {" 1 8", "is_vcpu"}};
            for (size_t j = 0; j < COUNT(arguments); j++) {
                char text[64] = "";
                assert_stuck(strcat(strcat(text, calls[i]), arguments[j][0]), arguments[j][1]);
            }
        }
    }
}
END_TEST

START_TEST(a_halted_machine_does_nothing)
{
    static const char *const calls[] = {"reset_sys_regs 1 0",
                                        "sync_dirty_to_shadow 1 0",
                                        "prep_wfx 1 0",
                                        "prep_hvc 1 0",
                                        "prep_abort 1 0",
                                        "update_exception_gp_regs 1 0",
                                        "post_handle_shadow_s2pt_fault 1 0 0x1000"};
    set("shadow_ctxts.8.ctxt_states.dirty", 7);
    set("shadow_ctxts.8.ctxt_regs.x0", 0x84000008); /* SYSTEM_OFF */
    set("halt", true);
    for (size_t i = 0; i < COUNT(calls); i++)
        assert_skips(calls[i]);
}
END_TEST

START_TEST(a_vcpu_without_a_boot_image_halts)
{
    assert_halts("reset_gp_regs 1 0");
}
END_TEST

START_TEST(an_abort_beyond_the_guest_pages_is_stuck)
{
    set("shadow_ctxts.8.ctxt_regs.hpfar_el2", 0x10000000000);
    assert_stuck_in("prep_abort 1 0", "VCPUOpsAux.prepare_abort", "hpfar");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, arguments_have_bounds);
    tcase_add_test(tests, a_halted_machine_does_nothing);
    tcase_add_test(tests, a_vcpu_without_a_boot_image_halts);
    tcase_add_test(tests, an_abort_beyond_the_guest_pages_is_stuck);
}

int main(void)
{
    return run_layer_tests("vcpu_ops_aux", add);
}
