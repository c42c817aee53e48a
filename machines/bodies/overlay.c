/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "bodies"
#define FH_BELOW fh_machine_spec
#include "machine/overlay.h"

/*
 * The eleven functions whose verified C body (Code.v) does something else than their spec says, as
 * their bodies. All others, and the primitives that a body calls, are the spec's. What each pair
 * does: docs/bodies.md.
 */
/* clang-format off */
#define SWITCH_MAP(X)                                                                               \
    X(clear_vm_page)                                                                                \
    X(assign_pfn_to_vm)                                                                             \
    X(assign_pfn_to_smmu)                                                                           \
    X(assign_smmu)                                                                                  \
    X(el2_alloc_smmu_pgd)                                                                           \
    X(reset_sys_regs)                                                                               \
    X(sync_dirty_to_shadow)                                                                         \
    X(prep_abort)                                                                                   \
    X(restore_shadow_kvm_regs)                                                                      \
    X(restore_vm)                                                                                   \
    X(host_hvc_dispatcher)
FH_SWITCHES(SWITCH_MAP, 0)

/* clang-format on */
static enum fh_status get(struct fh_state *s, uint32_t vmid, uint32_t vcpuid, uint64_t reg,
                          uint64_t *value)
{
    return kc_get_shadow_ctxt(s, vmid, vcpuid, (uint32_t)reg, value);
}

static enum fh_status set(struct fh_state *s, uint32_t vmid, uint32_t vcpuid, uint64_t reg,
                          uint64_t value)
{
    return kc_set_shadow_ctxt(s, vmid, vcpuid, (uint32_t)reg, value);
}

/* --- Pages ----------------------------------------------------------------------------------- */

/* The page is taken out of the host's table first. */
static enum fh_status m_clear_vm_page(struct fh_state *s, uint32_t vmid, uint64_t pfn)
{
    if (!departs(s, clear_vm_page))
        return below_clear_vm_page(s, vmid, pfn);
    const struct fh_profile *k = s->profile;
    uint32_t owner;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, pfn, &owner));
    if (owner == vmid) {
        FH_TRY(kc_clear_pfn_host(s, pfn));
        FH_TRY(kc_set_pfn_owner(s, pfn, (uint32_t)k->HOSTVISOR));
        FH_TRY(kc_set_pfn_count(s, pfn, 0));
        FH_TRY(kc_set_pfn_map(s, pfn, pfn + k->SMMU_HOST_OFFSET));
        FH_TRY(kc_clear_phys_page(s, pfn));
    }
    return kc_release_lock_s2page(s);
}

static enum fh_status keep_page(struct fh_state *s, uint64_t gfn, uint64_t pfn, uint32_t count)
{
    const struct fh_profile *k = s->profile;
    uint64_t map;
    FH_TRY(kc_get_pfn_map(s, pfn, &map));
    FH_DEMAND(s, map == k->INVALID64 || map == gfn, pfn, map, gfn);
    if (map == k->INVALID64)
        FH_TRY(kc_set_pfn_map(s, pfn, gfn));
    return count == k->INVALID ? kc_set_pfn_count(s, pfn, 0) : FH_OK;
}

/* The page is unmapped first: when that panics, the record stays as it was. */
static enum fh_status m_assign_pfn_to_vm(struct fh_state *s, uint32_t vmid, uint64_t gfn,
                                         uint64_t pfn)
{
    if (!departs(s, assign_pfn_to_vm))
        return below_assign_pfn_to_vm(s, vmid, gfn, pfn);
    const struct fh_profile *k = s->profile;
    uint32_t owner, count;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, pfn, &owner));
    FH_TRY(kc_get_pfn_count(s, pfn, &count));
    if (owner == k->HOSTVISOR && count == 0) {
        FH_TRY(kc_clear_pfn_host(s, pfn));
        FH_TRY(kc_set_pfn_owner(s, pfn, vmid));
        FH_TRY(kc_set_pfn_map(s, pfn, gfn));
        FH_TRY(kc_fetch_from_doracle(s, vmid, pfn, 1));
    } else if (owner != k->HOSTVISOR && owner == vmid) {
        FH_TRY(keep_page(s, gfn, pfn, count));
    } else {
        FH_TRY(
            FH_PANIC(s, (owner == k->HOSTVISOR && count == 0) || owner == vmid, pfn, owner, count));
    }
    return kc_release_lock_s2page(s);
}

