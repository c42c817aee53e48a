/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <string.h>

#include <faulthandler/realisation.h>

#include "state/machine.h"

/* Two realisations of one state: how they differ, and how that is found. */

static struct memory memory;

static struct fh_state *state_in(const struct fh_profile *profile, enum fh_realisation realisation)
{
    const struct fh_config config = {.profile = profile,
                                     .allocator = &memory.allocator,
                                     .log_policy = FH_LOG_FULL,
                                     .realisation = realisation};
    memory_init(&memory);
    struct fh_state *state = fh_state_new(&config);
    ck_assert_ptr_nonnull(state);
    return state;
}

static void end(struct fh_state *state)
{
    fh_state_free(state);
    ck_assert_uint_eq(memory.blocks, 0);
}

static struct fh_npt *edit_npt(struct fh_state *state, uint64_t vmid)
{
    struct fh_rdata *adt = fh_state_edit(state);
    bool existed;
    void *entry = fh_map_edit(&adt->shared.npts, &type_of_ref_npt->as_value, &memory.allocator,
                              vmid, &existed);
    ck_assert(fh_ref_own(type_of_ref_npt, entry, &memory.allocator));
    return *(struct fh_npt **)entry;
}

static struct fh_spt *edit_spts(struct fh_state *state)
{
    struct fh_rdata *adt = fh_state_edit(state);
    ck_assert(fh_ref_own(type_of_ref_spt, &adt->shared.spts, &memory.allocator));
    return adt->shared.spts;
}

static const struct fh_npt *npt_at(const struct fh_state *state, uint64_t vmid)
{
    const void *entry =
        fh_map_get(&fh_state_rdata(state)->shared.npts, &type_of_ref_npt->as_value, vmid);
    return fh_ref_record(type_of_ref_npt, entry);
}

static void set_word(struct fh_map *pool, uint64_t addr, uint64_t value)
{
    bool existed;
    uint64_t *word = fh_map_edit(pool, &type_of_u64->as_value, &memory.allocator, addr, &existed);
    ck_assert_ptr_nonnull(word);
    *word = value;
}

static uint64_t word_at(const struct fh_map *pool, uint64_t addr)
{
    return *(const uint64_t *)fh_map_get(pool, &type_of_u64->as_value, addr);
}

/* --- Broken by hand --------------------------------------------------------------------------- */

/* VM 1's tables in the profile `spec`: root, pgd, pud and pmd pool, and the words of its page 1. */
enum {
    ROOT = 0x2010000,
    PGD = 0x2011000,
    PUD = 0x2111000,
    PMD = 0x2911000,
    PTE_OF_PAGE_1 = 0x2911008
};

static struct fh_state *state_with_page_1(void)
{
    struct fh_state *state = state_in(NULL, FH_BOTH);
    ck_assert_int_eq(fh_map_s2pt(state, 1, 0x1000, 3, 0x300fff), FH_OK);
    ck_assert_int_eq(fh_check_realisations(state, NULL), FH_OK);
    return state;
}

static struct fh_disagreement first_of(const struct fh_state *state)
{
    struct fh_disagreement first = {.what = ""};
    ck_assert_int_eq(fh_check_realisations(state, &first), FH_DISAGREE);
    return first;
}

START_TEST(a_changed_word_is_named_by_the_address_that_it_translates)
{
    struct fh_state *state = state_with_page_1();
    set_word(&edit_npt(state, 1)->pt_pmd_pool, PTE_OF_PAGE_1, 0x400fff);
    const struct fh_disagreement first = first_of(state);
    ck_assert_int_eq(first.boundary, FH_STAGE2_TABLES);
    ck_assert_str_eq(first.what, "mapping");
    ck_assert_uint_eq(first.owner, 1);
    ck_assert_uint_eq(first.addr, 0x1000);
    ck_assert_uint_eq(first.abstract_value, 0x300fff);
    ck_assert_uint_eq(first.concrete_value, 0x400fff);
    end(state);
}
END_TEST

