/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "TrapHandler"
#include "layers/trap_handler.h"

#include "layers/abstract_machine.h"
#include "layers/mmio_spt_walk.h"
#include "layers/npt_walk.h"
#include "layers/trap_handler_hvc.h"
#include "layers/trap_handler_steps.h"

/*
 * TrapHandler/Spec.v: the host's hypercalls. Each is one step or a few; what other CPUs do happens
 * in front of each step. A call with an argument out of range halts.
 */

/* The host's registers x0 (the call) to x5, and whose they are. */
struct hypercall {
    uint64_t vmid; /* the current one */
    wide ctxtid;   /* its context */
    uint64_t x[6];
};

/* A result for the caller, in x0. */
static enum fh_status return_to_host(struct fh_state *s, const struct hypercall *call,
                                     uint64_t value)
{
    return set_shadow_register(s, call->ctxtid, (uint32_t)s->profile->X0, value);
}

/* --- Memory ----------------------------------------------------------------------------------- */

/*
 * One page for the VM. The event names the first page of its block, `first_gfn` and `first_pfn`,
 * not the page.
 */
static enum fh_status assign_page(struct fh_state *s, uint32_t vmid, uint64_t first_gfn,
                                  uint64_t first_pfn, uint64_t i)
{
    const struct fh_profile *k = s->profile;
    FH_TRY(query_oracle(s));
    FH_TRY(LOG_STEP(s, FH_EVENT_OASSIGN_VM, vmid, first_gfn, first_pfn, data_log_of(s, vmid)));
    RELY_USABLE(s, k->S2PAGE_ID);
    RELY_USABLE(s, k->NPT_ID);
    return local_assign_pfn_to_vm(s, vmid, first_gfn + i, first_pfn + i, &s->adt->halt);
}

static enum fh_status map_for_vm(struct fh_state *s, uint32_t vmid, wide addr, uint64_t pte,
                                 uint64_t level)
{
    FH_TRY(query_oracle(s));
    FH_LEAVES_64_BITS(s, !is_int64(addr), (uint64_t)addr);
    FH_TRY(LOG_STEP(s, FH_EVENT_OMAP_VM, vmid, (uint64_t)addr, pte, level));
    RELY_USABLE(s, s->profile->NPT_ID + vmid);
    return local_map_pfn_vm(s, vmid, addr, pte, level, &s->adt->halt);
}

enum fh_status assign_and_map(struct fh_state *s, uint32_t vmid, wide addr, uint64_t pte,
                              uint64_t level)
{
    const struct fh_profile *k = s->profile;
    const uint64_t pfn = pfn_of(k, phys_page(k, pte));
    const uint64_t gfn = (uint64_t)(addr >> k->PAGE_SHIFT);
    if (s->adt->halt)
        return FH_OK;
    if (level != 2) {
        FH_TRY(assign_page(s, vmid, gfn, pfn, 0));
        return map_for_vm(s, vmid, addr, pte, 3);
    }
    const uint64_t first = gfn / k->PTRS_PER_PMD * k->PTRS_PER_PMD;
    for (uint64_t i = 0; i < k->PMD_PAGE_NUM && !s->adt->halt; i++)
        FH_TRY(assign_page(s, vmid, first, pfn, i));
    return s->adt->halt ? FH_OK : map_for_vm(s, vmid, addr, pte, 2);
}

static enum fh_status clear_page(struct fh_state *s, uint64_t vmid, uint64_t pfn)
{
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, s->profile->S2PAGE_ID);
    RELY_USABLE(s, s->profile->NPT_ID);
    FH_TRY(LOG_STEP(s, FH_EVENT_OCLEAR_VM, vmid, pfn));
    return local_clear_vm_page(s, vmid, pfn, &s->adt->halt);
}

