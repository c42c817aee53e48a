/* SPDX-License-Identifier: GPL-2.0-only */
#include "state/machine.h"

#include "base/refs.h"

/* --- Summands --------------------------------------------------------------------------------- */

enum { ROOT = 1 };

/* Of the default of a map, which stands at no key. */
#define AT_DEFAULT 0x64656661756c7473u

static uint64_t sum_of(const struct fh_type *type, uint64_t code, const void *place);

static inline uint64_t sum_of_bytes(uint64_t code, const void *place, size_t size)
{
    const char *bytes = place;
    uint64_t sum = 0, word;
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        __builtin_memcpy(&word, bytes + i, 8);
        sum += hash_word(code + i, word);
    }
    if (i == size)
        return sum;
    word = 0;
    for (size_t n = 0; i + n < size; n++)
        ((char *)&word)[n] = bytes[i + n];
    return sum + hash_word(code + i, word);
}

static uint64_t code_of_field(uint64_t code, size_t offset)
{
    return code + offset;
}

static uint64_t sum_of_fields(const struct fh_type *type, uint64_t code, const void *record)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < type->nfields; i++) {
        const struct fh_field *field = &type->fields[i];
        sum += sum_of(field->type, code_of_field(code, field->offset),
                      (const char *)record + field->offset);
    }
    return sum;
}

/* What an entry adds: a map's default stands at all keys that have none. */
static uint64_t sum_of_map(const struct fh_type *type, uint64_t code, const struct fh_map *map)
{
    const struct fh_map_type *entries = &type->value->as_value;
    const void *fallback = fh_map_fallback(map, entries), *entry;
    uint64_t sum = 0;
    if (fallback != entries->fallback)
        sum += sum_of(type->value, hash_mix(code, AT_DEFAULT), fallback) -
               sum_of(type->value, hash_mix(code, AT_DEFAULT), entries->fallback);
    FH_MAP_EACH (entry, map, entries, key) {
        const uint64_t at = hash_mix(code, key);
        sum += sum_of(type->value, at, entry) - sum_of(type->value, at, fallback);
    }
    return sum;
}

static uint64_t sum_of(const struct fh_type *type, uint64_t code, const void *place)
{
    switch (type->kind) {
    case FH_KIND_LOG: return 0;
    case FH_KIND_MAP: return sum_of_map(type, code, place);
    case FH_KIND_REF: return sum_of_fields(type, hash_mix(code, ROOT), fh_ref_record(type, place));
    case FH_KIND_RECORD:
        if (type->as_value.retain)
            return sum_of_fields(type, code, place);
        break;
    default: break;
    }
    return sum_of_bytes(code, place, type->as_value.value_size);
}

/* --- What is in it ---------------------------------------------------------------------------- */

/* Fields that may be assigned directly; a hash takes them in when it is asked for. */
static const size_t end_of_block = offsetof(struct fh_rdata, regs);

_Static_assert(offsetof(struct fh_rdata, core_data_log) + sizeof(struct fh_map) ==
                       offsetof(struct fh_rdata, shared) &&
                   offsetof(struct fh_rdata, data_log) + sizeof(struct fh_map) ==
                       offsetof(struct fh_rdata, core_data_log),
               "the counts of oracles stand in a row");

static uint32_t part_of(size_t offset)
{
    if (offset < offsetof(struct fh_rdata, region_cnt))
        return FH_HASH_CPU;
    if (offset >= offsetof(struct fh_rdata, data_log) && offset < offsetof(struct fh_rdata, shared))
        return FH_HASH_POSITIONS;
    return FH_HASH_SHARED;
}

static uint64_t sum_of_block(const struct fh_rdata *adt, uint32_t parts)
{
    const uint64_t words[] = {(uint64_t)adt->halt << 2 | (uint64_t)adt->icore << 1 |
                                  (uint64_t)adt->ihost,
                              adt->tstate, adt->curid, adt->cur_vmid, (uint64_t)adt->cur_vcpuid};
    return parts & FH_HASH_CPU ? sum_of_bytes(0, words, sizeof words) : 0;
}

/* All but the block. */
FH_SELDOM static uint64_t sum_of_data(const struct fh_rdata *adt, uint32_t parts)
{
    const struct fh_type *type = fh_rdata_type();
    uint64_t sum = 0;
    for (unsigned i = 0; i < type->nfields; i++) {
        const struct fh_field *field = &type->fields[i];
        if (field->offset >= end_of_block && (part_of(field->offset) & parts))
            sum += sum_of(field->type, code_of_field(ROOT, field->offset),
                          (const char *)adt + field->offset);
    }
    return sum;
}

uint64_t fh_rdata_hash(const struct fh_rdata *rdata, uint32_t parts)
{
    return sum_of_data(rdata, parts) + sum_of_block(rdata, parts);
}

