import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from memory_records import MemoryDeliveries, MemoryRecords
from noted_metrics import NotedMetrics

from lambent.model.error import AccessDeniedException
from lambent.services.scheduler import Scheduler, scheduler

Call = Callable[..., Awaitable[dict[str, Any]]]


class Roles:
    """model.caller.RoleCallers, of roles that all trust Scheduler but one."""

    async def assume(self, role_arn, service, *, region, session_name, source_arn=None):
        if role_arn.endswith("/untrusting"):
            raise AccessDeniedException("no")
        assert service == "scheduler.amazonaws.com"
        return None


class Client:
    """model.service.Client, which offers everything and is not called."""

    def offers(self, service: str, operation: str) -> bool:
        return True


async def passed(*arguments: Any) -> None:
    return None


@pytest.fixture
def deliveries() -> MemoryDeliveries:
    return MemoryDeliveries()


@pytest.fixture
def schedules(deliveries) -> MemoryRecords:
    return MemoryRecords(deliveries)


@pytest.fixture
def made(deliveries, schedules, clock) -> Scheduler:
    return scheduler(
        MemoryRecords(deliveries),
        schedules,
        deliveries,
        clock=clock,
        client=Client(),
        roles=Roles(),
        pass_role=passed,
        metrics=NotedMetrics(),
    )


@pytest.fixture
def call(made, root) -> Call:
    """Calls an operation as the account's root: `await call("CreateSchedule", Name="x", …)`."""

    async def call(operation: str, **parameters: Any) -> dict[str, Any]:
        return await made.service.operations[operation](root, parameters)

    return call
