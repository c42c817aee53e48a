/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/perfetto_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "replay/report_words.h"
#include "trace/trace_places.h"

/* The time of an event, inside the slice whatever the record says. */
static uint64_t time_in(const struct perfetto_slice *slice, uint64_t g)
{
    const uint64_t time = slice->origin + g;
    if (g < slice->trap->line->g0 || time < slice->begin)
        return slice->begin;
    return time < slice->end ? time : slice->end;
}

/* --- Locks and functions ---------------------------------------------------------------------- */

enum { DEPTH_MAX = 64 };

struct inner {
    const struct trace_effect *effect; /* that it begins with */
    uint64_t begin;
    bool is_continued;
};

struct inside {
    const struct perfetto_slice *slice;
    struct inner open[DEPTH_MAX]; /* the innermost last */
    size_t depth;
    uint64_t now;
    bool *has_end; /* of each effect that is a call */
};

static void print_inner(const struct inside *inside, const struct inner *inner, uint64_t end)
{
    const struct trace_effect *effect = inner->effect;
    const bool is_lock = effect->kind == TRACE_lock;
    struct json_out *json = inside->slice->json;
    char account[256];
    if (inner->is_continued && inner->begin == end)
        return;
    json_open_object(json, NULL);
    json_text(json, "ph", "X");
    json_number(json, "pid", inside->slice->pid);
    json_number(json, "tid", inside->slice->tid);
    json_number(json, "ts", inner->begin);
    json_number(json, "dur", end - inner->begin);
    if (is_lock && effect->lock.vmid)
        json_format(json, "name", "lock %s %" PRIu64, effect->lock.lock, effect->lock.vmid);
    else
        json_format(json, "name", "%s%s", is_lock ? "lock " : "",
                    is_lock ? effect->lock.lock : effect->fn.fn);
    json_text(json, "cat", is_lock ? "lock" : "function");
    json_open_object(json, "args");
    json_number(json, "g", effect->g);
    if (!is_lock && effect_account(inside->slice->trap, effect, account, sizeof account))
        json_text(json, "call", account);
    if (inner->is_continued)
        json_bool(json, "continued", true);
    json_close_object(json);
    json_close_object(json);
}

/* Does this effect end what that one began? */
static bool ends(const struct trace_effect *end, const struct trace_effect *begin)
{
    if (end->kind == TRACE_unlock)
        return begin->kind == TRACE_lock && begin->lock.vmid == end->unlock.vmid &&
               strcmp(begin->lock.lock, end->unlock.lock) == 0;
    return end->kind == TRACE_fn_ret && begin->kind == TRACE_fn &&
           strcmp(begin->fn.fn, end->fn_ret.fn) == 0;
}

/* So many names of functions have records; of further ones no end is found. */
enum { NAMES_MAX = 128 };

static size_t *returns_of(const char *name, const char **names, size_t *returns, size_t *count)
{
    size_t at = 0;
    while (at < *count && strcmp(names[at], name) != 0)
        at++;
    if (at == NAMES_MAX)
        return NULL;
    if (at == *count) {
        names[at] = name;
        returns[(*count)++] = 0;
    }
    return &returns[at];
}

/* Which calls have a return of their own, from the last to the first. To be freed. */
static bool *find_ends(const struct trace_line *line)
{
    const char *names[NAMES_MAX];
    size_t returns[NAMES_MAX], count = 0;
    bool *has_end = calloc(line->nfx + 1, sizeof *has_end);
    if (!has_end)
        no_memory();
    for (size_t i = line->nfx; i-- > 0;) {
        const struct trace_effect *effect = &line->fx[i];
        const bool is_return = effect->kind == TRACE_fn_ret;
        if (!is_return && effect->kind != TRACE_fn)
            continue;
        size_t *left =
            returns_of(is_return ? effect->fn_ret.fn : effect->fn.fn, names, returns, &count);
        has_end[i] = !is_return && left && *left > 0;
        if (left)
            *left += is_return;
        if (has_end[i])
            --*left;
    }
    return has_end;
}

static void begin_inner(struct inside *inside, size_t i)
{
    const struct trace_effect *effect = &inside->slice->trap->line->fx[i];
    const struct inner inner = {effect, inside->now, false};
    if (effect->kind == TRACE_fn && !inside->has_end[i]) /* a lock is kept to the end */
        print_inner(inside, &inner, inside->now);
    else if (inside->depth < DEPTH_MAX)
        inside->open[inside->depth++] = inner;
}

/* Those inside of it are cut where it ends, and go on. */
static void end_inner(struct inside *inside, const struct trace_effect *effect)
{
    size_t at = inside->depth;
    while (at > 0 && !ends(effect, inside->open[at - 1].effect))
        at--;
    if (at == 0)
        return;
    for (size_t i = inside->depth; i-- > at;) {
        print_inner(inside, &inside->open[i], inside->now);
        inside->open[i].begin = inside->now;
        inside->open[i].is_continued = true;
    }
    print_inner(inside, &inside->open[at - 1], inside->now);
    memmove(&inside->open[at - 1], &inside->open[at],
            (inside->depth - at) * sizeof inside->open[0]);
    inside->depth--;
}

