/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_STATE_PLACES_H
#define FH_STATE_PLACES_H

#include <faulthandler/rdata.h>

#include "base/map_node.h"

/*
 * Where the parts of the data stand that nearly every call touches, so that a call need not look
 * for them again: entries of locks, records of stage-2 tables, leaves of page maps. They are found
 * once and hold as long as their `age` is the state's. What moves them otherwise than through the
 * setters (other data, an edit from outside, an undo of new entries) gives the state a new age.
 *
 * A fault of the host on a mapped page took 2,489 instructions without, of which maps were 610.
 */
struct lock_place {
    uint8_t *status;    /* entry of adt->lock */
    struct fh_log *log; /* entry of adt->log */
    uint64_t age;
    uint64_t noted;     /* transaction whose journal has the old values */
    uint64_t taken;     /* summand of the hash, or 0 */
    uint64_t plain_age; /* as `age`; the log is plain (log.h), and taken if the status says so */
};

struct npt_place {
    struct fh_npt *npt;
    uint64_t age;
    bool is_own;          /* the record and the path to it are the state's alone */
    struct map_cursor pt; /* in npt->pt */
    struct map_cursor
        pmd_t;        /* in npt->pmd_t, at a leaf to which tables of pgd_t and pud_t lead; its
                         prefix is that of addresses before they are cut to what tables know */
    uint64_t ends[3]; /* of the pools of pgd, pud and pmd tables */
    uint64_t code;    /* of the record, for the hash, or 0 */
};

/* The shadow context of a vCPU, or of a CPU of the host. */
struct ctxt_known {
    struct fh_ctxt *ctxt;
    uint64_t id; /* its key in shadow_ctxts */
    uint64_t age;
    bool is_own; /* nobody shared the map that leads to it */
};

/* Where the registers of an SMMU are: what the firmware said, which no call changes. */
struct smmu_range {
    uint64_t base, size;
};

/* Lock identifiers, VMs and SMMUs beyond are looked up every time. */
enum { LOCK_PLACES = 144, NPT_PLACES = 72, SMMU_PLACES = 4 };

/* Shadow contexts are kept by the last bits of their numbers. */
enum { CTXT_PLACES = 16 };

/* Locks of a call that may be held without being written down (locks.c). */
enum { HELD_LOCKS = 8 };

/* Of no place. */
#define NO_AGE UINT64_MAX

struct known_places {
    uint64_t age, lock_age; /* of what holds, from 1 */
    uint64_t plain_age; /* of plain locks, in a call: lock_age if locks can be plain, or NO_AGE */
    uint8_t status[LOCK_PLACES]; /* of locks: what adt->lock says, in a call */
    bool is_status_old;          /* `status` is to be filled when the next call begins */
    unsigned nheld;
    uint8_t held[HELD_LOCKS]; /* locks that are taken, but not yet in adt->lock and their logs */
    struct lock_place locks[LOCK_PLACES];
    struct lock_place other_lock;
    struct npt_place npts[NPT_PLACES];
    struct map_cursor pages; /* in shared.s2page */
    struct map_cursor flatmem, data_log, core_data_log;
    struct ctxt_known ctxts[CTXT_PLACES];
    struct smmu_range smmus[SMMU_PLACES];
    uint64_t smmus_age;
};

#endif
