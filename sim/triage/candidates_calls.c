/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include <faulthandler/spec.h>

#include "triage/candidates.h"

/* Rows of calls that a record suggests: another number, arguments elsewhere, another answer. */

enum { ARGUMENTS = 5 };

/* --- Arguments ------------------------------------------------------------------------------- */

/* Registers in the order in which an argument is looked for: its own place, then the others. */
static unsigned nth_register(unsigned place, unsigned nth)
{
    if (nth == 0)
        return place + 1;
    return nth <= place ? nth : nth + 1;
}

/* The register in which an argument stands, of those that are not taken; 0: none. */
static unsigned register_with(const struct trace_line *line, const uint64_t *value, unsigned place,
                              uint32_t taken)
{
    for (unsigned nth = 0; nth < ARGUMENTS; nth++) {
        const unsigned reg = nth_register(place, nth);
        const uint64_t word = line->in.x[reg];
        const bool fits = !value || word == *value || (word & UINT32_MAX) == *value;
        if (fits && !(taken >> reg & 1))
            return reg;
    }
    return 0;
}

/* `value`: what the record says, or NULL. */
static void print_source(const struct trace_line *line, const uint64_t *value, unsigned place,
                         unsigned bits, uint32_t *taken, char *text, size_t size)
{
    unsigned reg = register_with(line, value, place, *taken);
    if (reg == 0)
        reg = register_with(line, value, place, 0);
    if (reg > 0) {
        *taken |= UINT32_C(1) << reg;
        snprintf(text, size, "%c%u", bits == 32 || (value && line->in.x[reg] != *value) ? 'w' : 'x',
                 reg);
    } else if (*value == line->in.values[TRACE_REG_vmid])
        snprintf(text, size, "vmid");
    else
        snprintf(text, size, "%" PRIu64, *value);
}

/* Recorders end short lists with zeros: how many of the words are told for sure. */
static size_t told_surely(const struct trace_list *args)
{
    size_t count = args ? args->count : 0;
    while (count > 0 && args->values[count - 1] == 0)
        count--;
    return count;
}

/* "set_boot_info(w1, x3, x2)", from what the record says the function was given. */
static void print_call(const struct fh_function *function, const struct trace_list *args,
                       const struct trace_line *line, char *text, size_t size)
{
    char word[32];
    size_t length = (size_t)snprintf(text, size, "\"%s(", function->name);
    uint32_t taken = 0;
    const size_t told = told_surely(args);
    for (unsigned i = 0; i < function->nargs && i < ARGUMENTS && length < size; i++) {
        print_source(line, i < told ? &args->values[i] : NULL, i, function->arg_bits[i], &taken,
                     word, sizeof word);
        length += (size_t)snprintf(text + length, size - length, "%s%s", i > 0 ? ", " : "", word);
    }
    snprintf(text + (length < size ? length : size - 1), length < size ? size - length : 1, ")\"");
}

/* --- Functions ------------------------------------------------------------------------------- */

/* The first spec function that the record enters, with its arguments. */
static const struct fh_function *entered(const struct trace_line *line,
                                         const struct trace_list **args)
{
    for (size_t i = 0; i < line->nfx; i++) {
        if (line->fx[i].kind != TRACE_fn)
            continue;
        const struct fh_function *function = twin_function_recorded(line->fx[i].fn.fn);
        *args = &line->fx[i].fn.args;
        if (function)
            return function;
    }
    *args = NULL;
    return NULL;
}

static void to_lower(const char *from, char *text, size_t size)
{
    size_t i = 0;
    for (; from[i] && i + 1 < size; i++)
        text[i] = (char)tolower((unsigned char)from[i]);
    text[i] = '\0';
}

/* "HVC_SET_BOOT_INFO": the function of that name, or the nearest. */
static const struct fh_function *named(const char *name)
{
    enum { MOST = 512 };
    char lower[80];
    const char *names[MOST];
    size_t count = 0;
    to_lower(name, lower, sizeof lower);
    for (; count < MOST && fh_function_at((unsigned)count); count++)
        names[count] = fh_function_at((unsigned)count)->name;
    const char *near = nearest(lower, names, count);
    return near ? fh_function_find(near) : NULL;
}

/* --- Rows ------------------------------------------------------------------------------------ */

