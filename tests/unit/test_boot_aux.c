/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

#include <stdio.h>

START_TEST(arguments_have_bounds)
{
    static const struct stuck rows[] = {
        {NULL, 0, "unmap_and_load_vm_image 1 0x1000000000000 0 1", NULL, "target_addr"},
        {NULL, 0, "unmap_and_load_vm_image 1 0 0x1000000000000 1", NULL, "remap_addr"},
        {NULL, 0, "unmap_and_load_vm_image 1 0 0 0x1000000000", NULL, "is_gfn"},
        {NULL, 0, "unmap_and_load_vm_image 0 0 0 1", NULL, "is_vm("},
        {NULL, 0, "unmap_and_load_vm_image 16 0 0 1", NULL, "is_vm("},
        /* The second block of 2 MiB would begin beyond the address space. */
        {NULL, 0, "unmap_and_load_vm_image 1 0xffffffe00000 0 1024", NULL, "is_addr(k, last)"},
        {NULL, 0, "unmap_and_load_vm_image 1 0 0xffffffe00000 1024", NULL, "remap_addr + "},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("halt", true);
    assert_each_stuck(rows, COUNT(rows));
    assert_skips("unmap_and_load_vm_image 1 0 0 1024");
}
END_TEST

START_TEST(an_image_that_is_not_there_halts_at_its_first_block)
{
    assert_halts("unmap_and_load_vm_image 1 0 0x2000000 1024");
    ck_assert_uint_eq(get("lock.21"), FH_LOCK_FREE); /* the table was given back before */
}
END_TEST

static void set_number(const char *format, unsigned number, uint64_t value)
{
    char place[64];
    snprintf(place, sizeof place, format, number);
    set(place, value);
}

START_TEST(an_image_of_two_blocks_is_loaded_block_by_block)
{
    enum { PAGES = 512 };
    /* KCore has the blocks from page 0x200 on, the host's, at 0x2000000. */
    for (unsigned i = 0; i < 2 * PAGES; i++) {
        set_number("shared.npts.16.pt.%u.pte", 0x2000 + i, (0x200000 + i * 0x1000) | 3);
        set_number("shared.npts.16.pt.%u.pfn", 0x2000 + i, 0x200 + i);
        set_number("shared.npts.16.pt.%u.level", 0x2000 + i, 3);
        set_number("shared.s2page.%u.s2_owner", 0x200 + i, 0);
    }
    call("unmap_and_load_vm_image 1 0 0x2000000 1024");
    ck_assert_uint_eq(get("halt"), false);
    ck_assert_uint_eq(get("shared.npts.1.pt.0.pfn"), 0x200);
    ck_assert_uint_eq(get("shared.npts.1.pt.0.level"), 2);
    ck_assert_uint_eq(get("shared.npts.1.pt.0x200.pfn"), 0x400);
    ck_assert_uint_eq(get("shared.s2page.0x5ff.s2_owner"), 1);
    ck_assert_uint_eq(get("shared.s2page.0x5ff.s2_gfn"), 0x3ff);
}
END_TEST

START_TEST(an_image_without_pages_is_loaded)
{
    assert_skips("unmap_and_load_vm_image 1 0x200000 0 0");
}
END_TEST

START_TEST(the_number_of_blocks_has_a_limit)
{
    use_loop_limit(1);
    assert_too_long("unmap_and_load_vm_image 1 0 0 1024", "blocks <= loop_limit");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, arguments_have_bounds);
    tcase_add_test(tests, an_image_that_is_not_there_halts_at_its_first_block);
    tcase_add_test(tests, an_image_of_two_blocks_is_loaded_block_by_block);
    tcase_add_test(tests, an_image_without_pages_is_loaded);
    tcase_add_test(tests, the_number_of_blocks_has_a_limit);
}

int main(void)
{
    return run_layer_tests("boot_aux", add);
}
