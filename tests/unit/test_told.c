/* SPDX-License-Identifier: GPL-2.0-only */
/* What an observer is told of one write of the state, of one read, and of a function: each value.
 */
#include "layers.h"

#include <string.h>

enum { SEEN_MAX = 256 };

static struct fh_effect seen[SEEN_MAX];
static unsigned nseen;

static void see(void *context, const struct fh_effect *effect)
{
    (void)context;
    ck_assert_uint_lt(nseen, SEEN_MAX);
    seen[nseen++] = *effect;
}

static void look(void)
{
    fh_state_environment(machine)->observer = see;
    nseen = 0;
}

/* The n-th effect of a kind; the call has told of so many. */
static const struct fh_effect *effect_of(enum fh_effect_kind kind, unsigned n)
{
    for (unsigned i = 0; i < nseen; i++) {
        if (seen[i].kind == kind && n-- == 0)
            return &seen[i];
    }
    return NULL;
}

static void assert_told(const char *text, enum fh_effect_kind kind, const uint64_t *values)
{
    const struct fh_effect *effect = effect_of(kind, 0);
    ck_assert_msg(effect != NULL, "%s: nothing is told", text);
    for (unsigned i = 0; i < fh_effect_nvalues(kind); i++)
        ck_assert_msg(effect->values[i] == values[i], "%s: value %u is %#llx", text, i,
                      (unsigned long long)effect->values[i]);
    ck_assert_msg(effect_of(kind, 1) == NULL, "%s: it is told twice", text);
}

/* A place that is set before, the lock that is held (a place, too), the call, and its effect. */
static const struct row {
    const char *before;
    uint64_t was;
    const char *lock;
    const char *call;
    enum fh_effect_kind kind;
    uint64_t values[6];
} rows[] = {
    {"shared.s2page.0x300.s2_owner",
     4,
     "lock.2",
     "set_pfn_owner 0x300 3",
     FH_EFFECT_S2_SET,
     {0x300, 0, 4, 3}},
    {"shared.s2page.0x300.s2_count",
     4,
     "lock.2",
     "set_pfn_count 0x300 3",
     FH_EFFECT_S2_SET,
     {0x300, 1, 4, 3}},
    {"shared.s2page.0x300.s2_gfn",
     4,
     "lock.2",
     "set_pfn_map 0x300 3",
     FH_EFFECT_S2_SET,
     {0x300, 2, 4, 3}},
    {"shared.s2page.0x300.s2_owner",
     4,
     "lock.2",
     "get_pfn_owner 0x300",
     FH_EFFECT_S2_READ,
     {0x300, 0, 4}},
    {"shared.s2page.0x300.s2_count",
     4,
     "lock.2",
     "get_pfn_count 0x300",
     FH_EFFECT_S2_READ,
     {0x300, 1, 4}},
    {"shared.s2page.0x300.s2_gfn",
     4,
     "lock.2",
     "get_pfn_map 0x300",
     FH_EFFECT_S2_READ,
     {0x300, 2, 4}},
    {NULL, 0, "lock.1", "set_next_vmid 7", FH_EFFECT_CORE_SET, {0, 7}},
    {NULL, 0, "lock.1", "set_next_remap_ptr 0x7000", FH_EFFECT_CORE_SET, {1, 0x7000}},
    {NULL, 0, "lock.25", "set_vm_state 3 2", FH_EFFECT_VM_SET, {3, FH_VM_STATE, 0, 2}},
    {NULL, 0, "lock.25", "set_vcpu_state 3 1 2", FH_EFFECT_VM_SET, {3, FH_VM_VCPU_STATE, 1, 2}},
    {NULL, 0, "lock.25", "set_vm_kvm 3 9", FH_EFFECT_VM_SET, {3, FH_VM_KVM, 0, 9}},
    {NULL, 0, "lock.25", "set_vm_vcpu 3 1 9", FH_EFFECT_VM_SET, {3, FH_VM_VCPU, 1, 9}},
    {NULL,
     0,
     "lock.25",
     "set_vm_next_load_idx 3 2",
     FH_EFFECT_VM_SET,
     {3, FH_VM_NEXT_LOAD_IDX, 0, 2}},
    {NULL,
     0,
     "lock.25",
     "set_vm_load_addr 3 1 0x7000",
     FH_EFFECT_VM_SET,
     {3, FH_VM_LOAD_ADDR, 1, 0x7000}},
    {NULL,
     0,
     "lock.25",
     "set_vm_load_size 3 1 0x7000",
     FH_EFFECT_VM_SET,
     {3, FH_VM_LOAD_SIZE, 1, 0x7000}},
    {NULL,
     0,
     "lock.25",
     "set_vm_remap_addr 3 1 0x7000",
     FH_EFFECT_VM_SET,
     {3, FH_VM_REMAP_ADDR, 1, 0x7000}},
    {NULL, 0, "lock.25", "set_vm_mapped_pages 3 1 7", FH_EFFECT_VM_SET, {3, FH_VM_MAPPED, 1, 7}},
    {"shared.smmu_vmid.1",
     2,
     "lock.4",
     "set_smmu_cfg_vmid 1 0 3",
     FH_EFFECT_SMMU_CFG_SET,
     {1, 0, 3, 2}},
    {"shared.npts.3.pt.0x9.pte",
     0x9007,
     "lock.8",
     "walk_npt 3 0x9000",
     FH_EFFECT_NPT_READ,
     {3, 0x9000, 0, 0x9007}},
    {"shared.npts.3.pt.0x9.level",
     3,
     "lock.8",
     "get_npt_level 3 0x9000",
     FH_EFFECT_NPT_READ,
     {3, 0x9000, 3, 0}},
    {NULL, 0, "lock.8", "set_npt 3 0x9000 3 0x7007", FH_EFFECT_NPT_SET, {3, 0x9000, 3, 0x7007}},
    {NULL, 0, NULL, "map_spt 1 0 0x9000 0x7003", FH_EFFECT_SPT_SET, {1, 0, 0x9000, 0x7003, 0}},
    {NULL, 0, NULL, "unmap_spt 1 0 0x9000", FH_EFFECT_SPT_READ, {1, 0, 0x9000, 0}},
    {NULL, 0, NULL, "init_spt 1 0", FH_EFFECT_SPT_CLEAR, {1, 0}},
    {NULL, 0, NULL, "walk_spt 1 0 0x9000", FH_EFFECT_SPT_READ, {1, 0, 0x9000, 0}},
    {"shared.npts.3.pt.0x9.pte",
     0x9007,
     NULL,
     "walk_s2pt 3 0x9000",
     FH_EFFECT_RETURN,
     {FH_CALLED_walk_s2pt, 3, 0x9000, 0x9007}},
    {NULL,
     0,
     NULL,
     "map_s2pt 3 0x9000 3 0x7007",
     FH_EFFECT_CALL,
     {FH_CALLED_map_s2pt, 3, 0x9000, 3, 0x7007}},
    {NULL,
     0,
     NULL,
     "load_decrypt_buf 3 0x9000",
     FH_EFFECT_CALL,
     {FH_CALLED_load_decrypt_buf, 3, 0x9000}},
};

