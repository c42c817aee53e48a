/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "convert/import.h"

/*
 * The log of QEMU's `-d int` for AArch64. An exception is several lines:
 *
 *     Taking exception 4 [Data Abort] on CPU 1
 *     ...from EL1 to EL2
 *     ...with ESR 0x24/0x93c38007
 *     ...with FAR 0x40001020
 *     ...with ELR 0x40000008
 *     ...to EL2 PC 0xc30900ef8c00 PSTATE 0x3c9
 *
 * and its end one, which does not name the CPU:
 *
 *     Exception return from AArch64 EL2 to AArch64 EL1 PC 0xffff800008cda2e4
 *
 * Before version 7.0 no line names a CPU; with 8.1 came MFAR (of granule protection), with 9 SPSR.
 * An exception to AArch32 has neither ELR nor the last line. The guest's serial console may stand
 * in the same file, and so may the lines of other -d items.
 */

enum { CPUS_MAX = 4096, CANDIDATES_MAX = TRACE_LIST_MAX, NAME_SIZE = 48, VECTOR_SIZE = 32 };
enum { EC_SHIFT = 26, EC_MASK = 63, EC_HVC64 = 0x16, EC_IABT_LOW = 0x20, EC_DABT_LOW = 0x24 };

/* The lines of an exception so far; bits of `has`. */
enum { HAS_FROM = 1, HAS_ESR = 2, HAS_FAR = 4, HAS_ELR = 8, HAS_SPSR = 16 };
struct exception {
    bool is_open;
    bool has_cpu;
    unsigned has;
    unsigned line;
    uint64_t number, cpu, from, to, ec, esr, far, elr, spsr;
    char name[NAME_SIZE];
};

/* A line, as it was parsed. */
struct qemu_line {
    enum {
        LINE_EMPTY,
        LINE_HEAD,
        LINE_FROM,
        LINE_ESR,
        LINE_FAR,
        LINE_ELR,
        LINE_SPSR,
        LINE_OTHER_WITH,
        LINE_TO,
        LINE_HANDLED,
        LINE_RETURN,
        LINE_ILLEGAL_RETURN,
    } is;
    struct word name;
    bool has_cpu;
    uint64_t number, cpu; /* of the head */
    uint64_t from, to;    /* levels */
    uint64_t ec;
    uint64_t value; /* of a register, the pc, ... */
    uint64_t pstate;
};

/* A CPU, and the record of its stay at EL2 if it is there. */
struct cpu {
    bool is_inside;
    struct trace_line line;
    struct effect_list *effects;
};

/*
 * Returns from EL2 of which it is not yet known whose they are: `returned` of the CPUs inside are
 * out, to some of the candidates.
 */
struct qemu_log {
    struct import *import;
    struct qemu_line parsed;
    struct exception exception;
    bool is_aarch64; /* as the machine's exceptions show */
    bool is_torn;    /* lines that begin with ... belong to nobody */
    struct cpu *cpus;
    size_t ncpus;
    size_t inside;
    size_t returned;
    struct trace_list candidates;
    uint64_t last_return; /* its line */
};

/* --- Records --------------------------------------------------------------------------------- */

static void emit(struct qemu_log *log, struct cpu *cpu)
{
    line_set_effects(&cpu->line, cpu->effects);
    import_emit(log->import, &cpu->line);
    cpu->is_inside = false;
    log->inside--;
}

static void emit_returned(struct qemu_log *log, struct cpu *cpu, uint64_t pc, uint64_t line)
{
    cpu->line.has |= TRACE_HAS_OUT;
    cpu->line.g1 = line;
    registers_set(&cpu->line.out, TRACE_REG_elr, pc);
    emit(log, cpu);
}

static bool are_equal(const struct trace_list *list)
{
    for (size_t i = 1; i < list->count; i++) {
        if (list->values[i] != list->values[0])
            return false;
    }
    return true;
}

