/* SPDX-License-Identifier: GPL-2.0-only */
#include "twin/twin_state.h"

#include <string.h>

/*
 * Which departures explain a trap: those without which the prediction would not be what was
 * recorded. A trap is taken back and taken again without each that it asked for. Traps that are
 * alike have the same answer.
 */

/* --- Traps that are alike -------------------------------------------------------------------- */

enum { DISTINCT_SLOTS = 256 };
#define EMPTY_HASH UINT64_C(0xcbf29ce484222325)

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash ^= value;
    return hash * UINT64_C(0x100000001b3);
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = mix(hash, (unsigned char)*text);
    return hash;
}

/* Numbers of things and states as they are; of an address only that there is one, and its marks. */
static uint64_t rough(uint64_t value)
{
    enum { SMALL = 256, MARKS = 48 };
    return value < SMALL ? value : SMALL + (value >> MARKS);
}

/* The kinds of effects, what they are on and, roughly, with which values. */
static uint64_t mix_effect(uint64_t hash, const struct trace_effect *effect)
{
    unsigned count;
    uint64_t before = 0;
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    hash = mix(hash, (uint64_t)effect->kind << 32 | effect->present);
    for (unsigned i = 0; i < count; i++) {
        if (!(effect->present >> i & 1) || fields[i].format == TRACE_list)
            continue;
        if (fields[i].format == TRACE_text) {
            hash = mix_text(hash, trace_field_text(effect, &fields[i]));
            continue;
        }
        const uint64_t value = trace_field_word(effect, &fields[i]);
        hash = mix(hash, rough(value) << 1 | (value == before));
        before = value;
    }
    return hash;
}

static uint64_t mix_panic(uint64_t hash, const struct prediction_panic *panic)
{
    hash = mix_text(hash, panic->function ? panic->function : "");
    return mix_text(hash, panic->condition ? panic->condition : "");
}

/*
 * Effects, with those before them, that differ from one another: how often the same ones come is of
 * no account, so that a trap that clears three pages is like one that clears thirty.
 */
struct distinct {
    uint64_t sum;
    size_t count;
    uint64_t seen[DISTINCT_SLOTS]; /* 0: none */
};

static void add_distinct(struct distinct *distinct, uint64_t hash)
{
    hash = hash != 0 ? hash : 1;
    size_t at = hash % DISTINCT_SLOTS;
    while (distinct->seen[at] != 0 && distinct->seen[at] != hash)
        at = (at + 1) % DISTINCT_SLOTS;
    if (distinct->seen[at] == hash)
        return;
    distinct->sum += mix(hash, hash >> 32);
    if (distinct->count < DISTINCT_SLOTS / 2) {
        distinct->seen[at] = hash;
        distinct->count++;
    }
}

static uint64_t hash_of_effects(const struct prediction *prediction)
{
    struct distinct distinct = {0};
    uint64_t before = 0;
    for (size_t i = 0; i < prediction->neffects; i++) {
        const uint64_t hash = mix_effect(EMPTY_HASH, &prediction->effects[i]);
        add_distinct(&distinct, mix(before, hash));
        before = hash;
    }
    return distinct.sum;
}

/* Does the trap go from the host to a vCPU, or back? */
static bool changes_world(enum trace_kind kind, enum prediction_end end)
{
    return end == (kind == TRACE_KIND_guest_exit ? PREDICTED_HOST : PREDICTED_GUEST);
}

/*
 * Which registers are not at the end what they were at entry, as bits. Where another context was
 * loaded, it is chance which general registers have the same value in both.
 */
static uint64_t changed_registers(const struct trace_registers *in,
                                  const struct trace_registers *out, bool is_other_context)
{
    uint64_t changed = 0;
    for (unsigned i = 0; i < TRACE_REGISTERS; i++) {
        if ((out->present & in->present) >> i & 1)
            changed |= (uint64_t)(out->values[i] != in->values[i]) << i;
    }
    for (unsigned i = 0; i < TRACE_GPRS && !is_other_context; i++) {
        if (out->x_present >> i & 1)
            changed |= (uint64_t)(out->x[i] != in->x[i]) << (TRACE_REGISTERS + i);
    }
    return changed;
}

static uint64_t signature_of(const struct twin *twin, const struct fh_departures *asked)
{
    enum { EC_SHIFT = 26 };
    const struct prediction *prediction = &twin->by_machine;
    const bool is_call = twin->line->kind == TRACE_KIND_host_hvc;
    uint64_t hash = EMPTY_HASH;
    hash = mix(mix(hash, asked->bits[0]), asked->bits[1]);
    hash = mix(hash, twin->line->kind);
    hash =
        mix(hash, is_call ? twin->line->in.x[0] : twin->line->in.values[TRACE_REG_esr] >> EC_SHIFT);
    hash = mix(mix(hash, prediction->end), twin->line->exit_code);
    hash = mix(hash, changed_registers(&twin->line->in, &prediction->out,
                                       changes_world(twin->line->kind, prediction->end)));
    for (size_t i = 0; i < prediction->npanics; i++)
        hash = mix_panic(hash, &prediction->panics[i]);
    hash = mix(hash, hash_of_effects(prediction));
    return hash != 0 ? hash : 1;
}