START_TEST(a_call_that_meets_a_changed_word_disagrees_and_changes_nothing)
{
    struct fh_state *state = state_with_page_1();
    set_word(&edit_npt(state, 1)->pt_pmd_pool, PTE_OF_PAGE_1, 0x400fff);
    const struct fh_rdata *before = fh_state_snapshot(state);
    uint64_t pte = 7;
    ck_assert_int_eq(fh_walk_s2pt(state, 1, 0x1000, &pte), FH_DISAGREE);
    ck_assert_uint_eq(pte, 7);
    assert_same_data(before, fh_state_rdata(state));
    const struct fh_error *error = fh_state_error(state);
    ck_assert_int_eq(error->status, FH_DISAGREE);
    ck_assert_uint_eq(error->values[1], 0x1000);
    ck_assert_int_eq(fh_walk_s2pt(state, 1, 0x2000, &pte), FH_OK);
    fh_snapshot_release(before, &memory.allocator);
    end(state);
}
END_TEST

START_TEST(a_word_that_maps_what_the_map_does_not_is_found)
{
    struct fh_state *state = state_with_page_1();
    set_word(&edit_npt(state, 1)->pt_pmd_pool, PMD + 8 * 511, 0x500fff);
    ck_assert_uint_eq(first_of(state).addr, 511 * 4096);
    end(state);
}
END_TEST

START_TEST(an_entry_without_its_word_is_found)
{
    struct fh_state *state = state_with_page_1();
    struct fh_npt *npt = edit_npt(state, 1);
    bool existed;
    struct fh_pt_entry *entry =
        fh_map_edit(&npt->pt, &type_of_pt_entry->as_value, &memory.allocator, 0x12345, &existed);
    *entry = (struct fh_pt_entry){.pfn = 0x300, .level = 3, .pte = 0x300fff};
    ck_assert_uint_eq(first_of(state).addr, 0x12345000);
    end(state);
}
END_TEST

START_TEST(an_entry_of_another_level_is_found)
{
    struct fh_state *state = state_with_page_1();
    struct fh_npt *npt = edit_npt(state, 1);
    bool existed;
    struct fh_pt_entry *entry =
        fh_map_edit(&npt->pt, &type_of_pt_entry->as_value, &memory.allocator, 1, &existed);
    entry->level = 2;
    const struct fh_disagreement first = first_of(state);
    ck_assert_uint_eq(first.abstract_level, 2);
    ck_assert_uint_eq(first.concrete_level, 3);
    end(state);
}
END_TEST

START_TEST(a_link_to_another_table_is_found)
{
    struct fh_state *state = state_with_page_1();
    ck_assert_uint_eq(word_at(&npt_at(state, 1)->pt_pud_pool, PUD), PMD | 3);
    set_word(&edit_npt(state, 1)->pt_pud_pool, PUD, (PMD + 4096) | 3);
    ck_assert_uint_eq(first_of(state).addr, 0x1000);
    end(state);
}
END_TEST

START_TEST(a_table_that_the_map_has_not_counted_is_found)
{
    struct fh_state *state = state_with_page_1();
    set_word(&edit_npt(state, 1)->pt_vttbr_pool, ROOT + 8, (PGD + 4096) | 3);
    const struct fh_disagreement first = first_of(state);
    ck_assert_str_eq(first.what, "table");
    ck_assert_uint_eq(first.addr, (uint64_t)1 << 39);
    end(state);
}
END_TEST

START_TEST(a_word_behind_the_pages_of_a_pool_is_found)
{
    struct fh_state *state = state_with_page_1();
    set_word(&edit_npt(state, 1)->pt_pmd_pool, PMD + 4096, 1);
    const struct fh_disagreement first = first_of(state);
    ck_assert_str_eq(first.what, "word beyond the pool's pages");
    ck_assert_uint_eq(first.addr, PMD + 4096);
    end(state);
}
END_TEST

START_TEST(a_changed_word_of_a_bank_is_found)
{
    struct fh_state *state = state_in(NULL, FH_BOTH);
    ck_assert_int_eq(fh_map_spt(state, 1, 0, 0x5000, 0x300003), FH_OK);
    ck_assert_int_eq(fh_check_realisations(state, NULL), FH_OK);
    set_word(&edit_spts(state)->spt_pmd_pool, 0x210028, 0);
    const struct fh_disagreement first = first_of(state);
    ck_assert_int_eq(first.boundary, FH_SMMU_TABLES);
    ck_assert_uint_eq(first.owner, 0x12000);
    ck_assert_uint_eq(first.addr, 0x5000);
    ck_assert_uint_eq(first.abstract_value, 0x300003);
    end(state);
}
END_TEST

