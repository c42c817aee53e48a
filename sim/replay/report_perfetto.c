/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/report_visit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * Chrome's trace-event format: a process for each principal, a thread in it for each CPU, a slice
 * for each trap from its first to its last event, a counter of each principal's pages, an instant
 * for each deviation in a trap. Time is the number of the event, as microseconds; traces stand one
 * after another.
 */

/* Process 0 and thread 0 have a meaning of their own to viewers, so numbers begin above. */
enum { PIDS_PER_TRACE = 100, TIDS_PER_PROCESS = 100, GAP = 1000 };

/* Someone's pages became more, or fewer. */
struct count_at {
    uint64_t time;
    uint8_t owner;
    int64_t by;
};

struct perfetto {
    FILE *out;
    bool is_first;
    char *trace;     /* its name */
    unsigned number; /* of the trace */
    uint64_t origin; /* where the trace begins, on the axis of all */
    uint64_t end;    /* of all that was written */
    uint64_t first;  /* the event that the trace begins with */
    bool has_process[OWNERS];
    bool has_thread[OWNERS][TIDS_PER_PROCESS];
    uint64_t counts[OWNERS]; /* of pages: behind the last trap that came */
    struct count_at *changes;
    size_t nchanges, room;
};

struct perfetto *perfetto_new(FILE *out)
{
    struct perfetto *perfetto = calloc(1, sizeof *perfetto);
    if (!perfetto)
        no_memory();
    perfetto->out = out;
    perfetto->is_first = true;
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", out);
    return perfetto;
}

static void print_counts(struct perfetto *perfetto);

void perfetto_end(struct perfetto *perfetto)
{
    print_counts(perfetto);
    fputs("\n]}\n", perfetto->out);
    free(perfetto->trace);
    free(perfetto->changes);
    free(perfetto);
}

static unsigned pid_of(const struct perfetto *perfetto, uint8_t principal)
{
    return perfetto->number * PIDS_PER_TRACE + principal + 1u;
}

static unsigned tid_of(const struct perfetto *perfetto, uint8_t principal, uint64_t cpu)
{
    return pid_of(perfetto, principal) * TIDS_PER_PROCESS + (unsigned)(cpu % TIDS_PER_PROCESS);
}

/* Events of traces whose numbers fall back stand at the start. */
static uint64_t time_of(const struct perfetto *perfetto, uint64_t g)
{
    return perfetto->origin + (g > perfetto->first ? g - perfetto->first : 0);
}

static void begin_event(struct perfetto *perfetto, const char *phase, uint8_t principal)
{
    fprintf(perfetto->out, "%s\n{\"ph\":\"%s\",\"pid\":%u", perfetto->is_first ? "" : ",", phase,
            pid_of(perfetto, principal));
    perfetto->is_first = false;
}

static void print_member(FILE *out, const char *key, const char *text)
{
    const struct node node = {.kind = NODE_STRING, .text = text, .length = strlen(text)};
    fprintf(out, "\"%s\":", key);
    node_print_json(&node, out);
}

/* --- Names ----------------------------------------------------------------------------------- */

static void name_process(struct perfetto *perfetto, uint8_t principal)
{
    char number[16];
    char name[320];
    if (perfetto->has_process[principal])
        return;
    perfetto->has_process[principal] = true;
    snprintf(name, sizeof name, "%s (%s)", owner_name(principal, number, sizeof number),
             perfetto->trace);
    begin_event(perfetto, "M", principal);
    fputs(",\"name\":\"process_name\",\"args\":{", perfetto->out);
    print_member(perfetto->out, "name", name);
    fputs("}}", perfetto->out);
    begin_event(perfetto, "M", principal);
    fprintf(perfetto->out, ",\"name\":\"process_sort_index\",\"args\":{\"sort_index\":%u}}",
            pid_of(perfetto, principal));
}

