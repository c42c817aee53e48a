/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "convert/import.h"

/*
 * The recording of tools/capture: one line for each exception that entered EL2, `key=value` after
 * `key=value`, with the registers at the vector's first instruction and a walk of the stage-2
 * table.
 */

enum { EC_SHIFT = 26, EC_MASK = 63, EC_HVC64 = 0x16, EC_IABT_LOW = 0x20, EC_DABT_LOW = 0x24 };
enum { EXIT_INTERRUPT, EXIT_SERROR, EXIT_TRAP };

/* What GDB calls the registers that a trace has keys for; all others become `reg`. */
static const struct {
    const char *name;
    enum trace_register reg;
} registers[] = {
    {"ESR_EL2", TRACE_REG_esr},         {"FAR_EL2", TRACE_REG_far},
    {"HPFAR_EL2", TRACE_REG_hpfar},     {"ELR_EL2", TRACE_REG_elr},
    {"SPSR_EL2", TRACE_REG_spsr},       {"HCR_EL2", TRACE_REG_hcr},
    {"VTTBR_EL2", TRACE_REG_vttbr},     {"VMPIDR_EL2", TRACE_REG_vmpidr},
    {"TPIDR_EL2", TRACE_REG_tpidr_el2}, {"PAR_EL1", TRACE_REG_par_el1},
    {"ACTLR_EL1", TRACE_REG_actlr_el1}, {"VTCR_EL2", TRACE_REG_vtcr},
    {"TTBR0_EL2", TRACE_REG_ttbr0_el2}, {"SP_EL1", TRACE_REG_sp_el1},
    {"ELR_EL1", TRACE_REG_elr_el1},     {"SPSR_EL1", TRACE_REG_spsr_el1},
    {"SP_EL0", TRACE_REG_sp_el0},       {"VBAR", TRACE_REG_vbar_el1},
    {"VBAR_EL1", TRACE_REG_vbar_el1},
};

enum { FORMAT_VERSION = 1, CPUS_MAX = 4096, KEYS_MAX = 512 };

/* A CPU's last entry, which waits for its return or for the next entry. */
struct stay {
    bool is_pending;
    struct trace_line line;
    struct effect_list *effects;
};

/* A line on its way to a record. */
struct entry {
    struct import *import;
    struct scan scan; /* the value */
    struct word key;
    struct trace_line line;
    struct effect_list *effects;
    struct word vector;
    uint64_t number; /* n= */
    bool has_number;
    struct word *keys; /* all so far, with room for KEYS_MAX */
    size_t nkeys;
};

struct capture {
    struct import *import;
    struct effect_list *effects; /* of the line last parsed */
    struct entry entry;
    enum { LINE_NOTHING, LINE_RETURNS, LINE_VERSION, LINE_ENTRY } is;
    uint64_t version;
    struct stay *stays; /* by CPU */
    size_t nstays;
    uint64_t last_number;
    bool has_returns;           /* else an entry waits for nothing */
    struct word keys[KEYS_MAX]; /* of the line being read */
};

static bool is_in_function(const struct entry *entry)
{
    return word_is(entry->vector, "host_mem_abort");
}

/* --- Values ---------------------------------------------------------------------------------- */

static bool refuse_value(struct entry *entry, const char *wanted)
{
    return import_torn(entry->import, entry->scan.at, "%.*s: expected %s", (int)entry->key.length,
                       entry->key.text, wanted);
}

static bool take_word(struct entry *entry, uint64_t *value)
{
    const struct scan before = entry->scan;
    if (scan_text(&entry->scan, "0x") && scan_hex(&entry->scan, value) &&
        scan_is_at_end(&entry->scan))
        return true;
    entry->scan = before;
    return refuse_value(entry, "a word like 0x1f");
}

static bool take_number(struct entry *entry, uint64_t *value)
{
    return (scan_number(&entry->scan, value) && scan_is_at_end(&entry->scan)) ||
           refuse_value(entry, "a number");
}

