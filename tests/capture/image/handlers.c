/* SPDX-License-Identifier: GPL-2.0-only */
/* What the image's hypervisor does with a trap. */
#include <stdint.h>

enum ec {
    EC_WFX = 0x01,
    EC_HVC64 = 0x16,
    EC_SMC64 = 0x17,
    EC_SYS64 = 0x18,
    EC_IABT_LOW = 0x20,
    EC_DABT_LOW = 0x24,
    EC_BRK64 = 0x3c,
};

enum hvc {
    HVC_ADD_ONE = 0x11,
    HVC_TIMER = 0x13,
    HVC_BREAK = 0x14,
    HVC_GUEST_TABLE = 0x30,
    HVC_OFF = 0xff,
};

#define PSCI_SYSTEM_OFF UINT64_C(0x84000008)
#define LAZY_PAGE UINT64_C(0x41001000)
/* AF, inner shareable, read-write, normal memory, a page */
#define LAZY_ATTRIBUTES UINT64_C(0x7ff)
#define ACTLR_VALUE UINT64_C(0xac71)

#define GICD 0x08000000
#define GICC 0x08010000
#define HYP_TIMER 26

struct frame {
    uint64_t x[31];
    uint64_t elr;
    uint64_t spsr;
};

extern uint64_t stage2_level3[512];
extern volatile uint32_t interrupts;
extern char guest_vectors[];

void handle_sync(struct frame *frame);
void handle_irq(struct frame *frame);
void start_interrupts(void);

#define READ(name)                                                                                 \
    ({                                                                                             \
        uint64_t value_;                                                                           \
        __asm__ volatile("mrs %0, " #name : "=r"(value_));                                         \
        value_;                                                                                    \
    })
#define WRITE(name, value)                                                                         \
    __asm__ volatile("msr " #name ", %0\n\tisb" : : "r"((uint64_t)(value)) : "memory")

static volatile uint32_t *device(uint64_t address)
{
    return (volatile uint32_t *)address;
}

void start_interrupts(void)
{
    *device(GICD) = 1;
    *device(GICD + 0x100) = 1u << HYP_TIMER;
    *device(GICC + 4) = 0xff;
    *device(GICC) = 1;
}

static void power_off(void)
{
    register uint64_t x0 __asm__("x0") = PSCI_SYSTEM_OFF;
    __asm__ volatile("smc #0" : "+r"(x0));
}

static void hypercall(struct frame *frame, uint64_t number)
{
    switch (number) {
    case HVC_ADD_ONE: frame->x[0]++; break;
    case HVC_TIMER:
        WRITE(cnthp_tval_el2, 1000);
        WRITE(cnthp_ctl_el2, 1);
        frame->spsr &= ~UINT64_C(0x80);
        break;
    case HVC_BREAK: __asm__ volatile("brk #0x77"); break;
    case HVC_GUEST_TABLE: WRITE(vbar_el2, (uint64_t)guest_vectors); break;
    case HVC_OFF: power_off(); break;
    default: break;
    }
}

static void data_abort(struct frame *frame)
{
    if (READ(far_el2) >> 12 != LAZY_PAGE >> 12) {
        frame->elr += 4;
        return;
    }
    stage2_level3[1] = LAZY_PAGE | LAZY_ATTRIBUTES;
    __asm__ volatile("dsb sy\n\ttlbi vmalls12e1is\n\tdsb sy\n\tisb" : : : "memory");
}

void handle_sync(struct frame *frame)
{
    uint64_t esr = READ(esr_el2);
    switch (esr >> 26) {
    case EC_HVC64: hypercall(frame, esr & 0xffff); return;
    case EC_DABT_LOW: data_abort(frame); return;
    case EC_IABT_LOW: frame->elr = frame->x[30]; return;
    case EC_SMC64: frame->x[0] = 0x10001; break;
    case EC_SYS64:
        if (esr & 1)
            frame->x[esr >> 5 & 31] = ACTLR_VALUE;
        break;
    default: break;
    }
    frame->elr += 4;
}

void handle_irq(struct frame *frame)
{
    uint32_t interrupt = *device(GICC + 0xc);
    WRITE(cnthp_ctl_el2, 0);
    *device(GICC + 0x10) = interrupt;
    frame->spsr |= 0x80;
    interrupts = 1;
}
