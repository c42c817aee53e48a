/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "convert/import.h"

/*
 * Linux's kvm:* events as text: the tracefs file `trace`, and `trace-cmd report`, with and without
 * -R. One event a line:
 *
 *     TASK-PID [CPU] flags seconds: event: fields
 */

enum { EFFECTS_OF_AN_EXIT = 64, FIELDS_MAX = 8 };
enum { EXIT_INTERRUPT, EXIT_SERROR, EXIT_TRAP, EXIT_HYP_GONE = 0xbadca11 };

/* A thread of the host; between its kvm_exit and its kvm_entry the exit's record. */
struct task {
    uint64_t pid;
    bool has_exit;
    struct trace_line line;
    struct effect_list *effects;
    bool has_timer_map; /* the last timer event was kvm_get_timer_map, of vCPU `timer_vcpu` */
    uint64_t timer_vcpu;
    bool has_vcpu; /* the vCPU that it has loaded is `vcpu` */
    uint64_t vcpu;
};

struct ftrace {
    struct import *import;
    bool is_report; /* of trace-cmd */
    struct task *tasks;
    size_t ntasks;
};

/* A line's prefix. */
struct moment {
    uint64_t pid;
    uint64_t cpu;
    uint64_t time;
    bool has_time;
    bool is_interrupt; /* of an interrupt's handler, not of the task's own doing */
};

/* What stands in a line behind the event's name. */
struct field {
    struct word word;
    uint64_t value;
};

struct event {
    const struct form *form;
    struct moment moment;
    struct field fields[FIELDS_MAX];
    unsigned present; /* bit i: field i is there */
};

/*
 * How an event is written: as text, with %x, %d and %w for a hexadecimal number, a decimal one and
 * a word, %* for a rest that does not matter; and by trace-cmd report -R, with the keys of the same
 * fields ("-" for what it lacks).
 */
struct form {
    const char *name;
    const char *text;
    const char *keys;
    bool (*take)(struct ftrace *ftrace, struct task *task, const struct event *event);
};

/* --- Tasks ----------------------------------------------------------------------------------- */

static struct task *find_task(struct ftrace *ftrace, uint64_t pid)
{
    for (size_t i = 0; i < ftrace->ntasks; i++) {
        if (ftrace->tasks[i].pid == pid)
            return &ftrace->tasks[i];
    }
    ftrace->tasks = realloc(ftrace->tasks, (ftrace->ntasks + 1) * sizeof *ftrace->tasks);
    if (!ftrace->tasks)
        no_memory();
    struct task *task = &ftrace->tasks[ftrace->ntasks++];
    *task = (struct task){.pid = pid, .effects = effect_list_new()};
    return task;
}

static void emit_exit(struct ftrace *ftrace, struct task *task)
{
    if (!task->has_exit)
        return;
    line_set_effects(&task->line, task->effects);
    import_emit(ftrace->import, &task->line);
    task->has_exit = false;
}

/* All exits that are still without an entry, in their order. */
static void emit_exits(struct ftrace *ftrace)
{
    for (;;) {
        struct task *first = NULL;
        for (size_t i = 0; i < ftrace->ntasks; i++) {
            struct task *task = &ftrace->tasks[i];
            if (task->has_exit && (!first || task->line.seq < first->line.seq))
                first = task;
        }
        if (!first)
            return;
        emit_exit(ftrace, first);
    }
}

/* --- Records --------------------------------------------------------------------------------- */

static bool has(const struct event *event, unsigned i)
{
    return event->present >> i & 1;
}

static void begin(struct ftrace *ftrace, const struct task *task, const struct moment *moment,
                  struct trace_line *line)
{
    import_begin(ftrace->import, line);
    line->has |= TRACE_HAS_CPU | TRACE_HAS_TASK | TRACE_HAS_TO;
    line->cpu = moment->cpu;
    line->task = moment->pid;
    line->time = moment->time;
    if (moment->has_time)
        line->has |= TRACE_HAS_TIME;
    if (task->has_vcpu)
        registers_set(&line->in, TRACE_REG_vcpuid, task->vcpu);
}

