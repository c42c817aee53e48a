/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_MACHINE_H
#define FAULTHANDLER_MACHINE_H

#include <faulthandler/abi.h>
#include <faulthandler/functions.h>
#include <faulthandler/spec.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A machine is a hypervisor as it is: the spec, or another machine, plus named departures.
 *
 *   spec < bodies < sekvm-4.18
 *
 * `bodies` has the eleven functions whose verified C body does something else than their spec. A
 * machine's functions stand in an overlay, each departure in them behind a switch. With all
 * switches off a machine is the spec.
 */

/* Of an overlay that is loaded: raised with every change of this header or of the registry. */
enum { FH_MACHINE_ABI = 2 };

/* --- Departures ------------------------------------------------------------------------------ */

/*
 * A set of departures. They are counted along the chain of machines: those of what a machine
 * extends come first.
 */
enum { FH_DEPARTURES_MAX = 128 };

struct fh_departures {
    uint64_t bits[FH_DEPARTURES_MAX / 64];
};

static inline bool fh_departs(const struct fh_departures *set, unsigned departure)
{
    return (set->bits[departure / 64] >> departure % 64 & 1) != 0;
}

static inline void fh_departures_add(struct fh_departures *set, unsigned departure)
{
    set->bits[departure / 64] |= (uint64_t)1 << departure % 64;
}

static inline void fh_departures_remove(struct fh_departures *set, unsigned departure)
{
    set->bits[departure / 64] &= ~((uint64_t)1 << departure % 64);
}

static inline bool fh_departures_are_none(const struct fh_departures *set)
{
    return (set->bits[0] | set->bits[1]) == 0;
}

/* --- Overlays -------------------------------------------------------------------------------- */

/*
 * What a machine does otherwise: a function for each row of the registry that is `open`; NULL: as
 * in the machine that it extends.
 */
/* clang-format off */
struct fh_overlay {
#define FH_OVERLAY_fixed(name, ret, n, ...)
#define FH_OVERLAY_open(name, ret, n, ...)                                                          \
    enum fh_status (*name)(struct fh_state *s FH_ARGS_##n(__VA_ARGS__) FH_RESULT_##ret);
#define FH_OVERLAY_abi(name, ret, n, ...) FH_OVERLAY_open(name, ret, n, __VA_ARGS__)
#define FH_OVERLAY_MEMBER(layer, name, hook, told, ret, n, ...)                                     \
    FH_OVERLAY_##hook(name, ret, n, __VA_ARGS__)
    FH_FUNCTION_MAP(FH_OVERLAY_MEMBER)
};
/* clang-format on */

/* --- Machines -------------------------------------------------------------------------------- */

/* A function that a machine adds, for calls that the spec does not have. */
struct fh_own_function {
    const char *name;
    enum fh_status (*call)(struct fh_state *s, const uint64_t *args, uint64_t *result);
};

struct fh_machine {
    const char *name;
    const struct fh_machine *extends; /* NULL: the spec */
    const struct fh_profile *profile; /* NULL: that of what it extends */
    const struct fh_overlay *overlay; /* NULL: no function is otherwise */
    const char *const *departures;    /* their names, "A24"; those of `extends` stand before */
    unsigned ndepartures;
    /*
     * 1 + the departure without which ranges are demanded of numbers as the spec demands them; with
     * it, and it alone, the machine goes on with whatever it is given. 0: they are.
     */
    unsigned unchecked;
    /* Departures that only show where tables are words (FH_CONCRETE); ends with NULL. */
    const char *const *in_words;
    const struct fh_abi *hypercalls; /* of the host; NULL: as in what it extends */
    const struct fh_abi *guest_calls;
    /* Functions that rows of the ABI name and the registry lacks; ends with a name NULL. */
    const struct fh_own_function *own;
    /* Names of departures of `extends` that this machine does not have; ends with NULL; or NULL. */
    const char *const *lacks;
    /*
     * Of an overlay with a clear_vm_page of its own: whatever departs, it leaves pages of others
     * than the VM alone, as the spec does. Ranges are then cleared in the time that the VM's pages
     * take.
     */
    bool leaves_pages_of_others;
};

FH_API extern const struct fh_machine fh_machine_spec;
FH_API extern const struct fh_machine fh_machine_bodies;
FH_API extern const struct fh_machine fh_machine_sekvm_4_18;

/* The machines of the library; NULL after the last. By name; NULL if there is none. */
FH_API const struct fh_machine *fh_machine_at(unsigned index);
FH_API const struct fh_machine *fh_machine_find(const char *name);

/* The profile of a machine: its own, or that of what it extends. */
FH_API const struct fh_profile *fh_machine_profile(const struct fh_machine *machine);

/*
 * All its departures, those of what it extends included but for those that it lacks; and how many
 * have a number, lacking ones too.
 */
FH_API struct fh_departures fh_machine_departures(const struct fh_machine *machine);
FH_API unsigned fh_machine_ndepartures(const struct fh_machine *machine);

/* The name of a departure; NULL after the last. By name, false if there is none. */
FH_API const char *fh_machine_departure(const struct fh_machine *machine, unsigned departure);
FH_API bool fh_machine_find_departure(const struct fh_machine *machine, const char *name,
                                      unsigned *departure);

/* The row of a number, NULL if there is none: that of the machine, or of what it extends. */
FH_API const struct fh_abi_call *fh_machine_hypercall(const struct fh_machine *machine,
                                                      uint64_t number);
FH_API const struct fh_abi_call *fh_machine_guest_call(const struct fh_machine *machine,
                                                       uint64_t number);

/* --- The machine of a state ------------------------------------------------------------------ */

/* Which machine the state is of (fh_config.machine); never NULL. */
FH_API const struct fh_machine *fh_state_machine(const struct fh_state *state);

/* Its switches; to be set between calls. A new state has all departures of its machine on. */
FH_API struct fh_departures fh_state_departures(const struct fh_state *state);
FH_API void fh_state_depart(struct fh_state *state, const struct fh_departures *departures);

/*
 * The switches that were asked since this was last called: only those can have made a difference.
 * The set is empty afterwards.
 */
FH_API struct fh_departures fh_state_asked(struct fh_state *state);

#ifdef __cplusplus
}
#endif

#endif
