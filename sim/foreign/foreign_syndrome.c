/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <string.h>

#include <faulthandler/arm_syndrome.h>

#include "foreign/foreign_checker.h"
#include "foreign/foreign_classes.h"

/*
 * Checks of ESR_EL2 by itself: the class against the recording's name for it and against where the
 * exception came from, and the fields of the syndrome (Arm ARM, ESR_EL2).
 */

/* --- Names ----------------------------------------------------------------------------------- */

static const char unknown_class[] = "a class that is not known to this version";

/* "Taking exception 4 [Data Abort]", with the class that QEMU printed in front of ESR. */
static void check_qemu_name(struct checker *checker, const struct trace_effect *event, uint64_t esr)
{
    const struct trace_list *args = &event->event.args;
    const char *text = event->event.text ? event->event.text : "";
    const struct class_info *info = class_find(ESR_CLASS(esr));
    const unsigned name = qemu_exception(text);
    if (args->count >= 4 && args->values[3] != ESR_CLASS(esr))
        check_that(checker, CHECK_exception_name, false,
                   "the class is printed as 0x%" PRIx64 ", and is 0x%" PRIx64 " in ESR_EL2",
                   args->values[3], ESR_CLASS(esr));
    else if (!info)
        check_open(checker, CHECK_exception_name, unknown_class);
    else if (!name)
        check_open(checker, CHECK_exception_name, "a name of QEMU's that is not known here");
    else
        check_that(checker, CHECK_exception_name, info->qemu & name,
                   "%s, but class 0x%" PRIx64 " (%s)", text, ESR_CLASS(esr),
                   class_name(ESR_CLASS(esr)));
}

/* A kernel that has no name for a class prints its number, "0x27". */
static bool is_number_of(const char *name, uint64_t class)
{
    char number[20];
    snprintf(number, sizeof number, "0x%" PRIx64, class);
    return strcmp(name, number) == 0;
}

/* A name that belongs to no class here is of a newer kernel; one of another class is wrong. */
static void check_class_name(struct checker *checker, uint64_t class, const char *name)
{
    uint64_t named;
    const struct class_info *info = class_find(class);
    const bool is_its =
        is_number_of(name, class) || (info && ((info->kvm && strcmp(info->kvm, name) == 0) ||
                                               (info->kvm32 && strcmp(info->kvm32, name) == 0)));
    const bool is_another = class_of_name(name, &named) || strncmp(name, "0x", 2) == 0;
    if (!is_its && !is_another)
        check_open(checker, CHECK_exception_name, "a name that is not known to this version");
    else
        check_that(checker, CHECK_exception_name, is_its, "%s, but class 0x%" PRIx64 " (%s)", name,
                   class, class_name(class));
}

/* "TRAP: HSR_EC: 0x0024 (DABT_LOW)", and the syndrome where a later event has it. */
static void check_kvm_name(struct checker *checker, const struct trace_line *line,
                           const struct trace_effect *event)
{
    uint64_t class, esr;
    const char *name = event->event.text;
    if (!record_class(line, &class))
        return;
    const bool has_syndrome = record_syndrome(line, &esr);
    if (has_syndrome && ESR_CLASS(esr) != class)
        check_that(checker, CHECK_exception_name, false,
                   "kvm_exit has class 0x%" PRIx64 ", ESR_EL2 0x%" PRIx64, class, ESR_CLASS(esr));
    else if (name)
        check_class_name(checker, class, name);
    else if (has_syndrome)
        check_that(checker, CHECK_exception_name, true, "%s", "");
    else
        check_open(checker, CHECK_exception_name, "neither a name nor ESR_EL2 is recorded");
}

static void check_name_of(struct checker *checker, const struct trace_line *line)
{
    uint64_t esr;
    const struct trace_effect *kvm = record_event(line, "kvm_exit");
    const struct trace_effect *qemu = record_event(line, "exception");
    if (kvm)
        check_kvm_name(checker, line, kvm);
    else if (qemu && record_syndrome(line, &esr))
        check_qemu_name(checker, qemu, esr);
}

static unsigned source_bits(enum exception_source source)
{
    switch (source) {
    case SOURCE_LOWER64: return FH_ARM_FROM_64;
    case SOURCE_LOWER32: return FH_ARM_FROM_32;
    case SOURCE_EL2: return FH_ARM_FROM_SAME;
    default: return FH_ARM_FROM_64 | FH_ARM_FROM_32;
    }
}

