/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include <faulthandler/rules.h>

#include "twin/twin_state.h"

/*
 * Rules beside the spec. What breaks one is either foreseen by an entry of the machine's catalogue,
 * or stays unexplained.
 */

static void break_rule(unsigned *broken, enum machine_breaks rule)
{
    *broken |= 1u << rule;
}

static bool is_device(uint64_t pte)
{
    enum { MEMORY_ATTRIBUTES = 0xf << 2, DEVICE_nGnRE = 1 << 2 };
    return (pte & MEMORY_ATTRIBUTES) == DEVICE_nGnRE;
}

/* A word of a table that maps a page or block. */
static bool is_leaf(const struct twin *twin, const struct trace_pt_store *store)
{
    const uint64_t table = twin->profile.PMD_TYPE_TABLE;
    return strcmp(store->level, "pte") == 0 ||
           (strcmp(store->level, "pmd") == 0 && (store->old & table) != table);
}

static void see(struct fh_rules *rules, struct fh_effect effect)
{
    fh_rules_see(rules, &effect);
}

/* A record of a TLBI does not say whose translation it was: that of the table last written to. */
static void see_recorded(const struct twin *twin, const struct trace_line *line, bool of_devices,
                         struct fh_rules *rules)
{
    uint64_t vmid = 0;
    for (size_t i = 0; i < line->nfx; i++) {
        const struct trace_effect *effect = &line->fx[i];
        const struct trace_pt_store *store = &effect->pt_store;
        if (effect->kind == TRACE_pt_store) {
            vmid = store->vmid;
            if (is_leaf(twin, store) && is_device(store->old) == of_devices)
                see(rules,
                    (struct fh_effect){.kind = FH_EFFECT_NPT_SET,
                                       .values = {vmid, store->ipa, 0, store->new, 0, store->old}});
        } else if (effect->kind == TRACE_tlbi) {
            see(rules,
                (struct fh_effect){.kind = FH_EFFECT_TLBI, .values = {vmid, effect->tlbi.ipa}});
        } else if (effect->kind == TRACE_unlock && strcmp(effect->unlock.lock, "pt") == 0) {
            see(rules, (struct fh_effect){.kind = FH_EFFECT_UNLOCK,
                                          .values = {twin->profile.NPT_ID + effect->unlock.vmid}});
        }
    }
    fh_rules_end(rules);
}

/*
 * The rules of rules.h about tables and the TLB, for what was mapped as a device and for memory: a
 * catalogue tells them apart. A leaf of which the TLB is never told breaks break-before-make too;
 * that is said where the TLB is told, but late.
 */
static void check_tlb(const struct twin *twin, const struct trace_line *line, bool of_devices,
                      unsigned *broken)
{
    struct fh_rules rules;
    fh_rules_begin(&rules, &twin->profile);
    see_recorded(twin, line, of_devices, &rules);
    if (rules.broken >> FH_RULE_INVALIDATE & 1)
        break_rule(broken, of_devices ? MACHINE_BREAKS_device_flush : MACHINE_BREAKS_memory_flush);
    else if (rules.broken >> FH_RULE_BREAK_BEFORE_MAKE & 1)
        break_rule(broken, MACHINE_BREAKS_break_before_make);
}

static bool writes_tables(const struct trace_line *line)
{
    for (size_t i = 0; i < line->nfx; i++) {
        if (line->fx[i].kind == TRACE_pt_store)
            return true;
    }
    return false;
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
    unsigned entry = 0;
    if (find_entry(twin, rule, &verdict->credits, &entry))
        credits_add(&verdict->credits, entry);
    else
        differ(&verdict->found,
               &(struct difference){.machine = effect, .path = machine_breaks_words(rule)});
}

void twin_check_rules(const struct twin *twin, struct trap_verdict *verdict)
{
    unsigned broken = 0;
    if (writes_tables(twin->line) && tells_of_tlb(twin->description)) {
        check_tlb(twin, twin->line, false, &broken);
        check_tlb(twin, twin->line, true, &broken);
    }
    check_return(twin->line, &broken);
    for (unsigned rule = 0; broken != 0 && rule < MACHINE_BREAKS_COUNT; rule++) {
        if (broken >> rule & 1)
            twin_rule_broken(twin, (enum machine_breaks)rule, NULL, verdict);
    }
}
