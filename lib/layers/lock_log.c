/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "Locks"
#include "layers/lock_log.h"

#include <string.h>

#include "state/log.h"

/* What the object of a lock is: where it stands and which event carries it. */
struct object {
    enum fh_event_kind event;
    const struct fh_type *type;
    void *place;  /* the field, or the map whose entry it is */
    uint64_t key; /* of the entry */
    bool is_entry;
};

static struct object object_of_event(struct fh_state *s, enum fh_event_kind event, uint64_t key)
{
    struct fh_shared *shared = &s->adt->shared;
    struct object object = {.event = event, .type = fh_event_object_type(event), .key = key};
    switch (event) {
    case FH_EVENT_OCORE_DATA: object.place = &shared->core_data; break;
    case FH_EVENT_OS2_PAGE: object.place = &shared->s2page; break;
    case FH_EVENT_OSPT: object.place = &shared->spts; break;
    case FH_EVENT_OSMMU: object.place = &shared->smmu_vmid; break;
    case FH_EVENT_ONPT: object.place = &shared->npts; break;
    case FH_EVENT_OVMINFO: object.place = &shared->vminfos; break;
    default: object.place = &shared->flatmem; break;
    }
    object.is_entry = event == FH_EVENT_ONPT || event == FH_EVENT_OVMINFO;
    return object;
}

/* RData.v: CalState. False for an id that no lock has. Below NPT_ID are the first five alone. */
static bool object_of_lock(struct fh_state *s, uint64_t id, struct object *object)
{
    const struct fh_profile *k = s->profile;
    if (id == k->FLATMEM_ID)
        *object = object_of_event(s, FH_EVENT_OFLATMEM, 0);
    else if (id == k->CORE_ID)
        *object = object_of_event(s, FH_EVENT_OCORE_DATA, 0);
    else if (id == k->S2PAGE_ID)
        *object = object_of_event(s, FH_EVENT_OS2_PAGE, 0);
    else if (id == k->SPT_ID)
        *object = object_of_event(s, FH_EVENT_OSPT, 0);
    else if (id == k->SMMU_ID)
        *object = object_of_event(s, FH_EVENT_OSMMU, 0);
    else if (id < k->INFO_ID)
        *object = object_of_event(s, FH_EVENT_ONPT, id - k->NPT_ID);
    else if (id < k->ID_END)
        *object = object_of_event(s, FH_EVENT_OVMINFO, id - k->INFO_ID);
    else
        return false;
    return true;
}

/* The object becomes what a snapshot of another CPU says. */
static enum fh_status take_over(struct fh_state *s, const struct object *object,
                                const struct fh_event *event)
{
    void *place = object->place;
    if (object->is_entry)
        FH_TRY(edit_entry(s, place, object->type, object->key, &place));
    else
        FH_TRY(save_value(s, place, object->type));
    fh_value_release(object->type, place, &s->allocator);
    memcpy(place, &event->object, object->type->as_value.value_size);
    fh_value_retain(object->type, place);
    forget_places_beside_locks(s);
    return FH_OK;
}

/* --- The ticket side of a lock --------------------------------------------------------------- */

static bool step_side(struct fh_state *s, struct fh_log *log, enum fh_event_kind kind, uint64_t cpu,
                      uint64_t argument)
{
    if (!log_step_tickets(log, &s->allocator, kind, cpu, argument))
        return false;
    log->length++;
    return true;
}

/* Taking a lock by one event stands for drawing a ticket, being served at once, and holding it. */
static bool take_on_side(struct fh_state *s, struct fh_log *log, uint64_t cpu, uint64_t budget)
{
    return step_side(s, log, FH_EVENT_INC_TICKET, cpu, budget) &&
           step_side(s, log, FH_EVENT_GET_NOW, cpu, 0) &&
           step_side(s, log, FH_EVENT_HOLD_LOCK, cpu, 0);
}

