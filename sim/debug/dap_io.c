/* SPDX-License-Identifier: GPL-2.0-only */
#include "debug/dap_io.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/diag.h"

enum { MESSAGE_MAX = 16 << 20, HEADER_MAX = 1000 };

void dap_io_begin(struct dap_io *io, FILE *in, FILE *out)
{
    *io = (struct dap_io){.in = in, .out = out, .reader = json_reader_new(), .arena = arena_new()};
    json_keep_fractions(io->reader);
}

void dap_io_end(struct dap_io *io)
{
    json_reader_free(io->reader);
    arena_free(io->arena);
    free(io->text);
}

__attribute__((format(printf, 3, 4))) static bool refuse(const struct dap_io *io, bool *failed,
                                                         const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    diag_plain("debug --dap: message %" PRIu64 ": %s", io->received + 1, text);
    *failed = true;
    return false;
}

/* "Content-Length: 119", and other fields, up to an empty line. */
static bool read_header(struct dap_io *io, uint64_t *length, bool *failed)
{
    static const char name[] = "Content-Length:";
    char line[HEADER_MAX];
    bool has_length = false;
    for (unsigned lines = 0; fgets(line, sizeof line, io->in); lines++) {
        if (strcmp(line, "\r\n") == 0 || strcmp(line, "\n") == 0)
            return has_length || refuse(io, failed, "its header has no Content-Length");
        if (!strchr(line, '\n'))
            return refuse(io, failed, "a line of its header does not end");
        if (strncasecmp(line, name, sizeof name - 1) != 0)
            continue;
        char *end;
        const char *digits = line + sizeof name - 1 + strspn(line + sizeof name - 1, " ");
        *length = strtoull(digits, &end, 10);
        has_length = isdigit((unsigned char)*digits) && strspn(end, "\r\n") == strlen(end) &&
                     *length <= MESSAGE_MAX;
        if (!has_length)
            return refuse(io, failed, "its Content-Length is no number up to %d", MESSAGE_MAX);
    }
    return has_length ? refuse(io, failed, "it ends in its header") : false;
}

const struct node *dap_read(struct dap_io *io, bool *failed)
{
    uint64_t length = 0;
    const char *error;
    size_t offset;
    *failed = false;
    if (!read_header(io, &length, failed))
        return NULL;
    free(io->text);
    io->text = calloc(length + json_padding() + 1, 1);
    if (!io->text)
        no_memory();
    if (fread(io->text, 1, length, io->in) != length) {
        refuse(io, failed, "the input ends before it does");
        return NULL;
    }
    arena_reset(io->arena);
    const struct node *node =
        json_parse(io->reader, io->arena, io->text, length, 1, &error, &offset);
    if (!node)
        refuse(io, failed, "byte %zu: %s", offset + 1, error);
    else if (node->kind != NODE_MAP)
        refuse(io, failed, "it is no object");
    io->received++;
    return *failed ? NULL : node;
}

struct json_out *dap_write(struct dap_io *io, const char *type)
{
    json_out_begin_line(&io->json, text_stream_begin(&io->message));
    json_open_object(&io->json, NULL);
    json_number(&io->json, "seq", ++io->sent);
    json_text(&io->json, "type", type);
    return &io->json;
}

void dap_send(struct dap_io *io)
{
    json_close_object(&io->json);
    json_out_end(&io->json);
    text_stream_end(&io->message);
    fprintf(io->out, "Content-Length: %zu\r\n\r\n", io->message.length);
    fwrite(io->message.text, 1, io->message.length, io->out);
    fflush(io->out);
    text_stream_free(&io->message);
}
