/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "TrapHandler"
#include "layers/trap_handler.h"

#include "layers/abstract_machine.h"
#include "layers/mmio_raw.h"
#include "layers/mmio_spt_walk.h"
#include "layers/npt_walk.h"
#include "layers/oracle.h"
#include "layers/trap_handler_hvc.h"
#include "layers/trap_handler_steps.h"
#include "layers/vcpu_ops_aux.h"

/*
 * TrapHandler/Spec.v: the machine as the security proof sees it. Principals (the host, VMs and
 * their devices) use memory, and traps lead into KCore, where each critical section is one step in
 * slog. The hypercalls of the host are in trap_handler_hvc.c.
 *
 * `ihost`: the host runs, not a VM. `icore`: KCore runs; it stays true after a halt.
 */

#define RELY_HOST_RUNS(s)                                                                          \
    FH_RELY(s, (s)->adt->ihost && !(s)->adt->icore, (s)->adt->ihost, (s)->adt->icore)

static wide cur_ctxt_id(const struct fh_state *s)
{
    return ctxt_id(s->profile, s->adt->cur_vmid, s->adt->cur_vcpuid);
}

static uint64_t cur_register(const struct fh_state *s, uint64_t index)
{
    return shadow_register(s, cur_ctxt_id(s), (uint32_t)index);
}

static enum fh_status set_cur_register(struct fh_state *s, uint64_t index, uint64_t value)
{
    return set_shadow_register(s, cur_ctxt_id(s), (uint32_t)index, value);
}

/* --- A stage-2 fault of the host -------------------------------------------------------------- */

/* The SMMU in whose registers `addr` lies, the last one of several; INVALID if there is none. */
static enum fh_status find_smmu(struct fh_state *s, uint64_t addr, uint64_t *index)
{
    const struct fh_smmu_conf *conf = s->adt->smmu_conf;
    *index = s->profile->INVALID;
    FH_LOOP_BOUND(s, conf->smmu_num);
    for (uint64_t i = 0; i < conf->smmu_num; i++) {
        const uint64_t base = number_at(&conf->smmu_phys_base, i);
        if (base <= addr && addr < wide_add(base, number_at(&conf->smmu_size, i)))
            *index = i;
    }
    return FH_OK;
}

static bool bank_write_is_allowed(const struct fh_state *s, uint64_t index, uint64_t cbndx,
                                  uint64_t data)
{
    const struct fh_profile *k = s->profile;
    const uint64_t vmid = smmu_vmid_of(s, index, cbndx);
    return vmid == k->HOSTVISOR || (data >> k->CBAR_TYPE_SHIFT == k->CBAR_TYPE_S2_TRANS &&
                                    vmid == (data & k->CBAR_VMID_MASK));
}

/* May the host write `data` at `offset` of SMMU `index`? As handle_smmu_global_access and
 * handle_smmu_cb_access say. */
static bool smmu_write_is_allowed(const struct fh_state *s, uint64_t index, uint64_t offset,
                                  uint64_t data)
{
    const struct fh_profile *k = s->profile;
    if (offset >= SMMU_GLOBAL_BASE)
        return ((offset - SMMU_GLOBAL_BASE) & k->ARM_SMMU_PGSHIFT_MASK) !=
               k->ARM_SMMU_CB_CONTEXTIDR;
    if (offset == k->ARM_SMMU_GR0_sCR0)
        return (data >> k->sCR0_SMCFCFG_SHIFT & 1) != 0;
    if (offset == k->ARM_SMMU_GR0_sCR2)
        return (data & 255) == 0;
    if (offset > k->ARM_SMMU_GR1_BASE && offset < k->ARM_SMMU_GR1_END)
        return bank_write_is_allowed(s, index, (offset - k->ARM_SMMU_GR1_BASE) / 4, data);
    return true;
}

/* Go on behind the instruction: the spec writes ESR_EL2, not ELR_EL2. */
static enum fh_status skip_instruction(struct fh_state *s)
{
    return kc_host_skip_instr(s);
}

