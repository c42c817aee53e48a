/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "BootAux"
#include "layers/boot_aux.h"

#include "layers/abstract_machine.h"
#include "layers/memory_ops.h"
#include "layers/npt_ops.h"

/* BootAux/Spec.v: from KCore's mapping of a boot image to the VM's. */

/* Give the VM, at `start`, the 2 MiB of memory that KCore has at `remap`. */
static enum fh_status load_block(struct fh_state *s, uint32_t vmid, uint64_t start, uint64_t remap)
{
    const struct fh_profile *k = s->profile;
    uint64_t pte;
    FH_TRY(kc_walk_s2pt(s, (uint32_t)k->COREVISOR, remap, &pte));
    const uint64_t pfn = phys_page(k, pte) / k->PMD_SIZE * k->PTRS_PER_PMD;
    FH_DEMAND(s, pfn != 0, remap, pte);
    return kc_prot_and_map_vm_s2pt(s, vmid, start, pfn * k->PAGE_SIZE, 2);
}

/*
 * Give VM `vmid` the boot image of `num` pages that KCore has mapped at `remap_addr`, at the VM's
 * `target_addr` (byte addresses): whole blocks of 2 MiB, from the one in which each begins. Halts
 * where KCore has nothing, and as prot_and_map_vm_s2pt does.
 * The spec goes on after a halt, where a round does nothing but check its addresses; here all are
 * checked first and the loop ends with a halt, which comes to the same.
 * Stuck: not a VM, num of more than 36 bits, either range beyond 48 bits, and where walk_s2pt and
 * prot_and_map_vm_s2pt are. BootAux/Spec.v: unmap_and_load_vm_image_spec
 */
enum fh_status spec_unmap_and_load_vm_image(struct fh_state *s, uint32_t vmid, uint64_t target_addr,
                                            uint64_t remap_addr, uint64_t num)
{
    const struct fh_profile *k = s->profile;
    FH_RELY(s, is_addr(k, target_addr), target_addr);
    FH_RELY(s, is_addr(k, remap_addr), remap_addr);
    FH_RELY(s, is_gfn(k, num), num);
    FH_RELY(s, is_vm(k, vmid), vmid);
    const uint64_t begin = target_addr / k->PMD_SIZE * k->PMD_SIZE;
    const uint64_t end = target_addr + num * k->PAGE_SIZE;
    const uint64_t blocks = (end - begin + k->PMD_SIZE - 1) / k->PMD_SIZE;
    if (blocks == 0)
        return FH_OK;
    const uint64_t last = begin + (blocks - 1) * k->PMD_SIZE;
    FH_RELY(s, is_addr(k, last), target_addr, num);
    FH_RELY(s, blocks == 1 || is_addr(k, remap_addr + (last - target_addr)), remap_addr, num);
    if (s->adt->halt)
        return FH_OK;
    FH_LOOP_BOUND(s, blocks);
    FH_TRY(load_block(s, vmid, begin, remap_addr));
    for (uint64_t i = 1; i < blocks && !s->adt->halt; i++) {
        const uint64_t start = begin + i * k->PMD_SIZE;
        FH_TRY(load_block(s, vmid, start, remap_addr + (start - target_addr)));
    }
    return FH_OK;
}
