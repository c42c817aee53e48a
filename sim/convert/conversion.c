/* SPDX-License-Identifier: GPL-2.0-only */
#include "convert/convert.h"

void conversion_progress(struct conversion *conversion, const char *path, double done)
{
    if (conversion->progress.name != path)
        progress_file(&conversion->progress, path, path);
    progress_trap(&conversion->progress, done);
}