static enum fh_status read_smmu(struct fh_state *s, uint32_t rt, uint32_t len)
{
    uint64_t data;
    FH_READ_DATA(s, s->profile->HOSTVISOR, &data);
    FH_TRY(set_cur_register(s, rt, len == 8 ? data : data & s->profile->INVALID));
    return skip_instruction(s);
}

/* The host's access to the registers of SMMU `index`. */
static enum fh_status access_smmu(struct fh_state *s, uint64_t index, uint64_t fault_ipa,
                                  uint32_t hsr)
{
    uint32_t len, is_write, rt;
    FH_TRY(kc_host_dabt_get_as(s, hsr, &len));
    FH_TRY(kc_host_dabt_is_write(s, hsr, &is_write));
    FH_TRY(kc_host_dabt_get_rd(s, hsr, &rt));
    const uint64_t offset = fault_ipa & s->profile->SMMU_OFFSET_MASK;
    HALT_HERE_UNLESS(s, !is_write || smmu_write_is_allowed(s, index, offset, cur_register(s, rt)),
                     index, offset, cur_register(s, rt));
    HALT_HERE_UNLESS(s, len == 4 || len == 8, len);
    return is_write ? skip_instruction(s) : read_smmu(s, rt, len);
}

static enum fh_status map_host(struct fh_state *s, uint64_t addr)
{
    FH_TRY(query_oracle(s));
    FH_TRY(LOG_STEP(s, FH_EVENT_OMAP_HOST, addr));
    RELY_USABLE(s, s->profile->S2PAGE_ID);
    RELY_USABLE(s, s->profile->NPT_ID);
    return local_map_host(s, addr, &s->adt->halt);
}

static enum fh_status handle_host_fault(struct fh_state *s, uint64_t addr)
{
    const struct fh_profile *k = s->profile;
    const struct fh_ctxt_regs *regs = &s->adt->regs->ctxt_regs;
    const uint64_t fault_ipa = addr | (regs->far_el2 & (k->PAGE_SIZE - 1));
    uint64_t index;
    FH_TRY(query_oracle(s));
    FH_TRY(LOG_STEP(s, FH_EVENT_OSMMU_GET, 0));
    RELY_USABLE(s, k->SMMU_ID);
    FH_TRY(find_smmu(s, addr, &index));
    if (index == k->INVALID)
        return map_host(s, addr);
    return access_smmu(s, index, fault_ipa, (uint32_t)regs->esr_el2);
}

/*
 * A stage-2 fault of the host, as HPFAR_EL2, FAR_EL2 and ESR_EL2 describe it: an access to an
 * SMMU's registers is emulated, else the page is mapped. Halts on an address out of range and where
 * emulate_mmio and map_page_host do.
 * Stuck: the host does not run, or KCore does; a lock that a panicked CPU kept. In a halted state
 * the identity, once the host runs. Not representable: ELR_EL2 + 4 beyond 64 bits.
 * TrapHandler/Spec.v: host_npt_handler_spec
 */
enum fh_status spec_host_npt_handler(struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    RELY_HOST_RUNS(s);
    if (s->adt->halt)
        return FH_OK;
    FH_TRY(kc_host_to_core(s));
    s->adt->icore = true;
    const wide addr = wide_mul(s->adt->regs->ctxt_regs.hpfar_el2 & k->HPFAR_MASK, 256);
    HALT_HERE_UNLESS(s, is_addr(k, addr), (uint64_t)addr);
    FH_TRY(handle_host_fault(s, (uint64_t)addr));
    if (s->adt->halt)
        return FH_OK;
    s->adt->icore = false;
    return kc_core_to_host(s);
}

/* --- The host runs a vCPU --------------------------------------------------------------------- */

