/* SPDX-License-Identifier: GPL-2.0-only */
#include "convert/convert.h"

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
        conversion_tell_strange(&import);
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
