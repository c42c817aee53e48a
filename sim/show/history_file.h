/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_HISTORY_FILE_H
#define SIM_HISTORY_FILE_H

#include "show/history.h"

/*
 * The file: this, then the records' numbers, the entries, where the forms' texts begin, and these,
 * each ended by a zero byte. In the byte order of the machine that makes it.
 */
struct history_head {
    char magic[16];
    char version[16];     /* of the program */
    uint64_t model;       /* the program, and the machine that ran beside the trace, as a sum */
    uint64_t trace_bytes; /* of the file of the trace, */
    int64_t trace_time;   /* and when it was written, in nanoseconds */
    uint64_t trace_file;  /* and its number in the file system */
    uint64_t nrecords, nentries, nforms, text_bytes;
};

#define HISTORY_MAGIC "fhsim history 2"

/* What the file of this trace begins with, but for the numbers. False: it is no regular file. */
bool history_head_of(struct history_head *head, const char *trace, const char *machine);

#endif
