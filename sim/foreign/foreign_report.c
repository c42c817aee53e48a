/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <string.h>

#include "base/diag.h"
#include "trace/trace_write.h"
#include "foreign/foreign.h"

/* --- Text ------------------------------------------------------------------------------------ */

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

static void print_failure_text(const struct foreign_file *file, const struct trace_line *line,
                               enum foreign_check check, const char *found, FILE *out)
{
    fprintf(out, "%s#%" PRIu64, file->name, line->seq);
    if (line->has & TRACE_HAS_EVENTS)
        fprintf(out, ", line %" PRIu64, line->g0);
    if (line->has & TRACE_HAS_CPU)
        fprintf(out, ", CPU %" PRIu64, line->cpu);
    fprintf(out, ", %s: %s\n  %s\n  %s\n", line->vector ? line->vector : kind_name(line->kind),
            check_name(check), found, check_holds(check));
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
    for (unsigned i = 0; i < PASSED_OVER_MAX && file->passed_over[i].what; i++)
        printf("  passed over: %" PRIu64 " %s\n", file->passed_over[i].count,
               file->passed_over[i].what);
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

static void print_text(const struct foreign *foreign, const struct foreign_file *file)
{
    if (foreign->has_begun)
        putchar('\n');
    print_kinds(file);
    print_checks(&file->checker);
    print_exits(file);
    if (foreign->details_size > 0)
        printf("\n%s", foreign->details_text);
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void json_text(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else
            fprintf(out, c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    fputc('"', out);
}

static void print_failure_json(const struct foreign *foreign, const struct trace_line *line,
                               enum foreign_check check, const char *found, FILE *out)
{
    fputs(ftell(out) > 0 ? "," : "", out);
    fprintf(out, "{\"trap\":");
    char trap[300];
    snprintf(trap, sizeof trap, "%s#%" PRIu64, foreign->file->name, line->seq);
    json_text(trap, out);
    if (line->has & TRACE_HAS_EVENTS)
        fprintf(out, ",\"line\":%" PRIu64, line->g0);
    fprintf(out, ",\"check\":\"%s\",\"found\":", check_name(check));
    json_text(found, out);
    fputs(",\"record\":", out);
    trace_write(line, out);
    fputc('}', out);
}

static void json_check(const struct check_count *count, FILE *out)
{
    const char *separator = "";
    fprintf(out, "{\"checked\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"open\":{", count->checked,
            count->failed);
    for (unsigned i = 0; i < REASONS_MAX && count->open[i].reason; i++) {
        fputs(separator, out);
        json_text(count->open[i].reason, out);
        fprintf(out, ":%" PRIu64, count->open[i].count);
        separator = ",";
    }
    fputs("}}", out);
}

static void json_exits(const struct foreign_file *file, FILE *out)
{
    fputs(",\"exits\":[", out);
    for (size_t i = 0; i < file->nexits; i++) {
        const struct exit_count *exit = &file->exits[i];
        fprintf(out, "%s{\"count\":%" PRIu64, i > 0 ? "," : "", exit->count);
        if (exit->is_known)
            fprintf(out, ",\"class\":\"%s\",\"handler\":\"%s\",\"outcome\":\"%s\"",
                    exit->is_trap ? class_name(exit->class) : "interrupt",
                    exit->verdict.handler ? exit->verdict.handler : "", exit->verdict.outcome);
        fputc('}', out);
    }
    fputc(']', out);
}

static void json_counts(const struct foreign_file *file, FILE *out)
{
    const char *separator = "";
    fprintf(out, ",\"records\":%" PRIu64 ",\"kinds\":{", file->records);
    for (unsigned i = 0; i <= TRACE_KINDS; i++) {
        if (file->kinds[i] == 0)
            continue;
        fprintf(out, "%s\"%s\":%" PRIu64, separator, kind_name(i), file->kinds[i]);
        separator = ",";
    }
    fputs("},\"passed_over\":{", out);
    for (unsigned i = 0; i < PASSED_OVER_MAX && file->passed_over[i].what; i++)
        fprintf(out, "%s\"%s\":%" PRIu64, i > 0 ? "," : "", file->passed_over[i].what,
                file->passed_over[i].count);
    fputs("},\"checks\":{", out);
    for (unsigned i = 0; i < CHECKS; i++) {
        fprintf(out, "%s\"%s\":", i > 0 ? "," : "", check_name((enum foreign_check)i));
        json_check(&file->checker.counts[i], out);
    }
    fputc('}', out);
}

static void print_json(const struct foreign *foreign, const struct foreign_file *file)
{
    fputs(foreign->has_begun ? "," : "{\"foreign\":[", stdout);
    fputs("{\"file\":", stdout);
    json_text(file->name, stdout);
    printf(",\"format\":\"%s\"", file->format);
    json_counts(file, stdout);
    json_exits(file, stdout);
    printf(",\"bad_input\":%s,\"divergences\":[%.*s]}", file->is_bad ? "true" : "false",
           (int)foreign->details_size, foreign->details_text);
}

/* --- Both ------------------------------------------------------------------------------------ */

void foreign_print_failure(struct foreign *foreign, const struct trace_line *line,
                           enum foreign_check check, const char *found)
{
    if (foreign->json)
        print_failure_json(foreign, line, check, found, foreign->details);
    else
        print_failure_text(foreign->file, line, check, found, foreign->details);
}

void foreign_print(struct foreign *foreign, const struct foreign_file *file)
{
    (foreign->json ? print_json : print_text)(foreign, file);
    foreign->has_begun = true;
}

int foreign_end(struct foreign *foreign)
{
    if (foreign->json && foreign->has_begun)
        printf("],\"failed\":%" PRIu64 "}\n", foreign->failed);
    else if (foreign->failed > foreign->shown_max)
        printf("%" PRIu64 " failed checks; the first %zu are shown (--show N shows more)\n",
               foreign->failed, foreign->shown_max);
    if (foreign->bad_input)
        return EXIT_BAD_INPUT;
    return foreign->failed > 0 ? EXIT_DIFFERENT : EXIT_EXPECTED;
}
