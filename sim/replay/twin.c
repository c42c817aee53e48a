/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "replay/twin_state.h"

static _Noreturn void out_of_memory(void)
{
    diag_plain("out of memory");
    exit(EXIT_BAD_INPUT);
}

/* --- The state, to read and to write --------------------------------------------------------- */

void *twin_edit(struct twin *twin, struct fh_map *map, const struct fh_type *type, uint64_t key)
{
    bool existed;
    void *entry = fh_map_edit(map, &type->as_value, twin->allocator, key, &existed);
    if (!entry)
        out_of_memory();
    return entry;
}

void *twin_own(struct twin *twin, void *place, const struct fh_type *type)
{
    if (!fh_ref_own(type, place, twin->allocator))
        out_of_memory();
    return *(void **)place;
}

struct fh_rdata *twin_edit_state(struct twin *twin)
{
    struct fh_rdata *rdata = fh_state_edit(twin->state);
    if (!rdata)
        out_of_memory();
    return rdata;
}

const struct fh_npt *twin_npt(const struct twin *twin, uint64_t vmid)
{
    const struct fh_type *type = twin->types.npt;
    const struct fh_map *npts = &fh_state_rdata(twin->state)->shared.npts;
    return fh_ref_record(type, fh_map_get(npts, &type->as_value, vmid));
}

struct fh_npt *twin_edit_npt(struct twin *twin, uint64_t vmid)
{
    struct fh_map *npts = &twin_edit_state(twin)->shared.npts;
    return twin_own(twin, twin_edit(twin, npts, twin->types.npt, vmid), twin->types.npt);
}

const struct fh_vminfo *twin_vminfo(const struct twin *twin, uint64_t vmid)
{
    const struct fh_type *type = twin->types.vminfo;
    const struct fh_map *infos = &fh_state_rdata(twin->state)->shared.vminfos;
    return fh_ref_record(type, fh_map_get(infos, &type->as_value, vmid));
}

static void set_word(struct twin *twin, struct fh_map *map, uint64_t key, uint64_t value)
{
    *(uint64_t *)twin_edit(twin, map, twin->types.word, key) = value;
}

bool twin_has_stage2(const struct twin *twin, uint64_t vmid)
{
    return vmid < twin->profile->COREVISOR;
}

/* One table of pages maps 2 MiB, one table of those 1 GiB. */
static uint64_t table_key(const struct fh_profile *k, uint64_t vmid, enum twin_level level,
                          uint64_t ipa)
{
    uint64_t shift = level == TWIN_PTE ? k->PMD_SHIFT : k->S2_PGDIR_SHIFT;
    return vmid << 40 | (uint64_t)level << 39 | ipa >> shift;
}

uint64_t twin_table(const struct twin *twin, uint64_t vmid, enum twin_level level, uint64_t ipa)
{
    const uint64_t *address = fh_map_get(&twin->tables, &twin->types.word->as_value,
                                         table_key(twin->profile, vmid, level, ipa));
    return *address;
}

void twin_set_table(struct twin *twin, uint64_t vmid, enum twin_level level, uint64_t ipa,
                    uint64_t address)
{
    set_word(twin, &twin->tables, table_key(twin->profile, vmid, level, ipa), address);
}

void twin_forget_table(struct twin *twin, uint64_t vmid, uint64_t ipa)
{
    const struct fh_profile *k = twin->profile;
    twin_set_table(twin, vmid, TWIN_PMD, ipa, 0);
    for (uint64_t i = 0; i < k->PTRS_PER_PMD; i++)
        if (twin_table(twin, vmid, TWIN_PTE, ipa + (i << k->PMD_SHIFT)) != 0)
            twin_set_table(twin, vmid, TWIN_PTE, ipa + (i << k->PMD_SHIFT), 0);
}

/* Those registers that a trace tells of, beside x0 to x30: S(constant, place in struct fh_ctxt). */
/* clang-format off */
#define SHADOW_REGISTER_MAP(S)                                                                      \
    S(PC, ctxt_states.pc) S(PSTATE, ctxt_states.pstate) S(DIRTY, ctxt_states.dirty)                 \
    S(FLAGS, ctxt_states.flags) S(EC, ctxt_regs.ec) S(FAR_EL2, ctxt_regs.far_el2)                   \
    S(HPFAR_EL2, ctxt_regs.hpfar_el2) S(ELR_EL1, ctxt_regs.elr_el1) S(ESR_EL2, ctxt_regs.esr_el2)   \
    S(SPSR_0, ctxt_states.spsr_0)                                                                   \
    S(MPIDR_EL1, ctxt_regs.mpidr_el1) S(CSSELR_EL1, ctxt_regs.csselr_el1)                           \
    S(SCTLR_EL1, ctxt_regs.sctlr_el1) S(ACTLR_EL1, ctxt_regs.actlr_el1)                             \
    S(CPACR_EL1, ctxt_regs.cpacr_el1) S(TTBR0_EL1, ctxt_regs.ttbr0_el1)                             \
    S(TTBR1_EL1, ctxt_regs.ttbr1_el1) S(TCR_EL1, ctxt_regs.tcr_el1)                                 \
    S(ESR_EL1, ctxt_states.esr_el1) S(AFSR0_EL1, ctxt_regs.afsr0_el1)                               \
    S(AFSR1_EL1, ctxt_regs.afsr1_el1) S(FAR_EL1, ctxt_regs.far_el1)                                 \
    S(MAIR_EL1, ctxt_regs.mair_el1) S(VBAR_EL1, ctxt_regs.vbar_el1)                                 \
    S(CONTEXTIDR_EL1, ctxt_regs.contextidr_el1) S(TPIDR_EL0, ctxt_regs.tpidr_el0)                   \
    S(TPIDRRO_EL0, ctxt_regs.tpidrro_el0) S(TPIDR_EL1, ctxt_regs.tpidr_el1)                         \
    S(AMAIR_EL1, ctxt_regs.amair_el1) S(CNTKCTL_EL1, ctxt_regs.cntkctl_el1)                         \
    S(PAR_EL1, ctxt_regs.par_el1) S(MDSCR_EL1, ctxt_regs.mdscr_el1)
