/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <string.h>

#include "base/map_sound.h"
#include "state/machine.h"
#include "state/sound.h"

/* Each invariant, broken by hand: the check says which one. */

enum { PAGES = 200 };
static const uint64_t base = 0x80000000;

static struct memory memory;
static struct fh_state *state;

static void begin(enum fh_log_policy policy)
{
    memory_init(&memory);
    state = new_host_state(&memory, policy, base, PAGES);
    ck_assert_int_eq(fh_map_page_host(state, base), FH_OK);
    ck_assert_int_eq(fh_map_page_host(state, base + 0x5000), FH_OK);
    ck_assert(fh_state_is_sound(state, 3, NULL));
}

static void end(void)
{
    ck_assert(fh_state_is_sound(state, 3, NULL));
    fh_state_free(state);
    ck_assert_uint_eq(memory.blocks, 0);
}

/* Level `level` sees it, and the levels below do not. */
static void assert_broken(unsigned level, const char *label)
{
    const char *broken = NULL;
    ck_assert_msg(!fh_state_is_sound(state, level, &broken), "%s is not seen", label);
    ck_assert_msg(strstr(broken, label) == broken, "expected %s, got %s", label, broken);
    if (level > 1)
        ck_assert(fh_state_is_sound(state, level - 1, NULL));
}

/* `place` has another value while the check looks. */
#define ASSERT_BREAKS(place, value, level, label)                                                  \
    do {                                                                                           \
        __typeof__(place) *const place_ = &(place);                                                \
        const __typeof__(place) kept_ = *place_;                                                   \
        *place_ = (value);                                                                         \
        assert_broken(level, label);                                                               \
        *place_ = kept_;                                                                           \
    } while (0)

static struct fh_map_node *first_child(struct fh_map_node *node)
{
    return *(struct fh_map_node **)(void *)(node + 1);
}

START_TEST(nodes_of_maps_are_looked_at)
{
    begin(FH_LOG_SUMMARY);
    struct fh_map *flatmem = &fh_state_edit(state)->shared.flatmem;
    for (uint64_t pfn = 0; pfn < 2 * FANOUT; pfn++) {
        bool existed;
        ck_assert(fh_map_edit(flatmem, &type_of_u64->as_value, &memory.allocator, pfn, &existed));
    }
    struct fh_map_node *root = flatmem->root, *leaf = root;
    ck_assert_uint_gt(root->level, 0);
    while (leaf->level > 0)
        leaf = first_child(leaf);
    ASSERT_BREAKS(leaf->level, 1, 2, "[M-LEVEL-1]");
    ASSERT_BREAKS(root->level, MAX_LEVEL + 1, 2, "[M-LEVEL-2]");
    ASSERT_BREAKS(leaf->references, 0, 2, "[M-REF-1]");
    ASSERT_BREAKS(leaf->capacity, 0, 2, "[M-CAP-1]");
    ASSERT_BREAKS(leaf->capacity, FANOUT + 1, 2, "[M-CAP-1]");
    ASSERT_BREAKS(leaf->capacity, 1, 2, "[M-CAP-2]");
    ASSERT_BREAKS(*(struct fh_map_node **)(void *)(root + 1), NULL, 2, "[M-CHILD-1]");
    end();
}
END_TEST

START_TEST(top_of_a_tree_has_no_slots_beyond_64_bits)
{
    struct fh_map map = {NULL, NULL};
    bool existed;
    memory_init(&memory);
    uint64_t *last =
        fh_map_edit(&map, &type_of_u64->as_value, &memory.allocator, UINT64_MAX, &existed);
    ck_assert_ptr_nonnull(last);
    ck_assert_uint_eq(map.root->level, MAX_LEVEL);
    ck_assert(map_is_sound(&map));
    map.root->mask <<= 1; /* as if the key had a bit more */
    ck_assert_ptr_nonnull(strstr(map_unsound(&map), "[M-KEY-1]"));
    map.root->mask >>= 1;
    fh_map_release(&map, &type_of_u64->as_value, &memory.allocator);
}
END_TEST