/* The host's registers are kept, in its context of the current vcpuid; no vCPU is current yet. */
static enum fh_status switch_to_core(struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    const uint64_t vmid = s->adt->regs->ctxt_regs.x0;
    HALT_HERE_UNLESS(s, is_vm(k, vmid), vmid);
    s->adt->cur_vmid = k->HOSTVISOR;
    FH_TRY(kc_host_to_core(s));
    FH_TRY(kc_save_sysregs(s));
    FH_TRY(kc_fpsimd_save_state(s));
    s->adt->icore = true;
    s->adt->cur_vmid = vmid;
    s->adt->cur_vcpuid = -1;
    return FH_OK;
}

/* Is `pc` in a boot image that KCore has mapped? TrapHandler/Spec.v: search_load_info_loop_h */
static enum fh_status is_in_image(struct fh_state *s, uint64_t vmid, uint64_t pc, bool *result)
{
    const struct fh_boot_info *boot = &vminfo_of(s, vmid)->VB;
    *result = false;
    FH_LOOP_BOUND(s, boot->vm_next_load_info);
    for (uint64_t i = 0; i < boot->vm_next_load_info; i++) {
        const uint64_t base = number_at(&boot->vm_load_addr, i);
        const wide end = wide_add(base, number_at(&boot->vm_load_size, i));
        if (base <= pc && pc < end)
            *result = wide_add(pc - base, number_at(&boot->vm_remap_addr, i)) != 0;
    }
    return FH_OK;
}

static uint64_t mpidr_of(uint64_t vcpuid)
{
    return (vcpuid & 15) + (vcpuid / 16 & 255) * 256 + (vcpuid / 4096 & 255) * 65536 + 0x80000000;
}

/* TrapHandler/Spec.v: reset_sys_regs_specx */
static enum fh_status reset_sysregs(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    const uint64_t end = k->SYSREGS_START + k->SHADOW_SYS_REGS_SIZE;
    for (uint64_t i = k->SYSREGS_START; i < end; i++) {
        uint64_t value = mpidr_of(vcpuid);
        if (i == k->ACTLR_EL1)
            FH_READ_DATA(s, vmid, &value);
        else if (i != k->MPIDR_EL1)
            FH_TRY(kc_get_sys_reg_desc_val(s, (uint32_t)i, &value));
        FH_TRY(set_cur_register(s, i, value));
    }
    return FH_OK;
}

static enum fh_status reset_vcpu(struct fh_state *s, uint32_t vmid, uint32_t vcpuid, uint64_t pc)
{
    const struct fh_profile *k = s->profile;
    uint64_t pstate;
    FH_TRY(kc_clear_shadow_gp_regs(s, vmid, vcpuid));
    FH_READ_DATA(s, vmid, &pstate);
    FH_TRY(set_cur_register(s, k->PSTATE, pstate));
    FH_TRY(set_cur_register(s, k->PC, pc));
    FH_TRY(kc_reset_fp_regs(s, vmid, vcpuid));
    FH_TRY(reset_sysregs(s, vmid, vcpuid));
    return set_cur_register(s, k->DIRTY, 0);
}

/*
 * The first run. What other CPUs do meanwhile is in slog, but the spec goes on from the shared data
 * before; only if the vCPU came encrypted, or on a halt, does it take effect.
 */
static enum fh_status start_vcpu(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    struct others_effect first, second;
    bool in_image;
    uint64_t pc;
    FH_TRY(note_oracle(s, &first));
    RELY_USABLE(s, k->INFO_ID + vmid);
    FH_TRY(LOG_STEP(s, FH_EVENT_OVM_GET, vmid));
    if (vminfo_of(s, vmid)->VB.vm_inc_exe != 0) {
        FH_TRY(apply_oracle(s, &first));
        return set_cur_register(s, k->DIRTY, 0);
    }
    FH_READ_DATA(s, vmid, &pc);
    FH_TRY(note_oracle(s, &second));
    FH_TRY(LOG_STEP(s, FH_EVENT_OVM_GET, vmid));
    FH_TRY(is_in_image(s, vmid, pc, &in_image));
    if (in_image)
        return reset_vcpu(s, vmid, vcpuid, pc);
    FH_TRY(apply_oracle(s, &first));
    FH_TRY(apply_oracle(s, &second));
    HALT_HERE_UNLESS(s, in_image, vmid, vcpuid, pc);
    return FH_OK;
}

