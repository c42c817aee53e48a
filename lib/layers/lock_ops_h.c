/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "LockOpsH"
#include "layers/lock_ops_h.h"

#include "layers/lock_ops_h_tickets.h"
#include "layers/lock_ops_q.h"

/*
 * LockOpsH/Spec.v: a lock without a queue: one event takes it, one gives it back. These are the
 * events that all layers above see in the logs. `lk` is the lock's identifier (RData.v).
 *
 * The proofs relate this log to the one that LockOpsQ writes. A state has one of the two in RData:
 * concrete, these functions are LockOpsQ's; abstract, they write theirs themselves, and with both
 * realisations the tickets are drawn beside. Both work in a halted state too.
 */

/*
 * Take lock `lk`, after what other CPUs did meanwhile. Its object is not in use yet.
 * Stuck: this CPU has the lock already, a log that H_CalLock rejects.
 * LockOpsH/Spec.v: wait_hlock_spec
 */
enum fh_status spec_wait_hlock(struct fh_state *s, uint32_t lk)
{
    if (s->lock_form == FH_CONCRETE)
        return kc_wait_qlock(s, lk);
    FH_RELY(s, lock_status(s, lk) == FH_LOCK_FREE, lk);
    struct fh_log *log;
    if (s->realisation == FH_BOTH)
        FH_TRY(own_ticket_side(s, lk, &log));
    FH_TRY(append_oracle_of_lock(s, lk, &log));
    FH_TRY(add_event(s, log, FH_EVENT_WAIT_LOCK, s->profile->lock_bound));
    FH_RELY(s, log->lock != FH_LOG_BROKEN, lk);
    if (s->realisation == FH_BOTH)
        FH_TRY(draw_ticket_beside(s, lk));
    return set_lock_status(s, lk, FH_LOCK_OWN_FALSE);
}

/* Give it back. Stuck: this CPU does not have it, or still uses its object; a log that H_CalLock
 * rejects. LockOpsH/Spec.v: pass_hlock_spec */
enum fh_status spec_pass_hlock(struct fh_state *s, uint32_t lk)
{
    if (s->lock_form == FH_CONCRETE)
        return kc_pass_qlock(s, lk);
    FH_RELY(s, lock_status(s, lk) == FH_LOCK_OWN_FALSE, lk);
    struct fh_log *log;
    FH_TRY(own_log(s, lk, &log));
    if (s->realisation == FH_BOTH)
        FH_TRY(serve_ticket_beside(s, lk));
    FH_TRY(add_event(s, log, FH_EVENT_REL_LOCK, 0));
    FH_RELY(s, log->lock != FH_LOG_BROKEN, lk);
    return set_lock_status(s, lk, FH_LOCK_FREE);
}
