/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "foreign/foreign_checker.h"
#include "foreign/foreign_sequence.h"

/*
 * Checks of records against those before them on the same CPU, or of the same thread of the host.
 * Where events were lost everything begins anew.
 */

/* What is kept of a CPU's last record: where it came from, where it went. */
struct cpu_state {
    unsigned machine;
    uint64_t number;
    bool has_time;
    uint64_t latest; /* the time of the record with the highest g0 so far */
    uint64_t latest_g0;
    bool has_last;
    bool has_ended; /* the end of the last stay is in the recording */
    bool has_out;
    char owner;    /* of the last vector: 'h' host, 'g' guest, else 0 */
    bool is_call;  /* the last was a hypercall of the host's */
    bool is_fault; /* or a stage-2 fault of it */
    uint64_t line;
    uint64_t elr;
    uint64_t out;
    bool has_run; /* the host's call that entered the guest */
    uint64_t run_elr;
};

/* A thread's last kvm_exit or kvm_entry. */
struct task_state {
    unsigned machine;
    uint64_t number;
    enum { TASK_UNKNOWN, TASK_IN_GUEST, TASK_IN_HOST } place;
    uint64_t cpu;
    uint64_t line;
    /* of the last exit */
    enum exception_type type;
    uint64_t class;
    uint64_t pc;
    bool has_mmio;
    bool is_asked; /* a read without its answer */
    bool was_in_user_space;
    bool may_jump;   /* a call that ends, suspends or resets the vCPU */
    bool is_nested;  /* the guest has guests: its hypervisor's vectors are other ones */
    bool is_aarch32; /* the guest, as its exits show */
};

/* A guest's syndrome, by the VM's table and the vCPU's number. */
struct vcpu_state {
    uint64_t vttbr;
    uint64_t vmpidr;
    bool has_esr;
    uint64_t esr;
};

struct foreign_sequences {
    bool has_exits; /* kvm_exit is recorded */
    bool has_entries;
    bool has_other_events; /* not kvm_exit and kvm_entry alone: what user space does is seen */
    char **machines;
    unsigned nmachines;
    struct vcpu_state *vcpus;
    size_t nvcpus;
    struct cpu_state *cpus;
    size_t ncpus;
    struct task_state *tasks;
    size_t ntasks;
};

static void *grow(void *array, size_t count, size_t size)
{
    void *grown = realloc(array, count * size);
    if (!grown)
        no_memory();
    memset((char *)grown + (count - 1) * size, 0, size);
    return grown;
}

struct foreign_sequences *sequences_new(void)
{
    return grow(NULL, 1, sizeof(struct foreign_sequences));
}

void sequences_free(struct foreign_sequences *sequences)
{
    if (!sequences)
        return;
    for (unsigned i = 0; i < sequences->nmachines; i++)
        free(sequences->machines[i]);
    free(sequences->machines);
    free(sequences->cpus);
    free(sequences->tasks);
    free(sequences->vcpus);
    free(sequences);
}

/* A number for each recording of a report of several, from 1 on; 0 without. */
static unsigned find_machine(struct foreign_sequences *sequences, const struct trace_line *line)
{
    const char *name = record_machine(line);
    if (!name)
        return 0;
    for (unsigned i = 0; i < sequences->nmachines; i++) {
        if (strcmp(sequences->machines[i], name) == 0)
            return i + 1;
    }
    sequences->machines =
        grow(sequences->machines, ++sequences->nmachines, sizeof *sequences->machines);
    char *copy = strdup(name);
    if (!copy)
        no_memory();
    sequences->machines[sequences->nmachines - 1] = copy;
    return sequences->nmachines;
}

static struct cpu_state *find_cpu(struct foreign_sequences *sequences, unsigned machine,
                                  uint64_t number)
{
    for (size_t i = 0; i < sequences->ncpus; i++) {
        if (sequences->cpus[i].number == number && sequences->cpus[i].machine == machine)
            return &sequences->cpus[i];
    }
    sequences->cpus = grow(sequences->cpus, ++sequences->ncpus, sizeof *sequences->cpus);
    struct cpu_state *cpu = &sequences->cpus[sequences->ncpus - 1];
    cpu->machine = machine;
    cpu->number = number;
    return cpu;
}

