/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/scenario.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/*
 * Traps: the registers that the machine writes when it enters EL2, and what the host provides for
 * KCore to read on its way.
 */

static void add_register(struct registers *registers, const char *name, uint64_t value)
{
    const struct fh_type *regs = FH_FIELD_TYPE(fh_rdata_type(), rdata, regs);
    const struct fh_type *type = FH_FIELD_TYPE(regs, ctxt, ctxt_regs);
    registers->values[registers->count++] =
        (struct register_value){fh_type_field(type, name, strlen(name)), value};
}

static void add_gpr(struct registers *registers, unsigned number, uint64_t value)
{
    char name[8];
    snprintf(name, sizeof name, "x%u", number);
    add_register(registers, name, value);
}

/* --- The syndrome of a data or instruction abort (Arm ARM, ESR_EL2) --------------------------- */

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_EXECUTE };

enum {
    ESR_IL = 1 << 25,  /* a 32-bit instruction */
    ESR_ISV = 1 << 24, /* SAS, SRT and SF are valid */
    ESR_SF = 1 << 15,  /* a 64-bit register */
    ESR_WNR = 1 << 6,
    ESR_TRANSLATION_LEVEL_3 = 7, /* DFSC, IFSC */
};

static bool load_access(struct reader *reader, const struct node *node, enum access *access)
{
    static const char *const names[] = {"read", "write", "execute"};
    const char *text;
    if (!node)
        return true;
    if (!reader_text(reader, node, "access", &text))
        return false;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) == 0) {
            *access = (enum access)i;
            return true;
        }
    }
    return reader_unknown(reader, node, "access", names, sizeof names / sizeof *names);
}

static bool load_size(struct reader *reader, const struct node *node, uint64_t *log2_size)
{
    uint64_t size;
    if (!node)
        return true;
    if (!reader_number(reader, node, "size", 1, 8, &size))
        return false;
    if (size & (size - 1))
        return reader_error(reader, node, "size: an access has 1, 2, 4 or 8 bytes");
    *log2_size = (uint64_t)__builtin_ctzll(size);
    return true;
}

/* `access`, `size` and `rt` as a syndrome; an instruction abort has no size and register. */
static bool load_syndrome(struct reader *reader, const struct fh_profile *k,
                          const struct node *node, uint64_t *esr)
{
    enum access access = ACCESS_READ;
    uint64_t log2_size = 3, rt = 0;
    if (!load_access(reader, node_get(node, "access"), &access) ||
        !load_size(reader, node_get(node, "size"), &log2_size) ||
        !reader_number_at(reader, node, "rt", 0, 31, &rt))
        return false;
    *esr = ESR_IL | ESR_TRANSLATION_LEVEL_3;
    if (access == ACCESS_EXECUTE) {
        if (node_get(node, "size") || node_get(node, "rt"))
            return reader_error(reader, node, "an instruction fetch has no 'size' and no 'rt'");
        *esr |= k->ESR_ELx_EC_IABT_LOW << k->ESR_ELx_EC_SHIFT;
        return true;
    }
    *esr |= k->ESR_ELx_EC_DABT_LOW << k->ESR_ELx_EC_SHIFT | ESR_ISV |
            log2_size << k->ESR_ELx_SAS_SHIFT | rt << k->ESR_ELx_SRT_SHIFT;
    if (log2_size == 3)
        *esr |= ESR_SF;
    if (access == ACCESS_WRITE)
        *esr |= ESR_WNR;
    return true;
}

static bool load_esr(struct reader *reader, const struct fh_profile *k, const struct node *node,
                     struct registers *registers)
{
    bool described = node_get(node, "access") || node_get(node, "size") || node_get(node, "rt");
    if (node_get(node, "esr"))
        return !described || reader_error(reader, node_get(node, "esr"),
                                          "'esr' says all of 'access', 'size' and 'rt'");
    uint64_t esr;
    if (!load_syndrome(reader, k, node, &esr))
        return false;
    add_register(registers, "esr_el2", esr);
    return true;
}

