/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "scene"
#include <faulthandler/scene.h>

#include <faulthandler/path.h>

#include "layers/kcore.h"
#include "scene/need.h"

enum { BLOCK_PAGES = 512, PATH_MAX_LENGTH = 96, SMALLEST_SHIFT = 12, LARGEST_SHIFT = 16 };

/* --- All or nothing --------------------------------------------------------------------------- */

/* Close the transaction that began before `status` came out. The error stays that of the failure.
 */
static enum fh_status end(struct fh_state *s, enum fh_status status)
{
    const struct fh_error error = s->error;
    const enum fh_status closed = status == FH_OK ? fh_keep(s) : fh_undo(s);
    if (status == FH_OK)
        return closed;
    s->error = error;
    s->error.status = status;
    return status;
}

/* --- Numbers in the state --------------------------------------------------------------------- */

struct path {
    char text[PATH_MAX_LENGTH];
    size_t length;
};

static void put(struct path *path, const char *text)
{
    while (*text && path->length + 1 < sizeof path->text)
        path->text[path->length++] = *text++;
    path->text[path->length] = 0;
}

static void put_key(struct path *path, uint64_t key)
{
    char digits[21] = {0};
    size_t i = sizeof digits - 1;
    do {
        digits[--i] = (char)('0' + key % 10);
        key /= 10;
    } while (key);
    put(path, digits + i);
}

/* "a.KEYb" := value */
static enum fh_status set_at(struct fh_state *s, const char *before, uint64_t key,
                             const char *behind, uint64_t value)
{
    struct path path = {.length = 0};
    put(&path, before);
    put_key(&path, key);
    put(&path, behind);
    return fh_set(s, path.text, value);
}

/* "a.KEYb.SUB" := value */
static enum fh_status set_in(struct fh_state *s, const char *before, uint64_t key,
                             const char *behind, uint64_t sub, uint64_t value)
{
    struct path path = {.length = 0};
    put(&path, before);
    put_key(&path, key);
    put(&path, behind);
    put_key(&path, sub);
    return fh_set(s, path.text, value);
}

/* --- Memory ----------------------------------------------------------------------------------- */

static uint64_t pages_in_regions(const struct fh_state *s)
{
    uint64_t pages = 0;
    for (uint64_t i = 0; i < s->adt->region_cnt; i++) {
        const struct fh_memblock *block =
            fh_map_get(&s->adt->regions, &type_of_memblock->as_value, i);
        pages += block->mb_size / s->profile->PAGE_SIZE;
    }
    return pages;
}

/* Is a page from `first` up to `end` in a region already? */
static bool overlaps(const struct fh_state *s, uint64_t first, uint64_t end)
{
    return fh_map_next(&s->adt->shared.s2page, &type_of_s2page->as_value, &first) && first < end;
}

static enum fh_status own_pages(struct fh_state *s, const struct fh_scene_region *region,
                                uint64_t first, uint64_t count)
{
    const struct fh_profile *k = s->profile;
    struct fh_s2page page = {.s2_owner = (uint32_t)region->owner,
                             .s2_gfn = region->has_gfn ? region->gfn : UINT64_MAX};
    struct fh_rdata *adt = fh_state_edit(s);
    if (!adt)
        return FH_NOMEM;
    struct fh_map *pages = &adt->shared.s2page;
    const struct fh_map_type *type = &type_of_s2page->as_value;
    if (region->has_gfn || region->owner != k->HOSTVISOR)
        return fh_map_fill(pages, type, &s->allocator, first, first + count - 1, &page) ? FH_OK
                                                                                        : FH_NOMEM;
    for (uint64_t pfn = first; pfn < first + count; pfn++) {
        bool existed;
        struct fh_s2page *entry = fh_map_edit(pages, type, &s->allocator, pfn, &existed);
        if (!entry)
            return FH_NOMEM;
        page.s2_gfn = pfn + k->SMMU_HOST_OFFSET;
        *entry = page;
    }
    return FH_OK;
}

