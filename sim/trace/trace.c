/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/trace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_long.h"
#include "base/json_out.h"
#include "trace/trace_check.h"
#include "trace/trace_reader.h"

/* --- Records --------------------------------------------------------------------------------- */

/* The next line of JSON. False at the end, or on bad input. */
static bool next_of_json(struct trace *trace)
{
    trace->text = lines_next(trace->lines, &trace->length, json_padding());
    trace->failed = !trace->text && lines_failed(trace->lines);
    return trace->text;
}

/* `member`: where members of long lists are made in turn, or NULL. */
static const struct node *tree_of_json(struct trace *trace, struct arena *member)
{
    const char *error;
    size_t offset;
    const unsigned number = lines_number(trace->lines);
    const struct node *node =
        member ? json_parse_in_turn(trace->reader, trace->arena, member, trace->text, trace->length,
                                    number, &error, &offset)
               : json_parse(trace->reader, trace->arena, trace->text, trace->length, number, &error,
                            &offset);
    if (!node) {
        const struct node where = {.column = (unsigned)offset + 1};
        trace_refuse(trace, &where, "%s", error);
    }
    return node;
}

static void *want_memory(void *memory)
{
    if (memory)
        return memory;
    no_memory();
}

/* The next record of a CBOR sequence. False at the end, or on bad input. */
static bool next_of_cbor(struct trace *trace)
{
    if (cbor_next(trace->cbor))
        return true;
    const char *error = cbor_error(trace->cbor);
    if (error)
        trace_refuse(trace, NULL, "%s", error);
    return false;
}

static const struct node *tree_of_cbor(struct trace *trace, struct arena *member)
{
    const struct node *node = cbor_tree(trace->cbor, trace->arena, member);
    if (!node)
        trace_refuse(trace, NULL, "%s", cbor_error(trace->cbor));
    return node;
}

/* Go to the next record. False at the end, or on bad input. */
static bool next_record(struct trace *trace)
{
    arena_reset(trace->arena);
    trace->records++;
    return trace->cbor ? next_of_cbor(trace) : next_of_json(trace);
}

static const struct node *tree_of_record(struct trace *trace, struct arena *member)
{
    return trace->cbor ? tree_of_cbor(trace, member) : tree_of_json(trace, member);
}

/* The events of a CPU come one behind the other, and so do its records. */
static bool check_order(struct trace *trace)
{
    const struct trace_line *line = &trace->line;
    const unsigned needed = TRACE_HAS_CPU | TRACE_HAS_EVENTS;
    if ((line->has & needed) != needed)
        return true;
    size_t i = 0;
    while (i < trace->ncpus && trace->cpus[i].cpu != line->cpu)
        i++;
    if (i == trace->ncpus) {
        trace->cpus = want_memory(realloc(trace->cpus, ++trace->ncpus * sizeof *trace->cpus));
        trace->cpus[i] = (struct trace_cpu){line->cpu, 0};
    }
    const uint64_t before = trace->cpus[i].last;
    const uint64_t last = line->unfinished ? line->g0 : line->g1;
    trace->cpus[i].last = last;
    return last > before || (before == 0 && last == 0) ||
           trace_refuse(trace, NULL,
                        "a record that ends with event %" PRIu64 " behind one of the same CPU that "
                        "ends with event %" PRIu64 ": records are out of order",
                        last, before);
}

/* The order of a record that may say anything. */
static bool check_tree_order(struct trace *trace, const struct node *node)
{
    const struct node *cpu = node_get(node, "cpu");
    const struct node *last = node_get(node, "g1");
    memset(&trace->line, 0, sizeof trace->line);
    if (!cpu || !last || cpu->kind != NODE_NUMBER || last->kind != NODE_NUMBER)
        return true;
    trace->line.has = TRACE_HAS_CPU | TRACE_HAS_EVENTS;
    trace->line.cpu = cpu->number;
    trace->line.g1 = last->number;
    return check_order(trace);
}

