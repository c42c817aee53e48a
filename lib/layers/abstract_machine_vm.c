/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "AbstractMachine"
#include "layers/abstract_machine_checks.h"

/*
 * AbstractMachine/Spec.v: what KCore knows of its VMs (VMInfo), and the two counters of the core.
 *
 * Context: the caller holds the lock of the VM (INFO_ID + vmid), or CORE_ID for the counters. All
 * functions are the identity in a halted state, with result 0, and stuck where vmid, vcpuid or
 * load_idx are out of range or the lock is not held.
 */
#define RELY_VM(s, vmid)                                                                           \
    do {                                                                                           \
        RELY_VMID(s, vmid);                                                                        \
        RELY_HELD(s, (s)->profile->INFO_ID + (vmid));                                              \
    } while (0)

#define RELY_VM_VCPU(s, vmid, vcpuid)                                                              \
    do {                                                                                           \
        RELY_VM(s, vmid);                                                                          \
        FH_RELY(s, is_vcpu((s)->profile, vcpuid), vcpuid);                                         \
    } while (0)

#define RELY_VM_IMAGE(s, vmid, load_idx)                                                           \
    do {                                                                                           \
        RELY_VM(s, vmid);                                                                          \
        FH_RELY(s, is_load_idx((s)->profile, load_idx), load_idx);                                 \
    } while (0)

/* The information on `vmid`, to be written through the setters. */
static enum fh_status own_vminfo(struct fh_state *s, uint64_t vmid, struct fh_vminfo **info)
{
    void *record = NULL;
    FH_TRY(own_entry(s, &s->adt->shared.vminfos, type_of_ref_vminfo, vmid, &record));
    *info = record;
    return FH_OK;
}

/* --- The core's counters --------------------------------------------------------------------- */

/* The number that the next VM will get. AbstractMachine/Spec.v: get_next_vmid_spec */
enum fh_status spec_get_next_vmid(struct fh_state *s, uint32_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_HELD(s, s->profile->CORE_ID);
    RETURN_U32(s, s->adt->shared.core_data.next_vmid, result);
}

/* The number that the next VM will get. AbstractMachine/Spec.v: set_next_vmid_spec */
enum fh_status spec_set_next_vmid(struct fh_state *s, uint32_t vmid)
{
    SKIP_IF_HALTED(s);
    RELY_HELD(s, s->profile->CORE_ID);
    observe(s, FH_EFFECT_CORE_SET, 0, vmid, 0, 0);
    return set_u64(s, &s->adt->shared.core_data.next_vmid, vmid);
}

/*
 * Where the next boot image will be mapped for KCore: a byte address. AbstractMachine/Spec.v:
 * get_next_remap_ptr_spec
 */
enum fh_status spec_get_next_remap_ptr(struct fh_state *s, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_HELD(s, s->profile->CORE_ID);
    *result = s->adt->shared.core_data.next_remap_ptr;
    return FH_OK;
}

/*
 * Where the next boot image will be mapped for KCore: a byte address. AbstractMachine/Spec.v:
 * set_next_remap_ptr_spec
 */
enum fh_status spec_set_next_remap_ptr(struct fh_state *s, uint64_t remap)
{
    SKIP_IF_HALTED(s);
    RELY_HELD(s, s->profile->CORE_ID);
    observe(s, FH_EFFECT_CORE_SET, 1, remap, 0, 0);
    return set_u64(s, &s->adt->shared.core_data.next_remap_ptr, remap);
}

/* --- The VM and its vCPUs -------------------------------------------------------------------- */

/* How far the VM has come: UNUSED, READY, VERIFIED ... AbstractMachine/Spec.v: get_vm_state_spec */
enum fh_status spec_get_vm_state(struct fh_state *s, uint32_t vmid, uint32_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VM(s, vmid);
    RETURN_U32(s, vminfo_of(s, vmid)->VS.vm_state, result);
}

/* How far the VM has come: UNUSED, READY, VERIFIED ... AbstractMachine/Spec.v: set_vm_state_spec */
enum fh_status spec_set_vm_state(struct fh_state *s, uint32_t vmid, uint32_t state)
{
    SKIP_IF_HALTED(s);
    RELY_VM(s, vmid);
    struct fh_vminfo *info;
    FH_TRY(own_vminfo(s, vmid, &info));
    observe(s, FH_EFFECT_VM_SET, vmid, FH_VM_STATE, 0, state);
    return set_u64(s, &info->VS.vm_state, state);
}

/* The state of a vCPU: UNUSED, READY, ACTIVE. AbstractMachine/Spec.v: get_vcpu_state_spec */
enum fh_status spec_get_vcpu_state(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                   uint32_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VM_VCPU(s, vmid, vcpuid);
    RETURN_U32(s, number_at(&vminfo_of(s, vmid)->VS.vm_vcpu_state, vcpuid), result);
}

