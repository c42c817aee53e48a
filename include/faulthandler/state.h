/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_STATE_H
#define FAULTHANDLER_STATE_H

#include <stddef.h>

#include <faulthandler/effects.h>
#include <faulthandler/profile.h>
#include <faulthandler/rdata.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is asked of the outside: X(NAME, "name"), and what `index` is. */
/* clang-format off */
#define FH_QUESTION_MAP(X)                                                                          \
    X(PAGE, "page")             /* the contents of a page: its number */                            \
    X(MMIO, "mmio")             /* a device register: its address */                                \
    X(ESR, "esr")               /* of a vCPU, in memory that the host can write */                  \
    X(GPR, "gpr")               /* the same; the register */                                        \
    X(PC, "pc")                                                                                     \
    X(PSTATE, "pstate")                                                                             \
    X(FAULT_ADDR, "fault_addr") /* the address of the fault that the host resolved */               \
    X(NEW_PTE, "new_pte")       /* its descriptor */                                                \
    X(NEW_LEVEL, "new_level")                                                                       \
    X(RUN_VCPUID, "run_vcpuid") /* which vCPU is to run */                                          \
    X(ACTLR, "actlr_el1")       /* of the CPU */                                                    \
    X(VTCR, "vtcr_el2")         /* what the CPU's VTCR_EL2 is to be */                              \
    X(LOADED, "loaded")         /* an encrypted vCPU's register, decrypted: its number */            \
    X(OTHER, "other")           /* what TrapHandler asks */

/* clang-format on */
enum fh_asked {
#define FH_ASKED_ENUM(name, text) FH_ASKED_##name,
    FH_QUESTION_MAP(FH_ASKED_ENUM)
#undef FH_ASKED_ENUM
        FH_QUESTIONS
};

struct fh_question {
    enum fh_asked what;
    uint64_t vmid, vcpuid, index;
    uint64_t n;
};

FH_API const char *fh_question_name(uint64_t what);

/*
 * What the spec leaves open, as callbacks: oracles (fields of function type in RData), parameters
 * of the development, and an observer. All are pure functions of their arguments: asked twice, they
 * answer the same. A member that is NULL stands for the default named beside it.
 */
struct fh_environment {
    void *context;

    /*
     * The events of other CPUs on lock `id` at the moment when `cpu` asks: sets *events to an array
     * of events, oldest first, and returns their number. The array and the events stay the
     * callback's; they must live until the call that asked returns. Default: none.
     */
    size_t (*oracle)(void *context, uint64_t id, uint64_t cpu, const struct fh_log *log,
                     const struct fh_event *const **events);
    /* The same for slog. Default: none. */
    size_t (*soracle)(void *context, uint64_t cpu, const struct fh_log *slog,
                      const struct fh_event *const **events);

    /* Values read from outside: page contents, MMIO, what the host supplies. Default: 0. */
    uint64_t (*doracle)(void *context, uint64_t vmid, uint64_t n);
    uint64_t (*core_doracle)(void *context, uint64_t vmid, uint64_t n); /* default: doracle */

    /*
     * The same by name: asked instead of the two above, where there is one. `n` is what they would
     * be asked with. Machines ask another number of questions than the spec.
     */
    uint64_t (*ask)(void *context, const struct fh_question *question);

    /* Parameters of AbstractMachine/Spec.v. */
    uint64_t (*verify_img)(void *context, uint64_t vmid, uint64_t addr); /* default: 1 */
    uint64_t (*reg_desc)(void *context, uint64_t index);                 /* default: 0 */
    /* The same by the place in the table, which machines look up; default: reg_desc. */
    uint64_t (*reg_row)(void *context, uint64_t row);
    uint64_t (*shared_kvm)(void *context, uint64_t vmid);                   /* default: 0 */
    uint64_t (*shared_vcpu)(void *context, uint64_t vmid, uint64_t vcpuid); /* default: 0 */
    uint64_t (*exception_vector)(void *context, uint64_t pstate);           /* default: 0 */