/* clang-format on */

/* Where a register stands in struct fh_ctxt; 0 for one that the state does not have. */
static size_t shadow_offset(const struct fh_profile *k, uint64_t index)
{
    if (index < TRACE_GPRS)
        return offsetof(struct fh_ctxt, ctxt_regs.x0) + index * sizeof(uint64_t);
#define SHADOW_REGISTER(constant, place)                                                           \
    if (index == k->constant)                                                                      \
        return offsetof(struct fh_ctxt, place);
    SHADOW_REGISTER_MAP(SHADOW_REGISTER)
#undef SHADOW_REGISTER
    return 0;
}
_Static_assert(offsetof(struct fh_ctxt, ctxt_regs.x0) > 0, "0 stands for no register");

const struct fh_ctxt *twin_ctxt(const struct twin *twin, uint64_t vmid, uint64_t vcpuid)
{
    const struct fh_type *type = twin->types.ctxt;
    const struct fh_map *ctxts = &fh_state_rdata(twin->state)->shadow_ctxts;
    const uint64_t id = vmid * twin->profile->VCPU_PER_VM + vcpuid;
    return fh_ref_record(type, fh_map_get(ctxts, &type->as_value, id));
}

struct fh_ctxt *twin_edit_ctxt(struct twin *twin, uint64_t vmid, uint64_t vcpuid)
{
    const uint64_t id = vmid * twin->profile->VCPU_PER_VM + vcpuid;
    struct fh_map *ctxts = &twin_edit_state(twin)->shadow_ctxts;
    return twin_own(twin, twin_edit(twin, ctxts, twin->types.ctxt, id), twin->types.ctxt);
}

static bool has_register(const struct fh_profile *k, uint64_t index)
{
    return shadow_offset(k, index) != 0;
}

uint64_t twin_shadow_register(const struct twin *twin, uint64_t vmid, uint64_t vcpuid,
                              uint64_t index)
{
    const char *ctxt = (const char *)twin_ctxt(twin, vmid, vcpuid);
    const void *place = ctxt + shadow_offset(twin->profile, index);
    return has_register(twin->profile, index) ? *(const uint64_t *)place : 0;
}

void twin_set_shadow_register(struct twin *twin, uint64_t vmid, uint64_t vcpuid, uint64_t index,
                              uint64_t value)
{
    if (!has_register(twin->profile, index))
        return;
    char *ctxt = (char *)twin_edit_ctxt(twin, vmid, vcpuid);
    void *place = ctxt + shadow_offset(twin->profile, index);
    *(uint64_t *)place = value;
}

/* --- Making and freeing ---------------------------------------------------------------------- */

static const struct fh_type *field_type(const struct fh_type *record, const char *name)
{
    return fh_type_field(record, name, strlen(name))->type;
}

static void find_types(struct twin_types *types)
{
    const struct fh_type *rdata = fh_rdata_type();
    const struct fh_type *shared = field_type(rdata, "shared");
    types->regs = field_type(rdata, "regs");
    types->smmu_conf = field_type(rdata, "smmu_conf");
    types->spts = field_type(shared, "spts");
    types->lock = field_type(rdata, "lock");
    types->log = field_type(rdata, "log");
    types->word = field_type(rdata, "data_log")->value;
    types->region = field_type(rdata, "regions")->value;
    types->ctxt = field_type(rdata, "shadow_ctxts")->value;
    types->npt = field_type(shared, "npts")->value;
    types->pt_entry = field_type(types->npt, "pt")->value;
    types->flag = field_type(types->npt, "pgd_t")->value;
    types->s2page = field_type(shared, "s2page")->value;
    types->vminfo = field_type(shared, "vminfos")->value;
    types->smmu_owner = field_type(shared, "smmu_vmid")->value;
    types->bank_pages = field_type(types->spts, "spt_pt")->value;
    types->bank_pgds = field_type(types->spts, "spt_pgd_t")->value;
    types->bank_pmds = field_type(types->spts, "spt_pmd_t")->value;
}

/* --- What the machine got from outside ------------------------------------------------------ */

/*
 * What the host's device accesses read is what the machine's read: the n-th datum of a trap is its
 * n-th recorded read.
 */
static uint64_t recorded_datum(void *context, uint64_t vmid, uint64_t n)
{
    struct twin *twin = context;
    if (!twin->line)
        return 0;
    if (vmid != twin->profile->HOSTVISOR)
        return twin_vm_datum(twin);
    uint64_t wanted = n - twin->first_datum;
    for (size_t i = 0; i < twin->line->nfx; i++) {
        const struct trace_effect *effect = &twin->line->fx[i];
        if (effect->kind == TRACE_mmio && effect->mmio.write == 0 && wanted-- == 0)
            return effect->mmio.val;
    }
    return 0;
}

