/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

#include <stdio.h>
#include <string.h>

/* hlock is false for a lock that a CPU which panicked keeps: whoever needs it is stuck. */

enum { READY = 2, POWEROFF = 4 };

static void host_calls(const char *number, const uint64_t *x)
{
    uint64_t value;
    ck_assert(fh_profile_constant(fh_state_profile(machine), number, strlen(number), &value));
    set("regs.ctxt_regs.x0", value);
    set("regs.ctxt_regs.x1", x[0]);
    set("regs.ctxt_regs.x2", x[1]);
    set("regs.ctxt_regs.x3", x[2]);
    set("regs.ctxt_regs.x4", x[3]);
    set("regs.ctxt_regs.x5", x[4]);
}

static void assert_stuck_without_lock(const char *text, const char *function, unsigned lock)
{
    char place[32];
    snprintf(place, sizeof place, "shared.hlock.%u", lock);
    set(place, false);
    assert_stuck_in(text, function, "is_usable");
    set(place, true);
}

START_TEST(a_hypercall_is_stuck_at_a_lock_that_is_kept_for_ever)
{
    static const struct {
        const char *number;
        uint64_t x[5];
        const char *function;
        unsigned locks[4];
    } rows[] = {
        {"HVC_CLEAR_VM_S2_RANGE", {1, 0, 0x1000}, "TrapHandler.hvc_clear_vm_s2_range", {6}},
        {"HVC_CLEAR_VM_S2_RANGE", {1, 0, 0x1000}, "TrapHandler.clear_page", {2, 5}},
        {"HVC_PHYS_ADDR_IOREMAP", {1, 0, 0, 0x1000}, "TrapHandler.map_device_page", {23, 2, 6}},
        {"HVC_REGISTER_KVM", {0}, "TrapHandler.hvc_register_kvm", {1, 22 + 1}},
        {"HVC_REGISTER_VCPU", {1, 0}, "TrapHandler.hvc_register_vcpu", {23}},
        {"HVC_SET_BOOT_INFO", {1, 0, 0}, "TrapHandler.hvc_set_boot_info", {23, 1}},
        {"HVC_REMAP_VM_IMAGE", {1, 0, 0}, "TrapHandler.hvc_remap_vm_image", {23, 21}},
        {"HVC_VERIFY_VM_IMAGE", {1}, "TrapHandler.hvc_verify_vm_image", {23}},
        {"HVC_SMMU_FREE_PGD", {0, 0}, "TrapHandler.hvc_smmu_free_pgd", {4, 22}},
        {"HVC_SMMU_ALLOC_PGD", {0, 1, 0}, "TrapHandler.hvc_smmu_alloc_pgd", {4, 22, 3}},
        {"HVC_SMMU_LPAE_MAP", {0}, "TrapHandler.hvc_smmu_lpae_map", {4, 22, 2, 5}},
        {"HVC_SMMU_LPAE_IOVA_TO_PHYS", {0}, "TrapHandler.hvc_smmu_iova_to_phys", {3}},
        {"HVC_SMMU_CLEAR", {0}, "TrapHandler.hvc_smmu_clear", {4, 22, 2, 3}},
        {"HVC_ENCRYPT_BUF", {1, 0, 0}, "TrapHandler.hvc_encrypt_buf", {2}},
        {"HVC_DECRYPT_BUF", {1, 0}, "TrapHandler.hvc_decrypt_buf", {2, 23, 5}},
        {"HVC_LOAD_CRYPT_VCPU", {1, 0}, "TrapHandler.hvc_load_crypt_vcpu", {23}},
    };
    set("shared.vminfos.1.VS.vm_state", POWEROFF);
    set("shared.smmu_vmid.0", 0); /* the host's */
    for (size_t i = 0; i < COUNT(rows); i++) {
        host_calls(rows[i].number, rows[i].x);
        for (size_t j = 0; j < COUNT(rows[i].locks) && rows[i].locks[j]; j++)
            assert_stuck_without_lock("host_hvc_handler", rows[i].function, rows[i].locks[j]);
    }
}
END_TEST

START_TEST(loading_an_image_is_stuck_at_the_table_of_kcore)
{
    host_calls("HVC_VERIFY_VM_IMAGE", (const uint64_t[5]){1});
    set("shared.vminfos.1.VS.vm_state", READY);
    set("shared.vminfos.1.VB.vm_next_load_info", 1);
    set("shared.vminfos.1.VB.vm_mapped_pages.0", 1);
    assert_stuck_without_lock("host_hvc_handler", "TrapHandler.load_block", 21);
}
END_TEST

