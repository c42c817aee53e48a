/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine/choose.h"
#include "machine/machine.h"
#include "trace/trace_keep.h"
#include "twin/order.h"
#include "twin/twin.h"

/*
 * usage: replay_changed TRACE CHANGED
 *
 * Replays a trace, and each record of CHANGED in the place of that with its number: from the same
 * state, behind which the trace goes on as if nothing had been. Prints for each changed record its
 * number and what became of it; first, if CHANGED could not be read to its end, how many could.
 */

struct changed {
    struct trace_line **lines; /* by their numbers */
    size_t count, room;
    uint64_t seq; /* of the one that is tried */
};

static void no_room(const void *memory)
{
    if (memory)
        return;
    fputs("no memory\n", stderr);
    exit(2);
}

static int by_seq(const void *a, const void *b)
{
    const struct trace_line *const *first = a, *const *second = b;
    return (*first)->seq < (*second)->seq ? -1 : (*first)->seq > (*second)->seq;
}

/* All that can be read; behind one that is refused the caller goes on with another file. */
static struct changed read_changed(const char *path)
{
    struct changed changed = {0};
    const struct trace_line *line;
    struct trace *trace = trace_open(path);
    while (trace && (line = trace_next(trace))) {
        if (changed.count == changed.room) {
            changed.room = 2 * changed.room + 64;
            changed.lines = realloc(changed.lines, changed.room * sizeof *changed.lines);
            no_room(changed.lines);
        }
        changed.lines[changed.count++] = trace_keep(line);
    }
    if (trace && trace_failed(trace))
        printf("refused %zu\n", changed.count);
    trace_close(trace);
    if (changed.count > 0)
        qsort(changed.lines, changed.count, sizeof *changed.lines, by_seq);
    return changed;
}

static const struct trace_line *find_changed(const struct changed *changed, uint64_t seq)
{
    const struct trace_line key = {.seq = seq}, *wanted = &key;
    if (changed->count == 0)
        return NULL;
    struct trace_line **found =
        bsearch(&wanted, changed->lines, changed->count, sizeof *changed->lines, by_seq);
    return found ? *found : NULL;
}

static void print_outcome(void *context, const struct trace_line *line,
                          struct trap_verdict *verdict)
{
    static const char *const names[] = {
#define OUTCOME_NAME(outcome, name) [OUTCOME_##outcome] = name,
        OUTCOME_MAP(OUTCOME_NAME)
#undef OUTCOME_NAME
    };
    if (line->seq == ((const struct changed *)context)->seq)
        printf("%" PRIu64 " %s\n", line->seq, names[verdict->outcome]);
}

static void pass_over(void *context, const struct trace_line *line, struct trap_verdict *verdict)
{
    (void)context, (void)line, (void)verdict;
}

static void try_changed(struct twin *twin, struct twin_image *image, struct changed *changed,
                        const struct trace_line *const *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct trace_line *other = find_changed(changed, lines[i]->seq);
        if (!other)
            continue;
        const struct trace_line **mixed = malloc(count * sizeof *mixed);
        no_room(mixed);
        for (size_t j = 0; j < count; j++)
            mixed[j] = j == i ? other : lines[j];
        changed->seq = other->seq;
        twin_image_save(image, twin);
        twin_replay(twin, mixed, count, print_outcome, changed);
        twin_image_load(image, twin);
        free(mixed);
    }
}

int main(int argc, char **argv)
{
    struct trace *trace = argc == 3 ? trace_open(argv[1]) : NULL;
    const struct machine_description *machine = machine_find("sekvm-4.18");
    if (!trace || !machine)
        return 2;
    struct changed changed = read_changed(argv[2]);
    struct twin *twin = twin_new(machine);
    struct twin_image *image = twin_image_new();
    const struct trace_line *boot = trace_next(trace);
    const struct trace_line *const *lines;
    size_t count;
    twin_set_credit(twin, CREDIT_NONE);
    const bool good = twin_begin(twin, trace, boot, argv[1]);
    struct order *order = order_new(trace, boot, false);
    order_speaks(order, machine, twin_profile(twin));
    while (good && (count = order_next(order, &lines)) > 0) {
        try_changed(twin, image, &changed, lines, count);
        twin_replay(twin, lines, count, pass_over, NULL);
    }
    const bool failed = !good || trace_failed(trace);
    twin_image_free(image, twin);
    order_free(order);
    twin_free(twin);
    trace_close(trace);
    for (size_t i = 0; i < changed.count; i++)
        free(changed.lines[i]);
    free(changed.lines);
    return failed ? 2 : 0;
}
