/* SPDX-License-Identifier: GPL-2.0-only */
#include "twin/compare.h"

#include <inttypes.h>
#include <string.h>

/* A prediction beside a record: registers at entry and at the end, effects, and who goes on. */

/* --- Registers ------------------------------------------------------------------------------- */

#define ENTRY_PATH(key, format) "in." #key,
#define OUT_PATH(key, format) "out." #key,
static const char *const entry_paths[] = {TRACE_REGISTER_MAP(ENTRY_PATH)};
static const char *const out_paths[] = {TRACE_REGISTER_MAP(OUT_PATH)};

/* Of a part of the records, where the machine names none that is not compared. */
static bool is_compared(const struct machine_description *machine, const struct trace_line *line,
                        bool at_exit, unsigned reg)
{
    return machine->nexclusions == 0 ||
           !machine_excludes_register(machine, line->kind, at_exit, (enum trace_register)reg);
}

/* Which bits of a register are compared: those that it has. */
static uint64_t bits_of(unsigned reg)
{
    const uint64_t vector_base = ~UINT64_C(0x7ff);
    return reg == TRACE_REG_vbar_el1 ? vector_base : UINT64_MAX;
}

static void compare_entry(const struct machine_description *machine,
                          const struct prediction *prediction, const struct trace_line *line,
                          struct differences *found)
{
    const struct trace_registers *predicted = &prediction->entry;
    for (unsigned i = 0; i < TRACE_REGISTERS; i++) {
        if ((predicted->present & line->in.present) >> i & 1 &&
            predicted->values[i] != line->in.values[i] && is_compared(machine, line, false, i))
            differ_in(found, entry_paths[i], predicted->values[i], line->in.values[i]);
    }
}

static void compare_exit(const struct machine_description *machine,
                         const struct prediction *prediction, const struct trace_line *line,
                         struct differences *found)
{
    const struct trace_registers *predicted = &prediction->out;
    for (unsigned i = 0; i < TRACE_REGISTERS; i++) {
        const bool has_changed = line->out.present >> i & 1;
        const uint64_t recorded = has_changed ? line->out.values[i] : line->in.values[i];
        if ((predicted->present & (line->in.present | line->out.present)) >> i & 1 &&
            ((predicted->values[i] ^ recorded) & bits_of(i)) != 0 &&
            is_compared(machine, line, true, i))
            differ_in(found, out_paths[i], predicted->values[i], recorded);
    }
}

static void compare_gprs(const struct machine_description *machine,
                         const struct trace_registers *predicted, const struct trace_line *line,
                         struct differences *found)
{
    if (line->out.x_present == 0 && memcmp(predicted->x, line->in.x, sizeof line->in.x) == 0)
        return;
    for (unsigned i = 0; i < TRACE_GPRS; i++) {
        const uint64_t recorded = line->out.x_present >> i & 1 ? line->out.x[i] : line->in.x[i];
        if ((predicted->x_present >> i & 1) && predicted->x[i] != recorded &&
            !machine_excludes_gpr(machine, line->kind, true, i))
            differ_in(found, trace_gpr_name(i), predicted->x[i], recorded);
    }
}

/* --- The end --------------------------------------------------------------------------------- */

static bool is_dead(const struct trace_line *line)
{
    return line->unfinished || line->to == TRACE_TO_el2_panic;
}

static enum trace_end end_of(const struct prediction *prediction)
{
    switch (prediction->end) {
    case PREDICTED_HOST: return TRACE_TO_host;
    case PREDICTED_GUEST: return TRACE_TO_guest;
    default: return TRACE_TO_el2_panic;
    }
}

static void compare_end(const struct prediction *prediction, const struct trace_line *line,
                        struct differences *found)
{
    differ_in(found, line->unfinished ? "unfinished" : "to", end_of(prediction),
              is_dead(line) ? TRACE_TO_el2_panic : line->to);
}

void compare_prediction(const struct machine_description *machine,
                        const struct prediction *prediction, const struct trace_line *line,
                        struct differences *found)
{
    if (prediction->error.status != FH_OK)
        differ(found, &(struct difference){.path = "status"});
    else
        compare_end(prediction, line, found);
    compare_entry(machine, prediction, line, found);
    compare_effects(prediction->effects, prediction->neffects, line->fx, line->nfx, found);
    if (prediction->error.status != FH_OK || is_dead(line))
        return;
    compare_exit(machine, prediction, line, found);
    if (prediction->out.x_present)
        compare_gprs(machine, &prediction->out, line, found);
}

/* --- A record beside itself ------------------------------------------------------------------ */

/* "HVC_VCPU_RUN"; "?31" for a number that has no name. */
static bool has_its_name(const struct machine_description *machine, const struct trace_line *line)
{
    char name[32];
    const struct fh_abi_call *call = machine_call(machine->hypercalls, line->in.x[0]);
    snprintf(name, sizeof name, "?%" PRIu64, line->in.x[0]);
    return strcmp(call ? call->recorded : name, line->hvc) == 0;
}

/* What a record says of the hypercall stands in the registers too. */
static void check_hypercall(const struct machine_description *machine,
                            const struct trace_line *line, struct differences *found)
{
    if (line->kind != TRACE_KIND_host_hvc)
        return;
    differ_in(found, "hvc.num", line->in.x[0], line->hvc_number);
    if (!has_its_name(machine, line))
        differ(found, &(struct difference){.path = "hvc.name"});
    for (unsigned i = 0; i < line->hvc_args.count; i++)
        differ_in(found, "hvc.args", line->in.x[i + 1], line->hvc_args.values[i]);
}

/* So does the class of an exit, by its name. */
static void check_class(const struct trace_line *line, struct differences *found)
{
    enum { CLASS_SHIFT = 26, CLASS_MASK = 63 };
    if (line->kind != TRACE_KIND_guest_exit || !line->ec)
        return;
    const uint64_t class = line->in.values[TRACE_REG_esr] >> CLASS_SHIFT & CLASS_MASK;
    if (strcmp(fh_arm_class_name(class), line->ec) != 0)
        differ(found, &(struct difference){.path = "ec", .model_value = class});
}

/* Events are numbered as they happen: a record whose numbers fall was tampered with. */
static void check_order(const struct trace_line *line, struct differences *found)
{
    uint64_t last = line->g0;
    for (size_t i = 0; i < line->nfx; i++) {
        if (line->fx[i].g <= last)
            differ(found, &(struct difference){.machine = &line->fx[i],
                                               .path = "g",
                                               .model_value = last + 1,
                                               .machine_value = line->fx[i].g});
        last = line->fx[i].g;
    }
    if (!is_dead(line) && line->g1 <= last)
        differ_in(found, "g1", last + 1, line->g1);
}

void compare_with_itself(const struct machine_description *machine, const struct trace_line *line,
                         struct differences *found)
{
    check_hypercall(machine, line, found);
    check_class(line, found);
    check_order(line, found);
}
