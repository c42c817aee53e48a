/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <string.h>

#include "layers/kcore.h"
#include "state/sound.h"

/* The host's memory in most tests: 4 MiB at 2 GiB. */
enum { PAGES = 1024 };
static const uint64_t base = 0x80000000;

static struct memory memory;
static struct fh_state *state;

static void setup(void)
{
    memory_init(&memory);
    state = new_host_state(&memory, FH_LOG_FULL, base, PAGES);
}

static void teardown(void)
{
    fh_state_free(state);
    ck_assert_uint_eq(memory.blocks, 0);
}

static uint64_t host_pte(struct fh_state *s, uint64_t addr)
{
    uint64_t pte = 0;
    ck_assert_int_eq(fh_walk_s2pt(s, 0, addr, &pte), FH_OK);
    return pte;
}

static void assert_error(const char *expected)
{
    char text[300];
    fh_error_format(fh_state_error(state), text, sizeof text);
    ck_assert_msg(strstr(text, expected) != NULL, "no \"%s\" in: %s", expected, text);
}

START_TEST(new_state_is_the_base_state_of_the_vectors)
{
    struct fh_state *fresh = new_state(&memory, NULL, FH_LOG_FULL);
    const struct fh_rdata *adt = fh_state_rdata(fresh);
    ck_assert(!adt->halt && !adt->icore && adt->ihost);
    ck_assert_uint_eq(adt->tstate, 1);
    ck_assert_uint_eq(adt->bars, FH_BARRIER_VALID);
    ck_assert_uint_eq(adt->shared.core_data.next_vmid, 1);
    ck_assert_uint_eq(adt->shared.core_data.next_remap_ptr, 33554432);
    ck_assert_uint_eq(adt->shared.spts->spt_pgd_next, 1114112);
    ck_assert_uint_eq(adt->shared.spts->spt_pmd_next, 2162688);
    for (uint32_t vmid = 0; vmid <= 16; vmid++) {
        const uint64_t start = 65536 + (uint64_t)33554432 * vmid;
        ck_assert_uint_eq(npt_of(fresh, vmid)->pt_pgd_next, start + 4096);
        ck_assert_uint_eq(npt_of(fresh, vmid)->pt_pud_next, start + 1052672);
        ck_assert_uint_eq(npt_of(fresh, vmid)->pt_pmd_next, start + 9441280);
    }
    fh_state_free(fresh);
}
END_TEST

START_TEST(snapshot_keeps_what_was_and_restoring_brings_it_back)
{
    const struct fh_rdata *before = fh_state_snapshot(state);
    ck_assert_int_eq(fh_map_page_host(state, base), FH_OK);
    ck_assert_uint_gt(count_changes(before, fh_state_rdata(state), NULL, 0), 0);
    ck_assert_uint_eq(host_pte(state, base), base | 4095);
    fh_state_restore(state, before);
    assert_same_data(before, fh_state_rdata(state));
    ck_assert_uint_eq(host_pte(state, base), 0);
    fh_snapshot_release(before, &memory.allocator);
}
END_TEST

START_TEST(snapshot_outlives_the_state)
{
    ck_assert_int_eq(fh_map_page_host(state, base), FH_OK);
    const struct fh_rdata *kept = fh_state_snapshot(state);
    struct fh_state *other = fh_state_fork(state);
    fh_state_free(state);
    state = other;
    assert_same_data(kept, fh_state_rdata(state));
    fh_snapshot_release(kept, &memory.allocator);
}
END_TEST

START_TEST(snapshot_and_fork_take_no_memory_that_grows_with_the_state)
{
    size_t before = memory.blocks;
    const struct fh_rdata *snapshot = fh_state_snapshot(state);
    ck_assert_uint_eq(memory.blocks, before);
    struct fh_state *fork = fh_state_fork(state);
    ck_assert_uint_eq(memory.blocks, before + 1);
    fh_state_free(fork);
    fh_snapshot_release(snapshot, &memory.allocator);
}
END_TEST

START_TEST(fork_and_original_go_separate_ways)
{
    struct fh_state *fork = fh_state_fork(state);
    ck_assert_int_eq(fh_map_page_host(fork, base), FH_OK);
    ck_assert_int_eq(fh_map_page_host(state, base + 4096), FH_OK);
    ck_assert_uint_eq(host_pte(fork, base), base | 4095);
    ck_assert_uint_eq(host_pte(fork, base + 4096), 0);
    ck_assert_uint_eq(host_pte(state, base), 0);
    ck_assert_uint_eq(host_pte(state, base + 4096), (base + 4096) | 4095);
    fh_state_free(fork);
}
END_TEST