static bool take_time(struct entry *entry)
{
    entry->line.has |= TRACE_HAS_TIME;
    return (scan_seconds(&entry->scan, &entry->line.time) && scan_is_at_end(&entry->scan)) ||
           refuse_value(entry, "seconds like 1.250000");
}

/* "L1@46c32008=4c0bb003,L2@4c0bb040=0" */
static bool take_walk(struct entry *entry)
{
    do {
        struct trace_walk walk;
        if (!scan_text(&entry->scan, "L") || !scan_number(&entry->scan, &walk.level) ||
            !scan_text(&entry->scan, "@") || !scan_hex(&entry->scan, &walk.pa) ||
            !scan_text(&entry->scan, "=") || !scan_hex(&entry->scan, &walk.desc))
            return refuse_value(entry, "steps like L1@46c32008=4c0bb003");
        effect_new(entry->effects, TRACE_walk, EFFECT_ALL(walk), entry->line.g0)->walk = walk;
    } while (scan_text(&entry->scan, ","));
    return scan_is_at_end(&entry->scan) || refuse_value(entry, "a comma");
}

/* "name+0x8=0x1f,...": words of memory that were watched and changed. */
static bool take_watch(struct entry *entry)
{
    do {
        struct word name;
        uint64_t value;
        if (!scan_word(&entry->scan, "=", &name) || !scan_text(&entry->scan, "=") ||
            !scan_hex(&entry->scan, &value))
            return refuse_value(entry, "words like name+0x8=0x1f");
        struct trace_effect *effect = effect_event(
            entry->effects, "watch", effect_text(entry->effects, name), entry->line.g0);
        effect->event.args = (struct trace_list){1, {value}};
    } while (scan_text(&entry->scan, ","));
    return scan_is_at_end(&entry->scan) || refuse_value(entry, "a comma");
}

/* --- Registers ------------------------------------------------------------------------------- */

static void add_register(struct entry *entry, uint64_t value)
{
    const char *name = effect_text(entry->effects, entry->key);
    effect_new(entry->effects, TRACE_reg, EFFECT_ALL(reg), entry->line.g0)->reg =
        (struct trace_reg){name, value};
}

/* x0 to x30 are those of the interrupted context, but for a stop inside a function of EL2. */
static bool take_gpr(struct entry *entry, uint64_t index)
{
    uint64_t value;
    if (!take_word(entry, &value))
        return false;
    if (is_in_function(entry)) {
        add_register(entry, value);
        return true;
    }
    entry->line.in.x[index] = value;
    entry->line.in.x_present |= 1u << index;
    return true;
}

static bool take_register(struct entry *entry)
{
    uint64_t value;
    struct scan name = {entry->key.text, entry->key.text + entry->key.length};
    uint64_t index;
    if (scan_text(&name, "x") && scan_number(&name, &index) && scan_is_at_end(&name) &&
        index < TRACE_GPRS)
        return take_gpr(entry, index);
    if (!take_word(entry, &value))
        return false;
    for (size_t i = 0; i < sizeof registers / sizeof *registers; i++) {
        if (word_is(entry->key, registers[i].name)) {
            registers_set(&entry->line.in, registers[i].reg, value);
            return true;
        }
    }
    add_register(entry, value);
    return true;
}

/* A key that is no register: kept as it is. */
static bool take_text(struct entry *entry)
{
    const struct word value = {entry->scan.at, (size_t)(entry->scan.end - entry->scan.at)};
    effect_event(entry->effects, effect_text(entry->effects, entry->key),
                 effect_text(entry->effects, value), entry->line.g0);
    return true;
}

/* --- The vector ------------------------------------------------------------------------------ */

static bool ends_with(struct word word, const char *text)
{
    const size_t length = strlen(text);
    return word.length >= length && memcmp(word.text + word.length - length, text, length) == 0;
}

