/* SPDX-License-Identifier: GPL-2.0-only */
#include "state/machine.h"

#include <string.h>

#include "base/refs.h"
#include "state/log.h"

bool journal_grow(struct fh_state *s, size_t need)
{
    struct journal *journal = &s->journal;
    size_t size = journal->size ? journal->size * 2 : 4096;
    while (size < need)
        size *= 2;
    char *bytes = s->allocator.alloc(s->allocator.context, size);
    if (!bytes)
        return false;
    if (journal->bytes) {
        memcpy(bytes, journal->bytes, journal->used);
        s->allocator.free(s->allocator.context, journal->bytes, journal->size);
    }
    journal->bytes = bytes;
    journal->size = size;
    return true;
}

/* Other data become the state's; the share of the old ones is given up. */
static void undo_data(struct fh_state *s, const struct record *record)
{
    fh_snapshot_release(s->adt, &s->allocator);
    s->adt = record->place;
    forget_places(s);
}

/* The lock is free again; its entries are looked for where they are not known to stand still. */
static bool undo_taking(struct fh_state *s, const struct record *record)
{
    struct lock_place *place = record->place;
    const uint64_t id = (uint64_t)(place - s->places.locks);
    bool existed;
    if (place->age != s->places.lock_age) {
        place->log = fh_map_edit(&s->adt->log, &type_of_log->as_value, &s->allocator, id, &existed);
        place->status =
            fh_map_edit(&s->adt->lock, &type_of_lock_status->as_value, &s->allocator, id, &existed);
        if (!place->log || !place->status)
            return false;
        place->age = s->places.lock_age;
    }
    log_forget_snapshot(place->log, &s->allocator); /* a free lock that is plain has none */
    log_set_free(place->log, record->key);
    *place->status = FH_LOCK_FREE;
    s->places.status[id] = FH_LOCK_FREE;
    return true;
}

/*
 * What was found before, and this record's undoing moves or makes untrue. An entry that was there
 * before stays where it is, so that a lock whose taking is undone again and again stays found.
 */
static void forget_moved(struct fh_state *s, const struct record *record)
{
    const struct fh_type *type = record->type;
    const bool is_of_known_lock = record->key < LOCK_PLACES && record->kind == RECORD_ENTRY;
    if (type == type_of_log && is_of_known_lock) {
        s->places.locks[record->key].plain_age = 0;
    } else if (type == type_of_lock_status && is_of_known_lock) {
        s->places.locks[record->key].plain_age = 0;
        s->places.status[record->key] = *(const uint8_t *)payload_of(record);
    } else if (type == type_of_log || type == type_of_lock_status) {
        forget_lock_places(s);
        s->places.is_status_old = true;
    } else if (type == type_of_flag || type->kind == FH_KIND_REF || type->kind == FH_KIND_MAP) {
        forget_places_beside_locks(s);
    }
}

bool undo_record(struct fh_state *s, const struct record *record, void *place)
{
    bool existed;
    switch (record->kind) {
    case RECORD_UNDONE:
    case RECORD_MARK: return true;
    case RECORD_WORD: *(uint64_t *)place = record->key; return true;
    case RECORD_BYTES: memcpy(place, payload_of(record), record->payload); return true;
    case RECORD_DATA: undo_data(s, record); return true;
    case RECORD_FREE_LOCK: return undo_taking(s, record);
    case RECORD_NEW_ENTRY:
        forget_moved(s, record);
        return fh_map_remove(place, &record->type->as_value, &s->allocator, record->key);
    case RECORD_ENTRY:
        /* Of a map that is the state's own this finds the entry and allocates nothing. */
        place = fh_map_edit(place, &record->type->as_value, &s->allocator, record->key, &existed);
        if (!place)
            return false;
        /* fall through */
    default:
        forget_moved(s, record);
        fh_value_release(record->type, place, &s->allocator);
        copy_value(place, payload_of(record), record->payload);
        return true;
    }
}

/* Those of a lock's log and of its status go together: one record may be about both. */
static bool is_of_lock(const struct record *record)
{
    return record->kind == RECORD_FREE_LOCK || record->type == type_of_lock_status ||
           (record->type && record->type->kind == FH_KIND_LOG);
}

/* Logs before this record are others. */
static bool replaced_logs(const struct record *record)
{
    return record->kind == RECORD_DATA || record->type == type_of_map_log;
}

/*
 * Snapshots in logs share what the other records are about, and would make undoing those copy it:
 * the logs go first, as far back as they are the same ones.
 */
static void undo_logs(struct fh_state *s, size_t used, size_t from)
{
    if (!s->journal.holds_references && s->log_policy != FH_LOG_FULL)
        return;
    while (used > from) {
        struct record *record = record_before(&s->journal, used);
        if (replaced_logs(record))
            return;
        used = start_of(record, used);
        if (!is_of_lock(record))
            continue;
        undo_record(s, record, record->place);
        record->kind = RECORD_UNDONE;
    }
}

void journal_undo(struct fh_state *s, size_t from)
{
    struct journal *journal = &s->journal;
    void *within = NULL;
    undo_logs(s, journal->used, from);
    while (journal->used > from) {
        const struct record *record = record_before(journal, journal->used);
        void *place = within ? within : record->place;
        bool existed;
        within = NULL;
        journal->used = start_of(record, journal->used);
        if (record->kind == RECORD_WITHIN) /* where the inner map of the next record stands now */
            within =
                fh_map_edit(place, &record->type->as_value, &s->allocator, record->key, &existed);
        else
            undo_record(s, record, place);
        if (replaced_logs(record))
            undo_logs(s, journal->used, from);
    }
    journal_cut(journal, from);
}

void journal_cut(struct journal *journal, size_t from)
{
    journal->used = from;
    if (journal->shared > from)
        journal->shared = from;
    if (journal->regs > from)
        journal->regs = 0;
    if (from == 0)
        journal->holds_references = false;
}

static void release_payload(struct fh_state *s, struct record *record)
{
    switch (record->kind) {
    case RECORD_VALUE:
    case RECORD_ENTRY: fh_value_release(record->type, payload_of(record), &s->allocator); break;
    case RECORD_DATA: fh_snapshot_release(record->place, &s->allocator); break;
    default: break;
    }
}

void journal_forget(struct fh_state *s, size_t from)
{
    struct journal *journal = &s->journal;
    while (journal->holds_references && journal->used > from) {
        struct record *record = record_before(journal, journal->used);
        journal->used = start_of(record, journal->used);
        release_payload(s, record);
    }
    journal_cut(journal, from);
}

void journal_break(struct fh_state *s)
{
    if (s->journal.depth > 0)
        return;
    journal_clear(s);
    s->journal.is_whole = false;
}

void journal_move(struct journal *journal, const void *from, size_t size, void *to)
{
    for (size_t used = journal->used; used > 0;) {
        struct record *record = record_before(journal, used);
        const uintptr_t offset = (uintptr_t)record->place - (uintptr_t)from;
        if (record->kind == RECORD_DATA) /* those before are about the data that it keeps */
            return;
        if (offset < size)
            record->place = (char *)to + offset;
        used = start_of(record, used);
    }
}
