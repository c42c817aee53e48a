/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_TESTS_LAYERS_H
#define FH_TESTS_LAYERS_H

#include "support.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Another CPU than that of the machine, 0. */
enum { OTHER_CPU = 3 };

/*
 * For the tests of layers. Each test has a machine of its own, in the base state, and runs once for
 * each log policy. Calls are written as "FUNCTION ARGUMENT...", places of the state as in
 * scenarios: "shared.vminfos.1.VS.vm_state".
 */
extern struct fh_state *machine;

/* Give the machine another profile: it is in the base state of that one then. */
void use_profile(const struct fh_profile *profile);

/* Give it another machine's functions: a new machine. */
void use_kind(const struct fh_machine *kind);

/* Every loop ends after so many rounds: a new machine. */
void use_loop_limit(uint64_t limit);

/* What stands below the boundaries: a new machine. */
void use_realisation(enum fh_realisation realisation);

void set(const char *place, uint64_t value);
uint64_t get(const char *place);

/* The call succeeds; the result of one that returns a value, else 0. */
uint64_t call(const char *text);

/* The call succeeds and changes nothing, with result 0 if it returns a value. */
void assert_skips(const char *text);

/* The call halts the machine. */
void assert_halts(const char *text);

/*
 * The call ends with this status, at a condition of the function itself or, "_in", of another one
 * ("Layer.function") in whose text `condition` occurs, and the state is as before.
 */
void assert_ends_in(const char *text, enum fh_status status, const char *function,
                    const char *condition);
void assert_stuck_in(const char *text, const char *function, const char *condition);
void assert_stuck(const char *text, const char *condition);
void assert_not_representable(const char *text, const char *condition);
void assert_too_long(const char *text, const char *condition);

/*
 * Calls that are stuck in the machine as it is but for one place; NULL: as it is. `in` is where, as
 * above; NULL: the function itself.
 */
struct stuck {
    const char *place;
    uint64_t value;
    const char *call, *in, *condition;
};

void assert_each_stuck(const struct stuck *rows, size_t count);

/* What another CPU did to one lock while its log was empty, event by event. */
void other_cpu_did(uint64_t lock, enum fh_event_kind kind, uint64_t argument);

/* A place of the object in the last of these events, which is all zeros. */
void set_in_last_event(const char *place, uint64_t value);

void forget_other_cpus(void);

/*
 * The call runs out of memory at its first allocation, at its second and so on, each time with the
 * state as before, until it has what it needs and succeeds.
 */
void assert_survives_lack_of_memory(const char *text);

/* As run_tests, under both log policies. */
int run_layer_tests(const char *name, void (*add)(TCase *tests));

#endif
