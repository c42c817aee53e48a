/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/live.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

static bool is_on;
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

bool live_is_on(void)
{
    return is_on;
}

bool live_is_over(void)
{
    return is_over;
}

void live_wait(void)
{
    const struct timespec moment = {.tv_nsec = 20000000};
    nanosleep(&moment, NULL);
}
