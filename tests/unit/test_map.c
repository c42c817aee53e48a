/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <string.h>

#include "base/map_node.h"

/*
 * The model that maps are compared with: a plain array of entries, sorted by key.
 */
enum { MODEL_MAX = 512, SNAPSHOTS = 6, STEPS = 4000 };

struct entry {
    uint64_t key, value;
};

struct model {
    struct entry entries[MODEL_MAX];
    unsigned count;
    uint64_t fallback;
};

static const uint64_t seven = 7;
static const struct fh_map_type numbers = {.value_size = 8, .fallback = &seven};

static unsigned model_position(const struct model *model, uint64_t key)
{
    unsigned i = 0;
    while (i < model->count && model->entries[i].key < key)
        i++;
    return i;
}

static struct entry *model_find(struct model *model, uint64_t key)
{
    unsigned i = model_position(model, key);
    return i < model->count && model->entries[i].key == key ? &model->entries[i] : NULL;
}

static bool model_set(struct model *model, uint64_t key, uint64_t value)
{
    struct entry *entry = model_find(model, key);
    if (!entry) {
        if (model->count == MODEL_MAX)
            return false;
        unsigned i = model_position(model, key);
        entry = &model->entries[i];
        memmove(entry + 1, entry, (model->count - i) * sizeof *entry);
        model->count++;
        entry->key = key;
    }
    entry->value = value;
    return true;
}

static void model_remove(struct model *model, uint64_t key)
{
    struct entry *entry = model_find(model, key);
    if (!entry)
        return;
    unsigned i = (unsigned)(entry - model->entries);
    memmove(entry, entry + 1, (model->count - i - 1) * sizeof *entry);
    model->count--;
}

/* Keys that are near one another, far from one another, and at the ends of the range. */
static uint64_t random_key(uint64_t *seed)
{
    uint64_t bits = random_u64(seed);
    switch (bits % 8) {
    case 0: return random_u64(seed);
    case 1: return UINT64_MAX - random_u64(seed) % 4;
    case 2: return (uint64_t)1 << random_u64(seed) % 64;
    case 3: return ((uint64_t)1 << random_u64(seed) % 64) - 1;
    case 4: return 0x80000 + random_u64(seed) % 200;
    default: return random_u64(seed) % 100;
    }
}

static void set(struct fh_map *map, const struct memory *memory, uint64_t key, uint64_t value)
{
    bool existed;
    uint64_t *place = fh_map_edit(map, &numbers, &memory->allocator, key, &existed);
    ck_assert_ptr_nonnull(place);
    *place = value;
}

static void assert_same_entries(const struct fh_map *map, const struct model *model)
{
    uint64_t key = 0;
    unsigned i = 0;
    const uint64_t *entry;
    while ((entry = fh_map_next(map, &numbers, &key))) {
        ck_assert_uint_lt(i, model->count);
        ck_assert_uint_eq(key, model->entries[i].key);
        ck_assert_uint_eq(*entry, model->entries[i].value);
        i++;
        if (key == UINT64_MAX)
            break;
        key++;
    }
    ck_assert_uint_eq(i, model->count);
    ck_assert_uint_eq(fh_map_count(map), model->count);
    ck_assert_uint_eq(*(const uint64_t *)fh_map_fallback(map, &numbers), model->fallback);
}

struct expected_diff {
    struct model *a, *b;
    unsigned i, j;
};

/* Each visit must be the next key at which the two models have different entries. */
static bool check_visit(void *context, uint64_t key, const void *a, const void *b)
{
    struct expected_diff *diff = context;
    const struct entry *x = model_find(diff->a, key), *y = model_find(diff->b, key);
    ck_assert(!a == !x);
    ck_assert(!b == !y);
    ck_assert(x || y);
    if (x)
        ck_assert_uint_eq(*(const uint64_t *)a, x->value);
    if (y)
        ck_assert_uint_eq(*(const uint64_t *)b, y->value);
    /* What was passed over must have been equal. */
    while (diff->i < diff->a->count && diff->a->entries[diff->i].key < key) {
        const struct entry *e = &diff->a->entries[diff->i++];
        const struct entry *other = model_find(diff->b, e->key);
        ck_assert(other && other->value == e->value);
    }
    while (diff->j < diff->b->count && diff->b->entries[diff->j].key < key) {
        const struct entry *e = &diff->b->entries[diff->j++];
        const struct entry *other = model_find(diff->a, e->key);
        ck_assert(other && other->value == e->value);
    }
    diff->i += x != NULL;
    diff->j += y != NULL;
    return true;
}

