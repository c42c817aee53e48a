/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(arguments_have_bounds)
{
    static const struct stuck rows[] = {
        {NULL, 0, "clear_vm_stage2_range 1 0x1000000000000 0", NULL, "start"},
        {NULL, 0, "clear_vm_stage2_range 1 0 0x1000000000000", NULL, "size"},
        {NULL, 0, "el2_arm_lpae_map 0x10000000000 0 0 0 0", NULL, "is_smmu_addr"},
        {NULL, 0, "el2_arm_lpae_map 0 0x10000000000 0 0 0", NULL, "is_paddr"},
        {NULL, 0, "el2_arm_lpae_map 0 0 0x1000 0 0", NULL, "phys_page"},
        {NULL, 0, "el2_arm_lpae_map 0 0 0x7fffffffffffffff 0 0", NULL, "phys_page"},
        {NULL, 0, "el2_arm_lpae_map 0 0 0x7fff000000000000 2 2", "MmioOps.smmu_assign_page",
         "is_smmu("},
        {NULL, 0, "kvm_phys_addr_ioremap 1 0x1000000000000 0 0", NULL, "gpa"},
        {NULL, 0, "kvm_phys_addr_ioremap 1 0 0x10000000000 0", NULL, "pa"},
        {NULL, 0, "kvm_phys_addr_ioremap 1 0 0 0x1000000000000", NULL, "size"},
        {NULL, 0, "kvm_phys_addr_ioremap 1 0xffffffffffff 0 1", NULL, "gpa + num)"},
        {NULL, 0, "kvm_phys_addr_ioremap 17 0 0 1", NULL, "is_vmid"},
        {NULL, 0, "kvm_phys_addr_ioremap 1 0xfffffffff000 0 0x2000", NULL, "gpa + (num - 1)"},
        {NULL, 0, "kvm_phys_addr_ioremap 1 0 0xfffffff000 0x2000", NULL, "pa + (num - 1)"},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("halt", true);
    assert_each_stuck(rows, COUNT(rows));
    assert_skips("kvm_phys_addr_ioremap 1 0 0 0x2000");
    assert_skips("clear_vm_stage2_range 1 0 0");
}
END_TEST

START_TEST(permissions_of_an_smmu_page_are_below_2_to_the_63_less_1)
{
    assert_stuck_in("el2_arm_lpae_map 0 0 0x8000000000000000 0 0", "MmioRaw.smmu_init_pte", "prot");
}
END_TEST

START_TEST(mapping_nothing_asks_for_no_vm)
{
    assert_skips("kvm_phys_addr_ioremap 17 0 0 0");
}
END_TEST

START_TEST(a_range_of_devices_has_a_limit)
{
    use_loop_limit(1);
    assert_too_long("kvm_phys_addr_ioremap 1 0 0 0x1001", "num <= loop_limit");
}
END_TEST

START_TEST(mapping_devices_ends_with_a_halt)
{
    /* VM 1 is not READY. */
    assert_halts("kvm_phys_addr_ioremap 1 0 0 0x2000");
    ck_assert_uint_eq(get("lock.23"), FH_LOCK_OWN);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, arguments_have_bounds);
    tcase_add_test(tests, permissions_of_an_smmu_page_are_below_2_to_the_63_less_1);
    tcase_add_test(tests, mapping_nothing_asks_for_no_vm);
    tcase_add_test(tests, a_range_of_devices_has_a_limit);
    tcase_add_test(tests, mapping_devices_ends_with_a_halt);
}

int main(void)
{
    return run_layer_tests("mem_handler", add);
}
