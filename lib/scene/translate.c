/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/arm_registers.h>
#include <faulthandler/tables.h>

#include "scene/stage.h"

/* --- Registers -------------------------------------------------------------------------------- */

enum { GRANULE_4K = 0, PA_48_BITS = 5, PA_BITS = 48, INNER = 3, WRITE_BACK = 1 };

static unsigned log2_of(uint64_t n)
{
    return (unsigned)(63 - __builtin_clzll(n | 1));
}

/*
 * VTCR_EL2 as KCore's tables need it: RData has no such register. Four levels begin at level 0 with
 * PTRS_PER_PGD descriptors, three at level 1 with PTRS_PER_S2_PGD in tables that stand in a row.
 */
static uint64_t vtcr_of(const struct fh_profile *k, bool has_puds)
{
    const unsigned bits = has_puds ? (unsigned)k->PGDIR_SHIFT + log2_of(k->PTRS_PER_PGD)
                                   : (unsigned)k->S2_PGDIR_SHIFT + log2_of(k->PTRS_PER_S2_PGD);
    const struct fh_arm_vtcr_el2 vtcr = {.T0SZ = 64 - bits,
                                         .SL0 = has_puds ? 2 : 1,
                                         .IRGN0 = WRITE_BACK,
                                         .ORGN0 = WRITE_BACK,
                                         .SH0 = INNER,
                                         .TG0 = GRANULE_4K,
                                         .PS = PA_48_BITS};
    return fh_arm_vtcr_el2_word(&vtcr);
}

static struct fh_arm_stage2_control control_of(const struct fh_profile *k, bool has_puds,
                                               uint64_t vttbr)
{
    const struct fh_arm_hcr_el2 hcr = {.VM = 1};
    return (struct fh_arm_stage2_control){.vtcr = vtcr_of(k, has_puds),
                                          .vttbr = vttbr,
                                          .hcr = fh_arm_hcr_el2_word(&hcr),
                                          .pa_bits = PA_BITS};
}

/* VTTBR_EL2 is what the hardware has, if that is known, and else what KCore puts there. */
void fh_stage2_control(const struct fh_state *s, uint64_t vmid,
                       struct fh_arm_stage2_control *control)
{
    const struct fh_profile *k = s->profile;
    const uint64_t hardware = s->adt->regs->ctxt_regs.vttbr_el2;
    const uint64_t own = pool_start(k, vmid) | vmid << k->VTTBR_VMID_SHIFT;
    *control = control_of(k, has_puds(k, vmid),
                          hardware != 0 && s->adt->cur_vmid == vmid ? hardware : own);
}

void fh_smmu_control(const struct fh_state *s, uint64_t smmu, uint64_t bank,
                     struct fh_arm_stage2_control *control)
{
    *control = control_of(s->profile, false, smmu_ttbr(s->profile, smmu, bank));
}

/* --- Tables ----------------------------------------------------------------------------------- */

/* A word of a table, or of memory that is none: the hardware does not tell them apart. */
static bool read_word(const struct fh_state *s, enum fh_boundary which, uint64_t pa, uint64_t *word)
{
    struct fh_table_place place;
    *word = fh_table_locate(s->profile, which, pa, &place) ? fh_table_word(s, which, pa)
                                                           : memory_word(s, pa);
    return true;
}

static bool read_stage2(void *context, uint64_t pa, uint64_t *word)
{
    return read_word(context, FH_STAGE2_TABLES, pa, word);
}

static bool read_smmu(void *context, uint64_t pa, uint64_t *word)
{
    return read_word(context, FH_SMMU_TABLES, pa, word);
}

struct fh_arm_memory fh_stage2_memory(const struct fh_state *s)
{
    return (struct fh_arm_memory){(void *)(uintptr_t)s, read_stage2};
}

struct fh_arm_memory fh_smmu_memory(const struct fh_state *s)
{
    return (struct fh_arm_memory){(void *)(uintptr_t)s, read_smmu};
}

void translation_of(const struct fh_state *s, const struct fh_access_request *access,
                    struct translation *translation)
{
    const struct fh_principal *by = &access->by;
    *translation = (struct translation){.has_tlb = access->has_tlb};
    if (by->kind == FH_BY_DEVICE) {
        fh_smmu_control(s, by->smmu, by->bank, &translation->control);
        translation->tables = fh_smmu_memory(s);
        translation->tag =
            (struct tlb_tag){.is_smmu = true, .owner = smmu_id(s->profile, by->smmu, by->bank)};
        return;
    }
    const uint64_t vmid = by->kind == FH_BY_HOST ? s->profile->HOSTVISOR : by->vmid;
    fh_stage2_control(s, vmid, &translation->control);
    translation->tables = fh_stage2_memory(s);
    translation->tag = (struct tlb_tag){.owner = vmid, .cpu = fh_trap_cpu(s)};
}

/* --- By the TLB ------------------------------------------------------------------------------- */

/* Tables that lead to one descriptor, whatever the address: what a TLB has kept, as a walk. */
struct kept {
    int next; /* the level that is read next */
    int level;
    uint64_t descriptor;
};

static bool read_kept(void *context, uint64_t pa, uint64_t *word)
{
    enum { TABLE = 3, ANYWHERE = 0x1000 };
    struct kept *kept = context;
    (void)pa;
    *word = kept->next++ < kept->level ? (ANYWHERE | TABLE) : kept->descriptor;
    return true;
}

/* True if the TLB has a translation that permits the access. */
static bool use_tlb(const struct fh_state *s, const struct translation *translation,
                    const struct fh_arm_ipa_access *ipa, struct fh_arm_walk *walk)
{
    struct fh_arm_stage2_form form;
    struct kept kept = {.next = 0};
    if (!translation->has_tlb || !fh_arm_select_form(&translation->control, &form))
        return false;
    kept.descriptor = tlb_find(s, &translation->tag, ipa->ipa, &kept.level);
    kept.next = form.start_level;
    const struct fh_arm_memory memory = {&kept, read_kept};
    if (kept.descriptor == 0)
        return false;
    fh_arm_translate(&translation->control, &memory, ipa, walk);
    return walk->is_translated;
}

enum fh_status translate(struct fh_state *s, struct translation *translation,
                         const struct fh_arm_ipa_access *ipa, struct fh_arm_walk *walk)
{
    struct fh_arm_walk by_tables;
    fh_arm_translate(&translation->control, &translation->tables, ipa, &by_tables);
    if (use_tlb(s, translation, ipa, walk)) {
        translation->is_cached = true;
        translation->is_stale =
            translation->is_stale || !by_tables.is_translated || by_tables.output != walk->output;
        return FH_OK;
    }
    *walk = by_tables;
    if (!translation->has_tlb || !walk->is_translated)
        return FH_OK;
    const struct fh_arm_walk_step *leaf = &walk->steps[walk->nsteps - 1];
    return tlb_keep(s, &translation->tag, ipa->ipa, leaf->level, leaf->word);
}