enum fh_status own_ticket_side(struct fh_state *s, uint64_t id, struct fh_log **log)
{
    const bool is_there = fh_map_find(&s->ticket_logs, &type_of_log->as_value, id) != NULL;
    const struct fh_log *abstract = log_at(s, id);
    void *entry;
    FH_TRY(edit_entry(s, &s->ticket_logs, type_of_log, id, &entry));
    *log = entry;
    if (is_there || abstract->lock != FH_LOG_HELD)
        return FH_OK;
    return take_on_side(s, *log, abstract->holder, abstract->budget) ? FH_OK : FH_NOMEM;
}

/* What another CPU did to the abstract lock it did to the ticket lock as well. */
static enum fh_status follow_on_side(struct fh_state *s, uint64_t id, const struct fh_event *event)
{
    const enum fh_event_kind kind = (enum fh_event_kind)event->kind;
    struct fh_log *log;
    bool done;
    if (s->realisation != FH_BOTH || id == s->profile->FLATMEM_ID)
        return FH_OK;
    FH_TRY(own_ticket_side(s, id, &log));
    if (kind == FH_EVENT_WAIT_LOCK)
        done = take_on_side(s, log, event->cpu, event->args[0]);
    else if (kind == FH_EVENT_REL_LOCK)
        done = step_side(s, log, FH_EVENT_INC_NOW, event->cpu, 0);
    else
        done = step_side(s, log, kind, event->cpu, event->args[0]);
    return done ? FH_OK : FH_NOMEM;
}

/* --- Other CPUs ------------------------------------------------------------------------------ */

static enum fh_status append_event(struct fh_state *s, uint64_t id, struct fh_log *log,
                                   const struct fh_event *event)
{
    FH_TRY(follow_on_side(s, id, event));
    return fh_log_append(log, s->log_policy, &s->allocator, event) ? FH_OK : FH_NOMEM;
}

static enum fh_status take_over_events(struct fh_state *s, uint64_t id, struct fh_log *log,
                                       const struct fh_event *const *events, size_t count)
{
    struct object object;
    bool has_object = object_of_lock(s, id, &object);
    for (size_t i = 0; i < count; i++) {
        FH_TRY(append_event(s, id, log, events[i]));
        if (has_object && events[i]->kind == object.event) {
            s->touched.all = true;
            FH_TRY(take_over(s, &object, events[i]));
            log_forget_snapshot(log, &s->allocator);
        }
    }
    return FH_OK;
}

/* What the oracle answers; nothing where there is none. */
static size_t ask_oracle(struct fh_state *s, uint64_t id, const struct fh_log *log,
                         const struct fh_event *const **events)
{
    return s->env.oracle ? s->env.oracle(s->env.context, id, s->adt->curid, log, events) : 0;
}

enum fh_status ask_oracle_of_lock(struct fh_state *s, uint64_t id, struct fh_log **log)
{
    FH_TRY(own_log(s, id, log));
    const struct fh_event *const *events = NULL;
    size_t count = ask_oracle(s, id, *log, &events);
    return count > 0 ? take_over_events(s, id, *log, events, count) : FH_OK;
}

enum fh_status append_oracle_of_lock(struct fh_state *s, uint64_t id, struct fh_log **log)
{
    FH_TRY(own_log(s, id, log));
    const struct fh_event *const *events = NULL;
    size_t count = ask_oracle(s, id, *log, &events);
    for (size_t i = 0; i < count; i++)
        FH_TRY(append_event(s, id, *log, events[i]));
    return FH_OK;
}

enum fh_status append_oracle_of_tickets(struct fh_state *s, uint64_t id, struct fh_log **log)
{
    return s->realisation == FH_BOTH ? own_ticket_side(s, id, log)
                                     : append_oracle_of_lock(s, id, log);
}

enum fh_status take_over_newest(struct fh_state *s, uint64_t id, struct fh_log *log)
{
    struct object object;
    if (!object_of_lock(s, id, &object))
        return FH_OK;
    const struct fh_event *event = log->newest ? log->newest : log->snapshot;
    while (event && event->kind != object.event)
        event = event->older;
    if (!event)
        return FH_OK;
    FH_TRY(take_over(s, &object, event));
    log_forget_snapshot(log, &s->allocator);
    return FH_OK;
}