static bool begins_with(struct word word, const char *text)
{
    const size_t length = strlen(text);
    return word.length >= length && memcmp(word.text, text, length) == 0;
}

static bool is_inside_el2(struct word vector)
{
    static const char *const slots[] = {"cur_sp0_sync",   "cur_sp0_irq",   "cur_sp0_fiq",
                                        "cur_sp0_serror", "cur_spx_sync",  "cur_spx_irq",
                                        "cur_spx_fiq",    "cur_spx_serror"};
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
        if (ends_with(vector, slots[i]))
            return true;
    }
    return false;
}

static void set_exit_code(struct trace_line *line, uint64_t code)
{
    line->exit_code = code;
    line->has |= TRACE_HAS_EXIT_CODE;
}

static void set_guest_exit(struct trace_line *line, struct word vector)
{
    line->kind = TRACE_KIND_guest_exit;
    if (ends_with(vector, "_sync"))
        set_exit_code(line, EXIT_TRAP);
    else if (ends_with(vector, "_irq"))
        set_exit_code(line, EXIT_INTERRUPT);
    else if (ends_with(vector, "_serror"))
        set_exit_code(line, EXIT_SERROR);
}

/* A host's exception is a hypercall or a stage-2 fault if its syndrome says so. */
static enum trace_kind host_kind(const struct trace_line *line)
{
    if (!(line->in.present >> TRACE_REG_esr & 1))
        return TRACE_KIND_unknown;
    const uint64_t ec = line->in.values[TRACE_REG_esr] >> EC_SHIFT & EC_MASK;
    if (ec == EC_HVC64)
        return TRACE_KIND_host_hvc;
    return ec == EC_IABT_LOW || ec == EC_DABT_LOW ? TRACE_KIND_host_npt : TRACE_KIND_unknown;
}

static void set_kind(struct entry *entry)
{
    struct trace_line *line = &entry->line;
    const struct word vector = entry->vector;
    line->vector = effect_text(entry->effects, vector);
    if (is_inside_el2(vector))
        line->kind = TRACE_KIND_el2_exception;
    else if (begins_with(vector, "guest_"))
        set_guest_exit(line, vector);
    else if ((begins_with(vector, "host_") || begins_with(vector, "stub_") ||
              begins_with(vector, "init_")) &&
             (ends_with(vector, "_sync") || is_in_function(entry)))
        line->kind = host_kind(line);
}

/* --- Lines ----------------------------------------------------------------------------------- */

static bool take_vector(struct entry *entry)
{
    return scan_word(&entry->scan, "", &entry->vector) || refuse_value(entry, "a vector's name");
}

/* Registers begin with a capital, or are x0 to x30, sp, pc and cpsr; their values with 0x. */
static bool take_value(struct entry *entry)
{
    if (word_is(entry->key, "n")) {
        entry->has_number = true;
        return take_number(entry, &entry->number);
    }
    if (word_is(entry->key, "cpu")) {
        entry->line.has |= TRACE_HAS_CPU;
        return take_number(entry, &entry->line.cpu);
    }
    if (word_is(entry->key, "t"))
        return take_time(entry);
    if (word_is(entry->key, "vec"))
        return take_vector(entry);
    if (word_is(entry->key, "s2walk"))
        return entry->scan.at < entry->scan.end && *entry->scan.at == 'L' ? take_walk(entry)
                                                                          : take_text(entry);
    if (word_is(entry->key, "watch"))
        return take_watch(entry);
    const bool is_capital = entry->key.text[0] >= 'A' && entry->key.text[0] <= 'Z';
    struct scan value = entry->scan;
    return is_capital || scan_text(&value, "0x") ? take_register(entry) : take_text(entry);
}

/* Was there this key before, on this line? */
static bool is_twice(struct entry *entry)
{
    const struct word key = entry->key;
    for (size_t i = 0; i < entry->nkeys; i++) {
        if (entry->keys[i].length == key.length &&
            memcmp(entry->keys[i].text, key.text, key.length) == 0)
            return true;
    }
    entry->keys[entry->nkeys++] = key;
    return false;
}

