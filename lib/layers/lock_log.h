/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_LOCK_LOG_H
#define FH_LAYERS_LOCK_LOG_H

#include "layers/kcore.h"
#include "state/log.h"

/*
 * Locks, their logs and the objects that they protect: what AbstractMachine and Locks share.
 *
 * `id` is a lock identifier of RData.v (FLATMEM_ID ...); it says which object the lock protects.
 */

/*
 * Ask the oracle for what other CPUs did on lock `id`, add it to the log, and make the object what
 * their last snapshot says (RData.v: CalState).
 */
enum fh_status ask_oracle_of_lock(struct fh_state *s, uint64_t id, struct fh_log **log);

static inline enum fh_status query_oracle_of_lock(struct fh_state *s, uint64_t id,
                                                  struct fh_log **log)
{
    return s->env.oracle ? ask_oracle_of_lock(s, id, log) : own_log(s, id, log);
}

/* The same without the object. */
enum fh_status append_oracle_of_lock(struct fh_state *s, uint64_t id, struct fh_log **log);

/* The same for the ticket lock. In a state with both realisations the oracle tells of the abstract
 * side, and its ticket side has been brought up to that already. */
enum fh_status append_oracle_of_tickets(struct fh_state *s, uint64_t id, struct fh_log **log);

/* Make the object of lock `id` what the newest snapshot of it in the whole log says. */
enum fh_status take_over_newest(struct fh_state *s, uint64_t id, struct fh_log *log);

/*
 * The log on which the ticket lock works: that of lock `id`, or, in a state with both realisations,
 * its ticket side. A ticket side that is missing begins as what the log says of the lock.
 */
enum fh_status own_ticket_side(struct fh_state *s, uint64_t id, struct fh_log **log);

static inline enum fh_status own_ticket_log(struct fh_state *s, uint64_t id, struct fh_log **log)
{
    return s->realisation == FH_BOTH ? own_ticket_side(s, id, log) : own_log(s, id, log);
}

static inline const struct fh_log *ticket_log_at(const struct fh_state *s, uint64_t id)
{
    if (s->realisation != FH_BOTH)
        return log_at(s, id);
    return fh_map_get(&s->ticket_logs, &type_of_log->as_value, id);
}

/*
 * Make the object of lock `id` what the newest snapshot says that is later than the event `newest`,
 * once the newest of the log. SUMMARY knows the later ones from those before by having forgotten
 * them.
 */
enum fh_status take_over_later(struct fh_state *s, uint64_t id, struct fh_log *log,
                               const struct fh_event *newest);

/* Put an event of this CPU in front of the log. */
enum fh_status add_event_in_full(struct fh_state *s, struct fh_log *log, enum fh_event_kind kind,
                                 uint64_t argument);

static inline enum fh_status add_event(struct fh_state *s, struct fh_log *log,
                                       enum fh_event_kind kind, uint64_t argument)
{
    if (s->log_policy == FH_LOG_FULL || !log->is_ticket_broken)
        return add_event_in_full(s, log, kind, argument);
    log_step(log, kind, s->adt->curid, argument);
    return FH_OK;
}

/* The same for the snapshot event of the object that lock `id` protects. */
enum fh_status add_snapshot_in_full(struct fh_state *s, struct fh_log *log, uint64_t id);

static inline enum fh_status add_snapshot(struct fh_state *s, struct fh_log *log, uint64_t id)
{
    if (s->log_policy == FH_LOG_FULL || log->snapshot)
        return add_snapshot_in_full(s, log, id);
    /* Under SUMMARY it does not matter which object it is. */
    return id < s->profile->ID_END ? add_event(s, log, FH_EVENT_ONPT, 0) : FH_OK;
}

/*
 * The same, into the log of lock `id`, for any object: that of this kind of event; `key` is its VM,
 * if there is one for each.
 */
enum fh_status add_snapshot_of(struct fh_state *s, struct fh_log *log, uint64_t id,
                               enum fh_event_kind event, uint64_t key);

/*
 * Would taking lock `id` now succeed: it is free, and the events that the oracle has for it leave
 * it free (H_CalLock gives LEMPTY)? Changes nothing. For specs that demand a lock on paths that do
 * not take it.
 */
bool lock_is_available(const struct fh_state *s, uint64_t id);

#endif
