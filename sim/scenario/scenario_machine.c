/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/scenario.h"

#include <faulthandler/scene.h>

#include <inttypes.h>
#include <stdarg.h>

#include "patch/number.h"
#include "patch/paths.h"
#include "scenario/cpus.h"

/*
 * The machine at the start: a base state, to which the file adds memory, devices and VMs, by the
 * calls of scene.h. The logs begin empty all the same.
 */
struct setup {
    struct reader *reader;
    struct scenario *scenario;
    struct fh_state *state;
    const struct fh_profile *profile;
    const struct fh_map_type *s2page_type;
};

enum { MAX_REGION_PAGES = 1 << 22, BLOCK_PAGES = 512, MAX_VMS = 256 };

static bool out_of_memory(struct setup *setup)
{
    return source_error(setup->reader->source, 0, 0, "out of memory");
}

/* Did scene.h or KCore do what the file wants of it? */
static bool built(struct setup *setup, const struct node *node, enum fh_status status)
{
    char reason[300];
    const bool halts = fh_state_rdata(setup->state)->halt || fh_state_panic(setup->state).function;
    if (status == FH_OK && !halts)
        return true;
    if (status == FH_NOMEM)
        return out_of_memory(setup);
    if (halts)
        return reader_error(setup->reader, node,
                            "the machine cannot be built: KCore would halt on this mapping");
    fh_error_format(fh_state_error(setup->state), reason, sizeof reason);
    return reader_error(setup->reader, node, "the machine cannot be built: %s", reason);
}

/* --- Writing by path ------------------------------------------------------------------------- */

/* Set the scalar at a path of the state. The values fit: the loader has checked them. */
__attribute__((format(printf, 3, 4))) static bool put(struct setup *setup, uint64_t value,
                                                      const char *format, ...)
{
    char path[160];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(path, sizeof path, format, arguments);
    va_end(arguments);
    return fh_set(setup->state, path, value) == FH_OK || out_of_memory(setup);
}

static bool put_registers(struct setup *setup, uint64_t vmid, uint64_t vcpuid,
                          const struct registers *registers)
{
    uint64_t context = vmid * setup->profile->VCPU_PER_VM + vcpuid;
    for (size_t i = 0; i < registers->count; i++) {
        const struct register_value *value = &registers->values[i];
        if (!put(setup, value->value, "shadow_ctxts.%" PRIu64 ".ctxt_regs.%s", context,
                 value->field->name))
            return false;
    }
    return true;
}

/* --- Memory ---------------------------------------------------------------------------------- */

static const struct fh_map_type *s2page_type(void)
{
    const struct fh_type *shared = FH_FIELD_TYPE(fh_rdata_type(), rdata, shared);
    return &FH_FIELD_TYPE(shared, shared, s2page)->value->as_value;
}

/* Whose a page is: INVALID, if it is in no region. */
static uint32_t owner_of(const struct setup *setup, uint64_t pfn)
{
    const struct fh_map *pages = &fh_state_rdata(setup->state)->shared.s2page;
    const struct fh_s2page *page = fh_map_get(pages, setup->s2page_type, pfn);
    return page->s2_owner;
}

struct range {
    uint64_t base, size;
};

static bool load_range(struct setup *setup, const struct node *node, struct range *range)
{
    struct reader *reader = setup->reader;
    uint64_t page = setup->profile->PAGE_SIZE, end = setup->profile->KVM_PHYS_SIZE;
    if (!reader_number_at(reader, node, "base", 0, end - page, &range->base) ||
        !reader_number_at(reader, node, "size", page, end, &range->size))
        return false;
    if (range->base % page != 0 || range->size % page != 0)
        return reader_error(reader, node, "base and size must be multiples of a page");
    if (range->size > end - range->base)
        return reader_error(reader, node, "the range ends beyond KVM_PHYS_SIZE (%#" PRIx64 ")",
                            end);
    return true;
}

/* Is a page from `first` up to `end` in a region already? */
static bool has_owner(const struct setup *setup, uint64_t first, uint64_t end)
{
    const struct fh_map *pages = &fh_state_rdata(setup->state)->shared.s2page;
    return fh_map_next(pages, setup->s2page_type, &first) && first < end;
}

static bool need_key(struct setup *setup, const struct node *node, const char *what,
                     const char *key)
{
    return node_get(node, key) ||
           reader_error(setup->reader, node, "%s needs the key '%s'", what, key);
}

