/* SPDX-License-Identifier: GPL-2.0-only */
#include "arm_words.h"

#include <faulthandler/arm_registers.h>
#include <faulthandler/arm_smmu.h>

/* Expected values: Arm ARM, IHI 0062, and words that Linux, KVM and Xen write to registers. */

/* --- Each word is what its fields make ------------------------------------------------------- */

FH_ARM_LAYOUT_MAP(DEFINE_ROUND_TRIP)
FH_ARM_SMMU_LAYOUT_MAP(DEFINE_ROUND_TRIP)

static const struct named_trip {
    const char *name;
    round_trip *through;
} trips[] = {
#define TRIP(name) {#name, through_##name},
    FH_ARM_LAYOUT_MAP(TRIP) FH_ARM_SMMU_LAYOUT_MAP(TRIP)
#undef TRIP
};

static void check_one(const struct fh_arm_layout *layout)
{
    check_layout(layout);
    for (unsigned i = 0; i < sizeof trips / sizeof *trips; i++) {
        if (strcmp(trips[i].name, layout->name) == 0)
            check_round_trip(layout, trips[i].through);
    }
}

START_TEST(every_register_is_what_its_fields_make)
{
    const struct fh_arm_register *reg;
    for (unsigned i = 0; (reg = fh_arm_register_at(i)) && reg->meaning[0]; i++) {
        check_one(reg->layout);
        if (reg->other != reg->layout)
            check_one(reg->other);
    }
}
END_TEST

START_TEST(every_smmu_register_is_what_its_fields_make)
{
    const struct fh_arm_smmu_register *reg;
    for (unsigned i = 0; (reg = fh_arm_smmu_register_at(i)); i++)
        check_one(reg->layout);
}
END_TEST

/* --- Names and encodings --------------------------------------------------------------------- */

START_TEST(registers_have_the_encodings_of_the_manual)
{
    static const struct {
        const char *name;
        struct fh_arm_encoding encoding;
    } expected[] = {
        {"SCTLR_EL1", {3, 0, 1, 0, 0}},        {"TCR_EL1", {3, 0, 2, 0, 2}},
        {"ESR_EL1", {3, 0, 5, 2, 0}},          {"FAR_EL1", {3, 0, 6, 0, 0}},
        {"PAR_EL1", {3, 0, 7, 4, 0}},          {"MAIR_EL1", {3, 0, 10, 2, 0}},
        {"VTTBR_EL2", {3, 4, 2, 1, 0}},        {"VTCR_EL2", {3, 4, 2, 1, 2}},
        {"HCR_EL2", {3, 4, 1, 1, 0}},          {"ESR_EL2", {3, 4, 5, 2, 0}},
        {"FAR_EL2", {3, 4, 6, 0, 0}},          {"HPFAR_EL2", {3, 4, 6, 0, 4}},
        {"ELR_EL2", {3, 4, 4, 0, 1}},          {"CNTHCTL_EL2", {3, 4, 14, 1, 0}},
        {"MDSCR_EL1", {2, 0, 0, 2, 2}},        {"ICC_SGI1R_EL1", {3, 0, 12, 11, 5}},
        {"CNTPCT_EL0", {3, 3, 14, 0, 1}},      {"PMCCNTR_EL0", {3, 3, 9, 13, 0}},
        {"OSLAR_EL1", {2, 0, 1, 0, 4}},        {"CLIDR_EL1", {3, 1, 0, 0, 1}},
        {"DC CISW", {1, 0, 7, 14, 2}},         {"TLBI VMALLS12E1IS", {1, 4, 8, 3, 6}},
        {"PMEVTYPER9_EL0", {3, 3, 14, 13, 1}}, {"TPIDR_EL0", {3, 3, 13, 0, 2}},
    };
    for (unsigned i = 0; i < sizeof expected / sizeof *expected; i++) {
        const char *name = expected[i].name;
        const struct fh_arm_register *reg = fh_arm_register_encoded(&expected[i].encoding);
        ck_assert_ptr_nonnull(reg);
        ck_assert_str_eq(reg->name, name);
        ck_assert_ptr_eq(fh_arm_register_named(name, strlen(name)), reg);
    }
}
END_TEST