/* The event as an effect of the task's exit: its numbers from field `from` to `to`, and a word. */
static struct trace_effect *note(struct ftrace *ftrace, struct task *task,
                                 const struct event *event, struct word word)
{
    if (!task->has_exit) {
        import_pass_over(ftrace->import, "events outside an exit");
        return NULL;
    }
    const char *text = word.length > 0 ? effect_text(task->effects, word) : NULL;
    struct trace_effect *effect =
        effect_event(task->effects, event->form->name, text, import_line_number(ftrace->import));
    task->line.g1 = effect->g;
    return effect;
}

static void add_argument(struct trace_effect *effect, uint64_t value)
{
    struct trace_list *args = &effect->event.args;
    args->values[args->count++] = value;
}

static struct word no_word(void)
{
    return (struct word){"", 0};
}

/* --- kvm_exit and kvm_entry ------------------------------------------------------------------ */

static bool exit_code(const struct event *event, uint64_t *code)
{
    static const struct {
        const char *name;
        uint64_t code;
    } names[] = {{"IRQ", EXIT_INTERRUPT},
                 {"SERROR", EXIT_SERROR},
                 {"TRAP", EXIT_TRAP},
                 {"HYP_GONE", EXIT_HYP_GONE}};
    const struct word word = event->fields[0].word;
    *code = event->fields[0].value;
    if (!word.text)
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (word_is(word, names[i].name)) {
            *code = names[i].code;
            return true;
        }
    }
    struct scan scan = {word.text, word.text + word.length};
    return scan_text(&scan, "0x") && scan_hex(&scan, code) && scan_is_at_end(&scan);
}

static bool take_exit(struct ftrace *ftrace, struct task *task, const struct event *event)
{
    struct trace_line *line = &task->line;
    uint64_t code;
    if (!exit_code(event, &code))
        return import_refuse(ftrace->import, event->fields[0].word.text,
                             "expected IRQ, SERROR or TRAP");
    emit_exit(ftrace, task);
    effect_list_clear(task->effects);
    begin(ftrace, task, &event->moment, line);
    task->has_exit = true;
    line->kind = TRACE_KIND_guest_exit;
    line->to = TRACE_TO_host;
    line->has |= TRACE_HAS_EXIT_CODE;
    line->exit_code = code;
    registers_set(&line->in, TRACE_REG_elr, event->fields[3].value);
    const struct word name = has(event, 2) ? event->fields[2].word : no_word();
    struct trace_effect *effect = note(ftrace, task, event, name);
    add_argument(effect, code);
    add_argument(effect, event->fields[1].value);
    add_argument(effect, event->fields[3].value);
    if (code == EXIT_TRAP && name.length > 0)
        line->ec = effect->event.text;
    return true;
}

/* Who called into EL2, if anybody had to, the event does not say. */
static bool take_entry(struct ftrace *ftrace, struct task *task, const struct event *event)
{
    struct trace_line line;
    emit_exit(ftrace, task);
    begin(ftrace, task, &event->moment, &line);
    line.to = TRACE_TO_guest;
    line.has |= TRACE_HAS_OUT;
    registers_set(&line.out, TRACE_REG_elr, event->fields[0].value);
    import_emit(ftrace->import, &line);
    return true;
}

/* --- What happens to an exit ----------------------------------------------------------------- */

/* The fields as they are. A thread that never enters a guest again does not gather events. */
static bool take_note(struct ftrace *ftrace, struct task *task, const struct event *event)
{
    struct word word = no_word();
    if (task->has_exit && task->effects->count >= EFFECTS_OF_AN_EXIT) {
        import_pass_over(ftrace->import, "events beyond 64 of one exit");
        return true;
    }
    for (unsigned i = 0; i < FIELDS_MAX; i++) {
        if (has(event, i) && event->fields[i].word.text)
            word = event->fields[i].word;
    }
    struct trace_effect *effect = note(ftrace, task, event, word);
    for (unsigned i = 0; effect && i < FIELDS_MAX; i++) {
        if (has(event, i) && !event->fields[i].word.text)
            add_argument(effect, event->fields[i].value);
    }
    return true;
}