void perfetto_inside(const struct perfetto_slice *slice)
{
    const struct trace_line *line = slice->trap->line;
    struct inside inside = {.slice = slice, .now = slice->begin, .has_end = find_ends(line)};
    for (size_t i = 0; i < line->nfx; i++) {
        const struct trace_effect *effect = &line->fx[i];
        const uint64_t time = time_in(slice, effect->g);
        inside.now = time > inside.now ? time : inside.now;
        if (effect->kind == TRACE_lock || effect->kind == TRACE_fn)
            begin_inner(&inside, i);
        else if (effect->kind == TRACE_unlock || effect->kind == TRACE_fn_ret)
            end_inner(&inside, effect);
    }
    while (inside.depth > 0)
        print_inner(&inside, &inside.open[--inside.depth], slice->end);
    free(inside.has_end);
}

/* --- Arrows ------------------------------------------------------------------------------------
 */

enum { WRITERS_MAX = 64 }; /* of one trap */

/* Who wrote a place last. */
struct written {
    bool is_used;
    uint64_t place, time, seq;
    unsigned pid, tid;
    const char *what;
};

struct perfetto_flows {
    struct written *list; /* by place */
    size_t count, size;
    uint64_t number; /* of the arrows so far */
    const struct perfetto_slice *slice;
    uint64_t writers[WRITERS_MAX]; /* from which there is an arrow to this trap */
    size_t nwriters;
};

struct perfetto_flows *perfetto_flows_new(void)
{
    struct perfetto_flows *flows = calloc(1, sizeof *flows);
    if (!flows)
        no_memory();
    return flows;
}

void perfetto_flows_forget(struct perfetto_flows *flows)
{
    free(flows->list);
    flows->list = NULL;
    flows->count = flows->size = 0;
}

void perfetto_flows_free(struct perfetto_flows *flows)
{
    free(flows->list);
    free(flows);
}

/* Where the place stands in the list, or would. */
static struct written *slot_of(const struct perfetto_flows *flows, uint64_t place)
{
    size_t at = place & (flows->size - 1);
    while (flows->list[at].is_used && flows->list[at].place != place)
        at = (at + 1) & (flows->size - 1);
    return &flows->list[at];
}

static void make_room(struct perfetto_flows *flows)
{
    struct written *old = flows->list;
    const size_t size = flows->size;
    if (2 * flows->count < size)
        return;
    flows->size = size ? 2 * size : 1024;
    flows->list = calloc(flows->size, sizeof *old);
    if (!flows->list)
        no_memory();
    for (size_t i = 0; i < size; i++) {
        if (old[i].is_used)
            *slot_of(flows, old[i].place) = old[i];
    }
    free(old);
}

/* Inputs are read as a trap begins, and what a vCPU leaves is written just before it ends. */
static uint64_t time_of(const struct perfetto_slice *slice, size_t effect, bool is_write)
{
    const struct trace_line *line = slice->trap->line;
    if (effect < line->nfx)
        return time_in(slice, line->fx[effect].g);
    return is_write && slice->end > slice->begin ? slice->end - 1 : slice->begin;
}

static void print_end(struct perfetto_flows *flows, const struct written *writer, const char *phase,
                      const struct written *at)
{
    struct json_out *json = flows->slice->json;
    json_open_object(json, NULL);
    json_text(json, "ph", phase);
    if (strcmp(phase, "f") == 0)
        json_text(json, "bp", "e");
    json_number(json, "id", flows->number);
    json_number(json, "pid", at->pid);
    json_number(json, "tid", at->tid);
    json_number(json, "ts", at->time);
    json_text(json, "name", writer->what);
    json_text(json, "cat", "flow");
    json_close_object(json);
}

static bool is_known_writer(struct perfetto_flows *flows, uint64_t seq)
{
    for (size_t i = 0; i < flows->nwriters; i++) {
        if (flows->writers[i] == seq)
            return true;
    }
    if (flows->nwriters == WRITERS_MAX)
        return true;
    flows->writers[flows->nwriters++] = seq;
    return false;
}

static void on_read(void *context, uint64_t place, size_t effect)
{
    struct perfetto_flows *flows = context;
    const struct perfetto_slice *slice = flows->slice;
    const struct written *writer = flows->size ? slot_of(flows, place) : NULL;
    const struct written here = {
        .time = time_of(slice, effect, false), .pid = slice->pid, .tid = slice->tid};
    if (!writer || !writer->is_used || writer->seq == slice->trap->line->seq ||
        writer->time > here.time || is_known_writer(flows, writer->seq))
        return;
    flows->number++;
    print_end(flows, writer, "s", writer);
    print_end(flows, writer, "f", &here);
}

static void on_write(void *context, uint64_t place, size_t effect)
{
    struct perfetto_flows *flows = context;
    const struct perfetto_slice *slice = flows->slice;
    const struct trace_line *line = slice->trap->line;
    make_room(flows);
    struct written *at = slot_of(flows, place);
    flows->count += !at->is_used;
    *at = (struct written){
        .is_used = true,
        .place = place,
        .time = time_of(slice, effect, true),
        .seq = line->seq,
        .pid = slice->pid,
        .tid = slice->tid,
        .what = effect < line->nfx ? trace_effect_name(line->fx[effect].kind) : "vCPU",
    };
}

void perfetto_flows_trap(struct perfetto_flows *flows, const struct perfetto_slice *slice)
{
    const struct trace_place_visit visit = {
        .line = slice->trap->line, .writes = on_write, .reads = on_read, .context = flows};
    flows->slice = slice;
    flows->nwriters = 0;
    trace_visit_places(&visit);
}
