/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <string.h>

/* Accesses to memory: walks, faults, who handles them, data. The machine is the spec's. */

static struct memory memory;
static struct fh_state *state;
static struct fh_access_outcome outcome;

enum { MIB = 1 << 20, VM_PAGE = 0x300, SECRET = 0x5ec2e7, SHIPPED = 0x40000 };

static const struct fh_scene_vm vms[] = {
    {.vmid = 1, .vcpus = 2}, {.vmid = 2, .vcpus = 1}, {.vmid = 3, .life = FH_SCENE_REGISTERED}};
static const struct fh_scene_smmu smmu = {.base = 0x100000};

/* 8 MiB of the host's from 2 MiB on; VM 1 has a page. That of the shipped kernel is at 1 GiB. */
static void make_state(const struct fh_machine *machine, enum fh_realisation realisation)
{
    const struct fh_config config = {
        .machine = machine, .allocator = &memory.allocator, .realisation = realisation};
    const bool is_shipped = machine == &fh_machine_sekvm_4_18;
    const struct fh_scene_region region = {
        .base = is_shipped ? SHIPPED << 12 : 2 * MIB, .size = 8 * MIB, .has_gfn = is_shipped};
    const struct fh_scene_pages pages = {
        .vmid = 1, .gfn = 0x50000, .pfn = VM_PAGE + (is_shipped ? SHIPPED : 0)};
    const struct fh_scene scene = {.regions = &region,
                                   .nregions = 1,
                                   .smmus = &smmu,
                                   .nsmmus = 1,
                                   .vms = vms,
                                   .nvms = 3,
                                   .pages = &pages,
                                   .npages = 1};
    memory_init(&memory);
    state = fh_state_new(&config);
    ck_assert_int_eq(fh_scene_build(state, &scene), FH_OK);
}

static void set_up(void)
{
    make_state(&fh_machine_spec, FH_BOTH);
}

/* In the spec a vCPU that faults is the end. */
static void set_up_shipped(void)
{
    make_state(&fh_machine_sekvm_4_18, FH_BOTH);
}

static void tear_down(void)
{
    fh_state_free(state);
    ck_assert_uint_eq(memory.blocks, 0);
}

static enum fh_access_end make(struct fh_access_request access)
{
    fh_access(state, &access, &outcome);
    return outcome.end;
}

static struct fh_access_request by_host(uint64_t address)
{
    return (struct fh_access_request){.by = {.kind = FH_BY_HOST}, .address = address};
}

static struct fh_access_request by_vm(uint64_t vmid, uint64_t address)
{
    return (struct fh_access_request){.by = {.kind = FH_BY_VM, .vmid = vmid}, .address = address};
}

static struct fh_access_request by_device(uint64_t bank, uint64_t address)
{
    return (struct fh_access_request){.by = {.kind = FH_BY_DEVICE, .bank = bank},
                                      .address = address};
}

static struct fh_access_request writing(struct fh_access_request access, uint64_t value)
{
    access.kind = FH_ARM_WRITE;
    access.value = value;
    return access;
}

static uint64_t get(const char *path)
{
    uint64_t value = 0;
    ck_assert_msg(fh_get(state, path, &value) == FH_OK, "%s", path);
    return value;
}

/* --- The host --------------------------------------------------------------------------------- */

START_TEST(the_host_touches_its_own_page_twice_and_faults_once)
{
    struct fh_access_request access = by_host(0x345678);
    access.rt = 7;
    ck_assert_int_eq(make(access), FH_ACCESS_DONE);
    ck_assert_uint_eq(outcome.tries, 2);
    ck_assert_int_eq(outcome.handler, FH_HANDLED_BY_KCORE);
    ck_assert_int_eq(outcome.fault, FH_ARM_STATUS_TRANSLATION);
    ck_assert_int_eq(outcome.level, 0);
    /* A load of 8 bytes into X7: DABT_LOW, IL, ISV, SAS 3, SRT 7, SF, DFSC 4. */
    ck_assert_uint_eq(outcome.abort.esr, 0x93c78004);
    ck_assert_uint_eq(outcome.abort.far, 0x345678);
    ck_assert_uint_eq(outcome.abort.hpfar, 0x3450);
    ck_assert_uint_eq(outcome.pa, 0x345678);
    ck_assert_int_eq(make(access), FH_ACCESS_DONE);
    ck_assert_uint_eq(outcome.tries, 1);
    ck_assert(!outcome.has_fault);
    ck_assert_int_eq(outcome.handler, FH_HANDLED_BY_NOBODY);
}
END_TEST

