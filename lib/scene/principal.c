/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/scene.h>

#include "scene/stage.h"

/* --- What the host knows and says ------------------------------------------------------------- */

/* The state's own environment, asked in our place. */
#define FORWARD(context) (&((struct stand_in *)(context))->environment)

static size_t forward_oracle(void *context, uint64_t id, uint64_t cpu, const struct fh_log *log,
                             const struct fh_event *const **events)
{
    const struct fh_environment *own = FORWARD(context);
    return own->oracle(own->context, id, cpu, log, events);
}

static size_t forward_soracle(void *context, uint64_t cpu, const struct fh_log *slog,
                              const struct fh_event *const **events)
{
    const struct fh_environment *own = FORWARD(context);
    return own->soracle(own->context, cpu, slog, events);
}

static uint64_t forward_verify_img(void *context, uint64_t vmid, uint64_t addr)
{
    const struct fh_environment *own = FORWARD(context);
    return own->verify_img(own->context, vmid, addr);
}

static uint64_t forward_reg_desc(void *context, uint64_t index)
{
    const struct fh_environment *own = FORWARD(context);
    return own->reg_desc(own->context, index);
}

static uint64_t forward_reg_row(void *context, uint64_t row)
{
    const struct fh_environment *own = FORWARD(context);
    return own->reg_row(own->context, row);
}

static uint64_t forward_shared_kvm(void *context, uint64_t vmid)
{
    const struct fh_environment *own = FORWARD(context);
    return own->shared_kvm(own->context, vmid);
}

static uint64_t forward_shared_vcpu(void *context, uint64_t vmid, uint64_t vcpuid)
{
    const struct fh_environment *own = FORWARD(context);
    return own->shared_vcpu(own->context, vmid, vcpuid);
}

static uint64_t forward_exception_vector(void *context, uint64_t pstate)
{
    const struct fh_environment *own = FORWARD(context);
    return own->exception_vector(own->context, pstate);
}

static uint64_t forward_decrypt_gp_regs(void *context, uint64_t vmid, uint64_t n,
                                        struct fh_ctxt *ctxt)
{
    const struct fh_environment *own = FORWARD(context);
    return own->decrypt_gp_regs(own->context, vmid, n, ctxt);
}

static uint64_t forward_decrypt_sys_regs(void *context, uint64_t vmid, uint64_t n,
                                         struct fh_ctxt *ctxt)
{
    const struct fh_environment *own = FORWARD(context);
    return own->decrypt_sys_regs(own->context, vmid, n, ctxt);
}

static void forward_observer(void *context, const struct fh_effect *effect)
{
    const struct fh_environment *own = FORWARD(context);
    own->observer(own->context, effect);
}

/* Of what the host hands over to run a vCPU, the spec's core data oracle is asked. */
static bool is_core_data(enum fh_asked what)
{
    return what == FH_ASKED_RUN_VCPUID || what == FH_ASKED_FAULT_ADDR || what == FH_ASKED_NEW_PTE ||
           what == FH_ASKED_NEW_LEVEL || what == FH_ASKED_VTCR;
}

static uint64_t forward_ask(const struct fh_environment *own, const struct fh_question *question)
{
    uint64_t (*oracle)(void *, uint64_t, uint64_t) = own->doracle;
    if (own->ask)
        return own->ask(own->context, question);
    if (is_core_data(question->what) && own->core_doracle)
        oracle = own->core_doracle;
    return oracle ? oracle(own->context, question->vmid, question->n) : 0;
}

static uint64_t new_pte(const struct stand_in *host)
{
    const bool gives = host->answer.kind == FH_HOST_GIVES;
    return gives ? host->answer.pfn * host->state->profile->PAGE_SIZE : 0;
}

