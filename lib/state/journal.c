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

/* The lock is free again. */
static inline void free_lock(struct fh_state *s, struct lock_place *place, uint64_t length)
{
    if (place->log->snapshot) /* a free lock that is plain has none */
        log_forget_snapshot(place->log, &s->allocator);
    log_set_free(place->log, length);
    *place->status = FH_LOCK_FREE;
    s->places.status[place - s->places.locks] = FH_LOCK_FREE;
}

/*
 * Has the lock a plain log, and is it free? Then a critical section only counted in the log, and is
 * taken back by the count: half of what taking a fault back took.
 */
static inline bool is_plain_and_free(const struct fh_state *s, const struct lock_place *place)
{
    return place->plain_age == s->places.lock_age && *place->status == FH_LOCK_FREE;
}

/* The entries of a lock are looked for where they are not known to stand still. */
static bool find_lock_again(struct fh_state *s, struct lock_place *place)
{
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
    return true;
}

static bool undo_taking(struct fh_state *s, const struct record *record)
{
    if (!find_lock_again(s, record->place))
        return false;
    free_lock(s, record->place, record->key);
    return true;
}

static bool undo_counting(struct fh_state *s, const struct record *record)
{
    struct lock_place *place = record->place;
    if (!find_lock_again(s, place))
        return false;
    log_release(place->log, &s->allocator); /* owns nothing, if it only counts still */
    log_set_broken(place->log, record->key);
    return true;
}

/* A flag of tables is taken back: where it is one of a known table, its tables are looked for anew.
 */
static void forget_tables_with(struct fh_state *s, const void *map)
{
    for (uint64_t vmid = 0; vmid < NPT_PLACES; vmid++) {
        const uintptr_t offset = (uintptr_t)map - (uintptr_t)s->places.npts[vmid].npt;
        if (offset < sizeof(struct fh_npt)) {
            forget_tables(s, vmid);
            return;
        }
    }
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
    } else if (type == type_of_flag) {
        forget_tables_with(s, record->place);
    } else if (type->kind == FH_KIND_REF || type->kind == FH_KIND_MAP) {
        forget_places_beside_locks(s);
    }
}

/*
 * An entry of a map that has a cursor, where that stands at its leaf. The cursor is of the same
 * map: whatever gives it another one gives the places a new age, and so does undoing that.
 */
static inline bool undo_pair(struct fh_state *s, const struct record *record)
{
    struct map_cursor *cursor = (void *)((char *)&s->places + record->cursor);
    const uint64_t age = s->places.age;
    if (record->cursor == 0)
        return false;
    if (record->kind == RECORD_NEW_ENTRY)
        return cursor_remove(cursor, age, 16, record->key);
    const void *entry = cursor->is_own ? cursor_find(cursor, age, 16, record->key) : NULL;
    if (entry)
        __builtin_memcpy((void *)(uintptr_t)entry, payload_of(record), 16);
    return entry != NULL;
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
    case RECORD_BROKEN_LOG: return undo_counting(s, record);
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
    return record->kind == RECORD_FREE_LOCK || record->kind == RECORD_BROKEN_LOG ||
           record->type == type_of_lock_status ||
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

/* What nearly every call leaves in the journal, without more ado; false: undo_record. */
static inline bool undo_at_once(struct fh_state *s, const struct record *record)
{
    struct lock_place *lock = record->place;
    switch (record->kind) {
    case RECORD_WORD: *(uint64_t *)record->place = record->key; return true;
    case RECORD_ENTRY:
    case RECORD_NEW_ENTRY: return undo_pair(s, record);
    case RECORD_FREE_LOCK:
        if (lock->age != s->places.lock_age)
            return false;
        if (is_plain_and_free(s, lock))
            lock->log->length = record->key;
        else
            free_lock(s, lock, record->key);
        return true;
    default: return false;
    }
}

/* RECORD_WITHIN says where the inner map of the record before it stands now. */
static void undo_within(struct fh_state *s, const struct record *within)
{
    struct journal *journal = &s->journal;
    const struct record *record = record_before(journal, journal->used);
    bool existed;
    void *map =
        fh_map_edit(within->place, &within->type->as_value, &s->allocator, within->key, &existed);
    journal->used = start_of(record, journal->used);
    undo_record(s, record, map);
}

/* The rest of the records, up to and with one that is not undone at once. */
static void undo_some(struct fh_state *s, size_t from)
{
    struct journal *journal = &s->journal;
    size_t used = journal->used;
    while (used > from) {
        const struct record *record = record_before(journal, used);
        used = start_of(record, used);
        if (undo_at_once(s, record))
            continue;
        journal->used = used;
        if (record->kind == RECORD_WITHIN)
            undo_within(s, record);
        else
            undo_record(s, record, record->place);
        if (replaced_logs(record))
            undo_logs(s, used, from);
        return;
    }
    journal->used = used;
}

void journal_undo(struct fh_state *s, size_t from)
{
    undo_logs(s, s->journal.used, from);
    while (s->journal.used > from)
        undo_some(s, from);
    journal_cut(&s->journal, from);
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
