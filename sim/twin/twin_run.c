/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "twin/twin_state.h"

/*
 * How a trap is taken: which spec functions KCore's entry code comes to, with which registers. A
 * vCPU's run and its exits are composed here of the functions that TrapHandlerRaw composes them of,
 * since this machine leaves the spec's order of them in places.
 */

enum { EC_SHIFT = 26, EC_MASK = 63 };

static uint64_t exception_class(const struct trace_line *line)
{
    return line->in.values[TRACE_REG_esr] >> EC_SHIFT & EC_MASK;
}

static bool is_abort(const struct twin *twin, const struct trace_line *line)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t class = exception_class(line);
    return line->exit_code == k->ARM_EXCEPTION_TRAP &&
           (class == k->ESR_ELx_EC_IABT_LOW || class == k->ESR_ELx_EC_DABT_LOW);
}

/* --- Records --------------------------------------------------------------------------------- */

static void append_snap(struct twin *twin, const char *when, const struct twin_cpu *cpu)
{
    twin_append(twin, TRACE_snap, ALL_OF(snap))->snap =
        (struct trace_snap){when, cpu->vmid, cpu->vcpuid};
}

static void append_shadow(struct twin *twin, const struct twin_cpu *cpu, uint64_t idx, uint64_t old,
                          uint64_t new)
{
    twin_append(twin, TRACE_shadow_set, ALL_OF(shadow_set) & ~HAS(shadow_set, reg))->shadow_set =
        (struct trace_shadow_set){
            .vmid = cpu->vmid, .vcpu = cpu->vcpuid, .idx = idx, .old = old, .new = new};
}

static void append_shadow_new(struct twin *twin, const struct twin_cpu *cpu, uint64_t idx,
                              uint64_t index, uint64_t new)
{
    append_shadow(twin, cpu, idx, twin_shadow_register(twin, cpu->vmid, cpu->vcpuid, index), new);
}

/* Where the VM's lock was last taken; the end if it was not. */
static size_t place_before_last_vm_lock(const struct twin *twin)
{
    size_t at = twin->neffects;
    while (at > 0 && !(twin->effects[at - 1].kind == TRACE_lock &&
                       strcmp(twin->effects[at - 1].lock.lock, "vm") == 0))
        at--;
    return at > 0 ? at - 1 : twin->neffects;
}

/* --- Into a VM ------------------------------------------------------------------------------- */

/* L8: the vCPU becomes the CPU's own behind its activation, not before. */
static void make_current_late(struct twin *twin)
{
    size_t percpu = 0;
    while (percpu < twin->neffects && twin->effects[percpu].kind != TRACE_percpu)
        percpu++;
    size_t unlock = percpu;
    while (unlock < twin->neffects && twin->effects[unlock].kind != TRACE_unlock)
        unlock++;
    if (unlock == twin->neffects || !twin_admits(twin, "L8"))
        return;
    const struct trace_effect moved = twin->effects[percpu];
    twin_remove(twin, percpu);
    for (size_t i = percpu; i < unlock; i++) {
        if (twin->effects[i].kind != TRACE_panic)
            continue;
        twin->effects[i].panic.vmid = moved.percpu.old_vmid;
        twin->effects[i].panic.vcpu = moved.percpu.old_vcpu;
    }
    *twin_insert(twin, unlock, TRACE_percpu, 0) = moved;
}

/* A43: what went to the wrong register is there when the vCPU begins. */
static void write_mistaken(struct twin *twin, const struct twin_cpu *cpu)
{
    for (size_t i = 0; i < twin->neffects; i++) {
        const struct trace_effect *effect = &twin->effects[i];
        if (effect->kind == TRACE_shadow_set && effect->shadow_set.idx == twin->profile->X8)
            twin_set_shadow_register(twin, cpu->vmid, cpu->vcpuid, twin->profile->X8,
                                     effect->shadow_set.new);
    }
}

enum fh_status twin_take_run(struct twin *twin, const struct trace_line *line)
{
    const struct fh_profile *k = twin->profile;
    struct twin_cpu *cpu = &twin->cpus[line->cpu % TWIN_CPUS];
    *cpu = (struct twin_cpu){.vmid = line->in.x[1], .vcpuid = line->in.x[2], .host = line->in};
    const bool is_first =
        twin_shadow_register(twin, cpu->vmid, cpu->vcpuid, k->DIRTY) == k->INVALID64;
    const uint64_t flags = twin_shadow_register(twin, cpu->vmid, cpu->vcpuid, k->FLAGS);
    if (twin_admits(twin, "A4"))
        twin_set_shadow_register(twin, k->HOSTVISOR, line->cpu, k->X0, cpu->vmid);
    const enum fh_status status = fh_restore_vm(twin->state);
    make_current_late(twin);
    write_mistaken(twin, cpu);
    if (!is_first && status == FH_OK && twin_admits(twin, "L9"))
        append_shadow(twin, cpu, k->FLAGS, flags, 0);
    if (status == FH_OK)
        append_snap(twin, "guest_enter", cpu);
    return status;
}

