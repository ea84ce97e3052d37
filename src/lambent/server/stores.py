"""What this server remembers, and where its code lies: every store on the one database, opened with it."""

import asyncio
import logging

from lambent.artifacts.errors import ArtifactError
from lambent.artifacts.images.store import ImageStore
from lambent.artifacts.store import ArtifactStore
from lambent.base.clock import Clock
from lambent.config import Settings
from lambent.invoke.directory import Directory
from lambent.invoke.event_invoke_configs import KnownEventInvokeConfigs
from lambent.model.iam_account import AccessKeyUse, IamAccount
from lambent.model.log_delivery_destination import LogDeliveryDestination
from lambent.model.log_query import LogQuery, QueryDefinition, QueryPage
from lambent.model.log_resource_policy import LogResourcePolicy
from lambent.model.metric_filter import MetricFilter
from lambent.model.oidc import OidcProvider
from lambent.model.subscription_filter import SubscriptionFilter
from lambent.model.user import Group, InstanceProfile, User
from lambent.services import iam
from lambent.services.cloudwatch import Recorder
from lambent.services.logs.fed_store import FedLogStore
from lambent.services.logs.feed import LocalFeed
from lambent.services.logs.insights.queries import Queries
from lambent.services.logs.measuring import LogMeasuring
from lambent.services.logs.metric_filters.known import KnownMetricFilters
from lambent.services.logs.subscriptions.forwarding import Forwarding
from lambent.services.logs.subscriptions.known import KnownSubscriptions
from lambent.store.ports.errors import StoreError
from lambent.store.sql.concurrency import SqlConcurrencyStore
from lambent.store.sql.database import Database
from lambent.store.sql.durable_executions import SqlDurableExecutionStore
from lambent.store.sql.event_invocations import SqlEventInvocationStore
from lambent.store.sql.event_invoke_configs import SqlEventInvokeConfigStore
from lambent.store.sql.event_source_mappings import SqlEventSourceMappingStore
from lambent.store.sql.function_urls import SqlFunctionUrlStore
from lambent.store.sql.functions import SqlFunctionStore
from lambent.store.sql.layers import SqlLayerStore
from lambent.store.sql.logs import SqlLogStore
from lambent.store.sql.metrics import SqlMetricStore
from lambent.store.sql.named_records import SqlNamedRecords
from lambent.store.sql.roles import SqlRoleStore
from lambent.store.sql.target_deliveries import SqlTargetDeliveryStore

log = logging.getLogger(__name__)

_SWEEP_SECONDS = 3600.0
_MAINTAIN_SECONDS = 1.0


class Stores:
    def __init__(self, settings: Settings, database: Database, clock: Clock, node_id: str) -> None:
        self.database = database
        self.metrics = Recorder(SqlMetricStore(database), clock)
        self.metric_filters = KnownMetricFilters(
            SqlNamedRecords(database, "metric filter", MetricFilter, noted=True)
        )
        self.log_measuring = LogMeasuring(self.metric_filters, self.metrics, clock)
        self.subscriptions = KnownSubscriptions(
            SqlNamedRecords(database, "subscription filter", SubscriptionFilter, noted=True)
        )
        self.log_policies = SqlNamedRecords(database, "log resource policy", LogResourcePolicy)
        self.target_deliveries = SqlTargetDeliveryStore(database)
        self.log_forwarding = Forwarding(self.subscriptions, self.target_deliveries, clock)
        self.feed = LocalFeed()
        self.logs = FedLogStore(SqlLogStore(database), self.feed, self.log_measuring, self.log_forwarding)
        self.log_queries = Queries(
            SqlNamedRecords(database, "log query", LogQuery),
            SqlNamedRecords(database, "log query page", QueryPage),
            self.logs,
            clock,
        )
        self.log_query_definitions = SqlNamedRecords(database, "log query definition", QueryDefinition)
        self.log_delivery_destinations = SqlNamedRecords(
            database, "log delivery destination", LogDeliveryDestination
        )
        self.roles = SqlRoleStore(database)
        self.people = iam.Stores(
            users=SqlNamedRecords(database, "iam user", User, noted=True),
            groups=SqlNamedRecords(database, "iam group", Group, noted=True),
            instance_profiles=SqlNamedRecords(database, "instance profile", InstanceProfile),
            accounts=SqlNamedRecords(database, "iam account", IamAccount),
            providers=SqlNamedRecords(database, "oidc provider", OidcProvider),
            key_uses=SqlNamedRecords(database, "access key use", AccessKeyUse),
        )
        self.layers = SqlLayerStore(database)
        self.concurrency = SqlConcurrencyStore(database)
        self.event_configs = KnownEventInvokeConfigs(SqlEventInvokeConfigStore(database))
        self.events = SqlEventInvocationStore(database)
        self.durable = SqlDurableExecutionStore(database)
        self.directory = Directory(SqlFunctionStore(database))
        self.function_urls = SqlFunctionUrlStore(database)
        self.mappings = SqlEventSourceMappingStore(database)
        self.artifacts = ArtifactStore(
            settings.data_dir / "artifacts", shared=settings.shared_dir, node=node_id
        )
        self.images = ImageStore(settings.data_dir / "images")

    async def sweep_code(self) -> None:
        """Code goes when no function and no layer refers to it any more, an hour later at the earliest."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            try:
                removed = await self.artifacts.sweep(self._uses) + await self.images.sweep(self._uses)
            except (ArtifactError, StoreError, OSError):
                log.exception("unused deployment packages were not removed; next attempt in an hour")
                continue
            if removed:
                log.info("%d deployment packages and images that nothing used were removed", removed)

    async def maintain(self) -> None:
        while True:
            await asyncio.sleep(_MAINTAIN_SECONDS)
            try:
                await self.database.maintain()
            except StoreError as error:
                log.warning("the database's tables could not be maintained: %s; next attempt soon", error)

    async def _uses(self, digest: str) -> bool:
        return await self.directory.uses_code(digest) or await self.layers.uses_code(digest)
