/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_OVERLAY_H
#define FAULTHANDLER_OVERLAY_H

#include <faulthandler/effects.h>
#include <faulthandler/machine.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Overlays outside of the tree: what a machine does otherwise, as one source file that becomes a
 * shared object in the machine's folder (docs/machines.md).
 *
 *   cc -shared -fPIC -I PREFIX/include -o overlay.so overlay.c
 *
 *   #define FH_SWITCH_MAP(X) X(T1) X(T2)          the departures of the catalogue of machine.yaml
 *   #include <faulthandler/overlay.h>
 *
 *   static enum fh_status m_map_page_host(struct fh_state *s, uint64_t addr)
 *   {
 *       if (!departs(s, T1))
 *           return below_map_page_host(s, addr);
 *       ...
 *   }
 *
 *   FH_OVERLAY(.map_page_host = m_map_page_host)
 *
 * In there, for each function foo of the registry (functions.h), in its own words:
 *   kc_foo(s, ...)      what the machine does at foo, itself included
 *   below_foo(s, ...)   what the machine that it extends does at foo; of rows that are `open`
 *   departs(s, T1)      is the switch on? Only the names of the table compile.
 *   FH_TRY(call)        go on only if the call succeeded
 *   FH_RELY(s, c)       stuck unless the condition holds
 *   FH_DIE(s, "why")    EL2 dies here, of an exception inside; FH_HANG: it never comes back
 *   fh_k(s)             the constants
 *   fh_data(s)          the state, to be read
 *   fh_set_register(s, elr_el1, v)  a register of the CPU, of struct fh_ctxt_regs, as it is at the
 *                       end of the trap; read by fh_data(s)->regs->ctxt_regs
 *   fh_note(s, kind, a, b, v), fh_noted(s, kind, a, b)  what the machine keeps beside RData: a
 *                       number for each kind (below FH_NOTES), a (24 bits) and b (32 bits),
 *                       0 at first
 *   fh_tell(s, kind, ...)  tell observers of an effect that no function of the registry has
 *
 * The object links against nothing: what it calls comes to it when it is loaded.
 */

