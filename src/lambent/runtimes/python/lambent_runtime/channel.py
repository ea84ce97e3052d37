"""Frames on the socket to the server: docs/internals/channel.md."""

import os
import struct

INIT, INVOKE, SNAPSHOT, RESTORE = 1, 2, 3, 4
READY, INITIALIZED, INIT_FAILED, RESULT, FAILED = 16, 17, 18, 19, 20

_HEADER = struct.Struct("<BIII")
_READ_BYTES = 1 << 16
_OUT_OF_REACH = 1000


class ChannelClosed(Exception):  # noqa: N818 - an end, not an error
    """The server is gone."""


def move_out_of_reach(descriptor: int, offset: int) -> int:
    """Gives an inherited descriptor a high number that children do not inherit, so that handlers which close or reuse
    the low ones do not hit it. Where the descriptor limit is too low, any other number has to do."""
    try:
        moved = os.dup2(descriptor, _OUT_OF_REACH + offset, inheritable=False)
    except OSError:
        moved = os.dup(descriptor)
    os.close(descriptor)
    # Until 3.7 dup2 returned None.
    return _OUT_OF_REACH + offset if moved is None else moved


def write_all(descriptor: int, parts: "list[bytes]") -> None:
    """Writes all of `parts`, in one system call unless a signal handler or the limit of the kernel cuts it short."""
    written = os.writev(descriptor, parts)
    expected = sum(map(len, parts))
    if written == expected:
        return
    rest = memoryview(b"".join(parts))[written:]
    while rest:
        rest = rest[os.write(descriptor, rest) :]


class Channel:
    def __init__(self, descriptor: int) -> None:
        self.reopen(descriptor)

    def reopen(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._owner = os.getpid()
        self._rest = b""
        self._sequence = 0

    def receive(self) -> "tuple[int, bytes, bytes]":
        """Kind, meta and payload of the next frame. Raises ChannelClosed."""
        data = self._rest or self._read()
        while len(data) < _HEADER.size:
            data += self._read()
        kind, self._sequence, meta_length, payload_length = _HEADER.unpack_from(data)
        start = _HEADER.size + meta_length
        end = start + payload_length
        if len(data) < end:
            data = self._read_until(data, end)
        self._rest = data[end:]
        return kind, data[_HEADER.size : start], data[start:end]

    def send(self, kind: int, meta: bytes = b"", payload: bytes = b"") -> None:
        """A child that a handler forked and that came back here ends instead: the answer is its parent's to give."""
        if os.getpid() != self._owner:
            os._exit(0)
        header = _HEADER.pack(kind, self._sequence, len(meta), len(payload))
        try:
            write_all(self._descriptor, [header, meta, payload])
        except BrokenPipeError:
            raise ChannelClosed from None

    def _read(self) -> bytes:
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except ConnectionResetError:
            raise ChannelClosed from None
        if not data:
            raise ChannelClosed
        return data

    def _read_until(self, data: bytes, length: int) -> bytes:
        parts = [data]
        missing = length - len(data)
        while missing > 0:
            part = self._read()
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)