/* x1 VM, x2 physical address, x3 size. Nothing unless the VM is powered off. */
static enum fh_status hvc_clear_vm_s2_range(struct fh_state *s, const struct hypercall *call)
{
    const struct fh_profile *k = s->profile;
    const uint64_t *x = call->x;
    HALT_HERE_UNLESS(s, is_vm(k, x[1]) && is_paddr(k, x[2]) && is_paddr(k, x[3]), x[1], x[2], x[3]);
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, k->NPT_ID + x[1]);
    FH_TRY(LOG_STEP(s, FH_EVENT_OVM_GET, call->vmid));
    if (vminfo_of(s, x[1])->VS.vm_state != k->POWEROFF)
        return FH_OK;
    const uint64_t pages = pfn_of(k, x[3]);
    FH_LOOP_BOUND(s, pages);
    for (uint64_t i = 0; i < pages && !s->adt->halt; i++)
        FH_TRY(clear_page(s, x[1], pfn_of(k, x[2]) + i));
    return FH_OK;
}

static enum fh_status map_device_page(struct fh_state *s, uint32_t vmid, uint64_t gpa, uint64_t pa)
{
    const struct fh_profile *k = s->profile;
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, k->INFO_ID + vmid);
    RELY_USABLE(s, k->S2PAGE_ID);
    RELY_USABLE(s, k->NPT_ID + vmid);
    FH_TRY(LOG_STEP(s, FH_EVENT_OMAP_IO, vmid, gpa, pa));
    return local_map_io(s, vmid, gpa, pa, &s->adt->halt);
}

/* x1 VM, x2 guest address, x3 device address, x4 size */
static enum fh_status hvc_phys_addr_ioremap(struct fh_state *s, const uint64_t *x)
{
    const struct fh_profile *k = s->profile;
    const uint64_t page = k->PAGE_SIZE;
    HALT_HERE_UNLESS(s,
                     is_vm(k, x[1]) && is_addr(k, x[2]) && is_paddr(k, x[3]) && is_paddr(k, x[4]),
                     x[1], x[2], x[3], x[4]);
    const uint64_t pages = (x[4] + page - 1) / page;
    HALT_HERE_UNLESS(s, is_addr(k, x[2] + pages * page) && is_paddr(k, x[3] + pages * page), x[2],
                     x[3], pages);
    FH_LOOP_BOUND(s, pages);
    for (uint64_t i = 0; i < pages && !s->adt->halt; i++)
        FH_TRY(map_device_page(s, (uint32_t)x[1], x[2] + i * page, x[3] + i * page));
    return FH_OK;
}

/* --- VMs and their images --------------------------------------------------------------------- */

/* The new VM's number in x0 */
static enum fh_status hvc_register_kvm(struct fh_state *s, const struct hypercall *call)
{
    const struct fh_profile *k = s->profile;
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, k->CORE_ID);
    FH_TRY(LOG_STEP(s, FH_EVENT_OGEN_VMID, 0));
    const uint64_t vmid = s->adt->shared.core_data.next_vmid;
    FH_TRY(local_gen_vmid(s, &s->adt->halt));
    if (s->adt->halt)
        return FH_OK;
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, k->INFO_ID + vmid);
    FH_TRY(LOG_STEP(s, FH_EVENT_OREG_KVM, vmid));
    FH_TRY(local_register_kvm(s, vmid, &s->adt->halt));
    return return_to_host(s, call, vmid);
}

/* x1 VM, x2 vCPU */
static enum fh_status hvc_register_vcpu(struct fh_state *s, const uint64_t *x)
{
    const struct fh_profile *k = s->profile;
    HALT_HERE_UNLESS(s, is_vm(k, x[1]) && is_vcpu(k, x[2]), x[1], x[2]);
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, k->INFO_ID + x[1]);
    FH_TRY(LOG_STEP(s, FH_EVENT_OREG_VCPU, x[1], x[2]));
    return local_register_vcpu(s, x[1], x[2], &s->adt->halt);
}

/* x1 VM, x2 load address, x3 size. The sum of the two has to be below the number of pages. */
static enum fh_status hvc_set_boot_info(struct fh_state *s, const uint64_t *x)
{
    const struct fh_profile *k = s->profile;
    HALT_HERE_UNLESS(s, is_vm(k, x[1]) && is_paddr(k, x[2]) && is_pfn(k, wide_add(x[2], x[3])),
                     x[1], x[2], x[3]);
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, k->INFO_ID + x[1]);
    RELY_USABLE(s, k->CORE_ID);
    FH_TRY(LOG_STEP(s, FH_EVENT_OBOOT_INFO, x[1], x[2], x[3]));
    return local_set_boot_info(s, x[1], x[2], x[3], &s->adt->halt);
}