START_TEST(each_value_is_told)
{
    const struct row *row = &rows[_i];
    set("shared.s2page.0x300.s2_owner", 4); /* of a page that is nobody's nothing is kept */
    if (row->before)
        set(row->before, row->was);
    if (row->lock)
        set(row->lock, FH_LOCK_OWN);
    set("tstate", 0);
    look();
    call(row->call);
    assert_told(row->call, row->kind, row->values);
}
END_TEST

START_TEST(a_guests_call_is_told_with_its_arguments_and_its_result)
{
    set("cur_vmid", 3);
    set("cur_vcpuid", 2);
    /* VM 3's vCPU 2 has the context 3 * 8 + 2. A call of no number that there is. */
    set("shadow_ctxts.26.ctxt_regs.x0", 0x1234);
    set("shadow_ctxts.26.ctxt_regs.x2", 0x22);
    set("shadow_ctxts.26.ctxt_regs.x3", 0x33);
    look();
    ck_assert_uint_eq(call("core_handle_pvops"), 1);
    assert_told("call", FH_EFFECT_CALL,
                (const uint64_t[]){FH_CALLED_core_handle_pvops, 3, 2, 0x1234, 0x22, 0x33});
    assert_told("return", FH_EFFECT_RETURN,
                (const uint64_t[]){FH_CALLED_core_handle_pvops, 3, 2, 1});
}
END_TEST

START_TEST(what_a_full_table_does_not_take_is_not_told)
{
    const struct fh_profile *k = fh_state_profile(machine);
    set("shared.spts.spt_pgd_next", k->SMMU_PMD_START);
    look();
    call("map_spt 1 0 0x9000 0x7003");
    ck_assert_uint_eq(get("halt"), true);
    ck_assert_ptr_null(effect_of(FH_EFFECT_SPT_SET, 0));
    ck_assert_ptr_nonnull(effect_of(FH_EFFECT_PANIC, 0));
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_loop_test(tests, each_value_is_told, 0, COUNT(rows));
    tcase_add_test(tests, a_guests_call_is_told_with_its_arguments_and_its_result);
    tcase_add_test(tests, what_a_full_table_does_not_take_is_not_told);
}

int main(void)
{
    return run_layer_tests("told", add);
}
