/* SPDX-License-Identifier: GPL-2.0-only */
/* What is asked of the outside, by name: what it is about, and whose. */
#include "support.h"

#include <string.h>

static struct memory memory;
static struct fh_state *state;
static struct fh_question asked; /* the last question */
static unsigned questions;
static struct fh_effect told; /* the last effect of a kind that is looked for */
static enum fh_effect_kind wanted;

static uint64_t answer(void *context, const struct fh_question *question)
{
    (void)context;
    asked = *question;
    questions++;
    return 0x1234567890 + question->n;
}

static void see(void *context, const struct fh_effect *effect)
{
    (void)context;
    if (effect->kind == wanted)
        told = *effect;
}

static void set_up(void)
{
    memory_init(&memory);
    state = new_state(&memory, NULL, FH_LOG_SUMMARY);
    fh_state_environment(state)->ask = answer;
    fh_state_environment(state)->observer = see;
    questions = 0;
    memset(&told, 0, sizeof told);
}

static void tear_down(void)
{
    fh_state_free(state);
    ck_assert_uint_eq(memory.blocks, 0);
}

/* A function, its arguments, and what it asks: vmid, vcpuid and index. */
static const struct row {
    const char *function;
    unsigned nargs;
    uint64_t args[4];
    enum fh_asked what;
    uint64_t vmid, vcpuid, index;
    uint64_t value; /* that it returns, of the answer 0x1234567890 */
} rows[] = {
    {"get_int_esr", 2, {3, 2}, FH_ASKED_ESR, 3, 2, 0, 0x1234567890},
    {"get_int_gpr", 3, {3, 2, 7}, FH_ASKED_GPR, 3, 2, 7, 0x1234567890},
    {"get_int_pc", 2, {3, 2}, FH_ASKED_PC, 3, 2, 0, 0x1234567890},
    {"get_int_pstate", 2, {3, 2}, FH_ASKED_PSTATE, 3, 2, 0, 0x1234567890},
    {"get_vm_fault_addr", 2, {3, 2}, FH_ASKED_FAULT_ADDR, 3, 2, 0, 0x1234567890},
    {"get_int_new_pte", 2, {3, 2}, FH_ASKED_NEW_PTE, 3, 2, 0, 0x1234567890},
    {"get_int_new_level", 2, {3, 2}, FH_ASKED_NEW_LEVEL, 3, 2, 0, 0x1234567890},
    {"get_int_run_vcpuid", 1, {3}, FH_ASKED_RUN_VCPUID, 3, 0, 0, 0x1234567890},
    {"readq_relaxed", 1, {0x9000}, FH_ASKED_MMIO, 0, 0, 0x9000, 0x1234567890},
    {"readl_relaxed", 1, {0x9000}, FH_ASKED_MMIO, 0, 0, 0x9000, 0x34567890},
    {"encrypt_mem_buf", 3, {3, 0x81, 0x82}, FH_ASKED_PAGE, 0, 0, 0x82, 0},
    {"decrypt_mem_buf", 2, {3, 0x81}, FH_ASKED_PAGE, 0, 0, 0x81, 0},
};

START_TEST(a_question_says_what_it_is_about_and_whose)
{
    const struct row *row = &rows[_i];
    uint64_t result = 0;
    wanted = FH_EFFECT_DATA_READ;
    ck_assert_int_eq(
        fh_invoke(state, fh_function_find(row->function), row->args, row->nargs, &result), FH_OK);
    ck_assert_uint_eq(questions, 1);
    ck_assert_uint_eq(asked.what, row->what);
    ck_assert_uint_eq(asked.vmid, row->vmid);
    ck_assert_uint_eq(asked.vcpuid, row->vcpuid);
    ck_assert_uint_eq(asked.index, row->index);
    ck_assert_uint_eq(asked.n, 0);
    ck_assert_uint_eq(result, row->value);
    /* The effect says the same. */
    const uint64_t values[] = {row->vmid, 0, 0x1234567890, row->what, row->vcpuid, row->index};
    ck_assert_mem_eq(told.values, values, sizeof values);
    /* The next one is the next. */
    ck_assert_int_eq(
        fh_invoke(state, fh_function_find(row->function), row->args, row->nargs, &result), FH_OK);
    ck_assert_uint_eq(asked.n, 1);
}
END_TEST

