/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/arm_stage2.h>

#include "arm/words.h"
#include "base/text.h"

enum { TOP_BLOCK_4K = 1, TOP_BLOCK_LARGE = 2, ADDRESS_TOP = 47, ADDRESS_TOP_DS = 49 };

ARM_LAYOUT(stage2_leaf)

const struct fh_arm_layout *fh_arm_stage2_leaf_layout(void)
{
    return &layout_stage2_leaf;
}

/* Are bits 51..48 of an address in bits 15..12 (64 KiB), or 51..50 in bits 9..8? */
static bool high_address_is_low(const struct fh_arm_stage2 *stage2)
{
    return stage2->is_52bit && stage2->granule_bits == 16;
}

static bool high_address_is_in_sh(const struct fh_arm_stage2 *stage2)
{
    return stage2->is_52bit && stage2->granule_bits != 16;
}

bool fh_arm_level_has_blocks(const struct fh_arm_stage2 *stage2, int level)
{
    const int top = stage2->granule_bits == 12 ? TOP_BLOCK_4K : TOP_BLOCK_LARGE;
    return level <= 2 && level >= top - (stage2->is_52bit ? 1 : 0);
}

static enum fh_arm_descriptor_kind kind_of(const struct fh_arm_stage2 *stage2, int level,
                                           uint64_t word)
{
    if (!(word & 1))
        return FH_ARM_INVALID;
    if (word & 2)
        return level == 3 ? FH_ARM_PAGE : FH_ARM_TABLE;
    return fh_arm_level_has_blocks(stage2, level) ? FH_ARM_BLOCK : FH_ARM_RESERVED;
}

uint64_t fh_arm_descriptor_address_bits(const struct fh_arm_stage2 *stage2, int level,
                                        enum fh_arm_descriptor_kind kind)
{
    if (kind == FH_ARM_INVALID || kind == FH_ARM_RESERVED)
        return 0;
    const unsigned low = kind == FH_ARM_BLOCK ? fh_arm_level_shift(stage2->granule_bits, level)
                                              : stage2->granule_bits;
    uint64_t bits = fh_arm_mask(high_address_is_in_sh(stage2) ? ADDRESS_TOP_DS : ADDRESS_TOP, low);
    if (high_address_is_low(stage2))
        bits |= fh_arm_mask(15, 12);
    if (high_address_is_in_sh(stage2))
        bits |= fh_arm_mask(9, 8);
    return bits;
}

/* The address that the bits of a descriptor say, and the bits that say an address. */
static uint64_t address_of(const struct fh_arm_stage2 *stage2, uint64_t bits)
{
    if (high_address_is_low(stage2))
        return (bits & ~fh_arm_mask(15, 12)) | fh_arm_get(bits, 15, 12) << 48;
    if (high_address_is_in_sh(stage2))
        return (bits & ~fh_arm_mask(9, 8)) | fh_arm_get(bits, 9, 8) << 50;
    return bits;
}

static uint64_t bits_of_address(const struct fh_arm_stage2 *stage2, uint64_t address)
{
    if (high_address_is_low(stage2))
        return (address & ~fh_arm_mask(51, 48)) | fh_arm_get(address, 51, 48) << 12;
    if (high_address_is_in_sh(stage2))
        return (address & ~fh_arm_mask(51, 50)) | fh_arm_get(address, 51, 50) << 8;
    return address;
}

/* The bits of a descriptor that struct fh_arm_stage2_leaf has. */
static uint64_t leaf_bits(enum fh_arm_descriptor_kind kind, uint64_t address_bits)
{
    const uint64_t type = 3;
    if (kind == FH_ARM_BLOCK || kind == FH_ARM_PAGE)
        return FH_ARM_BITS(stage2_leaf) & ~address_bits;
    return type;
}

struct fh_arm_descriptor fh_arm_descriptor_of(const struct fh_arm_stage2 *stage2, int level,
                                              uint64_t word)
{
    const enum fh_arm_descriptor_kind kind = kind_of(stage2, level, word);
    const uint64_t address = fh_arm_descriptor_address_bits(stage2, level, kind);
    const uint64_t leaf = leaf_bits(kind, address);
    return (struct fh_arm_descriptor){
        .kind = kind,
        .address = address_of(stage2, word & address),
        .leaf = fh_arm_stage2_leaf_of(word & leaf),
        .rest = word & ~address & ~leaf,
    };
}

