/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers/physical.h"

#include <faulthandler/arm_stage2.h>

/* --- Memory ----------------------------------------------------------------------------------- */

uint64_t memory_word(const struct fh_state *s, uint64_t pa)
{
    return number_at(&s->adt->memory, pa);
}

enum fh_status set_memory_word(struct fh_state *s, uint64_t pa, uint64_t word)
{
    return memory_word(s, pa) == word ? FH_OK : set_entry_u64(s, &s->adt->memory, pa, word);
}

/* The first entry of `map` from *key up to `end`. */
static bool find_entry(const struct fh_map *map, uint64_t *key, uint64_t end)
{
    return fh_map_next(map, &type_of_u64->as_value, key) && *key < end;
}

enum fh_status fill_memory_page(struct fh_state *s, uint64_t pfn, uint64_t value)
{
    const uint64_t page = pfn * s->profile->PAGE_SIZE, end = page + s->profile->PAGE_SIZE;
    if (!s->adt->memory.root)
        return FH_OK;
    for (uint64_t at = page; find_entry(&s->adt->memory, &at, end); at++)
        FH_TRY(set_memory_word(s, at, 0));
    return set_memory_word(s, page, value);
}

/* --- TLB -------------------------------------------------------------------------------------- */

/* A key is: SMMU (1 bit), owner (16), page (36), level (2), CPU (8). */
enum { CPU_BITS = 8, LEVEL_BITS = 2, PAGE_BITS = 36, GRANULE_BITS = 12, LAST_LEVEL = 3 };

static uint64_t tlb_key(const struct tlb_tag *tag, uint64_t address, int level)
{
    const unsigned shift = fh_arm_level_shift(GRANULE_BITS, level);
    const uint64_t page = address >> shift << shift >> GRANULE_BITS;
    uint64_t key = (uint64_t)tag->is_smmu << 16 | (tag->owner & 0xffff);
    key = key << PAGE_BITS | (page & fh_arm_mask(PAGE_BITS - 1, 0));
    key = key << LEVEL_BITS | (uint64_t)level;
    return key << CPU_BITS | (tag->cpu & fh_arm_mask(CPU_BITS - 1, 0));
}

uint64_t tlb_find(const struct fh_state *s, const struct tlb_tag *tag, uint64_t address, int *level)
{
    uint64_t descriptor = 0;
    for (*level = LAST_LEVEL; *level > 0; --*level) {
        descriptor = number_at(&s->adt->tlb, tlb_key(tag, address, *level));
        if (descriptor)
            break;
    }
    return descriptor;
}

enum fh_status tlb_keep(struct fh_state *s, const struct tlb_tag *tag, uint64_t address, int level,
                        uint64_t descriptor)
{
    const uint64_t key = tlb_key(tag, address, level);
    return number_at(&s->adt->tlb, key) == descriptor
               ? FH_OK
               : set_entry_u64(s, &s->adt->tlb, key, descriptor);
}

/* Entries from key `first` to `last` are gone. */
static enum fh_status drop(struct fh_state *s, uint64_t first, uint64_t last)
{
    for (uint64_t key = first; find_entry(&s->adt->tlb, &key, last + 1); key++) {
        if (number_at(&s->adt->tlb, key) != 0)
            FH_TRY(set_entry_u64(s, &s->adt->tlb, key, 0));
    }
    return FH_OK;
}

/* Entries of all levels for one address, on all CPUs. */
static enum fh_status drop_address(struct fh_state *s, struct tlb_tag tag, uint64_t address)
{
    if (!s->adt->tlb.root)
        return FH_OK;
    tag.cpu = 0;
    for (int level = LAST_LEVEL; level > 0; level--) {
        const uint64_t first = tlb_key(&tag, address, level);
        FH_TRY(drop(s, first, first | fh_arm_mask(CPU_BITS - 1, 0)));
    }
    return FH_OK;
}

enum fh_status tlb_invalidate(struct fh_state *s, uint64_t vmid, uint64_t ipa)
{
    if (s->adt->halt)
        return FH_OK;
    observe(s, FH_EFFECT_TLBI, vmid, ipa, 0, 0);
    return drop_address(s, (struct tlb_tag){.owner = vmid}, ipa);
}

/* --- SMMUs ------------------------------------------------------------------------------------ */

/* Registers that invalidate: of GR0, and of a context bank (arm_smmu.h). */
enum {
    TLBIVMID = 0x64,
    TLBIALLNSNH = 0x68,
    CB_TLBIALL = 0x618,
    CB_TLBIIPAS2 = 0x630,
    CB_TLBIIPAS2L = 0x638
};

static enum fh_status drop_bank(struct fh_state *s, uint64_t bank)
{
    const struct tlb_tag tag = {.is_smmu = true, .owner = bank};
    const uint64_t first = tlb_key(&tag, 0, 0);
    return drop(s, first, first | fh_arm_mask(PAGE_BITS + LEVEL_BITS + CPU_BITS - 1, 0));
}

/* All banks of an SMMU, or those of one VM. */
static enum fh_status drop_banks(struct fh_state *s, uint64_t smmu, bool is_all, uint64_t vmid)
{
    for (uint64_t bank = 0; bank < s->profile->SMMU_NUM_CTXT_BANKS; bank++) {
        if (is_all || smmu_vmid_of(s, smmu, bank) == vmid)
            FH_TRY(drop_bank(s, smmu_id(s->profile, smmu, bank)));
    }
    return FH_OK;
}

static enum fh_status bank_written(struct fh_state *s, uint64_t smmu, uint64_t offset,
                                   uint64_t value)
{
    const uint64_t bank = offset >> ARM_SMMU_PGSHIFT;
    const struct tlb_tag tag = {.is_smmu = true, .owner = smmu_id(s->profile, smmu, bank)};
    switch (offset & fh_arm_mask(ARM_SMMU_PGSHIFT - 1, 0)) {
    case CB_TLBIALL: return drop_bank(s, tag.owner);
    case CB_TLBIIPAS2:
    case CB_TLBIIPAS2L:
        return drop_address(s, tag, (value & fh_arm_mask(PAGE_BITS - 1, 0)) << GRANULE_BITS);
    default: return FH_OK;
    }
}

/* The SMMU whose registers are at `address`, where EL2 or everybody else has them. */
static bool find_smmu(const struct fh_state *s, uint64_t address, uint64_t *smmu, uint64_t *offset)
{
    const struct fh_smmu_conf *conf = s->adt->smmu_conf;
    for (*smmu = 0; *smmu < conf->smmu_num; ++*smmu) {
        const uint64_t size = number_at(&conf->smmu_size, *smmu);
        const uint64_t bases[] = {number_at(&conf->smmu_hyp_base, *smmu),
                                  number_at(&conf->smmu_phys_base, *smmu)};
        for (unsigned i = 0; i < 2; i++) {
            *offset = address - bases[i];
            if (*offset < size)
                return true;
        }
    }
    return false;
}

enum fh_status tlb_invalidate_smmu(struct fh_state *s, uint64_t address, uint64_t value)
{
    uint64_t smmu, offset;
    if (!find_smmu(s, address, &smmu, &offset))
        return FH_OK;
    offset &= s->profile->SMMU_OFFSET_MASK;
    if (offset >= SMMU_GLOBAL_BASE)
        return bank_written(s, smmu, offset - SMMU_GLOBAL_BASE, value);
    if (offset == TLBIALLNSNH || offset == TLBIVMID)
        return drop_banks(s, smmu, offset == TLBIALLNSNH, value & 0xffff);
    return FH_OK;
}
