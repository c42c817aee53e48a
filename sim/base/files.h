/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_FILES_H
#define SIM_FILES_H

#include <stdbool.h>
#include <stddef.h>

/* A file that a command will write: the option that names it, and its path; NULL: not asked for. */
struct output_path {
    const char *option;
    const char *path;
};

/*
 * May all of these be written? No output, nor standard output, may be the file of another one or of
 * an input: one of the two would be lost. To be asked before anything is read. False, with a
 * message, if they may not. Links are followed; what is no regular file (/dev/null, a pipe) takes
 * any number of outputs.
 */
bool outputs_are_apart(const char *command, const struct output_path *outputs, size_t noutputs,
                       const char *const *inputs, size_t ninputs);

/*
 * Where a file of this name is written: the end of the symbolic links that it names, there or not.
 * To be freed; NULL, with errno, if the links have no end or there is no memory.
 */
char *end_of_links(const char *path);

#endif
