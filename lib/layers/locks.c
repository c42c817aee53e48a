/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "Locks"
#include "layers/locks.h"

#include "layers/lock_ops_h_tickets.h"
#include "layers/lock_ops_q.h"

/*
 * Locks/Spec.v: the locks as the layers above see them. Taking a lock first lets the other CPUs
 * act (the oracle), then announces the critical section, WAIT_LOCK and OPULL; giving it back
 * records the protected object and REL_LOCK. A log that the lock calculus (H_CalLock) rejects makes
 * the call stuck.
 *
 * The bodies take a lock by wait_hlock and acquire_shared and give it back by release_shared and
 * pass_hlock. Abstract, all of it is done here at once. Concrete, the lock is LockOpsQ's; pulling
 * and pushing the object is done here then, since acquire_shared and release_shared ask for a log
 * that H_CalLock accepts, and the latter for other lock identifiers.
 *
 * Context: each function works on the one lock in its name. In a halted state all are the identity.
 */

static enum fh_status take(struct fh_state *s, uint64_t id)
{
    struct fh_log *log;
    FH_TRY(query_oracle_of_lock(s, id, &log));
    FH_TRY(add_event(s, log, FH_EVENT_WAIT_LOCK, LOCAL_LOCK_BOUND));
    FH_TRY(add_event(s, log, FH_EVENT_OPULL, id));
    FH_RELY(s, log->lock != FH_LOG_BROKEN, id);
    return FH_OK;
}

static enum fh_status give_back(struct fh_state *s, uint64_t id)
{
    struct fh_log *log;
    FH_TRY(own_log(s, id, &log));
    FH_TRY(add_snapshot(s, log, id));
    FH_TRY(add_event(s, log, FH_EVENT_REL_LOCK, 0));
    FH_RELY(s, log->lock != FH_LOG_BROKEN, id);
    return FH_OK;
}

/* The object is what the newest snapshot says of those that came while this CPU waited. */
static enum fh_status take_by_ticket(struct fh_state *s, uint64_t id)
{
    struct fh_log *log;
    FH_TRY(own_log(s, id, &log));
    log_forget_snapshot(log, &s->allocator);
    const struct fh_event *newest = log->newest;
    FH_TRY(kc_wait_qlock(s, (uint32_t)id));
    FH_TRY(own_log(s, id, &log));
    FH_TRY(add_event(s, log, FH_EVENT_OPULL, id));
    FH_RELY(s, log->queue_lock != FH_QUEUE_BROKEN, id);
    return take_over_later(s, id, log, newest);
}

static enum fh_status give_ticket_back(struct fh_state *s, uint64_t id)
{
    struct fh_log *log;
    FH_TRY(own_log(s, id, &log));
    FH_TRY(add_snapshot(s, log, id));
    FH_RELY(s, log->queue_lock != FH_QUEUE_BROKEN, id);
    FH_TRY(set_lock_status(s, id, FH_LOCK_OWN_FALSE));
    return kc_pass_qlock(s, (uint32_t)id);
}

/* The ticket side begins before the abstract side changes, which it may be made from. */
static enum fh_status take_both(struct fh_state *s, uint64_t id)
{
    struct fh_log *side;
    FH_TRY(own_ticket_side(s, id, &side));
    FH_TRY(take(s, id));
    FH_TRY(draw_ticket_beside(s, id));
    return add_event_beside(s, id, FH_EVENT_OPULL);
}

static enum fh_status give_both_back(struct fh_state *s, uint64_t id)
{
    FH_TRY(add_event_beside(s, id, FH_EVENT_ONPT));
    FH_TRY(serve_ticket_beside(s, id));
    return give_back(s, id);
}

/*
 * Both at once, where taking and giving back step the log and no more: abstract locks under
 * SUMMARY, without an oracle and with a log that is plain (log_is_plain_and_free), which is so when
 * the lock was given back and nobody but these two wrote to the log since (own_lock). The events
 * are WAIT_LOCK and OPULL, and those of the snapshot and REL_LOCK; what log_step makes of them is
 * written down here. False, and nothing has changed, where it takes more.
 *
 * With the entries' places and one short note in the journal, the three critical sections of a
 * host's fault take 250 instructions instead of 1,080. And until somebody looks, a lock that is
 * taken is only held: all that is left of a critical section, when the lock is given back, are four
 * events more in its log. So they take 150.
 */