START_TEST(no_two_registers_have_one_encoding_or_name)
{
    const struct fh_arm_register *reg;
    for (unsigned i = 0; (reg = fh_arm_register_at(i)); i++) {
        ck_assert_ptr_eq(fh_arm_register_encoded(&reg->encoding), reg);
        ck_assert_ptr_eq(fh_arm_register_named(reg->name, strlen(reg->name)), reg);
        char text[32];
        fh_arm_describe_encoding(&reg->encoding, text, sizeof text);
        ck_assert_str_eq(text, reg->name);
    }
    ck_assert_ptr_null(fh_arm_register_at(100000));
}
END_TEST

START_TEST(a_register_is_found_by_its_generic_name)
{
    ck_assert_str_eq(fh_arm_register_named("s3_4_c2_c1_2", 12)->name, "VTCR_EL2");
    ck_assert_str_eq(fh_arm_register_named("vtcr_el2", 8)->name, "VTCR_EL2");
    ck_assert_ptr_null(fh_arm_register_named("S3_0_C15_C2_0", 13));
    ck_assert_ptr_null(fh_arm_register_named("S3_8_C1_C1_0", 12));
    ck_assert_ptr_null(fh_arm_register_named("VTCR", 4));
    ck_assert_ptr_null(fh_arm_register_named("", 0));
    ck_assert_str_eq(fh_arm_register_called("vtcr", 4)->name, "VTCR_EL2");
    ck_assert_str_eq(fh_arm_register_called("SCTLR", 5)->name, "SCTLR_EL1");
    ck_assert_str_eq(fh_arm_register_called("pmcr", 4)->name, "PMCR_EL0");
    ck_assert_str_eq(fh_arm_register_called("vbar_el2", 8)->name, "VBAR_EL2");
    ck_assert_ptr_null(fh_arm_register_called("vt", 2));
    ck_assert_ptr_null(fh_arm_register_called("", 0));
    char text[32];
    fh_arm_describe_encoding(&(struct fh_arm_encoding){3, 1, 15, 2, 0}, text, sizeof text);
    ck_assert_str_eq(text, "S3_1_C15_C2_0");
}
END_TEST

START_TEST(a_syndrome_names_the_register)
{
    /* Bits of the ISS for S3_0_C12_C11_5: Linux sends an IPI. */
    const struct fh_arm_encoding sgi = fh_arm_esr_encoding(0x623a3016);
    ck_assert_str_eq(fh_arm_register_encoded(&sgi)->name, "ICC_SGI1R_EL1");
}
END_TEST

