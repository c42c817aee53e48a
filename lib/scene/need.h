/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_SCENE_NEED_H
#define FH_SCENE_NEED_H

#include "layers/kcore.h"

/* An argument must be so; the state's error says which and why. */
/* clang-format off */
#define NEED(s, condition, ...)                                                                     \
    do {                                                                                            \
        if (!(condition)) {                                                                         \
            FH_VALUES(__VA_ARGS__);                                                                 \
            return stop(s, FH_INVALID_ARGUMENT, FH_LAYER, __func__, #condition, #__VA_ARGS__,       \
                        fh_values_, sizeof fh_values_ / sizeof *fh_values_);                        \
        }                                                                                           \
    } while (0)
/* clang-format on */

#endif
