/* SPDX-License-Identifier: GPL-2.0-only */
#include "vectors/conform.h"

#include <stdlib.h>
#include <string.h>

#include <faulthandler/realisation.h>
#include <faulthandler/tables.h>

/*
 * The concrete form of a state that a vector describes by its maps: for each table that the maps
 * name a page from the start of its pool, for each entry a descriptor. Whether they say the same is
 * for the library's own relation to judge (fh_check_realisations).
 */

/* The fields of struct fh_npt and struct fh_spt that one form alone has. */
static const char *const map_fields[] = {"pt",     "pgd_t",     "pud_t",     "pmd_t",
                                         "spt_pt", "spt_pgd_t", "spt_pmd_t", NULL};
static const char *const word_fields[] = {
    "pt_vttbr_pool", "pt_pgd_pool", "pt_pud_pool",  "pt_pmd_pool",  "pt_pgd_par",  "pt_pud_par",
    "pt_pmd_par",    "pt_updates",  "spt_pgd_pool", "spt_pmd_pool", "spt_pgd_par", "spt_vttbr_pool",
    "spt_pmd_par",   NULL};

/* What both have, raised (struct form_shift): not compared where an event carries a table. */
static const char *const counter_fields[] = {"pt_pgd_next",  "pt_pud_next",  "pt_pmd_next",
                                             "spt_pgd_next", "spt_pmd_next", NULL};

static bool is_among(const char *name, const char *const *names)
{
    for (; *names; names++) {
        if (strcmp(name, *names) == 0)
            return true;
    }
    return false;
}

static bool has_field_among(const struct fh_path *path, const char *const *names)
{
    for (unsigned i = 0; i < path->length; i++) {
        if (path->steps[i].field && is_among(path->steps[i].field, names))
            return true;
    }
    return false;
}

bool form_leaves_out(enum fh_realisation realisation, const struct fh_path *path)
{
    if (realisation == FH_ABSTRACT)
        return false;
    const bool is_in_event = !path->steps[0].field || strcmp(path->steps[0].field, "shared") != 0;
    return has_field_among(path, word_fields) ||
           (is_in_event && has_field_among(path, counter_fields)) ||
           (realisation == FH_CONCRETE && has_field_among(path, map_fields));
}

/* --- What a case calls ------------------------------------------------------------------------ */

static bool is_in_layer(const struct fh_function *function, const char *const *layers)
{
    return is_among(function->layer, layers);
}

static bool is_about_words(const struct fh_function *function)
{
    static const char *const layers[] = {"PTAlloc", "PTWalk", "MmioPTAlloc", "MmioPTWalk", NULL};
    static const char *const names[] = {
        "pt_load",       "pt_load_spec0", "pt_store",          "pt_store_spec0",    "smmu_pt_load",
        "smmu_pt_store", "smmu_pt_clear", "set_smmu_pgd_next", "set_smmu_pmd_next", NULL};
    return is_in_layer(function, layers) ||
           (strcmp(function->layer, "AbstractMachine") == 0 && is_among(function->name, names));
}

static bool is_about_tickets(const struct fh_function *function)
{
    static const char *const layers[] = {"LockOps", "LockOpsQ", NULL};
    static const char *const names[] = {"incr_ticket", "incr_now", "get_now", "log_hold", NULL};
    return is_in_layer(function, layers) ||
           (strcmp(function->layer, "AbstractMachine") == 0 && is_among(function->name, names));
}

static bool is_below_the_tables(const struct fh_function *function)
{
    static const char *const layers[] = {"AbstractMachine", "LockOps", "LockOpsQ",    "LockOpsH",
                                         "Locks",           "PTAlloc", "MmioPTAlloc", "PTWalk",
                                         "MmioPTWalk",      NULL};
    return is_in_layer(function, layers);
}