/* Where the signature stands, or may. */
static struct twin_signature *signature_at(struct twin *twin, uint64_t hash)
{
    enum { NEAR = 8 };
    for (uint64_t i = 0; i < NEAR; i++) {
        struct twin_signature *at = &twin->signatures[(hash + i) % TWIN_SIGNATURES];
        if (at->hash == hash || at->hash == 0)
            return at;
    }
    return &twin->signatures[hash % TWIN_SIGNATURES];
}

/* --- Which of them --------------------------------------------------------------------------- */

static bool is_halt(const struct machine_halt *halt, const struct prediction_panic *panic)
{
    return panic->function && strcmp(halt->function, panic->function) == 0 &&
           (!halt->condition || (panic->condition && strstr(panic->condition, halt->condition)));
}

static bool halts_in(const struct machine_entry *entry, const struct prediction *prediction)
{
    for (size_t i = 0; i < entry->nhalts; i++) {
        for (size_t j = 0; j < prediction->npanics; j++) {
            if (is_halt(&entry->halts[i], &prediction->panics[j]))
                return true;
        }
    }
    return false;
}

/*
 * What the departure amounts to here. Without it the trap halts where an entry that follows says;
 * or it halts before, and the machine, which goes on, panics there.
 */
static void credit_consequences(const struct twin *twin, struct trap_verdict *verdict,
                                const char *departure)
{
    if (twin->other.npanics == 0)
        return;
    for (unsigned i = 0; catalogue_at(twin->description, i); i++) {
        const struct machine_entry *entry = catalogue_at(twin->description, i);
        if (entry->nhalts > 0 && machine_entry_follows(entry, departure) &&
            (halts_in(entry, &twin->other) || halts_in(entry, &twin->by_machine)))
            credits_add(&verdict->credits, i);
    }
}

/* Does the record differ without it? Where entries follow from it by how the trap halts, the trap
 * is taken to its end. */
static bool is_needed(struct twin *twin, const struct fh_departures *less, unsigned departure)
{
    const char *id = fh_machine_departure(twin->code, departure);
    struct differences found;
    for (unsigned i = 0; catalogue_at(twin->description, i); i++) {
        const struct machine_entry *entry = catalogue_at(twin->description, i);
        if (entry->nhalts > 0 && machine_entry_follows(entry, id)) {
            twin_take_again(twin, less, &twin->other, &found);
            return found.count > 0;
        }
    }
    return twin_differs(twin, less);
}

/* The trap was taken again without this one. */
static void credit_departure(const struct twin *twin, struct trap_verdict *verdict,
                             unsigned departure)
{
    unsigned entry;
    const char *id = fh_machine_departure(twin->code, departure);
    if (catalogue_find(twin->description, id, &entry))
        credits_add(&verdict->credits, entry);
    credit_consequences(twin, verdict, id);
}

/* Where each is dispensable alone, but not all together: those that are left when one after the
 * other goes. */
static void credit_what_is_left(struct twin *twin, const struct fh_departures *asked,
                                struct trap_verdict *verdict)
{
    struct fh_departures set = twin->machine;
    for (unsigned i = 0; fh_machine_departure(twin->code, i); i++) {
        struct fh_departures less = set;
        if (!fh_departs(asked, i) || !fh_departs(&set, i))
            continue;
        fh_departures_remove(&less, i);
        if (!is_needed(twin, &less, i))
            set = less;
        else
            credit_departure(twin, verdict, i);
    }
}

static void credit_each(struct twin *twin, const struct fh_departures *asked,
                        struct trap_verdict *verdict)
{
    for (unsigned i = 0; fh_machine_departure(twin->code, i); i++) {
        struct fh_departures less = twin->machine;
        if (!fh_departs(asked, i) || !fh_departs(&twin->machine, i))
            continue;
        fh_departures_remove(&less, i);
        if (is_needed(twin, &less, i))
            credit_departure(twin, verdict, i);
    }
    if (credits_are_none(&verdict->credits))
        credit_what_is_left(twin, asked, verdict);
}

static void find_credits(struct twin *twin, const struct fh_departures *asked,
                         struct trap_verdict *verdict)
{
    if (twin_differs(twin, &twin->none))
        credit_each(twin, asked, verdict);
    twin_take_as_machine(twin);
}

void twin_give_credit(struct twin *twin, const struct fh_departures *asked,
                      struct trap_verdict *verdict)
{
    if (twin->credit == CREDIT_NONE)
        return;
    const uint64_t hash = twin->credit == CREDIT_ALL ? 0 : signature_of(twin, asked);
    struct twin_signature *signature = hash != 0 ? signature_at(twin, hash) : NULL;
    if (signature && signature->hash == hash) {
        verdict->credits = signature->credits;
        return;
    }
    find_credits(twin, asked, verdict);
    if (signature)
        *signature = (struct twin_signature){hash, verdict->credits};
}
