/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every function of the registry, in each realisation and profile, with its first allocation
 * failing, its second, and so on: each time it says so, changes nothing and leaks nothing.
 *
 * What makes a function succeed is looked for at random: arguments, and what was done before. Of
 * the calls that succeed the one that allocates most is
 * taken. A few functions find no success (in a concrete state acquire_shared and release_shared_...
 * have none, docs/realisations.md): those run out of memory on their way to where they are stuck.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "random_calls.h"
#include "state/machine.h"
#include "state/pools.h"

enum { STEPS_BEFORE = 60, ATTEMPTS = 8, MORE_ATTEMPTS = 4000, TEXT = 400 };
enum { VM = 1, LOCKS_OF_VMS = 4 };

struct bench {
    struct memory memory;
    const struct fh_profile *k;
    struct fh_state *state;
    const struct fh_rdata *start;
    uint64_t seed;
};

static uint64_t below(struct bench *b, uint64_t end)
{
    return random_u64(&b->seed) % end;
}

static void try_call(struct bench *b, const char *name, uint64_t argument)
{
    const struct fh_function *function = fh_function_find(name);
    ck_assert_msg(function != NULL, "no function %s", name);
    fh_invoke(b->state, function, &argument, function->nargs, NULL);
}

/* --- What may have been done before -------------------------------------------------------------
 */

/* All locks of the layer Locks. */
static void take_locks(struct bench *b)
{
    static const char *const locks[] = {"acquire_lock_core", "acquire_lock_s2page",
                                        "acquire_lock_smmu", "acquire_lock_spt"};
    for (size_t i = 0; i < sizeof locks / sizeof *locks; i++)
        try_call(b, locks[i], 0);
    for (uint64_t vmid = 0; vmid < LOCKS_OF_VMS; vmid++) {
        try_call(b, "acquire_lock_pt", vmid);
        try_call(b, "acquire_lock_vm", vmid);
    }
    fh_state_edit(b->state)->tstate = below(b, 2);
}

/* One lock, as far as one of the layers below takes it. */
static void take_lock_below(struct bench *b)
{
    static const char *const ways[] = {"wait_lock", "wait_qlock", "wait_hlock"};
    const uint64_t lock = below(b, 4);
    try_call(b, ways[below(b, 3)], lock);
    if (below(b, 2))
        try_call(b, "acquire_shared", lock);
}

static void *own(struct bench *b, struct fh_map *map, const struct fh_type *type, uint64_t key)
{
    bool existed;
    void *entry = fh_map_edit(map, &type->as_value, &b->memory.allocator, key, &existed);
    ck_assert(entry && fh_ref_own(type, entry, &b->memory.allocator));
    return *(void **)entry;
}

static void set_number(struct bench *b, struct fh_map *map, uint64_t key, uint64_t value)
{
    bool existed;
    *(uint64_t *)fh_map_edit(map, &type_of_u64->as_value, &b->memory.allocator, key, &existed) =
        value;
}

/* What traps find in the registers, and in the context where calls inside of KCore look for it. */
static void write_registers(struct bench *b, struct fh_ctxt_regs *regs)
{
    const struct fh_profile *k = b->k;
    const uint64_t classes[] = {k->ESR_ELx_EC_SYS64, k->ESR_ELx_EC_HVC64, k->ESR_ELx_EC_WFx,
                                k->ESR_ELx_EC_DABT_LOW};
    const uint64_t calls[] = {k->HVC_SMMU_ALLOC_PGD,     k->HVC_CLEAR_VM_S2_RANGE,
                              k->HVC_REGISTER_VCPU,      k->HVC_KVM_SET_DESC_PFN,
                              k->HVC_KVM_UNSET_DESC_PFN, VM};
    regs->ec = below(b, 2) ? k->ARM_EXCEPTION_INTERRUPT : k->ARM_EXCEPTION_TRAP;
    regs->esr_el2 = classes[below(b, 4)] << k->ESR_ELx_EC_SHIFT;
    regs->x0 = calls[below(b, 6)];
    regs->x1 = below(b, 2) ? VM : 0;
    regs->x2 = below(b, 4) << 12;
    regs->x3 = below(b, 2) ? 0x1000 : 1;
    regs->x4 = regs->x5 = 0;
}

/* VM 1 is as far as a vCPU needs, and its first vCPU may be the current one. */
static void run_vm(struct bench *b)
{
    const struct fh_profile *k = b->k;
    const bool runs = below(b, 2);
    struct fh_rdata *adt = fh_state_edit(b->state);
    struct fh_vminfo *info = own(b, &adt->shared.vminfos, type_of_ref_vminfo, VM);
    const uint64_t states[] = {k->VERIFIED, k->READY, k->UNUSED, k->POWEROFF};
    info->VS.vm_state = states[below(b, 4)];
    set_number(b, &info->VS.vm_vcpu_state, 0, below(b, 2) ? k->ACTIVE : below(b, 2) * k->READY);
    adt->ihost = !runs;
    adt->cur_vmid = runs ? VM : 0;
    adt->cur_vcpuid = 0;
    const uint64_t context = adt->cur_vmid * k->VCPU_PER_VM;
    struct fh_ctxt *vcpu = own(b, &adt->shadow_ctxts, type_of_ref_ctxt, context);
    ck_assert(fh_ref_own(type_of_ref_ctxt, &adt->regs, &b->memory.allocator));
    write_registers(b, &adt->regs->ctxt_regs);
    vcpu->ctxt_regs = adt->regs->ctxt_regs;
}