/* Unlike VCPUOps, this leaves pc where it is, and happens when no exception is pending.
 * TrapHandler/Spec.v: update_exception_gp_regs_specx */
static enum fh_status note_exception(struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    FH_TRY(set_cur_register(s, k->ELR_EL1, cur_register(s, k->PC)));
    FH_TRY(set_cur_register(s, k->SPSR_0, cur_register(s, k->PSTATE)));
    FH_TRY(set_cur_register(s, k->ESR_EL1, k->ESR_ELx_EC_UNKNOWN));
    return set_cur_register(s, k->PSTATE, k->PSTATE_FAULT_BITS_64);
}

static enum fh_status take_over_from_host(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                          uint64_t dirty)
{
    const struct fh_profile *k = s->profile;
    if (cur_register(s, k->EC) == k->ARM_EXCEPTION_TRAP)
        FH_TRY(take_dirty_registers(s, vmid, vcpuid));
    if ((dirty & k->PENDING_EXCEPT_INJECT_FLAG) == 0)
        FH_TRY(note_exception(s));
    if ((dirty & k->DIRTY_PC_FLAG) != 0) {
        const uint64_t pc = cur_register(s, k->PC);
        FH_LEAVES_64_BITS(s, !is_int64(wide_add(pc, 4)), pc);
        FH_TRY(set_cur_register(s, k->PC, pc + 4));
    }
    FH_TRY(set_cur_register(s, k->DIRTY, 0));
    return set_cur_register(s, k->FAR_EL2, 0);
}

static enum fh_status continue_vcpu(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                    uint64_t dirty)
{
    const struct fh_profile *k = s->profile;
    uint64_t addr, pte, level;
    FH_TRY(take_over_from_host(s, vmid, vcpuid, dirty));
    FH_READ_CORE_DATA(s, vmid, &addr);
    if (addr < k->PAGE_SIZE || !is_addr(k, addr))
        return FH_OK;
    FH_READ_CORE_DATA(s, vmid, &pte);
    FH_READ_CORE_DATA(s, vmid, &level);
    return assign_and_map(s, vmid, addr, pte, level);
}

/* TrapHandler/Spec.v: vcpu_run_process */
static enum fh_status prepare_vcpu(struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    const uint32_t vmid = (uint32_t)s->adt->cur_vmid;
    uint64_t vcpuid = core_data_oracle(s, vmid, core_data_log_of(s, vmid));
    HALT_HERE_UNLESS(s, is_vcpu(k, vcpuid), vcpuid);
    FH_READ_CORE_DATA(s, vmid, &vcpuid);
    s->adt->cur_vcpuid = (int64_t)vcpuid;
    FH_TRY(query_oracle(s));
    FH_TRY(LOG_STEP(s, FH_EVENT_OVM_ACTIVE, vmid, vcpuid));
    FH_TRY(local_set_vcpu_active(s, vmid, vcpuid, &s->adt->halt));
    if (s->adt->halt)
        return FH_OK;
    const uint64_t dirty = cur_register(s, k->DIRTY);
    if (dirty == k->INVALID64)
        return start_vcpu(s, vmid, (uint32_t)vcpuid);
    return continue_vcpu(s, vmid, (uint32_t)vcpuid, dirty);
}

/* TrapHandler/Spec.v: vcpu_run_switch_to_vm */
static enum fh_status switch_to_vm(struct fh_state *s)
{
    FH_TRY(kc_vm_el2_restore_state(s));
    FH_TRY(kc_timer_enable_traps(s));
    FH_TRY(kc_activate_traps(s));
    FH_TRY(kc_restore_sysregs(s));
    FH_TRY(kc_fpsimd_restore_state(s));
    FH_TRY(kc_core_to_host(s)); /* x0 to x30, which core_to_vm would leave out */
    s->adt->icore = false;
    s->adt->ihost = false;
    return FH_OK;
}

