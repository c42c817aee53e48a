/* SPDX-License-Identifier: GPL-2.0-only */
#include "predict/state_parts.h"

#include "base/diag.h"

/* --- Types ----------------------------------------------------------------------------------- */

void state_parts_find(struct state_parts *parts, struct fh_state *state,
                      const struct fh_profile *profile)
{
    parts->state = state;
    parts->profile = profile;
    parts->allocator = fh_state_allocator(state);
    const struct fh_type *rdata = fh_rdata_type();
    const struct fh_type *shared = FH_FIELD_TYPE(rdata, rdata, shared);
    parts->regs = FH_FIELD_TYPE(rdata, rdata, regs);
    parts->smmu_conf = FH_FIELD_TYPE(rdata, rdata, smmu_conf);
    parts->spts = FH_FIELD_TYPE(shared, shared, spts);
    parts->lock = FH_FIELD_TYPE(rdata, rdata, lock);
    parts->log = FH_FIELD_TYPE(rdata, rdata, log);
    parts->word = FH_FIELD_TYPE(rdata, rdata, data_log)->value;
    parts->region = FH_FIELD_TYPE(rdata, rdata, regions)->value;
    parts->ctxt = FH_FIELD_TYPE(rdata, rdata, shadow_ctxts)->value;
    parts->npt = FH_FIELD_TYPE(shared, shared, npts)->value;
    parts->pt_entry = FH_FIELD_TYPE(parts->npt, npt, pt)->value;
    parts->flag = FH_FIELD_TYPE(parts->npt, npt, pgd_t)->value;
    parts->s2page = FH_FIELD_TYPE(shared, shared, s2page)->value;
    parts->vminfo = FH_FIELD_TYPE(shared, shared, vminfos)->value;
    parts->smmu_owner = FH_FIELD_TYPE(shared, shared, smmu_vmid)->value;
    parts->bank_pages = FH_FIELD_TYPE(parts->spts, spt, spt_pt)->value;
    parts->bank_pgds = FH_FIELD_TYPE(parts->spts, spt, spt_pgd_t)->value;
    parts->bank_pmds = FH_FIELD_TYPE(parts->spts, spt, spt_pmd_t)->value;
}

/* --- Entries --------------------------------------------------------------------------------- */

void *parts_edit_entry(const struct state_parts *parts, struct fh_map *map,
                       const struct fh_type *type, uint64_t key)
{
    bool existed;
    void *entry = fh_map_edit(map, &type->as_value, parts->allocator, key, &existed);
    if (!entry)
        no_memory();
    return entry;
}

void *parts_own(const struct state_parts *parts, void *place, const struct fh_type *type)
{
    if (!fh_ref_own(type, place, parts->allocator))
        no_memory();
    return *(void **)place;
}

struct fh_rdata *parts_edit(const struct state_parts *parts)
{
    struct fh_rdata *rdata = fh_state_edit_beside_locks(parts->state);
    if (!rdata)
        no_memory();
    return rdata;
}

struct fh_npt *parts_edit_npt(const struct state_parts *parts, uint64_t vmid)
{
    struct fh_map *npts = &parts_edit(parts)->shared.npts;
    return parts_own(parts, parts_edit_entry(parts, npts, parts->npt, vmid), parts->npt);
}

const struct fh_vminfo *parts_vminfo(const struct state_parts *parts, uint64_t vmid)
{
    const struct fh_type *type = parts->vminfo;
    const struct fh_map *infos = &fh_state_rdata(parts->state)->shared.vminfos;
    return fh_ref_record(type, fh_map_get(infos, &type->as_value, vmid));
}

struct fh_vminfo *parts_edit_vminfo(const struct state_parts *parts, uint64_t vmid)
{
    struct fh_map *infos = &parts_edit(parts)->shared.vminfos;
    return parts_own(parts, parts_edit_entry(parts, infos, parts->vminfo, vmid), parts->vminfo);
}

const struct fh_s2page *parts_s2page(const struct state_parts *parts, uint64_t pfn)
{
    const struct fh_map *pages = &fh_state_rdata(parts->state)->shared.s2page;
    return fh_map_get(pages, &parts->s2page->as_value, pfn);
}

uint64_t parts_word(const struct state_parts *parts, const struct fh_map *map, uint64_t key)
{
    return *(const uint64_t *)fh_map_get(map, &parts->word->as_value, key);
}

uint64_t parts_root(const struct fh_profile *k, uint64_t vmid)
{
    if (vmid == k->HOSTVISOR)
        return k->PT_POOL_START;
    if (vmid == k->COREVISOR)
        return k->COREVISOR_POOL_START;
    return k->PT_POOL_START + k->HOST_POOL_SIZE + (vmid - 1) * k->PT_POOL_PER_VM;
}

void parts_set_word(const struct state_parts *parts, enum fh_boundary which, uint64_t pa,
                    uint64_t word)
{
    if (fh_table_set_word(parts->state, which, pa, word) == FH_NOMEM)
        no_memory();
}

void parts_clear_bank_root(const struct state_parts *parts, uint64_t num, uint64_t cbndx)
{
    const struct fh_profile *k = parts->profile;
    const uint64_t root = parts_bank_root(k, num, cbndx);
    for (uint64_t pa = root; pa < root + 2 * k->PAGE_SIZE; pa += sizeof(uint64_t))
        if (fh_table_word(parts->state, FH_SMMU_TABLES, pa) != 0)
            parts_set_word(parts, FH_SMMU_TABLES, pa, 0);
}

