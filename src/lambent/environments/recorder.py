"""The log of one environment: platform lines and output in one stream, and the tail of the current invocation."""

from datetime import UTC, datetime

from lambent.base.clock import Clock
from lambent.base.ids import new_token
from lambent.environments.log_delivery import LogDelivery, LogStream
from lambent.model.function import FunctionVersion

TAIL_BYTES = 4096


class Recorder:
    def __init__(self, stream: LogStream, clock: Clock) -> None:
        self._stream = stream
        self._now = clock.now
        self._tail: bytearray | None = None

    @classmethod
    def of_version(cls, version: FunctionVersion, logs: LogDelivery, clock: Clock) -> "Recorder":
        """A new stream in the function's log group, named as AWS names it: 2026/11/20/[$LATEST]0123…"""
        function, group = version.function, version.logging.log_group
        day = datetime.fromtimestamp(clock.now(), UTC).strftime("%Y/%m/%d")
        # In a group that functions may share, the stream's name says whose it is.
        owner = "" if group == f"/aws/lambda/{function.name}" else function.name
        name = f"{day}/{owner}[{version.version}]{new_token(32)}"
        return cls(logs.stream(function.account_id, function.region, group, name), clock)

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
