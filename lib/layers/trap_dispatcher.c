/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "TrapDispatcher"
#include "layers/trap_dispatcher.h"

#include "layers/abstract_machine.h"
#include "layers/boot_ops.h"
#include "layers/current_vcpu.h"
#include "layers/fault_handler.h"
#include "layers/mem_handler.h"
#include "layers/mmio_ops.h"

/*
 * TrapDispatcher/Spec.v: which function handles which hypercall of the host and which exit of a VM.
 * Hypercalls with an argument out of range halt.
 */

/* The host's registers x0 (the call) to x5. */
struct hypercall {
    uint32_t vmid, vcpuid; /* whose registers these are */
    uint64_t x[6];
};

static enum fh_status return_to_host(struct fh_state *s, const struct hypercall *call,
                                     uint64_t value)
{
    return kc_set_shadow_ctxt(s, call->vmid, call->vcpuid, (uint32_t)s->profile->X0, value);
}

/* x1 VM, x2 address, x3 size */
static enum fh_status hvc_clear_vm_s2_range(struct fh_state *s, const uint64_t *x)
{
    const struct fh_profile *k = s->profile;
    FH_DEMAND(s, is_vm(k, x[1]) && is_addr(k, x[2]) && is_addr(k, x[3]), x[1], x[2], x[3]);
    return kc_clear_vm_stage2_range(s, (uint32_t)x[1], x[2], x[3]);
}

/* x1 VM, x2 load address, x3 size */
static enum fh_status hvc_set_boot_info(struct fh_state *s, const uint64_t *x)
{
    const struct fh_profile *k = s->profile;
    uint32_t load_idx;
    FH_DEMAND(s, is_vm(k, x[1]) && is_paddr(k, wide_add(x[2], x[3])), x[1], x[2], x[3]);
    return kc_set_boot_info(s, (uint32_t)x[1], x[2], x[3], &load_idx);
}

/* x1 VM, x2 page, x3 number of the image */
static enum fh_status hvc_remap_vm_image(struct fh_state *s, const uint64_t *x)
{
    const struct fh_profile *k = s->profile;
    FH_DEMAND(s, is_vm(k, x[1]) && is_pfn(k, x[2]) && is_load_idx(k, x[3]), x[1], x[2], x[3]);
    return kc_remap_vm_image(s, (uint32_t)x[1], x[2], (uint32_t)x[3]);
}

/* x1 VM */
static enum fh_status hvc_verify_vm_image(struct fh_state *s, const uint64_t *x)
{
    FH_DEMAND(s, is_vm(s->profile, x[1]), x[1]);
    return kc_verify_and_load_images(s, (uint32_t)x[1]);
}

static bool is_bank(const struct fh_profile *k, uint64_t cbndx, uint64_t index)
{
    return is_smmu_cfg(k, cbndx) && is_smmu(k, index);
}

/* x1 context bank, x2 SMMU */
static enum fh_status hvc_smmu_free_pgd(struct fh_state *s, const uint64_t *x)
{
    FH_DEMAND(s, is_bank(s->profile, x[1], x[2]), x[1], x[2]);
    return kc_el2_free_smmu_pgd(s, (uint32_t)x[1], (uint32_t)x[2]);
}

/* x1 context bank, x2 the host or a VM, x3 SMMU */
static enum fh_status hvc_smmu_alloc_pgd(struct fh_state *s, const uint64_t *x)
{
    const struct fh_profile *k = s->profile;
    FH_DEMAND(s, is_bank(k, x[1], x[3]) && x[2] < k->COREVISOR, x[1], x[2], x[3]);
    return kc_el2_alloc_smmu_pgd(s, (uint32_t)x[1], (uint32_t)x[2], (uint32_t)x[3]);
}

/* x1 device address, x2 physical address, x3 descriptor bits without an address, x4 bank, x5 SMMU
 */
static enum fh_status hvc_smmu_lpae_map(struct fh_state *s, const uint64_t *x)
{
    const struct fh_profile *k = s->profile;
    FH_DEMAND(s,
              is_paddr(k, x[1]) && is_paddr(k, x[2]) && x[3] < INT64_MAX &&
                  phys_page(k, x[3]) == 0 && is_bank(k, x[4], x[5]),
              x[1], x[2], x[3], x[4], x[5]);
    return kc_el2_arm_lpae_map(s, x[1], x[2], x[3], (uint32_t)x[4], (uint32_t)x[5]);
}

/* x1 device address, x2 bank, x3 SMMU; the physical address in x0 */
static enum fh_status hvc_smmu_iova_to_phys(struct fh_state *s, const struct hypercall *call)
{
    const struct fh_profile *k = s->profile;
    const uint64_t *x = call->x;
    uint64_t addr;
    FH_DEMAND(s, is_paddr(k, x[1]) && is_bank(k, x[2], x[3]), x[1], x[2], x[3]);
    FH_TRY(kc_el2_arm_lpae_iova_to_phys(s, x[1], (uint32_t)x[2], (uint32_t)x[3], &addr));
    return return_to_host(s, call, addr);
}

/* x1 device address, x2 bank, x3 SMMU */
static enum fh_status hvc_smmu_clear(struct fh_state *s, const uint64_t *x)
{
    const struct fh_profile *k = s->profile;
    FH_DEMAND(s, is_paddr(k, x[1]) && is_bank(k, x[2], x[3]), x[1], x[2], x[3]);
    return kc_el2_arm_lpae_clear(s, x[1], (uint32_t)x[2], (uint32_t)x[3]);
}

