/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_STATE_HASH_H
#define FH_STATE_HASH_H

#include <faulthandler/reflect.h>
#include <faulthandler/state.h>

#include "state/journal.h"

/*
 * The hash of a state: a sum over all places of the data of what stands there, so that a write
 * changes it by the difference of two summands, and an undo brings back the sum that was.
 *
 * A place has a code: that of the record it is in, and its offset there; for an entry of a map the
 * map's code and the key. The summand of a word is a mix of code and value, 0 for the value 0. An
 * entry adds its summands and takes away those of the map's default at its place, so that an entry
 * that equals the default is as good as none. Map of entries and order of writes leave no trace.
 *
 * A setter that gets the new value adds the difference of the two summands (hash_change_word). One
 * that hands out a place to be written subtracts what stands there (hash_leave), and what stands
 * there then is added when the next setter begins, or the call ends (hash_settle): those who write
 * get a pointer and do so at once. Fields that are saved as a block are added when somebody asks.
 *
 * Codes cost a search where only an address is known. So they are kept beside what leads to a
 * place: those of stage-2 tables and of locks in their struct npt_place and lock_place, that of the
 * registers and those of the records that were written to last here.
 */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    uint64_t x = (a ^ 0x9e3779b97f4a7c15u) + b * 0xd6e8feb86659fd93u;
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
    x = (x ^ x >> 29) * 0x9e3779b97f4a7c15u;
    return x ^ x >> 32;
}

/* The summand of a word. */
static inline uint64_t hash_word(uint64_t code, uint64_t value)
{
    return value != 0 ? hash_mix(code, value) : 0;
}

/* Records that were written to last, with their codes: so that a place in one is found. */
enum { HASH_RECORDS = 4 };

struct hash_keeper {
    uint32_t parts; /* 0: no hash is kept */
    unsigned known; /* records */
    unsigned next;  /* of them, to be given up */
    struct hash_record {
        const void *start;
        size_t size;
        uint64_t code;
    } records[HASH_RECORDS]; /* the last one first */
    uint64_t regs, pages;    /* codes of the registers' record and of shared.s2page, or 0 */
    const void *pending;     /* the place that was last left; NULL: none */
    const struct fh_type *type;
    uint64_t code;
    struct saved block; /* the fields that are saved as a block, when they were last added */
    uint64_t block_sum; /* and what they add */
};

/* The state keeps a hash of these parts from now on. */
void hash_begin(struct fh_state *s, uint32_t parts);

/* The word at `place`, in a record of the data or the data themselves, is about to be `value`. */
void hash_change_word(struct fh_state *s, const uint64_t *place, uint64_t value);

/* The same for a word of the registers, `offset` bytes from the start of their record. */
void hash_change_reg(struct fh_state *s, size_t offset, uint64_t old, uint64_t value);

/* A scalar or record at `place`, which is a field or in a record of the data, is about to change.
 */
void hash_leave(struct fh_state *s, const void *place, const struct fh_type *type);

/* The same for an entry of `map`, itself a field or, at `outer_key`, an entry of the field `outer`.
 */
void hash_leave_entry(struct fh_state *s, const struct fh_map *map, const struct fh_type *type,
                      uint64_t key, const void *entry);
void hash_leave_inner_entry(struct fh_state *s, const struct fh_map *outer, uint64_t outer_key,
                            const struct fh_type *type, uint64_t key, const void *entry);

/* The record that a field, or an entry of the field `map`, leads to will be written to. */
void hash_know_ref(struct fh_state *s, const void *slot, const struct fh_type *type);
void hash_know_entry(struct fh_state *s, const struct fh_map *map, uint64_t key, const void *slot,
                     const struct fh_type *type);

/* A record whose code is known will be. */
void hash_know(struct hash_keeper *hash, const void *record, size_t size, uint64_t code);

static inline void hash_know_again(struct hash_keeper *hash, const void *record, size_t size,
                                   uint64_t code)
{
    if (hash->known == 0 || hash->records[0].start != record)
        hash_know(hash, record, size, code);
}

/* What a lock that this CPU has adds; the code of the table of `vmid`; both 0 where none is kept.
 */
uint64_t hash_of_taken_lock(const struct fh_state *s, uint64_t id);
uint64_t hash_code_of_npt(const struct fh_state *s, uint64_t vmid);

/* As hash_leave_entry, for an entry of two words of the map with the code `map`, or 0. */
void hash_leave_pair(struct fh_state *s, const struct fh_type *type, uint64_t map, uint64_t key,
                     const void *entry);
uint64_t hash_code_of_map(struct fh_state *s, const struct fh_map *map);

/* What was left last is written now: hash_settle (machine.h) where something was left. */
void hash_add_pending(struct fh_state *s);

/* Is the hash that setters keep that of the data? At the cost of a full computation. */
bool hash_is_of_data(const struct fh_state *s);

/* No record is known any more: memory may be given back. */
static inline void hash_forget_records(struct hash_keeper *hash)
{
    hash->known = 0;
}

#endif
