/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "Locks"
#include "layers/lock_log.h"

#include <string.h>

#include "state/log.h"

/* What the object of a lock is: where it stands and which event carries it. */
struct object {
    enum fh_event_kind event;
    const struct fh_type *type;
    void *place;          /* the field, or the map whose entry it is */
    uint64_t key;         /* of the entry */
    bool is_entry;
};

static bool object_of_lock(struct fh_state *s, uint64_t id, struct object *object)
{
    const struct fh_profile *k = s->profile;
    struct fh_shared *shared = &s->adt->shared;
    memset(object, 0, sizeof *object);
    if (id == k->FLATMEM_ID) {
        object->event = FH_EVENT_OFLATMEM;
        object->place = &shared->flatmem;
    } else if (id == k->CORE_ID) {
        object->event = FH_EVENT_OCORE_DATA;
        object->place = &shared->core_data;
    } else if (id == k->S2PAGE_ID) {
        object->event = FH_EVENT_OS2_PAGE;
        object->place = &shared->s2page;
    } else if (id == k->SPT_ID) {
        object->event = FH_EVENT_OSPT;
        object->place = &shared->spts;
    } else if (id == k->SMMU_ID) {
        object->event = FH_EVENT_OSMMU;
        object->place = &shared->smmu_vmid;
    } else if (id >= k->NPT_ID && id < k->INFO_ID) {
        object->event = FH_EVENT_ONPT;
        object->place = &shared->npts;
        object->key = id - k->NPT_ID;
        object->is_entry = true;
    } else if (id >= k->INFO_ID && id < k->ID_END) {
        object->event = FH_EVENT_OVMINFO;
        object->place = &shared->vminfos;
        object->key = id - k->INFO_ID;
        object->is_entry = true;
    } else {
        return false;
    }
    object->type = fh_event_object_type(object->event);
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
    return FH_OK;
}

static enum fh_status take_over_events(struct fh_state *s, uint64_t id, struct fh_log *log,
                                       const struct fh_event *const *events, size_t count)
{
    struct object object;
    bool has_object = object_of_lock(s, id, &object);
    for (size_t i = 0; i < count; i++) {
        if (!fh_log_append(log, s->log_policy, &s->allocator, events[i]))
            return FH_NOMEM;
        if (has_object && events[i]->kind == object.event)
            FH_TRY(take_over(s, &object, events[i]));
    }
    return FH_OK;
}

enum fh_status query_oracle_of_lock(struct fh_state *s, uint64_t id, struct fh_log **log)
{
    FH_TRY(own_log(s, id, log));
    if (!s->env.oracle)
        return FH_OK;
    const struct fh_event *const *events = NULL;
    size_t count = s->env.oracle(s->env.context, id, s->adt->curid, *log, &events);
    return count > 0 ? take_over_events(s, id, *log, events, count) : FH_OK;
}

enum fh_status add_event(struct fh_state *s, struct fh_log *log, enum fh_event_kind kind,
                         uint64_t argument)
{
    if (s->log_policy == FH_LOG_FULL) {
        struct fh_event *event = fh_event_new(&s->allocator, kind, s->adt->curid, &argument);
        if (!event)
            return FH_NOMEM;
        log_push(log, event);
    }
    log_step(log, kind, s->adt->curid, argument);
    return FH_OK;
}

enum fh_status add_snapshot(struct fh_state *s, struct fh_log *log, uint64_t id)
{
    struct object object;
    if (!object_of_lock(s, id, &object))
        return FH_OK;
    FH_TRY(add_event(s, log, object.event, 0));
    if (s->log_policy == FH_LOG_FULL) {
        void *snapshot = &log->newest->object;
        const void *place = object.place;
        if (object.is_entry)
            place = fh_map_get(place, &object.type->as_value, object.key);
        memcpy(snapshot, place, object.type->as_value.value_size);
        fh_value_retain(object.type, snapshot);
    }
    return FH_OK;
}

enum fh_status set_lock_status(struct fh_state *s, uint64_t id, enum fh_lock_status status)
{
    void *entry;
    FH_TRY(edit_entry(s, &s->adt->lock, type_of_lock_status, id, &entry));
    *(uint8_t *)entry = (uint8_t)status;
    return FH_OK;
}
