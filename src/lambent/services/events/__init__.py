"""Amazon EventBridge: buses, rules and their targets, events, archives and replays, API destinations.

An event that is accepted is matched at once, from memory, and what comes of it is on disk before its sender is
answered; `courier` brings it to targets, with the retries and dead letters of lambent.targets. Operations are grouped
by noun, one module each. Partner event sources, global endpoints and schema discovery are not offered.

Source: the events service model and https://docs.aws.amazon.com/eventbridge/latest/userguide/
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from lambent.base.clock import Clock
from lambent.base.sealing import Sealing
from lambent.http.client import request
from lambent.model.caller import Caller, Parameters, PassRole, RoleCallers
from lambent.model.connection import ApiDestination, Connection
from lambent.model.event_archive import Archive, Replay
from lambent.model.event_bus import EventBus, Rule
from lambent.model.metric import Metrics
from lambent.model.service import Client, Operation, Service
from lambent.services.events.acceptance import Acceptance
from lambent.services.events.api_destinations import ApiDestinations
from lambent.services.events.archives import Archives
from lambent.services.events.authorization import Authorization
from lambent.services.events.buses import Buses
from lambent.services.events.catalog import Catalog
from lambent.services.events.connections import Connections
from lambent.services.events.courier import RuleCourier
from lambent.services.events.errors import InternalException
from lambent.services.events.http_target import HttpTarget
from lambent.services.events.log_target import LogTarget
from lambent.services.events.permissions import Permissions
from lambent.services.events.put_events import PutEvents
from lambent.services.events.replays import Replays
from lambent.services.events.resource_arn import bus_policies, condition_keys, open_to_root, resource_arn
from lambent.services.events.rule_metrics import RuleMetrics
from lambent.services.events.rule_schedules import RuleSchedules
from lambent.services.events.rule_targets import RuleTargets
from lambent.services.events.rules import Rules
from lambent.services.events.tags import Tags
from lambent.store.ports.errors import StoreFullError
from lambent.store.ports.event_archives import EventArchiveStore
from lambent.store.ports.named_records import NamedRecords
from lambent.store.ports.target_deliveries import TargetDeliveryStore
from lambent.targets.worker import DeliveryWorker


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    buses: NamedRecords[EventBus]
    rules: NamedRecords[Rule]
    archives: NamedRecords[Archive]
    archived_events: EventArchiveStore
    replays: NamedRecords[Replay]
    connections: NamedRecords[Connection]
    api_destinations: NamedRecords[ApiDestination]
    deliveries: TargetDeliveryStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """The service, and what goes on behind it, by what it does."""

    service: Service
    behind: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]
    once: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]
    """The same, for what only one node of a cluster does."""
    worker: DeliveryWorker
    catalog: Catalog
    wakes: Sequence[Callable[[], None]]


def events(
    stores: Stores,
    *,
    clock: Clock,
    client: Client,
    roles: RoleCallers,
    pass_role: PassRole,
    metrics: Metrics,
    connection_key: bytes,
    owner: str = "local",
    retry_seconds: float = 1.0,
    settle_seconds: float = 1.0,
) -> Events:
    """`connection_key` (32 bytes) is what connections' secrets are encrypted with, `owner` names this
    node in its claims, `retry_seconds` the delay before the
    first retry of a delivery, `settle_seconds` how long what changes its state shows the first."""
    rule_metrics = RuleMetrics(metrics)
    sealing = Sealing(connection_key)
    authorization = Authorization(sealing, request, clock)
    connections = Connections(stores.connections, sealing, authorization, clock, settle_seconds)
    http = HttpTarget(stores.api_destinations, stores.connections, authorization, request, clock)
    catalog = Catalog(stores.buses, stores.rules, stores.archives, clock)
    courier = RuleCourier(client, roles, LogTarget(client, clock), http, rule_metrics)
    worker = DeliveryWorker(
        "events", stores.deliveries, courier, clock, base_seconds=retry_seconds, owner=owner
    )
    acceptance = Acceptance(
        catalog, stores.deliveries, stores.archived_events, clock, rule_metrics, worker.wake
    )
    schedules = RuleSchedules(catalog, acceptance, clock)
    archives = Archives(catalog, stores.archived_events, clock)
    replays = Replays(
        stores.replays, catalog, archives, stores.archived_events, acceptance, clock, settle_seconds
    )
    operations: dict[str, Operation] = {
        **Buses(catalog, clock).operations(),
        **Permissions(catalog).operations(),
        **Rules(catalog, pass_role, clock, schedules.timer.wake).operations(),
        **RuleTargets(catalog, pass_role).operations(),
        **PutEvents(acceptance, clock, rule_metrics).operations(),
        **Tags(catalog).operations(),
        **archives.operations(),
        **replays.operations(),
        **connections.operations(),
        **ApiDestinations(stores.api_destinations, stores.connections, clock).operations(),
    }
    service = Service(
        name="events",
        operations={name: _with_full_store(operation) for name, operation in operations.items()},
        resource_arn=resource_arn,
        resource_policy=bus_policies(catalog),
        open_to_root=open_to_root(catalog),
        condition_keys=condition_keys,
    )
    once = {
        "fire schedules of rules": schedules.timer.run,
        "replay archived events": replays.timer.run,
        "authorize connections": connections.timer.run,
        "sweep archived events": archives.sweep,
    }
    return Events(
        service=service,
        behind={"deliver events": worker.run},
        once=once,
        worker=worker,
        catalog=catalog,
        wakes=(worker.wake, schedules.timer.wake, replays.timer.wake, connections.timer.wake),
    )


def _with_full_store(operation: Operation) -> Operation:
    """Says a full disk in a way that the service model knows."""

    @wraps(operation)
    async def guarded(caller: Caller, parameters: Parameters) -> Parameters:
        try:
            return await operation(caller, parameters)
        except StoreFullError as error:
            raise InternalException("Service encountered unexpected problem. Please try again.") from error

    return guarded
