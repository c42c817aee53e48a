/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_STATE_MACHINE_H
#define FH_STATE_MACHINE_H

#include <faulthandler/machine.h>
#include <faulthandler/reflect.h>
#include <faulthandler/state.h>
#include <faulthandler/trap.h>

#include "state/hash.h"
#include "state/journal.h"
#include "state/places.h"

/*
 * The inside of a state, and how layers write to it.
 *
 * Every public call is a transaction: txn_begin makes the data the state's own, the setters below
 * write in place and note the old value in a journal (journal.h), and txn_end keeps or undoes
 * everything. So a call that gets stuck deep inside just returns, and nobody unwinds by hand.
 *
 * Layers read through s->adt and write only through the functions of this header. Fields from
 * `halt` to `cur_vcpuid` are the exception: they are saved as a block when a transaction begins and
 * may be assigned directly.
 */
/*
 * FH_BOTH: pages of stage-2 and SMMU tables that a call has mapped, to be compared when it ends.
 * `all` stands for more than there is room for, and for changes that no list would name.
 */
enum { TOUCHED_RANGES = 32 };

struct touched {
    struct touched_range {
        bool is_smmu;
        uint64_t owner; /* the VM, or the bank's TTBR */
        uint64_t first, count;
    } ranges[TOUCHED_RANGES];
    unsigned count;
    bool all;
    bool is_words_turn; /* what is written to words now is the concrete form's own doing */
};

/* Types of the state that layers name. */
extern const struct fh_type *const type_of_map_s2page;
extern const struct fh_type *const type_of_s2page;
extern const struct fh_type *const type_of_pt_entry;
extern const struct fh_type *const type_of_spt_entry;
extern const struct fh_type *const type_of_u64;
extern const struct fh_type *const type_of_vmid_or_invalid;
extern const struct fh_type *const type_of_flag;
extern const struct fh_type *const type_of_bool_or_true;
extern const struct fh_type *const type_of_memblock;
extern const struct fh_type *const type_of_lock_status;
extern const struct fh_type *const type_of_log;
extern const struct fh_type *const type_of_map_log;
extern const struct fh_type *const type_of_bars;
extern const struct fh_type *const type_of_ref_npt;
extern const struct fh_type *const type_of_ref_vminfo;
extern const struct fh_type *const type_of_ref_ctxt;
extern const struct fh_type *const type_of_ref_spt;
extern const struct fh_type *const type_of_ref_smmu_conf;
extern const struct fh_type *const type_of_map_u64;
extern const struct fh_type *const type_of_map_smmu_vmid;
extern const struct fh_type *const type_of_map_spt;
extern const struct fh_type *const type_of_map_bool;
extern const struct fh_type *const type_of_map_spt_bool2;

/*
 * The way of a look-up that is seldom taken, out of line: who looks where something is known to be
 * saves no registers for it. A read of an SMMU's register took 60 instructions more, a fault 40.
 */
#define FH_SELDOM __attribute__((noinline))

struct fh_state {
    struct fh_rdata *adt;
    const struct fh_profile *profile;
    enum fh_log_policy log_policy;
    const struct fh_machine *named;   /* the machine */
    const struct fh_machine *machine; /* the same; NULL where it does nothing otherwise */
    struct fh_departures departures;  /* its switches that are on */
    struct fh_departures asked;       /* and those that were asked */
    uint64_t loop_limit;
    struct fh_environment env;
    struct fh_allocator allocator;
    struct fh_error error;
    struct fh_panic panic;       /* where it was last */
    bool panic_is_fresh;         /* it is about to be told */
    struct fh_question question; /* that is asked next */
    uint64_t walked;             /* the address that words of tables are written for */
    struct fh_error beyond;      /* the first value of this call that 64 bits do not hold, if any */
    struct journal journal;
    struct event_block *events; /* that events of the logs are cut from (log.h), or NULL */
    struct known_places places;
    struct hash_keeper hash;
    enum fh_realisation realisation;
    enum fh_realisation lock_form; /* that of the locks, which may be simpler */

    /*
     * FH_BOTH: the ticket side of the locks, whose logs have no place in RData beside the abstract
     * ones. What is missing is made from the abstract side when it is needed.
     */
    struct fh_map ticket_logs;
    /* Words of SMMU root tables, by address, that outlived the clearing of their table. */
    struct fh_map outlived;
    struct touched touched;

