/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_DAP_IO_H
#define SIM_DAP_IO_H

#include "base/json.h"
#include "base/json_out.h"
#include "base/text_stream.h"

/* Messages of the Debug Adapter Protocol: JSON behind a header that says how long it is. */
struct dap_io {
    FILE *in, *out;
    struct json_reader *reader;
    struct arena *arena;
    char *text; /* of the message last read */
    uint64_t received, sent;
    struct text_stream message; /* the one being written */
    struct json_out json;
};

void dap_io_begin(struct dap_io *io, FILE *in, FILE *out);
void dap_io_end(struct dap_io *io);

/*
 * The next message, until the next call. NULL at the end of the input, or with *failed and a
 * message on standard error if it is none.
 */
const struct node *dap_read(struct dap_io *io, bool *failed);

/* A message of this type begins, an object that has its number; dap_send ends it. */
struct json_out *dap_write(struct dap_io *io, const char *type);
void dap_send(struct dap_io *io);

#endif
