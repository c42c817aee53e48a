/* SPDX-License-Identifier: GPL-2.0-only */
#include "trap_differences.h"

#include <stdio.h>
#include <string.h>

#include "base/wide.h"
#include "state/machine.h"

/* --- Looking at states ------------------------------------------------------------------------ */

static const struct fh_vminfo *vminfo_at(const struct fh_rdata *adt, uint64_t vmid)
{
    const void *entry = fh_map_get(&adt->shared.vminfos, &type_of_ref_vminfo->as_value, vmid);
    return fh_ref_record(type_of_ref_vminfo, entry);
}

static const struct fh_npt *npt_at(const struct fh_rdata *adt, uint64_t vmid)
{
    const void *entry = fh_map_get(&adt->shared.npts, &type_of_ref_npt->as_value, vmid);
    return fh_ref_record(type_of_ref_npt, entry);
}

static const struct fh_pt_entry *mapping_at(const struct fh_rdata *adt, uint64_t vmid, uint64_t gfn)
{
    return fh_map_get(&npt_at(adt, vmid)->pt, &type_of_pt_entry->as_value, gfn);
}

static const struct fh_s2page *page_at(const struct fh_rdata *adt, uint64_t pfn)
{
    return fh_map_get(&adt->shared.s2page, &type_of_s2page->as_value, pfn);
}

static const struct fh_ctxt *ctxt_at(const struct fh_rdata *adt, uint64_t ctxtid)
{
    const void *entry = fh_map_get(&adt->shadow_ctxts, &type_of_ref_ctxt->as_value, ctxtid);
    return fh_ref_record(type_of_ref_ctxt, entry);
}

static uint64_t number_in(const struct fh_map *map, uint64_t key)
{
    return *(const uint64_t *)fh_map_get(map, &type_of_u64->as_value, key);
}

static uint64_t vm_state_of(const struct trial *t, uint64_t vmid)
{
    return vminfo_at(t->before, vmid)->VS.vm_state;
}

static bool is_vm(const struct trial *t, uint64_t vmid)
{
    return vmid > t->k->HOSTVISOR && vmid < t->k->COREVISOR;
}

static uint64_t bank_owner(const struct trial *t, uint64_t cbndx, uint64_t index)
{
    const uint64_t id = index * t->k->SMMU_NUM_CTXT_BANKS + cbndx;
    return *(const uint64_t *)fh_map_get(&t->before->shared.smmu_vmid,
                                         &type_of_vmid_or_invalid->as_value, id);
}

static bool is_taken(const struct fh_rdata *adt, uint64_t id)
{
    return *(const uint8_t *)fh_map_get(&adt->lock, &type_of_lock_status->as_value, id) !=
           FH_LOCK_FREE;
}

static bool is_kept(const struct fh_rdata *adt, uint64_t id)
{
    return !*(const bool *)fh_map_get(&adt->shared.hlock, &type_of_bool_or_true->as_value, id);
}

/* The condition that one form is stuck at. */
static bool needs(const struct trap_answer *answer, const char *function, const char *condition)
{
    return strcmp(answer->error.function, function) == 0 &&
           strncmp(answer->error.condition, condition, strlen(condition)) == 0;
}

static uint64_t ctxt_of(const struct trial *t)
{
    return t->trap->vmid * t->k->VCPU_PER_VM + t->trap->vcpuid;
}

/* A register in a context, of the part that `path` names: ctxt_regs or ctxt_states. */
static uint64_t register_of(const struct fh_ctxt *ctxt, const struct difference *d)
{
    const char *part = strstr(d->path, "ctxt_states") ? "ctxt_states" : "ctxt_regs";
    const struct fh_field *record = fh_type_field(type_of_ref_ctxt, part, strlen(part));
    const struct fh_field *field = fh_type_field(record->type, d->field, strlen(d->field));
    const char *place = (const char *)ctxt + record->offset + field->offset;
    return *(const uint64_t *)(const void *)place;
}

/* x0 to x30 */
static bool is_general(const char *field)
{
    return field[0] == 'x';
}

/* --- What each form demands ------------------------------------------------------------------- */

static bool other_one_runs(const struct trial *t, const struct difference *d)
{
    (void)d;
    return t->before->icore || t->before->ihost == (t->trap->entry == TRAP_VM_EXIT);
}

static bool lock_is_kept(const struct trial *t, const struct difference *d)
{
    (void)d;
    const struct fh_error *error = &t->atomic.error;
    return strncmp(error->condition, "is_usable", 9) == 0 && is_kept(t->before, error->values[0]);
}

static bool lock_is_taken(const struct trial *t, const struct difference *d)
{
    (void)d;
    const struct fh_error *error = &t->raw.error;
    return (strncmp(error->condition, "lock_status", 11) == 0 ||
            strncmp(error->condition, "lock_is_available", 17) == 0 ||
            strstr(error->condition, "host_table_is_available") ||
            strstr(error->condition, "lock_is_available")) &&
           is_taken(t->before, error->values[0]);
}