/* x1 VM, x2 page (any number), x3 number of the image */
static enum fh_status hvc_remap_vm_image(struct fh_state *s, const uint64_t *x)
{
    const struct fh_profile *k = s->profile;
    HALT_HERE_UNLESS(s, is_vm(k, x[1]) && is_pfn(k, x[3]) && is_load_idx(k, x[3]), x[1], x[3]);
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, k->INFO_ID + x[1]);
    RELY_USABLE(s, k->NPT_ID + k->COREVISOR);
    FH_TRY(LOG_STEP(s, FH_EVENT_OREMAP_IMAGE, x[1], x[2], x[3]));
    return local_remap_vm_image(s, x[1], x[2], x[3], &s->adt->halt);
}

/* The 2 MiB of the image that KCore has at `remap` go to the VM at `start`; halts if it has none.
 */
static enum fh_status load_block(struct fh_state *s, uint32_t vmid, wide start, wide remap)
{
    const struct fh_profile *k = s->profile;
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, k->NPT_ID + k->COREVISOR);
    FH_TRY(LOG_STEP(s, FH_EVENT_OPT_GET, k->COREVISOR));
    const uint64_t pte = stage2_entry(s, k->COREVISOR, (uint64_t)(remap >> k->PAGE_SHIFT)).pte;
    HALT_HERE_UNLESS(s, pte != 0, vmid, (uint64_t)remap);
    const uint64_t pfn = phys_page(k, pte) / k->PMD_SIZE * k->PTRS_PER_PMD;
    return assign_and_map(s, vmid, start, pfn * k->PAGE_SIZE, 2);
}

static enum fh_status load_image(struct fh_state *s, uint32_t vmid, uint64_t load_idx)
{
    const struct fh_profile *k = s->profile;
    const struct fh_boot_info *boot = &vminfo_of(s, vmid)->VB;
    const uint64_t load_addr = number_at(&boot->vm_load_addr, load_idx);
    const uint64_t start = load_addr / k->PMD_SIZE * k->PMD_SIZE;
    const wide end =
        wide_add(load_addr, wide_mul(number_at(&boot->vm_mapped_pages, load_idx), k->PAGE_SIZE));
    const wide blocks = (end - start + k->PMD_SIZE - 1) >> k->PMD_SHIFT;
    const uint64_t rounds = is_int64(blocks) ? (uint64_t)blocks : UINT64_MAX;
    wide remap = number_at(&boot->vm_remap_addr, load_idx);
    FH_LOOP_BOUND(s, rounds);
    for (uint64_t i = 0; i < rounds && !s->adt->halt; i++) {
        FH_TRY(load_block(s, vmid, wide_add(start, wide_mul(i, k->PMD_SIZE)), remap));
        remap += i == 0 ? start + k->PMD_SIZE - load_addr : k->PMD_SIZE;
    }
    return FH_OK;
}

/* x1 VM. After the first image the spec loads the second one again and again. */
static enum fh_status hvc_verify_vm_image(struct fh_state *s, const struct hypercall *call)
{
    const struct fh_profile *k = s->profile;
    const uint64_t vmid = call->x[1];
    HALT_HERE_UNLESS(s, is_vm(k, vmid), vmid);
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, k->INFO_ID + vmid);
    FH_TRY(set_usable(s, wide_add(k->INFO_ID, call->vmid), false));
    FH_TRY(LOG_STEP(s, FH_EVENT_OVERIFY, vmid));
    const struct fh_vminfo *info = vminfo_of(s, vmid);
    HALT_HERE_UNLESS(s, info->VS.vm_state == k->READY, vmid, info->VS.vm_state);
    const uint64_t images = info->VB.vm_next_load_info;
    FH_LOOP_BOUND(s, images);
    for (uint64_t i = 0; i < images && !s->adt->halt; i++)
        FH_TRY(load_image(s, (uint32_t)vmid, i == 0 ? 0 : 1));
    if (s->adt->halt)
        return FH_OK;
    FH_TRY(set_usable(s, k->INFO_ID + vmid, true));
    FH_TRY(set_vm_state_of(s, vmid, k->VERIFIED));
    return LOG_STEP(s, FH_EVENT_OVERIFY, vmid);
}

