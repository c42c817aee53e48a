/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "twin/twin_state.h"

/*
 * Several CPUs. Records stand in the order in which stays at EL2 ended, and the model takes them in
 * that order; but of two stays that overlapped, the one that ended later may have looked at a page
 * before the other changed it. Effects are numbered over all CPUs, so the order of a read and a
 * write of a page is known: for the time of the later trap, what was written behind its read is
 * taken back.
 */

/* --- Who changed what ------------------------------------------------------------------------ */

enum { NOTHING = 0 };
static const uint64_t vm_subject = UINT64_C(1) << 63;

static uint64_t page_of_descriptor(const struct twin *twin, const struct trace_pt_store *store)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t page = k->PHYS_MASK & k->PAGE_MASK;
    const uint64_t pte = (store->new &page) != 0 ? store->new : store->old;
    return strcmp(store->level, "pte") == 0 ? (pte & page) >> k->PAGE_SHIFT : NOTHING;
}

/* The page, or with bit 63 the VM, that an effect is about. */
static uint64_t subject_of(const struct twin *twin, const struct trace_effect *effect)
{
    switch (effect->kind) {
    case TRACE_s2_read: return effect->s2_read.pfn;
    case TRACE_s2_set: return twin->ram_pfn + effect->s2_set.index;
    case TRACE_pt_store: return page_of_descriptor(twin, &effect->pt_store);
    case TRACE_vm_set: return vm_subject | effect->vm_set.vmid;
    default: return NOTHING;
    }
}

static void note_touch(struct twin *twin, uint64_t subject, uint64_t seq)
{
    const struct twin_touch *last = &twin->touches[(twin->ntouches - 1) % TWIN_WRITES];
    if (subject == NOTHING || (twin->ntouches > 0 && last->subject == subject && last->seq == seq))
        return;
    twin->touches[twin->ntouches++ % TWIN_WRITES] = (struct twin_touch){subject, seq};
}

size_t twin_last_changes(const struct twin *twin, const struct trace_line *line,
                         const struct difference *difference, uint64_t *seqs, size_t max)
{
    const struct trace_effect *effect =
        difference->machine ? difference->machine : difference->model;
    const uint64_t subject = effect ? subject_of(twin, effect) : NOTHING;
    const uint64_t oldest = twin->ntouches > TWIN_WRITES ? twin->ntouches - TWIN_WRITES : 0;
    size_t found = 0;
    for (uint64_t i = twin->ntouches; subject != NOTHING && i > oldest && found < max; i--) {
        const struct twin_touch *touch = &twin->touches[(i - 1) % TWIN_WRITES];
        if (touch->subject == subject && touch->seq != line->seq &&
            (found == 0 || seqs[found - 1] != touch->seq))
            seqs[found++] = touch->seq;
    }
    return found;
}

/* --- The order of reads and writes ----------------------------------------------------------- */

void twin_note_writes(struct twin *twin, const struct trace_line *line)
{
    for (size_t i = 0; i < line->nfx; i++) {
        const enum trace_effect_kind kind = line->fx[i].kind;
        if (kind != TRACE_s2_set && kind != TRACE_pt_store && kind != TRACE_vm_set)
            continue;
        note_touch(twin, subject_of(twin, &line->fx[i]), line->seq);
        if (kind == TRACE_s2_set)
            twin->writes[twin->nwrites++ % TWIN_WRITES] =
                (struct twin_write){line->fx[i].g, line->fx[i].s2_set.index,
                                    line->fx[i].s2_set.field[0], line->fx[i].s2_set.old};
    }
}

/* Does the line read the page before `g`? */
static bool reads_before(const struct trace_line *line, uint64_t index, uint64_t g)
{
    for (size_t i = 0; i < line->nfx && line->fx[i].g < g; i++) {
        if (line->fx[i].kind == TRACE_s2_read && line->fx[i].s2_read.index == index)
            return true;
    }
    return false;
}

static void take_back(struct twin *twin, const struct twin_write *write)
{
    struct fh_map *pages = &twin_edit_state(twin)->shared.s2page;
    struct fh_s2page *page =
        twin_edit(twin, pages, twin->types.s2page, twin->ram_pfn + write->index);
    switch (write->field) {
    case 'o': page->s2_owner = (uint32_t)write->old; break;
    case 'c': page->s2_count = (uint32_t)write->old; break;
    default: page->s2_gfn = write->old; break;
    }
}

bool twin_rewind(struct twin *twin, const struct trace_line *line)
{
    bool any = false;
    const uint64_t oldest = twin->nwrites > TWIN_WRITES ? twin->nwrites - TWIN_WRITES : 0;
    for (uint64_t i = twin->nwrites; i > oldest; i--) {
        const struct twin_write *write = &twin->writes[(i - 1) % TWIN_WRITES];
        if (write->g < line->g0)
            break;
        if (write->index >= twin->ram_pages || !reads_before(line, write->index, write->g))
            continue;
        if (!any && !twin->snapshot)
            twin->snapshot = fh_state_snapshot(twin->state);
        any = true;
        take_back(twin, write);
    }
    return any;
}
