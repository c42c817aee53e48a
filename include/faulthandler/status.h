/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_STATUS_H
#define FAULTHANDLER_STATUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define FH_API __attribute__((visibility("default")))
#else
#define FH_API
#endif

/*
 * One table for every outcome of a call: X(name, value, message).
 *
 * A halted hypervisor is no failure: KCore's panic is a defined result (FH_OK with `halt` set in
 * the state). Nor are DIED and HANGS, which only machines know: the state is what it was when the
 * CPU came no further, locks included, and fh_state_error says where and why. UNSOUND is a mistake
 * of the library, after which the state is of no use (fh_state_is_sound). Every other status leaves
 * the state exactly as it was before the call.
 */
/* clang-format off */
#define FH_STATUS_MAP(X)                                                                            \
    X(OK, 0, "success")                                                                             \
    X(STUCK, -1, "stuck: the spec is undefined here")                                               \
    X(UNREPRESENTABLE, -2, "not representable: the spec computes a value that has no place in the state") \
    X(NOMEM, -3, "out of memory")                                                                   \
    X(LIMIT, -4, "gave up: the call would take more than the state allows")         \
    X(UNKNOWN, -5, "no such function, field or profile")                                            \
    X(INVALID_ARGUMENT, -6, "an argument is outside its declared width or number")                  \
    X(DISAGREE, -7, "the abstract and the concrete realisation disagree")                           \
    X(DIED, -8, "died: an exception inside EL2, from which there is no way back")                   \
    X(HANGS, -9, "hangs: a loop inside EL2 that does not end")                                      \
    X(UNSOUND, -10, "the library has broken an invariant of its own (seen in builds that check)")

/* clang-format on */
enum fh_status {
#define FH_STATUS_ENUM(name, value, message) FH_##name = (value),
    FH_STATUS_MAP(FH_STATUS_ENUM)
#undef FH_STATUS_ENUM
};

/* The name ("STUCK") and the one-line message of a status; never NULL. */
FH_API const char *fh_status_name(enum fh_status status);
FH_API const char *fh_status_message(enum fh_status status);

#define FH_ERROR_VALUES 6

/*
 * Why the last call of a state failed: which condition of which spec function, with the values in
 * it. All strings are static. `names` is the comma-separated source text of `values`; `profile`,
 * the state's, has constants by which some of them are known (NULL: they stay numbers).
 */
struct fh_profile;
struct fh_error {
    enum fh_status status;
    const char *layer;
    const char *function;
    const char *condition;
    const char *names;
    uint64_t values[FH_ERROR_VALUES];
    unsigned nvalues;
    const struct fh_profile *profile;
};

/*
 * Write a one-line account of `error` into buffer[0..size), always terminated when size > 0:
 *   "MemManager.map_page_host: stuck: the spec is undefined here; needs is_paddr(k, addr) with
 *   addr = 0x10000000000".
 * Owners, states, locks and exception classes have their names behind them: "state = 2 (READY)".
 * Returns the length that the whole text needs, as snprintf does.
 */
FH_API size_t fh_error_format(const struct fh_error *error, char *buffer, size_t size);

#ifdef __cplusplus
}
#endif

#endif
