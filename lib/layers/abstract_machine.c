/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "AbstractMachine"
#include "layers/abstract_machine.h"

#include "layers/abstract_machine_checks.h"
#include "layers/lock_log.h"
#include "layers/oracle.h"
#include "layers/physical.h"
#include "state/log.h"

/*
 * AbstractMachine/Spec.v: the machine below KCore. Here: the words of the ticket locks and the
 * barriers around them, the data that comes from outside, what the hardware is, and device memory.
 * Tables and page ownership are in abstract_machine_pt.c, VMs in abstract_machine_vm.c, registers
 * in abstract_machine_ctxt.c.
 */

/* --- Locks: pulling and pushing the object --------------------------------------------------- */

static enum fh_status set_bars(struct fh_state *s, enum fh_bars bars)
{
    FH_TRY(save_value(s, &s->adt->bars, type_of_bars));
    s->adt->bars = (uint8_t)bars;
    return FH_OK;
}

/*
 * Begin to use the object of lock `lk` (an identifier of RData.v): it becomes what the newest
 * snapshot in the lock's log says.
 * Stuck: the lock is not taken, or the object is in use already; a barrier is due; the log is one
 * that H_CalLock rejects. AbstractMachine/Spec.v: acquire_shared_spec
 */
enum fh_status spec_acquire_shared(struct fh_state *s, uint32_t lk)
{
    FH_RELY(s, lock_status(s, lk) == FH_LOCK_OWN_FALSE, lk);
    FH_RELY(s, s->adt->bars == FH_BARRIER_VALID, s->adt->bars);
    struct fh_log *log;
    FH_TRY(own_log(s, lk, &log));
    FH_TRY(add_event(s, log, FH_EVENT_OPULL, lk));
    FH_RELY(s, log->lock != FH_LOG_BROKEN, lk);
    FH_TRY(take_over_newest(s, lk, log));
    FH_TRY(set_lock_status(s, lk, FH_LOCK_OWN));
    s->adt->tstate = 0;
    return FH_OK;
}

/* Put a snapshot of an object into the log of lock `lk`, whose holder is done with it. */
static enum fh_status release_shared(struct fh_state *s, enum fh_event_kind event, uint64_t key,
                                     uint64_t lk)
{
    struct fh_log *log;
    FH_TRY(own_log(s, lk, &log));
    FH_TRY(add_snapshot_of(s, log, lk, event, key));
    FH_RELY(s, log->lock != FH_LOG_BROKEN, lk);
    FH_TRY(set_lock_status(s, lk, FH_LOCK_OWN_FALSE));
    s->adt->tstate = 1;
    return FH_OK;
}

/* Stuck: the object of lock `lk` is not in use, or a barrier is due. */
#define RELY_IN_USE(s, lk)                                                                         \
    do {                                                                                           \
        RELY_HELD(s, lk);                                                                          \
        FH_RELY(s, (s)->adt->bars == FH_BARRIER_VALID, (s)->adt->bars);                            \
    } while (0)

/*
 * Done with the stage-2 table of `vmid`. The lock identifiers of these six functions are those
 * which the spec calls lock_idx_..., one less than the ones that all other functions use.
 * Stuck: see RELY_IN_USE, or a log that H_CalLock rejects.
 * AbstractMachine/Spec.v: release_shared_pt_spec
 */
enum fh_status spec_release_shared_pt(struct fh_state *s, uint32_t vmid)
{
    const uint64_t lk = s->profile->lock_idx_pt_base + vmid;
    RELY_IN_USE(s, lk);
    return release_shared(s, FH_EVENT_ONPT, vmid, lk);
}

/* Done with the SMMU tables. AbstractMachine/Spec.v: release_shared_spt_spec */
enum fh_status spec_release_shared_spt(struct fh_state *s)
{
    const uint64_t lk = s->profile->SPT_ID - 1;
    RELY_IN_USE(s, lk);
    return release_shared(s, FH_EVENT_OSPT, 0, lk);
}

