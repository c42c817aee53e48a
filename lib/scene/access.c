/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "access"
#include <faulthandler/access.h>

#include <string.h>

#include "scene/need.h"
#include "scene/stage.h"

enum { WORD = 8, FETCHED = 4, XZR = 31, PAGE_BITS = 12, MOST_PIECES = 2 };

const char *fh_access_end_name(enum fh_access_end end)
{
    static const char *const words[] = {
#define FH_ACCESS_WORD(name, word) word,
        FH_ACCESS_END_MAP(FH_ACCESS_WORD)};
    return words[end];
}

const char *fh_access_handler_name(enum fh_access_handler handler)
{
    static const char *const words[] = {FH_ACCESS_HANDLER_MAP(FH_ACCESS_WORD)
#undef FH_ACCESS_WORD
    };
    return words[handler];
}

/* --- Contents --------------------------------------------------------------------------------- */

uint64_t fh_memory_read(const struct fh_state *s, uint64_t pa, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes && i < WORD; i++) {
        const uint64_t at = pa + i;
        const uint64_t byte = memory_word(s, at & ~(uint64_t)(WORD - 1)) >> at % WORD * 8 & 0xff;
        value |= byte << i * 8;
    }
    return value;
}

static enum fh_status write_byte(struct fh_state *s, uint64_t pa, uint64_t byte)
{
    const uint64_t word = pa & ~(uint64_t)(WORD - 1);
    const unsigned shift = (unsigned)(pa % WORD * 8);
    const uint64_t others = memory_word(s, word) & ~((uint64_t)0xff << shift);
    return set_memory_word(s, word, others | (byte & 0xff) << shift);
}

static enum fh_status write_bytes(struct fh_state *s, uint64_t pa, unsigned bytes, uint64_t value)
{
    for (unsigned i = 0; i < bytes; i++)
        FH_TRY(write_byte(s, pa + i, value >> i * 8));
    return FH_OK;
}

enum fh_status fh_memory_write(struct fh_state *s, uint64_t pa, unsigned bytes, uint64_t value)
{
    if (bytes == 0 || bytes > WORD)
        return FH_INVALID_ARGUMENT;
    FH_TRY(txn_begin(s));
    return txn_end(s, write_bytes(s, pa, bytes, value));
}

/* --- One try ---------------------------------------------------------------------------------- */

/* The part of an access that is on one page. */
struct piece {
    uint64_t address;
    unsigned bytes;
    uint64_t pa;
};

/* An access as it goes on. */
struct going {
    struct fh_state *s;
    const struct fh_access_request *access;
    struct fh_access_outcome *outcome;
    struct stand_in host;
    unsigned bytes;
    struct piece pieces[MOST_PIECES];
    unsigned npieces;
    unsigned nanswers; /* that were used */
};

static unsigned bytes_of(const struct fh_access_request *access)
{
    if (access->bytes != 0)
        return access->bytes;
    return access->kind == FH_ARM_FETCH ? FETCHED : WORD;
}

static void cut(struct going *going)
{
    const uint64_t address = going->access->address;
    const uint64_t room = (((address >> PAGE_BITS) + 1) << PAGE_BITS) - address;
    const unsigned first = going->bytes < room ? going->bytes : (unsigned)room;
    going->pieces[0] = (struct piece){.address = address, .bytes = first};
    going->npieces = 1;
    if (first < going->bytes)
        going->pieces[going->npieces++] =
            (struct piece){.address = address + first, .bytes = going->bytes - first};
}

/* Translate all of it. *faulting: the piece that cannot be, or NULL. */
static enum fh_status translate_pieces(struct going *going, const struct piece **faulting)
{
    const struct fh_access_request *access = going->access;
    struct fh_access_outcome *outcome = going->outcome;
    struct translation translation;
    translation_of(going->s, access, &translation);
    *faulting = NULL;
    for (unsigned i = 0; i < going->npieces && !*faulting; i++) {
        struct piece *piece = &going->pieces[i];
        const struct fh_arm_ipa_access ipa = {.ipa = piece->address,
                                              .kind = access->kind,
                                              .is_el0 = access->is_el0,
                                              .is_table = access->is_table};
        FH_TRY(translate(going->s, &translation, &ipa, &outcome->walk));
        piece->pa = outcome->walk.output;
        if (!outcome->walk.is_translated)
            *faulting = piece;
    }
    outcome->is_cached = translation.is_cached;
    outcome->is_stale = translation.is_stale;
    outcome->pa = going->pieces[0].pa;
    return FH_OK;
}

/* --- Data ------------------------------------------------------------------------------------- */

/* A loaded value as the register gets it. */
static uint64_t extended(const struct fh_access_request *access, unsigned bytes, uint64_t value)
{
    const unsigned shift = 64 - bytes * 8;
    if (!access->is_signed || shift == 0)
        return value;
    const uint64_t wide_value = (uint64_t)((int64_t)(value << shift) >> shift);
    return access->is_64bit ? wide_value : wide_value & UINT32_MAX;
}