/* The last value that was stored in this field of the VM. */
static uint64_t recorded_vm_set(const struct twin *twin, const char *field, uint64_t vmid,
                                uint64_t sub)
{
    uint64_t value = 0;
    for (size_t i = 0; twin->line && i < twin->line->nfx; i++) {
        const struct trace_effect *effect = &twin->line->fx[i];
        if (effect->kind == TRACE_vm_set && effect->vm_set.vmid == vmid &&
            effect->vm_set.sub == sub && strcmp(effect->vm_set.field, field) == 0)
            value = effect->vm_set.new;
    }
    return value;
}

static uint64_t recorded_core_datum(void *context, uint64_t vmid, uint64_t n)
{
    (void)vmid;
    return twin_core_datum(context, n);
}

/* The value that the n-th system register is reset to. */
static uint64_t recorded_reset(void *context, uint64_t n)
{
    const struct twin *twin = context;
    for (size_t i = 0; twin->line && i < twin->line->nfx; i++) {
        const struct trace_effect *effect = &twin->line->fx[i];
        if (effect->kind == TRACE_shadow_set &&
            effect->shadow_set.idx == twin->profile->SYSREGS_START + n)
            return effect->shadow_set.new;
    }
    return 0;
}

/* Where the host keeps its struct kvm and struct kvm_vcpu is the machine's affair. */
static uint64_t recorded_kvm(void *context, uint64_t vmid)
{
    return recorded_vm_set(context, "kvm", vmid, 0);
}

static uint64_t recorded_vcpu(void *context, uint64_t vmid, uint64_t vcpuid)
{
    return recorded_vm_set(context, "vcpu", vmid, vcpuid);
}

static uint64_t word_at(const struct twin *twin, const struct fh_map *map, uint64_t key)
{
    return *(const uint64_t *)fh_map_get(map, &twin->types.word->as_value, key);
}

static void append_verify(struct twin *twin, uint64_t vmid, uint64_t addr)
{
    const struct fh_boot_info *info = &twin_vminfo(twin, vmid)->VB;
    uint64_t image = 0;
    while (image < info->vm_next_load_info && word_at(twin, &info->vm_remap_addr, image) != addr)
        image++;
    twin_append(twin, TRACE_verify, ALL_OF(verify) & ~HAS(verify, ed25519))->verify =
        (struct trace_verify){vmid, image, addr, word_at(twin, &info->vm_load_size, image), 0};
}

/*
 * Is the image the one that was signed? A15: this machine looks, and takes no notice of the answer.
 */
static uint64_t recorded_verdict(void *context, uint64_t vmid, uint64_t addr)
{
    struct twin *twin = context;
    append_verify(twin, vmid, addr);
    for (size_t i = 0; twin->line && i < twin->line->nfx; i++) {
        const struct trace_effect *effect = &twin->line->fx[i];
        if (effect->kind != TRACE_verify || effect->verify.vmid != vmid ||
            effect->verify.addr != addr)
            continue;
        if (effect->verify.ed25519 == 0)
            return ledger_admits(twin->ledger, "A15", effect);
        return 1;
    }
    return 1;
}

struct twin *twin_new(const struct fh_profile *profile)
{
    struct twin *twin = calloc(1, sizeof *twin);
    if (!twin)
        out_of_memory();
    twin->profile = profile;
    twin->allocator = fh_malloc_allocator();
    find_types(&twin->types);
    const struct fh_environment environment = {.context = twin,
                                               .doracle = recorded_datum,
                                               .core_doracle = recorded_core_datum,
                                               .reg_desc = recorded_reset,
                                               .shared_kvm = recorded_kvm,
                                               .shared_vcpu = recorded_vcpu,
                                               .verify_img = recorded_verdict,
                                               .observer = twin_observe};
    const struct fh_config config = {.profile = profile,
                                     .allocator = twin->allocator,
                                     .environment = &environment,
                                     .log_policy = FH_LOG_SUMMARY,
                                     .semantics = FH_SEMANTICS_CODE &
                                                  ~(UINT32_C(1) << FH_CODE_host_hvc_dispatcher) &
                                                  ~(UINT32_C(1) << FH_CODE_restore_vm) &
                                                  ~(UINT32_C(1) << FH_CODE_assign_pfn_to_vm)};
    twin->state = fh_state_new(&config);
    if (!twin->state)
        out_of_memory();
    twin->smmu_pools =
        (struct twin_pools){.pgd = profile->SMMU_PGD_START, .pmd = profile->SMMU_PMD_START};
    return twin;
}

void twin_free(struct twin *twin)
{
    if (!twin)
        return;
    twin_forget_snapshot(twin);
    if (twin->watched)
        fh_snapshot_release(twin->watched, twin->allocator);
    fh_map_release(&twin->tables, &twin->types.word->as_value, twin->allocator);
    fh_state_free(twin->state);
    free(twin->effects);
    free(twin);
}

/* --- Booting --------------------------------------------------------------------------------- */

/* The constants of the profile that a boot line has too: B(name in the line, constant). */
#define BOOT_CONSTANT_MAP(B)                                                                       \
    B("PAGE_S2_KERNEL", PAGE_S2_KERNEL)                                                            \
    B("PAGE_S2_DEVICE", PAGE_S2_DEVICE)                                                            \
    B("PAGE_HYP", PAGE_HYP)                                                                        \
    B("S2_RDWR", S2_RDWR)                                                                          \
    B("page_pool_start", SMMU_POOL_START)                                                          \
    B("host_vttbr", PT_POOL_START)                                                                 \
    B("smmu_pgd_pool", SMMU_PGD_START)                                                             \
    B("smmu_pmd_pool", SMMU_PMD_START)