static bool current_vcpu_is_out_of_range(const struct trial *t, const struct difference *d)
{
    (void)d;
    return (uint64_t)t->before->cur_vcpuid >= t->k->VCPU_PER_VM;
}

/* --- Hypercalls of the host ------------------------------------------------------------------- */

static bool sum_is_no_page_number(const struct trial *t, const struct difference *d)
{
    (void)d;
    return wide_add(t->trap->x[2], t->trap->x[3]) >= t->k->KVM_PFN_SPACE;
}

static bool image_is_empty(const struct trial *t, const struct difference *d)
{
    (void)d;
    return t->trap->x[3] == 0;
}

static bool counted_nevertheless(const struct trial *t, const struct difference *d)
{
    return d->key == t->trap->x[1] && d->raw == d->atomic + 1;
}

static bool page_is_out_of_range(const struct trial *t, const struct difference *d)
{
    (void)d;
    return t->trap->x[2] >= t->k->KVM_PFN_SPACE;
}

static bool range_is_beyond_40_bits(const struct trial *t, const struct difference *d)
{
    (void)d;
    return t->trap->x[2] >= t->k->KVM_PHYS_SIZE || t->trap->x[3] >= t->k->KVM_PHYS_SIZE;
}

static bool range_has_no_page_numbers(const struct trial *t, const struct difference *d)
{
    (void)d;
    return needs(&t->raw, "clear_vm_range", "is_pfn");
}

/* Page `pfn` is one that CLEAR_VM_S2_RANGE gives back to the host. */
static bool is_cleared(const struct trial *t, uint64_t pfn)
{
    const uint64_t first = t->trap->x[2] / t->k->PAGE_SIZE;
    return vm_state_of(t, t->trap->x[1]) == t->k->POWEROFF && pfn >= first &&
           pfn - first < t->trap->x[3] / t->k->PAGE_SIZE &&
           page_at(t->before, pfn)->s2_owner == t->trap->x[1];
}

static bool cleared_page_is_unmapped(const struct trial *t, const struct difference *d)
{
    return is_cleared(t, d->key) && d->atomic == t->k->PAGE_GUEST;
}

/* The VM of the bank in x2 and x3. */
static uint64_t state_of_bank_owner(const struct trial *t)
{
    return vm_state_of(t, bank_owner(t, t->trap->x[2], t->trap->x[3]));
}

static bool bank_owner_is_past_verified(const struct trial *t, const struct difference *d)
{
    (void)d;
    return is_vm(t, bank_owner(t, t->trap->x[2], t->trap->x[3])) &&
           state_of_bank_owner(t) > t->k->VERIFIED;
}

static bool new_owner_is_verified(const struct trial *t, const struct difference *d)
{
    (void)d;
    return is_vm(t, t->trap->x[2]) && vm_state_of(t, t->trap->x[2]) == t->k->VERIFIED &&
           bank_owner(t, t->trap->x[1], t->trap->x[3]) == t->k->INVALID;
}

static uint64_t owner_for_map(const struct trial *t)
{
    return bank_owner(t, t->trap->x[4], t->trap->x[5]);
}

static bool page_goes_to_unverified(const struct trial *t, const struct difference *d)
{
    (void)d;
    return is_vm(t, owner_for_map(t)) && vm_state_of(t, owner_for_map(t)) != t->k->VERIFIED;
}

static bool is_page_for_device(const struct trial *t, const struct difference *d)
{
    return is_vm(t, owner_for_map(t)) && d->key == t->trap->x[2] / t->k->PAGE_SIZE;
}

static bool is_data_of_owner(const struct trial *t, const struct difference *d)
{
    return is_vm(t, owner_for_map(t)) && d->key == owner_for_map(t) && d->raw == d->atomic + 1;
}

static bool bank_has_no_valid_owner(const struct trial *t, const struct difference *d)
{
    (void)d;
    const uint64_t *x = t->trap->x;
    const uint64_t owner = x[0] == t->k->HVC_SMMU_LPAE_MAP   ? owner_for_map(t)
                           : x[0] == t->k->HVC_SMMU_FREE_PGD ? bank_owner(t, x[1], x[2])
                                                             : bank_owner(t, x[2], x[3]);
    return owner > t->k->COREVISOR && owner != t->k->INVALID;
}

static bool is_for_host_or_core(const struct trial *t, const struct difference *d)
{
    (void)d;
    return t->trap->x[1] == t->k->HOSTVISOR || t->trap->x[1] == t->k->COREVISOR;
}

/* Up to the end of the last page a range leaves the address space, up to its own end it does not.
 */
static bool last_page_is_out_of_space(const struct trial *t, const struct difference *d)
{
    (void)d;
    const uint64_t *x = t->trap->x, page = t->k->PAGE_SIZE;
    const wide size = wide_add(x[4], page - 1) & ~(wide)(page - 1);
    const bool is_inside =
        wide_add(x[2], x[4]) < t->k->KVM_ADDR_SPACE && wide_add(x[3], x[4]) < t->k->KVM_PHYS_SIZE;
    return is_inside && (x[2] + size >= t->k->KVM_ADDR_SPACE || x[3] + size >= t->k->KVM_PHYS_SIZE);
}

