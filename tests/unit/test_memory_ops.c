/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

#include <inttypes.h>
#include <stdio.h>

START_TEST(arguments_have_bounds)
{
    static const struct stuck rows[] = {
        {NULL, 0, "clear_vm_range 1 0x10000000 0", NULL, "is_pfn(k, pfn)"},
        {NULL, 0, "clear_vm_range 1 0 0x10000000", NULL, "is_pfn(k, num)"},
        {NULL, 0, "clear_vm_range 17 0 1", NULL, "is_vmid"},
        {NULL, 0, "clear_vm_range 1 0xfffffff 2", NULL, "wide_add(pfn, num - 1)"},
        {NULL, 0, "prot_and_map_vm_s2pt 17 0 0 3", NULL, "is_vmid"},
        {NULL, 0, "prot_and_map_vm_s2pt 1 0x1000000000000 0 3", NULL, "is_addr"},
        {NULL, 0, "prot_and_map_vm_s2pt 1 0 0xffffe01000 2", NULL, "PMD_PAGE_NUM"},
        {NULL, 0, "grant_stage2_sg_gpa 0 0 0", "MemoryOps.share_range", "is_vm("},
        {NULL, 0, "grant_stage2_sg_gpa 1 0x1000000000000 0", "MemoryOps.share_range",
         "is_addr(k, addr)"},
        {NULL, 0, "revoke_stage2_sg_gpa 1 0 0x1000000000000", "MemoryOps.share_range",
         "is_addr(k, size)"},
        {NULL, 0, "revoke_stage2_sg_gpa 1 0xfffffffff000 0x1001", "MemoryOps.share_range",
         "pages - 1"},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("halt", true);
    assert_each_stuck(rows, COUNT(rows));
    assert_skips("clear_vm_range 1 0 2");
    assert_skips("grant_stage2_sg_gpa 1 0 0x2000");
}
END_TEST

START_TEST(clearing_no_pages_asks_for_no_vm)
{
    assert_skips("clear_vm_range 17 0 0");
}
END_TEST

START_TEST(ranges_have_a_limit)
{
    use_loop_limit(1);
    assert_too_long("clear_vm_range 1 0 2", "num <= loop_limit");
    assert_ends_in("grant_stage2_sg_gpa 1 0 0x1001", FH_LIMIT, "MemoryOps.share_range",
                   "pages <= loop_limit");
}
END_TEST

START_TEST(the_body_of_clear_vm_page_ends_a_range_when_it_halts)
{
    /* The host has page 2 as part of a block, from which no single page can be taken. */
    use_kind(&fh_machine_bodies);
    set("shared.s2page.2.s2_owner", 1);
    set("shared.s2page.3.s2_owner", 1);
    set("shared.npts.0.pt.2.pfn", 2);
    set("shared.npts.0.pt.2.level", 2);
    set("shared.npts.0.pt.2.pte", 0x2001);
    set("shared.npts.0.pgd_t.0", true);
    set("shared.npts.0.pud_t.0.0", true);
    assert_halts("clear_vm_range 1 2 2");
    ck_assert_uint_eq(get("shared.s2page.3.s2_owner"), 1);
}
END_TEST

/* --- A range is cleared as its pages are ------------------------------------------------------ */

/* Pages with a record, pages that are asked for, rounds on one machine. */
enum { RECORDS = 5000, ASKED = 6000, ROUNDS = 12 };

static uint32_t any;

static uint32_t below(uint32_t bound)
{
    any = any * 1664525u + 1013904223u;
    return (any >> 8) % bound;
}

static void set_in(struct fh_state *state, const char *format, uint64_t key, uint64_t value)
{
    char path[80];
    snprintf(path, sizeof path, format, key);
    ck_assert_int_eq(fh_set(state, path, value), FH_OK);
}

static struct fh_log *log_in(struct fh_state *state, uint64_t lock)
{
    bool existed;
    const struct fh_type *logs = fh_type_field(fh_rdata_type(), "log", 3)->type;
    struct fh_rdata *adt = fh_state_edit(state);
    return fh_map_edit(&adt->log, &logs->value->as_value, fh_state_allocator(state), lock,
                       &existed);
}

/* What is done to the pages that are the VM's, whoever is told of the others. */
static void count_writes(void *context, const struct fh_effect *effect)
{
    *(unsigned *)context += effect->kind == FH_EFFECT_S2_SET || effect->kind == FH_EFFECT_SCRUB;
}

/* Who takes no interest in pages of others changes nothing. */
static void watch(struct fh_state *state, unsigned *writes, bool passes)
{
    struct fh_environment *environment = fh_state_environment(state);
    environment->context = writes;
    environment->observer = count_writes;
    environment->passes_pages_of_others = passes;
}

static struct fh_state *machine_with_owners(void)
{
    static const struct fh_machine *const machines[] = {NULL, &fh_machine_bodies};
    const struct fh_config config = {.allocator = fh_malloc_allocator(),
                                     .machine = machines[below(2)],
                                     .log_policy = below(4) ? FH_LOG_SUMMARY : FH_LOG_FULL,
                                     .hash = below(2) ? FH_HASH_ALL : 0};
    struct fh_state *state = fh_state_new(&config);
    const struct fh_scene_region memory = {.size = RECORDS * UINT64_C(4096)};
    ck_assert_int_eq(fh_scene_add_region(state, &memory), FH_OK);
    return state;
}

/* Some pages, far from each other or in a row, become those of some VM. */
static void give_some(struct fh_state *a, struct fh_state *b)
{
    const uint32_t first = below(RECORDS), stride = below(3) ? 1 : 1 + below(300);
    const uint32_t vmid = 1 + below(2), count = below(70);
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t pfn = (first + i * stride) % ASKED;
        set_in(a, "shared.s2page.%" PRIu64 ".s2_owner", pfn, vmid);
        set_in(b, "shared.s2page.%" PRIu64 ".s2_owner", pfn, vmid);
    }
}

