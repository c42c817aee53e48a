/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* How often the trace is read in one run, so that starting does not count. */
enum { TIMES = 10 };

/* Run a program; what it prints first goes into `text`, terminated. */
static bool run(char *const *argv, char *text, size_t size)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    pid_t pid;
    int status = -1;
    const bool started = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ) == 0;
    close(ends[1]);
    size_t used = 0;
    char rest[4096];
    for (ssize_t n = 1; started && n > 0;) {
        const bool is_full = used + 1 == size;
        n = read(ends[0], is_full ? rest : text + used, is_full ? sizeof rest : size - 1 - used);
        if (n > 0 && !is_full)
            used += (size_t)n;
    }
    text[used] = '\0';
    close(ends[0]);
    posix_spawn_file_actions_destroy(&actions);
    return started && waitpid(pid, &status, 0) == pid && status == 0;
}

/* A number of a JSON object; 0 if it is not there. */
static double number_of(const char *json, const char *key)
{
    double number = 0;
    const char *at = strstr(json, key);
    if (at)
        sscanf(at + strlen(key), "%lf", &number);
    return number;
}

bool measure_replay(const char *fhsim, const char *trace, const char *option, double *nanoseconds)
{
    const char *argv[TIMES + 5] = {fhsim, "replay", "--json"};
    unsigned count = 3;
    if (option)
        argv[count++] = option;
    for (unsigned i = 0; i < TIMES; i++)
        argv[count++] = trace;
    char text[4096];
    if (!run((char *const *)(size_t)argv, text, sizeof text))
        return false;
    const double traps = number_of(text, "\"traps\":"), seconds = number_of(text, "\"seconds\":");
    *nanoseconds = traps > 0 ? seconds * 1e9 / traps : 0;
    return traps > 0;
}

bool convert_trace(const char *fhsim, const char *trace, const char *to)
{
    char text[16];
    const char *argv[] = {fhsim, "convert", trace, "-o", to, NULL};
    return run((char *const *)(size_t)argv, text, sizeof text);
}