/* Done with page ownership. AbstractMachine/Spec.v: release_shared_s2page_spec */
enum fh_status spec_release_shared_s2page(struct fh_state *s)
{
    const uint64_t lk = s->profile->S2PAGE_ID - 1;
    RELY_IN_USE(s, lk);
    return release_shared(s, FH_EVENT_OS2_PAGE, 0, lk);
}

/* Done with the core's counters. AbstractMachine/Spec.v: release_shared_core_spec */
enum fh_status spec_release_shared_core(struct fh_state *s)
{
    const uint64_t lk = s->profile->CORE_ID - 1;
    RELY_IN_USE(s, lk);
    return release_shared(s, FH_EVENT_OCORE_DATA, 0, lk);
}

/* Done with the information on `vmid`. AbstractMachine/Spec.v: release_shared_vm_spec */
enum fh_status spec_release_shared_vm(struct fh_state *s, uint32_t vmid)
{
    const uint64_t lk = s->profile->lock_idx_vm_base + vmid;
    RELY_IN_USE(s, lk);
    return release_shared(s, FH_EVENT_OVMINFO, vmid, lk);
}

/* Done with the owners of SMMU banks. AbstractMachine/Spec.v: release_shared_smmu_spec */
enum fh_status spec_release_shared_smmu(struct fh_state *s)
{
    const uint64_t lk = s->profile->SMMU_ID - 1;
    RELY_IN_USE(s, lk);
    return release_shared(s, FH_EVENT_OSMMU, 0, lk);
}

/* --- Locks: tickets and barriers ------------------------------------------------------------- */

/*
 * Read which ticket lock `lk` serves now, after what other CPUs did meanwhile.
 * Stuck: a barrier is due, or a log that CalTicketLockWraparound rejects.
 * AbstractMachine/Spec.v: get_now_spec
 */
enum fh_status spec_get_now(struct fh_state *s, uint32_t lk, uint32_t *result)
{
    FH_RELY(s, s->adt->bars == FH_BARRIER_VALID, s->adt->bars);
    struct fh_log *log;
    FH_TRY(append_oracle_of_tickets(s, lk, &log));
    FH_TRY(add_event(s, log, FH_EVENT_GET_NOW, 0));
    FH_RELY(s, !log->is_ticket_broken, lk);
    *result = (uint32_t)log_now(log);
    return FH_OK;
}

/* Serve the next ticket of lock `lk`. Stuck without the barrier before it.
 * AbstractMachine/Spec.v: incr_now_spec */
enum fh_status spec_incr_now(struct fh_state *s, uint32_t lk)
{
    FH_RELY(s, s->adt->bars == FH_BARRIERED, s->adt->bars);
    struct fh_log *log;
    FH_TRY(own_ticket_log(s, lk, &log));
    FH_TRY(add_event(s, log, FH_EVENT_INC_NOW, 0));
    return set_bars(s, FH_BARRIER_VALID);
}

/* A memory barrier: the one that is due, or the one before a lock is given back. Stuck if that one
 * was made already. AbstractMachine/Spec.v: barrier_spec */
enum fh_status spec_barrier(struct fh_state *s)
{
    FH_RELY(s, s->adt->bars != FH_BARRIERED, s->adt->bars);
    return set_bars(s, s->adt->bars == FH_BARRIER_VALID ? FH_BARRIERED : FH_BARRIER_VALID);
}

/* Note in the log of `lk` that this CPU got the lock; a barrier is due then. Stuck if one was due
 * before. AbstractMachine/Spec.v: log_hold_spec */
enum fh_status spec_log_hold(struct fh_state *s, uint32_t lk)
{
    FH_RELY(s, s->adt->bars == FH_BARRIER_VALID, s->adt->bars);
    struct fh_log *log;
    FH_TRY(own_ticket_log(s, lk, &log));
    FH_TRY(add_event(s, log, FH_EVENT_HOLD_LOCK, 0));
    return set_bars(s, FH_BARRIER_NEEDED);
}

