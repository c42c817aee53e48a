/* SPDX-License-Identifier: GPL-2.0-only */
#include "convert/kvm_records.h"

#include <stdlib.h>
#include <string.h>

#include "base/diag.h"

enum { EFFECTS_OF_AN_EXIT = 64 };
enum { EXIT_INTERRUPT, EXIT_SERROR, EXIT_TRAP, EXIT_HYP_GONE = 0xbadca11 };

/* A thread of the host; between its kvm_exit and its kvm_entry the exit's record. */
struct task {
    const struct machine *machine;
    bool has_pid;
    uint64_t pid;
    bool has_exit;
    bool is_bare;  /* the exit's kvm_exit was not recorded; other events tell of it */
    bool is_asked; /* a read of a bare exit, without its answer */
    struct trace_line line;
    struct effect_list *effects;
    bool has_timer_map; /* the last timer event was kvm_get_timer_map, of vCPU `timer_vcpu` */
    uint64_t timer_vcpu;
    bool has_vcpu; /* the vCPU that it has loaded is `vcpu` */
    uint64_t vcpu;
};

/* One of several that a report is of, by the name of its file. */
struct machine {
    struct machine *next;
    size_t length;
    char name[];
};

struct kvm_records {
    struct import *import;
    struct machine *machines;
    struct task *tasks;
    size_t ntasks;
    bool has_exits; /* kvm_exit is among the events that were recorded */
};

/* --- Tasks ----------------------------------------------------------------------------------- */

static const struct machine *find_machine(struct kvm_records *records, struct word name)
{
    if (name.length == 0)
        return NULL;
    for (struct machine *machine = records->machines; machine; machine = machine->next) {
        if (machine->length == name.length && memcmp(machine->name, name.text, name.length) == 0)
            return machine;
    }
    struct machine *machine = calloc(1, sizeof *machine + name.length + 1);
    if (!machine)
        no_memory();
    machine->next = records->machines;
    machine->length = name.length;
    memcpy(machine->name, name.text, name.length);
    records->machines = machine;
    return machine;
}

static struct task *find_task(struct kvm_records *records, const struct kvm_moment *moment)
{
    const struct machine *machine = find_machine(records, moment->machine);
    for (size_t i = 0; i < records->ntasks; i++) {
        struct task *task = &records->tasks[i];
        if (task->machine == machine && task->has_pid == moment->has_pid &&
            task->pid == moment->pid)
            return task;
    }
    records->tasks = realloc(records->tasks, (records->ntasks + 1) * sizeof *records->tasks);
    if (!records->tasks)
        no_memory();
    struct task *task = &records->tasks[records->ntasks++];
    *task = (struct task){.machine = machine,
                          .has_pid = moment->has_pid,
                          .pid = moment->pid,
                          .effects = effect_list_new()};
    return task;
}

static void emit_exit(struct kvm_records *records, struct task *task)
{
    if (!task->has_exit)
        return;
    line_set_effects(&task->line, task->effects);
    import_emit(records->import, &task->line);
    task->has_exit = task->is_bare = task->is_asked = false;
}

/* All exits that are still without an entry, in their order. */
static void emit_exits(struct kvm_records *records)
{
    for (;;) {
        struct task *first = NULL;
        for (size_t i = 0; i < records->ntasks; i++) {
            struct task *task = &records->tasks[i];
            if (task->has_exit && (!first || task->line.seq < first->line.seq))
                first = task;
        }
        if (!first)
            return;
        emit_exit(records, first);
    }
}

/* --- Records --------------------------------------------------------------------------------- */

static bool has(const struct kvm_event *event, unsigned i)
{
    return event->present >> i & 1;
}

static const char *name_of(const struct kvm_event *event)
{
    return event->form->called ? event->form->called : event->form->name;
}

static void begin(struct kvm_records *records, const struct task *task,
                  const struct kvm_moment *moment, struct trace_line *line,
                  struct effect_list *effects)
{
    import_begin(records->import, line);
    line->has |= TRACE_HAS_TO | (moment->has_cpu ? TRACE_HAS_CPU : 0) |
                 (moment->has_pid ? TRACE_HAS_TASK : 0) | (moment->has_time ? TRACE_HAS_TIME : 0);
    line->cpu = moment->cpu;
    line->task = moment->pid;
    line->time = moment->time;
    if (task->has_vcpu)
        registers_set(&line->in, TRACE_REG_vcpuid, task->vcpu);
    effect_list_clear(effects);
    if (task->machine)
        effect_event(effects, "machine", task->machine->name, line->g0);
    if (!moment->has_pid)
        import_pass_over(records->import,
                         "events without task and CPU, of a vCPU that is not known");
}