    uint64_t transaction; /* number of the one that runs, or ran last, from 1 */
    struct saved saved;   /* when that began */
};

/* Does the state keep a hash of its data? */
static inline bool keeps_hash(const struct fh_state *s)
{
    return __builtin_expect(s->hash.parts != 0, 0);
}

static inline void hash_settle(struct fh_state *s)
{
    if (s->hash.pending)
        hash_add_pending(s);
}

/* Nothing is pending, and no record known: memory may be given back. */
static inline void hash_forget(struct fh_state *s)
{
    hash_settle(s);
    hash_forget_records(&s->hash);
}

/* The functions of `machine` from now on, with all its departures. */
void use_machine(struct fh_state *s, const struct fh_machine *machine);

/* Give up all records: at once where they own nothing. */
static inline void journal_clear(struct fh_state *s)
{
    if (__builtin_expect(s->journal.holds_references, 0))
        journal_forget(s, 0);
    s->journal.used = s->journal.shared = s->journal.regs = 0;
}

/* Begins a call: FH_NOMEM if it cannot, and then it has ended. */
enum fh_status txn_begin(struct fh_state *s);
enum fh_status txn_end(struct fh_state *s, enum fh_status status);

/*
 * Notes of what happens between calls, in a transaction: it begins, the data are replaced or
 * written by others' means, all registers are. False when memory runs out.
 */
bool note_mark(struct fh_state *s);
bool note_data(struct fh_state *s);
bool note_regs(struct fh_state *s);

/* *place := value, for a 64-bit field of the data. */
enum fh_status set_u64(struct fh_state *s, uint64_t *place, uint64_t value);

/*
 * The entry of `map` at `key`, to be written by the caller at once: whole, or by members for plain
 * data. The new entry of a map of counted values holds its own references, as does the journal.
 */
enum fh_status edit_entry(struct fh_state *s, struct fh_map *map, const struct fh_type *value,
                          uint64_t key, void **entry);

/*
 * The same in a map of maps: the entry at `key` of the map at `outer_key` of `outer`, whose values
 * have the type `inner`. Only this entry is noted and only its path is copied.
 */
enum fh_status edit_inner_entry(struct fh_state *s, struct fh_map *outer,
                                const struct fh_type *inner, uint64_t outer_key, uint64_t key,
                                void **entry);

/* Note the value at `place` (a map, reference or log that is not a map's entry) before it changes.
 */
enum fh_status save_value(struct fh_state *s, void *place, const struct fh_type *type);

/*
 * The record behind a reference, to be written through the setters. `own_ref` is for references
 * that are fields, `own_entry` for those that are entries of a map.
 */
FH_SELDOM enum fh_status find_own_ref(struct fh_state *s, void *place, const struct fh_type *type,
                                      void **record);
enum fh_status own_entry(struct fh_state *s, struct fh_map *map, const struct fh_type *type,
                         uint64_t key, void **record);

/* A reference whose record nobody else has may be written through as it is. */
static inline bool is_own(void *place)
{
    uint32_t *references = *(uint32_t **)place; /* first in every counted record */
    return references && !refs_shared(references);
}

static inline enum fh_status own_ref(struct fh_state *s, void *place, const struct fh_type *type,
                                     void **record)
{
    if (keeps_hash(s) || !is_own(place))
        return find_own_ref(s, place, type, record);
    *record = *(void **)place;
    return FH_OK;
}

/*
 * Locks that are held without being written down (locks.c) are written down now: before somebody
 * else looks at the data, before their entries move, and when a call ends in which KCore kept them.
 */
__attribute__((cold, noinline)) void write_held_locks(struct fh_state *s);

static inline void settle_locks(struct fh_state *s)
{
    if (__builtin_expect(s->places.nheld > 0, 0))
        write_held_locks(s);
}

/* Ask a callback of the environment, which may look at the data. */
#define ASK_OUTSIDE(s, callback, ...)                                                              \
    (settle_locks(s), (s)->env.callback((s)->env.context, __VA_ARGS__))

/*
 * The entries of a lock, to be written: its status, and its log, to be stepped and pushed to. Both
 * are noted, once in a transaction.
 */
