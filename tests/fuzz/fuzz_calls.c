/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "fuzz.h"
#include "random_calls.h"
#include "state/machine.h"

/*
 * Calls on states that other calls have reached, in all realisations, with memory that runs out.
 * Byte 0 chooses realisation, profile and policy; then each call is a function (2 bytes), when its
 * memory runs out (1 byte, 0: never) and, for each argument, 1 byte for what it is near.
 */

enum { MACHINES = 12, LOOP_LIMIT = 600, CALLS_MAX = 64 };

struct machine {
    struct fh_state *state;
    const struct fh_rdata *base;
};

static struct memory memory;
static struct machine machines[MACHINES];

static struct machine *choose(uint8_t byte)
{
    struct machine *machine = &machines[byte % MACHINES];
    if (machine->state)
        return machine;
    if (!memory.allocator.alloc)
        memory_init(&memory);
    const struct fh_profile *profile = byte % 2 ? &fh_profile_sekvm_4_18 : &fh_profile_spec;
    const enum fh_log_policy policy = byte / 2 % 2 ? FH_LOG_FULL : FH_LOG_SUMMARY;
    machine->state = new_machine(&memory, profile, policy, (enum fh_realisation)(byte / 4 % 3), 3);
    machine->state->loop_limit = LOOP_LIMIT; /* of copies, too */
    machine->base = fh_state_snapshot(machine->state);
    return machine;
}

/* Numbers at which functions decide something, by where they are counted from. */
static uint64_t number(const struct fh_profile *k, uint8_t byte)
{
    const uint64_t page = k->PAGE_SIZE;
    const uint64_t origins[] = {0,
                                0x200,
                                0x200 * page,
                                0x400 * page,
                                k->COREVISOR - 4,
                                k->PAGE_S2_KERNEL | 0x200 * page,
                                k->KVM_PHYS_SIZE - 4,
                                k->KVM_ADDR_SPACE - 4,
                                0x100000,
                                0x108000,
                                k->INVALID - 4,
                                UINT64_MAX - 7,
                                k->REMAP_START,
                                k->PT_POOL_START,
                                k->SMMU_POOL_START,
                                (uint64_t)1 << 36};
    const uint64_t offset = byte & 7, step = byte & 8 ? page : 1;
    return origins[byte >> 4] + offset * step;
}

/* Arguments have a width, and beyond it a call is refused: most are to be within. */
static uint64_t fit(const struct fh_function *function, unsigned i, uint64_t value)
{
    return function->arg_bits[i] == 32 ? value & UINT32_MAX : value;
}

static unsigned function_count(void)
{
    static unsigned count;
    while (fh_function_at(count))
        count++;
    return count;
}

static void call(struct machine *machine, const uint8_t *bytes, size_t size, size_t *used)
{
    const struct fh_function *function =
        fh_function_at((unsigned)(bytes[0] | bytes[1] << 8) % function_count());
    uint64_t args[FH_MAX_ARGS] = {0}, result;
    *used = 3 + function->nargs;
    if (*used > size)
        return;
    for (unsigned i = 0; i < function->nargs; i++)
        args[i] = fit(function, i, number(fh_state_profile(machine->state), bytes[3 + i]));
    const struct fh_rdata *before = fh_state_snapshot(machine->state);
    memory_fail_at(&memory, bytes[2], bytes[2] & 1);
    const enum fh_status status =
        fh_invoke(machine->state, function, args, function->nargs, &result);
    memory_fail_at(&memory, 0, false);
    if (status != FH_OK && status != FH_DIED && status != FH_HANGS)
        FUZZ_CHECK(count_changes(before, fh_state_rdata(machine->state), NULL, 0) == 0);
    fh_snapshot_release(before, &memory.allocator);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_be_quiet();
    if (size < 4)
        return 0;
    struct machine *machine = choose(data[0]);
    size_t used = 0;
    unsigned calls = 0;
    for (size_t at = 1; at + 3 <= size && calls < CALLS_MAX; at += used, calls++)
        call(machine, data + at, size - at, &used);
    fh_state_restore(machine->state, machine->base);
    return 0;
}
