/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/xml.h"

#include <string.h>

#include "base/shown.h"

void print_xml(FILE *out, const char *text)
{
    while (*text) {
        const size_t length = strcspn(text, "<>&\"\n");
        print_shown(out, text, length);
        text += length;
        switch (*text) {
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '&': fputs("&amp;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\n': fputc('\n', out); break;
        default: return;
        }
        text++;
    }
}
