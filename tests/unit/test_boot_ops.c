/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

/* The information on VM 1: its lock is 23, its images are in boot. */
#define STATE "shared.vminfos.1.VS.vm_state"
#define VCPU_STATE "shared.vminfos.1.VS.vm_vcpu_state.0"
#define IMAGES "shared.vminfos.1.VB.vm_next_load_info"
#define LOAD_ADDR "shared.vminfos.1.VB.vm_load_addr.0"
#define LOAD_SIZE "shared.vminfos.1.VB.vm_load_size.0"
#define REMAP_ADDR "shared.vminfos.1.VB.vm_remap_addr.0"
#define MAPPED "shared.vminfos.1.VB.vm_mapped_pages.0"

enum { READY = 2, VERIFIED = 3 };

#define BEYOND_32 0x100000000
#define BEYOND_48 0x1000000000000

START_TEST(arguments_have_bounds)
{
    static const struct stuck rows[] = {
        {NULL, 0, "search_load_info 17 0", NULL, "is_vmid"},
        {NULL, 0, "set_boot_info 17 0 0", NULL, "is_vmid"},
        {NULL, 0, "set_boot_info 1 0x1000000000000 0", NULL, "is_addr(k, load_addr)"},
        {NULL, 0, "set_boot_info 1 0 0x1000000000000", NULL, "is_addr(k, size)"},
        {NULL, 0, "remap_vm_image 17 0 0", NULL, "is_vmid"},
        {NULL, 0, "remap_vm_image 1 0 5", NULL, "is_load_idx"},
        {NULL, 0, "remap_vm_image 1 0x10000000 0", NULL, "is_pfn"},
        {NULL, 0, "register_vcpu 17 0", NULL, "is_vmid"},
        {NULL, 0, "register_vcpu 1 8", NULL, "is_vcpu"},
        {NULL, 0, "set_vcpu_active 17 0", NULL, "is_vmid"},
        {NULL, 0, "set_vcpu_active 1 8", NULL, "is_vcpu"},
        {NULL, 0, "set_vcpu_inactive 17 0", NULL, "is_vmid"},
        {NULL, 0, "set_vcpu_inactive 1 8", NULL, "is_vcpu"},
        {NULL, 0, "alloc_smmu 17 0 0", NULL, "is_vmid"},
        {NULL, 0, "alloc_smmu 1 0 2", NULL, "is_smmu("},
        {NULL, 0, "alloc_smmu 1 8 0", NULL, "is_smmu_cfg"},
        {NULL, 0, "assign_smmu 17 0 0", NULL, "is_vmid"},
        {NULL, 0, "assign_smmu 1 0 0x1000000000", NULL, "is_gfn"},
        {NULL, 0, "assign_smmu 1 0x10000000 0", NULL, "is_pfn"},
        {NULL, 0, "map_smmu 17 0 0 0 0", NULL, "is_vmid"},
        {NULL, 0, "map_smmu 1 0 2 0 0", NULL, "is_smmu("},
        {NULL, 0, "map_smmu 1 8 0 0 0", NULL, "is_smmu_cfg"},
        {NULL, 0, "map_smmu 1 0 0 0x10000000000 0", NULL, "is_smmu_addr"},
        {NULL, 0, "clear_smmu 17 0 0 0", NULL, "is_vmid"},
        {NULL, 0, "clear_smmu 1 0 2 0", NULL, "is_smmu("},
        {NULL, 0, "clear_smmu 1 8 0 0", NULL, "is_smmu_cfg"},
        {NULL, 0, "clear_smmu 1 0 0 0x10000000000", NULL, "is_smmu_addr"},
        {NULL, 0, "map_io 17 0 0", NULL, "is_vmid"},
        {NULL, 0, "map_io 1 0x1000000000000 0", NULL, "is_addr(k, gpa)"},
        {NULL, 0, "map_io 1 0 0x1000000000000", NULL, "is_addr(k, pa)"},
        {NULL, 0, "load_encrypted_vcpu 17 0", "Locks.acquire_lock_vm", "is_vmid"},
        {NULL, 0, "load_encrypted_vcpu 1 8", NULL, "is_vcpu"},
        {NULL, 0, "is_inc_exe 17", "Locks.acquire_lock_vm", "is_vmid"},
        {NULL, 0, "verify_and_load_images 17", "Locks.acquire_lock_vm", "is_vmid"},
    };
    assert_each_stuck(rows, COUNT(rows));
    /* The same when halted: these look at their arguments first. */
    set("halt", true);
    assert_each_stuck(rows, COUNT(rows) - 4);
    assert_skips("load_encrypted_vcpu 17 8");
    assert_skips("is_inc_exe 17");
    assert_skips("verify_and_load_images 17");
}
END_TEST

