/* SPDX-License-Identifier: GPL-2.0-only */
#include "machines/sekvm-4.18/sekvm.h"

#include "layers/oracle.h"

/* VMs and their vCPUs: numbers, states, boot images, encrypted ones. */

/* --- Beyond the table of VMs ----------------------------------------------------------------- */

/*
 * A record of a VM has 736 bytes. Behind the last one the first lock lies in a pointer to the
 * host's registers, which no ticket ever equals; further on there is memory that is 0, and then
 * none. Where it ends no recording says: 1000 is within, 0x100000 is not.
 */
enum { LOCKED_FOR_EVER = 66, LAST_WITHIN = 0x8000 };

static enum fh_status look_beyond(struct fh_state *s, uint32_t vmid)
{
    if (vmid <= s->profile->COREVISOR || s->adt->halt)
        return FH_OK;
    if (vmid == LOCKED_FOR_EVER && departs(s, E9))
        FH_HANG(s, "what is taken for the VM's lock is never free", vmid);
    if (vmid > LAST_WITHIN && departs(s, A5))
        FH_DIE(s, "the VM's record lies outside of EL2's memory", vmid);
    return FH_OK;
}

/* --- Life ------------------------------------------------------------------------------------ */

/* A10: the last number is MAX_VM_NUM's, and is returned all the same. */
enum fh_status m_gen_vmid(struct fh_state *s, uint32_t *result)
{
    const struct fh_profile *k = s->profile;
    if (s->adt->halt || s->adt->shared.core_data.next_vmid < k->MAX_VM_NUM || !departs(s, A10))
        return below_gen_vmid(s, result);
    uint32_t vmid;
    FH_TRY(kc_acquire_lock_core(s));
    FH_TRY(kc_get_next_vmid(s, &vmid));
    FH_TRY(FH_PANIC(s, vmid < k->MAX_VM_NUM, vmid));
    FH_TRY(kc_release_lock_core(s));
    return kc_check(s, vmid, result);
}

static enum fh_status own_info(struct fh_state *s, uint32_t vmid, struct fh_vminfo **info)
{
    void *record;
    FH_TRY(own_entry(s, &s->adt->shared.vminfos, type_of_ref_vminfo, vmid, &record));
    *info = record;
    return FH_OK;
}

/* Whether a VM goes on from an encrypted image; the spec's setter writes another field. */
static enum fh_status set_inc_exe(struct fh_state *s, uint32_t vmid, uint64_t value)
{
    struct fh_vminfo *info;
    FH_TRY(own_info(s, vmid, &info));
    observe(s, FH_EFFECT_VM_SET, vmid, FH_VM_INC_EXE, 0, value);
    return set_u64(s, &info->VB.vm_inc_exe, value);
}

/* L2: vm_inc_exe is cleared first. */
enum fh_status m_set_vm_kvm(struct fh_state *s, uint32_t vmid, uint64_t kvm)
{
    if (!s->adt->halt && departs(s, L2))
        FH_TRY(set_inc_exe(s, vmid, 0));
    return below_set_vm_kvm(s, vmid, kvm);
}

/* A11: what says whether a VM is on is 0, is never set, and switching off stores 0. */
enum fh_status m_set_vm_poweroff(struct fh_state *s, uint32_t vmid)
{
    if (!departs(s, A11))
        return below_set_vm_poweroff(s, vmid);
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    observe(s, FH_EFFECT_VM_SET, vmid, FH_VM_POWER, 0, 0);
    return kc_release_lock_vm(s, vmid);
}

/* A12: and so every VM counts as off. */
enum fh_status m_get_vm_poweron(struct fh_state *s, uint32_t vmid, uint32_t *result)
{
    FH_TRY(look_beyond(s, vmid));
    if (!departs(s, A12))
        return below_get_vm_poweron(s, vmid, result);
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    FH_TRY(kc_release_lock_vm(s, vmid));
    return kc_check(s, 0, result);
}

/* The host has contexts in the kernel, which nobody uses: its registers are elsewhere. */
static enum fh_status set_spare(struct fh_state *s, uint32_t vmid, uint32_t vcpuid, uint64_t reg,
                                uint64_t value)
{
    const enum machine_kind spare = MACHINE_WORD + 1;
    const uint64_t context = (uint64_t)(vmid & 0xffff) << 8 | (vcpuid & 0xff);
    observe_values(s, FH_EFFECT_SPARE_SET, vmid, vcpuid, reg,
                   machine_number(s, spare, context, reg), value, 0);
    return set_machine_number(s, spare, context, reg, value);
}