static const struct boot_constant {
    const char *name;
    size_t offset; /* in struct fh_profile */
} boot_constants[] = {
#define BOOT_CONSTANT(name, constant) {name, offsetof(struct fh_profile, constant)},
    BOOT_CONSTANT_MAP(BOOT_CONSTANT)
#undef BOOT_CONSTANT
};

static uint64_t profile_constant(const struct fh_profile *k, size_t offset)
{
    return *(const uint64_t *)((const char *)k + offset);
}

bool twin_is_boot(const struct trace_line *line)
{
    for (size_t i = 0; i < line->nfx; i++) {
        if (line->fx[i].kind == TRACE_boot_pool)
            return true;
    }
    return false;
}

/* Where the pool of `vmid` lies by the profile, as the boot record would say it. */
static struct trace_boot_pool pool_by_profile(const struct fh_profile *k, uint64_t vmid)
{
    if (vmid == k->HOSTVISOR) {
        uint64_t start = k->PT_POOL_START;
        return (struct trace_boot_pool){vmid,
                                        start,
                                        start + k->HOST_PGD_OFFSET,
                                        start + k->HOST_PUD_OFFSET,
                                        start + k->HOST_PMD_OFFSET,
                                        start};
    }
    uint64_t start = k->PT_POOL_START + k->HOST_POOL_SIZE + (vmid - 1) * k->PT_POOL_PER_VM;
    return (struct trace_boot_pool){vmid,
                                    start,
                                    start + k->PGD_OFFSET,
                                    start + k->PUD_OFFSET,
                                    start + k->PMD_OFFSET,
                                    vmid << k->VTTBR_VMID_SHIFT | start};
}

/* The effect that the profile expects stays with the twin until the next trap. */
static void compare_pool(struct twin *twin, const struct trace_effect *machine,
                         struct differences *found)
{
    struct trace_effect *model = &twin->effects[twin->neffects++];
    *model = (struct trace_effect){.kind = TRACE_boot_pool, .present = machine->present};
    model->boot_pool = pool_by_profile(twin->profile, machine->boot_pool.vmid);
    compare_effects(model, 1, machine, 1, twin_is_beyond, found);
}

static void boot_pool(struct twin *twin, const struct trace_effect *effect,
                      struct differences *found)
{
    const struct trace_boot_pool *pool = &effect->boot_pool;
    if (pool->vmid > twin->profile->COREVISOR)
        return;
    if (twin_has_stage2(twin, pool->vmid))
        compare_pool(twin, effect, found);
    struct fh_npt *npt = twin_edit_npt(twin, pool->vmid);
    npt->pt_pgd_next = pool->pgd_pool;
    npt->pt_pud_next = pool->pud_pool;
    npt->pt_pmd_next = pool->pmd_pool;
    twin->pools[pool->vmid] = (struct twin_pools){pool->pgd_pool, pool->pud_pool, pool->pmd_pool};
    twin->roots[pool->vmid] = pool->page_pool_start;
}

static void boot_region(struct twin *twin, const struct trace_boot_region *region)
{
    struct fh_rdata *rdata = twin_edit_state(twin);
    struct fh_memblock *block = twin_edit(twin, &rdata->regions, twin->types.region, region->i);
    *block = (struct fh_memblock){.mb_base = region->base,
                                  .mb_size = region->size,
                                  .mb_flag = region->flags,
                                  .mb_index = region->index};
    if (rdata->region_cnt <= region->i)
        rdata->region_cnt = region->i + 1;
}

static void boot_owners(struct twin *twin, const struct trace_boot_rle *run)
{
    struct fh_map *pages = &twin_edit_state(twin)->shared.s2page;
    const struct fh_s2page page = {
        .s2_owner = (uint32_t)run->owner, .s2_count = (uint32_t)run->count, .s2_gfn = run->gfn};
    const uint64_t first = twin->ram_pfn + run->start_index;
    if (run->len > 0 && !fh_map_fill(pages, &twin->types.s2page->as_value, twin->allocator, first,
                                     first + run->len - 1, &page))
        out_of_memory();
}

/* "smmu1.size" */
static bool boot_smmu(struct twin *twin, const char *name, uint64_t value)
{
    if (strncmp(name, "smmu", 4) != 0 || name[4] < '0' || name[4] > '9' || name[5] != '.')
        return false;
    const uint64_t index = (uint64_t)(name[4] - '0');
    struct fh_rdata *rdata = twin_edit_state(twin);
    struct fh_smmu_conf *conf = twin_own(twin, &rdata->smmu_conf, twin->types.smmu_conf);
    const struct {
        const char *name;
        struct fh_map *map;
    } fields[] = {{"phys_base", &conf->smmu_phys_base},
                  {"size", &conf->smmu_size},
                  {"pgshift", &conf->smmu_pgshift},
                  {"num_context_banks", &conf->smmu_dev_context_banks},
                  {"hyp_base", &conf->smmu_hyp_base}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (strcmp(fields[i].name, name + 6) == 0)
            set_word(twin, fields[i].map, index, value);
    }
    return true;
}

/* "smmu_cfg[3]": the owner of a context bank. */
static bool boot_bank(struct twin *twin, const struct trace_boot_val *record)
{
    if (strncmp(record->name, "smmu_cfg[", 9) != 0)
        return false;
    const uint64_t bank = strtoull(record->name + 9, NULL, 10);
    struct fh_map *owners = &twin_edit_state(twin)->shared.smmu_vmid;
    *(uint64_t *)twin_edit(twin, owners, twin->types.smmu_owner, bank) = record->vmid;
    return true;
}