/*
 * The host runs a vCPU: its VM is in x0, its number the next value of the core data oracle. Halts
 * if there is no such vCPU, if it is not ready, if it starts outside its boot images, and where the
 * steps of prot_and_map_vm_s2pt do. Stuck: the host does not run, or KCore does; a lock that a
 * panicked CPU kept. In a halted state the identity, once the host runs. Not representable: a pc
 * beyond 64 bits. TrapHandler/Spec.v: host_vcpu_run_handler_spec
 */
enum fh_status spec_host_vcpu_run_handler(struct fh_state *s)
{
    RELY_HOST_RUNS(s);
    if (s->adt->halt)
        return FH_OK;
    FH_TRY(switch_to_core(s));
    if (s->adt->halt)
        return FH_OK;
    FH_TRY(prepare_vcpu(s));
    return s->adt->halt ? FH_OK : switch_to_vm(s);
}

/* --- A vCPU stops ----------------------------------------------------------------------------- */

/* The entry of the current VM's table for `gfn`, looked up in a step of its own. */
static enum fh_status walk(struct fh_state *s, uint64_t gfn, struct fh_pt_entry *entry)
{
    const uint64_t vmid = s->adt->cur_vmid;
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, wide_add(s->profile->NPT_ID, vmid));
    FH_TRY(LOG_STEP(s, FH_EVENT_OPT_GET, vmid));
    *entry = stage2_entry(s, vmid, gfn);
    return FH_OK;
}

static enum fh_status grant_page(struct fh_state *s, uint64_t pfn)
{
    RELY_USABLE(s, s->profile->S2PAGE_ID);
    FH_TRY(query_oracle(s));
    FH_TRY(local_grant_vm_page(s, s->adt->cur_vmid, pfn));
    return LOG_STEP(s, FH_EVENT_OGRANT, s->adt->cur_vmid, pfn);
}

static enum fh_status revoke_page(struct fh_state *s, uint64_t pfn)
{
    const uint64_t vmid = s->adt->cur_vmid;
    RELY_USABLE(s, s->profile->S2PAGE_ID);
    RELY_USABLE(s, s->profile->NPT_ID);
    FH_TRY(query_oracle(s));
    FH_TRY(LOG_STEP(s, FH_EVENT_OREVOKE, vmid, pfn, data_log_of(s, vmid)));
    return local_revoke_vm_page(s, vmid, pfn, &s->adt->halt);
}

/*
 * Share the pages at `addr` or not. Of a 2 MiB block it is the first page, again and again; and the
 * loop goes on after a halt: stuck at the next page, which finds the locks kept.
 * TrapHandler/Spec.v: grant_stage2_loop, revoke_stage2_loop
 */
static enum fh_status share_range(struct fh_state *s, uint64_t addr, uint64_t size,
                                  enum fh_status (*share)(struct fh_state *s, uint64_t pfn))
{
    const struct fh_profile *k = s->profile;
    const uint64_t pages = (uint64_t)(wide_add(size, k->PAGE_SIZE - 1) >> k->PAGE_SHIFT);
    FH_LOOP_BOUND(s, pages);
    for (uint64_t i = 0; i < pages; i++) {
        struct fh_pt_entry first, second;
        FH_TRY(walk(s, pfn_of(k, addr) + i, &first));
        FH_TRY(walk(s, pfn_of(k, addr) + i, &second));
        const uint64_t pfn = pfn_of(k, phys_page(k, first.pte));
        if (pfn != 0)
            FH_TRY(share(s, pfn));
    }
    return FH_OK;
}

/* *handled: the VM goes on. A halt counts as handled. TrapHandler/Spec.v: vm_exit_dispatcher_spec_h
 */
