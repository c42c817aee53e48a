/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_FOREIGN_H
#define SIM_FOREIGN_H

#include "base/progress.h"
#include "convert/import.h"
#include "foreign/foreign_report.h"

/*
 * `fhsim replay` of foreign recordings, and of the traces made from them: what can be checked is
 * checked, what could not be is said, and what the recording shows is told.
 */

/* All recordings of a run. */
struct foreign {
    struct progress *progress;
    bool strict;                  /* a line that is not of a recording's format ends it */
    struct foreign_report report; /* a copy of the one that is wanted */
    size_t shown_max;             /* divergences printed in full, of all recordings */
    size_t shown;
    uint64_t failed; /* checks */
    bool bad_input;
    bool is_unchecked; /* there is a recording of which nothing could be checked */
    struct foreign_file *file;
};

/* Import a recording and check it. `name` is what reports call it, `symbols` may be NULL. */
void foreign_import(struct foreign *foreign, const char *path, const char *name,
                    const struct importer *importer, const struct symbols *symbols);
/* Check a trace that says where it comes from; `first` is the record that was read already. */
void foreign_trace(struct foreign *foreign, struct trace *trace, const struct trace_line *first,
                   const char *name);
/* The end of the report, and the exit status. */
int foreign_end(struct foreign *foreign);

#endif
