/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_RECOGNISE_H
#define SIM_RECOGNISE_H

#include "convert/import.h"

/* What a file is, by what it holds. */
struct recognised {
    const struct importer *importer; /* of a foreign recording, or NULL */
    /* Of what is no recording and no trace: what it is and which command reads it, or NULL. */
    const char *other;
    bool is_unreadable; /* standard input could not be read, as was reported */
};

/*
 * A file that cannot be read is neither: who reads it will find out. Of standard input the
 * beginning is looked at, and read again. A format in `from` decides before all else (NULL: none).
 */
struct recognised recognise_file(const char *path, const struct importer *from);

/* The message about a file that is neither a trace nor a recording, with what it is like. */
void recognise_refuse(const char *path, const char *other);

/* Is this file a trace? Else false, with a message on what it is, unless it cannot be read. */
bool recognise_trace(const char *path);

#endif
