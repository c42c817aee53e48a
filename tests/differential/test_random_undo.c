/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random sequences of calls and other writes, parts of which are taken back, beside the same
 * sequence on another state without these parts: both end with the same data. Snapshots that are
 * taken on the way, forks, restored snapshots and failing memory change nothing of that.
 */
#include <inttypes.h>
#include <string.h>

#include "random_calls.h"
#include "state/machine.h"

enum { HELD = 12, STEPS = 400, DEEPEST = 3 };

/* What a snapshot holds, in a number: all its differences from another one. */
static bool add_change(void *context, const struct fh_change *change)
{
    uint64_t *sum = context;
    char path[200];
    fh_path_format(change->path, path, sizeof path);
    for (const char *c = path; *c; c++)
        *sum = (*sum ^ (uint64_t)(unsigned char)*c) * 0x100000001b3u;
    uint64_t value[8] = {0};
    if (change->type->kind == FH_KIND_LOG) {
        const struct fh_log *log = change->after;
        value[0] = log->length;
        value[1] = log->holder ^ (uint64_t)log->lock << 56;
    } else {
        memcpy(value, change->after, change->type->as_value.value_size);
    }
    for (unsigned i = 0; i < 8; i++)
        *sum = (*sum ^ value[i]) * 0x100000001b3u;
    return true;
}

static uint64_t sum_of(const struct fh_rdata *base, const struct fh_rdata *adt)
{
    uint64_t sum = 1;
    ck_assert(fh_delta(base, adt, add_change, &sum));
    return sum;
}

/* A snapshot of the state under test, and of its twin if what was done up to it stays. */
struct held {
    const struct fh_rdata *tested, *twin;
    uint64_t sum;
};

struct run {
    uint64_t number, seed;
    struct memory memory, apart;
    struct fh_state *state, *twin;
    const struct fh_rdata *base; /* of the state, to take sums against */
    bool stays;                  /* what is done now is done to the twin as well */
    unsigned depth, steps;
    struct held held[HELD];
    unsigned taken_back, kept, snapshots, without_memory;
};

static uint64_t below(struct run *run, uint64_t end)
{
    return random_u64(&run->seed) % end;
}

static void assert_as_before(struct run *run, uint64_t sum, const char *what)
{
    ck_assert_msg(sum_of(run->base, fh_state_rdata(run->state)) == sum,
                  "seed %" PRIu64 ", step %u: %s", run->number, run->steps, what);
}

/* --- Writes ----------------------------------------------------------------------------------- */

static void call_both(struct run *run, const struct random_call *call)
{
    uint64_t result = 0, expected = 0;
    const unsigned nargs = call->function->nargs;
    const enum fh_status status = fh_invoke(run->state, call->function, call->args, nargs, &result);
    if (!run->stays)
        return;
    char name[200];
    const enum fh_status as_expected =
        fh_invoke(run->twin, call->function, call->args, nargs, &expected);
    ck_assert_msg(status == as_expected, "seed %" PRIu64 ", step %u, %s: %s, and not %s",
                  run->number, run->steps, call_text(call, name, sizeof name),
                  fh_status_name(status), fh_status_name(as_expected));
    ck_assert_uint_eq(result, expected);
}

static void make_calls(struct run *run)
{
    struct random_call steps[MAX_STEPS];
    const unsigned count = random_steps(fh_state_profile(run->state), &run->seed, steps);
    for (unsigned i = 0; i < count; i++)
        call_both(run, &steps[i]);
}

static void write_registers(struct run *run)
{
    const uint64_t seed = random_u64(&run->seed);
    random_registers(run->state, seed);
    if (run->stays)
        random_registers(run->twin, seed);
}

static void write_register(struct run *run)
{
    static const size_t places[] = {FH_REG(ctxt_regs.hpfar_el2), FH_REG(ctxt_states.pc),
                                    FH_REG(ctxt_regs.x0)};
    const size_t place = places[below(run, 3)];
    const uint64_t value = random_u64(&run->seed);
    ck_assert_int_eq(fh_state_set_reg(run->state, place, value), FH_OK);
    if (run->stays)
        ck_assert_int_eq(fh_state_set_reg(run->twin, place, value), FH_OK);
}

static void edit(struct fh_state *state, struct memory *memory, uint64_t key, uint64_t value)
{
    bool existed;
    struct fh_rdata *adt = fh_state_edit(state);
    void *number = fh_map_edit(&adt->shared.flatmem, &type_of_u64->as_value, &memory->allocator,
                               key, &existed);
    *(uint64_t *)number = value;
    struct fh_npt **npt = fh_map_edit(&adt->shared.npts, &type_of_ref_npt->as_value,
                                      &memory->allocator, key % 3, &existed);
    ck_assert(fh_ref_own(type_of_ref_npt, npt, &memory->allocator));
    (*npt)->pt_pmd_next = value & 0xfffff000;
}

