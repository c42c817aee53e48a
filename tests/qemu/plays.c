/* SPDX-License-Identifier: GPL-2.0-only */
#include "plays.h"

#include <faulthandler/faulthandler.h>

enum { STEPS = 300, PAGES = 24 };

/* --- Random numbers and lines ----------------------------------------------------------------- */

/* splitmix64 */
static uint64_t next(uint64_t *seed)
{
    uint64_t x = *seed += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

struct line {
    char text[256];
    size_t length;
};

static void put(struct line *line, const char *text)
{
    while (*text && line->length + 1 < sizeof line->text)
        line->text[line->length++] = *text++;
    line->text[line->length] = 0;
}

static void put_number(struct line *line, const char *name, uint64_t number)
{
    char digits[17] = {0};
    size_t i = sizeof digits - 1;
    put(line, " ");
    put(line, name);
    put(line, "=");
    do {
        digits[--i] = "0123456789abcdef"[number & 15];
        number >>= 4;
    } while (number);
    put(line, digits + i);
}

/* --- What a step changed ---------------------------------------------------------------------- */

static void add(uint64_t *sum, uint64_t value)
{
    *sum = (*sum ^ value) * 0x100000001b3u;
}

static void add_value(uint64_t *sum, const struct fh_type *type, const void *place)
{
    if (!place)
        return;
    if (type->kind == FH_KIND_TUPLE) {
        for (unsigned i = 0; i < type->nfields; i++)
            add(sum, fh_tuple_get(type, place, i));
    } else if (type->kind <= FH_KIND_ENUM) {
        add(sum, fh_scalar_get(type, place));
    }
}

static bool sum_up(void *context, const struct fh_change *change)
{
    uint64_t *sum = context;
    for (unsigned i = 0; i < change->path->length; i++) {
        const struct fh_step *step = &change->path->steps[i];
        for (const char *c = step->field; c && *c; c++)
            add(sum, (unsigned char)*c);
        for (unsigned j = 0; j < step->nkeys; j++)
            add(sum, step->keys[j]);
    }
    add_value(sum, change->type, change->after);
    return true;
}

/* --- Steps ------------------------------------------------------------------------------------ */

struct play {
    struct fh_state *state;
    uint64_t seed, base;
    struct fh_host_answer answer;
    put_line *put;
    void *context;
};

static struct fh_access_request random_access(struct play *play)
{
    const uint64_t random = next(&play->seed);
    struct fh_access_request access = {.by = {.kind = (enum fh_principal_kind)(random % 3),
                                              .vmid = 1 + (random >> 2 & 1),
                                              .bank = random >> 3 & 3},
                                       .kind = (enum fh_arm_access_kind)(random >> 5 & 1),
                                       .bytes = 1u << (random >> 6 & 3),
                                       .value = random,
                                       .rt = random >> 8 & 31,
                                       .is_signed = random >> 13 & 1,
                                       .has_tlb = random >> 14 & 1};
    const uint64_t page = (random >> 16) % PAGES, offset = random >> 32 & 0xfff;
    const bool is_of_device = (random >> 44 & 7) == 0;
    access.address = is_of_device                   ? 0x9000000 + (offset & ~UINT64_C(7))
                     : access.by.kind == FH_BY_HOST ? play->base + page * 4096 + offset
                     : access.by.kind == FH_BY_VM   ? 0x50000000 + page * 4096 + offset
                                                    : page * 4096 + offset;
    /* Half of the time the host gives a page of its choice, which may be somebody else's. */
    play->answer = (struct fh_host_answer){.kind = FH_HOST_GIVES,
                                           .pfn = (play->base >> 12) + (random >> 47) % PAGES};
    access.answers = &play->answer;
    access.nanswers = random >> 52 & 1;
    return access;
}

static void step_access(struct play *play, struct line *line)
{
    const struct fh_access_request access = random_access(play);
    struct fh_access_outcome outcome;
    fh_access(play->state, &access, &outcome);
    put(line, "access ");
    put(line, fh_access_end_name(outcome.end));
    put_number(line, "tries", outcome.tries);
    put_number(line, "value", outcome.value);
    put_number(line, "esr", outcome.abort.esr);
    put_number(line, "fsr", outcome.noted.fsr);
    put_number(line, "pa", outcome.pa);
    put_number(line, "foreign", outcome.is_foreign);
}

/* A device's mapping comes or goes. */
static void step_call(struct play *play, struct line *line)
{
    const uint64_t random = next(&play->seed);
    const uint64_t iova = random % PAGES * 4096;
    const uint64_t pa = play->base + (random >> 8) % PAGES * 4096;
    const uint32_t bank = random >> 16 & 3;
    const enum fh_status status = random >> 20 & 1
                                      ? fh_el2_arm_lpae_map(play->state, iova, pa, 0xc0, bank, 0)
                                      : fh_el2_arm_lpae_clear(play->state, iova, bank, 0);
    put(line, "call ");
    put(line, fh_status_message(status));
}

static void step(struct play *play)
{
    struct line line = {.length = 0};
    uint64_t sum = 0xcbf29ce484222325u;
    const struct fh_rdata *before = fh_state_snapshot(play->state);
    if (next(&play->seed) % 4 == 0)
        step_call(play, &line);
    else
        step_access(play, &line);
    fh_delta(before, fh_state_rdata(play->state), sum_up, &sum);
    fh_snapshot_release(before, fh_state_allocator(play->state));
    put_number(&line, "halt", fh_state_rdata(play->state)->halt);
    put_number(&line, "changes", sum);
    play->put(play->context, line.text);
}

static bool build(struct fh_state *state, uint64_t base)
{
    static const struct fh_scene_vm vms[] = {
        {.vmid = 1, .vcpus = 1}, {.vmid = 2, .vcpus = 1}, {.vmid = 3, .life = FH_SCENE_REGISTERED}};
    static const struct fh_scene_smmu smmu = {.base = 0x9000000};
    const struct fh_scene_region region = {.base = base, .size = 0x400000};
    const struct fh_scene_pages pages = {
        .vmid = 1, .gfn = 0x50000, .pfn = (base >> 12) + 4, .count = 4};
    const struct fh_scene scene = {.regions = &region,
                                   .nregions = 1,
                                   .smmus = &smmu,
                                   .nsmmus = 1,
                                   .vms = vms,
                                   .nvms = 3,
                                   .pages = &pages,
                                   .npages = 1};
    return fh_scene_build(state, &scene) == FH_OK && fh_scene_set_bank(state, 0, 1, 3) == FH_OK &&
           fh_scene_set_bank(state, 0, 2, 0) == FH_OK;
}

static void play_one(const struct fh_allocator *allocator, const struct fh_machine *machine,
                     uint64_t base, uint64_t seed, put_line *put_it, void *context)
{
    const struct fh_config config = {
        .machine = machine, .allocator = allocator, .realisation = FH_BOTH};
    struct play play = {.state = fh_state_new(&config),
                        .seed = seed,
                        .base = base,
                        .put = put_it,
                        .context = context};
    if (!play.state || !build(play.state, base)) {
        put_it(context, "no machine");
        return;
    }
    for (unsigned i = 0; i < STEPS; i++) {
        fh_begin(play.state);
        step(&play);
        /* In a machine that has halted nothing more happens. */
        if (fh_state_rdata(play.state)->halt)
            fh_undo(play.state);
        else
            fh_keep(play.state);
    }
    fh_state_free(play.state);
}

void plays(const struct fh_allocator *allocator, put_line *put_it, void *context)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        play_one(allocator, &fh_machine_spec, 0x200000, seed, put_it, context);
        play_one(allocator, &fh_machine_sekvm_4_18, 0x40000000, seed, put_it, context);
    }
}