/* clang-format off */
#define FH_MODULE_FUNCTION(layer, name, hook, told, ret, n, ...)                                    \
    enum fh_status (*kc_##name)(struct fh_state *s FH_ARGS_##n(__VA_ARGS__) FH_RESULT_##ret);
#define FH_MODULE_BELOW_fixed(name, ret, n, ...)
#define FH_MODULE_BELOW_open(name, ret, n, ...)                                                     \
    enum fh_status (*below_##name)(struct fh_state *s, const struct fh_machine *machine             \
                                       FH_ARGS_##n(__VA_ARGS__) FH_RESULT_##ret);
#define FH_MODULE_BELOW_abi FH_MODULE_BELOW_open
#define FH_MODULE_BELOW(layer, name, hook, told, ret, n, ...)                                       \
    FH_MODULE_BELOW_##hook(name, ret, n, __VA_ARGS__)

/* Kinds of numbers that an overlay keeps. */
enum { FH_NOTES = 64 };

/* What a shared object gets. */
struct fh_overlay_api {
    size_t size; /* of this struct, to tell apart what was built against another registry */
    const struct fh_profile *(*profile)(const struct fh_state *s);
    const struct fh_rdata *(*rdata)(const struct fh_state *s);
    bool (*ask)(struct fh_state *s, unsigned departure);
    void (*tell)(struct fh_state *s, const struct fh_effect *effect);
    enum fh_status (*set_register)(struct fh_state *s, size_t offset, uint64_t value);
    enum fh_status (*note)(struct fh_state *s, unsigned kind, uint64_t a, uint64_t b,
                           uint64_t value);
    uint64_t (*noted)(const struct fh_state *s, unsigned kind, uint64_t a, uint64_t b);
    enum fh_status (*stop)(struct fh_state *s, enum fh_status status, const char *layer,
                           const char *function, const char *condition);
    FH_FUNCTION_MAP(FH_MODULE_FUNCTION)
    FH_FUNCTION_MAP(FH_MODULE_BELOW)
};
/* clang-format on */

FH_API extern const struct fh_overlay_api fh_overlay_api;

/* What it answers. */
struct fh_machine_module {
    unsigned version;    /* FH_MACHINE_ABI */
    size_t size;         /* of struct fh_overlay_api */
    size_t overlay_size; /* of struct fh_overlay */
    const struct fh_overlay *overlay;
    const char *const *departures;
    unsigned ndepartures;
    const struct fh_own_function *own; /* or NULL */
};

/*
 * The one symbol of the object. `below` is the machine that it extends, `first` the number of its
 * own first departure.
 */
typedef const struct fh_machine_module *fh_machine_module_function(const struct fh_overlay_api *api,
                                                                   const struct fh_machine *below,
                                                                   unsigned first);

#ifdef FH_SWITCH_MAP

static const struct fh_overlay_api *fh_api;
static const struct fh_machine *fh_below;
static unsigned fh_first_departure;

#define FH_SWITCH(name) name,
enum departure { FH_SWITCH_MAP(FH_SWITCH) FH_SWITCHES_OF_OVERLAY };

__attribute__((unused)) static inline bool departs(struct fh_state *s, enum departure departure)
{
    return fh_api->ask(s, fh_first_departure + (unsigned)departure);
}

__attribute__((unused)) static inline const struct fh_profile *fh_k(const struct fh_state *s)
{
    return fh_api->profile(s);
}

__attribute__((unused)) static inline const struct fh_rdata *fh_data(const struct fh_state *s)
{
    return fh_api->rdata(s);
}

#define fh_set_register(s, reg, value)                                                             \
    (fh_api->set_register((s), offsetof(struct fh_ctxt_regs, reg), (value)))

__attribute__((unused)) static inline enum fh_status fh_note(struct fh_state *s, unsigned kind,
                                                             uint64_t a, uint64_t b, uint64_t value)
{
    return fh_api->note(s, kind, a, b, value);
}

__attribute__((unused)) static inline uint64_t fh_noted(const struct fh_state *s, unsigned kind,
                                                        uint64_t a, uint64_t b)
{
    return fh_api->noted(s, kind, a, b);
}

/*
 * fh_tell(s, FH_EFFECT_PT_STORE, vmid, pa, old, new, level, addr): up to six values, those of the
 * kind, as effects.h has them; what is not given is 0.
 */
#define fh_tell(s, kind, ...)                                                                      \
    do {                                                                                           \
        const struct fh_effect fh_effect_ = {(kind), {__VA_ARGS__}};                               \
        fh_api->tell((s), &fh_effect_);                                                            \
    } while (0)

/* clang-format off */
#define FH_TRY(call)                                                                                \
    do {                                                                                            \
        const enum fh_status fh_try_status_ = (call);                                               \
        if (fh_try_status_ != FH_OK)                                                                \
            return fh_try_status_;                                                                  \
    } while (0)

#define FH_RELY(s, condition)                                                                       \
    do {                                                                                            \
        if (!(condition))                                                                           \
            return fh_api->stop(s, FH_STUCK, "overlay", __func__, #condition);                      \
    } while (0)

#define FH_DIE(s, reason) return fh_api->stop(s, FH_DIED, "overlay", __func__, reason)
#define FH_HANG(s, reason) return fh_api->stop(s, FH_HANGS, "overlay", __func__, reason)

#define FH_GIVE_0(none)
#define FH_GIVE_1(t1, a1) , a1
#define FH_GIVE_2(t1, a1, t2, a2) , a1, a2
#define FH_GIVE_3(t1, a1, ...) , a1 FH_GIVE_2(__VA_ARGS__)
#define FH_GIVE_4(t1, a1, ...) , a1 FH_GIVE_3(__VA_ARGS__)
#define FH_GIVE_5(t1, a1, ...) , a1 FH_GIVE_4(__VA_ARGS__)
#define FH_GIVE_6(t1, a1, ...) , a1 FH_GIVE_5(__VA_ARGS__)
#define FH_GIVE_RESULT_state
#define FH_GIVE_RESULT_u32 , result
#define FH_GIVE_RESULT_u64 , result
#define FH_GIVE_RESULT_state_u32 , result
#define FH_GIVE_RESULT_state_u64 , result

#define FH_MODULE_KC(layer, name, hook, told, ret, n, ...)                                          \
    __attribute__((unused)) static inline enum fh_status kc_##name(                                 \
        struct fh_state *s FH_ARGS_##n(__VA_ARGS__) FH_RESULT_##ret)                                \
    {                                                                                               \
        return fh_api->kc_##name(s FH_GIVE_##n(__VA_ARGS__) FH_GIVE_RESULT_##ret);                  \
    }
#define FH_MODULE_CALLS_fixed(name, ret, n, ...)
#define FH_MODULE_CALLS_open(name, ret, n, ...)                                                     \
    __attribute__((unused)) static inline enum fh_status below_##name(                              \
        struct fh_state *s FH_ARGS_##n(__VA_ARGS__) FH_RESULT_##ret)                                \
    {                                                                                               \
        return fh_api->below_##name(s, fh_below FH_GIVE_##n(__VA_ARGS__) FH_GIVE_RESULT_##ret);     \
    }
#define FH_MODULE_CALLS_abi FH_MODULE_CALLS_open
#define FH_MODULE_CALLS(layer, name, hook, told, ret, n, ...)                                       \
    FH_MODULE_CALLS_##hook(name, ret, n, __VA_ARGS__)
FH_FUNCTION_MAP(FH_MODULE_KC)
FH_FUNCTION_MAP(FH_MODULE_CALLS)

/*
 * The end of the source: FH_OVERLAY(.foo = m_foo, ...), or FH_OVERLAY_OWN(list, .foo = m_foo, ...)
 * with functions of its own, an array of struct fh_own_function that ends with a name NULL.
 */
#define FH_OVERLAY(...) FH_OVERLAY_OWN(NULL, __VA_ARGS__)
#define FH_SWITCH_NAME(name) #name,
#define FH_OVERLAY_OWN(functions, ...)                                                              \
    __attribute__((visibility("default"))) const struct fh_machine_module *fh_machine_module(       \
        const struct fh_overlay_api *api, const struct fh_machine *below, unsigned first)           \
    {                                                                                               \
        static const struct fh_overlay overlay = {__VA_ARGS__};                                     \
        static const char *const names[] = {FH_SWITCH_MAP(FH_SWITCH_NAME) NULL};                    \
        static const struct fh_machine_module module = {                                            \
            FH_MACHINE_ABI, sizeof *api, sizeof overlay, &overlay, names,                           \
            FH_SWITCHES_OF_OVERLAY, functions};                                                     \
        fh_api = api;                                                                               \
        fh_below = below;                                                                           \
        fh_first_departure = first;                                                                 \
        return &module;                                                                             \
    }                                                                                               \
    _Static_assert(sizeof(fh_machine_module_function *) > 0, "")
/* clang-format on */

#endif

#ifdef __cplusplus
}
#endif

#endif