/* What an exit's registers were, told by a later event of it. */
static void add_register(struct task *task, enum trace_register reg, uint64_t value)
{
    if (task->has_exit && !(task->line.in.present >> reg & 1))
        registers_set(&task->line.in, reg, value);
}

/* HPFAR_EL2 holds bits 47:12 of the address from bit 4 on. */
static bool take_fault(struct ftrace *ftrace, struct task *task, const struct event *event)
{
    add_register(task, TRACE_REG_esr, event->fields[1].value);
    add_register(task, TRACE_REG_far, event->fields[2].value);
    add_register(task, TRACE_REG_hpfar, event->fields[0].value >> 12 << 4);
    return take_note(ftrace, task, event);
}

static bool take_syndrome(struct ftrace *ftrace, struct task *task, const struct event *event)
{
    add_register(task, TRACE_REG_esr, event->fields[0].value);
    return take_note(ftrace, task, event);
}

static bool take_hvc(struct ftrace *ftrace, struct task *task, const struct event *event)
{
    if (task->has_exit) {
        task->line.in.x[0] = event->fields[1].value;
        task->line.in.x_present |= 1;
    }
    return take_note(ftrace, task, event);
}

/* The register's encoding and 1 for a write; its name, if it is there. */
static bool take_sys_access(struct ftrace *ftrace, struct task *task, const struct event *event)
{
    const struct field *direction = &event->fields[7];
    const bool is_write =
        direction->word.text ? word_is(direction->word, "write") : direction->value;
    struct trace_effect *effect =
        note(ftrace, task, event, has(event, 1) ? event->fields[1].word : no_word());
    if (!effect)
        return true;
    add_argument(effect, event->fields[0].value);
    for (unsigned i = 2; i < 7; i++)
        add_argument(effect, event->fields[i].value);
    add_argument(effect, is_write);
    return true;
}

static bool take_wfx(struct ftrace *ftrace, struct task *task, const struct event *event)
{
    const struct field *which = &event->fields[0];
    struct word word = which->word;
    if (has(event, 0) && !word.text)
        word = (struct word){which->value ? "wfe" : "wfi", 3};
    struct trace_effect *effect = note(ftrace, task, event, has(event, 0) ? word : no_word());
    if (effect && has(event, 1))
        add_argument(effect, event->fields[1].value);
    return true;
}

/* -1 for none of the three */
static int mmio_type(const struct field *field)
{
    static const char *const names[] = {"unsatisfied-read", "read", "write"};
    if (!field->word.text)
        return field->value < 3 ? (int)field->value : -1;
    for (int i = 0; i < 3; i++) {
        if (word_is(field->word, names[i]))
            return i;
    }
    return -1;
}

/* A read is told twice, first without its value. */
static bool take_mmio(struct ftrace *ftrace, struct task *task, const struct event *event)
{
    const int type = mmio_type(&event->fields[0]);
    const char *at = event->fields[0].word.text;
    if (type < 0)
        return import_refuse(ftrace->import, at ? at : ftrace->import->text,
                             "expected unsatisfied-read, read or write");
    if (!task->has_exit) {
        import_pass_over(ftrace->import, "events outside an exit");
        return true;
    }
    uint32_t present = EFFECT_HAS(mmio, write) | EFFECT_HAS(mmio, addr) | EFFECT_HAS(mmio, len);
    if (type > 0)
        present |= EFFECT_HAS(mmio, val);
    const uint64_t line = import_line_number(ftrace->import);
    struct trace_effect *effect = effect_new(task->effects, TRACE_mmio, present, line);
    task->line.g1 = line;
    effect->mmio = (struct trace_mmio){.write = type == 2,
                                       .addr = event->fields[2].value,
                                       .len = event->fields[1].value,
                                       .val = event->fields[3].value};
    return true;
}

