/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "Locks"
#include "layers/locks.h"

#include "layers/lock_log.h"

/*
 * Locks/Spec.v: the locks as the layers above see them. Taking a lock first lets the other CPUs
 * act (the oracle), then announces the critical section, WAIT_LOCK and OPULL; giving it back
 * records the protected object and REL_LOCK. A log that the lock calculus (H_CalLock) rejects makes
 * the call stuck.
 *
 * Context: each function works on the one lock in its name. In a halted state all are the identity.
 */

/* Snapshot events that a critical section may add (Locks/Spec.v: local_lock_bound). */
enum { LOCAL_LOCK_BOUND = 10 };

/* Stuck if the lock is not free. */
static enum fh_status acquire(struct fh_state *s, uint64_t id)
{
    FH_RELY(s, lock_status(s, id) == FH_LOCK_FREE, id);
    struct fh_log *log;
    FH_TRY(query_oracle_of_lock(s, id, &log));
    FH_TRY(add_event(s, log, FH_EVENT_WAIT_LOCK, LOCAL_LOCK_BOUND));
    FH_TRY(add_event(s, log, FH_EVENT_OPULL, id));
    FH_RELY(s, log->lock != FH_LOG_BROKEN, id);
    FH_TRY(set_lock_status(s, id, FH_LOCK_OWN));
    s->adt->tstate = 0;
    observe(s, FH_EFFECT_LOCK, id, 0, 0, 0);
    return FH_OK;
}

/* Stuck if this CPU does not hold the lock, or added more than it may to its log. */
static enum fh_status release(struct fh_state *s, uint64_t id)
{
    FH_RELY(s, lock_status(s, id) == FH_LOCK_OWN, id);
    struct fh_log *log;
    FH_TRY(own_log(s, id, &log));
    FH_TRY(add_snapshot(s, log, id));
    FH_TRY(add_event(s, log, FH_EVENT_REL_LOCK, 0));
    FH_RELY(s, log->lock != FH_LOG_BROKEN, id);
    FH_TRY(set_lock_status(s, id, FH_LOCK_FREE));
    s->adt->tstate = 1;
    observe(s, FH_EFFECT_UNLOCK, id, 0, 0, 0);
    return FH_OK;
}

/* The stage-2 table of `vmid`. Locks/Spec.v: acquire_lock_pt_spec */
enum fh_status kc_acquire_lock_pt(struct fh_state *s, uint32_t vmid)
{
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, is_vmid(s->profile, vmid), vmid);
    return acquire(s, s->profile->NPT_ID + vmid);
}

/* The SMMU tables. Locks/Spec.v: acquire_lock_spt_spec */
enum fh_status kc_acquire_lock_spt(struct fh_state *s)
{
    return s->adt->halt ? FH_OK : acquire(s, s->profile->SPT_ID);
}

/* Page ownership. Locks/Spec.v: acquire_lock_s2page_spec */
enum fh_status kc_acquire_lock_s2page(struct fh_state *s)
{
    return s->adt->halt ? FH_OK : acquire(s, s->profile->S2PAGE_ID);
}

/* next_vmid and next_remap_ptr. Locks/Spec.v: acquire_lock_core_spec */
enum fh_status kc_acquire_lock_core(struct fh_state *s)
{
    return s->adt->halt ? FH_OK : acquire(s, s->profile->CORE_ID);
}

/* The information on VM `vmid`. Locks/Spec.v: acquire_lock_vm_spec */
enum fh_status kc_acquire_lock_vm(struct fh_state *s, uint32_t vmid)
{
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, is_vmid(s->profile, vmid), vmid);
    return acquire(s, s->profile->INFO_ID + vmid);
}

/* Which VM owns which SMMU context bank. Locks/Spec.v: acquire_lock_smmu_spec */
enum fh_status kc_acquire_lock_smmu(struct fh_state *s)
{
    return s->adt->halt ? FH_OK : acquire(s, s->profile->SMMU_ID);
}

/* Locks/Spec.v: release_lock_pt_spec */
enum fh_status kc_release_lock_pt(struct fh_state *s, uint32_t vmid)
{
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, is_vmid(s->profile, vmid), vmid);
    return release(s, s->profile->NPT_ID + vmid);
}

/* Locks/Spec.v: release_lock_spt_spec */
enum fh_status kc_release_lock_spt(struct fh_state *s)
{
    return s->adt->halt ? FH_OK : release(s, s->profile->SPT_ID);
}

/* Locks/Spec.v: release_lock_s2page_spec */
enum fh_status kc_release_lock_s2page(struct fh_state *s)
{
    return s->adt->halt ? FH_OK : release(s, s->profile->S2PAGE_ID);
}

/* Locks/Spec.v: release_lock_core_spec */
enum fh_status kc_release_lock_core(struct fh_state *s)
{
    return s->adt->halt ? FH_OK : release(s, s->profile->CORE_ID);
}

/* Locks/Spec.v: release_lock_vm_spec */
enum fh_status kc_release_lock_vm(struct fh_state *s, uint32_t vmid)
{
    if (s->adt->halt)
        return FH_OK;
    FH_RELY(s, is_vmid(s->profile, vmid), vmid);
    return release(s, s->profile->INFO_ID + vmid);
}

/* Locks/Spec.v: release_lock_smmu_spec */
enum fh_status kc_release_lock_smmu(struct fh_state *s)
{
    return s->adt->halt ? FH_OK : release(s, s->profile->SMMU_ID);
}
