"""Failures as AWS describes them: the error object that callers get and the event that the log gets."""

import logging
import time
import traceback

from . import telemetry
from .marshal import to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .telemetry import Telemetry

_OWN_FILES = __file__[: __file__.rindex("lambent_runtime")]
_NO_BREAK_SPACE = "\u00a0"  # AWS indents so, because some log viewers cut leading spaces off


class Fault(Exception):  # noqa: N818 - AWS's word
    """A failure that the runtime, not the handler, finds. `error_type` begins with "Runtime."."""

    def __init__(self, error_type: str, message: str, stack_trace: "list[str] | None" = None) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.stack_trace = stack_trace or []


def error_object(error: BaseException, request_id: str = "") -> "dict[str, Any]":
    """The error object of AWS's Python runtimes."""
    if isinstance(error, Fault):
        message, error_type, stack_trace = error.message, error.error_type, error.stack_trace
    else:
        message, error_type, stack_trace = str(error), type(error).__name__, _stack_trace(error)
    return {
        "errorMessage": message,
        "errorType": error_type,
        "requestId": request_id,
        "stackTrace": stack_trace,
    }


def _stack_trace(error: BaseException) -> "list[str]":
    """From the first frame that is not ours. Without the markers below a line that newer Pythons add: AWS has none."""
    frames = traceback.extract_tb(error.__traceback__)
    start = 0
    while start < len(frames) and frames[start].filename.startswith(_OWN_FILES):
        start += 1
    plain = [(frame.filename, frame.lineno or 0, frame.name, frame.line) for frame in frames[start:]]
    return traceback.format_list(plain)


def log_error(sink: "Telemetry", error: "dict[str, Any]", as_json: bool) -> None:
    if as_json:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        record = {"timestamp": stamp, "level": "ERROR"}
        record.update(error)
        sink.log(to_json(record), telemetry.frame_type(telemetry.JSON, 40))
    else:
        sink.log(_text(error), telemetry.frame_type(telemetry.TEXT, 40))


def _text(error: "dict[str, Any]") -> str:
    heading = ": ".join(part for part in (error["errorType"], error["errorMessage"]) if part)
    lines = ["[ERROR] " + heading, "Traceback (most recent call last):"]
    for element in error["stackTrace"]:
        for line in element.splitlines():
            code = line.lstrip(" ")
            lines.append(_NO_BREAK_SPACE * (len(line) - len(code)) + code)
    return "\n".join(lines)


def warn_unhandled() -> None:
    """What AWS logs before the error of a failed Init."""
    logging.warning(
        "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. "
        "If the error came with a change of the runtime version, which the INIT_START log entry shows, "
        "the host's interpreter was updated."
    )