START_TEST(a_page_beside_one_that_is_mapped_faults_at_the_last_level)
{
    make(by_host(0x345000));
    ck_assert_int_eq(make(by_host(0x346000)), FH_ACCESS_DONE);
    ck_assert_int_eq(outcome.level, 3);
}
END_TEST

START_TEST(what_is_written_is_read_in_parts_as_little_endian)
{
    struct fh_access_request access = by_host(0x345004);
    ck_assert_int_eq(make(writing(access, 0x8877665544332211)), FH_ACCESS_DONE);
    access.bytes = 1;
    make(access);
    ck_assert_uint_eq(outcome.value, 0x11);
    access.address += 6;
    access.bytes = 2;
    make(access);
    ck_assert_uint_eq(outcome.value, 0x8877);
    access.is_signed = true;
    make(access);
    ck_assert_uint_eq(outcome.value, 0xffff8877);
    access.is_64bit = true;
    access.rt = 3;
    make(access);
    ck_assert_uint_eq(outcome.value, 0xffffffffffff8877);
    ck_assert_uint_eq(fh_state_rdata(state)->regs->ctxt_regs.x3, 0xffffffffffff8877);
    ck_assert_uint_eq(fh_memory_read(state, 0x345008, 8), 0x88776655);
}
END_TEST

START_TEST(an_access_across_pages_faults_for_each_and_moves_all_bytes)
{
    ck_assert_int_eq(make(writing(by_host(0x345ffc), 0x1122334455667788)), FH_ACCESS_DONE);
    ck_assert_uint_eq(outcome.tries, 3);
    ck_assert_uint_eq(outcome.abort.far, 0x345ffc);
    ck_assert_uint_eq(fh_memory_read(state, 0x345ffc, 4), 0x55667788);
    ck_assert_uint_eq(fh_memory_read(state, 0x346000, 4), 0x11223344);
}
END_TEST

START_TEST(the_host_that_touches_a_page_of_a_vm_is_the_end)
{
    ck_assert_int_eq(make(by_host(VM_PAGE << 12)), FH_ACCESS_HALTED);
    ck_assert_uint_eq(outcome.tries, 1);
    ck_assert_str_eq(outcome.trap.function, "map_page_host");
    ck_assert_int_eq(make(by_host(0x345678)), FH_ACCESS_HALTED);
    ck_assert_uint_eq(outcome.tries, 0);
}
END_TEST

/* HPFAR_MASK of the spec ends at 16 MiB: KCore maps another page, again and again. */
START_TEST(a_page_that_kcore_cannot_name_faults_with_every_try)
{
    struct fh_access_request access = by_host(0x1345678);
    access.tries = 5;
    ck_assert_int_eq(make(access), FH_ACCESS_FAULTS);
    ck_assert_uint_eq(outcome.tries, 5);
    ck_assert_uint_eq(get("shared.npts.0.pt.0x345.pfn"), 0x345);
}
END_TEST

START_TEST(a_register_of_an_smmu_is_emulated)
{
    struct fh_access_request access = by_host(0x100004);
    access.bytes = 4;
    access.rt = 5;
    ck_assert_int_eq(make(writing(access, 0x77)), FH_ACCESS_EMULATED);
    ck_assert_int_eq(outcome.handler, FH_HANDLED_BY_KCORE);
    ck_assert_uint_eq(outcome.tries, 1);
    ck_assert_uint_eq(fh_memory_read(state, 0x100004, 4), 0);
}
END_TEST

/* --- VMs -------------------------------------------------------------------------------------- */

START_TEST(a_vm_runs_to_access_what_is_mapped_for_it)
{
    ck_assert_int_eq(make(writing(by_vm(1, 0x50000008), SECRET)), FH_ACCESS_DONE);
    ck_assert_uint_eq(outcome.tries, 1);
    ck_assert_uint_eq(outcome.pa, (VM_PAGE << 12) + 8);
    ck_assert_uint_eq(get("cur_vmid"), 1);
    ck_assert_uint_eq(fh_memory_read(state, (VM_PAGE << 12) + 8, 8), SECRET);
}
END_TEST

