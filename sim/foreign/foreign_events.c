/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <string.h>

#include "foreign/foreign_checker.h"

/* Checks of what Linux's events say of an exit against one another and against the syndrome. */

static const struct trace_list *arguments(const struct trace_effect *event)
{
    return &event->event.args;
}

/* Is the event of an exit of this class, at this pc? The exit tells both. */
static bool is_of_exit(const struct trace_line *line, uint64_t class, uint64_t other, uint64_t pc)
{
    uint64_t found;
    /* What the class was is known from kvm_exit, or from the syndrome of another event. */
    if (record_class(line, &found) && found != class && found != other)
        return false;
    return record_get(line, TRACE_REG_elr) == pc;
}

static unsigned count_events(const struct trace_line *line, const char *name)
{
    unsigned count = 0;
    for (size_t i = 0; i < line->nfx; i++)
        count += line->fx[i].kind == TRACE_event && line->fx[i].event.event &&
                 strcmp(line->fx[i].event.event, name) == 0;
    return count;
}

/* kvm_guest_fault: ipa, hsr, hxfar, pc */
static void check_fault_event(struct checker *checker, const struct trace_line *line)
{
    const struct trace_effect *event = record_event(line, "kvm_guest_fault");
    if (!event || arguments(event)->count < 4)
        return;
    const uint64_t *args = arguments(event)->values;
    const uint64_t class = ESR_CLASS(args[1]);
    check_that(checker, CHECK_fault_event,
               is_lower_abort(class) && is_of_exit(line, class, class, args[3]) &&
                   (args[0] & 0xfff) == 0 && count_events(line, "kvm_guest_fault") == 1,
               "ipa 0x%" PRIx64 ", hsr 0x%" PRIx64 ", pc 0x%" PRIx64
               ", %u times in an exit at 0x%" PRIx64,
               args[0], args[1], args[3], count_events(line, "kvm_guest_fault"),
               record_get(line, TRACE_REG_elr));
}

/* kvm_hvc_arm64: pc, r0, immediate */
static void check_call_event(struct checker *checker, const struct trace_line *line)
{
    uint64_t esr;
    const struct trace_effect *event = record_event(line, "kvm_hvc_arm64");
    if (!event || arguments(event)->count < 3)
        return;
    const uint64_t *args = arguments(event)->values;
    const bool has_immediate = record_syndrome(line, &esr);
    check_that(checker, CHECK_call_event,
               is_of_exit(line, CLASS_HVC64, CLASS_HVC32, args[0]) && args[2] <= 0xffff &&
                   (!has_immediate || args[2] == (esr & 0xffff)),
               "kvm_hvc_arm64 at 0x%" PRIx64 " with immediate 0x%" PRIx64
               ", the exit at 0x%" PRIx64,
               args[0], args[2], record_get(line, TRACE_REG_elr));
}

/* The ISS of a trapped MSR or MRS. */
static bool is_access(uint64_t esr, const uint64_t *args)
{
    const uint64_t op0 = esr >> 20 & 3, op2 = esr >> 17 & 7, op1 = esr >> 14 & 7;
    const uint64_t crn = esr >> 10 & 15, crm = esr >> 1 & 15, is_read = esr & 1;
    return args[1] == op0 && args[2] == op1 && args[3] == crn && args[4] == crm && args[5] == op2 &&
           args[6] != is_read;
}

/* kvm_sys_access: pc, op0, op1, CRn, CRm, op2, write */
static void check_sysreg_event(struct checker *checker, const struct trace_line *line)
{
    uint64_t esr;
    const struct trace_effect *event = record_event(line, "kvm_sys_access");
    if (!event || arguments(event)->count < 7)
        return;
    const uint64_t *args = arguments(event)->values;
    if (!record_syndrome(line, &esr)) {
        check_open(checker, CHECK_sysreg_event, "ESR_EL2 is not recorded");
        return;
    }
    check_that(checker, CHECK_sysreg_event,
               is_of_exit(line, CLASS_SYS64, CLASS_SYS64, args[0]) && is_access(esr, args),
               "%s (%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ") at 0x%" PRIx64
               ", ESR_EL2 0x%" PRIx64 " at 0x%" PRIx64,
               args[6] ? "write" : "read", args[1], args[2], args[3], args[4], args[5], args[0],
               esr, record_get(line, TRACE_REG_elr));
}

/* kvm_wfx_arm64: "wfi" or "wfe"; pc */
static void check_wfx_event(struct checker *checker, const struct trace_line *line)
{
    uint64_t esr;
    const struct trace_effect *event = record_event(line, "kvm_wfx_arm64");
    if (!event)
        return;
    if (arguments(event)->count < 1 || !event->event.text) {
        check_open(checker, CHECK_wfx_event, "trace-cmd could not print it");
        return;
    }
    const bool is_wfe = strcmp(event->event.text, "wfe") == 0;
    const bool has_which = record_syndrome(line, &esr);
    const uint64_t pc = arguments(event)->values[0];
    check_that(checker, CHECK_wfx_event,
               is_of_exit(line, CLASS_WFX, CLASS_WFX, pc) && (!has_which || (esr & 1) == is_wfe),
               "a %s at 0x%" PRIx64 ", the exit at 0x%" PRIx64, event->event.text, pc,
               record_get(line, TRACE_REG_elr));
}

