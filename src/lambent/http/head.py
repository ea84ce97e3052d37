"""The head of a response: status line, headers, framing. Refuses what would let a value become a header of
its own."""

import re
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "date", "keep-alive", "upgrade"})
_REASONS = {status.value: status.phrase for status in HTTPStatus}
_NAMES_MOST = 1000


class ResponseHeaderError(ValueError):
    """A handler's header cannot be sent: not a header name, or a value with a line break or NUL in it."""


class HeadWriter:
    """Renders response heads for one listener; keeps what is the same for many: the date and known header
    names."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._second = -1
        self._date = ""
        self._names: set[str] = set()

    def render(
        self, status: int, headers: Iterable[tuple[str, str]], *, framing: str, closing: bool, http10: bool
    ) -> bytes:
        """`framing` is a whole header line or "". Raises ResponseHeaderError."""
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}\r\n"]
        count = 2
        names = self._names
        for name, value in headers:
            if name not in names and not self._admit(name):
                continue
            lines.append(f"{name}: {value}\r\n")
            count += 1
        lines.append(framing)
        if framing:
            count += 1
        if closing:
            lines.append("connection: close\r\n")
            count += 1
        elif http10:
            lines.append("connection: keep-alive\r\n")
            count += 1
        lines.append(self._date_line())
        count += 1
        head = "".join(lines) + "\r\n"
        # One look at the whole: every line break in it must be one of ours.
        if head.count("\n") != count or head.count("\r") != count or "\0" in head:
            raise ResponseHeaderError("a response header's value contains a line break or NUL")
        try:
            return head.encode("latin-1")
        except UnicodeEncodeError:
            raise ResponseHeaderError("a response header's value is not Latin-1") from None

    def _admit(self, name: str) -> bool:
        """Whether a header goes out as the handler gave it: framing, Date and Connection are the
        connection's."""
        if name.lower() in _FRAMING:
            return False
        if not _TOKEN.fullmatch(name):
            raise ResponseHeaderError(f"not a header name: {name!r}")
        if len(self._names) < _NAMES_MOST:
            self._names.add(name)
        return True

    def _date_line(self) -> str:
        second = int(self._now())
        if second != self._second:
            self._second = second
            self._date = time.strftime("date: %a, %d %b %Y %H:%M:%S GMT\r\n", time.gmtime(second))
        return self._date
