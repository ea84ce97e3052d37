"""One server, made of its parts: every implementation that Lambent runs with is chosen here."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from lambent.api.chain import Gateway
from lambent.api.credentials import FirstOf
from lambent.api.dev_credentials import DEV_ACCOUNT_ID, DevCredentials
from lambent.api.errors import refuse
from lambent.api.root_key import RootCredentials, RootKey, load_or_create_root_key
from lambent.base.clock import SystemClock
from lambent.base.tasks import Tasks
from lambent.cluster.certificates import new_authority
from lambent.config import Settings, search_path
from lambent.event_sources.reconciler import Reconciler
from lambent.http.client import request as http_request
from lambent.http.limits import MIB, Limits
from lambent.http.listener import HttpListener
from lambent.model.code_signature import CodeSigner
from lambent.model.credential import CredentialSource
from lambent.model.function import FunctionId
from lambent.model.service import Client, Service
from lambent.runtimes.registry import RuntimeRegistry
from lambent.sandbox.port import SandboxBackend
from lambent.server import adapters
from lambent.server.code_store import CodeStoreClient
from lambent.server.data_directory import require_own
from lambent.server.database import choose_database
from lambent.server.descriptors import connections_most
from lambent.server.doorway import Doorway, without_api
from lambent.server.environments import Environments
from lambent.server.event_sources import Runners
from lambent.server.function_url_names import HOSTS, FunctionUrlNames, HostsFile, needs_hosts_file
from lambent.server.identity import Identity
from lambent.server.invocation import Invocation
from lambent.server.isolation import choose_backend
from lambent.server.keys import (
    MasterKey,
    load_or_create_account_id,
    load_or_create_master_key,
    load_or_create_node_id,
)
from lambent.server.node import ThisNode
from lambent.server.node_calls import NODE_AUTHORITY, NodeCalls
from lambent.server.part import Core, Door
from lambent.server.parts import PARTS
from lambent.server.parts.signer import CODE_SIGNATURES
from lambent.server.scraping import Scraping, is_scrape
from lambent.server.second_look import with_second_look
from lambent.server.shared_secrets import SharedSecrets
from lambent.server.status import Status, is_status
from lambent.server.stores import Stores
from lambent.services import iam, lambda_, logs, sts
from lambent.services.cloudwatch.otlp import OtlpExport
from lambent.services.lambda_ import code_download
from lambent.services.lambda_.function_urls.addresses import is_function_url
from lambent.services.logs.retention import Expiry
from lambent.store.directory_lock import DataDirectoryLock
from lambent.store.sql.code_signing_configs import SqlCodeSigningConfigStore
from lambent.store.sql.function_policies import SqlFunctionPolicyStore
from lambent.store.sql.shared_secrets import SqlSharedSecretStore
from lambent.store.sql.target_deliveries import SqlTargetDeliveryStore
from lambent.wire.streams import is_streamed

_DRAIN_SECONDS = 10.0


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
        database = choose_database(self.settings.database, data_dir)
        database.open()
        opened.callback(database.close)
        self._node = ThisNode(self.settings, self._node_id, database, self._clock)
        self._stores = stores = Stores(self.settings, database, self._clock, self._node_id)
        await self._share_secrets(data_dir)
        await stores.artifacts.open()
        opened.push_async_callback(stores.artifacts.close)
        await stores.images.open()
        opened.push_async_callback(stores.images.close)
        self._backend = choose_backend(self.settings)
        self._registry = RuntimeRegistry(
            search_path=search_path(),
            home=Path.home(),
            preferred=self.settings.runtime_paths,
            cache=data_dir / "runtimes",
        )
        await asyncio.to_thread(self._registry.discover)
        self._identity = Identity(stores.roles, stores.people, self._master_key, self._clock)
        self._environments = Environments(
            self.settings,
            stores,
            self._identity,
            self._backend,
            self._registry,
            self._inside,
            self._clock,
            self._node_id,
        )
        self._invocation = Invocation(
            self.settings, stores, self._identity, self._environments.pools, self._clock, self._node
        )
        self._calls: NodeCalls | None = None
        if self.settings.database is not None:
            self._calls = NodeCalls(
                self.settings, self._node, stores.directory, self._invocation, self._environments.pools
            )
        stores.directory.on_change = self._function_changed
        self._make_services()
        await self._start()

    async def _share_secrets(self, data_dir: Path) -> None:
        self._secrets = SharedSecrets(
            SqlSharedSecretStore(self._stores.database),
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

    def _function_changed(self, function: FunctionId) -> None:
        self._invocation.allotments.function_changed(function)
        self._stores.event_configs.forget(function)
        self._lambda.function_policies.forget(function)
        self._lambda.function_urls.forget(function)
        if self._environments.snapshots.has(function):
            self._tasks.start(
                self._environments.snapshots.review(function, self._stores.directory.get_version),
                "review snapshots",
            )
        if self._environments.pools.has(function):
            self._tasks.start(
                self._environments.pools.review(function, self._stores.directory.current_version),
                "review pools",
            )

    def _make_services(self) -> None:
        authorizer, client = self._identity.authorizer, self._identity.client
        credentials = FirstOf(
            RootCredentials(self.root_key, self.account_id), self._identity.users, self._identity.sessions
        )
        core = Core(
            settings=self.settings,
            node_id=self._node_id,
            clock=self._clock,
            data_dir=self.settings.data_dir,
            shared_dir=self.settings.shared_dir or self.settings.data_dir,
            database=self._stores.database,
            client=client,
            pass_role=adapters.PassedRoles(authorizer),
            roles=self._identity.role_callers,
            metrics=self._stores.metrics,
            credentials=credentials,
            secret=self._master_key.derive,
            shared_secret=self._secrets.get,
        )
        mappings = self._stores.mappings
        runners = Runners(core, self._stores.directory, self._invocation.invoker.invoke)
        self._mappings = Reconciler(mappings, runners, self._clock, self._node.mappings)
        function_urls = self._stores.function_urls
        domain = self.settings.function_url_domain
        hosts = HostsFile(HOSTS, os.getpid())
        self._function_url_names = FunctionUrlNames(function_urls, domain, hosts)
        self._lambda = lambda_.service(
            functions=self._stores.directory,
            mappings=mappings,
            mapping_changed=self._mappings.wake,
            function_policies=SqlFunctionPolicyStore(self._stores.database),
            function_urls=function_urls,
            layers=self._stores.layers,
            concurrency=self._stores.concurrency,
            event_invoke_configs=self._stores.event_configs,
            code_signing_configs=SqlCodeSigningConfigStore(self._stores.database),
            artifacts=self._stores.artifacts,
            images=self._environments.images,
            image_sources=self._environments.image_sources,
            compiler=adapters.Compiler(self._registry, self._environments.blanks, self._backend, self._tasks),
            take_snapshot=adapters.SnapshotTaker(
                self._environments.snapshots, self._environments.make_template
            ),
            runtimes=adapters.Runtimes(
                self._registry, self._clock, refuse_deprecated=self.settings.deprecated_runtimes == "refuse"
            ),
            roles=self._identity.role_checker,
            role_callers=self._identity.role_callers,
            policies=authorizer,
            authorizer=authorizer,
            invoker=self._invocation.invoker,
            client=client,
            code_client=self._code_client(client),
            metrics=self._stores.metrics,
            signatures=CodeSigner(self._master_key.derive(CODE_SIGNATURES)),
            allotments=self._invocation.allotments,
            durable_executions=self._invocation.durable,
            durable_execution_store=self._stores.durable,
            clock=self._clock,
            download_secret=self._master_key.derive("code downloads"),
            function_url_domain=domain,
            function_url_permission_alone=self.settings.dev,
            endpoint=lambda: self.endpoint,
            function_urls_changed=self._function_url_names.refresh,
            settle_seconds=self.settings.state_transition_seconds,
            account_concurrency=self.settings.account_concurrency,
        )
        self._parts = [make(core) for make in PARTS]
        services: list[Service] = [
            self._lambda.service,
            logs.service(self._stores.logs, self._clock, self._stores.feed, self._stores.metric_filters),
            iam.service(
                self._stores.roles,
                self._stores.people,
                self._clock,
                authorizer,
                self._identity.users,
                self._identity.access_keys,
            ),
            sts.service(self._stores.roles, self._clock, self._identity.sessions, authorizer, credentials),
            *(
                with_second_look(part.service, self._node) if part.reload is not None else part.service
                for part in self._parts
            ),
        ]
        client.offer(services)
        self._open_doors(services, credentials)

    def _open_doors(self, services: Sequence[Service], credentials: CredentialSource) -> None:
        authorizer = self._identity.authorizer
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
            self._stores.database,
            self._stores.events,
            SqlTargetDeliveryStore(self._stores.database),
            self._environments.pools.counts,
            self._clock,
        )
        self._scraping = Scraping(self._stores.metrics.totals, self._environments.pools, self._clock)
        outside = DevCredentials(credentials) if self.settings.dev else credentials
        dressers = [part.dress for part in self._parts if part.dress is not None]
        of_this_node = [
            Door(opens=is_scrape, handler=self._scraping.answer),
            Door(opens=is_status, handler=self._status.answer),
        ]
        self._outside = Doorway()
        if "api" in self.settings.roles:
            self._outside.open(
                Gateway(services, outside, authorizer, self._clock).handle,
                [*doors, *of_this_node, self._function_url_door(outside)],
                dressers,
            )
        else:
            self._outside.open(without_api, of_this_node, [])
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
        await self._join()
        opened.push_async_callback(self._stores.metrics.close)
        opened.push_async_callback(self._environments.log_delivery.flush)
        opened.push_async_callback(self._tasks.close)
        opened.push_async_callback(self._backend.close)
        await self._backend.open()
        opened.push_async_callback(self._environments.blanks.close)
        opened.push_async_callback(self._environments.snapshots.close)
        opened.push_async_callback(self._environments.pools.close)
        await asyncio.gather(
            self._stores.metric_filters.open(),
            self._identity.users.open(),
            self._invocation.allotments.open(),
        )
        opened.push_async_callback(self._invocation.allotments.close)
        if self._invocation.quotas is not None:
            opened.push_async_callback(self._invocation.quotas.close)
        opened.push_async_callback(self._invocation.invoker.close)
        opened.push_async_callback(self._invocation.event_worker.close)
        opened.push_async_callback(self._invocation.durable_worker.close)
        opened.push_async_callback(self._lambda.activation.close)
        for part in self._parts:
            if part.close is not None:
                opened.push_async_callback(part.close)
            if part.open is not None:
                await part.open()
        await self._lambda.function_policies.open()
        await self._listen()
        for part in self._parts:
            if part.ending is not None:
                opened.callback(part.ending)
        if self._calls is not None:
            opened.callback(self._calls.end)
        opened.push_async_callback(self._node.close)
        self._work_behind()
        await self._lambda.activation.open()
        opened.push_async_callback(self._mappings.close)
        await self._mappings.open()
        expiry = Expiry(self._stores.logs, self._clock, interval_seconds=self.settings.log_expiry_seconds)
        self._take_part(expiry)
        if self.settings.function_url_hosts == "auto" and needs_hosts_file(self.settings.function_url_domain):
            await self._function_url_names.open(self._listener.addresses[0][0])
            opened.push_async_callback(self._function_url_names.close)

    async def _join(self) -> None:
        address = ""
        if self._calls is not None:
            self._opened.push_async_callback(self._calls.close, 0.0)
            address = await self._calls.listen(await self._secrets.get(NODE_AUTHORITY, new_authority))
        await self._node.join(address)
        self._opened.push_async_callback(self._node.leave)

    async def _listen(self) -> None:
        largest = self.settings.max_request_mib * MIB
        limits = Limits(
            body_bytes_max=largest,
            connections_max=connections_most(),
            held_bytes_max=max(Limits().held_bytes_max, 4 * largest),
        )
        if self._calls is not None:
            self._opened.push_async_callback(self._calls.close, _DRAIN_SECONDS)
            self._calls.start()
        self._listener = HttpListener(self._outside, limits=limits, refusal=refuse, streams=_is_streamed)
        await self._listener.start(self.settings.host, self.settings.port)
        self._opened.push_async_callback(self._listener.close, drain_seconds=_DRAIN_SECONDS)

    def _work_behind(self) -> None:
        self._tasks.start(self._environments.log_delivery.run(), "deliver logs")
        self._tasks.start(self._environments.pools.run(), "freeze and expire environments")
        if "worker" in self.settings.roles:
            self._tasks.start(self._invocation.event_worker.run(), "run event invocations")
            if self._invocation.quotas is not None:
                self._tasks.start(self._invocation.quotas.run(), "settle parts of limits")
        self._tasks.start(self._invocation.meters.run(), "measure invocations")
        self._tasks.start(self._stores.log_measuring.run(), "emit default values of metric filters")
        self._tasks.start(self._stores.sweep_code(), "sweep code that nothing uses")
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

    def _take_part(self, expiry: Expiry) -> None:
        """In what the nodes do for each other."""
        node, functions = self._node, self._lambda
        node.membership.state = self._status.of_this_node
        node.membership.lost.append(self._invocation.event_worker.node_lost)
        node.membership.listeners.append(self._mappings.review)
        node.membership.lapsed.append(self._mappings.lapsed)
        node.remembers(
            {
                "function": self._changed_elsewhere,
                "account": self._account_changed,
                "iam user": self._people_changed,
                "iam group": self._people_changed,
                "metric filter": lambda key: self._stores.metric_filters.open(),
                "mapping": self._mappings.changed,
            },
            self._remember_nothing,
        )
        node.waits((self._invocation.event_worker.wake, self._invocation.durable.look_again))
        once: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "run durable executions": self._invocation.durable_worker.lead,
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
        self._stores.directory.forget(function)
        await self._lambda.function_policies.open()
        await self._invocation.allotments.refresh(function)
        await self._function_url_names.refresh()

    async def _account_changed(self, account_id: str) -> None:
        self._identity.authorizer.forget(account_id)

    async def _people_changed(self, key: str) -> None:
        self._identity.authorizer.forget(key.partition("/")[0])
        await self._identity.users.open()

    async def _remember_nothing(self) -> None:
        self._stores.directory.forget_all()
        self._stores.event_configs.forget_all()
        self._identity.authorizer.forget_all()
        await self._identity.users.open()
        self._lambda.function_policies.forget_all()
        self._lambda.function_urls.forget_all()
        await self._lambda.function_policies.open()
        await self._invocation.allotments.open()
        await self._stores.metric_filters.open()
        await self._function_url_names.refresh()
        await self._mappings.open()

    async def close(self) -> None:
        """Answers what is in progress, then ends every part."""
        await self._opened.aclose()


def _is_streamed(method: str, target: str, headers: Mapping[str, str]) -> bool:
    """For http.reader.Streams."""
    return is_streamed(method, target, headers) or target.startswith("/v2/")
