/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_READER_H
#define SIM_READER_H

#include "base/source.h"
#include "patch/patch.h"

/*
 * Reading a tree of nodes with strict types: each function reports what is wrong, at its place in
 * the file, and returns false.
 */
struct reader {
    struct source *source;
    struct arena *arena;
    const struct fh_profile *profile; /* whose constants may be named */
};

/* Report an error at a node; always false. */
__attribute__((format(printf, 3, 4))) bool
reader_error(struct reader *reader, const struct node *node, const char *format, ...);

/* An error of a patch that is part of the file; always false. */
bool reader_patch_error(struct reader *reader, const struct node *patch,
                        const struct patch_error *error);

/* "'word' is no X", with the nearest of the candidates; always false. */
bool reader_unknown(struct reader *reader, const struct node *node, const char *what,
                    const char *const *candidates, size_t count);

/*
 * `node` is a map with keys from `keys` (NULL-terminated) only. `what` names it in messages: "a
 * step".
 */
bool reader_keys(struct reader *reader, const struct node *node, const char *what,
                 const char *const *keys);

/* A list, and a map with any keys. */
bool reader_list(struct reader *reader, const struct node *node, const char *what);
bool reader_map(struct reader *reader, const struct node *node, const char *what);

bool reader_number(struct reader *reader, const struct node *node, const char *what, uint64_t least,
                   uint64_t most, uint64_t *value);
bool reader_flag(struct reader *reader, const struct node *node, const char *what, bool *value);
bool reader_text(struct reader *reader, const struct node *node, const char *what,
                 const char **value);

/* The same for the value at a key of a map, which keeps its default where there is none. */
bool reader_number_at(struct reader *reader, const struct node *map, const char *key,
                      uint64_t least, uint64_t most, uint64_t *value);
bool reader_flag_at(struct reader *reader, const struct node *map, const char *key, bool *value);
bool reader_text_at(struct reader *reader, const struct node *map, const char *key,
                    const char **value);

/*
 * A number up to a constant of the profile, less `less`: READER_UP_TO(COREVISOR). What another
 * profile would take is told so.
 */
#define READER_UP_TO(constant) offsetof(struct fh_profile, constant)
bool reader_constant(struct reader *reader, const struct node *node, const char *what,
                     uint64_t least, size_t constant, uint64_t less, uint64_t *value);
bool reader_constant_at(struct reader *reader, const struct node *map, const char *key,
                        uint64_t least, size_t constant, uint64_t less, uint64_t *value);

/* The name of a profile for which this holds, other than the reader's; NULL if there is none. */
const struct fh_profile *reader_other_profile(const struct reader *reader, size_t constant,
                                              uint64_t number);

/* A node that stands at the place of `at`, for trees that are made rather than read. */
struct node reader_number_node(struct reader *reader, const struct node *at, uint64_t value);

#endif
