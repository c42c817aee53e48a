/* SPDX-License-Identifier: GPL-2.0-only */
#include "machines/sekvm-4.18/sekvm.h"

/* SMMUs: their tables, and the host's accesses to their registers. */

/* --- What stands behind the kernel's tables -------------------------------------------------- */

/*
 * A32: what stands where the owner of bank `n` is looked for. Behind the table of 16 entries of 16
 * bytes lie the records of the SMMUs (104 bytes each), how many there are, the flag that says that
 * translation is on, data of the CPUs and of the cryptography, and no more (struct el2_data).
 */
enum { CFG_SIZE = 16, SMMU_SIZE = 104, CPUS_BEGIN = 480, KEYS_END = 1728 };

static uint64_t behind_banks(const struct fh_state *s, uint64_t offset)
{
    const struct fh_smmu_conf *conf = s->adt->smmu_conf;
    const uint64_t index = offset / SMMU_SIZE;
    if (offset == 464)
        return conf->smmu_num;
    if (offset == CPUS_BEGIN)
        return 1; /* installed */
    if (index < s->profile->SMMU_NUM) {
        switch (offset % SMMU_SIZE) {
        case 0: return number_at(&conf->smmu_phys_base, index);
        case 8: return number_at(&conf->smmu_size, index);
        case 16: return number_at(&conf->smmu_pgshift, index);
        case 32: return number_at(&conf->smmu_dev_context_banks, index);
        case 88: return number_at(&conf->smmu_hyp_base, index);
        default: return 0;
        }
    }
    /* Pointers, round constants of SHA-2, a key: no VM's number. All beyond is 0. */
    return offset > CPUS_BEGIN && offset < KEYS_END ? s->profile->INVALID : 0;
}

static uint64_t owner_behind(const struct fh_state *s, uint64_t n)
{
    const struct fh_profile *k = s->profile;
    const uint64_t banks = k->SMMU_NUM * k->SMMU_NUM_CTXT_BANKS;
    if (n < banks)
        return smmu_vmid_of(s, n / k->SMMU_NUM_CTXT_BANKS, n % k->SMMU_NUM_CTXT_BANKS);
    return behind_banks(s, (n - banks) * CFG_SIZE) & k->INVALID;
}

/* --- The host's accesses --------------------------------------------------------------------- */

/* A30: the low 16 bits of FAR_EL2, on the base of the SMMU, say which register it is. */
enum fh_status m_handle_host_mmio(struct fh_state *s, uint64_t addr, uint32_t index, uint32_t hsr)
{
    const struct fh_profile *k = s->profile;
    if (s->adt->halt)
        return below_handle_host_mmio(s, addr, index, hsr);
    const uint64_t base = number_at(&s->adt->smmu_conf->smmu_phys_base, index);
    const uint64_t far = s->adt->regs->ctxt_regs.far_el2;
    const uint64_t place = base | (far & k->SMMU_OFFSET_MASK);
    if (place == (addr | (far & (k->PAGE_SIZE - 1))) || !departs(s, A30))
        return below_handle_host_mmio(s, addr, index, hsr);
    return below_handle_host_mmio(s, place & ~(k->PAGE_SIZE - 1), index, hsr);
}

/* A31: GR1 begins at its base. A32: and has more registers of its kind than there are banks. */
enum fh_status m_handle_smmu_global_access(struct fh_state *s, uint32_t hsr, uint64_t offset,
                                           uint32_t index, uint32_t *result)
{
    const struct fh_profile *k = s->profile;
    const uint64_t n = (offset - k->ARM_SMMU_GR1_BASE) / 4;
    const bool is_first = offset == k->ARM_SMMU_GR1_BASE;
    const bool is_cbar = offset > k->ARM_SMMU_GR1_BASE && offset < k->ARM_SMMU_GR1_END;
    const bool is_known =
        is_cbar && n < k->SMMU_NUM_CTXT_BANKS && is_vmid(k, smmu_vmid_of(s, index, n));
    if (s->adt->halt || (!is_first && !is_cbar) || is_known || !departs(s, is_first ? A31 : A32))
        return below_handle_smmu_global_access(s, hsr, offset, index, result);
    uint64_t data;
    FH_TRY(kc_host_get_mmio_data(s, hsr, &data));
    const uint64_t owner = owner_behind(s, index * k->SMMU_NUM_CTXT_BANKS + n);
    *result = owner == k->HOSTVISOR || (data >> k->CBAR_TYPE_SHIFT == k->CBAR_TYPE_S2_TRANS &&
                                        owner == (data & k->CBAR_VMID_MASK));
    return FH_OK;
}

/* A33, L1: 4 bytes are the host's, whatever the register. */
enum fh_status m___handle_smmu_write(struct fh_state *s, uint32_t hsr, uint64_t fault_ipa,
                                     uint32_t len, uint64_t val, uint32_t write_val)
{
    if (len != 4 || s->adt->halt || !departs(s, write_val == 1 ? A33 : L1))
        return below___handle_smmu_write(s, hsr, fault_ipa, len, val, write_val);
    uint64_t data;
    FH_TRY(kc_host_get_mmio_data(s, hsr, &data));
    return kc_writel_relaxed(s, data & UINT32_MAX, fault_ipa);
}

/* A37: it is ELR_EL2 that is stepped. */
static enum fh_status step_elr(struct fh_state *s)
{
    void *regs;
    FH_TRY(own_ref(s, &s->adt->regs, type_of_ref_ctxt, &regs));
    uint64_t *elr = &((struct fh_ctxt *)regs)->ctxt_regs.elr_el2;
    observe(s, FH_EFFECT_SKIP_INSTR, *elr, 0, 0, 0);
    return set_u64(s, elr, *elr + 4);
}

