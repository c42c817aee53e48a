/* SPDX-License-Identifier: GPL-2.0-only */
#include "cases.h"

#include <string.h>
#include <time.h>

static const struct fh_profile *const spec = &fh_profile_spec;

/* Where things are: addresses that a host fault of the spec profile can name lie below 16 MiB. */
enum { HOST_PAGES = 3072, SMMU_BASE = 0xe00000, VM_PAGES = 256 };

/* The guest addresses of the VM's pages, and their first page frame. */
enum { VM_GFN = 0x800, VM_ADDR = 0x800000, VM_PFN = 0x100 };

/* Of this process, so that what else the machine does is not in it. */
double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

void check(enum fh_status status, const struct fh_state *state)
{
    char text[300];
    if (status == FH_OK && !fh_state_rdata(state)->halt)
        return;
    fh_error_format(fh_state_error(state), text, sizeof text);
    give_up(status == FH_OK ? "halted" : text);
}

/* HPFAR_EL2 holds bits 12 and up of the address from bit 4 on: both profiles multiply by 256. */
void fault(struct fh_state *state, uint64_t addr, uint64_t esr)
{
    struct fh_ctxt *regs = fh_state_edit_regs(state);
    if (!regs)
        give_up("out of memory");
    regs->ctxt_regs.hpfar_el2 = addr / 256;
    regs->ctxt_regs.esr_el2 = esr;
    check(fh_handle_host_stage2_fault(state), state);
}

/* So that no hash is computed in vain. */
static uint64_t sum_of_hashes;

static void nothing(struct fh_state *state, unsigned n)
{
    (void)state;
    (void)n;
}

/* --- Faults of the host ---------------------------------------------------------------------- */

/* Syndromes of 4-byte accesses: SAS (bits 22 and 23) is 2, WnR (bit 6) says write. */
enum { READ_4 = 2 << 22, WRITE_4 = 2 << 22 | 1 << 6 };

static struct fh_state *host(void)
{
    return machine_new(spec, FH_LOG_SUMMARY, 0, HOST_PAGES);
}

/* The same with every 64th page mapped, so that all tables are there. */
static struct fh_state *host_with_tables(void)
{
    struct fh_state *state = host();
    for (uint64_t pfn = 0; pfn < HOST_PAGES; pfn += 64)
        fault(state, pfn * spec->PAGE_SIZE, 0);
    return state;
}

/* As `machine`, keeping a hash. */
static struct fh_state *hashed(struct fh_state *(*machine)(void))
{
    keep_hash = FH_HASH_DATA;
    struct fh_state *state = machine();
    keep_hash = 0;
    fh_state_hash(state);
    return state;
}

static struct fh_state *hashed_host(void)
{
    return hashed(host_with_tables);
}

/* A host that has mapped one page: each of the others that are 2 MiB apart needs a table. */
enum { FIRST_PFN = 0x40000, TABLES_MOST = 1000, TABLE_PAGES = 512 };

static struct fh_state *host_without_tables(void)
{
    const struct fh_profile *sekvm = &fh_profile_sekvm_4_18;
    struct fh_state *state =
        machine_new(sekvm, FH_LOG_SUMMARY, FIRST_PFN, (TABLES_MOST + 1) * TABLE_PAGES);
    fault(state, FIRST_PFN * sekvm->PAGE_SIZE, 0);
    return state;
}

static struct fh_state *hashed_host_without_tables(void)
{
    return hashed(host_without_tables);
}

static uint64_t page_in_new_table(unsigned n)
{
    return (FIRST_PFN + (n + UINT64_C(1)) * TABLE_PAGES) * spec->PAGE_SIZE;
}

static void fault_in_new_table(struct fh_state *state, unsigned n)
{
    fault(state, page_in_new_table(n), 0);
}

/* A load of 8 bytes by the host that stage 2 does not map: what a search writes into ESR_EL2. */
static const uint64_t esr_of_load = 0x93c08007;

/* A fault as a search tries it: the trap is taken, the state looked up, and the trap taken back. */
static void try_fault_at(struct fh_state *state, uint64_t addr)
{
    if (fh_begin(state) != FH_OK ||
        fh_state_set_reg(state, FH_REG(ctxt_regs.hpfar_el2), addr / 256) != FH_OK ||
        fh_state_set_reg(state, FH_REG(ctxt_regs.esr_el2), esr_of_load) != FH_OK)
        give_up("out of memory");
    check(fh_handle_host_stage2_fault(state), state);
    sum_of_hashes += fh_state_hash(state);
    check(fh_undo(state), state);
}