const struct node *trace_next_tree(struct trace *trace)
{
    if (trace->failed || !next_record(trace))
        return NULL;
    const struct node *node = tree_of_record(trace, trace->member);
    return node && trace_check_version(trace, node) && check_tree_order(trace, node) ? node : NULL;
}

/* Read trace->line straight; false if only the record's tree can tell what it says. */
static bool read_straight(struct trace *trace)
{
    if (trace_is_foreign(trace))
        return false;
    return trace->cbor ? cbor_line(trace->cbor, &trace->line)
                       : trace_json_line(trace->json, trace->text, trace->length, &trace->line);
}

/* Can the record be, beside those before it? Of VMs and vCPUs its reader knows no number. */
static bool check_record(struct trace *trace)
{
    struct trace_fault fault;
    if (trace_is_foreign(trace))
        return check_order(trace);
    if (!trace->check) {
        const struct trace_limits limits = {
            .cpus = TRACE_CPUS_MAX, .vms = UINT64_MAX, .vcpus = UINT64_MAX};
        trace->check = trace_check_new(&limits);
    }
    return trace_check_next(trace->check, &trace->line, &fault) ||
           trace_refuse(trace, NULL, "%s", fault.text);
}

void trace_limit(struct trace *trace, const struct trace_limits *limits)
{
    if (trace->check)
        trace_check_limit(trace->check, limits);
}

static bool read_record(struct trace *trace)
{
    if (!next_record(trace))
        return false;
    if (read_straight(trace)) {
        trace->line.number = trace->records;
        return check_record(trace);
    }
    const struct node *node = tree_of_record(trace, NULL);
    if (!node)
        return false;
    if (trace_is_origin(node))
        return trace_read_origin(trace, node) && read_record(trace);
    memset(&trace->line, 0, sizeof trace->line);
    trace->line.number = trace->records;
    return trace_read_tree(trace, node) && check_record(trace);
}

const struct trace_line *trace_next(struct trace *trace)
{
    return !trace->failed && read_record(trace) ? &trace->line : NULL;
}

const char *trace_text(struct trace *trace, size_t *length)
{
    *length = trace->length;
    if (!trace->cbor)
        return trace->text;
    free(trace->printed);
    trace->printed = NULL;
    const struct node *node = cbor_tree(trace->cbor, trace->arena, trace->member);
    FILE *memory = want_memory(open_memstream(&trace->printed, length));
    struct json_out json;
    json_out_begin_line(&json, memory);
    if (node)
        json_tree(&json, NULL, node);
    fclose(memory);
    return want_memory(trace->printed);
}

const struct trace_origin *trace_origin(const struct trace *trace)
{
    return trace_is_foreign(trace) ? &trace->origin : NULL;
}

/* --- Files ----------------------------------------------------------------------------------- */

struct trace *trace_open(const char *path)
{
    struct bytes *bytes = bytes_open(path, false);
    if (!bytes)
        return NULL;
    struct trace *trace = want_memory(calloc(1, sizeof *trace));
    trace->name = bytes_name(bytes);
    if (cbor_begins(bytes))
        trace->cbor = cbor_reader_new(bytes);
    else
        trace->lines = want_memory(lines_of(bytes));
    trace->json = want_memory(trace_json_new());
    trace->reader = want_memory(json_reader_new());
    json_keep_fractions(trace->reader);
    trace->arena = arena_new();
    trace->member = arena_new();
    return trace;
}

void trace_close(struct trace *trace)
{
    if (!trace)
        return;
    lines_close(trace->lines);
    cbor_reader_free(trace->cbor);
    trace_json_free(trace->json);
    json_reader_free(trace->reader);
    arena_free(trace->arena);
    arena_free(trace->member);
    arena_free(trace->origin_texts);
    free(trace->cpus);
    trace_check_free(trace->check);
    free(trace->printed);
    free(trace);
}

bool trace_failed(const struct trace *trace)
{
    return trace->failed;
}

double trace_progress(const struct trace *trace)
{
    return trace->cbor ? cbor_progress(trace->cbor) : lines_progress(trace->lines);
}