/* The CPU is out; where to, the candidates say, if they say the same. */
static void settle(struct qemu_log *log, struct cpu *cpu)
{
    if (are_equal(&log->candidates)) {
        emit_returned(log, cpu, log->candidates.values[0], log->last_return);
    } else {
        cpu->line.g1 = log->last_return;
        effect_event(cpu->effects, "returned", "one of several CPUs, to one of these",
                     log->last_return)
            ->event.args = log->candidates;
        emit(log, cpu);
    }
    if (--log->returned == 0)
        log->candidates.count = 0;
}

/* A CPU takes an exception from below EL2: what it was in before has ended. */
static void leave(struct qemu_log *log, struct cpu *cpu)
{
    if (!cpu->is_inside)
        return;
    if (log->returned > 0)
        settle(log, cpu);
    else
        emit(log, cpu);
}

/* In the order in which they began. */
static struct cpu *first_inside(const struct qemu_log *log)
{
    struct cpu *first = NULL;
    for (size_t i = 0; i < log->ncpus; i++) {
        struct cpu *cpu = &log->cpus[i];
        if (cpu->is_inside && (!first || cpu->line.seq < first->line.seq))
            first = cpu;
    }
    return first;
}

static void emit_all(struct qemu_log *log)
{
    while (log->inside > 0)
        emit(log, first_inside(log));
    log->returned = 0;
    log->candidates.count = 0;
}

/* A record without an exception: the end of a stay whose beginning is not there. */
static void emit_end(struct qemu_log *log, uint64_t pc)
{
    struct trace_line line;
    import_begin(log->import, &line);
    line.has |= TRACE_HAS_OUT;
    registers_set(&line.out, TRACE_REG_elr, pc);
    import_emit(log->import, &line);
}

/*
 * Lines of two exceptions stand in one another, or some are missing; they say no longer whose they
 * are.
 */
static bool tear(struct qemu_log *log, const char *why)
{
    if (!log->is_torn) {
        emit_all(log);
        import_gap(log->import, why, NULL, 0);
        import_pass_over(log->import, "exceptions whose lines are torn");
    }
    log->is_torn = true;
    log->exception.is_open = false;
    return true;
}

/* --- An exception ---------------------------------------------------------------------------- */

/* `number` is less than CPUS_MAX; a log that names no CPU is of number 0. */
static struct cpu *find_cpu(struct qemu_log *log, uint64_t number)
{
    if (number >= log->ncpus) {
        const size_t count = (size_t)number + 1;
        log->cpus = realloc(log->cpus, count * sizeof *log->cpus);
        if (!log->cpus)
            no_memory();
        memset(log->cpus + log->ncpus, 0, (count - log->ncpus) * sizeof *log->cpus);
        log->ncpus = count;
    }
    return &log->cpus[number];
}

static uint64_t class_of(const struct exception *exception)
{
    return exception->esr >> EC_SHIFT & EC_MASK;
}

/* What the interrupted context and the syndrome say; an interrupt has no syndrome. */
static void set_kind(struct trace_line *line, enum vector_table table, uint64_t pc,
                     const struct exception *exception)
{
    static const uint64_t exit_codes[] = {[SLOT_SYNC] = 2, [SLOT_IRQ] = 0, [SLOT_SERROR] = 1};
    const enum vector_slot slot = vector_slot(pc);
    const uint64_t ec = class_of(exception);
    if (vector_is_of_el2(pc)) {
        line->kind = TRACE_KIND_el2_exception;
    } else if (table == VECTORS_GUEST) {
        line->kind = TRACE_KIND_guest_exit;
        if (slot == SLOT_FIQ)
            return;
        line->has |= TRACE_HAS_EXIT_CODE;
        line->exit_code = exit_codes[slot];
    } else if (vector_is_of_host(table) && slot == SLOT_SYNC && exception->has & HAS_ESR) {
        if (ec == EC_HVC64)
            line->kind = TRACE_KIND_host_hvc;
        else if (ec == EC_IABT_LOW || ec == EC_DABT_LOW)
            line->kind = TRACE_KIND_host_npt;
    }
}