static struct task_state *find_task(struct foreign_sequences *sequences, unsigned machine,
                                    uint64_t number)
{
    for (size_t i = 0; i < sequences->ntasks; i++) {
        if (sequences->tasks[i].number == number && sequences->tasks[i].machine == machine)
            return &sequences->tasks[i];
    }
    sequences->tasks = grow(sequences->tasks, ++sequences->ntasks, sizeof *sequences->tasks);
    struct task_state *task = &sequences->tasks[sequences->ntasks - 1];
    task->machine = machine;
    task->number = number;
    return task;
}

static void forget(struct foreign_sequences *sequences)
{
    sequences->ncpus = 0;
    sequences->ntasks = 0;
    sequences->nvcpus = 0;
}

/* --- Time ------------------------------------------------------------------------------------ */

/*
 * Records stand in the order in which they ended, and have the time at which they began; one that
 * began before the latest known may not be later than it.
 */
static void check_time(struct checker *checker, struct cpu_state *cpu,
                       const struct trace_line *line)
{
    if (!(line->has & TRACE_HAS_TIME) || !(line->has & TRACE_HAS_EVENTS)) {
        check_open(checker, CHECK_time_rises, "the recording has no time");
        return;
    }
    const bool is_newer = line->g0 > cpu->latest_g0;
    if (cpu->has_time)
        check_that(checker, CHECK_time_rises,
                   is_newer ? line->time >= cpu->latest : line->time <= cpu->latest,
                   "%" PRIu64 " ns, and line %" PRIu64 " of this CPU has %" PRIu64, line->time,
                   cpu->latest_g0, cpu->latest);
    if (cpu->has_time && !is_newer)
        return;
    cpu->has_time = true;
    cpu->latest = line->time;
    cpu->latest_g0 = line->g0;
}

/* --- Stays at EL2, per CPU ------------------------------------------------------------------- */

static char owner_of(const struct trace_line *line)
{
    if (strncmp(line->vector, "host_", 5) == 0)
        return 'h';
    return strncmp(line->vector, "guest_", 6) == 0 ? 'g' : 0;
}

/* It may record returns, but not of all code. */
static bool is_capture(const struct checker *checker)
{
    return strcmp(checker->format, "capture") == 0;
}

static void check_left(struct checker *checker, const struct cpu_state *cpu)
{
    if (is_capture(checker) && !cpu->has_ended)
        check_open(checker, CHECK_cpu_sequence, "the end of the stay before is not recorded");
    else if (!cpu->has_last)
        check_open(checker, CHECK_cpu_sequence, "the first of its CPU");
    else
        check_that(checker, CHECK_cpu_sequence, cpu->has_ended,
                   "CPU %" PRIu64 " entered EL2 at line %" PRIu64 " and has not left it since",
                   cpu->number, cpu->line);
}

/* Four vectors of EL1 are for synchronous exceptions; which one depends on the guest. */
static bool is_sync_vector(uint64_t pc)
{
    return (pc & 0x1ff) == 0;
}

/*
 * Where the last stay went, as is clear when the CPU comes back. Linux KVM without VHE: a call of
 * the host either comes back to the host, or enters a guest, whose exits come back to where that
 * call came from, if EL2 does not handle them by itself. With VHE nothing enters a guest by a call.
 */
static void check_last_return(struct checker *checker, const struct cpu_state *cpu, char owner)
{
    if (!cpu->has_last || !cpu->owner || !owner)
        return;
    if (!cpu->has_out) {
        check_open(checker, CHECK_return_address,
                   cpu->has_ended ? "which of several CPUs returned is not clear"
                                  : "the end of the stay before is not recorded");
        return;
    }
    const bool goes_on =
        cpu->out == cpu->elr || cpu->out == cpu->elr + 4 || is_sync_vector(cpu->out);
    if (cpu->owner == 'h' && owner == 'h' && cpu->is_call)
        check_that(checker, CHECK_return_address, cpu->out == cpu->elr,
                   "the host called from 0x%" PRIx64 " (line %" PRIu64
                   ") and went on at 0x%" PRIx64,
                   cpu->elr, cpu->line, cpu->out);
    else if (cpu->owner == 'h' && owner == 'h' && cpu->is_fault)
        check_that(checker, CHECK_return_address, goes_on,
                   "the host faulted at 0x%" PRIx64 " (line %" PRIu64 ") and went on at 0x%" PRIx64,
                   cpu->elr, cpu->line, cpu->out);
    else if (cpu->owner == 'g' && owner == 'g' && cpu->has_run)
        check_that(checker, CHECK_return_address, goes_on,
                   "the guest was at 0x%" PRIx64 " (line %" PRIu64 ") and went on at 0x%" PRIx64,
                   cpu->elr, cpu->line, cpu->out);
    else if (cpu->owner == 'g' && cpu->has_run)
        check_that(checker, CHECK_return_address, cpu->out == cpu->run_elr,
                   "the exit at line %" PRIu64 " went to 0x%" PRIx64
                   ", the guest was entered from 0x%" PRIx64,
                   cpu->line, cpu->out, cpu->run_elr);
}

