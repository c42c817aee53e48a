/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>

#include "base/json_out.h"
#include "base/text_stream.h"
#include "why/why.h"

/* The answer, for people and as JSON. */

const struct trace_line *why_line(const struct why *why, size_t record)
{
    return &why->records->list[record]->line;
}

static void print_name(const struct trace_line *line, FILE *out)
{
    fputs(trace_kind_name(line->kind), out);
    if (line->kind == TRACE_KIND_host_hvc && line->hvc) {
        fprintf(out, " %s(", line->hvc);
        for (size_t i = 0; i < line->hvc_args.count; i++)
            fprintf(out, "%s0x%" PRIx64, i ? ", " : "", line->hvc_args.values[i]);
        putc(')', out);
    }
    if (line->kind == TRACE_KIND_guest_exit)
        fprintf(out, " of VM %" PRIu64 "'s vCPU %" PRIu64 "%s%s", line->in.values[TRACE_REG_vmid],
                line->in.values[TRACE_REG_vcpuid], line->ec ? ", " : "", line->ec ? line->ec : "");
    if (line->kind == TRACE_KIND_host_npt)
        fprintf(out, ", hpfar 0x%" PRIx64, line->in.values[TRACE_REG_hpfar]);
}

static void print_subject(const struct why *why, FILE *out)
{
    const struct trace_line *line = why_line(why, why->traps[0].record);
    switch (why->kind) {
    case WHY_DIFFERENCE: fputs("what the model does not explain", out); return;
    case WHY_DEVIATION: fprintf(out, "%s shows", why->goal.entry->id); return;
    case WHY_INVARIANT: fprintf(out, "%s is broken", fh_invariant_at(why->invariant)->name); return;
    case WHY_EFFECT: trace_print_effect(&line->fx[why->effect], out); return;
    default: fputs("its course", out); return;
    }
}

/* What a trap wrote that another one read. */
static void print_written(const struct why *why, const struct why_trap *trap, FILE *out)
{
    const struct trace_line *line = why_line(why, trap->record);
    if (trap->effect < line->nfx)
        trace_print_effect(&line->fx[trap->effect], out);
    else if (line->to == TRACE_TO_guest)
        fputs("the vCPU went on", out);
    else
        fputs("the vCPU's registers", out);
}

static int by_record(const void *a, const void *b)
{
    const struct why_trap *one = *(const struct why_trap *const *)a;
    const struct why_trap *other = *(const struct why_trap *const *)b;
    return one->record < other->record ? -1 : one->record > other->record;
}

/* Those of the answer, the nearest if there are too many, as they came. */
static size_t sort(struct why *why, const struct why_trap **list)
{
    size_t count = 0;
    for (size_t i = 1; i < why->ntraps; i++) {
        if (why->is_judged && why->is_found && !why->traps[i].is_necessary)
            continue;
        if (count == why->most)
            why->is_cut = true;
        else
            list[count++] = &why->traps[i];
    }
    if (count > 0)
        qsort(list, count, sizeof *list, by_record);
    return count;
}

void why_print(struct why *why)
{
    const struct why_trap *list[WHY_TRAPS];
    const size_t count = sort(why, list);
    const struct trace_line *last = why_line(why, why->traps[0].record);
    fprintf(why->out, "%s#%" PRIu64 ": ", why->path, last->seq);
    print_name(last, why->out);
    fputs("\n  why: ", why->out);
    print_subject(why, why->out);
    fputc('\n', why->out);
    for (size_t i = 0; i < count; i++) {
        const struct why_trap *reader = &why->traps[list[i]->reader];
        fprintf(why->out, "  #%-7" PRIu64 " ", why_line(why, list[i]->record)->seq);
        print_name(why_line(why, list[i]->record), why->out);
        fprintf(why->out, "\n           wrote for #%" PRIu64 ": ",
                why_line(why, reader->record)->seq);
        print_written(why, list[i], why->out);
        fputc('\n', why->out);
    }
    if (count == 0)
        fputs(why->is_judged && why->is_found ? "  no trap before it is necessary\n"
                                              : "  no trap before it wrote what it read\n",
              why->out);
    if (why->is_cut)
        fprintf(why->out, "  (and more: --most N tells more than %zu)\n", why->most);
    if (why->is_judged && !why->is_found)
        fputs("  it does not come about again in a replay of these traps\n", why->out);
    if (why->is_inevitable && why->inevitable > 0)
        fprintf(why->out, "  inevitable from #%" PRIu64 " on\n",
                why_line(why, why->inevitable)->seq);
    else if (why->is_inevitable)
        fputs("  inevitable from the beginning of the trace on\n", why->out);
}

static void json_print(struct json_out *out, const char *key, const struct why *why,
                       const struct why_trap *trap,
                       void (*print)(const struct why *why, const struct why_trap *trap, FILE *out))
{
    struct text_stream stream;
    print(why, trap, text_stream_begin(&stream));
    text_stream_end(&stream);
    json_text(out, key, stream.text);
    text_stream_free(&stream);
}

static void print_trap_name(const struct why *why, const struct why_trap *trap, FILE *out)
{
    print_name(why_line(why, trap->record), out);
}

static void print_asked(const struct why *why, const struct why_trap *trap, FILE *out)
{
    (void)trap;
    print_subject(why, out);
}

void why_print_json(struct why *why)
{
    const struct why_trap *list[WHY_TRAPS];
    const size_t count = sort(why, list);
    struct json_out out;
    json_out_begin_rows(&out, why->out, 2);
    json_open_object(&out, NULL);
    json_text(&out, "trace", why->path);
    json_number(&out, "seq", why_line(why, why->traps[0].record)->seq);
    json_print(&out, "trap", why, &why->traps[0], print_trap_name);
    json_print(&out, "why", why, &why->traps[0], print_asked);
    json_open_array(&out, "traps");
    for (size_t i = 0; i < count; i++) {
        json_open_object(&out, NULL);
        json_number(&out, "seq", why_line(why, list[i]->record)->seq);
        json_print(&out, "trap", why, list[i], print_trap_name);
        json_print(&out, "wrote", why, list[i], print_written);
        json_number(&out, "for", why_line(why, why->traps[list[i]->reader].record)->seq);
        json_number(&out, "depth", list[i]->depth);
        json_close_object(&out);
    }
    json_close_array(&out);
    json_bool(&out, "more", why->is_cut);
    if (why->is_judged)
        json_bool(&out, "comes_again", why->is_found);
    if (why->is_inevitable)
        json_number(&out, "inevitable_from", why_line(why, why->inevitable)->seq);
    json_close_object(&out);
    json_out_end(&out);
}