START_TEST(a_vm_that_faults_is_the_end_in_the_spec)
{
    ck_assert_int_eq(make(by_vm(1, 0x60000000)), FH_ACCESS_HALTED);
    ck_assert_str_eq(outcome.trap.function, "vm_exit_dispatcher");
    ck_assert_uint_eq(outcome.abort.hpfar, 0x600000);
}
END_TEST

START_TEST(a_vm_that_faults_is_given_the_first_free_page_by_the_host)
{
    ck_assert_int_eq(make(writing(by_vm(2, 0x60000000), 9)), FH_ACCESS_DONE);
    ck_assert_uint_eq(outcome.tries, 2);
    ck_assert_int_eq(outcome.handler, FH_HANDLED_BY_HOST);
    ck_assert_int_eq(outcome.level, 1);
    ck_assert_uint_eq(outcome.pa, 0x40000000);
    ck_assert_uint_eq(get("shared.s2page.0x40000.s2_owner"), 2);
    ck_assert_uint_eq(get("shared.npts.2.pt.0x60000.pfn"), 0x40000);
}
END_TEST

/* An access to 0x60000010, for which the host gives `pfn`. */
static enum fh_access_end with_page(uint64_t vmid, uint64_t pfn)
{
    const struct fh_host_answer gives = {.kind = FH_HOST_GIVES, .pfn = pfn};
    struct fh_access_request access = by_vm(vmid, 0x60000010);
    access.answers = &gives;
    access.nanswers = 1;
    return make(access);
}

START_TEST(a_page_that_the_host_gives_keeps_what_the_host_wrote)
{
    ck_assert_int_eq(make(writing(by_host(0x40345010), 42)), FH_ACCESS_DONE);
    ck_assert_int_eq(with_page(2, 0x40345), FH_ACCESS_DONE);
    ck_assert_uint_eq(outcome.value, 42);
    ck_assert_uint_eq(get("shared.npts.0.pt.0x40345.pte"), 0x100000000000000); /* PAGE_GUEST */
}
END_TEST

/* A1, A16: the panic returns, and the page is mapped. */
START_TEST(the_shipped_kernel_lets_a_vm_read_anothers_secret)
{
    make(writing(by_vm(1, 0x50000010), SECRET));
    ck_assert(!outcome.is_foreign);
    ck_assert_int_eq(with_page(2, SHIPPED + VM_PAGE), FH_ACCESS_DONE);
    ck_assert_uint_eq(outcome.value, SECRET);
    ck_assert(outcome.is_foreign);
    ck_assert_uint_eq(outcome.owner, 1);
}
END_TEST

/* A1: the panic returns, and nothing is mapped. */
START_TEST(the_shipped_kernels_host_faults_for_ever_on_a_vms_page)
{
    ck_assert_int_eq(make(by_host((uint64_t)(SHIPPED + VM_PAGE) << 12)), FH_ACCESS_FAULTS);
    ck_assert_uint_eq(outcome.tries, FH_ACCESS_TRIES);
    ck_assert_uint_eq(get("shared.npts.0.pt.0x40300.pte"), 0);
}
END_TEST

START_TEST(a_device_that_the_host_emulates_reads_as_the_host_says)
{
    const struct fh_host_answer emulates = {.kind = FH_HOST_EMULATES, .value = 0x1234};
    struct fh_access_request access = by_vm(1, 0x9000000);
    access.answers = &emulates;
    access.nanswers = 1;
    access.rt = 4;
    ck_assert_int_eq(make(access), FH_ACCESS_EMULATED);
    ck_assert_uint_eq(outcome.value, 0x1234);
    ck_assert_int_eq(outcome.handler, FH_HANDLED_BY_HOST);
    ck_assert_uint_eq(fh_state_rdata(state)->regs->ctxt_regs.x4, 0x1234);
    ck_assert_int_eq(make(writing(access, 0x1234)), FH_ACCESS_EMULATED);
}
END_TEST

