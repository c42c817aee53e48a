/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/report_owners.h"

#include <stdlib.h>
#include <string.h>

uint8_t owner_number(uint64_t owner)
{
    return owner <= OWNER_KCORE ? (uint8_t)owner : OWNER_NOBODY;
}

uint8_t trap_principal(const struct trace_line *line)
{
    if (line->kind == TRACE_KIND_el2_exception)
        return OWNER_KCORE;
    if (line->kind != TRACE_KIND_guest_exit)
        return OWNER_HOST;
    uint64_t vmid = line->in.values[TRACE_REG_vmid];
    return vmid < OWNER_KCORE ? (uint8_t)vmid : OWNER_KCORE;
}

const char *owner_name(uint8_t owner, char *buffer, size_t size)
{
    if (owner == OWNER_HOST)
        return "host";
    if (owner == OWNER_KCORE)
        return "KCore";
    if (owner == OWNER_NOBODY)
        return "nobody";
    snprintf(buffer, size, "VM %u", owner);
    return buffer;
}

/* The end of a run of pages, within what is kept. */
static size_t run_end(const struct trace_boot_rle *run)
{
    if (run->start_index >= OWNED_PAGES_MAX)
        return 0;
    uint64_t room = OWNED_PAGES_MAX - run->start_index;
    return (size_t)(run->start_index + (run->len < room ? run->len : room));
}

static bool make_pages(struct owners *owners, const struct trace_line *line)
{
    for (size_t i = 0; i < line->nfx; i++) {
        size_t end = line->fx[i].kind == TRACE_boot_rle ? run_end(&line->fx[i].boot_rle) : 0;
        owners->npages = end > owners->npages ? end : owners->npages;
    }
    owners->pages = malloc(owners->npages + 1);
    if (!owners->pages)
        return false;
    memset(owners->pages, OWNER_NOBODY, owners->npages);
    owners->counts[OWNER_NOBODY] = owners->npages;
    return true;
}

static void give(struct owners *owners, size_t page, uint8_t owner)
{
    owners->counts[owners->pages[page]]--;
    owners->counts[owner]++;
    owners->pages[page] = owner;
}

bool owners_boot(struct owners *owners, const struct trace_line *line)
{
    *owners = (struct owners){0};
    if (!make_pages(owners, line))
        return false;
    for (size_t i = 0; i < line->nfx; i++) {
        if (line->fx[i].kind != TRACE_boot_rle)
            continue;
        const struct trace_boot_rle *run = &line->fx[i].boot_rle;
        for (size_t page = run->start_index; page < run_end(run); page++)
            give(owners, page, owner_number(run->owner));
    }
    return true;
}

void owners_free(struct owners *owners)
{
    free(owners->pages);
    *owners = (struct owners){0};
}

bool owners_follow(struct owners *owners, const struct trace_effect *effect,
                   struct owner_change *change)
{
    if (effect->kind != TRACE_s2_set || strcmp(effect->s2_set.field, "owner") != 0 ||
        effect->s2_set.index >= owners->npages)
        return false;
    *change =
        (struct owner_change){effect->g, effect->s2_set.index, owner_number(effect->s2_set.new)};
    if (owners->pages[change->page] == change->owner)
        return false;
    give(owners, (size_t)change->page, change->owner);
    return true;
}
