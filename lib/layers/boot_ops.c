/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "BootOps"
#include "layers/boot_ops.h"

#include "layers/abstract_machine.h"
#include "layers/boot_aux.h"
#include "layers/boot_core.h"
#include "layers/lock_log.h"
#include "layers/locks.h"
#include "layers/mem_manager.h"
#include "layers/mmio_spt_ops.h"
#include "layers/npt_ops.h"
#include "layers/page_manager.h"

/*
 * BootOps/Spec.v: what may be done to a VM in which state: before it is verified, while it runs.
 *
 * Context: each function takes and gives back the VM's lock (INFO_ID + vmid), save_encrypt_buf that
 * of page ownership instead. When KCore panics inside, the locks stay taken. All are the identity,
 * with result 0, in a halted state.
 */

static const struct fh_state_info *state_of(const struct fh_state *s, uint32_t vmid)
{
    return &vminfo_of(s, vmid)->VS;
}

static const struct fh_boot_info *boot_of(const struct fh_state *s, uint32_t vmid)
{
    return &vminfo_of(s, vmid)->VB;
}

/* The spec's bound on a count or state: the information holds 64 bits, KCore reads 32. */
#define RELY_INT(s, value) FH_RELY(s, is_int(value), value)

/* A lock that the spec demands to be free even where the function does not come to take it. */
#define RELY_AVAILABLE(s, id) FH_RELY(s, lock_is_available(s, id), id)

/* --- Boot images ----------------------------------------------------------------------------- */

static enum fh_status load_address(struct fh_state *s, uint32_t vmid, uint32_t load_idx,
                                   uint64_t addr, uint64_t *found)
{
    const struct fh_profile *k = s->profile;
    uint64_t base, size, remap;
    FH_TRY(kc_get_vm_load_addr(s, vmid, load_idx, &base));
    FH_TRY(kc_get_vm_load_size(s, vmid, load_idx, &size));
    FH_TRY(kc_get_vm_remap_addr(s, vmid, load_idx, &remap));
    FH_RELY(s, is_addr(k, base), base, load_idx);
    FH_RELY(s, is_addr(k, size), size, load_idx);
    FH_RELY(s, is_addr(k, remap), remap, load_idx);
    FH_RELY(s, remap + size <= k->KVM_ADDR_SPACE, remap, size, load_idx);
    if (addr >= base && addr < base + size)
        *found = addr - base + remap;
    return FH_OK;
}

/*
 * Where KCore has mapped what the boot images of `vmid` put at `addr`: a byte address, 0 for none,
 * the last image where they overlap.
 * Stuck: vmid out of range, lock not free, more images than there can be, an image beyond 48 bits.
 * BootOps/Spec.v: search_load_info_spec
 */
enum fh_status spec_search_load_info(struct fh_state *s, uint32_t vmid, uint64_t addr,
                                     uint64_t *result)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    uint32_t num;
    uint64_t found = 0;
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    const uint64_t next_load_info = boot_of(s, vmid)->vm_next_load_info;
    FH_RELY(s, next_load_info <= k->MAX_LOAD_INFO_NUM, next_load_info);
    FH_TRY(kc_get_vm_next_load_idx(s, vmid, &num));
    for (uint32_t load_idx = 0; load_idx < num; load_idx++)
        FH_TRY(load_address(s, vmid, load_idx, addr, &found));
    observe_return(s, FH_CALLED_search_load_info, vmid, addr, found);
    FH_TRY(kc_release_lock_vm(s, vmid));
    return kc_check64(s, found, result);
}

/*
 * Announce a boot image of `size` bytes for `vmid` at its `load_addr`, and find room where KCore
 * can map it. The result is the image's index, MAX_LOAD_INFO_NUM if there are that many already,
 * which is no error. Halts unless the VM is READY, and as alloc_remap_addr does: the image is
 * counted nevertheless.
 * Stuck: vmid, load_addr or size out of range, one of the two locks (VM, core) not free, and where
 * alloc_remap_addr is. BootOps/Spec.v: set_boot_info_spec
 */
