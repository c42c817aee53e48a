/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_ACCESS_H
#define FAULTHANDLER_ACCESS_H

#include <faulthandler/arm_smmu.h>
#include <faulthandler/arm_walk.h>
#include <faulthandler/trap.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What software and devices do: one access to memory, from the instruction to the data.
 *
 * The address is translated by the stage 2 tables that stand in the pools of the state, as the
 * architecture walks them (arm_walk.h), and the data are read or written. Where the walk ends with
 * a fault, the access traps with the syndrome that it makes, KCore handles the trap, and the access
 * is made again:
 *
 *     host            its fault goes to KCore, which maps the page, emulates the access, or panics
 *     vCPU            leaves to KCore and on to the host, which answers and runs it again
 *     device          the SMMU notes the fault, and nobody makes the access again
 *
 * Who is to access and does not run on the CPU is brought there first: a vCPU that runs there
 * leaves by an interrupt, and the host runs the vCPU that is wanted.
 *
 * The state must have tables as words: FH_CONCRETE or FH_BOTH.
 */
enum fh_principal_kind { FH_BY_HOST, FH_BY_VM, FH_BY_DEVICE };

struct fh_principal {
    enum fh_principal_kind kind;
    uint64_t vmid, vcpuid; /* FH_BY_VM */
    uint64_t smmu, bank;   /* FH_BY_DEVICE: behind which context bank it is */
};

/* What the host does when it is told that a vCPU faulted. */
enum fh_host_answer_kind {
    /* As KVM would: emulates a device that reads as 0 below MAX_MMIO_ADDR, and elsewhere gives the
       first page that is its own and that nobody shares. */
    FH_HOST_DECIDES,
    FH_HOST_GIVES,    /* page `pfn`, or with is_block the 2 MiB from there on */
    FH_HOST_EMULATES, /* a device: a load reads `value` */
    FH_HOST_RUNS_ON,  /* nothing: it runs the vCPU again */
    FH_HOST_STOPS     /* it does not run the vCPU again */
};

struct fh_host_answer {
    enum fh_host_answer_kind kind;
    uint64_t pfn;
    bool is_block;
    uint64_t value;
};

struct fh_access_request {
    struct fh_principal by;
    uint64_t address; /* an IPA; of a device that which the SMMU translates */
    enum fh_arm_access_kind kind;
    unsigned bytes; /* 1, 2, 4 or 8; 0: 8, and 4 for a fetch */
    uint64_t value; /* to be written */

    /* The instruction, as far as the syndrome tells: see struct fh_arm_instruction. */
    unsigned rt;         /* 0..31 */
    bool is_64bit;       /* a load of fewer than 8 bytes into an X register */
    bool is_signed;      /* that extends the sign */
    bool is_ordered;     /* acquire or release */
    bool is_undescribed; /* of a pair, or with write-back: ISV is 0 */
    bool is_el0;
    bool is_table; /* a read of a stage 1 table, on the way of an access of `kind` */

    /* The host's answers to the exits that this access makes, in turn; then FH_HOST_DECIDES. */
    const struct fh_host_answer *answers;
    size_t nanswers;

    unsigned tries; /* how often it is made at most; 0: FH_ACCESS_TRIES */

    /*
     * TLBs are at their worst: translations that were used are kept until they are invalidated, and
     * taken before the tables. A device's are those of its SMMU, which KCore never invalidates; the
     * host does, by its registers.
     */
    bool has_tlb;
};

enum { FH_ACCESS_TRIES = 8 };

/* How an access ends: X(NAME, in a word). */
/* clang-format off */
#define FH_ACCESS_END_MAP(X)                                                                        \
    X(DONE, "done")         /* the data were read or written */                                     \
    X(EMULATED, "emulated") /* KCore or the host did it instead of the instruction */               \
    X(FAULTS, "faults")     /* with the last try as well; of a device: at once */                   \
    X(STOPPED, "stopped")   /* the host does not run the vCPU again */                              \
    X(HALTED, "halted")     /* KCore panicked */                                                    \
    X(STUCK, "stuck")       /* the spec says nothing, or another failure: the status says which */  \
    X(DIED, "died")         /* an exception inside EL2 */                                           \
    X(HANGS, "hangs")       /* a loop inside EL2 that does not end */

