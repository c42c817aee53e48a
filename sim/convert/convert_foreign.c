/* SPDX-License-Identifier: GPL-2.0-only */
#include "convert/convert.h"

#include <inttypes.h>
#include <string.h>

#include "base/diag.h"

/* Foreign recordings as sources of traces. */

static void take_line(void *context, const struct trace_line *line)
{
    const struct conversion *conversion = context;
    trace_out_line(conversion->out, line);
}

static void show_progress(void *context, double done)
{
    struct conversion *conversion = context;
    conversion_progress(conversion, conversion->paths[0], done);
}

/* What was passed over goes to standard error, since the trace has no place for it. */
static void tell_strange(const struct import *import)
{
    const char *name = strcmp(import->path, "-") == 0 ? "<stdin>" : import->path;
    const struct import_rest *rest = &import->rest;
    for (unsigned i = 0; i < STRANGE_SHOWN && i < rest->strange; i++)
        diag(&(struct place){name, rest->shown[i].line, rest->shown[i].column}, NULL,
             "passed over: %s", rest->shown[i].text);
    if (rest->strange > 0)
        diag(&(struct place){name, 0, 0}, NULL,
             "%" PRIu64 " line%s passed over that %s not of %s (--strict ends at the first)",
             rest->strange, rest->strange == 1 ? "" : "s", rest->strange == 1 ? "is" : "are",
             import->importer->name);
}

static bool convert(struct conversion *conversion, const char *format)
{
    const struct importer *importer = importer_find("convert", format);
    struct symbols *symbols = NULL;
    if (conversion->symbols && !(symbols = symbols_read(conversion->symbols)))
        return false;
    const struct trace_origin origin = {importer->name, importer->reads};
    trace_out_origin(conversion->out, &origin);
    struct import import = {.path = conversion->paths[0],
                            .symbols = symbols,
                            .strict = conversion->strict,
                            .sink = take_line,
                            .context = conversion,
                            .progress = show_progress};
    const bool good = import_file(&import, importer);
    if (good)
        tell_strange(&import);
    symbols_free(symbols);
    return good;
}

#define SOURCE(id, name_, reads_)                                                                  \
    static bool convert_##id(struct conversion *conversion)                                        \
    {                                                                                              \
        return convert(conversion, name_);                                                         \
    }                                                                                              \
    const struct source_format source_##id = {                                                     \
        .name = name_, .reads = reads_, .files_max = 1, .convert = convert_##id};

IMPORTER_MAP(SOURCE)
