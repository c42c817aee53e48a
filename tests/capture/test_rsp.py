# SPDX-License-Identifier: GPL-2.0-only
"""Packets of the remote serial protocol."""

import socket

import pytest

from fh_capture import CaptureError, rsp


def test_a_packet_has_the_checksum_of_its_body():
    assert rsp.frame(b"OK") == b"$OK#9a"
    assert rsp.frame(b"") == b"$#00"


def test_special_bytes_are_escaped_in_a_packet():
    assert rsp.frame(b"a#b") == b"$a}\x03b#%02x" % ((0x61 + 0x7D + 3 + 0x62) & 0xFF)
    assert rsp.escape(b"$}*") == b"}\x04}\x5d}\x0a"


def test_escapes_and_run_lengths_are_taken_out():
    assert rsp.unescape(b"a}\x03b") == b"a#b"
    assert rsp.unescape(b"0* ") == b"0000"
    assert rsp.unescape(b"xy*!") == b"xyyyyy"


def test_what_is_escaped_comes_back():
    everything = bytes(range(256))
    assert rsp.unescape(rsp.escape(everything)) == everything


@pytest.mark.parametrize("body", [b"a}", b"a*", b"*!", b"a*\x1e"])
def test_a_malformed_body_is_refused(body):
    with pytest.raises(CaptureError):
        rsp.unescape(body)


def test_packets_are_taken_one_by_one_and_acknowledgements_passed_over():
    buffer = bytearray(b"++$OK#9a+$E01#a6$cut#")
    assert rsp.take_packet(buffer) == b"OK"
    assert rsp.take_packet(buffer) == b"E01"
    assert rsp.take_packet(buffer) is None
    buffer += b"4c"
    assert rsp.take_packet(buffer) == b"cut"
    assert buffer == b""


@pytest.mark.parametrize("data", [b"$OK#9b", b"$OK#zz", b"-$OK#9a", b"-"])
def test_a_wrong_checksum_and_a_refusal_are_errors(data):
    with pytest.raises(CaptureError):
        rsp.take_packet(bytearray(data))


def test_a_minus_inside_a_packet_is_no_refusal():
    assert rsp.take_packet(bytearray(rsp.frame(b"a-b"))) == b"a-b"


def test_a_stop_names_its_thread():
    stop = rsp.Stop(b"T05hwatch:1;thread:p01.02;")
    assert (stop.signal, stop.thread) == (5, "p01.02")
    assert rsp.Stop(b"S02").thread is None
    with pytest.raises(CaptureError):
        rsp.Stop(b"OK")


def test_a_stub_that_left_with_a_word_has_ended_and_one_without_is_gone():
    for last_words, error in ((b"+$T05thread:01;#07$W00#b7", rsp.TargetEnded), (b"", rsp.StubGone)):
        ours, theirs = socket.socketpair()
        theirs.sendall(last_words)
        theirs.close()
        with pytest.raises(error):
            rsp.Client(ours, 1).request(b"p0")
        ours.close()


@pytest.mark.parametrize("address", ["nowhere", "localhost:", "localhost:x", "localhost:70000"])
def test_an_address_is_a_host_and_port_or_a_path(address):
    with pytest.raises(CaptureError, match="not HOST:PORT"):
        rsp.open_socket(address)
