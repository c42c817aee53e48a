/* SPDX-License-Identifier: GPL-2.0-only */
#include "predict/take.h"

#include <string.h>

/*
 * How a trap is taken: the CPU's registers are set, KCore's entry point runs, and what registers
 * hold at the exception return is looked at.
 */

/* The registers of a trace that the spec has: M(register, field of Ctxt). */
/* clang-format off */
#define MODEL_REGISTER_MAP(M)                                                                      \
    M(esr, esr_el2) M(far, far_el2) M(hpfar, hpfar_el2) M(elr, elr_el2) M(spsr, spsr_el2)          \
    M(hcr, hcr_el2) M(vttbr, vttbr_el2) M(vmpidr, vmpidr_el2) M(tpidr_el2, tpidr_el2)              \
    M(par_el1, par_el1) M(actlr_el1, actlr_el1) M(sp_el1, sp_el1) M(elr_el1, elr_el1)              \
    M(spsr_el1, spsr_el1) M(sp_el0, sp_el0) M(vbar_el1, vbar_el1)
/* clang-format on */

/* Where the spec has a register, in struct fh_ctxt_regs; 0: nowhere. */
static const size_t model_offsets[TRACE_REGISTERS] = {
#define MODEL_OFFSET(reg, field) [TRACE_REG_##reg] = offsetof(struct fh_ctxt_regs, field),
    MODEL_REGISTER_MAP(MODEL_OFFSET)
#undef MODEL_OFFSET
};

_Static_assert(offsetof(struct fh_ctxt_regs, x0) == 0, "no register of the map stands at 0");
_Static_assert(offsetof(struct fh_ctxt_regs, x30) ==
                   offsetof(struct fh_ctxt_regs, x0) + 30 * sizeof(uint64_t),
               "x0 to x30 follow one another");

#define REGISTER_BIT(reg) (UINT32_C(1) << TRACE_REG_##reg)

/* What nobody but EL2 changes: as the last exception return left it. */
static const uint32_t el2_registers =
    REGISTER_BIT(hcr) | REGISTER_BIT(vttbr) | REGISTER_BIT(vtcr) | REGISTER_BIT(ttbr0_el2) |
    REGISTER_BIT(tpidr_el2) | REGISTER_BIT(vmid) | REGISTER_BIT(vcpuid) | REGISTER_BIT(vmpidr);