static void compare_constant(const struct twin *twin, const struct trace_effect *effect,
                             struct differences *found)
{
    for (size_t i = 0; i < sizeof boot_constants / sizeof *boot_constants; i++) {
        if (strcmp(boot_constants[i].name, effect->boot_val.name) != 0)
            continue;
        uint64_t expected = profile_constant(twin->profile, boot_constants[i].offset);
        if (expected != effect->boot_val.val)
            differ(found, &(struct difference){.machine = effect,
                                               .path = boot_constants[i].name,
                                               .model_value = expected,
                                               .machine_value = effect->boot_val.val});
    }
}

static void boot_value(struct twin *twin, const struct trace_effect *effect,
                       struct differences *found)
{
    const struct trace_boot_val *record = &effect->boot_val;
    struct fh_rdata *rdata = twin_edit_state(twin);
    if (boot_bank(twin, record) || boot_smmu(twin, record->name, record->val))
        return;
    if (strcmp(record->name, "phys_mem_start") == 0)
        twin->ram_pfn = record->val / twin->profile->PAGE_SIZE;
    else if (strcmp(record->name, "phys_mem_size") == 0)
        twin->ram_pages = record->val / twin->profile->PAGE_SIZE;
    else if (strcmp(record->name, "next_vmid") == 0)
        rdata->shared.core_data.next_vmid = record->val;
    else if (strcmp(record->name, "last_remap_ptr") == 0)
        rdata->shared.core_data.next_remap_ptr = twin->profile->REMAP_START + record->val;
    else if (strcmp(record->name, "el2_smmu_num") == 0)
        ((struct fh_smmu_conf *)twin_own(twin, &rdata->smmu_conf, twin->types.smmu_conf))
            ->smmu_num = record->val;
    else
        compare_constant(twin, effect, found);
}

/* A run of pages must lie in memory that the machine says it has. */
static const char *check_owners(const struct twin *twin, const struct trace_boot_rle *run)
{
    if (twin->ram_pages == 0 || twin->ram_pages > twin->profile->MAX_S2PAGE_NUM)
        return "no phys_mem_size, or one beyond what the profile can describe";
    if (run->start_index > twin->ram_pages || run->len > twin->ram_pages - run->start_index)
        return "a boot_rle that ends beyond phys_mem_size";
    return NULL;
}

/* What a state cannot do without. */
static const char *missing_part(const struct twin *twin)
{
    const struct fh_rdata *rdata = fh_state_rdata(twin->state);
    if (rdata->region_cnt == 0)
        return "the boot line has no boot_region";
    if (!fh_map_find(&rdata->shared.s2page, &twin->types.s2page->as_value, twin->ram_pfn))
        return "the boot line has no boot_rle from page 0 on";
    if (twin->roots[twin->profile->HOSTVISOR] == 0)
        return "the boot line has no boot_pool of the host";
    return NULL;
}

static void reserve_effects(struct twin *twin, size_t count)
{
    if (twin->size >= count)
        return;
    twin->effects = realloc(twin->effects, count * sizeof *twin->effects);
    if (!twin->effects)
        out_of_memory();
    twin->size = count;
}

const char *twin_boot(struct twin *twin, const struct trace_line *line, struct differences *found)
{
    twin->neffects = 0;
    reserve_effects(twin, line->nfx);
    const char *missing = NULL;
    for (size_t i = 0; !missing && i < line->nfx; i++) {
        const struct trace_effect *effect = &line->fx[i];
        switch (effect->kind) {
        case TRACE_boot_region: boot_region(twin, &effect->boot_region); break;
        case TRACE_boot_pool: boot_pool(twin, effect, found); break;
        case TRACE_boot_val: boot_value(twin, effect, found); break;
        case TRACE_boot_rle:
            missing = check_owners(twin, &effect->boot_rle);
            if (!missing)
                boot_owners(twin, &effect->boot_rle);
            break;
        default: break;
        }
    }
    return missing ? missing : missing_part(twin);
}

/* --- Taking a trap --------------------------------------------------------------------------- */

/* The registers of the trace that the spec has: M(register, field of Ctxt). */
/* clang-format off */
#define MODEL_REGISTER_MAP(M)                                                                      \
    M(esr, esr_el2) M(far, far_el2) M(hpfar, hpfar_el2) M(elr, elr_el2) M(spsr, spsr_el2)          \
    M(hcr, hcr_el2) M(vttbr, vttbr_el2) M(vmpidr, vmpidr_el2) M(tpidr_el2, tpidr_el2)              \
    M(par_el1, par_el1) M(actlr_el1, actlr_el1) M(sp_el1, sp_el1) M(elr_el1, elr_el1)              \
    M(spsr_el1, spsr_el1) M(sp_el0, sp_el0) M(vbar_el1, vbar_el1)
/* clang-format on */

static const struct model_register {
    enum trace_register reg;
    size_t offset; /* in struct fh_ctxt_regs */
} model_registers[] = {
#define MODEL_REGISTER(reg, field) {TRACE_REG_##reg, offsetof(struct fh_ctxt_regs, field)},
    MODEL_REGISTER_MAP(MODEL_REGISTER)
#undef MODEL_REGISTER
};

enum { MODEL_REGISTERS = sizeof model_registers / sizeof *model_registers };

_Static_assert(offsetof(struct fh_ctxt_regs, x30) ==
                   offsetof(struct fh_ctxt_regs, x0) + 30 * sizeof(uint64_t),
               "x0 to x30 follow one another");

bool twin_can_replay(const struct trace_line *line)
{
    return line->kind != TRACE_KIND_el2_exception;
}

