/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPRESSION_H
#define SIM_EXPRESSION_H

#include <faulthandler/state.h>

/*
 * An expression over the state, as `query --when` and the debugger have it:
 *
 *   owner == 1 && mapped by host          cpu == 1 || !halt
 *   shared.vminfos.1.VS.vm_state == VERIFIED
 *
 * with || && ! == != < <= > >= + - & >> << and brackets, of numbers (decimal or with 0x), constants
 * of the machine, paths of the state (`shared.` may be left out) and words of who asks. Truth is 1
 * or 0, and what is not 0 is true. Sums and shifts wrap at 64 bits.
 */
struct expression_error {
    size_t offset; /* of the character at fault, from 0 */
    char message[200];
};

/*
 * Words that mean something where the expression stands, asked for before constants and paths:
 * "owner", or the whole phrase "mapped by host". False: no such word.
 */
typedef bool expression_word(void *context, const char *word, uint64_t *value);

/* False, with the reason, if the text is no expression, or a part of it names nothing. */
bool expression_evaluate(const char *text, const struct fh_state *state, expression_word *word,
                         void *context, uint64_t *value, struct expression_error *error);

#endif
