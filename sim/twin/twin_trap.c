/* SPDX-License-Identifier: GPL-2.0-only */
#include "twin/twin_state.h"

#include <stdlib.h>
#include <string.h>

/* One trap: taken by the model, compared with the record. */

/* The registers of the trace that the spec has: M(register, field of Ctxt). */
/* clang-format off */
#define MODEL_REGISTER_MAP(M)                                                                      \
    M(esr, esr_el2) M(far, far_el2) M(hpfar, hpfar_el2) M(elr, elr_el2) M(spsr, spsr_el2)          \
    M(hcr, hcr_el2) M(vttbr, vttbr_el2) M(vmpidr, vmpidr_el2) M(tpidr_el2, tpidr_el2)              \
    M(par_el1, par_el1) M(actlr_el1, actlr_el1) M(sp_el1, sp_el1) M(elr_el1, elr_el1)              \
    M(spsr_el1, spsr_el1) M(sp_el0, sp_el0) M(vbar_el1, vbar_el1)
/* clang-format on */

static const struct model_register {
    enum trace_register reg;
    size_t offset; /* in struct fh_ctxt_regs */
} model_registers[] = {
#define MODEL_REGISTER(reg, field) {TRACE_REG_##reg, offsetof(struct fh_ctxt_regs, field)},
    MODEL_REGISTER_MAP(MODEL_REGISTER)
#undef MODEL_REGISTER
};

