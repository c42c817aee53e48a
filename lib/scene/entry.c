/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "scene"
#include <faulthandler/machine.h>
#include <faulthandler/scene.h>

#include <string.h>

#include "base/text.h"
#include "layers/kcore.h"
#include "scene/need.h"

/* --- Aborts ----------------------------------------------------------------------------------- */

enum { HPFAR_PAGE_SHIFT = 4, LEVEL_OF_PAGES = 3, WORD_BYTES = 8 };

/* An access that stage 2 stopped at a page's descriptor, as the CPU writes it down. */
static struct fh_arm_abort abort_of(const struct fh_scene_access *access)
{
    const unsigned bytes = access->bytes ? access->bytes : WORD_BYTES;
    const struct fh_arm_walk walk = {.status = access->is_permission ? FH_ARM_STATUS_PERMISSION
                                                                     : FH_ARM_STATUS_TRANSLATION,
                                     .level = LEVEL_OF_PAGES};
    const struct fh_arm_ipa_access ipa = {.ipa = access->ipa, .kind = access->kind};
    const struct fh_arm_instruction instruction = {.va = access->ipa,
                                                   .is_described = !access->is_undescribed,
                                                   .size_log2 = (unsigned)__builtin_ctz(bytes),
                                                   .rt = access->rt,
                                                   .is_64bit = bytes == WORD_BYTES};
    struct fh_arm_abort abort;
    fh_arm_abort_of(&walk, &ipa, &instruction, &abort);
    return abort;
}

static enum fh_status check_access(struct fh_state *s, const struct fh_scene_access *access)
{
    const unsigned bytes = access->bytes ? access->bytes : WORD_BYTES;
    NEED(s, bytes <= WORD_BYTES && (bytes & (bytes - 1)) == 0, bytes);
    NEED(s, access->rt <= 31, access->rt);
    NEED(s, is_addr(s->profile, access->ipa), access->ipa);
    return FH_OK;
}

static void put_abort(const struct fh_scene_access *access, struct fh_ctxt_regs *regs)
{
    const struct fh_arm_abort abort = abort_of(access);
    memset(regs, 0, sizeof *regs);
    regs->esr_el2 = abort.esr;
    regs->far_el2 = abort.far;
    regs->hpfar_el2 = abort.hpfar;
}

enum fh_status fh_scene_fault(struct fh_state *s, const struct fh_scene_access *access,
                              struct fh_ctxt_regs *regs)
{
    const struct fh_profile *k = s->profile;
    const uint64_t hpfar = pfn_of(k, access->ipa) << HPFAR_PAGE_SHIFT;
    FH_TRY(check_access(s, access));
    NEED(s, (hpfar & k->HPFAR_MASK) == hpfar, access->ipa, k->HPFAR_MASK);
    put_abort(access, regs);
    return FH_OK;
}

enum fh_status fh_scene_vm_fault(struct fh_state *s, const struct fh_scene_access *access,
                                 struct fh_ctxt_regs *regs)
{
    FH_TRY(check_access(s, access));
    put_abort(access, regs);
    regs->ec = s->profile->ARM_EXCEPTION_TRAP;
    return FH_OK;
}

/* --- Hypercalls ------------------------------------------------------------------------------- */

static const struct fh_abi_call *find_call(const struct fh_machine *machine, const char *name)
{
    for (; machine; machine = machine->extends) {
        const struct fh_abi *abi = machine->hypercalls;
        for (unsigned i = 0; abi && i < abi->ncalls; i++) {
            if (text_is_same(abi->calls[i].name, name))
                return &abi->calls[i];
        }
        if (abi)
            return NULL;
    }
    return NULL;
}

/* The argument of the call with this name; NULL if it has none, or not from a register. */
static const struct fh_abi_argument *find_argument(const struct fh_abi_call *call, const char *name)
{
    static const char *const of_run[] = {"vmid", "vcpuid"};
    const struct fh_function *function = call->function ? fh_function_find(call->function) : NULL;
    for (unsigned i = 0; i < call->narguments; i++) {
        const char *own = function && i < function->nargs     ? function->arg_names[i]
                          : call->kind == FH_ABI_run && i < 2 ? of_run[i]
                                                              : NULL;
        if (own && text_is_same(own, name))
            return call->arguments[i].source == FH_ABI_FROM_register ? &call->arguments[i] : NULL;
    }
    return NULL;
}

enum fh_status fh_scene_hypercall(struct fh_state *s, const char *name,
                                  const struct fh_scene_argument *arguments, size_t narguments,
                                  struct fh_ctxt_regs *regs)
{
    const struct fh_abi_call *call = find_call(fh_state_machine(s), name);
    if (!call) {
        s->error = (struct fh_error){.status = FH_UNKNOWN, .layer = FH_LAYER, .function = __func__};
        return FH_UNKNOWN;
    }
    memset(regs, 0, sizeof *regs);
    regs->x0 = call->number;
    for (size_t i = 0; i < narguments; i++) {
        const struct fh_abi_argument *argument = find_argument(call, arguments[i].name);
        const uint64_t value = arguments[i].value;
        NEED(s, argument != NULL, i);
        NEED(s, argument->bits == 64 || value <= UINT32_MAX, i, value);
        (&regs->x0)[argument->reg] = value;
    }
    return FH_OK;
}

/* --- Exits of VMs ----------------------------------------------------------------------------- */

void fh_scene_vm_exit(const struct fh_state *s, enum fh_scene_exit exit, struct fh_ctxt_regs *regs)
{
    const struct fh_profile *k = s->profile;
    const uint64_t classes[] = {[FH_SCENE_INTERRUPT] = 0,
                                [FH_SCENE_WFX] = k->ESR_ELx_EC_WFx,
                                [FH_SCENE_HVC64] = k->ESR_ELx_EC_HVC64,
                                [FH_SCENE_HVC32] = k->ESR_ELx_EC_HVC32,
                                [FH_SCENE_SYS64] = k->ESR_ELx_EC_SYS64};
    const struct fh_arm_esr esr = {.EC = classes[exit], .IL = 1};
    const bool is_interrupt = exit == FH_SCENE_INTERRUPT;
    memset(regs, 0, sizeof *regs);
    regs->ec = is_interrupt ? k->ARM_EXCEPTION_INTERRUPT : k->ARM_EXCEPTION_TRAP;
    regs->esr_el2 = is_interrupt ? 0 : fh_arm_esr_word(&esr);
}
