/* SPDX-License-Identifier: GPL-2.0-only */
#include "security/invariants.h"

#include <string.h>

/*
 * The invariants after a step from a state in which all of them held. A rule that held at a place
 * can only break if something changed that it reads. Which places those are follows from the
 * invariants of the state before: docs/invariants.md has the argument.
 */
struct after {
    struct check check;            /* the state after */
    const struct fh_rdata *before; /* NULL: only places that changed are known */
    const struct fh_rdata *now;
    uint64_t vms_to_scan; /* bit vmid % 64: pages that this VM may map went to somebody else */
};

/* The two are one: nothing was written since. */
static bool unchanged(const struct fh_map *a, const struct fh_map *b)
{
    return a->root == b->root && a->fallback == b->fallback;
}

static bool same_fallback(const struct fh_map *a, const struct fh_map *b,
                          const struct fh_type *value)
{
    const void *x = fh_map_fallback(a, &value->as_value), *y = fh_map_fallback(b, &value->as_value);
    return x == y || memcmp(x, y, value->as_value.value_size) == 0;
}

static const void *value_or_fallback(const void *entry, const struct fh_map *map,
                                     const struct fh_type *value)
{
    return entry ? entry : fh_map_fallback(map, &value->as_value);
}

/* --- s2page --------------------------------------------------------------------------------- */

/*
 * Only the owner's banks had this page mapped, at its gfn: smmu_iso said so of every mapping that
 * is still the same. Banks that changed hands are visited elsewhere.
 */
static void recheck_smmu_iso_of_page(const struct after *after, const struct fh_s2page *was)
{
    const struct check *c = &after->check;
    for (uint64_t id = 0; id < nbanks(c->k); id++) {
        const struct bank bank = bank_of(c->k, after->now, id);
        if (bank.vmid == was->s2_owner && bank_is_bound(c->k, after->now, &bank))
            smmu_iso_at(c, &bank, was->s2_gfn, spt_entry_of(bank.table, was->s2_gfn));
    }
}

/*
 * vm_iso said that only its owner had this page mapped, or any VM if nobody owned it. It did not
 * say at which gfn.
 */
static void recheck_vm_iso_of_page(struct after *after, const struct fh_s2page *was,
                                   const struct fh_s2page *is)
{
    const struct fh_profile *k = after->check.k;
    if (is->s2_owner == was->s2_owner || is->s2_owner == k->INVALID)
        return;
    if (was->s2_owner == k->INVALID)
        after->vms_to_scan = UINT64_MAX;
    else if (is_vm(k, was->s2_owner))
        after->vms_to_scan |= (uint64_t)1 << was->s2_owner % 64;
}

static void recheck_page(struct after *after, uint64_t pfn, const struct fh_s2page *was,
                         const struct fh_s2page *is)
{
    const struct check *c = &after->check;
    host_s2_map_at(c, pfn, is);
    smmu_count_at(c, wide_add(pfn, c->k->SMMU_HOST_OFFSET));
    if (pfn == 0) {
        page_0_invalid(c);
        return; /* a mapping to page 0 is no mapping */
    }
    /* host_flatmap: the host had it mapped at its own number or nowhere. */
    host_iso_at(c, pfn, entry_of(pt_of(after->now, c->k->HOSTVISOR), pfn));
    recheck_smmu_iso_of_page(after, was);
    recheck_vm_iso_of_page(after, was, is);
}

static bool visit_page(void *context, uint64_t pfn, const void *a, const void *b)
{
    struct after *after = context;
    recheck_page(after, pfn, value_or_fallback(a, &after->before->shared.s2page, type_of_s2page),
                 value_or_fallback(b, &after->now->shared.s2page, type_of_s2page));
    return true;
}

/* --- Stage-2 tables ------------------------------------------------------------------------- */

static void recheck_host_entry(const struct check *c, uint64_t gfn, const struct fh_pt_entry *entry)
{
    host_npt_cons_at(c, gfn, entry);
    host_flatmap_at(c, gfn, entry);
    host_iso_at(c, gfn, entry);
}

static bool visit_host_entry(void *context, uint64_t gfn, const void *a, const void *b)
{
    const struct after *after = context;
    const struct check *c = &after->check;
    (void)a;
    recheck_host_entry(c, gfn,
                       value_or_fallback(b, pt_of(after->now, c->k->HOSTVISOR), type_of_pt_entry));
    return true;
}

