/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The clock is looked at once in so many traps; the line is drawn anew after so many seconds. */
enum { TRAPS_PER_LOOK = 64, DEFAULT_COLUMNS = 80, LONGEST_BAR = 40, EIGHTHS = 8 };
static const double redrawn_after = 0.05;

double progress_clock(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* A file of unknown size weighs little. */
static uint64_t weight(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) ? (uint64_t)status.st_size + 1 : 1;
}

static bool is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strstr(value, "UTF-8") || strstr(value, "utf8");
    }
    return false;
}

void progress_begin(struct progress *progress, char *const *paths, size_t npaths)
{
    *progress = (struct progress){.is_shown = isatty(STDERR_FILENO),
                                  .has_blocks = is_utf8(),
                                  .nfiles = npaths,
                                  .begin = progress_clock()};
    for (size_t i = 0; i < npaths; i++)
        progress->size += weight(paths[i]);
}

void progress_file(struct progress *progress, const char *path, const char *name)
{
    progress->file++;
    progress->name = name;
    progress->size_before += progress->size_now;
    progress->size_now = weight(path);
    progress->until_look = 0;
    progress->last = 0;
}

static unsigned columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return DEFAULT_COLUMNS;
}

static void print_bar(const struct progress *progress, unsigned width, double done)
{
    static const char *const blocks[EIGHTHS] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const unsigned eighths = (unsigned)(done * width * EIGHTHS + 0.5);
    unsigned column = 0;
    fputc('[', stderr);
    for (; column < eighths / EIGHTHS; column++)
        fputs(progress->has_blocks ? "█" : "#", stderr);
    if (progress->has_blocks && eighths % EIGHTHS > 0) {
        fputs(blocks[eighths % EIGHTHS], stderr);
        column++;
    }
    fprintf(stderr, "%*s]", (int)(width - column), "");
}

/* "[####    ]  43%  text", cut where the terminal ends. */
static void draw(const struct progress *progress, double done, const char *text)
{
    char behind[200];
    const unsigned room = columns();
    int length = snprintf(behind, sizeof behind, " %3d%%  %s", (int)(done * 100), text);
    length = length < (int)sizeof behind ? length : (int)sizeof behind - 1;
    int width = (int)room - length - 3;
    width = width < LONGEST_BAR ? width : LONGEST_BAR;
    fputs("\r\033[K", stderr);
    if (width >= 4)
        print_bar(progress, (unsigned)width, done);
    fprintf(stderr, "%.*s", (int)room - (width >= 4 ? width + 3 : 1), behind);
    fflush(stderr);
}

/* Is it time to draw the line anew? */
static bool is_due(struct progress *progress)
{
    const double now = progress_clock();
    if (now - progress->last < redrawn_after)
        return false;
    progress->last = now;
    return true;
}

/* "3/19  41232 traps/s  03_vm2" */
void progress_trap(struct progress *progress, double done)
{
    char text[160];
    progress->traps++;
    if (!progress->is_shown || progress->until_look-- > 0)
        return;
    progress->until_look = TRAPS_PER_LOOK;
    if (!is_due(progress))
        return;
    const double bytes = (double)progress->size_before + done * (double)progress->size_now;
    const double seconds = progress->last - progress->begin;
    snprintf(text, sizeof text, "%zu/%zu  %.0f traps/s  %s", progress->file, progress->nfiles,
             seconds > 0 ? (double)progress->traps / seconds : 0, progress->name);
    draw(progress, bytes / (double)progress->size, text);
}

void progress_show(struct progress *progress, double done, const char *format, ...)
{
    char text[160];
    if (!progress->is_shown || !is_due(progress))
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    draw(progress, done, text);
}

void progress_clear(const struct progress *progress)
{
    if (progress->is_shown)
        fputs("\r\033[K", stderr);
}
