/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FHTRACE_FHTRACE_H
#define FHTRACE_FHTRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define FHT_API __attribute__((visibility("default")))
#else
#define FHT_API
#endif

/*
 * Traces of a hypervisor, read, written, and replayed beside a model of the machine: what `fhsim
 * convert` and `fhsim replay` do, for who does it without a process. docs/trace-format.md has the
 * records, docs/fhtrace.md this library.
 *
 * Nothing is printed. What fails says why in the handle, with its place as `file:line:column`, and
 * leaves the handle at its end. Handles share nothing and one thread at a time may use the library.
 * Texts are UTF-8, end with a zero, and live until the next call with their handle. Out of memory
 * is the one failure that is not returned: the program ends, with status 2.
 */

/* What a step came to. */
enum fht_step {
    FHT_ERROR = -1, /* fht_trace_error or fht_replay_error says why; so does every later step */
    FHT_END = 0,    /* there is no further record */
    FHT_RECORD = 1
};

/* --- Reading ---------------------------------------------------------------------------------- */

enum { FHT_GPRS = 31 };

/*
 * A record: one stay at EL2. `json` is all of it in one line, as docs/trace-format.md describes;
 * the members are what is asked for most.
 */
struct fht_record {
    uint64_t seq, cpu;
    unsigned line;        /* in the file, from 1 */
    const char *kind;     /* "host_npt", "host_hvc", "guest_exit", "el2_exception", "gap" */
    const char *call;     /* of a hypercall its name; NULL elsewhere */
    const char *to;       /* who goes on: "host", "guest", ...; NULL: the record ends inside */
    size_t effects;       /* their number */
    uint64_t x[FHT_GPRS]; /* at entry */
    uint64_t esr, far, hpfar, elr, spsr; /* at entry, 0 where the record lacks them */
    const char *json;
    size_t json_length;
};

struct fht_trace;

/*
 * Open a trace: JSON Lines or CBOR, plain or zstd; "-" is standard input. Never NULL: where it
 * cannot be opened the first step is an error. It is closed by fht_trace_close.
 */
FHT_API struct fht_trace *fht_trace_open(const char *path);
FHT_API void fht_trace_close(struct fht_trace *trace);
FHT_API enum fht_step fht_trace_next(struct fht_trace *trace, struct fht_record *record);
/* Why reading failed; "" if it did not. */
FHT_API const char *fht_trace_error(const struct fht_trace *trace);

/* --- Writing ---------------------------------------------------------------------------------- */

struct fht_writer;

/*
 * A trace at `path`, whose form follows from its name: .jsonl, .cbor, either with .zst behind. It
 * appears, or replaces a file of that name, when it is closed. NULL, with the reason in
 * error[0..size), if it cannot be written.
 */
FHT_API struct fht_writer *fht_writer_open(const char *path, char *error, size_t size);
/*
 * Write a record that is given as JSON, json[0..length). False, with the reason, if it is no JSON;
 * nothing is written then.
 */
FHT_API bool fht_writer_put(struct fht_writer *writer, const char *json, size_t length, char *error,
                            size_t size);
/* Finish it. False, with the reason, if it could not be written: then there is no file. */
FHT_API bool fht_writer_close(struct fht_writer *writer, char *error, size_t size);
/* Give it up: there is no file. */
FHT_API void fht_writer_discard(struct fht_writer *writer);

/* --- Replaying -------------------------------------------------------------------------------- */

struct fht_replay;
struct fh_state;

/* How to replay; all zero is what `fhsim replay` does. */
struct fht_options {
    const char *machine; /* a name, or the folder of one; NULL: "sekvm-4.18" */
    const char *without; /* departures that the machine is run without, "A1,A37"; NULL: none */
    bool credits_all;    /* each trap is asked which departures it needs, not each kind of trap */
    bool no_credits;     /* none is: what is explained counts as matched */
    bool no_invariants;  /* the security invariants are not looked at */
    bool follows;        /* the end of a file is where more may come; a signal that the program
                            handles ends the input while it is waited for */
};

/* What is to be said of a trap. */
struct fht_verdict {
    struct fht_record record;
    const char *outcome;     /* "matched", "explained", "unexplained", "not replayed"; "boot" */
    const char *explanation; /* the departures that explain it, "A1 (A35), A30"; "" */
    const char *difference;  /* unexplained: the first difference in words; "" */
    uint32_t
        broken; /* security invariants that hold no longer, as in <faulthandler/invariants.h> */
    const char *json; /* all that `fhsim replay --json` says of a trap */
    size_t json_length;
};

/* As fht_trace_open; the boot record is the first. */
FHT_API struct fht_replay *fht_replay_open(const char *path, const struct fht_options *options);
FHT_API void fht_replay_close(struct fht_replay *replay);
/* The next trap, in the order of the replay: traps that overlapped by their beginning. */
FHT_API enum fht_step fht_replay_next(struct fht_replay *replay, struct fht_verdict *verdict);
/*
 * All that are left, up to the first that is unexplained: `told` (NULL: nobody) gets each until it
 * returns false. The last step, and with FHT_RECORD the trap at which it stopped.
 */
typedef bool fht_told(void *context, const struct fht_verdict *verdict);
FHT_API enum fht_step fht_replay_run(struct fht_replay *replay, fht_told *told, void *context,
                                     struct fht_verdict *verdict);
/*
 * The model's state behind the last trap, behind all of those that overlapped with it; NULL before
 * the first. It is for looking at, with libfaulthandler, and the replay's.
 */
FHT_API const struct fh_state *fht_replay_state(const struct fht_replay *replay);
FHT_API const char *fht_replay_error(const struct fht_replay *replay);

#ifdef __cplusplus
}
#endif

#endif
