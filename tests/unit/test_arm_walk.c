/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <string.h>

#include <faulthandler/arm_walk.h>

/*
 * Walks of small tables, with what the Arm ARM says of them. tests/qemu compares many more with an
 * independent machine.
 */
enum { WORDS = 4 * 512, BASE = 0x1000 };

static uint64_t memory[WORDS];

static bool read_memory(void *context, uint64_t address, uint64_t *word)
{
    (void)context;
    if (address < BASE || address >= BASE + sizeof memory)
        return false;
    *word = memory[(address - BASE) / 8];
    return true;
}

static const struct fh_arm_memory whole = {NULL, read_memory};

/* Linux's and KVM's: 4 KiB, 40 bits in two concatenated tables of level 1, 40-bit output. */
static const struct fh_arm_stage2_control kvm = {
    .vtcr = 0x80023558, .vttbr = (UINT64_C(1) << 48) | 0x2000, .hcr = 1, .pa_bits = 44};

enum { L1 = 0x2000, L2 = 0x4000, LEAF = 0x7fc, PAGE = 3, BLOCK = 1, TABLE = 3 };

static void put(uint64_t address, uint64_t word)
{
    memory[(address - BASE) / 8] = word;
}

static struct fh_arm_walk walk_to(uint64_t ipa, enum fh_arm_access_kind kind)
{
    struct fh_arm_walk walk;
    fh_arm_translate(&kvm, &whole, &(struct fh_arm_ipa_access){.ipa = ipa, .kind = kind}, &walk);
    return walk;
}

static void set_up(void)
{
    memset(memory, 0, sizeof memory);
}

START_TEST(registers_select_the_form_of_the_tables)
{
    struct fh_arm_stage2_form form;
    ck_assert(fh_arm_select_form(&kvm, &form));
    ck_assert_int_eq(form.start_level, 1);
    ck_assert_uint_eq(form.input_bits, 40);
    ck_assert_uint_eq(form.output_bits, 40);
    ck_assert_uint_eq(form.root, 0x2000);
    ck_assert_uint_eq(form.root_tables, 2);
}
END_TEST

START_TEST(sizes_that_do_not_fit_together_select_none)
{
    struct fh_arm_stage2_form form;
    struct fh_arm_stage2_control control = kvm;
    control.vtcr = (kvm.vtcr & ~UINT64_C(0x3f)) | 20; /* 44 bits: 32 tables of level 1 */
    ck_assert(!fh_arm_select_form(&control, &form));
    control.vtcr = (kvm.vtcr & ~UINT64_C(0xff)) | 24; /* SL0 0: level 2, 1024 tables */
    ck_assert(!fh_arm_select_form(&control, &form));
    control.vtcr = (kvm.vtcr & ~UINT64_C(0xff)) | 3 << 6 | 24; /* level 3 needs FEAT_TTST */
    ck_assert(!fh_arm_select_form(&control, &form));
}
END_TEST

START_TEST(a_page_is_found_through_three_levels)
{
    put(L1 + 8 * 1, L2 | TABLE); /* IPA 1 GiB */
    put(L2 + 8 * 2, 0x3000 | TABLE);
    put(0x3000 + 8 * 3, 0x87654000 | LEAF | PAGE);
    const struct fh_arm_walk walk = walk_to(0x40403678, FH_ARM_WRITE);
    ck_assert(walk.is_translated);
    ck_assert_uint_eq(walk.output, 0x87654678);
    ck_assert_uint_eq(walk.size, 4096);
    ck_assert_uint_eq(walk.nsteps, 3);
    ck_assert_uint_eq(walk.steps[1].address, L2 + 16);
}
END_TEST

/* Bit 39 of the address chooses the second of the concatenated tables. */
START_TEST(the_second_root_table_is_used)
{
    put(L1 + 8 * 513, 0x40000000 | LEAF | BLOCK);
    const struct fh_arm_walk walk = walk_to((UINT64_C(1) << 39) + 0x40001234, FH_ARM_READ);
    ck_assert(walk.is_translated);
    ck_assert_uint_eq(walk.output, 0x40001234);
    ck_assert_uint_eq(walk.size, UINT64_C(1) << 30);
}
END_TEST

START_TEST(faults_have_the_level_of_their_descriptor)
{
    struct fh_arm_walk walk = walk_to(0x40403678, FH_ARM_READ);
    ck_assert(!walk.is_translated && walk.status == FH_ARM_STATUS_TRANSLATION);
    ck_assert_int_eq(walk.level, 1);
    put(L1 + 8, L2 | TABLE);
    put(L2 + 16, (UINT64_C(1) << 40) | LEAF | BLOCK); /* beyond 40 bits */
    walk = walk_to(0x40403678, FH_ARM_READ);
    ck_assert(!walk.is_translated && walk.status == FH_ARM_STATUS_ADDRESS_SIZE);
    ck_assert_int_eq(walk.level, 2);
    put(L2 + 16, 0x80000000 | (LEAF & ~0x400) | BLOCK); /* AF 0 */
    walk = walk_to(0x40403678, FH_ARM_READ);
    ck_assert(!walk.is_translated && walk.status == FH_ARM_STATUS_ACCESS_FLAG);
    put(L2 + 16, 0x80000000 | (LEAF & ~0x80) | BLOCK); /* read-only */
    walk = walk_to(0x40403678, FH_ARM_READ);
    ck_assert(walk.is_translated);
    walk = walk_to(0x40403678, FH_ARM_WRITE);
    ck_assert(!walk.is_translated && walk.status == FH_ARM_STATUS_PERMISSION);
    ck_assert_int_eq(walk.level, 2);
    walk = walk_to(UINT64_C(1) << 40, FH_ARM_READ); /* beyond the input */
    ck_assert(!walk.is_translated && walk.status == FH_ARM_STATUS_TRANSLATION);
    ck_assert_int_eq(walk.level, 0);
}
END_TEST

