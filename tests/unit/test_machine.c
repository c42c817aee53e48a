/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include "layers/lock_log.h"
#include "state/log.h"
#include "state/machine.h"

static struct memory memory;
static struct fh_state *state;

static void setup(void)
{
    memory_init(&memory);
    state = new_state(&memory, NULL, FH_LOG_FULL);
}

static void teardown(void)
{
    fh_state_free(state);
    ck_assert_uint_eq(memory.blocks, 0);
}

static void begin(struct fh_state *s)
{
    ck_assert_ptr_nonnull(fh_state_edit(s));
    txn_begin(s);
}

static void write_table(struct fh_state *s, uint64_t *seed)
{
    void *record, *entry;
    struct fh_map *npts = &s->adt->shared.npts;
    uint64_t vmid = random_u64(seed) % 3, key = random_u64(seed) % 300;
    ck_assert_int_eq(own_entry(s, npts, type_of_ref_npt, vmid, &record), FH_OK);
    struct fh_npt *npt = record;
    ck_assert_int_eq(set_u64(s, &npt->pt_pmd_next, random_u64(seed)), FH_OK);
    ck_assert_int_eq(edit_entry(s, &npt->pt, type_of_pt_entry, key, &entry), FH_OK);
    ((struct fh_pt_entry *)entry)->pte = random_u64(seed);
    ck_assert_int_eq(set_entry_flag(s, &npt->pmd_t, key, random_u64(seed) % 2), FH_OK);
}

static void write_page(struct fh_state *s, uint64_t *seed)
{
    void *entry;
    struct fh_map *pages = &s->adt->shared.s2page;
    ck_assert_int_eq(edit_entry(s, pages, type_of_s2page, random_u64(seed) % 300, &entry), FH_OK);
    ((struct fh_s2page *)entry)->s2_count = (uint32_t)random_u64(seed);
}

static void write_register(struct fh_state *s, uint64_t *seed)
{
    void *record;
    ck_assert_int_eq(own_ref(s, &s->adt->regs, type_of_ref_ctxt, &record), FH_OK);
    struct fh_ctxt *ctxt = record;
    ck_assert_int_eq(set_u64(s, &ctxt->ctxt_regs.x5, random_u64(seed)), FH_OK);
    uint64_t id = random_u64(seed) % 10;
    ck_assert_int_eq(own_entry(s, &s->adt->shadow_ctxts, type_of_ref_ctxt, id, &record), FH_OK);
    ctxt = record;
    ck_assert_int_eq(set_u64(s, &ctxt->ctxt_states.pc, random_u64(seed)), FH_OK);
}

/* A snapshot event shares the object: the next write of the object must copy it. */
static void write_log(struct fh_state *s, uint64_t *seed)
{
    uint64_t vmid = random_u64(seed) % 3, id = s->profile->NPT_ID + vmid;
    struct fh_log *log;
    ck_assert_int_eq(own_log(s, id, &log), FH_OK);
    ck_assert_int_eq(add_event(s, log, FH_EVENT_WAIT_LOCK, 10), FH_OK);
    ck_assert_int_eq(own_log(s, id, &log), FH_OK);
    ck_assert_int_eq(add_snapshot(s, log, id), FH_OK);
}

static void write_number(struct fh_state *s, uint64_t *seed)
{
    struct fh_map *flatmem = &s->adt->shared.flatmem;
    ck_assert_int_eq(set_entry_u64(s, flatmem, random_u64(seed) % 5000, random_u64(seed)), FH_OK);
    s->adt->halt = random_u64(seed) % 2;
    s->adt->tstate = random_u64(seed) % 2;
    s->adt->cur_vcpuid = -1;
}

/* Replace a whole map, as the snapshot of another CPU does. */
static void replace_map(struct fh_state *s, uint64_t *seed)
{
    const struct fh_type *type = type_of_map_s2page;
    struct fh_map *pages = &s->adt->shared.s2page;
    if (random_u64(seed) % 4)
        return;
    ck_assert_int_eq(save_value(s, pages, type), FH_OK);
    fh_value_release(type, pages, &s->allocator);
    forget_places_beside_locks(s);
}

static void write_at_random(struct fh_state *s, uint64_t *seed, unsigned writes)
{
    static void (*const kinds[])(struct fh_state *, uint64_t *) = {
        write_table, write_page, write_register, write_log, write_number, replace_map};
    while (writes-- > 0)
        kinds[random_u64(seed) % (sizeof kinds / sizeof *kinds)](s, seed);
}

