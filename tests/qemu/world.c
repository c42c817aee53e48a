/* SPDX-License-Identifier: GPL-2.0-only */
#include "world.h"

#include <string.h>

#include <faulthandler/arm_registers.h>

static const struct cpu cpus[] = {
    {"cortex-a57", 44, false, false, false, 0xf, 4},
    {"max", 52, true, true, true, 0xf, 6},
};

const struct cpu *find_cpu(const char *name)
{
    for (size_t i = 0; i < sizeof cpus / sizeof *cpus; i++) {
        if (strcmp(cpus[i].name, name) == 0)
            return &cpus[i];
    }
    return NULL;
}

/* --- Numbers ---------------------------------------------------------------------------------- */

/* splitmix64 */
uint64_t roll(struct dice *dice)
{
    uint64_t z = dice->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t below(struct dice *dice, uint64_t n)
{
    return roll(dice) % n;
}

bool chance(struct dice *dice, unsigned percent)
{
    return below(dice, 100) < percent;
}

/* --- Memory of tables ------------------------------------------------------------------------- */

bool arena_read(void *context, uint64_t address, uint64_t *word)
{
    const struct arena *arena = context;
    if (address < TABLES_AT || address >= TABLES_AT + (uint64_t)ARENA_BYTES)
        return false;
    *word = arena->words[(address - TABLES_AT) / 8];
    return true;
}

static uint64_t *word_at(const struct arena *arena, uint64_t address)
{
    return &arena->words[(address - TABLES_AT) / 8];
}

/* Physical address of a new table of zeros; the arena is made large enough for all worlds. */
static uint64_t new_table(struct arena *arena, uint64_t size)
{
    arena->used = (arena->used + size - 1) & ~(size - 1);
    const uint64_t at = TABLES_AT + arena->used;
    arena->used += size;
    return at;
}

/* --- Stage 2 ---------------------------------------------------------------------------------- */

static unsigned pick_granule(const struct world *world, struct dice *dice)
{
    static const unsigned granules[] = {12, 12, 12, 12, 16, 14};
    return granules[below(dice, world->cpu->has_16k ? 6 : 5)];
}

static uint64_t granule_size(const struct world *world)
{
    return UINT64_C(1) << world->form.stage2.granule_bits;
}

/* VTCR_EL2: mostly one that selects a form. */
static uint64_t pick_vtcr(const struct world *world, struct dice *dice)
{
    const unsigned granule = pick_granule(world, dice);
    struct fh_arm_vtcr_el2 vtcr = {
        .RES1 = 1,
        .TG0 = granule == 16   ? 1
               : granule == 14 ? 2
                               : 0,
        .SH0 = 3,
        .ORGN0 = 1,
        .IRGN0 = 1,
        .SL0 = below(dice, 4),
        .PS = chance(dice, 70) ? 4 : below(dice, 6),
        .T0SZ = 16 + below(dice, 33),
    };
    return fh_arm_vtcr_el2_word(&vtcr);
}

/*
 * What QEMU answers with a fault of its own, and is left out: input addresses longer than output
 * addresses (CONSTRAINED UNPREDICTABLE); and a start level that the CPU's addresses are long enough
 * for, but not those that VTCR_EL2.PS selects (the manual's AArch64.S2InvalidSL looks at the
 * CPU's).
 */
static bool is_refused_by_qemu(const struct fh_arm_stage2_form *form)
{
    const int level = form->start_level;
    const unsigned bits = form->output_bits;
    if (form->input_bits > bits)
        return true;
    switch (form->stage2.granule_bits) {
    case 12: return level == 0 && bits <= 42;
    case 14: return level == 1 && bits <= 40;
    default: return level == 1 && bits <= 42;
    }
}

static void pick_control(struct world *world, struct dice *dice)
{
    const bool must_be_valid = chance(dice, 90);
    world->control = (struct fh_arm_stage2_control){.pa_bits = world->cpu->pa_bits,
                                                    .has_xnx = world->cpu->has_xnx,
                                                    .has_ttst = world->cpu->has_ttst,
                                                    .has_lpa = world->cpu->pa_bits == 52};
    do {
        world->control.vtcr = pick_vtcr(world, dice);
        world->is_valid = fh_arm_select_form(&world->control, &world->form);
    } while (is_refused_by_qemu(&world->form) || (world->is_valid && world->form.input_bits < 20) ||
             (must_be_valid && !world->is_valid));
}

static uint64_t leaf_attributes(const struct world *world, struct dice *dice)
{
    static const uint64_t types[] = {15, 15, 15, 15, 15, 5, 10, 7, 13, 0, 1, 2, 3};
    struct fh_arm_stage2_leaf leaf = {
        .IGNORED = chance(dice, 10),
        .PBHA = chance(dice, 10) ? below(dice, 16) : 0,
        .SOFTWARE = below(dice, 16),
        .XN = chance(dice, 60) ? 0 : below(dice, 4),
        .FnXS = chance(dice, 10),
        .AF = chance(dice, 88),
        .SH = (uint64_t[]){0, 2, 3, 3}[below(dice, 4)],
        .S2AP = chance(dice, 60) ? 3 : below(dice, 4),
        .MemAttr = types[below(dice, sizeof types / sizeof *types)],
    };
    (void)world;
    return fh_arm_stage2_leaf_word(&leaf);
}

/* A frame of data: where a block is larger than the data, all of it lies in the block. */
static uint64_t pick_output(struct dice *dice, uint64_t size)
{
    const uint64_t address = DATA_AT + below(dice, DATA_END - DATA_AT);
    return address & ~(size - 1);
}

/* Now and then an address beyond what VTCR_EL2.PS allows. */
static uint64_t spoil(const struct world *world, struct dice *dice, uint64_t address)
{
    const unsigned bits = world->form.output_bits;
    return bits < 48 && chance(dice, 5) ? address | UINT64_C(1) << (bits + below(dice, 48 - bits))
                                        : address;
}

static uint64_t new_leaf(const struct world *world, struct dice *dice, int level)
{
    const uint64_t size = UINT64_C(1) << fh_arm_level_shift(world->form.stage2.granule_bits, level);
    const uint64_t kind = level == 3 ? 3 : 1;
    return spoil(world, dice, pick_output(dice, size)) | leaf_attributes(world, dice) | kind;
}

/* Any descriptor but a table: invalid, reserved, block, page. */
static uint64_t new_end(const struct world *world, struct dice *dice, int level)
{
    if (chance(dice, 12))
        return roll(dice) & ~UINT64_C(1);
    if (level == 3 && chance(dice, 10))
        return (roll(dice) & ~UINT64_C(3)) | 1;
    return new_leaf(world, dice, level);
}

static uint64_t index_at(const struct world *world, int level, uint64_t ipa)
{
    const unsigned granule = world->form.stage2.granule_bits;
    const uint64_t index = ipa >> fh_arm_level_shift(granule, level);
    return level == world->form.start_level ? index : index & ((1u << (granule - 3)) - 1);
}

/* The word that holds the level-3 descriptor of an address, with all tables above it. */
static uint64_t *page_word(const struct world *world, struct arena *arena, uint64_t ipa)
{
    uint64_t table = world->form.root;
    for (int level = world->form.start_level;; level++) {
        uint64_t *word = word_at(arena, table + index_at(world, level, ipa) * 8);
        if (level == 3)
            return word;
        if (!*word)
            *word = new_table(arena, granule_size(world)) | 3;
        table = *word & fh_arm_mask(47, 12);
    }
}

static void map_page(const struct world *world, struct arena *arena, uint64_t ipa, uint64_t pa)
{
    const struct fh_arm_stage2_leaf leaf = {
        .AF = 1, .SH = FH_ARM_SH_INNER, .S2AP = 3, .MemAttr = 15, .TYPE = 3};
    *page_word(world, arena, ipa) = pa | fh_arm_stage2_leaf_word(&leaf);
}

/* What the walk for this address finds, decided where nothing was decided yet. */
static void grow_towards(const struct world *world, struct arena *arena, struct dice *dice,
                         uint64_t ipa)
{
    const struct fh_arm_stage2 *stage2 = &world->form.stage2;
    uint64_t table = world->form.root;
    for (int level = world->form.start_level;; level++) {
        uint64_t *word = word_at(arena, table + index_at(world, level, ipa) * 8);
        const bool is_small = fh_arm_level_shift(stage2->granule_bits, level) <= 30;
        const bool may_end = level == 3 || (is_small && fh_arm_level_has_blocks(stage2, level));
        if (!*word && (level == 3 || chance(dice, may_end ? 30 : 5))) {
            *word = may_end ? new_end(world, dice, level) : roll(dice) & ~UINT64_C(1);
            return;
        }
        if (!*word)
            *word = spoil(world, dice, new_table(arena, granule_size(world))) |
                    below(dice, 32) << 59 | 3;
        const struct fh_arm_descriptor descriptor = fh_arm_descriptor_of(stage2, level, *word);
        if (descriptor.kind != FH_ARM_TABLE || descriptor.address >> world->form.output_bits)
            return;
        table = descriptor.address;
    }
}

/*
 * An address whose offset in any block leads to data: its low 30 bits are those of a data address,
 * so that a block of 1 GiB at 1 GiB maps it there.
 */
static uint64_t pick_target(const struct world *world, struct dice *dice)
{
    const unsigned most = world->has_stage1 ? 39 : world->form.input_bits;
    const uint64_t limit = UINT64_C(1) << most;
    const uint64_t offset = DATA_AT + below(dice, DATA_END - DATA_AT - 64);
    uint64_t ipa = (roll(dice) & ~fh_arm_mask(29, 0)) | (offset & fh_arm_mask(29, 0));
    if (chance(dice, 30))
        ipa &= fh_arm_mask(32, 0);
    if (world->has_stage1)
        ipa |= UINT64_C(1) << 30;
    return ipa & (limit - 1) & ~UINT64_C(7);
}

static void make_root(struct world *world, struct arena *arena)
{
    const unsigned shift =
        fh_arm_level_shift(world->form.stage2.granule_bits, world->form.start_level);
    uint64_t bytes = UINT64_C(8) << (world->form.input_bits - shift);
    if (bytes < 64)
        bytes = 64;
    /* Concatenated tables and short ones alike lie on a boundary of their own size. */
    const struct fh_arm_vttbr_el2 vttbr = {.VMID = 7, .BADDR = new_table(arena, bytes) >> 1};
    world->control.vttbr = fh_arm_vttbr_el2_word(&vttbr);
    fh_arm_select_form(&world->control, &world->form);
}

/* --- Stage 1 ---------------------------------------------------------------------------------- */

enum { S1_BLOCK = 1 | 1 << 10 | 3 << 8, S1_RO_ALL = 3 << 6, S1_RW_ALL = 1 << 6 };

/*
 * A table of 512 GiB. Its first GiB, the code's, is a block that leaves addresses as they are; the
 * others lead to a few tables of level 2, each of which has one GiB of intermediate addresses. How
 * stage 2 treats the pages of these tables differs.
 */
static void make_stage1(struct world *world, struct arena *arena, struct dice *dice)
{
    enum { T0SZ_39 = 25, IPS_48 = 5, TCR = T0SZ_39 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 };
    const uint64_t page = granule_size(world);
    const uint64_t root = new_table(arena, page);
    world->s1_root = page * 3;
    map_page(world, arena, world->s1_root, root);
    *word_at(arena, root) = S1_BLOCK | S1_RO_ALL;
    for (uint64_t i = 0; i < S1_TABLES; i++) {
        const uint64_t ipa = page * (4 + i), table = new_table(arena, page);
        map_page(world, arena, ipa, table);
        if (i > 0 && chance(dice, 60))
            *page_word(world, arena, ipa) =
                chance(dice, 20) ? 0 : spoil(world, dice, table) | leaf_attributes(world, dice) | 3;
        for (uint64_t n = 0; n < 512; n++)
            *word_at(arena, table + n * 8) = (i + 1) << 30 | n << 21 | S1_BLOCK | S1_RW_ALL;
        for (uint64_t gib = 1 + i; gib < 512; gib += S1_TABLES)
            *word_at(arena, root + gib * 8) = ipa | 3;
    }
    world->sctlr |= 1 | 1 << 2 | 1 << 12;
    world->tcr = (uint64_t)TCR | (uint64_t)IPS_48 << 32;
    world->ttbr0 = world->s1_root;
    world->mair = 0xff;
}

/* The intermediate address of a virtual one, where stage 1 has its way. */
static uint64_t ipa_of(const struct world *world, uint64_t va)
{
    const uint64_t gib = va >> 30;
    if (!world->has_stage1 || gib == 0)
        return va;
    return ((gib - 1) % S1_TABLES + 1) << 30 | (va & fh_arm_mask(29, 0));
}

void make_world(struct world *world, struct arena *arena, struct dice *dice)
{
    struct fh_arm_hcr_el2 hcr = {.RW = 1, .VM = 1, .AMO = 1, .IMO = 1, .FMO = 1};
    pick_control(world, dice);
    /* Table pages of stage 1 lie in the first megabytes. */
    world->has_stage1 = world->is_valid && world->form.input_bits >= 33 && chance(dice, 30);
    hcr.DC = !world->has_stage1;
    hcr.PTW = world->has_stage1 && chance(dice, 25);
    world->control.hcr = fh_arm_hcr_el2_word(&hcr);
    world->code_ipa = world->is_valid ? granule_size(world) : 0x10000;
    world->sctlr = 0x30d00800;
    if (!world->is_valid)
        return;
    make_root(world, arena);
    map_page(world, arena, world->code_ipa, CODE_AT);
    if (world->has_stage1)
        make_stage1(world, arena, dice);
    for (unsigned i = 0; i < WORLD_TARGETS; i++) {
        world->targets[i] = pick_target(world, dice);
        grow_towards(world, arena, dice, ipa_of(world, world->targets[i]));
    }
}
