/* SPDX-License-Identifier: GPL-2.0-only */
#include "predict/others.h"

#include <stdlib.h>

#include "base/diag.h"

/*
 * Other CPUs act when a lock is taken, as the spec has it: what they did to the object that the
 * lock protects is an event in its log, which carries the object. Here they did what traps did that
 * overlapped, up to the moment at which the lock was taken.
 */

/* What they did to one object, in order: effects of inputs->others that are not in the state yet.
 */
struct queue {
    struct object_id id;
    size_t next, last; /* NO_EFFECT: none */
};
#define NO_EFFECT SIZE_MAX

struct others {
    struct queue *queues;
    size_t nqueues;
    size_t *behind; /* of inputs->others: the next one on the same object */
    struct fh_event *events[3];
    size_t nevents;
    size_t locks; /* taken so far */
    size_t turn;  /* the answer that says when the next one is */
    size_t asked; /* 1 + `locks` when the events were made; 0: there are none */
    uint64_t asked_lock;
};

/* The number of the event with which the next lock is taken. */
static uint64_t turn(const struct run *run)
{
    const struct trap_inputs *inputs = run->inputs;
    size_t *at = &run->others->turn;
    while (*at < inputs->nanswers && inputs->answers[*at].oracle != ORACLE_TURN)
        ++*at;
    return *at < inputs->nanswers ? inputs->answers[*at].value : UINT64_MAX;
}

static void end_turn(const struct run *run)
{
    run->others->locks++;
    run->others->turn++;
}

static struct queue *find_queue(struct others *others, struct object_id id)
{
    for (size_t i = 0; i < others->nqueues; i++) {
        if (objects_are_same(others->queues[i].id, id))
            return &others->queues[i];
    }
    return NULL;
}

static void forget_events(struct model *model)
{
    struct others *others = model->run->others;
    for (size_t i = 0; i < others->nevents; i++)
        fh_event_release(others->events[i], model->parts.allocator);
    others->nevents = 0;
    others->asked = 0;
}

/* Is this one of their effects that comes before the lock is taken? */
static bool is_due(const struct run *run, size_t effect, uint64_t until)
{
    return effect != NO_EFFECT && run->inputs->others[effect].g < until;
}

/* A share of the object as this CPU knows it, which may be written. */
static union object_place take_share(const struct model *model, struct object_id id,
                                     union fh_object *object)
{
    const struct state_parts *parts = &model->parts;
    const struct fh_shared *shared = &fh_state_rdata(model->state)->shared;
    switch (id.kind) {
    case OBJECT_PAGES:
    case OBJECT_BANKS:
        object->map = id.kind == OBJECT_PAGES ? shared->s2page : shared->smmu_vmid;
        fh_map_retain(&object->map);
        return (union object_place){.map = &object->map};
    case OBJECT_TABLE:
        object->npt =
            *(struct fh_npt *const *)fh_map_get(&shared->npts, &parts->npt->as_value, id.vmid);
        fh_value_retain(parts->npt, &object->npt);
        return (union object_place){.npt = parts_own(parts, &object->npt, parts->npt)};
    case OBJECT_VM:
        object->vminfo = *(struct fh_vminfo *const *)fh_map_get(&shared->vminfos,
                                                                &parts->vminfo->as_value, id.vmid);
        fh_value_retain(parts->vminfo, &object->vminfo);
        return (union object_place){.info = parts_own(parts, &object->vminfo, parts->vminfo)};
    case OBJECT_SMMU_TABLES:
        object->spt = shared->spts;
        fh_value_retain(parts->spts, &object->spt);
        return (union object_place){.spts = parts_own(parts, &object->spt, parts->spts)};
    default:
        object->core_data.next_vmid = shared->core_data.next_vmid;
        object->core_data.next_remap_ptr = shared->core_data.next_remap_ptr;
        return (union object_place){.core = (struct fh_core_data *)(void *)&object->core_data};
    }
}

