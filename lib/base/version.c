/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/version.h>

const char *fh_version(void)
{
    return FH_VERSION_TEXT;
}