static void check_class(struct checker *checker, const struct trace_line *line)
{
    uint64_t class;
    const enum exception_type type = record_type(line);
    if (type != TYPE_SYNC && type != TYPE_SERROR)
        return;
    if (!record_class(line, &class)) {
        check_open(checker, CHECK_class_possible, "ESR_EL2 is not recorded");
        return;
    }
    const struct fh_arm_class_info *info = fh_arm_find_class(class);
    if (info && class_find(class))
        check_that(checker, CHECK_class_possible,
                   info->from & source_bits(record_source(line)) &&
                       !(info->from & FH_ARM_IS_SERROR) == (type == TYPE_SYNC),
                   "class 0x%" PRIx64 " (%s) cannot be taken there", class, class_name(class));
    else
        check_open(checker, CHECK_class_possible, unknown_class);
}

/* --- The form -------------------------------------------------------------------------------- */

/*
 * Bits of the ISS that the class does not have. What an SError has is for the implementation to
 * say, and what a data abort has depends on more than its form.
 */
static bool has_reserved_iss(uint64_t esr)
{
    const struct fh_arm_layout *layout = fh_arm_esr_layout(esr);
    return layout && ESR_CLASS(esr) != CLASS_SERROR && !fh_arm_is_data_abort(esr) &&
           ESR_ISS(esr) & ~layout->bits;
}

static bool is_abort(uint64_t class)
{
    return is_lower_abort(class) || class == CLASS_IABT_CUR || class == CLASS_DABT_CUR;
}

static bool is_data_abort(uint64_t class)
{
    return class == CLASS_DABT_LOW || class == CLASS_DABT_CUR;
}

/* Did an AArch64 hypervisor take it? One of AArch32 has the same syndromes, but for IL. */
static bool is_of_aarch64(const struct trace_line *line)
{
    const struct trace_effect *event = record_event(line, "kvm_exit");
    const char *name = event && event->event.text ? event->event.text : "";
    if (line->vector)
        return strncmp(line->vector, "hyp32_", 6) != 0;
    return strstr(name, "_LOW") || strstr(name, "64") || record_get(line, TRACE_REG_elr) >> 32;
}

/* Instructions of AArch64 have 32 bits; and some classes know no length, or have none. */
static bool needs_il(const struct trace_line *line, uint64_t esr)
{
    const uint64_t class = ESR_CLASS(esr);
    const enum exception_source source = record_source(line);
    const struct fh_arm_class_info *info = fh_arm_find_class(class);
    if (!info || !class_find(class) || !is_of_aarch64(line))
        return false;
    if (source == SOURCE_LOWER64 || source == SOURCE_EL2 || !(info->from & FH_ARM_FROM_32))
        return true;
    return class == 0x00 || class == CLASS_SERROR || class == CLASS_IABT_LOW ||
           class == CLASS_PC_ALIGN || (is_data_abort(class) && !ESR_ISV(esr));
}

/* A WFI of AArch64 is unconditional: CV is 1 and COND is "always". */
static bool has_always(enum exception_source source, uint64_t esr)
{
    return ESR_CLASS(esr) != CLASS_WFX || source != SOURCE_LOWER64 || (esr >> 20 & 0x1f) == 0x1e;
}

static void check_form(struct checker *checker, const struct trace_line *line, uint64_t esr)
{
    const enum exception_source source = record_source(line);
    const uint64_t high = esr >> 32;
    const char *wrong = NULL;
    if (high & (is_abort(ESR_CLASS(esr)) ? 0xff000000 : 0xffffffff))
        wrong = "reserved bits in the upper half";
    else if (needs_il(line, esr) && !ESR_IL(esr))
        wrong = "IL is 0, of an instruction of 32 bits";
    else if (has_reserved_iss(esr))
        wrong = "reserved bits of the ISS";
    else if (!has_always(source, esr))
        wrong = "a condition, in AArch64";
    check_that(checker, CHECK_syndrome_form, !wrong, "%s", wrong ? wrong : "");
}

/* --- Aborts ---------------------------------------------------------------------------------- */