START_TEST(a_hypercall_has_limits)
{
    static const struct {
        const char *number;
        uint64_t x[5];
        const char *function;
    } rows[] = {
        {"HVC_CLEAR_VM_S2_RANGE", {1, 0, 0x2000}, "TrapHandler.hvc_clear_vm_s2_range"},
        {"HVC_PHYS_ADDR_IOREMAP", {1, 0, 0, 0x1001}, "TrapHandler.hvc_phys_addr_ioremap"},
    };
    use_loop_limit(1);
    set("shared.vminfos.1.VS.vm_state", POWEROFF);
    for (size_t i = 0; i < COUNT(rows); i++) {
        host_calls(rows[i].number, rows[i].x);
        assert_ends_in("host_hvc_handler", FH_LIMIT, rows[i].function, "pages <= loop_limit");
    }
    host_calls("HVC_VERIFY_VM_IMAGE", (const uint64_t[5]){1});
    set("shared.vminfos.1.VS.vm_state", READY);
    set("shared.vminfos.1.VB.vm_next_load_info", 2);
    assert_ends_in("host_hvc_handler", FH_LIMIT, "TrapHandler.hvc_verify_vm_image", "images");
    set("shared.vminfos.1.VB.vm_next_load_info", 1);
    set("shared.vminfos.1.VB.vm_mapped_pages.0", 1024);
    assert_ends_in("host_hvc_handler", FH_LIMIT, "TrapHandler.load_image", "rounds");
    set("shared.vminfos.1.VB.vm_mapped_pages.0", UINT64_MAX);
    assert_ends_in("host_hvc_handler", FH_LIMIT, "TrapHandler.load_image", "rounds");
}
END_TEST

START_TEST(a_fault_of_the_host_is_stuck_at_a_lock_that_is_kept_for_ever)
{
    assert_stuck_without_lock("host_npt_handler", "TrapHandler.handle_host_fault", 4);
    assert_stuck_without_lock("host_npt_handler", "TrapHandler.map_host", 2);
    assert_stuck_without_lock("host_npt_handler", "TrapHandler.map_host", 5);
}
END_TEST

START_TEST(a_fault_of_the_host_beyond_48_bits_halts)
{
    use_profile(&fh_profile_sekvm_4_18);
    set("regs.ctxt_regs.hpfar_el2", 0x10000000000);
    assert_halts("host_npt_handler");
}
END_TEST

START_TEST(a_fault_of_the_host_looks_at_so_many_smmus)
{
    use_loop_limit(1);
    set("smmu_conf.smmu_num", 2);
    assert_ends_in("host_npt_handler", FH_LIMIT, "TrapHandler.find_smmu", "smmu_num");
}
END_TEST

