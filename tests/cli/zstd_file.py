# SPDX-License-Identifier: GPL-2.0-only
"""zstd files, through the library that fhsim uses too."""

import ctypes


class Buffer(ctypes.Structure):
    """ZSTD_inBuffer and ZSTD_outBuffer, which have the same members."""

    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t), ("at", ctypes.c_size_t)]


def unpack(path):
    """The text of a file, whether its frames know their size or not."""
    zstd = ctypes.CDLL("libzstd.so.1")
    zstd.ZSTD_createDStream.restype = ctypes.c_void_p
    zstd.ZSTD_decompressStream.restype = ctypes.c_size_t
    stream = ctypes.c_void_p(zstd.ZSTD_createDStream())
    packed = path.read_bytes()
    room = ctypes.create_string_buffer(1 << 20)
    source = Buffer(ctypes.cast(packed, ctypes.c_void_p), len(packed), 0)
    text = bytearray()
    full = True
    while source.at < source.size or full:
        target = Buffer(ctypes.cast(room, ctypes.c_void_p), len(room), 0)
        left = zstd.ZSTD_decompressStream(stream, ctypes.byref(target), ctypes.byref(source))
        assert not zstd.ZSTD_isError(ctypes.c_size_t(left))
        text += room[:target.at]
        full = target.at == target.size
    zstd.ZSTD_freeDStream(stream)
    return text.decode()