static struct word no_word(void)
{
    return (struct word){"", 0};
}

/* An exit's record, of which an event tells. */
static void begin_exit(struct kvm_records *records, struct task *task,
                       const struct kvm_event *event)
{
    emit_exit(records, task);
    begin(records, task, &event->moment, &task->line, task->effects);
    task->has_exit = true;
    task->line.kind = TRACE_KIND_guest_exit;
    task->line.to = TRACE_TO_host;
}

static void set_trap(struct task *task)
{
    task->line.has |= TRACE_HAS_EXIT_CODE;
    task->line.exit_code = EXIT_TRAP;
}

/* Of an exit that was recorded, and whose kvm_exit was not: the event itself tells of a trap. */
static void begin_bare(struct kvm_records *records, struct task *task,
                       const struct kvm_event *event)
{
    begin_exit(records, task, event);
    task->is_bare = true;
    set_trap(task);
}

/* What of an event alone makes a record, `pc` being the number of its field, or KVM_FIELDS_MAX. */
static void want_exit(struct kvm_records *records, struct task *task, const struct kvm_event *event,
                      unsigned pc)
{
    const bool has_pc = pc < KVM_FIELDS_MAX && has(event, pc);
    /* Without columns it may be another vCPU's; the pc tells. */
    const bool is_other = !event->moment.has_pid && has_pc && task->has_exit && !task->is_bare &&
                          task->line.in.values[TRACE_REG_elr] != event->fields[pc].value;
    if (!task->has_exit || task->is_bare || is_other) {
        begin_bare(records, task, event);
        if (has_pc)
            registers_set(&task->line.in, TRACE_REG_elr, event->fields[pc].value);
    } else if (!(task->line.has & TRACE_HAS_EXIT_CODE)) {
        set_trap(task);
    }
}

/* The event as an effect of the task's exit, with a word of it. */
static struct trace_effect *note(struct kvm_records *records, struct task *task,
                                 const struct kvm_event *event, struct word word)
{
    if (!task->has_exit) {
        import_pass_over(records->import, "events outside an exit");
        return NULL;
    }
    const char *text = word.length > 0 ? effect_text(task->effects, word) : NULL;
    struct trace_effect *effect =
        effect_event(task->effects, name_of(event), text, import_line_number(records->import));
    task->line.g1 = effect->g;
    return effect;
}

static void add_argument(struct trace_effect *effect, uint64_t value)
{
    struct trace_list *args = &effect->event.args;
    args->values[args->count++] = value;
}

/* --- kvm_exit and kvm_entry ------------------------------------------------------------------ */

