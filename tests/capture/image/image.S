/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A hypervisor of two CPUs and the guest on each, which knows beforehand how it will trap. What it
 * does, the tests hold against a recording, step by step.
 */

/* HVC: what the guest asks for. */
#define HVC_ADD_ONE     0x11
#define HVC_NOTHING     0x12
#define HVC_TIMER       0x13
#define HVC_BREAK       0x14
#define HVC_ROUND_0     0x20
#define HVC_ROUND_1     0x21
#define HVC_GUEST_TABLE 0x30
#define HVC_GUEST_ROUND 0x31
#define HVC_IDLE        0x32
#define HVC_OFF         0xff

#define PSCI_CPU_ON     0xc4000003
#define PSCI_VERSION    0x84000000

/*
 * Words that the command line of QEMU may set: how many rounds, and whether CPU 0 lets CPU 1 finish
 * before it makes its own.
 */
#define ROUNDS          0x4f000000
#define PATIENT         8
#define DEFAULT_ROUNDS  8

/* RW, TSC, TACR, TVM, TWI, IMO, VM */
#define HCR             ((1 << 31) | (1 << 19) | (1 << 21) | (1 << 26) | (1 << 13) | (1 << 4) | 1)
/* 40 bits in two tables of level 1, 4 KiB, write-back, inner shareable */
#define VTCR            ((1 << 31) | (2 << 16) | (3 << 12) | (1 << 10) | (1 << 8) | (1 << 6) | 24)
/* EL1h, all masked */
#define SPSR            0x3c5

#define FRAME           288
#define STACK           4096

/* Stage 2: attributes of normal memory, AF, inner shareable; read-write, read-only. */
#define S2_NORMAL       ((1 << 10) | (3 << 8) | (15 << 2))
#define S2_RW           (S2_NORMAL | (3 << 6))
#define S2_RO           (S2_NORMAL | (1 << 6))
#define TABLE           3
#define PAGE            3
#define BLOCK           1

.macro number register, value
    movz \register, #((\value) & 0xffff)
    movk \register, #(((\value) >> 16) & 0xffff), lsl #16
    movk \register, #(((\value) >> 32) & 0xffff), lsl #32
.endm

.macro hang
    .balign 128
    b .
.endm

.macro vector handler, first
    .balign 128
    \first
    sub sp, sp, #FRAME
    stp x0, x1, [sp]
    adr x0, \handler
    b enter
.endm

.macro vectors name, first
    .balign 2048
    .global \name
\name:
    .rept 4
    hang
    .endr
    vector handle_sync, "\first"
    .rept 3
    hang
    .endr
    vector handle_sync, "\first"
    vector handle_irq, "\first"
    .rept 6
    hang
    .endr
.endm

    .section .text.hyp, "ax"
    vectors host_vectors, "nop"
    /* hint 16 is ESB */
    vectors guest_vectors, "hint #16"

