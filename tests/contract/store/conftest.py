"""Every engine, one after the other: a contract test takes `stores` and runs on each."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from postgres_server import PostgresServer

from lambent.base.clock import ManualClock
from lambent.model.event_bus import EventBus
from lambent.store.ports.changes import ChangeStore
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
from lambent.store.ports.nodes import NodeStore
from lambent.store.ports.queue_messages import QueueMessageStore
from lambent.store.ports.queues import QueueStore
from lambent.store.ports.quotas import QuotaStore
from lambent.store.ports.roles import RoleStore
from lambent.store.ports.shared_secrets import SharedSecretStore
from lambent.store.ports.target_deliveries import TargetDeliveryStore
from lambent.store.ports.topic_archives import TopicArchiveStore
from lambent.store.ports.topics import TopicStore
from lambent.store.sql.changes import SqlChangeStore
from lambent.store.sql.code_signing_configs import SqlCodeSigningConfigStore
from lambent.store.sql.concurrency import SqlConcurrencyStore
from lambent.store.sql.database import Database
from lambent.store.sql.event_archives import SqlEventArchiveStore
from lambent.store.sql.event_invocations import SqlEventInvocationStore
from lambent.store.sql.event_invoke_configs import SqlEventInvokeConfigStore
from lambent.store.sql.event_source_mappings import SqlEventSourceMappingStore
from lambent.store.sql.function_policies import SqlFunctionPolicyStore
from lambent.store.sql.function_urls import SqlFunctionUrlStore
from lambent.store.sql.functions import SqlFunctionStore
from lambent.store.sql.layers import SqlLayerStore
from lambent.store.sql.logs import SqlLogStore
from lambent.store.sql.metrics import SqlMetricStore
from lambent.store.sql.named_records import SqlNamedRecords
from lambent.store.sql.nodes import SqlNodeStore
from lambent.store.sql.queue_messages import SqlQueueMessageStore
from lambent.store.sql.queues import SqlQueueStore
from lambent.store.sql.quotas import SqlQuotaStore
from lambent.store.sql.roles import SqlRoleStore
from lambent.store.sql.shared_secrets import SqlSharedSecretStore
from lambent.store.sql.target_deliveries import SqlTargetDeliveryStore
from lambent.store.sql.topic_archives import SqlTopicArchiveStore
from lambent.store.sql.topics import SqlTopicStore
from lambent.store.sqlite.database import SqliteDatabase


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
    noted_buses: NamedRecords[EventBus]
    event_archives: EventArchiveStore
    queues: QueueStore
    queue_messages: QueueMessageStore
    topics: TopicStore
    topic_archives: TopicArchiveStore
    metrics: MetricStore
    nodes: NodeStore
    quotas: QuotaStore
    changes: ChangeStore
    shared_secrets: SharedSecretStore
    clock: ManualClock


@pytest.fixture
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Database]]:
    """Given the name of an engine, an open database of it."""
    with ExitStack() as opened:

        def make(engine: str) -> Database:
            if engine == "postgres":
                server: PostgresServer = request.getfixturevalue("postgres_server")
                database = server.shared
                server.empty()
                return database
            made = SqliteDatabase(tmp_path / "lambent.db")
            made.open()
            opened.callback(made.close)
            return made

        yield make


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, new_database: Callable[[str], Database]) -> Database:
    return new_database(request.param)


@pytest.fixture
def stores(database: Database) -> Stores:
    clock = ManualClock()
    return Stores(
        functions=SqlFunctionStore(database),
        function_policies=SqlFunctionPolicyStore(database),
        function_urls=SqlFunctionUrlStore(database),
        layers=SqlLayerStore(database),
        concurrency=SqlConcurrencyStore(database),
        roles=SqlRoleStore(database),
        event_invocations=SqlEventInvocationStore(database),
        event_invoke_configs=SqlEventInvokeConfigStore(database),
        event_source_mappings=SqlEventSourceMappingStore(database),
        logs=SqlLogStore(database, clock),
        code_signing_configs=SqlCodeSigningConfigStore(database),
        target_deliveries=SqlTargetDeliveryStore(database),
        buses=SqlNamedRecords(database, "bus", EventBus),
        other_buses=SqlNamedRecords(database, "other bus", EventBus),
        noted_buses=SqlNamedRecords(database, "noted bus", EventBus, noted=True),
        event_archives=SqlEventArchiveStore(database),
        queues=SqlQueueStore(database),
        queue_messages=SqlQueueMessageStore(database),
        topics=SqlTopicStore(database),
        topic_archives=SqlTopicArchiveStore(database),
        metrics=SqlMetricStore(database),
        nodes=SqlNodeStore(database),
        quotas=SqlQuotaStore(database),
        changes=SqlChangeStore(database),
        shared_secrets=SqlSharedSecretStore(database),
        clock=clock,
    )
