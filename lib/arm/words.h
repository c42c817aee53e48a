/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_ARM_WORDS_H
#define FH_ARM_WORDS_H

#include <faulthandler/arm_field.h>

/*
 * The values of fields in words: X(name). A field's table names one of these, or NUMBER, HEX,
 * ADDRESS, PAGE, REGISTER or FSC.
 */
/* clang-format off */
#define WORDS_MAP(X)                                                                                \
    X(FLAG) X(CLASS) X(IL) X(COND) X(WFX) X(SYS_DIRECTION) X(LDC_DIRECTION) X(OFFSET) X(LS64)       \
    X(ERET) X(ERETA) X(FPAC) X(SMTC) X(IND) X(GPCSC) X(WNR) X(SET) X(FNV) X(ISV) X(SAS)      \
    X(SF) X(WU) X(MEMINST) X(GCS_TYPE) X(GCS_INSTRUCTION) X(IDS) X(AET) X(SERROR_FSC) X(DEBUG_FSC)  \
    X(XN) X(SH) X(S2AP) X(MEMATTR) X(DESCRIPTOR)                                                    \
    X(ASIDSIZE) X(VMIDSIZE) X(PARANGE) X(TG0) X(TG1) X(RGN) X(MAIR) X(PAR_F) X(STAGE) X(MODE)       \
    X(BSU) X(TRAP) X(RMODE) X(IMPLEMENTED) X(TGRAN) X(TGRAN16) X(TGRAN_2) X(BITS_8_16) X(HAFDBS)    \
    X(BBM) X(VARANGE) X(FP_ID) X(EL_ID)                                                             \
    X(PNU) X(SMMU_PAGE) X(SMMU_SIZE) X(SMMU_PRIV) X(SMMU_S2CR) X(SMMU_CBAR) X(SMMU_VA64)            \
    X(SMMU_RESUME) X(SMMU_FORMAT)
/* clang-format on */

extern const struct fh_arm_words fh_arm_words_NUMBER;
extern const struct fh_arm_words fh_arm_words_HEX;
extern const struct fh_arm_words fh_arm_words_ADDRESS;
extern const struct fh_arm_words fh_arm_words_PAGE;
extern const struct fh_arm_words fh_arm_words_REGISTER;
extern const struct fh_arm_words fh_arm_words_FSC;

#define WORDS_EXTERN(name) extern const struct fh_arm_words fh_arm_words_##name;
WORDS_MAP(WORDS_EXTERN)
#undef WORDS_EXTERN

/* A row of struct fh_arm_field from a row of a table. */
#define ARM_FIELD(name, high, low, words, meaning)                                                 \
    {#name, high, low, &fh_arm_words_##words, meaning},

/* The fields and the layout of the word `name`, as `layout_name`. */
#define ARM_LAYOUT(name)                                                                           \
    static const struct fh_arm_field fields_##name[] = {FH_ARM_FIELDS_##name(ARM_FIELD)};          \
    static const struct fh_arm_layout layout_##name = {                                            \
        #name, FH_ARM_BITS(name), fields_##name, sizeof fields_##name / sizeof *fields_##name};

struct text;

/* The text of a value; NULL if the table has none. */
const char *fh_arm_word_text(const struct fh_arm_words *words, uint64_t value);

/* Is `name` this name, in letters of any case? */
char fh_arm_upper(char c);
bool fh_arm_is_named(const char *own, const char *name, size_t length);

/* "0x10"; and, of general registers, "X3", "W3" or "XZR". */
void fh_arm_put_hex(struct text *text, uint64_t value);
void fh_arm_put_register(struct text *text, uint64_t number, bool is_64bit);
void fh_arm_put_status(struct text *text, uint64_t code);

/* "VTCR_EL2", "DC CISW", "S3_0_C15_C2_0" */
struct fh_arm_encoding;
void fh_arm_put_encoding(struct text *text, const struct fh_arm_encoding *encoding);

/* The fields that are not 0, and bits that none has: "SAS=2 (4 bytes), SRT=3 (X3)". */
void fh_arm_put_fields(struct text *text, const struct fh_arm_layout *layout, uint64_t word);

#endif
