/* SPDX-License-Identifier: GPL-2.0-only */
#include "patch/apply.h"

#include <inttypes.h>
#include <string.h>

/* Reading a list of events: snapshots are relative to the one before of their kind. */
struct event_reader {
    struct applier *applier;
    uint64_t id; /* of the log */
    const struct fh_event *previous[FH_EVENT_KINDS];
};

static bool find_kind(const char *name, bool is_update, enum fh_event_kind *kind)
{
    static const char update[] = "UPDATE_";
    for (unsigned i = 0; i < FH_EVENT_KINDS; i++) {
        const char *candidate = fh_event_name((enum fh_event_kind)i);
        if ((fh_event_family((enum fh_event_kind)i) == FH_UPDATE) != is_update)
            continue;
        if (is_update)
            candidate += sizeof update - 1;
        if (strcmp(candidate, name) == 0) {
            *kind = (enum fh_event_kind)i;
            return true;
        }
    }
    return false;
}

static bool read_kind(struct event_reader *reader, const struct node *name, bool is_update,
                      enum fh_event_kind *kind)
{
    if (name->kind == NODE_STRING && find_kind(name->text, is_update, kind))
        return true;
    const char *names[FH_EVENT_KINDS];
    for (unsigned i = 0; i < FH_EVENT_KINDS; i++)
        names[i] = fh_event_name((enum fh_event_kind)i);
    if (name->kind == NODE_STRING)
        reader->applier->error->suggestion = nearest(name->text, names, FH_EVENT_KINDS);
    char found[64];
    return patch_fail(reader->applier, name, "expected the name of an event, found %s",
                      node_describe(name, found, sizeof found));
}

/* The object that the lock of this log protects, before the events of the list. */
static const void *object_of_log(const struct event_reader *reader, enum fh_event_kind kind,
                                 const struct fh_type *type)
{
    const struct patch_objects *objects = reader->applier->objects;
    if (!objects || !objects->shared)
        return type == reader->applier->object_type ? reader->applier->object : NULL;
    const struct fh_shared *shared = objects->shared;
    switch (kind) {
    case FH_EVENT_OCORE_DATA: return &shared->core_data;
    case FH_EVENT_OS2_PAGE: return &shared->s2page;
    case FH_EVENT_OSPT: return &shared->spts;
    case FH_EVENT_OSMMU: return &shared->smmu_vmid;
    case FH_EVENT_OFLATMEM: return &shared->flatmem;
    case FH_EVENT_ONPT:
        return fh_map_get(&shared->npts, &type->as_value, reader->id - objects->npt_id);
    case FH_EVENT_OVMINFO:
        return fh_map_get(&shared->vminfos, &type->as_value, reader->id - objects->info_id);
    default: return NULL;
    }
}

static bool read_object(struct event_reader *reader, struct fh_event *event,
                        const struct node *patch)
{
    enum fh_event_kind kind = (enum fh_event_kind)event->kind;
    const struct fh_type *type = fh_event_object_type(kind);
    const struct fh_event *previous = reader->previous[kind];
    const void *base = previous ? &previous->object : object_of_log(reader, kind, type);
    if (base) {
        memcpy(&event->object, base, type->as_value.value_size);
        fh_value_retain(type, &event->object);
    }
    reader->previous[kind] = event;
    return patch_value(reader->applier, type, &event->object, patch);
}

/* A snapshot in a lock's log is followed by its patch; those in slog are left out. */
static bool has_patch(enum fh_event_kind kind)
{
    return fh_event_family(kind) == FH_SHARED && fh_event_object_type(kind);
}

/* Only the vCPU of OVM_INACTIVE may be negative, and has one bit less for it. */
static bool read_arg(struct applier *applier, enum fh_event_kind kind, unsigned i,
                     const struct node *node, uint64_t *value)
{
    bool negative;
    if (kind != FH_EVENT_OVM_INACTIVE || i != 1)
        return patch_number(applier, node, value);
    if (!patch_any_number(applier, node, value, &negative))
        return false;
    return negative || *value <= INT64_MAX ||
           patch_unrepresentable(applier, node, "needs more than 63 bits");
}

