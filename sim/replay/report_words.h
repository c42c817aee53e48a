/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_REPORT_WORDS_H
#define SIM_REPORT_WORDS_H

#include "base/json_out.h"
#include "replay/replay.h"

/* What the numbers of a record stand for. */

/*
 * A trap's inputs, those that its kind has: the call with its arguments by name, the syndrome in
 * words, the address of a fault.
 */
void inputs_print(const struct replay_trap *trap, FILE *out);
/* The same as the member "inputs". */
void inputs_put(struct json_out *json, const struct replay_trap *trap);

/* Is the trap a stage-2 fault? *ipa is then the address that it was about. */
bool trap_fault(const struct trace_line *line, uint64_t *ipa);

/*
 * What an effect stands for, into buffer[0..size): a descriptor, a state, an owner, a register, a
 * call with its arguments by name; or one side of a difference alone. False, and "", if that is no
 * more than the effect says.
 */
bool effect_account(const struct replay_trap *trap, const struct trace_effect *effect, char *buffer,
                    size_t size);
bool value_account(const struct replay_trap *trap, const struct difference *difference,
                   bool of_machine, char *buffer, size_t size);

#endif