FH_SELDOM enum fh_status find_own_lock(struct fh_state *s, uint64_t id, struct lock_place **place);

static inline enum fh_status own_lock(struct fh_state *s, uint64_t id, struct lock_place **place)
{
    if (__builtin_expect(id < LOCK_PLACES, 1)) {
        *place = &s->places.locks[id];
        (*place)->plain_age = 0;
        if (s->places.status[id] == FH_LOCK_OWN)
            settle_locks(s);
        if ((*place)->age == s->places.lock_age && (*place)->noted == s->transaction)
            return FH_OK;
    }
    return find_own_lock(s, id, place);
}

static inline enum fh_status own_log(struct fh_state *s, uint64_t id, struct fh_log **log)
{
    struct lock_place *place;
    const enum fh_status status = own_lock(s, id, &place);
    *log = status == FH_OK ? place->log : NULL;
    return status;
}

static inline enum fh_status set_lock_status(struct fh_state *s, uint64_t id,
                                             enum fh_lock_status value)
{
    struct lock_place *place;
    const enum fh_status status = own_lock(s, id, &place);
    if (status != FH_OK)
        return status;
    if (keeps_hash(s))
        hash_leave_entry(s, &s->adt->lock, type_of_lock_status, id, place->status);
    *place->status = (uint8_t)value;
    if (keeps_hash(s))
        hash_settle(s);
    if (id < LOCK_PLACES)
        s->places.status[id] = (uint8_t)value;
    return FH_OK;
}

/* The same to read. Not inlined: the way that is not taken. */
FH_SELDOM enum fh_lock_status find_lock_status(const struct fh_state *s, uint64_t id);

static inline enum fh_lock_status lock_status(const struct fh_state *s, uint64_t id)
{
    return __builtin_expect(id < LOCK_PLACES, 1) ? (enum fh_lock_status)s->places.status[id]
                                                 : find_lock_status(s, id);
}

/* The stage-2 table of `vmid`, to be written through the setters. */
FH_SELDOM enum fh_status find_own_npt(struct fh_state *s, uint64_t vmid, struct fh_npt **npt);

static inline enum fh_status own_npt(struct fh_state *s, uint64_t vmid, struct fh_npt **npt)
{
    if (__builtin_expect(vmid < NPT_PLACES, 1)) {
        const struct npt_place *place = &s->places.npts[vmid];
        *npt = place->npt;
        if (place->age == s->places.age && place->is_own) {
            if (keeps_hash(s))
                hash_know_again(&s->hash, place->npt, sizeof **npt, place->code);
            return FH_OK;
        }
    }
    return find_own_npt(s, vmid, npt);
}

/* The same to read; a record of zeros where there is none. */
FH_SELDOM const struct fh_npt *find_npt(const struct fh_state *s, uint64_t vmid);

static inline const struct fh_npt *npt_of(const struct fh_state *s, uint64_t vmid)
{
    if (__builtin_expect(vmid < NPT_PLACES, 1)) {
        const struct npt_place *place = &s->places.npts[vmid];
        if (place->age == s->places.age)
            return place->npt;
    }
    return find_npt(s, vmid);
}

/* The ownership record of a page, to read, and to write as edit_entry says. */
FH_SELDOM const struct fh_s2page *find_s2page(const struct fh_state *s, uint64_t pfn);

static inline const struct fh_s2page *s2page_of(const struct fh_state *s, uint64_t pfn)
{
    const void *page = cursor_find(&s->places.pages, s->places.age, sizeof(struct fh_s2page), pfn);
    return __builtin_expect(page != NULL, 1) ? page : find_s2page(s, pfn);
}

FH_SELDOM enum fh_status find_own_s2page(struct fh_state *s, uint64_t pfn, struct fh_s2page **page);

/*
 * The first page from *pfn to `last` that belongs to `owner`; false: there is none. For an owner of
 * the pages that have no record this finds those that have one.
 */
extern const struct map_picker picker_of_owners;
bool next_page_of(struct fh_state *s, uint32_t owner, uint64_t last, uint64_t *pfn);

/* The mapping of page `gfn` of `vmid`. */
FH_SELDOM const struct fh_pt_entry *find_mapping(const struct fh_state *s, uint64_t vmid,
                                                 uint64_t gfn);

