/* SPDX-License-Identifier: GPL-2.0-only */
#include "twin/twin_state.h"

#include <string.h>

#include "twin/watch.h"

/*
 * Which departures an invariant is broken by: those without which the trap, taken again from the
 * state before it, would not break it. The maps that invariants speak of are written beside the
 * model: one that may break some is held, so that it can be taken back with them.
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
        case TRACE_smmu_cfg_set: return true;
        case TRACE_vm_set:
            if (strcmp(line->fx[i].vm_set.field, "state") == 0)
                return true;
            break;
        default: break;
        }
    }
    return false;
}

void twin_hold(struct twin *twin, const struct trap_verdict *verdict)
{
    twin->is_held = verdict->outcome == OUTCOME_EXPLAINED && may_break(twin->line);
    if (!twin->is_held)
        model_settle(twin->model);
}

/* An explained trap, tried again from the state before it. */
struct trial {
    struct twin *twin;
    const struct watch *watch;
    const struct trap_verdict *verdict;
    struct model_mark before;
    struct credits *blamed; /* for each invariant */
};

/* What the trap breaks with these departures. The model is left behind it. */
static uint32_t broken_with(const struct trial *trial, const struct fh_departures *set)
{
    struct twin *twin = trial->twin;
    struct fh_invariant_report report;
    model_return(twin->model, &trial->before);
    model_depart(twin->model, set);
    twin_take(twin, &twin->other);
    twin_follow_maps(twin, twin->other.effects, twin->other.neffects);
    return watch_trap(trial->watch, twin, &report);
}

static bool is_credited(const struct trial *trial, unsigned departure, unsigned *entry)
{
    const struct twin *twin = trial->twin;
    const char *id = fh_machine_departure(twin->code, departure);
    return fh_departs(&twin->machine, departure) && catalogue_find(twin->description, id, entry) &&
           credits_has(&trial->verdict->credits, *entry);
}

/* With a departure those consequences of it that show in the trap. */
static void blame(const struct trial *trial, unsigned entry, struct credits *blamed)
{
    const struct machine_description *machine = trial->twin->description;
    credits_add(blamed, entry);
    for (unsigned i = 0; catalogue_at(machine, i); i++) {
        if (credits_has(&trial->verdict->credits, i) &&
            machine_entry_follows(catalogue_at(machine, i), catalogue_at(machine, entry)->id))
            credits_add(blamed, i);
    }
}

static void blame_for(const struct trial *trial, unsigned entry, uint32_t healed)
{
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (healed >> i & 1)
            blame(trial, entry, &trial->blamed[i]);
    }
}

/* Each alone: what holds without it. Returns what is broken whichever one is away. */
static uint32_t blame_each(const struct trial *trial, uint32_t broken)
{
    uint32_t rest = broken;
    unsigned entry;
    for (unsigned i = 0; fh_machine_departure(trial->twin->code, i); i++) {
        struct fh_departures less = trial->twin->machine;
        if (!is_credited(trial, i, &entry))
            continue;
        fh_departures_remove(&less, i);
        const uint32_t healed = broken & ~broken_with(trial, &less);
        blame_for(trial, entry, healed);
        rest &= ~healed;
    }
    return rest;
}

/* Together: those that are left when one after the other goes, as long as it stays broken. */
static void blame_together(const struct trial *trial, uint32_t broken)
{
    struct fh_departures set = trial->twin->machine;
    unsigned entry;
    broken &= ~broken_with(trial, &trial->twin->none);
    for (unsigned i = 0; broken != 0 && fh_machine_departure(trial->twin->code, i); i++) {
        struct fh_departures less = set;
        if (!is_credited(trial, i, &entry))
            continue;
        fh_departures_remove(&less, i);
        const uint32_t healed = broken & ~broken_with(trial, &less);
        blame_for(trial, entry, healed);
        if (healed == 0)
            set = less;
    }
}

static void try_all(struct trial *trial, uint32_t broken)
{
    struct model *model = trial->twin->model;
    struct model_mark after = {0};
    model_mark(model, &after);
    model_undo(model);
    model_mark(model, &trial->before);
    const uint32_t rest = blame_each(trial, broken);
    if (rest != 0)
        blame_together(trial, rest);
    model_return(model, &after);
    model_depart(model, &trial->twin->machine);
    model_asked(model);
    model_unmark(model, &trial->before);
    model_unmark(model, &after);
}

void twin_blame(struct twin *twin, const struct watch *watch, uint32_t broken,
                const struct trap_verdict *verdict, struct credits blamed[FH_INVARIANTS])
{
    struct trial trial = {.twin = twin, .watch = watch, .verdict = verdict, .blamed = blamed};
    const bool is_explained = verdict->outcome == OUTCOME_EXPLAINED;
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        const bool is_all = is_explained && !twin->is_held && (broken >> i & 1);
        blamed[i] = is_all ? verdict->credits : (struct credits){{0}};
    }
    if (broken != 0 && is_explained && twin->is_held)
        try_all(&trial, broken);
}
