/* SPDX-License-Identifier: GPL-2.0-only */
#include "explain/joined.h"

#include <string.h>

/* --- Which values belong together ------------------------------------------------------------ */

enum family { FAMILY_NONE, FAMILY_CPU, FAMILY_SMMU_GLOBAL, FAMILY_SMMU_BANK };

static enum family family_of(const struct found *found)
{
    if (found->message) {
        const enum subject subject = found->message->subject;
        return subject == SUBJECT_SMMU_GLOBAL ? FAMILY_SMMU_GLOBAL
               : subject == SUBJECT_SMMU_BANK ? FAMILY_SMMU_BANK
               : subject == SUBJECT_ANY       ? FAMILY_NONE
                                              : FAMILY_CPU;
    }
    switch (found->name.meaning) {
    case MEANING_SYNDROME:
    case MEANING_CLASS:
    case MEANING_STATUS:
    case MEANING_HPFAR:
    case MEANING_PC: return FAMILY_CPU;
    case MEANING_SMMU_GLOBAL:
        return strcmp(found->name.canonical, "CBFRSYNRA") == 0 ? FAMILY_SMMU_BANK
                                                               : FAMILY_SMMU_GLOBAL;
    case MEANING_SMMU_BANK:
    case MEANING_IOVA:
    case MEANING_BANK: return FAMILY_SMMU_BANK;
    default: return FAMILY_NONE;
    }
}

/* "ESR_EL2" and "ESR_ELx" are one register, of which one message says the level. */
static bool is_same_register(const char *a, const char *b)
{
    const size_t length = strlen(a);
    return strcmp(a, b) == 0 ||
           (length == strlen(b) && length > 3 && strncmp(a, b, length - 1) == 0 &&
            (a[length - 1] == 'x' || b[length - 1] == 'x'));
}

/* Does the report have this value already, with another content? */
static bool is_again(const struct report *report, const struct found *found)
{
    for (size_t i = 0; i < report->count && !found->message; i++) {
        const struct found *other = &report->items[i];
        if (!other->message && other->name.meaning == found->name.meaning &&
            other->name.level == found->name.level && other->value != found->value &&
            is_same_register(other->name.canonical, found->name.canonical))
            return true;
    }
    return false;
}

static const struct found *first_value(const struct report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        if (!report->items[i].message)
            return &report->items[i];
    }
    return NULL;
}

/* Does the line that began the report come again, with the same values? */
static bool is_repeated_line(const struct report *report, const struct found *found)
{
    const struct found *first = first_value(report);
    return first && !found->message && first->line < found->line &&
           first->name.meaning == found->name.meaning &&
           strcmp(first->written, found->written) == 0;
}

/* "arm-smmu 5000000.iommu: ...": which SMMU is a line about? */
static const char *smmu_of(const struct found *found, const char *text, size_t *length)
{
    static const char driver[] = "smmu";
    const char *line = text + found->at, *end;
    while (line > text && line[-1] != '\n')
        line--;
    const char *name = strstr(line, driver);
    end = line + strcspn(line, "\n");
    if (!name || name > end)
        return NULL;
    name += strcspn(name, " \n");
    name += strspn(name, " ");
    *length = strcspn(name, ": \n");
    return name[*length] == ':' ? name : NULL;
}

static bool is_of_other_smmu(const struct found *before, const struct found *found,
                             const char *text)
{
    size_t length, other_length;
    if (!text || before->line == found->line)
        return false;
    const char *name = smmu_of(before, text, &length);
    const char *other = smmu_of(found, text, &other_length);
    return name && other && (length != other_length || strncmp(name, other, length) != 0);
}

/* More than any program prints at once. */
enum { REPORT_MAX = 256 };

/* An empty line ends what a program had to say. */
static bool is_apart(const struct found *before, const struct found *found, const char *text)
{
    bool is_empty = false;
    if (!found->message &&
        (found->name.meaning == MEANING_CLASS || found->name.meaning == MEANING_STATUS ||
         found->name.meaning == MEANING_ISS))
        return false; /* a part of a syndrome that stands above */
    for (size_t i = before->at; text && i < found->at; i++) {
        if (text[i] == '\n' && is_empty)
            return true;
        is_empty = text[i] == '\n' || (is_empty && strchr(" \t\r>|", text[i]));
    }
    return false;
}

struct report report_from(const struct finds *finds, size_t from, const char *text)
{
    struct report report = {.items = &finds->items[from]};
    enum family family = FAMILY_NONE;
    while (from + report.count < finds->count) {
        const struct found *next = &report.items[report.count];
        const enum family other = family_of(next);
        const bool begins = (next->message && next->message->begins && first_value(&report)) ||
                            is_repeated_line(&report, next) || report.count == REPORT_MAX;
        const bool differs = family && other && family != other;
        const struct found *before = report.count > 0 ? next - 1 : NULL;
        if (before && (begins || differs || is_again(&report, next) ||
                       is_apart(before, next, text) || is_of_other_smmu(before, next, text)))
            break;
        if (other)
            family = other;
        if (next->message && next->message->subject && !report.subject)
            report.subject = next->message->subject;
        report.count++;
    }
    return report;
}

bool report_says_first(const struct report *report, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (report->items[i].message == report->items[index].message)
            return false;
    }
    return true;
}

/* --- What they say together ------------------------------------------------------------------ */