static void set_registers(struct trace_line *line, const struct exception *exception, uint64_t pc)
{
    const enum vector_slot slot = vector_slot(pc);
    const bool has_syndrome = slot == SLOT_SYNC || slot == SLOT_SERROR;
    if (has_syndrome && exception->has & HAS_ESR)
        registers_set(&line->in, TRACE_REG_esr, exception->esr);
    if (exception->has & HAS_FAR)
        registers_set(&line->in, TRACE_REG_far, exception->far);
    if (exception->has & HAS_ELR)
        registers_set(&line->in, TRACE_REG_elr, exception->elr);
    if (exception->has & HAS_SPSR)
        registers_set(&line->in, TRACE_REG_spsr, exception->spsr);
}

/* QEMU's own words: the exception's name; its number, the levels, the class it printed. */
static void add_effects(struct effect_list *effects, const struct exception *exception, bool has_ec,
                        uint64_t pstate)
{
    const struct word name = {exception->name, strlen(exception->name)};
    struct trace_effect *effect =
        effect_event(effects, "exception", effect_text(effects, name), exception->line);
    effect->event.args = (struct trace_list){
        has_ec ? 4 : 3, {exception->number, exception->from, exception->to, exception->ec}};
    effect_new(effects, TRACE_reg, EFFECT_ALL(reg), exception->line)->reg =
        (struct trace_reg){"PSTATE", pstate};
}

/* Of a level that is not EL2, or of AArch32, in front of the vector's slot. */
static const char *other_vector(struct effect_list *effects, const char *level, const char *slot)
{
    char name[VECTOR_SIZE];
    const int length = snprintf(name, sizeof name, "%s_%s", level, slot);
    return effect_text(effects, (struct word){name, (size_t)length});
}

static void begin_record(struct qemu_log *log, struct cpu *cpu)
{
    const struct exception *exception = &log->exception;
    struct trace_line *line = &cpu->line;
    import_begin(log->import, line);
    line->g0 = exception->line;
    line->cpu = exception->cpu;
    line->has |= exception->has_cpu ? TRACE_HAS_CPU : 0;
    if (!cpu->effects)
        cpu->effects = effect_list_new();
    effect_list_clear(cpu->effects);
}

static void begin_stay(struct qemu_log *log, struct cpu *cpu, uint64_t pc, uint64_t pstate)
{
    const struct exception *exception = &log->exception;
    const enum vector_table table = symbols_table(log->import->symbols, pc);
    struct trace_line *line = &cpu->line;
    begin_record(log, cpu);
    line->vector = vector_name(table, pc);
    set_kind(line, table, pc, exception);
    set_registers(line, exception, pc);
    add_effects(cpu->effects, exception, line->in.present >> TRACE_REG_esr & 1, pstate);
    cpu->is_inside = true;
    log->inside++;
}

/* An exception inside EL2 does not end what the CPU is in. */
static void emit_nested(struct qemu_log *log, uint64_t pc, uint64_t pstate)
{
    struct cpu nested = {.effects = effect_list_new()};
    begin_stay(log, &nested, pc, pstate);
    emit(log, &nested);
    effect_list_free(nested.effects);
}

/* EL3 is no hypervisor, but its syndromes are of the same form. */
static void emit_monitor(struct qemu_log *log, uint64_t pc, uint64_t pstate)
{
    struct cpu monitor = {.effects = effect_list_new()};
    begin_record(log, &monitor);
    monitor.line.vector = other_vector(monitor.effects, "el3", vector_name(VECTORS_UNKNOWN, pc));
    set_registers(&monitor.line, &log->exception, pc);
    add_effects(monitor.effects, &log->exception, monitor.line.in.present >> TRACE_REG_esr & 1,
                pstate);
    line_set_effects(&monitor.line, monitor.effects);
    import_emit(log->import, &monitor.line);
    effect_list_free(monitor.effects);
}

