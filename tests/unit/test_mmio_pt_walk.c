/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(walking_needs_the_lock_unless_the_machine_is_halted)
{
    static const struct stuck rows[] = {
        {NULL, 0, "walk_smmu_pgd 0x10000 0 0", NULL, "lock_status"},
        {NULL, 0, "walk_smmu_pmd 0x110003 0 0", NULL, "lock_status"},
        {NULL, 0, "walk_smmu_pte 0x210003 0", NULL, "lock_status"},
        {NULL, 0, "set_smmu_pte 0x210003 0 1", "AbstractMachine.smmu_pt_store", "lock_status"},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("halt", true);
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_skips(rows[i].call);
}
END_TEST

START_TEST(the_pool_of_tables_begins_behind_the_root_tables)
{
    set("lock.3", FH_LOCK_OWN);
    set("shared.spts.spt_pgd_next", 0x10000); /* where alloc_smmu_pgd_page would go on */
    assert_stuck("walk_smmu_pgd 0x10000 0 1", "SMMU_PGD_START");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, walking_needs_the_lock_unless_the_machine_is_halted);
    tcase_add_test(tests, the_pool_of_tables_begins_behind_the_root_tables);
}

int main(void)
{
    return run_layer_tests("mmio_pt_walk", add);
}
