/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/report_denied.h"

#include <inttypes.h>
#include <string.h>

static enum denied_how how_of(uint64_t esr)
{
    enum { EC_SHIFT = 26, EC_IABT_LOW = 0x20, S1PTW = 1 << 7, WNR = 1 << 6 };
    if (esr >> EC_SHIFT == EC_IABT_LOW)
        return DENIED_FETCH;
    return esr & WNR && !(esr & S1PTW) ? DENIED_WRITE : DENIED_READ;
}

/* HPFAR_EL2 has the page's number in bits 4 and above. */
static uint64_t faulting_page(const struct trace_line *line)
{
    return line->in.values[TRACE_REG_hpfar] >> 4;
}

static const struct trace_effect *find(const struct trace_line *line, enum trace_effect_kind kind)
{
    for (size_t i = 0; i < line->nfx; i++) {
        if (line->fx[i].kind == kind)
            return &line->fx[i];
    }
    return NULL;
}

static bool is_mapped(const struct trace_line *line)
{
    for (size_t i = 0; i < line->nfx; i++) {
        if (line->fx[i].kind == TRACE_pt_store && line->fx[i].pt_store.vmid == OWNER_HOST)
            return true;
    }
    return false;
}

bool denied_access(const struct trace_line *line, struct denied_access *access)
{
    if (line->kind != TRACE_KIND_host_npt || line->unfinished || line->to != TRACE_TO_host)
        return false;
    *access = (struct denied_access){.how = how_of(line->in.values[TRACE_REG_esr])};
    const struct trace_effect *read = find(line, TRACE_s2_read);
    if (!read) {
        access->owner = OWNER_SMMU;
        access->pfn = faulting_page(line);
        return find(line, TRACE_panic) && !find(line, TRACE_mmio);
    }
    access->owner = owner_number(read->s2_read.owner);
    access->pfn = read->s2_read.pfn;
    return access->owner != OWNER_HOST && access->owner != OWNER_NOBODY && !is_mapped(line);
}

const char *denied_how_name(enum denied_how how)
{
    static const char *const names[] = {"read", "write", "fetch"};
    return names[how];
}

const char *denied_what(unsigned owner, char *buffer, size_t size)
{
    char number[16];
    if (owner == OWNER_SMMU)
        return "registers of an SMMU";
    snprintf(buffer, size, "pages of %s", owner_name((uint8_t)owner, number, sizeof number));
    return buffer;
}

/* Is it the same instruction again, on the same page? */
static bool is_retry(struct denied_tally *tally, const struct trace_line *line, uint64_t pfn)
{
    struct denied_try *last = &tally->last[line->cpu % DENIED_CPUS];
    const struct denied_try now = {true, pfn, line->in.values[TRACE_REG_elr]};
    const bool is_same = last->is_there && last->pfn == now.pfn && last->elr == now.elr;
    *last = now;
    return is_same;
}

void denied_tally_add(struct denied_tally *tally, const char *file, const struct trace_line *line,
                      struct denied_access *access)
{
    struct denied_count *count = &tally->of[access->owner];
    count->hows[access->how]++;
    access->is_retry = is_retry(tally, line, access->pfn);
    count->attempts += !access->is_retry;
    snprintf(count->last, sizeof count->last, "%s#%" PRIu64, file, line->seq);
    if (count->accesses++ == 0)
        memcpy(count->first, count->last, sizeof count->first);
}

void denied_tally_next_trace(struct denied_tally *tally)
{
    memset(tally->last, 0, sizeof tally->last);
}

uint64_t denied_tally_total(const struct denied_tally *tally)
{
    uint64_t sum = 0;
    for (unsigned owner = 0; owner < DENIED_OWNERS; owner++)
        sum += tally->of[owner].accesses;
    return sum;
}
