/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "trace/trace_check.h"
#include "twin/twin_state.h"

/* The state that a boot record describes, of a machine that fits it. */

bool twin_is_boot(const struct trace_line *line)
{
    return machine_is_boot(line);
}

/* --- Is it this machine? --------------------------------------------------------------------- */

/* False, with what differs and which machine it may be of. */
static bool is_of_machine(const struct machine_description *machine, struct trace *trace,
                          const struct trace_line *line)
{
    enum { SHOWN = 4 };
    struct machine_mismatch list[SHOWN];
    const size_t count = machine_recognise(machine, line, list, SHOWN);
    const struct machine_description *other = count > 0 ? machine_that_fits(line) : NULL;
    char words[1024] = "", text[192];
    size_t length = 0;
    if (count == 0)
        return true;
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        machine_mismatch_format(&list[i], text, sizeof text);
        length += (size_t)snprintf(words + length, sizeof words - length, "%s%s", i > 0 ? "; " : "",
                                   text);
    }
    trace_diag(trace, "the trace is not of a machine %s: %s%s", machine->name, words,
               count > SHOWN ? "; and more" : "");
    if (other)
        diag_plain("replay: it fits %s (--machine %s)", other->name, other->name);
    else
        diag_plain("replay: it fits no machine that is known");
    return false;
}

/* Where the pools of `vmid` lie by the constants. EL2's own have been used already. */
static bool is_laid_out(const struct fh_profile *k, const struct machine_description *machine,
                        const struct trace_boot_pool *pool)
{
    const uint64_t start = parts_root(k, pool->vmid);
    const bool is_host = pool->vmid == k->HOSTVISOR;
    const struct {
        const char *field;
        uint64_t recorded, offset;
    } pools[] = {{"pgd_next", pool->pgd_pool, is_host ? k->HOST_PGD_OFFSET : k->PGD_OFFSET},
                 {"pud_next", pool->pud_pool, is_host ? k->HOST_PUD_OFFSET : k->PUD_OFFSET},
                 {"pmd_next", pool->pmd_pool, is_host ? k->HOST_PMD_OFFSET : k->PMD_OFFSET}};
    if (pool->page_pool_start != start)
        return false;
    if (pool->vmid == k->COREVISOR)
        return true;
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
        if (machine_next_address(machine, k, pools[i].field, pool->vmid, pools[i].recorded) !=
            start + pools[i].offset)
            return false;
    }
    return pool->vttbr == (pool->vmid << k->VTTBR_VMID_SHIFT | start);
}

static bool all_are_laid_out(struct twin *twin, struct trace *trace, const struct trace_line *line)
{
    for (size_t i = 0; i < line->nfx; i++) {
        const struct trace_boot_pool *pool = &line->fx[i].boot_pool;
        if (line->fx[i].kind != TRACE_boot_pool || pool->vmid > twin->profile.COREVISOR ||
            is_laid_out(&twin->profile, twin->description, pool))
            continue;
        trace_diag(trace,
                   "the trace is not of a machine %s: the table pools of VM %" PRIu64
                   " lie where those of the others say they do not",
                   twin->description->name, pool->vmid);
        return false;
    }
    return true;
}

/* --- The state ------------------------------------------------------------------------------- */

static void boot_pool(struct twin *twin, const struct trace_boot_pool *pool)
{
    const struct machine_description *machine = twin->description;
    const struct fh_profile *k = &twin->profile;
    if (pool->vmid > k->COREVISOR)
        return;
    struct fh_npt *npt = parts_edit_npt(twin->parts, pool->vmid);
    npt->pt_pgd_next = machine_next_address(machine, k, "pgd_next", pool->vmid, pool->pgd_pool);
    npt->pt_pud_next = machine_next_address(machine, k, "pud_next", pool->vmid, pool->pud_pool);
    npt->pt_pmd_next = machine_next_address(machine, k, "pmd_next", pool->vmid, pool->pmd_pool);
    twin->has_host_pool = twin->has_host_pool || pool->vmid == k->HOSTVISOR;
}

