/* SPDX-License-Identifier: GPL-2.0-only */
#include "show/mappings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <faulthandler/arm_stage2.h>

#include "base/diag.h"

enum { PAGE_SHIFT = 12 };

static int level_of(const char *name)
{
    return strcmp(name, "pte") == 0 ? 3 : strcmp(name, "pmd") == 0 ? 2 : 1;
}

bool descriptor_store_of(const struct trace_effect *effect, struct descriptor_store *store)
{
    const struct trace_pt_store *pt = &effect->pt_store;
    const struct trace_smmu_pt_store *smmu = &effect->smmu_pt_store;
    if (effect->kind == TRACE_pt_store)
        *store = (struct descriptor_store){
            {pt->pa, pt->vmid, pt->ipa, false}, level_of(pt->level), pt->new};
    else if (effect->kind == TRACE_smmu_pt_store)
        *store = (struct descriptor_store){
            {smmu->pa, 0, smmu->iova, true}, level_of(smmu->level), smmu->new};
    else
        return false;
    return true;
}

bool descriptor_leads(const struct descriptor_store *store, uint64_t *first, uint64_t *pages)
{
    const struct fh_arm_stage2 form = {.granule_bits = PAGE_SHIFT};
    const struct fh_arm_descriptor descriptor =
        fh_arm_descriptor_of(&form, store->level, store->word);
    *first = descriptor.address >> PAGE_SHIFT;
    *pages = (uint64_t)1 << 9 * (3 - store->level);
    return descriptor.kind == FH_ARM_BLOCK || descriptor.kind == FH_ARM_PAGE;
}

static bool is_same(const struct mapping *a, const struct mapping *b)
{
    const bool is_of_address =
        a->is_smmu == b->is_smmu && a->vmid == b->vmid && a->address == b->address;
    return a->pa == b->pa && (a->pa != MAPPING_NOWHERE || is_of_address);
}

void mappings_remove(struct mappings *mappings, const struct mapping *mapping)
{
    for (size_t i = 0; i < mappings->count; i++) {
        if (!is_same(&mappings->list[i], mapping))
            continue;
        memmove(&mappings->list[i], &mappings->list[i + 1],
                (mappings->count - i - 1) * sizeof mappings->list[0]);
        mappings->count--;
        return;
    }
}

void mappings_add(struct mappings *mappings, const struct mapping *mapping)
{
    if (mappings->count == mappings->size) {
        mappings->size = mappings->size ? 2 * mappings->size : 8;
        mappings->list = realloc(mappings->list, mappings->size * sizeof *mappings->list);
        if (!mappings->list)
            no_memory();
    }
    mappings->list[mappings->count++] = *mapping;
}

void mappings_follow(struct mappings *mappings, const struct trace_line *line)
{
    struct descriptor_store store;
    uint64_t first, pages;
    for (size_t i = 0; i < line->nfx; i++) {
        if (!descriptor_store_of(&line->fx[i], &store))
            continue;
        mappings_remove(mappings, &store.mapping);
        if (descriptor_leads(&store, &first, &pages) && mappings->pfn - first < pages)
            mappings_add(mappings, &store.mapping);
    }
}

bool mappings_has_vm(const struct mappings *mappings, uint64_t vmid)
{
    for (size_t i = 0; i < mappings->count; i++) {
        if (!mappings->list[i].is_smmu && mappings->list[i].vmid == vmid)
            return true;
    }
    return false;
}

bool mappings_has_device(const struct mappings *mappings)
{
    for (size_t i = 0; i < mappings->count; i++) {
        if (mappings->list[i].is_smmu)
            return true;
    }
    return false;
}

void mappings_print(const struct mappings *mappings, FILE *out)
{
    if (mappings->count == 0)
        fputs("nobody", out);
    for (size_t i = 0; i < mappings->count; i++) {
        const struct mapping *mapping = &mappings->list[i];
        fputs(i > 0 ? ", " : "", out);
        if (mapping->is_smmu)
            fputs("a device", out);
        else if (mapping->vmid)
            fprintf(out, "VM %" PRIu64, mapping->vmid);
        else
            fputs("host", out);
        fprintf(out, " at 0x%" PRIx64, mapping->address);
    }
}

void mappings_free(struct mappings *mappings)
{
    free(mappings->list);
}