static struct fh_event *read_event(struct event_reader *reader, const struct node *node)
{
    struct applier *applier = reader->applier;
    if (node->kind != NODE_LIST || node->count == 0) {
        patch_fail(applier, node, "expected an event: [cpu, NAME, ...]");
        return NULL;
    }
    bool is_update = node->items[0].kind == NODE_STRING;
    size_t at = is_update ? 0 : 1;
    uint64_t cpu = 0, args[FH_EVENT_ARGS];
    enum fh_event_kind kind = FH_EVENT_KINDS;
    if (!is_update && !patch_number(applier, &node->items[0], &cpu))
        return NULL;
    if (!read_kind(reader, at < node->count ? &node->items[at] : node, is_update, &kind))
        return NULL;
    unsigned nargs = fh_event_nargs(kind);
    size_t wanted = at + 1 + nargs + has_patch(kind);
    if (node->count != wanted) {
        patch_fail(applier, node, "an event %s has %zu parts, not %zu", fh_event_name(kind), wanted,
                   node->count);
        return NULL;
    }
    for (unsigned i = 0; i < nargs; i++) {
        if (!read_arg(applier, kind, i, &node->items[at + 1 + i], &args[i]))
            return NULL;
    }
    struct fh_event *event = fh_event_new(applier->allocator, kind, cpu, args);
    if (!event)
        patch_no_memory(applier, node);
    if (event && has_patch(kind) && !read_object(reader, event, &node->items[wanted - 1])) {
        fh_event_release(event, applier->allocator);
        return NULL;
    }
    return event;
}

static bool read_list(struct applier *applier, const struct node *list, uint64_t id,
                      struct fh_event ***events)
{
    if (list->kind != NODE_LIST)
        return patch_fail(applier, list, "expected a list of events");
    const struct fh_allocator *allocator = applier->allocator;
    struct event_reader reader = {.applier = applier, .id = id};
    *events = NULL;
    if (list->count == 0)
        return true;
    *events = allocator->alloc(allocator->context, list->count * sizeof **events);
    if (!*events)
        return patch_no_memory(applier, list);
    size_t n = 0;
    while (n < list->count && ((*events)[n] = read_event(&reader, &list->items[n])))
        n++;
    if (n == list->count)
        return true;
    for (size_t i = 0; i < n; i++)
        fh_event_release((*events)[i], allocator);
    allocator->free(allocator->context, *events, list->count * sizeof **events);
    *events = NULL;
    return false;
}

void patch_free_events(struct fh_event **events, size_t count, const struct fh_allocator *allocator)
{
    for (size_t i = 0; i < count; i++)
        fh_event_release(events[i], allocator);
    if (events)
        allocator->free(allocator->context, events, count * sizeof *events);
}

static bool append(struct applier *applier, struct fh_log *log, uint64_t id,
                   const struct node *list)
{
    struct fh_event **events;
    if (!read_list(applier, list, id, &events))
        return false;
    bool is_good = true;
    for (size_t i = 0; is_good && i < list->count; i++)
        is_good = fh_log_append(log, applier->objects ? applier->objects->log_policy : FH_LOG_FULL,
                                applier->allocator, events[i]);
    patch_free_events(events, list->count, applier->allocator);
    return is_good || patch_no_memory(applier, list);
}

bool patch_log(struct applier *applier, struct fh_log *log, const struct node *patch)
{
    const struct node *list = node_get(patch, "+");
    if (!list || patch->count != 1)
        return patch_fail(applier, patch, "expected the new events of a log: {\"+\": [...]}");
    return append(applier, log, applier->key, list);
}

bool patch_append_events(struct fh_log *log, const struct node *events,
                         const struct fh_allocator *allocator, const struct fh_type *object_type,
                         const void *object, struct patch_error *error)
{
    struct applier applier = {
        .allocator = allocator, .object_type = object_type, .object = object, .error = error};
    memset(error, 0, sizeof *error);
    return append(&applier, log, 0, events);
}

bool patch_read_events(const struct node *list, uint64_t id, const struct patch_objects *objects,
                       const struct fh_allocator *allocator, struct fh_event ***events,
                       size_t *count, struct patch_error *error)
{
    struct applier applier = {.allocator = allocator, .objects = objects, .error = error};
    memset(error, 0, sizeof *error);
    *count = 0;
    if (!read_list(&applier, list, id, events))
        return false;
    *count = list->count;
    return true;
}

void event_print(const struct fh_event *event, FILE *out)
{
    enum fh_event_kind kind = (enum fh_event_kind)event->kind;
    fprintf(out, "[%" PRIu64 ", \"%s\"", event->cpu, fh_event_name(kind));
    for (unsigned i = 0; i < fh_event_nargs(kind); i++) {
        if (kind == FH_EVENT_OVM_INACTIVE && i == 1)
            fprintf(out, ", %" PRId64, (int64_t)event->args[i]);
        else
            fprintf(out, ", %" PRIu64, event->args[i]);
    }
    fputc(']', out);
}
