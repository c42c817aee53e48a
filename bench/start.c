/* SPDX-License-Identifier: GPL-2.0-only */
#include "start.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* As a real machine begins: 4 GiB that are the host's. */
static const char scenario[] = "description: The first fault of a machine of 4 GiB.\n"
                               "profile: sekvm-4.18\n"
                               "machine:\n"
                               "  regions:\n"
                               "    - {base: 1G, size: 4G, gfn: 0}\n"
                               "steps:\n"
                               "  - call: map_page_host\n"
                               "    args: [2G]\n";

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* fhsim reads the scenario from a pipe that already holds it. */
static bool run(const char *fhsim, int scenario_end, double *milliseconds, double *mebibytes)
{
    char *const argv[] = {(char *)(size_t)fhsim, "run", "-", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, scenario_end, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid;
    int status = -1;
    struct rusage usage;
    const double begin = now();
    if (posix_spawn(&pid, fhsim, &actions, NULL, argv, environ) == 0)
        wait4(pid, &status, 0, &usage);
    *milliseconds = now() - begin;
    posix_spawn_file_actions_destroy(&actions);
    if (status != 0)
        return false;
    *mebibytes = (double)usage.ru_maxrss / 1024;
    return true;
}

bool measure_start(const char *fhsim, double *milliseconds, double *mebibytes)
{
    const ssize_t size = sizeof scenario - 1;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    bool written = write(ends[1], scenario, sizeof scenario - 1) == size;
    close(ends[1]);
    bool ran = written && run(fhsim, ends[0], milliseconds, mebibytes);
    close(ends[0]);
    return ran;
}
