/* SPDX-License-Identifier: GPL-2.0-only */
#include "explain/explain.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include <faulthandler/faulthandler.h>

#include "machine/machine.h"

/*
 * What KCore of a machine does with a trap: the trap is taken on a state of that machine, once as
 * one of the host and once as one of a VM, and what became of it is told. The state has the memory
 * regions that the command line tells, all of them the host's.
 */

struct telling {
    const struct joined *joined;
    const struct fh_machine *machine;
    const struct explained *explained;
    saying *say;
    void *context;
};

struct fh_state *explain_state(const struct explained *explained)
{
    const struct fh_config config = {.machine = explained->machine,
                                     .allocator = fh_malloc_allocator()};
    struct fh_state *state = fh_state_new(&config);
    for (size_t i = 0; state && i < explained->nregions; i++) {
        if (fh_scene_add_region(state, &explained->regions[i]) != FH_OK) {
            fh_state_free(state);
            return NULL;
        }
    }
    return state;
}

static bool is_in_memory(const struct explained *explained, uint64_t address)
{
    for (size_t i = 0; i < explained->nregions; i++) {
        if (address - explained->regions[i].base < explained->regions[i].size)
            return true;
    }
    return false;
}

/* HPFAR_EL2 as it was given, or as the address makes it. */
static uint64_t hpfar_of(const struct joined *joined)
{
    return joined->hpfar ? joined->hpfar->value : joined->address >> 12 << 4;
}

static bool set_registers(struct fh_state *state, const struct joined *joined, uint64_t ec)
{
    static const size_t general[] = {FH_REG(ctxt_regs.x0), FH_REG(ctxt_regs.x1),
                                     FH_REG(ctxt_regs.x2), FH_REG(ctxt_regs.x3),
                                     FH_REG(ctxt_regs.x4), FH_REG(ctxt_regs.x5)};
    bool is_set =
        fh_state_set_reg(state, FH_REG(ctxt_regs.esr_el2), joined->syndrome->value) == FH_OK &&
        fh_state_set_reg(state, FH_REG(ctxt_regs.hpfar_el2), hpfar_of(joined)) == FH_OK &&
        fh_state_set_reg(state, FH_REG(ctxt_regs.ec), ec) == FH_OK;
    if (is_set && joined->pc)
        is_set = fh_state_set_reg(state, FH_REG(ctxt_regs.elr_el2), joined->pc->value) == FH_OK;
    for (unsigned i = 0; i < sizeof general / sizeof *general && is_set; i++) {
        const struct found *found = joined_general(joined, i);
        is_set = !found || fh_state_set_reg(state, general[i], found->value) == FH_OK;
    }
    return is_set;
}

/* --- A fault of the host --------------------------------------------------------------------- */

/* The descriptor that a call entered in the host's table. */
struct mapping {
    bool is_found;
    uint64_t page, descriptor;
};

static bool take_mapping(void *context, const struct fh_change *change)
{
    struct mapping *mapping = context;
    char path[64];
    unsigned long long page;
    fh_path_format(change->path, path, sizeof path);
    if (sscanf(path, "shared.npts.0.pt.%lli", (long long *)&page) != 1 ||
        change->type->kind != FH_KIND_TUPLE)
        return true;
    *mapping = (struct mapping){true, page, fh_tuple_get(change->type, change->after, 2)};
    return false;
}

/* What the page is mapped as, from the attributes of its descriptor. */
static void say_mapping(const struct telling *telling, const struct mapping *mapping)
{
    static const struct fh_arm_stage2 pages = {.granule_bits = 12};
    char text[512], account[256];
    const struct fh_arm_descriptor descriptor =
        fh_arm_descriptor_of(&pages, 3, mapping->descriptor);
    fh_arm_describe_descriptor(&pages, 3, mapping->descriptor, account, sizeof account);
    snprintf(text, sizeof text,
             "As a fault of the host at a page %s, KCore maps it as %s memory in the host's table: "
             "descriptor 0x%" PRIx64 ", %s.",
             is_in_memory(telling->explained, mapping->page << 12) ? "of memory that is its own"
                                                                   : "that is in no memory region",
             descriptor.leaf.MemAttr < 4 ? "device" : "normal", mapping->descriptor, account);
    telling->say(telling->context, "host_maps", text);
}

