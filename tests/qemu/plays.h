/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QEMU_PLAYS_H
#define QEMU_PLAYS_H

#include <faulthandler/allocator.h>

/*
 * Plays on machines of the library: accesses and hypercalls from a seed, with a line for each that
 * says what came of it and sums up what it changed. The same on every machine that runs it.
 */
typedef void put_line(void *context, const char *line);
void plays(const struct fh_allocator *allocator, put_line *put, void *context);

#endif
