/* SPDX-License-Identifier: GPL-2.0-only */
#include "show/ranges.h"

#include <faulthandler/reflect.h>

enum { PAGE_BITS = 12, ENTRIES = 512, WORD = 8 };

static const struct fh_map_type *pages_type(void)
{
    const struct fh_type *shared = FH_FIELD_TYPE(fh_rdata_type(), rdata, shared);
    return &FH_FIELD_TYPE(shared, shared, s2page)->value->as_value;
}

const struct fh_s2page *page_at(const struct fh_state *state, uint64_t pa)
{
    return fh_map_get(&fh_state_rdata(state)->shared.s2page, pages_type(), pa >> PAGE_BITS);
}

/* --- Merging ---------------------------------------------------------------------------------- */

struct merging {
    const struct fh_state *state;
    const struct fh_arm_memory *memory;
    struct fh_arm_stage2_form form;
    bool is_close;
    bool has_range;
    struct range range; /* that goes on */
    uint64_t word;      /* of its last part */
    range_visit *visit;
    void *context;
};

/* The bits of a leaf that are no address. */
static uint64_t attributes_of(const struct merging *merging, const struct range *range)
{
    const enum fh_arm_descriptor_kind kind = range->level == 3 ? FH_ARM_PAGE : FH_ARM_BLOCK;
    if (!range->is_mapped)
        return merging->is_close ? range->word : 0;
    return range->word & ~fh_arm_descriptor_address_bits(&merging->form.stage2, range->level, kind);
}

static bool goes_on(const struct merging *merging, const struct range *next)
{
    const struct range *range = &merging->range;
    if (!merging->has_range || range->level != next->level || range->is_mapped != next->is_mapped ||
        attributes_of(merging, range) != attributes_of(merging, next))
        return false;
    return !merging->is_close || !range->is_mapped ||
           (range->output + (range->end - range->begin) == next->output &&
            range->owner == next->owner && range->count == next->count);
}

static void finish(struct merging *merging)
{
    if (merging->has_range)
        merging->visit(merging->context, &merging->range);
    merging->has_range = false;
}

static void add(struct merging *merging, const struct range *range)
{
    if (goes_on(merging, range)) {
        merging->range.end = range->end;
        return;
    }
    finish(merging);
    merging->range = *range;
    merging->has_range = true;
}

/* --- Tables ----------------------------------------------------------------------------------- */

/* A block's pages need not have one owner. */
static void add_pages(struct merging *merging, const struct range *block)
{
    struct range page = *block;
    for (uint64_t at = block->begin; at < block->end; at += 1u << PAGE_BITS) {
        page.begin = at;
        page.end = at + (1u << PAGE_BITS);
        page.output = block->output + (at - block->begin);
        const struct fh_s2page *record = page_at(merging->state, page.output);
        page.owner = record->s2_owner;
        page.count = record->s2_count;
        add(merging, &page);
    }
}

static void walk_table(struct merging *merging, uint64_t table, int level, uint64_t base,
                       unsigned entries)
{
    const unsigned shift = fh_arm_level_shift(PAGE_BITS, level);
    for (unsigned i = 0; i < entries; i++) {
        struct range range = {.level = level, .begin = base + ((uint64_t)i << shift)};
        range.end = range.begin + ((uint64_t)1 << shift);
        if (!merging->memory->read(merging->memory->context, table + i * WORD, &range.word))
            range.word = 0;
        const struct fh_arm_descriptor descriptor =
            fh_arm_descriptor_of(&merging->form.stage2, level, range.word);
        if (descriptor.kind == FH_ARM_TABLE) {
            walk_table(merging, descriptor.address, level + 1, range.begin, ENTRIES);
            continue;
        }
        range.is_mapped = descriptor.kind == FH_ARM_BLOCK || descriptor.kind == FH_ARM_PAGE;
        range.output = descriptor.address;
        if (range.is_mapped && merging->is_close)
            add_pages(merging, &range);
        else
            add(merging, &range);
    }
}

bool ranges_of_table(const struct fh_state *state, const struct fh_arm_stage2_control *control,
                     const struct fh_arm_memory *memory, bool is_close, range_visit *visit,
                     void *context)
{
    struct merging merging = {
        .state = state, .memory = memory, .is_close = is_close, .visit = visit, .context = context};
    if (!fh_arm_select_form(control, &merging.form))
        return false;
    const unsigned shift = fh_arm_level_shift(PAGE_BITS, merging.form.start_level);
    walk_table(&merging, merging.form.root, merging.form.start_level, 0,
               1u << (merging.form.input_bits - shift));
    finish(&merging);
    return true;
}

/* --- Owners ----------------------------------------------------------------------------------- */

void ranges_of_owners(const struct fh_state *state, range_visit *visit, void *context)
{
    const struct fh_map *pages = &fh_state_rdata(state)->shared.s2page;
    const uint64_t nobody = fh_state_profile(state)->INVALID;
    const struct fh_s2page *page;
    struct range range = {.end = 0};
    for (uint64_t pfn = 0; (page = fh_map_next(pages, pages_type(), &pfn)); pfn++) {
        const uint64_t begin = pfn << PAGE_BITS;
        if (page->s2_owner == nobody)
            continue;
        if (range.end == begin && range.owner == page->s2_owner && range.count == page->s2_count &&
            range.end > 0) {
            range.end += 1u << PAGE_BITS;
            continue;
        }
        if (range.end > 0)
            visit(context, &range);
        range = (struct range){.begin = begin,
                               .end = begin + (1u << PAGE_BITS),
                               .owner = page->s2_owner,
                               .count = page->s2_count};
    }
    if (range.end > 0)
        visit(context, &range);
}
