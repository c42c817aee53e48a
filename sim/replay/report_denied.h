/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_REPORT_DENIED_H
#define SIM_REPORT_DENIED_H

#include "replay/report_owners.h"

/*
 * Accesses of the host that KCore refused, as the machine recorded them: a stage-2 fault of the
 * host on a page that is a VM's or KCore's own, behind which the host's table has no new entry; or
 * on a register of an SMMU, where KCore panics instead of accessing the register.
 */
enum denied_how { DENIED_READ, DENIED_WRITE, DENIED_FETCH, DENIED_HOWS };

/* Behind the owners of pages: the register of an SMMU. */
enum { OWNER_SMMU = OWNERS, DENIED_OWNERS };

struct denied_access {
    uint8_t owner;
    enum denied_how how;
    bool is_retry; /* the same instruction tried the same page before; set by the tally */
    uint64_t pfn;
};

bool denied_access(const struct trace_line *line, struct denied_access *access);

/* "read", "write", "fetch" */
const char *denied_how_name(enum denied_how how);
/* "pages of VM 1", "registers of an SMMU" */
const char *denied_what(unsigned owner, char *buffer, size_t size);

/*
 * What was denied of one owner's. An attempt is an instruction that tries one page; this hypervisor
 * returns to the instruction, so an attempt can be many accesses.
 */
struct denied_count {
    uint64_t accesses;
    uint64_t attempts;
    uint64_t hows[DENIED_HOWS];
    char first[256], last[256]; /* traps, "file#seq" */
};

enum { DENIED_CPUS = 64 };

struct denied_tally {
    struct denied_count of[DENIED_OWNERS];
    struct denied_try {
        bool is_there;
        uint64_t pfn, elr;
    } last[DENIED_CPUS]; /* of each CPU */
};

void denied_tally_add(struct denied_tally *tally, const char *file, const struct trace_line *line,
                      struct denied_access *access);
/* The attempts of a trace are not those of the one before. */
void denied_tally_next_trace(struct denied_tally *tally);
uint64_t denied_tally_total(const struct denied_tally *tally);

#endif
