/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/summary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "foreign/foreign_classes.h"
#include "foreign/foreign_record.h"

/*
 * A loop is looked for in the exits of a vCPU but its interrupts, whose pcs are anywhere. Exit i is
 * of a loop of period p if exit i - p has the same pc and class; so for each p it is counted how
 * long that has been so, and the smallest p that went round once is the loop's.
 */

enum { RING = 2 * SUMMARY_PERIOD, STORM_MIN = 8, STORM_LONG = 64, ROUNDS_LONG = 16 };
enum { SHARE_OF_VCPU = 4, HASH_SIZE = 2 * SUMMARY_PCS };

struct step {
    uint64_t pc;
    struct summary_class *class;
    uint64_t line;
    bool has_time;
    uint64_t time;
};

/* Exits of one sort in a row. */
struct run {
    uint64_t length;
    struct step first;
    struct step last;
};

/* Of a vCPU. */
struct progress_of {
    bool has_entry; /* it is in the guest since `entry` */
    bool has_exit;  /* it is in the host since `exit`, for `class` */
    uint64_t entry;
    uint64_t exit;
    struct summary_class *class;
    uint64_t count; /* steps so far */
    struct step ring[RING];
    uint64_t same[SUMMARY_PERIOD + 1]; /* by period */
    unsigned period;                   /* of the loop that goes on; 0: none */
    struct step begin;                 /* of that loop */
    struct run interrupts;
    struct run waits;
};

struct summary_state {
    struct progress_of vcpus[SUMMARY_VCPUS];
    size_t npcs;
    struct summary_pc pcs[HASH_SIZE]; /* by hash; exits 0: free */
};

struct summary *summary_new(void)
{
    struct summary *summary = calloc(1, sizeof *summary);
    if (summary)
        summary->state = calloc(1, sizeof *summary->state);
    if (!summary || !summary->state)
        no_memory();
    return summary;
}

void summary_free(struct summary *summary)
{
    if (!summary)
        return;
    free(summary->state);
    free(summary);
}

const char *summary_loop_name(enum summary_loop_kind kind)
{
    static const char *const names[] = {
#define SUMMARY_TEXT(kind, name) name,
        SUMMARY_LOOP_MAP(SUMMARY_TEXT)
#undef SUMMARY_TEXT
    };
    return names[kind];
}

uint64_t summary_loop_exits(const struct summary_loop *loop)
{
    return loop->period ? loop->rounds * loop->period : loop->rounds;
}

/* --- Names ----------------------------------------------------------------------------------- */

static void name_vcpu(const struct trace_line *line, char *name)
{
    const char *machine = record_machine(line);
    char where[44] = "";
    if (machine)
        snprintf(where, sizeof where, "%.40s: ", machine);
    if (record_has(line, TRACE_REG_vcpuid))
        snprintf(name, SUMMARY_NAME, "%svCPU %" PRIu64, where, record_get(line, TRACE_REG_vcpuid));
    else if (line->has & TRACE_HAS_TASK)
        snprintf(name, SUMMARY_NAME, "%sthread %" PRIu64, where, line->task);
    else if (line->has & TRACE_HAS_CPU)
        snprintf(name, SUMMARY_NAME, "%sCPU %" PRIu64, where, line->cpu);
    else
        snprintf(name, SUMMARY_NAME, "%snot known", where);
}

