/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CONVERT_H
#define SIM_CONVERT_H

#include "base/progress.h"
#include "trace/trace_out.h"
#include "convert/import.h"

/* One run of `fhsim convert`: files that become one trace. */
struct conversion {
    char **paths;
    size_t count;
    struct trace_out *out;
    const char *symbols; /* of the kernel that a foreign recording is of, or NULL */
    bool strict;         /* a line of it that is not of its format ends it */
    struct progress progress;
};

/* Where traces can be made from: --from NAME. */
struct source_format {
    const char *name;
    const char *reads; /* for people */
    size_t files_max;
    /* False after bad input, which has been reported: what came before it was converted. */
    bool (*convert)(struct conversion *conversion);
    /* Instead, for what becomes no trace: writes the text. False: there is none, as was reported.
     */
    bool (*write)(struct conversion *conversion, FILE *out);
};

#define SOURCE_DECLARATION(id, name, reads) extern const struct source_format source_##id;
IMPORTER_MAP(SOURCE_DECLARATION)
#undef SOURCE_DECLARATION
extern const struct source_format source_trace;
extern const struct source_format source_recorder;
extern const struct source_format source_stage2_dump;

/* After each record: how much of the file, 0 to 1, is done. */
void conversion_progress(struct conversion *conversion, const char *path, double done);

/* Lines of a recording that were passed over go to standard error: a trace has no place for them.
 */
void conversion_tell_strange(const struct import *import);

#endif