/* The state of a vCPU: UNUSED, READY, ACTIVE. AbstractMachine/Spec.v: set_vcpu_state_spec */
enum fh_status spec_set_vcpu_state(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                   uint32_t state)
{
    SKIP_IF_HALTED(s);
    RELY_VM_VCPU(s, vmid, vcpuid);
    struct fh_vminfo *info;
    FH_TRY(own_vminfo(s, vmid, &info));
    observe(s, FH_EFFECT_VM_SET, vmid, FH_VM_VCPU_STATE, vcpuid, state);
    return set_entry_u64(s, &info->VS.vm_vcpu_state, vcpuid, state);
}

/* Where the host's struct kvm of the VM is: an address. AbstractMachine/Spec.v: get_vm_kvm_spec */
enum fh_status spec_get_vm_kvm(struct fh_state *s, uint32_t vmid, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VM(s, vmid);
    *result = vminfo_of(s, vmid)->VS.vm_kvm;
    return FH_OK;
}

/* Where the host's struct kvm of the VM is: an address. AbstractMachine/Spec.v: set_vm_kvm_spec */
enum fh_status spec_set_vm_kvm(struct fh_state *s, uint32_t vmid, uint64_t kvm)
{
    SKIP_IF_HALTED(s);
    RELY_VM(s, vmid);
    struct fh_vminfo *info;
    FH_TRY(own_vminfo(s, vmid, &info));
    observe(s, FH_EFFECT_VM_SET, vmid, FH_VM_KVM, 0, kvm);
    return set_u64(s, &info->VS.vm_kvm, kvm);
}

/*
 * Where the host's struct kvm_vcpu of a vCPU is: an address. AbstractMachine/Spec.v:
 * get_vm_vcpu_spec
 */
enum fh_status spec_get_vm_vcpu(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VM_VCPU(s, vmid, vcpuid);
    *result = number_at(&vminfo_of(s, vmid)->VS.vm_vcpu, vcpuid);
    return FH_OK;
}

/*
 * Where the host's struct kvm_vcpu of a vCPU is: an address. AbstractMachine/Spec.v:
 * set_vm_vcpu_spec
 */
enum fh_status spec_set_vm_vcpu(struct fh_state *s, uint32_t vmid, uint32_t vcpuid, uint64_t vcpu)
{
    SKIP_IF_HALTED(s);
    RELY_VM_VCPU(s, vmid, vcpuid);
    struct fh_vminfo *info;
    FH_TRY(own_vminfo(s, vmid, &info));
    observe(s, FH_EFFECT_VM_SET, vmid, FH_VM_VCPU, vcpuid, vcpu);
    return set_entry_u64(s, &info->VS.vm_vcpu, vcpuid, vcpu);
}

/* --- Boot images ----------------------------------------------------------------------------- */

/*
 * How many boot images the VM has: the index of the next one. AbstractMachine/Spec.v:
 * get_vm_next_load_idx_spec
 */
enum fh_status spec_get_vm_next_load_idx(struct fh_state *s, uint32_t vmid, uint32_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VM(s, vmid);
    RETURN_U32(s, vminfo_of(s, vmid)->VB.vm_next_load_info, result);
}

/*
 * How many boot images the VM has: the index of the next one. AbstractMachine/Spec.v:
 * set_vm_next_load_idx_spec
 */
enum fh_status spec_set_vm_next_load_idx(struct fh_state *s, uint32_t vmid, uint32_t load_idx)
{
    SKIP_IF_HALTED(s);
    RELY_VM(s, vmid);
    struct fh_vminfo *info;
    FH_TRY(own_vminfo(s, vmid, &info));
    observe(s, FH_EFFECT_VM_SET, vmid, FH_VM_NEXT_LOAD_IDX, 0, load_idx);
    return set_u64(s, &info->VB.vm_next_load_info, load_idx);
}

/*
 * Where image load_idx will lie in the VM: a byte address. AbstractMachine/Spec.v:
 * get_vm_load_addr_spec
 */
enum fh_status spec_get_vm_load_addr(struct fh_state *s, uint32_t vmid, uint32_t load_idx,
                                     uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VM_IMAGE(s, vmid, load_idx);
    *result = number_at(&vminfo_of(s, vmid)->VB.vm_load_addr, load_idx);
    return FH_OK;
}

/*
 * Where image load_idx will lie in the VM: a byte address. AbstractMachine/Spec.v:
 * set_vm_load_addr_spec
 */
enum fh_status spec_set_vm_load_addr(struct fh_state *s, uint32_t vmid, uint32_t load_idx,
                                     uint64_t load_addr)
{
    SKIP_IF_HALTED(s);
    RELY_VM_IMAGE(s, vmid, load_idx);
    struct fh_vminfo *info;
    FH_TRY(own_vminfo(s, vmid, &info));
    observe(s, FH_EFFECT_VM_SET, vmid, FH_VM_LOAD_ADDR, load_idx, load_addr);
    return set_entry_u64(s, &info->VB.vm_load_addr, load_idx, load_addr);
}