static bool has_page(const struct fh_state *s, uint64_t addr)
{
    return mapping_of(s, 0, addr >> 12)->pte != 0;
}

/*
 * Of two that share what one of them had written: each gets a page, and not the other's.
 * `looked_at`: before anybody writes, the state reads the leaves that it is to write.
 */
static void assert_separate_ways(struct fh_state *s, bool fork_first, bool looked_at)
{
    struct fh_state *fork = fh_state_fork(s);
    struct fh_state *first = fork_first ? fork : s, *second = fork_first ? s : fork;
    if (looked_at)
        ck_assert(s2page_of(s, base >> 12)->s2_owner == 0 && has_page(s, base));
    ck_assert_int_eq(fh_map_page_host(first, base + 0x1000), FH_OK);
    ck_assert_int_eq(fh_map_page_host(second, base + 0x2000), FH_OK);
    ck_assert(has_page(first, base + 0x1000) && !has_page(first, base + 0x2000));
    ck_assert(has_page(second, base + 0x2000) && !has_page(second, base + 0x1000));
    fh_state_free(fork);
}

START_TEST(leaves_that_are_written_in_place_are_nobody_elses)
{
    for (unsigned i = 0; i < 4; i++) {
        struct fh_state *s = new_host_state(&memory, FH_LOG_SUMMARY, base, PAGES);
        ck_assert_int_eq(fh_map_page_host(s, base), FH_OK);
        assert_separate_ways(s, i & 1, i & 2);
        fh_state_free(s);
    }
}
END_TEST

START_TEST(leaves_of_a_table_that_another_state_has_too_are_not_written_in_place)
{
    struct fh_state *s = new_host_state(&memory, FH_LOG_SUMMARY, base, PAGES);
    ck_assert_int_eq(fh_map_page_host(s, base), FH_OK);
    struct fh_state *fork = fh_state_fork(s);
    ck_assert_int_eq(fh_map_s2pt(s, 1, 0x1000, 3, base | 4095), FH_OK); /* the data are its own */
    ck_assert(has_page(s, base)); /* the host's table is not */
    ck_assert_int_eq(fh_map_page_host(fork, base + 0x50000), FH_OK);
    ck_assert(fh_state_is_sound(s, 1, NULL));
    ck_assert_int_eq(fh_map_page_host(s, base + 0x2000), FH_OK);
    ck_assert(has_page(fork, base + 0x50000) && !has_page(fork, base + 0x2000));
    ck_assert(has_page(s, base + 0x2000) && !has_page(s, base + 0x50000));
    fh_state_free(fork);
    fh_state_free(s);
}
END_TEST

START_TEST(stuck_call_leaves_the_state_as_it_was)
{
    /* clear_pfn_host is reached with ownership already changed, and finds the table's lock taken.
     */
    ck_assert_int_eq(fh_acquire_lock_pt(state, 0), FH_OK);
    const struct fh_rdata *before = fh_state_snapshot(state);
    ck_assert_int_eq(fh_assign_pfn_to_vm(state, 1, 5, base / 4096), FH_STUCK);
    assert_same_data(before, fh_state_rdata(state));
    ck_assert_int_eq(fh_prot_and_map_vm_s2pt(state, 1, 0, base, 2), FH_STUCK);
    assert_same_data(before, fh_state_rdata(state));
    fh_snapshot_release(before, &memory.allocator);
}
END_TEST

START_TEST(call_that_gets_stuck_halfway_undoes_the_first_half)
{
    /* 256 pages to take back, of which the last ones lie beyond the pages there are. */
    const struct fh_profile *k = fh_state_profile(state);
    ck_assert_int_eq(fh_assign_pfn_to_vm(state, 1, 0, base / 4096), FH_OK);
    const struct fh_rdata *before = fh_state_snapshot(state);
    ck_assert_int_eq(fh_clear_vm_range(state, 1, base / 4096, k->KVM_PFN_SPACE - 1), FH_STUCK);
    assert_same_data(before, fh_state_rdata(state));
    fh_snapshot_release(before, &memory.allocator);
}
END_TEST

START_TEST(error_of_a_stuck_call_names_layer_function_condition_and_values)
{
    ck_assert_int_eq(fh_map_page_host(state, 0x10000000000), FH_STUCK);
    const struct fh_error *error = fh_state_error(state);
    ck_assert_int_eq(error->status, FH_STUCK);
    ck_assert_str_eq(error->layer, "MemManager");
    ck_assert_str_eq(error->function, "map_page_host");
    ck_assert_uint_eq(error->values[0], 0x10000000000);
    assert_error("MemManager.map_page_host: stuck");
    assert_error("needs is_paddr(k, addr) with addr = 0x10000000000");
}
END_TEST