/* Bits that Linux's headers have for these fields, under the manual's names. */
START_TEST(fields_stand_where_the_manual_has_them)
{
    static const struct {
        const char *reg, *field;
        unsigned high, low;
    } expected[] = {
        {"SCTLR_EL1", "M", 0, 0},
        {"SCTLR_EL1", "C", 2, 2},
        {"SCTLR_EL1", "SA0", 4, 4},
        {"SCTLR_EL1", "I", 12, 12},
        {"SCTLR_EL1", "nTWI", 16, 16},
        {"SCTLR_EL1", "nTWE", 18, 18},
        {"SCTLR_EL1", "WXN", 19, 19},
        {"SCTLR_EL1", "SPAN", 23, 23},
        {"SCTLR_EL1", "UCI", 26, 26},
        {"SCTLR_EL1", "EnIA", 31, 31},
        {"SCTLR_EL1", "TCF", 41, 40},
        {"SCTLR_EL1", "TWEDEL", 49, 46},
        {"SCTLR_EL1", "TIDCP", 63, 63},
        {"HCR_EL2", "VM", 0, 0},
        {"HCR_EL2", "PTW", 2, 2},
        {"HCR_EL2", "AMO", 5, 5},
        {"HCR_EL2", "BSU", 11, 10},
        {"HCR_EL2", "TWI", 13, 13},
        {"HCR_EL2", "TID3", 18, 18},
        {"HCR_EL2", "TSC", 19, 19},
        {"HCR_EL2", "TIDCP", 20, 20},
        {"HCR_EL2", "TACR", 21, 21},
        {"HCR_EL2", "TVM", 26, 26},
        {"HCR_EL2", "TGE", 27, 27},
        {"HCR_EL2", "TRVM", 30, 30},
        {"HCR_EL2", "RW", 31, 31},
        {"HCR_EL2", "E2H", 34, 34},
        {"HCR_EL2", "TEA", 37, 37},
        {"HCR_EL2", "API", 41, 41},
        {"HCR_EL2", "NV", 42, 42},
        {"HCR_EL2", "FWB", 46, 46},
        {"HCR_EL2", "ATA", 56, 56},
        {"VTCR_EL2", "T0SZ", 5, 0},
        {"VTCR_EL2", "SL0", 7, 6},
        {"VTCR_EL2", "TG0", 15, 14},
        {"VTCR_EL2", "PS", 18, 16},
        {"VTCR_EL2", "VS", 19, 19},
        {"VTCR_EL2", "HA", 21, 21},
        {"VTCR_EL2", "HD", 22, 22},
        {"VTCR_EL2", "DS", 32, 32},
        {"VTTBR_EL2", "VMID", 63, 48},
        {"HPFAR_EL2", "FIPA", 47, 4},
        {"TCR_EL1", "T0SZ", 5, 0},
        {"TCR_EL1", "EPD0", 7, 7},
        {"TCR_EL1", "T1SZ", 21, 16},
        {"TCR_EL1", "A1", 22, 22},
        {"TCR_EL1", "TG1", 31, 30},
        {"TCR_EL1", "IPS", 34, 32},
        {"TCR_EL1", "AS", 36, 36},
        {"TCR_EL1", "TBI0", 37, 37},
        {"TCR_EL1", "HA", 39, 39},
        {"TCR_EL1", "HD", 40, 40},
        {"TCR_EL1", "DS", 59, 59},
        {"MAIR_EL1", "Attr7", 63, 56},
        {"MDCR_EL2", "HPMN", 4, 0},
        {"MDCR_EL2", "TPMCR", 5, 5},
        {"MDCR_EL2", "TPM", 6, 6},
        {"MDCR_EL2", "TDE", 8, 8},
        {"MDCR_EL2", "TDA", 9, 9},
        {"MDCR_EL2", "TDOSA", 10, 10},
        {"MDCR_EL2", "TDRA", 11, 11},
        {"MDCR_EL2", "TPMS", 14, 14},
        {"CPTR_EL2", "TZ", 8, 8},
        {"CPTR_EL2", "TFP", 10, 10},
        {"CPTR_EL2", "TTA", 20, 20},
        {"CPTR_EL2", "TCPAC", 31, 31},
        {"CPACR_EL1", "FPEN", 21, 20},
        {"CPACR_EL1", "ZEN", 17, 16},
        {"CNTHCTL_EL2", "EL1PCEN", 1, 1},
        {"CNTKCTL_EL1", "EL0VTEN", 8, 8},
        {"SPSR_EL2", "PAN", 22, 22},
        {"SPSR_EL2", "IL", 20, 20},
        {"SPSR_EL2", "SS", 21, 21},
        {"SPSR_EL2", "D", 9, 9},
        {"SPSR_EL2", "F", 6, 6},
        {"MDSCR_EL1", "SS", 0, 0},
        {"MDSCR_EL1", "KDE", 13, 13},
        {"MDSCR_EL1", "MDE", 15, 15},
        {"MPIDR_EL1", "Aff3", 39, 32},
        {"MPIDR_EL1", "MT", 24, 24},
        {"ID_AA64MMFR0_EL1", "PARange", 3, 0},
        {"ID_AA64MMFR0_EL1", "TGran4", 31, 28},
        {"ID_AA64MMFR0_EL1", "TGran4_2", 43, 40},
        {"ID_AA64MMFR1_EL1", "VMIDBits", 7, 4},
        {"ID_AA64MMFR1_EL1", "VH", 11, 8},
        {"ID_AA64MMFR1_EL1", "XNX", 31, 28},
        {"ID_AA64MMFR2_EL1", "FWB", 43, 40},
        {"ID_AA64MMFR2_EL1", "NV", 27, 24},
        {"ID_AA64PFR0_EL1", "EL2", 11, 8},
        {"ID_AA64PFR0_EL1", "SVE", 35, 32},
    };
    for (unsigned i = 0; i < sizeof expected / sizeof *expected; i++) {
        const struct fh_arm_register *reg =
            fh_arm_register_named(expected[i].reg, strlen(expected[i].reg));
        const struct fh_arm_field *field =
            fh_arm_layout_field(reg->layout, expected[i].field, strlen(expected[i].field));
        ck_assert_msg(field && field->high == expected[i].high && field->low == expected[i].low,
                      "%s.%s", expected[i].reg, expected[i].field);
    }
}
END_TEST

