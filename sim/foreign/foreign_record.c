/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/foreign_record.h"

#include <string.h>

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

const char *record_machine(const struct trace_line *line)
{
    const struct trace_effect *event = record_event(line, "machine");
    return event ? event->event.text : NULL;
}

unsigned record_level(const struct trace_line *line)
{
    return line->vector && strncmp(line->vector, "el3_", 4) == 0 ? 3 : 2;
}
