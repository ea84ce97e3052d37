"""An unmodified boto3 client whose requests reach the service through the real wire layer, over either store.

Only the socket is left out: botocore's requests are handed over before they would be sent.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from memory_records import MemoryDeliveries, MemoryRecords
from noted_metrics import NotedMetrics

from lambent.base.clock import ManualClock
from lambent.http.message import Request
from lambent.model.caller import Caller, Parameters
from lambent.model.error import ServiceException
from lambent.services.logs import service
from lambent.services.logs.exports.tasks import ExportTasks
from lambent.services.logs.fed_store import FedLogStore
from lambent.services.logs.feed import LocalFeed
from lambent.services.logs.insights.queries import Queries
from lambent.services.logs.measuring import LogMeasuring
from lambent.services.logs.metric_filters.known import KnownMetricFilters
from lambent.services.logs.subscriptions.forwarding import Forwarding
from lambent.services.logs.subscriptions.known import KnownSubscriptions
from lambent.store.ports.errors import AlreadyExistsError, NotFoundError
from lambent.store.ports.logs import LogEvent, LogGroup, LogStore, LogStream
from lambent.store.ports.target_deliveries import TargetDeliveryStore
from lambent.store.sql.logs import SqlLogStore
from lambent.store.sqlite.database import SqliteDatabase
from lambent.wire.service import load_service

NOW_MS = 1_750_000_000_000
CALLER = Caller(
    account_id="123456789012",
    region="eu-west-1",
    principal_arn="arn:aws:iam::123456789012:root",
    user_id="123456789012",
    access_key_id="AKIAEXAMPLE",
    request_id="request-1",
)


class MemoryLogStore:
    """The port in a few lines, to show which of a test's findings are the service's and which the database's."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str, str], LogGroup] = {}
        self._streams: dict[tuple[str, str, str], dict[str, LogStream]] = {}
        self._events: dict[tuple[str, str, str], list[LogEvent]] = {}
        self._last_id = 0

    async def insert_group(self, group: LogGroup) -> None:
        key = (group.account_id, group.region, group.name)
        if key in self._groups:
            raise AlreadyExistsError(group.name)
        self._groups[key], self._streams[key], self._events[key] = group, {}, []

    async def get_group(self, account_id: str, region: str, name: str) -> LogGroup | None:
        return self._groups.get((account_id, region, name))

    async def replace_group(self, group: LogGroup) -> None:
        key = (group.account_id, group.region, group.name)
        stored = self._groups[self._existing(*key)]
        self._groups[key] = replace(group, stored_bytes=stored.stored_bytes, created_ms=stored.created_ms)

    async def delete_group(self, account_id: str, region: str, name: str) -> None:
        key = self._existing(account_id, region, name)
        del self._groups[key], self._streams[key], self._events[key]

    async def page_groups(
        self, account_id: str, region: str, *, prefix: str, pattern: str, after: str | None, limit: int
    ) -> Sequence[LogGroup]:
        return [
            group
            for (account, place, name), group in sorted(self._groups.items(), key=lambda item: item[0])
            if (account, place) == (account_id, region)
            and name.startswith(prefix)
            and pattern in name
            and (after is None or name > after)
        ][:limit]

    async def insert_stream(
        self, account_id: str, region: str, group: str, name: str, created_ms: int
    ) -> None:
        streams = self._streams[self._existing(account_id, region, group)]
        if name in streams:
            raise AlreadyExistsError(name)
        streams[name] = LogStream(group=group, name=name, created_ms=created_ms)

    async def get_stream(self, account_id: str, region: str, group: str, name: str) -> LogStream | None:
        return self._streams.get((account_id, region, group), {}).get(name)

    async def delete_stream(self, account_id: str, region: str, group: str, name: str) -> None:
        key = self._existing(account_id, region, group)
        if self._streams[key].pop(name, None) is None:
            raise NotFoundError(name)
        self._events[key] = [event for event in self._events[key] if event.stream != name]

    async def page_streams(
        self,
        account_id: str,
        region: str,
        group: str,
        *,
        prefix: str,
        by_last_event: bool,
        descending: bool,
        after: tuple[int, str] | None,
        limit: int,
    ) -> Sequence[LogStream]:
        def place(last_event_ms: int | None, name: str) -> tuple[int, str]:
            return ((last_event_ms or 0) if by_last_event else 0, name)

        def beyond(stream: LogStream) -> bool:
            if after is None:
                return True
            here, there = place(stream.last_event_ms, stream.name), place(*after)
            return here < there if descending else here > there

        streams = self._streams.get((account_id, region, group), {}).values()
        return sorted(
            (stream for stream in streams if stream.name.startswith(prefix) and beyond(stream)),
            key=lambda stream: place(stream.last_event_ms, stream.name),
            reverse=descending,
        )[:limit]

    async def append(
        self,
        account_id: str,
        region: str,
        group: str,
        stream: str,
        events: Sequence[LogEvent],
        *,
        create: bool,
    ) -> None:
        assert not create
        key = self._existing(account_id, region, group)
        if stream not in self._streams[key]:
            raise NotFoundError(stream)
        for event in events:
            self._last_id += 1
            self._events[key].append(replace(event, stream=stream, id=self._last_id))
        times = [event.timestamp_ms for event in self._events[key] if event.stream == stream]
        self._streams[key][stream] = replace(
            self._streams[key][stream],
            first_event_ms=min(times),
            last_event_ms=max(times),
            last_ingestion_ms=events[-1].ingestion_ms,
        )
        size = sum(len(event.message.encode()) + 26 for event in events)
        self._groups[key] = replace(self._groups[key], stored_bytes=self._groups[key].stored_bytes + size)

    async def append_many(self, batches: Sequence[tuple[str, str, str, str, Sequence[LogEvent]]]) -> None:
        raise NotImplementedError("the service does not call it")

    async def read(
        self,
        account_id: str,
        region: str,
        group: str,
        *,
        streams: Sequence[str] | None,
        start_ms: int | None,
        end_ms: int | None,
        after: tuple[int, int] | None,
        before: tuple[int, int] | None,
        descending: bool,
        limit: int,
    ) -> Sequence[LogEvent]:
        return sorted(
            (
                event
                for event in self._events.get((account_id, region, group), [])
                if (streams is None or event.stream in streams)
                and (start_ms is None or event.timestamp_ms >= start_ms)
                and (end_ms is None or event.timestamp_ms < end_ms)
                and (after is None or (event.timestamp_ms, event.id) > after)
                and (before is None or (event.timestamp_ms, event.id) < before)
            ),
            key=lambda event: (event.timestamp_ms, event.id),
            reverse=descending,
        )[:limit]

    async def expire(self, now_ms: int) -> int:
        raise NotImplementedError("the service does not call it")

    def _existing(self, *key: str) -> tuple[str, str, str]:
        account_id, region, name = key
        if (account_id, region, name) not in self._groups:
            raise NotFoundError(name)
        return account_id, region, name


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW_MS / 1000)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Iterator[LogStore]:
    if request.param == "memory":
        yield MemoryLogStore()
        return
    database = SqliteDatabase(tmp_path / "lambent.db")
    database.open()
    yield SqlLogStore(database, clock)
    database.close()


