/* SPDX-License-Identifier: GPL-2.0-only */

/*
 * A toy hypervisor that handles stage-2 faults of its host as SeKVM's does, on a machine that
 * exists only here, and records what it does with <faulthandler/recorder.h>:
 *
 *     toy_hypervisor PREFIX [careless]      writes PREFIX.0 and PREFIX.1, one buffer for each CPU
 *     fhsim convert --from recorder PREFIX.0 PREFIX.1 | fhsim replay --machine toy -
 *
 * It departs from the spec in two ways, which are described in machines/toy: it maps memory that
 * nobody owns as if it were RAM, and its panic returns. A careless one also forgets to ask who owns
 * a page before it maps it for the host.
 */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <faulthandler/recorder.h>

enum {
    CPUS = 2,
    BUFFER_WORDS = 4096,
    PAGE_SHIFT = 12,
    ENTRIES = 512,
    ROOT_ENTRIES = 1024,
    TABLES = 16,
    HOST = 0,
    VM = 1,
    EL2 = 65
};

#define INVALID UINT64_C(0xffffffff)
#define ALL_ONES UINT64_MAX

/* The machine: where memory is, where the host's tables are, how descriptors are marked. */
#define RAM_START UINT64_C(0x40000000)
#define RAM_SIZE UINT64_C(0xfff00000)
#define ROOT UINT64_C(0x50bc0000)
#define PGD_POOL UINT64_C(0x50bc2000)
#define PUD_POOL UINT64_C(0x50c42000)
#define PMD_POOL UINT64_C(0x50fc0000)
#define TABLE UINT64_C(3)
#define PAGE_S2_KERNEL UINT64_C(0xfff)
#define PAGE_S2_DEVICE UINT64_C(0x40000000000747)
#define S2_RDWR UINT64_C(0xc0)
#define LEAF_MARK (UINT64_C(1) << 56)

/* Who owns which pages, counted from the start of memory. */
static const struct owned {
    uint64_t start, length, owner, count, gfn;
} owned[] = {
    {0, 0xbc0, HOST, 0, 0},
    {0xbc0, 0x57801, EL2, 0, 0},
    {0x583c1, 0xa0000 - 0x583c1, HOST, 0, 0},
    {0xa0000, 1, VM, 0, 0x80000}, /* a VM's own page */
    {0xa0001, 1, VM, 1, 0x80001}, /* one that it shares with the host */
    {0xa0002, 0xfff00 - 0xa0002, HOST, 0, 0},
};

enum { RUNS = sizeof owned / sizeof *owned };

/* Stage-2 faults of the host: CPU, ESR_EL2, address. */
static const struct fault {
    unsigned cpu;
    uint64_t esr, address;
} faults[] = {
    {0, 0x82000084, 0x403b4000}, {1, 0x82000085, 0x13fefe000}, {0, 0x82000086, 0x403b5000},
    {1, 0x93810047, 0x8011000},  {1, 0x93c08007, 0xe0001000},  {0, 0x93c08007, 0xe0000000},
    {1, 0x93c08007, 0x50bc0000}, {0, 0x82000007, 0x4009f000},
};

/* A page of a table, or half of the root, at a physical address. */
static struct table {
    uint64_t pa;
    uint64_t entries[ENTRIES];
} tables[TABLES];

static uint64_t pgd_next = PGD_POOL;
static uint64_t pmd_next = PMD_POOL;
static bool is_careless;

/* A recorder and a buffer for each CPU, one counter for all. */
static uint64_t counter;
static uint64_t buffers[CPUS][BUFFER_WORDS];
static struct fh_recorder recorders[CPUS];

/* --- Memory ---------------------------------------------------------------------------------- */

static uint64_t *entry_at(uint64_t pa)
{
    const uint64_t page = pa & ~UINT64_C(0xfff);
    struct table *table = tables;
    while (table->pa != page && table->pa != 0)
        table++;
    table->pa = page;
    return &table->entries[(pa & 0xfff) / sizeof(uint64_t)];
}

