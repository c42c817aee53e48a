/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "twin/twin_state.h"

/*
 * Where a machine of the profile takes another course than the spec. Each function here looks for
 * the one place in a trap that its deviation is about, asks the ledger, and says what the machine
 * does there. The machine's record is then compared with the result as always: a deviation accepts
 * exactly what it predicts.
 */

enum { OFFSET_MASK = 0xffff, CBAR0 = 0x1000 };

/* --- Before the trap ------------------------------------------------------------------------- */

static struct fh_vminfo *edit_vminfo(struct twin *twin, uint64_t vmid)
{
    struct fh_map *infos = &twin_edit_state(twin)->shared.vminfos;
    return twin_own(twin, twin_edit(twin, infos, twin->types.vminfo, vmid), twin->types.vminfo);
}

/* The VM whose memory or SMMU table the hypercall wants back; UINT64_MAX: no VM's. */
static uint64_t vm_to_lose(const struct twin *twin)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t *x = twin->line->in.x;
    if (x[0] == k->HVC_CLEAR_VM_S2_RANGE)
        return x[1] < k->COREVISOR ? x[1] : UINT64_MAX;
    if (x[0] != k->HVC_SMMU_FREE_PGD || x[1] >= k->SMMU_NUM_CTXT_BANKS || x[2] >= k->SMMU_NUM)
        return UINT64_MAX;
    const struct fh_map *owners = &fh_state_rdata(twin->state)->shared.smmu_vmid;
    const uint64_t *owner =
        fh_map_get(owners, &twin->types.smmu_owner->as_value, x[2] * k->SMMU_NUM_CTXT_BANKS + x[1]);
    return *owner < k->COREVISOR ? *owner : UINT64_MAX;
}

/* A12: what says whether a VM is on says that it is off. */
static void seem_powered_off(struct twin *twin)
{
    const uint64_t vmid = vm_to_lose(twin);
    if (vmid == UINT64_MAX)
        return;
    const struct fh_vminfo *info = twin_vminfo(twin, vmid);
    if (info->VS.vm_state != twin->profile->POWEROFF && twin_admits(twin, "A12"))
        edit_vminfo(twin, vmid)->VS.vm_state = twin->profile->POWEROFF;
}

/* A13: either condition is enough. */
static void seem_registrable(struct twin *twin)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t *x = twin->line->in.x;
    if (x[0] != k->HVC_REGISTER_VCPU || x[1] >= k->COREVISOR || x[2] >= k->VCPU_PER_VM)
        return;
    const struct fh_state_info *info = &twin_vminfo(twin, x[1])->VS;
    twin->true_vcpu_state = twin_word_at(twin, &info->vm_vcpu_state, x[2]);
    const bool is_ready = info->vm_state == k->READY;
    const bool is_unused = twin->true_vcpu_state == k->UNUSED;
    if (is_ready == is_unused || !twin_admits(twin, "A13"))
        return;
    struct fh_state_info *edited = &edit_vminfo(twin, x[1])->VS;
    edited->vm_state = k->READY;
    *(uint64_t *)twin_edit(twin, &edited->vm_vcpu_state, twin->types.word, x[2]) = k->UNUSED;
}

/* A28: what is refused to a verified VM is done. */
static void seem_unverified(struct twin *twin)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t *x = twin->line->in.x;
    if (x[0] != k->HVC_SMMU_LPAE_MAP || x[4] >= k->SMMU_NUM_CTXT_BANKS || x[5] >= k->SMMU_NUM)
        return;
    const struct fh_map *owners = &fh_state_rdata(twin->state)->shared.smmu_vmid;
    const uint64_t *owner =
        fh_map_get(owners, &twin->types.smmu_owner->as_value, x[5] * k->SMMU_NUM_CTXT_BANKS + x[4]);
    if (*owner == k->HOSTVISOR || *owner >= k->COREVISOR ||
        twin_vminfo(twin, *owner)->VS.vm_state != k->VERIFIED || !twin_admits(twin, "A28"))
        return;
    edit_vminfo(twin, *owner)->VS.vm_state = k->READY;
    twin->seems_unverified = true;
}

