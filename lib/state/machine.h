/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_STATE_MACHINE_H
#define FH_STATE_MACHINE_H

#include <faulthandler/reflect.h>
#include <faulthandler/state.h>

/*
 * The inside of a state, and how layers write to it.
 *
 * Every public call is a transaction: txn_begin makes the data the state's own, the setters below
 * write in place and note the old value in a journal, and txn_end keeps or undoes everything. So a
 * call that gets stuck deep inside just returns, and nobody unwinds by hand.
 *
 * Layers read through s->adt and write only through the functions of this header. Fields from
 * `halt` to `cur_vcpuid` are the exception: they are saved as a block when a transaction begins and
 * may be assigned directly.
 */
struct journal {
    char *bytes;
    size_t used;
    size_t size;
    bool holds_references; /* some record owns something that must be released */
};

struct fh_state {
    struct fh_rdata *adt;
    const struct fh_profile *profile;
    enum fh_log_policy log_policy;
    uint64_t loop_limit;
    struct fh_environment env;
    struct fh_allocator allocator;
    struct fh_error error;
    struct journal journal;
    uint64_t logs_in_journal[4]; /* bit id: the log of this lock is already saved (SUMMARY only) */
    struct {
        bool halt, icore, ihost;
        uint64_t tstate, curid, cur_vmid;
        int64_t cur_vcpuid;
    } saved;
};

void txn_begin(struct fh_state *s);
enum fh_status txn_end(struct fh_state *s, enum fh_status status);

/* *place := value, for a 64-bit field of the data. */
enum fh_status set_u64(struct fh_state *s, uint64_t *place, uint64_t value);

/*
 * The entry of `map` at `key`, to be written by the caller at once: whole, or by members for plain
 * data. The new entry of a map of counted values holds its own references, as does the journal.
 */
enum fh_status edit_entry(struct fh_state *s, struct fh_map *map, const struct fh_type *value,
                          uint64_t key, void **entry);

/* Note the value at `place` (a map, reference or log that is not a map's entry) before it changes. */
enum fh_status save_value(struct fh_state *s, void *place, const struct fh_type *type);

/*
 * The record behind a reference, to be written through the setters. `own_ref` is for references
 * that are fields, `own_entry` for those that are entries of a map.
 */
enum fh_status own_ref(struct fh_state *s, void *place, const struct fh_type *type, void **record);
enum fh_status own_entry(struct fh_state *s, struct fh_map *map, const struct fh_type *type,
                         uint64_t key, void **record);

/* The log of a lock, to be stepped and pushed to. */
enum fh_status own_log(struct fh_state *s, uint64_t id, struct fh_log **log);

/* A journalled write of a map entry that is a plain 64-bit number or flag. */
enum fh_status set_entry_u64(struct fh_state *s, struct fh_map *map, uint64_t key, uint64_t value);
enum fh_status set_entry_flag(struct fh_state *s, struct fh_map *map, uint64_t key, bool value);

static inline void observe(struct fh_state *s, enum fh_effect_kind kind, uint64_t a, uint64_t b,
                           uint64_t c, uint64_t d)
{
    if (__builtin_expect(s->env.observer != NULL, 0)) {
        const struct fh_effect effect = {kind, {a, b, c, d}};
        s->env.observer(s->env.context, &effect);
    }
}

/* Types of the state that layers name. */
extern const struct fh_type *const type_of_map_s2page;
extern const struct fh_type *const type_of_s2page;
extern const struct fh_type *const type_of_pt_entry;
extern const struct fh_type *const type_of_spt_entry;
extern const struct fh_type *const type_of_u64;
extern const struct fh_type *const type_of_vmid_or_invalid;
extern const struct fh_type *const type_of_flag;
extern const struct fh_type *const type_of_memblock;
extern const struct fh_type *const type_of_lock_status;
extern const struct fh_type *const type_of_log;
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

#endif
