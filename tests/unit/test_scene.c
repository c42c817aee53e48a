/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <string.h>

static struct memory memory;
static struct fh_state *state;

static void set_up(void)
{
    memory_init(&memory);
    state = new_state(&memory, NULL, FH_LOG_SUMMARY);
}

static void tear_down(void)
{
    fh_state_free(state);
    ck_assert_uint_eq(memory.blocks, 0);
}

static uint64_t get(const char *path)
{
    uint64_t value = 0;
    ck_assert_msg(fh_get(state, path, &value) == FH_OK, "%s", path);
    return value;
}

static void add_memory(void)
{
    const struct fh_scene_region region = {.base = 0x200000, .size = 0x800000};
    ck_assert_int_eq(fh_scene_add_region(state, &region), FH_OK);
}

/* --- Paths ------------------------------------------------------------------------------------ */

START_TEST(a_path_names_any_number_of_the_state)
{
    add_memory();
    ck_assert_uint_eq(get("shared.core_data.next_vmid"), 1);
    ck_assert_uint_eq(get("shared.s2page.0x200.s2_gfn"), 0x200 + 1000000000);
    ck_assert_uint_eq(get("shared.s2page.512.s2_gfn"), 0x200 + 1000000000);
    ck_assert_uint_eq(get("shared.npts.HOSTVISOR.pt.0x200.pte"), 0);
    ck_assert_uint_eq(get("regions.0.mb_size"), 0x800000);
    ck_assert_uint_eq(get("log.S2PAGE_ID.length"), 0);
    ck_assert_uint_eq(get("shared.s2page._.s2_owner"), UINT32_MAX);
}
END_TEST

START_TEST(a_path_that_names_nothing_says_which_word_is_wrong)
{
    const struct {
        const char *path, *message;
    } rows[] = {
        {"shared.s2page.0x80.owner", "no 'owner' in s2page"},
        {"shared.s2page.page.s2_owner", "'page' is no key: a number or a constant is needed there"},
        {"shared.s2page.0x80.s2_owner.x", "nothing is below a value: 'x'"},
        {"shared.npts.0.pt.1.pte.x", "nothing is below a value: 'x'"},
        {"shared..s2page", "no '' in shared"},
        {"shared.s2page.18446744073709551616",
         "'18446744073709551616' is no key: a number or a constant is needed there"},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fh_path_error error;
        struct fh_found found;
        char text[128];
        uint64_t value;
        ck_assert(!fh_path_find(fh_state_rdata(state), fh_state_profile(state), rows[i].path,
                                &found, &error));
        fh_path_error_format(&error, rows[i].path, text, sizeof text);
        ck_assert_str_eq(text, rows[i].message);
        ck_assert_int_eq(fh_get(state, rows[i].path, &value), FH_UNKNOWN);
        ck_assert_int_eq(fh_set(state, rows[i].path, 1), FH_UNKNOWN);
    }
}
END_TEST

START_TEST(a_number_that_is_set_is_the_one_that_is_read)
{
    ck_assert_int_eq(fh_set(state, "shared.npts.3.pt.0x10.level", 2), FH_OK);
    ck_assert_int_eq(fh_set(state, "cur_vcpuid", 4), FH_OK);
    ck_assert_uint_eq(get("shared.npts.3.pt.0x10.level"), 2);
    ck_assert_uint_eq(get("shared.npts.3.pt.0x10.pfn"), 0);
    ck_assert_int_eq(fh_state_rdata(state)->cur_vcpuid, 4);
}
END_TEST

START_TEST(what_cannot_be_set_changes_nothing)
{
    const struct fh_rdata *before = fh_state_snapshot(state);
    ck_assert_int_eq(fh_set(state, "shared.s2page.1.s2_owner", UINT64_C(1) << 32),
                     FH_INVALID_ARGUMENT);
    ck_assert_int_eq(fh_set(state, "halt", 2), FH_INVALID_ARGUMENT);
    ck_assert_int_eq(fh_set(state, "log.1.length", 2), FH_INVALID_ARGUMENT);
    ck_assert_int_eq(fh_set(state, "shared.s2page._.s2_owner", 2), FH_INVALID_ARGUMENT);
    ck_assert_int_eq(fh_set(state, "shared.s2page", 2), FH_INVALID_ARGUMENT);
    assert_same_data(before, fh_state_rdata(state));
    fh_snapshot_release(before, fh_state_allocator(state));
}
END_TEST

/* --- Building --------------------------------------------------------------------------------- */

START_TEST(a_region_has_pages_of_its_owner)
{
    add_memory();
    ck_assert_int_eq(
        fh_scene_add_region(
            state, &(struct fh_scene_region){.base = 0xa00000, .size = 0x1000, .owner = 16}),
        FH_OK);
    ck_assert_uint_eq(get("region_cnt"), 2);
    ck_assert_uint_eq(get("regions.1.mb_index"), 2048);
    ck_assert_uint_eq(get("shared.s2page.0x9ff.s2_owner"), 0);
    ck_assert_uint_eq(get("shared.s2page.0xa00.s2_owner"), 16);
    ck_assert_uint_eq(get("shared.s2page.0xa00.s2_gfn"), UINT64_MAX);
    ck_assert_uint_eq(get("shared.s2page.0xa01.s2_owner"), UINT32_MAX);
}
END_TEST

