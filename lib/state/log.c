/* SPDX-License-Identifier: GPL-2.0-only */
#include "state/log.h"

#include <string.h>

#include <faulthandler/reflect.h>

#include "base/refs.h"

static const struct {
    const char *name;
    uint8_t family;
    uint8_t nargs;
} events[] = {
#define EVENT(name, family, nargs, object) {#name, FH_##family, nargs},
    FH_EVENT_MAP(EVENT)
#undef EVENT
};

const char *fh_event_name(enum fh_event_kind kind)
{
    return events[kind].name;
}

unsigned fh_event_nargs(enum fh_event_kind kind)
{
    return events[kind].nargs;
}

enum fh_event_family fh_event_family(enum fh_event_kind kind)
{
    return (enum fh_event_family)events[kind].family;
}

struct fh_event *fh_event_new(const struct fh_allocator *allocator, enum fh_event_kind kind,
                              uint64_t cpu, const uint64_t *args)
{
    struct fh_event *event = allocator->alloc(allocator->context, sizeof *event);
    if (!event)
        return NULL;
    memset(event, 0, sizeof *event);
    refs_init(&event->references);
    event->kind = (uint8_t)kind;
    event->cpu = cpu;
    for (unsigned i = 0; i < fh_event_nargs(kind); i++)
        event->args[i] = args[i];
    return event;
}

void fh_event_release(struct fh_event *event, const struct fh_allocator *allocator)
{
    /* A loop, not a recursion: logs are long. */
    while (event && refs_release(&event->references)) {
        struct fh_event *older = event->older;
        const struct fh_type *type = fh_event_object_type((enum fh_event_kind)event->kind);
        if (type)
            fh_value_release(type, &event->object, allocator);
        allocator->free(allocator->context, event, sizeof *event);
        event = older;
    }
}

void log_retain(struct fh_log *log)
{
    if (log->newest)
        refs_retain(&log->newest->references);
}

void log_release(struct fh_log *log, const struct fh_allocator *allocator)
{
    fh_event_release(log->newest, allocator);
    log->newest = NULL;
}

void log_step(struct fh_log *log, enum fh_event_kind kind, uint64_t cpu, uint64_t n)
{
    log->length++;
    switch (log->lock) {
    case FH_LOG_EMPTY:
        if (kind == FH_EVENT_WAIT_LOCK) {
            log->lock = FH_LOG_HELD;
            log->holder = cpu;
            log->budget = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
        } else {
            log->lock = FH_LOG_BROKEN;
        }
        break;
    case FH_LOG_HELD:
        if (cpu != log->holder) {
            log->lock = FH_LOG_BROKEN;
        } else if (kind == FH_EVENT_REL_LOCK) {
            log->lock = FH_LOG_EMPTY;
            log->holder = 0;
            log->budget = 0;
        } else if (fh_event_family(kind) == FH_SHARED && log->budget > 0) {
            log->budget--;
        } else {
            log->lock = FH_LOG_BROKEN;
        }
        break;
    default: break;
    }
    if (log->lock == FH_LOG_BROKEN) {
        log->holder = 0;
        log->budget = 0;
    }
}

void log_push(struct fh_log *log, struct fh_event *event)
{
    event->older = log->newest;
    log->newest = event;
}

bool fh_log_append(struct fh_log *log, enum fh_log_policy policy,
                   const struct fh_allocator *allocator, const struct fh_event *event)
{
    enum fh_event_kind kind = (enum fh_event_kind)event->kind;
    if (policy == FH_LOG_FULL) {
        struct fh_event *copy = fh_event_new(allocator, kind, event->cpu, event->args);
        if (!copy)
            return false;
        const struct fh_type *type = fh_event_object_type(kind);
        if (type) {
            copy->object = event->object;
            fh_value_retain(type, &copy->object);
        }
        log_push(log, copy);
    }
    log_step(log, kind, event->cpu, event->args[0]);
    return true;
}
