/* SPDX-License-Identifier: GPL-2.0-only */
#include "explain/explain.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <faulthandler/reflect.h>

/*
 * Where the spec keeps a register, with which values of its controls KCore runs VMs, and what KCore
 * calls the bits of a descriptor.
 */

/* Registers that the spec calls otherwise. */
static const struct {
    const char *reg, *field;
} other_names[] = {{"PMSELR_EL0", "pmuselr_el0"}, {"FPCR", "fp_fpcr"}, {"FPSR", "fp_fpsr"}};

enum { NAME_SIZE = 32 };

static void name_in_spec(const struct fh_arm_register *reg, char name[static NAME_SIZE])
{
    for (size_t i = 0; i < sizeof other_names / sizeof *other_names; i++) {
        if (strcmp(reg->name, other_names[i].reg) == 0) {
            snprintf(name, NAME_SIZE, "%s", other_names[i].field);
            return;
        }
    }
    size_t n = 0;
    for (; reg->name[n] && n < NAME_SIZE - 1; n++)
        name[n] = (char)tolower((unsigned char)reg->name[n]);
    name[n] = 0;
}

/* The record of struct fh_ctxt that has a register: "ctxt_regs"; NULL if none has. */
static const char *record_of(const char *name)
{
    const struct fh_type *regs = FH_FIELD_TYPE(fh_rdata_type(), rdata, regs);
    for (unsigned i = 0; i < regs->nfields; i++) {
        const struct fh_field *record = &regs->fields[i];
        if (fh_type_field(record->type, name, strlen(name)))
            return record->name;
    }
    return NULL;
}

/* The constant of the same name, which numbers the registers of a vCPU. */
static bool number_of(const struct fh_profile *profile, const char *name, uint64_t *number)
{
    char constant[NAME_SIZE];
    size_t n = 0;
    for (; name[n]; n++)
        constant[n] = (char)toupper((unsigned char)name[n]);
    return fh_profile_constant(profile, constant, n, number);
}

void say_spec_place(const struct fh_arm_register *reg, const struct fh_machine *machine,
                    saying *say, void *context)
{
    char name[NAME_SIZE], text[192];
    uint64_t number;
    name_in_spec(reg, name);
    const char *record = record_of(name);
    if (!record)
        return;
    if (number_of(fh_machine_profile(machine), name, &number))
        snprintf(text, sizeof text,
                 "%s is %s.%s in the spec's registers, number %" PRIu64 " of a vCPU's.", reg->name,
                 record, name, number);
    else
        snprintf(text, sizeof text, "%s is %s.%s in the spec's registers.", reg->name, record,
                 name);
    say(context, "spec_place", text);
}

void say_taken(const struct fh_arm_register *reg, bool is_write, const struct fh_machine *machine,
               saying *say, void *context)
{
    const struct fh_profile *profile = fh_machine_profile(machine);
    const struct fh_arm_controls controls = {
        .hcr = profile->HCR_HYPSEC_VM_FLAGS,
        .mdcr = profile->HYPSEC_MDCR_EL2_FLAG,
        .cptr = profile->CPTR_EL2_DEFAULT,
    };
    char by[40], text[320];
    /* The constants of the spec are numbers that stand for these values, and not the values. */
    if (!fh_arm_hcr_el2_of(controls.hcr).RW)
        return;
    const enum fh_arm_taken taken = fh_arm_register_taken(reg, is_write, &controls, by, sizeof by);
    if (taken == FH_ARM_NOT_TAKEN)
        snprintf(text, sizeof text,
                 "VMs run with HCR_EL2 = 0x%" PRIx64 " and MDCR_EL2 = 0x%" PRIx64
                 ": a %s of %s is not taken to EL2.",
                 controls.hcr, controls.mdcr, is_write ? "write" : "read", reg->name);
    else
        snprintf(text, sizeof text,
                 "VMs run with HCR_EL2 = 0x%" PRIx64 " and MDCR_EL2 = 0x%" PRIx64
                 ": a %s of %s %s taken to EL2 by %s.",
                 controls.hcr, controls.mdcr, is_write ? "write" : "read", reg->name,
                 taken == FH_ARM_TAKEN ? "is" : "may be", by);
    say(context, "taken_of_vms", text);
}

/* --- Descriptors ----------------------------------------------------------------------------- */

static void put(char *text, size_t size, const char *what)
{
    const size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", used ? " | " : "", what);
}

void say_descriptor(const struct found *found, const struct fh_machine *machine, saying *say,
                    void *context)
{
    static const struct fh_arm_stage2 pages = {.granule_bits = 12};
    const struct fh_profile *k = fh_machine_profile(machine);
    const struct {
        const char *name;
        uint64_t bits;
    } whole[] = {{"PAGE_S2_KERNEL", k->PAGE_S2_KERNEL},
                 {"PAGE_S2_DEVICE", k->PAGE_S2_DEVICE},
                 {"PAGE_S2_DEVICE | S2_RDWR", k->PAGE_S2_DEVICE | k->S2_RDWR},
                 {"PAGE_NONE", k->PAGE_NONE},
                 {"PAGE_HYP", k->PAGE_HYP}},
      marks[] = {
          {"PAGE_GUEST", k->PAGE_GUEST}, {"PTE_MARK", k->PTE_MARK}, {"PMD_MARK", k->PMD_MARK}};
    char names[160] = "", text[256];
    const struct fh_arm_descriptor descriptor =
        fh_arm_descriptor_of(&pages, found->name.level, found->value);
    const uint64_t bits =
        found->value & ~fh_arm_descriptor_address_bits(&pages, found->name.level, descriptor.kind);
    uint64_t known = 0;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (marks[i].bits && (bits & marks[i].bits) == marks[i].bits) {
            put(names, sizeof names, marks[i].name);
            known |= marks[i].bits;
        }
    }
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        if (bits == whole[i].bits || (bits & ~known) == whole[i].bits)
            put(names, sizeof names, whole[i].name);
    }
    if (!names[0])
        return;
    snprintf(text, sizeof text, "The bits 0x%" PRIx64 " of %s are %s in KCore's names.", bits,
             found->written, names);
    say(context, "descriptor_names", text);
}
