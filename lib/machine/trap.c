/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "trap"
#include <faulthandler/trap.h>

#include <string.h>

#include "layers/all.h"
#include "machine/data.h"

/* --- CPUs ------------------------------------------------------------------------------------ */

/* Fields of RData that a CPU has for itself: M(field). Its registers are given with each trap. */
#define CPU_FIELDS(M) M(halt) M(icore) M(ihost) M(tstate) M(cur_vmid) M(cur_vcpuid)

enum machine_cpu {
#define CPU_ENUM(field) CPU_##field,
    CPU_FIELDS(CPU_ENUM)
#undef CPU_ENUM
        CPU_WAS_HERE /* it has acted before */
};

uint64_t fh_trap_cpu(const struct fh_state *s)
{
    const uint64_t noted = machine_number(s, MACHINE_THIS_CPU, 0, 0);
    return noted != 0 ? noted - 1 : s->adt->curid;
}

/* More CPUs than the profile has contexts share them in turn. */
static uint64_t host_slot(const struct fh_state *s, uint64_t cpu)
{
    return cpu % s->profile->VCPU_PER_VM;
}

uint64_t fh_trap_host_vcpuid(const struct fh_state *s)
{
    return host_slot(s, fh_trap_cpu(s));
}

/* The locks of a CPU that has halted stay its own. */
static enum fh_status park_locks(struct fh_state *s, uint64_t cpu)
{
    for (uint64_t id = 0; id < LOCK_PLACES; id++) {
        const enum fh_lock_status status = lock_status(s, id);
        FH_TRY(set_machine_number(s, MACHINE_CPU_LOCK, cpu, id, status));
        if (status != FH_LOCK_FREE)
            FH_TRY(set_lock_status(s, id, FH_LOCK_FREE));
    }
    return FH_OK;
}

static enum fh_status unpark_locks(struct fh_state *s, uint64_t cpu)
{
    for (uint64_t id = 0; id < LOCK_PLACES; id++) {
        const uint64_t status = machine_number(s, MACHINE_CPU_LOCK, cpu, id);
        if (status != FH_LOCK_FREE)
            FH_TRY(set_lock_status(s, id, (enum fh_lock_status)status));
    }
    return FH_OK;
}

static enum fh_status copy_ctxt(struct fh_state *s, struct fh_map *to_map, uint64_t to,
                                const struct fh_ctxt *from)
{
    void *entry;
    FH_TRY(own_entry(s, to_map, type_of_ref_ctxt, to, &entry));
    struct fh_ctxt *ctxt = entry;
    const size_t n = sizeof ctxt->ctxt_regs / sizeof(uint64_t);
    uint64_t *words = (uint64_t *)(void *)&ctxt->ctxt_regs;
    const uint64_t *values = (const uint64_t *)(const void *)&from->ctxt_regs;
    for (size_t i = 0; i < n; i++) {
        if (words[i] != values[i])
            FH_TRY(set_u64(s, &words[i], values[i]));
    }
    return FH_OK;
}

static const struct fh_ctxt *parked_ctxt(const struct fh_state *s, uint64_t cpu)
{
    const void *entry = fh_map_get(&s->adt->machine_ctxts, &type_of_ref_ctxt->as_value, cpu);
    return fh_ref_record(type_of_ref_ctxt, entry);
}

static uint64_t host_context(const struct fh_state *s, uint64_t cpu)
{
    const struct fh_profile *k = s->profile;
    return k->HOSTVISOR * k->VCPU_PER_VM + host_slot(s, cpu);
}