struct form_calls form_calls_of(const struct node *steps)
{
    struct form_calls calls = {.below = true};
    for (size_t i = 0; steps && steps->kind == NODE_LIST && i < steps->count; i++) {
        const struct node *name = node_get(&steps->items[i], "f");
        char text[128] = "";
        if (name && name->kind == NODE_STRING)
            snprintf(text, sizeof text, "%.*s", (int)strcspn(name->text, "@"), name->text);
        const struct fh_function *function = fh_function_find(text);
        if (!function)
            continue;
        calls.words |= is_about_words(function);
        calls.tickets |= is_about_tickets(function);
        calls.below &= is_below_the_tables(function);
    }
    return calls;
}

/* Does another CPU hand over a table, as a map, or the counters of its pages? */
static bool names_a_table(const struct node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == NODE_MAP && (is_among(node->keys[i].text, map_fields) ||
                                       is_among(node->keys[i].text, counter_fields)))
            return true;
        if ((node->kind == NODE_MAP || node->kind == NODE_LIST) && names_a_table(&node->items[i]))
            return true;
    }
    return false;
}

static const struct fh_type *spt_type(void)
{
    return FH_FIELD_TYPE(FH_FIELD_TYPE(fh_rdata_type(), rdata, shared), shared, spts);
}

static const struct fh_type *npt_type(void)
{
    return FH_FIELD_TYPE(FH_FIELD_TYPE(fh_rdata_type(), rdata, shared), shared, npts)->value;
}

/* --- Counters --------------------------------------------------------------------------------- */

static uint64_t *counter_of(struct fh_rdata *rdata, const struct fh_allocator *allocator,
                            unsigned i)
{
    const struct fh_type *npt = npt_type(), *spt = spt_type();
    bool existed;
    if (i >= 17 * 3) {
        struct fh_spt **spts = &rdata->shared.spts;
        if (!fh_ref_own(spt, spts, allocator))
            return NULL;
        return i == 17 * 3 ? &(*spts)->spt_pgd_next : &(*spts)->spt_pmd_next;
    }
    struct fh_npt **entry =
        fh_map_edit(&rdata->shared.npts, &npt->as_value, allocator, i / 3, &existed);
    if (!entry || !fh_ref_own(npt, entry, allocator))
        return NULL;
    uint64_t *const counters[] = {&(*entry)->pt_pgd_next, &(*entry)->pt_pud_next,
                                  &(*entry)->pt_pmd_next};
    return counters[i % 3];
}

bool form_move_counters(struct fh_state *state, const struct form_shift *shift, bool up)
{
    struct fh_rdata *rdata = fh_state_edit(state);
    for (unsigned i = 0; rdata && i < FORM_COUNTERS; i++) {
        if (shift->bytes[i] == 0)
            continue;
        uint64_t *counter = counter_of(rdata, fh_state_allocator(state), i);
        if (!counter)
            return false;
        *counter += up ? shift->bytes[i] : 0 - shift->bytes[i];
    }
    return rdata;
}

static bool visit_no_counter(void *context, const struct fh_change *change)
{
    (void)context;
    return !has_field_among(change->path, counter_fields);
}

bool form_same_counters(const struct fh_rdata *a, const struct fh_rdata *b)
{
    return fh_delta(a, b, visit_no_counter, NULL);
}

bool form_has_far_page(const struct fh_rdata *rdata)
{
    const struct fh_type *npt = npt_type();
    const struct fh_map_type *entry = &FH_FIELD_TYPE(npt, npt, pt)->value->as_value;
    const void *ref;
    FH_MAP_EACH (ref, &rdata->shared.npts, &npt->as_value, vmid) {
        const struct fh_npt *table = fh_ref_record(npt, ref);
        uint64_t gfn = fh_profile_spec.KVM_GFN_SPACE;
        if (fh_map_next(&table->pt, entry, &gfn))
            return true;
    }
    return false;
}

bool form_disagrees_far(const struct fh_error *error)
{
    static const char about[] = "vmid, addr, ";
    return error->status == FH_DISAGREE && error->names &&
           strncmp(error->names, about, sizeof about - 1) == 0 &&
           error->values[1] >= fh_profile_spec.KVM_ADDR_SPACE;
}