START_TEST(error_names_the_function_that_got_stuck_not_the_one_that_was_called)
{
    ck_assert_int_eq(fh_acquire_lock_s2page(state), FH_OK);
    ck_assert_int_eq(fh_map_page_host(state, base), FH_STUCK);
    ck_assert_str_eq(fh_state_error(state)->layer, "Locks");
}
END_TEST

START_TEST(success_clears_the_error)
{
    ck_assert_int_eq(fh_map_page_host(state, 0x10000000000), FH_STUCK);
    ck_assert_int_eq(fh_map_page_host(state, base), FH_OK);
    ck_assert_int_eq(fh_state_error(state)->status, FH_OK);
}
END_TEST

START_TEST(error_text_is_cut_where_the_buffer_ends_and_its_length_told)
{
    ck_assert_int_eq(fh_map_page_host(state, 0x10000000000), FH_STUCK);
    char whole[300], part[12];
    size_t length = fh_error_format(fh_state_error(state), whole, sizeof whole);
    ck_assert_uint_eq(length, strlen(whole));
    ck_assert_uint_eq(fh_error_format(fh_state_error(state), part, sizeof part), length);
    ck_assert_uint_eq(strlen(part), sizeof part - 1);
    ck_assert(strncmp(whole, part, sizeof part - 1) == 0);
    ck_assert_uint_eq(fh_error_format(fh_state_error(state), NULL, 0), length);
}
END_TEST

START_TEST(values_with_names_have_them_behind_their_numbers)
{
    ck_assert_int_eq(fh_set_vm_state(state, 3, 1), FH_STUCK);
    assert_error(" = 25 (INFO_ID + 3)");
    ck_assert_int_eq(fh_set_s2_page_vmid(state, 5, 1), FH_STUCK);
    assert_error(" = 2 (S2PAGE_ID)");
    ck_assert_int_eq(fh_walk_npt(state, 17, 0, &(uint64_t){0}), FH_STUCK);
    assert_error("with vmid = 17");
    ck_assert_int_eq(fh_remap_vm_image(state, 2, 0x400, 0), FH_OK);
    char text[300];
    const struct fh_panic panic = fh_state_panic(state);
    fh_panic_format(&panic, text, sizeof text);
    ck_assert_msg(strstr(text, "with vmid = 2, state = 0 (UNUSED)") != NULL, "%s", text);
}
END_TEST

/* The numbers of states are each machine's own; without one they stay numbers. */
START_TEST(names_are_those_of_the_profile)
{
    struct fh_profile other = fh_profile_spec;
    char text[300];
    other.READY = 7;
    struct fh_error error = {.names = "state, owner, class, lk, f(a, b), vcpuid",
                             .values = {7, 0xffffffff, 0x24, 6, 16, 16},
                             .nvalues = 6,
                             .profile = &other};
    fh_error_format(&error, text, sizeof text);
    ck_assert_msg(strstr(text, "with state = 7 (READY), owner = 0xffffffff (INVALID), "
                               "class = 0x24 (DABT_LOW), lk = 6 (NPT_ID + 1), f(a, b) = 0x10, "
                               "vcpuid = 16"),
                  "%s", text);
    error.profile = NULL;
    fh_error_format(&error, text, sizeof text);
    ck_assert_msg(strstr(text, "with state = 7, owner = 0xffffffff, class = 0x24, lk = 6, "), "%s",
                  text);
}
END_TEST

START_TEST(panic_is_a_result_and_not_an_error)
{
    ck_assert_int_eq(fh_assign_pfn_to_vm(state, 1, 0, base / 4096), FH_OK);
    ck_assert_int_eq(fh_map_page_host(state, base), FH_OK);
    ck_assert(fh_state_rdata(state)->halt);
    const struct fh_rdata *halted = fh_state_snapshot(state);
    ck_assert_int_eq(fh_map_page_host(state, base + 4096), FH_OK);
    assert_same_data(halted, fh_state_rdata(state));
    ck_assert_int_eq(fh_map_page_host(state, 0x10000000000), FH_STUCK);
    fh_snapshot_release(halted, &memory.allocator);
}
END_TEST

