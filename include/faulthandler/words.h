/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_WORDS_H
#define FAULTHANDLER_WORDS_H

#include <faulthandler/delta.h>
#include <faulthandler/effects.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What a state holds and what a call did, as text into a caller's buffer: always terminated when
 * size > 0. Each returns the length that the whole text needs, as snprintf does.
 */

/* A value: "17", "0x8000", "true", "own", "[0x345, 3, 0x345fff]". */
FH_API size_t fh_value_format(const struct fh_type *type, const void *place, char *buffer,
                              size_t size);

/* One change: "shared.npts.0.pt.837: [0, 0, 0] -> [0x345, 3, 0x345fff]". */
FH_API size_t fh_change_format(const struct fh_change *change, char *buffer, size_t size);

/*
 * All that differs between two snapshots, a line each with '\n' at its end; nothing if they are
 * equal. `with_logs`: logs and the positions of the oracles too.
 */
FH_API size_t fh_delta_format(const struct fh_rdata *before, const struct fh_rdata *after,
                              bool with_logs, char *buffer, size_t size);

/* An effect: "S2_READ pfn=0x345 field=0 value=0". */
FH_API size_t fh_effect_format(const struct fh_effect *effect, char *buffer, size_t size);

#ifdef __cplusplus
}
#endif

#endif