static void note_stay(struct cpu_state *cpu, const struct trace_line *line, char owner)
{
    if (cpu->has_last && cpu->owner == 'h' && cpu->is_call && owner == 'g' && cpu->has_ended) {
        cpu->has_run = true;
        cpu->run_elr = cpu->elr;
    }
    cpu->has_last = true;
    cpu->has_out = line->has & TRACE_HAS_OUT && line->out.present >> TRACE_REG_elr & 1;
    cpu->has_ended = cpu->has_out || record_event(line, "returned");
    cpu->owner = owner;
    cpu->is_call = line->kind == TRACE_KIND_host_hvc;
    cpu->is_fault = line->kind == TRACE_KIND_host_npt;
    cpu->line = line->g0;
    cpu->elr = record_get(line, TRACE_REG_elr);
    cpu->out = line->out.values[TRACE_REG_elr];
}

static struct vcpu_state *find_vcpu(struct foreign_sequences *sequences, uint64_t vttbr,
                                    uint64_t vmpidr)
{
    for (size_t i = 0; i < sequences->nvcpus; i++) {
        struct vcpu_state *vcpu = &sequences->vcpus[i];
        if (vcpu->vttbr == vttbr && vcpu->vmpidr == vmpidr)
            return vcpu;
    }
    sequences->vcpus = grow(sequences->vcpus, ++sequences->nvcpus, sizeof *sequences->vcpus);
    struct vcpu_state *vcpu = &sequences->vcpus[sequences->nvcpus - 1];
    *vcpu = (struct vcpu_state){.vttbr = vttbr, .vmpidr = vmpidr};
    return vcpu;
}

/*
 * What the guest reads in ESR_EL1, each time that it has changed. A vCPU begins with an unknown
 * value.
 */
static void check_guest_syndrome(struct checker *checker, const struct trace_line *line)
{
    uint64_t esr;
    if (line->kind != TRACE_KIND_guest_exit)
        return;
    if (!record_register(line, "ESR_EL1", &esr) || !record_has(line, TRACE_REG_vttbr) ||
        !record_has(line, TRACE_REG_vmpidr)) {
        check_open(checker, CHECK_guest_syndrome, "ESR_EL1 is not recorded");
        return;
    }
    struct vcpu_state *vcpu = find_vcpu(checker->sequences, record_get(line, TRACE_REG_vttbr),
                                        record_get(line, TRACE_REG_vmpidr));
    const bool is_first = !vcpu->has_esr;
    const bool is_new = is_first || vcpu->esr != esr;
    vcpu->has_esr = true;
    vcpu->esr = esr;
    if (is_first)
        check_open(checker, CHECK_guest_syndrome, "the vCPU's first value");
    else if (is_new)
        check_that(checker, CHECK_guest_syndrome, esr >> 56 == 0, "ESR_EL1 0x%" PRIx64, esr);
}

static void check_stay(struct checker *checker, struct cpu_state *cpu,
                       const struct trace_line *line)
{
    const bool is_hyp32 = strncmp(line->vector, "hyp32_", 6) == 0; /* without an end */
    if (record_source(line) == SOURCE_EL2 || record_level(line) != 2 || is_hyp32)
        return;
    const char owner = owner_of(line);
    check_left(checker, cpu);
    check_last_return(checker, cpu, owner);
    note_stay(cpu, line, owner);
}

/* --- kvm_exit and kvm_entry, per thread ------------------------------------------------------ */