static bool load_region(struct setup *setup, const struct node *node, uint64_t *pages)
{
    static const char *const keys[] = {"base", "size", "owner", "gfn", NULL};
    const struct fh_profile *k = setup->profile;
    struct range range = {0, 0};
    struct fh_scene_region region = {.owner = k->HOSTVISOR,
                                     .has_gfn = node_get(node, "gfn") != NULL};
    if (!reader_keys(setup->reader, node, "a region", keys) ||
        !need_key(setup, node, "a region", "base") || !need_key(setup, node, "a region", "size") ||
        !load_range(setup, node, &range) ||
        !reader_constant_at(setup->reader, node, "owner", k->HOSTVISOR, READER_UP_TO(COREVISOR), 0,
                            &region.owner) ||
        !reader_number_at(setup->reader, node, "gfn", 0, UINT64_MAX, &region.gfn))
        return false;
    const uint64_t first = range.base / k->PAGE_SIZE, count = range.size / k->PAGE_SIZE;
    region.base = range.base;
    region.size = range.size;
    if (count > MAX_REGION_PAGES - *pages)
        return reader_error(setup->reader, node, "the regions have more than 16 GiB");
    if (has_owner(setup, first, first + count))
        return reader_error(setup->reader, node, "the region overlaps another one");
    *pages += count;
    return built(setup, node, fh_scene_add_region(setup->state, &region));
}

static bool load_regions(struct setup *setup, const struct node *list)
{
    if (!list)
        return true;
    if (!reader_list(setup->reader, list, "'regions'"))
        return false;
    const uint64_t most = setup->profile->MAX_MEMBLOCK_NUM - 1;
    if (list->count > most)
        return reader_error(setup->reader, list, "more than %" PRIu64 " regions", most);
    uint64_t pages = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (!load_region(setup, &list->items[i], &pages))
            return false;
    }
    return true;
}

/* --- SMMUs ----------------------------------------------------------------------------------- */

static bool load_bank_owners(struct setup *setup, const struct node *map, uint64_t smmu)
{
    if (!map)
        return true;
    if (!reader_map(setup->reader, map, "'owners'"))
        return false;
    for (size_t i = 0; i < map->count; i++) {
        uint64_t bank, vmid;
        if (!reader_constant(setup->reader, &map->keys[i], "context bank", 0,
                             READER_UP_TO(SMMU_NUM_CTXT_BANKS), 1, &bank) ||
            !reader_constant(setup->reader, &map->items[i], "owner of a bank", 0,
                             READER_UP_TO(COREVISOR), 0, &vmid) ||
            !built(setup, &map->keys[i], fh_scene_set_bank(setup->state, smmu, bank, vmid)))
            return false;
    }
    return true;
}

/* For the call 0 banks are the usual number of them; a file may say that there are none. */
static bool put_no_banks(struct setup *setup, uint64_t index)
{
    return put(setup, 0, "smmu_conf.smmu_dev_context_banks.%" PRIu64, index) &&
           put(setup, 0, "smmu_conf.num_s2_context_banks.%" PRIu64, index);
}

static bool load_smmu(struct setup *setup, const struct node *node, uint64_t index)
{
    static const char *const keys[] = {"base", "size", "pgshift", "banks", "owners", NULL};
    struct range range = {.size = (uint64_t)64 << 10};
    uint64_t pgshift = 12, banks = setup->profile->SMMU_NUM_CTXT_BANKS;
    if (!reader_keys(setup->reader, node, "an SMMU", keys) ||
        !need_key(setup, node, "an SMMU", "base") || !load_range(setup, node, &range) ||
        !reader_number_at(setup->reader, node, "pgshift", 12, 16, &pgshift) ||
        !reader_constant_at(setup->reader, node, "banks", 0, READER_UP_TO(SMMU_NUM_CTXT_BANKS), 0,
                            &banks))
        return false;
    const struct fh_scene_smmu smmu = {
        .base = range.base, .size = range.size, .pgshift = pgshift, .banks = banks};
    return built(setup, node, fh_scene_add_smmu(setup->state, &smmu)) &&
           (banks > 0 || put_no_banks(setup, index)) &&
           load_bank_owners(setup, node_get(node, "owners"), index);
}

static bool load_smmus(struct setup *setup, const struct node *list)
{
    if (!list)
        return true;
    if (!reader_list(setup->reader, list, "'smmus'"))
        return false;
    if (list->count > setup->profile->SMMU_NUM)
        return reader_error(setup->reader, list, "more SMMUs than SMMU_NUM (%" PRIu64 ")",
                            setup->profile->SMMU_NUM);
    for (size_t i = 0; i < list->count; i++) {
        if (!load_smmu(setup, &list->items[i], i))
            return false;
    }
    return true;
}

