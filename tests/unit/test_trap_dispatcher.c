/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

#include <string.h>

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

/* "x[1]" among the names of a panic's values; it stands in the condition, too. */
static bool names_register(const char *name, const char *condition, unsigned *n)
{
    const char text[] = {'x', '[', name[0] && name[1] ? name[2] : ' ', ']', '\0'};
    *n = (unsigned)(text[2] - '0');
    if (strncmp(name, text, sizeof text - 1) != 0)
        return false;
    ck_assert_msg(strstr(condition, text) != NULL, "%s is not in %s", text, condition);
    return true;
}

START_TEST(a_panic_tells_the_arguments_of_the_call_that_it_refuses)
{
    unsigned told = 0;
    for (uint64_t number = 0; number < 64; number++) {
        host_calls(number, 0x10000000011, 0x10000000022, 0x10000000033, 0x10000000044);
        set("shadow_ctxts.0.ctxt_regs.x5", 0x10000000055);
        uint64_t ignored = 0;
        const enum fh_status status =
            fh_invoke(machine, fh_function_find("host_hvc_dispatcher"), NULL, 0, &ignored);
        if (status != FH_OK || !get("halt"))
            continue;
        const struct fh_panic panic = fh_state_panic(machine);
        const char *name = panic.names;
        for (unsigned i = 0; i < panic.nvalues; i++) {
            unsigned n;
            if (names_register(name, panic.condition, &n)) {
                ck_assert_uint_eq(panic.values[i], 0x10000000000 + 0x11 * n);
                told++;
            }
            name = strchr(name, ',') ? strchr(name, ',') + 2 : "";
        }
    }
    ck_assert_uint_gt(told, 10);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_panic_tells_the_arguments_of_the_call_that_it_refuses);
    tcase_add_test(tests, the_current_context_has_numbers_in_range);
    tcase_add_test(tests, the_body_maps_devices_within_48_and_40_bits);
}

int main(void)
{
    return run_layer_tests("trap_dispatcher", add);
}
