"""Which records of a batch are done, as the function's answer has it. Pure.

With ReportBatchItemFailures the function names those that failed. An answer that AWS cannot read fails the whole batch;
one that names none, is empty or is null makes it a success.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
"""

from collections.abc import Sequence
from typing import Any

import orjson

from lambent.event_sources.source import Record
from lambent.model.invocation import InvocationResult


def done(batch: Sequence[Record], result: InvocationResult, *, reports_failures: bool) -> Sequence[Record]:
    if result.function_error is not None:
        return ()
    if not reports_failures:
        return batch
    failed = failed_items(result.payload)
    if failed is None or not failed.issubset(record.id for record in batch):
        return ()
    return [record for record in batch if record.id not in failed]


def failed_items(answer: bytes) -> frozenset[str] | None:
    """The identifiers that the answer names; None where it cannot be read, and so all failed."""
    try:
        response: Any = orjson.loads(answer) if answer.strip() else None
    except orjson.JSONDecodeError:
        return None
    if not response:
        return frozenset()
    items = response.get("batchItemFailures") if isinstance(response, dict) else response
    if items is None:
        return frozenset()
    return _identifiers(items) if isinstance(response, dict) and isinstance(items, list) else None


def _identifiers(items: list[Any]) -> frozenset[str] | None:
    names: list[str] = []
    for item in items:
        name = item.get("itemIdentifier") if isinstance(item, dict) else None
        if not isinstance(name, str) or not name:
            return None
        names.append(name)
    return frozenset(names)
