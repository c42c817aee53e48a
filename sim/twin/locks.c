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

static void lock_difference(const struct trace_effect *effect, const char *rule,
                            struct differences *found)
{
    differ(found, &(struct difference){.machine = effect, .path = rule});
}

static void check_lock(struct twin *twin, uint64_t cpu, const struct trace_effect *effect,
                       struct differences *found)
{
    enum { TABLES = 4 };
    const unsigned rank = rank_of(effect->lock.lock);
    if (find_lock(twin, rank, effect->lock.vmid))
        lock_difference(effect, "a lock that is held", found);
    for (size_t i = 0; i < twin->nlocks; i++) {
        const unsigned held = twin->locks[i].rank;
        if (twin->locks[i].cpu == cpu && (held >= rank || (held >= TABLES && rank >= TABLES)))
            lock_difference(effect, "the order of locks", found);
    }
    if (twin->nlocks < TWIN_LOCKS)
        twin->locks[twin->nlocks++] = (struct twin_lock){rank, effect->lock.vmid, cpu};
}

static void check_unlock(struct twin *twin, uint64_t cpu, const struct trace_effect *effect,
                         struct differences *found)
{
    struct twin_lock *lock = find_lock(twin, rank_of(effect->unlock.lock), effect->unlock.vmid);
    if (!lock || lock->cpu != cpu)
        lock_difference(effect, "a lock that is not its own", found);
    if (lock)
        *lock = twin->locks[--twin->nlocks];
}

void twin_check_lock(struct twin *twin, uint64_t cpu, const struct trace_effect *effect,
                     struct differences *found)
{
    if (effect->kind == TRACE_lock)
        check_lock(twin, cpu, effect, found);
    if (effect->kind == TRACE_unlock)
        check_unlock(twin, cpu, effect, found);
}

void twin_check_locks(struct twin *twin, const struct trace_line *line, struct differences *found)
{
    for (size_t i = 0; i < line->nfx; i++)
        twin_check_lock(twin, line->cpu, &line->fx[i], found);
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