/* --- vCPUs ----------------------------------------------------------------------------------- */

/*
 * A thread loads a vCPU before it runs it, and then KVM asks which timers the vCPU has
 * (kvm_get_timer_map) and restores one of them (kvm_timer_restore_state). Other events name vCPUs,
 * too, but not only the thread's own.
 */
static bool take_timer_map(struct ftrace *ftrace, struct task *task, const struct event *event)
{
    import_pass_over(ftrace->import, "events of timers");
    if (event->moment.is_interrupt)
        return true;
    task->has_timer_map = true;
    task->timer_vcpu = event->fields[0].value;
    return true;
}

static bool take_timer_restore(struct ftrace *ftrace, struct task *task, const struct event *event)
{
    import_pass_over(ftrace->import, "events of timers");
    if (event->moment.is_interrupt || !task->has_timer_map)
        return true;
    task->has_vcpu = true;
    task->vcpu = task->timer_vcpu;
    return true;
}

/* The vCPU is put; until another one is loaded the thread runs none. */
static bool take_timer_save(struct ftrace *ftrace, struct task *task, const struct event *event)
{
    (void)event;
    import_pass_over(ftrace->import, "events of timers");
    task->has_timer_map = false;
    return true;
}

/* --- Forms ----------------------------------------------------------------------------------- */

/* clang-format off */
static const struct form forms[] = {
    {"kvm_exit", "%w: HSR_EC: %x (%w), PC: %x", "ret esr_ec - vcpu_pc", take_exit},
    {"kvm_entry", "PC: %x", "vcpu_pc", take_entry},
    {"kvm_guest_fault", "ipa %x, hsr %x, hxfar %x, pc %x", "ipa hsr hxfar vcpu_pc", take_fault},
    {"kvm_mmio", "mmio %w len %d gpa %x val %x", "type len gpa val", take_mmio},
    {"kvm_hvc_arm64", "HVC at %x (r0: %x, imm: %x)", "vcpu_pc r0 imm", take_hvc},
    {"kvm_handle_sys_reg", "HSR %x", "hsr", take_syndrome},
    {"kvm_sys_access", "PC: %x %n (%d,%d,%d,%d,%d) %w", "vcpu_pc - Op0 Op1 CRn CRm Op2 is_write",
     take_sys_access},
    {"kvm_wfx_arm64", "guest executed %w at: %x", "is_wfe vcpu_pc", take_wfx},
    {"kvm_userspace_exit", "reason %w (%d)", "- reason", take_note},
    {"kvm_access_fault", "IPA: %x", "ipa", take_note},
    {"kvm_set_way_flush", "S/W flush at %x (cache %w)", "vcpu_pc -", take_note},
    {"kvm_toggle_cache", "VM op at %x (cache was %w, now %w)", "vcpu_pc - -", take_note},
    {"kvm_unmap_hva_range", "mmu notifier unmap range: %x -- %x", "start end", take_note},
    {"kvm_set_spte_hva", "mmu notifier set pte hva: %x", "hva", take_note},
    {"kvm_age_hva", "mmu notifier age hva: %x -- %x", "start end", take_note},
    {"kvm_get_timer_map", "VCPU: %d, %*", "vcpu_id", take_timer_map},
    {"kvm_timer_restore_state", "%*", "", take_timer_restore},
    {"kvm_timer_save_state", "%*", "", take_timer_save},
};
/* clang-format on */

static const struct form *find_form(struct word name)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (word_is(name, forms[i].name))
            return &forms[i];
    }
    return NULL;
}

/* A system register's name, which may be anything, before the last parenthesis. */
static bool take_name(struct scan *scan, struct word *name)
{
    for (const char *c = scan->end - 1; c > scan->at + 1; c--) {
        if (c[-1] != ' ' || c[0] != '(')
            continue;
        *name = (struct word){scan->at, (size_t)(c - 1 - scan->at)};
        scan->at = c - 1;
        return true;
    }
    return false;
}

