/* SPDX-License-Identifier: GPL-2.0-only */
#include "twin/order.h"

#include <stdlib.h>
#include <string.h>

#include "trace/trace_keep.h"

/*
 * A record stands where its stay ended. What else began before that end may still be missing: of
 * each CPU the next record begins behind the last one that was read, and a number that is missing
 * among those read is of a stay that has not ended. Records wait until neither can overlap them.
 */

enum { WAITING_MAX = 4096, CPUS_MAX = 64, IDLE_RECORDS = 16 };

struct order {
    struct trace *trace;
    struct waiting {
        struct trace_line *line;
        char *text; /* NULL: not wanted */
        size_t length;
    } * waiting; /* by g0 */
    size_t nwaiting;
    bool keeps_texts;
    const struct trace_line **batch; /* what was given out last */
    struct waiting *batch_texts;
    size_t nbatch;
    bool is_kept; /* the records of the batch are to be freed */
    bool is_at_end;
    struct {
        uint64_t cpu, end;
    } cpus[CPUS_MAX]; /* the last event of each */
    size_t ncpus;
    uint64_t first_seq, last_seq, nread; /* of records with a number */
    uint64_t ends[IDLE_RECORDS];         /* the beginnings of the latest, sorted by no means */
    size_t nends;
    const struct machine_description *machine; /* whose recorder wrote them; NULL: a plain one */
    const struct fh_profile *profile;
    struct trace_line plain; /* the record last read, in plain words */
    struct trace_effect *effects;
    size_t effects_room;
};

void order_speaks(struct order *order, const struct machine_description *machine,
                  const struct fh_profile *profile)
{
    order->machine = machine_is_plain(machine) ? NULL : machine;
    order->profile = profile;
}

static void release(struct waiting *waiting)
{
    free(waiting->line);
    free(waiting->text);
}

static void release_batch(struct order *order)
{
    for (size_t i = 0; order->is_kept && i < order->nbatch; i++)
        release(&order->batch_texts[i]);
    order->nbatch = 0;
}

void order_free(struct order *order)
{
    if (!order)
        return;
    release_batch(order);
    for (size_t i = 0; i < order->nwaiting; i++)
        release(&order->waiting[i]);
    free(order->effects);
    free(order->waiting);
    free(order->batch);
    free(order->batch_texts);
    free(order);
}

const char *order_text(const struct order *order, size_t i, size_t *length)
{
    if (!order->is_kept)
        return trace_text(order->trace, length);
    *length = order->batch_texts[i].length;
    return order->batch_texts[i].text;
}

uint64_t order_end_of(const struct trace_line *line)
{
    if (!line->unfinished)
        return line->g1;
    return (line->nfx > 0 ? line->fx[line->nfx - 1].g : line->g0) + 1;
}

/* --- What was read --------------------------------------------------------------------------- */

static void note_cpu(struct order *order, const struct trace_line *line)
{
    size_t i = 0;
    while (i < order->ncpus && order->cpus[i].cpu != line->cpu)
        i++;
    if (i == CPUS_MAX)
        return;
    if (i == order->ncpus)
        order->cpus[order->ncpus++].cpu = line->cpu;
    order->cpus[i].end = order_end_of(line);
}

static void note_number(struct order *order, const struct trace_line *line)
{
    if (line->seq == UINT64_MAX)
        return;
    if (order->nread == 0 || line->seq < order->first_seq)
        order->first_seq = line->seq;
    if (order->nread == 0 || line->seq > order->last_seq)
        order->last_seq = line->seq;
    order->nread++;
    order->ends[order->nends++ % IDLE_RECORDS] = line->g0;
}

struct order *order_new(struct trace *trace, const struct trace_line *boot, bool keeps_texts)
{
    struct order *order = calloc(1, sizeof *order);
    if (!order)
        no_memory();
    order->trace = trace;
    order->keeps_texts = keeps_texts;
    order->waiting = malloc(WAITING_MAX * sizeof *order->waiting);
    order->batch = malloc(WAITING_MAX * sizeof *order->batch);
    order->batch_texts = malloc(WAITING_MAX * sizeof *order->batch_texts);
    if (!order->waiting || !order->batch || !order->batch_texts)
        no_memory();
    if (boot) {
        note_cpu(order, boot);
        note_number(order, boot);
    }
    return order;
}