START_TEST(a_region_that_cannot_be_is_refused_with_its_reason)
{
    char reason[200];
    const struct fh_scene_region bad[] = {{.base = 0x200800, .size = 0x1000},
                                          {.base = 0x200000, .size = 0},
                                          {.base = UINT64_C(1) << 40, .size = 0x1000},
                                          {.base = UINT64_MAX - 0xfff, .size = 0x1000},
                                          {.base = 0x300000, .size = 0x1000},
                                          {.base = 0xa00000, .size = 0x1000, .owner = 17}};
    add_memory();
    const struct fh_rdata *before = fh_state_snapshot(state);
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(fh_scene_add_region(state, &bad[i]), FH_INVALID_ARGUMENT);
        assert_same_data(before, fh_state_rdata(state));
    }
    fh_scene_add_region(state, &bad[0]);
    fh_error_format(fh_state_error(state), reason, sizeof reason);
    ck_assert_ptr_nonnull(strstr(reason, "region->base % k->PAGE_SIZE == 0"));
    ck_assert_ptr_nonnull(strstr(reason, "0x200800"));
    fh_snapshot_release(before, fh_state_allocator(state));
}
END_TEST

START_TEST(a_vm_owns_what_it_is_given)
{
    add_memory();
    ck_assert_int_eq(fh_scene_add_vm(state, &(struct fh_scene_vm){.vmid = 3, .vcpus = 2}), FH_OK);
    ck_assert_int_eq(
        fh_scene_give(state,
                      &(struct fh_scene_pages){.vmid = 3, .gfn = 16, .pfn = 0x300, .count = 2}),
        FH_OK);
    ck_assert_uint_eq(get("shared.vminfos.3.VS.vm_state"), 3);
    ck_assert_uint_eq(get("shared.vminfos.3.VS.vm_vcpu_state.1"), 2);
    ck_assert_uint_eq(get("shared.vminfos.3.VS.vm_vcpu_state.2"), 0);
    ck_assert_uint_eq(get("shared.core_data.next_vmid"), 4);
    ck_assert_uint_eq(get("shared.s2page.0x301.s2_owner"), 3);
    ck_assert_uint_eq(get("shared.npts.3.pt.17.pte"), 0x301fff);
    /* A page is given once. */
    ck_assert_int_eq(
        fh_scene_give(state, &(struct fh_scene_pages){.vmid = 3, .gfn = 32, .pfn = 0x301}),
        FH_INVALID_ARGUMENT);
}
END_TEST

START_TEST(what_a_scene_did_can_be_taken_back)
{
    const struct fh_rdata *before = fh_state_snapshot(state);
    const struct fh_scene_region region = {.base = 0x200000, .size = 0x800000};
    const struct fh_scene_smmu smmu = {.base = 0x100000};
    const struct fh_scene_vm vm = {.vmid = 1, .vcpus = 1};
    const struct fh_scene_pages pages = {.vmid = 1, .gfn = 512, .pfn = 1024, .is_block = true};
    const struct fh_scene scene = {&region, 1, &smmu, 1, &vm, 1, &pages, 1};
    ck_assert_int_eq(fh_scene_build(state, &scene), FH_OK);
    ck_assert_uint_eq(get("shared.npts.1.pt.1000.level"), 2);
    ck_assert_uint_eq(get("smmu_conf.smmu_num"), 1);
    ck_assert_uint_eq(get("log.S2PAGE_ID.length"), 0);
    ck_assert_int_eq(fh_undo(state), FH_OK);
    assert_same_data(before, fh_state_rdata(state));
    fh_snapshot_release(before, fh_state_allocator(state));
}
END_TEST

START_TEST(a_scene_without_memory_changes_nothing)
{
    const struct fh_scene_region region = {.base = 0x200000, .size = 0x20000};
    const struct fh_scene_vm vm = {.vmid = 1, .vcpus = 1};
    const struct fh_scene_pages pages = {.vmid = 1, .gfn = 8, .pfn = 0x208, .count = 4};
    const struct fh_scene scene = {&region, 1, NULL, 0, &vm, 1, &pages, 1};
    enum fh_status status = FH_NOMEM;
    const struct fh_rdata *before = fh_state_snapshot(state);
    for (size_t n = 1; status == FH_NOMEM; n++) {
        memory_fail_at(&memory, n, false);
        status = fh_scene_build(state, &scene);
        memory_fail_at(&memory, 0, false);
        if (status != FH_OK)
            assert_same_data(before, fh_state_rdata(state));
    }
    ck_assert_int_eq(status, FH_OK);
    fh_snapshot_release(before, fh_state_allocator(state));
}
END_TEST

/* --- Traps ------------------------------------------------------------------------------------ */

