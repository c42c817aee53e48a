/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_RECORDER_H
#define FAULTHANDLER_RECORDER_H

/* Where there are no such headers, as in Linux: include others first, and define this. */
#ifndef FH_RECORDER_HAS_TYPES
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

#include <faulthandler/trace_tables.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A recorder for a hypervisor's own code: header-only C11, freestanding, no allocation, no lock.
 * It writes what happens between the entry to EL2 and the ERET into a buffer of the caller, from
 * which `fhsim convert --from recorder` makes a trace for `fhsim replay`. docs/recorder.md tells
 * how to use it and has the layout of the records.
 *
 * Each CPU has a recorder and a buffer of its own; nothing but the CPU may call its functions. All
 * recorders of a machine share one counter, from which every event takes a number, so that the
 * recordings can be merged. A critical section's events are in order if they are recorded while the
 * lock is held.
 *
 * A buffer only ever holds whole traps. A trap that does not fit is dropped and counted, and so are
 * all that follow, until the buffer has been taken and the recorder restarted: a recording with a
 * hole in its middle would make everything behind the hole look wrong.
 */

/* The layout of the records, which follows the tables too. */
enum { FH_RECORDER_VERSION = 1 };

/* "FHRECORD", as a little-endian machine stores it. */
#define FH_RECORDER_MAGIC UINT64_C(0x44524f4345524846)

/*
 * The next event number. Define it before including this header where the compiler's builtin is
 * not wanted; it must be atomic, and coherence is all the order that is needed.
 */
#ifndef FH_RECORDER_NEXT
#define FH_RECORDER_NEXT(counter) __atomic_fetch_add((counter), UINT64_C(1), __ATOMIC_RELAXED)
#endif

/* The words at the start of a buffer. */
enum fh_recorder_header {
    FH_RECORDER_AT_MAGIC,
    FH_RECORDER_AT_VERSION, /* and the number of these words, from bit 32 on */
    FH_RECORDER_AT_CPU,
    FH_RECORDER_AT_SEGMENT, /* how often the recorder had been restarted */
    FH_RECORDER_AT_SUM,     /* fh_recorder_sum of the words above */
    FH_RECORDER_AT_USED,    /* words with whole traps, these included */
    FH_RECORDER_AT_DROPPED, /* traps that did not fit */
    FH_RECORDER_HEADER_WORDS
};

/* The first word of a record: type, kind, which optional fields it has, and its length in words. */
enum { FH_RECORDER_KIND_SHIFT = 8, FH_RECORDER_PRESENT_SHIFT = 16, FH_RECORDER_LENGTH_SHIFT = 32 };
enum fh_recorder_type { FH_RECORDER_BEGIN, FH_RECORDER_END, FH_RECORDER_EFFECT };

enum fh_trap_kind {
#define FH_TRACE_ENUM(kind) FH_TRAP_##kind,
    FH_TRACE_KIND_MAP(FH_TRACE_ENUM)
#undef FH_TRACE_ENUM
        FH_TRAP_KINDS
};

enum fh_trap_end {
#define FH_TRACE_ENUM(end) FH_TRAP_TO_##end,
    FH_TRACE_END_MAP(FH_TRACE_ENUM)
#undef FH_TRACE_ENUM
        FH_TRAP_UNFINISHED
};

enum fh_recorded_kind {
#define FH_TRACE_ENUM(kind) FH_RECORDED_##kind,
    FH_TRACE_EFFECT_MAP(FH_TRACE_ENUM)
#undef FH_TRACE_ENUM
        FH_RECORDED_KINDS
};

enum fh_trap_register {
#define FH_TRACE_ENUM(key, format) FH_TRAP_REG_##key,
    FH_TRACE_REGISTER_MAP(FH_TRACE_ENUM)
#undef FH_TRACE_ENUM
        FH_TRAP_REGISTERS
};

/* Registers: bit i of `present` for values[i], bit i of `x_present` for x[i]. */
struct fh_trap_registers {
    uint32_t present;
    uint32_t x_present;
    uint64_t values[FH_TRAP_REGISTERS];
    uint64_t x[FH_TRACE_GPRS];
};

struct fh_recorder {
    uint64_t *words;
    size_t capacity;
    size_t used; /* words with whole traps */
    size_t at;   /* where the open trap goes on */
    uint64_t *counter;
    bool is_open; /* a trap has begun */
    bool is_full; /* a trap did not fit */
};

/* --- Internals ------------------------------------------------------------------------------- */