/* A page of the VM's, mapped, and one of the host's for its device. */
static void map_pages(struct bench *b)
{
    const uint64_t device[] = {0, 0, below(b, 6) << 12, 0x200000 | 3};
    fh_invoke(b->state, fh_function_find("map_spt"), device, 4, NULL);
    const uint64_t args[] = {VM, below(b, 6) << 12, 0x200000 + (below(b, 24) << 12), 3};
    fh_invoke(b->state, fh_function_find("prot_and_map_vm_s2pt"), args, 4, NULL);
}

static void prepare(struct bench *b)
{
    fh_state_restore(b->state, b->start);
    random_registers(b->state, random_u64(&b->seed));
    if (below(b, 2))
        map_pages(b);
    if (below(b, 2))
        run_vm(b);
    switch (below(b, 4)) {
    case 0: take_locks(b); break;
    case 1: take_lock_below(b); break;
    default: break;
    }
    fh_state_edit(b->state)->halt = false;
}

/* --- Arguments that are about words -------------------------------------------------------------
 */

/* Where a table of this name is, as a descriptor that points to it. */
static uint64_t table_of(struct bench *b, uint64_t vmid, const char *name)
{
    const struct fh_profile *k = b->k;
    const bool is_three = !has_puds(k, vmid);
    const uint64_t vttbr = pool_start(k, vmid) | vmid << k->VTTBR_VMID_SHIFT;
    if (strcmp(name, "vttbr") == 0)
        return vttbr;
    if (strcmp(name, "pgd") == 0)
        return is_three ? vttbr : pgd_start(k, vmid) | 3;
    if (strcmp(name, "pud") == 0)
        return (is_three ? pgd_start(k, vmid) : pud_start(k, vmid)) | 3;
    return pmd_start(k, vmid) | 3;
}

/* Arguments that name tables and words get ones that there are. */
static void fit_words(struct bench *b, struct random_call *call)
{
    const struct fh_profile *k = b->k;
    const struct fh_function *f = call->function;
    const bool is_smmu = strstr(f->name, "smmu") != NULL;
    for (unsigned i = 0; i < f->nargs; i++) {
        const char *name = f->arg_names[i];
        if (!strcmp(name, "ttbr"))
            call->args[i] = k->SMMU_POOL_START;
        else if (is_smmu && (!strcmp(name, "pgd") || !strcmp(name, "pmd")))
            call->args[i] = (name[1] == 'g' ? k->SMMU_PGD_START : k->SMMU_PMD_START) | 3;
        else if (!strcmp(name, "vttbr") || !strcmp(name, "pgd") || !strcmp(name, "pud") ||
                 (!strcmp(name, "pmd") && strcmp(f->name, "set_pmd") != 0))
            call->args[i] = table_of(b, call->args[0], name);
        else if (!strcmp(name, "addr") && !strncmp(f->name, "smmu_pt_", 8))
            call->args[i] = k->SMMU_PGD_START;
        else if (!strcmp(name, "addr") && !strncmp(f->name, "pt_", 3))
            call->args[i] = pgd_start(k, call->args[0]);
        else if (!strcmp(name, "offset"))
            call->args[i] = below(b, 32) << 12;
    }
}

/* --- A call that succeeds -----------------------------------------------------------------------
 */

struct found {
    struct random_call call;
    enum fh_status status;
    const struct fh_rdata *before;
    size_t allocations;
};

/*
 * The call on a fork, which shares all data and has no journal yet: each first write allocates. The
 * fork must be as before if memory ran out.
 */
static enum fh_status invoke_fork(struct bench *b, const struct random_call *call, size_t fail_at,
                                  bool for_good)
{
    struct fh_state *fork = fh_state_fork(b->state);
    memory_fail_at(&b->memory, fail_at, for_good);
    const enum fh_status status =
        fh_invoke(fork, call->function, call->args, call->function->nargs, NULL);
    const size_t allocations = b->memory.allocations;
    memory_fail_at(&b->memory, 0, false);
    if (status == FH_NOMEM) {
        ck_assert_int_eq(fh_state_error(fork)->status, FH_NOMEM);
        assert_same_data(fh_state_rdata(b->state), fh_state_rdata(fork));
    }
    fh_state_free(fork);
    b->memory.allocations = allocations;
    return status;
}

