/* SPDX-License-Identifier: GPL-2.0-only */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <faulthandler/faulthandler.h>

#include "base/json.h"
#include "base/lines.h"
#include "patch/patch.h"

static bool fail_at_change(void *context, const struct fh_change *change)
{
    char path[200];
    (void)context;
    fh_path_format(change->path, path, sizeof path);
    ck_abort_msg("%s is not as recorded", path);
    return false;
}

/* The recorded base state, made from nothing but zeros. */
static void apply_recorded(struct fh_rdata *rdata)
{
    struct lines *lines = lines_open(BASE_STATE);
    struct json_reader *reader = json_reader_new();
    struct arena *arena = arena_new();
    ck_assert_ptr_nonnull(lines);
    size_t length, offset;
    const char *error;
    const char *text = lines_next(lines, &length, json_padding());
    struct node *patch = json_parse(reader, arena, text, length, 1, &error, &offset);
    ck_assert_ptr_nonnull(patch);
    struct patch_error wrong;
    ck_assert_msg(
        patch_apply(fh_rdata_type(), rdata, fh_malloc_allocator(), patch, NULL, NULL, &wrong), "%s",
        wrong.message);
    arena_free(arena);
    json_reader_free(reader);
    lines_close(lines);
}

START_TEST(a_new_state_is_the_recorded_base_state)
{
    const struct fh_config config = {.profile = &fh_profile_spec,
                                     .allocator = fh_malloc_allocator()};
    struct fh_state *state = fh_state_new(&config);
    struct fh_rdata recorded;
    memset(&recorded, 0, sizeof recorded);
    apply_recorded(&recorded);
    fh_delta(&recorded, fh_state_rdata(state), fail_at_change, NULL);
    fh_value_release(fh_rdata_type(), &recorded, fh_malloc_allocator());
    fh_state_free(state);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base state");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, a_new_state_is_the_recorded_base_state);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
