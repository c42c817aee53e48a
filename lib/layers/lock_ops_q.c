/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "LockOpsQ"
#include "layers/lock_ops_q.h"

#include "layers/lock_log.h"
#include "layers/lock_ops.h"

/*
 * LockOpsQ/Spec.v: the ticket lock as a queue of CPUs. `lk` is the lock's identifier (RData.v).
 *
 * Both work in a halted state too.
 */

/* The log is one that Q_CalLock accepts. */
static bool is_queue_whole(const struct fh_state *s, uint64_t lk)
{
    return ticket_log_at(s, lk)->queue_lock != FH_QUEUE_BROKEN;
}

/*
 * Wait until this CPU is at the head of the queue of lock `lk`, and take the lock.
 * Stuck: this CPU has the lock or waits already, the head does not get on, a log that Q_CalLock
 * rejects, and where wait_lock is. LockOpsQ/Spec.v: wait_qlock_spec
 */
enum fh_status spec_wait_qlock(struct fh_state *s, uint32_t lk)
{
    FH_RELY(s, lock_status(s, lk) == FH_LOCK_FREE, lk);
    FH_TRY(kc_wait_lock(s, lk));
    FH_RELY(s, is_queue_whole(s, lk), lk);
    return set_lock_status(s, lk, FH_LOCK_OWN_FALSE);
}

/* Give lock `lk` back. Stuck: this CPU does not have it, or still uses its object; a log that
 * Q_CalLock rejects. LockOpsQ/Spec.v: pass_qlock_spec */
enum fh_status spec_pass_qlock(struct fh_state *s, uint32_t lk)
{
    FH_RELY(s, lock_status(s, lk) == FH_LOCK_OWN_FALSE, lk);
    FH_TRY(kc_pass_lock(s, lk));
    FH_RELY(s, is_queue_whole(s, lk), lk);
    return set_lock_status(s, lk, FH_LOCK_FREE);
}
