/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "twin/twin_state.h"

/*
 * Rules for locks, over all CPUs and by event numbers: a lock has one holder, who alone gives it
 * back; and whoever holds one takes none that comes before it in the order smmu, vm, core, s2page,
 * and last the tables', which no spec function nests in one another.
 */

static const char *const order[] = {"smmu", "vm", "core", "s2page", "pt", "spt"};
enum { LOCKS = sizeof order / sizeof *order };

static unsigned rank_of(const char *lock)
{
    for (unsigned i = 0; i < LOCKS; i++) {
        if (order[i][0] == lock[0] && strcmp(order[i], lock) == 0)
            return i;
    }
    return LOCKS;
}

static struct twin_lock *find_lock(struct twin *twin, unsigned rank, uint64_t vmid)
{
    for (size_t i = 0; i < twin->nlocks; i++) {
        if (twin->locks[i].rank == rank && twin->locks[i].vmid == vmid)
            return &twin->locks[i];
    }
    return NULL;
}

/* Where a trap is only taken over there is no verdict. */
static void broken(const struct twin *twin, enum machine_breaks rule,
                   const struct trace_effect *effect, struct trap_verdict *verdict)
{
    if (verdict)
        twin_rule_broken(twin, rule, effect, verdict);
}

static void check_lock(struct twin *twin, uint64_t cpu, const struct trace_effect *effect,
                       struct trap_verdict *verdict)
{
    enum { TABLES = 4 };
    const unsigned rank = rank_of(effect->lock.lock);
    if (find_lock(twin, rank, effect->lock.vmid))
        broken(twin, MACHINE_BREAKS_lock_held, effect, verdict);
    for (size_t i = 0; i < twin->nlocks; i++) {
        const unsigned held = twin->locks[i].rank;
        if (twin->locks[i].cpu == cpu && (held >= rank || (held >= TABLES && rank >= TABLES)))
            broken(twin, MACHINE_BREAKS_lock_order, effect, verdict);
    }
    if (twin->nlocks < TWIN_LOCKS)
        twin->locks[twin->nlocks++] = (struct twin_lock){rank, effect->lock.vmid, cpu};
}

static void check_unlock(struct twin *twin, uint64_t cpu, const struct trace_effect *effect,
                         struct trap_verdict *verdict)
{
    struct twin_lock *lock = find_lock(twin, rank_of(effect->unlock.lock), effect->unlock.vmid);
    if (!lock || lock->cpu != cpu)
        broken(twin, MACHINE_BREAKS_lock_return, effect, verdict);
    if (lock)
        *lock = twin->locks[--twin->nlocks];
}

void twin_check_lock(struct twin *twin, uint64_t cpu, const struct trace_effect *effect,
                     struct trap_verdict *verdict)
{
    if (effect->kind == TRACE_lock)
        check_lock(twin, cpu, effect, verdict);
    if (effect->kind == TRACE_unlock)
        check_unlock(twin, cpu, effect, verdict);
}

void twin_check_locks(struct twin *twin, const struct trace_line *line,
                      struct trap_verdict *verdict)
{
    for (size_t i = 0; i < line->nfx; i++)
        twin_check_lock(twin, line->cpu, &line->fx[i], verdict);
}

bool twin_lock_at(const struct twin *twin, size_t n, const char **lock, uint64_t *vmid,
                  uint64_t *cpu)
{
    if (n >= twin->nlocks)
        return false;
    const struct twin_lock *held = &twin->locks[n];
    *lock = held->rank < LOCKS ? order[held->rank] : "a lock of another name";
    *vmid = held->vmid;
    *cpu = held->cpu;
    return true;
}
