/* SPDX-License-Identifier: GPL-2.0-only */
#include "state/machine.h"

#include <string.h>

#include "base/refs.h"

/* --- What a snapshot shares ------------------------------------------------------------------ */

/*
 * Records that were noted before a snapshot or a fork was taken may point into what it shares,
 * which must stay as it is. Undoing them works on copies, of the data and of the counted records in
 * it, and keeps a list of which memory was copied where. All that the journal has stays its own
 * until the end, so that running out of memory on the way loses nothing.
 */
struct copy {
    void *from, *to;
    size_t size;
    const struct fh_type *ref; /* the type of references to it; NULL: the data */
};

struct copying_undo {
    struct fh_state *s;
    struct copy *copies;
    unsigned count, size;
};

static bool push_copy(struct copying_undo *undo, struct copy copy)
{
    const struct fh_allocator *allocator = &undo->s->allocator;
    if (undo->count == undo->size) {
        const unsigned size = undo->size ? undo->size * 2 : 16;
        struct copy *copies = allocator->alloc(allocator->context, size * sizeof *copies);
        if (!copies)
            return false;
        if (undo->copies) {
            memcpy(copies, undo->copies, undo->count * sizeof *copies);
            allocator->free(allocator->context, undo->copies, undo->size * sizeof *copies);
        }
        undo->copies = copies;
        undo->size = size;
    }
    undo->copies[undo->count++] = copy;
    return true;
}

/* What was copied is kept so long, so that no other memory gets its address. */
static void forget_copies(struct copying_undo *undo)
{
    const struct fh_allocator *allocator = &undo->s->allocator;
    for (unsigned i = 0; i < undo->count; i++) {
        struct copy *copy = &undo->copies[i];
        if (copy->ref)
            fh_value_release(copy->ref, &copy->from, allocator);
        else
            fh_snapshot_release(copy->from, allocator);
    }
    undo->count = 0;
}

static bool is_within(const void *place, const void *start, size_t size)
{
    return (uintptr_t)place - (uintptr_t)start < size;
}

static void *moved(void *place, const struct copy *copy)
{
    return (char *)copy->to + ((uintptr_t)place - (uintptr_t)copy->from);
}

/* The data, as a copy that nobody shares. */
static bool copy_data(struct copying_undo *undo)
{
    struct fh_state *s = undo->s;
    struct fh_rdata *old = s->adt;
    if (!refs_shared(&old->references))
        return true;
    refs_retain(&old->references);
    if (!own_data_alone(s) || !push_copy(undo, (struct copy){old, s->adt, sizeof *old, NULL})) {
        fh_snapshot_release(old, &s->allocator);
        return false;
    }
    return true;
}

/* The record that the reference at `slot` leads to, as a copy; NULL when memory runs out. */
static void *copy_record(struct copying_undo *undo, void *slot, const struct fh_type *type,
                         void *place)
{
    void *old = *(void **)slot;
    if (!refs_shared((uint32_t *)old)) /* first in every counted record */
        return place;
    fh_value_retain(type, slot);
    if (!fh_ref_own(type, slot, &undo->s->allocator) ||
        !push_copy(undo, (struct copy){old, *(void **)slot, type->record_size, type})) {
        fh_value_release(type, &old, &undo->s->allocator);
        return NULL;
    }
    return moved(place, &undo->copies[undo->count - 1]);
}

static bool leads_to(const void *slot, const struct fh_type *type, const void *place)
{
    const void *record = *(void *const *)slot;
    return record && is_within(place, record, type->record_size);
}

/* `place` in a record that an entry of `map` leads to: *found says whether it is. */
static void *place_in_map(struct copying_undo *undo, struct fh_map *map, const struct fh_type *type,
                          void *place, bool *found)
{
    const void *slot;
    FH_MAP_EACH (slot, map, &type->as_value, key) {
        bool existed;
        if (!leads_to(slot, type, place))
            continue;
        *found = true;
        void *own = fh_map_edit(map, &type->as_value, &undo->s->allocator, key, &existed);
        return own ? copy_record(undo, own, type, place) : NULL;
    }
    return NULL;
}

