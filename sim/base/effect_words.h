/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EFFECT_WORDS_H
#define SIM_EFFECT_WORDS_H

#include <stddef.h>

#include <faulthandler/effects.h>
#include <faulthandler/profile.h>

/*
 * What an effect's numbers stand for, into buffer[0..size): the descriptor of a table write, the
 * syndrome of an emulated access, VTCR_EL2, a vCPU's register. "" of effects without such numbers.
 * Returns the length of the whole text, as snprintf does.
 */
size_t effect_words(const struct fh_profile *profile, const struct fh_effect *effect, char *buffer,
                    size_t size);

/* The constant that numbers a vCPU's register, "HCR_EL2"; NULL if none does. */
const char *vcpu_register_name(const struct fh_profile *profile, uint64_t number);

/* The same for a word of a table by itself: `level` is 0 to 3; 4 KiB pages. "" of 0. */
size_t descriptor_words(uint64_t level, uint64_t word, char *buffer, size_t size);

/* The same for what an entry of a map of descriptors has: a page or a block, of its level. */
size_t entry_words(uint64_t level, uint64_t word, char *buffer, size_t size);

#endif
