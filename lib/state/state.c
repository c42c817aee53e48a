/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "base/refs.h"
#include "state/log.h"
#include "state/machine.h"
#include "state/pools.h"

enum { DEFAULT_LOOP_LIMIT = 1 << 24 };

/* rdata is not in a map, so it has a reference type of its own here. */
static void release_rdata(struct fh_rdata *adt, const struct fh_allocator *allocator)
{
    if (!refs_release(&adt->references))
        return;
    fh_value_release(fh_rdata_type(), adt, allocator);
    allocator->free(allocator->context, adt, sizeof *adt);
}

/* Set an entry of a base state. */
static void *base_entry(struct fh_state *s, struct fh_map *map, const struct fh_type *type,
                        uint64_t key)
{
    bool existed;
    void *entry = fh_map_edit(map, &type->as_value, &s->allocator, key, &existed);
    return entry && fh_ref_own(type, entry, &s->allocator) ? *(void **)entry : NULL;
}

static bool make_base_state(struct fh_state *s)
{
    const struct fh_profile *k = s->profile;
    struct fh_rdata *adt = s->adt;
    adt->ihost = true;
    adt->tstate = 1;
    if (!fh_ref_own(type_of_ref_ctxt, &adt->regs, &s->allocator) ||
        !fh_ref_own(type_of_ref_smmu_conf, &adt->smmu_conf, &s->allocator) ||
        !fh_ref_own(type_of_ref_spt, &adt->shared.spts, &s->allocator))
        return false;
    adt->shared.core_data.next_vmid = 1;
    adt->shared.core_data.next_remap_ptr = k->REMAP_START;
    adt->shared.spts->spt_pgd_next = k->SMMU_PGD_START;
    adt->shared.spts->spt_pmd_next = k->SMMU_PMD_START;
    for (uint64_t vmid = 0; vmid <= k->COREVISOR; vmid++) {
        struct fh_npt *npt = base_entry(s, &adt->shared.npts, type_of_ref_npt, vmid);
        if (!npt)
            return false;
        npt->pt_pgd_next = pgd_start(k, vmid);
        npt->pt_pud_next = pud_start(k, vmid);
        npt->pt_pmd_next = pmd_start(k, vmid);
    }
    return true;
}

static struct fh_state *state_shell(const struct fh_allocator *allocator)
{
    struct fh_state *s = allocator->alloc(allocator->context, sizeof *s);
    if (!s)
        return NULL;
    memset(s, 0, sizeof *s);
    s->allocator = *allocator;
    s->places.age = s->places.lock_age = 1;
    s->places.is_status_old = true;
    s->question.what = FH_ASKED_OTHER;
    return s;
}

struct fh_state *fh_state_new(const struct fh_config *config)
{
    struct fh_state *s = state_shell(config->allocator);
    if (!s)
        return NULL;
    use_machine(s, config->machine ? config->machine : &fh_machine_spec);
    s->profile = config->profile ? config->profile : fh_machine_profile(config->machine);
    s->log_policy = config->log_policy;
    hash_begin(s, config->hash & FH_HASH_ALL);
    s->loop_limit = config->loop_limit ? config->loop_limit : DEFAULT_LOOP_LIMIT;
    s->realisation = config->realisation;
    s->lock_form = s->realisation;
    if (s->realisation == FH_CONCRETE && config->simple_locks)
        s->lock_form = FH_ABSTRACT;
    if (config->environment)
        s->env = *config->environment;
    s->adt = s->allocator.alloc(s->allocator.context, sizeof *s->adt);
    if (!s->adt) {
        fh_state_free(s);
        return NULL;
    }
    memset(s->adt, 0, sizeof *s->adt);
    refs_init(&s->adt->references);
    if (!make_base_state(s)) {
        fh_state_free(s);
        return NULL;
    }
    return s;
}

/* The abstract side has changed by other means than calls. */
static void forget_ticket_logs(struct fh_state *s)
{
    if (s->ticket_logs.root)
        fh_map_release(&s->ticket_logs, &type_of_log->as_value, &s->allocator);
}

void fh_state_free(struct fh_state *s)
{
    if (!s)
        return;
    const struct fh_allocator allocator = s->allocator;
    journal_forget(s, 0);
    if (s->adt)
        release_rdata(s->adt, &allocator);
    forget_ticket_logs(s);
    fh_map_release(&s->outlived, &type_of_flag->as_value, &allocator);
    event_block_release(s->events, &allocator);
    if (s->journal.bytes)
        allocator.free(allocator.context, s->journal.bytes, s->journal.size);
    allocator.free(allocator.context, s, sizeof *s);
}

struct fh_state *fh_state_fork(struct fh_state *s)
{
    struct fh_state *fork = state_shell(&s->allocator);
    if (!fork)
        return NULL;
    fork->profile = s->profile;
    fork->log_policy = s->log_policy;
    fork->named = s->named;
    fork->machine = s->machine;
    fork->departures = s->departures;
    fork->loop_limit = s->loop_limit;
    hash_begin(fork, s->hash.parts);
    fork->env = s->env;
    fork->realisation = s->realisation;
    fork->lock_form = s->lock_form;
    fork->ticket_logs = s->ticket_logs;
    fh_map_retain(&fork->ticket_logs);
    fork->outlived = s->outlived;
    fh_map_retain(&fork->outlived);
    hash_settle(s);
    forget_places(s); /* as the state's own */
    fork->adt = s->adt;
    journal_share(&s->journal);
    refs_retain(&fork->adt->references);
    return fork;
}

const struct fh_rdata *fh_state_rdata(const struct fh_state *s)
{
    settle_locks((struct fh_state *)(uintptr_t)s); /* a callback asks, in a call */
    return s->adt;
}