START_TEST(a_halted_machine_does_nothing_whatever_locks_are_taken)
{
    static const char *const locks[] = {"lock.1", "lock.2",  "lock.3", "lock.5",
                                        "lock.6", "lock.21", "lock.23"};
    static const char *const calls[] = {"search_load_info 1 0",
                                        "set_boot_info 1 0 0",
                                        "remap_vm_image 1 0 0",
                                        "register_kvm",
                                        "register_vcpu 1 0",
                                        "set_vcpu_active 1 0",
                                        "set_vcpu_inactive 1 0",
                                        "is_inc_exe 1",
                                        "alloc_smmu 1 0 0",
                                        "assign_smmu 1 0 0",
                                        "map_smmu 1 0 0 0 0",
                                        "clear_smmu 1 0 0 0",
                                        "map_io 1 0 0",
                                        "save_encrypted_vcpu 1 0",
                                        "load_encrypted_vcpu 1 0",
                                        "load_decrypt_buf 1 0",
                                        "verify_and_load_images 1"};
    for (size_t i = 0; i < COUNT(locks); i++)
        set(locks[i], FH_LOCK_OWN);
    set(STATE, BEYOND_32);
    set("halt", true);
    for (size_t i = 0; i < COUNT(calls); i++)
        assert_skips(calls[i]);
}
END_TEST

START_TEST(kcore_reads_32_bits_of_states_and_counts)
{
    static const struct stuck states[] = {
        {STATE, BEYOND_32, "set_boot_info 1 0 0", NULL, "vm_state"},
        {STATE, BEYOND_32, "remap_vm_image 1 0 0", NULL, "vm_state"},
        {STATE, BEYOND_32, "verify_and_load_images 1", NULL, "vm_state"},
        {STATE, BEYOND_32, "register_kvm", NULL, "vm_state"},
        {STATE, BEYOND_32, "register_vcpu 1 0", NULL, "vm_state"},
        {STATE, BEYOND_32, "set_vcpu_active 1 0", NULL, "vm_state"},
        {STATE, BEYOND_32, "alloc_smmu 1 0 0", NULL, "vm_state"},
        {STATE, BEYOND_32, "assign_smmu 1 0 0", NULL, "vm_state"},
        {STATE, BEYOND_32, "map_smmu 1 0 0 0 0", NULL, "vm_state"},
        {STATE, BEYOND_32, "clear_smmu 1 0 0 0", NULL, "vm_state"},
        {STATE, BEYOND_32, "map_io 1 0 0", NULL, "vm_state"},
        {STATE, BEYOND_32, "load_encrypted_vcpu 1 0", NULL, "vm_state"},
        {STATE, BEYOND_32, "load_decrypt_buf 1 0", NULL, "vm_state"},
        {VCPU_STATE, BEYOND_32, "register_vcpu 1 0", NULL, "vm_vcpu_state"},
        {VCPU_STATE, BEYOND_32, "set_vcpu_active 1 0", NULL, "vm_vcpu_state"},
        {VCPU_STATE, BEYOND_32, "set_vcpu_inactive 1 0", NULL, "vm_vcpu_state"},
        {VCPU_STATE, BEYOND_32, "load_encrypted_vcpu 1 0", NULL, "vm_vcpu_state"},
        {"shared.vminfos.1.VB.vm_inc_exe", BEYOND_32, "is_inc_exe 1", NULL, "vm_inc_exe"},
    };
    static const struct stuck counts[] = {
        {IMAGES, BEYOND_32, "set_boot_info 1 0 0", NULL, "vm_next_load_info"},
        {IMAGES, BEYOND_32, "remap_vm_image 1 0 0", NULL, "vm_next_load_info"},
        {IMAGES, BEYOND_32, "verify_and_load_images 1", NULL, "vm_next_load_info"},
    };
    assert_each_stuck(states, COUNT(states));
    /* Unless the VM is READY nobody asks how many images it has. */
    set(IMAGES, BEYOND_32);
    assert_halts("set_boot_info 1 0 0");
    use_profile(NULL);
    set(STATE, READY);
    assert_each_stuck(counts, COUNT(counts));
}
END_TEST