static inline struct lock_place *plain_lock(struct fh_state *s, uint64_t id)
{
    struct known_places *places = &s->places;
    const bool is_plain = id < LOCK_PLACES && places->locks[id].plain_age == places->plain_age;
    return __builtin_expect(is_plain, 1) ? &places->locks[id] : NULL;
}

static inline bool take_at_once(struct fh_state *s, uint64_t id)
{
    struct known_places *places = &s->places;
    struct lock_place *place = plain_lock(s, id);
    if (!place || places->status[id] != FH_LOCK_FREE || places->nheld == HELD_LOCKS ||
        !note_length(s, place, RECORD_FREE_LOCK))
        return false;
    places->status[id] = FH_LOCK_OWN;
    places->held[places->nheld++] = (uint8_t)id;
    return true;
}

/* The lock that was taken last, if nobody looked since: four events, and it is as it was. */
static inline bool give_back_held(struct fh_state *s, uint64_t id)
{
    struct known_places *places = &s->places;
    const unsigned last = places->nheld - 1;
    if (__builtin_expect(last >= HELD_LOCKS || places->held[last] != id, 0))
        return false;
    places->nheld = last;
    places->status[id] = FH_LOCK_FREE;
    places->locks[id].log->length += 4;
    return true;
}

/* A lock that was taken at once, in this transaction, and written down since. */
static bool give_back_at_once(struct fh_state *s, uint64_t id)
{
    settle_locks(s);
    struct lock_place *place = plain_lock(s, id);
    if (!place || s->places.status[id] != FH_LOCK_OWN || place->noted != s->transaction)
        return false;
    log_set_free(place->log, place->log->length + 2);
    *place->status = FH_LOCK_FREE;
    s->places.status[id] = FH_LOCK_FREE;
    s->adt->sum -= place->taken;
    return true;
}

/* A lock that was given back, or has only just been found, may be taken at once from now on. */
static bool note_plain_lock(struct fh_state *s, uint64_t id)
{
    if (id >= LOCK_PLACES)
        return false;
    struct lock_place *place = &s->places.locks[id];
    if (place->age != s->places.plain_age || !log_is_plain_and_free(place->log))
        return false;
    place->plain_age = place->age;
    return true;
}

static enum fh_status tell_of_lock(struct fh_state *s, enum fh_effect_kind kind, uint64_t id)
{
    observe(s, kind, id, 0, 0, 0);
    return FH_OK;
}

/* Stuck if the lock is not free. */
__attribute__((noinline)) static enum fh_status acquire(struct fh_state *s, uint64_t id)
{
    struct lock_place *place;
    FH_RELY(s, lock_status(s, id) == FH_LOCK_FREE, id);
    const bool is_plain = note_plain_lock(s, id);
    if (!is_plain)
        FH_TRY(own_lock(s, id, &place));
    if ((is_plain || note_plain_lock(s, id)) && take_at_once(s, id)) {
        s->adt->tstate = 0;
        return tell_of_lock(s, FH_EFFECT_LOCK, id);
    }
    switch (s->lock_form) {
    case FH_ABSTRACT: FH_TRY(take(s, id)); break;
    case FH_CONCRETE: FH_TRY(take_by_ticket(s, id)); break;
    case FH_BOTH: FH_TRY(take_both(s, id)); break;
    }
    FH_TRY(set_lock_status(s, id, FH_LOCK_OWN));
    s->adt->tstate = 0;
    return tell_of_lock(s, FH_EFFECT_LOCK, id);
}

/* Stuck if this CPU does not hold the lock, or added more than it may to its log. */
__attribute__((noinline)) static enum fh_status release(struct fh_state *s, uint64_t id)
{
    FH_RELY(s, lock_status(s, id) == FH_LOCK_OWN, id);
    switch (s->lock_form) {
    case FH_ABSTRACT: FH_TRY(give_back(s, id)); break;
    case FH_CONCRETE: FH_TRY(give_ticket_back(s, id)); break;
    case FH_BOTH: FH_TRY(give_both_back(s, id)); break;
    }
    FH_TRY(set_lock_status(s, id, FH_LOCK_FREE));
    note_plain_lock(s, id);
    s->adt->tstate = 1;
    return tell_of_lock(s, FH_EFFECT_UNLOCK, id);
}