/* The name of a row from what records call it: "HVC_X" is X, "?31" is CALL_31. */
static void name_row(const struct trace_line *line, char *name, size_t size)
{
    const char *recorded = line->hvc ? line->hvc : "";
    if (strncmp(recorded, "HVC_", 4) == 0) {
        snprintf(name, size, "%s", recorded + 4);
        return;
    }
    size_t length = 0;
    for (; *recorded && length + 1 < size; recorded++) {
        if (isalnum((unsigned char)*recorded) || *recorded == '_')
            name[length++] = (char)toupper((unsigned char)*recorded);
    }
    name[length] = '\0';
    if (length == 0 || isdigit((unsigned char)name[0]))
        snprintf(name, size, "CALL_%" PRIu64, line->in.x[0]);
}

static const struct fh_abi_call *row_recorded_as(const struct fh_abi *abi, const char *recorded)
{
    for (unsigned i = 0; recorded && i < abi->ncalls; i++) {
        if (strcmp(abi->calls[i].recorded, recorded) == 0)
            return &abi->calls[i];
    }
    return NULL;
}

/* What the record answers in x0; false: nothing. */
static bool answered(const struct trace_line *line, uint64_t *value)
{
    if (!(line->out.x_present & 1) || line->out.x[0] == line->in.x[0])
        return false;
    *value = line->out.x[0];
    return true;
}

static void add_row(struct candidates *candidates, const char *name, const char *recorded,
                    uint64_t number, const char *rest)
{
    char default_name[80];
    snprintf(default_name, sizeof default_name, "HVC_%s", name);
    const bool is_default = strcmp(default_name, recorded) == 0;
    candidate_add(candidates, CANDIDATE_hypercalls, name, "{number: %" PRIu64 "%s%s%s%s}", number,
                  rest, is_default ? "" : ", recorded_as: \"", is_default ? "" : recorded,
                  is_default ? "" : "\"");
}

static void of_unknown(struct candidates *candidates, const struct machine_description *machine,
                       const struct trace_line *line)
{
    char name[64], call[160], rest[240];
    const struct trace_list *args;
    uint64_t answer;
    const char *recorded = line->hvc ? line->hvc : "";
    const struct fh_abi_call *row = row_recorded_as(machine->hypercalls, recorded);
    if (row) {
        candidate_add(candidates, CANDIDATE_hypercalls, row->name, "%" PRIu64, line->in.x[0]);
        return;
    }
    name_row(line, name, sizeof name);
    if (line->to == TRACE_TO_guest) {
        add_row(candidates, name, recorded, line->in.x[0], ", run: [w1, w2], answers: exit");
        return;
    }
    const struct fh_function *function = entered(line, &args);
    if (!function)
        function = named(name);
    if (function) {
        print_call(function, args, line, call, sizeof call);
        snprintf(rest, sizeof rest, ", call: %s", call);
        if (answered(line, &answer)) {
            snprintf(rest, sizeof rest, ", call: %s, answers: result", call);
            add_row(candidates, name, recorded, line->in.x[0], rest);
            snprintf(rest, sizeof rest, ", call: %s, answers: %" PRIu64, call, answer);
        }
        add_row(candidates, name, recorded, line->in.x[0], rest);
    }
    add_row(candidates, name, recorded, line->in.x[0], ", call: panic()");
}

/* The call of a row with its arguments, of which two may have changed places. */
static void print_row_call(const struct fh_abi_call *row, unsigned a, unsigned b, char *text,
                           size_t size)
{
    size_t length =
        (size_t)snprintf(text, size, "\"%s%s(", row->is_own ? "own." : "", row->function);
    for (unsigned i = 0; i < row->narguments && length < size; i++) {
        const struct fh_abi_argument *at = &row->arguments[i];
        const unsigned from = i == a ? b : i == b ? a : i;
        const char *comma = i > 0 ? ", " : "";
        if (at->source == FH_ABI_FROM_register)
            length += (size_t)snprintf(text + length, size - length, "%s%c%u", comma,
                                       at->bits == 32 ? 'w' : 'x', row->arguments[from].reg);
        else
            length += (size_t)snprintf(text + length, size - length, "%s%s", comma,
                                       at->source == FH_ABI_FROM_vmid ? "vmid" : "vcpuid");
    }
    snprintf(text + (length < size ? length : size - 1), length < size ? size - length : 1, ")\"");
}