/* The block is seldom another one than that which was asked for last: a call ends as it began. */
static uint64_t sum_of_known_block(struct fh_state *s)
{
    struct hash_keeper *hash = &s->hash;
    const char *block = (const char *)s->adt + SAVED_FROM;
    uint64_t differs = 0, word;
#pragma GCC unroll 8
    for (unsigned i = 1; i < sizeof hash->block.words / sizeof word; i++) { /* 0 is the sum */
        __builtin_memcpy(&word, block + i * sizeof word, sizeof word);
        differs |= word ^ hash->block.words[i];
    }
    if (differs) {
        save(&hash->block, s->adt);
        hash->block_sum = sum_of_block(s->adt, hash->parts);
    }
    return hash->block_sum;
}

uint64_t fh_state_hash(struct fh_state *s)
{
    struct fh_rdata *adt = s->adt;
    const uint32_t parts = s->hash.parts;
    if (parts == 0)
        return fh_rdata_hash(adt, FH_HASH_ALL);
    hash_settle(s);
    if (adt->is_summed)
        return adt->sum + sum_of_known_block(s);
    const uint64_t sum = sum_of_data(adt, parts);
    if (!refs_shared(&adt->references)) { /* a snapshot may be read elsewhere */
        adt->sum = sum;
        adt->is_summed = true;
    }
    return sum + sum_of_block(adt, parts);
}

/* --- Codes of places -------------------------------------------------------------------------- */

/* Places that no hash is about have the code 0. */
static uint64_t code_in_data(const struct fh_state *s, size_t offset)
{
    return part_of(offset) & s->hash.parts ? code_of_field(ROOT, offset) : 0;
}

/* The last one first, so that the next write to it finds it at once. */
void hash_know(struct hash_keeper *hash, const void *record, size_t size, uint64_t code)
{
    struct hash_record *records = hash->records;
    unsigned i = 0;
    while (i < hash->known && records[i].start != record)
        i++;
    if (i == HASH_RECORDS)
        i = 1 + hash->next++ % (HASH_RECORDS - 1);
    else if (i == hash->known)
        hash->known++;
    records[i] = records[0];
    records[0] = (struct hash_record){record, size, code};
}

static bool is_in_record(const void *slot, const struct fh_type *type, const void *place)
{
    const void *record = *(const void *const *)slot;
    return record && (uintptr_t)place - (uintptr_t)record < type->record_size;
}

static bool search_map(struct fh_state *s, const struct fh_map *map, const struct fh_type *type,
                       const void *place)
{
    const void *slot;
    FH_MAP_EACH (slot, map, &type->as_value, key) {
        if (is_in_record(slot, type, place)) {
            hash_know_entry(s, map, key, slot, type);
            return true;
        }
    }
    return false;
}

static uint64_t code_of_record(uint64_t code_of_slot)
{
    return code_of_slot ? hash_mix(code_of_slot, ROOT) : 0;
}

/* The record of the data that has `place`, looked for everywhere, is known from now on. */
static bool search_record(struct fh_state *s, const void *place)
{
    const struct fh_type *data = fh_rdata_type();
    const struct fh_type *shared = FH_FIELD_TYPE(data, rdata, shared);
    const struct fh_shared *parts = &s->adt->shared;
    const struct {
        const struct fh_type *record;
        const void *start;
    } both[] = {{data, s->adt}, {shared, parts}};
    for (unsigned n = 0; n < 2; n++) {
        for (unsigned i = 0; i < both[n].record->nfields; i++) {
            const struct fh_field *field = &both[n].record->fields[i];
            const void *slot = (const char *)both[n].start + field->offset;
            if (field->type->kind == FH_KIND_REF && is_in_record(slot, field->type, place)) {
                hash_know_ref(s, slot, field->type);
                return true;
            }
            if (field->type->kind == FH_KIND_MAP && field->type->value->kind == FH_KIND_REF &&
                search_map(s, slot, field->type->value, place))
                return true;
        }
    }
    return false;
}

static uint64_t code_in_known(const struct fh_state *s, const void *place, bool *found)
{
    *found = false;
    for (unsigned i = 0; i < s->hash.known; i++) {
        const struct hash_record *known = &s->hash.records[i];
        const uintptr_t offset = (uintptr_t)place - (uintptr_t)known->start;
        *found = offset < known->size;
        if (*found)
            return known->code ? code_of_field(known->code, offset) : 0;
    }
    return 0;
}

static uint64_t code_of(struct fh_state *s, const void *place)
{
    const uintptr_t in_data = (uintptr_t)place - (uintptr_t)s->adt;
    const uintptr_t in_state = (uintptr_t)place - (uintptr_t)s;
    bool found;
    if (in_data < sizeof *s->adt)
        return code_in_data(s, in_data);
    if (in_state < sizeof *s)
        return 0;
    const uint64_t code = code_in_known(s, place, &found);
    return found || !search_record(s, place) ? code : code_in_known(s, place, &found);
}

