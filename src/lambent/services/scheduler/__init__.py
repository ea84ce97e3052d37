"""Amazon EventBridge Scheduler: schedules and their groups, run when their time has come.

A schedule's next time is in the store with it. `runs` makes a delivery of a time that has come, in one transaction with
the next; `courier` makes the schedule's call as a session of its role, with the retries and dead letters of
lambent.targets.

Source: the scheduler service model and https://docs.aws.amazon.com/scheduler/latest/UserGuide/
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from lambent.base.clock import Clock
from lambent.model.caller import Caller, Parameters, PassRole, RoleCallers
from lambent.model.metric import Metrics
from lambent.model.schedule_record import ScheduleGroup, ScheduleRecord
from lambent.model.service import Client, Operation, Service
from lambent.services.scheduler.courier import ScheduleCourier
from lambent.services.scheduler.errors import InternalServerException
from lambent.services.scheduler.groups import Groups
from lambent.services.scheduler.resource_arn import resource_arn
from lambent.services.scheduler.runs import WINDOW_SECONDS_MOST, Runs
from lambent.services.scheduler.schedules import Schedules
from lambent.services.scheduler.targets import Targets
from lambent.services.scheduler.times import next_time
from lambent.store.ports.errors import StoreFullError
from lambent.store.ports.named_records import NamedRecords
from lambent.store.ports.target_deliveries import TargetDeliveryStore
from lambent.targets.timer import Timer
from lambent.targets.worker import DeliveryWorker


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler:
    """The service, and what goes on behind it, by what it does."""

    service: Service
    behind: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]
    once: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]
    """The same, for what only one node of a cluster does."""
    worker: DeliveryWorker
    wakes: Sequence[Callable[[], None]]


def scheduler(
    groups: NamedRecords[ScheduleGroup],
    schedules: NamedRecords[ScheduleRecord],
    deliveries: TargetDeliveryStore,
    *,
    clock: Clock,
    client: Client,
    roles: RoleCallers,
    pass_role: PassRole,
    metrics: Metrics,
    owner: str = "local",
    retry_seconds: float = 1.0,
) -> Scheduler:
    """`owner` names this node in its claims, `retry_seconds` is the delay before the first retry of a delivery."""
    courier = ScheduleCourier(client, roles, metrics)
    worker = DeliveryWorker(
        "scheduler",
        deliveries,
        courier,
        clock,
        base_seconds=retry_seconds,
        owner=owner,
        ahead_seconds=WINDOW_SECONDS_MOST,
    )
    timer = Timer(schedules, Runs(schedules, worker, clock).fire, next_time, clock)
    group = Groups(groups, schedules, clock)
    operations: dict[str, Operation] = {
        **group.operations(),
        **Schedules(schedules, group, Targets(client), roles, pass_role, clock, timer.wake).operations(),
    }
    service = Service(
        name="scheduler",
        operations={name: _with_full_store(operation) for name, operation in operations.items()},
        resource_arn=resource_arn,
    )
    return Scheduler(
        service=service,
        behind={"deliver for schedules": worker.run},
        once={"run schedules": timer.run},
        worker=worker,
        wakes=(worker.wake, timer.wake),
    )


def _with_full_store(operation: Operation) -> Operation:
    """Says a full disk in a way that the service model knows."""

    @wraps(operation)
    async def guarded(caller: Caller, parameters: Parameters) -> Parameters:
        try:
            return await operation(caller, parameters)
        except StoreFullError as error:
            raise InternalServerException(
                "Unexpected error encountered while processing the request."
            ) from error

    return guarded