static enum fh_status handle_trap(struct fh_state *s, bool *handled)
{
    const struct fh_profile *k = s->profile;
    const uint64_t class = cur_register(s, k->ESR_EL2) >> k->ESR_ELx_EC_SHIFT & 63;
    const uint64_t call = cur_register(s, k->X0);
    *handled = true;
    if (class == k->ESR_ELx_EC_SYS64)
        return kc_core_handle_sys64(s);
    HALT_HERE_UNLESS(s, class == k->ESR_ELx_EC_SYS64 || class == k->ESR_ELx_EC_HVC64, class);
    const uint64_t addr = cur_register(s, k->X2), size = cur_register(s, k->X3);
    if (call == k->HVC_KVM_SET_DESC_PFN)
        return share_range(s, addr, size, grant_page);
    if (call == k->HVC_KVM_UNSET_DESC_PFN)
        return share_range(s, addr, size, revoke_page);
    *handled = false;
    return FH_OK;
}

/* TrapHandler/Spec.v: prep_hvc_spec_h */
static enum fh_status prepare_psci(struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    const uint64_t vmid = s->adt->cur_vmid;
    if ((cur_register(s, k->X0) & k->INVALID) != k->PSCI_0_2_FN_SYSTEM_OFF)
        return FH_OK;
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, wide_add(k->INFO_ID, vmid));
    FH_TRY(LOG_STEP(s, FH_EVENT_OVM_POWEROFF, vmid));
    return local_set_vm_poweroff(s, vmid);
}

/* TrapHandler/Spec.v: prep_abort_specx */
static enum fh_status prepare_fault(struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    uint64_t esr;
    FH_READ_DATA(s, s->adt->cur_vmid, &esr);
    if (wide_mul(cur_register(s, k->HPFAR_EL2) / 16, k->PAGE_SIZE) >= k->MAX_MMIO_ADDR)
        return FH_OK;
    const bool loads = (esr & (k->ESR_ELx_WNR | k->ESR_ELx_S1PTW)) == 0;
    const uint64_t rd = esr >> k->ESR_ELx_SRT_SHIFT & k->ESR_ELx_SRT_MASK;
    return set_cur_register(s, k->DIRTY, loads ? (uint64_t)1 << rd : k->DIRTY_PC_FLAG);
}

static enum fh_status save_vcpu(struct fh_state *s)
{
    FH_TRY(kc_save_sysregs(s));
    FH_TRY(kc_fpsimd_save_state(s));
    FH_TRY(kc_deactivate_traps(s));
    return kc_timer_enable_traps(s);
}

/* Halts on other classes, with the registers not even saved. */
static enum fh_status save_trapped_vcpu(struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    const uint64_t hsr = cur_register(s, k->ESR_EL2);
    const uint64_t class = (hsr & k->ESR_ELx_EC_MASK) >> k->ESR_ELx_EC_SHIFT;
    const bool is_abort = class == k->ESR_ELx_EC_IABT_LOW || class == k->ESR_ELx_EC_DABT_LOW;
    HALT_HERE_UNLESS(s, class == k->ESR_ELx_EC_WFx || class == k->ESR_ELx_EC_HVC64 || is_abort,
                     class);
    FH_TRY(save_vcpu(s));
    if (is_abort)
        return prepare_fault(s);
    if (class == k->ESR_ELx_EC_HVC64)
        return prepare_psci(s);
    return set_cur_register(s, k->DIRTY, k->DIRTY_PC_FLAG);
}

/* TrapHandler/Spec.v: prep_exit_vm */
static enum fh_status leave_vm(struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    if (cur_register(s, k->EC) == k->ARM_EXCEPTION_TRAP)
        FH_TRY(save_trapped_vcpu(s));
    else
        FH_TRY(save_vcpu(s));
    if (s->adt->halt)
        return FH_OK;
    const uint64_t vmid = s->adt->cur_vmid;
    const int64_t vcpuid = s->adt->cur_vcpuid;
    FH_TRY(query_oracle(s));
    FH_TRY(LOG_STEP(s, FH_EVENT_OVM_INACTIVE, vmid, (uint64_t)vcpuid));
    return local_set_vcpu_inactive(s, vmid, vcpuid, &s->adt->halt);
}