static void assert_diff(const struct fh_map *map, struct model *model, const struct fh_map *other,
                        struct model *other_model)
{
    struct expected_diff diff = {model, other_model, 0, 0};
    ck_assert(fh_map_diff(map, other, &numbers, check_visit, &diff));
    while (diff.i < model->count) {
        const struct entry *e = &model->entries[diff.i++];
        const struct entry *match = model_find(other_model, e->key);
        ck_assert(match && match->value == e->value);
    }
    for (; diff.j < other_model->count; diff.j++)
        ck_assert_ptr_nonnull(model_find(model, other_model->entries[diff.j].key));
}

struct snapshots {
    struct fh_map maps[SNAPSHOTS];
    struct model models[SNAPSHOTS];
};

static void take_snapshot(struct snapshots *snapshots, unsigned i, const struct fh_map *map,
                          const struct model *model, const struct memory *memory)
{
    fh_map_release(&snapshots->maps[i], &numbers, &memory->allocator);
    fh_map_retain(map);
    snapshots->maps[i] = *map;
    snapshots->models[i] = *model;
}

static void random_step(struct fh_map *map, struct model *model, const struct memory *memory,
                        uint64_t *seed)
{
    uint64_t key = random_key(seed), value = random_u64(seed) % 16;
    uint64_t choice = random_u64(seed) % 1000;
    if (choice < 600) {
        if (model_set(model, key, value))
            set(map, memory, key, value);
    } else if (choice < 995) {
        if (model->count > 0 && choice % 2)
            key = model->entries[random_u64(seed) % model->count].key;
        model_remove(model, key);
        ck_assert(fh_map_remove(map, &numbers, &memory->allocator, key));
    } else {
        model->count = 0;
        model->fallback = value;
        ck_assert(fh_map_reset(map, &numbers, &memory->allocator, &value));
    }
    const struct entry *entry = model_find(model, key);
    const uint64_t *found = fh_map_find(map, &numbers, key);
    ck_assert(!found == !entry);
    if (entry)
        ck_assert_uint_eq(*found, entry->value);
    ck_assert_uint_eq(*(const uint64_t *)fh_map_get(map, &numbers, key),
                      entry ? entry->value : model->fallback);
}

START_TEST(map_behaves_as_a_sorted_array_and_so_do_its_snapshots)
{
    static struct model model;
    static struct snapshots snapshots;
    uint64_t seed = (uint64_t)_i;
    struct memory memory;
    memory_init(&memory);
    struct fh_map map = {0};
    model = (struct model){.fallback = seven};
    memset(&snapshots, 0, sizeof snapshots);
    for (unsigned i = 0; i < SNAPSHOTS; i++)
        snapshots.models[i].fallback = seven;
    for (unsigned step = 0; step < STEPS; step++) {
        random_step(&map, &model, &memory, &seed);
        if (step % 97 == 0) {
            unsigned i = (unsigned)(random_u64(&seed) % SNAPSHOTS);
            assert_diff(&map, &model, &snapshots.maps[i], &snapshots.models[i]);
            assert_diff(&snapshots.maps[i], &snapshots.models[i], &map, &model);
            take_snapshot(&snapshots, i, &map, &model, &memory);
        }
    }
    assert_same_entries(&map, &model);
    for (unsigned i = 0; i < SNAPSHOTS; i++) {
        assert_same_entries(&snapshots.maps[i], &snapshots.models[i]);
        fh_map_release(&snapshots.maps[i], &numbers, &memory.allocator);
    }
    fh_map_release(&map, &numbers, &memory.allocator);
    ck_assert_uint_eq(memory.blocks, 0);
}
END_TEST