/* --- Words ----------------------------------------------------------------------------------- */

static void assert_described(const char *name, uint64_t word, uint64_t hcr, const char *expected)
{
    char text[1024];
    const struct fh_arm_register *reg = fh_arm_register_named(name, strlen(name));
    fh_arm_describe_register(reg, word, hcr, text, sizeof text);
    ck_assert_str_eq(text, expected);
}

START_TEST(words_are_said_field_by_field)
{
    /* Linux: VTCR_EL2 for 40 bits of IPA and 4 KiB pages on a machine with 40 bits. */
    assert_described("VTCR_EL2", 0x80023558, 0,
                     "RES1=1, PS=2 (40 bits, 1 TiB), SH0=3 (inner shareable), ORGN0=1 (write-back, "
                     "read and write allocate), IRGN0=1 (write-back, read and write allocate), "
                     "SL0=1, T0SZ=24");
    assert_described("VTTBR_EL2", 0x000300004abcd000, 0, "VMID=3, BADDR=0x4abcd000");
    assert_described("HPFAR_EL2", 0x880cb00, 0, "FIPA=0x880cb0000");
    /* EL1h with everything masked, as KVM resets a vCPU. */
    assert_described("SPSR_EL2", 0x3c5, 0, "D=1, A=1, I=1, F=1, M=5 (EL1h)");
    assert_described("SPSR_EL2", 0x600f0010, 0, "Z=1, C=1, GE=15, M=0x10 (AArch32 User)");
    assert_described("PAR_EL1", 0xff00000080345b80, 0,
                     "ATTR=0xff (Normal write-back, read and write allocate), PA=0x80345000, "
                     "NSE=1, NS=1, SH=3 (inner shareable)");
    assert_described("PAR_EL1", 0x0000000000000b0f, 0,
                     "RES1=1, S=1 (stage 2), PTW=1, FST=7 (translation fault, level 3), F=1 "
                     "(failed)");
    assert_described("ESR_EL1", 0x96000045, 0,
                     "DABT_CUR (data abort from the same level): write, access not described "
                     "(ISV=0), translation fault, level 1");
    assert_described("VTTBR_EL2", 0, 0, "");
    assert_described("CPACR_EL1", 0x300000, 0, "FPEN=3 (does not trap)");
    assert_described("MPIDR_EL1", 0x80000103, 0, "RES1=1, Aff1=1, Aff0=3");
}
END_TEST

/* HCR_EL2 as KVM of Linux 4.18 sets it for a guest of AArch64. */
START_TEST(hcr_has_the_bits_of_the_manual)
{
    const struct fh_arm_hcr_el2 hcr = fh_arm_hcr_el2_of(0x8078663f);
    ck_assert(hcr.VM && hcr.SWIO && hcr.PTW && hcr.FMO && hcr.IMO && hcr.AMO && hcr.RW && hcr.FB);
    ck_assert(hcr.TWI && hcr.TWE && hcr.TSC && hcr.TACR && hcr.TSW && hcr.TIDCP);
    ck_assert_uint_eq(hcr.BSU, 1);
    ck_assert(!hcr.TVM && !hcr.E2H && !hcr.TGE && !hcr.DC && !hcr.TPC);
}
END_TEST

START_TEST(a_form_follows_from_the_word_or_from_e2h)
{
    const uint64_t e2h = UINT64_C(1) << 34;
    assert_described("CNTHCTL_EL2", 3, 0, "EL1PCEN=1, EL1PCTEN=1");
    assert_described("CNTHCTL_EL2", 0xc00, e2h, "EL1PTEN=1, EL1PCTEN=1");
    assert_described("CPTR_EL2", 0x33ff, 0, "RES1_13=1, TSM=1, RES1_9=1, TZ=1, RES1_7_0=0xff");
    assert_described("CPTR_EL2", 0x300000, e2h, "FPEN=3 (does not trap)");
}
END_TEST