enum fh_status spec_set_boot_info(struct fh_state *s, uint32_t vmid, uint64_t load_addr,
                                  uint64_t size, uint32_t *result)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_addr(k, load_addr), load_addr);
    FH_RELY(s, is_addr(k, size), size);
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    RELY_AVAILABLE(s, k->CORE_ID);
    uint32_t state, load_idx = 0;
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    RELY_INT(s, state_of(s, vmid)->vm_state);
    FH_TRY(kc_get_vm_state(s, vmid, &state));
    if (state == k->READY) {
        RELY_INT(s, boot_of(s, vmid)->vm_next_load_info);
        FH_TRY(kc_get_vm_next_load_idx(s, vmid, &load_idx));
        if (load_idx < k->MAX_LOAD_INFO_NUM) {
            uint64_t remap;
            FH_TRY(kc_set_vm_next_load_idx(s, vmid, load_idx + 1));
            FH_TRY(kc_alloc_remap_addr(s, (size + k->PAGE_SIZE - 1) / k->PAGE_SIZE, &remap));
            FH_TRY(kc_set_vm_load_addr(s, vmid, load_idx, load_addr));
            FH_TRY(kc_set_vm_load_size(s, vmid, load_idx, size));
            FH_TRY(kc_set_vm_remap_addr(s, vmid, load_idx, remap));
            FH_TRY(kc_set_vm_mapped_pages(s, vmid, load_idx, 0));
        }
    } else {
        FH_TRY(FH_PANIC(s, state == k->READY, vmid, state));
    }
    FH_TRY(kc_release_lock_vm(s, vmid));
    return kc_check(s, load_idx, result);
}

/* Map page `pfn` as the next one of image `load_idx`, unless the image is complete. */
static enum fh_status remap_page(struct fh_state *s, uint32_t vmid, uint64_t pfn, uint32_t load_idx)
{
    const struct fh_profile *k = s->profile;
    uint64_t size, mapped, remap;
    FH_TRY(kc_get_vm_load_size(s, vmid, load_idx, &size));
    FH_TRY(kc_get_vm_mapped_pages(s, vmid, load_idx, &mapped));
    FH_TRY(kc_get_vm_remap_addr(s, vmid, load_idx, &remap));
    FH_RELY(s, is_addr(k, size), size);
    FH_RELY(s, is_addr(k, mapped), mapped);
    FH_RELY(s, is_addr(k, remap), remap);
    const uint64_t target = remap + mapped * k->PAGE_SIZE;
    FH_RELY(s, is_addr(k, target), remap, mapped);
    if (mapped >= (size + k->PAGE_SIZE - 1) / k->PAGE_SIZE)
        return FH_OK;
    FH_TRY(kc_map_s2pt(s, (uint32_t)k->COREVISOR, target, 3, pfn * k->PAGE_SIZE | k->PAGE_HYP));
    return kc_set_vm_mapped_pages(s, vmid, load_idx, mapped + 1);
}

/*
 * Map page `pfn` for KCore as the next one of image `load_idx` of `vmid`; nothing happens if there
 * is no such image or it is complete. Halts unless the VM is READY, and as map_s2pt does.
 * Stuck: an argument out of range, one of the two locks (VM, KCore's table) not free, an image
 * beyond 48 bits. BootOps/Spec.v: remap_vm_image_spec
 */
enum fh_status spec_remap_vm_image(struct fh_state *s, uint32_t vmid, uint64_t pfn,
                                   uint32_t load_idx)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_load_idx(k, load_idx), load_idx);
    FH_RELY(s, is_pfn(k, pfn), pfn);
    if (s->adt->halt)
        return FH_OK;
    RELY_AVAILABLE(s, k->NPT_ID + k->COREVISOR);
    uint32_t state, num;
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    RELY_INT(s, state_of(s, vmid)->vm_state);
    FH_TRY(kc_get_vm_state(s, vmid, &state));
    if (state == k->READY) {
        RELY_INT(s, boot_of(s, vmid)->vm_next_load_info);
        FH_TRY(kc_get_vm_next_load_idx(s, vmid, &num));
        if (load_idx < num)
            FH_TRY(remap_page(s, vmid, pfn, load_idx));
    } else {
        FH_TRY(FH_PANIC(s, state == k->READY, vmid, state));
    }
    return kc_release_lock_vm(s, vmid);
}

