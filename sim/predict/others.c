/* SPDX-License-Identifier: GPL-2.0-only */
#include "predict/others.h"

#include <stdlib.h>

#include "base/diag.h"

/*
 * Other CPUs act when a lock is taken, as the spec has it: what they did to the object that the
 * lock protects is an event in its log, which carries the object. Here they did what traps did that
 * overlapped, up to the moment at which the lock was taken.
 */

struct others {
    struct object_id *objects; /* of inputs->others, one each */
    bool *is_done;             /* it is in the state already */
    struct fh_event *events[3];
    size_t nevents;
    size_t locks; /* taken so far */
    size_t asked; /* 1 + `locks` when the events were made; 0: there are none */
    uint64_t asked_lock;
};

static uint64_t turn(const struct run *run)
{
    size_t locks = run->others->locks;
    const struct trap_inputs *inputs = run->inputs;
    for (size_t i = 0; i < inputs->nanswers; i++) {
        if (inputs->answers[i].oracle == ORACLE_TURN && locks-- == 0)
            return inputs->answers[i].value;
    }
    return UINT64_MAX;
}

static void forget_events(struct model *model)
{
    struct others *others = model->run->others;
    for (size_t i = 0; i < others->nevents; i++)
        fh_event_release(others->events[i], model->parts.allocator);
    others->nevents = 0;
    others->asked = 0;
}

/* Is the i-th of their effects one that comes before the lock is taken, on its object? */
static bool is_due(const struct run *run, size_t i, struct object_id id, uint64_t until)
{
    return !run->others->is_done[i] && run->inputs->others[i].g < until &&
           objects_are_same(run->others->objects[i], id);
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
static void make_events(struct model *model, struct object_id id, uint64_t until)
{
    const struct run *run = model->run;
    const struct page_range pages = {model->first_pfn, model->pages};
    add_event(model, FH_EVENT_WAIT_LOCK, 2);
    struct fh_event *event = add_event(model, event_kind(id), 0);
    const union object_place place = take_share(model, id, &event->object);
    for (size_t i = 0; i < run->inputs->nothers; i++) {
        if (is_due(run, i, id, until))
            object_apply(&model->parts, &pages, id, place, &run->inputs->others[i]);
    }
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
    const struct object_id id = object_of_lock(model->profile, lock);
    const uint64_t until = turn(run);
    for (size_t i = 0; i < run->inputs->nothers && others->nevents == 0; i++) {
        if (is_due(run, i, id, until))
            make_events(model, id, until);
    }
    others->asked = others->locks + 1;
    others->asked_lock = lock;
    return others->nevents;
}

void others_did(struct model *model, uint64_t lock)
{
    struct run *run = model->run;
    if (!run->others)
        return;
    const struct object_id id = object_of_lock(model->profile, lock);
    const uint64_t until = turn(run);
    for (size_t i = 0; i < run->inputs->nothers; i++) {
        if (is_due(run, i, id, until))
            run->others->is_done[i] = true;
    }
    run->others->locks++;
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
    run->others->objects = malloc(count * sizeof *run->others->objects);
    run->others->is_done = calloc(count, sizeof *run->others->is_done);
    if (!run->others->objects || !run->others->is_done)
        no_memory();
    for (size_t i = 0; i < count; i++)
        run->others->objects[i] = object_of_effect(model->profile, &run->inputs->others[i]);
}

void others_end(struct model *model)
{
    struct run *run = model->run;
    if (!run->others)
        return;
    forget_events(model);
    free(run->others->objects);
    free(run->others->is_done);
    free(run->others);
    run->others = NULL;
    fh_state_environment(model->state)->oracle = NULL;
}
