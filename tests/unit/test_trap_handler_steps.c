/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

#include <stdio.h>
#include <string.h>

/*
 * Steps that panic in the middle: which locks the CPU keeps (hlock), and what has changed by then.
 * A page that lies in a block of the host's table cannot be taken out of it; a table that needs a
 * page more than its pool has cannot grow.
 */

enum { READY = 2, VERIFIED = 3, POWEROFF = 4 };
enum { S2PAGE = 2, SPT = 3, SMMU = 4, HOST_TABLE = 5, TABLE_1 = 6, CORE_TABLE = 21 };
enum { HOST_INFO = 22, INFO_1 = 23, LOCKS = 39 };
enum { PAGE = 0x210 };

static void host_calls(const char *number, uint64_t x1, uint64_t x2, uint64_t x3, uint64_t x4,
                       uint64_t x5)
{
    uint64_t value;
    ck_assert(fh_profile_constant(fh_state_profile(machine), number, strlen(number), &value));
    set("regs.ctxt_regs.x0", value);
    set("regs.ctxt_regs.x1", x1);
    set("regs.ctxt_regs.x2", x2);
    set("regs.ctxt_regs.x3", x3);
    set("regs.ctxt_regs.x4", x4);
    set("regs.ctxt_regs.x5", x5);
}

/* The hypercall panics and keeps these locks and no other. */
static void assert_halts_keeping(const unsigned *kept, size_t count)
{
    assert_halts("host_hvc_handler");
    for (unsigned id = 0; id < LOCKS; id++) {
        char place[32];
        bool is_kept = false;
        for (size_t i = 0; i < count; i++)
            is_kept |= kept[i] == id;
        snprintf(place, sizeof place, "shared.hlock.%u", id);
        ck_assert_msg(get(place) == !is_kept, "lock %u", id);
    }
}
#define ASSERT_HALTS_KEEPING(...)                                                                  \
    assert_halts_keeping((const unsigned[]){__VA_ARGS__},                                          \
                         sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned))

static void give_page(uint64_t owner, uint64_t gfn)
{
    set("shared.s2page.0x210.s2_owner", owner);
    set("shared.s2page.0x210.s2_gfn", gfn);
}

static void give_block_to_host(void)
{
    call("map_s2pt 0 0x200000 2 0x200ffd");
}

START_TEST(a_page_to_be_cleared_stays_in_a_block_of_the_host)
{
    give_block_to_host();
    give_page(1, 7);
    set("shared.vminfos.1.VS.vm_state", POWEROFF);
    set("shared.flatmem.0x210", 99);
    host_calls("HVC_CLEAR_VM_S2_RANGE", 1, PAGE << 12, 0x2000, 0, 0);
    ASSERT_HALTS_KEEPING(S2PAGE, HOST_TABLE);
    ck_assert_uint_eq(get("shared.s2page.0x210.s2_owner"), 1);
    ck_assert_uint_eq(get("shared.flatmem.0x210"), 99);
    ck_assert_uint_eq(get("shared.npts.0.pt.0x210.level"), 2);
}
END_TEST

START_TEST(a_page_for_a_device_stays_in_a_block_of_the_host)
{
    give_block_to_host();
    give_page(0, 7);
    set("shared.vminfos.1.VS.vm_state", READY);
    set("shared.smmu_vmid.0", 1);
    host_calls("HVC_SMMU_LPAE_MAP", 0x7000, PAGE << 12, 0, 0, 0);
    ASSERT_HALTS_KEEPING(SMMU, INFO_1, S2PAGE, HOST_TABLE);
    ck_assert_uint_eq(get("shared.s2page.0x210.s2_owner"), 0);
    ck_assert_uint_eq(get("shared.s2page.0x210.s2_count"), 0);
}
END_TEST

START_TEST(a_page_to_be_decrypted_stays_in_a_block_of_the_host)
{
    give_block_to_host();
    give_page(0, 7);
    set("shared.vminfos.1.VS.vm_state", READY);
    host_calls("HVC_DECRYPT_BUF", 1, PAGE << 12, 0, 0, 0);
    ASSERT_HALTS_KEEPING(INFO_1, S2PAGE, HOST_TABLE);
    ck_assert_uint_eq(get("shared.s2page.0x210.s2_owner"), 0);
    ck_assert_uint_eq(get("data_log.0"), 0);
}
END_TEST

