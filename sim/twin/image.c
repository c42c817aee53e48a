/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "twin/twin_state.h"

/* Going back in a replay: a snapshot of the state, which shares all of it, and the CPUs. */

struct twin_image {
    struct model_mark mark;
    struct twin_lock locks[TWIN_LOCKS];
    size_t nlocks;
};

struct twin_image *twin_image_new(void)
{
    struct twin_image *image = calloc(1, sizeof *image);
    if (!image)
        no_memory();
    return image;
}

void twin_image_free(struct twin_image *image, struct twin *twin)
{
    if (image && twin->model)
        model_unmark(twin->model, &image->mark);
    free(image);
}

void twin_image_save(struct twin_image *image, struct twin *twin)
{
    model_mark(twin->model, &image->mark);
    image->nlocks = twin->nlocks;
    memcpy(image->locks, twin->locks, twin->nlocks * sizeof *twin->locks);
}

void twin_image_load(const struct twin_image *image, struct twin *twin)
{
    model_return(twin->model, &image->mark);
    twin->nlocks = image->nlocks;
    memcpy(twin->locks, image->locks, image->nlocks * sizeof *twin->locks);
}

struct fh_state *twin_state(struct twin *twin)
{
    return model_state(twin->model);
}

const struct fh_profile *twin_profile(const struct twin *twin)
{
    return &twin->profile;
}

void twin_running(const struct twin *twin, uint64_t cpu, uint64_t *vmid, uint64_t *vcpuid)
{
    model_running(twin->model, cpu, vmid, vcpuid);
}

uint64_t twin_first_pfn(const struct twin *twin)
{
    return model_first_pfn(twin->model);
}
