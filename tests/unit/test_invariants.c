/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <string.h>

#include <faulthandler/invariants.h>

#include "state/machine.h"

enum { HOST = 0, CORE = 16, OFFSET = 1000000000, BANKS = 16, READY = 2, POWEROFF = 4 };
#define NOBODY 0xffffffffu
#define NO_GFN UINT64_MAX

static struct memory memory;
static struct fh_state *state;
static const struct fh_rdata *before; /* all invariants held here */

/* Where the step wrote since. */
static struct fh_place places[64];
static size_t nplaces;
static bool has_other_default;

static void setup(void)
{
    memory_init(&memory);
    state = new_state(&memory, NULL, FH_LOG_SUMMARY);
    before = fh_state_snapshot(state);
    nplaces = 0;
    has_other_default = false;
}

static void teardown(void)
{
    fh_snapshot_release(before, &memory.allocator);
    fh_state_free(state);
    ck_assert_uint_eq(memory.blocks, 0);
}

/* --- Writing the state ----------------------------------------------------------------------- */

static void *entry(struct fh_map *map, const struct fh_type *type, uint64_t key)
{
    bool existed;
    void *place = fh_map_edit(map, &type->as_value, &memory.allocator, key, &existed);
    ck_assert_ptr_nonnull(place);
    return place;
}

static void note(enum fh_place_kind kind, uint64_t owner, uint64_t key)
{
    struct fh_place place = {.kind = kind, .owner = owner, .key = key};
    if (kind == FH_PLACE_PAGE)
        place.was = *(const struct fh_s2page *)fh_map_get(&before->shared.s2page,
                                                          &type_of_s2page->as_value, key);
    ck_assert_uint_lt(nplaces, sizeof places / sizeof *places);
    places[nplaces++] = place;
}

/* The record behind a reference, to write. */
static void *owned(void *reference, const struct fh_type *type)
{
    ck_assert(fh_ref_own(type, reference, &memory.allocator));
    void *record;
    memcpy(&record, reference, sizeof record);
    return record;
}

static void set_page(uint64_t pfn, uint32_t owner, uint32_t count, uint64_t gfn)
{
    struct fh_rdata *adt = fh_state_edit(state);
    struct fh_s2page *page = entry(&adt->shared.s2page, type_of_s2page, pfn);
    *page = (struct fh_s2page){.s2_owner = owner, .s2_count = count, .s2_gfn = gfn};
    note(FH_PLACE_PAGE, 0, pfn);
}

static struct fh_map *pt(uint64_t vmid)
{
    struct fh_rdata *adt = fh_state_edit(state);
    struct fh_npt *npt = owned(entry(&adt->shared.npts, type_of_ref_npt, vmid), type_of_ref_npt);
    return &npt->pt;
}

static void map_frame(uint64_t vmid, uint64_t gfn, uint64_t pfn)
{
    struct fh_pt_entry *place = entry(pt(vmid), type_of_pt_entry, gfn);
    *place = (struct fh_pt_entry){.pfn = pfn & 0xfffffff, .level = 3, .pte = pfn * 4096 | 0xfff};
    note(FH_PLACE_MAPPING, vmid, gfn);
}

static struct fh_map *bank_table(uint64_t bank)
{
    struct fh_rdata *adt = fh_state_edit(state);
    struct fh_spt *spt = owned(&adt->shared.spts, type_of_ref_spt);
    return entry(&spt->spt_pt, type_of_map_spt, 65536 + bank * 8192);
}

static void map_in_bank(uint64_t bank, uint64_t gfn, uint64_t pfn)
{
    struct fh_spt_entry *place = entry(bank_table(bank), type_of_spt_entry, gfn);
    *place = (struct fh_spt_entry){.pfn = pfn, .pte = pfn * 4096 | 3};
    note(FH_PLACE_SMMU_MAPPING, bank, gfn);
}

static void assign_bank(uint64_t bank, uint64_t vmid)
{
    struct fh_rdata *adt = fh_state_edit(state);
    uint64_t *place = entry(&adt->shared.smmu_vmid, type_of_vmid_or_invalid, bank);
    *place = vmid;
    note(FH_PLACE_BANK, bank, 0);
}

