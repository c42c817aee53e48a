/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_HISTORY_H
#define SIM_HISTORY_H

#include <faulthandler/state.h>

#include "show/subject.h"

/*
 * All that changed in the course of a trace, in a file: each number of the state at each record
 * that changed it, who took which lock, and which descriptors came to lead to which page. With it a
 * question about a trace is answered without a replay.
 *
 * A place is a form and a key. The form is a path with a `*` for its last key, "shared.s2page.*.
 * s2_owner", or one of what is no part of the state: "taken.*", of locks, and "mapped.vm1.3.*", of
 * the pages that descriptors of level 3 in the table of VM 1 lead to, "mapped.smmu.3.*" of
 * devices'.
 */
enum { HISTORY_KEY_BITS = 44 };

struct history_entry {
    uint64_t place;  /* the form's number, and the key in the lower HISTORY_KEY_BITS */
    uint64_t value;  /* since then; of a lock the CPU; of a mapping the address */
    uint32_t record; /* by its place in the trace, from 0, the boot record */
    uint32_t detail; /* of a mapping: its order within the record, and in bit 0 whether it begins */
};

struct history {
    void *file; /* as it was read */
    size_t size;
    const uint64_t *seqs; /* of the records, in the order of the replay */
    uint64_t nrecords;
    const uint32_t *forms; /* where each one's text is */
    uint64_t nforms;
    const char *texts;
    const struct history_entry *entries; /* by place, then by record */
    uint64_t nentries;
};

/*
 * Open the index of a trace, as `machine` runs beside it. If there is no such file, or it is one of
 * another trace, machine or version, it is made, by a replay of the trace. False, with a message,
 * if it is no index or cannot be made.
 */
bool history_open(struct history *history, const char *path, const char *trace,
                  const char *machine);
void history_close(struct history *history);

/* The file of it, made by a replay of the whole trace (history_make.c). */
bool history_make(const char *path, const char *trace, const char *machine);

/* --- Asking ----------------------------------------------------------------------------------- */

/* What reads a history forward: a state, of which some places are followed. */
struct history_reader;

/* `state`: that of the boot record, to be written to. It stands at record 0. */
struct history_reader *history_reader_new(const struct history *history, struct fh_state *state);
void history_reader_free(struct history_reader *reader);

/*
 * Follow what a path names, a part of the state with all parts of it, from where the reader stands;
 * what names nothing that ever changed is fine. "taken.LOCK" is a lock.
 */
void history_follow(struct history_reader *reader, const char *path);
/* Follow the descriptors of a level that lead to these pages, or to some behind the first one. */
void history_follow_mappings(struct history_reader *reader, unsigned level, uint64_t first,
                             uint64_t last);
/* Follow the words of tables at an address. */
void history_follow_word(struct history_reader *reader, uint64_t pa);
/* Told of what is no part of the state. */
typedef void history_told(void *context, const char *form, const struct history_entry *entry);
void history_tell(struct history_reader *reader, history_told *told, void *context);

/* Has something come to be followed since the last call? Then the state may have changed. */
bool history_follows_more(struct history_reader *reader);
/* The next record that changes something followed, and going there; false: there is none. */
bool history_coming(struct history_reader *reader, uint32_t *record);
void history_go(struct history_reader *reader);
/* A place that is followed cannot be written: the history does not tell it. */
bool history_failed(const struct history_reader *reader);

#endif