static const struct found *find_meaning(const struct report *report, enum meaning meaning)
{
    for (size_t i = 0; i < report->count; i++) {
        if (!report->items[i].message && report->items[i].name.meaning == meaning)
            return &report->items[i];
    }
    return NULL;
}

static const struct found *find_canonical(const struct report *report, const char *canonical)
{
    for (size_t i = 0; i < report->count; i++) {
        if (!report->items[i].message && strcmp(report->items[i].name.canonical, canonical) == 0)
            return &report->items[i];
    }
    return NULL;
}

/* EL2's before another level's. */
static const struct found *find_el2(const struct report *report, enum meaning meaning,
                                    const char *canonical)
{
    const struct found *found = find_canonical(report, canonical);
    return found ? found : find_meaning(report, meaning);
}

const struct found *joined_general(const struct joined *joined, unsigned number)
{
    const struct report *report = joined->report;
    for (size_t i = 0; i < report->count; i++) {
        const struct found *found = &report->items[i];
        if (!found->message && found->name.meaning == MEANING_GENERAL &&
            found->name.number == number)
            return found;
    }
    return NULL;
}

static uint64_t value_of(const struct joined *joined, const char *canonical)
{
    const struct found *found = find_canonical(joined->report, canonical);
    return found ? found->value : 0;
}

struct fh_arm_controls joined_controls(const struct joined *joined)
{
    return (struct fh_arm_controls){
        .hcr = joined_hcr(joined),
        .mdcr = value_of(joined, "MDCR_EL2"),
        .cptr = value_of(joined, "CPTR_EL2"),
        .cnthctl = value_of(joined, "CNTHCTL_EL2"),
    };
}

uint64_t joined_hcr(const struct joined *joined)
{
    return joined->hcr ? joined->hcr->value : 0;
}

static void find_all(struct joined *joined, const struct report *report)
{
    joined->syndrome = find_el2(report, MEANING_SYNDROME, "ESR_EL2");
    joined->virtual_address = find_el2(report, MEANING_VIRTUAL, "FAR_EL2");
    joined->pc = find_el2(report, MEANING_PC, "ELR_EL2");
    joined->hpfar = find_meaning(report, MEANING_HPFAR);
    joined->ipa = find_meaning(report, MEANING_IPA);
    joined->state = find_meaning(report, MEANING_STATE);
    joined->class = find_meaning(report, MEANING_CLASS);
    joined->status = find_meaning(report, MEANING_STATUS);
    joined->descriptor = find_meaning(report, MEANING_DESCRIPTOR);
    joined->vtcr = find_canonical(report, "VTCR_EL2");
    joined->vttbr = find_canonical(report, "VTTBR_EL2");
    joined->hcr = find_canonical(report, "HCR_EL2");
    joined->fsr = find_canonical(report, "FSR");
    joined->fsynr0 = find_canonical(report, "FSYNR0");
    joined->iova = find_meaning(report, MEANING_IOVA);
    joined->stream = find_meaning(report, MEANING_STREAM);
    if (!joined->stream)
        joined->stream = find_canonical(report, "CBFRSYNRA");
    joined->bank = find_meaning(report, MEANING_BANK);
    joined->gfsr = find_canonical(report, "sGFSR");
    joined->gfsynr0 = find_canonical(report, "sGFSYNR0");
    joined->gfsynr1 = find_canonical(report, "sGFSYNR1");
}

/* Whose tables made the fault: those below EL2, or those of the level that took it? */
static void find_stage(struct joined *joined)
{
    const uint64_t esr = joined->syndrome->value;
    const enum fh_arm_class class = fh_arm_esr_class(esr);
    const bool is_el1 = strcmp(joined->syndrome->name.canonical, "ESR_EL1") == 0;
    const bool is_lower = class == FH_ARM_CLASS_DABT_LOW || class == FH_ARM_CLASS_IABT_LOW;
    joined->is_stage1 = is_el1 || !is_lower || joined->report->subject == SUBJECT_SELF;
    joined->is_stage2 = !joined->is_stage1 &&
                        (joined->report->subject == SUBJECT_GUEST || joined->hpfar || joined->ipa ||
                         joined->vttbr || strcmp(joined->syndrome->name.canonical, "ESR_EL2") == 0);
}

/* HPFAR_EL2 has the page, FAR_EL2 the offset in it, unless the fault was on a stage 1 table. */
static void find_address(struct joined *joined)
{
    if (joined->ipa) {
        joined->has_address = true;
        joined->address = joined->ipa->value;
        return;
    }
    if (!joined->hpfar)
        return;
    const bool has_offset = joined->virtual_address && joined->is_abort &&
                            !fh_arm_esr_data_abort_of(joined->syndrome->value).S1PTW;
    joined->has_address = true;
    joined->address_is_page = !has_offset;
    joined->address = fh_arm_hpfar_el2_of(joined->hpfar->value).FIPA << 12;
    if (has_offset)
        joined->address |= joined->virtual_address->value & 0xfff;
}

struct joined join_report(const struct report *report)
{
    struct joined joined = {.report = report};
    find_all(&joined, report);
    if (joined.syndrome && fh_arm_is_abort(joined.syndrome->value)) {
        joined.is_abort = fh_arm_status_fault(joined.syndrome->value & 0x3f, &joined.fault);
        find_stage(&joined);
    }
    find_address(&joined);
    return joined;
}