static void set_vm_state(uint64_t vmid, uint64_t vm_state)
{
    struct fh_rdata *adt = fh_state_edit(state);
    struct fh_vminfo *info =
        owned(entry(&adt->shared.vminfos, type_of_ref_vminfo, vmid), type_of_ref_vminfo);
    info->VS.vm_state = vm_state;
    note(FH_PLACE_VM, vmid, 0);
}

static void set_dirty(uint64_t ctxtid, uint64_t dirty)
{
    struct fh_rdata *adt = fh_state_edit(state);
    struct fh_ctxt *ctxt =
        owned(entry(&adt->shadow_ctxts, type_of_ref_ctxt, ctxtid), type_of_ref_ctxt);
    ctxt->ctxt_states.dirty = dirty;
}

static void set_default(struct fh_map *map, const struct fh_type *type, const void *value)
{
    ck_assert(fh_map_reset(map, &type->as_value, &memory.allocator, value));
    has_other_default = true;
}

/* --- Asking ---------------------------------------------------------------------------------- */

/* The ways of checking, which must agree, those of everything to the last witness. */
static struct fh_invariant_report check(void)
{
    struct fh_invariant_report whole, step, at;
    ck_assert_uint_eq(fh_check_invariants(state, &whole), whole.broken);
    ck_assert_uint_eq(fh_check_invariants_after(state, before, &step), step.broken);
    ck_assert_uint_eq(step.broken, whole.broken);
    if (has_other_default)
        at = step;
    else
        ck_assert_uint_eq(fh_check_invariants_at(state, places, nplaces, &at), whole.broken);
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        ck_assert_mem_eq(&step.witness[i], &whole.witness[i], sizeof whole.witness[i]);
        ck_assert_mem_eq(&at.witness[i], &whole.witness[i], sizeof whole.witness[i]);
        ck_assert_int_eq(fh_invariant_at(i)->holds(state, NULL), !(whole.broken >> i & 1));
    }
    return whole;
}

static void assert_all_hold(void)
{
    struct fh_invariant_report report = check();
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        char text[240];
        fh_witness_format(fh_invariant_at(i), &report.witness[i], text, sizeof text);
        ck_assert_msg(!(report.broken >> i & 1), "%s", text);
    }
}

/* Everything holds, and what follows is one step. */
static void begin_step(void)
{
    assert_all_hold();
    fh_snapshot_release(before, &memory.allocator);
    before = fh_state_snapshot(state);
    nplaces = 0;
}

static void assert_witness(enum fh_invariant id, const struct fh_witness *expected)
{
    const struct fh_invariant_info *info = fh_invariant_at(id);
    struct fh_invariant_report report = check();
    ck_assert_msg(report.broken >> id & 1, "%s holds", info->name);
    struct fh_witness alone = {0};
    ck_assert(!info->holds(state, &alone));
    for (unsigned i = 0; i < info->nvalues; i++) {
        ck_assert_uint_eq(report.witness[id].values[i], expected->values[i]);
        ck_assert_uint_eq(alone.values[i], expected->values[i]);
    }
}

