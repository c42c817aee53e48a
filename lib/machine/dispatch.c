/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "machine"
#include "machine/overlay.h"

/*
 * What stands between a call of kc_foo and the function that runs, for all rows of the registry
 * that a machine may change or that observers are told of.
 */

static void tell(struct fh_state *s, enum fh_called function, unsigned nargs, const uint64_t *args)
{
    if (!s->env.observer || s->adt->halt)
        return;
    struct fh_effect effect = {FH_EFFECT_CALL,
                               {function, s->adt->cur_vmid, (uint64_t)s->adt->cur_vcpuid}};
    for (unsigned i = 0; i < nargs; i++)
        effect.values[i + 1] = args[i];
    if (nargs == 1)
        effect.values[2] = 0;
    s->env.observer(s->env.context, &effect);
}

/* clang-format off */
#define VALUES_0(none) 0
#define VALUES_1(t1, a1) a1
#define VALUES_2(t1, a1, t2, a2) a1, a2
#define VALUES_3(t1, a1, ...) a1, VALUES_2(__VA_ARGS__)
#define VALUES_4(t1, a1, ...) a1, VALUES_3(__VA_ARGS__)
#define VALUES_5(t1, a1, ...) a1, VALUES_4(__VA_ARGS__)
#define VALUES_6(t1, a1, ...) a1, VALUES_5(__VA_ARGS__)
#define TELL_quiet(name, n, ...)
#define TELL_told(name, n, ...)                                                                     \
    tell(s, FH_CALLED_##name, n, (const uint64_t[]){VALUES_##n(__VA_ARGS__)});

#define RUN_fixed(name, ret, n, ...)                                                                \
    return spec_##name(s FH_NAMES_##n(__VA_ARGS__) FH_PASS_RESULT_##ret);
#define RUN_abi(name, ret, n, ...) RUN_open(name, ret, n, __VA_ARGS__)
#define RUN_open(name, ret, n, ...)                                                                 \
    return machine_##name(s, s->machine FH_NAMES_##n(__VA_ARGS__) FH_PASS_RESULT_##ret);

#define MACHINE_fixed(name, ret, n, ...)
#define MACHINE_abi(name, ret, n, ...)
#define MACHINE_open(name, ret, n, ...)                                                             \
    enum fh_status machine_##name(struct fh_state *s, const struct fh_machine *machine              \
                                      FH_ARGS_##n(__VA_ARGS__) FH_RESULT_##ret)                     \
    {                                                                                               \
        for (; machine; machine = machine->extends)                                                 \
            if (machine->overlay && machine->overlay->name)                                         \
                return machine->overlay->name(s FH_NAMES_##n(__VA_ARGS__) FH_PASS_RESULT_##ret);    \
        return spec_##name(s FH_NAMES_##n(__VA_ARGS__) FH_PASS_RESULT_##ret);                       \
    }

#define DISPATCH_abi_quiet(name, ret, n, ...) DISPATCH_ROW(open, quiet, name, ret, n, __VA_ARGS__)
#define DISPATCH_fixed_quiet(name, ret, n, ...)
#define DISPATCH_fixed_told(name, ret, n, ...) DISPATCH_ROW(fixed, told, name, ret, n, __VA_ARGS__)
#define DISPATCH_open_quiet(name, ret, n, ...) DISPATCH_ROW(open, quiet, name, ret, n, __VA_ARGS__)
#define DISPATCH_open_told(name, ret, n, ...) DISPATCH_ROW(open, told, name, ret, n, __VA_ARGS__)
#define DISPATCH_ROW(hook, told, name, ret, n, ...)                                                 \
    __attribute__((cold, noinline))                                                                 \
    enum fh_status dispatch_##name(struct fh_state *s FH_ARGS_##n(__VA_ARGS__) FH_RESULT_##ret)     \
    {                                                                                               \
        TELL_##told(name, n, __VA_ARGS__)                                                           \
        RUN_##hook(name, ret, n, __VA_ARGS__)                                                       \
    }

#define DISPATCH(layer, name, hook, told, ret, n, ...)                                              \
    MACHINE_##hook(name, ret, n, __VA_ARGS__)                                                       \
    DISPATCH_##hook##_##told(name, ret, n, __VA_ARGS__)
FH_FUNCTION_MAP(DISPATCH)
