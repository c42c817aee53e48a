/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fh-bench: how long calls take and how much memory a state needs, beside what they should.
 *
 * usage: fh-bench [--json] [--quick] [--fhsim PROGRAM] [--trace TRACE]
 *        fh-bench --cases            the calls that are measured, each with the most of them
 *        fh-bench --run CASE CALLS   only makes these calls, for a counter of instructions
 *        fh-bench --growth PAGES     what a page costs when there are so many (growth.h)
 *        fh-bench --run-growth PAGES CALLS   only makes these calls, likewise
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"
#include "growth.h"
#include "report.h"
#include "replay.h"
#include "start.h"

enum { ROUNDS = 31, LONG_RUN = 10000000 };

static const struct fh_profile *const spec = &fh_profile_spec;
static const struct fh_profile *const sekvm = &fh_profile_sekvm_4_18;

enum { HOST_PAGES = 3072, CALLS = 2048 };

static void sample(struct row *row, double value)
{
    if (row->count < SAMPLES_MAX)
        row->samples[row->count++] = value;
}

/* The calls that bench/count counts the instructions of, in time. */
static void bench_case(const struct bench_case *bench)
{
    struct row row = {bench->name, bench->what, bench->unit, 0, {0}, 0};
    const double unit = strcmp(bench->unit, "us") == 0 ? 1e3 : 1;
    for (unsigned round = 0; round < ROUNDS; round++)
        sample(&row, time_case(bench) / unit);
    report_row(&row);
}

/* --- Large states ---------------------------------------------------------------------------- */

static uint64_t large_page(uint64_t i, uint64_t pages)
{
    return 0x40000 + i * 514229 % pages;
}

static void bench_large_faults(struct fh_state *state, uint64_t pages)
{
    struct row row = {"host_fault_4g", "the same over 4 GiB, caches cold", "ns", 0, {0}, 0};
    for (unsigned round = 0; round < ROUNDS; round++) {
        const double begin = now();
        for (uint64_t i = 0; i < CALLS; i++)
            fault(state, large_page(round * CALLS + i, pages) * sekvm->PAGE_SIZE, 0);
        sample(&row, (now() - begin) / CALLS);
    }
    report_row(&row);
}

static void bench_snapshots(struct fh_state *state)
{
    struct row snapshot = {"snapshot", "snapshot and its release, 4 GiB", "ns", 100, {0}, 0};
    struct row write = {
        "snapshot_write", "snapshot, and a fault that maps a page after it", "us", 0, {0}, 0};
    for (unsigned round = 0; round < ROUNDS; round++) {
        double begin = now();
        for (unsigned i = 0; i < CALLS; i++)
            fh_snapshot_release(fh_state_snapshot(state), &counted_memory);
        sample(&snapshot, (now() - begin) / CALLS);
        enum { WRITES = 64 };
        begin = now();
        for (uint64_t i = 0; i < WRITES; i++) {
            const struct fh_rdata *before = fh_state_snapshot(state);
            fault(state, (0x40000 + round * WRITES + i) * sekvm->PAGE_SIZE, 0);
            fh_snapshot_release(before, &counted_memory);
        }
        sample(&write, (now() - begin) / 1e3 / WRITES);
    }
    report_row(&snapshot);
    report_row(&write);
}

static const struct fh_npt *host_npt(const struct fh_state *state)
{
    const struct fh_map *npts = &fh_state_rdata(state)->shared.npts;
    return *(struct fh_npt *const *)fh_map_get(npts, TABLES, sekvm->HOSTVISOR);
}

static void bench_memory(struct fh_state *state, uint64_t pages, uint64_t before, uint64_t empty)
{
    const struct fh_map *s2page = &fh_state_rdata(state)->shared.s2page;
    struct row owned = {"owner_bytes", "memory per page with an owner", "B", 24, {0}, 0};
    struct row mapped = {"mapped_bytes", "memory per mapped page", "B", 24, {0}, 0};
    struct row all = {"owner_all_bytes", "the same, all that was allocated", "B", 24, {0}, 0};
    struct row tables = {"mapped_all_bytes", "the same, all that was allocated", "B", 24, {0}, 0};
    sample(&owned, (double)fh_map_bytes(s2page, OWNERS) / (double)pages);
    sample(&all, (double)(before - empty) / (double)pages);
    for (uint64_t i = 0; i < pages; i++)
        fault(state, (0x40000 + i) * sekvm->PAGE_SIZE, 0);
    sample(&mapped, (double)fh_map_bytes(&host_npt(state)->pt, MAPPINGS) / (double)pages);
    sample(&tables, (double)(bytes_out - before) / (double)pages);
    report_row(&owned);
    report_row(&all);
    report_row(&mapped);
    report_row(&tables);
}

static void bench_large(bool quick)
{
    const uint64_t pages = quick ? 65536 : 1048576; /* 4 GiB from 1 GiB on */
    const uint64_t empty = bytes_out;
    struct fh_state *state = machine_new(sekvm, FH_LOG_SUMMARY, 0x40000, pages);
    const uint64_t before = bytes_out;
    bench_large_faults(state, pages);
    bench_snapshots(state);
    bench_memory(state, pages, before, empty);
    fh_state_free(state);
}

/* --- Long runs ------------------------------------------------------------------------------- */

static double block_of_faults(struct fh_state *state, uint64_t *done)
{
    const double begin = now();
    for (unsigned i = 0; i < 1000; i++, ++*done)
        fault(state, *done * 1237 % HOST_PAGES * spec->PAGE_SIZE, 0);
    return (now() - begin) / 1000;
}

