/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/whole_path.h"

#include <faulthandler/reflect.h>
#include <stdio.h>
#include <string.h>

const char *whole_path(const char *path, char *buffer, size_t size)
{
    static const char shared[] = "shared";
    const struct fh_type *rdata = fh_rdata_type();
    const struct fh_field *below = fh_type_field(rdata, shared, strlen(shared));
    const size_t first = strcspn(path, ".");
    if (fh_type_field(rdata, path, first) || !fh_type_field(below->type, path, first))
        return path;
    const int length = snprintf(buffer, size, "%s.%s", shared, path);
    return length > 0 && (size_t)length < size ? buffer : path;
}