/* Nobody asks what the host left in the page. */
static enum fh_status m_assign_pfn_to_smmu(struct fh_state *s, uint32_t vmid, uint64_t gfn,
                                           uint64_t pfn)
{
    if (!departs(s, assign_pfn_to_smmu))
        return below_assign_pfn_to_smmu(s, vmid, gfn, pfn);
    const struct fh_profile *k = s->profile;
    uint32_t owner, count;
    uint64_t map;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, pfn, &owner));
    FH_TRY(kc_get_pfn_count(s, pfn, &count));
    FH_TRY(kc_get_pfn_map(s, pfn, &map));
    if (owner == k->HOSTVISOR && count == 0) {
        FH_TRY(kc_clear_pfn_host(s, pfn));
        FH_TRY(kc_set_pfn_owner(s, pfn, vmid));
        FH_TRY(kc_set_pfn_map(s, pfn, gfn));
        FH_TRY(kc_set_pfn_count(s, pfn, (uint32_t)k->INVALID));
    } else if (owner == k->HOSTVISOR || owner != vmid) {
        FH_TRY(
            FH_PANIC(s, (owner == k->HOSTVISOR && count == 0) || owner == vmid, pfn, owner, count));
    }
    return kc_release_lock_s2page(s);
}

/* --- SMMUs ----------------------------------------------------------------------------------- */

/* The opposite is asked: it halts if the VM is VERIFIED, and assigns the page if not. */
static enum fh_status m_assign_smmu(struct fh_state *s, uint32_t vmid, uint64_t pfn, uint64_t gfn)
{
    if (!departs(s, assign_smmu))
        return below_assign_smmu(s, vmid, pfn, gfn);
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    if (is_vm(s->profile, vmid)) {
        uint32_t state;
        const uint64_t vm_state = vminfo_of(s, vmid)->VS.vm_state;
        FH_RELY(s, s->adt->halt || is_int(vm_state), vm_state);
        FH_TRY(kc_get_vm_state(s, vmid, &state));
        if (state == s->profile->VERIFIED)
            FH_TRY(FH_PANIC(s, state != s->profile->VERIFIED, vmid));
        else
            FH_TRY(kc_assign_pfn_to_smmu(s, vmid, gfn, pfn));
    }
    return kc_release_lock_vm(s, vmid);
}

/* The table is emptied by alloc_smmu, which halts for a VM that is VERIFIED. */
static enum fh_status m_el2_alloc_smmu_pgd(struct fh_state *s, uint32_t cbndx, uint32_t vmid,
                                           uint32_t index)
{
    if (!departs(s, el2_alloc_smmu_pgd))
        return below_el2_alloc_smmu_pgd(s, cbndx, vmid, index);
    uint32_t num, owner;
    FH_TRY(kc_acquire_lock_smmu(s));
    const uint64_t banks = number_at(&s->adt->smmu_conf->smmu_dev_context_banks, index);
    FH_RELY(s, s->adt->halt || is_int(banks), banks, index);
    FH_TRY(kc_get_smmu_num_context_banks(s, index, &num));
    if (cbndx < num) {
        const uint64_t target = smmu_vmid_of(s, index, cbndx);
        FH_RELY(s, s->adt->halt || is_int(target), target, cbndx, index);
        FH_TRY(kc_get_smmu_cfg_vmid(s, cbndx, index, &owner));
        if (owner == s->profile->INVALID) {
            FH_TRY(kc_set_smmu_cfg_vmid(s, cbndx, index, vmid));
            FH_TRY(kc_alloc_smmu(s, vmid, cbndx, index));
        }
    } else {
        FH_TRY(FH_PANIC(s, cbndx < num, cbndx, num));
    }
    return kc_release_lock_smmu(s);
}

/* --- vCPUs ----------------------------------------------------------------------------------- */