/* An address that KCore cuts off. */
static void say_mask(const struct telling *telling)
{
    const struct fh_profile *profile = fh_machine_profile(telling->machine);
    const uint64_t hpfar = hpfar_of(telling->joined);
    char text[320];
    if ((hpfar & ~profile->HPFAR_MASK & ~UINT64_C(0xf)) == 0)
        return;
    snprintf(text, sizeof text,
             "A host fault at IPA 0x%" PRIx64 " is beyond HPFAR_MASK (0x%" PRIx64
             ") of %s: KCore there takes the address for 0x%" PRIx64 ".",
             fh_arm_hpfar_el2_of(hpfar).FIPA << 12, profile->HPFAR_MASK, telling->machine->name,
             (hpfar & profile->HPFAR_MASK) << 8);
    telling->say(telling->context, "hpfar_mask", text);
}

static void say_failure(const struct telling *telling, const char *id, const char *whose,
                        const struct fh_state *state)
{
    char text[512], error[384];
    fh_error_format(fh_state_error(state), error, sizeof error);
    snprintf(text, sizeof text, "As %s, KCore's text does not say what happens: %s.", whose, error);
    telling->say(telling->context, id, text);
}

static void say_host_outcome(const struct telling *telling, struct fh_state *state,
                             const struct fh_rdata *before)
{
    struct mapping mapping = {.is_found = false};
    if (fh_state_rdata(state)->halt) {
        telling->say(telling->context, "host_halts", "As a fault of the host, KCore panics.");
        return;
    }
    fh_delta(before, fh_state_rdata(state), take_mapping, &mapping);
    if (mapping.is_found)
        say_mapping(telling, &mapping);
}

static void say_host_fault(const struct telling *telling)
{
    struct fh_state *state = explain_state(telling->explained);
    say_mask(telling);
    if (state && set_registers(state, telling->joined, 0)) {
        const struct fh_rdata *before = fh_state_snapshot(state);
        if (fh_handle_host_stage2_fault(state) == FH_OK)
            say_host_outcome(telling, state, before);
        else
            say_failure(telling, "host_undefined", "a fault of the host", state);
        fh_snapshot_release(before, fh_state_allocator(state));
        telling->say(telling->context, "host_else",
                     "In its memory regions it depends on the owner: a page of the host, or one "
                     "that a VM shares, is mapped as normal memory; at a page of a VM or of KCore "
                     "KCore panics; an access to an SMMU's registers is emulated from the "
                     "syndrome.");
    }
    fh_state_free(state);
}

/* --- An exit of a VM ------------------------------------------------------------------------- */

/* A VM with one vCPU, which runs on this CPU. */
static bool run_a_vm(struct fh_state *state, uint32_t *vmid)
{
    if (fh_register_kvm(state, vmid) != FH_OK || fh_register_vcpu(state, *vmid, 0) != FH_OK ||
        fh_verify_and_load_images(state, *vmid) != FH_OK ||
        fh_set_vcpu_active(state, *vmid, 0) != FH_OK || fh_state_rdata(state)->halt)
        return false;
    struct fh_rdata *adt = fh_state_edit_cpu(state);
    if (!adt)
        return false;
    adt->cur_vmid = *vmid;
    adt->cur_vcpuid = 0;
    adt->ihost = false;
    return true;
}

static void say_exit_outcome(const struct telling *telling, const struct fh_state *state,
                             uint32_t vmid)
{
    const struct fh_rdata *adt = fh_state_rdata(state);
    if (adt->halt)
        telling->say(telling->context, "vm_halts", "As an exit of a VM, KCore panics.");
    else if (adt->cur_vmid == vmid)
        telling->say(telling->context, "vm_goes_on",
                     "As an exit of a VM, KCore handles it by itself, and the VM goes on.");
    else
        telling->say(telling->context, "vm_host_is_told",
                     "As an exit of a VM, KCore keeps the vCPU's registers and lets the host "
                     "handle it: the host sees what KCore notes of the exit, and KCore checks what "
                     "the host answers when it runs the vCPU again.");
}

/* The spec's number of the class is not the architecture's. */
static void say_class(const struct telling *telling)
{
    const struct fh_profile *profile = fh_machine_profile(telling->machine);
    char text[192];
    if (fh_arm_esr_class(telling->joined->syndrome->value) != FH_ARM_CLASS_SYS64 ||
        profile->ESR_ELx_EC_SYS64 == FH_ARM_CLASS_SYS64)
        return;
    snprintf(text, sizeof text,
             "The constant ESR_ELx_EC_SYS64 of %s is 0x%" PRIx64
             ", so that KCore there does not take class 0x18 for an access to a system register.",
             telling->machine->name, profile->ESR_ELx_EC_SYS64);
    telling->say(telling->context, "class", text);
}

