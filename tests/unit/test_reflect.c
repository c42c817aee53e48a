/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <string.h>

#include "state/machine.h"

static const struct fh_type *field_type(const struct fh_type *type, const char *name)
{
    const struct fh_field *field = fh_type_field(type, name, strlen(name));
    ck_assert_msg(field != NULL, "no field %s", name);
    return field->type;
}

START_TEST(fields_stand_where_the_structs_have_them)
{
    const struct fh_type *rdata = fh_rdata_type();
    ck_assert_uint_eq(fh_type_field(rdata, "halt", 4)->offset, offsetof(struct fh_rdata, halt));
    ck_assert_uint_eq(fh_type_field(rdata, "shared", 6)->offset, offsetof(struct fh_rdata, shared));
    const struct fh_type *npt = field_type(field_type(rdata, "shared"), "npts")->value;
    ck_assert_int_eq(npt->kind, FH_KIND_REF);
    ck_assert_uint_eq(npt->record_size, sizeof(struct fh_npt));
    ck_assert_uint_eq(fh_type_field(npt, "pt_pmd_next", 11)->offset,
                      offsetof(struct fh_npt, pt_pmd_next));
}
END_TEST

START_TEST(part_of_a_fields_name_names_nothing)
{
    const struct fh_type *rdata = fh_rdata_type();
    ck_assert_ptr_null(fh_type_field(rdata, "hal", 3));
    ck_assert_ptr_null(fh_type_field(rdata, "halted", 6));
    ck_assert_ptr_null(fh_type_field(rdata, "", 0));
    ck_assert_ptr_nonnull(fh_type_field(rdata, "halted", 4));
    ck_assert_ptr_null(fh_type_field(type_of_u64, "halt", 4));
}
END_TEST

