/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_NUMBERS_H
#define SIM_NUMBERS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <faulthandler/effects.h>
#include <faulthandler/profile.h>

/*
 * How the numbers of the spec are written for people. What stands under a name (a field of RData,
 * an argument, a value of an effect) is of one kind, and each kind is written in one way
 * everywhere: with a name where there is one, and in one base. Digits that both bases share have no
 * 0x. All of it can be read back by scenarios.
 */
enum number_kind {
    NUMBER_any,      /* decimal; hexadecimal from 4096 on, where it is likely an address */
    NUMBER_count,    /* decimal */
    NUMBER_word,     /* hexadecimal: addresses, pages, registers, descriptors */
    NUMBER_owner,    /* a VM, HOSTVISOR, COREVISOR, INVALID */
    NUMBER_state,    /* of a VM or a vCPU: READY, ACTIVE, ... */
    NUMBER_answer,   /* a result: INVALID, or a word */
    NUMBER_lock,     /* S2PAGE_ID, NPT_ID+1 */
    NUMBER_question, /* what a data oracle was asked */
    NUMBER_call,     /* a hypercall: HVC_... */
};

enum number_kind number_kind_of(const char *name, size_t length);

/* `k` has the constants' values. */
void number_print(const struct fh_profile *k, enum number_kind kind, uint64_t value, FILE *out);
/* The same of what stands under a name. */
void number_print_as(const struct fh_profile *k, const char *name, uint64_t value, FILE *out);

/* A lock's id, "npt 1", "s2page", in words. */
void lock_print_words(const struct fh_profile *k, uint64_t id, FILE *out);

/* What recorders call a lock, "pt" and "vm" with the VM; and the id of what they call so. */
const char *lock_recorded(const struct fh_profile *k, uint64_t id, uint64_t *vmid);
uint64_t lock_of_recorded(const struct fh_profile *k, const char *recorded, uint64_t vmid);

/*
 * The spec function, or another one of FH_FUNCTION_NAME_MAP, that recorders call so; the name
 * itself if there is none of another name.
 */
const char *function_of_recorded(const char *recorded);

/*
 * The n-th argument of a function that CALL and RETURN, or records, tell of; of one without
 * arguments the current VM and vCPU are told. NULL: it has no such argument.
 */
const char *function_argument(const char *function, unsigned n);

#endif
