/* SPDX-License-Identifier: GPL-2.0-only */
#include "patch/script.h"

#include <stdlib.h>
#include <string.h>

#include "patch/apply.h"

/* The events of one lock at one length of its log; `id` is unused in the list for slog. */
struct answer {
    uint64_t id;
    uint64_t length;
    struct fh_event **events;
    size_t count;
};

struct answers {
    struct answer *items;
    size_t count;
};

/* A data oracle: a table on top of a formula, a vmid + b n + c. */
struct datum {
    uint64_t vmid;
    uint64_t n;
    uint64_t value;
};

struct data {
    bool is_given;
    uint64_t a, b, c;
    struct datum *table; /* sorted */
    size_t count;
    struct datum *step; /* of the step that is played, on top of the table */
    size_t step_count;
};

/* A parameter of the development: what it is for two arguments. */
struct parameter {
    uint64_t a, b, value;
};

struct parameter_table {
    struct parameter *items;
    size_t count;
};

/* The registers that a decryption restores, as offsets in struct fh_ctxt. */
struct decryption {
    size_t *offsets;
    size_t count;
};

struct script {
    const struct fh_allocator *allocator;
    bool vectors;
    struct parameter_table parameters[PARAMETERS];
    struct decryption decryptions[2]; /* of general and of system registers */
    struct answers locks;
    struct answers slog;
    struct answers step_locks, step_slog; /* of the step that is played, on top of these */
    struct data doracle;
    struct data core_doracle;
    uint64_t named[FH_QUESTIONS]; /* answers of the step, by what is asked */
    uint32_t is_named;
    enum fh_effect_kind watched;
    bool *seen; /* NULL: nothing is watched */
};

/* --- The answers ------------------------------------------------------------------------------ */

static bool find_answer(const struct answers *answers, uint64_t id, uint64_t length,
                        const struct fh_event *const **events, size_t *count)
{
    for (size_t i = 0; i < answers->count; i++) {
        const struct answer *answer = &answers->items[i];
        if (answer->id == id && answer->length == length) {
            *events = (const struct fh_event *const *)answer->events;
            *count = answer->count;
            return true;
        }
    }
    return false;
}

static size_t answer_oracle(void *context, uint64_t id, uint64_t cpu, const struct fh_log *log,
                            const struct fh_event *const **events)
{
    const struct script *script = context;
    size_t count = 0;
    (void)cpu;
    if (!find_answer(&script->step_locks, id, log->length, events, &count))
        find_answer(&script->locks, id, log->length, events, &count);
    return count;
}

static size_t answer_soracle(void *context, uint64_t cpu, const struct fh_log *slog,
                             const struct fh_event *const **events)
{
    const struct script *script = context;
    size_t count = 0;
    (void)cpu;
    if (!find_answer(&script->step_slog, 0, slog->length, events, &count))
        find_answer(&script->slog, 0, slog->length, events, &count);
    return count;
}

static int compare_data(const void *a, const void *b)
{
    const struct datum *x = a, *y = b;
    if (x->vmid != y->vmid)
        return x->vmid < y->vmid ? -1 : 1;
    return x->n < y->n ? -1 : x->n > y->n;
}

static uint64_t answer_data(const struct data *data, uint64_t vmid, uint64_t n)
{
    const struct datum wanted = {vmid, n, 0};
    const struct datum *found = NULL;
    for (size_t i = 0; i < data->step_count; i++) {
        if (compare_data(&wanted, &data->step[i]) == 0)
            return data->step[i].value;
    }
    if (data->count > 0)
        found = bsearch(&wanted, data->table, data->count, sizeof *data->table, compare_data);
    return found ? found->value : data->a * vmid + data->b * n + data->c;
}

static uint64_t answer_doracle(void *context, uint64_t vmid, uint64_t n)
{
    const struct script *script = context;
    return answer_data(&script->doracle, vmid, n);
}

