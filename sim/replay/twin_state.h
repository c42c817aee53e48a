/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TWIN_STATE_H
#define SIM_TWIN_STATE_H

#include "replay/twin.h"

/* The inside of a twin, for its own files. */

/* The types of those parts of the state that a twin touches. */
struct twin_types {
    const struct fh_type *regs;
    const struct fh_type *smmu_conf;
    const struct fh_type *spts;
    const struct fh_type *lock;
    const struct fh_type *log;
    const struct fh_type *word; /* what a map_u64 holds */
    const struct fh_type *flag;
    const struct fh_type *region;
    const struct fh_type *ctxt;
    const struct fh_type *npt;
    const struct fh_type *pt_entry;
    const struct fh_type *s2page;
    const struct fh_type *vminfo;
    const struct fh_type *smmu_owner;
    const struct fh_type *bank_pages; /* the SMMU tables: maps of maps */
    const struct fh_type *bank_pgds;
    const struct fh_type *bank_pmds;
};

/*
 * Where the next table of each kind comes from. Three-level tables: the root and the level below
 * are the spec's pgd and pmd, tables of pages come from the pmd pool.
 */
struct twin_pools {
    uint64_t pgd, pud, pmd;
};

enum { TWIN_VMIDS = 128, TWIN_CPUS = 8, TWIN_WRITES = 4096 };

/* What was stored in a page's record; `field` is the first letter of its name. */
struct twin_write {
    uint64_t g, index;
    char field;
    uint64_t old;
};

/* A trap that changed a page's record or mapping, or what is kept of a VM. */
struct twin_touch {
    uint64_t subject; /* twin_page_subject, twin_vm_subject */
    uint64_t seq;
};

/* The vCPU that a CPU runs, and the registers of the host that wait for its end. */
struct twin_cpu {
    uint64_t vmid, vcpuid;
    struct trace_registers host;
};
#define NOT_CLEARING UINT64_MAX

struct twin {
    struct fh_state *state;
    const struct fh_profile *profile;
    const struct fh_allocator *allocator;
    struct twin_types types;

    uint64_t ram_pfn; /* the page of index 0 */
    uint64_t ram_pages;
    uint64_t roots[TWIN_VMIDS];          /* physical address of each stage-2 root */
    struct twin_pools pools[TWIN_VMIDS]; /* as of the last effect */
    struct fh_map tables;                /* table pages: see table_key in twin.c */
    struct twin_pools smmu_pools;        /* pgd and pmd, as of the last effect */
    const struct fh_rdata *snapshot;     /* the state before the trap, where it was needed */
    const struct fh_rdata *watched;      /* the state when invariants were last looked at */

    /* The trap being run. */
    const struct trace_line *line;
    uint64_t first_datum; /* position in the host's data oracle */
    size_t npanics;       /* panics of the model so far */
    uint64_t clearing;    /* the address that clear_pfn_host is at work on, or NOT_CLEARING */
    uint64_t cleared_pte; /* what was there */
    struct twin_cpu cpus[TWIN_CPUS];
    struct twin_write writes[TWIN_WRITES]; /* the latest ones, by number */
    uint64_t nwrites;
    struct twin_touch touches[TWIN_WRITES]; /* the latest ones */
    uint64_t ntouches;
    bool was_rewound;          /* the state is not the one behind the trap */
    size_t next_int_read;      /* where the next value from the host is looked for in the line */
    uint64_t first_core_datum; /* position in the core data oracle */
    uint64_t exit_ec;          /* guest_exit: EC before it */
    bool goes_on;              /* guest_exit: KCore handled it, the vCPU goes on */
    bool is_skipping;          /* the model looks at a page that it leaves alone */
    bool is_held;
    struct trace_effect held; /* a record that comes later than in the spec: A17 */
    uint64_t true_vcpu_state; /* REGISTER_VCPU: the vCPU's, before A13 */
    bool seems_unverified;    /* A28 */
    struct ledger *ledger;
    struct trace_effect *effects;
    size_t neffects;
    size_t size;

    /* What it may overwrite: the host's mapping of the faulting page. */
    struct {
        uint64_t gfn;
        bool pgd_t, pmd_t;
        struct fh_pt_entry entry;
        struct twin_pools pools;
    } before;
};

void twin_forget_snapshot(struct twin *twin);

/* Keep in mind what the line wrote; take back what was written behind what this line reads. */
void twin_note_writes(struct twin *twin, const struct trace_line *line);
bool twin_rewind(struct twin *twin, const struct trace_line *line);

/* The host runs a vCPU; a vCPU exits. */
enum fh_status twin_take_run(struct twin *twin, const struct trace_line *line);
enum fh_status twin_take_exit(struct twin *twin, const struct trace_line *line);

/* The next values of the data oracles for the VM that runs. */
uint64_t twin_vm_datum(struct twin *twin);
uint64_t twin_core_datum(struct twin *twin, uint64_t n);

/* Lists of effects: room for one more at `at`; one less. */
struct trace_effect *twin_insert(struct twin *twin, size_t at, enum trace_effect_kind kind,
                                 uint32_t present);
void twin_remove(struct twin *twin, size_t at);