/* --- host-npt-fault --------------------------------------------------------------------------- */

/* KCore does not look at all of HPFAR_EL2: what it would not see is a mistake. */
static bool beyond_mask(struct reader *reader, const struct fh_profile *k, const struct node *node,
                        const char *key, uint64_t page)
{
    const struct fh_profile *other = NULL;
    for (unsigned i = 0; (other = fh_profile_at(i)) && (page & other->HPFAR_MASK) != page;)
        i++;
    return reader_error(
        reader, node, "%s: %.60s is beyond HPFAR_MASK (%#" PRIx64 ") of profile %s%s%s%s", key,
        node->text, k->HPFAR_MASK, k->name, other ? "; there is room for it with 'profile: " : "",
        other ? other->name : "", other ? "'" : "");
}

static bool check_hpfar(struct reader *reader, const struct fh_profile *k, const struct node *node)
{
    uint64_t hpfar;
    if (!reader_number(reader, node, "hpfar", 0, UINT64_MAX, &hpfar))
        return false;
    return (hpfar & k->HPFAR_MASK) == hpfar || beyond_mask(reader, k, node, "hpfar", hpfar);
}

/*
 * The faulting address: HPFAR_EL2 holds its page in bits 43:4, FAR_EL2 a virtual address with the
 * same offset in the page.
 */
static bool load_address(struct reader *reader, const struct fh_profile *k, const struct node *node,
                         struct registers *registers)
{
    const struct node *ipa_node = node_get(node, "ipa"), *hpfar = node_get(node, "hpfar");
    if (ipa_node && hpfar)
        return reader_error(reader, ipa_node, "'ipa' and 'hpfar' exclude one another");
    if (!ipa_node)
        return hpfar ? check_hpfar(reader, k, hpfar)
                     : reader_error(reader, node, "the trap needs the key 'ipa' or 'hpfar'");
    uint64_t ipa;
    if (!reader_number(reader, ipa_node, "ipa", 0, k->KVM_ADDR_SPACE - 1, &ipa))
        return false;
    uint64_t page = ipa >> 12 << 4;
    if ((page & k->HPFAR_MASK) != page)
        return beyond_mask(reader, k, ipa_node, "ipa", page);
    add_register(registers, "hpfar_el2", page);
    if (!node_get(node, "far"))
        add_register(registers, "far_el2", ipa);
    return true;
}

/* --- Which layer ------------------------------------------------------------------------------ */

static bool load_layer(struct reader *reader, const struct scenario *scenario,
                       const struct node *node, enum trap_layer *layer)
{
    static const char *const names[TRAP_LAYERS] = {[TRAP_RAW] = "raw", [TRAP_TOP] = "top"};
    const char *text = names[TRAP_RAW];
    if (!reader_text_at(reader, node, "layer", &text))
        return false;
    for (unsigned i = 0; i < TRAP_LAYERS; i++) {
        if (strcmp(text, names[i]) == 0) {
            *layer = (enum trap_layer)i;
            return i == TRAP_RAW || fh_departures_are_none(&scenario->choice.departures) ||
                   reader_error(reader, node_get(node, "layer"),
                                "the layer 'top' has specs of its own: no machine changes them");
        }
    }
    return reader_unknown(reader, node_get(node, "layer"), "layer", names, TRAP_LAYERS);
}

/* What every trap may have beside registers. */
#define TRAP_KEYS                                                                                  \
    "trap", "name", "cpu", "layer", "repeat", "events", "data", "core_data", "expect", "spec", NULL

static bool load_host_npt_fault(struct reader *reader, struct scenario *scenario, struct step *step,
                                const struct node *node)
{
    static const char *const keys[] = {"ipa", "access", "size", "rt", TRAP_KEYS};
    struct registers *registers = &step->actor.registers;
    return scenario_load_registers(reader, node, keys, registers) &&
           load_address(reader, scenario->profile, node, registers) &&
           load_esr(reader, scenario->profile, node, registers);
}

