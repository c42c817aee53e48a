/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "TrapHandler"
#include "layers/trap_handler_steps.h"

#include <string.h>

#include "layers/abstract_machine.h"
#include "layers/mmio_spt_walk.h"
#include "layers/npt_walk.h"
#include "layers/oracle.h"
#include "layers/physical.h"
#include "state/log.h"

/* Each function is the one of the same name in TrapHandler/Spec.v. */

/* --- slog and the other CPUs ------------------------------------------------------------------ */

/* Under FH_LOG_SUMMARY an event only counts. */
static enum fh_status push(struct fh_state *s, enum fh_event_kind kind, const uint64_t *args,
                           const void *ctxt)
{
    FH_TRY(save_value(s, &s->adt->slog, type_of_log));
    if (s->log_policy == FH_LOG_FULL) {
        struct fh_event *event =
            event_from_block(&s->events, &s->allocator, kind, s->adt->curid, args);
        if (!event)
            return FH_NOMEM;
        if (ctxt) {
            memcpy(&event->object, ctxt, type_of_ref_ctxt->as_value.value_size);
            fh_value_retain(type_of_ref_ctxt, &event->object);
        }
        log_push(&s->adt->slog, event);
    }
    log_step(&s->adt->slog, kind, s->adt->curid, args[0]);
    return FH_OK;
}

enum fh_status log_step_of(struct fh_state *s, enum fh_event_kind kind, const uint64_t *args)
{
    return push(s, kind, args, NULL);
}

enum fh_status log_step_with_ctxt(struct fh_state *s, enum fh_event_kind kind, const uint64_t *args,
                                  wide ctxtid)
{
    return push(s, kind, args, shadow_entry_of(s, ctxtid));
}

enum fh_status note_oracle(struct fh_state *s, struct others_effect *effect)
{
    *effect = (struct others_effect){false, 0};
    if (!s->env.soracle)
        return FH_OK;
    const struct fh_event *const *events = NULL;
    size_t count = s->env.soracle(s->env.context, s->adt->curid, &s->adt->slog, &events);
    if (count == 0)
        return FH_OK;
    FH_TRY(save_value(s, &s->adt->slog, type_of_log));
    for (size_t i = 0; i < count; i++) {
        if (!fh_log_append(&s->adt->slog, s->log_policy, &s->allocator, events[i]))
            return FH_NOMEM;
    }
    const struct fh_event *newest = events[count - 1];
    effect->maps_host = newest->kind == FH_EVENT_OMAP_HOST;
    effect->addr = newest->args[0];
    return FH_OK;
}

enum fh_status apply_oracle(struct fh_state *s, const struct others_effect *effect)
{
    bool ignored;
    return effect->maps_host ? local_map_host(s, effect->addr, &ignored) : FH_OK;
}

enum fh_status query_oracle(struct fh_state *s)
{
    struct others_effect effect;
    FH_TRY(note_oracle(s, &effect));
    return apply_oracle(s, &effect);
}

enum fh_status set_usable(struct fh_state *s, wide id, bool usable)
{
    void *entry;
    if (!is_int64(id)) { /* where the default holds */
        FH_LEAVES_64_BITS(s, is_usable(s, id) != usable, (uint64_t)id);
        return FH_OK;
    }
    FH_TRY(edit_entry(s, &s->adt->shared.hlock, type_of_bool_or_true, (uint64_t)id, &entry));
    *(bool *)entry = usable;
    return FH_OK;
}

/* KCore panics and keeps these locks. */
static enum fh_status keep_locks(struct fh_state *s, const wide *ids, size_t count, bool *halts)
{
    for (size_t i = 0; i < count; i++)
        FH_TRY(set_usable(s, ids[i], false));
    *halts = true;
    return FH_OK;
}