const char *twin_register_field(const char *name)
{
#define MODEL_FIELD(reg, field)                                                                    \
    if (strcmp(name, #reg) == 0)                                                                   \
        return #field;
    MODEL_REGISTER_MAP(MODEL_FIELD)
#undef MODEL_FIELD
    return NULL;
}

enum { MODEL_REGISTERS = sizeof model_registers / sizeof *model_registers };

_Static_assert(offsetof(struct fh_ctxt_regs, x0) == 0, "no register of the map stands at 0");
_Static_assert(offsetof(struct fh_ctxt_regs, x30) ==
                   offsetof(struct fh_ctxt_regs, x0) + 30 * sizeof(uint64_t),
               "x0 to x30 follow one another");

bool twin_can_replay(const struct trace_line *line)
{
    return line->kind != TRACE_KIND_gap;
}

static struct fh_ctxt *edit_host_ctxt(struct twin *twin, struct fh_rdata *rdata, uint64_t cpu)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t id = k->HOSTVISOR * k->VCPU_PER_VM + cpu;
    return twin_own(twin, twin_edit(twin, &rdata->shadow_ctxts, twin->types.ctxt, id),
                    twin->types.ctxt);
}

static bool is_run(const struct trace_line *line)
{
    enum { HVC_VCPU_RUN = 8 };
    return line->kind == TRACE_KIND_host_hvc && line->in.x[0] == HVC_VCPU_RUN;
}

/* The host, or the vCPU that runs there, traps on this CPU with these registers. */
static void enter(struct twin *twin, const struct trace_line *line)
{
    struct fh_rdata *rdata = twin_edit_state(twin);
    const struct twin_cpu *cpu = &twin->cpus[line->cpu % TWIN_CPUS];
    const bool is_guest = line->kind == TRACE_KIND_guest_exit;
    rdata->curid = line->cpu;
    rdata->cur_vmid = is_guest ? cpu->vmid : twin->profile->HOSTVISOR;
    rdata->cur_vcpuid = (int64_t)(is_guest ? cpu->vcpuid : line->cpu);
    struct fh_ctxt *regs = twin_own(twin, &rdata->regs, twin->types.regs);
    for (size_t i = 0; i < MODEL_REGISTERS; i++) {
        uint64_t *place = (void *)((char *)&regs->ctxt_regs + model_registers[i].offset);
        *place = line->in.values[model_registers[i].reg];
    }
    regs->ctxt_regs.ec = line->exit_code;
    if (is_guest)
        memcpy(&regs->ctxt_regs.x0, line->in.x, sizeof line->in.x);
    struct fh_ctxt *host = edit_host_ctxt(twin, rdata, line->cpu);
    memcpy(&host->ctxt_regs.x0, is_guest ? cpu->host.x : line->in.x, sizeof line->in.x);
    const uint64_t *data =
        fh_map_get(&rdata->data_log, &twin->types.word->as_value, twin->profile->HOSTVISOR);
    twin->first_datum = *data;
    if (is_run(line))
        twin->first_core_datum = twin_word_at(twin, &rdata->core_data_log, line->in.x[1]);
    twin->line = line;
    twin->neffects = 0;
}

/* Where the spec has a register, in struct fh_ctxt_regs; 0: nowhere, it never changes. */
static const size_t model_offsets[TRACE_REGISTERS] = {
#define MODEL_OFFSET(reg, field) [TRACE_REG_##reg] = offsetof(struct fh_ctxt_regs, field),
    MODEL_REGISTER_MAP(MODEL_OFFSET)
#undef MODEL_OFFSET
};

/* Each register at the end against what the machine returns with: `in`, where it did not change. */
static void compare_registers(struct twin *twin, const struct trace_line *line,
                              struct differences *found)
{
    static const char *const paths[] = {
#define OUT_PATH(key, format) "out." #key,
        TRACE_REGISTER_MAP(OUT_PATH)
#undef OUT_PATH
    };
    const struct fh_rdata *rdata = fh_state_rdata(twin->state);
    const struct fh_ctxt *regs = fh_ref_record(twin->types.regs, &rdata->regs);
    for (unsigned i = 0; i < TRACE_REGISTERS; i++) {
        const bool changed = line->out.present >> i & 1;
        const uint64_t machine = changed ? line->out.values[i] : line->in.values[i];
        const void *place = (const char *)&regs->ctxt_regs + model_offsets[i];
        uint64_t model = model_offsets[i] ? *(const uint64_t *)place : line->in.values[i];
        if (i == TRACE_REG_vmid)
            model = rdata->cur_vmid;
        if (model != machine)
            differ(found, &(struct difference){
                              .path = paths[i], .model_value = model, .machine_value = machine});
    }
}

static uint64_t at_end(const struct trace_line *line, enum trace_register reg)
{
    return line->out.present >> reg & 1 ? line->out.values[reg] : line->in.values[reg];
}

static void compare_word(const char *path, uint64_t model, uint64_t machine,
                         struct differences *found)
{
    if (model != machine)
        differ(found,
               &(struct difference){.path = path, .model_value = model, .machine_value = machine});
}

static void compare_x(const uint64_t *model, const struct trace_line *line,
                      struct differences *found)
{
    for (unsigned i = 0; i < TRACE_GPRS; i++)
        compare_word(trace_gpr_name(i), model[i],
                     line->out.x_present >> i & 1 ? line->out.x[i] : line->in.x[i], found);
}

static void compare_gprs(struct twin *twin, const struct trace_line *line,
                         struct differences *found)
{
    const struct fh_profile *k = twin->profile;
    const struct fh_rdata *rdata = fh_state_rdata(twin->state);
    const uint64_t id = k->HOSTVISOR * k->VCPU_PER_VM + line->cpu;
    const struct fh_ctxt *host = fh_ref_record(
        twin->types.ctxt, fh_map_get(&rdata->shadow_ctxts, &twin->types.ctxt->as_value, id));
    const uint64_t *x = &host->ctxt_regs.x0;
    if (line->out.x_present == 0 && memcmp(x, line->in.x, sizeof line->in.x) == 0)
        return;
    compare_x(x, line, found);
}

/*
 * Whose registers the CPU has at the end: the vCPU's shadow registers, those with which it exited,
 * or the host's when it made it run, with the kind of exit in x0.
 */
static void compare_switch(struct twin *twin, const struct trace_line *line,
                           struct differences *found)
{
    const struct twin_cpu *cpu = &twin->cpus[line->cpu % TWIN_CPUS];
    const struct fh_ctxt *vcpu = twin_ctxt(twin, cpu->vmid, cpu->vcpuid);
    const struct fh_rdata *rdata = fh_state_rdata(twin->state);
    const bool is_exit = line->kind == TRACE_KIND_guest_exit;
    compare_word("out.vmid", rdata->cur_vmid, at_end(line, TRACE_REG_vmid), found);
    if (is_exit && twin->goes_on) {
        compare_registers(twin, line, found);
        compare_x(line->in.x, line, found);
        return;
    }
    const struct fh_ctxt *regs = fh_ref_record(twin->types.regs, &rdata->regs);
    compare_word("out.vttbr", regs->ctxt_regs.vttbr_el2, at_end(line, TRACE_REG_vttbr), found);
    if (!is_exit) {
        compare_word("out.elr", vcpu->ctxt_states.pc, at_end(line, TRACE_REG_elr), found);
        compare_word("out.spsr", vcpu->ctxt_states.pstate, at_end(line, TRACE_REG_spsr), found);
        compare_x(&vcpu->ctxt_regs.x0, line, found);
        return;
    }
    compare_word("pc", vcpu->ctxt_states.pc, line->in.values[TRACE_REG_elr], found);
    compare_word("pstate", vcpu->ctxt_states.pstate, line->in.values[TRACE_REG_spsr], found);
    static const enum trace_register kept[] = {
        TRACE_REG_elr,    TRACE_REG_spsr,     TRACE_REG_sp_el1,  TRACE_REG_elr_el1,
        TRACE_REG_sp_el0, TRACE_REG_spsr_el1, TRACE_REG_vbar_el1};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        compare_word(trace_register_name(kept[i]), cpu->host.values[kept[i]], at_end(line, kept[i]),
                     found);
    uint64_t x[TRACE_GPRS];
    memcpy(x, cpu->host.x, sizeof x);
    x[0] = line->exit_code;
    compare_x(x, line, found);
}

static bool is_flushed(const struct trace_line *line, size_t at)
{
    const struct trace_pt_store *store = &line->fx[at].pt_store;
    for (size_t i = at + 1; i < line->nfx; i++) {
        const struct trace_effect *effect = &line->fx[i];
        if (effect->kind == TRACE_tlbi && effect->tlbi.ipa == store->ipa)
            return true;
        if (effect->kind == TRACE_unlock && effect->unlock.vmid == store->vmid &&
            strcmp(effect->unlock.lock, "pt") == 0)
            return false;
    }
    return false;
}

/*
 * A rule of its own, that the spec does not have: where a leaf of a page or block becomes another
 * one or none, the TLB is told before the table's lock is given back.
 */
static void check_tlb(const struct twin *twin, const struct trace_line *line,
                      struct differences *found)
{
    const uint64_t page = twin->profile->PHYS_MASK & twin->profile->PAGE_MASK;
    const uint64_t table = twin->profile->PMD_TYPE_TABLE;
    for (size_t i = 0; i < line->nfx; i++) {
        const struct trace_pt_store *store = &line->fx[i].pt_store;
        if (line->fx[i].kind != TRACE_pt_store || (store->old & page) == 0 ||
            store->old == store->new)
            continue;
        const bool is_page = strcmp(store->level, "pte") == 0;
        const bool is_block = strcmp(store->level, "pmd") == 0 && (store->old & table) != table;
        if ((is_page || is_block) && !is_flushed(line, i))
            differ(found, &(struct difference){.machine = &line->fx[i],
                                               .path = "tlbi",
                                               .model_value = store->ipa,
                                               .machine_value = 0});
    }
}

/* What a record says of the hypercall stands in the registers too. */
static void check_hypercall(const struct trace_line *line, struct differences *found)
{
    if (line->kind != TRACE_KIND_host_hvc)
        return;
    if (line->hvc_number != line->in.x[0])
        differ(found, &(struct difference){.path = "hvc.num",
                                           .model_value = line->in.x[0],
                                           .machine_value = line->hvc_number});
    for (unsigned i = 0; i < line->hvc_args.count; i++) {
        if (line->hvc_args.values[i] != line->in.x[i + 1])
            differ(found, &(struct difference){.path = "hvc.args",
                                               .model_value = line->in.x[i + 1],
                                               .machine_value = line->hvc_args.values[i]});
    }
}

/* Events are numbered as they happen: a record whose numbers fall was tampered with. */
static void check_order(const struct trace_line *line, struct differences *found)
{
    uint64_t last = line->g0;
    for (size_t i = 0; i < line->nfx; i++) {
        if (line->fx[i].g <= last)
            differ(found, &(struct difference){.machine = &line->fx[i],
                                               .path = "g",
                                               .model_value = last + 1,
                                               .machine_value = line->fx[i].g});
        last = line->fx[i].g;
    }
    if (line->g1 <= last)
        differ(found, &(struct difference){
                          .path = "g1", .model_value = last + 1, .machine_value = line->g1});
}

/* PSTATE: the modes below EL2, EL0t, EL1t and EL1h; bit 4 is set in those of AArch32. */
static bool is_below_el2(uint64_t pstate)
{
    const uint64_t mode = pstate & 31;
    return mode == 0 || mode == 4 || mode == 5 || mode >= 16;
}

/*
 * A rule of its own, that the spec does not have: an exception return leaves EL2. One that does not
 * is an exception inside EL2 next.
 */
static void check_return(struct twin *twin, const struct trace_line *line,
                         struct differences *found)
{
    struct twin_cpu *cpu = &twin->cpus[line->cpu % TWIN_CPUS];
    const uint64_t pstate = at_end(line, TRACE_REG_spsr);
    cpu->is_lost = !is_below_el2(pstate);
    cpu->lost_pc = at_end(line, TRACE_REG_elr);
    if (cpu->is_lost)
        differ(found, &(struct difference){.path = "eret", .machine_value = pstate});
}

/*
 * No function of the spec takes an exception inside EL2, so there is none: the record is a
 * difference, with all that it tells. A40: it is what a return that does not leave EL2 leads to.
 */
static void compare_own_exception(struct twin *twin, const struct trace_line *line,
                                  struct differences *found)
{
    const struct twin_cpu *cpu = &twin->cpus[line->cpu % TWIN_CPUS];
    const bool is_expected = cpu->is_lost && line->in.values[TRACE_REG_elr] == cpu->lost_pc &&
                             line->in.values[TRACE_REG_vmid] == cpu->vmid &&
                             line->to == TRACE_TO_el2_panic;
    if (!is_expected || !twin_admits(twin, "A40"))
        differ(found, &(struct difference){.path = "el2_exception",
                                           .machine_value = line->in.values[TRACE_REG_esr]});
    compare_effects(NULL, 0, line->fx, line->nfx, found);
}

void twin_forget_snapshot(struct twin *twin)
{
    if (twin->snapshot)
        fh_snapshot_release(twin->snapshot, twin->allocator);
    twin->snapshot = NULL;
}

/*
 * A hypercall with an argument that C casts to 32 bits and the like is the dispatcher's affair: it
 * finds all registers in the host's context. Two of the constants have no case there (A54).
 */
static enum fh_status take_hypercall(struct twin *twin, const struct trace_line *line)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t *x = line->in.x;
    const bool crypts = x[0] == k->HVC_ENCRYPT_BUF || x[0] == k->HVC_DECRYPT_BUF;
    if (crypts && ledger_admits(twin->ledger, "A54", NULL))
        return x[0] == k->HVC_ENCRYPT_BUF
                   ? fh_save_encrypt_buf(twin->state, (uint32_t)x[1], x[2], x[3])
                   : fh_load_decrypt_buf(twin->state, (uint32_t)x[1], x[2]);
    return fh_host_hvc_dispatcher(twin->state);
}

