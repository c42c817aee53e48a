/* SPDX-License-Identifier: GPL-2.0-only */
#include "arm/words.h"

#include <faulthandler/arm_syndrome.h>

/* Values in words, each table from the description of its field in the Arm ARM. */

#define WORDS(name, ...)                                                                           \
    static const struct fh_arm_word rows_##name[] = {__VA_ARGS__, {0, NULL}};                      \
    const struct fh_arm_words fh_arm_words_##name = {FH_ARM_SAY_WORDS, rows_##name}

const struct fh_arm_words fh_arm_words_NUMBER = {FH_ARM_SAY_NUMBER, NULL};
const struct fh_arm_words fh_arm_words_HEX = {FH_ARM_SAY_HEX, NULL};
const struct fh_arm_words fh_arm_words_ADDRESS = {FH_ARM_SAY_ADDRESS, NULL};
const struct fh_arm_words fh_arm_words_PAGE = {FH_ARM_SAY_PAGE, NULL};
const struct fh_arm_words fh_arm_words_REGISTER = {FH_ARM_SAY_REGISTER, NULL};
const struct fh_arm_words fh_arm_words_FSC = {FH_ARM_SAY_STATUS, NULL};

WORDS(FLAG, {0, "no"}, {1, "yes"});

/* --- Syndromes ------------------------------------------------------------------------------- */

#define CLASS_WORD(value, name, form, from, meaning) {value, meaning},
static const struct fh_arm_word rows_CLASS[] = {FH_ARM_CLASS_MAP(CLASS_WORD){0, NULL}};
const struct fh_arm_words fh_arm_words_CLASS = {FH_ARM_SAY_WORDS, rows_CLASS};

WORDS(IL, {0, "16-bit instruction"}, {1, "32-bit instruction, or none"});
WORDS(COND, {0, "EQ"}, {1, "NE"}, {2, "CS"}, {3, "CC"}, {4, "MI"}, {5, "PL"}, {6, "VS"}, {7, "VC"},
      {8, "HI"}, {9, "LS"}, {10, "GE"}, {11, "LT"}, {12, "GT"}, {13, "LE"}, {14, "always"},
      {15, "always (1111)"});
WORDS(WFX, {0, "WFI"}, {1, "WFE"}, {2, "WFIT"}, {3, "WFET"});
WORDS(SYS_DIRECTION, {0, "write"}, {1, "read"});
WORDS(LDC_DIRECTION, {0, "STC, to memory"}, {1, "LDC, from memory"});
WORDS(OFFSET, {0, "subtracted"}, {1, "added"});
WORDS(LS64, {0, "ST64BV"}, {1, "ST64BV0"}, {2, "LD64B or ST64B"});
WORDS(ERET, {0, "ERET"}, {1, "ERETAA or ERETAB"});
WORDS(ERETA, {0, "ERETAA"}, {1, "ERETAB"});
WORDS(FPAC, {0, "instruction key A"}, {1, "instruction key B"}, {2, "data key A"},
      {3, "data key B"});
WORDS(SMTC, {0, "access to SME"}, {1, "not possible in streaming mode"},
      {2, "not in streaming mode"}, {3, "ZA is off"}, {4, "access to ZT0"});
WORDS(IND, {0, "data access"}, {1, "instruction fetch"});
WORDS(GPCSC, {0, "table address size fault, level 0"}, {1, "table address size fault, level 1"},
      {4, "walk fault, level 0"}, {5, "walk fault, level 1"}, {12, "protection fault, level 0"},
      {13, "protection fault, level 1"}, {20, "external abort on the table, level 0"},
      {21, "external abort on the table, level 1"});
WORDS(WNR, {0, "read"}, {1, "write"});
WORDS(SET, {0, "recoverable (UER)"}, {2, "uncontainable (UC)"}, {3, "restartable (UEO)"});
WORDS(FNV, {0, "valid"}, {1, "not valid"});
WORDS(ISV, {0, "mean nothing"}, {1, "valid"});
WORDS(SAS, {0, "1 byte"}, {1, "2 bytes"}, {2, "4 bytes"}, {3, "8 bytes"});
WORDS(SF, {0, "32 bits"}, {1, "64 bits"});
WORDS(WU, {0, "not a store, or not known"}, {2, "not changed"}, {3, "may have changed"});
WORDS(MEMINST, {0, "copy (CPY*)"}, {1, "set (SET*)"});
WORDS(GCS_TYPE, {0, "data check"}, {1, "EXLOCK"}, {2, "trapped GCSSTR or GCSSTTR"});
WORDS(GCS_INSTRUCTION, {0, "RET"}, {1, "GCSPOPM"}, {2, "RETAA"}, {3, "RETAB"}, {4, "GCSSS1"},
      {5, "GCSSS2"}, {6, "GCSPOPCX"}, {7, "GCSPOPX"});
