import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lambent.base.clock import ManualClock
from lambent.event_sources.source import Record
from lambent.model.event_source_mapping import EventSourceMapping

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def mapping_of() -> Callable[..., EventSourceMapping]:
    def make(uuid: str = "u1", **changes: Any) -> EventSourceMapping:
        settings = {"BatchSize": 10, "MaximumBatchingWindowInSeconds": 0, **changes.pop("settings", {})}
        defaults = {
            "account_id": "123456789012",
            "region": "us-east-1",
            "uuid": uuid,
            "function_name": "f",
            "kind": "sqs",
            "source_arn": "arn:aws:sqs:us-east-1:123456789012:q",
            "settings": settings,
            "state": "Creating",
            "last_modified": 1.0,
            "revision_id": "r1",
        }
        return EventSourceMapping(**(defaults | changes))

    return make


@pytest.fixture
def record_of() -> Callable[..., Record]:
    def make(id: str = "m1", data: str = "x", *, size: int | None = None, **members: Any) -> Record:
        payload = {"messageId": id, "body": data, "attributes": {}, **members}
        return Record(id=id, payload=payload, text=b" " * (size or 20), data=data, handle=id)

    return make
