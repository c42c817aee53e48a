/* SPDX-License-Identifier: GPL-2.0-only */
/* Made of machines/bodies/machine.yaml by scripts/compile-machines. */
/* clang-format off */
#include "tables.h"

#include "machine/machine.h"

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
};

extern const struct machine_description machine_spec;
extern const struct machine_description machine_bodies;
const struct machine_description machine_bodies = {
    .name = "bodies", .title = "the specification, with the verified C body of each function that departs from its own spec",
    .extends = &machine_spec,
    .profile = FH_MACHINE_PROFILE,
    .nentries = 11,
    .entries = entries,
    .tables = {MACHINE_NEXT_address},
    .hypercalls = &hypercalls,
    .guest_calls = &guest_calls,
};
