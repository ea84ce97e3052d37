"""Export tasks: what is written where, and what becomes of tasks."""

import asyncio
import gzip
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from memory_records import MemoryDeliveries, MemoryRecords

from lambent.base.clock import ManualClock
from lambent.model.caller import Caller
from lambent.model.error import ServiceException
from lambent.services.logs.exceptions import (
    InvalidOperationException,
    InvalidParameterException,
    LimitExceededException,
    ResourceNotFoundException,
)
from lambent.services.logs.exports.operations import ExportOperations
from lambent.services.logs.exports.tasks import ExportTasks
from lambent.services.logs.groups import Groups
from lambent.store.ports.logs import LogEvent, LogGroup, LogStore, LogStream

CALLER = Caller(
    account_id="123456789012",
    region="eu-west-1",
    partition="aws",
    principal_arn="arn:aws:iam::123456789012:root",
    user_id="123456789012",
    access_key_id="AKIAEXAMPLE",
)
ASKED = {"logGroupName": "/g", "from": 0, "to": 5000, "destination": "bucket"}


class Logs:
    async def get_group(self, account_id: str, region: str, name: str) -> LogGroup | None:
        return (
            LogGroup(account_id=account_id, region=region, name=name, created_ms=0) if name == "/g" else None
        )

    async def page_streams(self, *_: Any, prefix: str, **__: Any) -> Sequence[LogStream]:
        names = ("2026/[1]x", "other")
        return [LogStream(group="/g", name=name, created_ms=0) for name in names if name.startswith(prefix)]

    async def read(self, *_: Any, streams: Sequence[str], **asked: Any) -> Sequence[LogEvent]:
        events = [
            LogEvent(number * 100, 0, f"{streams[0]} {number}", streams[0], number) for number in range(120)
        ]
        found = [
            event
            for event in events
            if asked["start_ms"] <= event.timestamp_ms < asked["end_ms"]
            and (asked["after"] is None or (event.timestamp_ms, event.id) > asked["after"])
        ]
        return found[: asked["limit"]]


class World:
    """A bucket that lets `service` in."""

    def __init__(self) -> None:
        self.clock = ManualClock(10.0)
        self.records = MemoryRecords(MemoryDeliveries())
        self.objects: dict[str, bytes] = {}
        self.service = "logs.amazonaws.com"
        self.begin = asyncio.Event()
        self.tasks = ExportTasks(
            self.records,
            cast(LogStore, Logs()),
            self.client,
            self.clock,
            pending_seconds=1,
            sleep=self._sleep,
        )
        groups = Groups(cast(LogStore, Logs()))
        self.operations = ExportOperations(self.tasks, groups, self.client, self.clock)

    async def _sleep(self, seconds: float) -> None:
        await self.begin.wait()

    async def client(self, service: str, operation: str, caller: Caller, asked: dict[str, Any]) -> Any:
        if operation == "HeadBucket":
            if asked["Bucket"] != "bucket":
                raise ServiceException("Not Found", code="404")
            return {}
        if caller.service != self.service or asked["Bucket"] != "bucket":
            raise ServiceException("Access Denied", code="AccessDenied")
        assert caller.source_arn == "arn:aws:logs:eu-west-1:123456789012:log-group:/g:*"
        if operation == "PutObject":
            assert asked["ACL"] == "bucket-owner-full-control"
            self.objects[asked["Key"]] = asked["Body"]
        return {}

    async def described(self, **asked: Any) -> list[dict[str, Any]]:
        answer = await self.operations.describe_export_tasks(CALLER, asked)
        return cast(list[dict[str, Any]], answer["exportTasks"])

    async def until(self, status: str) -> dict[str, Any]:
        for _ in range(1000):
            (task,) = await self.described()
            if task["status"]["code"] == status:
                return task
            await asyncio.sleep(0.001)
        raise AssertionError(task)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("service", ["logs.amazonaws.com", "logs.eu-west-1.amazonaws.com"])