/* The Hyp mode of AArch32: no vector and no end is logged. */
static void emit_hyp32(struct qemu_log *log)
{
    struct cpu hyp = {.effects = effect_list_new()};
    const struct exception *exception = &log->exception;
    const bool is_irq = strcmp(exception->name, "IRQ") == 0;
    const bool is_fiq = strcmp(exception->name, "FIQ") == 0;
    begin_record(log, &hyp);
    hyp.line.vector =
        other_vector(hyp.effects, exception->from == 2 ? "hyp32_cur" : "hyp32_lower32",
                     is_irq   ? "irq"
                     : is_fiq ? "fiq"
                              : "sync");
    if (!is_irq && !is_fiq && exception->has & HAS_ESR)
        registers_set(&hyp.line.in, TRACE_REG_esr, exception->esr);
    const struct word name = {exception->name, strlen(exception->name)};
    effect_event(hyp.effects, "exception", effect_text(hyp.effects, name), exception->line)
        ->event.args =
        (struct trace_list){hyp.line.in.present ? 4 : 3,
                            {exception->number, exception->from, exception->to, exception->ec}};
    line_set_effects(&hyp.line, hyp.effects);
    import_emit(log->import, &hyp.line);
    effect_list_free(hyp.effects);
}

static void finish(struct qemu_log *log, uint64_t pc, uint64_t pstate)
{
    struct exception *exception = &log->exception;
    struct cpu *cpu = find_cpu(log, exception->cpu);
    exception->is_open = false;
    log->is_aarch64 = true;
    if (exception->from < 2)
        leave(log, cpu);
    if (exception->to == 3)
        emit_monitor(log, pc, pstate);
    else if (exception->to != 2)
        import_pass_over(log->import, "exceptions to EL1");
    else if (exception->from == 2)
        emit_nested(log, pc, pstate);
    else
        begin_stay(log, cpu, pc, pstate);
}

/* --- What lines say -------------------------------------------------------------------------- */

/*
 * The lines of an exception end without the last one: it went to AArch32, or some are missing.
 * False if the latter, and then what follows may be of either.
 */
static bool end_open(struct qemu_log *log)
{
    struct exception *exception = &log->exception;
    if (!exception->is_open)
        return true;
    const bool is_whole = exception->has & HAS_FROM && !(exception->has & HAS_ELR);
    exception->is_open = false;
    if (!is_whole || (exception->to == 2 && log->is_aarch64)) {
        tear(log, "lines of several CPUs in one another");
        return false;
    }
    if (exception->to == 2)
        emit_hyp32(log);
    else
        import_pass_over(log->import, "exceptions to EL1");
    return true;
}

static bool take_head(struct qemu_log *log, const struct qemu_line *line)
{
    struct exception *exception = &log->exception;
    if (!end_open(log))
        return true;
    log->is_torn = false;
    *exception = (struct exception){.is_open = true,
                                    .has_cpu = line->has_cpu,
                                    .line = (unsigned)import_line_number(log->import),
                                    .number = line->number,
                                    .cpu = line->cpu};
    if (line->name.length < NAME_SIZE)
        memcpy(exception->name, line->name.text, line->name.length);
    return true;
}

/* A register of the exception, if there was none before. */
static bool take_register(struct qemu_log *log, unsigned has, uint64_t *place, uint64_t value)
{
    if (log->exception.has & has)
        return tear(log, "lines of several CPUs in one another");
    log->exception.has |= has;
    *place = value;
    return true;
}

static bool take_part(struct qemu_log *log, const struct qemu_line *line)
{
    struct exception *exception = &log->exception;
    if (log->is_torn)
        return true;
    if (!exception->is_open)
        return tear(log, "lines of an exception without its head");
    if (line->is != LINE_FROM && !(exception->has & HAS_FROM))
        return tear(log, "lines of several CPUs in one another");
    switch (line->is) {
    case LINE_FROM:
        exception->to = line->to;
        return take_register(log, HAS_FROM, &exception->from, line->from);
    case LINE_ESR:
        exception->ec = line->ec;
        return take_register(log, HAS_ESR, &exception->esr, line->value);
    case LINE_FAR: return take_register(log, HAS_FAR, &exception->far, line->value);
    case LINE_ELR: return take_register(log, HAS_ELR, &exception->elr, line->value);
    case LINE_SPSR: return take_register(log, HAS_SPSR, &exception->spsr, line->value);
    case LINE_HANDLED:
        exception->is_open = false;
        import_pass_over(log->import, "calls that QEMU answered");
        return true;
    case LINE_TO:
        if (line->to != exception->to)
            return tear(log, "lines of several CPUs in one another");
        finish(log, line->value, line->pstate);
        return true;
    default: return true;
    }
}