/* --- host-hvc --------------------------------------------------------------------------------- */

/* The arguments of a hypercall, in x1 and so on. */
static bool load_hvc_args(struct reader *reader, const struct node *args,
                          struct registers *registers)
{
    static const char *const names[] = {"x1", "x2", "x3", "x4", "x5"};
    const size_t most = sizeof names / sizeof *names;
    if (!args)
        return true;
    if (!reader_list(reader, args, "'args'"))
        return false;
    if (args->count > most)
        return reader_error(reader, args, "a hypercall has at most 5 arguments, x1 to x5");
    for (size_t i = 0; i < args->count; i++) {
        uint64_t value;
        if (!reader_number(reader, &args->items[i], names[i], 0, UINT64_MAX, &value))
            return false;
        add_register(registers, names[i], value);
    }
    return true;
}

static bool load_host_hvc(struct reader *reader, struct scenario *scenario, struct step *step,
                          const struct node *node)
{
    static const char *const keys[] = {"hvc", "args", TRAP_KEYS};
    const struct node *hvc = node_get(node, "hvc");
    struct registers *registers = &step->actor.registers;
    uint64_t number;
    (void)scenario;
    if (!scenario_load_registers(reader, node, keys, registers))
        return false;
    if (!hvc)
        return reader_error(reader, node, "the trap needs the key 'hvc': the hypercall");
    if (!reader_number(reader, hvc, "hvc", 0, UINT64_MAX, &number))
        return false;
    step->title = scenario_title(reader, step->title, hvc->text);
    add_register(registers, "x0", number);
    return load_hvc_args(reader, node_get(node, "args"), registers);
}

/* --- vcpu-run --------------------------------------------------------------------------------- */

/* The next value that KCore reads from outside, of one of the two oracles. */
static void add_datum(struct step *step, bool core, uint64_t vmid, uint64_t value)
{
    struct step_script *script = &step->script;
    uint64_t after = 0;
    for (size_t i = 0; i < script->ndata; i++)
        after += script->data[i].core == core;
    script->data[script->ndata++] = (struct step_datum){core, vmid, after, value};
}

/* The same for a machine, which asks for it by name. */
static void add_answer(struct step *step, enum fh_asked what, uint64_t value)
{
    step->answers[what] = value;
    step->has_answer |= UINT32_C(1) << what;
}

/* `map`: the page or block that the host provides for the vCPU's last fault. */
static bool load_provided_page(struct reader *reader, const struct fh_profile *k,
                               const struct node *map, struct step *step, uint64_t vmid)
{
    static const char *const keys[] = {"ipa", "pfn", "block", NULL};
    uint64_t ipa = 0, pfn = 0;
    bool block = false;
    if (!map)
        return true;
    if (!reader_keys(reader, map, "'map'", keys))
        return false;
    if (!node_get(map, "ipa") || !node_get(map, "pfn"))
        return reader_error(reader, map, "'map' needs the keys 'ipa' and 'pfn'");
    if (!reader_number_at(reader, map, "ipa", 0, UINT64_MAX, &ipa) ||
        !reader_number_at(reader, map, "pfn", 0, UINT64_MAX / k->PAGE_SIZE, &pfn) ||
        !reader_flag_at(reader, map, "block", &block))
        return false;
    add_datum(step, true, vmid, ipa);
    add_datum(step, true, vmid, pfn * k->PAGE_SIZE);
    add_datum(step, true, vmid, block ? 2 : 3);
    add_answer(step, FH_ASKED_FAULT_ADDR, ipa);
    add_answer(step, FH_ASKED_NEW_PTE, pfn * k->PAGE_SIZE);
    add_answer(step, FH_ASKED_NEW_LEVEL, block ? 2 : 3);
    return true;
}

