/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "MmioOpsAux"
#include "layers/mmio_ops_aux.h"

#include "layers/abstract_machine.h"
#include "layers/mmio_core.h"

/* MmioOpsAux/Spec.v: whose registers lie at an address, and the host's access to them. */

/*
 * The SMMU in whose registers the byte address `addr` (48 bits) lies, the last one where they
 * overlap; INVALID if it is in none, and in a halted state.
 * Stuck: addr of more than 48 bits; then, unless halted: a number of SMMUs that the spec does not
 * accept (SMMU_COUNT_END), or more than SMMU_NUM, registers beyond 48 bits. MmioOpsAux/Spec.v:
 * is_smmu_range_spec
 */
inline enum fh_status spec_is_smmu_range(struct fh_state *s, uint64_t addr, uint32_t *result)
{
    const struct fh_profile *k = s->profile;
    const uint64_t smmu_num = s->adt->smmu_conf->smmu_num;
    FH_RELY(s, is_addr(k, addr), addr);
    FH_RELY(s, s->adt->halt || smmu_num < k->SMMU_COUNT_END, smmu_num);
    uint32_t total, res = (uint32_t)k->INVALID;
    FH_TRY(kc_get_smmu_num(s, &total));
    FH_RELY(s, total <= k->SMMU_NUM, total);
    for (uint32_t i = 0; i < total; i++) {
        /* get_smmu_base and get_smmu_size at once: every fault of the host comes by here. */
        const struct smmu_range range = smmu_range_of(s, i);
        const uint64_t base = range.base, size = range.size;
        FH_RELY(s, is_addr_sum(k, base, size), base, size, i); /* and so is base */
        if (base <= addr && addr < base + size)
            res = i;
    }
    *result = res;
    return FH_OK;
}

/*
 * The host's access to SMMU `index` that faulted with syndrome `hsr` (ESR_EL2) in the page or, in
 * the `spec` profile, the 256 bytes at `addr`; FAR_EL2 supplies the low 12 bits. Then the
 * instruction is skipped (host_skip_instr). Halts as handle_smmu_read and handle_smmu_write do.
 * Stuck: addr or index out of range; then, unless halted: the SMMU lock not held, the host's vcpuid
 * out of range, and where handle_smmu_write is. Not representable: ELR_EL2 + 4 beyond 64 bits.
 * MmioOpsAux/Spec.v: handle_host_mmio_spec
 */
inline enum fh_status spec_handle_host_mmio(struct fh_state *s, uint64_t addr, uint32_t index,
                                            uint32_t hsr)
{
    const struct fh_profile *k = s->profile;
    const uint64_t cur_vcpuid = (uint64_t)s->adt->cur_vcpuid;
    FH_RELY(s, is_addr(k, addr), addr);
    FH_RELY(s, is_smmu(k, index), index);
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, lock_status(s, k->SMMU_ID) == FH_LOCK_OWN);
    FH_RELY(s, is_vcpu(k, cur_vcpuid), cur_vcpuid);
    uint64_t fault_ipa;
    uint32_t len, is_write;
    FH_TRY(kc_host_get_fault_ipa(s, addr, &fault_ipa));
    FH_TRY(kc_host_dabt_get_as(s, hsr, &len));
    FH_TRY(kc_host_dabt_is_write(s, hsr, &is_write));
    if (is_write == 0)
        FH_TRY(kc_handle_smmu_read(s, hsr, fault_ipa, len));
    else
        FH_TRY(kc_handle_smmu_write(s, hsr, fault_ipa, len, index));
    return kc_host_skip_instr(s);
}
