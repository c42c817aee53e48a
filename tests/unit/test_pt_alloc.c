/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

/* The pools of VM 0: pgds from 0x11000, puds from 0x111000, pmds from 0x911000 to 0x2010000. */

START_TEST(tables_are_for_vms_that_exist)
{
    static const struct stuck rows[] = {
        {NULL, 0, "alloc_pgd_page 17", NULL, "is_vmid"},
        {NULL, 0, "alloc_pud_page 17", NULL, "is_vmid"},
        {NULL, 0, "alloc_pmd_page 17", NULL, "is_vmid"},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("halt", true);
    assert_each_stuck(rows, COUNT(rows));
    assert_skips("alloc_pgd_page 0");
    assert_skips("alloc_pud_page 0");
    assert_skips("alloc_pmd_page 0");
}
END_TEST

START_TEST(the_next_table_is_in_its_pool)
{
    static const struct stuck rows[] = {
        {"shared.npts.0.pt_pgd_next", 0x10fff, "alloc_pgd_page 0", NULL, "next"},
        {"shared.npts.0.pt_pgd_next", 0x111001, "alloc_pgd_page 0", NULL, "next"},
        {"shared.npts.0.pt_pud_next", 0x110fff, "alloc_pud_page 0", NULL, "next"},
        {"shared.npts.0.pt_pud_next", 0x911001, "alloc_pud_page 0", NULL, "next"},
        {"shared.npts.0.pt_pmd_next", 0x910fff, "alloc_pmd_page 0", NULL, "next"},
        {"shared.npts.0.pt_pmd_next", 0x2010001, "alloc_pmd_page 0", NULL, "next"},
    };
    set("lock.5", FH_LOCK_OWN);
    assert_each_stuck(rows, COUNT(rows));
}
END_TEST

START_TEST(a_pool_gives_its_last_page_and_then_halts)
{
    set("lock.5", FH_LOCK_OWN);
    set("shared.npts.0.pt_pud_next", 0x910000);
    ck_assert_uint_eq(call("alloc_pud_page 0"), 0x910000);
    ck_assert_uint_eq(get("shared.npts.0.pt_pud_next"), 0x911000);
    assert_halts("alloc_pud_page 0");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, tables_are_for_vms_that_exist);
    tcase_add_test(tests, the_next_table_is_in_its_pool);
    tcase_add_test(tests, a_pool_gives_its_last_page_and_then_halts);
}

int main(void)
{
    return run_layer_tests("pt_alloc", add);
}