/*
 * Draw a ticket of lock `lk`, promising to hold it for at most `bound` events; the result is its
 * number.
 * Stuck: a barrier is due, or a log that CalTicketLockWraparound rejects.
 * AbstractMachine/Spec.v: incr_ticket_spec
 */
enum fh_status spec_incr_ticket(struct fh_state *s, uint32_t bound, uint32_t lk, uint32_t *result)
{
    FH_RELY(s, s->adt->bars == FH_BARRIER_VALID, s->adt->bars);
    struct fh_log *log;
    FH_TRY(append_oracle_of_tickets(s, lk, &log));
    FH_RELY(s, !log->is_ticket_broken, lk);
    *result = (uint32_t)log_next_ticket(log);
    return add_event(s, log, FH_EVENT_INC_TICKET, bound);
}

/* --- The end, and what passes through it ----------------------------------------------------- */

/* KCore stops the machine: from here on nearly every function is the identity. Never stuck.
 * AbstractMachine/Spec.v: panic_spec */
enum fh_status spec_panic(struct fh_state *s)
{
    if (!s->panic_is_fresh)
        FH_NOTE_PANIC(s, NULL);
    s->adt->halt = true;
    observe(s, FH_EFFECT_PANIC, 0, 0, 0, 0);
    s->panic_is_fresh = false;
    return FH_OK;
}

/* `n`, or 0 in a halted state. AbstractMachine/Spec.v: check_spec */
enum fh_status spec_check(struct fh_state *s, uint32_t n, uint32_t *result)
{
    *result = s->adt->halt ? 0 : n;
    return FH_OK;
}

/* `n`, or 0 in a halted state. AbstractMachine/Spec.v: check64_spec */
enum fh_status spec_check64(struct fh_state *s, uint64_t n, uint64_t *result)
{
    *result = s->adt->halt ? 0 : n;
    return FH_OK;
}

/* --- Contents of memory ---------------------------------------------------------------------- */

/*
 * flatmem stands for what pages contain. Each write takes in what others wrote meanwhile, changes
 * one word for each page, and goes into the log of FLATMEM_ID, for which there is no lock.
 */
/*
 * Under SUMMARY and without an oracle its log counts, and does no more (log.h): one note and one
 * step, where noting and stepping the whole log was a sixth of taking back a page's last share.
 */
static struct lock_place *counted_flatmem(struct fh_state *s)
{
    const uint64_t id = s->profile->FLATMEM_ID;
    struct known_places *places = &s->places;
    const bool counts = id < LOCK_PLACES && places->locks[id].plain_age == places->plain_age;
    return counts ? &places->locks[id] : NULL;
}

static void note_counted_flatmem(struct fh_state *s)
{
    const uint64_t id = s->profile->FLATMEM_ID;
    struct lock_place *place = id < LOCK_PLACES ? &s->places.locks[id] : NULL;
    if (place && place->age == s->places.plain_age && log_only_counts(place->log))
        place->plain_age = place->age;
}

static enum fh_status begin_flatmem(struct fh_state *s)
{
    struct fh_log *log;
    if (counted_flatmem(s))
        return FH_OK;
    return query_oracle_of_lock(s, s->profile->FLATMEM_ID, &log);
}

/* The log is noted anew: were the call undone, the snapshot must go before the writes it shares. */
static enum fh_status end_flatmem(struct fh_state *s)
{
    struct fh_log *log;
    struct lock_place *counted = counted_flatmem(s);
    if (counted && note_length(s, counted, RECORD_BROKEN_LOG)) {
        counted->log->length++;
        return FH_OK;
    }
    FH_TRY(own_log(s, s->profile->FLATMEM_ID, &log));
    FH_TRY(add_snapshot(s, log, s->profile->FLATMEM_ID));
    note_counted_flatmem(s);
    return FH_OK;
}

static enum fh_status set_flatmem(struct fh_state *s, uint64_t pfn, uint64_t value)
{
    return set_entry_u64(s, &s->adt->shared.flatmem, pfn, value);
}

