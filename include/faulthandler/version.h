/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_VERSION_H
#define FAULTHANDLER_VERSION_H

#include <faulthandler/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The version of these headers. While the major version is 0, a change of the minor one may change
 * the interface. The build takes the project's version from here.
 */
#define FH_VERSION_MAJOR 0
#define FH_VERSION_MINOR 1
#define FH_VERSION_PATCH 0

/* One number, to compare: FH_VERSION >= FH_VERSION_OF(0, 2, 0). */
#define FH_VERSION_OF(major, minor, patch) ((major)*10000 + (minor)*100 + (patch))
#define FH_VERSION FH_VERSION_OF(FH_VERSION_MAJOR, FH_VERSION_MINOR, FH_VERSION_PATCH)

#define FH_VERSION_TEXT_(major, minor, patch) #major "." #minor "." #patch
#define FH_VERSION_TEXT_OF(major, minor, patch) FH_VERSION_TEXT_(major, minor, patch)
/* "0.1.0" */
#define FH_VERSION_TEXT FH_VERSION_TEXT_OF(FH_VERSION_MAJOR, FH_VERSION_MINOR, FH_VERSION_PATCH)

/* The version of the library that the program runs with, as FH_VERSION_TEXT has it. */
FH_API const char *fh_version(void);

#ifdef __cplusplus
}
#endif

#endif
