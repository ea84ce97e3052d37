"""One server, made of its parts: every implementation that Lambent runs with is chosen here."""

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from lambent.api.chain import Gateway
from lambent.api.client import InProcessClient
from lambent.api.credentials import FirstOf
from lambent.api.dev_credentials import DEV_ACCOUNT_ID, DevCredentials
from lambent.api.errors import refuse
from lambent.api.root_key import RootCredentials, RootKey, load_or_create_root_key
from lambent.artifacts.errors import ArtifactError
from lambent.artifacts.images.store import ImageStore
from lambent.artifacts.store import ArtifactStore
from lambent.base.clock import MillisecondClock, SystemClock
from lambent.base.tasks import Tasks
from lambent.config import Settings, search_path
from lambent.environments.blanks import Blanks
from lambent.environments.log_delivery import LogDelivery
from lambent.environments.occupancy import Surroundings
from lambent.environments.pool import Lifetimes
from lambent.environments.pools import Pools
from lambent.environments.preparation import Preparation
from lambent.environments.snapshots import Snapshots, Template
from lambent.environments.templates import make_template
from lambent.event_sources.reconciler import Reconciler
from lambent.http.client import request as http_request
from lambent.http.limits import MIB, Limits
from lambent.http.listener import HttpListener
from lambent.invoke.allotments import Allotments
from lambent.invoke.concurrency import Concurrency
from lambent.invoke.deliveries import Deliveries
from lambent.invoke.directory import Directory
from lambent.invoke.durable_announcements import DurableAnnouncements
from lambent.invoke.durable_executions import DurableExecutions
from lambent.invoke.durable_worker import DurableWorker, WorkerRules
from lambent.invoke.event_handling import EventHandling
from lambent.invoke.event_invoke_configs import KnownEventInvokeConfigs
from lambent.invoke.event_worker import EventQueue, EventWorker
from lambent.invoke.invoke import Invoker
from lambent.invoke.meters import Meters
from lambent.invoke.response_stream import StreamLimits
from lambent.invoke.retries import RetryRules
from lambent.model.code_signature import CodeSigner
from lambent.model.credential import CredentialSource
from lambent.model.function import FunctionId, FunctionVersion
from lambent.model.metric_filter import MetricFilter
from lambent.model.service import Client, Service
from lambent.runtimes.registry import RuntimeRegistry
from lambent.sandbox.port import SandboxBackend
from lambent.server import adapters
from lambent.server.chained_invocations import ChainedInvocations
from lambent.server.code_store import CodeStoreClient
from lambent.server.data_directory import require_own
from lambent.server.database import choose_database
from lambent.server.descriptors import connections_most
from lambent.server.doorway import Doorway
from lambent.server.event_sources import Runners
from lambent.server.function_images import PulledImages
from lambent.server.function_url_names import HOSTS, FunctionUrlNames, HostsFile, needs_hosts_file
from lambent.server.image_sources import SkopeoSources
from lambent.server.inside import serve_inside
from lambent.server.isolation import choose_backend, images_refusal
from lambent.server.keys import (
    MasterKey,
    load_or_create_account_id,
    load_or_create_master_key,
    load_or_create_node_id,
)
from lambent.server.node import ThisNode
from lambent.server.part import Core, Door
from lambent.server.parts import PARTS
from lambent.server.parts.ecr import DIRECTORY as ECR_DIRECTORY
from lambent.server.parts.signer import CODE_SIGNATURES
from lambent.server.scraping import Scraping, is_scrape
from lambent.server.second_look import with_second_look
from lambent.server.shared_secrets import SharedSecrets
from lambent.server.status import Status, is_status
from lambent.services import iam, lambda_, logs, sts
from lambent.services.cloudwatch import Recorder
from lambent.services.cloudwatch.otlp import OtlpExport
from lambent.services.lambda_ import code_download
from lambent.services.lambda_.function_urls.addresses import is_function_url
from lambent.services.logs.fed_store import FedLogStore
from lambent.services.logs.feed import LocalFeed
from lambent.services.logs.measuring import LogMeasuring
from lambent.services.logs.metric_filters.known import KnownMetricFilters
from lambent.services.logs.retention import Expiry
from lambent.store.directory_lock import DataDirectoryLock
from lambent.store.layer_files import LayerFiles
from lambent.store.ports.errors import StoreError
from lambent.store.sql.code_signing_configs import SqlCodeSigningConfigStore
from lambent.store.sql.concurrency import SqlConcurrencyStore
from lambent.store.sql.durable_executions import SqlDurableExecutionStore
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
from lambent.store.sql.roles import SqlRoleStore
from lambent.store.sql.shared_secrets import SqlSharedSecretStore
from lambent.store.sql.target_deliveries import SqlTargetDeliveryStore
from lambent.wire.streams import is_streamed

