/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_LIVE_H
#define SIM_LIVE_H

#include <stdbool.h>

/*
 * Input that is still being written. From live_begin on the end of a plain file is where more may
 * come, and SIGINT and SIGTERM end the input instead of the program: what was read is then reported
 * as if the input ended behind the last whole record.
 */
void live_begin(void);
/*
 * The same in a library, for one call: `follows` says whether more may come. Signals are left to
 * the program; one that it handles ends the input while the call waits for it.
 */
void live_enter(bool follows);
void live_leave(void);
bool live_is_on(void);
/* The input was ended. */
bool live_is_over(void);
/* A signal came while the input was waited for: is it over? */
bool live_interrupted(void);
/* Nothing more came yet: wait a moment. */
void live_wait(void);

#endif