static void name_thread(struct perfetto *perfetto, uint8_t principal, uint64_t cpu)
{
    name_process(perfetto, principal);
    if (perfetto->has_thread[principal][cpu % TIDS_PER_PROCESS])
        return;
    perfetto->has_thread[principal][cpu % TIDS_PER_PROCESS] = true;
    begin_event(perfetto, "M", principal);
    fprintf(perfetto->out,
            ",\"tid\":%u,\"name\":\"thread_name\",\"args\":{\"name\":\"CPU %" PRIu64 "\"}}",
            tid_of(perfetto, principal, cpu), cpu);
}

/* --- Events ---------------------------------------------------------------------------------- */

static void print_slice(struct perfetto *perfetto, const struct trap_visit *visit)
{
    char id[320];
    const struct replay_trap *trap = visit->trap;
    const struct trace_line *line = trap->line;
    snprintf(id, sizeof id, "%s#%" PRIu64, trap->file, line->seq);
    begin_event(perfetto, "X", visit->principal);
    fprintf(perfetto->out, ",\"tid\":%u,\"ts\":%" PRIu64 ",\"dur\":%" PRIu64 ",",
            tid_of(perfetto, visit->principal, line->cpu), time_of(perfetto, line->g0),
            visit->end - line->g0);
    print_member(perfetto->out, "name", trap_title(trap));
    fputc(',', perfetto->out);
    print_member(perfetto->out, "cat", trace_kind_name(line->kind));
    fputs(",\"args\":{", perfetto->out);
    print_member(perfetto->out, "trap", id);
    fputc(',', perfetto->out);
    print_member(perfetto->out, "outcome", outcome_name(trap->verdict->outcome));
    fprintf(perfetto->out, ",\"g0\":%" PRIu64 ",\"g1\":%" PRIu64 "}}", line->g0, visit->end);
}

/* --- Counters: with several CPUs traps do not come in the order of time --------------------- */

static void note_count(struct perfetto *perfetto, const struct count_at *change)
{
    if (perfetto->nchanges == perfetto->room) {
        perfetto->room = perfetto->room ? 2 * perfetto->room : 1024;
        void *more = realloc(perfetto->changes, perfetto->room * sizeof *perfetto->changes);
        if (!more)
            no_memory();
        perfetto->changes = more;
    }
    perfetto->changes[perfetto->nchanges++] = *change;
}

static void note_counts(struct perfetto *perfetto, const struct trap_visit *visit)
{
    for (unsigned owner = 0; owner < OWNERS; owner++) {
        const uint64_t count = visit->owners->counts[owner];
        if (count == perfetto->counts[owner])
            continue;
        note_count(perfetto, &(struct count_at){time_of(perfetto, visit->end), (uint8_t)owner,
                                                (int64_t)(count - perfetto->counts[owner])});
        perfetto->counts[owner] = count;
    }
}

static int earlier(const void *left, const void *right)
{
    const struct count_at *a = left, *b = right;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return (int)a->owner - (int)b->owner;
}

/* The counters of the trace that ends. */
static void print_counts(struct perfetto *perfetto)
{
    int64_t counts[OWNERS] = {0};
    if (perfetto->nchanges > 0)
        qsort(perfetto->changes, perfetto->nchanges, sizeof *perfetto->changes, earlier);
    for (size_t i = 0; i < perfetto->nchanges; i++) {
        const struct count_at *change = &perfetto->changes[i];
        counts[change->owner] += change->by;
        name_process(perfetto, change->owner);
        begin_event(perfetto, "C", change->owner);
        fprintf(perfetto->out,
                ",\"name\":\"pages\",\"ts\":%" PRIu64 ",\"args\":{\"owned\":%" PRId64 "}}",
                change->time, counts[change->owner]);
    }
    perfetto->nchanges = 0;
}

/* --- Instants -------------------------------------------------------------------------------- */

static void begin_instant(struct perfetto *perfetto, const struct trap_visit *visit,
                          const char *name, const char *category)
{
    const struct trace_line *line = visit->trap->line;
    begin_event(perfetto, "i", visit->principal);
    fprintf(perfetto->out, ",\"s\":\"t\",\"tid\":%u,\"ts\":%" PRIu64 ",",
            tid_of(perfetto, visit->principal, line->cpu), time_of(perfetto, line->g0));
    print_member(perfetto->out, "name", name);
    fputc(',', perfetto->out);
    print_member(perfetto->out, "cat", category);
    fprintf(perfetto->out, ",\"args\":{\"seq\":%" PRIu64, line->seq);
}