START_TEST(value_of_more_than_64_bits_is_not_representable)
{
    struct fh_rdata *adt = fh_state_edit(state);
    adt->regs->ctxt_regs.elr_el2 = UINT64_MAX - 3;
    const struct fh_rdata *before = fh_state_snapshot(state);
    ck_assert_int_eq(fh_host_skip_instr(state), FH_UNREPRESENTABLE);
    assert_same_data(before, fh_state_rdata(state));
    assert_error("host_skip_instr: not representable");
    fh_snapshot_release(before, &memory.allocator);
}
END_TEST

START_TEST(loop_beyond_the_limit_is_given_up_and_nothing_changes)
{
    const struct fh_config config = {.allocator = &memory.allocator, .loop_limit = 10};
    struct fh_state *limited = fh_state_new(&config);
    const struct fh_rdata *before = fh_state_snapshot(limited);
    ck_assert_int_eq(fh_clear_vm_range(limited, 1, 0, 11), FH_LIMIT);
    assert_same_data(before, fh_state_rdata(limited));
    ck_assert_int_eq(fh_clear_vm_range(limited, 1, 0, 10), FH_OK);
    fh_snapshot_release(before, &memory.allocator);
    fh_state_free(limited);
}
END_TEST

START_TEST(result_of_a_failed_call_is_left_alone)
{
    uint64_t result = 4711;
    ck_assert_int_eq(fh_walk_s2pt(state, 17, 0, &result), FH_STUCK);
    ck_assert_uint_eq(result, 4711);
}
END_TEST

START_TEST(call_by_name_takes_the_names_of_the_vectors_too)
{
    uint64_t pte = 0;
    const uint64_t map[] = {base}, walk[] = {0, base};
    ck_assert_int_eq(fh_call(state, "map_page_host", map, 1, NULL), FH_OK);
    ck_assert_int_eq(fh_call(state, "NPTOps.walk_s2pt", walk, 2, &pte), FH_OK);
    ck_assert_uint_eq(pte, base | 4095);
    ck_assert_int_eq(fh_call(state, "MemManager.map_page_host_spec", map, 1, NULL), FH_OK);
    ck_assert_ptr_null(fh_function_find("NPTOps.map_page_host"));
    ck_assert_ptr_null(fh_function_find("map_page_hos"));
    ck_assert_ptr_null(fh_function_find("map_page_host_specs"));
}
END_TEST

START_TEST(call_by_name_refuses_what_the_function_cannot_take)
{
    const uint64_t args[] = {(uint64_t)1 << 32, 0, 0};
    ck_assert_int_eq(fh_call(state, "no_such_function", args, 0, NULL), FH_UNKNOWN);
    ck_assert_int_eq(fh_call(state, "map_page_host", args, 2, NULL), FH_INVALID_ARGUMENT);
    ck_assert_int_eq(fh_call(state, "get_pt_vttbr", args, 1, NULL), FH_INVALID_ARGUMENT);
    ck_assert_int_eq(fh_state_error(state)->status, FH_INVALID_ARGUMENT);
}
END_TEST

START_TEST(every_function_is_found_under_its_own_name)
{
    const struct fh_function *function;
    unsigned count = 0;
    for (; (function = fh_function_at(count)); count++)
        ck_assert_ptr_eq(fh_function_find(function->name), function);
    ck_assert_uint_gt(count, 100);
}
END_TEST

START_TEST(logs_of_both_policies_lead_to_the_same_results)
{
    struct fh_state *summary = new_host_state(&memory, FH_LOG_SUMMARY, base, PAGES);
    struct fh_state *const both[] = {state, summary};
    for (unsigned i = 0; i < 2; i++) {
        for (uint64_t page = 0; page < 20; page++)
            ck_assert_int_eq(fh_map_page_host(both[i], base + page * 4096), FH_OK);
        ck_assert_int_eq(fh_assign_pfn_to_vm(both[i], 1, 5, base / 4096), FH_OK);
        ck_assert_int_eq(fh_grant_vm_page(both[i], 1, base / 4096), FH_OK);
        ck_assert_int_eq(fh_revoke_vm_page(both[i], 1, base / 4096), FH_OK);
    }
    assert_same_data(fh_state_rdata(state), fh_state_rdata(summary));
    fh_state_free(summary);
}
END_TEST

/* The effects on locks, pages and tables. */
static void note_effect(void *context, const struct fh_effect *effect)
{
    char *text = context;
    switch (effect->kind) {
    case FH_EFFECT_LOCK:
    case FH_EFFECT_UNLOCK:
    case FH_EFFECT_S2_READ:
    case FH_EFFECT_NPT_SET:
        strcat(text, fh_effect_name(effect->kind));
        strcat(text, " ");
        break;
    default: break;
    }
}