/* The end of the pool of KCore or of VM 1: npt.pt_pmd_next at the first address behind it. */
static void use_up_tables(const char *place, uint64_t vmid)
{
    set(place, 0x10000 + (vmid + 1) * 0x2000000);
}

START_TEST(a_device_page_needs_a_table_of_the_vm)
{
    set("shared.vminfos.1.VS.vm_state", READY);
    use_up_tables("shared.npts.1.pt_pmd_next", 1);
    host_calls("HVC_PHYS_ADDR_IOREMAP", 1, 0x7000, 0x9000000, 0x1000, 0);
    ASSERT_HALTS_KEEPING(INFO_1, S2PAGE, TABLE_1);
    ck_assert_uint_eq(get("shared.npts.1.pt.7.pte"), 0);
}
END_TEST

START_TEST(a_page_of_an_image_needs_a_table_of_kcore)
{
    set("shared.vminfos.1.VS.vm_state", READY);
    set("shared.vminfos.1.VB.vm_next_load_info", 1);
    set("shared.vminfos.1.VB.vm_load_size.0", 0x1000);
    use_up_tables("shared.npts.16.pt_pmd_next", 16);
    host_calls("HVC_REMAP_VM_IMAGE", 1, PAGE, 0, 0, 0);
    ASSERT_HALTS_KEEPING(INFO_1, CORE_TABLE);
    ck_assert_uint_eq(get("shared.vminfos.1.VB.vm_mapped_pages.0"), 0);
}
END_TEST

START_TEST(a_page_for_a_device_needs_a_table_of_the_smmu)
{
    give_page(1, 7);
    set("shared.vminfos.1.VS.vm_state", READY);
    set("shared.smmu_vmid.0", 1);
    set("shared.spts.spt_pmd_next", 0x310000);
    host_calls("HVC_SMMU_LPAE_MAP", 0x7000, PAGE << 12, 0, 0, 0);
    ASSERT_HALTS_KEEPING(SMMU, INFO_1, S2PAGE, SPT);
}
END_TEST

/* As the spec has it, a mapping is cleared by one of 0, which may need tables that are not there.
 */
START_TEST(clearing_a_device_page_may_need_a_table_of_the_smmu)
{
    set("shared.smmu_vmid.0", 0);
    set("shared.spts.spt_pt.0x10000.7.pte", PAGE << 12 | 3);
    set("shared.spts.spt_pmd_next", 0x310000);
    host_calls("HVC_SMMU_CLEAR", 0x7000, 0, 0, 0, 0);
    ASSERT_HALTS_KEEPING(SMMU, HOST_INFO, S2PAGE, SPT);
}
END_TEST

START_TEST(a_verified_vm_keeps_its_device_tables)
{
    set("shared.vminfos.1.VS.vm_state", VERIFIED);
    set("shared.smmu_vmid.0", 1);
    host_calls("HVC_SMMU_CLEAR", 0x7000, 0, 0, 0, 0);
    ASSERT_HALTS_KEEPING(SMMU, INFO_1);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_page_to_be_cleared_stays_in_a_block_of_the_host);
    tcase_add_test(tests, a_page_for_a_device_stays_in_a_block_of_the_host);
    tcase_add_test(tests, a_page_to_be_decrypted_stays_in_a_block_of_the_host);
    tcase_add_test(tests, a_device_page_needs_a_table_of_the_vm);
    tcase_add_test(tests, a_page_of_an_image_needs_a_table_of_kcore);
    tcase_add_test(tests, a_page_for_a_device_needs_a_table_of_the_smmu);
    tcase_add_test(tests, clearing_a_device_page_may_need_a_table_of_the_smmu);
    tcase_add_test(tests, a_verified_vm_keeps_its_device_tables);
}

int main(void)
{
    return run_layer_tests("trap_handler_steps", add);
}
