"""How functions are invoked: limits, the queue of events, durable executions, and who works them off."""

from lambent.base.clock import Clock, MillisecondClock
from lambent.cluster.placement import Placement
from lambent.config import Settings
from lambent.environments.pools import Pools
from lambent.http.limits import MIB
from lambent.invoke.allotments import Allotments
from lambent.invoke.concurrency import Concurrency
from lambent.invoke.deliveries import Deliveries
from lambent.invoke.durable_announcements import DurableAnnouncements
from lambent.invoke.durable_executions import DurableExecutions
from lambent.invoke.durable_worker import DurableWorker, WorkerRules
from lambent.invoke.event_handling import EventHandling
from lambent.invoke.event_worker import EventQueue, EventWorker
from lambent.invoke.invoke import Invoker
from lambent.invoke.meters import Meters
from lambent.invoke.quotas import Quotas
from lambent.invoke.response_stream import StreamLimits
from lambent.invoke.retries import RetryRules
from lambent.server.chained_invocations import ChainedInvocations
from lambent.server.identity import Identity
from lambent.server.node import ThisNode
from lambent.server.stores import Stores
from lambent.store.sql.quotas import SqlQuotaStore


class Invocation:
    def __init__(
        self,
        settings: Settings,
        stores: Stores,
        identity: Identity,
        pools: Pools,
        clock: Clock,
        node: ThisNode,
    ) -> None:
        node_id = node.membership.me.id
        events = EventQueue(stores.events, stores.metrics)
        shared = settings.database is not None
        self.concurrency = concurrency = Concurrency(settings.account_concurrency, shared=shared)
        placement = Placement(node.membership, "worker")
        self.allotments = Allotments(stores.concurrency, concurrency, stores.directory, pools, placement.here)
        placement.changed = self.allotments.nodes_changed
        self.meters = Meters(stores.metrics, concurrency, pools)
        self.durable = DurableExecutions(stores.durable, MillisecondClock(clock))
        self.invoker = Invoker(
            stores.directory,
            concurrency,
            pools,
            events,
            self.durable,
            clock,
            self.meters,
            StreamLimits(bytes_most=settings.response_stream_mib * MIB),
        )
        handling = EventHandling(
            store=stores.events,
            configs=stores.event_configs,
            directory=stores.directory,
            run=self.invoker.invoke,
            closed=concurrency.closed,
            deliveries=Deliveries(identity.client, identity.role_callers, stores.metrics),
            metrics=stores.metrics,
            clock=clock,
            rules=RetryRules(base_seconds=settings.retry_base_seconds),
            owner=node_id,
        )
        self.event_worker = EventWorker(
            stores.events,
            events,
            handling,
            concurrency.room_for_events,
            clock,
            owner=node_id,
            look_seconds=settings.event_poll_seconds,
        )
        self.quotas: Quotas | None = None
        if shared:
            store = SqlQuotaStore(stores.database)
            self.quotas = Quotas(store, node.membership, clock, concurrency.capacity, self.event_worker.wake)
            node.membership.forgotten.append(self.quotas.forget)
            concurrency.wish = self.quotas.wish
            self.invoker.quotas = self.quotas
        self.durable_worker = DurableWorker(
            self.durable,
            stores.durable,
            self.invoker.invoke,
            ChainedInvocations(stores.directory, identity.role_callers, identity.client),
            DurableAnnouncements(identity.client, stores.metrics),
            MillisecondClock(clock),
            # AWS's first pause is a twelfth of that between the runs of an event.
            WorkerRules(
                backoff_seconds=settings.retry_base_seconds / 12, look_seconds=settings.event_poll_seconds
            ),
        )
