/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/compared.h"

#include "machine/machine.h"

/* The fields of an effect that an exclusion is about; all of them if it names none. */
static void print_fields(const struct machine_exclusion *exclusion)
{
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(exclusion->what.effect, &count);
    const char *separator = " ";
    fputs(trace_effect_name(exclusion->what.effect), stdout);
    if (exclusion->what.inside)
        printf(" (inside %s)", exclusion->what.inside);
    for (size_t i = 0; i < exclusion->what.count; i++) {
        const struct machine_setting *when = &exclusion->what.when[i];
        if (when->value.kind == MACHINE_text)
            printf(" (where %s is %s)", fields[when->field].key, when->value.text);
        else if (when->value.kind == MACHINE_number)
            printf(" (where %s is %#llx)", fields[when->field].key,
                   (unsigned long long)when->value.number);
    }
    for (unsigned i = 0; i < count; i++) {
        if (!(exclusion->fields >> i & 1))
            continue;
        printf("%s%s", separator, fields[i].key);
        separator = ", ";
    }
    if (exclusion->fields == 0)
        fputs(", all of it", stdout);
}

static void print_registers(const struct machine_exclusion *exclusion)
{
    const char *separator = "";
    if (exclusion->at_entry)
        fputs(exclusion->at_exit ? "in and out: " : "in: ", stdout);
    else
        fputs("out: ", stdout);
    for (unsigned i = 0; i < TRACE_REGISTERS; i++) {
        if (!(exclusion->registers >> i & 1))
            continue;
        printf("%s%s", separator, trace_register_name((enum trace_register)i));
        separator = ", ";
    }
    for (unsigned i = 0; i < TRACE_GPRS; i++) {
        if (!(exclusion->gprs >> i & 1))
            continue;
        printf("%s%s", separator, trace_gpr_name(i));
        separator = ", ";
    }
}

static void print_kinds(uint32_t kinds)
{
    const uint32_t all = (UINT32_C(1) << TRACE_KINDS) - 1;
    for (unsigned i = 0; (kinds & all) != all && i < TRACE_KINDS; i++) {
        if (kinds >> i & 1)
            printf(" of %s", trace_kind_name((enum trace_kind)i));
    }
}

/* What holds for every machine: of records, what replay looks at and what it does not read. */
static const struct {
    const char *part, *what;
} parts[] = {
    {"seq, cpu, g0, g1, g of effects", "give the order; numbers must rise in a record, and records "
                                       "of a CPU must follow one another"},
    {"kind, exit_code, in.x, in", "are the model's inputs; of `in`, what is EL2's own (hcr, vttbr, "
                                  "vtcr, ttbr0_el2, tpidr_el2, vmid, vcpuid, vmpidr) is compared "
                                  "with what the CPU's last trap left"},
    {"hvc", "name, number and arguments are compared with the registers and the machine's calls"},
    {"ec", "the name of the class is compared with the syndrome"},
    {"to, unfinished, out, out.x", "are compared"},
    {"fx", "are compared in order, each with all its fields"},
    {"pages", "not read: derived from fx"},
    {"exit_code_name, note", "not read: for people"},
    {"snap", "of a full context only which vCPU it is of is read: what it repeats is compared as "
             "registers and shadow_set; the other system registers are saved from the hardware and "
             "in no other record"},
    {"vbar_el1", "bits 10 to 0 are not compared: RES0"},
    {"answers", "where the host keeps its structures (vm_set kvm and vcpu, new) and what a cipher "
                "restores (shadow_set new, of a call that loads a vCPU) are inputs too"},
    {"out, of a record that EL2 died in", "not compared: registers of the exception"},
};

bool compared_print(const char *name)
{
    const struct machine_description *machine = machine_find(name);
    if (!machine)
        return false;
    puts("Of a record:");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        printf("  %s: %s\n", parts[i].part, parts[i].what);
    printf("\nNot compared of traces of %s:\n", machine->name);
    for (size_t i = 0; i < machine->nexclusions; i++) {
        const struct machine_exclusion *exclusion = &machine->exclusions[i];
        fputs("  ", stdout);
        if (exclusion->part == MACHINE_PART_effect)
            print_fields(exclusion);
        else
            print_registers(exclusion);
        print_kinds(exclusion->kinds);
        printf(": %s\n", exclusion->why);
    }
    return true;
}