/* Who had to do with it: X(NAME, in a word). */
#define FH_ACCESS_HANDLER_MAP(X)                                                                    \
    X(NOBODY, "nobody") /* there was no fault */                                                    \
    X(KCORE, "kcore")   /* alone */                                                                 \
    X(HOST, "host")     /* was told by KCore, and answered */                                       \
    X(SMMU, "smmu")

/* clang-format on */
enum fh_access_end {
#define FH_ACCESS_ENUM(name, word) FH_ACCESS_##name,
    FH_ACCESS_END_MAP(FH_ACCESS_ENUM)
#undef FH_ACCESS_ENUM
};

enum fh_access_handler {
#define FH_ACCESS_ENUM(name, word) FH_HANDLED_BY_##name,
    FH_ACCESS_HANDLER_MAP(FH_ACCESS_ENUM)
#undef FH_ACCESS_ENUM
};

FH_API const char *fh_access_end_name(enum fh_access_end end);
FH_API const char *fh_access_handler_name(enum fh_access_handler handler);

/* What an SMMU notes of a fault: FSR, FSYNR0 and FAR of the context bank. */
struct fh_smmu_fault {
    uint64_t fsr, fsynr0, far;
};

struct fh_access_outcome {
    enum fh_access_end end;
    enum fh_status status;
    unsigned tries;
    uint64_t
        value; /* of a load: what the register gets, its sign extended; else what was written */

    /* The first fault: has_fault says that there was one. */
    bool has_fault;
    enum fh_arm_status fault;
    int level;
    struct fh_arm_abort abort;  /* of the host and of a vCPU */
    struct fh_smmu_fault noted; /* of a device */
    enum fh_access_handler handler;

    struct fh_arm_walk walk; /* of the last try, and of its last page */
    uint64_t pa;             /* the access that was made: of its first byte */
    bool is_cached;          /* by a translation that a TLB had kept */
    bool is_stale;           /* and that the tables do not have any more */

    /*
     * A page of somebody else was read or written: not its owner's (of a device: the owner's of its
     * bank), not one that its owner shares with the host who accesses it, and not nobody's.
     */
    bool is_foreign;
    uint32_t owner;              /* vmid: of that page, else of the first one */
    struct fh_trap_outcome trap; /* the last one, if there was one */
};

/*
 * Make an access on the CPU that acts (fh_trap_cpu). Returns outcome->status: FH_OK also where it
 * ends with a fault or a halt. FH_STUCK and its like leave the state as it was;
 * FH_INVALID_ARGUMENT, with the condition in fh_state_error: the access cannot be, or the tables
 * are no words.
 */
FH_API enum fh_status fh_access(struct fh_state *state, const struct fh_access_request *access,
                                struct fh_access_outcome *outcome);

/*
 * The host runs a vCPU, on the CPU that acts, where the host runs. `answer` is its answer to the
 * fault at `ipa` that the vCPU left by; FH_HOST_DECIDES: there was none, or the environment says
 * what it is. The first time `has_start` says where the vCPU starts. The call is that of the
 * machine's ABI. Returns outcome->status, as fh_trap_take.
 */
struct fh_vcpu_run {
    uint64_t vmid, vcpuid;
    struct fh_host_answer answer;
    uint64_t ipa, esr; /* esr: of an access that the host emulates */
    bool has_start;
    uint64_t pc, pstate;
};
FH_API enum fh_status fh_run_vcpu(struct fh_state *state, const struct fh_vcpu_run *run,
                                  struct fh_trap_outcome *outcome);

/* The registers that control stage 2 while `vmid` runs, HOSTVISOR included, and of a bank. */
FH_API void fh_stage2_control(const struct fh_state *state, uint64_t vmid,
                              struct fh_arm_stage2_control *control);
FH_API void fh_smmu_control(const struct fh_state *state, uint64_t smmu, uint64_t bank,
                            struct fh_arm_stage2_control *control);

/* The words of tables, of stage 2 or SMMUs, for walks; the state must live as long. */
FH_API struct fh_arm_memory fh_stage2_memory(const struct fh_state *state);
FH_API struct fh_arm_memory fh_smmu_memory(const struct fh_state *state);

/*
 * What memory holds, little-endian, from physical address `pa` on: 1 to 8 bytes. Zeros where nobody
 * wrote. FH_INVALID_ARGUMENT, FH_NOMEM.
 */
FH_API uint64_t fh_memory_read(const struct fh_state *state, uint64_t pa, unsigned bytes);
FH_API enum fh_status fh_memory_write(struct fh_state *state, uint64_t pa, unsigned bytes,
                                      uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
