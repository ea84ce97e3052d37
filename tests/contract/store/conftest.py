"""Every engine, one after the other: a contract test takes `stores` and runs on each."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lambent.base.clock import ManualClock
from lambent.model.event_bus import EventBus
from lambent.store.ports.code_signing_configs import CodeSigningConfigStore
from lambent.store.ports.concurrency import ConcurrencyStore
from lambent.store.ports.event_archives import EventArchiveStore
from lambent.store.ports.event_invocations import EventInvocationStore
from lambent.store.ports.event_invoke_configs import EventInvokeConfigStore
from lambent.store.ports.event_source_mappings import EventSourceMappingStore
from lambent.store.ports.function_policies import FunctionPolicyStore
from lambent.store.ports.function_urls import FunctionUrlStore
from lambent.store.ports.functions import FunctionStore
from lambent.store.ports.layers import LayerStore
from lambent.store.ports.logs import LogStore
from lambent.store.ports.metrics import MetricStore
from lambent.store.ports.named_records import NamedRecords
from lambent.store.ports.queue_messages import QueueMessageStore
from lambent.store.ports.queues import QueueStore
from lambent.store.ports.roles import RoleStore
from lambent.store.ports.target_deliveries import TargetDeliveryStore
from lambent.store.ports.topics import TopicStore
from lambent.store.sqlite.code_signing_configs import SqliteCodeSigningConfigStore
from lambent.store.sqlite.concurrency import SqliteConcurrencyStore
from lambent.store.sqlite.database import Database
from lambent.store.sqlite.event_archives import SqliteEventArchiveStore
from lambent.store.sqlite.event_invocations import SqliteEventInvocationStore
from lambent.store.sqlite.event_invoke_configs import SqliteEventInvokeConfigStore
from lambent.store.sqlite.event_source_mappings import SqliteEventSourceMappingStore
from lambent.store.sqlite.function_policies import SqliteFunctionPolicyStore
from lambent.store.sqlite.function_urls import SqliteFunctionUrlStore
from lambent.store.sqlite.functions import SqliteFunctionStore
from lambent.store.sqlite.layers import SqliteLayerStore
from lambent.store.sqlite.logs import SqliteLogStore
from lambent.store.sqlite.metrics import SqliteMetricStore
from lambent.store.sqlite.named_records import SqliteNamedRecords
from lambent.store.sqlite.queue_messages import SqliteQueueMessageStore
from lambent.store.sqlite.queues import SqliteQueueStore
from lambent.store.sqlite.roles import SqliteRoleStore
from lambent.store.sqlite.target_deliveries import SqliteTargetDeliveryStore

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))
from lambent.store.sqlite.topics import SqliteTopicStore


@dataclass(frozen=True)
class Stores:
    functions: FunctionStore
    function_policies: FunctionPolicyStore
    function_urls: FunctionUrlStore
    layers: LayerStore
    concurrency: ConcurrencyStore
    roles: RoleStore
    event_invocations: EventInvocationStore
    event_invoke_configs: EventInvokeConfigStore
    event_source_mappings: EventSourceMappingStore
    logs: LogStore
    code_signing_configs: CodeSigningConfigStore
    target_deliveries: TargetDeliveryStore
    buses: NamedRecords[EventBus]
    other_buses: NamedRecords[EventBus]
    event_archives: EventArchiveStore
    queues: QueueStore
    queue_messages: QueueMessageStore
    topics: TopicStore
    metrics: MetricStore
    clock: ManualClock


@pytest.fixture(params=["sqlite"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    assert request.param == "sqlite"
    clock = ManualClock()
    database = Database(tmp_path / "lambent.db")
    database.open()
    yield Stores(
        functions=SqliteFunctionStore(database),
        function_policies=SqliteFunctionPolicyStore(database),
        function_urls=SqliteFunctionUrlStore(database),
        layers=SqliteLayerStore(database),
        concurrency=SqliteConcurrencyStore(database),
        roles=SqliteRoleStore(database),
        event_invocations=SqliteEventInvocationStore(database),
        event_invoke_configs=SqliteEventInvokeConfigStore(database),
        event_source_mappings=SqliteEventSourceMappingStore(database),
        logs=SqliteLogStore(database, clock),
        code_signing_configs=SqliteCodeSigningConfigStore(database),
        target_deliveries=SqliteTargetDeliveryStore(database),
        buses=SqliteNamedRecords(database, "bus", EventBus),
        other_buses=SqliteNamedRecords(database, "other bus", EventBus),
        event_archives=SqliteEventArchiveStore(database),
        queues=SqliteQueueStore(database),
        queue_messages=SqliteQueueMessageStore(database),
        topics=SqliteTopicStore(database),
        metrics=SqliteMetricStore(database),
        clock=clock,
    )
    database.close()