static enum fh_arm_taken taken(const char *name, bool is_write, struct fh_arm_controls controls,
                               const char *by)
{
    char text[40];
    const struct fh_arm_register *reg = fh_arm_register_named(name, strlen(name));
    const enum fh_arm_taken answer =
        fh_arm_register_taken(reg, is_write, &controls, text, sizeof text);
    ck_assert_str_eq(text, by);
    return answer;
}

/* HCR_EL2.TVM is bit 26, TRVM 30, TPM bit 6 of MDCR_EL2, APK 40 and takes when it is 0. */
START_TEST(controls_of_el2_decide_what_is_taken)
{
    const struct fh_arm_controls none = {0}, tvm = {.hcr = 1u << 26}, trvm = {.hcr = 1u << 30},
                                 pmu = {.mdcr = 1u << 6}, both = {.mdcr = 3u << 5},
                                 keys = {.hcr = UINT64_C(1) << 40};
    ck_assert_int_eq(taken("SCTLR_EL1", true, none, ""), FH_ARM_NOT_TAKEN);
    ck_assert_int_eq(taken("SCTLR_EL1", true, tvm, "HCR_EL2.TVM"), FH_ARM_TAKEN);
    ck_assert_int_eq(taken("SCTLR_EL1", false, tvm, ""), FH_ARM_NOT_TAKEN);
    ck_assert_int_eq(taken("SCTLR_EL1", false, trvm, "HCR_EL2.TRVM"), FH_ARM_TAKEN);
    ck_assert_int_eq(taken("PMCCNTR_EL0", false, pmu, "MDCR_EL2.TPM"), FH_ARM_TAKEN);
    ck_assert_int_eq(taken("PMCR_EL0", true, both, "MDCR_EL2.TPMCR"), FH_ARM_TAKEN);
    ck_assert_int_eq(taken("APIAKeyLo_EL1", true, none, "HCR_EL2.APK"), FH_ARM_TAKEN);
    ck_assert_int_eq(taken("APIAKeyLo_EL1", true, keys, ""), FH_ARM_NOT_TAKEN);
    ck_assert_int_eq(taken("CNTP_CTL_EL0", true, none, "CNTHCTL_EL2.EL1PCEN"), FH_ARM_TAKEN);
    ck_assert_int_eq(taken("ICC_SRE_EL1", true, none, "ICC_SRE_EL2.Enable"), FH_ARM_MAY_BE_TAKEN);
    ck_assert_int_eq(
        taken("DC CISW", true, (struct fh_arm_controls){.hcr = 1u << 22}, "HCR_EL2.TSW"),
        FH_ARM_TAKEN);
    ck_assert_int_eq(taken("TPIDR_EL0", true, tvm, ""), FH_ARM_NOT_TAKEN);
}
END_TEST

/* Each name that a register's `trap` has, but those of other registers, is a field of its control.
 */
START_TEST(every_control_is_a_field_of_its_register)
{
    static const struct fh_arm_controls none;
    const struct fh_arm_register *reg;
    char by[40];
    for (unsigned i = 0; (reg = fh_arm_register_at(i)); i++) {
        const enum fh_arm_taken reads = fh_arm_register_taken(reg, false, &none, by, sizeof by);
        ck_assert_msg(reads != FH_ARM_MAY_BE_TAKEN || strncmp(by, "ICC_SRE", 7) == 0 ||
                          strcmp(by, "MDCR_EL2.E2PB") == 0,
                      "%s: %s", reg->name, by);
    }
}
END_TEST

/* --- SMMU ------------------------------------------------------------------------------------ */

static void assert_smmu(enum fh_arm_smmu_page page, uint64_t offset, const char *expected)
{
    char text[64];
    fh_arm_describe_smmu_register(page, offset, text, sizeof text);
    ck_assert_str_eq(text, expected);
}

