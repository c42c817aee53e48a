/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Something to record: a virtual machine of one vcpu under KVM, which runs the few instructions
 * below. Each round makes two MMIO exits, a hypercall and a stage-2 fault of a page of memory.
 *
 *     aarch64-linux-gnu-gcc -O2 -Wall -static -o monitor monitor.c
 *     monitor [ROUNDS]
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define RAM UINT64_C(0x40000000)
#define RAM_BYTES (UINT64_C(2) << 20)
#define MMIO_VALUE 0x42

/* x20 = rounds, at entry */
__asm__(".section .rodata\n"
        ".balign 4\n"
        ".global guest, guest_end\n"
        "guest:\n"
        "    movz x10, #0x0900, lsl #16\n"
        "    movz x11, #0x4000, lsl #16\n"
        "    mov  x12, #0\n"
        "1:  strb w20, [x10, #4]\n" /* MMIO write of a byte */
        "    ldr  w2, [x10, #8]\n"  /* MMIO read of a word */
        "    movz x0, #0x8400, lsl #16\n"
        "    hvc  #0\n" /* PSCI_VERSION */
        "    add  x12, x12, #1\n"
        "    and  x12, x12, #0xff\n"
        "    add  x13, x11, x12, lsl #12\n"
        "    str  x20, [x13, #16]\n" /* a page of memory */
        "    subs x20, x20, #1\n"
        "    b.ne 1b\n"
        "    movz x0, #0x8400, lsl #16\n"
        "    movk x0, #8\n"
        "    hvc  #0\n" /* PSCI SYSTEM_OFF */
        "    b    .\n"
        "guest_end:\n"
        ".text\n");
extern const char guest[], guest_end[];

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int call(int fd, unsigned long request, void *argument, const char *name)
{
    const int result = ioctl(fd, request, argument);
    if (result < 0)
        fail(name);
    return result;
}

static void *map(int fd, size_t bytes, int flags)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (memory == MAP_FAILED)
        fail("mmap");
    return memory;
}

static int make_machine(int kvm)
{
    const int vm = call(kvm, KVM_CREATE_VM, NULL, "KVM_CREATE_VM");
    char *memory = map(-1, RAM_BYTES, MAP_PRIVATE | MAP_ANONYMOUS);
    memcpy(memory, guest, (size_t)(guest_end - guest));
    struct kvm_userspace_memory_region region = {
        .guest_phys_addr = RAM,
        .memory_size = RAM_BYTES,
        .userspace_addr = (uintptr_t)memory,
    };
    call(vm, KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION");
    return vm;
}

static void set_register(int vcpu, size_t offset, uint64_t value)
{
    struct kvm_one_reg reg = {
        .id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | offset / sizeof(uint32_t),
        .addr = (uintptr_t)&value,
    };
    call(vcpu, KVM_SET_ONE_REG, &reg, "KVM_SET_ONE_REG");
}

static int make_vcpu(int vm, uint64_t rounds)
{
    const int vcpu = call(vm, KVM_CREATE_VCPU, NULL, "KVM_CREATE_VCPU");
    struct kvm_vcpu_init init = {
        .target = KVM_ARM_TARGET_GENERIC_V8,
        .features = {1u << KVM_ARM_VCPU_PSCI_0_2},
    };
    call(vcpu, KVM_ARM_VCPU_INIT, &init, "KVM_ARM_VCPU_INIT");
    set_register(vcpu, offsetof(struct kvm_regs, regs.pc), RAM);
    set_register(vcpu, offsetof(struct kvm_regs, regs.regs[20]), rounds);
    return vcpu;
}

static void answer_mmio(struct kvm_run *run)
{
    if (!run->mmio.is_write)
        run->mmio.data[0] = MMIO_VALUE;
}

int main(int argc, char **argv)
{
    const uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 0) : 20;
    const int kvm = open("/dev/kvm", O_RDWR);
    if (kvm < 0)
        fail("/dev/kvm");
    const int vcpu = make_vcpu(make_machine(kvm), rounds);
    const int run_bytes = call(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "KVM_GET_VCPU_MMAP_SIZE");
    struct kvm_run *run = map(vcpu, (size_t)run_bytes, MAP_SHARED);
    do {
        call(vcpu, KVM_RUN, NULL, "KVM_RUN");
        if (run->exit_reason == KVM_EXIT_MMIO)
            answer_mmio(run);
    } while (run->exit_reason == KVM_EXIT_MMIO);
    if (run->exit_reason != KVM_EXIT_SYSTEM_EVENT) {
        printf("the guest ended with exit reason %u\n", run->exit_reason);
        return 1;
    }
    printf("the guest is off\n");
    return 0;
}
