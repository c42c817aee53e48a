/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_KVM_RECORDS_H
#define SIM_KVM_RECORDS_H

#include "convert/import.h"
#include "convert/kvm_event.h"

/* Records of a trace from Linux's kvm:* events, however they were read. */
struct kvm_records;

struct kvm_records *kvm_records_new(struct import *import);
/* What still waits is emitted. */
void kvm_records_end(struct kvm_records *records);

void kvm_records_take(struct kvm_records *records, const struct kvm_event *event);
/* Events were lost; `cpu` may be NULL, `count` 0. What waits goes out. */
void kvm_records_gap(struct kvm_records *records, const char *why, const uint64_t *cpu,
                     uint64_t count);

#endif
