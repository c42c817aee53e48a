/* SPDX-License-Identifier: GPL-2.0-only */
#include "twin/findings.h"

#include <stddef.h>
#include <string.h>

static const struct finding findings[] = {
    {"A2", "sekvm-4.18", "hypercalls have other numbers", "none",
     "the numbers are placeholders, 11 to 29", "the numbers are those of the kernel's headers",
     COVER_PROFILE, "the HVC_ constants"},
    {"A3", "sekvm-4.18", "HPFAR_EL2 is masked in another way", "none",
     "16 bits of HPFAR_EL2 are taken, its low four included", "all but the low four bits are taken",
     COVER_PROFILE, "HPFAR_MASK"},
    {"A9", "sekvm-4.18", "there are other numbers of VMs and vCPUs", "none",
     "15 VMs of 8 vCPUs, KCore itself is VM 16", "56 VMs of 4 vCPUs, KCore itself is VM 65",
     COVER_PROFILE, "MAX_VM_NUM, VCPU_PER_VM, COREVISOR"},
    {"A19", "sekvm-4.18", "leaves are marked", "none", "a descriptor has no marks",
     "bit 56 is set in pages and bit 55 in blocks, in entries that were cleared too", COVER_PROFILE,
     "PTE_MARK, PMD_MARK"},
    {"A20", "sekvm-4.18", "attributes depend on how the kernel was built", "none",
     "PAGE_S2_KERNEL is 0xfff", "it is 0xfff because the kernel is mapped apart from user space",
     COVER_PROFILE, "PAGE_S2_KERNEL, compared with the boot record"},
    {"A21", "sekvm-4.18", "stage-2 tables have three levels", "none",
     "four levels, with a pool for the second",
     "three levels below a root of 1024 entries; EL2's own table has four", COVER_PROFILE,
     "STAGE2_LEVELS, COREVISOR_LEVELS, PTRS_PER_S2_PGD and the pools"},
    {"A23", "sekvm-4.18", "a table or a block in the way panics", "none",
     "a page below a block halts; a block in place of a table overwrites its entries",
     "panic in both directions, and nothing is written", COVER_NO_TRACE, "source only"},
    {"A25", "sekvm-4.18", "pages of the host begin with guest page 0", "none",
     "a page of the host has guest page pfn + SMMU_HOST_OFFSET", "it is 0", COVER_PROFILE,
     "the boot record describes the state; host_s2_map does not hold in it"},
    {"A29", "sekvm-4.18", "SMMU descriptors have other attributes", "none",
     "bit 16 is added to address and permissions",
     "access flag, shareability and the type of a page are added", COVER_PROFILE,
     "PTE_AF_OR_SH_IS"},
    {"A30", "sekvm-4.18", "16 bits of the virtual address select an SMMU's register", "integrity",
     "the address is the page of HPFAR_EL2 and 12 bits of FAR_EL2",
     "the SMMU's base and 16 bits of FAR_EL2, which the host chooses", COVER_NO_TRACE,
     "in all recorded accesses both addresses have the same 16 bits"},
    {"A34", "sekvm-4.18", "TTBCR is told apart from other registers", "none",
     "handle_smmu_cb_access answers 1", "it answers 3, and the caller treats both alike",
     COVER_NO_TRACE, "no recorded effect differs"},
    {"A38", "sekvm-4.18", "a load from a device keeps the flag of the pc", "none",
     "prep_abort sets the dirty bit of the register alone", "the flag of the pc is set as well",
     COVER_BODY, "VCPUOpsAux.prep_abort"},
    {"A42", "sekvm-4.18", "high addresses are a VM's devices too", "none",
     "devices are below 0x40000000", "and from 0x4000000000 on", COVER_NO_TRACE, "source only"},
    {"A44", "sekvm-4.18", "a PSCI function has another number", "none",
     "PSCI_0_2_FN64_AFFINITY_INFO is 0x40000004", "it is 0xc4000004", COVER_PROFILE,
     "PSCI_0_2_FN64_AFFINITY_INFO"},
    {"A46", "sekvm-4.18", "reset values go to the wrong registers", "none",
     "register i is reset to the value of register i",
     "it is reset to the i-th row of a table in another order", COVER_BODY,
     "VCPUOpsAux.reset_sys_regs; the values are the recorded ones"},
    {"A47", "sekvm-4.18", "a first run outside the image goes on", "integrity",
     "reset_gp_regs halts if the pc is in no verified image",
     "panic, which returns: the vCPU is entered as it was", COVER_NO_TRACE, "source only"},
    {"A49", "sekvm-4.18", "a fault that the host did not resolve maps nothing", "none",
     "page 0 is assigned", "prot_and_map_vm_s2pt returns first", COVER_NO_TRACE, "source only"},
    {"A50", "sekvm-4.18", "a device page's address is not masked", "none",
     "map_vm_io maps the page of the address", "the address is added with its low bits",
     COVER_NO_TRACE, "source only"},
    {"A51", "sekvm-4.18", "memory is one range", "none", "a page is looked for in all regions",
     "from the start of memory, as far as the sizes of all regions together", COVER_NO_TRACE,
     "source only; the recorded machine has one region"},
    {"A52", "sekvm-4.18", "an image is recorded without an address", "denial of service",
     "set_boot_info halts when the area for images is used up",
     "panic, which returns: the image gets an address beyond the area", COVER_NO_TRACE,
     "recorded elsewhere"},
    {"A56", "sekvm-4.18", "a panic inside EL2 runs on into other code", "denial of service",
     "no spec function is about it", "hyp_panic has no body: the next function is executed",
     COVER_NO_TRACE, "source only"},
    {"B1", "sekvm-4.18", "the host may map a page that a VM's device reaches", "confidentiality",
     "a page for a device has count INVALID, and the host may map pages with a count above 0",
     "the same", COVER_SPEC,
     "scenarios/isolation/bad_host_keeps_a_device_page_that_becomes_memory.yaml"},
    {"B2", "sekvm-4.18", "a VM keeps its mapping of a page that is given back", "confidentiality",
     "clear_vm_page takes the page from the VM and leaves the VM's table alone", "the same",
     COVER_SPEC, "vm_iso breaks where the VM is not powered off"},
    {"B3", "sekvm-4.18", "the host's zero page can be given to a VM once", "denial of service",
     "a page that is a VM's already may not get another guest page: halt",
     "the same, but for the panic that returns; the kernel offers its zero page again and again",
     COVER_SPEC, "A1, A16"},
    {"C1", "sekvm-4.18", "KCore's code is not its own", "integrity",
     "pages of KCore belong to COREVISOR",
     "its pools and data do; text, read-only data and what it shares are the host's, who may map "
     "and write them",
     COVER_PROFILE, "the boot record describes the state"},
};

enum { FINDINGS = sizeof findings / sizeof *findings };

const struct finding *finding_at(unsigned index)
{
    return index < FINDINGS ? &findings[index] : NULL;
}

const struct finding *finding_find(const char *id)
{
    for (unsigned i = 0; i < FINDINGS; i++) {
        if (strcmp(findings[i].id, id) == 0)
            return &findings[i];
    }
    return NULL;
}

const char *finding_cover_name(enum finding_cover cover)
{
    static const char *const names[] = {
        [COVER_PROFILE] = "the profile",
        [COVER_BODY] = "the verified body",
        [COVER_NO_TRACE] = "nothing",
        [COVER_SPEC] = "the spec",
    };
    return names[cover];
}
