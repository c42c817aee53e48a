/* SPDX-License-Identifier: GPL-2.0-only */
#include "show/touches.h"

#include <stdlib.h>
#include <string.h>

#include "base/diag.h"

/* --- Places ----------------------------------------------------------------------------------- */

static uint64_t add_number(uint64_t sum, uint64_t number)
{
    sum = (sum ^ number) * 0x9e3779b97f4a7c15u;
    return sum ^ sum >> 29;
}

static uint64_t add_text(uint64_t sum, const char *text)
{
    while (text && *text)
        sum = add_number(sum, (unsigned char)*text++);
    return sum;
}

/* The place that the effect writes, as a number that no other place is likely to have. */
static bool place_of(const struct trace_effect *effect, uint64_t *place)
{
    const uint64_t kind = add_number(1, effect->kind);
    switch (effect->kind) {
    case TRACE_pt_store: *place = add_number(kind, effect->pt_store.pa); return true;
    case TRACE_smmu_pt_store: *place = add_number(kind, effect->smmu_pt_store.pa); return true;
    case TRACE_s2_set:
        *place = add_text(add_number(kind, effect->s2_set.index), effect->s2_set.field);
        return true;
    case TRACE_vm_set:
        *place = add_text(add_number(kind, effect->vm_set.vmid), effect->vm_set.field);
        *place = add_number(*place, effect->vm_set.sub);
        return true;
    case TRACE_shadow_set:
        *place = add_number(add_number(kind, effect->shadow_set.vmid), effect->shadow_set.vcpu);
        *place = add_number(*place, effect->shadow_set.idx);
        return true;
    case TRACE_smmu_cfg_set:
        *place = add_text(add_number(kind, effect->smmu_cfg_set.cbndx), effect->smmu_cfg_set.field);
        *place = add_number(*place, effect->smmu_cfg_set.num);
        return true;
    case TRACE_global_set: *place = add_text(kind, effect->global_set.field); return true;
    default: return false;
    }
}

static int compare_touches(const void *a, const void *b)
{
    const uint64_t one = ((const struct touch *)a)->place, other = ((const struct touch *)b)->place;
    return one < other ? -1 : one > other;
}

static struct touch *find(const struct touches *touches, const struct trace_effect *effect)
{
    struct touch wanted = {.place = 0};
    if (touches->count == 0 || !place_of(effect, &wanted.place))
        return NULL;
    return bsearch(&wanted, touches->list, touches->count, sizeof wanted, compare_touches);
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* Call `visit` for the records of a trace until it has enough. False if reading failed. */
static bool for_records(const char *path,
                        bool (*visit)(struct touches *touches, const struct trace_line *line,
                                      uint64_t seq),
                        struct touches *touches, uint64_t seq)
{
    const struct trace_line *line;
    struct trace *trace = trace_open(path);
    if (!trace)
        return false;
    while ((line = trace_next(trace)) != NULL && visit(touches, line, seq))
        continue;
    const bool good = !trace_failed(trace);
    trace_close(trace);
    return good;
}

static bool add_places(struct touches *touches, const struct trace_line *line, uint64_t seq)
{
    if (line->seq != seq)
        return true;
    for (size_t i = 0; i < line->nfx; i++) {
        struct touch touch = {.place = 0};
        if (!place_of(&line->fx[i], &touch.place))
            continue;
        if (touches->count == touches->size) {
            touches->size = touches->size ? 2 * touches->size : 16;
            touches->list = realloc(touches->list, touches->size * sizeof touch);
            if (!touches->list)
                no_memory();
        }
        touches->list[touches->count++] = touch;
    }
    return false;
}

static bool note_record(struct touches *touches, const struct trace_line *line, uint64_t seq)
{
    for (size_t i = 0; line->seq != seq && i < line->nfx; i++) {
        struct touch *touch = find(touches, &line->fx[i]);
        if (!touch)
            continue;
        if (line->seq < seq) {
            touch->has_before = true;
            touch->before = line->seq;
        } else if (!touch->has_behind) {
            touch->has_behind = true;
            touch->behind = line->seq;
        }
    }
    return true;
}

/* A place that is written twice is one. */
static void unite(struct touches *touches)
{
    size_t count = 0;
    if (touches->count > 0)
        qsort(touches->list, touches->count, sizeof *touches->list, compare_touches);
    for (size_t i = 0; i < touches->count; i++) {
        if (count == 0 || touches->list[i].place != touches->list[count - 1].place)
            touches->list[count++] = touches->list[i];
    }
    touches->count = count;
}

bool touches_read(struct touches *touches, const char *path, uint64_t seq)
{
    *touches = (struct touches){.count = 0};
    if (!for_records(path, add_places, touches, seq))
        return false;
    unite(touches);
    return for_records(path, note_record, touches, seq);
}

void touches_free(struct touches *touches)
{
    free(touches->list);
}

const struct touch *touches_of(const struct touches *touches, const struct trace_effect *effect)
{
    return find(touches, effect);
}
