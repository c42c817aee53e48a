/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/files.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"

enum { LINKS_MAX = 40 };

/* "dir/name" beside `path`, if `name` does not begin at the root. */
static char *beside(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    const size_t folder = name[0] == '/' || !slash ? 0 : (size_t)(slash - path) + 1;
    char *joined = malloc(folder + strlen(name) + 1);
    if (!joined)
        return NULL;
    memcpy(joined, path, folder);
    strcpy(joined + folder, name);
    return joined;
}

char *end_of_links(const char *path)
{
    char *at = strdup(path);
    for (unsigned i = 0; at && i < LINKS_MAX; i++) {
        char target[PATH_MAX];
        const ssize_t length = readlink(at, target, sizeof target - 1);
        if (length < 0)
            return at;
        target[length] = 0;
        char *next = beside(at, target);
        free(at);
        at = next;
    }
    errno = at ? ELOOP : ENOMEM;
    free(at);
    return NULL;
}

/* Which file: itself if there is one; otherwise its folder and the name that it will have. */
struct identity {
    bool is_known; /* a regular file, or none yet */
    bool is_there;
    dev_t device;
    ino_t inode;
    char name[NAME_MAX + 1];
};

static void set_existing(struct identity *identity, const struct stat *status)
{
    identity->is_known = S_ISREG(status->st_mode);
    identity->is_there = true;
    identity->device = status->st_dev;
    identity->inode = status->st_ino;
}

static void set_new(struct identity *identity, const char *path)
{
    struct stat status;
    char *end = end_of_links(path);
    char *folder = end ? beside(end, ".") : NULL;
    if (folder && stat(folder, &status) == 0) {
        const char *slash = strrchr(end, '/');
        const char *name = slash ? slash + 1 : end;
        identity->is_known = strlen(name) <= NAME_MAX;
        identity->device = status.st_dev;
        identity->inode = status.st_ino;
        strncpy(identity->name, name, NAME_MAX);
    }
    free(folder);
    free(end);
}

static struct identity identify(const char *path)
{
    struct identity identity = {0};
    struct stat status;
    if (stat(path, &status) == 0)
        set_existing(&identity, &status);
    else if (errno == ENOENT)
        set_new(&identity, path);
    return identity;
}

static struct identity identify_stream(int fd)
{
    struct identity identity = {0};
    struct stat status;
    if (fstat(fd, &status) == 0)
        set_existing(&identity, &status);
    return identity;
}

static bool are_same(const struct identity *a, const struct identity *b)
{
    return a->is_known && b->is_known && a->is_there == b->is_there && a->device == b->device &&
           a->inode == b->inode && strcmp(a->name, b->name) == 0;
}

/* "--html x.html", or "standard output". */
static const char *words(const struct output_path *output, char *text, size_t size)
{
    if (!output)
        return "standard output";
    snprintf(text, size, "%s %s", output->option, output->path);
    return text;
}

/* `output` NULL: standard output. */
static bool is_apart_from_inputs(const char *command, const struct output_path *output,
                                 const struct identity *file, const char *const *inputs,
                                 size_t ninputs)
{
    char text[300];
    for (size_t i = 0; i < ninputs; i++) {
        const bool is_stream = strcmp(inputs[i], "-") == 0;
        const struct identity input =
            is_stream ? identify_stream(STDIN_FILENO) : identify(inputs[i]);
        if (!are_same(file, &input))
            continue;
        diag_plain("%s: %s is the input %s, which would be lost; write to another file", command,
                   words(output, text, sizeof text), is_stream ? "itself" : inputs[i]);
        return false;
    }
    return true;
}

bool outputs_are_apart(const char *command, const struct output_path *outputs, size_t noutputs,
                       const char *const *inputs, size_t ninputs)
{
    char one[300], other[300];
    const struct identity stream = identify_stream(STDOUT_FILENO);
    if (!is_apart_from_inputs(command, NULL, &stream, inputs, ninputs))
        return false;
    for (size_t i = 0; i < noutputs; i++) {
        if (!outputs[i].path)
            continue;
        const struct identity file = identify(outputs[i].path);
        if (!is_apart_from_inputs(command, &outputs[i], &file, inputs, ninputs))
            return false;
        const struct output_path *same = NULL;
        bool is_same = are_same(&file, &stream);
        for (size_t j = 0; j < i && !is_same; j++) {
            const struct identity before =
                outputs[j].path ? identify(outputs[j].path) : (struct identity){0};
            is_same = are_same(&file, &before);
            same = is_same ? &outputs[j] : NULL;
        }
        if (is_same) {
            diag_plain("%s: %s and %s are one file, and one of them would be lost", command,
                       words(same, one, sizeof one), words(&outputs[i], other, sizeof other));
            return false;
        }
    }
    return true;
}
