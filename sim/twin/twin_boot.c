/* SPDX-License-Identifier: GPL-2.0-only */
#include "twin/twin_state.h"

#include <stdlib.h>
#include <string.h>

/* The state that a boot line describes. */

/* The constants of the profile that a boot line has too: B(name in the line, constant). */
#define BOOT_CONSTANT_MAP(B)                                                                       \
    B("PAGE_S2_KERNEL", PAGE_S2_KERNEL)                                                            \
    B("PAGE_S2_DEVICE", PAGE_S2_DEVICE)                                                            \
    B("PAGE_HYP", PAGE_HYP)                                                                        \
    B("S2_RDWR", S2_RDWR)                                                                          \
    B("page_pool_start", SMMU_POOL_START)                                                          \
    B("host_vttbr", PT_POOL_START)                                                                 \
    B("smmu_pgd_pool", SMMU_PGD_START)                                                             \
    B("smmu_pmd_pool", SMMU_PMD_START)

static const struct boot_constant {
    const char *name;
    size_t offset; /* in struct fh_profile */
} boot_constants[] = {
#define BOOT_CONSTANT(name, constant) {name, offsetof(struct fh_profile, constant)},
    BOOT_CONSTANT_MAP(BOOT_CONSTANT)
#undef BOOT_CONSTANT
};

static uint64_t profile_constant(const struct fh_profile *k, size_t offset)
{
    return *(const uint64_t *)((const char *)k + offset);
}

bool twin_is_boot(const struct trace_line *line)
{
    for (size_t i = 0; i < line->nfx; i++) {
        if (line->fx[i].kind == TRACE_boot_pool)
            return true;
    }
    return false;
}

/* Where the pool of `vmid` lies by the profile, as the boot record would say it. */
static struct trace_boot_pool pool_by_profile(const struct fh_profile *k, uint64_t vmid)
{
    if (vmid == k->HOSTVISOR) {
        uint64_t start = k->PT_POOL_START;
        return (struct trace_boot_pool){vmid,
                                        start,
                                        start + k->HOST_PGD_OFFSET,
                                        start + k->HOST_PUD_OFFSET,
                                        start + k->HOST_PMD_OFFSET,
                                        start};
    }
    if (vmid == k->COREVISOR)
        return (struct trace_boot_pool){.vmid = vmid, .page_pool_start = k->COREVISOR_POOL_START};
    uint64_t start = k->PT_POOL_START + k->HOST_POOL_SIZE + (vmid - 1) * k->PT_POOL_PER_VM;
    return (struct trace_boot_pool){vmid,
                                    start,
                                    start + k->PGD_OFFSET,
                                    start + k->PUD_OFFSET,
                                    start + k->PMD_OFFSET,
                                    vmid << k->VTTBR_VMID_SHIFT | start};
}

uint64_t twin_root(const struct fh_profile *k, uint64_t vmid)
{
    return pool_by_profile(k, vmid).page_pool_start;
}

/*
 * The effect that the profile expects stays with the twin until the next trap. EL2's own table is
 * already there: its pools have been used.
 */
static void compare_pool(struct twin *twin, const struct trace_effect *machine,
                         struct differences *found)
{
    struct trace_effect *model = &twin->effects[twin->neffects++];
    *model = (struct trace_effect){.kind = TRACE_boot_pool, .present = machine->present};
    if (machine->boot_pool.vmid == twin->profile->COREVISOR)
        model->present = HAS(boot_pool, vmid) | HAS(boot_pool, page_pool_start);
    model->boot_pool = pool_by_profile(twin->profile, machine->boot_pool.vmid);
    compare_effects(model, 1, machine, 1, found);
}

static void boot_pool(struct twin *twin, const struct trace_effect *effect,
                      struct differences *found)
{
    const struct trace_boot_pool *pool = &effect->boot_pool;
    if (pool->vmid > twin->profile->COREVISOR)
        return;
    compare_pool(twin, effect, found);
    struct fh_npt *npt = twin_edit_npt(twin, pool->vmid);
    npt->pt_pgd_next = pool->pgd_pool;
    npt->pt_pud_next = pool->pud_pool;
    npt->pt_pmd_next = pool->pmd_pool;
    twin->has_host_pool = twin->has_host_pool || pool->vmid == twin->profile->HOSTVISOR;
}

