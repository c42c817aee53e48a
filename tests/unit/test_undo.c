/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include "layers/kcore.h"

/* Taking back: the rules of state.h. Random sequences are in tests/differential/test_random_undo.c.
 */

enum { PAGES = 64 };
static const uint64_t base = 0x80000000;

static struct memory memory;
static struct fh_state *state;

static void setup(void)
{
    memory_init(&memory);
    state = new_host_state(&memory, FH_LOG_SUMMARY, base, PAGES);
}

static void teardown(void)
{
    fh_state_free(state);
    ck_assert_uint_eq(memory.blocks, 0);
}

static uint64_t mapped_pages(void)
{
    return fh_map_count(&npt_of(state, 0)->pt);
}

static void map(uint64_t page)
{
    ck_assert_int_eq(fh_map_page_host(state, base + page * 4096), FH_OK);
}

static void assert_undone(enum fh_status expected)
{
    ck_assert_int_eq(fh_undo(state), expected);
    ck_assert_int_eq(fh_state_error(state)->status, expected);
}

START_TEST(last_call_is_taken_back_once)
{
    map(0);
    map(1);
    assert_undone(FH_OK);
    ck_assert_uint_eq(mapped_pages(), 1);
    assert_undone(FH_INVALID_ARGUMENT);
    ck_assert_uint_eq(mapped_pages(), 1);
}
END_TEST

START_TEST(nothing_is_taken_back_of_a_state_on_which_nothing_was_called)
{
    assert_undone(FH_OK); /* its memory */
    ck_assert_uint_eq(fh_state_rdata(state)->region_cnt, 0);
    assert_undone(FH_INVALID_ARGUMENT);
    ck_assert_int_eq(fh_keep(state), FH_INVALID_ARGUMENT);
}
END_TEST

START_TEST(taking_back_a_call_that_failed_changes_nothing)
{
    map(0);
    ck_assert_int_eq(fh_map_page_host(state, (uint64_t)1 << 40), FH_STUCK);
    assert_undone(FH_OK);
    ck_assert_uint_eq(mapped_pages(), 1);
}
END_TEST

START_TEST(writes_from_outside_end_what_can_be_taken_back)
{
    map(0);
    fh_state_edit_regs(state)->ctxt_regs.x0 = 7;
    assert_undone(FH_INVALID_ARGUMENT);
    map(1);
    ck_assert_int_eq(fh_state_set_reg(state, FH_REG(ctxt_regs.x0), 8), FH_OK);
    assert_undone(FH_INVALID_ARGUMENT);
    map(2);
    ck_assert_ptr_nonnull(fh_state_edit(state));
    assert_undone(FH_INVALID_ARGUMENT);
    ck_assert_uint_eq(mapped_pages(), 3);
    ck_assert_uint_eq(fh_state_rdata(state)->regs->ctxt_regs.x0, 8);
}
END_TEST

START_TEST(transaction_that_was_kept_is_taken_back_as_one)
{
    map(0);
    ck_assert_int_eq(fh_begin(state), FH_OK);
    fh_state_edit_cpu(state)->cur_vmid = 5;
    map(1);
    map(2);
    ck_assert_int_eq(fh_keep(state), FH_OK);
    ck_assert_uint_eq(mapped_pages(), 3);
    assert_undone(FH_OK);
    ck_assert_uint_eq(mapped_pages(), 1);
    ck_assert_uint_eq(fh_state_rdata(state)->cur_vmid, 0);
    assert_undone(FH_INVALID_ARGUMENT);
}
END_TEST

START_TEST(outer_transaction_takes_back_what_an_inner_one_kept)
{
    ck_assert_int_eq(fh_begin(state), FH_OK);
    map(0);
    ck_assert_int_eq(fh_begin(state), FH_OK);
    map(1);
    ck_assert_int_eq(fh_keep(state), FH_OK);
    ck_assert_int_eq(fh_begin(state), FH_OK);
    map(2);
    assert_undone(FH_OK);
    ck_assert_uint_eq(mapped_pages(), 2);
    assert_undone(FH_OK);
    ck_assert_uint_eq(mapped_pages(), 0);
    assert_undone(FH_INVALID_ARGUMENT);
}
END_TEST

