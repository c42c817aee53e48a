/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/kinds.h"

#include <string.h>

enum { LOOKED_AT = 1 << 14 };

static const struct {
    const char *part;
    const char *what;
} kinds[] = {
    {"\"theme\":", "vectors; `fhsim conform` reads them"},
    {"\"kind\":", "a trace; `fhsim replay` reads it"},
    {"\xd9\xd9\xf7", "a trace; `fhsim replay` reads it"},
    {"FHRECORD", "a buffer of the recorder; `fhsim convert --from recorder` makes a trace of it"},
    {"Dtracing", "a recording of trace-cmd; `fhsim replay` reads it"},
    {" kvm_exit: ", "a recording of KVM's events; `fhsim replay` reads it"},
    {" kvm_entry: ", "a recording of KVM's events; `fhsim replay` reads it"},
    {":kvm_exit: ", "a recording of KVM's events; `fhsim replay` reads it"},
    {":kvm_entry: ", "a recording of KVM's events; `fhsim replay` reads it"},
    {"kvm_guest_fault: ", "a recording of KVM's events; `fhsim replay` reads it"},
    {"\nTaking exception ", "a log of QEMU; `fhsim replay` reads it"},
    {"Exception return from AArch", "a log of QEMU; `fhsim replay` reads it"},
    {" vec=guest_", "a recording of tools/capture; `fhsim replay` reads it"},
    {" vec=host_", "a recording of tools/capture; `fhsim replay` reads it"},
};

const char *kind_of_another_command(const char *text, size_t length)
{
    if (memmem(text, length, "steps:", 6) || memmem(text, length, "\"steps\"", 7))
        return NULL;
    length = length < LOOKED_AT ? length : LOOKED_AT;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (memmem(text, length, kinds[i].part, strlen(kinds[i].part)))
            return kinds[i].what;
    }
    return NULL;
}
