/* SPDX-License-Identifier: GPL-2.0-only */
#include "show/mappings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <faulthandler/arm_stage2.h>

#include "base/diag.h"

enum { PAGE_SHIFT = 12 };

/* Does this descriptor, in a table of this level, lead to the page? */
static bool leads_to(const struct mappings *mappings, int level, uint64_t word)
{
    const struct fh_arm_stage2 form = {.granule_bits = PAGE_SHIFT};
    const struct fh_arm_descriptor descriptor = fh_arm_descriptor_of(&form, level, word);
    const uint64_t pages = (uint64_t)1 << 9 * (3 - level);
    const bool is_leaf = descriptor.kind == FH_ARM_BLOCK || descriptor.kind == FH_ARM_PAGE;
    return is_leaf && mappings->pfn - (descriptor.address >> PAGE_SHIFT) < pages;
}

static void leave(struct mappings *mappings, uint64_t pa)
{
    for (size_t i = 0; i < mappings->count; i++) {
        if (mappings->list[i].pa != pa)
            continue;
        memmove(&mappings->list[i], &mappings->list[i + 1],
                (mappings->count - i - 1) * sizeof mappings->list[0]);
        mappings->count--;
        return;
    }
}

/* A word of a table is written. */
static void follow_word(struct mappings *mappings, const char *name, uint64_t word,
                        const struct mapping *mapping)
{
    const int level = strcmp(name, "pte") == 0 ? 3 : strcmp(name, "pmd") == 0 ? 2 : 1;
    leave(mappings, mapping->pa);
    if (!leads_to(mappings, level, word))
        return;
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
    for (size_t i = 0; i < line->nfx; i++) {
        const struct trace_effect *effect = &line->fx[i];
        if (effect->kind == TRACE_pt_store) {
            const struct trace_pt_store *store = &effect->pt_store;
            follow_word(mappings, store->level, store->new,
                        &(struct mapping){store->pa, store->vmid, store->ipa, false});
        } else if (effect->kind == TRACE_smmu_pt_store) {
            const struct trace_smmu_pt_store *store = &effect->smmu_pt_store;
            follow_word(mappings, store->level, store->new,
                        &(struct mapping){store->pa, 0, store->iova, true});
        }
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
