/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/xml.h"

void print_xml(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '&': fputs("&amp;", out); break;
        case '"': fputs("&quot;", out); break;
        default: fputc((unsigned char)*text < ' ' && *text != '\n' ? '?' : *text, out);
        }
    }
}
