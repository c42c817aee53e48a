/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

/* Which CPU acts, and what each keeps for itself while others do. */

enum { CPUS = 13, STEPS = 2000, REGISTER = 3 };

static struct fh_state *state;

static void setup(void)
{
    const struct fh_config config = {.allocator = fh_malloc_allocator(),
                                     .machine = &fh_machine_sekvm_4_18};
    state = fh_state_new(&config);
    ck_assert_ptr_nonnull(state);
}

static void teardown(void)
{
    fh_state_free(state);
}

/* The register of the host, on the CPU that acts. */
static uint64_t host_register(void)
{
    uint64_t value;
    const uint32_t vcpuid = (uint32_t)fh_trap_host_vcpuid(state);
    ck_assert_int_eq(fh_get_shadow_ctxt(state, 0, vcpuid, REGISTER, &value), FH_OK);
    return value;
}

static void set_host_register(uint64_t value)
{
    const uint32_t vcpuid = (uint32_t)fh_trap_host_vcpuid(state);
    ck_assert_int_eq(fh_set_shadow_ctxt(state, 0, vcpuid, REGISTER, value), FH_OK);
}

static void act_on(uint64_t cpu)
{
    ck_assert_int_eq(fh_trap_switch(state, cpu), FH_OK);
    ck_assert_uint_eq(fh_trap_cpu(state), cpu);
}

START_TEST(a_cpu_finds_its_hosts_registers_after_another_of_its_slot_and_one_of_another_slot)
{
    act_on(1);
    set_host_register(11);
    act_on(5);
    ck_assert_uint_eq(fh_trap_host_vcpuid(state), 1);
    set_host_register(55);
    act_on(2);
    act_on(1);
    ck_assert_uint_eq(host_register(), 11);
    act_on(5);
    ck_assert_uint_eq(host_register(), 55);
}
END_TEST

START_TEST(every_cpu_finds_its_hosts_registers_as_it_left_them_in_any_order)
{
    uint64_t expected[CPUS] = {0}, seed = 1;
    for (unsigned step = 0; step < STEPS; step++) {
        const uint64_t cpu = random_u64(&seed) % CPUS;
        act_on(cpu);
        ck_assert_msg(host_register() == expected[cpu], "step %u, CPU %u", step, (unsigned)cpu);
        expected[cpu] = random_u64(&seed);
        set_host_register(expected[cpu]);
    }
}
END_TEST

START_TEST(a_cpu_beyond_the_last_is_refused)
{
    ck_assert_int_eq(fh_trap_switch(state, FH_TRAP_CPUS), FH_INVALID_ARGUMENT);
    ck_assert_int_eq(fh_trap_switch(state, FH_TRAP_CPUS - 1), FH_OK);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(
        tests, a_cpu_finds_its_hosts_registers_after_another_of_its_slot_and_one_of_another_slot);
    tcase_add_test(tests, every_cpu_finds_its_hosts_registers_as_it_left_them_in_any_order);
    tcase_add_test(tests, a_cpu_beyond_the_last_is_refused);
}

int main(void)
{
    return run_tests("trap_cpus", add);
}
