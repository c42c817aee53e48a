/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Effects against the state: what an effect says was read or is replaced stands there at that
 * moment, what it says is written stands there when the call has ended, and nothing of ownership,
 * tables, VMs and banks changes without an effect that says so.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "random_calls.h"

enum { PATH = 96, MOST_TOLD = 8192, CALLS = 6000, SHADOW_REGISTERS = 128 };

/* A place that the call has told it writes, and what. */
struct told {
    char path[PATH];
    uint64_t value;
};

static struct watched {
    struct memory memory;
    struct fh_state *state, *before; /* before: as the call began */
    unsigned well;                   /* calls that did not fail */
    const struct fh_profile *k;
    struct told told[MOST_TOLD];
    size_t ntold;
    struct {
        uint64_t vmid, vcpuid, index, value;
    } shadow[SHADOW_REGISTERS];
    size_t nshadow;
    uint64_t seen[FH_EFFECT_KINDS];
    char call[200];
} watched;

/* A key as deltas write it. */
static const char *key_text(uint64_t key, char buffer[24])
{
    snprintf(buffer, 24, "%" PRIu64, key);
    return buffer;
}

static uint64_t now(const char *path)
{
    uint64_t value = 0;
    ck_assert_msg(fh_get(watched.state, path, &value) == FH_OK, "%s", path);
    return value;
}

static void is_now(const char *path, uint64_t value)
{
    if (now(path) != value)
        ck_abort_msg("%s: %s is %#" PRIx64 ", and %#" PRIx64 " is told", watched.call, path,
                     now(path), value);
}

static struct told *find_told(const char *path)
{
    for (size_t i = watched.ntold; i-- > 0;) {
        if (strcmp(watched.told[i].path, path) == 0)
            return &watched.told[i];
    }
    return NULL;
}

static void tell(const char *path, uint64_t value)
{
    struct told *told = find_told(path);
    if (!told) {
        ck_assert_uint_lt(watched.ntold, MOST_TOLD);
        told = &watched.told[watched.ntold++];
        snprintf(told->path, sizeof told->path, "%s", path);
    }
    told->value = value;
}

/* --- Each kind -------------------------------------------------------------------------------- */

static void s2page_path(uint64_t pfn, uint64_t field, char path[PATH])
{
    static const char *const fields[] = {"s2_owner", "s2_count", "s2_gfn"};
    char key[24];
    snprintf(path, PATH, "shared.s2page.%s.%s", key_text(pfn, key), fields[field]);
}

static void vm_path(uint64_t vmid, uint64_t field, uint64_t sub, char path[PATH])
{
    static const struct {
        const char *place;
        bool has_sub;
    } places[FH_VM_FIELDS] = {
        [FH_VM_STATE] = {"VS.vm_state", false},
        [FH_VM_VCPU_STATE] = {"VS.vm_vcpu_state", true},
        [FH_VM_KVM] = {"VS.vm_kvm", false},
        [FH_VM_VCPU] = {"VS.vm_vcpu", true},
        [FH_VM_NEXT_LOAD_IDX] = {"VB.vm_next_load_info", false},
        [FH_VM_LOAD_ADDR] = {"VB.vm_load_addr", true},
        [FH_VM_LOAD_SIZE] = {"VB.vm_load_size", true},
        [FH_VM_REMAP_ADDR] = {"VB.vm_remap_addr", true},
        [FH_VM_MAPPED] = {"VB.vm_mapped_pages", true},
        [FH_VM_POWER] = {"VS.vm_power", false},
        [FH_VM_INC_EXE] = {"VB.vm_inc_exe", false},
    };
    char key[24], number[24];
    const char *place = places[field].place;
    key_text(vmid, key);
    key_text(sub, number);
    if (places[field].has_sub)
        snprintf(path, PATH, "shared.vminfos.%s.%s.%s", key, place, number);
    else
        snprintf(path, PATH, "shared.vminfos.%s.%s", key, place);
}

static void bank_path(uint64_t cbndx, uint64_t index, char path[PATH])
{
    char key[24];
    key_text(watched.k->SMMU_NUM_CTXT_BANKS * index + cbndx, key);
    snprintf(path, PATH, "shared.smmu_vmid.%s", key);
}

/* An entry of a VM's table, part by part: "shared.npts.1.pt.0x10.level". */
static void entry_path(uint64_t vmid, uint64_t gfn, const char *part, char path[PATH])
{
    char key[24], number[24];
    snprintf(path, PATH, "shared.npts.%s.pt.%s%s", key_text(vmid, key), key_text(gfn, number),
             part);
}

