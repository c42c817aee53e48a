/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_XML_H
#define SIM_XML_H

#include <stdio.h>

/* Text in XML; control characters have no place in it. */
void print_xml(FILE *out, const char *text);

#endif