static struct owned owner_of(uint64_t pfn)
{
    const uint64_t index = pfn - (RAM_START >> PAGE_SHIFT);
    for (size_t i = 0; i < RUNS; i++) {
        if (index >= owned[i].start && index - owned[i].start < owned[i].length)
            return (struct owned){index, 1, owned[i].owner, owned[i].count, owned[i].gfn};
    }
    return (struct owned){ALL_ONES, 1, INVALID, 0, 0};
}

/* --- Stage 2 --------------------------------------------------------------------------------- */

static void store(struct fh_recorder *recorder, const char *level, uint64_t ipa, uint64_t pa,
                  uint64_t value)
{
    uint64_t *entry = entry_at(pa);
    fh_record_pt_store(recorder, HOST, level, ipa, pa, *entry, value);
    *entry = value;
}

/* The table that the entry at `pa` points to, taken from a pool if there is none. */
static uint64_t next_table(struct fh_recorder *recorder, const char *level, const char *pool,
                           uint64_t *next, uint64_t ipa, uint64_t pa)
{
    if (*entry_at(pa) == 0) {
        const uint64_t page = *next;
        *next += UINT64_C(1) << PAGE_SHIFT;
        fh_record_vm_set(recorder, pool, HOST, 0, page, *next);
        store(recorder, level, ipa, pa, page | TABLE);
    }
    return *entry_at(pa) & ~TABLE;
}

static void mmap_s2pt(struct fh_recorder *recorder, uint64_t ipa, uint64_t descriptor)
{
    const uint64_t args[] = {HOST, ipa, 3, descriptor, 0};
    fh_record_fn(recorder, "mmap_s2pt", 5, args);
    fh_record_lock(recorder, "pt", HOST);
    const uint64_t pgd = ROOT + (ipa >> 30) % ROOT_ENTRIES * sizeof(uint64_t);
    const uint64_t pmd = next_table(recorder, "pgd", "pgd_next", &pgd_next, ipa, pgd) +
                         (ipa >> 21) % ENTRIES * sizeof(uint64_t);
    const uint64_t pte = next_table(recorder, "pmd", "pmd_next", &pmd_next, ipa, pmd) +
                         (ipa >> 12) % ENTRIES * sizeof(uint64_t);
    store(recorder, "pte", ipa, pte, LEAF_MARK | descriptor);
    fh_record_unlock(recorder, "pt", HOST);
}

static void map_page_host(struct fh_recorder *recorder, unsigned cpu, uint64_t address)
{
    const uint64_t pfn = address >> PAGE_SHIFT;
    fh_record_fn(recorder, "map_page_host", 1, &address);
    fh_record_lock(recorder, "s2page", 0);
    const struct owned page = owner_of(pfn);
    fh_record_s2_read(recorder, pfn, page.start, page.owner, page.count, page.gfn);
    if (page.owner == INVALID || page.owner == HOST || page.count > 0 || is_careless)
        mmap_s2pt(recorder, address, pfn << PAGE_SHIFT | PAGE_S2_KERNEL);
    else
        fh_record_panic(recorder, "map_page_host", HOST, cpu);
    fh_record_unlock(recorder, "s2page", 0);
}

/* No address is an SMMU's here. */
static void emulate_mmio(struct fh_recorder *recorder, const struct fault *fault)
{
    const uint64_t args[] = {fault->address, fault->esr, INVALID, 0, 0};
    fh_record_lock(recorder, "smmu", 0);
    fh_record_fn_ret(recorder, "emulate_mmio", 5, args);
    fh_record_unlock(recorder, "smmu", 0);
}

/* --- Traps ----------------------------------------------------------------------------------- */

static void set_register(struct fh_trap_registers *registers, enum fh_trap_register reg,
                         uint64_t value)
{
    registers->present |= 1u << reg;
    registers->values[reg] = value;
}

