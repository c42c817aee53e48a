/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/trace_check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The last record of a CPU. */
struct checked_cpu {
    bool is_there;
    uint64_t seq, g0, last; /* the numbers of its first and its last event */
};

/* Numbers of records that were there, [first, end). */
struct range {
    uint64_t first, end;
};

/* Traces have few gaps; of one that has more, the numbers furthest back are forgotten. */
enum { RANGES_MAX = 1 << 12 };

struct trace_check {
    struct trace_limits limits;
    struct range ranges[RANGES_MAX]; /* rising, with gaps between them */
    size_t nranges;
    uint64_t ncpus;            /* up to the last one that was there */
    struct checked_cpu cpus[]; /* limits.cpus of them */
};

struct trace_limits trace_limits_of(const struct fh_profile *k)
{
    return (struct trace_limits){.cpus = TRACE_CPUS_MAX,
                                 .regions = k->MAX_MEMBLOCK_NUM,
                                 .vms = k->COREVISOR + 1,
                                 .vcpus = k->VCPU_PER_VM,
                                 .banks = k->SMMU_NUM * k->SMMU_NUM_CTXT_BANKS,
                                 .page_size = k->PAGE_SIZE,
                                 .phys_size = k->KVM_PHYS_SIZE};
}

struct trace_check *trace_check_new(const struct trace_limits *limits)
{
    struct trace_check *check =
        calloc(1, sizeof *check + (size_t)limits->cpus * sizeof *check->cpus);
    if (!check)
        no_memory();
    check->limits = *limits;
    return check;
}

void trace_check_limit(struct trace_check *check, const struct trace_limits *limits)
{
    check->limits.vms = limits->vms;
    check->limits.vcpus = limits->vcpus;
}

void trace_check_free(struct trace_check *check)
{
    free(check);
}

/* Always false. */
__attribute__((format(printf, 3, 4))) static bool refuse(struct trace_fault *fault, size_t effect,
                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    fault->effect = effect;
    return false;
}

/* --- Events ---------------------------------------------------------------------------------- */

enum { NO_EFFECT = TRACE_NO_EFFECT };

/* The number of the last event that the record tells of. */
static uint64_t last_event(const struct trace_line *line)
{
    const uint64_t last_effect = line->nfx > 0 ? line->fx[line->nfx - 1].g : line->g0;
    return line->unfinished ? last_effect : line->g1;
}

/*
 * A stay has at least its first and its last event. What an effect's number says is compared, not
 * refused: effects that are exchanged or doubled are what a hypervisor may have recorded.
 */
static bool check_events(const struct trace_line *line, struct trace_fault *fault)
{
    const bool is_one_event =
        line->kind == TRACE_KIND_el2_exception && line->nfx == 0 && line->g1 == line->g0;
    return line->unfinished || line->g1 > line->g0 || is_one_event ||
           refuse(fault, (size_t)NO_EFFECT, "g1 is event %" PRIu64 ", and g0 event %" PRIu64,
                  line->g1, line->g0);
}

/* The range that has `seq`, or the first one behind it, of nranges. */
static size_t find_range(const struct trace_check *check, uint64_t seq)
{
    size_t at = check->nranges;
    while (at > 0 && check->ranges[at - 1].end > seq)
        at--;
    return at;
}

static bool was_there(const struct trace_check *check, uint64_t seq)
{
    const size_t at = find_range(check, seq);
    return at < check->nranges && check->ranges[at].first <= seq;
}

static void insert_range(struct trace_check *check, size_t at, struct range range)
{
    if (check->nranges == RANGES_MAX) {
        memmove(check->ranges, check->ranges + 1, --check->nranges * sizeof *check->ranges);
        at -= at > 0;
    }
    memmove(check->ranges + at + 1, check->ranges + at,
            (check->nranges++ - at) * sizeof *check->ranges);
    check->ranges[at] = range;
}