START_TEST(only_what_outlived_a_clearing_is_excepted)
{
    struct fh_state *state = state_in(NULL, FH_BOTH);
    const uint64_t gib = (uint64_t)1 << 30;
    ck_assert_int_eq(fh_map_spt(state, 0, 0, 0x1000, 0x200003), FH_OK);
    ck_assert_int_eq(fh_map_spt(state, 0, 0, gib, 0x300003), FH_OK);
    ck_assert_int_eq(fh_init_spt(state, 0, 0), FH_OK);
    ck_assert_int_eq(fh_check_realisations(state, NULL), FH_OK);

    /* The first word of the root did not outlive it: what it leads to counts again. */
    set_word(&edit_spts(state)->spt_vttbr_pool, 0x10000, 0x110003);
    ck_assert_uint_eq(first_of(state).addr, 0);
    set_word(&edit_spts(state)->spt_vttbr_pool, 0x10000, 0);

    /* And what is mapped again has to be right there too. */
    ck_assert_int_eq(fh_map_spt(state, 0, 0, gib + 0x2000, 0x400003), FH_OK);
    ck_assert_int_eq(fh_check_realisations(state, NULL), FH_OK);
    set_word(&edit_spts(state)->spt_pmd_pool, 0x211010, 0x500003);
    ck_assert_uint_eq(first_of(state).addr, gib + 0x2000);
    end(state);
}
END_TEST

START_TEST(nothing_is_related_in_a_halted_state)
{
    struct fh_state *state = state_with_page_1();
    set_word(&edit_npt(state, 1)->pt_pmd_pool, PTE_OF_PAGE_1, 0x400fff);
    fh_state_edit(state)->halt = true;
    ck_assert_int_eq(fh_check_realisations(state, NULL), FH_OK);
    end(state);
}
END_TEST

START_TEST(a_state_with_one_form_has_nothing_to_compare)
{
    struct fh_state *abstract = state_in(NULL, FH_ABSTRACT);
    ck_assert_int_eq(fh_check_realisations(abstract, NULL), FH_INVALID_ARGUMENT);
    end(abstract);
    struct fh_state *concrete = state_in(NULL, FH_CONCRETE);
    ck_assert_int_eq(fh_check_realisations(concrete, NULL), FH_INVALID_ARGUMENT);
    ck_assert_int_eq(fh_state_realisation(concrete), FH_CONCRETE);
    end(concrete);
}
END_TEST

/* --- Forks, snapshots, lack of memory --------------------------------------------------------- */

START_TEST(a_fork_has_the_same_realisation)
{
    struct fh_state *state = state_with_page_1();
    struct fh_state *fork = fh_state_fork(state);
    ck_assert_int_eq(fh_state_realisation(fork), FH_BOTH);
    ck_assert_int_eq(fh_map_s2pt(fork, 1, 0x2000, 3, 0x300fff), FH_OK);
    ck_assert_int_eq(fh_check_realisations(fork, NULL), FH_OK);
    ck_assert_int_eq(fh_check_realisations(state, NULL), FH_OK);
    fh_state_free(fork);
    end(state);
}
END_TEST

START_TEST(a_lock_held_in_a_snapshot_is_held_by_ticket_when_it_is_restored)
{
    struct fh_state *state = state_in(NULL, FH_BOTH);
    ck_assert_int_eq(fh_acquire_lock_s2page(state), FH_OK);
    const struct fh_rdata *held = fh_state_snapshot(state);
    ck_assert_int_eq(fh_release_lock_s2page(state), FH_OK);
    fh_state_restore(state, held);
    ck_assert_int_eq(fh_check_realisations(state, NULL), FH_OK);
    ck_assert_int_eq(fh_release_lock_s2page(state), FH_OK);
    ck_assert_int_eq(fh_acquire_lock_s2page(state), FH_OK);
    ck_assert_int_eq(fh_check_realisations(state, NULL), FH_OK);
    fh_snapshot_release(held, &memory.allocator);
    end(state);
}
END_TEST

