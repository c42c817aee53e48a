/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/foreign_model.h"

#include <faulthandler/faulthandler.h>

#include <stdlib.h>

#include "base/diag.h"

/* The VM whose exits the model takes. */
enum { VMID = 1, VCPUID = 0, CALL_REGISTERS = 4 };

struct foreign_model {
    struct fh_state *state;
    const struct fh_rdata *base;
    const char *handler; /* the last one that was called */
    bool has_panicked;
};

static void observe(void *context, const struct fh_effect *effect)
{
    struct foreign_model *model = context;
    if (effect->kind == FH_EFFECT_PANIC)
        model->has_panicked = true;
    else if (effect->kind == FH_EFFECT_CALL && effect->values[0] == FH_CALLED_core_handle_pvops)
        model->handler = "core_handle_pvops";
    else if (effect->kind == FH_EFFECT_SKIP_INSTR)
        model->handler = "core_handle_sys64";
}

static _Noreturn void give_up(const char *what)
{
    diag_plain("%s", what);
    exit(EXIT_BAD_INPUT);
}

struct foreign_model *foreign_model_new(void)
{
    struct foreign_model *model = calloc(1, sizeof *model);
    if (!model)
        give_up("out of memory");
    const struct fh_environment environment = {.context = model, .observer = observe};
    const struct fh_config config = {.profile = &fh_profile_sekvm_4_18,
                                     .allocator = fh_malloc_allocator(),
                                     .environment = &environment,
                                     .log_policy = FH_LOG_SUMMARY};
    model->state = fh_state_new(&config);
    if (!model->state || fh_set_per_cpu(model->state, VMID, VCPUID) != FH_OK)
        give_up("the model has no state for a VM");
    model->base = fh_state_snapshot(model->state);
    return model;
}

void foreign_model_free(struct foreign_model *model)
{
    if (!model)
        return;
    fh_snapshot_release(model->base, fh_malloc_allocator());
    fh_state_free(model->state);
    free(model);
}

uint32_t model_access_size(struct foreign_model *model, uint32_t esr)
{
    uint32_t size = 0;
    fh_host_dabt_get_as(model->state, esr, &size);
    return size;
}

bool model_is_write(struct foreign_model *model, uint32_t esr)
{
    uint32_t is_write = 0;
    fh_host_dabt_is_write(model->state, esr, &is_write);
    return is_write;
}

uint64_t model_fault_address(struct foreign_model *model, uint64_t hpfar, uint64_t far)
{
    const struct fh_profile *k = fh_state_profile(model->state);
    uint64_t address = 0;
    fh_state_edit_regs(model->state)->ctxt_regs.far_el2 = far;
    fh_host_get_fault_ipa(model->state, (hpfar & k->HPFAR_MASK) << 8, &address);
    return address;
}

static void set_registers(struct foreign_model *model, uint32_t class, const uint64_t *x)
{
    const struct fh_profile *k = fh_state_profile(model->state);
    const uint64_t registers[CALL_REGISTERS] = {k->X0, k->X1, k->X2, k->X3};
    fh_set_shadow_ctxt(model->state, VMID, VCPUID, (uint32_t)k->ESR_EL2,
                       (uint64_t) class << k->ESR_ELx_EC_SHIFT);
    for (unsigned i = 0; x && i < CALL_REGISTERS; i++)
        fh_set_shadow_ctxt(model->state, VMID, VCPUID, (uint32_t)registers[i], x[i]);
}

struct model_exit model_exit(struct foreign_model *model, bool is_trap, uint32_t class,
                             const uint64_t *x)
{
    if (!is_trap)
        return (struct model_exit){NULL, "to the host"};
    uint32_t result = 0;
    model->handler = NULL;
    model->has_panicked = false;
    set_registers(model, class, x);
    const enum fh_status status = fh_vm_exit_dispatcher(model->state, VMID, VCPUID, &result);
    fh_state_restore(model->state, model->base);
    if (model->has_panicked)
        return (struct model_exit){model->handler, "panics"};
    if (status != FH_OK)
        return (struct model_exit){model->handler, "the spec is undefined"};
    return (struct model_exit){model->handler, result == 0 ? "back to the VM" : "to the host"};
}
