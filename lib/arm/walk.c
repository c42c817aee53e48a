/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/arm_walk.h>

#include <faulthandler/arm_registers.h>

#include "arm/words.h"
#include "base/text.h"

/* --- The form of the tables ------------------------------------------------------------------- */

enum { DEFAULT_PA_BITS = 48, LARGE_PA_BITS = 52, DESCRIPTOR_BITS = 3, MOST_CONCATENATED_BITS = 4 };

static unsigned pa_bits_of(const struct fh_arm_stage2_control *control)
{
    return control->pa_bits ? control->pa_bits : DEFAULT_PA_BITS;
}

/* The reserved value is an implementation's choice; here as in QEMU the smallest. */
static unsigned granule_bits_of(uint64_t tg0)
{
    return tg0 == 1 ? 16 : tg0 == 2 ? 14 : 12;
}

/* Addresses of more than 48 bits go with 64 KiB, and with VTCR_EL2.DS. */
static bool has_large_addresses(const struct fh_arm_stage2_control *control,
                                const struct fh_arm_vtcr_el2 *vtcr)
{
    return control->has_lpa && (granule_bits_of(vtcr->TG0) == 16 || vtcr->DS);
}

/* Pseudocode AArch64.PhysicalAddressSize: VTCR_EL2.PS, within what the CPU has. */
static unsigned output_bits_of(const struct fh_arm_stage2_control *control,
                               const struct fh_arm_vtcr_el2 *vtcr)
{
    static const unsigned sizes[] = {32, 36, 40, 42, 44, 48, 52, 52};
    const unsigned most = has_large_addresses(control, vtcr) ? LARGE_PA_BITS : DEFAULT_PA_BITS;
    unsigned bits = sizes[vtcr->PS];
    if (bits > most)
        bits = most;
    return bits < pa_bits_of(control) ? bits : pa_bits_of(control);
}

/*
 * The level that SL0 selects. False where the granule has no such start, or the CPU's addresses are
 * too short for it. Pseudocode AArch64.S2StartLevel, AArch64.S2InvalidSL.
 */
static bool start_level_of(const struct fh_arm_stage2_control *control,
                           const struct fh_arm_vtcr_el2 *vtcr, int *level)
{
    const unsigned granule = granule_bits_of(vtcr->TG0), pa_bits = pa_bits_of(control);
    const bool is_large = has_large_addresses(control, vtcr);
    if (granule == 12 && is_large && vtcr->SL2) {
        *level = -1;
        return vtcr->SL0 == 0 && pa_bits >= 52;
    }
    if (granule == 12) {
        *level = vtcr->SL0 == 3 ? 3 : 2 - (int)vtcr->SL0;
        return vtcr->SL0 == 3 ? control->has_ttst : vtcr->SL0 != 2 || pa_bits >= 44;
    }
    *level = 3 - (int)vtcr->SL0;
    if (granule == 14)
        return vtcr->SL0 == 3 ? is_large && pa_bits >= 52 : vtcr->SL0 != 2 || pa_bits >= 42;
    return vtcr->SL0 != 3 && (vtcr->SL0 != 2 || pa_bits >= 44);
}

/* Is T0SZ one that the CPU has? Pseudocode AArch64.S2MinTxSZ, AArch64.MaxTxSZ. */
static bool is_input_size(const struct fh_arm_stage2_control *control,
                          const struct fh_arm_vtcr_el2 *vtcr)
{
    const unsigned most = has_large_addresses(control, vtcr) ? LARGE_PA_BITS : DEFAULT_PA_BITS;
    const unsigned widest = pa_bits_of(control) < most ? pa_bits_of(control) : most;
    const unsigned narrowest = !control->has_ttst ? 25 : granule_bits_of(vtcr->TG0) == 16 ? 17 : 16;
    return 64 - vtcr->T0SZ <= widest && 64 - vtcr->T0SZ >= narrowest;
}