static enum fh_status add_region(struct fh_state *s, const struct fh_scene_region *region)
{
    const struct fh_profile *k = s->profile;
    const uint64_t number = s->adt->region_cnt;
    NEED(s, region->base % k->PAGE_SIZE == 0, region->base);
    NEED(s, region->size % k->PAGE_SIZE == 0 && region->size > 0, region->size);
    NEED(s, is_paddr(k, wide_add(region->base, region->size) - 1), region->base, region->size);
    NEED(s, region->owner <= k->COREVISOR, region->owner);
    NEED(s, number + 1 < k->MAX_MEMBLOCK_NUM, number);
    const uint64_t first = pfn_of(k, region->base), count = pfn_of(k, region->size);
    NEED(s, !overlaps(s, first, first + count), first, count);
    FH_TRY(set_at(s, "regions.", number, ".mb_base", region->base));
    FH_TRY(set_at(s, "regions.", number, ".mb_size", region->size));
    FH_TRY(set_at(s, "regions.", number, ".mb_index", pages_in_regions(s)));
    FH_TRY(fh_set(s, "region_cnt", number + 1));
    return own_pages(s, region, first, count);
}

enum fh_status fh_scene_add_region(struct fh_state *s, const struct fh_scene_region *region)
{
    FH_TRY(fh_begin(s));
    return end(s, add_region(s, region));
}

/* --- SMMUs ------------------------------------------------------------------------------------ */

static uint64_t or_else(uint64_t value, uint64_t otherwise)
{
    return value ? value : otherwise;
}

static enum fh_status add_smmu(struct fh_state *s, const struct fh_scene_smmu *smmu)
{
    const struct fh_profile *k = s->profile;
    const struct fh_smmu_conf *conf = fh_ref_record(type_of_ref_smmu_conf, &s->adt->smmu_conf);
    const uint64_t number = conf->smmu_num, size = or_else(smmu->size, 64 << 10);
    const uint64_t banks = or_else(smmu->banks, k->SMMU_NUM_CTXT_BANKS);
    const uint64_t shift = or_else(smmu->pgshift, SMALLEST_SHIFT);
    NEED(s, number < k->SMMU_NUM, number);
    NEED(s, smmu->base % k->PAGE_SIZE == 0 && size % k->PAGE_SIZE == 0, smmu->base, size);
    NEED(s, is_paddr(k, wide_add(smmu->base, size) - 1), smmu->base, size);
    NEED(s, banks <= k->SMMU_NUM_CTXT_BANKS, banks);
    NEED(s, SMALLEST_SHIFT <= shift && shift <= LARGEST_SHIFT, shift);
    FH_TRY(set_at(s, "smmu_conf.smmu_phys_base.", number, "", smmu->base));
    FH_TRY(set_at(s, "smmu_conf.smmu_hyp_base.", number, "", smmu->base));
    FH_TRY(set_at(s, "smmu_conf.smmu_size.", number, "", size));
    FH_TRY(set_at(s, "smmu_conf.smmu_pgshift.", number, "", shift));
    FH_TRY(set_at(s, "smmu_conf.smmu_dev_context_banks.", number, "", banks));
    FH_TRY(set_at(s, "smmu_conf.num_s2_context_banks.", number, "", banks));
    FH_TRY(set_at(s, "smmu_conf.smmu_exists.", number, "", 1));
    return fh_set(s, "smmu_conf.smmu_num", number + 1);
}

enum fh_status fh_scene_add_smmu(struct fh_state *s, const struct fh_scene_smmu *smmu)
{
    FH_TRY(fh_begin(s));
    return end(s, add_smmu(s, smmu));
}

static enum fh_status set_bank(struct fh_state *s, uint64_t smmu, uint64_t bank, uint64_t owner)
{
    const struct fh_profile *k = s->profile;
    NEED(s, is_smmu(k, smmu), smmu);
    NEED(s, is_smmu_cfg(k, bank), bank);
    NEED(s, is_vmid(k, owner) || owner == k->INVALID, owner);
    return set_at(s, "shared.smmu_vmid.", smmu_id(k, smmu, bank), "", owner);
}

enum fh_status fh_scene_set_bank(struct fh_state *s, uint64_t smmu, uint64_t bank, uint64_t owner)
{
    FH_TRY(fh_begin(s));
    return end(s, set_bank(s, smmu, bank, owner));
}

/* --- VMs -------------------------------------------------------------------------------------- */