#define assert_broken(id, ...)                                                                     \
    assert_witness(FH_INVARIANT_##id, &(const struct fh_witness){{__VA_ARGS__}, NULL})
#define assert_only_broken(id, ...)                                                                \
    do {                                                                                           \
        assert_broken(id, __VA_ARGS__);                                                            \
        ck_assert_uint_eq(check().broken, 1u << FH_INVARIANT_##id);                                \
    } while (0)

/* --- The table ------------------------------------------------------------------------------- */

START_TEST(invariants_stand_in_the_order_of_the_spec_ten_of_them_shared)
{
    ck_assert_uint_eq(FH_INVARIANTS, 18);
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        const struct fh_invariant_info *info = fh_invariant_at(i);
        ck_assert_uint_eq(info->id, i);
        ck_assert_int_eq(info->scope, i < 10 ? FH_SCOPE_SHARED : FH_SCOPE_STATE);
        ck_assert_ptr_eq(fh_invariant_find(info->name), info);
        unsigned names = 1;
        for (const char *c = info->values; *c; c++)
            names += *c == ',';
        ck_assert_uint_eq(names, info->nvalues);
        ck_assert_uint_le(names, FH_WITNESS_VALUES);
    }
    ck_assert_ptr_null(fh_invariant_at(FH_INVARIANTS));
    ck_assert_ptr_null(fh_invariant_find("host_"));
    ck_assert_ptr_null(fh_invariant_find("host_isolation"));
}
END_TEST

START_TEST(witness_is_told_in_one_line_with_signs_and_cut_off_where_the_buffer_ends)
{
    const struct fh_invariant_info *info = fh_invariant_find("cur_vcpuid_range");
    const struct fh_witness witness = {{(uint64_t)-1}, NULL};
    const char *line = "cur_vcpuid_range: the current vCPU is one that a VM can have; "
                       "but cur_vcpuid = -1";
    char text[120], cut[20];
    ck_assert_uint_eq(fh_witness_format(info, &witness, text, sizeof text), strlen(line));
    ck_assert_str_eq(text, line);
    ck_assert_uint_eq(fh_witness_format(info, &witness, cut, sizeof cut), strlen(line));
    ck_assert_int_eq(strncmp(cut, line, sizeof cut - 1), 0);
    ck_assert_uint_eq(strlen(cut), sizeof cut - 1);
}
END_TEST

START_TEST(owners_and_states_of_a_witness_have_names)
{
    const struct fh_invariant_info *info = fh_invariant_find("page_0_invalid");
    char text[200];
    ck_assert_ptr_nonnull(info);
    fh_witness_format(info, &(const struct fh_witness){{0, 0xffffffff, 3, 5}, &fh_profile_spec},
                      text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "s2_owner = 0xffffffff (INVALID), s2_count = 3, "));
}
END_TEST

START_TEST(base_state_of_each_profile_satisfies_every_invariant)
{
    const struct fh_profile *profile;
    for (unsigned i = 0; (profile = fh_profile_at(i)) != NULL; i++) {
        struct fh_state *fresh = new_state(&memory, profile, FH_LOG_SUMMARY);
        ck_assert_uint_eq(fh_check_invariants(fresh, NULL), 0);
        fh_state_free(fresh);
    }
}
END_TEST

/* --- Tables of the host and of VMs ----------------------------------------------------------- */

START_TEST(host_entry_whose_frame_is_not_its_descriptors_is_found)
{
    map_frame(HOST, 7, 7);
    begin_step();
    struct fh_pt_entry *wrong = entry(pt(HOST), type_of_pt_entry, 7);
    wrong->pte = 8 * 4096;
    note(FH_PLACE_MAPPING, HOST, 7);
    assert_only_broken(host_npt_cons, 7, 7, 3, 8 * 4096);
}
END_TEST

START_TEST(host_entry_that_maps_another_frame_is_found_and_the_smallest_one_named)
{
    map_frame(HOST, 300, 301);
    map_frame(HOST, 20, 21);
    assert_only_broken(host_flatmap, 20, 21, 3, 21 * 4096 | 0xfff);
}
END_TEST

START_TEST(host_entry_without_a_frame_may_stand_anywhere)
{
    struct fh_pt_entry *guest = entry(pt(HOST), type_of_pt_entry, 9);
    *guest = (struct fh_pt_entry){.level = 3, .pte = 0x200000000000000};
    assert_all_hold();
}
END_TEST

START_TEST(host_may_map_a_vm_page_only_while_it_is_shared)
{
    set_page(9, 2, 1, 50);
    map_frame(HOST, 9, 9);
    begin_step();
    set_page(9, 2, 0, 50);
    assert_only_broken(host_iso, 9, 9, 3, 9 * 4096 | 0xfff, 2, 0);
}
END_TEST

START_TEST(host_may_map_pages_that_nobody_owns)
{
    map_frame(HOST, 9, 9);
    assert_all_hold();
}
END_TEST

START_TEST(page_of_the_host_has_the_gfn_of_host_pages)
{
    set_page(12, HOST, 0, OFFSET + 12);
    begin_step();
    set_page(12, HOST, 0, 12);
    assert_only_broken(host_s2_map, 12, HOST, 0, 12);
}
END_TEST

START_TEST(gfn_of_a_host_page_does_not_wrap_at_64_bits)
{
    set_page(UINT64_MAX, HOST, 0, OFFSET - 1);
    assert_only_broken(host_s2_map, UINT64_MAX, HOST, 0, OFFSET - 1);
}
END_TEST