static inline const struct fh_pt_entry *mapping_of(const struct fh_state *s, uint64_t vmid,
                                                   uint64_t gfn)
{
    const void *entry = NULL;
    if (__builtin_expect(vmid < NPT_PLACES && s->places.npts[vmid].age == s->places.age, 1))
        entry =
            cursor_find(&s->places.npts[vmid].pt, s->places.age, sizeof(struct fh_pt_entry), gfn);
    return __builtin_expect(entry != NULL, 1) ? entry : find_mapping(s, vmid, gfn);
}
enum fh_status edit_mapping(struct fh_state *s, uint64_t vmid, uint64_t gfn,
                            struct fh_pt_entry **entry);

/* The same, new, where own_mapping has found the leaf and no entry in it (lacks_mapping). */
enum fh_status add_mapping(struct fh_state *s, struct npt_place *place, uint64_t gfn,
                           struct fh_pt_entry **entry);

static inline bool lacks_mapping(const struct fh_state *s, const struct npt_place *place,
                                 uint64_t gfn)
{
    return place->is_own && place->pt.is_own && cursor_holds(&place->pt, s->places.age, gfn);
}

/*
 * The entry of page `gfn` to write in place after note_mapping, if there is one in a leaf that is
 * the state's own; NULL: edit_mapping.
 */
FH_SELDOM bool seek_own_mapping(struct fh_state *s, struct npt_place *place, uint64_t gfn);

static inline struct fh_pt_entry *own_mapping(struct fh_state *s, struct npt_place *place,
                                              uint64_t gfn)
{
    const struct map_cursor *cursor = &place->pt;
    const bool is_at = cursor_holds(cursor, s->places.age, gfn) && cursor->is_own;
    if (!place->is_own || (!is_at && !seek_own_mapping(s, place, gfn)))
        return NULL;
    const void *entry = cursor_entry(cursor, sizeof(struct fh_pt_entry), gfn);
    return (struct fh_pt_entry *)(uintptr_t)entry;
}

/*
 * Page `pfn` and the mapping of `gfn` will be looked at: their leaves are looked for now, one
 * directly behind the other, so that the processor waits for both at once where they are in no
 * cache. Of a fault on any page of a machine with 10^7 pages that is 40 % of the time; a machine
 * whose pages fit into two levels of nodes fits into a cache.
 */
FH_SELDOM void find_leaves(struct fh_state *s, uint64_t vmid, uint64_t gfn, uint64_t pfn);

static inline void expect_page(struct fh_state *s, uint64_t vmid, uint64_t gfn, uint64_t pfn)
{
    const struct fh_map_node *root = s->adt->shared.s2page.root;
    if (!cursor_holds(&s->places.pages, s->places.age, pfn) && root && root->level > 1)
        find_leaves(s, vmid, gfn, pfn);
}

bool note_mapping(struct fh_state *s, struct npt_place *place, uint64_t gfn,
                  const struct fh_pt_entry *entry);

/* The data as the state's own, for a transaction. False when memory runs out. */
__attribute__((noinline)) bool copy_own_data(struct fh_state *s);

static inline bool own_data(struct fh_state *s)
{
    return __builtin_expect(!refs_shared(&s->adt->references), 1) || copy_own_data(s);
}

/* The same for data that are shared, without the records that point into them. */
bool own_data_alone(struct fh_state *s);

/* What is known of the table of `vmid`; NULL: nothing. */
static inline struct npt_place *known_npt(struct fh_state *s, uint64_t vmid)
{
    struct npt_place *place = &s->places.npts[vmid];
    const bool is_known = vmid < NPT_PLACES && place->age == s->places.age;
    return __builtin_expect(is_known, 1) ? place : NULL;
}

/*
 * Are the tables that lead to page `gfn` known to be there? A leaf of pmd_t spans 64 tables of the
 * last level, `pages` pages each (a power of two, 2^shift), which have the same tables above.
 */
static inline bool has_tables(const struct fh_state *s, const struct npt_place *place, uint64_t gfn,
                              unsigned shift)
{
    const bool *flag = cursor_find(&place->pmd_t, s->places.age, sizeof *flag, gfn >> shift);
    return flag && *flag;
}