static bool take_pair(struct entry *entry, struct scan *line)
{
    struct word value;
    const char *const at = line->at;
    if (!scan_word(line, "= ", &entry->key) || !scan_text(line, "=") ||
        !scan_word(line, " ", &value))
        return import_torn(entry->import, at, "expected key=value");
    if (entry->nkeys == KEYS_MAX)
        return import_torn(entry->import, at, "more than %d keys", KEYS_MAX);
    if (is_twice(entry))
        return import_torn(entry->import, at, "%.*s stands here twice", (int)entry->key.length,
                           entry->key.text);
    entry->scan = (struct scan){value.text, value.text + value.length};
    return take_value(entry);
}

static bool parse_entry(struct entry *entry, struct scan *line)
{
    struct scan start = *line;
    if (!scan_text(&start, "n="))
        return import_strange(entry->import, line->at, "expected key=value, \"n=\" first");
    while (!scan_is_at_end(line)) {
        if (!take_pair(entry, line))
            return false;
        scan_blanks(line);
    }
    const char *missing = !entry->has_number                   ? "n"
                          : !entry->vector.text                ? "vec"
                          : !(entry->line.has & TRACE_HAS_CPU) ? "cpu"
                                                               : NULL;
    if (missing)
        return import_torn(entry->import, entry->import->text, "`%s` is missing", missing);
    return true;
}

/* --- Stays ----------------------------------------------------------------------------------- */

static struct stay *find_stay(struct capture *capture, uint64_t cpu)
{
    while (capture->nstays <= cpu) {
        const size_t count = capture->nstays + 1;
        capture->stays = realloc(capture->stays, count * sizeof *capture->stays);
        if (!capture->stays)
            no_memory();
        capture->stays[capture->nstays++] = (struct stay){.effects = effect_list_new()};
    }
    return &capture->stays[cpu];
}

static void emit(struct capture *capture, struct stay *stay)
{
    if (!stay->is_pending)
        return;
    line_set_effects(&stay->line, stay->effects);
    import_emit(capture->import, &stay->line);
    stay->is_pending = false;
}

/* All that still wait, in their order. */
static void emit_all(struct capture *capture)
{
    for (;;) {
        struct stay *first = NULL;
        for (size_t i = 0; i < capture->nstays; i++) {
            struct stay *stay = &capture->stays[i];
            if (stay->is_pending && (!first || stay->line.seq < first->line.seq))
                first = stay;
        }
        if (!first)
            return;
        emit(capture, first);
    }
}

/* Of the registers at a return those that the lower level gets, and which one it is. */
static void set_end(struct trace_line *line, const struct trace_line *returned)
{
    static const enum trace_register kept[] = {TRACE_REG_elr, TRACE_REG_spsr, TRACE_REG_hcr,
                                               TRACE_REG_vttbr};
    line->has |= TRACE_HAS_OUT;
    line->g1 = returned->g0;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (returned->in.present >> kept[i] & 1)
            registers_set(&line->out, kept[i], returned->in.values[kept[i]]);
    }
    line->out.x_present = returned->in.x_present;
    memcpy(line->out.x, returned->in.x, sizeof line->out.x);
}

/* A return whose entry is not recorded is a record of its own. */
static void take_return(struct capture *capture, struct stay *stay, const struct trace_line *line)
{
    if (!stay->is_pending) {
        stay->line = *line;
        stay->line.in = (struct trace_registers){0};
        effect_list_clear(stay->effects);
        stay->is_pending = true;
    } else {
        capture->import->next_seq--;
    }
    set_end(&stay->line, line);
    emit(capture, stay);
}