static enum fh_status take(struct twin *twin, const struct trace_line *line)
{
    if (line->kind == TRACE_KIND_host_npt) {
        enter(twin, line);
        return fh_handle_host_stage2_fault(twin->state);
    }
    if (!twin->snapshot)
        twin->snapshot = fh_state_snapshot(twin->state);
    enter(twin, line);
    if (line->kind == TRACE_KIND_guest_exit)
        return twin_take_exit(twin, line);
    if (is_run(line))
        return twin_take_run(twin, line);
    twin_prepare(twin);
    return take_hypercall(twin, line);
}

/* Who goes on: the one who trapped, or the other one. */
static void check_end(const struct twin *twin, const struct trace_line *line,
                      struct differences *found)
{
    enum trace_end end = TRACE_TO_host;
    if (is_run(line) || (line->kind == TRACE_KIND_guest_exit && twin->goes_on))
        end = TRACE_TO_guest;
    compare_word("to", end, line->to, found);
}

/* EL2 itself died in this trap: up to there the two agree, and that it died is a difference. */
static void compare_until_crash(struct twin *twin, const struct trace_line *line,
                                struct differences *found)
{
    const size_t told = line->nfx < twin->neffects ? line->nfx : twin->neffects;
    compare_effects(twin->effects, told, line->fx, line->nfx, found);
    if (!twin_foresees_crash(twin))
        compare_word(line->unfinished ? "unfinished" : "to", TRACE_TO_host, TRACE_TO_el2_panic,
                     found);
}

