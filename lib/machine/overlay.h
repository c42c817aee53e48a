/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_MACHINE_OVERLAY_H
#define FH_MACHINE_OVERLAY_H

#include "layers/all.h"

/*
 * How the overlays of the library are written.
 *
 *   #define FH_LAYER "sekvm-4.18"                 the name in messages
 *   #define FH_BELOW fh_machine_bodies            the machine that this one extends
 *   #include "machine/overlay.h"
 *
 *   FH_SWITCHES(MAP, first)   the switches of a table of names, MAP(X), as an enumeration whose
 *                             first number is `first`, and departs(s, NAME), which asks one
 *   below_foo                 what the machine below does at foo
 *
 * An overlay's function at foo is called m_foo. It does one thing otherwise and is written as the
 * layers are: with kc_foo for what the machine does at foo, itself included, and below_foo where it
 * does not depart.
 */

/* What `machine`, or the next one that it extends, does at foo. */
/* clang-format off */
#define FH_MACHINE_fixed(name, ret, n, ...)
#define FH_MACHINE_open(name, ret, n, ...)                                                          \
    enum fh_status machine_##name(struct fh_state *s, const struct fh_machine *machine              \
                                      FH_ARGS_##n(__VA_ARGS__) FH_RESULT_##ret);
#define FH_MACHINE_abi(name, ret, n, ...) FH_MACHINE_open(name, ret, n, __VA_ARGS__)
#define FH_MACHINE_PROTOTYPE(layer, name, hook, told, ret, n, ...)                                  \
    FH_MACHINE_##hook(name, ret, n, __VA_ARGS__)
FH_FUNCTION_MAP(FH_MACHINE_PROTOTYPE)

#ifdef FH_BELOW
extern const struct fh_machine FH_BELOW;
#define FH_BELOW_fixed(name, ret, n, ...)
#define FH_BELOW_open(name, ret, n, ...)                                                            \
    __attribute__((unused)) static inline enum fh_status below_##name(                              \
        struct fh_state *s FH_ARGS_##n(__VA_ARGS__) FH_RESULT_##ret)                                \
    {                                                                                               \
        return machine_##name(s, &FH_BELOW FH_NAMES_##n(__VA_ARGS__) FH_PASS_RESULT_##ret);         \
    }
#define FH_BELOW_abi(name, ret, n, ...) FH_BELOW_open(name, ret, n, __VA_ARGS__)
#define FH_BELOW_FUNCTION(layer, name, hook, told, ret, n, ...)                                     \
    FH_BELOW_##hook(name, ret, n, __VA_ARGS__)
FH_FUNCTION_MAP(FH_BELOW_FUNCTION)
#endif

/* Ask a switch: what is asked may have made a difference. */
static inline bool ask(struct fh_state *s, unsigned departure)
{
    fh_departures_add(&s->asked, departure);
    return fh_departs(&s->departures, departure);
}

#define FH_SWITCH(name) name,
#define FH_SWITCH_NAME(name) #name,
#define FH_SWITCHES(MAP, first)                                                                     \
    enum departure {                                                                                \
        FH_BEFORE_ALL_DEPARTURES = (first)-1,                                                       \
        MAP(FH_SWITCH) FH_BEHIND_ALL_DEPARTURES                                                     \
    };                                                                                              \
    _Static_assert((int)FH_BEHIND_ALL_DEPARTURES <= (int)FH_DEPARTURES_MAX,                        \
                   "a set has room for them");                                                     \
    static inline bool departs(struct fh_state *s, enum departure departure)                        \
    {                                                                                               \
        return ask(s, (unsigned)departure);                                                         \
    }

/* clang-format on */
#endif
