/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_TRAP_H
#define FAULTHANDLER_TRAP_H

#include <faulthandler/machine.h>
#include <faulthandler/state.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * One stay at EL2, from exception entry to exception return: TrapHandlerRaw's functions, as the
 * state's machine has them, on any CPU.
 *
 * RData is the machine as one CPU has it. The fields of other CPUs (halt, who runs there, which
 * locks a halted one keeps, the context of its host) wait in `machine` and `machine_ctxts` until it
 * is theirs to act. There are FH_TRAP_CPUS of them, whatever the number of contexts in the profile.
 */
enum { FH_TRAP_CPUS = 256 };

enum fh_trap_type {
    FH_TRAP_HOST_FAULT, /* of stage 2, data or instruction */
    FH_TRAP_HOST_CALL,  /* HVC: the number in x0. A machine's ABI may say that it runs a vCPU */
    FH_TRAP_VCPU_RUN,   /* the host runs a vCPU, whatever x0 says */
    FH_TRAP_VM_EXIT     /* of the vCPU that runs on the CPU: `ec` of the registers says how */
};

struct fh_trap {
    enum fh_trap_type kind;
    uint64_t cpu;                    /* below FH_TRAP_CPUS */
    const struct fh_ctxt_regs *regs; /* the hardware's, as they are at entry: x0 to x30, ... */
};

/* How a trap ends: X(NAME, in a word). */
/* clang-format off */
#define FH_TRAP_RESULT_MAP(X)                                                                       \
    X(RETURNS, "returns") /* to the host or a VM */                                                 \
    X(HALTED, "halted")   /* KCore panicked, now or before */                                       \
    X(STUCK, "stuck")     /* the spec says nothing; also any other failure: the status says which */ \
    X(DIED, "died")       /* an exception inside EL2 */                                             \
    X(HANGS, "hangs")     /* a loop inside EL2 that does not end */
/* clang-format on */

enum fh_trap_result {
#define FH_TRAP_RESULT_ENUM(name, word) FH_TRAP_##name,
    FH_TRAP_RESULT_MAP(FH_TRAP_RESULT_ENUM)
#undef FH_TRAP_RESULT_ENUM
};

FH_API const char *fh_trap_result_name(enum fh_trap_result result);

struct fh_trap_outcome {
    enum fh_trap_result end;
    enum fh_status status;
    /* Who goes on: the host (vmid HOSTVISOR) or a vCPU. */
    bool is_host;
    uint64_t vmid, vcpuid;
    /* What was answered to the host: the number of the register, -1 for none, and the value. */
    int answer_register;
    uint64_t answer;
    /* Where it halted, died, hangs or is stuck, and why; NULL where neither is known. */
    const char *layer, *function, *condition;
};

/*
 * Take a trap. The hardware's registers behind it are fh_state_rdata(state)->regs, those of the one
 * who goes on. Returns outcome->status: FH_OK for one that returns or halts. FH_STUCK and its like
 * leave the state as it was; FH_INVALID_ARGUMENT: no such CPU, or a VM exits where the host runs.
 */
FH_API enum fh_status fh_trap_take(struct fh_state *state, const struct fh_trap *trap,
                                   struct fh_trap_outcome *outcome);

/* From here on `cpu` acts, for calls between traps. FH_NOMEM, FH_INVALID_ARGUMENT: no such CPU. */
FH_API enum fh_status fh_trap_switch(struct fh_state *state, uint64_t cpu);

/*
 * Was the vCPU about to run once? Machines keep it beside RData. To set it, between calls, for who
 * makes a state: FH_NOMEM.
 */
FH_API bool fh_trap_first_run(const struct fh_state *state, uint64_t vmid, uint64_t vcpuid);
FH_API enum fh_status fh_trap_set_first_run(struct fh_state *state, uint64_t vmid, uint64_t vcpuid,
                                            bool has_run);

/* The CPU that acts, and the number of the context of its host. */
FH_API uint64_t fh_trap_cpu(const struct fh_state *state);
FH_API uint64_t fh_trap_host_vcpuid(const struct fh_state *state);

/*
 * Where and why KCore panicked last: what was needed and did not hold, with the values in it, as in
 * struct fh_error. Static texts, NULL if it never did. An observer that is told of FH_EFFECT_PANIC
 * may ask as well.
 */
struct fh_panic {
    const char *layer, *function;
    const char *condition;
    const char *names;
    uint64_t values[FH_ERROR_VALUES];
    unsigned nvalues;
    const struct fh_profile *profile;
};
FH_API struct fh_panic fh_state_panic(const struct fh_state *state);

/*
 * Write a one-line account of a panic into buffer[0..size), always terminated when size > 0:
 *   "MemManager.map_page_host: panic; needs owner == host || count > 0 with owner = 1, count = 0".
 * Returns the length that the whole text needs, as snprintf does.
 */
FH_API size_t fh_panic_format(const struct fh_panic *panic, char *buffer, size_t size);

#ifdef __cplusplus
}
#endif

#endif