/* --- Devices ---------------------------------------------------------------------------------- */

static bool is_bank(const struct fh_profile *k, uint64_t cbndx, uint64_t index)
{
    return is_smmu_cfg(k, cbndx) && is_smmu(k, index);
}

/* x1 bank, x2 SMMU */
static enum fh_status hvc_smmu_free_pgd(struct fh_state *s, const struct hypercall *call)
{
    const struct fh_profile *k = s->profile;
    const uint64_t *x = call->x;
    HALT_HERE_UNLESS(s, is_bank(k, x[1], x[2]), x[1], x[2]);
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, k->SMMU_ID);
    RELY_USABLE(s, wide_add(k->INFO_ID, call->vmid));
    FH_TRY(LOG_STEP(s, FH_EVENT_OSMMU_FREE, x[1], x[2]));
    return local_free_smmu_pgd(s, (uint32_t)x[1], (uint32_t)x[2], &s->adt->halt);
}

/* x1 bank, x2 the host or a VM, x3 SMMU */
static enum fh_status hvc_smmu_alloc_pgd(struct fh_state *s, const struct hypercall *call)
{
    const struct fh_profile *k = s->profile;
    const uint64_t *x = call->x;
    HALT_HERE_UNLESS(s, is_bank(k, x[1], x[3]) && x[2] < k->COREVISOR, x[1], x[2], x[3]);
    const uint64_t banks = number_at(&s->adt->smmu_conf->smmu_dev_context_banks, x[3]);
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, k->SMMU_ID);
    RELY_USABLE(s, wide_add(k->INFO_ID, call->vmid));
    RELY_USABLE(s, k->SPT_ID);
    FH_TRY(LOG_STEP(s, FH_EVENT_OSMMU_ALLOC, x[1], x[2], x[3], banks));
    return local_alloc_smmu_pgd(s, (uint32_t)x[1], x[2], (uint32_t)x[3], banks, &s->adt->halt);
}

/* Whose lock it demands it finds with bank and SMMU exchanged, as hvc_smmu_clear. */
static enum fh_status map_for_device(struct fh_state *s, uint32_t cbndx, uint32_t index,
                                     uint64_t iova, uint64_t pte)
{
    const struct fh_profile *k = s->profile;
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, k->SMMU_ID);
    RELY_USABLE(s, wide_add(k->INFO_ID, smmu_vmid_of(s, cbndx, index)));
    RELY_USABLE(s, k->SPT_ID);
    FH_TRY(LOG_STEP(s, FH_EVENT_OSMMU_MAP, cbndx, index, iova, pte));
    return local_smmu_map_page(s, cbndx, index, iova, pte, &s->adt->halt);
}

/* x1 device address, x2 physical address, x3 descriptor bits without an address, x4 bank, x5 SMMU
 */
static enum fh_status hvc_smmu_lpae_map(struct fh_state *s, const struct hypercall *call)
{
    const struct fh_profile *k = s->profile;
    const uint64_t *x = call->x;
    HALT_HERE_UNLESS(s,
                     is_paddr(k, x[1]) && is_paddr(k, x[2]) && x[3] < INT64_MAX &&
                         phys_page(k, x[3]) == 0 && is_bank(k, x[4], x[5]),
                     x[1], x[2], x[3], x[4], x[5]);
    const uint32_t cbndx = (uint32_t)x[4], index = (uint32_t)x[5];
    const uint64_t gfn = pfn_of(k, x[1]), pfn = pfn_of(k, x[2]);
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, k->SMMU_ID);
    RELY_USABLE(s, wide_add(k->INFO_ID, call->vmid));
    RELY_USABLE(s, k->S2PAGE_ID);
    RELY_USABLE(s, k->NPT_ID);
    FH_TRY(LOG_STEP(s, FH_EVENT_OASSIGN_SMMU, cbndx, index, pfn, gfn));
    FH_TRY(local_smmu_assign_page(s, cbndx, index, pfn, gfn, &s->adt->halt));
    if (s->adt->halt)
        return FH_OK;
    return map_for_device(s, cbndx, index, x[1], x[2] | x[3] | k->PTE_AF_OR_SH_IS);
}