/* What an exit is where its class is not recorded: the event that tells of it, or nothing. */
static const char *name_without_class(const struct trace_line *line)
{
    static const struct {
        const char *event;
        const char *name;
    } names[] = {{"kvm_hvc_arm64", "HVC"}, {"kvm_wfx_arm64", "WFx"}, {"kvm_sys_access", "SYS64"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (record_event(line, names[i].event))
            return names[i].name;
    }
    return "?";
}

static void name_class(const struct trace_line *line, char *name)
{
    uint64_t class;
    char number[20];
    const char *kind = line->kind == TRACE_KIND_unknown ? "entry" : trace_kind_name(line->kind);
    const char *what = name_without_class(line);
    const enum exception_type type = record_type(line);
    if (type == TYPE_IRQ || type == TYPE_FIQ) {
        what = "interrupt";
    } else if (record_class(line, &class)) {
        snprintf(number, sizeof number, "0x%02" PRIx64, class);
        what = strcmp(class_name(class), "?") == 0 ? number : class_name(class);
    }
    if (record_level(line) == 3)
        kind = "to EL3";
    snprintf(name, SUMMARY_NAME, "%s %s", kind, what);
}

/* The last place is for all that are one too many. */
static size_t find_vcpu(struct summary *summary, const struct trace_line *line)
{
    char name[SUMMARY_NAME];
    name_vcpu(line, name);
    for (size_t i = 0; i < summary->nvcpus; i++) {
        if (strcmp(summary->vcpus[i].name, name) == 0)
            return i;
    }
    if (summary->nvcpus == SUMMARY_VCPUS)
        return SUMMARY_VCPUS - 1;
    const bool is_last = summary->nvcpus == SUMMARY_VCPUS - 1;
    strcpy(summary->vcpus[summary->nvcpus].name, is_last ? "all others" : name);
    return summary->nvcpus++;
}

static struct summary_class *find_class(struct summary *summary, const struct trace_line *line)
{
    char name[SUMMARY_NAME];
    name_class(line, name);
    for (size_t i = 0; i < summary->nclasses; i++) {
        if (strcmp(summary->classes[i].name, name) == 0)
            return &summary->classes[i];
    }
    if (summary->nclasses == SUMMARY_CLASSES)
        return &summary->classes[SUMMARY_CLASSES - 1];
    const bool is_last = summary->nclasses == SUMMARY_CLASSES - 1;
    strcpy(summary->classes[summary->nclasses].name, is_last ? "all others" : name);
    return &summary->classes[summary->nclasses++];
}

/* --- pcs ------------------------------------------------------------------------------------- */

static void count_pc(struct summary *summary, const struct step *step)
{
    struct summary_state *state = summary->state;
    size_t at = (size_t)((step->pc >> 2) * UINT64_C(0x9e3779b97f4a7c15) >> 40) % HASH_SIZE;
    for (;; at = (at + 1) % HASH_SIZE) {
        struct summary_pc *pc = &state->pcs[at];
        if (pc->exits == 0 && state->npcs == SUMMARY_PCS) {
            summary->other_pcs++;
            return;
        }
        if (pc->exits == 0) {
            state->npcs++;
            *pc = (struct summary_pc){.pc = step->pc, .class = step->class, .first = step->line};
        }
        if (pc->pc != step->pc || pc->class != step->class)
            continue;
        pc->exits++;
        pc->last = step->line;
        return;
    }
}

size_t summary_top_pcs(const struct summary *summary, size_t count, struct summary_pc *top)
{
    size_t n = 0;
    for (size_t i = 0; i < HASH_SIZE; i++) {
        const struct summary_pc *pc = &summary->state->pcs[i];
        size_t at = n;
        while (at > 0 && (top[at - 1].exits < pc->exits ||
                          (top[at - 1].exits == pc->exits && top[at - 1].first > pc->first)))
            at--;
        if (pc->exits == 0 || at >= count)
            continue;
        n += n < count;
        memmove(&top[at + 1], &top[at], (n - at - 1) * sizeof *top);
        top[at] = *pc;
    }
    return n;
}

/* --- Loops ----------------------------------------------------------------------------------- */

/* Do the two go round the same pcs, wherever they begin? */
static bool is_same_loop(const struct summary_loop *a, const struct summary_loop *b)
{
    if (a->kind != b->kind || a->vcpu != b->vcpu || a->period != b->period)
        return false;
    if (a->period == 0)
        return true;
    for (unsigned shift = 0; shift < a->period; shift++) {
        unsigned i = 0;
        while (i < a->period && a->pcs[i] == b->pcs[(i + shift) % a->period] &&
               a->classes[i] == b->classes[(i + shift) % a->period])
            i++;
        if (i == a->period)
            return true;
    }
    return false;
}

static void sort_loops(struct summary *summary)
{
    for (size_t i = 1; i < summary->nloops; i++) {
        for (size_t j = i; j > 0 && summary_loop_exits(&summary->loops[j - 1]) <
                                        summary_loop_exits(&summary->loops[j]);
             j--) {
            const struct summary_loop loop = summary->loops[j];
            summary->loops[j] = summary->loops[j - 1];
            summary->loops[j - 1] = loop;
        }
    }
}

static void keep_loop(struct summary *summary, const struct summary_loop *loop)
{
    for (size_t i = 0; i < summary->nloops; i++) {
        struct summary_loop *kept = &summary->loops[i];
        if (!is_same_loop(kept, loop))
            continue;
        kept->rounds += loop->rounds;
        kept->times++;
        kept->last = loop->last;
        kept->end = loop->end;
        sort_loops(summary);
        return;
    }
    if (summary->nloops < SUMMARY_LOOPS)
        summary->loops[summary->nloops++] = *loop;
    else if (summary_loop_exits(&summary->loops[SUMMARY_LOOPS - 1]) < summary_loop_exits(loop))
        summary->loops[SUMMARY_LOOPS - 1] = *loop;
    sort_loops(summary);
}

static bool ends_with(const struct summary_class *class, const char *text)
{
    const size_t length = strlen(class->name), wanted = strlen(text);
    return length >= wanted && strcmp(class->name + length - wanted, text) == 0;
}

static bool is_abort_class(const struct summary_class *class)
{
    return ends_with(class, "IABT_LOW") || ends_with(class, "IABT_CUR") ||
           ends_with(class, "DABT_CUR");
}

/* An abort at an address that begins one of the 16 vectors of a table, again and again. */
static enum summary_loop_kind kind_of(const struct summary_loop *loop)
{
    enum { VECTOR = 0x80 };
    bool is_waiting = true;
    for (unsigned i = 0; i < loop->period; i++)
        is_waiting = is_waiting && ends_with(loop->classes[i], "WFx");
    if (is_waiting)
        return SUMMARY_LOOP_WAITS;
    const bool is_vector =
        loop->period == 1 && loop->pcs[0] % VECTOR == 0 && is_abort_class(loop->classes[0]);
    return is_vector ? SUMMARY_LOOP_VECTOR : SUMMARY_LOOP_PCS;
}

static void end_loop(struct summary *summary, size_t vcpu)
{
    struct progress_of *of = &summary->state->vcpus[vcpu];
    const unsigned period = of->period;
    if (period == 0)
        return;
    const struct step *last = &of->ring[(of->count - 1) % RING];
    struct summary_loop loop = {.vcpu = &summary->vcpus[vcpu],
                                .period = period,
                                .rounds = of->same[period] / period + 1,
                                .first = of->begin.line,
                                .last = last->line,
                                .has_time = of->begin.has_time && last->has_time,
                                .begin = of->begin.time,
                                .end = last->time,
                                .times = 1};
    for (unsigned i = 0; i < period; i++) {
        const struct step *step = &of->ring[(of->count - period + i) % RING];
        loop.pcs[i] = step->pc;
        loop.classes[i] = step->class;
    }
    loop.kind = kind_of(&loop);
    of->period = 0;
    keep_loop(summary, &loop);
}

/* The smallest period that has gone round twice, of one pc three times. */
static void find_loop(struct progress_of *of)
{
    for (unsigned p = 1; p <= SUMMARY_PERIOD; p++) {
        const uint64_t wanted = p == 1 ? 2 : p;
        if (of->same[p] < wanted)
            continue;
        of->period = p;
        of->begin = of->ring[(of->count - 1 - wanted - (p == 1 ? 0 : p - 1)) % RING];
        return;
    }
}

static void take_step(struct summary *summary, size_t vcpu, const struct step *step)
{
    struct progress_of *of = &summary->state->vcpus[vcpu];
    const unsigned before = of->period;
    uint64_t same[SUMMARY_PERIOD + 1] = {0};
    for (unsigned p = 1; p <= SUMMARY_PERIOD && p <= of->count; p++) {
        const struct step *other = &of->ring[(of->count - p) % RING];
        if (other->pc == step->pc && other->class == step->class)
            same[p] = of->same[p] + 1;
    }
    if (before > 0 && same[before] == 0)
        end_loop(summary, vcpu);
    memcpy(of->same, same, sizeof same);
    of->ring[of->count++ % RING] = *step;
    if (of->period == 0)
        find_loop(of);
}

/* --- Storms ---------------------------------------------------------------------------------- */

static void end_run(struct summary *summary, size_t vcpu, struct run *run,
                    enum summary_loop_kind kind)
{
    const struct summary_vcpu *of = &summary->vcpus[vcpu];
    const struct summary_loop loop = {.kind = kind,
                                      .vcpu = of,
                                      .rounds = run->length,
                                      .first = run->first.line,
                                      .last = run->last.line,
                                      .has_time = run->first.has_time && run->last.has_time,
                                      .begin = run->first.time,
                                      .end = run->last.time,
                                      .times = 1};
    if (run->length >= STORM_LONG || (run->length >= STORM_MIN && run->length >= of->exits / 2))
        keep_loop(summary, &loop);
    run->length = 0;
}

static void take_run(struct summary *summary, size_t vcpu, struct run *run, bool goes_on,
                     enum summary_loop_kind kind, const struct step *step)
{
    if (!goes_on) {
        end_run(summary, vcpu, run, kind);
        return;
    }
    if (run->length++ == 0)
        run->first = *step;
    run->last = *step;
}

/* --- Aborts without a syndrome --------------------------------------------------------------- */

static bool is_told(const struct trace_line *line)
{
    const struct trace_effect *event = record_event(line, "kvm_userspace_exit");
    return (event && event->event.text && strcmp(event->event.text, "KVM_EXIT_ARM_NISV") == 0) ||
           record_event(line, "kvm_mmio_nisv");
}

static void keep_abort(struct summary *summary, const struct summary_abort *abort)
{
    summary->aborts++;
    summary->told += abort->is_told;
    if (summary->naborts < SUMMARY_ABORTS) {
        summary->shown[summary->naborts++] = *abort;
        return;
    }
    for (size_t i = 0; abort->is_told && i < SUMMARY_ABORTS; i++) {
        if (summary->shown[i].is_told)
            continue;
        memmove(&summary->shown[i], &summary->shown[i + 1],
                (SUMMARY_ABORTS - 1 - i) * sizeof *summary->shown);
        summary->shown[SUMMARY_ABORTS - 1] = *abort;
        return;
    }
}

static void take_abort(struct summary *summary, const struct trace_line *line)
{
    uint64_t esr;
    const bool has_esr = record_syndrome(line, &esr);
    const bool has_no_syndrome =
        ESR_CLASS(esr) == CLASS_DABT_LOW && !ESR_ISV(esr) && !ESR_S1PTW(esr) && !ESR_CM(esr);
    if (has_esr ? !has_no_syndrome : !is_told(line))
        return;
    const uint64_t hpfar = record_get(line, TRACE_REG_hpfar);
    const uint64_t far = record_get(line, TRACE_REG_far);
    keep_abort(summary,
               &(struct summary_abort){.line = line->g0,
                                       .esr = has_esr ? esr : 0,
                                       .has_esr = has_esr,
                                       .has_pc = record_has(line, TRACE_REG_elr),
                                       .pc = record_get(line, TRACE_REG_elr),
                                       .has_ipa = record_has(line, TRACE_REG_hpfar),
                                       .ipa = (hpfar >> 4 & 0xfffffffffff) << 12 | (far & 0xfff),
                                       .is_told = is_told(line)});
}

/* --- Records --------------------------------------------------------------------------------- */

/* kvm_entry: the guest runs. */
static void take_entry(struct summary *summary, size_t vcpu, const struct trace_line *line)
{
    struct progress_of *of = &summary->state->vcpus[vcpu];
    const bool has_time = line->has & TRACE_HAS_TIME;
    if (of->has_exit && has_time && line->time >= of->exit) {
        summary->vcpus[vcpu].host += line->time - of->exit;
        of->class->host += line->time - of->exit;
        summary->has_time = true;
    }
    of->has_exit = false;
    of->has_entry = has_time;
    of->entry = line->time;
}

static void take_times(struct summary *summary, size_t vcpu, const struct step *step)
{
    struct progress_of *of = &summary->state->vcpus[vcpu];
    if (of->has_entry && step->has_time && step->time >= of->entry) {
        summary->vcpus[vcpu].guest += step->time - of->entry;
        summary->has_time = true;
    }
    of->has_entry = false;
    of->has_exit = step->has_time;
    of->exit = step->time;
    of->class = step->class;
}

static void take_exit(struct summary *summary, size_t vcpu, const struct trace_line *line)
{
    struct progress_of *of = &summary->state->vcpus[vcpu];
    const enum exception_type type = record_type(line);
    const bool is_interrupt = type == TYPE_IRQ || type == TYPE_FIQ;
    const struct step step = {.pc = record_get(line, TRACE_REG_elr),
                              .class = find_class(summary, line),
                              .line = line->g0,
                              .has_time = line->has & TRACE_HAS_TIME,
                              .time = line->time};
    summary->exits++;
    summary->vcpus[vcpu].exits++;
    step.class->exits++;
    take_times(summary, vcpu, &step);
    take_run(summary, vcpu, &of->interrupts, is_interrupt, SUMMARY_LOOP_INTERRUPT_STORM, &step);
    take_run(summary, vcpu, &of->waits, ends_with(step.class, "WFx"), SUMMARY_LOOP_WAIT_STORM,
             &step);
    if (!record_has(line, TRACE_REG_elr))
        return;
    count_pc(summary, &step);
    if (!is_interrupt)
        take_step(summary, vcpu, &step);
}

static void forget(struct summary *summary)
{
    for (size_t i = 0; i < summary->nvcpus; i++) {
        struct progress_of *of = &summary->state->vcpus[i];
        end_loop(summary, i);
        end_run(summary, i, &of->interrupts, SUMMARY_LOOP_INTERRUPT_STORM);
        end_run(summary, i, &of->waits, SUMMARY_LOOP_WAIT_STORM);
        memset(of, 0, sizeof *of);
    }
}

void summary_take(struct summary *summary, const struct trace_line *line)
{
    if (record_event(line, "gap"))
        forget(summary);
    if (record_source(line) != SOURCE_NONE) {
        take_exit(summary, find_vcpu(summary, line), line);
        take_abort(summary, line);
    } else if (line->has & TRACE_HAS_TO && line->to == TRACE_TO_guest) {
        take_entry(summary, find_vcpu(summary, line), line);
    }
}

/* Is the loop what the vCPU does, or long by itself? */
static bool is_worth_telling(const struct summary_loop *loop)
{
    return loop->period == 0 || loop->rounds >= ROUNDS_LONG ||
           summary_loop_exits(loop) * SHARE_OF_VCPU >= loop->vcpu->exits;
}

/* A storm of waits at one pc is a loop already. */
static bool is_told_already(const struct summary *summary, size_t n,
                            const struct summary_loop *loop)
{
    for (size_t i = 0; loop->kind == SUMMARY_LOOP_WAIT_STORM && i < n; i++) {
        if (summary->loops[i].kind == SUMMARY_LOOP_WAITS && summary->loops[i].vcpu == loop->vcpu)
            return true;
    }
    return false;
}

void summary_finish(struct summary *summary)
{
    size_t n = 0;
    forget(summary);
    for (size_t i = 0; i < summary->nloops; i++) {
        const struct summary_loop *loop = &summary->loops[i];
        if (is_worth_telling(loop) && !is_told_already(summary, n, loop))
            summary->loops[n++] = *loop;
    }
    summary->nloops = n;
}
