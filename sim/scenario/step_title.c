/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "scenario/scenario.h"

const char *scenario_title(struct reader *reader, const char *what, const char *name)
{
    size_t size = strlen(what) + strlen(name) + 2;
    char *title = arena_alloc(reader->arena, size);
    snprintf(title, size, "%s %s", what, name);
    return title;
}