/* Xrt of the CPU becomes `value`. */
static enum fh_status set_register(struct going *going, uint64_t value)
{
    const struct fh_access_request *access = going->access;
    if (access->by.kind == FH_BY_DEVICE || access->rt == XZR || access->kind == FH_ARM_FETCH ||
        access->is_table)
        return FH_OK;
    return fh_state_set_reg(going->s, FH_REG(ctxt_regs.x0) + access->rt * sizeof(uint64_t), value);
}

static enum fh_status load(struct going *going)
{
    uint64_t value = 0;
    unsigned done = 0;
    for (unsigned i = 0; i < going->npieces; done += going->pieces[i++].bytes)
        value |= fh_memory_read(going->s, going->pieces[i].pa, going->pieces[i].bytes) << done * 8;
    going->outcome->value = extended(going->access, going->bytes, value);
    return set_register(going, going->outcome->value);
}

static enum fh_status store(struct going *going)
{
    uint64_t value = going->access->value;
    for (unsigned i = 0; i < going->npieces; i++) {
        const struct piece *piece = &going->pieces[i];
        FH_TRY(fh_memory_write(going->s, piece->pa, piece->bytes, value));
        value = piece->bytes < WORD ? value >> piece->bytes * 8 : 0;
    }
    return FH_OK;
}

/* Whose memory does the one who accesses have? */
static uint32_t own_vmid(const struct going *going)
{
    const struct fh_principal *by = &going->access->by;
    if (by->kind == FH_BY_DEVICE)
        return (uint32_t)smmu_vmid_of(going->s, by->smmu, by->bank);
    return by->kind == FH_BY_VM ? (uint32_t)by->vmid : (uint32_t)going->s->profile->HOSTVISOR;
}

static void look_whose(struct going *going)
{
    const struct fh_profile *k = going->s->profile;
    struct fh_access_outcome *outcome = going->outcome;
    for (unsigned i = 0; i < going->npieces && !outcome->is_foreign; i++) {
        const struct fh_s2page *page = s2page_of(going->s, pfn_of(k, going->pieces[i].pa));
        const bool is_shared = going->access->by.kind == FH_BY_HOST && page->s2_count > 0;
        outcome->is_foreign =
            page->s2_owner != own_vmid(going) && page->s2_owner != k->INVALID && !is_shared;
        if (i == 0 || outcome->is_foreign)
            outcome->owner = page->s2_owner;
    }
}

static enum fh_status move_data(struct going *going)
{
    look_whose(going);
    going->outcome->end = FH_ACCESS_DONE;
    return going->access->kind == FH_ARM_WRITE && !going->access->is_table ? store(going)
                                                                           : load(going);
}

/* --- Faults ----------------------------------------------------------------------------------- */

static struct fh_arm_abort abort_of(const struct going *going, const struct piece *piece)
{
    const struct fh_access_request *access = going->access;
    const struct fh_arm_ipa_access ipa = {.ipa = piece->address,
                                          .kind = access->kind,
                                          .is_el0 = access->is_el0,
                                          .is_table = access->is_table};
    const struct fh_arm_instruction instruction = {
        .va = piece->address,
        .is_described = !access->is_undescribed,
        .size_log2 = (unsigned)__builtin_ctz(going->bytes),
        .rt = access->rt,
        .is_64bit = access->is_64bit || going->bytes == WORD,
        .is_signed = access->is_signed,
        .is_ordered = access->is_ordered};
    struct fh_arm_abort abort;
    fh_arm_abort_of(&going->outcome->walk, &ipa, &instruction, &abort);
    return abort;
}

/* IHI 0062: FSR says what it was, FSYNR0 in which level and for which access, FAR where. */
static struct fh_smmu_fault noted_of(const struct going *going, const struct piece *piece)
{
    const struct fh_arm_walk *walk = &going->outcome->walk;
    const struct fh_access_request *access = going->access;
    const struct fh_arm_smmu_fsr fsr = {.TF = walk->status == FH_ARM_STATUS_TRANSLATION,
                                        .AFF = walk->status == FH_ARM_STATUS_ACCESS_FLAG,
                                        .PF = walk->status == FH_ARM_STATUS_PERMISSION,
                                        .EF = walk->status == FH_ARM_STATUS_EXTERNAL_WALK,
                                        .ASF = walk->status == FH_ARM_STATUS_ADDRESS_SIZE,
                                        .FORMAT = 2};
    const struct fh_arm_smmu_fsynr0 fsynr0 = {.PLVL = (uint64_t)walk->level & 3,
                                              .WNR = access->kind == FH_ARM_WRITE,
                                              .IND = access->kind == FH_ARM_FETCH};
    return (struct fh_smmu_fault){fh_arm_smmu_fsr_word(&fsr), fh_arm_smmu_fsynr0_word(&fsynr0),
                                  piece->address};
}