/* --- From maps to words ----------------------------------------------------------------------- */

struct builder {
    struct fh_state *state;
    const struct fh_profile *k;
    struct form_shift *shift;
    const char *missing; /* why there is no concrete form */
    uint64_t ttbr;       /* the table that is being built */
};

static bool give_up(struct builder *b, const char *why)
{
    b->missing = why;
    return false;
}

static bool set_word(struct builder *b, enum fh_boundary which, uint64_t pa, uint64_t word)
{
    const enum fh_status status = fh_table_set_word(b->state, which, pa, word);
    if (status == FH_OK)
        return true;
    return give_up(b, status == FH_NOMEM ? "out of memory" : "more tables than the pool has pages");
}

/* The next page of a pool, and where it ends; what the counter says of it. */
struct pool {
    uint64_t next, end, counter;
    uint64_t *shift;
};

/* A table of one level: the word of the level above, at `place`, gets to point to the next page. */
static bool add_table(struct builder *b, enum fh_boundary which, uint64_t place, struct pool *pool)
{
    const uint64_t page = pool->next;
    pool->next += b->k->PAGE_SIZE;
    if (pool->next > pool->end)
        return give_up(b, "more tables than a pool has pages");
    if (pool->next > pool->counter)
        *pool->shift = pool->next - pool->counter;
    return set_word(b, which, place, page | b->k->PMD_TYPE_TABLE);
}

/* The page that the descriptor at `place` points to, and in it the place for `index`; 0: none. */
static uint64_t place_in(const struct builder *b, enum fh_boundary which, uint64_t place,
                         uint64_t index)
{
    const uint64_t word = place ? fh_table_word(b->state, which, place) : 0;
    const uint64_t page = word & b->k->PHYS_MASK & b->k->PAGE_MASK;
    return (word & b->k->PMD_TYPE_TABLE) == b->k->PMD_TYPE_TABLE ? page + index * 8 : 0;
}

static bool add_table_below(struct builder *b, enum fh_boundary which, uint64_t place,
                            struct pool *pool)
{
    return place ? add_table(b, which, place, pool) : give_up(b, "a table that no table leads to");
}

static uint64_t index_at(const struct builder *b, uint64_t addr, uint64_t shift)
{
    return addr >> shift & (b->k->PTRS_PER_PMD - 1);
}

struct stage2_pools {
    uint64_t root;
    struct pool pgd, pud, pmd;
};

static uint64_t pmd_place(const struct builder *b, uint64_t root, uint64_t addr)
{
    const struct fh_profile *k = b->k;
    const uint64_t pgd = root + index_at(b, addr, k->PGDIR_SHIFT) * 8;
    const uint64_t pud = place_in(b, FH_STAGE2_TABLES, pgd, index_at(b, addr, k->PUD_SHIFT));
    return place_in(b, FH_STAGE2_TABLES, pud, index_at(b, addr, k->PMD_SHIFT));
}

static bool is_set(const void *flag)
{
    return *(const bool *)flag;
}

static bool build_tables(struct builder *b, const struct fh_npt *npt, struct stage2_pools *pools)
{
    const struct fh_profile *k = b->k;
    const struct fh_map_type *flag = &FH_FIELD_TYPE(npt_type(), npt, pgd_t)->value->as_value;
    const uint64_t root = pools->root;
    const void *entry;
    FH_MAP_EACH (entry, &npt->pgd_t, flag, i) {
        if (is_set(entry) && !add_table(b, FH_STAGE2_TABLES, root + i * 8, &pools->pgd))
            return false;
    }
    FH_MAP_EACH (entry, &npt->pud_t, flag, i) {
        const uint64_t place =
            place_in(b, FH_STAGE2_TABLES, root + i / k->PTRS_PER_PMD * 8, i % k->PTRS_PER_PMD);
        if (is_set(entry) && !add_table_below(b, FH_STAGE2_TABLES, place, &pools->pud))
            return false;
    }
    FH_MAP_EACH (entry, &npt->pmd_t, flag, i) {
        const uint64_t place = pmd_place(b, root, i << k->PMD_SHIFT);
        if (is_set(entry) && !add_table_below(b, FH_STAGE2_TABLES, place, &pools->pmd))
            return false;
    }
    return true;
}