/* --- Out of a VM ----------------------------------------------------------------------------- */

/* What the recorder writes for exit_populate_fault; L9: FLAGS keeps that a page is wanted. */
static void append_fault(struct twin *twin, const struct trace_line *line,
                         const struct twin_cpu *cpu)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t far = line->in.values[TRACE_REG_far];
    const uint64_t hpfar = line->in.values[TRACE_REG_hpfar];
    const struct trace_list args = {5, {far, hpfar, line->in.values[TRACE_REG_esr], hpfar, 0}};
    twin_append(twin, TRACE_fn, ALL_OF(fn))->fn = (struct trace_fn){"populate_fault_info", args};
    append_shadow_new(twin, cpu, k->FAR_EL2, k->FAR_EL2, far);
    append_shadow_new(twin, cpu, k->HPFAR_EL2, k->HPFAR_EL2, hpfar);
    if ((hpfar & k->HPFAR_MASK) << 8 >= k->MAX_MMIO_ADDR && twin_admits(twin, "L9"))
        append_shadow_new(twin, cpu, k->FLAGS, k->FLAGS, k->PENDING_FSC_FAULT);
}

/*
 * L10: the spec notes ESR_EL2, FAR_EL2 and HPFAR_EL2 at each exit, and never the pc and PSTATE;
 * the machine notes what the kind of exit has, and where the vCPU was.
 */
static enum fh_status note_exit(struct twin *twin, const struct trace_line *line,
                                const struct twin_cpu *cpu)
{
    const struct fh_ctxt_regs before = twin_ctxt(twin, cpu->vmid, cpu->vcpuid)->ctxt_regs;
    const enum fh_status status = fh_exit_populate_fault(twin->state);
    if (status != FH_OK || !twin_admits(twin, "L10"))
        return status;
    struct fh_ctxt *vcpu = twin_edit_ctxt(twin, cpu->vmid, cpu->vcpuid);
    vcpu->ctxt_states.pc = line->in.values[TRACE_REG_elr];
    vcpu->ctxt_states.pstate = line->in.values[TRACE_REG_spsr];
    if (line->exit_code != twin->profile->ARM_EXCEPTION_TRAP)
        vcpu->ctxt_regs.esr_el2 = before.esr_el2;
    if (is_abort(twin, line))
        return FH_OK;
    vcpu->ctxt_regs.far_el2 = before.far_el2;
    vcpu->ctxt_regs.hpfar_el2 = before.hpfar_el2;
    return FH_OK;
}

/* A8: address and size one register earlier, and the result the other way round. */
static enum fh_status take_pvops(struct twin *twin, const struct twin_cpu *cpu, bool *is_done)
{
    const struct fh_profile *k = twin->profile;
    const struct fh_ctxt *vcpu = twin_ctxt(twin, cpu->vmid, cpu->vcpuid);
    const uint64_t x[] = {vcpu->ctxt_regs.x1, vcpu->ctxt_regs.x2, vcpu->ctxt_regs.x3};
    const bool is_moved = twin_admits(twin, "A8");
    if (is_moved) {
        twin_set_shadow_register(twin, cpu->vmid, cpu->vcpuid, k->X2, x[0]);
        twin_set_shadow_register(twin, cpu->vmid, cpu->vcpuid, k->X3, x[1]);
    }
    uint32_t result = 0;
    const enum fh_status status = fh_core_handle_pvops(twin->state, &result);
    *is_done = result == 0;
    if (!is_moved)
        return status;
    twin_set_shadow_register(twin, cpu->vmid, cpu->vcpuid, k->X2, x[1]);
    twin_set_shadow_register(twin, cpu->vmid, cpu->vcpuid, k->X3, x[2]);
    struct trace_effect *last = &twin->effects[twin->neffects - 1];
    if (twin->neffects > 0 && last->kind == TRACE_fn_ret)
        last->fn_ret.args.values[2] = *is_done;
    return status;
}

/* Does KCore handle the exit by itself? */
static enum fh_status take_own(struct twin *twin, const struct trace_line *line,
                               const struct twin_cpu *cpu, bool *is_done)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t class = exception_class(line);
    *is_done = false;
    if (line->exit_code != k->ARM_EXCEPTION_TRAP)
        return FH_OK;
    if (class == k->ESR_ELx_EC_HVC64)
        return take_pvops(twin, cpu, is_done);
    *is_done = class == k->ESR_ELx_EC_SYS64;
    if (*is_done)
        return fh_core_handle_sys64(twin->state);
    return twin_admits(twin, "A45") ? FH_OK : fh_panic(twin->state);
}