static void try_fault(struct fh_state *state, unsigned n)
{
    const uint64_t pfn = n / 63 * 64 + n % 63 + 1;
    try_fault_at(state, pfn * spec->PAGE_SIZE);
}

static void try_fault_in_new_table(struct fh_state *state, unsigned n)
{
    try_fault_at(state, page_in_new_table(n));
}

static struct fh_state *host_with_all_mapped(void)
{
    struct fh_state *state = host();
    for (uint64_t pfn = 0; pfn < HOST_PAGES; pfn++)
        fault(state, pfn * spec->PAGE_SIZE, 0);
    return state;
}

static struct fh_state *host_with_all_events(void)
{
    return machine_new(spec, FH_LOG_FULL, 0, HOST_PAGES);
}

static struct fh_state *host_with_smmu(void)
{
    struct fh_state *state = host();
    machine_add_smmu(state, SMMU_BASE);
    return state;
}

static void fault_in_order(struct fh_state *state, unsigned n)
{
    fault(state, n * spec->PAGE_SIZE, 0);
}

static void fault_anywhere(struct fh_state *state, unsigned n)
{
    fault(state, n * UINT64_C(1237) % HOST_PAGES * spec->PAGE_SIZE, 0);
}

static void read_smmu(struct fh_state *state, unsigned n)
{
    (void)n;
    fault(state, SMMU_BASE + 0x100, READ_4);
}

static void write_smmu(struct fh_state *state, unsigned n)
{
    (void)n;
    fault(state, SMMU_BASE + 0x100, WRITE_4);
}

/* --- Hypercalls of VMs ----------------------------------------------------------------------- */

static void pvops(struct fh_state *state, unsigned n)
{
    uint32_t result;
    (void)n;
    check(fh_core_handle_pvops(state, &result), state);
}

static void ask(struct fh_state *state, uint64_t call, uint64_t page, uint64_t pages)
{
    machine_ask(state, 1, 0, call, VM_ADDR + page * spec->PAGE_SIZE, pages * spec->PAGE_SIZE);
}

static struct fh_state *vm_runs(void)
{
    struct fh_state *state = host();
    machine_give_to_vm(state, 1, VM_GFN, VM_PFN, VM_PAGES);
    struct fh_rdata *adt = fh_state_edit(state);
    adt->cur_vmid = 1;
    adt->cur_vcpuid = 0;
    return state;
}

static struct fh_state *vm_grants(void)
{
    struct fh_state *state = vm_runs();
    ask(state, spec->HVC_KVM_SET_DESC_PFN, 0, 1);
    return state;
}

enum { SHARES = 90 };

static struct fh_state *vm_revokes(void)
{
    struct fh_state *state = vm_grants();
    for (unsigned i = 0; i <= SHARES; i++)
        pvops(state, i);
    ask(state, spec->HVC_KVM_UNSET_DESC_PFN, 0, 1);
    return state;
}

static struct fh_state *vm_shares_all(void)
{
    struct fh_state *state = vm_runs();
    ask(state, spec->HVC_KVM_SET_DESC_PFN, 0, VM_PAGES);
    pvops(state, 0);
    return state;
}

/* By KCore's own function: an edit from outside would make the next call look for everything. */
static void ask_for_one(struct fh_state *state, unsigned n)
{
    const uint64_t addr = VM_ADDR + n * spec->PAGE_SIZE;
    if (n == 0)
        ask(state, spec->HVC_KVM_UNSET_DESC_PFN, 0, 1);
    check(fh_set_shadow_ctxt(state, 1, 0, (uint32_t)spec->X2, addr), state);
}

static void ask_to_grant_all(struct fh_state *state, unsigned n)
{
    (void)n;
    ask(state, spec->HVC_KVM_SET_DESC_PFN, 0, VM_PAGES);
}

static void share_all_again(struct fh_state *state, unsigned n)
{
    if (n > 0) {
        ask_to_grant_all(state, n);
        pvops(state, n);
    }
    ask(state, spec->HVC_KVM_UNSET_DESC_PFN, 0, VM_PAGES);
}