static void note_number(struct trace_check *check, uint64_t seq)
{
    const size_t at = find_range(check, seq);
    const bool follows = at > 0 && check->ranges[at - 1].end == seq;
    const bool precedes = at < check->nranges && check->ranges[at].first == seq + 1;
    if (follows && precedes) {
        check->ranges[at - 1].end = check->ranges[at].end;
        check->nranges--;
        memmove(check->ranges + at, check->ranges + at + 1,
                (check->nranges - at) * sizeof *check->ranges);
    } else if (follows) {
        check->ranges[at - 1].end++;
    } else if (precedes) {
        check->ranges[at].first--;
    } else {
        insert_range(check, at, (struct range){seq, seq + 1});
    }
}

static bool check_behind(const struct checked_cpu *before, const struct trace_line *line,
                         struct trace_fault *fault)
{
    if (line->g0 <= before->last)
        return refuse(fault, (size_t)NO_EFFECT,
                      "g0 is event %" PRIu64 ", but CPU %" PRIu64 " has come to event %" PRIu64
                      " before: records are out of order",
                      line->g0, line->cpu, before->last);
    return line->seq > before->seq ||
           refuse(fault, (size_t)NO_EFFECT,
                  "seq %" PRIu64 " behind seq %" PRIu64 " of the same CPU", line->seq, before->seq);
}

/* An event is of one CPU. Stays stand here as they ended. */
static bool check_beside(const struct checked_cpu *other, const struct trace_line *line,
                         struct trace_fault *fault)
{
    if (line->g0 != other->g0 && line->g0 != other->last && last_event(line) != other->last)
        return true;
    return refuse(fault, (size_t)NO_EFFECT, "event %" PRIu64 " is one of another CPU too",
                  last_event(line) == other->last ? other->last : line->g0);
}

static bool check_order(const struct trace_check *check, const struct trace_line *line,
                        struct trace_fault *fault)
{
    const struct checked_cpu *cpus = check->cpus;
    if (cpus[line->cpu].is_there && !check_behind(&cpus[line->cpu], line, fault))
        return false;
    for (uint64_t i = 0; i < check->ncpus; i++) {
        if (i != line->cpu && cpus[i].is_there && !check_beside(&cpus[i], line, fault))
            return false;
    }
    return true;
}

/* An exception inside EL2 may come to no number, -1, and to no event but its first. */
static bool has_no_number(const struct trace_line *line)
{
    return line->kind == TRACE_KIND_el2_exception && line->seq == UINT64_MAX;
}

static bool check_number(const struct trace_check *check, const struct trace_line *line,
                         struct trace_fault *fault)
{
    if (has_no_number(line))
        return true;
    if (line->seq > INT64_MAX)
        return refuse(fault, (size_t)NO_EFFECT, "seq is %" PRId64, (int64_t)line->seq);
    return !was_there(check, line->seq) ||
           refuse(fault, (size_t)NO_EFFECT, "seq %" PRIu64 " is that of a record before",
                  line->seq);
}

/* --- Registers ------------------------------------------------------------------------------- */

static bool has(const struct trace_registers *registers, enum trace_register reg)
{
    return registers->present >> reg & 1;
}

/* The host has a context for each CPU, a VM one for each vCPU. */
static uint64_t contexts(const struct trace_limits *limits, const struct trace_line *line)
{
    const bool is_vm = line->kind == TRACE_KIND_guest_exit;
    return is_vm || limits->vcpus > limits->cpus ? limits->vcpus : limits->cpus;
}

static bool check_context(const struct trace_limits *limits, const struct trace_line *line,
                          struct trace_fault *fault)
{
    const uint64_t vmid = line->in.values[TRACE_REG_vmid];
    const uint64_t vcpuid = line->in.values[TRACE_REG_vcpuid];
    if (has(&line->in, TRACE_REG_vmid) && vmid >= limits->vms)
        return refuse(fault, (size_t)NO_EFFECT,
                      "in.vmid is %" PRId64 ", and VMs are numbered from 0 to %" PRIu64,
                      (int64_t)vmid, limits->vms - 1);
    if (has(&line->in, TRACE_REG_vcpuid) && vcpuid >= contexts(limits, line))
        return refuse(fault, (size_t)NO_EFFECT,
                      "in.vcpuid is %" PRId64 ", and vCPUs are numbered from 0 to %" PRIu64,
                      (int64_t)vcpuid, contexts(limits, line) - 1);
    return true;
}

