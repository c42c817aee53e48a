/* SPDX-License-Identifier: GPL-2.0-only */
#include "state/machine.h"

#include <string.h>

#include "base/refs.h"
#include "state/log.h"
#include "state/pools.h"
#include "state/sound.h"

/* --- Transactions --------------------------------------------------------------------------- */

/* Does this value of a counted type own anything? */
static bool is_owner(const struct fh_type *type, const void *value)
{
    if (type->kind == FH_KIND_LOG) {
        const struct fh_log *log = value;
        return log->newest || log->tickets || log->snapshot;
    }
    return true;
}

/* Note the value at `from`, which the journal then owns a share of. */
static bool note_value(struct fh_state *s, enum record_kind kind, void *place,
                       const struct fh_type *type, uint64_t key, const void *from)
{
    struct record *record = journal_note(s, kind, place, type, key, type->as_value.value_size);
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

static void read_status_of_locks(struct fh_state *s)
{
    const struct fh_map *locks = &s->adt->lock;
    const struct fh_map_type *type = &type_of_lock_status->as_value;
    const uint8_t *status;
    memset(s->places.status, *(const uint8_t *)fh_map_fallback(locks, type), LOCK_PLACES);
    for (uint64_t id = 0; (status = fh_map_next(locks, type, &id)) && id < LOCK_PLACES; id++)
        s->places.status[id] = *status;
    s->places.is_status_old = false;
}

enum fh_lock_status find_lock_status(const struct fh_state *s, uint64_t id)
{
    const uint8_t *status = fh_map_get(&s->adt->lock, &type_of_lock_status->as_value, id);
    return (enum fh_lock_status) * status;
}

enum fh_status txn_begin(struct fh_state *s)
{
    if (__builtin_expect(s->places.is_status_old, 0))
        read_status_of_locks(s);
    const bool is_plain =
        s->log_policy == FH_LOG_SUMMARY && s->lock_form == FH_ABSTRACT && !s->env.oracle;
    s->places.plain_age = is_plain ? s->places.lock_age : NO_AGE;
    if (s->journal.depth == 0)
        journal_clear(s);
    s->journal.call = s->journal.used;
    s->journal.is_whole = false;
    s->transaction++;
    s->error.status = FH_OK;
    s->beyond.status = FH_OK;
    if (keeps_hash(s))
        hash_forget(s);
    save(&s->saved, s->adt);
    return own_data(s) ? FH_OK : txn_end(s, FH_NOMEM);
}

static void undo_call(struct fh_state *s, enum fh_status status)
{
    for (unsigned i = 0; i < s->places.nheld; i++) /* all of them are noted */
        s->places.status[s->places.held[i]] = FH_LOCK_FREE;
    s->places.nheld = 0;
    s->hash.pending = NULL;
    journal_undo(s, s->journal.call);
    put_back_saved(s->adt, &s->saved);
    if (s->error.status != status)
        s->error = (struct fh_error){.status = status};
}

/* In builds that check: a call that leaves something broken says so in the first place. */
static enum fh_status check_soundness(struct fh_state *s, enum fh_status status)
{
    const char *broken;
    const unsigned level = s->transaction % 64 == 0 ? FH_SOUNDNESS : 1;
    if (machine_is_sound(s, level, &broken))
        return status;
    s->error = (struct fh_error){.status = FH_UNSOUND, .condition = broken};
    return FH_UNSOUND;
}

static bool is_carried_out(enum fh_status status)
{
    return status == FH_OK || status == FH_DIED || status == FH_HANGS;
}

/* Ways of a call to end that are seldom taken. */
__attribute__((cold, noinline)) static enum fh_status end_otherwise(struct fh_state *s,
                                                                    enum fh_status status)
{
    if (is_carried_out(status) && __builtin_expect(s->beyond.status != FH_OK, 0)) {
        s->error = s->beyond;
        status = s->beyond.status;
    }
    if (!is_carried_out(status))
        undo_call(s, status);
    return status;
}

enum fh_status txn_end(struct fh_state *s, enum fh_status status)
{
    if (__builtin_expect(status != FH_OK || s->beyond.status != FH_OK, 0))
        status = end_otherwise(s, status);
    settle_locks(s);
    s->journal.is_whole = true;
    return FH_SOUNDNESS > 0 ? check_soundness(s, status) : status;
}

/* --- Writing from outside of calls ----------------------------------------------------------- */

bool note_mark(struct fh_state *s)
{
    struct journal *journal = &s->journal;
    struct record *record =
        journal_note(s, RECORD_MARK, NULL, NULL, journal->mark, sizeof(struct saved));
    if (!record)
        return false;
    if (keeps_hash(s))
        hash_forget(s);
    save(payload_of(record), s->adt);
    journal->mark = journal->used;
    journal->depth++;
    return true;
}

bool note_data(struct fh_state *s)
{
    if (!journal_note(s, RECORD_DATA, s->adt, NULL, 0, 0))
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
    struct record *record = journal_note(s, RECORD_BYTES, bytes, NULL, 0, size);
    if (!record)
        return false;
    memcpy(payload_of(record), bytes, size);
    s->journal.regs = s->journal.used;
    return true;
}

static enum fh_status edit_page(struct fh_state *s, uint64_t pfn, void **entry);

/* --- Writing -------------------------------------------------------------------------------- */

/* Not inlined: whoever keeps no hash saves no registers for it, a third of a write. */
__attribute__((noinline)) static enum fh_status set_hashed_u64(struct fh_state *s, uint64_t *place,
                                                               uint64_t value)
{
    hash_change_word(s, place, value);
    *place = value;
    return FH_OK;
}

enum fh_status set_u64(struct fh_state *s, uint64_t *place, uint64_t value)
{
    if (!journal_note(s, RECORD_WORD, place, NULL, *place, 0))
        return FH_NOMEM;
    if (keeps_hash(s))
        return set_hashed_u64(s, place, value);
    *place = value;
    return FH_OK;
}

/* As edit_entry, of a map that is not a field. */
static enum fh_status edit_any_entry(struct fh_state *s, struct fh_map *map,
                                     const struct fh_type *value, uint64_t key, void **entry)
{
    bool existed;
    *entry = fh_map_edit(map, &value->as_value, &s->allocator, key, &existed);
    if (!*entry)
        return FH_NOMEM;
    const bool noted = existed ? note_value(s, RECORD_ENTRY, map, value, key, *entry)
                               : journal_note(s, RECORD_NEW_ENTRY, map, value, key, 0) != NULL;
    return noted ? FH_OK : FH_NOMEM;
}

enum fh_status edit_entry(struct fh_state *s, struct fh_map *map, const struct fh_type *value,
                          uint64_t key, void **entry)
{
    if (value == type_of_s2page) /* has a cursor, which must not be passed by */
        return edit_page(s, key, entry);
    if (keeps_hash(s))
        hash_settle(s);
    const enum fh_status status = edit_any_entry(s, map, value, key, entry);
    if (status != FH_OK)
        return status;
    if (value->kind == FH_KIND_REF)
        forget_places(s);
    if (keeps_hash(s))
        hash_leave_entry(s, map, value, key, *entry);
    return FH_OK;
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
    if (keeps_hash(s))
        hash_settle(s);
    void *map = fh_map_edit(outer, &inner->as_value, &s->allocator, outer_key, &existed);
    if (!map)
        return FH_NOMEM;
    if (!existed && !journal_note(s, RECORD_NEW_ENTRY, outer, inner, outer_key, 0))
        return FH_NOMEM;
    enum fh_status status = edit_any_entry(s, map, inner->value, key, entry);
    if (status != FH_OK)
        return status;
    if (keeps_hash(s))
        hash_leave_inner_entry(s, outer, outer_key, inner->value, key, *entry);
    return journal_note(s, RECORD_WITHIN, outer, inner, outer_key, 0) ? FH_OK : FH_NOMEM;
}

enum fh_status save_value(struct fh_state *s, void *place, const struct fh_type *type)
{
    if (keeps_hash(s))
        hash_leave(s, place, type);
    return note_value(s, RECORD_VALUE, place, type, 0, place) ? FH_OK : FH_NOMEM;
}

enum fh_status find_own_ref(struct fh_state *s, void *place, const struct fh_type *type,
                            void **record)
{
    if (keeps_hash(s))
        hash_settle(s);
    if (!is_own(place)) {
        if (!note_value(s, RECORD_VALUE, place, type, 0, place))
            return FH_NOMEM;
        if (!fh_ref_own(type, place, &s->allocator))
            return FH_NOMEM;
    }
    if (keeps_hash(s))
        hash_know_ref(s, place, type);
    *record = *(void **)place;
    return FH_OK;
}

enum fh_status own_entry(struct fh_state *s, struct fh_map *map, const struct fh_type *type,
                         uint64_t key, void **record)
{
    bool existed;
    if (keeps_hash(s))
        hash_settle(s);
    void *entry = fh_map_edit(map, &type->as_value, &s->allocator, key, &existed);
    if (!entry)
        return FH_NOMEM;
    if (!existed || !is_own(entry)) {
        const bool noted = existed ? note_value(s, RECORD_ENTRY, map, type, key, entry)
                                   : journal_note(s, RECORD_NEW_ENTRY, map, type, key, 0) != NULL;
        if (!noted)
            return FH_NOMEM;
        if (!fh_ref_own(type, entry, &s->allocator))
            return FH_NOMEM;
        if (type == type_of_ref_npt && key < NPT_PLACES)
            s->places.npts[key].age = 0;
        if (type == type_of_ref_ctxt)
            s->places.ctxts[key % CTXT_PLACES].age = 0;
    }
    if (keeps_hash(s))
        hash_know_entry(s, map, key, entry, type);
    *record = *(void **)entry;
    return FH_OK;
}

/* --- Places ----------------------------------------------------------------------------------- */

/* An entry of a lock, noted unless `noted` says that it is; a new entry moves the others. */
static void *own_entry_of_lock(struct fh_state *s, struct fh_map *map, const struct fh_type *type,
                               uint64_t id, bool noted)
{
    bool existed, done = true;
    void *entry = fh_map_edit(map, &type->as_value, &s->allocator, id, &existed);
    if (!entry)
        return NULL;
    if (!existed) {
        forget_lock_places(s);
        done = journal_note(s, RECORD_NEW_ENTRY, map, type, id, 0) != NULL;
    } else if (!noted) {
        done = note_value(s, RECORD_ENTRY, map, type, id, entry);
    }
    return done ? entry : NULL;
}

/* Entries that stand where they stood, for the first time in a call. */
static enum fh_status note_known_lock(struct fh_state *s, uint64_t id, struct lock_place *place)
{
    struct fh_rdata *adt = s->adt;
    if (!note_value(s, RECORD_ENTRY, &adt->log, type_of_log, id, place->log) ||
        !note_value(s, RECORD_ENTRY, &adt->lock, type_of_lock_status, id, place->status))
        return FH_NOMEM;
    place->noted = s->transaction;
    return FH_OK;
}

void write_held_locks(struct fh_state *s)
{
    for (unsigned i = 0; i < s->places.nheld; i++) {
        const struct lock_place *place = &s->places.locks[s->places.held[i]];
        log_set_taken(place->log, place->log->length + 2, s->adt->curid);
        *place->status = FH_LOCK_OWN;
        s->adt->sum += place->taken;
    }
    s->places.nheld = 0;
}

enum fh_status find_own_lock(struct fh_state *s, uint64_t id, struct lock_place **place)
{
    const bool is_kept = id < LOCK_PLACES;
    struct lock_place *found = is_kept ? &s->places.locks[id] : &s->places.other_lock;
    const bool noted = is_kept && found->noted == s->transaction;
    *place = found;
    if (is_kept && !noted && found->age == s->places.lock_age)
        return note_known_lock(s, id, found);
    settle_locks(s); /* a new entry moves those of others */
    found->log = own_entry_of_lock(s, &s->adt->log, type_of_log, id, noted);
    found->age = 0;
    if (!found->log)
        return FH_NOMEM;
    found->status = own_entry_of_lock(s, &s->adt->lock, type_of_lock_status, id, noted);
    if (!found->status)
        return FH_NOMEM;
    found->age = s->places.lock_age;
    found->noted = s->transaction;
    found->taken = hash_of_taken_lock(s, id);
    return FH_OK;
}

static struct npt_place place_of_npt(const struct fh_state *s, uint64_t vmid, struct fh_npt *npt)
{
    const struct fh_profile *k = s->profile;
    return (struct npt_place){.npt = npt,
                              .age = s->places.age,
                              .code = hash_code_of_npt(s, vmid),
                              .ends = {pud_start(k, vmid), pmd_start(k, vmid), pool_end(k, vmid)}};
}

const struct fh_npt *find_npt(const struct fh_state *s, uint64_t vmid)
{
    struct known_places *places = (struct known_places *)(uintptr_t)&s->places;
    const void *entry = fh_map_get(&s->adt->shared.npts, &type_of_ref_npt->as_value, vmid);
    const struct fh_npt *npt = fh_ref_record(type_of_ref_npt, entry);
    if (vmid < NPT_PLACES)
        places->npts[vmid] = place_of_npt(s, vmid, (struct fh_npt *)(uintptr_t)npt);
    return npt;
}

/*
 * Under FH_LOG_FULL events share records and leaves at any time, so that none is known to be the
 * state's own.
 */
static bool may_own_places(const struct fh_state *s)
{
    return s->log_policy != FH_LOG_FULL;
}

enum fh_status find_own_npt(struct fh_state *s, uint64_t vmid, struct fh_npt **npt)
{
    void *record;
    const enum fh_status status =
        own_entry(s, &s->adt->shared.npts, type_of_ref_npt, vmid, &record);
    if (status != FH_OK)
        return status;
    *npt = record;
    if (vmid >= NPT_PLACES)
        return FH_OK;
    struct npt_place *place = &s->places.npts[vmid];
    if (place->age != s->places.age)
        *place = place_of_npt(s, vmid, record);
    place->is_own = may_own_places(s);
    return FH_OK;
}

/* Where a cursor stands among the places, for a record; 0 for one that is not kept. */
static inline uint16_t number_of_cursor(const struct fh_state *s, const struct map_cursor *cursor)
{
    const uintptr_t number = (uintptr_t)cursor - (uintptr_t)&s->places;
    return number < sizeof s->places ? (uint16_t)number : 0;
}

_Static_assert(sizeof(struct known_places) <= UINT16_MAX && offsetof(struct known_places, age) == 0,
               "a record has the number of a cursor, and 0 is of none");

/* Note an entry of two words. */
static inline bool note_pair(struct fh_state *s, const struct map_cursor *cursor,
                             struct fh_map *map, const struct fh_type *type, uint64_t key,
                             const void *entry)
{
    struct record *record = journal_note(s, RECORD_ENTRY, map, type, key, 16);
    if (!record)
        return false;
    record->cursor = number_of_cursor(s, cursor);
    __builtin_memcpy(payload_of(record), entry, 16);
    return true;
}

static inline bool note_new_pair(struct fh_state *s, const struct map_cursor *cursor,
                                 struct fh_map *map, const struct fh_type *type, uint64_t key)
{
    struct record *record = journal_note(s, RECORD_NEW_ENTRY, map, type, key, 0);
    if (record)
        record->cursor = number_of_cursor(s, cursor);
    return record != NULL;
}

_Static_assert(sizeof(struct fh_s2page) == 16 && sizeof(struct fh_pt_entry) == 16,
               "entries of two words");

/* A map of such entries, with a cursor and the code that a hash has of it. */
struct map_of_pairs {
    struct fh_map *map;
    const struct fh_type *type;
    struct map_cursor *cursor;
    uint64_t code;
};

static inline enum fh_status edit_pair(struct fh_state *s, const struct map_of_pairs *in,
                                       uint64_t key, void **entry)
{
    bool existed;
    if (keeps_hash(s))
        hash_settle(s);
    *entry = cursor_edit(in->cursor, s->places.age, in->map, &in->type->as_value, 16, &s->allocator,
                         key, &existed);
    if (!*entry)
        return FH_NOMEM;
    in->cursor->is_own = may_own_places(s);
    if (keeps_hash(s))
        hash_leave_pair(s, in->type, in->code, key, *entry);
    const bool noted = existed ? note_pair(s, in->cursor, in->map, in->type, key, *entry)
                               : note_new_pair(s, in->cursor, in->map, in->type, key);
    return noted ? FH_OK : FH_NOMEM;
}

static enum fh_status edit_page(struct fh_state *s, uint64_t pfn, void **entry)
{
    const struct map_of_pairs pages = {.map = &s->adt->shared.s2page,
                                       .type = type_of_s2page,
                                       .cursor = &s->places.pages,
                                       .code = s->hash.pages};
    return edit_pair(s, &pages, pfn, entry);
}

enum fh_status find_own_s2page(struct fh_state *s, uint64_t pfn, struct fh_s2page **page)
{
    void *entry;
    const enum fh_status status = edit_page(s, pfn, &entry);
    *page = entry;
    return status;
}

static uint64_t pick_owned(const void *values, unsigned count, uint64_t owner)
{
    const struct fh_s2page *pages = values;
    uint64_t picked = 0;
    for (unsigned i = 0; i < count; i++)
        picked |= (uint64_t)(pages[i].s2_owner == (uint32_t)owner) << i;
    return picked;
}

/* Neighbours have the same owner nearly always. */
static uint16_t classes_of_owners(const void *values, unsigned count)
{
    const struct fh_s2page *pages = values;
    uint32_t owner = 0;
    uint16_t classes = 0;
    for (unsigned i = 0; i < count; i++) {
        if (i > 0 && pages[i].s2_owner == owner)
            continue;
        owner = pages[i].s2_owner;
        classes |= map_class(owner);
    }
    return classes;
}

const struct map_picker picker_of_owners = {pick_owned, classes_of_owners};

bool next_page_of(struct fh_state *s, uint32_t owner, uint64_t last, uint64_t *pfn)
{
    s->places.pages.age = 0;
    return map_next_picked(&s->adt->shared.s2page, &picker_of_owners, owner, last, pfn);
}

/*
 * The cursor goes to `key`. Of data that are shared it knows no leaf as the state's own: the others
 * may go on with a copy, so that the data are the state's alone, and the leaf is not.
 */
static const void *seek(const struct fh_state *s, struct map_cursor *cursor,
                        const struct fh_map *map, const struct fh_type *type, uint64_t key)
{
    const void *value = cursor_get(cursor, s->places.age, map, &type->as_value, key);
    cursor->is_own = cursor->is_own && may_own_places(s) && !refs_shared(&s->adt->references);
    return value;
}

/* The same among the mappings of a table, whose record may be shared, too. */
static const void *seek_mapping(const struct fh_state *s, struct npt_place *place,
                                const struct fh_npt *npt, uint64_t gfn)
{
    const void *entry = seek(s, &place->pt, &npt->pt, type_of_pt_entry, gfn);
    place->pt.is_own = place->pt.is_own && place->is_own;
    return entry;
}

const struct fh_s2page *find_s2page(const struct fh_state *s, uint64_t pfn)
{
    struct known_places *places = (struct known_places *)(uintptr_t)&s->places;
    return seek(s, &places->pages, &s->adt->shared.s2page, type_of_s2page, pfn);
}

const struct fh_pt_entry *find_mapping(const struct fh_state *s, uint64_t vmid, uint64_t gfn)
{
    struct known_places *places = (struct known_places *)(uintptr_t)&s->places;
    const struct fh_npt *npt = npt_of(s, vmid);
    if (vmid >= NPT_PLACES)
        return fh_map_get(&npt->pt, &type_of_pt_entry->as_value, gfn);
    return seek_mapping(s, &places->npts[vmid], npt, gfn);
}

bool seek_own_mapping(struct fh_state *s, struct npt_place *place, uint64_t gfn)
{
    seek_mapping(s, place, place->npt, gfn);
    return cursor_holds(&place->pt, s->places.age, gfn) && place->pt.is_own;
}

void note_tables(struct fh_state *s, uint64_t vmid, uint64_t gfn, unsigned shift, uint64_t pmd)
{
    struct npt_place *place = vmid < NPT_PLACES ? known_npt(s, vmid) : NULL;
    if (!place)
        return;
    seek(s, &place->pmd_t, &place->npt->pmd_t, type_of_flag, pmd);
    place->pmd_t.prefix = gfn >> shift >> BITS;
}

void find_leaves(struct fh_state *s, uint64_t vmid, uint64_t gfn, uint64_t pfn)
{
    struct npt_place *place = known_npt(s, vmid);
    __builtin_prefetch(find_s2page(s, pfn));
    if (place && !cursor_holds(&place->pt, s->places.age, gfn))
        __builtin_prefetch(seek_mapping(s, place, place->npt, gfn));
}

static uint64_t code_of_mappings(const struct npt_place *place)
{
    return place->code ? place->code + offsetof(struct fh_npt, pt) : 0;
}

bool note_mapping(struct fh_state *s, struct npt_place *place, uint64_t gfn,
                  const struct fh_pt_entry *entry)
{
    if (keeps_hash(s))
        hash_leave_pair(s, type_of_pt_entry, code_of_mappings(place), gfn, entry);
    return note_pair(s, &place->pt, &place->npt->pt, type_of_pt_entry, gfn, entry);
}

enum fh_status add_mapping(struct fh_state *s, struct npt_place *place, uint64_t gfn,
                           struct fh_pt_entry **entry)
{
    void *found;
    const struct map_of_pairs mappings = {.map = &place->npt->pt,
                                          .type = type_of_pt_entry,
                                          .cursor = &place->pt,
                                          .code = code_of_mappings(place)};
    const enum fh_status status = edit_pair(s, &mappings, gfn, &found);
    *entry = found;
    return status;
}

enum fh_status edit_mapping(struct fh_state *s, uint64_t vmid, uint64_t gfn,
                            struct fh_pt_entry **entry)
{
    struct map_cursor none = {0};
    struct fh_npt *npt;
    void *found;
    struct npt_place *place = known_npt(s, vmid);
    enum fh_status status = FH_OK;
    if (place && place->is_own)
        npt = place->npt;
    else
        status = find_own_npt(s, vmid, &npt);
    if (status != FH_OK)
        return status;
    place = known_npt(s, vmid);
    const struct map_of_pairs mappings = {.map = &npt->pt,
                                          .type = type_of_pt_entry,
                                          .cursor = place ? &place->pt : &none,
                                          .code = place ? code_of_mappings(place)
                                                        : hash_code_of_map(s, &npt->pt)};
    status = edit_pair(s, &mappings, gfn, &found);
    *entry = found;
    return status;
}

enum fh_status set_any_entry_u64(struct fh_state *s, struct fh_map *map, uint64_t key,
                                 uint64_t value)
{
    void *entry;
    enum fh_status status = edit_entry(s, map, type_of_u64, key, &entry);
    if (status == FH_OK)
        *(uint64_t *)entry = value;
    return status;
}

__attribute__((noinline)) static enum fh_status set_any_number(struct fh_state *s,
                                                               struct map_cursor *cursor,
                                                               struct fh_map *map, uint64_t key,
                                                               uint64_t value)
{
    bool existed;
    if (keeps_hash(s))
        hash_settle(s);
    uint64_t *entry = cursor_edit(cursor, s->places.age, map, &type_of_u64->as_value, sizeof value,
                                  &s->allocator, key, &existed);
    if (!entry)
        return FH_NOMEM;
    cursor->is_own = may_own_places(s);
    if (keeps_hash(s))
        hash_leave_entry(s, map, type_of_u64, key, entry);
    const enum record_kind kind = existed ? RECORD_ENTRY : RECORD_NEW_ENTRY;
    struct record *record =
        journal_note(s, kind, map, type_of_u64, key, existed ? sizeof value : 0);
    if (!record)
        return FH_NOMEM;
    if (existed)
        __builtin_memcpy(payload_of(record), entry, sizeof value);
    *entry = value;
    return FH_OK;
}

/* At once where the cursor is: a read of an SMMU's register takes 50 instructions less. */
enum fh_status set_known_number(struct fh_state *s, struct map_cursor *cursor, struct fh_map *map,
                                uint64_t key, uint64_t value)
{
    const void *found =
        cursor->is_own ? cursor_find(cursor, s->places.age, sizeof value, key) : NULL;
    if (!found || keeps_hash(s))
        return set_any_number(s, cursor, map, key, value);
    struct record *record = journal_note(s, RECORD_ENTRY, map, type_of_u64, key, sizeof value);
    if (!record)
        return FH_NOMEM;
    uint64_t *entry = (uint64_t *)(uintptr_t)found;
    __builtin_memcpy(payload_of(record), entry, sizeof value);
    *entry = value;
    return FH_OK;
}

uint64_t find_known_number(const struct fh_state *s, const struct map_cursor *cursor,
                           const struct fh_map *map, uint64_t key)
{
    return *(const uint64_t *)seek(s, (struct map_cursor *)(uintptr_t)cursor, map, type_of_u64,
                                   key);
}

const struct fh_ctxt *find_ctxt(const struct fh_state *s, uint64_t id)
{
    struct known_places *places = (struct known_places *)(uintptr_t)&s->places;
    const void *entry = fh_map_find(&s->adt->shadow_ctxts, &type_of_ref_ctxt->as_value, id);
    if (!entry)
        entry = fh_map_fallback(&s->adt->shadow_ctxts, &type_of_ref_ctxt->as_value);
    const struct fh_ctxt *ctxt = fh_ref_record(type_of_ref_ctxt, entry);
    places->ctxts[id % CTXT_PLACES] = (struct ctxt_known){
        .ctxt = (struct fh_ctxt *)(uintptr_t)ctxt, .id = id, .age = places->age};
    return ctxt;
}

enum fh_status find_own_ctxt(struct fh_state *s, uint64_t id, struct fh_ctxt **ctxt)
{
    void *record;
    const enum fh_status status =
        own_entry(s, &s->adt->shadow_ctxts, type_of_ref_ctxt, id, &record);
    if (status != FH_OK)
        return status;
    *ctxt = record;
    s->places.ctxts[id % CTXT_PLACES] =
        (struct ctxt_known){.ctxt = record, .id = id, .age = s->places.age, .is_own = true};
    return FH_OK;
}

static uint64_t number_of_smmu(const struct fh_map *numbers, uint64_t index)
{
    return *(const uint64_t *)fh_map_get(numbers, &type_of_u64->as_value, index);
}

struct smmu_range find_smmu_range(const struct fh_state *s, uint64_t index)
{
    struct known_places *places = (struct known_places *)(uintptr_t)&s->places;
    const struct fh_smmu_conf *conf = s->adt->smmu_conf;
    for (uint64_t i = 0; i < SMMU_PLACES; i++) {
        places->smmus[i].base = number_of_smmu(&conf->smmu_phys_base, i);
        places->smmus[i].size = number_of_smmu(&conf->smmu_size, i);
    }
    places->smmus_age = places->age;
    return (struct smmu_range){number_of_smmu(&conf->smmu_phys_base, index),
                               number_of_smmu(&conf->smmu_size, index)};
}

enum fh_status set_entry_flag(struct fh_state *s, struct fh_map *map, uint64_t key, bool value)
{
    void *entry;
    enum fh_status status = edit_entry(s, map, type_of_flag, key, &entry);
    if (status == FH_OK)
        *(bool *)entry = value;
    return status;
}

/* --- Observers ------------------------------------------------------------------------------- */

void tell_observer(struct fh_state *s, enum fh_effect_kind kind, uint64_t a, uint64_t b, uint64_t c,
                   uint64_t d, uint64_t e, uint64_t f)
{
    const struct fh_effect effect = {kind, {a, b, c, d, e, f}};
    settle_locks(s);
    s->env.observer(s->env.context, &effect);
}