/*
 * The first level resolves between one bit and a table's plus four bits: up to 16 tables in a row.
 * Pseudocode AArch64.S2InconsistentSL.
 */
static bool fits_together(const struct fh_arm_stage2_form *form)
{
    const unsigned below = fh_arm_level_shift(form->stage2.granule_bits, form->start_level);
    const unsigned in_table = form->stage2.granule_bits - DESCRIPTOR_BITS;
    return form->input_bits > below &&
           form->input_bits <= below + in_table + MOST_CONCATENATED_BITS;
}

/* VTTBR_EL2.BADDR, on the boundary that the size of the first tables needs. */
static uint64_t root_of(const struct fh_arm_stage2_form *form, uint64_t vttbr)
{
    const unsigned below = fh_arm_level_shift(form->stage2.granule_bits, form->start_level);
    unsigned align = form->input_bits - below + DESCRIPTOR_BITS;
    uint64_t root = vttbr & fh_arm_mask(47, 1);
    if (form->output_bits > DEFAULT_PA_BITS) {
        root = (root & ~fh_arm_mask(5, 0)) | fh_arm_get(vttbr, 5, 2) << 48;
        align = align < 6 ? 6 : align;
    }
    return root & ~fh_arm_mask(align - 1, 0);
}

bool fh_arm_select_form(const struct fh_arm_stage2_control *control,
                        struct fh_arm_stage2_form *form)
{
    const struct fh_arm_vtcr_el2 vtcr = fh_arm_vtcr_el2_of(control->vtcr);
    const struct fh_arm_hcr_el2 hcr = fh_arm_hcr_el2_of(control->hcr);
    *form = (struct fh_arm_stage2_form){
        .stage2 = {.granule_bits = granule_bits_of(vtcr.TG0),
                   .is_52bit = has_large_addresses(control, &vtcr),
                   .has_fwb = hcr.FWB != 0},
        .input_bits = (unsigned)(64 - vtcr.T0SZ),
        .output_bits = output_bits_of(control, &vtcr),
    };
    if (!is_input_size(control, &vtcr) || !start_level_of(control, &vtcr, &form->start_level) ||
        !fits_together(form))
        return false;
    const unsigned below = fh_arm_level_shift(form->stage2.granule_bits, form->start_level);
    const unsigned in_table = form->stage2.granule_bits - DESCRIPTOR_BITS;
    const unsigned bits = form->input_bits - below;
    form->root_tables = bits > in_table ? 1u << (bits - in_table) : 1;
    form->root = root_of(form, control->vttbr);
    return true;
}

/* --- The walk --------------------------------------------------------------------------------- */

static void fault(struct fh_arm_walk *walk, enum fh_arm_status status, int level)
{
    walk->is_translated = false;
    walk->status = status;
    walk->level = level;
}

/*
 * The descriptor for `ipa` in the table at `table`. In the first tables all bits from the level's
 * up count, further down only those of one table.
 */
static uint64_t descriptor_address(const struct fh_arm_stage2_form *form, uint64_t table, int level,
                                   uint64_t ipa)
{
    const unsigned shift = fh_arm_level_shift(form->stage2.granule_bits, level);
    uint64_t index = ipa >> shift;
    if (level != form->start_level)
        index &= fh_arm_mask(form->stage2.granule_bits - DESCRIPTOR_BITS - 1, 0);
    return table | index << DESCRIPTOR_BITS;
}

static bool may_execute(const struct fh_arm_stage2_control *control,
                        const struct fh_arm_stage2_leaf *leaf, bool is_el0)
{
    if (!control->has_xnx)
        return !(leaf->XN & FH_ARM_XN_ALL);
    return leaf->XN == FH_ARM_XN_NONE ||
           leaf->XN == (is_el0 ? FH_ARM_XN_PRIVILEGED : FH_ARM_XN_USER);
}

