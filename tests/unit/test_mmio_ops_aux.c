/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(arguments_have_bounds)
{
    static const struct stuck rows[] = {
        {NULL, 0, "is_smmu_range 0x1000000000000", NULL, "addr"},
        {NULL, 0, "handle_host_mmio 0x1000000000000 0 0", NULL, "addr"},
        {NULL, 0, "handle_host_mmio 0 2 0", NULL, "is_smmu("},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("halt", true);
    assert_each_stuck(rows, COUNT(rows));
    assert_skips("handle_host_mmio 0 0 0");
    ck_assert_uint_eq(call("is_smmu_range 0"), 0xffffffff);
}
END_TEST

START_TEST(an_access_needs_the_lock_and_a_vcpu_of_the_host)
{
    assert_stuck("handle_host_mmio 0 0 0", "lock_status");
    set("lock.4", FH_LOCK_OWN);
    set("cur_vcpuid", 8);
    assert_stuck("handle_host_mmio 0 0 0", "is_vcpu");
}
END_TEST

START_TEST(the_number_of_smmus_is_bounded_as_if_it_were_an_index)
{
    set("smmu_conf.smmu_num", 2);
    assert_stuck("is_smmu_range 0", "smmu_num");
    set("halt", true);
    ck_assert_uint_eq(call("is_smmu_range 0"), 0xffffffff);
    use_profile(&fh_profile_sekvm_4_18); /* which has two */
    set("smmu_conf.smmu_num", 2);
    call("is_smmu_range 0");
    set("smmu_conf.smmu_num", 3);
    assert_stuck("is_smmu_range 0", "smmu_num");
}
END_TEST

START_TEST(registers_of_smmus_lie_within_the_address_space)
{
    set("smmu_conf.smmu_num", 1);
    set("smmu_conf.smmu_phys_base.0", 0x1000000000000);
    assert_stuck("is_smmu_range 0", "is_addr_sum(k, base, size)");
    set("smmu_conf.smmu_phys_base.0", 0xfffffffff000);
    set("smmu_conf.smmu_size.0", 0x1000);
    assert_stuck("is_smmu_range 0", "is_addr_sum(k, base, size)");
    set("smmu_conf.smmu_size.0", 0xfff);
    ck_assert_uint_eq(call("is_smmu_range 0xfffffffff000"), 0);
    ck_assert_uint_eq(call("is_smmu_range 0xffffffffffff"), 0xffffffff);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, arguments_have_bounds);
    tcase_add_test(tests, an_access_needs_the_lock_and_a_vcpu_of_the_host);
    tcase_add_test(tests, the_number_of_smmus_is_bounded_as_if_it_were_an_index);
    tcase_add_test(tests, registers_of_smmus_lie_within_the_address_space);
}

int main(void)
{
    return run_layer_tests("mmio_ops_aux", add);
}