static enum fh_event_kind event_kind(struct object_id id)
{
    switch (id.kind) {
    case OBJECT_PAGES: return FH_EVENT_OS2_PAGE;
    case OBJECT_TABLE: return FH_EVENT_ONPT;
    case OBJECT_VM: return FH_EVENT_OVMINFO;
    case OBJECT_SMMU_TABLES: return FH_EVENT_OSPT;
    case OBJECT_BANKS: return FH_EVENT_OSMMU;
    default: return FH_EVENT_OCORE_DATA;
    }
}

static struct fh_event *add_event(struct model *model, enum fh_event_kind kind, uint64_t argument)
{
    enum { ANOTHER_CPU = 1 };
    struct others *others = model->run->others;
    struct fh_event *event = fh_event_new(model->parts.allocator, kind, ANOTHER_CPU, &argument);
    if (!event)
        no_memory();
    others->events[others->nevents++] = event;
    return event;
}

/* Another CPU takes the lock, changes the object, and gives it back. */
static void make_events(struct model *model, const struct queue *queue, uint64_t until)
{
    const struct run *run = model->run;
    const struct page_range pages = {model->first_pfn, model->pages};
    add_event(model, FH_EVENT_WAIT_LOCK, 2);
    struct fh_event *event = add_event(model, event_kind(queue->id), 0);
    const union object_place place = take_share(model, queue->id, &event->object);
    for (size_t i = queue->next; is_due(run, i, until); i = run->others->behind[i])
        object_apply(&model->parts, &pages, queue->id, place, &run->inputs->others[i]);
    add_event(model, FH_EVENT_REL_LOCK, 0);
}

size_t others_act(void *context, uint64_t lock, uint64_t cpu, const struct fh_log *log,
                  const struct fh_event *const **events)
{
    struct model *model = context;
    struct run *run = model->run;
    (void)cpu, (void)log;
    if (!run || !run->others)
        return 0;
    struct others *others = run->others;
    *events = (const struct fh_event *const *)others->events;
    if (others->asked == others->locks + 1 && others->asked_lock == lock)
        return others->nevents;
    forget_events(model);
    const struct queue *queue = find_queue(others, object_of_lock(model->profile, lock));
    const uint64_t until = turn(run);
    if (queue && is_due(run, queue->next, until))
        make_events(model, queue, until);
    others->asked = others->locks + 1;
    others->asked_lock = lock;
    return others->nevents;
}

void others_did(struct model *model, uint64_t lock)
{
    struct run *run = model->run;
    if (!run->others)
        return;
    struct queue *queue = find_queue(run->others, object_of_lock(model->profile, lock));
    const uint64_t until = turn(run);
    while (queue && is_due(run, queue->next, until))
        queue->next = run->others->behind[queue->next];
    end_turn(run);
}

static void add_queue(struct others *others, struct object_id id, size_t effect)
{
    const size_t size = (others->nqueues + 1) * sizeof *others->queues;
    others->queues = realloc(others->queues, size);
    if (!others->queues)
        no_memory();
    others->queues[others->nqueues++] = (struct queue){id, effect, effect};
}

/* They are in the order of their numbers, and so is each queue. */
static void add_to_queue(struct others *others, struct object_id id, size_t effect)
{
    struct queue *queue = find_queue(others, id);
    others->behind[effect] = NO_EFFECT;
    if (!queue) {
        add_queue(others, id, effect);
        return;
    }
    others->behind[queue->last] = effect;
    queue->last = effect;
}

void others_begin(struct model *model)
{
    struct run *run = model->run;
    const size_t count = run->inputs->nothers;
    fh_state_environment(model->state)->oracle = count > 0 ? others_act : NULL;
    if (count == 0)
        return;
    run->others = calloc(1, sizeof *run->others);
    if (!run->others)
        no_memory();
    run->others->behind = malloc(count * sizeof *run->others->behind);
    if (!run->others->behind)
        no_memory();
    for (size_t i = 0; i < count; i++)
        add_to_queue(run->others, object_of_effect(model->profile, &run->inputs->others[i]), i);
}

void others_end(struct model *model)
{
    struct run *run = model->run;
    if (!run->others)
        return;
    forget_events(model);
    free(run->others->queues);
    free(run->others->behind);
    free(run->others);
    run->others = NULL;
    fh_state_environment(model->state)->oracle = NULL;
}