/* Give the VM its image `load_idx`, then look whether it is the one that was signed. */
static enum fh_status verify_and_load(struct fh_state *s, uint32_t vmid, uint32_t load_idx)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_load_idx(k, load_idx), load_idx);
    uint64_t load_addr, remap_addr, mapped;
    FH_TRY(kc_get_vm_load_addr(s, vmid, load_idx, &load_addr));
    FH_TRY(kc_get_vm_remap_addr(s, vmid, load_idx, &remap_addr));
    FH_TRY(kc_get_vm_mapped_pages(s, vmid, load_idx, &mapped));
    FH_RELY(s, is_addr(k, load_addr), load_addr, load_idx);
    FH_RELY(s, is_addr(k, remap_addr), remap_addr, load_idx);
    FH_RELY(s, is_addr(k, mapped), mapped, load_idx);
    FH_TRY(kc_unmap_and_load_vm_image(s, vmid, load_addr, remap_addr, mapped));
    uint32_t valid;
    FH_TRY(kc_verify_image(s, vmid, remap_addr, &valid));
    return valid == 0 && !s->adt->halt ? FH_PANIC(s, valid != 0, vmid, load_idx) : FH_OK;
}

/*
 * Give `vmid` its boot images, and make it VERIFIED if all have their signatures. Halts unless it
 * is READY, at an image that fails, and as unmap_and_load_vm_image does.
 * Stuck: vmid out of range, lock not free, more images than there can be, an image out of range,
 * and where unmap_and_load_vm_image is: images of a VM only. BootOps/Spec.v:
 * verify_and_load_images_spec
 */
enum fh_status spec_verify_and_load_images(struct fh_state *s, uint32_t vmid)
{
    const struct fh_profile *k = s->profile;
    if (s->adt->halt)
        return FH_OK;
    uint32_t state, num;
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    RELY_INT(s, state_of(s, vmid)->vm_state);
    FH_TRY(kc_get_vm_state(s, vmid, &state));
    if (state == k->READY) {
        RELY_INT(s, boot_of(s, vmid)->vm_next_load_info);
        FH_TRY(kc_get_vm_next_load_idx(s, vmid, &num));
        for (uint32_t load_idx = 0; load_idx < num; load_idx++)
            FH_TRY(verify_and_load(s, vmid, load_idx));
        FH_TRY(kc_set_vm_state(s, vmid, (uint32_t)k->VERIFIED));
    } else {
        FH_TRY(FH_PANIC(s, state == k->READY, vmid, state));
    }
    return kc_release_lock_vm(s, vmid);
}

/* --- VMs and vCPUs --------------------------------------------------------------------------- */

/*
 * A new VM: the result is its number. It becomes READY. Halts if the number was in use, and as
 * gen_vmid does. Stuck: one of the two locks (core, VM) not free, and where gen_vmid is.
 * BootOps/Spec.v: register_kvm_spec
 */
enum fh_status spec_register_kvm(struct fh_state *s, uint32_t *result)
{
    const struct fh_profile *k = s->profile;
    uint32_t vmid, state;
    FH_TRY(kc_gen_vmid(s, &vmid));
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    RELY_INT(s, state_of(s, vmid)->vm_state);
    FH_TRY(kc_get_vm_state(s, vmid, &state));
    if (state == k->UNUSED) {
        uint64_t kvm;
        FH_TRY(kc_get_shared_kvm(s, vmid, &kvm));
        FH_TRY(kc_set_vm_kvm(s, vmid, kvm));
        FH_TRY(kc_set_vm_state(s, vmid, (uint32_t)k->READY));
    } else {
        FH_TRY(FH_PANIC(s, state == k->UNUSED, vmid, state));
    }
    FH_TRY(kc_release_lock_vm(s, vmid));
    return kc_check(s, vmid, result);
}

