/* SPDX-License-Identifier: GPL-2.0-only */
#include "state/sound.h"

#include "base/map_sound.h"
#include "base/refs.h"
#include "state/log.h"
#include "state/machine.h"

/*
 * What machine.h, journal.h, places.h and log.h say in prose, as functions. Each invariant has a
 * label, by which a report is found here. None of them changes anything or needs memory.
 */
struct sound_check {
    const struct fh_state *s;
    unsigned level;
    const char *broken;
};

/* False, with the invariant that is broken. */
static bool is_kept(struct sound_check *c, bool holds, const char *invariant)
{
    if (!holds)
        c->broken = invariant;
    return holds;
}
#define KEPT(c, holds, invariant) is_kept(c, holds, invariant)

/* --- The journal -------------------------------------------------------------------------------
 */

/* That of pages or of a table's mappings, or none. */
static bool is_cursor(const struct fh_state *s, uint16_t number)
{
    const size_t first = offsetof(struct known_places, npts) + offsetof(struct npt_place, pt);
    const size_t offset = number - first;
    return number == 0 || number == offsetof(struct known_places, pages) ||
           (offset < sizeof s->places.npts && offset % sizeof *s->places.npts == 0);
}

/*
 * From its newest record to its oldest; all of them together are as long as the journal. On level 1
 * those of the last call: a transaction of many calls would have them looked at again and again.
 */
static bool has_whole_records(struct sound_check *c)
{
    const struct journal *journal = &c->s->journal;
    const size_t oldest = c->level < 2 ? journal->call : 0;
    size_t used = journal->used;
    while (used > oldest) {
        if (!KEPT(c, used >= sizeof(struct record), "[J-SIZE-2] a journal holds whole records"))
            return false;
        const struct record *record = record_before(journal, used);
        const size_t size = sizeof *record + padded(record->payload);
        if (!KEPT(c, size <= used - oldest, "[J-SIZE-2] a journal holds whole records") ||
            !KEPT(c, record->kind <= RECORD_UNDONE, "[J-KIND-1] a record is of a known kind") ||
            !KEPT(c, is_cursor(c->s, record->cursor),
                  "[J-CURSOR-1] the cursor of a record is one of those that are kept"))
            return false;
        used -= size;
    }
    return true;
}

static bool journal_is_sound(struct sound_check *c)
{
    const struct journal *journal = &c->s->journal;
    return KEPT(c, journal->used <= journal->size, "[J-SIZE-1] a journal fits in its memory") &&
           KEPT(c, journal->call <= journal->used,
                "[J-CALL-1] the last call begins where the journal has records, or ends") &&
           KEPT(c, journal->mark <= journal->used,
                "[J-MARK-1] the innermost transaction begins within the journal") &&
           KEPT(c, journal->depth > 0 || journal->mark == 0,
                "[J-MARK-2] no transaction is open that nobody began") &&
           KEPT(c, journal->regs <= journal->used && journal->shared <= journal->used,
                "[J-END-1] what is noted of records is about records that there are") &&
           has_whole_records(c);
}

/* --- The hash ----------------------------------------------------------------------------------
 */

/* Where none is kept all codes are 0. */
static bool codes_are_sound(struct sound_check *c)
{
    const struct known_places *places = &c->s->places;
    for (uint64_t id = 0; id < LOCK_PLACES; id++) {
        const struct lock_place *place = &places->locks[id];
        if (place->age == places->lock_age &&
            !KEPT(c, place->taken == hash_of_taken_lock(c->s, id),
                  "[H-LOCK-1] what a taken lock adds to the hash is known"))
            return false;
    }
    for (uint64_t vmid = 0; vmid < NPT_PLACES; vmid++) {
        const struct npt_place *place = &places->npts[vmid];
        if (place->age == places->age &&
            !KEPT(c, place->code == hash_code_of_npt(c->s, vmid),
                  "[H-CODE-1] the code of a table is that of where it stands"))
            return false;
    }
    return true;
}

static bool hash_is_sound(struct sound_check *c)
{
    return codes_are_sound(c) &&
           (c->level < 2 || KEPT(c, hash_is_of_data(c->s),
                                 "[H-SUM-1] the hash that setters keep is that of the data"));
}

/* --- Places ------------------------------------------------------------------------------------
 */