static enum fh_status set_dirty(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    if (vmid == k->HOSTVISOR)
        return set_spare(s, vmid, vcpuid, k->DIRTY, k->INVALID64);
    return set(s, vmid, vcpuid, k->DIRTY, k->INVALID64);
}

/*
 * E1: the arrays have room for four vCPUs. What is written for the eighth falls into where the VM's
 * tables are and which page of them is next; the shadow context is that of the next VM.
 */
static enum fh_status register_beyond(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    const uint32_t last = 7;
    uint64_t vcpu = 0;
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    if (s->env.shared_vcpu)
        vcpu = ASK_OUTSIDE(s, shared_vcpu, vmid, vcpuid);
    observe(s, FH_EFFECT_VM_SET, vmid, FH_VM_VCPU, vcpuid, vcpu);
    observe(s, FH_EFFECT_VM_SET, vmid, FH_VM_VCPU_STATE, vcpuid, k->READY);
    if (vcpuid == last) {
        void *record;
        FH_TRY(own_entry(s, &s->adt->shared.npts, type_of_ref_npt, vmid, &record));
        uint64_t *next = &((struct fh_npt *)record)->pt_pgd_next;
        FH_TRY(set_u64(s, next, (*next & UINT32_MAX) | k->READY << 32));
    }
    FH_TRY(set(s, vmid + 1, vcpuid - (uint32_t)k->VCPU_PER_VM, k->DIRTY, k->INVALID64));
    return kc_release_lock_vm(s, vmid);
}

/* A13: one of the two conditions is enough. */
enum fh_status m_register_vcpu(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    uint32_t state, vcpu_state;
    uint64_t vcpu;
    FH_TRY(look_beyond(s, vmid));
    if (!s->adt->halt && k->VCPU_PER_VM == 4 && vcpuid >= 4 && vcpuid < 8 && departs(s, E1))
        return register_beyond(s, vmid, vcpuid);
    if (!departs(s, A13))
        return below_register_vcpu(s, vmid, vcpuid);
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    FH_TRY(kc_get_vm_state(s, vmid, &state));
    FH_TRY(kc_get_vcpu_state(s, vmid, vcpuid, &vcpu_state));
    if (state == k->READY || vcpu_state == k->UNUSED) {
        FH_TRY(kc_get_shared_vcpu(s, vmid, vcpuid, &vcpu));
        FH_TRY(kc_set_vm_vcpu(s, vmid, vcpuid, vcpu));
        FH_TRY(kc_set_vcpu_state(s, vmid, vcpuid, (uint32_t)k->READY));
        FH_TRY(set_dirty(s, vmid, vcpuid));
    } else {
        FH_TRY(FH_PANIC(s, state == k->READY || vcpu_state == k->UNUSED, state, vcpu_state));
    }
    return kc_release_lock_vm(s, vmid);
}

/* That a vCPU is about to run for the first time: A48 looks at it, L11 tells of it. */
static enum fh_status note_first_run(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    if (machine_number(s, MACHINE_FIRST_RUN, vmid, vcpuid) != 0 || s->adt->halt)
        return FH_OK;
    if (departs(s, L11))
        observe(s, FH_EFFECT_VM_SET, vmid, FH_VM_FIRST_RUN, vcpuid, 1);
    return set_machine_number(s, MACHINE_FIRST_RUN, vmid, vcpuid, 1);
}

/* L11: the first run is noted between the two states. Neither of the two is asked elsewhere. */
enum fh_status m_set_vcpu_active(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    const struct fh_departures *on = &s->departures;
    uint32_t state, vcpu_state;
    FH_TRY(look_beyond(s, vmid));
    if (!fh_departs(on, A48) && !fh_departs(on, L11))
        return below_set_vcpu_active(s, vmid, vcpuid);
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    FH_TRY(kc_get_vm_state(s, vmid, &state));
    if (state == k->VERIFIED)
        FH_TRY(note_first_run(s, vmid, vcpuid));
    FH_TRY(kc_get_vcpu_state(s, vmid, vcpuid, &vcpu_state));
    if (state == k->VERIFIED && vcpu_state == k->READY)
        FH_TRY(kc_set_vcpu_state(s, vmid, vcpuid, (uint32_t)k->ACTIVE));
    else
        FH_TRY(FH_PANIC(s, state == k->VERIFIED && vcpu_state == k->READY, state, vcpu_state));
    return kc_release_lock_vm(s, vmid);
}

/* N1: whatever a vCPU was, it is READY when it leaves. */
enum fh_status m_set_vcpu_inactive(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    const uint64_t was = number_at(&vminfo_of(s, vmid)->VS.vm_vcpu_state, vcpuid);
    if (was == k->ACTIVE || s->adt->halt || !departs(s, N1))
        return below_set_vcpu_inactive(s, vmid, vcpuid);
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    FH_TRY(kc_set_vcpu_state(s, vmid, vcpuid, (uint32_t)k->READY));
    return kc_release_lock_vm(s, vmid);
}