static void boot_region(struct twin *twin, const struct trace_boot_region *region)
{
    struct fh_rdata *rdata = parts_edit(twin->parts);
    struct fh_memblock *block =
        parts_edit_entry(twin->parts, &rdata->regions, twin->parts->region, region->i);
    *block = (struct fh_memblock){.mb_base = region->base,
                                  .mb_size = region->size,
                                  .mb_flag = region->flags,
                                  .mb_index = region->index};
    if (rdata->region_cnt <= region->i)
        rdata->region_cnt = region->i + 1;
}

/* A run of pages must lie in memory that the machine says it has. NULL, or what is wrong. */
static const char *boot_owners(struct twin *twin, const struct trace_boot_rle *run)
{
    const struct page_range pages = model_memory(twin->model);
    struct fh_map *map = &parts_edit(twin->parts)->shared.s2page;
    const struct fh_s2page page = {
        .s2_owner = (uint32_t)run->owner, .s2_count = (uint32_t)run->count, .s2_gfn = run->gfn};
    const uint64_t first = pages.first_pfn + run->start_index;
    if (run->start_index > pages.count || run->len > pages.count - run->start_index)
        return "a boot_rle that ends beyond the end of memory";
    if (run->len > 0 && !fh_map_fill(map, &twin->parts->s2page->as_value, twin->parts->allocator,
                                     first, first + run->len - 1, &page))
        no_memory();
    return NULL;
}

static void set_number(struct twin *twin, struct fh_map *map, uint64_t index, uint64_t value)
{
    *(uint64_t *)parts_edit_entry(twin->parts, map, twin->parts->word, index) = value;
}

/* A value that was adopted, where the state has it. */
static void boot_value(struct twin *twin, const struct machine_found *found)
{
    struct fh_rdata *rdata = parts_edit(twin->parts);
    struct fh_smmu_conf *conf = parts_own(twin->parts, &rdata->smmu_conf, twin->parts->smmu_conf);
    switch (found->place) {
    case MACHINE_next_vmid: rdata->shared.core_data.next_vmid = found->value; break;
    case MACHINE_next_remap_ptr: rdata->shared.core_data.next_remap_ptr = found->value; break;
    case MACHINE_smmu_num: conf->smmu_num = found->value; break;
    case MACHINE_smmu_phys_base:
        set_number(twin, &conf->smmu_phys_base, found->index, found->value);
        break;
    case MACHINE_smmu_size: set_number(twin, &conf->smmu_size, found->index, found->value); break;
    case MACHINE_smmu_pgshift:
        set_number(twin, &conf->smmu_pgshift, found->index, found->value);
        break;
    case MACHINE_smmu_context_banks:
        set_number(twin, &conf->smmu_dev_context_banks, found->index, found->value);
        break;
    case MACHINE_smmu_hyp_base:
        set_number(twin, &conf->smmu_hyp_base, found->index, found->value);
        break;
    case MACHINE_bank_vmid:
        *(uint64_t *)parts_edit_entry(twin->parts, &rdata->shared.smmu_vmid,
                                      twin->parts->smmu_owner, found->index) = found->value;
        break;
    case MACHINE_reset_value: model_set_reset(twin->model, found->index, found->value); break;
    case MACHINE_table_word:
        parts_set_word(twin->parts, FH_STAGE2_TABLES, found->index, found->value);
        break;
    default: break;
    }
}

/* What a state cannot do without. */
static const char *missing_part(const struct twin *twin)
{
    const struct fh_rdata *rdata = fh_state_rdata(model_state(twin->model));
    const struct page_range pages = model_memory(twin->model);
    if (pages.count == 0 || pages.count > twin->profile.MAX_S2PAGE_NUM)
        return "the boot line has no size of memory, or one that the machine cannot have";
    if (rdata->region_cnt == 0)
        return "the boot line has no boot_region";
    if (!fh_map_find(&rdata->shared.s2page, &twin->parts->s2page->as_value, pages.first_pfn))
        return "the boot line has no boot_rle from page 0 on";
    if (!twin->has_host_pool)
        return "the boot line has no boot_pool of the host";
    return NULL;
}

