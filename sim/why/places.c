/* SPDX-License-Identifier: GPL-2.0-only */
#include "why/places.h"

#include <stdlib.h>
#include <string.h>

/*
 * Records tell of what they read in part only: of ownership (s2_read), of walks by their function,
 * of a word or field that is written by its old value. Beside that a record reads what its inputs
 * name: of the VM that it is about each field, and of the vCPU that goes on its registers. So this
 * may name a write that did not matter, and only a replay without it (necessary.c) can tell.
 */

/* --- Places ----------------------------------------------------------------------------------- */

/* Kinds of places that are no field of an effect. */
enum place_kind { PLACE_TABLE = TRACE_EFFECT_KINDS, PLACE_ADDRESS, PLACE_CPU, PLACE_CONTEXT };

/* A place as a number that no other place is likely to have. */
static uint64_t place(unsigned kind, uint64_t a, uint64_t b, uint64_t c, const char *text)
{
    const uint64_t numbers[] = {kind, a, b, c};
    uint64_t sum = 1;
    for (unsigned i = 0; i < 4; i++) {
        sum = (sum ^ numbers[i]) * 0x9e3779b97f4a7c15u;
        sum ^= sum >> 29;
    }
    while (text && *text)
        sum = (sum ^ (unsigned char)*text++) * 0x9e3779b97f4a7c15u;
    return sum ^ sum >> 29;
}

enum { PAGE_SHIFT = 12 };
static const uint64_t address_mask = 0xfffffffff000;

static uint64_t table_place(unsigned kind, uint64_t address)
{
    return place(PLACE_TABLE, kind, (address & address_mask) >> PAGE_SHIFT, 0, NULL);
}

static uint64_t context_place(uint64_t vmid, uint64_t vcpu)
{
    return place(PLACE_CONTEXT, vmid, vcpu, 0, NULL);
}

static uint64_t vm_place(const struct trace_vm_set *set)
{
    return place(TRACE_vm_set, set->vmid, set->sub, 0, set->field);
}

static uint64_t bank_place(const struct trace_smmu_cfg_set *set)
{
    return place(TRACE_smmu_cfg_set, set->cbndx, set->num, 0, set->field);
}

/* What is read of all SMMUs, beside VMs. */
static const uint64_t SMMUS = UINT64_MAX;

/* Somebody to be told of places. */
typedef void on_place(void *context, uint64_t place, size_t effect);

struct visit {
    const struct trace_line *line;
    on_place *writes, *reads, *reads_of; /* NULL: nobody */
    void *context;
};

static void tell(on_place *told, const struct visit *visit, uint64_t what, size_t effect)
{
    if (told)
        told(visit->context, what, effect);
}

static void tell_both(const struct visit *visit, uint64_t what, size_t effect)
{
    tell(visit->reads, visit, what, effect);
    tell(visit->writes, visit, what, effect);
}

/* A descriptor that is stored: the table that it is in is read, the one that it names begins. */
static void visit_word(const struct visit *visit, unsigned kind, const char *level, uint64_t pa,
                       uint64_t new, size_t i)
{
    tell(visit->reads, visit, table_place(kind, pa), i);
    tell_both(visit, place(kind, pa, 0, 0, NULL), i);
    if (strcmp(level, "pte") != 0 && (new & 3) == 3)
        tell(visit->writes, visit, table_place(kind, new), i);
}

static void visit_function(const struct visit *visit, const struct trace_fn *fn, size_t i)
{
    const uint64_t *arguments = fn->args.values;
    if (fn->args.count < 2 ||
        (strcmp(fn->fn, "walk_s2pt") != 0 && strcmp(fn->fn, "mmap_s2pt") != 0))
        return;
    tell(visit->reads, visit,
         place(PLACE_ADDRESS, arguments[0], arguments[1] >> PAGE_SHIFT, 0, NULL), i);
}

static void visit_page_read(const struct visit *visit, uint64_t index, size_t i)
{
    static const char *const fields[] = {"owner", "count", "gfn"};
    for (unsigned j = 0; j < sizeof fields / sizeof *fields; j++)
        tell(visit->reads, visit, place(TRACE_s2_set, index, 0, 0, fields[j]), i);
}

