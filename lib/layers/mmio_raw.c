/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "MmioRaw"
#include "layers/mmio_raw.h"

#include "layers/abstract_machine.h"

/* MmioRaw/Spec.v: what the emulation of an SMMU computes from its inputs. */

/*
 * The value that the host's faulting access (syndrome `hsr`, ESR_EL2) would have stored: its
 * register Rt, from the shadow context; 0 for Rt = 31 and in a halted state.
 * Stuck: the host's vcpuid out of range. MmioRaw/Spec.v: host_get_mmio_data_spec
 */
enum fh_status spec_host_get_mmio_data(struct fh_state *s, uint32_t hsr, uint64_t *result)
{
    const uint64_t cur_vcpuid = (uint64_t)s->adt->cur_vcpuid;
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, is_vcpu(s->profile, cur_vcpuid), cur_vcpuid);
    uint32_t vcpuid, rt;
    FH_TRY(kc_get_cur_vcpuid(s, &vcpuid));
    FH_TRY(kc_host_dabt_get_rd(s, hsr, &rt));
    return kc_get_shadow_ctxt(s, (uint32_t)s->profile->HOSTVISOR, vcpuid, rt, result);
}

/*
 * The descriptor of an SMMU page: physical byte address `addr`, permissions `prot`. In the `spec`
 * profile its fixed bits lie inside the address field, as the spec has it.
 * Stuck: addr of more than 48 bits, prot >= 2^63 - 1. MmioRaw/Spec.v: smmu_init_pte_spec
 */
enum fh_status spec_smmu_init_pte(struct fh_state *s, uint64_t prot, uint64_t addr,
                                  uint64_t *result)
{
    FH_RELY(s, is_addr(s->profile, addr), addr);
    FH_RELY(s, prot < INT64_MAX, prot);
    *result = addr | prot | s->profile->PTE_AF_OR_SH_IS;
    return FH_OK;
}

/*
 * The context bank whose registers lie at `offset` (bytes) in an SMMU.
 * Stuck: no such bank. MmioRaw/Spec.v: smmu_get_cbndx_spec
 */
enum fh_status spec_smmu_get_cbndx(struct fh_state *s, uint64_t offset, uint32_t *result)
{
    FH_RELY(s, offset >= SMMU_GLOBAL_BASE, offset);
    const uint64_t cbndx = (offset - SMMU_GLOBAL_BASE) >> ARM_SMMU_PGSHIFT;
    FH_RELY(s, is_smmu_cfg(s->profile, cbndx), cbndx);
    *result = (uint32_t)cbndx;
    return FH_OK;
}
