/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t bytes_out;
uint32_t keep_hash;

static void *counted_alloc(void *context, size_t size)
{
    (void)context;
    bytes_out += size;
    return malloc(size);
}

static void counted_free(void *context, void *memory, size_t size)
{
    (void)context;
    bytes_out -= size;
    free(memory);
}

const struct fh_allocator counted_memory = {counted_alloc, counted_free, NULL};

void give_up(const char *what)
{
    fprintf(stderr, "fh-bench: %s\n", what);
    exit(2);
}

static const struct fh_type *field_type(const struct fh_type *type, const char *name)
{
    const struct fh_field *field = fh_type_field(type, name, strlen(name));
    if (!field)
        give_up(name);
    return field->type;
}

static const struct fh_type *shared_type(const char *field)
{
    return field_type(field_type(fh_rdata_type(), "shared"), field);
}

const struct fh_map_type *shared_map(const char *field)
{
    return &shared_type(field)->value->as_value;
}

const struct fh_map_type *npt_map(const char *field)
{
    return &field_type(shared_type("npts")->value, field)->value->as_value;
}

static void *entry(struct fh_map *map, const struct fh_map_type *type, uint64_t key)
{
    bool existed;
    void *place = fh_map_edit(map, type, &counted_memory, key, &existed);
    if (!place)
        give_up("out of memory");
    return place;
}

struct fh_state *machine_new(const struct fh_profile *profile, enum fh_log_policy policy,
                             uint64_t pfn, uint64_t pages)
{
    const struct fh_config config = {
        .profile = profile, .allocator = &counted_memory, .log_policy = policy, .hash = keep_hash};
    struct fh_state *state = fh_state_new(&config);
    if (!state)
        give_up("out of memory");
    struct fh_rdata *adt = fh_state_edit(state);
    const struct fh_type *regions = field_type(fh_rdata_type(), "regions");
    struct fh_memblock *region = entry(&adt->regions, &regions->value->as_value, 0);
    region->mb_base = pfn * profile->PAGE_SIZE;
    region->mb_size = pages * profile->PAGE_SIZE;
    adt->region_cnt = 1;
    for (uint64_t i = pfn; i < pfn + pages; i++) {
        struct fh_s2page *page = entry(&adt->shared.s2page, shared_map("s2page"), i);
        *page = (struct fh_s2page){.s2_owner = (uint32_t)profile->HOSTVISOR,
                                   .s2_gfn = i + profile->SMMU_HOST_OFFSET};
    }
    return state;
}

void machine_add_smmu(struct fh_state *state, uint64_t base)
{
    struct fh_smmu_conf *conf = fh_state_edit(state)->smmu_conf;
    const struct fh_type *type = field_type(fh_rdata_type(), "smmu_conf");
    const struct fh_map_type *numbers = &field_type(type, "smmu_size")->value->as_value;
    conf->smmu_num = 1;
    *(uint64_t *)entry(&conf->smmu_phys_base, numbers, 0) = base;
    *(uint64_t *)entry(&conf->smmu_size, numbers, 0) = 0x10000;
}

void machine_give_to_vm(struct fh_state *state, uint32_t vmid, uint64_t gfn, uint64_t pfn,
                        uint64_t pages)
{
    const uint64_t size = fh_state_profile(state)->PAGE_SIZE;
    for (uint64_t i = 0; i < pages; i++) {
        uint64_t ipa = (gfn + i) * size, pa = (pfn + i) * size;
        if (fh_prot_and_map_vm_s2pt(state, vmid, ipa, pa, 3) != FH_OK)
            give_up("the VM's page was not mapped");
    }
}

void machine_give_pages(struct fh_state *state, uint32_t vmid, uint64_t stride, uint64_t count)
{
    struct fh_rdata *adt = fh_state_edit(state);
    const struct fh_map_type *type = shared_map("s2page");
    for (uint64_t i = 0; i < count; i++)
        ((struct fh_s2page *)entry(&adt->shared.s2page, type, i * stride))->s2_owner = vmid;
}

void machine_ask(struct fh_state *state, uint64_t vmid, uint64_t vcpuid, uint64_t call,
                 uint64_t addr, uint64_t size)
{
    struct fh_rdata *adt = fh_state_edit(state);
    const struct fh_type *type = field_type(fh_rdata_type(), "shadow_ctxts")->value;
    uint64_t id = vmid * fh_state_profile(state)->VCPU_PER_VM + vcpuid;
    struct fh_ctxt **ctxt = entry(&adt->shadow_ctxts, &type->as_value, id);
    if (!fh_ref_own(type, ctxt, &counted_memory))
        give_up("out of memory");
    (*ctxt)->ctxt_regs.x0 = call;
    (*ctxt)->ctxt_regs.x2 = addr;
    (*ctxt)->ctxt_regs.x3 = size;
}