/* Is this memory of a Device type, as stage 2 alone says? */
static bool is_device(const struct fh_arm_stage2_form *form, uint64_t memattr)
{
    return form->stage2.has_fwb ? memattr < 4 : memattr >> 2 == 0;
}

/* Pseudocode AArch64.S2HasPermissionsFault, AArch64.S2DirectBasePermissions. */
static bool is_permitted(const struct fh_arm_stage2_control *control,
                         const struct fh_arm_stage2_form *form,
                         const struct fh_arm_stage2_leaf *leaf,
                         const struct fh_arm_ipa_access *access)
{
    if (access->is_table)
        return (leaf->S2AP & FH_ARM_S2AP_READ) &&
               !(fh_arm_hcr_el2_of(control->hcr).PTW && is_device(form, leaf->MemAttr));
    switch (access->kind) {
    case FH_ARM_READ: return leaf->S2AP & FH_ARM_S2AP_READ;
    case FH_ARM_WRITE: return leaf->S2AP & FH_ARM_S2AP_WRITE;
    default: return may_execute(control, leaf, access->is_el0);
    }
}

/* A block or page is found: may the access use it? */
static void end_at_leaf(const struct fh_arm_stage2_control *control,
                        const struct fh_arm_stage2_form *form,
                        const struct fh_arm_ipa_access *access, const struct fh_arm_walk_step *step,
                        struct fh_arm_walk *walk)
{
    const uint64_t size = UINT64_C(1) << fh_arm_level_shift(form->stage2.granule_bits, step->level);
    walk->leaf = step->descriptor.leaf;
    walk->size = size;
    walk->output = step->descriptor.address | (access->ipa & (size - 1));
    if (!walk->leaf.AF)
        fault(walk, FH_ARM_STATUS_ACCESS_FLAG, step->level);
    else if (!is_permitted(control, form, &walk->leaf, access))
        fault(walk, FH_ARM_STATUS_PERMISSION, step->level);
    else
        walk->is_translated = true;
}

/* Read and look at one descriptor. True if it leads to a table further down, at *table. */
static bool take_step(const struct fh_arm_stage2_control *control,
                      const struct fh_arm_stage2_form *form, const struct fh_arm_memory *memory,
                      const struct fh_arm_ipa_access *access, int level, uint64_t *table,
                      struct fh_arm_walk *walk)
{
    struct fh_arm_walk_step *step = &walk->steps[walk->nsteps];
    step->level = level;
    step->address = descriptor_address(form, *table, level, access->ipa);
    if (!memory->read(memory->context, step->address, &step->word)) {
        fault(walk, FH_ARM_STATUS_EXTERNAL_WALK, level);
        return false;
    }
    walk->nsteps++;
    step->descriptor = fh_arm_descriptor_of(&form->stage2, level, step->word);
    walk->level = level;
    if (step->descriptor.kind == FH_ARM_INVALID || step->descriptor.kind == FH_ARM_RESERVED) {
        fault(walk, FH_ARM_STATUS_TRANSLATION, level);
        return false;
    }
    if (step->descriptor.address >> form->output_bits) {
        walk->leaf = step->descriptor.leaf;
        fault(walk, FH_ARM_STATUS_ADDRESS_SIZE, level);
        return false;
    }
    *table = step->descriptor.address;
    if (step->descriptor.kind == FH_ARM_TABLE)
        return true;
    end_at_leaf(control, form, access, step, walk);
    return false;
}

void fh_arm_translate(const struct fh_arm_stage2_control *control,
                      const struct fh_arm_memory *memory, const struct fh_arm_ipa_access *access,
                      struct fh_arm_walk *walk)
{
    const struct fh_arm_hcr_el2 hcr = fh_arm_hcr_el2_of(control->hcr);
    struct fh_arm_stage2_form form;
    *walk = (struct fh_arm_walk){.output = access->ipa};
    if (!hcr.VM && !hcr.DC) {
        walk->is_translated = true;
        return;
    }
    if (!fh_arm_select_form(control, &form) || access->ipa >> form.input_bits) {
        fault(walk, FH_ARM_STATUS_TRANSLATION, 0);
        return;
    }
    if (form.root >> form.output_bits) {
        fault(walk, FH_ARM_STATUS_ADDRESS_SIZE, 0);
        return;
    }
    uint64_t table = form.root;
    int level = form.start_level;
    while (take_step(control, &form, memory, access, level, &table, walk))
        level++;
}