static bool take_return(struct qemu_log *log, const struct qemu_line *line)
{
    log->is_aarch64 = true;
    if (line->from != 2 || line->to == 2) {
        import_pass_over(log->import,
                         line->from == 2 ? "returns inside EL2" : "returns from EL1 or EL3");
        return true;
    }
    if (log->inside == 0) {
        emit_end(log, line->value);
        return true;
    }
    log->last_return = import_line_number(log->import);
    log->returned++;
    if (log->candidates.count < CANDIDATES_MAX)
        log->candidates.values[log->candidates.count++] = line->value;
    while (log->returned == log->inside && log->inside > 0)
        settle(log, first_inside(log));
    return true;
}

static bool act(void *state)
{
    struct qemu_log *log = state;
    const struct qemu_line *line = &log->parsed;
    switch (line->is) {
    case LINE_EMPTY: return true;
    case LINE_HEAD: return take_head(log, line);
    case LINE_RETURN: return take_return(log, line);
    case LINE_ILLEGAL_RETURN:
        import_pass_over(log->import, "illegal exception returns");
        return true;
    default: return take_part(log, line);
    }
}

static void tear_line(void *state)
{
    tear(state, "a line that is not whole");
}

/* --- Lines ----------------------------------------------------------------------------------- */

static bool want(struct qemu_log *log, const struct scan *scan, const char *wanted)
{
    return import_torn(log->import, scan->at, "expected %s", wanted);
}

/* "Taking exception 4 [Data Abort] on CPU 1" */
static bool parse_head(struct qemu_log *log, struct scan *scan)
{
    struct qemu_line *line = &log->parsed;
    line->is = LINE_HEAD;
    if (!scan_number(scan, &line->number) || !scan_text(scan, " [") ||
        !scan_word(scan, "]", &line->name) || !scan_text(scan, "]"))
        return want(log, scan, "\"Taking exception N [NAME] on CPU N\"");
    line->has_cpu = scan_text(scan, " on CPU ");
    if (line->has_cpu && (!scan_number(scan, &line->cpu) || line->cpu >= CPUS_MAX))
        return want(log, scan, "the number of a CPU");
    return scan_is_at_end(scan) || want(log, scan, "the end of the line");
}

/* "ESR 0x24/0x93c38007", "FAR 0x40001020", "IFSR 0x5 IFAR 0x0": behind "...with " */
static bool parse_with(struct qemu_log *log, struct scan *scan)
{
    struct qemu_line *line = &log->parsed;
    struct word name;
    if (!scan_word(scan, " ", &name) || !scan_text(scan, " 0x"))
        return want(log, scan, "a register and its value");
    if (word_is(name, "ESR")) {
        line->is = LINE_ESR;
        if (!scan_hex(scan, &line->ec) || !scan_text(scan, "/0x"))
            return want(log, scan, "\"EC/ESR\"");
    } else {
        line->is = word_is(name, "FAR")    ? LINE_FAR
                   : word_is(name, "ELR")  ? LINE_ELR
                   : word_is(name, "SPSR") ? LINE_SPSR
                                           : LINE_OTHER_WITH;
    }
    if (!scan_hex(scan, &line->value))
        return want(log, scan, "a hexadecimal number");
    return line->is == LINE_OTHER_WITH || scan_is_at_end(scan) ||
           want(log, scan, "the end of the line");
}

/* "EL2 PC 0xc30900ef8c00 PSTATE 0x3c9": behind "...to " */
static bool parse_to(struct qemu_log *log, struct scan *scan)
{
    struct qemu_line *line = &log->parsed;
    line->is = LINE_TO;
    return (scan_text(scan, "EL") && scan_number(scan, &line->to) && scan_text(scan, " PC 0x") &&
            scan_hex(scan, &line->value) && scan_text(scan, " PSTATE 0x") &&
            scan_hex(scan, &line->pstate) && scan_is_at_end(scan)) ||
           want(log, scan, "\"...to ELn PC 0x... PSTATE 0x...\"");
}