START_TEST(a_vcpu_that_the_host_does_not_run_again_stops)
{
    const struct fh_host_answer stops = {.kind = FH_HOST_STOPS};
    struct fh_access_request access = by_vm(1, 0x60000000);
    access.answers = &stops;
    access.nanswers = 1;
    ck_assert_int_eq(make(access), FH_ACCESS_STOPPED);
    ck_assert_uint_eq(get("cur_vmid"), 0);
}
END_TEST

START_TEST(a_host_that_gives_nothing_lets_the_vcpu_fault_for_ever)
{
    const struct fh_host_answer nothing[] = {
        {.kind = FH_HOST_RUNS_ON}, {.kind = FH_HOST_RUNS_ON}, {.kind = FH_HOST_RUNS_ON}};
    struct fh_access_request access = by_vm(1, 0x60000000);
    access.answers = nothing;
    access.nanswers = 3;
    access.tries = 3;
    ck_assert_int_eq(make(access), FH_ACCESS_FAULTS);
    ck_assert_uint_eq(outcome.tries, 3);
}
END_TEST

START_TEST(the_cpu_goes_from_vm_to_host_and_to_another_vcpu)
{
    struct fh_access_request second = by_vm(1, 0x50000000);
    second.by.vcpuid = 1;
    make(writing(by_vm(1, 0x50000000), SECRET));
    ck_assert_int_eq(make(second), FH_ACCESS_DONE);
    ck_assert_uint_eq(outcome.value, SECRET);
    ck_assert_uint_eq(get("cur_vcpuid"), 1);
    ck_assert_int_eq(make(by_host(0x400000)), FH_ACCESS_DONE);
    ck_assert_uint_eq(get("cur_vmid"), 0);
}
END_TEST

START_TEST(a_page_that_goes_back_to_the_host_is_scrubbed)
{
    make(writing(by_vm(1, 0x50000000), SECRET));
    make(by_host(0x400000));
    ck_assert_int_eq(fh_clear_vm_page(state, 1, VM_PAGE), FH_OK);
    ck_assert_int_eq(make(by_host(VM_PAGE << 12)), FH_ACCESS_DONE);
    ck_assert_uint_eq(outcome.value, 0);
}
END_TEST

/* --- Devices ---------------------------------------------------------------------------------- */

enum { BANK = 2, READ_AND_WRITE = 0xc0 };

START_TEST(a_device_reaches_what_its_bank_maps_and_no_more)
{
    ck_assert_int_eq(fh_scene_set_bank(state, 0, BANK, 3), FH_OK);
    ck_assert_int_eq(fh_el2_arm_lpae_map(state, 0x7000, 0x40345000, READ_AND_WRITE, BANK, 0),
                     FH_OK);
    ck_assert_int_eq(make(writing(by_device(BANK, 0x7010), 3)), FH_ACCESS_DONE);
    ck_assert_uint_eq(fh_memory_read(state, 0x40345010, 8), 3);
    ck_assert_int_eq(make(writing(by_device(BANK, 0x8010), 3)), FH_ACCESS_FAULTS);
    ck_assert_uint_eq(outcome.tries, 1);
    ck_assert_int_eq(outcome.handler, FH_HANDLED_BY_SMMU);
    ck_assert_uint_eq(outcome.noted.fsr & 0x1ff, 2); /* TF */
    ck_assert_uint_eq(outcome.noted.fsynr0, 0x13);   /* a write, level 3 */
    ck_assert_uint_eq(outcome.noted.far, 0x8010);
    ck_assert_int_eq(make(by_device(3, 0x7010)), FH_ACCESS_FAULTS);
}
END_TEST

/* --- The TLB ---------------------------------------------------------------------------------- */

/* The VM's table loses the page without a TLBI. */
static void replace_mapping(void)
{
    ck_assert_int_eq(fh_map_pfn_vm(state, 1, 0x50000000, 0x301000, 3), FH_OK);
}

