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
 */

enum { CPUS_MAX = 4096, CANDIDATES_MAX = TRACE_LIST_MAX, NAME_SIZE = 48 };
enum { EC_SHIFT = 26, EC_MASK = 63, EC_HVC64 = 0x16, EC_IABT_LOW = 0x20, EC_DABT_LOW = 0x24 };

/* The lines of an exception so far; bits of `has`. */
enum { HAS_FROM = 1, HAS_ESR = 2, HAS_FAR = 4, HAS_ELR = 8, HAS_SPSR = 16 };
struct exception {
    bool is_open;
    unsigned has;
    unsigned line;
    uint64_t number, cpu, from, to, ec, esr, far, elr, spsr;
    char name[NAME_SIZE];
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
    struct exception exception;
    bool is_torn; /* lines that begin with ... belong to nobody */
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

static void emit_gap(struct qemu_log *log)
{
    struct trace_line line;
    struct effect_list *effects = effect_list_new();
    import_begin(log->import, &line);
    effect_event(effects, "gap", "lines of several CPUs in one another", line.g0);
    line_set_effects(&line, effects);
    import_emit(log->import, &line);
    effect_list_free(effects);
}

/* Lines of two exceptions stand in one another; they say no longer whose they are. */
static bool tear(struct qemu_log *log)
{
    if (!log->is_torn) {
        emit_all(log);
        emit_gap(log);
    }
    log->is_torn = true;
    log->exception.is_open = false;
    import_pass_over(log->import, "exceptions whose lines are torn");
    return true;
}

/* --- An exception ---------------------------------------------------------------------------- */

static bool find_cpu(struct qemu_log *log, uint64_t number, const char *at, struct cpu **cpu)
{
    if (number >= CPUS_MAX)
        return import_refuse(log->import, at, "CPU %llu is more than there can be",
                             (unsigned long long)number);
    if (number >= log->ncpus) {
        const size_t count = (size_t)number + 1;
        log->cpus = realloc(log->cpus, count * sizeof *log->cpus);
        if (!log->cpus)
            no_memory();
        memset(log->cpus + log->ncpus, 0, (count - log->ncpus) * sizeof *log->cpus);
        log->ncpus = count;
    }
    *cpu = &log->cpus[number];
    return true;
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

static void begin_stay(struct qemu_log *log, struct cpu *cpu, uint64_t pc, uint64_t pstate)
{
    const struct exception *exception = &log->exception;
    const enum vector_table table = symbols_table(log->import->symbols, pc);
    struct trace_line *line = &cpu->line;
    import_begin(log->import, line);
    line->g0 = exception->line;
    line->cpu = exception->cpu;
    line->has |= TRACE_HAS_CPU;
    line->vector = vector_name(table, pc);
    set_kind(line, table, pc, exception);
    set_registers(line, exception, pc);
    if (!cpu->effects)
        cpu->effects = effect_list_new();
    effect_list_clear(cpu->effects);
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

static bool finish(struct qemu_log *log, const char *at, uint64_t pc, uint64_t pstate)
{
    struct exception *exception = &log->exception;
    struct cpu *cpu = NULL;
    exception->is_open = false;
    if (!find_cpu(log, exception->cpu, at, &cpu))
        return false;
    if (exception->from < 2)
        leave(log, cpu);
    if (exception->to != 2)
        import_pass_over(log->import,
                         exception->to == 1 ? "exceptions to EL1" : "exceptions to EL3");
    else if (exception->from == 2)
        emit_nested(log, pc, pstate);
    else
        begin_stay(log, cpu, pc, pstate);
    return true;
}

/* --- Lines ----------------------------------------------------------------------------------- */

static bool refuse_rest(struct qemu_log *log, const struct scan *scan, const char *wanted)
{
    return import_refuse(log->import, scan->at, "expected %s", wanted);
}

/* "Taking exception 4 [Data Abort] on CPU 1" */
static bool take_head(struct qemu_log *log, struct scan *scan)
{
    struct exception *exception = &log->exception;
    const struct exception before = *exception;
    struct word name;
    *exception = (struct exception){.line = import_line_number(log->import)};
    if (!scan_number(scan, &exception->number) || !scan_text(scan, " [") ||
        !scan_word(scan, "]", &name) || !scan_text(scan, "] on CPU ") ||
        !scan_number(scan, &exception->cpu) || !scan_is_at_end(scan))
        return refuse_rest(log, scan, "\"Taking exception N [NAME] on CPU N\"");
    if (name.length < NAME_SIZE)
        memcpy(exception->name, name.text, name.length);
    /* One to AArch32, which is none to EL2, has no last line. */
    const bool is_whole = before.has & HAS_FROM && before.to != 2;
    if (before.is_open && !is_whole)
        return tear(log);
    log->is_torn = false;
    exception->is_open = true;
    return true;
}

/* "...from EL1 to EL2" */
static bool take_from(struct exception *exception, struct scan *scan)
{
    exception->has |= HAS_FROM;
    return scan_number(scan, &exception->from) && scan_text(scan, " to EL") &&
           scan_number(scan, &exception->to) && scan_is_at_end(scan);
}

/* "...to EL2 PC 0xc30900ef8c00 PSTATE 0x3c9" */
static bool take_to(struct qemu_log *log, struct scan *scan)
{
    uint64_t el, pc, pstate;
    const char *const at = scan->at;
    if (!scan_number(scan, &el) || !scan_text(scan, " PC 0x") || !scan_hex(scan, &pc) ||
        !scan_text(scan, " PSTATE 0x") || !scan_hex(scan, &pstate) || !scan_is_at_end(scan))
        return refuse_rest(log, scan, "\"...to ELn PC 0x... PSTATE 0x...\"");
    if (el != log->exception.to)
        return tear(log);
    return finish(log, at, pc, pstate);
}

/* "...with FAR 0x40001020"; 1 taken, 0 not this one, -1 twice */
static int take_register(struct exception *exception, struct scan *scan, const char *text,
                         unsigned has, uint64_t *value)
{
    if (!scan_text(scan, text))
        return 0;
    if (exception->has & has)
        return -1;
    exception->has |= has;
    return scan_hex(scan, value) && scan_is_at_end(scan);
}

/* "...with ESR 0x24/0x93c38007" */
static bool take_syndrome(struct exception *exception, struct scan *scan)
{
    exception->has |= HAS_ESR;
    return scan_hex(scan, &exception->ec) && scan_text(scan, "/0x") &&
           scan_hex(scan, &exception->esr) && scan_is_at_end(scan);
}

/* "...handled as PSCI call": QEMU answered in the hypervisor's place. */
static bool take_handled(struct qemu_log *log)
{
    log->exception.is_open = false;
    import_pass_over(log->import, "calls that QEMU answered");
    return true;
}

static bool take_with(struct qemu_log *log, struct scan *scan)
{
    struct exception *exception = &log->exception;
    const struct {
        const char *text;
        unsigned has;
        uint64_t *value;
    } registers[] = {{"FAR 0x", HAS_FAR, &exception->far},
                     {"ELR 0x", HAS_ELR, &exception->elr},
                     {"SPSR 0x", HAS_SPSR, &exception->spsr}};
    if (exception->has & HAS_ESR && scan_text(scan, "ESR 0x"))
        return tear(log);
    if (scan_text(scan, "ESR 0x"))
        return take_syndrome(exception, scan) || refuse_rest(log, scan, "\"EC/ESR\"");
    for (size_t i = 0; i < sizeof registers / sizeof *registers; i++) {
        const struct scan before = *scan;
        const int taken =
            take_register(exception, scan, registers[i].text, registers[i].has, registers[i].value);
        if (taken < 0)
            return tear(log);
        if (taken > 0)
            return true;
        if (before.at != scan->at)
            return refuse_rest(log, scan, "a hexadecimal number");
    }
    /* What only exceptions to AArch32 have. */
    if (scan_text(scan, "IFSR 0x") || scan_text(scan, "DFSR 0x") || scan_text(scan, "CPSR 0x"))
        return true;
    return refuse_rest(log, scan, "a register that -d int shows");
}

static bool take_continuation(struct qemu_log *log, struct scan *scan)
{
    struct exception *exception = &log->exception;
    if (log->is_torn)
        return true;
    if (!exception->is_open)
        return refuse_rest(log, scan, "\"Taking exception\" before this line");
    if (scan_text(scan, "from EL")) {
        if (exception->has & HAS_FROM)
            return tear(log);
        return take_from(exception, scan) || refuse_rest(log, scan, "\"...from ELn to ELn\"");
    }
    if (!(exception->has & HAS_FROM))
        return tear(log);
    if (scan_text(scan, "with "))
        return take_with(log, scan);
    if (scan_text(scan, "to EL"))
        return take_to(log, scan);
    if (scan_text(scan, "handl"))
        return take_handled(log);
    return refuse_rest(log, scan, "a line of -d int");
}

/* "AArch64 EL2 to AArch64 EL1 PC 0xffff800008cda2e4" */
static bool take_return(struct qemu_log *log, struct scan *scan)
{
    uint64_t from, to, pc;
    if (!scan_text(scan, "AArch64 EL") || !scan_number(scan, &from) ||
        !scan_text(scan, " to AArch") || !(scan_text(scan, "64") || scan_text(scan, "32")) ||
        !scan_text(scan, " EL") || !scan_number(scan, &to) || !scan_text(scan, " PC 0x") ||
        !scan_hex(scan, &pc) || !scan_is_at_end(scan))
        return refuse_rest(log, scan, "\"from AArch64 ELn to AArch64 ELn PC 0x...\"");
    if (from != 2 || to == 2) {
        import_pass_over(log->import, from == 2 ? "returns inside EL2" : "returns from EL1 or EL3");
        return true;
    }
    if (log->inside == 0) {
        emit_end(log, pc);
        return true;
    }
    log->last_return = import_line_number(log->import);
    log->returned++;
    if (log->candidates.count < CANDIDATES_MAX)
        log->candidates.values[log->candidates.count++] = pc;
    while (log->returned == log->inside && log->inside > 0)
        settle(log, first_inside(log));
    return true;
}

static bool take_line(struct qemu_log *log, struct scan *scan)
{
    if (scan_is_at_end(scan))
        return true;
    if (scan_text(scan, "..."))
        return take_continuation(log, scan);
    if (scan_text(scan, "Taking exception "))
        return take_head(log, scan);
    if (scan_text(scan, "Exception return from "))
        return take_return(log, scan);
    return import_refuse(log->import, scan->at,
                         "no line of -d int; is the log of several -d items?");
}

bool qemu_int_run(struct import *import)
{
    struct qemu_log log = {.import = import};
    struct scan scan;
    bool good = true;
    while (good && import_next(import, &scan))
        good = take_line(&log, &scan);
    emit_all(&log);
    if (good && !import->failed && log.exception.is_open &&
        (!(log.exception.has & HAS_FROM) || log.exception.to == 2))
        good = import_refuse(import, NULL, "the recording ends inside an exception");
    for (size_t i = 0; i < log.ncpus; i++)
        effect_list_free(log.cpus[i].effects);
    free(log.cpus);
    return good;
}

bool qemu_int_recognises(const char *text, size_t length)
{
    struct scan scan = {text, text + length};
    return scan_text(&scan, "Taking exception ") || scan_text(&scan, "Exception return from AArch");
}