WORDS(IDS, {0, "architectural"}, {1, "implementation defined"});
WORDS(AET, {0, "uncontainable (UC)"}, {1, "unrecoverable (UEU)"}, {2, "restartable (UEO)"},
      {3, "recoverable (UER)"}, {6, "corrected (CE)"});
WORDS(SERROR_FSC, {0, "uncategorized"}, {0x11, "asynchronous SError"});
WORDS(DEBUG_FSC, {0x22, "debug exception"});

/* --- Descriptors ----------------------------------------------------------------------------- */

WORDS(XN, {0, "executable at EL1 and EL0"}, {1, "executable at EL0 only (FEAT_XNX)"},
      {2, "not executable"}, {3, "executable at EL1 only (FEAT_XNX)"});
WORDS(SH, {0, "non-shareable"}, {2, "outer shareable"}, {3, "inner shareable"});
WORDS(S2AP, {0, "no data access"}, {1, "read-only"}, {2, "write-only"}, {3, "read and write"});
WORDS(MEMATTR, {0, "Device-nGnRnE"}, {1, "Device-nGnRE"}, {2, "Device-nGRE"}, {3, "Device-GRE"},
      {5, "Normal, outer and inner non-cacheable"},
      {6, "Normal, outer non-cacheable, inner write-through"},
      {7, "Normal, outer non-cacheable, inner write-back"},
      {9, "Normal, outer write-through, inner non-cacheable"},
      {10, "Normal, outer and inner write-through"},
      {11, "Normal, outer write-through, inner write-back"},
      {13, "Normal, outer write-back, inner non-cacheable"},
      {14, "Normal, outer write-back, inner write-through"},
      {15, "Normal, outer and inner write-back"});
WORDS(DESCRIPTOR, {0, "invalid"}, {1, "block"}, {2, "invalid"}, {3, "table or page"});

/* --- Registers ------------------------------------------------------------------------------- */

WORDS(ASIDSIZE, {0, "8 bits"}, {1, "16 bits"});
WORDS(VMIDSIZE, {0, "8 bits"}, {1, "16 bits"});
WORDS(PARANGE, {0, "32 bits, 4 GiB"}, {1, "36 bits, 64 GiB"}, {2, "40 bits, 1 TiB"},
      {3, "42 bits, 4 TiB"}, {4, "44 bits, 16 TiB"}, {5, "48 bits, 256 TiB"}, {6, "52 bits, 4 PiB"},
      {7, "56 bits, 64 PiB"});
WORDS(TG0, {0, "4 KiB"}, {1, "64 KiB"}, {2, "16 KiB"});
WORDS(TG1, {1, "16 KiB"}, {2, "4 KiB"}, {3, "64 KiB"});
WORDS(RGN, {0, "non-cacheable"}, {1, "write-back, read and write allocate"},
      {2, "write-through, read allocate"}, {3, "write-back, read allocate"});
WORDS(MAIR, {0x00, "Device-nGnRnE"}, {0x04, "Device-nGnRE"}, {0x08, "Device-nGRE"},
      {0x0c, "Device-GRE"}, {0x40, "Normal non-cacheable, XS=0"}, {0x44, "Normal non-cacheable"},
      {0xa0, "Normal write-through, XS=0"}, {0xbb, "Normal write-through"},
      {0xee, "Normal write-back, read allocate"}, {0xf0, "Normal tagged write-back"},
      {0xff, "Normal write-back, read and write allocate"});
