"""Fields that are discovered in messages: what JSON says, and what Lambda's own lines do.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from lambent.services.logs.insights.values import Value

FIELDS_MOST = 1000
"""Of one event; AWS's limit."""
_DEPTH_MOST = 50

_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_PLATFORM = re.compile(rf"(?P<type>START|END|REPORT|INIT_START|INIT_REPORT)\b(?: RequestId: (?P<id>{_ID}))?")
_WITH_ID = re.compile(rf"(?:\[\w+\]\t)?\d{{4}}-\d\d-\d\dT[\d:.]+Z\t(?P<id>{_ID})\t")
_MEASURED = re.compile(
    r"(Init Duration|Billed Duration|Duration|Memory Size|Max Memory Used): ([\d.]+) (?:ms|MB)"
)
_TRACED = re.compile(r"XRAY TraceId: (\S+)(?:\tSegmentId: (\S+))?")
_NAMES = {
    "Duration": "@duration",
    "Billed Duration": "@billedDuration",
    "Init Duration": "@initDuration",
    "Memory Size": "@memorySize",
    "Max Memory Used": "@maxMemoryUsed",
}
_MEGABYTE = 1_000_000
_MARKS = ("START", "END", "REPORT", "INIT")
_DECODER = json.JSONDecoder()


def discovered(message: str) -> dict[str, Value]:
    """Of functions' messages, the first JSON object that is in one."""
    found: dict[str, Value] = {}
    if message.startswith(_MARKS):
        found.update(_platform(message))
    elif (line := _WITH_ID.match(message)) is not None:
        found["@requestId"] = line["id"]
    if (brace := message.find("{")) >= 0:
        found.update(_of_json(message, brace))
    return found


def _platform(message: str) -> Iterator[tuple[str, Value]]:
    line = _PLATFORM.match(message)
    if line is None:
        return
    yield "@type", line["type"]
    if line["id"] is not None:
        yield "@requestId", line["id"]
    if line["type"] != "REPORT":
        return
    for name, amount in _MEASURED.findall(message):
        factor = _MEGABYTE if "Memory" in name else 1
        yield _NAMES[name], _written(float(amount) * factor)
    if (traced := _TRACED.search(message)) is not None:
        yield "@xrayTraceId", traced[1]
        if traced[2] is not None:
            yield "@xraySegmentId", traced[2]


def _written(amount: float) -> str:
    """As AWS writes these: 4.0, 1.28E8."""
    if amount < 10_000_000:
        return repr(amount)
    digits = f"{amount:e}"
    mantissa, _, exponent = digits.partition("e")
    mantissa = mantissa.rstrip("0")
    return f"{mantissa}{'0' if mantissa.endswith('.') else ''}E{int(exponent)}"


def _of_json(message: str, brace: int) -> dict[str, Value]:
    try:
        document, _ = _DECODER.raw_decode(message, brace)
    except (ValueError, RecursionError):
        return {}
    found: dict[str, Value] = {}
    for name, value in _flat(document, "", _DEPTH_MOST):
        if len(found) == FIELDS_MOST:
            break
        found[name] = value
    return found


def _flat(document: Any, prefix: str, depth: int) -> Iterator[tuple[str, Value]]:
    """Names are joined by dots; elements of lists have their index for a name."""
    if isinstance(document, dict):
        items: Any = document.items()
    elif isinstance(document, list):
        items = enumerate(document)
    else:
        if document is not None:
            yield prefix, document
        return
    if depth:
        for key, value in items:
            yield from _flat(value, f"{prefix}.{key}" if prefix else str(key), depth - 1)