static void print_instant(struct perfetto *perfetto, const struct trap_visit *visit,
                          const struct machine_entry *deviation, size_t differences)
{
    begin_instant(perfetto, visit, deviation ? deviation->id : "unexplained",
                  deviation ? "deviation" : "divergence");
    fprintf(perfetto->out, ",\"differences\":%zu", differences);
    if (deviation) {
        fputc(',', perfetto->out);
        print_member(perfetto->out, "title", deviation->title);
        fputc(',', perfetto->out);
        print_member(perfetto->out, "consequence", machine_harm_name(deviation->harm));
    }
    fputs("}}", perfetto->out);
}

static void print_denied(struct perfetto *perfetto, const struct trap_visit *visit)
{
    char what[32];
    if (!visit->denied)
        return;
    begin_instant(perfetto, visit, "denied", "denied");
    fputc(',', perfetto->out);
    print_member(perfetto->out, "access", denied_how_name(visit->denied->how));
    fputc(',', perfetto->out);
    print_member(perfetto->out, "to", denied_what(visit->denied->owner, what, sizeof what));
    fprintf(perfetto->out, ",\"pfn\":\"0x%" PRIx64 "\"}}", visit->denied->pfn);
}

static void print_broken(struct perfetto *perfetto, const struct trap_visit *visit)
{
    char witness[256];
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (!(visit->trap->broken >> i & 1) || visit->trap->row == ROW_BOOT)
            continue;
        fh_witness_format(fh_invariant_at(i), &visit->trap->violations->witness[i], witness,
                          sizeof witness);
        begin_instant(perfetto, visit, fh_invariant_at(i)->name, "invariant");
        fputc(',', perfetto->out);
        print_member(perfetto->out, "witness", witness);
        fputs("}}", perfetto->out);
    }
}

/* One for each deviation in the trap, and one for all that is unexplained. */
static void print_instants(struct perfetto *perfetto, const struct trap_visit *visit)
{
    unsigned list[CATALOGUE_MAX];
    const struct trap_verdict *verdict = visit->trap->verdict;
    const size_t count = deviations_in(visit->trap, list);
    for (size_t i = 0; i < count; i++)
        print_instant(perfetto, visit, catalogue_at(visit->trap->machine, list[i]),
                      verdict->spec.count);
    if (verdict->found.count > 0)
        print_instant(perfetto, visit, NULL, verdict->found.count);
}

static void begin_trace(struct perfetto *perfetto, const struct trap_visit *visit)
{
    print_counts(perfetto);
    free(perfetto->trace);
    perfetto->trace = strdup(visit->trap->file);
    if (!perfetto->trace)
        no_memory();
    perfetto->number = visit->file;
    perfetto->origin = visit->file == 0 ? 0 : perfetto->end + GAP;
    perfetto->first = visit->trap->line->g0;
    memset(perfetto->has_process, 0, sizeof perfetto->has_process);
    memset(perfetto->has_thread, 0, sizeof perfetto->has_thread);
    memset(perfetto->counts, 0, sizeof perfetto->counts);
}

void perfetto_trap(struct perfetto *perfetto, const struct trap_visit *visit)
{
    if (visit->number == 0)
        begin_trace(perfetto, visit);
    name_thread(perfetto, visit->principal, visit->trap->line->cpu);
    print_slice(perfetto, visit);
    note_counts(perfetto, visit);
    if (visit->trap->verdict->outcome != OUTCOME_NOT_REPLAYED)
        print_instants(perfetto, visit);
    print_denied(perfetto, visit);
    print_broken(perfetto, visit);
    uint64_t end = time_of(perfetto, visit->end);
    perfetto->end = end > perfetto->end ? end : perfetto->end;
}