void twin_prepare(struct twin *twin)
{
    twin->seems_unverified = false;
    seem_powered_off(twin);
    seem_registrable(twin);
    seem_unverified(twin);
}

/* A28: the two panics on the way. */
static void panic_for_verified(struct twin *twin)
{
    for (size_t i = 0; twin->seems_unverified && i < twin->neffects; i++) {
        const struct trace_effect *effect = &twin->effects[i];
        if (effect->kind != TRACE_fn ||
            (strcmp(effect->fn.fn, "assign_smmu") != 0 && strcmp(effect->fn.fn, "map_smmu") != 0))
            continue;
        twin_tell_panic(twin, i + 2);
    }
}

/* A13: the state that the vCPU had in truth. */
static void tell_true_vcpu_state(struct twin *twin)
{
    const bool registers = twin->line->in.x[0] == twin->profile->HVC_REGISTER_VCPU;
    for (size_t i = 0; registers && i < twin->neffects; i++) {
        struct trace_effect *effect = &twin->effects[i];
        if (effect->kind == TRACE_vm_set && strcmp(effect->vm_set.field, "vcpu_state") == 0)
            effect->vm_set.old = twin->true_vcpu_state;
    }
}

/* --- At a panic ------------------------------------------------------------------------------ */

static const struct trace_effect *last_s2_read(const struct twin *twin)
{
    const struct trace_effect *last = &twin->effects[twin->neffects];
    return twin->neffects > 0 && last[-1].kind == TRACE_s2_read ? &last[-1] : NULL;
}

static void append_lock(struct twin *twin, enum trace_effect_kind kind, const char *lock)
{
    struct trace_effect *effect = twin_append(twin, kind, ALL_OF(lock));
    if (kind == TRACE_lock)
        effect->lock = (struct trace_lock){lock, 0};
    else
        effect->unlock = (struct trace_unlock){lock, 0};
}

/*
 * Let the model do what the machine does in place of a panic: in a copy of the state that has not
 * halted. What it does is observed as always; the state gets it from the machine's record.
 */
static struct fh_state *go_on_beside(struct twin *twin)
{
    struct fh_state *beside = fh_state_fork(twin->state);
    if (!beside)
        no_memory();
    fh_state_edit(beside);
    fh_state_resume(beside);
    return beside;
}

static void map_for_device(struct twin *twin, const struct trace_list *args)
{
    struct fh_state *beside = go_on_beside(twin);
    fh_map_spt(beside, (uint32_t)args->values[1], (uint32_t)args->values[2], args->values[3],
               args->values[4]);
    fh_state_free(beside);
}

/* A26, A27: memory without an owner. */
static bool is_let_pass(struct twin *twin)
{
    const struct trace_effect *read = last_s2_read(twin);
    const struct trace_fn *function = twin_last_function(twin);
    if (!read || read->s2_read.owner != UINT64_MAX || !function)
        return false;
    if (strcmp(function->fn, "assign_pfn_to_smmu") == 0)
        return twin_admits(twin, "A27");
    if (strcmp(function->fn, "update_smmu_page") != 0 || !twin_admits(twin, "A26"))
        return false;
    const struct trace_list args = function->args;
    map_for_device(twin, &args);
    return true;
}

static void clear_for_host(struct twin *twin, uint64_t pfn)
{
    struct fh_state *beside = go_on_beside(twin);
    fh_clear_pfn_host(beside, pfn);
    fh_state_free(beside);
}

static void append_s2_set(struct twin *twin, const char *field, uint64_t index, uint64_t old,
                          uint64_t new)
{
    twin_append(twin, TRACE_s2_set, ALL_OF(s2_set))->s2_set =
        (struct trace_s2_set){field, index, old, new};
}

