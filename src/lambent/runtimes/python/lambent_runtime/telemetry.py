"""The telemetry pipe: one frame for each log event, so that an event may have several lines.

The format is that of AWS's runtime clients; docs/internals/channel.md has it too.
"""

import _thread
import io
import os
import struct
import time

from .channel import write_all

TEXT = 0xA55A0003
JSON = 0xA55A0002

_FRAME = struct.Struct(">IIQ")
_LINE_BYTES_MOST = 1 << 18
"""A longer line is sent in pieces: 256 KB is the most that a log event holds."""


def frame_type(base: int, level: int) -> int:
    """`base` with a level of the logging module (DEBUG 10 … CRITICAL 50) in it; below DEBUG there is none."""
    step = min(50, max(0, level)) // 10
    return base | (step + 1) << 2 if step else base


class Telemetry:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._renew_lock()
        if hasattr(os, "register_at_fork"):  # 3.7
            os.register_at_fork(after_in_child=self._renew_lock)

    def reopen(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def _renew_lock(self) -> None:
        # A pipe keeps only writes of up to 4 KB whole. Re-entrant for the sake of signal handlers that log.
        self._lock = _thread.RLock()

    def log(self, message: str, frame_type: int = TEXT) -> None:
        self.log_bytes([message.encode("utf-8", "backslashreplace")], frame_type)

    def log_bytes(self, events: "list[bytes]", frame_type: int = TEXT) -> None:
        now = int(time.time() * 1000000)
        parts = []
        for event in events:
            parts.append(_FRAME.pack(frame_type, len(event), now))
            parts.append(event)
        with self._lock:
            write_all(self._descriptor, [b"".join(parts)])


class LineStream(io.BufferedIOBase):
    """The binary stream below sys.stdout or sys.stderr: each complete line becomes a log event."""

    def __init__(self, telemetry: Telemetry, descriptor: int) -> None:
        self._telemetry = telemetry
        self._descriptor = descriptor
        self._rest = b""

    def write(self, data: bytes) -> int:  # type: ignore[override]
        received = bytes(data)
        text = self._rest + received
        end = text.rfind(b"\n") + 1
        self._rest = text[end:]
        if end:
            lines = text[: end - 1].split(b"\n")
            self._telemetry.log_bytes([piece for line in lines for piece in _pieces(line + b"\n")])
        if len(self._rest) >= _LINE_BYTES_MOST:
            self.end_line()
        return len(received)

    def end_line(self) -> None:
        """Sends a line that was not ended: the invocation is over, or the process."""
        if self._rest:
            rest, self._rest = self._rest, b""
            self._telemetry.log_bytes(_pieces(rest))

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        """What children and C code get that is told to write here: the raw pipe, which is cut into lines as well."""
        return self._descriptor


def _pieces(line: bytes) -> "list[bytes]":
    if len(line) <= _LINE_BYTES_MOST:
        return [line]
    return [line[start : start + _LINE_BYTES_MOST] for start in range(0, len(line), _LINE_BYTES_MOST)]


class StandardStream:
    """sys.stdout or sys.stderr of a handler."""

    def __init__(self, telemetry: Telemetry, descriptor: int) -> None:
        self._lines = LineStream(telemetry, descriptor)
        self.text = io.TextIOWrapper(  # type: ignore[type-var]
            self._lines, "utf-8", "backslashreplace", line_buffering=True
        )

    def flush(self) -> None:
        """Sends everything, also an unfinished line. Handlers may have closed the stream."""
        if not self.text.closed:
            self.text.flush()
            self._lines.end_line()
