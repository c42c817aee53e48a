/* SPDX-License-Identifier: GPL-2.0-only */
#include "convert/convert.h"

#include <inttypes.h>
#include <string.h>

#include "base/diag.h"

void conversion_progress(struct conversion *conversion, const char *path, double done)
{
    if (conversion->progress.name != path)
        progress_file(&conversion->progress, path, path);
    progress_trap(&conversion->progress, done);
}

void conversion_tell_strange(const struct import *import)
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