/* A54: whose the page is makes no difference. */
static bool takes_any_page(struct twin *twin)
{
    const struct trace_effect *read = last_s2_read(twin);
    if (!read || !twin_is_inside(twin, "decrypt_buf") || read->s2_read.index == UINT64_MAX ||
        !twin_admits(twin, "A54"))
        return false;
    const struct trace_s2_read page = read->s2_read;
    append_s2_set(twin, "owner", page.index, page.owner, twin->line->in.x[1]);
    append_s2_set(twin, "gfn", page.index, page.gfn, UINT64_MAX);
    clear_for_host(twin, page.pfn);
    return true;
}

/* A12: SMMU tables of a verified VM are changed. */
static bool clears_for_verified(struct twin *twin)
{
    return twin_is_inside(twin, "clear_smmu") && twin_admits(twin, "A12");
}

static void append_call(struct twin *twin, const char *function, uint64_t a, uint64_t b, uint64_t c)
{
    twin_append(twin, TRACE_fn, ALL_OF(fn))->fn = (struct trace_fn){function, {5, {a, b, c, 0, 0}}};
}

static void append_vm_lock(struct twin *twin, enum trace_effect_kind kind, uint64_t vmid)
{
    append_lock(twin, kind, "vm");
    struct trace_effect *effect = &twin->effects[twin->neffects - 1];
    if (kind == TRACE_lock)
        effect->lock.vmid = vmid;
    else
        effect->unlock.vmid = vmid;
}

/* A5: an image that cannot be is one that is not there. */
static bool looks_for_image(struct twin *twin)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t *x = twin->line->in.x;
    if (x[0] != k->HVC_REMAP_VM_IMAGE || twin->neffects > 0 || x[1] > k->COREVISOR ||
        x[3] < k->MAX_LOAD_INFO_NUM || !twin_admits(twin, "A5"))
        return false;
    append_call(twin, "remap_vm_image", x[1], x[2], x[3]);
    append_vm_lock(twin, TRACE_lock, x[1]);
    if (twin_vminfo(twin, x[1])->VS.vm_state != k->READY)
        twin_append_panic(twin);
    append_vm_lock(twin, TRACE_unlock, x[1]);
    return true;
}

/* A5: a VM beyond the table, at whatever memory there is. */
static bool registers_beyond_table(struct twin *twin)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t *x = twin->line->in.x;
    if (x[0] != k->HVC_REGISTER_VCPU || twin->neffects > 0 || x[1] <= k->COREVISOR ||
        x[2] >= k->VCPU_PER_VM || !twin_admits(twin, "A5"))
        return false;
    append_call(twin, "register_vcpu", x[1], x[2], 0);
    append_vm_lock(twin, TRACE_lock, x[1]);
    const uint32_t set = HAS(vm_set, field) | HAS(vm_set, vmid) | HAS(vm_set, sub);
    twin_append(twin, TRACE_vm_set, set)->vm_set =
        (struct trace_vm_set){.field = "vcpu", .vmid = x[1], .sub = x[2]};
    twin_append(twin, TRACE_vm_set, set | HAS(vm_set, new))->vm_set =
        (struct trace_vm_set){.field = "vcpu_state", .vmid = x[1], .sub = x[2], .new = k->READY};
    twin_append(twin, TRACE_shadow_set,
                ALL_OF(shadow_set) & ~HAS(shadow_set, reg) & ~HAS(shadow_set, old))
        ->shadow_set =
        (struct trace_shadow_set){.vmid = x[1], .vcpu = x[2], .idx = k->DIRTY, .new = UINT64_MAX};
    append_vm_lock(twin, TRACE_unlock, x[1]);
    return true;
}

/* A5: a bank that no SMMU has is refused only under the lock. */
static bool is_refused_under_lock(struct twin *twin)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t *x = twin->line->in.x;
    if (x[0] != k->HVC_SMMU_ALLOC_PGD || twin->neffects > 0 || x[1] < k->SMMU_NUM_CTXT_BANKS ||
        x[3] >= k->SMMU_NUM || !twin_admits(twin, "A5"))
        return false;
    append_lock(twin, TRACE_lock, "smmu");
    twin_append_panic(twin);
    append_lock(twin, TRACE_unlock, "smmu");
    return true;
}