START_TEST(iteration_visits_keys_of_all_64_bits_in_order)
{
    static const uint64_t keys[] = {0,
                                    1,
                                    63,
                                    64,
                                    4095,
                                    4096,
                                    0x80000000,
                                    0x80000001,
                                    0xffffffff,
                                    0x100000000,
                                    (uint64_t)1 << 59,
                                    (uint64_t)1 << 60,
                                    (uint64_t)1 << 63,
                                    UINT64_MAX - 1,
                                    UINT64_MAX};
    enum { COUNT = sizeof keys / sizeof *keys };
    struct memory memory;
    memory_init(&memory);
    struct fh_map map = {0};
    for (unsigned i = COUNT; i-- > 0;)
        set(&map, &memory, keys[i], i);
    uint64_t key = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        const uint64_t *entry = fh_map_next(&map, &numbers, &key);
        ck_assert_ptr_nonnull(entry);
        ck_assert_uint_eq(key, keys[i]);
        ck_assert_uint_eq(*entry, i);
        key++;
    }
    fh_map_release(&map, &numbers, &memory.allocator);
    ck_assert_uint_eq(memory.blocks, 0);
}
END_TEST

START_TEST(a_loop_over_all_entries_ends_behind_the_last_key_there_can_be)
{
    const uint64_t keys[] = {0, 5, UINT64_MAX};
    struct memory memory;
    memory_init(&memory);
    struct fh_map map = {0};
    for (unsigned i = 0; i < 3; i++)
        set(&map, &memory, keys[i], i);
    const uint64_t *entry;
    unsigned entries = 0, found = 0;
    FH_MAP_EACH (entry, &map, &numbers, key) {
        ck_assert_uint_lt(entries, 3);
        ck_assert_uint_eq(key, keys[entries]);
        ck_assert_uint_eq(*entry, entries++);
    }
    FH_MAP_KEYS (&map, &numbers, key)
        ck_assert_uint_eq(key, keys[found++]);
    ck_assert_uint_eq(entries, 3);
    ck_assert_uint_eq(found, 3);
    fh_map_release(&map, &numbers, &memory.allocator);
}
END_TEST

START_TEST(next_finds_nothing_behind_the_last_key)
{
    struct memory memory;
    memory_init(&memory);
    struct fh_map map = {0};
    uint64_t key = 0;
    ck_assert_ptr_null(fh_map_next(&map, &numbers, &key));
    set(&map, &memory, 5000, 1);
    key = 5001;
    ck_assert_ptr_null(fh_map_next(&map, &numbers, &key));
    key = UINT64_MAX;
    ck_assert_ptr_null(fh_map_next(&map, &numbers, &key));
    fh_map_release(&map, &numbers, &memory.allocator);
}
END_TEST

START_TEST(write_to_a_map_that_nobody_shares_moves_nothing)
{
    struct memory memory;
    memory_init(&memory);
    struct fh_map map = {0};
    for (uint64_t key = 0; key < 1000; key++)
        set(&map, &memory, key, key);
    memory_fail_at(&memory, 1, true);
    for (uint64_t key = 0; key < 1000; key++)
        set(&map, &memory, key, key + 1);
    ck_assert_uint_eq(*(const uint64_t *)fh_map_get(&map, &numbers, 999), 1000);
    fh_map_release(&map, &numbers, &memory.allocator);
    ck_assert_uint_eq(memory.blocks, 0);
}
END_TEST

START_TEST(first_write_after_a_snapshot_copies_one_path_only)
{
    struct memory memory;
    memory_init(&memory);
    struct fh_map map = {0};
    for (uint64_t key = 0; key < 100000; key++)
        set(&map, &memory, key, key);
    fh_map_retain(&map);
    struct fh_map snapshot = map;
    size_t before = memory.blocks;
    set(&map, &memory, 4711, 0);
    ck_assert_uint_le(memory.blocks - before, 3); /* 100000 keys stand in 3 levels */
    ck_assert_uint_eq(*(const uint64_t *)fh_map_get(&snapshot, &numbers, 4711), 4711);
    fh_map_release(&snapshot, &numbers, &memory.allocator);
    fh_map_release(&map, &numbers, &memory.allocator);
    ck_assert_uint_eq(memory.blocks, 0);
}
END_TEST

