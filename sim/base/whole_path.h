/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_WHOLE_PATH_H
#define SIM_WHOLE_PATH_H

#include <stddef.h>

/*
 * The path of a part of the state as the library wants it: people may leave `shared.` out
 * (vminfos.1.VS.vm_state). The answer is `path` itself, or stands in `buffer` (`size` bytes; what
 * does not fit is left as it was).
 */
const char *whole_path(const char *path, char *buffer, size_t size);

#endif
