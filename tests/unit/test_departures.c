/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

/* Which machine a state is of, which of its departures are on, and who looks at that. */

static struct fh_state *state_of(const struct fh_machine *machine)
{
    const struct fh_config config = {.allocator = fh_malloc_allocator(), .machine = machine};
    struct fh_state *s = fh_state_new(&config);
    ck_assert_ptr_nonnull(s);
    return s;
}

static unsigned departure(const char *name)
{
    unsigned found = FH_DEPARTURES_MAX;
    ck_assert_msg(fh_machine_find_departure(&fh_machine_bodies, name, &found), "%s", name);
    return found;
}

static void depart_only(struct fh_state *s, const char *name)
{
    struct fh_departures set = {{0, 0}};
    fh_departures_add(&set, departure(name));
    fh_state_depart(s, &set);
}

/* In VM 9 the body of restore_vm halts, while the spec goes on: register x0 of the host says 9. */
static bool restore_vm_halts(struct fh_state *s)
{
    ck_assert_int_eq(fh_set_vm_state(s, 9, 3), FH_STUCK); /* the lock is not held */
    ck_assert_int_eq(fh_acquire_lock_vm(s, 9), FH_OK);
    ck_assert_int_eq(fh_set_vm_state(s, 9, 3), FH_OK);
    ck_assert_int_eq(fh_set_vcpu_state(s, 9, 0, 2), FH_OK);
    ck_assert_int_eq(fh_release_lock_vm(s, 9), FH_OK);
    ck_assert_int_eq(fh_set_shadow_ctxt(s, 0, 0, 0, 9), FH_OK);
    ck_assert_int_eq(fh_restore_vm(s), FH_OK);
    return fh_state_rdata(s)->halt;
}

START_TEST(a_state_is_of_the_spec_unless_told_otherwise)
{
    struct fh_state *s = state_of(NULL);
    ck_assert_ptr_eq(fh_state_machine(s), &fh_machine_spec);
    ck_assert(!restore_vm_halts(s));
    fh_state_free(s);
}
END_TEST

START_TEST(a_machine_begins_with_all_departures)
{
    struct fh_state *s = state_of(&fh_machine_bodies);
    ck_assert_ptr_eq(fh_state_machine(s), &fh_machine_bodies);
    ck_assert_uint_eq(fh_state_departures(s).bits[0], (1u << 11) - 1);
    ck_assert(restore_vm_halts(s));
    fh_state_free(s);
}
END_TEST

START_TEST(only_departures_that_are_on_depart)
{
    struct fh_state *s = state_of(&fh_machine_bodies);
    struct fh_departures all_but_one = fh_state_departures(s);
    fh_departures_remove(&all_but_one, departure("restore_vm"));
    fh_state_depart(s, &all_but_one);
    ck_assert(!restore_vm_halts(s));
    fh_state_free(s);
}
END_TEST

START_TEST(one_departure_alone_departs)
{
    struct fh_state *s = state_of(&fh_machine_bodies);
    depart_only(s, "restore_vm");
    ck_assert(restore_vm_halts(s));
    fh_state_free(s);
}
END_TEST

START_TEST(the_switches_that_were_asked_are_told_once)
{
    struct fh_state *s = state_of(&fh_machine_bodies);
    struct fh_departures asked = fh_state_asked(s);
    ck_assert(fh_departures_are_none(&asked));
    ck_assert_int_eq(fh_clear_vm_page(s, 1, 7), FH_OK);
    asked = fh_state_asked(s);
    ck_assert_uint_eq(asked.bits[0], UINT64_C(1) << departure("clear_vm_page"));
    asked = fh_state_asked(s);
    ck_assert(fh_departures_are_none(&asked));
    fh_state_free(s);
}
END_TEST

START_TEST(a_fork_has_departures_of_its_own)
{
    const struct fh_departures none = {{0, 0}};
    struct fh_state *s = state_of(&fh_machine_bodies);
    depart_only(s, "restore_vm");
    struct fh_state *fork = fh_state_fork(s);
    ck_assert_ptr_eq(fh_state_machine(fork), &fh_machine_bodies);
    ck_assert_uint_eq(fh_state_departures(fork).bits[0], UINT64_C(1) << departure("restore_vm"));
    fh_state_depart(fork, &none);
    ck_assert(!restore_vm_halts(fork));
    ck_assert(restore_vm_halts(s));
    fh_state_free(fork);
    fh_state_free(s);
}
END_TEST

START_TEST(machines_are_found_by_their_whole_name)
{
    ck_assert_ptr_eq(fh_machine_find("spec"), &fh_machine_spec);
    ck_assert_ptr_eq(fh_machine_find("bodies"), &fh_machine_bodies);
    ck_assert_ptr_null(fh_machine_find(""));
    ck_assert_ptr_null(fh_machine_find("bodie"));
    ck_assert_ptr_null(fh_machine_find("bodiess"));
}
END_TEST

START_TEST(departures_are_found_by_their_whole_name)
{
    static const char *const names[] = {"", "map_page_host", "clear_vm", "restore_vm_"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        unsigned found = 77;
        ck_assert_msg(!fh_machine_find_departure(&fh_machine_bodies, names[i], &found), "%s",
                      names[i]);
        ck_assert_uint_eq(found, 77);
    }
}
END_TEST

START_TEST(the_departures_of_bodies_are_functions_of_the_registry)
{
    unsigned count = 0;
    for (const char *name; (name = fh_machine_departure(&fh_machine_bodies, count)); count++) {
        ck_assert_ptr_nonnull(fh_function_find(name));
        ck_assert_uint_eq(departure(name), count);
    }
    ck_assert_uint_eq(count, 11);
    ck_assert_uint_eq(fh_machine_ndepartures(&fh_machine_bodies), 11);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_state_is_of_the_spec_unless_told_otherwise);
    tcase_add_test(tests, a_machine_begins_with_all_departures);
    tcase_add_test(tests, only_departures_that_are_on_depart);
    tcase_add_test(tests, one_departure_alone_departs);
    tcase_add_test(tests, the_switches_that_were_asked_are_told_once);
    tcase_add_test(tests, a_fork_has_departures_of_its_own);
    tcase_add_test(tests, machines_are_found_by_their_whole_name);
    tcase_add_test(tests, departures_are_found_by_their_whole_name);
    tcase_add_test(tests, the_departures_of_bodies_are_functions_of_the_registry);
}

int main(void)
{
    return run_tests("departures", add);
}