static bool put_cpu(struct setup *setup, uint64_t cpu)
{
    setup->scenario->cpu = cpu;
    setup->scenario->host_vcpuid = cpus_host_vcpuid(setup->profile, cpu);
    return put(setup, cpu, "curid") && put(setup, setup->scenario->host_vcpuid, "cur_vcpuid");
}

static bool load_machine(struct setup *setup, const struct node *node)
{
    static const char *const keys[] = {"name",        "without", "only",  "cpu",
                                       "realisation", "regions", "smmus", NULL};
    uint64_t cpu = 0;
    return !node || node->kind == NODE_STRING ||
           (reader_keys(setup->reader, node, "the machine", keys) &&
            reader_constant_at(setup->reader, node, "cpu", 0, READER_UP_TO(TOTAL_CPU), 1, &cpu) &&
            put_cpu(setup, cpu) && load_regions(setup, node_get(node, "regions")) &&
            load_smmus(setup, node_get(node, "smmus")));
}

/* --- Mappings -------------------------------------------------------------------------------- */

/* One entry of `pages` or `mapped`: pages in a row, or one 2 MiB block. */
struct pages {
    const struct node *node;
    uint64_t pfn, gfn, count, shared;
    bool block, mapped;
};

static bool load_pages(struct setup *setup, const struct node *node, struct pages *pages)
{
    const struct fh_profile *k = setup->profile;
    struct reader *reader = setup->reader;
    uint64_t gfns = k->KVM_ADDR_SPACE / k->PAGE_SIZE;
    *pages = (struct pages){.node = node, .count = 1, .mapped = true};
    if (!reader_constant_at(reader, node, "pfn", 0, READER_UP_TO(KVM_PFN_SPACE), 1, &pages->pfn) ||
        !reader_number_at(reader, node, "gfn", 0, gfns - 1, &pages->gfn) ||
        !reader_number_at(reader, node, "pages", 1, MAX_REGION_PAGES, &pages->count) ||
        !reader_number_at(reader, node, "shared", 0, UINT32_MAX, &pages->shared) ||
        !reader_flag_at(reader, node, "block", &pages->block) ||
        !reader_flag_at(reader, node, "mapped", &pages->mapped))
        return false;
    if (pages->block && node_get(node, "pages"))
        return reader_error(reader, node, "a block has 512 pages: leave 'pages' out");
    if (pages->block && (pages->pfn % BLOCK_PAGES != 0 || pages->gfn % BLOCK_PAGES != 0))
        return reader_error(reader, node, "a block begins at multiples of 512 pages");
    if (pages->block)
        pages->count = BLOCK_PAGES;
    if (pages->count > k->KVM_PFN_SPACE - pages->pfn || pages->count > gfns - pages->gfn)
        return reader_error(reader, node, "the pages end beyond the address space");
    return true;
}

/* The pages of a VM must be the host's until then. */
static bool need_host_pages(struct setup *setup, const struct pages *pages)
{
    for (uint64_t pfn = pages->pfn; pfn < pages->pfn + pages->count; pfn++) {
        const uint32_t owner = owner_of(setup, pfn);
        if (owner == setup->profile->INVALID)
            return reader_error(setup->reader, pages->node,
                                "page %#" PRIx64 " is in no region: it is I/O memory", pfn);
        if (owner != setup->profile->HOSTVISOR)
            return reader_error(setup->reader, pages->node,
                                "page %#" PRIx64 " belongs to %" PRIu32 " already", pfn, owner);
    }
    return true;
}

/* A block, or pages one by one: what takes back one call with very many of them is slow. */
static bool give(struct setup *setup, const struct pages *pages, uint32_t vmid)
{
    struct fh_scene_pages given = {.vmid = vmid,
                                   .gfn = pages->gfn,
                                   .pfn = pages->pfn,
                                   .is_block = pages->block,
                                   .is_unmapped = !pages->mapped,
                                   .shared = pages->shared};
    const uint64_t calls = pages->block ? 1 : pages->count;
    for (uint64_t i = 0; i < calls; i++, given.gfn++, given.pfn++) {
        if (!built(setup, pages->node, fh_scene_give(setup->state, &given)))
            return false;
    }
    return true;
}

static bool load_vm_pages(struct setup *setup, const struct node *node, uint32_t vmid)
{
    static const char *const keys[] = {"gfn", "pfn", "pages", "block", "shared", "mapped", NULL};
    struct pages pages;
    return reader_keys(setup->reader, node, "an entry of 'pages'", keys) &&
           need_key(setup, node, "an entry of 'pages'", "gfn") &&
           need_key(setup, node, "an entry of 'pages'", "pfn") && load_pages(setup, node, &pages) &&
           need_host_pages(setup, &pages) && give(setup, &pages, vmid);
}