bool twin_replace_panic(struct twin *twin)
{
    if (twin->line->kind != TRACE_KIND_host_hvc)
        return false;
    return is_let_pass(twin) || is_refused_under_lock(twin) || takes_any_page(twin) ||
           clears_for_verified(twin) || looks_for_image(twin) || registers_beyond_table(twin);
}

/* --- After the trap: accesses to SMMUs ------------------------------------------------------- */

static const struct trace_effect *recorded(const struct twin *twin, enum trace_effect_kind kind)
{
    for (size_t i = 0; i < twin->line->nfx; i++) {
        if (twin->line->fx[i].kind == kind)
            return &twin->line->fx[i];
    }
    return NULL;
}

static size_t first_of(const struct twin *twin, enum trace_effect_kind kind)
{
    size_t i = 0;
    while (i < twin->neffects && twin->effects[i].kind != kind)
        i++;
    return i;
}

/* The host's word, 4 bytes of it. */
static uint64_t written_word(const struct trace_line *line)
{
    const uint64_t rt = line->in.values[TRACE_REG_esr] >> 16 & 31;
    return rt < TRACE_GPRS ? line->in.x[rt] & UINT32_MAX : 0;
}

/* A31: the model let the write to CBAR0 pass. */
static void refuse_cbar0(struct twin *twin)
{
    const size_t at = first_of(twin, TRACE_mmio);
    if (at == twin->neffects || twin->effects[at].mmio.write != 1 ||
        (twin->effects[at].mmio.addr & OFFSET_MASK) != CBAR0 || !recorded(twin, TRACE_panic) ||
        !twin_admits(twin, "A31"))
        return;
    twin_remove(twin, at);
    twin_tell_panic(twin, at);
}

static uint64_t smmu_base(const struct twin *twin, uint64_t index)
{
    const struct fh_smmu_conf *conf =
        fh_ref_record(twin->types.smmu_conf, &fh_state_rdata(twin->state)->smmu_conf);
    return *(const uint64_t *)fh_map_get(&conf->smmu_phys_base, &twin->types.word->as_value, index);
}

/* A32: allowed or refused, then as always. */
static void finish_cbar_write(struct twin *twin, uint64_t index)
{
    const struct trace_line *line = twin->line;
    const uint64_t elr = line->in.values[TRACE_REG_elr];
    const uint64_t far = line->in.values[TRACE_REG_far];
    const uint64_t addr = (line->in.values[TRACE_REG_hpfar] & twin->profile->HPFAR_MASK) << 8;
    if (recorded(twin, TRACE_mmio))
        twin_append(twin, TRACE_mmio,
                    HAS(mmio, write) | HAS(mmio, addr) | HAS(mmio, len) | HAS(mmio, val))
            ->mmio = (struct trace_mmio){.write = 1,
                                         .addr = smmu_base(twin, index) | (far & OFFSET_MASK),
                                         .len = 4,
                                         .val = written_word(line)};
    else
        twin_append_panic(twin);
    twin_append(twin, TRACE_skip_instr, ALL_OF(skip_instr))->skip_instr =
        (struct trace_skip_instr){elr, elr + 4};
    twin_append(twin, TRACE_fn_ret, ALL_OF(fn_ret))->fn_ret = (struct trace_fn_ret){
        "emulate_mmio", {5, {addr, line->in.values[TRACE_REG_esr], index, 0, 0}}};
    append_lock(twin, TRACE_unlock, "smmu");
}

static bool undefined_cbar_write(struct twin *twin)
{
    const struct fh_error *error = fh_state_error(twin->state);
    if (error->status != FH_STUCK || strstr(error->function, "cbar_write_allowed") == NULL ||
        error->nvalues != 3 || !twin_admits(twin, "A32"))
        return false;
    finish_cbar_write(twin, error->values[2]);
    return true;
}

/* --- After the trap: hypercalls -------------------------------------------------------------- */

static void return_value(struct twin *twin, uint64_t value)
{
    struct fh_rdata *rdata = twin_edit_state(twin);
    const uint64_t id = twin->profile->HOSTVISOR * twin->profile->VCPU_PER_VM + twin->line->cpu;
    struct fh_ctxt *host = twin_own(
        twin, twin_edit(twin, &rdata->shadow_ctxts, twin->types.ctxt, id), twin->types.ctxt);
    host->ctxt_regs.x0 = value;
    twin_append_host_reg(twin, 0, value);
}