/* --- What is left in the registers ------------------------------------------------------------ */

enum { PAGE_BITS = 12 };

static uint64_t status_of(const struct fh_arm_walk *walk)
{
    uint64_t code = 0;
    fh_arm_fault_status(walk->status, walk->level, &code);
    return code;
}

static uint64_t data_abort(const struct fh_arm_walk *walk, const struct fh_arm_ipa_access *access,
                           const struct fh_arm_instruction *instruction)
{
    struct fh_arm_esr_data_abort esr = {.EC = FH_ARM_CLASS_DABT_LOW,
                                        .IL = 1,
                                        .CM = instruction->is_maintenance,
                                        .S1PTW = access->is_table,
                                        .WnR = access->kind == FH_ARM_WRITE ||
                                               instruction->is_maintenance,
                                        .DFSC = status_of(walk)};
    if (instruction->is_described && !access->is_table) {
        esr.ISV = 1;
        esr.SAS = instruction->size_log2;
        esr.SSE = instruction->is_signed;
        esr.SRT = instruction->rt;
        esr.SF = instruction->is_64bit;
        esr.AR = instruction->is_ordered;
    }
    return fh_arm_esr_data_abort_word(&esr);
}

static uint64_t instruction_abort(const struct fh_arm_walk *walk,
                                  const struct fh_arm_ipa_access *access)
{
    const struct fh_arm_esr_instruction_abort esr = {
        .EC = FH_ARM_CLASS_IABT_LOW, .IL = 1, .S1PTW = access->is_table, .IFSC = status_of(walk)};
    return fh_arm_esr_instruction_abort_word(&esr);
}

void fh_arm_abort_of(const struct fh_arm_walk *walk, const struct fh_arm_ipa_access *access,
                     const struct fh_arm_instruction *instruction, struct fh_arm_abort *abort)
{
    const struct fh_arm_hpfar_el2 hpfar = {.FIPA = access->ipa >> PAGE_BITS};
    *abort = (struct fh_arm_abort){.far = instruction->va, .hpfar = fh_arm_hpfar_el2_word(&hpfar)};
    abort->esr = access->kind == FH_ARM_FETCH ? instruction_abort(walk, access)
                                              : data_abort(walk, access, instruction);
}

uint64_t fh_arm_fault_ipa(const struct fh_arm_abort *abort)
{
    const uint64_t page = fh_arm_hpfar_el2_of(abort->hpfar).FIPA << PAGE_BITS;
    const bool is_table = fh_arm_esr_data_abort_of(abort->esr).S1PTW;
    return is_table ? page : page | (abort->far & fh_arm_mask(PAGE_BITS - 1, 0));
}

/* --- Attributes of both stages ---------------------------------------------------------------- */

enum { NON_CACHEABLE = 4, BOTH_NON_CACHEABLE = 0x44, WRITE_THROUGH = 2 };

/* A nibble of MAIR_EL1, with one of stage 2's two-bit cacheabilities (1 NC, 2 WT, 3 WB). */
static uint64_t combine_cacheability(uint64_t stage1, uint64_t stage2)
{
    const bool is_write_through = stage1 >> 2 == 0 || stage1 >> 2 == WRITE_THROUGH;
    if (stage1 == NON_CACHEABLE || stage2 == 1)
        return NON_CACHEABLE;
    if (is_write_through || stage2 != WRITE_THROUGH)
        return stage1;
    return (uint64_t)WRITE_THROUGH << 2 | (stage1 & 3);
}

