/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <string.h>

#include "foreign/foreign_checker.h"

/* Checks of an exception's entry: was it to be taken to EL2, from where, and in which state. */

enum { BIT_VM, BIT_FMO = 3, BIT_IMO, BIT_AMO, BIT_DC = 12, BIT_TWI, BIT_TWE };
enum { BIT_TSC = 19, BIT_TGE = 27, BIT_HCD = 29, BIT_E2H = 34 };
enum { CPTR_TFP = 10 };

static bool has_bit(uint64_t word, unsigned bit)
{
    return word >> bit & 1;
}

/* The bit of HCR_EL2 that routes an interrupt to EL2; all are if TGE is set. */
static int routing_bit(enum exception_type type)
{
    switch (type) {
    case TYPE_IRQ: return BIT_IMO;
    case TYPE_FIQ: return BIT_FMO;
    case TYPE_SERROR: return BIT_AMO;
    default: return -1;
    }
}

/* Why a trap is not to be, or NULL; *is_known false: HCR_EL2 does not decide it. */
static const char *wrong_trap(const struct trace_line *line, uint64_t hcr, uint64_t esr,
                              bool *is_known)
{
    uint64_t cptr;
    const bool is_stage2_fault = ESR_STATUS(esr) <= 0x0f;
    *is_known = true;
    switch (ESR_CLASS(esr)) {
    case CLASS_WFX:
        return has_bit(hcr, esr & 1 ? BIT_TWE : BIT_TWI) ? NULL : "a WFI or WFE that is no trap";
    case CLASS_SMC32:
    case CLASS_SMC64: return has_bit(hcr, BIT_TSC) ? NULL : "an SMC, without TSC";
    case CLASS_HVC32:
    case CLASS_HVC64: return has_bit(hcr, BIT_HCD) ? "an HVC, in spite of HCD" : NULL;
    case CLASS_IABT_LOW:
    case CLASS_DABT_LOW:
        *is_known = is_stage2_fault;
        return has_bit(hcr, BIT_VM) || has_bit(hcr, BIT_DC) ? NULL : "a stage-2 fault, without VM";
    case 0x07:
        *is_known = record_register(line, "CPTR_EL2", &cptr) && !has_bit(hcr, BIT_E2H);
        return *is_known && !has_bit(cptr, CPTR_TFP) ? "a floating-point trap, without TFP" : NULL;
    default: *is_known = false; return NULL;
    }
}

static void check_trap(struct checker *checker, const struct trace_line *line)
{
    uint64_t esr;
    const uint64_t hcr = record_get(line, TRACE_REG_hcr);
    const int routing = routing_bit(record_type(line));
    const char *wrong = NULL;
    bool is_known = true;
    if (record_source(line) == SOURCE_EL2 || record_level(line) != 2)
        return;
    if (!record_has(line, TRACE_REG_hcr)) {
        check_open(checker, CHECK_trap_enabled, "HCR_EL2 is not recorded");
        return;
    }
    if (has_bit(hcr, BIT_TGE))
        return;
    if (routing >= 0)
        wrong = has_bit(hcr, (unsigned)routing) ? NULL : "an interrupt that is not routed to EL2";
    else if (record_syndrome(line, &esr))
        wrong = wrong_trap(line, hcr, esr, &is_known);
    else
        is_known = false;
    if (is_known)
        check_that(checker, CHECK_trap_enabled, !wrong, "%s (HCR_EL2 0x%" PRIx64 ")",
                   wrong ? wrong : "", hcr);
    else
        check_open(checker, CHECK_trap_enabled, "a trap that other registers decide");
}

/* PSTATE.M of where it came from: bit 4 AArch32, bits 3:2 the level. */
static bool fits_mode(enum exception_source source, unsigned taken_to, uint64_t mode)
{
    const bool is_32 = mode >> 4 & 1;
    const unsigned level = mode >> 2 & 3;
    switch (source) {
    case SOURCE_LOWER64: return !is_32 && level < taken_to;
    case SOURCE_LOWER32: return is_32;
    case SOURCE_EL2: return !is_32 && level == taken_to;
    default: return true;
    }
}

static void check_source(struct checker *checker, const struct trace_line *line)
{
    const enum exception_source source = record_source(line);
    const struct trace_effect *qemu = record_event(line, "exception");
    const uint64_t spsr = record_get(line, TRACE_REG_spsr);
    const unsigned level = record_level(line);
    if (record_has(line, TRACE_REG_spsr))
        check_that(checker, CHECK_entry_source, fits_mode(source, level, spsr & 0x1f),
                   "SPSR_EL%u 0x%" PRIx64 " at the vector %s", level, spsr,
                   line->vector ? line->vector : "of a lower level");
    else if (qemu && qemu->event.args.count >= 2 && line->vector)
        check_that(checker, CHECK_entry_source,
                   (qemu->event.args.values[1] == level) == (source == SOURCE_EL2) &&
                       qemu->event.args.values[1] <= level,
                   "from EL%" PRIu64 " at the vector %s", qemu->event.args.values[1], line->vector);
    else
        check_open(checker, CHECK_entry_source, "neither SPSR_EL2 nor the level is recorded");
}

/* A stop inside a function of EL2 tells nothing of the entry. */
static bool is_at_vector(const struct trace_line *line)
{
    return line->vector && !strstr(line->vector, "host_mem_abort");
}

static void check_state(struct checker *checker, const struct trace_line *line)
{
    enum { MODE = 0x1f, EL2H = 0x9, EL3H = 0xd, DAIF = 0x3c0 };
    const unsigned mode = record_level(line) == 3 ? EL3H : EL2H;
    uint64_t pstate;
    if (!is_at_vector(line) ||
        (!record_register(line, "PSTATE", &pstate) && !record_register(line, "cpsr", &pstate))) {
        check_open(checker, CHECK_entry_state, "PSTATE is not recorded");
        return;
    }
    check_that(checker, CHECK_entry_state, (pstate & MODE) == mode && (pstate & DAIF) == DAIF,
               "PSTATE 0x%" PRIx64, pstate);
}

/* Instructions of AArch64 are aligned to 4, of AArch32 at least to 2. */
static void check_elr(struct checker *checker, const struct trace_line *line)
{
    uint64_t esr;
    const uint64_t elr = record_get(line, TRACE_REG_elr);
    const enum exception_source source = record_source(line);
    const bool is_64 = source == SOURCE_LOWER64 || source == SOURCE_EL2;
    if (!record_has(line, TRACE_REG_elr)) {
        check_open(checker, CHECK_elr_aligned, "ELR_EL2 is not recorded");
        return;
    }
    if (record_syndrome(line, &esr) && ESR_CLASS(esr) == CLASS_PC_ALIGN)
        return;
    check_that(checker, CHECK_elr_aligned, (elr & (is_64 ? 3 : 1)) == 0, "ELR_EL2 0x%" PRIx64, elr);
}

void check_entry(struct checker *checker, const struct trace_line *line)
{
    check_trap(checker, line);
    check_source(checker, line);
    check_state(checker, line);
    check_elr(checker, line);
}