/* The number that the image got: the one before the next. */
static uint64_t image_number(const struct twin *twin)
{
    const struct fh_map *infos = &twin->snapshot->shared.vminfos;
    const struct fh_type *type = twin->types.vminfo;
    const struct fh_vminfo *info =
        fh_ref_record(type, fh_map_get(infos, &type->as_value, twin->line->in.x[1]));
    if (info->VS.vm_state != twin->profile->READY)
        return 0;
    return info->VB.vm_next_load_info;
}

/* A7 */
static void return_values(struct twin *twin)
{
    const struct fh_profile *k = twin->profile;
    const uint64_t call = twin->line->in.x[0];
    if (call == k->HVC_REGISTER_VCPU && twin_admits(twin, "A7"))
        return_value(twin, 0);
    if (call == k->HVC_VERIFY_VM_IMAGE && twin_admits(twin, "A7"))
        return_value(twin, 1);
    if (call == k->HVC_SET_BOOT_INFO && twin_admits(twin, "A7"))
        return_value(twin, image_number(twin));
}

/* L4 and A6: two calls that the spec does not have. */
static void unknown_calls(struct twin *twin)
{
    enum { HVC_ENABLE_S2_TRANS = 6, HVC_BOOT_FROM_SAVED_VM = 19 };
    const uint64_t call = twin->line->in.x[0];
    if (call == HVC_ENABLE_S2_TRANS && twin_admits(twin, "L4")) {
        append_lock(twin, TRACE_lock, "core");
        append_lock(twin, TRACE_unlock, "core");
        struct fh_rdata *rdata = twin_edit_state(twin);
        struct fh_ctxt *regs = twin_own(twin, &rdata->regs, twin->types.regs);
        regs->ctxt_regs.vttbr_el2 = twin->profile->PT_POOL_START;
        regs->ctxt_regs.hcr_el2 |= twin->profile->HCR_HOST_NVHE_FLAGS;
    }
    if (call == HVC_BOOT_FROM_SAVED_VM && twin_admits(twin, "A6"))
        twin_append_panic(twin);
}

/* L5: the second page is looked at only if the first is the VM's. */
static void stop_at_first_page(struct twin *twin)
{
    const struct trace_effect *fx = twin->effects;
    if (twin->line->in.x[0] == twin->profile->HVC_ENCRYPT_BUF && twin->neffects >= 5 &&
        fx[2].kind == TRACE_s2_read && fx[3].kind == TRACE_s2_read && fx[4].kind == TRACE_panic &&
        fx[2].s2_read.owner != twin->line->in.x[1] && twin_admits(twin, "L5"))
        twin_remove(twin, 3);
}

/* L6: the spec looks for a page whose number is the byte address. */
static bool undefined_page(struct twin *twin)
{
    const struct fh_error *error = fh_state_error(twin->state);
    const bool encrypts = strcmp(error->function, "encrypt_mem_buf") == 0;
    const bool decrypts = strcmp(error->function, "decrypt_mem_buf") == 0;
    if ((!encrypts && !decrypts) || !twin_admits(twin, "L6"))
        return false;
    append_lock(twin, TRACE_unlock, "s2page");
    if (decrypts)
        append_vm_lock(twin, TRACE_unlock, twin->line->in.x[1]);
    return true;
}

/* The locks that are held, given back in the reverse order of taking. */
static void give_locks_back(struct twin *twin)
{
    size_t depth = 0;
    for (size_t i = twin->neffects; i > 0; i--) {
        const struct trace_effect effect = twin->effects[i - 1];
        if (effect.kind == TRACE_unlock)
            depth++;
        if (effect.kind == TRACE_lock && depth-- == 0) {
            depth = 0;
            append_lock(twin, TRACE_unlock, effect.lock.lock);
            twin->effects[twin->neffects - 1].unlock.vmid = effect.lock.vmid;
        }
    }
}

