/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <string.h>

static uint64_t constant(const struct fh_profile *profile, const char *name)
{
    uint64_t value = 0;
    ck_assert_msg(fh_profile_constant(profile, name, strlen(name), &value), "no %s", name);
    return value;
}

START_TEST(profiles_are_found_by_their_names)
{
    ck_assert_ptr_eq(fh_profile_find("spec"), &fh_profile_spec);
    ck_assert_ptr_eq(fh_profile_find("sekvm-4.18"), &fh_profile_sekvm_4_18);
    ck_assert_ptr_null(fh_profile_find("sekvm"));
    ck_assert_ptr_null(fh_profile_find("spec "));
    ck_assert_ptr_null(fh_profile_find(""));
}
END_TEST

START_TEST(profiles_by_number_end_with_null)
{
    ck_assert_ptr_nonnull(fh_profile_at(0));
    ck_assert_ptr_nonnull(fh_profile_at(1));
    ck_assert_ptr_null(fh_profile_at(2));
}
END_TEST

START_TEST(spec_profile_has_the_values_of_the_coq_development)
{
    ck_assert_uint_eq(constant(&fh_profile_spec, "KVM_PHYS_SIZE"), (uint64_t)1 << 40);
    ck_assert_uint_eq(constant(&fh_profile_spec, "KVM_ADDR_SPACE"), (uint64_t)1 << 48);
    ck_assert_uint_eq(constant(&fh_profile_spec, "INVALID64"), UINT64_MAX);
    ck_assert_uint_eq(constant(&fh_profile_spec, "COREVISOR"), 16);
    ck_assert_uint_eq(constant(&fh_profile_spec, "HPFAR_MASK"), 65535);
    ck_assert_uint_eq(constant(&fh_profile_spec, "MAX_SHARE_COUNT"), 100);
    ck_assert_uint_eq(constant(&fh_profile_spec, "HVC_KVM_SET_DESC_PFN"), 11);
    ck_assert_uint_eq(constant(&fh_profile_spec, "NPT_ID"), 5);
    ck_assert_uint_eq(constant(&fh_profile_spec, "INFO_ID"), 22);
}
END_TEST

START_TEST(kernel_profile_differs_where_the_kernel_does)
{
    /* arch/arm64/include/asm: HPFAR_EL2 holds the page in bits 4 and up. */
    ck_assert_uint_eq(constant(&fh_profile_sekvm_4_18, "HPFAR_MASK"), ~(uint64_t)15);
    ck_assert_uint_eq(constant(&fh_profile_sekvm_4_18, "STAGE2_LEVELS"), 3);
    ck_assert_uint_eq(constant(&fh_profile_spec, "STAGE2_LEVELS"), 4);
}
END_TEST

START_TEST(part_of_a_constants_name_names_nothing)
{
    uint64_t value;
    ck_assert(!fh_profile_constant(&fh_profile_spec, "INVALI", 6, &value));
    ck_assert(!fh_profile_constant(&fh_profile_spec, "INVALID65", 9, &value));
    ck_assert(!fh_profile_constant(&fh_profile_spec, "", 0, &value));
    ck_assert(fh_profile_constant(&fh_profile_spec, "INVALID64 and more", 9, &value));
}
END_TEST

START_TEST(every_listed_constant_can_be_looked_up_and_none_twice)
{
    unsigned count = 0;
    for (; fh_constant_name(count); count++) {
        constant(&fh_profile_spec, fh_constant_name(count));
        for (unsigned i = 0; i < count; i++)
            ck_assert_str_ne(fh_constant_name(i), fh_constant_name(count));
    }
    ck_assert_uint_gt(count, 100);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, profiles_are_found_by_their_names);
    tcase_add_test(tests, profiles_by_number_end_with_null);
    tcase_add_test(tests, spec_profile_has_the_values_of_the_coq_development);
    tcase_add_test(tests, kernel_profile_differs_where_the_kernel_does);
    tcase_add_test(tests, part_of_a_constants_name_names_nothing);
    tcase_add_test(tests, every_listed_constant_can_be_looked_up_and_none_twice);
}

int main(void)
{
    return run_tests("profile", add);
}