START_TEST(a_translation_that_was_used_is_kept_until_it_is_invalidated)
{
    struct fh_access_request access = by_vm(1, 0x50000000);
    access.has_tlb = true;
    make(writing(access, SECRET));
    ck_assert(!outcome.is_cached);
    replace_mapping();
    ck_assert_int_eq(make(access), FH_ACCESS_DONE);
    ck_assert(outcome.is_cached && outcome.is_stale);
    ck_assert_uint_eq(outcome.value, SECRET);
    access.has_tlb = false;
    make(access);
    ck_assert_uint_eq(outcome.value, 0);
    ck_assert_uint_eq(outcome.pa, 0x301000);
}
END_TEST

START_TEST(a_page_taken_from_the_host_is_gone_from_every_tlb)
{
    struct fh_access_request host = by_host(0x40345000);
    host.has_tlb = true;
    ck_assert_int_eq(make(host), FH_ACCESS_DONE);
    ck_assert_int_eq(with_page(2, 0x40345), FH_ACCESS_DONE);
    ck_assert_int_eq(make(host), FH_ACCESS_FAULTS);
    ck_assert(!outcome.is_cached);
}
END_TEST

/*
 * KCore unmaps a device's page, and the SMMU's TLB keeps it until the host invalidates: by
 * TLBIALLNSNH, TLBIIPAS2 of the bank, TLBIALL of the bank.
 */
START_TEST(the_tlb_of_an_smmu_is_the_hosts_to_invalidate)
{
    const struct {
        uint64_t address, value;
        unsigned bytes;
    } writes[] = {{0x100068, 0, 4}, {0x10a630, 7, 8}, {0x10a618, 0, 4}};
    struct fh_access_request device = by_device(BANK, 0x7000);
    device.has_tlb = true;
    ck_assert_int_eq(fh_scene_set_bank(state, 0, BANK, 3), FH_OK);
    for (unsigned i = 0; i < 3; i++) {
        struct fh_access_request host = writing(by_host(writes[i].address), writes[i].value);
        host.bytes = writes[i].bytes;
        fh_el2_arm_lpae_map(state, 0x7000, 0x40345000, READ_AND_WRITE, BANK, 0);
        ck_assert_int_eq(make(device), FH_ACCESS_DONE);
        ck_assert_int_eq(fh_unmap_smmu_page(state, BANK, 0, 0x7000), FH_OK);
        ck_assert_int_eq(make(device), FH_ACCESS_DONE);
        ck_assert(outcome.is_stale);
        ck_assert_int_eq(make(host), FH_ACCESS_EMULATED);
        ck_assert_int_eq(make(device), FH_ACCESS_FAULTS);
    }
}
END_TEST

/* --- What cannot be, and failures ------------------------------------------------------------- */

START_TEST(an_access_that_cannot_be_is_refused_with_its_reason)
{
    struct fh_access_request access = by_host(0x345000);
    access.bytes = 3;
    ck_assert_int_eq(fh_access(state, &access, &outcome), FH_INVALID_ARGUMENT);
    ck_assert_str_eq(fh_state_error(state)->condition,
                     "bytes <= WORD && (bytes & (bytes - 1)) == 0");
    access = by_vm(16, 0);
    ck_assert_int_eq(fh_access(state, &access, &outcome), FH_INVALID_ARGUMENT);
    access = by_device(8, 0);
    ck_assert_int_eq(fh_access(state, &access, &outcome), FH_INVALID_ARGUMENT);
    access = by_host(UINT64_MAX);
    ck_assert_int_eq(fh_access(state, &access, &outcome), FH_INVALID_ARGUMENT);
}
END_TEST

START_TEST(tables_that_are_maps_cannot_be_walked)
{
    tear_down();
    make_state(&fh_machine_spec, FH_ABSTRACT);
    ck_assert_int_eq(make(by_host(0x345000)), FH_ACCESS_STUCK);
    ck_assert_int_eq(outcome.status, FH_INVALID_ARGUMENT);
}
END_TEST

START_TEST(an_access_that_gets_stuck_leaves_everything_as_it_was)
{
    ck_assert_int_eq(fh_set(state, "lock.S2PAGE_ID", FH_LOCK_OWN), FH_OK);
    const struct fh_rdata *before = fh_state_snapshot(state);
    ck_assert_int_eq(make(writing(by_host(0x345000), 1)), FH_ACCESS_STUCK);
    ck_assert_int_eq(outcome.status, FH_STUCK);
    assert_same_data(before, fh_state_rdata(state));
    fh_snapshot_release(before, fh_state_allocator(state));
}
END_TEST

