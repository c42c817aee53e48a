/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_STATE_MACHINE_H
#define FH_STATE_MACHINE_H

#include <faulthandler/machine.h>
#include <faulthandler/reflect.h>
#include <faulthandler/state.h>
#include <faulthandler/trap.h>

#include "state/journal.h"

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
 * Where the entries of a lock stand in adt->lock and adt->log, so that a critical section need not
 * look for them again. They move when one of these maps gets an entry more or other data take its
 * place: then all places are forgotten, by a new `locks_age`.
 */
struct lock_place {
    uint8_t *status;
    struct fh_log *log;
    uint64_t status_age, log_age;
    uint64_t status_noted, log_noted; /* transaction whose journal has the old value */
};

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

/* Lock identifiers beyond are looked up every time. */
enum { LOCK_PLACES = 144 };

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
    struct fh_error beyond;      /* the first value of this call that 64 bits do not hold, if any */
    struct journal journal;
    struct lock_place locks[LOCK_PLACES];
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

    uint64_t locks_age;   /* of the places that hold, from 1 */
    uint64_t transaction; /* number of the one that runs, or ran last, from 1 */
    struct saved saved;   /* when that began */
};

/* The functions of `machine` from now on, with all its departures. */
void use_machine(struct fh_state *s, const struct fh_machine *machine);

/* Begins a call: FH_NOMEM if it cannot, and then it has ended. */
enum fh_status txn_begin(struct fh_state *s);
enum fh_status txn_end(struct fh_state *s, enum fh_status status);

/* Assign the fields that are saved as a block, in data that are the state's own. */
void put_back_saved(struct fh_state *s, const struct saved *saved);

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
enum fh_status own_ref(struct fh_state *s, void *place, const struct fh_type *type, void **record);
enum fh_status own_entry(struct fh_state *s, struct fh_map *map, const struct fh_type *type,
                         uint64_t key, void **record);

/* The log of a lock, to be stepped and pushed to. */
enum fh_status find_own_log(struct fh_state *s, uint64_t id, struct fh_log **log);

static inline enum fh_status own_log(struct fh_state *s, uint64_t id, struct fh_log **log)
{
    if (id < LOCK_PLACES) {
        const struct lock_place *place = &s->locks[id];
        if (place->log_age == s->locks_age && place->log_noted == s->transaction) {
            *log = place->log;
            return FH_OK;
        }
    }
    return find_own_log(s, id, log);
}

/* The status of a lock, to be written. */
enum fh_status find_own_status(struct fh_state *s, uint64_t id, uint8_t **status);

static inline enum fh_status own_status(struct fh_state *s, uint64_t id, uint8_t **status)
{
    if (id < LOCK_PLACES) {
        const struct lock_place *place = &s->locks[id];
        if (place->status_age == s->locks_age && place->status_noted == s->transaction) {
            *status = place->status;
            return FH_OK;
        }
    }
    return find_own_status(s, id, status);
}

/* The data as the state's own, for a transaction. False when memory runs out. */
bool own_data(struct fh_state *s);

/* The same for data that are shared, without the records that point into them. */
bool own_data_alone(struct fh_state *s);

/* Entries of adt->lock and adt->log may stand elsewhere now. */
static inline void forget_lock_places(struct fh_state *s)
{
    s->locks_age++;
}

/* A journalled write of a map entry that is a plain 64-bit number or flag. */
enum fh_status set_entry_u64(struct fh_state *s, struct fh_map *map, uint64_t key, uint64_t value);
enum fh_status set_entry_flag(struct fh_state *s, struct fh_map *map, uint64_t key, bool value);

static inline void observe(struct fh_state *s, enum fh_effect_kind kind, uint64_t a, uint64_t b,
                           uint64_t c, uint64_t d)
{
    if (__builtin_expect(s->env.observer != NULL, 0)) {
        const struct fh_effect effect = {kind, {a, b, c, d, 0, 0}};
        s->env.observer(s->env.context, &effect);
    }
}

static inline void observe_values(struct fh_state *s, enum fh_effect_kind kind, uint64_t a,
                                  uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    if (__builtin_expect(s->env.observer != NULL, 0)) {
        const struct fh_effect effect = {kind, {a, b, c, d, e, f}};
        s->env.observer(s->env.context, &effect);
    }
}

/* A function that recorders tell of begins; arguments that it does not have are 0. */
static inline void observe_call(struct fh_state *s, enum fh_called function, uint64_t a, uint64_t b,
                                uint64_t c, uint64_t d, uint64_t e)
{
    if (__builtin_expect(s->env.observer != NULL, 0) && !s->adt->halt) {
        const struct fh_effect effect = {FH_EFFECT_CALL, {function, a, b, c, d, e}};
        s->env.observer(s->env.context, &effect);
    }
}

/* And ends: arguments, and the result as the last of what the recorder tells. */
static inline void observe_return(struct fh_state *s, enum fh_called function, uint64_t a,
                                  uint64_t b, uint64_t c)
{
    if (__builtin_expect(s->env.observer != NULL, 0) && !s->adt->halt) {
        const struct fh_effect effect = {FH_EFFECT_RETURN, {function, a, b, c, 0, 0}};
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

#endif
