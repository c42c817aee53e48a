/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_SOURCE_H
#define SIM_SOURCE_H

#include "base/node.h"

/* A text file held in memory, to read and to quote in messages. */
struct source {
    const char *name;
    char *text; /* terminated */
    size_t length;
    char error[400]; /* the first message about it, "line:column: message"; "" if none */
    bool quiet;      /* messages are kept in `error` only */
};

/*
 * Read a file, "-" for standard input. Files of more than `limit` bytes are refused. A failure is
 * reported on standard error and in `error`.
 */
bool source_read(struct source *source, const char *path, size_t limit);
void source_free(struct source *source);

/*
 * Report bad input at a place of the file, with the line quoted; `column` counts characters, as
 * libyaml does. Always returns false.
 */
__attribute__((format(printf, 4, 5))) bool source_error(struct source *source, unsigned line,
                                                        unsigned column, const char *format, ...);

#endif
