/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <string.h>

#include "trace/trace_check.h"

/* Records that have all their keys and say what cannot be. */

static struct trace_limits limits;
static struct trace_check *check;
static struct trace_fault fault;

static struct trace_effect effects[2001]; /* of a boot record */
static size_t neffects;

static void begin(void)
{
    neffects = 0;
    limits = trace_limits_of(&fh_profile_sekvm_4_18);
    check = trace_check_new(&limits);
    memset(&fault, 0, sizeof fault);
}

static void teardown(void)
{
    trace_check_free(check);
}

/* --- Order ----------------------------------------------------------------------------------- */

static struct trace_line stay(uint64_t cpu, uint64_t seq, uint64_t g0, uint64_t g1)
{
    return (struct trace_line){
        .has = TRACE_HAS_CPU | TRACE_HAS_EVENTS, .cpu = cpu, .seq = seq, .g0 = g0, .g1 = g1};
}

static bool can_follow(struct trace_line line)
{
    return trace_check_next(check, &line, &fault);
}

START_TEST(stays_of_two_cpus_may_overlap)
{
    ck_assert(can_follow(stay(0, 0, 0, 9)));
    ck_assert(can_follow(stay(1, 2, 12, 15)));
    ck_assert(can_follow(stay(0, 1, 11, 19))); /* began before, ended after */
    ck_assert(can_follow(stay(1, 3, 16, 21)));
}
END_TEST

START_TEST(a_number_does_not_come_twice_on_a_cpu)
{
    ck_assert(can_follow(stay(0, 5, 1, 9)));
    ck_assert(!can_follow(stay(0, 5, 10, 19)));
    ck_assert(strstr(fault.text, "seq 5"));
}
END_TEST

START_TEST(a_number_does_not_come_twice_on_two_cpus)
{
    ck_assert(can_follow(stay(0, 5, 1, 9)));
    ck_assert(!can_follow(stay(1, 5, 10, 19)));
}
END_TEST

START_TEST(numbers_do_not_fall_on_a_cpu)
{
    ck_assert(can_follow(stay(0, 5, 1, 9)));
    ck_assert(!can_follow(stay(0, 4, 10, 19)));
    ck_assert(can_follow(stay(1, 4, 10, 19))); /* began before, or took its number before */
}
END_TEST

START_TEST(a_number_does_not_come_twice_however_far_apart)
{
    for (uint64_t i = 0; i < 1000; i++)
        ck_assert(can_follow(stay(0, i * i, i * 10 + 1, i * 10 + 9)));
    ck_assert(!can_follow(stay(1, 25, 20000, 20009)));
    ck_assert(can_follow(stay(1, 26, 20000, 20009)));
    ck_assert(!can_follow(stay(2, 26, 20010, 20019)));
}
END_TEST

START_TEST(numbers_that_fill_a_gap_are_told_from_those_beside_it)
{
    ck_assert(can_follow(stay(0, 1, 1, 2)));
    ck_assert(can_follow(stay(0, 3, 3, 4)));
    ck_assert(can_follow(stay(1, 2, 5, 6)));
    for (uint64_t i = 0; i < 4; i++)
        ck_assert(can_follow(stay(2 + i, i, 10 + i * 10, 19 + i * 10)) == (i == 0));
}
END_TEST

START_TEST(an_exception_inside_el2_needs_no_number_and_one_event)
{
    struct trace_line line = stay(0, UINT64_MAX, 5, 5);
    ck_assert(!can_follow(line));
    line.kind = TRACE_KIND_el2_exception;
    ck_assert(can_follow(line));
    line.g0 = 7;
    line.g1 = 6;
    ck_assert(!can_follow(line));
}
END_TEST

START_TEST(a_number_is_not_negative)
{
    ck_assert(!can_follow(stay(0, UINT64_MAX, 1, 9)));
}
END_TEST