static void of_arguments(struct candidates *candidates, const struct fh_abi_call *row,
                         const struct trace_line *line)
{
    char call[160];
    const struct trace_list *args;
    const struct fh_function *function = entered(line, &args);
    if (row->kind == FH_ABI_run) {
        for (unsigned reg = 1; reg < ARGUMENTS; reg++)
            candidate_add(candidates, CANDIDATE_hypercalls, row->name, "{run: [w%u, w%u]}", reg,
                          reg + 1);
        candidate_add(candidates, CANDIDATE_hypercalls, row->name, "{run: [w2, w1]}");
        return;
    }
    if (function && row->function && strcmp(function->name, row->function) == 0) {
        print_call(function, args, line, call, sizeof call);
        candidate_add(candidates, CANDIDATE_hypercalls, row->name, "{call: %s}", call);
    }
    for (unsigned a = 0; row->function && a < row->narguments; a++) {
        for (unsigned b = a + 1; b < row->narguments; b++) {
            if (row->arguments[a].source != FH_ABI_FROM_register ||
                row->arguments[b].source != FH_ABI_FROM_register)
                continue;
            print_row_call(row, a, b, call, sizeof call);
            candidate_add(candidates, CANDIDATE_hypercalls, row->name, "{call: %s}", call);
        }
    }
}

static bool is_answer(const struct difference *lead)
{
    const struct trace_effect *effect = lead->machine ? lead->machine : lead->model;
    return effect ? effect->kind == TRACE_host_reg_set
                  : lead->path && lead->path[0] == 'x' && isdigit((unsigned char)lead->path[1]);
}

static void of_answers(struct candidates *candidates, const struct fh_abi_call *row,
                       const struct trace_line *line)
{
    uint64_t value;
    for (unsigned reg = 0; reg <= ARGUMENTS; reg++) {
        if (!(line->out.x_present >> reg & 1))
            continue;
        value = line->out.x[reg];
        candidate_add(candidates, CANDIDATE_hypercalls, row->name, "{answers: {x%u: result}}", reg);
        candidate_add(candidates, CANDIDATE_hypercalls, row->name, "{answers: {x%u: %#" PRIx64 "}}",
                      reg, value);
    }
    candidate_add(candidates, CANDIDATE_hypercalls, row->name, "{answers: none}");
}

static void of_guest_call(struct candidates *candidates, const struct machine_description *machine,
                          const struct trace_line *line)
{
    const struct trace_list *args;
    const struct fh_function *function = entered(line, &args);
    for (size_t i = 0; i < line->nfx && function; i++) {
        const struct fh_function *other =
            line->fx[i].kind == TRACE_fn ? twin_function_recorded(line->fx[i].fn.fn) : NULL;
        for (unsigned row = 0; other && row < machine->guest_calls->ncalls; row++) {
            const struct fh_abi_call *call = &machine->guest_calls->calls[row];
            if (call->function && strcmp(call->function, other->name) == 0 &&
                call->number != line->in.x[0])
                candidate_add(candidates, CANDIDATE_guest_calls, call->name, "%#" PRIx64,
                              line->in.x[0]);
        }
    }
}

void candidates_of_calls(struct candidates *candidates, const struct machine_description *machine,
                         const struct trace_line *line, const struct trap_verdict *verdict)
{
    const struct difference *lead = triage_lead(&verdict->found);
    if (line->kind == TRACE_KIND_guest_exit && machine->guest_calls)
        of_guest_call(candidates, machine, line);
    if (line->kind != TRACE_KIND_host_hvc || !machine->hypercalls)
        return;
    const struct fh_abi_call *row = machine_call(machine->hypercalls, line->in.x[0]);
    if (!row) {
        of_unknown(candidates, machine, line);
        return;
    }
    if (lead->path && strcmp(lead->path, "hvc.name") == 0) {
        of_unknown(candidates, machine, line);
        candidate_add(candidates, CANDIDATE_hypercalls, row->name, "{recorded_as: \"%s\"}",
                      line->hvc ? line->hvc : "");
        return;
    }
    of_arguments(candidates, row, line);
    if (is_answer(lead))
        of_answers(candidates, row, line);
    if (*verdict->panic && row->nchecks > 0)
        candidate_add(candidates, CANDIDATE_hypercalls, row->name, "{checks: []}");
}
