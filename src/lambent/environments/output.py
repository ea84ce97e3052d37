"""What the processes of an environment write: two pipes in, log events out.

One pipe is the standard output and error of every process inside, cut into lines; the other carries the framed records
of runtime clients (docs/internals/channel.md). Both are read as they fill, so that by the time a reply on the channel
is handled, everything written before it has been taken: the event loop calls the readers of one poll before it runs
whoever waits for the reply.
"""

import asyncio
import logging
import os
import struct
from collections.abc import Callable

log = logging.getLogger(__name__)

_READ_BYTES = 1 << 16
_EVENT_BYTES_MOST = 1 << 18
"""CloudWatch's 256 KB for one event; longer lines are cut into several."""

_FRAME = struct.Struct(">II")
_FRAME_MAGIC = 0xA55A_0000
_TIMED = 0x2
"""The lowest two bits of a type say what follows: 1 text, 2 JSON with a time, 3 text with a time."""
_TIMESTAMP = struct.Struct(">Q")

Emit = Callable[[str, int | None], None]
"""Called with the text of one event and its time in epoch milliseconds, where the writer gave one."""


class Output:
    """The read ends of both pipes; `raw_write` and `framed_write` go to the sandbox's process.

    What is written before `emit` is set belongs to no function: it goes to the server's own log."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.emit: Emit = _emit_to_server_log
        self.after_read: Callable[[Output], None] = _go_on
        raw_read, self.raw_write = os.pipe2(os.O_CLOEXEC)
        framed_read, self.framed_write = os.pipe2(os.O_CLOEXEC)
        self._lines = _Lines(self._emit)
        self._beside: _Lines | None = None
        self._beside_write = -1
        self._streams: dict[int, _Lines | _Frames] = {raw_read: self._lines, framed_read: _Frames(self._emit)}
        for descriptor in self._streams:
            os.set_blocking(descriptor, False)
            self._loop.add_reader(descriptor, self._read, descriptor)
        self._paused = False

    def _emit(self, message: str, at_ms: int | None) -> None:
        self.emit(message, at_ms)

    def open_beside(self, emit: Emit) -> int:
        """A third pipe, for those who run beside the runtime: its write end. What they write goes to `emit`."""
        beside_read, self._beside_write = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(beside_read, False)
        self._beside = self._streams[beside_read] = _Lines(emit)
        self._loop.add_reader(beside_read, self._read, beside_read)
        return self._beside_write

    def close_write_ends(self) -> None:
        for descriptor in (self.raw_write, self.framed_write, self._beside_write):
            if descriptor >= 0:
                os.close(descriptor)

    def pause(self) -> None:
        """Stops reading: a process that writes on fills its pipe and waits."""
        if not self._paused:
            self._paused = True
            for descriptor in self._streams:
                self._loop.remove_reader(descriptor)

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            for descriptor in self._streams:
                self._loop.add_reader(descriptor, self._read, descriptor)

    def flush(self) -> None:
        """Emits unfinished lines too: at the end of an invocation, as AWS does. While paused, what the pipes hold is
        read first, so that it comes before the lines of the invocation's end."""
        if self._paused:
            for descriptor in list(self._streams):
                self._read(descriptor)
        self._lines.flush()
        if self._beside is not None:
            self._beside.flush()

    def drain(self) -> None:
        """Reads what is there right now (for an environment that has ended), then flushes."""
        for descriptor in list(self._streams):
            while self._read(descriptor):
                pass
        self.flush()

    def close(self) -> None:
        for descriptor in self._streams:
            self._loop.remove_reader(descriptor)
            os.close(descriptor)
        self._streams.clear()

    def _read(self, descriptor: int) -> bool:
        """Whether there may be more."""
        stream = self._streams.get(descriptor)
        if stream is None:
            return False
        try:
            data = os.read(descriptor, _READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self._loop.remove_reader(descriptor)
            return False
        stream.take(data)
        self.after_read(self)
        return len(data) == _READ_BYTES


class _Lines:
    """Cuts raw output into one event a line."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._rest = b""

    def take(self, data: bytes) -> None:
        data = self._rest + data
        end = data.rfind(b"\n") + 1
        if end:
            for line in data[:end].splitlines(keepends=True):
                _emit_pieces(self._emit, line, None)
        self._rest = data[end:]
        if len(self._rest) >= _EVENT_BYTES_MOST:
            self.flush()

    def flush(self) -> None:
        if self._rest:
            rest, self._rest = self._rest, b""
            _emit_pieces(self._emit, rest, None)


class _Frames:
    """Takes framed records apart: type (4 bytes), length (4), time in microseconds (8, if the type says so), text."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._rest = b""

    def take(self, data: bytes) -> None:
        data = self._rest + data
        while len(data) >= _FRAME.size:
            kind, length = _FRAME.unpack_from(data)
            if kind & 0xFFFF_0000 != _FRAME_MAGIC or length > _EVENT_BYTES_MOST * 64:
                # User code wrote here; what is no frame is shown as the text that it is.
                _emit_pieces(self._emit, data, None)
                data = b""
                break
            start = _FRAME.size
            at_ms = None
            if kind & _TIMED:
                if len(data) < start + _TIMESTAMP.size:
                    break
                at_ms = _TIMESTAMP.unpack_from(data, start)[0] // 1000
                start += _TIMESTAMP.size
            if len(data) < start + length:
                break
            _emit_pieces(self._emit, data[start : start + length], at_ms)
            data = data[start + length :]
        self._rest = (
            data  # a frame that its writer has not finished stays; its writer may be frozen in the middle
        )


def _go_on(output: Output) -> None:
    """A blank's output is not held back."""


def _emit_to_server_log(message: str, at_ms: int | None) -> None:
    log.warning("a blank environment wrote: %s", message.rstrip())


def _emit_pieces(emit: Emit, text: bytes, at_ms: int | None) -> None:
    for start in range(0, len(text), _EVENT_BYTES_MOST):
        emit(text[start : start + _EVENT_BYTES_MOST].decode("utf-8", "replace"), at_ms)
