/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(arguments_have_bounds)
{
    static const struct stuck rows[] = {
        {NULL, 0, "map_page_host 0x10000000000", NULL, "is_paddr"},
        {NULL, 0, "clear_vm_page 17 0", NULL, "is_vmid"},
        {NULL, 0, "clear_vm_page 1 0x10000000", NULL, "is_pfn"},
        {NULL, 0, "assign_pfn_to_vm 17 0 0", NULL, "is_vmid"},
        {NULL, 0, "assign_pfn_to_vm 1 0x1000000000 0", NULL, "is_gfn"},
        {NULL, 0, "assign_pfn_to_vm 1 0 0x10000000", NULL, "is_pfn"},
        {NULL, 0, "map_pfn_vm 17 0 0 3", "NPTOps.map_s2pt", "is_vmid"},
        {NULL, 0, "map_vm_io 17 0 0", NULL, "is_vmid"},
        {NULL, 0, "map_vm_io 1 0x1000000000000 0", NULL, "is_addr(k, gpa)"},
        {NULL, 0, "map_vm_io 1 0 0x1000000000000", NULL, "is_addr(k, pa)"},
        {NULL, 0, "grant_vm_page 17 0", NULL, "is_vmid"},
        {NULL, 0, "grant_vm_page 1 0x10000000", NULL, "is_pfn"},
        {NULL, 0, "revoke_vm_page 17 0", NULL, "is_vmid"},
        {NULL, 0, "revoke_vm_page 1 0x10000000", NULL, "is_pfn"},
        {NULL, 0, "assign_pfn_to_smmu 17 0 0", NULL, "is_vmid"},
        {NULL, 0, "assign_pfn_to_smmu 1 0x1000000000 0", NULL, "is_gfn"},
        {NULL, 0, "assign_pfn_to_smmu 1 0 0x10000000", NULL, "is_pfn"},
        {NULL, 0, "update_smmu_page 17 0 0 0 0", NULL, "is_vmid"},
        {NULL, 0, "update_smmu_page 1 0 2 0 0", NULL, "is_smmu("},
        {NULL, 0, "update_smmu_page 1 8 0 0 0", NULL, "is_smmu_cfg"},
        {NULL, 0, "update_smmu_page 1 0 0 0x10000000000 0", NULL, "is_smmu_addr"},
        {NULL, 0, "unmap_smmu_page 0 2 0", NULL, "is_smmu("},
        {NULL, 0, "unmap_smmu_page 8 0 0", NULL, "is_smmu_cfg"},
        {NULL, 0, "unmap_smmu_page 0 0 0x10000000000", NULL, "is_smmu_addr"},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("halt", true);
    assert_each_stuck(rows, COUNT(rows));
}
END_TEST

START_TEST(locks_that_may_be_needed_are_demanded)
{
    static const struct stuck rows[] = {
        {"lock.5", FH_LOCK_OWN, "map_page_host 0", NULL, "host_table"},
        {"lock.5", FH_LOCK_OWN, "assign_pfn_to_vm 1 0 0", NULL, "host_table"},
        {"lock.6", FH_LOCK_OWN, "map_vm_io 1 0 0", NULL, "NPT_ID + vmid"},
        {"lock.5", FH_LOCK_OWN, "revoke_vm_page 1 0", NULL, "host_table"},
        {"lock.5", FH_LOCK_OWN, "assign_pfn_to_smmu 1 0 0", NULL, "host_table"},
        {"lock.3", FH_LOCK_OWN, "update_smmu_page 1 0 0 0 0", NULL, "SPT_ID"},
        {"lock.2", FH_LOCK_OWN, "grant_vm_page 1 0", "Locks.acquire", "FREE"},
    };
    assert_each_stuck(rows, COUNT(rows));
}
END_TEST

START_TEST(a_halted_machine_does_nothing_whatever_locks_are_taken)
{
    static const char *const calls[] = {
        "map_page_host 0",      "clear_vm_page 1 0",        "assign_pfn_to_vm 1 0 0",
        "map_pfn_vm 1 0 0 3",   "map_vm_io 1 0 0",          "grant_vm_page 1 0",
        "revoke_vm_page 1 0",   "assign_pfn_to_smmu 1 0 0", "update_smmu_page 1 0 0 0 0",
        "unmap_smmu_page 0 0 0"};
    set("lock.2", FH_LOCK_OWN);
    set("lock.3", FH_LOCK_OWN);
    set("lock.5", FH_LOCK_OWN);
    set("lock.6", FH_LOCK_OWN);
    set("halt", true);
    for (size_t i = 0; i < COUNT(calls); i++)
        assert_skips(calls[i]);
}
END_TEST

START_TEST(what_another_cpu_did_to_page_ownership_decides)
{
    /* Another CPU gave page 7, still the host's here, to VM 2. */
    set("shared.s2page.7.s2_owner", 0);
    set("shared.s2page.7.s2_count", 0);
    other_cpu_did(2, FH_EVENT_WAIT_LOCK, 10);
    other_cpu_did(2, FH_EVENT_OPULL, 2);
    other_cpu_did(2, FH_EVENT_OS2_PAGE, 0);
    set_in_last_event("7.s2_owner", 2);
    other_cpu_did(2, FH_EVENT_REL_LOCK, 0);
    assert_halts("assign_pfn_to_vm 1 0 7");
    ck_assert_uint_eq(get("shared.s2page.7.s2_owner"), 2);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, arguments_have_bounds);
    tcase_add_test(tests, locks_that_may_be_needed_are_demanded);
    tcase_add_test(tests, a_halted_machine_does_nothing_whatever_locks_are_taken);
    tcase_add_test(tests, what_another_cpu_did_to_page_ownership_decides);
}

int main(void)
{
    return run_layer_tests("mem_manager", add);
}
