/* SPDX-License-Identifier: GPL-2.0-only */
#include "twin/twin_state.h"

#include <stdlib.h>
#include <string.h>

/* The state of a twin, to read and to write. */

void *twin_edit(struct twin *twin, struct fh_map *map, const struct fh_type *type, uint64_t key)
{
    bool existed;
    void *entry = fh_map_edit(map, &type->as_value, twin->allocator, key, &existed);
    if (!entry)
        no_memory();
    return entry;
}

void *twin_own(struct twin *twin, void *place, const struct fh_type *type)
{
    if (!fh_ref_own(type, place, twin->allocator))
        no_memory();
    return *(void **)place;
}

struct fh_rdata *twin_edit_state(struct twin *twin)
{
    struct fh_rdata *rdata = fh_state_edit_beside_locks(twin->state);
    if (!rdata)
        no_memory();
    return rdata;
}

struct fh_npt *twin_edit_npt(struct twin *twin, uint64_t vmid)
{
    struct fh_map *npts = &twin_edit_state(twin)->shared.npts;
    return twin_own(twin, twin_edit(twin, npts, twin->types.npt, vmid), twin->types.npt);
}

const struct fh_vminfo *twin_vminfo(const struct twin *twin, uint64_t vmid)
{
    const struct fh_type *type = twin->types.vminfo;
    const struct fh_map *infos = &fh_state_rdata(twin->state)->shared.vminfos;
    return fh_ref_record(type, fh_map_get(infos, &type->as_value, vmid));
}

uint64_t twin_word_at(const struct twin *twin, const struct fh_map *map, uint64_t key)
{
    return *(const uint64_t *)fh_map_get(map, &twin->types.word->as_value, key);
}

void twin_set_word(struct twin *twin, enum fh_boundary which, uint64_t pa, uint64_t word)
{
    if (fh_table_set_word(twin->state, which, pa, word) == FH_NOMEM)
        no_memory();
}

void twin_clear_bank_root(struct twin *twin, uint64_t num, uint64_t cbndx)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t root = twin_bank_root(k, num, cbndx);
    for (uint64_t pa = root; pa < root + 2 * k->PAGE_SIZE; pa += sizeof(uint64_t))
        if (fh_table_word(twin->state, FH_SMMU_TABLES, pa) != 0)
            twin_set_word(twin, FH_SMMU_TABLES, pa, 0);
}

/* Those registers that a trace tells of, beside x0 to x30: S(constant, place in struct fh_ctxt). */
/* clang-format off */
#define SHADOW_REGISTER_MAP(S)                                                                      \
    S(PC, ctxt_states.pc) S(PSTATE, ctxt_states.pstate) S(DIRTY, ctxt_states.dirty)                 \
    S(FLAGS, ctxt_states.flags) S(EC, ctxt_regs.ec) S(FAR_EL2, ctxt_regs.far_el2)                   \
    S(HPFAR_EL2, ctxt_regs.hpfar_el2) S(ELR_EL1, ctxt_regs.elr_el1) S(ESR_EL2, ctxt_regs.esr_el2)   \
    S(SPSR_0, ctxt_states.spsr_0)                                                                   \
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
static size_t shadow_offset(const struct fh_profile *k, uint64_t index)
{
    if (index < TRACE_GPRS)
        return offsetof(struct fh_ctxt, ctxt_regs.x0) + index * sizeof(uint64_t);
#define SHADOW_REGISTER(constant, place)                                                           \
    if (index == k->constant)                                                                      \
        return offsetof(struct fh_ctxt, place);
    SHADOW_REGISTER_MAP(SHADOW_REGISTER)
#undef SHADOW_REGISTER
    return 0;
}
_Static_assert(offsetof(struct fh_ctxt, ctxt_regs.x0) > 0, "0 stands for no register");

const char *twin_shadow_place(const struct fh_profile *k, uint64_t index)
{
#define SHADOW_PLACE(constant, place)                                                              \
    if (index == k->constant)                                                                      \
        return #place;
    SHADOW_REGISTER_MAP(SHADOW_PLACE)
#undef SHADOW_PLACE
    return NULL;
}

const struct fh_ctxt *twin_ctxt(const struct twin *twin, uint64_t vmid, uint64_t vcpuid)
{
    const struct fh_type *type = twin->types.ctxt;
    const struct fh_map *ctxts = &fh_state_rdata(twin->state)->shadow_ctxts;
    const uint64_t id = vmid * twin->profile->VCPU_PER_VM + vcpuid;
    return fh_ref_record(type, fh_map_get(ctxts, &type->as_value, id));
}

struct fh_ctxt *twin_edit_ctxt(struct twin *twin, uint64_t vmid, uint64_t vcpuid)
{
    const uint64_t id = vmid * twin->profile->VCPU_PER_VM + vcpuid;
    struct fh_map *ctxts = &twin_edit_state(twin)->shadow_ctxts;
    return twin_own(twin, twin_edit(twin, ctxts, twin->types.ctxt, id), twin->types.ctxt);
}

static bool has_register(const struct fh_profile *k, uint64_t index)
{
    return shadow_offset(k, index) != 0;
}

uint64_t twin_shadow_register(const struct twin *twin, uint64_t vmid, uint64_t vcpuid,
                              uint64_t index)
{
    const char *ctxt = (const char *)twin_ctxt(twin, vmid, vcpuid);
    const void *place = ctxt + shadow_offset(twin->profile, index);
    return has_register(twin->profile, index) ? *(const uint64_t *)place : 0;
}

void twin_set_shadow_register(struct twin *twin, uint64_t vmid, uint64_t vcpuid, uint64_t index,
                              uint64_t value)
{
    if (!has_register(twin->profile, index))
        return;
    char *ctxt = (char *)twin_edit_ctxt(twin, vmid, vcpuid);
    void *place = ctxt + shadow_offset(twin->profile, index);
    *(uint64_t *)place = value;
}