static enum fh_status park(struct fh_state *s, uint64_t cpu)
{
#define PARK(field)                                                                                \
    FH_TRY(set_machine_number(s, MACHINE_CPU, cpu, CPU_##field, (uint64_t)s->adt->field));
    CPU_FIELDS(PARK)
#undef PARK
    FH_TRY(set_machine_number(s, MACHINE_CPU, cpu, CPU_WAS_HERE, 1));
    if (s->adt->halt)
        FH_TRY(park_locks(s, cpu));
    return FH_OK;
}

static enum fh_status unpark(struct fh_state *s, uint64_t cpu)
{
    struct fh_rdata *adt = s->adt;
    const struct fh_profile *k = s->profile;
    adt->halt = machine_number(s, MACHINE_CPU, cpu, CPU_halt) != 0;
    adt->icore = machine_number(s, MACHINE_CPU, cpu, CPU_icore) != 0;
    adt->ihost = machine_number(s, MACHINE_CPU, cpu, CPU_ihost) != 0;
    adt->tstate = machine_number(s, MACHINE_CPU, cpu, CPU_tstate);
    adt->cur_vmid = machine_number(s, MACHINE_CPU, cpu, CPU_cur_vmid);
    adt->cur_vcpuid = (int64_t)machine_number(s, MACHINE_CPU, cpu, CPU_cur_vcpuid);
    if (machine_number(s, MACHINE_CPU, cpu, CPU_WAS_HERE) == 0) {
        adt->ihost = true;
        adt->tstate = 1;
        adt->cur_vmid = k->HOSTVISOR;
        adt->cur_vcpuid = (int64_t)host_slot(s, cpu);
    }
    return adt->halt ? unpark_locks(s, cpu) : FH_OK;
}

/*
 * The context of the host of `cpu`, where another CPU has used its slot since: the slot keeps that
 * of the last one that acted, whichever CPUs acted elsewhere meanwhile.
 */
static enum fh_status take_context(struct fh_state *s, uint64_t cpu)
{
    const uint64_t slot = host_slot(s, cpu), context = host_context(s, cpu);
    const uint64_t noted = machine_number(s, MACHINE_SLOT, slot, 0);
    const uint64_t holder = noted != 0 ? noted - 1 : slot;
    if (holder == cpu)
        return FH_OK;
    FH_TRY(copy_ctxt(s, &s->adt->machine_ctxts, holder, shadow_ctxt_of(s, context)));
    FH_TRY(copy_ctxt(s, &s->adt->shadow_ctxts, context, parked_ctxt(s, cpu)));
    return set_machine_number(s, MACHINE_SLOT, slot, 0, cpu + 1);
}

/* Inside a call: the CPU that acts is another one from here on. */
static enum fh_status switch_cpu(struct fh_state *s, uint64_t cpu)
{
    const uint64_t from = fh_trap_cpu(s);
    if (from == cpu)
        return FH_OK;
    FH_TRY(park(s, from));
    FH_TRY(take_context(s, cpu));
    s->adt->curid = host_slot(s, cpu);
    FH_TRY(set_machine_number(s, MACHINE_THIS_CPU, 0, 0, cpu + 1));
    return unpark(s, cpu);
}

static enum fh_status refuse(struct fh_state *s, enum fh_status status)
{
    s->error = (struct fh_error){.status = status};
    return status;
}

enum fh_status fh_trap_switch(struct fh_state *s, uint64_t cpu)
{
    if (cpu >= FH_TRAP_CPUS)
        return refuse(s, FH_INVALID_ARGUMENT);
    FH_TRY(txn_begin(s));
    return txn_end(s, switch_cpu(s, cpu));
}

const char *fh_trap_result_name(enum fh_trap_result result)
{
    static const char *const words[] = {
#define WORD(name, word) word,
        FH_TRAP_RESULT_MAP(WORD)
#undef WORD
    };
    return words[result];
}

bool fh_trap_first_run(const struct fh_state *s, uint64_t vmid, uint64_t vcpuid)
{
    return machine_number(s, MACHINE_FIRST_RUN, vmid, vcpuid) != 0;
}

enum fh_status fh_trap_set_first_run(struct fh_state *s, uint64_t vmid, uint64_t vcpuid,
                                     bool has_run)
{
    FH_TRY(txn_begin(s));
    return txn_end(s, set_machine_number(s, MACHINE_FIRST_RUN, vmid, vcpuid, has_run));
}

/* --- Traps ----------------------------------------------------------------------------------- */

/* Who runs on the CPU traps, with these registers. */
static enum fh_status enter(struct fh_state *s, const struct fh_trap *trap)
{
    const bool is_vm = trap->kind == FH_TRAP_VM_EXIT;
    FH_TRY(switch_cpu(s, trap->cpu));
    if (s->adt->ihost == is_vm)
        return refuse(s, FH_INVALID_ARGUMENT);
    if (!is_vm) {
        s->adt->cur_vmid = s->profile->HOSTVISOR;
        s->adt->cur_vcpuid = (int64_t)host_slot(s, trap->cpu);
    }
    void *record;
    FH_TRY(own_ref(s, &s->adt->regs, type_of_ref_ctxt, &record));
    struct fh_ctxt *regs = record;
    if (!note_regs(s))
        return FH_NOMEM;
    regs->ctxt_regs = *trap->regs;
    return FH_OK;
}

static bool runs_vcpu(const struct fh_state *s, const struct fh_trap *trap)
{
    if (trap->kind != FH_TRAP_HOST_CALL)
        return trap->kind == FH_TRAP_VCPU_RUN;
    const struct fh_abi_call *call = fh_machine_hypercall(fh_state_machine(s), trap->regs->x0);
    return call && call->kind == FH_ABI_run;
}

static enum fh_status handle(struct fh_state *s, const struct fh_trap *trap)
{
    if (trap->kind == FH_TRAP_HOST_FAULT)
        return kc_host_npt_handler_raw(s);
    if (trap->kind == FH_TRAP_VM_EXIT)
        return kc_vm_exit_handler_raw(s);
    return runs_vcpu(s, trap) ? kc_host_vcpu_run_handler_raw(s) : kc_host_hvc_handler_raw(s);
}

static enum fh_status take(struct fh_state *s, const struct fh_trap *trap)
{
    FH_TRY(enter(s, trap));
    const enum fh_status status = handle(s, trap);
    /* Who runs is a field that only TrapHandler keeps: it follows from who is current. */
    if (status == FH_OK && !s->adt->halt)
        s->adt->ihost = s->adt->cur_vmid == s->profile->HOSTVISOR;
    return status;
}

static enum fh_trap_result end_of(const struct fh_state *s, enum fh_status status)
{
    if (status == FH_DIED)
        return FH_TRAP_DIED;
    if (status == FH_HANGS)
        return FH_TRAP_HANGS;
    if (status != FH_OK)
        return FH_TRAP_STUCK;
    return s->adt->halt ? FH_TRAP_HALTED : FH_TRAP_RETURNS;
}

static void tell_where(const struct fh_state *s, struct fh_trap_outcome *outcome)
{
    if (outcome->end == FH_TRAP_RETURNS)
        return;
    if (outcome->end == FH_TRAP_HALTED) {
        outcome->layer = s->panic.layer;
        outcome->function = s->panic.function;
        outcome->condition = s->panic.condition;
        return;
    }
    outcome->layer = s->error.layer;
    outcome->function = s->error.function;
    outcome->condition = s->error.condition;
}

/* A register of the host that is not what it was: KCore's answer. */
static void tell_answer(const struct fh_state *s, const struct fh_trap *trap,
                        struct fh_trap_outcome *outcome)
{
    outcome->answer_register = -1;
    if (!outcome->is_host || outcome->end != FH_TRAP_RETURNS || trap->kind == FH_TRAP_VM_EXIT)
        return;
    const uint64_t *before = &trap->regs->x0, *after = &s->adt->regs->ctxt_regs.x0;
    for (int i = 0; i <= 30; i++) {
        if (before[i] != after[i]) {
            outcome->answer_register = i;
            outcome->answer = after[i];
            return;
        }
    }
}

enum fh_status fh_trap_take(struct fh_state *s, const struct fh_trap *trap,
                            struct fh_trap_outcome *outcome)
{
    memset(outcome, 0, sizeof *outcome);
    if (trap->cpu >= FH_TRAP_CPUS) {
        outcome->end = FH_TRAP_STUCK;
        return outcome->status = refuse(s, FH_INVALID_ARGUMENT);
    }
    s->error.status = FH_OK;
    enum fh_status status = txn_begin(s);
    if (status == FH_OK)
        status = txn_end(s, take(s, trap));
    outcome->status = status;
    outcome->end = end_of(s, status);
    outcome->vmid = s->adt->cur_vmid;
    outcome->vcpuid = (uint64_t)s->adt->cur_vcpuid;
    outcome->is_host = outcome->vmid == s->profile->HOSTVISOR;
    tell_where(s, outcome);
    tell_answer(s, trap, outcome);
    return status;
}

struct fh_panic fh_state_panic(const struct fh_state *s)
{
    return s->panic;
}