START_TEST(the_host_acts_while_it_runs)
{
    static const struct stuck rows[] = {
        {"ihost", false, "host_hvc_handler", NULL, "ihost"},
        {"icore", true, "host_hvc_handler", NULL, "ihost"},
        {"ihost", false, "host_npt_handler", NULL, "ihost"},
        {"icore", true, "host_npt_handler", NULL, "ihost"},
        {"ihost", false, "host_vcpu_run_handler", NULL, "ihost"},
        {"icore", true, "host_vcpu_run_handler", NULL, "ihost"},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("halt", true);
    assert_each_stuck(rows, COUNT(rows));
    assert_skips("host_hvc_handler");
    assert_skips("host_npt_handler");
    assert_skips("host_vcpu_run_handler");
}
END_TEST

/* VM 1, of which vCPU 0 runs, makes a hypercall with a constant of this name in x0. */
static void vm_calls(const char *number)
{
    const struct fh_profile *k = fh_state_profile(machine);
    uint64_t value;
    ck_assert(fh_profile_constant(k, number, strlen(number), &value));
    set("ihost", false);
    set("cur_vmid", 1);
    set("regs.ctxt_regs.ec", k->ARM_EXCEPTION_TRAP);
    set("regs.ctxt_regs.esr_el2", k->ESR_ELx_EC_HVC64 << k->ESR_ELx_EC_SHIFT);
    set("regs.ctxt_regs.x0", value);
    set("regs.ctxt_regs.x2", 0x5000);
    set("regs.ctxt_regs.x3", 0x1000);
}

START_TEST(an_exit_is_stuck_at_a_lock_that_is_kept_for_ever)
{
    set("shared.npts.1.pt.5.pfn", 7);
    set("shared.npts.1.pt.5.level", 3);
    set("shared.npts.1.pt.5.pte", 0x7003);
    vm_calls("HVC_KVM_SET_DESC_PFN");
    assert_stuck_without_lock("vm_exit_handler", "TrapHandler.walk", 6);
    assert_stuck_without_lock("vm_exit_handler", "TrapHandler.grant_page", 2);
    vm_calls("HVC_KVM_UNSET_DESC_PFN");
    assert_stuck_without_lock("vm_exit_handler", "TrapHandler.walk", 6);
    assert_stuck_without_lock("vm_exit_handler", "TrapHandler.revoke_page", 2);
    assert_stuck_without_lock("vm_exit_handler", "TrapHandler.revoke_page", 5);
    vm_calls("PSCI_0_2_FN_SYSTEM_OFF");
    assert_stuck_without_lock("vm_exit_handler", "TrapHandler.prepare_psci", 23);
}
END_TEST

START_TEST(an_exit_shares_so_many_pages)
{
    use_loop_limit(1);
    vm_calls("HVC_KVM_SET_DESC_PFN");
    set("regs.ctxt_regs.x3", 0x1001);
    assert_ends_in("vm_exit_handler", FH_LIMIT, "TrapHandler.share_range", "pages");
}
END_TEST

START_TEST(a_vm_acts_while_it_runs)
{
    static const struct stuck rows[] = {
        {"ihost", true, "vm_exit_handler", NULL, "ihost"},
        {"icore", true, "vm_exit_handler", NULL, "ihost"},
    };
    vm_calls("HVC_KVM_SET_DESC_PFN");
    assert_each_stuck(rows, COUNT(rows));
}
END_TEST

static uint64_t kvm_at(void *context, uint64_t vmid)
{
    (void)context;
    return 0x1000 * vmid;
}

static uint64_t vcpu_at(void *context, uint64_t vmid, uint64_t vcpuid)
{
    (void)context;
    return 0x1000 * vmid + vcpuid;
}

START_TEST(what_the_host_shares_of_a_vm_is_noted_when_it_is_registered)
{
    fh_state_environment(machine)->shared_kvm = kvm_at;
    fh_state_environment(machine)->shared_vcpu = vcpu_at;
    host_calls("HVC_REGISTER_KVM", (const uint64_t[5]){0});
    call("host_hvc_handler");
    ck_assert_uint_eq(get("shared.vminfos.1.VS.vm_kvm"), 0x1000);
    host_calls("HVC_REGISTER_VCPU", (const uint64_t[5]){1, 2});
    call("host_hvc_handler");
    ck_assert_uint_eq(get("shared.vminfos.1.VS.vm_vcpu.2"), 0x1002);
    fh_state_environment(machine)->shared_kvm = NULL;
    fh_state_environment(machine)->shared_vcpu = NULL;
    host_calls("HVC_REGISTER_KVM", (const uint64_t[5]){0});
    call("host_hvc_handler");
    host_calls("HVC_REGISTER_VCPU", (const uint64_t[5]){2, 2});
    call("host_hvc_handler");
    ck_assert_uint_eq(get("shared.vminfos.2.VS.vm_kvm"), 0);
    ck_assert_uint_eq(get("shared.vminfos.2.VS.vm_vcpu.2"), 0);
}
END_TEST

START_TEST(a_step_without_memory_leaves_no_trace)
{
    host_calls("HVC_REGISTER_KVM", (const uint64_t[5]){0});
    assert_survives_lack_of_memory("host_hvc_handler");
    set("regs.ctxt_regs.hpfar_el2", 0x20);
    assert_survives_lack_of_memory("host_npt_handler");
}
END_TEST

/* The host maps its page 0x17, at device page 5; the fixed bits of a descriptor add the 0x10. */
static void host_maps_for_its_device(void)
{
    host_calls("HVC_SMMU_LPAE_MAP", (const uint64_t[5]){0x5000, 0x7000});
    set("shared.smmu_vmid.0", 0);
    set("shared.s2page.0x17.s2_owner", 0);
    set("shared.s2page.0x17.s2_count", 0);
    set("shared.s2page.0x17.s2_gfn", 5);
}

START_TEST(a_page_is_mapped_for_a_device_in_each_realisation)
{
    for (enum fh_realisation form = FH_ABSTRACT; form <= FH_BOTH; form++) {
        use_realisation(form);
        host_maps_for_its_device();
        call("host_hvc_handler");
        ck_assert_uint_eq(get("halt"), false);
        ck_assert_uint_eq(get("shared.s2page.0x17.s2_count"), 1);
        ck_assert_uint_eq(get("lock.3"), FH_LOCK_FREE);
        ck_assert_uint_eq(call("walk_spt 0 0 0x5000"), 0x17000);
    }
}
END_TEST

START_TEST(mapping_for_a_device_needs_its_tables)
{
    host_maps_for_its_device();
    assert_stuck_without_lock("host_hvc_handler", "TrapHandler.map_for_device", 3);
    set("shared.spts.spt_pmd_next", 0x310000); /* the end of the pool */
    assert_halts("host_hvc_handler");
    ck_assert_uint_eq(get("shared.hlock.3"), false);
    ck_assert_uint_eq(get("shared.s2page.0x17.s2_count"), 0);
}
END_TEST

/* --- Counts of data, and loops, at their limits -------------------------------------------------
 */

enum { VCPU_READY = 2, VCPU_ACTIVE = 5, VERIFIED = 3, INTERRUPT = 31 };

/* The number of the vCPU is the one at `first`; all later data of the host are an address. */
static uint64_t first_vcpu_then_address(void *context, uint64_t vmid, uint64_t n)
{
    (void)vmid;
    return n == *(const uint64_t *)context ? 0 : 0x5000;
}

static void host_runs_vcpu(uint64_t dirty)
{
    set("regs.ctxt_regs.x0", 1);
    set("shared.vminfos.1.VS.vm_state", VERIFIED);
    set("shared.vminfos.1.VS.vm_vcpu_state.0", VCPU_READY);
    set("shadow_ctxts.8.ctxt_states.dirty", dirty);
}

static void assert_data_leave_64_bits(const char *text, const char *function)
{
    assert_ends_in(text, FH_UNREPRESENTABLE, function, "UINT64_MAX");
}

START_TEST(a_first_run_counts_its_data_in_64_bits)
{
    host_runs_vcpu(UINT64_MAX);
    set("core_data_log.1", UINT64_MAX);
    assert_data_leave_64_bits("host_vcpu_run_handler", "TrapHandler.prepare_vcpu");
    set("core_data_log.1", 0);
    set("data_log.1", UINT64_MAX);
    assert_data_leave_64_bits("host_vcpu_run_handler", "TrapHandler.start_vcpu");
    set("shared.vminfos.1.VB.vm_next_load_info", 1);
    set("shared.vminfos.1.VB.vm_load_size.0", 0x1000);
    set("shared.vminfos.1.VB.vm_remap_addr.0", 0x1000);
    set("data_log.1", UINT64_MAX - 1); /* pstate leaves them, ACTLR_EL1 cannot be asked for */
    assert_ends_in("host_vcpu_run_handler", FH_UNREPRESENTABLE, "TrapHandler.reset_sysregs",
                   "beyond");
    set("data_log.1", UINT64_MAX - 2);
    assert_data_leave_64_bits("host_vcpu_run_handler", "TrapHandler.reset_sysregs");
    set("data_log.1", UINT64_MAX - 3);
    call("host_vcpu_run_handler");
    ck_assert_uint_eq(get("data_log.1"), UINT64_MAX);
}
END_TEST

START_TEST(a_first_run_looks_at_so_many_images)
{
    use_loop_limit(1);
    host_runs_vcpu(UINT64_MAX);
    set("shared.vminfos.1.VB.vm_next_load_info", 2);
    assert_ends_in("host_vcpu_run_handler", FH_LIMIT, "TrapHandler.is_in_image", "next_load_info");
}
END_TEST

START_TEST(a_later_run_counts_its_data_in_64_bits)
{
    uint64_t first = UINT64_MAX - 1;
    struct fh_environment *environment = fh_state_environment(machine);
    environment->core_doracle = first_vcpu_then_address;
    environment->context = &first;
    host_runs_vcpu(0);
    for (; first > UINT64_MAX - 4;
         first--) { /* the address, the descriptor or the level is beyond */
        set("core_data_log.1", first);
        assert_ends_in("host_vcpu_run_handler", FH_UNREPRESENTABLE, "TrapHandler.continue_vcpu",
                       first == UINT64_MAX - 3 ? "not (fh_n_ == UINT64_MAX)" : "beyond");
    }
}
END_TEST

START_TEST(the_host_reads_an_smmu_with_data_of_64_bits)
{
    set("smmu_conf.smmu_num", 1);
    set("smmu_conf.smmu_size.0", 0x1000);
    set("regs.ctxt_regs.esr_el2", 2 << 22); /* a load of 4 bytes to x0 */
    set("data_log.0", UINT64_MAX);
    assert_data_leave_64_bits("host_npt_handler", "TrapHandler.read_smmu");
    set("data_log.0", UINT64_MAX - 1);
    call("host_npt_handler");
    ck_assert_uint_eq(get("data_log.0"), UINT64_MAX);
}
END_TEST

START_TEST(the_vcpu_number_of_the_host_has_63_bits)
{
    set("curid", (uint64_t)1 << 63);
    set("ihost", false);
    set("cur_vmid", 1);
    set("regs.ctxt_regs.ec", INTERRUPT);
    set("shared.vminfos.1.VS.vm_vcpu_state.0", VCPU_ACTIVE);
    assert_ends_in("vm_exit_handler", FH_UNREPRESENTABLE, "TrapHandler.switch_to_host", "curid");
}
END_TEST

START_TEST(a_vm_reaches_no_page_that_belongs_to_nobody)
{
    set("cur_vmid", 1);
    set("shared.vminfos.1.VS.vm_state", VERIFIED);
    set("shared.npts.1.pt.5.pfn", 7);
    assert_stuck_in("mem_load 5 0", "TrapHandler.reach", "INVALID");
    assert_stuck_in("mem_store 5 0", "TrapHandler.reach", "INVALID");
    set("shared.s2page.7.s2_owner", 1);
    call("mem_load 5 0");
}
END_TEST

/* local_alloc_smmu_pgd, with is_vm and VERIFIED */
START_TEST(a_verified_vm_gets_no_more_banks)
{
    host_calls("HVC_SMMU_ALLOC_PGD", (const uint64_t[5]){0, 1, 0});
    set("smmu_conf.smmu_dev_context_banks.0", 1);
    set("shared.vminfos.1.VS.vm_state", VERIFIED);
    assert_halts("host_hvc_handler");
    ck_assert(!get("shared.hlock.23") && !get("shared.hlock.4") && get("shared.hlock.3"));
    ck_assert_uint_eq(get("shared.smmu_vmid.0"), 0xffffffff);
}
END_TEST

START_TEST(a_page_of_an_image_is_stuck_at_a_lock_that_is_kept_for_ever)
{
    host_calls("HVC_VERIFY_VM_IMAGE", (const uint64_t[5]){1});
    set("shared.vminfos.1.VS.vm_state", READY);
    set("shared.vminfos.1.VB.vm_next_load_info", 1);
    set("shared.vminfos.1.VB.vm_mapped_pages.0", 1);
    set("shared.npts.16.pt.0.pte", 0x200000);
    assert_stuck_without_lock("host_hvc_handler", "TrapHandler.assign_page", 2);
    assert_stuck_without_lock("host_hvc_handler", "TrapHandler.assign_page", 5);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_first_run_counts_its_data_in_64_bits);
    tcase_add_test(tests, a_first_run_looks_at_so_many_images);
    tcase_add_test(tests, a_later_run_counts_its_data_in_64_bits);
    tcase_add_test(tests, the_host_reads_an_smmu_with_data_of_64_bits);
    tcase_add_test(tests, the_vcpu_number_of_the_host_has_63_bits);
    tcase_add_test(tests, a_vm_reaches_no_page_that_belongs_to_nobody);
    tcase_add_test(tests, a_verified_vm_gets_no_more_banks);
    tcase_add_test(tests, a_page_of_an_image_is_stuck_at_a_lock_that_is_kept_for_ever);
    tcase_add_test(tests, a_hypercall_is_stuck_at_a_lock_that_is_kept_for_ever);
    tcase_add_test(tests, loading_an_image_is_stuck_at_the_table_of_kcore);
    tcase_add_test(tests, a_hypercall_has_limits);
    tcase_add_test(tests, a_fault_of_the_host_is_stuck_at_a_lock_that_is_kept_for_ever);
    tcase_add_test(tests, a_fault_of_the_host_beyond_48_bits_halts);
    tcase_add_test(tests, a_fault_of_the_host_looks_at_so_many_smmus);
    tcase_add_test(tests, the_host_acts_while_it_runs);
    tcase_add_test(tests, an_exit_is_stuck_at_a_lock_that_is_kept_for_ever);
    tcase_add_test(tests, an_exit_shares_so_many_pages);
    tcase_add_test(tests, a_vm_acts_while_it_runs);
    tcase_add_test(tests, what_the_host_shares_of_a_vm_is_noted_when_it_is_registered);
    tcase_add_test(tests, a_step_without_memory_leaves_no_trace);
    tcase_add_test(tests, a_page_is_mapped_for_a_device_in_each_realisation);
    tcase_add_test(tests, mapping_for_a_device_needs_its_tables);
}

int main(void)
{
    return run_layer_tests("trap_handler", add);
}
