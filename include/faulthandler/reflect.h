/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_REFLECT_H
#define FAULTHANDLER_REFLECT_H

#include <faulthandler/rdata.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A description of the state's types at run time, made from the tables of fields.h: what deltas,
 * patches, state paths and bindings walk, so that none of them names a field.
 */
enum fh_kind {
    FH_KIND_BOOL,
    FH_KIND_U32,
    FH_KIND_U64,
    FH_KIND_I64,
    FH_KIND_ENUM,   /* uint8_t with named values */
    FH_KIND_TUPLE,  /* (pfn, level, pte) or (pfn, pte) */
    FH_KIND_RECORD, /* fields, by value */
    FH_KIND_REF,    /* pointer to a counted record; NULL is the all-zero one */
    FH_KIND_MAP,
    FH_KIND_LOG
};

struct fh_field {
    const char *name;
    const struct fh_type *type;
    size_t offset;
};

struct fh_type {
    struct fh_map_type as_value; /* how maps hold values of this type; first member */
    enum fh_kind kind;
    const char *name;
    const struct fh_field *fields; /* RECORD and the record of a REF */
    unsigned nfields;
    size_t record_size;          /* REF: bytes of the record behind the pointer */
    const char *const *names;    /* ENUM: values; TUPLE: components; both `nfields` of them */
    const struct fh_type *value; /* MAP */
    unsigned depth;              /* MAP: keys of one entry */
    const uint8_t *key_bits;     /* MAP of depth > 1: width of each key, outermost first */
};

FH_API const struct fh_type *fh_rdata_type(void);

/* The type of the object that a snapshot event carries; NULL for other events. */
FH_API const struct fh_type *fh_event_object_type(enum fh_event_kind kind);

/* The field of a RECORD or REF type with this name; NULL if there is none. */
FH_API const struct fh_field *fh_type_field(const struct fh_type *type, const char *name,
                                            size_t length);

/*
 * Fields that a program names: FH_FIELD_rdata_regs is the index of `regs` among the fields of the
 * record `rdata`, and FH_FIELD_TYPE(type, rdata, regs) its type, where `type` is that record's or
 * that of references to it. A name that the tables do not have does not compile.
 */
#define FH_INDEX_OF_memblock(field, type) FH_FIELD_memblock_##field,
#define FH_INDEX_OF_core_data(field, type) FH_FIELD_core_data_##field,
#define FH_INDEX_OF_s2page(field, type) FH_FIELD_s2page_##field,
#define FH_INDEX_OF_npt(field, type) FH_FIELD_npt_##field,
#define FH_INDEX_OF_boot_info(field, type) FH_FIELD_boot_info_##field,
#define FH_INDEX_OF_state_info(field, type) FH_FIELD_state_info_##field,
#define FH_INDEX_OF_vminfo(field, type) FH_FIELD_vminfo_##field,
#define FH_INDEX_OF_smmu_conf(field, type) FH_FIELD_smmu_conf_##field,
#define FH_INDEX_OF_spt(field, type) FH_FIELD_spt_##field,
#define FH_INDEX_OF_ctxt_regs(field, type) FH_FIELD_ctxt_regs_##field,
#define FH_INDEX_OF_trap_regs(field, type) FH_FIELD_trap_regs_##field,
#define FH_INDEX_OF_ctxt_states(field, type) FH_FIELD_ctxt_states_##field,
#define FH_INDEX_OF_ctxt(field, type) FH_FIELD_ctxt_##field,
#define FH_INDEX_OF_shared(field, type) FH_FIELD_shared_##field,
#define FH_INDEX_OF_rdata(field, type) FH_FIELD_rdata_##field,
#define FH_FIELD_INDICES(record)                                                                   \
    enum fh_##record##_field{FH_FIELDS_##record(FH_INDEX_OF_##record) FH_FIELDS_OF_##record};
FH_RECORDS(FH_FIELD_INDICES)
#undef FH_FIELD_INDICES

#define FH_FIELD_TYPE(of, record, field) ((of)->fields[FH_FIELD_##record##_##field].type)

/* The record that a REF at `place` points to, the all-zero one for NULL. */
FH_API const void *fh_ref_record(const struct fh_type *type, const void *place);

/* A BOOL, U32, U64, I64 (two's complement) or ENUM value as a number. */
FH_API uint64_t fh_scalar_get(const struct fh_type *type, const void *place);

/* Component i of a TUPLE. */
FH_API uint64_t fh_tuple_get(const struct fh_type *type, const void *place, unsigned i);

/*
 * Store a number in a scalar, or in component i of a tuple. False if it does not fit: the place is
 * then unchanged. For places that nobody shares.
 */
FH_API bool fh_scalar_set(const struct fh_type *type, void *place, uint64_t value);
FH_API bool fh_tuple_set(const struct fh_type *type, void *place, unsigned i, uint64_t value);

/* Pack or unpack the keys of an entry of a MAP; false if one is too wide. keys[depth]. */
#define FH_MAP_DEPTH_MAX 3
FH_API bool fh_map_pack_key(const struct fh_type *map, const uint64_t *keys, uint64_t *packed);
FH_API void fh_map_unpack_key(const struct fh_type *map, uint64_t packed, uint64_t *keys);

/* Make the object at `place` one that may be written: copies a shared record of a REF. */
FH_API bool fh_ref_own(const struct fh_type *type, void *place,
                       const struct fh_allocator *allocator);

/* One more owner of all that a value holds; one owner less. */
FH_API void fh_value_retain(const struct fh_type *type, void *place);
FH_API void fh_value_release(const struct fh_type *type, void *place,
                             const struct fh_allocator *allocator);

#ifdef __cplusplus
}
#endif

#endif
