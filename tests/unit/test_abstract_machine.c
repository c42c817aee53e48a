/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The profile `spec` has VMs 0 (host) to 16 (core), vCPUs 0 to 7, boot images 0 to 4. */
enum { NO_VM = 17, NO_VCPU = 8, NO_IMAGE = 5, NO_BANK = 8 };

/* The locks of RData.v, from FLATMEM_ID to INFO_ID + 16. */
enum { FIRST_LOCK = 0, LAST_LOCK = 38 };

static void set_locks(uint64_t status)
{
    for (int id = FIRST_LOCK; id <= LAST_LOCK; id++) {
        char place[24];
        snprintf(place, sizeof place, "lock.%d", id);
        set(place, status);
    }
}

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

/* Of this layer; NULL after the last. */
static const struct fh_function *function_at(unsigned index)
{
    const struct fh_function *function = fh_function_at(index);
    return function && strcmp(function->layer, "AbstractMachine") == 0 ? function : NULL;
}

/* The call with `value` for the argument of this number and 0 for all others. */
static const char *call_with(const struct fh_function *function, unsigned argument, uint64_t value)
{
    static char text[160];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", function->name);
    for (unsigned i = 0; i < function->nargs; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, " %" PRIu64,
                                 i == argument ? value : 0);
    return text;
}

/* --- Numbers --------------------------------------------------------------------------------- */

static const struct bound {
    const char *argument;
    uint64_t first_beyond;
    const char *condition;
} bounds[] = {{"vmid", NO_VM, "is_vmid"},
              {"vcpuid", NO_VCPU, "is_vcpu"},
              {"load_idx", NO_IMAGE, "is_load_idx"},
              {"cbndx", NO_BANK, "is_smmu_cfg"},
              {"pgnum", 0x10000000, "is_pfn"},
              {"pfn", 0x10000000, "is_pfn"},
              {"outbuf", 0x10000000, "is_pfn"},
              {"inbuf", 0x10000000, "is_pfn"}};

/* Functions for which all numbers are as good. */
static const char *const unbounded[] = {"set_int_gpr",       "encrypt_gp_regs", "encrypt_sys_regs",
                                        "set_next_vmid",     "set_pt_vttbr",    "release_shared_pt",
                                        "release_shared_vm", "dev_load_raw",    "dev_store_raw"};

/* Arguments that are values here and name nothing. */
static bool is_value(const struct fh_function *function, const char *argument)
{
    static const char *const values[] = {"encrypt_mem_buf vmid", "decrypt_mem_buf vmid",
                                         "set_smmu_cfg_vmid vmid", "set_s2_page_vmid vmid",
                                         "set_vm_next_load_idx load_idx"};
    char text[64];
    snprintf(text, sizeof text, "%s %s", function->name, argument);
    return is_one_of(text, values, COUNT(values));
}

static unsigned try_bounds(const struct fh_function *function)
{
    unsigned tried = 0;
    for (unsigned i = 0; i < function->nargs; i++) {
        for (size_t b = 0; b < COUNT(bounds); b++) {
            if (strcmp(function->arg_names[i], bounds[b].argument) != 0 ||
                is_value(function, function->arg_names[i]))
                continue;
            assert_stuck(call_with(function, i, bounds[b].first_beyond), bounds[b].condition);
            tried++;
        }
    }
    return tried;
}

START_TEST(numbers_have_bounds)
{
    unsigned tried = 0;
    set_locks(FH_LOCK_OWN);
    for (unsigned i = 0; function_at(i); i++) {
        if (!is_one_of(function_at(i)->name, unbounded, COUNT(unbounded)) &&
            !strstr(function_at(i)->name, "_spec0")) /* which are as their namesakes */
            tried += try_bounds(function_at(i));
    }
    ck_assert_uint_gt(tried, 80);
}
END_TEST

START_TEST(smmus_and_their_banks_have_bounds)
{
    static const char *const functions[] = {
        "get_smmu_cfg_vmid 0 2",    "set_smmu_cfg_vmid 0 2 0", "get_smmu_num_context_banks 2",
        "get_smmu_pgshift 2",       "get_smmu_size 2",         "get_smmu_base 2",
        "get_smmu_cfg_hw_ttbr 0 2", "smmu_pt_clear 0 2"};
    set_locks(FH_LOCK_OWN);
    for (size_t i = 0; i < COUNT(functions); i++) {
        assert_stuck(functions[i], "is_smmu(");
    }
}
END_TEST