static bool parse_part(struct qemu_log *log, struct scan *scan)
{
    struct qemu_line *line = &log->parsed;
    if (scan_text(scan, "from EL")) {
        line->is = LINE_FROM;
        return (scan_number(scan, &line->from) && scan_text(scan, " to EL") &&
                scan_number(scan, &line->to) && scan_is_at_end(scan)) ||
               want(log, scan, "\"...from ELn to ELn\"");
    }
    if (scan_text(scan, "with "))
        return parse_with(log, scan);
    if (scan_text(scan, "to "))
        return parse_to(log, scan);
    line->is = LINE_HANDLED; /* "...handled as PSCI call", "...handling as semihosting call" */
    return scan_text(scan, "handl") || want(log, scan, "a line of -d int");
}

/* "AArch64 EL2 to AArch64 EL1 PC 0xffff800008cda2e4": behind "Exception return from " */
static bool parse_return(struct qemu_log *log, struct scan *scan)
{
    struct qemu_line *line = &log->parsed;
    line->is = LINE_RETURN;
    return (scan_text(scan, "AArch64 EL") && scan_number(scan, &line->from) &&
            scan_text(scan, " to AArch") && (scan_text(scan, "64") || scan_text(scan, "32")) &&
            scan_text(scan, " EL") && scan_number(scan, &line->to) && scan_text(scan, " PC 0x") &&
            scan_hex(scan, &line->value) && scan_is_at_end(scan)) ||
           want(log, scan, "\"from AArch64 ELn to AArch64 ELn PC 0x...\"");
}

/*
 * What begins a line of -d int; a console may have left a prompt in front of it, or a logger the
 * time.
 */
static const char *const beginnings[] = {"Taking exception ",
                                         "Exception return from ",
                                         "Illegal exception return ",
                                         "...from EL",
                                         "...with ",
                                         "...to EL",
                                         "...handl"};
enum { BEGINNING_OF_A_PART = 3 };

static bool find_beginning(struct scan *scan, unsigned *which)
{
    for (*which = 0; *which < sizeof beginnings / sizeof *beginnings; ++*which) {
        const char *text = beginnings[*which];
        const char *at = memmem(scan->at, (size_t)(scan->end - scan->at), text, strlen(text));
        if (at) {
            scan->at = at + (*which < BEGINNING_OF_A_PART ? strlen(text) : strlen("..."));
            return true;
        }
    }
    return false;
}

static bool parse(void *state, struct scan line)
{
    struct qemu_log *log = state;
    unsigned which;
    log->parsed = (struct qemu_line){.is = LINE_EMPTY};
    while (line.end > line.at && line.end[-1] == ' ')
        line.end--;
    if (scan_is_at_end(&line))
        return true;
    if (scan_text(&line, "..."))
        return parse_part(log, &line);
    if (!find_beginning(&line, &which))
        return import_strange(log->import, line.at, "no line of -d int");
    if (which == 0)
        return parse_head(log, &line);
    if (which == 1)
        return parse_return(log, &line);
    if (which >= BEGINNING_OF_A_PART)
        return parse_part(log, &line);
    log->parsed.is = LINE_ILLEGAL_RETURN;
    return true;
}

bool qemu_int_run(struct import *import)
{
    static const struct line_parser parser = {parse, act, tear_line, NULL};
    struct qemu_log log = {.import = import};
    const bool good = import_lines(import, &parser, &log);
    if (log.exception.is_open && log.exception.has & HAS_FROM && !log.is_aarch64)
        end_open(&log);
    else if (log.exception.is_open)
        tear(&log, "the recording ends inside an exception");
    emit_all(&log);
    for (size_t i = 0; i < log.ncpus; i++)
        effect_list_free(log.cpus[i].effects);
    free(log.cpus);
    return good;
}

unsigned qemu_int_recognises(const char *text, size_t length)
{
    enum { SURE = 8 };
    struct scan scan = {text, text + length};
    unsigned which;
    uint64_t number;
    if (!find_beginning(&scan, &which))
        return 0;
    if (which == 0)
        return scan_number(&scan, &number) && scan_text(&scan, " [") ? SURE : 0;
    if (which == 1)
        return scan_text(&scan, "AArch") ? SURE : 0;
    return scan_text(&scan, "with ESR 0x") || scan_text(&scan, "from EL") ? SURE : 0;
}