    /*
     * How an encrypted vCPU is restored: changes ctxt_regs and ctxt_states, a copy of the shadow
     * context, and returns the first index of doracle(vmid) at or after n that it did not use, or a
     * smaller one where that needs more than 64 bits: the call then ends not representable.
     * Default: nothing changes, n. (decrypt_gp_regs_specx and decrypt_sys_regs_specx.)
     */
    uint64_t (*decrypt_gp_regs)(void *context, uint64_t vmid, uint64_t n, struct fh_ctxt *ctxt);
    uint64_t (*decrypt_sys_regs)(void *context, uint64_t vmid, uint64_t n, struct fh_ctxt *ctxt);

    /* Told of every effect of every call, as it happens. Default: nobody. */
    void (*observer)(void *context, const struct fh_effect *effect);
    /*
     * The observer has no use for pages that clear_vm_range looks at and leaves alone, since they
     * are another's. The call, the lock and the read of such a page may then be told or not.
     */
    bool passes_pages_of_others;
};

/*
 * How much of the logs is kept. FULL: every event, with a snapshot of the object that the lock
 * protects, as the spec has it. SUMMARY: their number and the state of the lock, which is all that
 * any function looks at; writes are then in place and a run needs no more memory with time.
 */
enum fh_log_policy { FH_LOG_SUMMARY, FH_LOG_FULL };

/*
 * What stands below the boundaries at which the spec has two forms of one thing: stage-2 tables,
 * SMMU tables, locks. ABSTRACT: maps from page frames, and locks that one event takes. CONCRETE:
 * descriptor words in the pools of table pages, and ticket locks. BOTH: the two side by side. The
 * abstract one decides, and a call behind which they disagree ends with FH_DISAGREE.
 */
enum fh_realisation { FH_ABSTRACT, FH_CONCRETE, FH_BOTH };

struct fh_machine;

/*
 * What a hash is of. SHARED: what all CPUs have in common, with the contexts of vCPUs. CPU: the
 * fields that a CPU has for itself: halt to cur_vcpuid, regs, lock, bars. POSITIONS: how many
 * values of the data oracles were read. Logs are in none of them: what functions look at of a log
 * is the state of its lock, which of an abstract lock `lock` has too.
 */
enum fh_hash_part {
    FH_HASH_SHARED = 1,
    FH_HASH_CPU = 2,
    FH_HASH_POSITIONS = 4,
    FH_HASH_DATA = FH_HASH_SHARED | FH_HASH_CPU, /* what is usually wanted */
    FH_HASH_ALL = FH_HASH_DATA | FH_HASH_POSITIONS
};

struct fh_config {
    const struct fh_machine *machine;         /* whose functions run: machine.h; NULL: the spec */
    const struct fh_profile *profile;         /* NULL: the machine's */
    const struct fh_allocator *allocator;     /* copied; required in a freestanding build */
    const struct fh_environment *environment; /* copied; NULL: all defaults */
    enum fh_log_policy log_policy;
    uint64_t loop_limit; /* iterations of one loop before FH_LIMIT; 0: 2^24 */
    enum fh_realisation realisation;
    bool simple_locks; /* in FH_CONCRETE: only tables are words, locks are as in FH_ABSTRACT */
    uint32_t hash;     /* the parts of the data that fh_state_hash is kept of; 0: none is kept */
};

/*
 * A machine: one RData and what is needed to call functions on it.
 *
 * Threads. One thread at a time uses a state: all functions of this library that take one count as
 * use, reading too. Two states never need a lock between them, also where they share structure as a
 * state and its fork do, if their allocator may be called from several threads at once. A snapshot
 * may be read by any number of threads, and each releases the shares that it took; one that a
 * thread hands to another it hands over as any other pointer. Callbacks are called by the thread
 * that called the function; an environment that several states share must expect that. Profiles,
 * machines, types and tables never change.
 */
