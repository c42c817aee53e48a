/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_FOREIGN_CHECKS_H
#define SIM_FOREIGN_CHECKS_H

#include <stdio.h>

#include "trace/trace.h"
#include "foreign/foreign_model.h"

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

struct foreign_sequences;

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

/* All checks of one record. */
void check_record(struct checker *checker, const struct trace_line *line);

/* The parts of it. */
void check_syndrome(struct checker *checker, const struct trace_line *line);
void check_entry(struct checker *checker, const struct trace_line *line);
void check_stage2(struct checker *checker, const struct trace_line *line);
void check_events(struct checker *checker, const struct trace_line *line);
void check_sequence(struct checker *checker, const struct trace_line *line);
struct foreign_sequences *sequences_new(void);
void sequences_free(struct foreign_sequences *sequences);

/* --- Records --------------------------------------------------------------------------------- */

/* Where an exception came from; ANY: from below EL2. */
enum exception_source { SOURCE_NONE, SOURCE_ANY, SOURCE_LOWER64, SOURCE_LOWER32, SOURCE_EL2 };
enum exception_type { TYPE_UNKNOWN, TYPE_SYNC, TYPE_IRQ, TYPE_FIQ, TYPE_SERROR };

/* Of a record's vector, or of a guest's exit. NONE: the record is of no exception. */
enum exception_source record_source(const struct trace_line *line);
enum exception_type record_type(const struct trace_line *line);

bool record_has(const struct trace_line *line, enum trace_register reg);
uint64_t record_get(const struct trace_line *line, enum trace_register reg);
/* The first effect of this kind and name, or NULL. */
const struct trace_effect *record_event(const struct trace_line *line, const char *name);
/* A register that is an effect. */
bool record_register(const struct trace_line *line, const char *name, uint64_t *value);

/* ESR_EL2 of a synchronous exception or an SError; an interrupt has none. */
bool record_syndrome(const struct trace_line *line, uint64_t *esr);
/* Its class, also where the rest is unknown. */
bool record_class(const struct trace_line *line, uint64_t *class);
bool is_lower_abort(uint64_t class);
/* KVM's name of a class, "DABT_LOW"; "?" if it has none. */
const char *class_name(uint64_t class);

/* Fields of a syndrome. */
#define ESR_CLASS(esr) ((esr) >> 26 & 0x3f)
#define ESR_IL(esr) ((esr) >> 25 & 1)
#define ESR_ISS(esr) ((esr)&0x1ffffff)
#define ESR_STATUS(esr) ((esr)&0x3f)
#define ESR_S1PTW(esr) ((esr) >> 7 & 1)
#define ESR_CM(esr) ((esr) >> 8 & 1)
#define ESR_WNR(esr) ((esr) >> 6 & 1)
#define ESR_ISV(esr) ((esr) >> 24 & 1)

enum {
    CLASS_WFX = 0x01,
    CLASS_HVC32 = 0x12,
    CLASS_SMC32 = 0x13,
    CLASS_HVC64 = 0x16,
    CLASS_SMC64 = 0x17,
    CLASS_SYS64 = 0x18,
    CLASS_IABT_LOW = 0x20,
    CLASS_IABT_CUR = 0x21,
    CLASS_PC_ALIGN = 0x22,
    CLASS_DABT_LOW = 0x24,
    CLASS_DABT_CUR = 0x25,
    CLASS_SERROR = 0x2f,
};

#endif
