/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/json_out.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/node.h"

static void put_string(FILE *file, const char *text)
{
    node_print_json(&(struct node){.kind = NODE_STRING, .text = text, .length = strlen(text)},
                    file);
}

static void put_line(struct json_out *out)
{
    fprintf(out->file, "\n%*s", (int)(2 * out->depth), "");
}

/* What stands before a value: a comma, a new line, the key. */
static void put_key(struct json_out *out, const char *key)
{
    if (out->depth > 0) {
        if (out->has_member[out->depth - 1])
            fputc(',', out->file);
        out->has_member[out->depth - 1] = true;
        put_line(out);
    }
    if (!key)
        return;
    put_string(out->file, key);
    fputs(": ", out->file);
}

static void open_container(struct json_out *out, const char *key, char bracket)
{
    assert(out->depth < JSON_OUT_DEPTH);
    put_key(out, key);
    fputc(bracket, out->file);
    out->has_member[out->depth++] = false;
}

static void close_container(struct json_out *out, char bracket)
{
    const bool has_member = out->has_member[--out->depth];
    if (has_member)
        put_line(out);
    fputc(bracket, out->file);
}

void json_out_begin(struct json_out *out, FILE *file)
{
    memset(out, 0, sizeof *out);
    out->file = file;
}

void json_out_end(struct json_out *out)
{
    assert(out->depth == 0);
    fputc('\n', out->file);
}

void json_open_object(struct json_out *out, const char *key)
{
    open_container(out, key, '{');
}

void json_close_object(struct json_out *out)
{
    close_container(out, '}');
}

void json_open_array(struct json_out *out, const char *key)
{
    open_container(out, key, '[');
}

void json_close_array(struct json_out *out)
{
    close_container(out, ']');
}

void json_text(struct json_out *out, const char *key, const char *text)
{
    put_key(out, key);
    put_string(out->file, text);
}

void json_number(struct json_out *out, const char *key, uint64_t value)
{
    put_key(out, key);
    fprintf(out->file, "%" PRIu64, value);
}

void json_signed(struct json_out *out, const char *key, int64_t value)
{
    put_key(out, key);
    fprintf(out->file, "%" PRId64, value);
}

void json_bool(struct json_out *out, const char *key, bool value)
{
    put_key(out, key);
    fputs(value ? "true" : "false", out->file);
}

void json_null(struct json_out *out, const char *key)
{
    put_key(out, key);
    fputs("null", out->file);
}

void json_hex(struct json_out *out, const char *key, uint64_t value)
{
    put_key(out, key);
    fprintf(out->file, "\"0x%" PRIx64 "\"", value);
}
