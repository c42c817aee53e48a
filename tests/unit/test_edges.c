/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

#include <stdio.h>
#include <string.h>

/*
 * Where the spec's integers and a machine's words part: keys below 0 and beyond 64 bits, counters
 * at their end, addresses beyond what a table knows. Expected values are worked out from the Coq
 * definition that each test names.
 */

enum { READY = 2, ACTIVE = 5, POWEROFF = 4, INTERRUPT = 31 };
enum { S2PAGE = 2, HOST_TABLE = 5, TABLE_1 = 6 };
#define MINUS(n) (0 - (uint64_t)(n))
#define BEYOND_48_BITS ((uint64_t)1 << 48)

static void host_calls(const char *number, uint64_t x1, uint64_t x2, uint64_t x3)
{
    uint64_t value;
    ck_assert(fh_profile_constant(fh_state_profile(machine), number, strlen(number), &value));
    set("regs.ctxt_regs.x0", value);
    set("regs.ctxt_regs.x1", x1);
    set("regs.ctxt_regs.x2", x2);
    set("regs.ctxt_regs.x3", x3);
}

/* --- Addresses: Constants.v, pgd_index and its kin take 9 bits each -----------------------------
 */

/* local_remap_vm_image: the page goes to vm_remap_addr + vm_mapped_pages * 4096, however far. */
static void core_maps_next_page_at(uint64_t remap, uint64_t mapped)
{
    set("shared.vminfos.1.VS.vm_state", READY);
    set("shared.vminfos.1.VB.vm_next_load_info", 1);
    set("shared.vminfos.1.VB.vm_load_size.0", UINT64_MAX);
    set("shared.vminfos.1.VB.vm_remap_addr.0", remap);
    set("shared.vminfos.1.VB.vm_mapped_pages.0", mapped);
    host_calls("HVC_REMAP_VM_IMAGE", 1, 0x123, 0);
    call("host_hvc_handler");
    ck_assert(!get("halt"));
}

START_TEST(tables_of_an_address_beyond_48_bits_are_those_of_its_low_48)
{
    core_maps_next_page_at(BEYOND_48_BITS + 0x40201000, 0);
    ck_assert_uint_eq(get("shared.npts.16.pt.0x1000040201.pfn"), 0x123);
    ck_assert(get("shared.npts.16.pgd_t.0") && get("shared.npts.16.pud_t.0.1") &&
              get("shared.npts.16.pmd_t.0.1.1"));
    const uint64_t next = get("shared.npts.16.pt_pmd_next");
    core_maps_next_page_at(3 * BEYOND_48_BITS + 0x40202000, 0);
    ck_assert_uint_eq(get("shared.npts.16.pt.0x3000040202.pfn"), 0x123);
    ck_assert_uint_eq(get("shared.npts.16.pt_pmd_next"), next);
}
END_TEST