/*
 * `vmid` hands over `pgnum` pages from `pfn` on: their contents become the next values of its data
 * oracle. The identity in a halted state.
 * Stuck: vmid out of range; pfn, pgnum or the last page not page frames.
 * AbstractMachine/Spec.v: fetch_from_doracle_spec
 */
enum fh_status spec_fetch_from_doracle(struct fh_state *s, uint32_t vmid, uint64_t pfn,
                                       uint64_t pgnum)
{
    const struct fh_profile *k = s->profile;
    SKIP_IF_HALTED(s);
    RELY_VMID(s, vmid);
    FH_RELY(s, is_pfn(k, pfn), pfn);
    FH_RELY(s, is_pfn(k, pgnum), pgnum);
    FH_RELY(s, pfn + pgnum > 0 && is_pfn(k, wide_add(pfn, pgnum) - 1), pfn, pgnum);
    FH_LOOP_BOUND(s, pgnum);
    const uint64_t n = data_log_of(s, vmid);
    FH_REPRESENTABLE(s, wide_add(n, pgnum) <= (wide)UINT64_MAX + 1, n, pgnum);
    FH_TRY(begin_flatmem(s));
    for (uint64_t i = 0; i < pgnum; i++) {
        about(s, FH_ASKED_PAGE, 0, pfn + i);
        FH_TRY(set_flatmem(s, pfn + i, data_oracle(s, vmid, n + i)));
    }
    FH_TRY(end_flatmem(s));
    FH_LEAVES_64_BITS(s, !is_int64(wide_add(n, pgnum)), n, pgnum);
    return set_entry_u64(s, &s->adt->data_log, vmid, n + pgnum);
}

/* Fill page `pfn` with zeros. The identity in a halted state. Stuck: pfn out of range.
 * AbstractMachine/Spec.v: clear_phys_page_spec */
enum fh_status spec_clear_phys_page(struct fh_state *s, uint64_t pfn)
{
    SKIP_IF_HALTED(s);
    FH_RELY(s, is_pfn(s->profile, pfn), pfn);
    FH_TRY(begin_flatmem(s));
    FH_TRY(set_flatmem(s, pfn, 0));
    FH_TRY(end_flatmem(s));
    FH_TRY(fill_memory_page(s, pfn, 0));
    s->adt->tstate = 1;
    observe(s, FH_EFFECT_SCRUB, pfn, 0, 0, 0);
    return FH_OK;
}

/* A page becomes what encryption or decryption made of it: the host's next datum. */
static enum fh_status transform_page(struct fh_state *s, uint64_t pfn, uint64_t value)
{
    FH_TRY(begin_flatmem(s));
    FH_TRY(set_flatmem(s, pfn, value));
    FH_TRY(end_flatmem(s));
    FH_TRY(fill_memory_page(s, pfn, value));
    s->adt->tstate = 1;
    return FH_OK;
}

/*
 * Encrypt page `inbuf` into page `outbuf`. Both are page frame numbers, though callers pass byte
 * addresses. The identity in a halted state. Stuck: one of the two out of range.
 * AbstractMachine/Spec.v: encrypt_mem_buf_spec
 */
enum fh_status spec_encrypt_mem_buf(struct fh_state *s, uint32_t vmid, uint64_t inbuf,
                                    uint64_t outbuf)
{
    (void)vmid;
    SKIP_IF_HALTED(s);
    FH_RELY(s, is_pfn(s->profile, inbuf), inbuf);
    FH_RELY(s, is_pfn(s->profile, outbuf), outbuf);
    uint64_t value;
    about(s, FH_ASKED_PAGE, 0, outbuf);
    FH_READ_DATA(s, s->profile->HOSTVISOR, &value);
    return transform_page(s, outbuf, value);
}

/* Decrypt page `inbuf` in place; the rest as for encrypt_mem_buf.
 * AbstractMachine/Spec.v: decrypt_mem_buf_spec */