log = logging.getLogger(__name__)

_DRAIN_SECONDS = 10.0
_SWEEP_SECONDS = 3600.0


class Server:
    """Everything of one `lambent start`. `open` leaves it serving; `close` leaves nothing behind."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.root_key: RootKey
        self.account_id: str
        self._lock = DataDirectoryLock(settings.data_dir)
        self._tasks = Tasks("server")
        self._inside = Doorway()
        self._opened = AsyncExitStack()

    @property
    def endpoint(self) -> str:
        host, port = self._listener.addresses[0]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def backend(self) -> SandboxBackend:
        return self._backend

    async def open(self) -> None:
        """Raises OSError, StoreError, SandboxError, RootKeyError, KeysError, IsolationUnavailableError: each says what
        to do, and what was opened before is closed again."""
        try:
            await self._open()
        except BaseException:
            await self._opened.aclose()
            raise

    async def _open(self) -> None:
        """What is pushed on `_opened` is closed in the opposite order: the way of a request, from its first step on."""
        opened, data_dir = self._opened, self.settings.data_dir
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        require_own(data_dir)
        self._lock.acquire()
        opened.callback(self._lock.release)
        self._master_key: MasterKey = load_or_create_master_key(data_dir / "master-key")
        self._node_id = self.settings.node_id or load_or_create_node_id(data_dir / "node-id")
        self._clock = SystemClock()
        self._open_stores(data_dir)
        await self._share_secrets(data_dir)
        await self._artifacts.open()
        opened.push_async_callback(self._artifacts.close)
        await self._images.open()
        opened.push_async_callback(self._images.close)
        self._backend = choose_backend(self.settings)
        self._registry = RuntimeRegistry(
            search_path=search_path(),
            home=Path.home(),
            preferred=self.settings.runtime_paths,
            cache=data_dir / "runtimes",
        )
        await asyncio.to_thread(self._registry.discover)
        self._make_data_plane()
        self._make_services()
        await self._start()

    async def _share_secrets(self, data_dir: Path) -> None:
        self._secrets = SharedSecrets(
            SqlSharedSecretStore(self._database),
            self._master_key.derive("shared secrets"),
            data_dir,
            anew=self.settings.replace_secrets,
        )
        root_key, account_id = data_dir / "root-key.json", data_dir / "account-id"
        await self._secrets.settle_file(root_key, lambda: load_or_create_root_key(root_key))
        self.root_key = load_or_create_root_key(root_key)
        if self.settings.account_id:
            self.account_id = self.settings.account_id
        elif self.settings.dev:
            self.account_id = DEV_ACCOUNT_ID
        else:
            await self._secrets.settle_file(account_id, lambda: load_or_create_account_id(account_id))
            self.account_id = load_or_create_account_id(account_id)

    def _open_stores(self, data_dir: Path) -> None:
        self._database = choose_database(self.settings.database, data_dir)
        self._database.open()
        self._opened.callback(self._database.close)
        self._node = ThisNode(self.settings, self._node_id, self._database, self._clock)
        self._metrics = Recorder(SqlMetricStore(self._database), self._clock)
        self._metric_filters = KnownMetricFilters(
            SqlNamedRecords(self._database, "metric filter", MetricFilter, noted=True)
        )
        self._log_measuring = LogMeasuring(self._metric_filters, self._metrics, self._clock)
        self._feed = LocalFeed()
        self._logs = FedLogStore(SqlLogStore(self._database), self._feed, self._log_measuring)
        self._roles = SqlRoleStore(self._database)
        self._layers = SqlLayerStore(self._database)
        self._concurrency_store = SqlConcurrencyStore(self._database)
        self._event_configs = KnownEventInvokeConfigs(SqlEventInvokeConfigStore(self._database))
        self._event_store = SqlEventInvocationStore(self._database)
        self._durable_store = SqlDurableExecutionStore(self._database)
        self._directory = Directory(SqlFunctionStore(self._database))
        self._artifacts = ArtifactStore(
            data_dir / "artifacts", shared=self.settings.shared_dir, node=self._node_id
        )
        self._images = ImageStore(data_dir / "images")

    def _make_data_plane(self) -> None:
        settings = self.settings
        self._sessions = sts.SessionTokens(self._master_key.derive("sessions"), self._clock)
        self._role_checker = iam.RoleChecker(self._roles)
        self._role_callers = adapters.RoleSessions(self._role_checker)
        self._authorizer = iam.Authorizer(self._roles, self._clock)
        self._client = InProcessClient(self._authorizer)
        self._log_delivery = LogDelivery(self._logs, self._clock, settings.log_flush_seconds)
        self._image_sources = SkopeoSources(
            settings.image_sources, settings.image_credentials_file, self._images.temporary
        )
        layers = LayerFiles((settings.shared_dir or settings.data_dir) / ECR_DIRECTORY, self._node_id)
        self._pulled_images = PulledImages(
            self._images, self._client, layers, self._image_sources, images_refusal(self._backend)
        )
        self._preparation = Preparation(self._artifacts, self._pulled_images, self._registry)
        self._blanks = Blanks(self._backend, serve_inside, self._inside, stock=settings.blanks_per_runtime)
        age_most = settings.environment_max_age_seconds
        self._snapshots = Snapshots(self._clock.monotonic, age_most=age_most)
        self._surroundings = surroundings = Surroundings(
            blanks=self._blanks,
            snapshots=self._snapshots,
            make_template=self._make_template,
            # Twice as long as an environment lives, so that they do not run out in the last invocation.
            credentials=adapters.FunctionCredentials(self._role_checker, self._sessions, int(2 * age_most)),
            logs=self._log_delivery,
            reveal=adapters.EncryptedVariables(self._client, self._role_callers),
            clock=self._clock,
            init_timeout_seconds=settings.init_timeout_seconds,
        )
        lifetimes = Lifetimes(
            freeze_after=settings.freeze_after_seconds,
            idle_expiry=settings.idle_expiry_seconds,
            age_most=age_most,
        )
        self._pools = Pools(self._preparation, surroundings, lifetimes)
        self._directory.on_change = self._function_changed
        events = EventQueue(self._event_store, self._metrics)
        concurrency = Concurrency(settings.account_concurrency)
        self._allotments = Allotments(self._concurrency_store, concurrency, self._directory, self._pools)
        self._meters = Meters(self._metrics, concurrency, self._pools)
        self._durable = DurableExecutions(self._durable_store, MillisecondClock(self._clock))
        self._invoker = Invoker(
            self._directory,
            concurrency,
            self._pools,
            events,
            self._durable,
            self._clock,
            self._meters,
            StreamLimits(bytes_most=settings.response_stream_mib * MIB),
        )
        handling = EventHandling(
            store=self._event_store,
            configs=self._event_configs,
            directory=self._directory,
            run=self._invoker.invoke,
            closed=concurrency.closed,
            deliveries=Deliveries(self._client, self._role_callers, self._metrics),
            metrics=self._metrics,
            clock=self._clock,
            rules=RetryRules(base_seconds=settings.retry_base_seconds),
            owner=self._node_id,
        )
        self._event_worker = EventWorker(
            self._event_store,
            events,
            handling,
            concurrency.room_for_events,
            self._clock,
            owner=self._node_id,
            look_seconds=settings.event_poll_seconds,
        )
        self._durable_worker = DurableWorker(
            self._durable,
            self._durable_store,
            self._invoker.invoke,
            ChainedInvocations(self._directory, self._role_callers, self._client),
            DurableAnnouncements(self._client, self._metrics),
            MillisecondClock(self._clock),
            # AWS's first pause is a twelfth of that between the runs of an event.
            WorkerRules(
                backoff_seconds=settings.retry_base_seconds / 12, look_seconds=settings.event_poll_seconds
            ),
        )

    def _function_changed(self, function: FunctionId) -> None:
        self._allotments.function_changed(function)
        self._event_configs.forget(function)
        self._lambda.function_policies.forget(function)
        self._lambda.function_urls.forget(function)
        if self._snapshots.has(function):
            self._tasks.start(
                self._snapshots.review(function, self._directory.get_version), "review snapshots"
            )
        if self._pools.has(function):
            self._tasks.start(self._pools.review(function, self._directory.current_version), "review pools")

    async def _make_template(self, version: FunctionVersion) -> Template:
        return await make_template(version, self._preparation, self._surroundings)

    def _make_services(self) -> None:
        authorizer, client = self._authorizer, self._client
        credentials = FirstOf(RootCredentials(self.root_key, self.account_id), self._sessions)
        core = Core(
            settings=self.settings,
            node_id=self._node_id,
            clock=self._clock,
            data_dir=self.settings.data_dir,
            shared_dir=self.settings.shared_dir or self.settings.data_dir,
            database=self._database,
            client=client,
            pass_role=adapters.PassedRoles(authorizer),
            roles=self._role_callers,
            metrics=self._metrics,
            credentials=credentials,
            secret=self._master_key.derive,
            shared_secret=self._secrets.get,
        )
        mappings = SqlEventSourceMappingStore(self._database)
        runners = Runners(core, self._directory, self._invoker.invoke)
        self._mappings = Reconciler(mappings, runners, self._clock, self._node.mappings)
        function_urls = SqlFunctionUrlStore(self._database)
        domain = self.settings.function_url_domain
        hosts = HostsFile(HOSTS, os.getpid())
        self._function_url_names = FunctionUrlNames(function_urls, domain, hosts)
        self._lambda = lambda_.service(
            functions=self._directory,
            mappings=mappings,
            mapping_changed=self._mappings.wake,
            function_policies=SqlFunctionPolicyStore(self._database),
            function_urls=function_urls,
            layers=self._layers,
            concurrency=self._concurrency_store,
            event_invoke_configs=self._event_configs,
            code_signing_configs=SqlCodeSigningConfigStore(self._database),
            artifacts=self._artifacts,
            images=self._pulled_images,
            image_sources=self._image_sources,
            compiler=adapters.Compiler(self._registry, self._blanks, self._tasks),
            take_snapshot=adapters.SnapshotTaker(self._snapshots, self._make_template),
            runtimes=adapters.Runtimes(
                self._registry, self._clock, refuse_deprecated=self.settings.deprecated_runtimes == "refuse"
            ),
            roles=self._role_checker,
            role_callers=self._role_callers,
            policies=authorizer,
            authorizer=authorizer,
            invoker=self._invoker,
            client=client,
            code_client=self._code_client(client),
            metrics=self._metrics,
            signatures=CodeSigner(self._master_key.derive(CODE_SIGNATURES)),
            allotments=self._allotments,
            durable_executions=self._durable,
            durable_execution_store=self._durable_store,
            clock=self._clock,
            download_secret=self._master_key.derive("code downloads"),
            function_url_domain=domain,
            endpoint=lambda: self.endpoint,
            function_urls_changed=self._function_url_names.refresh,
            settle_seconds=self.settings.state_transition_seconds,
            account_concurrency=self.settings.account_concurrency,
        )
        self._parts = [make(core) for make in PARTS]
        services: list[Service] = [
            self._lambda.service,
            logs.service(self._logs, self._clock, self._feed, self._metric_filters),
            iam.service(self._roles, self._clock, authorizer),
            sts.service(self._roles, self._clock, self._sessions, authorizer, credentials),
            *(
                with_second_look(part.service, self._node.look) if part.reload is not None else part.service
                for part in self._parts
            ),
        ]
        client.offer(services)
        doors = [
            Door(
                opens=lambda request: request.path.startswith(code_download.PATH),
                handler=self._lambda.downloads.download,
            ),
            *(door for part in self._parts for door in part.doors),
        ]
        self._status = Status(
            self._node.membership,
            self._node.store,
            self._event_store,
            SqlTargetDeliveryStore(self._database),
            self._pools.counts,
            self._clock,
        )
        self._scraping = Scraping(self._metrics.totals, self._pools, self._clock)
        outside = DevCredentials(credentials) if self.settings.dev else credentials
        dressers = [part.dress for part in self._parts if part.dress is not None]
        self._outside = Doorway()
        self._outside.open(
            Gateway(services, outside, authorizer, self._clock).handle,
            [
                *doors,
                Door(opens=is_scrape, handler=self._scraping.answer),
                Door(opens=is_status, handler=self._status.answer),
                self._function_url_door(outside),
            ],
            dressers,
        )
        # Functions sign as their role, also where --dev lets everybody else in unsigned.
        self._inside.open(
            Gateway(services, credentials, authorizer, self._clock).handle,
            [*doors, self._function_url_door(credentials)],
            dressers,
        )

    def _function_url_door(self, credentials: CredentialSource) -> Door:
        authenticate = adapters.FunctionUrlCallers(credentials, self._clock)
        door = self._lambda.function_url_door(authenticate=authenticate)
        return Door(opens=is_function_url, handler=door.handle, for_signed=True)

    def _code_client(self, client: Client) -> Client:
        """Where code is read from."""
        settings = self.settings
        if settings.s3_endpoint is None:
            return client
        return CodeStoreClient(client, settings.s3_endpoint, settings.s3_credentials_file, settings.region)

    async def _start(self) -> None:
        opened = self._opened
        await self._node.join()
        opened.push_async_callback(self._node.leave)
        opened.push_async_callback(self._metrics.close)
        opened.push_async_callback(self._log_delivery.flush)
        opened.push_async_callback(self._tasks.close)
        opened.push_async_callback(self._backend.close)
        await self._backend.open()
        opened.push_async_callback(self._blanks.close)
        opened.push_async_callback(self._snapshots.close)
        opened.push_async_callback(self._pools.close)
        await self._metric_filters.open()
        await self._allotments.open()
        opened.push_async_callback(self._allotments.close)
        opened.push_async_callback(self._invoker.close)
        opened.push_async_callback(self._event_worker.close)
        opened.push_async_callback(self._durable_worker.close)
        opened.push_async_callback(self._lambda.activation.close)
        for part in self._parts:
            if part.close is not None:
                opened.push_async_callback(part.close)
            if part.open is not None:
                await part.open()
        await self._lambda.function_policies.open()
        largest = self.settings.max_request_mib * MIB
        limits = Limits(
            body_bytes_max=largest,
            connections_max=connections_most(),
            held_bytes_max=max(Limits().held_bytes_max, 4 * largest),
        )
        self._listener = HttpListener(self._outside, limits=limits, refusal=refuse, streams=_is_streamed)
        await self._listener.start(self.settings.host, self.settings.port)
        opened.push_async_callback(self._listener.close, drain_seconds=_DRAIN_SECONDS)
        for part in self._parts:
            if part.ending is not None:
                opened.callback(part.ending)
        opened.push_async_callback(self._node.close)
        self._tasks.start(self._log_delivery.run(), "deliver logs")
        self._tasks.start(self._pools.run(), "freeze and expire environments")
        if "worker" in self.settings.roles:
            self._tasks.start(self._event_worker.run(), "run event invocations")
        self._tasks.start(self._meters.run(), "measure invocations")
        self._tasks.start(self._log_measuring.run(), "emit default values of metric filters")
        expiry = Expiry(self._logs, self._clock, interval_seconds=self.settings.log_expiry_seconds)
        self._tasks.start(self._sweep_artifacts(), "sweep code that nothing uses")
        if (collector := self.settings.otlp_endpoint) is not None:
            export = OtlpExport(
                self._scraping.read,
                http_request,
                self._clock,
                endpoint=collector,
                interval_seconds=self.settings.otlp_interval_seconds,
            )
            self._tasks.start(export.run(), "push metrics")
        for part in self._parts:
            for name, run in part.behind.items():
                self._tasks.start(run(), name)
        await self._lambda.activation.open()
        opened.push_async_callback(self._mappings.close)
        await self._mappings.open()
        self._take_part(expiry)
        if self.settings.function_url_hosts == "auto" and needs_hosts_file(self.settings.function_url_domain):
            await self._function_url_names.open(self._listener.addresses[0][0])
            opened.push_async_callback(self._function_url_names.close)

    def _take_part(self, expiry: Expiry) -> None:
        """In what the nodes do for each other."""
        node, functions = self._node, self._lambda
        node.membership.state = self._status.of_this_node
        node.membership.lost.append(self._event_worker.node_lost)
        node.membership.listeners.append(self._mappings.review)
        node.membership.lapsed.append(self._mappings.lapsed)
        node.remembers(
            {
                "function": self._changed_elsewhere,
                "account": self._account_changed,
                "metric filter": lambda key: self._metric_filters.open(),
                "mapping": self._mappings.changed,
            },
            self._remember_nothing,
        )
        node.waits((self._event_worker.wake, self._durable.look_again))
        once: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "run durable executions": self._durable_worker.lead,
            "expire logs": expiry.run,
            "settle what nodes left unsettled": functions.activation.adopt,
        }
        for part in self._parts:
            node.remembers(part.changed, part.reload)
            node.waits(part.wakes)
            once.update(part.once)
        node.start(once)

    async def _changed_elsewhere(self, key: str) -> None:
        function = FunctionId(*key.split("/", 2))
        self._directory.forget(function)
        await self._lambda.function_policies.open()
        await self._allotments.refresh(function)
        await self._function_url_names.refresh()

    async def _account_changed(self, account_id: str) -> None:
        self._authorizer.forget(account_id)

    async def _remember_nothing(self) -> None:
        self._directory.forget_all()
        self._event_configs.forget_all()
        self._authorizer.forget_all()
        self._lambda.function_policies.forget_all()
        self._lambda.function_urls.forget_all()
        await self._lambda.function_policies.open()
        await self._allotments.open()
        await self._metric_filters.open()
        await self._function_url_names.refresh()
        await self._mappings.open()

    async def _sweep_artifacts(self) -> None:
        """Code goes when no function and no layer refers to it any more, an hour later at the earliest."""

        async def in_use(digest: str) -> bool:
            return await self._directory.uses_code(digest) or await self._layers.uses_code(digest)

        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            try:
                removed = await self._artifacts.sweep(in_use) + await self._images.sweep(in_use)
            except (ArtifactError, StoreError, OSError):
                log.exception("unused deployment packages were not removed; next attempt in an hour")
                continue
            if removed:
                log.info("%d deployment packages and images that nothing used were removed", removed)

    async def close(self) -> None:
        """Answers what is in progress, then ends every part."""
        await self._opened.aclose()


def _is_streamed(method: str, target: str, headers: Mapping[str, str]) -> bool:
    """For http.reader.Streams."""
    return is_streamed(method, target, headers) or target.startswith("/v2/")