START_TEST(locks_that_may_be_needed_are_demanded)
{
    static const struct stuck rows[] = {
        {"lock.1", FH_LOCK_OWN, "set_boot_info 1 0 0", NULL, "CORE_ID"},
        {"lock.21", FH_LOCK_OWN, "remap_vm_image 1 0 0", NULL, "COREVISOR"},
        {"lock.3", FH_LOCK_OWN, "alloc_smmu 1 0 0", NULL, "SPT_ID"},
        {"lock.2", FH_LOCK_OWN, "assign_smmu 1 0 0", NULL, "S2PAGE_ID"},
        {"lock.5", FH_LOCK_OWN, "assign_smmu 1 0 0", NULL, "HOSTVISOR"},
        {"lock.2", FH_LOCK_OWN, "map_smmu 1 0 0 0 0", NULL, "S2PAGE_ID"},
        {"lock.3", FH_LOCK_OWN, "map_smmu 1 0 0 0 0", NULL, "SPT_ID"},
        {"lock.2", FH_LOCK_OWN, "clear_smmu 1 0 0 0", NULL, "S2PAGE_ID"},
        {"lock.3", FH_LOCK_OWN, "clear_smmu 1 0 0 0", NULL, "SPT_ID"},
        {"lock.2", FH_LOCK_OWN, "map_io 1 0 0", NULL, "S2PAGE_ID"},
        {"lock.6", FH_LOCK_OWN, "map_io 1 0 0", NULL, "NPT_ID + vmid"},
        {"lock.23", FH_LOCK_OWN, "map_io 1 0 0", "Locks.acquire", "FREE"},
    };
    assert_each_stuck(rows, COUNT(rows));
}
END_TEST

START_TEST(a_lock_that_another_cpu_holds_is_not_free)
{
    other_cpu_did(6, FH_EVENT_WAIT_LOCK, 10); /* the table of VM 1 */
    assert_stuck("map_io 1 0 0", "NPT_ID + vmid");
    other_cpu_did(6, FH_EVENT_REL_LOCK, 0);
    set(STATE, READY);
    call("map_io 1 0 0");
}
END_TEST

START_TEST(search_is_stuck_at_an_image_beyond_48_bits)
{
    static const struct stuck rows[] = {
        {IMAGES, 6, "search_load_info 1 0", NULL, "MAX_LOAD_INFO_NUM"},
        {LOAD_ADDR, BEYOND_48, "search_load_info 1 0", "BootOps.load_address", "base"},
        {LOAD_SIZE, BEYOND_48, "search_load_info 1 0", "BootOps.load_address", "size"},
        {REMAP_ADDR, BEYOND_48, "search_load_info 1 0", "BootOps.load_address", "remap)"},
        {REMAP_ADDR, BEYOND_48 - 0xfff, "search_load_info 1 0", "BootOps.load_address",
         "remap + size"},
    };
    set(IMAGES, 1);
    set(LOAD_SIZE, 0x1000);
    assert_each_stuck(rows, COUNT(rows));
    set(REMAP_ADDR, BEYOND_48 - 0x1000);
    ck_assert_uint_eq(call("search_load_info 1 0xfff"), BEYOND_48 - 1);
    ck_assert_uint_eq(call("search_load_info 1 0x1000"), 0);
}
END_TEST