/* --- Boot images ----------------------------------------------------------------------------- */

/* A14: what is kept counts from REMAP_START, and gets the address itself. */
enum fh_status m_set_next_remap_ptr(struct fh_state *s, uint64_t remap)
{
    if (s->adt->halt || !departs(s, A14))
        return below_set_next_remap_ptr(s, remap);
    return below_set_next_remap_ptr(s, s->profile->REMAP_START + remap);
}

enum fh_status m_set_boot_info(struct fh_state *s, uint32_t vmid, uint64_t load_addr, uint64_t size,
                               uint32_t *result)
{
    FH_TRY(look_beyond(s, vmid));
    return below_set_boot_info(s, vmid, load_addr, size, result);
}

enum fh_status m_remap_vm_image(struct fh_state *s, uint32_t vmid, uint64_t pfn, uint32_t load_idx)
{
    FH_TRY(look_beyond(s, vmid));
    return below_remap_vm_image(s, vmid, pfn, load_idx);
}

enum fh_status m_verify_and_load_images(struct fh_state *s, uint32_t vmid)
{
    FH_TRY(look_beyond(s, vmid));
    return below_verify_and_load_images(s, vmid);
}

/* Is the image whose pages begin at `addr` mapped to its end? */
static bool is_whole(const struct fh_state *s, uint32_t vmid, uint64_t addr)
{
    const struct fh_boot_info *boot = &vminfo_of(s, vmid)->VB;
    for (uint64_t i = 0; i < boot->vm_next_load_info && i < s->profile->MAX_LOAD_INFO_NUM; i++) {
        const uint64_t mapped = number_at(&boot->vm_mapped_pages, i) * s->profile->PAGE_SIZE;
        if (number_at(&boot->vm_remap_addr, i) == addr &&
            mapped < number_at(&boot->vm_load_size, i))
            return false;
    }
    return true;
}

/* A53: an image with a hole is read all the same. A15: the signature is computed and ignored. */
enum fh_status m_verify_image(struct fh_state *s, uint32_t vmid, uint64_t addr, uint32_t *result)
{
    if (!s->adt->halt && !is_whole(s, vmid, addr) && departs(s, A53))
        FH_DIE(s, "the signature is computed over pages that are not mapped", vmid, addr);
    FH_TRY(below_verify_image(s, vmid, addr, result));
    if (*result != 1 && !s->adt->halt && departs(s, A15))
        *result = 1;
    return FH_OK;
}

/* --- Encrypted VMs --------------------------------------------------------------------------- */

enum fh_status m_save_encrypted_vcpu(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const bool is_within = (int32_t)vcpuid < (int32_t)s->profile->VCPU_PER_VM;
    if (!is_within && departs(s, E9))
        FH_DIE(s, "vcpu_id < HYPSEC_MAX_VCPUS", vmid, vcpuid);
    if (vmid > LAST_WITHIN && departs(s, A5))
        FH_DIE(s, "the vCPU's record lies outside of EL2's memory", vmid, vcpuid);
    return below_save_encrypted_vcpu(s, vmid, vcpuid);
}

static enum fh_status load_register(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                    uint64_t reg, uint64_t value)
{
    const uint64_t sp = s->profile->X30 + 1;
    void *record;
    if (vmid == s->profile->HOSTVISOR)
        return set_spare(s, vmid, vcpuid, reg, value);
    FH_TRY(set(s, vmid, vcpuid, reg, value));
    if (reg != sp && reg != s->profile->SP_EL1)
        return FH_OK;
    FH_TRY(own_entry(s, &s->adt->shadow_ctxts, type_of_ref_ctxt,
                     (uint64_t)ctxt_id(s->profile, vmid, (int64_t)vcpuid), &record));
    struct fh_ctxt_regs *regs = &((struct fh_ctxt *)record)->ctxt_regs;
    return set_u64(s, reg == sp ? &regs->sp_el0 : &regs->sp_el1, value);
}

/* The registers that come from a host's buffer, by number: x0 to x30 and those of kvm_regs, then
 * the system registers. */
static enum fh_status load_registers(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                     uint64_t first, uint64_t last)
{
    for (uint64_t reg = first; reg <= last; reg++) {
        about(s, FH_ASKED_LOADED, vcpuid, reg);
        FH_TRY(load_register(s, vmid, vcpuid, reg, data_oracle(s, vmid, 0)));
    }
    return FH_OK;
}