static struct fh_ctxt *edit_host_ctxt(struct twin *twin, struct fh_rdata *rdata, uint64_t cpu)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t id = k->HOSTVISOR * k->VCPU_PER_VM + cpu;
    return twin_own(twin, twin_edit(twin, &rdata->shadow_ctxts, twin->types.ctxt, id),
                    twin->types.ctxt);
}

static bool is_run(const struct trace_line *line)
{
    enum { HVC_VCPU_RUN = 8 };
    return line->kind == TRACE_KIND_host_hvc && line->in.x[0] == HVC_VCPU_RUN;
}

/* The host, or the vCPU that runs there, traps on this CPU with these registers. */
static void enter(struct twin *twin, const struct trace_line *line)
{
    struct fh_rdata *rdata = twin_edit_state(twin);
    const struct twin_cpu *cpu = &twin->cpus[line->cpu % TWIN_CPUS];
    const bool is_guest = line->kind == TRACE_KIND_guest_exit;
    rdata->curid = line->cpu;
    rdata->cur_vmid = is_guest ? cpu->vmid : twin->profile->HOSTVISOR;
    rdata->cur_vcpuid = (int64_t)(is_guest ? cpu->vcpuid : line->cpu);
    struct fh_ctxt *regs = twin_own(twin, &rdata->regs, twin->types.regs);
    for (size_t i = 0; i < MODEL_REGISTERS; i++) {
        uint64_t *place = (void *)((char *)&regs->ctxt_regs + model_registers[i].offset);
        *place = line->in.values[model_registers[i].reg];
    }
    regs->ctxt_regs.ec = line->exit_code;
    if (is_guest)
        memcpy(&regs->ctxt_regs.x0, line->in.x, sizeof line->in.x);
    struct fh_ctxt *host = edit_host_ctxt(twin, rdata, line->cpu);
    memcpy(&host->ctxt_regs.x0, is_guest ? cpu->host.x : line->in.x, sizeof line->in.x);
    const uint64_t *data =
        fh_map_get(&rdata->data_log, &twin->types.word->as_value, twin->profile->HOSTVISOR);
    twin->first_datum = *data;
    if (is_run(line))
        twin->first_core_datum = word_at(twin, &rdata->core_data_log, line->in.x[1]);
    twin->line = line;
    twin->neffects = 0;
}

static bool flag_at(const struct twin *twin, const struct fh_map *map, uint64_t key)
{
    return *(const bool *)fh_map_get(map, &twin->types.flag->as_value, key);
}

static void remember(struct twin *twin, const struct trace_line *line)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t addr = (line->in.values[TRACE_REG_hpfar] & k->HPFAR_MASK) << 8;
    const struct fh_npt *npt = twin_npt(twin, k->HOSTVISOR);
    twin->before.gfn = addr >> k->PAGE_SHIFT;
    twin->before.entry = *(const struct fh_pt_entry *)fh_map_get(
        &npt->pt, &twin->types.pt_entry->as_value, twin->before.gfn);
    twin->before.pgd_t = flag_at(twin, &npt->pgd_t, addr >> k->S2_PGDIR_SHIFT);
    twin->before.pmd_t = flag_at(twin, &npt->pmd_t, addr >> k->PMD_SHIFT);
    twin->before.pools = twin->pools[k->HOSTVISOR];
}

/* The model's register at the end. What the spec has no field for, it never changes. */
static uint64_t register_at_end(const struct twin *twin, const struct trace_line *line,
                                enum trace_register reg)
{
    const struct fh_rdata *rdata = fh_state_rdata(twin->state);
    if (reg == TRACE_REG_vmid)
        return rdata->cur_vmid;
    for (size_t i = 0; i < MODEL_REGISTERS; i++) {
        if (model_registers[i].reg != reg)
            continue;
        const struct fh_ctxt *regs = fh_ref_record(twin->types.regs, &rdata->regs);
        const void *place = (const char *)&regs->ctxt_regs + model_registers[i].offset;
        return *(const uint64_t *)place;
    }
    return line->in.values[reg];
}

/* Each register at the end against what the machine returns with: `in`, where it did not change. */
static void compare_registers(struct twin *twin, const struct trace_line *line,
                              struct differences *found)
{
    static const char *const paths[] = {
#define OUT_PATH(key, format) "out." #key,
        TRACE_REGISTER_MAP(OUT_PATH)
#undef OUT_PATH
    };
    for (unsigned i = 0; i < TRACE_REGISTERS; i++) {
        const enum trace_register reg = (enum trace_register)i;
        const bool changed = line->out.present >> i & 1;
        const uint64_t machine = changed ? line->out.values[i] : line->in.values[i];
        const uint64_t model = register_at_end(twin, line, reg);
        if (model != machine)
            differ(found, &(struct difference){
                              .path = paths[i], .model_value = model, .machine_value = machine});
    }
}

static void compare_gprs(struct twin *twin, const struct trace_line *line,
                         struct differences *found)
{
    const struct fh_profile *k = twin->profile;
    const struct fh_rdata *rdata = fh_state_rdata(twin->state);
    const uint64_t id = k->HOSTVISOR * k->VCPU_PER_VM + line->cpu;
    const struct fh_ctxt *host = fh_ref_record(
        twin->types.ctxt, fh_map_get(&rdata->shadow_ctxts, &twin->types.ctxt->as_value, id));
    const uint64_t *x = &host->ctxt_regs.x0;
    for (unsigned i = 0; i < TRACE_GPRS; i++) {
        const bool changed = line->out.x_present >> i & 1;
        const uint64_t machine = changed ? line->out.x[i] : line->in.x[i];
        if (x[i] != machine)
            differ(found, &(struct difference){.path = trace_gpr_name(i),
                                               .model_value = x[i],
                                               .machine_value = machine});
    }
}