/* The vCPU leaves, the host comes back. */
static enum fh_status leave(struct twin *twin, const struct trace_line *line,
                            const struct twin_cpu *cpu)
{
    const struct fh_profile *k = twin->profile;
    append_shadow(twin, cpu, k->EC, twin->exit_ec, line->exit_code);
    const enum fh_status status = fh_save_vm(twin->state);
    if (status != FH_OK)
        return status;
    const size_t before_inactive = place_before_last_vm_lock(twin);
    const enum fh_status restored = fh_restore_host(twin->state);
    const struct trace_effect last = twin->effects[twin->neffects - 1];
    if (last.kind == TRACE_percpu && before_inactive < twin->neffects && twin_admits(twin, "L8")) {
        twin->neffects--;
        *twin_insert(twin, before_inactive, TRACE_percpu, 0) = last;
    }
    if (twin_admits(twin, "A7")) {
        twin_append_host_reg(twin, 0, line->exit_code);
        twin->effects[twin->neffects - 1].host_reg_set.old = cpu->host.x[0];
    }
    return restored;
}

enum fh_status twin_take_exit(struct twin *twin, const struct trace_line *line)
{
    const struct twin_cpu *cpu = &twin->cpus[line->cpu % TWIN_CPUS];
    const bool is_trap = line->exit_code == twin->profile->ARM_EXCEPTION_TRAP;
    const struct fh_ctxt *vcpu = twin_ctxt(twin, cpu->vmid, cpu->vcpuid);
    twin->exit_ec = vcpu->ctxt_regs.ec;
    if (is_trap)
        append_shadow(twin, cpu, TWIN_IDX_ESR, vcpu->ctxt_regs.esr_el2,
                      line->in.values[TRACE_REG_esr]);
    if (is_abort(twin, line))
        append_fault(twin, line, cpu);
    enum fh_status status = fh_vm_to_core(twin->state);
    if (status == FH_OK)
        status = note_exit(twin, line, cpu);
    bool is_done = false;
    if (status == FH_OK)
        status = take_own(twin, line, cpu, &is_done);
    twin->goes_on = is_done;
    if (status != FH_OK || is_done)
        return status;
    return leave(twin, line, cpu);
}

/* --- What is taken from the host ------------------------------------------------------------- */

/* The next recorded value of this kind; the model's read of it is a record too. */
static uint64_t read_from_host(struct twin *twin, const char *what)
{
    const struct twin_cpu *cpu = &twin->cpus[twin->line->cpu % TWIN_CPUS];
    uint64_t value = 0;
    for (size_t i = twin->next_int_read; i < twin->line->nfx; i++) {
        const struct trace_effect *effect = &twin->line->fx[i];
        if (effect->kind != TRACE_int_read || strcmp(effect->int_read.what, what) != 0)
            continue;
        value = effect->int_read.val;
        twin->next_int_read = i + 1;
        break;
    }
    twin_append(twin, TRACE_int_read, ALL_OF(int_read) & ~HAS(int_read, idx))->int_read =
        (struct trace_int_read){.what = what, .vmid = cpu->vmid, .vcpu = cpu->vcpuid, .val = value};
    return value;
}

uint64_t twin_vm_datum(struct twin *twin)
{
    static const struct {
        const char *function, *what;
    } reads[] = {{"prep_abort", "esr"},
                 {"reset_gp_regs", "pc"},
                 {"search_load_info", "pstate"},
                 {"restore_shadow_kvm_regs", "gpr"}};
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        if (twin_is_inside(twin, reads[i].function))
            return read_from_host(twin, reads[i].what);
    }
    return 0; /* the contents of a page */
}

/* In this order, from the first of the trap on: the vCPU to run, the address of the fault that the
 * host resolved, its page. */
uint64_t twin_core_datum(struct twin *twin, uint64_t n)
{
    const struct fh_profile *k = twin->profile;
    const struct twin_cpu *cpu = &twin->cpus[twin->line->cpu % TWIN_CPUS];
    switch (n - twin->first_core_datum) {
    case 0: return cpu->vcpuid;
    case 1:
        if (!(twin_shadow_register(twin, cpu->vmid, cpu->vcpuid, k->FLAGS) & k->PENDING_FSC_FAULT))
            return 0;
        return (twin_shadow_register(twin, cpu->vmid, cpu->vcpuid, k->HPFAR_EL2) & k->HPFAR_MASK)
               << 8;
    case 2: return read_from_host(twin, "new_pte");
    default: return read_from_host(twin, "new_level");
    }
}