START_TEST(last_page_of_a_range_is_a_page_frame)
{
    assert_stuck("fetch_from_doracle 1 0 0", "pfn + pgnum");
    assert_stuck("fetch_from_doracle 1 0xfffffff 2", "pfn + pgnum");
    call("fetch_from_doracle 1 0xfffffff 1");
    ck_assert_uint_eq(get("data_log.1"), 1);
}
END_TEST

START_TEST(an_image_is_verified_at_an_address_of_48_bits)
{
    assert_stuck("verify_image 1 0x1000000000000", "is_addr");
    ck_assert_uint_eq(call("verify_image 1 0xffffffffffff"), 1);
}
END_TEST

START_TEST(descriptors_are_in_the_pool)
{
    set_locks(FH_LOCK_OWN);
    assert_stuck("pt_load 0 0xffff", "<= (addr)");
    assert_stuck("pt_store 0 0xffff 0", "<= (addr)");
    assert_stuck("pt_store 0 0x2010000 0", "pool_end");
    assert_stuck("smmu_pt_load 0xffff", "SMMU_POOL_START");
    assert_stuck("smmu_pt_load 0x310000", "SMMU_POOL_END");
    assert_stuck("smmu_pt_store 0xffff 0", "SMMU_POOL_START");
    assert_stuck("smmu_pt_store 0x310000 0", "SMMU_POOL_END");
    ck_assert_uint_eq(call("pt_load 0 0x10000"), 0);
    ck_assert_uint_eq(call("smmu_pt_load 0x10000"), 0);
}
END_TEST

/* --- Locks ----------------------------------------------------------------------------------- */

START_TEST(what_a_lock_protects_needs_the_lock)
{
    static const char *const calls[] = {"get_pgd_next 1",
                                        "set_pgd_next 1 0",
                                        "get_pud_next 1",
                                        "set_pud_next 1 0",
                                        "get_pmd_next 1",
                                        "set_pmd_next 1 0",
                                        "pt_load 1 0x2010000",
                                        "pt_store 1 0x2010000 0",
                                        "get_smmu_pgd_next",
                                        "set_smmu_pgd_next 0",
                                        "get_smmu_pmd_next",
                                        "set_smmu_pmd_next 0",
                                        "smmu_pt_load 0x10000",
                                        "smmu_pt_store 0x10000 0",
                                        "smmu_pt_clear 0 0",
                                        "get_s2_page_vmid 0",
                                        "set_s2_page_vmid 0 0",
                                        "get_s2_page_count 0",
                                        "set_s2_page_count 0 0",
                                        "get_s2_page_gfn 0",
                                        "set_s2_page_gfn 0 0",
                                        "get_next_vmid",
                                        "set_next_vmid 0",
                                        "get_next_remap_ptr",
                                        "set_next_remap_ptr 0",
                                        "get_vm_state 1",
                                        "set_vm_state 1 0",
                                        "get_vcpu_state 1 0",
                                        "set_vcpu_state 1 0 0",
                                        "get_vm_kvm 1",
                                        "set_vm_kvm 1 0",
                                        "get_vm_vcpu 1 0",
                                        "set_vm_vcpu 1 0 0",
                                        "get_vm_next_load_idx 1",
                                        "set_vm_next_load_idx 1 0",
                                        "get_vm_load_addr 1 0",
                                        "set_vm_load_addr 1 0 0",
                                        "get_vm_load_size 1 0",
                                        "set_vm_load_size 1 0 0",
                                        "get_vm_remap_addr 1 0",
                                        "set_vm_remap_addr 1 0 0",
                                        "get_vm_mapped_pages 1 0",
                                        "set_vm_mapped_pages 1 0 0",
                                        "get_vm_inc_exe 1",
                                        "set_vm_inc_exe 1 0",
                                        "get_smmu_cfg_vmid 0 0",
                                        "set_smmu_cfg_vmid 0 0 0"};
    /* Neither a lock that is free nor one whose object is not in use. */
    for (int status = FH_LOCK_FREE; status <= FH_LOCK_OWN_FALSE; status++) {
        set_locks((uint64_t)status);
        for (size_t i = 0; i < COUNT(calls); i++) {
            assert_stuck(calls[i], "lock_status");
        }
    }
    set_locks(FH_LOCK_OWN);
    set("tstate", 0);
    for (size_t i = 0; i < COUNT(calls); i++)
        call(calls[i]);
}
END_TEST

