/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_INVARIANTS_H
#define FAULTHANDLER_INVARIANTS_H

#include <faulthandler/state.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The security invariants of the verified core (Security/Invs.v), executable. One row each:
 *   X(name, scope, number of values of a witness, their names, what it says)
 * Rows come in Coq's order: the ten of `shared_inv`, which look at the shared part of the state
 * alone (scope SHARED), then the eight that `state_inv` adds to them (scope STATE).
 *
 * The values of a witness begin with the place that breaks the invariant (a frame, a VM and a
 * frame, a bank of an SMMU and a frame); behind it stands what was found there.
 */
/* clang-format off */
#define FH_INVARIANT_MAP(X)                                                                         \
    X(spt_cons, SHARED, 5, "index,cbndx,gfn,pfn,pte",                                               \
      "an SMMU table's entry says the same frame as its descriptor")                                \
    X(host_npt_cons, SHARED, 4, "gfn,pfn,level,pte",                                                \
      "an entry of the host's table says the same frame as its descriptor")                         \
    X(host_flatmap, SHARED, 4, "gfn,pfn,level,pte",                                                 \
      "the host's table maps a frame to itself or not at all")                                      \
    X(host_s2_map, SHARED, 4, "pfn,s2_owner,s2_count,s2_gfn",                                       \
      "a page of the host has the gfn that SMMUs use for host pages, pfn + SMMU_HOST_OFFSET")       \
    X(page_0_invalid, SHARED, 4, "pfn,s2_owner,s2_count,s2_gfn",                                    \
      "page 0 belongs to nobody")                                                                   \
    X(host_iso, SHARED, 6, "gfn,pfn,level,pte,s2_owner,s2_count",                                   \
      "what the host has mapped is its own, nobody's, or shared with it")                           \
    X(vm_iso, SHARED, 7, "vmid,gfn,pfn,level,pte,s2_owner,vm_state",                                \
      "what a VM that is not powered off has mapped is its own or nobody's")                        \
    X(smmu_vm, SHARED, 3, "index,cbndx,smmu_vmid",                                                  \
      "a bank of an SMMU belongs to the host, to a VM or to nobody")                                \
    X(smmu_iso, SHARED, 8, "index,cbndx,gfn,pfn,pte,smmu_vmid,s2_owner,s2_gfn",                     \
      "what a bank of the host or of a VM has mapped belongs to it, at this gfn")                   \
    X(smmu_count, SHARED, 3, "pfn,s2_count,mapped",                                                 \
      "a page of the host is counted for every bank of the host that maps its gfn")                 \
    X(curid_range, STATE, 1, "curid",                                                               \
      "the CPU's number is one that a vCPU can have")                                               \
    X(cur_vmid_range, STATE, 1, "cur_vmid",                                                         \
      "the current VM is the host, a VM or the core")                                               \
    X(cur_vcpuid_range, STATE, 1, "cur_vcpuid",                                                     \
      "the current vCPU is one that a VM can have")                                                 \
    X(valid_host_vmid, STATE, 3, "cur_vmid,ihost,icore",                                            \
      "outside the core and in the host, the current VM is the host")                               \
    X(valid_host_vcpuid, STATE, 3, "cur_vmid,cur_vcpuid,curid",                                     \
      "the host's vCPU is the CPU")                                                                 \
    X(valid_core_vcpuid, STATE, 3, "cur_vmid,cur_vcpuid,curid",                                     \
      "the core's vCPU is the CPU")                                                                 \
    X(valid_vm_vmid, STATE, 3, "cur_vmid,ihost,icore",                                              \
      "outside the core and not in the host, the current VM is a VM")                               \
    X(run_vcpu_dirty, STATE, 3, "cur_vmid,cur_vcpuid,dirty",                                        \
      "the current vCPU is not one that was never run")

/* clang-format on */
enum fh_invariant {
#define FH_INVARIANT_ENUM(name, scope, nvalues, values, statement) FH_INVARIANT_##name,
    FH_INVARIANT_MAP(FH_INVARIANT_ENUM)
#undef FH_INVARIANT_ENUM
        FH_INVARIANTS
};