WORDS(PAR_F, {0, "translated"}, {1, "failed"});
WORDS(STAGE, {0, "stage 1"}, {1, "stage 2"});
WORDS(MODE, {0x00, "EL0t"}, {0x04, "EL1t"}, {0x05, "EL1h"}, {0x08, "EL2t"}, {0x09, "EL2h"},
      {0x0c, "EL3t"}, {0x0d, "EL3h"}, {0x10, "AArch32 User"}, {0x11, "AArch32 FIQ"},
      {0x12, "AArch32 IRQ"}, {0x13, "AArch32 Supervisor"}, {0x16, "AArch32 Monitor"},
      {0x17, "AArch32 Abort"}, {0x1a, "AArch32 Hyp"}, {0x1b, "AArch32 Undefined"},
      {0x1f, "AArch32 System"});
WORDS(BSU, {0, "no more than they say"}, {1, "the inner shareable domain"},
      {2, "the outer shareable domain"}, {3, "the full system"});
WORDS(TRAP, {0, "traps EL0 and EL1"}, {1, "traps EL0"}, {2, "traps EL0 and EL1"},
      {3, "does not trap"});
WORDS(RMODE, {0, "to nearest"}, {1, "towards plus infinity"}, {2, "towards minus infinity"},
      {3, "towards zero"});
WORDS(IMPLEMENTED, {0, "not implemented"}, {1, "implemented"}, {2, "implemented, second form"},
      {3, "implemented, third form"});
WORDS(TGRAN, {0, "implemented"}, {1, "implemented, 52-bit addresses"}, {15, "not implemented"});
WORDS(TGRAN16, {0, "not implemented"}, {1, "implemented"}, {2, "implemented, 52-bit addresses"});
WORDS(TGRAN_2, {0, "as at stage 1"}, {1, "not implemented"}, {2, "implemented"},
      {3, "implemented, 52-bit addresses"});
WORDS(BITS_8_16, {0, "8 bits"}, {2, "16 bits"});
WORDS(HAFDBS, {0, "none"}, {1, "access flag"}, {2, "access flag and dirty state"},
      {3, "access flag, of tables too, and dirty state"}, {4, "with a dirty state structure"});
WORDS(BBM, {0, "needed"}, {1, "level 1"}, {2, "level 2"});
WORDS(VARANGE, {0, "48 bits"}, {1, "52 bits"}, {2, "56 bits"});
WORDS(FP_ID, {0, "implemented"}, {1, "implemented, with half precision"}, {15, "not implemented"});
WORDS(EL_ID, {0, "not implemented"}, {1, "AArch64 only"}, {2, "AArch64 and AArch32"});

/* --- SMMU ------------------------------------------------------------------------------------ */

WORDS(PNU, {0, "unprivileged"}, {1, "privileged"});
WORDS(SMMU_PAGE, {0, "4 KiB"}, {1, "64 KiB"});
WORDS(SMMU_SIZE, {0, "32 bits"}, {1, "36 bits"}, {2, "40 bits"}, {3, "42 bits"}, {4, "44 bits"},
      {5, "48 bits"});
WORDS(SMMU_PRIV, {0, "as the device says"}, {1, "as the device says, but instruction fetches"},
      {2, "unprivileged"}, {3, "privileged"});
WORDS(SMMU_S2CR, {0, "translated by the bank"}, {1, "bypasses"}, {2, "faults"});
WORDS(SMMU_CBAR, {0, "stage 2"}, {1, "stage 1, stage 2 bypassed"}, {2, "stage 1, stage 2 faults"},
      {3, "stage 1 and stage 2"});
WORDS(SMMU_VA64, {0, "AArch32"}, {1, "AArch64"});
WORDS(SMMU_RESUME, {0, "is tried again"}, {1, "is ended"});
WORDS(SMMU_FORMAT, {0, "AArch32, short descriptors"}, {1, "AArch32, long descriptors"},
      {2, "AArch64"});

const char *fh_arm_word_text(const struct fh_arm_words *words, uint64_t value)
{
    if (words->kind != FH_ARM_SAY_WORDS)
        return NULL;
    for (const struct fh_arm_word *row = words->rows; row->text; row++) {
        if (row->value == value)
            return row->text;
    }
    return NULL;
}

char fh_arm_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

bool fh_arm_is_named(const char *own, const char *name, size_t length)
{
    size_t n = 0;
    while (n < length && own[n] && fh_arm_upper(own[n]) == fh_arm_upper(name[n]))
        n++;
    return n == length && !own[n];
}
