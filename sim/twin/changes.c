/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "twin/twin_state.h"

/* Which traps changed a page or a VM last, for reports. */

enum { NOTHING = 0 };
static const uint64_t vm_subject = UINT64_C(1) << 63;

static uint64_t page_of_descriptor(const struct twin *twin, const struct trace_pt_store *store)
{
    const struct fh_profile *k = &twin->profile;
    const uint64_t page = k->PHYS_MASK & k->PAGE_MASK;
    const uint64_t pte = (store->new &page) != 0 ? store->new : store->old;
    return strcmp(store->level, "pte") == 0 ? (pte & page) >> k->PAGE_SHIFT : NOTHING;
}

/* The page, or with bit 63 the VM, that an effect is about. */
static uint64_t subject_of(const struct twin *twin, const struct trace_effect *effect)
{
    switch (effect->kind) {
    case TRACE_s2_read: return effect->s2_read.pfn;
    case TRACE_s2_set: return model_first_pfn(twin->model) + effect->s2_set.index;
    case TRACE_pt_store: return page_of_descriptor(twin, &effect->pt_store);
    case TRACE_vm_set: return vm_subject | effect->vm_set.vmid;
    default: return NOTHING;
    }
}

static void note_touch(struct twin *twin, uint64_t subject, uint64_t seq)
{
    const struct twin_touch *last = &twin->touches[(twin->ntouches - 1) % TWIN_TOUCHES];
    if (subject == NOTHING || (twin->ntouches > 0 && last->subject == subject && last->seq == seq))
        return;
    twin->touches[twin->ntouches++ % TWIN_TOUCHES] = (struct twin_touch){subject, seq};
}

size_t twin_last_changes(const struct twin *twin, const struct trace_line *line,
                         const struct difference *difference, uint64_t *seqs, size_t max)
{
    const struct trace_effect *effect =
        difference->machine ? difference->machine : difference->model;
    const uint64_t subject = effect ? subject_of(twin, effect) : NOTHING;
    const uint64_t oldest = twin->ntouches > TWIN_TOUCHES ? twin->ntouches - TWIN_TOUCHES : 0;
    size_t found = 0;
    for (uint64_t i = twin->ntouches; subject != NOTHING && i > oldest && found < max; i--) {
        const struct twin_touch *touch = &twin->touches[(i - 1) % TWIN_TOUCHES];
        if (touch->subject == subject && touch->seq != line->seq &&
            (found == 0 || seqs[found - 1] != touch->seq))
            seqs[found++] = touch->seq;
    }
    return found;
}

void twin_note_changes(struct twin *twin, const struct trace_line *line)
{
    for (size_t i = 0; i < line->nfx; i++) {
        const enum trace_effect_kind kind = line->fx[i].kind;
        if (kind == TRACE_s2_set || kind == TRACE_pt_store || kind == TRACE_vm_set)
            note_touch(twin, subject_of(twin, &line->fx[i]), line->seq);
    }
}