static uint64_t answer_core_doracle(void *context, uint64_t vmid, uint64_t n)
{
    const struct script *script = context;
    return answer_data(script->core_doracle.is_given ? &script->core_doracle : &script->doracle,
                       vmid, n);
}

/* By name where the step has a name for it; else the value at the place that the spec asks for. */
static uint64_t answer_by_name(void *context, const struct fh_question *question)
{
    const struct script *script = context;
    if (script->is_named >> question->what & 1)
        return script->named[question->what];
    switch (question->what) {
    case FH_ASKED_FAULT_ADDR:
    case FH_ASKED_NEW_PTE:
    case FH_ASKED_NEW_LEVEL:
    case FH_ASKED_RUN_VCPUID:
    case FH_ASKED_VTCR: return answer_core_doracle(context, question->vmid, question->n);
    default: return answer_doracle(context, question->vmid, question->n);
    }
}

void script_answer(struct script *script, enum fh_asked what, uint64_t value)
{
    script->named[what] = value;
    script->is_named |= UINT32_C(1) << what;
}

void script_ask_by_name(struct fh_environment *environment)
{
    environment->ask = answer_by_name;
}

/* The parameters that the vectors were recorded with. */

static uint64_t verify_img(void *context, uint64_t vmid, uint64_t addr)
{
    (void)context;
    (void)vmid;
    return addr / 4096 % 7 != 6;
}

static uint64_t reg_desc(void *context, uint64_t index)
{
    (void)context;
    return 65537 * index + 77;
}

static uint64_t shared_kvm(void *context, uint64_t vmid)
{
    (void)context;
    return 0x100000000 + 65536 * vmid;
}

static uint64_t shared_vcpu(void *context, uint64_t vmid, uint64_t vcpuid)
{
    (void)context;
    return 0x200000000 + 65536 * vmid + 4096 * vcpuid;
}

static uint64_t exception_vector(void *context, uint64_t pstate)
{
    (void)context;
    return 0x8000 + (pstate & 15);
}

/* The index behind n and the next one, as decryptions return it: 0 beyond 64 bits. */
static uint64_t behind_two(uint64_t n)
{
    return n <= UINT64_MAX - 2 ? n + 2 : 0;
}

static uint64_t decrypt_gp_regs(void *context, uint64_t vmid, uint64_t n, struct fh_ctxt *ctxt)
{
    ctxt->ctxt_regs.x0 = answer_doracle(context, vmid, n);
    ctxt->ctxt_regs.x1 = answer_doracle(context, vmid, n + 1);
    return behind_two(n);
}

static uint64_t decrypt_sys_regs(void *context, uint64_t vmid, uint64_t n, struct fh_ctxt *ctxt)
{
    ctxt->ctxt_regs.elr_el1 = answer_doracle(context, vmid, n);
    ctxt->ctxt_states.pc = answer_doracle(context, vmid, n + 1);
    return behind_two(n);
}

/* The parameters that a scenario gives. */

static uint64_t parameter_of(void *context, enum script_parameter parameter, uint64_t a, uint64_t b,
                             uint64_t otherwise)
{
    const struct script *script = context;
    const struct parameter_table *table = &script->parameters[parameter];
    for (size_t i = 0; i < table->count; i++) {
        if (table->items[i].a == a && table->items[i].b == b)
            return table->items[i].value;
    }
    return otherwise;
}

static uint64_t given_verify_img(void *context, uint64_t vmid, uint64_t addr)
{
    return parameter_of(context, PARAMETER_VERIFY_IMG, vmid, addr, 1);
}

static uint64_t given_reg_desc(void *context, uint64_t index)
{
    return parameter_of(context, PARAMETER_REG_DESC, index, 0, 0);
}

static uint64_t given_exception_vector(void *context, uint64_t pstate)
{
    return parameter_of(context, PARAMETER_EXCEPTION_VECTOR, pstate, 0, 0);
}

static uint64_t given_shared_kvm(void *context, uint64_t vmid)
{
    return parameter_of(context, PARAMETER_SHARED_KVM, vmid, 0, 0);
}