/* Make the vCPU READY, with all registers to be taken from KCore's copy (dirty). */
static enum fh_status prepare_vcpu(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    uint64_t vcpu;
    FH_TRY(kc_get_shared_vcpu(s, vmid, vcpuid, &vcpu));
    FH_TRY(kc_set_vm_vcpu(s, vmid, vcpuid, vcpu));
    FH_TRY(kc_set_vcpu_state(s, vmid, vcpuid, (uint32_t)k->READY));
    return kc_set_shadow_ctxt(s, vmid, vcpuid, (uint32_t)k->DIRTY, k->INVALID64);
}

/*
 * A new vCPU of `vmid`. Halts unless the VM is READY and the vCPU unused.
 * Stuck: vmid or vcpuid out of range, lock not free. BootOps/Spec.v: register_vcpu_spec
 */
enum fh_status spec_register_vcpu(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_vcpu(k, vcpuid), vcpuid);
    if (s->adt->halt)
        return FH_OK;
    uint32_t state, vcpu_state;
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    RELY_INT(s, state_of(s, vmid)->vm_state);
    RELY_INT(s, number_at(&state_of(s, vmid)->vm_vcpu_state, vcpuid));
    FH_TRY(kc_get_vm_state(s, vmid, &state));
    FH_TRY(kc_get_vcpu_state(s, vmid, vcpuid, &vcpu_state));
    if (state == k->READY && vcpu_state == k->UNUSED)
        FH_TRY(prepare_vcpu(s, vmid, vcpuid));
    else
        FH_TRY(FH_PANIC(s, state == k->READY && vcpu_state == k->UNUSED, state, vcpu_state));
    return kc_release_lock_vm(s, vmid);
}

/*
 * The vCPU begins to run. Halts unless the VM is VERIFIED and the vCPU READY.
 * Stuck: vmid or vcpuid out of range, lock not free. BootOps/Spec.v: set_vcpu_active_spec
 */
enum fh_status spec_set_vcpu_active(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_vcpu(k, vcpuid), vcpuid);
    if (s->adt->halt)
        return FH_OK;
    uint32_t state, vcpu_state;
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    RELY_INT(s, state_of(s, vmid)->vm_state);
    RELY_INT(s, number_at(&state_of(s, vmid)->vm_vcpu_state, vcpuid));
    FH_TRY(kc_get_vm_state(s, vmid, &state));
    FH_TRY(kc_get_vcpu_state(s, vmid, vcpuid, &vcpu_state));
    if (state == k->VERIFIED && vcpu_state == k->READY)
        FH_TRY(kc_set_vcpu_state(s, vmid, vcpuid, (uint32_t)k->ACTIVE));
    else
        FH_TRY(FH_PANIC(s, state == k->VERIFIED && vcpu_state == k->READY, state, vcpu_state));
    return kc_release_lock_vm(s, vmid);
}

/*
 * The vCPU stops running. Halts unless it is ACTIVE.
 * Stuck: vmid or vcpuid out of range, lock not free. BootOps/Spec.v: set_vcpu_inactive_spec
 */
enum fh_status spec_set_vcpu_inactive(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_vcpu(k, vcpuid), vcpuid);
    if (s->adt->halt)
        return FH_OK;
    uint32_t vcpu_state;
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    RELY_INT(s, number_at(&state_of(s, vmid)->vm_vcpu_state, vcpuid));
    FH_TRY(kc_get_vcpu_state(s, vmid, vcpuid, &vcpu_state));
    if (vcpu_state == k->ACTIVE)
        FH_TRY(kc_set_vcpu_state(s, vmid, vcpuid, (uint32_t)k->READY));
    else
        FH_TRY(FH_PANIC(s, vcpu_state == k->ACTIVE, vmid, vcpuid, vcpu_state));
    return kc_release_lock_vm(s, vmid);
}

/*
 * Does the VM go on from an encrypted image of its vCPUs? 0 or 1; in fact never 1, since nothing
 * sets it. Stuck: vmid out of range, unless halted; lock not free. BootOps/Spec.v: is_inc_exe_spec
 */
