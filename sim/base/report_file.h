/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_REPORT_FILE_H
#define SIM_REPORT_FILE_H

#include <stdbool.h>
#include <stdio.h>

/*
 * A file that appears when it is complete: until then its contents have no name, where the file
 * system can do that, so nothing half-written stays, however the program ends. What is no regular
 * file is written as it is.
 */
struct report_file;

/* NULL, with a message on standard error, if it cannot be written there. */
struct report_file *report_file_open(const char *path);
FILE *report_file_stream(const struct report_file *file);

/* Give the contents their name. False, with a message, if that fails; then the old file stays. */
bool report_file_commit(struct report_file *file);

/* Forget the contents. NULL is fine. */
void report_file_discard(struct report_file *file);

#endif
