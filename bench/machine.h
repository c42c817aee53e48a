/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_BENCH_MACHINE_H
#define FH_BENCH_MACHINE_H

#include <faulthandler/faulthandler.h>

/* The machines that the benchmarks run on, and memory that is counted. */
extern uint64_t bytes_out;
extern const struct fh_allocator counted_memory;

_Noreturn void give_up(const char *what);

/* Parts that the hash of the next machine is of; 0: none is kept. */
extern uint32_t keep_hash;

/* A state with a memory region of `pages` pages from `pfn` on, all the host's. */
struct fh_state *machine_new(const struct fh_profile *profile, enum fh_log_policy policy,
                             uint64_t pfn, uint64_t pages);

/* One SMMU of 64 KiB at `base`. */
void machine_add_smmu(struct fh_state *state, uint64_t base);

/* `vmid` owns `pages` pages from `pfn` on, mapped from guest page `gfn` on. */
void machine_give_to_vm(struct fh_state *state, uint32_t vmid, uint64_t gfn, uint64_t pfn,
                        uint64_t pages);

/* `vmid` owns `count` pages, one in `stride`, that nobody maps. The others are the host's. */
void machine_give_pages(struct fh_state *state, uint32_t vmid, uint64_t stride, uint64_t count);

/* What VM `vmid`, vCPU `vcpuid` asks for with its next hypercall. */
void machine_ask(struct fh_state *state, uint64_t vmid, uint64_t vcpuid, uint64_t call,
                 uint64_t addr, uint64_t size);

/* How the maps in which pages are owned and mapped hold their values. */
#define SHARED_FIELD(field)                                                                        \
    FH_FIELD_TYPE(FH_FIELD_TYPE(fh_rdata_type(), rdata, shared), shared, field)
#define OWNERS (&SHARED_FIELD(s2page)->value->as_value)
#define TABLES (&SHARED_FIELD(npts)->value->as_value)
#define MAPPINGS (&FH_FIELD_TYPE(SHARED_FIELD(npts)->value, npt, pt)->value->as_value)

#endif
