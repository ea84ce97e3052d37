"""Messages between the server, the spawner and what it spawns: a JSON object and descriptors in one packet of a
SOCK_SEQPACKET unix socket."""

import json
import os
import socket
from collections.abc import Sequence
from typing import Any

BYTES_MAX = 192 * 1024
DESCRIPTORS_MAX = 64
_INT_BYTES = 4

Message = dict[str, Any]


class MessageTooLargeError(Exception):
    """A message for a sandbox is larger than 192 KiB or carries more than 64 descriptors."""


def socket_pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(to: socket.socket, message: Message, descriptors: Sequence[int] = ()) -> None:
    data = json.dumps(message).encode()
    if len(data) > BYTES_MAX or len(descriptors) > DESCRIPTORS_MAX:
        raise MessageTooLargeError(f"{len(data)} bytes, {len(descriptors)} descriptors")
    socket.send_fds(to, [data], list(descriptors))


def tell(to: socket.socket, message: Message, descriptors: Sequence[int] = ()) -> None:
    """Sends it, if the other end is open: else nobody wants to know."""
    try:
        send(to, message, descriptors)
    except OSError:
        return


def receive(source: socket.socket) -> tuple[Message, list[int]] | None:
    """None when the other end is closed. Descriptors arrive close-on-exec."""
    # Asked for first: room for the largest would be mapped and unmapped for each.
    # Not socket.recv_fds: in Python 3.11 it drops its flags, and with them close-on-exec.
    try:
        length = source.recv_into(bytearray(1), 1, socket.MSG_PEEK | socket.MSG_TRUNC)
        data, ancillary, flags, _ = source.recvmsg(
            min(length, BYTES_MAX) + 1, socket.CMSG_LEN(DESCRIPTORS_MAX * _INT_BYTES), socket.MSG_CMSG_CLOEXEC
        )
    except ConnectionResetError:
        return None
    descriptors: list[int] = []
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors += memoryview(content[: len(content) - len(content) % _INT_BYTES]).cast("i")
    if not data:
        return None
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        for descriptor in descriptors:
            os.close(descriptor)
        raise MessageTooLargeError("a message arrived cut off")
    message: Message = json.loads(data)
    return message, descriptors
