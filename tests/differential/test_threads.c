/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Forks of one state in several threads: each ends as if it had been alone. Under the preset `tsan`
 * a race between them is an error of its own.
 */
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "random_calls.h"

enum { THREADS = 4, STEPS_BEFORE = 200, STEPS = 150, ROUNDS = 8 };

/* --- Memory for all threads ---------------------------------------------------------------------
 */

static size_t blocks; /* that are out */

static void *counted_alloc(void *context, size_t size)
{
    (void)context;
    __atomic_fetch_add(&blocks, 1, __ATOMIC_RELAXED);
    return malloc(size);
}

static void counted_free(void *context, void *memory, size_t size)
{
    (void)context, (void)size;
    __atomic_fetch_sub(&blocks, 1, __ATOMIC_RELAXED);
    free(memory);
}

/* --- What each of them does ---------------------------------------------------------------------
 */

struct work {
    struct fh_state *state;
    uint64_t seed;
    pthread_barrier_t *start; /* NULL: alone */
};

static void take_steps(struct fh_state *state, uint64_t *seed)
{
    struct random_call steps[MAX_STEPS];
    const unsigned nsteps = random_steps(fh_state_profile(state), seed, steps);
    random_registers(state, random_u64(seed));
    for (unsigned i = 0; i < nsteps; i++)
        fh_invoke(state, steps[i].function, steps[i].args, steps[i].function->nargs, NULL);
    if (fh_state_rdata(state)->halt)
        fh_state_edit(state)->halt = false;
}

/* Steps on a fork of the fork, which then ends. */
static void look_ahead(struct fh_state *state, uint64_t seed)
{
    struct fh_state *fork = fh_state_fork(state);
    take_steps(fork, &seed);
    fh_state_free(fork);
}

static void *work_through(void *context)
{
    struct work *work = context;
    const struct fh_rdata *snapshot = NULL;
    uint64_t seed = work->seed;
    if (work->start)
        pthread_barrier_wait(work->start);
    for (unsigned i = 0; i < STEPS; i++) {
        take_steps(work->state, &seed);
        switch (random_u64(&seed) % 16) {
        case 0:
            fh_snapshot_release(snapshot, fh_state_allocator(work->state));
            snapshot = fh_state_snapshot(work->state);
            break;
        case 1:
            if (snapshot)
                fh_state_restore(work->state, snapshot);
            break;
        case 2: look_ahead(work->state, seed); break;
        default: break;
        }
    }
    fh_snapshot_release(snapshot, fh_state_allocator(work->state));
    return NULL;
}

/* --- The test -----------------------------------------------------------------------------------
 */

static struct fh_state *begin(uint64_t number)
{
    static const struct {
        enum fh_log_policy policy;
        enum fh_realisation realisation;
    } kinds[] = {{FH_LOG_SUMMARY, FH_ABSTRACT},
                 {FH_LOG_FULL, FH_ABSTRACT},
                 {FH_LOG_SUMMARY, FH_BOTH},
                 {FH_LOG_FULL, FH_CONCRETE}};
    struct memory memory = {.allocator = {counted_alloc, counted_free, NULL}};
    struct fh_state *state = new_machine(&memory, &fh_profile_spec, kinds[number % 4].policy,
                                         kinds[number % 4].realisation, 0);
    uint64_t seed = number;
    for (unsigned i = 0; i < STEPS_BEFORE; i++)
        take_steps(state, &seed);
    return state;
}

/* The state that all share goes away while they work. */
static void run_together(struct fh_state *base, struct work *works)
{
    pthread_t threads[THREADS];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, THREADS + 1);
    for (unsigned i = 0; i < THREADS; i++) {
        works[i].start = &start;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work_through, &works[i]), 0);
    }
    pthread_barrier_wait(&start);
    fh_state_free(base);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&start);
}

static void run_round(uint64_t number)
{
    struct fh_state *base = begin(number);
    struct work alone[THREADS], together[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        alone[i] = (struct work){fh_state_fork(base), number * THREADS + i, NULL};
        together[i] = (struct work){fh_state_fork(base), number * THREADS + i, NULL};
    }
    for (unsigned i = 0; i < THREADS; i++)
        work_through(&alone[i]);
    run_together(base, together);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_same_data(fh_state_rdata(alone[i].state), fh_state_rdata(together[i].state));
        fh_state_free(alone[i].state);
        fh_state_free(together[i].state);
    }
    ck_assert_uint_eq(__atomic_load_n(&blocks, __ATOMIC_RELAXED), 0);
}

START_TEST(forks_in_threads_end_as_each_would_alone)
{
    for (uint64_t number = 0; number < ROUNDS; number++)
        run_round(number);
}
END_TEST

/* One snapshot, which all read while the state that it is of goes on. */
static void *read_snapshot(void *context)
{
    const struct fh_rdata *snapshot = context;
    for (unsigned i = 0; i < 20; i++)
        ck_assert_uint_eq(count_changes(snapshot, snapshot, NULL, 0), 0);
    for (unsigned i = 0; i < 20; i++) {
        const struct fh_config config = {.allocator = fh_malloc_allocator()};
        struct fh_state *other = fh_state_new(&config);
        ck_assert_uint_gt(count_changes(snapshot, fh_state_rdata(other), NULL, 0), 0);
        fh_state_free(other);
    }
    return NULL;
}

START_TEST(snapshot_is_read_by_several_threads_while_its_state_goes_on)
{
    struct fh_state *state = begin(1);
    const struct fh_rdata *snapshot = fh_state_snapshot(state);
    pthread_t threads[THREADS];
    uint64_t seed = 7;
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, read_snapshot, (void *)(uintptr_t)snapshot), 0);
    for (unsigned i = 0; i < STEPS; i++)
        take_steps(state, &seed);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    fh_snapshot_release(snapshot, fh_state_allocator(state));
    fh_state_free(state);
    ck_assert_uint_eq(blocks, 0);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, forks_in_threads_end_as_each_would_alone);
    tcase_add_test(tests, snapshot_is_read_by_several_threads_while_its_state_goes_on);
}

int main(void)
{
    return run_tests("threads", add_tests);
}