struct fh_state;

/*
 * A new state in the base state of the profile: everything zero and empty, but for ihost, tstate 1,
 * next_vmid 1, next_remap_ptr and the table pools at their starts. NULL when memory runs out.
 */
FH_API struct fh_state *fh_state_new(const struct fh_config *config);
FH_API void fh_state_free(struct fh_state *state);

/*
 * A second state with the same data and configuration; O(1), the two share all structure.
 * Afterwards each may have a thread of its own.
 */
FH_API struct fh_state *fh_state_fork(struct fh_state *state);

/* The data, to read. Valid until the state is next written. */
FH_API const struct fh_rdata *fh_state_rdata(const struct fh_state *state);
FH_API const struct fh_profile *fh_state_profile(const struct fh_state *state);
FH_API const struct fh_allocator *fh_state_allocator(const struct fh_state *state);
FH_API enum fh_realisation fh_state_realisation(const struct fh_state *state);

/*
 * The environment, to change between calls (a replay feeds its data oracle this way). Changing it
 * changes no data.
 */
FH_API struct fh_environment *fh_state_environment(struct fh_state *state);

/* Why the last call failed; status FH_OK if it did not. */
FH_API const struct fh_error *fh_state_error(const struct fh_state *state);

/*
 * Does the state keep the invariants of the library's own structures? For tests and fuzzers of the
 * library, and for whoever writes through fh_state_edit. Level 1: the journal, what is remembered
 * of places, counts of the records at the top, at a small fixed cost. Level 2: every node of every
 * map and every record, at a cost that follows the data. Level 3: also every event of every log. If
 * not, *broken (may be NULL) is the first that is broken, behind its label: "[M-LEVEL-1] ...".
 * Between calls only. A build with FH_SOUNDNESS set looks by itself behind each call, on level 1,
 * and behind every 64th on the level that it is set to; a call that leaves something broken ends
 * with FH_UNSOUND.
 */
FH_API bool fh_state_is_sound(const struct fh_state *state, unsigned level, const char **broken);

/*
 * A snapshot: the data as it is now, O(1), whatever happens to the state later. Release each one.
 * Restoring makes the state's data that of the snapshot, O(1) too, and keeps the snapshot. It
 * fails, with FH_NOMEM and the data as before, in a transaction only.
 */
FH_API const struct fh_rdata *fh_state_snapshot(struct fh_state *state);
FH_API void fh_snapshot_release(const struct fh_rdata *snapshot,
                                const struct fh_allocator *allocator);
FH_API enum fh_status fh_state_restore(struct fh_state *state, const struct fh_rdata *snapshot);

/*
 * Taking back. fh_undo makes the data what they were before the last call, in time that follows
 * what that call wrote; no snapshot is involved and nothing is copied. A call that failed has
 * changed nothing, so that taking it back is no mistake.
 *
 *     fh_begin(state);                 a transaction: from here on all is one group
 *     ...calls, registers, edits...    a call that gets stuck takes itself back, as always
 *     fh_undo(state);                  the group never was;  or
 *     fh_keep(state);                  it stays
 *
 * fh_begin opens a transaction, in O(1). fh_keep and fh_undo close the innermost open one; the
 * former lets what was done in it stand, the latter takes it back. Transactions nest: what an inner
 * one kept, the outer one can still take back. With none open, fh_undo takes the last call back, or
 * the whole of the last outermost transaction that was kept.
 *
 * What is taken back is the data (fh_state_rdata), whoever wrote it: calls, fh_table_set_word,
 * fh_state_set_reg, fh_state_edit and its kin, fh_state_restore. Not taken back are the
 * environment, the configuration and fh_state_error.
 *
 * Snapshots and forks may be taken at any time but from callbacks, stay what they are, and may be
 * restored in a transaction. Taking back what was written before one was taken copies what it
 * shares, and needs memory; otherwise fh_undo needs none.
 *
 * fh_begin: FH_NOMEM. fh_keep: FH_INVALID_ARGUMENT without an open transaction. fh_undo:
 * FH_INVALID_ARGUMENT if there is nothing to take back, that is, without a transaction, before the
 * first call, right after an fh_undo or an outermost fh_begin..fh_undo, and after other writes than
 * calls; FH_NOMEM, as said above, with the data as before and the transaction still open.
 */