static void write_data(struct run *run)
{
    const uint64_t key = below(run, 40), value = random_u64(&run->seed);
    edit(run->state, &run->memory, key, value);
    if (run->stays)
        edit(run->twin, &run->apart, key, value);
}

static void write_cpu(struct run *run)
{
    const int64_t vcpuid = (int64_t)below(run, 4) - 1;
    fh_state_edit_cpu(run->state)->cur_vcpuid = vcpuid;
    fh_state_edit_cpu(run->state)->halt = false;
    if (!run->stays)
        return;
    fh_state_edit_cpu(run->twin)->cur_vcpuid = vcpuid;
    fh_state_edit_cpu(run->twin)->halt = false;
}

static void write_word(struct run *run)
{
    const struct fh_profile *k = fh_state_profile(run->state);
    const uint64_t place = k->PT_POOL_START + k->HOST_PGD_OFFSET + below(run, 8) * 8;
    const uint64_t word = random_u64(&run->seed);
    ck_assert_int_eq(fh_table_set_word(run->state, FH_STAGE2_TABLES, place, word), FH_OK);
    if (run->stays)
        ck_assert_int_eq(fh_table_set_word(run->twin, FH_STAGE2_TABLES, place, word), FH_OK);
}

/* --- Snapshots -------------------------------------------------------------------------------- */

static void let_go(struct run *run, struct held *held)
{
    if (held->tested)
        ck_assert_uint_eq(sum_of(run->base, held->tested), held->sum);
    fh_snapshot_release(held->tested, &run->memory.allocator);
    fh_snapshot_release(held->twin, &run->apart.allocator);
    *held = (struct held){0};
}

static void take_snapshot(struct run *run)
{
    struct held *held = &run->held[below(run, HELD)];
    let_go(run, held);
    held->tested = fh_state_snapshot(run->state);
    held->sum = sum_of(run->base, held->tested);
    held->twin = run->stays ? fh_state_snapshot(run->twin) : NULL;
    run->snapshots++;
}

static void drop_snapshot(struct run *run)
{
    let_go(run, &run->held[below(run, HELD)]);
}

static void restore_snapshot(struct run *run)
{
    const struct held *held = &run->held[below(run, HELD)];
    if (!held->tested || (run->stays && !held->twin))
        return;
    ck_assert_int_eq(fh_state_restore(run->state, held->tested), FH_OK);
    if (run->stays)
        ck_assert_int_eq(fh_state_restore(run->twin, held->twin), FH_OK);
}

static void fork_and_call(struct run *run)
{
    struct random_call steps[MAX_STEPS];
    struct fh_state *fork = fh_state_fork(run->state);
    const uint64_t sum = sum_of(run->base, fh_state_rdata(run->state));
    const unsigned count = random_steps(fh_state_profile(fork), &run->seed, steps);
    for (unsigned i = 0; i < count; i++)
        fh_invoke(fork, steps[i].function, steps[i].args, steps[i].function->nargs, NULL);
    ck_assert_int_eq(fh_undo(fork), FH_OK);
    assert_as_before(run, sum, "a fork changed the state");
    fh_state_free(fork);
}

/* --- Taking back ------------------------------------------------------------------------------ */

static void undo(struct run *run, uint64_t sum)
{
    if (below(run, 4) == 0) { /* fails, and can be tried again */
        const uint64_t now = sum_of(run->base, fh_state_rdata(run->state));
        memory_fail_at(&run->memory, 1 + (size_t)below(run, 6), true);
        const enum fh_status status = fh_undo(run->state);
        memory_fail_at(&run->memory, 0, false);
        if (status == FH_OK) {
            assert_as_before(run, sum, "not all was taken back");
            return;
        }
        ck_assert_int_eq(status, FH_NOMEM);
        assert_as_before(run, now, "taking back without memory changed something");
        run->without_memory++;
    }
    ck_assert_int_eq(fh_undo(run->state), FH_OK);
    assert_as_before(run, sum, "not all was taken back");
    run->taken_back++;
}

/* One call, taken back at once. */
static void call_and_undo(struct run *run)
{
    struct random_call steps[MAX_STEPS];
    const uint64_t sum = sum_of(run->base, fh_state_rdata(run->state));
    random_steps(fh_state_profile(run->state), &run->seed, steps);
    const bool in_transaction = run->depth > 0;
    if (in_transaction)
        ck_assert_int_eq(fh_begin(run->state), FH_OK);
    if (below(run, 8) == 0)
        memory_fail_at(&run->memory, 1 + (size_t)below(run, 4), true);
    fh_invoke(run->state, steps[0].function, steps[0].args, steps[0].function->nargs, NULL);
    memory_fail_at(&run->memory, 0, false);
    const bool shares = below(run, 4) == 0;
    const struct fh_rdata *snapshot = shares ? fh_state_snapshot(run->state) : NULL;
    const uint64_t after = shares ? sum_of(run->base, snapshot) : 0;
    undo(run, sum);
    if (shares)
        ck_assert_uint_eq(sum_of(run->base, snapshot), after);
    fh_snapshot_release(snapshot, &run->memory.allocator);
}