/* Tells any change of one word: each step is a bijection of the sum and of the word. */
static inline uint64_t fh_recorder_sum(const uint64_t *words, size_t count)
{
    uint64_t sum = UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < count; i++)
        sum = ((sum << 5 | sum >> 59) ^ words[i]) * UINT64_C(0xff51afd7ed558ccd);
    return sum;
}

static inline void fh_recorder_put(struct fh_recorder *recorder, uint64_t word)
{
    if (recorder->at == recorder->capacity)
        recorder->is_full = true;
    else
        recorder->words[recorder->at++] = word;
}

/* The length, then eight characters a word, the first in the lowest byte. */
static inline void fh_recorder_put_text(struct fh_recorder *recorder, const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    fh_recorder_put(recorder, length);
    for (size_t i = 0; i < length && !recorder->is_full; i += 8) {
        uint64_t word = 0;
        for (size_t j = i; j < length && j < i + 8; j++)
            word |= (uint64_t)(unsigned char)text[j] << 8 * (j - i);
        fh_recorder_put(recorder, word);
    }
}

/* A list that is too long for a trace makes the trap one that does not fit. */
static inline void fh_recorder_put_list(struct fh_recorder *recorder, unsigned count,
                                        const uint64_t *list)
{
    if (count > FH_TRACE_LIST_MAX)
        recorder->is_full = true;
    fh_recorder_put(recorder, count);
    for (unsigned i = 0; i < count && !recorder->is_full; i++)
        fh_recorder_put(recorder, list[i]);
}

/* Which there are, then their values. */
static inline void fh_recorder_put_registers(struct fh_recorder *recorder,
                                             const struct fh_trap_registers *registers)
{
    if (!registers) {
        fh_recorder_put(recorder, 0);
        return;
    }
    fh_recorder_put(recorder, (uint64_t)registers->x_present << 32 | registers->present);
    for (unsigned i = 0; i < FH_TRAP_REGISTERS; i++) {
        if (registers->present >> i & 1)
            fh_recorder_put(recorder, registers->values[i]);
    }
    for (unsigned i = 0; i < FH_TRACE_GPRS; i++) {
        if (registers->x_present >> i & 1)
            fh_recorder_put(recorder, registers->x[i]);
    }
}

/* Begin a record, which takes a number; a trap that is lost takes none. Returns its place. */
static inline size_t fh_recorder_start_record(struct fh_recorder *recorder)
{
    const size_t start = recorder->at;
    fh_recorder_put(recorder, 0);
    if (!recorder->is_full)
        fh_recorder_put(recorder, FH_RECORDER_NEXT(recorder->counter));
    return start;
}

static inline void fh_recorder_finish_record(struct fh_recorder *recorder, size_t start,
                                             enum fh_recorder_type type, unsigned kind,
                                             uint64_t present)
{
    if (recorder->is_full)
        return;
    recorder->words[start] = (uint64_t)type | (uint64_t)kind << FH_RECORDER_KIND_SHIFT |
                             present << FH_RECORDER_PRESENT_SHIFT |
                             (uint64_t)(recorder->at - start) << FH_RECORDER_LENGTH_SHIFT;
}

/* A word of the header that another CPU may be reading. */
static inline void fh_recorder_publish(struct fh_recorder *recorder, enum fh_recorder_header at,
                                       uint64_t word)
{
    __atomic_store_n(&recorder->words[at], word, __ATOMIC_RELEASE);
}

static inline void fh_recorder_start_segment(struct fh_recorder *recorder, uint64_t segment)
{
    uint64_t *words = recorder->words;
    words[FH_RECORDER_AT_SEGMENT] = segment;
    words[FH_RECORDER_AT_SUM] = fh_recorder_sum(words, FH_RECORDER_AT_SUM);
    recorder->used = recorder->at = FH_RECORDER_HEADER_WORDS;
    recorder->is_full = false;
    fh_recorder_publish(recorder, FH_RECORDER_AT_DROPPED, 0);
    fh_recorder_publish(recorder, FH_RECORDER_AT_USED, recorder->used);
}

/* The open trap is whole now: publish it, or drop it. */
static inline void fh_recorder_close(struct fh_recorder *recorder)
{
    recorder->is_open = false;
    if (recorder->is_full) {
        recorder->at = recorder->used;
        fh_recorder_publish(recorder, FH_RECORDER_AT_DROPPED,
                            recorder->words[FH_RECORDER_AT_DROPPED] + 1);
        return;
    }
    recorder->used = recorder->at;
    fh_recorder_publish(recorder, FH_RECORDER_AT_USED, recorder->used);
}

/* --- The buffer ------------------------------------------------------------------------------ */

