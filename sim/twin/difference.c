/* SPDX-License-Identifier: GPL-2.0-only */
#include "twin/difference.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"

bool difference_is_undefined(const struct difference *difference)
{
    return !difference->machine && !difference->model && difference->path &&
           strcmp(difference->path, "status") == 0;
}

bool difference_breaks_rule(const struct difference *difference)
{
    for (unsigned rule = 0; difference->path && rule < MACHINE_BREAKS_COUNT; rule++) {
        if (difference->path == machine_breaks_words((enum machine_breaks)rule))
            return true;
    }
    return false;
}

void difference_print(const struct difference *difference, const char *who, FILE *out)
{
    const struct trace_effect *effect =
        difference->machine ? difference->machine : difference->model;
    if (difference_is_undefined(difference)) {
        fprintf(out, "the %s has no answer", who);
        return;
    }
    if (effect)
        trace_print_effect(effect, out);
    if (!effect && difference->model_value == difference->machine_value) {
        fprintf(out, "%s%s", difference->path,
                difference_breaks_rule(difference) ? ""
                                                   : " is not what the rest of the record says");
        return;
    }
    if (difference->path)
        fprintf(out, "%s%s: %s ", effect ? ": " : "", difference->path, who);
    if (difference->field) {
        trace_print_field(difference->model, difference->field, out);
        fputs(", machine ", out);
        trace_print_field(difference->machine, difference->field, out);
    } else if (difference->path) {
        fprintf(out, "0x%" PRIx64 ", machine 0x%" PRIx64, difference->model_value,
                difference->machine_value);
    } else {
        fprintf(out, ": only the %s does this", difference->machine ? "machine" : who);
    }
}

void difference_format(const struct difference *difference, const char *who, char *text,
                       size_t size)
{
    char *whole = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&whole, &length);
    if (!stream)
        no_memory();
    difference_print(difference, who, stream);
    fclose(stream);
    snprintf(text, size, "%s", whole);
    free(whole);
}