/* Some status codes are those of data aborts alone. */
static bool status_exists(uint64_t class, uint64_t status)
{
    struct fh_arm_fault fault;
    if (!fh_arm_status_fault(status, &fault))
        return false;
    switch (fault.kind) {
    case FH_ARM_STATUS_SECTION_DOMAIN: /* of PAR_EL1 */
    case FH_ARM_STATUS_PAGE_DOMAIN: return false;
    case FH_ARM_STATUS_TAG_CHECK:
    case FH_ARM_STATUS_ALIGNMENT:
    case FH_ARM_STATUS_LOCKDOWN:
    case FH_ARM_STATUS_ATOMIC: return is_data_abort(class);
    default: return true;
    }
}

enum { STATUS_EXTERNAL = 0x10, STATUS_LS64 = 0x35 };

/* What of an instruction abort's and a data abort's syndrome is only of external aborts. */
static const char *wrong_external(uint64_t esr)
{
    const uint64_t status = ESR_STATUS(esr);
    const bool is_external = status >= STATUS_EXTERNAL && status <= 0x1f && status != 0x11;
    if (esr >> 10 & 1 && status != STATUS_EXTERNAL)
        return "FnV of what is no external abort";
    if (esr >> 9 & 1 && !is_external)
        return "EA of what is no external abort";
    if (esr >> 11 & 3 && status != STATUS_EXTERNAL && status != STATUS_LS64)
        return "SET of what is no external abort";
    return NULL;
}

/* The fields that describe the access, which are only there if ISV says so. */
static const char *wrong_access(uint64_t esr)
{
    const uint64_t size = esr >> 22 & 3;
    const bool sign = esr >> 21 & 1, is_64 = esr >> 15 & 1, is_ordered = esr >> 14 & 1;
    /* Newer processors say other things there: TopLevel, FnP, PFV. */
    const uint64_t described = ESR_STATUS(esr) == STATUS_LS64 ? 0xc00000 : 0xdf0000;
    if (!ESR_ISV(esr))
        return esr & described ? "ISV is 0, but fields of the access are not" : NULL;
    if (ESR_S1PTW(esr))
        return "ISV is 1 of a fault on a stage 1 table";
    if (ESR_CM(esr))
        return "ISV is 1 of cache maintenance";
    if (sign && ESR_WNR(esr))
        return "a store that extends the sign";
    if (sign && is_ordered)
        return "an acquire that extends the sign";
    if (size == 3 && (sign || !is_64))
        return "8 bytes, but SSE or not SF";
    if (size < 3 && !sign && is_64)
        return "SF without sign extension of less than 8 bytes";
    return size == 2 && sign && !is_64 ? "4 bytes are extended to 4" : NULL;
}

static const char *wrong_data_abort(uint64_t esr)
{
    if (ESR_CLASS(esr) == CLASS_DABT_CUR && ESR_ISV(esr))
        return "ISV is 1 of an abort inside EL2";
    if (ESR_CM(esr) && !ESR_WNR(esr))
        return "cache maintenance that counts as a read";
    return wrong_access(esr);
}

static void check_abort(struct checker *checker, uint64_t esr)
{
    const uint64_t class = ESR_CLASS(esr);
    if (!is_abort(class))
        return;
    check_that(checker, CHECK_abort_status, status_exists(class, ESR_STATUS(esr)),
               "status 0x%02" PRIx64 " does not exist", ESR_STATUS(esr));
    const char *wrong = wrong_external(esr);
    if (!wrong && is_data_abort(class))
        wrong = wrong_data_abort(esr);
    check_that(checker, CHECK_abort_access, !wrong, "%s", wrong ? wrong : "");
}

void check_syndrome(struct checker *checker, const struct trace_line *line)
{
    uint64_t esr, class;
    check_name_of(checker, line);
    check_class(checker, line);
    if (record_syndrome(line, &esr)) {
        check_form(checker, line, esr);
        check_abort(checker, esr);
        return;
    }
    const enum exception_type type = record_type(line);
    if (type != TYPE_SYNC && type != TYPE_SERROR)
        return;
    check_open(checker, CHECK_syndrome_form, "ESR_EL2 is not recorded");
    if (record_class(line, &class) && !is_abort(class))
        return;
    check_open(checker, CHECK_abort_status, "ESR_EL2 is not recorded");
    check_open(checker, CHECK_abort_access, "ESR_EL2 is not recorded");
}