/* Undone writes of a state that nobody shares, compared with a twin that was never written. */
START_TEST(failed_transaction_undoes_all_its_writes)
{
    struct memory apart;
    memory_init(&apart);
    struct fh_state *twin = new_state(&apart, NULL, FH_LOG_FULL);
    struct fh_state *const both[] = {state, twin};
    for (unsigned i = 0; i < 2; i++) {
        uint64_t seed = (uint64_t)_i;
        begin(both[i]);
        write_at_random(both[i], &seed, 40);
        ck_assert_int_eq(txn_end(both[i], FH_OK), FH_OK);
    }
    assert_same_data(fh_state_rdata(twin), fh_state_rdata(state));
    uint64_t seed = (uint64_t)_i + 1000;
    begin(state);
    write_at_random(state, &seed, 60);
    ck_assert_int_eq(txn_end(state, FH_STUCK), FH_STUCK);
    assert_same_data(fh_state_rdata(twin), fh_state_rdata(state));
    fh_state_free(twin);
    ck_assert_uint_eq(apart.blocks, 0);
}
END_TEST

/* The same where snapshots share what is written. */
START_TEST(transaction_on_shared_data_changes_no_snapshot)
{
    uint64_t seed = (uint64_t)_i;
    begin(state);
    write_at_random(state, &seed, 40);
    txn_end(state, FH_OK);
    const struct fh_rdata *before = fh_state_snapshot(state);
    begin(state);
    write_at_random(state, &seed, 30);
    txn_end(state, FH_STUCK);
    assert_same_data(before, fh_state_rdata(state));
    begin(state);
    write_at_random(state, &seed, 30);
    txn_end(state, FH_OK);
    const struct fh_rdata *after = fh_state_snapshot(state);
    begin(state);
    write_at_random(state, &seed, 30);
    txn_end(state, FH_STUCK);
    assert_same_data(after, fh_state_rdata(state));
    ck_assert_uint_gt(count_changes(before, after, NULL, 0), 0);
    fh_snapshot_release(before, &memory.allocator);
    fh_snapshot_release(after, &memory.allocator);
}
END_TEST

START_TEST(undo_needs_no_memory)
{
    uint64_t seed = (uint64_t)_i;
    const struct fh_rdata *before = fh_state_snapshot(state);
    begin(state);
    write_at_random(state, &seed, 60);
    memory_fail_at(&memory, 1, true);
    txn_end(state, FH_STUCK);
    ck_assert_uint_eq(memory.allocations, 0);
    assert_same_data(before, fh_state_rdata(state));
    fh_snapshot_release(before, &memory.allocator);
}
END_TEST

START_TEST(record_that_a_snapshot_event_holds_is_copied_before_the_next_write)
{
    void *record;
    struct fh_log *log;
    struct fh_map *npts = &state->adt->shared.npts;
    begin(state);
    ck_assert_int_eq(own_entry(state, npts, type_of_ref_npt, 0, &record), FH_OK);
    set_u64(state, &((struct fh_npt *)record)->pt_pgd_next, 1);
    ck_assert_int_eq(own_log(state, state->profile->NPT_ID, &log), FH_OK);
    ck_assert_int_eq(add_snapshot(state, log, state->profile->NPT_ID), FH_OK);
    npts = &state->adt->shared.npts;
    ck_assert_int_eq(own_entry(state, npts, type_of_ref_npt, 0, &record), FH_OK);
    set_u64(state, &((struct fh_npt *)record)->pt_pgd_next, 2);
    ck_assert_uint_eq(log->newest->object.npt->pt_pgd_next, 1);
    txn_end(state, FH_OK);
}
END_TEST

START_TEST(summary_policy_keeps_no_events)
{
    struct fh_state *summary = new_state(&memory, NULL, FH_LOG_SUMMARY);
    ck_assert_int_eq(fh_acquire_lock_s2page(summary), FH_OK);
    ck_assert_int_eq(fh_release_lock_s2page(summary), FH_OK);
    size_t blocks = memory.blocks;
    for (unsigned i = 0; i < 1000; i++) {
        ck_assert_int_eq(fh_acquire_lock_s2page(summary), FH_OK);
        ck_assert_int_eq(fh_release_lock_s2page(summary), FH_OK);
    }
    ck_assert_uint_eq(memory.blocks, blocks);
    const struct fh_log *log = fh_map_get(&fh_state_rdata(summary)->log, &type_of_log->as_value,
                                          summary->profile->S2PAGE_ID);
    ck_assert_uint_eq(log->length, 4004); /* WAIT_LOCK, OPULL, OS2_PAGE, REL_LOCK */
    fh_state_free(summary);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, failed_transaction_undoes_all_its_writes, 0, 30);
    tcase_add_loop_test(tests, transaction_on_shared_data_changes_no_snapshot, 0, 30);
    tcase_add_loop_test(tests, undo_needs_no_memory, 0, 30);
    tcase_add_test(tests, record_that_a_snapshot_event_holds_is_copied_before_the_next_write);
    tcase_add_test(tests, summary_policy_keeps_no_events);
}

int main(void)
{
    return run_tests("machine", add);
}
