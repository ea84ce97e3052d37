"""Every engine of S3's stores, one after the other."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from lambent.base.clock import ManualClock
from lambent.model.bucket import Bucket
from lambent.store.object_contents import ObjectContents
from lambent.store.object_files import ObjectFiles
from lambent.store.ports.buckets import BucketStore
from lambent.store.ports.contents import Content, ContentStore
from lambent.store.ports.notices import NoticeStore
from lambent.store.ports.object_garbage import ObjectGarbage
from lambent.store.ports.objects import ObjectStore
from lambent.store.ports.uploads import UploadStore
from lambent.store.sql.buckets import SqlBucketStore
from lambent.store.sql.database import Connection, Database
from lambent.store.sql.notices import SqlNoticeStore
from lambent.store.sql.objects import SqlObjectStore
from lambent.store.sql.small_contents import SqlSmallContents, insert_small
from lambent.store.sql.uploads import SqlUploadStore


@dataclass(frozen=True)
class S3Stores:
    buckets: BucketStore
    objects: ObjectStore
    garbage: ObjectGarbage
    uploads: UploadStore
    notices: NoticeStore
    clock: ManualClock


@pytest.fixture
def stores(database: Database) -> S3Stores:
    clock = ManualClock()
    objects = SqlObjectStore(database, clock)
    return S3Stores(
        buckets=SqlBucketStore(database),
        objects=objects,
        garbage=objects,
        uploads=SqlUploadStore(database, clock),
        notices=SqlNoticeStore(database),
        clock=clock,
    )


@pytest.fixture
async def bucket(stores: S3Stores) -> Bucket:
    made = Bucket(name="shelf", account_id="111122223333", region="us-east-1", created_at=1.0)
    await stores.buckets.insert(made)
    return made


@dataclass(frozen=True)
class Shelf:
    """Contents, and what stores of objects do to them: `keep` stores the bytes of a small one, and returns its name."""

    contents: ContentStore
    keep: Callable[[Content], Awaitable[str]]
    close: Callable[[], None]


@pytest.fixture(params=["files", "sqlite", "postgres"])
def shelf(
    request: pytest.FixtureRequest, tmp_path: Path, new_database: Callable[[str], Database]
) -> Iterator[Shelf]:
    """Files alone, and beside an engine that has what is small: here, up to 500,000 bytes."""
    files = ObjectFiles(tmp_path / "s3")
    files.open()
    if request.param == "files":
        yield Shelf(contents=files, keep=_named, close=files.close)
    else:
        database = new_database(request.param)
        contents = ObjectContents(files, SqlSmallContents(database, ManualClock()), small_bytes_most=500_000)
        yield Shelf(contents=contents, keep=partial(_stored, database), close=files.close)
    files.close()


async def _named(content: Content) -> str:
    assert content.data is None
    return content.name


async def _stored(database: Database, content: Content) -> str:
    name, data = content.name, content.data
    if data is not None:

        def work(connection: Connection) -> None:
            insert_small(connection, name, data)

        await database.write(work)
    return name
