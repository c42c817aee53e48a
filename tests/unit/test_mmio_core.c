/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(arguments_have_bounds)
{
    static const struct stuck rows[] = {
        {NULL, 0, "handle_smmu_write 0 0x1000000000000 4 0", NULL, "is_addr"},
        {NULL, 0, "handle_smmu_write 0 0 4 2", NULL, "is_smmu("},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("halt", true);
    assert_each_stuck(rows, COUNT(rows));
    assert_skips("handle_smmu_write 0 0 4 0");
    assert_skips("handle_smmu_read 0 0 4");
}
END_TEST

START_TEST(an_access_needs_the_lock_and_a_vcpu_of_the_host)
{
    assert_stuck("handle_smmu_write 0 0 4 0", "lock_status");
    set("lock.4", FH_LOCK_OWN);
    set("cur_vcpuid", 8);
    assert_stuck("handle_smmu_write 0 0 4 0", "is_vcpu");
    assert_stuck_in("handle_smmu_read 0 0 4", "MmioCoreAux.__handle_smmu_read", "is_vcpu");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, arguments_have_bounds);
    tcase_add_test(tests, an_access_needs_the_lock_and_a_vcpu_of_the_host);
}

int main(void)
{
    return run_layer_tests("mmio_core", add);
}