static void visit_effect(const struct visit *visit, const struct trace_effect *effect, size_t i)
{
    switch (effect->kind) {
    case TRACE_fn: visit_function(visit, &effect->fn, i); return;
    case TRACE_s2_read: visit_page_read(visit, effect->s2_read.index, i); return;
    case TRACE_s2_set:
        tell_both(visit, place(TRACE_s2_set, effect->s2_set.index, 0, 0, effect->s2_set.field), i);
        return;
    case TRACE_pt_store:
        visit_word(visit, TRACE_pt_store, effect->pt_store.level, effect->pt_store.pa,
                   effect->pt_store.new, i);
        tell_both(visit,
                  place(PLACE_ADDRESS, effect->pt_store.vmid, effect->pt_store.ipa >> PAGE_SHIFT, 0,
                        NULL),
                  i);
        return;
    case TRACE_smmu_pt_store:
        visit_word(visit, TRACE_smmu_pt_store, effect->smmu_pt_store.level,
                   effect->smmu_pt_store.pa, effect->smmu_pt_store.new, i);
        return;
    case TRACE_smmu_cfg_set: tell_both(visit, bank_place(&effect->smmu_cfg_set), i); return;
    case TRACE_global_set:
        tell_both(visit, place(TRACE_global_set, 0, 0, 0, effect->global_set.field), i);
        return;
    case TRACE_vm_set:
        tell_both(visit, vm_place(&effect->vm_set), i);
        tell(visit->reads_of, visit, effect->vm_set.vmid, i);
        return;
    case TRACE_shadow_set:
        tell_both(visit, context_place(effect->shadow_set.vmid, effect->shadow_set.vcpu), i);
        return;
    case TRACE_dirty_set:
        tell_both(visit, context_place(effect->dirty_set.vmid, effect->dirty_set.vcpu), i);
        return;
    case TRACE_percpu:
        tell(visit->reads, visit, context_place(effect->percpu.vmid, effect->percpu.vcpu), i);
        tell(visit->reads_of, visit, effect->percpu.vmid, i);
        return;
    case TRACE_lock:
        tell(visit->reads_of, visit,
             strcmp(effect->lock.lock, "smmu") == 0 ? SMMUS : effect->lock.vmid, i);
        return;
    default: return;
    }
}

static void visit_record(const struct visit *visit)
{
    const struct trace_line *line = visit->line;
    const uint64_t vmid = line->in.values[TRACE_REG_vmid];
    const uint64_t vcpu = line->in.values[TRACE_REG_vcpuid];
    for (size_t i = 0; i < line->nfx; i++)
        visit_effect(visit, &line->fx[i], i);
    if (line->to == TRACE_TO_guest)
        tell(visit->writes, visit, place(PLACE_CPU, line->cpu, 0, 0, NULL), line->nfx);
    if (line->kind != TRACE_KIND_guest_exit)
        return;
    tell(visit->reads, visit, place(PLACE_CPU, line->cpu, 0, 0, NULL), line->nfx);
    tell(visit->reads_of, visit, vmid, line->nfx);
    tell(visit->reads, visit, context_place(vmid, vcpu), line->nfx);
    if (line->to == TRACE_TO_host)
        tell(visit->writes, visit, context_place(vmid, vcpu), line->nfx);
}

/* --- Who wrote them --------------------------------------------------------------------------- */

struct written {
    uint64_t place;
    size_t record, effect;
};

/* The fields of VMs, and those of banks and first words of tables of SMMUs, that are ever written.
 */
struct part {
    uint64_t owner, place; /* a VM, or SMMUS */
};

struct writes {
    const struct reduce_records *records;
    struct written *list;
    size_t count;
    struct part *parts;
    size_t nparts;
    size_t record; /* the one that is looked at */
};

static void *more(void *list, size_t count, size_t each)
{
    /* Grown when the count is a power of two. */
    if (count > 0 && (count & (count - 1)) != 0)
        return list;
    void *grown = realloc(list, (count ? 2 * count : 1) * each);
    if (!grown)
        no_memory();
    return grown;
}

static void add_write(void *context, uint64_t what, size_t effect)
{
    struct writes *writes = context;
    writes->list = more(writes->list, writes->count, sizeof *writes->list);
    writes->list[writes->count++] = (struct written){what, writes->record, effect};
}

/* Where the next table comes from only matters to who takes one, and that is told. */
static bool is_pool(const struct trace_vm_set *set)
{
    const char *underline = strrchr(set->field, '_');
    return set->field[0] == 'p' && underline && strcmp(underline, "_next") == 0;
}