static void act(struct run *run);

static void transaction(struct run *run)
{
    const bool outer_stays = run->stays, keeps = below(run, 2);
    const uint64_t sum = sum_of(run->base, fh_state_rdata(run->state));
    ck_assert_int_eq(fh_begin(run->state), FH_OK);
    run->depth++;
    run->stays = outer_stays && keeps;
    for (uint64_t n = below(run, 12); n > 0; n--)
        act(run);
    run->depth--;
    run->stays = outer_stays;
    if (!keeps) {
        undo(run, sum);
        return;
    }
    ck_assert_int_eq(fh_keep(run->state), FH_OK);
    run->kept++;
}

/* What the setters made of it is what the data say. */
static void check_hash(struct run *run)
{
    const uint32_t parts = run->state->hash.parts;
    if (parts == 0)
        return;
    ck_assert_msg(fh_state_hash(run->state) == fh_rdata_hash(fh_state_rdata(run->state), parts),
                  "seed %" PRIu64 ", step %u: the hash is not that of the data", run->number,
                  run->steps);
    if (run->stays)
        ck_assert_uint_eq(fh_state_hash(run->state), fh_state_hash(run->twin));
}

static void act(struct run *run)
{
    if (run->steps % 2 == 0)
        check_hash(run);
    run->steps++;
    switch (below(run, 24)) {
    case 0: write_registers(run); break;
    case 1: write_register(run); break;
    case 2: write_data(run); break;
    case 3: write_cpu(run); break;
    case 4: write_word(run); break;
    case 5: take_snapshot(run); break;
    case 6: drop_snapshot(run); break;
    case 7: restore_snapshot(run); break;
    case 8: fork_and_call(run); break;
    case 9:
    case 10: call_and_undo(run); break;
    case 11:
    case 12:
    case 13:
        if (run->depth < DEEPEST)
            transaction(run);
        break;
    default: make_calls(run);
    }
}

static void begin_run(struct run *run, uint64_t number)
{
    static const enum fh_realisation forms[] = {FH_ABSTRACT, FH_CONCRETE, FH_BOTH};
    const enum fh_realisation form = forms[number % 3];
    const enum fh_log_policy policy = number / 3 % 2 ? FH_LOG_FULL : FH_LOG_SUMMARY;
    const struct fh_profile *k = number % 7 == 6 ? &fh_profile_sekvm_4_18 : &fh_profile_spec;
    *run = (struct run){.number = number, .seed = number, .stays = true};
    memory_init(&run->memory);
    memory_init(&run->apart);
    run->state = new_machine(&run->memory, k, policy, form, number % 5);
    run->twin = new_machine(&run->apart, k, policy, form, number % 5);
    hash_begin(run->state, (uint32_t)(number * 5 % 8));
    hash_begin(run->twin, (uint32_t)(number * 5 % 8));
    run->base = fh_state_snapshot(run->state);
}

static void end_run(struct run *run)
{
    check_hash(run);
    for (unsigned i = 0; i < HELD; i++)
        let_go(run, &run->held[i]);
    assert_same_data(fh_state_rdata(run->twin), fh_state_rdata(run->state));
    fh_snapshot_release(run->base, &run->memory.allocator);
    fh_state_free(run->state);
    fh_state_free(run->twin);
    ck_assert_uint_eq(run->memory.blocks, 0);
    ck_assert_uint_eq(run->apart.blocks, 0);
}

START_TEST(what_is_taken_back_never_was)
{
    unsigned taken_back = 0, kept = 0, snapshots = 0, without_memory = 0;
    for (uint64_t number = (uint64_t)_i * 6; number < (uint64_t)_i * 6 + 6; number++) {
        struct run run;
        begin_run(&run, number);
        while (run.steps < STEPS)
            act(&run);
        taken_back += run.taken_back;
        kept += run.kept;
        snapshots += run.snapshots;
        without_memory += run.without_memory;
        end_run(&run);
    }
    ck_assert_uint_gt(taken_back, 50);
    ck_assert_uint_gt(kept, 50);
    ck_assert_uint_gt(snapshots, 50);
    ck_assert_uint_gt(without_memory, 0);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, what_is_taken_back_never_was, 0, 10);
}

int main(void)
{
    return run_tests("random_undo", add_tests);
}