static bool lock_places_are_sound(struct sound_check *c)
{
    const struct known_places *places = &c->s->places;
    const struct fh_map *logs = &c->s->adt->log, *locks = &c->s->adt->lock;
    for (uint64_t id = 0; id < LOCK_PLACES; id++) {
        const struct lock_place *place = &places->locks[id];
        if (!places->is_status_old &&
            !KEPT(c, places->status[id] == (uint8_t)find_lock_status(c->s, id),
                  "[P-STATUS-1] the status of a lock is what the data say"))
            return false;
        if (place->age == places->lock_age &&
            (!KEPT(c, place->log == fh_map_find(logs, &type_of_log->as_value, id),
                   "[P-LOCK-1] the log of a lock stands where it was found") ||
             !KEPT(c, place->status == fh_map_find(locks, &type_of_lock_status->as_value, id),
                   "[P-LOCK-2] the status of a lock stands where it was found")))
            return false;
    }
    return true;
}

static bool cursor_is_sound(struct sound_check *c, const struct map_cursor *cursor,
                            const struct fh_map *map)
{
    bool is_own;
    if (cursor->age != c->s->places.age)
        return true;
    return KEPT(c, cursor->leaf == map_leaf(map, cursor->prefix, &is_own),
                "[P-LEAF-1] a leaf stands where it was found") &&
           KEPT(c, !cursor->is_own || is_own,
                "[P-LEAF-2] nobody shares the way to a leaf that is written where it stands");
}

static bool npt_places_are_sound(struct sound_check *c)
{
    const struct known_places *places = &c->s->places;
    const struct fh_map *npts = &c->s->adt->shared.npts;
    for (uint64_t vmid = 0; vmid < NPT_PLACES; vmid++) {
        const struct npt_place *place = &places->npts[vmid];
        if (place->age != places->age)
            continue;
        bool is_own;
        /* A VM that has no table reads that of the map's default. */
        const void *entry = fh_map_get(npts, &type_of_ref_npt->as_value, vmid);
        if (!KEPT(c, place->npt == fh_ref_record(type_of_ref_npt, entry),
                  "[P-NPT-1] the record of a table stands where it was found"))
            return false;
        map_leaf(npts, vmid >> BITS, &is_own);
        if (!KEPT(c, !place->is_own || (is_own && !refs_shared(&place->npt->references)),
                  "[P-NPT-2] nobody shares a record that is written where it stands") ||
            !cursor_is_sound(c, &place->pt, &place->npt->pt))
            return false;
    }
    return true;
}

static bool ctxts_are_sound(struct sound_check *c)
{
    const struct known_places *places = &c->s->places;
    const struct fh_map *ctxts = &c->s->adt->shadow_ctxts;
    for (unsigned i = 0; i < CTXT_PLACES; i++) {
        const struct ctxt_known *known = &places->ctxts[i];
        if (known->age != places->age)
            continue;
        bool is_own;
        const void *entry = fh_map_get(ctxts, &type_of_ref_ctxt->as_value, known->id);
        map_leaf(ctxts, known->id >> BITS, &is_own);
        if (!KEPT(c, known->ctxt == fh_ref_record(type_of_ref_ctxt, entry),
                  "[P-CTXT-1] a shadow context stands where it was found") ||
            !KEPT(c, !known->is_own || is_own,
                  "[P-CTXT-2] nobody shares the way to a context that is written where it stands"))
            return false;
    }
    return true;
}

static bool smmus_are_sound(struct sound_check *c)
{
    const struct known_places *places = &c->s->places;
    const struct fh_smmu_conf *conf = c->s->adt->smmu_conf;
    const struct fh_map_type *type = &type_of_u64->as_value;
    for (uint64_t i = 0; places->smmus_age == places->age && i < SMMU_PLACES; i++) {
        const uint64_t *base = fh_map_get(&conf->smmu_phys_base, type, i);
        const uint64_t *size = fh_map_get(&conf->smmu_size, type, i);
        if (!KEPT(c, places->smmus[i].base == *base && places->smmus[i].size == *size,
                  "[P-SMMU-1] an SMMU is where it was found"))
            return false;
    }
    return true;
}

static bool owners_are_sound(struct sound_check *c)
{
    return KEPT(c, map_knows_classes(&c->s->adt->shared.s2page, &picker_of_owners),
                "[M-CLASS-1] a node that knows the classes of owners below knows all of them");
}

static bool cursors_are_sound(struct sound_check *c)
{
    const struct known_places *places = &c->s->places;
    const struct fh_rdata *adt = c->s->adt;
    return cursor_is_sound(c, &places->pages, &adt->shared.s2page) &&
           cursor_is_sound(c, &places->flatmem, &adt->shared.flatmem) &&
           cursor_is_sound(c, &places->data_log, &adt->data_log) &&
           cursor_is_sound(c, &places->core_data_log, &adt->core_data_log);
}

