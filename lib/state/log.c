/* SPDX-License-Identifier: GPL-2.0-only */
#include "state/log.h"

#include <string.h>

#include <faulthandler/reflect.h>

#include "base/refs.h"

_Static_assert(sizeof(struct fh_log) <= FH_MAP_VALUE_MAX, "a map can hold logs");

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

static struct fh_event *init_event(struct fh_event *event, enum fh_event_kind kind, uint64_t cpu,
                                   const uint64_t *args)
{
    *event = (struct fh_event){.kind = (uint8_t)kind, .cpu = cpu};
    refs_init(&event->references);
    for (unsigned i = 0; i < fh_event_nargs(kind); i++)
        event->args[i] = args[i];
    return event;
}

struct fh_event *fh_event_new(const struct fh_allocator *allocator, enum fh_event_kind kind,
                              uint64_t cpu, const uint64_t *args)
{
    struct fh_event *event = allocator->alloc(allocator->context, sizeof *event);
    return event ? init_event(event, kind, cpu, args) : NULL;
}

enum { BLOCK_EVENTS = 14 };

/* Counted by the state that cuts events from it and by each event that was cut. */
struct event_block {
    uint32_t references;
    uint32_t used;
    struct fh_event events[BLOCK_EVENTS];
};

void event_block_release(struct event_block *block, const struct fh_allocator *allocator)
{
    if (block && refs_release(&block->references))
        allocator->free(allocator->context, block, sizeof *block);
}

/* One with room; the last one again if all its events are gone. */
static struct event_block *block_with_room(struct event_block **place,
                                           const struct fh_allocator *allocator)
{
    struct event_block *block = *place;
    if (block && !refs_shared(&block->references))
        block->used = 0;
    if (block && block->used < BLOCK_EVENTS)
        return block;
    block = allocator->alloc(allocator->context, sizeof *block);
    if (!block)
        return NULL;
    refs_init(&block->references);
    block->used = 0;
    event_block_release(*place, allocator);
    *place = block;
    return block;
}

struct fh_event *event_from_block(struct event_block **place, const struct fh_allocator *allocator,
                                  enum fh_event_kind kind, uint64_t cpu, const uint64_t *args)
{
    struct event_block *block = block_with_room(place, allocator);
    if (!block)
        return NULL;
    refs_retain(&block->references);
    struct fh_event *event = init_event(&block->events[block->used++], kind, cpu, args);
    event->slot = (uint8_t)block->used;
    return event;
}

static void free_event(struct fh_event *event, const struct fh_allocator *allocator)
{
    if (event->slot == 0) {
        allocator->free(allocator->context, event, sizeof *event);
        return;
    }
    char *first = (char *)(event - (event->slot - 1));
    void *block = first - offsetof(struct event_block, events);
    event_block_release(block, allocator);
}

void fh_event_release(struct fh_event *event, const struct fh_allocator *allocator)
{
    /* A loop, not a recursion: logs are long. */
    while (event && refs_release(&event->references)) {
        struct fh_event *older = event->older;
        const struct fh_type *type = fh_event_object_type((enum fh_event_kind)event->kind);
        if (type)
            fh_value_release(type, &event->object, allocator);
        free_event(event, allocator);
        event = older;
    }
}

/* --- The ticket lock ------------------------------------------------------------------------- */

/* The tickets of a lock and the CPUs that wait with one, the next first. */
struct fh_tickets {
    uint32_t references;
    uint32_t length;
    uint32_t size;
    uint64_t next; /* to be drawn */
    uint64_t now;  /* is served */
    struct waiter {
        uint64_t cpu;
        uint32_t bound; /* events that it asked for */
    } queue[];
};

/* CalLock.v: fairness, the events of others for which the head of the queue may be idle. */
enum { FAIRNESS = 20 };

static size_t tickets_bytes(uint32_t size)
{
    return sizeof(struct fh_tickets) + size * sizeof(struct waiter);
}

static void tickets_release(struct fh_tickets *tickets, const struct fh_allocator *allocator)
{
    if (tickets && refs_release(&tickets->references))
        allocator->free(allocator->context, tickets, tickets_bytes(tickets->size));
}

