/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/invariants.h>
#include <faulthandler/reflect.h>

#include "base/text.h"
#include "state/value_text.h"

static const struct fh_invariant_info invariants[] = {
#define ROW(name, scope, nvalues, values, statement)                                               \
    {FH_INVARIANT_##name, #name, FH_SCOPE_##scope, statement, nvalues, values, fh_invariant_##name},
    FH_INVARIANT_MAP(ROW)
#undef ROW
};

const struct fh_invariant_info *fh_invariant_at(unsigned index)
{
    return index < FH_INVARIANTS ? &invariants[index] : NULL;
}

const struct fh_invariant_info *fh_invariant_find(const char *name)
{
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        const char *a = invariants[i].name, *b = name;
        while (*a && *a == *b)
            a++, b++;
        if (*a == *b)
            return &invariants[i];
    }
    return NULL;
}

/* "name = value", where the name ends before `end`. Values of signed fields have a sign. */
static void put_named(struct text *text, const struct fh_profile *k, const char *name,
                      const char *end, uint64_t value)
{
    const struct fh_field *field = fh_type_field(fh_rdata_type(), name, (size_t)(end - name));
    const bool negative = field && field->type->kind == FH_KIND_I64 && value >> 63;
    for (const char *c = name; c < end; c++)
        text_put_char(text, *c);
    text_put(text, negative ? " = -" : " = ");
    text_put_known(text, k, (struct source_text){name, end}, negative ? -value : value);
}

size_t fh_witness_format(const struct fh_invariant_info *invariant,
                         const struct fh_witness *witness, char *buffer, size_t size)
{
    struct text text = {buffer, size, 0};
    text_put(&text, invariant->name);
    text_put(&text, ": ");
    text_put(&text, invariant->statement);
    text_put(&text, "; but ");
    const char *name = invariant->values;
    for (unsigned i = 0; i < invariant->nvalues; i++) {
        const char *end = name;
        while (*end && *end != ',')
            end++;
        put_named(&text, witness->profile, name, end, witness->values[i]);
        if (*end)
            text_put(&text, ", ");
        name = end + 1;
    }
    return text_end(&text);
}
