/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

/*
 * Every call, with its first allocation failing, its second, and so on until it succeeds: each
 * time it says so, changes nothing and leaks nothing.
 */
enum { PAGES = 1024 };
static const uint64_t base = 0x80000000;

struct call {
    const char *function;
    unsigned nargs;
    uint64_t args[FH_MAX_ARGS];
};

/* In the order in which they succeed: each finds the state that the ones before it made. */
static const struct call calls[] = {
    {"map_page_host", 1, {base}},
    {"map_page_host", 1, {base + 4096}},
    {"map_s2pt", 4, {0, 0x40000000, 2, 0x40000000 | 0x7fd}},
    {"prot_and_map_vm_s2pt", 4, {1, 0x1000, base + 0x3000, 3}},
    {"prot_and_map_vm_s2pt", 4, {2, 0, base + 0x200000, 2}},
    {"grant_stage2_sg_gpa", 3, {2, 0, 0x8000}},
    {"grant_vm_page", 2, {1, base / 4096 + 3}},
    {"map_page_host", 1, {base + 0x3000}},
    {"revoke_vm_page", 2, {1, base / 4096 + 3}},
    {"clear_vm_range", 3, {2, base / 4096 + 512, 100}},
    {"map_vm_io", 3, {1, 0x5000, 0x9000000}},
    {"map_spt", 5, {0, 0, 0x1000, base | 3}},
    {"emulate_mmio", 2, {0x9000000, 0}},
    {"handle_host_stage2_fault", 0, {0}},
    {"assign_pfn_to_smmu", 3, {1, 7, base / 4096 + 9}},
    {"acquire_lock_core", 0, {0}},
    {"release_lock_core", 0, {0}},
};
enum { CALLS = sizeof calls / sizeof *calls };

static enum fh_status run(struct fh_state *state, const struct call *call)
{
    const struct fh_function *function = fh_function_find(call->function);
    ck_assert_msg(function != NULL, "no function %s", call->function);
    return fh_invoke(state, function, call->args, function->nargs, NULL);
}

/* A state on which all calls before `index` were made. */
static struct fh_state *prepared(struct memory *memory, enum fh_log_policy policy, unsigned index)
{
    struct fh_state *state = new_host_state(memory, policy, base, PAGES);
    for (unsigned i = 0; i < index; i++) {
        enum fh_status status = run(state, &calls[i]);
        ck_assert_msg(status == FH_OK, "%s: %s", calls[i].function, fh_status_name(status));
    }
    return state;
}

/* The call with allocation n failing; false if it succeeded before it came to that. */
static bool fails_cleanly(struct fh_state *state, struct memory *memory, unsigned index, size_t n,
                          bool for_good, const struct fh_rdata *expected)
{
    memory_fail_at(memory, n, for_good);
    enum fh_status status = run(state, &calls[index]);
    bool failed = memory->allocations >= n;
    memory_fail_at(memory, 0, false);
    ck_assert_msg(status == (failed ? FH_NOMEM : FH_OK), "%s, allocation %zu: %s",
                  calls[index].function, n, fh_status_name(status));
    if (failed) {
        assert_same_data(expected, fh_state_rdata(state));
        ck_assert_int_eq(fh_state_error(state)->status, FH_NOMEM);
    }
    return failed;
}

/* Each of the first hundred allocations, then fewer and fewer: some calls make thousands. */
static size_t next_to_fail(size_t n)
{
    return n + 1 + n / 100;
}

/* In a state that nobody shares, compared with a twin that was made apart. _i: the call. */
START_TEST(call_that_runs_out_of_memory_changes_nothing)
{
    unsigned index = (unsigned)_i;
    struct memory memory, apart;
    memory_init(&memory);
    memory_init(&apart);
    struct fh_state *twin = prepared(&apart, FH_LOG_SUMMARY, index);
    for (int for_good = 0; for_good < 2; for_good++) {
        bool failed = true;
        for (size_t n = 1; failed; n = next_to_fail(n)) {
            struct fh_state *state = prepared(&memory, FH_LOG_SUMMARY, index);
            failed = fails_cleanly(state, &memory, index, n, for_good, fh_state_rdata(twin));
            fh_state_free(state);
            ck_assert_uint_eq(memory.blocks, 0);
        }
    }
    fh_state_free(twin);
}
END_TEST

/* In a state that shares all with a snapshot, so that every write copies. _i: the call, policy. */
START_TEST(call_that_runs_out_of_memory_changes_nothing_in_shared_data)
{
    unsigned index = (unsigned)_i / 2;
    struct memory memory;
    memory_init(&memory);
    struct fh_state *state = prepared(&memory, _i % 2 ? FH_LOG_FULL : FH_LOG_SUMMARY, index);
    const struct fh_rdata *snapshot = fh_state_snapshot(state);
    for (int for_good = 0; for_good < 2; for_good++) {
        size_t n = 1;
        while (fails_cleanly(state, &memory, index, n, for_good, snapshot)) {
            fh_state_restore(state, snapshot);
            n = next_to_fail(n);
        }
        fh_state_restore(state, snapshot);
    }
    ck_assert_int_eq(run(state, &calls[index]), FH_OK);
    fh_snapshot_release(snapshot, &memory.allocator);
    fh_state_free(state);
    ck_assert_uint_eq(memory.blocks, 0);
}
END_TEST

START_TEST(state_that_cannot_be_made_is_null_and_leaks_nothing)
{
    struct memory memory;
    memory_init(&memory);
    const struct fh_config config = {.allocator = &memory.allocator};
    for (size_t n = 1;; n++) {
        memory_fail_at(&memory, n, false);
        struct fh_state *state = fh_state_new(&config);
        bool failed = memory.allocations >= n;
        ck_assert(failed == (state == NULL));
        fh_state_free(state);
        ck_assert_uint_eq(memory.blocks, 0);
        if (!failed)
            return;
    }
}
END_TEST

START_TEST(fork_that_cannot_be_made_is_null)
{
    struct memory memory;
    memory_init(&memory);
    struct fh_state *state = new_state(&memory, NULL, FH_LOG_FULL);
    memory_fail_at(&memory, 1, true);
    ck_assert_ptr_null(fh_state_fork(state));
    fh_state_free(state);
    ck_assert_uint_eq(memory.blocks, 0);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_loop_test(tests, call_that_runs_out_of_memory_changes_nothing, 0, CALLS);
    tcase_add_loop_test(tests, call_that_runs_out_of_memory_changes_nothing_in_shared_data, 0,
                        CALLS * 2);
    tcase_add_test(tests, state_that_cannot_be_made_is_null_and_leaks_nothing);
    tcase_add_test(tests, fork_that_cannot_be_made_is_null);
}

int main(void)
{
    return run_tests("nomem", add);
}
