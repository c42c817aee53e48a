/* SPDX-License-Identifier: GPL-2.0-only */
#include "security/invariants.h"

#include <string.h>

/*
 * A walk over a total map: all keys with an entry and the first two without one, in order. That
 * decides a rule at every key: what a rule demands depends on the key through one equation at most
 * (gfn = pfn, s2_gfn = pfn + offset, gfn = s2_gfn), which a given value fulfils at one key or none.
 * So if the default breaks the rule at any key, it breaks it at one of any two.
 */
struct places {
    const struct fh_map *map;
    const struct fh_map_type *type;
    uint64_t next;
    unsigned defaults; /* keys without an entry, still to visit */
    bool ended;
    uint64_t key;
    const void *value;
};

static struct places places_of(const struct fh_map *map, const struct fh_type *value)
{
    return (struct places){.map = map, .type = &value->as_value, .defaults = 2};
}

static bool next_place(struct places *p)
{
    if (p->ended)
        return false;
    p->key = p->next;
    if (p->defaults > 0) {
        p->value = fh_map_find(p->map, p->type, p->key);
        if (!p->value) {
            p->value = fh_map_fallback(p->map, p->type);
            p->defaults--;
        }
    } else {
        p->value = fh_map_next(p->map, p->type, &p->key);
    }
    p->next = p->key + 1;
    p->ended = !p->value || p->key == UINT64_MAX;
    return p->value != NULL;
}

/* --- Witnesses ------------------------------------------------------------------------------ */

static bool comes_before(const struct fh_witness *a, const struct fh_witness *b)
{
    for (unsigned i = 0; i < FH_WITNESS_VALUES; i++) {
        if (a->values[i] != b->values[i])
            return a->values[i] < b->values[i];
    }
    return false;
}

/* Note a witness, unless an earlier place is noted already. Returns false: the rule is broken. */
static bool note(const struct check *c, enum fh_invariant id, struct fh_witness witness)
{
    struct fh_invariant_report *report = c->report;
    const uint32_t bit = (uint32_t)1 << id;
    if (!(report->broken & bit) || comes_before(&witness, &report->witness[id]))
        report->witness[id] = witness;
    report->broken |= bit;
    return false;
}

