/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>

#include "reduce/reduce.h"

/* Records taken by the model, and what became of them. */

struct reduce_model reduce_look(struct twin *twin, uint64_t cpu)
{
    struct reduce_model model = {.state = fh_state_rdata(twin_state(twin)),
                                 .realisation = fh_state_realisation(twin_state(twin)),
                                 .machine = fh_state_machine(twin_state(twin)),
                                 .departures = fh_state_departures(twin_state(twin))};
    twin_running(twin, cpu, &model.vmid, &model.vcpuid);
    return model;
}

/* --- What is not explained, in words --------------------------------------------------------- */

static void print_side(const char *name, const struct trace_effect *effect, FILE *out)
{
    if (!effect)
        return;
    fprintf(out, " %s ", name);
    trace_print_effect(effect, out);
}

static void print_difference(const struct difference *difference, FILE *out)
{
    fputs(difference->path ? difference->path : "effect", out);
    if (!difference->field)
        fprintf(out, " 0x%" PRIx64 " 0x%" PRIx64, difference->model_value,
                difference->machine_value);
    print_side("model", difference->model, out);
    print_side("machine", difference->machine, out);
    fputc('\n', out);
}

struct taken {
    const struct reduce_goal *goal;
    struct twin *twin;
    struct reduce_outcome outcome;
    FILE *words; /* NULL: nothing is unexplained yet */
    size_t length;
};

static void note_unexplained(struct taken *taken, const struct differences *found)
{
    if (!taken->words)
        taken->words = open_memstream(&taken->outcome.unexplained, &taken->length);
    if (!taken->words)
        no_memory();
    taken->outcome.is_explained = false;
    for (size_t i = 0; i < differences_listed(found); i++)
        print_difference(&found->list[i], taken->words);
}

static bool shows(const struct taken *taken, const struct trace_line *line,
                  const struct trap_verdict *verdict)
{
    const struct reduce_goal *goal = taken->goal;
    if (goal->shows)
        return goal->shows(goal->context, taken->twin, line, verdict);
    if (goal->entry)
        return credits_has(&verdict->credits, goal->index);
    return verdict->outcome == OUTCOME_DIVERGED &&
           differences_listed(&verdict->found) >= goal->difference;
}

static void told(void *context, const struct trace_line *line, struct trap_verdict *verdict)
{
    struct taken *taken = context;
    const struct reduce_goal *goal = taken->goal;
    const bool is_there = !goal->has_seq || goal->seq == line->seq;
    if (verdict->outcome == OUTCOME_DIVERGED)
        note_unexplained(taken, &verdict->found);
    if (is_there && shows(taken, line, verdict))
        taken->outcome.shows = true;
}

struct reduce_outcome reduce_take(const struct reduce_goal *goal, struct twin *twin,
                                  const struct reduce_records *records, size_t head)
{
    struct taken taken = {.goal = goal, .twin = twin, .outcome = {.is_explained = true}};
    const size_t count = reduce_records_together(records, head);
    const struct trace_line **lines = malloc(count * sizeof *lines);
    if (!lines)
        no_memory();
    for (size_t i = 0; i < count; i++)
        lines[i] = &records->list[head + i]->line;
    twin_replay(twin, lines, count, told, &taken);
    free(lines);
    if (taken.words)
        fclose(taken.words);
    return taken.outcome;
}
