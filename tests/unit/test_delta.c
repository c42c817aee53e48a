/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <string.h>

#include "state/machine.h"

enum { CHANGES_MAX = 16 };

struct listed {
    unsigned count;
    char paths[CHANGES_MAX][80];
    uint64_t before[CHANGES_MAX], after[CHANGES_MAX];
    unsigned stop_after;
};

static uint64_t value_of(const struct fh_type *type, const void *place)
{
    if (type->kind == FH_KIND_TUPLE)
        return fh_tuple_get(type, place, type->nfields - 1);
    return type->kind == FH_KIND_LOG ? ((const struct fh_log *)place)->length
                                     : fh_scalar_get(type, place);
}

static bool list(void *context, const struct fh_change *change)
{
    struct listed *listed = context;
    ck_assert_uint_lt(listed->count, CHANGES_MAX);
    unsigned i = listed->count++;
    fh_path_format(change->path, listed->paths[i], sizeof listed->paths[i]);
    listed->before[i] = value_of(change->type, change->before);
    listed->after[i] = value_of(change->type, change->after);
    return listed->count != listed->stop_after;
}

static void assert_change(const struct listed *listed, unsigned i, const char *path,
                          uint64_t before, uint64_t after)
{
    ck_assert_uint_lt(i, listed->count);
    ck_assert_str_eq(listed->paths[i], path);
    ck_assert_uint_eq(listed->before[i], before);
    ck_assert_uint_eq(listed->after[i], after);
}

static struct memory memory;
static struct fh_state *state;
static const struct fh_rdata *before;

static void setup(void)
{
    memory_init(&memory);
    state = new_state(&memory, NULL, FH_LOG_SUMMARY);
    before = fh_state_snapshot(state);
}

static void teardown(void)
{
    fh_snapshot_release(before, &memory.allocator);
    fh_state_free(state);
    ck_assert_uint_eq(memory.blocks, 0);
}

static struct listed changes(void)
{
    struct listed listed = {0};
    ck_assert(fh_delta(before, fh_state_rdata(state), list, &listed));
    return listed;
}

static void *entry(struct fh_map *map, const struct fh_type *type, uint64_t key)
{
    bool existed;
    void *place = fh_map_edit(map, &type->as_value, &memory.allocator, key, &existed);
    ck_assert_ptr_nonnull(place);
    return place;
}

START_TEST(state_that_nobody_wrote_has_no_changes)
{
    ck_assert_ptr_nonnull(fh_state_edit(state)); /* a copy, but of the same data */
    ck_assert_uint_eq(changes().count, 0);
}
END_TEST

START_TEST(changes_come_in_the_order_of_the_fields_and_keys_with_old_and_new_value)
{
    struct fh_rdata *adt = fh_state_edit(state);
    ((struct fh_s2page *)entry(&adt->shared.s2page, type_of_s2page, 9))->s2_owner = 3;
    ((struct fh_s2page *)entry(&adt->shared.s2page, type_of_s2page, 8))->s2_gfn = 77;
    *(uint64_t *)entry(&adt->shared.flatmem, type_of_u64, UINT64_MAX) = 5;
    adt->shared.core_data.next_vmid = 2;
    adt->halt = true;
    struct listed listed = changes();
    ck_assert_uint_eq(listed.count, 5);
    assert_change(&listed, 0, "halt", 0, 1);
    assert_change(&listed, 1, "shared.flatmem.18446744073709551615", 0, 5);
    assert_change(&listed, 2, "shared.s2page.8.s2_gfn", UINT64_MAX, 77);
    assert_change(&listed, 3, "shared.s2page.9.s2_owner", 0xffffffff, 3);
    assert_change(&listed, 4, "shared.core_data.next_vmid", 1, 2);
}
END_TEST

START_TEST(entry_that_equals_the_default_is_no_change)
{
    struct fh_rdata *adt = fh_state_edit(state);
    entry(&adt->shared.s2page, type_of_s2page, 8);
    entry(&adt->shared.flatmem, type_of_u64, 1);
    ck_assert_uint_eq(changes().count, 0);
}
END_TEST