/*
 * Record the traps of `cpu` into `nwords` words. `counter` is the machine's, 0 before the first
 * recorder starts. False if the buffer has no room for a header.
 */
static inline bool fh_recorder_init(struct fh_recorder *recorder, uint64_t *words, size_t nwords,
                                    uint64_t cpu, uint64_t *counter)
{
    if (nwords < FH_RECORDER_HEADER_WORDS)
        return false;
    recorder->words = words;
    recorder->capacity = nwords;
    recorder->counter = counter;
    recorder->is_open = false;
    words[FH_RECORDER_AT_MAGIC] = FH_RECORDER_MAGIC;
    words[FH_RECORDER_AT_VERSION] = FH_RECORDER_VERSION | (uint64_t)FH_RECORDER_HEADER_WORDS << 32;
    words[FH_RECORDER_AT_CPU] = cpu;
    fh_recorder_start_segment(recorder, 0);
    return true;
}

/* How many bytes of the buffer are to be taken: the header and whole traps. */
static inline size_t fh_recorder_bytes(const struct fh_recorder *recorder)
{
    return (size_t)__atomic_load_n(&recorder->words[FH_RECORDER_AT_USED], __ATOMIC_ACQUIRE) *
           sizeof(uint64_t);
}

static inline uint64_t fh_recorder_dropped(const struct fh_recorder *recorder)
{
    return __atomic_load_n(&recorder->words[FH_RECORDER_AT_DROPPED], __ATOMIC_ACQUIRE);
}

/*
 * Start the buffer anew, after its bytes have been appended to the CPU's file; on the CPU itself,
 * between traps. False, and nothing happens, inside a trap.
 */
static inline bool fh_recorder_restart(struct fh_recorder *recorder)
{
    if (recorder->is_open)
        return false;
    fh_recorder_start_segment(recorder, recorder->words[FH_RECORDER_AT_SEGMENT] + 1);
    return true;
}

/* --- Traps ----------------------------------------------------------------------------------- */

/*
 * The trap ends with the ERET to `to`, with these registers; those that are as at entry may be
 * among them or not (NULL: all are as they were). Without an open trap nothing happens.
 */
static inline void fh_recorder_end(struct fh_recorder *recorder, enum fh_trap_end to,
                                   const struct fh_trap_registers *out)
{
    if (!recorder->is_open)
        return;
    const size_t start = fh_recorder_start_record(recorder);
    fh_recorder_put_registers(recorder, out);
    fh_recorder_put(recorder, 0);
    fh_recorder_finish_record(recorder, start, FH_RECORDER_END, (unsigned)to, 0);
    if (!recorder->is_full) {
        const size_t last = recorder->at - 1;
        recorder->words[last] =
            fh_recorder_sum(&recorder->words[recorder->used], last - recorder->used);
    }
    fh_recorder_close(recorder);
}

/* The machine stops inside the trap. Call it from what runs then, or the trap is lost. */
static inline void fh_recorder_unfinished(struct fh_recorder *recorder)
{
    fh_recorder_end(recorder, FH_TRAP_UNFINISHED, NULL);
}

/* A trap that is still open, since another exception came, is recorded as unfinished. */
static inline size_t fh_recorder_start_trap(struct fh_recorder *recorder,
                                            const struct fh_trap_registers *in)
{
    fh_recorder_unfinished(recorder);
    recorder->is_open = true;
    const size_t start = fh_recorder_start_record(recorder);
    fh_recorder_put_registers(recorder, in);
    return start;
}

/* A stage-2 fault of the host, or an exception inside EL2. */
static inline void fh_recorder_begin(struct fh_recorder *recorder, enum fh_trap_kind kind,
                                     const struct fh_trap_registers *in)
{
    const size_t start = fh_recorder_start_trap(recorder, in);
    fh_recorder_finish_record(recorder, start, FH_RECORDER_BEGIN, (unsigned)kind, 0);
}

/* A hypercall of the host: its name and number, and x1, x2, ... (at most FH_TRACE_LIST_MAX). */
static inline void fh_recorder_begin_hvc(struct fh_recorder *recorder, const char *name,
                                         uint64_t number, unsigned nargs, const uint64_t *args,
                                         const struct fh_trap_registers *in)
{
    const size_t start = fh_recorder_start_trap(recorder, in);
    fh_recorder_put_text(recorder, name);
    fh_recorder_put(recorder, number);
    fh_recorder_put_list(recorder, nargs, args);
    fh_recorder_finish_record(recorder, start, FH_RECORDER_BEGIN, FH_TRAP_host_hvc, 0);
}

