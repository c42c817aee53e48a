/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_ABI_H
#define FAULTHANDLER_ABI_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What the host and VMs may ask of KCore, as rows of a table: the number of a call, what of its
 * arguments is checked, which function handles it with which arguments, and what is answered in
 * which register. A machine's rows come from its machine.yaml (docs/machines.md).
 */

enum { FH_ABI_ARGUMENTS = 6, FH_ABI_CHECKS = 6, FH_ABI_NO_REGISTER = 255 };

/* Where an argument comes from: X(name, in words). */
#define FH_ABI_SOURCE_MAP(X)                                                                       \
    X(register, "a register of the caller, all of it (x1) or its low 32 bits (w1)")                \
    X(constant, "a number")                                                                        \
    X(vmid, "the VM that runs on this CPU")                                                        \
    X(vcpuid, "the vCPU that runs on this CPU")

enum fh_abi_source {
#define FH_ABI_ENUM(name, words) FH_ABI_FROM_##name,
    FH_ABI_SOURCE_MAP(FH_ABI_ENUM)
#undef FH_ABI_ENUM
};

struct fh_abi_argument {
    enum fh_abi_source source;
    uint8_t reg;  /* register: 0 to 30 */
    uint8_t bits; /* register: 64, or 32 if C casts it first */
    uint64_t value;
};

/*
 * What may be asked of a register, or of the sum of two (which has 65 bits), before the function is
 * called: X(name, condition, in words). Where one fails KCore panics instead.
 */
#define FH_ABI_CHECK_MAP(X)                                                                        \
    X(vm, "HOSTVISOR < n < COREVISOR")                                                             \
    X(vmid, "n <= COREVISOR")                                                                      \
    X(vm_or_host, "n < COREVISOR")                                                                 \
    X(vcpu, "n < VCPU_PER_VM")                                                                     \
    X(addr, "n < KVM_ADDR_SPACE")                                                                  \
    X(paddr, "n < KVM_PHYS_SIZE")                                                                  \
    X(pfn, "n < KVM_PFN_SPACE")                                                                    \
    X(gfn, "n < KVM_GFN_SPACE")                                                                    \
    X(load_idx, "n < MAX_LOAD_INFO_NUM")                                                           \
    X(cbndx, "n < SMMU_NUM_CTXT_BANKS")                                                            \
    X(smmu, "n < SMMU_NUM")                                                                        \
    X(attributes, "bits of a descriptor, none of its address")

enum fh_abi_check_kind {
#define FH_ABI_ENUM(name, words) FH_ABI_IS_##name,
    FH_ABI_CHECK_MAP(FH_ABI_ENUM)
#undef FH_ABI_ENUM
        FH_ABI_CHECK_KINDS
};

struct fh_abi_check {
    enum fh_abi_check_kind kind;
    struct fh_abi_argument what; /* from a register */
    uint8_t plus;                /* another register that is added, or FH_ABI_NO_REGISTER */
};

/* What a call is: X(name, in words). */
#define FH_ABI_KIND_MAP(X)                                                                         \
    X(call, "a function is called, and the caller goes on")                                        \
    X(run, "the host runs a vCPU, argument 1 of VM argument 0")                                    \
    X(boot, "the first of them turns stage-2 translation on, and is the trace's boot record")      \
    X(nothing, "nothing is done")                                                                  \
    X(panic, "KCore panics")

enum fh_abi_kind {
#define FH_ABI_ENUM(name, words) FH_ABI_##name,
    FH_ABI_KIND_MAP(FH_ABI_ENUM)
#undef FH_ABI_ENUM
};

/* What is answered: X(name, in words). */
#define FH_ABI_ANSWER_MAP(X)                                                                       \
    X(none, "no register changes")                                                                 \
    X(result, "the function's result")                                                             \
    X(value, "a number")                                                                           \
    X(exit, "run: the kind of the vCPU's exit")

enum fh_abi_answer_kind {
#define FH_ABI_ENUM(name, words) FH_ABI_ANSWERS_##name,
    FH_ABI_ANSWER_MAP(FH_ABI_ENUM)
#undef FH_ABI_ENUM
};

struct fh_abi_answer {
    enum fh_abi_answer_kind kind;
    uint8_t reg;
    uint64_t value;
};

struct fh_abi_call {
    const char *name;     /* "SET_BOOT_INFO", as in the constant HVC_SET_BOOT_INFO */
    const char *recorded; /* what records call it */
    uint64_t number;      /* in x0 */
    enum fh_abi_kind kind;
    const char *function; /* a spec function; NULL: none */
    bool is_own;          /* no spec function, but one that the machine's overlay adds */
    unsigned nchecks;
    unsigned narguments;
    struct fh_abi_check checks[FH_ABI_CHECKS];
    struct fh_abi_argument arguments[FH_ABI_ARGUMENTS];
    struct fh_abi_answer answer;
    const char *departs; /* the departure that this call is; NULL: it is one of the base's */
};

/*
 * The calls of one kind of caller. A departure may name a part of the rows: without it that part is
 * as in the machine that is extended.
 */
struct fh_abi {
    unsigned ncalls;
    const struct fh_abi_call *calls; /* by number */
    enum fh_abi_kind unknown;        /* what other numbers do: nothing or panic */
    const char *checks_by;           /* the departures, or NULL */
    const char *arguments_by;
    const char *answers_by;
    const char *unknown_by;
};

#ifdef __cplusplus
}
#endif

#endif