static uint64_t state_of_life(const struct fh_profile *k, enum fh_scene_vm_life life)
{
    switch (life) {
    case FH_SCENE_VERIFIED: return k->VERIFIED;
    case FH_SCENE_REGISTERED: return k->READY;
    case FH_SCENE_POWERED_OFF: return k->POWEROFF;
    default: return k->UNUSED;
    }
}

static enum fh_status add_vm(struct fh_state *s, const struct fh_scene_vm *vm)
{
    const struct fh_profile *k = s->profile;
    NEED(s, is_vm(k, vm->vmid), vm->vmid);
    NEED(s, vm->vcpus <= k->VCPU_PER_VM, vm->vcpus);
    NEED(s, vminfo_of(s, vm->vmid)->VS.vm_state == k->UNUSED, vm->vmid);
    FH_TRY(set_at(s, "shared.vminfos.", vm->vmid, ".VS.vm_state", state_of_life(k, vm->life)));
    const uint64_t vcpu_state = vm->life == FH_SCENE_UNUSED ? k->UNUSED : k->READY;
    for (uint64_t i = 0; i < vm->vcpus; i++)
        FH_TRY(set_in(s, "shared.vminfos.", vm->vmid, ".VS.vm_vcpu_state.", i, vcpu_state));
    if (vm->vmid >= s->adt->shared.core_data.next_vmid)
        FH_TRY(fh_set(s, "shared.core_data.next_vmid", vm->vmid + 1));
    return FH_OK;
}

enum fh_status fh_scene_add_vm(struct fh_state *s, const struct fh_scene_vm *vm)
{
    FH_TRY(fh_begin(s));
    return end(s, add_vm(s, vm));
}

/* KCore was asked to do it, and must not panic. */
static enum fh_status done(struct fh_state *s, enum fh_status status)
{
    FH_TRY(status);
    NEED(s, !s->adt->halt, 0);
    return FH_OK;
}

static enum fh_status add_image(struct fh_state *s, const struct fh_scene_image *image)
{
    const struct fh_profile *k = s->profile;
    const uint64_t pages = pfn_of(k, image->size + k->PAGE_SIZE - 1);
    uint32_t index;
    NEED(s, is_vm(k, image->vmid), image->vmid);
    NEED(s, vminfo_of(s, image->vmid)->VS.vm_state == k->READY, image->vmid);
    NEED(s, is_addr(k, wide_add(image->load_addr, image->size)), image->load_addr, image->size);
    NEED(s, image->size > 0 && is_pfn(k, wide_add(image->pfn, pages)), image->pfn, image->size);
    FH_TRY(
        done(s, fh_set_boot_info(s, (uint32_t)image->vmid, image->load_addr, image->size, &index)));
    for (uint64_t i = 0; i < pages; i++)
        FH_TRY(done(s, fh_remap_vm_image(s, (uint32_t)image->vmid, image->pfn + i, index)));
    return FH_OK;
}

enum fh_status fh_scene_add_image(struct fh_state *s, const struct fh_scene_image *image)
{
    FH_TRY(fh_begin(s));
    return end(s, add_image(s, image));
}

/* --- Pages ------------------------------------------------------------------------------------ */

static enum fh_status give_page(struct fh_state *s, const struct fh_scene_pages *pages, uint64_t i)
{
    const struct fh_profile *k = s->profile;
    const uint64_t pfn = pages->pfn + i;
    const uint32_t owner = s2page_of(s, pfn)->s2_owner;
    NEED(s, owner == k->HOSTVISOR, pfn, owner);
    FH_TRY(set_at(s, "shared.s2page.", pfn, ".s2_owner", pages->vmid));
    FH_TRY(set_at(s, "shared.s2page.", pfn, ".s2_count", pages->shared));
    return set_at(s, "shared.s2page.", pfn, ".s2_gfn", pages->gfn + i);
}

static enum fh_status map_for_vm(struct fh_state *s, const struct fh_scene_pages *pages,
                                 uint64_t count)
{
    const uint64_t size = s->profile->PAGE_SIZE;
    const uint32_t vmid = (uint32_t)pages->vmid;
    if (pages->is_block)
        return done(s, fh_map_pfn_vm(s, vmid, pages->gfn * size, pages->pfn * size, 2));
    for (uint64_t i = 0; i < count; i++)
        FH_TRY(
            done(s, fh_map_pfn_vm(s, vmid, (pages->gfn + i) * size, (pages->pfn + i) * size, 3)));
    return FH_OK;
}