#define BROKEN(c, name, ...)                                                                       \
    note(c, FH_INVARIANT_##name, (struct fh_witness){{__VA_ARGS__}, (c)->k})

/* --- Invs.v: shared_inv --------------------------------------------------------------------- */

struct bank bank_of(const struct fh_profile *k, const struct fh_rdata *adt, uint64_t id)
{
    struct bank bank = {.index = id / k->SMMU_NUM_CTXT_BANKS, .cbndx = id % k->SMMU_NUM_CTXT_BANKS};
    const struct fh_spt *spt = fh_ref_record(type_of_ref_spt, &adt->shared.spts);
    bank.vmid = *(const uint64_t *)fh_map_get(&adt->shared.smmu_vmid,
                                              &type_of_vmid_or_invalid->as_value, id);
    bank.table =
        fh_map_get(&spt->spt_pt, &type_of_map_spt->as_value, smmu_ttbr(k, bank.index, bank.cbndx));
    return bank;
}

bool spt_cons_at(const struct check *c, const struct bank *bank, uint64_t gfn,
                 const struct fh_spt_entry *entry)
{
    return entry->pfn == phys_page(c->k, entry->pte) / c->k->PAGE_SIZE ||
           BROKEN(c, spt_cons, bank->index, bank->cbndx, gfn, entry->pfn, entry->pte);
}

bool host_npt_cons_at(const struct check *c, uint64_t gfn, const struct fh_pt_entry *entry)
{
    return entry->pfn == phys_page(c->k, entry->pte) / c->k->PAGE_SIZE ||
           BROKEN(c, host_npt_cons, gfn, entry->pfn, entry->level, entry->pte);
}

bool host_flatmap_at(const struct check *c, uint64_t gfn, const struct fh_pt_entry *entry)
{
    return entry->pfn == 0 || entry->pfn == gfn ||
           BROKEN(c, host_flatmap, gfn, entry->pfn, entry->level, entry->pte);
}

bool host_s2_map_at(const struct check *c, uint64_t pfn, const struct fh_s2page *page)
{
    return page->s2_owner != c->k->HOSTVISOR ||
           page->s2_gfn == wide_add(pfn, c->k->SMMU_HOST_OFFSET) ||
           BROKEN(c, host_s2_map, pfn, page->s2_owner, page->s2_count, page->s2_gfn);
}

bool page_0_invalid(const struct check *c)
{
    const struct fh_s2page *page = page_of(c->adt, 0);
    return page->s2_owner == c->k->INVALID ||
           BROKEN(c, page_0_invalid, 0, page->s2_owner, page->s2_count, page->s2_gfn);
}

bool host_iso_at(const struct check *c, uint64_t gfn, const struct fh_pt_entry *entry)
{
    if (entry->pfn == 0)
        return true;
    const struct fh_s2page *page = page_of(c->adt, entry->pfn);
    return page->s2_owner == c->k->INVALID || page->s2_owner == c->k->HOSTVISOR ||
           page->s2_count > 0 ||
           BROKEN(c, host_iso, gfn, entry->pfn, entry->level, entry->pte, page->s2_owner,
                  page->s2_count);
}

bool vm_iso_at(const struct check *c, uint64_t vmid, uint64_t gfn, const struct fh_pt_entry *entry)
{
    if (entry->pfn == 0)
        return true;
    const struct fh_s2page *page = page_of(c->adt, entry->pfn);
    return page->s2_owner == c->k->INVALID || page->s2_owner == vmid ||
           BROKEN(c, vm_iso, vmid, gfn, entry->pfn, entry->level, entry->pte, page->s2_owner,
                  vm_state_of(c->adt, vmid));
}

bool smmu_vm_at(const struct check *c, const struct bank *bank)
{
    return bank->vmid == c->k->INVALID || bank->vmid == c->k->HOSTVISOR ||
           is_vm(c->k, bank->vmid) || BROKEN(c, smmu_vm, bank->index, bank->cbndx, bank->vmid);
}

bool smmu_iso_at(const struct check *c, const struct bank *bank, uint64_t gfn,
                 const struct fh_spt_entry *entry)
{
    if (entry->pfn == 0)
        return true;
    const struct fh_s2page *page = page_of(c->adt, entry->pfn);
    return (page->s2_owner == bank->vmid && page->s2_gfn == gfn) ||
           BROKEN(c, smmu_iso, bank->index, bank->cbndx, gfn, entry->pfn, entry->pte, bank->vmid,
                  page->s2_owner, page->s2_gfn);
}

/* Invs.v: count_smmu_map. The banks of the host that map gfn, to whatever page. */
static uint64_t count_smmu_map(const struct check *c, wide gfn)
{
    uint64_t mapped = 0;
    for (uint64_t id = 0; id < c->k->EL2_SMMU_CFG_SIZE; id++) {
        const struct bank bank = bank_of(c->k, c->adt, id);
        if (bank.vmid != c->k->HOSTVISOR)
            continue;
        const struct fh_spt_entry *entry =
            is_int64(gfn) ? spt_entry_of(bank.table, (uint64_t)gfn) : spt_fallback(bank.table);
        mapped += entry->pfn != 0;
    }
    return mapped;
}

bool smmu_count_at(const struct check *c, wide gfn)
{
    /* Below the offset lie the gfns of pages with negative numbers, which have no entries. */
    const uint64_t pfn = (uint64_t)(gfn - c->k->SMMU_HOST_OFFSET);
    const struct fh_s2page *page =
        gfn >= c->k->SMMU_HOST_OFFSET
            ? page_of(c->adt, pfn)
            : fh_map_fallback(&c->adt->shared.s2page, &type_of_s2page->as_value);
    if (page->s2_owner != c->k->HOSTVISOR)
        return true;
    const uint64_t mapped = count_smmu_map(c, gfn);
    return page->s2_count >= mapped || BROKEN(c, smmu_count, pfn, page->s2_count, mapped);
}

/* --- Rules at every place ------------------------------------------------------------------- */

bool spt_cons_of_bank(const struct check *c, const struct bank *bank)
{
    struct places p = places_of(bank->table, type_of_spt_entry);
    while (next_place(&p)) {
        if (!spt_cons_at(c, bank, p.key, p.value))
            return false;
    }
    return true;
}

static bool spt_cons(const struct check *c)
{
    for (uint64_t id = 0; id < nbanks(c->k); id++) {
        const struct bank bank = bank_of(c->k, c->adt, id);
        if (!spt_cons_of_bank(c, &bank))
            return false;
    }
    return true;
}

/* A rule of the host's table, at every gfn. */
static bool at_every_host_gfn(const struct check *c, bool (*rule)(const struct check *, uint64_t,
                                                                  const struct fh_pt_entry *))
{
    struct places p = places_of(pt_of(c->adt, c->k->HOSTVISOR), type_of_pt_entry);
    while (next_place(&p)) {
        if (!rule(c, p.key, p.value))
            return false;
    }
    return true;
}

bool host_npt_cons(const struct check *c)
{
    return at_every_host_gfn(c, host_npt_cons_at);
}

bool host_flatmap(const struct check *c)
{
    return at_every_host_gfn(c, host_flatmap_at);
}

bool host_iso(const struct check *c)
{
    return at_every_host_gfn(c, host_iso_at);
}

static bool host_s2_map(const struct check *c)
{
    struct places p = places_of(&c->adt->shared.s2page, type_of_s2page);
    while (next_place(&p)) {
        if (!host_s2_map_at(c, p.key, p.value))
            return false;
    }
    return true;
}

bool vm_iso_of_vm(const struct check *c, uint64_t vmid)
{
    struct places p = places_of(pt_of(c->adt, vmid), type_of_pt_entry);
    while (next_place(&p)) {
        if (!vm_iso_at(c, vmid, p.key, p.value))
            return false;
    }
    return true;
}

static bool vm_iso(const struct check *c)
{
    for (uint64_t vmid = c->k->HOSTVISOR + 1; vmid < c->k->COREVISOR; vmid++) {
        if (vm_is_bound(c->k, c->adt, vmid) && !vm_iso_of_vm(c, vmid))
            return false;
    }
    return true;
}

static bool smmu_vm(const struct check *c)
{
    for (uint64_t id = 0; id < nbanks(c->k); id++) {
        const struct bank bank = bank_of(c->k, c->adt, id);
        if (!smmu_vm_at(c, &bank))
            return false;
    }
    return true;
}

bool smmu_iso_of_bank(const struct check *c, const struct bank *bank)
{
    struct places p = places_of(bank->table, type_of_spt_entry);
    while (next_place(&p)) {
        if (!smmu_iso_at(c, bank, p.key, p.value))
            return false;
    }
    return true;
}

static bool smmu_iso(const struct check *c)
{
    for (uint64_t id = 0; id < nbanks(c->k); id++) {
        const struct bank bank = bank_of(c->k, c->adt, id);
        if (bank_is_bound(c->k, c->adt, &bank) && !smmu_iso_of_bank(c, &bank))
            return false;
    }
    return true;
}

/* Does any table of the host's banks have an entry at gfn? */
static bool host_banks_have_entry(const struct check *c, wide gfn)
{
    for (uint64_t id = 0; id < c->k->EL2_SMMU_CFG_SIZE; id++) {
        const struct bank bank = bank_of(c->k, c->adt, id);
        if (bank.vmid == c->k->HOSTVISOR && is_int64(gfn) &&
            fh_map_find(bank.table, &type_of_spt_entry->as_value, (uint64_t)gfn))
            return true;
    }
    return false;
}

/*
 * smmu_count where the default of s2page stands, if that makes pages the host's: at the gfns that
 * the host's banks have entries for, and at one page that has an entry nowhere, for all of those
 * are alike. The first such page is the smallest, as a witness has to be.
 */
static void smmu_count_of_defaults(const struct check *c)
{
    for (uint64_t id = 0; id < c->k->EL2_SMMU_CFG_SIZE; id++) {
        const struct bank bank = bank_of(c->k, c->adt, id);
        struct places p = places_of(bank.table, type_of_spt_entry);
        while (bank.vmid == c->k->HOSTVISOR && next_place(&p))
            smmu_count_at(c, p.key);
    }
    uint64_t pfn = 0;
    while (fh_map_find(&c->adt->shared.s2page, &type_of_s2page->as_value, pfn) ||
           host_banks_have_entry(c, wide_add(pfn, c->k->SMMU_HOST_OFFSET)))
        pfn++;
    smmu_count_at(c, wide_add(pfn, c->k->SMMU_HOST_OFFSET));
}

bool smmu_count(const struct check *c)
{
    struct places p = places_of(&c->adt->shared.s2page, type_of_s2page);
    while (next_place(&p) && smmu_count_at(c, wide_add(p.key, c->k->SMMU_HOST_OFFSET)))
        ;
    const struct fh_s2page *fallback = fh_map_fallback(p.map, p.type);
    if (fallback->s2_owner == c->k->HOSTVISOR)
        smmu_count_of_defaults(c);
    return !(c->report->broken >> FH_INVARIANT_smmu_count & 1);
}

/* --- Invs.v: state_inv ---------------------------------------------------------------------- */

static bool curid_range(const struct check *c)
{
    return is_vcpu(c->k, c->adt->curid) || BROKEN(c, curid_range, c->adt->curid);
}

static bool cur_vmid_range(const struct check *c)
{
    return is_vmid(c->k, c->adt->cur_vmid) || BROKEN(c, cur_vmid_range, c->adt->cur_vmid);
}

static bool cur_vcpuid_range(const struct check *c)
{
    const int64_t vcpuid = c->adt->cur_vcpuid;
    return (vcpuid >= 0 && is_vcpu(c->k, (uint64_t)vcpuid)) ||
           BROKEN(c, cur_vcpuid_range, (uint64_t)vcpuid);
}

static bool valid_host_vmid(const struct check *c)
{
    const struct fh_rdata *adt = c->adt;
    return !adt->ihost || adt->icore || adt->cur_vmid == c->k->HOSTVISOR ||
           BROKEN(c, valid_host_vmid, adt->cur_vmid, adt->ihost, adt->icore);
}

/* The vCPU of the host and of the core has the number of the CPU. */
static bool vcpu_is_cpu(const struct fh_rdata *adt)
{
    return adt->cur_vcpuid >= 0 && (uint64_t)adt->cur_vcpuid == adt->curid;
}

static bool valid_host_vcpuid(const struct check *c)
{
    const struct fh_rdata *adt = c->adt;
    return adt->cur_vmid != c->k->HOSTVISOR || vcpu_is_cpu(adt) ||
           BROKEN(c, valid_host_vcpuid, adt->cur_vmid, (uint64_t)adt->cur_vcpuid, adt->curid);
}

static bool valid_core_vcpuid(const struct check *c)
{
    const struct fh_rdata *adt = c->adt;
    return adt->cur_vmid != c->k->COREVISOR || vcpu_is_cpu(adt) ||
           BROKEN(c, valid_core_vcpuid, adt->cur_vmid, (uint64_t)adt->cur_vcpuid, adt->curid);
}

static bool valid_vm_vmid(const struct check *c)
{
    const struct fh_rdata *adt = c->adt;
    return adt->ihost || adt->icore || is_vm(c->k, adt->cur_vmid) ||
           BROKEN(c, valid_vm_vmid, adt->cur_vmid, adt->ihost, adt->icore);
}

/* The shadow context of the current vCPU, whose number may be negative. */
static const struct fh_ctxt *current_ctxt(const struct check *c)
{
    const int64_t vcpuid = c->adt->cur_vcpuid;
    const wide first = wide_mul(c->adt->cur_vmid, c->k->VCPU_PER_VM);
    const uint64_t back = vcpuid < 0 ? -(uint64_t)vcpuid : 0;
    const wide id = vcpuid < 0 ? first - back : wide_add(first, (uint64_t)vcpuid);
    const struct fh_map *map = &c->adt->shadow_ctxts;
    const struct fh_map_type *type = &type_of_ref_ctxt->as_value;
    if (first < back || !is_int64(id))
        return fh_ref_record(type_of_ref_ctxt, fh_map_fallback(map, type));
    return fh_ref_record(type_of_ref_ctxt, fh_map_get(map, type, (uint64_t)id));
}

static bool run_vcpu_dirty(const struct check *c)
{
    const uint64_t dirty = current_ctxt(c)->ctxt_states.dirty;
    return dirty != c->k->INVALID64 ||
           BROKEN(c, run_vcpu_dirty, c->adt->cur_vmid, (uint64_t)c->adt->cur_vcpuid, dirty);
}

/* --- All ------------------------------------------------------------------------------------ */

#define CHECK_SHARED(name, c)
#define CHECK_STATE(name, c) name(c);
#define CHECK_CPU(name, scope, nvalues, values, statement) CHECK_##scope(name, c)

void check_cpu(const struct check *c)
{
    FH_INVARIANT_MAP(CHECK_CPU)
}

#define CHECK(name, scope, nvalues, values, statement) name(c);

void check_all(const struct check *c){FH_INVARIANT_MAP(CHECK)}

uint32_t fh_check_invariants(const struct fh_state *s, struct fh_invariant_report *report)
{
    struct fh_invariant_report own;
    const struct check check = {s->profile, s->adt, report ? report : &own};
    memset(check.report, 0, sizeof *check.report);
    check_all(&check);
    return check.report->broken;
}

#define ALONE(name, scope, nvalues, values, statement)                                             \
    bool fh_invariant_##name(const struct fh_state *s, struct fh_witness *witness)                 \
    {                                                                                              \
        struct fh_invariant_report report = {0};                                                   \
        const struct check check = {s->profile, s->adt, &report};                                  \
        const bool holds = name(&check);                                                           \
        if (!holds && witness)                                                                     \
            *witness = report.witness[FH_INVARIANT_##name];                                        \
        return holds;                                                                              \
    }
FH_INVARIANT_MAP(ALONE)