/* All fields of a kind, for `present`. */
#define ALL_OF(kind)                                                                               \
    ((1u << (sizeof(uint8_t[]){FH_TRACE_FIELDS_##kind(COUNT_FIELD, COUNT_FIELD, 0)})) - 1)
#define COUNT_FIELD(k, format, key) 0,
#define HAS(kind, key) (1u << TRACE_AT_##kind##_##key)

/*
 * Where a machine is known to depart from the spec in what it does, not only in a value: say it in
 * the model's effects. `stuck`: the spec is undefined for this trap.
 */
void twin_deviate(struct twin *twin, bool *stuck);

/* The same, before the trap is taken: what this machine's code would see in place of the state. */
void twin_prepare(struct twin *twin);

/* Is it known that the machine crashes in this trap? */
bool twin_foresees_crash(struct twin *twin);

/* The machine does not panic where the model does: true, with what it does instead. */
bool twin_replace_panic(struct twin *twin);

/* Is the deviation in force? Then it is noted. */
static inline bool twin_admits(struct twin *twin, const char *id)
{
    return ledger_admits(twin->ledger, id, NULL);
}

/* The last function that was entered, NULL if there was none. */
const struct trace_fn *twin_last_function(const struct twin *twin);
bool twin_is_inside(const struct twin *twin, const char *function);

/* Parts of what a recorder writes, appended. */
struct trace_effect *twin_append(struct twin *twin, enum trace_effect_kind kind, uint32_t present);
void twin_append_panic(struct twin *twin);
void twin_tell_panic(struct twin *twin, size_t at);
void twin_append_host_reg(struct twin *twin, uint64_t nr, uint64_t value);
uint64_t twin_place_of(const struct twin *twin, uint64_t vmid, uint64_t ipa, bool is_block);
void twin_append_spt_mapping(struct twin *twin, uint64_t cbndx, uint64_t num, uint64_t iova,
                             uint64_t old, uint64_t pte, uint64_t next_pgd, uint64_t next_pmd);
void twin_append_new_table(struct twin *twin, const char *pool, uint64_t taken, uint64_t next,
                           const struct trace_pt_store *entry);

/* Called for every effect of the model; `context` is the twin. */
void twin_observe(void *context, const struct fh_effect *effect);

/* The number of EL2's own table. */
enum { TWIN_COREVISOR = 65 };

/* Has the model nothing to say about effects like this one of the machine? */
bool twin_is_beyond(const struct trace_effect *effect);

/* The record of a VM, to read. */
const struct fh_vminfo *twin_vminfo(const struct twin *twin, uint64_t vmid);

/* The record of the state's table of `vmid`, to read; to write. */
const struct fh_npt *twin_npt(const struct twin *twin, uint64_t vmid);
struct fh_npt *twin_edit_npt(struct twin *twin, uint64_t vmid);

/* Where an entry of a map is written; ends the program when there is no memory. */
void *twin_edit(struct twin *twin, struct fh_map *map, const struct fh_type *type, uint64_t key);
/* The record behind a reference at `place`, to be written. */
void *twin_own(struct twin *twin, void *place, const struct fh_type *type);
struct fh_rdata *twin_edit_state(struct twin *twin);

/* The tables of SMMU banks have numbers behind those of VMs. */
static inline uint64_t twin_bank(const struct fh_profile *k, uint64_t num, uint64_t cbndx)
{
    return TWIN_VMIDS + num * k->SMMU_NUM_CTXT_BANKS + cbndx;
}

/* The physical address of a bank's root, of two pages. */
static inline uint64_t twin_bank_root(const struct fh_profile *k, uint64_t num, uint64_t cbndx)
{
    return k->SMMU_POOL_START + (num * k->SMMU_NUM_CTXT_BANKS + cbndx) * 2 * k->PAGE_SIZE;
}

/* The physical address of a table page: the one of `level` ("pmd", "pte") that leads to `ipa`. */
enum twin_level { TWIN_PMD, TWIN_PTE };
uint64_t twin_table(const struct twin *twin, uint64_t vmid, enum twin_level level, uint64_t ipa);
void twin_set_table(struct twin *twin, uint64_t vmid, enum twin_level level, uint64_t ipa,
                    uint64_t address);

/* The root's entry for `ipa` is empty again, and so is all behind it. */
void twin_forget_table(struct twin *twin, uint64_t vmid, uint64_t ipa);

/* A register of a vCPU's shadow context, by its number in the spec. */
uint64_t twin_shadow_register(const struct twin *twin, uint64_t vmid, uint64_t vcpuid,
                              uint64_t index);
void twin_set_shadow_register(struct twin *twin, uint64_t vmid, uint64_t vcpuid, uint64_t index,
                              uint64_t value);
const struct fh_ctxt *twin_ctxt(const struct twin *twin, uint64_t vmid, uint64_t vcpuid);
struct fh_ctxt *twin_edit_ctxt(struct twin *twin, uint64_t vmid, uint64_t vcpuid);

/* The numbers of a trace beyond the spec's: ESR_EL2, and all general registers cleared. */
enum { TWIN_IDX_ESR = 1000, TWIN_IDX_CLEAR_GPRS = 2000 };

/* Does an effect with a `vmid` speak of a stage-2 table that the state has? */
bool twin_has_stage2(const struct twin *twin, uint64_t vmid);

#endif
