/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>

#include "trace/cbor_plan.h"

/* Reads records straight into lines, by the plans of their templates. */

struct filler {
    struct cbor_reader *reader;
    struct cbor_cursor at;
    struct trace_line *line;
    unsigned depth;
};

/* The plan of the next shape; NULL if there is none that can be followed. */
static const struct cbor_plan *next_plan(struct filler *filler, enum cbor_role role)
{
    struct cbor_cursor *at = &filler->at;
    if (at->shapes == at->shapes_end)
        return NULL;
    const unsigned number = cbor_load16(at->shapes);
    at->shapes += 2;
    if (number >= filler->reader->ntemplates)
        return NULL;
    struct cbor_template *template = filler->reader->templates[number];
    const struct cbor_plan *plan = template->plans[role];
    if (!plan)
        plan = cbor_plan_make(filler->reader, template, role);
    return plan->is_odd ? NULL : plan;
}

static bool has_words(const struct filler *filler, uint64_t count)
{
    return count <= (size_t)(filler->at.words_end - filler->at.words) / 8;
}

static bool copy_words(struct filler *filler, void *to, size_t count)
{
    if (!has_words(filler, count))
        return false;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(to, filler->at.words, count * 8);
#else
    for (size_t i = 0; i < count; i++)
        ((uint64_t *)to)[i] = cbor_load64(filler->at.words + 8 * i);
#endif
    filler->at.words += count * 8;
    return true;
}

/* The same for one word, which is the most frequent step. */
static inline bool copy_word(struct filler *filler, void *to)
{
    if (filler->at.words == filler->at.words_end)
        return false;
    const uint64_t word = cbor_load64(filler->at.words);
    memcpy(to, &word, sizeof word);
    filler->at.words += 8;
    return true;
}

static bool pass_words(struct filler *filler, uint64_t count)
{
    if (!has_words(filler, count))
        return false;
    filler->at.words += count * 8;
    return true;
}

static bool take_count(struct filler *filler, uint64_t *count)
{
    return copy_words(filler, count, 1);
}

static bool take_list(struct filler *filler, struct trace_list *list)
{
    uint64_t count;
    if (!take_count(filler, &count) || count > TRACE_LIST_MAX)
        return false;
    list->count = count;
    return copy_words(filler, list->values, count);
}

static bool take_gprs(struct filler *filler, struct trace_registers *registers)
{
    uint64_t count;
    registers->x_present = (1u << TRACE_GPRS) - 1;
    return take_count(filler, &count) && count == TRACE_GPRS &&
           copy_words(filler, registers->x, TRACE_GPRS);
}

static bool take_numbered_gprs(struct filler *filler, struct trace_registers *registers)
{
    uint64_t count;
    if (!take_count(filler, &count) || count > TRACE_GPRS || !has_words(filler, 2 * count))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t x = cbor_load64(filler->at.words + 8 * i);
        if (x >= TRACE_GPRS || registers->x_present >> x & 1)
            return false;
        registers->x[x] = cbor_load64(filler->at.words + 8 * (count + i));
        registers->x_present |= 1u << x;
    }
    return pass_words(filler, 2 * count);
}

static bool follow(struct filler *filler, const struct cbor_plan *plan, void *base);

static bool pass_shapes(struct filler *filler, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        const struct cbor_plan *plan = next_plan(filler, ROLE_PASS);
        if (!plan || !follow(filler, plan, filler->line))
            return false;
    }
    return true;
}

static bool make_room(struct cbor_reader *reader, size_t count)
{
    if (count <= reader->effects_room)
        return true;
    free(reader->effects);
    reader->effects_room = count + count / 2;
    reader->effects = malloc(reader->effects_room * sizeof *reader->effects);
    if (!reader->effects)
        reader->effects_room = 0;
    return reader->effects;
}

static bool take_effects(struct filler *filler)
{
    uint64_t count;
    if (!take_count(filler, &count) ||
        count > (size_t)(filler->at.shapes_end - filler->at.shapes) / 2 ||
        !make_room(filler->reader, count))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        struct trace_effect *effect = &filler->reader->effects[i];
        const struct cbor_plan *plan = next_plan(filler, ROLE_EFFECT);
        if (!plan)
            return false;
        *effect = plan->made.effect;
        if (!follow(filler, plan, effect))
            return false;
    }
    filler->line->nfx = count;
    filler->line->fx = filler->reader->effects;
    return true;
}

static bool take_shape(struct filler *filler, const struct cbor_step *step, void *base)
{
    const struct cbor_plan *plan = next_plan(filler, step->role);
    if (!plan)
        return false;
    if (step->role == ROLE_REGISTERS)
        ((struct trace_registers *)((char *)base + step->offset))->present = plan->present;
    return follow(filler, plan, (char *)base + step->offset);
}

/* Whether keys that do not ascend differ is seen where trees are made. */
static bool pass_keys(struct filler *filler, uint64_t count)
{
    const unsigned char *words = filler->at.words;
    if (!pass_words(filler, count))
        return false;
    for (uint64_t i = 1; i < count; i++) {
        if (cbor_load64(words + 8 * i) <= cbor_load64(words + 8 * (i - 1)))
            return false;
    }
    return true;
}

static bool pass(struct filler *filler, const struct cbor_step *step)
{
    uint64_t count;
    if (!take_count(filler, &count) || !has_words(filler, count))
        return false;
    switch (step->kind) {
    case STEP_PASS_WORDS: return pass_words(filler, count);
    case STEP_PASS_KEYED: return pass_keys(filler, count) && pass_words(filler, count);
    case STEP_PASS_KEYED_SHAPES: return pass_keys(filler, count) && pass_shapes(filler, count);
    default: return false;
    }
}

static bool take_step(struct filler *filler, const struct cbor_step *step, void *base)
{
    char *place = (char *)base + step->offset;
    uint64_t count;
    switch (step->kind) {
    case STEP_COPY: return copy_words(filler, place, step->count);
    case STEP_PASS: return pass_words(filler, step->count);
    case STEP_LIST: return take_list(filler, (struct trace_list *)place);
    case STEP_GPRS: return take_gprs(filler, base);
    case STEP_NUMBERED_GPRS: return take_numbered_gprs(filler, base);
    case STEP_NO_EFFECTS: return take_count(filler, &count) && count == 0;
    case STEP_EFFECTS: return take_effects(filler);
    case STEP_TEXT: memcpy(place, &step->text, sizeof step->text); return true;
    case STEP_SHAPE: return take_shape(filler, step, base);
    case STEP_PASS_SHAPES: return take_count(filler, &count) && pass_shapes(filler, count);
    default: return pass(filler, step);
    }
}

static bool follow(struct filler *filler, const struct cbor_plan *plan, void *base)
{
    if (filler->depth >= CBOR_DEPTH_MAX)
        return false;
    filler->depth++;
    for (const struct cbor_step *step = plan->steps; step < plan->steps + plan->nsteps; step++) {
        const bool is_word = step->kind == STEP_COPY && step->count == 1;
        if (!(is_word ? copy_word(filler, (char *)base + step->offset)
                      : take_step(filler, step, base)))
            return false;
    }
    filler->depth--;
    return true;
}

bool cbor_line(struct cbor_reader *reader, struct trace_line *line)
{
    struct filler filler = {reader, reader->record, line, 0};
    const struct cbor_plan *plan = next_plan(&filler, ROLE_LINE);
    if (!plan || reader->record.nvalues > 0)
        return false;
    *line = plan->made.line;
    return follow(&filler, plan, line) && filler.at.shapes == filler.at.shapes_end &&
           filler.at.words == filler.at.words_end;
}