/* The size of image load_idx in bytes. AbstractMachine/Spec.v: get_vm_load_size_spec */
enum fh_status spec_get_vm_load_size(struct fh_state *s, uint32_t vmid, uint32_t load_idx,
                                     uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VM_IMAGE(s, vmid, load_idx);
    *result = number_at(&vminfo_of(s, vmid)->VB.vm_load_size, load_idx);
    return FH_OK;
}

/* The size of image load_idx in bytes. AbstractMachine/Spec.v: set_vm_load_size_spec */
enum fh_status spec_set_vm_load_size(struct fh_state *s, uint32_t vmid, uint32_t load_idx,
                                     uint64_t size)
{
    SKIP_IF_HALTED(s);
    RELY_VM_IMAGE(s, vmid, load_idx);
    struct fh_vminfo *info;
    FH_TRY(own_vminfo(s, vmid, &info));
    observe(s, FH_EFFECT_VM_SET, vmid, FH_VM_LOAD_SIZE, load_idx, size);
    return set_entry_u64(s, &info->VB.vm_load_size, load_idx, size);
}

/*
 * Where image load_idx is mapped for KCore: a byte address. AbstractMachine/Spec.v:
 * get_vm_remap_addr_spec
 */
enum fh_status spec_get_vm_remap_addr(struct fh_state *s, uint32_t vmid, uint32_t load_idx,
                                      uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VM_IMAGE(s, vmid, load_idx);
    *result = number_at(&vminfo_of(s, vmid)->VB.vm_remap_addr, load_idx);
    return FH_OK;
}

/*
 * Where image load_idx is mapped for KCore: a byte address. AbstractMachine/Spec.v:
 * set_vm_remap_addr_spec
 */
enum fh_status spec_set_vm_remap_addr(struct fh_state *s, uint32_t vmid, uint32_t load_idx,
                                      uint64_t remap_addr)
{
    SKIP_IF_HALTED(s);
    RELY_VM_IMAGE(s, vmid, load_idx);
    struct fh_vminfo *info;
    FH_TRY(own_vminfo(s, vmid, &info));
    observe(s, FH_EFFECT_VM_SET, vmid, FH_VM_REMAP_ADDR, load_idx, remap_addr);
    return set_entry_u64(s, &info->VB.vm_remap_addr, load_idx, remap_addr);
}

/*
 * How many pages of image load_idx are mapped so far. AbstractMachine/Spec.v:
 * get_vm_mapped_pages_spec
 */
enum fh_status spec_get_vm_mapped_pages(struct fh_state *s, uint32_t vmid, uint32_t load_idx,
                                        uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VM_IMAGE(s, vmid, load_idx);
    *result = number_at(&vminfo_of(s, vmid)->VB.vm_mapped_pages, load_idx);
    return FH_OK;
}

/*
 * How many pages of image load_idx are mapped so far. AbstractMachine/Spec.v:
 * set_vm_mapped_pages_spec
 */
enum fh_status spec_set_vm_mapped_pages(struct fh_state *s, uint32_t vmid, uint32_t load_idx,
                                        uint64_t mapped)
{
    SKIP_IF_HALTED(s);
    RELY_VM_IMAGE(s, vmid, load_idx);
    struct fh_vminfo *info;
    FH_TRY(own_vminfo(s, vmid, &info));
    observe(s, FH_EFFECT_VM_SET, vmid, FH_VM_MAPPED, load_idx, mapped);
    return set_entry_u64(s, &info->VB.vm_mapped_pages, load_idx, mapped);
}

/*
 * Does the VM go on from an encrypted image of its vCPUs? AbstractMachine/Spec.v:
 * get_vm_inc_exe_spec
 */
enum fh_status spec_get_vm_inc_exe(struct fh_state *s, uint32_t vmid, uint32_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VM(s, vmid);
    RETURN_U32(s, vminfo_of(s, vmid)->VB.vm_inc_exe, result);
}

/*
 * Writes vm_next_load_info, not vm_inc_exe: the spec does. AbstractMachine/Spec.v:
 * set_vm_inc_exe_spec
 */
enum fh_status spec_set_vm_inc_exe(struct fh_state *s, uint32_t vmid, uint32_t inc_exe)
{
    SKIP_IF_HALTED(s);
    RELY_VM(s, vmid);
    struct fh_vminfo *info;
    FH_TRY(own_vminfo(s, vmid, &info));
    observe(s, FH_EFFECT_VM_SET, vmid, FH_VM_NEXT_LOAD_IDX, 0, inc_exe);
    return set_u64(s, &info->VB.vm_next_load_info, inc_exe);
}