/* `pc` and `pstate`: where the host wants the vCPU to start. */
static bool load_start(struct reader *reader, const struct node *node, struct step *step,
                       uint64_t vmid)
{
    uint64_t pc = 0, pstate = 0;
    if (!node_get(node, "pc"))
        return !node_get(node, "pstate") ||
               reader_error(reader, node_get(node, "pstate"), "'pstate' needs the key 'pc'");
    if (!reader_number_at(reader, node, "pc", 0, UINT64_MAX, &pc) ||
        !reader_number_at(reader, node, "pstate", 0, UINT64_MAX, &pstate))
        return false;
    add_datum(step, false, vmid, pc);
    add_datum(step, false, vmid, pstate);
    add_answer(step, FH_ASKED_PC, pc);
    add_answer(step, FH_ASKED_PSTATE, pstate);
    return true;
}

static bool load_vcpu_run(struct reader *reader, struct scenario *scenario, struct step *step,
                          const struct node *node)
{
    static const char *const keys[] = {"vmid", "vcpuid", "map", "pc", "pstate", TRAP_KEYS};
    enum { MOST_DATA = 6 };
    struct registers *registers = &step->actor.registers;
    uint64_t vmid = 0, vcpuid = 0;
    if (!scenario_load_registers(reader, node, keys, registers))
        return false;
    if (!node_get(node, "vmid"))
        return reader_error(reader, node, "the trap needs the key 'vmid': whose vCPU is to run");
    if (!reader_number_at(reader, node, "vmid", 0, UINT64_MAX, &vmid) ||
        !reader_number_at(reader, node, "vcpuid", 0, UINT64_MAX, &vcpuid))
        return false;
    const struct fh_abi_call *call = scenario_run_call(scenario);
    add_register(registers, "x0", call ? call->number : vmid);
    if (call && call->narguments == 2) {
        add_gpr(registers, call->arguments[0].reg, vmid);
        add_gpr(registers, call->arguments[1].reg, vcpuid);
    }
    step->script.data = arena_alloc(reader->arena, MOST_DATA * sizeof *step->script.data);
    add_datum(step, true, vmid, vcpuid);
    add_answer(step, FH_ASKED_RUN_VCPUID, vcpuid);
    return load_provided_page(reader, scenario->profile, node_get(node, "map"), step, vmid) &&
           load_start(reader, node, step, vmid);
}

/* --- vm-exit ---------------------------------------------------------------------------------- */

/* What `exit` says; aborts are said by `access`. */
struct exit_kind {
    const char *name;
    bool is_interrupt;
    size_t class_offset; /* of the exception class in struct fh_profile */
};

#define EXIT_CLASS(name) offsetof(struct fh_profile, ESR_ELx_EC_##name)
static const struct exit_kind exits[] = {
    {"interrupt", true, 0},
    {"wfx", false, EXIT_CLASS(WFx)},
    {"hvc", false, EXIT_CLASS(HVC64)},
    {"hvc32", false, EXIT_CLASS(HVC32)},
    {"sys64", false, EXIT_CLASS(SYS64)},
    {"abort", false, EXIT_CLASS(DABT_LOW)},
};
enum { EXITS = sizeof exits / sizeof *exits };

static const struct exit_kind *find_exit(struct reader *reader, const struct node *node)
{
    const char *names[EXITS], *text;
    if (!reader_text(reader, node, "exit", &text))
        return NULL;
    for (unsigned i = 0; i < EXITS; i++) {
        names[i] = exits[i].name;
        if (strcmp(text, names[i]) == 0)
            return &exits[i];
    }
    reader_unknown(reader, node, "exit", names, EXITS);
    return NULL;
}

/* `ipa` of a VM's fault: the whole of HPFAR_EL2 counts. */
static bool load_vm_address(struct reader *reader, const struct fh_profile *k,
                            const struct node *node, struct registers *registers)
{
    uint64_t ipa;
    if (!node_get(node, "ipa"))
        return true;
    if (node_get(node, "hpfar"))
        return reader_error(reader, node, "'ipa' and 'hpfar' exclude one another");
    if (!reader_number(reader, node_get(node, "ipa"), "ipa", 0, k->KVM_ADDR_SPACE - 1, &ipa))
        return false;
    add_register(registers, "hpfar_el2", ipa >> 12 << 4);
    if (!node_get(node, "far"))
        add_register(registers, "far_el2", ipa);
    return true;
}

