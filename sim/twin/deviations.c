/* SPDX-License-Identifier: GPL-2.0-only */
#include "twin/deviations.h"

#include <stdio.h>
#include <string.h>

#include "twin/findings.h"

/* --- What rules ask -------------------------------------------------------------------------- */

static const struct trace_effect *first_of(const struct trace_line *line,
                                           enum trace_effect_kind kind)
{
    for (size_t i = 0; i < line->nfx; i++) {
        if (line->fx[i].kind == kind)
            return &line->fx[i];
    }
    return NULL;
}

static bool is_path(const struct difference *difference, const char *path)
{
    return difference->path && strcmp(difference->path, path) == 0;
}

/* --- Rules ----------------------------------------------------------------------------------- */

/* A37: after a device access ELR_EL2 moves on, where the spec overwrites ESR_EL2. */
static bool skips_by_elr(const struct difference *difference, const struct trap_view *trap)
{
    const uint64_t elr = trap->line->in.values[TRACE_REG_elr];
    const uint64_t esr = trap->line->in.values[TRACE_REG_esr];
    const struct trace_effect *skip = first_of(trap->line, TRACE_skip_instr);
    if (!skip || skip->skip_instr.new != elr + 4)
        return false;
    if (is_path(difference, "out.elr"))
        return difference->model_value == elr && difference->machine_value == elr + 4;
    return is_path(difference, "out.esr") && difference->model_value == elr + 4 &&
           difference->machine_value == esr;
}

/* --- Rules: the host's access to an SMMU ----------------------------------------------------- */

/* From the syndrome of the access: its width in bytes, its register, its direction. */
static unsigned access_size(const struct trace_line *line)
{
    return 1u << (line->in.values[TRACE_REG_esr] >> 22 & 3);
}

static unsigned access_register(const struct trace_line *line)
{
    return line->in.values[TRACE_REG_esr] >> 16 & 31;
}

/* The value of a write of 4 bytes, which the spec has no effect for. */
static bool writes_host_data(const struct difference *difference, const struct trap_view *trap)
{
    const struct trace_effect *machine = difference->machine;
    const unsigned rt = access_register(trap->line);
    const uint64_t data = rt < TRACE_GPRS ? trap->line->in.x[rt] : 0;
    return is_path(difference, "val") && difference->field && machine->kind == TRACE_mmio &&
           machine->mmio.write == 1 && access_size(trap->line) == 4 &&
           machine->mmio.val == (data & UINT32_MAX);
}

/* A33: to TTBR0 of a context bank. */
static bool writes_ttbr0(const struct difference *difference, const struct trap_view *trap)
{
    return writes_host_data(difference, trap) && difference->machine->mmio.write_val == 1 &&
           (difference->machine->mmio.addr & 0xfff) == 0x20;
}

/* L1: to any other register. */
static bool writes_word(const struct difference *difference, const struct trap_view *trap)
{
    return writes_host_data(difference, trap) && difference->machine->mmio.write_val == 0 &&
           difference->model->mmio.val == 0;
}

/* --- Rules: turning stage-2 translation on --------------------------------------------------- */

/* L4: VTCR_EL2, which the spec does not have, gets the value that it has on every CPU. */
static bool sets_vtcr(const struct difference *difference, const struct trap_view *trap)
{
    enum { HVC_ENABLE_S2_TRANS = 6 };
    const uint64_t vtcr = 0xffffffff80043558;
    return is_path(difference, "out.vtcr") && trap->line->kind == TRACE_KIND_host_hvc &&
           trap->line->in.x[0] == HVC_ENABLE_S2_TRANS && difference->machine_value == vtcr;
}

/* --- Rules: the TLB -------------------------------------------------------------------------- */

/* L13: in a VM's table, one device page for another, by PHYS_ADDR_IOREMAP. */
static bool replaces_device_page(const struct difference *difference, const struct trap_view *trap)
{
    enum { HVC_PHYS_ADDR_IOREMAP = 28, DEVICE_BITS = 0xfff };
    if (!is_path(difference, "tlbi") || trap->line->kind != TRACE_KIND_host_hvc ||
        trap->line->in.x[0] != HVC_PHYS_ADDR_IOREMAP)
        return false;
    const struct trace_pt_store *store = &difference->machine->pt_store;
    return store->vmid == trap->line->in.x[1] && strcmp(store->level, "pte") == 0 &&
           (store->old & DEVICE_BITS) == (store->new &DEVICE_BITS);
}

