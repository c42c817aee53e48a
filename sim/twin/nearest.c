/* SPDX-License-Identifier: GPL-2.0-only */
#include "twin/difference.h"
#include "twin/twin_state.h"

/* What nearly explains a trap: the departure without which, or with which, least is left. */

static bool panics(const struct prediction *prediction)
{
    for (size_t i = 0; i < prediction->neffects; i++) {
        if (prediction->effects[i].kind == TRACE_panic)
            return true;
    }
    return false;
}

static void try_without(struct twin *twin, unsigned departure, struct trap_verdict *verdict)
{
    struct differences found;
    struct fh_departures set = twin->machine;
    struct nearest_departure *nearest = &verdict->nearest;
    const bool is_on = fh_departs(&set, departure);
    if (is_on)
        fh_departures_remove(&set, departure);
    else
        fh_departures_add(&set, departure);
    twin_take_again(twin, &set, &twin->other, &found);
    if (found.count >= verdict->found.count || (nearest->id && found.count >= nearest->left))
        return;
    nearest->id = fh_machine_departure(twin->code, departure);
    nearest->is_left_out = !is_on;
    nearest->left = found.count;
    nearest->rest[0] = '\0';
    if (found.count > 0)
        difference_format(&found.list[0], "model", nearest->rest, sizeof nearest->rest);
}

void twin_find_nearest(struct twin *twin, const struct fh_departures *asked,
                       struct trap_verdict *verdict)
{
    if (panics(&twin->by_machine)) {
        const struct fh_panic panic = fh_state_panic(twin_state(twin));
        fh_panic_format(&panic, verdict->panic, sizeof verdict->panic);
    }
    struct differences found = {.count = 0};
    compare_prediction(twin->description, &twin->by_machine, twin->line, &found);
    if (found.count == 0) /* the record breaks a rule, or contradicts itself */
        return;
    for (unsigned i = 0; fh_machine_departure(twin->code, i); i++) {
        if (fh_departs(asked, i) || !fh_departs(&twin->machine, i))
            try_without(twin, i, verdict);
    }
    twin_take_as_machine(twin);
}