/* `needed`, in words, does not hold: KCore panics and keeps these locks. */
#define KEEP_LOCKS(s, halts, needed, ...)                                                          \
    (note_panic(s, FH_LAYER, __func__, needed, "", (const uint64_t[1]){0}, 0),                     \
     keep_locks(s, (const wide[]){__VA_ARGS__},                                                    \
                sizeof((const wide[]){__VA_ARGS__}) / sizeof(wide), halts))

/* *halts: does KCore panic, since this does not hold? No lock is kept. */
#define HALT_UNLESS(s, halts, needed, ...)                                                         \
    do {                                                                                           \
        const bool fh_holds_ = (needed);                                                           \
        if (!fh_holds_)                                                                            \
            FH_NOTE_PANIC(s, #needed, __VA_ARGS__);                                                \
        *(halts) = !fh_holds_;                                                                     \
    } while (0)

/* --- Pages ------------------------------------------------------------------------------------ */

static enum fh_status set_page(struct fh_state *s, uint64_t pfn, struct fh_s2page page)
{
    struct fh_s2page *entry;
    FH_TRY(edit_s2page(s, pfn, &entry));
    *entry = page;
    return FH_OK;
}

static enum fh_status set_count(struct fh_state *s, uint64_t pfn, uint32_t count)
{
    struct fh_s2page page = *s2page_of(s, pfn);
    page.s2_count = count;
    return set_page(s, pfn, page);
}

/* The host loses page `pfn`, if its table has any entry for it. */
static enum fh_status unmap_host(struct fh_state *s, uint64_t pfn, bool *full)
{
    const struct fh_profile *k = s->profile;
    *full = false;
    if (stage2_entry(s, k->HOSTVISOR, pfn).pte == 0)
        return FH_OK;
    FH_TRY(map_stage2(s, (uint32_t)k->HOSTVISOR, pfn * k->PAGE_SIZE, 3, k->PAGE_GUEST, full));
    return *full ? FH_OK : tlb_invalidate(s, k->HOSTVISOR, pfn * k->PAGE_SIZE);
}

/* The contents of page `pfn`: the next value of the data oracle of `vmid`. */
static enum fh_status fetch_page(struct fh_state *s, uint64_t vmid, uint64_t pfn)
{
    uint64_t value;
    FH_READ_DATA(s, vmid, &value);
    return set_entry_u64(s, &s->adt->shared.flatmem, pfn, value);
}

enum fh_status local_map_host(struct fh_state *s, uint64_t addr, bool *halts)
{
    const struct fh_profile *k = s->profile;
    const uint64_t pfn = pfn_of(k, addr);
    const struct fh_s2page *page = s2page_of(s, pfn);
    if (page->s2_owner != k->INVALID && page->s2_owner != k->HOSTVISOR && page->s2_count == 0)
        return KEEP_LOCKS(s, halts, "a page that is the host's, shared, or nobody's", k->S2PAGE_ID);
    const uint64_t attributes =
        page->s2_owner == k->INVALID ? k->PAGE_S2_DEVICE | k->S2_RDWR : k->PAGE_S2_KERNEL;
    FH_TRY(map_stage2(s, (uint32_t)k->HOSTVISOR, addr, 3, pfn * k->PAGE_SIZE | attributes, halts));
    return *halts ? KEEP_LOCKS(s, halts, FH_NEEDS_TABLES, k->S2PAGE_ID, k->NPT_ID) : FH_OK;
}

enum fh_status local_clear_vm_page(struct fh_state *s, uint64_t vmid, uint64_t pfn, bool *halts)
{
    const struct fh_profile *k = s->profile;
    *halts = false;
    if (s2page_of(s, pfn)->s2_owner != vmid)
        return FH_OK;
    FH_TRY(unmap_host(s, pfn, halts));
    if (*halts)
        return KEEP_LOCKS(s, halts, FH_NEEDS_TABLES, k->S2PAGE_ID, k->NPT_ID);
    FH_TRY(
        set_page(s, pfn, (struct fh_s2page){(uint32_t)k->HOSTVISOR, 0, pfn + k->SMMU_HOST_OFFSET}));
    FH_TRY(set_entry_u64(s, &s->adt->shared.flatmem, pfn, 0));
    return fill_memory_page(s, pfn, 0);
}

/* After a halt for lack of table pages the page's record names the VM nevertheless. A page that is
 * the VM's already stays as it is, whatever its count. */
enum fh_status local_assign_pfn_to_vm(struct fh_state *s, uint32_t vmid, uint64_t gfn, uint64_t pfn,
                                      bool *halts)
{
    const struct fh_profile *k = s->profile;
    const struct fh_s2page *page = s2page_of(s, pfn);
    *halts = false;
    if (page->s2_owner == k->HOSTVISOR && page->s2_count == 0) {
        FH_TRY(set_page(s, pfn, (struct fh_s2page){vmid, 0, gfn}));
        FH_TRY(unmap_host(s, pfn, halts));
        return *halts ? KEEP_LOCKS(s, halts, FH_NEEDS_TABLES, k->S2PAGE_ID, k->NPT_ID)
                      : fetch_page(s, vmid, pfn);
    }
    if (page->s2_owner != k->HOSTVISOR && page->s2_owner == vmid &&
        (page->s2_gfn == k->INVALID64 || page->s2_gfn == gfn))
        return FH_OK;
    return KEEP_LOCKS(s, halts,
                      "a page of the host that is not shared, or the VM's own at this address",
                      k->S2PAGE_ID);
}

enum fh_status local_map_pfn_vm(struct fh_state *s, uint32_t vmid, wide addr, uint64_t pte,
                                uint64_t level, bool *halts)
{
    const struct fh_profile *k = s->profile;
    const uint64_t page = phys_page(k, pte) | k->PAGE_S2_KERNEL;
    if (level == 2)
        FH_TRY(map_stage2(s, vmid, addr, 2, page & k->NOT_PMD_TABLE_BIT, halts));
    else
        FH_TRY(map_stage2(s, vmid, addr, 3, page, halts));
    return *halts ? KEEP_LOCKS(s, halts, FH_NEEDS_TABLES, k->NPT_ID + vmid) : FH_OK;
}

enum fh_status local_map_io(struct fh_state *s, uint32_t vmid, uint64_t gpa, uint64_t pa,
                            bool *halts)
{
    const struct fh_profile *k = s->profile;
    *halts = false;
    if (vminfo_of(s, vmid)->VS.vm_state != k->READY)
        return KEEP_LOCKS(s, halts, "vm_state == READY", k->INFO_ID + vmid);
    if (s2page_of(s, pfn_of(k, pa))->s2_owner != k->INVALID)
        return FH_OK;
    FH_TRY(map_stage2(s, vmid, gpa, 3, phys_page(k, pa) | k->PAGE_S2_DEVICE | k->S2_RDWR, halts));
    if (!*halts)
        return FH_OK;
    return KEEP_LOCKS(s, halts, FH_NEEDS_TABLES, k->INFO_ID + vmid, k->S2PAGE_ID, k->NPT_ID + vmid);
}

enum fh_status local_grant_vm_page(struct fh_state *s, uint64_t vmid, uint64_t pfn)
{
    const struct fh_s2page *page = s2page_of(s, pfn);
    if (page->s2_owner != vmid || page->s2_count >= s->profile->MAX_SHARE_COUNT)
        return FH_OK;
    return set_count(s, pfn, page->s2_count + 1);
}

/* After a halt the count is lower by one nevertheless. */
enum fh_status local_revoke_vm_page(struct fh_state *s, uint64_t vmid, uint64_t pfn, bool *halts)
{
    const struct fh_profile *k = s->profile;
    const struct fh_s2page *page = s2page_of(s, pfn);
    const uint32_t count = page->s2_count;
    *halts = false;
    if (page->s2_owner != vmid || count == 0)
        return FH_OK;
    FH_TRY(set_count(s, pfn, count - 1));
    if (count != 1)
        return FH_OK;
    FH_TRY(unmap_host(s, pfn, halts));
    return *halts ? KEEP_LOCKS(s, halts, FH_NEEDS_TABLES, k->S2PAGE_ID, k->NPT_ID)
                  : fetch_page(s, vmid, pfn);
}

/* --- VMs -------------------------------------------------------------------------------------- */

static enum fh_status own_vminfo(struct fh_state *s, uint64_t vmid, struct fh_vminfo **info)
{
    void *record = NULL;
    FH_TRY(own_entry(s, &s->adt->shared.vminfos, type_of_ref_vminfo, vmid, &record));
    *info = record;
    return FH_OK;
}

enum fh_status set_vm_state_of(struct fh_state *s, uint64_t vmid, uint64_t state)
{
    struct fh_vminfo *info;
    FH_TRY(own_vminfo(s, vmid, &info));
    return set_u64(s, &info->VS.vm_state, state);
}

static enum fh_status set_vcpu_state_of(struct fh_state *s, uint64_t vmid, uint64_t vcpuid,
                                        uint64_t state)
{
    struct fh_vminfo *info;
    FH_TRY(own_vminfo(s, vmid, &info));
    return set_entry_u64(s, &info->VS.vm_vcpu_state, vcpuid, state);
}

enum fh_status local_set_vcpu_active(struct fh_state *s, uint64_t vmid, uint64_t vcpuid,
                                     bool *halts)
{
    const struct fh_profile *k = s->profile;
    const struct fh_state_info *info = &vminfo_of(s, vmid)->VS;
    const uint64_t vcpu_state = number_at(&info->vm_vcpu_state, vcpuid);
    HALT_UNLESS(s, halts, info->vm_state == k->VERIFIED && vcpu_state == k->READY, info->vm_state,
                vcpu_state);
    return *halts ? FH_OK : set_vcpu_state_of(s, vmid, vcpuid, k->ACTIVE);
}

enum fh_status local_set_vcpu_inactive(struct fh_state *s, uint64_t vmid, int64_t vcpuid,
                                       bool *halts)
{
    const struct fh_profile *k = s->profile;
    const uint64_t vcpu_state = number_at_wide(&vminfo_of(s, vmid)->VS.vm_vcpu_state, (wide)vcpuid);
    HALT_UNLESS(s, halts, vcpu_state == k->ACTIVE, vmid, (uint64_t)vcpuid, vcpu_state);
    if (*halts)
        return FH_OK;
    FH_LEAVES_64_BITS(s, vcpuid < 0, (uint64_t)vcpuid);
    return vcpuid < 0 ? FH_OK : set_vcpu_state_of(s, vmid, (uint64_t)vcpuid, k->READY);
}

enum fh_status local_set_vm_poweroff(struct fh_state *s, uint64_t vmid)
{
    return set_vm_state_of(s, vmid, s->profile->POWEROFF);
}

enum fh_status local_register_vcpu(struct fh_state *s, uint64_t vmid, uint64_t vcpuid, bool *halts)
{
    const struct fh_profile *k = s->profile;
    const struct fh_environment *env = &s->env;
    const struct fh_state_info *before = &vminfo_of(s, vmid)->VS;
    const uint64_t vcpu_state = number_at(&before->vm_vcpu_state, vcpuid);
    HALT_UNLESS(s, halts, before->vm_state == k->READY && vcpu_state == k->UNUSED, before->vm_state,
                vcpu_state);
    if (*halts)
        return FH_OK;
    struct fh_vminfo *info;
    FH_TRY(own_vminfo(s, vmid, &info));
    const uint64_t vcpu = env->shared_vcpu ? env->shared_vcpu(env->context, vmid, vcpuid) : 0;
    FH_TRY(set_entry_u64(s, &info->VS.vm_vcpu, vcpuid, vcpu));
    return set_vcpu_state_of(s, vmid, vcpuid, k->READY);
}

enum fh_status local_gen_vmid(struct fh_state *s, bool *halts)
{
    uint64_t *next = &s->adt->shared.core_data.next_vmid;
    HALT_UNLESS(s, halts, *next < s->profile->COREVISOR, *next);
    return *halts ? FH_OK : set_u64(s, next, *next + 1);
}

enum fh_status local_register_kvm(struct fh_state *s, uint64_t vmid, bool *halts)
{
    const struct fh_profile *k = s->profile;
    const struct fh_environment *env = &s->env;
    const uint64_t state = vminfo_of(s, vmid)->VS.vm_state;
    HALT_UNLESS(s, halts, state == k->UNUSED, vmid, state);
    if (*halts)
        return FH_OK;
    struct fh_vminfo *info;
    FH_TRY(own_vminfo(s, vmid, &info));
    const uint64_t kvm = env->shared_kvm ? env->shared_kvm(env->context, vmid) : 0;
    FH_TRY(set_u64(s, &info->VS.vm_kvm, kvm));
    return set_vm_state_of(s, vmid, k->READY);
}

static enum fh_status record_image(struct fh_state *s, uint64_t vmid, uint64_t load_addr,
                                   uint64_t size, uint64_t remap)
{
    struct fh_vminfo *info;
    FH_TRY(own_vminfo(s, vmid, &info));
    struct fh_boot_info *boot = &info->VB;
    const uint64_t load_idx = boot->vm_next_load_info;
    FH_TRY(set_u64(s, &boot->vm_next_load_info, load_idx + 1));
    FH_TRY(set_entry_u64(s, &boot->vm_load_addr, load_idx, load_addr));
    FH_TRY(set_entry_u64(s, &boot->vm_load_size, load_idx, size));
    FH_TRY(set_entry_u64(s, &boot->vm_remap_addr, load_idx, remap));
    return set_entry_u64(s, &boot->vm_mapped_pages, load_idx, 0);
}

/* A table that is full takes no image, and nothing halts. */
enum fh_status local_set_boot_info(struct fh_state *s, uint64_t vmid, uint64_t load_addr,
                                   uint64_t size, bool *halts)
{
    const struct fh_profile *k = s->profile;
    const struct fh_vminfo *info = vminfo_of(s, vmid);
    uint64_t *next = &s->adt->shared.core_data.next_remap_ptr;
    HALT_UNLESS(s, halts, info->VS.vm_state == k->READY, vmid, info->VS.vm_state);
    if (*halts || info->VB.vm_next_load_info >= k->MAX_LOAD_INFO_NUM)
        return FH_OK;
    const uint64_t pages = (uint64_t)(wide_add(size, k->PAGE_SIZE - 1) >> k->PAGE_SHIFT);
    const wide end = wide_add(*next, wide_mul(pages, k->PAGE_SIZE));
    HALT_UNLESS(s, halts, pages != 0 && end < k->REMAP_END, pages, *next);
    if (*halts)
        return FH_OK;
    FH_TRY(record_image(s, vmid, load_addr, size, *next));
    return set_u64(s, next, (uint64_t)end);
}

/* Map the next page of an image for KCore. */
static enum fh_status remap_page(struct fh_state *s, uint64_t vmid, uint64_t pfn, uint64_t load_idx,
                                 bool *halts)
{
    const struct fh_profile *k = s->profile;
    const uint32_t core = (uint32_t)k->COREVISOR;
    const struct fh_boot_info *boot = &vminfo_of(s, vmid)->VB;
    const uint64_t mapped = number_at(&boot->vm_mapped_pages, load_idx);
    const wide target =
        wide_add(number_at(&boot->vm_remap_addr, load_idx), wide_mul(mapped, k->PAGE_SIZE));
    FH_TRY(map_stage2(s, core, target, 3, pfn * k->PAGE_SIZE | k->PAGE_HYP, halts));
    if (*halts)
        return KEEP_LOCKS(s, halts, FH_NEEDS_TABLES, k->INFO_ID + vmid, k->NPT_ID + core);
    FH_LEAVES_64_BITS(s, !is_int64(wide_mul(pfn, k->PAGE_SIZE)), pfn);
    struct fh_vminfo *info;
    FH_TRY(own_vminfo(s, vmid, &info));
    return set_entry_u64(s, &info->VB.vm_mapped_pages, load_idx, mapped + 1);
}

enum fh_status local_remap_vm_image(struct fh_state *s, uint64_t vmid, uint64_t pfn,
                                    uint64_t load_idx, bool *halts)
{
    const struct fh_profile *k = s->profile;
    const struct fh_vminfo *info = vminfo_of(s, vmid);
    *halts = false;
    if (info->VS.vm_state != k->READY)
        return KEEP_LOCKS(s, halts, "vm_state == READY", k->INFO_ID + vmid);
    const uint64_t size = number_at(&info->VB.vm_load_size, load_idx);
    const wide pages = wide_add(size, k->PAGE_SIZE - 1) >> k->PAGE_SHIFT;
    if (load_idx >= info->VB.vm_next_load_info ||
        number_at(&info->VB.vm_mapped_pages, load_idx) >= pages)
        return FH_OK;
    return remap_page(s, vmid, pfn, load_idx, halts);
}

/* --- Devices ---------------------------------------------------------------------------------- */

static enum fh_status set_bank_owner(struct fh_state *s, uint32_t cbndx, uint32_t index,
                                     uint64_t vmid)
{
    void *entry;
    FH_TRY(edit_entry(s, &s->adt->shared.smmu_vmid, type_of_vmid_or_invalid,
                      smmu_id(s->profile, index, cbndx), &entry));
    observe(s, FH_EFFECT_SMMU_CFG_SET, cbndx, index, vmid, *(uint64_t *)entry);
    *(uint64_t *)entry = vmid;
    return FH_OK;
}

enum fh_status local_free_smmu_pgd(struct fh_state *s, uint32_t cbndx, uint32_t index, bool *halts)
{
    const struct fh_profile *k = s->profile;
    const uint64_t vmid = smmu_vmid_of(s, index, cbndx);
    *halts = false;
    if (vmid == k->INVALID)
        return FH_OK;
    if (vminfo_of(s, vmid)->VS.vm_state != k->POWEROFF)
        return KEEP_LOCKS(s, halts, "vm_state == POWEROFF", k->SMMU_ID);
    return set_bank_owner(s, cbndx, index, k->INVALID);
}

enum fh_status local_alloc_smmu_pgd(struct fh_state *s, uint32_t cbndx, uint64_t vmid,
                                    uint32_t index, uint64_t banks, bool *halts)
{
    const struct fh_profile *k = s->profile;
    *halts = false;
    if (cbndx >= banks)
        return KEEP_LOCKS(s, halts, "cbndx < num_context_banks", k->SMMU_ID);
    if (smmu_vmid_of(s, index, cbndx) != k->INVALID)
        return FH_OK;
    if (is_vm(k, vmid) && vminfo_of(s, vmid)->VS.vm_state == k->VERIFIED)
        return KEEP_LOCKS(s, halts, "vm_state != VERIFIED", k->INFO_ID + vmid, k->SMMU_ID);
    FH_TRY(set_bank_owner(s, cbndx, index, vmid));
    return empty_smmu_table(s, cbndx, index);
}

/* Take page `pfn` from the host for a device; its contents are not fetched. */
static enum fh_status take_page_for_smmu(struct fh_state *s, uint64_t vmid, uint64_t gfn,
                                         uint64_t pfn, bool *halts)
{
    const struct fh_profile *k = s->profile;
    FH_TRY(unmap_host(s, pfn, halts));
    if (*halts)
        return KEEP_LOCKS(s, halts, FH_NEEDS_TABLES, k->SMMU_ID, k->INFO_ID + vmid, k->S2PAGE_ID,
                          k->NPT_ID);
    return set_page(s, pfn, (struct fh_s2page){(uint32_t)vmid, (uint32_t)k->INVALID, gfn});
}

enum fh_status local_smmu_assign_page(struct fh_state *s, uint32_t cbndx, uint32_t index,
                                      uint64_t pfn, uint64_t gfn, bool *halts)
{
    const struct fh_profile *k = s->profile;
    const uint64_t vmid = smmu_vmid_of(s, index, cbndx);
    const struct fh_s2page *page = s2page_of(s, pfn);
    *halts = false;
    if (!is_vm(k, vmid))
        return FH_OK;
    if (vminfo_of(s, vmid)->VS.vm_state == k->VERIFIED)
        return KEEP_LOCKS(s, halts, "vm_state != VERIFIED", k->SMMU_ID, k->INFO_ID + vmid);
    if (page->s2_owner == k->HOSTVISOR && page->s2_count == 0)
        return take_page_for_smmu(s, vmid, gfn, pfn, halts);
    if (page->s2_owner == vmid)
        return FH_OK;
    return KEEP_LOCKS(s, halts, "a page of the host that is not shared, or the VM's own",
                      k->SMMU_ID, k->INFO_ID + vmid, k->S2PAGE_ID);
}

enum fh_status local_smmu_map_page(struct fh_state *s, uint32_t cbndx, uint32_t index,
                                   uint64_t iova, uint64_t pte, bool *halts)
{
    const struct fh_profile *k = s->profile;
    const uint64_t vmid = smmu_vmid_of(s, index, cbndx);
    const wide info_id = wide_add(k->INFO_ID, vmid);
    const uint64_t pfn = pfn_of(k, phys_page(k, pte));
    const struct fh_s2page *page = s2page_of(s, pfn);
    *halts = false;
    if (vmid == k->INVALID)
        return FH_OK;
    if (is_vm(k, vmid) && vminfo_of(s, vmid)->VS.vm_state == k->VERIFIED)
        return KEEP_LOCKS(s, halts, "vm_state != VERIFIED", k->SMMU_ID, info_id);
    if (vmid != page->s2_owner || pfn_of(k, iova) != page->s2_gfn)
        return KEEP_LOCKS(s, halts, "a page of the bank's owner, at its own address", k->SMMU_ID,
                          info_id, k->S2PAGE_ID);
    FH_TRY(map_smmu_page(s, cbndx, index, iova, pte, halts));
    if (*halts)
        return KEEP_LOCKS(s, halts, FH_NEEDS_TABLES, k->SMMU_ID, info_id, k->S2PAGE_ID, k->SPT_ID);
    if (page->s2_owner != k->HOSTVISOR || page->s2_count >= k->EL2_SMMU_CFG_SIZE)
        return FH_OK;
    return set_count(s, pfn, page->s2_count + 1);
}

enum fh_status local_smmu_clear(struct fh_state *s, uint64_t iova, uint32_t cbndx, uint32_t index,
                                bool *halts)
{
    const struct fh_profile *k = s->profile;
    const uint64_t vmid = smmu_vmid_of(s, index, cbndx);
    const wide info_id = wide_add(k->INFO_ID, vmid);
    *halts = false;
    if (vmid == k->INVALID)
        return FH_OK;
    if (is_vm(k, vmid) && vminfo_of(s, vmid)->VS.vm_state >= k->VERIFIED)
        return KEEP_LOCKS(s, halts, "vm_state < VERIFIED", k->SMMU_ID, info_id);
    const uint64_t pte = smmu_entry(s, cbndx, index, pfn_of(k, iova)).pte;
    if (pte != 0)
        FH_TRY(map_smmu_page(s, cbndx, index, iova, 0, halts));
    if (*halts)
        return KEEP_LOCKS(s, halts, FH_NEEDS_TABLES, k->SMMU_ID, info_id, k->S2PAGE_ID, k->SPT_ID);
    const uint64_t pfn = pfn_of(k, phys_page(k, pte));
    const struct fh_s2page *page = s2page_of(s, pfn);
    if (page->s2_owner != k->HOSTVISOR || page->s2_count == 0)
        return FH_OK;
    return set_count(s, pfn, page->s2_count - 1);
}

/* --- What is encrypted ------------------------------------------------------------------------ */

/* The new contents of context `ctxtid`: two parameters of the development, one after the other. */
static enum fh_status decrypt_ctxt(struct fh_state *s, wide ctxtid)
{
    const struct fh_environment *env = &s->env;
    const uint64_t host = s->profile->HOSTVISOR;
    const uint64_t first = data_log_of(s, host);
    uint64_t middle = first, next = first;
    struct fh_ctxt plain = *shadow_ctxt_of(s, ctxtid);
    if (env->decrypt_gp_regs)
        next = middle = env->decrypt_gp_regs(env->context, host, first, &plain);
    if (env->decrypt_sys_regs)
        next = env->decrypt_sys_regs(env->context, host, middle, &plain);
    FH_LEAVES_64_BITS(s, middle < first || next < middle, first);
    FH_TRY(replace_shadow_ctxt(s, ctxtid, &plain));
    return set_entry_u64(s, &s->adt->data_log, host, next);
}

enum fh_status local_load_encryted_vcpu(struct fh_state *s, uint64_t vmid, uint64_t vcpuid,
                                        wide ctxtid, bool *halts)
{
    const struct fh_profile *k = s->profile;
    const struct fh_state_info *before = &vminfo_of(s, vmid)->VS;
    *halts = false;
    if (before->vm_state != k->READY || number_at(&before->vm_vcpu_state, vcpuid) != k->READY)
        return KEEP_LOCKS(s, halts, "vm_state == READY && vcpu_state == READY", k->INFO_ID + vmid);
    FH_TRY(decrypt_ctxt(s, ctxtid));
    struct fh_vminfo *info;
    FH_TRY(own_vminfo(s, vmid, &info));
    return set_u64(s, &info->VB.vm_inc_exe, 1);
}

enum fh_status local_save_encrypt_buf(struct fh_state *s, uint64_t vmid, uint64_t inbuf,
                                      uint64_t outbuf, bool *halts)
{
    const struct fh_profile *k = s->profile;
    const uint64_t outpfn = pfn_of(k, outbuf);
    *halts = false;
    if (s2page_of(s, pfn_of(k, inbuf))->s2_owner != vmid ||
        s2page_of(s, outpfn)->s2_owner != k->HOSTVISOR)
        return KEEP_LOCKS(s, halts, "a page of the VM, and one of the host", k->S2PAGE_ID);
    return fetch_page(s, k->HOSTVISOR, outpfn);
}

enum fh_status local_load_decrypt_buf(struct fh_state *s, uint64_t vmid, uint64_t inbuf,
                                      bool *halts)
{
    const struct fh_profile *k = s->profile;
    const uint64_t pfn = pfn_of(k, inbuf);
    const struct fh_s2page *page = s2page_of(s, pfn);
    *halts = false;
    if (vminfo_of(s, vmid)->VS.vm_state != k->READY)
        return KEEP_LOCKS(s, halts, "vm_state == READY", k->INFO_ID + vmid);
    if (page->s2_owner != k->HOSTVISOR || page->s2_count != 0)
        return KEEP_LOCKS(s, halts, "a page of the host that is not shared", k->INFO_ID + vmid,
                          k->S2PAGE_ID);
    FH_TRY(unmap_host(s, pfn, halts));
    if (*halts)
        return KEEP_LOCKS(s, halts, FH_NEEDS_TABLES, k->INFO_ID + vmid, k->S2PAGE_ID, k->NPT_ID);
    FH_TRY(set_page(s, pfn, (struct fh_s2page){(uint32_t)vmid, 0, k->INVALID64}));
    return fetch_page(s, k->HOSTVISOR, pfn);
}