static uint64_t given_shared_vcpu(void *context, uint64_t vmid, uint64_t vcpuid)
{
    return parameter_of(context, PARAMETER_SHARED_VCPU, vmid, vcpuid, 0);
}

static uint64_t decrypt(void *context, bool is_system, uint64_t vmid, uint64_t n,
                        struct fh_ctxt *ctxt)
{
    const struct script *script = context;
    const struct decryption *decryption = &script->decryptions[is_system];
    for (size_t i = 0; i < decryption->count; i++) {
        uint64_t value = answer_doracle(context, vmid, n + i);
        memcpy((char *)ctxt + decryption->offsets[i], &value, sizeof value);
    }
    return n <= UINT64_MAX - decryption->count ? n + decryption->count : 0; /* beyond 64 bits */
}

static uint64_t given_decrypt_gp_regs(void *context, uint64_t vmid, uint64_t n,
                                      struct fh_ctxt *ctxt)
{
    return decrypt(context, false, vmid, n, ctxt);
}

static uint64_t given_decrypt_sys_regs(void *context, uint64_t vmid, uint64_t n,
                                       struct fh_ctxt *ctxt)
{
    return decrypt(context, true, vmid, n, ctxt);
}

void script_watch(struct script *script, enum fh_effect_kind kind, bool *seen)
{
    script->watched = kind;
    script->seen = seen;
}

static void watch(void *context, const struct fh_effect *effect)
{
    const struct script *script = context;
    *script->seen |= effect->kind == script->watched;
}

struct fh_environment script_environment(struct script *script)
{
    struct fh_environment environment = {.context = script,
                                         .oracle = answer_oracle,
                                         .soracle = answer_soracle,
                                         .doracle = answer_doracle,
                                         .core_doracle = answer_core_doracle,
                                         .verify_img = given_verify_img,
                                         .reg_desc = given_reg_desc,
                                         .shared_kvm = given_shared_kvm,
                                         .shared_vcpu = given_shared_vcpu,
                                         .exception_vector = given_exception_vector,
                                         .decrypt_gp_regs = given_decrypt_gp_regs,
                                         .decrypt_sys_regs = given_decrypt_sys_regs};
    if (script->vectors) {
        environment.verify_img = verify_img;
        environment.reg_desc = reg_desc;
        environment.shared_kvm = shared_kvm;
        environment.shared_vcpu = shared_vcpu;
        environment.exception_vector = exception_vector;
        environment.decrypt_gp_regs = decrypt_gp_regs;
        environment.decrypt_sys_regs = decrypt_sys_regs;
    }
    if (script->seen)
        environment.observer = watch;
    return environment;
}

/* --- Making and loading ----------------------------------------------------------------------- */

static void set_formula(struct data *data, bool vectors)
{
    data->a = vectors ? 1000003 : 0;
    data->b = vectors ? 7919 : 0;
    data->c = vectors ? 12345 : 0;
}

struct script *script_new(const struct fh_allocator *allocator, bool vectors)
{
    struct script *script = calloc(1, sizeof *script);
    if (!script)
        return NULL;
    script->allocator = allocator;
    script->vectors = vectors;
    set_formula(&script->doracle, vectors);
    set_formula(&script->core_doracle, vectors);
    return script;
}

static void forget_answers(struct answers *answers, const struct fh_allocator *allocator)
{
    for (size_t i = 0; i < answers->count; i++)
        patch_free_events(answers->items[i].events, answers->items[i].count, allocator);
    answers->count = 0;
}

static void free_answers(struct answers *answers, const struct fh_allocator *allocator)
{
    forget_answers(answers, allocator);
    free(answers->items);
}

void script_free(struct script *script)
{
    if (!script)
        return;
    free_answers(&script->locks, script->allocator);
    free_answers(&script->slog, script->allocator);
    free_answers(&script->step_locks, script->allocator);
    free_answers(&script->step_slog, script->allocator);
    free(script->doracle.step);
    free(script->core_doracle.step);
    for (unsigned i = 0; i < PARAMETERS; i++)
        free(script->parameters[i].items);
    free(script->decryptions[false].offsets);
    free(script->decryptions[true].offsets);
    free(script->doracle.table);
    free(script->core_doracle.table);
    free(script);
}