static uint64_t code_of_entry(struct fh_state *s, const struct fh_map *map, uint64_t key)
{
    const uint64_t code = code_of(s, map);
    return code ? hash_mix(code, key) : 0;
}

void hash_know_ref(struct fh_state *s, const void *slot, const struct fh_type *type)
{
    const uint64_t code = code_of(s, slot);
    hash_know(&s->hash, *(const void *const *)slot, type->record_size, code_of_record(code));
}

void hash_know_entry(struct fh_state *s, const struct fh_map *map, uint64_t key, const void *slot,
                     const struct fh_type *type)
{
    const uint64_t code = code_of_entry(s, map, key);
    hash_know(&s->hash, *(const void *const *)slot, type->record_size, code_of_record(code));
}

/* --- Keeping it ------------------------------------------------------------------------------- */

void hash_begin(struct fh_state *s, uint32_t parts)
{
    s->hash.parts = parts;
    s->hash.regs = code_of_record(code_in_data(s, offsetof(struct fh_rdata, regs)));
    s->hash.pages = code_in_data(s, offsetof(struct fh_rdata, shared.s2page));
    forget_places(s); /* their codes are others */
}

static void change(struct fh_state *s, uint64_t code, uint64_t old, uint64_t value)
{
    hash_settle(s);
    if (code != 0 && s->adt->is_summed)
        s->adt->sum += hash_word(code, value) - hash_word(code, old);
}

void hash_change_word(struct fh_state *s, const uint64_t *place, uint64_t value)
{
    change(s, code_of(s, place), *place, value);
}

void hash_change_reg(struct fh_state *s, size_t offset, uint64_t old, uint64_t value)
{
    change(s, s->hash.regs ? code_of_field(s->hash.regs, offset) : 0, old, value);
}

/* What a value adds. Nearly all that is written are pages and mappings, of two words. */
static inline uint64_t sum_of_value(const struct fh_type *type, uint64_t code, const void *place)
{
    const bool is_pair = type == type_of_s2page || type == type_of_pt_entry;
    return is_pair ? sum_of_bytes(code, place, 16) : sum_of(type, code, place);
}

static inline void leave(struct fh_state *s, const void *place, const struct fh_type *type,
                         uint64_t code)
{
    hash_settle(s);
    if (code == 0 || !s->adt->is_summed)
        return;
    s->adt->sum -= sum_of_value(type, code, place);
    s->hash.pending = place;
    s->hash.type = type;
    s->hash.code = code;
}

void hash_add_pending(struct fh_state *s)
{
    struct hash_keeper *hash = &s->hash;
    s->adt->sum += sum_of_value(hash->type, hash->code, hash->pending);
    hash->pending = NULL;
}

void hash_leave(struct fh_state *s, const void *place, const struct fh_type *type)
{
    leave(s, place, type, code_of(s, place));
}

void hash_leave_entry(struct fh_state *s, const struct fh_map *map, const struct fh_type *type,
                      uint64_t key, const void *entry)
{
    leave(s, entry, type, code_of_entry(s, map, key));
}

void hash_leave_inner_entry(struct fh_state *s, const struct fh_map *outer, uint64_t outer_key,
                            const struct fh_type *type, uint64_t key, const void *entry)
{
    const uint64_t code = code_of_entry(s, outer, outer_key);
    leave(s, entry, type, code ? hash_mix(code, key) : 0);
}

/* Of the entry at `key` of a map that is a field. */
static uint64_t code_in_field(const struct fh_state *s, size_t offset, uint64_t key)
{
    const uint64_t code = code_in_data(s, offset);
    return code ? hash_mix(code, key) : 0;
}

uint64_t hash_of_taken_lock(const struct fh_state *s, uint64_t id)
{
    const uint8_t taken = FH_LOCK_OWN;
    const uint64_t code = code_in_field(s, offsetof(struct fh_rdata, lock), id);
    return code ? sum_of_bytes(code, &taken, sizeof taken) : 0;
}

uint64_t hash_code_of_npt(const struct fh_state *s, uint64_t vmid)
{
    return code_of_record(code_in_field(s, offsetof(struct fh_rdata, shared.npts), vmid));
}

uint64_t hash_code_of_map(struct fh_state *s, const struct fh_map *map)
{
    return code_of(s, map);
}

void hash_leave_pair(struct fh_state *s, const struct fh_type *type, uint64_t map, uint64_t key,
                     const void *entry)
{
    leave(s, entry, type, map ? hash_mix(map, key) : 0);
}

bool hash_is_of_data(const struct fh_state *s)
{
    const struct hash_keeper *hash = &s->hash;
    uint64_t sum = s->adt->sum;
    if (hash->pending)
        sum += sum_of_value(hash->type, hash->code, hash->pending);
    return !s->adt->is_summed || sum == sum_of_data(s->adt, hash->parts);
}
