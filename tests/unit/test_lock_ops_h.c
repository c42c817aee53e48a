/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(a_lock_is_taken_once_in_each_realisation)
{
    for (enum fh_realisation form = FH_ABSTRACT; form <= FH_BOTH; form++) {
        use_realisation(form);
        call("wait_hlock 1");
        ck_assert_uint_eq(get("lock.1"), FH_LOCK_OWN_FALSE);
        assert_stuck_in("wait_hlock 1",
                        form == FH_CONCRETE ? "LockOpsQ.wait_qlock" : "LockOpsH.wait_hlock",
                        "FREE");
        call("pass_hlock 1");
        ck_assert_uint_eq(get("lock.1"), FH_LOCK_FREE);
        assert_stuck_in("pass_hlock 1",
                        form == FH_CONCRETE ? "LockOpsQ.pass_qlock" : "LockOpsH.pass_hlock",
                        "OWN_FALSE");
    }
}
END_TEST

START_TEST(a_concrete_lock_draws_tickets)
{
    use_realisation(FH_CONCRETE);
    call("wait_hlock 1");
    call("pass_hlock 1");
    ck_assert_uint_eq(call("incr_ticket 10 1"), 1);
}
END_TEST

START_TEST(a_lock_that_another_cpu_holds_is_not_taken)
{
    other_cpu_did(1, FH_EVENT_WAIT_LOCK, 10);
    assert_stuck("wait_hlock 1", "BROKEN");
    other_cpu_did(1, FH_EVENT_REL_LOCK, 0);
    call("wait_hlock 1");
}
END_TEST

START_TEST(a_lock_is_not_passed_on_against_its_log)
{
    set("lock.1", FH_LOCK_OWN_FALSE);
    assert_stuck("pass_hlock 1", "BROKEN");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_lock_is_taken_once_in_each_realisation);
    tcase_add_test(tests, a_concrete_lock_draws_tickets);
    tcase_add_test(tests, a_lock_that_another_cpu_holds_is_not_taken);
    tcase_add_test(tests, a_lock_is_not_passed_on_against_its_log);
}

int main(void)
{
    return run_layer_tests("lock_ops_h", add);
}