/* --- Values, records and logs ------------------------------------------------------------------
 */

/* Of a log whose lock is free nobody is the holder; under SUMMARY there are no events. */
static bool summary_is_sound(struct sound_check *c, const struct fh_log *log)
{
    return KEPT(c, log->lock <= FH_LOG_BROKEN && log->queue_lock <= FH_QUEUE_BROKEN,
                "[L-STATE-1] the lock of a log is in a known state") &&
           KEPT(c, log->lock == FH_LOG_HELD || (log->holder == 0 && log->budget == 0),
                "[L-HOLD-1] a lock that nobody holds has no holder and no budget") &&
           KEPT(c, log->newest || c->s->log_policy == FH_LOG_SUMMARY || log->length == 0,
                "[L-LIST-1] a log that is kept in full lists its events");
}

/* As many as `length` says, each with an owner. */
static bool events_are_sound(struct sound_check *c, const struct fh_log *log)
{
    uint64_t count = 0;
    for (const struct fh_event *event = log->newest; event; event = event->older) {
        if (!KEPT(c, refs_count(&event->references) > 0, "[L-REF-1] an event has an owner") ||
            !KEPT(c, event->kind < FH_EVENT_KINDS, "[L-KIND-1] an event is of a known kind") ||
            !KEPT(c, ++count <= log->length, "[L-LENGTH-1] a log is as long as it says"))
            return false;
    }
    return !log->newest ||
           KEPT(c, count == log->length, "[L-LENGTH-1] a log is as long as it says");
}

static bool value_is_sound(struct sound_check *c, const struct fh_type *type, const void *place);

static bool fields_are_sound(struct sound_check *c, const struct fh_type *type, const void *record)
{
    for (unsigned i = 0; i < type->nfields; i++) {
        if (!value_is_sound(c, type->fields[i].type, (const char *)record + type->fields[i].offset))
            return false;
    }
    return true;
}

static bool entries_are_sound(struct sound_check *c, const struct fh_type *type,
                              const struct fh_map *map)
{
    const void *entry;
    c->broken = map_unsound(map);
    if (c->broken)
        return false;
    if (!type->value->as_value.retain) /* plain data */
        return true;
    FH_MAP_EACH (entry, map, &type->value->as_value, key) {
        if (!value_is_sound(c, type->value, entry))
            return false;
    }
    return true;
}

static bool record_is_sound(struct sound_check *c, const struct fh_type *type, const void *place)
{
    const uint32_t *record = *(const uint32_t *const *)place;
    if (!record) /* stands for the one that is all zero */
        return true;
    return KEPT(c, refs_count(record) > 0, "[S-REF-1] a counted record has an owner") &&
           fields_are_sound(c, type, record);
}

static bool value_is_sound(struct sound_check *c, const struct fh_type *type, const void *place)
{
    switch (type->kind) {
    case FH_KIND_MAP: return entries_are_sound(c, type, place);
    case FH_KIND_RECORD: return fields_are_sound(c, type, place);
    case FH_KIND_REF: return record_is_sound(c, type, place);
    case FH_KIND_LOG:
        return summary_is_sound(c, place) && (c->level < 3 || events_are_sound(c, place));
    default: return true;
    }
}

/* --- The state ---------------------------------------------------------------------------------
 */

static bool top_is_sound(struct sound_check *c)
{
    const struct fh_rdata *adt = c->s->adt;
    return KEPT(c, adt != NULL && refs_count(&adt->references) > 0,
                "[S-DATA-1] a state has data, and owns a share of them") &&
           KEPT(c, adt->regs && adt->smmu_conf && adt->shared.spts,
                "[S-NULL-1] registers, the SMMUs' configuration and their tables are there");
}

bool machine_is_sound(const struct fh_state *s, unsigned level, const char **broken)
{
    struct sound_check c = {.s = s, .level = level, .broken = NULL};
    const bool is_sound = top_is_sound(&c) && journal_is_sound(&c) && lock_places_are_sound(&c) &&
                          npt_places_are_sound(&c) && cursors_are_sound(&c) &&
                          ctxts_are_sound(&c) && smmus_are_sound(&c) &&
                          (level < 2 || owners_are_sound(&c)) && hash_is_sound(&c) &&
                          (level < 2 || fields_are_sound(&c, fh_rdata_type(), s->adt));
    if (broken)
        *broken = c.broken;
    return is_sound;
}

bool fh_state_is_sound(const struct fh_state *state, unsigned level, const char **broken)
{
    return machine_is_sound(state, level, broken);
}
