/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

/* The pools: root tables from 0x10000, pgds from 0x110000 as the walk has it, pmds from 0x210000
 * to 0x310000. */

START_TEST(the_next_table_is_in_its_pool)
{
    static const struct stuck rows[] = {
        {"shared.spts.spt_pgd_next", 0xffff, "alloc_smmu_pgd_page", NULL, "next"},
        {"shared.spts.spt_pgd_next", 0x210001, "alloc_smmu_pgd_page", NULL, "next"},
        {"shared.spts.spt_pmd_next", 0x20ffff, "alloc_smmu_pmd_page", NULL, "next"},
        {"shared.spts.spt_pmd_next", 0x310001, "alloc_smmu_pmd_page", NULL, "next"},
    };
    set("lock.3", FH_LOCK_OWN);
    assert_each_stuck(rows, COUNT(rows));
    set("halt", true);
    assert_skips("alloc_smmu_pgd_page");
    assert_skips("alloc_smmu_pmd_page");
}
END_TEST

START_TEST(a_pool_gives_its_last_page_and_then_halts)
{
    set("lock.3", FH_LOCK_OWN);
    set("shared.spts.spt_pmd_next", 0x30f000);
    ck_assert_uint_eq(call("alloc_smmu_pmd_page"), 0x30f000);
    assert_halts("alloc_smmu_pmd_page");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, the_next_table_is_in_its_pool);
    tcase_add_test(tests, a_pool_gives_its_last_page_and_then_halts);
}

int main(void)
{
    return run_layer_tests("mmio_pt_alloc", add);
}