static void note_fault(struct going *going, const struct piece *piece)
{
    struct fh_access_outcome *outcome = going->outcome;
    if (outcome->has_fault)
        return;
    outcome->has_fault = true;
    outcome->fault = outcome->walk.status;
    outcome->level = outcome->walk.level;
    if (going->access->by.kind == FH_BY_DEVICE)
        outcome->noted = noted_of(going, piece);
    else
        outcome->abort = abort_of(going, piece);
}

/* How a trap ends that does not return. */
static enum fh_access_end end_of(const struct fh_trap_outcome *trap)
{
    switch (trap->end) {
    case FH_TRAP_HALTED: return FH_ACCESS_HALTED;
    case FH_TRAP_DIED: return FH_ACCESS_DIED;
    case FH_TRAP_HANGS: return FH_ACCESS_HANGS;
    default: return FH_ACCESS_STUCK;
    }
}

/*
 * Has KCore stepped over the instruction? It then emulated it. The spec writes the next
 * instruction's address to ESR_EL2, the code to ELR_EL2.
 */
static bool is_stepped(const struct fh_ctxt_regs *before, uint64_t esr,
                       const struct fh_ctxt_regs *after)
{
    const uint64_t next = before->elr_el2 + 4;
    return after->elr_el2 == next || (after->esr_el2 == next && esr != next);
}

/* KCore or the host did it: what the register now has. */
static void end_emulated(struct going *going, uint64_t value)
{
    going->outcome->end = FH_ACCESS_EMULATED;
    if (going->access->kind != FH_ARM_WRITE)
        going->outcome->value = value;
}

static uint64_t general_register(const struct fh_ctxt_regs *regs, unsigned rt)
{
    return rt == XZR ? 0 : (&regs->x0)[rt];
}

/* *is_over: there is no other try. */
static enum fh_status fault_of_host(struct going *going, const struct fh_arm_abort *abort,
                                    bool *is_over)
{
    struct fh_access_outcome *outcome = going->outcome;
    const struct fh_ctxt_regs before = going->s->adt->regs->ctxt_regs;
    outcome->handler = FH_HANDLED_BY_KCORE;
    FH_TRY(take_fault(&going->host, FH_BY_HOST, abort, &outcome->trap));
    const struct fh_ctxt_regs *after = &going->s->adt->regs->ctxt_regs;
    *is_over = outcome->trap.end != FH_TRAP_RETURNS;
    if (*is_over) {
        outcome->end = end_of(&outcome->trap);
    } else if (is_stepped(&before, abort->esr, after)) {
        *is_over = true;
        end_emulated(going, general_register(after, going->access->rt));
    }
    return FH_OK;
}

static struct fh_host_answer next_answer(struct going *going)
{
    const struct fh_access_request *access = going->access;
    if (going->nanswers < access->nanswers &&
        access->answers[going->nanswers].kind != FH_HOST_DECIDES)
        return access->answers[going->nanswers++];
    going->nanswers++;
    return decide(going->s, going->host.ipa);
}

/* The registers of the vCPU as KCore keeps them. */
static const struct fh_ctxt *kept_ctxt(const struct going *going)
{
    const struct fh_principal *by = &going->access->by;
    return shadow_ctxt_of(going->s, ctxt_id(going->s->profile, by->vmid, (int64_t)by->vcpuid));
}

/* The host was told: it answers, and runs the vCPU again. */
static enum fh_status answer_vm(struct going *going, bool *is_over)
{
    struct fh_access_outcome *outcome = going->outcome;
    const struct fh_principal *by = &going->access->by;
    const uint64_t pc = kept_ctxt(going)->ctxt_states.pc;
    outcome->handler = FH_HANDLED_BY_HOST;
    going->host.answer = next_answer(going);
    *is_over = going->host.answer.kind == FH_HOST_STOPS;
    if (*is_over) {
        outcome->end = FH_ACCESS_STOPPED;
        return FH_OK;
    }
    FH_TRY(run_vcpu(&going->host, by->vmid, by->vcpuid, &outcome->trap));
    const struct fh_ctxt *after = kept_ctxt(going);
    if (outcome->trap.end != FH_TRAP_RETURNS) {
        *is_over = true;
        outcome->end = end_of(&outcome->trap);
    } else if (going->host.has_taken_register || after->ctxt_states.pc == pc + 4) {
        *is_over = true;
        end_emulated(going, general_register(&after->ctxt_regs, going->access->rt));
    }
    return FH_OK;
}

