/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TRAP_INPUTS_H
#define SIM_TRAP_INPUTS_H

#include "trace/words.h"

/*
 * What a trap is given: all that a prediction may look at beside the model's state. Nothing here
 * says what the machine did with it.
 */

/*
 * What the machine cannot know and asks for, by name: X(oracle, what a trace calls the value). The
 * values are the world's: devices, memory that the host can write, the cipher, which CPU was first.
 */
#define ORACLE_MAP(X)                                                                              \
    X(DEVICE, NULL)    /* a device's register, as it was read */                                   \
    X(HOST_ESR, "esr") /* what the host put into the vCPU's register frame */                      \
    X(HOST_PC, "pc")                                                                               \
    X(HOST_PSTATE, "pstate")                                                                       \
    X(HOST_GPR, "gpr")                                                                             \
    X(NEW_PTE, "new_pte") /* the page that the host found for a fault, and its level */            \
    X(NEW_LEVEL, "new_level")                                                                      \
    X(KVM_POINTER, NULL) /* where the host keeps its struct kvm, its struct kvm_vcpu */            \
    X(VCPU_POINTER, NULL)                                                                          \
    X(SIGNATURE, NULL) /* is the image the one that was signed? key: its address */                \
    X(DECRYPTED, NULL) /* a register that the cipher restores; key: its number */                  \
    X(TURN, NULL)      /* the event number at which a lock was taken, in order */

enum oracle {
#define ORACLE_ENUM(oracle, what) ORACLE_##oracle,
    ORACLE_MAP(ORACLE_ENUM)
#undef ORACLE_ENUM
        ORACLES
};

struct answer {
    enum oracle oracle;
    uint64_t key;
    uint64_t value;
};

struct trap_inputs {
    uint64_t cpu;
    enum trace_kind kind;
    uint64_t exit_code; /* guest_exit */
    struct trace_registers in;
    const struct answer *answers; /* those to one oracle in the order in which they are asked for */
    size_t nanswers;
    /* What other CPUs did meanwhile to what locks protect, in order: their acts, not this trap's.
     */
    const struct trace_effect *others;
    size_t nothers;
};

#endif
