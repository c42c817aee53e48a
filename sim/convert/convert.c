/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "base/options.h"
#include "convert/recording.h"
#include "trace/trace_write.h"

static const char help[] =
    "usage: fhsim convert --from recorder BUFFER...\n\n"
    "Writes a trace, as `fhsim replay` reads it, to standard output.\n\n"
    "  --from recorder   the buffers of <faulthandler/recorder.h>, a file for each CPU; the\n"
    "                    traps of all are merged by their event numbers\n\n"
    "Exit status: 0 all converted, 2 bad input; what comes before it is converted all the same.\n";

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

static bool write_merged(const struct recording *recordings, size_t count)
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
        trace_write(&line, stdout);
    }
    arena_free(arena);
    free(traps);
    return true;
}

static int convert(char **paths, size_t count)
{
    bool good = true;
    struct recording *recordings = calloc(count, sizeof *recordings);
    if (!recordings) {
        diag_plain("out of memory");
        return EXIT_BAD_INPUT;
    }
    for (size_t i = 0; i < count; i++) {
        good = recording_read(&recordings[i], paths[i]) && good;
        report(&recordings[i]);
    }
    good = write_merged(recordings, count) && good;
    for (size_t i = 0; i < count; i++)
        recording_free(&recordings[i]);
    free(recordings);
    return good ? EXIT_EXPECTED : EXIT_BAD_INPUT;
}

int command_convert(int argc, char **argv)
{
    const char *from = NULL;
    const struct option_spec options[] = {{"--from", NULL, &from}};
    int count;
    switch (options_read(argc, argv, options, sizeof options / sizeof *options, &count)) {
    case OPTIONS_HELP: fputs(help, stdout); return EXIT_EXPECTED;
    case OPTIONS_BAD: return EXIT_BAD_INPUT;
    case OPTIONS_GOOD: break;
    }
    if (!from) {
        diag_plain("convert: --from is missing; `fhsim convert --help` explains it");
        return EXIT_BAD_INPUT;
    }
    if (strcmp(from, "recorder") != 0) {
        diag_plain("convert: --from knows 'recorder', not '%s'", from);
        return EXIT_BAD_INPUT;
    }
    if (count == 0) {
        diag_plain("convert: no file; `fhsim convert --help` explains it");
        return EXIT_BAD_INPUT;
    }
    return convert(argv, (size_t)count);
}
