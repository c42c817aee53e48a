/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include "layers/kcore.h"

/* The hash of a state. That it follows random calls and undos: tests/differential. */

static const uint64_t base = 0x80000000;

static struct memory memory;

static struct fh_state *new_hashed(uint32_t parts)
{
    const struct fh_config config = {.allocator = &memory.allocator, .hash = parts};
    struct fh_state *state = fh_state_new(&config);
    ck_assert_ptr_nonnull(state);
    return state;
}

static void setup(void)
{
    memory_init(&memory);
}

static void teardown(void)
{
    ck_assert_uint_eq(memory.blocks, 0);
}

START_TEST(same_data_have_the_same_hash_however_reached)
{
    struct fh_state *a = new_hashed(FH_HASH_ALL), *b = new_hashed(FH_HASH_ALL);
    const uint64_t before = fh_state_hash(a);
    ck_assert_uint_eq(before, fh_state_hash(b));
    for (uint64_t i = 0; i < 8; i++)
        ck_assert_int_eq(fh_map_s2pt(a, 1, i * 4096, 3, (i << 12) | 3), FH_OK);
    for (uint64_t i = 8; i-- > 0;)
        ck_assert_int_eq(fh_map_s2pt(b, 1, i * 4096, 3, (i << 12) | 3), FH_OK);
    ck_assert_uint_eq(fh_state_hash(a), fh_state_hash(b));
    ck_assert_uint_ne(fh_state_hash(a), before);
    ck_assert_uint_eq(fh_state_hash(a), fh_rdata_hash(fh_state_rdata(a), FH_HASH_ALL));
    fh_state_free(a);
    fh_state_free(b);
}
END_TEST

START_TEST(entry_that_equals_the_default_counts_as_none)
{
    struct fh_state *state = new_hashed(FH_HASH_ALL);
    const uint64_t before = fh_state_hash(state);
    bool existed;
    struct fh_rdata *adt = fh_state_edit(state);
    ck_assert_ptr_nonnull(fh_map_edit(&adt->shared.s2page, &type_of_s2page->as_value,
                                      &memory.allocator, 77, &existed));
    ck_assert_ptr_nonnull(fh_map_edit(&adt->shared.smmu_vmid, &type_of_vmid_or_invalid->as_value,
                                      &memory.allocator, 3, &existed));
    ck_assert_uint_eq(fh_state_hash(state), before);
    fh_state_free(state);
}
END_TEST

/* Values that change places are others. */
START_TEST(hash_depends_on_the_place)
{
    struct fh_state *state = new_hashed(FH_HASH_ALL);
    ck_assert_int_eq(fh_state_set_reg(state, FH_REG(ctxt_regs.x1), 5), FH_OK);
    const uint64_t one = fh_state_hash(state);
    ck_assert_int_eq(fh_state_set_reg(state, FH_REG(ctxt_regs.x1), 0), FH_OK);
    ck_assert_int_eq(fh_state_set_reg(state, FH_REG(ctxt_regs.x2), 5), FH_OK);
    ck_assert_uint_ne(fh_state_hash(state), one);
    fh_state_free(state);
}
END_TEST

START_TEST(parts_that_are_not_asked_for_change_nothing)
{
    struct fh_state *state = new_hashed(FH_HASH_SHARED);
    const uint64_t before = fh_state_hash(state);
    ck_assert_int_eq(fh_state_set_reg(state, FH_REG(ctxt_regs.x1), 5), FH_OK);
    fh_state_edit_cpu(state)->curid = 3;
    ck_assert_int_eq(fh_acquire_lock_core(state), FH_OK);
    ck_assert_uint_eq(fh_state_hash(state), before);
    ck_assert_int_eq(fh_set_next_vmid(state, 9), FH_OK);
    ck_assert_uint_ne(fh_state_hash(state), before);
    fh_state_free(state);
}
END_TEST

START_TEST(taking_back_brings_the_hash_back)
{
    struct fh_state *state = new_hashed(FH_HASH_DATA);
    const uint64_t before = fh_state_hash(state);
    ck_assert_int_eq(fh_begin(state), FH_OK);
    ck_assert_int_eq(fh_state_set_reg(state, FH_REG(ctxt_regs.hpfar_el2), base / 256), FH_OK);
    ck_assert_int_eq(fh_map_page_host(state, base), FH_OK);
    ck_assert_uint_ne(fh_state_hash(state), before);
    ck_assert_int_eq(fh_undo(state), FH_OK);
    ck_assert_uint_eq(fh_state_hash(state), before);
    fh_state_free(state);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, same_data_have_the_same_hash_however_reached);
    tcase_add_test(tests, entry_that_equals_the_default_counts_as_none);
    tcase_add_test(tests, hash_depends_on_the_place);
    tcase_add_test(tests, parts_that_are_not_asked_for_change_nothing);
    tcase_add_test(tests, taking_back_brings_the_hash_back);
}

int main(void)
{
    return run_tests("hash", add);
}