static void take_entry(struct capture *capture, struct stay *stay, struct entry *entry)
{
    if (entry->number <= capture->last_number)
        effect_event(entry->effects, "gap", "a recording begins", entry->line.g0);
    set_kind(entry);
    struct effect_list *spare = stay->effects;
    stay->effects = entry->effects;
    entry->effects = spare;
    stay->line = entry->line;
    stay->is_pending = true;
}

/* --- All ------------------------------------------------------------------------------------- */

/* "# fh-capture 1"; "# returns 2 in 0x40eed000 0x1000" */
static bool parse_comment(struct capture *capture, struct scan *line)
{
    if (scan_text(line, "# returns "))
        capture->is = LINE_RETURNS;
    else if (scan_text(line, "# fh-capture ") && scan_number(line, &capture->version))
        capture->is = LINE_VERSION;
    return true;
}

static bool parse(void *state, struct scan line)
{
    struct capture *capture = state;
    capture->is = LINE_NOTHING;
    scan_blanks(&line);
    if (scan_is_at_end(&line))
        return true;
    if (*line.at == '#')
        return parse_comment(capture, &line);
    struct entry *entry = &capture->entry;
    effect_list_clear(capture->effects);
    *entry = (struct entry){
        .import = capture->import, .effects = capture->effects, .keys = capture->keys};
    entry->line = (struct trace_line){.g0 = capture->import->line};
    capture->is = LINE_ENTRY;
    if (!parse_entry(entry, &line))
        return false;
    return entry->line.cpu < CPUS_MAX ||
           import_torn(capture->import, capture->import->text, "there cannot be so many CPUs");
}

/* The record's frame, around what the line says. */
static void begin(struct capture *capture, struct entry *entry)
{
    const struct trace_line said = entry->line;
    import_begin(capture->import, &entry->line);
    entry->line.has |= said.has;
    entry->line.cpu = said.cpu;
    entry->line.time = said.time;
    entry->line.in = said.in;
}

static void act_on_entry(struct capture *capture, struct entry *entry)
{
    begin(capture, entry);
    struct stay *stay = find_stay(capture, entry->line.cpu);
    if (word_is(entry->vector, "return")) {
        take_return(capture, stay, &entry->line);
    } else {
        if (entry->number <= capture->last_number)
            emit_all(capture);
        emit(capture, stay);
        take_entry(capture, stay, entry);
        capture->effects = entry->effects;
        if (!capture->has_returns)
            emit(capture, stay);
    }
    capture->last_number = entry->number;
}

static bool act(void *state)
{
    struct capture *capture = state;
    switch (capture->is) {
    case LINE_NOTHING: return true;
    case LINE_RETURNS: capture->has_returns = true; return true;
    case LINE_VERSION:
        return capture->version == FORMAT_VERSION ||
               import_refuse(capture->import, capture->import->text,
                             "version %llu of the format; this reads version %d",
                             (unsigned long long)capture->version, FORMAT_VERSION);
    case LINE_ENTRY: act_on_entry(capture, &capture->entry); return true;
    }
    return true;
}

static void tear(void *state)
{
    struct capture *capture = state;
    emit_all(capture);
    import_gap(capture->import, "a line that is not whole", NULL, 0);
}

bool capture_run(struct import *import)
{
    static const struct line_parser parser = {parse, act, tear, NULL};
    struct capture capture = {.import = import, .effects = effect_list_new()};
    const bool good = import_lines(import, &parser, &capture);
    emit_all(&capture);
    effect_list_free(capture.effects);
    for (size_t i = 0; i < capture.nstays; i++)
        effect_list_free(capture.stays[i].effects);
    free(capture.stays);
    return good;
}

/* "n=1 t=0.000960 cpu=1 vec=host_sync ..." */
unsigned capture_recognises(const char *text, size_t length)
{
    struct scan scan = {text, text + length};
    uint64_t n;
    if (scan_text(&scan, "# fh-capture "))
        return 80;
    return scan_text(&scan, "n=") && scan_number(&scan, &n) && scan_text(&scan, " t=") ? 8 : 0;
}