/* --- kvm_mmio -------------------------------------------------------------------------------- */

static bool fits(const struct trace_mmio *mmio, bool has_value)
{
    return !has_value || mmio->len >= 8 || mmio->val >> 8 * mmio->len == 0;
}

static void check_mmio_form(struct checker *checker, const struct trace_mmio *mmio, bool has_value)
{
    const bool is_length = mmio->len == 1 || mmio->len == 2 || mmio->len == 4 || mmio->len == 8;
    check_that(checker, CHECK_mmio_form, is_length && fits(mmio, has_value),
               "%" PRIu64 " bytes, value 0x%" PRIx64, mmio->len, mmio->val);
}

static void check_mmio_syndrome(struct checker *checker, const struct trace_line *line,
                                const struct trace_mmio *mmio, bool has_value)
{
    uint64_t esr;
    if (!record_syndrome(line, &esr)) {
        check_open(checker, CHECK_mmio_syndrome, "ESR_EL2 is not recorded");
        return;
    }
    const uint32_t size = model_access_size(checker->model, (uint32_t)esr);
    const bool is_write = model_is_write(checker->model, (uint32_t)esr);
    check_that(checker, CHECK_mmio_syndrome,
               ESR_CLASS(esr) == CLASS_DABT_LOW && ESR_ISV(esr) && mmio->len == size &&
                   mmio->write == is_write && fits(mmio, has_value),
               "a %s of %" PRIu64 " bytes, value 0x%" PRIx64 "; ESR_EL2 0x%" PRIx64
               " (ISV %u) has a %s of %" PRIu32,
               mmio->write ? "write" : "read", mmio->len, mmio->val, esr, (unsigned)ESR_ISV(esr),
               is_write ? "write" : "read", size);
}

static void check_mmio_address(struct checker *checker, const struct trace_line *line,
                               const struct trace_mmio *mmio)
{
    uint64_t esr;
    const uint64_t hpfar = record_get(line, TRACE_REG_hpfar), far = record_get(line, TRACE_REG_far);
    if (!record_has(line, TRACE_REG_hpfar) || !record_has(line, TRACE_REG_far)) {
        check_open(checker, CHECK_mmio_address, "HPFAR_EL2 and FAR_EL2 are not recorded");
        return;
    }
    if (record_syndrome(line, &esr) && ESR_S1PTW(esr)) {
        check_open(checker, CHECK_mmio_address, "S1PTW: FAR_EL2 is another address");
        return;
    }
    const uint64_t address = model_fault_address(checker->model, hpfar, far);
    check_that(checker, CHECK_mmio_address, mmio->addr == address,
               "gpa 0x%" PRIx64 ", but HPFAR_EL2 and FAR_EL2 say 0x%" PRIx64, mmio->addr, address);
}

/* The read that is asked for, "unsatisfied", has no value; the next one answers it. */
static void check_mmio_pair(struct checker *checker, const struct trace_line *line, size_t i,
                            const struct trace_mmio **asked)
{
    const bool has_value = line->fx[i].present & 1u << TRACE_AT_mmio_val;
    const struct trace_mmio *mmio = &line->fx[i].mmio;
    if (mmio->write)
        return;
    if (!has_value) {
        if (*asked)
            check_that(checker, CHECK_mmio_pair, false,
                       "a second read is asked for, at 0x%" PRIx64 ", before the answer",
                       mmio->addr);
        *asked = mmio;
        return;
    }
    const struct trace_mmio *before = *asked;
    *asked = NULL;
    if (!before && !record_event(line, "kvm_exit")) {
        check_open(checker, CHECK_mmio_pair, "what happened before is not recorded");
        return;
    }
    check_that(checker, CHECK_mmio_pair,
               before && before->addr == mmio->addr && before->len == mmio->len,
               before ? "asked for at 0x%" PRIx64 " and answered at 0x%" PRIx64
                      : "an answer, at 0x%" PRIx64 ", to nothing asked for (0x%" PRIx64 ")",
               before ? before->addr : mmio->addr, mmio->addr);
}

static void check_mmio(struct checker *checker, const struct trace_line *line)
{
    const struct trace_mmio *asked = NULL;
    for (size_t i = 0; i < line->nfx; i++) {
        if (line->fx[i].kind != TRACE_mmio)
            continue;
        const bool has_value = line->fx[i].present & 1u << TRACE_AT_mmio_val;
        check_mmio_form(checker, &line->fx[i].mmio, has_value);
        check_mmio_syndrome(checker, line, &line->fx[i].mmio, has_value);
        check_mmio_address(checker, line, &line->fx[i].mmio);
        check_mmio_pair(checker, line, i, &asked);
    }
}

void check_events(struct checker *checker, const struct trace_line *line)
{
    check_fault_event(checker, line);
    check_call_event(checker, line);
    check_sysreg_event(checker, line);
    check_wfx_event(checker, line);
    check_mmio(checker, line);
}