static bool build_entries(struct builder *b, const struct fh_npt *npt, uint64_t root)
{
    const struct fh_profile *k = b->k;
    const struct fh_map_type *type = &FH_FIELD_TYPE(npt_type(), npt, pt)->value->as_value;
    const struct fh_pt_entry *entry;
    FH_MAP_EACH (entry, &npt->pt, type, gfn) {
        const uint64_t addr = gfn << k->PAGE_SHIFT;
        uint64_t place = pmd_place(b, root, addr);
        if (entry->pte == 0)
            continue; /* the relation says whether that is the entry of an empty word */
        if (entry->level != 2)
            place = place_in(b, FH_STAGE2_TABLES, place, index_at(b, addr, k->PAGE_SHIFT));
        if (place == 0)
            return give_up(b, "a mapping that no table leads to");
        if (!set_word(b, FH_STAGE2_TABLES, place, entry->pte))
            return false;
    }
    return true;
}

/* A counter that has a page of its pool, or is at its end. */
static bool is_in_pool(const struct builder *b, uint64_t next, uint64_t start, uint64_t end)
{
    return start <= next && next <= end && (next - start) % b->k->PAGE_SIZE == 0;
}

static bool build_stage2(struct builder *b, uint64_t vmid, const struct fh_npt *npt)
{
    const struct fh_profile *k = b->k;
    const uint64_t start = k->PT_POOL_START + vmid * k->PT_POOL_PER_VM;
    const uint64_t pgd = start + k->PGD_OFFSET, pud = start + k->PUD_OFFSET,
                   pmd = start + k->PMD_OFFSET, end = start + k->PT_POOL_PER_VM;
    if (npt->pt.fallback || npt->pgd_t.fallback || npt->pud_t.fallback || npt->pmd_t.fallback)
        return give_up(b, "a table that is full by default");
    if (vmid > k->COREVISOR)
        return npt->pt.root ? give_up(b, "a table of no VM") : true;
    if (!is_in_pool(b, npt->pt_pgd_next, pgd, pud) || !is_in_pool(b, npt->pt_pud_next, pud, pmd) ||
        !is_in_pool(b, npt->pt_pmd_next, pmd, end))
        return give_up(b, "a counter beside its pool");
    uint64_t *shift = &b->shift->bytes[vmid * 3];
    struct stage2_pools pools = {start,
                                 {pgd, pud, npt->pt_pgd_next, &shift[0]},
                                 {pud, pmd, npt->pt_pud_next, &shift[1]},
                                 {pmd, end, npt->pt_pmd_next, &shift[2]}};
    return build_tables(b, npt, &pools) && build_entries(b, npt, start);
}

/* --- The same for SMMUs ----------------------------------------------------------------------- */

static bool is_bank(const struct builder *b, uint64_t ttbr)
{
    const uint64_t size = b->k->PAGE_SIZE * 2;
    const uint64_t bank = (ttbr - b->k->SMMU_POOL_START) / size;
    return ttbr >= b->k->SMMU_POOL_START && (ttbr - b->k->SMMU_POOL_START) % size == 0 &&
           bank < b->k->SMMU_NUM * b->k->SMMU_NUM_CTXT_BANKS;
}

static uint64_t smmu_pmd_place(const struct builder *b, uint64_t ttbr, uint64_t addr)
{
    const uint64_t root = addr >> b->k->S2_PGDIR_SHIFT & (b->k->PTRS_PER_S2_PGD - 1);
    return place_in(b, FH_SMMU_TABLES, ttbr + root * 8, index_at(b, addr, b->k->PMD_SHIFT));
}