/* --- VMs ------------------------------------------------------------------------------------- */

static bool load_vcpu(struct setup *setup, const struct node *node, uint64_t vmid, size_t position)
{
    static const char *const keys[] = {"vcpuid", "state", NULL};
    const struct fh_profile *k = setup->profile;
    uint64_t vcpuid = position, state = k->READY;
    struct registers registers;
    return reader_map(setup->reader, node, "a vCPU") &&
           reader_constant_at(setup->reader, node, "vcpuid", 0, READER_UP_TO(VCPU_PER_VM), 1,
                              &vcpuid) &&
           reader_number_at(setup->reader, node, "state", 0, UINT32_MAX, &state) &&
           scenario_load_registers(setup->reader, node, keys, &registers) &&
           put(setup, state, "shared.vminfos.%" PRIu64 ".VS.vm_vcpu_state.%" PRIu64, vmid,
               vcpuid) &&
           put_registers(setup, vmid, vcpuid, &registers);
}

static bool load_vcpus(struct setup *setup, const struct node *node, uint64_t vmid)
{
    static const struct node bare = {.kind = NODE_MAP};
    uint64_t count = 0;
    if (!node)
        return true;
    bool is_list = node->kind == NODE_LIST;
    if (is_list)
        count = node->count;
    else if (!reader_constant(setup->reader, node, "vcpus", 0, READER_UP_TO(VCPU_PER_VM), 0,
                              &count))
        return false;
    if (count > setup->profile->VCPU_PER_VM)
        return reader_error(setup->reader, node, "more vCPUs than VCPU_PER_VM (%" PRIu64 ")",
                            setup->profile->VCPU_PER_VM);
    for (size_t i = 0; i < count; i++) {
        if (!load_vcpu(setup, is_list ? &node->items[i] : &bare, vmid, i))
            return false;
    }
    return true;
}

static bool load_vm(struct setup *setup, const struct node *node, bool present[MAX_VMS])
{
    static const char *const keys[] = {"vmid", "state", "vcpus", "pages", NULL};
    const struct fh_profile *k = setup->profile;
    uint64_t vmid = 0, state = k->VERIFIED;
    if (!reader_keys(setup->reader, node, "a VM", keys) || !need_key(setup, node, "a VM", "vmid") ||
        !reader_constant_at(setup->reader, node, "vmid", 1, READER_UP_TO(COREVISOR), 1, &vmid) ||
        !reader_number_at(setup->reader, node, "state", 0, UINT32_MAX, &state))
        return false;
    if (vmid >= MAX_VMS || present[vmid])
        return reader_error(setup->reader, node, "VM %" PRIu64 " is there already", vmid);
    present[vmid] = true;
    if (!built(setup, node, fh_scene_add_vm(setup->state, &(struct fh_scene_vm){.vmid = vmid})) ||
        !put(setup, state, "shared.vminfos.%" PRIu64 ".VS.vm_state", vmid) ||
        !load_vcpus(setup, node_get(node, "vcpus"), vmid))
        return false;
    const struct node *pages = node_get(node, "pages");
    if (!pages)
        return true;
    if (!reader_list(setup->reader, pages, "'pages'"))
        return false;
    for (size_t i = 0; i < pages->count; i++) {
        if (!load_vm_pages(setup, &pages->items[i], (uint32_t)vmid))
            return false;
    }
    return true;
}

static bool load_vms(struct setup *setup, const struct node *list)
{
    bool present[MAX_VMS] = {false};
    if (!list)
        return true;
    if (!reader_list(setup->reader, list, "'vms'"))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        if (!load_vm(setup, &list->items[i], present))
            return false;
    }
    return true;
}

/* --- The host -------------------------------------------------------------------------------- */

static bool map_for_host(struct setup *setup, const struct pages *pages)
{
    const struct fh_profile *k = setup->profile;
    if (pages->block)
        return built(
            setup, pages->node,
            fh_map_s2pt(setup->state, (uint32_t)k->HOSTVISOR, pages->pfn * k->PAGE_SIZE, 2,
                        (pages->pfn * k->PAGE_SIZE | k->PAGE_S2_KERNEL) & k->NOT_PMD_TABLE_BIT));
    for (uint64_t i = 0; i < pages->count; i++) {
        if (!built(setup, pages->node, fh_scene_map_host(setup->state, pages->pfn + i, 1)))
            return false;
    }
    return true;
}

