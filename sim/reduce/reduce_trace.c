/* SPDX-License-Identifier: GPL-2.0-only */
#include "reduce/reduce.h"

#include <stdlib.h>
#include <string.h>

#include "trace/trace_write.h"
#include "twin/order.h"

/* Reading a trace to reduce it, and writing what is left. */

size_t reduce_keep(struct reduce_records *records, const struct order *order,
                   const struct trace_line *const *lines, size_t count)
{
    const size_t head = records->count;
    for (size_t i = 0; i < count; i++) {
        size_t length;
        const char *text = order_text(order, i, &length);
        reduce_records_add(records, lines[i], text, length)->head = head;
    }
    return head;
}

bool reduce_boot(const struct reduction *reduction, struct reduce_records *records,
                 struct trace *trace, const char *path)
{
    const struct trace_line *line = trace_next(trace);
    size_t length;
    if (!twin_begin(reduction->twin, trace, line, path))
        return false;
    const char *text = trace_text(trace, &length);
    reduce_records_add(records, line, text, length);
    twin_image_save(reduction->boot, reduction->twin);
    return true;
}

static int by_end(const void *a, const void *b)
{
    const struct reduce_record *const *first = a, *const *second = b;
    const uint64_t one = order_end_of(&(*first)->line), other = order_end_of(&(*second)->line);
    return one < other ? -1 : one > other;
}

/* A record and those that it overlapped with, as they ended. */
static void write_record(const struct reduce_records *records, size_t head, FILE *out)
{
    const size_t count = reduce_records_together(records, head);
    struct reduce_record **list = malloc(count * sizeof(struct reduce_record *));
    if (!list)
        no_memory();
    memcpy(list, &records->list[head], count * sizeof(struct reduce_record *));
    qsort(list, count, sizeof(struct reduce_record *), by_end);
    for (size_t i = 0; i < count; i++) {
        fwrite(list[i]->text, 1, list[i]->length, out);
        fputc('\n', out);
    }
    free(list);
}

/* What is folded and comes before record `end`. */
static void write_folded(const struct reduction *reduction, size_t *at, size_t end,
                         struct trace_effect *fx, FILE *out)
{
    struct trace_line line;
    if (reduce_folded(reduction, at, end, fx, &line))
        trace_write(&line, out);
}

void reduce_write(const struct reduction *reduction, FILE *out)
{
    const struct reduce_records *records = reduction->records;
    const size_t last = records->list[records->count - 1]->head;
    size_t at = 0;
    struct trace_effect *fx = malloc((reduction->nfolded + 1) * sizeof *fx);
    if (!fx)
        no_memory();
    write_record(records, 0, out);
    for (size_t i = 0; i < reduction->nkept; i++) {
        write_folded(reduction, &at, reduction->kept[i], fx, out);
        write_record(records, reduction->kept[i], out);
    }
    write_folded(reduction, &at, last, fx, out);
    if (last > 0)
        write_record(records, last, out);
    free(fx);
}
