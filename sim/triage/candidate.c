/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdarg.h>
#include <string.h>

#include "triage/candidates.h"

/* One line of a machine.yaml, among others. */

const char *candidate_section_name(enum candidate_section section)
{
    static const char *const names[] = {
#define NAME(name, is_list) #name,
        CANDIDATE_SECTION_MAP(NAME)
#undef NAME
    };
    return names[section];
}

static bool is_list(enum candidate_section section)
{
    static const bool are_lists[] = {
#define IS_LIST(name, is_list) is_list,
        CANDIDATE_SECTION_MAP(IS_LIST)
#undef IS_LIST
    };
    return are_lists[section];
}

struct candidate *candidate_add(struct candidates *candidates, enum candidate_section section,
                                const char *key, const char *format, ...)
{
    struct candidate candidate = {.section = section};
    va_list arguments;
    if (candidates->count == CANDIDATES_MAX)
        return NULL;
    snprintf(candidate.key, sizeof candidate.key, "%s", key ? key : "");
    va_start(arguments, format);
    const int length = vsnprintf(candidate.value, sizeof candidate.value, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof candidate.value)
        return NULL;
    for (size_t i = 0; i < candidates->count; i++) {
        const struct candidate *other = &candidates->list[i];
        if (other->section == section && strcmp(other->key, candidate.key) == 0 &&
            strcmp(other->value, candidate.value) == 0)
            return NULL;
    }
    candidates->list[candidates->count] = candidate;
    return &candidates->list[candidates->count++];
}

void candidate_print_line(const struct candidate *candidate, FILE *out)
{
    if (is_list(candidate->section))
        fprintf(out, "  - %s\n", candidate->value);
    else
        fprintf(out, "  %s: %s\n", candidate->key, candidate->value);
}
