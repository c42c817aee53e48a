/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLAIN_NAMES_H
#define SIM_EXPLAIN_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <faulthandler/arm.h>

/* What a value is: X(id, what it is called). */
#define MEANING_MAP(X)                                                                             \
    X(SYNDROME, "exception syndrome")                                                              \
    X(ISS, "instruction specific syndrome")                                                        \
    X(CLASS, "exception class")                                                                    \
    X(STATUS, "fault status code")                                                                 \
    X(VIRTUAL, "virtual address of the fault")                                                     \
    X(HPFAR, "page of the faulting IPA")                                                           \
    X(IPA, "intermediate physical address")                                                        \
    X(PC, "address of the instruction")                                                            \
    X(STATE, "processor state")                                                                    \
    X(REGISTER, "system register")                                                                 \
    X(GENERAL, "general register")                                                                 \
    X(DESCRIPTOR, "descriptor")                                                                    \
    X(ENCODING, "system register access")                                                          \
    X(SMMU_GLOBAL, "register of an SMMU")                                                          \
    X(SMMU_BANK, "register of an SMMU's context bank")                                             \
    X(IOVA, "device address")                                                                      \
    X(STREAM, "stream of a device")                                                                \
    X(BANK, "context bank")                                                                        \
    X(VMID, "VM identifier")

enum meaning {
#define MEANING_ENUM(id, called) MEANING_##id,
    MEANING_MAP(MEANING_ENUM)
#undef MEANING_ENUM
        MEANINGS
};

/*
 * What a name in a message means. `canonical` is the architecture's name ("ESR_EL2", "sGFSR"), or
 * the name itself where there is none.
 */
struct name {
    enum meaning meaning;
    const char *canonical;
    const struct fh_arm_register *reg;       /* REGISTER and what else is one; or NULL */
    const struct fh_arm_smmu_register *smmu; /* SMMU_GLOBAL, SMMU_BANK */
    unsigned number;                         /* GENERAL */
    int level;                               /* DESCRIPTOR; FH_ARM_NO_LEVEL: not known */
};

const char *meaning_called(enum meaning meaning);

/* Is a number without 0x decimal for people who print such a value? */
bool meaning_is_decimal(enum meaning meaning);

/*
 * Does one of the names that people use begin at `text`, which ends at `end`? *length is what it
 * takes. A blank of a name may be several blanks of the text, and newlines. `in_smmu`: names that a
 * CPU and an SMMU have, are the SMMU's (FAR, TTBR0).
 */
bool name_at(const char *text, const char *end, bool in_smmu, struct name *name, size_t *length);

/* The same for the names of registers: "VTCR_EL2", "vtcr", "s3_4_c2_c1_2", "x3". */
bool name_of_register(const char *word, size_t length, struct name *name);

/* Letters, digits and the underscore, from `text` on. */
size_t word_length(const char *text, const char *end);

/* The name that is nearest to an unknown one; NULL if none is near. */
const char *name_nearest(const char *unknown);

/* Do the words of `phrase` stand at `text`? *length is what they take. */
bool phrase_at(const char *text, const char *end, const char *phrase, size_t *length);

#endif
