/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_PERFETTO_INSIDE_H
#define SIM_PERFETTO_INSIDE_H

#include "base/json_out.h"
#include "replay/replay.h"

/* A trap's slice, in which more is to be shown. Times are those of its axis. */
struct perfetto_slice {
    struct json_out *json;
    unsigned pid, tid;
    const struct replay_trap *trap;
    uint64_t origin; /* the time of the event 0, which may lie before the axis (modulo 2^64) */
    uint64_t begin, end;
};

/*
 * Slices inside of it: locks, from taking to giving back, and functions, from call to return, or
 * without a length where the record has no return. Where two cross, the inner one is cut in two.
 */
void perfetto_inside(const struct perfetto_slice *slice);

/* Arrows from a trap that wrote a place to those that read it next (trace/trace_places.h). */
struct perfetto_flows;
struct perfetto_flows *perfetto_flows_new(void);
void perfetto_flows_free(struct perfetto_flows *flows);
/* Another trace begins: what was written is forgotten. */
void perfetto_flows_forget(struct perfetto_flows *flows);
/* One arrow from each trap that wrote something that this one reads. */
void perfetto_flows_trap(struct perfetto_flows *flows, const struct perfetto_slice *slice);

#endif