static enum fh_status fault_of_vm(struct going *going, const struct fh_arm_abort *abort,
                                  bool *is_over)
{
    struct fh_access_outcome *outcome = going->outcome;
    outcome->handler = FH_HANDLED_BY_KCORE;
    FH_TRY(take_fault(&going->host, FH_BY_VM, abort, &outcome->trap));
    *is_over = outcome->trap.end != FH_TRAP_RETURNS;
    if (*is_over)
        outcome->end = end_of(&outcome->trap);
    else if (outcome->trap.is_host)
        return answer_vm(going, is_over);
    return FH_OK;
}

static enum fh_status handle_fault(struct going *going, const struct piece *piece, bool *is_over)
{
    const struct fh_arm_abort abort = abort_of(going, piece);
    note_fault(going, piece);
    going->outcome->end = FH_ACCESS_FAULTS;
    *is_over = true;
    switch (going->access->by.kind) {
    case FH_BY_HOST: return fault_of_host(going, &abort, is_over);
    case FH_BY_VM: return fault_of_vm(going, &abort, is_over);
    default: going->outcome->handler = FH_HANDLED_BY_SMMU; return FH_OK;
    }
}

/* --- All of it -------------------------------------------------------------------------------- */

static enum fh_status check(struct fh_state *s, const struct fh_access_request *access)
{
    const struct fh_profile *k = s->profile;
    const struct fh_principal *by = &access->by;
    const unsigned bytes = bytes_of(access);
    NEED(s, s->realisation != FH_ABSTRACT, 0);
    NEED(s, bytes <= WORD && (bytes & (bytes - 1)) == 0, bytes);
    NEED(s, access->rt <= XZR, access->rt);
    NEED(s, is_addr(k, wide_add(access->address, bytes) - 1), access->address);
    NEED(s, by->kind != FH_BY_VM || is_vm(k, by->vmid), by->vmid);
    NEED(s, by->kind != FH_BY_VM || is_vcpu(k, by->vcpuid), by->vcpuid);
    NEED(s, by->kind != FH_BY_DEVICE || is_smmu(k, by->smmu), by->smmu);
    NEED(s, by->kind != FH_BY_DEVICE || is_smmu_cfg(k, by->bank), by->bank);
    return FH_OK;
}

/* Who accesses is on the CPU, and a store's register has its value. *is_over: it never gets there.
 */
static enum fh_status begin(struct going *going, bool *is_over)
{
    struct fh_access_outcome *outcome = going->outcome;
    const struct fh_access_request *access = going->access;
    *is_over = going->s->adt->halt && access->by.kind != FH_BY_DEVICE;
    outcome->end = FH_ACCESS_HALTED;
    if (*is_over)
        return FH_OK;
    FH_TRY(bring_to_cpu(&going->host, &access->by, &outcome->trap));
    *is_over = outcome->trap.end != FH_TRAP_RETURNS;
    outcome->end = *is_over ? end_of(&outcome->trap) : FH_ACCESS_FAULTS;
    return *is_over || access->kind != FH_ARM_WRITE ? FH_OK : set_register(going, access->value);
}

static enum fh_status go(struct going *going)
{
    const unsigned most = going->access->tries ? going->access->tries : FH_ACCESS_TRIES;
    bool is_over;
    FH_TRY(check(going->s, going->access));
    cut(going);
    FH_TRY(begin(going, &is_over));
    while (!is_over && going->outcome->tries < most) {
        const struct piece *faulting;
        going->outcome->tries++;
        FH_TRY(translate_pieces(going, &faulting));
        if (!faulting)
            return move_data(going);
        FH_TRY(handle_fault(going, faulting, &is_over));
    }
    return FH_OK;
}

/* What failed leaves the state as it was, and the error with it. */
static enum fh_status end(struct fh_state *s, enum fh_status status)
{
    const struct fh_error error = s->error;
    if (status == FH_OK)
        return fh_keep(s);
    fh_undo(s);
    s->error = error;
    s->error.status = status;
    return status;
}

static enum fh_access_end end_of_failure(enum fh_status status)
{
    if (status == FH_DIED)
        return FH_ACCESS_DIED;
    return status == FH_HANGS ? FH_ACCESS_HANGS : FH_ACCESS_STUCK;
}

enum fh_status fh_access(struct fh_state *s, const struct fh_access_request *access,
                         struct fh_access_outcome *outcome)
{
    struct going going = {.s = s, .access = access, .outcome = outcome, .bytes = bytes_of(access)};
    memset(outcome, 0, sizeof *outcome);
    outcome->value = access->kind == FH_ARM_WRITE ? access->value : 0;
    enum fh_status status = fh_begin(s);
    if (status == FH_OK) {
        begin_stand_in(&going.host, s);
        status = go(&going);
        end_stand_in(&going.host);
        status = end(s, status);
    }
    if (status != FH_OK)
        outcome->end = end_of_failure(status);
    return outcome->status = status;
}