/* Room for `more` answers; patch_read_events fills them one by one. */
static bool reserve(struct applier *applier, struct answers *answers, const struct node *lists)
{
    if (lists->kind != NODE_MAP)
        return patch_fail(applier, lists, "expected a map from lengths of the log to events");
    size_t count = answers->count + lists->count;
    struct answer *items = realloc(answers->items, (count + 1) * sizeof *items);
    if (!items)
        return patch_no_memory(applier, lists);
    answers->items = items;
    return true;
}

static bool load_lists(struct applier *applier, struct answers *answers, uint64_t id,
                       const struct node *lists)
{
    if (!reserve(applier, answers, lists))
        return false;
    for (size_t i = 0; i < lists->count; i++) {
        struct answer *answer = &answers->items[answers->count];
        *answer = (struct answer){.id = id};
        if (!patch_number(applier, &lists->keys[i], &answer->length) ||
            !patch_read_events(&lists->items[i], id, applier->objects, applier->allocator,
                               &answer->events, &answer->count, applier->error))
            return false;
        answers->count++;
    }
    return true;
}

static bool load_oracle(struct script *script, struct applier *applier, const struct node *oracle)
{
    size_t path = patch_enter(applier, "oracle");
    if (oracle->kind != NODE_MAP)
        return patch_fail(applier, oracle, "expected a map from locks to lists of events");
    for (size_t i = 0; i < oracle->count; i++) {
        uint64_t id;
        if (!patch_number(applier, &oracle->keys[i], &id) ||
            !load_lists(applier, &script->locks, id, &oracle->items[i]))
            return false;
    }
    patch_leave(applier, path);
    return true;
}

static bool load_soracle(struct script *script, struct applier *applier, const struct node *soracle)
{
    size_t path = patch_enter(applier, "soracle");
    if (!load_lists(applier, &script->slog, 0, soracle))
        return false;
    patch_leave(applier, path);
    return true;
}

static bool load_formula(struct data *data, struct applier *applier, const struct node *lin)
{
    if (lin->kind != NODE_LIST || lin->count != 3)
        return patch_fail(applier, lin, "expected \"lin\": [a, b, c]");
    return patch_number(applier, &lin->items[0], &data->a) &&
           patch_number(applier, &lin->items[1], &data->b) &&
           patch_number(applier, &lin->items[2], &data->c);
}

static bool load_row(struct data *data, struct applier *applier, uint64_t vmid,
                     const struct node *row)
{
    if (row->kind != NODE_MAP)
        return patch_fail(applier, row, "expected a map from counters to values");
    struct datum *table = realloc(data->table, (data->count + row->count + 1) * sizeof *table);
    if (!table)
        return patch_no_memory(applier, row);
    data->table = table;
    for (size_t i = 0; i < row->count; i++) {
        struct datum *datum = &table[data->count];
        datum->vmid = vmid;
        if (!patch_number(applier, &row->keys[i], &datum->n) ||
            !patch_number(applier, &row->items[i], &datum->value))
            return false;
        data->count++;
    }
    return true;
}

static bool load_table(struct data *data, struct applier *applier, const struct node *tab)
{
    if (tab->kind != NODE_MAP)
        return patch_fail(applier, tab, "expected \"tab\": {vmid: {counter: value}}");
    for (size_t i = 0; i < tab->count; i++) {
        uint64_t vmid;
        if (!patch_number(applier, &tab->keys[i], &vmid) ||
            !load_row(data, applier, vmid, &tab->items[i]))
            return false;
    }
    if (data->count > 0)
        qsort(data->table, data->count, sizeof *data->table, compare_data);
    return true;
}

