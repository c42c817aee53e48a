/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/recorder.h>

#include <stdlib.h>
#include <string.h>

#include "convert/recording.h"
#include "fuzz.h"

/* Sums are right whatever the rest is, or nothing would come behind them. */
static void mend_header(uint8_t *bytes, size_t size)
{
    uint64_t header[FH_RECORDER_HEADER_WORDS];
    if (size < sizeof header)
        return;
    memcpy(header, bytes, sizeof header);
    header[FH_RECORDER_AT_MAGIC] = FH_RECORDER_MAGIC;
    header[FH_RECORDER_AT_VERSION] = (uint64_t)FH_RECORDER_HEADER_WORDS << 32 | FH_RECORDER_VERSION;
    header[FH_RECORDER_AT_SUM] = fh_recorder_sum(header, FH_RECORDER_AT_SUM);
    memcpy(bytes, header, sizeof header);
}

/* One CPU's buffers, in both halves of the input: two CPUs that are merged. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_be_quiet();
    struct recording recordings[2];
    const size_t half = size / 2 & ~(size_t)7;
    uint8_t *bytes = malloc(size + 1);
    if (!bytes)
        return 0;
    if (size > 0)
        memcpy(bytes, data, size);
    mend_header(bytes, half);
    mend_header(bytes + half, size - half);
    recording_check(&recordings[0], "one", bytes, half);
    recording_check(&recordings[1], "other", bytes + half, size - half);
    size_t count;
    struct recorded_trap first, second;
    struct recorded_trap *traps = recordings_merge(recordings, 2, &count, &first, &second);
    struct arena *arena = arena_new();
    for (size_t i = 0; traps && i < count; i++) {
        struct trace_line line;
        arena_reset(arena);
        recording_decode(&recordings[traps[i].file], &traps[i], arena, &line);
    }
    arena_free(arena);
    free(traps);
    recording_free(&recordings[0]);
    recording_free(&recordings[1]);
    free(bytes);
    return 0;
}
