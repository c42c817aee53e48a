/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLAIN_MESSAGES_H
#define SIM_EXPLAIN_MESSAGES_H

#include "explain/finds.h"

/* The message that begins at `text`; NULL if none does. *length is what its words take. */
const struct known_message *message_at(const char *text, const char *end, size_t *length);

#endif