/* A field by its letter, up to the character that follows it. */
static bool take_field(struct scan *scan, char letter, char stop, struct field *field)
{
    const char stops[] = {stop, '\0'};
    if (letter == 'n')
        return take_name(scan, &field->word);
    if (letter == 'x')
        return scan_hex(scan, &field->value);
    if (letter == 'd')
        return scan_number(scan, &field->value);
    return scan_word(scan, stops, &field->word);
}

/* The fields as the form has them; false at the place where they differ. */
static bool match_text(struct scan *scan, struct event *event)
{
    unsigned n = 0;
    for (const char *c = event->form->text; *c; c++) {
        if (*c != '%') {
            if (scan->at == scan->end || *scan->at != *c)
                return false;
            scan->at++;
        } else if (*++c == '*') {
            return true;
        } else if (take_field(scan, *c, c[1], &event->fields[n])) {
            event->present |= 1u << n++;
        } else {
            return false;
        }
    }
    return scan_is_at_end(scan);
}

/* The number of a field by its key, or FIELDS_MAX. */
static unsigned key_index(const struct form *form, struct word key)
{
    struct scan keys = {form->keys, form->keys + strlen(form->keys)};
    struct word name;
    for (unsigned i = 0; scan_word(&keys, " ", &name); i++) {
        if (name.length == key.length && memcmp(name.text, key.text, key.length) == 0)
            return i;
        scan_blanks(&keys);
    }
    return FIELDS_MAX;
}

static unsigned wanted_fields(const struct form *form)
{
    struct scan keys = {form->keys, form->keys + strlen(form->keys)};
    struct word name;
    unsigned wanted = 0;
    for (unsigned i = 0; scan_word(&keys, " ", &name); i++) {
        if (!word_is(name, "-"))
            wanted |= 1u << i;
        scan_blanks(&keys);
    }
    return wanted;
}

static bool take_key_value(struct word value, struct field *field)
{
    struct scan scan = {value.text, value.text + value.length};
    if (scan_text(&scan, "0x"))
        return scan_hex(&scan, &field->value) && scan_is_at_end(&scan);
    return scan_number(&scan, &field->value) && scan_is_at_end(&scan);
}

/* "key=value key=value": of trace-cmd report -R, and of what it could not format. */
static bool match_keys(struct scan *scan, struct event *event)
{
    while (!scan_is_at_end(scan)) {
        const struct scan before = *scan;
        struct word key, value;
        if (!scan_word(scan, "= ", &key) || !scan_text(scan, "="))
            return false;
        scan_blanks(scan); /* cval=               0 */
        if (!scan_word(scan, " ", &value))
            return false;
        const unsigned i = key_index(event->form, key);
        if (i < FIELDS_MAX && !take_key_value(value, &event->fields[i])) {
            *scan = before;
            return false;
        }
        if (i < FIELDS_MAX)
            event->present |= 1u << i;
        scan_blanks(scan);
    }
    return event->present == wanted_fields(event->form);
}

/* "key=", as nothing in the text of an event begins */
static bool has_keys(struct scan scan)
{
    struct word key;
    return scan_word(&scan, "= :,(", &key) && scan_text(&scan, "=");
}

/* trace-cmd takes the two that x86 has, too, for those, and says what it misses before the rest. */
static void skip_complaints(struct scan *scan)
{
    struct word field;
    for (;;) {
        struct scan trial = *scan;
        const bool is_complaint = (scan_text(&trial, "CAN'T FIND FIELD \"") &&
                                   scan_word(&trial, "\"", &field) && scan_text(&trial, "\"")) ||
                                  (scan_text(&trial, "<CANT FIND FIELD ") &&
                                   scan_word(&trial, ">", &field) && scan_text(&trial, ">"));
        if (!is_complaint)
            return;
        *scan = trial;
    }
}