START_TEST(a_later_stay_does_not_begin_before)
{
    ck_assert(can_follow(stay(0, 1, 1, 9)));
    ck_assert(!can_follow(stay(0, 2, 0, 19)));
    ck_assert(!can_follow(stay(0, 2, 9, 19)));
    ck_assert(can_follow(stay(0, 2, 10, 19)));
}
END_TEST

START_TEST(an_event_is_of_one_cpu)
{
    ck_assert(can_follow(stay(0, 1, 1, 9)));
    ck_assert(!can_follow(stay(1, 2, 9, 12)));
    ck_assert(!can_follow(stay(1, 2, 1, 12)));
    ck_assert(!can_follow(stay(1, 0, 0, 9)));
}
END_TEST

START_TEST(a_stay_ends_behind_its_beginning)
{
    ck_assert(!can_follow(stay(0, 1, 5, 5)));
    ck_assert(!can_follow(stay(0, 1, 5, 4)));
    ck_assert(can_follow(stay(0, 1, 5, 6)));
}
END_TEST

START_TEST(a_stay_that_never_ended_ends_with_its_last_effect)
{
    struct trace_effect fx = {.kind = TRACE_tlbi, .g = 7};
    struct trace_line line = stay(0, 1, 1, 0);
    line.unfinished = true;
    line.fx = &fx;
    line.nfx = 1;
    ck_assert(can_follow(line));
    ck_assert(!can_follow(stay(0, 2, 7, 9)));
}
END_TEST

START_TEST(there_are_cpus_up_to_the_stated_number)
{
    static const uint64_t none[] = {TRACE_CPUS_MAX, 65536, UINT64_C(1) << 32, UINT64_C(1) << 63,
                                    UINT64_MAX};
    ck_assert(can_follow(stay(TRACE_CPUS_MAX - 1, 1, 1, 9)));
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        ck_assert(!can_follow(stay(none[i], 2, 10, 19)));
}
END_TEST

START_TEST(what_a_foreign_recording_leaves_open_is_not_checked)
{
    struct trace_line line = {.seq = 7};
    ck_assert(can_follow(line));
    ck_assert(can_follow(line));
}
END_TEST

START_TEST(a_context_is_one_that_there_is)
{
    struct trace_line line = stay(0, 1, 1, 9);
    line.in.present = 1u << TRACE_REG_vcpuid | 1u << TRACE_REG_vmid;
    line.in.values[TRACE_REG_vcpuid] = 99999;
    ck_assert(!can_follow(line));
    line.in.values[TRACE_REG_vcpuid] = 3;
    line.in.values[TRACE_REG_vmid] = 66;
    ck_assert(!can_follow(line));
    line.in.values[TRACE_REG_vmid] = 65;
    ck_assert(can_follow(line));
}
END_TEST

START_TEST(the_host_has_a_context_for_each_cpu_and_a_vm_one_for_each_vcpu)
{
    struct trace_line line = stay(0, 1, 1, 9);
    line.in.present = 1u << TRACE_REG_vcpuid;
    line.in.values[TRACE_REG_vcpuid] = TRACE_CPUS_MAX - 1;
    ck_assert(can_follow(line));
    line = stay(0, 2, 10, 19);
    line.kind = TRACE_KIND_guest_exit;
    line.in.present = 1u << TRACE_REG_vcpuid;
    line.in.values[TRACE_REG_vcpuid] = TRACE_CPUS_MAX - 1;
    ck_assert(!can_follow(line));
}
END_TEST

START_TEST(a_record_that_cannot_be_leaves_the_check_as_it_was)
{
    ck_assert(can_follow(stay(0, 1, 1, 9)));
    ck_assert(!can_follow(stay(0, 2, 3, 19)));
    ck_assert(can_follow(stay(0, 2, 10, 19)));
}
END_TEST

/* --- Boot ------------------------------------------------------------------------------------ */

