/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "convert/import.h"
#include "fuzz.h"

/* A recording of the format FUZZ_IMPORTER. */

static void take(void *context, const struct trace_line *line)
{
    size_t *records = context;
    *records += line->nfx + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_be_quiet();
    size_t records = 0;
    struct import import = {.path = fuzz_file(data, size), .sink = take, .context = &records};
    import_file(&import, importer_find("fuzz", FUZZ_IMPORTER));
    return 0;
}