START_TEST(page_0_must_belong_to_nobody)
{
    set_page(0, 3, 1, 5);
    assert_only_broken(page_0_invalid, 0, 3, 1, 5);
}
END_TEST

START_TEST(vm_must_not_keep_a_page_mapped_that_went_to_another_owner)
{
    set_page(40, 2, 0, 8);
    map_frame(2, 0x1234, 40); /* not at the page's s2_gfn */
    begin_step();
    set_page(40, HOST, 0, OFFSET + 40);
    assert_only_broken(vm_iso, 2, 0x1234, 40, 3, 40 * 4096 | 0xfff, HOST, 0);
}
END_TEST

START_TEST(vm_must_not_keep_an_unowned_page_mapped_that_somebody_gets)
{
    map_frame(11, 5, 40);
    map_frame(5, 6, 40);
    begin_step();
    set_page(40, 11, 0, 5);
    assert_only_broken(vm_iso, 5, 6, 40, 3, 40 * 4096 | 0xfff, 11, 0);
}
END_TEST

START_TEST(powered_off_vm_is_not_bound_until_it_is_back)
{
    set_vm_state(2, POWEROFF);
    map_frame(2, 8, 40);
    set_page(40, 3, 0, 8);
    begin_step();
    set_vm_state(2, READY);
    assert_only_broken(vm_iso, 2, 8, 40, 3, 40 * 4096 | 0xfff, 3, READY);
}
END_TEST

START_TEST(core_and_what_is_beyond_it_are_no_vms)
{
    set_page(40, 3, 0, 8);
    map_frame(CORE, 8, 40);
    map_frame(CORE + 1, 8, 40);
    assert_all_hold();
}
END_TEST

/* --- SMMUs ----------------------------------------------------------------------------------- */

START_TEST(smmu_entry_whose_frame_is_not_its_descriptors_is_found)
{
    struct fh_spt_entry *wrong = entry(bank_table(9), type_of_spt_entry, 77);
    *wrong = (struct fh_spt_entry){.pfn = 1, .pte = 2 * 4096};
    note(FH_PLACE_SMMU_MAPPING, 9, 77);
    assert_only_broken(spt_cons, 1, 1, 77, 1, 2 * 4096);
}
END_TEST

START_TEST(bank_must_not_belong_to_the_core_or_beyond)
{
    assign_bank(13, CORE);
    assign_bank(15, NOBODY - 1);
    assert_only_broken(smmu_vm, 1, 5, CORE);
    assign_bank(13, NOBODY);
    assert_only_broken(smmu_vm, 1, 7, NOBODY - 1);
    assign_bank(15, CORE - 1);
    assert_all_hold();
}
END_TEST

START_TEST(bank_that_is_beyond_the_last_one_is_not_looked_at)
{
    assign_bank(BANKS, CORE);
    struct fh_spt_entry *wrong = entry(bank_table(BANKS), type_of_spt_entry, 77);
    *wrong = (struct fh_spt_entry){.pfn = 1, .pte = 2 * 4096};
    assert_all_hold();
    set_page(40, HOST, 0, OFFSET + 40);
    map_in_bank(BANKS, OFFSET + 40, 40);
    assign_bank(BANKS, HOST);
    assert_all_hold();
}
END_TEST

START_TEST(bank_must_not_keep_a_page_that_its_vm_lost)
{
    assign_bank(3, 2);
    set_page(40, 2, 0, 8);
    map_in_bank(3, 8, 40);
    begin_step();
    set_page(40, HOST, 0, OFFSET + 40);
    assert_only_broken(smmu_iso, 0, 3, 8, 40, 40 * 4096 | 3, 2, HOST, OFFSET + 40);
}
END_TEST

START_TEST(bank_must_map_a_page_at_its_own_gfn)
{
    assign_bank(3, 2);
    set_page(40, 2, 0, 8);
    begin_step();
    map_in_bank(3, 9, 40);
    assert_only_broken(smmu_iso, 0, 3, 9, 40, 40 * 4096 | 3, 2, 2, 8);
}
END_TEST

