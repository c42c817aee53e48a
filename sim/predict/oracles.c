/* SPDX-License-Identifier: GPL-2.0-only */
#include "predict/model_state.h"

#include <string.h>

/*
 * The questions that the core asks the world, and the answers that the trap's inputs have to them.
 */

/* The next answer to the oracle; 0 where there is none. */
static uint64_t next_answer(struct model *model, enum oracle oracle)
{
    struct run *run = model->run;
    for (size_t i = run->next_answer[oracle]; i < run->inputs->nanswers; i++) {
        if (run->inputs->answers[i].oracle != oracle)
            continue;
        run->next_answer[oracle] = i + 1;
        return run->inputs->answers[i].value;
    }
    return 0;
}

/* The answer to the oracle for this key; `otherwise` where there is none. */
static uint64_t answer_for(const struct model *model, enum oracle oracle, uint64_t key,
                           uint64_t otherwise)
{
    const struct trap_inputs *inputs = model->run ? model->run->inputs : NULL;
    for (size_t i = 0; inputs && i < inputs->nanswers; i++) {
        if (inputs->answers[i].oracle == oracle && inputs->answers[i].key == key)
            return inputs->answers[i].value;
    }
    return otherwise;
}

/* --- Data ------------------------------------------------------------------------------------ */

/* What a trace calls the values that it reads from the host's memory. */
static const char *const names[] = {
#define ORACLE_NAME(oracle, what) [ORACLE_##oracle] = what,
    ORACLE_MAP(ORACLE_NAME)
#undef ORACLE_NAME
};

/* A value from the host's memory, which a trace tells of. */
static uint64_t read_from_host(struct model *model, enum oracle oracle,
                               const struct fh_question *question)
{
    const uint64_t value = next_answer(model, oracle);
    tell(model, TRACE_int_read, ALL_OF(int_read))->int_read =
        (struct trace_int_read){.what = names[oracle],
                                .vmid = question->vmid,
                                .vcpu = question->vcpuid,
                                .idx = oracle == ORACLE_HOST_GPR ? question->index : 0,
                                .val = value};
    return value;
}

/* Where the vCPU's fault was that the host was asked to resolve; 0: there was none. */
static uint64_t fault_address(const struct model *model, const struct fh_question *question)
{
    const struct fh_profile *k = model->profile;
    const uint64_t vmid = question->vmid, vcpuid = question->vcpuid;
    if (!(parts_shadow(&model->parts, vmid, vcpuid, k->FLAGS) & k->PENDING_FSC_FAULT))
        return 0;
    return (parts_shadow(&model->parts, vmid, vcpuid, k->HPFAR_EL2) & k->HPFAR_MASK) << 8;
}

static uint64_t ask(void *context, const struct fh_question *question)
{
    struct model *model = context;
    if (!model->run)
        return 0;
    switch (question->what) {
    case FH_ASKED_MMIO: return next_answer(model, ORACLE_DEVICE);
    case FH_ASKED_ESR: return read_from_host(model, ORACLE_HOST_ESR, question);
    case FH_ASKED_GPR: return read_from_host(model, ORACLE_HOST_GPR, question);
    case FH_ASKED_PC: return read_from_host(model, ORACLE_HOST_PC, question);
    case FH_ASKED_PSTATE: return read_from_host(model, ORACLE_HOST_PSTATE, question);
    case FH_ASKED_NEW_PTE: return read_from_host(model, ORACLE_NEW_PTE, question);
    case FH_ASKED_NEW_LEVEL: return read_from_host(model, ORACLE_NEW_LEVEL, question);
    case FH_ASKED_FAULT_ADDR: return fault_address(model, question);
    case FH_ASKED_LOADED: return answer_for(model, ORACLE_DECRYPTED, question->index, 0);
    case FH_ASKED_RUN_VCPUID: return model->run->inputs->in.x[2];
    case FH_ASKED_ACTLR: return model->run->inputs->in.values[TRACE_REG_actlr_el1];
    case FH_ASKED_VTCR: return model->vtcr;
    default: return 0; /* contents of pages */
    }
}

/* --- The host's pointers, and signatures ----------------------------------------------------- */

static uint64_t kvm_pointer(void *context, uint64_t vmid)
{
    return answer_for(context, ORACLE_KVM_POINTER, vmid, 0);
}

static uint64_t vcpu_pointer(void *context, uint64_t vmid, uint64_t vcpuid)
{
    (void)vmid;
    return answer_for(context, ORACLE_VCPU_POINTER, vcpuid, 0);
}

static uint64_t signature(void *context, uint64_t vmid, uint64_t addr)
{
    struct model *model = context;
    const struct fh_boot_info *info = &parts_vminfo(&model->parts, vmid)->VB;
    uint64_t image = 0;
    if (!model->run)
        return 1;
    while (image < info->vm_next_load_info &&
           parts_word(&model->parts, &info->vm_remap_addr, image) != addr)
        image++;
    const uint64_t size = parts_word(&model->parts, &info->vm_load_size, image);
    const uint64_t verdict = answer_for(model, ORACLE_SIGNATURE, image, 1);
    tell(model, TRACE_verify, ALL_OF(verify))->verify =
        (struct trace_verify){vmid, image, addr, size, verdict};
    return verdict;
}

/* What a register is reset to: the boot record has the table. */
static uint64_t reset_value(void *context, uint64_t n)
{
    const struct model *model = context;
    return n < MODEL_RESETS ? model->resets[n] : 0;
}

struct fh_environment model_environment(struct model *model)
{
    return (struct fh_environment){.context = model,
                                   .ask = ask,
                                   .reg_desc = reset_value,
                                   .shared_kvm = kvm_pointer,
                                   .shared_vcpu = vcpu_pointer,
                                   .verify_img = signature,
                                   .observer = model_observe,
                                   .passes_pages_of_others = true};
}
