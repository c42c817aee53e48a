/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_ORACLE_H
#define FH_LAYERS_ORACLE_H

#include "layers/kcore.h"

/*
 * The data oracles: what KCore reads from outside, page contents, device registers and what the
 * host hands over. The n-th value for a VM is a function of the two; how many were read stands in
 * data_log and core_data_log.
 */
/* What the next question is about; until then it is nothing that has a name. */
static inline void about(struct fh_state *s, enum fh_asked what, uint64_t vcpuid, uint64_t index)
{
    s->question.what = what;
    s->question.vcpuid = vcpuid;
    s->question.index = index;
}

static inline uint64_t ask_outside(struct fh_state *s, uint64_t vmid, uint64_t n,
                                   uint64_t (*oracle)(void *context, uint64_t vmid, uint64_t n))
{
    uint64_t value = 0;
    if (s->env.ask) {
        s->question.vmid = vmid;
        s->question.n = n;
        value = ASK_OUTSIDE(s, ask, &s->question);
    } else if (oracle)
        value = (settle_locks(s), oracle(s->env.context, vmid, n));
    observe_values(s, FH_EFFECT_DATA_READ, vmid, n, value, s->question.what, s->question.vcpuid,
                   s->question.index);
    about(s, FH_ASKED_OTHER, 0, 0);
    return value;
}

static inline uint64_t data_oracle(struct fh_state *s, uint64_t vmid, uint64_t n)
{
    return ask_outside(s, vmid, n, s->env.doracle);
}

static inline uint64_t core_data_oracle(struct fh_state *s, uint64_t vmid, uint64_t n)
{
    return ask_outside(s, vmid, n, s->env.core_doracle ? s->env.core_doracle : s->env.doracle);
}

/*
 * Read the next value for `vmid` and count it. Not representable: a count beyond 64 bits, which no
 * oracle can be asked with (what the spec would do with the answer is not known, so this ends the
 * call even if it would be stuck later).
 */
#define FH_READ_DATA(s, vmid, value) FH_READ_ORACLE(s, data_oracle, data_log, vmid, value)
#define FH_READ_CORE_DATA(s, vmid, value)                                                          \
    FH_READ_ORACLE(s, core_data_oracle, core_data_log, vmid, value)

#define FH_READ_ORACLE(s, oracle, counts, vmid, value)                                             \
    do {                                                                                           \
        const uint64_t fh_n_ = counts##_of(s, vmid);                                               \
        if (__builtin_expect(fh_n_ == UINT64_MAX, 0)) {                                            \
            FH_REPRESENTABLE(s, (s)->beyond.status == FH_OK, fh_n_);                               \
            FH_LEAVES_64_BITS(s, fh_n_ == UINT64_MAX, fh_n_);                                      \
        }                                                                                          \
        *(value) = oracle(s, vmid, fh_n_);                                                         \
        if (__builtin_expect(fh_n_ < UINT64_MAX, 1))                                               \
            FH_TRY(set_entry_u64(s, &(s)->adt->counts, vmid, fh_n_ + 1));                          \
    } while (0)

#endif
