"""Every event source, one after the other: a contract test takes `source`, and `ordered` where order matters."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import pytest
from noted_metrics import NotedMetrics

from lambent.base.clock import ManualClock
from lambent.event_sources.source import EventSource
from lambent.event_sources.sqs import SqsSource
from lambent.model.caller import Caller, Parameters
from lambent.server.parts.sqs import part
from lambent.store.sqlite.database import SqliteDatabase

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from memory_source import MemorySource, SourceGone

ROOT = Caller(
    account_id="123456789012",
    region="us-east-1",
    principal_arn="arn:aws:iam::123456789012:root",
    user_id="123456789012",
    access_key_id="",
)


class Bench(Protocol):
    """A source, and the producers' end of it."""

    source: EventSource
    clock: ManualClock

    async def send(self, *bodies: str, group: str | None = None) -> None: ...

    async def remove(self) -> None:
        """The queue, stream or topic is deleted."""
        ...


class MemoryBench:
    def __init__(self, *, ordered: bool) -> None:
        self.clock = ManualClock()
        self._source = self.source = MemorySource(self.clock, ordered=ordered)

    async def send(self, *bodies: str, group: str | None = None) -> None:
        self._source.send(*bodies, group=group)

    async def remove(self) -> None:
        self._source.error = SourceGone("gone")


class SqsBench:
    def __init__(self, database: SqliteDatabase, *, ordered: bool) -> None:
        self.clock = ManualClock()
        self.name = "q.fifo" if ordered else "q"
        self._url = f"http://here/{ROOT.account_id}/{self.name}"
        # The service as the server has it. It asks for no more of the core than this.
        core: Any = SimpleNamespace(
            clock=self.clock,
            client=None,  # for KMS, whose keys no queue here has
            database=database,
            metrics=NotedMetrics(),
            secret=lambda purpose: b"s" * 32,
        )
        self._sqs = part(core)

    async def open(self) -> None:
        assert self._sqs.open is not None
        await self._sqs.open()
        fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        await self.call("CreateQueue", QueueName=self.name, Attributes=fifo if "." in self.name else {})
        self.source = SqsSource(
            f"arn:aws:sqs:us-east-1:123456789012:{self.name}", self._client, self._session
        )

    async def send(self, *bodies: str, group: str | None = None) -> None:
        of_group = {"MessageGroupId": group} if group else {}
        for body in bodies:
            await self.call("SendMessage", QueueUrl=self._url, MessageBody=body, **of_group)

    async def remove(self) -> None:
        await self.call("DeleteQueue", QueueUrl=self._url)

    async def call(self, operation: str, **parameters: Any) -> Parameters:
        return await self._client("sqs", operation, ROOT, parameters)

    async def _client(
        self, service: str, operation: str, caller: Caller, parameters: Parameters
    ) -> Parameters:
        assert service == "sqs"
        return await self._sqs.service.operations[operation](caller, parameters)

    async def _session(self) -> Caller:
        return ROOT


async def _benches(kind: str, path: Path, *, ordered: bool) -> AsyncIterator[Bench]:
    if kind == "memory":
        yield MemoryBench(ordered=ordered)
        return
    database = SqliteDatabase(path / "lambent.db")
    database.open()
    bench = SqsBench(database, ordered=ordered)
    await bench.open()
    yield bench
    database.close()


@pytest.fixture(params=["memory", "sqs"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    async for each in _benches(request.param, tmp_path, ordered=False):
        yield each


@pytest.fixture(params=["memory", "sqs"])
async def ordered_bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    async for each in _benches(request.param, tmp_path, ordered=True):
        yield each