/* The state that the line describes. NULL, or what it lacks. */
static const char *boot_state(struct twin *twin, const struct trace_line *line,
                              const struct machine_boot *boot)
{
    const char *missing = NULL;
    for (size_t i = 0; !missing && i < line->nfx; i++) {
        const struct trace_effect *effect = &line->fx[i];
        switch (effect->kind) {
        case TRACE_boot_region: boot_region(twin, &effect->boot_region); break;
        case TRACE_boot_pool: boot_pool(twin, &effect->boot_pool); break;
        case TRACE_boot_rle: missing = boot_owners(twin, &effect->boot_rle); break;
        default: break;
        }
    }
    for (size_t i = 0; i < boot->nfound; i++)
        boot_value(twin, &boot->found[i]);
    return missing ? missing : missing_part(twin);
}

/* A model of the machine as this kernel was built. */
static void make_model(struct twin *twin, const struct machine_boot *boot)
{
    uint64_t base = 0, size = 0, contexts = 0, context = 0;
    twin->profile = boot->profile;
    twin->model = model_new(twin->code, &twin->profile);
    twin->parts = model_parts(twin->model);
    model_depart(twin->model, &twin->machine);
    machine_boot_value(boot, MACHINE_ram_base, &base);
    machine_boot_value(boot, MACHINE_ram_size, &size);
    const struct page_range pages = {base / twin->profile.PAGE_SIZE,
                                     size / twin->profile.PAGE_SIZE};
    model_set_memory(twin->model, &pages);
    if (machine_boot_value(boot, MACHINE_vcpu_contexts, &contexts) &&
        machine_boot_value(boot, MACHINE_vcpu_context_size, &context))
        model_set_contexts(twin->model, contexts, context);
}

static bool begin(struct twin *twin, struct trace *trace, const struct trace_line *line,
                  const struct machine_boot *boot)
{
    make_model(twin, boot);
    if (!all_are_laid_out(twin, trace, line))
        return false;
    const char *missing = boot_state(twin, line, boot);
    if (missing)
        trace_diag(trace, "%s", missing);
    else
        model_leave(twin->model, line->cpu, &line->in, &line->out, line->to);
    model_set_vtcr(twin->model, line->out.present >> TRACE_REG_vtcr & 1
                                    ? line->out.values[TRACE_REG_vtcr]
                                    : line->in.values[TRACE_REG_vtcr]);
    return !missing;
}

/* Where pools are no addresses, or not known to be, only their VMs are checked. */
static bool can_be(const struct twin *twin, struct trace *trace, const struct trace_line *line,
                   bool pools_are_offsets)
{
    struct trace_limits limits = trace_limits_of(twin->code->profile);
    struct trace_fault fault;
    limits.pools_are_offsets = pools_are_offsets;
    if (trace_check_boot(&limits, line, &fault)) {
        trace_limit(trace, &limits);
        return true;
    }
    trace_diag(trace, "%s", fault.text);
    return false;
}

bool twin_begin(struct twin *twin, struct trace *trace, const struct trace_line *line,
                const char *path)
{
    struct machine_boot boot;
    char error[256];
    if (!line) {
        if (!trace_failed(trace))
            diag(&(const struct place){path, 1, 1}, NULL, "the trace is empty");
        return false;
    }
    if (!twin_is_boot(line)) {
        trace_diag(trace, "a trace begins with the boot line (HVC_ENABLE_S2_TRANS)");
        return false;
    }
    if (!can_be(twin, trace, line, true) || !is_of_machine(twin->description, trace, line) ||
        !can_be(twin, trace, line, twin->description->tables.next != MACHINE_NEXT_address))
        return false;
    bool good = machine_adopt(twin->description, line, &boot, error, sizeof error);
    if (!good)
        trace_diag(trace, "%s", error);
    good = good && begin(twin, trace, line, &boot);
    machine_boot_free(&boot);
    return good;
}