/* What the first word says; false if it is none that has a number in AArch64's KVM. */
static bool exit_code(const struct kvm_field *field, uint64_t *code)
{
    static const struct {
        const char *name;
        uint64_t code;
    } names[] = {{"IRQ", EXIT_INTERRUPT},
                 {"SERROR", EXIT_SERROR},
                 {"TRAP", EXIT_TRAP},
                 {"HVC", EXIT_TRAP}, /* 32-bit Arm's name for a trap */
                 {"HYP_GONE", EXIT_HYP_GONE}};
    const struct word word = field->word;
    *code = field->value;
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

/* Its arguments are the code, the class and the pc, as far as the kernel's version has them. */
static void take_exit(struct kvm_records *records, struct task *task, const struct kvm_event *event)
{
    uint64_t code = 0;
    const bool has_code = has(event, 0) && exit_code(&event->fields[0], &code);
    records->has_exits = true;
    begin_exit(records, task, event);
    registers_set(&task->line.in, TRACE_REG_elr, event->fields[3].value);
    const struct word name = has(event, 2) ? event->fields[2].word : no_word();
    struct trace_effect *effect = note(records, task, event, name);
    if (has_code) {
        task->line.has |= TRACE_HAS_EXIT_CODE;
        task->line.exit_code = code;
        add_argument(effect, code);
        add_argument(effect, event->fields[1].value);
        add_argument(effect, event->fields[3].value);
    }
    if (has_code && code == EXIT_TRAP && name.length > 0)
        task->line.ec = effect->event.text;
}

/* Who called into EL2, if anybody had to, the event does not say. */
static void take_entry(struct kvm_records *records, struct task *task,
                       const struct kvm_event *event)
{
    struct trace_line line;
    emit_exit(records, task);
    begin(records, task, &event->moment, &line, task->effects);
    line.to = TRACE_TO_guest;
    line.has |= TRACE_HAS_OUT;
    registers_set(&line.out, TRACE_REG_elr, event->fields[0].value);
    line_set_effects(&line, task->effects);
    import_emit(records->import, &line);
}

/* --- What happens to an exit ----------------------------------------------------------------- */

/* The fields as they are. A thread that never enters a guest again does not gather events. */
static void take_note(struct kvm_records *records, struct task *task, const struct kvm_event *event)
{
    struct word word = no_word();
    if (task->has_exit && task->effects->count >= EFFECTS_OF_AN_EXIT) {
        import_pass_over(records->import, "events beyond 64 of one exit");
        return;
    }
    for (unsigned i = 0; i < KVM_FIELDS_MAX; i++) {
        if (has(event, i) && event->fields[i].word.text)
            word = event->fields[i].word;
    }
    struct trace_effect *effect = note(records, task, event, word);
    for (unsigned i = 0; effect && i < KVM_FIELDS_MAX; i++) {
        if (has(event, i) && !event->fields[i].word.text)
            add_argument(effect, event->fields[i].value);
    }
}

/* What an exit's registers were, told by a later event of it. */
static void add_register(struct task *task, enum trace_register reg, uint64_t value)
{
    if (!(task->line.in.present >> reg & 1))
        registers_set(&task->line.in, reg, value);
}

/* HPFAR_EL2 holds bits 47:12 of the address from bit 4 on. */
static void take_fault(struct kvm_records *records, struct task *task,
                       const struct kvm_event *event)
{
    want_exit(records, task, event, 3);
    add_register(task, TRACE_REG_esr, event->fields[1].value);
    add_register(task, TRACE_REG_far, event->fields[2].value);
    add_register(task, TRACE_REG_hpfar, event->fields[0].value >> 12 << 4);
    take_note(records, task, event);
}

static void take_syndrome(struct kvm_records *records, struct task *task,
                          const struct kvm_event *event)
{
    want_exit(records, task, event, KVM_FIELDS_MAX);
    add_register(task, TRACE_REG_esr, event->fields[0].value);
    take_note(records, task, event);
}

static void take_call(struct kvm_records *records, struct task *task, const struct kvm_event *event)
{
    want_exit(records, task, event, 0);
    task->line.in.x[0] = event->fields[1].value;
    task->line.in.x_present |= 1;
    take_note(records, task, event);
}

/* Has the bare exit a syndrome and nothing else yet? Then the access is of it. */
static bool is_syndrome_alone(const struct task *task)
{
    const uint32_t elr = 1u << TRACE_REG_elr, esr = 1u << TRACE_REG_esr;
    return task->has_exit && task->is_bare && (task->line.in.present & (elr | esr)) == esr;
}

/* The register's encoding and 1 for a write; its name, if it is there. */
static void take_sysreg(struct kvm_records *records, struct task *task,
                        const struct kvm_event *event)
{
    const struct kvm_field *direction = &event->fields[7];
    const bool is_write =
        direction->word.text ? word_is(direction->word, "write") : direction->value;
    if (is_syndrome_alone(task))
        add_register(task, TRACE_REG_elr, event->fields[0].value);
    else
        want_exit(records, task, event, 0);
    struct trace_effect *effect =
        note(records, task, event, has(event, 1) ? event->fields[1].word : no_word());
    add_argument(effect, event->fields[0].value);
    for (unsigned i = 2; i < 7; i++)
        add_argument(effect, event->fields[i].value);
    add_argument(effect, is_write);
}

static void take_wfx(struct kvm_records *records, struct task *task, const struct kvm_event *event)
{
    const struct kvm_field *which = &event->fields[0];
    struct word word = which->word;
    want_exit(records, task, event, 1);
    if (has(event, 0) && !word.text)
        word = (struct word){which->value ? "wfe" : "wfi", 3};
    struct trace_effect *effect = note(records, task, event, has(event, 0) ? word : no_word());
    if (has(event, 1))
        add_argument(effect, event->fields[1].value);
}

enum { MMIO_ASKED, MMIO_READ, MMIO_WRITE };

/* -1 for none of the three */
static int mmio_type(const struct kvm_field *field)
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

/* Is the bare exit one of a data abort, whose access has not come yet? */
static bool awaits_access(const struct task *task)
{
    enum { CLASS_SHIFT = 26, CLASS_MASK = 0x3f, CLASS_DABT_LOW = 0x24 };
    const bool has_syndrome = task->line.in.present >> TRACE_REG_esr & 1;
    const uint64_t class = task->line.in.values[TRACE_REG_esr] >> CLASS_SHIFT & CLASS_MASK;
    for (size_t i = 0; i < task->effects->count; i++) {
        if (task->effects->effects[i].kind == TRACE_mmio)
            return false;
    }
    return has_syndrome && class == CLASS_DABT_LOW;
}

/* Where a recording has no kvm_exit, each access but an answer is of an exit of its own. */
static void want_access(struct kvm_records *records, struct task *task,
                        const struct kvm_event *event, int type)
{
    if (records->has_exits)
        return;
    const bool is_answer = type == MMIO_READ && task->is_asked;
    if (!task->has_exit || !(is_answer || awaits_access(task)))
        begin_bare(records, task, event);
    task->is_asked = type == MMIO_ASKED;
}

/* A read is told twice, first without its value. */
static void take_mmio(struct kvm_records *records, struct task *task, const struct kvm_event *event)
{
    const int type = mmio_type(&event->fields[0]);
    if (type < 0) {
        import_pass_over(records->import, "kvm_mmio of a type that is not known");
        return;
    }
    want_access(records, task, event, type);
    if (!task->has_exit) {
        import_pass_over(records->import, "events outside an exit");
        return;
    }
    uint32_t present = EFFECT_HAS(mmio, write) | EFFECT_HAS(mmio, addr) | EFFECT_HAS(mmio, len);
    if (type != MMIO_ASKED)
        present |= EFFECT_HAS(mmio, val);
    const uint64_t line = import_line_number(records->import);
    struct trace_effect *effect = effect_new(task->effects, TRACE_mmio, present, line);
    task->line.g1 = line;
    effect->mmio = (struct trace_mmio){.write = type == MMIO_WRITE,
                                       .addr = event->fields[2].value,
                                       .len = event->fields[1].value,
                                       .val = event->fields[3].value};
}

/* --- vCPUs ----------------------------------------------------------------------------------- */

/*
 * A thread loads a vCPU before it runs it, and then KVM asks which timers the vCPU has
 * (kvm_get_timer_map) and restores one of them (kvm_timer_restore_state). Other events name vCPUs,
 * too, but not only the thread's own.
 */
static void take_timer_map(struct kvm_records *records, struct task *task,
                           const struct kvm_event *event)
{
    import_pass_over(records->import, "events of timers");
    if (event->moment.is_interrupt || !has(event, 0))
        return;
    task->has_timer_map = true;
    task->timer_vcpu = event->fields[0].value;
}

static void take_timer_restore(struct kvm_records *records, struct task *task,
                               const struct kvm_event *event)
{
    import_pass_over(records->import, "events of timers");
    if (event->moment.is_interrupt || !task->has_timer_map)
        return;
    task->has_vcpu = true;
    task->vcpu = task->timer_vcpu;
}

/* The vCPU is put; until another one is loaded the thread runs none. */
static void take_timer_save(struct kvm_records *records, struct task *task,
                            const struct kvm_event *event)
{
    (void)event;
    import_pass_over(records->import, "events of timers");
    task->has_timer_map = false;
}

/* --- All ------------------------------------------------------------------------------------- */

struct kvm_records *kvm_records_new(struct import *import)
{
    struct kvm_records *records = calloc(1, sizeof *records);
    if (!records)
        no_memory();
    records->import = import;
    return records;
}

void kvm_records_take(struct kvm_records *records, const struct kvm_event *event)
{
    static void (*const takers[])(struct kvm_records *, struct task *, const struct kvm_event *) = {
        [KVM_EXIT] = take_exit,
        [KVM_ENTRY] = take_entry,
        [KVM_FAULT] = take_fault,
        [KVM_MMIO] = take_mmio,
        [KVM_CALL] = take_call,
        [KVM_SYNDROME] = take_syndrome,
        [KVM_SYSREG] = take_sysreg,
        [KVM_WFX] = take_wfx,
        [KVM_NOTE] = take_note,
        [KVM_TIMER_MAP] = take_timer_map,
        [KVM_TIMER_RESTORE] = take_timer_restore,
        [KVM_TIMER_SAVE] = take_timer_save,
    };
    takers[event->form->kind](records, find_task(records, &event->moment), event);
}

/*
 * Events are missing, on one CPU; and tasks move. What was pending goes out, and the record of the
 * gap tells that sequences end here.
 */
void kvm_records_gap(struct kvm_records *records, const char *why, const uint64_t *cpu,
                     uint64_t count)
{
    emit_exits(records);
    for (size_t i = 0; i < records->ntasks; i++)
        records->tasks[i].has_vcpu = records->tasks[i].has_timer_map = false;
    import_gap(records->import, why, cpu, count);
}

void kvm_records_end(struct kvm_records *records)
{
    emit_exits(records);
    for (size_t i = 0; i < records->ntasks; i++)
        effect_list_free(records->tasks[i].effects);
    while (records->machines) {
        struct machine *machine = records->machines;
        records->machines = machine->next;
        free(machine);
    }
    free(records->tasks);
    free(records);
}