/* What a CPU has once stage 2 is on. */
static struct fh_trap_registers registers_of(unsigned cpu)
{
    struct fh_trap_registers registers = {.x_present = (1u << FH_TRACE_GPRS) - 1};
    set_register(&registers, FH_TRAP_REG_vttbr, ROOT);
    set_register(&registers, FH_TRAP_REG_hcr, 0x80000021);
    set_register(&registers, FH_TRAP_REG_vmpidr, UINT64_C(0x80000000) | cpu);
    set_register(&registers, FH_TRAP_REG_vmid, HOST);
    set_register(&registers, FH_TRAP_REG_vcpuid, cpu);
    return registers;
}

static void handle_fault(const struct fault *fault)
{
    struct fh_recorder *recorder = &recorders[fault->cpu];
    struct fh_trap_registers registers = registers_of(fault->cpu);
    set_register(&registers, FH_TRAP_REG_esr, fault->esr);
    set_register(&registers, FH_TRAP_REG_hpfar, fault->address >> PAGE_SHIFT << 4);
    fh_recorder_begin(recorder, FH_TRAP_host_npt, &registers);
    emulate_mmio(recorder, fault);
    map_page_host(recorder, fault->cpu, fault->address);
    fh_recorder_end(recorder, FH_TRAP_TO_host, &registers);
}

static void record_value(struct fh_recorder *recorder, const char *name, uint64_t value)
{
    fh_record_boot_val(recorder, name, &value, NULL, NULL, NULL, NULL, NULL);
}

/* The hypercall that turns stage 2 on; its effects tell `fhsim replay` about the machine. */
static void boot(struct fh_recorder *recorder)
{
    fh_recorder_begin_hvc(recorder, "HVC_ENABLE_S2_TRANS", 6, 0, NULL, NULL);
    fh_record_lock(recorder, "core", 0);
    fh_record_boot_region(recorder, 0, RAM_START, RAM_SIZE, 0, 0);
    fh_record_boot_pool(recorder, HOST, ROOT, PGD_POOL, PUD_POOL, PMD_POOL, ROOT);
    record_value(recorder, "phys_mem_start", RAM_START);
    record_value(recorder, "phys_mem_size", RAM_SIZE);
    record_value(recorder, "next_vmid", 2);
    record_value(recorder, "el2_smmu_num", 0);
    record_value(recorder, "PAGE_S2_KERNEL", PAGE_S2_KERNEL);
    record_value(recorder, "PAGE_S2_DEVICE", PAGE_S2_DEVICE);
    record_value(recorder, "S2_RDWR", S2_RDWR);
    for (size_t i = 0; i < RUNS; i++)
        fh_record_boot_rle(recorder, owned[i].start, owned[i].length, owned[i].owner,
                           owned[i].count, owned[i].gfn);
    fh_record_unlock(recorder, "core", 0);
    const struct fh_trap_registers registers = registers_of(0);
    fh_recorder_end(recorder, FH_TRAP_TO_host, &registers);
}

static bool write_buffer(const char *prefix, unsigned cpu)
{
    char path[512];
    snprintf(path, sizeof path, "%s.%u", prefix, cpu);
    FILE *file = fopen(path, "wb");
    const size_t size = fh_recorder_bytes(&recorders[cpu]);
    const bool good = file && fwrite(buffers[cpu], 1, size, file) == size;
    if (file && fclose(file) == 0 && good)
        return true;
    perror(path);
    return false;
}

int main(int argc, char **argv)
{
    is_careless = argc == 3 && strcmp(argv[2], "careless") == 0;
    if (argc != 2 && !is_careless) {
        fputs("usage: toy_hypervisor PREFIX [careless]\n", stderr);
        return 2;
    }
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        fh_recorder_init(&recorders[cpu], buffers[cpu], BUFFER_WORDS, cpu, &counter);
    boot(&recorders[0]);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        handle_fault(&faults[i]);
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        if (!write_buffer(argv[1], cpu))
            return 1;
    }
    return 0;
}