/* Is it a part of what a trap may read because of the VM, or the SMMUs, that it is about? */
static bool is_part(const struct trace_effect *effect, struct part *part)
{
    switch (effect->kind) {
    case TRACE_vm_set:
        *part = (struct part){effect->vm_set.vmid, vm_place(&effect->vm_set)};
        return !is_pool(&effect->vm_set);
    case TRACE_smmu_cfg_set:
        *part = (struct part){SMMUS, bank_place(&effect->smmu_cfg_set)};
        return true;
    case TRACE_smmu_pt_store:
        *part =
            (struct part){SMMUS, place(TRACE_smmu_pt_store, effect->smmu_pt_store.pa, 0, 0, NULL)};
        return strcmp(effect->smmu_pt_store.level, "pgd") == 0;
    default: return false;
    }
}

static void add_parts(struct writes *writes, const struct trace_line *line)
{
    struct part part;
    for (size_t i = 0; i < line->nfx; i++) {
        if (!is_part(&line->fx[i], &part))
            continue;
        size_t at = 0;
        while (at < writes->nparts && writes->parts[at].place != part.place)
            at++;
        if (at < writes->nparts)
            continue;
        writes->parts = more(writes->parts, writes->nparts, sizeof part);
        writes->parts[writes->nparts++] = part;
    }
}

static int by_place(const void *a, const void *b)
{
    const struct written *one = a, *other = b;
    if (one->place != other->place)
        return one->place < other->place ? -1 : 1;
    if (one->record != other->record)
        return one->record < other->record ? -1 : 1;
    return one->effect < other->effect ? -1 : one->effect > other->effect;
}

struct writes *writes_of(const struct reduce_records *records)
{
    struct writes *writes = calloc(1, sizeof *writes);
    if (!writes)
        no_memory();
    writes->records = records;
    for (size_t i = 1; i < records->count; i++) {
        const struct trace_line *line = &records->list[i]->line;
        const struct visit visit = {.line = line, .writes = add_write, .context = writes};
        writes->record = i;
        visit_record(&visit);
        add_parts(writes, line);
    }
    if (writes->count > 0)
        qsort(writes->list, writes->count, sizeof *writes->list, by_place);
    return writes;
}

void writes_free(struct writes *writes)
{
    if (!writes)
        return;
    free(writes->list);
    free(writes->parts);
    free(writes);
}

/* The last write of the place by a record before `end`; NULL: none. */
static const struct written *last_write(const struct writes *writes, uint64_t what, size_t end)
{
    size_t low = 0, high = writes->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct written *at = &writes->list[middle];
        if (at->place < what || (at->place == what && at->record < end))
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && writes->list[low - 1].place == what ? &writes->list[low - 1] : NULL;
}

/* --- The causes of a record ------------------------------------------------------------------- */

struct asking {
    const struct writes *writes;
    size_t end; /* writes before this record */
    struct cause *causes;
    size_t count;
};

static void add_cause(void *context, uint64_t what, size_t effect)
{
    struct asking *asking = context;
    const struct written *found = last_write(asking->writes, what, asking->end);
    (void)effect;
    if (!found)
        return;
    const size_t head = asking->writes->records->list[found->record]->head;
    for (size_t i = 0; i < asking->count; i++) {
        if (asking->writes->records->list[asking->causes[i].record]->head == head)
            return;
    }
    asking->causes = more(asking->causes, asking->count, sizeof *asking->causes);
    asking->causes[asking->count++] = (struct cause){found->record, found->effect};
}

static void add_owner(void *context, uint64_t owner, size_t effect)
{
    const struct asking *asking = context;
    for (size_t i = 0; i < asking->writes->nparts; i++) {
        if (asking->writes->parts[i].owner == owner)
            add_cause(context, asking->writes->parts[i].place, effect);
    }
}

size_t writes_causes(const struct writes *writes, size_t reader, struct cause **causes)
{
    const struct reduce_records *records = writes->records;
    const size_t head = records->list[reader]->head;
    struct asking asking = {.writes = writes, .end = head};
    for (size_t i = head; i < head + reduce_records_together(records, head); i++) {
        const struct visit visit = {.line = &records->list[i]->line,
                                    .reads = add_cause,
                                    .reads_of = add_owner,
                                    .context = &asking};
        visit_record(&visit);
    }
    *causes = asking.causes;
    return asking.count;
}