START_TEST(bank_that_changes_hands_must_not_bring_mappings_along)
{
    map_in_bank(10, 8, 40);
    begin_step();
    assign_bank(10, 4);
    assert_only_broken(smmu_iso, 1, 2, 8, 40, 40 * 4096 | 3, 4, NOBODY, NO_GFN);
    set_vm_state(4, POWEROFF);
    assert_all_hold();
    begin_step();
    set_vm_state(4, READY);
    assert_only_broken(smmu_iso, 1, 2, 8, 40, 40 * 4096 | 3, 4, NOBODY, NO_GFN);
}
END_TEST

START_TEST(host_page_is_counted_once_for_each_bank_of_the_host_that_maps_it)
{
    set_page(40, HOST, 2, OFFSET + 40);
    for (uint64_t bank = 4; bank < 6; bank++) {
        assign_bank(bank, HOST);
        map_in_bank(bank, OFFSET + 40, 40);
    }
    map_in_bank(15, OFFSET + 40, 40);
    begin_step();
    assign_bank(15, HOST);
    assert_only_broken(smmu_count, 40, 2, 3);
    set_page(40, HOST, 3, OFFSET + 40);
    begin_step();
    set_page(40, HOST, 1, OFFSET + 40);
    assert_only_broken(smmu_count, 40, 1, 3);
}
END_TEST

START_TEST(bank_of_the_host_that_maps_one_more_page_must_be_counted)
{
    assign_bank(6, HOST);
    set_page(40, HOST, 0, OFFSET + 40);
    begin_step();
    map_in_bank(6, OFFSET + 40, 40);
    assert_only_broken(smmu_count, 40, 0, 1);
}
END_TEST

START_TEST(page_0_is_counted_like_any_other)
{
    assign_bank(6, HOST);
    map_in_bank(6, OFFSET, 40);
    set_page(40, HOST, 1, OFFSET + 40);
    set_page(0, HOST, 0, OFFSET);
    assert_broken(smmu_count, 0, 0, 1);
}
END_TEST

/* --- Defaults: keys without an entry --------------------------------------------------------- */

START_TEST(default_of_a_table_counts_at_every_frame_and_the_first_free_one_is_named)
{
    const struct fh_pt_entry everywhere = {.pfn = 1, .level = 3, .pte = 4096};
    map_frame(HOST, 2, 2);
    struct fh_map *host = pt(HOST);
    set_default(host, type_of_pt_entry, &everywhere);
    map_frame(HOST, 0, 0);
    map_frame(HOST, 2, 2);
    assert_only_broken(host_flatmap, 3, 1, 3, 4096); /* 1 maps itself */
}
END_TEST

START_TEST(default_of_a_vms_table_may_map_a_page_of_the_vm_everywhere)
{
    const struct fh_pt_entry everywhere = {.pfn = 40, .level = 3, .pte = 40 * 4096};
    set_page(40, 2, 0, 8);
    set_default(pt(2), type_of_pt_entry, &everywhere);
    begin_step();
    set_page(40, 3, 0, 8);
    assert_only_broken(vm_iso, 2, 0, 40, 3, 40 * 4096, 3, 0);
}
END_TEST

START_TEST(default_of_the_hosts_table_may_break_all_that_its_entries_may)
{
    const struct fh_pt_entry everywhere = {.pfn = 40, .level = 3, .pte = 41 * 4096};
    set_page(40, 2, 0, 8);
    begin_step();
    set_default(pt(HOST), type_of_pt_entry, &everywhere);
    assert_broken(host_npt_cons, 0, 40, 3, 41 * 4096);
    assert_broken(host_flatmap, 0, 40, 3, 41 * 4096);
    assert_broken(host_iso, 0, 40, 3, 41 * 4096, 2, 0);
}
END_TEST

START_TEST(default_of_a_vms_table_that_changes_is_looked_at)
{
    const struct fh_pt_entry everywhere = {.pfn = 40, .level = 3, .pte = 40 * 4096};
    set_page(40, 2, 0, 8);
    begin_step();
    set_default(pt(3), type_of_pt_entry, &everywhere);
    assert_only_broken(vm_iso, 3, 0, 40, 3, 40 * 4096, 2, 0);
}
END_TEST