static bool count_visit(void *context, uint64_t key, const void *a, const void *b)
{
    (void)key, (void)a, (void)b;
    ++*(unsigned *)context;
    return true;
}

static bool stop_at_third(void *context, uint64_t key, const void *a, const void *b)
{
    (void)key, (void)a, (void)b;
    return ++*(unsigned *)context < 3;
}

START_TEST(diff_of_shared_maps_visits_only_the_leaf_that_changed)
{
    struct memory memory;
    memory_init(&memory);
    struct fh_map map = {0};
    for (uint64_t key = 0; key < 100000; key++)
        set(&map, &memory, key, key);
    fh_map_retain(&map);
    struct fh_map snapshot = map;
    unsigned visits = 0;
    ck_assert(fh_map_diff(&snapshot, &map, &numbers, count_visit, &visits));
    ck_assert_uint_eq(visits, 0);
    set(&map, &memory, 4711, 0);
    ck_assert(fh_map_diff(&snapshot, &map, &numbers, count_visit, &visits));
    ck_assert_uint_ge(visits, 1);
    ck_assert_uint_le(visits, 64);
    visits = 0;
    ck_assert(!fh_map_diff(&(struct fh_map){0}, &map, &numbers, stop_at_third, &visits));
    ck_assert_uint_eq(visits, 3);
    fh_map_release(&snapshot, &numbers, &memory.allocator);
    fh_map_release(&map, &numbers, &memory.allocator);
}
END_TEST

/* Values that count how many maps know them. */
struct counted {
    int *owners;
};

static void counted_retain(const struct fh_map_type *type, void *value)
{
    (void)type;
    struct counted *counted = value;
    if (counted->owners)
        ++*counted->owners;
}

static void counted_release(const struct fh_map_type *type, const struct fh_allocator *allocator,
                            void *value)
{
    (void)type, (void)allocator;
    struct counted *counted = value;
    if (counted->owners)
        --*counted->owners;
}

static const struct counted nobody;
static const struct fh_map_type counted_values = {.value_size = sizeof(struct counted),
                                                  .fallback = &nobody,
                                                  .retain = counted_retain,
                                                  .release = counted_release};

START_TEST(values_are_retained_by_each_copy_and_released_with_it)
{
    int owners[200] = {0};
    struct memory memory;
    memory_init(&memory);
    struct fh_map map = {0};
    for (uint64_t key = 0; key < 200; key++) {
        bool existed;
        struct counted *value =
            fh_map_edit(&map, &counted_values, &memory.allocator, key, &existed);
        ck_assert_ptr_nonnull(value);
        ck_assert(!existed);
        *value = (struct counted){&owners[key]};
        owners[key] = 1;
    }
    fh_map_retain(&map);
    struct fh_map snapshot = map;
    ck_assert(fh_map_remove(&map, &counted_values, &memory.allocator, 70));
    ck_assert_int_eq(owners[70], 1); /* the snapshot's */
    ck_assert_int_eq(owners[71], 2); /* in the leaf that was copied */
    ck_assert_int_eq(owners[0], 1);  /* in a leaf that both share */
    fh_map_release(&snapshot, &counted_values, &memory.allocator);
    ck_assert_int_eq(owners[70], 0);
    ck_assert_int_eq(owners[71], 1);
    fh_map_release(&map, &counted_values, &memory.allocator);
    for (unsigned key = 0; key < 200; key++)
        ck_assert_int_eq(owners[key], 0);
    ck_assert_uint_eq(memory.blocks, 0);
}
END_TEST

/* One pass over keys that make every kind of node; how far did it get? */
static unsigned fill(struct fh_map *map, const struct memory *memory, struct model *model)
{
    static const uint64_t keys[] = {0, 1, 2, 70, 5000, 0x80000, (uint64_t)1 << 40, UINT64_MAX};
    for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++) {
        bool existed;
        uint64_t *place = fh_map_edit(map, &numbers, &memory->allocator, keys[i], &existed);
        if (!place)
            return i;
        *place = i;
        model_set(model, keys[i], i);
    }
    return sizeof keys / sizeof *keys;
}