struct smmu_pools {
    struct pool pgd, pmd;
};

static bool build_bank_tables(struct builder *b, const struct fh_map *tables, bool is_pmd,
                              struct smmu_pools *pools)
{
    const struct fh_map_type *flag = &FH_FIELD_TYPE(npt_type(), npt, pgd_t)->value->as_value;
    const void *entry;
    if (tables->fallback)
        return give_up(b, "a table that is full by default");
    FH_MAP_EACH (entry, tables, flag, i) {
        if (!is_set(entry))
            continue;
        const uint64_t place =
            is_pmd ? smmu_pmd_place(b, b->ttbr, i << b->k->PMD_SHIFT) : b->ttbr + i * 8;
        if (!add_table_below(b, FH_SMMU_TABLES, place, is_pmd ? &pools->pmd : &pools->pgd))
            return false;
    }
    return true;
}

static bool build_bank_entries(struct builder *b, const struct fh_map *bank)
{
    const struct fh_map_type *type =
        &FH_FIELD_TYPE(spt_type(), spt, spt_pt)->value->value->as_value;
    const struct fh_spt_entry *entry;
    if (bank->fallback)
        return give_up(b, "a table that is full by default");
    FH_MAP_EACH (entry, bank, type, gfn) {
        const uint64_t addr = gfn << b->k->PAGE_SHIFT;
        const uint64_t place = place_in(b, FH_SMMU_TABLES, smmu_pmd_place(b, b->ttbr, addr),
                                        index_at(b, addr, b->k->PAGE_SHIFT));
        if (entry->pte == 0)
            continue;
        if (place == 0)
            return give_up(b, "a mapping that no table leads to");
        if (!set_word(b, FH_SMMU_TABLES, place, entry->pte))
            return false;
    }
    return true;
}

/* What the banks have in one field: 0 spt_pgd_t, 1 spt_pmd_t, 2 spt_pt. */
static bool build_field(struct builder *b, const struct fh_spt *spts, unsigned which,
                        struct smmu_pools *pools)
{
    static const enum fh_spt_field indices[] = {FH_FIELD_spt_spt_pgd_t, FH_FIELD_spt_spt_pmd_t,
                                                FH_FIELD_spt_spt_pt};
    const struct fh_map *const fields[] = {&spts->spt_pgd_t, &spts->spt_pmd_t, &spts->spt_pt};
    const struct fh_map_type *type = &spt_type()->fields[indices[which]].type->value->as_value;
    const struct fh_map *map;
    if (fields[which]->fallback)
        return give_up(b, "a table that is full by default");
    FH_MAP_EACH (map, fields[which], type, ttbr) {
        if (!is_bank(b, ttbr) && map->root)
            return give_up(b, "a table of no bank");
        b->ttbr = ttbr;
        if (!(which < 2 ? build_bank_tables(b, map, which == 1, pools)
                        : build_bank_entries(b, map)))
            return false;
    }
    return true;
}

static bool build_smmu(struct builder *b, const struct fh_spt *spts)
{
    const struct fh_profile *k = b->k;
    uint64_t *shift = &b->shift->bytes[17 * 3];
    struct smmu_pools pools = {
        {k->SMMU_PGD_START, k->SMMU_PMD_START, spts->spt_pgd_next, &shift[0]},
        {k->SMMU_PMD_START, k->SMMU_POOL_END, spts->spt_pmd_next, &shift[1]}};
    if (!is_in_pool(b, spts->spt_pgd_next, k->SMMU_PGD_START, k->SMMU_PMD_START) ||
        !is_in_pool(b, spts->spt_pmd_next, k->SMMU_PMD_START, k->SMMU_POOL_END))
        return give_up(b, "a counter beside its pool");
    for (unsigned which = 0; which < 3; which++) {
        if (!build_field(b, spts, which, &pools))
            return false;
    }
    return true;
}

/* --- A whole state ---------------------------------------------------------------------------- */

