/* SPDX-License-Identifier: GPL-2.0-only */
#include "state/machine.h"

#include <string.h>

#include "base/refs.h"

/* --- Transactions --------------------------------------------------------------------------- */

/* A new record, with room for its payload; written in place, member by member, for speed. */
static inline struct record *note(struct fh_state *s, enum record_kind kind, void *place,
                                  const struct fh_type *type, uint64_t key, uint32_t payload)
{
    struct journal *journal = &s->journal;
    const size_t start = journal->used + padded(payload);
    const size_t need = start + sizeof(struct record);
    if (__builtin_expect(need > journal->size, 0) && !journal_grow(s, need))
        return NULL;
    struct record *record = (struct record *)(void *)(journal->bytes + start);
    record->place = place;
    record->type = type;
    record->key = key;
    record->kind = kind;
    record->payload = payload;
    journal->used = need;
    return record;
}

/* Does this value of a counted type own anything? */
static bool is_owner(const struct fh_type *type, const void *value)
{
    if (type->kind == FH_KIND_LOG) {
        const struct fh_log *log = value;
        return log->newest || log->tickets || log->snapshot;
    }
    return true;
}

/* Values are short and of many sizes: a call of memcpy would cost more than the copy. */
static inline void copy_value(void *to, const void *from, size_t size)
{
    size_t i = 0;
    for (; i + 8 <= size; i += 8)
        __builtin_memcpy((char *)to + i, (const char *)from + i, 8);
    for (; i < size; i++)
        ((char *)to)[i] = ((const char *)from)[i];
}

/* Note the value at `from`, which the journal then owns a share of. */
static bool note_value(struct fh_state *s, enum record_kind kind, void *place,
                       const struct fh_type *type, uint64_t key, const void *from)
{
    struct record *record = note(s, kind, place, type, key, type->as_value.value_size);
    if (!record)
        return false;
    void *payload = payload_of(record);
    copy_value(payload, from, type->as_value.value_size);
    if (type->as_value.retain && is_owner(type, payload)) {
        fh_value_retain(type, payload);
        s->journal.holds_references = true;
    }
    return true;
}

static void save(struct fh_state *s, struct saved *saved)
{
    const struct fh_rdata *adt = s->adt;
    saved->halt = adt->halt;
    saved->icore = adt->icore;
    saved->ihost = adt->ihost;
    saved->tstate = adt->tstate;
    saved->curid = adt->curid;
    saved->cur_vmid = adt->cur_vmid;
    saved->cur_vcpuid = adt->cur_vcpuid;
}

void put_back_saved(struct fh_state *s, const struct saved *saved)
{
    struct fh_rdata *adt = s->adt;
    adt->halt = saved->halt;
    adt->icore = saved->icore;
    adt->ihost = saved->ihost;
    adt->tstate = saved->tstate;
    adt->curid = saved->curid;
    adt->cur_vmid = saved->cur_vmid;
    adt->cur_vcpuid = saved->cur_vcpuid;
}

enum fh_status txn_begin(struct fh_state *s)
{
    if (s->journal.depth == 0)
        journal_forget(s, 0);
    s->journal.call = s->journal.used;
    s->journal.is_whole = false;
    s->transaction++;
    s->error.status = FH_OK;
    s->beyond.status = FH_OK;
    save(s, &s->saved);
    return own_data(s) ? FH_OK : txn_end(s, FH_NOMEM);
}

static void undo_call(struct fh_state *s, enum fh_status status)
{
    journal_undo(s, s->journal.call);
    forget_lock_places(s);
    put_back_saved(s, &s->saved);
    if (s->error.status != status)
        s->error = (struct fh_error){.status = status};
}

enum fh_status txn_end(struct fh_state *s, enum fh_status status)
{
    if (status == FH_OK && __builtin_expect(s->beyond.status != FH_OK, 0)) {
        s->error = s->beyond;
        status = s->beyond.status;
    }
    if (status != FH_OK && status != FH_DIED && status != FH_HANGS)
        undo_call(s, status);
    s->journal.is_whole = true;
    return status;
}

