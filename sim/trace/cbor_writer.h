/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CBOR_WRITER_H
#define SIM_CBOR_WRITER_H

#include <stdio.h>

#include "base/node.h"

/* Writes a trace as a CBOR sequence, record by record. */
struct cbor_writer;

/* The header is written with it. Errors of `out` are its owner's to see. */
struct cbor_writer *cbor_writer_new(FILE *out);
void cbor_writer_free(struct cbor_writer *writer);

/* Write a record, whatever JSON value it is. */
void cbor_write(struct cbor_writer *writer, const struct node *record);

#endif