/* They are, entry `pmd` of pmd_t being that of the last one. */
void note_tables(struct fh_state *s, uint64_t vmid, uint64_t gfn, unsigned shift, uint64_t pmd);

/* Flags of tables are about to change. */
static inline void forget_tables(struct fh_state *s, uint64_t vmid)
{
    if (vmid < NPT_PLACES)
        s->places.npts[vmid].pmd_t.age = 0;
}

/* The entries of locks may stand elsewhere now; anything may; anything but these may. */
static inline void forget_lock_places(struct fh_state *s)
{
    settle_locks(s);
    s->places.lock_age++;
    if (s->places.plain_age != NO_AGE)
        s->places.plain_age = s->places.lock_age;
}

static inline void forget_places(struct fh_state *s)
{
    s->places.age++;
    forget_lock_places(s);
    s->places.is_status_old = true;
}

static inline void forget_places_beside_locks(struct fh_state *s)
{
    s->places.age++;
}

/* A new record, with room for its payload; written in place, member by member, for speed. */
static inline struct record *journal_note(struct fh_state *s, enum record_kind kind, void *place,
                                          const struct fh_type *type, uint64_t key,
                                          uint32_t payload)
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
    record->kind = (uint16_t)kind;
    record->cursor = 0;
    record->payload = payload;
    journal->used = need;
    return record;
}

/* At once where the cursor is: a grant writes one record of a page. */
static inline enum fh_status edit_s2page(struct fh_state *s, uint64_t pfn, struct fh_s2page **page)
{
    const struct map_cursor *cursor = &s->places.pages;
    const void *entry =
        cursor->is_own ? cursor_find(cursor, s->places.age, sizeof **page, pfn) : NULL;
    if (!entry || keeps_hash(s))
        return find_own_s2page(s, pfn, page);
    struct record *record =
        journal_note(s, RECORD_ENTRY, &s->adt->shared.s2page, type_of_s2page, pfn, sizeof **page);
    if (!record)
        return FH_NOMEM;
    record->cursor = offsetof(struct known_places, pages);
    __builtin_memcpy(payload_of(record), entry, sizeof **page);
    *page = (struct fh_s2page *)(uintptr_t)entry;
    return FH_OK;
}

/*
 * Note a lock that is free, with a log that says so, before it is taken. False if that needs room
 * which the journal does not have: other records do not spare themselves that.
 */
static inline bool note_length(struct fh_state *s, struct lock_place *place, enum record_kind kind)
{
    struct journal *journal = &s->journal;
    if (place->noted == s->transaction)
        return true;
    if (__builtin_expect(journal->size - journal->used < sizeof(struct record), 0))
        return false;
    struct record *record = (struct record *)(void *)(journal->bytes + journal->used);
    record->place = place;
    record->type = NULL;
    record->key = place->log->length;
    record->kind = (uint16_t)kind;
    record->cursor = 0;
    record->payload = 0;
    journal->used += sizeof *record;
    place->noted = s->transaction;
    return true;
}

/*
 * A journalled write of a map entry that is a plain 64-bit number. Maps that calls write one entry
 * of again and again have a cursor, which must not be passed by: where `map` is one of them is
 * known when this is compiled.
 */
enum fh_status set_any_entry_u64(struct fh_state *s, struct fh_map *map, uint64_t key,
                                 uint64_t value);
enum fh_status set_known_number(struct fh_state *s, struct map_cursor *cursor, struct fh_map *map,
                                uint64_t key, uint64_t value);

static inline struct map_cursor *cursor_of_numbers(struct fh_state *s, const struct fh_map *map)
{
    struct fh_rdata *adt = s->adt;
    if (map == &adt->shared.flatmem)
        return &s->places.flatmem;
    if (map == &adt->data_log)
        return &s->places.data_log;
    return map == &adt->core_data_log ? &s->places.core_data_log : NULL;
}

static inline enum fh_status set_entry_u64(struct fh_state *s, struct fh_map *map, uint64_t key,
                                           uint64_t value)
{
    struct map_cursor *cursor = cursor_of_numbers(s, map);
    return cursor ? set_known_number(s, cursor, map, key, value)
                  : set_any_entry_u64(s, map, key, value);
}