static void boot_region(struct twin *twin, const struct trace_boot_region *region)
{
    struct fh_rdata *rdata = twin_edit_state(twin);
    struct fh_memblock *block = twin_edit(twin, &rdata->regions, twin->types.region, region->i);
    *block = (struct fh_memblock){.mb_base = region->base,
                                  .mb_size = region->size,
                                  .mb_flag = region->flags,
                                  .mb_index = region->index};
    if (rdata->region_cnt <= region->i)
        rdata->region_cnt = region->i + 1;
}

static void boot_owners(struct twin *twin, const struct trace_boot_rle *run)
{
    struct fh_map *pages = &twin_edit_state(twin)->shared.s2page;
    const struct fh_s2page page = {
        .s2_owner = (uint32_t)run->owner, .s2_count = (uint32_t)run->count, .s2_gfn = run->gfn};
    const uint64_t first = twin->ram_pfn + run->start_index;
    if (run->len > 0 && !fh_map_fill(pages, &twin->types.s2page->as_value, twin->allocator, first,
                                     first + run->len - 1, &page))
        no_memory();
}

/* "smmu1.size" */
static bool boot_smmu(struct twin *twin, const char *name, uint64_t value)
{
    if (strncmp(name, "smmu", 4) != 0 || name[4] < '0' || name[4] > '9' || name[5] != '.')
        return false;
    const uint64_t index = (uint64_t)(name[4] - '0');
    struct fh_rdata *rdata = twin_edit_state(twin);
    struct fh_smmu_conf *conf = twin_own(twin, &rdata->smmu_conf, twin->types.smmu_conf);
    const struct {
        const char *name;
        struct fh_map *map;
    } fields[] = {{"phys_base", &conf->smmu_phys_base},
                  {"size", &conf->smmu_size},
                  {"pgshift", &conf->smmu_pgshift},
                  {"num_context_banks", &conf->smmu_dev_context_banks},
                  {"hyp_base", &conf->smmu_hyp_base}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (strcmp(fields[i].name, name + 6) == 0)
            *(uint64_t *)twin_edit(twin, fields[i].map, twin->types.word, index) = value;
    }
    return true;
}

/* A descriptor of EL2's own table. */
static bool boot_word(struct twin *twin, const struct trace_effect *effect)
{
    const struct trace_boot_val *record = &effect->boot_val;
    if (strcmp(record->name, "corevisor_table_entry") != 0)
        return false;
    if (effect->present & HAS(boot_val, pa))
        twin_set_word(twin, FH_STAGE2_TABLES, record->pa, record->val);
    return true;
}

/* "smmu_cfg[3]": the owner of a context bank. */
static bool boot_bank(struct twin *twin, const struct trace_boot_val *record)
{
    if (strncmp(record->name, "smmu_cfg[", 9) != 0)
        return false;
    const uint64_t bank = strtoull(record->name + 9, NULL, 10);
    struct fh_map *owners = &twin_edit_state(twin)->shared.smmu_vmid;
    *(uint64_t *)twin_edit(twin, owners, twin->types.smmu_owner, bank) = record->vmid;
    return true;
}

static void compare_constant(const struct twin *twin, const struct trace_effect *effect,
                             struct differences *found)
{
    for (size_t i = 0; i < sizeof boot_constants / sizeof *boot_constants; i++) {
        if (strcmp(boot_constants[i].name, effect->boot_val.name) != 0)
            continue;
        uint64_t expected = profile_constant(twin->profile, boot_constants[i].offset);
        if (expected != effect->boot_val.val)
            differ(found, &(struct difference){.machine = effect,
                                               .path = boot_constants[i].name,
                                               .model_value = expected,
                                               .machine_value = effect->boot_val.val});
    }
}