enum fh_status spec_is_inc_exe(struct fh_state *s, uint32_t vmid, uint32_t *result)
{
    *result = 0;
    if (s->adt->halt)
        return FH_OK;
    uint32_t inc_exe;
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    RELY_INT(s, boot_of(s, vmid)->vm_inc_exe);
    FH_TRY(kc_get_vm_inc_exe(s, vmid, &inc_exe));
    FH_TRY(kc_release_lock_vm(s, vmid));
    return kc_check(s, inc_exe, result);
}

/* --- SMMU tables and devices ----------------------------------------------------------------- */

/*
 * The SMMU tables of a VM change only until it is verified: halt, or not. For host and KCore there
 * is no such limit.
 */
static enum fh_status panic_if_verified(struct fh_state *s, uint32_t vmid)
{
    if (!is_vm(s->profile, vmid))
        return FH_OK;
    uint32_t state;
    FH_TRY(kc_get_vm_state(s, vmid, &state));
    FH_DEMAND(s, state != s->profile->VERIFIED, vmid);
    return FH_OK;
}

/*
 * Empty the table of bank `cbndx` of SMMU `index` for its owner `vmid`. Halts if that is a VM which
 * is VERIFIED. Stuck: an argument out of range, one of the two locks (VM, SMMU tables) not free.
 * BootOps/Spec.v: alloc_smmu_spec
 */
enum fh_status spec_alloc_smmu(struct fh_state *s, uint32_t vmid, uint32_t cbndx, uint32_t index)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_smmu(k, index), index);
    FH_RELY(s, is_smmu_cfg(k, cbndx), cbndx);
    if (s->adt->halt)
        return FH_OK;
    RELY_AVAILABLE(s, k->SPT_ID);
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    RELY_INT(s, state_of(s, vmid)->vm_state);
    FH_TRY(panic_if_verified(s, vmid));
    FH_TRY(kc_init_spt(s, cbndx, index));
    return kc_release_lock_vm(s, vmid);
}

/*
 * Page `pfn` is to be VM `vmid`'s, for its device to reach at page `gfn`; nothing happens for host
 * and KCore. Halts unless the VM is VERIFIED, as the spec has it (the body halts if it is), and as
 * assign_pfn_to_smmu does.
 * Stuck: an argument out of range, one of the locks (VM, page ownership, the host's table) not
 * free. BootOps/Spec.v: assign_smmu_spec
 */
enum fh_status spec_assign_smmu(struct fh_state *s, uint32_t vmid, uint64_t pfn, uint64_t gfn)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_gfn(k, gfn), gfn);
    FH_RELY(s, is_pfn(k, pfn), pfn);
    if (s->adt->halt)
        return FH_OK;
    RELY_AVAILABLE(s, k->S2PAGE_ID);
    RELY_AVAILABLE(s, k->NPT_ID + k->HOSTVISOR);
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    RELY_INT(s, state_of(s, vmid)->vm_state);
    if (is_vm(k, vmid)) {
        uint32_t state;
        FH_TRY(kc_get_vm_state(s, vmid, &state));
        if (state == k->VERIFIED)
            FH_TRY(kc_assign_pfn_to_smmu(s, vmid, gfn, pfn));
        else
            FH_TRY(FH_PANIC(s, state == k->VERIFIED, vmid, state));
    }
    return kc_release_lock_vm(s, vmid);
}

/*
 * Map `iova` (a byte address, 40 bits) in bank `cbndx` of SMMU `index` with the descriptor `pte`
 * for the bank's owner `vmid`. Halts if that is a VM which is VERIFIED, and as update_smmu_page
 * does. Stuck: an argument out of range, one of the locks (VM, page ownership, SMMU tables) not
 * free. BootOps/Spec.v: map_smmu_spec
 */
