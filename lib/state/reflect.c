/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/reflect.h>

#include <string.h>

#include "base/refs.h"
#include "state/log.h"
#include "state/machine.h"

/* Sharing of values that maps hold: the map type is the first member of the type. */

static void retain_in_map(const struct fh_map_type *type, void *value)
{
    fh_value_retain((const struct fh_type *)(const void *)type, value);
}

static void release_in_map(const struct fh_map_type *type, const struct fh_allocator *allocator,
                           void *value)
{
    fh_value_release((const struct fh_type *)(const void *)type, value, allocator);
}

/* An all-zero value of any type: the default of most maps, the record behind a NULL reference. */
static const union {
#define ZERO(record) struct fh_##record record;
    FH_SHARED_RECORDS(ZERO)
#undef ZERO
} zeros;

/* clang-format off */
#define PLAIN(size, default_value) .as_value = {.value_size = (size), .fallback = (default_value)}
#define COUNTED(size)                                                                               \
    .as_value = {.value_size = (size), .fallback = &zeros, .retain = retain_in_map,                  \
                 .release = release_in_map}

#define SCALAR(token, kind_, ctype)                                                                 \
    static const struct fh_type type_##token = {PLAIN(sizeof(ctype), &zeros), .kind = (kind_),       \
                                                .name = #token};
SCALAR(flag, FH_KIND_BOOL, bool)
SCALAR(u32, FH_KIND_U32, uint32_t)
SCALAR(u64, FH_KIND_U64, uint64_t)
SCALAR(i64, FH_KIND_I64, int64_t)

/* The words of the vectors: BarrierValid ..., LockFalse, LockOwn false, LockOwn true. */
static const char *const bars_names[] = {"valid", "needed", "barriered"};
static const char *const lock_status_names[] = {"free", "own0", "own"};
#define ENUM(token)                                                                                 \
    static const struct fh_type type_##token = {PLAIN(1, &zeros), .kind = FH_KIND_ENUM,              \
                                                .name = #token, .names = token##_names,             \
                                                .nfields = sizeof token##_names / sizeof(char *)};
ENUM(bars)
ENUM(lock_status)

static const char *const pt_entry_names[] = {"pfn", "level", "pte"};
static const struct fh_type type_pt_entry = {PLAIN(sizeof(struct fh_pt_entry), &zeros),
                                             .kind = FH_KIND_TUPLE, .name = "pt_entry",
                                             .names = pt_entry_names, .nfields = 3};
static const char *const spt_entry_names[] = {"pfn", "pte"};
static const struct fh_type type_spt_entry = {PLAIN(sizeof(struct fh_spt_entry), &zeros),
                                              .kind = FH_KIND_TUPLE, .name = "spt_entry",
                                              .names = spt_entry_names, .nfields = 2};

static const struct fh_type type_log = {COUNTED(sizeof(struct fh_log)), .kind = FH_KIND_LOG,
                                        .name = "log"};

/*
 * Defaults other than zero. They belong to the entries' types: a page that no memory region covers
 * belongs to nobody, a bank of an SMMU that was never assigned to no VM.
 */
static const uint64_t invalid_vmid = 0xffffffff;
static const bool always = true;
static const struct fh_type type_vmid_or_invalid = {PLAIN(sizeof(uint64_t), &invalid_vmid),
                                                    .kind = FH_KIND_U64, .name = "u64"};
static const struct fh_type type_bool_or_true = {PLAIN(sizeof(bool), &always),
                                                 .kind = FH_KIND_BOOL, .name = "bool"};

#define MAP(token, value_type)                                                                      \
    static const struct fh_type type_##token = {COUNTED(sizeof(struct fh_map)),                     \
                                                .kind = FH_KIND_MAP, .name = "map",                 \
                                                .value = &type_##value_type, .depth = 1};
#define MAP_OF_DEPTH(token, value_type, ...)                                                        \
    static const uint8_t token##_bits[] = {__VA_ARGS__};                                            \
    static const struct fh_type type_##token = {COUNTED(sizeof(struct fh_map)),                     \
                                                .kind = FH_KIND_MAP, .name = "map",                 \
                                                .value = &type_##value_type,                        \
                                                .depth = sizeof token##_bits,                       \
                                                .key_bits = token##_bits};
