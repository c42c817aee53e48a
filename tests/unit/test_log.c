/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include "state/log.h"

/* The status of a lock as the calculus computes it from a whole log. */
struct status {
    enum fh_log_lock lock;
    uint64_t holder;
    uint64_t budget;
};

struct plain_event {
    enum fh_event_kind kind;
    uint64_t cpu;
    uint64_t argument;
};

/* Locks/Spec.v: H_CalLock, by recursion on the log, whose oldest event is the first. */
static struct status calculate(const struct plain_event *events, unsigned count)
{
    const struct status broken = {FH_LOG_BROKEN, 0, 0}, empty = {FH_LOG_EMPTY, 0, 0};
    if (count == 0)
        return empty;
    const struct status before = calculate(events, count - 1);
    const struct plain_event *e = &events[count - 1];
    if (before.lock == FH_LOG_EMPTY && e->kind == FH_EVENT_WAIT_LOCK)
        return (struct status){FH_LOG_HELD, e->cpu, e->argument};
    if (before.lock != FH_LOG_HELD || before.holder != e->cpu)
        return broken;
    if (e->kind == FH_EVENT_REL_LOCK)
        return empty;
    bool shared = e->kind == FH_EVENT_OPULL || e->kind == FH_EVENT_OCORE_DATA ||
                  e->kind == FH_EVENT_OS2_PAGE || e->kind == FH_EVENT_ONPT ||
                  e->kind == FH_EVENT_OVMINFO || e->kind == FH_EVENT_OSPT ||
                  e->kind == FH_EVENT_OSMMU || e->kind == FH_EVENT_OFLATMEM;
    if (!shared || before.budget == 0)
        return broken;
    return (struct status){FH_LOG_HELD, before.holder, before.budget - 1};
}

static void assert_status(const struct fh_log *log, struct status expected)
{
    ck_assert_int_eq(log->lock, expected.lock);
    ck_assert_uint_eq(log->holder, expected.holder);
    ck_assert_uint_eq(log->budget, expected.budget);
}

static void append(struct fh_log *log, struct memory *memory, enum fh_log_policy policy,
                   const struct plain_event *plain)
{
    const uint64_t args[FH_EVENT_ARGS] = {plain->argument};
    struct fh_event *event = fh_event_new(&memory->allocator, plain->kind, plain->cpu, args);
    ck_assert(fh_log_append(log, policy, &memory->allocator, event));
    fh_event_release(event, &memory->allocator);
}

/* Mostly events that go on well, so that long logs stay unbroken now and then. */
static struct plain_event random_event(uint64_t *seed, const struct fh_log *log)
{
    struct plain_event event = {FH_EVENT_WAIT_LOCK, random_u64(seed) % 3, random_u64(seed) % 5};
    if (log->lock == FH_LOG_HELD) {
        event.kind = random_u64(seed) % 2 ? FH_EVENT_REL_LOCK : FH_EVENT_ONPT;
        if (random_u64(seed) % 8)
            event.cpu = log->holder;
    }
    if (random_u64(seed) % 16 == 0)
        event.kind = (enum fh_event_kind)(random_u64(seed) % (FH_EVENT_OFLATMEM + 1));
    return event;
}

START_TEST(summary_is_what_the_calculus_says_of_the_whole_log)
{
    enum { LENGTH = 24 };
    for (uint64_t seed = (uint64_t)_i * 1000, end = seed + 1000; seed < end; seed++) {
        uint64_t random = seed;
        struct memory memory;
        memory_init(&memory);
        struct plain_event events[LENGTH];
        struct fh_log full = {0}, summary = {0};
        for (unsigned i = 0; i < LENGTH; i++) {
            events[i] = random_event(&random, &full);
            append(&full, &memory, FH_LOG_FULL, &events[i]);
            append(&summary, &memory, FH_LOG_SUMMARY, &events[i]);
            assert_status(&full, calculate(events, i + 1));
            assert_status(&summary, calculate(events, i + 1));
            ck_assert_uint_eq(full.length, i + 1);
            ck_assert_uint_eq(summary.length, i + 1);
        }
        ck_assert_ptr_null(summary.newest);
        log_release(&full, &memory.allocator);
        log_release(&summary, &memory.allocator);
        ck_assert_uint_eq(memory.blocks, 0);
    }
}
END_TEST

START_TEST(log_that_broke_stays_broken)
{
    struct fh_log log = {0};
    log_step(&log, FH_EVENT_REL_LOCK, 0, 0);
    ck_assert_int_eq(log.lock, FH_LOG_BROKEN);
    log_step(&log, FH_EVENT_WAIT_LOCK, 0, 10);
    log_step(&log, FH_EVENT_REL_LOCK, 0, 0);
    ck_assert_int_eq(log.lock, FH_LOG_BROKEN);
    ck_assert_uint_eq(log.length, 3);
}
END_TEST

