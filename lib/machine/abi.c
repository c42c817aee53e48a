/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER "ABI"
#include "base/text.h"
#include "machine/abi.h"

#include "machine/overlay.h"

/* --- Functions by name ----------------------------------------------------------------------- */

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
    *result = 0;                                                                                    \
    return kc_##name(s PASS_##n(__VA_ARGS__));
#define INVOKE_u64(name, n, ...) return kc_##name(s PASS_##n(__VA_ARGS__), result);
#define INVOKE_u32(name, n, ...)                                                                    \
    uint32_t value = 0;                                                                             \
    const enum fh_status status = kc_##name(s PASS_##n(__VA_ARGS__), &value);                       \
    *result = value;                                                                                \
    return status;
#define INVOKE_state_u64(name, n, ...) INVOKE_u64(name, n, __VA_ARGS__)
#define INVOKE_state_u32(name, n, ...) INVOKE_u32(name, n, __VA_ARGS__)
#define INVOKE(layer, name, hook, told, ret, n, ...)                                                \
    static enum fh_status invoke_##name(struct fh_state *s, const uint64_t *args, uint64_t *result) \
    {                                                                                               \
        (void)args;                                                                                 \
        INVOKE_##ret(name, n, __VA_ARGS__)                                                          \
    }
FH_FUNCTION_MAP(INVOKE)
#define ROW(layer, name, hook, told, ret, n, ...) {#name, invoke_##name},
static const struct fh_own_function functions[] = {FH_FUNCTION_MAP(ROW)};

/* clang-format on */
static const struct fh_own_function *find_own(const struct fh_machine *machine, const char *name)
{
    for (; machine; machine = machine->extends) {
        for (const struct fh_own_function *own = machine->own; own && own->name; own++) {
            if (text_is_same(own->name, name))
                return own;
        }
    }
    return NULL;
}

static const struct fh_own_function *find_function(const struct fh_machine *machine,
                                                   const struct fh_abi_call *call)
{
    if (call->is_own)
        return find_own(machine, call->function);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (text_is_same(functions[i].name, call->function))
            return &functions[i];
    }
    return NULL;
}

/* --- Rows ------------------------------------------------------------------------------------ */

static const struct fh_abi_call *find_number(const struct fh_abi *abi, uint64_t number)
{
    for (unsigned i = 0; i < abi->ncalls; i++) {
        if (abi->calls[i].number == number)
            return &abi->calls[i];
    }
    return NULL;
}

static const struct fh_abi_call *find_name(const struct fh_abi *abi, const char *name)
{
    for (unsigned i = 0; abi && i < abi->ncalls; i++) {
        if (text_is_same(abi->calls[i].name, name))
            return &abi->calls[i];
    }
    return NULL;
}

static bool is_same_name(const char *a, const char *b)
{
    return a && b && text_is_same(a, b);
}

/* What a departure of calls is about. */
enum part { CHECKS, ANSWERS, UNKNOWN, ROW };

/* The departure that this part of a machine's calls is; `row`: a name of a call. */
static const char *departure_of(const struct fh_abi *abi, enum part part, const char *row)
{
    const struct fh_abi_call *call = NULL;
    switch (part) {
    case CHECKS: return abi->checks_by;
    case ANSWERS: return abi->answers_by;
    case UNKNOWN: return abi->unknown_by;
    case ROW: call = find_name(abi, row); break;
    }
    return call ? call->departs : NULL;
}

/*
 * The next machine below that has calls of its own without the departure: a machine that renumbers
 * calls has the departures of what it extends, and those are departures from what is below both.
 * NULL: the spec.
 */
static const struct fh_machine *below_without(const struct fh_machine *machine, enum part part,
                                              const char *row)
{
    const char *departure = departure_of(machine->hypercalls, part, row);
    for (machine = machine->extends; machine; machine = machine->extends) {
        if (machine->hypercalls &&
            (!departure || !is_same_name(departure, departure_of(machine->hypercalls, part, row))))
            return machine;
    }
    return NULL;
}

/* The row of the same call there; NULL: there is none. */
static const struct fh_abi_call *base_of(const struct fh_machine *machine, enum part part,
                                         const struct fh_abi_call *call)
{
    const struct fh_machine *below = below_without(machine, part, call->name);
    return below ? find_name(below->hypercalls, call->name) : NULL;
}

