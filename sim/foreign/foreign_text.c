/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "foreign/foreign_classes.h"
#include "foreign/foreign_report.h"

/* The report of foreign recordings for people. */

static const char *kind_name(unsigned kind)
{
    return trace_kind_name((enum trace_kind)kind);
}

static void print_registers(const struct trace_registers *registers, const char *what, FILE *out)
{
    bool has_any = false;
    for (unsigned i = 0; i < TRACE_REGISTERS; i++) {
        if (!(registers->present >> i & 1))
            continue;
        fprintf(out, "%s %s 0x%" PRIx64, has_any ? "" : what,
                trace_register_name((enum trace_register)i), registers->values[i]);
        has_any = true;
    }
    if (has_any)
        fputc('\n', out);
}

static void failure(struct foreign_report *report, const struct foreign_file *file,
                    const struct foreign_failure *failed)
{
    FILE *out = report->details;
    const struct trace_line *line = failed->line;
    fprintf(out, "%s#%" PRIu64, file->name, line->seq);
    if (line->has & TRACE_HAS_EVENTS)
        fprintf(out, ", line %" PRIu64, line->g0);
    if (line->has & TRACE_HAS_CPU)
        fprintf(out, ", CPU %" PRIu64, line->cpu);
    fprintf(out, ", %s: %s\n  %s\n  %s\n", line->vector ? line->vector : kind_name(line->kind),
            check_name(failed->check), failed->found, check_holds(failed->check));
    print_registers(&line->in, "  in:", out);
    print_registers(&line->out, "  out:", out);
    for (size_t i = 0; i < line->nfx; i++) {
        if (line->fx[i].kind == TRACE_reg)
            continue;
        fputs("  ", out);
        trace_print_effect(&line->fx[i], out);
        fputc('\n', out);
    }
    fputc('\n', out);
}

/* --- What was read --------------------------------------------------------------------------- */

/* Lines that are not of the format, and events that make no record. */
static void print_rest(const struct import_rest *rest)
{
    for (unsigned i = 0; i < PASSED_OVER_MAX && rest->passed_over[i].what[0]; i++)
        printf("  passed over: %" PRIu64 " %s\n", rest->passed_over[i].count,
               rest->passed_over[i].what);
    if (rest->strange == 0)
        return;
    printf("  passed over: %" PRIu64 " line%s not of this format\n", rest->strange,
           rest->strange == 1 ? " that is" : "s that are");
    for (unsigned i = 0; i < STRANGE_SHOWN && i < rest->strange; i++)
        printf("    line %u: %s\n", rest->shown[i].line, rest->shown[i].text);
    if (rest->strange > STRANGE_SHOWN)
        puts("    ...");
}

static void print_kinds(const struct foreign_file *file)
{
    const char *separator = ": ";
    printf("%s (%s): %" PRIu64 " records", file->name, file->format, file->records);
    for (unsigned i = 0; i <= TRACE_KINDS; i++) {
        if (file->kinds[i] == 0)
            continue;
        printf("%s%" PRIu64 " %s", separator, file->kinds[i], kind_name(i));
        separator = ", ";
    }
    putchar('\n');
    print_rest(&file->rest);
    if (file->is_bad)
        puts("  bad input ended it; this is of what came before");
}

static void print_checks(const struct checker *checker)
{
    printf("\n%-16s %9s %7s %9s\n", "check", "checked", "failed", "open");
    for (unsigned i = 0; i < CHECKS; i++) {
        const struct check_count *count = &checker->counts[i];
        if (count->checked == 0 && !count->open[0].reason)
            continue;
        printf("%-16s %9" PRIu64 " %7" PRIu64, check_name((enum foreign_check)i), count->checked,
               count->failed);
        for (unsigned j = 0; j < REASONS_MAX && count->open[j].reason; j++)
            printf("%*s%9" PRIu64 "  %s%s", j > 0 ? 35 : 1, "", count->open[j].count,
                   count->open[j].reason,
                   j + 1 < REASONS_MAX && count->open[j + 1].reason ? "\n" : "");
        putchar('\n');
    }
}

static void print_exit(const struct exit_count *exit)
{
    if (!exit->is_known) {
        printf("%9" PRIu64 "  %-13s  not known\n", exit->count, "?");
        return;
    }
    printf("%9" PRIu64 "  %-13s  %s%s%s\n", exit->count,
           exit->is_trap ? class_name(exit->class) : "interrupt",
           exit->verdict.handler ? exit->verdict.handler : "",
           exit->verdict.handler ? ", then " : "", exit->verdict.outcome);
}

static void print_exits(const struct foreign_file *file)
{
    if (file->nexits == 0)
        return;
    puts("\nwhat the verified code does with these exits (vm_exit_dispatcher)");
    for (size_t i = 0; i < file->nexits; i++)
        print_exit(&file->exits[i]);
}

/* --- What the recording shows ---------------------------------------------------------------- */

enum { PCS_SHOWN = 10 };

static unsigned per_mille(uint64_t part, uint64_t whole)
{
    return whole ? (unsigned)(part * 1000 / whole) : 0;
}

/* "  12.3%" */
static void print_share(uint64_t part, uint64_t whole)
{
    const unsigned share = per_mille(part, whole);
    printf(" %3u.%u%%", share / 10, share % 10);
}

static double seconds(uint64_t ns)
{
    return (double)ns / 1e9;
}

static void print_vcpus(const struct summary *summary)
{
    printf("\n%-24s %9s  share%s\n", "exits of", "exits",
           summary->has_time ? "   in guest s    in host s" : "");
    for (size_t i = 0; i < summary->nvcpus; i++) {
        const struct summary_vcpu *vcpu = &summary->vcpus[i];
        printf("%-24s %9" PRIu64, vcpu->name, vcpu->exits);
        print_share(vcpu->exits, summary->exits);
        if (summary->has_time)
            printf(" %12.6f %12.6f", seconds(vcpu->guest), seconds(vcpu->host));
        putchar('\n');
    }
}

