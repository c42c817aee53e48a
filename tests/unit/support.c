/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <string.h>

enum { HEADER = 16 };

static void *counted_alloc(void *context, size_t size)
{
    struct memory *memory = context;
    memory->allocations++;
    if (memory->fail_at && (memory->allocations == memory->fail_at ||
                            (memory->fail_for_good && memory->allocations > memory->fail_at)))
        return NULL;
    char *block = malloc(size + HEADER);
    if (!block)
        abort();
    memcpy(block, &size, sizeof size);
    memset(block + HEADER, 0xa5, size);
    memory->blocks++;
    memory->bytes += size;
    return block + HEADER;
}

static void counted_free(void *context, void *place, size_t size)
{
    struct memory *memory = context;
    char *block = (char *)place - HEADER;
    size_t asked;
    memcpy(&asked, block, sizeof asked);
    /* Not ck_assert, which notes every time that it passes. */
    if (asked != size)
        ck_abort_msg("%zu bytes given back as %zu", asked, size);
    memset(block, 0x5a, size + HEADER);
    free(block);
    memory->blocks--;
    memory->bytes -= size;
}

void memory_init(struct memory *memory)
{
    memset(memory, 0, sizeof *memory);
    memory->allocator = (struct fh_allocator){counted_alloc, counted_free, memory};
}

void memory_fail_at(struct memory *memory, size_t n, bool for_good)
{
    memory->allocations = 0;
    memory->fail_at = n;
    memory->fail_for_good = for_good;
}

uint64_t random_u64(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct fh_state *new_state(struct memory *memory, const struct fh_profile *profile,
                           enum fh_log_policy policy)
{
    const struct fh_config config = {
        .profile = profile, .allocator = &memory->allocator, .log_policy = policy};
    struct fh_state *state = fh_state_new(&config);
    ck_assert_ptr_nonnull(state);
    return state;
}

struct fh_state *new_host_state(struct memory *memory, enum fh_log_policy policy, uint64_t base,
                                uint64_t pages)
{
    struct fh_state *state = new_state(memory, NULL, policy);
    const struct fh_scene_region region = {.base = base, .size = pages * 4096};
    ck_assert_int_eq(fh_scene_add_region(state, &region), FH_OK);
    return state;
}

struct changes {
    unsigned count;
    char *first;
    size_t size;
};

static bool count_change(void *context, const struct fh_change *change)
{
    struct changes *changes = context;
    if (changes->count++ == 0 && changes->first)
        fh_path_format(change->path, changes->first, changes->size);
    return true;
}

unsigned count_changes(const struct fh_rdata *before, const struct fh_rdata *after, char *first,
                       size_t size)
{
    struct changes changes = {0, first, size};
    ck_assert(fh_delta(before, after, count_change, &changes));
    return changes.count;
}

int run_tests(const char *name, void (*add)(TCase *tests))
{
    Suite *suite = suite_create(name);
    TCase *tests = tcase_create(name);
    tcase_set_timeout(tests, 120);
    add(tests);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