/* `place` in a record that one of these fields leads to. */
static void *place_in_fields(struct copying_undo *undo, const struct fh_type *type, void *record,
                             void *place, bool *found)
{
    void *own = NULL;
    for (unsigned i = 0; i < type->nfields && !*found; i++) {
        const struct fh_field *field = &type->fields[i];
        void *slot = (char *)record + field->offset;
        if (field->type->kind == FH_KIND_RECORD) {
            own = place_in_fields(undo, field->type, slot, place, found);
        } else if (field->type->kind == FH_KIND_REF && leads_to(slot, field->type, place)) {
            *found = true;
            own = copy_record(undo, slot, field->type, place);
        } else if (field->type->kind == FH_KIND_MAP && field->type->value->kind == FH_KIND_REF) {
            own = place_in_map(undo, slot, field->type->value, place, found);
        }
    }
    return own;
}

/* `place` in a record of the data: where it stands now that nobody shares it. */
static void *place_in_record(struct copying_undo *undo, void *place)
{
    bool found = false;
    return place_in_fields(undo, fh_rdata_type(), undo->s->adt, place, &found);
}

/* Where `place` of a record stands now, in memory that nobody shares; NULL when memory runs out. */
static void *place_now(struct copying_undo *undo, void *place)
{
    if (is_within(place, undo->s, sizeof *undo->s))
        return place;
    if (!copy_data(undo))
        return NULL;
    for (unsigned i = undo->count; i-- > 0;) {
        const struct copy *copy = &undo->copies[i];
        if (is_within(place, copy->from, copy->size))
            return moved(place, copy);
    }
    return place_in_record(undo, place);
}

/* Give up one share of what a payload owns, which the journal goes on to own another of. */
static void release_copy(struct fh_state *s, const struct record *record)
{
    char value[FH_MAP_VALUE_MAX];
    memcpy(value, payload_of(record), record->payload);
    fh_value_release(record->type, value, &s->allocator);
}

/* Undo one record; *within is where the inner map of the next one stands, or NULL. */
static bool undo_by_copies(struct copying_undo *undo, const struct record *record, void **within)
{
    struct fh_state *s = undo->s;
    bool existed;
    void *place = *within;
    *within = NULL;
    if (record->kind == RECORD_MARK)
        return true;
    if (record->kind == RECORD_DATA) { /* what was copied of other data is not this data's */
        refs_retain(&((struct fh_rdata *)record->place)->references);
        forget_copies(undo);
        return undo_record(s, record, NULL);
    }
    if (record->kind == RECORD_FREE_LOCK || record->kind == RECORD_BROKEN_LOG)
        return copy_data(undo) && undo_record(s, record, NULL);
    if (!place)
        place = place_now(undo, record->place);
    if (!place)
        return false;
    if (record->kind == RECORD_WITHIN) {
        *within = fh_map_edit(place, &record->type->as_value, &s->allocator, record->key, &existed);
        return *within != NULL;
    }
    const bool owns = record->kind == RECORD_VALUE || record->kind == RECORD_ENTRY;
    if (owns)
        fh_value_retain(record->type, payload_of(record));
    if (undo_record(s, record, place))
        return true;
    if (owns)
        release_copy(s, record);
    return false;
}

static bool undo_all_by_copies(struct copying_undo *undo, size_t from)
{
    const struct journal *journal = &undo->s->journal;
    void *within = NULL;
    for (size_t used = journal->used; used > from;) {
        const struct record *record = record_before(journal, used);
        if (!undo_by_copies(undo, record, &within))
            return false;
        used = start_of(record, used);
    }
    return copy_data(undo); /* its fields that are saved as a block will be assigned */
}

/* The maps that stand in the state itself. */
struct maps_beside {
    struct fh_map ticket_logs, outlived;
};

static struct maps_beside hold_maps(const struct fh_state *s)
{
    fh_map_retain(&s->ticket_logs);
    fh_map_retain(&s->outlived);
    return (struct maps_beside){s->ticket_logs, s->outlived};
}