static bool is_context_of_host(const struct trial *t, const struct difference *d)
{
    return d->key == (uint64_t)t->before->cur_vcpuid;
}

static bool is_number_of_new_vm(const struct trial *t, const struct difference *d)
{
    return is_context_of_host(t, d) && d->atomic == t->before->shared.core_data.next_vmid;
}

static uint64_t images_of(const struct trial *t)
{
    return vminfo_at(t->before, t->trap->x[1])->VB.vm_next_load_info;
}

static bool image_is_not_signed(const struct trial *t, const struct difference *d)
{
    (void)d;
    const struct fh_boot_info *boot = &vminfo_at(t->before, t->trap->x[1])->VB;
    for (uint64_t i = 0; i < images_of(t) && i < t->k->MAX_LOAD_INFO_NUM; i++) {
        if (!image_is_signed(number_in(&boot->vm_remap_addr, i)))
            return true;
    }
    return false;
}

static bool has_more_images_than_room(const struct trial *t, const struct difference *d)
{
    (void)d;
    return images_of(t) > t->k->MAX_LOAD_INFO_NUM;
}

static bool has_third_image(const struct trial *t, const struct difference *d)
{
    (void)d;
    return images_of(t) > 2;
}

/*
 * What an image behind the second one brings: its pages, where they belong in the VM, and the
 * tables and data for them. All images here are smaller than a block and lie in one or in two.
 */
static bool is_of_later_image(const struct trial *t, const struct difference *d)
{
    const struct fh_boot_info *boot = &vminfo_at(t->before, t->trap->x[1])->VB;
    const uint64_t span = 2 * t->k->PMD_PAGE_NUM;
    const bool is_table = strstr(d->path, "_t.") || strstr(d->path, "_next");
    if (images_of(t) <= 2 || strstr(d->path, "data_log"))
        return images_of(t) > 2 && d->key == t->trap->x[1];
    for (uint64_t i = 2; i < images_of(t); i++) {
        const uint64_t gfn = number_in(&boot->vm_load_addr, i) / t->k->PMD_SIZE;
        const uint64_t remap = number_in(&boot->vm_remap_addr, i) / t->k->PAGE_SIZE;
        const uint64_t pfn = mapping_at(t->before, t->k->COREVISOR, remap)->pfn;
        if (is_table || d->key - gfn * t->k->PMD_PAGE_NUM < span ||
            d->key - pfn / t->k->PMD_PAGE_NUM * t->k->PMD_PAGE_NUM < span)
            return true;
    }
    return false;
}

static bool is_dirty_mark(const struct trial *t, const struct difference *d)
{
    return d->key == t->trap->x[1] * t->k->VCPU_PER_VM + t->trap->x[2] && d->raw == t->k->INVALID64;
}

static bool is_page_in(uint64_t addr, const struct trial *t, const struct difference *d)
{
    return d->key == addr / t->k->PAGE_SIZE;
}

static bool is_encrypted_page(const struct trial *t, const struct difference *d)
{
    return is_page_in(t->trap->x[3], t, d);
}

static bool is_decrypted_page(const struct trial *t, const struct difference *d)
{
    return is_page_in(t->trap->x[2], t, d);
}

static bool is_data_of_host(const struct trial *t, const struct difference *d)
{
    return d->key == t->k->HOSTVISOR && d->atomic > d->raw;
}

static bool is_from_context_of_host(const struct trial *t, const struct difference *d)
{
    const uint64_t id = (uint64_t)t->before->cur_vcpuid;
    return d->atomic == register_of(ctxt_at(t->atomic.after, id), d);
}

static bool is_vm_of_call(const struct trial *t, const struct difference *d)
{
    return d->key == t->trap->x[1] && d->atomic == 1;
}

/* --- A stage-2 fault of the host -------------------------------------------------------------- */

static bool syndrome_is_beyond_32_bits(const struct trial *t, const struct difference *d)
{
    (void)d;
    return t->before->regs->ctxt_regs.esr_el2 > UINT32_MAX;
}

static bool there_are_two_smmus(const struct trial *t, const struct difference *d)
{
    (void)d;
    return t->before->smmu_conf->smmu_num >= t->k->SMMU_COUNT_END;
}

static bool writes_to_no_bank(const struct trial *t, const struct difference *d)
{
    (void)d;
    return needs(&t->raw, "get_smmu_cfg_vmid", "is_smmu_cfg");
}

static bool writes_to_bank_of_nobody(const struct trial *t, const struct difference *d)
{
    (void)d;
    return needs(&t->raw, "cbar_write_allowed", "is_vmid");
}

/* --- A vCPU is run ---------------------------------------------------------------------------- */

static uint64_t dirty_of(const struct trial *t)
{
    return ctxt_at(t->before, ctxt_of(t))->ctxt_states.dirty;
}

static bool is_first_run(const struct trial *t)
{
    return dirty_of(t) == t->k->INVALID64;
}

static bool came_encrypted(const struct trial *t)
{
    return vminfo_at(t->before, t->trap->vmid)->VB.vm_inc_exe != 0;
}

