/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "base/diag.h"
#include "convert/import.h"

static const struct importer all_importers[] = {
#define IMPORTER(id, name, reads) {name, reads, id##_recognises, id##_run},
    IMPORTER_MAP(IMPORTER)
#undef IMPORTER
};

enum { IMPORTERS = sizeof all_importers / sizeof *all_importers };

const struct importer *importers(unsigned *count)
{
    *count = IMPORTERS;
    return all_importers;
}

const struct importer *importer_named(const char *name)
{
    for (unsigned i = 0; i < IMPORTERS; i++) {
        if (strcmp(all_importers[i].name, name) == 0)
            return &all_importers[i];
    }
    return NULL;
}

const struct importer *importer_find(const char *command, const char *name)
{
    const char *names[IMPORTERS];
    const struct importer *found = importer_named(name);
    if (found)
        return found;
    for (unsigned i = 0; i < IMPORTERS; i++)
        names[i] = all_importers[i].name;
    const char *meant = nearest(name, names, IMPORTERS);
    diag_plain("%s: --from does not know '%s'%s%s%s", command, name,
               meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
    return NULL;
}