START_TEST(pages_cannot_all_belong_to_the_host_by_default)
{
    const struct fh_s2page hosts = {.s2_owner = HOST, .s2_gfn = OFFSET + 1};
    set_default(&fh_state_edit(state)->shared.s2page, type_of_s2page, &hosts);
    set_page(0, NOBODY, 0, NO_GFN);
    assert_only_broken(host_s2_map, 2, HOST, 0, OFFSET + 1);
}
END_TEST

START_TEST(default_pages_of_the_host_are_counted_where_its_banks_map_them)
{
    const struct fh_s2page hosts = {.s2_owner = HOST, .s2_gfn = OFFSET + 1};
    set_default(&fh_state_edit(state)->shared.s2page, type_of_s2page, &hosts);
    assign_bank(0, HOST);
    map_in_bank(0, OFFSET + 900, 1);
    map_in_bank(0, OFFSET + 700, 1);
    assert_broken(smmu_count, 700, 0, 1);
}
END_TEST

START_TEST(default_pages_that_are_mapped_by_default_are_counted_from_the_first_one)
{
    const struct fh_s2page hosts = {.s2_owner = HOST, .s2_gfn = OFFSET + 1};
    const struct fh_spt_entry everywhere = {.pfn = 40, .pte = 40 * 4096};
    set_default(&fh_state_edit(state)->shared.s2page, type_of_s2page, &hosts);
    set_page(0, NOBODY, 0, NO_GFN);
    set_page(1, NOBODY, 0, NO_GFN);
    assign_bank(0, HOST);
    set_default(bank_table(0), type_of_spt_entry, &everywhere);
    map_in_bank(0, OFFSET + 2, 0); /* not mapped there */
    map_in_bank(0, OFFSET + 3, 0);
    assign_bank(1, 3);
    map_in_bank(1, OFFSET + 4, 0);
    assert_broken(smmu_count, 4, 0, 1);
}
END_TEST

START_TEST(default_of_a_banks_table_that_changes_is_looked_at)
{
    const struct fh_spt_entry everywhere = {.pfn = 40, .pte = 41 * 4096};
    set_page(41, HOST, 0, OFFSET + 41);
    assign_bank(9, HOST);
    begin_step();
    set_default(bank_table(9), type_of_spt_entry, &everywhere);
    assert_broken(spt_cons, 1, 1, 0, 40, 41 * 4096);
    assert_broken(smmu_iso, 1, 1, 0, 40, 41 * 4096, HOST, NOBODY, NO_GFN);
    assert_broken(smmu_count, 41, 0, 1);
}
END_TEST

START_TEST(default_of_a_banks_table_counts_for_every_page_of_the_host)
{
    const struct fh_spt_entry everywhere = {.pfn = 40, .pte = 40 * 4096};
    set_page(41, HOST, 0, OFFSET + 41);
    set_default(bank_table(1), type_of_spt_entry, &everywhere);
    begin_step();
    assign_bank(1, HOST);
    assert_broken(smmu_count, 41, 0, 1);
    assert_broken(smmu_iso, 0, 1, 0, 40, 40 * 4096, HOST, NOBODY, NO_GFN);
}
END_TEST

/* --- The CPU --------------------------------------------------------------------------------- */

static void run(bool ihost, bool icore, uint64_t vmid, int64_t vcpuid)
{
    struct fh_rdata *adt = fh_state_edit(state);
    adt->ihost = ihost;
    adt->icore = icore;
    adt->cur_vmid = vmid;
    adt->cur_vcpuid = vcpuid;
}

START_TEST(cpu_may_be_in_the_host_in_the_core_or_in_a_vm)
{
    assert_all_hold();
    run(true, true, CORE, 0);
    assert_all_hold();
    run(false, true, HOST, 0);
    assert_all_hold();
    run(false, false, 15, 7);
    assert_all_hold();
}
END_TEST

START_TEST(numbers_of_the_cpu_have_ranges)
{
    run(false, true, CORE + 1, 8);
    assert_broken(cur_vmid_range, CORE + 1);
    assert_broken(cur_vcpuid_range, 8);
    run(false, true, 1, -1);
    assert_only_broken(cur_vcpuid_range, (uint64_t)-1);
    fh_state_edit(state)->curid = 8;
    assert_broken(curid_range, 8);
}
END_TEST