enum fh_status take_over_later(struct fh_state *s, uint64_t id, struct fh_log *log,
                               const struct fh_event *newest)
{
    struct object object;
    if (!object_of_lock(s, id, &object))
        return FH_OK;
    const struct fh_event *event = log->newest ? log->newest : log->snapshot;
    while (event && event != newest && event->kind != object.event)
        event = event->older;
    if (!event || event == newest)
        return FH_OK;
    FH_TRY(take_over(s, &object, event));
    log_forget_snapshot(log, &s->allocator);
    return FH_OK;
}

enum fh_status add_event_in_full(struct fh_state *s, struct fh_log *log, enum fh_event_kind kind,
                                 uint64_t argument)
{
    if (!log->is_ticket_broken &&
        !log_step_tickets(log, &s->allocator, kind, s->adt->curid, argument))
        return FH_NOMEM;
    if (s->log_policy == FH_LOG_FULL) {
        struct fh_event *event =
            event_from_block(&s->events, &s->allocator, kind, s->adt->curid, &argument);
        if (!event)
            return FH_NOMEM;
        log_push(log, event);
    }
    log_step(log, kind, s->adt->curid, argument);
    return FH_OK;
}

/* The object as it is now becomes that of the event. */
static void take_snapshot(struct fh_event *event, const struct object *object)
{
    const void *place = object->place;
    if (object->is_entry)
        place = fh_map_get(place, &object->type->as_value, object->key);
    memcpy(&event->object, place, object->type->as_value.value_size);
    fh_value_retain(object->type, &event->object);
}

enum fh_status add_snapshot_in_full(struct fh_state *s, struct fh_log *log, uint64_t id)
{
    struct object object;
    if (!object_of_lock(s, id, &object))
        return FH_OK;
    FH_TRY(add_event(s, log, object.event, 0));
    if (s->log_policy == FH_LOG_FULL)
        take_snapshot(log->newest, &object);
    else
        log_forget_snapshot(log, &s->allocator);
    return FH_OK;
}

/* SUMMARY keeps the snapshot of an object for which lock `id` would mistake its own. */
static enum fh_status keep_snapshot(struct fh_state *s, struct fh_log *log, uint64_t id,
                                    const struct object *object)
{
    struct object own;
    if (!object_of_lock(s, id, &own) || own.event != object->event)
        return FH_OK;
    struct fh_event *event = fh_event_new(&s->allocator, object->event, s->adt->curid, NULL);
    if (!event)
        return FH_NOMEM;
    take_snapshot(event, object);
    forget_places_beside_locks(s); /* the event shares what was the state's own */
    log_keep_snapshot(log, &s->allocator, event);
    return FH_OK;
}

enum fh_status add_snapshot_of(struct fh_state *s, struct fh_log *log, uint64_t id,
                               enum fh_event_kind event, uint64_t key)
{
    const struct object object = object_of_event(s, event, key);
    FH_TRY(add_event(s, log, event, 0));
    if (s->log_policy != FH_LOG_FULL)
        return keep_snapshot(s, log, id, &object);
    take_snapshot(log->newest, &object);
    return FH_OK;
}

bool lock_is_available(const struct fh_state *s, uint64_t id)
{
    if (lock_status(s, id) != FH_LOCK_FREE)
        return false;
    const struct fh_log *log = log_at(s, id);
    if (s->lock_form == FH_CONCRETE)
        return log->queue_lock == FH_QUEUE_IDLE;
    if (!s->env.oracle)
        return log->lock == FH_LOG_EMPTY;
    const struct fh_event *const *events = NULL;
    size_t count = s->env.oracle(s->env.context, id, s->adt->curid, log, &events);
    struct fh_log summary = *log;
    for (size_t i = 0; i < count; i++)
        log_step(&summary, (enum fh_event_kind)events[i]->kind, events[i]->cpu, events[i]->args[0]);
    return summary.lock == FH_LOG_EMPTY;
}