START_TEST(a_call_without_memory_leaves_both_forms_as_they_were)
{
    struct fh_state *state = state_with_page_1();
    const struct fh_rdata *before = fh_state_snapshot(state);
    enum fh_status status = FH_NOMEM;
    for (size_t n = 1; status == FH_NOMEM; n++) {
        memory_fail_at(&memory, n, false);
        status = fh_map_s2pt(state, 1, (uint64_t)1 << 40, 3, 0x400fff);
        memory_fail_at(&memory, 0, false);
        if (status == FH_NOMEM)
            assert_same_data(before, fh_state_rdata(state));
        ck_assert_int_eq(fh_check_realisations(state, NULL), FH_OK);
    }
    ck_assert_int_eq(status, FH_OK);
    fh_snapshot_release(before, &memory.allocator);
    end(state);
}
END_TEST

/* --- Concrete --------------------------------------------------------------------------------- */

START_TEST(concrete_leaves_the_maps_alone)
{
    struct fh_state *state = state_in(NULL, FH_CONCRETE);
    uint64_t pte;
    uint32_t level;
    ck_assert_int_eq(fh_map_s2pt(state, 1, 0x1000, 3, 0x300fff), FH_OK);
    ck_assert_int_eq(fh_map_s2pt(state, 1, 0x200000, 2, 0x400ffd), FH_OK);
    ck_assert_uint_eq(fh_map_count(&npt_at(state, 1)->pt), 0);
    ck_assert_uint_eq(fh_map_count(&npt_at(state, 1)->pmd_t), 0);
    ck_assert_int_eq(fh_walk_s2pt(state, 1, 0x1000, &pte), FH_OK);
    ck_assert_uint_eq(pte, 0x300fff);
    ck_assert_int_eq(fh_get_level_s2pt(state, 1, 0x3ff000, &level), FH_OK);
    ck_assert_uint_eq(level, 2);
    end(state);
}
END_TEST

/*
 * The first stores of the shipped kernel to the host's tables in a recorded boot: what was mapped,
 * and where each descriptor was written.
 */
static const struct {
    uint64_t ipa, pgd_pa, pgd, pmd_pa, pmd, pte_pa, pte;
} recorded[] = {
    {0x403b4000, 0x50bc0008, 0x50bc2003, 0x50bc2008, 0x50fc0003, 0x50fc0da0, 0x1000000403b4fff},
    {0x13fefe000, 0x50bc0020, 0x50bc3003, 0x50bc3ff8, 0x50fc1003, 0x50fc17f0, 0x10000013fefefff},
    {0x13fefd000, 0x50bc0020, 0x50bc3003, 0x50bc3ff8, 0x50fc1003, 0x50fc17e8, 0x10000013fefdfff},
    {0x4009f000, 0x50bc0008, 0x50bc2003, 0x50bc2000, 0x50fc2003, 0x50fc24f8, 0x10000004009ffff},
};

START_TEST(the_kernels_descriptors_stand_where_the_kernel_wrote_them)
{
    struct fh_state *state = state_in(&fh_profile_sekvm_4_18, FH_CONCRETE);
    for (size_t i = 0; i < sizeof recorded / sizeof *recorded; i++) {
        ck_assert_int_eq(fh_map_s2pt(state, 0, recorded[i].ipa, 3, recorded[i].pte), FH_OK);
        const struct fh_npt *npt = npt_at(state, 0);
        ck_assert_uint_eq(word_at(&npt->pt_vttbr_pool, recorded[i].pgd_pa), recorded[i].pgd);
        ck_assert_uint_eq(word_at(&npt->pt_pgd_pool, recorded[i].pmd_pa), recorded[i].pmd);
        ck_assert_uint_eq(word_at(&npt->pt_pmd_pool, recorded[i].pte_pa), recorded[i].pte);
    }
    end(state);
}
END_TEST

struct stores {
    unsigned count;
    uint64_t places[8], values[8];
};