static void boot_value(struct twin *twin, const struct trace_effect *effect,
                       struct differences *found)
{
    const struct trace_boot_val *record = &effect->boot_val;
    struct fh_rdata *rdata = twin_edit_state(twin);
    if (boot_word(twin, effect) || boot_bank(twin, record) ||
        boot_smmu(twin, record->name, record->val))
        return;
    if (strcmp(record->name, "phys_mem_start") == 0)
        twin->ram_pfn = record->val / twin->profile->PAGE_SIZE;
    else if (strcmp(record->name, "phys_mem_size") == 0)
        twin->ram_pages = record->val / twin->profile->PAGE_SIZE;
    else if (strcmp(record->name, "next_vmid") == 0)
        rdata->shared.core_data.next_vmid = record->val;
    else if (strcmp(record->name, "last_remap_ptr") == 0)
        rdata->shared.core_data.next_remap_ptr = twin->profile->REMAP_START + record->val;
    else if (strcmp(record->name, "el2_smmu_num") == 0)
        ((struct fh_smmu_conf *)twin_own(twin, &rdata->smmu_conf, twin->types.smmu_conf))
            ->smmu_num = record->val;
    else
        compare_constant(twin, effect, found);
}

/* A run of pages must lie in memory that the machine says it has. */
static const char *check_owners(const struct twin *twin, const struct trace_boot_rle *run)
{
    if (twin->ram_pages == 0 || twin->ram_pages > twin->profile->MAX_S2PAGE_NUM)
        return "no phys_mem_size, or one beyond what the profile can describe";
    if (run->start_index > twin->ram_pages || run->len > twin->ram_pages - run->start_index)
        return "a boot_rle that ends beyond phys_mem_size";
    return NULL;
}

/* What a state cannot do without. */
static const char *missing_part(const struct twin *twin)
{
    const struct fh_rdata *rdata = fh_state_rdata(twin->state);
    if (rdata->region_cnt == 0)
        return "the boot line has no boot_region";
    if (!fh_map_find(&rdata->shared.s2page, &twin->types.s2page->as_value, twin->ram_pfn))
        return "the boot line has no boot_rle from page 0 on";
    if (!twin->has_host_pool)
        return "the boot line has no boot_pool of the host";
    return NULL;
}

static void reserve_effects(struct twin *twin, size_t count)
{
    if (twin->size >= count)
        return;
    twin->effects = realloc(twin->effects, count * sizeof *twin->effects);
    if (!twin->effects)
        no_memory();
    twin->size = count;
}

const char *twin_boot(struct twin *twin, const struct trace_line *line, struct differences *found)
{
    twin->neffects = 0;
    reserve_effects(twin, line->nfx);
    const char *missing = NULL;
    for (size_t i = 0; !missing && i < line->nfx; i++) {
        const struct trace_effect *effect = &line->fx[i];
        switch (effect->kind) {
        case TRACE_boot_region: boot_region(twin, &effect->boot_region); break;
        case TRACE_boot_pool: boot_pool(twin, effect, found); break;
        case TRACE_boot_val: boot_value(twin, effect, found); break;
        case TRACE_boot_rle:
            missing = check_owners(twin, &effect->boot_rle);
            if (!missing)
                boot_owners(twin, &effect->boot_rle);
            break;
        default: break;
        }
    }
    return missing ? missing : missing_part(twin);
}

bool twin_begin(struct twin *twin, struct trace *trace, const struct trace_line *line,
                const char *path, struct differences *found)
{
    if (!line) {
        if (!trace_failed(trace))
            diag(&(const struct place){path, 1, 1}, NULL, "the trace is empty");
        return false;
    }
    if (!twin_is_boot(line)) {
        trace_diag(trace, "a trace begins with the boot line (HVC_ENABLE_S2_TRANS)");
        return false;
    }
    found->count = 0;
    const char *missing = twin_boot(twin, line, found);
    if (missing)
        trace_diag(trace, "%s", missing);
    return !missing;
}
