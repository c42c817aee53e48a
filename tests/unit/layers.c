/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

#include <string.h>

struct fh_state *machine;
static struct memory memory;
static enum fh_log_policy policy;
static struct {
    uint64_t lock;
    struct fh_event *events[8];
    size_t count;
} script;

static void new_machine(const struct fh_config *config)
{
    fh_state_free(machine);
    machine = fh_state_new(config);
    ck_assert_ptr_nonnull(machine);
}

void use_profile(const struct fh_profile *profile)
{
    new_machine(&(struct fh_config){
        .profile = profile, .allocator = &memory.allocator, .log_policy = policy});
}

void use_kind(const struct fh_machine *kind)
{
    new_machine(
        &(struct fh_config){.machine = kind, .allocator = &memory.allocator, .log_policy = policy});
}

void use_loop_limit(uint64_t limit)
{
    new_machine(&(struct fh_config){
        .allocator = &memory.allocator, .log_policy = policy, .loop_limit = limit});
}

void use_realisation(enum fh_realisation realisation)
{
    new_machine(&(struct fh_config){
        .allocator = &memory.allocator, .log_policy = policy, .realisation = realisation});
}

/* --- Places ---------------------------------------------------------------------------------- */

/* The step of the path at *rest, as text; *rest moves behind it. */
static size_t next_step(const char **rest, const char **step)
{
    *step = *rest;
    const size_t length = strcspn(*rest, ".");
    *rest += length + ((*rest)[length] == '.');
    return length;
}

static uint64_t number_in(const char *text, char **end_of_number)
{
    uint64_t value = strtoull(text, end_of_number, 0);
    ck_assert_msg(*end_of_number != text, "%s is no number", text);
    return value;
}

static void *enter_map(const struct fh_type **type, void *place, const char **rest)
{
    uint64_t keys[FH_MAP_DEPTH_MAX], packed;
    for (unsigned i = 0; i < (*type)->depth; i++) {
        const char *step;
        char *behind;
        next_step(rest, &step);
        keys[i] = number_in(step, &behind);
    }
    ck_assert(fh_map_pack_key(*type, keys, &packed));
    bool existed;
    *type = (*type)->value;
    void *entry = fh_map_edit(place, &(*type)->as_value, &memory.allocator, packed, &existed);
    ck_assert_ptr_nonnull(entry);
    return entry;
}

/* The record itself, if the place refers to one. */
static void *enter_ref(const struct fh_type *type, void *place)
{
    if (type->kind != FH_KIND_REF)
        return place;
    ck_assert(fh_ref_own(type, place, &memory.allocator));
    void *record;
    memcpy(&record, place, sizeof record);
    return record;
}

/* Follow the path from a place of this type; what is left of it names the component of a tuple. */
static void *find(void *place, const struct fh_type **type, const char **rest)
{
    place = enter_ref(*type, place);
    while (**rest && (*type)->kind != FH_KIND_TUPLE) {
        if ((*type)->kind == FH_KIND_MAP) {
            place = enter_map(type, place, rest);
        } else {
            const char *step;
            const size_t length = next_step(rest, &step);
            const struct fh_field *field = fh_type_field(*type, step, length);
            ck_assert_msg(field != NULL, "no field %s", step);
            place = (char *)place + field->offset;
            *type = field->type;
        }
        place = enter_ref(*type, place);
    }
    return place;
}

static unsigned component_of(const struct fh_type *type, const char *name)
{
    unsigned i = 0;
    while (i < type->nfields && strcmp(type->names[i], name) != 0)
        i++;
    ck_assert_msg(i < type->nfields, "no component %s", name);
    return i;
}

static void set_from(void *place, const struct fh_type *type, const char *path, uint64_t value)
{
    const char *rest = path;
    ck_assert_ptr_nonnull(place);
    place = find(place, &type, &rest);
    if (type->kind == FH_KIND_TUPLE)
        ck_assert(fh_tuple_set(type, place, component_of(type, rest), value));
    else
        ck_assert_msg(fh_scalar_set(type, place, value), "%s", path);
}

void set(const char *path, uint64_t value)
{
    set_from(fh_state_edit(machine), fh_rdata_type(), path, value);
}

uint64_t get(const char *path)
{
    const struct fh_type *type = fh_rdata_type();
    const void *place = find(fh_state_edit(machine), &type, &path);
    return type->kind == FH_KIND_TUPLE ? fh_tuple_get(type, place, component_of(type, path))
                                       : fh_scalar_get(type, place);
}

/* --- Calls ----------------------------------------------------------------------------------- */

static const struct fh_function *function_of(const char *text)
{
    char name[64] = "";
    const size_t length = strcspn(text, " ");
    ck_assert_uint_lt(length, sizeof name);
    memcpy(name, text, length);
    const struct fh_function *function = fh_function_find(name);
    ck_assert_msg(function != NULL, "no function %s", name);
    return function;
}

static enum fh_status invoke(const char *text, uint64_t *result)
{
    const struct fh_function *function = function_of(text);
    uint64_t args[FH_MAX_ARGS];
    unsigned nargs = 0;
    for (text += strcspn(text, " "); *text; nargs++) {
        char *behind;
        ck_assert_uint_lt(nargs, FH_MAX_ARGS);
        args[nargs] = number_in(text, &behind);
        text = behind;
    }
    *result = 0;
    return fh_invoke(machine, function, args, nargs, result);
}

static void assert_status(const char *text, enum fh_status status, enum fh_status expected)
{
    if (status == expected)
        return;
    char why[256];
    fh_error_format(fh_state_error(machine), why, sizeof why);
    ck_abort_msg("%s: %s", text, status == FH_OK ? "success" : why);
}