/* Make these fields of a record the empty ones that a new state has. */
static void empty_fields(const struct fh_type *type, void *record, const char *const *names,
                         const struct fh_allocator *allocator)
{
    for (; *names; names++) {
        const struct fh_field *field = fh_type_field(type, *names, strlen(*names));
        if (!field)
            continue;
        void *place = (char *)record + field->offset;
        fh_value_release(field->type, place, allocator);
        memset(place, 0, field->type->as_value.value_size);
    }
}

/* The fields get the values of another record. */
static void copy_fields(const struct fh_type *type, void *to, const void *from,
                        const char *const *names)
{
    for (; *names; names++) {
        const struct fh_field *field = fh_type_field(type, *names, strlen(*names));
        if (!field)
            continue;
        void *place = (char *)to + field->offset;
        memcpy(place, (const char *)from + field->offset, field->type->as_value.value_size);
        fh_value_retain(field->type, place);
    }
}

/* Empty the fields of all tables; if `from` has a record for it, take them from there. */
static bool change_fields(struct fh_state *state, const char *const *names,
                          const struct fh_rdata *from)
{
    const struct fh_allocator *allocator = fh_state_allocator(state);
    const struct fh_type *npt = npt_type(), *spt = spt_type();
    struct fh_rdata *rdata = fh_state_edit(state);
    if (!rdata || !fh_ref_own(spt, &rdata->shared.spts, allocator))
        return false;
    struct fh_map *npts = &rdata->shared.npts;
    empty_fields(spt, rdata->shared.spts, names, allocator);
    if (from)
        copy_fields(spt, rdata->shared.spts, fh_ref_record(spt, &from->shared.spts), names);
    FH_MAP_KEYS (npts, &npt->as_value, vmid) {
        bool existed;
        void *entry = fh_map_edit(npts, &npt->as_value, allocator, vmid, &existed);
        if (!entry || !fh_ref_own(npt, entry, allocator))
            return false;
        empty_fields(npt, *(void **)entry, names, allocator);
        if (from)
            copy_fields(npt, *(void **)entry,
                        fh_ref_record(npt, fh_map_get(&from->shared.npts, &npt->as_value, vmid)),
                        names);
    }
    return true;
}

bool form_empty_maps(struct fh_state *state)
{
    return change_fields(state, map_fields, NULL);
}

bool form_take_words(struct fh_state *state, const struct fh_rdata *from)
{
    return change_fields(state, word_fields, from);
}

/* Which of the two forms the relation finds at fault; in a halted state, too, for those built here.
 */
static const char *relation_of(const struct fh_state *state)
{
    struct fh_disagreement first;
    if (fh_check_realisations(state, &first) == FH_OK)
        return NULL;
    if (first.boundary == FH_LOCKS)
        return "a lock that no tickets can say";
    return strcmp(first.what, "table") == 0 ? "tables that nothing leads to"
                                            : "a mapping that no word can say";
}

const char *form_make_words(struct fh_state *state, const struct node *init,
                            struct form_shift *shift)
{
    struct builder b = {.state = state, .k = fh_state_profile(state), .shift = shift};
    memset(shift, 0, sizeof *shift);
    const struct node *oracle = node_get(init, "oracle");
    const struct fh_type *npt = npt_type();
    if (oracle && names_a_table(oracle))
        return "another CPU hands over a table as a map";
    if (!change_fields(state, word_fields, NULL))
        return "out of memory";
    const struct fh_rdata *rdata = fh_state_snapshot(state);
    const void *ref;
    bool is_built = build_smmu(&b, rdata->shared.spts);
    FH_MAP_EACH (ref, &rdata->shared.npts, &npt->as_value, vmid)
        is_built = is_built && build_stage2(&b, vmid, fh_ref_record(npt, ref));
    fh_snapshot_release(rdata, fh_state_allocator(state));
    if (!is_built)
        return b.missing;
    return form_move_counters(state, shift, true) ? relation_of(state) : "out of memory";
}
