/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_STATE_LOG_H
#define FH_STATE_LOG_H

#include <faulthandler/state.h>

/* Owners of the events of a log. */
void log_retain(struct fh_log *log);
void log_release(struct fh_log *log, const struct fh_allocator *allocator);

/* Step length and lock summary by one event of this kind (CalLock.v: H_CalLock). */
void log_step(struct fh_log *log, enum fh_event_kind kind, uint64_t cpu, uint64_t n);

/* Put `event`, of which the caller gives up its ownership, in front of the list. */
void log_push(struct fh_log *log, struct fh_event *event);

#endif
