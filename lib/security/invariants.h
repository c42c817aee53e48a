/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_SECURITY_INVARIANTS_H
#define FH_SECURITY_INVARIANTS_H

#include <faulthandler/invariants.h>

#include "layers/kcore.h"

/*
 * The rules: what one place of the state must satisfy. An invariant is its rule at every place;
 * the check of the whole state visits all of them, the check of a step those that can have changed.
 * A rule returns whether it holds, and if not notes the witness.
 */
struct check {
    const struct fh_profile *k;
    const struct fh_rdata *adt;
    struct fh_invariant_report *report;
};

/* A context bank of an SMMU: whose it is, and its table. */
struct bank {
    uint64_t index;
    uint64_t cbndx;
    uint64_t vmid;
    const struct fh_map *table;
};

/* --- Reading -------------------------------------------------------------------------------- */

static inline const struct fh_map *pt_of(const struct fh_rdata *adt, uint64_t vmid)
{
    const void *entry = fh_map_get(&adt->shared.npts, &type_of_ref_npt->as_value, vmid);
    const struct fh_npt *npt = fh_ref_record(type_of_ref_npt, entry);
    return &npt->pt;
}

static inline uint64_t vm_state_of(const struct fh_rdata *adt, uint64_t vmid)
{
    const void *entry = fh_map_get(&adt->shared.vminfos, &type_of_ref_vminfo->as_value, vmid);
    const struct fh_vminfo *info = fh_ref_record(type_of_ref_vminfo, entry);
    return info->VS.vm_state;
}

static inline const struct fh_s2page *page_of(const struct fh_rdata *adt, uint64_t pfn)
{
    return fh_map_get(&adt->shared.s2page, &type_of_s2page->as_value, pfn);
}

static inline const struct fh_pt_entry *entry_of(const struct fh_map *pt, uint64_t gfn)
{
    return fh_map_get(pt, &type_of_pt_entry->as_value, gfn);
}

static inline const struct fh_spt_entry *spt_entry_of(const struct fh_map *table, uint64_t gfn)
{
    return fh_map_get(table, &type_of_spt_entry->as_value, gfn);
}

static inline const struct fh_spt_entry *spt_fallback(const struct fh_map *table)
{
    return fh_map_fallback(table, &type_of_spt_entry->as_value);
}

/* Banks are numbered through all SMMUs: smmu_id of (index, cbndx) is the number. */
static inline uint64_t nbanks(const struct fh_profile *k)
{
    return k->SMMU_NUM * k->SMMU_NUM_CTXT_BANKS;
}

struct bank bank_of(const struct fh_profile *k, const struct fh_rdata *adt, uint64_t id);

/* The VMs and banks whose mappings the invariants bind: of the host, and of VMs that may run. */
static inline bool vm_is_bound(const struct fh_profile *k, const struct fh_rdata *adt,
                               uint64_t vmid)
{
    return is_vm(k, vmid) && vm_state_of(adt, vmid) <= k->VERIFIED;
}

static inline bool bank_is_bound(const struct fh_profile *k, const struct fh_rdata *adt,
                                 const struct bank *bank)
{
    return bank->vmid == k->HOSTVISOR || vm_is_bound(k, adt, bank->vmid);
}

/* --- Rules ---------------------------------------------------------------------------------- */

bool spt_cons_at(const struct check *c, const struct bank *bank, uint64_t gfn,
                 const struct fh_spt_entry *entry);
bool host_npt_cons_at(const struct check *c, uint64_t gfn, const struct fh_pt_entry *entry);
bool host_flatmap_at(const struct check *c, uint64_t gfn, const struct fh_pt_entry *entry);
bool host_s2_map_at(const struct check *c, uint64_t pfn, const struct fh_s2page *page);
bool page_0_invalid(const struct check *c);
bool host_iso_at(const struct check *c, uint64_t gfn, const struct fh_pt_entry *entry);
/* For a VM that is bound. */
bool vm_iso_at(const struct check *c, uint64_t vmid, uint64_t gfn, const struct fh_pt_entry *entry);
bool smmu_vm_at(const struct check *c, const struct bank *bank);
/* For a bank that is bound. */
bool smmu_iso_at(const struct check *c, const struct bank *bank, uint64_t gfn,
                 const struct fh_spt_entry *entry);
/* At the page that the host's banks know as gfn, that is gfn - SMMU_HOST_OFFSET. */
bool smmu_count_at(const struct check *c, wide gfn);

/* A rule at every key of one table. */
bool spt_cons_of_bank(const struct check *c, const struct bank *bank);
bool vm_iso_of_vm(const struct check *c, uint64_t vmid);
bool smmu_iso_of_bank(const struct check *c, const struct bank *bank);

/* A rule at every place. */
bool host_npt_cons(const struct check *c);
bool host_flatmap(const struct check *c);
bool host_iso(const struct check *c);
bool smmu_count(const struct check *c);

/* The eight that look at fields of the CPU. */
void check_cpu(const struct check *c);

/* All of them, everywhere. */
void check_all(const struct check *c);

#endif
