/* SPDX-License-Identifier: GPL-2.0-only */
#include "arm_words.h"

#include <faulthandler/arm_syndrome.h>

/*
 * Expected values are those of the Arm ARM (ESR_EL2), and syndromes as they stand in published
 * kernel messages with the kernel's own account of them.
 */

/* --- Each word is what its fields make, and the other way round ------------------------------ */

#define ESR_ROUND_TRIP(name) DEFINE_ROUND_TRIP(esr_##name)
FH_ARM_FORM_MAP(ESR_ROUND_TRIP)

START_TEST(every_form_of_a_syndrome_is_what_its_fields_make)
{
#define CHECK_FORM(name)                                                                           \
    check_round_trip(fh_arm_form_layout(FH_ARM_FORM_##name), through_esr_##name);
    FH_ARM_FORM_MAP(CHECK_FORM)
}
END_TEST

START_TEST(fields_stand_from_the_top_down_and_do_not_overlap)
{
    for (unsigned form = 0; form < FH_ARM_FORMS; form++)
        check_layout(fh_arm_form_layout((enum fh_arm_form)form));
}
END_TEST

/* --- Against the manual ---------------------------------------------------------------------- */

/* ESR_EL2.EC in the Arm ARM; each value that is not here is reserved. */
START_TEST(classes_are_those_of_the_manual)
{
    static const uint8_t defined[] = {0x00, 0x01, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a,
                                      0x0c, 0x0d, 0x0e, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
                                      0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21,
                                      0x22, 0x24, 0x25, 0x26, 0x27, 0x28, 0x2c, 0x2d, 0x2f, 0x30,
                                      0x31, 0x32, 0x33, 0x34, 0x35, 0x38, 0x3a, 0x3c, 0x3d};
    unsigned next = 0;
    for (unsigned ec = 0; ec < 64; ec++) {
        const bool is_defined = next < sizeof defined && defined[next] == ec;
        next += is_defined;
        ck_assert_msg((fh_arm_find_class(ec) != NULL) == is_defined, "0x%02x", ec);
    }
    ck_assert_uint_eq(next, sizeof defined);
    ck_assert_str_eq(fh_arm_class_name(0x24), "DABT_LOW");
    ck_assert_str_eq(fh_arm_class_name(0x18), "SYS64");
    ck_assert_str_eq(fh_arm_class_name(0x02), "?");
    ck_assert_uint_eq(fh_arm_class_named("WFx", 3)->value, 1);
    ck_assert_ptr_null(fh_arm_class_named("WF", 2));
}
END_TEST

/* Bits of ISS that the manual gives each class, with IL and EC; ISS2 in the upper half. */
START_TEST(forms_have_the_bits_of_the_manual)
{
    static const struct {
        uint8_t ec;
        uint64_t bits;
    } expected[] = {
        {0x00, 0x00000000}, {0x01, 0x01f003e7}, {0x03, 0x01ffffff},         {0x04, 0x01ff7fff},
        {0x05, 0x01ffffff}, {0x06, 0x01fff3ff}, {0x08, 0x01ffffff},         {0x09, 0x00000000},
        {0x0d, 0x00000003}, {0x0e, 0x00000000}, {0x13, 0x01f80000},         {0x14, 0x003fffdf},
        {0x15, 0x0000ffff}, {0x16, 0x0000ffff}, {0x17, 0x0000ffff},         {0x18, 0x003fffff},
        {0x19, 0x00000000}, {0x1a, 0x00000003}, {0x1b, 0x000003e0},         {0x1c, 0x00000003},
        {0x1d, 0x00000007}, {0x1e, 0x003fe1ff}, {0x20, 0x000008e000205ebf}, {0x22, 0x00000000},
        {0x26, 0x00000000}, {0x27, 0x01ff7fff}, {0x2c, 0x0080079f},         {0x2d, 0x00f07fff},
        {0x2f, 0x0103feff}, {0x30, 0x0000003f}, {0x32, 0x0100007f},         {0x34, 0x00ffa57f},
        {0x38, 0x0000ffff}, {0x3c, 0x0000ffff}, {0x3d, 0x00000001},
    };
    for (unsigned i = 0; i < sizeof expected / sizeof *expected; i++) {
        const uint64_t esr = (uint64_t)expected[i].ec << 26;
        ck_assert_msg((fh_arm_esr_layout(esr)->bits & ~UINT64_C(0xfe000000)) == expected[i].bits,
                      "0x%02x: 0x%llx", expected[i].ec,
                      (unsigned long long)fh_arm_esr_layout(esr)->bits);
    }
    ck_assert_uint_eq(fh_arm_form_layout(FH_ARM_FORM_data_abort)->bits, 0x00000fffffffffff);
}
END_TEST

START_TEST(a_syndrome_is_made_of_its_parts)
{
    /* A store of W3 that misses level 1: bits 24, 23, 17, 16, 6, 2 and 0 of the ISS. */
    const struct fh_arm_esr_data_abort store = {
        .EC = FH_ARM_CLASS_DABT_LOW, .IL = 1, .ISV = 1, .SAS = 2, .SRT = 3, .WnR = 1, .DFSC = 5};
    ck_assert_uint_eq(fh_arm_esr_data_abort_word(&store), 0x93830045);
    /* HVC #0x4b00: class 0x16. */
    const struct fh_arm_esr_immediate hvc = {.EC = FH_ARM_CLASS_HVC64, .IL = 1, .imm16 = 0x4b00};
    ck_assert_uint_eq(fh_arm_esr_immediate_word(&hvc), 0x5a004b00);
    /* MRS X5, ID_AA64PFR0_EL1, which is S3_0_C0_C4_0. */
    const struct fh_arm_esr_sys64 mrs = {
        .EC = FH_ARM_CLASS_SYS64, .IL = 1, .Op0 = 3, .CRm = 4, .Rt = 5, .Direction = 1};
    ck_assert_uint_eq(fh_arm_esr_sys64_word(&mrs), 0x623000a9);
    const struct fh_arm_esr_wfx wfe = {.EC = 1, .IL = 1, .CV = 1, .COND = 14, .TI = 1};
    ck_assert_uint_eq(fh_arm_esr_wfx_word(&wfe), 0x07e00001);
}
END_TEST

START_TEST(status_codes_have_the_levels_of_the_manual)
{
    static const struct {
        uint8_t code;
        enum fh_arm_status kind;
        int level;
    } expected[] = {
        {0x00, FH_ARM_STATUS_ADDRESS_SIZE, 0},  {0x03, FH_ARM_STATUS_ADDRESS_SIZE, 3},
        {0x04, FH_ARM_STATUS_TRANSLATION, 0},   {0x07, FH_ARM_STATUS_TRANSLATION, 3},
        {0x09, FH_ARM_STATUS_ACCESS_FLAG, 1},   {0x0e, FH_ARM_STATUS_PERMISSION, 2},
        {0x10, FH_ARM_STATUS_EXTERNAL, 9},      {0x13, FH_ARM_STATUS_EXTERNAL_WALK, -1},
        {0x17, FH_ARM_STATUS_EXTERNAL_WALK, 3}, {0x1b, FH_ARM_STATUS_PARITY_WALK, -1},
        {0x1f, FH_ARM_STATUS_PARITY_WALK, 3},   {0x21, FH_ARM_STATUS_ALIGNMENT, 9},
        {0x22, FH_ARM_STATUS_GRANULE_WALK, -2}, {0x27, FH_ARM_STATUS_GRANULE_WALK, 3},
        {0x29, FH_ARM_STATUS_ADDRESS_SIZE, -1}, {0x2a, FH_ARM_STATUS_TRANSLATION, -2},
        {0x2b, FH_ARM_STATUS_TRANSLATION, -1},  {0x2c, FH_ARM_STATUS_ADDRESS_SIZE, -2},
        {0x31, FH_ARM_STATUS_ATOMIC_UPDATE, 9},
    };
    for (unsigned i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct fh_arm_fault fault;
        uint64_t code;
        ck_assert(fh_arm_status_fault(expected[i].code, &fault));
        ck_assert_int_eq(fault.level, expected[i].level);
        ck_assert(fh_arm_fault_status(expected[i].kind, expected[i].level, &code));
        ck_assert_uint_eq(code, expected[i].code);
    }
}
END_TEST

START_TEST(status_codes_and_faults_are_inverse)
{
    unsigned defined = 0;
    for (uint64_t code = 0; code < 64; code++) {
        struct fh_arm_fault fault;
        uint64_t back = 99;
        if (!fh_arm_status_fault(code, &fault))
            continue;
        defined++;
        ck_assert(fh_arm_fault_status(fault.kind, fault.level, &back));
        ck_assert_uint_eq(back, code);
    }
    ck_assert_uint_eq(defined, 48);
    uint64_t code;
    ck_assert(!fh_arm_fault_status(FH_ARM_STATUS_PERMISSION, 4, &code));
    ck_assert(!fh_arm_fault_status(FH_ARM_STATUS_PERMISSION, -1, &code));
}
END_TEST

/* --- In words -------------------------------------------------------------------------------- */

static void assert_described(uint64_t esr, const char *expected)
{
    char text[256];
    const size_t length = fh_arm_describe_esr(esr, text, sizeof text);
    ck_assert_str_eq(text, expected);
    ck_assert_uint_eq(length, strlen(expected));
}

START_TEST(syndromes_are_said_in_words)
{
    assert_described(0x93830045, "DABT_LOW (data abort from a lower level): write of 4 bytes from "
                                 "W3, translation fault, level 1");
    /* Linux: "EC = 0x25: DABT (current EL), IL = 32 bits, FSC = 0x05: level 1 translation fault" */
    assert_described(0x96000045, "DABT_CUR (data abort from the same level): write, access not "
                                 "described (ISV=0), translation fault, level 1");
    assert_described(0x92000061, "DABT_LOW (data abort from a lower level): write, access not "
                                 "described (ISV=0), alignment fault");
    assert_described(0x8600000f, "IABT_CUR (instruction abort from the same level): instruction "
                                 "fetch, permission fault, level 3");
    assert_described(0x5a000000, "HVC64 (HVC in AArch64)");
    assert_described(0x623000a9, "SYS64 (trapped MSR, MRS or system instruction): read of "
                                 "ID_AA64PFR0_EL1 into X5");
    assert_described(0x624f3c9c, "SYS64 (trapped MSR, MRS or system instruction): write of "
                                 "S0_4_C15_C14_7 from X4");
    assert_described(0x62141f5c, "SYS64 (trapped MSR, MRS or system instruction): DC CISW with "
                                 "X26");
    assert_described(0xf2000800, "BRK64 (BRK in AArch64): imm16=0x800");
    assert_described(0x07e00001, "WFx (trapped WFI, WFE, WFIT or WFET): CV=1, COND=0xe (always), "
                                 "TI=1 (WFE)");
    assert_described(0xbe000011, "SERROR (SError): DFSC=0x11 (asynchronous SError)");
    assert_described(0xbf000002, "SERROR (SError): IDS=1 (implementation defined), ISS=0x2");
    assert_described(0xae000000, "class 0x2b, which the architecture does not define");
    assert_described(0x93c08006, "DABT_LOW (data abort from a lower level): read of 8 bytes into "
                                 "X0, translation fault, level 2");
    assert_described(0x93df8046, "DABT_LOW (data abort from a lower level): write of 8 bytes from "
                                 "XZR, translation fault, level 2");
    assert_described(0x92000147, "DABT_LOW (data abort from a lower level): write of cache "
                                 "maintenance or address translation, translation fault, level 3");
}
END_TEST

START_TEST(a_text_is_cut_off_where_the_buffer_ends)
{
    char text[9];
    ck_assert_uint_eq(fh_arm_describe_esr(0x5a000000, text, sizeof text), 22);
    ck_assert_str_eq(text, "HVC64 (H");
    ck_assert_uint_eq(fh_arm_describe_esr(0x5a000000, NULL, 0), 22);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, every_form_of_a_syndrome_is_what_its_fields_make);
    tcase_add_test(tests, fields_stand_from_the_top_down_and_do_not_overlap);
    tcase_add_test(tests, classes_are_those_of_the_manual);
    tcase_add_test(tests, forms_have_the_bits_of_the_manual);
    tcase_add_test(tests, a_syndrome_is_made_of_its_parts);
    tcase_add_test(tests, status_codes_have_the_levels_of_the_manual);
    tcase_add_test(tests, status_codes_and_faults_are_inverse);
    tcase_add_test(tests, syndromes_are_said_in_words);
    tcase_add_test(tests, a_text_is_cut_off_where_the_buffer_ends);
}

int main(void)
{
    return run_tests("arm_syndrome", add);
}