/* What this host answers by itself; the environment is asked for everything else. */
static bool knows(const struct stand_in *host, enum fh_asked what)
{
    switch (what) {
    case FH_ASKED_RUN_VCPUID:
    case FH_ASKED_PAGE: return true;
    case FH_ASKED_PC:
    case FH_ASKED_PSTATE: return host->has_start;
    case FH_ASKED_ESR:
    case FH_ASKED_FAULT_ADDR:
    case FH_ASKED_NEW_PTE:
    case FH_ASKED_NEW_LEVEL: return host->answer.kind != FH_HOST_DECIDES;
    case FH_ASKED_GPR: return host->answer.kind == FH_HOST_EMULATES;
    default: return false;
    }
}

static uint64_t ask(void *context, const struct fh_question *question)
{
    struct stand_in *host = context;
    const uint64_t page_size = host->state->profile->PAGE_SIZE;
    if (!knows(host, question->what))
        return forward_ask(&host->environment, question);
    switch (question->what) {
    case FH_ASKED_RUN_VCPUID: return host->vcpuid;
    case FH_ASKED_PAGE: return memory_word(host->state, question->index * page_size);
    case FH_ASKED_PC: return host->pc;
    case FH_ASKED_PSTATE: return host->pstate;
    case FH_ASKED_ESR: return host->esr;
    case FH_ASKED_FAULT_ADDR:
        return host->answer.kind == FH_HOST_GIVES ? host->ipa & ~(page_size - 1) : 0;
    case FH_ASKED_NEW_PTE: return new_pte(host);
    case FH_ASKED_NEW_LEVEL: return host->answer.is_block ? 2 : 3;
    default: host->has_taken_register = true; return host->answer.value;
    }
}

/* What the state's own environment leaves to a default stays one. */
void begin_stand_in(struct stand_in *host, struct fh_state *s)
{
    const struct fh_environment *own = &s->env;
    *host = (struct stand_in){.state = s, .environment = *own};
    struct fh_environment mine = {.context = host, .ask = ask};
#define FORWARDED(member) mine.member = own->member ? forward_##member : NULL;
    FORWARDED(oracle)
    FORWARDED(soracle)
    FORWARDED(verify_img)
    FORWARDED(reg_desc)
    FORWARDED(reg_row)
    FORWARDED(shared_kvm)
    FORWARDED(shared_vcpu)
    FORWARDED(exception_vector)
    FORWARDED(decrypt_gp_regs)
    FORWARDED(decrypt_sys_regs)
    FORWARDED(observer)
#undef FORWARDED
    mine.passes_pages_of_others = own->passes_pages_of_others;
    s->env = mine;
}

void end_stand_in(struct stand_in *host)
{
    host->state->env = host->environment;
}

/* --- Its decisions ---------------------------------------------------------------------------- */

/* The first page that is the host's, and that nobody shares or has for a device. */
static bool find_free_page(const struct fh_state *s, uint64_t *pfn)
{
    const struct fh_s2page *page;
    for (*pfn = 0;
         (page = fh_map_next(&s->adt->shared.s2page, &type_of_s2page->as_value, pfn)) != NULL;
         ++*pfn) {
        if (page->s2_owner == s->profile->HOSTVISOR && page->s2_count == 0)
            return true;
    }
    return false;
}

struct fh_host_answer decide(const struct fh_state *s, uint64_t ipa)
{
    struct fh_host_answer answer = {.kind = FH_HOST_EMULATES};
    if (ipa < s->profile->MAX_MMIO_ADDR)
        return answer;
    answer.kind = find_free_page(s, &answer.pfn) ? FH_HOST_GIVES : FH_HOST_STOPS;
    return answer;
}

/* --- Traps ------------------------------------------------------------------------------------ */

static enum fh_status take(struct fh_state *s, enum fh_trap_type kind,
                           const struct fh_ctxt_regs *regs, struct fh_trap_outcome *outcome)
{
    const struct fh_trap trap = {.kind = kind, .cpu = fh_trap_cpu(s), .regs = regs};
    return fh_trap_take(s, &trap, outcome);
}

/* The registers of the CPU, as they are, but for what an exception changes. */
static struct fh_ctxt_regs registers(const struct fh_state *s)
{
    return s->adt->regs->ctxt_regs;
}

