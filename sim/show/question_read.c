/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <faulthandler/path.h>

#include "base/diag.h"
#include "base/whole_path.h"
#include "show/question.h"
#include "show/subject.h"

enum { WORDS = 512 };

/* --- What is asked for ------------------------------------------------------------------------ */

static bool read_page(struct question *question)
{
    const char *behind;
    snprintf(question->subject, sizeof question->subject, "page %s", question->text);
    if (subject_number(question->text, '\0', &question->mappings.pfn, &behind) &&
        question->mappings.pfn < (uint64_t)1 << 52)
        return true;
    diag_plain("query: --page: '%s' is no page frame number", question->text);
    return false;
}

static bool read_ipa(struct question *question)
{
    const char *text = question->text, *behind = NULL;
    bool good = false;
    if (strncmp(text, "host:", 5) == 0) {
        behind = text + 5;
        good = true;
    } else if (strncmp(text, "vm", 2) == 0) {
        good = subject_number(text + 2, ':', &question->vmid, &behind);
    } else if (strncmp(text, "smmu", 4) == 0) {
        question->is_smmu = true;
        good = subject_number(text + 4, '.', &question->smmu, &behind) &&
               subject_number(behind, ':', &question->bank, &behind);
    }
    if (good && subject_number(behind, '\0', &question->address, &behind))
        return true;
    diag_plain("query: --ipa: '%s' is none of host:ADDRESS, vmN:ADDRESS and smmuN.BANK:ADDRESS",
               text);
    return false;
}

static bool read_vm(struct question *question)
{
    const char *behind;
    snprintf(question->subject, sizeof question->subject, "VM %s", question->text);
    if (subject_number(question->text, '\0', &question->vmid, &behind))
        return true;
    diag_plain("query: --vm: '%s' is no VM's number", question->text);
    return false;
}

static bool read_lock(struct question *question)
{
    snprintf(question->subject, sizeof question->subject, "lock %s", question->text);
    const int length = snprintf(question->place, sizeof question->place, "lock.%s", question->text);
    question->path = question->place;
    if (length < (int)sizeof question->place && !strchr(question->text, '.'))
        return true;
    diag_plain("query: --lock: '%s' is no lock", question->text);
    return false;
}

/* The place is known when the number of a VM's vCPUs is. */
static bool read_register(struct question *question)
{
    const char *text = question->text, *behind = NULL, *name = NULL;
    question->path = question->place;
    if (strncmp(text, "vm", 2) == 0 && subject_number(text + 2, '.', &question->vmid, &behind) &&
        strncmp(behind, "vcpu", 4) == 0 &&
        subject_number(behind + 4, '.', &question->vcpuid, &name) && *name && !strchr(name, '.') &&
        strlen(text) < 96)
        return true;
    diag_plain("query: --register: '%s' is no vmN.vcpuN.REGISTER", text);
    return false;
}

bool question_read(struct question *question, enum question_kind kind, const char *text,
                   const char *when)
{
    *question = (struct question){.kind = kind, .text = text, .when = when};
    snprintf(question->subject, sizeof question->subject, "%s", text);
    switch (kind) {
    case QUESTION_PAGE: return read_page(question);
    case QUESTION_IPA: return read_ipa(question);
    case QUESTION_VM: return read_vm(question);
    case QUESTION_LOCK: return read_lock(question);
    case QUESTION_REGISTER: return read_register(question);
    case QUESTION_PATH:
        question->path = whole_path(text, question->place, sizeof question->place);
        return true;
    default: return true;
    }
}

/* Is there such a vCPU? Then the path of its register is known. */
static bool is_vcpu_there(struct question *question, const struct fh_profile *k)
{
    if (question->vmid >= k->COREVISOR || question->vcpuid >= k->VCPU_PER_VM) {
        diag_plain("query: '%s': there are VMs up to %" PRIu64 ", and vCPUs below %" PRIu64,
                   question->text, k->COREVISOR - 1, k->VCPU_PER_VM);
        return false;
    }
    snprintf(question->place, sizeof question->place, "shadow_ctxts.%" PRIu64 ".ctxt_regs.%s",
             question->vmid * k->VCPU_PER_VM + question->vcpuid, strrchr(question->text, '.') + 1);
    return true;
}

/* Is there such a VM, bank or path? Asked once, with the state that the trace begins with. */
bool question_is_there(struct question *question)
{
    const struct fh_profile *k = fh_state_profile(question->state);
    const char *option = question->kind == QUESTION_LOCK       ? "--lock"
                         : question->kind == QUESTION_REGISTER ? "--register"
                                                               : "--path";
    struct fh_found found;
    struct fh_path_error error;
    char words[WORDS];
    if (question->kind == QUESTION_REGISTER && !is_vcpu_there(question, k))
        return false;
    if (question->path) {
        if (fh_path_find(fh_state_rdata(question->state), k, question->path, &found, &error))
            return true;
        fh_path_error_format(&error, question->path, words, sizeof words);
        diag_plain("query: %s: %s", option, words);
        return false;
    }
    if (question->is_smmu && question->smmu < k->SMMU_NUM &&
        question->bank < k->SMMU_NUM_CTXT_BANKS)
        return true;
    if (!question->is_smmu && question->vmid < k->COREVISOR)
        return true;
    diag_plain("query: '%s': there are VMs up to %" PRIu64 ", and banks below %" PRIu64 ".%" PRIu64,
               question->subject, k->COREVISOR - 1, k->SMMU_NUM, k->SMMU_NUM_CTXT_BANKS);
    return false;
}