START_TEST(edit_that_runs_out_of_memory_keeps_the_contents)
{
    static struct model model;
    for (size_t n = 1;; n++) {
        struct memory memory;
        memory_init(&memory);
        struct fh_map map = {0};
        model = (struct model){.fallback = seven};
        memory_fail_at(&memory, n, true);
        unsigned reached = fill(&map, &memory, &model);
        assert_same_entries(&map, &model);
        fh_map_release(&map, &numbers, &memory.allocator);
        ck_assert_uint_eq(memory.blocks, 0);
        if (memory.allocations < n) {
            ck_assert_uint_eq(reached, 8);
            ck_assert_uint_gt(n, 10);
            return;
        }
    }
}
END_TEST

START_TEST(edit_can_be_taken_back_without_memory)
{
    struct memory memory;
    memory_init(&memory);
    struct fh_map map = {0};
    for (uint64_t key = 0; key < 300; key++)
        set(&map, &memory, key, key);
    fh_map_retain(&map);
    struct fh_map snapshot = map;
    set(&map, &memory, 1000, 1);
    memory_fail_at(&memory, 1, true);
    ck_assert(fh_map_remove(&map, &numbers, &memory.allocator, 1000));
    ck_assert_ptr_null(fh_map_find(&map, &numbers, 1000));
    fh_map_release(&snapshot, &numbers, &memory.allocator);
    fh_map_release(&map, &numbers, &memory.allocator);
    ck_assert_uint_eq(memory.blocks, 0);
}
END_TEST

START_TEST(dense_entries_cost_little_more_than_their_values)
{
    struct memory memory;
    memory_init(&memory);
    struct fh_map map = {0};
    for (uint64_t key = 0; key < 65536; key++)
        set(&map, &memory, key, key);
    ck_assert_uint_eq(memory.bytes, fh_map_bytes(&map, &numbers));
    ck_assert_uint_le(memory.bytes, 65536 * 9);
    fh_map_release(&map, &numbers, &memory.allocator);
}
END_TEST

static unsigned looked_at; /* leaves, by the picker */

static uint64_t pick_number(const void *values, unsigned count, uint64_t wanted)
{
    const uint64_t *value = values;
    uint64_t picked = 0;
    looked_at++;
    for (unsigned i = 0; i < count; i++)
        picked |= (uint64_t)(value[i] == wanted) << i;
    return picked;
}

static uint16_t classes_of_numbers(const void *values, unsigned count)
{
    const uint64_t *value = values;
    uint16_t classes = 0;
    looked_at++;
    for (unsigned i = 0; i < count; i++)
        classes |= map_class(value[i]);
    return classes;
}

static const struct map_picker by_number = {pick_number, classes_of_numbers};

/* What map_next_picked is to find, by a look at each entry. */
static bool next_by_looking(const struct fh_map *map, uint64_t wanted, uint64_t last, uint64_t *key)
{
    for (; *key <= last; ++*key) {
        const uint64_t *value = fh_map_find(map, &numbers, *key);
        if (value && *value == wanted)
            return true;
    }
    return false;
}

static void assert_same_search(const struct fh_map *map, uint64_t wanted, uint64_t first,
                               uint64_t last)
{
    uint64_t found = first, expected = first;
    const bool is_there = map_next_picked(map, &by_number, wanted, last, &found);
    ck_assert_uint_eq(is_there, next_by_looking(map, wanted, last, &expected));
    if (is_there)
        ck_assert_uint_eq(found, expected);
}

