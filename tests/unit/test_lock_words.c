/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include "layers/lock_log.h"

/*
 * The words that locks consist of, below the layer Locks: here the log decides what an object is,
 * so that a run with whole logs and one with their summaries could come apart.
 */

enum { CORE = 1, NPT = 5, INFO = 22 };

/* What another CPU did on a lock: a critical section that leaves one of a few objects behind. */
struct section {
    struct fh_event *events[4];
};

enum { OBJECTS = 3 };
static struct memory memory;
static struct section of_core[OBJECTS], of_table[OBJECTS];

static struct fh_event *new_event(enum fh_event_kind kind)
{
    const uint64_t args[FH_EVENT_ARGS] = {10};
    struct fh_event *event = fh_event_new(&memory.allocator, kind, 7, args);
    ck_assert_ptr_nonnull(event);
    return event;
}

static void make_section(struct section *section, enum fh_event_kind snapshot)
{
    section->events[0] = new_event(FH_EVENT_WAIT_LOCK);
    section->events[1] = new_event(FH_EVENT_OPULL);
    section->events[2] = new_event(snapshot);
    section->events[3] = new_event(FH_EVENT_REL_LOCK);
}

static void setup(void)
{
    memory_init(&memory);
    for (unsigned i = 0; i < OBJECTS; i++) {
        make_section(&of_core[i], FH_EVENT_OCORE_DATA);
        of_core[i].events[2]->object.core_data.next_vmid = 100 + i;
        make_section(&of_table[i], FH_EVENT_ONPT);
        union fh_object *object = &of_table[i].events[2]->object;
        void *record = NULL;
        ck_assert(fh_ref_own(fh_event_object_type(FH_EVENT_ONPT), &record, &memory.allocator));
        ((struct fh_npt *)record)->pt_pgd_next = 200 + i;
        object->npt = record;
    }
}

static void teardown(void)
{
    for (unsigned i = 0; i < OBJECTS; i++) {
        for (unsigned j = 0; j < 4; j++) {
            fh_event_release(of_core[i].events[j], &memory.allocator);
            fh_event_release(of_table[i].events[j], &memory.allocator);
        }
    }
    ck_assert_uint_eq(memory.blocks, 0);
}

static size_t oracle(void *context, uint64_t id, uint64_t cpu, const struct fh_log *log,
                     const struct fh_event *const **events)
{
    (void)context, (void)cpu;
    const struct section *sections = id == CORE ? of_core : of_table;
    const bool is_known = id == CORE || (id >= NPT && id < INFO);
    if (!is_known || log->lock != FH_LOG_EMPTY || log->length % 3 == 0)
        return 0;
    *events = (const struct fh_event *const *)sections[log->length % OBJECTS].events;
    return 4;
}

/* The same random call in both states; few locks, so that calls often meet. */
static enum fh_status call(struct fh_state *s, uint64_t random)
{
    const uint32_t vmid = (uint32_t)(random >> 8) % 3;
    const uint32_t lk = random >> 16 & 1 ? NPT + vmid : random >> 17 & 1 ? CORE : CORE - 1;
    const uint32_t value = (uint32_t)(random >> 32);
    switch (random % 16) {
    case 0:
    case 1: return fh_wait_hlock(s, lk);
    case 2:
    case 3: return fh_pass_hlock(s, lk);
    case 4:
    case 5: return fh_acquire_shared(s, lk);
    case 6:
    case 7: return fh_release_shared_pt(s, vmid);
    case 8: return fh_release_shared_core(s);
    case 9: return fh_acquire_lock_pt(s, vmid);
    case 10: return fh_release_lock_pt(s, vmid);
    case 11: return fh_acquire_lock_core(s);
    case 12: return fh_release_lock_core(s);
    case 13: return fh_set_next_vmid(s, value);
    case 14: return fh_clear_phys_page(s, value % 8);
    default: return fh_set_pgd_next(s, vmid, value);
    }
}

START_TEST(log_policy_changes_no_object)
{
    unsigned passed = 0;
    for (uint64_t seed = (uint64_t)_i * 40, end = seed + 40; seed < end; seed++) {
        uint64_t random = seed;
        struct fh_state *full = new_state(&memory, NULL, FH_LOG_FULL);
        struct fh_state *summary = new_state(&memory, NULL, FH_LOG_SUMMARY);
        fh_state_environment(full)->oracle = oracle;
        fh_state_environment(summary)->oracle = oracle;
        for (unsigned i = 0; i < 400; i++) {
            const uint64_t choice = random_u64(&random);
            const enum fh_status status = call(full, choice);
            ck_assert_int_eq(status, call(summary, choice));
            passed += status == FH_OK;
            assert_same_data(fh_state_rdata(full), fh_state_rdata(summary));
        }
        fh_state_free(full);
        fh_state_free(summary);
    }
    ck_assert_uint_gt(passed, 1000);
}
END_TEST

START_TEST(object_becomes_what_another_cpu_left_when_it_is_pulled)
{
    struct fh_state *s = new_state(&memory, NULL, FH_LOG_SUMMARY);
    fh_state_environment(s)->oracle = oracle;
    ck_assert_int_eq(fh_wait_hlock(s, NPT), FH_OK);
    ck_assert_int_eq(fh_acquire_shared(s, NPT), FH_OK);
    ck_assert_int_eq(fh_release_shared_pt(s, 1), FH_OK);
    ck_assert_int_eq(fh_pass_hlock(s, NPT), FH_OK);
    /* The log has 4 events: the oracle answers with the section of object 1. */
    ck_assert_int_eq(fh_wait_hlock(s, NPT), FH_OK);
    uint64_t next = 0;
    ck_assert_int_eq(fh_get_pgd_next(s, 0, &next), FH_STUCK);
    ck_assert_int_eq(fh_acquire_shared(s, NPT), FH_OK);
    ck_assert_int_eq(fh_get_pgd_next(s, 0, &next), FH_OK);
    ck_assert_uint_eq(next, 201);
    fh_state_free(s);
}
END_TEST

START_TEST(ticket_is_served_when_those_in_front_are_done)
{
    struct fh_state *s = new_state(&memory, NULL, FH_LOG_FULL);
    ck_assert_int_eq(fh_wait_qlock(s, NPT), FH_OK);
    ck_assert_int_eq(lock_status(s, NPT), FH_LOCK_OWN_FALSE);
    ck_assert_int_eq(fh_wait_qlock(s, NPT), FH_STUCK);
    /* Without the lock's owner nobody goes on: the wait ends after CalWaitTime questions. */
    ck_assert_int_eq(fh_wait_lock(s, NPT), FH_STUCK);
    ck_assert_int_eq(fh_pass_qlock(s, NPT), FH_OK);
    ck_assert_int_eq(lock_status(s, NPT), FH_LOCK_FREE);
    ck_assert_int_eq(fh_wait_lock(s, NPT), FH_OK);
    fh_state_free(s);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, log_policy_changes_no_object, 0, 5);
    tcase_add_test(tests, object_becomes_what_another_cpu_left_when_it_is_pulled);
    tcase_add_test(tests, ticket_is_served_when_those_in_front_are_done);
}

int main(void)
{
    return run_tests("lock_words", add);
}
