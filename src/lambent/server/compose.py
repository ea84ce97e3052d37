"""One server, made of its parts: every implementation that Lambent runs with is chosen here."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from lambent.api.credentials import FirstOf
from lambent.api.dev_credentials import DEV_ACCOUNT_ID
from lambent.api.errors import refuse
from lambent.api.root_key import RootCredentials, RootKey, load_or_create_root_key
from lambent.base.clock import SystemClock
from lambent.base.tasks import Tasks
from lambent.cluster.certificates import new_authority
from lambent.config import Settings, search_path
from lambent.http.client import request as http_request
from lambent.http.limits import MIB, Limits
from lambent.http.listener import HttpListener
from lambent.model.function import FunctionId
from lambent.runtimes.base_images import BaseImages
from lambent.runtimes.registry import RuntimeRegistry
from lambent.sandbox.port import SandboxBackend
from lambent.server.cooperation import Cooperation
from lambent.server.data_directory import require_own
from lambent.server.database import choose_database, open_database
from lambent.server.descriptors import connections_most
from lambent.server.doors import Doors
from lambent.server.doorway import Doorway
from lambent.server.environments import Environments
from lambent.server.function_url_names import needs_hosts_file
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
from lambent.server.runtime_images import RuntimeImages
from lambent.server.services import Services
from lambent.server.shared_secrets import SharedSecrets
from lambent.server.stores import Stores
from lambent.services.cloudwatch.otlp import OtlpExport
from lambent.services.logs.retention import Expiry
from lambent.store.directory_lock import DataDirectoryLock
from lambent.store.sql.shared_secrets import SqlSharedSecretStore
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
        database = await open_database(
            partial(choose_database, self.settings, data_dir),
            seconds=self.settings.database_wait_seconds if self.settings.database is not None else 0.0,
            monotonic=self._clock.monotonic,
        )
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
            images=BaseImages(self.settings.runtime_image),
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
        self._runtime_images = RuntimeImages(
            self._registry.images,
            stores.images,
            self._environments.image_sources,
            data_dir,
            self._environments.images.refusal,
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
        credentials = FirstOf(
            RootCredentials(self.root_key, self.account_id), self._identity.users, self._identity.sessions
        )
        self._services = Services(
            self.settings,
            stores,
            self._identity,
            self._environments,
            self._invocation,
            self._node,
            backend=self._backend,
            registry=self._registry,
            credentials=credentials,
            master_key=self._master_key,
            secrets=self._secrets,
            clock=self._clock,
            tasks=self._tasks,
            endpoint=lambda: self.endpoint,
        )
        self._doors = Doors(
            self.settings,
            stores,
            self._identity,
            self._environments,
            self._services,
            self._node,
            credentials=credentials,
            inside=self._inside,
            clock=self._clock,
        )
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
        self._services.lambda_.function_policies.forget(function)
        self._services.lambda_.function_urls.forget(function)
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

    async def _start(self) -> None:
        opened = self._opened
        opened.callback(self._runtime_images.close)
        await self._runtime_images.open()
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
            self._stores.subscriptions.open(),
            self._identity.users.open(),
            self._invocation.allotments.open(),
        )
        opened.push_async_callback(self._invocation.allotments.close)
        if self._invocation.quotas is not None:
            opened.push_async_callback(self._invocation.quotas.close)
        opened.push_async_callback(self._invocation.invoker.close)
        opened.push_async_callback(self._invocation.event_worker.close)
        opened.push_async_callback(self._invocation.durable_worker.close)
        opened.push_async_callback(self._services.lambda_.activation.close)
        opened.push_async_callback(self._services.log_courier.close)
        opened.push_async_callback(self._stores.log_queries.close)
        opened.push_async_callback(self._services.log_exports.close)
        for part in self._services.parts:
            if part.close is not None:
                opened.push_async_callback(part.close)
            if part.open is not None:
                await part.open()
        await self._services.lambda_.function_policies.open()
        await self._listen()
        for part in self._services.parts:
            if part.ending is not None:
                opened.callback(part.ending)
        if self._calls is not None:
            opened.callback(self._calls.end)
        opened.push_async_callback(self._node.close)
        self._work_behind()
        await self._services.lambda_.activation.open()
        opened.push_async_callback(self._services.mappings.close)
        await self._services.mappings.open()
        expiry = Expiry(self._stores.logs, self._clock, interval_seconds=self.settings.log_expiry_seconds)
        cooperation = Cooperation(self._stores, self._identity, self._invocation, self._services)
        cooperation.begin(self._node, self._doors.status, expiry)
        if self.settings.function_url_hosts == "auto" and needs_hosts_file(self.settings.function_url_domain):
            await self._services.function_url_names.open(self._listener.addresses[0][0])
            opened.push_async_callback(self._services.function_url_names.close)

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
        self._listener = HttpListener(
            self._doors.outside, limits=limits, refusal=refuse, streams=_is_streamed
        )
        await self._listener.start(self.settings.host, self.settings.port)
        self._opened.push_async_callback(self._listener.close, drain_seconds=_DRAIN_SECONDS)

    def _work_behind(self) -> None:
        self._tasks.keep(self._environments.log_delivery.run, "deliver logs")
        self._tasks.keep(self._environments.pools.run, "freeze and expire environments")
        if "worker" in self.settings.roles:
            self._tasks.keep(self._invocation.event_worker.run, "run event invocations")
            if self._invocation.quotas is not None:
                self._tasks.keep(self._invocation.quotas.run, "settle parts of limits")
        self._tasks.keep(self._invocation.meters.run, "measure invocations")
        self._tasks.keep(self._stores.log_measuring.run, "emit default values of metric filters")
        self._tasks.keep(self._services.log_courier.run, "deliver log events")
        self._tasks.keep(self._runtime_images.run, "fetch images of runtimes")
        self._tasks.keep(self._identity.key_uses.run, "store when access keys were used")
        self._tasks.keep(self._stores.sweep_code, "sweep code that nothing uses")
        if (collector := self.settings.otlp_endpoint) is not None:
            export = OtlpExport(
                self._doors.scraping.read,
                http_request,
                self._clock,
                endpoint=collector,
                interval_seconds=self.settings.otlp_interval_seconds,
            )
            self._tasks.keep(export.run, "push metrics")
        for part in self._services.parts:
            for name, run in part.behind.items():
                self._tasks.keep(run, name)

    async def close(self) -> None:
        """Answers what is in progress, then ends every part."""
        await self._opened.aclose()


def _is_streamed(method: str, target: str, headers: Mapping[str, str]) -> bool:
    """For http.reader.Streams."""
    return is_streamed(method, target, headers) or target.startswith("/v2/")
