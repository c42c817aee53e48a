/* SPDX-License-Identifier: GPL-2.0-only */
#include "trap_cases.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "random_calls.h"
#include "state/machine.h"

/*
 * The machine of random_calls.c has host memory from page MEMORY on, VMs 1 to 3 and an SMMU at
 * DEVICE. Here VMs 4 and 5 run, the others are young (1, 2), switched off (3) or unused.
 */
enum {
    MEMORY = 0x200,
    DEVICE = 0x100000,
    VM_COUNT = 6,
    VCPUS = 2,
    IMAGES = 0x400,      /* first page of the boot images, a block for each */
    SHARED_PAGES = 0x40, /* pages from MEMORY on that have owners */
    IN_BLOCKS = 0x2000,  /* page of VM 5 where it has some that lie in the host's blocks */
    LOOP_LIMIT = 4096,
};

#define K (&fh_profile_spec)

static uint64_t below(uint64_t *seed, uint64_t end)
{
    return random_u64(seed) % end;
}

static bool one_in(uint64_t *seed, uint64_t n)
{
    return below(seed, n) == 0;
}

static uint64_t one_of(uint64_t *seed, const uint64_t *values, size_t count)
{
    return values[below(seed, count)];
}
#define ONE_OF(seed, ...)                                                                          \
    one_of(seed, (const uint64_t[]){__VA_ARGS__},                                                  \
           sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

/* --- Writing the state ------------------------------------------------------------------------ */

static const struct fh_allocator *allocator_of(struct fh_state *machine)
{
    return fh_state_allocator(machine);
}

static void *entry_of(struct fh_state *machine, struct fh_map *map, const struct fh_type *type,
                      uint64_t key)
{
    bool existed;
    void *entry = fh_map_edit(map, &type->as_value, allocator_of(machine), key, &existed);
    ck_assert_ptr_nonnull(entry);
    return entry;
}

static void set_number(struct fh_state *machine, struct fh_map *map, uint64_t key, uint64_t value)
{
    *(uint64_t *)entry_of(machine, map, type_of_u64, key) = value;
}

static void *record_of(struct fh_state *machine, struct fh_map *map, const struct fh_type *type,
                       uint64_t key)
{
    void *entry = entry_of(machine, map, type, key);
    ck_assert(fh_ref_own(type, entry, allocator_of(machine)));
    return *(void **)entry;
}

static struct fh_vminfo *vminfo(struct fh_state *machine, uint64_t vmid)
{
    return record_of(machine, &fh_state_edit(machine)->shared.vminfos, type_of_ref_vminfo, vmid);
}

static struct fh_ctxt *shadow(struct fh_state *machine, uint64_t vmid, uint64_t vcpuid)
{
    return record_of(machine, &fh_state_edit(machine)->shadow_ctxts, type_of_ref_ctxt,
                     vmid * K->VCPU_PER_VM + vcpuid);
}

static void set_page(struct fh_state *machine, uint64_t pfn, uint64_t owner, uint64_t count,
                     uint64_t gfn)
{
    struct fh_s2page *page =
        entry_of(machine, &fh_state_edit(machine)->shared.s2page, type_of_s2page, pfn);
    *page = (struct fh_s2page){(uint32_t)owner, (uint32_t)count, gfn};
}

static const struct fh_s2page *page_at(struct fh_state *machine, uint64_t pfn)
{
    return fh_map_get(&fh_state_rdata(machine)->shared.s2page, &type_of_s2page->as_value, pfn);
}

static uint64_t number_in(const struct fh_map *map, uint64_t key)
{
    return *(const uint64_t *)fh_map_get(map, &type_of_u64->as_value, key);
}

/* --- The environment -------------------------------------------------------------------------- */

static uint64_t hash(uint64_t seed, uint64_t a, uint64_t b)
{
    uint64_t mixed = seed ^ a << 32 ^ b * 0x9e3779b97f4a7c15u;
    return random_u64(&mixed);
}

static uint64_t next_data(void *context, uint64_t vmid, uint64_t n)
{
    const struct trap *trap = context;
    if (vmid == trap->vmid && n - trap->data_from < SCRIPTED)
        return trap->data[n - trap->data_from];
    return hash(trap->seed, vmid, n);
}

static uint64_t next_core_data(void *context, uint64_t vmid, uint64_t n)
{
    const struct trap *trap = context;
    if (vmid == trap->vmid && n - trap->core_from < SCRIPTED)
        return trap->core[n - trap->core_from];
    return hash(~trap->seed, vmid, n);
}

bool image_is_signed(uint64_t remap_addr)
{
    return (remap_addr >> K->PMD_SHIFT) % 16 != 1;
}

static uint64_t verify_img(void *context, uint64_t vmid, uint64_t addr)
{
    (void)context, (void)vmid;
    return image_is_signed(addr);
}

static uint64_t reset_value(void *context, uint64_t index)
{
    (void)context;
    return index * 65537 + 77;
}

static uint64_t shared_kvm(void *context, uint64_t vmid)
{
    (void)context;
    return 0x100000000 + vmid * 0x10000;
}

static uint64_t shared_vcpu(void *context, uint64_t vmid, uint64_t vcpuid)
{
    return shared_kvm(context, vmid) * 2 + vcpuid * 0x1000;
}

static uint64_t exception_vector(void *context, uint64_t pstate)
{
    (void)context;
    return 0x8000 + (pstate & 15);
}

static uint64_t decrypt_gp_regs(void *context, uint64_t vmid, uint64_t n, struct fh_ctxt *ctxt)
{
    ctxt->ctxt_regs.x0 = next_data(context, vmid, n);
    ctxt->ctxt_regs.x1 = next_data(context, vmid, n + 1);
    return n + 2;
}

static uint64_t decrypt_sys_regs(void *context, uint64_t vmid, uint64_t n, struct fh_ctxt *ctxt)
{
    ctxt->ctxt_regs.elr_el1 = next_data(context, vmid, n);
    ctxt->ctxt_states.pc = next_data(context, vmid, n + 1);
    return n + 2;
}

/* --- The machine ------------------------------------------------------------------------------ */

/* What a call cannot do in the machine as it is it need not do; it may even halt it. */
static void call(struct fh_state *machine, const char *name, const uint64_t *args, unsigned nargs)
{
    const enum fh_status status = fh_call(machine, name, args, nargs, NULL);
    ck_assert_msg(status == FH_OK || status == FH_STUCK, "%s", name);
}
#define CALL(machine, name, ...)                                                                   \
    call(machine, name, (const uint64_t[]){__VA_ARGS__},                                           \
         sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

/* Image `i` belongs at the VM's block i + 1. Not all that is counted as mapped need be there. */
static void add_image(struct fh_state *machine, uint64_t *seed, uint64_t vmid, uint64_t i)
{
    const uint64_t pfn = IMAGES + (vmid * 2 + i) % 5 * 512;
    const uint64_t remap = K->REMAP_START + (vmid * 8 + i) * K->PMD_SIZE;
    const uint64_t pages = 1 + below(seed, 3), mapped = below(seed, pages + 1);
    const bool is_missing = i == 2 && one_in(seed, 2);
    for (uint64_t n = 0; n < mapped && !is_missing; n++)
        CALL(machine, "map_s2pt", K->COREVISOR, remap + n * K->PAGE_SIZE, 3,
             (pfn + n) * K->PAGE_SIZE | K->PAGE_HYP);
    struct fh_boot_info *boot = &vminfo(machine, vmid)->VB;
    boot->vm_next_load_info = i + 1;
    set_number(machine, &boot->vm_load_addr, i, (i + 1) * K->PMD_SIZE);
    set_number(machine, &boot->vm_load_size, i, pages * K->PAGE_SIZE);
    set_number(machine, &boot->vm_remap_addr, i, remap);
    set_number(machine, &boot->vm_mapped_pages, i, mapped);
}

static void add_vm(struct fh_state *machine, uint64_t *seed, uint64_t vmid, uint64_t vm_state,
                   uint64_t vcpu_state)
{
    struct fh_vminfo *info = vminfo(machine, vmid);
    info->VS.vm_state = vm_state;
    for (uint64_t i = 0; i < VCPUS; i++)
        set_number(machine, &info->VS.vm_vcpu_state, i, vcpu_state);
    for (uint64_t i = 0, images = below(seed, 4); i < images; i++)
        add_image(machine, seed, vmid, i);
}

/* Who has page `pfn`, and what the tables say of it: more or less the same. */
static void give_page(struct fh_state *machine, uint64_t *seed, uint64_t pfn)
{
    const uint64_t owner = ONE_OF(seed, 0, 0, 0, 1, 2, 3, 4, 4, 5, K->INVALID, K->COREVISOR);
    const uint64_t gfn = pfn - MEMORY + below(seed, 2) * 0x1000;
    const uint64_t count = one_in(seed, 3) ? ONE_OF(seed, 1, 2, 15, 16, 99, 100, K->INVALID) : 0;
    const bool unknown = one_in(seed, 8);
    set_page(machine, pfn, owner, count, unknown ? K->INVALID64 : gfn);
    if (owner != 0 && owner < K->COREVISOR && !one_in(seed, 4))
        CALL(machine, "map_s2pt", owner, gfn * K->PAGE_SIZE, 3,
             pfn * K->PAGE_SIZE | K->PAGE_S2_KERNEL);
    if (!one_in(seed, 3))
        CALL(machine, "map_s2pt", 0, pfn * K->PAGE_SIZE, 3,
             one_in(seed, 4) ? K->PAGE_GUEST : pfn * K->PAGE_SIZE | K->PAGE_S2_KERNEL);
    if (one_in(seed, 3))
        CALL(machine, "map_spt", below(seed, 8), below(seed, 2), gfn * K->PAGE_SIZE,
             pfn * K->PAGE_SIZE | K->PTE_AF_OR_SH_IS);
}

/* A block of 2 MiB that a VM has at its block 8. */
static void give_block(struct fh_state *machine, uint64_t vmid, uint64_t pfn)
{
    for (uint64_t i = 0; i < 8; i++)
        set_page(machine, pfn + i, vmid, i % 3, 8 * 512 + i);
    CALL(machine, "map_s2pt", vmid, 8 * K->PMD_SIZE, 2,
         (pfn * K->PAGE_SIZE | K->PAGE_S2_KERNEL) & K->NOT_PMD_TABLE_BIT);
}

/* The host has blocks, out of which no page can be taken, over what the VMs share and boot from. */
static void give_host_blocks(struct fh_state *machine)
{
    for (uint64_t pfn = MEMORY + 512; pfn < IMAGES + 2 * 512; pfn += 512)
        CALL(machine, "map_s2pt", 0, pfn * K->PAGE_SIZE, 2,
             (pfn * K->PAGE_SIZE | K->PAGE_S2_KERNEL) & K->NOT_PMD_TABLE_BIT);
    for (uint64_t i = 0; i < 4; i++) {
        const uint64_t pfn = MEMORY + 512 + SHARED_PAGES + i;
        set_page(machine, pfn, 5, i % 2, IN_BLOCKS + i);
        CALL(machine, "map_s2pt", 5, (IN_BLOCKS + i) * K->PAGE_SIZE, 3,
             pfn * K->PAGE_SIZE | K->PAGE_S2_KERNEL);
    }
}

/* In a machine that is at its limits each pool has one or two pages left. */
static void use_up_pools(struct fh_state *machine, uint64_t *seed)
{
    for (uint64_t vmid = 0; vmid <= K->COREVISOR; vmid++) {
        struct fh_npt *npt =
            record_of(machine, &fh_state_edit(machine)->shared.npts, type_of_ref_npt, vmid);
        const uint64_t end = K->PT_POOL_START + (vmid + 1) * K->PT_POOL_PER_VM;
        npt->pt_pmd_next = end - (1 + below(seed, 3)) * K->PAGE_SIZE;
    }
}

struct fh_state *new_trap_machine(struct memory *memory, uint64_t number, struct trap *trap)
{
    uint64_t seed = ~number;
    struct fh_state *machine =
        new_machine(memory, &fh_profile_spec, FH_LOG_SUMMARY, FH_ABSTRACT, 0);
    struct fh_environment *environment = fh_state_environment(machine);
    *environment = (struct fh_environment){
        .context = trap,
        .doracle = next_data,
        .core_doracle = next_core_data,
        .verify_img = verify_img,
        .reg_desc = reset_value,
        .shared_kvm = shared_kvm,
        .shared_vcpu = shared_vcpu,
        .exception_vector = exception_vector,
        .decrypt_gp_regs = decrypt_gp_regs,
        .decrypt_sys_regs = decrypt_sys_regs,
    };
    machine->loop_limit = LOOP_LIMIT;
    memset(trap, 0, sizeof *trap);
    add_vm(machine, &seed, 1, K->READY, K->READY);
    add_vm(machine, &seed, 2, K->READY, K->UNUSED);
    add_vm(machine, &seed, 3, K->POWEROFF, K->READY);
    add_vm(machine, &seed, 4, K->VERIFIED, K->READY);
    add_vm(machine, &seed, 5, K->VERIFIED, K->ACTIVE);
    for (uint64_t i = 0; i < SHARED_PAGES; i++)
        give_page(machine, &seed, MEMORY + i);
    give_block(machine, 4, MEMORY + 512);
    give_block(machine, 5, MEMORY + 512);
    if (number % 4 == 3)
        give_host_blocks(machine);
    if (number % 8 == 7)
        use_up_pools(machine, &seed);
    fh_state_edit(machine)->shared.core_data.next_vmid = number % 5 == 4 ? 15 : VM_COUNT;
    return machine;
}

/* --- Small changes ---------------------------------------------------------------------------- */

static uint64_t some_vm(uint64_t *seed)
{
    return 1 + below(seed, VM_COUNT);
}

static void change_something(struct fh_state *machine, uint64_t *seed)
{
    struct fh_state_info *info = &vminfo(machine, some_vm(seed))->VS;
    struct fh_rdata *adt = fh_state_edit(machine);
    const uint64_t pfn = MEMORY + below(seed, SHARED_PAGES);
    switch (below(seed, 12)) {
    case 0:
        info->vm_state = ONE_OF(seed, K->UNUSED, K->MAPPED, K->READY, K->READY, K->VERIFIED,
                                K->POWEROFF, K->ACTIVE);
        break;
    case 1:
        set_number(machine, &info->vm_vcpu_state, below(seed, VCPUS),
                   ONE_OF(seed, K->UNUSED, K->READY, K->ACTIVE, K->POWEROFF));
        break;
    case 2:
    case 3:
    case 4: give_page(machine, seed, pfn); break;
    case 5:
        *(uint64_t *)entry_of(machine, &adt->shared.smmu_vmid, type_of_vmid_or_invalid,
                              below(seed, 16)) =
            ONE_OF(seed, 0, 1, 2, 3, 4, K->INVALID, K->COREVISOR, 77);
        break;
    case 6:
        adt->shared.core_data.next_remap_ptr =
            K->REMAP_END - ONE_OF(seed, 0, 1, 0x1000, 0x3000, 0x200000);
        break;
    default: break;
    }
}

/* What no machine comes to by itself, or what only one of the two forms looks at. */
static void make_odd(struct fh_state *machine, uint64_t *seed, const struct trap *trap)
{
    const uint64_t vmid = trap->vmid < K->COREVISOR ? trap->vmid : some_vm(seed);
    struct fh_rdata *adt = fh_state_edit(machine);
    switch (below(seed, 10)) {
    case 0:
        *(uint8_t *)entry_of(machine, &adt->lock, type_of_lock_status, 1 + below(seed, 38)) =
            FH_LOCK_OWN;
        break;
    case 1:
        *(bool *)entry_of(machine, &adt->shared.hlock, type_of_bool_or_true, 1 + below(seed, 38)) =
            false;
        break;
    case 2:
        adt->ihost = one_in(seed, 2);
        adt->icore = one_in(seed, 2);
        break;
    case 3: adt->cur_vcpuid = one_in(seed, 2) ? -1 : (int64_t)K->VCPU_PER_VM; break;
    case 4:
        ck_assert(fh_ref_own(type_of_ref_smmu_conf, &adt->smmu_conf, allocator_of(machine)));
        adt->smmu_conf->smmu_num = below(seed, 3);
        break;
    case 5: vminfo(machine, vmid)->VB.vm_inc_exe = 1; break;
    case 6: vminfo(machine, vmid)->VB.vm_next_load_info = ONE_OF(seed, 5, 6); break;
    case 7: adt->curid = below(seed, 2) * 2; break;
    case 8: adt->halt = true; break;
    default: fh_state_edit_regs(machine)->ctxt_regs.elr_el2 = UINT64_MAX - below(seed, 8); break;
    }
}

/* --- Arguments -------------------------------------------------------------------------------- */

/* Numbers around the bounds that the handlers test for. */
static uint64_t bound(uint64_t *seed)
{
    const uint64_t limits[] = {0,
                               K->COREVISOR,
                               K->VCPU_PER_VM,
                               K->MAX_LOAD_INFO_NUM,
                               K->SMMU_NUM,
                               K->PAGE_SIZE,
                               K->KVM_PFN_SPACE,
                               (uint64_t)UINT32_MAX,
                               K->KVM_GFN_SPACE,
                               K->KVM_PHYS_SIZE,
                               K->KVM_ADDR_SPACE,
                               (uint64_t)INT64_MAX,
                               UINT64_MAX};
    const uint64_t limit = limits[below(seed, sizeof limits / sizeof *limits)];
    if (one_in(seed, 16))
        return random_u64(seed);
    return one_in(seed, 2) ? limit + below(seed, 3) - 1 : limit - below(seed, 8) * K->PAGE_SIZE;
}

enum argument {
    NOTHING,
    VM,
    VCPU,
    BANK,
    SMMU,
    ADDR,
    SIZE,
    PFN,
    INDEX,
    IOVA,
    PROT,
    OWNER,     /* the host or a VM */
    ANYONE,    /* also KCore */
    DEVICE_PA, /* mostly where no memory is */
};

static uint64_t argument(uint64_t *seed, enum argument kind)
{
    const uint64_t page = below(seed, SHARED_PAGES);
    const uint64_t rest = one_in(seed, 8) ? below(seed, 4096) : 0;
    if (one_in(seed, 24))
        return bound(seed);
    switch (kind) {
    case VM: return some_vm(seed);
    case VCPU: return below(seed, VCPUS);
    case BANK: return below(seed, K->SMMU_NUM_CTXT_BANKS);
    case SMMU: return below(seed, 2);
    case ADDR: return (MEMORY + page) << 12 | rest;
    case SIZE: return below(seed, 6) << 12 | rest;
    case PFN: return MEMORY + page;
    case INDEX: return below(seed, 4);
    case IOVA: return page << 12 | rest;
    case PROT: return ONE_OF(seed, 0, 3, 0x7ff, (uint64_t)1 << 54);
    case OWNER: return below(seed, VM_COUNT);
    case ANYONE: return one_in(seed, 8) ? ONE_OF(seed, 0, K->COREVISOR) : some_vm(seed);
    case DEVICE_PA: return one_in(seed, 4) ? (MEMORY + page) << 12 : 0x9000000 + (page << 12);
    default: return random_u64(seed);
    }
}

static const enum argument arguments[][5] = {
    [CALL_HVC_CLEAR_VM_S2_RANGE] = {VM, ADDR, SIZE},
    [CALL_HVC_SET_BOOT_INFO] = {VM, ADDR, SIZE},
    [CALL_HVC_REMAP_VM_IMAGE] = {VM, PFN, INDEX},
    [CALL_HVC_VERIFY_VM_IMAGE] = {VM},
    [CALL_HVC_SMMU_FREE_PGD] = {BANK, SMMU},
    [CALL_HVC_SMMU_ALLOC_PGD] = {BANK, OWNER, SMMU},
    [CALL_HVC_SMMU_LPAE_MAP] = {IOVA, ADDR, PROT, BANK, SMMU},
    [CALL_HVC_SMMU_LPAE_IOVA_TO_PHYS] = {IOVA, BANK, SMMU},
    [CALL_HVC_SMMU_CLEAR] = {IOVA, BANK, SMMU},
    [CALL_HVC_PHYS_ADDR_IOREMAP] = {ANYONE, ADDR, DEVICE_PA, SIZE},
    [CALL_HVC_REGISTER_VCPU] = {VM, VCPU},
    [CALL_HVC_ENCRYPT_BUF] = {VM, ADDR, ADDR},
    [CALL_HVC_DECRYPT_BUF] = {VM, ADDR},
    [CALL_HVC_SAVE_CRYPT_VCPU] = {VM, VCPU},
    [CALL_HVC_LOAD_CRYPT_VCPU] = {VM, VCPU},
};
enum { ARGUMENTS = sizeof arguments / sizeof *arguments };

/* --- Traps ------------------------------------------------------------------------------------ */

static void enter_from(struct fh_state *machine, uint64_t vmid, uint64_t vcpuid)
{
    struct fh_rdata *adt = fh_state_edit(machine);
    adt->ihost = vmid == K->HOSTVISOR;
    adt->icore = false;
    adt->cur_vmid = vmid;
    adt->cur_vcpuid = (int64_t)vcpuid;
}

static void random_hvc(struct fh_state *machine, uint64_t *seed, struct trap *trap)
{
    uint64_t *x = trap->x;
    x[0] = one_in(seed, 24) ? ONE_OF(seed, 0, 12, 30, UINT64_MAX)
                            : K->HVC_TIMER_SET_CNTVOFF + below(seed, 17);
    for (unsigned i = 0; i < 5; i++)
        x[i + 1] = argument(seed, x[0] < ARGUMENTS ? arguments[x[0]][i] : NOTHING);
    if (x[0] == K->HVC_SMMU_LPAE_MAP && one_in(seed, 2))
        x[1] = (((x[2] | K->PTE_AF_OR_SH_IS) >> 12) - MEMORY) << 12;
    if (x[0] == K->HVC_PHYS_ADDR_IOREMAP && one_in(seed, 8))
        x[2] = K->KVM_ADDR_SPACE - (1 + below(seed, 6)) * K->PAGE_SIZE;
    if (x[0] == K->HVC_PHYS_ADDR_IOREMAP && one_in(seed, 8))
        x[3] = K->KVM_PHYS_SIZE - (1 + below(seed, 6)) * K->PAGE_SIZE;
    if (x[0] < ARGUMENTS && arguments[x[0]][0] == VM)
        trap->vmid = x[1];
    enter_from(machine, K->HOSTVISOR, 0);
}

static void random_npt(struct fh_state *machine, uint64_t *seed)
{
    struct fh_ctxt_regs *regs = &fh_state_edit_regs(machine)->ctxt_regs;
    const uint64_t page =
        one_in(seed, 8) ? below(seed, 1 << 16) << 8 : (MEMORY + below(seed, SHARED_PAGES)) << 12;
    const uint64_t offset = ONE_OF(seed, 0, 8, 0x1000, 0x1004, 0x1010, 0x101c, 0x1020, 0x17fc,
                                   0x1800, 0x8020, 0x8034, 0x9020, below(seed, 0x10000));
    const bool is_device = one_in(seed, 2);
    const uint64_t addr = is_device ? DEVICE + offset : page;
    const uint64_t size = ONE_OF(seed, 2, 2, 2, 3, 3, 3, 0, 1);
    regs->hpfar_el2 = addr >> 8;
    regs->far_el2 = is_device ? addr & 0xff : below(seed, 4096);
    regs->esr_el2 = 0x92000000 | size << 22 | below(seed, 32) << 16 | below(seed, 2) << 6;
    regs->elr_el2 = below(seed, 1 << 30) << 2;
    if (one_in(seed, 24))
        regs->esr_el2 = random_u64(seed);
    enter_from(machine, K->HOSTVISOR, 0);
}

/* Registers of the host that is about to write to an SMMU: values that pass, and others. */
static void random_host_registers(struct fh_state *machine, uint64_t *seed)
{
    struct fh_ctxt_regs *regs = &fh_state_edit_regs(machine)->ctxt_regs;
    uint64_t *x = &regs->x0;
    for (unsigned i = 0; i < 31; i++)
        x[i] = ONE_OF(seed, below(seed, 6), (uint64_t)1 << below(seed, 24), random_u64(seed));
    regs->tpidr_el1 = random_u64(seed);
    regs->fp_q1 = random_u64(seed);
}

static uint64_t random_dirty(uint64_t *seed)
{
    const uint64_t pending = one_in(seed, 3) ? K->PENDING_EXCEPT_INJECT_FLAG : 0;
    const uint64_t step = one_in(seed, 2) ? K->DIRTY_PC_FLAG : 0;
    return one_in(seed, 4) ? K->INVALID64 : pending | step | (below(seed, 4) << below(seed, 31));
}

/* The host gives the VM a page that is its own already, where it has it. */
static void fault_on_own_page(struct fh_state *machine, uint64_t *seed, struct trap *trap)
{
    for (unsigned tries = 0; tries < 32; tries++) {
        const uint64_t pfn = MEMORY + below(seed, SHARED_PAGES);
        const struct fh_s2page *page = page_at(machine, pfn);
        if (page->s2_owner != trap->vmid)
            continue;
        trap->core[1] = page->s2_gfn == K->INVALID64 ? 0x40000 : page->s2_gfn << 12;
        trap->core[2] = pfn << 12;
        trap->core[3] = 3;
    }
}

static void random_run(struct fh_state *machine, uint64_t *seed, struct trap *trap)
{
    const uint64_t image = K->PMD_SIZE * (1 + below(seed, 4)) + below(seed, 2) * 0x800;
    const uint64_t pfn = MEMORY + below(seed, SHARED_PAGES);
    trap->vmid = one_in(seed, 24) ? bound(seed) : ONE_OF(seed, 4, 4, 4, 5, 5, 1);
    trap->vcpuid = below(seed, VCPUS);
    trap->x[0] = trap->vmid;
    trap->core[0] = one_in(seed, 24) ? bound(seed) : trap->vcpuid;
    trap->core[1] = one_in(seed, 2) ? 0 : one_in(seed, 8) ? bound(seed) : below(seed, 128) << 12;
    trap->core[2] = one_in(seed, 8) ? random_u64(seed) : pfn << 12 | 0x7ff;
    trap->core[3] = one_in(seed, 8) ? below(seed, 5) : 3;
    trap->data[0] = one_in(seed, 8) ? random_u64(seed) : image;
    if (trap->core[0] < K->VCPU_PER_VM)
        trap->vcpuid = trap->core[0];
    if (one_in(seed, 8)) {
        trap->core[2] = (uint64_t)IMAGES << 12;
        trap->core[3] = 2;
    }
    if (one_in(seed, 3))
        fault_on_own_page(machine, seed, trap);
    enter_from(machine, K->HOSTVISOR, 0);
    if (trap->vmid >= K->COREVISOR)
        return;
    struct fh_ctxt *ctxt = shadow(machine, trap->vmid, trap->vcpuid);
    ctxt->ctxt_states.dirty = random_dirty(seed);
    ctxt->ctxt_states.pc = one_in(seed, 24) ? UINT64_MAX - 1 : image;
    ctxt->ctxt_states.pstate = 5 + below(seed, 2);
    ctxt->ctxt_regs.ec = ONE_OF(seed, K->ARM_EXCEPTION_TRAP, K->ARM_EXCEPTION_INTERRUPT);
    if (one_in(seed, 8))
        return;
    struct fh_vminfo *info = vminfo(machine, trap->vmid);
    info->VB.vm_inc_exe = one_in(seed, 8);
    info->VS.vm_state = K->VERIFIED;
    set_number(machine, &info->VS.vm_vcpu_state, trap->vcpuid, K->READY);
}

static void random_exit(struct fh_state *machine, uint64_t *seed, struct trap *trap)
{
    trap->vmid = ONE_OF(seed, 4, 5, 1);
    trap->vcpuid = below(seed, VCPUS);
    trap->data[0] = below(seed, 32) << 16 | below(seed, 4) << 6;
    enter_from(machine, trap->vmid, trap->vcpuid);
    struct fh_ctxt_regs *regs = &fh_state_edit_regs(machine)->ctxt_regs;
    const uint64_t class =
        ONE_OF(seed, K->ESR_ELx_EC_SYS64, K->ESR_ELx_EC_HVC64, K->ESR_ELx_EC_HVC64,
               K->ESR_ELx_EC_HVC64, K->ESR_ELx_EC_WFx, K->ESR_ELx_EC_HVC32, K->ESR_ELx_EC_IABT_LOW,
               K->ESR_ELx_EC_DABT_LOW, below(seed, 64));
    regs->esr_el2 = class << K->ESR_ELx_EC_SHIFT | below(seed, 1 << 24);
    regs->ec = one_in(seed, 24) ? below(seed, 4)
                                : ONE_OF(seed, K->ARM_EXCEPTION_TRAP, K->ARM_EXCEPTION_TRAP,
                                         K->ARM_EXCEPTION_INTERRUPT);
    regs->hpfar_el2 = below(seed, 1 << 20) << 4;
    regs->far_el2 = random_u64(seed);
    regs->elr_el2 = below(seed, 1 << 30) << 2;
    regs->x0 =
        ONE_OF(seed, K->HVC_KVM_SET_DESC_PFN, K->HVC_KVM_UNSET_DESC_PFN, K->PSCI_0_2_FN64_CPU_ON,
               K->PSCI_0_2_FN_AFFINITY_INFO, K->PSCI_0_2_FN_SYSTEM_OFF, random_u64(seed));
    regs->x2 = one_in(seed, 24)  ? bound(seed)
               : one_in(seed, 8) ? IN_BLOCKS << 12
               : one_in(seed, 4) ? 8 * K->PMD_SIZE + (below(seed, 8) << 12)
                                 : (below(seed, SHARED_PAGES) + below(seed, 2) * 0x1000) << 12;
    regs->x3 = one_in(seed, 24) ? bound(seed) : below(seed, 4 << 12);
    if (one_in(seed, 8))
        return;
    struct fh_vminfo *info = vminfo(machine, trap->vmid);
    info->VS.vm_state = K->VERIFIED;
    set_number(machine, &info->VS.vm_vcpu_state, trap->vcpuid, K->ACTIVE);
}

void random_trap(struct fh_state *machine, uint64_t *seed, struct trap *trap)
{
    *trap = (struct trap){.seed = random_u64(seed)};
    for (unsigned i = 0; i < SCRIPTED; i++) {
        trap->data[i] = random_u64(seed);
        trap->core[i] = random_u64(seed);
    }
    change_something(machine, seed);
    random_host_registers(machine, seed);
    const uint64_t choice = below(seed, 16);
    trap->entry = choice < 8    ? TRAP_HOST_HVC
                  : choice < 10 ? TRAP_HOST_NPT
                  : choice < 13 ? TRAP_VCPU_RUN
                                : TRAP_VM_EXIT;
    if (trap->entry == TRAP_HOST_HVC)
        random_hvc(machine, seed, trap);
    else if (trap->entry == TRAP_HOST_NPT)
        random_npt(machine, seed);
    else if (trap->entry == TRAP_VCPU_RUN)
        random_run(machine, seed, trap);
    else
        random_exit(machine, seed, trap);
    if (trap->entry == TRAP_HOST_HVC || trap->entry == TRAP_VCPU_RUN) {
        uint64_t *x = &fh_state_edit_regs(machine)->ctxt_regs.x0;
        memcpy(x, trap->x, (trap->entry == TRAP_HOST_HVC ? 6 : 1) * sizeof *x);
    }
    trap->is_odd = one_in(seed, 12);
    if (trap->is_odd)
        make_odd(machine, seed, trap);
    const struct fh_rdata *adt = fh_state_rdata(machine);
    trap->data_from = number_in(&adt->data_log, trap->vmid);
    trap->core_from = number_in(&adt->core_data_log, trap->vmid);
}

/* --- Texts ------------------------------------------------------------------------------------ */

const char *hypercall_name(uint64_t call)
{
    static const char *const names[] = {
        "TIMER_SET_CNTVOFF",      "CLEAR_VM_S2_RANGE", "SET_BOOT_INFO",     "REMAP_VM_IMAGE",
        "VERIFY_VM_IMAGE",        "SMMU_FREE_PGD",     "SMMU_ALLOC_PGD",    "SMMU_LPAE_MAP",
        "SMMU_LPAE_IOVA_TO_PHYS", "SMMU_CLEAR",        "PHYS_ADDR_IOREMAP", "REGISTER_KVM",
        "REGISTER_VCPU",          "ENCRYPT_BUF",       "DECRYPT_BUF",       "SAVE_CRYPT_VCPU",
        "LOAD_CRYPT_VCPU",
    };
    const uint64_t first = K->HVC_TIMER_SET_CNTVOFF;
    return call - first < sizeof names / sizeof *names ? names[call - first] : "unknown";
}

const char *trap_text(const struct trap *trap, char *buffer, size_t size)
{
    const uint64_t *x = trap->x;
    if (trap->entry == TRAP_HOST_HVC)
        snprintf(buffer, size,
                 "host_hvc %s(%#" PRIx64 ", %#" PRIx64 ", %#" PRIx64 ", %#" PRIx64 ", %#" PRIx64
                 ")",
                 hypercall_name(x[0]), x[1], x[2], x[3], x[4], x[5]);
    else if (trap->entry == TRAP_HOST_NPT)
        snprintf(buffer, size, "host_npt");
    else
        snprintf(buffer, size,
                 "%s vCPU %" PRIu64 " of VM %" PRIu64 " (core data %#" PRIx64 ", %#" PRIx64
                 ", %#" PRIx64 ", %#" PRIx64 "; data %#" PRIx64 ")",
                 trap->entry == TRAP_VCPU_RUN ? "host_vcpu_run" : "vm_exit", trap->vcpuid,
                 trap->vmid, trap->core[0], trap->core[1], trap->core[2], trap->core[3],
                 trap->data[0]);
    return buffer;
}