static void add_region(uint64_t i, uint64_t base, uint64_t size)
{
    effects[neffects++] = (struct trace_effect){
        .kind = TRACE_boot_region, .boot_region = {.i = i, .base = base, .size = size}};
}

static void add_pool(uint64_t vmid, uint64_t start)
{
    effects[neffects++] = (struct trace_effect){.kind = TRACE_boot_pool,
                                                .boot_pool = {.vmid = vmid,
                                                              .page_pool_start = start,
                                                              .pgd_pool = start + 0x2000,
                                                              .pud_pool = start + 0x12000,
                                                              .pmd_pool = start + 0x20000}};
}

static bool can_boot(void)
{
    const struct trace_line line = {.fx = effects, .nfx = neffects};
    return trace_check_boot(&limits, &line, &fault);
}

START_TEST(memory_has_as_many_regions_as_the_profile)
{
    for (uint64_t i = 0; i < fh_profile_sekvm_4_18.MAX_MEMBLOCK_NUM; i++)
        add_region(i, 0x40000000 + i * 0x1000, 0x1000);
    ck_assert(can_boot());
    add_region(neffects, 0x80000000, 0x1000);
    ck_assert(!can_boot());
    ck_assert_uint_eq(fault.effect, neffects - 1);
    effects[neffects - 1].boot_region.i = UINT64_C(1) << 63;
    ck_assert(!can_boot());
}
END_TEST

START_TEST(memory_of_two_thousand_regions_is_refused)
{
    for (uint64_t i = 0; i < 2000; i++)
        add_region(i, 0x40000000 + i * 0x1000, 0x1000);
    ck_assert(!can_boot());
}
END_TEST

START_TEST(a_region_has_a_number_of_its_own)
{
    add_region(0, 0x40000000, 0x1000);
    add_region(0, 0x50000000, 0x1000);
    ck_assert(!can_boot());
}
END_TEST

START_TEST(regions_are_numbered_without_gaps)
{
    add_region(0, 0x40000000, 0x1000);
    add_region(2, 0x50000000, 0x1000);
    ck_assert(!can_boot());
    add_region(1, 0x60000000, 0x1000);
    ck_assert(can_boot());
}
END_TEST

START_TEST(regions_do_not_overlap)
{
    add_region(0, 0x40000000, 0x2000);
    add_region(1, 0x40001000, 0x2000);
    ck_assert(!can_boot());
    effects[1].boot_region.base = 0x40002000;
    ck_assert(can_boot());
    effects[1].boot_region.base = 0x3ffff000;
    ck_assert(!can_boot());
}
END_TEST

START_TEST(a_region_consists_of_pages_that_there_are)
{
    add_region(0, 0x40000000, 0x1800);
    ck_assert(!can_boot());
    effects[0].boot_region = (struct trace_boot_region){.base = 0x40000800, .size = 0x1000};
    ck_assert(!can_boot());
    effects[0].boot_region =
        (struct trace_boot_region){.base = 0x40000000, .size = 0xfffffffffffff000};
    ck_assert(!can_boot());
    effects[0].boot_region = (struct trace_boot_region){.base = 0x40000000, .size = 0};
    ck_assert(!can_boot());
    effects[0].boot_region = (struct trace_boot_region){.base = 0x40000000, .size = 0x1000};
    ck_assert(can_boot());
}
END_TEST

START_TEST(a_pool_is_of_a_vm_that_there_is)
{
    static const uint64_t none[] = {66, 99999, UINT64_C(1) << 63, UINT64_MAX};
    add_pool(65, 0x50000000);
    ck_assert(can_boot());
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        effects[0].boot_pool.vmid = none[i];
        ck_assert(!can_boot());
    }
}
END_TEST