static bool load_host_pages(struct setup *setup, const struct node *list)
{
    static const char *const keys[] = {"pfn", "pages", "block", NULL};
    if (!list)
        return true;
    if (!reader_list(setup->reader, list, "'mapped'"))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        struct pages pages;
        if (!reader_keys(setup->reader, &list->items[i], "an entry of 'mapped'", keys) ||
            !need_key(setup, &list->items[i], "an entry of 'mapped'", "pfn") ||
            !load_pages(setup, &list->items[i], &pages) || !map_for_host(setup, &pages))
            return false;
    }
    return true;
}

static bool load_host(struct setup *setup, const struct node *node)
{
    static const char *const keys[] = {"vcpuid", "mapped", NULL};
    return !node || (reader_keys(setup->reader, node, "the host", keys) &&
                     reader_constant_at(setup->reader, node, "vcpuid", 0, READER_UP_TO(VCPU_PER_VM),
                                        1, &setup->scenario->host_vcpuid) &&
                     put(setup, setup->scenario->host_vcpuid, "cur_vcpuid") &&
                     load_host_pages(setup, node_get(node, "mapped")));
}

static bool load_raw_state(struct setup *setup, const struct node *patch)
{
    if (!patch)
        return true;
    patch = paths_expand(setup->reader, patch);
    if (!patch)
        return false;
    struct patch_numbers numbers = number_patches(setup->profile);
    struct patch_error error = {0};
    struct fh_rdata *adt = fh_state_edit(setup->state);
    if (!adt)
        return out_of_memory(setup);
    return patch_apply(fh_rdata_type(), adt, &setup->scenario->allocator, patch, &numbers, NULL,
                       &error) ||
           reader_patch_error(setup->reader, patch, &error);
}

/* What the tables and locks of the machine are; accesses walk tables as words. */
static bool load_realisation(struct reader *reader, const struct scenario *scenario,
                             const struct node *root, enum fh_realisation *realisation)
{
    static const char *const names[] = {"abstract", "concrete", "both"};
    const struct node *machine = node_get(root, "machine");
    const bool is_map = machine && machine->kind == NODE_MAP;
    const struct node *node = is_map ? node_get(machine, "realisation") : NULL;
    *realisation = scenario->wants_words || scenario_has_accesses(root) ? FH_BOTH : FH_ABSTRACT;
    for (unsigned i = 0; node && i < sizeof names / sizeof *names; i++) {
        if (node_is(node, names[i])) {
            *realisation = (enum fh_realisation)i;
            return true;
        }
    }
    return !node || reader_unknown(reader, node, "realisation", names, 3);
}

/* Departures that follow from the places of tables show nothing where tables are maps. */
static bool refuse_words(struct reader *reader, const struct scenario *scenario,
                         const struct node *only)
{
    const struct fh_machine *machine = scenario->choice.machine;
    unsigned departure;
    for (const char *const *name = machine->in_words; name && *name; name++) {
        if (fh_machine_find_departure(machine, *name, &departure) &&
            fh_departs(&scenario->choice.departures, departure))
            return reader_error(reader, only, "%s only shows with 'realisation: concrete'", *name);
    }
    return true;
}

static bool depart(struct scenario *scenario)
{
    fh_state_depart(scenario->state, &scenario->choice.departures);
    return true;
}

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
enum { MAX_LOOP = 600 };
#else
enum { MAX_LOOP = 0 }; /* the library's */
#endif

bool scenario_load_machine(struct reader *reader, struct scenario *scenario,
                           const struct node *root)
{
    const struct fh_departures none = {{0, 0}};
    struct fh_config config = {.machine = scenario->choice.machine,
                               .profile = scenario->profile,
                               .allocator = &scenario->allocator,
                               .loop_limit = MAX_LOOP,
                               .log_policy = scenario->log_policy};
    const struct node *machine = node_get(root, "machine");
    if (!load_realisation(reader, scenario, root, &config.realisation))
        return false;
    scenario->state = fh_state_new(&config);
    struct setup setup = {reader, scenario, scenario->state, scenario->profile, s2page_type()};
    if (!scenario->state)
        return out_of_memory(&setup);
    if (config.realisation == FH_ABSTRACT && machine && machine->kind == NODE_MAP &&
        node_get(machine, "only") && !refuse_words(reader, scenario, node_get(machine, "only")))
        return false;
    fh_state_depart(scenario->state, &none); /* the machine is made as by the spec */
    return load_machine(&setup, machine) && load_vms(&setup, node_get(root, "vms")) &&
           load_host(&setup, node_get(root, "host")) &&
           built(&setup, root, fh_scene_forget_logs(setup.state)) &&
           load_raw_state(&setup, node_get(root, "state")) &&
           scenario_load_oracles(reader, scenario, root) && depart(scenario);
}