START_TEST(a_fault_has_the_registers_of_its_access)
{
    struct fh_ctxt_regs regs;
    const struct fh_scene_access access = {
        .ipa = 0x345678, .kind = FH_ARM_WRITE, .bytes = 4, .rt = 3};
    ck_assert_int_eq(fh_scene_fault(state, &access, &regs), FH_OK);
    ck_assert_uint_eq(regs.hpfar_el2, 0x3450);
    ck_assert_uint_eq(regs.far_el2, 0x345678);
    ck_assert_uint_eq(regs.esr_el2, 0x93830047); /* DABT, 4 bytes from W3, write, level 3 */
    /* HPFAR_MASK of the profile `spec` has 16 bits. */
    ck_assert_int_eq(fh_scene_fault(state, &(struct fh_scene_access){.ipa = 1 << 24}, &regs),
                     FH_INVALID_ARGUMENT);
}
END_TEST

START_TEST(a_hypercall_is_made_of_its_name_and_its_arguments)
{
    struct fh_ctxt_regs regs;
    const struct fh_scene_argument arguments[] = {{"vcpuid", 2}, {"vmid", 5}};
    ck_assert_int_eq(fh_scene_hypercall(state, "REGISTER_VCPU", arguments, 2, &regs), FH_OK);
    ck_assert_uint_eq(regs.x0, 25); /* HVC_REGISTER_VCPU of Constants.v */
    ck_assert_uint_eq(regs.x1, 5);
    ck_assert_uint_eq(regs.x2, 2);
    ck_assert_int_eq(fh_scene_hypercall(state, "REGISTER_CAT", NULL, 0, &regs), FH_UNKNOWN);
    ck_assert_int_eq(
        fh_scene_hypercall(state, "REGISTER_VCPU", &(struct fh_scene_argument){"gfn", 1}, 1, &regs),
        FH_INVALID_ARGUMENT);
}
END_TEST

START_TEST(a_hypercall_by_name_does_what_it_says)
{
    struct fh_trap_outcome outcome;
    struct fh_ctxt_regs regs;
    add_memory();
    ck_assert_int_eq(fh_scene_hypercall(state, "REGISTER_KVM", NULL, 0, &regs), FH_OK);
    fh_trap_take(state, &(struct fh_trap){.kind = FH_TRAP_HOST_CALL, .regs = &regs}, &outcome);
    ck_assert_int_eq(outcome.end, FH_TRAP_RETURNS);
    ck_assert_int_eq(outcome.answer_register, 0);
    ck_assert_uint_eq(outcome.answer, 1);
    ck_assert_uint_eq(get("shared.vminfos.1.VS.vm_state"), 2);
}
END_TEST

/* --- In words --------------------------------------------------------------------------------- */

START_TEST(a_delta_is_a_line_for_each_place)
{
    char text[512];
    add_memory();
    const struct fh_rdata *before = fh_state_snapshot(state);
    ck_assert_int_eq(fh_map_page_host(state, 0x345000), FH_OK);
    const size_t length = fh_delta_format(before, fh_state_rdata(state), false, text, sizeof text);
    ck_assert_uint_eq(length, strlen(text));
    ck_assert_ptr_nonnull(strstr(text, "shared.npts.0.pt.837: [0, 0, 0] -> [837, 3, 0x345fff]\n"));
    ck_assert_ptr_null(strstr(text, "log."));
    fh_delta_format(before, fh_state_rdata(state), true, text, sizeof text);
    fh_snapshot_release(before, fh_state_allocator(state));
}
END_TEST

START_TEST(an_effect_has_names_for_its_values)
{
    char text[128];
    fh_effect_format(&(struct fh_effect){FH_EFFECT_S2_READ, {0x345, 0, 7, 0, 0, 0}}, text,
                     sizeof text);
    ck_assert_str_eq(text, "S2_READ pfn=837 field=0 value=7");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_path_names_any_number_of_the_state);
    tcase_add_test(tests, a_path_that_names_nothing_says_which_word_is_wrong);
    tcase_add_test(tests, a_number_that_is_set_is_the_one_that_is_read);
    tcase_add_test(tests, what_cannot_be_set_changes_nothing);
    tcase_add_test(tests, a_region_has_pages_of_its_owner);
    tcase_add_test(tests, a_region_that_cannot_be_is_refused_with_its_reason);
    tcase_add_test(tests, a_vm_owns_what_it_is_given);
    tcase_add_test(tests, what_a_scene_did_can_be_taken_back);
    tcase_add_test(tests, a_scene_without_memory_changes_nothing);
    tcase_add_test(tests, a_fault_has_the_registers_of_its_access);
    tcase_add_test(tests, a_hypercall_is_made_of_its_name_and_its_arguments);
    tcase_add_test(tests, a_hypercall_by_name_does_what_it_says);
    tcase_add_test(tests, a_delta_is_a_line_for_each_place);
    tcase_add_test(tests, an_effect_has_names_for_its_values);
}

int main(void)
{
    return run_tests("scene", add);
}
