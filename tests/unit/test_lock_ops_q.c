/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(a_lock_is_waited_for_once)
{
    call("wait_qlock 1");
    ck_assert_uint_eq(get("lock.1"), FH_LOCK_OWN_FALSE);
    assert_stuck("wait_qlock 1", "FREE");
    call("pass_qlock 1");
    ck_assert_uint_eq(get("lock.1"), FH_LOCK_FREE);
    assert_stuck("pass_qlock 1", "OWN_FALSE");
}
END_TEST

START_TEST(a_lock_whose_object_is_in_use_is_not_passed_on)
{
    set("lock.1", FH_LOCK_OWN);
    assert_stuck("pass_qlock 1", "OWN_FALSE");
    assert_stuck("wait_qlock 1", "FREE");
}
END_TEST

START_TEST(a_queue_moves_by_the_cpu_at_its_head)
{
    set("lock.1", FH_LOCK_OWN_FALSE); /* but this CPU drew no ticket */
    assert_stuck("pass_qlock 1", "is_queue_whole");
    other_cpu_did(2, FH_EVENT_HOLD_LOCK, 0); /* without having been served */
    assert_stuck("wait_qlock 2", "is_queue_whole");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_lock_is_waited_for_once);
    tcase_add_test(tests, a_lock_whose_object_is_in_use_is_not_passed_on);
    tcase_add_test(tests, a_queue_moves_by_the_cpu_at_its_head);
}

int main(void)
{
    return run_layer_tests("lock_ops_q", add);
}
