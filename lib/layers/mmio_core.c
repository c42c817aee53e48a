/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "MmioCore"
#include "layers/mmio_core.h"

#include "layers/abstract_machine.h"
#include "layers/mmio_core_aux.h"
#include "layers/mmio_raw.h"

/* MmioCore/Spec.v: one access of the host to an SMMU's registers. */

/* The write of TTBR0 of a context bank: the bank's own table, whatever the host wanted. */
static enum fh_status write_ttbr0(struct fh_state *s, uint32_t hsr, uint64_t fault_ipa,
                                  uint32_t len, uint64_t offset, uint32_t index)
{
    uint32_t cbndx;
    uint64_t ttbr;
    FH_TRY(kc_smmu_get_cbndx(s, offset, &cbndx));
    FH_TRY(kc_get_smmu_cfg_hw_ttbr(s, cbndx, index, &ttbr));
    return kc___handle_smmu_write(s, hsr, fault_ipa, len, ttbr, 1);
}

/*
 * The host's write of `len` bytes to the register of SMMU `index` at the byte address `fault_ipa`,
 * whose low 16 bits say which one. Halts when the write is not allowed (MmioCoreAux) or len is
 * neither 4 nor 8.
 * Stuck: fault_ipa or index out of range; then, unless halted: the SMMU lock not held, the host's
 * vcpuid out of range, where handle_smmu_global_access is, TTBR0 of a bank that does not exist.
 * MmioCore/Spec.v: handle_smmu_write_spec
 */
inline enum fh_status spec_handle_smmu_write(struct fh_state *s, uint32_t hsr, uint64_t fault_ipa,
                                             uint32_t len, uint32_t index)
{
    const struct fh_profile *k = s->profile;
    const uint64_t cur_vcpuid = (uint64_t)s->adt->cur_vcpuid;
    FH_RELY(s, is_addr(k, fault_ipa), fault_ipa);
    FH_RELY(s, is_smmu(k, index), index);
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, lock_status(s, k->SMMU_ID) == FH_LOCK_OWN);
    FH_RELY(s, is_vcpu(k, cur_vcpuid), cur_vcpuid);
    const uint64_t offset = fault_ipa & k->SMMU_OFFSET_MASK;
    uint32_t ret;
    if (offset < SMMU_GLOBAL_BASE)
        FH_TRY(kc_handle_smmu_global_access(s, hsr, offset, index, &ret));
    else
        FH_TRY(kc_handle_smmu_cb_access(s, offset, &ret));
    FH_DEMAND(s, ret != 0, fault_ipa, index, offset);
    if (ret == 2)
        return write_ttbr0(s, hsr, fault_ipa, len, offset, index);
    return kc___handle_smmu_write(s, hsr, fault_ipa, len, 0, 0);
}

/*
 * The host's read of `len` bytes from the register at the byte address `fault_ipa`: every register
 * may be read. Halts unless len is 4 or 8.
 * Stuck: the host's vcpuid out of range. MmioCore/Spec.v: handle_smmu_read_spec
 */
inline enum fh_status spec_handle_smmu_read(struct fh_state *s, uint32_t hsr, uint64_t fault_ipa,
                                            uint32_t len)
{
    return kc___handle_smmu_read(s, hsr, fault_ipa, len);
}
