/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_EVENTS_H
#define FAULTHANDLER_EVENTS_H

#include <stdint.h>

#include <faulthandler/map.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The events of all logs of the state, in one table: X(name, family, number of integer arguments,
 * object). Families: TICKET and SHARED events stand in the per-lock logs (RData.v: MultiLog),
 * ATOMIC events in slog (SingleLog), UPDATE events in pt_updates. `object` names what a snapshot
 * event carries: the object that the lock protects as it was when the event was recorded.
 *
 * Arguments are 64-bit words. Only the second of OVM_INACTIVE, which is cur_vcpuid, can be
 * negative: it stands there in two's complement.
 */
/* clang-format off */
#define FH_EVENT_MAP(X)                                                                             \
    X(INC_TICKET, TICKET, 1, none)                                                                  \
    X(INC_NOW, TICKET, 0, none)                                                                     \
    X(GET_NOW, TICKET, 0, none)                                                                     \
    X(CAS_TICKET, TICKET, 0, none)                                                                  \
    X(HOLD_LOCK, TICKET, 0, none)                                                                   \
    X(WAIT_LOCK, TICKET, 1, none)                                                                   \
    X(REL_LOCK, TICKET, 0, none)                                                                    \
    X(OPULL, SHARED, 1, none)                                                                       \
    X(OCORE_DATA, SHARED, 0, core_data)                                                             \
    X(OS2_PAGE, SHARED, 0, map_s2page)                                                              \
    X(ONPT, SHARED, 0, ref_npt)                                                                     \
    X(OVMINFO, SHARED, 0, ref_vminfo)                                                               \
    X(OSPT, SHARED, 0, ref_spt)                                                                     \
    X(OSMMU, SHARED, 0, map_smmu_vmid)                                                              \
    X(OFLATMEM, SHARED, 0, map_u64)                                                                 \
    X(OPT_GET, ATOMIC, 1, none)                                                                     \
    X(OMAP_HOST, ATOMIC, 1, none)                                                                   \
    X(OCLEAR_VM, ATOMIC, 2, none)                                                                   \
    X(OASSIGN_VM, ATOMIC, 4, none)                                                                  \
    X(OMAP_VM, ATOMIC, 4, none)                                                                     \
    X(OMAP_IO, ATOMIC, 3, none)                                                                     \
    X(OGRANT, ATOMIC, 2, none)                                                                      \
    X(OREVOKE, ATOMIC, 3, none)                                                                     \
    X(OVM_GET, ATOMIC, 1, none)                                                                     \
    X(OVM_ACTIVE, ATOMIC, 2, none)                                                                  \
    X(OVM_INACTIVE, ATOMIC, 2, none)                                                                \
    X(OVM_POWEROFF, ATOMIC, 1, none)                                                                \
    X(OREG_VCPU, ATOMIC, 2, none)                                                                   \
    X(OGEN_VMID, ATOMIC, 0, none)                                                                   \
    X(OREG_KVM, ATOMIC, 1, none)                                                                    \
    X(OBOOT_INFO, ATOMIC, 3, none)                                                                  \
    X(OREMAP_IMAGE, ATOMIC, 3, none)                                                                \
    X(OVERIFY, ATOMIC, 1, none)                                                                     \
    X(OSMMU_GET, ATOMIC, 0, none)                                                                   \
    X(OASSIGN_SMMU, ATOMIC, 4, none)                                                                \
    X(OSMMU_FREE, ATOMIC, 2, none)                                                                  \
    X(OSMMU_ALLOC, ATOMIC, 4, none)                                                                 \
    X(OSMMU_MAP, ATOMIC, 4, none)                                                                   \
    X(OSMMU_CLEAR, ATOMIC, 3, none)                                                                 \
    X(OLOAD_ENC_VCPU, ATOMIC, 3, ref_ctxt)                                                          \
    X(OSAVE_ENC_BUF, ATOMIC, 4, none)                                                               \
    X(OLOAD_ENC_BUF, ATOMIC, 3, none)                                                               \
    X(UPDATE_PGD, UPDATE, 2, none)                                                                  \
    X(UPDATE_PUD, UPDATE, 2, none)                                                                  \
    X(UPDATE_PMD, UPDATE, 2, none)                                                                  \
    X(UPDATE_PTE, UPDATE, 2, none)

/* clang-format on */
enum fh_event_kind {
#define FH_EVENT_ENUM(name, family, nargs, object) FH_EVENT_##name,
    FH_EVENT_MAP(FH_EVENT_ENUM)
#undef FH_EVENT_ENUM
        FH_EVENT_KINDS
};

enum fh_event_family { FH_TICKET, FH_SHARED, FH_ATOMIC, FH_UPDATE };

#define FH_EVENT_ARGS 4

/* The object of a snapshot event: the member that the event's kind names. */
union fh_object {
    struct {
        uint64_t next_vmid, next_remap_ptr;
    } core_data;
    struct fh_map map;
    const struct fh_npt *npt;
    const struct fh_vminfo *vminfo;
    const struct fh_spt *spt;
    const struct fh_ctxt *ctxt;
};

/* An event in a log. Immutable and shared between logs and snapshots; `older` is the list. */
struct fh_event {
    uint32_t references; /* of the library, through its atomic operations */
    uint8_t kind;        /* enum fh_event_kind */
    uint8_t slot;        /* in the block that it was cut from, from 1; 0: it is by itself */
    uint64_t cpu;
    uint64_t args[FH_EVENT_ARGS];
    union fh_object object;
    struct fh_event *older;
};

/*
 * What H_CalLock computes of a lock's log (CalLock.v, Locks/Spec.v), kept up to date as events are
 * added. FH_LOG_BROKEN: the log is one that the calculus rejects (None), for ever.
 */
enum fh_log_lock { FH_LOG_EMPTY, FH_LOG_HELD, FH_LOG_BROKEN };

/*
 * The same for Q_CalLock, which sees the tickets of a ticket lock and the queue of the CPUs that
 * drew them: what the CPU at the head of the queue has done.
 */
enum fh_log_queue { FH_QUEUE_IDLE, FH_QUEUE_SERVED, FH_QUEUE_HELD, FH_QUEUE_BROKEN };

/*
 * A log. `length` counts all events; `newest` lists them, newest first, under the policy
 * FH_LOG_FULL, and is NULL under FH_LOG_SUMMARY, which keeps the rest of this struct only. What
 * functions compute does not depend on the policy.
 */
struct fh_log {
    struct fh_event *newest;
    uint64_t length;
    uint64_t holder;            /* CPU, while `lock` is FH_LOG_HELD */
    uint32_t budget;            /* snapshot events that the holder may still add */
    uint8_t lock;               /* enum fh_log_lock */
    uint8_t queue_lock;         /* enum fh_log_queue */
    uint8_t queue_waited;       /* events since the CPU at the head of the queue did something */
    uint8_t is_ticket_broken;   /* 1: CalTicketLock rejects the log, for ever */
    uint32_t queue_budget;      /* snapshot events that the CPU at the head may still add */
    struct fh_tickets *tickets; /* NULL: none was drawn yet */

    /* SUMMARY: the newest snapshot, while it says of the object what is not yet, or NULL. */
    struct fh_event *snapshot;
};

/* "WAIT_LOCK"; the number of integer arguments; the family. */
FH_API const char *fh_event_name(enum fh_event_kind kind);
FH_API unsigned fh_event_nargs(enum fh_event_kind kind);
FH_API enum fh_event_family fh_event_family(enum fh_event_kind kind);

#ifdef __cplusplus
}
#endif

#endif
