/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_NUMBER_H
#define SIM_NUMBER_H

#include "patch/patch.h"

/* Why a text is no number. */
struct number_error {
    char message[160];
};

/*
 * Numbers as people write them: decimal, 0x hexadecimal, sizes (4K, 2M, 1G, 1T), constants of the
 * profile by name, and these joined by `*`, `+`, `-` and `|`, which bind in this order. Everything
 * must fit 64 bits.
 */
bool number_parse(const struct fh_profile *profile, const char *text, size_t length,
                  uint64_t *value, struct number_error *error);

/* The same for patches and state paths. It refers to the profile. */
struct patch_numbers number_patches(const struct fh_profile *profile);

#endif
