/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_SPEC_H
#define FAULTHANDLER_SPEC_H

#include <faulthandler/functions.h>
#include <faulthandler/state.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The spec functions, one prototype for each row of functions.h:
 *
 *   enum fh_status fh_map_page_host(struct fh_state *state, uint64_t addr);
 *   enum fh_status fh_emulate_mmio(struct fh_state *state, uint64_t addr, uint32_t hsr,
 *                                  uint32_t *result);
 *
 * What each one does stands above its definition in lib/layers. A status other than FH_OK leaves
 * the state as it was, *result untouched, and the reason in fh_state_error.
 */
/* clang-format off */
#define FH_ARG_u32(name) uint32_t name
#define FH_ARG_u64(name) uint64_t name
#define FH_ARGS_0(none)
#define FH_ARGS_1(t1, a1) , FH_ARG_##t1(a1)
#define FH_ARGS_2(t1, a1, t2, a2) , FH_ARG_##t1(a1), FH_ARG_##t2(a2)
#define FH_ARGS_3(t1, a1, ...) , FH_ARG_##t1(a1) FH_ARGS_2(__VA_ARGS__)
#define FH_ARGS_4(t1, a1, ...) , FH_ARG_##t1(a1) FH_ARGS_3(__VA_ARGS__)
#define FH_ARGS_5(t1, a1, ...) , FH_ARG_##t1(a1) FH_ARGS_4(__VA_ARGS__)
#define FH_ARGS_6(t1, a1, ...) , FH_ARG_##t1(a1) FH_ARGS_5(__VA_ARGS__)
#define FH_RESULT_state
#define FH_RESULT_u32 , uint32_t *result
#define FH_RESULT_u64 , uint64_t *result
#define FH_RESULT_state_u32 , uint32_t *result
#define FH_RESULT_state_u64 , uint64_t *result

#define FH_PROTOTYPE(layer, name, hook, told, ret, n, ...)                                          \
    FH_API enum fh_status fh_##name(struct fh_state *s FH_ARGS_##n(__VA_ARGS__) FH_RESULT_##ret);
FH_FUNCTION_MAP(FH_PROTOTYPE)
#undef FH_PROTOTYPE

/* clang-format on */
/* --- By name --------------------------------------------------------------------------------- */

#define FH_MAX_ARGS 6

enum fh_result {
    FH_RETURNS_state,
    FH_RETURNS_u32,
    FH_RETURNS_u64,
    FH_RETURNS_state_u32,
    FH_RETURNS_state_u64
};

/* A row of the registry. */
struct fh_function {
    const char *layer;
    const char *name;
    enum fh_result result;
    unsigned nargs;
    const char *const *arg_names;
    const uint8_t *arg_bits; /* 32 or 64 */
    enum fh_status (*invoke)(struct fh_state *state, const uint64_t *args, uint64_t *result);
};

/* The functions in the registry's order; NULL after the last. */
FH_API const struct fh_function *fh_function_at(unsigned index);

/*
 * The function with this name: "map_page_host", "MemManager.map_page_host", either with `_spec`
 * behind it. NULL if there is none.
 */
FH_API const struct fh_function *fh_function_find(const char *name);

static inline bool fh_function_returns_value(const struct fh_function *function)
{
    return function->result != FH_RETURNS_state;
}

/*
 * Call by name. args[nargs]; *result is set if the function returns a value and may be NULL.
 * FH_UNKNOWN: no such function; FH_INVALID_ARGUMENT: wrong number of arguments, or one is wider
 * than its type.
 */
FH_API enum fh_status fh_call(struct fh_state *state, const char *name, const uint64_t *args,
                              unsigned nargs, uint64_t *result);

/* The same for a function at hand. */
FH_API enum fh_status fh_invoke(struct fh_state *state, const struct fh_function *function,
                                const uint64_t *args, unsigned nargs, uint64_t *result);

#ifdef __cplusplus
}
#endif

#endif
