/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/spec.h>

#include "layers/all.h"
#include "layers/realisations.h"

#undef kc_panic

/*
 * The public side of every row of the registry: a transaction around KCore's function, and the row
 * as data for calls by name.
 */

static enum fh_status begin(struct fh_state *s)
{
    const enum fh_status status = txn_begin(s);
    if (s->realisation == FH_BOTH)
        begin_touching(s);
    return status;
}

__attribute__((noinline)) static enum fh_status end_both(struct fh_state *s)
{
    return txn_end(s, check_touched(s));
}

static enum fh_status end(struct fh_state *s, enum fh_status status)
{
    if (__builtin_expect(s->realisation == FH_BOTH, 0) && status == FH_OK)
        return end_both(s);
    return txn_end(s, status);
}

/* clang-format off */
#define BODY_state(name, n, ...)                                                                    \
    {                                                                                               \
        enum fh_status status = begin(s);                                                           \
        return status != FH_OK ? status : end(s, kc_##name(s FH_NAMES_##n(__VA_ARGS__)));              \
    }
#define BODY_VALUE(ctype, name, n, ...)                                                             \
    {                                                                                               \
        enum fh_status status = begin(s);                                                           \
        ctype result_ = 0;                                                                          \
        if (status == FH_OK)                                                                        \
            status = end(s, kc_##name(s FH_NAMES_##n(__VA_ARGS__), &result_));                         \
        if (status == FH_OK)                                                                        \
            *result = result_;                                                                      \
        return status;                                                                              \
    }
#define BODY_u32(name, n, ...) BODY_VALUE(uint32_t, name, n, __VA_ARGS__)
#define BODY_u64(name, n, ...) BODY_VALUE(uint64_t, name, n, __VA_ARGS__)
#define BODY_state_u32(name, n, ...) BODY_VALUE(uint32_t, name, n, __VA_ARGS__)
#define BODY_state_u64(name, n, ...) BODY_VALUE(uint64_t, name, n, __VA_ARGS__)

#define PUBLIC(layer, name, hook, told, ret, n, ...)                                                \
    enum fh_status fh_##name(struct fh_state *s FH_ARGS_##n(__VA_ARGS__) FH_RESULT_##ret)           \
        BODY_##ret(name, n, __VA_ARGS__)
FH_FUNCTION_MAP(PUBLIC)

/* clang-format on */
/* --- By name --------------------------------------------------------------------------------- */

/* clang-format off */
#define TYPE_u32 uint32_t
#define TYPE_u64 uint64_t
#define PASS_0(none)
#define PASS_1(t1, a1) , (TYPE_##t1)args[0]
#define PASS_2(t1, a1, t2, a2) , (TYPE_##t1)args[0], (TYPE_##t2)args[1]
#define PASS_3(t1, a1, t2, a2, t3, a3) PASS_2(t1, a1, t2, a2), (TYPE_##t3)args[2]
#define PASS_4(t1, a1, t2, a2, t3, a3, t4, a4)                                                      \
    PASS_3(t1, a1, t2, a2, t3, a3), (TYPE_##t4)args[3]
#define PASS_5(t1, a1, t2, a2, t3, a3, t4, a4, t5, a5)                                              \
    PASS_4(t1, a1, t2, a2, t3, a3, t4, a4), (TYPE_##t5)args[4]
#define PASS_6(t1, a1, t2, a2, t3, a3, t4, a4, t5, a5, t6, a6)                                      \
    PASS_5(t1, a1, t2, a2, t3, a3, t4, a4, t5, a5), (TYPE_##t6)args[5]

#define INVOKE_state(name, n, ...)                                                                  \
    (void)result;                                                                                   \
    return fh_##name(s PASS_##n(__VA_ARGS__));
#define INVOKE_u64(name, n, ...) return fh_##name(s PASS_##n(__VA_ARGS__), result);
#define INVOKE_u32(name, n, ...)                                                                    \
    uint32_t value;                                                                                 \
    enum fh_status status = fh_##name(s PASS_##n(__VA_ARGS__), &value);                             \
    if (status == FH_OK)                                                                            \
        *result = value;                                                                            \
    return status;
#define INVOKE_state_u64(name, n, ...) INVOKE_u64(name, n, __VA_ARGS__)
#define INVOKE_state_u32(name, n, ...) INVOKE_u32(name, n, __VA_ARGS__)

#define INVOKE(layer, name, hook, told, ret, n, ...)                                                \
    static enum fh_status invoke_##name(struct fh_state *s, const uint64_t *args,                   \
                                        uint64_t *result)                                           \
    {                                                                                               \
        (void)args;                                                                                 \
        INVOKE_##ret(name, n, __VA_ARGS__)                                                          \
    }
FH_FUNCTION_MAP(INVOKE)

/* clang-format on */
/* clang-format off */
#define BITS_u32 32
#define BITS_u64 64
#define ROW_0(none)
#define ROW_1(X, t1, a1) X(t1, a1)
#define ROW_2(X, t1, a1, ...) X(t1, a1) ROW_1(X, __VA_ARGS__)
#define ROW_3(X, t1, a1, ...) X(t1, a1) ROW_2(X, __VA_ARGS__)
#define ROW_4(X, t1, a1, ...) X(t1, a1) ROW_3(X, __VA_ARGS__)
#define ROW_5(X, t1, a1, ...) X(t1, a1) ROW_4(X, __VA_ARGS__)
#define ROW_6(X, t1, a1, ...) X(t1, a1) ROW_5(X, __VA_ARGS__)
#define ARG_NAME(type, arg) #arg,
#define ARG_BITS(type, arg) BITS_##type,
#define TABLES_0(name, ...)
#define TABLES_SOME(name, n, ...)                                                                   \
    static const char *const names_##name[] = {ROW_##n(ARG_NAME, __VA_ARGS__)};                     \
    static const uint8_t bits_##name[] = {ROW_##n(ARG_BITS, __VA_ARGS__)};
#define TABLES_1(name, ...) TABLES_SOME(name, 1, __VA_ARGS__)
#define TABLES_2(name, ...) TABLES_SOME(name, 2, __VA_ARGS__)
#define TABLES_3(name, ...) TABLES_SOME(name, 3, __VA_ARGS__)
#define TABLES_4(name, ...) TABLES_SOME(name, 4, __VA_ARGS__)
#define TABLES_5(name, ...) TABLES_SOME(name, 5, __VA_ARGS__)
#define TABLES_6(name, ...) TABLES_SOME(name, 6, __VA_ARGS__)
#define TABLES(layer, name, hook, told, ret, n, ...) TABLES_##n(name, __VA_ARGS__)
FH_FUNCTION_MAP(TABLES)

#define USE_0(name) NULL, NULL
#define USE_1(name) names_##name, bits_##name
#define USE_2(name) USE_1(name)
#define USE_3(name) USE_1(name)
#define USE_4(name) USE_1(name)
#define USE_5(name) USE_1(name)
#define USE_6(name) USE_1(name)
#define ENTRY(layer, name, hook, told, ret, n, ...)                                                 \
    {#layer, #name, FH_RETURNS_##ret, n, USE_##n(name), invoke_##name},
static const struct fh_function functions[] = {FH_FUNCTION_MAP(ENTRY)};

/* clang-format on */
const struct fh_function *fh_function_at(unsigned index)
{
    return index < sizeof functions / sizeof *functions ? &functions[index] : NULL;
}

/* The rest of `text` behind `prefix`; NULL if it does not begin with it. */
static const char *behind(const char *text, const char *prefix)
{
    while (*prefix) {
        if (*text++ != *prefix++)
            return NULL;
    }
    return text;
}

static bool is_function_name(const char *text, const struct fh_function *function)
{
    const char *rest = behind(text, function->layer);
    if (rest && *rest == '.')
        text = rest + 1;
    rest = behind(text, function->name);
    if (!rest)
        return false;
    const char *suffix = behind(rest, "_spec");
    return !*rest || (suffix && !*suffix);
}

const struct fh_function *fh_function_find(const char *name)
{
    for (unsigned i = 0; fh_function_at(i); i++) {
        if (is_function_name(name, &functions[i]))
            return &functions[i];
    }
    return NULL;
}

enum fh_status fh_invoke(struct fh_state *state, const struct fh_function *function,
                         const uint64_t *args, unsigned nargs, uint64_t *result)
{
    bool fits = nargs == function->nargs;
    for (unsigned i = 0; fits && i < nargs; i++)
        fits = function->arg_bits[i] == 64 || args[i] <= UINT32_MAX;
    if (!fits) {
        state->error = (struct fh_error){
            .status = FH_INVALID_ARGUMENT, .layer = function->layer, .function = function->name};
        return FH_INVALID_ARGUMENT;
    }
    uint64_t value = 0;
    enum fh_status status = function->invoke(state, args, &value);
    if (status == FH_OK && result)
        *result = value;
    return status;
}

enum fh_status fh_call(struct fh_state *state, const char *name, const uint64_t *args,
                       unsigned nargs, uint64_t *result)
{
    const struct fh_function *function = fh_function_find(name);
    if (!function) {
        state->error = (struct fh_error){.status = FH_UNKNOWN};
        return FH_UNKNOWN;
    }
    return fh_invoke(state, function, args, nargs, result);
}
