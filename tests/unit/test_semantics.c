/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

/* The set of functions that run as their verified bodies, and who looks at it. */

static struct fh_state *state_with(uint32_t semantics)
{
    const struct fh_config config = {.allocator = fh_malloc_allocator(), .semantics = semantics};
    struct fh_state *s = fh_state_new(&config);
    ck_assert_ptr_nonnull(s);
    return s;
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

START_TEST(a_state_runs_by_the_specs_unless_told_otherwise)
{
    struct fh_state *s = state_with(0);
    ck_assert_uint_eq(fh_state_semantics(s), FH_SEMANTICS_SPEC);
    ck_assert(!restore_vm_halts(s));
    fh_state_free(s);
}
END_TEST

START_TEST(a_function_in_the_set_runs_as_its_body)
{
    struct fh_state *s = state_with(1u << FH_CODE_restore_vm);
    ck_assert(restore_vm_halts(s));
    fh_state_free(s);
}
END_TEST

START_TEST(a_function_outside_the_set_runs_by_its_spec)
{
    struct fh_state *s = state_with(FH_SEMANTICS_CODE & ~(1u << FH_CODE_restore_vm));
    ck_assert(!restore_vm_halts(s));
    fh_state_free(s);
}
END_TEST

START_TEST(the_set_can_be_changed_between_calls)
{
    struct fh_state *s = state_with(FH_SEMANTICS_CODE);
    fh_state_set_semantics(s, FH_SEMANTICS_SPEC);
    ck_assert_uint_eq(fh_state_semantics(s), FH_SEMANTICS_SPEC);
    ck_assert(!restore_vm_halts(s));
    fh_state_free(s);
}
END_TEST

START_TEST(bits_beyond_the_table_are_ignored)
{
    struct fh_state *s = state_with(UINT32_MAX);
    ck_assert_uint_eq(fh_state_semantics(s), FH_SEMANTICS_CODE);
    fh_state_set_semantics(s, UINT32_MAX);
    ck_assert_uint_eq(fh_state_semantics(s), FH_SEMANTICS_CODE);
    fh_state_free(s);
}
END_TEST

START_TEST(a_fork_has_the_set_of_its_own)
{
    struct fh_state *s = state_with(1u << FH_CODE_restore_vm);
    struct fh_state *fork = fh_state_fork(s);
    ck_assert_uint_eq(fh_state_semantics(fork), 1u << FH_CODE_restore_vm);
    fh_state_set_semantics(fork, FH_SEMANTICS_SPEC);
    ck_assert(!restore_vm_halts(fork));
    ck_assert(restore_vm_halts(s));
    fh_state_free(fork);
    fh_state_free(s);
}
END_TEST

START_TEST(sets_are_found_by_name)
{
    uint32_t set = 1;
    ck_assert(fh_semantics_find("spec", &set));
    ck_assert_uint_eq(set, 0);
    ck_assert(fh_semantics_find("code", &set));
    ck_assert_uint_eq(set, (1u << 11) - 1);
    ck_assert(fh_semantics_find("MemManager.clear_vm_page", &set));
    ck_assert_uint_eq(set, 1u << FH_CODE_clear_vm_page);
    ck_assert(fh_semantics_find("restore_vm", &set));
    ck_assert_uint_eq(set, 1u << FH_CODE_restore_vm);
}
END_TEST

START_TEST(names_of_other_functions_and_parts_of_names_are_not_found)
{
    static const char *const names[] = {"",
                                        "map_page_host",
                                        "clear_vm",
                                        "specs",
                                        "MemManager.",
                                        "MemManager.map_page_host",
                                        "restore_vm_",
                                        "BootOps.clear_vm_page"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint32_t set = 77;
        ck_assert_msg(!fh_semantics_find(names[i], &set), "%s", names[i]);
        ck_assert_uint_eq(set, 77);
    }
}
END_TEST

START_TEST(every_name_is_that_of_a_function_of_the_registry)
{
    unsigned count = 0;
    for (const char *name; (name = fh_semantics_name(count)); count++) {
        uint32_t set;
        ck_assert_ptr_nonnull(fh_function_find(name));
        ck_assert(fh_semantics_find(name, &set));
        ck_assert_uint_eq(set, 1u << count);
    }
    ck_assert_uint_eq(count, 11);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_state_runs_by_the_specs_unless_told_otherwise);
    tcase_add_test(tests, a_function_in_the_set_runs_as_its_body);
    tcase_add_test(tests, a_function_outside_the_set_runs_by_its_spec);
    tcase_add_test(tests, the_set_can_be_changed_between_calls);
    tcase_add_test(tests, bits_beyond_the_table_are_ignored);
    tcase_add_test(tests, a_fork_has_the_set_of_its_own);
    tcase_add_test(tests, sets_are_found_by_name);
    tcase_add_test(tests, names_of_other_functions_and_parts_of_names_are_not_found);
    tcase_add_test(tests, every_name_is_that_of_a_function_of_the_registry);
}

int main(void)
{
    return run_tests("semantics", add);
}