uint64_t call(const char *text)
{
    uint64_t result;
    assert_status(text, invoke(text, &result), FH_OK);
    return result;
}

void assert_skips(const char *text)
{
    const struct fh_rdata *before = fh_state_snapshot(machine);
    ck_assert_msg(call(text) == 0, "%s", text);
    assert_same_data(before, fh_state_rdata(machine));
    fh_snapshot_release(before, &memory.allocator);
}

void assert_halts(const char *text)
{
    call(text);
    ck_assert_msg(fh_state_rdata(machine)->halt, "%s", text);
}

static void assert_ends(const char *text, enum fh_status status, const char *layer,
                        const char *function, const char *condition)
{
    const struct fh_rdata *before = fh_state_snapshot(machine);
    uint64_t result;
    assert_status(text, invoke(text, &result), status);
    assert_same_data(before, fh_state_rdata(machine));
    fh_snapshot_release(before, &memory.allocator);

    const struct fh_error *error = fh_state_error(machine);
    ck_assert_msg(strncmp(error->layer, layer, strlen(error->layer)) == 0 &&
                      strcmp(error->function, function) == 0 && strstr(error->condition, condition),
                  "%s ended in %s.%s at %s", text, error->layer, error->function, error->condition);
}

void assert_ends_in(const char *text, enum fh_status status, const char *function,
                    const char *condition)
{
    assert_ends(text, status, function, strchr(function, '.') + 1, condition);
}

static void assert_ends_itself(const char *text, enum fh_status status, const char *condition)
{
    const struct fh_function *function = function_of(text);
    assert_ends(text, status, function->layer, function->name, condition);
}

void assert_stuck_in(const char *text, const char *function, const char *condition)
{
    assert_ends_in(text, FH_STUCK, function, condition);
}

void assert_stuck(const char *text, const char *condition)
{
    assert_ends_itself(text, FH_STUCK, condition);
}

void assert_not_representable(const char *text, const char *condition)
{
    assert_ends_itself(text, FH_UNREPRESENTABLE, condition);
}

void assert_too_long(const char *text, const char *condition)
{
    assert_ends_itself(text, FH_LIMIT, condition);
}

void assert_each_stuck(const struct stuck *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct fh_rdata *before = fh_state_snapshot(machine);
        if (rows[i].place)
            set(rows[i].place, rows[i].value);
        if (rows[i].in)
            assert_stuck_in(rows[i].call, rows[i].in, rows[i].condition);
        else
            assert_stuck(rows[i].call, rows[i].condition);
        fh_state_restore(machine, before);
        fh_snapshot_release(before, &memory.allocator);
    }
}

void assert_survives_lack_of_memory(const char *text)
{
    enum fh_status status = FH_NOMEM;
    for (size_t n = 1; status == FH_NOMEM; n++) {
        const struct fh_rdata *before = fh_state_snapshot(machine);
        uint64_t result;
        memory_fail_at(&memory, n, true);
        status = invoke(text, &result);
        memory_fail_at(&memory, 0, false);
        if (status == FH_NOMEM)
            assert_same_data(before, fh_state_rdata(machine));
        fh_snapshot_release(before, &memory.allocator);
    }
    assert_status(text, status, FH_OK);
}

/* --- Other CPUs ------------------------------------------------------------------------------ */

static size_t events_of(void *context, uint64_t id, uint64_t cpu, const struct fh_log *log,
                        const struct fh_event *const **events)
{
    (void)context, (void)cpu;
    *events = (const struct fh_event *const *)script.events;
    return id == script.lock && log->length == 0 ? script.count : 0;
}

void other_cpu_did(uint64_t lock, enum fh_event_kind kind, uint64_t argument)
{
    const uint64_t args[FH_EVENT_ARGS] = {argument};
    ck_assert_uint_lt(script.count, COUNT(script.events));
    struct fh_event *event = fh_event_new(&memory.allocator, kind, OTHER_CPU, args);
    ck_assert_ptr_nonnull(event);
    script.events[script.count++] = event;
    script.lock = lock;
    fh_state_environment(machine)->oracle = events_of;
}

void set_in_last_event(const char *path, uint64_t value)
{
    struct fh_event *event = script.events[script.count - 1];
    const struct fh_type *type = fh_event_object_type((enum fh_event_kind)event->kind);
    set_from(&event->object, type, path, value);
}

void forget_other_cpus(void)
{
    while (script.count > 0)
        fh_event_release(script.events[--script.count], &memory.allocator);
}

/* --- Runs ------------------------------------------------------------------------------------ */

static void begin_with(enum fh_log_policy log_policy)
{
    memory_init(&memory);
    policy = log_policy;
    use_profile(NULL);
}

static void begin_full(void)
{
    begin_with(FH_LOG_FULL);
}

static void begin_summary(void)
{
    begin_with(FH_LOG_SUMMARY);
}

static void end(void)
{
    forget_other_cpus();
    fh_state_free(machine);
    machine = NULL;
    ck_assert_uint_eq(memory.blocks, 0);
}

int run_layer_tests(const char *name, void (*add)(TCase *tests))
{
    Suite *suite = suite_create(name);
    TCase *full = tcase_create("full log"), *summary = tcase_create("summary of the log");
    tcase_set_timeout(full, 120);
    tcase_set_timeout(summary, 120);
    tcase_add_checked_fixture(full, begin_full, end);
    tcase_add_checked_fixture(summary, begin_summary, end);
    add(full);
    add(summary);
    suite_add_tcase(suite, full);
    suite_add_tcase(suite, summary);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