/*
 * Those registers that a trace tells of, beside x0 to x30: S(constant, place in struct fh_ctxt).
 * SP_EL0 stands behind x30.
 */
/* clang-format off */
#define SHADOW_REGISTER_MAP(S)                                                                      \
    S(PC, ctxt_states.pc) S(PSTATE, ctxt_states.pstate) S(DIRTY, ctxt_states.dirty)                 \
    S(FLAGS, ctxt_states.flags) S(EC, ctxt_regs.ec) S(FAR_EL2, ctxt_regs.far_el2)                   \
    S(HPFAR_EL2, ctxt_regs.hpfar_el2) S(ELR_EL1, ctxt_regs.elr_el1) S(ESR_EL2, ctxt_regs.esr_el2)   \
    S(SPSR_EL1, ctxt_regs.spsr_el1) S(SP_EL1, ctxt_regs.sp_el1) S(X30 + 1, ctxt_regs.sp_el0)        \
    S(MPIDR_EL1, ctxt_regs.mpidr_el1) S(CSSELR_EL1, ctxt_regs.csselr_el1)                           \
    S(SCTLR_EL1, ctxt_regs.sctlr_el1) S(ACTLR_EL1, ctxt_regs.actlr_el1)                             \
    S(CPACR_EL1, ctxt_regs.cpacr_el1) S(TTBR0_EL1, ctxt_regs.ttbr0_el1)                             \
    S(TTBR1_EL1, ctxt_regs.ttbr1_el1) S(TCR_EL1, ctxt_regs.tcr_el1)                                 \
    S(ESR_EL1, ctxt_states.esr_el1) S(AFSR0_EL1, ctxt_regs.afsr0_el1)                               \
    S(AFSR1_EL1, ctxt_regs.afsr1_el1) S(FAR_EL1, ctxt_regs.far_el1)                                 \
    S(MAIR_EL1, ctxt_regs.mair_el1) S(VBAR_EL1, ctxt_regs.vbar_el1)                                 \
    S(CONTEXTIDR_EL1, ctxt_regs.contextidr_el1) S(TPIDR_EL0, ctxt_regs.tpidr_el0)                   \
    S(TPIDRRO_EL0, ctxt_regs.tpidrro_el0) S(TPIDR_EL1, ctxt_regs.tpidr_el1)                         \
    S(AMAIR_EL1, ctxt_regs.amair_el1) S(CNTKCTL_EL1, ctxt_regs.cntkctl_el1)                         \
    S(PAR_EL1, ctxt_regs.par_el1) S(MDSCR_EL1, ctxt_regs.mdscr_el1)
/* clang-format on */

/* Where a register stands in struct fh_ctxt; 0 for one that the state does not have. */
enum { GPRS = 31 };

static size_t shadow_offset(const struct fh_profile *k, uint64_t index)
{
    if (index < GPRS)
        return offsetof(struct fh_ctxt, ctxt_regs.x0) + index * sizeof(uint64_t);
#define SHADOW_REGISTER(constant, place)                                                           \
    if (index == k->constant)                                                                      \
        return offsetof(struct fh_ctxt, place);
    SHADOW_REGISTER_MAP(SHADOW_REGISTER)
#undef SHADOW_REGISTER
    return 0;
}
_Static_assert(offsetof(struct fh_ctxt, ctxt_regs.x0) > 0, "0 stands for no register");

const char *parts_shadow_place(const struct fh_profile *k, uint64_t index)
{
#define SHADOW_PLACE(constant, place)                                                              \
    if (index == k->constant)                                                                      \
        return #place;
    SHADOW_REGISTER_MAP(SHADOW_PLACE)
#undef SHADOW_PLACE
    return NULL;
}

const struct fh_ctxt *parts_ctxt(const struct state_parts *parts, uint64_t vmid, uint64_t vcpuid)
{
    const struct fh_type *type = parts->ctxt;
    const struct fh_map *ctxts = &fh_state_rdata(parts->state)->shadow_ctxts;
    const uint64_t id = vmid * parts->profile->VCPU_PER_VM + vcpuid;
    return fh_ref_record(type, fh_map_get(ctxts, &type->as_value, id));
}

struct fh_ctxt *parts_edit_ctxt(const struct state_parts *parts, uint64_t vmid, uint64_t vcpuid)
{
    const uint64_t id = vmid * parts->profile->VCPU_PER_VM + vcpuid;
    struct fh_map *ctxts = &parts_edit(parts)->shadow_ctxts;
    return parts_own(parts, parts_edit_entry(parts, ctxts, parts->ctxt, id), parts->ctxt);
}

bool parts_has_shadow(const struct fh_profile *k, uint64_t index)
{
    return shadow_offset(k, index) != 0;
}

uint64_t parts_shadow(const struct state_parts *parts, uint64_t vmid, uint64_t vcpuid,
                      uint64_t index)
{
    const char *ctxt = (const char *)parts_ctxt(parts, vmid, vcpuid);
    const void *place = ctxt + shadow_offset(parts->profile, index);
    return parts_has_shadow(parts->profile, index) ? *(const uint64_t *)place : 0;
}

void parts_set_shadow(const struct state_parts *parts, uint64_t vmid, uint64_t vcpuid,
                      uint64_t index, uint64_t value)
{
    if (!parts_has_shadow(parts->profile, index))
        return;
    char *ctxt = (char *)parts_edit_ctxt(parts, vmid, vcpuid);
    void *place = ctxt + shadow_offset(parts->profile, index);
    *(uint64_t *)place = value;
}
