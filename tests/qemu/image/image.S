/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The way into EL1 or EL0 for one access, and the way back. Between run_guest and its return lies
 * exactly one exception to EL2.
 */
    .section .text.start, "ax"
    .global start
start:
    adr x0, stack_top
    mov sp, x0
    adr x0, vectors
    msr vbar_el2, x0
    isb
    bl image_main
1:  wfi
    b 1b

/* run_guest(x0: 31 registers to begin with, x1: 31 registers as they were at the exception) */
    .text
    .global run_guest
run_guest:
    stp x19, x20, [sp, #-112]!
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    str x1, [sp, #96]
    ldp x2, x3, [x0, #16]
    ldp x4, x5, [x0, #32]
    ldp x6, x7, [x0, #48]
    ldp x8, x9, [x0, #64]
    ldp x10, x11, [x0, #80]
    ldp x12, x13, [x0, #96]
    ldp x14, x15, [x0, #112]
    ldp x16, x17, [x0, #128]
    ldp x18, x19, [x0, #144]
    ldp x20, x21, [x0, #160]
    ldp x22, x23, [x0, #176]
    ldp x24, x25, [x0, #192]
    ldp x26, x27, [x0, #208]
    ldp x28, x29, [x0, #224]
    ldr x30, [x0, #240]
    ldp x0, x1, [x0]
    eret

guest_exit:
    str x0, [sp, #104]
    ldr x0, [sp, #96]
    stp x2, x3, [x0, #16]
    stp x4, x5, [x0, #32]
    stp x6, x7, [x0, #48]
    stp x8, x9, [x0, #64]
    stp x10, x11, [x0, #80]
    stp x12, x13, [x0, #96]
    stp x14, x15, [x0, #112]
    stp x16, x17, [x0, #128]
    stp x18, x19, [x0, #144]
    stp x20, x21, [x0, #160]
    stp x22, x23, [x0, #176]
    stp x24, x25, [x0, #192]
    stp x26, x27, [x0, #208]
    stp x28, x29, [x0, #224]
    str x30, [x0, #240]
    ldr x2, [sp, #104]
    stp x2, x1, [x0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp x19, x20, [sp], #112
    ret

/* An exception of EL2 itself ends the machine: the results stay away. */
.macro lost
    .balign 128
    b image_lost
.endm

    .balign 2048
vectors:
    .rept 8
    lost
    .endr
    .balign 128
    b guest_exit
    .rept 7
    lost
    .endr

/* What the code page holds behind its first instruction: see protocol.h. */
    .balign 4096
    .global code_page
code_page:
    nop
    hvc #1
    .org code_page + 0x800 + 0x200
    hvc #2
    .org code_page + 0x800 + 0x400
    hvc #2
    .org code_page + 0x1000

/* The host does for the guest what x0 says; x1 is its block of arguments. */
    .global semihosting
semihosting:
    hlt #0xf000
    ret
