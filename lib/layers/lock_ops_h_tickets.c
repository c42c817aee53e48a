/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "LockOpsH"
#include "layers/lock_ops_h_tickets.h"

#include "layers/lock_ops.h"

/*
 * The other CPUs' part has been put on the ticket side before, in the order in which the oracle
 * told of it: no CPU is between two steps then, and a ticket is served as soon as it is drawn.
 */

static enum fh_status disagree(struct fh_state *s, const char *function, uint64_t id)
{
    const uint64_t values[] = {id, log_at(s, id)->lock == FH_LOG_HELD,
                               log_ticket_holder(ticket_log_at(s, id)) != 0};
    return stop(s, FH_DISAGREE, FH_LAYER, function, "the ticket lock does what the lock does",
                "id, held, held by ticket", values, sizeof values / sizeof *values);
}

static bool is_queue_whole(const struct fh_state *s, uint64_t id)
{
    return ticket_log_at(s, id)->queue_lock != FH_QUEUE_BROKEN;
}

enum fh_status draw_ticket_beside(struct fh_state *s, uint64_t id)
{
    const enum fh_status status = kc_wait_lock(s, (uint32_t)id);
    if (status == FH_STUCK || (status == FH_OK && !is_queue_whole(s, id)))
        return disagree(s, "wait_hlock", id);
    return status;
}

enum fh_status serve_ticket_beside(struct fh_state *s, uint64_t id)
{
    const enum fh_status status = kc_pass_lock(s, (uint32_t)id);
    if (status == FH_STUCK || (status == FH_OK && !is_queue_whole(s, id)))
        return disagree(s, "pass_hlock", id);
    return status;
}

enum fh_status add_event_beside(struct fh_state *s, uint64_t id, enum fh_event_kind kind)
{
    struct fh_log *log;
    FH_TRY(own_ticket_side(s, id, &log));
    return add_event(s, log, kind, id);
}