START_TEST(records_and_data_are_looked_at)
{
    begin(FH_LOG_SUMMARY);
    ASSERT_BREAKS(state->adt->references, 0, 1, "[S-DATA-1]");
    ASSERT_BREAKS(state->adt->smmu_conf, NULL, 1, "[S-NULL-1]");
    ASSERT_BREAKS(state->adt->regs->references, 0, 2, "[S-REF-1]");
    end();
}
END_TEST

START_TEST(the_journal_is_looked_at)
{
    begin(FH_LOG_SUMMARY);
    struct journal *journal = &state->journal;
    ck_assert_uint_gt(journal->used, sizeof(struct record));
    struct record *newest = record_before(journal, journal->used);
    ASSERT_BREAKS(journal->used, journal->size + 1, 1, "[J-SIZE-1]");
    ASSERT_BREAKS(journal->call, journal->used + 1, 1, "[J-CALL-1]");
    ASSERT_BREAKS(journal->mark, journal->used + 1, 1, "[J-MARK-1]");
    ASSERT_BREAKS(journal->mark, 1, 1, "[J-MARK-2]");
    ASSERT_BREAKS(journal->regs, journal->used + 1, 1, "[J-END-1]");
    ASSERT_BREAKS(newest->payload, (uint32_t)journal->used, 1, "[J-SIZE-2]");
    ASSERT_BREAKS(newest->kind, RECORD_UNDONE + 1, 1, "[J-KIND-1]");
    ASSERT_BREAKS(newest->cursor, 8, 1, "[J-CURSOR-1]");
    end();
}
END_TEST

START_TEST(what_is_remembered_of_places_is_looked_at)
{
    begin(FH_LOG_SUMMARY);
    const uint64_t id = state->profile->S2PAGE_ID;
    struct known_places *places = &state->places;
    struct lock_place *lock = &places->locks[id];
    struct npt_place *npt = &places->npts[state->profile->HOSTVISOR];
    ck_assert(!places->is_status_old && lock->age == places->lock_age && npt->age == places->age);
    ASSERT_BREAKS(places->status[id], FH_LOCK_OWN, 1, "[P-STATUS-1]");
    ASSERT_BREAKS(lock->log, lock->log + 1, 1, "[P-LOCK-1]");
    ASSERT_BREAKS(lock->status, lock->status + 1, 1, "[P-LOCK-2]");
    ASSERT_BREAKS(npt->npt, NULL, 1, "[P-NPT-1]");
    ASSERT_BREAKS(npt->pt.prefix, npt->pt.prefix + 1, 1, "[P-LEAF-1]");
    ck_assert(npt->is_own && npt->pt.is_own);
    ASSERT_BREAKS(npt->npt->references, 2, 1, "[P-NPT-2]");
    ASSERT_BREAKS(npt->pt.leaf->references, 2, 1, "[P-LEAF-2]");
    end();
}
END_TEST

START_TEST(a_vm_without_a_table_reads_that_of_the_default)
{
    enum { VMID = 40 };
    begin(FH_LOG_SUMMARY);
    const struct fh_map *npts = &state->adt->shared.npts;
    ck_assert_ptr_null(fh_map_find(npts, &type_of_ref_npt->as_value, VMID));
    ck_assert_ptr_nonnull(find_npt(state, VMID));
    ck_assert(fh_state_is_sound(state, 3, NULL));
    ASSERT_BREAKS(state->places.npts[VMID].npt, NULL, 1, "[P-NPT-1]");
    end();
}
END_TEST

