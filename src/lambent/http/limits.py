"""What one client may take of a listener: bytes, seconds, connections."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes are bytes, times seconds. Times are looked at once a second, so they hold to the second."""

    head_bytes_max: int = MIB
    """Request line and headers together. AWS's number for Lambda is 1 MB."""
    headers_max: int = 1000
    query_parameters_max: int = 1000
    """They are decoded and sorted, all of them, to verify a signature."""
    body_bytes_max: int = 6 * MIB + 100 * 1024
    """A body after this many bytes is not read on. Lambda's synchronous payload is 6 MB."""
    streamed_bytes_min: int = 256 * 1024
    """Bodies of this size and more are handed on as they arrive, where the listener is told to (`streams`)."""
    streamed_bytes_max: int = 6 * 1024 * MIB
    """A streamed body after this many bytes is not read on. S3's objects have 5 GiB in one piece, and their framing."""
    head_seconds: float = 30.0
    """From the first byte of a request to the end of its headers."""
    body_seconds: float = 30.0
    """How far a body may fall behind …"""
    body_bytes_per_second_min: int = 4096
    """… this rate. What came faster before is no credit: a body that was nearly there is not waited for any longer."""
    idle_seconds: float = 120.0
    """Between two requests of one connection. Longer than the 60 s after which SDKs give up a pooled
    connection."""
    write_seconds: float = 60.0
    """How long a client may take nothing of an answer that waits for it."""
    linger_seconds: float = 2.0
    """How long a refused client is listened to, so that it reads the refusal before the reset."""
    pipelined_max: int = 16
    """Requests read ahead of the one that is being answered."""
    connections_max: int = 10_000
    held_bytes_max: int = 512 * MIB
    """Requests of all connections that are not answered yet, in memory before anybody knows who sends them. Beyond it,
    whoever sends more than …"""
    held_bytes_free: int = 64 * 1024
    """… this much is told to come back later (503); smaller requests go on."""