/*
 * core_to_vm: x0 to x30 stay the host's (or, behind an exit, the VM's own), all others come from
 * the shadow context.
 */
static bool is_turned_round(const struct trial *t, const struct difference *d)
{
    const uint64_t id = ctxt_of(t);
    if (!is_general(d->field))
        return d->raw == register_of(ctxt_at(t->raw.after, id), d);
    return d->raw == register_of(t->before->regs, d) &&
           d->atomic == register_of(ctxt_at(t->atomic.after, id), d);
}

/* x1 to x24 get what belongs to system registers, which keep what they had. */
static bool is_reset_elsewhere(const struct trial *t, const struct difference *d)
{
    if (d->key != ctxt_of(t) || !is_first_run(t) || came_encrypted(t))
        return false;
    if (is_general(d->field))
        return d->atomic == 0;
    return d->raw == register_of(ctxt_at(t->before, d->key), d);
}

static bool is_one_more_for_actlr(const struct trial *t, const struct difference *d)
{
    return d->key == t->trap->vmid && is_first_run(t) && d->atomic == d->raw + 1;
}

static bool is_first_run_of_encrypted(const struct trial *t, const struct difference *d)
{
    return is_first_run(t) && came_encrypted(t) &&
           (!d || d->key == (strncmp(d->path, "data_log", 8) == 0 ? t->trap->vmid : ctxt_of(t)));
}

/* Of the two one injects an exception, and the other leaves what it had, but for steps of the pc.
 */
static bool is_exception_of_one(const struct trial *t, const struct difference *d)
{
    if (d->key != ctxt_of(t) || is_first_run(t))
        return false;
    const bool is_pending = (dirty_of(t) & t->k->PENDING_EXCEPT_INJECT_FLAG) != 0;
    const bool steps = (dirty_of(t) & t->k->DIRTY_PC_FLAG) != 0;
    const uint64_t step = strcmp(d->field, "pc") == 0 && steps ? 4 : 0;
    const uint64_t other = is_pending ? d->atomic : d->raw;
    return other == register_of(ctxt_at(t->before, d->key), d) + step;
}

/* The address of a fault is on page 0. */
static bool fault_is_on_page_0(const struct trial *t, const struct difference *d)
{
    (void)d;
    const uint64_t addr = t->trap->core[1];
    return !is_first_run(t) && addr > 0 && addr < t->k->PAGE_SIZE;
}

static bool page_for_fault_is_out_of_range(const struct trial *t, const struct difference *d)
{
    (void)d;
    return needs(&t->raw, "assign_pfn_to_vm", "is_pfn") ||
           needs(&t->raw, "prot_and_map_vm_s2pt", "is_pfn");
}

static bool page_was_without_gfn(const struct trial *t, const struct difference *d)
{
    const struct fh_s2page *page = page_at(t->before, d->key);
    return page->s2_owner == t->trap->vmid && page->s2_gfn == t->k->INVALID64 &&
           d->atomic == t->k->INVALID64;
}

static bool page_was_of_device(const struct trial *t, const struct difference *d)
{
    const struct fh_s2page *page = page_at(t->before, d->key);
    return page->s2_owner == t->trap->vmid && page->s2_count == t->k->INVALID && d->raw == 0;
}

/* The VM has no right to the page, and is not to have it. */
static bool page_is_refused(const struct trial *t, const struct difference *d)
{
    (void)d;
    const uint64_t gfn = t->trap->core[1] / t->k->PAGE_SIZE;
    const uint64_t pfn = (t->trap->core[2] & t->k->PHYS_MASK & t->k->PAGE_MASK) / t->k->PAGE_SIZE;
    const struct fh_s2page *page = page_at(t->before, pfn);
    if (is_first_run(t) || gfn == 0 || t->trap->core[3] == 2)
        return false;
    if (page->s2_owner == t->k->HOSTVISOR)
        return page->s2_count != 0;
    return page->s2_owner != t->trap->vmid ||
           (page->s2_gfn != t->k->INVALID64 && page->s2_gfn != gfn);
}

static bool pc_is_at_the_end(const struct trial *t, const struct difference *d)
{
    (void)d;
    return !is_first_run(t) && (dirty_of(t) & t->k->PENDING_EXCEPT_INJECT_FLAG) != 0 &&
           ctxt_at(t->before, ctxt_of(t))->ctxt_states.pc > UINT64_MAX - 4;
}

static bool there_are_too_many_images(const struct trial *t, const struct difference *d)
{
    (void)d;
    return is_first_run(t) &&
           vminfo_at(t->before, t->trap->vmid)->VB.vm_next_load_info > t->k->MAX_LOAD_INFO_NUM;
}

static bool is_not_a_vm(const struct trial *t, const struct difference *d)
{
    (void)d;
    return !is_vm(t, t->trap->x[0]);
}

static bool is_beyond_32_bits(const struct trial *t, const struct difference *d)
{
    (void)d;
    return needs(&t->raw, "restore_vm", "is_int");
}