static bool load_exit_kind(struct reader *reader, const struct fh_profile *k,
                           const struct node *node, struct registers *registers)
{
    const struct exit_kind *kind = find_exit(reader, node_get(node, "exit"));
    if (!kind)
        return false;
    bool is_abort = kind == &exits[EXITS - 1];
    if (!is_abort && (node_get(node, "access") || node_get(node, "size") || node_get(node, "rt")))
        return reader_error(reader, node, "'access', 'size' and 'rt' describe an abort");
    if (is_abort && !load_esr(reader, k, node, registers))
        return false;
    add_register(registers, "ec",
                 kind->is_interrupt ? k->ARM_EXCEPTION_INTERRUPT : k->ARM_EXCEPTION_TRAP);
    if (!is_abort && !kind->is_interrupt && !node_get(node, "esr")) {
        uint64_t class;
        memcpy(&class, (const char *)k + kind->class_offset, sizeof class);
        add_register(registers, "esr_el2", class << k->ESR_ELx_EC_SHIFT | ESR_IL);
    }
    return true;
}

static bool load_vm_exit(struct reader *reader, struct scenario *scenario, struct step *step,
                         const struct node *node)
{
    static const char *const keys[] = {"exit", "ipa", "access", "size", "rt", TRAP_KEYS};
    const struct node *exit = node_get(node, "exit");
    struct registers *registers = &step->actor.registers;
    if (!scenario_load_registers(reader, node, keys, registers))
        return false;
    if (!exit && !node_get(node, "ec"))
        return reader_error(reader, node, "the trap needs the key 'exit' or 'ec'");
    if (exit && node_get(node, "ec"))
        return reader_error(reader, exit, "'exit' and 'ec' exclude one another");
    if (exit)
        step->title = scenario_title(reader, step->title, exit->text ? exit->text : "");
    return load_vm_address(reader, scenario->profile, node, registers) &&
           (!exit || load_exit_kind(reader, scenario->profile, node, registers));
}

/* --- All traps -------------------------------------------------------------------------------- */

static const struct trap_kind traps[] = {
    {"host-npt-fault",
     false,
     load_host_npt_fault,
     {[TRAP_RAW] = fh_host_npt_handler_raw, [TRAP_TOP] = fh_host_npt_handler}},
    {"host-hvc",
     false,
     load_host_hvc,
     {[TRAP_RAW] = fh_host_hvc_handler_raw, [TRAP_TOP] = fh_host_hvc_handler}},
    {"vcpu-run",
     false,
     load_vcpu_run,
     {[TRAP_RAW] = fh_host_vcpu_run_handler_raw, [TRAP_TOP] = fh_host_vcpu_run_handler}},
    {"vm-exit",
     true,
     load_vm_exit,
     {[TRAP_RAW] = fh_vm_exit_handler_raw, [TRAP_TOP] = fh_vm_exit_handler}},
};
enum { TRAPS = sizeof traps / sizeof *traps };

static const struct trap_kind *find_trap(struct reader *reader, const struct node *node)
{
    const char *names[TRAPS], *text;
    if (!reader_text(reader, node, "trap", &text))
        return NULL;
    for (unsigned i = 0; i < TRAPS; i++) {
        names[i] = traps[i].name;
        if (strcmp(names[i], text) == 0)
            return &traps[i];
    }
    reader_unknown(reader, node, "trap", names, TRAPS);
    return NULL;
}

bool scenario_load_trap(struct reader *reader, struct scenario *scenario, struct step *step,
                        const struct node *node)
{
    step->trap = find_trap(reader, node_get(node, "trap"));
    if (!step->trap)
        return false;
    step->title = scenario_title(reader, "trap", step->trap->name);
    return load_layer(reader, scenario, node, &step->layer) &&
           step->trap->load(reader, scenario, step, node) &&
           scenario_load_step_script(reader, scenario, step, node);
}
