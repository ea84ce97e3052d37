"""What goes over a connection between two nodes: a kind, the number of the call it belongs to, a head and a body."""

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

_PREFIX = Struct("!BIII")
_FRAME_BYTES_MOST = 64 * 1024 * 1024
"""Ten times the largest payload: what is longer is no frame."""


class FrameError(Exception):
    """What was read cannot be a frame."""


class Kind(IntEnum):
    """From the node that asks: CALL, LEAVE, PAUSE, RESUME. From the one that is asked: PART, ANSWER, FAILED, REPORT.
    PING from both."""

    CALL = 1
    LEAVE = 2
    PAUSE = 3
    RESUME = 4
    PART = 5
    ANSWER = 6
    FAILED = 7
    """The call was neither run nor refused: the other side has a bug, or does not know such calls."""
    REPORT = 8
    PING = 9


class Frame(NamedTuple):
    kind: int
    call: int
    head: bytes
    body: bytes


def encode(kind: Kind, call: int = 0, head: bytes = b"", body: bytes = b"") -> bytes:
    return b"".join((_PREFIX.pack(kind, call, len(head), len(body)), head, body))


class FrameReader:
    """Takes what arrives, in any pieces."""

    def __init__(self) -> None:
        self._unread = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole now. Raises FrameError."""
        unread = self._unread
        unread += data
        at = 0
        while len(unread) - at >= _PREFIX.size:
            kind, call, head_size, body_size = _PREFIX.unpack_from(unread, at)
            if head_size + body_size > _FRAME_BYTES_MOST:
                raise FrameError(f"a frame of {head_size + body_size} bytes")
            head_at = at + _PREFIX.size
            body_at = head_at + head_size
            end = body_at + body_size
            if len(unread) < end:
                break
            yield Frame(kind, call, bytes(unread[head_at:body_at]), bytes(unread[body_at:end]))
            at = end
        del unread[:at]