static bool vcpu_is_out_of_range(const struct trial *t, const struct difference *d)
{
    (void)d;
    return t->trap->core[0] >= t->k->VCPU_PER_VM && t->atomic.after->cur_vcpuid == -1;
}

/* --- A vCPU stops ----------------------------------------------------------------------------- */

static bool is_hypercall(const struct trial *t)
{
    const uint64_t class = t->before->regs->ctxt_regs.esr_el2 >> t->k->ESR_ELx_EC_SHIFT & 63;
    return t->before->regs->ctxt_regs.ec == t->k->ARM_EXCEPTION_TRAP &&
           class == t->k->ESR_ELx_EC_HVC64;
}

static bool is_mark_of_hypercall(const struct trial *t, const struct difference *d)
{
    return d->key == ctxt_of(t) && is_hypercall(t) && d->raw == 1;
}

/*
 * A page of a block of 2 MiB that the call shares, or any (pfn 0). The blocks of the machine lie at
 * multiples of their size.
 */
static bool shares_block_of(const struct trial *t, uint64_t pfn)
{
    const struct fh_ctxt_regs *regs = &t->before->regs->ctxt_regs;
    const uint64_t gfn = regs->x2 >> t->k->PAGE_SHIFT;
    const uint64_t pages = (regs->x3 + t->k->PAGE_SIZE - 1) >> t->k->PAGE_SHIFT;
    for (uint64_t i = 0; is_hypercall(t) && i < pages && i < t->k->PMD_PAGE_NUM; i++) {
        const struct fh_pt_entry *entry = mapping_at(t->before, t->trap->vmid, gfn + i);
        const uint64_t first = (entry->pte & t->k->PHYS_MASK & t->k->PAGE_MASK) >> 12;
        if (entry->level == 2 && (pfn == 0 || pfn - first < t->k->PMD_PAGE_NUM))
            return true;
    }
    return false;
}

static bool is_in_a_block(const struct trial *t, const struct difference *d)
{
    return shares_block_of(t, d->key);
}

static bool is_data_of_vm_with_a_block(const struct trial *t, const struct difference *d)
{
    return d->key == t->trap->vmid && shares_block_of(t, 0);
}

/* It takes back pages that are in a block of the host, out of which none can be taken: a panic. */
static bool revokes_out_of_block(const struct trial *t, const struct difference *d)
{
    (void)d;
    const struct fh_ctxt_regs *regs = &t->before->regs->ctxt_regs;
    const uint64_t gfn = regs->x2 >> t->k->PAGE_SHIFT;
    const uint64_t pages = (regs->x3 + t->k->PAGE_SIZE - 1) >> t->k->PAGE_SHIFT;
    for (uint64_t i = 0; i < pages && i < t->k->PMD_PAGE_NUM; i++) {
        const uint64_t pfn = mapping_at(t->before, t->trap->vmid, gfn + i)->pfn;
        if (mapping_at(t->before, t->k->HOSTVISOR, pfn)->level == 2)
            return is_hypercall(t) && regs->x0 == t->k->HVC_KVM_UNSET_DESC_PFN;
    }
    return false;
}

static bool revokes_other_page_of_block(const struct trial *t, const struct difference *d)
{
    return revokes_out_of_block(t, d) && shares_block_of(t, 0);
}

static bool revokes_behind_halt(const struct trial *t, const struct difference *d)
{
    return revokes_out_of_block(t, d) && needs(&t->atomic, "revoke_page", "is_usable") &&
           !is_kept(t->before, t->atomic.error.values[0]);
}

static bool last_instruction_traps(const struct trial *t, const struct difference *d)
{
    (void)d;
    return t->before->regs->ctxt_regs.elr_el2 > UINT64_MAX - 4;
}

static bool range_is_out_of_space(const struct trial *t, const struct difference *d)
{
    (void)d;
    return needs(&t->raw, "share_range", "is_addr");
}

/* --- The table -------------------------------------------------------------------------------- */

/* clang-format off */
#define HVC (1u << TRAP_HOST_HVC)
#define NPT (1u << TRAP_HOST_NPT)
#define RUN (1u << TRAP_VCPU_RUN)
#define EXIT (1u << TRAP_VM_EXIT)
#define ALL (HVC | NPT | RUN | EXIT)
#define ANY (DONE | HALTS | STUCK | UNREPRESENTABLE | GIVES_UP)
#define AT(...) {__VA_ARGS__}
#define OUTCOMES {NULL}

/* The words of a page table: mappings, and which tables there are. */
#define TABLES                                                                                     \
    "shared.npts.*.pt.*", "shared.npts.*.pgd_t.*", "shared.npts.*.pud_t.*.*",                      \
        "shared.npts.*.pmd_t.*.*.*", "shared.npts.*.pt_pgd_next", "shared.npts.*.pt_pud_next",     \
        "shared.npts.*.pt_pmd_next"
#define PAGE "shared.s2page.*.s2_owner", "shared.s2page.*.s2_count", "shared.s2page.*.s2_gfn"
#define ON_CALL(name) HVC, CALL_HVC_##name
#define ON(entries) entries, 0