static void recheck_host(struct after *after)
{
    const struct check *c = &after->check;
    const struct fh_map *was = pt_of(after->before, c->k->HOSTVISOR);
    const struct fh_map *is = pt_of(after->now, c->k->HOSTVISOR);
    if (!same_fallback(was, is, type_of_pt_entry)) {
        host_npt_cons(c);
        host_flatmap(c);
        host_iso(c);
        return;
    }
    fh_map_diff(was, is, &type_of_pt_entry->as_value, visit_host_entry, after);
}

struct vm_walk {
    const struct check *check;
    uint64_t vmid;
    const struct fh_map *pt;
};

static bool visit_vm_entry(void *context, uint64_t gfn, const void *a, const void *b)
{
    const struct vm_walk *vm = context;
    (void)a;
    vm_iso_at(vm->check, vm->vmid, gfn, value_or_fallback(b, vm->pt, type_of_pt_entry));
    return true;
}

static void recheck_vm(const struct after *after, uint64_t vmid)
{
    const struct check *c = &after->check;
    const struct fh_map *was = pt_of(after->before, vmid), *is = pt_of(after->now, vmid);
    if (!vm_is_bound(c->k, after->now, vmid))
        return;
    if ((after->vms_to_scan >> vmid % 64 & 1) || !vm_is_bound(c->k, after->before, vmid) ||
        !same_fallback(was, is, type_of_pt_entry)) {
        vm_iso_of_vm(c, vmid);
        return;
    }
    struct vm_walk vm = {c, vmid, is};
    fh_map_diff(was, is, &type_of_pt_entry->as_value, visit_vm_entry, &vm);
}

/* --- SMMUs ---------------------------------------------------------------------------------- */

struct bank_walk {
    const struct check *check;
    const struct bank *bank;
    bool is_bound;
};

static void recheck_bank_entry(const struct bank_walk *walk, uint64_t gfn,
                               const struct fh_spt_entry *entry)
{
    spt_cons_at(walk->check, walk->bank, gfn, entry);
    if (walk->is_bound)
        smmu_iso_at(walk->check, walk->bank, gfn, entry);
    if (walk->bank->vmid == walk->check->k->HOSTVISOR)
        smmu_count_at(walk->check, gfn);
}

static bool visit_bank_entry(void *context, uint64_t gfn, const void *a, const void *b)
{
    const struct bank_walk *walk = context;
    (void)a;
    recheck_bank_entry(walk, gfn, value_or_fallback(b, walk->bank->table, type_of_spt_entry));
    return true;
}

/* smmu_count at the pages that a bank newly counts for. */
static void recheck_smmu_count_of_bank(const struct check *c, const struct bank *bank)
{
    if (spt_fallback(bank->table)->pfn != 0) {
        smmu_count(c);
        return;
    }
    uint64_t gfn = 0;
    while (fh_map_next(bank->table, &type_of_spt_entry->as_value, &gfn)) {
        smmu_count_at(c, gfn);
        if (gfn++ == UINT64_MAX)
            return;
    }
}

static void recheck_bank(const struct after *after, uint64_t id)
{
    const struct check *c = &after->check;
    const struct bank was = bank_of(c->k, after->before, id), is = bank_of(c->k, after->now, id);
    const bool changed_hands = was.vmid != is.vmid;
    const bool same_default = same_fallback(was.table, is.table, type_of_spt_entry);
    struct bank_walk walk = {c, &is, bank_is_bound(c->k, after->now, &is)};

    if (changed_hands)
        smmu_vm_at(c, &is);
    if (!same_default)
        spt_cons_of_bank(c, &is);
    fh_map_diff(was.table, is.table, &type_of_spt_entry->as_value, visit_bank_entry, &walk);
    if (walk.is_bound &&
        (changed_hands || !same_default || !bank_is_bound(c->k, after->before, &was)))
        smmu_iso_of_bank(c, &is);
    if (is.vmid == c->k->HOSTVISOR && (changed_hands || !same_default))
        recheck_smmu_count_of_bank(c, &is);
}

/* --- All ------------------------------------------------------------------------------------ */

