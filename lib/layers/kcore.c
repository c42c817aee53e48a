/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER ""
#include "layers/kcore.h"

enum fh_status stop(struct fh_state *s, enum fh_status status, const char *layer,
                    const char *function, const char *condition, const char *names,
                    const uint64_t *values, size_t nvalues)
{
    const size_t prefix = sizeof "kc_" - 1;
    bool is_kc = function[0] == 'k' && function[1] == 'c' && function[2] == '_';
    s->error = (struct fh_error){.status = status,
                                 .layer = layer,
                                 .function = is_kc ? function + prefix : function,
                                 .condition = condition,
                                 .names = names};
    for (size_t i = 0; i < nvalues && i < FH_ERROR_VALUES; i++)
        s->error.values[i] = values[i];
    s->error.nvalues = (unsigned)(nvalues < FH_ERROR_VALUES ? nvalues : FH_ERROR_VALUES);
    return status;
}