/* The vCPU's number as three affinities, with bit 31. */
static uint64_t mpidr_of(uint32_t vcpuid)
{
    const uint32_t affinity =
        (vcpuid & 15) + ((vcpuid / 16 & 255) << 8) + ((vcpuid / 4096 & 255) << 16);
    return (uint64_t)affinity + ((uint64_t)1 << 31);
}

/*
 * The body counts from 1 as the spec does, but above SYSREGS_START: each value, that of MPIDR_EL1
 * and ACTLR_EL1 included, ends up one register behind its own.
 */
static enum fh_status m_reset_sys_regs(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    if (!departs(s, reset_sys_regs))
        return below_reset_sys_regs(s, vmid, vcpuid);
    const struct fh_profile *k = s->profile;
    const uint64_t mpidr = k->MPIDR_EL1 - k->SYSREGS_START + 1;
    const uint64_t actlr = k->ACTLR_EL1 - k->SYSREGS_START + 1;
    for (uint32_t i = 1; i <= k->SHADOW_SYS_REGS_SIZE; i++) {
        uint64_t value = mpidr_of(vcpuid);
        if (i == actlr)
            FH_TRY(kc_read_actlr_el1(s, &value));
        else if (i != mpidr)
            FH_TRY(kc_get_sys_reg_desc_val(s, i, &value));
        FH_TRY(set(s, vmid, vcpuid, k->SYSREGS_START + i, value));
    }
    return FH_OK;
}

/* Each dirty register gets a value of its own. */
static enum fh_status m_sync_dirty_to_shadow(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    if (!departs(s, sync_dirty_to_shadow))
        return below_sync_dirty_to_shadow(s, vmid, vcpuid);
    uint64_t dirty, value;
    FH_TRY(kc_get_shadow_dirty_bit(s, vmid, vcpuid, &dirty));
    for (uint32_t i = 0; i <= s->profile->X30; i++) {
        if ((dirty >> i & 1) == 0)
            continue;
        FH_TRY(kc_get_int_gpr(s, vmid, vcpuid, i, &value));
        FH_TRY(set(s, vmid, vcpuid, i, value));
    }
    return FH_OK;
}

/*
 * The syndrome counts as read, the address is computed in 64 bits, and a signed int is shifted: the
 * dirty bit of register 31 comes with all above it.
 */
static enum fh_status m_prep_abort(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    if (!departs(s, prep_abort))
        return below_prep_abort(s, vmid, vcpuid);
    const struct fh_profile *k = s->profile;
    uint64_t esr, hpfar, value;
    FH_TRY(kc_get_int_esr(s, vmid, vcpuid, &esr));
    const uint64_t rd = esr >> k->ESR_ELx_SRT_SHIFT & k->ESR_ELx_SRT_MASK;
    FH_TRY(get(s, vmid, vcpuid, k->HPFAR_EL2, &hpfar));
    if (hpfar / 16 * k->PAGE_SIZE >= k->MAX_MMIO_ADDR)
        return FH_OK;
    FH_TRY(kc_set_shadow_dirty_bit(s, vmid, vcpuid, k->DIRTY_PC_FLAG));
    if ((esr & (k->ESR_ELx_WNR | k->ESR_ELx_S1PTW)) != 0) {
        FH_TRY(get(s, vmid, vcpuid, rd, &value));
        return kc_set_int_gpr(s, vmid, vcpuid, (uint32_t)rd, value);
    }
    const uint64_t dirty = rd == 31 ? ~(uint64_t)INT32_MAX : (uint64_t)1 << rd;
    return kc_set_shadow_dirty_bit(s, vmid, vcpuid, dirty);
}

/* A VM that goes on from an encrypted image keeps its registers. */
static enum fh_status start_vcpu(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    uint32_t inc_exe;
    FH_TRY(kc_is_inc_exe(s, vmid, &inc_exe));
    if (inc_exe == 0) {
        FH_TRY(kc_reset_gp_regs(s, vmid, vcpuid));
        FH_TRY(kc_reset_sys_regs(s, vmid, vcpuid));
    }
    return kc_set_shadow_dirty_bit(s, vmid, vcpuid, 0);
}

