"""What an environment finds inside: how the listeners in its own network are served."""

import socket
from collections.abc import Mapping

from lambent.environments.blank import Handler
from lambent.environments.runtime_api import is_streamed_response
from lambent.http.limits import MIB, Limits
from lambent.http.listener import HttpListener
from lambent.wire.streams import is_streamed

_RUNTIME_API_LIMITS = Limits(
    body_bytes_max=64 * MIB,  # a response that is too large is answered as such, not cut off
    head_seconds=3600.0,
    body_seconds=3600.0,
    idle_seconds=86_400.0,  # between two invocations a runtime client is frozen
    write_seconds=3600.0,
    # Whoever is inside may use up its own, and no more of the server.
    connections_max=128,
    held_bytes_max=128 * MIB,
)


def _streamed_inside(method: str, target: str, headers: Mapping[str, str]) -> bool:
    return is_streamed_response(method, target, headers) or is_streamed(method, target, headers)


async def serve_inside(sock: socket.socket, handler: Handler) -> HttpListener:
    """Listens inside a sandbox."""
    listener = HttpListener(handler, limits=_RUNTIME_API_LIMITS, streams=_streamed_inside)
    await listener.start_on(sock)
    return listener