bool twin_needs_take_over(const struct twin *twin, const struct differences *found)
{
    return twin->was_rewound || found->count > 0;
}

static void compare(struct twin *twin, const struct trace_line *line, struct differences *found)
{
    check_hypercall(line, found);
    if (line->unfinished || line->to == TRACE_TO_el2_panic) {
        compare_until_crash(twin, line, found);
        return;
    }
    check_order(line, found);
    check_tlb(twin, line, found);
    check_return(twin, line, found);
    check_end(twin, line, found);
    compare_effects(twin->effects, twin->neffects, line->fx, line->nfx, found);
    if (line->kind == TRACE_KIND_guest_exit || is_run(line)) {
        compare_switch(twin, line, found);
        return;
    }
    compare_registers(twin, line, found);
    compare_gprs(twin, line, found);
}

static void run_and_compare(struct twin *twin, const struct trace_line *line,
                            struct differences *found, char *stuck, size_t size)
{
    twin->was_rewound = twin_rewind(twin, line);
    twin_note_writes(twin, line);
    const enum fh_status status = take(twin, line);
    bool is_stuck = status != FH_OK;
    twin_deviate(twin, &is_stuck);
    if (is_stuck) {
        fh_error_format(fh_state_error(twin->state), stuck, size);
        differ(found, &(struct difference){.path = "status"});
    }
    compare(twin, line, found);
}

void twin_replay(struct twin *twin, const struct trace_line *line, struct ledger *ledger,
                 char *stuck, size_t size)
{
    struct differences *found = ledger->found;
    twin_forget_snapshot(twin);
    twin->ledger = ledger;
    twin->npanics = 0;
    twin->next_int_read = 0;
    twin->is_held = false;
    twin->is_skipping = false;
    twin->clearing = NOT_CLEARING;
    twin->was_rewound = false;
    twin->line = line;
    twin->neffects = 0;
    stuck[0] = '\0';
    if (line->kind == TRACE_KIND_el2_exception)
        compare_own_exception(twin, line, found);
    else
        run_and_compare(twin, line, found, stuck, size);
    if (twin->is_watched && !twin_needs_take_over(twin, found))
        twin_follow_maps(twin, line);
}