/* PSCI's functions from which a vCPU does not simply come back, in their 32-bit and 64-bit form. */
static bool is_power_call(uint64_t function)
{
    enum { CPU_SUSPEND = 1, CPU_OFF = 2, SYSTEM_OFF = 8, SYSTEM_RESET = 9, SYSTEM_SUSPEND = 14 };
    enum { SYSTEM_RESET2 = 18 };
    const uint64_t number = function & 0x1f;
    return (function & 0xbfffffe0) == 0x84000000 &&
           (number == CPU_SUSPEND || number == CPU_OFF || number == SYSTEM_OFF ||
            number == SYSTEM_RESET || number == SYSTEM_SUSPEND || number == SYSTEM_RESET2);
}

/* Classes that AArch32 alone has. */
static bool is_of_aarch32(uint64_t class)
{
    return (class >= 0x03 && class <= 0x06) || class == 0x08 || class == 0x0c || class == 0x11 ||
           class == CLASS_HVC32 || class == CLASS_SMC32;
}

/* An instruction of 16 bits, as AArch64 has none: IL says so, or its address. */
static bool is_at_short_instruction(const struct trace_line *line)
{
    enum { IL_SHIFT = 25 };
    const bool is_short = record_type(line) == TYPE_SYNC && record_has(line, TRACE_REG_esr) &&
                          !(record_get(line, TRACE_REG_esr) >> IL_SHIFT & 1);
    return is_short || record_get(line, TRACE_REG_elr) & 2;
}

static void note_exit(struct task_state *task, const struct trace_line *line)
{
    task->place = TASK_IN_HOST;
    task->type = record_type(line);
    if (!record_class(line, &task->class))
        task->class = 0;
    task->pc = record_get(line, TRACE_REG_elr);
    task->has_mmio = task->is_asked = false;
    for (size_t i = 0; i < line->nfx; i++) {
        if (line->fx[i].kind != TRACE_mmio)
            continue;
        task->has_mmio = true;
        if (!line->fx[i].mmio.write)
            task->is_asked = !(line->fx[i].present & 1u << TRACE_AT_mmio_val);
    }
    task->was_in_user_space = record_event(line, "kvm_userspace_exit");
    task->is_nested = task->is_nested || task->class == CLASS_ERET ||
                      record_event(line, "kvm_nested_eret") ||
                      record_event(line, "kvm_inject_nested_exception");
    task->is_aarch32 =
        task->is_aarch32 || is_of_aarch32(task->class) || is_at_short_instruction(line);
    const bool is_call = task->class == CLASS_HVC64 || task->class == CLASS_SMC64;
    const bool has_function = line->in.x_present & 1;
    task->may_jump = is_call && (!has_function || is_power_call(line->in.x[0]));
}

/* What the architecture lets the guest's pc become; NULL: it may be anything. */
static const char *allowed_pcs(const struct task_state *task, bool *may_skip)
{
    *may_skip = false;
    if (task->type == TYPE_IRQ || task->type == TYPE_FIQ)
        return "an interrupt";
    if (task->type != TYPE_SYNC)
        return NULL;
    switch (task->class) {
    case CLASS_HVC64: return "an HVC";
    case CLASS_WFX:
    case CLASS_SYS64:
    case CLASS_SMC64: *may_skip = true; return "a trapped instruction";
    case CLASS_IABT_LOW: return "a stage-2 fault";
    case CLASS_DABT_LOW: *may_skip = task->has_mmio; return "a stage-2 fault";
    default: return NULL;
    }
}

static void check_next_pc(struct checker *checker, const struct task_state *task, uint64_t pc)
{
    bool may_skip;
    const char *what = allowed_pcs(task, &may_skip);
    if (!checker->sequences->has_other_events)
        check_open(checker, CHECK_next_pc,
                   "kvm_exit and kvm_entry alone are recorded, not what user space did");
    else if (task->is_nested)
        check_open(checker, CHECK_next_pc, "a guest with guests of its own");
    else if (task->is_aarch32)
        check_open(checker, CHECK_next_pc, "a guest in AArch32");
    else if (task->was_in_user_space)
        check_open(checker, CHECK_next_pc, "user space ran in between");
    else if (task->may_jump)
        check_open(checker, CHECK_next_pc, "a call that may stop or reset the vCPU");
    else if (!what)
        check_open(checker, CHECK_next_pc, "an exit that decides nothing");
    else
        check_that(checker, CHECK_next_pc,
                   pc == task->pc || (may_skip && pc == task->pc + 4) ||
                       (task->type == TYPE_SYNC && is_sync_vector(pc)),
                   "after %s at 0x%" PRIx64 " (line %" PRIu64 ") the guest goes on at 0x%" PRIx64,
                   what, task->pc, task->line, pc);
}