/* An entry of such a map. */
FH_SELDOM uint64_t find_known_number(const struct fh_state *s, const struct map_cursor *cursor,
                                     const struct fh_map *map, uint64_t key);

static inline uint64_t known_number(const struct fh_state *s, const struct map_cursor *cursor,
                                    const struct fh_map *map, uint64_t key)
{
    const uint64_t *number = cursor_find(cursor, s->places.age, sizeof *number, key);
    return __builtin_expect(number != NULL, 1) ? *number : find_known_number(s, cursor, map, key);
}

/* How many values of the data oracles were read for `vmid`. */
static inline uint64_t data_log_of(const struct fh_state *s, uint64_t vmid)
{
    return known_number(s, &s->places.data_log, &s->adt->data_log, vmid);
}

static inline uint64_t core_data_log_of(const struct fh_state *s, uint64_t vmid)
{
    return known_number(s, &s->places.core_data_log, &s->adt->core_data_log, vmid);
}

/* The shadow context with this number, to read; and to be written through the setters. */
FH_SELDOM const struct fh_ctxt *find_ctxt(const struct fh_state *s, uint64_t id);
FH_SELDOM enum fh_status find_own_ctxt(struct fh_state *s, uint64_t id, struct fh_ctxt **ctxt);

static inline const struct fh_ctxt *known_ctxt(const struct fh_state *s, uint64_t id)
{
    const struct ctxt_known *known = &s->places.ctxts[id % CTXT_PLACES];
    const bool is_known = known->age == s->places.age && known->id == id;
    return __builtin_expect(is_known, 1) ? known->ctxt : find_ctxt(s, id);
}

static inline enum fh_status own_ctxt(struct fh_state *s, uint64_t id, struct fh_ctxt **ctxt)
{
    const struct ctxt_known *known = &s->places.ctxts[id % CTXT_PLACES];
    const bool is_own = known->age == s->places.age && known->id == id && known->is_own &&
                        !refs_shared((const uint32_t *)known->ctxt) && !keeps_hash(s);
    *ctxt = known->ctxt;
    return __builtin_expect(is_own, 1) ? FH_OK : find_own_ctxt(s, id, ctxt);
}

/* Where the registers of SMMU `index` are. */
FH_SELDOM struct smmu_range find_smmu_range(const struct fh_state *s, uint64_t index);

static inline struct smmu_range smmu_range_of(const struct fh_state *s, uint64_t index)
{
    const bool is_known = s->places.smmus_age == s->places.age && index < SMMU_PLACES;
    return __builtin_expect(is_known, 1) ? s->places.smmus[index] : find_smmu_range(s, index);
}

/* The same for a flag. */
enum fh_status set_entry_flag(struct fh_state *s, struct fh_map *map, uint64_t key, bool value);

/* Out of line, so that where nobody observes no function makes room for an effect. */
__attribute__((cold, noinline)) void tell_observer(struct fh_state *s, enum fh_effect_kind kind,
                                                   uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                                                   uint64_t e, uint64_t f);

static inline void observe_values(struct fh_state *s, enum fh_effect_kind kind, uint64_t a,
                                  uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    if (__builtin_expect(s->env.observer != NULL, 0))
        tell_observer(s, kind, a, b, c, d, e, f);
}

static inline void observe(struct fh_state *s, enum fh_effect_kind kind, uint64_t a, uint64_t b,
                           uint64_t c, uint64_t d)
{
    observe_values(s, kind, a, b, c, d, 0, 0);
}

/* A function that recorders tell of begins; arguments that it does not have are 0. */
static inline void observe_call(struct fh_state *s, enum fh_called function, uint64_t a, uint64_t b,
                                uint64_t c, uint64_t d, uint64_t e)
{
    if (__builtin_expect(s->env.observer != NULL, 0) && !s->adt->halt)
        tell_observer(s, FH_EFFECT_CALL, function, a, b, c, d, e);
}

/* And ends: arguments, and the result as the last of what the recorder tells. */
static inline void observe_return(struct fh_state *s, enum fh_called function, uint64_t a,
                                  uint64_t b, uint64_t c)
{
    if (__builtin_expect(s->env.observer != NULL, 0) && !s->adt->halt)
        tell_observer(s, FH_EFFECT_RETURN, function, a, b, c, 0, 0);
}

#endif
