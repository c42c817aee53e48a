/* SPDX-License-Identifier: GPL-2.0-only */
#include "security/invariants.h"

#include <string.h>

/*
 * The invariants after a step from a state in which all of them held. A rule that held at a place
 * can only break if something changed that it reads. Which places those are follows from the
 * invariants of the state before: docs/invariants.md has the argument.
 */
struct after {
    struct check check; /* the state after */
    const struct fh_rdata *before;
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

static bool visit_page(void *context, uint64_t pfn, const void *a, const void *b)
{
    struct after *after = context;
    const struct check *c = &after->check;
    const struct fh_s2page *was =
        value_or_fallback(a, &after->before->shared.s2page, type_of_s2page);
    const struct fh_s2page *is = value_or_fallback(b, &after->now->shared.s2page, type_of_s2page);
    host_s2_map_at(c, pfn, is);
    smmu_count_at(c, wide_add(pfn, c->k->SMMU_HOST_OFFSET));
    if (pfn == 0) {
        page_0_invalid(c);
        return true; /* a mapping to page 0 is no mapping */
    }
    /* host_flatmap: the host had it mapped at its own number or nowhere. */
    host_iso_at(c, pfn, entry_of(pt_of(after->now, c->k->HOSTVISOR), pfn));
    recheck_smmu_iso_of_page(after, was);
    recheck_vm_iso_of_page(after, was, is);
    return true;
}

/* --- Stage-2 tables ------------------------------------------------------------------------- */

static bool visit_host_entry(void *context, uint64_t gfn, const void *a, const void *b)
{
    const struct after *after = context;
    const struct check *c = &after->check;
    (void)a;
    const struct fh_pt_entry *entry =
        value_or_fallback(b, pt_of(after->now, c->k->HOSTVISOR), type_of_pt_entry);
    host_npt_cons_at(c, gfn, entry);
    host_flatmap_at(c, gfn, entry);
    host_iso_at(c, gfn, entry);
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

static bool visit_bank_entry(void *context, uint64_t gfn, const void *a, const void *b)
{
    const struct bank_walk *walk = context;
    const struct bank *bank = walk->bank;
    (void)a;
    const struct fh_spt_entry *entry = value_or_fallback(b, bank->table, type_of_spt_entry);
    spt_cons_at(walk->check, bank, gfn, entry);
    if (walk->is_bound)
        smmu_iso_at(walk->check, bank, gfn, entry);
    if (bank->vmid == walk->check->k->HOSTVISOR)
        smmu_count_at(walk->check, gfn);
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