uint64_t fh_arm_descriptor_word(const struct fh_arm_stage2 *stage2, int level,
                                const struct fh_arm_descriptor *descriptor)
{
    const uint64_t address = fh_arm_descriptor_address_bits(stage2, level, descriptor->kind);
    const uint64_t leaf = leaf_bits(descriptor->kind, address);
    return (bits_of_address(stage2, descriptor->address) & address) |
           (fh_arm_stage2_leaf_word(&descriptor->leaf) & leaf) |
           (descriptor->rest & ~address & ~leaf);
}

/* --- In words -------------------------------------------------------------------------------- */

const char *fh_arm_descriptor_kind_name(enum fh_arm_descriptor_kind kind)
{
    switch (kind) {
    case FH_ARM_INVALID: return "invalid";
    case FH_ARM_RESERVED: return "reserved";
    case FH_ARM_TABLE: return "table";
    case FH_ARM_BLOCK: return "block";
    case FH_ARM_PAGE: return "page";
    }
    return "?";
}

/* With FWB bit 2 tells Normal from Device, and bit 3 is used by memory tagging. */
static const char *memattr_with_fwb(uint64_t memattr)
{
    static const char *const names[] = {
        "Device-nGnRnE",
        "Device-nGnRE",
        "Device-nGRE",
        "Device-GRE",
        "reserved",
        "Normal, non-cacheable (FWB)",
        "Normal, write-back whatever stage 1 says (FWB)",
        "as stage 1 says (FWB)",
    };
    if (memattr == 15)
        return "as stage 1 says, no tag access (FWB)";
    return memattr < 8 ? names[memattr] : "reserved";
}

const char *fh_arm_memattr_name(uint64_t memattr, bool has_fwb)
{
    const char *name =
        has_fwb ? memattr_with_fwb(memattr) : fh_arm_word_text(&fh_arm_words_MEMATTR, memattr);
    return name ? name : "reserved";
}

static void put_leaf(struct text *text, const struct fh_arm_stage2 *stage2,
                     const struct fh_arm_stage2_leaf *leaf)
{
    text_put(text, ": ");
    text_put(text, fh_arm_word_text(&fh_arm_words_S2AP, leaf->S2AP));
    text_put(text, ", ");
    text_put(text, fh_arm_word_text(&fh_arm_words_XN, leaf->XN));
    text_put(text, ", ");
    text_put(text, fh_arm_memattr_name(leaf->MemAttr, stage2->has_fwb));
    if (!high_address_is_in_sh(stage2)) {
        const char *shareability = fh_arm_word_text(&fh_arm_words_SH, leaf->SH);
        text_put(text, ", ");
        text_put(text, shareability ? shareability : "reserved shareability");
    }
    if (!leaf->AF)
        text_put(text, ", access flag is 0: an access faults");
    if (leaf->Contiguous)
        text_put(text, ", contiguous");
    if (leaf->DBM)
        text_put(text, ", DBM");
    if (leaf->nT)
        text_put(text, ", nT");
    if (leaf->FnXS)
        text_put(text, ", FnXS");
    if (leaf->SOFTWARE) {
        text_put(text, ", software bits ");
        fh_arm_put_hex(text, leaf->SOFTWARE << 55);
    }
    if (leaf->PBHA) {
        text_put(text, ", PBHA ");
        fh_arm_put_hex(text, leaf->PBHA);
    }
}

/* "4 KiB", "2 MiB", "1 GiB" */
static void put_size(struct text *text, unsigned shift)
{
    text_put_digits(text, UINT64_C(1) << shift % 10, 10);
    text_put(text, shift < 20 ? " KiB" : shift < 30 ? " MiB" : shift < 40 ? " GiB" : " TiB");
}

size_t fh_arm_describe_descriptor(const struct fh_arm_stage2 *stage2, int level, uint64_t word,
                                  char *buffer, size_t size)
{
    struct text text = {buffer, size, 0};
    const struct fh_arm_descriptor descriptor = fh_arm_descriptor_of(stage2, level, word);
    text_put(&text, fh_arm_descriptor_kind_name(descriptor.kind));
    if (descriptor.kind == FH_ARM_BLOCK || descriptor.kind == FH_ARM_PAGE) {
        text_put(&text, " of ");
        put_size(&text, fh_arm_level_shift(stage2->granule_bits, level));
    }
    if (fh_arm_descriptor_address_bits(stage2, level, descriptor.kind)) {
        text_put(&text, " at ");
        fh_arm_put_hex(&text, descriptor.address);
    }
    if (descriptor.kind == FH_ARM_BLOCK || descriptor.kind == FH_ARM_PAGE)
        put_leaf(&text, stage2, &descriptor.leaf);
    if (descriptor.rest) {
        text_put(&text, ", other bits ");
        fh_arm_put_hex(&text, descriptor.rest);
    }
    return text_end(&text);
}
