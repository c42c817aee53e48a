/* SPDX-License-Identifier: GPL-2.0-only */
#include "state/machine.h"

#include <string.h>

#include "base/refs.h"

/* --- Transactions --------------------------------------------------------------------------- */

/*
 * The journal is a stack of records, each a payload (the old value) followed by this header, so
 * that it can be walked from its end. Undoing newest first keeps every place valid: a record is
 * noted only after the memory that it points into became the state's own.
 */
enum record_kind { RECORD_WORD, RECORD_VALUE, RECORD_ENTRY, RECORD_NEW_ENTRY };

struct record {
    void *place; /* WORD, VALUE: what was written; else the map */
    const struct fh_type *type;
    uint64_t key; /* ENTRY: the key; WORD: the old value */
    uint32_t kind;
    uint32_t payload;
};

static char *note(struct fh_state *s, const struct record *record)
{
    struct journal *journal = &s->journal;
    size_t payload = (record->payload + 7u) & ~(size_t)7;
    size_t need = journal->used + payload + sizeof *record;
    if (need > journal->size) {
        size_t size = journal->size ? journal->size * 2 : 4096;
        while (size < need)
            size *= 2;
        char *bytes = s->allocator.alloc(s->allocator.context, size);
        if (!bytes)
            return NULL;
        if (journal->bytes) {
            memcpy(bytes, journal->bytes, journal->used);
            s->allocator.free(s->allocator.context, journal->bytes, journal->size);
        }
        journal->bytes = bytes;
        journal->size = size;
    }
    char *place = journal->bytes + journal->used;
    memcpy(place + payload, record, sizeof *record);
    journal->used = need;
    return place;
}

/* Note the value at `from`, which the journal then owns a share of. */
static bool note_value(struct fh_state *s, struct record record, void *from)
{
    const struct fh_type *type = record.type;
    record.payload = type->as_value.value_size;
    char *payload = note(s, &record);
    if (!payload)
        return false;
    memcpy(payload, from, type->as_value.value_size);
    if (type->as_value.retain) {
        fh_value_retain(type, payload);
        s->journal.holds_references = true;
    }
    return true;
}

static char *pop(struct journal *journal, struct record *record)
{
    memcpy(record, journal->bytes + journal->used - sizeof *record, sizeof *record);
    journal->used -= sizeof *record + ((record->payload + 7u) & ~(size_t)7);
    return journal->bytes + journal->used;
}

static void undo(struct fh_state *s)
{
    while (s->journal.used > 0) {
        struct record record;
        char *old = pop(&s->journal, &record);
        bool existed;
        void *place = record.place;
        switch (record.kind) {
        case RECORD_WORD: *(uint64_t *)place = record.key; break;
        case RECORD_NEW_ENTRY:
            fh_map_remove(place, &record.type->as_value, &s->allocator, record.key);
            break;
        case RECORD_ENTRY:
            /* The path is still the state's own: this finds the entry and allocates nothing. */
            place = fh_map_edit(place, &record.type->as_value, &s->allocator, record.key, &existed);
            /* fall through */
        default:
            fh_value_release(record.type, place, &s->allocator);
            memcpy(place, old, record.payload);
            break;
        }
    }
}

static void forget(struct fh_state *s)
{
    while (s->journal.holds_references && s->journal.used > 0) {
        struct record record;
        char *old = pop(&s->journal, &record);
        if (record.payload > 0)
            fh_value_release(record.type, old, &s->allocator);
    }
    s->journal.used = 0;
}

void txn_begin(struct fh_state *s)
{
    s->journal.used = 0;
    s->journal.holds_references = false;
    memset(s->logs_in_journal, 0, sizeof s->logs_in_journal);
    s->error.status = FH_OK;
    s->saved.halt = s->adt->halt;
    s->saved.icore = s->adt->icore;
    s->saved.ihost = s->adt->ihost;
    s->saved.tstate = s->adt->tstate;
    s->saved.curid = s->adt->curid;
    s->saved.cur_vmid = s->adt->cur_vmid;
    s->saved.cur_vcpuid = s->adt->cur_vcpuid;
}

enum fh_status txn_end(struct fh_state *s, enum fh_status status)
{
    if (status == FH_OK) {
        forget(s);
        return status;
    }
    undo(s);
    s->adt->halt = s->saved.halt;
    s->adt->icore = s->saved.icore;
    s->adt->ihost = s->saved.ihost;
    s->adt->tstate = s->saved.tstate;
    s->adt->curid = s->saved.curid;
    s->adt->cur_vmid = s->saved.cur_vmid;
    s->adt->cur_vcpuid = s->saved.cur_vcpuid;
    if (s->error.status != status) {
        memset(&s->error, 0, sizeof s->error);
        s->error.status = status;
    }
    return status;
}

/* --- Writing -------------------------------------------------------------------------------- */

enum fh_status set_u64(struct fh_state *s, uint64_t *place, uint64_t value)
{
    const struct record record = {.kind = RECORD_WORD, .place = place, .key = *place};
    if (!note(s, &record))
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
    struct record record = {.kind = RECORD_ENTRY, .place = map, .type = value, .key = key};
    if (existed)
        return note_value(s, record, *entry) ? FH_OK : FH_NOMEM;
    record.kind = RECORD_NEW_ENTRY;
    return note(s, &record) ? FH_OK : FH_NOMEM;
}

enum fh_status save_value(struct fh_state *s, void *place, const struct fh_type *type)
{
    struct record record = {.kind = RECORD_VALUE, .place = place, .type = type};
    return note_value(s, record, place) ? FH_OK : FH_NOMEM;
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
        struct record noted = {.kind = existed ? RECORD_ENTRY : RECORD_NEW_ENTRY,
                               .place = map, .type = type, .key = key};
        if (existed ? !note_value(s, noted, entry) : !note(s, &noted))
            return FH_NOMEM;
        if (!fh_ref_own(type, entry, &s->allocator))
            return FH_NOMEM;
    }
    *record = *(void **)entry;
    return FH_OK;
}

enum fh_status own_log(struct fh_state *s, uint64_t id, struct fh_log **log)
{
    uint64_t *word = id < 256 ? &s->logs_in_journal[id / 64] : NULL;
    uint64_t bit = (uint64_t)1 << (id % 64);
    void *entry;
    if (s->log_policy == FH_LOG_SUMMARY && word && *word & bit) {
        bool existed;
        entry = fh_map_edit(&s->adt->log, &type_of_log->as_value, &s->allocator, id, &existed);
        *log = entry;
        return entry ? FH_OK : FH_NOMEM;
    }
    enum fh_status status = edit_entry(s, &s->adt->log, type_of_log, id, &entry);
    if (status == FH_OK && word)
        *word |= bit;
    *log = entry;
    return status;
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
