/* SPDX-License-Identifier: GPL-2.0-only */
/* Made of machines/toy/machine.yaml by scripts/compile-machines. */
/* clang-format off */
#include "tables.h"

#include "machine/machine.h"

static const struct machine_term condition_terms_0[] = {{MACHINE_TERM_value, false, UINT64_C(0), "call"}, };
static const uint64_t condition_values_0[] = {UINT64_C(0x6), };
static const struct machine_term condition_terms_1[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pools"}, };
static const uint64_t condition_values_1[] = {UINT64_C(0x1), };
static const struct machine_term condition_terms_2[] = {{MACHINE_TERM_value, false, UINT64_C(0), "el2_smmu_num"}, };
static const uint64_t condition_values_2[] = {UINT64_C(0), };
static const struct machine_term condition_terms_3[] = {{MACHINE_TERM_value, false, UINT64_C(0), "PAGE_S2_KERNEL"}, };
static const uint64_t condition_values_3[] = {UINT64_C(0xfff), };
static const struct machine_condition conditions[] = {
    {{"call", 1, condition_terms_0}, MACHINE_VALUE_is, 1, condition_values_0},
    {{"pools", 1, condition_terms_1}, MACHINE_VALUE_is, 1, condition_values_1},
    {{"el2_smmu_num", 1, condition_terms_2}, MACHINE_VALUE_is, 1, condition_values_2},
    {{"PAGE_S2_KERNEL", 1, condition_terms_3}, MACHINE_VALUE_is, 1, condition_values_3},
};

static const struct machine_term adoption_terms_0[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pool[0].page_pool_start"}, };
static const struct machine_term adoption_terms_1[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pool[0].pgd_pool"}, {MACHINE_TERM_value, true, UINT64_C(0), "pool[0].page_pool_start"}, };
static const struct machine_term adoption_terms_2[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pool[0].pud_pool"}, {MACHINE_TERM_value, true, UINT64_C(0), "pool[0].page_pool_start"}, };
static const struct machine_term adoption_terms_3[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pool[0].pmd_pool"}, {MACHINE_TERM_value, true, UINT64_C(0), "pool[0].page_pool_start"}, };
static const struct machine_term adoption_terms_4[] = {{MACHINE_TERM_value, false, UINT64_C(0), "phys_mem_start"}, };
static const struct machine_term adoption_terms_5[] = {{MACHINE_TERM_value, false, UINT64_C(0), "phys_mem_size"}, };
static const struct machine_term adoption_terms_6[] = {{MACHINE_TERM_value, false, UINT64_C(0), "next_vmid"}, };
static const struct machine_term adoption_terms_7[] = {{MACHINE_TERM_value, false, UINT64_C(0), "el2_smmu_num"}, };
static const struct machine_adoption adoptions[] = {
    {"PT_POOL_START", offsetof(struct fh_profile, PT_POOL_START), MACHINE_PLACES, {"pool[0].page_pool_start", 1, adoption_terms_0}},
    {"HOST_PGD_OFFSET", offsetof(struct fh_profile, HOST_PGD_OFFSET), MACHINE_PLACES, {"pool[0].pgd_pool - pool[0].page_pool_start", 2, adoption_terms_1}},
    {"HOST_PUD_OFFSET", offsetof(struct fh_profile, HOST_PUD_OFFSET), MACHINE_PLACES, {"pool[0].pud_pool - pool[0].page_pool_start", 2, adoption_terms_2}},
    {"HOST_PMD_OFFSET", offsetof(struct fh_profile, HOST_PMD_OFFSET), MACHINE_PLACES, {"pool[0].pmd_pool - pool[0].page_pool_start", 2, adoption_terms_3}},
    {"ram_base", 0, MACHINE_ram_base, {"phys_mem_start", 1, adoption_terms_4}},
    {"ram_size", 0, MACHINE_ram_size, {"phys_mem_size", 1, adoption_terms_5}},
    {"next_vmid", 0, MACHINE_next_vmid, {"next_vmid", 1, adoption_terms_6}},
    {"smmu_num", 0, MACHINE_smmu_num, {"el2_smmu_num", 1, adoption_terms_7}},
};

static const char *const limits[] = {
    "no VM runs, and there is no SMMU",
    "the host's registers are 0, but for those of the fault",
};

static const struct machine_entry entries[] = {
    {.id = "T1", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_integrity,
     .title = "memory without an owner is mapped as if it were RAM", .spec = "a page that nobody owns is a device's, and is mapped as one", .machine = "it gets the attributes of RAM, so that accesses to a device may be merged or repeated", .evidence = "examples/toy_hypervisor", .from = "toy", },
    {.id = "T2", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_availability,
     .title = "a panic returns", .spec = "panic halts the machine, with its locks held", .machine = "the panic is recorded, locks are given back, and the host faults again", .evidence = "examples/toy_hypervisor", .from = "toy", },
};

extern const struct machine_description machine_spec;
extern const struct machine_description machine_toy;
const struct machine_description machine_toy = {
    .name = "toy", .title = "the toy hypervisor of examples/, which maps pages for its host",
    .extends = &machine_spec,
    .profile = FH_MACHINE_PROFILE,
    .nconditions = 4,
    .conditions = conditions,
    .nadoptions = 8,
    .adoptions = adoptions,
    .nlimits = 2,
    .limits = limits,
    .nentries = 2,
    .entries = entries,
    .tables = {MACHINE_NEXT_address},
    .hypercalls = &hypercalls,
    .guest_calls = &guest_calls,
};