START_TEST(remapping_is_stuck_at_an_image_beyond_48_bits)
{
    static const struct stuck rows[] = {
        {LOAD_SIZE, BEYOND_48, "remap_vm_image 1 7 0", "BootOps.remap_page", "size"},
        {MAPPED, BEYOND_48, "remap_vm_image 1 7 0", "BootOps.remap_page", "mapped"},
        {REMAP_ADDR, BEYOND_48, "remap_vm_image 1 7 0", "BootOps.remap_page", "remap)"},
        {REMAP_ADDR, BEYOND_48 - 0x1000, "remap_vm_image 1 7 0", "BootOps.remap_page", "target"},
    };
    set(STATE, READY);
    set(IMAGES, 1);
    set(LOAD_SIZE, 0x3000);
    set(MAPPED, 1);
    set(REMAP_ADDR, 0x2000000);
    assert_each_stuck(rows, COUNT(rows));
    call("remap_vm_image 1 7 0");
    ck_assert_uint_eq(get(MAPPED), 2);
    ck_assert_uint_eq(get("shared.npts.16.pt.0x2001.pfn"), 7);
    call("remap_vm_image 1 7 0");
    call("remap_vm_image 1 7 0"); /* the image is complete */
    ck_assert_uint_eq(get(MAPPED), 3);
}
END_TEST

START_TEST(loading_is_stuck_at_an_image_beyond_48_bits_or_the_last)
{
    static const struct stuck rows[] = {
        {IMAGES, 6, "verify_and_load_images 1", "BootOps.verify_and_load", "is_load_idx"},
        {LOAD_ADDR, BEYOND_48, "verify_and_load_images 1", "BootOps.verify_and_load", "load_addr"},
        {REMAP_ADDR, BEYOND_48, "verify_and_load_images 1", "BootOps.verify_and_load", "remap"},
        {MAPPED, BEYOND_48, "verify_and_load_images 1", "BootOps.verify_and_load", "mapped"},
    };
    set(STATE, READY);
    set(IMAGES, 1);
    assert_each_stuck(rows, COUNT(rows));
    call("verify_and_load_images 1");
    ck_assert_uint_eq(get(STATE), VERIFIED);
}
END_TEST

START_TEST(an_image_that_kcore_has_not_mapped_halts_before_it_is_verified)
{
    set(STATE, READY);
    set(IMAGES, 2);
    set(MAPPED, 1);
    assert_halts("verify_and_load_images 1");
    ck_assert_uint_eq(get(STATE), READY);
    ck_assert_uint_eq(get("lock.23"), FH_LOCK_OWN);
}
END_TEST

static uint64_t signed_never(void *context, uint64_t vmid, uint64_t addr)
{
    (void)context, (void)vmid, (void)addr;
    return 0;
}

START_TEST(an_image_without_its_signature_halts)
{
    fh_state_environment(machine)->verify_img = signed_never;
    set(STATE, READY);
    set(IMAGES, 1);
    assert_halts("verify_and_load_images 1");
    ck_assert_uint_eq(get(STATE), READY);
}
END_TEST

START_TEST(the_body_of_assign_smmu_reads_32_bits_of_the_state_unless_halted)
{
    use_kind(&fh_machine_bodies);
    set(STATE, BEYOND_32);
    assert_stuck_in("assign_smmu 1 0 0", "bodies.assign_smmu", "vm_state");
    set("halt", true);
    assert_skips("assign_smmu 1 0 0");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, arguments_have_bounds);
    tcase_add_test(tests, a_halted_machine_does_nothing_whatever_locks_are_taken);
    tcase_add_test(tests, kcore_reads_32_bits_of_states_and_counts);
    tcase_add_test(tests, locks_that_may_be_needed_are_demanded);
    tcase_add_test(tests, a_lock_that_another_cpu_holds_is_not_free);
    tcase_add_test(tests, search_is_stuck_at_an_image_beyond_48_bits);
    tcase_add_test(tests, remapping_is_stuck_at_an_image_beyond_48_bits);
    tcase_add_test(tests, loading_is_stuck_at_an_image_beyond_48_bits_or_the_last);
    tcase_add_test(tests, an_image_that_kcore_has_not_mapped_halts_before_it_is_verified);
    tcase_add_test(tests, an_image_without_its_signature_halts);
    tcase_add_test(tests, the_body_of_assign_smmu_reads_32_bits_of_the_state_unless_halted);
}

int main(void)
{
    return run_layer_tests("boot_ops", add);
}