const struct trap_rule trap_rules[] = {
    {"other-one-runs", ON(ALL), ANY, STUCK, OUTCOMES, other_one_runs},
    {"lock-kept", ON(ALL), ANY, STUCK, OUTCOMES, lock_is_kept},
    {"lock-taken", ON(ALL), STUCK, ANY, OUTCOMES, lock_is_taken},
    {"current-vcpu-out-of-range", ON(ALL), STUCK, ANY, OUTCOMES, current_vcpu_is_out_of_range},

    {"boot-info-sum", ON_CALL(SET_BOOT_INFO), DONE, HALTS, OUTCOMES, sum_is_no_page_number},
    {"boot-info-empty", ON_CALL(SET_BOOT_INFO), DONE, HALTS, OUTCOMES, image_is_empty},
    {"boot-info-counted", ON_CALL(SET_BOOT_INFO), HALTS, HALTS,
     AT("shared.vminfos.*.VB.vm_next_load_info"), counted_nevertheless},
    {"remap-page", ON_CALL(REMAP_VM_IMAGE), HALTS, DONE | UNREPRESENTABLE, OUTCOMES,
     page_is_out_of_range},
    {"clear-range", ON_CALL(CLEAR_VM_S2_RANGE), DONE, HALTS, OUTCOMES, range_is_beyond_40_bits},
    {"clear-range-beyond", ON_CALL(CLEAR_VM_S2_RANGE), STUCK, ANY, OUTCOMES,
     range_has_no_page_numbers},
    {"clear-unmaps", ON_CALL(CLEAR_VM_S2_RANGE), DONE, DONE, AT("shared.npts.0.pt.*"),
     cleared_page_is_unmapped},
    {"verify-unsigned", ON_CALL(VERIFY_VM_IMAGE), HALTS, DONE, OUTCOMES, image_is_not_signed},
    {"verify-too-many-images", ON_CALL(VERIFY_VM_IMAGE), STUCK, ANY, OUTCOMES,
     has_more_images_than_room},
    {"verify-third-image", ON_CALL(VERIFY_VM_IMAGE), HALTS, DONE, OUTCOMES, has_third_image},
    {"verify-third-image-loaded", ON_CALL(VERIFY_VM_IMAGE), DONE, DONE,
     AT(TABLES, PAGE, "shared.flatmem.*", "data_log.*"), is_of_later_image},
    {"ioremap-for-core", ON_CALL(PHYS_ADDR_IOREMAP), DONE | STUCK | GIVES_UP, HALTS, OUTCOMES,
     is_for_host_or_core},
    {"ioremap-last-page", ON_CALL(PHYS_ADDR_IOREMAP), DONE, HALTS, OUTCOMES,
     last_page_is_out_of_space},
    {"register-kvm-number", ON_CALL(REGISTER_KVM), HALTS, HALTS,
     AT("shadow_ctxts.*.ctxt_regs.x0"), is_number_of_new_vm},
    {"register-vcpu-dirty", ON_CALL(REGISTER_VCPU), DONE, DONE,
     AT("shadow_ctxts.*.ctxt_states.dirty"), is_dirty_mark},

    {"smmu-free-owner", ON_CALL(SMMU_FREE_PGD), STUCK, DONE | HALTS, OUTCOMES,
     bank_has_no_valid_owner},
    {"smmu-map-owner", ON_CALL(SMMU_LPAE_MAP), STUCK, DONE | HALTS, OUTCOMES,
     bank_has_no_valid_owner},
    {"smmu-clear-owner", ON_CALL(SMMU_CLEAR), STUCK, DONE | HALTS, OUTCOMES,
     bank_has_no_valid_owner},
    {"smmu-alloc-verified", ON_CALL(SMMU_ALLOC_PGD), DONE, HALTS, OUTCOMES,
     new_owner_is_verified},
    {"smmu-clear-poweroff", ON_CALL(SMMU_CLEAR), DONE, HALTS, OUTCOMES,
     bank_owner_is_past_verified},
    {"smmu-assign-state", ON_CALL(SMMU_LPAE_MAP), HALTS, DONE, OUTCOMES, page_goes_to_unverified},
    {"smmu-assign-page", ON_CALL(SMMU_LPAE_MAP), HALTS, HALTS, AT("shared.npts.0.pt.*", PAGE),
     is_page_for_device},
    {"smmu-assign-contents", ON_CALL(SMMU_LPAE_MAP), HALTS, HALTS, AT("shared.flatmem.*"),
     is_page_for_device},
    {"smmu-assign-data", ON_CALL(SMMU_LPAE_MAP), HALTS, HALTS, AT("data_log.*"),
     is_data_of_owner},

    {"encrypt-buf", ON_CALL(ENCRYPT_BUF), DONE, HALTS, OUTCOMES, NULL},
    {"encrypt-buf-page", ON_CALL(ENCRYPT_BUF), DONE, DONE, AT("shared.flatmem.*"),
     is_encrypted_page},
    {"encrypt-buf-data", ON_CALL(ENCRYPT_BUF), DONE, DONE, AT("data_log.*"), is_data_of_host},
    {"decrypt-buf", ON_CALL(DECRYPT_BUF), DONE, HALTS, OUTCOMES, NULL},
    {"decrypt-buf-page", ON_CALL(DECRYPT_BUF), DONE, DONE,
     AT("shared.flatmem.*", "shared.npts.0.pt.*", PAGE), is_decrypted_page},
    {"decrypt-buf-data", ON_CALL(DECRYPT_BUF), DONE, DONE, AT("data_log.*"), is_data_of_host},
    {"save-vcpu", ON_CALL(SAVE_CRYPT_VCPU), DONE, HALTS, OUTCOMES, NULL},
    {"load-vcpu", ON_CALL(LOAD_CRYPT_VCPU), DONE, HALTS, OUTCOMES, NULL},
    {"load-vcpu-context", ON_CALL(LOAD_CRYPT_VCPU), DONE, DONE,
     AT("shadow_ctxts.*.ctxt_regs.x0", "shadow_ctxts.*.ctxt_regs.x1",
        "shadow_ctxts.*.ctxt_regs.elr_el1", "shadow_ctxts.*.ctxt_states.pc"),
     is_context_of_host},
    {"load-vcpu-registers", ON_CALL(LOAD_CRYPT_VCPU), DONE, DONE,
     AT("regs.ctxt_regs.x0", "regs.ctxt_regs.x1"), is_from_context_of_host},
    {"load-vcpu-data", ON_CALL(LOAD_CRYPT_VCPU), DONE, DONE, AT("data_log.*"), is_data_of_host},
    {"load-vcpu-flag", ON_CALL(LOAD_CRYPT_VCPU), DONE, DONE,
     AT("shared.vminfos.*.VB.vm_inc_exe"), is_vm_of_call},

    {"npt-syndrome", ON(NPT), STUCK, ANY, OUTCOMES, syndrome_is_beyond_32_bits},
    {"npt-two-smmus", ON(NPT), STUCK, ANY, OUTCOMES, there_are_two_smmus},
    {"npt-no-such-bank", ON(NPT), STUCK, ANY, OUTCOMES, writes_to_no_bank},
    {"npt-bank-of-nobody", ON(NPT), STUCK, ANY, OUTCOMES, writes_to_bank_of_nobody},

    {"core-to-vm", ON(RUN | EXIT), DONE, DONE, AT("regs.ctxt_regs.*"), is_turned_round},
    {"run-not-a-vm", ON(RUN), HALTS, HALTS, AT("shadow_ctxts.*.ctxt_regs.*"), is_not_a_vm},
    {"run-beyond-32-bits", ON(RUN), STUCK, HALTS, OUTCOMES, is_beyond_32_bits},
    {"run-no-such-vcpu", ON(RUN), HALTS, HALTS, AT("cur_vmid", "cur_vcpuid"),
     vcpu_is_out_of_range},
    {"first-run-registers", ON(RUN), DONE, DONE,
     AT("shadow_ctxts.*.ctxt_regs.*", "shadow_ctxts.*.ctxt_states.esr_el1",
        "shadow_ctxts.*.ctxt_states.spsr_0"),
     is_reset_elsewhere},
    {"first-run-actlr", ON(RUN), DONE, DONE, AT("data_log.*"), is_one_more_for_actlr},
    {"first-run-too-many-images", ON(RUN), STUCK, DONE | HALTS, OUTCOMES,
     there_are_too_many_images},
    {"first-run-encrypted", ON(RUN), HALTS, DONE, OUTCOMES, is_first_run_of_encrypted},
    {"first-run-encrypted-kept", ON(RUN), DONE, DONE,
     AT("shadow_ctxts.*.ctxt_regs.*", "shadow_ctxts.*.ctxt_states.*", "data_log.*"),
     is_first_run_of_encrypted},
    {"exception-inverted", ON(RUN), DONE | HALTS, DONE | HALTS,
     AT("shadow_ctxts.*.ctxt_regs.elr_el1", "shadow_ctxts.*.ctxt_states.pc",
        "shadow_ctxts.*.ctxt_states.pstate", "shadow_ctxts.*.ctxt_states.spsr_0",
        "shadow_ctxts.*.ctxt_states.esr_el1"),
     is_exception_of_one},
    {"exception-pc-at-the-end", ON(RUN), DONE | HALTS, UNREPRESENTABLE, OUTCOMES,
     pc_is_at_the_end},
    {"fault-on-page-0", ON(RUN), HALTS | STUCK, DONE, OUTCOMES, fault_is_on_page_0},
    {"fault-on-page-0-mapped", ON(RUN), DONE, DONE,
     AT(TABLES, "shared.s2page.*.s2_owner", "shared.s2page.*.s2_gfn", "shared.flatmem.*",
        "data_log.*", "core_data_log.*"),
     fault_is_on_page_0},
    {"fault-page-out-of-range", ON(RUN), STUCK, ANY, OUTCOMES, page_for_fault_is_out_of_range},
    {"fault-page-refused", ON(RUN), HALTS, DONE, OUTCOMES, page_is_refused},
    {"fault-page-without-gfn", ON(RUN), DONE | HALTS, DONE | HALTS,
     AT("shared.s2page.*.s2_gfn"), page_was_without_gfn},
    {"fault-page-of-device", ON(RUN), DONE | HALTS, DONE | HALTS,
     AT("shared.s2page.*.s2_count"), page_was_of_device},

    {"hypercall-dirty", ON(EXIT), DONE | HALTS, DONE | HALTS,
     AT("shadow_ctxts.*.ctxt_states.dirty"), is_mark_of_hypercall},
    {"share-block", ON(EXIT), DONE, DONE,
     AT("shared.s2page.*.s2_count", "shared.flatmem.*", "shared.npts.0.pt.*"), is_in_a_block},
    {"share-block-data", ON(EXIT), DONE, DONE, AT("data_log.*"), is_data_of_vm_with_a_block},
    {"share-block-halt", ON(EXIT), HALTS, DONE, OUTCOMES, revokes_other_page_of_block},
    {"revoke-behind-halt", ON(EXIT), HALTS, STUCK, OUTCOMES, revokes_behind_halt},
    {"share-range", ON(EXIT), STUCK, ANY, OUTCOMES, range_is_out_of_space},
    {"last-instruction", ON(EXIT), DONE, UNREPRESENTABLE, OUTCOMES, last_instruction_traps},
    {NULL, ON(0), 0, 0, OUTCOMES, NULL},
};
/* clang-format on */

