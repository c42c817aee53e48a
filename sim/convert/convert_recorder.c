/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>

#include "convert/convert.h"
#include "convert/recording.h"

static void report(const struct recording *recording)
{
    const struct place place = {recording->path, 0, 0};
    if (recording->error[0])
        diag(&place, NULL, "offset %zu: %s", recording->error_offset, recording->error);
    if (recording->dropped > 0)
        diag(&place, NULL,
             "%" PRIu64 " traps of CPU %" PRIu64 " are missing: the buffer had no room for them",
             recording->dropped, recording->cpu);
}

static void report_twice(const struct recording *recordings, const struct recorded_trap *first,
                         const struct recorded_trap *second)
{
    const struct recording *other = &recordings[first->file];
    diag(&(const struct place){recordings[second->file].path, 0, 0}, NULL,
         "offset %zu: a trap has an event number that the trap at offset %zu of %s has too: the "
         "recorders of a machine share one counter",
         second->at * sizeof(uint64_t), first->at * sizeof(uint64_t), other->path);
}

static bool write_merged(const struct recording *recordings, size_t count, struct trace_out *out)
{
    size_t ntraps;
    struct recorded_trap first, second;
    struct recorded_trap *traps = recordings_merge(recordings, count, &ntraps, &first, &second);
    if (!traps) {
        report_twice(recordings, &first, &second);
        return false;
    }
    struct arena *arena = arena_new();
    for (size_t i = 0; i < ntraps; i++) {
        struct trace_line line;
        arena_reset(arena);
        recording_decode(&recordings[traps[i].file], &traps[i], arena, &line);
        trace_out_line(out, &line);
    }
    arena_free(arena);
    free(traps);
    return true;
}

static bool convert(struct conversion *conversion)
{
    bool good = true;
    const size_t count = conversion->count;
    struct recording *recordings = calloc(count, sizeof *recordings);
    if (!recordings) {
        diag_plain("out of memory");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        good = recording_read(&recordings[i], conversion->paths[i]) && good;
        report(&recordings[i]);
    }
    good = write_merged(recordings, count, conversion->out) && good;
    for (size_t i = 0; i < count; i++)
        recording_free(&recordings[i]);
    free(recordings);
    return good;
}

const struct source_format source_recorder = {
    .name = "recorder",
    .reads = "the buffers of <faulthandler/recorder.h>, a file for each CPU, merged",
    .files_max = SIZE_MAX,
    .convert = convert,
};