/* Make the log's tickets ones that nobody shares, with room for one more in the queue. */
static bool own_tickets(struct fh_log *log, const struct fh_allocator *allocator)
{
    struct fh_tickets *old = log->tickets;
    const uint32_t length = old ? old->length : 0;
    if (old && !refs_shared(&old->references) && length < old->size)
        return true;
    const uint32_t size = length < 4 ? 8 : length * 2;
    struct fh_tickets *tickets = allocator->alloc(allocator->context, tickets_bytes(size));
    if (!tickets)
        return false;
    memset(tickets, 0, tickets_bytes(size));
    refs_init(&tickets->references);
    if (old)
        refs_copy(tickets, old, tickets_bytes(length));
    tickets->size = size;
    tickets_release(old, allocator);
    log->tickets = tickets;
    return true;
}

static uint32_t waiting(const struct fh_log *log)
{
    return log->tickets ? log->tickets->length : 0;
}

static bool is_waiting(const struct fh_log *log, uint64_t cpu)
{
    for (uint32_t i = 0; i < waiting(log); i++) {
        if (log->tickets->queue[i].cpu == cpu)
            return true;
    }
    return false;
}

uint64_t log_next_ticket(const struct fh_log *log)
{
    return log->tickets ? log->tickets->next : 0;
}

uint64_t log_now(const struct fh_log *log)
{
    return log->tickets ? log->tickets->now : 0;
}

uint64_t log_ticket_holder(const struct fh_log *log)
{
    return waiting(log) > 0 ? log->tickets->queue[0].cpu + 1 : 0;
}

uint64_t log_wait_time(const struct fh_log *log, uint64_t fairness)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < waiting(log); i++)
        sum += (uint64_t)4 + log->tickets->queue[i].bound;
    return 1 + fairness + sum * fairness;
}

static void set_queue_lock(struct fh_log *log, enum fh_log_queue queue_lock, uint32_t budget)
{
    log->queue_lock = (uint8_t)queue_lock;
    log->queue_budget = budget;
    log->queue_waited = 0;
}

/* An event of the CPU at the head of the queue: ask, take, use, give back, in this order. */
static void step_head(struct fh_log *log, enum fh_event_kind kind)
{
    const bool is_served = log->queue_lock == FH_QUEUE_SERVED;
    const bool is_held = log->queue_lock == FH_QUEUE_HELD;
    if (kind == FH_EVENT_GET_NOW && log->queue_lock == FH_QUEUE_IDLE)
        set_queue_lock(log, FH_QUEUE_SERVED, log->tickets->queue[0].bound);
    else if (kind == FH_EVENT_HOLD_LOCK && is_served)
        set_queue_lock(log, FH_QUEUE_HELD, log->queue_budget);
    else if (kind == FH_EVENT_INC_NOW && is_held)
        set_queue_lock(log, FH_QUEUE_IDLE, 0);
    else if (fh_event_family(kind) == FH_SHARED && is_held && log->queue_budget > 0)
        set_queue_lock(log, FH_QUEUE_HELD, log->queue_budget - 1);
    else
        set_queue_lock(log, FH_QUEUE_BROKEN, 0);
}

/* CalLock.v: Q_CalLock. Looks at the queue as it was before the event. */
static void step_queue(struct fh_log *log, enum fh_event_kind kind, uint64_t cpu)
{
    const bool is_empty = waiting(log) == 0;
    if (log->queue_lock == FH_QUEUE_BROKEN || (is_empty && kind == FH_EVENT_INC_TICKET))
        return;
    const bool is_head = !is_empty && log->tickets->queue[0].cpu == cpu;
    const bool joins = kind == FH_EVENT_INC_TICKET && !is_waiting(log, cpu);
    const bool asks = kind == FH_EVENT_GET_NOW && !is_empty && !is_head;
    if ((joins || asks) && log->queue_waited < FAIRNESS)
        log->queue_waited++;
    else if (is_head)
        step_head(log, kind);
    else
        set_queue_lock(log, FH_QUEUE_BROKEN, 0);
}

/* CalLock.v: CalTicketLock takes these events and no others. */
static bool is_of_ticket_lock(enum fh_event_kind kind)
{
    return kind == FH_EVENT_INC_TICKET || kind == FH_EVENT_INC_NOW || kind == FH_EVENT_GET_NOW ||
           kind == FH_EVENT_HOLD_LOCK || fh_event_family(kind) == FH_SHARED;
}