/* E5: register by register, where there is somebody to ask for them. */
enum fh_status m_decrypt_gp_regs(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    if (s->adt->halt || !s->env.ask || !departs(s, E5))
        return below_decrypt_gp_regs(s, vmid, vcpuid);
    return load_registers(s, vmid, vcpuid, s->profile->X0, s->profile->SPSR_FIQ);
}

enum fh_status m_decrypt_sys_regs(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const uint64_t first = s->profile->MPIDR_EL1;
    if (s->adt->halt || !s->env.ask || !departs(s, E5))
        return below_decrypt_sys_regs(s, vmid, vcpuid);
    return load_registers(s, vmid, vcpuid, first, first + s->profile->SHADOW_SYS_REGS_SIZE - 1);
}

/* E5: only a vCPU that has run is refused. */
enum fh_status m_load_encrypted_vcpu(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    FH_TRY(look_beyond(s, vmid));
    if (s->adt->halt || !departs(s, E5))
        return below_load_encrypted_vcpu(s, vmid, vcpuid);
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    if (machine_number(s, MACHINE_FIRST_RUN, vmid, vcpuid) != 0) {
        FH_TRY(FH_PANIC_FOR(s, "a vCPU that has not run", vmid, vcpuid));
        return kc_release_lock_vm(s, vmid);
    }
    if ((int32_t)vcpuid >= (int32_t)s->profile->VCPU_PER_VM && departs(s, E9))
        FH_DIE(s, "vcpu_id < HYPSEC_MAX_VCPUS", vmid, vcpuid);
    FH_TRY(kc_decrypt_gp_regs(s, vmid, vcpuid));
    FH_TRY(kc_decrypt_sys_regs(s, vmid, vcpuid));
    if (vminfo_of(s, vmid)->VB.vm_inc_exe == 0)
        FH_TRY(set_inc_exe(s, vmid, 1));
    return kc_release_lock_vm(s, vmid);
}

/* L5: the second owner is read only if the first is the VM's. L6: the addresses are bytes. */
enum fh_status m_save_encrypt_buf(struct fh_state *s, uint32_t vmid, uint64_t inbuf,
                                  uint64_t outbuf)
{
    if (!departs(s, L5))
        return below_save_encrypt_buf(s, vmid, inbuf, outbuf);
    const struct fh_profile *k = s->profile;
    uint32_t from, to = (uint32_t)k->INVALID;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, inbuf / k->PAGE_SIZE, &from));
    if (from == vmid)
        FH_TRY(kc_get_pfn_owner(s, outbuf / k->PAGE_SIZE, &to));
    if (from == vmid && to == k->HOSTVISOR) {
        const uint64_t unit = departs(s, L6) ? k->PAGE_SIZE : 1;
        FH_TRY(kc_encrypt_mem_buf(s, vmid, inbuf / unit, outbuf / unit));
    } else {
        FH_TRY(FH_PANIC(s, from == vmid && to == k->HOSTVISOR, vmid, from, to));
    }
    return kc_release_lock_s2page(s);
}

/* L7: any page is taken, and its count stays. The third argument is a length. */
enum fh_status m_load_decrypt_buf(struct fh_state *s, uint32_t vmid, uint64_t inbuf)
{
    FH_TRY(look_beyond(s, vmid));
    if (!departs(s, L7))
        return below_load_decrypt_buf(s, vmid, inbuf);
    const struct fh_profile *k = s->profile;
    const uint64_t pfn = inbuf / k->PAGE_SIZE;
    uint32_t state, owner;
    uint64_t len;
    FH_TRY(get(s, cur_vmid(s), cur_vcpuid(s), k->X3, &len));
    observe_call(s, FH_CALLED_load_decrypt_buf, vmid, inbuf, (uint32_t)len, 0, 0);
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    FH_TRY(kc_get_vm_state(s, vmid, &state));
    if (state == k->READY) {
        FH_TRY(kc_acquire_lock_s2page(s));
        FH_TRY(kc_get_pfn_owner(s, pfn, &owner)); /* a recorder reads it, the kernel does not */
        FH_TRY(kc_set_pfn_owner(s, pfn, vmid));
        FH_TRY(kc_set_pfn_map(s, pfn, k->INVALID64));
        FH_TRY(kc_clear_pfn_host(s, pfn));
        FH_TRY(kc_decrypt_mem_buf(s, vmid, departs(s, L6) ? pfn : inbuf));
        FH_TRY(kc_release_lock_s2page(s));
    } else {
        FH_TRY(FH_PANIC(s, state == k->READY, vmid, state));
    }
    return kc_release_lock_vm(s, vmid);
}