static enum fh_status give(struct fh_state *s, const struct fh_scene_pages *pages)
{
    const struct fh_profile *k = s->profile;
    const uint64_t count = pages->is_block ? BLOCK_PAGES : or_else(pages->count, 1);
    NEED(s, is_vm(k, pages->vmid), pages->vmid);
    NEED(s, is_pfn(k, wide_add(pages->pfn, count)), pages->pfn, count);
    NEED(s, wide_add(pages->gfn, count) <= k->KVM_ADDR_SPACE / k->PAGE_SIZE, pages->gfn, count);
    NEED(s, pages->shared <= UINT32_MAX, pages->shared);
    NEED(s, !pages->is_block || pages->count == 0 || pages->count == BLOCK_PAGES, pages->count);
    NEED(s, !pages->is_block || (pages->gfn % BLOCK_PAGES == 0 && pages->pfn % BLOCK_PAGES == 0),
         pages->gfn, pages->pfn);
    for (uint64_t i = 0; i < count; i++)
        FH_TRY(give_page(s, pages, i));
    return pages->is_unmapped ? FH_OK : map_for_vm(s, pages, count);
}

enum fh_status fh_scene_give(struct fh_state *s, const struct fh_scene_pages *pages)
{
    FH_TRY(fh_begin(s));
    return end(s, give(s, pages));
}

static enum fh_status map_host(struct fh_state *s, uint64_t pfn, uint64_t count)
{
    const struct fh_profile *k = s->profile;
    NEED(s, is_pfn(k, wide_add(pfn, count)), pfn, count);
    for (uint64_t i = 0; i < count; i++)
        FH_TRY(done(s, fh_map_page_host(s, (pfn + i) * k->PAGE_SIZE)));
    return FH_OK;
}

enum fh_status fh_scene_map_host(struct fh_state *s, uint64_t pfn, uint64_t count)
{
    FH_TRY(fh_begin(s));
    return end(s, map_host(s, pfn, count));
}

struct fh_ctxt *fh_scene_vcpu(struct fh_state *s, uint64_t vmid, uint64_t vcpuid)
{
    bool existed;
    const struct fh_profile *k = s->profile;
    struct fh_rdata *adt = is_vmid(k, vmid) && is_vcpu(k, vcpuid) ? fh_state_edit(s) : NULL;
    void *entry = adt ? fh_map_edit(&adt->shadow_ctxts, &type_of_ref_ctxt->as_value, &s->allocator,
                                    vmid * k->VCPU_PER_VM + vcpuid, &existed)
                      : NULL;
    return entry && fh_ref_own(type_of_ref_ctxt, entry, &s->allocator) ? *(void **)entry : NULL;
}

/* --- A whole machine -------------------------------------------------------------------------- */

static enum fh_status build(struct fh_state *s, const struct fh_scene *scene)
{
    for (size_t i = 0; i < scene->nregions; i++)
        FH_TRY(fh_scene_add_region(s, &scene->regions[i]));
    for (size_t i = 0; i < scene->nsmmus; i++)
        FH_TRY(fh_scene_add_smmu(s, &scene->smmus[i]));
    for (size_t i = 0; i < scene->nvms; i++)
        FH_TRY(fh_scene_add_vm(s, &scene->vms[i]));
    for (size_t i = 0; i < scene->npages; i++)
        FH_TRY(fh_scene_give(s, &scene->pages[i]));
    return fh_scene_forget_logs(s);
}

enum fh_status fh_scene_build(struct fh_state *s, const struct fh_scene *scene)
{
    FH_TRY(fh_begin(s));
    return end(s, build(s, scene));
}

enum fh_status fh_scene_forget_logs(struct fh_state *s)
{
    struct fh_rdata *adt = fh_state_edit(s);
    return adt && fh_map_reset(&adt->log, &type_of_log->as_value, &s->allocator, NULL) ? FH_OK
                                                                                       : FH_NOMEM;
}
