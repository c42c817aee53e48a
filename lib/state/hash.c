/* SPDX-License-Identifier: GPL-2.0-only */
#include "state/machine.h"

#include <string.h>

#include "base/refs.h"

/* --- Summands --------------------------------------------------------------------------------- */

static inline uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t x = (a ^ 0x9e3779b97f4a7c15u) + b * 0xd6e8feb86659fd93u;
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
    x = (x ^ x >> 29) * 0x9e3779b97f4a7c15u;
    return x ^ x >> 32;
}

enum { ROOT = 1 };

/* Of the default of a map, which stands at no key. */
#define AT_DEFAULT 0x64656661756c7473u

static uint64_t sum_of(const struct fh_type *type, uint64_t code, const void *place);

static uint64_t sum_of_bytes(uint64_t code, const void *place, size_t size)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = 0;
        memcpy(&word, (const char *)place + i, size - i < 8 ? size - i : 8);
        if (word != 0)
            sum += mix(code + i, word);
    }
    return sum;
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
        sum += sum_of(type->value, mix(code, AT_DEFAULT), fallback) -
               sum_of(type->value, mix(code, AT_DEFAULT), entries->fallback);
    for (uint64_t key = 0; (entry = fh_map_next(map, entries, &key)); key++) {
        const uint64_t at = mix(code, key);
        sum += sum_of(type->value, at, entry) - sum_of(type->value, at, fallback);
        if (key == UINT64_MAX)
            break;
    }
    return sum;
}

static uint64_t sum_of(const struct fh_type *type, uint64_t code, const void *place)
{
    switch (type->kind) {
    case FH_KIND_LOG: return 0;
    case FH_KIND_MAP: return sum_of_map(type, code, place);
    case FH_KIND_REF: return sum_of_fields(type, mix(code, ROOT), fh_ref_record(type, place));
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
static uint64_t sum_of_data(const struct fh_rdata *adt, uint32_t parts)
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

uint64_t fh_state_hash(struct fh_state *s)
{
    struct fh_rdata *adt = s->adt;
    const uint32_t parts = s->hash.parts;
    if (parts == 0)
        return fh_rdata_hash(adt, FH_HASH_ALL);
    hash_settle(s);
    if (adt->is_summed)
        return adt->sum + sum_of_block(adt, parts);
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

static void know(struct fh_state *s, const void *record, size_t size, uint64_t code)
{
    struct hash_keeper *hash = &s->hash;
    for (unsigned i = 0; i < HASH_RECORDS; i++) {
        if (hash->records[i].start == record) {
            hash->records[i] = (struct hash_record){record, size, code};
            return;
        }
    }
    hash->records[hash->next++ % HASH_RECORDS] = (struct hash_record){record, size, code};
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
    for (uint64_t key = 0; (slot = fh_map_next(map, &type->as_value, &key)); key++) {
        if (is_in_record(slot, type, place)) {
            hash_know_entry(s, map, key, slot, type);
            return true;
        }
        if (key == UINT64_MAX)
            break;
    }
    return false;
}

static uint64_t code_of_record(uint64_t code_of_slot)
{
    return code_of_slot ? mix(code_of_slot, ROOT) : 0;
}

/* The record of the data that has `place`, looked for everywhere, is known from now on. */
static bool search_record(struct fh_state *s, const void *place)
{
    const struct fh_type *data = fh_rdata_type();
    const struct fh_type *shared = fh_type_field(data, "shared", sizeof "shared" - 1)->type;
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
    for (unsigned i = 0; i < HASH_RECORDS; i++) {
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
    return code ? mix(code, key) : 0;
}

void hash_know_ref(struct fh_state *s, const void *slot, const struct fh_type *type)
{
    const uint64_t code = code_of(s, slot);
    know(s, *(const void *const *)slot, type->record_size, code_of_record(code));
}

void hash_know_entry(struct fh_state *s, const struct fh_map *map, uint64_t key, const void *slot,
                     const struct fh_type *type)
{
    const uint64_t code = code_of_entry(s, map, key);
    know(s, *(const void *const *)slot, type->record_size, code_of_record(code));
}

/* --- Keeping it ------------------------------------------------------------------------------- */

static void leave(struct fh_state *s, const void *place, const struct fh_type *type, uint64_t code)
{
    hash_settle(s);
    if (code == 0 || !s->adt->is_summed)
        return;
    s->adt->sum -= sum_of(type, code, place);
    s->hash.pending = place;
    s->hash.type = type;
    s->hash.code = code;
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
    leave(s, entry, type, code ? mix(code, key) : 0);
}

void hash_settle(struct fh_state *s)
{
    struct hash_keeper *hash = &s->hash;
    if (!hash->pending)
        return;
    s->adt->sum += sum_of(hash->type, hash->code, hash->pending);
    hash->pending = NULL;
}

void hash_forget(struct fh_state *s)
{
    hash_settle(s);
    memset(s->hash.records, 0, sizeof s->hash.records);
}

uint64_t hash_of_taken_lock(struct fh_state *s, uint64_t id)
{
    const uint8_t taken = FH_LOCK_OWN;
    const uint64_t code = keeps_hash(s) ? code_of_entry(s, &s->adt->lock, id) : 0;
    return code ? sum_of_bytes(code, &taken, sizeof taken) : 0;
}

uint64_t hash_code_of_npt(struct fh_state *s, uint64_t vmid)
{
    return keeps_hash(s) ? code_of_record(code_of_entry(s, &s->adt->shared.npts, vmid)) : 0;
}

void hash_leave_mapping(struct fh_state *s, const struct npt_place *place, uint64_t gfn,
                        const struct fh_pt_entry *entry)
{
    const uint64_t code = place->code ? place->code + offsetof(struct fh_npt, pt) : 0;
    leave(s, entry, type_of_pt_entry, code ? mix(code, gfn) : 0);
}