/*
 * A22: the descriptor is beyond the table's pool, where the model is undefined: in the next VM's
 * root.
 */
static bool writes_beyond_pool(struct twin *twin)
{
    const struct fh_error *error = fh_state_error(twin->state);
    if (strcmp(error->function, "set_pte") != 0 || error->nvalues != 2 ||
        !twin_is_inside(twin, "mmap_s2pt") || !twin_admits(twin, "A22"))
        return false;
    const uint64_t pa = error->values[1];
    const struct trace_list args = twin_last_function(twin)->args;
    twin_append(twin, TRACE_pt_store, ALL_OF(pt_store))->pt_store =
        (struct trace_pt_store){.vmid = args.values[0],
                                .level = "pte",
                                .ipa = args.values[1],
                                .pa = pa,
                                .old = fh_table_word(twin->state, FH_STAGE2_TABLES, pa),
                                .new = args.values[3] | twin->profile->PTE_MARK};
    give_locks_back(twin);
    return true;
}

/* L7: one more argument, and the count stays. */
static void decrypt_as_machine(struct twin *twin)
{
    if (twin->line->in.x[0] != twin->profile->HVC_DECRYPT_BUF || twin->neffects == 0 ||
        twin->effects[0].kind != TRACE_fn || !twin_admits(twin, "L7"))
        return;
    twin->effects[0].fn.args.values[2] = twin->line->in.x[3];
    for (size_t i = 0; i < twin->neffects; i++) {
        if (twin->effects[i].kind == TRACE_s2_set &&
            strcmp(twin->effects[i].s2_set.field, "count") == 0)
            twin_remove(twin, i);
    }
}

/* --- Crashes --------------------------------------------------------------------------------- */

/* A53: an image of which a page was never mapped, in the state before the trap. */
static bool has_hole_in_image(const struct twin *twin, uint64_t vmid)
{
    const struct fh_profile *k = twin->profile;
    const struct fh_type *type = twin->types.vminfo;
    const struct fh_map *infos = &twin->snapshot->shared.vminfos;
    const struct fh_boot_info *info =
        &((const struct fh_vminfo *)fh_ref_record(type, fh_map_get(infos, &type->as_value, vmid)))
             ->VB;
    for (uint64_t i = 0; i < info->vm_next_load_info; i++) {
        const uint64_t size = twin_word_at(twin, &info->vm_load_size, i);
        if (twin_word_at(twin, &info->vm_mapped_pages, i) * k->PAGE_SIZE < size)
            return true;
    }
    return false;
}

bool twin_foresees_crash(struct twin *twin)
{
    enum { HVC_VCPU_RUN = 8 };
    const struct fh_profile *k = twin->profile;
    const uint64_t *x = twin->line->in.x;
    if (twin->line->kind != TRACE_KIND_host_hvc)
        return false;
    if (x[0] == k->HVC_VERIFY_VM_IMAGE && x[1] < k->COREVISOR && has_hole_in_image(twin, x[1]))
        return twin_admits(twin, "A53");
    if (x[0] == k->HVC_REGISTER_VCPU && x[1] > k->COREVISOR)
        return twin_admits(twin, "A5");
    return x[0] == HVC_VCPU_RUN && twin->npanics > 0 && twin_admits(twin, "A48");
}

static void deviate_in_hypercall(struct twin *twin, bool *stuck)
{
    unknown_calls(twin);
    panic_for_verified(twin);
    tell_true_vcpu_state(twin);
    stop_at_first_page(twin);
    if (*stuck && (undefined_page(twin) || writes_beyond_pool(twin)))
        *stuck = false;
    decrypt_as_machine(twin);
    return_values(twin);
}

void twin_deviate(struct twin *twin, bool *stuck)
{
    if (twin->line->kind == TRACE_KIND_host_npt) {
        refuse_cbar0(twin);
        if (*stuck && undefined_cbar_write(twin))
            *stuck = false;
        return;
    }
    if (twin->line->kind == TRACE_KIND_host_hvc)
        deviate_in_hypercall(twin, stuck);
}
