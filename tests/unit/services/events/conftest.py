import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from memory_records import MemoryArchive, MemoryDeliveries, MemoryRecords
from noted_metrics import NotedMetrics

from lambent.services.events import Events, Stores, events

Call = Callable[..., Awaitable[dict[str, Any]]]


async def nothing(*arguments: Any, **named: Any) -> Any:
    raise AssertionError("nobody is called")


async def passed(*arguments: Any) -> None:
    return None


@pytest.fixture
def stores() -> Stores:
    deliveries = MemoryDeliveries()
    kinds = ("buses", "rules", "archives", "replays", "connections", "api_destinations")
    records = {kind: MemoryRecords(deliveries) for kind in kinds}
    return Stores(archived_events=MemoryArchive(), deliveries=deliveries, **records)


@pytest.fixture
def made(stores, clock) -> Events:
    return events(
        stores,
        clock=clock,
        client=nothing,
        roles=nothing,
        pass_role=passed,
        metrics=NotedMetrics(),
        connection_key=b"k" * 32,
    )


@pytest.fixture
def call(made, root) -> Call:
    """Calls an operation as the account's root: `await call("PutRule", Name="x", …)`."""

    async def call(operation: str, **parameters: Any) -> dict[str, Any]:
        return await made.service.operations[operation](root, parameters)

    return call
