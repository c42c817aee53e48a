/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/cpus.h"

#include <string.h>

/* The fields of RData that each CPU has for itself. All others are the machine's. */
static const enum fh_rdata_field own_fields[] = {
    FH_FIELD_rdata_halt,  FH_FIELD_rdata_icore,    FH_FIELD_rdata_ihost,      FH_FIELD_rdata_tstate,
    FH_FIELD_rdata_curid, FH_FIELD_rdata_cur_vmid, FH_FIELD_rdata_cur_vcpuid, FH_FIELD_rdata_regs,
    FH_FIELD_rdata_lock,  FH_FIELD_rdata_bars};

/* A CPU that acted before and does not now: its own fields are those of the snapshot. */
struct parked {
    struct parked *next;
    uint64_t cpu;
    const struct fh_rdata *snapshot;
};

struct cpus {
    struct arena *arena;
    struct parked *parked;
};

struct cpus *cpus_new(struct arena *arena)
{
    struct cpus *cpus = arena_alloc(arena, sizeof *cpus);
    cpus->arena = arena;
    return cpus;
}

static struct parked *find_parked(struct cpus *cpus, uint64_t cpu)
{
    struct parked *parked = cpus->parked;
    while (parked && parked->cpu != cpu)
        parked = parked->next;
    return parked;
}

static void park(struct cpus *cpus, struct fh_state *state)
{
    uint64_t cpu = fh_state_rdata(state)->curid;
    struct parked *parked = find_parked(cpus, cpu);
    if (!parked) {
        parked = arena_alloc(cpus->arena, sizeof *parked);
        *parked = (struct parked){.next = cpus->parked, .cpu = cpu};
        cpus->parked = parked;
    }
    if (parked->snapshot)
        fh_snapshot_release(parked->snapshot, fh_state_allocator(state));
    parked->snapshot = fh_state_snapshot(state);
}

static bool take_over(struct fh_state *state, const struct fh_rdata *from)
{
    struct fh_rdata *adt = fh_state_edit(state);
    if (!adt)
        return false;
    for (size_t i = 0; i < sizeof own_fields / sizeof *own_fields; i++) {
        const struct fh_field *field = &fh_rdata_type()->fields[own_fields[i]];
        void *place = (char *)adt + field->offset;
        fh_value_release(field->type, place, fh_state_allocator(state));
        memcpy(place, (const char *)from + field->offset, field->type->as_value.value_size);
        fh_value_retain(field->type, place);
    }
    return true;
}

/* A CPU on which nothing happened yet: the host runs, its context is that of the CPU's number. */
static bool begin(struct fh_state *state, uint64_t cpu)
{
    const struct fh_profile *k = fh_state_profile(state);
    const struct fh_config config = {.profile = k, .allocator = fh_state_allocator(state)};
    struct fh_state *base = fh_state_new(&config);
    bool done = base && take_over(state, fh_state_rdata(base));
    fh_state_free(base);
    struct fh_rdata *adt = done ? fh_state_edit(state) : NULL;
    if (!adt)
        return false;
    adt->curid = cpu;
    adt->cur_vcpuid = (int64_t)cpus_host_vcpuid(k, cpu);
    return true;
}

uint64_t cpus_host_vcpuid(const struct fh_profile *k, uint64_t cpu)
{
    return cpu < k->VCPU_PER_VM ? cpu : 0;
}

bool cpus_switch(struct cpus *cpus, struct fh_state *state, uint64_t cpu)
{
    if (fh_state_rdata(state)->curid == cpu)
        return true;
    park(cpus, state);
    const struct parked *parked = find_parked(cpus, cpu);
    return parked ? take_over(state, parked->snapshot) : begin(state, cpu);
}

void cpus_free(struct cpus *cpus, const struct fh_allocator *allocator)
{
    for (struct parked *parked = cpus->parked; parked; parked = parked->next)
        fh_snapshot_release(parked->snapshot, allocator);
}