bool trace_check_next(struct trace_check *check, const struct trace_line *line,
                      struct trace_fault *fault)
{
    const unsigned needed = TRACE_HAS_CPU | TRACE_HAS_EVENTS;
    if (line->has & TRACE_HAS_CPU && line->cpu >= check->limits.cpus)
        return refuse(fault, (size_t)NO_EFFECT,
                      "cpu is %" PRId64 ", and CPUs are numbered from 0 to %" PRIu64,
                      (int64_t)line->cpu, check->limits.cpus - 1);
    if ((line->has & needed) != needed)
        return true;
    if (!check_events(line, fault) || !check_order(check, line, fault) ||
        !check_number(check, line, fault) || !check_context(&check->limits, line, fault))
        return false;
    if (!has_no_number(line))
        note_number(check, line->seq);
    if (line->cpu >= check->ncpus)
        check->ncpus = line->cpu + 1;
    check->cpus[line->cpu] = (struct checked_cpu){true, line->seq, line->g0, last_event(line)};
    return true;
}

/* --- The machine at its beginning ------------------------------------------------------------ */

/* Two ranges of whole numbers that have one in common. */
static bool overlap(uint64_t a, uint64_t na, uint64_t b, uint64_t nb)
{
    return na > 0 && nb > 0 && (a < b ? b - a < na : a - b < nb);
}

static bool is_aligned(const struct trace_limits *limits, uint64_t address)
{
    return (address & (limits->page_size - 1)) == 0;
}

static bool check_region(const struct trace_limits *limits, const struct trace_line *line,
                         size_t at, struct trace_fault *fault)
{
    const struct trace_boot_region *region = &line->fx[at].boot_region;
    if (region->i >= limits->regions)
        return refuse(fault, at, "boot_region %" PRId64 ", and there are at most %" PRIu64,
                      (int64_t)region->i, limits->regions);
    if (!is_aligned(limits, region->base) || !is_aligned(limits, region->size))
        return refuse(fault, at, "boot_region %" PRIu64 " does not consist of whole pages",
                      region->i);
    if (region->size == 0 || region->base >= limits->phys_size ||
        region->size > limits->phys_size - region->base)
        return refuse(fault, at,
                      "boot_region %" PRIu64 ": %#" PRIx64 " bytes from %#" PRIx64
                      " on do not end below %#" PRIx64,
                      region->i, region->size, region->base, limits->phys_size);
    for (size_t i = 0; i < at; i++) {
        const struct trace_boot_region *other = &line->fx[i].boot_region;
        if (line->fx[i].kind != TRACE_boot_region)
            continue;
        if (other->i == region->i)
            return refuse(fault, at, "a second boot_region %" PRIu64, region->i);
        if (overlap(region->base, region->size, other->base, other->size))
            return refuse(fault, at, "boot_region %" PRIu64 " overlaps boot_region %" PRIu64,
                          region->i, other->i);
    }
    return true;
}

/* Regions are numbered without gaps: a machine keeps how many there are. */
static bool check_numbers(const struct trace_line *line, struct trace_fault *fault)
{
    uint64_t count = 0, end = 0;
    size_t last = 0;
    for (size_t i = 0; i < line->nfx; i++) {
        if (line->fx[i].kind != TRACE_boot_region)
            continue;
        count++;
        if (line->fx[i].boot_region.i >= end) {
            end = line->fx[i].boot_region.i + 1;
            last = i;
        }
    }
    return count == end ||
           refuse(fault, last, "boot_region %" PRIu64 ", but only %" PRIu64 " regions before it",
                  end - 1, count - 1);
}

