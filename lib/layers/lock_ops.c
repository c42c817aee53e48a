/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "LockOps"
#include "layers/lock_ops.h"

#include "layers/abstract_machine.h"
#include "layers/lock_log.h"

/*
 * LockOps/Spec.v: a ticket lock. `lk` is the lock's identifier (RData.v).
 *
 * The spec of this layer has no barriers: the functions work whatever `bars` is and leave it as it
 * was. The words that they consist of do look at it, so they see it as it is between locks.
 */
static enum fh_status set_bars(struct fh_state *s, uint8_t bars)
{
    if (s->adt->bars == bars)
        return FH_OK;
    FH_TRY(save_value(s, &s->adt->bars, type_of_bars));
    s->adt->bars = bars;
    return FH_OK;
}

/*
 * Draw a ticket of lock `lk`, ask until it is served, and note that the lock is held. Works in a
 * halted state too.
 * Stuck: more CPUs wait than there are; a log that CalTicketLock rejects; the ticket is not served
 * in the time in which all those in front should be done (CalWaitTime).
 * LockOps/Spec.v: wait_lock_spec
 */
enum fh_status spec_wait_lock(struct fh_state *s, uint32_t lk)
{
    const struct fh_profile *k = s->profile;
    const uint8_t bars = s->adt->bars;
    FH_TRY(set_bars(s, FH_BARRIER_VALID));
    uint32_t ticket, now;
    FH_TRY(kc_incr_ticket(s, (uint32_t)k->lock_bound, lk, &ticket));
    const struct fh_log *log = ticket_log_at(s, lk);
    const uint64_t last = log_next_ticket(log), first = log_now(log);
    FH_RELY(s, last < wide_add(first, k->TOTAL_CPU + 1), lk, last, first);
    const uint64_t wait_time = log_wait_time(log, k->fairness);
    FH_LOOP_BOUND(s, wait_time);
    FH_TRY(kc_get_now(s, lk, &now));
    for (uint64_t asked = 1; now != ticket; asked++) {
        FH_RELY(s, asked < wait_time, lk, ticket, now, wait_time);
        FH_TRY(kc_get_now(s, lk, &now));
    }
    FH_TRY(kc_log_hold(s, lk));
    FH_TRY(kc_barrier(s));
    return set_bars(s, bars);
}

/* Serve the next ticket of lock `lk`. Works in a halted state too. Never stuck.
 * LockOps/Spec.v: pass_lock_spec */
enum fh_status spec_pass_lock(struct fh_state *s, uint32_t lk)
{
    const uint8_t bars = s->adt->bars;
    FH_TRY(set_bars(s, FH_BARRIER_VALID));
    FH_TRY(kc_barrier(s));
    FH_TRY(kc_incr_now(s, lk));
    return set_bars(s, bars);
}