enum fh_status spec_decrypt_mem_buf(struct fh_state *s, uint32_t vmid, uint64_t inbuf)
{
    (void)vmid;
    SKIP_IF_HALTED(s);
    FH_RELY(s, is_pfn(s->profile, inbuf), inbuf);
    uint64_t value;
    about(s, FH_ASKED_PAGE, 0, inbuf);
    FH_READ_DATA(s, s->profile->HOSTVISOR, &value);
    return transform_page(s, inbuf, value);
}

/* --- Parameters of the development ----------------------------------------------------------- */

/* Where the part of struct kvm of `vmid` that host and KCore share is. 0 in a halted state. Stuck:
 * vmid out of range. AbstractMachine/Spec.v: get_shared_kvm_spec */
enum fh_status spec_get_shared_kvm(struct fh_state *s, uint32_t vmid, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VMID(s, vmid);
    if (s->env.shared_kvm)
        *result = ASK_OUTSIDE(s, shared_kvm, vmid);
    return FH_OK;
}

/* The same for a vCPU. Stuck: vmid or vcpuid out of range.
 * AbstractMachine/Spec.v: get_shared_vcpu_spec */
enum fh_status spec_get_shared_vcpu(struct fh_state *s, uint32_t vmid, uint32_t vcpuid,
                                    uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VCPU(s, vmid, vcpuid);
    if (s->env.shared_vcpu)
        *result = ASK_OUTSIDE(s, shared_vcpu, vmid, vcpuid);
    return FH_OK;
}

/*
 * Is the boot image at `addr` (a byte address, 48 bits) the one that was signed for `vmid`? 0 in a
 * halted state. Stuck: vmid or addr out of range. AbstractMachine/Spec.v: verify_image_spec
 */
enum fh_status spec_verify_image(struct fh_state *s, uint32_t vmid, uint64_t addr, uint32_t *result)
{
    ZERO_IF_HALTED(s, result);
    RELY_VMID(s, vmid);
    FH_RELY(s, is_addr(s->profile, addr), addr);
    RETURN_U32(s, s->env.verify_img ? ASK_OUTSIDE(s, verify_img, vmid, addr) : 1, result);
}

/* The value of shadow register `index` after reset. 0 in a halted state. Stuck: index out of range.
 * AbstractMachine/Spec.v: get_sys_reg_desc_val_spec */
enum fh_status spec_get_sys_reg_desc_val(struct fh_state *s, uint32_t index, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    FH_RELY(s, is_reg(s->profile, index), index);
    if (s->env.reg_desc)
        *result = ASK_OUTSIDE(s, reg_desc, index);
    return FH_OK;
}

/* Where an exception that hits a VM in `pstate` goes. Not changed by a halt.
 * AbstractMachine/Spec.v: get_exception_vector_spec */
enum fh_status spec_get_exception_vector(struct fh_state *s, uint64_t pstate, uint64_t *result)
{
    *result = s->env.exception_vector ? ASK_OUTSIDE(s, exception_vector, pstate) : 0;
    return FH_OK;
}

/* --- The SMMUs ------------------------------------------------------------------------------- */

/*
 * What the firmware said of each SMMU, and the owners of its context banks. 0, or the identity, in
 * a halted state.
 * Stuck: index or cbndx out of range; for the owners, SMMU_ID not held.
 */

/* The VM that owns bank `cbndx` of SMMU `index`, INVALID for none.
 * AbstractMachine/Spec.v: get_smmu_cfg_vmid_spec */
enum fh_status spec_get_smmu_cfg_vmid(struct fh_state *s, uint32_t cbndx, uint32_t index,
                                      uint32_t *result)
{
    ZERO_IF_HALTED(s, result);
    FH_RELY(s, is_smmu(s->profile, index), index);
    FH_RELY(s, is_smmu_cfg(s->profile, cbndx), cbndx);
    RELY_HELD(s, s->profile->SMMU_ID);
    const uint64_t *owner =
        fh_map_get(&s->adt->shared.smmu_vmid, &type_of_vmid_or_invalid->as_value,
                   smmu_id(s->profile, index, cbndx));
    RETURN_U32(s, *owner, result);
}