/* x1 device address, x2 bank, x3 SMMU; the physical address in x0. The step is not logged. */
static enum fh_status hvc_smmu_iova_to_phys(struct fh_state *s, const struct hypercall *call)
{
    const struct fh_profile *k = s->profile;
    const uint64_t *x = call->x;
    HALT_HERE_UNLESS(s, is_paddr(k, x[1]) && is_bank(k, x[2], x[3]), x[1], x[2], x[3]);
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, k->SPT_ID);
    const uint64_t pte = smmu_entry(s, (uint32_t)x[2], (uint32_t)x[3], pfn_of(k, x[1])).pte;
    return return_to_host(s, call, phys_page(k, pte) + x[1] % k->PAGE_SIZE);
}

/* x1 device address, x2 bank, x3 SMMU. Whose lock it demands it finds with these two exchanged. */
static enum fh_status hvc_smmu_clear(struct fh_state *s, const uint64_t *x)
{
    const struct fh_profile *k = s->profile;
    HALT_HERE_UNLESS(s, is_paddr(k, x[1]) && is_bank(k, x[2], x[3]), x[1], x[2], x[3]);
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, k->SMMU_ID);
    RELY_USABLE(s, wide_add(k->INFO_ID, smmu_vmid_of(s, x[2], x[3])));
    RELY_USABLE(s, k->S2PAGE_ID);
    RELY_USABLE(s, k->SPT_ID);
    FH_TRY(LOG_STEP(s, FH_EVENT_OSMMU_CLEAR, x[1], x[2], x[3]));
    return local_smmu_clear(s, x[1], (uint32_t)x[2], (uint32_t)x[3], &s->adt->halt);
}

/* --- What is encrypted ------------------------------------------------------------------------ */

static uint64_t host_data_count(const struct fh_state *s)
{
    return data_log_of(s, s->profile->HOSTVISOR);
}

/* x1 VM, x2 its page, x3 where the encrypted page goes (byte addresses) */
static enum fh_status hvc_encrypt_buf(struct fh_state *s, const uint64_t *x)
{
    const struct fh_profile *k = s->profile;
    HALT_HERE_UNLESS(s, is_vm(k, x[1]) && is_paddr(k, x[2]) && is_paddr(k, x[3]), x[1], x[2], x[3]);
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, k->S2PAGE_ID);
    FH_TRY(LOG_STEP(s, FH_EVENT_OSAVE_ENC_BUF, x[1], x[2], x[3], host_data_count(s)));
    return local_save_encrypt_buf(s, x[1], x[2], x[3], &s->adt->halt);
}

/* x1 VM, x2 the page that becomes its own (a byte address) */
static enum fh_status hvc_decrypt_buf(struct fh_state *s, const uint64_t *x)
{
    const struct fh_profile *k = s->profile;
    HALT_HERE_UNLESS(s, is_vm(k, x[1]) && is_paddr(k, x[2]), x[1], x[2]);
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, k->S2PAGE_ID);
    RELY_USABLE(s, k->INFO_ID + x[1]);
    RELY_USABLE(s, k->NPT_ID);
    FH_TRY(LOG_STEP(s, FH_EVENT_OLOAD_ENC_BUF, x[1], x[2], host_data_count(s)));
    return local_load_decrypt_buf(s, x[1], x[2], &s->adt->halt);
}

/* x1 VM, x2 vCPU. Nothing: what leaves KCore is not modelled. */
static enum fh_status hvc_save_crypt_vcpu(struct fh_state *s, const uint64_t *x)
{
    HALT_HERE_UNLESS(s, is_vm(s->profile, x[1]) && is_vcpu(s->profile, x[2]), x[1], x[2]);
    return FH_OK;
}

