/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_ARM_STAGE2_H
#define FAULTHANDLER_ARM_STAGE2_H

#include <faulthandler/arm_field.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Stage 2 translation tables of VMSAv8-64: descriptors of 64 bits, granules of 4, 16 and 64 KiB.
 * Arm ARM, "VMSAv8-64 descriptor formats".
 *
 * What a descriptor is depends on the level of its table, and on three things that a walk knows
 * from VTCR_EL2 and HCR_EL2: struct fh_arm_stage2.
 */
struct fh_arm_stage2 {
    unsigned granule_bits; /* 12, 14 or 16: pages of 4, 16 or 64 KiB */
    bool is_52bit;         /* VTCR_EL2.DS (4 and 16 KiB), or FEAT_LPA (64 KiB): 52-bit addresses */
    bool has_fwb;          /* HCR_EL2.FWB: MemAttr is combined in another way */
};

/* clang-format off */
/*
 * Attributes of a block or page descriptor. Its kind is bits 1..0, its address lies between; NS is
 * software's outside of Secure and Realm state, and XN's bit 53 is 0 without FEAT_XNX.
 */
#define FH_ARM_FIELDS_stage2_leaf(FIELD)                                                            \
    FIELD(IGNORED, 63, 63, FLAG, "ignored")                                                         \
    FIELD(PBHA, 62, 59, NUMBER, "page-based hardware attributes, or ignored")                       \
    FIELD(SOFTWARE, 58, 55, HEX, "free for software; bit 55 is NS in Secure and Realm state")       \
    FIELD(XN, 54, 53, XN, "execution")                                                              \
    FIELD(Contiguous, 52, 52, FLAG, "one of a contiguous set of entries")                           \
    FIELD(DBM, 51, 51, FLAG, "hardware may make this writable (dirty state)")                       \
    FIELD(nT, 16, 16, FLAG, "block whose size is changing")                                         \
    FIELD(FnXS, 11, 11, FLAG, "barriers of the nXS form do not wait for accesses here")             \
    FIELD(AF, 10, 10, FLAG, "access flag")                                                          \
    FIELD(SH, 9, 8, SH, "shareability")                                                             \
    FIELD(S2AP, 7, 6, S2AP, "data access")                                                          \
    FIELD(MemAttr, 5, 2, MEMATTR, "memory type")                                                    \
    FIELD(TYPE, 1, 0, DESCRIPTOR, "kind")
/* clang-format on */

/* struct fh_arm_stage2_leaf, fh_arm_stage2_leaf_of(word), fh_arm_stage2_leaf_word(&leaf). */
FH_ARM_WORD(stage2_leaf)

/* Values of the attributes, in the manual's names. */
enum {
    FH_ARM_S2AP_NONE = 0,
    FH_ARM_S2AP_READ = 1,
    FH_ARM_S2AP_WRITE = 2,
    FH_ARM_S2AP_READ_WRITE = 3,
    FH_ARM_XN_NONE = 0,       /* executable at EL1 and EL0 */
    FH_ARM_XN_PRIVILEGED = 1, /* at EL0 only (FEAT_XNX) */
    FH_ARM_XN_ALL = 2,        /* nowhere */
    FH_ARM_XN_USER = 3,       /* at EL1 only (FEAT_XNX) */
    FH_ARM_SH_NON = 0,
    FH_ARM_SH_OUTER = 2,
    FH_ARM_SH_INNER = 3
};

/* What the two lowest bits and the level make of a descriptor. */
enum fh_arm_descriptor_kind {
    FH_ARM_INVALID,  /* bit 0 is 0: no translation; the other bits are software's */
    FH_ARM_RESERVED, /* valid, but of no kind at this level: a translation fault as well */
    FH_ARM_TABLE,
    FH_ARM_BLOCK,
    FH_ARM_PAGE
};

/*
 * A descriptor taken apart. `address` is that of the next table, block or page (bytes, up to 52
 * bits; for a table with the bits that its granule allows). `leaf` holds the attributes of a block
 * or page, and of the others TYPE alone. `rest` has all bits that are in none of these: ignored by
 * hardware, reserved, or software's.
 */
struct fh_arm_descriptor {
    enum fh_arm_descriptor_kind kind;
    uint64_t address;
    struct fh_arm_stage2_leaf leaf;
    uint64_t rest;
};

/* Bits of the input address that a table of this level leaves to what is below: 12 for pages. */
static inline unsigned fh_arm_level_shift(unsigned granule_bits, int level)
{
    return granule_bits + (unsigned)(3 - level) * (granule_bits - 3);
}

/* May a table of this level hold blocks? 1 and 2 (4 KiB), 2 (16 and 64 KiB), one more with 52 bits.
 */
FH_API bool fh_arm_level_has_blocks(const struct fh_arm_stage2 *stage2, int level);

/* Which bits of a descriptor of this kind, at this level, hold its address? */
FH_API uint64_t fh_arm_descriptor_address_bits(const struct fh_arm_stage2 *stage2, int level,
                                               enum fh_arm_descriptor_kind kind);

/*
 * Take a descriptor of a table of level -1..3 apart, and put one together. Each is the inverse of
 * the other: every word is what its parts make. For encoding, `address` bits that the kind has no
 * place for are lost, as are bits of `rest` where the kind has others.
 */
FH_API struct fh_arm_descriptor fh_arm_descriptor_of(const struct fh_arm_stage2 *stage2, int level,
                                                     uint64_t word);
FH_API uint64_t fh_arm_descriptor_word(const struct fh_arm_stage2 *stage2, int level,
                                       const struct fh_arm_descriptor *descriptor);

/* "block", "page", ... */
FH_API const char *fh_arm_descriptor_kind_name(enum fh_arm_descriptor_kind kind);

/* "Normal, inner write-back, outer write-back", "Device-nGnRE", ...: MemAttr with or without FWB.
 */
FH_API const char *fh_arm_memattr_name(uint64_t memattr, bool has_fwb);

/* The layout of block and page descriptors' attributes. */
FH_API const struct fh_arm_layout *fh_arm_stage2_leaf_layout(void);

/*
 * A descriptor in one line: "page at 0x345000: read and write, executable at EL1 and EL0, ...".
 */
FH_API size_t fh_arm_describe_descriptor(const struct fh_arm_stage2 *stage2, int level,
                                         uint64_t word, char *buffer, size_t size);

#ifdef __cplusplus
}
#endif

#endif
