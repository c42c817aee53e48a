/* SPDX-License-Identifier: GPL-2.0-only */
#include "twin/twin_state.h"

#include "twin/watch.h"

/*
 * Which departures an invariant is broken by: those without which the trap, taken again from the
 * state before it, would not break it. The maps that invariants speak of are written beside the
 * model and are not taken back with a trap, so the state is marked before one that may break some.
 */

/* Does the record write what invariants look at? */
static bool may_break(const struct trace_line *line)
{
    for (size_t i = 0; i < line->nfx; i++) {
        switch (line->fx[i].kind) {
        case TRACE_s2_set:
        case TRACE_pt_store:
        case TRACE_smmu_pt_store:
        case TRACE_smmu_pt_clear:
        case TRACE_smmu_cfg_set:
        case TRACE_vm_set: return true;
        default: break;
        }
    }
    return false;
}

void twin_mark_before(struct twin *twin, const struct trap_verdict *verdict)
{
    twin->has_before = verdict->outcome == OUTCOME_EXPLAINED && may_break(twin->line);
    if (!twin->has_before)
        return;
    model_undo(twin->model);
    model_mark(twin->model, &twin->before);
    twin_take(twin, &twin->by_machine);
    model_asked(twin->model);
}

/* What the trap breaks with these departures. The model is left behind it. */
static uint32_t broken_with(struct twin *twin, const struct watch *watch,
                            const struct fh_departures *set)
{
    struct fh_invariant_report report;
    model_return(twin->model, &twin->before);
    model_depart(twin->model, set);
    twin_take(twin, &twin->other);
    twin_follow_maps(twin, twin->other.effects, twin->other.neffects);
    return watch_trap(watch, twin, &report);
}

static bool is_credited(const struct twin *twin, const struct trap_verdict *verdict,
                        unsigned departure, unsigned *entry)
{
    const char *id = fh_machine_departure(twin->code, departure);
    return fh_departs(&twin->machine, departure) && catalogue_find(twin->description, id, entry) &&
           credits_has(&verdict->credits, *entry);
}

/* With a departure those consequences of it that show in the trap. */
static void blame(const struct twin *twin, const struct trap_verdict *verdict, unsigned entry,
                  struct credits *blamed)
{
    const char *id = catalogue_at(twin->description, entry)->id;
    credits_add(blamed, entry);
    for (unsigned i = 0; catalogue_at(twin->description, i); i++) {
        if (credits_has(&verdict->credits, i) &&
            machine_entry_follows(catalogue_at(twin->description, i), id))
            credits_add(blamed, i);
    }
}

static void blame_for(const struct twin *twin, const struct trap_verdict *verdict, unsigned entry,
                      uint32_t healed, struct credits blamed[FH_INVARIANTS])
{
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (healed >> i & 1)
            blame(twin, verdict, entry, &blamed[i]);
    }
}

/* Each alone: what holds without it. Returns what is broken whichever one is away. */
static uint32_t blame_each(struct twin *twin, const struct watch *watch, uint32_t broken,
                           const struct trap_verdict *verdict, struct credits blamed[FH_INVARIANTS])
{
    uint32_t rest = broken;
    unsigned entry;
    for (unsigned i = 0; fh_machine_departure(twin->code, i); i++) {
        struct fh_departures less = twin->machine;
        if (!is_credited(twin, verdict, i, &entry))
            continue;
        fh_departures_remove(&less, i);
        const uint32_t healed = broken & ~broken_with(twin, watch, &less);
        blame_for(twin, verdict, entry, healed, blamed);
        rest &= ~healed;
    }
    return rest;
}

/* Together: those that are left when one after the other goes, as long as it stays broken. */
static void blame_together(struct twin *twin, const struct watch *watch, uint32_t broken,
                           const struct trap_verdict *verdict, struct credits blamed[FH_INVARIANTS])
{
    struct fh_departures set = twin->machine;
    unsigned entry;
    broken &= ~broken_with(twin, watch, &twin->none);
    for (unsigned i = 0; broken != 0 && fh_machine_departure(twin->code, i); i++) {
        struct fh_departures less = set;
        if (!is_credited(twin, verdict, i, &entry))
            continue;
        fh_departures_remove(&less, i);
        const uint32_t healed = broken & ~broken_with(twin, watch, &less);
        blame_for(twin, verdict, entry, healed, blamed);
        if (healed == 0)
            set = less;
    }
}

void twin_blame(struct twin *twin, const struct watch *watch, uint32_t broken,
                const struct trap_verdict *verdict, struct credits blamed[FH_INVARIANTS])
{
    for (unsigned i = 0; i < FH_INVARIANTS; i++)
        blamed[i] = (struct credits){{0}};
    if (broken == 0 || verdict->outcome != OUTCOME_EXPLAINED)
        return;
    if (!twin->has_before) {
        for (unsigned i = 0; i < FH_INVARIANTS; i++)
            blamed[i] = broken >> i & 1 ? verdict->credits : blamed[i];
        return;
    }
    struct model_mark after = {0};
    model_mark(twin->model, &after);
    const uint32_t rest = blame_each(twin, watch, broken, verdict, blamed);
    if (rest != 0)
        blame_together(twin, watch, rest, verdict, blamed);
    model_return(twin->model, &after);
    model_unmark(twin->model, &after);
    model_depart(twin->model, &twin->machine);
    model_asked(twin->model);
}
