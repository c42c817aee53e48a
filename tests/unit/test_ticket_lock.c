/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <string.h>

#include "state/log.h"

enum { MAX_EVENTS = 60 };

struct plain_event {
    enum fh_event_kind kind;
    uint64_t cpu;
    uint64_t bound;
};

/* What CalLock.v computes of a whole log; `queue` is what both calculi return of it. */
struct status {
    bool tickets_broken, queue_broken;
    uint64_t ticket, now;
    uint64_t self, other; /* the counters of Q_CalLock */
    enum fh_log_queue head;
    unsigned length;
    struct plain_event queue[MAX_EVENTS];
};

static bool is_shared(enum fh_event_kind kind)
{
    return kind >= FH_EVENT_OPULL && kind <= FH_EVENT_OFLATMEM;
}

static void pop(struct status *status)
{
    if (status->length == 0)
        return;
    status->length--;
    memmove(status->queue, status->queue + 1, status->length * sizeof *status->queue);
}

/* CalTicketLock: the tickets and the queue. */
static void calculate_tickets(struct status *status, const struct plain_event *e)
{
    if (e->kind == FH_EVENT_INC_TICKET) {
        status->ticket++;
        status->queue[status->length++] = *e;
    } else if (e->kind == FH_EVENT_INC_NOW) {
        status->now++;
        pop(status);
    } else if (e->kind != FH_EVENT_GET_NOW && e->kind != FH_EVENT_HOLD_LOCK &&
               !is_shared(e->kind)) {
        status->tickets_broken = true;
    }
}

/* Q_CalLock, of an event of the CPU at the head. False: rejected. */
static bool head_may(struct status *status, const struct plain_event *e)
{
    status->other = 20;
    if (e->kind == FH_EVENT_GET_NOW && status->head == FH_QUEUE_IDLE) {
        status->self = status->queue[0].bound;
        status->head = FH_QUEUE_SERVED;
        return true;
    }
    if (e->kind == FH_EVENT_HOLD_LOCK && status->head == FH_QUEUE_SERVED) {
        status->head = FH_QUEUE_HELD;
        return true;
    }
    if (e->kind == FH_EVENT_INC_NOW && status->head == FH_QUEUE_HELD) {
        status->self = 0;
        status->head = FH_QUEUE_IDLE;
        return true;
    }
    if (is_shared(e->kind) && status->head == FH_QUEUE_HELD && status->self > 0) {
        status->self--;
        return true;
    }
    return false;
}

/* Q_CalLock, of any event, before the queue moves. */
static bool may(struct status *status, const struct plain_event *e)
{
    if (status->length == 0)
        return e->kind == FH_EVENT_INC_TICKET;
    bool waits = false;
    for (unsigned i = 0; i < status->length; i++)
        waits = waits || status->queue[i].cpu == e->cpu;
    bool is_head = status->queue[0].cpu == e->cpu;
    if ((e->kind == FH_EVENT_INC_TICKET && !waits) || (e->kind == FH_EVENT_GET_NOW && !is_head)) {
        if (status->other == 0)
            return false;
        status->other--;
        return true;
    }
    return is_head && head_may(status, e);
}

/* By recursion on the log, whose oldest event is the first. */
static struct status calculate(const struct plain_event *events, unsigned count)
{
    struct status status = {.other = 20};
    for (unsigned i = 0; i < count && !status.tickets_broken; i++) {
        status.queue_broken = status.queue_broken || !may(&status, &events[i]);
        calculate_tickets(&status, &events[i]);
    }
    status.queue_broken = status.queue_broken || status.tickets_broken;
    return status;
}

static void assert_status(const struct fh_log *log, const struct status *expected)
{
    ck_assert_int_eq(log->is_ticket_broken, expected->tickets_broken);
    ck_assert_int_eq(log->queue_lock == FH_QUEUE_BROKEN, expected->queue_broken);
    if (!expected->queue_broken) {
        ck_assert_int_eq(log->queue_lock, expected->head);
        ck_assert_uint_eq(log->queue_budget, expected->self);
        ck_assert_uint_eq(log->queue_waited, 20 - expected->other);
    }
    if (expected->tickets_broken)
        return;
    uint64_t sum = 0;
    for (unsigned i = 0; i < expected->length; i++)
        sum += 4 + expected->queue[i].bound;
    ck_assert_uint_eq(log_next_ticket(log), expected->ticket);
    ck_assert_uint_eq(log_now(log), expected->now);
    ck_assert_uint_eq(log_wait_time(log, 20), 21 + 20 * sum);
}

static void append(struct fh_log *log, struct memory *memory, enum fh_log_policy policy,
                   const struct plain_event *plain)
{
    const uint64_t args[FH_EVENT_ARGS] = {plain->bound};
    struct fh_event *event = fh_event_new(&memory->allocator, plain->kind, plain->cpu, args);
    ck_assert(fh_log_append(log, policy, &memory->allocator, event));
    fh_event_release(event, &memory->allocator);
}

