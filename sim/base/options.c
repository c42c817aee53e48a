/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/options.h"

#include <string.h>

#include "base/diag.h"

enum { NAMES_MAX = 32 };

static const struct option_spec *find(const char *word, size_t length,
                                      const struct option_spec *specs, size_t nspecs)
{
    for (size_t i = 0; i < nspecs; i++) {
        if (strlen(specs[i].name) == length && memcmp(specs[i].name, word, length) == 0)
            return &specs[i];
    }
    return NULL;
}

static enum options_outcome unknown(const char *command, const char *word, size_t length,
                                    const struct option_spec *specs, size_t nspecs)
{
    const char *names[NAMES_MAX] = {"--help"};
    size_t count = 1;
    for (size_t i = 0; i < nspecs && count < NAMES_MAX; i++)
        names[count++] = specs[i].name;
    char name[64];
    size_t copied = length < sizeof name ? length : sizeof name - 1;
    memcpy(name, word, copied);
    name[copied] = 0;
    const char *suggestion = nearest(name, names, count);
    if (suggestion)
        diag_plain("%s: unknown option '%s'; did you mean '%s'?", command, name, suggestion);
    else
        diag_plain("%s: unknown option '%s'; `fhsim %s --help` lists them", command, name, command);
    return OPTIONS_BAD;
}

enum options_outcome options_read(int argc, char **argv, const struct option_spec *specs,
                                  size_t nspecs, int *count)
{
    return options_read_each(argc, argv, specs, nspecs, count, NULL, NULL);
}

enum options_outcome options_read_each(int argc, char **argv, const struct option_spec *specs,
                                       size_t nspecs, int *count, option_given *given,
                                       void *context)
{
    const char *command = argv[0];
    *count = 0;
    for (int i = 1; i < argc; i++) {
        char *word = argv[i];
        if (strcmp(word, "--") == 0) {
            while (++i < argc)
                argv[(*count)++] = argv[i];
            break;
        }
        if (word[0] != '-' || !word[1]) {
            argv[(*count)++] = word;
            continue;
        }
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
            return OPTIONS_HELP;
        size_t length = strcspn(word, "=");
        const struct option_spec *spec = find(word, length, specs, nspecs);
        if (!spec)
            return unknown(command, word, length, specs, nspecs);
        const char *value = word[length] ? word + length + 1 : NULL;
        if (spec->flag && value) {
            diag_plain("%s: option '%s' takes no value", command, spec->name);
            return OPTIONS_BAD;
        }
        if (spec->flag) {
            *spec->flag = true;
            continue;
        }
        if (!value && ++i == argc) {
            diag_plain("%s: option '%s' needs a value", command, spec->name);
            return OPTIONS_BAD;
        }
        *spec->value = value ? value : argv[i];
        if (given)
            given(context, spec, *spec->value);
    }
    return OPTIONS_GOOD;
}