START_TEST(pools_lie_one_behind_the_other_and_apart)
{
    add_pool(0, 0x50000000);
    add_pool(1, 0x50040000);
    ck_assert(can_boot());
    effects[1].boot_pool.page_pool_start = 0x50010000;
    ck_assert(!can_boot()); /* inside that of VM 0 */
    effects[1].boot_pool.page_pool_start = 0x50050000;
    ck_assert(!can_boot()); /* behind its own pgd pool */
    effects[1].boot_pool.page_pool_start = 0x50040004;
    ck_assert(!can_boot());
    effects[1].boot_pool.page_pool_start = 0x50040000;
    effects[1].boot_pool.vmid = 0;
    ck_assert(!can_boot());
}
END_TEST

START_TEST(runs_of_pages_follow_one_another)
{
    effects[neffects++] =
        (struct trace_effect){.kind = TRACE_boot_rle, .boot_rle = {.start_index = 0, .len = 0x10}};
    effects[neffects++] =
        (struct trace_effect){.kind = TRACE_boot_rle, .boot_rle = {.start_index = 0x10, .len = 1}};
    ck_assert(can_boot());
    effects[1].boot_rle.start_index = 0xf;
    ck_assert(!can_boot());
    effects[1].boot_rle = (struct trace_boot_rle){.start_index = 0x10, .len = UINT64_MAX};
    ck_assert(!can_boot());
}
END_TEST

START_TEST(an_owner_is_of_a_context_bank_that_there_is)
{
    effects[neffects++] =
        (struct trace_effect){.kind = TRACE_boot_val, .boot_val = {.name = "smmu_cfg[3]"}};
    ck_assert(can_boot());
    effects[0].boot_val.name = "smmu_cfg[99999]";
    ck_assert(!can_boot());
    effects[0].boot_val.name = "smmu_cfg[-1]";
    ck_assert(!can_boot());
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, begin, teardown);
    tcase_add_test(tests, stays_of_two_cpus_may_overlap);
    tcase_add_test(tests, a_number_does_not_come_twice_on_a_cpu);
    tcase_add_test(tests, a_number_does_not_come_twice_on_two_cpus);
    tcase_add_test(tests, numbers_do_not_fall_on_a_cpu);
    tcase_add_test(tests, a_number_does_not_come_twice_however_far_apart);
    tcase_add_test(tests, numbers_that_fill_a_gap_are_told_from_those_beside_it);
    tcase_add_test(tests, an_exception_inside_el2_needs_no_number_and_one_event);
    tcase_add_test(tests, a_number_is_not_negative);
    tcase_add_test(tests, a_later_stay_does_not_begin_before);
    tcase_add_test(tests, an_event_is_of_one_cpu);
    tcase_add_test(tests, a_stay_ends_behind_its_beginning);
    tcase_add_test(tests, a_stay_that_never_ended_ends_with_its_last_effect);
    tcase_add_test(tests, there_are_cpus_up_to_the_stated_number);
    tcase_add_test(tests, what_a_foreign_recording_leaves_open_is_not_checked);
    tcase_add_test(tests, a_context_is_one_that_there_is);
    tcase_add_test(tests, the_host_has_a_context_for_each_cpu_and_a_vm_one_for_each_vcpu);
    tcase_add_test(tests, a_record_that_cannot_be_leaves_the_check_as_it_was);
    tcase_add_test(tests, memory_has_as_many_regions_as_the_profile);
    tcase_add_test(tests, memory_of_two_thousand_regions_is_refused);
    tcase_add_test(tests, a_region_has_a_number_of_its_own);
    tcase_add_test(tests, regions_are_numbered_without_gaps);
    tcase_add_test(tests, regions_do_not_overlap);
    tcase_add_test(tests, a_region_consists_of_pages_that_there_are);
    tcase_add_test(tests, a_pool_is_of_a_vm_that_there_is);
    tcase_add_test(tests, pools_lie_one_behind_the_other_and_apart);
    tcase_add_test(tests, runs_of_pages_follow_one_another);
    tcase_add_test(tests, an_owner_is_of_a_context_bank_that_there_is);
}

int main(void)
{
    return run_tests("trace_check", add);
}