/* Make `vmid` that owner. AbstractMachine/Spec.v: set_smmu_cfg_vmid_spec */
enum fh_status spec_set_smmu_cfg_vmid(struct fh_state *s, uint32_t cbndx, uint32_t index,
                                      uint32_t vmid)
{
    SKIP_IF_HALTED(s);
    FH_RELY(s, is_smmu(s->profile, index), index);
    FH_RELY(s, is_smmu_cfg(s->profile, cbndx), cbndx);
    RELY_HELD(s, s->profile->SMMU_ID);
    void *owner;
    FH_TRY(edit_entry(s, &s->adt->shared.smmu_vmid, type_of_vmid_or_invalid,
                      smmu_id(s->profile, index, cbndx), &owner));
    observe(s, FH_EFFECT_SMMU_CFG_SET, cbndx, index, vmid, *(uint64_t *)owner);
    *(uint64_t *)owner = vmid;
    return FH_OK;
}

/* How many context banks SMMU `index` has.
 * AbstractMachine/Spec.v: get_smmu_num_context_banks_spec */
enum fh_status spec_get_smmu_num_context_banks(struct fh_state *s, uint32_t index, uint32_t *result)
{
    ZERO_IF_HALTED(s, result);
    FH_RELY(s, is_smmu(s->profile, index), index);
    RETURN_U32(s, number_at(&s->adt->smmu_conf->smmu_dev_context_banks, index), result);
}

/* The page shift of the register space of SMMU `index`.
 * AbstractMachine/Spec.v: get_smmu_pgshift_spec */
enum fh_status spec_get_smmu_pgshift(struct fh_state *s, uint32_t index, uint32_t *result)
{
    ZERO_IF_HALTED(s, result);
    FH_RELY(s, is_smmu(s->profile, index), index);
    RETURN_U32(s, number_at(&s->adt->smmu_conf->smmu_pgshift, index), result);
}

/* How many SMMUs there are. AbstractMachine/Spec.v: get_smmu_num_spec */
enum fh_status spec_get_smmu_num(struct fh_state *s, uint32_t *result)
{
    ZERO_IF_HALTED(s, result);
    RETURN_U32(s, s->adt->smmu_conf->smmu_num, result);
}

/* The size of the register space of SMMU `index` in bytes.
 * AbstractMachine/Spec.v: get_smmu_size_spec */
enum fh_status spec_get_smmu_size(struct fh_state *s, uint32_t index, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    FH_RELY(s, is_smmu(s->profile, index), index);
    *result = smmu_range_of(s, index).size;
    return FH_OK;
}

/* The physical address of that space. AbstractMachine/Spec.v: get_smmu_base_spec */
enum fh_status spec_get_smmu_base(struct fh_state *s, uint32_t index, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    FH_RELY(s, is_smmu(s->profile, index), index);
    *result = smmu_range_of(s, index).base;
    return FH_OK;
}

/* --- Syndrome of a data abort ---------------------------------------------------------------- */

/* The register that the access loads or stores (ISS.SRT of `hsr`). Not changed by a halt, as the
 * two that follow. AbstractMachine/Spec.v: host_dabt_get_rd_spec */
enum fh_status spec_host_dabt_get_rd(struct fh_state *s, uint32_t hsr, uint32_t *result)
{
    const struct fh_profile *k = s->profile;
    *result = (uint32_t)((hsr >> k->ESR_ELx_SRT_SHIFT) & k->ESR_ELx_SRT_MASK);
    return FH_OK;
}

/* ESR_ELx_WNR (64) for a write, 0 for a read.
 * AbstractMachine/Spec.v: host_dabt_is_write_spec */
enum fh_status spec_host_dabt_is_write(struct fh_state *s, uint32_t hsr, uint32_t *result)
{
    *result = (uint32_t)(hsr & s->profile->ESR_ELx_WNR);
    return FH_OK;
}