static enum fh_status step_pc(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    uint64_t pc;
    FH_TRY(get(s, vmid, vcpuid, s->profile->PC, &pc));
    return set(s, vmid, vcpuid, s->profile->PC, pc + 4);
}

/* An injected exception stays whole when the pc is stepped, and pc + 4 wraps. */
static enum fh_status continue_vcpu(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                    uint64_t dirty)
{
    const struct fh_profile *k = s->profile;
    uint64_t ec, addr;
    FH_TRY(get(s, vmid, vcpuid, k->EC, &ec));
    if (ec == k->ARM_EXCEPTION_TRAP)
        FH_TRY(kc_sync_dirty_to_shadow(s, vmid, vcpuid));
    if ((dirty & k->PENDING_EXCEPT_INJECT_FLAG) != 0)
        FH_TRY(kc_update_exception_gp_regs(s, vmid, vcpuid));
    if ((dirty & k->DIRTY_PC_FLAG) != 0)
        FH_TRY(step_pc(s, vmid, vcpuid));
    FH_TRY(kc_set_shadow_dirty_bit(s, vmid, vcpuid, 0));
    FH_TRY(set(s, vmid, vcpuid, k->FAR_EL2, 0));
    FH_TRY(kc_get_vm_fault_addr(s, vmid, vcpuid, &addr));
    if (addr < k->PAGE_SIZE || !is_addr(k, addr))
        return FH_OK;
    return kc_post_handle_shadow_s2pt_fault(s, vmid, vcpuid, addr);
}

static enum fh_status current_vcpu(struct fh_state *s, uint32_t *vmid, uint32_t *vcpuid)
{
    const struct fh_rdata *adt = s->adt;
    const uint64_t cur_vcpuid = (uint64_t)adt->cur_vcpuid;
    FH_RELY(s, adt->halt || is_vmid(s->profile, adt->cur_vmid), adt->cur_vmid);
    FH_RELY(s, adt->halt || is_vcpu(s->profile, cur_vcpuid), cur_vcpuid);
    FH_TRY(kc_get_cur_vmid(s, vmid));
    return kc_get_cur_vcpuid(s, vcpuid);
}

static enum fh_status m_restore_shadow_kvm_regs(struct fh_state *s)
{
    if (!departs(s, restore_shadow_kvm_regs))
        return below_restore_shadow_kvm_regs(s);
    uint32_t vmid, vcpuid;
    uint64_t dirty;
    FH_TRY(current_vcpu(s, &vmid, &vcpuid));
    FH_TRY(get(s, vmid, vcpuid, s->profile->DIRTY, &dirty));
    if (dirty == s->profile->INVALID64)
        return start_vcpu(s, vmid, vcpuid);
    return continue_vcpu(s, vmid, vcpuid, dirty);
}

/*
 * The vCPU's number counts as read before it is judged, and then the VM's is judged: VMs from
 * VCPU_PER_VM on halt, and it is set_per_cpu that refuses a vCPU out of range.
 */
static enum fh_status m_restore_vm(struct fh_state *s)
{
    if (!departs(s, restore_vm))
        return below_restore_vm(s);
    const struct fh_profile *k = s->profile;
    uint32_t cur_vmid, cur_vcpuid;
    uint64_t vmid, vcpuid;
    FH_TRY(current_vcpu(s, &cur_vmid, &cur_vcpuid));
    FH_TRY(get(s, cur_vmid, cur_vcpuid, k->X0, &vmid));
    FH_DEMAND(s, is_vm(k, vmid), vmid);
    FH_TRY(kc_get_int_run_vcpuid(s, (uint32_t)vmid, &vcpuid));
    FH_DEMAND(s, is_vcpu(k, vmid), vmid);
    FH_TRY(kc_set_per_cpu(s, (uint32_t)vmid, (uint32_t)vcpuid));
    FH_TRY(kc_set_vcpu_active(s, (uint32_t)vmid, (uint32_t)vcpuid));
    FH_TRY(kc_restore_shadow_kvm_regs(s));
    FH_TRY(kc_vm_el2_restore_state(s));
    FH_TRY(kc_timer_enable_traps(s));
    FH_TRY(kc_activate_traps(s));
    FH_TRY(kc_restore_sysregs(s));
    return kc_fpsimd_restore_state(s);
}