static void check_entry_of_task(struct checker *checker, const struct task_state *task,
                                const struct trace_line *line)
{
    const uint64_t pc = line->out.values[TRACE_REG_elr];
    if (task->place == TASK_UNKNOWN) {
        check_open(checker, CHECK_task_sequence, "the first of its thread");
        check_open(checker, CHECK_next_pc, "the first of its thread");
        return;
    }
    if (!checker->sequences->has_exits) {
        check_open(checker, CHECK_task_sequence, "kvm_exit is not recorded");
        return;
    }
    check_that(checker, CHECK_task_sequence, task->place == TASK_IN_HOST,
               "kvm_entry of thread %" PRIu64 ", whose last event, at line %" PRIu64
               ", is kvm_entry, too",
               task->number, task->line);
    if (task->place != TASK_IN_HOST)
        return;
    check_next_pc(checker, task, pc);
    if (task->is_asked)
        check_that(checker, CHECK_mmio_pair, false,
                   "the read asked for at line %" PRIu64 " has no answer", task->line);
}

static void check_exit_of_task(struct checker *checker, const struct task_state *task,
                               const struct trace_line *line)
{
    if (task->place == TASK_UNKNOWN)
        check_open(checker, CHECK_task_sequence, "the first of its thread");
    else if (!checker->sequences->has_entries)
        check_open(checker, CHECK_task_sequence, "kvm_entry is not recorded");
    else if (task->place == TASK_IN_HOST)
        check_that(checker, CHECK_task_sequence, false,
                   "kvm_exit of thread %" PRIu64 ", whose last event, at line %" PRIu64
                   ", is kvm_exit, too",
                   task->number, task->line);
    else
        check_that(checker, CHECK_task_sequence, task->cpu == line->cpu,
                   "thread %" PRIu64 " entered the guest on CPU %" PRIu64 " (line %" PRIu64
                   ") and left it on CPU %" PRIu64,
                   task->number, task->cpu, task->line, line->cpu);
}

static void check_task(struct checker *checker, const struct trace_line *line, unsigned machine)
{
    struct task_state *task = find_task(checker->sequences, machine, line->task);
    const bool is_exit = record_event(line, "kvm_exit");
    if (!is_exit && line->kind == TRACE_KIND_guest_exit)
        return; /* other events of an exit tell of it, but not of where it stands */
    if (is_exit) {
        checker->sequences->has_exits = true;
        check_exit_of_task(checker, task, line);
        note_exit(task, line);
    } else if (line->has & TRACE_HAS_TO && line->to == TRACE_TO_guest) {
        checker->sequences->has_entries = true;
        check_entry_of_task(checker, task, line);
        task->place = TASK_IN_GUEST;
    }
    task->cpu = line->cpu;
    task->line = line->g0;
}

/* --- Both ------------------------------------------------------------------------------------ */

static void note_events(struct foreign_sequences *sequences, const struct trace_line *line)
{
    for (size_t i = 0; i < line->nfx && !sequences->has_other_events; i++) {
        const struct trace_effect *effect = &line->fx[i];
        const char *name = effect->kind == TRACE_event ? effect->event.event : NULL;
        sequences->has_other_events =
            !name || (strcmp(name, "kvm_exit") != 0 && strcmp(name, "machine") != 0 &&
                      strcmp(name, "gap") != 0);
    }
}

void check_sequence(struct checker *checker, const struct trace_line *line)
{
    if (record_event(line, "gap"))
        forget(checker->sequences);
    const bool has_task = line->has & TRACE_HAS_TASK;
    if (!(line->has & TRACE_HAS_CPU) && line->has & TRACE_HAS_OUT)
        check_open(checker, CHECK_cpu_sequence,
                   line->vector || line->has & TRACE_HAS_TO
                       ? "the CPU is not recorded"
                       : "an end whose beginning is not recorded");
    if (!has_task && !(line->has & TRACE_HAS_CPU && line->vector))
        return;
    const unsigned machine = find_machine(checker->sequences, line);
    struct cpu_state *cpu = find_cpu(checker->sequences, machine, line->cpu);
    note_events(checker->sequences, line);
    check_time(checker, cpu, line);
    check_guest_syndrome(checker, line);
    if (line->vector)
        check_stay(checker, cpu, line);
    if (has_task)
        check_task(checker, line, machine);
}
