/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/progress.h"
#include "convert/recognise.h"
#include "machine/command.h"
#include "machine/infer.h"

/*
 * `fhsim machine infer`: the beginning of a machine.yaml from a trace, as far as a boot record and
 * what follows can tell. What cannot be told stands there as a comment.
 */

/* --- What was seen --------------------------------------------------------------------------- */

static struct seen_call *call_of(struct seen *seen, uint64_t number)
{
    for (size_t i = 0; i < seen->ncalls; i++) {
        if (seen->calls[i].number == number)
            return &seen->calls[i];
    }
    if (seen->ncalls == SEEN_CALLS)
        return NULL;
    seen->calls[seen->ncalls] = (struct seen_call){.number = number};
    return &seen->calls[seen->ncalls++];
}

static void see_call(struct seen *seen, const struct trace_line *line)
{
    struct seen_call *call = call_of(seen, line->hvc_number);
    if (!call)
        return;
    if (call->count++ == 0 && line->hvc)
        snprintf(call->name, sizeof call->name, "%s", line->hvc);
    call->runs |= line->to == TRACE_TO_guest;
}

static void see_register(struct seen *seen, const struct trace_shadow_set *set, bool is_named)
{
    size_t i = 0;
    while (i < seen->nregisters && seen->registers[i].number != set->idx)
        i++;
    if (i == SEEN_REGISTERS)
        return;
    if (i == seen->nregisters)
        seen->registers[seen->nregisters++] = (struct seen_register){.number = set->idx};
    if (is_named)
        snprintf(seen->registers[i].name, sizeof seen->registers[i].name, "%s", set->reg);
}

static enum seen_level level_of(const char *level)
{
    static const char *const names[] = {"pgd", "pud", "pmd", "pte"};
    for (unsigned i = 0; i < SEEN_OTHER_LEVEL; i++) {
        if (strcmp(names[i], level) == 0)
            return (enum seen_level)i;
    }
    return SEEN_OTHER_LEVEL;
}

/* How far "next" goes on: 1 page or the size of one tells what it counts. */
static void see_next(struct seen *seen, uint64_t old, uint64_t new)
{
    if (new - old == 1)
        seen->steps_of_1++;
    else if (new - old == 0x1000)
        seen->steps_of_page++;
    if (old >= seen->lowest_pool)
        seen->beyond_pools++;
    seen->nexts++;
}

static bool is_next(const char *field)
{
    const size_t length = strlen(field);
    return length > 5 && strcmp(field + length - 5, "_next") == 0;
}

/* A descriptor of the host's RAM says which marks leaves have, beside address and attributes. */
static void see_store(struct seen *seen, const struct trace_pt_store *store)
{
    const uint64_t address = UINT64_C(0x0000fffffffff000);
    const enum seen_level level = level_of(store->level);
    if (store->vmid == seen->own_vmid) {
        seen->own_levels |= 1u << level;
        return;
    }
    seen->levels |= 1u << level;
    if (store->vmid == 0 && level == SEEN_pte && (store->new &address) == (store->ipa & address) &&
        (store->new & seen->kernel_page) == seen->kernel_page && seen->kernel_page != 0) {
        seen->marks = store->new & ~address & ~seen->kernel_page;
        seen->has_marks = true;
    }
}

/* A page is taken from a pool, and entered: where the pool's first page is. */
static void see_taken(struct seen *seen, const struct trace_vm_set *set)
{
    static const char *const fields[] = {"pgd_next", "pud_next", "pmd_next"};
    seen->taken = SEEN_PLACES;
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(set->field, fields[i]) == 0 && set->vmid < SEEN_VMS &&
            set->vmid != seen->own_vmid && set->new - set->old == 1) {
            seen->taken = i + (set->vmid > 0 ? 3 : 0);
            seen->taken_index = set->old;
        }
    }
}

static void see_entered(struct seen *seen, const struct trace_pt_store *store)
{
    enum { PAGE = 0x1000 };
    const uint64_t address = UINT64_C(0x0000fffffffff000);
    if (seen->taken < SEEN_PLACES && store->vmid < SEEN_VMS)
        seen->offsets[seen->taken] =
            (store->new &address) - seen->taken_index * PAGE - seen->pools[store->vmid];
    seen->taken = SEEN_PLACES;
}