START_TEST(last_and_first_page_of_each_level_have_the_tables_that_the_spec_says)
{
    static const struct {
        uint64_t addr;
        const char *pgd, *pud, *pmd;
    } rows[] = {
        {0x1ff000, "pgd_t.0", "pud_t.0.0", "pmd_t.0.0.0"},
        {0x200000, "pgd_t.0", "pud_t.0.0", "pmd_t.0.0.1"},
        {0x3ffff000, "pgd_t.0", "pud_t.0.0", "pmd_t.0.0.511"},
        {0x40000000, "pgd_t.0", "pud_t.0.1", "pmd_t.0.1.0"},
        {0x7ffffff000, "pgd_t.0", "pud_t.0.511", "pmd_t.0.511.511"},
        {0x8000000000, "pgd_t.1", "pud_t.1.0", "pmd_t.1.0.0"},
        {0xfffffffff000, "pgd_t.511", "pud_t.511.511", "pmd_t.511.511.511"},
        {BEYOND_48_BITS, "pgd_t.0", "pud_t.0.0", "pmd_t.0.0.0"},
        {UINT64_MAX - 0xfff, "pgd_t.511", "pud_t.511.511", "pmd_t.511.511.511"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        use_profile(NULL);
        core_maps_next_page_at(rows[i].addr, 0);
        const char *const tables[] = {rows[i].pgd, rows[i].pud, rows[i].pmd};
        for (size_t j = 0; j < COUNT(tables); j++) {
            char place[64] = "shared.npts.16.";
            strncat(place, tables[j], sizeof place - strlen(place) - 1);
            ck_assert_msg(get(place), "%s for address %zu", place, i);
        }
        ck_assert_uint_eq(get("shared.npts.16.pt_pmd_next"), 0x20911000 + 0x1000);
    }
}
END_TEST

START_TEST(page_beyond_64_bits_of_addresses_has_a_frame_number_of_its_own)
{
    core_maps_next_page_at(UINT64_MAX - 0xfff, 1);
    ck_assert_uint_eq(get("shared.npts.16.pt.0x10000000000000.pfn"), 0x123);
    ck_assert_uint_eq(get("shared.npts.16.pt.0.pfn"), 0);
    ck_assert(get("shared.npts.16.pmd_t.0.0.0"));
}
END_TEST

/* local_mmap: pt_pgd_next + PAGE_SIZE <=? pud_start, a sum that no counter can wrap. */
START_TEST(pool_whose_counter_is_at_the_end_of_64_bits_is_exhausted)
{
    static const char *const counters[] = {"pt_pgd_next", "pt_pud_next", "pt_pmd_next"};
    for (size_t i = 0; i < COUNT(counters); i++) {
        char place[64] = "shared.npts.1.";
        use_profile(NULL);
        set(strcat(place, counters[i]), UINT64_MAX - 100);
        assert_halts("map_s2pt 1 0x5000 3 0x5fff");
        ck_assert_uint_eq(get("shared.npts.1.pt.5.pte"), 0);
    }
}
END_TEST

/* --- Keys below 0 and beyond 64 bits ---------------------------------------------------------- */

/* ctxt_id HOSTVISOR (-1) = -1, which is not 2^64 - 1. */
START_TEST(context_minus_1_is_not_context_2_to_the_64_minus_1)
{
    set("cur_vcpuid", MINUS(1));
    set("regs.ctxt_regs.x19", 5);
    set("shadow_ctxts.0xffffffffffffffff.ctxt_regs.x19", 7);
    call("host_to_core");
    ck_assert_uint_eq(get("shadow_ctxts_below.0.ctxt_regs.x19"), 5);
    ck_assert_uint_eq(get("shadow_ctxts.0xffffffffffffffff.ctxt_regs.x19"), 7);
    set("regs.ctxt_regs.x19", 0);
    call("core_to_host");
    ck_assert_uint_eq(get("regs.ctxt_regs.x19"), 5);
}
END_TEST

/* ctxt_id 1 (-1) = 7, that of the last vCPU of the host. */
START_TEST(negative_vcpu_of_a_vm_has_a_context_that_is_not_negative)
{
    set("cur_vmid", 1);
    set("cur_vcpuid", MINUS(1));
    set("regs.ctxt_regs.x3", 9);
    call("vm_to_core");
    ck_assert_uint_eq(get("shadow_ctxts.7.ctxt_regs.x3"), 9);
}
END_TEST

START_TEST(context_beyond_64_bits_is_not_representable)
{
    set("cur_vmid", (uint64_t)1 << 61); /* ctxt_id = 2^64 */
    set("shadow_ctxts.0.ctxt_regs.x0", 3);
    assert_ends_in("host_to_core", FH_UNREPRESENTABLE, "AbstractMachine.own_shadow_ctxt", "beyond");
    assert_stuck_in("host_vcpu_run_handler_raw", "CtxtSwitch.restore_vm", "is_vmid");
    call("core_to_host"); /* of a context that is all zeros */
    ck_assert_uint_eq(get("regs.ctxt_regs.x0"), 0);
}
END_TEST

/* host_hvc_handler_spec: rely (INFO_ID + vmid) @ hlock, where vmid is any number; INFO_ID is 22. */
START_TEST(lock_of_a_vm_beyond_64_bits_is_nobody_elses)
{
    set("cur_vmid", UINT64_MAX >> 3); /* has a context */
    set("shared.hlock.21", false);
    host_calls("HVC_SMMU_FREE_PGD", 0, 0, 0);
    call("host_hvc_handler");
    use_profile(NULL);
    set("shared.smmu_vmid.0", MINUS(1)); /* for SMMU_CLEAR, whose lock is INFO_ID + 2^64 - 1 */
    set("shared.hlock.21", false);
    host_calls("HVC_SMMU_CLEAR", 0, 0, 0);
    call("host_hvc_handler");
    ck_assert_uint_eq(get("halt"), false);
}
END_TEST

/* local_set_vcpu_inactive: vcpuid @ vm_vcpu_state, at -1 the default. */
START_TEST(vcpu_minus_1_is_not_vcpu_2_to_the_64_minus_1)
{
    set("ihost", false);
    set("cur_vmid", 1);
    set("cur_vcpuid", MINUS(1));
    set("regs.ctxt_regs.ec", INTERRUPT);
    set("shared.vminfos.1.VS.vm_vcpu_state.0xffffffffffffffff", ACTIVE);
    assert_halts("vm_exit_handler");
    ck_assert_uint_eq(get("shared.vminfos.1.VS.vm_vcpu_state.0xffffffffffffffff"), ACTIVE);
}
END_TEST

/* --- Arguments of one type ----------------------------------------------------------------------
 */

/* host_hvc_handler_spec: the event of each call, whose arguments differ from one another here. */
START_TEST(each_hypercall_logs_its_arguments_in_their_places)
{
    static const struct {
        const char *number;
        uint64_t x[5];
        enum fh_event_kind kind;
        uint64_t args[FH_EVENT_ARGS];
    } rows[] = {
        {"HVC_CLEAR_VM_S2_RANGE", {2, 0x3000, 0x1000}, FH_EVENT_OVM_GET, {0}},
        {"HVC_SET_BOOT_INFO", {2, 0x3000, 0x1000}, FH_EVENT_OBOOT_INFO, {2, 0x3000, 0x1000}},
        {"HVC_REMAP_VM_IMAGE", {2, 7, 1}, FH_EVENT_OREMAP_IMAGE, {2, 7, 1}},
        {"HVC_VERIFY_VM_IMAGE", {2}, FH_EVENT_OVERIFY, {2}},
        {"HVC_SMMU_FREE_PGD", {3, 1}, FH_EVENT_OSMMU_FREE, {3, 1}},
        {"HVC_SMMU_ALLOC_PGD", {3, 2, 1}, FH_EVENT_OSMMU_ALLOC, {3, 2, 1, 6}},
        {"HVC_SMMU_LPAE_MAP",
         {0x5000, 0x9000, 2, 3, 1},
         FH_EVENT_OSMMU_MAP,
         {3, 1, 0x5000, 0x9000 | 2 | 0x10000}},
        {"HVC_SMMU_CLEAR", {0x5000, 3, 1}, FH_EVENT_OSMMU_CLEAR, {0x5000, 3, 1}},
        {"HVC_PHYS_ADDR_IOREMAP", {2, 0x4000, 0x8000, 1}, FH_EVENT_OMAP_IO, {2, 0x4000, 0x8000}},
        {"HVC_REGISTER_VCPU", {2, 5}, FH_EVENT_OREG_VCPU, {2, 5}},
        {"HVC_ENCRYPT_BUF", {2, 0x3000, 0x6000}, FH_EVENT_OSAVE_ENC_BUF, {2, 0x3000, 0x6000, 9}},
        {"HVC_DECRYPT_BUF", {2, 0x3000}, FH_EVENT_OLOAD_ENC_BUF, {2, 0x3000, 9}},
        {"HVC_LOAD_CRYPT_VCPU", {2, 5}, FH_EVENT_OLOAD_ENC_VCPU, {2, 5, 9}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        use_profile(NULL);
        host_calls(rows[i].number, rows[i].x[0], rows[i].x[1], rows[i].x[2]);
        set("regs.ctxt_regs.x4", rows[i].x[3]);
        set("regs.ctxt_regs.x5", rows[i].x[4]);
        set("smmu_conf.smmu_dev_context_banks.1", 6);
        set("data_log.0", 9);
        set("data_log.2", 4);
        call("host_hvc_handler");
        const struct fh_event *event = fh_state_rdata(machine)->slog.newest;
        if (!event) /* a summary keeps none */
            continue;
        ck_assert_msg(event->kind == rows[i].kind, "%s logs another event", rows[i].number);
        ck_assert_msg(memcmp(event->args, rows[i].args, sizeof event->args) == 0,
                      "%s logs other arguments", rows[i].number);
        if (rows[i].kind != FH_EVENT_OSMMU_MAP)
            continue;
        const uint64_t assigned[FH_EVENT_ARGS] = {3, 1, 9, 5}; /* cbndx, index, pfn, gfn */
        ck_assert_int_eq(event->older->kind, FH_EVENT_OASSIGN_SMMU);
        ck_assert(memcmp(event->older->args, assigned, sizeof assigned) == 0);
    }
}
END_TEST

/* SMMU_TTBR and smmu_id take the SMMU first, then the bank; everything else the bank first. */
START_TEST(bank_3_of_smmu_1_is_not_bank_1_of_smmu_3)
{
    set("smmu_conf.smmu_dev_context_banks.1", 6);
    host_calls("HVC_SMMU_ALLOC_PGD", 3, 2, 1);
    call("host_hvc_handler");
    ck_assert_uint_eq(get("shared.smmu_vmid.11"), 2); /* 1 * 8 + 3 */
    set("shared.s2page.9.s2_owner", 2);
    set("shared.s2page.9.s2_gfn", 5);
    set("shared.s2page.25.s2_owner", 2); /* 9, with the bit of PTE_AF_OR_SH_IS */
    set("shared.s2page.25.s2_gfn", 5);
    host_calls("HVC_SMMU_LPAE_MAP", 0x5000, 0x9000, 2);
    set("regs.ctxt_regs.x4", 3);
    set("regs.ctxt_regs.x5", 1);
    call("host_hvc_handler");
    ck_assert(!get("halt"));
    ck_assert_uint_eq(get("shared.spts.spt_pt.0x26000.5.pte"), 0x19002); /* 65536 + 11 * 8192 */
    host_calls("HVC_SMMU_LPAE_IOVA_TO_PHYS", 0x5678, 3, 1);
    call("host_hvc_handler");
    ck_assert_uint_eq(get("regs.ctxt_regs.x0"), 0x19678);
    host_calls("HVC_SMMU_CLEAR", 0x5000, 3, 1);
    call("host_hvc_handler");
    ck_assert_uint_eq(get("shared.spts.spt_pt.0x26000.5.pte"), 0);
}
END_TEST

/* --- Stuck comes before not representable ------------------------------------------------------
 */

/* prot_and_map_vm_s2pt_spec_h: the page is taken, which counts the data oracle, and then mapped. */
static void host_loads_an_image_with_data_at(uint64_t n)
{
    set("shared.vminfos.1.VS.vm_state", READY);
    set("shared.vminfos.1.VB.vm_next_load_info", 1);
    set("shared.vminfos.1.VB.vm_load_addr.0", 0x200000);
    set("shared.vminfos.1.VB.vm_mapped_pages.0", 1);
    set("shared.npts.16.pt.0.pte", 0x200000);
    for (uint64_t pfn = 0x200; pfn < 0x600; pfn++) {
        char place[64];
        snprintf(place, sizeof place, "shared.s2page.%u.s2_owner", (unsigned)pfn);
        set(place, pfn == 0x3ff ? 0 : 1);
    }
    set("data_log.1", n);
    host_calls("HVC_VERIFY_VM_IMAGE", 1, 0, 0);
}

START_TEST(call_that_is_stuck_further_on_is_stuck_though_a_counter_leaves_64_bits)
{
    host_loads_an_image_with_data_at(UINT64_MAX);
    assert_ends_in("host_hvc_handler", FH_UNREPRESENTABLE, "TrapHandler.fetch_page",
                   "not (fh_n_ == UINT64_MAX)");
    set("shared.hlock.6", false);
    assert_stuck_in("host_hvc_handler", "TrapHandler.map_for_vm", "is_usable");
    set("shared.hlock.6", true);
    set("data_log.1", UINT64_MAX - 1);
    call("host_hvc_handler");
    ck_assert_uint_eq(get("data_log.1"), UINT64_MAX);
}
END_TEST

START_TEST(oracle_is_not_asked_for_a_value_beyond_64_bits)
{
    host_loads_an_image_with_data_at(UINT64_MAX);
    set("shared.s2page.0x3fe.s2_owner", 0);
    set("shared.hlock.6", false);
    assert_ends_in("host_hvc_handler", FH_UNREPRESENTABLE, "TrapHandler.fetch_page", "beyond");
}
END_TEST

/* verify_and_load_loop_h: an image at the end of the address space; start' is beyond it. */
START_TEST(image_that_leaves_64_bits_is_not_representable_and_takes_no_page_at_0)
{
    host_loads_an_image_with_data_at(0);
    set("shared.vminfos.1.VB.vm_load_addr.0", UINT64_MAX - 0xfff);
    set("shared.vminfos.1.VB.vm_mapped_pages.0", 2);
    set("shared.npts.16.pt.1.pte", 0x400000);
    assert_ends_in("host_hvc_handler", FH_UNREPRESENTABLE, "TrapHandler.map_for_vm", "is_int64");
}
END_TEST

static uint64_t decrypt_past_the_end(void *context, uint64_t vmid, uint64_t n, struct fh_ctxt *ctxt)
{
    (void)context, (void)vmid;
    ctxt->ctxt_regs.x0 = 4;
    return n + 2 > n ? n + 2 : 0;
}

START_TEST(decryption_that_counts_past_64_bits_is_not_representable)
{
    fh_state_environment(machine)->decrypt_gp_regs = decrypt_past_the_end;
    set("shared.vminfos.1.VS.vm_state", READY);
    set("shared.vminfos.1.VS.vm_vcpu_state.0", READY);
    host_calls("HVC_LOAD_CRYPT_VCPU", 1, 0, 0);
    set("data_log.0", UINT64_MAX - 1);
    assert_ends_in("host_hvc_handler", FH_UNREPRESENTABLE, "TrapHandler.decrypt_ctxt", "first");
    set("data_log.1", UINT64_MAX - 1);
    assert_ends_in("decrypt_gp_regs 1 0", FH_UNREPRESENTABLE, "AbstractMachine.decrypt_regs", "n");
    set("data_log.0", 5);
    call("host_hvc_handler");
    ck_assert_uint_eq(get("data_log.0"), 7);
}
END_TEST

/* fetch_from_doracle_spec: the values up to number 2^64 - 1 can be asked for, the count is 2^64. */
START_TEST(data_up_to_the_last_number_is_read_and_then_not_counted)
{
    set("data_log.1", UINT64_MAX - 1);
    assert_not_representable("fetch_from_doracle 1 5 2", "is_int64");
    assert_not_representable("fetch_from_doracle 1 5 3", "UINT64_MAX");
    call("fetch_from_doracle 1 5 1");
    ck_assert_uint_eq(get("data_log.1"), UINT64_MAX);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, each_hypercall_logs_its_arguments_in_their_places);
    tcase_add_test(tests, bank_3_of_smmu_1_is_not_bank_1_of_smmu_3);
    tcase_add_test(tests, tables_of_an_address_beyond_48_bits_are_those_of_its_low_48);
    tcase_add_test(tests, last_and_first_page_of_each_level_have_the_tables_that_the_spec_says);
    tcase_add_test(tests, page_beyond_64_bits_of_addresses_has_a_frame_number_of_its_own);
    tcase_add_test(tests, pool_whose_counter_is_at_the_end_of_64_bits_is_exhausted);
    tcase_add_test(tests, context_minus_1_is_not_context_2_to_the_64_minus_1);
    tcase_add_test(tests, negative_vcpu_of_a_vm_has_a_context_that_is_not_negative);
    tcase_add_test(tests, context_beyond_64_bits_is_not_representable);
    tcase_add_test(tests, lock_of_a_vm_beyond_64_bits_is_nobody_elses);
    tcase_add_test(tests, vcpu_minus_1_is_not_vcpu_2_to_the_64_minus_1);
    tcase_add_test(tests, call_that_is_stuck_further_on_is_stuck_though_a_counter_leaves_64_bits);
    tcase_add_test(tests, oracle_is_not_asked_for_a_value_beyond_64_bits);
    tcase_add_test(tests, image_that_leaves_64_bits_is_not_representable_and_takes_no_page_at_0);
    tcase_add_test(tests, decryption_that_counts_past_64_bits_is_not_representable);
    tcase_add_test(tests, data_up_to_the_last_number_is_read_and_then_not_counted);
}

int main(void)
{
    return run_layer_tests("edges", add);
}