/* Tells when it is done: what was replaced stood there as the call began, or was told of. */
static void see_npt_set(const uint64_t v[6])
{
    const uint64_t gfn = v[1] >> 12, count = v[2] == 2 ? 512 : 1, first = gfn & ~(count - 1);
    char path[PATH];
    uint64_t old;
    entry_path(v[0], gfn, "", path);
    const struct told *told = find_told(path);
    entry_path(v[0], gfn, ".level", path);
    ck_assert_int_eq(fh_get(watched.before, path, &old), FH_OK);
    if (v[4] != (told ? told->value : old))
        ck_abort_msg("%s: %s was %" PRIu64, watched.call, path, told ? told->value : old);
    entry_path(v[0], gfn, ".pte", path);
    is_now(path, v[3]);
    for (uint64_t i = 0; i < count; i++) {
        entry_path(v[0], first + i, "", path);
        tell(path, v[2]);
    }
}

static void see_npt_read(const uint64_t v[6])
{
    char path[PATH];
    entry_path(v[0], v[1] >> 12, ".level", path);
    is_now(path, v[2]);
    entry_path(v[0], v[1] >> 12, ".pte", path);
    is_now(path, v[3]);
}

static void see_shadow_set(const uint64_t v[6])
{
    size_t i = 0;
    while (i < watched.nshadow &&
           !(watched.shadow[i].vmid == v[0] && watched.shadow[i].vcpuid == v[1] &&
             watched.shadow[i].index == v[2]))
        i++;
    if (i == SHADOW_REGISTERS)
        return;
    watched.nshadow = i == watched.nshadow ? i + 1 : watched.nshadow;
    watched.shadow[i].vmid = v[0];
    watched.shadow[i].vcpuid = v[1];
    watched.shadow[i].index = v[2];
    watched.shadow[i].value = v[3];
}

static void see(void *context, const struct fh_effect *effect)
{
    const uint64_t *v = effect->values;
    char path[PATH];
    (void)context;
    watched.seen[effect->kind]++;
    switch (effect->kind) {
    case FH_EFFECT_S2_READ: s2page_path(v[0], v[1], path); return is_now(path, v[2]);
    case FH_EFFECT_S2_SET:
        s2page_path(v[0], v[1], path);
        is_now(path, v[2]);
        return tell(path, v[3]);
    case FH_EFFECT_NPT_READ: return see_npt_read(v);
    case FH_EFFECT_NPT_SET: return see_npt_set(v);
    case FH_EFFECT_SMMU_CFG_SET:
        bank_path(v[0], v[1], path);
        is_now(path, v[3]);
        return tell(path, v[2]);
    case FH_EFFECT_VM_SET: vm_path(v[0], v[1], v[2], path); return tell(path, v[3]);
    case FH_EFFECT_DIRTY_SET:
        snprintf(path, sizeof path, "shadow_ctxts.%" PRIu64 ".ctxt_states.dirty",
                 v[0] * watched.k->VCPU_PER_VM + v[1]);
        return tell(path, v[2]);
    case FH_EFFECT_CORE_SET:
        snprintf(path, sizeof path, "shared.core_data.%s", v[0] ? "next_remap_ptr" : "next_vmid");
        return tell(path, v[1]);
    case FH_EFFECT_SHADOW_SET: return see_shadow_set(v);
    case FH_EFFECT_SKIP_INSTR: return is_now("regs.ctxt_regs.elr_el2", v[0]);
    default: return;
    }
}

/* --- Behind the call -------------------------------------------------------------------------- */

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Is this a place whose changes effects tell of? Tables' bookkeeping is not. */
static bool is_told_of(const char *path)
{
    return starts_with(path, "shared.s2page.") || starts_with(path, "shared.smmu_vmid.") ||
           starts_with(path, "shared.vminfos.") || starts_with(path, "shared.core_data.") ||
           (starts_with(path, "shared.npts.") && strstr(path, ".pt."));
}

static bool check_change(void *context, const struct fh_change *change)
{
    char path[PATH * 2];
    (void)context;
    fh_path_format(change->path, path, sizeof path);
    if (is_told_of(path) && !find_told(path))
        ck_abort_msg("%s: %s changes, and no effect says so", watched.call, path);
    return true;
}

static void check_told(void)
{
    for (size_t i = 0; i < watched.ntold; i++) {
        char path[PATH + 8];
        const char *is_entry = strstr(watched.told[i].path, ".pt.") ? ".level" : "";
        snprintf(path, sizeof path, "%s%s", watched.told[i].path, is_entry);
        is_now(path, watched.told[i].value);
    }
    for (size_t i = 0; i < watched.nshadow; i++) {
        uint64_t value;
        const uint32_t vmid = (uint32_t)watched.shadow[i].vmid,
                       vcpuid = (uint32_t)watched.shadow[i].vcpuid,
                       index = (uint32_t)watched.shadow[i].index;
        if (fh_state_rdata(watched.state)->halt)
            return; /* a halted machine reads zeros */
        ck_assert_int_eq(fh_get_shadow_ctxt(watched.state, vmid, vcpuid, index, &value), FH_OK);
        if (value != watched.shadow[i].value)
            ck_abort_msg("%s: register %" PRIu32 " is %#" PRIx64 ", and %#" PRIx64 " is told",
                         watched.call, index, value, watched.shadow[i].value);
    }
}