static void break_tickets(struct fh_log *log, const struct fh_allocator *allocator)
{
    tickets_release(log->tickets, allocator);
    log->tickets = NULL;
    log->is_ticket_broken = 1;
    set_queue_lock(log, FH_QUEUE_BROKEN, 0);
}

/* The queue itself: drawing a ticket puts a CPU at its end, serving one takes one from its head. */
static void step_waiters(struct fh_tickets *tickets, enum fh_event_kind kind, uint64_t cpu,
                         uint64_t n)
{
    if (kind == FH_EVENT_INC_TICKET) {
        const uint32_t bound = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
        tickets->next++;
        tickets->queue[tickets->length++] = (struct waiter){cpu, bound};
        return;
    }
    tickets->now++;
    if (tickets->length == 0)
        return;
    tickets->length--;
    memmove(tickets->queue, tickets->queue + 1, tickets->length * sizeof *tickets->queue);
}

bool log_step_tickets(struct fh_log *log, const struct fh_allocator *allocator,
                      enum fh_event_kind kind, uint64_t cpu, uint64_t n)
{
    if (log->is_ticket_broken)
        return true;
    if (!is_of_ticket_lock(kind)) {
        break_tickets(log, allocator);
        return true;
    }
    const bool moves = kind == FH_EVENT_INC_TICKET || kind == FH_EVENT_INC_NOW;
    if (moves && !own_tickets(log, allocator))
        return false;
    step_queue(log, kind, cpu);
    if (moves)
        step_waiters(log->tickets, kind, cpu, n);
    return true;
}

/* --- The lock as it is used ------------------------------------------------------------------ */

void log_retain(struct fh_log *log)
{
    if (log->newest)
        refs_retain(&log->newest->references);
    if (log->tickets)
        refs_retain(&log->tickets->references);
    if (log->snapshot)
        refs_retain(&log->snapshot->references);
}

void log_release(struct fh_log *log, const struct fh_allocator *allocator)
{
    fh_event_release(log->newest, allocator);
    log->newest = NULL;
    tickets_release(log->tickets, allocator);
    log->tickets = NULL;
    log_forget_snapshot(log, allocator);
}

void log_push(struct fh_log *log, struct fh_event *event)
{
    event->older = log->newest;
    log->newest = event;
}

void log_forget_snapshot(struct fh_log *log, const struct fh_allocator *allocator)
{
    fh_event_release(log->snapshot, allocator);
    log->snapshot = NULL;
}

void log_keep_snapshot(struct fh_log *log, const struct fh_allocator *allocator,
                       struct fh_event *event)
{
    log_forget_snapshot(log, allocator);
    log->snapshot = event;
}

static struct fh_event *copy_of(const struct fh_event *event, const struct fh_allocator *allocator)
{
    enum fh_event_kind kind = (enum fh_event_kind)event->kind;
    struct fh_event *copy = fh_event_new(allocator, kind, event->cpu, event->args);
    const struct fh_type *type = fh_event_object_type(kind);
    if (copy && type) {
        copy->object = event->object;
        fh_value_retain(type, &copy->object);
    }
    return copy;
}

bool fh_log_append(struct fh_log *log, enum fh_log_policy policy,
                   const struct fh_allocator *allocator, const struct fh_event *event)
{
    enum fh_event_kind kind = (enum fh_event_kind)event->kind;
    const bool is_snapshot =
        fh_event_family(kind) == FH_SHARED && fh_event_object_type(kind) != NULL;
    struct fh_event *copy = NULL;
    if (policy == FH_LOG_FULL || is_snapshot) {
        copy = copy_of(event, allocator);
        if (!copy)
            return false;
    }
    if (!log_step_tickets(log, allocator, kind, event->cpu, event->args[0])) {
        fh_event_release(copy, allocator);
        return false;
    }
    log_step(log, kind, event->cpu, event->args[0]);
    if (policy == FH_LOG_FULL)
        log_push(log, copy);
    else if (is_snapshot)
        log_keep_snapshot(log, allocator, copy);
    return true;
}