FH_API enum fh_status fh_begin(struct fh_state *state);
FH_API enum fh_status fh_keep(struct fh_state *state);
FH_API enum fh_status fh_undo(struct fh_state *state);

/*
 * A number that equal data share and others most probably do not, however the data were reached;
 * map entries that equal the map's default count as none. With fh_config.hash its parts are those,
 * and it is kept by each write and taken back by fh_undo: asking costs the same whatever the size
 * of the data, but for the first time and after writes from outside (fh_state_edit and its kin,
 * which fh_state_edit_cpu and fh_state_set_reg are not), when it is computed. Otherwise it is that
 * of FH_HASH_ALL, computed. fh_rdata_hash computes. Numbers of different builds have nothing in
 * common.
 */
FH_API uint64_t fh_state_hash(struct fh_state *state);
FH_API uint64_t fh_rdata_hash(const struct fh_rdata *rdata, uint32_t parts);

/*
 * The data, to write with the functions of reflect.h: for loaders. Only what this call returns may
 * be written, and only until the next call with this state. NULL when memory runs out. In a
 * transaction the data are first set apart, which costs what a snapshot does: O(1), and a copy of
 * each path that is written later.
 */
FH_API struct fh_rdata *fh_state_edit(struct fh_state *state);

/* As fh_state_edit, and cheaper, since it promises that `lock` and `log` are not written. */
FH_API struct fh_rdata *fh_state_edit_beside_locks(struct fh_state *state);

/*
 * As fh_state_edit, and cheap in a transaction too, since it promises that nothing is written but
 * halt, icore, ihost, tstate, curid, cur_vmid and cur_vcpuid.
 */
FH_API struct fh_rdata *fh_state_edit_cpu(struct fh_state *state);

/*
 * For an observer that has seen enough: the call that runs goes on as in a halted state, in which
 * nearly every function is the identity, and so ends soon. What it leaves is of no use, but to be
 * taken back (fh_undo).
 */
FH_API void fh_state_halt(struct fh_state *state);

/*
 * The hardware's registers, to write before a trap: HPFAR_EL2, ESR_EL2 and so on. As fh_state_edit,
 * and cheaper, since it promises that nothing else is written. A transaction notes them all, about
 * 1 KiB, the first time.
 */
FH_API struct fh_ctxt *fh_state_edit_regs(struct fh_state *state);

/*
 * One register: `offset` is that of a 64-bit member of struct fh_ctxt, FH_REG(ctxt_regs.esr_el2).
 * For a few of them cheaper than fh_state_edit_regs. FH_NOMEM leaves it as it was.
 */
#define FH_REG(member) offsetof(struct fh_ctxt, member)
FH_API enum fh_status fh_state_set_reg(struct fh_state *state, size_t offset, uint64_t value);

/*
 * Events, for scripted oracles and for loaders of logs. A new event has one owner, no `older` and,
 * if its kind carries an object, the all-zero one. NULL when memory runs out.
 */
FH_API struct fh_event *fh_event_new(const struct fh_allocator *allocator, enum fh_event_kind kind,
                                     uint64_t cpu, const uint64_t *args);
FH_API void fh_event_release(struct fh_event *event, const struct fh_allocator *allocator);

/*
 * Add an event to a log, as its newest: counts it, steps the lock's summary, and under FULL lists
 * it (a copy: `event` stays the caller's).
 */
FH_API bool fh_log_append(struct fh_log *log, enum fh_log_policy policy,
                          const struct fh_allocator *allocator, const struct fh_event *event);

#ifdef __cplusplus
}
#endif

#endif