enum fh_status spec_map_smmu(struct fh_state *s, uint32_t vmid, uint32_t cbndx, uint32_t index,
                             uint64_t iova, uint64_t pte)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_smmu(k, index), index);
    FH_RELY(s, is_smmu_cfg(k, cbndx), cbndx);
    FH_RELY(s, is_smmu_addr(iova), iova);
    if (s->adt->halt)
        return FH_OK;
    RELY_AVAILABLE(s, k->S2PAGE_ID);
    RELY_AVAILABLE(s, k->SPT_ID);
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    RELY_INT(s, state_of(s, vmid)->vm_state);
    FH_TRY(panic_if_verified(s, vmid));
    FH_TRY(kc_update_smmu_page(s, vmid, cbndx, index, iova, pte));
    return kc_release_lock_vm(s, vmid);
}

/*
 * Unmap `iova` (a byte address, 40 bits) in bank `cbndx` of SMMU `index` for the bank's owner
 * `vmid`. Halts if that is a VM which is VERIFIED, and as unmap_smmu_page does.
 * Stuck: as map_smmu. BootOps/Spec.v: clear_smmu_spec
 */
enum fh_status spec_clear_smmu(struct fh_state *s, uint32_t vmid, uint32_t cbndx, uint32_t index,
                               uint64_t iova)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_smmu(k, index), index);
    FH_RELY(s, is_smmu_cfg(k, cbndx), cbndx);
    FH_RELY(s, is_smmu_addr(iova), iova);
    if (s->adt->halt)
        return FH_OK;
    RELY_AVAILABLE(s, k->S2PAGE_ID);
    RELY_AVAILABLE(s, k->SPT_ID);
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    RELY_INT(s, state_of(s, vmid)->vm_state);
    FH_TRY(panic_if_verified(s, vmid));
    FH_TRY(kc_unmap_smmu_page(s, cbndx, index, iova));
    return kc_release_lock_vm(s, vmid);
}

/*
 * Map the device page at `pa` for `vmid` at `gpa` (byte addresses). Halts unless the VM is READY,
 * and as map_vm_io does.
 * Stuck: an argument out of range, one of the locks (VM, page ownership, the VM's table) not free.
 * BootOps/Spec.v: map_io_spec
 */
enum fh_status spec_map_io(struct fh_state *s, uint32_t vmid, uint64_t gpa, uint64_t pa)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_addr(k, gpa), gpa);
    FH_RELY(s, is_addr(k, pa), pa);
    if (s->adt->halt)
        return FH_OK;
    RELY_AVAILABLE(s, k->S2PAGE_ID);
    RELY_AVAILABLE(s, k->NPT_ID + vmid);
    uint32_t state;
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    RELY_INT(s, state_of(s, vmid)->vm_state);
    FH_TRY(kc_get_vm_state(s, vmid, &state));
    if (state == k->READY)
        FH_TRY(kc_map_vm_io(s, vmid, gpa, pa));
    else
        FH_TRY(FH_PANIC(s, state == k->READY, vmid, state));
    return kc_release_lock_vm(s, vmid);
}

/* --- Encrypted VMs --------------------------------------------------------------------------- */

/*
 * Encrypt a vCPU's registers for the host. Stuck: vmid or vcpuid out of range, unless halted.
 * BootOps/Spec.v: save_encrypted_vcpu_spec
 */
enum fh_status spec_save_encrypted_vcpu(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    FH_TRY(kc_encrypt_gp_regs(s, vmid, vcpuid));
    return kc_encrypt_sys_regs(s, vmid, vcpuid);
}

/*
 * Decrypt a vCPU's registers from the host, so that the VM goes on from them. Halts unless the VM
 * and the vCPU are READY.
 * Stuck: vmid or vcpuid out of range, unless halted; lock not free.
 * BootOps/Spec.v: load_encrypted_vcpu_spec
 */
enum fh_status spec_load_encrypted_vcpu(struct fh_state *s, uint32_t vmid, uint32_t vcpuid)
{
    const struct fh_profile *k = s->profile;
    if (s->adt->halt)
        return FH_OK;
    uint32_t state, vcpu_state;
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    FH_RELY(s, is_vcpu(k, vcpuid), vcpuid);
    RELY_INT(s, state_of(s, vmid)->vm_state);
    RELY_INT(s, number_at(&state_of(s, vmid)->vm_vcpu_state, vcpuid));
    FH_TRY(kc_get_vm_state(s, vmid, &state));
    FH_TRY(kc_get_vcpu_state(s, vmid, vcpuid, &vcpu_state));
    if (state == k->READY && vcpu_state == k->READY) {
        FH_TRY(kc_decrypt_gp_regs(s, vmid, vcpuid));
        FH_TRY(kc_decrypt_sys_regs(s, vmid, vcpuid));
        FH_TRY(kc_set_vm_inc_exe(s, vmid, 1));
    } else {
        FH_TRY(FH_PANIC(s, state == k->READY && vcpu_state == k->READY, state, vcpu_state));
    }
    return kc_release_lock_vm(s, vmid);
}

