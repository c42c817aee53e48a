/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/foreign_checks.h"

#include <stdarg.h>
#include <string.h>

static const struct {
    const char *name;
    const char *holds;
} checks[] = {
#define FOREIGN_ROW(check, holds) {#check, holds},
    FOREIGN_CHECK_MAP(FOREIGN_ROW)
#undef FOREIGN_ROW
};

const char *check_name(enum foreign_check check)
{
    return checks[check].name;
}

const char *check_holds(enum foreign_check check)
{
    return checks[check].holds;
}

void check_that(struct checker *checker, enum foreign_check check, bool holds, const char *format,
                ...)
{
    checker->counts[check].checked++;
    if (holds)
        return;
    checker->counts[check].failed++;
    checker->failed_in_line++;
    char found[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(found, sizeof found, format, arguments);
    va_end(arguments);
    checker->sink(checker->context, checker->line, check, found);
}

void check_open(struct checker *checker, enum foreign_check check, const char *reason)
{
    struct open_reason *open = checker->counts[check].open;
    for (unsigned i = 0; i < REASONS_MAX; i++) {
        if (open[i].reason && strcmp(open[i].reason, reason) != 0)
            continue;
        open[i].reason = reason;
        open[i].count++;
        return;
    }
}

void check_record(struct checker *checker, const struct trace_line *line)
{
    checker->line = line;
    checker->failed_in_line = 0;
    if (record_source(line) != SOURCE_NONE) {
        check_syndrome(checker, line);
        check_entry(checker, line);
        check_stage2(checker, line);
        check_events(checker, line);
    }
    check_sequence(checker, line);
    checker->records_failed += checker->failed_in_line > 0;
}

/* --- Records --------------------------------------------------------------------------------- */

static bool has_part(const char *text, const char *part)
{
    return strstr(text, part);
}

enum exception_source record_source(const struct trace_line *line)
{
    const char *vector = line->vector;
    if (!vector)
        return line->kind == TRACE_KIND_guest_exit ? SOURCE_ANY : SOURCE_NONE;
    if (has_part(vector, "cur_"))
        return SOURCE_EL2;
    return has_part(vector, "lower32") ? SOURCE_LOWER32 : SOURCE_LOWER64;
}

static enum exception_type type_of_exit(const struct trace_line *line)
{
    static const enum exception_type types[] = {TYPE_IRQ, TYPE_SERROR, TYPE_SYNC};
    const bool is_known =
        line->has & TRACE_HAS_EXIT_CODE && line->exit_code < sizeof types / sizeof *types;
    return is_known ? types[line->exit_code] : TYPE_UNKNOWN;
}

enum exception_type record_type(const struct trace_line *line)
{
    const char *vector = line->vector;
    if (!vector)
        return type_of_exit(line);
    if (has_part(vector, "_irq"))
        return TYPE_IRQ;
    if (has_part(vector, "_fiq"))
        return TYPE_FIQ;
    return has_part(vector, "_serror") ? TYPE_SERROR : TYPE_SYNC;
}

bool record_has(const struct trace_line *line, enum trace_register reg)
{
    return line->in.present >> reg & 1;
}

uint64_t record_get(const struct trace_line *line, enum trace_register reg)
{
    return line->in.values[reg];
}

const struct trace_effect *record_event(const struct trace_line *line, const char *name)
{
    for (size_t i = 0; i < line->nfx; i++) {
        const struct trace_effect *effect = &line->fx[i];
        if (effect->kind == TRACE_event && effect->event.event &&
            strcmp(effect->event.event, name) == 0)
            return effect;
    }
    return NULL;
}

bool record_register(const struct trace_line *line, const char *name, uint64_t *value)
{
    for (size_t i = 0; i < line->nfx; i++) {
        const struct trace_effect *effect = &line->fx[i];
        if (effect->kind != TRACE_reg || !effect->reg.reg || strcmp(effect->reg.reg, name) != 0)
            continue;
        *value = effect->reg.val;
        return true;
    }
    return false;
}

bool record_syndrome(const struct trace_line *line, uint64_t *esr)
{
    const enum exception_type type = record_type(line);
    *esr = record_get(line, TRACE_REG_esr);
    return record_has(line, TRACE_REG_esr) && (type == TYPE_SYNC || type == TYPE_SERROR);
}

/* KVM's event tells the class alone, and of an interrupt a 0 that means nothing. */
bool record_class(const struct trace_line *line, uint64_t *class)
{
    uint64_t esr;
    const struct trace_effect *event = record_event(line, "kvm_exit");
    if (event && event->event.args.count >= 2 && record_type(line) == TYPE_SYNC) {
        *class = event->event.args.values[1];
        return true;
    }
    const bool is_known = record_syndrome(line, &esr);
    *class = ESR_CLASS(esr);
    return is_known;
}

bool is_lower_abort(uint64_t class)
{
    return class == CLASS_IABT_LOW || class == CLASS_DABT_LOW;
}