/* Is the departure on? None, or one that nobody has: it is. */
static bool is_on(struct fh_state *s, const char *name)
{
    unsigned departure;
    if (!name || !fh_machine_find_departure(fh_state_machine(s), name, &departure))
        return true;
    return ask(s, departure);
}

static enum fh_status value_of(struct fh_state *s, const struct fh_abi_argument *argument,
                               bool is_whole, uint64_t *value)
{
    const uint32_t vmid = (uint32_t)s->adt->cur_vmid, vcpuid = (uint32_t)s->adt->cur_vcpuid;
    switch (argument->source) {
    case FH_ABI_FROM_constant: *value = argument->value; break;
    case FH_ABI_FROM_vmid: *value = vmid; break;
    case FH_ABI_FROM_vcpuid: *value = vcpuid; break;
    default:
        FH_TRY(
            kc_get_shadow_ctxt(s, vmid, vcpuid, (uint32_t)s->profile->X0 + argument->reg, value));
    }
    if (!is_whole && argument->bits == 32)
        *value = (uint32_t)*value;
    return FH_OK;
}

static bool holds(const struct fh_profile *k, enum fh_abi_check_kind kind, wide value)
{
    switch (kind) {
    case FH_ABI_IS_vm: return is_vm(k, value);
    case FH_ABI_IS_vmid: return is_vmid(k, value);
    case FH_ABI_IS_vm_or_host: return value < k->COREVISOR;
    case FH_ABI_IS_vcpu: return is_vcpu(k, value);
    case FH_ABI_IS_addr: return is_addr(k, value);
    case FH_ABI_IS_paddr: return is_paddr(k, value);
    case FH_ABI_IS_pfn: return is_pfn(k, value);
    case FH_ABI_IS_gfn: return is_gfn(k, value);
    case FH_ABI_IS_load_idx: return is_load_idx(k, value);
    case FH_ABI_IS_cbndx: return is_int64(value) && is_smmu_cfg(k, (uint64_t)value);
    case FH_ABI_IS_smmu: return is_int64(value) && is_smmu(k, (uint64_t)value);
    case FH_ABI_IS_attributes: return value < INT64_MAX && phys_page(k, (uint64_t)value) == 0;
    default: return true;
    }
}

/* Do the arguments pass what the row demands of them? */
static enum fh_status check_row(struct fh_state *s, const struct fh_abi_call *row, bool *passes)
{
    *passes = true;
    for (unsigned i = 0; row && i < row->nchecks && *passes; i++) {
        const struct fh_abi_check *check = &row->checks[i];
        const struct fh_abi_argument plus = {FH_ABI_FROM_register, check->plus, 64, 0};
        uint64_t value, more = 0;
        FH_TRY(value_of(s, &check->what, false, &value));
        if (check->plus != FH_ABI_NO_REGISTER)
            FH_TRY(value_of(s, &plus, true, &more));
        *passes = holds(s->profile, check->kind, wide_add(value, more));
    }
    return FH_OK;
}

static bool is_same_answer(const struct fh_abi_call *a, const struct fh_abi_call *b)
{
    return b && a->answer.kind == b->answer.kind && a->answer.reg == b->answer.reg &&
           a->answer.value == b->answer.value;
}

/* The function of a row, with the row's arguments. */
static enum fh_status run_row(struct fh_state *s, const struct fh_abi_call *row, uint64_t *result)
{
    const struct fh_own_function *function = find_function(fh_state_machine(s), row);
    uint64_t args[FH_ABI_ARGUMENTS] = {0};
    *result = 0;
    if (row->kind == FH_ABI_panic)
        return FH_PANIC_FOR(s, "a call that has a function", row->number);
    if (!function)
        return FH_OK;
    for (unsigned i = 0; i < row->narguments; i++)
        FH_TRY(value_of(s, &row->arguments[i], false, &args[i]));
    return function->call(s, args, result);
}

