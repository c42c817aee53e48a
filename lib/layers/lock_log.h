/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_LOCK_LOG_H
#define FH_LAYERS_LOCK_LOG_H

#include "layers/kcore.h"

/*
 * Locks, their logs and the objects that they protect: what AbstractMachine and Locks share.
 *
 * `id` is a lock identifier of RData.v (FLATMEM_ID ...); it says which object the lock protects.
 */

/*
 * Ask the oracle for what other CPUs did on lock `id`, add it to the log, and make the object what
 * their last snapshot says (RData.v: CalState).
 */
enum fh_status query_oracle_of_lock(struct fh_state *s, uint64_t id, struct fh_log **log);

/* Put an event of this CPU in front of the log. */
enum fh_status add_event(struct fh_state *s, struct fh_log *log, enum fh_event_kind kind,
                         uint64_t argument);

/* The same for the snapshot event of the object that lock `id` protects. */
enum fh_status add_snapshot(struct fh_state *s, struct fh_log *log, uint64_t id);

enum fh_status set_lock_status(struct fh_state *s, uint64_t id, enum fh_lock_status status);

#endif