/* Mostly what goes on well with the CPU at the head, so that queues grow and shrink unbroken. */
static struct plain_event random_event(uint64_t *seed, const struct status *now)
{
    static const enum fh_event_kind next[] = {FH_EVENT_GET_NOW, FH_EVENT_HOLD_LOCK,
                                              FH_EVENT_INC_NOW, FH_EVENT_INC_NOW};
    struct plain_event event = {FH_EVENT_INC_TICKET, random_u64(seed) % 30, random_u64(seed) % 6};
    uint64_t choice = random_u64(seed) % 32;
    if (choice == 0)
        event.kind = (enum fh_event_kind)(random_u64(seed) % (FH_EVENT_OFLATMEM + 1));
    else if (choice < 6)
        event.kind = FH_EVENT_GET_NOW;
    else if (choice < 22 && now->length > 0) {
        event.cpu = now->queue[0].cpu;
        event.kind = now->head == FH_QUEUE_HELD && choice % 2 ? FH_EVENT_ONPT : next[now->head];
    }
    return event;
}

START_TEST(ticket_summary_is_what_the_calculi_say_of_the_whole_log)
{
    unsigned whole = 0, broken = 0;
    for (uint64_t seed = (uint64_t)_i * 300, end = seed + 300; seed < end; seed++) {
        uint64_t random = seed;
        struct memory memory;
        memory_init(&memory);
        struct plain_event events[MAX_EVENTS];
        struct fh_log full = {0}, summary = {0};
        struct status status = calculate(events, 0);
        for (unsigned i = 0; i < MAX_EVENTS; i++) {
            events[i] = random_event(&random, &status);
            append(&full, &memory, FH_LOG_FULL, &events[i]);
            append(&summary, &memory, FH_LOG_SUMMARY, &events[i]);
            status = calculate(events, i + 1);
            assert_status(&full, &status);
            assert_status(&summary, &status);
            whole += !status.queue_broken;
            broken += status.queue_broken && !status.tickets_broken;
        }
        log_release(&full, &memory.allocator);
        log_release(&summary, &memory.allocator);
        ck_assert_uint_eq(memory.blocks, 0);
    }
    ck_assert_uint_gt(whole, 300);
    ck_assert_uint_gt(broken, 300);
}
END_TEST

START_TEST(log_that_shares_its_tickets_keeps_them_while_the_other_goes_on)
{
    struct memory memory;
    memory_init(&memory);
    struct fh_log log = {0};
    append(&log, &memory, FH_LOG_SUMMARY, &(struct plain_event){FH_EVENT_INC_TICKET, 3, 10});
    struct fh_log other = log;
    log_retain(&other);
    append(&other, &memory, FH_LOG_SUMMARY, &(struct plain_event){FH_EVENT_INC_TICKET, 4, 1});
    append(&other, &memory, FH_LOG_SUMMARY, &(struct plain_event){FH_EVENT_INC_NOW, 3, 0});
    ck_assert_uint_eq(log_next_ticket(&log), 1);
    ck_assert_uint_eq(log_now(&log), 0);
    ck_assert_uint_eq(log_wait_time(&log, 1), 2 + 4 + 10);
    ck_assert_uint_eq(log_next_ticket(&other), 2);
    ck_assert_uint_eq(log_now(&other), 1);
    ck_assert_uint_eq(log_wait_time(&other, 1), 2 + 4 + 1);
    log_release(&other, &memory.allocator);
    log_release(&log, &memory.allocator);
    ck_assert_uint_eq(memory.blocks, 0);
}
END_TEST

START_TEST(log_is_unchanged_when_there_is_no_memory_for_an_event)
{
    struct memory memory;
    memory_init(&memory);
    struct fh_log log = {0};
    const uint64_t bound[FH_EVENT_ARGS] = {10};
    struct fh_event *event = fh_event_new(&memory.allocator, FH_EVENT_INC_TICKET, 1, bound);
    for (size_t n = 1; n <= 2; n++) {
        memory_fail_at(&memory, n, false);
        ck_assert(!fh_log_append(&log, FH_LOG_FULL, &memory.allocator, event));
        ck_assert_uint_eq(log.length, 0);
        ck_assert_uint_eq(log_next_ticket(&log), 0);
        ck_assert_ptr_null(log.newest);
    }
    memory_fail_at(&memory, 0, false);
    fh_event_release(event, &memory.allocator);
    log_release(&log, &memory.allocator);
    ck_assert_uint_eq(memory.blocks, 0);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_loop_test(tests, ticket_summary_is_what_the_calculi_say_of_the_whole_log, 0, 8);
    tcase_add_test(tests, log_that_shares_its_tickets_keeps_them_while_the_other_goes_on);
    tcase_add_test(tests, log_is_unchanged_when_there_is_no_memory_for_an_event);
}

int main(void)
{
    return run_tests("ticket_lock", add);
}