static bool match(struct scan *scan, struct event *event)
{
    skip_complaints(scan);
    struct scan trial = *scan;
    if (scan_text(&trial, "[FAILED TO PARSE] ") || has_keys(*scan)) {
        *scan = trial;
        return match_keys(scan, event);
    }
    /* trace-cmd 3.1 cannot print this one, and shows a pc of 0. */
    if (strcmp(event->form->name, "kvm_wfx_arm64") == 0 &&
        scan_text(&trial, "guest executed wf>c< at: "))
        return true;
    return match_text(scan, event);
}

/* --- Lines ----------------------------------------------------------------------------------- */

/* "kvmtest-148", "kworker/0:1-12 ( 12)": the number behind the last hyphen. */
static bool take_pid(struct word task, uint64_t *pid)
{
    const char *end = task.text + task.length;
    while (end > task.text && end[-1] == ' ')
        end--;
    if (end > task.text && end[-1] == ')') {
        while (end > task.text && *end != '(')
            end--;
        while (end > task.text && end[-1] == ' ')
            end--;
    }
    const char *digits = end;
    while (digits > task.text && digits[-1] >= '0' && digits[-1] <= '9')
        digits--;
    struct scan scan = {digits, end};
    return digits > task.text && digits[-1] == '-' && scan_number(&scan, pid);
}

/* The "[001]" of a line, which stands behind the task's name: its place, or NULL. */
static const char *find_cpu(const struct scan *scan)
{
    for (const char *c = scan->at; c < scan->end; c++) {
        struct scan rest = {c, scan->end};
        uint64_t cpu;
        if (scan_text(&rest, "[") && scan_number(&rest, &cpu) && scan_text(&rest, "] "))
            return c;
    }
    return NULL;
}

/* "13.803050:", or the ticks of a clock that is no time. */
static bool take_time(struct scan *scan, struct moment *moment)
{
    struct scan s = *scan;
    uint64_t ticks;
    moment->has_time = scan_seconds(&s, &moment->time);
    if ((!moment->has_time && !scan_number(&s, &ticks)) || !scan_text(&s, ":"))
        return false;
    *scan = s;
    return true;
}

/* The third flag says which kind of interrupt's handler runs. */
static bool take_flags(struct scan *scan, struct moment *moment)
{
    struct word flags;
    if (!scan_word(scan, " :", &flags) || flags.length < 4)
        return false;
    moment->is_interrupt = flags.text[2] != '.';
    scan_blanks(scan);
    return true;
}

static bool take_moment(struct ftrace *ftrace, struct scan *scan, struct moment *moment)
{
    const char *cpu = find_cpu(scan);
    if (!cpu || !take_pid((struct word){scan->at, (size_t)(cpu - scan->at)}, &moment->pid))
        return import_refuse(ftrace->import, scan->at,
                             "expected an event, \"TASK-PID [CPU] seconds: event: ...\"");
    scan->at = cpu + 1;
    scan_number(scan, &moment->cpu);
    scan_text(scan, "]");
    scan_blanks(scan);
    if (take_time(scan, moment) || (take_flags(scan, moment) && take_time(scan, moment)))
        return true;
    return import_refuse(ftrace->import, scan->at, "expected the time, \"13.803050:\"");
}

static bool take_event(struct ftrace *ftrace, struct scan *scan)
{
    struct event event = {0};
    struct word name;
    if (!take_moment(ftrace, scan, &event.moment))
        return false;
    scan_blanks(scan);
    if (!scan_word(scan, ": ", &name) || !scan_text(scan, ":"))
        return import_refuse(ftrace->import, scan->at, "expected an event's name and a colon");
    event.form = find_form(name);
    if (!event.form) {
        import_pass_over(ftrace->import, "events that are in no record");
        return true;
    }
    scan_blanks(scan);
    if (!match(scan, &event))
        return import_refuse(ftrace->import, scan->at, "%s: expected \"%s\"", event.form->name,
                             event.form->text);
    struct task *task = find_task(ftrace, event.moment.pid);
    return event.form->take(ftrace, task, &event);
}

/*
 * Events are missing, on this CPU; and tasks move. What was pending goes out, and the record of the
 * gap tells that sequences end here.
 */
