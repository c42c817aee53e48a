/* SPDX-License-Identifier: GPL-2.0-only */
#include "random_calls.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "state/machine.h"
#include "state/pools.h"

enum { BASE = 0x200, PAGES = 3072, SMMU_BASE = 0x100000, VMS = 3 };

/* --- The machine ------------------------------------------------------------------------------ */

/* "BEFORE.KEY.FIELD" := value */
static void set_of(struct fh_state *state, const char *before, uint64_t key, const char *field,
                   uint64_t value)
{
    char path[96];
    snprintf(path, sizeof path, "%s.%" PRIu64 ".%s", before, key, field);
    ck_assert_msg(fh_set(state, path, value) == FH_OK, "%s", path);
}

static void set(struct fh_state *state, const char *path, uint64_t value)
{
    ck_assert_msg(fh_set(state, path, value) == FH_OK, "%s", path);
}

static const struct fh_scene_vm vms[] = {
    {.vmid = 1, .life = FH_SCENE_REGISTERED},
    {.vmid = 2, .life = FH_SCENE_REGISTERED},
    {.vmid = VMS, .life = FH_SCENE_POWERED_OFF},
};

/* All SMMUs have registers, the first one is there; their banks belong to the host, VMs, nobody. */
static void add_smmus(struct fh_state *state, const struct fh_profile *k)
{
    for (uint64_t i = 0; i < k->SMMU_NUM; i++) {
        const struct fh_scene_smmu smmu = {.base = SMMU_BASE + i * 0x10000};
        ck_assert_int_eq(fh_scene_add_smmu(state, &smmu), FH_OK);
        for (uint64_t bank = 0; bank < k->SMMU_NUM_CTXT_BANKS; bank++) {
            const uint64_t one_of_five = (i * k->SMMU_NUM_CTXT_BANKS + bank) % 5;
            const uint64_t owner = one_of_five == 4 ? k->INVALID : one_of_five;
            ck_assert_int_eq(fh_scene_set_bank(state, i, bank, owner), FH_OK);
        }
    }
    set(state, "smmu_conf.smmu_num", 1);
}

/* Leave as many pages in each pool, so that the end comes soon. */
static void shrink_pools(struct fh_state *state, const struct fh_profile *k, uint64_t tables)
{
    const uint64_t left = tables * k->PAGE_SIZE;
    for (uint64_t vmid = 0; vmid <= k->COREVISOR; vmid++) {
        set_of(state, "shared.npts", vmid, "pt_pgd_next", pud_start(k, vmid) - left);
        set_of(state, "shared.npts", vmid, "pt_pud_next", pmd_start(k, vmid) - left);
        set_of(state, "shared.npts", vmid, "pt_pmd_next", pool_end(k, vmid) - left);
    }
    set(state, "shared.spts.spt_pgd_next", k->SMMU_PMD_START - left);
    set(state, "shared.spts.spt_pmd_next", k->SMMU_POOL_END - left);
}

struct fh_state *new_machine(struct memory *memory, const struct fh_profile *profile,
                             enum fh_log_policy policy, enum fh_realisation realisation,
                             uint64_t tables)
{
    const struct fh_config config = {.profile = profile,
                                     .allocator = &memory->allocator,
                                     .log_policy = policy,
                                     .realisation = realisation};
    struct fh_state *state = fh_state_new(&config);
    ck_assert_ptr_nonnull(state);
    const struct fh_scene_region region = {.base = BASE * profile->PAGE_SIZE,
                                           .size = PAGES * profile->PAGE_SIZE};
    const struct fh_scene scene = {.regions = &region, .nregions = 1, .vms = vms, .nvms = VMS};
    ck_assert_int_eq(fh_scene_build(state, &scene), FH_OK);
    add_smmus(state, profile);
    if (tables > 0)
        shrink_pools(state, profile, tables);
    return state;
}

/* --- Arguments -------------------------------------------------------------------------------- */

static uint64_t below(uint64_t *seed, uint64_t end)
{
    return random_u64(seed) % end;
}

