/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/reports.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "replay/perfetto_inside.h"
#include "replay/report_words.h"

/*
 * Chrome's trace-event format: a process for each principal, a thread in it for each CPU, a slice
 * for each trap from its first to its last event, a counter of each principal's pages, an instant
 * for each deviation in a trap; inside of slices others for locks and functions, and arrows to a
 * trap from those that wrote what it reads (perfetto_inside.h). Time is the number of the event, as
 * microseconds; traces stand one after another.
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
    const struct replay_report *report;
    struct json_out json;
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
    struct perfetto_flows *flows;
};

static void *begin(const struct replay_report *report, FILE *out)
{
    struct perfetto *perfetto = calloc(1, sizeof *perfetto);
    if (!perfetto)
        no_memory();
    perfetto->report = report;
    perfetto->flows = perfetto_flows_new();
    json_out_begin_rows(&perfetto->json, out, 2);
    json_open_object(&perfetto->json, NULL);
    json_text(&perfetto->json, "displayTimeUnit", "ns");
    json_open_array(&perfetto->json, "traceEvents");
    return perfetto;
}

static void print_counts(struct perfetto *perfetto);

static void end(void *form, const struct replay_report *report)
{
    struct perfetto *perfetto = form;
    (void)report; /* what is written to a file that is given up is lost with it */
    print_counts(perfetto);
    json_close_array(&perfetto->json);
    json_close_object(&perfetto->json);
    json_out_end(&perfetto->json);
    perfetto_flows_free(perfetto->flows);
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

static struct json_out *begin_event(struct perfetto *perfetto, const char *phase, uint8_t principal)
{
    json_open_object(&perfetto->json, NULL);
    json_text(&perfetto->json, "ph", phase);
    json_number(&perfetto->json, "pid", pid_of(perfetto, principal));
    return &perfetto->json;
}

/* --- Names ----------------------------------------------------------------------------------- */

static void name_process(struct perfetto *perfetto, uint8_t principal)
{
    char number[16];
    if (perfetto->has_process[principal])
        return;
    perfetto->has_process[principal] = true;
    struct json_out *json = begin_event(perfetto, "M", principal);
    json_text(json, "name", "process_name");
    json_open_object(json, "args");
    json_format(json, "name", "%s (%s)", owner_name(principal, number, sizeof number),
                perfetto->trace);
    json_close_object(json);
    json_close_object(json);
    begin_event(perfetto, "M", principal);
    json_text(json, "name", "process_sort_index");
    json_open_object(json, "args");
    json_number(json, "sort_index", pid_of(perfetto, principal));
    json_close_object(json);
    json_close_object(json);
}

static void name_thread(struct perfetto *perfetto, uint8_t principal, uint64_t cpu)
{
    name_process(perfetto, principal);
    if (perfetto->has_thread[principal][cpu % TIDS_PER_PROCESS])
        return;
    perfetto->has_thread[principal][cpu % TIDS_PER_PROCESS] = true;
    struct json_out *json = begin_event(perfetto, "M", principal);
    json_number(json, "tid", tid_of(perfetto, principal, cpu));
    json_text(json, "name", "thread_name");
    json_open_object(json, "args");
    json_format(json, "name", "CPU %" PRIu64, cpu);
    json_close_object(json);
    json_close_object(json);
}

/* --- Events ---------------------------------------------------------------------------------- */

static void print_slice(struct perfetto *perfetto, const struct trap_visit *visit)
{
    const struct replay_trap *trap = visit->trap;
    const struct trace_line *line = trap->line;
    struct json_out *json = begin_event(perfetto, "X", visit->principal);
    json_number(json, "tid", tid_of(perfetto, visit->principal, line->cpu));
    json_number(json, "ts", time_of(perfetto, line->g0));
    json_number(json, "dur", visit->end - line->g0);
    json_text(json, "name", trap_title(trap));
    json_text(json, "cat", trace_kind_name(line->kind));
    json_open_object(json, "args");
    json_format(json, "trap", "%s#%" PRIu64, trap->file, line->seq);
    json_text(json, "outcome", outcome_name(trap->verdict->outcome));
    json_number(json, "g0", line->g0);
    json_number(json, "g1", visit->end);
    inputs_put(json, trap);
    json_close_object(json);
    json_close_object(json);
}

