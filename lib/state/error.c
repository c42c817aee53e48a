/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/status.h>

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

/* Text that is cut off where the buffer ends, but counted to its end. */
struct text {
    char *buffer;
    size_t size;
    size_t length;
};

static void put_char(struct text *text, char c)
{
    if (text->length + 1 < text->size)
        text->buffer[text->length] = c;
    text->length++;
}

static void put(struct text *text, const char *s)
{
    while (*s)
        put_char(text, *s++);
}

static void put_number(struct text *text, uint64_t value)
{
    unsigned base = value < 10 ? 10 : 16;
    if (base == 16)
        put(text, "0x");
    char digits[16];
    unsigned n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (n > 0)
        put_char(text, digits[--n]);
}

/* The next of the comma-separated names, commas inside parentheses being part of a name. */
static const char *put_name(struct text *text, const char *names)
{
    unsigned depth = 0;
    while (*names == ' ')
        names++;
    for (; *names && (*names != ',' || depth > 0); names++) {
        if (*names == '(')
            depth++;
        else if (*names == ')')
            depth--;
        put_char(text, *names);
    }
    return *names ? names + 1 : names;
}

size_t fh_error_format(const struct fh_error *error, char *buffer, size_t size)
{
    struct text text = {buffer, size, 0};
    if (error->layer) {
        put(&text, error->layer);
        put_char(&text, '.');
    }
    if (error->function) {
        put(&text, error->function);
        put(&text, ": ");
    }
    put(&text, fh_status_message(error->status));
    if (error->condition) {
        put(&text, "; needs ");
        put(&text, error->condition);
    }
    const char *names = error->names;
    for (unsigned i = 0; i < error->nvalues; i++) {
        put(&text, i == 0 ? " with " : ", ");
        names = put_name(&text, names);
        put(&text, " = ");
        put_number(&text, error->values[i]);
    }
    if (size > 0)
        buffer[text.length < size ? text.length : size - 1] = 0;
    return text.length;
}
