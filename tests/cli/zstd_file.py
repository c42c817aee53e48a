# SPDX-License-Identifier: GPL-2.0-only
"""zstd files, through the library that fhsim uses too."""

import ctypes


def unpack(path):
    """The text of a file of one zstd frame that knows its size."""
    zstd = ctypes.CDLL("libzstd.so.1")
    zstd.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    packed = path.read_bytes()
    size = zstd.ZSTD_getFrameContentSize(packed, ctypes.c_size_t(len(packed)))
    text = ctypes.create_string_buffer(size)
    got = zstd.ZSTD_decompress(text, ctypes.c_size_t(size), packed, ctypes.c_size_t(len(packed)))
    assert got == size
    return text.raw.decode()
