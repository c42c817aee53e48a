/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "MmioCoreAux"
#include "layers/mmio_core_aux.h"

#include "layers/abstract_machine.h"
#include "layers/mmio_raw.h"

/* MmioCoreAux/Spec.v: which accesses of the host to an SMMU are allowed, and the accesses. */

/*
 * May the host write `data` to the register that assigns bank `cbndx` of SMMU `smmu_index` to a VM?
 * Only as stage-2 translation for the bank's owner; a bank of the host's own may have anything.
 */
static enum fh_status cbar_write_allowed(struct fh_state *s, uint64_t data, uint32_t cbndx,
                                         uint32_t smmu_index, uint32_t *allowed)
{
    const struct fh_profile *k = s->profile;
    const uint64_t owner = smmu_vmid_of(s, smmu_index, cbndx);
    uint32_t vmid;
    FH_RELY(s, is_vmid(k, owner), owner, cbndx, smmu_index);
    FH_TRY(kc_get_smmu_cfg_vmid(s, cbndx, smmu_index, &vmid));
    const uint64_t type = data >> k->CBAR_TYPE_SHIFT;
    *allowed = vmid == k->HOSTVISOR ||
               (type == k->CBAR_TYPE_S2_TRANS && vmid == (data & k->CBAR_VMID_MASK));
    return FH_OK;
}

/*
 * May the host write to the register at `offset` (bytes, below the context banks) of SMMU
 * `smmu_index`? 1 or 0; the data are those of the access with syndrome `hsr`. The client must stay
 * enabled (sCR0), sCR2 has no bypass VMID, and see cbar_write_allowed. The register of bank 0 is
 * never looked at, being taken for the last one of the group before. 0 in a halted state.
 * Stuck: the SMMU lock not held, the host's vcpuid out of range; in the range of the banks'
 * registers: smmu_index or bank out of range, a bank that belongs to nobody.
 * MmioCoreAux/Spec.v: handle_smmu_global_access_spec
 */
inline enum fh_status spec_handle_smmu_global_access(struct fh_state *s, uint32_t hsr,
                                                     uint64_t offset, uint32_t smmu_index,
                                                     uint32_t *result)
{
    const struct fh_profile *k = s->profile;
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, lock_status(s, k->SMMU_ID) == FH_LOCK_OWN);
    uint64_t data;
    FH_TRY(kc_host_get_mmio_data(s, hsr, &data));
    uint32_t ret = 1;
    if (offset == k->ARM_SMMU_GR0_sCR0)
        ret = (data >> k->sCR0_SMCFCFG_SHIFT) & 1;
    else if (offset == k->ARM_SMMU_GR0_sCR2)
        ret = (data & 255) == 0;
    else if (offset > k->ARM_SMMU_GR1_BASE && offset < k->ARM_SMMU_GR1_END)
        FH_TRY(cbar_write_allowed(s, data, (uint32_t)(offset - k->ARM_SMMU_GR1_BASE) / 4,
                                  smmu_index, &ret));
    return kc_check(s, ret, result);
}

/*
 * May the host write to the register at `offset` (bytes, from SMMU_GLOBAL_BASE on) of a context
 * bank? 0: no; 1: yes; 2: KCore's own value goes there instead (TTBR0). 0 in a halted state.
 * Stuck: an offset below the context banks. MmioCoreAux/Spec.v: handle_smmu_cb_access_spec
 */
inline enum fh_status spec_handle_smmu_cb_access(struct fh_state *s, uint64_t offset,
                                                 uint32_t *result)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, offset >= SMMU_GLOBAL_BASE, offset);
    const uint64_t cb_offset = (offset - SMMU_GLOBAL_BASE) & k->ARM_SMMU_PGSHIFT_MASK;
    uint32_t ret = 1;
    if (cb_offset == k->ARM_SMMU_CB_TTBR0)
        ret = 2;
    else if (cb_offset == k->ARM_SMMU_CB_CONTEXTIDR)
        ret = 0;
    return kc_check(s, ret, result);
}

/*
 * Write to the device register at `fault_ipa`, `len` bytes: the host's own data (8 bytes and
 * write_val 0), else `val`. Halts unless len is 4 or 8.
 * Stuck: where the host's data are read and its vcpuid is out of range.
 * MmioCoreAux/Spec.v: __handle_smmu_write_spec
 */
inline enum fh_status spec___handle_smmu_write(struct fh_state *s, uint32_t hsr, uint64_t fault_ipa,
                                               uint32_t len, uint64_t val, uint32_t write_val)
{
    if (s->adt->halt)
        return FH_OK;
    if (len == 4)
        return kc_writel_relaxed(s, val, fault_ipa);
    FH_DEMAND(s, len == 8 || len == 4, fault_ipa, len);
    if (write_val == 0)
        FH_TRY(kc_host_get_mmio_data(s, hsr, &val));
    return kc_writeq_relaxed(s, val, fault_ipa);
}

/*
 * Read the device register at `fault_ipa`, `len` bytes, into the host's register Rt of the access
 * with syndrome `hsr`: one value of the host's data oracle, cut to `len`. Halts unless len is 4 or
 * 8. Stuck: the host's vcpuid out of range. MmioCoreAux/Spec.v: __handle_smmu_read_spec
 */
inline enum fh_status spec___handle_smmu_read(struct fh_state *s, uint32_t hsr, uint64_t fault_ipa,
                                              uint32_t len)
{
    const uint64_t cur_vcpuid = (uint64_t)s->adt->cur_vcpuid;
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, is_vcpu(s->profile, cur_vcpuid), cur_vcpuid);
    uint32_t rt, vcpuid;
    FH_TRY(kc_host_dabt_get_rd(s, hsr, &rt));
    FH_TRY(kc_get_cur_vcpuid(s, &vcpuid));
    uint64_t data;
    if (len == 8)
        FH_TRY(kc_readq_relaxed(s, fault_ipa, &data));
    else if (len == 4)
        FH_TRY(kc_readl_relaxed(s, fault_ipa, &data));
    else
        return FH_PANIC(s, len == 8 || len == 4, fault_ipa, len);
    return kc_set_shadow_ctxt(s, (uint32_t)s->profile->HOSTVISOR, vcpuid, rt, data);
}