static void take_gap(struct ftrace *ftrace, uint64_t cpu, uint64_t count)
{
    struct trace_line line;
    struct effect_list *effects = effect_list_new();
    emit_exits(ftrace);
    for (size_t i = 0; i < ftrace->ntasks; i++)
        ftrace->tasks[i].has_vcpu = ftrace->tasks[i].has_timer_map = false;
    import_begin(ftrace->import, &line);
    line.cpu = cpu;
    line.has |= TRACE_HAS_CPU;
    struct trace_effect *effect = effect_event(effects, "gap", "events were lost", line.g0);
    if (count > 0)
        add_argument(effect, count);
    line_set_effects(&line, effects);
    import_emit(ftrace->import, &line);
    effect_list_free(effects);
}

/* "CPU:1 [LOST 12 EVENTS]", "CPU:1 [EVENTS DROPPED]", "##### CPU 1 buffer started ####" */
static bool is_gap(struct scan scan, uint64_t *cpu, uint64_t *count)
{
    *count = 0;
    if (scan_text(&scan, "##### CPU "))
        return scan_number(&scan, cpu) && scan_text(&scan, " buffer started");
    if (!scan_text(&scan, "CPU:") || !scan_number(&scan, cpu) || !scan_text(&scan, " ["))
        return false;
    scan_text(&scan, "LOST ");
    if (scan_number(&scan, count))
        scan_text(&scan, " ");
    return scan_text(&scan, "EVENTS");
}

/* What trace-cmd report writes beside events. */
static bool is_remark(struct scan scan)
{
    uint64_t number;
    if (scan_text(&scan, "cpus=") || scan_text(&scan, "version = "))
        return true;
    return scan_text(&scan, "CPU ") && scan_number(&scan, &number) && scan_text(&scan, " is empty");
}

static bool take_line(struct ftrace *ftrace, struct scan *scan)
{
    uint64_t cpu, count;
    struct scan start = *scan;
    scan_blanks(&start);
    if (scan_is_at_end(&start))
        return true;
    if (is_gap(start, &cpu, &count)) {
        take_gap(ftrace, cpu, count);
        return true;
    }
    if (is_remark(start))
        return ftrace->is_report ||
               import_refuse(ftrace->import, start.at, "a line of trace-cmd report, no ftrace");
    return *start.at == '#' || take_event(ftrace, &start);
}

static bool run(struct import *import, bool is_report)
{
    struct ftrace ftrace = {.import = import, .is_report = is_report};
    struct scan scan;
    bool good = true;
    while (good && import_next(import, &scan))
        good = take_line(&ftrace, &scan);
    emit_exits(&ftrace);
    for (size_t i = 0; i < ftrace.ntasks; i++)
        effect_list_free(ftrace.tasks[i].effects);
    free(ftrace.tasks);
    return good;
}

/* --- The two formats ------------------------------------------------------------------------- */

bool ftrace_run(struct import *import)
{
    return run(import, false);
}

bool trace_cmd_run(struct import *import)
{
    return run(import, true);
}

/* A line's prefix; `flags`: with the column of flags that tracefs shows. */
static bool is_event(struct scan scan, bool flags)
{
    struct moment moment = {0};
    const char *cpu = find_cpu(&scan);
    if (!cpu || !take_pid((struct word){scan.at, (size_t)(cpu - scan.at)}, &moment.pid))
        return false;
    scan.at = cpu + 1;
    scan_number(&scan, &moment.cpu);
    scan_text(&scan, "]");
    scan_blanks(&scan);
    if (!flags)
        return take_time(&scan, &moment);
    return !take_time(&scan, &moment) && take_flags(&scan, &moment) && take_time(&scan, &moment);
}

bool ftrace_recognises(const char *text, size_t length)
{
    const struct scan scan = {text, text + length};
    struct scan start = scan;
    return scan_text(&start, "# tracer: ") || is_event(scan, true);
}

bool trace_cmd_recognises(const char *text, size_t length)
{
    const struct scan scan = {text, text + length};
    return is_remark(scan) || is_event(scan, false);
}