bool can_pass_lock(struct fh_state *s, uint64_t id)
{
    return plain_lock(s, id) && lock_status(s, id) == FH_LOCK_FREE && !s->adt->halt;
}

bool pass_lock(struct fh_state *s, uint64_t id, uint64_t times)
{
    struct lock_place *place = plain_lock(s, id);
    if (!can_pass_lock(s, id) || !note_length(s, place, RECORD_FREE_LOCK))
        return false;
    place->log->length += 4 * times;
    s->adt->tstate = 1;
    return true;
}

static enum fh_status take_lock(struct fh_state *s, uint64_t id)
{
    if (!take_at_once(s, id))
        return acquire(s, id);
    s->adt->tstate = 0;
    return tell_of_lock(s, FH_EFFECT_LOCK, id);
}

static enum fh_status give_lock_back(struct fh_state *s, uint64_t id)
{
    if (!give_back_held(s, id) && !give_back_at_once(s, id))
        return release(s, id);
    s->adt->tstate = 1;
    return tell_of_lock(s, FH_EFFECT_UNLOCK, id);
}

/* The stage-2 table of `vmid`. Locks/Spec.v: acquire_lock_pt_spec */
enum fh_status spec_acquire_lock_pt(struct fh_state *s, uint32_t vmid)
{
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, is_vmid(s->profile, vmid), vmid);
    return take_lock(s, s->profile->NPT_ID + vmid);
}

/* The SMMU tables. Locks/Spec.v: acquire_lock_spt_spec */
enum fh_status spec_acquire_lock_spt(struct fh_state *s)
{
    return s->adt->halt ? FH_OK : take_lock(s, s->profile->SPT_ID);
}

/* Page ownership. Locks/Spec.v: acquire_lock_s2page_spec */
enum fh_status spec_acquire_lock_s2page(struct fh_state *s)
{
    return s->adt->halt ? FH_OK : take_lock(s, s->profile->S2PAGE_ID);
}

/* next_vmid and next_remap_ptr. Locks/Spec.v: acquire_lock_core_spec */
enum fh_status spec_acquire_lock_core(struct fh_state *s)
{
    return s->adt->halt ? FH_OK : take_lock(s, s->profile->CORE_ID);
}

/* The information on VM `vmid`. Locks/Spec.v: acquire_lock_vm_spec */
enum fh_status spec_acquire_lock_vm(struct fh_state *s, uint32_t vmid)
{
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, is_vmid(s->profile, vmid), vmid);
    return take_lock(s, s->profile->INFO_ID + vmid);
}

/* Which VM owns which SMMU context bank. Locks/Spec.v: acquire_lock_smmu_spec */
enum fh_status spec_acquire_lock_smmu(struct fh_state *s)
{
    return s->adt->halt ? FH_OK : take_lock(s, s->profile->SMMU_ID);
}

/* Locks/Spec.v: release_lock_pt_spec */
enum fh_status spec_release_lock_pt(struct fh_state *s, uint32_t vmid)
{
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, is_vmid(s->profile, vmid), vmid);
    return give_lock_back(s, s->profile->NPT_ID + vmid);
}

/* Locks/Spec.v: release_lock_spt_spec */
enum fh_status spec_release_lock_spt(struct fh_state *s)
{
    return s->adt->halt ? FH_OK : give_lock_back(s, s->profile->SPT_ID);
}

/* Locks/Spec.v: release_lock_s2page_spec */
enum fh_status spec_release_lock_s2page(struct fh_state *s)
{
    return s->adt->halt ? FH_OK : give_lock_back(s, s->profile->S2PAGE_ID);
}

/* Locks/Spec.v: release_lock_core_spec */
enum fh_status spec_release_lock_core(struct fh_state *s)
{
    return s->adt->halt ? FH_OK : give_lock_back(s, s->profile->CORE_ID);
}

/* Locks/Spec.v: release_lock_vm_spec */
enum fh_status spec_release_lock_vm(struct fh_state *s, uint32_t vmid)
{
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, is_vmid(s->profile, vmid), vmid);
    return give_lock_back(s, s->profile->INFO_ID + vmid);
}

/* Locks/Spec.v: release_lock_smmu_spec */
enum fh_status spec_release_lock_smmu(struct fh_state *s)
{
    return s->adt->halt ? FH_OK : give_lock_back(s, s->profile->SMMU_ID);
}