static enum fh_status answer(struct fh_state *s, const struct fh_abi_call *row, uint64_t result)
{
    const uint64_t value = row->answer.kind == FH_ABI_ANSWERS_value ? row->answer.value : result;
    if (row->answer.kind == FH_ABI_ANSWERS_none)
        return FH_OK;
    return kc_set_shadow_ctxt(s, (uint32_t)s->adt->cur_vmid, (uint32_t)s->adt->cur_vcpuid,
                              (uint32_t)s->profile->X0 + row->answer.reg, value);
}

static enum fh_status call_unknown(struct fh_state *s, const struct fh_machine *machine,
                                   uint64_t number)
{
    const struct fh_abi *abi = machine->hypercalls;
    if (abi->unknown != FH_ABI_panic || !is_on(s, abi->unknown_by))
        return machine_host_hvc_dispatcher(s, below_without(machine, UNKNOWN, NULL));
    return FH_PANIC_FOR(s, "a number that is a call's", number);
}

enum fh_status abi_host_call(struct fh_state *s, const struct fh_machine *machine)
{
    const struct fh_abi *abi = machine->hypercalls;
    const uint32_t vmid = (uint32_t)s->adt->cur_vmid, vcpuid = (uint32_t)s->adt->cur_vcpuid;
    uint64_t number, result;
    if (s->adt->halt)
        return machine_host_hvc_dispatcher(s, machine->extends);
    FH_TRY(kc_get_shadow_ctxt(s, vmid, vcpuid, (uint32_t)s->profile->X0, &number));
    const struct fh_abi_call *row = find_number(abi, number);
    if (!row || row->kind == FH_ABI_run)
        return row ? FH_OK : call_unknown(s, machine, number);
    if (!is_on(s, row->departs))
        return machine_host_hvc_dispatcher(s, below_without(machine, ROW, row->name));
    const struct fh_abi_call *checked = base_of(machine, CHECKS, row);
    const struct fh_abi_call *answered = base_of(machine, ANSWERS, row);
    bool passes, passes_base;
    FH_TRY(check_row(s, row, &passes));
    FH_TRY(check_row(s, checked, &passes_base));
    if (passes && !passes_base && !is_on(s, abi->checks_by))
        return machine_host_hvc_dispatcher(s, below_without(machine, CHECKS, NULL));
    FH_TRY(passes ? run_row(s, row, &result)
                  : FH_PANIC_FOR(s, "arguments within their ranges", number));
    /* A call that is new to the line is no departure in what it answers. */
    if (!passes ||
        (answered && !is_same_answer(row, answered) && !row->departs && !is_on(s, abi->answers_by)))
        return answered && passes ? answer(s, answered, result) : FH_OK;
    return answer(s, row, result);
}

enum fh_status abi_guest_call(struct fh_state *s, uint64_t number, bool *is_known)
{
    const struct fh_abi_call *row = fh_machine_guest_call(fh_state_machine(s), number);
    uint64_t result;
    *is_known = row != NULL;
    if (!row)
        return FH_OK;
    FH_TRY(run_row(s, row, &result));
    return answer(s, row, result);
}

/* --- In their place -------------------------------------------------------------------------- */

static bool has_own_calls(const struct fh_machine *machine)
{
    return machine->hypercalls && machine != &fh_machine_spec;
}

/*
 * With all switches off a machine is the spec, whose calls have the numbers of the profile: those
 * of the machine and of what it extends, as far down as there are calls that are not the spec's.
 */
static bool has_calls(const struct fh_state *s, const struct fh_machine *machine)
{
    unsigned count = 0;
    if (!has_own_calls(machine))
        return false;
    for (; machine; machine = machine->extends) {
        const unsigned first = fh_machine_ndepartures(machine->extends);
        for (unsigned i = 0; has_own_calls(machine) && i < machine->ndepartures; i++, count++) {
            if (fh_departs(&s->departures, first + i))
                return true;
        }
    }
    return count == 0;
}

enum fh_status machine_host_hvc_dispatcher(struct fh_state *s, const struct fh_machine *machine)
{
    for (; machine; machine = machine->extends) {
        if (machine->overlay && machine->overlay->host_hvc_dispatcher)
            return machine->overlay->host_hvc_dispatcher(s);
        if (has_calls(s, machine))
            return abi_host_call(s, machine);
    }
    return spec_host_hvc_dispatcher(s);
}
