/* SPDX-License-Identifier: GPL-2.0-only */
#include "explain/messages.h"

#include <ctype.h>

/*
 * Messages of kernels and hypervisors that stand around the values, and what their program means
 * by them: X(id, words, does a report begin here?, about what, program, account).
 */
#define MESSAGE_MAP(X)                                                                             \
    X(kvm_unsupported_fsc, "unsupported fsc", true, GUEST, "KVM",                                  \
      "KVM handles translation, access flag and permission faults of a guest, and external "       \
      "aborts; this abort is of another kind, so that KVM could do nothing with it: the guest "    \
      "stays at the instruction and KVM_RUN returns an error.")                                    \
    X(kvm_unknown_class, "unknown exception class", true, GUEST, "KVM",                            \
      "KVM has no handler for this class and injects an undefined instruction.")                   \
    X(kvm_not_decoded, "load/store instruction decoding not implemented", false, GUEST, "KVM",     \
      "KVM would have to emulate the access as MMIO, and the syndrome does not describe it "       \
      "(ISV=0): KVM reads no instructions of guests.")                                             \
    X(kvm_no_valid_syndrome, "data abort outside memslots", true, GUEST, "KVM",                    \
      "The address is in no memory of the guest, and the syndrome does not describe the access "   \
      "(ISV=0): KVM reads no instructions of guests.")                                             \
    X(kvm_sys_reg, "unsupported guest sys_reg access", true, GUEST, "KVM",                         \
      "KVM does not emulate this register and injects an undefined instruction.")                  \
    X(kvm_cp15, "unsupported guest cp15 access", true, GUEST, "KVM",                               \
      "KVM does not emulate this register and injects an undefined instruction.")                  \
    X(kvm_hyp_panic, "hyp panic", true, SELF, "KVM",                                               \
      "The code of KVM at EL2 itself took an exception that it has no handler for; the registers " \
      "are those of EL2.")                                                                         \
    X(kvm_guest_fault, "kvm_guest_fault", true, GUEST, "ftrace", "")                               \
    X(kvm_exit, "kvm_exit", true, GUEST, "ftrace", "")                                             \
    X(linux_paging, "unable to handle kernel", true, SELF, "Linux", "")                            \
    X(linux_oops, "internal error", false, SELF, "Linux", "")                                      \
    X(linux_bad_mode, "bad mode in", true, SELF, "Linux",                                          \
      "The exception came by a vector that this kernel never expects.")                            \
    X(linux_unhandled, "unhandled fault", true, SELF, "Linux", "")                                 \
    X(linux_serror, "serror interrupt on", true, SELF, "Linux", "")                                \
    X(xen_trap, "hypervisor trap", true, SELF, "Xen",                                              \
      "Xen itself took the exception; the registers are those of EL2.")                            \
    X(xen_traps, "traps.c", true, GUEST, "Xen", "")                                                \
    X(hafnium_data, "data abort: pc", true, SELF, "Hafnium", "")                                   \
    X(hafnium_instruction, "instruction abort: pc", true, SELF, "Hafnium", "")                     \
    X(hafnium_stage2, "stage-2 page fault", true, GUEST, "Hafnium", "")                            \
    X(hafnium_unknown, "unknown lower sync exception", true, GUEST, "Hafnium", "")                 \
    X(jailhouse_read, "unhandled data read at", true, GUEST, "Jailhouse",                          \
      "The cell's configuration has no memory region there, and no device that Jailhouse "         \
      "emulates; the CPU is parked.")                                                              \
    X(jailhouse_write, "unhandled data write at", true, GUEST, "Jailhouse",                        \
      "The cell's configuration has no memory region there, and no device that Jailhouse "         \
      "emulates; the CPU is parked.")                                                              \
    X(jailhouse_hyp, "unhandled hyp", true, SELF, "Jailhouse", "")                                 \
    X(jailhouse_trap, "unhandled trap", true, GUEST, "Jailhouse",                                  \
      "Jailhouse has no handler for this class of exception; the CPU is parked.")                  \
    X(sel4_data, "fault on data at address", true, ANY, "seL4", "")                                \
    X(sel4_code, "fault on code at address", true, ANY, "seL4", "")                                \
    X(qemu_exception, "taking exception", true, ANY, "QEMU", "")                                   \
    X(uboot_abort, "synchronous abort\" handler", true, SELF, "U-Boot", "")                        \
    X(smmu_global, "unexpected global fault", true, SMMU_GLOBAL, "Linux", "")                      \
    X(smmu_blocked, "blocked unknown stream id", true, SMMU_GLOBAL, "Linux",                       \
      "The stream is in no stream mapping group: no driver attached the device, or the device "    \
      "uses another stream number than the device tree says.")                                     \
    X(smmu_context, "unhandled context fault", true, SMMU_BANK, "Linux", "")

static const struct known_message messages[] = {
#define MESSAGE(id, phrase, begins, subject, program, account)                                     \
    {#id, phrase, begins, SUBJECT_##subject, program, account},
    MESSAGE_MAP(MESSAGE)
#undef MESSAGE
};

const struct known_message *message_at(const char *text, const char *end, size_t *length)
{
    const char first = (char)tolower((unsigned char)*text);
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        if (messages[i].phrase[0] == first && phrase_at(text, end, messages[i].phrase, length))
            return &messages[i];
    }
    return NULL;
}