static uint64_t combine_types(uint64_t stage1, uint64_t memattr)
{
    const bool is_device1 = stage1 >> 4 == 0, is_device2 = memattr >> 2 == 0;
    const uint64_t device2 = memattr << 2;
    if (is_device1 && is_device2)
        return stage1 < device2 ? stage1 : device2;
    if (is_device1 || is_device2)
        return is_device1 ? stage1 : device2;
    return combine_cacheability(stage1 >> 4, memattr >> 2) << 4 |
           combine_cacheability(stage1 & 15, memattr & 3);
}

static uint64_t combine_shareability(uint64_t stage1, uint64_t stage2)
{
    if (stage1 == FH_ARM_SH_OUTER || stage2 == FH_ARM_SH_OUTER)
        return FH_ARM_SH_OUTER;
    return stage1 == FH_ARM_SH_INNER || stage2 == FH_ARM_SH_INNER ? FH_ARM_SH_INNER : FH_ARM_SH_NON;
}

/* Device memory, and memory that nobody caches, is outer shareable whatever the tables say. */
struct fh_arm_attributes fh_arm_combine(struct fh_arm_attributes stage1,
                                        const struct fh_arm_stage2_leaf *leaf)
{
    const uint64_t attr = combine_types(stage1.attr, leaf->MemAttr);
    const bool is_outer = attr >> 4 == 0 || attr == BOTH_NON_CACHEABLE;
    return (struct fh_arm_attributes){
        .attr = attr,
        .sh = is_outer ? FH_ARM_SH_OUTER : combine_shareability(stage1.sh, leaf->SH),
    };
}

uint64_t fh_arm_par_of(const struct fh_arm_walk *walk, const struct fh_arm_ipa_access *access,
                       struct fh_arm_attributes stage1)
{
    enum { RES1 = 1 << 11 };
    if (!walk->is_translated) {
        const struct fh_arm_par_el1_fault par = {
            .F = 1, .FST = status_of(walk), .PTW = access->is_table, .S = 1};
        return fh_arm_par_el1_fault_word(&par) | RES1;
    }
    const struct fh_arm_attributes both =
        walk->size > 0 ? fh_arm_combine(stage1, &walk->leaf) : stage1;
    const struct fh_arm_par_el1 par = {
        .ATTR = both.attr, .PA = walk->output >> PAGE_BITS, .SH = both.sh};
    return fh_arm_par_el1_word(&par) | RES1;
}

/* --- In words --------------------------------------------------------------------------------- */

static void put_level(struct text *text, int level)
{
    text_put(text, "level ");
    if (level < 0)
        text_put_char(text, '-');
    text_put_digits(text, (uint64_t)(level < 0 ? -level : level), 10);
}

static void put_step(struct text *text, const struct fh_arm_stage2_form *form,
                     const struct fh_arm_walk_step *step)
{
    char words[256];
    fh_arm_describe_descriptor(&form->stage2, step->level, step->word, words, sizeof words);
    put_level(text, step->level);
    text_put(text, ": ");
    fh_arm_put_hex(text, step->address);
    text_put(text, ": ");
    fh_arm_put_hex(text, step->word);
    text_put_char(text, ' ');
    text_put(text, words);
    text_put_char(text, '\n');
}

size_t fh_arm_describe_walk(const struct fh_arm_stage2_control *control,
                            const struct fh_arm_walk *walk, char *buffer, size_t size)
{
    struct text text = {buffer, size, 0};
    struct fh_arm_stage2_form form;
    char words[128];
    fh_arm_select_form(control, &form);
    for (unsigned i = 0; i < walk->nsteps; i++)
        put_step(&text, &form, &walk->steps[i]);
    if (walk->is_translated) {
        text_put(&text, "translated to ");
        fh_arm_put_hex(&text, walk->output);
    } else {
        fh_arm_describe_status(status_of(walk), words, sizeof words);
        text_put(&text, words);
    }
    text_put_char(&text, '\n');
    return text_end(&text);
}
