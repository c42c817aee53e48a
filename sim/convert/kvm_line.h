/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_KVM_LINE_H
#define SIM_KVM_LINE_H

#include "convert/scan.h"

/*
 * Lines of Linux's events as text, whatever tool wrote them. What stands in front of the event's
 * name depends on the tool, its options and the kernel:
 *
 *     TASK-PID (TGID) [CPU] flags seconds: event: fields          tracefs, trace-cmd report
 *     TASK-PID CPUflags microseconds us: event: fields            options/latency-format, report -l
 *     file.dat: TASK-PID [CPU]-0x1 seconds: (+12) event: fields   report of several files, -R, ...
 *     TASK PID/TID flags [CPU] seconds: kvm:event: fields         perf script, perf-prof
 *     seconds |  CPU)  TASK-PID  |  duration  |  (event: fields)  the tracer function_graph
 *     milliseconds TASK/TID kvm:event(key: value, ...)            perf trace
 *     seconds: event: fields                                      what people leave of it
 *
 * so it is read from the event's name to the left; all of it but the time may be missing.
 */
struct kvm_moment {
    struct word machine; /* the name of the recording that a report of several has in front */
    uint64_t pid;
    uint64_t cpu;
    uint64_t time;
    bool has_pid;
    bool has_cpu;
    bool has_time;
    bool has_flags;
    bool is_interrupt; /* of an interrupt's handler, not of the task's own doing */
};

struct kvm_line {
    struct kvm_moment moment;
    struct word system; /* "kvm", or empty */
    struct word name;   /* "kvm_exit" */
    struct scan rest;   /* behind the colon */
    bool has_keys;      /* that is "key: value, key: value" */
};

/* False if it is no event. `is_known` says which events may stand without anything in front. */
bool kvm_line_read(struct scan line, bool (*is_known)(struct word name), struct kvm_line *event);

/*
 * "CPU:1 [LOST 12 EVENTS]", "CPU:1 [EVENTS DROPPED]", "##### CPU 1 buffer started ####": events are
 * missing, `count` of them if that is not 0.
 */
bool kvm_line_is_gap(struct scan line, uint64_t *cpu, uint64_t *count);

/* Of a stack trace: its head, an entry of tracefs, or an entry of perf. */
bool kvm_line_is_stack(struct scan line);

/* Of the tracers function ("f <-caller") and function_graph (" 1)  0.5 us  |  f();"). */
bool kvm_line_is_function(struct scan line);

/* What trace-cmd report writes beside events: "cpus=2", "version = 7", "CPU 1 is empty". */
bool kvm_line_is_remark(struct scan line);

#endif
