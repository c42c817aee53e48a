/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(tables_are_those_of_vms_that_exist)
{
    static const struct stuck rows[] = {
        {NULL, 0, "walk_pgd 17 0 0 0", NULL, "is_vmid"},
        {NULL, 0, "walk_pud 17 0 0 0", NULL, "is_vmid"},
        {NULL, 0, "walk_pmd 17 0 0 0", NULL, "is_vmid"},
        {NULL, 0, "walk_pte 17 0 0", NULL, "is_vmid"},
        {NULL, 0, "set_pmd 17 0 0 0", NULL, "is_vmid"},
        {NULL, 0, "set_pte 17 0 0 0", NULL, "is_vmid"},
        {NULL, 0, "set_pte 0 0 0x1000000000000 0", NULL, "is_addr"},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("halt", true);
    assert_each_stuck(rows, COUNT(rows));
    assert_skips("walk_pgd 0 0 0 0");
    assert_skips("set_pte 0 0 0 0");
}
END_TEST

START_TEST(walking_needs_the_lock)
{
    static const struct stuck rows[] = {
        {NULL, 0, "walk_pgd 0 0x10000 0 0", NULL, "lock_status"},
        {NULL, 0, "walk_pud 0 0x11003 0 0", NULL, "lock_status"},
        {NULL, 0, "walk_pmd 0 0x111003 0 0", NULL, "lock_status"},
        {NULL, 0, "walk_pte 0 0x911003 0", NULL, "lock_status"},
    };
    assert_each_stuck(rows, COUNT(rows));
}
END_TEST

START_TEST(a_table_that_is_allocated_is_found_again)
{
    set("lock.5", FH_LOCK_OWN);
    ck_assert_uint_eq(call("walk_pgd 0 0x10000 0 0"), 0);
    ck_assert_uint_eq(call("walk_pgd 0 0x10000 0 1"), 0x11003);
    ck_assert_uint_eq(call("walk_pgd 0 0x10000 0 1"), 0x11003);
    ck_assert_uint_eq(get("shared.npts.0.pt_pgd_next"), 0x12000);
    ck_assert_uint_eq(get("shared.npts.0.pt_pgd_pool.0x10000"), 0);
    ck_assert_uint_eq(get("shared.npts.0.pt_vttbr_pool.0x10000"), 0x11003);
}
END_TEST

/* Tables of a level have a part of the pool to themselves, and each part has bounds. */
START_TEST(a_table_stands_in_the_part_of_its_level)
{
    set("lock.5", FH_LOCK_OWN);
    static const struct {
        const char *inside, *below, *above;
    } rows[] = {
        {"walk_pud 0 0x11003 0 0", "walk_pud 0 0x10003 0 0", "walk_pud 0 0x111003 0 0"},
        {"walk_pmd 0 0x111003 0 0", "walk_pmd 0 0x110003 0 0", "walk_pmd 0 0x911003 0 0"},
        {"walk_pte 0 0x911003 0", "walk_pte 0 0x910003 0", "walk_pte 0 0x2010003 0"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        ck_assert_uint_eq(call(rows[i].inside), 0);
        assert_stuck(rows[i].below, "<=");
        assert_stuck(rows[i].above, "<");
    }
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_table_stands_in_the_part_of_its_level);
    tcase_add_test(tests, tables_are_those_of_vms_that_exist);
    tcase_add_test(tests, walking_needs_the_lock);
    tcase_add_test(tests, a_table_that_is_allocated_is_found_again);
}

int main(void)
{
    return run_layer_tests("pt_walk", add);
}
