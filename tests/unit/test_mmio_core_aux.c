/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(a_bank_must_belong_to_someone)
{
    /* ARM_SMMU_GR1_BASE is 4096; the registers of the banks have 4 bytes each, the first of which
     * is never looked at. */
    set("lock.4", FH_LOCK_OWN);
    assert_stuck_in("handle_smmu_global_access 0 4100 0", "MmioCoreAux.cbar_write_allowed",
                    "owner");
    assert_stuck_in("handle_smmu_global_access 0 4128 0", "MmioCoreAux.cbar_write_allowed",
                    "owner");
    ck_assert_uint_eq(call("handle_smmu_global_access 0 4096 0"), 1);
    set("shared.smmu_vmid.1", 0);
    ck_assert_uint_eq(call("handle_smmu_global_access 0 4100 0"), 1);
}
END_TEST

START_TEST(an_access_needs_the_lock_and_a_vcpu_of_the_host)
{
    assert_stuck("handle_smmu_global_access 0 0 0", "lock_status");
    set("cur_vcpuid", 8);
    assert_stuck("__handle_smmu_read 0 0 4", "is_vcpu");
    assert_stuck_in("__handle_smmu_write 0 0 8 0 0", "MmioRaw.host_get_mmio_data", "is_vcpu");
    set("halt", true);
    assert_skips("handle_smmu_global_access 0 0 0");
    assert_skips("__handle_smmu_read 0 0 4");
    assert_skips("__handle_smmu_write 0 0 8 0 0");
}
END_TEST

START_TEST(registers_of_banks_begin_at_0x8000)
{
    assert_stuck("handle_smmu_cb_access 0x7fff", "SMMU_GLOBAL_BASE");
    ck_assert_uint_eq(call("handle_smmu_cb_access 0x8000"), 1);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_bank_must_belong_to_someone);
    tcase_add_test(tests, an_access_needs_the_lock_and_a_vcpu_of_the_host);
    tcase_add_test(tests, registers_of_banks_begin_at_0x8000);
}

int main(void)
{
    return run_layer_tests("mmio_core_aux", add);
}
