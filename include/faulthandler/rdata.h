/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_RDATA_H
#define FAULTHANDLER_RDATA_H

#include <stdbool.h>
#include <stdint.h>

#include <faulthandler/events.h>
#include <faulthandler/fields.h>
#include <faulthandler/map.h>

#ifdef __cplusplus
extern "C" {
#endif

/* RData.v: LockStatus and BarrierStatus. */
enum fh_lock_status { FH_LOCK_FREE, FH_LOCK_OWN_FALSE, FH_LOCK_OWN };
enum fh_bars { FH_BARRIER_VALID, FH_BARRIER_NEEDED, FH_BARRIERED };

/* An entry of `pt`: (pfn, level, pte). Packed: a mapped page costs 16 bytes. */
struct fh_pt_entry {
    uint64_t pfn : 60;
    uint64_t level : 4;
    uint64_t pte;
};

/* An entry of `spt_pt`: (pfn, pte). */
struct fh_spt_entry {
    uint64_t pfn;
    uint64_t pte;
};

/*
 * The type table: X(token, C type). Tokens that are records are added by their own definitions.
 * Maps of several keys hold them packed into one: map_bool2 and map_bool3 are Coq's nested maps of
 * table indices (9 bits a level for stage 2, 10 for the first level of an SMMU table).
 */
#define FH_CTYPE_u64 uint64_t
#define FH_CTYPE_u32 uint32_t
#define FH_CTYPE_i64 int64_t
#define FH_CTYPE_flag bool
#define FH_CTYPE_bars uint8_t
#define FH_CTYPE_log struct fh_log
#define FH_CTYPE_map_u64 struct fh_map
#define FH_CTYPE_map_smmu_vmid struct fh_map
#define FH_CTYPE_map_hlock struct fh_map
#define FH_CTYPE_map_bool struct fh_map
#define FH_CTYPE_map_bool2 struct fh_map
#define FH_CTYPE_map_bool3 struct fh_map
#define FH_CTYPE_map_pt struct fh_map
#define FH_CTYPE_map_map_spt struct fh_map
#define FH_CTYPE_map_map_bool struct fh_map
#define FH_CTYPE_map_map_bool2 struct fh_map
#define FH_CTYPE_map_s2page struct fh_map
#define FH_CTYPE_map_memblock struct fh_map
#define FH_CTYPE_map_lock_status struct fh_map
#define FH_CTYPE_map_log struct fh_map
#define FH_CTYPE_map_npt struct fh_map
#define FH_CTYPE_map_vminfo struct fh_map
#define FH_CTYPE_map_ctxt struct fh_map
#define FH_CTYPE_ref_ctxt struct fh_ctxt *
#define FH_CTYPE_ref_spt struct fh_spt *
#define FH_CTYPE_ref_smmu_conf struct fh_smmu_conf *
#define FH_CTYPE_core_data struct fh_core_data
#define FH_CTYPE_state_info struct fh_state_info
#define FH_CTYPE_boot_info struct fh_boot_info
#define FH_CTYPE_ctxt_regs struct fh_ctxt_regs
#define FH_CTYPE_trap_regs struct fh_trap_regs
#define FH_CTYPE_ctxt_states struct fh_ctxt_states
#define FH_CTYPE_shared struct fh_shared

#define FH_MEMBER(field, type) FH_CTYPE_##type field;

/*
 * Records. Those that several states may share begin with a reference count, which the library
 * keeps; they are written only while one state alone has them. A reference that is NULL stands for
 * the record whose fields are all zero and empty.
 */
struct fh_memblock {
    FH_FIELDS_memblock(FH_MEMBER)
};
struct fh_core_data {
    FH_FIELDS_core_data(FH_MEMBER)
};
struct fh_s2page {
    FH_FIELDS_s2page(FH_MEMBER)
};
struct fh_npt {
    uint32_t references;
    FH_FIELDS_npt(FH_MEMBER)
};
struct fh_boot_info {
    FH_FIELDS_boot_info(FH_MEMBER)
};
struct fh_state_info {
    FH_FIELDS_state_info(FH_MEMBER)
};
struct fh_vminfo {
    uint32_t references;
    FH_FIELDS_vminfo(FH_MEMBER)
};
struct fh_smmu_conf {
    uint32_t references;
    FH_FIELDS_smmu_conf(FH_MEMBER)
};
struct fh_spt {
    uint32_t references;
    FH_FIELDS_spt(FH_MEMBER)
};
struct fh_ctxt_regs {
    FH_FIELDS_ctxt_regs(FH_MEMBER)
};
struct fh_trap_regs {
    FH_FIELDS_trap_regs(FH_MEMBER)
};
struct fh_ctxt_states {
    FH_FIELDS_ctxt_states(FH_MEMBER)
};
struct fh_ctxt {
    uint32_t references;
    FH_FIELDS_ctxt(FH_MEMBER)
};
struct fh_shared {
    FH_FIELDS_shared(FH_MEMBER)
};

/*
 * Coq's RData, the whole machine as KCore sees it.
 *
 * It is a small record, of some 400 bytes, on top of everything that states may share. What stands
 * in it by value, numbers and roots of maps, is copied when a state gets data of its own; what it
 * refers to, records with a count and nodes of maps, is shared by the copy and copied in turn when
 * one of its owners writes to it. So what a snapshot costs is paid later, and only for what is
 * written:
 *
 *   taking one      a count; no memory, whatever the size of the machine
 *   the first call  copies this record, and on the way to each place that it writes the records and
 *                   nodes that are shared: for a fault of the host on a page that it has, 9 blocks,
 *                   2.2 KiB with 1,000 pages and 3.1 KiB with a million
 *   the next calls  write in place what was copied already, and copy what they are the first to
 *                   write
 *   restoring it    an exchange of pointers, and the release of what nobody else has
 *
 * A state that takes a snapshot before every call pays this each time; to take a call back, fh_undo
 * needs no snapshot and copies nothing.
 *
 * Invariants of the representation (fh_state_is_sound):
 * - regs, smmu_conf and shared.spts are never NULL in a state that fh_state_new made;
 * - whatever has a count has as many owners as the count says, and is written only by one that is
 *   alone with it, from here all the way down: below something shared all is shared;
 * - pages and contexts that were never touched have no entry, and an entry may equal its default:
 *   two maps are the same if they agree at all keys (fh_delta), not if their entries are the same;
 * - of a log the length and the summary of its lock are the same whatever the policy; its events
 *   are listed under FH_LOG_FULL alone.
 */
struct fh_rdata {
    uint32_t references;
    uint64_t sum;
    bool is_summed; /* of a state that keeps a hash: `sum` is that of the data (lib/state/hash.h) */
    FH_FIELDS_rdata(FH_MEMBER)
};

#ifdef __cplusplus
}
#endif

#endif
