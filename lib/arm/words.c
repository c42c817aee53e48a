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
WORDS(ISV, {0, "not described: the fields of the access mean nothing"}, {1, "described"});
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
