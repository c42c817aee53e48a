/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(arguments_have_bounds)
{
    static const struct stuck rows[] = {
        {NULL, 0, "clear_vm_range 1 0x10000000 0", NULL, "is_pfn(k, pfn)"},
        {NULL, 0, "clear_vm_range 1 0 0x10000000", NULL, "is_pfn(k, num)"},
        {NULL, 0, "clear_vm_range 17 0 1", NULL, "is_vmid"},
        {NULL, 0, "clear_vm_range 1 0xfffffff 2", NULL, "wide_add(pfn, num - 1)"},
        {NULL, 0, "prot_and_map_vm_s2pt 17 0 0 3", NULL, "is_vmid"},
        {NULL, 0, "prot_and_map_vm_s2pt 1 0x1000000000000 0 3", NULL, "is_addr"},
        {NULL, 0, "prot_and_map_vm_s2pt 1 0 0xffffe01000 2", NULL, "PMD_PAGE_NUM"},
        {NULL, 0, "grant_stage2_sg_gpa 0 0 0", "MemoryOps.share_range", "is_vm("},
        {NULL, 0, "grant_stage2_sg_gpa 1 0x1000000000000 0", "MemoryOps.share_range",
         "is_addr(k, addr)"},
        {NULL, 0, "revoke_stage2_sg_gpa 1 0 0x1000000000000", "MemoryOps.share_range",
         "is_addr(k, size)"},
        {NULL, 0, "revoke_stage2_sg_gpa 1 0xfffffffff000 0x1001", "MemoryOps.share_range",
         "pages - 1"},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("halt", true);
    assert_each_stuck(rows, COUNT(rows));
    assert_skips("clear_vm_range 1 0 2");
    assert_skips("grant_stage2_sg_gpa 1 0 0x2000");
}
END_TEST

START_TEST(clearing_no_pages_asks_for_no_vm)
{
    assert_skips("clear_vm_range 17 0 0");
}
END_TEST

START_TEST(ranges_have_a_limit)
{
    use_loop_limit(1);
    assert_too_long("clear_vm_range 1 0 2", "num <= loop_limit");
    assert_ends_in("grant_stage2_sg_gpa 1 0 0x1001", FH_LIMIT, "MemoryOps.share_range",
                   "pages <= loop_limit");
}
END_TEST

START_TEST(the_body_of_clear_vm_page_ends_a_range_when_it_halts)
{
    /* The host has page 2 as part of a block, from which no single page can be taken. */
    use_kind(&fh_machine_bodies);
    set("shared.s2page.2.s2_owner", 1);
    set("shared.s2page.3.s2_owner", 1);
    set("shared.npts.0.pt.2.pfn", 2);
    set("shared.npts.0.pt.2.level", 2);
    set("shared.npts.0.pt.2.pte", 0x2001);
    set("shared.npts.0.pgd_t.0", true);
    set("shared.npts.0.pud_t.0.0", true);
    assert_halts("clear_vm_range 1 2 2");
    ck_assert_uint_eq(get("shared.s2page.3.s2_owner"), 1);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, arguments_have_bounds);
    tcase_add_test(tests, clearing_no_pages_asks_for_no_vm);
    tcase_add_test(tests, ranges_have_a_limit);
    tcase_add_test(tests, the_body_of_clear_vm_page_ends_a_range_when_it_halts);
}

int main(void)
{
    return run_layer_tests("memory_ops", add);
}