/* --- Ranges that are given back -------------------------------------------------------------- */

/* A VM that was powered off and owns few of the many pages that it is asked for, each time anew. */
enum { RANGE = 1000000, OWNED = 64 };

static struct fh_state *vm_is_off(void)
{
    return machine_new(spec, FH_LOG_SUMMARY, 0, RANGE);
}

static void give_pages(struct fh_state *state, unsigned n)
{
    (void)n;
    machine_give_pages(state, 1, RANGE / OWNED, OWNED);
}

static void clear_range(struct fh_state *state, unsigned n)
{
    (void)n;
    check(fh_clear_vm_range(state, 1, 0, RANGE), state);
}

/* --- The table ------------------------------------------------------------------------------- */

static const struct bench_case cases[] = {
    {"host_fault_new_page", "host fault, new page", "ns", HOST_PAGES, host, nothing,
     fault_in_order},
    {"host_fault", "host fault, page mapped again", "ns", 6000, host_with_all_mapped, nothing,
     fault_anywhere},
    {"host_fault_tried", "host fault, new page, its hash, taken back", "ns", HOST_PAGES,
     hashed_host, nothing, try_fault},
    {"host_fault_new_table", "host fault, new page and new table", "ns", TABLES_MOST,
     host_without_tables, nothing, fault_in_new_table},
    {"host_fault_new_table_tried", "the same, its hash, taken back", "ns", TABLES_MOST,
     hashed_host_without_tables, nothing, try_fault_in_new_table},
    {"host_fault_full_log", "host fault, new page, all events kept", "ns", HOST_PAGES,
     host_with_all_events, nothing, fault_in_order},
    {"smmu_read", "SMMU register read", "ns", 6000, host_with_smmu, nothing, read_smmu},
    {"smmu_write", "SMMU register write", "ns", 6000, host_with_smmu, nothing, write_smmu},
    {"grant_1", "grant 1 page", "ns", SHARES, vm_grants, nothing, pvops},
    {"revoke_1", "revoke 1 page, other shares stay", "ns", SHARES, vm_revokes, nothing, pvops},
    {"revoke_1_last", "revoke 1 page, the last share", "ns", VM_PAGES, vm_shares_all, ask_for_one,
     pvops},
    {"grant_256", "grant 256 pages", "us", 24, vm_runs, ask_to_grant_all, pvops},
    {"revoke_256", "revoke 256 pages, all last shares", "us", 24, vm_shares_all, share_all_again,
     pvops},
    {"clear_range", "clear 10^6 pages, of which 64 are the VM's", "us", 4, vm_is_off, give_pages,
     clear_range},
};

const struct bench_case *case_at(unsigned index)
{
    return index < sizeof cases / sizeof *cases ? &cases[index] : NULL;
}

const struct bench_case *case_named(const char *name)
{
    for (unsigned i = 0; case_at(i); i++) {
        if (strcmp(cases[i].name, name) == 0)
            return &cases[i];
    }
    return NULL;
}

/* Not inlined: bench/count collects between entering and leaving this. */
__attribute__((noinline)) static void measured_call(const struct bench_case *bench,
                                                    struct fh_state *state, unsigned n)
{
    bench->call(state, n);
}

void run_case(const struct bench_case *bench, unsigned calls)
{
    struct fh_state *state = bench->machine();
    if (calls > bench->most)
        give_up("so many calls are not possible on one machine");
    for (unsigned n = 0; n < calls; n++) {
        bench->prepare(state, n);
        measured_call(bench, state, n);
    }
    fh_state_free(state);
}

double time_case(const struct bench_case *bench)
{
    struct fh_state *state = bench->machine();
    double spent = 0, clock = 0;
    const bool is_prepared = bench->prepare != nothing;
    const double begin = now();
    for (unsigned n = 0; n < bench->most; n++) {
        bench->prepare(state, n);
        const double start = is_prepared ? now() : 0;
        measured_call(bench, state, n);
        const double end = is_prepared ? now() : 0;
        clock += is_prepared ? now() - end : 0; /* what looking at the clock takes */
        spent += end - start;
    }
    const double all = is_prepared ? spent - clock : now() - begin;
    fh_state_free(state);
    return all / bench->most;
}