START_TEST(a_lock_of_a_vm_is_no_lock_of_another)
{
    set("lock.6", FH_LOCK_OWN);  /* the table of VM 1 */
    set("lock.23", FH_LOCK_OWN); /* and its information */
    call("get_pmd_next 1");
    call("get_vm_state 1");
    assert_stuck("get_pmd_next 2", "lock_status");
    assert_stuck("get_vm_state 2", "lock_status");
}
END_TEST

START_TEST(a_table_waits_for_barriers_where_locks_have_them)
{
    static const char *const calls[] = {"get_pgd_next", "set_pgd_next", "get_pud_next",
                                        "set_pud_next", "get_pmd_next", "set_pmd_next",
                                        "pt_load",      "pt_store"};
    set_locks(FH_LOCK_OWN);
    set("tstate", 0);
    set("bars", FH_BARRIER_NEEDED);
    for (size_t i = 0; i < COUNT(calls); i++) {
        static const char *const arguments[] = {" 1", " 1 0", " 1",           " 1 0",
                                                " 1", " 1 0", " 1 0x2010000", " 1 0x2010000 0"};
        char text[64];
        snprintf(text, sizeof text, "%s_spec0%s", calls[i], arguments[i]);
        assert_stuck(text, "bars");
        snprintf(text, sizeof text, "%s%s", calls[i], arguments[i]);
        call(text);
    }
    set("halt", true);
    assert_skips("get_pgd_next_spec0 1");
    assert_skips("pt_store_spec0 1 0x2010000 7");
}
END_TEST

START_TEST(a_shared_object_is_acquired_by_who_has_taken_its_lock)
{
    assert_stuck("acquire_shared 1", "lock_status");
    set("lock.1", FH_LOCK_OWN);
    assert_stuck("acquire_shared 1", "lock_status");
    set("lock.1", FH_LOCK_OWN_FALSE);
    set("bars", FH_BARRIER_NEEDED);
    assert_stuck("acquire_shared 1", "bars");
    set("bars", FH_BARRIER_VALID);
    /* Its log does not say that the lock is taken. */
    assert_stuck("acquire_shared 1", "BROKEN");
    set("lock.1", FH_LOCK_FREE);
    call("wait_hlock 1");
    call("acquire_shared 1");
    ck_assert_uint_eq(get("lock.1"), FH_LOCK_OWN);
    ck_assert_uint_eq(get("tstate"), 0);
}
END_TEST

/* The lock identifiers of these functions are one less than those of all others. */
static const struct {
    const char *call, *lock;
} releases[] = {{"release_shared_core", "lock.0"}, {"release_shared_s2page", "lock.1"},
                {"release_shared_spt", "lock.2"},  {"release_shared_smmu", "lock.3"},
                {"release_shared_pt 1", "lock.5"}, {"release_shared_vm 1", "lock.22"}};

START_TEST(a_shared_object_is_released_by_who_uses_it)
{
    for (size_t i = 0; i < COUNT(releases); i++) {
        set("bars", FH_BARRIER_VALID);
        set(releases[i].lock, FH_LOCK_OWN_FALSE);
        assert_stuck(releases[i].call, "lock_status");
        set(releases[i].lock, FH_LOCK_OWN);
        set("bars", FH_BARRIER_NEEDED);
        assert_stuck(releases[i].call, "bars");
        set("bars", FH_BARRIER_VALID);
        assert_stuck_in(releases[i].call, "AbstractMachine.release_shared", "BROKEN");
    }
}
END_TEST