/* The size of the access in bytes (1 << ISS.SAS).
 * AbstractMachine/Spec.v: host_dabt_get_as_spec */
enum fh_status spec_host_dabt_get_as(struct fh_state *s, uint32_t hsr, uint32_t *result)
{
    const struct fh_profile *k = s->profile;
    *result = (uint32_t)1 << ((hsr & k->ESR_ELx_SAS) >> k->ESR_ELx_SAS_SHIFT);
    return FH_OK;
}

/* --- Memory and devices as programs use them ------------------------------------------------- */

/* A load by a program: nothing happens to KCore's state, here and in the three that follow.
 * AbstractMachine/Spec.v: mem_load_raw_spec */
enum fh_status spec_mem_load_raw(struct fh_state *s, uint64_t gfn, uint32_t reg)
{
    (void)s, (void)gfn, (void)reg;
    return FH_OK;
}

/* A store by a program. AbstractMachine/Spec.v: mem_store_raw_spec */
enum fh_status spec_mem_store_raw(struct fh_state *s, uint64_t gfn, uint32_t reg)
{
    (void)s, (void)gfn, (void)reg;
    return FH_OK;
}

/* A load by a device behind an SMMU. AbstractMachine/Spec.v: dev_load_raw_spec */
enum fh_status spec_dev_load_raw(struct fh_state *s, uint64_t gfn, uint32_t reg, uint32_t cbndx,
                                 uint32_t index)
{
    (void)s, (void)gfn, (void)reg, (void)cbndx, (void)index;
    return FH_OK;
}

/* A store by a device behind an SMMU. AbstractMachine/Spec.v: dev_store_raw_spec */
enum fh_status spec_dev_store_raw(struct fh_state *s, uint64_t gfn, uint32_t reg, uint32_t cbndx,
                                  uint32_t index)
{
    (void)s, (void)gfn, (void)reg, (void)cbndx, (void)index;
    return FH_OK;
}

/* KCore writes 32 bits to the device register at `addr` (a byte address). The identity.
 * AbstractMachine/Spec.v: writel_relaxed_spec */
enum fh_status spec_writel_relaxed(struct fh_state *s, uint64_t value, uint64_t addr)
{
    SKIP_IF_HALTED(s);
    observe(s, FH_EFFECT_MMIO_WRITE, addr, value, 4, 0);
    return tlb_smmu_written(s, addr, value & UINT32_MAX);
}

/* The same for 64 bits. AbstractMachine/Spec.v: writeq_relaxed_spec */
enum fh_status spec_writeq_relaxed(struct fh_state *s, uint64_t value, uint64_t addr)
{
    SKIP_IF_HALTED(s);
    observe(s, FH_EFFECT_MMIO_WRITE, addr, value, 8, 0);
    return tlb_smmu_written(s, addr, value);
}

/* KCore reads 64 bits from a device register: the host's next datum. 0 in a halted state.
 * AbstractMachine/Spec.v: readq_relaxed_spec */
enum fh_status spec_readq_relaxed(struct fh_state *s, uint64_t addr, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    about(s, FH_ASKED_MMIO, 0, addr);
    FH_READ_DATA(s, s->profile->HOSTVISOR, result);
    observe(s, FH_EFFECT_MMIO_READ, addr, *result, 0, 0);
    return FH_OK;
}

/* The same for 32 bits: the lower half of the datum.
 * AbstractMachine/Spec.v: readl_relaxed_spec */
enum fh_status spec_readl_relaxed(struct fh_state *s, uint64_t addr, uint64_t *result)
{
    ZERO_IF_HALTED(s, result);
    about(s, FH_ASKED_MMIO, 0, addr);
    FH_READ_DATA(s, s->profile->HOSTVISOR, result);
    *result &= s->profile->INVALID;
    observe(s, FH_EFFECT_MMIO_READ, addr, *result, 0, 0);
    return FH_OK;
}