static uint64_t at_end(const struct trace_line *line, enum trace_register reg)
{
    return line->out.present >> reg & 1 ? line->out.values[reg] : line->in.values[reg];
}

static void compare_word(const char *path, uint64_t model, uint64_t machine,
                         struct differences *found)
{
    if (model != machine)
        differ(found,
               &(struct difference){.path = path, .model_value = model, .machine_value = machine});
}

static void compare_x(const uint64_t *model, const struct trace_line *line,
                      struct differences *found)
{
    for (unsigned i = 0; i < TRACE_GPRS; i++)
        compare_word(trace_gpr_name(i), model[i],
                     line->out.x_present >> i & 1 ? line->out.x[i] : line->in.x[i], found);
}

/*
 * Whose registers the CPU has at the end: the vCPU's shadow registers, those with which it exited,
 * or the host's when it made it run, with the kind of exit in x0.
 */
static void compare_switch(struct twin *twin, const struct trace_line *line,
                           struct differences *found)
{
    const struct twin_cpu *cpu = &twin->cpus[line->cpu % TWIN_CPUS];
    const struct fh_ctxt *vcpu = twin_ctxt(twin, cpu->vmid, cpu->vcpuid);
    const struct fh_rdata *rdata = fh_state_rdata(twin->state);
    const bool is_exit = line->kind == TRACE_KIND_guest_exit;
    compare_word("out.vmid", rdata->cur_vmid, at_end(line, TRACE_REG_vmid), found);
    if (is_exit && twin->goes_on) {
        compare_registers(twin, line, found);
        compare_x(line->in.x, line, found);
        return;
    }
    const struct fh_ctxt *regs = fh_ref_record(twin->types.regs, &rdata->regs);
    compare_word("out.vttbr", regs->ctxt_regs.vttbr_el2, at_end(line, TRACE_REG_vttbr), found);
    if (!is_exit) {
        compare_word("out.elr", vcpu->ctxt_states.pc, at_end(line, TRACE_REG_elr), found);
        compare_word("out.spsr", vcpu->ctxt_states.pstate, at_end(line, TRACE_REG_spsr), found);
        compare_x(&vcpu->ctxt_regs.x0, line, found);
        return;
    }
    compare_word("pc", vcpu->ctxt_states.pc, line->in.values[TRACE_REG_elr], found);
    compare_word("pstate", vcpu->ctxt_states.pstate, line->in.values[TRACE_REG_spsr], found);
    static const enum trace_register kept[] = {
        TRACE_REG_elr,    TRACE_REG_spsr,     TRACE_REG_sp_el1,  TRACE_REG_elr_el1,
        TRACE_REG_sp_el0, TRACE_REG_spsr_el1, TRACE_REG_vbar_el1};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        compare_word(trace_register_name(kept[i]), cpu->host.values[kept[i]], at_end(line, kept[i]),
                     found);
    uint64_t x[TRACE_GPRS];
    memcpy(x, cpu->host.x, sizeof x);
    x[0] = line->exit_code;
    compare_x(x, line, found);
}

static bool is_flushed(const struct trace_line *line, size_t at)
{
    const struct trace_pt_store *store = &line->fx[at].pt_store;
    for (size_t i = at + 1; i < line->nfx; i++) {
        const struct trace_effect *effect = &line->fx[i];
        if (effect->kind == TRACE_tlbi && effect->tlbi.ipa == store->ipa)
            return true;
        if (effect->kind == TRACE_unlock && effect->unlock.vmid == store->vmid &&
            strcmp(effect->unlock.lock, "pt") == 0)
            return false;
    }
    return false;
}

/*
 * A rule of its own, that the spec does not have: where a leaf of a page or block becomes another
 * one or none, the TLB is told before the table's lock is given back.
 */
static void check_tlb(const struct twin *twin, const struct trace_line *line,
                      struct differences *found)
{
    const uint64_t page = twin->profile->PHYS_MASK & twin->profile->PAGE_MASK;
    const uint64_t table = twin->profile->PMD_TYPE_TABLE;
    for (size_t i = 0; i < line->nfx; i++) {
        const struct trace_pt_store *store = &line->fx[i].pt_store;
        if (line->fx[i].kind != TRACE_pt_store || (store->old & page) == 0 ||
            store->old == store->new || !twin_has_stage2(twin, store->vmid))
            continue;
        const bool is_page = strcmp(store->level, "pte") == 0;
        const bool is_block = strcmp(store->level, "pmd") == 0 && (store->old & table) != table;
        if ((is_page || is_block) && !is_flushed(line, i))
            differ(found, &(struct difference){.machine = &line->fx[i],
                                               .path = "tlbi",
                                               .model_value = store->ipa,
                                               .machine_value = 0});
    }
}

/* What a record says of the hypercall stands in the registers too. */
static void check_hypercall(const struct trace_line *line, struct differences *found)
{
    if (line->kind != TRACE_KIND_host_hvc)
        return;
    if (line->hvc_number != line->in.x[0])
        differ(found, &(struct difference){.path = "hvc.num",
                                           .model_value = line->in.x[0],
                                           .machine_value = line->hvc_number});
    for (unsigned i = 0; i < line->hvc_args.count; i++) {
        if (line->hvc_args.values[i] != line->in.x[i + 1])
            differ(found, &(struct difference){.path = "hvc.args",
                                               .model_value = line->in.x[i + 1],
                                               .machine_value = line->hvc_args.values[i]});
    }
}

