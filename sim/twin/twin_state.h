/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TWIN_STATE_H
#define SIM_TWIN_STATE_H

#include "twin/twin.h"

#include <faulthandler/tables.h>

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

enum { TWIN_CPUS = 8, TWIN_WRITES = 4096 };

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
    bool is_lost;     /* the last return did not leave EL2: A40 */
    uint64_t lost_pc; /* where it went instead */
};
#define NOT_CLEARING UINT64_MAX

struct twin {
    struct fh_state *state;
    const struct fh_profile *profile;
    const struct fh_allocator *allocator;
    struct twin_types types;

    uint64_t ram_pfn; /* the page of index 0 */
    uint64_t ram_pages;
    bool has_host_pool; /* the boot line told of it */
    bool is_watched;    /* the maps of the abstract form are kept too, see twin_maps.c */
    const struct fh_rdata *snapshot; /* the state before the trap, where it was needed */
    struct fh_place *places;         /* watched: where the machine wrote since the last look */
    size_t nplaces, places_size;

    /* The trap being run. */
    const struct trace_line *line;
    uint64_t first_datum; /* position in the host's data oracle */
    size_t npanics;       /* panics of the model so far */
    uint64_t clearing;    /* the address that clear_pfn_host is at work on, or NOT_CLEARING */
    uint64_t cleared_pte; /* what was there */
    uint64_t mapping;     /* the address that a table is written for */
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

/* The field of struct fh_ctxt_regs that a trace's register is: "elr_el2" for "elr"; or NULL. */
const char *twin_register_field(const char *name);
/* The identifier of a lock by its name in a trace. */
uint64_t twin_lock_id(const struct fh_profile *k, const char *lock, uint64_t vmid);

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

/* Called for every effect of the model; `context` is the twin. */
void twin_observe(void *context, const struct fh_effect *effect);

/* The record of a VM, to read. */
const struct fh_vminfo *twin_vminfo(const struct twin *twin, uint64_t vmid);

/* The record of the state's table of `vmid`, to write. */
struct fh_npt *twin_edit_npt(struct twin *twin, uint64_t vmid);

/* Where an entry of a map is written; ends the program when there is no memory. */
void *twin_edit(struct twin *twin, struct fh_map *map, const struct fh_type *type, uint64_t key);
/* The record behind a reference at `place`, to be written. */
void *twin_own(struct twin *twin, void *place, const struct fh_type *type);
struct fh_rdata *twin_edit_state(struct twin *twin);

/* The physical address of the root table of a VM; of a bank, which has two pages. */
uint64_t twin_root(const struct fh_profile *k, uint64_t vmid);

static inline uint64_t twin_bank_root(const struct fh_profile *k, uint64_t num, uint64_t cbndx)
{
    return k->SMMU_POOL_START + (num * k->SMMU_NUM_CTXT_BANKS + cbndx) * 2 * k->PAGE_SIZE;
}

/* An entry of a map of words, to read. */
uint64_t twin_word_at(const struct twin *twin, const struct fh_map *map, uint64_t key);

/* Write a word of a table; nothing if the address is in no pool. */
void twin_set_word(struct twin *twin, enum fh_boundary which, uint64_t pa, uint64_t word);

/* The root of an SMMU's bank is all zeros again. */
void twin_clear_bank_root(struct twin *twin, uint64_t num, uint64_t cbndx);

/*
 * The maps of the abstract form beside the words, in a twin that is watched: what the line's
 * recorded descriptors mean for them.
 */
void twin_follow_maps(struct twin *twin, const struct trace_line *line);

/* A register of a vCPU's shadow context, by its number in the spec. */
uint64_t twin_shadow_register(const struct twin *twin, uint64_t vmid, uint64_t vcpuid,
                              uint64_t index);
void twin_set_shadow_register(struct twin *twin, uint64_t vmid, uint64_t vcpuid, uint64_t index,
                              uint64_t value);
/* Where it stands in a context, "ctxt_states.pc"; NULL for x0 to x30, and others. */
const char *twin_shadow_place(const struct fh_profile *k, uint64_t index);
const struct fh_ctxt *twin_ctxt(const struct twin *twin, uint64_t vmid, uint64_t vcpuid);
struct fh_ctxt *twin_edit_ctxt(struct twin *twin, uint64_t vmid, uint64_t vcpuid);

/* The numbers of a trace beyond the spec's: ESR_EL2, and all general registers cleared. */
enum { TWIN_IDX_ESR = 1000, TWIN_IDX_CLEAR_GPRS = 2000 };

#endif