/* --- Rules: the way back --------------------------------------------------------------------- */

/* A40: the exception that all pending bits ask for, with the mode that this kernel gives it. */
static bool returns_to_no_mode(const struct difference *difference, const struct trap_view *trap)
{
    const uint64_t no_mode = 11, from_bit_31 = 0xffffffff80000000;
    const struct trace_effect *dirty = first_of(trap->line, TRACE_dirty_set);
    return is_path(difference, "eret") && difference->machine_value == no_mode && dirty &&
           (dirty->dirty_set.old & from_bit_31) == from_bit_31;
}

/* --- The catalogue --------------------------------------------------------------------------- */

/*
 * Identifiers beginning with A are those of the published findings about this kernel, L those of
 * this project.
 */
static const struct deviation catalogue[] = {
    {"A1", "sekvm-4.18", "a panic returns", "denial of service",
     "panic halts the machine: what follows does nothing, locks stay taken",
     "v_panic prints and returns: what follows is done, locks are given back, the trap ends",
     "08_smmu_host_mmio_hvc#2785", NULL},
    {"A4", "sekvm-4.18", "a vCPU's run takes its arguments from x1 and x2", "none",
     "restore_vm takes the VM's number from the host's x0, the vCPU's from an oracle",
     "x0 is the hypercall's number, x1 the VM, x2 the vCPU", "02_vm1_one_vcpu#10155", NULL},
    {"A5", "sekvm-4.18", "hypercall arguments are not checked", "integrity",
     "an argument out of range halts the machine before anything is done",
     "the function begins; what it finds beyond its tables it uses", "08_smmu_host_mmio_hvc#2911",
     NULL},
    {"A6", "sekvm-4.18", "an unknown hypercall panics", "none", "an unknown hypercall does nothing",
     "v_panic, which returns", "10_fuzz_vm_mgmt_hvc#21592", NULL},
    {"A7", "sekvm-4.18", "more hypercalls return a value", "none",
     "only REGISTER_KVM and IOVA_TO_PHYS change the host's x0",
     "SET_BOOT_INFO returns the image's number, VERIFY_VM_IMAGES 1, REGISTER_VCPU 0",
     "02_vm1_one_vcpu#10106", NULL},
    {"A8", "sekvm-4.18", "a VM's hypercall takes its arguments from x1 and x2", "none",
     "core_handle_pvops reads address and size from x2 and x3, and returns 0 if it handled the "
     "call",
     "they are in x1 and x2, and the result is 1 if it did", "02_vm1_one_vcpu#10156", NULL},
    {"A10", "sekvm-4.18", "VM numbers run out at MAX_VM_NUM", "integrity",
     "gen_vmid halts at COREVISOR, the number of the last VM + 1",
     "gen_vmid panics at MAX_VM_NUM (56) and returns it, without counting it",
     "15d_vmid_exhaustion#1786", NULL},
    {"A11", "sekvm-4.18", "switching off has no effect", "none",
     "SYSTEM_OFF makes the VM's state POWEROFF", "it stores 0 in a flag that is 0",
     "02_vm1_one_vcpu#11520", NULL},
    {"A12", "sekvm-4.18", "a running VM counts as powered off", "integrity",
     "memory and SMMU tables are given back only when the VM is in state POWEROFF",
     "the flag that is looked at is never set: they are given back at any time",
     "02_vm1_one_vcpu#11533", NULL},
    {"A13", "sekvm-4.18", "a vCPU is registered again, or too late", "integrity",
     "register_vcpu halts unless the VM is READY and the vCPU unused", "one of the two is enough",
     "10_fuzz_vm_mgmt_hvc#21569", NULL},
    {"A14", "sekvm-4.18", "addresses for images advance by REMAP_START too much",
     "denial of service", "the next address is the last one plus the pages",
     "the sum is stored with REMAP_START in it, which the next reading adds again",
     "02_vm1_one_vcpu#10131", NULL},
    {"A15", "sekvm-4.18", "signatures are not enforced", "integrity",
     "an image that fails its check halts", "the signature is computed and ignored",
     "02_vm1_one_vcpu#10146", NULL},
    {"A16", "sekvm-4.18", "another VM's page is mapped", "confidentiality",
     "assign_pfn_to_vm halts on a page of another VM",
     "panic, which returns: the page is then mapped for this VM", "10_fuzz_vm_mgmt_hvc#22015",
     NULL},
    {"A17", "sekvm-4.18", "a page is taken from the host before its record is complete", "none",
     "assign_pfn_to_vm sets owner and guest page, then clears the host's mapping",
     "the owner is set, the mapping cleared, then the guest page set", "02_vm1_one_vcpu#10146",
     NULL},
    {"A18", "sekvm-4.18", "a mapping that was cleared is cleared again", "none",
     "clear_pfn_host does nothing where there is no physical page",
     "any descriptor but 0 is overwritten: one that was cleared keeps its mark",
     "02_vm1_one_vcpu#10213", NULL},
    {"A22", "sekvm-4.18", "an empty table pool yields the next VM's root", "integrity",
     "no table page left halts, nothing is mapped",
     "panic, which returns, and the page behind the pool is used: it is the next VM's root",
     "15f_pool_exhaustion_pmd#3266", NULL},
    {"A24", "sekvm-4.18", "a page that is given back has guest page 0", "none",
     "clear_vm_page sets the guest page to pfn + SMMU_HOST_OFFSET", "it is set to 0",
     "02_vm1_one_vcpu#11533", NULL},
    {"A26", "sekvm-4.18", "device memory may be mapped for devices", "none",
     "update_smmu_page halts unless the page is the owner's at this guest page",
     "memory without an owner is mapped", "08_smmu_host_mmio_hvc#2939", NULL},
    {"A27", "sekvm-4.18", "a page that is the VM's already panics for its device", "none",
     "assign_pfn_to_smmu leaves the VM's own page alone, and halts on one without an owner",
     "it panics on the VM's own page, and leaves one without an owner alone",
     "09_smmu_vm_domains#1774", NULL},
    {"A28", "sekvm-4.18", "a verified VM's pages still go to its device", "integrity",
     "assign_smmu halts when the VM is VERIFIED (so its body; the spec halts when it is not)",
     "it panics, then assigns the page all the same", "10_fuzz_vm_mgmt_hvc#22034", NULL},
    {"A31", "sekvm-4.18", "CBAR0 is checked", "none",
     "the register at offset 0x1000 counts as one of GR0, where every write is allowed",
     "it is the first of GR1: a write that makes the bank translate at stage 1 only is refused",
     "08_smmu_host_mmio_hvc#5478", NULL},
    {"A32", "sekvm-4.18", "CBAR of a bank that nobody owns or that does not exist", "integrity",
     "the spec is undefined: the owner has to be a VM's number",
     "the write is refused or not, as the owner says that stands there, if need be behind the "
     "table",
     "08_smmu_host_mmio_hvc#2808", NULL},
    {"A33", "sekvm-4.18", "TTBR0 of a context bank takes the host's lower half", "integrity",
     "KCore's own value goes to TTBR0, whatever the host writes",
     "a write of 4 bytes passes the host's value on; only one of 8 bytes is replaced",
     "08_smmu_host_mmio_hvc#2813", writes_ttbr0},
    {"A35", "sekvm-4.18", "a narrow device access is dropped", "none",
     "an access of 1 or 2 bytes halts the machine",
     "panic, which returns: nothing is read or written, the instruction is skipped",
     "08_smmu_host_mmio_hvc#2780", NULL},
    {"A36", "sekvm-4.18", "a denied device write is dropped", "none",
     "a write that is not allowed halts the machine",
     "panic, which returns: nothing is written, the instruction is skipped",
     "08_smmu_host_mmio_hvc#2836", NULL},
    {"A37", "sekvm-4.18", "a device access moves ELR_EL2 on", "none",
     "host_skip_instr stores ELR_EL2 + 4 in ESR_EL2", "ELR_EL2 becomes ELR_EL2 + 4, ESR_EL2 stays",
     "02_vm1_one_vcpu#10246", skips_by_elr},
    {"A39", "sekvm-4.18", "dirty bits add up", "none", "set_shadow_dirty_bit stores its value",
     "a value other than 0 is added to the bits", "02_vm1_one_vcpu#10204", NULL},
    {"A40", "sekvm-4.18", "a VM's load into the zero register ends EL2", "denial of service",
     "a load sets the dirty bit of its register, and a vCPU that is entered leaves EL2",
     "1 << 31 is negative: all pending bits are set, among them that of an exception, for which "
     "PSTATE becomes 11. EL2 cannot return to such a mode: it takes an exception itself, and dies",
     "14a_edge_ldr_wzr_mmio_EL2crash#5356", returns_to_no_mode},
    {"A41", "sekvm-4.18", "a store of the zero register shows the stack pointer", "confidentiality",
     "register 31 reads as 0", "the VM's SP_EL0 is copied for the host", "02_vm1_one_vcpu#10283",
     NULL},
    {"A43", "sekvm-4.18", "an injected exception writes other registers", "integrity",
     "update_exception_gp_regs writes SPSR_EL1 and ESR_EL1",
     "the numbers it uses are those of x8 and SCTLR_EL1", "14a_edge_ldr_wzr_mmio_EL2crash#5356",
     NULL},
    {"A45", "sekvm-4.18", "exits of other classes reach the host", "denial of service",
     "vm_exit_dispatcher halts on every class but hypercalls and system registers",
     "all others are saved for the host; on one that it does not know, save_shadow_kvm_regs panics",
     "02_vm1_one_vcpu#10158", NULL},
    {"A48", "sekvm-4.18", "a vCPU runs in any state", "integrity",
     "set_vcpu_active halts unless the VM is VERIFIED and the vCPU READY",
     "panic, which returns, and the vCPU is run; one that was never made crashes EL2",
     "15b_crash_run_unverified#1724", NULL},
    {"A53", "sekvm-4.18", "an image with a hole crashes EL2", "denial of service",
     "how much of an image is mapped makes no difference to its verification",
     "the signature is computed over the whole image: a page that is not mapped is a fault in EL2",
     "15a_crash_verify_unmapped#1728", NULL},
    {"A54", "sekvm-4.18", "encryption hypercalls have a handler", "integrity",
     "ENCRYPT_BUF and DECRYPT_BUF are constants that the dispatcher has no case for",
     "the functions of BootOps are called", "10_fuzz_vm_mgmt_hvc#21568", NULL},
    {"A55", "sekvm-4.18", "a denied access to a VM's page is tried again", "denial of service",
     "map_page_host halts on a VM's page that is not shared",
     "panic, which returns to the instruction that faulted", "03_vm2_two_vcpus_smp1#25952", NULL},
    {"L1", "sekvm-4.18", "a device write of 4 bytes writes the host's value", "none",
     "the verified body of __handle_smmu_write writes its argument, which is 0",
     "the host's register is written, as for 8 bytes", "08_smmu_host_mmio_hvc#2770", writes_word},
    {"L2", "sekvm-4.18", "a new VM's inc_exe is cleared", "none",
     "register_kvm leaves vm_inc_exe alone", "register_kvm stores 0 there first",
     "02_vm1_one_vcpu#672", NULL},
    {"L3", "sekvm-4.18", "memory without a record has guest page 0", "none",
     "get_pfn_map answers INVALID64 for a page outside memory", "its record reads as guest page 0",
     "08_smmu_host_mmio_hvc#2939", NULL},
    {"L4", "sekvm-4.18", "each CPU turns stage-2 translation on", "none",
     "there is no such hypercall: it is on from the start",
     "ENABLE_S2_TRANS takes the core's lock and gives it back", "04_vm2_two_vcpus_smp2#50",
     sets_vtcr},
    {"L5", "sekvm-4.18", "ENCRYPT_BUF looks at the second page only after the first", "none",
     "the owners of both pages are read", "the second is read only if the first is the VM's",
     "10_fuzz_vm_mgmt_hvc#21568", NULL},
    {"L6", "sekvm-4.18", "encryption takes byte addresses", "none",
     "the functions that transform a page take the byte address for a page number: undefined",
     "the page at the address is transformed", "10_fuzz_vm_mgmt_hvc#21572", NULL},
    {"L7", "sekvm-4.18", "DECRYPT_BUF leaves the count alone", "none",
     "load_decrypt_buf takes a VM and a page, and sets its count to 0",
     "it has a third argument, and sets owner and guest page only", "10_fuzz_vm_mgmt_hvc#21598",
     NULL},
    {"L8", "sekvm-4.18", "when a vCPU is the CPU's own", "none",
     "it becomes current before it is activated, and the host after it is inactive",
     "it becomes current behind its activation, and the host before it is inactive",
     "02_vm1_one_vcpu#10155", NULL},
    {"L9", "sekvm-4.18", "FLAGS keeps that a page is wanted", "none",
     "whether the host resolved a fault is an oracle's answer",
     "an abort outside devices sets PENDING_FSC_FAULT, and the next run looks at it and clears it",
     "02_vm1_one_vcpu#10157", NULL},
    {"L10", "sekvm-4.18", "what is noted at an exit", "none",
     "ESR_EL2, FAR_EL2 and HPFAR_EL2, whatever the exit, and neither pc nor PSTATE",
     "ESR_EL2 at traps, the addresses at aborts, pc and PSTATE always", "02_vm1_one_vcpu#10156",
     NULL},
    {"L11", "sekvm-4.18", "the first run is noted", "none",
     "set_vcpu_active changes the vCPU's state only",
     "it stores 1 in first_run when the vCPU never ran", "02_vm1_one_vcpu#10155", NULL},
    {"L12", "sekvm-4.18", "grant and revoke take the table's lock once a page", "none",
     "the descriptor and its level are read in two critical sections", "they are read in one",
     "02_vm1_one_vcpu#10203", NULL},
    {"L13", "sekvm-4.18", "a VM's device page is replaced without telling the TLB", "integrity",
     "(a rule beside the spec) a leaf that changes is flushed before the table's lock is given "
     "back",
     "map_vm_io stores the new descriptor over the old one, nothing is flushed",
     "10_fuzz_vm_mgmt_hvc#21623", replaces_device_page},
    {"L14", "sekvm-4.18", "clearing an SMMU table clears all of its root", "none",
     "the verified body of clear_smmu_pt stores 1024 times to the root's first word (so its words; "
     "the spec's map is emptied)",
     "all 8192 bytes of the root are cleared", "08_smmu_host_mmio_hvc#3117", NULL},
};

