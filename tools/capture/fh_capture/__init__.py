# SPDX-License-Identifier: GPL-2.0-only
"""Records an unmodified AArch64 hypervisor through the gdb stub of QEMU."""


class CaptureError(Exception):
    """What ends a capture with a message and exit status 2."""