/* --- Hypercalls ------------------------------------------------------------------------------ */

static enum fh_status hvc_register_kvm(struct fh_state *s, uint32_t cur_vmid, uint32_t cur_vcpuid)
{
    uint32_t vmid;
    FH_TRY(kc_register_kvm(s, &vmid));
    return set(s, cur_vmid, cur_vcpuid, s->profile->X0, vmid);
}

static enum fh_status hvc_register_vcpu(struct fh_state *s, const uint64_t *x)
{
    FH_DEMAND(s, is_vm(s->profile, x[1]) && is_vcpu(s->profile, x[2]), x[1], x[2]);
    return kc_register_vcpu(s, (uint32_t)x[1], (uint32_t)x[2]);
}

/* Sums have 64 bits. */
static enum fh_status hvc_phys_addr_ioremap(struct fh_state *s, const uint64_t *x)
{
    const struct fh_profile *k = s->profile;
    FH_DEMAND(s, is_vmid(k, x[1]) && is_addr(k, x[2] + x[4]) && is_paddr(k, x[3] + x[4]), x[1],
              x[2], x[3], x[4]);
    return kc_kvm_phys_addr_ioremap(s, (uint32_t)x[1], x[2], x[3], x[4]);
}

/*
 * VMs and vCPUs are registered at the numbers that the constants have for ENCRYPT_BUF and
 * DECRYPT_BUF, and nothing happens at their own. CLEAR_VM_S2_RANGE wants the size, too, below
 * KVM_PHYS_SIZE.
 */
static enum fh_status m_host_hvc_dispatcher(struct fh_state *s)
{
    if (!departs(s, host_hvc_dispatcher))
        return below_host_hvc_dispatcher(s);
    const struct fh_profile *k = s->profile;
    uint32_t vmid, vcpuid;
    uint64_t x[5];
    FH_TRY(current_vcpu(s, &vmid, &vcpuid));
    for (uint32_t i = 0; i < 5; i++)
        FH_TRY(get(s, vmid, vcpuid, k->X0 + i, &x[i]));
    if (x[0] == k->HVC_ENCRYPT_BUF)
        return hvc_register_kvm(s, vmid, vcpuid);
    if (x[0] == k->HVC_DECRYPT_BUF)
        return hvc_register_vcpu(s, x);
    if (x[0] == k->HVC_REGISTER_KVM || x[0] == k->HVC_REGISTER_VCPU)
        return FH_OK;
    if (x[0] == k->HVC_PHYS_ADDR_IOREMAP)
        return hvc_phys_addr_ioremap(s, x);
    FH_DEMAND(s, x[0] != k->HVC_CLEAR_VM_S2_RANGE || is_paddr(k, x[3]), x[3]);
    return below_host_hvc_dispatcher(s);
}

/* --- The machine ----------------------------------------------------------------------------- */

static const char *const departures[] = {SWITCH_MAP(FH_SWITCH_NAME)};

static const struct fh_overlay overlay = {
    .clear_vm_page = m_clear_vm_page,
    .assign_pfn_to_vm = m_assign_pfn_to_vm,
    .assign_pfn_to_smmu = m_assign_pfn_to_smmu,
    .assign_smmu = m_assign_smmu,
    .el2_alloc_smmu_pgd = m_el2_alloc_smmu_pgd,
    .reset_sys_regs = m_reset_sys_regs,
    .sync_dirty_to_shadow = m_sync_dirty_to_shadow,
    .prep_abort = m_prep_abort,
    .restore_shadow_kvm_regs = m_restore_shadow_kvm_regs,
    .restore_vm = m_restore_vm,
    .host_hvc_dispatcher = m_host_hvc_dispatcher,
};

const struct fh_machine fh_machine_bodies = {
    .name = "bodies",
    .extends = &fh_machine_spec,
    .overlay = &overlay,
    .departures = departures,
    .ndepartures = sizeof departures / sizeof *departures,
    .leaves_pages_of_others = true,
};