static uint64_t one_of(uint64_t *seed, const uint64_t *values, size_t count)
{
    return values[below(seed, count)];
}
#define ONE_OF(seed, ...)                                                                          \
    one_of(seed, (const uint64_t[]){__VA_ARGS__},                                                  \
           sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

/* Pages that meet again: few of them, in few tables, and some at the edges. */
static uint64_t random_pfn(uint64_t *seed)
{
    const uint64_t few = BASE + below(seed, 24);
    switch (below(seed, 8)) {
    case 0: return BASE + below(seed, PAGES);
    case 1: return BASE + 512 * below(seed, 4);
    case 2: return ONE_OF(seed, 0, 1, BASE - 1, BASE + PAGES, 0xfffffff);
    default: return few;
    }
}

/*
 * Pages up to the end of the address space. Tables with three levels know 40 bits of an address:
 * beyond, the realisations differ (docs/realisations.md), and no range from here gets there.
 */
static uint64_t random_gfn(const struct fh_profile *k, uint64_t *seed)
{
    const uint64_t far = k->STAGE2_LEVELS == 3 ? ((uint64_t)1 << 28) - 64 : (uint64_t)1 << 36;
    switch (below(seed, 10)) {
    case 0: return below(seed, far);
    case 1: return far - 1 - below(seed, 4);
    case 2: return below(seed, 4) << 18 | below(seed, 4);
    case 3: return 512 * below(seed, 6);
    case 4: return random_pfn(seed) % far;
    default: return below(seed, 6) * 512 + below(seed, 6);
    }
}

static uint64_t random_addr(const struct fh_profile *k, uint64_t *seed)
{
    return random_gfn(k, seed) << 12 | (below(seed, 4) == 0 ? below(seed, 4096) : 0);
}

static uint64_t random_iova(uint64_t *seed)
{
    switch (below(seed, 8)) {
    case 0: return below(seed, (uint64_t)1 << 40);
    case 1: return ((uint64_t)1 << 40) - 1 - below(seed, 4096);
    case 2: return below(seed, 4) << 30 | below(seed, 4) << 12;
    default: return below(seed, 4) << 21 | below(seed, 8) << 12;
    }
}

static uint64_t random_pte(const struct fh_profile *k, uint64_t *seed)
{
    const uint64_t page = random_pfn(seed) << 12;
    switch (below(seed, 10)) {
    case 0: return k->PAGE_GUEST;
    case 1: return 0;
    case 2: return random_u64(seed);
    case 3: return (page | k->PAGE_S2_KERNEL) & k->NOT_PMD_TABLE_BIT;
    case 4: return (random_pfn(seed) / 512 * 512) << 12 | 0xffd;
    case 5: return ONE_OF(seed, 1, 2, 3, 4, 0xfff, (uint64_t)1 << 63, (uint64_t)1 << 48 | 3);
    case 6: return page;
    default: return page | k->PAGE_S2_KERNEL;
    }
}

static uint64_t random_vmid(const struct fh_profile *k, uint64_t *seed)
{
    return below(seed, 16) == 0 ? ONE_OF(seed, k->COREVISOR, k->COREVISOR - 1, k->INVALID, 7)
                                : below(seed, VMS + 1);
}

/* What an argument of this name could be. */
static uint64_t random_argument(const struct fh_profile *k, uint64_t *seed, const char *name)
{
#define IS(text) (strcmp(name, text) == 0)
    if (IS("vmid"))
        return random_vmid(k, seed);
    if (IS("vcpuid"))
        return below(seed, 16) == 0 ? k->VCPU_PER_VM : below(seed, 2);
    if (IS("cbndx"))
        return below(seed, 24) == 0 ? k->SMMU_NUM_CTXT_BANKS : below(seed, 3);
    if (IS("index"))
        return below(seed, 24) == 0 ? k->SMMU_NUM : below(seed, 2);
    if (IS("level"))
        return below(seed, 16) == 0 ? below(seed, 6) : ONE_OF(seed, 2, 3, 3, 3);
    if (IS("pfn") || IS("inbuf") || IS("outbuf"))
        return random_pfn(seed);
    if (IS("gfn"))
        return random_gfn(k, seed);
    if (IS("addr") || IS("gpa") || IS("start"))
        return random_addr(k, seed);
    if (IS("pa") || IS("paddr"))
        return random_pfn(seed) << 12;
    if (IS("iova"))
        return random_iova(seed);
    if (IS("pte"))
        return random_pte(k, seed);
    if (IS("prot"))
        return ONE_OF(seed, 0, 3, 0x7ff, (uint64_t)1 << 54);
    if (IS("num") || IS("pgnum"))
        return below(seed, 20);
    if (IS("size"))
        return below(seed, 20) << 12 | below(seed, 2);
    if (IS("load_idx"))
        return below(seed, 6);
    if (IS("load_addr") || IS("target_addr"))
        return below(seed, 8) << 21;
    if (IS("remap_addr"))
        return k->REMAP_START + below(seed, 16) * 4096;
    return below(seed, 4);
#undef IS
}

/* --- Steps ------------------------------------------------------------------------------------ */

static void set_call(struct random_call *call, const char *name, const uint64_t *args,
                     unsigned nargs)
{
    call->function = fh_function_find(name);
    ck_assert_ptr_nonnull(call->function);
    ck_assert_uint_eq(call->function->nargs, nargs);
    for (unsigned i = 0; i < nargs; i++)
        call->args[i] = args[i];
}
#define SET_CALL(call, name, ...)                                                                  \
    set_call(call, name, (const uint64_t[]){__VA_ARGS__},                                          \
             sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

void random_call(const struct fh_profile *k, uint64_t *seed, const char *name,
                 struct random_call *call)
{
    call->function = fh_function_find(name);
    ck_assert_msg(call->function != NULL, "%s", name);
    for (unsigned i = 0; i < call->function->nargs; i++) {
        call->args[i] = random_argument(k, seed, call->function->arg_names[i]);
        if (call->function->arg_bits[i] == 32)
            call->args[i] &= UINT32_MAX;
        else if (below(seed, 64) == 0)
            call->args[i] = random_u64(seed);
    }
}

/* What one call does alone. The first half comes more often. */
static const char *const common[] = {
    "map_s2pt",
    "map_s2pt",
    "map_pfn_vm",
    "map_page_host",
    "map_page_host",
    "walk_s2pt",
    "get_level_s2pt",
    "clear_pfn_host",
    "assign_pfn_to_vm",
    "grant_vm_page",
    "revoke_vm_page",
    "prot_and_map_vm_s2pt",
    "map_spt",
    "map_spt",
    "unmap_spt",
    "walk_spt",
    "init_spt",
    "update_smmu_page",
    "unmap_smmu_page",
    "handle_host_stage2_fault",
    "map_vm_io",
    "clear_vm_page",
    "host_npt_handler_raw",
    "el2_arm_lpae_iova_to_phys",
};
static const char *const rare[] = {
    "assign_pfn_to_smmu",
    "clear_vm_range",
    "grant_stage2_sg_gpa",
    "revoke_stage2_sg_gpa",
    "set_vm_poweroff",
    "get_vm_poweron",
    "gen_vmid",
    "alloc_remap_addr",
    "unmap_and_load_vm_image",
    "search_load_info",
    "set_vcpu_active",
    "set_vcpu_inactive",
    "register_vcpu",
    "register_kvm",
    "set_boot_info",
    "remap_vm_image",
    "verify_and_load_images",
    "alloc_smmu",
    "assign_smmu",
    "map_smmu",
    "clear_smmu",
    "map_io",
    "is_inc_exe",
    "save_encrypted_vcpu",
    "load_encrypted_vcpu",
    "save_encrypt_buf",
    "load_decrypt_buf",
    "el2_free_smmu_pgd",
    "el2_alloc_smmu_pgd",
    "smmu_assign_page",
    "smmu_map_page",
    "el2_arm_lpae_clear",
    "clear_vm_stage2_range",
    "el2_arm_lpae_map",
    "kvm_phys_addr_ioremap",
    "post_handle_shadow_s2pt_fault",
    "host_npt_handler",
    "mem_load",
    "mem_store",
    "dev_load",
    "dev_store",
};

/* A hypercall: its registers, and whose they are. */
static unsigned pvop(const struct fh_profile *k, uint64_t *seed, struct random_call *steps)
{
    const uint64_t vmid = 1 + below(seed, VMS), vcpuid = below(seed, 2);
    const uint64_t call =
        ONE_OF(seed, k->HVC_KVM_SET_DESC_PFN, k->HVC_KVM_UNSET_DESC_PFN, below(seed, 40));
    SET_CALL(&steps[0], "set_per_cpu", vmid, vcpuid);
    SET_CALL(&steps[1], "set_shadow_ctxt", vmid, vcpuid, k->X0, call);
    SET_CALL(&steps[2], "set_shadow_ctxt", vmid, vcpuid, k->X2, random_addr(k, seed));
    SET_CALL(&steps[3], "set_shadow_ctxt", vmid, vcpuid, k->X3, below(seed, 16) << 12);
    set_call(&steps[4], "core_handle_pvops", NULL, 0);
    SET_CALL(&steps[5], "set_per_cpu", 0, 0);
    return 6;
}

/* A step of NPTWalk or MmioSPTWalk in a critical section written out. */
static unsigned section(const struct fh_profile *k, uint64_t *seed, struct random_call *steps)
{
    const uint64_t vmid = below(seed, VMS + 1);
    if (below(seed, 2) == 0) {
        SET_CALL(&steps[0], "acquire_lock_pt", vmid);
        random_call(k, seed, "get_npt_level", &steps[1]);
        random_call(k, seed, "set_npt", &steps[2]);
        random_call(k, seed, "walk_npt", &steps[3]);
        SET_CALL(&steps[4], "release_lock_pt", vmid);
        for (unsigned i = 1; i < 4; i++)
            steps[i].args[0] = vmid;
        return 5;
    }
    set_call(&steps[0], "acquire_lock_spt", NULL, 0);
    random_call(k, seed, "walk_smmu_pt", &steps[1]);
    random_call(k, seed, below(seed, 16) == 0 ? "clear_smmu_pt" : "set_smmu_pt", &steps[2]);
    random_call(k, seed, "walk_smmu_pt", &steps[3]);
    set_call(&steps[4], "release_lock_spt", NULL, 0);
    return 5;
}

/* The state of a VM, which nothing but power off changes back. */
static unsigned vm_state(const struct fh_profile *k, uint64_t *seed, struct random_call *steps)
{
    const uint64_t vmid = 1 + below(seed, VMS);
    SET_CALL(&steps[0], "acquire_lock_vm", vmid);
    SET_CALL(&steps[1], "set_vm_state", vmid,
             ONE_OF(seed, k->READY, k->VERIFIED, k->POWEROFF, k->UNUSED));
    SET_CALL(&steps[2], "release_lock_vm", vmid);
    return 3;
}

static unsigned bank_owner(const struct fh_profile *k, uint64_t *seed, struct random_call *steps)
{
    set_call(&steps[0], "acquire_lock_smmu", NULL, 0);
    SET_CALL(&steps[1], "set_smmu_cfg_vmid", below(seed, 3), below(seed, 2),
             ONE_OF(seed, 0, 1, 2, 3, k->INVALID, k->COREVISOR));
    set_call(&steps[2], "release_lock_smmu", NULL, 0);
    return 3;
}

unsigned random_steps(const struct fh_profile *profile, uint64_t *seed,
                      struct random_call steps[MAX_STEPS])
{
    const uint64_t choice = below(seed, 100);
    if (choice < 8)
        return pvop(profile, seed, steps);
    if (choice < 20)
        return section(profile, seed, steps);
    if (choice < 22)
        return vm_state(profile, seed, steps);
    if (choice < 24)
        return bank_owner(profile, seed, steps);
    const char *name = choice < 70 ? common[below(seed, sizeof common / sizeof *common)]
                                   : rare[below(seed, sizeof rare / sizeof *rare)];
    random_call(profile, seed, name, &steps[0]);
    return 1;
}

const char *call_text(const struct random_call *call, char *buffer, size_t size)
{
    int length = snprintf(buffer, size, "%s(", call->function->name);
    for (unsigned i = 0; i < call->function->nargs && (size_t)length < size; i++)
        length += snprintf(buffer + length, size - (size_t)length, "%s%#" PRIx64, i ? ", " : "",
                           call->args[i]);
    if ((size_t)length < size)
        snprintf(buffer + length, size - (size_t)length, ")");
    return buffer;
}

void random_registers(struct fh_state *state, uint64_t seed)
{
    struct fh_ctxt *regs = fh_state_edit_regs(state);
    const uint64_t addr = random_pfn(&seed) << 12;
    ck_assert_ptr_nonnull(regs);
    regs->ctxt_regs.hpfar_el2 = below(&seed, 8) == 0 ? 0x1000 + below(&seed, 64) : addr >> 8;
    regs->ctxt_regs.far_el2 = below(&seed, 1 << 16);
    regs->ctxt_regs.esr_el2 = 0x92000000 | below(&seed, 1 << 24);
    regs->ctxt_regs.elr_el2 = 0x80000000;
}