/* Where a VM's tables begin, and the pools of their levels behind. */
static bool check_pool(const struct trace_limits *limits, const struct trace_line *line, size_t at,
                       struct trace_fault *fault)
{
    const struct trace_boot_pool *pool = &line->fx[at].boot_pool;
    if (pool->vmid >= limits->vms)
        return refuse(fault, at,
                      "boot_pool of VM %" PRId64 ", and VMs are numbered from 0 to %" PRIu64,
                      (int64_t)pool->vmid, limits->vms - 1);
    if (limits->pools_are_offsets)
        return true;
    if (!is_aligned(limits, pool->page_pool_start) || !is_aligned(limits, pool->pgd_pool) ||
        !is_aligned(limits, pool->pud_pool) || !is_aligned(limits, pool->pmd_pool))
        return refuse(fault, at, "the pools of VM %" PRIu64 " are no pages", pool->vmid);
    if (pool->page_pool_start > pool->pgd_pool || pool->pgd_pool > pool->pud_pool ||
        pool->pud_pool > pool->pmd_pool || pool->pmd_pool >= limits->phys_size)
        return refuse(fault, at,
                      "the pools of VM %" PRIu64 " do not lie one behind the other in memory",
                      pool->vmid);
    for (size_t i = 0; i < at; i++) {
        const struct trace_boot_pool *other = &line->fx[i].boot_pool;
        if (line->fx[i].kind != TRACE_boot_pool)
            continue;
        if (other->vmid == pool->vmid)
            return refuse(fault, at, "a second boot_pool of VM %" PRIu64, pool->vmid);
        if (overlap(pool->page_pool_start, pool->pmd_pool - pool->page_pool_start + 1,
                    other->page_pool_start, other->pmd_pool - other->page_pool_start + 1))
            return refuse(fault, at, "the pools of VM %" PRIu64 " and VM %" PRIu64 " overlap",
                          pool->vmid, other->vmid);
    }
    return true;
}

/* Runs of pages, one behind the other. */
static bool check_run(const struct trace_line *line, size_t at, uint64_t *end,
                      struct trace_fault *fault)
{
    const struct trace_boot_rle *run = &line->fx[at].boot_rle;
    if (run->start_index < *end)
        return refuse(fault, at,
                      "boot_rle begins at page %#" PRIx64 ", and the one before ends at %#" PRIx64,
                      run->start_index, *end);
    if (run->len > UINT64_MAX - run->start_index)
        return refuse(fault, at, "boot_rle of %#" PRIx64 " pages", run->len);
    *end = run->start_index + run->len;
    return true;
}

/* "smmu_cfg[3]": a context bank and its owner; of a value that is no number, nothing is known. */
static bool check_value(const struct trace_limits *limits, const struct trace_line *line, size_t at,
                        struct trace_fault *fault)
{
    static const char banks[] = "smmu_cfg[";
    const char *name = line->fx[at].boot_val.name;
    char *end;
    if (strncmp(name, banks, sizeof banks - 1) != 0)
        return true;
    const uint64_t bank = strtoull(name + sizeof banks - 1, &end, 10);
    if (strcmp(end, "]") != 0 || end == name + sizeof banks - 1 || bank >= limits->banks)
        return refuse(fault, at, "'%.40s': context banks are numbered from 0 to %" PRIu64, name,
                      limits->banks - 1);
    return true;
}

bool trace_check_boot(const struct trace_limits *limits, const struct trace_line *line,
                      struct trace_fault *fault)
{
    uint64_t end_of_runs = 0;
    for (size_t i = 0; i < line->nfx; i++) {
        bool good = true;
        switch (line->fx[i].kind) {
        case TRACE_boot_region: good = check_region(limits, line, i, fault); break;
        case TRACE_boot_pool: good = check_pool(limits, line, i, fault); break;
        case TRACE_boot_rle: good = check_run(line, i, &end_of_runs, fault); break;
        case TRACE_boot_val: good = check_value(limits, line, i, fault); break;
        default: break;
        }
        if (!good)
            return false;
    }
    return check_numbers(line, fault);
}