const struct fh_profile *fh_state_profile(const struct fh_state *s)
{
    return s->profile;
}

const struct fh_allocator *fh_state_allocator(const struct fh_state *s)
{
    return &s->allocator;
}

enum fh_realisation fh_state_realisation(const struct fh_state *s)
{
    return s->realisation;
}

struct fh_environment *fh_state_environment(struct fh_state *s)
{
    return &s->env;
}

const struct fh_error *fh_state_error(const struct fh_state *s)
{
    return &s->error;
}

const struct fh_rdata *fh_state_snapshot(struct fh_state *s)
{
    hash_settle(s);
    forget_places(s); /* as the state's own */
    journal_share(&s->journal);
    refs_retain(&s->adt->references);
    return s->adt;
}

/* The reference count of a snapshot is the one part of it that changes. */
static struct fh_rdata *counted(const struct fh_rdata *snapshot)
{
    return (struct fh_rdata *)(uintptr_t)snapshot;
}

void fh_snapshot_release(const struct fh_rdata *snapshot, const struct fh_allocator *allocator)
{
    if (snapshot)
        release_rdata(counted(snapshot), allocator);
}

/*
 * The data are about to be written by others' means. In a transaction the journal keeps them as
 * they are, and the state goes on with a copy.
 */
static bool set_data_apart(struct fh_state *s)
{
    const struct journal *journal = &s->journal;
    if (journal->depth == 0)
        return true;
    const bool is_apart = journal->shared < journal->used &&
                          record_before(journal, journal->used)->kind == RECORD_DATA;
    return is_apart || note_data(s);
}

/* The same for the ticket side of the locks, which is no more what the abstract side says. */
static bool set_ticket_logs_apart(struct fh_state *s)
{
    if (!s->ticket_logs.root)
        return true;
    if (s->journal.depth > 0 && save_value(s, &s->ticket_logs, type_of_map_log) != FH_OK)
        return false;
    forget_ticket_logs(s);
    return true;
}

enum fh_status fh_state_restore(struct fh_state *s, const struct fh_rdata *snapshot)
{
    hash_forget(s);
    journal_break(s);
    if (!set_ticket_logs_apart(s) || !set_data_apart(s))
        return FH_NOMEM;
    struct fh_rdata *old = s->adt;
    s->adt = counted(snapshot);
    refs_retain(&s->adt->references);
    release_rdata(old, &s->allocator);
    forget_places(s);
    return FH_OK;
}

bool own_data_alone(struct fh_state *s)
{
    hash_settle(s);
    struct fh_rdata *adt = s->allocator.alloc(s->allocator.context, sizeof *adt);
    if (!adt)
        return false;
    refs_copy(adt, s->adt, sizeof *adt);
    fh_value_retain(fh_rdata_type(), adt);
    release_rdata(s->adt, &s->allocator);
    s->adt = adt;
    forget_places(s);
    return true;
}

bool copy_own_data(struct fh_state *s)
{
    const struct fh_rdata *old = s->adt;
    if (!own_data_alone(s))
        return false;
    journal_move(&s->journal, old, sizeof *old, s->adt);
    return true;
}

struct fh_rdata *fh_state_edit(struct fh_state *s)
{
    forget_places(s);
    return set_ticket_logs_apart(s) ? fh_state_edit_beside_locks(s) : NULL;
}

struct fh_rdata *fh_state_edit_beside_locks(struct fh_state *s)
{
    hash_forget(s);
    journal_break(s);
    forget_places_beside_locks(s);
    if (!set_data_apart(s) || !own_data(s))
        return NULL;
    s->adt->is_summed = false;
    return s->adt;
}

struct fh_rdata *fh_state_edit_cpu(struct fh_state *s)
{
    journal_break(s);
    return own_data(s) ? s->adt : NULL;
}

void fh_state_halt(struct fh_state *s)
{
    s->adt->halt = true;
}

/* The registers of the innermost transaction's begin are in the journal already. */
static bool regs_are_noted(const struct journal *journal)
{
    return journal->depth == 0 || journal->regs > journal->mark;
}

/* The registers, written from outside; at once where nobody shares them and nothing is noted. */
__attribute__((noinline)) static struct fh_ctxt *copy_regs(struct fh_state *s)
{
    void *regs;
    return own_data(s) && own_ref(s, &s->adt->regs, type_of_ref_ctxt, &regs) == FH_OK ? regs : NULL;
}

static inline struct fh_ctxt *own_regs(struct fh_state *s)
{
    struct fh_rdata *adt = s->adt;
    const bool is_own = !refs_shared(&adt->references) && !refs_shared(&adt->regs->references);
    return __builtin_expect(is_own, 1) ? adt->regs : copy_regs(s);
}

struct fh_ctxt *fh_state_edit_regs(struct fh_state *s)
{
    journal_break(s);
    struct fh_ctxt *regs = own_regs(s);
    if (regs && keeps_hash(s))
        hash_leave(s, &s->adt->regs, type_of_ref_ctxt);
    journal_break(s); /* drops the note of a reference that nothing takes back */
    return !regs || regs_are_noted(&s->journal) || note_regs(s) ? regs : NULL;
}

enum fh_status fh_state_set_reg(struct fh_state *s, size_t offset, uint64_t value)
{
    struct fh_ctxt *regs = own_regs(s);
    uint64_t *place = (uint64_t *)(void *)((char *)regs + offset);
    if (!regs)
        return FH_NOMEM;
    if (s->journal.depth == 0)
        journal_break(s); /* drops also the note of a reference, which nothing takes back */
    else if (!journal_note(s, RECORD_WORD, place, NULL, *place, 0))
        return FH_NOMEM;
    if (keeps_hash(s))
        hash_change_reg(s, offset, *place, value);
    *place = value;
    return FH_OK;
}
