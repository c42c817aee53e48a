/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_LOCK_OPS_H_TICKETS_H
#define FH_LAYERS_LOCK_OPS_H_TICKETS_H

#include "layers/lock_log.h"

/*
 * The concrete realisation of a lock that one event takes and one gives back: tickets. Identifiers
 * of locks are those of the layers above (S2PAGE_ID ...) throughout.
 */

/*
 * Beside the abstract lock: draw a ticket on the lock's ticket side and wait until it is served;
 * serve the next one. FH_DISAGREE if the ticket lock cannot be had, or given back, where the
 * abstract one can.
 */
enum fh_status draw_ticket_beside(struct fh_state *s, uint64_t id);
enum fh_status serve_ticket_beside(struct fh_state *s, uint64_t id);

/* What the holder does with the object, as an event on the ticket side. */
enum fh_status add_event_beside(struct fh_state *s, uint64_t id, enum fh_event_kind kind);

#endif
