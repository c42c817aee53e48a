/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_STATE_JOURNAL_H
#define FH_STATE_JOURNAL_H

#include <faulthandler/reflect.h>
#include <faulthandler/state.h>

/*
 * The journal: what was there before each write, so that a call that fails, and one that is taken
 * back, leave nothing behind.
 *
 * It is a stack of records, each a payload (the old value) followed by its header, so that it can
 * be walked from its end. Undoing newest first keeps every place valid: a record is noted only
 * after the memory that it points into became the state's own. Two things can make that memory
 * shared again. Snapshot events in logs do, and are undone first; snapshots and forks do, and
 * undoing what was noted before one copies what they share (undo.c).
 *
 * The journal holds one call, or what was done since the outermost fh_begin. It is emptied when the
 * next of these begins, so that until then it can be taken back.
 */
enum record_kind {
    RECORD_WORD,
    RECORD_BYTES, /* plain bytes at `place` */
    RECORD_VALUE,
    RECORD_ENTRY,
    RECORD_NEW_ENTRY,
    RECORD_WITHIN,
    RECORD_FREE_LOCK,  /* a lock that was free; `place` is its struct lock_place */
    RECORD_BROKEN_LOG, /* the same for a log that only counts (log_only_counts) */
    RECORD_DATA, /* other data took the place of `place`, which the journal then owns a share of */
    RECORD_MARK, /* fh_begin; the payload is struct saved, the key where the mark before it ends */
    RECORD_UNDONE
};

struct record {
    void *place; /* WORD, BYTES, VALUE: what was written; DATA: the data; else the map */
    const struct fh_type *type;
    uint64_t
        key; /* ENTRY, WITHIN: the key; WORD: the old value; FREE_LOCK, BROKEN_LOG: its length */
    uint16_t kind;
    uint16_t cursor; /* ENTRY, NEW_ENTRY: the map's cursor, where it stands in known_places, or 0 */
    uint32_t payload;
};

/*
 * Fields that are saved as a block when a call or a transaction begins, and may be assigned: those
 * of RData from the sum of its hash to cur_vcpuid, as they stand in a row.
 */
enum {
    SAVED_FROM = offsetof(struct fh_rdata, sum),
    SAVED_BYTES = offsetof(struct fh_rdata, regs) - SAVED_FROM
};

struct saved {
    uint64_t words[(SAVED_BYTES + sizeof(uint64_t) - 1) / sizeof(uint64_t)];
};

static inline void save(struct saved *saved, const struct fh_rdata *adt)
{
    __builtin_memcpy(saved, (const char *)adt + SAVED_FROM, SAVED_BYTES);
}

static inline void put_back_saved(struct fh_rdata *adt, const struct saved *saved)
{
    __builtin_memcpy((char *)adt + SAVED_FROM, saved, SAVED_BYTES);
}

struct journal {
    char *bytes;
    size_t used;
    size_t size;
    size_t call;           /* where the call that runs, or ran last, begins */
    size_t mark;           /* where the innermost open transaction begins, behind its mark */
    size_t regs;           /* end of the newest record of all registers, or 0 */
    size_t shared;         /* records before may be about what a snapshot or fork shares */
    unsigned depth;        /* open transactions */
    bool is_whole;         /* no write since its last record: it can be taken back */
    bool holds_references; /* some record owns something that must be released */
};

/* Make room for `need` bytes; false when memory runs out. */
__attribute__((cold, noinline)) bool journal_grow(struct fh_state *s, size_t need);

/* Undo, newest first, all records from the offset `from` on. */
void journal_undo(struct fh_state *s, size_t from);

/* The journal ends at `from`; nothing behind owns anything. */
void journal_cut(struct journal *journal, size_t from);

/* Give up all records from `from` on. */
void journal_forget(struct fh_state *s, size_t from);

/*
 * Something is about to be written that no record will tell of: outside of a transaction nothing
 * can be taken back any more.
 */
void journal_break(struct fh_state *s);

/* What stood at `from`, a record or the data, stands at `to` now: what points there follows. */
void journal_move(struct journal *journal, const void *from, size_t size, void *to);

/* A snapshot or a fork begins to share the data. */
static inline void journal_share(struct journal *journal)
{
    journal->shared = journal->used;
}

/* Bytes that a payload takes in the journal. */
static inline size_t padded(size_t payload)
{
    return (payload + 7u) & ~(size_t)7;
}

static inline void *payload_of(const struct record *record)
{
    return (char *)(uintptr_t)record - padded(record->payload);
}

/* The newest of the records that end at `used`, valid until the next one is noted. */
static inline struct record *record_before(const struct journal *journal, size_t used)
{
    return (struct record *)(void *)(journal->bytes + used - sizeof(struct record));
}

static inline size_t start_of(const struct record *record, size_t end)
{
    return end - sizeof *record - padded(record->payload);
}

/*
 * Values are short and of many sizes: a call of memcpy would cost more than the copy. In a
 * freestanding library the compiler puts no copy in its place unless it is told to.
 */
static inline void copy_value(void *to, const void *from, size_t size)
{
    size_t i = 0;
    for (; i + 8 <= size; i += 8)
        __builtin_memcpy((char *)to + i, (const char *)from + i, 8);
    for (; i < size; i++)
        ((char *)to)[i] = ((const char *)from)[i];
}

/*
 * Undo one record. `place` is record->place, or where that stands now. What the payload owns moves
 * out of the journal. False when memory runs out, which it cannot where nothing is shared.
 */
bool undo_record(struct fh_state *s, const struct record *record, void *place);

#endif