static bool load_data(struct data *data, struct applier *applier, const char *name,
                      const struct node *node)
{
    size_t path = patch_enter(applier, name);
    const struct node *lin = node_get(node, "lin"), *tab = node_get(node, "tab");
    if (node->kind != NODE_MAP || node->count != (size_t)(lin != NULL) + (tab != NULL))
        return patch_fail(applier, node, "expected \"lin\" and \"tab\"");
    data->is_given = true;
    if ((lin && !load_formula(data, applier, lin)) || (tab && !load_table(data, applier, tab)))
        return false;
    patch_leave(applier, path);
    return true;
}

bool script_load(struct script *script, const struct node *init, const struct fh_rdata *rdata,
                 const struct fh_profile *profile, struct patch_error *error)
{
    const struct patch_objects objects = {&rdata->shared, profile->NPT_ID, profile->INFO_ID, false,
                                          FH_LOG_FULL};
    struct applier applier = {.allocator = script->allocator, .objects = &objects, .error = error};
    memset(error, 0, sizeof *error);
    const struct node *oracle = node_get(init, "oracle"), *soracle = node_get(init, "soracle");
    const struct node *doracle = node_get(init, "doracle");
    const struct node *core_doracle = node_get(init, "core_doracle");
    if (oracle && !load_oracle(script, &applier, oracle))
        return false;
    if (soracle && !load_soracle(script, &applier, soracle))
        return false;
    if (doracle && !load_data(&script->doracle, &applier, "doracle", doracle))
        return false;
    return !core_doracle ||
           load_data(&script->core_doracle, &applier, "core_doracle", core_doracle);
}

/* --- Parameters ------------------------------------------------------------------------------- */

bool script_set_parameter(struct script *script, enum script_parameter parameter, uint64_t a,
                          uint64_t b, uint64_t value)
{
    struct parameter_table *table = &script->parameters[parameter];
    struct parameter *items = realloc(table->items, (table->count + 1) * sizeof *items);
    if (!items)
        return false;
    table->items = items;
    items[table->count++] = (struct parameter){a, b, value};
    return true;
}

bool script_add_decrypted(struct script *script, bool is_system, size_t offset)
{
    struct decryption *decryption = &script->decryptions[is_system];
    size_t *offsets = realloc(decryption->offsets, (decryption->count + 1) * sizeof *offsets);
    if (!offsets)
        return false;
    decryption->offsets = offsets;
    offsets[decryption->count++] = offset;
    return true;
}

/* --- One step --------------------------------------------------------------------------------- */

bool script_add_events(struct script *script, bool atomic, uint64_t id, uint64_t length,
                       const struct node *events, const struct fh_rdata *rdata,
                       const struct fh_profile *profile, struct patch_error *error)
{
    const struct patch_objects objects = {&rdata->shared, profile->NPT_ID, profile->INFO_ID, false,
                                          FH_LOG_FULL};
    struct answers *answers = atomic ? &script->step_slog : &script->step_locks;
    struct applier applier = {.allocator = script->allocator, .error = error};
    memset(error, 0, sizeof *error);
    struct answer *items = realloc(answers->items, (answers->count + 1) * sizeof *items);
    if (!items)
        return patch_no_memory(&applier, events);
    answers->items = items;
    struct answer *answer = &items[answers->count];
    *answer = (struct answer){.id = id, .length = length};
    if (!patch_read_events(events, id, &objects, script->allocator, &answer->events, &answer->count,
                           error))
        return false;
    answers->count++;
    return true;
}

bool script_add_datum(struct script *script, bool core, uint64_t vmid, uint64_t n, uint64_t value)
{
    struct data *data = core ? &script->core_doracle : &script->doracle;
    struct datum *step = realloc(data->step, (data->step_count + 1) * sizeof *step);
    if (!step)
        return false;
    data->step = step;
    step[data->step_count++] = (struct datum){vmid, n, value};
    return true;
}

void script_end_step(struct script *script)
{
    forget_answers(&script->step_locks, script->allocator);
    forget_answers(&script->step_slog, script->allocator);
    script->doracle.step_count = 0;
    script->core_doracle.step_count = 0;
    script->is_named = 0;
}