static int by_exits(const void *left, const void *right)
{
    const struct summary_class *const *a = left, *const *b = right;
    return ((*a)->exits < (*b)->exits) - ((*a)->exits > (*b)->exits);
}

static void print_classes(const struct summary *summary)
{
    const struct summary_class *sorted[SUMMARY_CLASSES];
    for (size_t i = 0; i < summary->nclasses; i++)
        sorted[i] = &summary->classes[i];
    qsort(sorted, summary->nclasses, sizeof *sorted, by_exits);
    printf("\n%-24s %9s  share%s\n", "by class", "exits",
           summary->has_time ? "    in host s       a us" : "");
    for (size_t i = 0; i < summary->nclasses; i++) {
        printf("%-24s %9" PRIu64, sorted[i]->name, sorted[i]->exits);
        print_share(sorted[i]->exits, summary->exits);
        if (summary->has_time)
            printf(" %12.6f %10.1f", seconds(sorted[i]->host),
                   (double)sorted[i]->host / 1e3 / (double)sorted[i]->exits);
        putchar('\n');
    }
}

static void print_pcs(const struct summary *summary)
{
    struct summary_pc top[PCS_SHOWN];
    const size_t count = summary_top_pcs(summary, PCS_SHOWN, top);
    if (count == 0)
        return;
    printf("\n%-18s %-24s %9s  share  lines\n", "by pc", "", "exits");
    for (size_t i = 0; i < count; i++) {
        printf("0x%016" PRIx64 " %-24s %9" PRIu64, top[i].pc, top[i].class->name, top[i].exits);
        print_share(top[i].exits, summary->exits);
        printf("  %" PRIu64 " to %" PRIu64 "\n", top[i].first, top[i].last);
    }
}

/* "a loop of 3 pcs, 12 rounds on vCPU 0, lines 3 to 80, 0.001234 s: 0x..8a6c SYS64, ..." */
static void print_loop(const struct summary_loop *loop)
{
    printf("%s", summary_loop_name(loop->kind));
    if (loop->period == 0)
        printf(": %" PRIu64 " exits in a row", loop->rounds);
    else
        printf(" of %u pc%s, %" PRIu64 " rounds", loop->period, loop->period == 1 ? "" : "s",
               loop->rounds);
    if (loop->times > 1)
        printf(" in %" PRIu64 " times", loop->times);
    printf(" on %s, lines %" PRIu64 " to %" PRIu64, loop->vcpu->name, loop->first, loop->last);
    if (loop->has_time && loop->end >= loop->begin)
        printf(", %.6f s", seconds(loop->end - loop->begin));
    for (unsigned i = 0; i < loop->period; i++)
        printf("%s 0x%" PRIx64 " %s", i == 0 ? ":" : ",", loop->pcs[i], loop->classes[i]->name);
    putchar('\n');
}

static void print_aborts(const struct summary *summary)
{
    if (summary->aborts == 0)
        return;
    printf(
        "\nISV=0: this access cannot be emulated from the syndrome (%" PRIu64
        " data abort%s: of a pair, with writeback, exclusive, ...).\n"
        "Where it is of memory, KVM maps the page and nothing is amiss; where it is of a device, "
        "KVM gives\nit up: KVM_EXIT_ARM_NISV to user space (%" PRIu64
        " here), or an abort to the guest.\n",
        summary->aborts, summary->aborts == 1 ? "" : "s", summary->told);
    for (size_t i = 0; i < summary->naborts; i++) {
        const struct summary_abort *abort = &summary->shown[i];
        printf("  line %" PRIu64 ": %s", abort->line,
               !abort->has_esr     ? "an access"
               : abort->esr & 0x40 ? "a write"
                                   : "a read");
        if (abort->has_ipa)
            printf(" at IPA 0x%" PRIx64, abort->ipa);
        if (abort->has_pc)
            printf(", pc 0x%" PRIx64, abort->pc);
        if (abort->has_esr)
            printf(", ESR_EL2 0x%" PRIx64, abort->esr);
        puts(abort->is_told ? ", KVM_EXIT_ARM_NISV" : "");
    }
    if (summary->aborts > summary->naborts)
        puts("  ...");
}

static void print_summary(const struct summary *summary)
{
    if (summary->exits == 0)
        return;
    print_vcpus(summary);
    print_classes(summary);
    print_pcs(summary);
    if (summary->nloops > 0)
        putchar('\n');
    for (size_t i = 0; i < summary->nloops; i++)
        print_loop(&summary->loops[i]);
    print_aborts(summary);
}

/* --- The report ------------------------------------------------------------------------------ */

static void begin_file(struct foreign_report *report)
{
    report->details = open_memstream(&report->details_text, &report->details_size);
    if (!report->details)
        no_memory();
}

static void end_file(struct foreign_report *report, const struct foreign_file *file)
{
    fclose(report->details);
    if (report->has_begun)
        putchar('\n');
    print_kinds(file);
    print_checks(&file->checker);
    print_summary(file->summary);
    print_exits(file);
    if (report->details_size > 0)
        printf("\n%s", report->details_text);
    free(report->details_text);
    report->details_text = NULL;
    report->has_begun = true;
}

static void end(struct foreign_report *report, uint64_t failed, size_t shown_max)
{
    (void)report;
    if (failed > shown_max)
        printf("%" PRIu64 " failed checks; the first %zu are shown (--show N shows more)\n", failed,
               shown_max);
}

const struct foreign_report foreign_report_text = {
    .begin_file = begin_file, .failure = failure, .end_file = end_file, .end = end};
