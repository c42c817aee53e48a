/* SPDX-License-Identifier: GPL-2.0-only */
#include "why/places.h"

#include <stdlib.h>

#include "trace/trace_places.h"

/* --- Who wrote them --------------------------------------------------------------------------- */

struct written {
    uint64_t place;
    size_t record, effect;
};

struct writes {
    const struct reduce_records *records;
    struct written *list;
    size_t count;
    /* The fields of VMs, and those of banks and first words of tables of SMMUs, ever written. */
    struct trace_part_place *parts;
    size_t nparts;
    size_t record; /* the one that is looked at */
};

static void *more(void *list, size_t count, size_t each)
{
    /* Grown when the count is a power of two. */
    if (count > 0 && (count & (count - 1)) != 0)
        return list;
    void *grown = realloc(list, (count ? 2 * count : 1) * each);
    if (!grown)
        no_memory();
    return grown;
}

static void add_write(void *context, uint64_t what, size_t effect)
{
    struct writes *writes = context;
    writes->list = more(writes->list, writes->count, sizeof *writes->list);
    writes->list[writes->count++] = (struct written){what, writes->record, effect};
}

static void add_parts(struct writes *writes, const struct trace_line *line)
{
    struct trace_part_place part;
    for (size_t i = 0; i < line->nfx; i++) {
        if (!trace_part_of(&line->fx[i], &part))
            continue;
        size_t at = 0;
        while (at < writes->nparts && writes->parts[at].place != part.place)
            at++;
        if (at < writes->nparts)
            continue;
        writes->parts = more(writes->parts, writes->nparts, sizeof part);
        writes->parts[writes->nparts++] = part;
    }
}

static int by_place(const void *a, const void *b)
{
    const struct written *one = a, *other = b;
    if (one->place != other->place)
        return one->place < other->place ? -1 : 1;
    if (one->record != other->record)
        return one->record < other->record ? -1 : 1;
    return one->effect < other->effect ? -1 : one->effect > other->effect;
}

struct writes *writes_of(const struct reduce_records *records)
{
    struct writes *writes = calloc(1, sizeof *writes);
    if (!writes)
        no_memory();
    writes->records = records;
    for (size_t i = 1; i < records->count; i++) {
        const struct trace_line *line = &records->list[i]->line;
        const struct trace_place_visit visit = {
            .line = line, .writes = add_write, .context = writes};
        writes->record = i;
        trace_visit_places(&visit);
        add_parts(writes, line);
    }
    if (writes->count > 0)
        qsort(writes->list, writes->count, sizeof *writes->list, by_place);
    return writes;
}

void writes_free(struct writes *writes)
{
    if (!writes)
        return;
    free(writes->list);
    free(writes->parts);
    free(writes);
}

/* The last write of the place by a record before `end`; NULL: none. */
static const struct written *last_write(const struct writes *writes, uint64_t what, size_t end)
{
    size_t low = 0, high = writes->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct written *at = &writes->list[middle];
        if (at->place < what || (at->place == what && at->record < end))
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && writes->list[low - 1].place == what ? &writes->list[low - 1] : NULL;
}

/* --- The causes of a record ------------------------------------------------------------------- */

struct asking {
    const struct writes *writes;
    size_t end; /* writes before this record */
    struct cause *causes;
    size_t count;
};

static void add_cause(void *context, uint64_t what, size_t effect)
{
    struct asking *asking = context;
    const struct written *found = last_write(asking->writes, what, asking->end);
    (void)effect;
    if (!found)
        return;
    const size_t head = asking->writes->records->list[found->record]->head;
    for (size_t i = 0; i < asking->count; i++) {
        if (asking->writes->records->list[asking->causes[i].record]->head == head)
            return;
    }
    asking->causes = more(asking->causes, asking->count, sizeof *asking->causes);
    asking->causes[asking->count++] = (struct cause){found->record, found->effect};
}

static void add_owner(void *context, uint64_t owner, size_t effect)
{
    const struct asking *asking = context;
    for (size_t i = 0; i < asking->writes->nparts; i++) {
        if (asking->writes->parts[i].owner == owner)
            add_cause(context, asking->writes->parts[i].place, effect);
    }
}

size_t writes_causes(const struct writes *writes, size_t reader, struct cause **causes)
{
    const struct reduce_records *records = writes->records;
    const size_t head = records->list[reader]->head;
    struct asking asking = {.writes = writes, .end = head};
    for (size_t i = head; i < head + reduce_records_together(records, head); i++) {
        const struct trace_place_visit visit = {.line = &records->list[i]->line,
                                                .reads = add_cause,
                                                .reads_of = add_owner,
                                                .context = &asking};
        trace_visit_places(&visit);
    }
    *causes = asking.causes;
    return asking.count;
}