/* Events are numbered as they happen: a record whose numbers fall was tampered with. */
static void check_order(const struct trace_line *line, struct differences *found)
{
    uint64_t last = line->g0;
    for (size_t i = 0; i < line->nfx; i++) {
        if (line->fx[i].g <= last)
            differ(found, &(struct difference){.machine = &line->fx[i],
                                               .path = "g",
                                               .model_value = last + 1,
                                               .machine_value = line->fx[i].g});
        last = line->fx[i].g;
    }
    if (line->g1 <= last)
        differ(found, &(struct difference){
                          .path = "g1", .model_value = last + 1, .machine_value = line->g1});
}

void twin_forget_snapshot(struct twin *twin)
{
    if (twin->snapshot)
        fh_snapshot_release(twin->snapshot, twin->allocator);
    twin->snapshot = NULL;
}

/*
 * A hypercall with an argument that C casts to 32 bits and the like is the dispatcher's affair: it
 * finds all registers in the host's context. Two of the constants have no case there (A54).
 */
static enum fh_status take_hypercall(struct twin *twin, const struct trace_line *line)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t *x = line->in.x;
    const bool crypts = x[0] == k->HVC_ENCRYPT_BUF || x[0] == k->HVC_DECRYPT_BUF;
    if (crypts && ledger_admits(twin->ledger, "A54", NULL))
        return x[0] == k->HVC_ENCRYPT_BUF
                   ? fh_save_encrypt_buf(twin->state, (uint32_t)x[1], x[2], x[3])
                   : fh_load_decrypt_buf(twin->state, (uint32_t)x[1], x[2]);
    return fh_host_hvc_dispatcher(twin->state);
}

static enum fh_status take(struct twin *twin, const struct trace_line *line)
{
    if (line->kind == TRACE_KIND_host_npt) {
        remember(twin, line);
        enter(twin, line);
        return fh_handle_host_stage2_fault(twin->state);
    }
    if (!twin->snapshot)
        twin->snapshot = fh_state_snapshot(twin->state);
    enter(twin, line);
    if (line->kind == TRACE_KIND_guest_exit)
        return twin_take_exit(twin, line);
    if (is_run(line))
        return twin_take_run(twin, line);
    twin_prepare(twin);
    return take_hypercall(twin, line);
}

/* Who goes on: the one who trapped, or the other one. */
static void check_end(const struct twin *twin, const struct trace_line *line,
                      struct differences *found)
{
    enum trace_end end = TRACE_TO_host;
    if (is_run(line) || (line->kind == TRACE_KIND_guest_exit && twin->goes_on))
        end = TRACE_TO_guest;
    compare_word("to", end, line->to, found);
}

/* EL2 itself died in this trap: up to there the two agree, and that it died is a difference. */
static void compare_until_crash(struct twin *twin, const struct trace_line *line,
                                struct differences *found)
{
    size_t told = 0;
    for (size_t i = 0; i < line->nfx; i++)
        told += !twin_is_beyond(&line->fx[i]);
    compare_effects(twin->effects, told < twin->neffects ? told : twin->neffects, line->fx,
                    line->nfx, twin_is_beyond, found);
    if (!twin_foresees_crash(twin))
        compare_word("to", TRACE_TO_host, TRACE_TO_el2_panic, found);
}

bool twin_needs_take_over(const struct twin *twin, const struct differences *found)
{
    return twin->was_rewound || found->count > 0;
}

void twin_replay(struct twin *twin, const struct trace_line *line, struct ledger *ledger,
                 char *stuck, size_t size)
{
    struct differences *found = ledger->found;
    twin_forget_snapshot(twin);
    twin->ledger = ledger;
    twin->npanics = 0;
    twin->next_int_read = 0;
    twin->is_held = false;
    twin->is_skipping = false;
    twin->clearing = NOT_CLEARING;
    twin->was_rewound = twin_rewind(twin, line);
    twin_note_writes(twin, line);
    const enum fh_status status = take(twin, line);
    bool is_stuck = status != FH_OK;
    twin_deviate(twin, &is_stuck);
    stuck[0] = '\0';
    if (is_stuck) {
        fh_error_format(fh_state_error(twin->state), stuck, size);
        differ(found, &(struct difference){.path = "status"});
    }
    check_hypercall(line, found);
    if (line->unfinished || line->to == TRACE_TO_el2_panic) {
        compare_until_crash(twin, line, found);
        return;
    }
    check_order(line, found);
    check_tlb(twin, line, found);
    check_end(twin, line, found);
    compare_effects(twin->effects, twin->neffects, line->fx, line->nfx, twin_is_beyond, found);
    if (line->kind == TRACE_KIND_guest_exit || is_run(line)) {
        compare_switch(twin, line, found);
        return;
    }
    compare_registers(twin, line, found);
    compare_gprs(twin, line, found);
}

/* --- Invariants ------------------------------------------------------------------------------ */

static uint32_t shared_invariants(void)
{
    uint32_t set = 0;
    for (unsigned i = 0; fh_invariant_at(i); i++) {
        if (fh_invariant_at(i)->scope == FH_SCOPE_SHARED)
            set |= UINT32_C(1) << i;
    }
    return set;
}

uint32_t twin_new_violations(struct twin *twin, struct fh_invariant_report *report)
{
    uint32_t broken = 0;
    if (twin->watched) {
        broken = fh_check_invariants_after(twin->state, twin->watched, report);
        fh_snapshot_release(twin->watched, twin->allocator);
    }
    twin->watched = fh_state_snapshot(twin->state);
    return broken & shared_invariants();
}
