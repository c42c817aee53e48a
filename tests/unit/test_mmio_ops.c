/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

#define BEYOND_32 0x100000000

START_TEST(arguments_have_bounds)
{
    static const struct stuck rows[] = {
        {NULL, 0, "emulate_mmio 0x1000000000000 0", NULL, "is_addr"},
        {"cur_vcpuid", 8, "emulate_mmio 0 0", NULL, "is_vcpu"},
        {"cur_vcpuid", UINT64_MAX, "emulate_mmio 0 0", NULL, "is_vcpu"},
        {NULL, 0, "el2_free_smmu_pgd 0 2", NULL, "is_smmu("},
        {NULL, 0, "el2_free_smmu_pgd 8 0", NULL, "is_smmu_cfg"},
        {NULL, 0, "el2_alloc_smmu_pgd 0 17 0", NULL, "is_vmid"},
        {NULL, 0, "el2_alloc_smmu_pgd 0 1 2", NULL, "is_smmu("},
        {NULL, 0, "el2_alloc_smmu_pgd 8 1 0", NULL, "is_smmu_cfg"},
        {NULL, 0, "smmu_assign_page 0 2 0 0", NULL, "is_smmu("},
        {NULL, 0, "smmu_assign_page 8 0 0 0", NULL, "is_smmu_cfg"},
        {NULL, 0, "smmu_assign_page 0 0 0 0x1000000000", NULL, "is_gfn"},
        {NULL, 0, "smmu_assign_page 0 0 0x10000000 0", NULL, "is_pfn"},
        {NULL, 0, "smmu_map_page 0 2 0 0", NULL, "is_smmu("},
        {NULL, 0, "smmu_map_page 8 0 0 0", NULL, "is_smmu_cfg"},
        {NULL, 0, "smmu_map_page 0 0 0x10000000000 0", NULL, "is_smmu_addr"},
        {NULL, 0, "el2_arm_lpae_clear 0 0 2", NULL, "is_smmu("},
        {NULL, 0, "el2_arm_lpae_clear 0 8 0", NULL, "is_smmu_cfg"},
        {NULL, 0, "el2_arm_lpae_clear 0x10000000000 0 0", NULL, "is_smmu_addr"},
        {NULL, 0, "el2_arm_lpae_iova_to_phys 0x10000000000 0 0", "MmioSPTOps.walk_spt",
         "is_smmu_addr"},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("halt", true);
    assert_each_stuck(rows, COUNT(rows));
}
END_TEST

START_TEST(a_halted_machine_does_nothing_whatever_locks_are_taken)
{
    static const char *const calls[] = {"emulate_mmio 0 0",
                                        "el2_free_smmu_pgd 0 0",
                                        "el2_alloc_smmu_pgd 0 1 0",
                                        "smmu_assign_page 0 0 0 0",
                                        "smmu_map_page 0 0 0 0",
                                        "el2_arm_lpae_clear 0 0 0",
                                        "el2_arm_lpae_iova_to_phys 0x123 0 0"};
    set("lock.3", FH_LOCK_OWN);
    set("lock.4", FH_LOCK_OWN);
    set("halt", true);
    for (size_t i = 0; i < COUNT(calls); i++)
        assert_skips(calls[i]);
}
END_TEST

START_TEST(kcore_reads_32_bits_of_an_owner_of_a_bank)
{
    static const struct stuck rows[] = {
        {"shared.smmu_vmid.1", BEYOND_32, "el2_free_smmu_pgd 1 0", "MmioOps.owner_of", "owner"},
        {"shared.smmu_vmid.1", BEYOND_32, "el2_alloc_smmu_pgd 1 1 0", "MmioOps.owner_of", "owner"},
        {"shared.smmu_vmid.1", BEYOND_32, "smmu_assign_page 1 0 0 0", "MmioOps.owner_of", "owner"},
        {"shared.smmu_vmid.1", BEYOND_32, "smmu_map_page 1 0 0 0", "MmioOps.owner_of", "owner"},
        {"shared.smmu_vmid.1", BEYOND_32, "el2_arm_lpae_clear 0 1 0", "MmioOps.owner_of", "owner"},
        {"smmu_conf.smmu_dev_context_banks.0", BEYOND_32, "el2_alloc_smmu_pgd 1 1 0",
         "MmioOps.banks_of", "banks"},
    };
    set("smmu_conf.smmu_dev_context_banks.0", 8);
    assert_each_stuck(rows, COUNT(rows));
}
END_TEST

START_TEST(the_body_of_el2_alloc_smmu_pgd_reads_no_banks_when_halted)
{
    use_kind(&fh_machine_bodies);
    set("smmu_conf.smmu_dev_context_banks.0", BEYOND_32);
    assert_stuck_in("el2_alloc_smmu_pgd 0 1 0", "bodies.el2_alloc_smmu_pgd", "banks");
    set("halt", true);
    assert_skips("el2_alloc_smmu_pgd 0 1 0");
}
END_TEST

START_TEST(what_another_cpu_did_to_the_banks_decides)
{
    set("smmu_conf.smmu_dev_context_banks.0", 8);
    other_cpu_did(4, FH_EVENT_WAIT_LOCK, 10);
    other_cpu_did(4, FH_EVENT_OPULL, 4);
    other_cpu_did(4, FH_EVENT_OSMMU, 0);
    set_in_last_event("1", 2);
    other_cpu_did(4, FH_EVENT_REL_LOCK, 0);
    /* It belongs to VM 2 already: nothing happens to it. */
    call("el2_alloc_smmu_pgd 1 1 0");
    ck_assert_uint_eq(get("shared.smmu_vmid.1"), 2);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, arguments_have_bounds);
    tcase_add_test(tests, a_halted_machine_does_nothing_whatever_locks_are_taken);
    tcase_add_test(tests, kcore_reads_32_bits_of_an_owner_of_a_bank);
    tcase_add_test(tests, the_body_of_el2_alloc_smmu_pgd_reads_no_banks_when_halted);
    tcase_add_test(tests, what_another_cpu_did_to_the_banks_decides);
}

int main(void)
{
    return run_layer_tests("mmio_ops", add);
}