enum { DEVIATIONS = sizeof catalogue / sizeof *catalogue };

const struct deviation *deviation_at(unsigned index)
{
    return index < DEVIATIONS ? &catalogue[index] : NULL;
}

const struct deviation *deviation_find(const char *id)
{
    for (unsigned i = 0; i < DEVIATIONS; i++) {
        if (strcmp(catalogue[i].id, id) == 0)
            return &catalogue[i];
    }
    return NULL;
}

unsigned deviation_index(const struct deviation *deviation)
{
    return (unsigned)(deviation - catalogue);
}

bool ledger_admits(struct ledger *ledger, const char *id, const struct trace_effect *machine)
{
    const struct deviation *deviation = deviation_find(id);
    if (strcmp(deviation->profile, ledger->profile) != 0 ||
        (ledger->is_off && ledger->is_off[deviation_index(deviation)]))
        return false;
    for (size_t i = 0; i < differences_listed(ledger->found); i++) {
        if (ledger->found->list[i].deviation == deviation)
            return true;
    }
    differ(ledger->found, &(struct difference){.machine = machine, .deviation = deviation});
    return true;
}

static const struct deviation *explanation(const char *profile, const struct trap_view *trap,
                                           const struct difference *difference, const bool *is_off)
{
    for (unsigned i = 0; i < DEVIATIONS; i++) {
        const struct deviation *deviation = &catalogue[i];
        if (strcmp(deviation->profile, profile) == 0 && !(is_off && is_off[i]) &&
            deviation->explains && deviation->explains(difference, trap))
            return deviation;
    }
    return NULL;
}

bool deviations_explain(const char *profile, const struct trace_line *line,
                        struct differences *found, const bool *is_off)
{
    const struct trap_view trap = {line};
    bool all = found->count <= DIFFERENCES_MAX;
    for (size_t i = 0; i < differences_listed(found); i++) {
        if (!found->list[i].deviation)
            found->list[i].deviation = explanation(profile, &trap, &found->list[i], is_off);
        all = all && found->list[i].deviation;
    }
    return all;
}

bool deviations_switch_off(const char *command, const char *ids, bool *is_off)
{
    char id[16];
    while (ids && *ids) {
        const size_t length = strcspn(ids, ",");
        snprintf(id, sizeof id, "%.*s", (int)(length < sizeof id ? length : sizeof id), ids);
        const struct deviation *deviation = deviation_find(id);
        const struct finding *finding = finding_find(id);
        if (finding)
            diag_plain("%s: no rule explains %s: it is covered by %s (%s)", command, id,
                       finding_cover_name(finding->cover), finding->how);
        else if (!deviation)
            diag_plain("%s: no deviation '%s' in the catalogue", command, id);
        if (!deviation)
            return false;
        is_off[deviation_index(deviation)] = true;
        ids += length + (ids[length] == ',');
    }
    return true;
}
