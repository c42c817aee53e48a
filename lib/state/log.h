/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_STATE_LOG_H
#define FH_STATE_LOG_H

#include <faulthandler/state.h>

/* Owners of the events of a log. */
void log_retain(struct fh_log *log);
void log_release(struct fh_log *log, const struct fh_allocator *allocator);

/*
 * Under FH_LOG_FULL a call adds a dozen events, which live as long as the log. They are cut from
 * blocks of a state's own: asking the allocator for each was a third of such a call. As
 * fh_event_new, from the block at `place` (NULL: none yet) or the next one; freed as others are.
 */
struct event_block;
struct fh_event *event_from_block(struct event_block **place, const struct fh_allocator *allocator,
                                  enum fh_event_kind kind, uint64_t cpu, const uint64_t *args);

/* No more events will be cut from it. */
void event_block_release(struct event_block *block, const struct fh_allocator *allocator);

/* As fh_event_family says; here so that the compiler knows it of a kind that it knows. */
static inline bool is_shared_event(enum fh_event_kind kind)
{
    return kind >= FH_EVENT_OPULL && kind <= FH_EVENT_OFLATMEM;
}

/* Step length and lock summary by one event of this kind (CalLock.v: H_CalLock). */
static inline void log_step(struct fh_log *log, enum fh_event_kind kind, uint64_t cpu, uint64_t n)
{
    log->length++;
    if (log->lock == FH_LOG_EMPTY && kind == FH_EVENT_WAIT_LOCK) {
        log->lock = FH_LOG_HELD;
        log->holder = cpu;
        log->budget = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
        return;
    }
    const bool is_holder = log->lock == FH_LOG_HELD && log->holder == cpu;
    if (is_holder && is_shared_event(kind) && log->budget > 0) {
        log->budget--;
        return;
    }
    const bool gives_back = is_holder && kind == FH_EVENT_REL_LOCK;
    log->lock = gives_back ? FH_LOG_EMPTY : FH_LOG_BROKEN;
    log->holder = 0;
    log->budget = 0;
}

/*
 * A log under SUMMARY that says of its lock no more than that it is free: the ticket lock of the
 * log is broken, and the object is what its last snapshot says.
 */
static inline bool log_is_plain_and_free(const struct fh_log *log)
{
    return log->lock == FH_LOG_EMPTY && log->budget == 0 && log->is_ticket_broken && !log->snapshot;
}

/* Snapshot events that a critical section may add (Locks/Spec.v: local_lock_bound). */
enum { LOCAL_LOCK_BOUND = 10 };

/* Such a log with so many events, the last of which are WAIT_LOCK and OPULL of `cpu`. */
static inline void log_set_taken(struct fh_log *log, uint64_t length, uint64_t cpu)
{
    log->length = length;
    log->holder = cpu;
    log->budget = LOCAL_LOCK_BOUND - 1;
    log->lock = FH_LOG_HELD;
}

/* And free, with so many events. */
static inline void log_set_free(struct fh_log *log, uint64_t length)
{
    log->length = length;
    log->holder = 0;
    log->budget = 0;
    log->lock = FH_LOG_EMPTY;
}

/*
 * A log under SUMMARY in which one more event on the object that it is about leaves no other trace
 * than its number, since neither of the two locks that it could be of is one any more: that of
 * FLATMEM, for which there is no lock, from its first event on.
 */
static inline bool log_only_counts(const struct fh_log *log)
{
    return log->lock == FH_LOG_BROKEN && log->queue_lock == FH_QUEUE_BROKEN && log->holder == 0 &&
           log->budget == 0 && log->queue_budget == 0 && log->queue_waited == 0 &&
           !log->is_ticket_broken && !log->tickets && !log->snapshot;
}

/* Such a log after so many events. */
static inline void log_set_broken(struct fh_log *log, uint64_t length)
{
    *log = (struct fh_log){.length = length, .lock = FH_LOG_BROKEN, .queue_lock = FH_QUEUE_BROKEN};
}

/*
 * Step the summary of the ticket lock (CalLock.v: CalTicketLock, Q_CalLock), before log_step. False
 * if there is no memory for one more waiting CPU; nothing has changed then.
 */
bool log_step_tickets(struct fh_log *log, const struct fh_allocator *allocator,
                      enum fh_event_kind kind, uint64_t cpu, uint64_t n);

/* The ticket that is drawn next, and the one that is served. */
uint64_t log_next_ticket(const struct fh_log *log);
uint64_t log_now(const struct fh_log *log);

/* 1 + the CPU that holds the ticket lock, 0 if nobody does or waits for it. */
uint64_t log_ticket_holder(const struct fh_log *log);

/* CalLock.v: CalWaitTime, how many times a CPU at the end of the queue asks in vain at most. */
uint64_t log_wait_time(const struct fh_log *log, uint64_t fairness);

/* Put `event`, of which the caller gives up its ownership, in front of the list. */
void log_push(struct fh_log *log, struct fh_event *event);

/*
 * The policy SUMMARY keeps a snapshot that a log ends with, as long as the object may be another
 * one: that of another CPU until it is taken over, or that of another object. `event` changes
 * hands.
 */
void log_keep_snapshot(struct fh_log *log, const struct fh_allocator *allocator,
                       struct fh_event *event);
void log_forget_snapshot(struct fh_log *log, const struct fh_allocator *allocator);

#endif