static void note_store(void *context, const struct fh_effect *effect)
{
    struct stores *stores = context;
    if (effect->kind != FH_EFFECT_PT_STORE || stores->count == 8)
        return;
    ck_assert_uint_eq(effect->values[2], 0);
    stores->places[stores->count] = effect->values[1];
    stores->values[stores->count++] = effect->values[3];
}

START_TEST(an_observer_is_told_of_each_word_in_the_kernels_order)
{
    struct fh_state *state = state_in(&fh_profile_sekvm_4_18, FH_CONCRETE);
    struct stores stores = {.count = 0};
    fh_state_environment(state)->observer = note_store;
    fh_state_environment(state)->context = &stores;
    ck_assert_int_eq(fh_map_s2pt(state, 0, recorded[0].ipa, 3, recorded[0].pte), FH_OK);
    ck_assert_uint_eq(stores.count, 3);
    ck_assert_uint_eq(stores.places[0], recorded[0].pgd_pa);
    ck_assert_uint_eq(stores.values[0], recorded[0].pgd);
    ck_assert_uint_eq(stores.places[1], recorded[0].pmd_pa);
    ck_assert_uint_eq(stores.values[1], recorded[0].pmd);
    ck_assert_uint_eq(stores.places[2], recorded[0].pte_pa);
    ck_assert_uint_eq(stores.values[2], recorded[0].pte);
    end(state);
}
END_TEST

START_TEST(a_concrete_lock_writes_the_events_of_a_ticket_lock)
{
    static const enum fh_event_kind expected[] = {
        FH_EVENT_INC_TICKET, FH_EVENT_GET_NOW,  FH_EVENT_HOLD_LOCK,
        FH_EVENT_OPULL,      FH_EVENT_OS2_PAGE, FH_EVENT_INC_NOW,
    };
    struct fh_state *state = state_in(NULL, FH_CONCRETE);
    ck_assert_int_eq(fh_acquire_lock_s2page(state), FH_OK);
    ck_assert_int_eq(fh_release_lock_s2page(state), FH_OK);
    const struct fh_log *log =
        fh_map_get(&fh_state_rdata(state)->log, &type_of_log->as_value, fh_profile_spec.S2PAGE_ID);
    const struct fh_event *event = log->newest;
    for (size_t i = sizeof expected / sizeof *expected; i-- > 0; event = event->older) {
        ck_assert_ptr_nonnull(event);
        ck_assert_str_eq(fh_event_name((enum fh_event_kind)event->kind),
                         fh_event_name(expected[i]));
    }
    ck_assert_ptr_null(event);
    end(state);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_changed_word_is_named_by_the_address_that_it_translates);
    tcase_add_test(tests, a_call_that_meets_a_changed_word_disagrees_and_changes_nothing);
    tcase_add_test(tests, a_word_that_maps_what_the_map_does_not_is_found);
    tcase_add_test(tests, an_entry_without_its_word_is_found);
    tcase_add_test(tests, an_entry_of_another_level_is_found);
    tcase_add_test(tests, a_link_to_another_table_is_found);
    tcase_add_test(tests, a_table_that_the_map_has_not_counted_is_found);
    tcase_add_test(tests, a_word_behind_the_pages_of_a_pool_is_found);
    tcase_add_test(tests, a_changed_word_of_a_bank_is_found);
    tcase_add_test(tests, only_what_outlived_a_clearing_is_excepted);
    tcase_add_test(tests, nothing_is_related_in_a_halted_state);
    tcase_add_test(tests, a_state_with_one_form_has_nothing_to_compare);
    tcase_add_test(tests, a_fork_has_the_same_realisation);
    tcase_add_test(tests, a_lock_held_in_a_snapshot_is_held_by_ticket_when_it_is_restored);
    tcase_add_test(tests, a_call_without_memory_leaves_both_forms_as_they_were);
    tcase_add_test(tests, concrete_leaves_the_maps_alone);
    tcase_add_test(tests, the_kernels_descriptors_stand_where_the_kernel_wrote_them);
    tcase_add_test(tests, an_observer_is_told_of_each_word_in_the_kernels_order);
    tcase_add_test(tests, a_concrete_lock_writes_the_events_of_a_ticket_lock);
}

int main(void)
{
    return run_tests("realisations", add_tests);
}