@pytest.fixture
def slept() -> list[float]:
    """How long the service has slept; the clock has gone on as long."""
    return []


@pytest.fixture(scope="session")
def backend() -> SimpleNamespace:
    return SimpleNamespace(answer=None)


@pytest.fixture(scope="session")
def client(backend: SimpleNamespace) -> Any:
    """One for all tests: botocore needs a good while to make it."""
    client = boto3.client(
        "logs",
        region_name="eu-west-1",
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="secret",
        config=Config(inject_host_prefix=False, retries={"total_max_attempts": 1}),
    )
    client.meta.events.register("before-send.logs", lambda request, **_: backend.answer(request))
    return client


@pytest.fixture
def logs(
    client: Any, backend: SimpleNamespace, store: LogStore, clock: ManualClock, slept: list[float]
) -> Iterator[Any]:
    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.advance(seconds)

    feed = LocalFeed()
    metric_filters = KnownMetricFilters(MemoryRecords(MemoryDeliveries()))
    measuring = LogMeasuring(metric_filters, NotedMetrics(), clock)
    subscriptions = KnownSubscriptions(MemoryRecords(MemoryDeliveries()))
    forwarding = Forwarding(subscriptions, cast(TargetDeliveryStore, MemoryDeliveries()), clock)

    records: Any = MemoryRecords(MemoryDeliveries())

    async def client_of_others(*_: Any) -> Parameters:
        return {}

    offered = service(
        FedLogStore(store, feed, measuring, forwarding),
        clock,
        feed,
        metric_filters,
        subscriptions,
        MemoryRecords(MemoryDeliveries()),
        Queries(records, records, store, clock),
        records,
        ExportTasks(records, store, client_of_others, clock, pending_seconds=0.0),
        MemoryRecords(MemoryDeliveries()),
        client_of_others,
        sleep=sleep,
    )
    wire = load_service("logs")

    async def answer(request: Any) -> AWSResponse:
        parts = urlsplit(request.url)
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        received = Request(
            request.method, parts.path or "/", parts.path or "/", parts.query, headers, request.body
        )
        match = wire.match(received)
        assert match is not None
        try:
            parameters = wire.parse(match, received)
            assert offered.resource_arn(match.operation, CALLER, parameters)
            response = wire.serialize(
                match, await offered.operations[match.operation](CALLER, parameters), "r-1"
            )
        except ServiceException as error:
            response = wire.serialize_error(match, error, "r-1")
        body = (
            response.body
            if isinstance(response.body, bytes)
            else b"".join([part async for part in response.body])
        )
        return AWSResponse(request.url, response.status, _Headers(response.headers), _Raw(body))

    loop = asyncio.new_event_loop()
    backend.answer = lambda request: loop.run_until_complete(answer(request))
    yield client
    loop.close()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


class _Headers(dict[str, str]):
    def get(self, name: str, default: Any = None) -> Any:
        return next((value for key, value in self.items() if key.lower() == name.lower()), default)


class _Raw:
    """What botocore asks of urllib3's response."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._body

    def read(self, *_: Any) -> bytes:
        return self._body

    def close(self) -> None:
        pass
