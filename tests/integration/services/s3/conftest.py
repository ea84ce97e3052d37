"""S3 on real stores, asked without a server, by a clock that is moved."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from noted_metrics import NotedMetrics

from lambent.base.clock import ManualClock
from lambent.model.caller import Caller
from lambent.services import s3
from lambent.store.object_contents import ObjectContents
from lambent.store.object_files import ObjectFiles
from lambent.store.sql.buckets import SqlBucketStore
from lambent.store.sql.notices import SqlNoticeStore
from lambent.store.sql.objects import SqlObjectStore
from lambent.store.sql.small_contents import SqlSmallContents
from lambent.store.sql.uploads import SqlUploadStore
from lambent.store.sqlite.database import SqliteDatabase

ROOT = Caller(
    account_id="111122223333",
    region="us-east-1",
    principal_arn="arn:aws:iam::111122223333:root",
    user_id="111122223333",
    access_key_id="AKIA",
)
Call = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_700_000_000.0)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase(tmp_path / "lambent.db")
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def objects(database: SqliteDatabase, clock: ManualClock) -> SqlObjectStore:
    return SqlObjectStore(database, clock)


@pytest.fixture
async def made(
    tmp_path: Path, database: SqliteDatabase, objects: SqlObjectStore, clock: ManualClock
) -> AsyncIterator[s3.S3Service]:
    files = ObjectFiles(tmp_path / "s3")
    files.open()
    stores = s3.Stores(
        buckets=SqlBucketStore(database),
        objects=objects,
        garbage=objects,
        uploads=SqlUploadStore(database, clock),
        notices=SqlNoticeStore(database),
        contents=ObjectContents(files, SqlSmallContents(database, clock)),
    )

    async def client(service: str, operation: str, caller: Caller, parameters: Any) -> Any:
        return await offered.service.operations[operation](caller, parameters)

    offered = s3.service(stores, clock, client, NotedMetrics())
    await offered.buckets.load()
    yield offered
    files.close()


@pytest.fixture
async def call(made: s3.S3Service) -> Call:
    async def ask(operation: str, **parameters: Any) -> dict[str, Any]:
        return await made.service.operations[operation](ROOT, {"Bucket": "shelf", **parameters})

    await ask("CreateBucket")
    return ask