START_TEST(a_hash_that_setters_keep_is_looked_at)
{
    memory_init(&memory);
    const struct fh_config config = {.allocator = &memory.allocator, .hash = FH_HASH_DATA};
    state = fh_state_new(&config);
    fh_state_hash(state);
    ck_assert_int_eq(fh_map_page_host(state, base), FH_OK);
    ck_assert(state->adt->is_summed && fh_state_is_sound(state, 3, NULL));
    const struct known_places *places = &state->places;
    struct lock_place *lock = &state->places.locks[state->profile->S2PAGE_ID];
    struct npt_place *npt = &state->places.npts[state->profile->HOSTVISOR];
    ck_assert(lock->age == places->lock_age && npt->age == places->age);
    ASSERT_BREAKS(state->adt->sum, state->adt->sum + 1, 2, "[H-SUM-1]");
    ASSERT_BREAKS(lock->taken, lock->taken + 1, 1, "[H-LOCK-1]");
    ASSERT_BREAKS(npt->code, npt->code + 1, 1, "[H-CODE-1]");
    state->adt->regs->ctxt_regs.x7++; /* by no setter */
    assert_broken(2, "[H-SUM-1]");
    state->adt->regs->ctxt_regs.x7--;
    end();
}
END_TEST

START_TEST(summaries_of_logs_are_looked_at)
{
    begin(FH_LOG_SUMMARY);
    struct fh_log *log = state->places.locks[state->profile->S2PAGE_ID].log;
    ASSERT_BREAKS(log->lock, FH_LOG_BROKEN + 1, 2, "[L-STATE-1]");
    ASSERT_BREAKS(log->budget, 1, 2, "[L-HOLD-1]");
    ASSERT_BREAKS(log->holder, 1, 2, "[L-HOLD-1]");
    end();
}
END_TEST

START_TEST(events_of_logs_are_looked_at)
{
    begin(FH_LOG_FULL);
    const struct fh_map *logs = &state->adt->log;
    const uint64_t id = state->profile->S2PAGE_ID;
    struct fh_log *log = (struct fh_log *)(uintptr_t)fh_map_find(logs, &type_of_log->as_value, id);
    ASSERT_BREAKS(log->length, log->length + 1, 3, "[L-LENGTH-1]");
    ASSERT_BREAKS(log->length, log->length - 1, 3, "[L-LENGTH-1]");
    ASSERT_BREAKS(log->newest, NULL, 2, "[L-LIST-1]");
    ASSERT_BREAKS(log->newest->references, 0, 3, "[L-REF-1]");
    ASSERT_BREAKS(log->newest->kind, FH_EVENT_KINDS, 3, "[L-KIND-1]");
    end();
}
END_TEST

/* The preset `dev` sets FH_SOUNDNESS; a state that was damaged between calls is seen by the next.
 */
START_TEST(call_of_a_build_that_checks_says_what_is_broken)
{
#ifdef FH_CHECKS_CALLS
    begin(FH_LOG_SUMMARY);
    struct fh_ctxt *regs = state->adt->regs;
    for (unsigned i = 0; i < 64; i++) {
        regs->references = 0;
        const enum fh_status status = fh_check(state, 5, &(uint32_t){0});
        regs->references = 1;
        if (status == FH_UNSOUND)
            break;
        ck_assert_int_eq(status, FH_OK);
        ck_assert_uint_lt(i, 63);
    }
    char text[200];
    fh_error_format(fh_state_error(state), text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "[S-REF-1] a counted record has an owner"));
    end();
#endif
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, nodes_of_maps_are_looked_at);
    tcase_add_test(tests, top_of_a_tree_has_no_slots_beyond_64_bits);
    tcase_add_test(tests, records_and_data_are_looked_at);
    tcase_add_test(tests, the_journal_is_looked_at);
    tcase_add_test(tests, what_is_remembered_of_places_is_looked_at);
    tcase_add_test(tests, a_vm_without_a_table_reads_that_of_the_default);
    tcase_add_test(tests, a_hash_that_setters_keep_is_looked_at);
    tcase_add_test(tests, summaries_of_logs_are_looked_at);
    tcase_add_test(tests, events_of_logs_are_looked_at);
    tcase_add_test(tests, call_of_a_build_that_checks_says_what_is_broken);
}

int main(void)
{
    return run_tests("sound", add);
}