#define FH_WITNESS_VALUES 8

/* What breaks an invariant: its values under the names of the table. */
struct fh_witness {
    uint64_t values[FH_WITNESS_VALUES]; /* a negative one in two's complement */
    const struct fh_profile *profile;   /* the state's, whose constants name some; NULL: none */
};

/* Bit FH_INVARIANT_x of `broken` is set if x does not hold; witness[x] then shows where. */
struct fh_invariant_report {
    uint32_t broken;
    struct fh_witness witness[FH_INVARIANTS];
};

/*
 * All invariants, over the whole state. Returns report->broken, 0 if all hold. `report` may be
 * NULL. Each witness is the first: no smaller place breaks the invariant.
 *
 * Maps of the state are total, and a quantifier of the spec ranges over all their keys, those
 * without an entry included: docs/invariants.md says how that is decided.
 */
FH_API uint32_t fh_check_invariants(const struct fh_state *s, struct fh_invariant_report *report);

/*
 * The same, for a state that came from `before` (a snapshot of the same state or of one that it
 * was forked from), in which all invariants held: looks only at what differs between the two, and
 * at what that bears on. Where they did not all hold before, the answer says nothing.
 */
FH_API uint32_t fh_check_invariants_after(const struct fh_state *s, const struct fh_rdata *before,
                                          struct fh_invariant_report *report);

/* A place of the state that a step wrote, whether or not it is another now. */
enum fh_place_kind {
    FH_PLACE_PAGE,         /* shared.s2page at `key`, a pfn, which was `was` before */
    FH_PLACE_MAPPING,      /* the stage-2 table of `owner`, a vmid, at `key`, a gfn */
    FH_PLACE_VM,           /* vm_state of `owner`, a vmid */
    FH_PLACE_SMMU_MAPPING, /* the table of `owner`, a bank, at `key`, a gfn */
    FH_PLACE_BANK,         /* smmu_vmid of `owner`, a bank: index * SMMU_NUM_CTXT_BANKS + cbndx */
};

struct fh_place {
    enum fh_place_kind kind;
    uint64_t owner;
    uint64_t key;
    struct fh_s2page was;
};

/*
 * The same again, for those who know where a step wrote and keep no snapshot: `places` are all
 * places of these kinds that it wrote, and it changed no map's default. A page that was written
 * more than once is listed as it was first; as it was in between it may be listed too.
 */
FH_API uint32_t fh_check_invariants_at(const struct fh_state *s, const struct fh_place *places,
                                       size_t count, struct fh_invariant_report *report);

/* Each of them alone: true if it holds, else the first witness is in *witness (may be NULL). */
#define FH_INVARIANT_PROTOTYPE(name, scope, nvalues, values, statement)                            \
    FH_API bool fh_invariant_##name(const struct fh_state *s, struct fh_witness *witness);
FH_INVARIANT_MAP(FH_INVARIANT_PROTOTYPE)
#undef FH_INVARIANT_PROTOTYPE

enum fh_invariant_scope { FH_SCOPE_SHARED, FH_SCOPE_STATE };

/* A row of the table. */
struct fh_invariant_info {
    enum fh_invariant id;
    const char *name;
    enum fh_invariant_scope scope;
    const char *statement;
    unsigned nvalues;
    const char *values; /* names, separated by commas */
    bool (*holds)(const struct fh_state *s, struct fh_witness *witness);
};

/* The invariants in the table's order; NULL after the last. By name; NULL if there is none. */
FH_API const struct fh_invariant_info *fh_invariant_at(unsigned index);
FH_API const struct fh_invariant_info *fh_invariant_find(const char *name);

/*
 * One line on a broken invariant, terminated when size > 0; returns the length that it needs:
 *   "page_0_invalid: page 0 belongs to nobody; but pfn = 0, s2_owner = 1, s2_count = 0, s2_gfn = 5"
 */
FH_API size_t fh_witness_format(const struct fh_invariant_info *invariant,
                                const struct fh_witness *witness, char *buffer, size_t size);

#ifdef __cplusplus
}
#endif

#endif
