/* SPDX-License-Identifier: GPL-2.0-only */
#include "world.h"

#include <string.h>

/* --- Both stages ------------------------------------------------------------------------------ */

static bool walk_stage2(const struct world *world, const struct arena *arena,
                        const struct fh_arm_ipa_access *access, struct fh_arm_walk *walk)
{
    struct arena memory = *arena;
    fh_arm_translate(&world->control, &(struct fh_arm_memory){&memory, arena_read}, access, walk);
    return walk->is_translated;
}

/* Stage 1's tables of 4 KiB, two levels from level 1 on; the descriptors are all valid. */
static bool walk_stage1(const struct world *world, const struct arena *arena, uint64_t va,
                        struct fh_arm_ipa_access *access, struct fh_arm_walk *walk)
{
    uint64_t table = world->s1_root;
    struct arena memory = *arena;
    access->is_table = true;
    for (unsigned shift = 30; shift >= 21; shift -= 9) {
        uint64_t word = 0;
        access->ipa = table + (va >> shift & 511) * 8;
        if (!walk_stage2(world, arena, access, walk))
            return false;
        arena_read(&memory, walk->output, &word);
        table = word & fh_arm_mask(47, 12);
        if ((word & 3) == 1) {
            access->ipa = table | (va & fh_arm_mask(shift - 1, 0));
            break;
        }
    }
    access->is_table = false;
    return true;
}

/*
 * The walk of both stages for one address: stage 1's tables, then the address itself. True if it is
 * translated; *access is what stage 2 was asked last.
 */
static bool walk_both(const struct world *world, const struct arena *arena, uint64_t va,
                      enum fh_arm_access_kind kind, bool is_el0, struct fh_arm_ipa_access *access,
                      struct fh_arm_walk *walk)
{
    *access = (struct fh_arm_ipa_access){.ipa = va, .kind = kind, .is_el0 = is_el0};
    if (world->has_stage1 && !walk_stage1(world, arena, va, access, walk))
        return false;
    return walk_stage2(world, arena, access, walk);
}

/*
 * The walks of an access, page by page. False if one of them ends in a fault, which *va, *access
 * and *walk are then about.
 */
static bool walk_all(const struct world *world, const struct arena *arena, const struct plan *plan,
                     uint64_t *va, struct fh_arm_ipa_access *access, struct fh_arm_walk *walk)
{
    const uint64_t end = plan->va + (plan->form ? plan->form->bytes : 4);
    for (*va = plan->va; *va < end; *va = (*va | 0xfff) + 1) {
        if (!walk_both(world, arena, *va, plan->kind, plan->is_el0, access, walk))
            return false;
    }
    return true;
}

/* Device memory of stage 2, at any of the access's pages. */
static bool touches_device(const struct world *world, const struct arena *arena,
                           const struct plan *plan)
{
    const uint64_t last = plan->va + plan->form->bytes - 1;
    for (uint64_t va = plan->va; va <= last; va = (va | 0xfff) + 1) {
        struct fh_arm_ipa_access access;
        struct fh_arm_walk walk;
        if (walk_both(world, arena, va, plan->kind, plan->is_el0, &access, &walk) &&
            walk.leaf.MemAttr < 4)
            return true;
    }
    return false;
}

/* --- Cases ------------------------------------------------------------------------------------ */

static uint64_t instruction_of(const struct plan *plan)
{
    return plan->form->word | plan->rn << 5 | plan->rt;
}

static void pick_registers(struct dice *dice, struct plan *plan)
{
    plan->rn = (unsigned)below(dice, 31);
    do
        plan->rt = (unsigned)below(dice, 32);
    while (plan->rt == plan->rn);
    for (unsigned i = 0; i < 31; i++)
        plan->test.x[i] = roll(dice);
    plan->test.x[plan->rn] = plan->va;
}

/* Where the data of an access lies, if it is all in one page and in the data's memory. */
static uint64_t probe_of(const struct world *world, const struct arena *arena,
                         const struct plan *plan)
{
    struct fh_arm_ipa_access access;
    struct fh_arm_walk walk;
    const uint64_t last = plan->va + (plan->form ? plan->form->bytes - 1 : 3);
    if (!world->is_valid || last >> 12 != plan->va >> 12 ||
        !walk_both(world, arena, plan->va, plan->kind, plan->is_el0, &access, &walk))
        return 0;
    return walk.output & ~UINT64_C(7);
}

static uint64_t at_of(const struct plan *plan)
{
    const bool is_write = plan->kind == FH_ARM_WRITE;
    return plan->is_el0 ? (is_write ? AT_E0W : AT_E0R) : (is_write ? AT_E1W : AT_E1R);
}

static void plan_fetch(struct dice *dice, struct plan *plan)
{
    enum { HVC_3 = 0xd4000062, SVC_3 = 0xd4000061 };
    plan->form = NULL;
    plan->kind = FH_ARM_FETCH;
    plan->va &= ~UINT64_C(3);
    plan->test.pc = plan->va;
    plan->test.before[0] = plan->is_el0 ? SVC_3 : (uint64_t)HVC_3;
    plan->test.before[0] |= plan->test.before[0] << 32;
    pick_registers(dice, plan);
}

