"""What a handler finds in the logging module: a handler on the root logger, in the function's log format.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
"""

import json
import logging
import time
import traceback

from . import telemetry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .telemetry import Telemetry

_TEXT_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"

# The attributes of every record. What else a record has was passed as `extra`.
_STANDARD_FIELDS = {
    *logging.LogRecord("", 0, "", 0, "", (), None).__dict__,
    "aws_request_id",
    "tenant_id",
    "message",
    "asctime",
    "taskName",
    "_frame_type",
}


class CurrentInvocation(logging.Filter):
    """Lets every record through, and tells it which invocation it belongs to."""

    request_id = ""
    tenant_id: "str | None" = None

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.request_id
        record.tenant_id = self.tenant_id
        return True


class LambdaLoggerHandler(logging.Handler):
    """Has the name and the attribute that libraries look for. As on AWS, a record that cannot be formatted raises in
    the code that logged it."""

    def __init__(self, log_sink: "Telemetry", base: int, levels: bool) -> None:
        super().__init__()
        self.log_sink = log_sink
        self._base = base
        self._levels = levels

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelno if self._levels else 0
        self.log_sink.log(self.format(record), telemetry.frame_type(self._base, level))


class JsonFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__(datefmt="%Y-%m-%dT%H:%M:%SZ")

    def format(self, record: logging.LogRecord) -> str:
        level = min(50, max(0, record.levelno)) // 10 * 10
        whole = isinstance(record.msg, dict) and not record.args
        fields: dict[str, Any] = {
            "timestamp": self.formatTime(record, self.datefmt),
            "level": logging.getLevelName(level),
            "message": record.msg if whole else record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[0] is not None:
            fields["stackTrace"] = traceback.format_tb(record.exc_info[2])
            fields["errorType"] = record.exc_info[0].__name__
            fields["errorMessage"] = str(record.exc_info[1])
        fields["requestId"] = getattr(record, "aws_request_id", None)
        if record.exc_info:
            fields["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
        fields["tenantId"] = getattr(record, "tenant_id", None)
        for name, value in record.__dict__.items():
            if name not in _STANDARD_FIELDS and name not in fields:
                fields[name] = value
        present = {name: value for name, value in fields.items() if value is not None}
        return json.dumps(present, ensure_ascii=False, default=str) + "\n"


def set_up_logging(sink: "Telemetry", as_json: bool, level: str) -> CurrentInvocation:
    """`level` is AWS's word for it (TRACE … FATAL), or "" for the logging module's own default."""
    logging.Formatter.converter = time.gmtime
    base = telemetry.JSON if as_json else telemetry.TEXT
    handler = LambdaLoggerHandler(sink, base, levels=as_json or bool(level))
    if as_json:
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter(_TEXT_FORMAT, "%Y-%m-%dT%H:%M:%S"))
    invocation = CurrentInvocation()
    handler.addFilter(invocation)
    root = logging.getLogger()
    root.addHandler(handler)
    name = {"TRACE": "DEBUG"}.get(level.upper(), level.upper())
    if isinstance(logging.getLevelName(name), int):
        root.setLevel(name)
    return invocation