START_TEST(change_inside_a_shared_record_names_the_whole_path)
{
    struct fh_rdata *adt = fh_state_edit(state);
    struct fh_npt **npt = entry(&adt->shared.npts, type_of_ref_npt, 3);
    ck_assert(fh_ref_own(type_of_ref_npt, npt, &memory.allocator));
    struct fh_pt_entry *page = entry(&(*npt)->pt, type_of_pt_entry, 2960);
    *page = (struct fh_pt_entry){.pfn = 1, .level = 3, .pte = 0xb90fff};
    *(bool *)entry(&(*npt)->pmd_t, type_of_flag, 5 << 18 | 6 << 9 | 7) = true;
    struct listed listed = changes();
    ck_assert_uint_eq(listed.count, 2);
    assert_change(&listed, 0, "shared.npts.3.pt.2960", 0, 0xb90fff);
    assert_change(&listed, 1, "shared.npts.3.pmd_t.5.6.7", 0, 1);
}
END_TEST

START_TEST(new_default_of_a_map_is_one_change)
{
    struct fh_rdata *adt = fh_state_edit(state);
    const uint64_t one = 1;
    ck_assert(fh_map_reset(&adt->shared.flatmem, &type_of_u64->as_value, &memory.allocator, &one));
    struct listed listed = changes();
    ck_assert_uint_eq(listed.count, 1);
    assert_change(&listed, 0, "shared.flatmem._", 0, 1);
}
END_TEST

START_TEST(log_that_grew_is_a_change)
{
    struct fh_rdata *adt = fh_state_edit(state);
    const uint64_t ten[FH_EVENT_ARGS] = {10};
    struct fh_event *event = fh_event_new(&memory.allocator, FH_EVENT_WAIT_LOCK, 0, ten);
    ck_assert(
        fh_log_append(entry(&adt->log, type_of_log, 5), FH_LOG_FULL, &memory.allocator, event));
    fh_event_release(event, &memory.allocator);
    struct listed listed = changes();
    ck_assert_uint_eq(listed.count, 1);
    assert_change(&listed, 0, "log.5", 0, 1);
}
END_TEST

START_TEST(logs_differ_when_an_event_differs)
{
    const uint64_t two[FH_EVENT_ARGS] = {2}, three[FH_EVENT_ARGS] = {3};
    struct fh_event *a = fh_event_new(&memory.allocator, FH_EVENT_OPULL, 0, two);
    struct fh_event *b = fh_event_new(&memory.allocator, FH_EVENT_OPULL, 0, three);
    struct fh_log x = {.newest = a, .length = 1}, y = {.newest = b, .length = 1};
    ck_assert(fh_log_equal(&x, &x));
    ck_assert(!fh_log_equal(&x, &y));
    ck_assert(!fh_event_equal(a, b));
    fh_event_release(a, &memory.allocator);
    fh_event_release(b, &memory.allocator);
}
END_TEST

START_TEST(visitor_can_end_the_walk)
{
    struct fh_rdata *adt = fh_state_edit(state);
    adt->halt = true;
    adt->tstate = 0;
    struct listed listed = {.stop_after = 1};
    ck_assert(!fh_delta(before, adt, list, &listed));
    ck_assert_uint_eq(listed.count, 1);
}
END_TEST

START_TEST(path_that_does_not_fit_is_cut_and_its_length_told)
{
    const struct fh_path path = {.steps = {{.field = "shared"}, {.field = "s2page"}}, .length = 2};
    char small[6];
    memset(small, 'x', sizeof small);
    ck_assert_uint_eq(fh_path_format(&path, small, sizeof small), strlen("shared.s2page"));
    ck_assert_str_eq(small, "share");
    ck_assert_uint_eq(fh_path_format(&path, NULL, 0), strlen("shared.s2page"));
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, state_that_nobody_wrote_has_no_changes);
    tcase_add_test(tests, changes_come_in_the_order_of_the_fields_and_keys_with_old_and_new_value);
    tcase_add_test(tests, entry_that_equals_the_default_is_no_change);
    tcase_add_test(tests, change_inside_a_shared_record_names_the_whole_path);
    tcase_add_test(tests, new_default_of_a_map_is_one_change);
    tcase_add_test(tests, log_that_grew_is_a_change);
    tcase_add_test(tests, logs_differ_when_an_event_differs);
    tcase_add_test(tests, visitor_can_end_the_walk);
    tcase_add_test(tests, path_that_does_not_fit_is_cut_and_its_length_told);
}

int main(void)
{
    return run_tests("delta", add);
}
