"""The server's own log, on standard error: for people, or one JSON object a line."""

import json
import logging
import sys
import time
from collections.abc import Callable
from typing import Literal

_QUIET_SECONDS = 60.0


def configure_log(
    level: str,
    form: Literal["text", "json"] | str,
    *,
    outages: tuple[type[Exception], ...] = (),
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Called once, by the process that is the server. Errors of the kinds `outages` come by the hundred while something
    is away, and their traces say nothing: each place tells of one in a minute, in one line."""
    handler = logging.StreamHandler(sys.stderr)
    if outages:
        handler.addFilter(_OncePerOutage(outages, monotonic))
    handler.setFormatter(_JsonFormatter() if form == "json" else _TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


class _OncePerOutage(logging.Filter):
    def __init__(self, kinds: tuple[type[Exception], ...], monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._kinds = kinds
        self._monotonic = monotonic
        self._told: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, self._kinds):
            return True
        place, now = (record.name, record.msg), self._monotonic()
        if now - self._told.get(place, -_QUIET_SECONDS) < _QUIET_SECONDS:
            return False
        self._told[place] = now
        record.msg = f"{record.getMessage()}: {error} (others like it are left out for a minute)"
        record.args, record.exc_info = (), None
        return True


class _TextFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")


class _JsonFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)