static void assert_same_log(struct fh_state *a, struct fh_state *b, uint64_t lock)
{
    const struct fh_log *x = log_in(a, lock), *y = log_in(b, lock);
    ck_assert_uint_eq(x->length, y->length);
    ck_assert_uint_eq(x->lock, y->lock);
    ck_assert_uint_eq(x->holder, y->holder);
    ck_assert_uint_eq(x->budget, y->budget);
    ck_assert_uint_eq(x->queue_lock, y->queue_lock);
    ck_assert_uint_eq(x->is_ticket_broken, y->is_ticket_broken);
}

static uint64_t hash_of(struct fh_state *state)
{
    return fh_rdata_hash(fh_state_rdata(state), FH_HASH_ALL);
}

static void clear_both(struct fh_state *a, struct fh_state *b)
{
    const uint64_t pfn = below(ASKED), num = below(ASKED);
    const uint32_t vmid = below(4) ? 1 + below(2) : 0; /* 0: nearly all are its pages */
    const uint64_t length = log_in(a, 2)->length, before = hash_of(a);
    if (below(2)) {
        ck_assert_int_eq(fh_clear_vm_range(a, vmid, pfn, num), FH_OK);
        ck_assert_int_eq(fh_undo(a), FH_OK);
        ck_assert_uint_eq(hash_of(a), before);
        ck_assert_uint_eq(log_in(a, 2)->length, length);
    }
    ck_assert_int_eq(fh_clear_vm_range(a, vmid, pfn, num), FH_OK);
    for (uint64_t i = 0; i < num; i++)
        ck_assert_int_eq(fh_clear_vm_page(b, vmid, pfn + i), FH_OK);
    ck_assert_uint_eq(hash_of(a), hash_of(b));
    assert_same_log(a, b, 0);
    assert_same_log(a, b, 2);
}

START_TEST(a_range_is_cleared_as_its_pages_are)
{
    any = (uint32_t)_i + 1;
    struct fh_state *a = machine_with_owners();
    if (_i % 3 == 0) /* a number that wraps */
        log_in(a, 2)->length = UINT64_MAX - below(30000);
    struct fh_state *b = fh_state_fork(a);
    const bool is_watched = _i % 4 == 1;
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned writes[2] = {0};
        if (is_watched) {
            watch(a, &writes[0], true);
            watch(b, &writes[1], below(2));
        }
        give_some(a, b);
        clear_both(a, b);
        ck_assert_uint_eq(writes[0] > 0, writes[1] > 0);
        if (below(4) == 0) { /* what is shared anew is not written to */
            fh_state_free(b);
            b = fh_state_fork(a);
        }
    }
    ck_assert(fh_state_is_sound(a, 3, NULL));
    fh_state_free(a);
    fh_state_free(b);
}
END_TEST

START_TEST(a_range_that_cannot_be_cleared_whole_is_as_before)
{
    fh_state_environment(machine)->oracle = NULL;
    for (unsigned pfn = 3; pfn < 300; pfn += 70) {
        char place[40];
        snprintf(place, sizeof place, "shared.s2page.%u.s2_owner", pfn);
        set(place, 1);
    }
    assert_survives_lack_of_memory("clear_vm_range 1 0 400");
    set("lock.2", FH_LOCK_OWN);
    assert_stuck_in("clear_vm_range 1 0 400", "Locks.acquire", "FH_LOCK_FREE");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, arguments_have_bounds);
    tcase_add_test(tests, clearing_no_pages_asks_for_no_vm);
    tcase_add_test(tests, ranges_have_a_limit);
    tcase_add_test(tests, the_body_of_clear_vm_page_ends_a_range_when_it_halts);
    tcase_add_loop_test(tests, a_range_is_cleared_as_its_pages_are, 0, 8);
    tcase_add_test(tests, a_range_that_cannot_be_cleared_whole_is_as_before);
}

int main(void)
{
    return run_layer_tests("memory_ops", add);
}