/*
 * Some accesses are not aligned, and some of these cross into the next page: of the forms that may,
 * to memory that may be accessed so.
 */
static void misalign(const struct world *world, const struct arena *arena, struct dice *dice,
                     struct plan *plan)
{
    const uint64_t aligned = plan->va;
    if (plan->form->must_be_aligned || plan->form->bytes == 1 || !chance(dice, 20))
        return;
    if (chance(dice, 40))
        plan->va = (plan->va | 0xfff) - below(dice, plan->form->bytes);
    else
        plan->va += 1 + below(dice, 7);
    if (touches_device(world, arena, plan))
        plan->va = aligned;
}

static void plan_data(const struct world *world, const struct arena *arena, struct dice *dice,
                      struct plan *plan)
{
    plan->form = &forms[below(dice, FORMS)];
    plan->kind = plan->form->is_store ? FH_ARM_WRITE : FH_ARM_READ;
    plan->va &= ~(uint64_t)15;
    if (plan->form->bytes < 16)
        plan->va += below(dice, 16 / plan->form->bytes) * plan->form->bytes;
    misalign(world, arena, dice, plan);
    plan->test.pc = world->code_ipa;
    plan->test.before[0] = roll(dice);
    plan->test.before[1] = roll(dice);
    pick_registers(dice, plan);
    plan->test.instruction = instruction_of(plan);
}

void make_plan(const struct world *world, const struct arena *arena, struct dice *dice,
               struct plan *plan)
{
    memset(plan, 0, sizeof *plan);
    plan->test = (struct test_case){
        .vtcr = world->control.vtcr,
        .vttbr = world->control.vttbr,
        .hcr = world->control.hcr,
        .sctlr = world->sctlr,
        .tcr = world->tcr,
        .ttbr0 = world->ttbr0,
        .mair = world->mair,
        .vbar = world->code_ipa + VECTORS_OFFSET,
    };
    plan->is_el0 = chance(dice, 40);
    plan->va = world->targets[below(dice, WORLD_TARGETS)];
    if (chance(dice, 10)) /* elsewhere, beyond stage 2's input too */
        plan->va = roll(dice) & fh_arm_mask(world->has_stage1 ? 38 : world->cpu->pa_bits - 1, 3);
    if (world->has_stage1)
        plan->va |= UINT64_C(1) << 30;
    if (!world->is_valid)
        plan->va = world->code_ipa;
    if (!world->is_valid || (!world->has_stage1 && chance(dice, 12)))
        plan_fetch(dice, plan);
    else
        plan_data(world, arena, dice, plan);
    plan->test.is_el0 = plan->is_el0;
    plan->test.at = at_of(plan);
    plan->test.at_va = plan->va;
    plan->test.probe = probe_of(world, arena, plan);
}

/* --- What the model says ---------------------------------------------------------------------- */

static unsigned log2_of(unsigned bytes)
{
    return (unsigned)__builtin_ctz(bytes);
}

/* Stage 1's table of level 1 is its root, any other one is of level 2. */
static void take_stage1_level(const struct world *world, const struct fh_arm_ipa_access *access,
                              struct fh_arm_walk *walk)
{
    if (access->is_table && !walk->is_translated)
        walk->level = access->ipa >> 12 == world->s1_root >> 12 ? 1 : 2;
}

void predict(const struct world *world, const struct arena *arena, const struct plan *plan,
             bool takes_stage1_level, struct prediction *prediction)
{
    const struct form *form = plan->form;
    const struct fh_arm_attributes stage1 = {
        .attr = 0xff, .sh = world->has_stage1 ? FH_ARM_SH_INNER : FH_ARM_SH_NON};
    struct fh_arm_ipa_access access = {0};
    struct fh_arm_instruction instruction = {0};
    memset(prediction, 0, sizeof *prediction);
    if (form && form->is_described)
        instruction = (struct fh_arm_instruction){.is_described = true,
                                                  .size_log2 = log2_of(form->bytes),
                                                  .rt = plan->rt,
                                                  .is_64bit = form->is_64bit,
                                                  .is_signed = form->is_signed,
                                                  .is_ordered = form->is_ordered};
    prediction->is_abort =
        !walk_all(world, arena, plan, &instruction.va, &access, &prediction->walk);
    if (takes_stage1_level)
        take_stage1_level(world, &access, &prediction->walk);
    if (prediction->is_abort)
        fh_arm_abort_of(&prediction->walk, &access, &instruction, &prediction->abort);
    struct fh_arm_walk walk;
    const enum fh_arm_access_kind asked = plan->kind == FH_ARM_FETCH ? FH_ARM_READ : plan->kind;
    walk_both(world, arena, plan->va, asked, plan->is_el0, &access, &walk);
    if (takes_stage1_level)
        take_stage1_level(world, &access, &walk);
    prediction->par = fh_arm_par_of(&walk, &access, stage1);
}