START_TEST(host_runs_as_the_host_and_a_vm_as_a_vm)
{
    run(true, false, 3, 1);
    assert_only_broken(valid_host_vmid, 3, true, false);
    run(false, false, HOST, 0);
    assert_only_broken(valid_vm_vmid, HOST, false, false);
    run(false, false, CORE, 0);
    assert_only_broken(valid_vm_vmid, CORE, false, false);
}
END_TEST

START_TEST(vcpu_of_host_and_core_is_the_cpu)
{
    run(true, false, HOST, 2);
    assert_only_broken(valid_host_vcpuid, HOST, 2, 0);
    run(true, true, CORE, 2);
    assert_only_broken(valid_core_vcpuid, CORE, 2, 0);
}
END_TEST

START_TEST(vcpu_that_never_ran_is_not_current)
{
    set_dirty(2 * 8 + 5, UINT64_MAX);
    run(false, false, 2, 4);
    begin_step();
    run(false, false, 2, 5);
    assert_only_broken(run_vcpu_dirty, 2, 5, UINT64_MAX);
}
END_TEST

START_TEST(negative_vcpu_has_the_context_that_lies_so_far_below)
{
    set_dirty(2 * 8 - 1, UINT64_MAX);
    set_dirty(UINT64_MAX, UINT64_MAX);
    run(false, true, HOST, -1); /* no context has a negative number */
    assert_broken(cur_vcpuid_range, (uint64_t)-1);
    ck_assert(fh_invariant_run_vcpu_dirty(state, NULL));
    run(false, true, 2, -1);
    assert_broken(run_vcpu_dirty, 2, (uint64_t)-1, UINT64_MAX);
    set_dirty(0, UINT64_MAX);
    run(false, true, 1, -8);
    assert_broken(run_vcpu_dirty, 1, (uint64_t)-8, UINT64_MAX);
}
END_TEST

START_TEST(number_of_a_context_does_not_wrap_at_64_bits)
{
    set_dirty(1, UINT64_MAX);
    run(false, true, (uint64_t)1 << 63, 1);
    assert_only_broken(cur_vmid_range, (uint64_t)1 << 63);
}
END_TEST

/* --- Steps ----------------------------------------------------------------------------------- */

static uint64_t pick(uint64_t *seed, const uint64_t *choices, size_t n)
{
    return choices[random_u64(seed) % n];
}

