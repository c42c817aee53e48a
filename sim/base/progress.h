/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_PROGRESS_H
#define SIM_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line on standard error that shows how far the work is, if it is a terminal. */
struct progress {
    bool is_shown;
    bool has_blocks; /* the terminal has characters for parts of a column */
    size_t nfiles, file;
    const char *name;
    uint64_t size, size_before, size_now; /* bytes: of all files, of those before, of this one */
    uint64_t traps;
    unsigned until_look; /* traps until the clock is looked at */
    double begin, last;  /* in seconds */
};

void progress_begin(struct progress *progress, char *const *paths, size_t npaths);
/* The next file, which is called `name`. */
void progress_file(struct progress *progress, const char *path, const char *name);
/* After each trap; of the file `done` has been read, 0 to 1. */
void progress_trap(struct progress *progress, double done);
/* For work of another kind, `done` of it, 0 to 1: what stands behind the bar. */
__attribute__((format(printf, 3, 4))) void progress_show(struct progress *progress, double done,
                                                         const char *format, ...);
/* The end, of a file or of all: the line is empty again. */
void progress_clear(const struct progress *progress);

/* Seconds on a clock that only goes on. */
double progress_clock(void);

#endif
