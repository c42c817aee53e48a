/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

START_TEST(more_cpus_than_there_are_do_not_wait)
{
    for (uint64_t cpu = 1; cpu <= 8; cpu++) {
        set("curid", cpu);
        call("incr_ticket 10 1");
    }
    set("curid", 0);
    assert_stuck("wait_lock 1", "TOTAL_CPU");
}
END_TEST

START_TEST(a_ticket_that_nobody_serves_is_waited_for_so_long)
{
    set("curid", 1);
    call("incr_ticket 10 1");
    set("curid", 0);
    assert_stuck("wait_lock 1", "wait_time");
    set("curid", 1);
    call("pass_lock 1");
    set("curid", 0);
    call("wait_lock 1");
}
END_TEST

START_TEST(waiting_has_a_limit)
{
    /* CalWaitTime: 1 + 20 for each time, and for each one that waits 20 * (4 + its bound). */
    use_loop_limit(300);
    assert_too_long("wait_lock 1", "wait_time <= loop_limit");
    use_loop_limit(301);
    call("wait_lock 1");
}
END_TEST

START_TEST(locks_above_the_words_have_no_barriers)
{
    call("wait_lock 1000"); /* an identifier that no place is kept for */
    for (uint64_t bars = FH_BARRIER_VALID; bars <= FH_BARRIERED; bars++) {
        set("bars", bars);
        call("wait_lock 1");
        ck_assert_uint_eq(get("bars"), bars);
        call("pass_lock 1");
        ck_assert_uint_eq(get("bars"), bars);
    }
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, more_cpus_than_there_are_do_not_wait);
    tcase_add_test(tests, a_ticket_that_nobody_serves_is_waited_for_so_long);
    tcase_add_test(tests, waiting_has_a_limit);
    tcase_add_test(tests, locks_above_the_words_have_no_barriers);
}

int main(void)
{
    return run_layer_tests("lock_ops", add);
}