START_TEST(a_shared_object_is_released_into_the_log_of_its_lock)
{
    for (size_t i = 0; i < COUNT(releases); i++) {
        const char *lock = strchr(releases[i].lock, '.') + 1;
        char text[64];
        snprintf(text, sizeof text, "wait_hlock %s", lock);
        call(text);
        snprintf(text, sizeof text, "acquire_shared %s", lock);
        call(text);
        call(releases[i].call);
        ck_assert_uint_eq(get(releases[i].lock), FH_LOCK_OWN_FALSE);
        ck_assert_uint_eq(get("tstate"), 1);
        /* WAIT_LOCK, OPULL and the snapshot */
        snprintf(text, sizeof text, "pass_hlock %s", lock);
        call(text);
    }
}
END_TEST

START_TEST(a_ticket_is_served_in_a_log_of_tickets)
{
    call("wait_hlock 1");
    assert_stuck("get_now 1", "is_ticket_broken");
    ck_assert_uint_eq(call("get_now 2"), 0);
    set("bars", FH_BARRIER_NEEDED);
    assert_stuck("get_now 2", "bars");
}
END_TEST

/* --- Values ---------------------------------------------------------------------------------- */

START_TEST(a_value_beyond_32_bits_has_no_place_in_a_result_of_32)
{
    static const struct {
        const char *place, *call;
    } rows[] = {{"shared.core_data.next_vmid", "get_next_vmid"},
                {"shared.vminfos.1.VS.vm_state", "get_vm_state 1"},
                {"shared.vminfos.1.VS.vm_vcpu_state.2", "get_vcpu_state 1 2"},
                {"shared.vminfos.1.VB.vm_next_load_info", "get_vm_next_load_idx 1"},
                {"shared.vminfos.1.VB.vm_inc_exe", "get_vm_inc_exe 1"},
                {"shared.smmu_vmid.9", "get_smmu_cfg_vmid 1 1"},
                {"smmu_conf.smmu_dev_context_banks.1", "get_smmu_num_context_banks 1"},
                {"smmu_conf.smmu_pgshift.1", "get_smmu_pgshift 1"},
                {"smmu_conf.smmu_num", "get_smmu_num"},
                {"region_cnt", "get_mem_region_cnt"},
                {"cur_vmid", "get_cur_vmid"},
                {"cur_vcpuid", "get_cur_vcpuid"}};
    set_locks(FH_LOCK_OWN);
    for (size_t i = 0; i < COUNT(rows); i++) {
        set(rows[i].place, 0x100000000);
        assert_not_representable(rows[i].call, "is_int");
        set(rows[i].place, 0xffffffff);
        ck_assert_uint_eq(call(rows[i].call), 0xffffffff);
    }
}
END_TEST

static uint64_t beyond_32_bits(void *context, uint64_t vmid, uint64_t addr)
{
    (void)context, (void)vmid, (void)addr;
    return 0x100000000;
}

START_TEST(a_verdict_on_an_image_has_32_bits)
{
    fh_state_environment(machine)->verify_img = beyond_32_bits;
    assert_not_representable("verify_image 1 0", "is_int");
}
END_TEST

static const struct {
    const char *call, *count;
} readers[] = {{"encrypt_mem_buf 1 0 0", "data_log.0"},
               {"decrypt_mem_buf 1 0", "data_log.0"},
               {"readq_relaxed 0", "data_log.0"},
               {"readl_relaxed 0", "data_log.0"},
               {"get_int_esr 3 0", "data_log.3"},
               {"get_int_gpr 3 0 0", "data_log.3"},
               {"get_int_pc 3 0", "data_log.3"},
               {"get_int_pstate 3 0", "data_log.3"},
               {"read_actlr_el1", "data_log.3"},
               {"fetch_from_doracle 3 0 1", "data_log.3"},
               {"get_vm_fault_addr 3 0", "core_data_log.3"},
               {"get_int_new_pte 3 0", "core_data_log.3"},
               {"get_int_new_level 3 0", "core_data_log.3"},
               {"get_int_run_vcpuid 3", "core_data_log.3"}};

START_TEST(each_value_from_outside_is_counted)
{
    set("cur_vmid", 3);
    for (size_t i = 0; i < COUNT(readers); i++) {
        const uint64_t before = get(readers[i].count);
        call(readers[i].call);
        ck_assert_uint_eq(get(readers[i].count), before + 1);
    }
}
END_TEST

