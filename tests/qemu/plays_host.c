/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>

#include "plays.h"

/* The plays, as this machine plays them. */
static void print(void *context, const char *line)
{
    (void)context;
    puts(line);
}

int main(void)
{
    plays(fh_malloc_allocator(), print, NULL);
    return 0;
}