static void release_maps(struct maps_beside *maps, const struct fh_allocator *allocator)
{
    fh_map_release(&maps->ticket_logs, &type_of_log->as_value, allocator);
    fh_map_release(&maps->outlived, &type_of_flag->as_value, allocator);
}

/* As journal_undo, where a snapshot shares what is undone. False, and nothing done, without memory.
 */
FH_SELDOM static bool undo_shared(struct fh_state *s, size_t from)
{
    const struct fh_allocator *allocator = &s->allocator;
    struct copying_undo undo = {.s = s};
    struct fh_rdata *before = s->adt;
    struct maps_beside maps = hold_maps(s);
    refs_retain(&before->references);
    forget_places(s);
    const bool done = undo_all_by_copies(&undo, from);
    forget_places(s);
    if (done) {
        journal_forget(s, from);
        for (unsigned i = 0; i < undo.count; i++)
            journal_move(&s->journal, undo.copies[i].from, undo.copies[i].size, undo.copies[i].to);
    } else {
        struct maps_beside changed = {s->ticket_logs, s->outlived};
        struct fh_rdata *copy = s->adt;
        s->adt = before;
        s->ticket_logs = maps.ticket_logs;
        s->outlived = maps.outlived;
        before = copy;
        maps = changed;
    }
    forget_copies(&undo);
    if (undo.copies)
        allocator->free(allocator->context, undo.copies, undo.size * sizeof *undo.copies);
    fh_snapshot_release(before, allocator);
    release_maps(&maps, allocator);
    return done;
}

/* --- The public side ------------------------------------------------------------------------- */

static enum fh_status answer(struct fh_state *s, enum fh_status status)
{
    if (status == FH_OK)
        s->error.status = FH_OK;
    else
        s->error = (struct fh_error){.status = status};
    return status;
}

/* The mark of the innermost open transaction. */
static struct record *mark_of(const struct journal *journal)
{
    return record_before(journal, journal->mark);
}

static const struct saved *saved_by(const struct record *mark)
{
    return payload_of(mark);
}

enum fh_status fh_begin(struct fh_state *s)
{
    if (s->journal.depth == 0)
        journal_clear(s);
    s->journal.is_whole = false;
    return answer(s, note_mark(s) ? FH_OK : FH_NOMEM);
}

/* The transaction that ended is no more than a part of the one around it, or can be taken back. */
enum fh_status fh_keep(struct fh_state *s)
{
    struct journal *journal = &s->journal;
    if (journal->depth == 0)
        return answer(s, FH_INVALID_ARGUMENT);
    const struct record *mark = mark_of(journal);
    journal->depth--;
    journal->mark = (size_t)mark->key;
    if (journal->depth == 0) {
        journal->is_whole = true;
        s->saved = *saved_by(mark);
    }
    return answer(s, FH_OK);
}

static void end_undone(struct journal *journal)
{
    journal->is_whole = false;
    if (journal->depth == 0)
        return;
    const struct record *mark = mark_of(journal);
    const size_t start = start_of(mark, journal->mark);
    journal->depth--;
    journal->mark = (size_t)mark->key;
    journal_cut(journal, start);
}

enum fh_status fh_undo(struct fh_state *s)
{
    struct journal *journal = &s->journal;
    const size_t from = journal->depth > 0 ? journal->mark : 0;
    if (journal->depth == 0 && !journal->is_whole)
        return answer(s, FH_INVALID_ARGUMENT);
    const struct saved saved = journal->depth > 0 ? *saved_by(mark_of(journal)) : s->saved;
    s->hash.pending = NULL;
    hash_forget_records(&s->hash);
    if (from >= journal->shared && !refs_shared(&s->adt->references))
        journal_undo(s, from);
    else if (!undo_shared(s, from))
        return answer(s, FH_NOMEM);
    put_back_saved(s->adt, &saved);
    end_undone(journal);
    return answer(s, FH_OK);
}
