/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER ""
#include "layers/kcore.h"

#include <string.h>

enum fh_status stop(struct fh_state *s, enum fh_status status, const char *layer,
                    const char *function, const char *condition, const char *names,
                    const uint64_t *values, size_t nvalues)
{
    const size_t prefix = sizeof "kc_" - 1;
    const bool is_kc = memcmp(function, "kc_", prefix) == 0;
    s->error = (struct fh_error){.status = status,
                                 .layer = layer,
                                 .function = is_kc ? function + prefix : function,
                                 .condition = condition,
                                 .names = names,
                                 .nvalues = (unsigned)nvalues};
    memcpy(s->error.values, values, nvalues * sizeof *values);
    return status;
}
