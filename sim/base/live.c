/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/live.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

static bool is_on, is_library;
static volatile sig_atomic_t is_over;

static void end_input(int number)
{
    (void)number;
    is_over = 1;
}

void live_begin(void)
{
    /* No SA_RESTART: a read that waits comes back. Asked twice, the program ends. */
    struct sigaction action = {.sa_handler = end_input, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    is_on = true;
}

void live_enter(bool follows)
{
    is_library = true;
    is_on = follows;
    is_over = 0;
}

void live_leave(void)
{
    is_library = is_on = false;
    is_over = 0;
}

bool live_is_on(void)
{
    return is_on;
}

bool live_is_over(void)
{
    return is_over;
}

bool live_interrupted(void)
{
    if (is_library)
        is_over = 1;
    return is_over;
}

void live_wait(void)
{
    const struct timespec moment = {.tv_nsec = 20000000};
    if (nanosleep(&moment, NULL) != 0)
        live_interrupted();
}