START_TEST(more_values_from_outside_than_64_bits_count_are_not_representable)
{
    set("cur_vmid", 3);
    for (size_t i = 0; i < COUNT(readers); i++) {
        set(readers[i].count, UINT64_MAX);
        assert_not_representable(readers[i].call, "");
    }
}
END_TEST

static uint64_t own_number(void *context, uint64_t vmid, uint64_t n)
{
    (void)context;
    return 1000 * vmid + n;
}

static uint64_t other_number(void *context, uint64_t vmid, uint64_t n)
{
    return own_number(context, vmid, n) + 500;
}

START_TEST(the_core_reads_the_data_oracle_unless_it_has_its_own)
{
    fh_state_environment(machine)->doracle = own_number;
    ck_assert_uint_eq(call("get_int_run_vcpuid 3"), 3000);
    ck_assert_uint_eq(call("get_int_run_vcpuid 3"), 3001);
    ck_assert_uint_eq(call("get_int_pc 3 0"), 3000);
    fh_state_environment(machine)->core_doracle = other_number;
    ck_assert_uint_eq(call("get_int_run_vcpuid 3"), 3502);
    ck_assert_uint_eq(call("get_int_pc 3 0"), 3001);
}
END_TEST

START_TEST(sums_of_registers_stay_within_64_bits)
{
    set("regs.ctxt_regs.elr_el2", 0xfffffffffffffffc);
    assert_not_representable("host_skip_instr", "elr_el2");
    assert_not_representable("core_handle_sys64", "elr_el2");
    set("regs.ctxt_regs.elr_el2", 0xfffffffffffffffb);
    call("host_skip_instr");
    ck_assert_uint_eq(get("regs.ctxt_regs.esr_el2"), UINT64_MAX);
    ck_assert_uint_eq(get("regs.ctxt_regs.elr_el2"), 0xfffffffffffffffb);
    set("regs.trap_regs.cnthctl_el2", UINT64_MAX);
    assert_not_representable("timer_enable_traps", "sum");
    set("regs.trap_regs.cnthctl_el2", 0);
    call("timer_enable_traps");
    ck_assert_uint_eq(get("regs.trap_regs.cnthctl_el2"), 1);
}
END_TEST

START_TEST(vttbr_has_16_bits_for_the_vmid)
{
    set("cur_vmid", 0x10000);
    assert_not_representable("vm_el2_restore_state", "VTTBR_VMID_SHIFT");
    set("cur_vmid", 1);
    call("vm_el2_restore_state");
    ck_assert_uint_eq(get("regs.ctxt_regs.vttbr_el2") >> 48, 1);
}
END_TEST

START_TEST(host_and_core_have_one_context_on_each_cpu)
{
    set("curid", 5);
    call("set_per_cpu 0 3");
    ck_assert_uint_eq(get("cur_vcpuid"), 5);
    call("set_per_cpu 16 3");
    ck_assert_uint_eq(get("cur_vmid"), 16);
    ck_assert_uint_eq(get("cur_vcpuid"), 5);
    call("set_per_cpu 1 3");
    ck_assert_uint_eq(get("cur_vcpuid"), 3);
    set("curid", (uint64_t)INT64_MAX + 1);
    assert_not_representable("set_per_cpu 0 3", "INT64_MAX");
}
END_TEST

START_TEST(a_loop_over_pages_has_a_limit)
{
    use_loop_limit(3);
    assert_too_long("fetch_from_doracle 1 0 4", "pgnum <= loop_limit");
    call("fetch_from_doracle 1 0 3");
    ck_assert_uint_eq(get("data_log.1"), 3);
}
END_TEST

START_TEST(the_last_vm_locks_are_beyond_those_with_an_object)
{
    /* The lock of release_shared_vm 18 is 39, as no VM is looked for. */
    call("wait_hlock 39");
    call("acquire_shared 39");
    call("release_shared_vm 18");
    ck_assert_uint_eq(get("lock.39"), FH_LOCK_OWN_FALSE);
}
END_TEST

