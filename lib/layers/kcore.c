/* SPDX-License-Identifier: GPL-2.0-only */
#define FH_LAYER ""
#include "layers/kcore.h"

#include <string.h>

static const char *without_prefix(const char *function, const char *prefix)
{
    const char *rest = function;
    while (*prefix && *prefix == *rest)
        prefix++, rest++;
    return *prefix ? function : rest;
}

/* "spec_foo", and a machine's "m_foo", are foo; helpers keep their names. */
static const char *name_of(const char *function)
{
    return without_prefix(without_prefix(function, "spec_"), "m_");
}

/* The switch that stands for missing checks; its number + 1, 0: there is none. */
static unsigned unchecked_by(const struct fh_machine *machine)
{
    while (machine && machine->unchecked == 0)
        machine = machine->extends;
    return machine ? machine->unchecked : 0;
}

bool goes_on(struct fh_state *s, const char *condition)
{
    const unsigned by = s->machine ? unchecked_by(s->machine) : 0;
    if (by == 0 || without_prefix(condition, "is_") == condition)
        return false;
    fh_departures_add(&s->asked, by - 1);
    return fh_departs(&s->departures, by - 1);
}

const struct fh_ctxt *ctxt_beyond(const struct fh_state *s, wide ctxtid)
{
    return fh_ref_record(type_of_ref_ctxt, shadow_entry_of(s, ctxtid));
}

static struct fh_error error_of(const struct fh_state *s, enum fh_status status, const char *layer,
                                const char *function, const char *condition, const char *names,
                                const uint64_t *values, size_t nvalues)
{
    struct fh_error error = {.status = status,
                             .profile = s->profile,
                             .layer = layer,
                             .function = name_of(function),
                             .condition = condition,
                             .names = names,
                             .nvalues = (unsigned)nvalues};
    memcpy(error.values, values, nvalues * sizeof *values);
    return error;
}

enum fh_status stop(struct fh_state *s, enum fh_status status, const char *layer,
                    const char *function, const char *condition, const char *names,
                    const uint64_t *values, size_t nvalues)
{
    s->error = error_of(s, status, layer, function, condition, names, values, nvalues);
    return status;
}

void note_panic(struct fh_state *s, const char *layer, const char *function, const char *condition,
                const char *names, const uint64_t *values, size_t nvalues)
{
    s->panic = (struct fh_panic){.profile = s->profile,
                                 .layer = layer,
                                 .function = name_of(function),
                                 .condition = condition,
                                 .names = names,
                                 .nvalues = (unsigned)nvalues};
    memcpy(s->panic.values, values, nvalues * sizeof *values);
    s->panic_is_fresh = true;
}

void leave_64_bits(struct fh_state *s, const char *layer, const char *function,
                   const char *condition, const char *names, const uint64_t *values, size_t nvalues)
{
    if (s->beyond.status == FH_OK)
        s->beyond =
            error_of(s, FH_UNREPRESENTABLE, layer, function, condition, names, values, nvalues);
}