/* TrapHandler/Spec.v: switch_to_host */
static enum fh_status switch_to_host(struct fh_state *s)
{
    FH_REPRESENTABLE(s, s->adt->curid <= INT64_MAX, s->adt->curid);
    s->adt->cur_vmid = s->profile->HOSTVISOR;
    s->adt->cur_vcpuid = (int64_t)s->adt->curid;
    FH_TRY(kc_host_el2_restore_state(s));
    FH_TRY(kc_restore_sysregs(s));
    FH_TRY(kc_fpsimd_restore_state(s));
    FH_TRY(kc_core_to_host(s));
    s->adt->ihost = true;
    s->adt->icore = false;
    return FH_OK;
}

/*
 * The current vCPU stops. Traps that KCore handles by itself (system registers, grant and revoke)
 * lead back to the VM, all others and interrupts to the host. Halts on other exits and classes, on
 * a vCPU that was not active, and where revoke_vm_page does. Stuck: no VM runs; a lock that a
 * panicked CPU kept. In a halted state the identity, once a VM runs. Not representable: ELR_EL2 + 4
 * beyond 64 bits. TrapHandler/Spec.v: vm_exit_handler_spec
 */
enum fh_status spec_vm_exit_handler(struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, !s->adt->ihost && !s->adt->icore, s->adt->ihost, s->adt->icore);
    if (s->adt->halt)
        return FH_OK;
    FH_TRY(kc_vm_to_core(s));
    FH_TRY(kc_exit_populate_fault(s));
    s->adt->icore = true;
    const uint64_t ec = cur_register(s, k->EC);
    bool handled = false;
    if (ec == k->ARM_EXCEPTION_TRAP)
        FH_TRY(handle_trap(s, &handled));
    else
        HALT_HERE_UNLESS(s, ec == k->ARM_EXCEPTION_INTERRUPT, ec);
    if (handled) {
        s->adt->icore = false;
        return kc_core_to_host(s); /* which is core_to_vm here: x0 to x30 */
    }
    FH_TRY(leave_vm(s));
    return s->adt->halt ? FH_OK : switch_to_host(s);
}

/* --- Memory as the host, VMs and devices use it ------------------------------------------------
 */

/* A page that the current principal reaches, and whether it has it for itself. */
struct reached {
    uint64_t pfn;
    bool is_private;
};

/*
 * Stuck: nothing is mapped; for a VM also: it is not verified, or the page belongs to nobody. The
 * host's own pages are private to it, a VM's those that it does not share.
 */
static enum fh_status reach(struct fh_state *s, uint64_t pfn, struct reached *reached)
{
    const struct fh_profile *k = s->profile;
    const struct fh_s2page *page = s2page_of(s, pfn);
    const uint64_t vmid = s->adt->cur_vmid;
    const uint64_t vm_state = vminfo_of(s, vmid)->VS.vm_state;
    FH_RELY(s, vmid == k->HOSTVISOR || vm_state == k->VERIFIED, vmid, vm_state);
    FH_RELY(s, pfn != 0);
    FH_RELY(s, vmid == k->HOSTVISOR || page->s2_owner != k->INVALID, vmid, pfn);
    reached->pfn = pfn;
    reached->is_private =
        vmid == k->HOSTVISOR ? page->s2_owner == k->HOSTVISOR : page->s2_count == 0;
    return FH_OK;
}