START_TEST(an_access_can_be_taken_back_whole)
{
    const struct fh_rdata *before = fh_state_snapshot(state);
    ck_assert_int_eq(make(writing(by_vm(2, 0x60000000), 9)), FH_ACCESS_DONE);
    ck_assert_int_eq(fh_undo(state), FH_OK);
    assert_same_data(before, fh_state_rdata(state));
    fh_snapshot_release(before, fh_state_allocator(state));
}
END_TEST

START_TEST(an_access_without_memory_leaves_everything_as_it_was)
{
    const struct fh_rdata *before = fh_state_snapshot(state);
    struct fh_access_request access = writing(by_vm(2, 0x60000000), 9);
    access.has_tlb = true;
    for (size_t n = 1;; n++) {
        memory_fail_at(&memory, n, false);
        const enum fh_status status = fh_access(state, &access, &outcome);
        const bool has_failed = memory.allocations >= n;
        memory_fail_at(&memory, 0, false);
        if (!has_failed)
            break;
        if (status == FH_NOMEM)
            assert_same_data(before, fh_state_rdata(state));
        else
            ck_assert_int_eq(fh_undo(state), FH_OK);
    }
    ck_assert_int_eq(outcome.end, FH_ACCESS_DONE);
    fh_snapshot_release(before, fh_state_allocator(state));
}
END_TEST

static void add_of_spec(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_host_touches_its_own_page_twice_and_faults_once);
    tcase_add_test(tests, a_page_beside_one_that_is_mapped_faults_at_the_last_level);
    tcase_add_test(tests, what_is_written_is_read_in_parts_as_little_endian);
    tcase_add_test(tests, an_access_across_pages_faults_for_each_and_moves_all_bytes);
    tcase_add_test(tests, the_host_that_touches_a_page_of_a_vm_is_the_end);
    tcase_add_test(tests, a_page_that_kcore_cannot_name_faults_with_every_try);
    tcase_add_test(tests, a_register_of_an_smmu_is_emulated);
    tcase_add_test(tests, a_vm_runs_to_access_what_is_mapped_for_it);
    tcase_add_test(tests, a_vm_that_faults_is_the_end_in_the_spec);
    tcase_add_test(tests, the_cpu_goes_from_vm_to_host_and_to_another_vcpu);
    tcase_add_test(tests, a_page_that_goes_back_to_the_host_is_scrubbed);
    tcase_add_test(tests, a_translation_that_was_used_is_kept_until_it_is_invalidated);
    tcase_add_test(tests, an_access_that_cannot_be_is_refused_with_its_reason);
    tcase_add_test(tests, tables_that_are_maps_cannot_be_walked);
    tcase_add_test(tests, an_access_that_gets_stuck_leaves_everything_as_it_was);
}

static void add_of_shipped(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up_shipped, tear_down);
    tcase_add_test(tests, a_vm_that_faults_is_given_the_first_free_page_by_the_host);
    tcase_add_test(tests, a_page_that_the_host_gives_keeps_what_the_host_wrote);
    tcase_add_test(tests, the_shipped_kernel_lets_a_vm_read_anothers_secret);
    tcase_add_test(tests, the_shipped_kernels_host_faults_for_ever_on_a_vms_page);
    tcase_add_test(tests, a_device_that_the_host_emulates_reads_as_the_host_says);
    tcase_add_test(tests, a_vcpu_that_the_host_does_not_run_again_stops);
    tcase_add_test(tests, a_host_that_gives_nothing_lets_the_vcpu_fault_for_ever);
    tcase_add_test(tests, a_device_reaches_what_its_bank_maps_and_no_more);
    tcase_add_test(tests, a_page_taken_from_the_host_is_gone_from_every_tlb);
    tcase_add_test(tests, the_tlb_of_an_smmu_is_the_hosts_to_invalidate);
    tcase_add_test(tests, an_access_can_be_taken_back_whole);
    tcase_add_test(tests, an_access_without_memory_leaves_everything_as_it_was);
}

int main(void)
{
    return run_tests("access of the spec", add_of_spec) |
           run_tests("access of the shipped kernel", add_of_shipped);
}
