/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <string.h>

#include <faulthandler/arm_stage2.h>

/* Expected values: Arm ARM, "VMSAv8-64 descriptor formats"; and descriptors of Linux and KVM. */

static const struct fh_arm_stage2 pages_4k = {12, false, false}, pages_16k = {14, false, false},
                                  pages_64k = {16, false, false};
static const struct fh_arm_stage2 formats[] = {
    {12, false, false}, {12, true, false}, {14, false, false},
    {14, true, true},   {16, false, true}, {16, true, false},
};

enum { FORMATS = sizeof formats / sizeof *formats };

START_TEST(every_descriptor_is_what_its_parts_make)
{
    uint64_t seed = 7;
    for (unsigned f = 0; f < FORMATS; f++) {
        for (int level = -1; level <= 3; level++) {
            for (unsigned i = 0; i < 20000; i++) {
                const uint64_t word = random_u64(&seed) & (i < 64 ? UINT64_C(1) << i | 3 : ~0ull);
                const struct fh_arm_descriptor parts =
                    fh_arm_descriptor_of(&formats[f], level, word);
                ck_assert_uint_eq(fh_arm_descriptor_word(&formats[f], level, &parts), word);
            }
        }
    }
}
END_TEST

/* Each field of a leaf with each value, at each address bit. */
START_TEST(every_part_comes_back_from_the_descriptor)
{
    const struct fh_arm_layout *layout = fh_arm_stage2_leaf_layout();
    for (unsigned i = 0; i < layout->nfields; i++) {
        const struct fh_arm_field *field = &layout->fields[i];
        if (strcmp(field->name, "nT") == 0)
            continue;
        for (uint64_t value = 0; value >> (field->high - field->low + 1) == 0; value++) {
            const uint64_t leaf = fh_arm_put(value, field->high, field->low) | 3;
            const struct fh_arm_descriptor page = {.kind = FH_ARM_PAGE,
                                                   .address = 0xabcdef012000,
                                                   .leaf = fh_arm_stage2_leaf_of(leaf)};
            const struct fh_arm_descriptor back =
                fh_arm_descriptor_of(&pages_4k, 3, fh_arm_descriptor_word(&pages_4k, 3, &page));
            ck_assert_uint_eq(fh_arm_stage2_leaf_word(&back.leaf), leaf);
            ck_assert_uint_eq(back.address, page.address);
            ck_assert_uint_eq(back.rest, 0);
        }
    }
}
END_TEST

static void assert_kind(const struct fh_arm_stage2 *stage2, int level, uint64_t word,
                        enum fh_arm_descriptor_kind kind)
{
    const struct fh_arm_descriptor descriptor = fh_arm_descriptor_of(stage2, level, word);
    ck_assert_str_eq(fh_arm_descriptor_kind_name(descriptor.kind),
                     fh_arm_descriptor_kind_name(kind));
}

START_TEST(kinds_follow_from_the_low_bits_and_the_level)
{
    assert_kind(&pages_4k, 0, 1, FH_ARM_RESERVED);
    assert_kind(&pages_4k, 1, 1, FH_ARM_BLOCK);
    assert_kind(&pages_4k, 2, 1, FH_ARM_BLOCK);
    assert_kind(&pages_4k, 3, 1, FH_ARM_RESERVED);
    assert_kind(&pages_4k, 3, 3, FH_ARM_PAGE);
    assert_kind(&pages_4k, 2, 3, FH_ARM_TABLE);
    assert_kind(&pages_4k, 2, 2, FH_ARM_INVALID);
    assert_kind(&pages_16k, 1, 1, FH_ARM_RESERVED);
    assert_kind(&pages_16k, 2, 1, FH_ARM_BLOCK);
    assert_kind(&pages_64k, 1, 1, FH_ARM_RESERVED);
    assert_kind(&(struct fh_arm_stage2){12, true, false}, 0, 1, FH_ARM_BLOCK);
    assert_kind(&(struct fh_arm_stage2){16, true, false}, 1, 1, FH_ARM_BLOCK);
}
END_TEST

static void assert_address(const struct fh_arm_stage2 *stage2, int level, uint64_t word,
                           uint64_t address)
{
    ck_assert_uint_eq(fh_arm_descriptor_of(stage2, level, word).address, address);
}