START_TEST(observer_is_told_what_a_call_does_in_order)
{
    char text[200] = "";
    fh_state_environment(state)->observer = note_effect;
    fh_state_environment(state)->context = text;
    ck_assert_int_eq(fh_map_page_host(state, base), FH_OK);
    ck_assert_str_eq(text, "LOCK S2_READ S2_READ LOCK NPT_SET UNLOCK UNLOCK ");
}
END_TEST

START_TEST(statuses_have_names_and_messages)
{
    ck_assert_str_eq(fh_status_name(FH_STUCK), "STUCK");
    ck_assert_str_eq(fh_status_message(FH_NOMEM), "out of memory");
    ck_assert_str_eq(fh_status_name((enum fh_status) - 99), "?");
}
END_TEST

/* rdata.h says what a snapshot costs. */
START_TEST(snapshot_costs_nothing_and_the_first_call_behind_it_a_few_blocks)
{
    enum { MANY = 1000 };
    struct memory counted;
    const uint64_t start = (uint64_t)1 << 30;
    memory_init(&counted);
    struct fh_state *machine = new_host_state(&counted, FH_LOG_SUMMARY, start, MANY);
    for (uint64_t i = 0; i < MANY; i++)
        ck_assert_int_eq(fh_map_page_host(machine, start + i * 4096), FH_OK);
    const size_t bytes = counted.bytes;
    memory_fail_at(&counted, 0, false);
    const struct fh_rdata *snapshot = fh_state_snapshot(machine);
    ck_assert_uint_eq(counted.allocations, 0);
    ck_assert_int_eq(fh_map_page_host(machine, start), FH_OK);
    ck_assert_uint_le(counted.allocations, 9);
    ck_assert_uint_le(counted.bytes - bytes, 2300);
    memory_fail_at(&counted, 0, false);
    ck_assert_int_eq(fh_map_page_host(machine, start + 4096), FH_OK);
    ck_assert_uint_eq(counted.allocations, 0);
    fh_snapshot_release(snapshot, &counted.allocator);
    fh_state_free(machine);
    ck_assert_uint_eq(counted.blocks, 0);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, snapshot_costs_nothing_and_the_first_call_behind_it_a_few_blocks);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, new_state_is_the_base_state_of_the_vectors);
    tcase_add_test(tests, snapshot_keeps_what_was_and_restoring_brings_it_back);
    tcase_add_test(tests, snapshot_outlives_the_state);
    tcase_add_test(tests, snapshot_and_fork_take_no_memory_that_grows_with_the_state);
    tcase_add_test(tests, fork_and_original_go_separate_ways);
    tcase_add_test(tests, leaves_that_are_written_in_place_are_nobody_elses);
    tcase_add_test(tests, leaves_of_a_table_that_another_state_has_too_are_not_written_in_place);
    tcase_add_test(tests, stuck_call_leaves_the_state_as_it_was);
    tcase_add_test(tests, call_that_gets_stuck_halfway_undoes_the_first_half);
    tcase_add_test(tests, error_of_a_stuck_call_names_layer_function_condition_and_values);
    tcase_add_test(tests, error_names_the_function_that_got_stuck_not_the_one_that_was_called);
    tcase_add_test(tests, success_clears_the_error);
    tcase_add_test(tests, error_text_is_cut_where_the_buffer_ends_and_its_length_told);
    tcase_add_test(tests, values_with_names_have_them_behind_their_numbers);
    tcase_add_test(tests, names_are_those_of_the_profile);
    tcase_add_test(tests, panic_is_a_result_and_not_an_error);
    tcase_add_test(tests, value_of_more_than_64_bits_is_not_representable);
    tcase_add_test(tests, loop_beyond_the_limit_is_given_up_and_nothing_changes);
    tcase_add_test(tests, result_of_a_failed_call_is_left_alone);
    tcase_add_test(tests, call_by_name_takes_the_names_of_the_vectors_too);
    tcase_add_test(tests, call_by_name_refuses_what_the_function_cannot_take);
    tcase_add_test(tests, every_function_is_found_under_its_own_name);
    tcase_add_test(tests, logs_of_both_policies_lead_to_the_same_results);
    tcase_add_test(tests, observer_is_told_what_a_call_does_in_order);
    tcase_add_test(tests, statuses_have_names_and_messages);
}

int main(void)
{
    return run_tests("state", add);
}