/* --- Finding and telling ---------------------------------------------------------------------- */

static const char *const entry_names[] = {"host_hvc", "host_npt", "host_vcpu_run", "vm_exit"};

/* Texts are put together in a buffer; what does not fit is cut off. */
static void add(char *buffer, size_t size, const char *text)
{
    const size_t length = strlen(buffer);
    snprintf(buffer + length, size - length, "%s", text);
}

static void add_outcomes(char *buffer, size_t size, unsigned outcomes)
{
    const char *comma = "";
    if (outcomes == ANY) {
        add(buffer, size, "any");
        return;
    }
    for (unsigned outcome = DONE; outcome <= GIVES_UP; outcome *= 2) {
        if ((outcomes & outcome) == 0)
            continue;
        add(buffer, size, comma);
        add(buffer, size, outcome_name(outcome));
        comma = ", ";
    }
}

static void add_traps(char *buffer, size_t size, const struct trap_rule *rule)
{
    const char *comma = "";
    if (rule->call || rule->entries == ALL) {
        add(buffer, size, rule->call ? hypercall_name(rule->call) : "all");
        return;
    }
    for (unsigned entry = 0; entry < TRAP_ENTRIES; entry++) {
        if ((rule->entries >> entry & 1) == 0)
            continue;
        add(buffer, size, comma);
        add(buffer, size, entry_names[entry]);
        comma = ", ";
    }
}