#define PICK(seed, ...)                                                                            \
    pick(seed, (const uint64_t[]){__VA_ARGS__},                                                    \
         sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static void write_something(uint64_t *seed)
{
    uint64_t pfn = random_u64(seed) % 8, vmid = PICK(seed, HOST, HOST, 1, 2, 15, CORE);
    uint64_t gfn = PICK(seed, pfn, pfn + OFFSET, random_u64(seed) % 8);
    uint32_t count = (uint32_t)PICK(seed, 0, 1, 2);
    uint64_t bank = PICK(seed, 0, 1, 8, 15);
    switch (random_u64(seed) % 8) {
    case 0: set_page(pfn, (uint32_t)vmid, count, gfn); break;
    case 1: set_page(pfn, HOST, count, pfn + OFFSET); break;
    case 2: set_page(pfn, NOBODY, 0, NO_GFN); break;
    case 3: map_frame(HOST, pfn, pfn); break;
    case 4: map_frame(vmid, gfn, pfn); break;
    case 5: map_in_bank(bank, gfn, PICK(seed, 0, pfn)); break;
    case 6: assign_bank(bank, PICK(seed, vmid, NOBODY)); break;
    default: set_vm_state(PICK(seed, 1, 2, 15), PICK(seed, READY, POWEROFF)); break;
    }
}

/* From states where all invariants hold, so the walk goes back from each one where they do not. */
START_TEST(check_of_a_step_finds_what_the_check_of_the_whole_state_finds)
{
    uint64_t seed = (uint64_t)_i;
    unsigned kept = 0, broken = 0;
    for (unsigned step = 0; step < 4000; step++) {
        for (uint64_t n = PICK(&seed, 1, 1, 2, 4); n > 0; n--)
            write_something(&seed);
        if (check().broken) {
            broken++;
            fh_state_restore(state, before);
        } else {
            kept++;
            begin_step();
        }
    }
    ck_assert_uint_gt(kept, 200);
    ck_assert_uint_gt(broken, 200);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, invariants_stand_in_the_order_of_the_spec_ten_of_them_shared);
    tcase_add_test(tests, witness_is_told_in_one_line_with_signs_and_cut_off_where_the_buffer_ends);
    tcase_add_test(tests, owners_and_states_of_a_witness_have_names);
    tcase_add_test(tests, base_state_of_each_profile_satisfies_every_invariant);
    tcase_add_test(tests, host_entry_whose_frame_is_not_its_descriptors_is_found);
    tcase_add_test(tests, host_entry_that_maps_another_frame_is_found_and_the_smallest_one_named);
    tcase_add_test(tests, host_entry_without_a_frame_may_stand_anywhere);
    tcase_add_test(tests, host_may_map_a_vm_page_only_while_it_is_shared);
    tcase_add_test(tests, host_may_map_pages_that_nobody_owns);
    tcase_add_test(tests, page_of_the_host_has_the_gfn_of_host_pages);
    tcase_add_test(tests, gfn_of_a_host_page_does_not_wrap_at_64_bits);
    tcase_add_test(tests, page_0_must_belong_to_nobody);
    tcase_add_test(tests, vm_must_not_keep_a_page_mapped_that_went_to_another_owner);
    tcase_add_test(tests, vm_must_not_keep_an_unowned_page_mapped_that_somebody_gets);
    tcase_add_test(tests, powered_off_vm_is_not_bound_until_it_is_back);
    tcase_add_test(tests, core_and_what_is_beyond_it_are_no_vms);
    tcase_add_test(tests, smmu_entry_whose_frame_is_not_its_descriptors_is_found);
    tcase_add_test(tests, bank_must_not_belong_to_the_core_or_beyond);
    tcase_add_test(tests, bank_that_is_beyond_the_last_one_is_not_looked_at);
    tcase_add_test(tests, bank_must_not_keep_a_page_that_its_vm_lost);
    tcase_add_test(tests, bank_must_map_a_page_at_its_own_gfn);
    tcase_add_test(tests, bank_that_changes_hands_must_not_bring_mappings_along);
    tcase_add_test(tests, host_page_is_counted_once_for_each_bank_of_the_host_that_maps_it);
    tcase_add_test(tests, bank_of_the_host_that_maps_one_more_page_must_be_counted);
    tcase_add_test(tests, page_0_is_counted_like_any_other);
    tcase_add_test(tests, default_of_a_table_counts_at_every_frame_and_the_first_free_one_is_named);
    tcase_add_test(tests, default_of_a_vms_table_may_map_a_page_of_the_vm_everywhere);
    tcase_add_test(tests, default_of_the_hosts_table_may_break_all_that_its_entries_may);
    tcase_add_test(tests, default_of_a_vms_table_that_changes_is_looked_at);
    tcase_add_test(tests, pages_cannot_all_belong_to_the_host_by_default);
    tcase_add_test(tests, default_pages_of_the_host_are_counted_where_its_banks_map_them);
    tcase_add_test(tests, default_pages_that_are_mapped_by_default_are_counted_from_the_first_one);
    tcase_add_test(tests, default_of_a_banks_table_that_changes_is_looked_at);
    tcase_add_test(tests, default_of_a_banks_table_counts_for_every_page_of_the_host);
    tcase_add_test(tests, cpu_may_be_in_the_host_in_the_core_or_in_a_vm);
    tcase_add_test(tests, numbers_of_the_cpu_have_ranges);
    tcase_add_test(tests, host_runs_as_the_host_and_a_vm_as_a_vm);
    tcase_add_test(tests, vcpu_of_host_and_core_is_the_cpu);
    tcase_add_test(tests, vcpu_that_never_ran_is_not_current);
    tcase_add_test(tests, negative_vcpu_has_the_context_that_lies_so_far_below);
    tcase_add_test(tests, number_of_a_context_does_not_wrap_at_64_bits);
    tcase_add_loop_test(tests, check_of_a_step_finds_what_the_check_of_the_whole_state_finds, 1, 6);
}

int main(void)
{
    return run_tests("invariants", add);
}