enum fh_status m_host_skip_instr(struct fh_state *s)
{
    return !s->adt->halt && departs(s, A37) ? step_elr(s) : below_host_skip_instr(s);
}

enum fh_status m_core_handle_sys64(struct fh_state *s)
{
    return !s->adt->halt && departs(s, A37) ? step_elr(s) : below_core_handle_sys64(s);
}

/* --- Tables and banks ------------------------------------------------------------------------ */

/* The next word of a bank's root that is not 0, from *pa on. */
static bool next_word(struct fh_state *s, uint64_t end, uint64_t *pa)
{
    const struct fh_spt *spts = fh_ref_record(type_of_ref_spt, &s->adt->shared.spts);
    while (*pa < end && number_at(&spts->spt_vttbr_pool, *pa) == 0)
        *pa += 8;
    return *pa < end;
}

/* L14: all of the root is cleared, not its first word. The switch is asked where a word is left. */
enum fh_status m_smmu_pt_clear(struct fh_state *s, uint32_t cbndx, uint32_t index)
{
    const struct fh_profile *k = s->profile;
    FH_TRY(below_smmu_pt_clear(s, cbndx, index));
    uint64_t pa = smmu_ttbr(k, index, cbndx);
    const uint64_t end = pa + 2 * k->PAGE_SIZE;
    while (!s->adt->halt && next_word(s, end, &pa) && departs(s, L14)) {
        void *spts;
        FH_TRY(own_ref(s, &s->adt->shared.spts, type_of_ref_spt, &spts));
        FH_TRY(set_entry_u64(s, &((struct fh_spt *)spts)->spt_vttbr_pool, pa, 0));
    }
    return FH_OK;
}

/* A5: whatever bits the host wants are in the descriptor, those of an address, too. */
enum fh_status m_smmu_init_pte(struct fh_state *s, uint64_t prot, uint64_t addr, uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    if ((prot < INT64_MAX && is_addr(k, addr)) || !departs(s, A5))
        return below_smmu_init_pte(s, prot, addr, result);
    *result = prot | (addr & k->PHYS_MASK & k->PAGE_MASK) | k->PTE_AF_OR_SH_IS;
    return FH_OK;
}

enum fh_status m_el2_arm_lpae_map(struct fh_state *s, uint64_t iova, uint64_t paddr, uint64_t prot,
                                  uint32_t cbndx, uint32_t index)
{
    const struct fh_profile *k = s->profile;
    if (phys_page(k, prot) == 0 || !departs(s, A5))
        return below_el2_arm_lpae_map(s, iova, paddr, prot, cbndx, index);
    uint64_t pte;
    FH_TRY(kc_smmu_init_pte(s, prot, paddr, &pte));
    FH_TRY(kc_smmu_assign_page(s, cbndx, index, paddr / k->PAGE_SIZE, iova / k->PAGE_SIZE));
    return kc_smmu_map_page(s, cbndx, index, iova, pte);
}

/* A28: the panic for a verified VM is no way out; the numbers are cut to 32 bits. */
enum fh_status m_assign_smmu(struct fh_state *s, uint32_t vmid, uint64_t pfn, uint64_t gfn)
{
    if (!departs(s, A28))
        return below_assign_smmu(s, vmid, pfn, gfn);
    uint32_t state;
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    if (is_vm(s->profile, vmid)) {
        FH_TRY(kc_get_vm_state(s, vmid, &state));
        if (state == s->profile->VERIFIED)
            FH_TRY(FH_PANIC(s, state != s->profile->VERIFIED, vmid));
        FH_TRY(kc_assign_pfn_to_smmu(s, vmid, (uint32_t)gfn, (uint32_t)pfn));
    }
    return kc_release_lock_vm(s, vmid);
}

/* A28: which is done where it is called. */
enum fh_status m_smmu_assign_page(struct fh_state *s, uint32_t cbndx, uint32_t index, uint64_t pfn,
                                  uint64_t gfn)
{
    if ((pfn <= UINT32_MAX && gfn <= UINT32_MAX) || !departs(s, A28))
        return below_smmu_assign_page(s, cbndx, index, pfn, gfn);
    return below_smmu_assign_page(s, cbndx, index, (uint32_t)pfn, (uint32_t)gfn);
}

/* A12: no VM counts as running, so that nothing is refused. */
enum fh_status m_clear_smmu(struct fh_state *s, uint32_t vmid, uint32_t cbndx, uint32_t index,
                            uint64_t iova)
{
    if (!departs(s, A12))
        return below_clear_smmu(s, vmid, cbndx, index, iova);
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    FH_TRY(kc_unmap_smmu_page(s, cbndx, index, iova));
    return kc_release_lock_vm(s, vmid);
}

/* E9: an SMMU that is not there lies outside of EL2's memory. */
static enum fh_status look_beyond(struct fh_state *s, uint32_t index)
{
    enum { LAST_WITHIN = 0x8000 };
    if (index > LAST_WITHIN && !s->adt->halt && departs(s, E9))
        FH_DIE(s, "the SMMU's record lies outside of EL2's memory", index);
    return FH_OK;
}

enum fh_status m_el2_alloc_smmu_pgd(struct fh_state *s, uint32_t cbndx, uint32_t vmid,
                                    uint32_t index)
{
    FH_TRY(look_beyond(s, index));
    return below_el2_alloc_smmu_pgd(s, cbndx, vmid, index);
}

enum fh_status m_el2_free_smmu_pgd(struct fh_state *s, uint32_t cbndx, uint32_t index)
{
    FH_TRY(look_beyond(s, index));
    return below_el2_free_smmu_pgd(s, cbndx, index);
}