MAP(map_u64, u64)
MAP(map_smmu_vmid, vmid_or_invalid)
MAP(map_hlock, bool_or_true)
MAP(map_bool, flag)
MAP_OF_DEPTH(map_bool2, flag, 9, 9)
MAP_OF_DEPTH(map_bool3, flag, 9, 9, 9)
MAP(map_pt, pt_entry)
MAP(map_spt, spt_entry)
MAP(map_map_spt, map_spt)
MAP(map_map_bool, map_bool)
MAP_OF_DEPTH(map_spt_bool2, flag, 10, 9)
MAP(map_map_bool2, map_spt_bool2)
MAP(map_lock_status, lock_status)
MAP(map_log, log)

#define FIELD_ENTRY(record, field, token)                                                           \
    {#field, &type_##token, offsetof(struct fh_##record, field)},
#define FIELDS(record, list) static const struct fh_field record##_fields[] = {list};
#define RECORD(record, ...)                                                                         \
    static const struct fh_type type_##record = {                                                   \
        __VA_ARGS__, .kind = FH_KIND_RECORD, .name = #record, .fields = record##_fields,            \
        .nfields = sizeof record##_fields / sizeof *record##_fields};
#define REF(record)                                                                                 \
    static const struct fh_type type_ref_##record = {                                               \
        COUNTED(sizeof(struct fh_##record *)), .kind = FH_KIND_REF, .name = #record,                \
        .fields = record##_fields, .nfields = sizeof record##_fields / sizeof *record##_fields,     \
        .record_size = sizeof(struct fh_##record)};

static const struct fh_s2page no_page = {.s2_owner = 0xffffffff, .s2_gfn = UINT64_MAX};

#define F(field, token) FIELD_ENTRY(memblock, field, token)
FIELDS(memblock, FH_FIELDS_memblock(F))
RECORD(memblock, PLAIN(sizeof(struct fh_memblock), &zeros))
#undef F
#define F(field, token) FIELD_ENTRY(core_data, field, token)
FIELDS(core_data, FH_FIELDS_core_data(F))
RECORD(core_data, PLAIN(sizeof(struct fh_core_data), &zeros))
#undef F
#define F(field, token) FIELD_ENTRY(s2page, field, token)
FIELDS(s2page, FH_FIELDS_s2page(F))
RECORD(s2page, PLAIN(sizeof(struct fh_s2page), &no_page))
#undef F
#define F(field, token) FIELD_ENTRY(npt, field, token)
FIELDS(npt, FH_FIELDS_npt(F))
REF(npt)
#undef F
#define F(field, token) FIELD_ENTRY(boot_info, field, token)
FIELDS(boot_info, FH_FIELDS_boot_info(F))
RECORD(boot_info, COUNTED(sizeof(struct fh_boot_info)))
#undef F
#define F(field, token) FIELD_ENTRY(state_info, field, token)
FIELDS(state_info, FH_FIELDS_state_info(F))
RECORD(state_info, COUNTED(sizeof(struct fh_state_info)))
#undef F
#define F(field, token) FIELD_ENTRY(vminfo, field, token)
FIELDS(vminfo, FH_FIELDS_vminfo(F))
REF(vminfo)
#undef F
#define F(field, token) FIELD_ENTRY(smmu_conf, field, token)
FIELDS(smmu_conf, FH_FIELDS_smmu_conf(F))
REF(smmu_conf)
#undef F
#define F(field, token) FIELD_ENTRY(spt, field, token)
FIELDS(spt, FH_FIELDS_spt(F))
REF(spt)
#undef F
#define F(field, token) FIELD_ENTRY(ctxt_regs, field, token)
FIELDS(ctxt_regs, FH_FIELDS_ctxt_regs(F))
RECORD(ctxt_regs, PLAIN(sizeof(struct fh_ctxt_regs), &zeros))
#undef F
#define F(field, token) FIELD_ENTRY(trap_regs, field, token)
FIELDS(trap_regs, FH_FIELDS_trap_regs(F))
RECORD(trap_regs, PLAIN(sizeof(struct fh_trap_regs), &zeros))
#undef F
#define F(field, token) FIELD_ENTRY(ctxt_states, field, token)
FIELDS(ctxt_states, FH_FIELDS_ctxt_states(F))
RECORD(ctxt_states, PLAIN(sizeof(struct fh_ctxt_states), &zeros))
#undef F
#define F(field, token) FIELD_ENTRY(ctxt, field, token)
FIELDS(ctxt, FH_FIELDS_ctxt(F))
REF(ctxt)
#undef F

MAP(map_npt, ref_npt)
MAP(map_vminfo, ref_vminfo)
MAP(map_ctxt, ref_ctxt)
MAP(map_memblock, memblock)
MAP(map_s2page, s2page)

#define F(field, token) FIELD_ENTRY(shared, field, token)
FIELDS(shared, FH_FIELDS_shared(F))
RECORD(shared, COUNTED(sizeof(struct fh_shared)))
#undef F
#define F(field, token) FIELD_ENTRY(rdata, field, token)
FIELDS(rdata, FH_FIELDS_rdata(F))
RECORD(rdata, COUNTED(sizeof(struct fh_rdata)))
#undef F

#define NAMED(token) const struct fh_type *const type_of_##token = &type_##token;
NAMED(map_s2page)
NAMED(s2page)
NAMED(pt_entry)
NAMED(spt_entry)
NAMED(u64)
NAMED(vmid_or_invalid)
NAMED(flag)
NAMED(bool_or_true)
NAMED(memblock)
NAMED(lock_status)
NAMED(log)
NAMED(map_log)
NAMED(bars)
NAMED(ref_npt)
NAMED(ref_vminfo)
NAMED(ref_ctxt)
NAMED(ref_spt)
NAMED(ref_smmu_conf)
NAMED(map_u64)
NAMED(map_smmu_vmid)
NAMED(map_spt)
NAMED(map_bool)
NAMED(map_spt_bool2)

/* clang-format on */
const struct fh_type *fh_rdata_type(void)
{
    return &type_rdata;
}

const struct fh_type *fh_event_object_type(enum fh_event_kind kind)
{
    switch (kind) {
    case FH_EVENT_OCORE_DATA: return &type_core_data;
    case FH_EVENT_OS2_PAGE: return &type_map_s2page;
    case FH_EVENT_ONPT: return &type_ref_npt;
    case FH_EVENT_OVMINFO: return &type_ref_vminfo;
    case FH_EVENT_OSPT: return &type_ref_spt;
    case FH_EVENT_OSMMU: return &type_map_smmu_vmid;
    case FH_EVENT_OFLATMEM: return &type_map_u64;
    case FH_EVENT_OLOAD_ENC_VCPU: return &type_ref_ctxt;
    default: return NULL;
    }
}

const struct fh_field *fh_type_field(const struct fh_type *type, const char *name, size_t length)
{
    for (unsigned i = 0; type->fields && i < type->nfields; i++) {
        const char *field = type->fields[i].name;
        size_t n = 0;
        while (n < length && field[n] == name[n] && field[n])
            n++;
        if (n == length && !field[n])
            return &type->fields[i];
    }
    return NULL;
}

const void *fh_ref_record(const struct fh_type *type, const void *place)
{
    const void *record;
    (void)type;
    __builtin_memcpy(&record, place, sizeof record);
    return record ? record : &zeros;
}

uint64_t fh_scalar_get(const struct fh_type *type, const void *place)
{
    switch (type->kind) {
    case FH_KIND_BOOL: return *(const bool *)place;
    case FH_KIND_U32: return *(const uint32_t *)place;
    case FH_KIND_ENUM: return *(const uint8_t *)place;
    case FH_KIND_I64: return (uint64_t) * (const int64_t *)place;
    default: return *(const uint64_t *)place;
    }
}

bool fh_scalar_set(const struct fh_type *type, void *place, uint64_t value)
{
    switch (type->kind) {
    case FH_KIND_BOOL:
        if (value > 1)
            return false;
        *(bool *)place = value;
        return true;
    case FH_KIND_U32:
        if (value > UINT32_MAX)
            return false;
        *(uint32_t *)place = (uint32_t)value;
        return true;
    case FH_KIND_ENUM:
        if (value >= type->nfields)
            return false;
        *(uint8_t *)place = (uint8_t)value;
        return true;
    case FH_KIND_I64: *(int64_t *)place = (int64_t)value; return true;
    default: *(uint64_t *)place = value; return true;
    }
}

uint64_t fh_tuple_get(const struct fh_type *type, const void *place, unsigned i)
{
    if (type == &type_spt_entry) {
        const struct fh_spt_entry *entry = place;
        return i == 0 ? entry->pfn : entry->pte;
    }
    const struct fh_pt_entry *entry = place;
    return i == 0 ? entry->pfn : i == 1 ? entry->level : entry->pte;
}

bool fh_tuple_set(const struct fh_type *type, void *place, unsigned i, uint64_t value)
{
    if (type == &type_spt_entry) {
        struct fh_spt_entry *entry = place;
        *(i == 0 ? &entry->pfn : &entry->pte) = value;
        return true;
    }
    struct fh_pt_entry *entry = place;
    if (i == 0 && value >> 60 == 0)
        entry->pfn = value & (((uint64_t)1 << 60) - 1);
    else if (i == 1 && value < 16)
        entry->level = value & 15;
    else if (i == 2)
        entry->pte = value;
    else
        return false;
    return true;
}

bool fh_map_pack_key(const struct fh_type *map, const uint64_t *keys, uint64_t *packed)
{
    if (map->depth == 1) {
        *packed = keys[0];
        return true;
    }
    uint64_t key = 0;
    for (unsigned i = 0; i < map->depth; i++) {
        if (keys[i] >> map->key_bits[i])
            return false;
        key = key << map->key_bits[i] | keys[i];
    }
    *packed = key;
    return true;
}

void fh_map_unpack_key(const struct fh_type *map, uint64_t packed, uint64_t *keys)
{
    if (map->depth == 1) {
        keys[0] = packed;
        return;
    }
    for (unsigned i = map->depth; i-- > 0;) {
        keys[i] = packed & (((uint64_t)1 << map->key_bits[i]) - 1);
        packed >>= map->key_bits[i];
    }
}

/* The reference count stands first in every counted record. */
static uint32_t *references_of(void *record)
{
    return record;
}

static void retain_fields(const struct fh_type *type, void *record)
{
    for (unsigned i = 0; i < type->nfields; i++)
        fh_value_retain(type->fields[i].type, (char *)record + type->fields[i].offset);
}

static void release_fields(const struct fh_type *type, void *record,
                           const struct fh_allocator *allocator)
{
    for (unsigned i = 0; i < type->nfields; i++)
        fh_value_release(type->fields[i].type, (char *)record + type->fields[i].offset, allocator);
}

void fh_value_retain(const struct fh_type *type, void *place)
{
    if (!type->as_value.retain)
        return;
    switch (type->kind) {
    case FH_KIND_MAP: fh_map_retain(place); break;
    case FH_KIND_LOG: log_retain(place); break;
    case FH_KIND_RECORD: retain_fields(type, place); break;
    case FH_KIND_REF: {
        void *record = *(void **)place;
        if (record)
            refs_retain(references_of(record));
        break;
    }
    default: break;
    }
}

void fh_value_release(const struct fh_type *type, void *place, const struct fh_allocator *allocator)
{
    if (!type->as_value.retain)
        return;
    switch (type->kind) {
    case FH_KIND_MAP: fh_map_release(place, &type->value->as_value, allocator); break;
    case FH_KIND_LOG: log_release(place, allocator); break;
    case FH_KIND_RECORD: release_fields(type, place, allocator); break;
    case FH_KIND_REF: {
        void *record = *(void **)place;
        *(void **)place = NULL;
        if (record && refs_release(references_of(record))) {
            release_fields(type, record, allocator);
            allocator->free(allocator->context, record, type->record_size);
        }
        break;
    }
    default: break;
    }
}

bool fh_ref_own(const struct fh_type *type, void *place, const struct fh_allocator *allocator)
{
    void *old = *(void **)place;
    if (old && !refs_shared(references_of(old)))
        return true;
    void *record = allocator->alloc(allocator->context, type->record_size);
    if (!record)
        return false;
    if (old) {
        refs_copy(record, old, type->record_size);
        retain_fields(type, record);
        fh_value_release(type, place, allocator);
    } else {
        memset(record, 0, type->record_size);
        refs_init(references_of(record));
    }
    *(void **)place = record;
    return true;
}