/* One attempt; the found call becomes this one if it succeeds, or allocates more. */
static void attempt(struct bench *b, const struct fh_function *function, struct found *found)
{
    char name[128];
    struct random_call call;
    snprintf(name, sizeof name, "%s.%s", function->layer, function->name);
    prepare(b);
    random_call(b->k, &b->seed, name, &call);
    if (below(b, 4) != 0)
        fit_words(b, &call);
    const struct fh_rdata *before = fh_state_snapshot(b->state);
    const enum fh_status status = invoke_fork(b, &call, 0, false);
    const size_t allocations = b->memory.allocations;
    const bool is_better = (status == FH_OK) != (found->status == FH_OK)
                               ? status == FH_OK
                               : allocations > found->allocations;
    if (!found->before || is_better) {
        fh_snapshot_release(found->before, &b->memory.allocator);
        *found = (struct found){call, status, before, allocations};
        return;
    }
    fh_snapshot_release(before, &b->memory.allocator);
}

static struct found find_call(struct bench *b, const struct fh_function *function)
{
    struct found found = {.before = NULL, .status = FH_STUCK};
    for (unsigned i = 0; i < ATTEMPTS || (i < MORE_ATTEMPTS && found.status != FH_OK); i++)
        attempt(b, function, &found);
    return found;
}

/* --- The same without memory --------------------------------------------------------------------
 */

static void fail_at(struct bench *b, const struct found *found, size_t n, bool for_good)
{
    char text[TEXT];
    call_text(&found->call, text, sizeof text);
    const enum fh_status status = invoke_fork(b, &found->call, n, for_good);
    ck_assert_msg(status == FH_NOMEM, "%s, allocation %zu of %zu: %s", text, n, found->allocations,
                  fh_status_name(status));
}

/* Each of the first allocations, then fewer and fewer: some calls make thousands. */
static size_t next_to_fail(size_t n)
{
    return n + 1 + n / 12;
}

static void run_out(struct bench *b, const struct found *found)
{
    fh_state_restore(b->state, found->before);
    for (size_t n = 1; n <= found->allocations; n = next_to_fail(n))
        fail_at(b, found, n, n % 2);
    ck_assert_int_eq(invoke_fork(b, &found->call, 0, false), found->status);
}

/* Somebody has a lock, or all have halted: not where to go on from. */
static bool is_odd(const struct fh_rdata *adt)
{
    const uint8_t *status;
    for (uint64_t id = 0; (status = fh_map_next(&adt->lock, &type_of_lock_status->as_value, &id));
         id++) {
        if (*status != FH_LOCK_FREE)
            return true;
    }
    return adt->halt;
}

static void take_steps(struct bench *b)
{
    struct random_call steps[MAX_STEPS];
    const struct fh_rdata *before = fh_state_snapshot(b->state);
    const unsigned nsteps = random_steps(b->k, &b->seed, steps);
    for (unsigned i = 0; i < nsteps; i++)
        fh_invoke(b->state, steps[i].function, steps[i].args, steps[i].function->nargs, NULL);
    if (is_odd(fh_state_rdata(b->state)))
        fh_state_restore(b->state, before);
    fh_snapshot_release(before, &b->memory.allocator);
}

static void begin(struct bench *b, const struct fh_profile *profile,
                  enum fh_realisation realisation, enum fh_log_policy policy)
{
    memory_init(&b->memory);
    b->k = profile;
    b->seed = 1 + realisation;
    b->state = new_machine(&b->memory, profile, policy, realisation, 0);
    for (unsigned i = 0; i < STEPS_BEFORE; i++)
        take_steps(b);
    b->start = fh_state_snapshot(b->state);
}

static void end(struct bench *b)
{
    fh_snapshot_release(b->start, &b->memory.allocator);
    fh_state_free(b->state);
    ck_assert_uint_eq(b->memory.blocks, 0);
}

/* _i: profile, realisation and log policy. */
START_TEST(function_that_runs_out_of_memory_changes_nothing)
{
    static const struct fh_profile *const profiles[] = {&fh_profile_spec, &fh_profile_sekvm_4_18};
    struct bench b;
    unsigned functions = 0, succeeded = 0;
    size_t allocations = 0;
    begin(&b, profiles[_i % 2], (enum fh_realisation)(_i / 2 % 3),
          _i % 3 == 0 ? FH_LOG_FULL : FH_LOG_SUMMARY);
    for (const struct fh_function *f; (f = fh_function_at(functions)); functions++) {
        const struct found found = find_call(&b, f);
        succeeded += found.status == FH_OK;
        allocations += found.allocations;
        run_out(&b, &found);
        fh_snapshot_release(found.before, &b.memory.allocator);
    }
    ck_assert_uint_eq(functions, 294);
    ck_assert_uint_ge(succeeded, 284);
    ck_assert_uint_gt(allocations, 500);
    end(&b);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, function_that_runs_out_of_memory_changes_nothing, 0, 6);
}

int main(void)
{
    return run_tests("nomem_registry", add_tests);
}