async def test_each_stream_has_its_objects(world: World, service: str) -> None:
    world.service = service
    id_ = (await world.operations.create_export_task(CALLER, ASKED))["taskId"]
    assert world.objects == {"aws-logs-write-test": b"Permission Check Successful"}
    (task,) = await world.described(taskId=id_)
    assert task["status"] == {"code": "PENDING"}
    assert task["executionInfo"] == {"creationTime": 10_000}
    assert task["destinationPrefix"] == "exportedlogs"
    with pytest.raises(LimitExceededException):
        await world.operations.create_export_task(CALLER, ASKED)
    world.begin.set()
    task = await world.until("COMPLETED")
    assert task["status"]["message"] == "Completed successfully"
    assert task["executionInfo"]["completionTime"] == 10_000
    folder = f"exportedlogs/{id_}"
    assert set(world.objects) - {"aws-logs-write-test"} == {
        f"{folder}/2026-[1]x/000000.gz",
        f"{folder}/other/000000.gz",
    }
    lines = gzip.decompress(world.objects[f"{folder}/other/000000.gz"]).decode().splitlines()
    assert len(lines) == 50
    assert lines[1] == "1970-01-01T00:00:00.100Z other 1"
    with pytest.raises(InvalidOperationException, match="already finished"):
        await world.operations.cancel_export_task(CALLER, {"taskId": id_})


async def test_a_prefix_of_streams_and_one_of_keys(world: World) -> None:
    world.begin.set()
    asked = {**ASKED, "logStreamNamePrefix": "oth", "destinationPrefix": "mine", "taskName": "n"}
    id_ = (await world.operations.create_export_task(CALLER, asked))["taskId"]
    assert (await world.until("COMPLETED"))["taskName"] == "n"
    assert set(world.objects) == {"mine/aws-logs-write-test", f"mine/{id_}/other/000000.gz"}


async def test_a_cancelled_one_writes_nothing(world: World) -> None:
    id_ = (await world.operations.create_export_task(CALLER, ASKED))["taskId"]
    await world.operations.cancel_export_task(CALLER, {"taskId": id_})
    world.begin.set()
    await world.tasks.close()
    (task,) = await world.described()
    assert task["status"]["code"] == "CANCELLED"
    assert list(world.objects) == ["aws-logs-write-test"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"destination": "none"}, InvalidParameterException, "The given bucket does not exist"),
        ({"logGroupName": "/none"}, ResourceNotFoundException, "The specified log group does not exist"),
    ],
)
async def test_what_is_not_there(world: World, change: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        await world.operations.create_export_task(CALLER, {**ASKED, **change})
    assert await world.described() == []
    assert await world.described(taskId="none") == []
    with pytest.raises(ResourceNotFoundException, match="The specified export task does not exist"):
        await world.operations.cancel_export_task(CALLER, {"taskId": "none"})


async def test_a_bucket_that_lets_nobody_in(world: World) -> None:
    world.service = "other.amazonaws.com"
    with pytest.raises(InvalidParameterException, match="GetBucketAcl call on the given bucket failed"):
        await world.operations.create_export_task(CALLER, ASKED)


async def test_one_that_is_shut_while_it_runs_fails(world: World) -> None:
    await world.operations.create_export_task(CALLER, ASKED)
    world.service = "other.amazonaws.com"
    world.begin.set()
    assert (await world.until("FAILED"))["status"]["message"] == "Access Denied"


async def test_one_that_was_interrupted_has_failed(world: World) -> None:
    await world.operations.create_export_task(CALLER, ASKED)
    await world.tasks.close()
    (task,) = await world.described()
    assert task["status"]["code"] == "PENDING"
    world.clock.advance(120)
    (task,) = await world.described()
    assert task["status"] == {"code": "FAILED", "message": "The task was interrupted."}
    callable_: Callable[..., Any] = world.operations.create_export_task
    await callable_(CALLER, ASKED)