/* The new VM's number in x0 */
static enum fh_status hvc_register_kvm(struct fh_state *s, const struct hypercall *call)
{
    uint32_t vmid;
    FH_TRY(kc_register_kvm(s, &vmid));
    return return_to_host(s, call, vmid);
}

/* x1 VM, x2 vCPU */
static enum fh_status hvc_register_vcpu(struct fh_state *s, const uint64_t *x)
{
    FH_DEMAND(s, is_vm(s->profile, x[1]) && is_vcpu(s->profile, x[2]), x[1], x[2]);
    return kc_register_vcpu(s, (uint32_t)x[1], (uint32_t)x[2]);
}

/* x1 VM (or host or core), x2 guest address, x3 device address, x4 size */
static enum fh_status hvc_phys_addr_ioremap(struct fh_state *s, const uint64_t *x)
{
    const struct fh_profile *k = s->profile;
    FH_DEMAND(s,
              is_vmid(k, x[1]) && is_addr(k, wide_add(x[2], x[4])) &&
                  is_paddr(k, wide_add(x[3], x[4])),
              x[1], x[2], x[3], x[4]);
    return kc_kvm_phys_addr_ioremap(s, (uint32_t)x[1], x[2], x[3], x[4]);
}

static enum fh_status dispatch(struct fh_state *s, const struct hypercall *call)
{
    const struct fh_profile *k = s->profile;
    const uint64_t *x = call->x;
    if (x[0] == k->HVC_TIMER_SET_CNTVOFF)
        return kc_timer_set_cntvoff(s);
    if (x[0] == k->HVC_CLEAR_VM_S2_RANGE)
        return hvc_clear_vm_s2_range(s, x);
    if (x[0] == k->HVC_SET_BOOT_INFO)
        return hvc_set_boot_info(s, x);
    if (x[0] == k->HVC_REMAP_VM_IMAGE)
        return hvc_remap_vm_image(s, x);
    if (x[0] == k->HVC_VERIFY_VM_IMAGE)
        return hvc_verify_vm_image(s, x);
    if (x[0] == k->HVC_SMMU_FREE_PGD)
        return hvc_smmu_free_pgd(s, x);
    if (x[0] == k->HVC_SMMU_ALLOC_PGD)
        return hvc_smmu_alloc_pgd(s, x);
    if (x[0] == k->HVC_SMMU_LPAE_MAP)
        return hvc_smmu_lpae_map(s, x);
    if (x[0] == k->HVC_SMMU_LPAE_IOVA_TO_PHYS)
        return hvc_smmu_iova_to_phys(s, call);
    if (x[0] == k->HVC_SMMU_CLEAR)
        return hvc_smmu_clear(s, x);
    if (x[0] == k->HVC_REGISTER_KVM)
        return hvc_register_kvm(s, call);
    if (x[0] == k->HVC_REGISTER_VCPU)
        return hvc_register_vcpu(s, x);
    if (x[0] == k->HVC_PHYS_ADDR_IOREMAP)
        return hvc_phys_addr_ioremap(s, x);
    return FH_OK;
}

static enum fh_status read_hypercall(struct fh_state *s, struct hypercall *call)
{
    FH_TRY(kc_get_cur_vmid(s, &call->vmid));
    FH_TRY(kc_get_cur_vcpuid(s, &call->vcpuid));
    for (uint32_t i = 0; i < 6; i++)
        FH_TRY(kc_get_shadow_ctxt(s, call->vmid, call->vcpuid, (uint32_t)s->profile->X0 + i,
                                  &call->x[i]));
    return FH_OK;
}

/*
 * Handle the hypercall in x0 to x5 of the current context (the host's). Unknown calls, and those
 * that encrypt and decrypt, do nothing. Halts on arguments out of range and where the functions do.
 * Stuck: the current numbers out of range, and where the functions are.
 * TrapDispatcher/Spec.v: host_hvc_dispatcher_spec
 */
enum fh_status spec_host_hvc_dispatcher(struct fh_state *s)
{
    struct hypercall call;
    RELY_CURRENT_VCPU(s);
    FH_TRY(read_hypercall(s, &call));
    return dispatch(s, &call);
}

/*
 * Handle an exit of vCPU `vcpuid` of `vmid` by its class (ESR_EL2 of its shadow registers): system
 * register accesses and the VM's hypercalls. *result 0: the VM goes on; 1: the host is to handle
 * it. Halts on every other class, and where core_handle_pvops does.
 * Stuck: vmid or vcpuid out of range, and where these are.
 * TrapDispatcher/Spec.v: vm_exit_dispatcher_spec
 */
enum fh_status spec_vm_exit_dispatcher(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                       uint32_t *result)
{
    const struct fh_profile *k = s->profile;
    uint32_t ret = 0;
    uint64_t esr;
    FH_TRY(kc_get_shadow_ctxt(s, vmid, vcpuid, (uint32_t)k->ESR_EL2, &esr));
    const uint64_t class = esr >> k->ESR_ELx_EC_SHIFT & 63;
    if (class == k->ESR_ELx_EC_SYS64)
        FH_TRY(kc_core_handle_sys64(s));
    else if (class == k->ESR_ELx_EC_HVC64)
        FH_TRY(kc_core_handle_pvops(s, &ret));
    else
        FH_TRY(FH_PANIC(s, class == k->ESR_ELx_EC_SYS64 || class == k->ESR_ELx_EC_HVC64, class));
    return kc_check(s, ret, result);
}
