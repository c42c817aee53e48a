/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "twin/twin_state.h"
#include "reduce/reduce.h"

/*
 * Going back. The state's snapshots cost nothing, and maps share; of the rings, which are most of a
 * twin, only those entries are kept that the next line will overwrite.
 */
struct reduce_image {
    const struct fh_allocator *allocator;
    const struct fh_rdata *state;
    struct twin *twin; /* but for its rings */
    struct twin_write writes[TWIN_WRITES];
    size_t nwrites; /* from the twin's `nwrites` on */
};

/* The parts of a twin between its rings. */
static const struct {
    size_t begin, end;
} parts[] = {{0, offsetof(struct twin, writes)},
             {offsetof(struct twin, nwrites), offsetof(struct twin, touches)},
             {offsetof(struct twin, ntouches), sizeof(struct twin)}};

static void copy_parts(struct twin *to, const struct twin *from)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        memcpy((char *)to + parts[i].begin, (const char *)from + parts[i].begin,
               parts[i].end - parts[i].begin);
}

struct reduce_image *reduce_image_new(void)
{
    struct reduce_image *image = calloc(1, sizeof *image);
    if (image)
        image->twin = calloc(1, sizeof *image->twin);
    if (!image || !image->twin)
        no_memory();
    return image;
}

static void forget(struct reduce_image *image)
{
    if (!image->state)
        return;
    fh_snapshot_release(image->state, image->allocator);
    image->state = NULL;
}

void reduce_image_free(struct reduce_image *image)
{
    if (!image)
        return;
    forget(image);
    free(image->twin);
    free(image);
}

/* How many entries of the ring of writes a line overwrites at most. */
static size_t count_writes(const struct trace_line *line)
{
    size_t count = 0;
    for (size_t i = 0; line && i < line->nfx; i++)
        count += line->fx[i].kind == TRACE_s2_set;
    return !line || count > TWIN_WRITES ? TWIN_WRITES : count;
}

void reduce_image_save(struct reduce_image *image, struct twin *twin, const struct trace_line *line)
{
    forget(image);
    twin_forget_snapshot(twin);
    image->allocator = twin->allocator;
    image->state = fh_state_snapshot(twin->state);
    copy_parts(image->twin, twin);
    image->nwrites = count_writes(line);
    for (size_t i = 0; i < image->nwrites; i++)
        image->writes[i] = twin->writes[(twin->nwrites + i) % TWIN_WRITES];
}

void reduce_image_load(const struct reduce_image *image, struct twin *twin)
{
    struct trace_effect *effects = twin->effects;
    const size_t size = twin->size;
    twin_forget_snapshot(twin);
    copy_parts(twin, image->twin);
    fh_state_restore(twin->state, image->state);
    twin->effects = effects;
    twin->size = size;
    for (size_t i = 0; i < image->nwrites; i++)
        twin->writes[(twin->nwrites + i) % TWIN_WRITES] = image->writes[i];
}

struct reduce_model reduce_look(const struct twin *twin, uint64_t cpu)
{
    const struct twin_cpu *running = &twin->cpus[cpu % TWIN_CPUS];
    return (struct reduce_model){.state = fh_state_rdata(twin->state),
                                 .realisation = fh_state_realisation(twin->state),
                                 .machine = fh_state_machine(twin->state),
                                 .departures = fh_state_departures(twin->state),
                                 .vmid = running->vmid,
                                 .vcpuid = running->vcpuid};
}