static void call(const struct random_call *step)
{
    uint64_t result;
    watched.before = fh_state_fork(watched.state);
    watched.ntold = watched.nshadow = 0;
    call_text(step, watched.call, sizeof watched.call);
    const enum fh_status status =
        fh_invoke(watched.state, step->function, step->args, step->function->nargs, &result);
    if (status == FH_OK) { /* else nothing has changed */
        fh_state_environment(watched.state)->observer = NULL;
        check_told();
        ck_assert(fh_delta(fh_state_rdata(watched.before), fh_state_rdata(watched.state),
                           check_change, NULL));
        fh_state_environment(watched.state)->observer = see;
        watched.well++;
    }
    fh_state_free(watched.before);
}

static void new_state_to_watch(void)
{
    watched.state = new_machine(&watched.memory, watched.k, FH_LOG_SUMMARY, FH_ABSTRACT, 0);
    fh_state_environment(watched.state)->observer = see;
}

static void begin(void)
{
    memset(&watched, 0, sizeof watched);
    memory_init(&watched.memory);
    watched.k = fh_profile_find("spec");
    new_state_to_watch();
}

static void end(void)
{
    fh_state_free(watched.state);
    ck_assert_uint_eq(watched.memory.blocks, 0);
}

static void has_seen(enum fh_effect_kind kind)
{
    ck_assert_msg(watched.seen[kind] > 0, "no %s was seen", fh_effect_name(kind));
}

/* A machine that halted does nothing any more, and keeps its locks. */
static void replace_if_halted(void)
{
    if (!fh_state_rdata(watched.state)->halt)
        return;
    fh_state_free(watched.state);
    new_state_to_watch();
}

START_TEST(effects_of_sequences_tell_what_stands_in_the_state_and_all_that_changes)
{
    uint64_t seed = (uint64_t)_i + 1;
    struct random_call steps[MAX_STEPS];
    begin();
    for (unsigned n = 0; n < CALLS; n++) {
        const unsigned count = random_steps(watched.k, &seed, steps);
        random_registers(watched.state, random_u64(&seed));
        for (unsigned i = 0; i < count; i++)
            call(&steps[i]);
        replace_if_halted();
    }
    has_seen(FH_EFFECT_S2_READ);
    has_seen(FH_EFFECT_S2_SET);
    has_seen(FH_EFFECT_NPT_READ);
    has_seen(FH_EFFECT_NPT_SET);
    has_seen(FH_EFFECT_SMMU_CFG_SET);
    has_seen(FH_EFFECT_CORE_SET);
    end();
}
END_TEST

static void hold_all_locks(void)
{
    char path[PATH];
    for (uint64_t id = 0; id < 64; id++) {
        snprintf(path, sizeof path, "lock.%" PRIu64, id);
        ck_assert_int_eq(fh_set(watched.state, path, FH_LOCK_OWN), FH_OK);
    }
    ck_assert_int_eq(fh_set(watched.state, "tstate", 0), FH_OK);
}

/* Setters of the lowest layers, which no handler calls with all of their arguments. */
START_TEST(effects_of_single_calls_tell_what_stands_in_the_state_and_all_that_changes)
{
    uint64_t seed = 7;
    begin();
    for (unsigned n = 0; n < 12; n++) {
        for (unsigned i = 0; fh_function_at(i); i++) {
            struct random_call step;
            if (starts_with(fh_function_at(i)->name, "set_s2_page_"))
                continue; /* PageManager tells of them */
            random_call(watched.k, &seed, fh_function_at(i)->name, &step);
            hold_all_locks();
            call(&step);
            replace_if_halted();
        }
    }
    ck_assert_uint_gt(watched.well, 1000);
    has_seen(FH_EFFECT_VM_SET);
    has_seen(FH_EFFECT_SHADOW_SET);
    has_seen(FH_EFFECT_DIRTY_SET);
    end();
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_loop_test(
        tests, effects_of_sequences_tell_what_stands_in_the_state_and_all_that_changes, 0, 2);
    tcase_add_test(tests,
                   effects_of_single_calls_tell_what_stands_in_the_state_and_all_that_changes);
}

int main(void)
{
    return run_tests("effects", add);
}
