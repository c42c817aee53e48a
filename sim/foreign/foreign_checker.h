/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_FOREIGN_CHECKER_H
#define SIM_FOREIGN_CHECKER_H

#include <stdio.h>

#include "foreign/foreign_model.h"
#include "foreign/foreign_record.h"

/*
 * What can be checked of a foreign recording, record by record: X(check, what holds). The judge is
 * the model where it has the function, else the Arm architecture; docs/foreign-recordings.md says
 * which.
 */
/* clang-format off */
#define FOREIGN_CHECK_MAP(X)                                                                       \
    X(exception_name, "the exception's name is that of the class in ESR_EL2")                      \
    X(class_possible, "the class can be taken to EL2 at this vector")                              \
    X(syndrome_form, "ESR_EL2: reserved bits, IL, and what the class fixes")                       \
    X(abort_status, "an abort's status code exists")                                               \
    X(abort_access, "an abort's ISV, SAS, SSE, SF, WnR, S1PTW, ... go together")                   \
    X(trap_enabled, "HCR_EL2 asks for this trap")                                                  \
    X(entry_source, "SPSR_EL2, or the level before, fits the vector")                              \
    X(entry_state, "PSTATE at the vector is EL2h with D, A, I and F masked")                       \
    X(elr_aligned, "ELR_EL2 is the address of an instruction")                                     \
    X(guest_syndrome, "ESR_EL1, as the guest reads it, has no reserved bits set")                  \
    X(fault_page, "HPFAR_EL2 holds a page, FAR_EL2's if stage 1 is off")                           \
    X(ipa_range, "the IPA is inside VTCR_EL2's size, or the fault is at level 0")                  \
    X(vttbr_form, "VTTBR_EL2: table aligned to its size, VMID in range, a guest's not 0")          \
    X(walk_chain, "each step of the stage-2 walk follows from the one before")                     \
    X(walk_fault, "the walk ends in a fault of ESR_EL2's level and type")                          \
    X(fault_event, "kvm_guest_fault is of an abort, with its pc and class")                        \
    X(call_event, "kvm_hvc_arm64 is of an HVC, with its pc and immediate")                         \
    X(sysreg_event, "kvm_sys_access is of the register in ESR_EL2")                                \
    X(wfx_event, "kvm_wfx_arm64 is of a WFI or WFE, with its pc")                                  \
    X(mmio_form, "kvm_mmio has a length of 1, 2, 4 or 8, and a value that fits")                   \
    X(mmio_syndrome, "kvm_mmio has length and direction of a valid syndrome")                      \
    X(mmio_address, "kvm_mmio has the address of HPFAR_EL2 and FAR_EL2")                           \
    X(mmio_pair, "a read is asked for and answered, once, with the same address")                  \
    X(cpu_sequence, "a CPU leaves EL2 before it enters it from below again")                       \
    X(task_sequence, "a thread's kvm_entry and kvm_exit alternate, on one CPU")                    \
    X(return_address, "a call or an exit returns to where it came from")                           \
    X(next_pc, "the guest goes on at its pc, behind the instruction, or at a vector")              \
    X(time_rises, "time does not go back on a CPU")
/* clang-format on */

enum foreign_check {
#define FOREIGN_ENUM(check, holds) CHECK_##check,
    FOREIGN_CHECK_MAP(FOREIGN_ENUM)
#undef FOREIGN_ENUM
        CHECKS
};

enum { REASONS_MAX = 6 };

struct check_count {
    uint64_t checked;
    uint64_t failed;
    /* Where it could not be checked, and why. */
    struct open_reason {
        const char *reason;
        uint64_t count;
    } open[REASONS_MAX];
};

const char *check_name(enum foreign_check check);
const char *check_holds(enum foreign_check check);

/* A check that failed, or the record that was looked at. */
typedef void failure_sink(void *context, const struct trace_line *line, enum foreign_check check,
                          const char *found);

struct foreign_sequences; /* foreign_sequence.h */

/* The checks of one recording. */
struct checker {
    const char *format; /* where the trace comes from: trace_origin */
    struct foreign_model *model;
    struct check_count counts[CHECKS];
    failure_sink *sink;
    void *context;
    const struct trace_line *line; /* being checked */
    uint64_t failed_in_line;
    uint64_t records_failed;
    struct foreign_sequences *sequences;
};

/* Count the check; if it does not hold, the text says what was found. */
__attribute__((format(printf, 4, 5))) void
check_that(struct checker *checker, enum foreign_check check, bool holds, const char *format, ...);
/* It cannot be checked; `reason` is a constant. */
void check_open(struct checker *checker, enum foreign_check check, const char *reason);

/* Was anything checked, but that time goes on? */
bool checker_has_checked(const struct checker *checker);

/*
 * The checks, in groups, each of which has a file: X(group, what its records are). A group sees
 * every record, or those of exceptions alone; `check` counts by check_that and check_open.
 */
#define FOREIGN_GROUP_MAP(X)                                                                       \
    X(syndrome, EXCEPTIONS)                                                                        \
    X(entry, EXCEPTIONS)                                                                           \
    X(stage2, EXCEPTIONS)                                                                          \
    X(events, EXCEPTIONS)                                                                          \
    X(sequence, ALL)

typedef void check_group(struct checker *checker, const struct trace_line *line);
#define FOREIGN_GROUP(group, of) check_group check_##group;
FOREIGN_GROUP_MAP(FOREIGN_GROUP)
#undef FOREIGN_GROUP

#endif