const char *model_register_field(const char *name)
{
#define MODEL_FIELD(reg, field)                                                                    \
    if (strcmp(name, #reg) == 0)                                                                   \
        return #field;
    MODEL_REGISTER_MAP(MODEL_FIELD)
#undef MODEL_FIELD
    return NULL;
}

/* --- Entry ----------------------------------------------------------------------------------- */

static bool is_exit(const struct trap_inputs *inputs)
{
    return inputs->kind == TRACE_KIND_guest_exit;
}

static bool is_run(const struct model *model)
{
    const struct trap_inputs *inputs = model->run->inputs;
    const struct fh_abi_call *call = fh_machine_hypercall(model->machine, inputs->in.x[0]);
    return inputs->kind == TRACE_KIND_host_hvc && call && call->kind == FH_ABI_run;
}

/* The registers at entry: those that traces have, the others as this CPU had them last. */
static struct fh_ctxt_regs registers_at_entry(const struct model *model)
{
    const struct trap_inputs *inputs = model->run->inputs;
    struct fh_ctxt_regs regs = model->cpus[inputs->cpu].regs;
    for (unsigned i = 0; i < TRACE_REGISTERS; i++) {
        if (model_offsets[i])
            *(uint64_t *)(void *)((char *)&regs + model_offsets[i]) = inputs->in.values[i];
    }
    regs.ec = inputs->exit_code;
    memcpy(&regs.x0, inputs->in.x, sizeof inputs->in.x);
    return regs;
}

void take_kept_registers(struct fh_ctxt *host, const struct trace_registers *in)
{
    host->ctxt_states.pc = in->values[TRACE_REG_elr];
    host->ctxt_states.pstate = in->values[TRACE_REG_spsr];
    host->ctxt_regs.sp_el0 = in->values[TRACE_REG_sp_el0];
    host->ctxt_regs.sp_el1 = in->values[TRACE_REG_sp_el1];
    host->ctxt_regs.elr_el1 = in->values[TRACE_REG_elr_el1];
    host->ctxt_regs.spsr_el1 = in->values[TRACE_REG_spsr_el1];
    host->ctxt_regs.vbar_el1 = in->values[TRACE_REG_vbar_el1];
    host->ctxt_regs.mpidr_el1 = in->values[TRACE_REG_vmpidr];
}

static enum fh_trap_type type_of(const struct trap_inputs *inputs)
{
    if (inputs->kind == TRACE_KIND_host_npt)
        return FH_TRAP_HOST_FAULT;
    return is_exit(inputs) ? FH_TRAP_VM_EXIT : FH_TRAP_HOST_CALL;
}

/* --- The exception return -------------------------------------------------------------------- */

static void set_out(struct prediction *result, enum trace_register reg, uint64_t value)
{
    result->out.values[reg] = value;
    result->out.present |= UINT32_C(1) << reg;
}

/* VBAR_EL1 keeps no more than these bits of what is written. */
static uint64_t as_vector_base(uint64_t value)
{
    return value & ~UINT64_C(0x1f);
}

/* KCore writes no register of a fault, whatever it notes of it. */
static void keep_faults(const struct trap_inputs *inputs, struct prediction *result)
{
    static const enum trace_register kept[] = {TRACE_REG_esr, TRACE_REG_far, TRACE_REG_hpfar};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        set_out(result, kept[i], inputs->in.values[kept[i]]);
}

static uint64_t vcpu_context_address(const struct model *model, uint64_t vmid, uint64_t vcpuid)
{
    return model->contexts + (vmid * model->profile->VCPU_PER_VM + vcpuid) * model->context_size;
}

/* Of EL2's own registers, those that the spec does not have. */
static void set_own_registers(struct model *model, const struct fh_trap_outcome *outcome)
{
    struct prediction *result = model->run->result;
    const struct trap_inputs *inputs = model->run->inputs;
    set_out(result, TRACE_REG_vmid, outcome->vmid);
    set_out(result, TRACE_REG_vcpuid, outcome->is_host ? host_number(model) : outcome->vcpuid);
    set_out(result, TRACE_REG_ttbr0_el2, inputs->in.values[TRACE_REG_ttbr0_el2]);
    set_out(result, TRACE_REG_vtcr,
            model->run->sets_vtcr ? model->vtcr : inputs->in.values[TRACE_REG_vtcr]);
    if (outcome->is_host)
        return;
    result->out.present &= ~REGISTER_BIT(tpidr_el2);
    if (model->contexts)
        set_out(result, TRACE_REG_tpidr_el2,
                vcpu_context_address(model, outcome->vmid, outcome->vcpuid));
}

/* Does another one go on than trapped? */
static bool changes_hands(const struct trap_inputs *inputs, const struct fh_trap_outcome *outcome)
{
    return is_exit(inputs) == outcome->is_host;
}

static void leave(struct model *model, const struct fh_trap_outcome *outcome)
{
    const struct trap_inputs *inputs = model->run->inputs;
    struct prediction *result = model->run->result;
    const struct fh_rdata *rdata = fh_state_rdata(model->state);
    const struct fh_ctxt *regs = fh_ref_record(model->parts.regs, &rdata->regs);
    for (unsigned i = 0; i < TRACE_REGISTERS; i++) {
        const void *place = (const char *)&regs->ctxt_regs + model_offsets[i];
        if (model_offsets[i])
            set_out(result, (enum trace_register)i, *(const uint64_t *)place);
    }
    set_own_registers(model, outcome);
    if (changes_hands(inputs, outcome)) {
        keep_faults(inputs, result);
        result->out.values[TRACE_REG_vbar_el1] =
            as_vector_base(result->out.values[TRACE_REG_vbar_el1]);
    }
    result->end = outcome->is_host ? PREDICTED_HOST : PREDICTED_GUEST;
    memcpy(result->out.x, &regs->ctxt_regs.x0, sizeof result->out.x);
    result->out.x_present = (UINT32_C(1) << TRACE_GPRS) - 1;
}

/* PSTATE: the modes below EL2, EL0t, EL1t and EL1h; bit 4 is set in those of AArch32. */
static bool is_below_el2(uint64_t pstate)
{
    const uint64_t mode = pstate & 31;
    return mode == 0 || mode == 4 || mode == 5 || mode >= 16;
}

/* What the CPU is from now on. */
static void note_cpu(struct model *model, const struct fh_trap_outcome *outcome)
{
    const struct prediction *result = model->run->result;
    const struct fh_rdata *rdata = fh_state_rdata(model->state);
    struct model_cpu *cpu = this_cpu(model);
    cpu->vmid = outcome->vmid;
    cpu->vcpuid = outcome->is_host ? 0 : outcome->vcpuid;
    cpu->regs = ((const struct fh_ctxt *)fh_ref_record(model->parts.regs, &rdata->regs))->ctxt_regs;
    cpu->el2 = result->out;
    cpu->is_lost = !is_below_el2(result->out.values[TRACE_REG_spsr]);
    cpu->lost_pc = result->out.values[TRACE_REG_elr];
}

/* --- A trap ---------------------------------------------------------------------------------- */

static void begin_prediction(struct model *model)
{
    struct prediction *result = model->run->result;
    const struct model_cpu *cpu = this_cpu(model);
    result->neffects = 0;
    result->npanics = 0;
    result->is_cut = false;
    result->end = PREDICTED_HOST;
    result->error.status = FH_OK;
    result->out.present = result->out.x_present = 0;
    result->entry = cpu->el2;
    result->entry.present &= el2_registers;
    result->entry.x_present = 0;
}

/*
 * No function of the spec takes an exception inside EL2. One comes where a return did not leave
 * EL2: at the address that it went to, and EL2 is dead.
 */
static void take_own_exception(struct model *model)
{
    struct prediction *result = model->run->result;
    const struct model_cpu *cpu = this_cpu(model);
    result->end = PREDICTED_DEATH;
    if (!cpu->is_lost) {
        result->error = (struct fh_error){.status = FH_STUCK};
        return;
    }
    result->entry.values[TRACE_REG_elr] = cpu->lost_pc;
    result->entry.present |= REGISTER_BIT(elr);
}

/* What a recorder writes when a vCPU is entered. */
static void tell_entry(struct model *model, const struct fh_trap_outcome *outcome)
{
    if (is_run(model) && !outcome->is_host)
        tell_snapshot(model, "guest_enter", outcome->vmid, outcome->vcpuid);
}

static void name_host(struct model *model)
{
    const struct trap_inputs *inputs = model->run->inputs;
    struct model_cpu *cpu = this_cpu(model);
    const bool is_host = inputs->kind == TRACE_KIND_host_npt || inputs->kind == TRACE_KIND_host_hvc;
    if (cpu->is_named || !is_host)
        return;
    cpu->is_named = true;
    cpu->host_vcpuid = inputs->in.values[TRACE_REG_vcpuid];
}

void take_trap(struct model *model)
{
    struct prediction *result = model->run->result;
    const struct trap_inputs *inputs = model->run->inputs;
    struct fh_trap_outcome outcome;
    name_host(model);
    begin_prediction(model);
    if (inputs->kind == TRACE_KIND_el2_exception) {
        take_own_exception(model);
        return;
    }
    const struct fh_ctxt_regs regs = registers_at_entry(model);
    const struct fh_trap trap = {type_of(inputs), inputs->cpu, &regs};
    fh_trap_take(model->state, &trap, &outcome);
    if (result->is_cut)
        return;
    switch (outcome.end) {
    case FH_TRAP_RETURNS:
    case FH_TRAP_HALTED:
        tell_entry(model, &outcome);
        leave(model, &outcome);
        note_cpu(model, &outcome);
        break;
    case FH_TRAP_DIED: result->end = PREDICTED_DEATH; break;
    case FH_TRAP_HANGS: result->end = PREDICTED_HANG; break;
    case FH_TRAP_STUCK: result->error = *fh_state_error(model->state); break;
    }
}