/* --- Writing from outside of calls ----------------------------------------------------------- */

bool note_mark(struct fh_state *s)
{
    struct journal *journal = &s->journal;
    struct record *record = note(s, RECORD_MARK, NULL, NULL, journal->mark, sizeof(struct saved));
    if (!record)
        return false;
    save(s, payload_of(record));
    journal->mark = journal->used;
    journal->depth++;
    return true;
}

bool note_data(struct fh_state *s)
{
    if (!note(s, RECORD_DATA, s->adt, NULL, 0, 0))
        return false;
    refs_retain(&s->adt->references);
    s->journal.holds_references = true;
    return true;
}

bool note_regs(struct fh_state *s)
{
    struct fh_ctxt *regs = s->adt->regs;
    char *bytes = (char *)regs + offsetof(struct fh_ctxt, ctxt_regs);
    const uint32_t size = sizeof *regs - offsetof(struct fh_ctxt, ctxt_regs);
    struct record *record = note(s, RECORD_BYTES, bytes, NULL, 0, size);
    if (!record)
        return false;
    memcpy(payload_of(record), bytes, size);
    s->journal.regs = s->journal.used;
    return true;
}

/* --- Writing -------------------------------------------------------------------------------- */

enum fh_status set_u64(struct fh_state *s, uint64_t *place, uint64_t value)
{
    if (!note(s, RECORD_WORD, place, NULL, *place, 0))
        return FH_NOMEM;
    *place = value;
    return FH_OK;
}

enum fh_status edit_entry(struct fh_state *s, struct fh_map *map, const struct fh_type *value,
                          uint64_t key, void **entry)
{
    bool existed;
    *entry = fh_map_edit(map, &value->as_value, &s->allocator, key, &existed);
    if (!*entry)
        return FH_NOMEM;
    const bool noted = existed ? note_value(s, RECORD_ENTRY, map, value, key, *entry)
                               : note(s, RECORD_NEW_ENTRY, map, value, key, 0) != NULL;
    return noted ? FH_OK : FH_NOMEM;
}

/*
 * An inner map may move when its neighbours in the outer map are inserted, so the record of its
 * entry is followed by one that says where to find the map: undoing begins with the latter.
 */
enum fh_status edit_inner_entry(struct fh_state *s, struct fh_map *outer,
                                const struct fh_type *inner, uint64_t outer_key, uint64_t key,
                                void **entry)
{
    bool existed;
    void *map = fh_map_edit(outer, &inner->as_value, &s->allocator, outer_key, &existed);
    if (!map)
        return FH_NOMEM;
    if (!existed && !note(s, RECORD_NEW_ENTRY, outer, inner, outer_key, 0))
        return FH_NOMEM;
    enum fh_status status = edit_entry(s, map, inner->value, key, entry);
    if (status != FH_OK)
        return status;
    return note(s, RECORD_WITHIN, outer, inner, outer_key, 0) ? FH_OK : FH_NOMEM;
}

enum fh_status save_value(struct fh_state *s, void *place, const struct fh_type *type)
{
    return note_value(s, RECORD_VALUE, place, type, 0, place) ? FH_OK : FH_NOMEM;
}

/* A reference whose record nobody else has may be written through as it is. */
static bool is_own(void *place)
{
    uint32_t *references = *(uint32_t **)place; /* first in every counted record */
    return references && !refs_shared(references);
}

enum fh_status own_ref(struct fh_state *s, void *place, const struct fh_type *type, void **record)
{
    if (!is_own(place)) {
        enum fh_status status = save_value(s, place, type);
        if (status != FH_OK)
            return status;
        if (!fh_ref_own(type, place, &s->allocator))
            return FH_NOMEM;
    }
    *record = *(void **)place;
    return FH_OK;
}