static void recheck_all(struct after *after)
{
    const struct check *c = &after->check;
    const struct fh_shared *was = &after->before->shared, *is = &after->now->shared;
    const bool same_vms = unchanged(&was->vminfos, &is->vminfos);
    fh_map_diff(&was->s2page, &is->s2page, &type_of_s2page->as_value, visit_page, after);
    recheck_host(after);
    if (!same_vms || !unchanged(&was->npts, &is->npts) || after->vms_to_scan != 0) {
        for (uint64_t vmid = c->k->HOSTVISOR + 1; vmid < c->k->COREVISOR; vmid++)
            recheck_vm(after, vmid);
    }
    if (!same_vms || was->spts != is->spts || !unchanged(&was->smmu_vmid, &is->smmu_vmid)) {
        for (uint64_t id = 0; id < nbanks(c->k); id++)
            recheck_bank(after, id);
    }
    check_cpu(c);
}

uint32_t fh_check_invariants_after(const struct fh_state *s, const struct fh_rdata *before,
                                   struct fh_invariant_report *report)
{
    struct fh_invariant_report own;
    struct after after = {
        .check = {s->profile, s->adt, report ? report : &own}, .before = before, .now = s->adt};
    memset(after.check.report, 0, sizeof *after.check.report);
    /* A step that changes what all pages are by default changes every page. */
    if (!same_fallback(&before->shared.s2page, &s->adt->shared.s2page, type_of_s2page))
        check_all(&after.check);
    else
        recheck_all(&after);
    return after.check.report->broken;
}

/* --- At places ------------------------------------------------------------------------------ */

static void recheck_bank_owner(const struct check *c, uint64_t id)
{
    if (id >= nbanks(c->k))
        return;
    const struct bank bank = bank_of(c->k, c->adt, id);
    smmu_vm_at(c, &bank);
    if (bank_is_bound(c->k, c->adt, &bank))
        smmu_iso_of_bank(c, &bank);
    if (bank.vmid == c->k->HOSTVISOR)
        recheck_smmu_count_of_bank(c, &bank);
}

/* Its state changed: now its mappings may be bound. */
static void recheck_bound_vm(const struct check *c, uint64_t vmid)
{
    if (!vm_is_bound(c->k, c->adt, vmid))
        return;
    vm_iso_of_vm(c, vmid);
    for (uint64_t id = 0; id < nbanks(c->k); id++) {
        const struct bank bank = bank_of(c->k, c->adt, id);
        if (bank.vmid == vmid)
            smmu_iso_of_bank(c, &bank);
    }
}

static void recheck_mapping(const struct check *c, uint64_t vmid, uint64_t gfn)
{
    const struct fh_pt_entry *entry = entry_of(pt_of(c->adt, vmid), gfn);
    if (vmid == c->k->HOSTVISOR)
        recheck_host_entry(c, gfn, entry);
    else if (vm_is_bound(c->k, c->adt, vmid))
        vm_iso_at(c, vmid, gfn, entry);
}

static void recheck_smmu_mapping(const struct check *c, uint64_t id, uint64_t gfn)
{
    if (id >= nbanks(c->k))
        return;
    const struct bank bank = bank_of(c->k, c->adt, id);
    const struct bank_walk walk = {c, &bank, bank_is_bound(c->k, c->adt, &bank)};
    recheck_bank_entry(&walk, gfn, spt_entry_of(bank.table, gfn));
}

static void recheck_place(struct after *after, const struct fh_place *place)
{
    const struct check *c = &after->check;
    switch (place->kind) {
    case FH_PLACE_PAGE:
        recheck_page(after, place->key, &place->was, page_of(after->now, place->key));
        break;
    case FH_PLACE_MAPPING: recheck_mapping(c, place->owner, place->key); break;
    case FH_PLACE_VM: recheck_bound_vm(c, place->owner); break;
    case FH_PLACE_SMMU_MAPPING: recheck_smmu_mapping(c, place->owner, place->key); break;
    case FH_PLACE_BANK: recheck_bank_owner(c, place->owner); break;
    }
}

uint32_t fh_check_invariants_at(const struct fh_state *s, const struct fh_place *places,
                                size_t count, struct fh_invariant_report *report)
{
    struct fh_invariant_report own;
    struct after after = {.check = {s->profile, s->adt, report ? report : &own}, .now = s->adt};
    const struct check *c = &after.check;
    memset(c->report, 0, sizeof *c->report);
    for (size_t i = 0; i < count; i++)
        recheck_place(&after, &places[i]);
    for (uint64_t vmid = c->k->HOSTVISOR + 1; after.vms_to_scan && vmid < c->k->COREVISOR; vmid++) {
        if ((after.vms_to_scan >> vmid % 64 & 1) && vm_is_bound(c->k, after.now, vmid))
            vm_iso_of_vm(c, vmid);
    }
    check_cpu(c);
    return c->report->broken;
}