enter:
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp x8, x9, [sp, #64]
    stp x10, x11, [sp, #80]
    stp x12, x13, [sp, #96]
    stp x14, x15, [sp, #112]
    stp x16, x17, [sp, #128]
    stp x18, x19, [sp, #144]
    stp x20, x21, [sp, #160]
    stp x22, x23, [sp, #176]
    stp x24, x25, [sp, #192]
    stp x26, x27, [sp, #208]
    stp x28, x29, [sp, #224]
    mrs x1, elr_el2
    stp x30, x1, [sp, #240]
    mrs x1, spsr_el2
    str x1, [sp, #256]
    mov x1, x0
    mov x0, sp
    blr x1
    ldr x1, [sp, #256]
    msr spsr_el2, x1
    ldp x30, x1, [sp, #240]
    msr elr_el2, x1
    ldp x2, x3, [sp, #16]
    ldp x4, x5, [sp, #32]
    ldp x6, x7, [sp, #48]
    ldp x8, x9, [sp, #64]
    ldp x10, x11, [sp, #80]
    ldp x12, x13, [sp, #96]
    ldp x14, x15, [sp, #112]
    ldp x16, x17, [sp, #128]
    ldp x18, x19, [sp, #144]
    ldp x20, x21, [sp, #160]
    ldp x22, x23, [sp, #176]
    ldp x24, x25, [sp, #192]
    ldp x26, x27, [sp, #208]
    ldp x28, x29, [sp, #224]
    ldp x0, x1, [sp]
    add sp, sp, #FRAME
    .global return_to_guest
return_to_guest:
    eret

    .global _start
_start:
    mrs x19, mpidr_el1
    and x19, x19, #0xff
    adrp x0, stacks
    add x0, x0, :lo12:stacks
    add x1, x19, #1
    mov x2, #STACK
    madd x0, x1, x2, x0
    msr spsel, #1
    mov sp, x0
    adr x0, host_vectors
    msr vbar_el2, x0
    number x0, HCR
    msr hcr_el2, x0
    number x0, VTCR
    msr vtcr_el2, x0
    adrp x0, stage2_level1
    add x1, x19, #1
    orr x0, x0, x1, lsl #48
    msr vttbr_el2, x0
    mrs x0, midr_el1
    msr vpidr_el2, x0
    mrs x0, mpidr_el1
    msr vmpidr_el2, x0
    add x0, x19, #0x700
    msr tpidr_el2, x0
    number x0, 0x30d00800
    msr sctlr_el1, x0
    isb
    cbnz x19, 1f
    bl start_interrupts
    number x0, PSCI_CPU_ON
    mov x1, #1
    adr x2, _start
    mov x3, #0
    smc #0
1:  adr x0, guest_0
    adr x1, guest_1
    cmp x19, #0
    csel x0, x0, x1, eq
    msr elr_el2, x0
    number x0, SPSR
    msr spsr_el2, x0
    eret

    .section .text.guest, "ax"
    .macro known register
    movz x\register, #\register
    movk x\register, #0xc0de, lsl #48
    .endm

    .global guest_0, at_hvc, at_strb, at_ldrh, at_ldr, at_ldrsw, at_str, at_stp, at_far, at_ro
    .global at_lazy, at_nothing, at_after_call, at_wfi, at_mrs, at_msr, at_smc, at_timer, at_break
    .global at_round_0, at_off, at_spin
guest_0:
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
    known \n
    .endr
at_hvc:
    hvc #HVC_ADD_ONE
    number x2, 0x09000abc
    number x1, 0x77a5
at_strb:
    strb w1, [x2]
at_ldrh:
    ldrh w3, [x2]
at_ldr:
    ldr w4, [x2]
    add x2, x2, #4
at_ldrsw:
    ldrsw x5, [x2]
    number x2, 0x42000ff8
at_str:
    str x1, [x2]
at_stp:
    stp x5, x6, [x2, #8]
    number x9, 0x8040000100
at_far:
    str x8, [x9]
    number x9, 0x41000010
at_ro:
    str w8, [x9]
    number x9, 0x41001008
at_lazy:
    str x8, [x9]
at_nothing:
    hvc #HVC_NOTHING
    number x9, 0x42003000
    blr x9
at_after_call:
    nop
at_wfi:
    wfi
at_mrs:
    mrs x10, actlr_el1
    number x11, 0x1234
at_msr:
    msr contextidr_el1, x11
    number x0, PSCI_VERSION
at_smc:
    smc #0
at_timer:
    hvc #HVC_TIMER
    adrp x1, interrupts
    add x1, x1, :lo12:interrupts
at_spin:
1:  ldr w2, [x1]
    cbz w2, 1b
at_break:
    hvc #HVC_BREAK
    number x20, ROUNDS
    ldr x20, [x20, #PATIENT]
    cbz x20, 1f
    bl wait_for_guest_1
1:  bl rounds
    lsl x20, x20, #2
    mov x0, #0
2:
at_round_0:
    hvc #HVC_ROUND_0
    add x0, x0, #1
    cmp x0, x20
    b.lo 2b
    bl wait_for_guest_1
at_off:
    hvc #HVC_OFF
    b .

    .global guest_1, at_ldr_1, at_round_1, at_guest_table, at_guest_round, at_idle
guest_1:
    number x2, 0x09010008
at_ldr_1:
    ldr x7, [x2]
    bl rounds
    mov x0, #0x1000
    add x20, x20, x0
1:
at_round_1:
    hvc #HVC_ROUND_1
    add x0, x0, #1
    cmp x0, x20
    b.lo 1b
at_guest_table:
    hvc #HVC_GUEST_TABLE
    bl rounds
    mov x0, #0x2000
    add x20, x20, x0
2:
at_guest_round:
    hvc #HVC_GUEST_ROUND
    add x0, x0, #1
    cmp x0, x20
    b.lo 2b
    adrp x1, guest_1_done
    add x1, x1, :lo12:guest_1_done
    mov w2, #1
    str w2, [x1]
3:  number x3, 0x40000
4:  subs x3, x3, #1
    b.ne 4b
at_idle:
    hvc #HVC_IDLE
    b 3b

wait_for_guest_1:
    adrp x1, guest_1_done
    add x1, x1, :lo12:guest_1_done
1:  ldr w2, [x1]
    cbz w2, 1b
    ret

/* x20 = the number of rounds */
rounds:
    number x20, ROUNDS
    ldr x20, [x20]
    mov x21, #DEFAULT_ROUNDS
    cmp x20, #0
    csel x20, x21, x20, eq
    ret

    .data
/* The second half is for addresses from 2^39 on: nothing there. */
    .balign 8192
    .global stage2_level1, stage2_level3
stage2_level1:
    .quad 0
    .quad stage2_level2 + TABLE
    .fill 1022, 8, 0
/* 0x40000000: the image; 0x41000000: pages; 0x4f000000: the word of the command line */
    .global stage2_level2
    .balign 4096
stage2_level2:
    .quad 0x40000000 + S2_RW + BLOCK
    .fill 7, 8, 0
    .quad stage2_level3 + TABLE
    .fill 111, 8, 0
    .quad 0x4f000000 + S2_RW + BLOCK
    .fill 391, 8, 0
    .balign 4096
    .size stage2_level3, 4096
    .type stage2_level3, %object
stage2_level3:
    .quad 0x41000000 + S2_RO + PAGE
    .quad 0
    .fill 510, 8, 0

    .bss
    .balign 16
    .global stacks, interrupts, guest_1_done
stacks:
    .skip 2 * STACK
interrupts:
    .skip 8
guest_1_done:
    .skip 8
