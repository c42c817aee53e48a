/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/overlay.h>

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
    .stop = stop_here,
    FH_FUNCTION_MAP(KC)
    FH_FUNCTION_MAP(BELOW)
};
/* clang-format on */