static enum fh_status leave_vm(struct fh_state *s, struct fh_trap_outcome *outcome)
{
    struct fh_ctxt_regs regs = registers(s);
    regs.ec = s->profile->ARM_EXCEPTION_INTERRUPT;
    return take(s, FH_TRAP_VM_EXIT, &regs, outcome);
}

/* The row by which the machine's host runs a vCPU; NULL: it is the spec's way. */
static const struct fh_abi_call *run_call(const struct fh_state *s)
{
    const struct fh_machine *machine = fh_state_machine(s);
    while (machine && (!machine->hypercalls || machine == &fh_machine_spec))
        machine = machine->extends;
    if (!machine || fh_departures_are_none(&s->departures))
        return NULL;
    for (unsigned i = 0; i < machine->hypercalls->ncalls; i++) {
        if (machine->hypercalls->calls[i].kind == FH_ABI_run)
            return &machine->hypercalls->calls[i];
    }
    return NULL;
}

enum fh_status run_vcpu(struct stand_in *host, uint64_t vmid, uint64_t vcpuid,
                        struct fh_trap_outcome *outcome)
{
    struct fh_state *s = host->state;
    const struct fh_abi_call *call = run_call(s);
    struct fh_ctxt_regs regs = registers(s);
    host->vcpuid = vcpuid;
    host->has_taken_register = false;
    regs.x0 = call ? call->number : vmid;
    if (call && call->narguments == 2) {
        (&regs.x0)[call->arguments[0].reg] = vmid;
        (&regs.x0)[call->arguments[1].reg] = vcpuid;
    }
    return take(s, FH_TRAP_VCPU_RUN, &regs, outcome);
}

enum fh_status fh_run_vcpu(struct fh_state *s, const struct fh_vcpu_run *run,
                           struct fh_trap_outcome *outcome)
{
    struct stand_in host;
    begin_stand_in(&host, s);
    host.answer = run->answer;
    host.ipa = run->ipa;
    host.esr = run->esr;
    host.has_start = run->has_start;
    host.pc = run->pc;
    host.pstate = run->pstate;
    run_vcpu(&host, run->vmid, run->vcpuid, outcome);
    end_stand_in(&host);
    return outcome->status;
}

static bool goes_on_after(const struct fh_trap_outcome *outcome)
{
    return outcome->end == FH_TRAP_RETURNS;
}

enum fh_status bring_to_cpu(struct stand_in *host, const struct fh_principal *by,
                            struct fh_trap_outcome *outcome)
{
    struct fh_state *s = host->state;
    const bool is_vm = by->kind == FH_BY_VM;
    const bool is_there = is_vm ? !s->adt->ihost && s->adt->cur_vmid == by->vmid &&
                                      (uint64_t)s->adt->cur_vcpuid == by->vcpuid
                                : s->adt->ihost;
    *outcome = (struct fh_trap_outcome){.end = FH_TRAP_RETURNS};
    if (is_there || by->kind == FH_BY_DEVICE)
        return FH_OK;
    host->answer = (struct fh_host_answer){.kind = FH_HOST_RUNS_ON};
    if (!s->adt->ihost)
        FH_TRY(leave_vm(s, outcome));
    if (!is_vm || !goes_on_after(outcome))
        return FH_OK;
    return run_vcpu(host, by->vmid, by->vcpuid, outcome);
}

enum fh_status take_fault(struct stand_in *host, enum fh_principal_kind by,
                          const struct fh_arm_abort *abort, struct fh_trap_outcome *outcome)
{
    struct fh_state *s = host->state;
    struct fh_ctxt_regs regs = registers(s);
    regs.esr_el2 = host->esr = abort->esr;
    regs.far_el2 = abort->far;
    regs.hpfar_el2 = abort->hpfar;
    host->ipa = fh_arm_fault_ipa(abort);
    if (by == FH_BY_VM)
        regs.ec = s->profile->ARM_EXCEPTION_TRAP;
    return take(s, by == FH_BY_VM ? FH_TRAP_VM_EXIT : FH_TRAP_HOST_FAULT, &regs, outcome);
}