START_TEST(addresses_stand_where_the_granule_has_them)
{
    assert_address(&pages_4k, 3, ~0ull, 0xfffffffff000);
    assert_address(&pages_4k, 2, ~0ull ^ 2, 0xffffffe00000);
    assert_address(&pages_4k, 1, ~0ull ^ 2, 0xffffc0000000);
    assert_address(&pages_4k, 1, ~0ull, 0xfffffffff000);
    assert_address(&pages_16k, 3, ~0ull, 0xffffffffc000);
    assert_address(&pages_16k, 2, ~0ull ^ 2, 0xfffffe000000);
    assert_address(&pages_64k, 3, ~0ull, 0xffffffff0000);
    assert_address(&pages_64k, 2, ~0ull ^ 2, 0xffffe0000000);
    assert_address(&pages_4k, 3, ~0ull ^ 1, 0);
    /* Bits 51..50 in 9..8, and 51..48 in 15..12. */
    assert_address(&(struct fh_arm_stage2){12, true, false}, 3, 0x203, 0x8000000000000);
    assert_address(&(struct fh_arm_stage2){12, true, false}, 3, ~0ull, 0xffffffffff000);
    assert_address(&(struct fh_arm_stage2){16, true, false}, 3, 0x8003, 0x8000000000000);
    assert_address(&(struct fh_arm_stage2){16, true, false}, 3, ~0ull, 0xfffffffff0000);
}
END_TEST

START_TEST(levels_translate_the_bits_of_the_manual)
{
    static const unsigned expected[3][4] = {{39, 30, 21, 12}, {47, 36, 25, 14}, {55, 42, 29, 16}};
    for (unsigned granule = 0; granule < 3; granule++) {
        for (int level = 0; level < 4; level++)
            ck_assert_uint_eq(fh_arm_level_shift(12 + 2 * granule, level),
                              expected[granule][level]);
    }
}
END_TEST

START_TEST(memory_types_differ_with_fwb)
{
    ck_assert_str_eq(fh_arm_memattr_name(0, false), "Device-nGnRnE");
    ck_assert_str_eq(fh_arm_memattr_name(1, true), "Device-nGnRE");
    ck_assert_str_eq(fh_arm_memattr_name(15, false), "Normal, outer and inner write-back");
    ck_assert_str_eq(fh_arm_memattr_name(5, false), "Normal, outer and inner non-cacheable");
    ck_assert_str_eq(fh_arm_memattr_name(6, true),
                     "Normal, write-back whatever stage 1 says (FWB)");
    ck_assert_str_eq(fh_arm_memattr_name(4, false), "reserved");
    ck_assert_str_eq(fh_arm_memattr_name(8, true), "reserved");
}
END_TEST

static void assert_described(const struct fh_arm_stage2 *stage2, int level, uint64_t word,
                             const char *expected)
{
    char text[256];
    ck_assert_uint_eq(fh_arm_describe_descriptor(stage2, level, word, text, sizeof text),
                      strlen(expected));
    ck_assert_str_eq(text, expected);
}

START_TEST(descriptors_are_said_in_words)
{
    assert_described(&pages_4k, 3, 0x80000fff,
                     "page of 4 KiB at 0x80000000: read and write, executable at EL1 and EL0, "
                     "Normal, outer and inner write-back, inner shareable, FnXS");
    /* Linux 4.18's PAGE_S2_DEVICE: read-only until somebody writes, never executed. */
    assert_described(&pages_4k, 3, 0x40000009000747,
                     "page of 4 KiB at 0x9000000: read-only, not executable, Device-nGnRE, inner "
                     "shareable");
    assert_described(&pages_4k, 2, 0x1000000402002fd,
                     "block of 2 MiB at 0x40200000: read and write, executable at EL1 and EL0, "
                     "Normal, outer and inner write-back, outer shareable, access flag is 0: an "
                     "access faults, software bits 0x100000000000000");
    assert_described(&pages_4k, 1, 0x40213003, "table at 0x40213000");
    assert_described(&pages_4k, 3, 0, "invalid");
    assert_described(&pages_4k, 3, 0x100, "invalid, other bits 0x100");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, every_descriptor_is_what_its_parts_make);
    tcase_add_test(tests, every_part_comes_back_from_the_descriptor);
    tcase_add_test(tests, kinds_follow_from_the_low_bits_and_the_level);
    tcase_add_test(tests, addresses_stand_where_the_granule_has_them);
    tcase_add_test(tests, levels_translate_the_bits_of_the_manual);
    tcase_add_test(tests, memory_types_differ_with_fwb);
    tcase_add_test(tests, descriptors_are_said_in_words);
}

int main(void)
{
    return run_tests("arm_stage2", add);
}
