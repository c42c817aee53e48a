/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/status.h>
#include <faulthandler/trap.h>

#include "base/text.h"
#include "state/value_text.h"

static const struct {
    enum fh_status status;
    const char *name;
    const char *message;
} statuses[] = {
#define STATUS(name, value, message) {FH_##name, #name, message},
    FH_STATUS_MAP(STATUS)
#undef STATUS
};

const char *fh_status_name(enum fh_status status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        if (statuses[i].status == status)
            return statuses[i].name;
    }
    return "?";
}

const char *fh_status_message(enum fh_status status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        if (statuses[i].status == status)
            return statuses[i].message;
    }
    return "not a status";
}

/* The next of the comma-separated names, commas inside parentheses being part of a name. */
static struct source_text next_name(const char **names)
{
    unsigned depth = 0;
    const char *c = *names;
    while (*c == ' ')
        c++;
    struct source_text source = {c, c};
    for (; *c && (*c != ',' || depth > 0); c++) {
        if (*c == '(')
            depth++;
        else if (*c == ')')
            depth--;
    }
    source.end = c;
    *names = *c ? c + 1 : c;
    return source;
}

/* --- Accounts -------------------------------------------------------------------------------- */

/* "MemManager.map_page_host: what happened; needs condition with name = value, ..." */
static size_t format(const struct fh_error *error, const char *what, char *buffer, size_t size)
{
    struct text text = {buffer, size, 0};
    if (error->layer) {
        text_put(&text, error->layer);
        text_put_char(&text, '.');
    }
    if (error->function) {
        text_put(&text, error->function);
        text_put(&text, ": ");
    }
    text_put(&text, what);
    if (error->condition) {
        text_put(&text, "; needs ");
        text_put(&text, error->condition);
    }
    const char *names = error->names;
    for (unsigned i = 0; i < error->nvalues; i++) {
        text_put(&text, i == 0 ? " with " : ", ");
        const struct source_text source = next_name(&names);
        for (const char *c = source.text; c < source.end; c++)
            text_put_char(&text, *c);
        text_put(&text, " = ");
        text_put_known(&text, error->profile, source, error->values[i]);
    }
    return text_end(&text);
}

size_t fh_error_format(const struct fh_error *error, char *buffer, size_t size)
{
    return format(error, fh_status_message(error->status), buffer, size);
}

size_t fh_panic_format(const struct fh_panic *panic, char *buffer, size_t size)
{
    struct fh_error error = {.profile = panic->profile,
                             .layer = panic->layer,
                             .function = panic->function,
                             .condition = panic->condition,
                             .names = panic->names,
                             .nvalues = panic->nvalues};
    for (unsigned i = 0; i < panic->nvalues; i++)
        error.values[i] = panic->values[i];
    return format(&error, "panic", buffer, size);
}
