/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_KCORE_H
#define FH_LAYERS_KCORE_H

#include <faulthandler/machine.h>
#include <faulthandler/spec.h>

#include "base/wide.h"
#include "state/machine.h"
#include "state/pools.h"

/*
 * How layers are written.
 *
 * Three functions stand behind a name. spec_foo is the spec's: what a layer defines. kc_foo is what
 * layers call: what the state's machine does at foo, which is spec_foo unless its overlay says
 * otherwise (machine/dispatch.c). fh_foo is the public function, kc_foo inside a transaction. A
 * layer's header declares its functions; a layer includes the headers of lower layers only.
 *
 *   FH_RELY(s, condition, value...)   the spec's rely: stuck unless it holds. The values end up in
 *                                     the error message. A machine that makes no checks goes on
 *                                     where the condition is a range: one of the is_ functions.
 *   FH_REPRESENTABLE(s, condition, value...)
 *                                     the spec has a value here that 64 bits do not hold, and how
 *                                     the call goes on depends on it: it ends
 *   FH_LEAVES_64_BITS(s, condition, value...)
 *                                     the same, but the call goes on without the value
 *   FH_PANIC(s, needed, value...)     KCore panics, since this does not hold
 *   FH_DEMAND(s, condition, value...) KCore panics, and the function ends, unless this holds
 *   FH_TRY(call)                      go on only if the call succeeded
 *
 * Each layer defines FH_LAYER as its name before it includes this header.
 */
/* Does the state's machine go on where the spec demands this? It does at ranges only. */
__attribute__((cold, noinline)) bool goes_on(struct fh_state *s, const char *condition);

/* clang-format off */
#define FH_TRY(call)                                                                                \
    do {                                                                                            \
        enum fh_status fh_try_status_ = (call);                                                     \
        if (__builtin_expect(fh_try_status_ != FH_OK, 0))                                           \
            return fh_try_status_;                                                                  \
    } while (0)

#define FH_VALUES(...)                                                                              \
    const uint64_t fh_values_[] = {__VA_ARGS__};                                                    \
    _Static_assert(sizeof fh_values_ <= FH_ERROR_VALUES * sizeof(uint64_t), "an error holds these")