START_TEST(what_the_development_leaves_open_has_defaults)
{
    ck_assert_uint_eq(call("get_shared_kvm 1"), 0);
    ck_assert_uint_eq(call("get_shared_vcpu 1 1"), 0);
    ck_assert_uint_eq(call("verify_image 1 0"), 1);
    ck_assert_uint_eq(call("get_sys_reg_desc_val 1"), 0);
    ck_assert_uint_eq(call("get_exception_vector 5"), 0);
    ck_assert_uint_eq(call("get_int_pc 1 0"), 0);
    call("decrypt_gp_regs 1 0");
    call("decrypt_sys_regs 1 0");
    ck_assert_uint_eq(get("data_log.1"), 1);
}
END_TEST

START_TEST(a_lock_without_an_object_can_be_taken_and_used)
{
    /* Identifiers end at 38; the second is one that no place is kept for. */
    static const char *const calls[][4] = {
        {"wait_hlock 39", "acquire_shared 39", "lock.39", "pass_hlock 39"},
        {"wait_hlock 1000", "acquire_shared 1000", "lock.1000", "pass_hlock 1000"}};
    for (size_t i = 0; i < COUNT(calls); i++) {
        call(calls[i][0]);
        call(calls[i][1]);
        ck_assert_uint_eq(get(calls[i][2]), FH_LOCK_OWN);
        set(calls[i][2], FH_LOCK_OWN_FALSE);
        call(calls[i][3]);
        ck_assert_uint_eq(get(calls[i][2]), FH_LOCK_FREE);
    }
}
END_TEST

/* --- Levels of stage-2 tables ------------------------------------------------------------------
 */

START_TEST(a_descriptor_that_maps_ends_a_critical_section)
{
    /* The pools of VM 0 begin at 0x10000: root, pgds, puds at 0x111000, pmds at 0x911000. */
    set_locks(FH_LOCK_OWN);
    set("tstate", 0);
    call("pt_store 0 0x10000 0x1000");  /* the root */
    call("pt_store 0 0x11000 0x1000");  /* a pgd: it maps nothing, with four levels */
    call("pt_store 0 0x111000 0x1003"); /* a pud that is a table */
    ck_assert_uint_eq(get("tstate"), 0);
    call("pt_store 0 0x111000 0x1001"); /* a block */
    ck_assert_uint_eq(get("tstate"), 1);
    assert_stuck("pt_store 0 0x111000 0x1001", "tstate");
    assert_stuck("pt_store 0 0x911000 0x1003", "tstate");
}
END_TEST

START_TEST(with_three_levels_a_pgd_maps_blocks)
{
    use_profile(&fh_profile_sekvm_4_18);
    const uint64_t pgds = get("shared.npts.0.pt_pgd_next");
    char text[64];
    set("lock.5", FH_LOCK_OWN);
    set("tstate", 0);
    snprintf(text, sizeof text, "pt_store 0 %" PRIu64 " 0x1003", pgds);
    call(text);
    ck_assert_uint_eq(get("tstate"), 0);
    snprintf(text, sizeof text, "pt_store 0 %" PRIu64 " 0x1001", pgds);
    call(text);
    ck_assert_uint_eq(get("tstate"), 1);
    assert_stuck(text, "tstate");
}
END_TEST

/* --- Halt, memory ------------------------------------------------------------------------------
 */

/* Locks, and what depends on arguments or on the firmware alone. */
static const char *const halt_or_not[] = {"acquire_shared",
                                          "release_shared_pt",
                                          "release_shared_spt",
                                          "release_shared_s2page",
                                          "release_shared_core",
                                          "release_shared_vm",
                                          "release_shared_smmu",
                                          "get_now",
                                          "incr_now",
                                          "barrier",
                                          "log_hold",
                                          "incr_ticket",
                                          "panic",
                                          "get_mem_region_base",
                                          "get_mem_region_size",
                                          "get_mem_region_index",
                                          "get_mem_region_flag",
                                          "get_mem_region_cnt",
                                          "host_dabt_get_rd",
                                          "host_dabt_is_write",
                                          "host_dabt_get_as",
                                          "get_exception_vector",
                                          "set_int_gpr",
                                          "encrypt_gp_regs"};

