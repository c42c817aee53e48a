/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_RECORDING_H
#define SIM_RECORDING_H

#include "trace/trace.h"

/*
 * Recordings of <faulthandler/recorder.h>, one file for each CPU, of one buffer or of several that
 * were filled one after the other. docs/recorder.md has the layout.
 */

/* One trap in a recording, checked. */
struct recorded_trap {
    size_t file; /* index of its recording */
    size_t at;   /* the word where it begins */
    uint64_t g0; /* numbers of its first and last event */
    uint64_t last;
    uint64_t seq;
};

struct recording {
    const char *path;
    uint64_t *words;
    size_t nwords;
    size_t odd_bytes; /* behind the last whole word */
    uint64_t cpu;
    uint64_t dropped; /* traps for which the buffers had no room */
    struct recorded_trap *traps;
    size_t ntraps;
    size_t error_offset; /* in bytes */
    char error[160];     /* why the rest cannot be read; "" if there is nothing wrong */
};

/* Read and check a file. False if it cannot be read (reported) or has an error (in `error`). */
bool recording_read(struct recording *recording, const char *path);

/* The same for bytes in memory. */
bool recording_check(struct recording *recording, const char *path, const void *bytes,
                     size_t nbytes);
void recording_free(struct recording *recording);

/* A trap of a recording as the line of a trace, in the memory of `arena`. */
void recording_decode(const struct recording *recording, const struct recorded_trap *trap,
                      struct arena *arena, struct trace_line *line);

/*
 * The traps of all recordings in the order in which they ended, numbered by the order in which they
 * began; the caller frees them. NULL if two events have the same number: *first and *second are
 * the traps that have them.
 */
struct recorded_trap *recordings_merge(const struct recording *recordings, size_t count,
                                       size_t *ntraps, struct recorded_trap *first,
                                       struct recorded_trap *second);

#endif