/* x1 VM, x2 vCPU. The context that is loaded is the caller's. */
static enum fh_status hvc_load_crypt_vcpu(struct fh_state *s, const struct hypercall *call)
{
    const struct fh_profile *k = s->profile;
    const uint64_t *x = call->x;
    HALT_HERE_UNLESS(s, is_vm(k, x[1]) && is_vcpu(k, x[2]), x[1], x[2]);
    FH_TRY(query_oracle(s));
    RELY_USABLE(s, k->INFO_ID + x[1]);
    const uint64_t args[] = {x[1], x[2], host_data_count(s)};
    FH_TRY(log_step_with_ctxt(s, FH_EVENT_OLOAD_ENC_VCPU, args, call->ctxtid));
    return local_load_encryted_vcpu(s, x[1], x[2], call->ctxtid, &s->adt->halt);
}

/* --- All of them ------------------------------------------------------------------------------ */

static enum fh_status dispatch_crypt(struct fh_state *s, const struct hypercall *call)
{
    const struct fh_profile *k = s->profile;
    const uint64_t *x = call->x;
    if (x[0] == k->HVC_ENCRYPT_BUF)
        return hvc_encrypt_buf(s, x);
    if (x[0] == k->HVC_DECRYPT_BUF)
        return hvc_decrypt_buf(s, x);
    if (x[0] == k->HVC_SAVE_CRYPT_VCPU)
        return hvc_save_crypt_vcpu(s, x);
    if (x[0] == k->HVC_LOAD_CRYPT_VCPU)
        return hvc_load_crypt_vcpu(s, call);
    return FH_OK;
}

static enum fh_status dispatch(struct fh_state *s, const struct hypercall *call)
{
    const struct fh_profile *k = s->profile;
    const uint64_t *x = call->x;
    if (x[0] == k->HVC_TIMER_SET_CNTVOFF)
        return FH_OK;
    if (x[0] == k->HVC_CLEAR_VM_S2_RANGE)
        return hvc_clear_vm_s2_range(s, call);
    if (x[0] == k->HVC_SET_BOOT_INFO)
        return hvc_set_boot_info(s, x);
    if (x[0] == k->HVC_REMAP_VM_IMAGE)
        return hvc_remap_vm_image(s, x);
    if (x[0] == k->HVC_VERIFY_VM_IMAGE)
        return hvc_verify_vm_image(s, call);
    if (x[0] == k->HVC_SMMU_FREE_PGD)
        return hvc_smmu_free_pgd(s, call);
    if (x[0] == k->HVC_SMMU_ALLOC_PGD)
        return hvc_smmu_alloc_pgd(s, call);
    if (x[0] == k->HVC_SMMU_LPAE_MAP)
        return hvc_smmu_lpae_map(s, call);
    if (x[0] == k->HVC_SMMU_LPAE_IOVA_TO_PHYS)
        return hvc_smmu_iova_to_phys(s, call);
    if (x[0] == k->HVC_SMMU_CLEAR)
        return hvc_smmu_clear(s, x);
    if (x[0] == k->HVC_PHYS_ADDR_IOREMAP)
        return hvc_phys_addr_ioremap(s, x);
    if (x[0] == k->HVC_REGISTER_KVM)
        return hvc_register_kvm(s, call);
    if (x[0] == k->HVC_REGISTER_VCPU)
        return hvc_register_vcpu(s, x);
    return dispatch_crypt(s, call);
}

/*
 * A hypercall of the host, x0 to x5 of the machine's registers. Unknown calls do nothing. Halts on
 * arguments out of range and where the steps do; the host does not get the CPU back then.
 * Stuck: the host does not run, or KCore does; a lock that a panicked CPU kept. In a halted state
 * the identity, once the host runs. TrapHandler/Spec.v: host_hvc_handler_spec
 */
enum fh_status spec_host_hvc_handler(struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, s->adt->ihost && !s->adt->icore, s->adt->ihost, s->adt->icore);
    if (s->adt->halt)
        return FH_OK;
    FH_TRY(kc_host_to_core(s));
    s->adt->icore = true;
    struct hypercall call = {
        .vmid = s->adt->cur_vmid,
        .ctxtid = ctxt_id(k, s->adt->cur_vmid, s->adt->cur_vcpuid),
    };
    for (uint32_t i = 0; i < 6; i++)
        call.x[i] = shadow_register(s, call.ctxtid, (uint32_t)k->X0 + i);
    FH_TRY(dispatch(s, &call));
    if (s->adt->halt)
        return FH_OK;
    s->adt->icore = false;
    return kc_core_to_host(s);
}