START_TEST(a_cpu_is_asked_for_its_own_register)
{
    uint64_t value;
    ck_assert_int_eq(fh_set(state, "cur_vmid", 5), FH_OK);
    fh_state_edit(state)->cur_vcpuid = 3;
    ck_assert_int_eq(fh_read_actlr_el1(state, &value), FH_OK);
    ck_assert_uint_eq(asked.what, FH_ASKED_ACTLR);
    ck_assert_uint_eq(asked.vmid, 5);
    ck_assert_uint_eq(asked.vcpuid, 3);
}
END_TEST

/* Calls whose only trace is an effect, or whose effect no state tells again. */
static const struct shown {
    const char *function;
    unsigned nargs;
    uint64_t args[5];
    enum fh_effect_kind kind;
    uint64_t values[4];
} effects[] = {
    {"set_int_gpr", 4, {3, 2, 7, 9}, FH_EFFECT_INT_SET, {3, 2, 7, 9}},
    {"set_shadow_dirty_bit", 3, {3, 2, 9}, FH_EFFECT_DIRTY_SET, {3, 2, 9}},
    {"set_shadow_ctxt", 4, {3, 2, 7, 9}, FH_EFFECT_SHADOW_SET, {3, 2, 7, 9}},
    {"clear_shadow_gp_regs", 2, {3, 2}, FH_EFFECT_GP_CLEAR, {3, 2}},
    {"set_per_cpu", 2, {3, 2}, FH_EFFECT_PER_CPU, {3, 2}},
    {"writel_relaxed", 2, {9, 0x9000}, FH_EFFECT_MMIO_WRITE, {0x9000, 9, 4}},
    {"writeq_relaxed", 2, {9, 0x9000}, FH_EFFECT_MMIO_WRITE, {0x9000, 9, 8}},
    {"__handle_smmu_write", 5, {0, 0x9000, 4, 9, 1}, FH_EFFECT_MMIO_WRITE, {0x9000, 9, 4}},
    {"__handle_smmu_write", 5, {0, 0x9000, 8, 9, 1}, FH_EFFECT_MMIO_WRITE, {0x9000, 9, 8}},
    {"readq_relaxed", 1, {0x9000}, FH_EFFECT_MMIO_READ, {0x9000, 0x1234567890}},
    {"readl_relaxed", 1, {0x9000}, FH_EFFECT_MMIO_READ, {0x9000, 0x34567890}},
    {"clear_phys_page", 1, {0x81}, FH_EFFECT_SCRUB, {0x81}},
};

START_TEST(an_effect_says_what_was_done)
{
    const struct shown *shown = &effects[_i];
    const unsigned nvalues = fh_effect_nvalues(shown->kind);
    uint64_t result;
    wanted = shown->kind;
    ck_assert_int_eq(
        fh_invoke(state, fh_function_find(shown->function), shown->args, shown->nargs, &result),
        FH_OK);
    ck_assert_int_eq(told.kind, shown->kind);
    for (unsigned i = 0; i < nvalues; i++)
        ck_assert_uint_eq(told.values[i], shown->values[i]);
}
END_TEST

START_TEST(numbers_that_stand_for_no_register_read_as_0_and_take_nothing)
{
    uint64_t value;
    unsigned registers = 0;
    for (uint32_t index = 0; index < 600; index++) {
        ck_assert_int_eq(fh_set_shadow_ctxt(state, 3, 2, index, index + 1000), FH_OK);
        ck_assert_int_eq(fh_get_shadow_ctxt(state, 3, 2, index, &value), FH_OK);
        ck_assert(value == 0 || value == index + 1000);
        registers += value != 0;
        ck_assert(index <= fh_state_profile(state)->ESR_EL2 || value == 0);
    }
    /* 31 general registers, and 35 more of Constants.v. */
    ck_assert_uint_eq(registers, 31 + 35);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, a_question_says_what_it_is_about_and_whose, 0,
                        sizeof rows / sizeof *rows);
    tcase_add_test(tests, a_cpu_is_asked_for_its_own_register);
    tcase_add_test(tests, numbers_that_stand_for_no_register_read_as_0_and_take_nothing);
    tcase_add_loop_test(tests, an_effect_says_what_was_done, 0, sizeof effects / sizeof *effects);
}

int main(void)
{
    return run_tests("questions", add);
}