/* Edits, removals and fillings of a map and of one that shares its nodes, with searches between. */
START_TEST(search_finds_the_next_entry_whatever_was_edited_and_shared_before)
{
    enum { KEYS = 9000, NUMBERS = 40 };
    struct memory memory;
    memory_init(&memory);
    struct fh_map maps[2] = {{0}, {0}};
    uint64_t seed = (uint64_t)_i + 1;
    for (unsigned step = 0; step < 1500; step++) {
        struct fh_map *map = &maps[random_key(&seed) % 2];
        const uint64_t key = random_key(&seed) % KEYS, number = random_key(&seed) % NUMBERS;
        const uint64_t span = random_key(&seed) % 2000;
        switch (random_key(&seed) % 8) {
        case 0: fh_map_remove(map, &numbers, &memory.allocator, key); break;
        case 1:
            if (step % 10 == 0)
                fh_map_fill(map, &numbers, &memory.allocator, key, key + span, &number);
            break;
        case 2:
            fh_map_retain(&maps[0]);
            fh_map_release(&maps[1], &numbers, &memory.allocator);
            maps[1] = maps[0];
            break;
        case 3:
        case 4: set(map, &memory, key, number); break;
        default: assert_same_search(map, number, key, key + span); break;
        }
    }
    fh_map_release(&maps[0], &numbers, &memory.allocator);
    fh_map_release(&maps[1], &numbers, &memory.allocator);
    ck_assert_uint_eq(memory.blocks, 0);
}
END_TEST

START_TEST(search_looks_once_at_what_is_shared_whatever_is_looked_for)
{
    enum { KEYS = 64 * 64 * 64 };
    struct memory memory;
    memory_init(&memory);
    struct fh_map map = {0};
    for (uint64_t key = 0; key < KEYS; key++)
        set(&map, &memory, key, 0);
    fh_map_retain(&map);
    struct fh_map snapshot = map;
    set(&map, &memory, 100000, 5);
    for (uint64_t wanted = 3; wanted < 6; wanted++) {
        uint64_t key = 0;
        looked_at = 0;
        ck_assert_uint_eq(map_next_picked(&map, &by_number, wanted, KEYS - 1, &key), wanted == 5);
        ck_assert_uint_le(looked_at, wanted == 3 ? KEYS / 64 : 1);
    }
    uint64_t key = 0;
    looked_at = 0;
    ck_assert(!map_next_picked(&snapshot, &by_number, 5, KEYS - 1, &key));
    ck_assert_uint_le(looked_at, 1);
    fh_map_release(&snapshot, &numbers, &memory.allocator);
    fh_map_release(&map, &numbers, &memory.allocator);
}
END_TEST

START_TEST(search_looks_at_one_leaf_of_a_range_that_was_filled)
{
    struct memory memory;
    memory_init(&memory);
    struct fh_map map = {0};
    const uint64_t nine = 9, last = ((uint64_t)1 << 24) - 1;
    ck_assert(fh_map_fill(&map, &numbers, &memory.allocator, 0, last, &nine));
    uint64_t key = 0;
    looked_at = 0;
    ck_assert(!map_next_picked(&map, &by_number, 4, last, &key));
    ck_assert_uint_eq(looked_at, 1);
    fh_map_release(&map, &numbers, &memory.allocator);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_loop_test(tests, map_behaves_as_a_sorted_array_and_so_do_its_snapshots, 0, 12);
    tcase_add_test(tests, iteration_visits_keys_of_all_64_bits_in_order);
    tcase_add_test(tests, a_loop_over_all_entries_ends_behind_the_last_key_there_can_be);
    tcase_add_test(tests, next_finds_nothing_behind_the_last_key);
    tcase_add_test(tests, write_to_a_map_that_nobody_shares_moves_nothing);
    tcase_add_test(tests, first_write_after_a_snapshot_copies_one_path_only);
    tcase_add_test(tests, diff_of_shared_maps_visits_only_the_leaf_that_changed);
    tcase_add_test(tests, values_are_retained_by_each_copy_and_released_with_it);
    tcase_add_test(tests, edit_that_runs_out_of_memory_keeps_the_contents);
    tcase_add_test(tests, edit_can_be_taken_back_without_memory);
    tcase_add_test(tests, dense_entries_cost_little_more_than_their_values);
    tcase_add_loop_test(tests, search_finds_the_next_entry_whatever_was_edited_and_shared_before, 0,
                        8);
    tcase_add_test(tests, search_looks_once_at_what_is_shared_whatever_is_looked_for);
    tcase_add_test(tests, search_looks_at_one_leaf_of_a_range_that_was_filled);
}

int main(void)
{
    return run_tests("map", add);
}