/*
 * Encrypt a page of `vmid` at `inbuf` into a page of the host at `outbuf` (byte addresses, which
 * encrypt_mem_buf takes for page frame numbers). Halts if the pages are not theirs.
 * Stuck: lock not free, and where get_pfn_owner (in a halted state too) and encrypt_mem_buf are.
 * BootOps/Spec.v: save_encrypt_buf_spec
 */
enum fh_status spec_save_encrypt_buf(struct fh_state *s, uint32_t vmid, uint64_t inbuf,
                                     uint64_t outbuf)
{
    const struct fh_profile *k = s->profile;
    uint32_t inowner, outowner;
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, inbuf / k->PAGE_SIZE, &inowner));
    FH_TRY(kc_get_pfn_owner(s, outbuf / k->PAGE_SIZE, &outowner));
    if (inowner == vmid && outowner == k->HOSTVISOR)
        FH_TRY(kc_encrypt_mem_buf(s, vmid, inbuf, outbuf));
    else
        FH_TRY(FH_PANIC(s, inowner == vmid && outowner == k->HOSTVISOR, vmid, inowner, outowner));
    return kc_release_lock_s2page(s);
}

/* Take page `pfn` from the host for `vmid`, and decrypt what is at `inbuf`. */
static enum fh_status take_and_decrypt(struct fh_state *s, uint32_t vmid, uint64_t pfn,
                                       uint64_t inbuf)
{
    FH_TRY(kc_set_pfn_owner(s, pfn, vmid));
    FH_TRY(kc_set_pfn_count(s, pfn, 0));
    FH_TRY(kc_set_pfn_map(s, pfn, s->profile->INVALID64));
    FH_TRY(kc_clear_pfn_host(s, pfn));
    return kc_decrypt_mem_buf(s, vmid, inbuf);
}

/*
 * Take the host's page at `inbuf` (a byte address, which decrypt_mem_buf takes for a page frame
 * number) for `vmid` and decrypt it in place. Halts unless the VM is READY and the page the host's,
 * and as clear_pfn_host does.
 * Stuck: vmid out of range, unless halted; one of the locks that are taken not free (VM, page
 * ownership, the host's table), and where get_pfn_owner and decrypt_mem_buf are.
 * BootOps/Spec.v: load_decrypt_buf_spec
 */
enum fh_status spec_load_decrypt_buf(struct fh_state *s, uint32_t vmid, uint64_t inbuf)
{
    observe_call(s, FH_CALLED_load_decrypt_buf, vmid, inbuf, 0, 0, 0);
    const struct fh_profile *k = s->profile;
    const uint64_t pfn = inbuf / k->PAGE_SIZE;
    if (s->adt->halt)
        return FH_OK;
    uint32_t state, owner;
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    RELY_INT(s, state_of(s, vmid)->vm_state);
    FH_TRY(kc_get_vm_state(s, vmid, &state));
    if (state == k->READY) {
        FH_TRY(kc_acquire_lock_s2page(s));
        FH_TRY(kc_get_pfn_owner(s, pfn, &owner));
        if (owner == k->HOSTVISOR)
            FH_TRY(take_and_decrypt(s, vmid, pfn, inbuf));
        else
            FH_TRY(FH_PANIC(s, owner == k->HOSTVISOR, pfn, owner));
        FH_TRY(kc_release_lock_s2page(s));
    } else {
        FH_TRY(FH_PANIC(s, state == k->READY, vmid, state));
    }
    return kc_release_lock_vm(s, vmid);
}
