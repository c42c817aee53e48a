/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_STATE_PARTS_H
#define SIM_STATE_PARTS_H

#include <faulthandler/faulthandler.h>
#include <faulthandler/tables.h>

/* Those parts of a state that replay reads and writes, by their types. */
struct state_parts {
    struct fh_state *state;
    const struct fh_profile *profile;
    const struct fh_allocator *allocator;
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

void state_parts_find(struct state_parts *parts, struct fh_state *state,
                      const struct fh_profile *profile);

/* Where an entry of a map is written; ends the program when there is no memory. */
void *parts_edit_entry(const struct state_parts *parts, struct fh_map *map,
                       const struct fh_type *type, uint64_t key);
/* The record behind a reference at `place`, to be written. */
void *parts_own(const struct state_parts *parts, void *place, const struct fh_type *type);
struct fh_rdata *parts_edit(const struct state_parts *parts);
struct fh_npt *parts_edit_npt(const struct state_parts *parts, uint64_t vmid);
const struct fh_vminfo *parts_vminfo(const struct state_parts *parts, uint64_t vmid);
struct fh_vminfo *parts_edit_vminfo(const struct state_parts *parts, uint64_t vmid);
const struct fh_s2page *parts_s2page(const struct state_parts *parts, uint64_t pfn);
/* An entry of a map of words. */
uint64_t parts_word(const struct state_parts *parts, const struct fh_map *map, uint64_t key);

/* The physical address of the root table of a VM; of a bank, which has two pages. */
uint64_t parts_root(const struct fh_profile *k, uint64_t vmid);
static inline uint64_t parts_bank_root(const struct fh_profile *k, uint64_t num, uint64_t cbndx)
{
    return k->SMMU_POOL_START + (num * k->SMMU_NUM_CTXT_BANKS + cbndx) * 2 * k->PAGE_SIZE;
}

/* Write a word of a table; nothing if the address is in no pool. */
void parts_set_word(const struct state_parts *parts, enum fh_boundary which, uint64_t pa,
                    uint64_t word);
/* The root of an SMMU's bank is all zeros again. */
void parts_clear_bank_root(const struct state_parts *parts, uint64_t num, uint64_t cbndx);

/* A register of a vCPU's shadow context, by its number in the spec; 0 for one that it lacks. */
uint64_t parts_shadow(const struct state_parts *parts, uint64_t vmid, uint64_t vcpuid,
                      uint64_t index);
void parts_set_shadow(const struct state_parts *parts, uint64_t vmid, uint64_t vcpuid,
                      uint64_t index, uint64_t value);
/* Where it stands in a context, "ctxt_states.pc"; NULL for x0 to x30, and others. */
const char *parts_shadow_place(const struct fh_profile *k, uint64_t index);
bool parts_has_shadow(const struct fh_profile *k, uint64_t index);
const struct fh_ctxt *parts_ctxt(const struct state_parts *parts, uint64_t vmid, uint64_t vcpuid);
struct fh_ctxt *parts_edit_ctxt(const struct state_parts *parts, uint64_t vmid, uint64_t vcpuid);

/* Beyond the registers' numbers: all general ones cleared at once. */
enum { IDX_CLEAR_GPRS = 2000 };

#endif