static void see_effect(struct seen *seen, const struct trace_effect *effect)
{
    seen->kinds[effect->kind]++;
    switch (effect->kind) {
    case TRACE_pt_store:
        see_store(seen, &effect->pt_store);
        see_entered(seen, &effect->pt_store);
        break;
    case TRACE_shadow_set:
        see_register(seen, &effect->shadow_set,
                     effect->present >> TRACE_AT_shadow_set_reg & 1 && effect->shadow_set.reg);
        break;
    case TRACE_vm_set:
        if (is_next(effect->vm_set.field))
            see_next(seen, effect->vm_set.old, effect->vm_set.new);
        see_taken(seen, &effect->vm_set);
        break;
    default: break;
    }
}

static void see_line(struct seen *seen, const struct trace_line *line)
{
    seen->lines++;
    seen->traps[line->kind]++;
    if (line->cpu >= seen->cpus)
        seen->cpus = line->cpu + 1;
    if (line->kind == TRACE_KIND_host_hvc)
        see_call(seen, line);
    for (size_t i = 0; i < line->nfx; i++)
        see_effect(seen, &line->fx[i]);
}

/* What the boot record says that is needed to understand the rest. */
static void see_boot(struct seen *seen, const struct trace_line *line)
{
    seen->lowest_pool = UINT64_MAX;
    seen->taken = SEEN_PLACES;
    for (size_t i = 0; i < line->nfx; i++) {
        const struct trace_effect *effect = &line->fx[i];
        const struct trace_boot_pool *pool = &effect->boot_pool;
        if (effect->kind == TRACE_boot_pool && pool->vmid > seen->own_vmid)
            seen->own_vmid = pool->vmid;
        if (effect->kind == TRACE_boot_pool && pool->vmid < SEEN_VMS)
            seen->pools[pool->vmid] = pool->page_pool_start;
        if (effect->kind == TRACE_boot_pool && pool->page_pool_start < seen->lowest_pool)
            seen->lowest_pool = pool->page_pool_start;
        if (effect->kind == TRACE_boot_val && strcmp(effect->boot_val.name, "PAGE_S2_KERNEL") == 0)
            seen->kernel_page = effect->boot_val.val;
    }
    see_line(seen, line);
}

/* --- The command ----------------------------------------------------------------------------- */

static bool read_trace(struct trace *trace, const char *path, struct seen *seen)
{
    struct progress progress;
    const struct trace_line *line;
    progress_begin(&progress, (char *const *)&path, 1);
    progress_file(&progress, path, path);
    while ((line = trace_next(trace))) {
        see_line(seen, line);
        progress_trap(&progress, trace_progress(trace));
    }
    progress_clear(&progress);
    return !trace_failed(trace);
}

static int infer(struct trace *trace, const char *path)
{
    struct seen *seen = calloc(1, sizeof *seen);
    const struct trace_line *boot = trace_next(trace);
    if (!seen)
        no_memory();
    if (!boot || !machine_is_boot(boot)) {
        if (boot)
            trace_diag(trace, "a trace begins with the boot record, which has boot_pool effects");
        else if (!trace_failed(trace))
            diag(&(const struct place){path, 1, 1}, NULL, "the trace is empty");
        free(seen);
        return EXIT_BAD_INPUT;
    }
    see_boot(seen, boot);
    const struct machine_description *base = machine_infer_base(boot);
    machine_infer_boot(boot, base, path);
    const bool good = read_trace(trace, path, seen);
    if (good)
        machine_infer_rest(seen, base);
    free(seen);
    return good ? EXIT_EXPECTED : EXIT_BAD_INPUT;
}

int machine_infer(int argc, char **argv)
{
    const char *path;
    const enum options_outcome outcome = machine_argument(argc, argv, NULL, 0, &path);
    if (outcome != OPTIONS_GOOD)
        return outcome == OPTIONS_HELP ? EXIT_EXPECTED : EXIT_BAD_INPUT;
    struct trace *trace = recognise_trace(path) ? trace_open(path) : NULL;
    if (!trace)
        return EXIT_BAD_INPUT;
    const int status = infer(trace, path);
    trace_close(trace);
    return status;
}