START_TEST(fields_come_in_the_order_of_the_record)
{
    static const char *const names[] = {"halt", "icore", "ihost", "tstate", "curid", "cur_vmid"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_str_eq(fh_rdata_type()->fields[i].name, names[i]);
    ck_assert_uint_eq(fh_rdata_type()->nfields, 24);
}
END_TEST

START_TEST(index_of_a_field_is_its_place_among_the_fields)
{
    const struct fh_type *rdata = fh_rdata_type();
    const struct fh_type *ctxt = FH_FIELD_TYPE(rdata, rdata, regs);
    ck_assert_uint_eq(FH_FIELDS_OF_rdata, rdata->nfields);
    ck_assert_uint_eq(FH_FIELDS_OF_ctxt, ctxt->nfields);
#define ASSERT_INDEX(field, type)                                                                  \
    ck_assert_str_eq(rdata->fields[FH_FIELD_rdata_##field].name, #field);
    FH_FIELDS_rdata(ASSERT_INDEX)
#undef ASSERT_INDEX
        ck_assert_ptr_eq(FH_FIELD_TYPE(ctxt, ctxt, ctxt_states), field_type(ctxt, "ctxt_states"));
}
END_TEST

START_TEST(untouched_entries_read_as_the_defaults_of_the_base_state)
{
    const struct fh_type *shared = field_type(fh_rdata_type(), "shared");
    const struct fh_s2page *page = field_type(shared, "s2page")->value->as_value.fallback;
    ck_assert_uint_eq(page->s2_owner, 0xffffffff);
    ck_assert_uint_eq(page->s2_count, 0);
    ck_assert_uint_eq(page->s2_gfn, UINT64_MAX);
    const struct fh_type *smmu_vmid = field_type(shared, "smmu_vmid")->value;
    ck_assert_uint_eq(fh_scalar_get(smmu_vmid, smmu_vmid->as_value.fallback), 0xffffffff);
    const struct fh_type *hlock = field_type(shared, "hlock")->value;
    ck_assert_uint_eq(fh_scalar_get(hlock, hlock->as_value.fallback), 1);
    const struct fh_type *flatmem = field_type(shared, "flatmem")->value;
    ck_assert_uint_eq(fh_scalar_get(flatmem, flatmem->as_value.fallback), 0);
}
END_TEST

START_TEST(scalar_that_does_not_fit_is_refused_and_nothing_changes)
{
    const struct fh_type *rdata = fh_rdata_type();
    const struct fh_type *page = field_type(field_type(rdata, "shared"), "s2page")->value;
    struct fh_s2page value = {.s2_owner = 5};
    const struct fh_type *owner = field_type(page, "s2_owner");
    ck_assert(!fh_scalar_set(owner, &value.s2_owner, (uint64_t)1 << 32));
    ck_assert_uint_eq(value.s2_owner, 5);
    ck_assert(fh_scalar_set(owner, &value.s2_owner, 0xffffffff));
    ck_assert_uint_eq(value.s2_owner, 0xffffffff);
    bool halt = false;
    ck_assert(!fh_scalar_set(field_type(rdata, "halt"), &halt, 2));
    ck_assert(fh_scalar_set(field_type(rdata, "halt"), &halt, 1));
    ck_assert(halt);
    uint8_t bars = FH_BARRIER_NEEDED;
    ck_assert(!fh_scalar_set(field_type(rdata, "bars"), &bars, 3));
    ck_assert_uint_eq(bars, FH_BARRIER_NEEDED);
}
END_TEST

START_TEST(negative_vcpuid_reads_as_its_twos_complement)
{
    const struct fh_type *type = field_type(fh_rdata_type(), "cur_vcpuid");
    int64_t vcpuid = 0;
    ck_assert(fh_scalar_set(type, &vcpuid, UINT64_MAX));
    ck_assert_int_eq(vcpuid, -1);
    ck_assert_uint_eq(fh_scalar_get(type, &vcpuid), UINT64_MAX);
}
END_TEST

START_TEST(page_table_entry_keeps_its_three_parts_apart)
{
    struct fh_pt_entry entry = {0};
    ck_assert(fh_tuple_set(type_of_pt_entry, &entry, 0, ((uint64_t)1 << 60) - 1));
    ck_assert(fh_tuple_set(type_of_pt_entry, &entry, 1, 3));
    ck_assert(fh_tuple_set(type_of_pt_entry, &entry, 2, UINT64_MAX));
    ck_assert(!fh_tuple_set(type_of_pt_entry, &entry, 0, (uint64_t)1 << 60));
    ck_assert(!fh_tuple_set(type_of_pt_entry, &entry, 1, 16));
    ck_assert_uint_eq(fh_tuple_get(type_of_pt_entry, &entry, 0), ((uint64_t)1 << 60) - 1);
    ck_assert_uint_eq(fh_tuple_get(type_of_pt_entry, &entry, 1), 3);
    ck_assert_uint_eq(fh_tuple_get(type_of_pt_entry, &entry, 2), UINT64_MAX);
}
END_TEST

START_TEST(keys_of_nested_maps_are_packed_and_come_back)
{
    const struct fh_type *shared = field_type(fh_rdata_type(), "shared");
    const struct fh_type *npt = field_type(shared, "npts")->value;
    const struct fh_type *pmd_t = field_type(npt, "pmd_t");
    ck_assert_uint_eq(pmd_t->depth, 3);
    const uint64_t keys[] = {511, 0, 3};
    uint64_t packed, back[FH_MAP_DEPTH_MAX];
    ck_assert(fh_map_pack_key(pmd_t, keys, &packed));
    /* Three table indices of 9 bits: exactly an address shifted right by 21. */
    ck_assert_uint_eq(packed, (uint64_t)511 << 18 | 3);
    fh_map_unpack_key(pmd_t, packed, back);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(back[i], keys[i]);
    ck_assert(!fh_map_pack_key(pmd_t, (const uint64_t[]){0, 512, 0}, &packed));
}
END_TEST

START_TEST(reference_to_nothing_reads_as_the_zero_record)
{
    struct fh_npt *nothing = NULL;
    const struct fh_npt *npt = fh_ref_record(type_of_ref_npt, &nothing);
    ck_assert_uint_eq(npt->pt_pgd_next, 0);
    ck_assert_ptr_null(npt->pt.root);
}
END_TEST

START_TEST(shared_record_is_copied_before_it_is_written)
{
    struct memory memory;
    memory_init(&memory);
    struct fh_npt *first = NULL;
    ck_assert(fh_ref_own(type_of_ref_npt, &first, &memory.allocator));
    first->pt_pgd_next = 1;
    struct fh_npt *second = first;
    fh_value_retain(type_of_ref_npt, &second);
    ck_assert(fh_ref_own(type_of_ref_npt, &second, &memory.allocator));
    ck_assert_ptr_ne(first, second);
    second->pt_pgd_next = 2;
    ck_assert_uint_eq(first->pt_pgd_next, 1);
    struct fh_npt *same = second;
    ck_assert(fh_ref_own(type_of_ref_npt, &second, &memory.allocator));
    ck_assert_ptr_eq(second, same);
    fh_value_release(type_of_ref_npt, &first, &memory.allocator);
    fh_value_release(type_of_ref_npt, &second, &memory.allocator);
    ck_assert_ptr_null(second);
    ck_assert_uint_eq(memory.blocks, 0);
}
END_TEST

START_TEST(snapshot_events_carry_the_object_of_their_lock)
{
    ck_assert_str_eq(fh_event_object_type(FH_EVENT_ONPT)->name, "npt");
    ck_assert_str_eq(fh_event_object_type(FH_EVENT_OVMINFO)->name, "vminfo");
    ck_assert_int_eq(fh_event_object_type(FH_EVENT_OS2_PAGE)->kind, FH_KIND_MAP);
    ck_assert_ptr_null(fh_event_object_type(FH_EVENT_OPULL));
    ck_assert_ptr_null(fh_event_object_type(FH_EVENT_REL_LOCK));
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, fields_stand_where_the_structs_have_them);
    tcase_add_test(tests, part_of_a_fields_name_names_nothing);
    tcase_add_test(tests, fields_come_in_the_order_of_the_record);
    tcase_add_test(tests, index_of_a_field_is_its_place_among_the_fields);
    tcase_add_test(tests, untouched_entries_read_as_the_defaults_of_the_base_state);
    tcase_add_test(tests, scalar_that_does_not_fit_is_refused_and_nothing_changes);
    tcase_add_test(tests, negative_vcpuid_reads_as_its_twos_complement);
    tcase_add_test(tests, page_table_entry_keeps_its_three_parts_apart);
    tcase_add_test(tests, keys_of_nested_maps_are_packed_and_come_back);
    tcase_add_test(tests, reference_to_nothing_reads_as_the_zero_record);
    tcase_add_test(tests, shared_record_is_copied_before_it_is_written);
    tcase_add_test(tests, snapshot_events_carry_the_object_of_their_lock);
}

int main(void)
{
    return run_tests("reflect", add);
}