static void say_vm_exit(const struct telling *telling)
{
    struct fh_state *state = explain_state(telling->explained);
    uint32_t vmid;
    if (state && run_a_vm(state, &vmid) &&
        set_registers(state, telling->joined,
                      fh_machine_profile(telling->machine)->ARM_EXCEPTION_TRAP)) {
        if (fh_vm_exit_handler_raw(state) == FH_OK)
            say_exit_outcome(telling, state, vmid);
        else
            say_failure(telling, "vm_undefined", "an exit of a VM", state);
    }
    fh_state_free(state);
}

/* --- Hypercalls ------------------------------------------------------------------------------ */

/* The row of a number: of the machine's own table, or of the nearest below that has one. */
static const struct fh_abi_call *find_call(const struct fh_machine *machine, bool is_guest,
                                           uint64_t number)
{
    const struct machine_description *description = machine_of_tree(machine->name);
    const struct fh_abi *abi = NULL;
    for (; description && !abi; description = description->extends)
        abi = is_guest ? description->guest_calls : description->hypercalls;
    for (unsigned i = 0; abi && i < abi->ncalls; i++) {
        if (abi->calls[i].number == number)
            return &abi->calls[i];
    }
    return NULL;
}

static void say_call(const struct telling *telling, const char *id, const char *whose,
                     const struct fh_abi_call *call, uint64_t number)
{
    char text[256];
    if (call)
        snprintf(text, sizeof text, "As a call of %s, x0 = 0x%" PRIx64 " is %s%s%s.", whose, number,
                 call->name, call->function ? ", which is handled by " : "",
                 call->function ? call->function : "");
    else
        snprintf(text, sizeof text, "As a call of %s, x0 = 0x%" PRIx64 " is none that %s knows.",
                 whose, number, telling->machine->name);
    telling->say(telling->context, id, text);
}

static void say_hypercall(const struct telling *telling)
{
    const struct found *x0 = joined_general(telling->joined, 0);
    if (!x0) {
        telling->say(telling->context, "hypercall",
                     "Which call it is, x0 says (x0=...): hypercalls of the host and calls of VMs "
                     "have their numbers there.");
        return;
    }
    say_call(telling, "host_call", "the host", find_call(telling->machine, false, x0->value),
             x0->value);
    say_call(telling, "vm_call", "a VM", find_call(telling->machine, true, x0->value), x0->value);
}

/* The registers of a report, and the one that a trapped access was about. */
static void say_registers(const struct telling *telling)
{
    const struct report *report = telling->joined->report;
    for (size_t i = 0; i < report->count; i++) {
        const struct found *found = &report->items[i];
        if (!found->message && found->name.reg && found->name.meaning != MEANING_ENCODING)
            say_spec_place(found->name.reg, telling->machine, telling->say, telling->context);
        if (!found->message && found->name.meaning == MEANING_DESCRIPTOR)
            say_descriptor(found, telling->machine, telling->say, telling->context);
    }
    const struct found *syndrome = telling->joined->syndrome;
    if (!syndrome || fh_arm_esr_class(syndrome->value) != FH_ARM_CLASS_SYS64)
        return;
    const struct fh_arm_encoding encoding = fh_arm_esr_encoding(syndrome->value);
    const struct fh_arm_register *reg = fh_arm_register_encoded(&encoding);
    if (!reg)
        return;
    say_spec_place(reg, telling->machine, telling->say, telling->context);
    say_taken(reg, !fh_arm_esr_sys64_of(syndrome->value).Direction, telling->machine, telling->say,
              telling->context);
}

void say_machine(const struct joined *joined, const struct explained *explained, saying *say,
                 void *context)
{
    const struct telling telling = {joined, explained->machine, explained, say, context};
    if (!explained->machine)
        return;
    say_registers(&telling);
    if (!joined->syndrome || joined->report->subject == SUBJECT_SELF)
        return;
    const uint64_t esr = joined->syndrome->value;
    const enum fh_arm_class class = fh_arm_esr_class(esr);
    const bool is_host = joined->vttbr && fh_arm_vttbr_el2_of(joined->vttbr->value).VMID == 0;
    if (class == FH_ARM_CLASS_DABT_CUR || class == FH_ARM_CLASS_IABT_CUR)
        return;
    if (class == FH_ARM_CLASS_HVC64)
        say_hypercall(&telling);
    if (fh_arm_is_abort(esr) && joined->has_address && (is_host || !joined->vttbr))
        say_host_fault(&telling);
    if (is_host)
        return;
    say_class(&telling);
    say_vm_exit(&telling);
}