static void print_inside(struct perfetto *perfetto, const struct trap_visit *visit)
{
    const struct trace_line *line = visit->trap->line;
    const struct perfetto_slice slice = {
        .json = &perfetto->json,
        .pid = pid_of(perfetto, visit->principal),
        .tid = tid_of(perfetto, visit->principal, line->cpu),
        .trap = visit->trap,
        .origin = perfetto->origin - perfetto->first,
        .begin = time_of(perfetto, line->g0),
        .end = time_of(perfetto, line->g0) + (visit->end - line->g0),
    };
    perfetto_inside(&slice);
    perfetto_flows_trap(perfetto->flows, &slice);
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
        struct json_out *json = begin_event(perfetto, "C", change->owner);
        json_text(json, "name", "pages");
        json_number(json, "ts", change->time);
        json_open_object(json, "args");
        json_signed(json, "owned", counts[change->owner]);
        json_close_object(json);
        json_close_object(json);
    }
    perfetto->nchanges = 0;
}

/* --- Instants -------------------------------------------------------------------------------- */

/* Its arguments are open. */
static struct json_out *begin_instant(struct perfetto *perfetto, const struct trap_visit *visit,
                                      const char *name, const char *category)
{
    const struct trace_line *line = visit->trap->line;
    struct json_out *json = begin_event(perfetto, "i", visit->principal);
    json_text(json, "s", "t");
    json_number(json, "tid", tid_of(perfetto, visit->principal, line->cpu));
    json_number(json, "ts", time_of(perfetto, line->g0));
    json_text(json, "name", name);
    json_text(json, "cat", category);
    json_open_object(json, "args");
    json_number(json, "seq", line->seq);
    return json;
}

static void end_instant(struct json_out *json)
{
    json_close_object(json);
    json_close_object(json);
}

static void print_instant(struct perfetto *perfetto, const struct trap_visit *visit,
                          const struct machine_entry *deviation, size_t differences)
{
    struct json_out *json =
        begin_instant(perfetto, visit, deviation ? deviation->id : "unexplained",
                      deviation ? "deviation" : "divergence");
    json_number(json, "differences", differences);
    if (deviation) {
        json_text(json, "title", deviation->title);
        json_text(json, "consequence", machine_harm_name(deviation->harm));
    }
    end_instant(json);
}

static void print_denied(struct perfetto *perfetto, const struct trap_visit *visit)
{
    char what[32];
    if (!visit->denied)
        return;
    struct json_out *json = begin_instant(perfetto, visit, "denied", "denied");
    json_text(json, "access", denied_how_name(visit->denied->how));
    json_text(json, "to", denied_what(visit->denied->owner, what, sizeof what));
    json_hex(json, "pfn", visit->denied->pfn);
    end_instant(json);
}

static void print_broken(struct perfetto *perfetto, const struct trap_visit *visit)
{
    char witness[256];
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (!(visit->trap->broken >> i & 1) || visit->trap->row == ROW_BOOT)
            continue;
        fh_witness_format(fh_invariant_at(i), &visit->trap->violations->witness[i], witness,
                          sizeof witness);
        struct json_out *json =
            begin_instant(perfetto, visit, fh_invariant_at(i)->name, "invariant");
        json_text(json, "witness", witness);
        end_instant(json);
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
    perfetto_flows_forget(perfetto->flows);
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

static void take(void *form, const struct trap_visit *visit)
{
    struct perfetto *perfetto = form;
    if (visit->number == 0)
        begin_trace(perfetto, visit);
    name_thread(perfetto, visit->principal, visit->trap->line->cpu);
    print_slice(perfetto, visit);
    print_inside(perfetto, visit);
    note_counts(perfetto, visit);
    if (visit->trap->verdict->outcome != OUTCOME_NOT_REPLAYED)
        print_instants(perfetto, visit);
    print_denied(perfetto, visit);
    print_broken(perfetto, visit);
    uint64_t end = time_of(perfetto, visit->end);
    perfetto->end = end > perfetto->end ? end : perfetto->end;
}

static bool wants(const void *form, enum trap_outcome outcome)
{
    enum { COUNTED = 4000 }; /* traps whose differences from the spec are counted */
    const struct perfetto *perfetto = form;
    return outcome != OUTCOME_MATCHED &&
           report_total(perfetto->report, OUTCOME_EXPLAINED) < COUNTED;
}

const struct report_form replay_form_perfetto = {.name = "perfetto",
                                                 .follows_owners = true,
                                                 .begin = begin,
                                                 .wants = wants,
                                                 .trap = take,
                                                 .end = end};
