/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/overlay.h>

#include "machine/data.h"
#include "machine/overlay.h"

/* What overlays outside of the tree call. */

static bool ask_switch(struct fh_state *s, unsigned departure)
{
    return ask(s, departure);
}

static void tell(struct fh_state *s, const struct fh_effect *effect)
{
    if (s->env.observer && !s->adt->halt)
        s->env.observer(s->env.context, effect);
}

/* The state of a machine that has halted stays as it is. */
static enum fh_status set_register(struct fh_state *s, size_t offset, uint64_t value)
{
    void *record;
    if (s->adt->halt)
        return FH_OK;
    FH_TRY(own_ref(s, &s->adt->regs, type_of_ref_ctxt, &record));
    struct fh_ctxt *ctxt = record;
    return set_u64(s, (uint64_t *)(void *)((char *)&ctxt->ctxt_regs + offset), value);
}

static enum fh_status note(struct fh_state *s, unsigned kind, uint64_t a, uint64_t b,
                           uint64_t value)
{
    if (kind >= FH_NOTES)
        return stop(s, FH_INVALID_ARGUMENT, "overlay", "fh_note", "kind < FH_NOTES", "", NULL, 0);
    if (s->adt->halt)
        return FH_OK;
    return set_machine_number(s, (enum machine_kind)(MACHINE_NOTE + kind), a, b, value);
}

static uint64_t noted(const struct fh_state *s, unsigned kind, uint64_t a, uint64_t b)
{
    return kind < FH_NOTES ? machine_number(s, (enum machine_kind)(MACHINE_NOTE + kind), a, b) : 0;
}

static enum fh_status stop_here(struct fh_state *s, enum fh_status status, const char *layer,
                                const char *function, const char *condition)
{
    return stop(s, status, layer, function, condition, "", NULL, 0);
}

/* clang-format off */
#define KC_fixed_quiet(name) spec_##name
#define KC_fixed_told(name) dispatch_##name
#define KC_open_quiet(name) dispatch_##name
#define KC_open_told(name) dispatch_##name
#define KC_abi_quiet KC_open_quiet
#define KC_abi_told KC_open_told
#define KC(layer, name, hook, told, ret, n, ...) .kc_##name = KC_##hook##_##told(name),
#define BELOW_fixed(name)
#define BELOW_open(name) .below_##name = machine_##name,
#define BELOW_abi BELOW_open
#define BELOW(layer, name, hook, told, ret, n, ...) BELOW_##hook(name)

const struct fh_overlay_api fh_overlay_api = {
    .size = sizeof(struct fh_overlay_api),
    .profile = fh_state_profile,
    .rdata = fh_state_rdata,
    .ask = ask_switch,
    .tell = tell,
    .set_register = set_register,
    .note = note,
    .noted = noted,
    .stop = stop_here,
    FH_FUNCTION_MAP(KC)
    FH_FUNCTION_MAP(BELOW)
};
/* clang-format on */
