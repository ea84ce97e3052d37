"""The log of one environment: platform lines and output in one stream, and the tail of the current invocation."""

from lambent.base.clock import Clock
from lambent.environments.log_delivery import LogStream

TAIL_BYTES = 4096


class Recorder:
    def __init__(self, stream: LogStream, clock: Clock) -> None:
        self._stream = stream
        self._now = clock.now
        self._tail: bytearray | None = None

    @property
    def stream_name(self) -> str:
        return self._stream.name

    def emit(self, message: str, at_ms: int | None = None) -> None:
        """One event. Empty text is no event."""
        if not message:
            return
        self._stream.write(message, int(self._now() * 1000) if at_ms is None else at_ms)
        if self._tail is not None:
            self._tail += message.encode()
            if not message.endswith("\n"):
                self._tail += b"\n"
            if len(self._tail) > 16 * TAIL_BYTES:
                del self._tail[:-TAIL_BYTES]

    def begin_tail(self) -> None:
        self._tail = bytearray()

    def end_tail(self) -> bytes:
        """The last 4 KB since `begin_tail`; b"" where it was not asked for."""
        if self._tail is None:
            return b""
        tail, self._tail = bytes(self._tail[-TAIL_BYTES:]), None
        return tail
