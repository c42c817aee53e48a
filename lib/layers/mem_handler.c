/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "MemHandler"
#include "layers/mem_handler.h"

#include "layers/boot_ops.h"
#include "layers/memory_ops.h"
#include "layers/mmio_ops.h"
#include "layers/mmio_raw.h"
#include "layers/vm_power.h"

/* MemHandler/Spec.v: what the host's hypercalls on memory and SMMU tables come to. */

/*
 * Give the host back what is VM `vmid`'s of the memory from `start` on, `size` bytes (both cut to
 * pages), if the VM was powered off; nothing happens otherwise.
 * Stuck: start or size of more than 48 bits, and where get_vm_poweron and clear_vm_range are.
 * MemHandler/Spec.v: clear_vm_stage2_range_spec
 */
enum fh_status spec_clear_vm_stage2_range(struct fh_state *s, uint32_t vmid, uint64_t start,
                                          uint64_t size)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_addr(k, start), start);
    FH_RELY(s, is_addr(k, size), size);
    uint32_t power;
    FH_TRY(kc_get_vm_poweron(s, vmid, &power));
    if (power != 0)
        return FH_OK;
    return kc_clear_vm_range(s, vmid, start / k->PAGE_SIZE, size / k->PAGE_SIZE);
}

/*
 * Map the page at `paddr` for the devices of context bank `cbndx` of SMMU `index` at `iova` (byte
 * addresses) with permissions `prot`, after making it the bank owner's. Halts as smmu_assign_page
 * and smmu_map_page do.
 * Stuck: iova or paddr of more than 40 bits; prot >= 2^63 - 1 or with bits of an address; and where
 * the two are. MemHandler/Spec.v: el2_arm_lpae_map_spec
 */
enum fh_status spec_el2_arm_lpae_map(struct fh_state *s, uint64_t iova, uint64_t paddr,
                                     uint64_t prot, uint32_t cbndx, uint32_t index)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_smmu_addr(iova), iova);
    FH_RELY(s, is_paddr(k, paddr), paddr);
    FH_RELY(s, phys_page(k, prot) == 0, prot);
    uint64_t pte;
    FH_TRY(kc_smmu_init_pte(s, prot, paddr, &pte));
    FH_TRY(kc_smmu_assign_page(s, cbndx, index, paddr / k->PAGE_SIZE, iova / k->PAGE_SIZE));
    return kc_smmu_map_page(s, cbndx, index, iova, pte);
}

/*
 * Map the device memory at `pa` for VM `vmid` at `gpa`, `size` bytes (rounded up to pages), page by
 * page. Halts as map_io does.
 * The spec goes on after a halt, where a round does nothing but check its addresses; here all are
 * checked first and the loop ends with a halt, which comes to the same.
 * Stuck: gpa or size of more than 48 bits, pa of more than 40, a range beyond, and where map_io is,
 * unless size is 0. MemHandler/Spec.v: kvm_phys_addr_ioremap_spec
 */
enum fh_status spec_kvm_phys_addr_ioremap(struct fh_state *s, uint32_t vmid, uint64_t gpa,
                                          uint64_t pa, uint64_t size)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_addr(k, gpa), gpa);
    FH_RELY(s, is_paddr(k, pa), pa);
    FH_RELY(s, is_addr(k, size), size);
    const uint64_t num = (size + k->PAGE_SIZE - 1) / k->PAGE_SIZE;
    FH_RELY(s, is_addr(k, gpa + num), gpa, num);
    FH_RELY(s, is_addr(k, pa + num), pa, num);
    if (num == 0)
        return FH_OK;
    FH_RELY(s, is_vmid(k, vmid), vmid);
    FH_RELY(s, is_addr(k, gpa + (num - 1) * k->PAGE_SIZE), gpa, num);
    FH_RELY(s, is_paddr(k, pa + (num - 1) * k->PAGE_SIZE), pa, num);
    if (s->adt->halt)
        return FH_OK;
    FH_LOOP_BOUND(s, num);
    for (uint64_t i = 0; i < num && !s->adt->halt; i++)
        FH_TRY(kc_map_io(s, vmid, gpa + i * k->PAGE_SIZE, pa + i * k->PAGE_SIZE));
    return FH_OK;
}
