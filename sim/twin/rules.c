/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "twin/twin_state.h"

/*
 * Rules beside the spec. What breaks one is either foreseen by an entry of the machine's catalogue,
 * or stays unexplained.
 */

static void break_rule(unsigned *broken, enum machine_breaks rule)
{
    *broken |= 1u << rule;
}

static bool is_flushed(const struct trace_line *line, size_t at)
{
    const struct trace_pt_store *store = &line->fx[at].pt_store;
    for (size_t i = at + 1; i < line->nfx; i++) {
        const struct trace_effect *effect = &line->fx[i];
        if (effect->kind == TRACE_tlbi && effect->tlbi.ipa == store->ipa)
            return true;
        if (effect->kind == TRACE_unlock && effect->unlock.vmid == store->vmid &&
            strcmp(effect->unlock.lock, "pt") == 0)
            return false;
    }
    return false;
}

static bool is_device(uint64_t pte)
{
    enum { MEMORY_ATTRIBUTES = 0xf << 2, DEVICE_nGnRE = 1 << 2 };
    return (pte & MEMORY_ATTRIBUTES) == DEVICE_nGnRE;
}

/* Where a leaf of a page or block becomes another one or none, the TLB is told before the table's
 * lock is given back. */
static void check_tlb(const struct twin *twin, const struct trace_line *line, unsigned *broken)
{
    const uint64_t page = twin->profile.PHYS_MASK & twin->profile.PAGE_MASK;
    const uint64_t table = twin->profile.PMD_TYPE_TABLE;
    for (size_t i = 0; i < line->nfx; i++) {
        const struct trace_pt_store *store = &line->fx[i].pt_store;
        if (line->fx[i].kind != TRACE_pt_store || (store->old & page) == 0 ||
            store->old == store->new)
            continue;
        const bool is_page = strcmp(store->level, "pte") == 0;
        const bool is_block = strcmp(store->level, "pmd") == 0 && (store->old & table) != table;
        if ((is_page || is_block) && !is_flushed(line, i))
            break_rule(broken, is_device(store->old) ? MACHINE_BREAKS_device_flush
                                                     : MACHINE_BREAKS_memory_flush);
    }
}

/* PSTATE: the modes below EL2, EL0t, EL1t and EL1h; bit 4 is set in those of AArch32. */
static bool is_below_el2(uint64_t pstate)
{
    const uint64_t mode = pstate & 31;
    return mode == 0 || mode == 4 || mode == 5 || mode >= 16;
}

/* An exception return leaves EL2. One that does not is an exception inside EL2 next. */
static void check_return(const struct trace_line *line, unsigned *broken)
{
    const bool has_changed = line->out.present >> TRACE_REG_spsr & 1;
    const uint64_t pstate =
        has_changed ? line->out.values[TRACE_REG_spsr] : line->in.values[TRACE_REG_spsr];
    if (line->kind == TRACE_KIND_el2_exception ||
        (line->to != TRACE_TO_el2_panic && !line->unfinished && !is_below_el2(pstate)))
        break_rule(broken, MACHINE_BREAKS_return_below);
}

/* A recorder that never writes what the TLB is told says nothing of it. */
static bool tells_of_tlb(const struct machine_description *machine)
{
    for (size_t i = 0; i < machine->nrules; i++) {
        const struct machine_rule *rule = &machine->rules[i];
        if (rule->kind == MACHINE_RULE_omits && rule->what.effect == TRACE_tlbi &&
            rule->what.count == 0)
            return false;
    }
    return true;
}

/*
 * The entry that foresees that the rule is broken: one that explains the trap anyhow, or else the
 * first that is not left out. False: there is none.
 */
static bool find_entry(const struct twin *twin, enum machine_breaks rule,
                       const struct credits *credits, unsigned *entry)
{
    bool is_found = false;
    for (unsigned i = 0; catalogue_at(twin->description, i); i++) {
        if (catalogue_at(twin->description, i)->breaks != rule || credits_has(&twin->left_out, i))
            continue;
        if (!is_found || credits_has(credits, i))
            *entry = i;
        is_found = true;
        if (credits_has(credits, i))
            break;
    }
    return is_found;
}

void twin_rule_broken(const struct twin *twin, enum machine_breaks rule,
                      const struct trace_effect *effect, struct trap_verdict *verdict)
{
    unsigned entry;
    if (find_entry(twin, rule, &verdict->credits, &entry))
        credits_add(&verdict->credits, entry);
    else
        differ(&verdict->found,
               &(struct difference){.machine = effect, .path = machine_breaks_words(rule)});
}

void twin_check_rules(const struct twin *twin, struct trap_verdict *verdict)
{
    unsigned broken = 0;
    if (tells_of_tlb(twin->description))
        check_tlb(twin, twin->line, &broken);
    check_return(twin->line, &broken);
    for (unsigned rule = 0; broken != 0 && rule < MACHINE_BREAKS_COUNT; rule++) {
        if (broken >> rule & 1)
            twin_rule_broken(twin, (enum machine_breaks)rule, NULL, verdict);
    }
}