/* The record in plain words, where its recorder has others. */
static const struct trace_line *in_plain_words(struct order *order, const struct trace_line *line)
{
    if (!line || !order->machine)
        return line;
    if (line->nfx > order->effects_room) {
        order->effects_room = line->nfx;
        order->effects = realloc(order->effects, line->nfx * sizeof *order->effects);
        if (!order->effects)
            no_memory();
    }
    if (line->nfx > 0)
        memcpy(order->effects, line->fx, line->nfx * sizeof *order->effects);
    machine_plain(order->machine, order->profile, order->effects, line->nfx);
    order->plain = *line;
    order->plain.fx = order->effects;
    return &order->plain;
}

static const struct trace_line *read_line(struct order *order)
{
    const struct trace_line *line = in_plain_words(order, trace_next(order->trace));
    order->is_at_end = !line;
    if (line) {
        note_cpu(order, line);
        note_number(order, line);
    }
    return line;
}

/* Is a number missing of those up to the last? */
static bool has_gap(const struct order *order)
{
    return order->nread > 0 && order->last_seq - order->first_seq + 1 > order->nread;
}

static void forgive_gap(struct order *order)
{
    order->first_seq = order->last_seq + 1 - order->nread;
}

/* Did all other CPUs do something behind this event? */
static bool is_behind_others(const struct order *order, uint64_t cpu, uint64_t end)
{
    for (size_t i = 0; i < order->ncpus; i++) {
        if (order->cpus[i].cpu != cpu && order->cpus[i].end < end)
            return false;
    }
    return true;
}

/* Did many stays begin behind this event, of which none is missing? */
static bool is_long_ago(const struct order *order, uint64_t end)
{
    if (order->nends < IDLE_RECORDS)
        return false;
    for (size_t i = 0; i < IDLE_RECORDS; i++) {
        if (order->ends[i] < end)
            return false;
    }
    return true;
}

/* Can no stay that has not been read have begun before `end`, where `cpu` was at work? */
static bool is_settled(const struct order *order, uint64_t cpu, uint64_t end)
{
    if (order->is_at_end)
        return true;
    return !has_gap(order) && (is_behind_others(order, cpu, end) || is_long_ago(order, end));
}

/* --- Waiting --------------------------------------------------------------------------------- */

static struct waiting keep(const struct order *order, const struct trace_line *line)
{
    struct waiting kept = {.line = trace_keep(line)};
    if (!order->keeps_texts)
        return kept;
    const char *text = trace_text(order->trace, &kept.length);
    kept.text = malloc(kept.length + 1);
    if (!kept.text)
        no_memory();
    memcpy(kept.text, text, kept.length);
    kept.text[kept.length] = '\0';
    return kept;
}

static void wait_for_others(struct order *order, const struct trace_line *line)
{
    size_t at = order->nwaiting++;
    while (at > 0 && order->waiting[at - 1].line->g0 > line->g0) {
        order->waiting[at] = order->waiting[at - 1];
        at--;
    }
    order->waiting[at] = keep(order, line);
}

/* How many of those that wait are the first and what overlaps it; `end`: where the last of them
 * ends, `cpu`: on which CPU. */
static size_t first_cluster(const struct order *order, uint64_t *end, uint64_t *cpu)
{
    size_t count = 0;
    *end = 0;
    while (count < order->nwaiting && (count == 0 || order->waiting[count].line->g0 < *end)) {
        const struct trace_line *line = order->waiting[count++].line;
        if (order_end_of(line) <= *end)
            continue;
        *end = order_end_of(line);
        *cpu = line->cpu;
    }
    return count;
}

static size_t give_cluster(struct order *order, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        order->batch[i] = order->waiting[i].line;
        order->batch_texts[i] = order->waiting[i];
    }
    order->nwaiting -= count;
    memmove(order->waiting, order->waiting + count, order->nwaiting * sizeof *order->waiting);
    order->nbatch = count;
    order->is_kept = true;
    return count;
}

/* A record that nothing can overlap need not wait. */
static bool goes_at_once(struct order *order, const struct trace_line *line)
{
    if (order->nwaiting > 0 || !is_settled(order, line->cpu, order_end_of(line)))
        return false;
    order->batch[0] = line;
    order->nbatch = 1;
    order->is_kept = false;
    return true;
}

size_t order_next(struct order *order, const struct trace_line *const **lines)
{
    release_batch(order);
    *lines = order->batch;
    for (;;) {
        uint64_t end, cpu = 0;
        const size_t count = first_cluster(order, &end, &cpu);
        if (count > 0 && (is_settled(order, cpu, end) || order->nwaiting == WAITING_MAX)) {
            if (order->nwaiting == WAITING_MAX)
                forgive_gap(order);
            return give_cluster(order, count);
        }
        if (order->is_at_end)
            return 0;
        const struct trace_line *line = read_line(order);
        if (line && goes_at_once(order, line))
            return 1;
        if (line)
            wait_for_others(order, line);
    }
}
