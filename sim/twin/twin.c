/* SPDX-License-Identifier: GPL-2.0-only */
#include "twin/twin_state.h"

#include <stdlib.h>
#include <string.h>

/* --- Making and freeing ---------------------------------------------------------------------- */

static void find_types(struct twin_types *types)
{
    const struct fh_type *rdata = fh_rdata_type();
    const struct fh_type *shared = FH_FIELD_TYPE(rdata, rdata, shared);
    types->regs = FH_FIELD_TYPE(rdata, rdata, regs);
    types->smmu_conf = FH_FIELD_TYPE(rdata, rdata, smmu_conf);
    types->spts = FH_FIELD_TYPE(shared, shared, spts);
    types->lock = FH_FIELD_TYPE(rdata, rdata, lock);
    types->log = FH_FIELD_TYPE(rdata, rdata, log);
    types->word = FH_FIELD_TYPE(rdata, rdata, data_log)->value;
    types->region = FH_FIELD_TYPE(rdata, rdata, regions)->value;
    types->ctxt = FH_FIELD_TYPE(rdata, rdata, shadow_ctxts)->value;
    types->npt = FH_FIELD_TYPE(shared, shared, npts)->value;
    types->pt_entry = FH_FIELD_TYPE(types->npt, npt, pt)->value;
    types->flag = FH_FIELD_TYPE(types->npt, npt, pgd_t)->value;
    types->s2page = FH_FIELD_TYPE(shared, shared, s2page)->value;
    types->vminfo = FH_FIELD_TYPE(shared, shared, vminfos)->value;
    types->smmu_owner = FH_FIELD_TYPE(shared, shared, smmu_vmid)->value;
    types->bank_pages = FH_FIELD_TYPE(types->spts, spt, spt_pt)->value;
    types->bank_pgds = FH_FIELD_TYPE(types->spts, spt, spt_pgd_t)->value;
    types->bank_pmds = FH_FIELD_TYPE(types->spts, spt, spt_pmd_t)->value;
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

static void append_verify(struct twin *twin, uint64_t vmid, uint64_t addr)
{
    const struct fh_boot_info *info = &twin_vminfo(twin, vmid)->VB;
    uint64_t image = 0;
    while (image < info->vm_next_load_info &&
           twin_word_at(twin, &info->vm_remap_addr, image) != addr)
        image++;
    twin_append(twin, TRACE_verify, ALL_OF(verify) & ~HAS(verify, ed25519))->verify =
        (struct trace_verify){vmid, image, addr, twin_word_at(twin, &info->vm_load_size, image), 0};
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

/* All bodies but three, whose specs are nearer to the machine. */
static void run_as_bodies(struct fh_state *state)
{
    static const char *const specs[] = {"host_hvc_dispatcher", "restore_vm", "assign_pfn_to_vm"};
    struct fh_departures set = fh_state_departures(state);
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        unsigned departure;
        if (fh_machine_find_departure(fh_state_machine(state), specs[i], &departure))
            fh_departures_remove(&set, departure);
    }
    fh_state_depart(state, &set);
}

struct twin *twin_new(const struct fh_profile *profile)
{
    struct twin *twin = calloc(1, sizeof *twin);
    if (!twin)
        no_memory();
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
                                     .realisation = FH_CONCRETE,
                                     .simple_locks = true,
                                     .machine = &fh_machine_bodies};
    twin->state = fh_state_new(&config);
    if (!twin->state)
        no_memory();
    run_as_bodies(twin->state);
    return twin;
}

void twin_free(struct twin *twin)
{
    if (!twin)
        return;
    twin_forget_snapshot(twin);
    free(twin->places);
    fh_state_free(twin->state);
    free(twin->effects);
    free(twin);
}
