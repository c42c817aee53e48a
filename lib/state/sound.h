/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_STATE_SOUND_H
#define FH_STATE_SOUND_H

#include <faulthandler/state.h>

/* As fh_state_is_sound, also at the end of a call, before it returns. */
bool machine_is_sound(const struct fh_state *s, unsigned level, const char **broken);

/*
 * How much each call of this build looks at when it ends: 0 nothing, else level 1, and every 64th
 * call this level.
 */
#ifndef FH_SOUNDNESS
#define FH_SOUNDNESS 0
#endif

#endif