START_TEST(call_that_gets_stuck_in_a_transaction_takes_back_only_itself)
{
    ck_assert_int_eq(fh_begin(state), FH_OK);
    map(0);
    ck_assert_int_eq(fh_map_page_host(state, (uint64_t)1 << 40), FH_STUCK);
    ck_assert_uint_eq(mapped_pages(), 1);
    ck_assert_int_eq(fh_keep(state), FH_OK);
    ck_assert_uint_eq(mapped_pages(), 1);
}
END_TEST

START_TEST(registers_and_cpu_fields_are_taken_back_with_their_transaction)
{
    const struct fh_rdata *adt = fh_state_rdata(state);
    fh_state_edit_regs(state)->ctxt_regs.x0 = 1;
    ck_assert_int_eq(fh_begin(state), FH_OK);
    fh_state_edit_regs(state)->ctxt_regs.x0 = 2;
    fh_state_edit_cpu(state)->curid = 3;
    ck_assert_int_eq(fh_begin(state), FH_OK);
    fh_state_edit_regs(state)->ctxt_regs.x0 = 4;
    ck_assert_int_eq(fh_state_set_reg(state, FH_REG(ctxt_regs.esr_el2), 5), FH_OK);
    fh_state_edit_cpu(state)->curid = 6;
    assert_undone(FH_OK);
    ck_assert_uint_eq(adt->regs->ctxt_regs.x0, 2);
    ck_assert_uint_eq(adt->regs->ctxt_regs.esr_el2, 0);
    ck_assert_uint_eq(adt->curid, 3);
    fh_state_edit_regs(state)->ctxt_regs.x0 = 7;
    assert_undone(FH_OK);
    ck_assert_uint_eq(adt->regs->ctxt_regs.x0, 1);
    ck_assert_uint_eq(adt->curid, 0);
}
END_TEST

START_TEST(restoring_a_snapshot_is_taken_back_with_its_transaction)
{
    map(0);
    const struct fh_rdata *one = fh_state_snapshot(state);
    map(1);
    ck_assert_int_eq(fh_begin(state), FH_OK);
    map(2);
    ck_assert_int_eq(fh_state_restore(state, one), FH_OK);
    ck_assert_uint_eq(mapped_pages(), 1);
    map(3);
    assert_undone(FH_OK);
    ck_assert_uint_eq(mapped_pages(), 2);
    fh_state_restore(state, one);
    ck_assert_uint_eq(mapped_pages(), 1);
    fh_snapshot_release(one, &memory.allocator);
}
END_TEST

START_TEST(snapshot_stays_when_the_call_before_it_is_taken_back)
{
    map(0);
    const struct fh_rdata *one = fh_state_snapshot(state);
    assert_undone(FH_OK);
    ck_assert_uint_eq(mapped_pages(), 0);
    ck_assert_int_eq(fh_state_restore(state, one), FH_OK);
    ck_assert_uint_eq(mapped_pages(), 1);
    fh_snapshot_release(one, &memory.allocator);
}
END_TEST

START_TEST(taking_back_needs_no_memory_where_no_snapshot_was_taken)
{
    ck_assert_int_eq(fh_begin(state), FH_OK);
    for (uint64_t page = 0; page < PAGES; page++)
        map(page);
    memory_fail_at(&memory, 1, true);
    assert_undone(FH_OK);
    ck_assert_uint_eq(memory.allocations, 0);
    memory_fail_at(&memory, 0, false);
    ck_assert_uint_eq(mapped_pages(), 0);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, last_call_is_taken_back_once);
    tcase_add_test(tests, nothing_is_taken_back_of_a_state_on_which_nothing_was_called);
    tcase_add_test(tests, taking_back_a_call_that_failed_changes_nothing);
    tcase_add_test(tests, writes_from_outside_end_what_can_be_taken_back);
    tcase_add_test(tests, transaction_that_was_kept_is_taken_back_as_one);
    tcase_add_test(tests, outer_transaction_takes_back_what_an_inner_one_kept);
    tcase_add_test(tests, call_that_gets_stuck_in_a_transaction_takes_back_only_itself);
    tcase_add_test(tests, registers_and_cpu_fields_are_taken_back_with_their_transaction);
    tcase_add_test(tests, restoring_a_snapshot_is_taken_back_with_its_transaction);
    tcase_add_test(tests, snapshot_stays_when_the_call_before_it_is_taken_back);
    tcase_add_test(tests, taking_back_needs_no_memory_where_no_snapshot_was_taken);
}

int main(void)
{
    return run_tests("undo", add);
}