enum fh_status own_entry(struct fh_state *s, struct fh_map *map, const struct fh_type *type,
                         uint64_t key, void **record)
{
    bool existed;
    void *entry = fh_map_edit(map, &type->as_value, &s->allocator, key, &existed);
    if (!entry)
        return FH_NOMEM;
    if (!existed || !is_own(entry)) {
        const bool noted = existed ? note_value(s, RECORD_ENTRY, map, type, key, entry)
                                   : note(s, RECORD_NEW_ENTRY, map, type, key, 0) != NULL;
        if (!noted)
            return FH_NOMEM;
        if (!fh_ref_own(type, entry, &s->allocator))
            return FH_NOMEM;
    }
    *record = *(void **)entry;
    return FH_OK;
}

/* As edit_entry, but noted only if `noted` says so; a new entry moves the others. */
static enum fh_status find_of_lock(struct fh_state *s, struct fh_map *map,
                                   const struct fh_type *type, uint64_t id, bool noted,
                                   void **entry)
{
    bool existed;
    *entry = fh_map_edit(map, &type->as_value, &s->allocator, id, &existed);
    if (!*entry)
        return FH_NOMEM;
    if (existed && noted)
        return FH_OK;
    if (existed)
        return note_value(s, RECORD_ENTRY, map, type, id, *entry) ? FH_OK : FH_NOMEM;
    forget_lock_places(s);
    return note(s, RECORD_NEW_ENTRY, map, type, id, 0) ? FH_OK : FH_NOMEM;
}

/* note_value for the two, with sizes that the compiler knows. */
static bool note_log(struct fh_state *s, uint64_t id, const struct fh_log *log)
{
    if (is_owner(type_of_log, log))
        return note_value(s, RECORD_ENTRY, &s->adt->log, type_of_log, id, log);
    struct record *record = note(s, RECORD_ENTRY, &s->adt->log, type_of_log, id, sizeof *log);
    if (!record)
        return false;
    memcpy(payload_of(record), log, sizeof *log);
    return true;
}

static bool note_status(struct fh_state *s, uint64_t id, const uint8_t *status)
{
    struct record *record =
        note(s, RECORD_ENTRY, &s->adt->lock, type_of_lock_status, id, sizeof *status);
    if (!record)
        return false;
    *(uint8_t *)payload_of(record) = *status;
    return true;
}

enum fh_status find_own_log(struct fh_state *s, uint64_t id, struct fh_log **log)
{
    struct lock_place *place = id < LOCK_PLACES ? &s->locks[id] : NULL;
    const bool noted = place && place->log_noted == s->transaction;
    if (place && place->log_age == s->locks_age) {
        *log = place->log;
        place->log_noted = s->transaction;
        return note_log(s, id, *log) ? FH_OK : FH_NOMEM;
    }
    void *entry;
    enum fh_status status = find_of_lock(s, &s->adt->log, type_of_log, id, noted, &entry);
    *log = entry;
    if (place && status == FH_OK) {
        place->log = entry;
        place->log_age = s->locks_age;
        place->log_noted = s->transaction;
    }
    return status;
}

enum fh_status find_own_status(struct fh_state *s, uint64_t id, uint8_t **status)
{
    struct lock_place *place = id < LOCK_PLACES ? &s->locks[id] : NULL;
    const bool noted = place && place->status_noted == s->transaction;
    if (place && place->status_age == s->locks_age) {
        *status = place->status;
        place->status_noted = s->transaction;
        return note_status(s, id, *status) ? FH_OK : FH_NOMEM;
    }
    void *entry;
    enum fh_status result = find_of_lock(s, &s->adt->lock, type_of_lock_status, id, noted, &entry);
    *status = entry;
    if (place && result == FH_OK) {
        place->status = entry;
        place->status_age = s->locks_age;
        place->status_noted = s->transaction;
    }
    return result;
}

enum fh_status set_entry_u64(struct fh_state *s, struct fh_map *map, uint64_t key, uint64_t value)
{
    void *entry;
    enum fh_status status = edit_entry(s, map, type_of_u64, key, &entry);
    if (status == FH_OK)
        *(uint64_t *)entry = value;
    return status;
}

enum fh_status set_entry_flag(struct fh_state *s, struct fh_map *map, uint64_t key, bool value)
{
    void *entry;
    enum fh_status status = edit_entry(s, map, type_of_flag, key, &entry);
    if (status == FH_OK)
        *(bool *)entry = value;
    return status;
}
