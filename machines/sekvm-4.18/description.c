/* SPDX-License-Identifier: GPL-2.0-only */
/* Made of machines/sekvm-4.18/machine.yaml by scripts/compile-machines. */
/* clang-format off */
#include "tables.h"

#include "machine/machine.h"

static const struct machine_term condition_terms_0[] = {{MACHINE_TERM_value, false, UINT64_C(0), "call"}, };
static const uint64_t condition_values_0[] = {UINT64_C(0x6), };
static const struct machine_term condition_terms_1[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pools"}, };
static const uint64_t condition_values_1[] = {UINT64_C(0x42), };
static const struct machine_term condition_terms_2[] = {{MACHINE_TERM_value, false, UINT64_C(0), "PAGE_S2_KERNEL"}, };
static const uint64_t condition_values_2[] = {UINT64_C(0xfff), UINT64_C(0x7ff), };
static const struct machine_term condition_terms_3[] = {{MACHINE_TERM_value, false, UINT64_C(0), "PAGE_S2_DEVICE"}, };
static const uint64_t condition_values_3[] = {UINT64_C(0x40000000000747), };
static const struct machine_term condition_terms_4[] = {{MACHINE_TERM_value, false, UINT64_C(0), "PAGE_HYP"}, };
static const uint64_t condition_values_4[] = {UINT64_C(0x40000000000753), };
static const struct machine_term condition_terms_5[] = {{MACHINE_TERM_value, false, UINT64_C(0), "S2_RDWR"}, };
static const uint64_t condition_values_5[] = {UINT64_C(0xc0), };
static const struct machine_term condition_terms_6[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pool[1].pgd_pool"}, {MACHINE_TERM_value, true, UINT64_C(0), "pool[1].page_pool_start"}, };
static const uint64_t condition_values_6[] = {UINT64_C(0x2000), };
static const struct machine_term condition_terms_7[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pool[1].pud_pool"}, {MACHINE_TERM_value, true, UINT64_C(0), "pool[1].pgd_pool"}, };
static const uint64_t condition_values_7[] = {UINT64_C(0x10000), };
static const struct machine_term condition_terms_8[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pool[1].pmd_pool"}, {MACHINE_TERM_value, true, UINT64_C(0), "pool[1].pud_pool"}, };
static const uint64_t condition_values_8[] = {UINT64_C(0x1ee000), };
static const struct machine_term condition_terms_9[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pool[0].pud_pool"}, {MACHINE_TERM_value, true, UINT64_C(0), "pool[0].pgd_pool"}, };
static const uint64_t condition_values_9[] = {UINT64_C(0x80000), };
static const struct machine_term condition_terms_10[] = {{MACHINE_TERM_value, false, UINT64_C(0), "s2_sys_reg_desc[26]"}, };
static const struct machine_term condition_terms_11[] = {{MACHINE_TERM_value, false, UINT64_C(0), "s2_sys_reg_desc[27]"}, };
static const struct machine_condition conditions[] = {
    {{"call", 1, condition_terms_0}, MACHINE_VALUE_is, 1, condition_values_0},
    {{"pools", 1, condition_terms_1}, MACHINE_VALUE_is, 1, condition_values_1},
    {{"PAGE_S2_KERNEL", 1, condition_terms_2}, MACHINE_VALUE_is, 2, condition_values_2},
    {{"PAGE_S2_DEVICE", 1, condition_terms_3}, MACHINE_VALUE_is, 1, condition_values_3},
    {{"PAGE_HYP", 1, condition_terms_4}, MACHINE_VALUE_is, 1, condition_values_4},
    {{"S2_RDWR", 1, condition_terms_5}, MACHINE_VALUE_is, 1, condition_values_5},
    {{"pool[1].pgd_pool - pool[1].page_pool_start", 2, condition_terms_6}, MACHINE_VALUE_is, 1, condition_values_6},
    {{"pool[1].pud_pool - pool[1].pgd_pool", 2, condition_terms_7}, MACHINE_VALUE_is, 1, condition_values_7},
    {{"pool[1].pmd_pool - pool[1].pud_pool", 2, condition_terms_8}, MACHINE_VALUE_is, 1, condition_values_8},
    {{"pool[0].pud_pool - pool[0].pgd_pool", 2, condition_terms_9}, MACHINE_VALUE_is, 1, condition_values_9},
    {{"s2_sys_reg_desc[26]", 1, condition_terms_10}, MACHINE_VALUE_there, 0, NULL},
    {{"s2_sys_reg_desc[27]", 1, condition_terms_11}, MACHINE_VALUE_absent, 0, NULL},
};

static const struct machine_term adoption_terms_0[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pool[0].page_pool_start"}, };
static const struct machine_term adoption_terms_1[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pool[0].pgd_pool"}, {MACHINE_TERM_value, true, UINT64_C(0), "pool[0].page_pool_start"}, };
static const struct machine_term adoption_terms_2[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pool[0].pud_pool"}, {MACHINE_TERM_value, true, UINT64_C(0), "pool[0].page_pool_start"}, };
static const struct machine_term adoption_terms_3[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pool[0].pmd_pool"}, {MACHINE_TERM_value, true, UINT64_C(0), "pool[0].page_pool_start"}, };
static const struct machine_term adoption_terms_4[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pool[1].page_pool_start"}, {MACHINE_TERM_value, true, UINT64_C(0), "pool[0].page_pool_start"}, };
static const struct machine_term adoption_terms_5[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pool[2].page_pool_start"}, {MACHINE_TERM_value, true, UINT64_C(0), "pool[1].page_pool_start"}, };
static const struct machine_term adoption_terms_6[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pool[1].pgd_pool"}, {MACHINE_TERM_value, true, UINT64_C(0), "pool[1].page_pool_start"}, };
static const struct machine_term adoption_terms_7[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pool[1].pud_pool"}, {MACHINE_TERM_value, true, UINT64_C(0), "pool[1].page_pool_start"}, };
static const struct machine_term adoption_terms_8[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pool[1].pmd_pool"}, {MACHINE_TERM_value, true, UINT64_C(0), "pool[1].page_pool_start"}, };
static const struct machine_term adoption_terms_9[] = {{MACHINE_TERM_value, false, UINT64_C(0), "pool[COREVISOR].page_pool_start"}, };
static const struct machine_term adoption_terms_10[] = {{MACHINE_TERM_value, false, UINT64_C(0), "smmu_page_pool_start"}, };
static const struct machine_term adoption_terms_11[] = {{MACHINE_TERM_value, false, UINT64_C(0), "page_pool_start"}, };
static const struct machine_term adoption_terms_12[] = {{MACHINE_TERM_value, false, UINT64_C(0), "smmu_pgd_pool"}, };
static const struct machine_term adoption_terms_13[] = {{MACHINE_TERM_value, false, UINT64_C(0), "smmu_pmd_pool"}, };
static const struct machine_term adoption_terms_14[] = {{MACHINE_TERM_value, false, UINT64_C(0), "smmu_page_pool_start"}, {MACHINE_TERM_number, false, UINT64_C(0x3000000), NULL}, };
static const struct machine_term adoption_terms_15[] = {{MACHINE_TERM_value, false, UINT64_C(0), "PAGE_S2_KERNEL"}, };
static const struct machine_term adoption_terms_16[] = {{MACHINE_TERM_value, false, UINT64_C(0), "phys_mem_start"}, };
static const struct machine_term adoption_terms_17[] = {{MACHINE_TERM_value, false, UINT64_C(0), "phys_mem_size"}, };
static const struct machine_term adoption_terms_18[] = {{MACHINE_TERM_value, false, UINT64_C(0), "next_vmid"}, };
static const struct machine_term adoption_terms_19[] = {{MACHINE_TERM_constant, false, UINT64_C(0), "REMAP_START"}, {MACHINE_TERM_value, false, UINT64_C(0), "last_remap_ptr"}, };
static const struct machine_term adoption_terms_20[] = {{MACHINE_TERM_value, false, UINT64_C(0), "el2_data_hyp_va"}, {MACHINE_TERM_number, false, UINT64_C(0x10000470), NULL}, };
static const struct machine_term adoption_terms_21[] = {{MACHINE_TERM_number, false, UINT64_C(0x8d0), NULL}, };
static const struct machine_term adoption_terms_22[] = {{MACHINE_TERM_value, false, UINT64_C(0), "el2_smmu_num"}, };
static const struct machine_term adoption_terms_23[] = {{MACHINE_TERM_value, false, UINT64_C(0), "smmu{i}.phys_base"}, };
static const struct machine_term adoption_terms_24[] = {{MACHINE_TERM_value, false, UINT64_C(0), "smmu{i}.size"}, };
static const struct machine_term adoption_terms_25[] = {{MACHINE_TERM_value, false, UINT64_C(0), "smmu{i}.pgshift"}, };
static const struct machine_term adoption_terms_26[] = {{MACHINE_TERM_value, false, UINT64_C(0), "smmu{i}.num_context_banks"}, };
static const struct machine_term adoption_terms_27[] = {{MACHINE_TERM_value, false, UINT64_C(0), "smmu{i}.hyp_base"}, };
static const struct machine_term adoption_terms_28[] = {{MACHINE_TERM_value, false, UINT64_C(0), "smmu_cfg[{i}].vmid"}, };
static const struct machine_term adoption_terms_29[] = {{MACHINE_TERM_value, false, UINT64_C(0), "smmu_cfg[{i}].hw_ttbr"}, };
static const struct machine_term adoption_terms_30[] = {{MACHINE_TERM_value, false, UINT64_C(0), "s2_sys_reg_desc[{i}]"}, };
static const struct machine_term adoption_terms_31[] = {{MACHINE_TERM_value, false, UINT64_C(0), "s2_sys_reg_desc[{i}].reg"}, };
static const struct machine_term adoption_terms_32[] = {{MACHINE_TERM_value, false, UINT64_C(0), "corevisor_table_entry"}, };
static const struct machine_adoption adoptions[] = {
    {"PT_POOL_START", offsetof(struct fh_profile, PT_POOL_START), MACHINE_PLACES, {"pool[0].page_pool_start", 1, adoption_terms_0}},
    {"HOST_PGD_OFFSET", offsetof(struct fh_profile, HOST_PGD_OFFSET), MACHINE_PLACES, {"pool[0].pgd_pool - pool[0].page_pool_start", 2, adoption_terms_1}},
    {"HOST_PUD_OFFSET", offsetof(struct fh_profile, HOST_PUD_OFFSET), MACHINE_PLACES, {"pool[0].pud_pool - pool[0].page_pool_start", 2, adoption_terms_2}},
    {"HOST_PMD_OFFSET", offsetof(struct fh_profile, HOST_PMD_OFFSET), MACHINE_PLACES, {"pool[0].pmd_pool - pool[0].page_pool_start", 2, adoption_terms_3}},
    {"HOST_POOL_SIZE", offsetof(struct fh_profile, HOST_POOL_SIZE), MACHINE_PLACES, {"pool[1].page_pool_start - pool[0].page_pool_start", 2, adoption_terms_4}},
    {"PT_POOL_PER_VM", offsetof(struct fh_profile, PT_POOL_PER_VM), MACHINE_PLACES, {"pool[2].page_pool_start - pool[1].page_pool_start", 2, adoption_terms_5}},
    {"PGD_OFFSET", offsetof(struct fh_profile, PGD_OFFSET), MACHINE_PLACES, {"pool[1].pgd_pool - pool[1].page_pool_start", 2, adoption_terms_6}},
    {"PUD_OFFSET", offsetof(struct fh_profile, PUD_OFFSET), MACHINE_PLACES, {"pool[1].pud_pool - pool[1].page_pool_start", 2, adoption_terms_7}},
    {"PMD_OFFSET", offsetof(struct fh_profile, PMD_OFFSET), MACHINE_PLACES, {"pool[1].pmd_pool - pool[1].page_pool_start", 2, adoption_terms_8}},
    {"COREVISOR_POOL_START", offsetof(struct fh_profile, COREVISOR_POOL_START), MACHINE_PLACES, {"pool[COREVISOR].page_pool_start", 1, adoption_terms_9}},
    {"PT_POOL_END", offsetof(struct fh_profile, PT_POOL_END), MACHINE_PLACES, {"smmu_page_pool_start", 1, adoption_terms_10}},
    {"SMMU_POOL_START", offsetof(struct fh_profile, SMMU_POOL_START), MACHINE_PLACES, {"page_pool_start", 1, adoption_terms_11}},
    {"SMMU_PGD_START", offsetof(struct fh_profile, SMMU_PGD_START), MACHINE_PLACES, {"smmu_pgd_pool", 1, adoption_terms_12}},
    {"SMMU_PMD_START", offsetof(struct fh_profile, SMMU_PMD_START), MACHINE_PLACES, {"smmu_pmd_pool", 1, adoption_terms_13}},
    {"SMMU_POOL_END", offsetof(struct fh_profile, SMMU_POOL_END), MACHINE_PLACES, {"smmu_page_pool_start + 0x3000000", 2, adoption_terms_14}},
    {"PAGE_S2_KERNEL", offsetof(struct fh_profile, PAGE_S2_KERNEL), MACHINE_PLACES, {"PAGE_S2_KERNEL", 1, adoption_terms_15}},
    {"ram_base", 0, MACHINE_ram_base, {"phys_mem_start", 1, adoption_terms_16}},
    {"ram_size", 0, MACHINE_ram_size, {"phys_mem_size", 1, adoption_terms_17}},
    {"next_vmid", 0, MACHINE_next_vmid, {"next_vmid", 1, adoption_terms_18}},
    {"next_remap_ptr", 0, MACHINE_next_remap_ptr, {"constants.REMAP_START + last_remap_ptr", 2, adoption_terms_19}},
    {"vcpu_contexts", 0, MACHINE_vcpu_contexts, {"el2_data_hyp_va + 0x10000470", 2, adoption_terms_20}},
    {"vcpu_context_size", 0, MACHINE_vcpu_context_size, {"0x8d0", 1, adoption_terms_21}},
    {"smmu_num", 0, MACHINE_smmu_num, {"el2_smmu_num", 1, adoption_terms_22}},
    {"smmu_phys_base", 0, MACHINE_smmu_phys_base, {"smmu{i}.phys_base", 1, adoption_terms_23}},
    {"smmu_size", 0, MACHINE_smmu_size, {"smmu{i}.size", 1, adoption_terms_24}},
    {"smmu_pgshift", 0, MACHINE_smmu_pgshift, {"smmu{i}.pgshift", 1, adoption_terms_25}},
    {"smmu_context_banks", 0, MACHINE_smmu_context_banks, {"smmu{i}.num_context_banks", 1, adoption_terms_26}},
    {"smmu_hyp_base", 0, MACHINE_smmu_hyp_base, {"smmu{i}.hyp_base", 1, adoption_terms_27}},
    {"bank_vmid", 0, MACHINE_bank_vmid, {"smmu_cfg[{i}].vmid", 1, adoption_terms_28}},
    {"bank_ttbr", 0, MACHINE_bank_ttbr, {"smmu_cfg[{i}].hw_ttbr", 1, adoption_terms_29}},
    {"reset_value", 0, MACHINE_reset_value, {"s2_sys_reg_desc[{i}]", 1, adoption_terms_30}},
    {"reset_register", 0, MACHINE_reset_register, {"s2_sys_reg_desc[{i}].reg", 1, adoption_terms_31}},
    {"table_word", 0, MACHINE_table_word, {"corevisor_table_entry", 1, adoption_terms_32}},
};

static const struct machine_register registers[] = {
    {"ESR_EL2", 72, 1000},
    {"MPIDR_EL1", 47, 48},
    {"CSSELR_EL1", 48, 49},
    {"SCTLR_EL1", 49, 50},
    {"ACTLR_EL1", 50, 51},
    {"CPACR_EL1", 51, 52},
    {"TTBR0_EL1", 52, 53},
    {"TTBR1_EL1", 53, 54},
    {"TCR_EL1", 54, 55},
    {"ESR_EL1", 55, 56},
    {"AFSR0_EL1", 56, 57},
    {"AFSR1_EL1", 57, 58},
    {"FAR_EL1", 58, 59},
    {"MAIR_EL1", 59, 60},
    {"VBAR_EL1", 60, 61},
    {"CONTEXTIDR_EL1", 61, 62},
    {"TPIDR_EL0", 62, 63},
    {"TPIDRRO_EL0", 63, 64},
    {"TPIDR_EL1", 64, 65},
    {"AMAIR_EL1", 65, 66},
    {"CNTKCTL_EL1", 66, 67},
    {"PAR_EL1", 67, 68},
    {"MDSCR_EL1", 68, 69},
    {"MDCCINT_EL1", 69, 70},
    {"ELR_EL2", 70, 71},
};

static const struct machine_setting rule_when_0[] = {{TRACE_AT_s2_read_index, {MACHINE_number, UINT64_C(0xffffffffffffffff), NULL, 0, 0}}, };
static const struct machine_setting rule_says_0[] = {{TRACE_AT_s2_read_gfn, {MACHINE_number, UINT64_C(0), NULL, 0, 0}}, };
static const struct machine_rule rules[] = {
    {.id = "L3", .why = "of a page outside of memory the recorder reads no record: it writes guest page 0, where get_pfn_map answers INVALID64", .kind = MACHINE_RULE_says, .what = {TRACE_s2_read, NULL, 1, rule_when_0}, .nsettings = 1, .settings = rule_says_0, .fields = 0, .is_all = false, .anchor = {TRACE_lock, NULL, 0, NULL}},
};

static const struct machine_setting exclusion_when_4[] = {{TRACE_AT_mmio_write, {MACHINE_number, UINT64_C(0), NULL, 0, 0}}, };
static const struct machine_exclusion exclusions[] = {
    {.why = "a symbol of the kernel, other in every build", .part = MACHINE_PART_effect, .kinds = 0x1f, .at_entry = true, .at_exit = true, .registers = 0, .gprs = 0, .what = {TRACE_panic, NULL, 0, NULL}, .fields = 0 | 1u << TRACE_AT_panic_caller},
    {.why = "a name for people, the number is compared", .part = MACHINE_PART_effect, .kinds = 0x1f, .at_entry = true, .at_exit = true, .registers = 0, .gprs = 0, .what = {TRACE_shadow_set, NULL, 0, NULL}, .fields = 0 | 1u << TRACE_AT_shadow_set_reg},
    {.why = "what stands in memory that the host can write, and may have written since", .part = MACHINE_PART_effect, .kinds = 0x1f, .at_entry = true, .at_exit = true, .registers = 0, .gprs = 0, .what = {TRACE_int_gpr_set, NULL, 0, NULL}, .fields = 0 | 1u << TRACE_AT_int_gpr_set_old},
    {.why = "how the kernel got the value, which is compared", .part = MACHINE_PART_effect, .kinds = 0x1f, .at_entry = true, .at_exit = true, .registers = 0, .gprs = 0, .what = {TRACE_mmio, NULL, 0, NULL}, .fields = 0 | 1u << TRACE_AT_mmio_write_val},
    {.why = "what the device answers: an input of the model", .part = MACHINE_PART_effect, .kinds = 0x1f, .at_entry = true, .at_exit = true, .registers = 0, .gprs = 0, .what = {TRACE_mmio, NULL, 1, exclusion_when_4}, .fields = 0 | 1u << TRACE_AT_mmio_val},
    {.why = "what the host wrote into memory that it shares: an input of the model", .part = MACHINE_PART_effect, .kinds = 0x1f, .at_entry = true, .at_exit = true, .registers = 0, .gprs = 0, .what = {TRACE_int_read, NULL, 0, NULL}, .fields = 0 | 1u << TRACE_AT_int_read_val},
    {.why = "whether the signature was right: an input of the model", .part = MACHINE_PART_effect, .kinds = 0x1f, .at_entry = true, .at_exit = true, .registers = 0, .gprs = 0, .what = {TRACE_verify, NULL, 0, NULL}, .fields = 0 | 1u << TRACE_AT_verify_ed25519},
};

static const char *const limits[] = {
    "page contents are not recorded, but for pages that are cleared; neither are cipher results",
    "EL1, GIC, timer and floating-point registers are not recorded",
    "the recorded board has no SMMU: registers remember what was written, no device walks a table",
    "the images that were recorded have no right signature, so that no trace shows one accepted",
    "what LOAD_CRYPT_VCPU and SAVE_CRYPT_VCPU write to the host is not recorded",
    "all traces come from QEMU's Cortex-A57, whose registers lack later extensions' bits",
};

static const struct machine_halt halts_26[] = {
    {.function = "assign_pfn_to_vm", .condition = "owner == vmid", },
};

static const struct machine_halt halts_32[] = {
    {.function = "alloc_pgd_page", .condition = "has_page", },
    {.function = "alloc_pud_page", .condition = "has_page", },
    {.function = "alloc_pmd_page", .condition = "has_page", },
};

static const struct machine_halt halts_45[] = {
    {.function = "__handle_smmu_read", .condition = "len", },
    {.function = "__handle_smmu_write", .condition = "len", },
};

static const struct machine_halt halts_46[] = {
    {.function = "handle_smmu_write", },
};

static const struct machine_halt halts_57[] = {
    {.function = "reset_gp_regs", },
};

static const struct machine_halt halts_58[] = {
    {.function = "set_vcpu_active", },
};

static const struct machine_halt halts_62[] = {
    {.function = "alloc_remap_addr", },
};

static const struct machine_halt halts_65[] = {
    {.function = "map_page_host", },
};

static const struct machine_halt halts_78[] = {
    {.function = "alloc_pgd_page", .condition = "fits", },
};

static const struct machine_entry entries[] = {
    {.id = "clear_vm_page", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "a page that is given back is unmapped for the host", .spec = "leaves the host's table alone", .machine = "takes the page out of the host's table first, and halts where that does", .evidence = "scenarios/semantics/good_code_clear_vm_page_unmaps_it_for_the_host.yaml", .from = "bodies", },
    {.id = "assign_pfn_to_vm", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "a page is unmapped for the host before its record is written", .spec = "writes the record, then unmaps the page for the host: if that halts, the record names the VM", .machine = "unmaps first: if that halts, the record names the host", .evidence = "scenarios/semantics/bad_code_assign_pfn_to_vm_halts_with_the_record_unchanged.yaml", .from = "bodies", },
    {.id = "assign_pfn_to_smmu", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "what the host left in a page is not taken over", .spec = "takes over what the host left in the page, a value of the data oracle", .machine = "does not ask for it", .evidence = "scenarios/semantics/good_code_assign_pfn_to_smmu_leaves_the_contents.yaml", .from = "bodies", },
    {.id = "assign_smmu", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "pages go to a device before the VM is verified, not after", .spec = "assigns pages of a VM that is VERIFIED, halts for any other", .machine = "assigns pages of any other VM, halts for one that is VERIFIED", .evidence = "scenarios/semantics/bad_code_assign_smmu_after_the_vm_is_verified.yaml", .from = "bodies", },
    {.id = "el2_alloc_smmu_pgd", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "a table for a device is emptied, which looks at the VM", .spec = "does not look at the VM's state", .machine = "empties the table through alloc_smmu: halts for a VM that is VERIFIED", .evidence = "scenarios/semantics/bad_code_el2_alloc_smmu_pgd_for_a_verified_vm.yaml", .from = "bodies", },
    {.id = "reset_sys_regs", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "where reset values of system registers go", .spec = "writes them to x1 to x24", .machine = "writes them behind SYSREGS_START, each one behind its own: MPIDR_EL1's ends up in CSSELR_EL1", .evidence = "scenarios/semantics/good_code_reset_sys_regs_is_one_register_off.yaml", .from = "bodies", },
    {.id = "sync_dirty_to_shadow", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "each dirty register gets its own value", .spec = "gives all dirty registers the first of the host's values", .machine = "gives each its own", .evidence = "scenarios/semantics/good_code_sync_dirty_to_shadow_uses_a_value_each.yaml", .from = "bodies", },
    {.id = "prep_abort", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "a device access reads the syndrome", .spec = "looks at the syndrome", .machine = "counts it as read; the dirty bit of register 31 comes with all bits above it", .evidence = "scenarios/semantics/good_code_prep_abort_reads_the_syndrome.yaml", .from = "bodies", },
    {.id = "restore_shadow_kvm_regs", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "what a vCPU is entered with", .spec = "loses PSTATE, SPSR_0 and ESR_EL1 of an injected exception when the pc is stepped too; maps a faulting page at any address but 0", .machine = "keeps them; maps from PAGE_SIZE on; a VM that goes on from an encrypted image keeps its registers; pc + 4 wraps", .evidence = "scenarios/semantics/good_code_restore_shadow_kvm_regs_keeps_an_exception.yaml", .from = "bodies", },
    {.id = "restore_vm", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "the VM's number is checked as if it were the vCPU's", .spec = "checks the number of the vCPU", .machine = "checks the number of the VM instead: VMs from 8 on halt, and a vCPU out of range makes it stuck", .evidence = "scenarios/semantics/bad_code_restore_vm_refuses_vm_9.yaml", .from = "bodies", },
    {.id = "host_hvc_dispatcher", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "other numbers for registering", .spec = "registers VMs and vCPUs by their numbers in the constants, 24 and 25", .machine = "registers them by 26 and 27, which the constants have for encrypting and decrypting buffers; CLEAR_VM_S2_RANGE takes sizes below 2^40, the spec below 2^48", .evidence = "scenarios/semantics/good_code_host_hvc_dispatcher_registers_at_other_numbers.yaml", .from = "bodies", },
    {.id = "A1", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_availability,
     .title = "a panic returns", .spec = "panic halts the machine: what follows does nothing, locks stay taken", .machine = "v_panic prints and returns: what follows is done, locks are given back, the trap ends", .evidence = "08_smmu_host_mmio_hvc#2785", .from = "sekvm-4.18", },
    {.id = "A2", .kind = MACHINE_IS_number, .harm = MACHINE_HARM_none,
     .title = "hypercalls have other numbers", .spec = "the numbers are placeholders, 11 to 29", .machine = "the numbers are those of the kernel's headers", .evidence = "constants", .from = "sekvm-4.18", },
    {.id = "A3", .kind = MACHINE_IS_number, .harm = MACHINE_HARM_none,
     .title = "HPFAR_EL2 is masked in another way", .spec = "16 bits of HPFAR_EL2 are taken, its low four included", .machine = "all but the low four bits are taken", .evidence = "constants", .from = "sekvm-4.18", },
    {.id = "A4", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "a vCPU's run takes its arguments from x1 and x2", .spec = "restore_vm takes the VM's number from the host's x0, the vCPU's from an oracle", .machine = "x0 is the hypercall's number, x1 the VM, x2 the vCPU", .evidence = "02_vm1_one_vcpu#10155", .from = "sekvm-4.18", },
    {.id = "A5", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_integrity,
     .title = "hypercall arguments are not checked", .spec = "an argument out of range halts the machine before anything is done", .machine = "the function begins; what it finds beyond its tables it uses", .evidence = "08_smmu_host_mmio_hvc#2911", .from = "sekvm-4.18", },
    {.id = "A6", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "an unknown hypercall panics", .spec = "an unknown hypercall does nothing", .machine = "v_panic, which returns", .evidence = "10_fuzz_vm_mgmt_hvc#21592", .from = "sekvm-4.18", },
    {.id = "A7", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "more hypercalls return a value", .spec = "only REGISTER_KVM and IOVA_TO_PHYS change the host's x0", .machine = "SET_BOOT_INFO returns the image's number, VERIFY_VM_IMAGES 1, REGISTER_VCPU 0", .evidence = "02_vm1_one_vcpu#10106", .from = "sekvm-4.18", },
    {.id = "A8", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "a VM's hypercall takes its arguments from x1 and x2", .spec = "core_handle_pvops reads address and size from x2 and x3, and returns 0 if it handled the call", .machine = "they are in x1 and x2, and the result is 1 if it did", .evidence = "02_vm1_one_vcpu#10156", .from = "sekvm-4.18", },
    {.id = "A9", .kind = MACHINE_IS_number, .harm = MACHINE_HARM_none,
     .title = "there are other numbers of VMs and vCPUs", .spec = "15 VMs of 8 vCPUs, KCore itself is VM 16", .machine = "56 VMs of 4 vCPUs, KCore itself is VM 65", .evidence = "constants", .from = "sekvm-4.18", },
    {.id = "A10", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_integrity,
     .title = "VM numbers run out at MAX_VM_NUM", .spec = "gen_vmid halts at COREVISOR, the number of the last VM + 1", .machine = "gen_vmid panics at MAX_VM_NUM (56) and returns it, without counting it", .evidence = "15d_vmid_exhaustion#1786", .from = "sekvm-4.18", },
    {.id = "A11", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "switching off has no effect", .spec = "SYSTEM_OFF makes the VM's state POWEROFF", .machine = "it stores 0 in a flag that is 0", .evidence = "02_vm1_one_vcpu#11520", .from = "sekvm-4.18", },
    {.id = "A12", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_integrity,
     .title = "a running VM counts as powered off", .spec = "memory and SMMU tables are given back only when the VM is in state POWEROFF", .machine = "the flag that is looked at is never set: they are given back at any time", .evidence = "02_vm1_one_vcpu#11533", .from = "sekvm-4.18", },
    {.id = "A13", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_integrity,
     .title = "a vCPU is registered again, or too late", .spec = "register_vcpu halts unless the VM is READY and the vCPU unused", .machine = "one of the two is enough", .evidence = "10_fuzz_vm_mgmt_hvc#21569", .from = "sekvm-4.18", },
    {.id = "A14", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_availability,
     .title = "addresses for images advance by REMAP_START too much", .spec = "the next address is the last one plus the pages", .machine = "the sum is stored with REMAP_START in it, which the next reading adds again", .evidence = "02_vm1_one_vcpu#10131", .from = "sekvm-4.18", },
    {.id = "A15", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_integrity,
     .title = "signatures are not enforced", .spec = "an image that fails its check halts", .machine = "the signature is computed and ignored", .evidence = "02_vm1_one_vcpu#10146", .from = "sekvm-4.18", },
    {.id = "A16", .kind = MACHINE_IS_consequence, .harm = MACHINE_HARM_confidentiality,
     .title = "another VM's page is mapped", .spec = "assign_pfn_to_vm halts on a page of another VM", .machine = "panic, which returns: the page is then mapped for this VM", .follows = "A1", .nhalts = 1, .halts = halts_26, .evidence = "10_fuzz_vm_mgmt_hvc#22015", .from = "sekvm-4.18", },
    {.id = "A17", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "a page is taken from the host before its record is complete", .spec = "assign_pfn_to_vm sets owner and guest page, then clears the host's mapping", .machine = "the owner is set, the mapping cleared, then the guest page set", .evidence = "02_vm1_one_vcpu#10146", .from = "sekvm-4.18", },
    {.id = "A18", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "a mapping that was cleared is cleared again", .spec = "clear_pfn_host does nothing where there is no physical page", .machine = "any descriptor but 0 is overwritten: one that was cleared keeps its mark", .evidence = "02_vm1_one_vcpu#10213", .from = "sekvm-4.18", },
    {.id = "A19", .kind = MACHINE_IS_number, .harm = MACHINE_HARM_none,
     .title = "leaves are marked", .spec = "a descriptor has no marks", .machine = "bit 56 is set in pages and bit 55 in blocks, in entries that were cleared too", .evidence = "constants", .from = "sekvm-4.18", },
    {.id = "A20", .kind = MACHINE_IS_number, .harm = MACHINE_HARM_none,
     .title = "attributes depend on how the kernel was built", .spec = "PAGE_S2_KERNEL is 0xfff", .machine = "it is 0xfff because the kernel is mapped apart from user space", .evidence = "the boot record", .from = "sekvm-4.18", },
    {.id = "A21", .kind = MACHINE_IS_number, .harm = MACHINE_HARM_none,
     .title = "stage-2 tables have three levels", .spec = "four levels, with a pool for the second", .machine = "three levels below a root of 1024 entries; EL2's own table has four", .evidence = "constants", .from = "sekvm-4.18", },
    {.id = "A22", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_integrity,
     .title = "an empty table pool yields the page behind it", .spec = "no table page left halts, nothing is mapped", .machine = "panic, which returns, and the page behind the pool is used each time, without counting it. Behind a VM's pgd pool lies its own pud pool, which three levels do not use: all further GiB of the VM share one table page, and the mapping of one replaces that of another. Behind its pmd pool lies the root of the next VM (behind the last VM's the SMMUs' pgd pool, behind the host's the root of VM 1): the VM's leaves are written into the other's root", .follows = "A1", .nhalts = 3, .halts = halts_32, .evidence = "15f_pool_exhaustion_pmd#3266", .from = "sekvm-4.18", },
    {.id = "A23", .kind = MACHINE_IS_consequence, .harm = MACHINE_HARM_none,
     .title = "a table or a block in the way panics", .spec = "a page below a block halts; a block in place of a table overwrites its entries", .machine = "panic in both directions, and nothing is written", .follows = "A1, E4", .evidence = "source", .from = "sekvm-4.18", },
    {.id = "A24", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "a page that is given back has guest page 0", .spec = "clear_vm_page sets the guest page to pfn + SMMU_HOST_OFFSET", .machine = "it is set to 0", .evidence = "02_vm1_one_vcpu#11533", .from = "sekvm-4.18", },
    {.id = "A25", .kind = MACHINE_IS_number, .harm = MACHINE_HARM_none,
     .title = "pages of the host begin with guest page 0", .spec = "a page of the host has guest page pfn + SMMU_HOST_OFFSET", .machine = "it is 0", .evidence = "the boot record", .from = "sekvm-4.18", },
    {.id = "A26", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "device memory may be mapped for devices", .spec = "update_smmu_page halts unless the page is the owner's at this guest page", .machine = "memory without an owner is mapped", .evidence = "08_smmu_host_mmio_hvc#2939", .from = "sekvm-4.18", },
    {.id = "A27", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "a page that is the VM's already panics for its device", .spec = "assign_pfn_to_smmu leaves the VM's own page alone, and halts on one without an owner", .machine = "it panics on the VM's own page, and leaves one without an owner alone", .evidence = "09_smmu_vm_domains#1774", .from = "sekvm-4.18", },
    {.id = "A28", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_integrity,
     .title = "a verified VM's pages still go to its device", .spec = "assign_smmu halts when the VM is VERIFIED (so its body; the spec halts when it is not)", .machine = "it panics, then assigns the page all the same", .evidence = "10_fuzz_vm_mgmt_hvc#22034", .from = "sekvm-4.18", },
    {.id = "A29", .kind = MACHINE_IS_number, .harm = MACHINE_HARM_none,
     .title = "SMMU descriptors have other attributes", .spec = "bit 16 is added to address and permissions", .machine = "access flag, shareability and the type of a page are added", .evidence = "constants", .from = "sekvm-4.18", },
    {.id = "A30", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_integrity,
     .title = "16 bits of the virtual address select an SMMU's register", .spec = "the address is the page of HPFAR_EL2 and 12 bits of FAR_EL2", .machine = "the SMMU's base and 16 bits of FAR_EL2, which the host chooses", .evidence = "18_smp3_host_faults", .from = "sekvm-4.18", },
    {.id = "A31", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "CBAR0 is checked", .spec = "the register at offset 0x1000 counts as one of GR0, where every write is allowed", .machine = "it is the first of GR1: a write that makes the bank translate at stage 1 only is refused", .evidence = "08_smmu_host_mmio_hvc#5478", .from = "sekvm-4.18", },
    {.id = "A32", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_integrity,
     .title = "CBAR of a bank that nobody owns or that does not exist", .spec = "the spec is undefined: the owner has to be a VM's number", .machine = "the write is refused or not, as the owner says that stands there, if need be behind the table", .evidence = "08_smmu_host_mmio_hvc#2808", .from = "sekvm-4.18", },
    {.id = "A33", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_integrity,
     .title = "TTBR0 of a context bank takes the host's lower half", .spec = "KCore's own value goes to TTBR0, whatever the host writes", .machine = "a write of 4 bytes passes the host's value on; only one of 8 bytes is replaced", .evidence = "08_smmu_host_mmio_hvc#2813", .from = "sekvm-4.18", },
    {.id = "A34", .kind = MACHINE_IS_number, .harm = MACHINE_HARM_none,
     .title = "TTBCR is told apart from other registers", .spec = "handle_smmu_cb_access answers 1", .machine = "it answers 3, and the caller treats both alike", .evidence = "source", .from = "sekvm-4.18", },
    {.id = "A35", .kind = MACHINE_IS_consequence, .harm = MACHINE_HARM_none,
     .title = "a narrow device access is dropped", .spec = "an access of 1 or 2 bytes halts the machine", .machine = "panic, which returns: nothing is read or written, the instruction is skipped", .follows = "A1", .nhalts = 2, .halts = halts_45, .evidence = "08_smmu_host_mmio_hvc#2780", .from = "sekvm-4.18", },
    {.id = "A36", .kind = MACHINE_IS_consequence, .harm = MACHINE_HARM_none,
     .title = "a denied device write is dropped", .spec = "a write that is not allowed halts the machine", .machine = "panic, which returns: nothing is written, the instruction is skipped", .follows = "A1", .nhalts = 1, .halts = halts_46, .evidence = "08_smmu_host_mmio_hvc#2836", .from = "sekvm-4.18", },
    {.id = "A37", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "a device access moves ELR_EL2 on", .spec = "host_skip_instr stores ELR_EL2 + 4 in ESR_EL2", .machine = "ELR_EL2 becomes ELR_EL2 + 4, ESR_EL2 stays", .evidence = "02_vm1_one_vcpu#10246", .from = "sekvm-4.18", },
    {.id = "A38", .kind = MACHINE_IS_consequence, .harm = MACHINE_HARM_none,
     .title = "a load from a device keeps the flag of the pc", .spec = "prep_abort sets the dirty bit of the register alone", .machine = "the flag of the pc is set as well", .follows = "prep_abort", .evidence = "02_vm1_one_vcpu#10204", .from = "sekvm-4.18", },
    {.id = "A39", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "dirty bits add up", .spec = "set_shadow_dirty_bit stores its value", .machine = "a value other than 0 is added to the bits", .evidence = "02_vm1_one_vcpu#10204", .from = "sekvm-4.18", },
    {.id = "A40", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_availability,
     .breaks = MACHINE_BREAKS_return_below, .title = "a VM's load into the zero register ends EL2", .spec = "a load sets the dirty bit of its register, and a vCPU that is entered leaves EL2", .machine = "1 << 31 is negative: all pending bits are set, among them that of an exception, for which PSTATE becomes 11. EL2 cannot return to such a mode: it takes an exception itself, and dies", .evidence = "14a_edge_ldr_wzr_mmio_EL2crash#5356", .from = "sekvm-4.18", },
    {.id = "A41", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_confidentiality,
     .title = "a store of the zero register shows the stack pointer", .spec = "register 31 reads as 0", .machine = "the VM's SP_EL0 is copied for the host", .evidence = "02_vm1_one_vcpu#10283", .from = "sekvm-4.18", },
    {.id = "A42", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "high addresses are a VM's devices too", .spec = "devices are below 0x40000000", .machine = "and from 0x4000000000 on", .evidence = "source", .from = "sekvm-4.18", },
    {.id = "A43", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_integrity,
     .title = "an injected exception writes other registers", .spec = "update_exception_gp_regs writes SPSR_EL1 and ESR_EL1", .machine = "the numbers it uses are those of x8 and SCTLR_EL1", .evidence = "14a_edge_ldr_wzr_mmio_EL2crash#5356", .from = "sekvm-4.18", },
    {.id = "A44", .kind = MACHINE_IS_number, .harm = MACHINE_HARM_none,
     .title = "a PSCI function has another number", .spec = "PSCI_0_2_FN64_AFFINITY_INFO is 0x40000004", .machine = "it is 0xc4000004", .evidence = "constants", .from = "sekvm-4.18", },
    {.id = "A45", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_availability,
     .title = "exits of other classes reach the host", .spec = "vm_exit_dispatcher halts on every class but hypercalls and system registers", .machine = "all others are saved for the host; on one that it does not know, save_shadow_kvm_regs panics", .evidence = "02_vm1_one_vcpu#10158", .from = "sekvm-4.18", },
    {.id = "A46", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "reset values go to the wrong registers", .spec = "register i is reset to the value of register i", .machine = "it is reset to the i-th row of a table in another order", .evidence = "02_vm1_one_vcpu#10155", .from = "sekvm-4.18", },
    {.id = "A47", .kind = MACHINE_IS_consequence, .harm = MACHINE_HARM_integrity,
     .title = "a first run outside the image goes on", .spec = "reset_gp_regs halts if the pc is in no verified image", .machine = "panic, which returns: the vCPU is entered as it was", .follows = "A1", .nhalts = 1, .halts = halts_57, .evidence = "source", .from = "sekvm-4.18", },
    {.id = "A48", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_integrity,
     .title = "a vCPU runs in any state", .spec = "set_vcpu_active halts unless the VM is VERIFIED and the vCPU READY", .machine = "panic, which returns, and the vCPU is run; one that was never made crashes EL2", .follows = "A1", .nhalts = 1, .halts = halts_58, .evidence = "15b_crash_run_unverified#1724", .from = "sekvm-4.18", },
    {.id = "A49", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "a fault that the host did not resolve maps nothing", .spec = "page 0 is assigned", .machine = "prot_and_map_vm_s2pt returns first", .evidence = "source", .from = "sekvm-4.18", },
    {.id = "A50", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "a device page's address is not masked", .spec = "map_vm_io maps the page of the address", .machine = "the address is added with its low bits", .evidence = "source", .from = "sekvm-4.18", },
    {.id = "A51", .kind = MACHINE_IS_number, .harm = MACHINE_HARM_none,
     .title = "memory is one range", .spec = "a page is looked for in all regions", .machine = "from the start of memory, as far as the sizes of all regions together", .evidence = "source", .from = "sekvm-4.18", },
    {.id = "A52", .kind = MACHINE_IS_consequence, .harm = MACHINE_HARM_availability,
     .title = "an image is recorded without an address", .spec = "set_boot_info halts when the area for images is used up", .machine = "panic, which returns: the image gets an address beyond the area", .follows = "A1, A14", .nhalts = 1, .halts = halts_62, .evidence = "source", .from = "sekvm-4.18", },
    {.id = "A53", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_availability,
     .title = "an image with a hole crashes EL2", .spec = "how much of an image is mapped makes no difference to its verification", .machine = "the signature is computed over the whole image: a page that is not mapped is a fault in EL2", .evidence = "15a_crash_verify_unmapped#1728", .from = "sekvm-4.18", },
    {.id = "A54", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_integrity,
     .title = "encryption hypercalls have a handler", .spec = "ENCRYPT_BUF and DECRYPT_BUF are constants that the dispatcher has no case for", .machine = "the functions of BootOps are called", .evidence = "10_fuzz_vm_mgmt_hvc#21568", .from = "sekvm-4.18", },
    {.id = "A55", .kind = MACHINE_IS_consequence, .harm = MACHINE_HARM_availability,
     .title = "a denied access to a VM's page is tried again", .spec = "map_page_host halts on a VM's page that is not shared", .machine = "panic, which returns to the instruction that faulted", .follows = "A1", .nhalts = 1, .halts = halts_65, .evidence = "03_vm2_two_vcpus_smp1#25952", .from = "sekvm-4.18", },
    {.id = "A56", .kind = MACHINE_IS_rule, .harm = MACHINE_HARM_availability,
     .title = "a panic inside EL2 runs on into other code", .spec = "no spec function is about it", .machine = "hyp_panic has no body: the next function is executed", .evidence = "source", .from = "sekvm-4.18", },
    {.id = "B1", .kind = MACHINE_IS_same, .harm = MACHINE_HARM_confidentiality,
     .title = "the host may map a page that a VM's device reaches", .spec = "a page for a device has count INVALID, and the host may map pages with a count above 0", .machine = "the same", .evidence = "scenarios/isolation/bad_host_keeps_a_device_page_that_becomes_memory.yaml", .from = "sekvm-4.18", },
    {.id = "B2", .kind = MACHINE_IS_same, .harm = MACHINE_HARM_confidentiality,
     .title = "a VM keeps its mapping of a page that is given back", .spec = "clear_vm_page takes the page from the VM and leaves the VM's table alone", .machine = "the same: a vCPU that runs on while another one powers the VM off reads what the next VM writes", .evidence = "scenarios/access/bad_vcpu_runs_on_after_its_vm_is_off.yaml", .from = "sekvm-4.18", },
    {.id = "B3", .kind = MACHINE_IS_same, .harm = MACHINE_HARM_availability,
     .title = "the host's zero page can be given to a VM once", .spec = "a page that is a VM's already may not get another guest page: halt", .machine = "the same, but for the panic that returns; the kernel offers its zero page again and again", .evidence = "13_zero_page_vm", .from = "sekvm-4.18", },
    {.id = "B4", .kind = MACHINE_IS_same, .harm = MACHINE_HARM_confidentiality,
     .title = "an SMMU's TLB is the host's to invalidate", .spec = "what a device's bank no longer maps is cleared in its table; the spec has no TLB", .machine = "the same: the host's driver invalidates, or does not, and a device goes on reading a page that has become a VM's", .evidence = "scenarios/access/bad_stale_smmu_entry_reads_a_vms_secret.yaml", .from = "sekvm-4.18", },
    {.id = "C1", .kind = MACHINE_IS_number, .harm = MACHINE_HARM_integrity,
     .title = "KCore's code is not its own", .spec = "pages of KCore belong to COREVISOR", .machine = "its pools and data do; text, read-only data and what it shares are the host's, who may map and write them", .evidence = "the boot record", .from = "sekvm-4.18", },
    {.id = "E1", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_integrity,
     .title = "vCPU 7 overwrites the VM's table pool", .spec = "register_vcpu takes vCPUs 0 to 7, and a VM has room for 8", .machine = "the number is checked against 8, but there is room for 4: vCPU 7's record lies on page_pool_start and half of pgd_next, so that the VM's next table page lies outside of KCore's memory", .evidence = "source", .from = "sekvm-4.18", },
    {.id = "E2", .kind = MACHINE_IS_consequence, .harm = MACHINE_HARM_integrity,
     .title = "another register page is checked and accessed than the one that faulted", .spec = "the page of the IPA and 12 bits of FAR_EL2", .machine = "through a 4 KiB mapping that is not aligned to 64 KiB, the 16 bits of the virtual address name another page", .follows = "A30", .evidence = "18_smp3_host_faults", .from = "sekvm-4.18", },
    {.id = "E3", .kind = MACHINE_IS_rule, .harm = MACHINE_HARM_integrity,
     .breaks = MACHINE_BREAKS_memory_flush, .title = "a VM's RAM page or block is replaced without telling the TLB", .spec = "(a rule beside the spec) a leaf that changes is flushed before the table's lock is given back", .machine = "mmap_s2pt stores the new descriptor over the old one, nothing is flushed", .evidence = "26_other_link_address#1550", .from = "sekvm-4.18", },
    {.id = "E4", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "a block in the place of a table panics", .spec = "set_pmd overwrites what the table has", .machine = "panic, and nothing is stored", .evidence = "source", .from = "sekvm-4.18", },
    {.id = "E5", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_integrity,
     .title = "registers are loaded into any vCPU that has not run", .spec = "there is no such hypercall", .machine = "LOAD_CRYPT_VCPU looks at first_run alone: it loads into a vCPU of a VERIFIED VM, and of one that was never registered, and sets inc_exe, so that the pc is not checked later", .evidence = "19_crypt_vcpu_save_load", .from = "sekvm-4.18", },
    {.id = "E6", .kind = MACHINE_IS_consequence, .harm = MACHINE_HARM_none,
     .title = "arguments are cast to 32 bits", .spec = "a whole register is checked", .machine = "most are cast to u32 first: 0x500000003 is VM 3", .follows = "A5", .evidence = "23_random_mix_64bit_args", .from = "sekvm-4.18", },
    {.id = "E7", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_integrity,
     .title = "the host's pool for second-level tables ends early", .spec = "the host has a pool of its own size", .machine = "its end is where a VM's would be, behind 16 pages: then all further GiB share one table page, and the mapping of one replaces that of another", .follows = "A1", .nhalts = 1, .halts = halts_78, .evidence = "source", .from = "sekvm-4.18", },
    {.id = "E8", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_integrity,
     .title = "EL2's own table pools run over", .spec = "no table page left halts, nothing is mapped", .machine = "behind its pud pool lies its own pmd pool: a table that is in use is used again, after some 275 SET_BOOT_INFO, because of A14. Its pmd pool is taken to end 160 MiB too far: before it is empty it has gone over the host's root and tables", .evidence = "source", .from = "sekvm-4.18", },
    {.id = "E9", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_availability,
     .title = "numbers beyond the tables end EL2", .spec = "a number out of range halts, and so does an empty SMMU pool", .machine = "an abort in EL2, or a loop that never ends", .evidence = "source", .from = "sekvm-4.18", },
    {.id = "E10", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_availability,
     .title = "the host touches an address beyond 2^40", .spec = "undefined: the address is none of memory", .machine = "the page is mapped at the index that is left of the address, and the host faults for ever", .evidence = "source", .from = "sekvm-4.18", },
    {.id = "E11", .kind = MACHINE_IS_rule, .harm = MACHINE_HARM_confidentiality,
     .title = "registers of a VM appear on the console", .spec = "(beside the spec) nothing is printed", .machine = "SAVE_CRYPT_VCPU and LOAD_CRYPT_VCPU print the vCPU's plain registers", .evidence = "source", .from = "sekvm-4.18", },
    {.id = "E12", .kind = MACHINE_IS_number, .harm = MACHINE_HARM_none,
     .title = "tables lie elsewhere in every build", .spec = "addresses are constants", .machine = "they follow from how the kernel is configured and linked", .evidence = "26_other_link_address", .from = "sekvm-4.18", },
    {.id = "L1", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "a device write of 4 bytes writes the host's value", .spec = "the verified body of __handle_smmu_write writes its argument, which is 0", .machine = "the host's register is written, as for 8 bytes", .evidence = "08_smmu_host_mmio_hvc#2770", .from = "sekvm-4.18", },
    {.id = "L2", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "a new VM's inc_exe is cleared", .spec = "register_kvm leaves vm_inc_exe alone", .machine = "register_kvm stores 0 there first", .evidence = "02_vm1_one_vcpu#672", .from = "sekvm-4.18", },
    {.id = "L4", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "each CPU turns stage-2 translation on", .spec = "there is no such hypercall: it is on from the start", .machine = "ENABLE_S2_TRANS takes the core's lock and gives it back", .evidence = "04_vm2_two_vcpus_smp2#50", .from = "sekvm-4.18", },
    {.id = "L5", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "ENCRYPT_BUF looks at the second page only after the first", .spec = "the owners of both pages are read", .machine = "the second is read only if the first is the VM's", .evidence = "10_fuzz_vm_mgmt_hvc#21568", .from = "sekvm-4.18", },
    {.id = "L6", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "encryption takes byte addresses", .spec = "the functions that transform a page take the byte address for a page number: undefined", .machine = "the page at the address is transformed", .evidence = "scenarios/machines/sekvm-4.18/good_l6_addresses_in_bytes.yaml", .from = "sekvm-4.18", },
    {.id = "L7", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "DECRYPT_BUF leaves the count alone", .spec = "load_decrypt_buf takes a VM and a page, and sets its count to 0", .machine = "it has a third argument, and sets owner and guest page only", .evidence = "10_fuzz_vm_mgmt_hvc#21598", .from = "sekvm-4.18", },
    {.id = "L8", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "when a vCPU is the CPU's own", .spec = "it becomes current before it is activated, and the host after it is inactive", .machine = "it becomes current behind its activation, and the host before it is inactive", .evidence = "02_vm1_one_vcpu#10155", .from = "sekvm-4.18", },
    {.id = "L9", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "FLAGS keeps that a page is wanted", .spec = "whether the host resolved a fault is an oracle's answer", .machine = "an abort outside devices sets PENDING_FSC_FAULT, and the next run looks at it and clears it", .evidence = "02_vm1_one_vcpu#10157", .from = "sekvm-4.18", },
    {.id = "L10", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "what is noted at an exit", .spec = "ESR_EL2, FAR_EL2 and HPFAR_EL2, whatever the exit, and neither pc nor PSTATE", .machine = "ESR_EL2 at traps, the addresses at aborts, pc and PSTATE always", .evidence = "02_vm1_one_vcpu#10156", .from = "sekvm-4.18", },
    {.id = "L11", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "the first run is noted", .spec = "set_vcpu_active changes the vCPU's state only", .machine = "it stores 1 in first_run when the vCPU never ran", .evidence = "02_vm1_one_vcpu#10155", .from = "sekvm-4.18", },
    {.id = "L12", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "grant and revoke take the table's lock once a page", .spec = "the descriptor and its level are read in two critical sections", .machine = "they are read in one", .evidence = "02_vm1_one_vcpu#10203", .from = "sekvm-4.18", },
    {.id = "L13", .kind = MACHINE_IS_rule, .harm = MACHINE_HARM_integrity,
     .breaks = MACHINE_BREAKS_device_flush, .title = "a VM's device page is replaced without telling the TLB", .spec = "(a rule beside the spec) a leaf that changes is flushed before the table's lock is given back", .machine = "map_vm_io stores the new descriptor over the old one, nothing is flushed", .evidence = "10_fuzz_vm_mgmt_hvc#21623", .from = "sekvm-4.18", },
    {.id = "L14", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "clearing an SMMU table clears all of its root", .spec = "the verified body of clear_smmu_pt stores 1024 times to the root's first word (so its words; the spec's map is emptied)", .machine = "all 8192 bytes of the root are cleared", .evidence = "08_smmu_host_mmio_hvc#3117", .from = "sekvm-4.18", },
    {.id = "N1", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "a vCPU that leaves becomes READY, whatever it was", .spec = "set_vcpu_inactive halts unless the vCPU is ACTIVE", .machine = "READY is stored", .evidence = "source", .from = "sekvm-4.18", },
    {.id = "N2", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "BRK is treated like WFI", .spec = "an exit of this class panics", .machine = "BRK64 goes to prep_wfx", .evidence = "source", .from = "sekvm-4.18", },
    {.id = "N3", .kind = MACHINE_IS_departure, .harm = MACHINE_HARM_none,
     .title = "only a translation fault asks for a page", .spec = "whether a page is wanted is an oracle's answer", .machine = "PENDING_FSC_FAULT is set for translation faults, not for other aborts", .evidence = "source", .from = "sekvm-4.18", },
};

extern const struct machine_description machine_bodies;
extern const struct machine_description machine_sekvm_4_18;
const struct machine_description machine_sekvm_4_18 = {
    .name = "sekvm-4.18", .title = "SeKVM as it was shipped for Linux 4.18",
    .extends = &machine_bodies,
    .profile = FH_MACHINE_PROFILE,
    .nconditions = 12,
    .conditions = conditions,
    .nadoptions = 33,
    .adoptions = adoptions,
    .nregisters = 25,
    .registers = registers,
    .nrules = 1,
    .rules = rules,
    .nexclusions = 7,
    .exclusions = exclusions,
    .nlimits = 6,
    .limits = limits,
    .nentries = 100,
    .entries = entries,
    .tables = {MACHINE_NEXT_address},
    .hypercalls = &hypercalls,
    .guest_calls = &guest_calls,
};
