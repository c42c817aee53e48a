/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_STATE_HASH_H
#define FH_STATE_HASH_H

#include <faulthandler/reflect.h>
#include <faulthandler/state.h>

/*
 * The hash of a state: a sum over all places of the data of what stands there, so that a write
 * changes it by the difference of two summands, and an undo brings back the sum that was.
 *
 * A place has a code: that of the record it is in, and its offset there; for an entry of a map the
 * map's code and the key. The summand of a word is a mix of code and value, 0 for the value 0. An
 * entry adds its summands and takes away those of the map's default at its place, so that an entry
 * that equals the default is as good as none. Map of entries and order of writes leave no trace.
 *
 * Setters subtract what stands at a place before it is written (hash_leave), and what stands there
 * then is added when the next of them begins, or the call ends (hash_settle): those who write get a
 * pointer and do so at once. Fields that are saved as a block are added when somebody asks.
 */

/* Records that were written to last, with their codes: so that a place in one is found. */
enum { HASH_RECORDS = 4 };

struct hash_keeper {
    uint32_t parts; /* 0: no hash is kept */
    struct hash_record {
        const void *start;
        size_t size;
        uint64_t code;
    } records[HASH_RECORDS];
    unsigned next;
    const void *pending; /* the place that was last left; NULL: none */
    const struct fh_type *type;
    uint64_t code;
};

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

/* What a lock that this CPU has adds; the code of the table of `vmid`; both 0 where none is kept.
 */
uint64_t hash_of_taken_lock(struct fh_state *s, uint64_t id);
uint64_t hash_code_of_npt(struct fh_state *s, uint64_t vmid);

/* As hash_leave_entry, for an entry of `pt` of a table whose place is known. */
struct npt_place;
void hash_leave_mapping(struct fh_state *s, const struct npt_place *place, uint64_t gfn,
                        const struct fh_pt_entry *entry);

/* What was left last is written now. */
void hash_settle(struct fh_state *s);

/* Nothing is pending, and no record known: memory may be given back. */
void hash_forget(struct fh_state *s);

#endif
