"""Every engine of S3's stores, one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lambent.base.clock import ManualClock
from lambent.model.bucket import Bucket
from lambent.store.object_files import ObjectFiles
from lambent.store.ports.buckets import BucketStore
from lambent.store.ports.contents import ContentStore
from lambent.store.ports.notices import NoticeStore
from lambent.store.ports.object_garbage import ObjectGarbage
from lambent.store.ports.objects import ObjectStore
from lambent.store.ports.uploads import UploadStore
from lambent.store.sql.buckets import SqlBucketStore
from lambent.store.sql.database import Database
from lambent.store.sql.notices import SqlNoticeStore
from lambent.store.sql.objects import SqlObjectStore
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


@pytest.fixture(params=["files"])
def contents(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ContentStore]:
    assert request.param == "files"
    files = ObjectFiles(tmp_path / "s3")
    files.open()
    yield files
    files.close()