START_TEST(execution_is_a_permission_of_its_own)
{
    const uint64_t xn = UINT64_C(1) << 54;
    put(L1 + 8, 0x40000000 | LEAF | xn | BLOCK);
    ck_assert(walk_to(0x40000000, FH_ARM_READ).is_translated);
    ck_assert(!walk_to(0x40000000, FH_ARM_FETCH).is_translated);
}
END_TEST

START_TEST(a_table_that_no_memory_answers_for_is_an_external_abort)
{
    put(L1 + 8, 0x90000000 | TABLE);
    const struct fh_arm_walk walk = walk_to(0x40000000, FH_ARM_READ);
    ck_assert(!walk.is_translated && walk.status == FH_ARM_STATUS_EXTERNAL_WALK);
    ck_assert_int_eq(walk.level, 2);
}
END_TEST

/* ESR_EL2 of `str w3, [x1]`, level 1: 0x93830045 as a kernel prints it. */
START_TEST(a_store_leaves_its_syndrome)
{
    const struct fh_arm_walk walk = walk_to(0x880cb0000, FH_ARM_WRITE);
    struct fh_arm_abort abort;
    fh_arm_abort_of(&walk, &(struct fh_arm_ipa_access){.ipa = 0x880cb0010, .kind = FH_ARM_WRITE},
                    &(struct fh_arm_instruction){
                        .va = 0xffff000010000010, .is_described = true, .size_log2 = 2, .rt = 3},
                    &abort);
    ck_assert_uint_eq(abort.esr, 0x93830045);
    ck_assert_uint_eq(abort.hpfar, 0x880cb00);
    ck_assert_uint_eq(abort.far, 0xffff000010000010);
    ck_assert_uint_eq(fh_arm_fault_ipa(&abort), 0x880cb0010);
}
END_TEST

START_TEST(an_access_that_is_not_described_leaves_no_register)
{
    const struct fh_arm_walk walk = walk_to(0x40000000, FH_ARM_READ);
    struct fh_arm_abort abort;
    fh_arm_abort_of(&walk, &(struct fh_arm_ipa_access){.ipa = 0x40000000},
                    &(struct fh_arm_instruction){.size_log2 = 3, .rt = 5}, &abort);
    ck_assert_uint_eq(abort.esr, 0x92000005);
    fh_arm_abort_of(&walk, &(struct fh_arm_ipa_access){.ipa = 0x40000000, .kind = FH_ARM_FETCH},
                    &(struct fh_arm_instruction){0}, &abort);
    ck_assert_uint_eq(abort.esr, 0x82000005);
}
END_TEST

/* Of both stages the stricter counts. */
START_TEST(attributes_of_two_stages_are_combined)
{
    const struct {
        uint64_t attr, sh, memattr, s2_sh, both, both_sh;
    } rows[] = {
        {0xff, 3, 15, 0, 0xff, 3}, {0xff, 0, 15, 2, 0xff, 2}, {0xff, 3, 10, 3, 0xbb, 3},
        {0xff, 3, 5, 3, 0x44, 2},  {0x44, 3, 15, 3, 0x44, 2}, {0xff, 3, 1, 3, 0x04, 2},
        {0x00, 3, 15, 3, 0x00, 2}, {0x0c, 0, 1, 0, 0x04, 2},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct fh_arm_stage2_leaf leaf = {.MemAttr = rows[i].memattr, .SH = rows[i].s2_sh};
        const struct fh_arm_attributes both =
            fh_arm_combine((struct fh_arm_attributes){rows[i].attr, rows[i].sh}, &leaf);
        ck_assert_uint_eq(both.attr, rows[i].both);
        ck_assert_uint_eq(both.sh, rows[i].both_sh);
    }
}
END_TEST

START_TEST(a_walk_can_be_told_in_words)
{
    char words[512];
    put(L1 + 8, L2 | TABLE);
    const struct fh_arm_walk walk = walk_to(0x40403678, FH_ARM_READ);
    fh_arm_describe_walk(&kvm, &walk, words, sizeof words);
    ck_assert_str_eq(words, "level 1: 0x2008: 0x4003 table at 0x4000\n"
                            "level 2: 0x4010: 0x0 invalid\n"
                            "translation fault, level 2\n");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, registers_select_the_form_of_the_tables);
    tcase_add_test(tests, sizes_that_do_not_fit_together_select_none);
    tcase_add_test(tests, a_page_is_found_through_three_levels);
    tcase_add_test(tests, the_second_root_table_is_used);
    tcase_add_test(tests, faults_have_the_level_of_their_descriptor);
    tcase_add_test(tests, execution_is_a_permission_of_its_own);
    tcase_add_test(tests, a_table_that_no_memory_answers_for_is_an_external_abort);
    tcase_add_test(tests, a_store_leaves_its_syndrome);
    tcase_add_test(tests, an_access_that_is_not_described_leaves_no_register);
    tcase_add_test(tests, attributes_of_two_stages_are_combined);
    tcase_add_test(tests, a_walk_can_be_told_in_words);
}

int main(void)
{
    return run_tests("arm_walk", add);
}