static double median_block(struct fh_state *state, uint64_t *done)
{
    struct row row = {0};
    for (unsigned i = 0; i < ROUNDS; i++)
        sample(&row, block_of_faults(state, done));
    for (unsigned i = 1; i < row.count; i++) { /* insertion sort */
        double value = row.samples[i];
        unsigned j = i;
        for (; j > 0 && row.samples[j - 1] > value; j--)
            row.samples[j] = row.samples[j - 1];
        row.samples[j] = value;
    }
    return row.samples[row.count / 2];
}

static void bench_long_run(bool quick)
{
    const uint64_t end = quick ? LONG_RUN / 100 : LONG_RUN;
    struct row row = {"long_run", "cost of a trap after 10^7 against after 10^3", "x", 1.5, {0}, 0};
    struct row memory = {"long_run_bytes", "memory added in between", "B", 0, {0}, 0};
    struct fh_state *state = machine_new(spec, FH_LOG_SUMMARY, 0, HOST_PAGES);
    uint64_t done = 0;
    while (done < HOST_PAGES)
        block_of_faults(state, &done);
    const uint64_t before = bytes_out;
    const double early = median_block(state, &done);
    while (done < end)
        block_of_faults(state, &done);
    sample(&row, median_block(state, &done) / early);
    sample(&memory, (double)(bytes_out - before));
    report_row(&row);
    report_row(&memory);
    fh_state_free(state);
}

static void bench_start(const char *fhsim)
{
    struct row time = {"start_ms", "fhsim: start to first verdict, 4 GiB", "ms", 5, {0}, 0};
    struct row memory = {"start_mib", "fhsim: memory, 4 GiB", "MiB", 16, {0}, 0};
    for (unsigned round = 0; round < ROUNDS; round++) {
        double milliseconds, mebibytes;
        if (!measure_start(fhsim, &milliseconds, &mebibytes))
            give_up("fhsim does not run");
        sample(&time, milliseconds);
        sample(&memory, mebibytes);
    }
    report_row(&time);
    report_row(&memory);
}

/* The trace in the form of `row`, in a folder of its own while it is measured. */
static void bench_replay_of(const char *fhsim, const char *trace, const char *ending,
                            const char *option, struct row *row)
{
    char folder[] = "fh-bench-XXXXXX", path[64];
    if (!mkdtemp(folder))
        give_up("there is no place for a temporary file");
    snprintf(path, sizeof path, "%s/trace.%s", folder, ending);
    bool good = convert_trace(fhsim, trace, path);
    for (unsigned round = 0; good && round < ROUNDS; round++) {
        double nanoseconds;
        good = measure_replay(fhsim, path, option, &nanoseconds);
        sample(row, nanoseconds);
    }
    unlink(path);
    rmdir(folder);
    if (!good)
        give_up("the trace cannot be replayed");
    report_row(row);
}

static void bench_replay(const char *fhsim, const char *trace)
{
    struct row rows[] = {
        {"replay_cbor", "replay from CBOR, a trap", "ns", 1000, {0}, 0},
        {"replay_cbor_bare", "the same without invariants", "ns", 1000, {0}, 0},
        {"replay_jsonl", "replay from JSON Lines, a trap", "ns", 5000, {0}, 0},
    };
    bench_replay_of(fhsim, trace, "cbor", NULL, &rows[0]);
    bench_replay_of(fhsim, trace, "cbor", "--no-invariants", &rows[1]);
    bench_replay_of(fhsim, trace, "jsonl", NULL, &rows[2]);
}

static int list_cases(void)
{
    for (unsigned i = 0; case_at(i); i++)
        printf("%s\t%u\t%s\n", case_at(i)->name, case_at(i)->most, case_at(i)->what);
    return 0;
}

static int run_named(const char *name, const char *calls)
{
    const struct bench_case *bench = case_named(name);
    if (!bench)
        give_up("there is no such case");
    run_case(bench, (unsigned)strtoul(calls, NULL, 10));
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--cases") == 0)
        return list_cases();
    if (argc == 4 && strcmp(argv[1], "--run") == 0)
        return run_named(argv[2], argv[3]);
    if (argc == 3 && strcmp(argv[1], "--growth") == 0) {
        print_growth(strtoull(argv[2], NULL, 10));
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "--run-growth") == 0) {
        run_growth(strtoull(argv[2], NULL, 10), (unsigned)strtoul(argv[3], NULL, 10));
        return 0;
    }
#ifdef FHSIM
    const char *fhsim = FHSIM;
#else
    const char *fhsim = NULL;
#endif
    const char *trace = NULL;
    bool json = false, quick = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (strcmp(argv[i], "--quick") == 0)
            quick = true;
        else if (strcmp(argv[i], "--fhsim") == 0 && i + 1 < argc)
            fhsim = argv[++i];
        else if (strcmp(argv[i], "--trace") == 0 && i + 1 < argc)
            trace = argv[++i];
        else
            give_up("usage: fh-bench [--json] [--quick] [--fhsim PROGRAM] [--trace TRACE]");
    }
    report_begin(json);
    if (fhsim) /* while this process is small: its children begin with its peak of memory */
        bench_start(fhsim);
    if (fhsim && trace)
        bench_replay(fhsim, trace);
    for (unsigned i = 0; case_at(i); i++)
        bench_case(case_at(i));
    bench_large(quick);
    bench_long_run(quick);
    return report_end() > 0;
}