/* A VM's exit: 0 interrupt, 1 SError, 2 trap; of a trap the name of its class, or NULL. */
static inline void fh_recorder_begin_exit(struct fh_recorder *recorder, uint64_t exit_code,
                                          const char *ec, const struct fh_trap_registers *in)
{
    const size_t start = fh_recorder_start_trap(recorder, in);
    fh_recorder_put(recorder, exit_code);
    if (ec)
        fh_recorder_put_text(recorder, ec);
    fh_recorder_finish_record(recorder, start, FH_RECORDER_BEGIN, FH_TRAP_guest_exit, ec != NULL);
}

/* --- Effects --------------------------------------------------------------------------------- */

/*
 * One function for each kind of effect, with the fields of trace_tables.h in their order, such as
 *
 *     fh_record_lock(&recorder, "pt", vmid);
 *     fh_record_pt_store(&recorder, vmid, "pte", ipa, pa, old_pte, new_pte);
 *     fh_record_fn(&recorder, "map_page_host", 1, &address);
 *
 * Words and numbers are uint64_t, INVALID is 0xffffffff, a list is its length and its words. An
 * optional field is a pointer, NULL where it is missing. Outside a trap nothing is recorded.
 * In C++ `new` is no name, and so the parameters are called new_, ipa_, ...
 */
#define FH_RECORDER_PARAM_hex(key) , uint64_t key##_
#define FH_RECORDER_PARAM_number(key) , uint64_t key##_
#define FH_RECORDER_PARAM_either(key) , uint64_t key##_
#define FH_RECORDER_PARAM_text(key) , const char *key##_
#define FH_RECORDER_PARAM_list(key) , unsigned key##_count, const uint64_t *key##_
#define FH_RECORDER_PARAM(kind, format, key) FH_RECORDER_PARAM_##format(key)

#define FH_RECORDER_MAYBE_hex(key) , const uint64_t *key##_
#define FH_RECORDER_MAYBE_number(key) , const uint64_t *key##_
#define FH_RECORDER_MAYBE_text(key) , const char *key##_
#define FH_RECORDER_MAYBE(kind, format, key) FH_RECORDER_MAYBE_##format(key)

#define FH_RECORDER_PUT_hex(key) fh_recorder_put(recorder, key##_)
#define FH_RECORDER_PUT_number(key) fh_recorder_put(recorder, key##_)
#define FH_RECORDER_PUT_either(key) fh_recorder_put(recorder, key##_)
#define FH_RECORDER_PUT_text(key) fh_recorder_put_text(recorder, key##_)
#define FH_RECORDER_PUT_list(key) fh_recorder_put_list(recorder, key##_count, key##_)
#define FH_RECORDER_PUT(kind, format, key)                                                         \
    FH_RECORDER_PUT_##format(key);                                                                 \
    present_ |= bit_;                                                                              \
    bit_ <<= 1;

#define FH_RECORDER_PUT_MAYBE_hex(key) fh_recorder_put(recorder, *key##_)
#define FH_RECORDER_PUT_MAYBE_number(key) fh_recorder_put(recorder, *key##_)
#define FH_RECORDER_PUT_MAYBE_text(key) fh_recorder_put_text(recorder, key##_)
#define FH_RECORDER_PUT_MAYBE(kind, format, key)                                                   \
    if (key##_) {                                                                                  \
        FH_RECORDER_PUT_MAYBE_##format(key);                                                       \
        present_ |= bit_;                                                                          \
    }                                                                                              \
    bit_ <<= 1;

/* clang-format off */
#define FH_RECORDER_FUNCTION(kind)                                                                 \
    static inline void fh_record_##kind(struct fh_recorder *recorder                               \
        FH_TRACE_FIELDS_##kind(FH_RECORDER_PARAM, FH_RECORDER_MAYBE, kind))                        \
    {                                                                                              \
        if (!recorder->is_open)                                                                    \
            return;                                                                                \
        uint64_t present_ = 0;                                                                     \
        uint64_t bit_ = 1;                                                                         \
        const size_t start_ = fh_recorder_start_record(recorder);                                  \
        FH_TRACE_FIELDS_##kind(FH_RECORDER_PUT, FH_RECORDER_PUT_MAYBE, kind)                       \
        fh_recorder_finish_record(recorder, start_, FH_RECORDER_EFFECT, FH_RECORDED_##kind,     \
                                  present_);                                                       \
    }
/* clang-format on */
FH_TRACE_EFFECT_MAP(FH_RECORDER_FUNCTION)

#ifdef __cplusplus
}
#endif

#endif