START_TEST(a_halted_machine_does_nothing_whatever_is_asked)
{
    unsigned skipped = 0;
    set("halt", true);
    for (unsigned i = 0; function_at(i); i++) {
        if (is_one_of(function_at(i)->name, halt_or_not, COUNT(halt_or_not)))
            continue;
        for (unsigned argument = 0; argument < function_at(i)->nargs; argument++)
            assert_skips(call_with(function_at(i), argument, UINT32_MAX));
        assert_skips(call_with(function_at(i), 0, 0));
        skipped++;
    }
    ck_assert_uint_gt(skipped, 100);
}
END_TEST

START_TEST(halting_happens_in_a_halted_machine_too)
{
    assert_halts("panic");
    assert_skips("panic");
}
END_TEST

START_TEST(a_call_without_memory_leaves_no_trace)
{
    set("regs.ctxt_regs.elr_el2", 0x1000);
    set("regs.ctxt_regs.sctlr_el1", 7);
    set("shadow_ctxts.8.ctxt_regs.sctlr_el1", 9);
    set("cur_vmid", 1);
    assert_survives_lack_of_memory("host_skip_instr");
    assert_survives_lack_of_memory("core_handle_sys64");
    assert_survives_lack_of_memory("wait_hlock 6");
    assert_survives_lack_of_memory("acquire_shared 6");
    assert_survives_lack_of_memory("release_shared_pt 2");
    assert_survives_lack_of_memory("save_sysregs");
    assert_survives_lack_of_memory("restore_sysregs");
    assert_survives_lack_of_memory("fetch_from_doracle 3 0x1000 2");
    assert_survives_lack_of_memory("encrypt_mem_buf 1 0x2000 0x3000");
    for (size_t i = 0; i < COUNT(readers); i++)
        assert_survives_lack_of_memory(readers[i].call);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, numbers_have_bounds);
    tcase_add_test(tests, smmus_and_their_banks_have_bounds);
    tcase_add_test(tests, last_page_of_a_range_is_a_page_frame);
    tcase_add_test(tests, an_image_is_verified_at_an_address_of_48_bits);
    tcase_add_test(tests, descriptors_are_in_the_pool);
    tcase_add_test(tests, what_a_lock_protects_needs_the_lock);
    tcase_add_test(tests, a_lock_of_a_vm_is_no_lock_of_another);
    tcase_add_test(tests, a_table_waits_for_barriers_where_locks_have_them);
    tcase_add_test(tests, a_shared_object_is_acquired_by_who_has_taken_its_lock);
    tcase_add_test(tests, a_shared_object_is_released_by_who_uses_it);
    tcase_add_test(tests, a_shared_object_is_released_into_the_log_of_its_lock);
    tcase_add_test(tests, a_ticket_is_served_in_a_log_of_tickets);
    tcase_add_test(tests, a_value_beyond_32_bits_has_no_place_in_a_result_of_32);
    tcase_add_test(tests, a_verdict_on_an_image_has_32_bits);
    tcase_add_test(tests, each_value_from_outside_is_counted);
    tcase_add_test(tests, more_values_from_outside_than_64_bits_count_are_not_representable);
    tcase_add_test(tests, the_core_reads_the_data_oracle_unless_it_has_its_own);
    tcase_add_test(tests, sums_of_registers_stay_within_64_bits);
    tcase_add_test(tests, vttbr_has_16_bits_for_the_vmid);
    tcase_add_test(tests, host_and_core_have_one_context_on_each_cpu);
    tcase_add_test(tests, the_last_vm_locks_are_beyond_those_with_an_object);
    tcase_add_test(tests, what_the_development_leaves_open_has_defaults);
    tcase_add_test(tests, a_lock_without_an_object_can_be_taken_and_used);
    tcase_add_test(tests, a_loop_over_pages_has_a_limit);
    tcase_add_test(tests, a_descriptor_that_maps_ends_a_critical_section);
    tcase_add_test(tests, with_three_levels_a_pgd_maps_blocks);
    tcase_add_test(tests, a_halted_machine_does_nothing_whatever_is_asked);
    tcase_add_test(tests, halting_happens_in_a_halted_machine_too);
    tcase_add_test(tests, a_call_without_memory_leaves_no_trace);
}

int main(void)
{
    return run_layer_tests("abstract_machine", add);
}