/* Offsets of Linux's arm-smmu driver. */
START_TEST(smmu_registers_have_their_offsets)
{
    assert_smmu(FH_ARM_SMMU_GR0, 0x0, "sCR0");
    assert_smmu(FH_ARM_SMMU_GR0, 0x48, "sGFSR");
    assert_smmu(FH_ARM_SMMU_GR0, 0x50, "sGFSYNR0");
    assert_smmu(FH_ARM_SMMU_GR0, 0x80c, "SMR3");
    assert_smmu(FH_ARM_SMMU_GR0, 0xc04, "S2CR1");
    assert_smmu(FH_ARM_SMMU_GR1, 0x8, "CBAR2");
    assert_smmu(FH_ARM_SMMU_GR1, 0x400, "CBFRSYNRA0");
    assert_smmu(FH_ARM_SMMU_GR1, 0x804, "CBA2R1");
    assert_smmu(FH_ARM_SMMU_CB, 0x20, "CB TTBR0");
    assert_smmu(FH_ARM_SMMU_CB, 0x24, "CB TTBR0");
    assert_smmu(FH_ARM_SMMU_CB, 0x34, "CB CONTEXTIDR");
    assert_smmu(FH_ARM_SMMU_CB, 0x58, "CB FSR");
    assert_smmu(FH_ARM_SMMU_CB, 0x68, "CB FSYNR0");
    assert_smmu(FH_ARM_SMMU_CB, 0x18, "CB offset 0x18");
}
END_TEST

START_TEST(an_offset_lies_in_a_page_of_the_smmu)
{
    uint64_t in_page, bank;
    ck_assert_int_eq(fh_arm_smmu_place(0x808, 0x10000, 12, &in_page, &bank), FH_ARM_SMMU_GR0);
    ck_assert_int_eq(fh_arm_smmu_place(0x1404, 0x10000, 12, &in_page, &bank), FH_ARM_SMMU_GR1);
    ck_assert_uint_eq(in_page, 0x404);
    ck_assert_int_eq(fh_arm_smmu_place(0x12020, 0x10000, 12, &in_page, &bank), FH_ARM_SMMU_CB);
    ck_assert_uint_eq(in_page, 0x20);
    ck_assert_uint_eq(bank, 2);
}
END_TEST

/* A message of Linux: fsr=0x402, fsynr=0x300003; and GFSR 0x80000002. */
START_TEST(smmu_faults_are_taken_apart)
{
    char text[160];
    const struct fh_arm_smmu_register *fsr = fh_arm_smmu_register_named(FH_ARM_SMMU_CB, "fsr", 3);
    fh_arm_describe_word(fsr->layout, 0x402, text, sizeof text);
    ck_assert_str_eq(text, "FORMAT=2 (AArch64), TF=1");
    const struct fh_arm_smmu_fsynr0 fsynr = fh_arm_smmu_fsynr0_of(0x300003);
    ck_assert_uint_eq(fsynr.S1CBNDX, 0x30);
    ck_assert_uint_eq(fsynr.PLVL, 3);
    ck_assert_uint_eq(fsynr.WNR, 0);
    const struct fh_arm_smmu_register *gfsr =
        fh_arm_smmu_register_named(FH_ARM_SMMU_GR0, "GFSR", 4);
    fh_arm_describe_word(gfsr->layout, 0x80000002, text, sizeof text);
    ck_assert_str_eq(text, "MULTI=1, USF=1");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, every_register_is_what_its_fields_make);
    tcase_add_test(tests, every_smmu_register_is_what_its_fields_make);
    tcase_add_test(tests, registers_have_the_encodings_of_the_manual);
    tcase_add_test(tests, no_two_registers_have_one_encoding_or_name);
    tcase_add_test(tests, a_register_is_found_by_its_generic_name);
    tcase_add_test(tests, a_syndrome_names_the_register);
    tcase_add_test(tests, fields_stand_where_the_manual_has_them);
    tcase_add_test(tests, words_are_said_field_by_field);
    tcase_add_test(tests, hcr_has_the_bits_of_the_manual);
    tcase_add_test(tests, a_form_follows_from_the_word_or_from_e2h);
    tcase_add_test(tests, controls_of_el2_decide_what_is_taken);
    tcase_add_test(tests, every_control_is_a_field_of_its_register);
    tcase_add_test(tests, smmu_registers_have_their_offsets);
    tcase_add_test(tests, an_offset_lies_in_a_page_of_the_smmu);
    tcase_add_test(tests, smmu_faults_are_taken_apart);
}

int main(void)
{
    return run_tests("arm_registers", add);
}