#define FH_RELY(s, condition, ...)                                                                  \
    do {                                                                                            \
        if (__builtin_expect(!(condition), 0) && !goes_on(s, #condition)) {                         \
            FH_VALUES(__VA_ARGS__);                                                                 \
            return stop(s, FH_STUCK, FH_LAYER, __func__, #condition, #__VA_ARGS__, fh_values_,      \
                        sizeof fh_values_ / sizeof *fh_values_);                                    \
        }                                                                                           \
    } while (0)

/* The value exists in the spec, but not in 64 bits. */
#define FH_REPRESENTABLE(s, condition, ...)                                                         \
    do {                                                                                            \
        if (__builtin_expect(!(condition), 0)) {                                                    \
            FH_VALUES(__VA_ARGS__);                                                                 \
            return stop(s, FH_UNREPRESENTABLE, FH_LAYER, __func__, #condition, #__VA_ARGS__,        \
                        fh_values_, sizeof fh_values_ / sizeof *fh_values_);                        \
        }                                                                                           \
    } while (0)

/*
 * The same where nothing later in the call looks at the value. The call goes on without it, for the
 * spec may be stuck further on, which a caller is to be told in the first place; if it is not, the
 * call ends not representable (txn_end).
 */
#define FH_LEAVES_64_BITS(s, condition, ...)                                                       \
    do {                                                                                            \
        if (__builtin_expect(condition, 0)) {                                                       \
            FH_VALUES(__VA_ARGS__);                                                                 \
            leave_64_bits(s, FH_LAYER, __func__, "not (" #condition ")", #__VA_ARGS__, fh_values_,  \
                          sizeof fh_values_ / sizeof *fh_values_);                                  \
        }                                                                                           \
    } while (0)

/*
 * KCore panics, for what should hold does not. To be returned, or tried where the function goes on;
 * in a halted state nobody is told why once more.
 */
#define FH_PANIC(s, needed, ...)                                                                    \
    ((void)sizeof((needed) ? 1 : 0), FH_PANIC_FOR(s, #needed, __VA_ARGS__))
/* The same, with what is needed in words. */
#define FH_PANIC_FOR(s, words, ...) (FH_NOTE_PANIC(s, words, __VA_ARGS__), (kc_panic)(s))
#define FH_NOTE_PANIC(s, words, ...)                                                                \
    ((s)->adt->halt ? (void)0                                                                       \
                    : note_panic(s, FH_LAYER, __func__, words, #__VA_ARGS__,                        \
                                 (const uint64_t[FH_ERROR_VALUES]){__VA_ARGS__},                    \
                                 sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t)))

/* What a new entry of a table needs. */
#define FH_NEEDS_TABLES "a free page for each table that is missing, and no block in the way"

/* KCore panics, and the function ends, unless this holds. */
#define FH_DEMAND(s, condition, ...)                                                                \
    do {                                                                                            \
        if (__builtin_expect(!(condition), 0))                                                      \
            return FH_PANIC_FOR(s, #condition, __VA_ARGS__);                                             \
    } while (0)

/* A machine's EL2 comes no further: it takes an exception of its own, or loops for ever. */
#define FH_DIE(s, reason, ...) FH_COME_NO_FURTHER(s, FH_DIED, reason, __VA_ARGS__)
#define FH_HANG(s, reason, ...) FH_COME_NO_FURTHER(s, FH_HANGS, reason, __VA_ARGS__)
#define FH_COME_NO_FURTHER(s, status, reason, ...)                                                  \
    do {                                                                                            \
        FH_VALUES(__VA_ARGS__);                                                                     \
        return stop(s, status, FH_LAYER, __func__, reason, #__VA_ARGS__, fh_values_,                \
                    sizeof fh_values_ / sizeof *fh_values_);                                        \
    } while (0)

/* A loop of this many rounds is within what the state allows. */
#define FH_LOOP_BOUND(s, rounds)                                                                    \
    do {                                                                                            \
        if (__builtin_expect((rounds) > (s)->loop_limit, 0)) {                                      \
            const uint64_t fh_values_[] = {(rounds), (s)->loop_limit};                              \
            return stop(s, FH_LIMIT, FH_LAYER, __func__, #rounds " <= loop_limit",                  \
                        #rounds ", loop_limit", fh_values_, 2);                                     \
        }                                                                                           \
    } while (0)

/* Record why a call ends; returns `status`. Out of line: the way that is not taken. */
__attribute__((cold, noinline)) enum fh_status
stop(struct fh_state *s, enum fh_status status, const char *layer, const char *function,
     const char *condition, const char *names, const uint64_t *values, size_t nvalues);

/* Record why KCore panics: s->panic. */
__attribute__((cold, noinline)) void note_panic(struct fh_state *s, const char *layer,
                                                const char *function, const char *condition,
                                                const char *names, const uint64_t *values,
                                                size_t nvalues);

/* Record that the state has no place for what the call computes: s->beyond. */
__attribute__((cold, noinline)) void leave_64_bits(struct fh_state *s, const char *layer,
                                                   const char *function, const char *condition,
                                                   const char *names, const uint64_t *values,
                                                   size_t nvalues);

#define FH_NAMES_0(none)
#define FH_NAMES_1(t1, a1) , a1
#define FH_NAMES_2(t1, a1, t2, a2) , a1, a2
#define FH_NAMES_3(t1, a1, ...) , a1 FH_NAMES_2(__VA_ARGS__)
#define FH_NAMES_4(t1, a1, ...) , a1 FH_NAMES_3(__VA_ARGS__)
#define FH_NAMES_5(t1, a1, ...) , a1 FH_NAMES_4(__VA_ARGS__)
#define FH_NAMES_6(t1, a1, ...) , a1 FH_NAMES_5(__VA_ARGS__)
#define FH_PASS_RESULT_state
#define FH_PASS_RESULT_u32 , result
#define FH_PASS_RESULT_u64 , result
#define FH_PASS_RESULT_state_u32 , result
#define FH_PASS_RESULT_state_u64 , result

/*
 * When a call is more than that of the spec's function: where a machine is in the way, or, for a
 * function that observers are told of, where there is one. dispatch_foo does the rest.
 *
 * A function that dispatch_foo calls too has two callers, and GCC inlines it nowhere. The spec
 * functions of a fault and of an SMMU's access say `inline`, and release builds listen
 * (max-inline-insns-single): a fault took 8 % more instructions, an SMMU's write 19 %.
 */
#define KC_CALL_fixed_quiet(call)
#define KC_CALL_abi_quiet(call) KC_CALL_open_quiet(call)
#define KC_CALL_open_quiet(call) KC_CALL_IF(s->machine != NULL, call)
#define KC_CALL_fixed_told(call) KC_CALL_IF(s->env.observer != NULL, call)
#define KC_CALL_open_told(call) KC_CALL_IF(s->machine != NULL || s->env.observer != NULL, call)
#ifdef FH_WITHOUT_DISPATCH /* a pure spec, by which bench/count measures what dispatch costs */
#define KC_CALL_IF(condition, call)
#else
#define KC_CALL_IF(condition, call)                                                                 \
    if (__builtin_expect(condition, 0))                                                             \
        return call;
#endif

#define KC_PROTOTYPE(layer, name, hook, told, ret, n, ...)                                          \
    enum fh_status spec_##name(struct fh_state *s FH_ARGS_##n(__VA_ARGS__) FH_RESULT_##ret);        \
    enum fh_status dispatch_##name(struct fh_state *s FH_ARGS_##n(__VA_ARGS__) FH_RESULT_##ret);    \
    __attribute__((always_inline)) static inline enum fh_status kc_##name(                          \
        struct fh_state *s FH_ARGS_##n(__VA_ARGS__) FH_RESULT_##ret)                                \
    {                                                                                               \
        KC_CALL_##hook##_##told(                                                                    \
            dispatch_##name(s FH_NAMES_##n(__VA_ARGS__) FH_PASS_RESULT_##ret))                      \
        return spec_##name(s FH_NAMES_##n(__VA_ARGS__) FH_PASS_RESULT_##ret);                       \
    }

/* clang-format on */
/* --- Constants.v: ranges --------------------------------------------------------------------- */

/*
 * They take `wide` where a sum is tested, which could wrap otherwise. Numbers of SMMUs and banks
 * are never sums: a loop over SMMUs took half as much again with a counter of 128 bits.
 */
static inline bool is_vm(const struct fh_profile *k, wide vmid)
{
    return k->HOSTVISOR < vmid && vmid < k->COREVISOR;
}

static inline bool is_vmid(const struct fh_profile *k, wide vmid)
{
    return vmid <= k->COREVISOR;
}

static inline bool is_vcpu(const struct fh_profile *k, wide vcpuid)
{
    return vcpuid < k->VCPU_PER_VM;
}

static inline bool is_addr(const struct fh_profile *k, wide addr)
{
    return addr < k->KVM_ADDR_SPACE;
}

/*
 * is_addr(k, a + b) and is_addr(k, a * b), without 128 bits: the registers of SMMUs and the address
 * of a fault are looked at by every fault of the host, and took it 20 instructions more.
 */
static inline bool is_addr_sum(const struct fh_profile *k, uint64_t a, uint64_t b)
{
    uint64_t sum;
    return !__builtin_add_overflow(a, b, &sum) && sum < k->KVM_ADDR_SPACE;
}

static inline bool is_addr_product(const struct fh_profile *k, uint64_t a, uint64_t b)
{
    uint64_t product;
    return !__builtin_mul_overflow(a, b, &product) && product < k->KVM_ADDR_SPACE;
}

static inline bool is_paddr(const struct fh_profile *k, wide addr)
{
    return addr < k->KVM_PHYS_SIZE;
}

static inline bool is_pfn(const struct fh_profile *k, wide pfn)
{
    return pfn < k->KVM_PFN_SPACE;
}

static inline bool is_gfn(const struct fh_profile *k, wide gfn)
{
    return gfn < k->KVM_GFN_SPACE;
}

static inline bool is_load_idx(const struct fh_profile *k, wide idx)
{
    return idx < k->MAX_LOAD_INFO_NUM;
}

static inline bool is_reg(const struct fh_profile *k, wide idx)
{
    return idx < k->MAX_REGISTER_NUM;
}

static inline bool is_memblock(const struct fh_profile *k, wide idx)
{
    return idx < k->MAX_MEMBLOCK_NUM;
}

static inline bool is_s2page(const struct fh_profile *k, wide idx)
{
    return idx < k->MAX_S2PAGE_NUM;
}

static inline bool is_smmu(const struct fh_profile *k, uint64_t idx)
{
    return idx < k->SMMU_NUM;
}

static inline bool is_smmu_cfg(const struct fh_profile *k, uint64_t idx)
{
    return idx < k->SMMU_NUM_CTXT_BANKS;
}

static inline bool is_smmu_addr(wide addr)
{
    return addr < (wide)1 << 40;
}

static inline bool is_int(wide n)
{
    return n <= UINT32_MAX;
}

static inline bool is_int64(wide n)
{
    return n <= UINT64_MAX;
}

/* --- Constants.v: address arithmetic --------------------------------------------------------- */

static inline uint64_t phys_page(const struct fh_profile *k, uint64_t addr)
{
    return addr & k->PHYS_MASK & k->PAGE_MASK;
}

/* The page that a byte address lies in: a division by PAGE_SIZE, which costs more. */
static inline uint64_t pfn_of(const struct fh_profile *k, uint64_t addr)
{
    return addr >> k->PAGE_SHIFT;
}

/*
 * The number of a vCPU's shadow context. cur_vmid and cur_vcpuid may be anything, the latter
 * negative, so that the number may be beyond 64 bits or below 0: then it is a `wide` in two's
 * complement.
 */
static inline wide ctxt_id(const struct fh_profile *k, uint64_t vmid, int64_t vcpuid)
{
    return wide_add(wide_mul(vmid, k->VCPU_PER_VM), (wide)vcpuid);
}

static inline uint64_t smmu_id(const struct fh_profile *k, uint64_t index, uint64_t cbndx)
{
    return index * k->SMMU_NUM_CTXT_BANKS + cbndx;
}

/*
 * MmioRaw/Spec.v: where the context banks begin in an SMMU's registers, and the binary logarithm of
 * a bank's size. They are no constants of Constants.v, and the same in every profile.
 */
enum { SMMU_GLOBAL_BASE = 0x8000, ARM_SMMU_PGSHIFT = 12 };

static inline uint64_t smmu_ttbr(const struct fh_profile *k, uint64_t index, uint64_t cbndx)
{
    return k->SMMU_POOL_START + smmu_id(k, index, cbndx) * k->PAGE_SIZE * 2;
}

/* --- Reading the data ------------------------------------------------------------------------ */

static inline const struct fh_log *log_at(const struct fh_state *s, uint64_t id)
{
    if (id < LOCK_PLACES && s->places.locks[id].age == s->places.lock_age)
        return s->places.locks[id].log;
    return fh_map_get(&s->adt->log, &type_of_log->as_value, id);
}

static inline const struct fh_vminfo *vminfo_of(const struct fh_state *s, uint64_t vmid)
{
    const void *entry = fh_map_get(&s->adt->shared.vminfos, &type_of_ref_vminfo->as_value, vmid);
    return fh_ref_record(type_of_ref_vminfo, entry);
}

/* Where a shadow context stands. */
struct ctxt_place {
    struct fh_map *map;
    uint64_t key;
    bool is_beyond; /* 64 bits: cur_vmid is beyond 2^60 */
};

/*
 * A context beyond 64 bits can be written, for the spec may be stuck further on. Until the call
 * ends, and is taken back, it stands where no machine has contexts of its own.
 */
static inline struct ctxt_place place_beyond(const struct fh_state *s, wide ctxtid)
{
    return (struct ctxt_place){&s->adt->machine_ctxts, (uint64_t)ctxtid | UINT64_C(1) << 63, true};
}

static inline struct ctxt_place place_of_ctxt(const struct fh_state *s, wide ctxtid)
{
    if (__builtin_expect(is_int64(ctxtid), 1))
        return (struct ctxt_place){&s->adt->shadow_ctxts, (uint64_t)ctxtid, false};
    if (is_int64(~ctxtid)) /* negative */
        return (struct ctxt_place){&s->adt->shadow_ctxts_below, (uint64_t)~ctxtid, false};
    return place_beyond(s, ctxtid);
}

/* The entry of a shadow context, to read. */
static inline const void *shadow_entry_of(const struct fh_state *s, wide ctxtid)
{
    const struct ctxt_place place = place_of_ctxt(s, ctxtid);
    const struct fh_map_type *type = &type_of_ref_ctxt->as_value;
    if (__builtin_expect(place.is_beyond && !fh_map_find(place.map, type, place.key), 0))
        return fh_map_fallback(&s->adt->shadow_ctxts, type);
    return fh_map_get(place.map, type, place.key);
}

FH_SELDOM const struct fh_ctxt *ctxt_beyond(const struct fh_state *s, wide ctxtid);

static inline const struct fh_ctxt *shadow_ctxt_of(const struct fh_state *s, wide ctxtid)
{
    return __builtin_expect(is_int64(ctxtid), 1) ? known_ctxt(s, (uint64_t)ctxtid)
                                                 : ctxt_beyond(s, ctxtid);
}

static inline const struct fh_pt_entry *pt_entry_of(const struct fh_npt *npt, uint64_t gfn)
{
    return fh_map_get(&npt->pt, &type_of_pt_entry->as_value, gfn);
}

static inline uint64_t smmu_vmid_of(const struct fh_state *s, uint64_t index, uint64_t cbndx)
{
    const uint64_t *vmid = fh_map_get(&s->adt->shared.smmu_vmid, &type_of_vmid_or_invalid->as_value,
                                      smmu_id(s->profile, index, cbndx));
    return *vmid;
}

static inline uint64_t number_at(const struct fh_map *map, uint64_t key)
{
    return *(const uint64_t *)fh_map_get(map, &type_of_u64->as_value, key);
}

/* The same for a key that may be no 64-bit number: there are no entries at such keys. */
static inline uint64_t number_at_wide(const struct fh_map *map, wide key)
{
    if (is_int64(key))
        return number_at(map, (uint64_t)key);
    return *(const uint64_t *)fh_map_fallback(map, &type_of_u64->as_value);
}

static inline bool flag_at(const struct fh_map *map, uint64_t key)
{
    return *(const bool *)fh_map_get(map, &type_of_flag->as_value, key);
}

#endif