static void add_difference(char *buffer, size_t size, const struct trap_rule *rule)
{
    if (!rule->places[0]) {
        add_outcomes(buffer, size, rule->raw);
        add(buffer, size, " / ");
        add_outcomes(buffer, size, rule->atomic);
    }
    for (unsigned i = 0; i < PLACES && rule->places[i]; i++) {
        add(buffer, size, i ? ", `" : "`");
        add(buffer, size, rule->places[i]);
        add(buffer, size, "`");
    }
}

const char *rule_text(const struct trap_rule *rule, char *buffer, size_t size)
{
    snprintf(buffer, size, "| `%s` | ", rule->id);
    add_traps(buffer, size, rule);
    add(buffer, size, " | ");
    add_difference(buffer, size, rule);
    add(buffer, size, " | ");
    return buffer;
}

/* Does `path` fit `pattern`, in which * stands for one step? */
static bool fits(const char *pattern, const char *path)
{
    for (; *pattern; pattern++) {
        if (*pattern == '*')
            path += strcspn(path, ".");
        else if (*pattern != *path++)
            return false;
    }
    return *path == '\0';
}

static bool is_about(const struct trap_rule *rule, const struct difference *difference)
{
    if (!difference)
        return rule->places[0] == NULL;
    for (unsigned i = 0; i < PLACES && rule->places[i]; i++) {
        if (fits(rule->places[i], difference->path))
            return true;
    }
    return false;
}

const struct trap_rule *find_trap_rule(const struct trial *trial,
                                       const struct difference *difference)
{
    const struct trap *trap = trial->trap;
    for (const struct trap_rule *rule = trap_rules; rule->id; rule++) {
        const bool meets =
            (rule->entries >> trap->entry & 1) != 0 && (!rule->call || rule->call == trap->x[0]) &&
            (rule->raw & trial->raw.outcome) != 0 && (rule->atomic & trial->atomic.outcome) != 0;
        if (meets && is_about(rule, difference) && (!rule->holds || rule->holds(trial, difference)))
            return rule;
    }
    return NULL;
}

const char *outcome_name(enum trap_outcome outcome)
{
    switch (outcome) {
    case DONE: return "done";
    case HALTS: return "halts";
    case STUCK: return "stuck";
    case UNREPRESENTABLE: return "not representable";
    default: return "gives up";
    }
}
