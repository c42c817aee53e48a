/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/trace_out.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/json.h"
#include "base/json_out.h"
#include "base/output.h"
#include "base/report_file.h"
#include "trace/cbor_writer.h"
#include "trace/trace_write.h"

enum { BUFFER_SIZE = 1 << 17 };

/* A stream that compresses what is written to it and passes it on. */
struct packer {
    ZSTD_CStream *zstd;
    FILE *to;
    char packed[BUFFER_SIZE];
};

struct trace_out {
    struct report_file *file; /* NULL: standard output */
    FILE *last;               /* where the bytes go in the end */
    FILE *stream;             /* where records are written: `last`, or what compresses for it */
    struct cbor_writer *cbor;
    struct json_reader *reader; /* of lines that become CBOR */
    struct arena *arena;
    bool has_records;
};

static void *want_memory(void *memory)
{
    if (memory)
        return memory;
    no_memory();
}

/* --- Forms ----------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    struct trace_form form;
} forms[] = {{"jsonl", {false, false}},
             {"cbor", {true, false}},
             {"jsonl.zst", {false, true}},
             {"cbor.zst", {true, true}}};

bool trace_form_find(const char *name, struct trace_form *form)
{
    for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) {
        *form = forms[i].form;
        if (strcmp(name, forms[i].name) == 0)
            return true;
    }
    return false;
}

bool trace_form_of_file(const char *path, struct trace_form *form)
{
    const char *slash = strrchr(path, '/');
    for (const char *dot = strchr(slash ? slash : path, '.'); dot; dot = strchr(dot + 1, '.')) {
        if (trace_form_find(dot + 1, form))
            return true;
    }
    return false;
}

/* --- Compression ----------------------------------------------------------------------------- */

static bool pack(struct packer *packer, ZSTD_inBuffer *input, ZSTD_EndDirective how)
{
    size_t left;
    do {
        ZSTD_outBuffer output = {packer->packed, sizeof packer->packed, 0};
        left = ZSTD_compressStream2(packer->zstd, &output, input, how);
        if (ZSTD_isError(left) || fwrite(packer->packed, 1, output.pos, packer->to) < output.pos)
            return false;
    } while (how == ZSTD_e_end ? left > 0 : input->pos < input->size);
    return true;
}

static ssize_t packer_write(void *cookie, const char *data, size_t size)
{
    ZSTD_inBuffer input = {data, size, 0};
    return pack(cookie, &input, ZSTD_e_continue) ? (ssize_t)size : 0;
}

static int packer_close(void *cookie)
{
    struct packer *packer = cookie;
    ZSTD_inBuffer input = {"", 0, 0};
    const bool good = pack(packer, &input, ZSTD_e_end);
    ZSTD_freeCStream(packer->zstd);
    free(packer);
    return good ? 0 : EOF;
}

static FILE *open_packer(FILE *to)
{
    struct packer *packer = want_memory(calloc(1, sizeof *packer));
    packer->to = to;
    packer->zstd = want_memory(ZSTD_createCStream());
    ZSTD_CCtx_setParameter(packer->zstd, ZSTD_c_checksumFlag, 1);
    FILE *stream = want_memory(fopencookie(
        packer, "w", (cookie_io_functions_t){.write = packer_write, .close = packer_close}));
    setvbuf(stream, NULL, _IOFBF, BUFFER_SIZE);
    return stream;
}

/* --- Records --------------------------------------------------------------------------------- */

struct trace_out *trace_out_open(const char *path, struct trace_form form)
{
    struct report_file *file = path ? report_file_open(path) : NULL;
    if (path && !file)
        return NULL;
    struct trace_out *out = want_memory(calloc(1, sizeof *out));
    out->file = file;
    out->last = file ? report_file_stream(file) : stdout;
    setvbuf(out->last, NULL, _IOFBF, BUFFER_SIZE);
    out->stream = form.is_zstd ? open_packer(out->last) : out->last;
    if (form.is_cbor) {
        out->cbor = cbor_writer_new(out->stream);
        out->reader = json_reader_new();
        out->arena = arena_new();
    }
    return out;
}

void trace_out_tree(struct trace_out *out, const struct node *record)
{
    out->has_records = true;
    if (out->cbor) {
        cbor_write(out->cbor, record);
        return;
    }
    struct json_out json;
    json_out_begin_line(&json, out->stream);
    json_tree(&json, NULL, record);
    json_out_end(&json);
}

/* Write as CBOR what was written as JSON. */
static void pass_on(struct trace_out *out, const char *text, size_t length)
{
    const char *error;
    size_t offset;
    char *padded = want_memory(calloc(length + json_padding(), 1));
    memcpy(padded, text, length);
    arena_reset(out->arena);
    const struct node *tree =
        json_parse(out->reader, out->arena, padded, length, 1, &error, &offset);
    if (tree)
        cbor_write(out->cbor, tree);
    else
        diag_plain("a record that is no JSON: %s", error);
    free(padded);
}

/* What is written as JSON Lines, as CBOR: a record, or where a trace comes from. */
static void write_as_cbor(struct trace_out *out, const struct trace_line *line,
                          const struct trace_origin *origin)
{
    char *text = NULL;
    size_t length = 0;
    FILE *memory = want_memory(open_memstream(&text, &length));
    if (line)
        trace_write(line, memory);
    else
        trace_write_origin(origin, memory);
    fclose(memory);
    pass_on(out, text, length);
    free(text);
}

void trace_out_line(struct trace_out *out, const struct trace_line *line)
{
    out->has_records = true;
    if (out->cbor)
        write_as_cbor(out, line, NULL);
    else
        trace_write(line, out->stream);
}

void trace_out_origin(struct trace_out *out, const struct trace_origin *origin)
{
    if (out->cbor)
        write_as_cbor(out, NULL, origin);
    else
        trace_write_origin(origin, out->stream);
}

bool trace_out_is_empty(const struct trace_out *out)
{
    return !out->has_records;
}

/* --- The end --------------------------------------------------------------------------------- */

/* Bring everything to `last`. */
static bool finish(struct trace_out *out)
{
    bool good = !ferror(out->stream);
    if (out->stream != out->last)
        good = fclose(out->stream) == 0 && good;
    cbor_writer_free(out->cbor);
    json_reader_free(out->reader);
    arena_free(out->arena);
    return good;
}

bool trace_out_close(struct trace_out *out)
{
    struct report_file *file = out->file;
    const bool is_whole = finish(out);
    bool good = output_arrived(out->last, "the trace") && is_whole;
    if (file && good)
        good = report_file_commit(file);
    else
        report_file_discard(file);
    free(out);
    return good;
}

void trace_out_discard(struct trace_out *out)
{
    if (!out)
        return;
    struct report_file *file = out->file;
    finish(out);
    report_file_discard(file);
    free(out);
}