START_TEST(holder_may_add_as_many_snapshots_as_it_asked_for)
{
    struct fh_log log = {0};
    log_step(&log, FH_EVENT_WAIT_LOCK, 5, 2);
    log_step(&log, FH_EVENT_OPULL, 5, 0);
    log_step(&log, FH_EVENT_OS2_PAGE, 5, 0);
    ck_assert_int_eq(log.lock, FH_LOG_HELD);
    struct fh_log again = log;
    log_step(&again, FH_EVENT_REL_LOCK, 5, 0);
    ck_assert_int_eq(again.lock, FH_LOG_EMPTY);
    log_step(&log, FH_EVENT_OS2_PAGE, 5, 0);
    ck_assert_int_eq(log.lock, FH_LOG_BROKEN);
}
END_TEST

START_TEST(full_log_lists_its_events_newest_first)
{
    struct memory memory;
    memory_init(&memory);
    struct fh_log log = {0};
    append(&log, &memory, FH_LOG_FULL, &(struct plain_event){FH_EVENT_WAIT_LOCK, 2, 10});
    append(&log, &memory, FH_LOG_FULL, &(struct plain_event){FH_EVENT_OPULL, 2, 5});
    ck_assert_int_eq(log.newest->kind, FH_EVENT_OPULL);
    ck_assert_uint_eq(log.newest->args[0], 5);
    ck_assert_int_eq(log.newest->older->kind, FH_EVENT_WAIT_LOCK);
    ck_assert_uint_eq(log.newest->older->cpu, 2);
    ck_assert_ptr_null(log.newest->older->older);
    log_release(&log, &memory.allocator);
    ck_assert_uint_eq(memory.blocks, 0);
}
END_TEST

START_TEST(log_of_a_million_events_is_freed_without_deep_recursion)
{
    struct memory memory;
    memory_init(&memory);
    struct fh_log log = {0};
    for (unsigned i = 0; i < 1000000; i++) {
        struct fh_event *event = fh_event_new(&memory.allocator, FH_EVENT_REL_LOCK, 0, NULL);
        log_push(&log, event);
    }
    log_release(&log, &memory.allocator);
    ck_assert_uint_eq(memory.blocks, 0);
}
END_TEST

START_TEST(two_logs_that_share_a_tail_keep_it_until_both_are_gone)
{
    struct memory memory;
    memory_init(&memory);
    struct fh_log log = {0};
    append(&log, &memory, FH_LOG_FULL, &(struct plain_event){FH_EVENT_WAIT_LOCK, 0, 10});
    struct fh_log other = log;
    log_retain(&other);
    append(&other, &memory, FH_LOG_FULL, &(struct plain_event){FH_EVENT_OPULL, 0, 5});
    append(&log, &memory, FH_LOG_FULL, &(struct plain_event){FH_EVENT_REL_LOCK, 0, 0});
    ck_assert_ptr_eq(log.newest->older, other.newest->older);
    log_release(&other, &memory.allocator);
    ck_assert_int_eq(log.newest->older->kind, FH_EVENT_WAIT_LOCK);
    log_release(&log, &memory.allocator);
    ck_assert_uint_eq(memory.blocks, 0);
}
END_TEST

START_TEST(event_table_gives_name_family_and_arguments)
{
    ck_assert_str_eq(fh_event_name(FH_EVENT_WAIT_LOCK), "WAIT_LOCK");
    ck_assert_uint_eq(fh_event_nargs(FH_EVENT_WAIT_LOCK), 1);
    ck_assert_int_eq(fh_event_family(FH_EVENT_WAIT_LOCK), FH_TICKET);
    ck_assert_int_eq(fh_event_family(FH_EVENT_ONPT), FH_SHARED);
    ck_assert_int_eq(fh_event_family(FH_EVENT_OGRANT), FH_ATOMIC);
    ck_assert_uint_eq(fh_event_nargs(FH_EVENT_OASSIGN_VM), 4);
    ck_assert_int_eq(fh_event_family(FH_EVENT_UPDATE_PTE), FH_UPDATE);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_loop_test(tests, summary_is_what_the_calculus_says_of_the_whole_log, 0, 4);
    tcase_add_test(tests, log_that_broke_stays_broken);
    tcase_add_test(tests, holder_may_add_as_many_snapshots_as_it_asked_for);
    tcase_add_test(tests, full_log_lists_its_events_newest_first);
    tcase_add_test(tests, log_of_a_million_events_is_freed_without_deep_recursion);
    tcase_add_test(tests, two_logs_that_share_a_tail_keep_it_until_both_are_gone);
    tcase_add_test(tests, event_table_gives_name_family_and_arguments);
}

int main(void)
{
    return run_tests("log", add);
}
