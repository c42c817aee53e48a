/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/report_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/files.h"
#include "base/output.h"

struct report_file {
    char *path;      /* as it was given, for messages */
    char *target;    /* where that is: behind symbolic links */
    char *temporary; /* the name it has for a moment; NULL: it is written in place */
    bool is_named;   /* the file system has no files without a name */
    FILE *stream;
};

static char *print_path(const char *format, const char *path, long number)
{
    char *text = NULL;
    if (asprintf(&text, format, path, number) < 0)
        return NULL;
    return text;
}

/* A file without a name in the directory of `path`, or -1. */
static int open_nameless(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return open(".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    char *directory = strndup(path, slash == path ? 1 : (size_t)(slash - path));
    int fd = directory ? open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666) : -1;
    free(directory);
    return fd;
}

/* A new file, which is to be called `target`. */
static int open_new(struct report_file *file)
{
    file->temporary = print_path("%s.%ld.tmp", file->target, (long)getpid());
    if (!file->temporary)
        return -1;
    int fd = open_nameless(file->target);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd;
    fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    file->is_named = fd >= 0;
    return fd;
}

/* Who may read the file that is replaced may read the new one, and nobody else. */
static int open_instead(struct report_file *file, const struct stat *old)
{
    if (access(file->target, W_OK) != 0)
        return -1;
    const int fd = open_new(file);
    if (fd < 0)
        return -1;
    if (fchown(fd, old->st_uid, old->st_gid) != 0 && fchown(fd, (uid_t)-1, old->st_gid) != 0)
        errno = 0; /* not ours to give away */
    if (fchmod(fd, old->st_mode & 0777) == 0)
        return fd;
    close(fd);
    return -1;
}

/* -1, and errno, if it cannot be written there. */
static int open_for(struct report_file *file)
{
    struct stat status;
    file->target = end_of_links(file->path);
    if (!file->target)
        return -1;
    if (stat(file->target, &status) != 0)
        return open_new(file);
    return S_ISREG(status.st_mode) ? open_instead(file, &status)
                                   : open(file->target, O_WRONLY | O_CLOEXEC);
}

static void report_file_free(struct report_file *file)
{
    free(file->temporary);
    free(file->target);
    free(file->path);
    free(file);
}

struct report_file *report_file_open(const char *path)
{
    if (strcmp(path, "-") == 0) {
        diag_plain("'-' names no file here: standard output has something else to say. A file of "
                   "that name is ./-");
        return NULL;
    }
    struct report_file *file = calloc(1, sizeof *file);
    if (file)
        file->path = strdup(path);
    int fd = file && file->path ? open_for(file) : -1;
    if (fd >= 0)
        file->stream = fdopen(fd, "w");
    if (file && file->stream)
        return file;
    diag_plain("%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (file && file->is_named)
        unlink(file->temporary);
    if (file)
        report_file_free(file);
    return NULL;
}

FILE *report_file_stream(const struct report_file *file)
{
    return file->stream;
}

/* Give the file its temporary name, then its own, which replaces one of that name at once. */
static bool give_name(const struct report_file *file)
{
    char nameless[64];
    snprintf(nameless, sizeof nameless, "/proc/self/fd/%d", fileno(file->stream));
    if (!file->is_named &&
        linkat(AT_FDCWD, nameless, AT_FDCWD, file->temporary, AT_SYMLINK_FOLLOW) != 0)
        return false;
    if (rename(file->temporary, file->target) == 0)
        return true;
    int reason = errno;
    unlink(file->temporary);
    errno = reason;
    return false;
}

bool report_file_commit(struct report_file *file)
{
    bool good = output_arrived(file->stream, file->path);
    if (good && file->temporary && !give_name(file)) {
        diag_plain("cannot write %s: %s", file->path, strerror(errno));
        good = false;
    }
    report_file_discard(file);
    return good;
}

void report_file_discard(struct report_file *file)
{
    if (!file)
        return;
    fclose(file->stream);
    if (file->is_named)
        unlink(file->temporary); /* gone already if it was renamed */
    report_file_free(file);
}
