/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>

#include <faulthandler/scene.h>

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

static void build(enum fh_status status, const char *what)
{
    if (status != FH_OK)
        give_up(what);
}

struct fh_state *machine_new(const struct fh_profile *profile, enum fh_log_policy policy,
                             uint64_t pfn, uint64_t pages)
{
    const struct fh_config config = {
        .profile = profile, .allocator = &counted_memory, .log_policy = policy, .hash = keep_hash};
    const struct fh_scene_region memory = {.base = pfn * profile->PAGE_SIZE,
                                           .size = pages * profile->PAGE_SIZE};
    struct fh_state *state = fh_state_new(&config);
    if (!state)
        give_up("out of memory");
    build(fh_scene_add_region(state, &memory), "there is no such memory");
    return state;
}

void machine_add_smmu(struct fh_state *state, uint64_t base)
{
    build(fh_scene_add_smmu(state, &(struct fh_scene_smmu){.base = base}), "there is no such SMMU");
}

void machine_give_to_vm(struct fh_state *state, uint32_t vmid, uint64_t gfn, uint64_t pfn,
                        uint64_t pages)
{
    const struct fh_scene_pages given = {.vmid = vmid, .gfn = gfn, .pfn = pfn, .count = pages};
    build(fh_scene_give(state, &given), "the VM's pages were not mapped");
}

void machine_give_pages(struct fh_state *state, uint32_t vmid, uint64_t stride, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        const struct fh_scene_pages given = {.vmid = vmid, .pfn = i * stride, .is_unmapped = true};
        build(fh_scene_give(state, &given), "the VM did not get its pages");
    }
}

void machine_ask(struct fh_state *state, uint64_t vmid, uint64_t vcpuid, uint64_t call,
                 uint64_t addr, uint64_t size)
{
    struct fh_ctxt *ctxt = fh_scene_vcpu(state, vmid, vcpuid);
    if (!ctxt)
        give_up("out of memory");
    ctxt->ctxt_regs.x0 = call;
    ctxt->ctxt_regs.x2 = addr;
    ctxt->ctxt_regs.x3 = size;
}