/* A page that is not private may hold anything: the next value of the data oracle, not counted. */
static enum fh_status load(struct fh_state *s, const struct reached *reached, uint32_t reg)
{
    const uint64_t vmid = s->adt->cur_vmid;
    FH_RELY(s, reg < s->profile->X30, reg);
    const uint64_t value = reached->is_private ? number_at(&s->adt->shared.flatmem, reached->pfn)
                                               : data_oracle(s, vmid, data_log_of(s, vmid));
    return set_cur_register(s, reg, value);
}

static enum fh_status store(struct fh_state *s, const struct reached *reached, uint32_t reg)
{
    if (!reached->is_private)
        return FH_OK;
    return set_entry_u64(s, &s->adt->shared.flatmem, reached->pfn, cur_register(s, reg));
}

/* The page behind `gfn` of the current principal. Stuck: KCore runs, and where `reach` is. */
static enum fh_status begin_access(struct fh_state *s, uint64_t gfn, struct reached *reached)
{
    const uint64_t vmid = s->adt->cur_vmid;
    FH_RELY(s, !s->adt->icore);
    FH_TRY(query_oracle(s));
    FH_TRY(LOG_STEP(s, FH_EVENT_OPT_GET, vmid));
    return reach(s, stage2_entry(s, vmid, gfn).pfn, reached);
}

/* The same through bank `cbndx` of SMMU `index`. Stuck also: no such bank, or not the principal's.
 */
static enum fh_status begin_device_access(struct fh_state *s, uint64_t gfn, uint32_t cbndx,
                                          uint32_t index, struct reached *reached)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, !s->adt->icore);
    FH_RELY(s, is_smmu(k, index), index);
    FH_RELY(s, is_smmu_cfg(k, cbndx), cbndx);
    FH_TRY(query_oracle(s));
    FH_TRY(LOG_STEP(s, FH_EVENT_OPT_GET, s->adt->cur_vmid));
    FH_RELY(s, smmu_vmid_of(s, index, cbndx) == s->adt->cur_vmid, cbndx, index);
    return reach(s, smmu_entry(s, cbndx, index, gfn).pfn, reached);
}

/*
 * The current principal loads from its page `gfn` into register `reg` (below x30). Works in a
 * halted state too, as the three that follow.
 * Stuck: KCore runs; nothing mapped; reg out of range; for a VM also: it is not verified, or the
 * page belongs to nobody. TrapHandler/Spec.v: mem_load_spec
 */
enum fh_status spec_mem_load(struct fh_state *s, uint64_t gfn, uint32_t reg)
{
    struct reached reached = {0};
    FH_TRY(begin_access(s, gfn, &reached));
    return load(s, &reached, reg);
}

/* It stores register `reg`; a page that it shares keeps no contents. Stuck as mem_load, but for any
 * reg. TrapHandler/Spec.v: mem_store_spec */
enum fh_status spec_mem_store(struct fh_state *s, uint64_t gfn, uint32_t reg)
{
    struct reached reached = {0};
    FH_TRY(begin_access(s, gfn, &reached));
    return store(s, &reached, reg);
}

/*
 * A device of the current principal, behind bank `cbndx` of SMMU `index`, loads from its page
 * `gfn`. Stuck as mem_load, and if there is no such bank or it is not the principal's.
 * TrapHandler/Spec.v: dev_load_spec
 */
enum fh_status spec_dev_load(struct fh_state *s, uint64_t gfn, uint32_t reg, uint32_t cbndx,
                             uint32_t index)
{
    struct reached reached = {0};
    FH_TRY(begin_device_access(s, gfn, cbndx, index, &reached));
    return load(s, &reached, reg);
}

/* It stores. Stuck as mem_store, and if there is no such bank or it is not the principal's.
 * TrapHandler/Spec.v: dev_store_spec */
enum fh_status spec_dev_store(struct fh_state *s, uint64_t gfn, uint32_t reg, uint32_t cbndx,
                              uint32_t index)
{
    struct reached reached = {0};
    FH_TRY(begin_device_access(s, gfn, cbndx, index, &reached));
    return store(s, &reached, reg);
}
