/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* An option of a command: either a flag or one with a value ("--only ID" or "--only=ID"). */
struct option_spec {
    const char *name;   /* "--only" */
    bool *flag;         /* set to true, or */
    const char **value; /* set to what follows */
};

enum options_outcome { OPTIONS_GOOD, OPTIONS_HELP, OPTIONS_BAD };

/*
 * Read the options among argv[1..argc): they may stand anywhere before "--". The other arguments
 * are moved to the front of argv; *count is their number. A bad one has been reported.
 */
enum options_outcome options_read(int argc, char **argv, const struct option_spec *specs,
                                  size_t nspecs, int *count);

/* The same, where options may come several times: told of each value, in the order of the line. */
typedef void option_given(void *context, const struct option_spec *spec, const char *value);
enum options_outcome options_read_each(int argc, char **argv, const struct option_spec *specs,
                                       size_t nspecs, int *count, option_given *given,
                                       void *context);

#endif
